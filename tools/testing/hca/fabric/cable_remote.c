// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A cable to a port in another process: a SOCK_SEQPACKET socket at a given path. The first process
 * listens, the other connects. Either may exit and return; for the remaining process this is a
 * pulled cable. The messages are
 *
 *	'S' version willing width speed		the state of the sender's port, after each change
 *	'P' hops packet...			number of switches passed; LRH through VCRC
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/bytes.h"
#include "fabric/packet.h"
#include "fabric/wire.h"

#define RETRY_NS 200000000u
#define PROTOCOL_VERSION 2
/*
 * The maximum number of packets for a process that does not read them. Further packets are
 * discarded, as by a switch that gets no credits for too long. The limit is far below the one at
 * which all senders of this process wait.
 */
#define BACKLOG_MAX (IN_FLIGHT_MAX / 4)
#define RX_BATCH 256u
#define VCRC_LEN 2u
#define PACKET_AT 2u /* offset in its message */

enum { MSG_STATE_LEN = 5 };

struct remote {
	struct cable *cable;
	void (*changed)(struct cable *c);
	struct sockaddr_un addr;
	struct hca_fd listener, conn; /* fd -1: not open */
	struct hca_timer retry;
	bool willing;
	u8 width, speed;
	/* packets that the socket has not accepted yet */
	struct packet *head, *tail;
	u32 backlog;
};

bool remote_willing(const struct remote *r)
{
	return r->conn.fd >= 0 && r->willing;
}

u8 remote_width(const struct remote *r)
{
	return r->width;
}

u8 remote_speed(const struct remote *r)
{
	return r->speed;
}

/* --- sending --- */

/*
 * Packets that the socket does not accept are queued, because a busy link of a real fabric loses no
 * packets. This discards the queue.
 */
static void drop_backlog(struct remote *r)
{
	while (r->head) {
		struct packet *pkt = r->head;

		r->head = pkt->next;
		packet_put(pkt);
	}
	r->backlog = 0;
}

/*
 * The other process has closed the connection, which is a pulled cable. The process that listened
 * continues to listen.
 */
static void hang_up(struct remote *r)
{
	if (r->conn.fd < 0)
		return;
	loop_remove(&r->conn);
	close(r->conn.fd);
	r->conn.fd = -1;
	r->willing = false;
	drop_backlog(r);
	r->changed(r->cable);
	if (r->listener.fd < 0)
		timer_arm(&r->retry, RETRY_NS);
}

/* Returns false if the socket is full. A closed connection is noticed by a read. */
static bool send_packet(struct remote *r, const struct packet *pkt)
{
	u8 buf[PACKET_AT + PACKET_ROOM + VCRC_LEN] = { 'P', pkt->hops };

	memcpy(buf + PACKET_AT, pkt->data, pkt->len);
	put16(buf + PACKET_AT + pkt->len, vcrc_compute(pkt->data, pkt->len));
	return send(r->conn.fd, buf, PACKET_AT + pkt->len + VCRC_LEN,
		    MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS);
}

void remote_send(struct remote *r, struct packet *pkt)
{
	if (r->conn.fd < 0 || r->backlog >= BACKLOG_MAX) {
		ibport_count(r->cable->end[0], CNT_XMIT_DISCARD, 1);
		packet_put(pkt);
		return;
	}
	if (!r->head && send_packet(r, pkt)) {
		packet_put(pkt);
		return;
	}
	pkt->next = NULL;
	if (r->head)
		r->tail->next = pkt;
	else
		r->head = pkt;
	r->tail = pkt;
	if (!r->backlog++)
		loop_modify(&r->conn, EPOLLIN | EPOLLOUT);
}

static void send_backlog(struct remote *r)
{
	while (r->head && send_packet(r, r->head)) {
		struct packet *pkt = r->head;

		r->head = pkt->next;
		r->backlog--;
		packet_put(pkt);
	}
	if (!r->head)
		loop_modify(&r->conn, EPOLLIN);
}

/*
 * Sends the state of the port. A port that restarts its link is willing before and after. A message
 * "not willing" in between makes the other side take its link down, too.
 */
void remote_tell(struct remote *r)
{
	const struct ibport *p = r->cable->end[0];
	bool willing = p->powered && p->phys != PHYS_SLEEP && p->phys != PHYS_DISABLED &&
		       !r->cable->pulled;
	u8 msg[MSG_STATE_LEN] = { 'S', PROTOCOL_VERSION, 0, p->width_enabled, p->speed_enabled };

	if (r->conn.fd < 0)
		return;
	if (r->cable->up && p->phys != PHYS_LINKUP)
		send(r->conn.fd, msg, sizeof(msg), MSG_NOSIGNAL);
	msg[2] = willing;
	send(r->conn.fd, msg, sizeof(msg), MSG_NOSIGNAL);
}

/* --- receiving --- */

static void got_state(struct remote *r, const u8 *msg)
{
	if (msg[1] != PROTOCOL_VERSION) {
		fprintf(stderr, "tavor-hca: %s: the other side speaks version %u, not %u\n",
			r->addr.sun_path, msg[1], PROTOCOL_VERSION);
		hang_up(r);
		return;
	}
	r->willing = msg[2];
	r->width = msg[3];
	r->speed = msg[4];
	r->changed(r->cable);
}

/* A received packet is checked like a packet from a real wire. */
static void got_packet(struct remote *r, u8 hops, const u8 *data, size_t len)
{
	struct ibport *p = r->cable->end[0];
	struct packet *pkt;

	if (!r->cable->up || len < LRH_LEN + BTH_LEN + ICRC_LEN + VCRC_LEN ||
	    len > PACKET_ROOM + VCRC_LEN)
		return;
	len -= VCRC_LEN;
	if (vcrc_compute(data, len) != get16(data + len) ||
	    (size_t)(get16(data + 4) & 0x7ff) * 4 != len) {
		ibport_count(p, CNT_RCV_ERR, 1);
		return;
	}
	pkt = packet_alloc();
	pkt->len = len;
	pkt->hops = hops;
	memcpy(pkt->data, data, len);
	if (p->node->type == NODE_CA)
		pcap_packet(pkt);
	arrivals_add(p, pkt);
}

static void receive(struct remote *r)
{
	u8 buf[PACKET_AT + PACKET_ROOM + VCRC_LEN];
	unsigned int n;
	ssize_t len;

	for (n = 0; n < RX_BATCH && r->conn.fd >= 0; n++) {
		len = recv(r->conn.fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (len <= 0)
			hang_up(r);
		else if (buf[0] == 'S' && len == MSG_STATE_LEN)
			got_state(r, buf);
		else if (buf[0] == 'P' && len > PACKET_AT)
			got_packet(r, buf[1], buf + PACKET_AT, len - PACKET_AT);
	}
}

static void conn_ready(struct hca_fd *f, u32 events)
{
	struct remote *r = container_of(f, struct remote, conn);

	if (events & EPOLLOUT)
		send_backlog(r);
	if (events & ~EPOLLOUT)
		receive(r);
}

/* --- finding each other --- */

static void take(struct remote *r, int fd)
{
	hang_up(r); /* a new connection replaces a dead one */
	timer_cancel(&r->retry);
	r->conn.fd = fd;
	r->conn.fn = conn_ready;
	if (loop_add(&r->conn, EPOLLIN)) {
		close(fd);
		r->conn.fd = -1;
		return;
	}
	remote_tell(r);
}

static void accept_ready(struct hca_fd *f, u32 events)
{
	struct remote *r = container_of(f, struct remote, listener);
	int fd = accept4(f->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0)
		take(r, fd);
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A socket file without a listener was left by a process that has died. */
static bool try_connect(struct remote *r)
{
	int fd = new_socket();

	if (fd < 0)
		return false;
	if (connect(fd, (struct sockaddr *)&r->addr, sizeof(r->addr))) {
		if (errno == ECONNREFUSED)
			unlink(r->addr.sun_path); /* there is no listener */
		close(fd);
		return false;
	}
	take(r, fd);
	return true;
}

static bool try_listen(struct remote *r)
{
	int fd = new_socket();

	if (fd < 0)
		return false;
	if (bind(fd, (struct sockaddr *)&r->addr, sizeof(r->addr)) || listen(fd, 1)) {
		close(fd);
		return false;
	}
	r->listener.fd = fd;
	r->listener.fn = accept_ready;
	return !loop_add(&r->listener, EPOLLIN);
}

/* If both processes start at the same moment, both can fail. They then try again later. */
static void find_other(struct remote *r)
{
	if (!try_connect(r) && !try_listen(r))
		timer_arm(&r->retry, RETRY_NS);
}

static void retry(struct hca_timer *t)
{
	find_other(container_of(t, struct remote, retry));
}

struct remote *remote_new(struct cable *c, const char *path, void (*changed)(struct cable *c))
{
	struct remote *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cable = c;
	r->changed = changed;
	r->addr.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(r->addr.sun_path)) {
		fprintf(stderr, "tavor-hca: option cable: path too long: %s\n", path);
		free(r);
		return NULL;
	}
	strcpy(r->addr.sun_path, path);
	r->listener.fd = -1;
	r->conn.fd = -1;
	timer_setup(&r->retry, retry);
	timer_arm(&r->retry, 0);
	return r;
}

void remote_delete(struct remote *r)
{
	if (!r)
		return;
	timer_cancel(&r->retry);
	drop_backlog(r);
	if (r->conn.fd >= 0) {
		loop_remove(&r->conn);
		close(r->conn.fd);
	}
	if (r->listener.fd >= 0) {
		loop_remove(&r->listener);
		close(r->listener.fd);
		unlink(r->addr.sun_path);
	}
	free(r);
}
