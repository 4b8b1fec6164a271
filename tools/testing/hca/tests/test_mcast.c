// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Multicast groups: the commands that write them, and the lookup that follows their chains. */
#include "fabric_fakes.h"

#define HASH_SIZE 32u
#define TABLE_SIZE 64u

static u8 entry[256];
static u32 found[64];
static unsigned int n_found;

static void note(struct hca *h, u32 qpn, void *arg)
{
	if (n_found < 64)
		found[n_found++] = qpn;
}

static unsigned int lookup(struct hca *h, const u8 *mgid)
{
	n_found = 0;
	mcast_for_each(h, mgid, note, NULL);
	return n_found;
}

static void make_gid(u8 *gid, u8 last)
{
	memset(gid, 0, 16);
	gid[0] = 0xff;
	gid[1] = 0x12;
	gid[15] = last;
}

static u8 write_mgm(struct hca *h, u32 index)
{
	struct cmd c = { .in_mod = index };

	memcpy(c.in, entry, sizeof(entry));
	return run_cmd(h, mgm_cmds, 0x26, &c);
}

static u8 read_mgm(struct hca *h, u32 index)
{
	struct cmd c = { .in_mod = index };
	u8 status = run_cmd(h, mgm_cmds, 0x25, &c);

	memcpy(entry, c.out, sizeof(entry));
	return status;
}

static u32 hash_of(struct hca *h, const u8 *gid)
{
	struct cmd c = { 0 };

	memcpy(c.in, gid, 16);
	CHECK_EQ(run_cmd(h, mgm_cmds, 0x27, &c), CMD_OK);
	CHECK(c.out_imm < HASH_SIZE);
	return c.out_imm;
}

static void make_entry(const u8 *gid, u32 next, unsigned int n_qps, u32 first_qpn)
{
	unsigned int i;

	memset(entry, 0, sizeof(entry));
	put32(entry, next << 6);
	memcpy(entry + 0x10, gid, 16);
	for (i = 0; i < n_qps; i++)
		put32(entry + 0x20 + 4 * i, 1u << 31 | (first_qpn + i));
}

static void empty_table_has_no_members(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16];

	make_gid(gid, 1);
	CHECK_EQ(lookup(h, gid), 0);
	CHECK_EQ(read_mgm(h, 5), CMD_OK);
	CHECK_EQ(get64(entry + 0x10), 0);
}

static void entry_reads_back(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16], copy[256];

	make_gid(gid, 1);
	make_entry(gid, 40, 3, 0x400);
	memcpy(copy, entry, sizeof(copy));
	CHECK_EQ(write_mgm(h, 7), CMD_OK);
	CHECK_EQ(read_mgm(h, 7), CMD_OK);
	CHECK(!memcmp(copy, entry, sizeof(copy)));
}

static void every_member_is_found(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16];

	make_gid(gid, 9);
	make_entry(gid, 0, 56, 0x400);
	CHECK_EQ(write_mgm(h, hash_of(h, gid)), CMD_OK);
	CHECK_EQ(lookup(h, gid), 56);
	CHECK_EQ(found[0], 0x400);
	CHECK_EQ(found[55], 0x400 + 55);
}

static void chain_is_followed(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 other[16], gid[16];

	make_gid(gid, 1);
	make_gid(other, 2);
	make_entry(other, 50, 1, 0x500);
	CHECK_EQ(write_mgm(h, hash_of(h, gid)), CMD_OK);
	make_entry(other, 63, 1, 0x501);
	CHECK_EQ(write_mgm(h, 50), CMD_OK);
	make_entry(gid, 0, 2, 0x502);
	CHECK_EQ(write_mgm(h, 63), CMD_OK);
	CHECK_EQ(lookup(h, gid), 2);
	CHECK_EQ(found[0], 0x502);
}

static void group_without_members_delivers_nothing(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16];

	make_gid(gid, 1);
	make_entry(gid, 0, 0, 0);
	CHECK_EQ(write_mgm(h, hash_of(h, gid)), CMD_OK);
	CHECK_EQ(lookup(h, gid), 0);
}

static void index_beyond_table(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(read_mgm(h, TABLE_SIZE), CMD_BAD_INDEX);
	memset(entry, 0, sizeof(entry));
	CHECK_EQ(write_mgm(h, TABLE_SIZE), CMD_BAD_INDEX);
	CHECK_EQ(write_mgm(h, 0xffffffff), CMD_BAD_INDEX);
	CHECK_EQ(fake_violations[RULE_MGM_INDEX], 3);
}

static void link_beyond_table(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16];

	make_gid(gid, 1);
	make_entry(gid, TABLE_SIZE, 0, 0);
	CHECK_EQ(write_mgm(h, 3), CMD_BAD_INDEX);
	CHECK_EQ(fake_violations[RULE_MGM_INDEX], 1);
}

static void link_into_hash_part_or_itself(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16];

	make_gid(gid, 1);
	make_entry(gid, 4, 0, 0);
	CHECK_EQ(write_mgm(h, 3), CMD_BAD_PARAM);
	make_entry(gid, 40, 0, 0);
	CHECK_EQ(write_mgm(h, 40), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_MGM_CHAIN], 2);
}

static void reserved_fields(void)
{
	struct hca *h = fabric_up(1, "none");
	static const unsigned int offsets[] = { 3, 4, 0x0f, 0x20 };
	u8 gid[16];
	unsigned int i;

	make_gid(gid, 1);
	for (i = 0; i < 4; i++) {
		make_entry(gid, 0, 0, 0);
		entry[offsets[i]] = 1;
		CHECK_EQ(write_mgm(h, 3), CMD_BAD_PARAM);
	}
	CHECK_EQ(fake_violations[RULE_MGM_RESERVED], 4);
}

static void not_a_multicast_gid(void)
{
	struct hca *h = fabric_up(1, "none");
	struct cmd c = { 0 };
	u8 gid[16];

	make_gid(gid, 1);
	gid[0] = 0xfe;
	make_entry(gid, 0, 1, 5);
	CHECK_EQ(write_mgm(h, 3), CMD_BAD_PARAM);
	c.in[0] = 0xfe;
	CHECK_EQ(run_cmd(h, mgm_cmds, 0x27, &c), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_MGM_GID], 2);
}

static void empty_entry_may_be_written(void)
{
	struct hca *h = fabric_up(1, "none");

	memset(entry, 0, sizeof(entry));
	CHECK_EQ(write_mgm(h, 3), CMD_OK);
	CHECK_EQ(fake_violations[RULE_MGM_GID], 0);
}

static void gap_in_the_members(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16];

	make_gid(gid, 1);
	make_entry(gid, 0, 3, 5);
	put32(entry + 0x24, 0);
	CHECK_EQ(write_mgm(h, 3), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_MGM_PACKED], 1);
}

/* Stores through BAR4 can make invalid chains, unlike commands. A lookup must still end. */
static void bent_chains_end(void)
{
	struct hca *h = fabric_up(1, "none");
	u8 gid[16];
	u32 bucket;

	make_gid(gid, 1);
	bucket = hash_of(h, gid);
	put32(fake_ddr + bucket * 256, 40 << 6);
	put32(fake_ddr + 40 * 256, 41 << 6);
	put32(fake_ddr + 41 * 256, 40 << 6);
	CHECK_EQ(lookup(h, gid), 0);
	CHECK_EQ(fake_violations[RULE_MGM_CHAIN], 1);
	put32(fake_ddr + 41 * 256, 0xffffffc0);
	CHECK_EQ(lookup(h, gid), 0);
	CHECK_EQ(fake_violations[RULE_MGM_INDEX], 1);
}

static const struct tap_test tests[] = {
	TAP(empty_table_has_no_members),
	TAP(entry_reads_back),
	TAP(every_member_is_found),
	TAP(chain_is_followed),
	TAP(group_without_members_delivers_nothing),
	TAP(index_beyond_table),
	TAP(link_beyond_table),
	TAP(link_into_hash_part_or_itself),
	TAP(reserved_fields),
	TAP(not_a_multicast_gid),
	TAP(empty_entry_may_be_written),
	TAP(gap_in_the_members),
	TAP(bent_chains_end),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
