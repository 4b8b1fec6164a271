// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The firmware command interface (tavor-hw 4): the HCR, command slots, the engines that work on
 * them, and completion with and without an event.
 *
 * A command goes HCR -> (GO delay) -> slot, waiting -> engine, running for its latency ->
 * completion. Its input mailbox is read when an engine takes it, its effect and its output appear
 * at the end. With E=0 the HCR stays taken all the while. What a command means is the business of
 * the command tables.
 */
#include "device/cmd.h"

#include "core/bytes.h"
#include "device/device.h"
#include "device/fault.h"
#include "device/queues.h"
#include "device/timing.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define GO (1u << 23)
#define EVENT (1u << 22)
#define MAX_SLOTS 257 /* 2^log_max_cmd and the polled one */
#define MAX_LOST 64
#define HISTORY 1024
#define MAX_OPCODE 0x41

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_RUNNING, SLOT_HELD, SLOT_LATE };

struct mailboxes {
	u64 in, out;
	u32 in_len, out_len;
};

struct slot {
	struct hca *h;
	enum slot_state state;
	const struct cmd_desc *desc;
	struct hca_timer timer;
	struct mailboxes box;
	u64 seq, accepted;
	u8 status;
	bool dup, drop;
	struct cmd c;
};

struct cmd_if {
	u32 hcr[7];
	u8 written; /* which of the six parameters since the last command */
	bool go, no_slot, hung;
	struct hca_timer go_timer;
	struct hca *h;
	struct slot *slots;
	unsigned int n_slots, used, running;
	u64 seq;
	/* mailboxes of commands whose completion was dropped: software cannot know they are free */
	struct mailboxes lost[MAX_LOST];
	unsigned int n_lost;
	const u64 *engines, *go_delay;
	/* statistics */
	u64 executed[MAX_OPCODE], failed[MAX_OPCODE];
	unsigned int deepest;
	struct {
		u64 when;
		u32 used;
	} history[HISTORY];
	u64 n_history;
};

static struct cmd_if *cmd_of(const struct hca *h)
{
	return hca_part(h, PART_CMD);
}

static const char *name_of(const struct cmd *c)
{
	static char text[24];
	const char *name = cmd_name(c->opcode);

	if (name)
		return name;
	snprintf(text, sizeof(text), "command 0x%03x", c->opcode);
	return text;
}

/* --- what two commands may not share ---------------------------------------------------------- */

/* Empty ranges overlap nothing, at any address. */
static bool overlap(u64 a, u32 alen, u64 b, u32 blen)
{
	return alen && blen && a < b + blen && b < a + alen;
}

static bool boxes_clash(const struct mailboxes *a, const struct mailboxes *b)
{
	return overlap(a->in, a->in_len, b->in, b->in_len) ||
	       overlap(a->in, a->in_len, b->out, b->out_len) ||
	       overlap(a->out, a->out_len, b->in, b->in_len) ||
	       overlap(a->out, a->out_len, b->out, b->out_len);
}

/*
 * A mailbox is the firmware's from acceptance to completion (tavor-hw 4.3): software that reuses it
 * before then corrupts a command that is under way.
 */
static void check_mailboxes(struct hca *h, const struct slot *s)
{
	struct cmd_if *f = cmd_of(h);
	unsigned int i;

	for (i = 0; i < f->n_slots; i++) {
		const struct slot *o = &f->slots[i];

		if (o != s && o->state != SLOT_FREE && boxes_clash(&s->box, &o->box))
			violation(h, RULE_CMD_MAILBOX_BUSY, name_of(&s->c),
				  "in 0x%llx out 0x%llx: used by opcode 0x%02x, token 0x%04x",
				  (unsigned long long)s->box.in, (unsigned long long)s->box.out,
				  o->c.opcode, o->c.token);
	}
	for (i = 0; i < f->n_lost; i++)
		if (boxes_clash(&s->box, &f->lost[i]))
			violation(h, RULE_CMD_MAILBOX_BUSY, name_of(&s->c),
				  "in 0x%llx out 0x%llx: used by a command that never completed",
				  (unsigned long long)s->box.in, (unsigned long long)s->box.out);
}

/* Two completions with the same token could not be distinguished. */
static void check_token(struct hca *h, const struct slot *s)
{
	struct cmd_if *f = cmd_of(h);
	unsigned int i;

	for (i = 0; i < f->n_slots; i++) {
		const struct slot *o = &f->slots[i];

		if (o != s && o->state != SLOT_FREE && o->c.event && o->c.token == s->c.token)
			violation(h, RULE_CMD_TOKEN, name_of(&s->c),
				  "token 0x%04x is that of opcode 0x%02x", s->c.token, o->c.opcode);
	}
}

/* A number for the object a command is about; 0: none, or one that may be shared. */
static u64 object_of(const struct cmd *c)
{
	switch (c->opcode) {
	case 0x0d:
	case 0x0e:
	case 0x0f:
	case 0x39:
		return 1ull << 32 | c->in_mod;
	case 0x13:
	case 0x14:
	case 0x15:
		return 2ull << 32 | c->in_mod;
	case 0x16:
	case 0x17:
	case 0x18:
	case 0x2c:
		return 3ull << 32 | c->in_mod;
	case 0x19 ... 0x22:
	case 0x2d:
	case 0x38:
		return 4ull << 32 | (c->in_mod & 0xffffff);
	case 0x25:
	case 0x26:
		return 5ull << 32 | c->in_mod;
	case 0x35:
	case 0x36:
	case 0x37:
	case 0x40:
		return 6ull << 32 | c->in_mod;
	default:
		return 0;
	}
}

/* Two queries of an object at the same time are harmless. */
static bool is_query(const struct cmd *c)
{
	return c->opcode == 0x0e || c->opcode == 0x15 || c->opcode == 0x18 || c->opcode == 0x22 ||
	       c->opcode == 0x25 || c->opcode == 0x37;
}

/*
 * The firmware answers the later of two commands on one object with "busy" (tavor-hw 4.5, status
 * 0x06).
 */
static bool object_busy(struct hca *h, const struct slot *s)
{
	struct cmd_if *f = cmd_of(h);
	u64 object = object_of(&s->c);
	unsigned int i;

	for (i = 0; object && i < f->n_slots; i++) {
		const struct slot *o = &f->slots[i];

		if (o == s || o->state == SLOT_FREE || o->state == SLOT_LATE || o->seq > s->seq ||
		    object_of(&o->c) != object || (is_query(&o->c) && is_query(&s->c)))
			continue;
		violation(h, RULE_CMD_OBJECT_BUSY, name_of(&s->c),
			  "0x%x is the object of opcode 0x%02x, token 0x%04x", s->c.in_mod,
			  o->c.opcode, o->c.token);
		return true;
	}
	return false;
}

/* --- completion ------------------------------------------------------------------------------- */

/* For the control socket: how many commands were outstanding, over time. */
static void note_used(struct cmd_if *f)
{
	if (f->used > f->deepest)
		f->deepest = f->used;
	f->history[f->n_history % HISTORY].when = now_ns();
	f->history[f->n_history % HISTORY].used = f->used;
	f->n_history++;
}

/* The oldest are forgotten first; a driver that loses that many has given up long ago. */
static void remember_lost(struct cmd_if *f, const struct slot *s)
{
	f->lost[f->n_lost % MAX_LOST] = s->box;
	if (f->n_lost < MAX_LOST)
		f->n_lost++;
}

/* EQE of type 0x0a (tavor-hw 10.3): token, status, and the output if it is immediate. */
static void send_event(struct hca *h, const struct cmd *c, u8 status)
{
	u32 data[7] = { c->token, 0, status, c->out_imm >> 32, c->out_imm };

	eq_async(h, EV_CMD, 0, data);
}

/* Without an event the HCR itself carries the result, and GO goes last (tavor-hw 4.2). */
static void finish_polled(struct hca *h, const struct slot *s)
{
	struct cmd_if *f = cmd_of(h);

	if (!s->desc || !s->desc->out_len) {
		f->hcr[3] = s->c.out_imm >> 32;
		f->hcr[4] = s->c.out_imm;
	}
	f->hcr[6] = (f->hcr[6] & 0x003fffff) | (u32)s->status << 24;
	f->go = false;
}

static void start_waiting(struct hca *h);
static void accept(struct hca *h);

/* The slot is free before the event is there to be seen. */
static void complete(struct slot *s)
{
	struct hca *h = s->h;
	struct cmd_if *f = cmd_of(h);

	s->state = SLOT_FREE;
	f->used--;
	note_used(f);
	if (s->drop)
		remember_lost(f, s);
	else if (!s->c.event)
		finish_polled(h, s);
	else
		send_event(h, &s->c, s->status);
	if (s->dup && s->c.event)
		send_event(h, &s->c, s->status);
	if (f->no_slot) {
		f->no_slot = false;
		accept(h);
	}
}

/* An output that cannot be delivered is a bus error while executing (tavor-hw 4.5, status 0x01). */
static void write_output(struct hca *h, struct slot *s)
{
	if (s->status || s->c.no_out || !s->box.out_len)
		return;
	if (dma_write(h, name_of(&s->c), s->c.out_param, s->c.out, s->box.out_len))
		s->status = CMD_INTERNAL_ERR;
}

/* A completion that a fault delays does not hold up the others. */
static bool older_unfinished(const struct cmd_if *f, const struct slot *s)
{
	unsigned int i;

	for (i = 0; i < f->n_slots; i++)
		if (f->slots[i].state != SLOT_FREE && f->slots[i].state != SLOT_LATE &&
		    f->slots[i].seq < s->seq)
			return true;
	return false;
}

/* In order: a command that finished early waits for the older ones. */
static void release_held(struct hca *h)
{
	struct cmd_if *f = cmd_of(h);
	bool again = true;
	unsigned int i;

	while (again) {
		again = false;
		for (i = 0; i < f->n_slots; i++)
			if (f->slots[i].state == SLOT_HELD && !older_unfinished(f, &f->slots[i])) {
				complete(&f->slots[i]);
				again = true;
			}
	}
}

/* The command has been executed; what becomes of its completion is up to faults and order. */
static void finished(struct slot *s)
{
	struct fault_verdict v = fault_cmd_completion(s->h, s->c.opcode);

	s->drop = v.action == FAULT_DROP;
	s->dup = v.action == FAULT_DUP;
	if (v.action == FAULT_DELAY) {
		s->state = SLOT_LATE;
		timer_arm(&s->timer, v.time);
	} else if (timing_order(s->h) == ORDER_INORDER && older_unfinished(cmd_of(s->h), s)) {
		s->state = SLOT_HELD;
	} else {
		complete(s);
	}
	release_held(s->h);
}

/* --- execution -------------------------------------------------------------------------------- */

/* tavor-hw 5: what may be done before SYS_EN and before INIT_HCA. */
static u8 check_state(struct hca *h, const struct slot *s)
{
	bool ok = s->desc->needs == CMD_NEEDS_NOTHING ||
		  (s->desc->needs == CMD_NEEDS_SYS_EN && hca_enabled(h)) || hca_running(h);

	if (ok)
		return CMD_OK;
	violation(h, RULE_CMD_STATE, s->desc->name, "needs %s first",
		  s->desc->needs == CMD_NEEDS_SYS_EN ? "SYS_EN" : "INIT_HCA");
	return CMD_BAD_SYS_STATE;
}

/*
 * Firmware knows only the modifiers of tavor-hw 5; stray bits of an input modifier it does not see.
 */
static u8 check_modifiers(struct hca *h, const struct slot *s)
{
	if (s->c.in_mod & ~s->desc->in_mods)
		violation(h, RULE_HCR_RESERVED, s->desc->name, "input modifier 0x%08x",
			  s->c.in_mod);
	if (s->c.op_mod < 16 && s->desc->op_mods >> s->c.op_mod & 1)
		return CMD_OK;
	violation(h, RULE_CMD_OPCODE, s->desc->name, "opcode modifier %u", s->c.op_mod);
	return CMD_BAD_OP;
}

/* The effect of a command, all at once; a fault may put a status in its place. */
static u8 execute(struct hca *h, struct slot *s)
{
	struct fault_verdict v = fault_cmd(h, s->c.opcode);
	u8 status;

	if (v.action == FAULT_STATUS) {
		/* DDR failures say where: calibration error, DIMM in socket 1 (tavor-hw 6.1) */
		s->c.out_imm =
			v.status == CMD_DDR_MEM_ERR && s->c.opcode == 0x01 ? 4 << 6 | 1 << 4 : 0;
		return v.status;
	}
	if (v.action == FAULT_CATAS) {
		cmd_catastrophe(h, NULL);
		return CMD_INTERNAL_ERR;
	}
	status = check_state(h, s);
	if (status)
		return status;
	status = check_modifiers(h, s);
	return status ? status : s->desc->run(h, &s->c);
}

static void count_result(struct cmd_if *f, const struct slot *s)
{
	if (s->c.opcode >= MAX_OPCODE)
		return;
	f->executed[s->c.opcode]++;
	f->failed[s->c.opcode] += s->status != 0;
}

/* The engine is done with the command, or its delayed completion is due. */
static void on_latency_over(struct hca_timer *t)
{
	struct slot *s = (struct slot *)((char *)t - offsetof(struct slot, timer));
	struct hca *h = s->h;
	struct cmd_if *f = cmd_of(h);

	if (s->state == SLOT_LATE) {
		complete(s);
		return;
	}
	f->running--;
	if (!s->status)
		s->status = execute(h, s);
	if (state_dead(h))
		return;
	write_output(h, s);
	count_result(f, s);
	finished(s);
	start_waiting(h);
}

/* An engine takes the command: from here its mailbox has been read. */
static void start(struct slot *s)
{
	struct hca *h = s->h;

	s->state = SLOT_RUNNING;
	cmd_of(h)->running++;
	s->status = CMD_OK;
	if (!s->desc) {
		violation(h, RULE_CMD_OPCODE, name_of(&s->c), "no such command");
		s->status = CMD_BAD_OP;
	} else if (object_busy(h, s)) {
		s->status = CMD_RESOURCE_BUSY;
	} else if (s->box.in_len && !check_state(h, s) &&
		   dma_read(h, s->desc->name, s->c.in_param, s->c.in, s->box.in_len)) {
		s->status = CMD_INTERNAL_ERR;
	}
	timer_arm(&s->timer, timing_latency(h, s->c.opcode));
}

/* Random order picks each waiting command with equal probability, in one pass. */
static struct slot *pick_waiting(struct hca *h)
{
	struct cmd_if *f = cmd_of(h);
	enum cmd_order order = timing_order(h);
	struct slot *best = NULL;
	unsigned int i, seen = 0;

	for (i = 0; i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];

		if (s->state != SLOT_WAITING)
			continue;
		seen++;
		if (!best || (order == ORDER_RANDOM ? hca_random(h) % seen == 0 :
			      order == ORDER_LIFO   ? s->seq > best->seq :
						      s->seq < best->seq))
			best = s;
	}
	return best;
}

static void start_waiting(struct hca *h)
{
	struct cmd_if *f = cmd_of(h);
	struct slot *s;

	while (!f->hung && f->running < *f->engines && (s = pick_waiting(h)))
		start(s);
}

/* --- acceptance ------------------------------------------------------------------------------- */

/*
 * The last slot is for the one command that may be polled for; it does not count as outstanding.
 */
static struct slot *free_slot(struct cmd_if *f, bool event)
{
	unsigned int i;

	if (!event)
		return f->slots[f->n_slots - 1].state == SLOT_FREE ? &f->slots[f->n_slots - 1] :
								     NULL;
	for (i = 0; i < f->n_slots - 1; i++)
		if (f->slots[i].state == SLOT_FREE)
			return &f->slots[i];
	return NULL;
}

/* The HCR as of now: software may write it again as soon as GO is clear. */
static void load_command(struct cmd_if *f, struct cmd *c)
{
	memset(c, 0, sizeof(*c));
	c->in_param = (u64)f->hcr[0] << 32 | f->hcr[1];
	c->in_mod = f->hcr[2];
	c->out_param = (u64)f->hcr[3] << 32 | f->hcr[4];
	c->token = f->hcr[5] >> 16;
	c->event = f->hcr[6] & EVENT;
	c->op_mod = bits(f->hcr[6], 15, 12);
	c->opcode = bits(f->hcr[6], 11, 0);
}

/*
 * HW2SW_MPT and ERR2RST_QPEE have modifiers that mean "no output", whatever out_param holds
 * (tavor-hw 5).
 */
static bool no_output(const struct cmd *c)
{
	return (c->opcode == 0x0f || c->opcode == 0x21) && (c->op_mod & 1);
}

static void load_slot(struct hca *h, struct slot *s)
{
	struct cmd_if *f = cmd_of(h);

	load_command(f, &s->c);
	s->desc = cmd_find(s->c.opcode);
	s->c.name = name_of(&s->c);
	s->box = (struct mailboxes){ s->c.in_param, s->c.out_param, 0, 0 };
	if (s->desc) {
		s->box.in_len = s->desc->in_size ? s->desc->in_size(&s->c) : s->desc->in_len;
		if (s->box.in_len > sizeof(s->c.in))
			s->box.in_len = sizeof(s->c.in);
		s->box.out_len = no_output(&s->c) ? 0 : s->desc->out_len;
	}
	s->seq = f->seq++;
	s->accepted = now_ns();
	s->state = SLOT_WAITING;
	f->used++;
	note_used(f);
}

/*
 * The firmware copies the HCR. With an event that frees it; with all slots taken it stays busy
 * until one is free, which a driver that counts its commands never sees.
 */
static void accept(struct hca *h)
{
	struct cmd_if *f = cmd_of(h);
	struct slot *s;

	if (f->hung)
		return;
	s = free_slot(f, f->hcr[6] & EVENT);
	if (!s) {
		if (!f->no_slot)
			violation(h, RULE_CMD_SLOTS, "HCR", "%u commands are outstanding", f->used);
		f->no_slot = true;
		return;
	}
	load_slot(h, s);
	check_mailboxes(h, s);
	if (s->c.event) {
		f->go = false;
		f->hcr[6] &= ~GO;
		check_token(h, s);
		if (!eq_type_mapped(h, EV_CMD))
			violation(h, RULE_CMD_NO_EQ, name_of(&s->c), "token 0x%04x", s->c.token);
	}
	start_waiting(h);
}

/* GO has been seen, after its delay. Stuck and hanging firmware never gets further than here. */
static void on_go(struct hca_timer *t)
{
	struct cmd_if *f = (struct cmd_if *)((char *)t - offsetof(struct cmd_if, go_timer));
	struct fault_verdict v = fault_cmd_accept(f->h, bits(f->hcr[6], 11, 0));

	if (v.action == FAULT_GO_STUCK)
		return;
	if (v.action == FAULT_HANG) {
		cmd_hang(f->h);
		return;
	}
	accept(f->h);
}

/* --- the register ----------------------------------------------------------------------------- */

/* A write without GO has no meaning (tavor-hw 4.1). */
static void write_go(struct hca *h, u32 value)
{
	struct cmd_if *f = cmd_of(h);

	if (!(value & GO))
		return;
	if (value & 0xff3f0000)
		violation(h, RULE_HCR_RESERVED, "HCR", "0x%08x written at 0x18", value);
	if (f->written != 0x3f)
		violation(h, RULE_HCR_INCOMPLETE, "HCR", "parameters written: 0x%02x of 0x3f",
			  f->written);
	f->written = 0;
	f->hcr[6] = value & 0x00ffffff;
	f->go = true;
	if (*f->go_delay)
		timer_arm(&f->go_timer, *f->go_delay);
	else
		on_go(&f->go_timer);
}

/*
 * While GO is set the register is the firmware's; a write then would change a command that is being
 * read.
 */
void cmd_hcr_write(struct hca *h, unsigned int index, u32 value)
{
	struct cmd_if *f = cmd_of(h);

	/*
	 * If the device is dead, this is only a register: GO stays set, because no firmware accepts
	 * the command.
	 */
	if (state_dead(h)) {
		if (!(f->hcr[6] & GO))
			f->hcr[index] = index == 6 ? value & 0x00ffffff : value;
		return;
	}
	if (f->go) {
		violation(h, RULE_HCR_BUSY, "HCR", "0x%08x written at 0x%02x", value, index * 4);
		return;
	}
	if (index == 6) {
		write_go(h, value);
		return;
	}
	if (index == 5 && (value & 0xffff))
		violation(h, RULE_HCR_RESERVED, "HCR", "0x%08x written at 0x14", value);
	f->hcr[index] = value;
	f->written |= 1 << index;
}

u32 cmd_hcr_read(struct hca *h, unsigned int index)
{
	return cmd_of(h)->hcr[index];
}

/* --- statistics, start and end ---------------------------------------------------------------- */

unsigned int cmd_outstanding(const struct hca *h)
{
	return cmd_of(h)->used;
}

/* Commands under way never finish; the next one never leaves the HCR. */
void cmd_hang(struct hca *h)
{
	struct cmd_if *f = cmd_of(h);
	unsigned int i;

	f->hung = true;
	for (i = 0; i < f->n_slots; i++)
		timer_cancel(&f->slots[i].timer);
	hca_log(h, "firmware hangs");
}

/*
 * The error buffer is filled and the EQ mapped to type 8 raises its interrupt without an entry
 * (tavor-hw 10.3, 17.6); after that nothing moves until a reset.
 */
void cmd_catastrophe(struct hca *h, const u32 *dwords)
{
	static const u32 internal[CATAS_DWORDS] = { 0x00000000, 0x00000001, 0xdeadbeef };

	regs_catas(h, dwords ? dwords : internal);
	hca_log(h, "catastrophic error");
	count(h, "catastrophe");
	eq_raise(h, EV_LOCAL_CATAS);
	cmd_hang(h);
	state_set_dead(h, true);
}

bool cmd_hung(const struct hca *h)
{
	return cmd_of(h)->hung;
}

static void add_outstanding(const struct cmd_if *f, cJSON *out)
{
	static const char *const states[] = { "free", "waiting", "running", "held", "late" };
	cJSON *list = cJSON_AddArrayToObject(out, "outstanding");
	unsigned int i;

	for (i = 0; i < f->n_slots; i++) {
		const struct slot *s = &f->slots[i];
		cJSON *one;

		if (s->state == SLOT_FREE)
			continue;
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "command", name_of(&s->c));
		cJSON_AddNumberToObject(one, "token", s->c.token);
		cJSON_AddNumberToObject(one, "in_modifier", s->c.in_mod);
		cJSON_AddStringToObject(one, "state", states[s->state]);
		cJSON_AddNumberToObject(one, "age_us", (now_ns() - s->accepted) / 1000);
		cJSON_AddItemToArray(list, one);
	}
}

/* Pairs of [seconds, outstanding], oldest first. */
static void add_history(const struct cmd_if *f, cJSON *out)
{
	cJSON *list = cJSON_AddArrayToObject(out, "history");
	u64 from = f->n_history > HISTORY ? f->n_history - HISTORY : 0;
	u64 i;

	for (i = from; i < f->n_history; i++) {
		double pair[2] = { f->history[i % HISTORY].when / 1e9,
				   f->history[i % HISTORY].used };

		cJSON_AddItemToArray(list, cJSON_CreateDoubleArray(pair, 2));
	}
}

void cmd_stats(const struct hca *h, struct cJSON *out, bool history)
{
	const struct cmd_if *f = cmd_of(h);
	cJSON *done = cJSON_AddObjectToObject(out, "executed");
	cJSON *failed = cJSON_AddObjectToObject(out, "failed");
	int i;

	for (i = 0; i < MAX_OPCODE; i++) {
		if (f->executed[i] && cmd_name(i))
			cJSON_AddNumberToObject(done, cmd_name(i), f->executed[i]);
		if (f->failed[i] && cmd_name(i))
			cJSON_AddNumberToObject(failed, cmd_name(i), f->failed[i]);
	}
	cJSON_AddNumberToObject(out, "deepest", f->deepest);
	cJSON_AddBoolToObject(out, "go", f->go);
	cJSON_AddBoolToObject(out, "hung", f->hung);
	add_outstanding(f, out);
	if (history)
		add_history(f, out);
}

/* All commands are dropped without a completion, at any stage. */
void cmd_reset(struct hca *h)
{
	struct cmd_if *f = cmd_of(h);
	unsigned int i;

	timer_cancel(&f->go_timer);
	for (i = 0; i < f->n_slots; i++) {
		timer_cancel(&f->slots[i].timer);
		f->slots[i].state = SLOT_FREE;
	}
	memset(f->hcr, 0, sizeof(f->hcr));
	f->go = f->no_slot = f->hung = false;
	f->written = 0;
	f->used = f->running = f->n_lost = 0;
}

int cmd_new(struct hca *h)
{
	struct cmd_if *f = calloc(1, sizeof(*f));
	unsigned int i;

	if (!f)
		return -ENOMEM;
	f->h = h;
	f->n_slots = (1u << opt_u64(h, "log_max_cmd")) + 1;
	f->slots = calloc(f->n_slots, sizeof(f->slots[0]));
	if (!f->slots) {
		free(f);
		return -ENOMEM;
	}
	for (i = 0; i < f->n_slots; i++) {
		f->slots[i].h = h;
		timer_setup(&f->slots[i].timer, on_latency_over);
	}
	timer_setup(&f->go_timer, on_go);
	f->engines = opt_ref(h, "engines");
	f->go_delay = opt_ref(h, "go_delay");
	hca_set_part(h, PART_CMD, f);
	return 0;
}

void cmd_delete(struct hca *h)
{
	struct cmd_if *f = cmd_of(h);

	cmd_reset(h);
	free(f->slots);
	free(f);
}
