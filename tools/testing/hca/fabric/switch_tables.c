// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The forwarding tables of a switch, and the attributes by which a subnet manager reads and sets
 * them.
 */
#include "fabric/switch.h"

#include <string.h>

#include "core/bytes.h"

#define LFT_BLOCK 64u
#define MFT_BLOCK 32u

u16 switch_info_get(struct smp *s)
{
	const struct ibswitch *sw = switch_of(s->port->node);
	u8 *d = s->data;

	if (s->mod)
		return MAD_BAD_VALUE;
	put16(d, LFT_SIZE);
	put16(d + 4, MFT_SIZE);
	put16(d + 6, sw->lft_top);
	d[8] = sw->default_port;
	d[9] = sw->default_primary;
	d[10] = sw->default_not_primary;
	d[11] = sw->life_time << 3 | sw->state_change << 2;
	return MAD_OK;
}

/* Software clears PortStateChange by writing 1. */
u16 switch_info_set(struct smp *s)
{
	struct ibswitch *sw = switch_of(s->port->node);
	const u8 *d = s->data;

	if (s->mod || get16(d + 6) >= LFT_SIZE)
		return MAD_BAD_VALUE;
	sw->lft_top = get16(d + 6);
	sw->default_port = d[8];
	sw->default_primary = d[9];
	sw->default_not_primary = d[10];
	sw->life_time = d[11] >> 3;
	if (d[11] & 4)
		sw->state_change = false;
	return MAD_OK;
}

u16 lft_get(struct smp *s)
{
	if (s->mod >= LFT_SIZE / LFT_BLOCK)
		return MAD_BAD_VALUE;
	memcpy(s->data, switch_of(s->port->node)->lft + s->mod * LFT_BLOCK, LFT_BLOCK);
	return MAD_OK;
}

u16 lft_set(struct smp *s)
{
	if (s->mod >= LFT_SIZE / LFT_BLOCK)
		return MAD_BAD_VALUE;
	memcpy(switch_of(s->port->node)->lft + s->mod * LFT_BLOCK, s->data, LFT_BLOCK);
	return MAD_OK;
}

/* Modifier: [31:28] block of 16 ports, [8:0] block of 32 multicast LIDs */
static u64 *mft_block(struct smp *s, unsigned int *shift)
{
	u32 block = s->mod & 0x1ff;

	*shift = (s->mod >> 28) * 16;
	if (block >= MFT_SIZE / MFT_BLOCK || *shift > s->port->node->num_ports ||
	    (s->mod & 0x0ffffe00))
		return NULL;
	return switch_of(s->port->node)->mft + block * MFT_BLOCK;
}

u16 mft_get(struct smp *s)
{
	unsigned int i, shift;
	const u64 *block = mft_block(s, &shift);

	if (!block)
		return MAD_BAD_VALUE;
	for (i = 0; i < MFT_BLOCK; i++)
		put16(s->data + 2 * i, block[i] >> shift);
	return MAD_OK;
}

u16 mft_set(struct smp *s)
{
	unsigned int i, shift;
	u64 *block = mft_block(s, &shift);

	if (!block)
		return MAD_BAD_VALUE;
	for (i = 0; i < MFT_BLOCK; i++)
		block[i] = (block[i] & ~(0xffffULL << shift)) | (u64)get16(s->data + 2 * i)
									<< shift;
	return MAD_OK;
}
