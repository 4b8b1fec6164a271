// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * libFuzzer target: packets on the wire, to an HCA's port, from it, and to a switch.
 *
 * Input: records of a selector byte, two length bytes, and this number of bytes of packet. Bit 7 of
 * the selector sets a valid CRC, bit 6 a valid length in the LRH. The low bits select where the
 * packet arrives.
 */
#include "fabric_fakes.h"

#define MAX_RECORDS 16

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void run_record(struct hca *h, struct ibnode *sw, u8 selector, const u8 *body, size_t len)
{
	struct packet *p = packet_alloc();

	memset(p->data, 0, PACKET_ROOM);
	memcpy(p->data, body, len);
	p->len = len;
	if (selector & 0x40)
		put16(p->data + 4, len / 4);
	if (selector & 0x80)
		put32(p->data + len - 4, icrc_compute(p->data, len - 4));
	switch (selector & 3) {
	case 0:
		port_tx(h, 1, p);
		break;
	case 1:
		arrivals_add(hca_port(h, 1 + (selector >> 2 & 1)), p);
		break;
	default:
		arrivals_add(&sw->port[1 + (selector >> 2 & 7)], p);
	}
}

static struct hca *fuzz_fabric(struct ibnode **sw)
{
	struct hca *h = fabric_up(2, "0.1-s0.1,0.2-s0.2,1.1-s0.3");
	unsigned int port;

	*sw = switch_node(0);
	init_ib(h, 1);
	init_ib(h, 2);
	init_ib(&fake_hca[1], 1);
	settle();
	for (port = 1; port <= 3; port++) {
		ibport_set_state(&(*sw)->port[port], PORT_ACTIVE);
		ibport_set_state(wire_peer(&(*sw)->port[port]), PORT_ACTIVE);
		wire_peer(&(*sw)->port[port])->lid = port;
	}
	(*sw)->port[0].lid = 9;
	(*sw)->port[0].sm_lid = 1;
	return h;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ibnode *sw;
	struct hca *h = fuzz_fabric(&sw);
	unsigned int n;

	for (n = 0; n < MAX_RECORDS && size > 3 + 24; n++) {
		size_t len = get16(data + 1) & 0xffc;

		if (len < 24) /* a packet from a QP or a socket always has LRH, BTH and ICRC */
			len = 24;
		if (len > size - 3)
			len = (size - 3) & ~3u;
		run_record(h, sw, data[0], data + 3, len);
		loop_turn(false);
		data += 3 + len;
		size -= 3 + len;
	}
	settle();
	return 0;
}
