// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The firmware command interface (tavor-hw 4): the HCR, command slots, the engines that execute
 * commands, and completion with and without an event.
 *
 * A command passes these stages: HCR -> (GO delay) -> slot, waiting -> engine, running for its
 * latency -> completion. Its input mailbox is read when an engine takes it. Its effect and its
 * output appear at the end. With E=0 the HCR stays busy until then. The tables of commands define
 * what a command does.
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
#define MAX_SLOTS 257 /* 2^log_max_cmd, and one for a polled command */
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
	u8 written; /* the parameters (of six) that were written since the last command */
	bool go, no_slot, hung;
	struct hca_timer go_timer;
	struct hca *h;
	struct slot *slots;
	unsigned int n_slots, used, running;
	u64 seq;
	/* mailboxes of commands without completion: software does not know that they are free */
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

/* --- resources that two commands must not share ----------------------------------------------- */

/* An empty range overlaps no other range. */
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
 * The firmware owns a mailbox from acceptance to completion (tavor-hw 4.3). Software that reuses it
 * earlier corrupts an outstanding command.
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

/* Software could not distinguish two completions with the same token. */
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

/*
 * Returns a number for the object of a command; 0 if it has none, or one that commands may share.
 */
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

/* Two concurrent queries of one object are harmless. */
static bool is_query(const struct cmd *c)
{
	return c->opcode == 0x0e || c->opcode == 0x15 || c->opcode == 0x18 || c->opcode == 0x22 ||
	       c->opcode == 0x25 || c->opcode == 0x37;
}

/*
 * If two outstanding commands name the same object, the later one fails with "busy" (tavor-hw 4.5,
 * status 0x06).
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

/* Records the number of outstanding commands over time, for the control socket. */
static void note_used(struct cmd_if *f)
{
	if (f->used > f->deepest)
		f->deepest = f->used;
	f->history[f->n_history % HISTORY].when = now_ns();
	f->history[f->n_history % HISTORY].used = f->used;
	f->n_history++;
}

/*
 * The list keeps the newest entries only. A driver that loses so many completions has failed long
 * before.
 */
static void remember_lost(struct cmd_if *f, const struct slot *s)
{
	f->lost[f->n_lost % MAX_LOST] = s->box;
	if (f->n_lost < MAX_LOST)
		f->n_lost++;
}

/* Writes an EQE of type 0x0a (tavor-hw 10.3): token, status, and the output if it is immediate. */
static void send_event(struct hca *h, const struct cmd *c, u8 status)
{
	u32 data[7] = { c->token, 0, status, c->out_imm >> 32, c->out_imm };

	eq_async(h, EV_CMD, 0, data);
}

/* Without an event the result is in the HCR. GO is cleared last (tavor-hw 4.2). */
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

/* The slot becomes free before the event is visible. */
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

/*
 * If the output mailbox cannot be written, the command fails with a bus error (tavor-hw 4.5, 0x01).
 */
static void write_output(struct hca *h, struct slot *s)
{
	if (s->status || s->c.no_out || !s->box.out_len)
		return;
	if (dma_write(h, name_of(&s->c), s->c.out_param, s->c.out, s->box.out_len))
		s->status = CMD_INTERNAL_ERR;
}

/* A completion that a fault delays does not delay other completions. */
static bool older_unfinished(const struct cmd_if *f, const struct slot *s)
{
	unsigned int i;

	for (i = 0; i < f->n_slots; i++)
		if (f->slots[i].state != SLOT_FREE && f->slots[i].state != SLOT_LATE &&
		    f->slots[i].seq < s->seq)
			return true;
	return false;
}

/* With the order "inorder", a command that has finished waits for all older ones. */
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

/* Is called after the execution. Faults and the order of completions decide when it completes. */
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

/* Checks that SYS_EN or INIT_HCA has been done, if the command needs it (tavor-hw 5). */
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
 * Checks the opcode and input modifiers of tavor-hw 5. An undefined bit of the input modifier is
 * recorded, but the command continues, because firmware does not check it.
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

/* Executes a command at once, or returns the status that a fault sets. */
static u8 execute(struct hca *h, struct slot *s)
{
	struct fault_verdict v = fault_cmd(h, s->c.opcode);
	u8 status;

	if (v.action == FAULT_STATUS) {
		/* SYS_EN reports error and DIMM: calibration error, socket 1 (tavor-hw 6.1) */
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

/* The latency of the command has passed, or the delay of its completion. */
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

/* An engine takes the command and reads its input mailbox. */
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

/* A random order selects each waiting command with equal probability, in one pass. */
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

/* The last slot is for one polled command, beyond the 2^log_max_cmd commands with events. */
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

/* Copies the HCR. Software may write it again as soon as GO is clear. */
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
 * HW2SW_MPT and ERR2RST_QPEE have a modifier for "no output": out_param is then not used
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
 * The firmware copies the HCR. For a command with an event the HCR is then free. If all slots are
 * in use, it stays busy until one is free; a driver that limits its commands never sees this.
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

/*
 * The firmware accepts the command after the GO delay, unless it hangs or GO is stuck by a fault.
 */
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

/* --- the HCR ---------------------------------------------------------------------------------- */

/* A write without GO is an error (tavor-hw 4.1). */
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
 * While GO is set the firmware owns the HCR. A write at this time would change a command that the
 * firmware reads.
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

/* Outstanding commands never complete, and the firmware does not accept the next one. */
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
 * Fills the error buffer, and raises the interrupt of the EQ for type 8 without an EQE
 * (tavor-hw 10.3, 17.6). The device then stops until a reset.
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

/* Adds pairs of [seconds, outstanding commands], oldest first. */
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

/* Drops all commands at any stage, without a completion. */
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
