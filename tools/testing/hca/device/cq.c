// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Completion queues (section 11): contexts, entries, arming, overflow, resize. Indices are kept
 * modulo the queue's size, as the hardware does; one entry always stays free.
 *
 * cq_post() is on the path of every completion: one lookup, one translation, one copy.
 */
#include "core/bytes.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/fault.h"
#include "device/keys.h"
#include "device/queues.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CQE_SIZE 32
#define NO_INDEX 0xffffffffu

enum cq_state { CQ_DISARMED = 0, CQ_ARMED = 1, CQ_ARMED_SOL = 4, CQ_FIRED = 0xa };
enum { CQ_OK = 0, CQ_OVERFLOWED = 9, CQ_WRITE_FAILED = 0xa };

/* A CQE held back by a fault, and those that must stay behind it */
struct late_cqe {
	struct late_cqe *next;
	struct cqe cqe;
	bool solicited;
};

struct cq {
	bool hw, overrun_ignore;
	u8 state, status, log_size;
	u8 c_eqn, e_eqn;
	u16 after; /* doorbell 5: notify when this many wait */
	u32 cqn, uar, pd, lkey;
	u32 ci, pi, sol_pi, notified;
	u64 start;
	u64 written; /* statistics */
	struct late_cqe *late;
	struct hca_timer late_timer;
	struct hca *h;
};

struct cqs {
	struct cq *cq;
	u32 mask;
	u32 *mpt_use; /* buffers by MPT index, so that most keys need no search */
	u32 mpt_mask;
};

/* The queue pairs, which are above this file. */
static struct cq_users users;

void cq_set_users(const struct cq_users *u)
{
	users = *u;
}

static struct cqs *cqs_of(const struct hca *h)
{
	return hca_part(h, PART_CQ);
}

/* By the whole number: the high bits tell a CQ from its predecessor in the same entry (11.1). */
static struct cq *find(struct hca *h, u32 cqn)
{
	struct cqs *s = cqs_of(h);
	struct cq *q;

	if (!s->cq)
		return NULL;
	q = &s->cq[cqn & s->mask];
	return q->hw && q->cqn == cqn ? q : NULL;
}

static void name_cq(char *object, u32 cqn)
{
	snprintf(object, 24, "CQ 0x%x", cqn);
}

static u32 size_mask(const struct cq *q)
{
	return (1u << q->log_size) - 1;
}

/* Entries written and not yet consumed, as far as software has told. */
static u32 outstanding(const struct cq *q)
{
	return (q->pi - q->ci) & size_mask(q);
}

bool cq_valid(struct hca *h, u32 cqn)
{
	return find(h, cqn);
}

static void use_mpt(struct hca *h, u32 key, int delta)
{
	struct cqs *s = cqs_of(h);

	s->mpt_use[key & s->mpt_mask] += delta;
}

bool cq_uses_mpt(struct hca *h, u32 key, u32 *uar)
{
	struct cqs *s = cqs_of(h);
	u32 i;

	if (!s->cq || !s->mpt_use[key & s->mpt_mask])
		return false;
	for (i = 0; i <= s->mask; i++)
		if (s->cq[i].hw && s->cq[i].lkey == key) {
			*uar = s->cq[i].uar;
			return true;
		}
	return false;
}

/* For the destruction of an EQ: a rare event, so all CQs are looked at. */
bool cq_uses_eq(struct hca *h, u32 eqn)
{
	struct cqs *s = cqs_of(h);
	u32 i;

	for (i = 0; s->cq && i <= s->mask; i++)
		if (s->cq[i].hw && (s->cq[i].c_eqn == eqn || s->cq[i].e_eqn == eqn))
			return true;
	return false;
}

/* --- notification ----------------------------------------------------------------------------- */

/*
 * One event per arming, so that a completion EQ with an entry for each CQ cannot overflow (11.5).
 */
static void fire(struct hca *h, struct cq *q)
{
	q->state = CQ_FIRED;
	q->after = 0;
	q->notified = q->pi;
	/* a number above 63 means "do not report" */
	if (q->c_eqn < 64)
		eq_completion(h, q->c_eqn, q->cqn);
}

/* After an entry was written: does it meet what the arming asked for? */
static void notify(struct hca *h, struct cq *q, bool solicited)
{
	if (q->state == CQ_DISARMED || q->state == CQ_FIRED)
		return;
	if (q->after ? outstanding(q) >= q->after : q->state == CQ_ARMED || solicited)
		fire(h, q);
}

void cq_disarm(struct hca *h, u32 cqn)
{
	struct cq *q = find(h, cqn);

	/* an event may outlive its CQ (11.8) */
	if (q)
		q->state = CQ_DISARMED;
	else
		count(h, "disarm_of_no_cq");
}

/* --- errors ----------------------------------------------------------------------------------- */

/* CQ error (10.3, type 4): to the CQ's own error EQ, and its queue pairs go with it (11.6). */
static void fail(struct hca *h, struct cq *q, u8 status, u32 syndrome)
{
	u32 data[7] = { q->cqn, 0, syndrome };

	q->status = status;
	if (q->e_eqn < 64)
		eq_post_to(h, q->e_eqn, EV_CQ_ERR, data);
	users.error(h, q->cqn);
}

static void overflowed(struct hca *h, struct cq *q)
{
	char object[24];

	name_cq(object, q->cqn);
	blame(h, q->uar, RULE_CQ_OVERFLOW, object, "%u entries, consumer index 0x%x",
	      size_mask(q) + 1, q->ci);
	fail(h, q, CQ_OVERFLOWED, 1);
}

static void write_failed(struct hca *h, struct cq *q)
{
	char object[24];

	if (hca_dead(h))
		return;
	name_cq(object, q->cqn);
	blame(h, q->uar, RULE_CQ_BUFFER, object, "entry 0x%x cannot be written: key 0x%08x PD 0x%x",
	      q->pi, q->lkey, q->pd);
	fail(h, q, CQ_WRITE_FAILED, 2);
}

/* Software has not given the entry back, but moved the consumer index past it (11.2). */
static void not_owned(struct hca *h, struct cq *q, u8 owner)
{
	char object[24];

	name_cq(object, q->cqn);
	blame(h, q->uar, RULE_CQ_OWNER, object,
	      "entry 0x%x has owner byte 0x%02x, consumer index 0x%x", q->pi, owner, q->ci);
}

/* --- writing entries -------------------------------------------------------------------------- */

/* Sections 11.2 and 11.3; the owner byte comes out as 0, software. */
static void build(const struct cqe *cqe, u8 *out)
{
	put32(out, cqe->qpn & 0xffffff);
	put32(out + 0x04, 0);
	put32(out + 0x08, cqe->rqpn & 0xffffff);
	out[0x0c] = cqe->sl << 4;
	out[0x0d] = cqe->grh_path;
	put16(out + 0x0e, cqe->rlid);
	if (cqe->error) {
		out[0x10] = cqe->syndrome;
		out[0x11] = cqe->vendor_err;
		put16(out + 0x12, cqe->db_cnt);
	} else {
		put32(out + 0x10, cqe->imm);
	}
	put32(out + 0x14, cqe->byte_cnt);
	put32(out + 0x18, cqe->wqe);
	put32(out + 0x1c, 0);
	out[0x1c] = !cqe->error ? cqe->opcode : cqe->send ? 0xff : 0xfe;
	out[0x1d] = cqe->send ? 0x80 : 0;
}

/*
 * One translation serves the owner check and the store. The last eight bytes go last, with the
 * owner byte among them; entries are 32-byte aligned wherever the buffer's pages are.
 */
static int store(struct hca *h, struct cq *q, const u8 *raw)
{
	u64 va = q->start + (u64)q->pi * CQE_SIZE;
	u8 *p = tpt_peek(h, "CQE", q->lkey, q->pd, va, CQE_SIZE, TPT_LOCAL_WRITE);
	u64 last;

	if (!p)
		return tpt_write(h, "CQE", q->lkey, q->pd, va, raw, CQE_SIZE, TPT_LOCAL_WRITE);
	if (!(p[31] & 0x80) && !q->overrun_ignore)
		not_owned(h, q, p[31]);
	if ((uintptr_t)p & 7)
		return tpt_write(h, "CQE", q->lkey, q->pd, va, raw, CQE_SIZE, TPT_LOCAL_WRITE);
	memcpy(p, raw, CQE_SIZE - 8);
	memcpy(&last, raw + CQE_SIZE - 8, 8);
	__atomic_store_n((u64 *)(p + CQE_SIZE - 8), last, __ATOMIC_RELEASE);
	return 0;
}

static int write_entry(struct hca *h, struct cq *q, const struct cqe *cqe, bool solicited)
{
	u8 raw[CQE_SIZE];

	if (q->status)
		return -EIO;
	if (outstanding(q) == size_mask(q) && !q->overrun_ignore) {
		overflowed(h, q);
		return -EIO;
	}
	build(cqe, raw);
	if (store(h, q, raw)) {
		write_failed(h, q);
		return -EIO;
	}
	solicited |= cqe->error;
	q->pi = (q->pi + 1) & size_mask(q);
	q->written++;
	if (solicited)
		q->sol_pi = q->pi;
	notify(h, q, solicited);
	return 0;
}

/* --- CQEs held back by a fault ---------------------------------------------------------------- */

/* With the CQ gone there is nowhere to write them. */
static void drop_late(struct cq *q)
{
	struct late_cqe *l;

	timer_cancel(&q->late_timer);
	while ((l = q->late)) {
		q->late = l->next;
		free(l);
	}
}

static void on_late(struct hca_timer *t)
{
	struct cq *q = (struct cq *)((char *)t - offsetof(struct cq, late_timer));
	struct late_cqe *l;

	while ((l = q->late)) {
		q->late = l->next;
		write_entry(q->h, q, &l->cqe, l->solicited);
		free(l);
	}
}

/* The list is short and exists only while a fault is at work, so it may be allocated. */
static bool hold_back(struct cq *q, const struct cqe *cqe, bool solicited)
{
	struct late_cqe *l = calloc(1, sizeof(*l)), **at;

	if (!l)
		return false;
	l->cqe = *cqe;
	l->solicited = solicited;
	for (at = &q->late; *at; at = &(*at)->next)
		;
	*at = l;
	return true;
}

static int post_with_faults(struct hca *h, struct cq *q, const struct cqe *cqe, bool solicited)
{
	struct fault_verdict v = fault_cqe(h, q->cqn, cqe->error ? 0xff : cqe->opcode);
	int ret;

	if (v.action == FAULT_DROP)
		return 0;
	/* order within a CQ is kept: whatever comes meanwhile waits too */
	if ((v.action == FAULT_DELAY || q->late) && hold_back(q, cqe, solicited)) {
		if (v.action == FAULT_DELAY && !timer_armed(&q->late_timer))
			timer_arm(&q->late_timer, v.time);
		return 0;
	}
	ret = write_entry(h, q, cqe, solicited);
	return !ret && v.action == FAULT_DUP ? write_entry(h, q, cqe, solicited) : ret;
}

int cq_post(struct hca *h, u32 cqn, const struct cqe *cqe, bool solicited)
{
	struct cq *q = find(h, cqn);

	if (!q || hca_dead(h)) {
		count(h, "cqe_without_cq");
		return -EIO;
	}
	if (q->late || fault_any_cqe(h))
		return post_with_faults(h, q, cqe, solicited);
	return write_entry(h, q, cqe, solicited);
}

/* --- doorbells -------------------------------------------------------------------------------- */

/* A consumer cannot be ahead of the producer. */
static void advance(struct hca *h, u32 uar, struct cq *q, u32 step)
{
	char object[24];

	if (step > outstanding(q)) {
		name_cq(object, q->cqn);
		blame(h, uar, RULE_DB_INDEX, object, "consumer index 0x%x + %u, producer 0x%x",
		      q->ci, step, q->pi);
		return;
	}
	q->ci = (q->ci + step) & size_mask(q);
}

/*
 * What is there already fires at once: the request is compared with what software says it consumed.
 */
static void arm(struct hca *h, struct cq *q, u32 last)
{
	u32 seen = last == NO_INDEX ? q->ci : (last + 1) & size_mask(q);

	if (q->state == CQ_FIRED)
		return;
	q->state = CQ_ARMED;
	q->after = 0;
	if (q->pi != seen)
		fire(h, q);
}

/* As arm(), for entries up to the last solicited one only. */
static void arm_solicited(struct hca *h, struct cq *q, u32 last)
{
	u32 seen = last == NO_INDEX ? q->ci : (last + 1) & size_mask(q);
	u32 ahead = (q->sol_pi - seen) & size_mask(q);

	if (q->state == CQ_FIRED)
		return;
	q->state = CQ_ARMED_SOL;
	q->after = 0;
	if (ahead && ahead <= ((q->pi - seen) & size_mask(q)))
		fire(h, q);
}

/* No driver uses it; the count is that of waiting entries. */
static void arm_after(struct hca *h, struct cq *q, u32 n)
{
	if (q->state == CQ_FIRED)
		return;
	q->state = CQ_ARMED;
	q->after = n & 0x7fff;
	if (outstanding(q) >= q->after)
		fire(h, q);
}

/*
 * An index is modulo the size, a number of completions has 15 bits; a count is judged by advance().
 */
static bool parameter_bad(const struct cq *q, u8 command, u32 lo)
{
	switch (command) {
	case 2:
	case 3:
		return lo > size_mask(q) && lo != NO_INDEX;
	case 4:
		return lo > size_mask(q);
	case 5:
		return lo > 0x7fff;
	default:
		return false;
	}
}

static void obey(struct hca *h, u32 uar, struct cq *q, u32 hi, u32 lo)
{
	char object[24];

	if (parameter_bad(q, hi >> 24, lo)) {
		name_cq(object, q->cqn);
		blame(h, uar, RULE_DB_RESERVED, object, "doorbell 0x%08x%08x", hi, lo);
	}
	switch (hi >> 24) {
	case 1:
		/* the parameter is the count less one; a full wrap cannot be */
		advance(h, uar, q, lo == NO_INDEX ? NO_INDEX : lo + 1);
		break;
	case 2:
		arm(h, q, lo);
		break;
	case 3:
		arm_solicited(h, q, lo);
		break;
	case 4:
		advance(h, uar, q, (lo - q->ci) & size_mask(q));
		break;
	case 5:
		arm_after(h, q, lo);
		break;
	default:
		name_cq(object, q->cqn);
		blame(h, uar, RULE_DB_COMMAND, object, "doorbell 0x%08x%08x", hi, lo);
	}
}

void cq_db(struct hca *h, u32 uar, u32 hi, u32 lo)
{
	u32 cqn = hi & 0xffffff;
	struct cq *q = find(h, cqn);
	char object[24];

	if (q && (uar == q->uar || uar == 1)) {
		obey(h, uar, q, hi, lo);
		return;
	}
	name_cq(object, cqn);
	if (!q)
		blame(h, uar, RULE_DB_OBJECT, object, "doorbell 0x%08x%08x", hi, lo);
	else
		blame(h, uar, RULE_UAR_MISMATCH, object,
		      "rung through UAR %u, the context names %u", uar, q->uar);
}

/* --- SW2HW_CQ --------------------------------------------------------------------------------- */

static u8 bad_field(struct hca *h, const char *object, const char *what, u32 value)
{
	violation(h, RULE_CQ_FIELD, object, "%s 0x%x", what, value);
	return CMD_BAD_PARAM;
}

/*
 * A consumer index other than 0 is honoured (11.1); producer and solicited index are outputs, and
 * begin where it is.
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
	q->ci = get32(in + 0x28) & size_mask(q);
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
	/* PD and key of a user's CQ come from the process (18.2), so this may be its doing */
	blame(h, q->uar, RULE_CQ_BUFFER, object, "%u entries at 0x%llx: key 0x%08x PD 0x%x",
	      1u << q->log_size, (unsigned long long)q->start, q->lkey, q->pd);
	return CMD_BAD_PARAM;
}

/* Numbers above 63 mean "do not report" and are legal. */
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

/* The index is the number modulo the table's size; its low end is the firmware's. */
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
	name_cq(object, c->in_mod);
	at = &cqs_of(h)->cq[c->in_mod & cqs_of(h)->mask];
	if (at->hw)
		return cmd_bad_owner(h, c, object, "the hardware");
	parse(c->in, &q);
	status = check(h, c, object, &q);
	if (status)
		return status;
	q.hw = true;
	q.h = h;
	timer_setup(&q.late_timer, on_late);
	*at = q;
	use_mpt(h, q.lkey, 1);
	return CMD_OK;
}

/* --- HW2SW_CQ, QUERY_CQ ----------------------------------------------------------------------- */

/* The context as QUERY_CQ and HW2SW_CQ show it. */
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
	*q = find(h, c->in_mod);
	if (*q)
		return CMD_OK;
	name_cq(object, c->in_mod);
	return cmd_bad_owner(h, c, object, "software");
}

/* Events already in an EQ stay there: software knows that one may name a CQ that is gone (11.8). */
static u8 hw2sw_cq(struct hca *h, struct cmd *c)
{
	char object[24];
	struct cq *q;
	u8 status;

	status = owned(h, c, &q);
	if (status)
		return status;
	if (users.uses_cq(h, q->cqn)) {
		name_cq(object, q->cqn);
		violation(h, RULE_CQ_IN_USE, object, "HW2SW_CQ");
	}
	dump(q, c->out);
	drop_late(q);
	use_mpt(h, q->lkey, -1);
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

/* --- RESIZE_CQ (11.7) ------------------------------------------------------------------------- */

/*
 * What is outstanding changes under the driver's feet, so too small a size fails without being its
 * fault.
 */
static u8 check_resize(struct hca *h, const struct cmd *c, const struct cq *fresh,
		       const struct cq *old)
{
	char object[24];

	name_cq(object, old->cqn);
	if (!fresh->log_size || (fresh->start & 31))
		return bad_field(h, object, "RESIZE_CQ: log2 of the size or start",
				 get32(c->in + 0x0c));
	if (fresh->log_size > opt_u64(h, "log_max_cqe")) {
		bad_field(h, object, "RESIZE_CQ: log2 of the size", fresh->log_size);
		return CMD_EXCEED_LIM;
	}
	if (outstanding(old) > size_mask(fresh))
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
	waiting = outstanding(q);
	sol = (q->sol_pi - q->ci) & size_mask(q);
	/* legacy flow: software moves what waits to the beginning; fixed flow: indices go on */
	fresh.pi = c->op_mod ? q->pi & size_mask(&fresh) : waiting;
	fresh.ci = (fresh.pi - waiting) & size_mask(&fresh);
	fresh.sol_pi = (fresh.ci + (sol <= waiting ? sol : 0)) & size_mask(&fresh);
	c->out_imm = c->op_mod ? 0 : (u64)waiting << 32;
	use_mpt(h, q->lkey, -1);
	use_mpt(h, fresh.lkey, 1);
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

/* --- life ------------------------------------------------------------------------------------- */

void cq_objects(struct hca *h, struct cJSON *out)
{
	cJSON *list = cJSON_AddArrayToObject(out, "cqs");
	struct cqs *s = cqs_of(h);
	u32 i;

	for (i = 0; s->cq && i <= s->mask; i++) {
		struct cq *q = &s->cq[i];
		cJSON *one;

		if (!q->hw)
			continue;
		one = cJSON_CreateObject();
		cJSON_AddNumberToObject(one, "cqn", q->cqn);
		cJSON_AddNumberToObject(one, "state", q->state);
		cJSON_AddNumberToObject(one, "status", q->status);
		cJSON_AddNumberToObject(one, "entries", size_mask(q) + 1);
		cJSON_AddNumberToObject(one, "outstanding", outstanding(q));
		cJSON_AddNumberToObject(one, "eqn", q->c_eqn);
		cJSON_AddNumberToObject(one, "uar", q->uar);
		cJSON_AddNumberToObject(one, "written", q->written);
		cJSON_AddItemToArray(list, one);
	}
}

void cq_reset(struct hca *h)
{
	struct cqs *s = cqs_of(h);
	u32 i;

	for (i = 0; s->cq && i <= s->mask; i++)
		if (s->cq[i].hw)
			drop_late(&s->cq[i]);
	free(s->cq);
	free(s->mpt_use);
	s->cq = NULL;
	s->mpt_use = NULL;
	s->mask = 0;
}

/*
 * The table has as many entries as INIT_HCA said; the host gives pages only to those that are used.
 */
int cq_init(struct hca *h)
{
	struct cqs *s = cqs_of(h);

	cq_reset(h);
	s->cq = calloc(1u << hca_profile(h)->log_cqs, sizeof(s->cq[0]));
	s->mpt_use = calloc(1u << hca_profile(h)->log_mpts, sizeof(s->mpt_use[0]));
	if (!s->cq || !s->mpt_use)
		return -ENOMEM;
	s->mask = (1u << hca_profile(h)->log_cqs) - 1;
	s->mpt_mask = (1u << hca_profile(h)->log_mpts) - 1;
	return 0;
}

int cq_new(struct hca *h)
{
	struct cqs *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	hca_set_part(h, PART_CQ, s);
	return 0;
}

void cq_delete(struct hca *h)
{
	cq_reset(h);
	free(cqs_of(h));
}
