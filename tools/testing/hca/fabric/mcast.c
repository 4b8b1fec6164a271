// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Multicast groups (tavor-hw 16.2): a hash table of 256-byte entries with overflow chains, in the
 * DDR at the address given to INIT_HCA. Software writes the entries one by one, so each link is
 * checked again when it is followed.
 */
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "device/device.h"
#include "fabric/port.h"

#define MGM_SIZE 256u
#define MGM_QPS 56u
#define MGM_GID 0x10
#define MGM_QP 0x20
#define MGM_VALID (1u << 31)

int mcast_new(struct hca *h)
{
	(void)h; /* all state is in the DDR; INIT_HCA clears it */
	return 0;
}

static u32 mgm_count(const struct hca_profile *prof)
{
	return 1u << prof->log_mcgs;
}

static u8 *mgm_entry(struct hca *h, u32 index)
{
	const struct hca_profile *prof = hca_profile(h);

	if (index >= mgm_count(prof))
		return NULL;
	return ddr_ptr(h, prof->mc_base + ((u64)index << prof->log_mc_entry), MGM_SIZE);
}

/* FNV-1a; the hash function of the firmware is not known */
static u32 mgid_hash(const u8 mgid[16], u32 size)
{
	u32 hash = 2166136261u;
	unsigned int i;

	for (i = 0; i < 16; i++)
		hash = (hash ^ mgid[i]) * 16777619u;
	hash ^= hash >> 16;
	return (hash & 0xffff) % (size < 0x10000 ? size : 0x10000);
}

static bool gid_is_zero(const u8 *gid)
{
	static const u8 zero[16];

	return !memcmp(gid, zero, sizeof(zero));
}

/* --- commands --- */

/* Returns an entry unchanged, with its reserved bytes: software writes back what it has read. */
static u8 run_read_mgm(struct hca *h, struct cmd *c)
{
	const u8 *entry = mgm_entry(h, c->in_mod);

	if (!entry) {
		violation(h, RULE_MGM_INDEX, "READ_MGM", "entry %u of %u", c->in_mod,
			  mgm_count(hca_profile(h)));
		return CMD_BAD_INDEX;
	}
	memcpy(c->out, entry, MGM_SIZE);
	return CMD_OK;
}

static bool mgm_reserved_clear(const u8 *in)
{
	unsigned int i;

	if ((get32(in) & 63) || get32(in + 4) || get64(in + 8))
		return false;
	for (i = 0; i < MGM_QPS; i++)
		if (get32(in + MGM_QP + 4 * i) & 0x7f000000)
			return false;
	return true;
}

/* Hardware stops at the first invalid member, so a member after a gap would be lost silently. */
static bool mgm_packed(const u8 *in)
{
	bool ended = false;
	unsigned int i;

	for (i = 0; i < MGM_QPS; i++) {
		bool valid = get32(in + MGM_QP + 4 * i) & MGM_VALID;

		if (valid && ended)
			return false;
		ended = !valid;
	}
	return true;
}

/* A link must lead to an overflow entry. A link into the hash table would make a loop. */
static u8 mgm_check_link(struct hca *h, u32 index, u32 next)
{
	const struct hca_profile *prof = hca_profile(h);

	if (next >= mgm_count(prof)) {
		violation(h, RULE_MGM_INDEX, "WRITE_MGM", "entry 0x%x links to %u of %u", index,
			  next, mgm_count(prof));
		return CMD_BAD_INDEX;
	}
	if (next && (next == index || next < prof->mc_hash_size)) {
		violation(h, RULE_MGM_CHAIN, "WRITE_MGM", "entry 0x%x links to 0x%x", index, next);
		return CMD_BAD_PARAM;
	}
	return CMD_OK;
}

static u8 mgm_check(struct hca *h, const struct cmd *c)
{
	const u8 *in = c->in, *gid = in + MGM_GID;

	if (!mgm_reserved_clear(in)) {
		violation(h, RULE_MGM_RESERVED, "WRITE_MGM", "entry 0x%x", c->in_mod);
		return CMD_BAD_PARAM;
	}
	if (gid[0] != 0xff && !gid_is_zero(gid)) {
		violation(h, RULE_MGM_GID, "WRITE_MGM", "entry 0x%x: GID begins 0x%02x", c->in_mod,
			  gid[0]);
		return CMD_BAD_PARAM;
	}
	if (!mgm_packed(in)) {
		violation(h, RULE_MGM_PACKED, "WRITE_MGM", "entry 0x%x", c->in_mod);
		return CMD_BAD_PARAM;
	}
	return mgm_check_link(h, c->in_mod, get32(in) >> 6);
}

static u8 run_write_mgm(struct hca *h, struct cmd *c)
{
	u8 *entry = mgm_entry(h, c->in_mod);
	u8 status;

	if (!entry) {
		violation(h, RULE_MGM_INDEX, "WRITE_MGM", "entry %u of %u", c->in_mod,
			  mgm_count(hca_profile(h)));
		return CMD_BAD_INDEX;
	}
	status = mgm_check(h, c);
	if (!status)
		memcpy(entry, c->in, MGM_SIZE);
	return status;
}

/*
 * Only the firmware knows the hash function, so software must call this command. Software may only
 * rely on a result below the size of the hash table (tavor-hw 16.2).
 */
static u8 run_mgid_hash(struct hca *h, struct cmd *c)
{
	if (c->in[0] != 0xff) {
		violation(h, RULE_MGM_GID, "MGID_HASH", "GID begins 0x%02x", c->in[0]);
		return CMD_BAD_PARAM;
	}
	c->out_imm = mgid_hash(c->in, hca_profile(h)->mc_hash_size);
	return CMD_OK;
}

const struct cmd_desc mgm_cmds[] = {
	{ 0x25, "READ_MGM", 0, MGM_SIZE, CMD_NEEDS_INIT_HCA, 'A', run_read_mgm, NULL, 1, ~0u },
	{ 0x26, "WRITE_MGM", MGM_SIZE, 0, CMD_NEEDS_INIT_HCA, 'A', run_write_mgm, NULL, 1, ~0u },
	{ 0x27, "MGID_HASH", 16, 0, CMD_NEEDS_INIT_HCA, 'A', run_mgid_hash, NULL, 1, 0 },
	{ 0 },
};

/* --- lookup --- */

/* The steps are limited, because stores through BAR4 can turn a chain into a loop. */
static const u8 *mgm_find(struct hca *h, const u8 mgid[16])
{
	const struct hca_profile *prof = hca_profile(h);
	u32 index, steps = mgm_count(prof);

	if (!prof->mc_hash_size)
		return NULL;
	index = mgid_hash(mgid, prof->mc_hash_size);
	do {
		const u8 *entry = mgm_entry(h, index);

		if (!entry) {
			violation(h, RULE_MGM_INDEX, "multicast chain", "link to %u", index);
			return NULL;
		}
		if (!memcmp(entry + MGM_GID, mgid, 16))
			return entry;
		index = get32(entry) >> 6;
	} while (index && --steps);
	if (!steps)
		violation(h, RULE_MGM_CHAIN, "multicast chain", "does not end");
	return NULL;
}

void mcast_for_each(struct hca *h, const u8 mgid[16], void (*fn)(struct hca *h, u32 qpn, void *arg),
		    void *arg)
{
	const u8 *entry = mgm_find(h, mgid);
	u8 qps[MGM_QPS * 4];
	unsigned int i;

	if (!entry)
		return;
	memcpy(qps, entry + MGM_QP, sizeof(qps)); /* @fn may change the group */
	for (i = 0; i < MGM_QPS && (get32(qps + 4 * i) & MGM_VALID); i++)
		fn(h, get32(qps + 4 * i) & 0xffffff, arg);
}
