// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Event queues (tavor-hw 10): contexts, entries and their ownership, arming, interrupts, and the
 * routing of event types. Indices are free-running here; the guest sees them modulo the size of the
 * queue.
 */
#include "core/bytes.h"
#include "core/options.h"
#include "core/report.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/fault.h"
#include "device/keys.h"
#include "device/queues.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_EQS 64
#define EQE_SIZE 32
#define LAST_TYPE 0x14
#define MAX_LATE 64

enum eq_state { EQ_ARMED = 1, EQ_FIRED = 2, EQ_ALWAYS = 3 };
enum { EQ_OK = 0, EQ_OVERFLOWED = 9, EQ_WRITE_FAILED = 0xa };

struct eq {
	bool hw, overrun_ignore;
	u8 state, status, intr, log_size;
	u32 uar, pd, lkey, ci, pi, lost;
	u64 start;
	u64 written; /* statistics */
};

/* An EQE that a fault delays */
struct late_eqe {
	struct hca *h;
	struct hca_timer timer;
	u32 eqn;
	u8 eqe[EQE_SIZE];
};

struct eqs {
	struct eq eq[MAX_EQS];
	signed char route[LAST_TYPE + 1]; /* event type to EQN; -1: none */
	struct late_eqe late[MAX_LATE];
};

/* The callbacks into the completion queues, which are in a higher file. */
static struct eq_users users;

void eq_set_users(const struct eq_users *u)
{
	users = *u;
}

static struct eqs *eqs_of(const struct hca *h)
{
	return hca_part(h, PART_EQ);
}

/*
 * The field of INIT_HCA can ask for 128 EQs, but doorbells and the ECR support only 64
 * (tavor-hw 10.5).
 */
static u32 n_eqs(const struct hca *h)
{
	u32 n = 1u << hca_profile(h)->log_eqs;

	return n < MAX_EQS ? n : MAX_EQS;
}

/* Returns NULL if hardware does not own the EQ. */
static struct eq *find(struct hca *h, u32 eqn)
{
	struct eq *q = eqn < MAX_EQS ? &eqs_of(h)->eq[eqn] : NULL;

	return q && q->hw ? q : NULL;
}

static void name_eq(char *object, u32 eqn)
{
	snprintf(object, 24, "EQ %u", eqn);
}

bool eq_valid(struct hca *h, u32 eqn)
{
	return find(h, eqn);
}

bool eq_type_mapped(struct hca *h, enum hca_event type)
{
	return eqs_of(h)->route[type] >= 0;
}

bool eq_uses_mpt(struct hca *h, u32 key, u32 *uar)
{
	u32 i;

	for (i = 0; i < MAX_EQS; i++) {
		struct eq *q = find(h, i);

		if (q && q->lkey == key) {
			*uar = q->uar;
			return true;
		}
	}
	return false;
}

/* --- firing ----------------------------------------------------------------------------------- */

/*
 * The EQE is in memory before this call, so that a handler finds it (tavor-hw 10.6). The ECR bit is
 * also set before the interrupt: it identifies the device on a shared INTx line.
 */
static void fire(struct hca *h, u32 eqn)
{
	struct eq *q = &eqs_of(h)->eq[eqn];

	if (q->state != EQ_ALWAYS)
		q->state = EQ_FIRED;
	regs_ecr_set(h, eqn);
	pci_raise(h, q->intr);
}

/*
 * A queue that has fired is quiet until software arms it. Arming checks for EQEs that came since.
 */
static void written(struct hca *h, u32 eqn)
{
	if (eqs_of(h)->eq[eqn].state != EQ_FIRED)
		fire(h, eqn);
}

/*
 * Raises the interrupt for type 8, which has no EQE (tavor-hw 10.3): software then reads the error
 * buffer.
 */
void eq_raise(struct hca *h, enum hca_event type)
{
	int eqn = eqs_of(h)->route[type];

	if (eqn >= 0 && find(h, eqn)) {
		regs_ecr_set(h, eqn);
		pci_raise(h, find(h, eqn)->intr);
	}
}

/* --- writing entries -------------------------------------------------------------------------- */

/* Is reported once. The context counts the lost EQEs (tavor-hw 10.1). */
static void overflowed(struct hca *h, u32 eqn, struct eq *q, u8 type)
{
	u32 data[7] = { 0, 0, 1 };
	char object[24];

	name_eq(object, eqn);
	q->lost++;
	if (q->status == EQ_OVERFLOWED)
		return;
	violation(h, RULE_EQ_OVERFLOW, object, "type 0x%02x lost: %u entries, consumer index 0x%x",
		  type, 1u << q->log_size, q->ci & ((1u << q->log_size) - 1));
	q->status = EQ_OVERFLOWED;
	if (eqs_of(h)->route[EV_EQ_OVERFLOW] != (int)eqn)
		eq_async(h, EV_EQ_OVERFLOW, 0, data);
}

/* Moves the EQ to status 0xA (tavor-hw 10.1); it gets no more EQEs. */
static void write_failed(struct hca *h, u32 eqn, struct eq *q)
{
	char object[24];

	if (q->status || hca_dead(h))
		return;
	name_eq(object, eqn);
	violation(h, RULE_EQ_BUFFER, object, "entry 0x%x cannot be written: key 0x%08x PD 0x%x",
		  q->pi & ((1u << q->log_size) - 1), q->lkey, q->pd);
	q->status = EQ_WRITE_FAILED;
}

/* The overflow check uses the consumer index that software has set (tavor-hw 10.2). */
static void write_entry(struct hca *h, u32 eqn, const u8 *eqe)
{
	struct eq *q = find(h, eqn);
	u32 mask, slot;
	char object[24];
	u8 *p;
	u64 va;

	if (!q) {
		count(h, "event_dropped");
		return;
	}
	mask = (1u << q->log_size) - 1;
	if (q->pi - q->ci > mask && !q->overrun_ignore) {
		overflowed(h, eqn, q, eqe[1]);
		return;
	}
	slot = q->pi & mask;
	va = q->start + (u64)slot * EQE_SIZE;
	name_eq(object, eqn);
	p = tpt_peek(h, object, q->lkey, q->pd, va, EQE_SIZE, TPT_LOCAL_WRITE);
	if (p && !(p[31] & 0x80) && !q->overrun_ignore)
		violation(h, RULE_EQ_OWNER, object,
			  "entry 0x%x has owner byte 0x%02x, consumer index 0x%x", slot, p[31],
			  q->ci & mask);
	if (tpt_write(h, object, q->lkey, q->pd, va, eqe, EQE_SIZE, TPT_LOCAL_WRITE)) {
		write_failed(h, eqn, q);
		return;
	}
	q->pi++;
	q->written++;
	written(h, eqn);
}

static void on_late(struct hca_timer *t)
{
	struct late_eqe *l = (struct late_eqe *)((char *)t - offsetof(struct late_eqe, timer));

	write_entry(l->h, l->eqn, l->eqe);
}

/* EQEs are independent of each other, so later ones may overtake a delayed one. */
static bool hold_back(struct hca *h, u32 eqn, const u8 *eqe, u64 time)
{
	int i;

	for (i = 0; i < MAX_LATE; i++) {
		struct late_eqe *l = &eqs_of(h)->late[i];

		if (timer_armed(&l->timer))
			continue;
		l->eqn = eqn;
		memcpy(l->eqe, eqe, EQE_SIZE);
		timer_arm(&l->timer, time);
		return true;
	}
	return false;
}

/* Writes an EQE with owner byte 0, which is software, unless a fault drops or delays it. */
static void post(struct hca *h, u32 eqn, u8 type, u8 subtype, const u32 data[7])
{
	struct fault_verdict v = fault_eqe(h, type, eqn);
	u8 eqe[EQE_SIZE] = { 0 };
	int i;

	if (hca_dead(h) || v.action == FAULT_DROP)
		return;
	eqe[1] = type;
	eqe[3] = subtype;
	for (i = 0; i < 6; i++)
		put32(eqe + 4 + 4 * i, data[i]);
	if (v.action == FAULT_DELAY && hold_back(h, eqn, eqe, v.time))
		return;
	write_entry(h, eqn, eqe);
	if (v.action == FAULT_DUP)
		write_entry(h, eqn, eqe);
}

/*
 * Drops an event if its type is mapped to no EQ (tavor-hw 10.4). mthca, for example, does not map
 * type 0x0f.
 */
void eq_async(struct hca *h, enum hca_event type, u8 subtype, const u32 data[7])
{
	int eqn = eqs_of(h)->route[type];

	if (eqn < 0)
		count(h, "event_unmapped");
	else
		post(h, eqn, type, subtype, data);
}

void eq_qp_event(struct hca *h, enum hca_event type, u32 qpn)
{
	u32 data[7] = { qpn & 0xffffff };

	eq_async(h, type, 0, data);
}

void eq_completion(struct hca *h, u32 eqn, u32 cqn)
{
	u32 data[7] = { cqn & 0xffffff };

	post(h, eqn, EV_COMP, 0, data);
}

void eq_post_to(struct hca *h, u32 eqn, enum hca_event type, const u32 data[7])
{
	post(h, eqn, type, 0, data);
}

/* Whether hardware does this is not known (tavor-hw 19.1). */
void eq_misbehaved_uar(struct hca *h, u32 uar)
{
	const u32 data[7] = { 0, 0, 2, uar };

	if (opt_bool(h, "uar_event"))
		eq_async(h, EV_LOCAL_CATAS, 0, data);
}

/* --- doorbells -------------------------------------------------------------------------------- */

/* Software passes the index modulo the size. The consumer must not pass the producer. */
static void set_ci(struct hca *h, u32 uar, u32 eqn, struct eq *q, u32 index)
{
	u32 mask = (1u << q->log_size) - 1;
	u32 step = (index - q->ci) & mask;
	char object[24];

	name_eq(object, eqn);
	if (index > mask)
		blame(h, uar, RULE_DB_RESERVED, object, "consumer index 0x%x of %u entries", index,
		      mask + 1);
	if (step > q->pi - q->ci) {
		blame(h, uar, RULE_DB_INDEX, object, "consumer index 0x%x, producer 0x%x", index,
		      q->pi & mask);
		return;
	}
	q->ci += step;
}

/*
 * In MSI-X mode mthca sets its consumer index, arms the EQ, and does not read the EQ again. An EQE
 * written in between would be lost if arming did not compare the indices (tavor-hw 10.5).
 */
static void arm(struct hca *h, u32 eqn, struct eq *q, u8 state)
{
	q->state = state;
	/* the EQ fires at once if it has EQEs */
	if (q->pi != q->ci)
		fire(h, eqn);
}

/* Returns the defined bits of a command's low dword. set_ci() checks an index. */
static u32 parameter_bits(u8 command)
{
	return command == 3 ? 0xffffff : command == 4 ? ~0u : 0;
}

static void obey(struct hca *h, u32 uar, u32 eqn, struct eq *q, u32 hi, u32 lo)
{
	char object[24];

	switch (hi >> 24) {
	case 1:
		set_ci(h, uar, eqn, q, (q->ci + 1) & ((1u << q->log_size) - 1));
		break;
	case 2:
		arm(h, eqn, q, EQ_ARMED);
		break;
	case 3:
		users.disarm(h, lo & 0xffffff);
		break;
	case 4:
		set_ci(h, uar, eqn, q, lo);
		break;
	case 5:
		arm(h, eqn, q, EQ_ALWAYS);
		break;
	default:
		name_eq(object, eqn);
		blame(h, uar, RULE_DB_COMMAND, object, "doorbell 0x%08x%08x", hi, lo);
	}
}

void eq_db(struct hca *h, u32 uar, u32 hi, u32 lo)
{
	u32 eqn = hi & 0x3f;
	struct eq *q = find(h, eqn);
	char object[24];

	name_eq(object, eqn);
	if (!q) {
		blame(h, uar, RULE_DB_OBJECT, object, "doorbell 0x%08x%08x", hi, lo);
		return;
	}
	if (uar != q->uar && uar != 1) {
		blame(h, uar, RULE_UAR_MISMATCH, object,
		      "rung through UAR %u, the context names %u", uar, q->uar);
		eq_misbehaved_uar(h, uar);
		return;
	}
	if ((hi & 0x00ffffc0) || (lo & ~parameter_bits(hi >> 24)))
		blame(h, uar, RULE_DB_RESERVED, object, "doorbell 0x%08x%08x", hi, lo);
	obey(h, uar, eqn, q, hi, lo);
}

/* --- SW2HW_EQ --------------------------------------------------------------------------------- */

static u8 bad_field(struct hca *h, const char *object, const char *what, u32 value)
{
	violation(h, RULE_EQ_FIELD, object, "%s 0x%x", what, value);
	return CMD_BAD_PARAM;
}

/* Status, owner and producer index are outputs, so they are not read (tavor-hw 10.1). */
static void parse(const u8 *in, struct eq *q)
{
	u32 w0 = get32(in);

	memset(q, 0, sizeof(*q));
	q->overrun_ignore = bits(w0, 17, 17);
	q->state = bits(w0, 9, 8);
	q->start = get64(in + 0x04);
	q->log_size = bits(get32(in + 0x0c), 28, 24);
	q->uar = bits(get32(in + 0x0c), 23, 0);
	q->pd = bits(get32(in + 0x10), 23, 0);
	q->intr = in[0x17];
	q->lkey = get32(in + 0x1c);
}

static void check_reserved(struct hca *h, const struct cmd *c, const char *object)
{
	cmd_reserved_bits(h, c, object, 0x00, 0x00f9fcff);
	cmd_reserved_bits(h, c, object, 0x10, 0xff000000);
	cmd_reserved_bits(h, c, object, 0x14, 0xffffff00);
	cmd_reserved(h, c, object, 0x18, 0x1c);
	cmd_reserved(h, c, object, 0x20, 0x40);
}

static u8 check(struct hca *h, const struct cmd *c, const char *object, const struct eq *q)
{
	u8 status;

	check_reserved(h, c, object);
	status = cmd_check_queue(h, c, object, RULE_EQ_FIELD);
	if (status)
		return status;
	if (q->state == 0)
		return bad_field(h, object, "state", q->state);
	if (q->log_size < 2 || q->log_size > 24)
		return bad_field(h, object, "log2 of the size", q->log_size);
	if (!pci_intr_valid(h, q->intr))
		return bad_field(h, object, "interrupt", q->intr);
	if (tpt_check(h, q->lkey, q->pd, q->start, (u64)EQE_SIZE << q->log_size, TPT_LOCAL_WRITE)) {
		violation(h, RULE_EQ_BUFFER, object, "%u entries at 0x%llx: key 0x%08x PD 0x%x",
			  1u << q->log_size, (unsigned long long)q->start, q->lkey, q->pd);
		return CMD_BAD_PARAM;
	}
	return CMD_OK;
}

static u8 sw2hw_eq(struct hca *h, struct cmd *c)
{
	struct eq q;
	char object[24];
	u8 status;

	status = cmd_bad_index(h, c, "EQ", c->in_mod, 0, n_eqs(h));
	if (status)
		return status;
	name_eq(object, c->in_mod);
	if (find(h, c->in_mod))
		return cmd_bad_owner(h, c, object, "the hardware");
	parse(c->in, &q);
	status = check(h, c, object, &q);
	if (status)
		return status;
	q.hw = true;
	eqs_of(h)->eq[c->in_mod] = q;
	report_kernel_uar(h, q.uar);
	return CMD_OK;
}

/* --- HW2SW_EQ, QUERY_EQ, MAP_EQ --------------------------------------------------------------- */

static void build(const struct eq *q, u8 *out)
{
	u32 mask = (1u << q->log_size) - 1;

	put32(out, (u32)q->status << 28 | 1u << 24 | 1u << 18 | (u32)q->overrun_ignore << 17 |
			   (u32)q->state << 8);
	put64(out + 0x04, q->start);
	put32(out + 0x0c, (u32)q->log_size << 24 | q->uar);
	put32(out + 0x10, q->pd);
	out[0x17] = q->intr;
	put32(out + 0x18, q->lost);
	put32(out + 0x1c, q->lkey);
	put32(out + 0x28, q->ci & mask);
	put32(out + 0x2c, q->pi & mask);
}

static u8 owned(struct hca *h, const struct cmd *c, struct eq **q)
{
	u8 status = cmd_bad_index(h, c, "EQ", c->in_mod, 0, n_eqs(h));
	char object[24];

	if (status)
		return status;
	*q = find(h, c->in_mod);
	if (*q)
		return CMD_OK;
	name_eq(object, c->in_mod);
	return cmd_bad_owner(h, c, object, "software");
}

/* Event types must be unmapped first, or later events would have no EQ (tavor-hw 10.7). */
static void check_unused(struct hca *h, u32 eqn)
{
	char object[24];
	int i;

	name_eq(object, eqn);
	for (i = 0; i <= LAST_TYPE; i++)
		if (eqs_of(h)->route[i] == (int)eqn) {
			violation(h, RULE_EQ_MAPPED, object, "event type 0x%02x is mapped to it",
				  i);
			eqs_of(h)->route[i] = -1;
		}
	if (users.uses_eq(h, eqn))
		violation(h, RULE_EQ_MAPPED, object, "a CQ of the hardware reports to it");
}

static void drop_late(struct hca *h, u32 eqn)
{
	int i;

	for (i = 0; i < MAX_LATE; i++)
		if (eqs_of(h)->late[i].eqn == eqn)
			timer_cancel(&eqs_of(h)->late[i].timer);
}

/* Unread EQEs stay in the queue (tavor-hw 10.7). EQEs that a fault delays are lost. */
static u8 hw2sw_eq(struct hca *h, struct cmd *c)
{
	struct eq *q;
	u8 status;

	status = owned(h, c, &q);
	if (status)
		return status;
	check_unused(h, c->in_mod);
	build(q, c->out);
	/* the returned context has software as its owner */
	put32(c->out, get32(c->out) & ~0x0f000000u);
	drop_late(h, c->in_mod);
	q->hw = false;
	return CMD_OK;
}

static u8 query_eq(struct hca *h, struct cmd *c)
{
	struct eq *q;
	u8 status;

	status = owned(h, c, &q);
	if (!status)
		build(q, c->out);
	return status;
}

/* A type can be mapped again to another EQ. Unmapping must name its current EQ (tavor-hw 10.4). */
static void map_type(struct hca *h, int type, u32 eqn, bool unmap)
{
	struct eqs *s = eqs_of(h);
	char object[24];

	if (!unmap) {
		s->route[type] = eqn;
		return;
	}
	if (s->route[type] != (int)eqn) {
		name_eq(object, eqn);
		violation(h, RULE_MAP_EQ_MASK, object, "event type 0x%02x is not mapped to it",
			  type);
		return;
	}
	s->route[type] = -1;
}

/*
 * Here the input modifier is more than the EQN. Undefined bits are an error of the parameter and
 * not of the index.
 */
static u8 map_eq(struct hca *h, struct cmd *c)
{
	u32 eqn = c->in_mod & 0x3f;
	bool unmap = c->in_mod >> 31;
	char object[24];
	int i;

	name_eq(object, eqn);
	if (c->in_mod & 0x7fffffc0)
		violation(h, RULE_CMD_PARAM, object, "MAP_EQ: input modifier 0x%08x", c->in_mod);
	if (cmd_bad_index(h, c, "EQ", eqn, 0, n_eqs(h)))
		return CMD_BAD_INDEX;
	if (!find(h, eqn))
		return cmd_bad_owner(h, c, object, "software");
	if (c->in_param >> (LAST_TYPE + 1)) {
		violation(h, RULE_MAP_EQ_MASK, object, "mask 0x%llx",
			  (unsigned long long)c->in_param);
		return CMD_BAD_PARAM;
	}
	for (i = 0; i <= LAST_TYPE; i++)
		if (c->in_param >> i & 1)
			map_type(h, i, eqn, unmap);
	return CMD_OK;
}

const struct cmd_desc eq_cmds[] = {
	{ 0x12, "MAP_EQ", 0, 0, CMD_NEEDS_INIT_HCA, 'B', map_eq, NULL, 1, ~0u },
	{ 0x13, "SW2HW_EQ", 0x40, 0, CMD_NEEDS_INIT_HCA, 'A', sw2hw_eq, NULL, 1, ~0u },
	{ 0x14, "HW2SW_EQ", 0, 0x40, CMD_NEEDS_INIT_HCA, 'A', hw2sw_eq, NULL, 1, ~0u },
	{ 0x15, "QUERY_EQ", 0, 0x40, CMD_NEEDS_INIT_HCA, 'A', query_eq, NULL, 1, ~0u },
	{ 0 }
};

/* --- life ------------------------------------------------------------------------------------- */

void eq_objects(struct hca *h, struct cJSON *out)
{
	cJSON *list = cJSON_AddArrayToObject(out, "eqs");
	u32 i;

	for (i = 0; i < MAX_EQS; i++) {
		struct eq *q = find(h, i);
		cJSON *one;

		if (!q)
			continue;
		one = cJSON_CreateObject();
		cJSON_AddNumberToObject(one, "eqn", i);
		cJSON_AddNumberToObject(one, "state", q->state);
		cJSON_AddNumberToObject(one, "status", q->status);
		cJSON_AddNumberToObject(one, "entries", 1u << q->log_size);
		cJSON_AddNumberToObject(one, "outstanding", q->pi - q->ci);
		cJSON_AddNumberToObject(one, "written", q->written);
		cJSON_AddNumberToObject(one, "lost", q->lost);
		cJSON_AddItemToArray(list, one);
	}
}

/* CLOSE_HCA also calls this. Delayed EQEs are discarded, because their queue is gone. */
void eq_reset(struct hca *h)
{
	struct eqs *s = eqs_of(h);
	int i;

	for (i = 0; i < MAX_LATE; i++)
		timer_cancel(&s->late[i].timer);
	memset(s->eq, 0, sizeof(s->eq));
	memset(s->route, -1, sizeof(s->route));
}

int eq_new(struct hca *h)
{
	struct eqs *s = calloc(1, sizeof(*s));
	int i;

	if (!s)
		return -ENOMEM;
	for (i = 0; i < MAX_LATE; i++) {
		s->late[i].h = h;
		timer_setup(&s->late[i].timer, on_late);
	}
	hca_set_part(h, PART_EQ, s);
	eq_reset(h);
	return 0;
}

void eq_delete(struct hca *h)
{
	eq_reset(h);
	free(eqs_of(h));
}
