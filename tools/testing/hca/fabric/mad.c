// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Checks that all management classes share: versions, methods, the M_Key. */
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"

#define MAD_VERSION 1

#define ATTR_PORT_INFO 0x15

/* A switch has one M_Key, which is that of its management port. */
static struct ibport *key_port(struct ibport *p)
{
	return p->node->type == NODE_SWITCH ? &p->node->port[0] : p;
}

static bool mkey_matches(const struct ibport *p, const struct mad_source *src, const u8 *mad)
{
	return src->ignore_mkey || !p->mkey || get64(mad + MAD_MKEY) == p->mkey;
}

static void mkey_violated(struct ibport *p, const struct mad_source *src, const u8 *mad)
{
	if (p->mkey_violations != 0xffff)
		p->mkey_violations++;
	if (p->mkey_lease && !timer_armed(&p->lease_timer))
		timer_arm(&p->lease_timer, p->mkey_lease * 1000000000ULL);
	trap_bad_mkey(p, src, mad);
}

/*
 * With a wrong M_Key only a Get is allowed, and only while the protect bits are below 2
 * (IBTA 14.2.4). The lease period runs from the first violation to the next request with the right
 * key.
 */
static bool mkey_admits(struct ibport *p, const struct mad_source *src, const u8 *mad)
{
	if (mkey_matches(p, src, mad)) {
		timer_cancel(&p->lease_timer);
		return true;
	}
	if (mad[MAD_METHOD] == METHOD_GET && p->mkey_protect < 2)
		return true;
	mkey_violated(p, src, mad);
	return false;
}

/*
 * Sets method and status of a reply. The D bit of a directed route is set by the driver
 * (tavor-hw 17.1) or by the switch.
 */
static enum mad_result reply(u8 *out, u16 status)
{
	out[MAD_METHOD] = METHOD_GET | METHOD_RESP;
	put16(out + MAD_STATUS, status);
	return MAD_REPLY;
}

/*
 * PortInfo of another port of the HCA is also protected by the M_Key of that port: each port may be
 * in its own subnet, with subnet managers that do not trust each other.
 */
static enum mad_result subn_process(struct ibport *p, const struct mad_source *src, const u8 *in,
				    u8 *out)
{
	struct ibport *key = key_port(p), *target = NULL;

	if (get16(in + MAD_ATTR) == ATTR_PORT_INFO && p->node->type == NODE_CA)
		target = ibport_target(p, get32(in + MAD_MOD));
	if (!mkey_admits(key, src, in) || (target && target != p && !mkey_admits(target, src, in)))
		return MAD_DROP;
	switch (in[MAD_METHOD]) {
	case METHOD_REPRESS:
		trap_repress(key, in);
		return MAD_NO_REPLY;
	case METHOD_GET:
	case METHOD_SET:
		if (target)
			key = target;
		return reply(out,
			     sma_process(p, out, !key->mkey_protect || mkey_matches(key, src, in)));
	default:
		return reply(out, MAD_BAD_METHOD);
	}
}

static enum mad_result perf_process(struct ibport *p, const u8 *in, u8 *out)
{
	if (in[MAD_METHOD] != METHOD_GET && in[MAD_METHOD] != METHOD_SET)
		return reply(out, MAD_BAD_METHOD);
	return reply(out, pma_process(p, out));
}

enum mad_result mad_process(struct ibport *p, const struct mad_source *src, const u8 *in, u8 *out)
{
	u8 class = in[MAD_CLASS], method = in[MAD_METHOD];

	memcpy(out, in, MAD_SIZE);
	if ((method & METHOD_RESP) || method == METHOD_TRAP)
		return MAD_DROP; /* this node neither waits for responses nor receives traps */
	if (in[MAD_BASE_VERSION] != MAD_VERSION || in[MAD_CLASS_VERSION] != MAD_VERSION)
		return reply(out, MAD_BAD_VERSION);
	switch (class) {
	case CLASS_SUBN_LID:
	case CLASS_SUBN_DIRECTED:
		return subn_process(p, src, in, out);
	case CLASS_PERF:
		return perf_process(p, in, out);
	default:
		return reply(out, MAD_BAD_ATTR);
	}
}
