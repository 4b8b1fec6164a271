/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Cables, and the parts of the wire that have their own files: faults, and links between processes.
 */
#ifndef HCA_WIRE_H
#define HCA_WIRE_H

#include "fabric/port.h"

struct remote;

/*
 * A cable has two ends. The second is a port of this process, or a socket to another process, whose
 * messages report the state of its port (cable_remote.c).
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
/* Trains or drops the link after a change of one of its ends. */
void wire_cable_changed(struct cable *c);
/* Returns whether the packet loops back, because its destination is the port's own LID. */
bool wire_loops(const struct ibport *p, const struct packet *pkt);
/* Sends a packet by loopback or through the cable, and takes ownership of it. */
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
 * Passes the packet to wire_transmit(), once. A fault can drop, duplicate, delay, reorder or damage
 * it.
 */
void wirefault_send(struct ibport *p, struct packet *pkt);
int wirefault_check(const char *spec, char *why);
void wirefault_changed(void);
void wirefault_delete(struct hca *h);

/* --- cable_remote.c: a cable to another process --- */

/* @changed is called when the state of the remote port has changed. */
struct remote *remote_new(struct cable *c, const char *path, void (*changed)(struct cable *c));
void remote_delete(struct remote *r);
/* The state of the remote port: whether it can train, and its width and speed. */
bool remote_willing(const struct remote *r);
u8 remote_width(const struct remote *r);
u8 remote_speed(const struct remote *r);
/* Reports the state of the local port to the other process. */
void remote_tell(struct remote *r);
void remote_send(struct remote *r, struct packet *pkt);

#endif
