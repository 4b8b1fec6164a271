// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Cables: which port is connected to which, link training, and packets on their way. Delivery is
 * always deferred, so a sender never finds itself inside the receiver.
 */
#include "fabric/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/options.h"
#include "fabric/packet.h"
#include "fabric/switch.h"

#define RX_BATCH 256u
#define CURRENT_LEN (LRH_LEN + GRH_LEN + BTH_LEN + DETH_LEN)

static struct cable *cables;
static u8 current_headers[CURRENT_LEN];
static bool delivering;

/* --- link state --- */

/* Would this port train, as far as it alone is concerned? */
static bool port_willing(const struct ibport *p)
{
	return p->powered && p->phys != PHYS_SLEEP && p->phys != PHYS_DISABLED;
}

static u8 common_width(const struct cable *c)
{
	return c->end[0]->width_enabled &
	       (c->remote ? remote_width(c->remote) : c->end[1]->width_enabled);
}

static u8 common_speed(const struct cable *c)
{
	return c->end[0]->speed_enabled &
	       (c->remote ? remote_speed(c->remote) : c->end[1]->speed_enabled);
}

static bool cable_willing(const struct cable *c)
{
	if (c->pulled || !port_willing(c->end[0]))
		return false;
	if (c->remote ? !remote_willing(c->remote) : !port_willing(c->end[1]))
		return false;
	return common_width(c) && common_speed(c);
}

/* Widths and speeds are bits; the link takes the best one both sides have enabled. */
static u8 highest_bit(u8 set)
{
	return 0x80 >> (__builtin_clz(set) - 24);
}

static void port_up(struct ibport *p, u8 width, u8 speed)
{
	p->width_active = width;
	p->speed_active = speed;
	p->phys = PHYS_LINKUP;
	ibport_set_state(p, PORT_INIT);
}

/*
 * A port that was told to leave LinkUp is in its new state already; the other one has lost its
 * link.
 */
static void port_down(struct ibport *p)
{
	if (p->phys == PHYS_LINKUP) {
		ibport_count(p, CNT_DOWNED, p->powered);
		p->phys = p->down_default;
	} else if (p->phys == PHYS_TRAINING) {
		p->phys = PHYS_POLLING;
	}
	wire_flush(p);
	ibport_set_state(p, PORT_DOWN);
}

static void cable_down(struct cable *c)
{
	c->up = false;
	timer_cancel(&c->train);
	port_down(c->end[0]);
	if (c->end[1])
		port_down(c->end[1]);
}

/* What both sides have enabled may have become nothing since the training began. */
static void cable_trained(struct hca_timer *t)
{
	struct cable *c = container_of(t, struct cable, train);
	u8 width, speed;

	if (!cable_willing(c)) {
		cable_down(c);
		return;
	}
	width = highest_bit(common_width(c));
	speed = highest_bit(common_speed(c));
	c->up = true;
	port_up(c->end[0], width, speed);
	if (c->end[1])
		port_up(c->end[1], width, speed);
}

static u64 train_time(const struct cable *c)
{
	struct hca *h = c->end[0]->node->h;

	return opt_u64(h ? h : hca_by_number(0), "link_train");
}

static void cable_train(struct cable *c)
{
	if (timer_armed(&c->train))
		return;
	c->end[0]->phys = PHYS_TRAINING;
	if (c->end[1])
		c->end[1]->phys = PHYS_TRAINING;
	timer_arm(&c->train, train_time(c));
}

/* False also when one end left LinkUp by itself and wants it back: the link has to bounce. */
static bool cable_holds(const struct cable *c)
{
	return cable_willing(c) && c->end[0]->phys == PHYS_LINKUP &&
	       (!c->end[1] || c->end[1]->phys == PHYS_LINKUP);
}

/* Both directions of every change go through here, whichever end or option caused it. */
static void cable_update(struct cable *c)
{
	if (c->up ? !cable_holds(c) : !cable_willing(c))
		cable_down(c);
	if (!c->up && cable_willing(c))
		cable_train(c);
}

void wire_update(struct ibport *p)
{
	if (!p->cable) {
		if (p->phys == PHYS_LINKUP)
			p->phys = PHYS_POLLING;
		ibport_set_state(p, PORT_DOWN);
		return;
	}
	if (p->cable->remote)
		remote_tell(p->cable->remote);
	cable_update(p->cable);
}

void wire_remote_changed(struct cable *c)
{
	cable_update(c);
}

struct ibport *wire_peer(const struct ibport *p)
{
	return p->cable ? p->cable->end[!p->end] : NULL;
}

/* --- packets --- */

const u8 *wire_current(void)
{
	return delivering ? current_headers : NULL;
}

/*
 * The headers are kept aside because the receiver owns the packet from here on, while a key it
 * finds to be wrong is reported to the subnet manager with what the headers say (trap.c).
 */
static void deliver(struct ibport *p, struct packet *pkt)
{
	memcpy(current_headers, pkt->data, sizeof(current_headers));
	delivering = true;
	p->node->rx(p, pkt);
	delivering = false;
}

/* Bounded, so that two ports that answer each other leave the client its turn. */
static void rx_work(struct hca_work *w)
{
	struct ibport *p = container_of(w, struct ibport, rx_work);
	unsigned int n;

	for (n = 0; n < RX_BATCH && p->rx_head; n++) {
		struct packet *pkt = p->rx_head;

		p->rx_head = pkt->next;
		deliver(p, pkt);
	}
	if (p->rx_head)
		work_schedule(&p->rx_work);
}

static void enqueue(struct ibport *p, struct packet *pkt)
{
	pkt->next = NULL;
	if (p->rx_head)
		p->rx_tail->next = pkt;
	else
		p->rx_head = pkt;
	p->rx_tail = pkt;
	p->rx_work.fn = rx_work;
	work_schedule(&p->rx_work);
}

void wire_flush(struct ibport *p)
{
	while (p->rx_head) {
		struct packet *pkt = p->rx_head;

		p->rx_head = pkt->next;
		packet_put(pkt);
	}
	work_cancel(&p->rx_work);
}

void wire_arrived(struct ibport *p, struct packet *pkt)
{
	enqueue(p, pkt);
}

struct packet *packet_copy(const struct packet *pkt)
{
	struct packet *copy = packet_alloc();

	copy->len = pkt->len;
	copy->hops = pkt->hops;
	memcpy(copy->data, pkt->data, pkt->len);
	return copy;
}

bool wire_loops(const struct ibport *p, const struct packet *pkt)
{
	return p->node->type == NODE_CA && ibport_owns_lid(p, get16(pkt->data + 2));
}

/*
 * Packets for the port itself turn round inside the HCA and never reach the cable; a multicast
 * packet does both, because members of the group may sit on either side.
 */
void wire_transmit(struct ibport *p, struct packet *pkt)
{
	struct cable *c = p->cable;
	u16 dlid = get16(pkt->data + 2);

	if (wire_loops(p, pkt)) {
		enqueue(p, pkt);
		return;
	}
	if (p->node->type == NODE_CA && dlid >= LID_MULTICAST && dlid != LID_PERMISSIVE)
		enqueue(p, packet_copy(pkt));

	if (!c || !c->up)
		packet_put(pkt);
	else if (c->remote)
		remote_send(c->remote, pkt);
	else
		enqueue(c->end[!p->end], pkt);
}

void wire_send(struct ibport *p, struct packet *pkt)
{
	if (p->node->h && wirefault_active(p->node->h))
		wirefault_send(p, pkt);
	else
		wire_transmit(p, pkt);
}

/* --- the cable option --- */

/* "0.1" or "s0.3"; *ca says which. The number of HCAs is not known while options are parsed. */
static bool parse_end(const char *text, bool *ca, unsigned int *node, unsigned int *port)
{
	int used = 0;

	*ca = text[0] != 's';
	if (sscanf(text + !*ca, "%2u.%2u%n", node, port, &used) != 2 || text[!*ca + used])
		return false;
	return *port >= 1;
}

static struct ibport *find_end(const char *text)
{
	unsigned int node, port;
	struct ibnode *n;
	struct hca *h;
	bool ca;

	if (!parse_end(text, &ca, &node, &port))
		return NULL;
	if (ca) {
		h = hca_by_number(node);
		return h ? hca_port(h, port) : NULL;
	}
	n = switch_node(node);
	return n && port <= n->num_ports ? &n->port[port] : NULL;
}

static void train_setup(struct cable *c)
{
	timer_setup(&c->train, cable_trained);
	c->next = cables;
	cables = c;
}

/* With @path the other end is a socket and @b is NULL. */
static int connect_ends(struct ibport *a, struct ibport *b, const char *path)
{
	struct cable *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->end[0] = a;
	a->cable = c;
	a->end = 0;
	if (path) {
		c->remote = remote_new(c, path);
		if (!c->remote) {
			a->cable = NULL;
			free(c);
			return -ENOMEM;
		}
	} else {
		c->end[1] = b;
		b->cable = c;
		b->end = 1;
	}
	train_setup(c);
	wire_update(a);
	return 0;
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "tavor-hca: option cable: \"%s\": %s\n", what, why);
	return -EINVAL;
}

static int connect_text(char *text)
{
	char *second = strchr(text, '-');
	struct ibport *a, *b = NULL;

	*second++ = 0;
	a = find_end(text);
	if (!a)
		return complain(text, "there is no such port");
	if (a->cable)
		return complain(text, "this port has a cable already");
	if (!strncmp(second, "unix:", 5))
		return connect_ends(a, NULL, second + 5);
	b = find_end(second);
	if (!b)
		return complain(second, "there is no such port");
	if (b == a || b->cable)
		return complain(second, "this port has a cable already");
	return connect_ends(a, b, NULL);
}

static int connect_self(void)
{
	struct hca *h;
	int n, err;

	for (n = 0; (h = hca_by_number(n)); n++) {
		if (!hca_port(h, 2))
			continue;
		err = connect_ends(hca_port(h, 1), hca_port(h, 2), NULL);
		if (err)
			return err;
	}
	return 0;
}

static int connect_switch(void)
{
	struct ibnode *sw = switch_node(0);
	unsigned int n, port, used = 0;
	struct hca *h;
	int err;

	if (!sw)
		return -ENOMEM;
	for (n = 0; (h = hca_by_number(n)); n++) {
		for (port = 1; hca_port(h, port); port++) {
			if (used == sw->num_ports)
				return complain("switch",
						"switch_ports is too small for all ports");
			err = connect_ends(hca_port(h, port), &sw->port[++used], NULL);
			if (err)
				return err;
		}
	}
	return 0;
}

int wire_new_all(void)
{
	static bool registered;
	char *text, *item, *rest;
	int err = 0;

	wire_delete_all();
	if (!registered && !atexit(wire_delete_all)) /* no socket is left behind */
		registered = true;
	if (!hca_by_number(0))
		return 0;
	text = strdup(opt_str(hca_by_number(0), "cable"));
	if (!text)
		return -ENOMEM;
	if (!strcmp(text, "self"))
		err = connect_self();
	else if (!strcmp(text, "switch"))
		err = connect_switch();
	else if (strcmp(text, "none"))
		for (item = strtok_r(text, ",", &rest); item && !err;
		     item = strtok_r(NULL, ",", &rest))
			err = connect_text(item);
	free(text);
	return err;
}

void wire_delete_all(void)
{
	while (cables) {
		struct cable *c = cables;

		cables = c->next;
		timer_cancel(&c->train);
		c->end[0]->cable = NULL;
		if (c->end[1])
			c->end[1]->cable = NULL;
		remote_delete(c->remote);
		free(c);
	}
	switch_delete_all();
}

static bool item_ok(const char *item, size_t len)
{
	char text[128], *second;
	unsigned int node, port;
	bool ca;

	if (len >= sizeof(text))
		return false;
	memcpy(text, item, len);
	text[len] = 0;
	second = strchr(text, '-');
	if (!second)
		return false;
	*second++ = 0;
	if (!parse_end(text, &ca, &node, &port))
		return false;
	if (!strncmp(second, "unix:", 5))
		return second[5];
	return parse_end(second, &ca, &node, &port);
}

/* Grammar only: which ports there are is known when the wire is made. */
int wire_check_cables(const char *value, char *why)
{
	size_t len;

	if (!strcmp(value, "self") || !strcmp(value, "none") || !strcmp(value, "switch"))
		return 0;
	for (;; value += len + 1) {
		len = strcspn(value, ",");
		if (!item_ok(value, len)) {
			snprintf(
				why, OPT_WHY,
				"\"%.*s\" is not self, none, switch or a pair of ends like 0.1-0.2",
				(int)len, value);
			return -1;
		}
		if (!value[len])
			return 0;
	}
}

/* --- pulling cables --- */

static bool names_port(const char *list, unsigned int port)
{
	for (; *list; list++)
		if (*list == (char)('0' + port))
			return true;
	return false;
}

static void apply_unplug(struct hca_work *w)
{
	struct cable *c;
	unsigned int i;

	(void)w;
	for (c = cables; c; c = c->next) {
		bool pulled = false;

		for (i = 0; i < 2; i++)
			if (c->end[i] && c->end[i]->node->h)
				pulled |= names_port(opt_str(c->end[i]->node->h, "unplug"),
						     c->end[i]->num);
		if (pulled == c->pulled)
			continue;
		c->pulled = pulled;
		if (c->remote)
			remote_tell(c->remote);
		cable_update(c);
	}
}

static struct hca_work unplug_work = { .fn = apply_unplug };

int wire_check_unplug(const char *value, char *why)
{
	if (strspn(value, "12,") != strlen(value)) {
		snprintf(why, OPT_WHY, "\"%s\" is not a list of ports like 1,2", value);
		return -1;
	}
	return 0;
}

/* Links are not touched from within whoever sets an option. */
void wire_option_changed(const char *key)
{
	if (!strcmp(key, "unplug"))
		work_schedule(&unplug_work);
	else if (!strcmp(key, "packet_fault"))
		wirefault_changed();
}
