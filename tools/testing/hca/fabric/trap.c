// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Traps (IBTA 14.2.5.1, 13.4.9): notices that a node sends by itself. A trap is repeated, with the
 * subnet timeout as its interval, until the subnet manager represses it. While it is active,
 * another trap of the same kind only replaces its contents.
 */
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"

#define ATTR_NOTICE 0x02
#define GENERIC 0x80
#define TIMEOUT_UNIT_NS 4096ULL
#define MIN_PERIOD_NS 100000000ULL

enum notice_type { NOTICE_URGENT = 1, NOTICE_SECURITY = 2, NOTICE_INFO = 4 };

/* Offsets in a Notice */
enum { N_TYPE = 0, N_PRODUCER = 1, N_NUMBER = 4, N_ISSUER = 6, N_DETAILS = 10 };

static const struct {
	u8 type;
	u16 number;
} kinds[TRAP_KINDS] = {
	[TRAP_CAP_MASK] = { NOTICE_INFO, 144 },	    [TRAP_MKEY] = { NOTICE_SECURITY, 256 },
	[TRAP_PKEY] = { NOTICE_SECURITY, 257 },	    [TRAP_QKEY] = { NOTICE_SECURITY, 258 },
	[TRAP_LINK_STATE] = { NOTICE_URGENT, 128 },
};

/* Before a subnet manager has brought the port up, there is no destination. */
static bool trap_allowed(const struct ibport *p)
{
	return p->state == PORT_ACTIVE && p->sm_lid && (p->cap_mask & CAP_TRAP) &&
	       p->node->send_trap;
}

/* 4.096 us * 2^SubnetTimeOut (IBTA 14.2.5.6); long timeouts are limited to about four seconds */
static u64 trap_period(const struct ibport *p)
{
	u64 ns = TIMEOUT_UNIT_NS << (p->subnet_timeout > 20 ? 20 : p->subnet_timeout);

	return ns > MIN_PERIOD_NS ? ns : MIN_PERIOD_NS;
}

static void send_one(struct ibport *p, const struct trap *t)
{
	u8 mad[MAD_SIZE] = { 1, CLASS_SUBN_LID, 1, METHOD_TRAP };

	put64(mad + MAD_TID, t->tid);
	put16(mad + MAD_ATTR, ATTR_NOTICE);
	memcpy(mad + MAD_DATA, t->notice, sizeof(t->notice));
	p->node->send_trap(p, mad);
}

static void trap_timer(struct hca_timer *timer)
{
	struct ibport *p = container_of(timer, struct ibport, trap_timer);
	bool more = false;
	unsigned int i;

	for (i = 0; i < TRAP_KINDS; i++) {
		if (!p->trap[i].active)
			continue;
		more = true;
		if (trap_allowed(p))
			send_one(p, &p->trap[i]);
	}
	if (more)
		timer_arm(&p->trap_timer, trap_period(p));
}

void trap_init(struct ibport *p)
{
	timer_setup(&p->trap_timer, trap_timer);
	p->next_tid = 1;
}

void trap_stop(struct ibport *p)
{
	unsigned int i;

	for (i = 0; i < TRAP_KINDS; i++)
		p->trap[i].active = false;
	timer_cancel(&p->trap_timer);
}

/*
 * Returns the details of the notice, which the caller fills in. The notice is sent in the next turn
 * of the loop.
 */
static u8 *trap_raise(struct ibport *p, enum trap_kind kind)
{
	struct trap *t = &p->trap[kind];

	if (!trap_allowed(p))
		return NULL;
	memset(t->notice, 0, sizeof(t->notice));
	t->notice[N_TYPE] = GENERIC | kinds[kind].type;
	t->notice[N_PRODUCER + 2] = p->node->type;
	put16(t->notice + N_NUMBER, kinds[kind].number);
	put16(t->notice + N_ISSUER, p->lid);
	if (!t->active) {
		t->active = true;
		t->tid = p->next_tid++;
		if (!timer_armed(&p->trap_timer))
			timer_arm(&p->trap_timer, 0);
	}
	return t->notice + N_DETAILS;
}

/* Trap 144: the capability mask or the node description has changed. */
void trap_cap_mask(struct ibport *p, bool node_desc)
{
	u8 *d;

	if (!(p->cap_mask & CAP_MASK_NOTICE))
		return;
	d = trap_raise(p, TRAP_CAP_MASK);
	if (!d)
		return;
	put16(d + 2, p->lid);
	d[5] = node_desc; /* OtherLocalChanges: the flags at 11 are valid */
	put32(d + 6, p->cap_mask);
	d[11] = node_desc ? 1 : 0;
}

/* Trap 256: wrong M_Key. It is not sent if the source is unknown. */
void trap_bad_mkey(struct ibport *p, const struct mad_source *src, const u8 *mad)
{
	unsigned int hops = mad[MAD_HOP_CNT];
	u8 *d;

	if (!src->known)
		return;
	d = trap_raise(p, TRAP_MKEY);
	if (!d)
		return;
	put16(d + 2, src->slid);
	d[6] = mad[MAD_METHOD];
	memcpy(d + 8, mad + MAD_ATTR, 2);
	memcpy(d + 10, mad + MAD_MOD, 4);
	memcpy(d + 14, mad + MAD_MKEY, 8);
	if (mad[MAD_CLASS] != CLASS_SUBN_DIRECTED)
		return;
	memcpy(d + 4, mad + MAD_DR_SLID, 2);
	d[23] = 0x80 | (hops > 30 ? 0x40 : 0) | (hops & 0x3f);
	memcpy(d + 24, mad + MAD_RETURN_PATH + 1, 30);
}

/* Copies the GIDs of a packet, or zeros if it has no GRH. Returns its BTH. */
static const u8 *copy_gids(u8 *d, const u8 *headers)
{
	if ((headers[1] & 3) != 3)
		return headers + 8;
	memcpy(d, headers + 16, 32);
	return headers + 48;
}

/* Traps 257 (P_Key) and 258 (Q_Key): wrong key, with source and destination of the packet. */
void trap_bad_key(struct ibport *p, enum trap_kind kind, const u8 *headers)
{
	u8 *d = headers ? trap_raise(p, kind) : NULL;
	const u8 *bth;

	if (!d)
		return;
	put16(d + 2, get16(headers + 6));
	put16(d + 4, get16(headers + 2));
	bth = copy_gids(d + 18, headers);
	put32(d + 6, kind == TRAP_PKEY ? get16(bth + 2) : get32(bth + 12));
	put32(d + 10, (u32)(headers[1] >> 4) << 28);
	if (bth[0] >> 5 == 3) /* only UD packets contain the sending QP */
		put32(d + 10, get32(d + 10) | (get32(bth + 16) & 0xffffff));
	put32(d + 14, get32(bth + 4) & 0xffffff);
}

/* Trap 128: the state of a port of this switch has changed. */
void trap_link_state(struct ibport *p)
{
	u8 *d = trap_raise(p, TRAP_LINK_STATE);

	if (d)
		put16(d, p->lid);
}

/* Finds the trap by its transaction ID. New contents do not change the ID of an active trap. */
void trap_repress(struct ibport *p, const u8 *mad)
{
	u64 tid = get64(mad + MAD_TID);
	unsigned int i;

	for (i = 0; i < TRAP_KINDS; i++)
		if (p->trap[i].active && p->trap[i].tid == tid)
			p->trap[i].active = false;
}
