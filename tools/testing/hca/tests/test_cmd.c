// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The command interface: register, events, latency, order, slots and faults (tavor-hw 4, 6). */
#include "client.h"
#include "tap.h"

#include "core/options.h"
#include "device/cmd.h"
#include "device/timing.h"

#include <linux/pci_regs.h>

static void set(const char *key, const char *value)
{
	char why[OPT_WHY];

	if (opt_set(hca_number(tc_hca()), key, value, why)) {
		printf("# %s\n", why);
		CHECK(false);
	}
}

static void up(void)
{
	set("profile", "fast");
	set("fault", "");
	tc_fresh();
	tc_up();
	tc_any_violation();
}

/* Returns the token of the next completion, or -1. */
static int completed(u8 *status)
{
	const u8 *e = tc_eqe(TC_EQ_CMD);

	if (!e || e[1] != 0x0a)
		return -1;
	if (status)
		*status = e[15];
	return get16(e + 6);
}

static void drain(void)
{
	TC_UNTIL(!cmd_outstanding(tc_hca()));
}

/* --- the HCR ---------------------------------------------------------------------------------- */

static void go_without_go_is_ignored(void)
{
	u32 before;

	up();
	before = tc_reg(0x80698);
	tc_reg_write(0x80698, 0x31);
	CHECK_EQ(tc_reg(0x80698), before);
	CHECK_EQ(tc_any_violation(), 0);
}

static void polled_keeps_go_until_done(void)
{
	int i;

	up();
	set("latency", "1s");
	for (i = 0; i < 6; i++)
		tc_reg_write(0x80680 + 4 * i, 0);
	tc_reg_write(0x80698, 1 << 23 | 0x31);
	CHECK(tc_reg(0x80698) & 1 << 23);
	drain();
	CHECK_EQ(tc_reg(0x80698) & 1 << 23, 0);
	CHECK_EQ(tc_reg(0x80698) >> 24, 0);
	up();
}

static void event_carries_token_status_and_output(void)
{
	const u8 *e;

	up();
	tc_post(0x31, 0, 0x1f, 0, 0, 0xbeef);
	e = tc_eqe(TC_EQ_CMD);
	CHECK(e);
	CHECK_EQ(e[1], 0x0a);
	CHECK_EQ(get16(e + 6), 0xbeef);
	CHECK_EQ(e[15], 0);
	tc_post(0x0f, 1, 0x60, 0, 0, 1);
	e = tc_eqe(TC_EQ_CMD);
	CHECK(e && e[15] == CMD_BAD_RES_STATE);
	tc_violations(RULE_CMD_OWNERSHIP);
}

static void go_drops_at_acceptance(void)
{
	up();
	set("latency", "1s");
	tc_post(0x31, 0, 0x1f, 0, 0, 1);
	CHECK_EQ(completed(NULL), (unsigned long long)-1);
	CHECK_EQ(cmd_outstanding(tc_hca()), 1);
	drain();
	CHECK_EQ(completed(NULL), 1);
	up();
}

static void go_delay(void)
{
	u64 start;

	up();
	set("go_delay", "5ms");
	start = now_ns();
	tc_post(0x31, 0, 0x1f, 0, 0, 1);
	CHECK(now_ns() - start >= 5000000);
	up();
}

static void mailbox_in_ddr(void)
{
	u64 at;
	u8 in[64];

	up();
	at = ddr_start(tc_hca()) + 0x300000;
	tc_mpt_mailbox(in, 0x60, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, 0x300000, in, 64);
	CHECK_EQ(tc_cmd(0x0d, 0, 0x60, at, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- queries ---------------------------------------------------------------------------------- */

static void query_fw(void)
{
	up();
	CHECK_EQ(tc_cmd_out(0x04, 0, 0), 0);
	CHECK_EQ(get16(tc_out() + 2), 3);
	CHECK_EQ(get16(tc_out() + 6), 5);
	CHECK_EQ(get16(tc_out() + 4), 0);
	CHECK_EQ(tc_out()[0x0f], 6);
	CHECK_EQ(get32(tc_out() + 0x10), 0);
	CHECK_EQ(get64(tc_out() + 0x28), ddr_start(tc_hca()) + ddr_size(tc_hca()) - 1);
	CHECK_EQ(get64(tc_out() + 0x30) & ~0xfffffull, 0xfea00000);
}

static void query_ddr_and_adapter(void)
{
	up();
	CHECK_EQ(tc_cmd_out(0x05, 0, 0), 0);
	CHECK_EQ(get64(tc_out()) % ddr_size(tc_hca()), 0);
	CHECK_EQ(get64(tc_out() + 8) - get64(tc_out()) + 1, ddr_size(tc_hca()));
	CHECK_EQ(tc_cmd_out(0x06, 0, 0), 0);
	CHECK_EQ(tc_out()[0x10], 1);
	CHECK(!memcmp(tc_out() + 0xf0, "0_TM", 4));
}

static void query_hca_returns_init_hca(void)
{
	u8 want[0x200];

	up();
	tc_init_hca_mailbox(want);
	CHECK_EQ(tc_cmd_out(0x0b, 0, 0), 0);
	CHECK_EQ(get64(tc_out() + 0x30), get64(want + 0x30));
	CHECK_EQ(get64(tc_out() + 0x100), get64(want + 0x100));
	CHECK(tc_out()[0x0c]);
}

static void close_and_open_again(void)
{
	up();
	CHECK_EQ(tc_cmd(0x08, 0, 0, 0, 0, NULL), 0);
	CHECK_EQ(tc_cmd_out(0x0b, 0, 0), CMD_BAD_SYS_STATE);
	tc_violations(RULE_CMD_STATE);
	tc_init_hca_mailbox(tc_in());
	CHECK_EQ(tc_cmd_in(0x07, 0, 0), 0);
	CHECK_EQ(tc_cmd(0x08, 1, 0, 0, 0, NULL), 0);
	CHECK_EQ(tc_cmd(0x02, 0, 0, 0, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- order and slots -------------------------------------------------------------------------- */

static void post_nops(int n)
{
	int i;

	for (i = 0; i < n; i++)
		tc_post(0x31, 0, 0x1f, 0, 0, 100 + i);
}

static void serial_engine_is_fifo(void)
{
	int i;

	up();
	set("engines", "1");
	set("latency", "1ms");
	post_nops(5);
	drain();
	for (i = 0; i < 5; i++)
		CHECK_EQ(completed(NULL), 100 + i);
	up();
}

static void lifo_takes_the_newest(void)
{
	up();
	set("engines", "1");
	set("cmd_order", "lifo");
	set("latency", "500ms");
	post_nops(3);
	drain();
	CHECK_EQ(completed(NULL), 100);
	CHECK_EQ(completed(NULL), 102);
	CHECK_EQ(completed(NULL), 101);
	up();
}

static void engines_overtake(void)
{
	up();
	set("engines", "2");
	set("latency_op", "NOP=0,SYNC_TPT=1s");
	tc_post(0x2f, 0, 0, 0, 0, 1);
	tc_post(0x31, 0, 0x1f, 0, 0, 2);
	drain();
	CHECK_EQ(completed(NULL), 2);
	CHECK_EQ(completed(NULL), 1);
	up();
}

static void inorder_holds_back(void)
{
	up();
	set("engines", "2");
	set("latency_op", "NOP=0,SYNC_TPT=1s");
	set("cmd_order", "inorder");
	tc_post(0x2f, 0, 0, 0, 0, 1);
	tc_post(0x31, 0, 0x1f, 0, 0, 2);
	tc_settle();
	CHECK_EQ(completed(NULL), (unsigned long long)-1);
	drain();
	CHECK_EQ(completed(NULL), 1);
	CHECK_EQ(completed(NULL), 2);
	up();
}

/* Each HCA mixes its number into the seed. This removes the number of the next HCA again. */
static void start_with_seed(u64 seed)
{
	char option[40];

	seed -= (u64)hca_count() * 0x5851f42d4c957f2du;
	snprintf(option, sizeof(option), "seed=%llu", (unsigned long long)seed);
	tc_start(option);
}

static void draw(u64 seed, u64 *latencies, int n)
{
	int i;

	start_with_seed(seed);
	set("latency", "uniform:1us:1ms");
	for (i = 0; i < n; i++)
		latencies[i] = timing_latency(tc_hca(), 0x31);
}

static void random_latency_repeats_with_the_seed(void)
{
	u64 first[8], again[8], other[8];

	draw(42, first, 8);
	draw(42, again, 8);
	draw(43, other, 8);
	CHECK(!memcmp(first, again, sizeof(first)));
	CHECK(memcmp(first, other, sizeof(first)));
	set("profile", "fast");
}

#define DRAWS 20000

/*
 * Checks limits and mean, and for the exponential distribution how many values exceed the mean:
 * 1/e. The seed is fixed, so the result does not depend on chance.
 */
static void latencies_have_their_distributions(void)
{
	u64 low = UINT64_MAX, high = 0, sum = 0, longer = 0, t;
	int i;

	start_with_seed(42);
	set("latency", "uniform:10us:30us");
	for (i = 0; i < DRAWS; i++) {
		t = timing_latency(tc_hca(), 0x31);
		low = t < low ? t : low;
		high = t > high ? t : high;
		sum += t;
	}
	CHECK(low >= 10000 && low < 10100 && high <= 30000 && high > 29900);
	CHECK(sum / DRAWS > 19800 && sum / DRAWS < 20200);
	set("latency", "exp:10us");
	for (i = 0, sum = 0; i < DRAWS; i++) {
		t = timing_latency(tc_hca(), 0x31);
		sum += t;
		longer += t > 10000;
	}
	CHECK(sum / DRAWS > 9700 && sum / DRAWS < 10300);
	CHECK(longer > DRAWS * 35 / 100 && longer < DRAWS * 39 / 100);
	set("latency", "77us");
	CHECK_EQ(timing_latency(tc_hca(), 0x31), 77000);
	set("profile", "fast");
}

/* --- faults ----------------------------------------------------------------------------------- */

static void dropped_completion(void)
{
	up();
	set("fault", "drop,on=cmd,op=NOP,count=1");
	post_nops(2);
	tc_settle();
	CHECK_EQ(completed(NULL), 101);
	CHECK_EQ(completed(NULL), (unsigned long long)-1);
	CHECK_EQ(cmd_outstanding(tc_hca()), 0);
}

static void duplicate_completion(void)
{
	up();
	set("fault", "dup,on=cmd,op=NOP,after=1,count=1");
	post_nops(2);
	tc_settle();
	CHECK_EQ(completed(NULL), 100);
	CHECK_EQ(completed(NULL), 101);
	CHECK_EQ(completed(NULL), 101);
}

static void late_completion(void)
{
	up();
	set("fault", "delay,on=cmd,op=NOP,count=1,time=1s");
	post_nops(2);
	tc_settle();
	CHECK_EQ(completed(NULL), 101);
	CHECK_EQ(cmd_outstanding(tc_hca()), 1);
	drain();
	CHECK_EQ(completed(NULL), 100);
}

static void injected_status(void)
{
	u8 status = 0;

	up();
	set("fault", "status,op=SW2HW_MPT,status=0x08,count=1");
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	tc_post(0x0d, 0, 0x60, tc_bus(tc_in()), 0, 9);
	CHECK_EQ(completed(&status), 9);
	CHECK_EQ(status, 0x08);
	/* the command had no effect */
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
}

static void stuck_go_until_reset(void)
{
	int i;

	up();
	set("fault", "go_stuck,op=NOP,count=1");
	for (i = 0; i < 6; i++)
		tc_reg_write(0x80680 + 4 * i, 0);
	tc_reg_write(0x80698, 1 << 23 | 1 << 22 | 0x31);
	tc_wait(3000000);
	CHECK(tc_reg(0x80698) & 1 << 23);
	tc_reset();
	CHECK_EQ(tc_reg(0x80698) & 1 << 23, 0);
	tc_sys_en();
	CHECK_EQ(tc_any_violation(), 0);
}

static void hang_stops_everything(void)
{
	int i;

	up();
	set("latency", "10s");
	post_nops(1);
	set("fault", "hang,op=NOP,count=1");
	for (i = 0; i < 6; i++)
		tc_reg_write(0x80680 + 4 * i, 0);
	tc_reg_write(0x80698, 1 << 23 | 1 << 22 | 0x31);
	tc_wait(10000000);
	CHECK_EQ(completed(NULL), (unsigned long long)-1);
	CHECK(tc_reg(0x80698) & 1 << 23);
}

static void catastrophe(void)
{
	u8 probe = 0;

	up();
	CHECK_EQ(tc_reg(CATAS_OFFSET), 0);
	tc_irq_taken(VFIO_PCI_MSIX_IRQ_INDEX, TC_EQ_ASYNC);
	set("fault", "catas,op=NOP,count=1");
	tc_post(0x31, 0, 0x1f, 0, 0, 1);
	tc_settle();
	CHECK(tc_reg(CATAS_OFFSET) || tc_reg(CATAS_OFFSET + 4));
	/* the EQ for type 8 has raised its interrupt without an EQE */
	CHECK_EQ(tc_irq_taken(VFIO_PCI_MSIX_IRQ_INDEX, TC_EQ_ASYNC), 1);
	CHECK(tc_reg(0x80704) & 1 << TC_EQ_ASYNC);
	CHECK(!tc_eqe_noarm(TC_EQ_ASYNC));
	/* the device no longer accesses memory */
	CHECK(dma_write(tc_hca(), "test", tc_bus(tc_out()), &probe, 1) < 0);
	/* no firmware accepts a command: GO stays set, which tells a driver */
	CHECK_EQ(tc_reg(0x80698) & 1 << 23, 0);
	tc_reg_write(0x80698, 1 << 23 | 0x31);
	tc_wait(3000000);
	CHECK(tc_reg(0x80698) & 1 << 23);
	tc_reset();
	CHECK_EQ(tc_reg(0x80698), 0);
	CHECK_EQ(tc_reg(CATAS_OFFSET), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

static void sys_en_ddr_error(void)
{
	u64 imm;

	tc_fresh();
	set("fault", "status,op=SYS_EN,status=7,count=1");
	CHECK_EQ(tc_cmd(0x01, 0, 0, 0, 0, &imm), CMD_DDR_MEM_ERR);
	CHECK_EQ(imm >> 6 & 0xf, 4);
	set("fault", "");
}

static void reset_with_commands_outstanding(void)
{
	int i;

	up();
	set("latency", "10s");
	post_nops(10);
	tc_reg_write(0xf0010, 1);
	TC_UNTIL(tc_cfg32(0) != 0xffffffff);
	set("profile", "fast");
	for (i = 0; i < 10; i++)
		CHECK_EQ(completed(NULL), (unsigned long long)-1);
	CHECK_EQ(tc_cfg32(PCI_COMMAND) & 0xffff, 0);
	tc_violations(RULE_PCI_MEMORY);
	tc_enable();
	tc_sys_en();
	CHECK_EQ(tc_any_violation(), 0);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(go_without_go_is_ignored),
		TAP(polled_keeps_go_until_done),
		TAP(event_carries_token_status_and_output),
		TAP(go_drops_at_acceptance),
		TAP(go_delay),
		TAP(mailbox_in_ddr),
		TAP(query_fw),
		TAP(query_ddr_and_adapter),
		TAP(query_hca_returns_init_hca),
		TAP(close_and_open_again),
		TAP(serial_engine_is_fifo),
		TAP(lifo_takes_the_newest),
		TAP(engines_overtake),
		TAP(inorder_holds_back),
		TAP(random_latency_repeats_with_the_seed),
		TAP(latencies_have_their_distributions),
		TAP(dropped_completion),
		TAP(duplicate_completion),
		TAP(late_completion),
		TAP(injected_status),
		TAP(stuck_go_until_reset),
		TAP(hang_stops_everything),
		TAP(catastrophe),
		TAP(sys_en_ddr_error),
		TAP(reset_with_commands_outstanding),
	};

	tc_start("");
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
