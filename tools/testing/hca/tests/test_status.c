// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Each command of Tavor mode with each status that is documented for it (tavor-hw 4.5 and 5), over
 * the socket. The table below is that of the reference, not of the model. The last test fails if no
 * test has seen a status.
 */
#include "fabric/wire.h"
#include "tap.h"
#include "traffic.h"

#include <stdlib.h>

#define N_STATUS 0x41
#define WINDOW (1u << 15) /* windows may be bound */

enum needs { NOTHING, SYS_EN, INIT_HCA };

static const struct command {
	u16 opcode;
	u8 needs;
	bool no_modifier; /* the input modifier is 0 */
	u16 op_mods;	  /* bit n: opcode modifier n exists */
	u8 statuses[8];	  /* in addition to 0x00, 0x02 and 0x04, which all have */
} commands[] = {
	{ 0x01, NOTHING, true, 0xd, { 0x07 } },
	{ 0x02, SYS_EN, true, 1, { 0 } },
	{ 0x03, SYS_EN, true, 1, { 0x01 } },
	{ 0x04, NOTHING, true, 1, { 0x01 } },
	{ 0x05, SYS_EN, true, 1, { 0x01 } },
	{ 0x06, SYS_EN, true, 1, { 0x01 } },
	{ 0x07, SYS_EN, true, 1, { 0x01, 0x03, 0x08 } },
	{ 0x08, INIT_HCA, true, 3, { 0 } },
	{ 0x09, INIT_HCA, false, 1, { 0x01, 0x03, 0x08 } },
	{ 0x0a, INIT_HCA, false, 1, { 0x03 } },
	{ 0x0b, INIT_HCA, true, 1, { 0x01 } },
	{ 0x0c, INIT_HCA, false, 1, { 0x01, 0x03 } },
	{ 0x0d, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x09, 0x0a } },
	{ 0x0e, INIT_HCA, false, 1, { 0x01, 0x05, 0x09, 0x0a } },
	{ 0x0f, INIT_HCA, false, 3, { 0x01, 0x05, 0x09, 0x0a, 0x21 } },
	{ 0x10, INIT_HCA, false, 1, { 0x01, 0x03 } },
	{ 0x11, INIT_HCA, false, 1, { 0x01, 0x03 } },
	{ 0x12, INIT_HCA, false, 1, { 0x03, 0x09, 0x0a } },
	{ 0x13, INIT_HCA, false, 1, { 0x01, 0x03, 0x09, 0x0a } },
	{ 0x14, INIT_HCA, false, 1, { 0x01, 0x09, 0x0a } },
	{ 0x15, INIT_HCA, false, 1, { 0x01, 0x09, 0x0a } },
	{ 0x16, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x08, 0x09, 0x0a } },
	{ 0x17, INIT_HCA, false, 1, { 0x01, 0x05, 0x09, 0x0a } },
	{ 0x18, INIT_HCA, false, 1, { 0x01, 0x05, 0x09, 0x0a } },
	{ 0x19, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x09, 0x10 } },
	{ 0x1a, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x1b, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x1c, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x1d, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x1e, INIT_HCA, false, 1, { 0x03, 0x05 } },
	{ 0x1f, INIT_HCA, false, 1, { 0x03, 0x05, 0x10 } },
	{ 0x20, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x21, INIT_HCA, false, 0xf, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x22, INIT_HCA, false, 1, { 0x01, 0x03, 0x05 } },
	{ 0x23, INIT_HCA, false, 3, { 0x03, 0x05, 0x06 } },
	{ 0x24, INIT_HCA, false, 0xff, { 0x01, 0x03, 0x30 } },
	{ 0x25, INIT_HCA, false, 1, { 0x01, 0x0a } },
	{ 0x26, INIT_HCA, false, 1, { 0x01, 0x03, 0x0a } },
	{ 0x27, INIT_HCA, true, 1, { 0x01, 0x03 } },
	{ 0x2c, INIT_HCA, false, 3, { 0x01, 0x03, 0x05, 0x08, 0x09, 0x0a, 0x40 } },
	{ 0x2d, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x2f, INIT_HCA, true, 1, { 0 } },
	{ 0x30, INIT_HCA, true, 0xfc, { 0x01 } },
	{ 0x31, SYS_EN, false, 1, { 0 } },
	{ 0x34, SYS_EN, true, 1, { 0x01, 0x08 } },
	{ 0x35, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x09, 0x0a } },
	{ 0x36, INIT_HCA, false, 1, { 0x01, 0x05, 0x06, 0x09, 0x0a } },
	{ 0x37, INIT_HCA, false, 1, { 0x01, 0x05, 0x09, 0x0a } },
	{ 0x38, INIT_HCA, false, 1, { 0x01, 0x03, 0x05, 0x10 } },
	{ 0x39, INIT_HCA, false, 0x28, { 0x01, 0x03, 0x05, 0x09, 0x0a, 0x21 } },
	{ 0x40, INIT_HCA, false, 1, { 0x03, 0x05, 0x09, 0x0a } },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static u8 seen[0x41][N_STATUS];

static const struct command *find(u16 opcode)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (commands[i].opcode == opcode)
			return &commands[i];
	return NULL;
}

static u8 lowest(u16 op_mods)
{
	return __builtin_ctz(op_mods);
}

static u8 noted(u16 opcode, u8 status)
{
	if (opcode < 0x41 && status < N_STATUS)
		seen[opcode][status] = 1;
	return status;
}

/* Uses both mailboxes. @in_param is only for commands whose input is immediate. */
static u8 run_mod(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param)
{
	return noted(opcode, tc_cmd(opcode, op_mod, in_mod, in_param, tc_bus(tc_out()), NULL));
}

static u8 run(u16 opcode, u32 in_mod)
{
	return run_mod(opcode, lowest(find(opcode)->op_mods), in_mod, tc_bus(tc_in()));
}

static u8 run_imm(u16 opcode, u32 in_mod, u64 in_param)
{
	return run_mod(opcode, 0, in_mod, in_param);
}

/* Discards the violations of the test before. */
static void forget(void)
{
	int rule;

	for (rule = 0; rule < RULE_COUNT; rule++)
		tc_violations(rule);
}

static void up(void)
{
	tc_fresh();
	tc_up();
	tt_port_up();
	forget();
	memset(tc_in(), 0, 4096);
}

static void srq_mailbox(u32 units)
{
	memset(tc_in(), 0, 0x20);
	put32(tc_in() + 4, units);
	put32(tc_in() + 8, TC_PD);
	put32(tc_in() + 12, TC_KEY);
	put32(tc_in() + 16, TC_UAR);
}

/* --- for all commands ------------------------------------------------------------------------ */

/* An undefined opcode and a command that comes too early have different statuses. */
static void check_stage(enum needs stage)
{
	u16 opcode;

	for (opcode = 0; opcode <= 0xfff; opcode = opcode == 0x50 ? 0xff0 : opcode + 1) {
		const struct command *c = find(opcode);

		if (!c)
			CHECK_EQ(run_mod(opcode, 0, 0, 0), CMD_BAD_OP);
		else if (c->needs > stage)
			CHECK_EQ(run(opcode, 0), CMD_BAD_SYS_STATE);
		else
			continue;
		CHECK(tc_violations(c ? RULE_CMD_STATE : RULE_CMD_OPCODE) > 0);
	}
}

static void nothing_goes_before_sys_en(void)
{
	tc_fresh();
	check_stage(NOTHING);
	CHECK_EQ(run(0x04, 0), CMD_OK);
}

static void little_goes_before_init_hca(void)
{
	tc_fresh();
	CHECK_EQ(run(0x01, 0), CMD_OK);
	CHECK_EQ(run(0x01, 0), CMD_BAD_SYS_STATE);
	check_stage(SYS_EN);
	CHECK_EQ(run(0x02, 0), CMD_OK);
	check_stage(NOTHING);
}

/* Modifier 3 is for software that keeps data in the DDR (tavor-hw 5). */
static void sys_en_clears_the_ddr_or_not(void)
{
	u8 byte = 0x5a, back = 0;

	tc_fresh();
	CHECK_EQ(run(0x01, 0), CMD_OK);
	CHECK_EQ(tc_write(4, 0x3000, &byte, 1), 0);
	CHECK_EQ(run(0x02, 0), CMD_OK);
	CHECK_EQ(run_mod(0x01, 3, 0, 0), CMD_OK);
	CHECK_EQ(tc_read(4, 0x3000, &back, 1), 0);
	CHECK_EQ(back, byte);
	CHECK_EQ(run(0x02, 0), CMD_OK);
	CHECK_EQ(run_mod(0x01, 2, 0, 0), CMD_OK);
	CHECK_EQ(tc_read(4, 0x3000, &back, 1), 0);
	CHECK_EQ(back, 0);
}

static void what_is_up_is_not_brought_up_again(void)
{
	up();
	check_stage(INIT_HCA);
	tc_init_hca_mailbox(tc_in());
	CHECK_EQ(run(0x07, 0), CMD_BAD_SYS_STATE);
	CHECK_EQ(run(0x02, 0), CMD_BAD_SYS_STATE);
	CHECK_EQ(run(0x08, 0), CMD_OK);
	CHECK_EQ(run(0x08, 0), CMD_BAD_SYS_STATE);
	CHECK_EQ(run(0x02, 0), CMD_OK);
}

static void only_known_modifiers(void)
{
	size_t i;
	u8 mod;

	up();
	for (i = 0; i < N_COMMANDS; i++)
		for (mod = 0; mod < 16; mod++) {
			if (commands[i].op_mods >> mod & 1)
				continue;
			CHECK_EQ(run_mod(commands[i].opcode, mod, 0, tc_bus(tc_in())), CMD_BAD_OP);
			CHECK(tc_violations(RULE_CMD_OPCODE) +
				      tc_violations(RULE_MAD_IFC_MODIFIER) >
			      0);
		}
}

/*
 * An input modifier that must be 0 is recorded and has no effect. SYS_EN and similar commands come
 * first, while they are legal.
 */
static void input_modifier_where_there_is_none(void)
{
	static const u16 early[] = { 0x04, 0x01, 0x03, 0x05, 0x06, 0x34, 0x02 };
	static const u16 late[] = { 0x0b, 0x2f, 0x30, 0x27, 0x08 };
	size_t i;

	tc_fresh();
	for (i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		CHECK_EQ(run(early[i], 1), CMD_OK);
		CHECK(find(early[i])->no_modifier && tc_violations(RULE_HCR_RESERVED) > 0);
	}
	up();
	tc_in()[0] = 0xff;
	for (i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		CHECK_EQ(run(late[i], 1), CMD_OK);
		CHECK(find(late[i])->no_modifier && tc_violations(RULE_HCR_RESERVED) > 0);
	}
}

/* A mailbox that is not mapped is a bus error, if the command uses it. */
static void mailbox_out_of_reach(void)
{
	static const u16 with_input[] = { 0x09, 0x0c, 0x0d, 0x11, 0x13, 0x16, 0x19, 0x1a,
					  0x1b, 0x1c, 0x1d, 0x20, 0x24, 0x26, 0x27, 0x2c,
					  0x2d, 0x34, 0x35, 0x38, 0x39, 0x07 };
	size_t i;

	up();
	for (i = 0; i < sizeof(with_input) / sizeof(with_input[0]); i++) {
		u8 mod = lowest(find(with_input[i])->op_mods);

		CHECK_EQ(noted(with_input[i], tc_cmd(with_input[i], mod, 2, 0xdead0000, 0, NULL)),
			 CMD_INTERNAL_ERR);
		CHECK(tc_violations(RULE_DMA_UNMAPPED) > 0);
	}
}

static u8 into_nowhere(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param)
{
	u8 status = tc_cmd(opcode, op_mod, in_mod, in_param, 0xdead0000, NULL);

	CHECK(tc_violations(RULE_DMA_UNMAPPED) > 0);
	return noted(opcode, status);
}

static void outbox_out_of_reach(void)
{
	static const u16 plain[] = { 0x03, 0x04, 0x05, 0x06, 0x0b, 0x25 };
	struct tt_qp q = { .qpn = 1030, .service = SVC_UD, .uar = TC_UAR, .cq_log = 6 };
	size_t i;

	up();
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		CHECK_EQ(into_nowhere(plain[i], 0, 0, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x30, 2, 0, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x10, 0, 2, ddr_start(tc_hca()) + 0x1000), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x0e, 0, TC_KEY, 0), CMD_INTERNAL_ERR);
	tt_make(&q);
	CHECK_EQ(into_nowhere(0x22, 0, q.qpn, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x21, 2, q.qpn, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x18, 0, q.cqn, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x17, 0, q.cqn, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x0f, 0, q.key, 0), CMD_INTERNAL_ERR);
	srq_mailbox(4);
	CHECK_EQ(run(0x35, 0x14), CMD_OK);
	CHECK_EQ(into_nowhere(0x37, 0, 0x14, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x36, 0, 0x14, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x15, 0, TC_EQ_CMD, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(into_nowhere(0x14, 0, TC_EQ_CMD, 0), CMD_INTERNAL_ERR);
}

/* --- objects by index ------------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	u32 reserved; /* a reserved index; 0: there are none */
	u32 free;     /* an index without an object */
	u32 beyond;
	u16 give; /* SW2HW */
	u16 others[4];
} kinds[] = {
	{ "MPT", 3, 0x60, 1 << 10, 0x0d, { 0x0e, 0x0f, 0x39 } },
	{ "EQ", 0, 5, 8, 0x13, { 0x14, 0x15, 0x12 } },
	{ "CQ", 0x7f, 0x90, 1 << 24, 0x16, { 0x17, 0x18, 0x2c } },
	{ "SRQ", 3, 0x14, 1 << 5, 0x35, { 0x36, 0x37, 0x40 } },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* MAP_EQ has other bits in its input modifier, and its input and that of ARM_SRQ is immediate. */
static u8 run_on(u16 opcode, u32 index)
{
	return opcode == 0x12 || opcode == 0x40 ? run_imm(opcode, index, 1) : run(opcode, index);
}

static void check_refused(u16 opcode, u32 index, u8 status, enum hca_rule rule)
{
	CHECK_EQ(run_on(opcode, index), status);
	if (!tc_violations(rule)) {
		printf("# opcode 0x%02x, index 0x%x: no %s\n", opcode, index, rule_name(rule));
		CHECK(false);
	}
}

static void index_of_the_firmware_or_beyond(void)
{
	size_t i, j;

	up();
	for (i = 0; i < N_KINDS; i++) {
		const struct kind *k = &kinds[i];

		check_refused(k->give, k->beyond, CMD_BAD_INDEX, RULE_CMD_INDEX);
		if (k->reserved)
			check_refused(k->give, k->reserved, CMD_BAD_RESOURCE, RULE_CMD_INDEX);
		for (j = 0; k->others[j]; j++) {
			check_refused(k->others[j], k->beyond, CMD_BAD_INDEX, RULE_CMD_INDEX);
			if (k->reserved)
				check_refused(k->others[j], k->reserved, CMD_BAD_RESOURCE,
					      RULE_CMD_INDEX);
		}
	}
	check_refused(0x25, 64, CMD_BAD_INDEX, RULE_MGM_INDEX);
	check_refused(0x26, 64, CMD_BAD_INDEX, RULE_MGM_INDEX);
	check_refused(0x09, 3, CMD_BAD_PARAM, RULE_PORT_NUMBER);
	check_refused(0x0a, 0, CMD_BAD_PARAM, RULE_PORT_NUMBER);
	check_refused(0x0c, 3, CMD_BAD_PARAM, RULE_PORT_NUMBER);
	check_refused(0x24, 3, CMD_BAD_PARAM, RULE_MAD_IFC_PORT);
}

static void object_of_the_other_side(void)
{
	static const u32 taken[] = { TC_KEY, TC_EQ_CMD, 0x90, 0x14 };
	size_t i, j;

	up();
	for (i = 0; i < N_KINDS; i++)
		for (j = 0; kinds[i].others[j]; j++)
			check_refused(kinds[i].others[j], kinds[i].free, CMD_BAD_RES_STATE,
				      RULE_CMD_OWNERSHIP);
	tc_cq(0x90, 4);
	srq_mailbox(4);
	CHECK_EQ(run(0x35, 0x14), CMD_OK);
	for (i = 0; i < N_KINDS; i++)
		check_refused(kinds[i].give, taken[i], CMD_BAD_RES_STATE, RULE_CMD_OWNERSHIP);
}

static void srq_contexts_are_judged(void)
{
	up();
	srq_mailbox(1);
	check_refused(0x35, 0x14, CMD_BAD_PARAM, RULE_SRQ_CTX_PARAM);
	srq_mailbox(4);
	put32(tc_in() + 16, 1 << 11);
	check_refused(0x35, 0x14, CMD_BAD_PARAM, RULE_SRQ_CTX_PARAM);
	srq_mailbox(4);
	put32(tc_in() + 24, 1);
	check_refused(0x35, 0x14, CMD_OK, RULE_CMD_RESERVED);
	CHECK_EQ(run_imm(0x40, 0x14, 0x10000), CMD_BAD_PARAM);
	CHECK(tc_violations(RULE_CMD_PARAM) > 0);
	CHECK_EQ(run_imm(0x40, 0x14, 0xffff), CMD_OK);
	CHECK_EQ(run(0x37, 0x14), CMD_OK);
	CHECK_EQ(get16(tc_out() + 20), 0xffff);
	CHECK_EQ(run(0x36, 0x14), CMD_OK);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- queue pairs ------------------------------------------------------------------------------ */

static const u16 qp_commands[] = { 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e,
				   0x1f, 0x20, 0x21, 0x22, 0x2d, 0x38 };

#define N_QP_COMMANDS (sizeof(qp_commands) / sizeof(qp_commands[0]))

static void qp_numbers(void)
{
	struct tt_qp q = { .qpn = 1030, .service = SVC_UD, .uar = TC_UAR, .cq_log = 6 };
	size_t i;

	up();
	tt_make(&q);
	for (i = 0; i < N_QP_COMMANDS; i++) {
		check_refused(qp_commands[i], 1000, CMD_BAD_RESOURCE, RULE_CMD_INDEX);
		check_refused(qp_commands[i], 1 << 24 | 1030, CMD_BAD_PARAM, RULE_QP_CMD_MODIFIER);
		/* the index of another QP: the table has 2048 */
		check_refused(qp_commands[i], 2048 + 1030, CMD_BAD_RESOURCE,
			      qp_commands[i] == 0x19 ? RULE_QP_BUSY : RULE_CMD_INDEX);
	}
	check_refused(0x23, 5, CMD_BAD_PARAM, RULE_QP_CMD_MODIFIER);
	check_refused(0x23, 4, CMD_BAD_RESOURCE, RULE_CMD_INDEX);
	check_refused(0x23, 1030, CMD_RESOURCE_BUSY, RULE_QP_BUSY);
}

#define ALL_STATES 0x7f
#define IN(s) (1u << QP_##s)

/* The legal states for each transition (tavor-hw 12.1). ERR2RST without bit 1 needs ERR. */
static const struct {
	u16 opcode;
	u8 op_mod, from;
} transitions[] = {
	{ 0x19, 0, IN(RESET) },	 { 0x2d, 0, IN(INIT) },	  { 0x1a, 0, IN(INIT) },
	{ 0x1b, 0, IN(RTR) },	 { 0x1c, 0, IN(RTS) },	  { 0x1f, 0, IN(RTS) },
	{ 0x20, 0, IN(SQD) },	 { 0x38, 0, IN(SQD) },	  { 0x1d, 0, IN(SQE) },
	{ 0x1e, 0, ALL_STATES }, { 0x21, 0, IN(ERR) },	  { 0x21, 1, IN(ERR) },
	{ 0x21, 2, ALL_STATES }, { 0x21, 3, ALL_STATES }, { 0x22, 0, ALL_STATES },
};

static void init(struct tt_qp *q)
{
	q->sq = 0;
	tt_init_mailbox(q);
	CHECK_EQ(tc_cmd_in(0x19, 0, q->qpn), CMD_OK);
}

static void into_state(struct tt_qp *q, enum qp_state state)
{
	CHECK_EQ(tc_cmd(0x21, 3, q->qpn, 0, 0, NULL), CMD_OK);
	if (state == QP_RESET)
		return;
	init(q);
	if (state == QP_INIT)
		return;
	if (state == QP_RTR) {
		tt_rtr_mailbox(q, 0);
		CHECK_EQ(tc_cmd_in(0x1a, 0, q->qpn), CMD_OK);
		return;
	}
	tt_connect(q, 0);
	if (state == QP_SQD)
		CHECK_EQ(tc_cmd(0x1f, 0, q->qpn, 0, 0, NULL), CMD_OK);
	if (state == QP_ERR)
		CHECK_EQ(tc_cmd(0x1e, 0, q->qpn, 0, 0, NULL), CMD_OK);
	if (state == QP_SQE) { /* an opcode that is undefined for a datagram service */
		tt_wqe(q);
		tt_ring_send(q, tt_sq_addr(0), WQE_READ, 2);
		TC_UNTIL(tt_state(q) == QP_SQE);
	}
	CHECK_EQ(tt_state(q), state);
}

static void mailbox_for(const struct tt_qp *q, u16 opcode)
{
	memset(tc_in(), 0, 0x108);
	if (opcode == 0x19)
		tt_init_mailbox(q);
	else if (opcode == 0x1a)
		tt_rtr_mailbox(q, 0);
	else if (opcode == 0x1b)
		tt_rts_mailbox(q);
}

static void every_transition_from_every_state(void)
{
	struct tt_qp q = { .qpn = 1030, .service = SVC_UD, .uar = TC_UAR, .cq_log = 6 };
	size_t i;
	int state;

	up();
	tt_make(&q);
	for (state = QP_RESET; state <= QP_ERR; state++)
		for (i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
			u8 want = transitions[i].from >> state & 1 ? CMD_OK : CMD_BAD_QPEE_STATE;
			u8 got;

			into_state(&q, state);
			mailbox_for(&q, transitions[i].opcode);
			got = run_mod(transitions[i].opcode, transitions[i].op_mod, q.qpn,
				      tc_bus(tc_in()));
			if (got != want)
				printf("# opcode 0x%02x, modifier %u, from state %d\n",
				       transitions[i].opcode, transitions[i].op_mod, state);
			CHECK_EQ(got, want);
			if (got)
				CHECK_EQ(tt_state(&q), state);
		}
	/* a driver cannot know that a QP has failed since, so this is no violation */
	CHECK_EQ(tc_violations(RULE_WQE_OPCODE), i);
	CHECK_EQ(tc_any_violation(), 0);
}

static u8 spoilt(struct tt_qp *q, u16 opcode, u32 at, u32 value)
{
	mailbox_for(q, opcode);
	put32(tc_in() + at, get32(tc_in() + at) | value);
	return run(opcode, q->qpn);
}

/* A refused transition leaves the context as it was. */
static void qp_contexts_are_judged(void)
{
	struct tt_qp q = { .qpn = 1030, .service = SVC_RC, .uar = TC_UAR, .cq_log = 6 };

	up();
	tt_make(&q);
	into_state(&q, QP_RESET);
	CHECK_EQ(spoilt(&q, 0x19, 0x14, 1 << 11), CMD_BAD_PARAM); /* no such UAR page */
	CHECK_EQ(spoilt(&q, 0x19, 0x18, 5), CMD_BAD_PARAM);	  /* another QPN */
	CHECK_EQ(spoilt(&q, 0x19, 0x84, 0x10), CMD_BAD_RES_STATE);
	init(&q);
	CHECK_EQ(spoilt(&q, 0x2d, 0, 1 << 4), CMD_OK);
	put32(tc_in(), 1 << 4);
	put32(tc_in() + 0x28, 0x7f); /* P_Key 127 of 64 */
	CHECK_EQ(run(0x2d, q.qpn), CMD_BAD_PARAM);
	CHECK_EQ(spoilt(&q, 0x1a, 0x10, 7u << 29), CMD_BAD_PARAM); /* MTU code 7 */
	mailbox_for(&q, 0x1a);
	tc_in()[0x28 + 5] = 0x80; /* GRH from GID 40 of 32 */
	tc_in()[0x28 + 9] = 40;
	CHECK_EQ(run(0x1a, q.qpn), CMD_BAD_PARAM);
	CHECK_EQ(tt_state(&q), QP_INIT);
	CHECK_EQ(spoilt(&q, 0x1a, 0, 1), CMD_BAD_PARAM); /* alternate path on port 0 */
	CHECK_EQ(spoilt(&q, 0x1a, 0, 0), CMD_OK);
	CHECK_EQ(spoilt(&q, 0x1b, 0, 1), CMD_BAD_PARAM);
	CHECK_EQ(spoilt(&q, 0x1b, 0, 0), CMD_OK);
	CHECK_EQ(spoilt(&q, 0x1c, 0, 1), CMD_BAD_PARAM);
	CHECK_EQ(spoilt(&q, 0x1c, 0, 1 << 10), CMD_BAD_PARAM); /* software must not set ARMED */
	into_state(&q, QP_SQD);
	CHECK_EQ(spoilt(&q, 0x38, 0, 1), CMD_BAD_PARAM);
	CHECK_EQ(spoilt(&q, 0x20, 0, 1), CMD_BAD_PARAM);
	CHECK_EQ(spoilt(&q, 0x20, 0, 0), CMD_OK);
	CHECK_EQ(tc_violations(RULE_QP_CTX_PARAM), 11);
	tc_violations(RULE_QP_CTX_CQ);
	CHECK_EQ(tc_any_violation(), 0);
}

/* Tests depths above QUERY_DEV_LIM (2^3 and 2^7), and the depths that SQD2SQD can set. */
static void responder_and_initiator_depth(void)
{
	struct tt_qp q = { .qpn = 1030, .service = SVC_RC, .uar = TC_UAR, .cq_log = 6 };

	up();
	tt_make(&q);
	into_state(&q, QP_INIT);
	mailbox_for(&q, 0x1a);
	put32(tc_in() + 0x98, 4u << 21);
	CHECK_EQ(run(0x1a, q.qpn), CMD_BAD_PARAM);
	CHECK_EQ(tc_violations(RULE_QP_CTX_PARAM), 1);
	put32(tc_in() + 0x98, 3u << 21);
	put32(tc_in(), 1 << 16);
	put32(tc_in() + 0x0c, 5); /* only INIT2RTR reads the schedule queue */
	CHECK_EQ(run(0x1a, q.qpn), CMD_OK);
	CHECK_EQ(run(0x22, q.qpn), CMD_OK);
	CHECK_EQ(get32(tc_out() + 0x0c), 5);
	into_state(&q, QP_SQD);
	mailbox_for(&q, 0x38);
	put32(tc_in(), 1 << 8 | 1 << 9);
	put32(tc_in() + 0x78, 6u << 21 | 0xa000);
	put32(tc_in() + 0x98, 3u << 21);
	CHECK_EQ(run(0x38, q.qpn), CMD_OK);
	CHECK_EQ(run(0x22, q.qpn), CMD_OK);
	CHECK_EQ(get32(tc_out() + 0x78) >> 21 & 7, 6);
	CHECK_EQ(get32(tc_out() + 0x98) >> 21 & 7, 3);
	CHECK_EQ(tc_any_violation(), 0);
}

static void reserved_bits_of_a_qp_mailbox(void)
{
	static const u32 at[] = { 0x00, 0x04, 0x0c, 0x20, 0x24, 0x28, 0x48, 0x7c, 0xbc, 0x104 };
	struct tt_qp q = { .qpn = 1030, .service = SVC_UC, .uar = TC_UAR, .cq_log = 6 };
	size_t i;

	up();
	tt_make(&q);
	tt_connect(&q, 0);
	CHECK_EQ(tc_any_violation(), 0);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		CHECK_EQ(spoilt(&q, 0x1c, at[i], 1u << 27), CMD_OK);
		if (!tc_violations(RULE_CMD_RESERVED)) {
			printf("# nobody minds bit 27 at 0x%x\n", at[i]);
			CHECK(false);
		}
	}
}

static void a_queue_with_an_srq_gives_no_credits(void)
{
	struct tt_qp q = {
		.qpn = 1030, .service = SVC_RC, .uar = TC_UAR, .cq_log = 6, .srqn = 0x14
	};

	up();
	srq_mailbox(4);
	CHECK_EQ(run(0x35, 0x14), CMD_OK);
	tt_make(&q);
	tt_rtr_mailbox(&q, 0);
	put32(tc_in() + 0x98, get32(tc_in() + 0x98) & ~(1u << 4));
	check_refused(0x1a, q.qpn, CMD_BAD_PARAM, RULE_QP_CTX_PARAM);
	check_refused(0x36, 0x14, CMD_RESOURCE_BUSY, RULE_SRQ_BUSY);
	CHECK_EQ(tc_cmd(0x21, 3, q.qpn, 0, 0, NULL), CMD_OK);
	CHECK_EQ(run(0x36, 0x14), CMD_OK);
}

/* --- other commands --------------------------------------------------------------------------- */

static void init_hca_limits(void)
{
	tc_fresh();
	tc_sys_en();
	tc_init_hca_mailbox(tc_in());
	tc_in()[0x4f] = 31; /* SRQs */
	check_refused(0x07, 0, CMD_EXCEED_LIM, RULE_INIT_HCA_COUNT);
	tc_init_hca_mailbox(tc_in());
	put64(tc_in() + 0x100, 0);
	check_refused(0x07, 0, CMD_BAD_PARAM, RULE_INIT_HCA_TABLE);
	tc_init_hca_mailbox(tc_in());
	CHECK_EQ(run(0x07, 0), CMD_OK);
	tc_fresh();
	tc_sys_en();
	memset(tc_in(), 0, 0x100);
	put32(tc_in(), 1 << 7 | 31);
	check_refused(0x34, 0, CMD_EXCEED_LIM, RULE_CMD_PARAM);
}

static void memory_keys(void)
{
	u64 mtts = ddr_start(tc_hca()) + 0x1000;

	up();
	tc_mpt_mailbox(tc_in(), 0x61, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	check_refused(0x0d, 0x60, CMD_BAD_PARAM, RULE_MPT_KEY);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	CHECK_EQ(run(0x0d, 0x60), CMD_OK);
	CHECK_EQ(run(0x0e, 0x60), CMD_OK);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 4096, 0x40);
	CHECK_EQ(run(0x39, 0x60), CMD_BAD_PARAM);
	CHECK(tc_violations(RULE_MPT_MTT) > 0);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 4096, mtts);
	CHECK_EQ(run_mod(0x39, 5, 0x60, tc_bus(tc_in())), CMD_OK);
	CHECK_EQ(run(0x0f, 0x60), CMD_OK);
	CHECK_EQ(run_imm(0x10, 2, mtts), CMD_OK);
	CHECK_EQ(run_imm(0x10, 2, 0), CMD_BAD_PARAM);
	CHECK_EQ(run_imm(0x10, 0, mtts), CMD_BAD_PARAM);
	CHECK_EQ(run_imm(0x10, 512, mtts), CMD_BAD_PARAM);
	memset(tc_in(), 0, 4096);
	put64(tc_in(), mtts);
	CHECK_EQ(run(0x11, 3), CMD_BAD_PARAM);
	CHECK_EQ(run(0x11, 2), CMD_OK);
	CHECK_EQ(tc_violations(RULE_CMD_PARAM), 4);
	CHECK_EQ(tc_any_violation(), 0);
}

static void a_bound_region_stays(void)
{
	u8 *buf;
	u32 key;

	up();
	buf = tc_alloc(4096, 4096);
	key = tc_mr(buf, 4096, WINDOW | 1 << 11, 0x1000);
	tc_mpt_mailbox(tc_in(), 0x70, 0, 0, 0, 0);
	CHECK_EQ(run(0x0d, 0x70), CMD_OK);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 30, 0x70, key, 0x1000, 4096), 0);
	CHECK_EQ(run(0x0f, key), CMD_REG_BOUND);
	tc_mpt_mailbox(tc_in(), key, 1 << 17 | 1 << 8, 0, 4096, ddr_start(tc_hca()) + 0x1000);
	CHECK_EQ(run(0x39, key), CMD_REG_BOUND);
	check_refused(0x39, 0x70, CMD_BAD_RES_STATE, RULE_CMD_OWNERSHIP); /* there is no region */
	CHECK_EQ(run(0x0f, 0x70), CMD_OK);
	CHECK_EQ(run(0x0f, key), CMD_OK);
	/* a process binds windows, so a bound window is no violation of the driver */
	CHECK_EQ(tc_any_violation(), 0);
}

static void event_queues(void)
{
	up();
	tc_eq_mailbox(tc_in(), tc_alloc(4096, 4096), 1, 0x85);
	check_refused(0x13, 5, CMD_BAD_PARAM, RULE_EQ_FIELD);
	tc_eq_mailbox(tc_in(), tc_alloc(4096, 4096), 6, 0x85);
	CHECK_EQ(run(0x13, 5), CMD_OK);
	CHECK_EQ(run(0x15, 5), CMD_OK);
	CHECK_EQ(run_imm(0x12, TC_EQ_ASYNC, 1 << 9), CMD_OK);
	CHECK_EQ(run_imm(0x12, TC_EQ_ASYNC, 1ull << 40), CMD_BAD_PARAM);
	CHECK(tc_violations(RULE_MAP_EQ_MASK) > 0);
	CHECK_EQ(run(0x14, 5), CMD_OK);
	CHECK_EQ(tc_any_violation(), 0);
}

/* 2^18 entries are too many, and one entry is too few. */
static void cq_sizes_are_judged(u16 opcode)
{
	tc_cq_mailbox(tc_in(), 0x90, 4, TC_UAR);
	tc_in()[0x0c] = 18;
	check_refused(opcode, 0x90, CMD_EXCEED_LIM, RULE_CQ_FIELD);
	tc_cq_mailbox(tc_in(), 0x90, 0, TC_UAR);
	check_refused(opcode, 0x90, CMD_BAD_PARAM, RULE_CQ_FIELD);
}

static void completion_queues(void)
{
	struct cqe cqe = { .qpn = 0x404 };
	int i;

	up();
	cq_sizes_are_judged(0x16);
	tc_cq_mailbox(tc_in(), 0x90, 4, TC_UAR);
	CHECK_EQ(run(0x16, 0x90), CMD_OK);
	CHECK_EQ(run(0x18, 0x90), CMD_OK);
	for (i = 0; i < 8; i++)
		CHECK_EQ(cq_post(tc_hca(), 0x90, &cqe, false), 0);
	tc_cq_mailbox(tc_in(), 0x90, 3, TC_UAR);
	CHECK_EQ(run(0x2c, 0x90), CMD_BAD_SIZE);
	CHECK_EQ(tc_any_violation(), 0); /* the driver cannot know the number of outstanding CQEs */
	cq_sizes_are_judged(0x2c);
	tc_cq_mailbox(tc_in(), 0x90, 5, TC_UAR);
	CHECK_EQ(run(0x2c, 0x90), CMD_OK);
	CHECK_EQ(run(0x17, 0x90), CMD_OK);
}

static void ib_mailbox(u32 flags)
{
	memset(tc_in(), 0, 0x100);
	put32(tc_in(), flags);
	put32(tc_in() + 4, 32);
	put32(tc_in() + 8, 64);
}

static void ports_and_management(void)
{
	up();
	ib_mailbox(4 << 12 | 3 << 8 | 8 << 4);
	CHECK_EQ(run(0x09, 1), CMD_OK);
	ib_mailbox(5 << 12 | 3 << 8 | 8 << 4);
	check_refused(0x09, 1, CMD_EXCEED_LIM, RULE_INIT_IB_LIMIT);
	memset(tc_in(), 0, 0x40);
	put32(tc_in() + 4, 0x02400a68);
	CHECK_EQ(run(0x0c, 1), CMD_OK);
	CHECK_EQ(run(0x0a, 2), CMD_OK);
	memset(tc_in(), 0, 256);
	tc_in()[3] = 0x81; /* a response */
	CHECK_EQ(run_mod(0x24, 3, 1, tc_bus(tc_in())), CMD_BAD_PKT);
	memcpy(tc_in(), "\1\1\1\1", 4);
	put16(tc_in() + 16, 0x11); /* Get(NodeInfo) */
	CHECK_EQ(run_mod(0x24, 3, 1, tc_bus(tc_in())), CMD_OK);
	CHECK_EQ(run(0x25, 0), CMD_OK);
	memset(tc_in(), 0, 256);
	check_refused(0x27, 0, CMD_BAD_PARAM, RULE_MGM_GID);
	CHECK_EQ(run(0x26, 0), CMD_OK);
	put32(tc_in(), 1);
	check_refused(0x26, 0, CMD_BAD_PARAM, RULE_MGM_RESERVED);
	CHECK_EQ(run(0x31, 0x1f), CMD_OK);
	CHECK_EQ(run(0x23, 1024), CMD_OK);
	CHECK_EQ(run(0x23, 0), CMD_OK);
	CHECK_EQ(tc_any_violation(), 0);
}

static void sys_en_with_broken_memory(void)
{
	tc_start("fault=status,on=cmd,op=SYS_EN,status=7,count=1");
	CHECK_EQ(run(0x01, 0), CMD_DDR_MEM_ERR);
	CHECK_EQ(run(0x01, 0), CMD_OK);
	tc_start("");
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool told(const struct command *c, u8 status)
{
	if (seen[c->opcode][status])
		return true;
	printf("# nothing makes opcode 0x%02x end with status 0x%02x\n", c->opcode, status);
	return false;
}

static void every_status_has_been_seen(void)
{
	size_t i, j;

	for (i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];

		CHECK(told(c, CMD_OK));
		CHECK(told(c, CMD_BAD_OP));
		CHECK(c->needs == NOTHING || told(c, CMD_BAD_SYS_STATE));
		for (j = 0; j < 8 && c->statuses[j]; j++)
			CHECK(told(c, c->statuses[j]));
	}
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(nothing_goes_before_sys_en),
		TAP(little_goes_before_init_hca),
		TAP(sys_en_clears_the_ddr_or_not),
		TAP(what_is_up_is_not_brought_up_again),
		TAP(only_known_modifiers),
		TAP(input_modifier_where_there_is_none),
		TAP(mailbox_out_of_reach),
		TAP(outbox_out_of_reach),
		TAP(index_of_the_firmware_or_beyond),
		TAP(object_of_the_other_side),
		TAP(srq_contexts_are_judged),
		TAP(qp_numbers),
		TAP(every_transition_from_every_state),
		TAP(qp_contexts_are_judged),
		TAP(responder_and_initiator_depth),
		TAP(reserved_bits_of_a_qp_mailbox),
		TAP(a_queue_with_an_srq_gives_no_credits),
		TAP(init_hca_limits),
		TAP(memory_keys),
		TAP(a_bound_region_stays),
		TAP(event_queues),
		TAP(completion_queues),
		TAP(ports_and_management),
		TAP(sys_en_with_broken_memory),
		TAP(every_status_has_been_seen),
	};

	tc_start("");
	if (wire_new_all())
		return 1;
	return tap_run_judged(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
