// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Reset by register in every state (tavor-hw 3): of the firmware, of a command, of a queue pair, of
 * the interrupt. After it nothing is written to memory, and the device comes up as after power-on,
 * for each of its device IDs.
 */
#include "tap.h"
#include "traffic.h"

#include "core/options.h"
#include "device/cmd.h"
#include "fabric/wire.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

#define VA 0x10000000u
#define HALF (1u << 20)
#define ACCESS (1 << 14 | 1 << 13 | 1 << 12 | 1 << 11)

static u32 key;
static bool wired = true; /* only the first HCA has cables */

static void set(const char *name, const char *value)
{
	char why[OPT_WHY];

	CHECK_EQ(opt_set(OPT_ALL, name, value, why), 0);
}

static u64 sum_of_memory(void)
{
	const u64 *p = (const u64 *)tc_ram();
	u64 sum = 0;
	size_t i;

	for (i = 0; i < TC_RAM / 8; i++)
		sum = sum * 31 + p[i];
	return sum;
}

/*
 * Checks that registers and configuration are as after power-on, then brings the device up with an
 * event.
 */
static void comes_back(const char *state)
{
	const u8 *e;
	u64 before;

	tc_reg_write(0xf0010, 1);
	before = sum_of_memory();
	tc_wait(5000000);
	CHECK_EQ(sum_of_memory(), before);
	TC_UNTIL(tc_cfg32(0) != 0xffffffff);
	CHECK_EQ(tc_cfg32(PCI_COMMAND) & 0xffff, 0);
	CHECK_EQ(tc_cfg32(PCI_BASE_ADDRESS_0) & ~0xfu, 0);
	tc_enable();
	CHECK_EQ(tc_reg(0x80698), 0);
	CHECK_EQ(tc_reg(0x80700) | tc_reg(0x80704), 0);
	CHECK_EQ(tc_reg(CATAS_OFFSET) | tc_reg(CATAS_OFFSET + 4), 0);
	CHECK_EQ(cmd_outstanding(tc_hca()), 0);
	CHECK(!hca_enabled(tc_hca()) && !hca_running(tc_hca()) && !hca_dead(tc_hca()));
	set("profile", "fast");
	set("fault", "");
	tc_any_violation();
	tc_up();
	tc_post(0x31, 0, 0x1f, 0, 0, 0x77);
	e = tc_eqe(TC_EQ_CMD);
	CHECK(e && get16(e + 6) == 0x77);
	CHECK(!tc_eqe(TC_EQ_CMD) && !tc_eqe(TC_EQ_ASYNC));
	CHECK_EQ(tc_any_violation(), 0);
	if (!tap_ok)
		printf("# after a reset %s\n", state);
}

/* --- the firmware --------------------------------------------------------------------------- */

static void off(void)
{
	tc_fresh();
}

static void enabled(void)
{
	tc_fresh();
	tc_sys_en();
}

static void running(void)
{
	tc_fresh();
	tc_init_hca();
}

static void up(void)
{
	tc_fresh();
	tc_up();
}

static void port_open(void)
{
	up();
	if (wired)
		tt_port_up();
}

static void closed(void)
{
	up();
	CHECK_EQ(tc_cmd(0x08, 1, 0, 0, 0, NULL), 0);
}

static void disabled(void)
{
	closed();
	CHECK_EQ(tc_cmd(0x02, 0, 0, 0, 0, NULL), 0);
}

static void fenced(void)
{
	up();
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
}

static void dead(void)
{
	up();
	cmd_catastrophe(tc_hca(), NULL);
	CHECK(tc_reg(CATAS_OFFSET + 4));
}

static void hanging(void)
{
	up();
	cmd_hang(tc_hca());
	tc_reg_write(0x80680, 1);
}

static const struct {
	const char *name;
	void (*enter)(void);
} firmware_states[] = {
	{ "after power-on", off },
	{ "after SYS_EN", enabled },
	{ "after INIT_HCA", running },
	{ "with queues and interrupts", up },
	{ "with an active port", port_open },
	{ "after CLOSE_HCA", closed },
	{ "after SYS_DIS", disabled },
	{ "with bus mastering taken away", fenced },
	{ "after a catastrophe", dead },
	{ "with hanging firmware", hanging },
};

static void every_state_of_the_firmware(void)
{
	size_t i;

	for (i = 0; i < sizeof(firmware_states) / sizeof(firmware_states[0]); i++) {
		firmware_states[i].enter();
		tc_any_violation();
		comes_back(firmware_states[i].name);
	}
}

static void twice_and_before_it_is_over(void)
{
	up();
	tc_reg_write(0xf0010, 1);
	tc_reg_write(0xf0010, 1); /* no answer yet: the write is recorded and lost */
	CHECK(tc_violations(RULE_RESET_ACCESS) > 0);
	TC_UNTIL(tc_cfg32(0) != 0xffffffff);
	tc_enable();
	tc_reset();
	comes_back("twice");
}

static void an_interrupt_does_not_outlive_it(void)
{
	up();
	pci_raise(tc_hca(), 1);
	CHECK(tc_cfg32(PCI_COMMAND) >> 16 & PCI_STATUS_INTERRUPT);
	comes_back("with INTx asserted");
	CHECK_EQ(tc_cfg32(PCI_COMMAND) >> 16 & PCI_STATUS_INTERRUPT, 0);
}

/* After a reset, the owners of UAR pages and the halves of doorbells are forgotten. */
static void pages_are_forgotten(void)
{
	u8 raw[4] = { 2, 0, 0, TC_EQ_ASYNC };

	up();
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x28, raw, 4);
	tc_reset();
	tc_init_hca();
	tc_mpt_mailbox(tc_in(), TC_KEY, 1 << 17 | 1 << 11 | 1 << 10 | 1 << 9 | 1 << 8, 0,
		       UINT64_MAX, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, TC_KEY), 0);
	tc_eq_mailbox(tc_in(), tc_alloc(32 << TC_EQ_LOG, 4096), TC_EQ_LOG, 0x85);
	put32(tc_in() + 0x0c, TC_EQ_LOG << 24 | TC_USER_UAR);
	CHECK_EQ(tc_cmd_in(0x13, 0, TC_EQ_ASYNC), 0);
	tc_any_violation();
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x2c, raw, 4);
	CHECK_EQ(tc_user_faults(RULE_UAR_HALF), 1);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- commands --------------------------------------------------------------------------------- */

static const struct {
	const char *name, *key, *value;
	u8 n; /* commands posted */
} command_states[] = {
	{ "with GO just written", "go_delay", "2s", 1 },
	{ "with a command running", "latency", "2s", 1 },
	{ "with commands waiting", "latency", "2s", 8 },
	{ "with all slots taken and one more", "latency", "2s", 65 },
	{ "with a stuck GO", "fault", "go_stuck,op=QUERY_FW", 1 },
	{ "with firmware that hangs", "fault", "hang,op=QUERY_FW", 1 },
	{ "with a completion held back", "fault", "delay,op=QUERY_FW,time=20ms", 3 },
	{ "with a completion lost", "fault", "drop,op=QUERY_FW", 2 },
	{ "with an event held back", "fault", "delay,on=eqe,op=10,time=20ms", 3 },
};

static void post_without_waiting(u8 i)
{
	const u32 words[7] = { 0,
			       0,
			       0,
			       tc_bus(tc_out()) >> 32,
			       (u32)tc_bus(tc_out()) + 0x100 * (i % 16),
			       (u32)i << 16,
			       1u << 23 | 1u << 22 | 0x04 };
	int w;

	for (w = 0; w < 7; w++)
		tc_reg_write(0x80680 + 4 * w, words[w]);
}

static void every_state_of_a_command(void)
{
	size_t i;
	u8 n;

	for (i = 0; i < sizeof(command_states) / sizeof(command_states[0]); i++) {
		up();
		set("engines", "2");
		set(command_states[i].key, command_states[i].value);
		for (n = 0; n < command_states[i].n; n++)
			post_without_waiting(n);
		tc_any_violation();
		comes_back(command_states[i].name);
		tc_wait(30000000); /* a delayed completion would come now */
		CHECK(!tc_eqe(TC_EQ_CMD));
	}
}

/* --- queue pairs ------------------------------------------------------------------------------ */

static struct tt_qp a, b;

static void make(struct tt_qp *q, u32 qpn, u8 service)
{
	*q = (struct tt_qp){ .qpn = qpn, .service = service, .uar = TC_UAR, .cq_log = 6 };
	tt_make(q);
}

/* Brings a QP to @state with work in both queues, some of it in progress. */
static void queue_in(u8 service, enum qp_state state)
{
	u32 i;

	port_open();
	key = tc_mr(tc_alloc(2 * HALF, 4096), 2 * HALF, ACCESS, VA);
	make(&a, 1024, service);
	make(&b, 1025, service);
	for (i = 0; i < 4; i++)
		tt_post_recv(&a, key, VA, 1000);
	if (state == QP_INIT)
		return;
	if (state == QP_RTR) {
		tt_rtr_mailbox(&a, b.qpn);
		CHECK_EQ(tc_cmd_in(0x1a, 0, a.qpn), 0);
		return;
	}
	tt_connect(&a, b.qpn);
	tt_connect(&b, a.qpn);
	if (service != SVC_UD)
		for (i = 0; i < 4; i++) {
			tt_post(&a, WQE_WRITE, key, VA, HALF, VA + HALF);
			tt_post(&b, WQE_WRITE, key, VA, HALF, VA + HALF);
		}
	if (state == QP_SQE)
		tt_ring_send(&a, tt_sq_addr(0), 0x1f, 2);
	if (state == QP_DRAINING)
		CHECK_EQ(tc_cmd(0x1f, 0, 1u << 31 | a.qpn, 0, 0, NULL), 0);
	if (state == QP_ERR)
		CHECK_EQ(tc_cmd(0x1e, 0, a.qpn, 0, 0, NULL), 0);
}

static void every_state_of_a_queue(void)
{
	static const u8 services[] = { SVC_RC, SVC_UC, SVC_UD };
	static const enum qp_state states[] = {
		QP_INIT, QP_RTR, QP_RTS, QP_SQE, QP_DRAINING, QP_ERR
	};
	char name[40];
	size_t i, j;

	for (i = 0; i < 3; i++)
		for (j = 0; j < sizeof(states) / sizeof(states[0]); j++) {
			queue_in(services[i], states[j]);
			snprintf(name, sizeof(name), "of service %u in state %d", services[i],
				 states[j]);
			comes_back(name);
		}
}

/* --- other device IDs ------------------------------------------------------------------------- */

static void of_every_identity(void)
{
	static const char *const options[] = { "device=mt25208 reset_time=10ms",
					       "ddr_hidden=1 reset_time=10ms",
					       "vendor=0x1867 intx_pin=33 reset_time=10ms",
					       "ports=1 reset_time=10ms" };
	size_t i;

	wired = false;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		tc_start(options[i]);
		every_state_of_the_firmware();
		if (!tap_ok)
			printf("# with %s\n", options[i]);
	}
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(every_state_of_the_firmware),
		TAP(twice_and_before_it_is_over),
		TAP(an_interrupt_does_not_outlive_it),
		TAP(pages_are_forgotten),
		TAP(every_state_of_a_command),
		TAP(every_state_of_a_queue),
		TAP(of_every_identity),
	};

	tc_start("reset_time=10ms");
	if (wire_new_all())
		return 1;
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
