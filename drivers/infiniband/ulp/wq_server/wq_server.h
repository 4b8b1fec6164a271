/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A server of RC connections on ib_core, written like existing ULPs: isert and nvmet-rdma have a
 * work item for each connect and each release, CQs that are polled from a work queue, and a mutex.
 * Its twin ib_softirq_server never sleeps.
 */
#ifndef WQ_SERVER_H
#define WQ_SERVER_H

#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <rdma/ib_verbs.h>
#include <rdma/conn_server.h>
#include "../conn_table.h"

#define WQ_CONNS	512	/* connections at a time */
#define WQ_REGION	4096	/* bytes that each peer may read and write */
#define WQ_UD_DEPTH	512

enum wq_counter {
	WQ_CONNECTED,
	WQ_DISCONNECTED,
	WQ_REFUSED,
	WQ_MALFORMED,
	WQ_REPEATED,
	WQ_STALE,
	WQ_TIMEOUTS,
	WQ_DEAD,
	WQ_FAILED,
	WQ_UNSENT,
	WQ_RESUMED,
	WQ_NR_COUNTERS
};

struct wq_recv {
	struct ib_cqe cqe;
	struct ib_grh *grh;	/* the message follows it */
	u64 dma;
};

struct wq_conn;

struct wq_server {
	struct ib_device *dev;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct wq_recv *recvs;
	void *recv_memory;
	void *excess;		/* what is too long in datagrams */
	u64 excess_dma;
	void *region;
	u64 region_dma;
	struct dentry *dir;
	struct workqueue_struct *wq;
	struct delayed_work sweep;
	struct work_struct resume;	/* the send queue, after an error */
	wait_queue_head_t idle;	/* woken when there are no more sends */
	u32 port;
	enum ib_mtu mtu;

	struct mutex lock;	/* protects the members below, and the states of connections */
	bool ending;
	bool stopped;		/* a send has failed: the QP is in the state SQE */
	u32 sends;		/* posted, or about to be */
	u32 now;
	struct conn_table by_cookie;
	struct conn_table by_qp;	/* the peer's QP */
	DECLARE_BITMAP(places, WQ_CONNS);
	struct wq_conn *conns[WQ_CONNS];
	u64 counters[WQ_NR_COUNTERS];
};

/* The sender of a request, and the address for answers */
struct wq_peer {
	struct rdma_ah_attr ah_attr;
	u32 ud_qpn;
	u16 lid;
	u8 gid[16];		/* 0 without a GRH */
};

void wq_send_answer(struct wq_server *server, const struct wq_peer *peer,
		    const struct conn_msg *answer);
void wq_send_refuse(struct wq_server *server, const struct wq_peer *peer, u64 cookie, u8 status);
void wq_send_resume(struct work_struct *work);
void wq_send_wait(struct wq_server *server);

void wq_conn_connect(struct wq_server *server, struct wq_peer *peer, const struct conn_msg *msg);
void wq_conn_disconnect(struct wq_server *server, struct wq_peer *peer, const struct conn_msg *msg);
void wq_conn_sweep(struct work_struct *work);
void wq_conn_end_all(struct wq_server *server);

int wq_ud_make(struct wq_server *server);
int wq_ud_start(struct wq_server *server);
void wq_ud_stop(struct wq_server *server);

extern unsigned int wq_probe_ms;
extern unsigned int wq_connect_ms;

#endif /* WQ_SERVER_H */
