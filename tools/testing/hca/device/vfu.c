// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The vfio-user protocol (QEMU's docs/interop/vfio-user.rst): one listening socket and at most one
 * client for each HCA. This file receives messages; vfu_answer.c handles them and replies through
 * vfu_reply.c.
 *
 * One receive can return several messages. The kernel returns file descriptors with the last bytes
 * of a receive. Each descriptor is stored with its position in the stream, and belongs to the
 * message at this position.
 */
#define _GNU_SOURCE
#include "device/vfu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BURST 64 /* messages in one turn of the loop */

static struct vfu *vfu_of(const struct hca *h)
{
	return hca_part(h, PART_VFU);
}

/* --- the connection --------------------------------------------------------------------------- */

/* Closes the descriptors of messages that were not received completely. */
static void drop_fds(struct vfu *v)
{
	int i;

	for (i = 0; i < v->n_fds; i++)
		close(v->fds[i].fd);
	v->n_fds = 0;
}

/*
 * Resets the device: the next client finds it as after power-on. Something that only looks whether
 * somebody listens here has not used it.
 */
static void disconnect(struct vfu *v, const char *why)
{
	bool used = v->negotiated;

	if (v->conn.fd < 0)
		return;
	hca_log(v->h, "client gone: %s", why);
	loop_remove(&v->conn);
	close(v->conn.fd);
	v->conn.fd = -1;
	work_cancel(&v->more);
	drop_fds(v);
	vfu_irqs_release(v);
	dma_unmap_all(v->h);
	v->in_from = v->in_to = v->out_from = v->out_to = 0;
	v->negotiated = false;
	v->refused = 0;
	if (used)
		hca_reset(v->h);
	loop_modify(&v->listen, EPOLLIN);
}

void vfu_disconnect(struct hca *h)
{
	disconnect(vfu_of(h), "removed");
}

bool vfu_connected(const struct hca *h)
{
	return vfu_of(h)->conn.fd >= 0;
}

/* --- receiving -------------------------------------------------------------------------------- */

static void take_fds(struct vfu *v, struct msghdr *msg)
{
	struct cmsghdr *c;
	int fds[VFU_MAX_FDS * 2], n, i;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		for (i = 0; i < n; i++) {
			if (v->n_fds == VFU_FD_QUEUE) {
				close(fds[i]);
				v->broken = true;
				continue;
			}
			v->fds[v->n_fds].fd = fds[i];
			v->fds[v->n_fds++].at = v->stream;
		}
	}
}

/* Returns false if there is no more data to read now. */
static bool receive(struct vfu *v)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * VFU_MAX_FDS * 2)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { v->in + v->in_to, VFU_IN - v->in_to };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	ssize_t n = recvmsg(v->conn.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		v->broken = true;
		return false;
	}
	v->in_to += n;
	v->stream += n;
	take_fds(v, &msg);
	return true;
}

/*
 * Returns the descriptors of the message that ends at @end of the stream. The caller closes or
 * keeps each.
 */
static int message_fds(struct vfu *v, u64 end, int *fds)
{
	int n = 0;

	while (n < v->n_fds && v->fds[n].at <= end && n < VFU_MAX_FDS) {
		fds[n] = v->fds[n].fd;
		n++;
	}
	v->n_fds -= n;
	memmove(v->fds, v->fds + n, v->n_fds * sizeof(v->fds[0]));
	return n;
}

/* Makes room for the largest message behind the received data, without a copy each time. */
static void compact(struct vfu *v)
{
	if (v->in_from == v->in_to)
		v->in_from = v->in_to = 0;
	if (!v->in_from || VFU_IN - v->in_from >= VFU_MAX_MSG)
		return;
	memmove(v->in, v->in + v->in_from, v->in_to - v->in_from);
	v->in_to -= v->in_from;
	v->in_from = 0;
}

/* Handles one complete message, if there is one. */
static bool serve_one(struct vfu *v)
{
	struct vfu_message m = { .v = v };
	struct vfu_header hdr;
	size_t have = v->in_to - v->in_from;
	u64 end;

	if (have < sizeof(hdr))
		return false;
	memcpy(&hdr, v->in + v->in_from, sizeof(hdr));
	if (hdr.size < sizeof(hdr) || hdr.size > VFU_MAX_MSG) {
		hca_log(v->h, "vfio-user: message of %u bytes", hdr.size);
		v->broken = true;
		return false;
	}
	if (have < hdr.size || !vfu_reply_room(v, VFU_MAX_MSG))
		return false;
	m.hdr = hdr;
	m.data = v->in + v->in_from + sizeof(hdr);
	m.len = hdr.size - sizeof(hdr);
	end = v->stream - (have - hdr.size);
	m.n_fds = message_fds(v, end, m.fds);
	v->in_from += hdr.size;
	vfu_answer(&m);
	return !v->broken;
}

/* Does not read from a client that does not read its replies. */
static void watch(struct vfu *v)
{
	u32 events = v->out_to ? EPOLLOUT : 0;

	if (VFU_OUT - v->out_to >= VFU_MAX_MSG)
		events |= EPOLLIN;
	if (v->conn.fd < 0 || events == v->events)
		return;
	v->events = events;
	loop_modify(&v->conn, events);
}

static void serve(struct vfu *v)
{
	int i;

	for (i = 0; i < BURST && !v->broken; i++) {
		if (serve_one(v))
			continue;
		compact(v);
		if (v->broken || VFU_OUT - v->out_to < VFU_MAX_MSG || !receive(v))
			break;
	}
	compact(v);
	if (v->broken)
		disconnect(v, "connection closed or unusable");
	else if (i == BURST)
		work_schedule(&v->more);
	watch(v);
}

static void on_more(struct hca_work *w)
{
	struct vfu *v = (struct vfu *)((char *)w - offsetof(struct vfu, more));

	serve(v);
}

static void on_conn(struct hca_fd *f, u32 events)
{
	struct vfu *v = (struct vfu *)((char *)f - offsetof(struct vfu, conn));

	vfu_flush(v);
	if (events & EPOLLHUP && !(events & EPOLLIN))
		v->broken = true;
	serve(v);
}

static void on_listen(struct hca_fd *f, u32 events)
{
	struct vfu *v = (struct vfu *)((char *)f - offsetof(struct vfu, listen));
	int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	v->conn.fd = fd;
	v->broken = false;
	v->stream = 0;
	v->events = EPOLLIN;
	if (loop_add(&v->conn, EPOLLIN)) {
		close(fd);
		v->conn.fd = -1;
		return;
	}
	/* only one client is accepted; the next one waits in the backlog */
	loop_modify(&v->listen, 0);
	hca_log(v->h, "client connected");
}

/* --- start and end ---------------------------------------------------------------------------- */

int vfu_listen(struct hca *h, const char *path)
{
	return loop_listen(&vfu_of(h)->listen, path, 4);
}

int vfu_new(struct hca *h)
{
	struct vfu *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->h = h;
	v->listen = (struct hca_fd){ -1, on_listen };
	v->conn = (struct hca_fd){ -1, on_conn };
	v->more.fn = on_more;
	v->in = malloc(VFU_IN);
	v->out = malloc(VFU_OUT);
	if (!v->in || !v->out) {
		free(v->in);
		free(v->out);
		free(v);
		return -ENOMEM;
	}
	vfu_irqs_init(v);
	hca_set_part(h, PART_VFU, v);
	return 0;
}

void vfu_delete(struct hca *h)
{
	struct vfu *v = vfu_of(h);

	if (v->conn.fd >= 0) {
		loop_remove(&v->conn);
		close(v->conn.fd);
	}
	if (v->listen.fd >= 0) {
		loop_remove(&v->listen);
		close(v->listen.fd);
	}
	work_cancel(&v->more);
	drop_fds(v);
	vfu_irqs_release(v);
	free(v->in);
	free(v->out);
	free(v);
}
