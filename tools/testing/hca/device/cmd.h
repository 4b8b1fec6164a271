/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The command interface, for the registers, the faults and the control socket. */
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
	const char *name; /* the name in its table */
	u16 opcode;
	u8 op_mod;
	u16 token;
	u32 in_mod;
	u64 in_param; /* immediate, or the address of the mailbox, which is in @in */
	/* mailbox address; a handler that returns an immediate stores it in @out_imm */
	u64 out_param;
	u64 out_imm;
	bool event;  /* E bit */
	bool no_out; /* set by the handler: no output mailbox is written (opmod 1/3, TrapRepress) */
	u8 in[4096]; /* input mailbox: desc->in_len bytes valid, the rest 0 */
	/* output mailbox: desc->out_len bytes are written back when status is CMD_OK */
	u8 out[4096];
};

enum cmd_needs { CMD_NEEDS_NOTHING, CMD_NEEDS_SYS_EN, CMD_NEEDS_INIT_HCA };

struct cmd_desc {
	u16 opcode;
	const char *name;
	u16 in_len;	 /* size of the input mailbox; 0: none */
	u16 out_len;	 /* size of the output mailbox; 0: none */
	u8 needs;	 /* enum cmd_needs */
	char time_class; /* 'A'..'D' */
	/* Executes at once and returns the status. cmd.c handles latency and completion. */
	u8 (*run)(struct hca *h, struct cmd *c);
	/* Optional: length of the input mailbox with these modifiers; at most in_len. */
	u16 (*in_size)(const struct cmd *c);
	u16 op_mods; /* bit n: opcode modifier n exists; run() is not called for others */
	/* bits of the input modifier that are defined, or that run() checks itself */
	u32 in_mods;
};

/* Each table ends with a NULL name. */
extern const struct cmd_desc
	sys_cmds[]; /* SYS_EN .. QUERY_HCA, NOP, SYNC_TPT, MOD_STAT_CFG, DIAG_RPRT */
extern const struct cmd_desc tpt_cmds[];
extern const struct cmd_desc eq_cmds[]; /* including MAP_EQ */
extern const struct cmd_desc cq_cmds[];

int cmd_new(struct hca *h);
void cmd_delete(struct hca *h);
void cmd_reset(struct hca *h);
/* The HCR is seven dwords at BAR0 + 0x80680; @index 0..6. */
u32 cmd_hcr_read(struct hca *h, unsigned int index);
void cmd_hcr_write(struct hca *h, unsigned int index, u32 value);

/* --- cmd_table.c --- */

/* Adds the commands of one part; the table ends with a NULL name. */
void cmd_table_add(const struct cmd_desc *table);
const struct cmd_desc *cmd_find(u16 opcode); /* NULL if unknown */
const char *cmd_name(u16 opcode);	     /* NULL if unknown */
/* Converts the name or number of a command. */
bool cmd_opcode_parse(const char *text, int *op);

/* --- cmd.c --- */

/* Adds statistics; with @history also the number of outstanding commands over time. */
void cmd_stats(const struct hca *h, struct cJSON *out, bool history);
unsigned int cmd_outstanding(const struct hca *h);
/* Stops the firmware until reset. Hardware functions without firmware continue. */
void cmd_hang(struct hca *h);
bool cmd_hung(const struct hca *h);
/* Stops the device until reset. @dwords is as for regs_catas(), or NULL for an internal error. */
void cmd_catastrophe(struct hca *h, const u32 *dwords);
/*
 * Status checks that the command files share. An index error is the driver's fault and is recorded
 * as a violation.
 */
u8 cmd_bad_index(struct hca *h, const struct cmd *c, const char *what, u32 index, u32 reserved,
		 u32 limit);
/*
 * Records that @object has the wrong owner, @owner (software or hardware). Returns the status of
 * the command.
 */
u8 cmd_bad_owner(struct hca *h, const struct cmd *c, const char *object, const char *owner);
/*
 * Checks the fields that EQ and CQ contexts have at the same offsets: translation, start, UAR page.
 * An error breaks @rule.
 */
u8 cmd_check_queue(struct hca *h, const struct cmd *c, const char *object, enum hca_rule rule);
/* Records a violation if a byte of [from, to) of the input mailbox is not 0, and continues. */
void cmd_reserved(struct hca *h, const struct cmd *c, const char *object, u32 from, u32 to);
/* The same if a bit of @mask in the dword at @at is set. */
void cmd_reserved_bits(struct hca *h, const struct cmd *c, const char *object, u32 at, u32 mask);

#endif
