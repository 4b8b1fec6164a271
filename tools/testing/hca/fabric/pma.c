// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The performance management agent (IBTA 16.1): port counters and samples. */
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"

#define CAP_ALL_PORT_SELECT 0x0100
#define ALL_PORTS 0xff
#define RESP_TIME 18
#define TICK_NS 1000u /* duration of a sample tick */

enum {
	ATTR_CLASS_PORT_INFO = 0x01,
	ATTR_SAMPLES_CONTROL = 0x10,
	ATTR_SAMPLES_RESULT = 0x11,
	ATTR_COUNTERS = 0x12
};

/* Offsets in PortSamplesControl */
enum {
	SC_PORT = 1,
	SC_TICK = 2,
	SC_WIDTH = 3,
	SC_MASK_0_9 = 4,
	SC_MASK_10_14 = 8,
	SC_STATUS = 11,
	SC_START = 28,
	SC_INTERVAL = 32,
	SC_TAG = 36,
	SC_SELECT = 38,
};

enum { SAMPLE_DONE = 0, SAMPLE_RUNNING = 1, SAMPLE_WAITING = 2 };

/* The position of each counter in PortCounters: byte offset, width, and shift in the byte */
static const struct {
	u8 offset, bits, shift;
} layout[CNT_COUNT] = {
	[CNT_SYMBOL] = { 4, 16, 0 },	     [CNT_RECOVERY] = { 6, 8, 0 },
	[CNT_DOWNED] = { 7, 8, 0 },	     [CNT_RCV_ERR] = { 8, 16, 0 },
	[CNT_RCV_REMOTE] = { 10, 16, 0 },    [CNT_RCV_RELAY] = { 12, 16, 0 },
	[CNT_XMIT_DISCARD] = { 14, 16, 0 },  [CNT_XMIT_CONSTRAINT] = { 16, 8, 0 },
	[CNT_RCV_CONSTRAINT] = { 17, 8, 0 }, [CNT_INTEGRITY] = { 19, 4, 4 },
	[CNT_OVERRUN] = { 19, 4, 0 },	     [CNT_VL15_DROPPED] = { 22, 16, 0 },
	[CNT_XMIT_DATA] = { 24, 32, 0 },     [CNT_RCV_DATA] = { 28, 32, 0 },
	[CNT_XMIT_PKTS] = { 32, 32, 0 },     [CNT_RCV_PKTS] = { 36, 32, 0 },
	[CNT_XMIT_WAIT] = { 40, 32, 0 },
};

static u64 max_value(unsigned int bits)
{
	return ((u64)1 << bits) - 1;
}

static u32 read_field(const u8 *d, enum port_counter c)
{
	switch (layout[c].bits) {
	case 32:
		return get32(d + layout[c].offset);
	case 16:
		return get16(d + layout[c].offset);
	default:
		return d[layout[c].offset] >> layout[c].shift & max_value(layout[c].bits);
	}
}

/* A counter stops at its maximum (IBTA 16.1.3.5). */
static void write_field(u8 *d, enum port_counter c, u64 value)
{
	u64 max = max_value(layout[c].bits);
	u32 v = value > max ? max : value;

	switch (layout[c].bits) {
	case 32:
		put32(d + layout[c].offset, v);
		break;
	case 16:
		put16(d + layout[c].offset, v);
		break;
	default:
		d[layout[c].offset] |= v << layout[c].shift;
	}
}

static bool selects(const u8 *d, const struct ibport *p)
{
	return d[1] == ALL_PORTS ? p->num || p->node->type == NODE_SWITCH : d[1] == p->num;
}

static bool port_ok(const struct ibport *p, u8 port)
{
	return port == ALL_PORTS ||
	       (port <= p->node->num_ports && (port || p->node->type == NODE_SWITCH));
}

/* A request for all ports (AllPortSelect) returns the sum of their counters. */
static void counters_get(const struct ibnode *node, u8 *d)
{
	u64 sum[CNT_COUNT] = { 0 };
	u16 select = get16(d + 2);
	unsigned int i, c;

	for (i = 0; i <= node->num_ports; i++)
		for (c = 0; selects(d, &node->port[i]) && c < CNT_COUNT; c++)
			sum[c] += node->port[i].counter[c];
	memset(d + 4, 0, 60);
	put16(d + 2, select);
	for (c = 0; c < CNT_COUNT; c++)
		write_field(d, c, sum[c]);
}

static bool is_selected(const u8 *d, unsigned int c)
{
	return c == CNT_XMIT_WAIT ? d[18] & 1 : get16(d + 2) >> c & 1;
}

static void counters_set(struct ibnode *node, const u8 *d)
{
	unsigned int i, c;

	for (i = 0; i <= node->num_ports; i++)
		for (c = 0; selects(d, &node->port[i]) && c < CNT_COUNT; c++)
			if (is_selected(d, c))
				node->port[i].counter[c] = read_field(d, c);
}

static u16 counters(struct ibport *p, u8 *d, bool set)
{
	if (!port_ok(p, d[1]))
		return MAD_BAD_VALUE;
	if (set)
		counters_set(p->node, d);
	counters_get(p->node, d);
	return MAD_OK;
}

static u16 class_port_info(u8 *d)
{
	memset(d, 0, 64);
	d[0] = 1;
	d[1] = 1;
	put16(d + 2, CAP_ALL_PORT_SELECT);
	d[7] = RESP_TIME;
	return MAD_OK;
}

/* --- samples --- */

/* A sample can select five counters (IBTA). Any other selection counts nothing. */
static u64 sample_value(const struct ibport *p, u16 select)
{
	static const u8 of[] = { [1] = CNT_XMIT_DATA,
				 [2] = CNT_RCV_DATA,
				 [3] = CNT_XMIT_PKTS,
				 [4] = CNT_RCV_PKTS,
				 [5] = CNT_XMIT_WAIT };

	return select >= 1 && select <= 5 ? p->counter[of[select]] : 0;
}

/* If a counter was cleared during the sample, its new value is the result. */
static void sample_end(struct ibport *p)
{
	struct sampler *s = &p->sampler;
	unsigned int i;

	for (i = 0; i < 15; i++) {
		u64 now = sample_value(p, s->select[i]);
		u64 delta = now >= s->base[i] ? now - s->base[i] : now;

		s->result[i] = delta > UINT32_MAX ? UINT32_MAX : delta;
	}
	s->status = SAMPLE_DONE;
}

/* Expires twice: when the sample starts and when it ends. */
static void sample_timer(struct hca_timer *t)
{
	struct ibport *p = container_of(t, struct ibport, sampler.timer);
	struct sampler *s = &p->sampler;
	unsigned int i;

	if (s->status == SAMPLE_RUNNING) {
		sample_end(p);
		return;
	}
	for (i = 0; i < 15; i++)
		s->base[i] = sample_value(p, s->select[i]);
	s->status = SAMPLE_RUNNING;
	timer_arm(&s->timer, (u64)s->interval * TICK_NS);
}

void pma_reset(struct ibport *p)
{
	timer_cancel(&p->sampler.timer);
	memset(&p->sampler, 0, sizeof(p->sampler));
	timer_setup(&p->sampler.timer, sample_timer);
}

/* A Set during a sample has no effect (IBTA 16.1.3.2). */
static void samples_set(struct sampler *s, const u8 *d)
{
	unsigned int i;

	if (s->status != SAMPLE_DONE)
		return;
	s->start = get32(d + SC_START);
	s->interval = get32(d + SC_INTERVAL);
	s->tag = get16(d + SC_TAG);
	for (i = 0; i < 15; i++)
		s->select[i] = get16(d + SC_SELECT + 2 * i);
	s->status = SAMPLE_WAITING;
	timer_arm(&s->timer, (u64)s->start * TICK_NS);
}

static void samples_get(const struct sampler *s, u8 *d)
{
	u8 port = d[SC_PORT];
	unsigned int i;

	memset(d, 0, 128);
	d[SC_PORT] = port;
	d[SC_TICK] = 1;
	d[SC_WIDTH] = 4; /* 32 bits */
	put32(d + SC_MASK_0_9, 0x09249249);
	put16(d + SC_MASK_10_14, 0x4924);
	d[SC_STATUS] = s->status;
	put32(d + SC_START, s->start);
	put32(d + SC_INTERVAL, s->interval);
	put16(d + SC_TAG, s->tag);
	for (i = 0; i < 15; i++)
		put16(d + SC_SELECT + 2 * i, s->select[i]);
}

static u16 samples_control(struct ibport *p, u8 *d, bool set)
{
	u8 port = d[SC_PORT];

	if (port == ALL_PORTS || !port_ok(p, port))
		return MAD_BAD_VALUE;
	if (set)
		samples_set(&p->node->port[port].sampler, d);
	samples_get(&p->node->port[port].sampler, d);
	return MAD_OK;
}

/* The request names no port, so the result is that of the port of arrival. */
static u16 samples_result(const struct ibport *p, u8 *d)
{
	unsigned int i;

	memset(d, 0, 64);
	put16(d, p->sampler.tag);
	put16(d + 2, p->sampler.status);
	for (i = 0; i < 15; i++)
		put32(d + 4 + 4 * i, p->sampler.result[i]);
	return MAD_OK;
}

u16 pma_process(struct ibport *p, u8 *out)
{
	bool set = out[MAD_METHOD] == METHOD_SET;
	u8 *d = out + MAD_DATA;

	switch (get16(out + MAD_ATTR)) {
	case ATTR_CLASS_PORT_INFO:
		return set ? MAD_BAD_ATTR : class_port_info(d);
	case ATTR_SAMPLES_CONTROL:
		return samples_control(p, d, set);
	case ATTR_SAMPLES_RESULT:
		return set ? MAD_BAD_ATTR : samples_result(p, d);
	case ATTR_COUNTERS:
		return counters(p, d, set);
	default:
		return MAD_BAD_ATTR;
	}
}
