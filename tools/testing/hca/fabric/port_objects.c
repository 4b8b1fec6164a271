// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Output of ports for the control socket. */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "fabric/port.h"

static const char *const state_names[] = {
	[PORT_DOWN] = "down",
	[PORT_INIT] = "init",
	[PORT_ARMED] = "armed",
	[PORT_ACTIVE] = "active",
};

static const char *const counter_names[CNT_COUNT] = {
	[CNT_SYMBOL] = "symbol_errors",
	[CNT_RECOVERY] = "link_recoveries",
	[CNT_DOWNED] = "link_downed",
	[CNT_RCV_ERR] = "rcv_errors",
	[CNT_RCV_REMOTE] = "rcv_remote_phys_errors",
	[CNT_RCV_RELAY] = "rcv_switch_relay_errors",
	[CNT_XMIT_DISCARD] = "xmit_discards",
	[CNT_XMIT_CONSTRAINT] = "xmit_constraint_errors",
	[CNT_RCV_CONSTRAINT] = "rcv_constraint_errors",
	[CNT_INTEGRITY] = "local_integrity_errors",
	[CNT_OVERRUN] = "buffer_overruns",
	[CNT_VL15_DROPPED] = "vl15_dropped",
	[CNT_XMIT_DATA] = "xmit_data",
	[CNT_RCV_DATA] = "rcv_data",
	[CNT_XMIT_PKTS] = "xmit_packets",
	[CNT_RCV_PKTS] = "rcv_packets",
	[CNT_XMIT_WAIT] = "xmit_wait",
};

/* Shows only counters that are not 0, because seventeen zeros per port would hide the others. */
static void add_counters(const struct ibport *p, cJSON *out)
{
	unsigned int i;

	for (i = 0; i < CNT_COUNT; i++)
		if (p->counter[i])
			cJSON_AddNumberToObject(out, counter_names[i], p->counter[i]);
}

static cJSON *describe(const struct ibport *p)
{
	cJSON *out = cJSON_CreateObject();
	const struct ibport *peer = wire_peer(p);

	cJSON_AddNumberToObject(out, "port", p->num);
	cJSON_AddStringToObject(out, "state", state_names[p->state]);
	cJSON_AddNumberToObject(out, "physical", p->phys);
	cJSON_AddNumberToObject(out, "lid", p->lid);
	cJSON_AddNumberToObject(out, "sm_lid", p->sm_lid);
	if (peer)
		cJSON_AddStringToObject(out, "cable", ibport_name(peer));
	add_counters(p, out);
	return out;
}

void port_objects(struct hca *h, cJSON *out)
{
	cJSON *list = cJSON_AddArrayToObject(out, "ports");
	unsigned int num;

	for (num = 1; hca_port(h, num); num++)
		cJSON_AddItemToArray(list, describe(hca_port(h, num)));
}
