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
 * struct audit_params - what is audited, and how
 * @seed: what the random numbers begin with
 * @requests: how many have to be accepted
 * @lid: of port 1
 * @page: DMA address of a page that the device may read and write
 * @nudge: called about every millisecond while the end is waited for, or NULL: what the hardware
 *	keeps to itself is answered at last
 * @context: its argument
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
 * struct audit_report - what has been found
 * @accepted: requests
 * @refused: requests
 * @shells: objects made, all of them gone again
 * @clients: registered
 * @status: how often each status, by -errno
 * @wrong: rules broken
 * @why: the first of them
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
