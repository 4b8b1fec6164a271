// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Commands for the device as a whole: SYS_EN to QUERY_HCA, NOP and others (tavor-hw 6.1 to 6.6). */
#include "core/bytes.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/keys.h"
#include "device/queues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PARAM_LEN 0x200
#define LOG_RESERVED_QPS 10
#define LOG_RESERVED_SRQS 4
#define RESERVED_UARS 1

struct sys {
	u8 params[PARAM_LEN]; /* the input mailbox of INIT_HCA */
	u32 fw_major, fw_minor, fw_sub;
};

static struct sys *sys_of(const struct hca *h)
{
	return hca_part(h, PART_SYS);
}

/* --- SYS_EN, SYS_DIS -------------------------------------------------------------------------- */

static u8 bad_state(struct hca *h, const char *name, const char *why)
{
	violation(h, RULE_CMD_STATE, name, "%s", why);
	return CMD_BAD_SYS_STATE;
}

/* The memory check clears the DDR. Modifier 3 preserves its contents (tavor-hw 5). */
static u8 sys_en(struct hca *h, struct cmd *c)
{
	if (hca_enabled(h))
		return bad_state(h, "SYS_EN", "the system is enabled");
	if (c->op_mod != 3)
		ddr_clear(h);
	state_enable(h, true);
	window_protect(h, "firmware area", ddr_fw_start(h),
		       ddr_start(h) + ddr_size(h) - ddr_fw_start(h));
	return CMD_OK;
}

/* The callback that closes the layers above the device: queue pairs and ports. */
static void (*close_upper)(struct hca *h);

void sys_on_close(void (*fn)(struct hca *h))
{
	close_upper = fn;
}

/* Deletes the state that INIT_HCA and later commands have created. */
static void stop(struct hca *h)
{
	state_stop(h);
	close_upper(h);
	cq_reset(h);
	eq_reset(h);
	tpt_reset(h);
	window_unprotect_all(h);
	state_forget(h);
	memset(sys_of(h)->params, 0, PARAM_LEN);
}

/* SYS_DIS on a running HCA would lose its tables, so drivers close it first (tavor-hw 8.2). */
static u8 sys_dis(struct hca *h, struct cmd *c)
{
	if (hca_running(h))
		return bad_state(h, "SYS_DIS", "CLOSE_HCA has not been done");
	state_enable(h, false);
	window_unprotect_all(h);
	return CMD_OK;
}

/* --- queries ---------------------------------------------------------------------------------- */

/* The error buffer is a PCI address, of which drivers use the low bits (tavor-hw 6.2). */
static u8 query_fw(struct hca *h, struct cmd *c)
{
	struct sys *s = sys_of(h);

	put16(c->out + 0x02, s->fw_major);
	put16(c->out + 0x04, s->fw_sub);
	put16(c->out + 0x06, s->fw_minor);
	put16(c->out + 0x0a, 3);
	put32(c->out + 0x0c, opt_u64(h, "log_max_cmd"));
	put64(c->out + 0x20, ddr_fw_start(h));
	put64(c->out + 0x28, ddr_start(h) + ddr_size(h) - 1);
	put64(c->out + 0x30, pci_bar(h, 0) + CATAS_OFFSET);
	put32(c->out + 0x38, CATAS_DWORDS);
	return CMD_OK;
}

/* There is one DIMM, and the others are disabled (tavor-hw 6.3). */
static u8 query_ddr(struct hca *h, struct cmd *c)
{
	put64(c->out, ddr_start(h));
	put64(c->out + 0x08, ddr_start(h) + ddr_size(h) - 1);
	/* ECC with correction */
	put32(c->out + 0x10, (ddr_hidden(h) ? 1 << 4 : 0) | 3);
	put32(c->out + 0x40, (ddr_hidden(h) ? 1 << 25 : 0) | (u32)(ddr_size(h) >> 20 & 0xffff));
	put64(c->out + 0x50, ddr_start(h));
	put32(c->out + 0x60, 1 << 24);
	put32(c->out + 0x80, 1 << 24);
	put32(c->out + 0xa0, 1 << 24);
	return CMD_OK;
}

static u8 query_adapter(struct hca *h, struct cmd *c)
{
	const char *board = opt_str(h, "board_id");
	size_t i;

	put32(c->out, opt_u64(h, "vendor"));
	put32(c->out + 4, pci_device_id(h));
	put32(c->out + 8, 0xa1);
	c->out[0x10] = opt_u64(h, "intx_pin");
	/* the board ID is at the end of the vendor data, with byte-swapped words (tavor-hw 6.4) */
	for (i = 0; i < strlen(board) && i < 16; i++)
		c->out[0x20 + 0xd0 + (i ^ 3)] = board[i];
	return CMD_OK;
}

/* Writes the output of QUERY_DEV_LIM, byte by byte (tavor-hw 6.5). */
static void put_limits(struct hca *h, u8 *out)
{
	out[0x10] = opt_u64(h, "log_max_wqe");
	out[0x11] = opt_u64(h, "log_max_wqe");
	out[0x12] = LOG_RESERVED_QPS;
	out[0x13] = opt_u64(h, "log_max_qps");
	out[0x14] = LOG_RESERVED_SRQS << 4;
	out[0x15] = opt_u64(h, "log_max_srqs");
	out[0x19] = opt_u64(h, "log_max_cqe");
	out[0x1a] = LOG_RESERVED_CQS;
	out[0x1b] = opt_u64(h, "log_max_cqs");
	out[0x1d] = opt_u64(h, "log_max_mpts");
	out[0x1f] = opt_u64(h, "log_max_eqs");
	out[0x20] = LOG_RESERVED_MTTS << 4;
	out[0x21] = 0x1f;
	out[0x22] = LOG_RESERVED_MPTS;
	out[0x23] = opt_u64(h, "log_max_mtts");
	out[0x27] = 0x18;
	out[0x29] = opt_u64(h, "log_max_rdma_out");
	out[0x2b] = opt_u64(h, "log_max_rdma_in");
	out[0x2f] = 0x16;
}

static void put_port_limits(struct hca *h, u8 *out)
{
	out[0x35] = 0x0f;
	out[0x36] = 0x43;
	out[0x37] = 0x80 | opt_u64(h, "ports");
	out[0x3b] = 5;
	put16(out + 0x3c, 0x000f);
	out[0x3f] = opt_u64(h, "log_pkeys");
	put32(out + 0x44, opt_u64(h, "flags"));
	out[0x48] = RESERVED_UARS << 4;
	out[0x49] = 3; /* 8 MB */
	out[0x4b] = 12;
	out[0x51] = opt_u64(h, "max_sge");
	put16(out + 0x52, 1008);
	out[0x61] = 3;
	out[0x63] = 13;
	out[0x65] = opt_u64(h, "log_max_pds");
}

static u8 query_dev_lim(struct hca *h, struct cmd *c)
{
	static const u16 sizes[] = { 256, 256, 32, 32, 64, 64, 32, 32 };
	int i;

	put_limits(h, c->out);
	put_port_limits(h, c->out);
	for (i = 0; i < 8; i++)
		put16(c->out + 0x80 + 2 * i, sizes[i]);
	return CMD_OK;
}

/* Returns the parameters of INIT_HCA, and two fields that are only outputs (tavor-hw 6.6). */
static u8 query_hca(struct hca *h, struct cmd *c)
{
	memcpy(c->out, sys_of(h)->params, PARAM_LEN);
	c->out[0x0c] = 0x40; /* core clock: 4 ns */
	put64(c->out + 0x120, pci_bar(h, 2));
	return CMD_OK;
}

/* --- INIT_HCA --------------------------------------------------------------------------------- */

/*
 * A dword contains the low bits of an address and a log2 count. The width of the count is the mask
 * (tavor-hw 6.6).
 */
static void parse_profile(const u8 *in, struct hca_profile *p)
{
	p->qpc_base = get64(in + 0x30) & ~0x7full;
	p->log_qps = in[0x37] & 0x1f;
	p->eec_base = get64(in + 0x40) & ~0x7full;
	p->srqc_base = get64(in + 0x48) & ~0x1full;
	p->log_srqs = in[0x4f] & 0x1f;
	p->cqc_base = get64(in + 0x50) & ~0x3full;
	p->log_cqs = in[0x57] & 0x1f;
	p->eqpc_base = get64(in + 0x60);
	p->eeec_base = get64(in + 0x70);
	p->eqc_base = get64(in + 0x80) & ~0x3full;
	p->log_eqs = in[0x87] & 0x0f;
	p->rdb_base = get64(in + 0x90) & 0xffffffff00000000u;
	p->mc_base = get64(in + 0xc0);
	p->log_mc_entry = get16(in + 0xd2);
	p->mc_hash_size = get32(in + 0xd4) & 0x1ffff;
	p->log_mcgs = in[0xdb] & 0x1f;
	p->mpt_base = get64(in + 0xf0);
	p->mtt_seg_shift = 6 + (in[0xf9] & 7);
	p->log_mpts = in[0xfb] & 0x3f;
	p->mtt_base = get64(in + 0x100);
	p->uar_page_shift = 12 + in[0x12b];
	p->uarscr_base = get64(in + 0x130);
	p->host_big_endian = in[0x17] & 2;
	p->udav_port_check = in[0x17] & 1;
}

struct table {
	const char *name;
	u64 base, size;
	u64 align;     /* 0: aligned to its size */
	bool software; /* software may write it, too (tavor-hw 9.3, 9.6) */
};

#define MAX_TABLES 10

/*
 * No field gives the length of the MTT table, so only its first segment is checked. The RDB area is
 * given by each QP.
 */
static int list_tables(const struct hca_profile *p, struct table *t)
{
	struct table all[] = {
		{ "QPC table", p->qpc_base, 256ull << p->log_qps, 0, false },
		{ "SRQC table", p->srqc_base, 32ull << p->log_srqs, 0, false },
		{ "CQC table", p->cqc_base, 64ull << p->log_cqs, 0, false },
		{ "EQPC table", p->eqpc_base, 32ull << p->log_qps, 32, false },
		{ "EQC table", p->eqc_base, 64ull << p->log_eqs, 64, false },
		{ "multicast table", p->mc_base, (1ull << p->log_mc_entry) << p->log_mcgs, 256,
		  false },
		{ "MPT table", p->mpt_base, 64ull << p->log_mpts, 0, true },
		{ "UAR scratch", p->uarscr_base, 32ull * (BAR2_SIZE >> p->uar_page_shift), 32,
		  false },
		{ "MTT table", p->mtt_base, 1ull << p->mtt_seg_shift, 64, true },
	};

	memcpy(t, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

/*
 * A misaligned table is recorded, but works. A table that overlaps another or leaves the DDR fails.
 */
static bool table_bad(struct hca *h, const struct table *t, const struct table *all, int n)
{
	u64 align = t->align ? t->align : t->size;
	int i;

	if (!ddr_contains(h, t->base, t->size) || t->base + t->size > ddr_fw_start(h)) {
		violation(h, RULE_INIT_HCA_TABLE, t->name,
			  "0x%llx bytes at 0x%llx leave the usable DDR",
			  (unsigned long long)t->size, (unsigned long long)t->base);
		return true;
	}
	if (t->base & (align - 1))
		violation(h, RULE_INIT_HCA_TABLE, t->name, "0x%llx is not aligned to 0x%llx",
			  (unsigned long long)t->base, (unsigned long long)align);
	for (i = 0; i < n; i++) {
		const struct table *o = &all[i];

		if (o >= t || t->base >= o->base + o->size || o->base >= t->base + t->size)
			continue;
		violation(h, RULE_INIT_HCA_TABLE, t->name, "0x%llx overlaps the %s at 0x%llx",
			  (unsigned long long)t->base, o->name, (unsigned long long)o->base);
		return true;
	}
	return false;
}

static bool count_bad(struct hca *h, const char *what, u32 log, u64 limit)
{
	if (log <= limit)
		return false;
	violation(h, RULE_INIT_HCA_COUNT, "INIT_HCA", "2^%u %s, the limit is 2^%llu", log, what,
		  (unsigned long long)limit);
	return true;
}

static bool counts_bad(struct hca *h, const struct hca_profile *p)
{
	return count_bad(h, "QPs", p->log_qps, opt_u64(h, "log_max_qps")) ||
	       count_bad(h, "SRQs", p->log_srqs, opt_u64(h, "log_max_srqs")) ||
	       count_bad(h, "CQs", p->log_cqs, opt_u64(h, "log_max_cqs")) ||
	       count_bad(h, "EQs", p->log_eqs, opt_u64(h, "log_max_eqs")) ||
	       count_bad(h, "MPTs", p->log_mpts, opt_u64(h, "log_max_mpts")) ||
	       count_bad(h, "multicast entries", p->log_mcgs, 13) ||
	       count_bad(h, "bytes of a multicast entry", p->log_mc_entry, 8) ||
	       count_bad(h, "bytes of a UAR page", p->uar_page_shift, 16);
}

/* Checks values that no limit covers but that no device can use. */
static bool values_bad(struct hca *h, const struct hca_profile *p)
{
	const char *why = NULL;

	if (p->log_mc_entry != 8)
		why = "multicast entries are 256 bytes";
	else if (!p->mc_hash_size || p->mc_hash_size > 1u << p->log_mcgs)
		why = "the multicast hash table is empty or larger than the whole";
	else if (1u << p->log_qps <= 1u << LOG_RESERVED_QPS ||
		 1u << p->log_mpts <= 1u << LOG_RESERVED_MPTS ||
		 1u << p->log_cqs <= 1u << LOG_RESERVED_CQS)
		why = "a table holds nothing but reserved entries";
	if (!why)
		return false;
	violation(h, RULE_CMD_PARAM, "INIT_HCA",
		  "%s: 2^%u QPs, 2^%u CQs, 2^%u MPTs, %u of 2^%u multicast entries", why,
		  p->log_qps, p->log_cqs, p->log_mpts, p->mc_hash_size, p->log_mcgs);
	return true;
}

/* Checks the areas of the mailbox without a field (tavor-hw 6.6). */
static void check_reserved(struct hca *h, const struct cmd *c)
{
	static const u16 ranges[][2] = {
		{ 0x00, 0x10 },	  { 0x18, 0x30 },   { 0x38, 0x40 }, { 0x58, 0x60 },
		{ 0x68, 0x70 },	  { 0x78, 0x80 },   { 0x88, 0x90 }, { 0x98, 0xb0 },
		{ 0xb8, 0xc0 },	  { 0xc8, 0xd0 },   { 0xdc, 0xf0 }, { 0x108, 0x120 },
		{ 0x12c, 0x130 }, { 0x138, 0x200 },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		cmd_reserved(h, c, "INIT_HCA", ranges[i][0], ranges[i][1]);
	cmd_reserved_bits(h, c, "INIT_HCA", 0x14, 0x0000f0f8);
	cmd_reserved_bits(h, c, "INIT_HCA", 0x128, 0xffffff00);
}

static void protect_tables(struct hca *h, const struct hca_profile *p)
{
	struct table t[MAX_TABLES];
	int n = list_tables(p, t), i;

	for (i = 0; i < n; i++)
		if (!t[i].software)
			window_protect(h, t[i].name, t[i].base, t[i].size);
}

/* Clears the multicast table, because no driver does (tavor-hw 16.2). */
static u8 init_hca(struct hca *h, struct cmd *c)
{
	struct hca_profile p = { 0 };
	struct table t[MAX_TABLES];
	int n, i;

	if (hca_running(h))
		return bad_state(h, "INIT_HCA", "the HCA is running");
	check_reserved(h, c);
	parse_profile(c->in, &p);
	if (counts_bad(h, &p))
		return CMD_EXCEED_LIM;
	if (values_bad(h, &p))
		return CMD_BAD_PARAM;
	n = list_tables(&p, t);
	for (i = 0; i < n; i++)
		if (table_bad(h, &t[i], t, n))
			return CMD_BAD_PARAM;
	state_set_profile(h, &p);
	memcpy(sys_of(h)->params, c->in, PARAM_LEN);
	memset(ddr_ptr(h, p.mc_base, 256ull << p.log_mcgs), 0, 256ull << p.log_mcgs);
	if (tpt_init(h) || cq_init(h))
		return CMD_INTERNAL_ERR;
	protect_tables(h, &p);
	state_start(h);
	return CMD_OK;
}

/* On a card, modifier 1 (panic) flushes less. Here both modifiers delete all state. */
static u8 close_hca(struct hca *h, struct cmd *c)
{
	stop(h);
	window_protect(h, "firmware area", ddr_fw_start(h),
		       ddr_start(h) + ddr_size(h) - ddr_fw_start(h));
	return CMD_OK;
}

/* --- other commands --------------------------------------------------------------------------- */

static u8 nop(struct hca *h, struct cmd *c)
{
	return CMD_OK;
}

static u8 sync_tpt(struct hca *h, struct cmd *c)
{
	tpt_sync_all(h);
	return CMD_OK;
}

static u8 mod_stat_cfg(struct hca *h, struct cmd *c)
{
	if ((get32(c->in) & 0x80) && (get32(c->in) & 0x1f) > opt_u64(h, "log_max_srqs")) {
		violation(h, RULE_CMD_PARAM, "MOD_STAT_CFG", "2^%u SRQs", get32(c->in) & 0x1f);
		return CMD_EXCEED_LIM;
	}
	return CMD_OK;
}

/* The layout of the counters was never published, so they read as zero. */
static u8 diag_rprt(struct hca *h, struct cmd *c)
{
	return CMD_OK;
}

const struct cmd_desc sys_cmds[] = {
	{ 0x01, "SYS_EN", 0, 0, CMD_NEEDS_NOTHING, 'D', sys_en, NULL, 0xd, 0 },
	{ 0x02, "SYS_DIS", 0, 0, CMD_NEEDS_SYS_EN, 'C', sys_dis, NULL, 1, 0 },
	{ 0x03, "QUERY_DEV_LIM", 0, 0x100, CMD_NEEDS_SYS_EN, 'A', query_dev_lim, NULL, 1, 0 },
	{ 0x04, "QUERY_FW", 0, 0x100, CMD_NEEDS_NOTHING, 'A', query_fw, NULL, 1, 0 },
	{ 0x05, "QUERY_DDR", 0, 0x100, CMD_NEEDS_SYS_EN, 'A', query_ddr, NULL, 1, 0 },
	{ 0x06, "QUERY_ADAPTER", 0, 0x100, CMD_NEEDS_SYS_EN, 'A', query_adapter, NULL, 1, 0 },
	{ 0x07, "INIT_HCA", PARAM_LEN, 0, CMD_NEEDS_SYS_EN, 'D', init_hca, NULL, 1, 0 },
	{ 0x08, "CLOSE_HCA", 0, 0, CMD_NEEDS_INIT_HCA, 'C', close_hca, NULL, 0x3, 0 },
	{ 0x0b, "QUERY_HCA", 0, PARAM_LEN, CMD_NEEDS_INIT_HCA, 'A', query_hca, NULL, 1, 0 },
	{ 0x2f, "SYNC_TPT", 0, 0, CMD_NEEDS_INIT_HCA, 'B', sync_tpt, NULL, 1, 0 },
	{ 0x30, "DIAG_RPRT", 0, 0x100, CMD_NEEDS_INIT_HCA, 'A', diag_rprt, NULL, 0xfc, 0 },
	{ 0x31, "NOP", 0, 0, CMD_NEEDS_SYS_EN, 'C', nop, NULL, 1, ~0u },
	{ 0x34, "MOD_STAT_CFG", 0x100, 0, CMD_NEEDS_SYS_EN, 'A', mod_stat_cfg, NULL, 1, 0 },
	{ 0 }
};

/* --- start and end ---------------------------------------------------------------------------- */

/*
 * The contents of the DDR are kept. Only SYS_EN clears them, unless its modifier is 3 (tavor-hw 5).
 */
void sys_reset(struct hca *h)
{
	state_reset(h);
	memset(sys_of(h)->params, 0, PARAM_LEN);
	window_unprotect_all(h);
}

int sys_new(struct hca *h)
{
	struct sys *s = calloc(1, sizeof(*s));
	const char *version = opt_str(h, "fw_version");
	char extra;

	if (!s)
		return -ENOMEM;
	if (!*version)
		version = pci_device_id(h) == 0x6278 ? "4.8.200" : "3.5.0";
	if (sscanf(version, "%u.%u.%u%c", &s->fw_major, &s->fw_minor, &s->fw_sub, &extra) != 3 ||
	    s->fw_major > 0xffff || s->fw_minor > 0xffff || s->fw_sub > 0xffff) {
		fprintf(stderr, "tavor-hca: fw_version=%s: expected MAJOR.MINOR.SUBMINOR\n",
			version);
		free(s);
		return -EINVAL;
	}
	hca_set_part(h, PART_SYS, s);
	return 0;
}

void sys_delete(struct hca *h)
{
	free(sys_of(h));
	hca_set_part(h, PART_SYS, NULL);
}
