// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A switch: its ports, forwarding, the management agents of port 0, and directed-route packets
 * (IBTA 14.2.2). For an HCA, the host handles the latter.
 */
#include "fabric/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "fabric/packet.h"
#include "fabric/wire.h"

#define MAX_SWITCHES 16u
#define NO_PORT 0xffu
#define MAX_HOPS 64u	  /* entries of the two paths, the first of them unused */
#define LIVE_MAX 0x20000u /* packets in this process; more are a storm */
#define GUID_OFFSET 0x40u /* added to the GUIDs of HCA 0, which differ between processes */
#define SWITCH_DEVICE 0xa87c

static struct ibswitch *switches[MAX_SWITCHES];

/* --- forwarding --- */

static bool port_sends(const struct ibport *p, bool vl15)
{
	return vl15 ? p->state != PORT_DOWN : p->state == PORT_ACTIVE;
}

static u32 mtu_bytes(u8 code)
{
	return 128u << code;
}

/*
 * A guest sets the tables, so they can contain loops. A hardware switch discards a packet after its
 * lifetime (IBTA 18.2.5.4). Here a packet may not pass more switches than exist, or than a directed
 * route can name. Multicast copies could grow faster than this limit ends them, so the number of
 * packets is limited, too.
 */
static bool outlived(const struct packet *pkt, bool vl15)
{
	return pkt->hops >= (vl15 ? MAX_HOPS : MAX_SWITCHES) || packets_live() > LIVE_MAX;
}

/* Sends a packet by one port, if the state and the MTU of the port allow it. */
static void send_out(struct ibport *out, struct packet *pkt)
{
	bool vl15 = pkt->data[0] >> 4 == VL_MANAGEMENT;

	if (!port_sends(out, vl15) || outlived(pkt, vl15) ||
	    pkt->len > mtu_bytes(out->neighbor_mtu) + PACKET_ROOM - 4096) {
		ibport_count(out, CNT_XMIT_DISCARD, 1);
		packet_put(pkt);
		return;
	}
	pkt->hops++;
	ibport_count(out, CNT_XMIT_PKTS, 1);
	ibport_count(out, CNT_XMIT_DATA, pkt->len / 4);
	wire_transmit(out, pkt);
}

static void forward_multicast(struct ibswitch *sw, struct ibport *in, struct packet *pkt)
{
	unsigned int index = get16(pkt->data + 2) - LID_MULTICAST, port;
	u64 mask = index < MFT_SIZE ? sw->mft[index] : 0;

	for (port = 1; port <= sw->node->num_ports; port++)
		if ((mask >> port & 1) && &sw->node->port[port] != in)
			send_out(&sw->node->port[port], packet_copy(pkt));
	packet_put(pkt);
}

/*
 * Never sends a packet back to its port of arrival, because this would be a loop, and an HCA sends
 * no packets for itself to the switch. @in is NULL for packets from this switch.
 */
static void forward_unicast(struct ibswitch *sw, struct ibport *in, struct packet *pkt)
{
	u16 dlid = get16(pkt->data + 2);
	u8 port = dlid <= sw->lft_top ? sw->lft[dlid] : NO_PORT;

	if (port == 0 || port > sw->node->num_ports || (in && port == in->num)) {
		if (in)
			ibport_count(in, CNT_RCV_RELAY, 1);
		packet_put(pkt);
		return;
	}
	send_out(&sw->node->port[port], pkt);
}

/* --- the management agents --- */

struct gmp_path {
	u16 dlid;
	u8 sl;
	u32 dqpn, qkey;
	u16 pkey;
	u32 sqpn;
};

static void build_mad(struct packet *pkt, u16 slid, const struct gmp_path *to, const u8 *mad)
{
	u8 vl = to->sqpn ? 0 : VL_MANAGEMENT, *at;
	struct lrh lrh = { .vl = vl, .sl = to->sl, .dlid = to->dlid, .slid = slid };
	struct bth bth = { .opcode = CLASS_UD | OP_SEND_ONLY, .pkey = to->pkey, .dqpn = to->dqpn };

	at = put_bth(put_lrh(pkt->data, &lrh), &bth);
	put32(at, to->qkey);
	put32(at + 4, to->sqpn);
	memcpy(at + DETH_LEN, mad, MAD_SIZE);
	packet_seal(pkt, at + DETH_LEN + MAD_SIZE);
}

/*
 * Fills in the path back to the sender of a MAD. Subnet management uses no Q_Key. For other classes
 * the Q_Key of the request is returned.
 */
static void reply_path(const struct headers *hd, struct gmp_path *to)
{
	to->dlid = hd->slid;
	to->sl = hd->sl;
	to->dqpn = get32(hd->ext + 4) & QPN_MASK;
	to->sqpn = hd->dqpn;
	to->qkey = hd->dqpn ? get32(hd->ext) : 0;
	to->pkey = hd->pkey;
}

static enum mad_result ask_agent(struct ibport *in, const struct headers *hd, const u8 *mad,
				 u8 *out)
{
	struct mad_source src = { .known = true,
				  .slid = hd->slid,
				  .rqpn = get32(hd->ext + 4) & QPN_MASK,
				  .qpn = hd->dqpn,
				  .sl = hd->sl };

	return mad_process(in, &src, mad, out);
}

static void smi_return(struct ibswitch *sw, struct packet *pkt, u8 *smp);

/* Replies to a directed-route request that ends here. The reply takes the same path back. */
static void answer_directed(struct ibswitch *sw, struct ibport *in, const struct headers *hd,
			    u8 *smp)
{
	struct gmp_path back = { .dlid = LID_PERMISSIVE,
				 .sl = hd->sl,
				 .pkey = 0xffff }; /* smi_return() finds the path */
	struct packet *pkt;
	u8 out[MAD_SIZE];

	if (ask_agent(in, hd, smp, out) != MAD_REPLY)
		return;
	put16(out + MAD_STATUS, get16(out + MAD_STATUS) | DR_DIRECTION);
	pkt = packet_alloc();
	build_mad(pkt, LID_PERMISSIVE, &back, out);
	smi_return(sw, pkt, pkt->data + LRH_LEN + BTH_LEN + DETH_LEN);
}

static void answer_routed(struct ibswitch *sw, struct ibport *in, const struct headers *hd,
			  const u8 *mad)
{
	struct ibport *mgmt = &sw->node->port[0];
	struct gmp_path to;
	struct packet *pkt;
	u8 out[MAD_SIZE];

	if (ask_agent(in, hd, mad, out) != MAD_REPLY)
		return;
	reply_path(hd, &to);
	pkt = packet_alloc();
	build_mad(pkt, mgmt->lid, &to, out);
	forward_unicast(sw, NULL, pkt);
}

/* Computes the ICRC again, because the switch has changed the MAD. */
static void reseal(struct packet *pkt)
{
	put32(pkt->data + pkt->len - ICRC_LEN, icrc_compute(pkt->data, pkt->len - ICRC_LEN));
}

/* Sends an SMP on the directed part of its route, where LIDs are permissive. */
static void smi_send(struct ibswitch *sw, unsigned int port, struct packet *pkt)
{
	if (port == 0 || port > sw->node->num_ports) {
		packet_put(pkt);
		return;
	}
	put16(pkt->data + 2, LID_PERMISSIVE);
	put16(pkt->data + 6, LID_PERMISSIVE);
	reseal(pkt);
	send_out(&sw->node->port[port], pkt);
}

/* The directed part of the route ends here, so the SMP is forwarded by LID. */
static void smi_route(struct ibswitch *sw, u16 dlid, struct packet *pkt)
{
	put16(pkt->data + 2, dlid);
	put16(pkt->data + 6, sw->node->port[0].lid);
	reseal(pkt);
	forward_unicast(sw, NULL, pkt);
}

/* Handles an SMP on its way back (IBTA C14-13). This switch runs no subnet manager. */
static void smi_return(struct ibswitch *sw, struct packet *pkt, u8 *smp)
{
	u8 ptr = smp[MAD_HOP_PTR], cnt = smp[MAD_HOP_CNT];
	u16 dr_slid = get16(smp + MAD_DR_SLID);

	if (cnt >= MAX_HOPS || ptr == 0 || ptr > cnt + 1 ||
	    (ptr == 1 && dr_slid == LID_PERMISSIVE)) {
		packet_put(pkt);
		return;
	}
	smp[MAD_HOP_PTR] = ptr - 1;
	if (ptr == 1)
		smi_route(sw, dr_slid, pkt);
	else
		smi_send(sw, smp[MAD_RETURN_PATH + ptr - 1], pkt);
}

/* Handles an SMP on its way out (IBTA C14-9). The number of @in is stored in the return path. */
static void smi_outward(struct ibswitch *sw, struct ibport *in, const struct headers *hd,
			struct packet *pkt, u8 *smp)
{
	u8 ptr = smp[MAD_HOP_PTR], cnt = smp[MAD_HOP_CNT];

	if (cnt >= MAX_HOPS || ptr > cnt + 1) {
		packet_put(pkt);
		return;
	}
	if (ptr && ptr <= cnt)
		smp[MAD_RETURN_PATH + ptr] = in->num;
	if (ptr < cnt) {
		smp[MAD_HOP_PTR] = ptr + 1;
		smi_send(sw, smp[MAD_INITIAL_PATH + ptr + 1], pkt);
		return;
	}
	if (ptr == cnt)
		smp[MAD_HOP_PTR] = ptr + 1;
	if (ptr == cnt && get16(smp + MAD_DR_DLID) != LID_PERMISSIVE) {
		smi_route(sw, get16(smp + MAD_DR_DLID), pkt);
		return;
	}
	answer_directed(sw, in, hd, smp);
	packet_put(pkt);
}

/* Handles packets for port 0 of this switch: SMPs, and performance MADs to its LID. */
static void to_management(struct ibswitch *sw, struct ibport *in, struct packet *pkt)
{
	struct headers hd;
	u8 *mad;

	if (packet_parse(pkt, &hd) || !packet_icrc_ok(pkt) ||
	    hd.opcode != (CLASS_UD | OP_SEND_ONLY) || hd.paylen != MAD_SIZE || hd.dqpn > 1) {
		packet_put(pkt);
		return;
	}
	mad = pkt->data + (hd.payload - pkt->data);
	if (hd.dqpn == 0 && mad[MAD_CLASS] == CLASS_SUBN_DIRECTED) {
		if (get16(mad + MAD_STATUS) & DR_DIRECTION)
			smi_return(sw, pkt, mad);
		else
			smi_outward(sw, in, &hd, pkt, mad);
		return;
	}
	if (mad[MAD_CLASS] == (hd.dqpn ? CLASS_PERF : CLASS_SUBN_LID))
		answer_routed(sw, in, &hd, mad);
	packet_put(pkt);
}

/* Like hca_takes() in port.c, but for any LID. */
static bool switch_takes(struct ibport *p, bool vl15)
{
	if (!vl15 && p->state == PORT_ARMED)
		ibport_set_state(p, PORT_ACTIVE);
	return port_sends(p, vl15);
}

static void switch_rx(struct ibport *in, struct packet *pkt)
{
	struct ibswitch *sw = switch_of(in->node);
	bool vl15 = pkt->data[0] >> 4 == VL_MANAGEMENT;
	u16 dlid = get16(pkt->data + 2);

	if (!switch_takes(in, vl15)) {
		packet_put(pkt);
		return;
	}
	ibport_count(in, CNT_RCV_PKTS, 1);
	ibport_count(in, CNT_RCV_DATA, pkt->len / 4);
	if (dlid == LID_PERMISSIVE || ibport_owns_lid(&sw->node->port[0], dlid))
		to_management(sw, in, pkt);
	else if (dlid >= LID_MULTICAST)
		forward_multicast(sw, in, pkt);
	else
		forward_unicast(sw, in, pkt);
}

/* Sends a trap from the management port to the LID of the subnet manager. */
static void switch_send_trap(struct ibport *p, const u8 mad[MAD_SIZE])
{
	struct gmp_path to = { .dlid = p->sm_lid, .sl = p->sm_sl, .pkey = 0xffff };
	struct packet *pkt = packet_alloc();

	build_mad(pkt, p->lid, &to, mad);
	forward_unicast(switch_of(p->node), NULL, pkt);
}

static void switch_state_changed(struct ibport *p, enum port_state from)
{
	struct ibswitch *sw = switch_of(p->node);

	/* the subnet manager itself sets Armed and Active */
	if (!sw || p->num == 0 || (from != PORT_DOWN && p->state != PORT_DOWN))
		return;
	sw->state_change = true;
	trap_link_state(&p->node->port[0]);
}

/* --- life --- */

static void switch_init(struct ibswitch *sw, unsigned int index)
{
	struct ibnode *node = sw->node;
	unsigned int i;

	snprintf(node->name, sizeof(node->name), "s%u", index);
	snprintf(node->desc, sizeof(node->desc), "Switch model %u", index);
	node->node_guid = hca_port(hca_by_number(0), 1)->node->node_guid + GUID_OFFSET + index;
	node->sys_guid = node->node_guid;
	node->vendor_id = 0x0002c9;
	node->device_id = SWITCH_DEVICE;
	node->revision = 0xa1;
	node->num_pkeys = PORT_PKEYS;
	node->rx = switch_rx;
	node->send_trap = switch_send_trap;
	node->state_changed = switch_state_changed;
	for (i = 0; i <= node->num_ports; i++)
		node->port[i].powered = true;
	ibport_set_guid(&node->port[0], 0, node->node_guid);
	node->port[0].state = PORT_ACTIVE;
	node->port[0].phys = PHYS_LINKUP;
	node->port[0].cap_mask = CAP_TRAP | CAP_SL_MAPPING | CAP_SYS_GUID;
	memset(sw->lft, NO_PORT, sizeof(sw->lft));
	sw->default_port = NO_PORT;
	sw->default_primary = NO_PORT;
	sw->default_not_primary = NO_PORT;
}

struct ibnode *switch_node(unsigned int index)
{
	struct ibswitch *sw;

	if (index >= MAX_SWITCHES)
		return NULL;
	if (switches[index])
		return switches[index]->node;
	sw = calloc(1, sizeof(*sw));
	if (!sw)
		return NULL;
	sw->node = ibnode_new(NODE_SWITCH, opt_u64(hca_by_number(0), "switch_ports"));
	if (!sw->node) {
		free(sw);
		return NULL;
	}
	switch_init(sw, index);
	switches[index] = sw;
	sw->node->sw = sw;
	return sw->node;
}

void switch_delete_all(void)
{
	unsigned int i;

	for (i = 0; i < MAX_SWITCHES; i++) {
		if (!switches[i])
			continue;
		ibnode_free(switches[i]->node);
		free(switches[i]);
		switches[i] = NULL;
	}
}
