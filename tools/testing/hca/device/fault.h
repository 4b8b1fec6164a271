/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Faults. They are in one list, which options, a start-up file and the control socket fill.
 * Documentation/hca-model.rst describes the grammar of a fault:
 *
 *	ACTION[,on=cmd|eqe|cqe][,op=NAME|NUMBER][,num=N][,after=N][,count=N][,prob=P]
 *		[,status=S][,time=T]
 */
#ifndef HCA_FAULT_H
#define HCA_FAULT_H

#include "core/hca.h"

struct cJSON;

enum fault_action {
	FAULT_NONE,
	FAULT_DROP,	/* the completion, EQE or CQE is never written */
	FAULT_DELAY,	/* ... is written @time later */
	FAULT_DUP,	/* ... is written twice */
	FAULT_STATUS,	/* a command is not executed and completes with @status */
	FAULT_GO_STUCK, /* GO is never cleared */
	FAULT_HANG,	/* the firmware stops: no command makes progress until reset */
	FAULT_CATAS,	/* catastrophic error instead of this command */
	FAULT_ACTIONS
};

struct fault_verdict {
	enum fault_action action;
	u8 status;
	u64 time;
};

int fault_new(struct hca *h);
void fault_delete(struct hca *h);

/* Return the fault of a command, of its completion, or of a queue entry. */
struct fault_verdict fault_cmd_accept(struct hca *h, u16 opcode);
struct fault_verdict fault_cmd(struct hca *h, u16 opcode);
struct fault_verdict fault_cmd_completion(struct hca *h, u16 opcode);
struct fault_verdict fault_eqe(struct hca *h, u8 type, u32 eqn);
struct fault_verdict fault_cqe(struct hca *h, u32 cqn, u8 opcode);
bool fault_any_cqe(const struct hca *h); /* cheap guard for the fast path */

/* Adds one fault in the grammar above. Returns 0, or -1 and an error in @why (OPT_WHY bytes). */
int fault_add(struct hca *h, const char *spec, char *why);
void fault_clear(struct hca *h);
int fault_check(const char *spec, char *why);
void fault_option_changed(int n, const char *key, const char *value);
void fault_stats(const struct hca *h, struct cJSON *out);

#endif
