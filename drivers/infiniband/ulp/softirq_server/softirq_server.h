/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A server of RC connections that lives in softirq: what its twin ib_wq_server has work items and a
 * mutex for is asked for where the news come. Documentation/vrb-servers.rst has both side by side.
 *
 * One spinlock guards everything of a server, held for one message, one connection or one
 * completion at a time. Its objects are touched with that held only, and not
 * any more once their destroy has been submitted under it: for those of the server that is since
 * &soft_server.ending, for a connection's since it is %SOFT_ENDING. So it does not matter who is
 * still on his way to a callback by then.
 */
#ifndef SOFTIRQ_SERVER_H
#define SOFTIRQ_SERVER_H

#include <linux/bitmap.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <rdma/conn_server.h>
#include <rdma/vrb_verbs.h>
#include "../conn_table.h"

#define SOFT_CONNS	512	/* at a time */
#define SOFT_REGION	4096	/* bytes that each may read and write: a page of the HCA's */
#define SOFT_UD_DEPTH	512	/* requests not handled yet, and answers under way */
#define SOFT_BATCH	16	/* completions that are handled before others have their turn */

/* Where allocation fails in softirq the peer is told, not the log. */
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
	SOFT_NR_COUNTERS
};

/* A datagram as it is received. */
struct soft_datagram {
	struct ib_grh grh;
	struct conn_msg msg;
};

/* What the HCA reads and writes for the UD QP. */
struct soft_ud_memory {
	struct soft_datagram recvs[SOFT_UD_DEPTH];
	struct conn_msg sends[SOFT_UD_DEPTH];
};

/* Sends are those with an address handle: until they have completed, or the QP has gone. */
struct soft_ud {
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct vrb_await_cq await;
	struct soft_ud_memory *memory;
	dma_addr_t dma;
	struct ib_ah *ahs[SOFT_UD_DEPTH];
	DECLARE_BITMAP(sending, SOFT_UD_DEPTH);
};

struct soft_conn;

struct soft_server {
	struct ib_device *dev;
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_mr *mr;	/* of all regions, the first at address 0 */
	void *regions[SOFT_CONNS];
	dma_addr_t region_dma[SOFT_CONNS];
	struct dentry *dir;
	u32 port;
	enum ib_mtu mtu;

	spinlock_t lock;	/* what follows, and all connections */
	bool ending;
	u32 now;
	u32 next_sweep;		/* the place where the sweep goes on */
	struct timer_list sweep;
	struct soft_ud ud;
	struct conn_table by_cookie;
	struct conn_table by_qp;	/* the peer's */
	DECLARE_BITMAP(places, SOFT_CONNS);
	struct soft_conn *conns[SOFT_CONNS];
	u64 counters[SOFT_NR_COUNTERS];
};

/* Who asks, and where answers go. */
struct soft_peer {
	struct rdma_ah_attr ah_attr;
	u32 ud_qpn;
	u16 lid;
	u8 gid[16];		/* 0 without a GRH */
};

void soft_answer(struct soft_server *server, const struct soft_peer *peer,
		 const struct conn_msg *msg);
void soft_refuse(struct soft_server *server, const struct soft_peer *peer, u64 cookie, u8 status);
void soft_answer_sent(struct soft_server *server, u32 n);
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
