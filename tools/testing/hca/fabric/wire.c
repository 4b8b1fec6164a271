// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Links: their training, and packets on a cable or back to the sending port. */
#include "fabric/wire.h"

#include "core/bytes.h"
#include "fabric/packet.h"

/*
 * A link that is set to Down without a physical state trains again. It goes down a little after the
 * reply, so that the reply does not yet say Down: opensm restarts links in this way, and ignores
 * the rest of a reply that says Down.
 */
#define BOUNCE_NS 5000000u

/* --- link state --- */

/* Returns whether this port would train, without regard to the other end. */
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

/* Widths and speeds are bit masks. The link uses the highest one that both ends have enabled. */
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
 * A port that was set to leave LinkUp already has its new state. The other port has lost its link.
 */
static void port_down(struct ibport *p)
{
	if (p->phys == PHYS_LINKUP) {
		ibport_count(p, CNT_DOWNED, p->powered);
		p->phys = p->down_default;
	} else if (p->phys == PHYS_TRAINING) {
		p->phys = PHYS_POLLING;
	}
	arrivals_flush(p);
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

/* Widths and speeds may have changed during the training, so that none is common any more. */
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

/* Returns whether the link can stay up. It cannot if an end has left LinkUp, even for a moment. */
static bool cable_holds(const struct cable *c)
{
	return cable_willing(c) && c->end[0]->phys == PHYS_LINKUP &&
	       (!c->end[1] || c->end[1]->phys == PHYS_LINKUP);
}

/* Each change of an end or an option calls this, for both directions. */
void wire_cable_changed(struct cable *c)
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
	wire_cable_changed(p->cable);
}

void wire_cable_init(struct cable *c)
{
	timer_setup(&c->train, cable_trained);
}

/* Takes the link down. It trains again, unless the default down state is Sleep. */
static void bounce(struct hca_timer *t)
{
	struct ibport *p = container_of(t, struct ibport, bounce_timer);

	if (p->phys != PHYS_LINKUP)
		return;
	p->phys = p->down_default;
	wire_update(p);
}

void wire_bounce(struct ibport *p)
{
	p->bounce_timer.fn = bounce;
	timer_arm(&p->bounce_timer, BOUNCE_NS);
}

struct ibport *wire_peer(const struct ibport *p)
{
	return p->cable ? p->cable->end[!p->end] : NULL;
}

/* --- packets --- */

bool wire_loops(const struct ibport *p, const struct packet *pkt)
{
	return p->node->type == NODE_CA && ibport_owns_lid(p, get16(pkt->data + 2));
}

/*
 * A packet for the port itself returns inside the HCA and does not use the cable. A multicast
 * packet takes both ways, because both sides may have members of the group.
 */
void wire_transmit(struct ibport *p, struct packet *pkt)
{
	struct cable *c = p->cable;
	u16 dlid = get16(pkt->data + 2);

	if (wire_loops(p, pkt)) {
		arrivals_add(p, pkt);
		return;
	}
	if (p->node->type == NODE_CA && dlid >= LID_MULTICAST && dlid != LID_PERMISSIVE)
		arrivals_add(p, packet_copy(pkt));

	if (!c || !c->up)
		packet_put(pkt);
	else if (c->remote)
		remote_send(c->remote, pkt);
	else
		arrivals_add(c->end[!p->end], pkt);
}
