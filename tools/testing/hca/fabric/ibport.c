// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* An InfiniBand port of an HCA or a switch: its state, its tables and its counters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"

#define SPEED_SDR 1

struct ibnode *ibnode_new(enum node_type type, u8 num_ports)
{
	struct ibnode *node = calloc(1, sizeof(*node) + (num_ports + 1u) * sizeof(node->port[0]));
	unsigned int i;

	if (!node)
		return NULL;
	node->type = type;
	node->num_ports = num_ports;
	node->num_pkeys = PORT_PKEYS;
	for (i = 0; i <= num_ports; i++) {
		node->port[i].node = node;
		node->port[i].num = i;
		trap_init(&node->port[i]);
		ibport_reset(&node->port[i]);
	}
	return node;
}

void ibnode_free(struct ibnode *node)
{
	unsigned int i;

	if (!node)
		return;
	for (i = 0; i <= node->num_ports; i++) {
		trap_stop(&node->port[i]);
		timer_cancel(&node->port[i].lease_timer);
		timer_cancel(&node->port[i].bounce_timer);
		timer_cancel(&node->port[i].sampler.timer);
		arrivals_flush(&node->port[i]);
	}
	free(node);
}

/* When the M_Key lease expires, the key stays but no longer protects anything (IBTA 14.2.4). */
static void lease_expired(struct hca_timer *t)
{
	container_of(t, struct ibport, lease_timer)->mkey_protect = 0;
}

/*
 * Sets the tables for a port without a subnet manager: only the default partition, with full
 * membership, and one data VL.
 */
static void reset_tables(struct ibport *p)
{
	unsigned int i;

	memset(p->gid, 0, sizeof(p->gid));
	ibport_set_prefix(p, DEFAULT_GID_PREFIX);
	memset(p->pkey, 0, sizeof(p->pkey));
	p->pkey[0] = 0xffff;
	for (i = 0; i <= NODE_MAX_PORTS; i++)
		memset(p->sl2vl[i], 0, sizeof(p->sl2vl[i]));
	memset(p->vlarb, 0, sizeof(p->vlarb));
	for (i = 0; i < PORT_VLARB; i++)
		p->vlarb[0][i][0] = i;
	p->vlarb[0][0][1] = 1;
}

/*
 * Resets what a subnet manager sets. Subnet timeout and error thresholds have initial values
 * (IBTA).
 */
static void reset_managed(struct ibport *p)
{
	p->lid = 0;
	p->sm_lid = 0;
	p->lmc = 0;
	p->sm_sl = 0;
	p->mkey = 0;
	p->mkey_lease = 0;
	p->mkey_protect = 0;
	p->mkey_violations = 0;
	p->pkey_violations = 0;
	p->qkey_violations = 0;
	p->vl_high_limit = 0;
	p->hoq_life = 0;
	p->part_enforce = 0;
	p->init_type = 0;
	p->subnet_timeout = 18;
	p->error_thresholds = 0x88;
	p->led = false;
}

/* Resets the port to its power-on state. The caller must call wire_update(). */
void ibport_reset(struct ibport *p)
{
	p->powered = false;
	p->state = PORT_DOWN;
	p->phys = PHYS_POLLING;
	p->down_default = PHYS_POLLING;
	p->width_cap = 3;
	p->width_enabled = 3;
	p->width_active = 2;
	p->speed_cap = SPEED_SDR;
	p->speed_enabled = SPEED_SDR;
	p->speed_active = SPEED_SDR;
	p->mtu_cap = 4;
	p->neighbor_mtu = 4;
	p->vl_cap = 4;
	p->op_vls = 4;
	p->cap_mask = CAP_TRAP | CAP_APM | CAP_SL_MAPPING | CAP_LED | CAP_SYS_GUID |
		      CAP_MASK_NOTICE | CAP_CLIENT_REREG;
	reset_managed(p);
	reset_tables(p);
	memset(p->counter, 0, sizeof(p->counter));
	timer_cancel(&p->lease_timer);
	timer_setup(&p->lease_timer, lease_expired);
	timer_cancel(&p->bounce_timer);
	trap_stop(p);
	pma_reset(p);
}

/* Traps stop when the port goes down, because a subnet manager could not repress them. */
void ibport_set_state(struct ibport *p, enum port_state to)
{
	enum port_state from = p->state;

	if (from == to)
		return;
	p->state = to;
	if (to == PORT_DOWN)
		trap_stop(p);
	if (p->node->state_changed)
		p->node->state_changed(p, from);
}

void ibport_set_prefix(struct ibport *p, u64 prefix)
{
	unsigned int i;

	p->gid_prefix = prefix;
	for (i = 0; i < PORT_GIDS; i++)
		put64(p->gid[i], prefix);
}

void ibport_set_guid(struct ibport *p, unsigned int index, u64 guid)
{
	put64(p->gid[index] + 8, guid);
}

void ibport_count(struct ibport *p, enum port_counter counter, u64 n)
{
	p->counter[counter] += n;
}

bool ibport_owns_lid(const struct ibport *p, u16 lid)
{
	/* the low LMC bits do not count, not even those of the port's own LID (IBTA 4.1.3) */
	return p->lid && lid < LID_MULTICAST && lid >> p->lmc == p->lid >> p->lmc;
}

const char *ibport_name(const struct ibport *p)
{
	static char name[32];

	snprintf(name, sizeof(name), "port %.15s.%u", p->node->name, p->num);
	return name;
}

struct ibport *ibport_target(struct ibport *p, u32 num)
{
	struct ibnode *node = p->node;

	if (node->type == NODE_CA && !num)
		return p;
	return num <= node->num_ports ? &node->port[num] : NULL;
}
