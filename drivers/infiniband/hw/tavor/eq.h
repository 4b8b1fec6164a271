/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Event queues and interrupts.
 */
#ifndef TAVOR_EQ_H
#define TAVOR_EQ_H

#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <rdma/vrb_provider.h>

#include "buf.h"
#include "hw_eq.h"

struct tavor_dev;
struct tavor_eq;

#define TAVOR_MAX_COMP_EQS	8
#define TAVOR_NR_EQS		(TAVOR_MAX_COMP_EQS + 2)

struct tavor_eq_drain {
	struct list_head entry;
	void (*done)(struct tavor_eq_drain *drain);	/* softirq, no lock held */
};

/* What is done with an entry, by kind of queue; softirq, the entry owned by software. */
struct tavor_eq_handlers {
	void (*comp)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
	void (*async)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
	void (*cmd)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
	void (*async_empty)(struct tavor_dev *dev);	/* an interrupt, but no entry */
};

struct tavor_eq {
	struct tavor_dev *dev;
	void (*handle)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
	u8 eqn;
	u8 index;			/* in tavor_dev.eq */
	int irq;			/* MSI-X: 0: none requested */
	u32 entries;			/* power of two */
	u32 cons_index;
	u32 since_ci;			/* entries consumed since the hardware was told */
	struct tavor_buf buf;
	struct vrb_softirq softirq;	/* not used by the command EQ: the engine's pump reads it */
	spinlock_t drain_lock;
	struct list_head drains;	/* asked for; under drain_lock */
	struct list_head draining;	/* of the run that is on; the run's own */
	atomic_t interrupts;
	char irq_name[48];
};

int tavor_eq_init(struct tavor_dev *dev, const struct tavor_eq_handlers *handlers);
void tavor_eq_cleanup(struct tavor_dev *dev);
void tavor_eq_disarm_cq(struct tavor_eq *eq, u32 cqn);
void tavor_eq_drain(struct tavor_dev *dev, u32 vector, struct tavor_eq_drain *drain);
u8 tavor_comp_eqn(const struct tavor_dev *dev, u32 vector);
u8 tavor_async_eqn(const struct tavor_dev *dev);

#endif /* TAVOR_EQ_H */
