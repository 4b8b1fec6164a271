// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The subnet management agent: dispatch by attribute, and the attributes of the node. */
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"
#include "fabric/switch.h"

#define FOR_CA (1u << NODE_CA)
#define FOR_SWITCH (1u << NODE_SWITCH)
#define FOR_ALL (FOR_CA | FOR_SWITCH)

/*
 * There is no SMInfo, because the driver keeps it for a subnet manager on the host. There is no
 * Notice, because the capability mask says that this node queues none.
 */
struct sma_attr {
	u16 id;
	u8 nodes;
	u16 (*get)(struct smp *s);
	u16 (*set)(struct smp *s); /* NULL: read-only */
};

/*
 * IBTA defines the description as read-only. It can be set here, because the firmware allows this
 * to its driver.
 */
static u16 node_desc_get(struct smp *s)
{
	if (s->mod)
		return MAD_BAD_VALUE;
	memcpy(s->data, s->port->node->desc, sizeof(s->port->node->desc));
	return MAD_OK;
}

static u16 node_desc_set(struct smp *s)
{
	if (s->mod)
		return MAD_BAD_VALUE;
	memcpy(s->port->node->desc, s->data, sizeof(s->port->node->desc));
	trap_cap_mask(s->port, true);
	return MAD_OK;
}

/*
 * The port GUID and the local port number are those of the port of arrival, so that a discovery can
 * distinguish the ports of an HCA. A switch returns its node GUID at each port.
 */
static u16 node_info_get(struct smp *s)
{
	const struct ibnode *node = s->port->node;
	u8 *d = s->data;

	if (s->mod)
		return MAD_BAD_VALUE;
	d[0] = 1;
	d[1] = 1;
	d[2] = node->type;
	d[3] = node->num_ports;
	put64(d + 4, node->sys_guid);
	put64(d + 12, node->node_guid);
	put64(d + 20, node->type == NODE_CA ? get64(s->port->gid[0] + 8) : node->node_guid);
	put16(d + 28, node->num_pkeys);
	put16(d + 30, node->device_id);
	put32(d + 32, node->revision);
	put32(d + 36, (u32)s->port->num << 24 | node->vendor_id);
	return MAD_OK;
}

static u16 led_get(struct smp *s)
{
	put32(s->data, s->port->led ? 1u << 31 : 0);
	return MAD_OK;
}

static u16 led_set(struct smp *s)
{
	s->port->led = get32(s->data) >> 31;
	return MAD_OK;
}

static const struct sma_attr attrs[] = {
	{ 0x10, FOR_ALL, node_desc_get, node_desc_set },
	{ 0x11, FOR_ALL, node_info_get, NULL },
	{ 0x12, FOR_SWITCH, switch_info_get, switch_info_set },
	{ 0x14, FOR_ALL, guidinfo_get, guidinfo_set },
	{ 0x15, FOR_ALL, portinfo_get, portinfo_set },
	{ 0x16, FOR_ALL, pkeys_get, pkeys_set },
	{ 0x17, FOR_ALL, sl2vl_get, sl2vl_set },
	{ 0x18, FOR_ALL, vlarb_get, vlarb_set },
	{ 0x19, FOR_SWITCH, lft_get, lft_set },
	{ 0x1b, FOR_SWITCH, mft_get, mft_set },
	{ 0x31, FOR_CA, led_get, led_set },
};

static const struct sma_attr *find_attr(const struct ibnode *node, u16 id)
{
	unsigned int i;

	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		if (attrs[i].id == id && (attrs[i].nodes & (1u << node->type)))
			return &attrs[i];
	return NULL;
}

/* The response to a Set contains the new attribute (IBTA 14.2.1). */
u16 sma_process(struct ibport *p, u8 *out, bool mkey_ok)
{
	const struct sma_attr *attr = find_attr(p->node, get16(out + MAD_ATTR));
	struct smp s = { p, get32(out + MAD_MOD), out + MAD_DATA, mkey_ok };
	bool rereg = false;
	u16 status = MAD_OK;

	if (!attr || (out[MAD_METHOD] == METHOD_SET && !attr->set))
		return MAD_BAD_ATTR;
	if (out[MAD_METHOD] == METHOD_SET) {
		status = attr->set(&s);
		rereg = attr->set == portinfo_set && (s.data[51] & 0x80);
	}
	if (status)
		return status;
	memset(s.data, 0, 64);
	status = attr->get(&s);
	/* o14-12.2.1: the reply repeats the request to reregister, but a Get returns 0 */
	if (rereg && !status)
		s.data[51] |= 0x80;
	return status;
}
