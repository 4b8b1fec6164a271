// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Faults of packets on the way from an HCA's port, over its cable or back to the same port:
 *
 *	ACTION[,port=N][,op=BTH OPCODE][,vl=N][,dlid=N][,qp=N][,after=N][,count=N][,prob=P][,time=T]
 *
 *	drop	the packet is lost
 *	dup	it arrives twice
 *	delay	it arrives @time later
 *	reorder	it arrives after the next packet, or @time later
 *	corrupt	a bit flips: the next port finds a bad VCRC, counts an error and drops it
 *	damage	a bit flips inside a switch: VCRC good, ICRC bad, for the transport to find
 *
 * The first fault that matches is used. Random choices use the HCA's seeded generator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/options.h"
#include "device/fault.h"
#include "fabric/packet.h"
#include "fabric/wire.h"

#define MAX_FAULTS 32u
#define DEFAULT_TIME 100000u
#define ANY (-1)

enum action { DROP, DUP, DELAY, REORDER, CORRUPT, DAMAGE, ACTIONS };

static const char *const action_names[ACTIONS] = {
	[DROP] = "drop",       [DUP] = "dup",	      [DELAY] = "delay",
	[REORDER] = "reorder", [CORRUPT] = "corrupt", [DAMAGE] = "damage",
};

/* The packets that a fault matches (ANY: all), how often it is applied, and its counters. */
struct wire_fault {
	char spec[257];
	enum action action;
	int64_t port, op, vl, dlid, qp;
	u64 after, count, time;
	double prob;
	u64 seen, hits;
};

/* A packet that is delayed, or waits for the next packet */
struct held {
	struct held *next;
	struct ibport *port;
	struct packet *pkt;
	bool reorder;
	struct hca_timer timer;
};

struct wire_state {
	unsigned int n;
	struct wire_fault fault[MAX_FAULTS];
	struct held *held;
};

/* --- parsing --- */

static bool set_match(int64_t *field, const char *value)
{
	u64 v;

	if (!opt_number(value, &v) || v > 0xffffff)
		return false;
	*field = v;
	return true;
}

static bool set_prob(double *prob, const char *value)
{
	char *end;

	*prob = strtod(value, &end);
	return end != value && !*end && *prob >= 0 && *prob <= 1;
}

static bool set_field(struct wire_fault *f, const char *key, const char *value)
{
	if (!strcmp(key, "port"))
		return set_match(&f->port, value);
	if (!strcmp(key, "op"))
		return set_match(&f->op, value);
	if (!strcmp(key, "vl"))
		return set_match(&f->vl, value);
	if (!strcmp(key, "dlid"))
		return set_match(&f->dlid, value);
	if (!strcmp(key, "qp"))
		return set_match(&f->qp, value);
	if (!strcmp(key, "after"))
		return opt_number(value, &f->after);
	if (!strcmp(key, "count"))
		return opt_number(value, &f->count);
	if (!strcmp(key, "time"))
		return opt_number(value, &f->time);
	return !strcmp(key, "prob") && set_prob(&f->prob, value);
}

static bool set_action(struct wire_fault *f, const char *name)
{
	unsigned int i;

	for (i = 0; i < ACTIONS; i++) {
		if (!strcmp(action_names[i], name)) {
			f->action = i;
			return true;
		}
	}
	return false;
}

static int refuse(char *why, const char *what, const char *word)
{
	snprintf(why, OPT_WHY, "\"%.80s\": %s", word, what);
	return -1;
}

static int parse_fault(struct wire_fault *f, const char *spec, char *why)
{
	char text[257], *word, *rest, *value;

	*f = (struct wire_fault){ .port = ANY,
				  .op = ANY,
				  .vl = ANY,
				  .dlid = ANY,
				  .qp = ANY,
				  .time = DEFAULT_TIME,
				  .prob = 1 };
	if (snprintf(text, sizeof(text), "%s", spec) >= (int)sizeof(text))
		return refuse(why, "too long", spec);
	memcpy(f->spec, text, sizeof(text));
	word = strtok_r(text, ",", &rest);
	if (!word || !set_action(f, word))
		return refuse(why, "is not drop, dup, delay, reorder, corrupt or damage",
			      word ? word : "");
	while ((word = strtok_r(NULL, ",", &rest))) {
		value = strchr(word, '=');
		if (!value)
			return refuse(why, "is not field=value", word);
		*value++ = 0;
		if (!set_field(f, word, value))
			return refuse(why, "unknown field, or its value makes no sense", word);
	}
	return 0;
}

/* --- the list of faults, as the option sets it --- */

static unsigned int generation = 1; /* number of changes of the option of any HCA */

int wirefault_check(const char *spec, char *why)
{
	struct wire_fault f;

	return parse_fault(&f, spec, why);
}

void wirefault_changed(void)
{
	generation++;
}

static struct wire_state *state_of(struct hca *h)
{
	struct wire_state *s = hca_part(h, PART_WIRE);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s) {
		fprintf(stderr, "tavor-hca: out of memory for wire faults\n");
		exit(1);
	}
	hca_set_part(h, PART_WIRE, s);
	return s;
}

/* Faults that stay in the list keep their counters. */
static void load(struct wire_state *s, const char *list)
{
	char text[MAX_FAULTS * 257], why[OPT_WHY], *item, *rest;
	unsigned int n = 0;

	snprintf(text, sizeof(text), "%s", list);
	for (item = strtok_r(text, ";", &rest); item && n < MAX_FAULTS;
	     item = strtok_r(NULL, ";", &rest)) {
		if (n >= s->n || strcmp(s->fault[n].spec, item))
			parse_fault(&s->fault[n], item, why);
		n++;
	}
	s->n = n;
}

static bool wirefault_active(struct hca *h)
{
	static unsigned int seen[16];
	unsigned int n = (unsigned int)hca_number(h) % 16;
	struct wire_state *s = hca_part(h, PART_WIRE);

	if (seen[n] != generation) {
		seen[n] = generation;
		s = state_of(h);
		load(s, opt_str(h, "packet_fault"));
	}
	return s && (s->n || s->held);
}

/* --- packets that a fault delays --- */

/* Removes a packet from the list, and sends it, or frees it with the HCA. */
static void release(struct wire_state *s, struct held *held, bool send)
{
	struct held **at = &s->held;

	while (*at != held)
		at = &(*at)->next;
	*at = held->next;
	timer_cancel(&held->timer);
	if (send)
		wire_transmit(held->port, held->pkt);
	else
		packet_put(held->pkt);
	free(held);
}

static void hold_timer(struct hca_timer *t)
{
	struct held *held = container_of(t, struct held, timer);

	release(state_of(held->port->node->h), held, true);
}

static void hold(struct wire_state *s, struct ibport *p, struct packet *pkt, u64 time, bool reorder)
{
	struct held *held = calloc(1, sizeof(*held));

	if (!held) {
		packet_put(pkt);
		return;
	}
	held->port = p;
	held->pkt = pkt;
	held->reorder = reorder;
	timer_setup(&held->timer, hold_timer);
	held->next = s->held;
	s->held = held;
	timer_arm(&held->timer, time);
}

/* Sends the packets that waited for the next packet of this port. */
static void release_overtaken(struct wire_state *s, const struct ibport *p)
{
	struct held *held = s->held, *next;

	for (; held; held = next) {
		next = held->next;
		if (held->reorder && held->port == p)
			release(s, held, true);
	}
}

void wirefault_delete(struct hca *h)
{
	struct wire_state *s = hca_part(h, PART_WIRE);

	if (!s)
		return;
	while (s->held)
		release(s, s->held, false);
	free(s);
	hca_set_part(h, PART_WIRE, NULL);
}

/* --- the faults --- */

static bool is_match(int64_t want, u32 value)
{
	return want == ANY || want == value;
}

static bool matches(const struct wire_fault *f, const struct ibport *p, const struct packet *pkt)
{
	const u8 *d = pkt->data, *bth = d + ((d[1] & 3) == 3 ? LRH_LEN + GRH_LEN : LRH_LEN);

	return is_match(f->port, p->num) && is_match(f->vl, d[0] >> 4) &&
	       is_match(f->dlid, get16(d + 2)) && is_match(f->op, bth[0]) &&
	       is_match(f->qp, get32(bth + 4) & QPN_MASK);
}

/*
 * @after and @count count matching packets before @prob is applied, so that "the third packet to QP
 * 5" does not depend on a random number.
 */
static struct wire_fault *choose(struct wire_state *s, const struct ibport *p,
				 const struct packet *pkt)
{
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		struct wire_fault *f = &s->fault[i];

		if (!matches(f, p, pkt) || f->seen++ < f->after ||
		    (f->count && f->hits >= f->count))
			continue;
		if (!hca_chance(p->node->h, f->prob))
			continue;
		f->hits++;
		return f;
	}
	return NULL;
}

/* Never changes the LRH: a switch that damages the LRH loses the packet, which is "drop". */
static void flip_bit(struct hca *h, struct packet *pkt, u32 from)
{
	u64 r = hca_random(h);

	pkt->data[from + r % (pkt->len - from)] ^= 1u << (r >> 32 & 7);
}

/* A flipped bit is always found by the VCRC, so only the counters of the receiving port change. */
static void corrupt(struct ibport *p, struct packet *pkt)
{
	struct ibport *peer = wire_loops(p, pkt) ? p : wire_peer(p);

	if (peer && peer->state != PORT_DOWN) {
		ibport_count(peer, CNT_RCV_ERR, 1);
		ibport_count(peer, CNT_SYMBOL, 1);
	}
	packet_put(pkt);
}

void wirefault_send(struct ibport *p, struct packet *pkt)
{
	struct wire_state *s;
	struct wire_fault *f;

	if (!wirefault_active(p->node->h)) {
		wire_transmit(p, pkt);
		return;
	}
	s = state_of(p->node->h);
	f = choose(s, p, pkt);
	if (f)
		count(p->node->h, "wire-fault");
	switch (f ? (int)f->action : ANY) {
	case DROP:
		packet_put(pkt);
		return;
	case CORRUPT:
		corrupt(p, pkt);
		return;
	case DELAY:
	case REORDER:
		hold(s, p, pkt, f->time, f->action == REORDER);
		return;
	case DUP:
		wire_transmit(p, packet_copy(pkt));
		break;
	case DAMAGE:
		flip_bit(p->node->h, pkt, LRH_LEN + BTH_LEN);
		break;
	}
	wire_transmit(p, pkt);
	release_overtaken(s, p);
}
