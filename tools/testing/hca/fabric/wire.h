/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Cables, and the parts of the wire that are files of their own: faults and links between
 * processes.
 */
#ifndef HCA_WIRE_H
#define HCA_WIRE_H

#include "fabric/port.h"

struct remote;

/*
 * A cable has two ends. The second is a port of this process, or a socket to another process, which
 * tells us about its port in messages (cable_remote.c).
 */
struct cable {
	struct cable *next;
	struct ibport *end[2]; /* end[1] is NULL if the other end is remote */
	struct remote *remote;
	bool pulled;
	bool up;
	struct hca_timer train;
};

/* --- wire.c --- */

void wire_cable_init(struct cable *c);
/* One of its ends is not what it was: train or drop the link. */
void wire_cable_changed(struct cable *c);
/* Does the port's own LID send it back? */
bool wire_loops(const struct ibport *p, const struct packet *pkt);
/* Loopback or cable. Takes ownership. */
void wire_transmit(struct ibport *p, struct packet *pkt);

/* --- cables.c --- */

int wire_check_cables(const char *value, char *why);
int wire_check_unplug(const char *value, char *why);
/* An opt_watch, see options.h */
void wire_option_changed(int n, const char *key, const char *value);
int wire_new_all(void); /* once, after all HCAs exist: cables, switch */
void wire_delete_all(void);

/* --- packet_fault.c: faults of packets that leave an HCA's port --- */

/*
 * Passes the packet on to wire_transmit(): once, or as the faults say, none or two times, now or
 * later.
 */
void wirefault_send(struct ibport *p, struct packet *pkt);
int wirefault_check(const char *spec, char *why);
void wirefault_changed(void);
void wirefault_delete(struct hca *h);

/* --- cable_remote.c: a cable to another process --- */

/* @changed is called when what the remote end says has. */
struct remote *remote_new(struct cable *c, const char *path, void (*changed)(struct cable *c));
void remote_delete(struct remote *r);
/* The state of the port there: would it train, and with what. */
bool remote_willing(const struct remote *r);
u8 remote_width(const struct remote *r);
u8 remote_speed(const struct remote *r);
/* Tells the other side about our end. */
void remote_tell(struct remote *r);
void remote_send(struct remote *r, struct packet *pkt);

#endif
