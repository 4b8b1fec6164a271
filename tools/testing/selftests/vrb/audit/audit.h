/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * An audit of "exactly once". It is a client that makes random requests of all kinds from every
 * context, and counts the results. It only uses the kernel API, so it runs on any provider.
 */
#ifndef VRB_AUDIT_H
#define VRB_AUDIT_H

#include <linux/types.h>
#include <rdma/ib_verbs.h>

struct audit;

/**
 * struct audit_params - parameters of an audit
 * @seed: seed of the random numbers
 * @requests: number of requests that must be accepted
 * @lid: LID of port 1
 * @page: DMA address of a page that the device may read and write
 * @nudge: called about every millisecond during the wait for the end, or NULL. It makes simulated
 *	hardware answer lost commands
 * @context: argument of @nudge
 */
struct audit_params {
	u32 seed;
	unsigned int requests;
	u16 lid;
	dma_addr_t page;
	void (*nudge)(void *context);
	void *context;
};

#define AUDIT_STATUSES	134
#define AUDIT_WHY	160

/**
 * struct audit_report - results of an audit
 * @accepted: number of accepted requests
 * @refused: number of refused requests
 * @shells: number of allocated shells, all of which are gone
 * @clients: number of registered clients
 * @status: number of callbacks with each status, by -errno
 * @wrong: number of broken rules
 * @why: the first broken rule
 */
struct audit_report {
	unsigned int accepted, refused, shells, clients;
	unsigned int status[AUDIT_STATUSES];
	unsigned int wrong;
	char why[AUDIT_WHY];
};

struct audit *audit_start(struct ib_device *dev, const struct audit_params *params);
bool audit_busy(const struct audit *audit);
unsigned int audit_accepted(const struct audit *audit);
void audit_end(struct audit *audit, struct audit_report *report);

#endif /* VRB_AUDIT_H */
