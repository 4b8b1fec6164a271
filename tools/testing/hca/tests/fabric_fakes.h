/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Stand-ins for the layers below and above the fabric: one or two HCAs with ports, memory for the
 * multicast table, options from a table, and a record of violations, events and received packets.
 * Each test program of the fabric includes this file once.
 */
#ifndef HCA_TESTS_FABRIC_FAKES_H
#define HCA_TESTS_FABRIC_FAKES_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/bytes.h"
#include "core/options.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/fault.h"
#include "device/queues.h"
#include "fabric/packet.h"
#include "fabric/port.h"
#include "fabric/switch.h"
#include "fabric/wire.h"
#include "tap.h"

#define FAKE_HCAS 3
#define FAKE_DDR_BASE 0x10000000ULL
#define FAKE_DDR_SIZE (64u * 256u)
#define FAKE_RX 256

struct hca {
	int number;
	void *part[PART_COUNT];
};

struct fake_event {
	int type, subtype;
	u32 data[7];
};

struct fake_rx {
	int hca, port;
	bool from_fw;
	u32 len;
	u8 data[512];
};

static struct hca fake_hca[FAKE_HCAS];
static int fake_hcas;
static struct hca_profile fake_profile;
static u8 fake_ddr[FAKE_DDR_SIZE];
static bool fake_running, fake_is_dead, fake_is_hung;
static unsigned int fake_violations[RULE_COUNT];
static struct fake_event fake_event[FAKE_RX];
static unsigned int fake_events;
static struct fake_rx fake_rx[FAKE_RX];
static unsigned int fake_rxs;
/* If set, fake_receive() counts such a violation for each packet: 'p' P_Key, 'q' Q_Key */
static char fake_key_violation;
static const char *fake_cable, *fake_unplug, *fake_wire_fault, *fake_device;
static u64 fake_ports, fake_node_guid, fake_random;

/* --- functions that the fabric calls --- */

void *hca_part(const struct hca *h, enum hca_part part)
{
	return h->part[part];
}

void hca_set_part(struct hca *h, enum hca_part part, void *state)
{
	h->part[part] = state;
}

int hca_number(const struct hca *h)
{
	return h->number;
}

struct hca *hca_by_number(int n)
{
	return n >= 0 && n < fake_hcas ? &fake_hca[n] : NULL;
}

bool hca_running(const struct hca *h)
{
	return fake_running;
}

bool hca_dead(const struct hca *h)
{
	return fake_is_dead;
}

bool cmd_hung(const struct hca *h)
{
	return fake_is_hung;
}

const struct hca_profile *hca_profile(const struct hca *h)
{
	return &fake_profile;
}

u8 *ddr_ptr(struct hca *h, u64 addr, size_t len)
{
	if (addr < FAKE_DDR_BASE || addr - FAKE_DDR_BASE + len > FAKE_DDR_SIZE)
		return NULL;
	return fake_ddr + (addr - FAKE_DDR_BASE);
}

void violation(struct hca *h, enum hca_rule rule, const char *object, const char *fmt, ...)
{
	fake_violations[rule]++;
}

void hca_log(struct hca *h, const char *fmt, ...)
{
}

void count(struct hca *h, const char *name)
{
}

u64 opt_u64(const struct hca *h, const char *key)
{
	if (!strcmp(key, "ports"))
		return fake_ports;
	if (!strcmp(key, "node_guid"))
		return fake_node_guid;
	if (!strcmp(key, "log_pkeys"))
		return 6;
	if (!strcmp(key, "port_caps"))
		return 0x02400a68;
	if (!strcmp(key, "switch_ports"))
		return 8;
	if (!strcmp(key, "link_train"))
		return 0;
	fprintf(stderr, "fake: option %s?\n", key);
	abort();
}

const char *opt_str(const struct hca *h, const char *key)
{
	if (!strcmp(key, "cable"))
		return fake_cable;
	if (!strcmp(key, "unplug"))
		return fake_unplug;
	if (!strcmp(key, "packet_fault"))
		return fake_wire_fault;
	if (!strcmp(key, "device"))
		return fake_device;
	fprintf(stderr, "fake: option %s?\n", key);
	abort();
}

bool opt_number(const char *text, u64 *value)
{
	char *end;

	*value = strtoull(text, &end, 0);
	return end != text && !*end;
}

u64 hca_random(struct hca *h)
{
	fake_random = fake_random * 6364136223846793005u + 1442695040888963407u;
	return fake_random >> 16;
}

bool hca_chance(struct hca *h, double probability)
{
	return probability >= 1 || (hca_random(h) & 0xffff) / 65536.0 < probability;
}

void eq_async(struct hca *h, enum hca_event type, u8 subtype, const u32 data[7])
{
	struct fake_event *e = &fake_event[fake_events++ % FAKE_RX];

	e->type = type;
	e->subtype = subtype;
	memcpy(e->data, data, sizeof(e->data));
}

static void fake_receive(struct hca *h, int port, struct packet *p, bool from_fw)
{
	struct fake_rx *r = &fake_rx[fake_rxs++ % FAKE_RX];

	r->hca = h->number;
	r->port = port;
	r->from_fw = from_fw;
	r->len = p->len;
	memcpy(r->data, p->data, p->len < sizeof(r->data) ? p->len : sizeof(r->data));
	packet_put(p);
	if (fake_key_violation == 'p')
		port_count_pkey_violation(h, port);
	else if (fake_key_violation == 'q')
		port_count_qkey_violation(h, port);
}

/* --- bring-up --- */

static inline void settle(void)
{
	int i;

	for (i = 0; i < 50; i++)
		loop_turn(false);
}

/* Waits for events in real time: links that train, other processes. */
static inline void wait_for(bool (*done)(void))
{
	struct timespec nap = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < 2000 && !done(); i++) {
		loop_turn(false);
		nanosleep(&nap, NULL);
	}
}

static inline struct hca *fabric_fail(const char *what)
{
	printf("# set-up failed: %s\n", what);
	tap_ok = false;
	return NULL;
}

/* Creates @n HCAs in power-on state. */
static inline struct hca *fabric_up(int n, const char *cable)
{
	int i;

	wire_delete_all();
	for (i = 0; i < FAKE_HCAS; i++) {
		if (fake_hca[i].part[PART_PORT])
			ibnode_free(fake_hca[i].part[PART_PORT]);
		wirefault_delete(&fake_hca[i]);
		memset(&fake_hca[i], 0, sizeof(fake_hca[i]));
		fake_hca[i].number = i;
	}
	memset(fake_violations, 0, sizeof(fake_violations));
	memset(fake_ddr, 0, sizeof(fake_ddr));
	fake_events = 0;
	fake_rxs = 0;
	fake_key_violation = 0;
	fake_running = true;
	fake_is_dead = false;
	fake_is_hung = false;
	fake_cable = cable;
	fake_unplug = "";
	fake_wire_fault = "";
	fake_device = "mt23108";
	fake_ports = 2;
	fake_node_guid = 0;
	fake_random = 1;
	memset(&fake_profile, 0, sizeof(fake_profile));
	fake_profile.mc_base = FAKE_DDR_BASE;
	fake_profile.log_mc_entry = 8;
	fake_profile.log_mcgs = 6;
	fake_profile.mc_hash_size = 32;
	fake_hcas = n;
	port_set_receiver(fake_receive);
	for (i = 0; i < n; i++)
		if (port_new(&fake_hca[i]) || mcast_new(&fake_hca[i]))
			return fabric_fail("port_new");
	if (wire_new_all())
		return fabric_fail("wire_new_all");
	wirefault_changed();
	settle();
	return &fake_hca[0];
}

static inline u8 run_cmd(struct hca *h, const struct cmd_desc *table, u16 opcode, struct cmd *c)
{
	for (; table->name; table++) {
		if (table->opcode != opcode)
			continue;
		c->opcode = opcode;
		c->name = table->name;
		return table->op_mods >> c->op_mod & 1 ? table->run(h, c) : CMD_BAD_OP;
	}
	return CMD_BAD_OP;
}

static inline u8 init_ib(struct hca *h, unsigned int port)
{
	struct cmd c = { .in_mod = port };

	put32(c.in, 4u << 12 | 3u << 8 | 8u << 4);
	put16(c.in + 6, 32);
	put16(c.in + 10, 64);
	return run_cmd(h, port_cmds, 0x09, &c);
}

static inline u8 close_ib(struct hca *h, unsigned int port)
{
	struct cmd c = { .in_mod = port };

	return run_cmd(h, port_cmds, 0x0a, &c);
}

/* --- management datagrams through MAD_IFC --- */

#define T_CLASS_LID 0x01
#define T_GET 1
#define T_SET 2

static u8 mad_in[256], mad_out[256];

static inline void mad_fill(u8 class, u8 method, u16 attr, u32 mod)
{
	memset(mad_in, 0, sizeof(mad_in));
	mad_in[0] = 1;
	mad_in[1] = class;
	mad_in[2] = 1;
	mad_in[3] = method;
	put64(mad_in + MAD_TID, 0x1234);
	put16(mad_in + MAD_ATTR, attr);
	put32(mad_in + MAD_MOD, mod);
}

/* Returns the status of the command. mad_status() returns the status of the MAD. */
static inline u8 mad_send(struct hca *h, unsigned int port, u8 op_mod)
{
	static struct cmd c;
	u8 status;

	memset(&c, 0, sizeof(c));
	c.op_mod = op_mod;
	c.in_mod = port | 7u << 16;
	memcpy(c.in, mad_in, sizeof(mad_in));
	put32(c.in + 0x108, 1);
	put16(c.in + 0x10e, 7);
	status = run_cmd(h, port_cmds, 0x24, &c);
	memcpy(mad_out, c.out, sizeof(mad_out));
	return status;
}

static inline u16 mad_status(void)
{
	return get16(mad_out + MAD_STATUS);
}

/*
 * Sends a Get or Set of an SMP from the wire. Returns the MAD status, or 0xff00 + command status.
 */
static inline u16 smp(struct hca *h, unsigned int port, u8 method, u16 attr, u32 mod)
{
	u8 data[64], status;
	u64 key = get64(mad_in + MAD_MKEY);

	memcpy(data, mad_in + MAD_DATA, sizeof(data));
	mad_fill(T_CLASS_LID, method, attr, mod);
	put64(mad_in + MAD_MKEY, key);
	if (method == T_SET)
		memcpy(mad_in + MAD_DATA, data, sizeof(data));
	status = mad_send(h, port, 4);
	return status ? 0xff00 + status : mad_status();
}

/* Makes the reply of the last Get the data of the next Set. */
static inline u8 *data_from_reply(void)
{
	memcpy(mad_in + MAD_DATA, mad_out + MAD_DATA, 64);
	return mad_in + MAD_DATA;
}

/* Sets LID and SM LID, and brings the port to a state. */
static inline void port_bring(struct hca *h, unsigned int port, u16 lid, u8 state)
{
	u8 *d;

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(smp(h, port, T_GET, 0x15, port), 0);
	d = data_from_reply();
	put16(d + 16, lid);
	put16(d + 18, 1);
	d[32] = d[32] & 0xf0;
	d[33] &= 0x0f;
	if (state >= PORT_ARMED) {
		d[32] |= PORT_ARMED;
		CHECK_EQ(smp(h, port, T_SET, 0x15, port), 0);
		d = data_from_reply();
		d[32] &= 0xf0;
		d[33] &= 0x0f;
	}
	if (state == PORT_ACTIVE)
		d[32] |= PORT_ACTIVE;
	CHECK_EQ(smp(h, port, T_SET, 0x15, port), 0);
}

/* Creates HCA 0 with a cable between its ports, both active, with LIDs 1 and 2. */
static inline struct hca *fabric_active(void)
{
	struct hca *h = fabric_up(1, "self");

	init_ib(h, 1);
	init_ib(h, 2);
	settle();
	port_bring(h, 1, 1, PORT_ACTIVE);
	port_bring(h, 2, 2, PORT_ACTIVE);
	return h;
}

/* Creates a UD packet without GRH. */
static inline struct packet *ud_packet(u8 vl, u16 dlid, u16 slid, u32 dqpn, u32 payload)
{
	struct packet *p = packet_alloc();
	struct lrh lrh = { .vl = vl, .dlid = dlid, .slid = slid };
	struct bth bth = { .opcode = 0x64, .pkey = 0xffff, .dqpn = dqpn };
	u8 *at = put_bth(put_lrh(p->data, &lrh), &bth);

	put32(at, 0x11111111);
	put32(at + 4, 0x77);
	memset(at + 8, 0xa5, payload);
	packet_seal(p, at + 8 + payload);
	return p;
}

#endif
