// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Replies to the vfio-user client. */
#define _GNU_SOURCE
#include "device/vfu.h"

#include <errno.h>
#include <sys/socket.h>

/* Sends the replies that wait because the client is slow to read them. */
void vfu_flush(struct vfu *v)
{
	ssize_t n;

	while (v->out_from < v->out_to) {
		n = send(v->conn.fd, v->out + v->out_from, v->out_to - v->out_from,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			v->broken = true;
			return;
		}
		v->out_from += n;
	}
	v->out_from = v->out_to = 0;
}

/* Returns room for a reply of @len bytes in the output, or NULL while the client does not read. */
u8 *vfu_reply_room(struct vfu *v, size_t len)
{
	return VFU_OUT - v->out_to >= len ? v->out + v->out_to : NULL;
}

void vfu_reply_send(struct vfu *v, size_t len)
{
	v->out_to += len;
	vfu_flush(v);
}

void vfu_reply_send_fd(struct vfu *v, size_t len, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { v->out + v->out_to, len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	/* the client waits for this reply, so the output is empty */
	n = v->out_to ? -1 : sendmsg(v->conn.fd, &msg, MSG_NOSIGNAL);
	if (n != (ssize_t)len)
		v->broken = true;
}
