/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Commands: opcodes, statuses, and the mailboxes of system commands. All multi-byte fields are
 * big-endian. The mailboxes of other commands are in the hw_*.h of their objects.
 */
#ifndef TAVOR_HW_CMD_H
#define TAVOR_HW_CMD_H

#include <linux/bits.h>
#include <linux/types.h>

#include "hw.h"

enum tavor_opcode {
	TAVOR_CMD_SYS_EN		= 0x01,
	TAVOR_CMD_SYS_DIS		= 0x02,
	TAVOR_CMD_QUERY_DEV_LIM		= 0x03,
	TAVOR_CMD_QUERY_FW		= 0x04,
	TAVOR_CMD_QUERY_DDR		= 0x05,
	TAVOR_CMD_QUERY_ADAPTER		= 0x06,
	TAVOR_CMD_INIT_HCA		= 0x07,
	TAVOR_CMD_CLOSE_HCA		= 0x08,
	TAVOR_CMD_INIT_IB		= 0x09,
	TAVOR_CMD_CLOSE_IB		= 0x0a,
	TAVOR_CMD_SET_IB		= 0x0c,
	TAVOR_CMD_SW2HW_MPT		= 0x0d,
	TAVOR_CMD_HW2SW_MPT		= 0x0f,
	TAVOR_CMD_WRITE_MTT		= 0x11,
	TAVOR_CMD_MAP_EQ		= 0x12,
	TAVOR_CMD_SW2HW_EQ		= 0x13,
	TAVOR_CMD_HW2SW_EQ		= 0x14,
	TAVOR_CMD_SW2HW_CQ		= 0x16,
	TAVOR_CMD_HW2SW_CQ		= 0x17,
	TAVOR_CMD_QUERY_CQ		= 0x18,
	TAVOR_CMD_RST2INIT_QPEE		= 0x19,
	TAVOR_CMD_INIT2RTR_QPEE		= 0x1a,
	TAVOR_CMD_RTR2RTS_QPEE		= 0x1b,
	TAVOR_CMD_RTS2RTS_QPEE		= 0x1c,
	TAVOR_CMD_SQERR2RTS_QPEE	= 0x1d,
	TAVOR_CMD_2ERR_QPEE		= 0x1e,
	TAVOR_CMD_RTS2SQD_QPEE		= 0x1f,
	TAVOR_CMD_SQD2RTS_QPEE		= 0x20,
	TAVOR_CMD_ERR2RST_QPEE		= 0x21,
	TAVOR_CMD_QUERY_QPEE		= 0x22,
	TAVOR_CMD_CONF_SPECIAL_QP	= 0x23,
	TAVOR_CMD_MAD_IFC		= 0x24,
	TAVOR_CMD_READ_MGM		= 0x25,
	TAVOR_CMD_WRITE_MGM		= 0x26,
	TAVOR_CMD_MGID_HASH		= 0x27,
	TAVOR_CMD_RESIZE_CQ		= 0x2c,
	TAVOR_CMD_INIT2INIT_QPEE	= 0x2d,
	TAVOR_CMD_SYNC_TPT		= 0x2f,
	TAVOR_CMD_NOP			= 0x31,
	TAVOR_CMD_SW2HW_SRQ		= 0x35,
	TAVOR_CMD_HW2SW_SRQ		= 0x36,
	TAVOR_CMD_QUERY_SRQ		= 0x37,
	TAVOR_CMD_SQD2SQD_QPEE		= 0x38,
	TAVOR_CMD_ARM_SRQ		= 0x40,
};

enum tavor_status {
	TAVOR_ST_OK			= 0x00,
	TAVOR_ST_INTERNAL_ERR		= 0x01,
	TAVOR_ST_BAD_OP			= 0x02,
	TAVOR_ST_BAD_PARAM		= 0x03,
	TAVOR_ST_BAD_SYS_STATE		= 0x04,
	TAVOR_ST_BAD_RESOURCE		= 0x05,
	TAVOR_ST_RESOURCE_BUSY		= 0x06,
	TAVOR_ST_DDR_MEM_ERR		= 0x07,
	TAVOR_ST_EXCEED_LIM		= 0x08,
	TAVOR_ST_BAD_RES_STATE		= 0x09,
	TAVOR_ST_BAD_INDEX		= 0x0a,
	TAVOR_ST_BAD_NVMEM		= 0x0b,
	TAVOR_ST_BAD_QPEE_STATE		= 0x10,
	TAVOR_ST_BAD_SEG_PARAM		= 0x20,
	TAVOR_ST_REG_BOUND		= 0x21,
	TAVOR_ST_LAM_NOT_PRE		= 0x22,
	TAVOR_ST_BAD_PKT		= 0x30,
	TAVOR_ST_BAD_SIZE		= 0x40,
};

/* QUERY_DEV_LIM flags */
#define TAVOR_DEV_LIM_RC		BIT(0)
#define TAVOR_DEV_LIM_UC		BIT(1)
#define TAVOR_DEV_LIM_UD		BIT(2)
#define TAVOR_DEV_LIM_SRQ		BIT(6)
#define TAVOR_DEV_LIM_BAD_PKEY_CNTR	BIT(8)
#define TAVOR_DEV_LIM_BAD_QKEY_CNTR	BIT(9)
#define TAVOR_DEV_LIM_MW		BIT(16)
#define TAVOR_DEV_LIM_APM		BIT(17)
#define TAVOR_DEV_LIM_ATOMIC		BIT(18)
#define TAVOR_DEV_LIM_RAW_MCAST		BIT(19)
#define TAVOR_DEV_LIM_UD_AV_PORT	BIT(20)
#define TAVOR_DEV_LIM_UD_MCAST		BIT(21)

/* QUERY_FW */
struct tavor_query_fw {
	__be16 reserved1;
	__be16 major;
	__be16 subminor;
	__be16 minor;
	__be16 reserved2;
	__be16 cmd_revision;
	__be32 max_cmd;			/* [31] debug trace, [7:0] log2 */
	__be32 doorbell_cmds;
	__be32 reserved3[3];
	__be64 start;
	__be64 end;
	__be64 err_addr;
	__be32 err_dwords;
	__be32 reserved4[49];
};

TAVOR_HW_SIZE(tavor_query_fw, 0x100);
TAVOR_HW_FIELD(tavor_query_fw, major, 0x2);
TAVOR_HW_FIELD(tavor_query_fw, subminor, 0x4);
TAVOR_HW_FIELD(tavor_query_fw, minor, 0x6);
TAVOR_HW_FIELD(tavor_query_fw, cmd_revision, 0xa);
TAVOR_HW_FIELD(tavor_query_fw, max_cmd, 0xc);
TAVOR_HW_FIELD(tavor_query_fw, doorbell_cmds, 0x10);
TAVOR_HW_FIELD(tavor_query_fw, start, 0x20);
TAVOR_HW_FIELD(tavor_query_fw, end, 0x28);
TAVOR_HW_FIELD(tavor_query_fw, err_addr, 0x30);
TAVOR_HW_FIELD(tavor_query_fw, err_dwords, 0x38);

/* QUERY_DDR; the fields of the DIMMs are not used */
struct tavor_query_ddr {
	__be64 start;
	__be64 end;
	__be32 flags;
	__be32 reserved[59];
};

TAVOR_HW_SIZE(tavor_query_ddr, 0x100);
TAVOR_HW_FIELD(tavor_query_ddr, start, 0x0);
TAVOR_HW_FIELD(tavor_query_ddr, end, 0x8);
TAVOR_HW_FIELD(tavor_query_ddr, flags, 0x10);

#define TAVOR_DDR_HIDDEN	BIT(4)

/* QUERY_ADAPTER */
struct tavor_query_adapter {
	__be32 vendor_id;
	__be32 device_id;
	__be32 revision;
	__be32 reserved1;
	u8 inta_pin;
	u8 reserved2[15];
	u8 vsd[0xe0];
};

TAVOR_HW_SIZE(tavor_query_adapter, 0x100);
TAVOR_HW_FIELD(tavor_query_adapter, vendor_id, 0x0);
TAVOR_HW_FIELD(tavor_query_adapter, device_id, 0x4);
TAVOR_HW_FIELD(tavor_query_adapter, revision, 0x8);
TAVOR_HW_FIELD(tavor_query_adapter, inta_pin, 0x10);
TAVOR_HW_FIELD(tavor_query_adapter, vsd, 0x20);

#define TAVOR_VSD_TOPSPIN	0x05ad	/* at 0 and at the second signature */
#define TAVOR_VSD_SIGNATURE2	0xde
#define TAVOR_VSD_TOPSPIN_ID	0x20
#define TAVOR_VSD_BOARD_ID	0xd0

/* QUERY_DEV_LIM is bytes and nibbles: dev_lim.c has the offsets. */
#define TAVOR_DEV_LIM_SIZE	0x100

/* INIT_HCA. A base shares its word with the log2 of the table's size, in the low bits. */
struct tavor_init_hca {
	__be32 reserved1[5];
	__be32 flags;
	__be32 reserved2[6];
	__be64 qpc;
	__be64 reserved3;
	__be64 eec;
	__be64 srqc;
	__be64 cqc;
	__be64 reserved4;
	__be64 eqpc;
	__be64 reserved5;
	__be64 eeec;
	__be64 reserved6;
	__be64 eqc;
	__be64 reserved7;
	__be64 rdb;
	__be64 reserved8[5];
	__be64 mcg;
	__be16 reserved9[5];
	__be16 log_mcg_size;		/* at 0xd2 */
	__be32 mcg_hash_size;		/* entries */
	u8 mcg_hash_fn;
	u8 reserved10[2];
	u8 log_mcgs;			/* buckets and overflow entries */
	__be32 reserved11[5];
	__be64 mpt;
	u8 reserved12;
	u8 mtt_seg_size;		/* 64 << n bytes */
	u8 reserved13;
	u8 log_mpts;
	__be32 reserved14;
	__be64 mtt;
	__be64 reserved15[4];
	u8 reserved16[3];
	u8 uar_page_size;		/* log2 - 12 */
	__be32 reserved17;
	__be64 uar_scratch;
	__be64 reserved18[25];
};

TAVOR_HW_SIZE(tavor_init_hca, 0x200);
TAVOR_HW_FIELD(tavor_init_hca, flags, 0x14);
TAVOR_HW_FIELD(tavor_init_hca, qpc, 0x30);
TAVOR_HW_FIELD(tavor_init_hca, eec, 0x40);
TAVOR_HW_FIELD(tavor_init_hca, srqc, 0x48);
TAVOR_HW_FIELD(tavor_init_hca, cqc, 0x50);
TAVOR_HW_FIELD(tavor_init_hca, eqpc, 0x60);
TAVOR_HW_FIELD(tavor_init_hca, eeec, 0x70);
TAVOR_HW_FIELD(tavor_init_hca, eqc, 0x80);
TAVOR_HW_FIELD(tavor_init_hca, rdb, 0x90);
TAVOR_HW_FIELD(tavor_init_hca, mcg, 0xc0);
TAVOR_HW_FIELD(tavor_init_hca, log_mcg_size, 0xd2);
TAVOR_HW_FIELD(tavor_init_hca, mcg_hash_size, 0xd4);
TAVOR_HW_FIELD(tavor_init_hca, mcg_hash_fn, 0xd8);
TAVOR_HW_FIELD(tavor_init_hca, log_mcgs, 0xdb);
TAVOR_HW_FIELD(tavor_init_hca, mpt, 0xf0);
TAVOR_HW_FIELD(tavor_init_hca, mtt_seg_size, 0xf9);
TAVOR_HW_FIELD(tavor_init_hca, log_mpts, 0xfb);
TAVOR_HW_FIELD(tavor_init_hca, mtt, 0x100);
TAVOR_HW_FIELD(tavor_init_hca, uar_page_size, 0x12b);
TAVOR_HW_FIELD(tavor_init_hca, uar_scratch, 0x130);

#define TAVOR_INIT_HCA_HOST_BE		BIT(1)
#define TAVOR_INIT_HCA_AV_PORT_CHECK	BIT(0)

/* INIT_IB */
struct tavor_init_ib {
	__be32 flags;
	__be16 reserved1;
	__be16 max_gid;
	__be16 reserved2;
	__be16 max_pkey;
	__be32 reserved3;
	__be64 port_guid0;
	__be64 node_guid;
	__be64 system_image_guid;
	__be32 reserved4[54];
};

TAVOR_HW_SIZE(tavor_init_ib, 0x100);
TAVOR_HW_FIELD(tavor_init_ib, flags, 0x0);
TAVOR_HW_FIELD(tavor_init_ib, max_gid, 0x6);
TAVOR_HW_FIELD(tavor_init_ib, max_pkey, 0xa);
TAVOR_HW_FIELD(tavor_init_ib, port_guid0, 0x10);
TAVOR_HW_FIELD(tavor_init_ib, node_guid, 0x18);
TAVOR_HW_FIELD(tavor_init_ib, system_image_guid, 0x20);

#define TAVOR_INIT_IB_MTU_CAP	GENMASK(15, 12)
#define TAVOR_INIT_IB_WIDTH_CAP	GENMASK(11, 8)
#define TAVOR_INIT_IB_VL_CAP	GENMASK(7, 4)

/* SET_IB */
struct tavor_set_ib {
	__be32 flags;
	__be32 cap_mask;
	__be64 system_image_guid;
	__be32 reserved[12];
};

TAVOR_HW_SIZE(tavor_set_ib, 0x40);
TAVOR_HW_FIELD(tavor_set_ib, flags, 0x0);
TAVOR_HW_FIELD(tavor_set_ib, cap_mask, 0x4);
TAVOR_HW_FIELD(tavor_set_ib, system_image_guid, 0x8);

#define TAVOR_SET_IB_RESET_QKEY	BIT(0)

#define TAVOR_NOP_MODIFIER	0x1f

#endif /* TAVOR_HW_CMD_H */
