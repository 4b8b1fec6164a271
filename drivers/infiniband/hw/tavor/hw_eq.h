/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Event queues: context, entries, event types, doorbell. All multi-byte fields are big-endian.
 */
#ifndef TAVOR_HW_EQ_H
#define TAVOR_HW_EQ_H

#include <linux/bits.h>
#include <linux/types.h>

#include "hw.h"

/* EQ context */
struct tavor_eq_context {
	__be32 flags;
	__be32 start_hi;
	__be32 start_lo;
	__be32 size_uar;		/* [28:24] log2 entries, [23:0] UAR page */
	__be32 pd;
	__be32 intr;			/* INTx: pin; MSI-X: 0x80 + vector */
	__be32 lost;
	__be32 lkey;
	__be32 reserved1[2];
	__be32 cons_index;
	__be32 prod_index;
	__be32 reserved2[4];
};

TAVOR_HW_SIZE(tavor_eq_context, 0x40);
TAVOR_HW_FIELD(tavor_eq_context, flags, 0x0);
TAVOR_HW_FIELD(tavor_eq_context, start_hi, 0x4);
TAVOR_HW_FIELD(tavor_eq_context, start_lo, 0x8);
TAVOR_HW_FIELD(tavor_eq_context, size_uar, 0xc);
TAVOR_HW_FIELD(tavor_eq_context, pd, 0x10);
TAVOR_HW_FIELD(tavor_eq_context, intr, 0x14);
TAVOR_HW_FIELD(tavor_eq_context, lost, 0x18);
TAVOR_HW_FIELD(tavor_eq_context, lkey, 0x1c);
TAVOR_HW_FIELD(tavor_eq_context, cons_index, 0x28);
TAVOR_HW_FIELD(tavor_eq_context, prod_index, 0x2c);

#define TAVOR_EQC_OWNER_HW	BIT(24)
#define TAVOR_EQC_TRANSLATE	BIT(18)
#define TAVOR_EQC_ARMED		BIT(8)
#define TAVOR_EQC_FIRED		BIT(9)
#define TAVOR_EQC_INTR_MSIX	0x80

/* Event queue entry; event[] depends on the type */
struct tavor_eqe {
	u8 reserved1;
	u8 type;
	u8 reserved2;
	u8 subtype;
	union {
		__be32 raw[6];
		struct {
			__be32 cqn;
		} comp;
		struct {
			__be16 reserved1;
			__be16 token;
			__be32 reserved2;
			u8 reserved3[3];
			u8 status;
			__be32 out_hi;
			__be32 out_lo;
		} cmd;
		struct {
			__be32 qpn;
			__be32 reserved1;
			__be32 flags;
		} qp;
		struct {
			__be32 srqn;
		} srq;
		struct {
			__be32 cqn;
			__be32 reserved1;
			u8 reserved2[3];
			u8 syndrome;		/* TAVOR_CQ_OVERRUN or an access violation */
		} cq_err;
		struct {
			__be32 reserved1[2];
			__be32 port;		/* [29:28] */
		} port;
		struct {
			__be32 reserved1[2];
			u8 reserved2[3];
			u8 syndrome;		/* enum tavor_catas_syndrome */
			__be32 data;
		} catas;
		struct {
			__be32 reserved1[4];
			__be32 cause;		/* TAVOR_ECC_* */
			__be16 column;
			__be16 row;
		} ecc;
	} event;
	u8 reserved3[3];
	u8 owner;
};

#define TAVOR_CQ_OVERRUN	1

/* Syndromes of a local catastrophic error. All others are internal errors of the hardware. */
enum tavor_catas_syndrome {
	TAVOR_CATAS_EQ_OVERFLOW		= 1,
	TAVOR_CATAS_UAR_PAGE		= 2,	/* a doorbell through a page that may not ring it */
};

#define TAVOR_ECC_OVERFLOW	BIT(31)		/* more errors than events */
#define TAVOR_ECC_BANK		GENMASK(13, 12)
#define TAVOR_ECC_DIMM		GENMASK(11, 10)

TAVOR_HW_SIZE(tavor_eqe, 0x20);
TAVOR_HW_FIELD(tavor_eqe, type, 0x1);
TAVOR_HW_FIELD(tavor_eqe, subtype, 0x3);
TAVOR_HW_FIELD(tavor_eqe, event, 0x4);
TAVOR_HW_FIELD(tavor_eqe, event.comp.cqn, 0x4);
TAVOR_HW_FIELD(tavor_eqe, event.cmd.token, 0x6);
TAVOR_HW_FIELD(tavor_eqe, event.cmd.status, 0xf);
TAVOR_HW_FIELD(tavor_eqe, event.cmd.out_hi, 0x10);
TAVOR_HW_FIELD(tavor_eqe, event.cmd.out_lo, 0x14);
TAVOR_HW_FIELD(tavor_eqe, event.qp.qpn, 0x4);
TAVOR_HW_FIELD(tavor_eqe, event.qp.flags, 0xc);
TAVOR_HW_FIELD(tavor_eqe, event.srq.srqn, 0x4);
TAVOR_HW_FIELD(tavor_eqe, event.cq_err.cqn, 0x4);
TAVOR_HW_FIELD(tavor_eqe, event.cq_err.syndrome, 0xf);
TAVOR_HW_FIELD(tavor_eqe, event.ecc.cause, 0x14);
TAVOR_HW_FIELD(tavor_eqe, event.ecc.column, 0x18);
TAVOR_HW_FIELD(tavor_eqe, event.ecc.row, 0x1a);
TAVOR_HW_FIELD(tavor_eqe, event.port.port, 0xc);
TAVOR_HW_FIELD(tavor_eqe, event.catas.syndrome, 0xf);
TAVOR_HW_FIELD(tavor_eqe, event.catas.data, 0x10);
TAVOR_HW_FIELD(tavor_eqe, owner, 0x1f);

#define TAVOR_EQE_OWNER_HW	0x80
#define TAVOR_EQE_QP_EEC	BIT(28)
#define TAVOR_EQ_SPARE_MAX	128	/* entries the consumer index may lag behind, at most */

enum tavor_event {
	TAVOR_EVENT_COMP		= 0x00,
	TAVOR_EVENT_PATH_MIG		= 0x01,
	TAVOR_EVENT_COMM_EST		= 0x02,
	TAVOR_EVENT_SQ_DRAINED		= 0x03,
	TAVOR_EVENT_CQ_ERROR		= 0x04,
	TAVOR_EVENT_WQ_CATAS		= 0x05,
	TAVOR_EVENT_EEC_CATAS		= 0x06,
	TAVOR_EVENT_PATH_MIG_FAILED	= 0x07,
	TAVOR_EVENT_LOCAL_CATAS		= 0x08,
	TAVOR_EVENT_PORT_CHANGE		= 0x09,
	TAVOR_EVENT_CMD			= 0x0a,
	TAVOR_EVENT_ECC_DETECT		= 0x0e,
	TAVOR_EVENT_EQ_OVERFLOW		= 0x0f,
	TAVOR_EVENT_WQ_INVAL_REQ	= 0x10,
	TAVOR_EVENT_WQ_ACCESS_ERR	= 0x11,
	TAVOR_EVENT_SRQ_CATAS		= 0x12,
	TAVOR_EVENT_SRQ_LAST_WQE	= 0x13,
	TAVOR_EVENT_SRQ_LIMIT		= 0x14,
};

/*
 * For MAP_EQ: all events that have no queue of their own. The overflow of an EQ must not be
 * reported to the EQ that has overflowed, unless that is the EQ for errors.
 */
#define TAVOR_ASYNC_EVENTS					\
	(BIT_ULL(TAVOR_EVENT_PATH_MIG) |			\
	 BIT_ULL(TAVOR_EVENT_COMM_EST) |			\
	 BIT_ULL(TAVOR_EVENT_SQ_DRAINED) |			\
	 BIT_ULL(TAVOR_EVENT_CQ_ERROR) |			\
	 BIT_ULL(TAVOR_EVENT_WQ_CATAS) |			\
	 BIT_ULL(TAVOR_EVENT_EEC_CATAS) |			\
	 BIT_ULL(TAVOR_EVENT_PATH_MIG_FAILED) |			\
	 BIT_ULL(TAVOR_EVENT_PORT_CHANGE) |			\
	 BIT_ULL(TAVOR_EVENT_ECC_DETECT) |			\
	 BIT_ULL(TAVOR_EVENT_WQ_INVAL_REQ) |			\
	 BIT_ULL(TAVOR_EVENT_WQ_ACCESS_ERR))
#define TAVOR_ERROR_EVENTS					\
	(BIT_ULL(TAVOR_EVENT_LOCAL_CATAS) |			\
	 BIT_ULL(TAVOR_EVENT_EQ_OVERFLOW))
#define TAVOR_CMD_EVENTS	BIT_ULL(TAVOR_EVENT_CMD)
#define TAVOR_SRQ_EVENTS					\
	(BIT_ULL(TAVOR_EVENT_SRQ_CATAS) |			\
	 BIT_ULL(TAVOR_EVENT_SRQ_LAST_WQE) |			\
	 BIT_ULL(TAVOR_EVENT_SRQ_LIMIT))

#define TAVOR_PORT_DOWN		1
#define TAVOR_PORT_ACTIVE	4

#define TAVOR_EQ_DB_ARM		(2U << 24)
#define TAVOR_EQ_DB_DISARM_CQ	(3U << 24)
#define TAVOR_EQ_DB_SET_CI	(4U << 24)

#endif /* TAVOR_HW_EQ_H */
