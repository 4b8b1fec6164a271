/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The intervals of verbs that execute commands, for the kernel module and the program: IDs of
 * markers, from CASES_BASE on. end_to_end.py reads the texts from here.
 */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

enum {
	BEFORE_CASES = CASES_BASE - 1,
	OPEN, /* open_device */
	CLOSE, /* close_device */
	ALLOC_PD, /* alloc_pd */
	DEALLOC_PD, /* dealloc_pd */
	ALLOC_PD_KEY, /* alloc_pd, key to all memory */
	DEALLOC_PD_KEY, /* dealloc_pd, key to all memory */
	CREATE_AH, /* create_ah */
	DESTROY_AH, /* destroy_ah */
	CREATE_CQ, /* create_cq */
	RESIZE_CQ, /* resize_cq */
	DESTROY_CQ, /* destroy_cq */
	CREATE_SRQ, /* create_srq */
	MODIFY_SRQ, /* modify_srq: limit */
	QUERY_SRQ, /* query_srq */
	DESTROY_SRQ, /* destroy_srq */
	CREATE_QP, /* create_qp */
	TO_INIT, /* modify_qp: RESET to INIT */
	TO_RTR, /* modify_qp: INIT to RTR */
	TO_RTS, /* modify_qp: RTR to RTS */
	QUERY_QP, /* query_qp */
	TO_SQD, /* modify_qp: RTS to SQD */
	FROM_SQD, /* modify_qp: SQD to RTS */
	TO_ERR, /* modify_qp: RTS to ERR */
	TO_RESET, /* modify_qp: ERR to RESET */
	DESTROY_QP, /* destroy_qp */
	ATTACH, /* attach_mcast */
	DETACH, /* detach_mcast */
	REG_MR, /* reg_mr: 4 KiB */
	DEREG_MR, /* dereg_mr: 4 KiB */
	QUERY_PORT, /* query_port */
	QUERY_PKEY, /* query_pkey */
	MODIFY_PORT, /* modify_port */
};

#endif
