// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The vfio-user protocol, PCI configuration space, and errors of a client. */
#include "client.h"
#include "core/options.h"
#include "tap.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	VERSION = 1,
	DMA_MAP,
	DMA_UNMAP,
	GET_INFO,
	REGION_INFO,
	IO_FDS,
	IRQ_INFO,
	SET_IRQS,
	READ,
	WRITE,
	RESET = 13,
	WRITE_MULTI = 15,
	FEATURE
};

/* --- negotiation ------------------------------------------------------------------------------ */

static void nothing_before_version(void)
{
	u32 m[4] = { 16 };

	tc_connect();
	CHECK_EQ(tc_call(GET_INFO, m, 16, NULL, 0, NULL, 0), (unsigned long long)-EPROTO);
	tc_fresh();
}

static void wrong_major_is_cut_off(void)
{
	u16 m[2] = { 1, 0 };

	tc_connect();
	CHECK(tc_call(VERSION, m, 4, NULL, 0, NULL, 0) < 0);
	CHECK_EQ(tc_call(VERSION, m, 4, NULL, 0, NULL, 0), (unsigned long long)-ECONNRESET);
	tc_fresh();
}

static void capabilities_never_exceed_the_clients(void)
{
	static const char ask[] =
		"\0\0\0\0{\"capabilities\":{\"max_msg_fds\":3,\"max_data_xfer_size\":4096}}";
	char reply[4096] = "";

	tc_connect();
	CHECK(tc_call(VERSION, ask, sizeof(ask), NULL, 0, reply, sizeof(reply)) > 4);
	CHECK(strstr(reply + 4, "\"max_msg_fds\":3"));
	CHECK(strstr(reply + 4, "\"max_data_xfer_size\":4096"));
	CHECK(!strstr(reply + 4, "write_multiple"));
	tc_fresh();
}

static void garbage_json_is_survived(void)
{
	static const char ask[] = "\0\0\0\0{\"capabilities\":[[[{";
	char reply[4096] = "";

	tc_connect();
	CHECK(tc_call(VERSION, ask, sizeof(ask), NULL, 0, reply, sizeof(reply)) > 4);
	tc_fresh();
}

/* --- framing ---------------------------------------------------------------------------------- */

static void short_message_is_cut_off(void)
{
	u32 hdr[4] = { 4 << 16 | 1, 8, 0, 0 };

	tc_fresh();
	tc_raw(hdr, 16);
	CHECK(!vfu_connected(tc_hca()));
	tc_fresh();
}

static void huge_message_is_cut_off(void)
{
	u32 hdr[4] = { 4 << 16 | 1, 0x7fffffff, 0, 0 };

	tc_fresh();
	tc_raw(hdr, 16);
	CHECK(!vfu_connected(tc_hca()));
	tc_fresh();
}

static void message_in_pieces(void)
{
	u32 hdr[8] = { 4 << 16 | 9, 32, 0, 0, 16 };
	u32 reply[8] = { 0 };
	int fd, i;

	tc_fresh();
	fd = tc_connect();
	tc_negotiate();
	for (i = 0; i < 32; i++)
		tc_raw((u8 *)hdr + i, 1);
	CHECK_EQ(recv(fd, reply, sizeof(reply), MSG_DONTWAIT), 32);
	CHECK_EQ(reply[0], 4 << 16 | 9);
	CHECK_EQ(reply[2], 1);
	tc_fresh();
}

static void many_messages_in_one_write(void)
{
	u8 burst[200 * 32];
	u32 reply[200 * 8], i;
	ssize_t n;
	int fd;

	tc_fresh();
	fd = tc_connect();
	tc_negotiate();
	for (i = 0; i < 200; i++) {
		u32 m[8] = { 4 << 16 | i, 32, 0, 0, 16 };

		memcpy(burst + 32 * i, m, 32);
	}
	tc_raw(burst, sizeof(burst));
	tc_wait(1000000);
	n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT | MSG_WAITALL);
	CHECK_EQ(n, sizeof(burst));
	for (i = 0; i < 200; i++)
		CHECK_EQ(reply[8 * i] & 0xffff, i);
	tc_fresh();
}

static void unknown_command_is_refused(void)
{
	tc_fresh();
	CHECK_EQ(tc_call(99, NULL, 0, NULL, 0, NULL, 0), (unsigned long long)-ENOTSUP);
	CHECK_EQ(tc_call(FEATURE, "12345678", 8, NULL, 0, NULL, 0), (unsigned long long)-ENOTSUP);
	CHECK_EQ(tc_call(IO_FDS, "1234567812345678", 16, NULL, 0, NULL, 0),
		 (unsigned long long)-ENOTSUP);
	CHECK_EQ(tc_call(14, NULL, 0, NULL, 0, NULL, 0), (unsigned long long)-ENOTSUP);
}

static void truncated_payloads_are_refused(void)
{
	static const u16 commands[] = { DMA_MAP,  DMA_UNMAP, GET_INFO, REGION_INFO, IRQ_INFO,
					SET_IRQS, READ,	     WRITE,    WRITE_MULTI };
	u8 zeros[7] = { 0 };
	size_t i, len;

	tc_fresh();
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		for (len = 0; len < 8; len += 7)
			CHECK_EQ(tc_call(commands[i], zeros, len, NULL, 0, NULL, 0),
				 (unsigned long long)-EINVAL);
}

/* --- information ------------------------------------------------------------------------------ */

static void device_and_regions(void)
{
	static const u64 sizes[] = { 1 << 20, 0, 8 << 20, 0, 16 << 20, 0, 0, 256, 0 };
	u32 m[8] = { 32 }, reply[8], i;
	u64 size;

	tc_fresh();
	CHECK_EQ(tc_call(GET_INFO, m, 16, NULL, 0, reply, sizeof(reply)), 16);
	CHECK_EQ(reply[1], VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	CHECK_EQ(reply[2], VFIO_PCI_NUM_REGIONS);
	for (i = 0; i < 9; i++) {
		m[2] = i;
		CHECK_EQ(tc_call(REGION_INFO, m, 32, NULL, 0, reply, sizeof(reply)), 32);
		memcpy(&size, reply + 4, 8);
		CHECK_EQ(size, sizes[i]);
		CHECK(!(reply[1] & VFIO_REGION_INFO_FLAG_MMAP));
	}
	m[2] = 9;
	CHECK_EQ(tc_call(REGION_INFO, m, 32, NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
}

static void interrupts(void)
{
	static const u32 counts[] = { 1, 32, 32, 0, 0 };
	u32 m[4] = { 16 }, reply[4], i;

	tc_fresh();
	for (i = 0; i < 5; i++) {
		m[2] = i;
		CHECK_EQ(tc_call(IRQ_INFO, m, 16, NULL, 0, reply, sizeof(reply)), 16);
		CHECK_EQ(reply[3], counts[i]);
	}
	m[2] = 5;
	CHECK_EQ(tc_call(IRQ_INFO, m, 16, NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
}

static void set_irqs_checks_its_range(void)
{
	u32 m[5] = { 20, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 0, 33 };

	tc_fresh();
	CHECK_EQ(tc_call(SET_IRQS, m, 20, NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
	m[3] = 0xffffffff;
	m[4] = 2;
	CHECK_EQ(tc_call(SET_IRQS, m, 20, NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
	m[3] = 0;
	m[1] = VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER;
	CHECK_EQ(tc_call(SET_IRQS, m, 20, NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
	m[1] = VFIO_IRQ_SET_DATA_NONE;
	CHECK_EQ(tc_call(SET_IRQS, m, 20, NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
	m[1] = 0x3f;
	CHECK_EQ(tc_call(SET_IRQS, m, 20, NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
}

/* --- regions ---------------------------------------------------------------------------------- */

static void accesses_beyond_a_region_are_refused(void)
{
	u8 buf[16] = { 0 };

	tc_fresh();
	CHECK(tc_read(0, (1 << 20) - 2, buf, 4) < 0);
	CHECK(tc_read(0, UINT64_MAX - 1, buf, 4) < 0);
	CHECK(tc_read(1, 0, buf, 4) < 0);
	CHECK(tc_write(7, 254, buf, 4) < 0);
	CHECK(tc_write(4, 16 << 20, buf, 1) < 0);
	CHECK(tc_write(100, 0, buf, 1) < 0);
	CHECK(tc_read(0, 2, buf, 4) < 0);  /* unaligned register */
	CHECK(tc_read(0, 0, buf, 16) < 0); /* an unsupported width */
	CHECK(tc_read(0, 10, buf, 5) < 0);
	CHECK(tc_write(0, 12, buf, 6) < 0);
}

static void ddr_takes_any_width(void)
{
	u8 out[4096], in[4096];
	u32 i;

	tc_fresh();
	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 3;
	CHECK_EQ(tc_write(4, 0x1001, out, 4095), 0);
	CHECK_EQ(tc_read(4, 0x1001, in, 4095), 0);
	CHECK(!memcmp(in, out, 4095));
	CHECK_EQ(tc_write(4, 0x1003, out, 1), 0);
	CHECK_EQ(tc_read(4, 0x1000, in, 8), 0);
	CHECK_EQ(in[3], 0);
}

static void coalesced_writes_are_all_done(void)
{
	u8 m[8 + 3 * 24] = { 3 }, back[8];
	u32 i;

	tc_fresh();
	for (i = 0; i < 3; i++) {
		u32 hdr[4] = { 0x2000 + 8 * i, 0, 4, 8 };

		memcpy(m + 8 + 24 * i, hdr, 16);
		memset(m + 8 + 24 * i + 16, 0x11 * (i + 1), 8);
	}
	CHECK_EQ(tc_call(WRITE_MULTI, m, sizeof(m), NULL, 0, NULL, 0), 8);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(tc_read(4, 0x2000 + 8 * i, back, 8), 0);
		CHECK_EQ(back[7], 0x11 * (i + 1));
	}
	m[0] = 4;
	CHECK_EQ(tc_call(WRITE_MULTI, m, sizeof(m), NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
	m[0] = 3;
	m[8 + 12] = 9;
	CHECK_EQ(tc_call(WRITE_MULTI, m, sizeof(m), NULL, 0, NULL, 0), (unsigned long long)-EINVAL);
}

/* --- DMA -------------------------------------------------------------------------------------- */

static void maps_may_not_overlap(void)
{
	tc_fresh();
	CHECK_EQ(tc_map(TC_IOVA + 0x1000, 0x1000, 0), (unsigned long long)-EEXIST);
	CHECK_EQ(tc_map(TC_IOVA - 0x1000, 0x2000, 0), (unsigned long long)-EEXIST);
	CHECK_EQ(tc_map(0x1000, 0x1000, 0), 0);
	CHECK_EQ(tc_map(0x2000, 0, 0), (unsigned long long)-EINVAL);
	CHECK_EQ(tc_map(UINT64_MAX - 10, 0x1000, 0), (unsigned long long)-EINVAL);
	CHECK_EQ(tc_map(0x5000, 0x1000, TC_RAM), (unsigned long long)-EINVAL);
	CHECK_EQ(tc_map(0x5000, 0x1000, UINT64_MAX - 0xfff), (unsigned long long)-EINVAL);
}

static void unmap_takes_whole_maps(void)
{
	tc_fresh();
	CHECK_EQ(tc_unmap(TC_IOVA, 0x1000), (unsigned long long)-EINVAL);
	CHECK_EQ(tc_unmap(0x1000, 0x1000), 24); /* no map in this range: no error */
	CHECK_EQ(tc_unmap(TC_IOVA, TC_RAM), 24);
	CHECK_EQ(dma_maps(tc_hca()), 0);
}

static void map_without_descriptor_is_known_but_out_of_reach(void)
{
	u64 m[4] = { 3ull << 32 | 32, 0, 0xc0000, 0x1000 };
	u8 byte;

	tc_fresh();
	CHECK_EQ(tc_call(DMA_MAP, m, 32, NULL, 0, NULL, 0), 0);
	CHECK(dma_read(tc_hca(), "test", 0xc0000, &byte, 1) < 0);
	CHECK(tc_violations(RULE_DMA_UNMAPPED));
}

static void map_of_a_pipe_is_refused(void)
{
	u64 m[4] = { 3ull << 32 | 32, 0, 0xc0000, 0x1000 };
	int fds[2];

	tc_fresh();
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(tc_call(DMA_MAP, m, 32, fds, 1, NULL, 0), (unsigned long long)-EINVAL);
	close(fds[0]);
	close(fds[1]);
}

static void dma_spans_maps(void)
{
	u8 data[8192], back[8192];
	u32 i;

	tc_fresh();
	/* adjacent bus pages, which are far apart in memory and in reverse order */
	CHECK_EQ(tc_map(0x10000, 0x1000, 0x500000), 0);
	CHECK_EQ(tc_map(0x11000, 0x1000, 0x400000), 0);
	CHECK_EQ(tc_map(0x12000, 0x1000, 0x600000), 0);
	for (i = 0; i < sizeof(data); i++)
		data[i] = i ^ i >> 8;
	CHECK_EQ(dma_write(tc_hca(), "test", 0x10800, data, sizeof(data)), 0);
	CHECK_EQ(dma_read(tc_hca(), "test", 0x10800, back, sizeof(back)), 0);
	CHECK(!memcmp(data, back, sizeof(data)));
	CHECK(!memcmp(tc_ram() + 0x500800, data, 0x800));
	CHECK(!memcmp(tc_ram() + 0x400000, data + 0x800, 0x1000));
	CHECK(!dma_peek(tc_hca(), 0x10ff8, 16));
	CHECK(!memcmp(dma_peek(tc_hca(), 0x10ff0, 16), tc_ram() + 0x500ff0, 16));
	CHECK_EQ(tc_any_violation(), 0);
	CHECK(dma_write(tc_hca(), "test", 0x12f00, data, 0x200) < 0);
	CHECK(tc_violations(RULE_DMA_UNMAPPED));
}

static void thousands_of_pages(void)
{
	u8 byte;
	u32 i;

	tc_fresh();
	for (i = 0; i < 3000; i++)
		CHECK_EQ(tc_map(0x20000000ull + i * 0x2000ull, 0x1000, (i % 256) * 0x1000), 0);
	CHECK_EQ(dma_read(tc_hca(), "test", 0x20000000ull + 2999 * 0x2000ull, &byte, 1), 0);
	for (i = 0; i < 3000; i += 2)
		CHECK_EQ(tc_unmap(0x20000000ull + i * 0x2000ull, 0x1000), 24);
	CHECK(dma_read(tc_hca(), "test", 0x20000000ull, &byte, 1) < 0);
	CHECK_EQ(dma_read(tc_hca(), "test", 0x20002000ull, &byte, 1), 0);
	tc_any_violation();
}

/* --- PCI -------------------------------------------------------------------------------------- */

static void identity(void)
{
	tc_fresh();
	CHECK_EQ(tc_cfg32(0), 0x5a4415b3);
	CHECK_EQ(tc_cfg32(8), 0x0c0600a1);
	tc_cfg_write(0, 0xffffffff, 4);
	CHECK_EQ(tc_cfg32(0), 0x5a4415b3);
}

static void bars_size_like_hardware(void)
{
	tc_fresh();
	tc_cfg_write(PCI_BASE_ADDRESS_0, 0xffffffff, 4);
	CHECK_EQ(tc_cfg32(PCI_BASE_ADDRESS_0), 0xfff00004);
	tc_cfg_write(PCI_BASE_ADDRESS_2, 0xffffffff, 4);
	CHECK_EQ(tc_cfg32(PCI_BASE_ADDRESS_2), 0xff80000c);
	tc_cfg_write(PCI_BASE_ADDRESS_4, 0xffffffff, 4);
	CHECK_EQ(tc_cfg32(PCI_BASE_ADDRESS_4), 0xff00000c);
	tc_cfg_write(PCI_BASE_ADDRESS_5, 0xffffffff, 4);
	CHECK_EQ(tc_cfg32(PCI_BASE_ADDRESS_5), 0xffffffff);
}

static u8 find_cap(u8 id)
{
	u8 at = tc_cfg32(PCI_CAPABILITY_LIST);
	int hops;

	for (hops = 0; at && hops < 16; hops++) {
		u32 word = tc_cfg32(at & ~3);

		if ((word & 0xff) == id)
			return at;
		at = word >> 8;
	}
	return 0;
}

static void capabilities_of_mt23108(void)
{
	tc_fresh();
	CHECK_EQ(find_cap(PCI_CAP_ID_MSIX), 0x40);
	CHECK_EQ(find_cap(PCI_CAP_ID_VPD), 0x50);
	CHECK_EQ(find_cap(PCI_CAP_ID_MSI), 0x60);
	CHECK_EQ(find_cap(PCI_CAP_ID_PCIX), 0x70);
	CHECK_EQ(find_cap(PCI_CAP_ID_EXP), 0);
	CHECK_EQ(tc_cfg32(0x40) >> 16 & 0x7ff, 31);
	CHECK_EQ(tc_cfg32(0x44), 0x82000);
	CHECK_EQ(tc_cfg32(0x48), 0x82200);
}

static void capabilities_of_mt25208(void)
{
	tc_start("device=mt25208");
	CHECK_EQ(tc_cfg32(0), 0x627815b3);
	CHECK_EQ(find_cap(PCI_CAP_ID_PM), 0x40);
	CHECK_EQ(find_cap(PCI_CAP_ID_VPD), 0x48);
	CHECK_EQ(find_cap(PCI_CAP_ID_EXP), 0x60);
	CHECK_EQ(find_cap(PCI_CAP_ID_MSIX), 0x84);
	CHECK_EQ(find_cap(PCI_CAP_ID_MSI), 0x90);
	CHECK_EQ(find_cap(PCI_CAP_ID_PCIX), 0);
	tc_start("");
}

/* QEMU has the table that is used. This one must only keep its contents. */
static void msix_table_keeps_what_is_written(void)
{
	u32 v = 0x12345678, back = 0;

	tc_fresh();
	CHECK_EQ(tc_write(0, MSIX_TABLE + 0x14, &v, 4), 0);
	CHECK_EQ(tc_read(0, MSIX_TABLE + 0x14, &back, 4), 0);
	CHECK_EQ(back, v);
	CHECK_EQ(tc_read(0, MSIX_PBA, &back, 4), 0);
	CHECK_EQ(back, 0);
	CHECK_EQ(tc_any_violation(), 0);
}

static void vpd_can_be_read(void)
{
	tc_fresh();
	tc_cfg_write(0x51, 0, 2); /* half of the address has no effect */
	CHECK_EQ(tc_cfg32(0x50) >> 31, 0);
	tc_cfg_write(0x52, 0, 2);
	CHECK_EQ(tc_cfg32(0x50) >> 31, 1);
	CHECK_EQ(tc_cfg32(0x54) & 0xff, 0x82);
}

static void hidden_ddr_has_no_bar(void)
{
	u8 byte;

	tc_start("ddr_hidden=1");
	CHECK_EQ(tc_cfg32(PCI_BASE_ADDRESS_4), 0);
	CHECK(tc_read(4, 0, &byte, 1) < 0);
	tc_sys_en();
	CHECK_EQ(tc_cmd_out(0x05, 0, 0), 0);
	CHECK(tc_out()[0x13] & 0x10);
	tc_start("");
}

/* The DDR can be mapped only with the option: a client with a mapped region posts no writes. */
static void ddr_can_be_mapped(void)
{
	u32 m[8] = { 32, 0, VFIO_PCI_BAR4_REGION_INDEX };
	u32 reply[8];

	tc_fresh();
	CHECK_EQ(tc_call(REGION_INFO, m, 32, NULL, 0, reply, 32), 32);
	CHECK(!(reply[1] & VFIO_REGION_INFO_FLAG_MMAP));
	tc_start("ddr_mmap=1");
	CHECK_EQ(tc_call(REGION_INFO, m, 32, NULL, 0, reply, 32), 32);
	CHECK(reply[1] & VFIO_REGION_INFO_FLAG_MMAP);
	m[2] = VFIO_PCI_BAR2_REGION_INDEX;
	CHECK_EQ(tc_call(REGION_INFO, m, 32, NULL, 0, reply, 32), 32);
	CHECK(!(reply[1] & VFIO_REGION_INFO_FLAG_MMAP));
	tc_start("");
}

static void msi_when_msix_is_off(void)
{
	tc_fresh();
	tc_irqs(VFIO_PCI_MSI_IRQ_INDEX, 8);
	pci_raise(tc_hca(), 0x83);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_MSI_IRQ_INDEX, 3), 0);
	tc_cfg_write(0x42, 0, 2);
	tc_cfg_write(0x62, PCI_MSI_FLAGS_ENABLE, 2);
	pci_raise(tc_hca(), 0x83);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_MSI_IRQ_INDEX, 3), 1);
}

static void msix_can_be_lost(void)
{
	char why[OPT_WHY];

	tc_fresh();
	tc_irqs(VFIO_PCI_MSIX_IRQ_INDEX, 8);
	tc_cfg_write(0x42, PCI_MSIX_FLAGS_ENABLE, 2);
	CHECK_EQ(opt_set(hca_number(tc_hca()), "lose_msix", "1", why), 0);
	pci_raise(tc_hca(), 0x83);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_MSIX_IRQ_INDEX, 3), 0);
	CHECK_EQ(opt_set(hca_number(tc_hca()), "lose_msix", "0", why), 0);
	pci_raise(tc_hca(), 0x83);
	CHECK_EQ(tc_irq_taken(VFIO_PCI_MSIX_IRQ_INDEX, 3), 1);
}

/* --- life ------------------------------------------------------------------------------------- */

static void reset_message_clears_the_device(void)
{
	tc_fresh();
	tc_up();
	CHECK_EQ(tc_call(RESET, NULL, 0, NULL, 0, NULL, 0), 0);
	/* the device answers at once, because the client and not the guest has reset it */
	CHECK_EQ(tc_cfg32(0), 0x5a4415b3);
	CHECK_EQ(tc_cfg32(PCI_COMMAND) & 0xffff, 0);
	CHECK(!hca_running(tc_hca()));
}

static void reset_in_every_state(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		tc_fresh();
		if (i == 1)
			tc_sys_en();
		if (i == 2)
			tc_init_hca();
		if (i == 3)
			tc_up();
		tc_reset();
		tc_sys_en();
		CHECK_EQ(tc_any_violation(), 0);
	}
}

static void second_client_after_the_first(void)
{
	tc_fresh();
	tc_up();
	tc_fresh();
	CHECK(!hca_enabled(tc_hca()));
	tc_up();
	CHECK_EQ(tc_any_violation(), 0);
}

static void removal_cuts_the_client_off(void)
{
	tc_fresh();
	tc_up();
	vfu_disconnect(tc_hca());
	CHECK_EQ(tc_call(RESET, NULL, 0, NULL, 0, NULL, 0), (unsigned long long)-ECONNRESET);
	CHECK_EQ(dma_maps(tc_hca()), 0);
	tc_fresh();
}

/* Random accesses must not crash the model. The seed is fixed. */
static void random_accesses(void)
{
	u64 x = 88172645463325252ull;
	u32 i;

	tc_fresh();
	tc_up();
	for (i = 0; i < 20000; i++) {
		static const u8 regions[] = { 0, 0, 0, 2, 2, 4 };
		static const u32 hot[] = { 0x80680, 0x80700, 0xf00d8, 0x2010,
					   0x2018,  0x2020,  0x2028,  0x5010 };
		u64 value;
		u32 at, region;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		region = regions[x % 6];
		at = (x >> 8) & 1 ? hot[(x >> 9) % 8] + ((x >> 12) & 0x1c) : (x >> 9) & 0xffff8;
		if (at >= 0xf0010 && at < 0xf0018)
			continue;
		value = x * 0x9e3779b97f4a7c15ull;
		if (x >> 60 & 1)
			value &= 0xff000000ff0000ull;
		tc_write(region, at, &value, x >> 61 & 1 ? 8 : 4);
		if (!(i % 500)) {
			tc_fresh();
			tc_up();
		}
	}
	tc_fresh();
	tc_up();
	tc_any_violation();
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(nothing_before_version),
		TAP(wrong_major_is_cut_off),
		TAP(capabilities_never_exceed_the_clients),
		TAP(garbage_json_is_survived),
		TAP(short_message_is_cut_off),
		TAP(huge_message_is_cut_off),
		TAP(message_in_pieces),
		TAP(many_messages_in_one_write),
		TAP(unknown_command_is_refused),
		TAP(truncated_payloads_are_refused),
		TAP(device_and_regions),
		TAP(interrupts),
		TAP(set_irqs_checks_its_range),
		TAP(accesses_beyond_a_region_are_refused),
		TAP(ddr_takes_any_width),
		TAP(coalesced_writes_are_all_done),
		TAP(maps_may_not_overlap),
		TAP(unmap_takes_whole_maps),
		TAP(map_without_descriptor_is_known_but_out_of_reach),
		TAP(map_of_a_pipe_is_refused),
		TAP(dma_spans_maps),
		TAP(thousands_of_pages),
		TAP(identity),
		TAP(bars_size_like_hardware),
		TAP(capabilities_of_mt23108),
		TAP(capabilities_of_mt25208),
		TAP(msix_table_keeps_what_is_written),
		TAP(vpd_can_be_read),
		TAP(hidden_ddr_has_no_bar),
		TAP(ddr_can_be_mapped),
		TAP(msi_when_msix_is_off),
		TAP(msix_can_be_lost),
		TAP(reset_message_clears_the_device),
		TAP(reset_in_every_state),
		TAP(second_client_after_the_first),
		TAP(removal_cuts_the_client_off),
		TAP(random_accesses),
	};

	tc_start("");
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
