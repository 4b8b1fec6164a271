// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * libFuzzer target: management datagrams through MAD_IFC, and the port and multicast commands.
 *
 * Input: up to 16 records of a selector byte, a port byte, a length byte, and this number of bytes
 * of mailbox. All go to one HCA, so that a request can depend on an earlier one.
 */
#include "fabric_fakes.h"

#define MAX_RECORDS 16

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void run_record(struct hca *h, u8 selector, u8 port, const u8 *body, size_t len)
{
	static struct cmd c;

	memset(&c, 0, sizeof(c));
	memcpy(c.in, body, len);
	switch (selector >> 4) {
	case 0:
		c.in_mod = get32(body);
		run_cmd(h, mgm_cmds, 0x25 + selector % 3, &c);
		break;
	case 1:
		c.in_mod = port;
		run_cmd(h, port_cmds, selector & 1 ? 0x09 : 0x0c, &c);
		break;
	case 2:
		c.in_mod = port;
		run_cmd(h, port_cmds, 0x0a, &c);
		break;
	default: /* a MAD with a valid version */
		c.op_mod = selector & 15;
		c.in_mod = port;
		c.in[MAD_BASE_VERSION] = 1;
		c.in[MAD_CLASS_VERSION] = 1;
		run_cmd(h, port_cmds, 0x24, &c);
	}
}

static void note(struct hca *h, u32 qpn, void *arg)
{
	(void)h;
	(void)qpn;
	(void)arg;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 body[1024];
	struct hca *h = fabric_up(1, "self");
	unsigned int n;

	init_ib(h, 1);
	init_ib(h, 2);
	settle();
	for (n = 0; n < MAX_RECORDS && size > 3; n++) {
		size_t len = data[2] * 2u < size - 3 ? data[2] * 2u : size - 3;

		memset(body, 0, sizeof(body));
		memcpy(body, data + 3, len);
		run_record(h, data[0], data[1] & 3, body, 512);
		mcast_for_each(h, body + 0x10, note, NULL);
		loop_turn(false);
		data += 3 + len;
		size -= 3 + len;
	}
	settle();
	return 0;
}
