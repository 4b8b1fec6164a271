/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The command interface as the registers, the faults and the control socket see it. */
#ifndef HCA_CMD_H
#define HCA_CMD_H

#include "core/hca.h"

struct cJSON;

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
/* Status checks shared by the command files: index errors are the driver's, recorded as violations. */
u8 cmd_bad_index(struct hca *h, const struct cmd *c, const char *what, u32 index, u32 reserved,
		 u32 limit);
/* The object is not whose it must be: @owner has it. Recorded; the status of the command. */
u8 cmd_bad_owner(struct hca *h, const struct cmd *c, const char *object, const char *owner);
/* What EQ and CQ contexts have at the same places: translation, start, UAR page. @rule is that of a bad one. */
u8 cmd_check_queue(struct hca *h, const struct cmd *c, const char *object, enum hca_rule rule);
/* Complains if any byte of [from, to) of the input mailbox is not 0; the command goes on. */
void cmd_reserved(struct hca *h, const struct cmd *c, const char *object, u32 from, u32 to);
/* ... if any of the bits of @mask in the dword at @at is set */
void cmd_reserved_bits(struct hca *h, const struct cmd *c, const char *object, u32 at, u32 mask);

#endif
