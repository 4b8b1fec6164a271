/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A server of RC connections that runs in softirq. Its twin ib_wq_server has work items and a
 * mutex; this server submits its requests where an event is handled. Documentation/vrb-servers.rst
 * compares the two.
 *
 * One spinlock protects all data of a server. It is held for one message, one connection or one
 * completion at a time. An object must only be accessed with the lock held, and must not be
 * accessed after its destroy has been submitted. The destroys of the server's own objects follow
 * &soft_server.ending, and those of a connection's objects follow %SOFT_ENDING; both are set with
 * the lock held. So a callback that is still about to run does no harm.
 */
#ifndef SOFTIRQ_SERVER_H
#define SOFTIRQ_SERVER_H

#include <linux/bitmap.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <rdma/conn_server.h>
#include <rdma/vrb_verbs.h>
#include "../conn_table.h"

#define SOFT_CONNS	512	/* connections at a time */
#define SOFT_REGION	4096	/* bytes that each peer may read and write: one page of the HCA */
#define SOFT_UD_DEPTH	512	/* receives posted; sends outstanding */
#define SOFT_BATCH	16	/* completions handled before other softirq work may run */

/* A failed allocation in softirq is reported to the peer and not to the log. */
#define SOFT_GFP	(GFP_ATOMIC | __GFP_NOWARN)

enum soft_counter {
	SOFT_CONNECTED,
	SOFT_DISCONNECTED,
	SOFT_REFUSED,
	SOFT_MALFORMED,
	SOFT_REPEATED,
	SOFT_STALE,
	SOFT_TIMEOUTS,
	SOFT_DEAD,
	SOFT_FAILED,
	SOFT_UNSENT,
	SOFT_RESUMED,
	SOFT_NR_COUNTERS
};

/* A received datagram */
struct soft_datagram {
	struct ib_grh grh;
	struct conn_msg msg;
};

#define SOFT_EXCESS	(4096 - sizeof(struct conn_msg))	/* of the largest MTU */

/*
 * The memory that the HCA reads and writes for the UD QP. A datagram that is longer than a receive
 * would move the QP to the error state. So all receives end in @excess, and nobody reads that.
 */
struct soft_ud_memory {
	struct soft_datagram recvs[SOFT_UD_DEPTH];
	struct conn_msg sends[SOFT_UD_DEPTH];
	u8 excess[SOFT_EXCESS];
};

/*
 * A bit in @sending is set while its send is outstanding and has an address handle: until it has
 * completed, or the QP is gone.
 *
 * @stopped: a send has failed, so that the QP is in the state SQE. It receives, but all sends fail
 * until @resume has moved it back to RTS.
 */
struct soft_ud {
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct vrb_await_cq await;
	struct soft_ud_memory *memory;
	dma_addr_t dma;
	struct ib_ah *ahs[SOFT_UD_DEPTH];
	DECLARE_BITMAP(sending, SOFT_UD_DEPTH);
	bool stopped;
	struct vrb_modify_qp resume;
};

struct soft_conn;

struct soft_server {
	struct ib_device *dev;
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_mr *mr;	/* covers all regions; the first is at address 0 */
	void *regions[SOFT_CONNS];
	dma_addr_t region_dma[SOFT_CONNS];
	struct dentry *dir;
	u32 port;
	enum ib_mtu mtu;

	spinlock_t lock;	/* protects the members below, and all connections */
	bool ending;
	u32 now;
	u32 next_sweep;		/* the place where the sweep continues */
	struct timer_list sweep;
	struct soft_ud ud;
	struct conn_table by_cookie;
	struct conn_table by_qp;	/* the peer's QP */
	DECLARE_BITMAP(places, SOFT_CONNS);
	struct soft_conn *conns[SOFT_CONNS];
	u64 counters[SOFT_NR_COUNTERS];
};

/* The sender of a request, and the address for answers */
struct soft_peer {
	struct rdma_ah_attr ah_attr;
	u32 ud_qpn;
	u16 lid;
	u8 gid[16];		/* 0 without a GRH */
};

void soft_answer(struct soft_server *server, const struct soft_peer *peer,
		 const struct conn_msg *msg);
void soft_refuse(struct soft_server *server, const struct soft_peer *peer, u64 cookie, u8 status);
void soft_answer_sent(struct soft_server *server, u32 n, enum ib_wc_status status);
void soft_answers_init(struct soft_server *server);
void soft_answers_free(struct soft_server *server);

u8 soft_conn_connect(struct soft_server *server, const struct soft_peer *peer,
		     const struct conn_msg *msg);
void soft_conn_disconnect(struct soft_server *server, const struct soft_peer *peer, u64 cookie);
void soft_conn_sweep(struct timer_list *timer);
void soft_conn_end_all(struct soft_server *server);

int soft_ud_start(struct soft_server *server);
void soft_ud_end(struct soft_server *server);
void soft_ud_free(struct soft_server *server);

extern unsigned int soft_probe_ms;
extern unsigned int soft_connect_ms;

#endif /* SOFTIRQ_SERVER_H */
