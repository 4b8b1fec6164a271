/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The intervals of the data path: IDs of markers. data_path.py reads the texts from here, and the
 * number of work requests or completions in an interval.
 */
#ifndef BENCH_DATA_H
#define BENCH_DATA_H

enum {
	SEND,	/* 1: post_send: send */
	RDMA_WRITE,	/* 1: post_send: RDMA write */
	SEND_4,	/* 1: post_send: send of 4 pieces */
	SEND_16,	/* 1: post_send: send of 16 pieces */
	SEND_CHAIN,	/* 16: post_send: each of a chain of 16 */
	RECV,	/* 1: post_recv */
	RECV_4,	/* 1: post_recv: 4 pieces */
	RECV_CHAIN,	/* 16: post_recv: each of a chain of 16 */
	POLL_SEND,	/* 1: poll_cq: one of a send */
	POLL_RECV,	/* 1: poll_cq: one of a receive */
	POLL_SENDS,	/* 16: poll_cq: each of 16 sends */
	POLL_RECVS,	/* 16: poll_cq: each of 16 receives */
	POLL_EMPTY,	/* 1: poll_cq: empty queue */
	NOTIFY,	/* 1: req_notify_cq */
	MESSAGE,	/* 1: message: notify, send, event, poll */
};

#endif
