/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The command interface as the registers, the faults and the control socket see it. */
#ifndef HCA_CMD_H
#define HCA_CMD_H

#include "core/hca.h"

struct cJSON;

enum cmd_status {
	CMD_OK = 0x00,
	CMD_INTERNAL_ERR = 0x01,
	CMD_BAD_OP = 0x02,
	CMD_BAD_PARAM = 0x03,
	CMD_BAD_SYS_STATE = 0x04,
	CMD_BAD_RESOURCE = 0x05,
	CMD_RESOURCE_BUSY = 0x06,
	CMD_DDR_MEM_ERR = 0x07,
	CMD_EXCEED_LIM = 0x08,
	CMD_BAD_RES_STATE = 0x09,
	CMD_BAD_INDEX = 0x0a,
	CMD_BAD_NVMEM = 0x0b,
	CMD_BAD_QPEE_STATE = 0x10,
	CMD_BAD_SEG_PARAM = 0x20,
	CMD_REG_BOUND = 0x21,
	CMD_LAM_NOT_PRE = 0x22,
	CMD_BAD_PKT = 0x30,
	CMD_BAD_SIZE = 0x40,
};

struct cmd {
	const char *name; /* as its table says */
	u16 opcode;
	u8 op_mod;
	u16 token;
	u32 in_mod;
	u64 in_param; /* immediate, or the mailbox address already fetched into @in */
	/* mailbox address; a handler that returns an immediate stores it in @out_imm */
	u64 out_param;
	u64 out_imm;
	bool event;  /* E bit */
	bool no_out; /* set by the handler: do not write the out mailbox (opmod 1/3, TrapRepress) */
	u8 in[4096]; /* input mailbox: desc->in_len bytes valid, the rest 0 */
	/* output mailbox: desc->out_len bytes are written back when status is CMD_OK */
	u8 out[4096];
};

enum cmd_needs { CMD_NEEDS_NOTHING, CMD_NEEDS_SYS_EN, CMD_NEEDS_INIT_HCA };

struct cmd_desc {
	u16 opcode;
	const char *name;
	u16 in_len;	 /* bytes of input mailbox to fetch; 0 none */
	u16 out_len;	 /* bytes of output mailbox; 0 none */
	u8 needs;	 /* enum cmd_needs */
	char time_class; /* 'A'..'D' */
	/* Executes at once and returns the status; latency and completion are cmd.c's business. */
	u8 (*run)(struct hca *h, struct cmd *c);
	/* Optional: length of the input mailbox by modifiers, where in_len is the largest. */
	u16 (*in_size)(const struct cmd *c);
	u16 op_mods; /* bit n: opcode modifier n exists; others never reach run() */
	/* bits of the input modifier that mean something, or that run() judges itself */
	u32 in_mods;
};

/* Each table ends with a NULL name. */
extern const struct cmd_desc
	sys_cmds[]; /* SYS_EN .. QUERY_HCA, NOP, SYNC_TPT, MOD_STAT_CFG, DIAG_RPRT */
extern const struct cmd_desc tpt_cmds[];
extern const struct cmd_desc eq_cmds[]; /* MAP_EQ included */
extern const struct cmd_desc cq_cmds[];

int cmd_new(struct hca *h);
void cmd_delete(struct hca *h);
void cmd_reset(struct hca *h);
/* The HCR is seven dwords at BAR0 + 0x80680; @index 0..6. */
u32 cmd_hcr_read(struct hca *h, unsigned int index);
void cmd_hcr_write(struct hca *h, unsigned int index, u32 value);

/* --- cmd_table.c --- */

/* A part's commands; its end is a NULL name. */
void cmd_table_add(const struct cmd_desc *table);
const struct cmd_desc *cmd_find(u16 opcode); /* NULL if unknown */
const char *cmd_name(u16 opcode);	     /* "0xNN" never: NULL if unknown */
/* By name or number */
bool cmd_opcode_parse(const char *text, int *op);

/* --- cmd.c --- */

/* @history: how many commands were outstanding over time, too. */
void cmd_stats(const struct hca *h, struct cJSON *out, bool history);
unsigned int cmd_outstanding(const struct hca *h);
/* Stops the firmware until reset; what hardware does by itself goes on. */
void cmd_hang(struct hca *h);
bool cmd_hung(const struct hca *h);
/* Everything stops until reset; @dwords as for regs_catas(), or NULL for an internal error. */
void cmd_catastrophe(struct hca *h, const u32 *dwords);
/*
 * Status checks shared by the command files: index errors are the driver's, recorded as violations.
 */
u8 cmd_bad_index(struct hca *h, const struct cmd *c, const char *what, u32 index, u32 reserved,
		 u32 limit);
/* The object is not whose it must be: @owner has it. Recorded; the status of the command. */
u8 cmd_bad_owner(struct hca *h, const struct cmd *c, const char *object, const char *owner);
/*
 * What EQ and CQ contexts have at the same places: translation, start, UAR page. @rule is that of a
 * bad one.
 */
u8 cmd_check_queue(struct hca *h, const struct cmd *c, const char *object, enum hca_rule rule);
/* Complains if any byte of [from, to) of the input mailbox is not 0; the command goes on. */
void cmd_reserved(struct hca *h, const struct cmd *c, const char *object, u32 from, u32 to);
/* ... if any of the bits of @mask in the dword at @at is set */
void cmd_reserved_bits(struct hca *h, const struct cmd *c, const char *object, u32 at, u32 mask);

#endif
