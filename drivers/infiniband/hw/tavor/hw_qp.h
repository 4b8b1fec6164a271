/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Queue pairs: context, path, mailbox of transitions. SRQ context.
 *
 * All fields are big-endian; reserved fields are written zero. A transition command takes from the
 * mailbox only what its opcode and the optional-parameter mask name.
 */
#ifndef TAVOR_HW_QP_H
#define TAVOR_HW_QP_H

#include <linux/bits.h>
#include <linux/types.h>

#include "hw.h"

#define TAVOR_QPN_MASK			GENMASK(23, 0)
#define TAVOR_RDB_SIZE			32	/* a responder resource */

/* Path, used twice in the QP context. */
struct tavor_qp_path {
	__be32 port_pkey;		/* TAVOR_PATH_PORT, TAVOR_PATH_PKEY_INDEX */
	u8 rnr_retry;			/* [7:5] */
	u8 grh_path_bits;		/* TAVOR_PATH_GRH, [6:0] source path bits */
	__be16 dlid;
	u8 ack_timeout;			/* [7:3] */
	u8 sgid_index;			/* within the port */
	u8 static_rate;			/* [2:0] */
	u8 hop_limit;
	__be32 sl_tclass_flow;
	u8 dgid[16];
};

TAVOR_HW_SIZE(tavor_qp_path, 0x20);
TAVOR_HW_FIELD(tavor_qp_path, port_pkey, 0x0);
TAVOR_HW_FIELD(tavor_qp_path, rnr_retry, 0x4);
TAVOR_HW_FIELD(tavor_qp_path, grh_path_bits, 0x5);
TAVOR_HW_FIELD(tavor_qp_path, dlid, 0x6);
TAVOR_HW_FIELD(tavor_qp_path, ack_timeout, 0x8);
TAVOR_HW_FIELD(tavor_qp_path, sgid_index, 0x9);
TAVOR_HW_FIELD(tavor_qp_path, static_rate, 0xa);
TAVOR_HW_FIELD(tavor_qp_path, hop_limit, 0xb);
TAVOR_HW_FIELD(tavor_qp_path, sl_tclass_flow, 0xc);
TAVOR_HW_FIELD(tavor_qp_path, dgid, 0x10);

#define TAVOR_PATH_PORT			GENMASK(25, 24)
#define TAVOR_PATH_PKEY_INDEX		GENMASK(6, 0)
#define TAVOR_PATH_RNR_RETRY		GENMASK(7, 5)
#define TAVOR_PATH_GRH			BIT(7)
#define TAVOR_PATH_BITS			GENMASK(6, 0)
#define TAVOR_PATH_ACK_TIMEOUT		GENMASK(7, 3)
#define TAVOR_PATH_STATIC_RATE		GENMASK(2, 0)
#define TAVOR_PATH_SL			GENMASK(31, 28)
#define TAVOR_PATH_TCLASS		GENMASK(27, 20)
#define TAVOR_PATH_FLOW_LABEL		GENMASK(19, 0)

struct tavor_qp_context {
	__be32 flags;			/* TAVOR_QPC_STATE .. TAVOR_QPC_DE */
	__be32 sched_queue;
	__be32 mtu_msgmax;
	__be32 uar_page;
	__be32 local_qpn;
	__be32 remote_qpn;
	__be32 reserved1[2];
	struct tavor_qp_path pri_path;
	struct tavor_qp_path alt_path;
	__be32 rdd;
	__be32 pd;
	__be32 wqe_base_h;		/* high half of WQE addresses; 0: the buffer begins at 0 */
	__be32 wqe_lkey;
	__be32 params1;			/* TAVOR_QPC_ACK_FREQ .. TAVOR_QPC_SSC: as requester */
	__be32 reserved2;
	__be32 next_send_psn;
	__be32 send_cqn;
	__be32 next_send_wqe[2];
	__be32 last_acked_psn;
	__be32 ssn;
	__be32 params2;			/* TAVOR_QPC_RRA_MAX .. TAVOR_QPC_RSC: as responder */
	__be32 rnr_next_recv_psn;
	__be32 rdb_base;
	__be32 recv_cqn;
	__be32 next_recv_wqe[2];
	__be32 qkey;
	__be32 srqn;
	__be32 rmsn;
	__be32 reserved3[19];
};

TAVOR_HW_SIZE(tavor_qp_context, 0x100);
TAVOR_HW_FIELD(tavor_qp_context, flags, 0x0);
TAVOR_HW_FIELD(tavor_qp_context, sched_queue, 0x4);
TAVOR_HW_FIELD(tavor_qp_context, mtu_msgmax, 0x8);
TAVOR_HW_FIELD(tavor_qp_context, uar_page, 0xc);
TAVOR_HW_FIELD(tavor_qp_context, local_qpn, 0x10);
TAVOR_HW_FIELD(tavor_qp_context, remote_qpn, 0x14);
TAVOR_HW_FIELD(tavor_qp_context, pri_path, 0x20);
TAVOR_HW_FIELD(tavor_qp_context, alt_path, 0x40);
TAVOR_HW_FIELD(tavor_qp_context, rdd, 0x60);
TAVOR_HW_FIELD(tavor_qp_context, pd, 0x64);
TAVOR_HW_FIELD(tavor_qp_context, wqe_base_h, 0x68);
TAVOR_HW_FIELD(tavor_qp_context, wqe_lkey, 0x6c);
TAVOR_HW_FIELD(tavor_qp_context, params1, 0x70);
TAVOR_HW_FIELD(tavor_qp_context, next_send_psn, 0x78);
TAVOR_HW_FIELD(tavor_qp_context, send_cqn, 0x7c);
TAVOR_HW_FIELD(tavor_qp_context, next_send_wqe, 0x80);
TAVOR_HW_FIELD(tavor_qp_context, last_acked_psn, 0x88);
TAVOR_HW_FIELD(tavor_qp_context, ssn, 0x8c);
TAVOR_HW_FIELD(tavor_qp_context, params2, 0x90);
TAVOR_HW_FIELD(tavor_qp_context, rnr_next_recv_psn, 0x94);
TAVOR_HW_FIELD(tavor_qp_context, rdb_base, 0x98);
TAVOR_HW_FIELD(tavor_qp_context, recv_cqn, 0x9c);
TAVOR_HW_FIELD(tavor_qp_context, next_recv_wqe, 0xa0);
TAVOR_HW_FIELD(tavor_qp_context, qkey, 0xa8);
TAVOR_HW_FIELD(tavor_qp_context, srqn, 0xac);
TAVOR_HW_FIELD(tavor_qp_context, rmsn, 0xb0);

#define TAVOR_QPC_STATE			GENMASK(31, 28)	/* output only */
#define TAVOR_QPC_SERVICE		GENMASK(18, 16)
#define TAVOR_QPC_PM_STATE		GENMASK(12, 11)
#define TAVOR_QPC_DE			BIT(8)
#define TAVOR_QPC_SCHED_QUEUE		GENMASK(3, 0)
#define TAVOR_QPC_MTU			GENMASK(31, 29)
#define TAVOR_QPC_MSG_MAX		GENMASK(28, 24)
#define TAVOR_QPC_ACK_FREQ		GENMASK(31, 28)
#define TAVOR_QPC_FLIGHT_LIMIT		GENMASK(27, 24)
#define TAVOR_QPC_SRA_MAX		GENMASK(23, 21)
#define TAVOR_QPC_RETRY_COUNT		GENMASK(18, 16)
#define TAVOR_QPC_SRE			BIT(15)
#define TAVOR_QPC_SWE			BIT(14)
#define TAVOR_QPC_SAE			BIT(13)
#define TAVOR_QPC_SSC			BIT(3)
#define TAVOR_QPC_RRA_MAX		GENMASK(23, 21)
#define TAVOR_QPC_RRE			BIT(15)
#define TAVOR_QPC_RWE			BIT(14)
#define TAVOR_QPC_RAE			BIT(13)
#define TAVOR_QPC_RIC			BIT(4)
#define TAVOR_QPC_RSC			BIT(3)
#define TAVOR_QPC_MIN_RNR		GENMASK(28, 24)
#define TAVOR_QPC_PSN			GENMASK(23, 0)
#define TAVOR_QPC_SRQ_ENABLE		BIT(24)

enum tavor_qp_hw_state {
	TAVOR_QP_HW_RESET	= 0,
	TAVOR_QP_HW_INIT	= 1,
	TAVOR_QP_HW_RTR		= 2,
	TAVOR_QP_HW_RTS		= 3,
	TAVOR_QP_HW_SQE		= 4,
	TAVOR_QP_HW_SQD		= 5,
	TAVOR_QP_HW_ERR		= 6,
	TAVOR_QP_HW_DRAINING	= 7,
};

enum tavor_qp_service {
	TAVOR_SERVICE_RC	= 0,
	TAVOR_SERVICE_UC	= 1,
	TAVOR_SERVICE_UD	= 3,
	TAVOR_SERVICE_MLX	= 7,
};

enum tavor_pm_state {
	TAVOR_PM_ARMED		= 0,
	TAVOR_PM_REARM		= 1,
	TAVOR_PM_MIGRATED	= 3,
};

/* Mailbox of every QP transition, of QUERY_QP and of the context dump of ERR2RST. */
struct tavor_qp_param {
	__be32 opt_param_mask;
	__be32 reserved;
	struct tavor_qp_context context;
};

TAVOR_HW_SIZE(tavor_qp_param, 0x108);
TAVOR_HW_FIELD(tavor_qp_param, opt_param_mask, 0x0);
TAVOR_HW_FIELD(tavor_qp_param, context, 0x8);

#define TAVOR_OPTPAR_ALT_PATH		BIT(0)
#define TAVOR_OPTPAR_RRE		BIT(1)
#define TAVOR_OPTPAR_RAE		BIT(2)
#define TAVOR_OPTPAR_RWE		BIT(3)
#define TAVOR_OPTPAR_PKEY_INDEX		BIT(4)
#define TAVOR_OPTPAR_QKEY		BIT(5)
#define TAVOR_OPTPAR_MIN_RNR		BIT(6)
#define TAVOR_OPTPAR_PRI_PATH		BIT(7)
#define TAVOR_OPTPAR_SRA_MAX		BIT(8)
#define TAVOR_OPTPAR_RRA_MAX		BIT(9)
#define TAVOR_OPTPAR_PM_STATE		BIT(10)
#define TAVOR_OPTPAR_PORT		BIT(11)
#define TAVOR_OPTPAR_RETRY_COUNT	BIT(12)
#define TAVOR_OPTPAR_ALT_RNR_RETRY	BIT(13)
#define TAVOR_OPTPAR_ACK_TIMEOUT	BIT(14)
#define TAVOR_OPTPAR_RNR_RETRY		BIT(15)
#define TAVOR_OPTPAR_SCHED_QUEUE	BIT(16)

struct tavor_srq_context {
	__be64 wqe_base_ds;		/* [63:6] base address, [5:0] WQE size in 16-byte units */
	__be32 state_pd;
	__be32 lkey;
	__be32 uar_page;
	__be16 limit;			/* 0: not armed */
	__be16 wqe_count;
	__be32 reserved[2];
};

TAVOR_HW_SIZE(tavor_srq_context, 0x20);
TAVOR_HW_FIELD(tavor_srq_context, wqe_base_ds, 0x0);
TAVOR_HW_FIELD(tavor_srq_context, state_pd, 0x8);
TAVOR_HW_FIELD(tavor_srq_context, lkey, 0xc);
TAVOR_HW_FIELD(tavor_srq_context, uar_page, 0x10);
TAVOR_HW_FIELD(tavor_srq_context, limit, 0x14);
TAVOR_HW_FIELD(tavor_srq_context, wqe_count, 0x16);

#define TAVOR_SRQC_STATE		GENMASK(31, 28)
#define TAVOR_SRQC_STATE_ERR		1

#endif /* TAVOR_HW_QP_H */
