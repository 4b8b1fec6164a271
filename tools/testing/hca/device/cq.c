// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Completion queues (tavor-hw 11): entries, arming, overflow. Indices are modulo the size of the
 * queue, as in hardware, and one entry always stays free.
 *
 * Every completion calls cq_post(): it does one lookup, one translation and one copy.
 */
#include "device/cq.h"
#include "core/bytes.h"
#include "device/device.h"
#include "device/fault.h"
#include "device/keys.h"
#include "device/queues.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NO_INDEX 0xffffffffu

/* The callbacks into the queue pairs, which are in a higher layer. */
static struct cq_users users;

void cq_set_users(const struct cq_users *u)
{
	users = *u;
}

/*
 * Compares the whole number: the high bits distinguish a CQ from an earlier one with the same index
 * (tavor-hw 11.1).
 */
struct cq *cq_find(struct hca *h, u32 cqn)
{
	struct cqs *s = cqs_of(h);
	struct cq *q;

	if (!s->cq)
		return NULL;
	q = &s->cq[cqn & s->mask];
	return q->hw && q->cqn == cqn ? q : NULL;
}

void cq_name(char *object, u32 cqn)
{
	snprintf(object, 24, "CQ 0x%x", cqn);
}

bool cq_valid(struct hca *h, u32 cqn)
{
	return cq_find(h, cqn);
}

void cq_use_mpt(struct hca *h, u32 key, int delta)
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

/* Is called when an EQ is destroyed, which is rare, so it checks all CQs. */
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
 * A CQ writes one EQE each time it is armed, so that an EQ with an entry for each CQ cannot
 * overflow (tavor-hw 11.5).
 */
static void fire(struct hca *h, struct cq *q)
{
	q->state = CQ_FIRED;
	q->after = 0;
	q->notified = q->pi;
	/* an EQN above 63 means "do not report" */
	if (q->c_eqn < 64)
		eq_completion(h, q->c_eqn, q->cqn);
}

/* Called after a CQE was written: fires if the CQ is armed for it. */
static void notify(struct hca *h, struct cq *q, bool solicited)
{
	if (q->state == CQ_DISARMED || q->state == CQ_FIRED)
		return;
	if (q->after ? cq_outstanding(q) >= q->after : q->state == CQ_ARMED || solicited)
		fire(h, q);
}

void cq_disarm(struct hca *h, u32 cqn)
{
	struct cq *q = cq_find(h, cqn);

	/* an EQE can be read after its CQ is gone (tavor-hw 11.8) */
	if (q)
		q->state = CQ_DISARMED;
	else
		count(h, "disarm_of_no_cq");
}

/* --- errors ----------------------------------------------------------------------------------- */

/*
 * Moves the CQ to error: an event of type 4 (tavor-hw 10.3) goes to its error EQ, and its QPs move
 * to error (tavor-hw 11.6).
 */
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

	cq_name(object, q->cqn);
	blame(h, q->uar, RULE_CQ_OVERFLOW, object, "%u entries, consumer index 0x%x",
	      cq_size_mask(q) + 1, q->ci);
	fail(h, q, CQ_OVERFLOWED, 1);
}

static void write_failed(struct hca *h, struct cq *q)
{
	char object[24];

	if (hca_dead(h))
		return;
	cq_name(object, q->cqn);
	blame(h, q->uar, RULE_CQ_BUFFER, object, "entry 0x%x cannot be written: key 0x%08x PD 0x%x",
	      q->pi, q->lkey, q->pd);
	fail(h, q, CQ_WRITE_FAILED, 2);
}

/*
 * Software has moved the consumer index past an entry without returning its ownership
 * (tavor-hw 11.2).
 */
static void not_owned(struct hca *h, struct cq *q, u8 owner)
{
	char object[24];

	cq_name(object, q->cqn);
	blame(h, q->uar, RULE_CQ_OWNER, object,
	      "entry 0x%x has owner byte 0x%02x, consumer index 0x%x", q->pi, owner, q->ci);
}

/* --- writing entries -------------------------------------------------------------------------- */

/* Builds a CQE (tavor-hw 11.2, 11.3) with owner byte 0, which is software. */
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
 * Checks the owner byte and stores the entry with one translation. The last eight bytes, which
 * contain the owner byte, are stored last. An entry is 32-byte aligned, so it never crosses a page.
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
	if (cq_outstanding(q) == cq_size_mask(q) && !q->overrun_ignore) {
		overflowed(h, q);
		return -EIO;
	}
	build(cqe, raw);
	if (store(h, q, raw)) {
		write_failed(h, q);
		return -EIO;
	}
	solicited |= cqe->error;
	q->pi = (q->pi + 1) & cq_size_mask(q);
	q->written++;
	if (solicited)
		q->sol_pi = q->pi;
	notify(h, q, solicited);
	return 0;
}

/* --- CQEs that a fault delays ----------------------------------------------------------------- */

/* A delayed CQE is discarded when its CQ is gone. */
void cq_drop_late(struct cq *q)
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

/* The list is short and exists only while a fault is active, so an allocation is acceptable. */
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
	/* CQEs of one CQ stay in order: later ones wait, too */
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
	struct cq *q = cq_find(h, cqn);

	if (!q || hca_dead(h)) {
		count(h, "cqe_without_cq");
		return -EIO;
	}
	if (q->late || fault_any_cqe(h))
		return post_with_faults(h, q, cqe, solicited);
	return write_entry(h, q, cqe, solicited);
}

/* --- doorbells -------------------------------------------------------------------------------- */

/* The consumer index must not pass the producer index. */
static void advance(struct hca *h, u32 uar, struct cq *q, u32 step)
{
	char object[24];

	if (step > cq_outstanding(q)) {
		cq_name(object, q->cqn);
		blame(h, uar, RULE_DB_INDEX, object, "consumer index 0x%x + %u, producer 0x%x",
		      q->ci, step, q->pi);
		return;
	}
	q->ci = (q->ci + step) & cq_size_mask(q);
}

/* If there are CQEs after the index that software passes, the CQ fires at once. */
static void arm(struct hca *h, struct cq *q, u32 last)
{
	u32 seen = last == NO_INDEX ? q->ci : (last + 1) & cq_size_mask(q);

	if (q->state == CQ_FIRED)
		return;
	q->state = CQ_ARMED;
	q->after = 0;
	if (q->pi != seen)
		fire(h, q);
}

/* Like arm(), but only for CQEs up to the last solicited one. */
static void arm_solicited(struct hca *h, struct cq *q, u32 last)
{
	u32 seen = last == NO_INDEX ? q->ci : (last + 1) & cq_size_mask(q);
	u32 ahead = (q->sol_pi - seen) & cq_size_mask(q);

	if (q->state == CQ_FIRED)
		return;
	q->state = CQ_ARMED_SOL;
	q->after = 0;
	if (ahead && ahead <= ((q->pi - seen) & cq_size_mask(q)))
		fire(h, q);
}

/* Drivers do not use this command. The count is that of outstanding CQEs. */
static void arm_after(struct hca *h, struct cq *q, u32 n)
{
	if (q->state == CQ_FIRED)
		return;
	q->state = CQ_ARMED;
	q->after = n & 0x7fff;
	if (cq_outstanding(q) >= q->after)
		fire(h, q);
}

/*
 * An index is modulo the size. A number of CQEs to wait for has 15 bits. advance() checks a count
 * of consumed CQEs.
 */
static bool parameter_bad(const struct cq *q, u8 command, u32 lo)
{
	switch (command) {
	case 2:
	case 3:
		return lo > cq_size_mask(q) && lo != NO_INDEX;
	case 4:
		return lo > cq_size_mask(q);
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
		cq_name(object, q->cqn);
		blame(h, uar, RULE_DB_RESERVED, object, "doorbell 0x%08x%08x", hi, lo);
	}
	switch (hi >> 24) {
	case 1:
		/* the parameter is the number of CQEs minus one; it cannot wrap */
		advance(h, uar, q, lo == NO_INDEX ? NO_INDEX : lo + 1);
		break;
	case 2:
		arm(h, q, lo);
		break;
	case 3:
		arm_solicited(h, q, lo);
		break;
	case 4:
		advance(h, uar, q, (lo - q->ci) & cq_size_mask(q));
		break;
	case 5:
		arm_after(h, q, lo);
		break;
	default:
		cq_name(object, q->cqn);
		blame(h, uar, RULE_DB_COMMAND, object, "doorbell 0x%08x%08x", hi, lo);
	}
}

void cq_db(struct hca *h, u32 uar, u32 hi, u32 lo)
{
	u32 cqn = hi & 0xffffff;
	struct cq *q = cq_find(h, cqn);
	char object[24];

	if (q && (uar == q->uar || uar == 1)) {
		obey(h, uar, q, hi, lo);
		return;
	}
	cq_name(object, cqn);
	if (!q) {
		blame(h, uar, RULE_DB_OBJECT, object, "doorbell 0x%08x%08x", hi, lo);
		return;
	}
	blame(h, uar, RULE_UAR_MISMATCH, object, "rung through UAR %u, the context names %u", uar,
	      q->uar);
	eq_misbehaved_uar(h, uar);
}

/* --- for the commands ------------------------------------------------------------------------- */

void cq_start(struct cq *at, const struct cq *q)
{
	*at = *q;
	at->hw = true;
	timer_setup(&at->late_timer, on_late);
	cq_use_mpt(q->h, q->lkey, 1);
}

bool cq_in_use(const struct cq *q)
{
	return users.uses_cq(q->h, q->cqn);
}

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
		cJSON_AddNumberToObject(one, "entries", cq_size_mask(q) + 1);
		cJSON_AddNumberToObject(one, "outstanding", cq_outstanding(q));
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
			cq_drop_late(&s->cq[i]);
	free(s->cq);
	free(s->mpt_use);
	s->cq = NULL;
	s->mpt_use = NULL;
	s->mask = 0;
}

/*
 * The table has the number of entries given to INIT_HCA. The host allocates only the pages that are
 * used.
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
