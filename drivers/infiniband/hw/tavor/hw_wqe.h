/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Work queue elements, address vectors, send and receive doorbells.
 *
 * The first half of a WQE's first segment describes the *next* WQE: a WQE's own opcode, size and
 * fence are in the previous one's link or in the doorbell that announces it.
 */
#ifndef TAVOR_HW_WQE_H
#define TAVOR_HW_WQE_H

#include <linux/bits.h>
#include <linux/types.h>

#include "hw.h"

#define TAVOR_WQE_UNIT			16	/* WQE sizes are counted in segments */
#define TAVOR_MIN_WQE_SHIFT		6
#define TAVOR_MAX_WQE_SIZE		(63 * TAVOR_WQE_UNIT)

struct tavor_next_seg {
	__be32 nda_op;			/* TAVOR_NEXT_ADDR, TAVOR_NEXT_OPCODE */
	__be32 ee_nds;			/* TAVOR_NEXT_DBD .. TAVOR_NEXT_SIZE */
	__be32 flags;			/* TAVOR_CTRL_* */
	__be32 imm;			/* sends only; the hardware never writes it */
};

TAVOR_HW_SIZE(tavor_next_seg, 0x10);
TAVOR_HW_FIELD(tavor_next_seg, nda_op, 0x0);
TAVOR_HW_FIELD(tavor_next_seg, ee_nds, 0x4);
TAVOR_HW_FIELD(tavor_next_seg, flags, 0x8);
TAVOR_HW_FIELD(tavor_next_seg, imm, 0xc);

#define TAVOR_NEXT_ADDR			GENMASK(31, 6)
#define TAVOR_NEXT_OPCODE		GENMASK(4, 0)
#define TAVOR_NEXT_RECV			BIT(0)	/* erratum: never 0 in a receive WQE */
#define TAVOR_NEXT_DBD			BIT(7)	/* the next WQE has a doorbell of its own */
#define TAVOR_NEXT_FENCE		BIT(6)
#define TAVOR_NEXT_SIZE			GENMASK(5, 0)	/* 0: no next WQE */
#define TAVOR_CTRL_COMPLETION		BIT(3)
#define TAVOR_CTRL_SOLICITED		BIT(1)
#define TAVOR_CTRL_ALWAYS		BIT(0)

/* QP0 and QP1: software builds the packet's headers itself. */
struct tavor_mlx_seg {
	__be32 nda_op;
	__be32 ee_nds;
	__be32 flags;			/* TAVOR_MLX_* and TAVOR_CTRL_COMPLETION */
	__be16 dlid;
	__be16 vcrc;			/* 0: generated */
};

TAVOR_HW_SIZE(tavor_mlx_seg, 0x10);
TAVOR_HW_FIELD(tavor_mlx_seg, nda_op, 0x0);
TAVOR_HW_FIELD(tavor_mlx_seg, ee_nds, 0x4);
TAVOR_HW_FIELD(tavor_mlx_seg, flags, 0x8);
TAVOR_HW_FIELD(tavor_mlx_seg, dlid, 0xc);
TAVOR_HW_FIELD(tavor_mlx_seg, vcrc, 0xe);

#define TAVOR_MLX_VL15			BIT(17)
#define TAVOR_MLX_SLR			BIT(16)	/* the SLID of the header is final */
#define TAVOR_MLX_STATIC_RATE		GENMASK(14, 12)
#define TAVOR_MLX_SL			GENMASK(11, 8)

struct tavor_data_seg {
	__be32 byte_count;		/* 1 .. 2^31 - 1 */
	__be32 lkey;
	__be64 addr;
};

TAVOR_HW_SIZE(tavor_data_seg, 0x10);
TAVOR_HW_FIELD(tavor_data_seg, byte_count, 0x0);
TAVOR_HW_FIELD(tavor_data_seg, lkey, 0x4);
TAVOR_HW_FIELD(tavor_data_seg, addr, 0x8);

struct tavor_ud_seg {
	__be32 reserved1;
	__be32 av_lkey;
	__be64 av_addr;			/* 32-byte aligned */
	__be32 reserved2[4];
	__be32 dqpn;
	__be32 qkey;
	__be32 reserved3[2];
};

TAVOR_HW_SIZE(tavor_ud_seg, 0x30);
TAVOR_HW_FIELD(tavor_ud_seg, av_lkey, 0x4);
TAVOR_HW_FIELD(tavor_ud_seg, av_addr, 0x8);
TAVOR_HW_FIELD(tavor_ud_seg, dqpn, 0x20);
TAVOR_HW_FIELD(tavor_ud_seg, qkey, 0x24);

struct tavor_raddr_seg {
	__be64 raddr;
	__be32 rkey;
	__be32 reserved;
};

TAVOR_HW_SIZE(tavor_raddr_seg, 0x10);
TAVOR_HW_FIELD(tavor_raddr_seg, raddr, 0x0);
TAVOR_HW_FIELD(tavor_raddr_seg, rkey, 0x8);

struct tavor_atomic_seg {
	__be64 swap_add;
	__be64 compare;
};

TAVOR_HW_SIZE(tavor_atomic_seg, 0x10);
TAVOR_HW_FIELD(tavor_atomic_seg, swap_add, 0x0);
TAVOR_HW_FIELD(tavor_atomic_seg, compare, 0x8);

/* Only the size is used: a user's send stride leaves room for it. */
#define TAVOR_BIND_SEG_SIZE		0x20

struct tavor_inline_seg {
	__be32 byte_count;		/* TAVOR_INLINE | bytes */
	u8 data[];
};

TAVOR_HW_SIZE(tavor_inline_seg, 0x4);
TAVOR_HW_FIELD(tavor_inline_seg, byte_count, 0x0);
TAVOR_HW_FIELD(tavor_inline_seg, data, 0x4);

#define TAVOR_INVALID_LKEY		1	/* ends a scatter list; index of a reserved MPT */

#define TAVOR_INLINE			BIT(31)
#define TAVOR_INLINE_MAX		GENMASK(9, 0)

enum tavor_send_opcode {
	TAVOR_OP_NOP			= 0x00,
	TAVOR_OP_RDMA_WRITE		= 0x08,
	TAVOR_OP_RDMA_WRITE_IMM		= 0x09,
	TAVOR_OP_SEND			= 0x0a,
	TAVOR_OP_SEND_IMM		= 0x0b,
	TAVOR_OP_RDMA_READ		= 0x10,
	TAVOR_OP_ATOMIC_CS		= 0x11,
	TAVOR_OP_ATOMIC_FA		= 0x12,
	TAVOR_OP_BIND			= 0x18,
};

/* UD address vector */
#define TAVOR_AV_SIZE			32

struct tavor_av {
	__be32 port_pd;
	u8 reserved;
	u8 grh_path_bits;
	__be16 dlid;
	u8 reserved2;
	u8 sgid_index;			/* (port - 1) * GID table length + index */
	u8 msg_rate;			/* TAVOR_AV_MSG, TAVOR_AV_RATE */
	u8 hop_limit;
	__be32 sl_tclass_flow;		/* as TAVOR_PATH_SL and so on */
	__be32 dgid[4];
};

TAVOR_HW_SIZE(tavor_av, 0x20);
TAVOR_HW_FIELD(tavor_av, port_pd, 0x0);
TAVOR_HW_FIELD(tavor_av, grh_path_bits, 0x5);
TAVOR_HW_FIELD(tavor_av, dlid, 0x6);
TAVOR_HW_FIELD(tavor_av, sgid_index, 0x9);
TAVOR_HW_FIELD(tavor_av, msg_rate, 0xa);
TAVOR_HW_FIELD(tavor_av, hop_limit, 0xb);
TAVOR_HW_FIELD(tavor_av, sl_tclass_flow, 0xc);
TAVOR_HW_FIELD(tavor_av, dgid, 0x10);

#define TAVOR_AV_PORT			GENMASK(25, 24)
#define TAVOR_AV_PD			GENMASK(23, 0)
#define TAVOR_AV_GRH			BIT(7)
#define TAVOR_AV_MSG			GENMASK(5, 4)	/* 256 << n bytes */
#define TAVOR_AV_RATE			GENMASK(2, 0)
#define TAVOR_AV_NO_GRH_DGID		2		/* last word without GRH: erratum */

/* Send doorbell */
#define TAVOR_SEND_DB_FENCE		BIT(5)
/* Receive doorbell: WQEs it announces; the field holds 0 for 256 */
#define TAVOR_RECV_DB_MAX		256

#endif /* TAVOR_HW_WQE_H */
