// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The ports of an HCA: their lifetime, and the functions that other parts of the model call. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/queues.h"
#include "fabric/packet.h"
#include "fabric/wire.h"

#define VENDOR_OUI 0x0002c9
#define DEFAULT_GUID 0x0002c90200000000ULL

enum { PORT_EVENT_DOWN = 1, PORT_EVENT_ACTIVE = 4 };

static port_receiver *receiver;

/*
 * The receiver is registered later, because queue pairs are in a higher layer. No packet arrives
 * before.
 */
void port_set_receiver(port_receiver *fn)
{
	receiver = fn;
}

struct ibport *hca_port(const struct hca *h, unsigned int num)
{
	struct ibnode *node = hca_part(h, PART_PORT);

	return num >= 1 && num <= node->num_ports ? &node->port[num] : NULL;
}

unsigned int hca_port_count(const struct hca *h)
{
	return ((struct ibnode *)hca_part(h, PART_PORT))->num_ports;
}

/* Reports event 0x09 (tavor-hw 17.3). A port that the driver closes has no event. */
static void hca_state_changed(struct ibport *p, enum port_state from)
{
	u32 data[7] = { 0, 0, (u32)p->num << 28 };

	hca_log(p->node->h, "%s: state %d -> %d", ibport_name(p), from, p->state);
	if (p->state == PORT_ACTIVE)
		eq_async(p->node->h, EV_PORT_CHANGE, PORT_EVENT_ACTIVE, data);
	else if (p->state == PORT_DOWN && p->powered)
		eq_async(p->node->h, EV_PORT_CHANGE, PORT_EVENT_DOWN, data);
}

/*
 * Returns whether the port accepts a packet. Management packets need only a link, all others need
 * an active port. The LID is checked here; the transport checks keys and queue pairs.
 */
static bool hca_takes(struct ibport *p, const struct packet *pkt)
{
	u16 dlid = get16(pkt->data + 2);
	bool vl15 = pkt->data[0] >> 4 == 15;

	if (!hca_running(p->node->h) || hca_dead(p->node->h))
		return false;
	/* a data packet means that the other side is active */
	if (!vl15 && p->state == PORT_ARMED)
		ibport_set_state(p, PORT_ACTIVE);
	if (vl15 ? p->state == PORT_DOWN : p->state != PORT_ACTIVE)
		return false;
	if (dlid == LID_PERMISSIVE)
		return vl15;
	return dlid >= LID_MULTICAST || ibport_owns_lid(p, dlid);
}

static void hca_rx(struct ibport *p, struct packet *pkt)
{
	if (!hca_takes(p, pkt)) {
		count(p->node->h, "port-rx-dropped");
		packet_put(pkt);
		return;
	}
	ibport_count(p, CNT_RCV_PKTS, 1);
	ibport_count(p, CNT_RCV_DATA, pkt->len / 4);
	receiver(p->node->h, p->num, pkt, false);
}

/*
 * The firmware's own traps arrive from LID 0, and the driver sends them (tavor-hw 17.1). Hung
 * firmware sends none.
 */
static void hca_send_trap(struct ibport *p, const u8 mad[MAD_SIZE])
{
	struct packet *pkt = packet_alloc();
	u8 *b = pkt->data;

	if (!hca_running(p->node->h) || hca_dead(p->node->h) || cmd_hung(p->node->h)) {
		packet_put(pkt);
		return;
	}
	pkt->len = 8 + 12 + 8 + MAD_SIZE + 4;
	memset(b, 0, 28);
	b[0] = 0xf0;
	b[1] = 0x02;
	put16(b + 2, p->lid);
	put16(b + 4, pkt->len / 4);
	b[8] = 0x64; /* UD send only */
	put16(b + 10, 0xffff);
	memcpy(b + 28, mad, MAD_SIZE);
	put32(b + 28 + MAD_SIZE, icrc_compute(b, pkt->len - 4));
	count(p->node->h, "trap-sent");
	receiver(p->node->h, p->num, pkt, true);
}

/* GUIDs in one process differ by the number of the HCA. Connected processes need the option. */
static u64 default_guid(const struct hca *h)
{
	u64 guid = opt_u64(h, "node_guid");

	return guid ? guid : DEFAULT_GUID + ((u64)(hca_number(h) + 1) << 8);
}

static void set_default_guids(struct ibnode *node)
{
	unsigned int i;

	node->node_guid = default_guid(node->h);
	node->sys_guid = node->node_guid + 3;
	for (i = 1; i <= node->num_ports; i++)
		ibport_set_guid(&node->port[i], 0, node->node_guid + i);
	memset(node->desc, 0, sizeof(node->desc));
	snprintf(node->desc, sizeof(node->desc), "Tavor HCA model %d", hca_number(node->h));
}

void port_reset_all(struct hca *h)
{
	struct ibnode *node = hca_part(h, PART_PORT);
	unsigned int i;

	for (i = 1; i <= node->num_ports; i++) {
		arrivals_flush(&node->port[i]);
		ibport_reset(&node->port[i]);
		node->port[i].cap_mask = opt_u64(h, "port_caps");
		wire_update(&node->port[i]);
	}
	node->num_pkeys = 1u << opt_u64(h, "log_pkeys");
	set_default_guids(node);
}

int port_new(struct hca *h)
{
	struct ibnode *node = ibnode_new(NODE_CA, opt_u64(h, "ports"));

	if (!node)
		return -ENOMEM;
	node->h = h;
	snprintf(node->name, sizeof(node->name), "%d", hca_number(h));
	node->vendor_id = VENDOR_OUI;
	node->device_id = strcmp(opt_str(h, "device"), "mt25208") ? 0x5a44 : 0x6278;
	node->revision = 0xa1;
	node->state_changed = hca_state_changed;
	node->rx = hca_rx;
	node->send_trap = hca_send_trap;
	hca_set_part(h, PART_PORT, node);
	port_reset_all(h);
	return 0;
}

/* --- functions for the queue pairs --- */

enum port_state port_state(const struct hca *h, int port)
{
	return hca_port(h, port)->state;
}

u16 port_lid(const struct hca *h, int port)
{
	return hca_port(h, port)->lid;
}

u8 port_lmc(const struct hca *h, int port)
{
	return hca_port(h, port)->lmc;
}

u8 port_mtu(const struct hca *h, int port)
{
	return hca_port(h, port)->neighbor_mtu;
}

u16 port_pkey(const struct hca *h, int port, unsigned int index)
{
	return index < port_pkey_count(h) ? hca_port(h, port)->pkey[index] : 0;
}

unsigned int port_pkey_count(const struct hca *h)
{
	return ((struct ibnode *)hca_part(h, PART_PORT))->num_pkeys;
}

const u8 *port_gid(const struct hca *h, int port, unsigned int index)
{
	return index < PORT_GIDS ? hca_port(h, port)->gid[index] : NULL;
}

unsigned int port_gid_count(const struct hca *h)
{
	(void)h;
	return PORT_GIDS;
}

u8 port_sl2vl(const struct hca *h, int port, u8 sl)
{
	return hca_port(h, port)->sl2vl[0][sl & 15];
}

/* A violation counter stops at its maximum until the subnet manager clears it. */
static void count_violation(u16 *counter)
{
	if (*counter != 0xffff)
		(*counter)++;
}

void port_count_pkey_violation(struct hca *h, int port)
{
	struct ibport *p = hca_port(h, port);

	count_violation(&p->pkey_violations);
	trap_bad_key(p, TRAP_PKEY, arrivals_current());
}

void port_count_qkey_violation(struct hca *h, int port)
{
	struct ibport *p = hca_port(h, port);

	count_violation(&p->qkey_violations);
	trap_bad_key(p, TRAP_QKEY, arrivals_current());
}

/* --- sending --- */

static u32 dest_qpn(const struct packet *pkt)
{
	u32 bth = (pkt->data[1] & 3) == LNH_GLOBAL ? LRH_LEN + GRH_LEN : LRH_LEN;

	return pkt->len >= bth + BTH_LEN ? get32(pkt->data + bth + 4) & QPN_MASK : 0;
}

/*
 * A service level can be mapped to VL 15, which means that it must not be used, or by mistake to a
 * VL that is not operational. Such packets are discarded (IBTA 7.6.6). Only packets to QP0 use VL
 * 15.
 */
static bool vl_usable(const struct ibport *p, const struct packet *pkt)
{
	u8 vl = pkt->data[0] >> 4;

	return vl == VL_MANAGEMENT ? !dest_qpn(pkt) : vl < 1u << (p->op_vls - 1);
}

/* The maximum length of a packet with this MTU and all headers (IBTA 7.7.8). */
static bool too_long(const struct ibport *p, const struct packet *pkt)
{
	return pkt->len > (128u << p->neighbor_mtu) + 124;
}

/* As in hardware, a packet is dropped silently if the port is not up; a counter counts it. */
static bool may_send(const struct ibport *p, const struct packet *pkt)
{
	if (hca_dead(p->node->h) || !vl_usable(p, pkt) || too_long(p, pkt))
		return false;
	return pkt->data[0] >> 4 == 15 ? p->state != PORT_DOWN : p->state == PORT_ACTIVE;
}

void port_tx(struct hca *h, int port, struct packet *pkt)
{
	struct ibport *p = hca_port(h, port);

	if (!may_send(p, pkt)) {
		count(h, "port-tx-dropped");
		ibport_count(p, CNT_XMIT_DISCARD, 1);
		packet_put(pkt);
		return;
	}
	ibport_count(p, CNT_XMIT_PKTS, 1);
	ibport_count(p, CNT_XMIT_DATA, pkt->len / 4);
	if (pcap_active())
		pcap_packet(pkt);
	wirefault_send(p, pkt);
}
