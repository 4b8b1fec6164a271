// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Shared receive queues (tavor-hw 15): context, doorbell, limit event. */
#include "device/cmd.h"
#include "device/device.h"
#include "qp/qp.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

struct srq {
	struct hca *h;
	char name[16];
	u32 srqn, pd, lkey, uar, hi;
	u32 next; /* address of the next WQE, for QUERY_SRQ */
	u16 limit;
	u8 ds;
	bool failed;
	u32 users; /* attached QPs */
	struct wq_fifo fifo;
};

struct srq_part {
	struct srq **table;
	u32 mask;
};

static struct srq_part *srq_part(const struct hca *h)
{
	return hca_part(h, PART_SRQ);
}

int srq_new(struct hca *h)
{
	struct srq_part *part = calloc(1, sizeof(*part));

	if (!part)
		return -1;
	hca_set_part(h, PART_SRQ, part);
	return 0;
}

/* An SRQN is the index itself, unlike a QPN, which has more bits than the index (tavor-hw 12.1). */
struct srq *srq_lookup(struct hca *h, u32 srqn)
{
	struct srq_part *part = srq_part(h);

	return part->table && srqn <= part->mask ? part->table[srqn] : NULL;
}

u32 srq_pd(const struct srq *srq)
{
	return srq->pd;
}

void srq_use(struct srq *srq, int delta)
{
	srq->users += delta;
}

bool srq_uses_mpt(struct hca *h, u32 key, u32 *uar)
{
	const struct srq_part *part = srq_part(h);
	u32 i;

	for (i = 0; part->table && i <= part->mask; i++)
		if (part->table[i] && key_use_same(h, part->table[i]->lkey, key)) {
			*uar = part->table[i]->uar;
			return true;
		}
	return false;
}

static void srq_delete(struct srq *srq)
{
	key_use(srq->h, srq->lkey, -1);
	srq_part(srq->h)->table[srq->srqn] = NULL;
	wq_free(&srq->fifo);
	free(srq);
}

/* The attached QPs are already gone, or have dropped their reference (qp_reset_all()). */
void srq_reset_all(struct hca *h)
{
	struct srq_part *part = srq_part(h);
	u32 i;

	if (!part->table)
		return;
	for (i = 0; i <= part->mask; i++) {
		if (part->table[i]) {
			wq_free(&part->table[i]->fifo);
			free(part->table[i]);
		}
	}
	free(part->table);
	part->table = NULL;
}

/* --- queue -------------------------------------------------------------------------------- */

/* Reports event 0x12 once. After it the SRQ returns no WQE. */
void srq_fail(struct srq *srq)
{
	u32 data[7] = { srq->srqn };

	if (srq->failed)
		return;
	srq->failed = true;
	eq_async(srq->h, EV_SRQ_CATAS, 0, data);
}

/* Below the limit, one event is reported and the limit is disarmed (tavor-hw 15.3). */
static void check_limit(struct srq *srq)
{
	u32 data[7] = { srq->srqn };

	if (!srq->limit || srq->fifo.wqes >= srq->limit)
		return;
	srq->limit = 0;
	eq_async(srq->h, EV_SRQ_LIMIT, 0, data);
}

/*
 * The limit is checked after a WQE was taken, not when WQEs are posted: the event means that the
 * queue runs empty. A limit above the current number of WQEs fires at the next receive
 * (tavor-hw 15.3).
 */
enum take srq_take(struct srq *srq, struct wqe *w)
{
	struct recv_source s = {
		.h = srq->h,
		.who = srq->name,
		.fifo = &srq->fifo,
		.uar = srq->uar,
		.pd = srq->pd,
		.lkey = srq->lkey,
		.hi = srq->hi,
		.ds = srq->ds,
	};
	enum take t;

	if (srq->failed)
		return TAKE_EMPTY;
	t = wqe_take_recv(&s, w, true);
	if (t != TAKE_EMPTY) {
		srq->next = wq_first(&srq->fifo) ? wq_first(&srq->fifo)->addr : 0;
		check_limit(srq);
	}
	return t;
}

/*
 * The doorbell contains the address of its first WQE. Drivers link to earlier WQEs in different
 * ways, so links are followed only within one doorbell (tavor-hw 15.2).
 */
void srq_db(struct hca *h, u32 uar, u32 srqn, u32 addr, u32 count)
{
	struct srq *srq = srq_lookup(h, srqn);
	struct wq_db db = { .addr = addr, .count = count };
	char name[32];

	if (!srq) {
		snprintf(name, sizeof(name), "SRQ 0x%06x", srqn);
		blame(h, uar, RULE_QP_DB_NONE, name,
		      "receive doorbell of size 0 through UAR page %u", uar);
		return;
	}
	if (uar != srq->uar && uar != 1) {
		blame(h, uar, RULE_QP_DB_UAR, srq->name,
		      "doorbell through UAR page %u, context names %u", uar, srq->uar);
		eq_misbehaved_uar(h, uar);
		return;
	}
	if (!wq_push(&srq->fifo, db)) {
		blame(h, srq->uar, RULE_WQ_OVERFLOW, srq->name, "%u WQEs on top of %u", count,
		      srq->fifo.wqes);
		srq_fail(srq);
	}
}

void srq_objects(struct hca *h, struct cJSON *out)
{
	const struct srq_part *part = srq_part(h);
	cJSON *list = cJSON_AddArrayToObject(out, "srqs");
	u32 i;

	for (i = 0; part->table && i <= part->mask; i++) {
		const struct srq *srq = part->table[i];
		cJSON *one;

		if (!srq)
			continue;
		one = cJSON_CreateObject();
		cJSON_AddNumberToObject(one, "srqn", srq->srqn);
		cJSON_AddNumberToObject(one, "wqes", srq->fifo.wqes);
		cJSON_AddNumberToObject(one, "limit", srq->limit);
		cJSON_AddNumberToObject(one, "qps", srq->users);
		cJSON_AddBoolToObject(one, "failed", srq->failed);
		cJSON_AddItemToArray(list, one);
	}
}

/* --- commands ----------------------------------------------------------------------------- */

/*
 * In a context owned by hardware, the address of the first WQE is that of the next WQE
 * (tavor-hw 15.1).
 */
static void srq_encode(const struct srq *srq, u8 *c, bool hardware)
{
	u32 n = srq->fifo.wqes < 0xffff ? srq->fifo.wqes : 0xffff;
	u32 state = hardware ? srq->failed : 0xf;

	put32(c, srq->hi);
	put32(c + 4, (srq->next & 0xffffffc0u) | srq->ds);
	put32(c + 8, state << 28 | srq->pd);
	put32(c + 12, srq->lkey);
	put32(c + 16, srq->uar);
	put16(c + 20, srq->limit);
	put16(c + 22, n);
}

/* Returns CMD_OK, or the error if this number cannot be an SRQN. */
static u8 srq_number(struct hca *h, const struct cmd *c, struct srq_part **part)
{
	u32 mask = (1u << hca_profile(h)->log_srqs) - 1;
	u8 status = cmd_bad_index(h, c, "SRQ", c->in_mod, RESERVED_SRQS, mask + 1);

	*part = srq_part(h);
	if (status)
		return status;
	if (!(*part)->table) {
		(*part)->mask = mask;
		(*part)->table = calloc(mask + 1ul, sizeof(*(*part)->table));
	}
	return (*part)->table ? CMD_OK : CMD_INTERNAL_ERR;
}

static u8 bad_context(struct hca *h, const struct cmd *c, const char *what, u32 value)
{
	violation(h, RULE_SRQ_CTX_PARAM, c->name, "SRQ 0x%x: %s 0x%x", c->in_mod, what, value);
	return CMD_BAD_PARAM;
}

/* A WQE has room for its link and at least one segment. The state is not checked. */
static u8 check_context(struct hca *h, const struct cmd *c)
{
	u32 uar = get32(c->in + 16), ds = c->in[7] & 0x3f;

	cmd_reserved_bits(h, c, "SRQ", 8, 0x0f000000);
	cmd_reserved_bits(h, c, "SRQ", 16, 0xff000000);
	cmd_reserved(h, c, "SRQ", 24, 32);
	if (ds < 2)
		return bad_context(h, c, "16-byte units of a WQE:", ds);
	if ((uar & 0xffffff) >= BAR2_SIZE / HCA_PAGE)
		return bad_context(h, c, "UAR page", uar & 0xffffff);
	return CMD_OK;
}

static void take_context(struct srq *srq, const u8 *in)
{
	srq->hi = get32(in);
	srq->next = get32(in + 4) & 0xffffffc0u;
	srq->ds = in[7] & 0x3f;
	srq->pd = get32(in + 8) & 0xffffff;
	srq->lkey = get32(in + 12);
	srq->uar = get32(in + 16) & 0xffffff;
	srq->limit = get16(in + 20);
}

static u8 sw2hw_srq(struct hca *h, struct cmd *c)
{
	struct srq_part *part;
	struct srq *srq;
	u8 status = srq_number(h, c, &part);

	if (status)
		return status;
	if (part->table[c->in_mod])
		return cmd_bad_owner(h, c, part->table[c->in_mod]->name, "the hardware");
	status = check_context(h, c);
	if (status)
		return status;
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return CMD_INTERNAL_ERR;
	snprintf(srq->name, sizeof(srq->name), "SRQ 0x%04x", (u16)c->in_mod);
	srq->h = h;
	srq->srqn = c->in_mod;
	take_context(srq, c->in);
	part->table[srq->srqn] = srq;
	/* the key of its buffer is in use, like that of a QP */
	key_use(h, srq->lkey, 1);
	return CMD_OK;
}

/* Returns the SRQ that a command names, or NULL and an error in *status. */
static struct srq *srq_named(struct hca *h, struct cmd *c, u8 *status)
{
	struct srq_part *part;

	*status = srq_number(h, c, &part);
	if (*status)
		return NULL;
	if (!part->table[c->in_mod])
		*status = cmd_bad_owner(h, c, "SRQ", "software");
	return part->table[c->in_mod];
}

static u8 hw2sw_srq(struct hca *h, struct cmd *c)
{
	u8 status;
	struct srq *srq = srq_named(h, c, &status);

	if (!srq)
		return status;
	if (srq->users) {
		violation(h, RULE_SRQ_BUSY, srq->name, "HW2SW_SRQ with %u QPs attached",
			  srq->users);
		return CMD_RESOURCE_BUSY;
	}
	srq_encode(srq, c->out, false);
	srq_delete(srq);
	return CMD_OK;
}

static u8 query_srq(struct hca *h, struct cmd *c)
{
	u8 status;
	struct srq *srq = srq_named(h, c, &status);

	if (!srq)
		return status;
	srq_encode(srq, c->out, true);
	return CMD_OK;
}

static u8 arm_srq(struct hca *h, struct cmd *c)
{
	u8 status;
	struct srq *srq = srq_named(h, c, &status);

	if (!srq)
		return status;
	if (c->in_param > 0xffff) {
		violation(h, RULE_CMD_PARAM, srq->name, "limit 0x%llx",
			  (unsigned long long)c->in_param);
		return CMD_BAD_PARAM;
	}
	srq->limit = c->in_param;
	return CMD_OK;
}

const struct cmd_desc srq_cmds[] = {
	{ 0x35, "SW2HW_SRQ", 0x20, 0, CMD_NEEDS_INIT_HCA, 'A', sw2hw_srq, NULL, 1, ~0u },
	{ 0x36, "HW2SW_SRQ", 0, 0x20, CMD_NEEDS_INIT_HCA, 'A', hw2sw_srq, NULL, 1, ~0u },
	{ 0x37, "QUERY_SRQ", 0, 0x20, CMD_NEEDS_INIT_HCA, 'A', query_srq, NULL, 1, ~0u },
	{ 0x40, "ARM_SRQ", 0, 0, CMD_NEEDS_INIT_HCA, 'B', arm_srq, NULL, 1, ~0u },
	{ 0 },
};
