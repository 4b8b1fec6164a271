// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * libFuzzer target: packets from a link, for a QP of each service and for special QPs, which have
 * work in flight.
 *
 * Input: records of the number of a template, two bytes of PSN, a length, and this number of bytes,
 * which replace bytes of the template from its BTH on. Every other record gets a valid ICRC.
 */
#include "qp_fakes.h"

#define REMOTE 0x400000u

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct tqp rc, peer, uc, uc2, ud, gsi;

/* Drops all packets that the QPs send: the input is the remote side. */
static int swallow(struct packet *p, const struct headers *hd)
{
	return 0;
}

static void turns(u32 n)
{
	while (n-- && turn())
		;
}

static void start(void)
{
	u32 i;

	fake_no_data = true;
	fake_up();
	link_filter = swallow;
	pair(&rc, &peer, SVC_RC);
	uc = tqp(0x403, SVC_UC, 3);
	uc2 = tqp(0x404, SVC_UC, 3);
	ud = tqp(0x405, SVC_UD, 3);
	run(0x23, 0x412, 1);
	gsi = tqp(0x412, SVC_MLX, 4);
	to_init(&uc);
	to_init(&ud);
	to_init(&gsi);
	to_rts(&uc, uc2.qpn);
	to_rts(&ud, 0);
	to_rts(&gsi, 0);
	for (i = 0; i < 4; i++) {
		post_recv(&rc, 4, REMOTE, 3000);
		post_recv(&uc, 4, REMOTE, 3000);
		post_recv(&ud, 4, REMOTE, 3000);
		post_recv(&gsi, 4, REMOTE, 300);
		post(&rc, wr_rdma(i & 1 ? WQE_READ : WQE_WRITE, 0, 3000, REMOTE));
		post(&rc, wr_rdma(WQE_FETCH_ADD, 0, 8, REMOTE));
	}
	turns(200);
}

/* Creates a valid packet as template; 0x40 in @n adds a GRH. */
static u8 *template(struct packet *p, u8 n, u32 psn)
{
	static const u8 ops[] = { CLASS_RC | OP_SEND_ONLY,
				  CLASS_RC | OP_WRITE_FIRST,
				  CLASS_RC | OP_READ_REQUEST,
				  CLASS_RC | OP_FETCH_ADD,
				  CLASS_RC | OP_ACK,
				  CLASS_RC | OP_READ_FIRST,
				  CLASS_RC | OP_READ_LAST,
				  CLASS_RC | OP_ATOMIC_ACK,
				  CLASS_UC | OP_SEND_FIRST,
				  CLASS_UC | OP_SEND_LAST,
				  CLASS_UC | OP_WRITE_ONLY_IMM,
				  CLASS_UD | OP_SEND_ONLY,
				  CLASS_UD | OP_SEND_ONLY_IMM };
	u8 op = ops[n % sizeof(ops)];
	bool to_gsi = (op & 0xe0) == CLASS_UD && n & 0x20;
	struct lrh l = { .dlid = FAKE_LID, .slid = FAKE_LID, .grh = n & 0x40 };
	struct grh g = { .sgid = fake_gids[0][0], .dgid = fake_gids[0][1] };
	struct bth b = { .opcode = op, .pkey = 0xffff, .psn = 0x123456 + psn, .ackreq = true };
	u8 *at = put_lrh(p->data, &l);

	b.dqpn = op < CLASS_UC ? rc.qpn : op < CLASS_RD ? uc.qpn : to_gsi ? 1 : ud.qpn;
	if (n & 0x40)
		at = put_grh(at, &g);
	at = put_bth(at, &b);
	memset(at, 0, PACKET_ROOM - (at - p->data));
	if (op >= CLASS_UD) {
		put32(at, to_gsi ? 0x80010000 : 0x11111111);
	} else {
		put64(at, DATA_BASE + REMOTE);
		put32(at + 8, DATA_KEY);
		put32(at + 12, 2048);
	}
	return at;
}

static const u8 *record(const u8 *d, const u8 *end)
{
	struct packet *p = packet_alloc();
	u8 *ext = template(p, d[0], d[1] & 0x80 ? d[1] | 0xffff00u : d[1]);
	u32 len = d[3] < end - d - 4 ? d[3] : (u32)(end - d - 4);
	u32 whole = ext - p->data + bth_ext_len(ext[-(int)BTH_LEN]) + d[2] * 8;

	/* bit 7: replaces the BTH, too */
	memcpy(d[0] & 0x80 ? ext - BTH_LEN : ext, d + 4, len);
	packet_seal(p, p->data + (whole & ~3u));
	if (len && d[4] == 0xff)
		p->data[5] ^= d[len + 3];
	qp_rx(&fake, 1, p, false);
	return d + 4 + len;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *end = data + size;

	if (size < 5)
		return 0;
	tap_ok = true;
	start();
	while (end - data > 4) {
		data = record(data, end);
		turns(20);
	}
	pass(5000000);
	qp_reset_all(&fake);
	if (!tap_ok)
		abort();
	return 0;
}
