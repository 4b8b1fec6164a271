// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Commands for memory keys and translations (tavor-hw 9.1, 9.3), with the checks when a key is
 * passed to hardware and returned to software.
 */
#include "device/cmd.h"
#include "device/keys.h"
#include "device/queues.h"
#include "device/tpt.h"

#include <cjson/cJSON.h>
#include <stdio.h>

static void name_mpt(char *object, u32 index)
{
	snprintf(object, 24, "MPT 0x%x", index);
}

/* The callback into the queue pairs, which are in a higher layer. */
static bool (*wq_uses_mpt)(struct hca *h, u32 key, u32 *uar);

void tpt_set_work_queues(bool (*uses_mpt)(struct hca *h, u32 key, u32 *uar))
{
	wq_uses_mpt = uses_mpt;
}

static u8 bad_index(struct hca *h, const struct cmd *c)
{
	return cmd_bad_index(h, c, "MPT", c->in_mod, RESERVED_MPTS, tpt_of(h)->mask + 1);
}

/* --- SW2HW_MPT -------------------------------------------------------------------------------- */

/* Checks the fields that regions and windows share (tavor-hw 9.1). */
static u8 check_field(struct hca *h, const struct cmd *c, const char *object)
{
	const u8 *in = c->in;

	cmd_reserved_bits(h, c, object, MPT_FLAGS, 0x0ffd00ff);
	cmd_reserved_bits(h, c, object, MPT_PAGE, 0xffffffe0);
	cmd_reserved_bits(h, c, object, MPT_PD, 0xff000000);
	cmd_reserved(h, c, object, MPT_BOUND, MPT_LIMIT);
	cmd_reserved(h, c, object, 0x34, 0x40);
	if ((get32(in + MPT_PAGE) & 0x1f) >= 20) {
		violation(h, RULE_MPT_FIELD, object, "page size code %u",
			  get32(in + MPT_PAGE) & 0x1f);
		return CMD_BAD_PARAM;
	}
	if ((get32(in + MPT_KEY_AT) & tpt_of(h)->mask) != c->in_mod) {
		violation(h, RULE_MPT_KEY, object, "key 0x%08x", get32(in + MPT_KEY_AT));
		return CMD_BAD_PARAM;
	}
	if (get32(in + MPT_LKEY))
		violation(h, RULE_MPT_FIELD, object, "L_Key field is 0x%08x", get32(in + MPT_LKEY));
	return CMD_OK;
}

/* An unbound window has only a key and a PD (tavor-hw 9.5). */
static u8 check_window(struct hca *h, const struct cmd *c, const char *object)
{
	const u8 *in = c->in;

	if (!(get32(in) & 0xffff) && !get64(in + MPT_START) && !get64(in + MPT_LEN))
		return CMD_OK;
	violation(h, RULE_MPT_FIELD, object,
		  "a window that is not bound has flags 0x%08x, length 0x%llx", get32(in),
		  (unsigned long long)get64(in + MPT_LEN));
	return CMD_BAD_PARAM;
}

/* All MTT segments of the region must be in the table, above the reserved ones. */
static u8 check_mtts(struct hca *h, const struct cmd *c, const char *object)
{
	const struct tpt *t = tpt_of(h);
	unsigned int shift = mpt_page_shift(c->in);
	u64 start = get64(c->in + MPT_START), len = get64(c->in + MPT_LEN);
	u64 at = get64(c->in + MPT_MTT_AT);
	u64 seg = 1ull << hca_profile(h)->mtt_seg_shift;
	u64 pages = len ? ((start & ((1ull << shift) - 1)) + (len - 1)) >> shift : 0;

	if (at < t->mtt_base || at >= t->mtt_end || pages >= (t->mtt_end - at) / 8) {
		violation(h, RULE_MPT_MTT, object, "0x%llx entries at 0x%llx leave the table",
			  (unsigned long long)pages + 1, (unsigned long long)at);
		return CMD_BAD_PARAM;
	}
	if ((at - t->mtt_base) % seg || (at - t->mtt_base) / seg < RESERVED_MTTS) {
		violation(h, RULE_MPT_MTT, object, "0x%llx is %s", (unsigned long long)at,
			  (at - t->mtt_base) % seg ? "not at a segment's beginning" :
						     "a reserved segment");
		return CMD_BAD_PARAM;
	}
	return CMD_OK;
}

/*
 * Start plus length must not wrap, except for 0 and 2^64 - 1, which mean all addresses
 * (tavor-hw 9.4).
 */
static u8 check_entry(struct hca *h, const struct cmd *c, const char *object)
{
	u32 flags = get32(c->in);
	u8 status = check_field(h, c, object);

	if (status)
		return status;
	if (!(flags & MPT_REGION))
		return check_window(h, c, object);
	if (!(flags & 1 << 17))
		violation(h, RULE_MPT_FIELD, object, "flags 0x%08x: memory cycles (bit 17) not set",
			  flags);
	if (get64(c->in + MPT_LEN) > UINT64_MAX - get64(c->in + MPT_START)) {
		violation(h, RULE_MPT_FIELD, object, "start 0x%llx and length 0x%llx wrap",
			  (unsigned long long)get64(c->in + MPT_START),
			  (unsigned long long)get64(c->in + MPT_LEN));
		return CMD_BAD_PARAM;
	}
	return flags & MPT_PHYSICAL ? CMD_OK : check_mtts(h, c, object);
}

static void store(u8 *e, const u8 *in)
{
	memcpy(e + 4, in + 4, MPT_SIZE - 4);
	put32(e + MPT_LKEY, 0);
	put32(e + MPT_BOUND, 0);
	/* the flags contain the ownership, so they are stored last */
	put32(e, get32(in) & 0x0fffffff);
}

/*
 * A key must not become valid while a queue of hardware still names it: the queue could then access
 * memory that is not its own.
 */
static u8 sw2hw_mpt(struct hca *h, struct cmd *c)
{
	char object[24];
	u8 *e, status;
	u32 uar;

	status = bad_index(h, c);
	if (status)
		return status;
	name_mpt(object, c->in_mod);
	e = tpt_entry(tpt_of(h), c->in_mod);
	if (mpt_owned(e))
		return cmd_bad_owner(h, c, object, "the hardware");
	status = check_entry(h, c, object);
	if (status)
		return status;
	if (wq_uses_mpt(h, get32(c->in + MPT_KEY_AT), &uar))
		blame(h, uar, RULE_MPT_IN_USE, object,
		      "key 0x%08x is still that of a work queue's buffer",
		      get32(c->in + MPT_KEY_AT));
	store(e, c->in);
	return CMD_OK;
}

/* --- HW2SW_MPT, QUERY_MPT --------------------------------------------------------------------- */

/*
 * A queue that still uses the key would write to memory that software may have reused. A process
 * owns the regions of its own queues and can deregister them first (tavor-hw 18.2), which is a user
 * fault.
 */
static void check_users(struct hca *h, const char *object, u32 key)
{
	u32 uar;

	if (eq_uses_mpt(h, key, &uar))
		violation(h, RULE_MPT_IN_USE, object, "key 0x%08x is that of an EQ's buffer", key);
	else if (wq_uses_mpt(h, key, &uar))
		blame(h, uar, RULE_MPT_IN_USE, object,
		      "key 0x%08x is that of a work queue's buffer", key);
	else if (cq_uses_mpt(h, key, &uar))
		blame(h, uar, RULE_MPT_IN_USE, object, "key 0x%08x is that of a CQ's buffer", key);
}

/* Finds the entry that a command names, if hardware owns it, and its name for reports. */
static u8 owned(struct hca *h, const struct cmd *c, char *object, u8 **e)
{
	u8 status = bad_index(h, c);

	if (status)
		return status;
	name_mpt(object, c->in_mod);
	*e = tpt_entry(tpt_of(h), c->in_mod);
	return mpt_owned(*e) ? CMD_OK : cmd_bad_owner(h, c, object, "software");
}

/*
 * A region with bound windows fails with status 0x21. A user can cause this, so it is no violation.
 */
static u8 hw2sw_mpt(struct hca *h, struct cmd *c)
{
	struct tpt *t = tpt_of(h);
	char object[24];
	u8 *e, status;

	status = owned(h, c, object, &e);
	if (status)
		return status;
	if ((get32(e) & MPT_REGION) && get32(e + MPT_BOUND))
		return CMD_REG_BOUND;
	check_users(h, object, get32(e + MPT_KEY_AT));
	if (!(get32(e) & MPT_REGION))
		tpt_unbind(t, e);
	memcpy(c->out, e, MPT_SIZE);
	c->no_out = c->op_mod == 1;
	tpt_invalidate(t, e);
	put32(e, get32(e) | MPT_SW_STATUS);
	return CMD_OK;
}

static u8 query_mpt(struct hca *h, struct cmd *c)
{
	char object[24];
	u8 *e, status;

	status = owned(h, c, object, &e);
	if (status)
		return status;
	memcpy(c->out, e, MPT_SIZE);
	return CMD_OK;
}

/* --- MODIFY_MPT ------------------------------------------------------------------------------- */

enum { MODIFY_RESIZE = 3, MODIFY_SWAP = 5 };

/* Only length and MTT address of the mailbox are used. The other fields do not change. */
static u8 resize_entry(struct hca *h, struct cmd *c, const char *object, u8 *e)
{
	u64 len = get64(c->in + MPT_LEN), mtt = get64(c->in + MPT_MTT_AT);
	u8 status;

	memcpy(c->in, e, MPT_SIZE);
	put64(c->in + MPT_LEN, len);
	put64(c->in + MPT_MTT_AT, mtt);
	status = check_mtts(h, c, object);
	if (status)
		return status;
	put64(e + MPT_LEN, len);
	put64(e + MPT_MTT_AT, mtt);
	return CMD_OK;
}

static u8 modify_mpt(struct hca *h, struct cmd *c)
{
	char object[24];
	u8 *e, status;

	status = owned(h, c, object, &e);
	if (status)
		return status;
	if (!(get32(e) & MPT_REGION))
		return cmd_bad_owner(h, c, object, "a window");
	if (get32(e + MPT_BOUND))
		return CMD_REG_BOUND;
	tpt_invalidate(tpt_of(h), e);
	if (c->op_mod == MODIFY_RESIZE)
		return resize_entry(h, c, object, e);
	status = check_entry(h, c, object);
	if (!status)
		store(e, c->in);
	return status;
}

/* --- WRITE_MTT, READ_MTT ---------------------------------------------------------------------- */

/* Software rounds up to an even number, and 510 entries fill a mailbox (tavor-hw 9.3). */
static u8 check_mtt_range(struct hca *h, const char *name, u64 at, u32 n)
{
	const struct tpt *t = tpt_of(h);

	if (!n || n & 1 || n > 510) {
		violation(h, RULE_CMD_PARAM, name, "%u entries", n);
		return CMD_BAD_PARAM;
	}
	if (at & 7 || at < t->mtt_base || at >= t->mtt_end || 8ull * n > t->mtt_end - at) {
		violation(h, RULE_CMD_PARAM, name, "%u entries at 0x%llx are not in the MTT table",
			  n, (unsigned long long)at);
		return CMD_BAD_PARAM;
	}
	return CMD_OK;
}

/* Reads only the given number of entries: the rest of the page can belong to another command. */
static u16 write_mtt_size(const struct cmd *c)
{
	return c->in_mod <= 510 ? 16 + 8 * c->in_mod : 16;
}

/* Software writes only entries that no key uses, so none of them is cached (tavor-hw 9.3). */
static u8 write_mtt(struct hca *h, struct cmd *c)
{
	u64 at = get64(c->in);
	u8 status;
	u32 i;

	status = check_mtt_range(h, "WRITE_MTT", at, c->in_mod);
	if (status)
		return status;
	cmd_reserved(h, c, "WRITE_MTT", 8, 16);
	for (i = 0; i < c->in_mod; i++)
		if (get64(c->in + 16 + 8 * i) & 0xffe)
			violation(h, RULE_MTT_ENTRY, "WRITE_MTT", "entry %u is 0x%llx", i,
				  (unsigned long long)get64(c->in + 16 + 8 * i));
	memcpy(ddr_ptr(h, at, 8 * c->in_mod), c->in + 16, 8 * c->in_mod);
	return CMD_OK;
}

/*
 * Drivers do not use this command and no source describes it. It mirrors WRITE_MTT, with the
 * address as an immediate.
 */
static u8 read_mtt(struct hca *h, struct cmd *c)
{
	u8 status;

	status = check_mtt_range(h, "READ_MTT", c->in_param, c->in_mod);
	if (status)
		return status;
	put64(c->out, c->in_param);
	memcpy(c->out + 16, ddr_ptr(h, c->in_param, 8 * c->in_mod), 8 * c->in_mod);
	return CMD_OK;
}

const struct cmd_desc tpt_cmds[] = {
	{ 0x0d, "SW2HW_MPT", 0x40, 0, CMD_NEEDS_INIT_HCA, 'B', sw2hw_mpt, NULL, 1, ~0u },
	{ 0x0e, "QUERY_MPT", 0, 0x40, CMD_NEEDS_INIT_HCA, 'A', query_mpt, NULL, 1, ~0u },
	{ 0x0f, "HW2SW_MPT", 0, 0x40, CMD_NEEDS_INIT_HCA, 'B', hw2sw_mpt, NULL, 0x3, ~0u },
	{ 0x10, "READ_MTT", 0, 4096, CMD_NEEDS_INIT_HCA, 'B', read_mtt, NULL, 1, ~0u },
	{ 0x11, "WRITE_MTT", 4096, 0, CMD_NEEDS_INIT_HCA, 'B', write_mtt, write_mtt_size, 1, ~0u },
	{ 0x39, "MODIFY_MPT", 0x40, 0, CMD_NEEDS_INIT_HCA, 'B', modify_mpt, NULL, 0x28, ~0u },
	{ 0 }
};

/* Addresses are texts, because JSON numbers lose bits above 2^53. */
void tpt_objects(struct hca *h, struct cJSON *out)
{
	const struct tpt *t = tpt_of(h);
	cJSON *list = cJSON_AddArrayToObject(out, "mpts");
	u32 i;

	for (i = 0; t->mpt && i <= t->mask; i++) {
		const u8 *e = tpt_entry(t, i);
		char text[32];
		cJSON *one;

		if (!mpt_owned(e))
			continue;
		one = cJSON_CreateObject();
		cJSON_AddNumberToObject(one, "key", get32(e + MPT_KEY_AT));
		cJSON_AddNumberToObject(one, "pd", get32(e + MPT_PD));
		cJSON_AddNumberToObject(one, "flags", get32(e));
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)get64(e + MPT_START));
		cJSON_AddStringToObject(one, "start", text);
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)get64(e + MPT_LEN));
		cJSON_AddStringToObject(one, "length", text);
		cJSON_AddItemToArray(list, one);
	}
}
