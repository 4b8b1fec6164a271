// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Event queues: entries, ownership, arming, interrupts, routing (tavor-hw 10). */
#include "client.h"
#include "tap.h"

#include "core/options.h"
#include "device/queues.h"

#include <linux/pci_regs.h>

static void up(void)
{
	tc_fresh();
	tc_up();
	tc_any_violation();
}

static void event(u32 qpn)
{
	eq_qp_event(tc_hca(), EV_COMM_EST, qpn);
}

static u64 irqs(u32 eqn)
{
	return tc_irq_taken(VFIO_PCI_MSIX_IRQ_INDEX, eqn);
}

static void arm(u32 eqn)
{
	tc_db(TC_UAR, 0x28, 2u << 24 | eqn, 0);
}

static void entry_has_type_data_and_owner(void)
{
	const u32 data[7] = {
		0x11111111, 0x22222222, 0x33333333, 0x44444444, 0x55555555, 0x66666666
	};
	const u8 *e;

	up();
	eq_async(tc_hca(), EV_PORT_CHANGE, 4, data);
	e = tc_eqe(TC_EQ_ASYNC);
	CHECK(e);
	CHECK_EQ(e[1], 0x09);
	CHECK_EQ(e[3], 4);
	CHECK_EQ(get32(e + 0x04), 0x11111111);
	CHECK_EQ(get32(e + 0x18), 0x66666666);
	CHECK_EQ(e[31], 0);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
}

static void armed_queue_fires_once(void)
{
	up();
	event(1);
	event(2);
	CHECK_EQ(irqs(TC_EQ_ASYNC), 1);
	event(3);
	CHECK_EQ(irqs(TC_EQ_ASYNC), 0);
}

static void arming_with_entries_left_fires_at_once(void)
{
	up();
	event(1);
	event(2);
	CHECK_EQ(irqs(TC_EQ_ASYNC), 1);
	CHECK(tc_eqe_noarm(TC_EQ_ASYNC));
	CHECK_EQ(irqs(TC_EQ_ASYNC), 0);
	arm(TC_EQ_ASYNC);
	CHECK_EQ(irqs(TC_EQ_ASYNC), 1);
	CHECK(tc_eqe_noarm(TC_EQ_ASYNC));
	arm(TC_EQ_ASYNC);
	CHECK_EQ(irqs(TC_EQ_ASYNC), 0);
	event(3);
	CHECK_EQ(irqs(TC_EQ_ASYNC), 1);
}

static void always_armed_fires_each_time(void)
{
	up();
	tc_db(TC_UAR, 0x28, 5u << 24 | TC_EQ_ASYNC, 0);
	event(1);
	event(2);
	CHECK_EQ(irqs(TC_EQ_ASYNC), 2);
}

static void created_fired_is_silent(void)
{
	const u32 data[7] = { 0 };
	u8 *buf;

	up();
	buf = tc_alloc(4096, 4096);
	tc_eq_mailbox(tc_in(), buf, 6, 0x85);
	put32(tc_in(), 1u << 24 | 1 << 18 | 2 << 8);
	CHECK_EQ(tc_cmd_in(0x13, 0, 5), 0);
	eq_post_to(tc_hca(), 5, EV_COMM_EST, data);
	CHECK_EQ(irqs(5), 0);
	CHECK_EQ(buf[31], 0);
}

static void ecr_shows_what_fired(void)
{
	up();
	tc_reg_write(0x8070c, 0xffffffff);
	CHECK_EQ(tc_reg(0x80704), 0);
	event(1);
	CHECK_EQ(tc_reg(0x80704), 1 << TC_EQ_ASYNC);
	CHECK_EQ(tc_reg(0x80700), 0);
	tc_reg_write(0x8070c, 1 << TC_EQ_ASYNC);
	CHECK_EQ(tc_reg(0x80704), 0);
}

/*
 * The level stays until CLR_INT. When an EQ fires after that, it is asserted again (tavor-hw 10.6).
 */
static void intx_is_a_level(void)
{
	u32 unmask[5] = { 20, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
			  VFIO_PCI_INTX_IRQ_INDEX, 0, 1 };
	const u32 data[7] = { 0 };
	u8 *buf;

	up();
	tc_irqs(VFIO_PCI_INTX_IRQ_INDEX, 1);
	buf = tc_alloc(4096, 4096);
	tc_eq_mailbox(tc_in(), buf, 6, 1);
	CHECK_EQ(tc_cmd_in(0x13, 0, 5), 0);
	eq_post_to(tc_hca(), 5, EV_COMM_EST, data);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_INTX_IRQ_INDEX, 0), 1);
	/* the level was masked automatically; the unmask signals it again */
	CHECK_EQ(tc_call(8, unmask, 20, NULL, 0, NULL, 0), 0);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_INTX_IRQ_INDEX, 0), 1);
	CHECK(tc_cfg32(PCI_COMMAND) >> 16 & PCI_STATUS_INTERRUPT);
	tc_reg_write(0xf00dc, 1 << 1);
	CHECK(!(tc_cfg32(PCI_COMMAND) >> 16 & PCI_STATUS_INTERRUPT));
	CHECK_EQ(tc_call(8, unmask, 20, NULL, 0, NULL, 0), 0);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_INTX_IRQ_INDEX, 0), 0);
	arm(5);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_INTX_IRQ_INDEX, 0), 1);
}

static void intx_disable_holds_it_back(void)
{
	const u32 data[7] = { 0 };

	up();
	tc_irqs(VFIO_PCI_INTX_IRQ_INDEX, 1);
	tc_eq_mailbox(tc_in(), tc_alloc(4096, 4096), 6, 1);
	CHECK_EQ(tc_cmd_in(0x13, 0, 5), 0);
	tc_cfg_write(PCI_COMMAND,
		     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 2);
	eq_post_to(tc_hca(), 5, EV_COMM_EST, data);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_INTX_IRQ_INDEX, 0), 0);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_INTX_IRQ_INDEX, 0), 1);
}

static void unmapped_type_is_dropped(void)
{
	const u32 data[7] = { 0 };

	up();
	eq_async(tc_hca(), EV_EQ_OVERFLOW, 0, data);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	CHECK_EQ(report_counter(tc_hca(), "event_unmapped") > 0, 1);
}

static void map_moves_a_type(void)
{
	up();
	CHECK_EQ(tc_cmd(0x12, 0, TC_EQ_COMP, 1 << EV_COMM_EST, 0, NULL), 0);
	event(1);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	CHECK(tc_eqe(TC_EQ_COMP));
	CHECK_EQ(tc_cmd(0x12, 0, 1u << 31 | TC_EQ_COMP, 1 << EV_COMM_EST, 0, NULL), 0);
	event(1);
	CHECK(!tc_eqe(TC_EQ_COMP));
	CHECK_EQ(tc_any_violation(), 0);
}

static void wraps_around_and_keeps_order(void)
{
	int i;

	up();
	for (i = 0; i < 3 << TC_EQ_LOG; i++) {
		const u8 *e;

		event(i);
		e = tc_eqe(TC_EQ_ASYNC);
		CHECK(e && get32(e + 4) == (u32)i);
	}
	CHECK_EQ(tc_any_violation(), 0);
}

static void query_and_hw2sw_return_the_context(void)
{
	up();
	event(1);
	CHECK_EQ(tc_cmd_out(0x15, 0, TC_EQ_ASYNC), 0);
	CHECK_EQ(bits(get32(tc_out()), 27, 24), 1);
	CHECK_EQ(bits(get32(tc_out()), 9, 8), 2);
	CHECK_EQ(get32(tc_out() + 0x0c), TC_EQ_LOG << 24 | TC_UAR);
	CHECK_EQ(get32(tc_out() + 0x28), 0);
	CHECK_EQ(get32(tc_out() + 0x2c), 1);
	CHECK_EQ(tc_cmd(0x12, 0, 1u << 31 | TC_EQ_ASYNC, 0x1f43fe, 0, NULL), 0);
	CHECK_EQ(tc_cmd_out(0x14, 0, TC_EQ_ASYNC), 0);
	CHECK_EQ(bits(get32(tc_out()), 27, 24), 0);
	event(2);
	CHECK_EQ(tc_any_violation(), 0);
}

static void unwritable_buffer_fails_the_queue(void)
{
	u8 *buf;
	u32 key;

	tc_fresh();
	tc_up();
	buf = tc_alloc(4096, 4096);
	key = tc_mr(buf, 4096, 1 << 11, 0);
	tc_eq_mailbox(tc_in(), buf, TC_EQ_LOG, 0x85);
	put64(tc_in() + 4, 0);
	put32(tc_in() + 0x1c, key);
	CHECK_EQ(tc_cmd_in(0x13, 0, 5), 0);
	CHECK_EQ(tc_cmd(0x12, 0, 5, 1 << EV_COMM_EST, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	CHECK(tc_violations(RULE_MPT_IN_USE) > 0);
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	CHECK_EQ(tc_violations(RULE_EQ_BUFFER), 1); /* reported once */
	CHECK(buf[31] & 0x80);
	CHECK_EQ(tc_cmd_out(0x15, 0, 5), 0);
	CHECK_EQ(tc_out()[0] >> 4, 0xa);
	CHECK_EQ(get32(tc_out() + 0x2c), 0);
}

/* Doorbell command 1, which drivers do not use, consumes one EQE. */
static void consumer_index_by_steps(void)
{
	int i;

	tc_fresh();
	tc_up();
	for (i = 0; i < 3; i++)
		eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	for (i = 0; i < 3; i++)
		tc_db(TC_UAR, 0x28, 1u << 24 | TC_EQ_ASYNC, 0);
	CHECK_EQ(tc_cmd_out(0x15, 0, TC_EQ_ASYNC), 0);
	CHECK_EQ(get32(tc_out() + 0x28), 3);
	CHECK_EQ(tc_any_violation(), 0);
	tc_db(TC_UAR, 0x28, 1u << 24 | TC_EQ_ASYNC, 0);
	CHECK(tc_violations(RULE_DB_INDEX) > 0);
}

static void overflow_stops_the_queue(void)
{
	int i;

	up();
	for (i = 0; i < (1 << TC_EQ_LOG) + 3; i++)
		event(i);
	tc_any_violation();
	CHECK_EQ(tc_cmd_out(0x15, 0, TC_EQ_ASYNC), 0);
	CHECK_EQ(tc_out()[0] >> 4, 9);
	CHECK_EQ(get32(tc_out() + 0x18), 3);
	/* after an update of the consumer index there is room again */
	for (i = 0; i < 1 << TC_EQ_LOG; i++)
		CHECK(tc_eqe(TC_EQ_ASYNC));
	event(7);
	CHECK(tc_eqe(TC_EQ_ASYNC));
}

static void fault(const char *spec)
{
	char why[OPT_WHY];

	CHECK_EQ(opt_set(hca_number(tc_hca()), "fault", spec, why), 0);
}

static void faults_drop_dup_and_delay(void)
{
	const u8 *e;

	up();
	fault("drop,on=eqe,op=2,count=1");
	event(1);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	fault("dup,on=eqe,op=2,count=1");
	event(2);
	CHECK(tc_eqe(TC_EQ_ASYNC));
	CHECK(tc_eqe(TC_EQ_ASYNC));
	fault("delay,on=eqe,op=2,count=1,time=1s");
	event(3);
	e = tc_eqe(TC_EQ_ASYNC);
	CHECK(!e);
	TC_UNTIL((e = tc_eqe(TC_EQ_ASYNC)));
	CHECK(e);
	fault("");
}

/* A delayed EQE must not be written to a later EQ with the same number. */
static void late_entry_of_a_queue_that_is_gone(void)
{
	u8 *buf;

	up();
	CHECK_EQ(tc_cmd(0x12, 0, 1u << 31 | TC_EQ_ASYNC, 0x1f43fe, 0, NULL), 0);
	CHECK_EQ(tc_cmd(0x12, 0, TC_EQ_CMD, 1 << EV_COMM_EST, 0, NULL), 0);
	fault("delay,on=eqe,op=2,count=1,time=20ms");
	event(1);
	CHECK_EQ(tc_cmd(0x12, 0, TC_EQ_ASYNC, 1 << EV_COMM_EST, 0, NULL), 0);
	CHECK_EQ(tc_cmd(0x12, 0, 1u << 31 | TC_EQ_CMD, 0x400, 0, NULL), 0);
	CHECK_EQ(tc_cmd_out(0x14, 0, TC_EQ_CMD), 0);
	buf = tc_alloc(32 << TC_EQ_LOG, 4096);
	tc_eq_mailbox(tc_in(), buf, TC_EQ_LOG, 0x80 + TC_EQ_CMD);
	CHECK_EQ(tc_cmd_in(0x13, 0, TC_EQ_CMD), 0);
	tc_wait(60000000);
	CHECK_EQ(buf[31] & 0x80, 0x80);
	fault("");
	CHECK_EQ(tc_any_violation(), 0);
}

static void set_uar_event(const char *value)
{
	char why[OPT_WHY];

	CHECK_EQ(opt_set(hca_number(tc_hca()), "uar_event", value, why), 0);
}

/* Whether hardware leaves an event is not known, so an option decides. */
static void wrong_page_leaves_an_event_if_asked(void)
{
	const u8 *e;

	up();
	tc_db(TC_USER_UAR, 0x28, 2u << 24 | TC_EQ_ASYNC, 0);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	set_uar_event("1");
	tc_db(TC_USER_UAR, 0x28, 2u << 24 | TC_EQ_ASYNC, 0);
	e = tc_eqe(TC_EQ_ASYNC);
	CHECK(e);
	if (e) {
		CHECK_EQ(e[0x01], EV_LOCAL_CATAS);
		CHECK_EQ(e[0x0f], 2);
		CHECK_EQ(get32(e + 0x10), TC_USER_UAR);
	}
	CHECK_EQ(tc_user_faults(RULE_UAR_MISMATCH), 2);
	set_uar_event("0");
}

/* The same faults occur each time, because the seed is the same. */
static void faults_by_probability(void)
{
	int i, n = 0;

	up();
	fault("drop,on=eqe,op=2,prob=0.5");
	for (i = 0; i < 60; i++) {
		event(i);
		n += !tc_eqe(TC_EQ_ASYNC);
	}
	CHECK(n > 10 && n < 50);
	fault("");
	fault("drop,on=eqe,op=2,prob=0");
	event(1);
	CHECK(tc_eqe(TC_EQ_ASYNC));
	fault("");
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(entry_has_type_data_and_owner),
		TAP(armed_queue_fires_once),
		TAP(arming_with_entries_left_fires_at_once),
		TAP(always_armed_fires_each_time),
		TAP(created_fired_is_silent),
		TAP(ecr_shows_what_fired),
		TAP(intx_is_a_level),
		TAP(intx_disable_holds_it_back),
		TAP(unmapped_type_is_dropped),
		TAP(map_moves_a_type),
		TAP(wraps_around_and_keeps_order),
		TAP(query_and_hw2sw_return_the_context),
		TAP(unwritable_buffer_fails_the_queue),
		TAP(consumer_index_by_steps),
		TAP(overflow_stops_the_queue),
		TAP(faults_drop_dup_and_delay),
		TAP(late_entry_of_a_queue_that_is_gone),
		TAP(faults_by_probability),
		TAP(wrong_page_leaves_an_event_if_asked),
	};

	tc_start("");
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
