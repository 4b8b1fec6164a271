/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Completion queues: context, entries, doorbell.
 */
#ifndef TAVOR_HW_CQ_H
#define TAVOR_HW_CQ_H

#include <linux/bits.h>
#include <linux/types.h>

#include "hw.h"

struct tavor_cq_context {
	__be32 flags;
	__be32 start[2];		/* address in the queue's region; not 8-byte aligned */
	__be32 log_size_uar;
	__be32 error_eqn;
	__be32 comp_eqn;
	__be32 pd;
	__be32 lkey;
	__be32 last_notified_index;
	__be32 solicited_index;
	__be32 consumer_index;
	__be32 producer_index;
	__be32 cqn;
	__be32 reserved[3];
};

TAVOR_HW_SIZE(tavor_cq_context, 0x40);
TAVOR_HW_FIELD(tavor_cq_context, flags, 0x0);
TAVOR_HW_FIELD(tavor_cq_context, start, 0x4);
TAVOR_HW_FIELD(tavor_cq_context, log_size_uar, 0xc);
TAVOR_HW_FIELD(tavor_cq_context, error_eqn, 0x10);
TAVOR_HW_FIELD(tavor_cq_context, comp_eqn, 0x14);
TAVOR_HW_FIELD(tavor_cq_context, pd, 0x18);
TAVOR_HW_FIELD(tavor_cq_context, lkey, 0x1c);
TAVOR_HW_FIELD(tavor_cq_context, last_notified_index, 0x20);
TAVOR_HW_FIELD(tavor_cq_context, solicited_index, 0x24);
TAVOR_HW_FIELD(tavor_cq_context, consumer_index, 0x28);
TAVOR_HW_FIELD(tavor_cq_context, producer_index, 0x2c);
TAVOR_HW_FIELD(tavor_cq_context, cqn, 0x30);

#define TAVOR_CQN_MASK			GENMASK(23, 0)

#define TAVOR_CQC_STATUS		GENMASK(31, 28)
#define TAVOR_CQC_XLAT			BIT(18)
#define TAVOR_CQC_STATE			GENMASK(11, 8)
#define TAVOR_CQC_LOG_SIZE		GENMASK(28, 24)
#define TAVOR_CQC_UAR			GENMASK(23, 0)

/* RESIZE_CQ has a mailbox of its own, laid out like the start of the context. */
struct tavor_resize_cq {
	__be32 reserved1;
	__be32 start[2];
	__be32 log_size;		/* TAVOR_CQC_LOG_SIZE */
	__be32 reserved2[3];
	__be32 lkey;
	__be32 reserved3[8];
};

TAVOR_HW_SIZE(tavor_resize_cq, 0x40);
TAVOR_HW_FIELD(tavor_resize_cq, start, 0x4);
TAVOR_HW_FIELD(tavor_resize_cq, log_size, 0xc);
TAVOR_HW_FIELD(tavor_resize_cq, lkey, 0x1c);

struct tavor_cqe {
	__be32 qpn;
	__be32 ee;
	__be32 remote_qpn;
	u8 sl;				/* [7:4] */
	u8 grh_path_bits;		/* TAVOR_CQE_GRH, [6:0] DLID path bits */
	__be16 remote_lid;
	__be32 imm_pkey_index;		/* immediate data; P_Key index [31:16] on QP1 */
	__be32 byte_count;
	__be32 wqe;			/* [31:6] address, [5:0] size in 16-byte units */
	u8 opcode;
	u8 is_send;			/* TAVOR_CQE_SEND */
	u8 reserved;
	u8 owner;
};

TAVOR_HW_SIZE(tavor_cqe, 0x20);
TAVOR_HW_FIELD(tavor_cqe, qpn, 0x0);
TAVOR_HW_FIELD(tavor_cqe, ee, 0x4);
TAVOR_HW_FIELD(tavor_cqe, remote_qpn, 0x8);
TAVOR_HW_FIELD(tavor_cqe, sl, 0xc);
TAVOR_HW_FIELD(tavor_cqe, grh_path_bits, 0xd);
TAVOR_HW_FIELD(tavor_cqe, remote_lid, 0xe);
TAVOR_HW_FIELD(tavor_cqe, imm_pkey_index, 0x10);
TAVOR_HW_FIELD(tavor_cqe, byte_count, 0x14);
TAVOR_HW_FIELD(tavor_cqe, wqe, 0x18);
TAVOR_HW_FIELD(tavor_cqe, opcode, 0x1c);
TAVOR_HW_FIELD(tavor_cqe, is_send, 0x1d);
TAVOR_HW_FIELD(tavor_cqe, owner, 0x1f);

/* The same entry when the work request failed. */
struct tavor_err_cqe {
	__be32 qpn;
	__be32 reserved1[3];
	u8 syndrome;
	u8 vendor_error;
	__be16 doorbell_count;
	__be32 reserved2;
	__be32 wqe;
	u8 opcode;
	u8 is_send;
	u8 reserved3;
	u8 owner;
};

TAVOR_HW_SIZE(tavor_err_cqe, 0x20);
TAVOR_HW_FIELD(tavor_err_cqe, qpn, 0x0);
TAVOR_HW_FIELD(tavor_err_cqe, syndrome, 0x10);
TAVOR_HW_FIELD(tavor_err_cqe, vendor_error, 0x11);
TAVOR_HW_FIELD(tavor_err_cqe, doorbell_count, 0x12);
TAVOR_HW_FIELD(tavor_err_cqe, wqe, 0x18);
TAVOR_HW_FIELD(tavor_err_cqe, opcode, 0x1c);
TAVOR_HW_FIELD(tavor_err_cqe, is_send, 0x1d);
TAVOR_HW_FIELD(tavor_err_cqe, owner, 0x1f);

#define TAVOR_CQE_SL			GENMASK(7, 4)
#define TAVOR_CQE_GRH			BIT(7)
#define TAVOR_CQE_PATH_BITS		GENMASK(6, 0)
#define TAVOR_CQE_PKEY_INDEX		GENMASK(31, 16)
#define TAVOR_CQE_WQE_ADDR		GENMASK(31, 6)
#define TAVOR_CQE_WQE_SIZE		GENMASK(5, 0)
#define TAVOR_CQE_SEND			BIT(7)
#define TAVOR_CQE_OWNER_HW		BIT(7)
#define TAVOR_CQE_OPCODE_PACKET		GENMASK(4, 0)
#define TAVOR_CQE_OPCODE_ERR_RECV	0xfe
#define TAVOR_CQE_OPCODE_ERR_SEND	0xff

/* Low five bits of a receive completion's opcode: those of the last packet's BTH. */
enum tavor_recv_opcode {
	TAVOR_RECV_SEND_LAST		= 0x02,
	TAVOR_RECV_SEND_LAST_IMM	= 0x03,
	TAVOR_RECV_SEND_ONLY		= 0x04,
	TAVOR_RECV_SEND_ONLY_IMM	= 0x05,
	TAVOR_RECV_WRITE_LAST_IMM	= 0x09,
	TAVOR_RECV_WRITE_ONLY_IMM	= 0x0b,
};

enum tavor_syndrome {
	TAVOR_SYNDROME_LOCAL_LENGTH	= 0x01,
	TAVOR_SYNDROME_LOCAL_QP_OP	= 0x02,
	TAVOR_SYNDROME_LOCAL_EEC_OP	= 0x03,
	TAVOR_SYNDROME_LOCAL_PROT	= 0x04,
	TAVOR_SYNDROME_FLUSHED		= 0x05,
	TAVOR_SYNDROME_MW_BIND		= 0x06,
	TAVOR_SYNDROME_BAD_RESPONSE	= 0x10,
	TAVOR_SYNDROME_LOCAL_ACCESS	= 0x11,
	TAVOR_SYNDROME_REMOTE_INVALID	= 0x12,
	TAVOR_SYNDROME_REMOTE_ACCESS	= 0x13,
	TAVOR_SYNDROME_REMOTE_OP	= 0x14,
	TAVOR_SYNDROME_RETRY		= 0x15,
	TAVOR_SYNDROME_RNR_RETRY	= 0x16,
	TAVOR_SYNDROME_LOCAL_RDD	= 0x20,
	TAVOR_SYNDROME_REMOTE_RD	= 0x21,
	TAVOR_SYNDROME_REMOTE_ABORT	= 0x22,
	TAVOR_SYNDROME_INVALID_EECN	= 0x23,
	TAVOR_SYNDROME_INVALID_EEC	= 0x24,
};

#define TAVOR_CQ_DB_CMD			GENMASK(31, 24)
#define TAVOR_CQ_DB_INC_CI		1	/* parameter: count - 1 */
#define TAVOR_CQ_DB_NOTIFY		2
#define TAVOR_CQ_DB_NOTIFY_SOLICITED	3
#define TAVOR_CQ_DB_OWN_CI		0xffffffff	/* arm against the HCA's own CI */

#endif /* TAVOR_HW_CQ_H */
