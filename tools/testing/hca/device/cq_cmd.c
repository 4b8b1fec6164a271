// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Firmware commands of completion queues: SW2HW_CQ, HW2SW_CQ, QUERY_CQ, RESIZE_CQ. */
#include "core/bytes.h"
#include "device/cmd.h"
#include "device/cq.h"
#include "device/device.h"
#include "device/keys.h"

#include <stdio.h>

/* --- SW2HW_CQ --------------------------------------------------------------------------------- */

static u8 bad_field(struct hca *h, const char *object, const char *what, u32 value)
{
	violation(h, RULE_CQ_FIELD, object, "%s 0x%x", what, value);
	return CMD_BAD_PARAM;
}

/*
 * The initial consumer index is an input and can be other than 0 (tavor-hw 11.1). Producer index
 * and solicited index are outputs, and start at the same value.
 */
static void parse(const u8 *in, struct cq *q)
{
	u32 w0 = get32(in);

	memset(q, 0, sizeof(*q));
	q->overrun_ignore = bits(w0, 17, 17);
	q->state = bits(w0, 11, 8);
	q->start = get64(in + 0x04);
	q->log_size = bits(get32(in + 0x0c), 28, 24);
	q->uar = bits(get32(in + 0x0c), 23, 0);
	q->e_eqn = in[0x13];
	q->c_eqn = in[0x17];
	q->pd = bits(get32(in + 0x18), 23, 0);
	q->lkey = get32(in + 0x1c);
	q->ci = get32(in + 0x28) & cq_size_mask(q);
	q->pi = q->sol_pi = q->ci;
	q->cqn = bits(get32(in + 0x30), 23, 0);
}

static void check_reserved(struct hca *h, const struct cmd *c, const char *object)
{
	cmd_reserved_bits(h, c, object, 0x00, 0x0ff9f0ff);
	cmd_reserved_bits(h, c, object, 0x10, 0xffffff00);
	cmd_reserved_bits(h, c, object, 0x14, 0xffffff00);
	cmd_reserved_bits(h, c, object, 0x18, 0xff000000);
	cmd_reserved(h, c, object, 0x34, 0x40);
}

static u8 check_buffer(struct hca *h, const char *object, const struct cq *q)
{
	if (!tpt_check(h, q->lkey, q->pd, q->start, (u64)CQE_SIZE << q->log_size, TPT_LOCAL_WRITE))
		return CMD_OK;
	/*
	 * A process chooses PD and key of its CQ (tavor-hw 18.2), so this can be an error of the
	 * process.
	 */
	blame(h, q->uar, RULE_CQ_BUFFER, object, "%u entries at 0x%llx: key 0x%08x PD 0x%x",
	      1u << q->log_size, (unsigned long long)q->start, q->lkey, q->pd);
	return CMD_BAD_PARAM;
}

/* An EQN above 63 means "do not report" and is legal. */
static u8 check_eqs(struct hca *h, const char *object, const struct cq *q)
{
	const u8 eqns[] = { q->c_eqn, q->e_eqn };
	int i;

	for (i = 0; i < 2; i++)
		if (eqns[i] < 64 && !eq_valid(h, eqns[i])) {
			violation(h, RULE_CQ_EQ, object, "EQ %u", eqns[i]);
			return CMD_BAD_PARAM;
		}
	return CMD_OK;
}

static u8 check(struct hca *h, const struct cmd *c, const char *object, const struct cq *q)
{
	u8 status;

	check_reserved(h, c, object);
	status = cmd_check_queue(h, c, object, RULE_CQ_FIELD);
	if (status)
		return status;
	if (q->state != CQ_DISARMED && q->state != CQ_ARMED && q->state != CQ_ARMED_SOL &&
	    q->state != CQ_FIRED)
		return bad_field(h, object, "state", q->state);
	if (!q->log_size)
		return bad_field(h, object, "log2 of the size", q->log_size);
	if (q->log_size > opt_u64(h, "log_max_cqe")) {
		bad_field(h, object, "log2 of the size", q->log_size);
		return CMD_EXCEED_LIM;
	}
	if (q->cqn != c->in_mod)
		return bad_field(h, object, "CQN of the context", q->cqn);
	status = check_eqs(h, object, q);
	return status ? status : check_buffer(h, object, q);
}

/* The index is the CQN modulo the size of the table. The lowest indices are reserved. */
static u8 bad_index(struct hca *h, const struct cmd *c)
{
	u32 index = c->in_mod & cqs_of(h)->mask;

	if (c->in_mod >> 24) {
		violation(h, RULE_CMD_INDEX, "CQ", "input modifier 0x%08x", c->in_mod);
		return CMD_BAD_INDEX;
	}
	return cmd_bad_index(h, c, "CQ", index, RESERVED_CQS, cqs_of(h)->mask + 1);
}

static u8 sw2hw_cq(struct hca *h, struct cmd *c)
{
	struct cq q, *at;
	char object[24];
	u8 status;

	status = bad_index(h, c);
	if (status)
		return status;
	cq_name(object, c->in_mod);
	at = &cqs_of(h)->cq[c->in_mod & cqs_of(h)->mask];
	if (at->hw)
		return cmd_bad_owner(h, c, object, "the hardware");
	parse(c->in, &q);
	status = check(h, c, object, &q);
	if (status)
		return status;
	q.h = h;
	cq_start(at, &q);
	return CMD_OK;
}

/* --- HW2SW_CQ, QUERY_CQ ----------------------------------------------------------------------- */

/* Writes the context for QUERY_CQ and HW2SW_CQ. */
static void dump(const struct cq *q, u8 *out)
{
	put32(out,
	      (u32)q->status << 28 | 1u << 18 | (u32)q->overrun_ignore << 17 | (u32)q->state << 8);
	put64(out + 0x04, q->start);
	put32(out + 0x0c, (u32)q->log_size << 24 | q->uar);
	put32(out + 0x10, q->e_eqn);
	put32(out + 0x14, q->c_eqn);
	put32(out + 0x18, q->pd);
	put32(out + 0x1c, q->lkey);
	put32(out + 0x20, q->notified);
	put32(out + 0x24, q->sol_pi);
	put32(out + 0x28, q->ci);
	put32(out + 0x2c, q->pi);
	put32(out + 0x30, q->cqn);
}

static u8 owned(struct hca *h, const struct cmd *c, struct cq **q)
{
	u8 status = bad_index(h, c);
	char object[24];

	if (status)
		return status;
	*q = cq_find(h, c->in_mod);
	if (*q)
		return CMD_OK;
	cq_name(object, c->in_mod);
	return cmd_bad_owner(h, c, object, "software");
}

/*
 * EQEs that are already in an EQ stay there. Software must expect an EQE for a CQ that is gone
 * (tavor-hw 11.8).
 */
static u8 hw2sw_cq(struct hca *h, struct cmd *c)
{
	char object[24];
	struct cq *q;
	u8 status;

	status = owned(h, c, &q);
	if (status)
		return status;
	if (cq_in_use(q)) {
		cq_name(object, q->cqn);
		violation(h, RULE_CQ_IN_USE, object, "HW2SW_CQ");
	}
	dump(q, c->out);
	cq_drop_late(q);
	cq_use_mpt(h, q->lkey, -1);
	q->hw = false;
	return CMD_OK;
}

static u8 query_cq(struct hca *h, struct cmd *c)
{
	struct cq *q;
	u8 status;

	status = owned(h, c, &q);
	if (!status)
		dump(q, c->out);
	return status;
}

/* --- RESIZE_CQ (tavor-hw 11.7) ---------------------------------------------------------------- */

/*
 * The number of outstanding CQEs can change before the command executes. A size that is too small
 * therefore fails, but is no violation.
 */
static u8 check_resize(struct hca *h, const struct cmd *c, const struct cq *fresh,
		       const struct cq *old)
{
	char object[24];

	cq_name(object, old->cqn);
	if (!fresh->log_size || (fresh->start & 31))
		return bad_field(h, object, "RESIZE_CQ: log2 of the size or start",
				 get32(c->in + 0x0c));
	if (fresh->log_size > opt_u64(h, "log_max_cqe")) {
		bad_field(h, object, "RESIZE_CQ: log2 of the size", fresh->log_size);
		return CMD_EXCEED_LIM;
	}
	if (cq_outstanding(old) > cq_size_mask(fresh))
		return CMD_BAD_SIZE;
	return check_buffer(h, object, fresh);
}

static u8 resize_cq(struct hca *h, struct cmd *c)
{
	struct cq fresh, *q;
	u32 waiting, sol;
	u8 status;

	status = owned(h, c, &q);
	if (status)
		return status;
	fresh = *q;
	fresh.start = get64(c->in + 0x04);
	fresh.log_size = c->in[0x0c] & 0x1f;
	fresh.lkey = get32(c->in + 0x1c);
	status = check_resize(h, c, &fresh, q);
	if (status)
		return status;
	waiting = cq_outstanding(q);
	sol = (q->sol_pi - q->ci) & cq_size_mask(q);
	/*
	 * legacy flow: software moves outstanding CQEs to the start; fixed flow: indices continue
	 */
	fresh.pi = c->op_mod ? q->pi & cq_size_mask(&fresh) : waiting;
	fresh.ci = (fresh.pi - waiting) & cq_size_mask(&fresh);
	fresh.sol_pi = (fresh.ci + (sol <= waiting ? sol : 0)) & cq_size_mask(&fresh);
	c->out_imm = c->op_mod ? 0 : (u64)waiting << 32;
	cq_use_mpt(h, q->lkey, -1);
	cq_use_mpt(h, fresh.lkey, 1);
	*q = fresh;
	return CMD_OK;
}

const struct cmd_desc cq_cmds[] = {
	{ 0x16, "SW2HW_CQ", 0x40, 0, CMD_NEEDS_INIT_HCA, 'A', sw2hw_cq, NULL, 1, ~0u },
	{ 0x17, "HW2SW_CQ", 0, 0x40, CMD_NEEDS_INIT_HCA, 'A', hw2sw_cq, NULL, 1, ~0u },
	{ 0x18, "QUERY_CQ", 0, 0x40, CMD_NEEDS_INIT_HCA, 'A', query_cq, NULL, 1, ~0u },
	{ 0x2c, "RESIZE_CQ", 0x40, 0, CMD_NEEDS_INIT_HCA, 'B', resize_cq, NULL, 0x3, ~0u },
	{ 0 }
};
