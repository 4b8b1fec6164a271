/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Management: MAD_IFC and multicast group entries.
 */
#ifndef TAVOR_HW_MAD_H
#define TAVOR_HW_MAD_H

#include <linux/bits.h>
#include <linux/types.h>

#include "hw.h"

#define TAVOR_MAD_SIZE			0x100

/* PortInfo: where the data of the SMP has the prefix of the port's GIDs (IBA 14.2.5.6) */
#define TAVOR_PORT_INFO_GID_PREFIX	8

/* MAD_IFC, extended form: what the firmware needs to know about a MAD from the wire. */
struct tavor_mad_ifc {
	u8 mad[TAVOR_MAD_SIZE];
	__be32 local_qpn;
	__be32 reserved1;
	__be32 remote_qpn;
	u8 sl;				/* [7:4] */
	u8 grh_path_bits;		/* TAVOR_MAD_GRH, [6:0] DLID path bits */
	__be16 remote_lid;
	__be16 reserved2;
	__be16 pkey_index;
	__be32 reserved3[11];
	u8 grh[40];
	u8 reserved4[0x98];
};

TAVOR_HW_SIZE(tavor_mad_ifc, 0x200);
TAVOR_HW_FIELD(tavor_mad_ifc, mad, 0x0);
TAVOR_HW_FIELD(tavor_mad_ifc, local_qpn, 0x100);
TAVOR_HW_FIELD(tavor_mad_ifc, remote_qpn, 0x108);
TAVOR_HW_FIELD(tavor_mad_ifc, sl, 0x10c);
TAVOR_HW_FIELD(tavor_mad_ifc, grh_path_bits, 0x10d);
TAVOR_HW_FIELD(tavor_mad_ifc, remote_lid, 0x10e);
TAVOR_HW_FIELD(tavor_mad_ifc, pkey_index, 0x112);
TAVOR_HW_FIELD(tavor_mad_ifc, grh, 0x140);

#define TAVOR_MAD_SL			GENMASK(7, 4)
#define TAVOR_MAD_GRH			BIT(7)
#define TAVOR_MAD_PATH_BITS		GENMASK(6, 0)

/* MAD_IFC: opcode modifier besides TAVOR_MAD_IGNORE_*; input modifier */
#define TAVOR_MAD_EXTENDED		BIT(2)
#define TAVOR_MAD_SLID			GENMASK(31, 16)
#define TAVOR_MAD_PORT			GENMASK(15, 0)

#define TAVOR_MGM_SIZE			256
#define TAVOR_MGM_QPS			56

struct tavor_mgm {
	__be32 next;			/* [31:6] index of the next entry of the chain, 0: none */
	__be32 reserved[3];
	u8 gid[16];			/* all zero: the entry is empty */
	__be32 qp[TAVOR_MGM_QPS];	/* TAVOR_MGM_VALID | QPN; packed from 0 */
};

TAVOR_HW_SIZE(tavor_mgm, 0x100);
TAVOR_HW_FIELD(tavor_mgm, next, 0x0);
TAVOR_HW_FIELD(tavor_mgm, gid, 0x10);
TAVOR_HW_FIELD(tavor_mgm, qp, 0x20);

#define TAVOR_MGM_NEXT			GENMASK(31, 6)
#define TAVOR_MGM_VALID			BIT(31)
#define TAVOR_MGM_QPN			GENMASK(23, 0)

#endif /* TAVOR_HW_MAD_H */
