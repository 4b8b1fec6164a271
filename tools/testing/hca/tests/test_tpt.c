// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Memory keys: rights, ranges, translation, windows, direct table access (tavor-hw 9). */
#include "device/cmd.h"
#include "device/keys.h"
#include "client.h"
#include "tap.h"

#include <errno.h>

#define LW (1u << 11)
#define RR (1u << 12)
#define RW (1u << 13)
#define RA (1u << 14)
#define BIND (1u << 15)

static void up(void)
{
	tc_fresh();
	tc_up();
	tc_any_violation();
}

static int rd(u32 key, u32 pd, u64 va, u32 len, unsigned int access)
{
	static u8 buf[65536];

	return tpt_read(tc_hca(), "test", key, pd, va, buf, len, access);
}

static void copies_across_pages(void)
{
	u8 *buf, data[9000], back[9000];
	u32 key, i;

	up();
	buf = tc_alloc(16384, 4096);
	key = tc_mr(buf, 16384, LW, 0x7000000000000000ull);
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	CHECK_EQ(tpt_write(tc_hca(), "test", key, TC_PD, 0x7000000000000000ull + 1234, data,
			   sizeof(data), TPT_LOCAL_WRITE),
		 0);
	CHECK(!memcmp(buf + 1234, data, sizeof(data)));
	CHECK_EQ(tpt_read(tc_hca(), "test", key, TC_PD, 0x7000000000000000ull + 1234, back,
			  sizeof(back), 0),
		 0);
	CHECK(!memcmp(back, data, sizeof(data)));
	CHECK_EQ(tc_any_violation(), 0);
}

/* MTT[0] maps the page that contains the start of the region, which need not be aligned. */
static void start_need_not_be_page_aligned(void)
{
	u8 *buf, byte;
	u32 key;

	up();
	buf = tc_alloc(8192, 4096);
	key = tc_mr(buf + 0x800, 4096, LW, 0x10800);
	buf[0x800] = 1;
	buf[0x1000] = 2;
	CHECK_EQ(tpt_read(tc_hca(), "test", key, TC_PD, 0x10800, &byte, 1, 0), 0);
	CHECK_EQ(byte, 1);
	CHECK_EQ(tpt_read(tc_hca(), "test", key, TC_PD, 0x11000, &byte, 1, 0), 0);
	CHECK_EQ(byte, 2);
	CHECK_EQ(rd(key, TC_PD, 0x107ff, 1, 0), (unsigned long long)-EACCES);
	CHECK_EQ(rd(key, TC_PD, 0x117ff, 2, 0), (unsigned long long)-EACCES);
}

static void refuses_what_the_key_does_not_allow(void)
{
	u32 key;

	up();
	key = tc_mr(tc_alloc(8192, 4096), 8192, LW | RR, 0);
	CHECK_EQ(rd(key, TC_PD, 0, 8192, 0), 0);
	CHECK_EQ(rd(key, TC_PD, 0, 8192, TPT_REMOTE_READ), 0);
	CHECK(rd(key, TC_PD, 0, 8193, 0) < 0);
	CHECK(rd(key, TC_PD, 8192, 1, 0) < 0);
	CHECK(rd(key, TC_PD, UINT64_MAX, 2, 0) < 0);
	CHECK(rd(key, TC_PD, 0, 1, TPT_REMOTE_WRITE) < 0);
	CHECK(rd(key, TC_PD, 0, 1, TPT_REMOTE_ATOMIC) < 0);
	CHECK(rd(key, TC_PD + 1, 0, 1, 0) < 0);
	/* same index, other high bits: an old key */
	CHECK(rd(key + 1024, TC_PD, 0, 1, 0) < 0);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	CHECK(rd(key, TC_PD, 0, 1, 0) < 0);
	CHECK_EQ(tc_any_violation(), 0);
}

static void untranslated_key_reaches_everything(void)
{
	u8 *buf, byte = 0;

	up();
	buf = tc_alloc(16, 16);
	buf[0] = 0x5a;
	CHECK_EQ(tpt_read(tc_hca(), "test", TC_KEY, TC_PD, tc_bus(buf), &byte, 1, 0), 0);
	CHECK_EQ(byte, 0x5a);
	/* the HCA's own memory, too */
	CHECK_EQ(tpt_read(tc_hca(), "test", TC_KEY, TC_PD, ddr_start(tc_hca()) + 0x3000, &byte, 1,
			  0),
		 0);
	CHECK_EQ(tc_any_violation(), 0);
	CHECK(rd(TC_KEY, TC_PD, 0x1000, 8, 0) < 0);
	CHECK(tc_violations(RULE_DMA_UNMAPPED));
}

static void large_pages(void)
{
	u8 entry[8], *buf, byte;

	up();
	buf = tc_alloc(1 << 17, 1 << 16);
	buf[0x1fff0] = 9;
	put64(entry, (tc_bus(buf) & ~0xffffull) + 1);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, 0x2000, entry, 8);
	put64(entry, (tc_bus(buf) & ~0xffffull) + 0x10000 + 1);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, 0x2008, entry, 8);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 1 << 17, ddr_start(tc_hca()) + 0x2000);
	put32(tc_in() + 4, 4);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
	CHECK_EQ(tpt_read(tc_hca(), "test", 0x60, TC_PD, 0x1fff0, &byte, 1, 0), 0);
	CHECK_EQ(byte, 9);
	CHECK_EQ(tc_any_violation(), 0);
}

static void write_and_read_mtt_agree(void)
{
	u8 *buf, byte;

	up();
	buf = tc_alloc(4096, 4096);
	buf[5] = 77;
	memset(tc_in(), 0, 64);
	put64(tc_in(), ddr_start(tc_hca()) + 0x2000);
	put64(tc_in() + 16, tc_bus(buf) | 1);
	CHECK_EQ(tc_cmd_in(0x11, 0, 2), 0);
	CHECK_EQ(tc_cmd(0x10, 0, 2, ddr_start(tc_hca()) + 0x2000, tc_bus(tc_out()), NULL), 0);
	CHECK_EQ(get64(tc_out() + 16), tc_bus(buf) | 1);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 4096, ddr_start(tc_hca()) + 0x2000);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
	CHECK_EQ(tpt_read(tc_hca(), "test", 0x60, TC_PD, 5, &byte, 1, 0), 0);
	CHECK_EQ(byte, 77);
	CHECK_EQ(tc_any_violation(), 0);
}

/*
 * HW2SW_MPT removes a key from the cache. Software may enable the key again by a store, without
 * SYNC_TPT (tavor-hw 9.6).
 */
static void key_given_back_after_hw2sw(void)
{
	u8 zero = 0;
	u32 key;

	up();
	key = tc_mr(tc_alloc(4096, 4096), 4096, LW, 0);
	CHECK_EQ(rd(key, TC_PD, 0, 1, 0), 0);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	CHECK(rd(key, TC_PD, 0, 1, 0) < 0);
	CHECK_EQ(tc_write(4, 0x580000 + 64ull * key, &zero, 1), 0);
	CHECK_EQ(rd(key, TC_PD, 0, 1, 0), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

/* Software uses stores through BAR4, also of single bytes, and no command (tavor-hw 9.6). */
static void fast_memory_region(void)
{
	u64 mpt, at;
	u8 *one, *two, raw[8], byte;
	u32 key;

	up();
	one = tc_alloc(4096, 4096);
	two = tc_alloc(4096, 4096);
	one[0] = 1;
	two[0] = 2;
	key = tc_mr(one, 4096, LW, 0);
	mpt = 0x580000 + 64ull * key;
	at = get64(tc_in() + 0x2c) - ddr_start(tc_hca());
	raw[0] = 0xf0;
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, mpt, raw, 1);
	CHECK(rd(key, TC_PD, 0, 1, 0) < 0);
	put64(raw, tc_bus(two) | 1);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, at, raw, 8);
	put32(raw, key + 1024);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, mpt + 8, raw, 4);
	put64(raw, 0x9000);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, mpt + 0x10, raw, 8);
	raw[0] = 0;
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, mpt, raw, 1);
	CHECK(rd(key, TC_PD, 0x9000, 1, 0) < 0);
	CHECK_EQ(tpt_read(tc_hca(), "test", key + 1024, TC_PD, 0x9000, &byte, 1, 0), 0);
	CHECK_EQ(byte, 2);
	CHECK_EQ(tc_cmd(0x2f, 0, 0, 0, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

static u64 add(u64 old, const void *arg)
{
	return old + *(const u64 *)arg;
}

static void atomics_are_in_host_order(void)
{
	u64 step = 5, old;
	u8 *buf;
	u32 key;

	up();
	buf = tc_alloc(4096, 4096);
	key = tc_mr(buf, 4096, LW | RA, 0);
	memcpy(buf + 8, &(u64){ 100 }, 8);
	CHECK_EQ(tpt_atomic(tc_hca(), "test", key, TC_PD, 8, add, &step, &old), 0);
	CHECK_EQ(old, 100);
	CHECK_EQ(*(u64 *)(buf + 8), 105);
	CHECK(tpt_atomic(tc_hca(), "test", key, TC_PD, 9, add, &step, &old) < 0);
	CHECK(tpt_atomic(tc_hca(), "test", key, TC_PD, 4096, add, &step, &old) < 0);
	key = tc_mr(buf, 4096, LW | RW, 0);
	CHECK(tpt_atomic(tc_hca(), "test", key, TC_PD, 8, add, &step, &old) < 0);
}

/* INIT_HCA sets the byte order of the host (tavor-hw 6.6). */
static void atomics_in_the_order_of_a_big_endian_host(void)
{
	u8 *page = tc_ram() + TC_RAM - 4096;
	u64 step = 5, old;

	tc_fresh();
	tc_sys_en();
	tc_init_hca_mailbox(tc_in());
	tc_in()[0x17] |= 2;
	CHECK_EQ(tc_cmd_in(0x07, 0, 0), 0);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | LW | RA | 1 << 9 | 1 << 8, 0, UINT64_MAX, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
	put64(page, 100);
	CHECK_EQ(tpt_atomic(tc_hca(), "test", 0x60, TC_PD, tc_bus(page), add, &step, &old), 0);
	CHECK_EQ(old, 100);
	CHECK_EQ(get64(page), 105);
}

/* If the mapping allows only reads or only writes, nothing is written. */
static void atomic_needs_both_rights_of_the_bus(void)
{
	u8 *page = tc_ram() + TC_RAM - 4096;
	u64 step = 5, old;

	up();
	memcpy(page, &(u64){ 100 }, 8);
	CHECK_EQ(tc_map_as(0x50000, 4096, TC_RAM - 4096, 2), 0);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | LW | RA | 1 << 9 | 1 << 8, 0, UINT64_MAX, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
	CHECK(tpt_atomic(tc_hca(), "test", 0x60, TC_PD, 0x50000, add, &step, &old) < 0);
	CHECK_EQ(*(u64 *)page, 100);
	CHECK_EQ(tc_violations(RULE_DMA_UNMAPPED), 1);
	CHECK_EQ(tc_unmap(0x50000, 4096), 24);
	CHECK_EQ(tc_map_as(0x50000, 4096, TC_RAM - 4096, 1), 0);
	CHECK(tpt_atomic(tc_hca(), "test", 0x60, TC_PD, 0x50000, add, &step, &old) < 0);
	CHECK_EQ(*(u64 *)page, 100);
	CHECK_EQ(tc_violations(RULE_DMA_UNMAPPED), 1);
}

/*
 * An atomic also works on eight bytes in two maps, or at an unaligned offset of the client's file.
 */
static void atomic_across_two_maps(void)
{
	u32 at = TC_RAM - 4100;
	u64 step = 5, old;

	up();
	memcpy(tc_ram() + at, &(u64){ 0x1fffffffe }, 8);
	CHECK_EQ(tc_map(0x50000, 4, at), 0);
	CHECK_EQ(tc_map(0x50004, 4, at + 4), 0);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | LW | RA | 1 << 9 | 1 << 8, 0, UINT64_MAX, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
	CHECK_EQ(tpt_atomic(tc_hca(), "test", 0x60, TC_PD, 0x50000, add, &step, &old), 0);
	CHECK_EQ(old, 0x1fffffffe);
	memcpy(&old, tc_ram() + at, 8);
	CHECK_EQ(old, 0x200000003);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- windows ---------------------------------------------------------------------------------- */

#define WINDOW 0x70

static u32 window_up(u32 region_rights)
{
	u32 key;

	up();
	tc_mpt_mailbox(tc_in(), WINDOW, 0, 0, 0, 0);
	put32(tc_in(), 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, WINDOW), 0);
	key = tc_mr(tc_alloc(8192, 4096), 8192, region_rights, 0x4000);
	return key;
}

static u32 bound_count(u32 key)
{
	CHECK_EQ(tc_cmd_out(0x0e, 0, key), 0);
	return get32(tc_out() + 0x24);
}

static void window_gives_remote_access_within_its_range(void)
{
	u32 key = window_up(LW | BIND), w = WINDOW + 1024;

	CHECK(rd(WINDOW, TC_PD, 0x4000, 1, TPT_REMOTE_READ) < 0);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29 | 1u << 30, w, key, 0x4100, 256), 0);
	CHECK_EQ(bound_count(key), 1);
	CHECK_EQ(rd(w, TC_PD, 0x4100, 256, TPT_REMOTE_READ), 0);
	CHECK(rd(w, TC_PD, 0x40ff, 1, TPT_REMOTE_READ) < 0);
	CHECK(rd(w, TC_PD, 0x4100, 257, TPT_REMOTE_READ) < 0);
	CHECK(rd(w, TC_PD, 0x4100, 1, TPT_REMOTE_ATOMIC) < 0);
	CHECK(rd(w, TC_PD, 0x4100, 1, TPT_LOCAL_READ) < 0);
	CHECK(rd(WINDOW, TC_PD, 0x4100, 1, TPT_REMOTE_READ) < 0);
}

static void rebinding_kills_the_old_key(void)
{
	u32 key = window_up(LW | BIND), w = WINDOW + 1024;

	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key, 0x4000, 16), 0);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w + 1024, key, 0x4000, 16), 0);
	CHECK_EQ(bound_count(key), 1);
	CHECK(rd(w, TC_PD, 0x4000, 1, TPT_REMOTE_READ) < 0);
	CHECK_EQ(rd(w + 1024, TC_PD, 0x4000, 1, TPT_REMOTE_READ), 0);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 0, w + 2048, 0, 0, 0), 0);
	CHECK_EQ(bound_count(key), 0);
	CHECK(rd(w + 2048, TC_PD, 0x4000, 1, TPT_REMOTE_READ) < 0);
}

static void bind_checks_rights_and_range(void)
{
	u32 key = window_up(BIND), w = WINDOW + 1024;

	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 30, w, key, 0x4000, 16), 6); /* no local write */
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key, 0x3fff, 16), 6);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key, 0x4000, 8193), 6);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD + 1, 1u << 29, w, key, 0x4000, 16), 6);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key + 1024, 0x4000, 16), 6);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, 0x71, key, 0x4000, 16), 6);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, key, key, 0x4000, 16), 6);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key, 0x4000, 16), 0);
	key = tc_mr(tc_alloc(4096, 4096), 4096, LW, 0);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key, 0, 16), 6); /* binding not enabled */
}

static void bound_region_stays(void)
{
	u32 key = window_up(LW | BIND), w = WINDOW + 1024;

	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key, 0x4000, 16), 0);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), CMD_REG_BOUND);
	CHECK_EQ(rd(w, TC_PD, 0x4000, 1, TPT_REMOTE_READ), 0);
	CHECK_EQ(tc_cmd(0x0f, 1, WINDOW, 0, 0, NULL), 0);
	CHECK_EQ(bound_count(key), 0);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

static void bind_limit(void)
{
	u32 key, w = WINDOW + 1024;

	window_up(LW | BIND);
	tc_mpt_mailbox(tc_in(), 0x80, 1 << 17 | 1 << 8 | 1 << 9 | BIND | LW, 0x4000, 4096, 0);
	put32(tc_in() + 0x28, 1);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x80), 0);
	tc_mpt_mailbox(tc_in(), 0x71, 0, 0, 0, 0);
	put32(tc_in(), 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x71), 0);
	key = 0x80;
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w, key, 0x4000, 16), 0);
	CHECK_EQ(tpt_bind(tc_hca(), TC_PD, 1u << 29, w + 1, key, 0x4000, 16), 6);
}

/* --- commands --------------------------------------------------------------------------------- */

static void modify_mpt_resizes(void)
{
	u8 *buf, byte;
	u64 mtt;
	u32 key;

	up();
	buf = tc_alloc(8192, 4096);
	key = tc_mr(buf, 4096, LW, 0);
	buf[4096] = 3;
	CHECK(rd(key, TC_PD, 4096, 1, 0) < 0);
	mtt = tc_mtts(buf, 8192);
	tc_mpt_mailbox(tc_in(), 0, 0, 0, 8192, mtt);
	CHECK_EQ(tc_cmd_in(0x39, 3, key), 0);
	CHECK_EQ(tpt_read(tc_hca(), "test", key, TC_PD, 4096, &byte, 1, 0), 0);
	CHECK_EQ(byte, 3);
	CHECK_EQ(tc_cmd_in(0x39, 3, 0x60), CMD_BAD_RES_STATE);
	tc_violations(RULE_CMD_OWNERSHIP);
	CHECK_EQ(tc_any_violation(), 0);
}

static void hw2sw_returns_the_entry_only_if_asked(void)
{
	u32 key;

	up();
	key = tc_mr(tc_alloc(4096, 4096), 4096, LW, 0x1234000);
	memset(tc_out(), 0xaa, 64);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, tc_bus(tc_out()), NULL), 0);
	CHECK_EQ(get32(tc_out()), 0xaaaaaaaa);
	key = tc_mr(tc_alloc(4096, 4096), 4096, LW, 0x1234000);
	CHECK_EQ(tc_cmd_out(0x0f, 0, key), 0);
	CHECK_EQ(get64(tc_out() + 0x10), 0x1234000);
	CHECK_EQ(get32(tc_out() + 8), key);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(copies_across_pages),
		TAP(start_need_not_be_page_aligned),
		TAP(refuses_what_the_key_does_not_allow),
		TAP(untranslated_key_reaches_everything),
		TAP(large_pages),
		TAP(write_and_read_mtt_agree),
		TAP(key_given_back_after_hw2sw),
		TAP(fast_memory_region),
		TAP(atomics_are_in_host_order),
		TAP(atomics_in_the_order_of_a_big_endian_host),
		TAP(atomic_needs_both_rights_of_the_bus),
		TAP(atomic_across_two_maps),
		TAP(window_gives_remote_access_within_its_range),
		TAP(rebinding_kills_the_old_key),
		TAP(bind_checks_rights_and_range),
		TAP(bound_region_stays),
		TAP(bind_limit),
		TAP(modify_mpt_resizes),
		TAP(hw2sw_returns_the_entry_only_if_asked),
	};

	tc_start("");
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
