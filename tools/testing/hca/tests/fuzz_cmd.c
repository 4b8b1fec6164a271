// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * libFuzzer target: the command interface, over the socket, on an HCA that is up.
 *
 * Input: records of opcode, opcode modifier with the E bit in its top bit, two bytes of index, a
 * length byte, and this number of bytes, which replace bytes of a valid mailbox. So most commands
 * pass their first checks.
 */
#include "traffic.h"

#include "core/options.h"
#include "device/cmd.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

#define MAX_RECORDS 24
#define HEADER 6

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define CQN 0x81

/* Creates a queue pair with this number, of a service that matches the number. */
static void qp_mailbox(u16 opcode, u32 qpn)
{
	static const u8 services[] = { SVC_RC, SVC_UC, SVC_UD, SVC_RC };
	const struct tt_qp q = {
		.qpn = qpn, .cqn = CQN, .service = services[qpn & 3], .uar = TC_UAR, .key = TC_KEY
	};

	if (opcode == 0x19)
		tt_init_mailbox(&q);
	else if (opcode == 0x1a)
		tt_rtr_mailbox(&q, qpn ^ 1);
	else
		tt_rts_mailbox(&q);
}

static void srq_mailbox(u8 *in)
{
	memset(in, 0, 0x20);
	put32(in + 4, 4);
	put32(in + 8, TC_PD);
	put32(in + 12, TC_KEY);
	put32(in + 16, TC_UAR);
}

/* Fills in a valid mailbox, of which the fuzzer only changes bytes. */
static void valid_mailbox(u16 opcode, u32 index)
{
	u8 *in = tc_in();

	switch (opcode) {
	case 0x09:
		memset(in, 0, 0x100);
		put32(in, 4 << 12 | 3 << 8 | 8 << 4);
		put32(in + 4, 32);
		put32(in + 8, 64);
		break;
	case 0x19 ... 0x1b:
		qp_mailbox(opcode, index);
		break;
	case 0x24:
		memset(in, 0, 0x400);
		memcpy(in, "\1\1\1\1", 4);
		break;
	case 0x26:
	case 0x27:
		memset(in, 0, 0x100);
		in[opcode == 0x26 ? 0x10 : 0] = 0xff;
		break;
	case 0x35:
		srq_mailbox(in);
		break;
	case 0x07:
		tc_init_hca_mailbox(in);
		break;
	case 0x0d:
	case 0x39:
		tc_mpt_mailbox(in, index, 1 << 17 | 1 << 9 | 1 << 8, 0, 4096, 0);
		break;
	case 0x11:
		memset(in, 0, 64);
		put64(in, ddr_start(tc_hca()) + 0x2000);
		break;
	case 0x13:
		tc_eq_mailbox(in, tc_alloc(4096, 4096), 6, 0x85);
		break;
	case 0x16:
		tc_cq_mailbox(in, index, 4, TC_UAR);
		break;
	default:
		memset(in, 0, 0x200);
	}
}

static const u8 *run_record(const u8 *d, const u8 *end)
{
	u16 opcode = d[0];
	u32 index = get16(d + 2);
	u64 in_param = tc_bus(tc_in());
	u8 len = d[5], at = d[4];

	if (d + HEADER + len > end)
		len = end - d - HEADER;
	valid_mailbox(opcode, index);
	memcpy(tc_in() + at * 2, d + HEADER, len);
	if (opcode == 0x12)
		in_param = get64(tc_in());
	if (d[1] & 0x80)
		tc_post(opcode, d[1] & 0xf, index | (u32)(d[1] & 0x10) << 27, in_param,
			tc_bus(tc_out()), index);
	else
		tc_cmd(opcode, d[1] & 0xf, index | (u32)(d[1] & 0x10) << 27, in_param,
		       tc_bus(tc_out()), NULL);
	/* a doorbell and an event between commands */
	if (d[1] & 0x20)
		tc_db(TC_UAR, 0x10 + (at & 3) * 8, get32(tc_in()), get32(tc_in() + 4));
	if (d[1] & 0x40)
		eq_qp_event(tc_hca(), EV_COMM_EST, index);
	return d + HEADER + len;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *end = data + size;
	int n;

	if (!tc_hca())
		tc_start("go_delay=0 report_limit=1");
	tc_fresh();
	tc_up();
	tc_cq(CQN, 4);
	for (n = 0; n < MAX_RECORDS && end - data > HEADER; n++)
		data = run_record(data, end);
	tc_settle();
	return 0;
}
