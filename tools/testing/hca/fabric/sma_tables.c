// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The table attributes of a port: GUIDInfo, P_KeyTable, SLtoVLMappingTable, VLArbitrationTable. */
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"

#define GUIDS_PER_BLOCK 8u
#define PKEYS_PER_BLOCK 32u

/* On a switch only the management port has GUIDs, in one block. */
static struct ibport *guid_block(struct smp *s)
{
	struct ibport *p = s->port;
	unsigned int blocks = PORT_GIDS / GUIDS_PER_BLOCK;

	if (p->node->type == NODE_SWITCH) {
		p = &p->node->port[0];
		blocks = 1;
	}
	return s->mod < blocks ? p : NULL;
}

u16 guidinfo_get(struct smp *s)
{
	struct ibport *p = guid_block(s);
	unsigned int i;

	if (!p)
		return MAD_BAD_VALUE;
	for (i = 0; i < GUIDS_PER_BLOCK; i++)
		memcpy(s->data + i * 8, p->gid[s->mod * GUIDS_PER_BLOCK + i] + 8, 8);
	return MAD_OK;
}

/* The first GUID is that of the port and cannot be changed. */
u16 guidinfo_set(struct smp *s)
{
	struct ibport *p = guid_block(s);
	unsigned int i;

	if (!p)
		return MAD_BAD_VALUE;
	if (p->node->type == NODE_SWITCH)
		return MAD_OK;
	for (i = s->mod ? 0 : 1; i < GUIDS_PER_BLOCK; i++)
		ibport_set_guid(p, s->mod * GUIDS_PER_BLOCK + i, get64(s->data + i * 8));
	return MAD_OK;
}

/*
 * The lower half of the modifier is the block. The upper half is a port of a switch. An HCA ignores
 * it, as the agent of qib does, because smpquery always sets it to the port.
 */
static struct ibport *pkey_block(struct smp *s, unsigned int *first)
{
	struct ibport *p = s->port;

	*first = (s->mod & 0xffff) * PKEYS_PER_BLOCK;
	if (p->node->type == NODE_SWITCH)
		p = ibport_target(p, s->mod >> 16);
	return p && *first < p->node->num_pkeys ? p : NULL;
}

u16 pkeys_get(struct smp *s)
{
	unsigned int first, i;
	struct ibport *p = pkey_block(s, &first);

	if (!p)
		return MAD_BAD_VALUE;
	for (i = 0; i < PKEYS_PER_BLOCK && first + i < p->node->num_pkeys; i++)
		put16(s->data + i * 2, p->pkey[first + i]);
	return MAD_OK;
}

u16 pkeys_set(struct smp *s)
{
	unsigned int first, i;
	struct ibport *p = pkey_block(s, &first);

	if (!p)
		return MAD_BAD_VALUE;
	for (i = 0; i < PKEYS_PER_BLOCK && first + i < p->node->num_pkeys; i++)
		p->pkey[first + i] = get16(s->data + i * 2);
	return MAD_OK;
}

/* The modifier contains the input and the output port of a switch. An HCA ignores it. */
static u8 *sl2vl_row(struct smp *s)
{
	struct ibport *p = s->port;
	u32 in = s->mod >> 8 & 0xff;

	if (p->node->type == NODE_CA)
		return p->sl2vl[0];
	p = ibport_target(p, s->mod & 0xff);
	return p && in <= p->node->num_ports && !(s->mod >> 16) ? p->sl2vl[in] : NULL;
}

u16 sl2vl_get(struct smp *s)
{
	const u8 *row = sl2vl_row(s);
	unsigned int i;

	if (!row)
		return MAD_BAD_VALUE;
	for (i = 0; i < 8; i++)
		s->data[i] = row[2 * i] << 4 | row[2 * i + 1];
	return MAD_OK;
}

u16 sl2vl_set(struct smp *s)
{
	u8 *row = sl2vl_row(s);
	unsigned int i;

	if (!row)
		return MAD_BAD_VALUE;
	for (i = 0; i < 8; i++) {
		row[2 * i] = s->data[i] >> 4;
		row[2 * i + 1] = s->data[i] & 15;
	}
	return MAD_OK;
}

/*
 * Blocks 1 and 3 are the lower halves of the low and the high priority table. There are no upper
 * halves.
 */
static u8 (*vlarb_table(struct smp *s))[2]
{
	struct ibport *p = s->port;
	u32 block = s->mod >> 16;

	if (p->node->type == NODE_SWITCH)
		p = ibport_target(p, s->mod & 0xffff);
	if (!p || (block != 1 && block != 3))
		return NULL;
	return p->vlarb[block == 3];
}

u16 vlarb_get(struct smp *s)
{
	u8(*table)[2] = vlarb_table(s);

	if (!table)
		return MAD_BAD_VALUE;
	memcpy(s->data, table, PORT_VLARB * 2);
	return MAD_OK;
}

u16 vlarb_set(struct smp *s)
{
	u8(*table)[2] = vlarb_table(s);
	unsigned int i;

	if (!table)
		return MAD_BAD_VALUE;
	for (i = 0; i < PORT_VLARB; i++) {
		table[i][0] = s->data[2 * i] & 15;
		table[i][1] = s->data[2 * i + 1];
	}
	return MAD_OK;
}
