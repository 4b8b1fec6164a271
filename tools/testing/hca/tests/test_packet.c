// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Packets: CRCs against the sample packets of the InfiniBand specification (vol. 1, 7.8),
 * headers, parsing.
 */
#include "fabric/packet.h"

#include <stdlib.h>

#include "tap.h"

/* LRH, BTH and 32 bytes of the sample packet for a local network */
static const u8 sample_local[52] = {
	0x70, 0x12, 0x37, 0x5c, 0x00, 0x0e, 0x17, 0xd2, 0x0a, 0x20, 0x24, 0x87, 0x00,
	0x87, 0xb1, 0xb3, 0x00, 0x0d, 0xec, 0x2a, 0x01, 0x71, 0x0a, 0x1c, 0x01, 0x5d,
	0x40, 0x02, 0x38, 0xf2, 0x7a, 0x05, 0x00, 0x00, 0x00, 0x0e, 0xbb, 0x88, 0x4d,
	0x85, 0xfd, 0x5c, 0xfb, 0xa4, 0x72, 0x8b, 0xc0, 0x69, 0x0e, 0xd4, 0x00, 0x00,
};

static u32 slow_crc32(u32 crc, const u8 *p, size_t n)
{
	int i;

	while (n--) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return crc;
}

static void icrc_of_the_sample_packet(void)
{
	CHECK_EQ(icrc_compute(sample_local, sizeof(sample_local)), 0x9625b75a);
}

static void vcrc_of_the_sample_packet(void)
{
	u8 whole[56];

	memcpy(whole, sample_local, sizeof(sample_local));
	put32(whole + 52, 0x9625b75a);
	CHECK_EQ(vcrc_compute(whole, sizeof(whole)), 0x45fa);
}

static void crc32_versions_agree_at_every_length(void)
{
	u8 buf[4300];
	size_t n;

	srand(1);
	for (n = 0; n < sizeof(buf); n++)
		buf[n] = rand();
	for (n = 0; n < 4200; n++) {
		const u8 *p = buf + n % 17;
		u32 want = slow_crc32(0x12345678, p, n);

		if (crc32_update(0x12345678, p, n) != want ||
		    crc32_update_table(0x12345678, p, n) != want) {
			printf("# length %zu\n", n);
			tap_ok = false;
			return;
		}
	}
}

/* Creates a packet with a GRH. */
static struct packet *global_packet(void)
{
	static const u8 sgid[16] = { 0xfe, 0x80, [15] = 1 }, dgid[16] = { 0xfe, 0x80, [15] = 2 };
	struct lrh l = { .vl = 3, .sl = 5, .dlid = 0x1234, .slid = 0x4321, .grh = true };
	struct grh g = {
		.tclass = 0xab, .hop_limit = 9, .flow_label = 0x54321, .sgid = sgid, .dgid = dgid
	};
	struct bth b = { .opcode = CLASS_UD | OP_SEND_ONLY_IMM,
			 .se = true,
			 .mig = true,
			 .ackreq = true,
			 .pad = 3,
			 .pkey = 0x8001,
			 .dqpn = 0x123456,
			 .psn = 0xabcdef };
	struct packet *p = packet_alloc();
	u8 *at = put_bth(put_grh(put_lrh(p->data, &l), &g), &b);

	memset(at, 0x5a, DETH_LEN + IMMDT_LEN + 8);
	packet_seal(p, at + DETH_LEN + IMMDT_LEN + 8);
	return p;
}

static void headers_come_back_as_written(void)
{
	struct packet *p = global_packet();
	struct headers hd;

	CHECK(!packet_parse(p, &hd));
	CHECK(packet_icrc_ok(p));
	CHECK_EQ(hd.vl, 3);
	CHECK_EQ(hd.sl, 5);
	CHECK_EQ(hd.dlid, 0x1234);
	CHECK_EQ(hd.slid, 0x4321);
	CHECK(hd.grh && get32(hd.grh) == (6u << 28 | 0xabu << 20 | 0x54321));
	CHECK_EQ(get16(hd.grh + 4), p->len - LRH_LEN - GRH_LEN);
	CHECK_EQ(hd.opcode, CLASS_UD | OP_SEND_ONLY_IMM);
	CHECK(hd.se && hd.mig && hd.ackreq);
	CHECK_EQ(hd.pkey, 0x8001);
	CHECK_EQ(hd.dqpn, 0x123456);
	CHECK_EQ(hd.psn, 0xabcdef);
	CHECK_EQ(hd.paylen, 5);
	packet_put(p);
}

/* Fields that a switch or router changes are not in the ICRC. All others are. */
static void icrc_masks_exactly_the_variant_fields(void)
{
	struct packet *p = global_packet();
	u32 i, bit;

	for (i = 0; i < p->len - ICRC_LEN; i++) {
		for (bit = 0; bit < 8; bit++) {
			/* with a GRH: LRH, TClass, flow label, hop limit, BTH byte 4 */
			bool variant = i < LRH_LEN || (i == 8 && bit < 4) || (i > 8 && i < 12) ||
				       i == 15 || i == 48 + 4;

			if (i == 1 && bit < 2) /* LNH tells whether there is a GRH */
				continue;
			p->data[i] ^= 1 << bit;
			if (packet_icrc_ok(p) != variant) {
				printf("# byte %u bit %u\n", i, bit);
				tap_ok = false;
			}
			p->data[i] ^= 1 << bit;
		}
	}
	packet_put(p);
}

static void parse_refuses(const char *what, u32 byte, u8 value, u32 len)
{
	struct packet *p = global_packet();
	struct headers hd;

	p->data[byte] = value;
	if (len)
		p->len = len;
	if (!packet_parse(p, &hd)) {
		printf("# accepted: %s\n", what);
		tap_ok = false;
	}
	packet_put(p);
}

static void malformed_packets_are_refused(void)
{
	parse_refuses("length field", 5, 3, 0);
	parse_refuses("raw", 1, 0x50, 0);
	parse_refuses("no IPv6 version", 8, 0x40, 0);
	parse_refuses("next header", 14, 0x11, 0);
	parse_refuses("opcode", 48, 0xff, 0);
	parse_refuses("RD class", 48, 0x44, 0);
	parse_refuses("short", 0, 0, 20);
	parse_refuses("huge", 0, 0, PACKET_ROOM + 4);
}

static void packets_cut_anywhere_are_refused_or_in_bounds(void)
{
	u32 len;

	for (len = 24; len < 92; len += 4) {
		struct packet *p = global_packet();
		struct headers hd;

		p->len = len;
		put16(p->data + 4, len / 4);
		if (!packet_parse(p, &hd))
			CHECK(hd.payload + hd.paylen <= p->data + len);
		packet_put(p);
	}
}

static void opcodes_have_the_headers_of_the_specification(void)
{
	CHECK_EQ(bth_ext_len(CLASS_RC | OP_WRITE_ONLY_IMM), 20);
	CHECK_EQ(bth_ext_len(CLASS_RC | OP_FETCH_ADD), 28);
	CHECK_EQ(bth_ext_len(CLASS_RC | OP_ATOMIC_ACK), 12);
	CHECK_EQ(bth_ext_len(CLASS_RC | OP_READ_MIDDLE), 0);
	CHECK_EQ(bth_ext_len(CLASS_UC | OP_READ_REQUEST), -1);
	CHECK_EQ(bth_ext_len(CLASS_UD | OP_SEND_ONLY_IMM), 12);
	CHECK_EQ(bth_ext_len(CLASS_UD | OP_SEND_FIRST), -1);
	CHECK_EQ(bth_ext_len(0x15), -1);
}

static const struct tap_test tests[] = {
	TAP(icrc_of_the_sample_packet),
	TAP(vcrc_of_the_sample_packet),
	TAP(crc32_versions_agree_at_every_length),
	TAP(headers_come_back_as_written),
	TAP(icrc_masks_exactly_the_variant_fields),
	TAP(malformed_packets_are_refused),
	TAP(packets_cut_anywhere_are_refused_or_in_bounds),
	TAP(opcodes_have_the_headers_of_the_specification),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
