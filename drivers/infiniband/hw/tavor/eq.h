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
#define TAVOR_NR_EQS		(TAVOR_MAX_COMP_EQS + 3)

/*
 * The largest number of asynchronous events of an object before it gets another command. A QP:
 * communication established, path migrated, send queue drained, error, last WQE reached. An SRQ:
 * limit reached, error.
 */
#define TAVOR_EVENTS_PER_QP		5
#define TAVOR_EVENTS_PER_SRQ	2

struct tavor_eq_drain {
	struct list_head entry;
	void (*done)(struct tavor_eq_drain *drain);	/* softirq, no lock held */
};

/* The handler of an entry, for each kind of queue. Called in softirq; software owns the entry. */
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
	u8 vector;			/* MSI-X: the async and the error EQ share one */
	int irq;			/* MSI-X: 0: none requested */
	u32 entries;			/* power of two */
	atomic_t room;			/* for CQs: completion EQs only */
	u32 cons_index;
	u32 since_ci;			/* entries consumed since the last SET_CI */
	struct tavor_buf buf;
	struct vrb_softirq softirq;	/* not used by the command EQ: the engine's pump reads it */
	spinlock_t drain_lock;
	struct list_head drains;	/* requested; under drain_lock */
	struct list_head draining;	/* taken by a run; belongs to the runs */
	u32 drain_from;			/* cons_index when they were taken */
	bool drained;			/* the entries before them have been handled */
	atomic_t interrupts;
	char irq_name[48];
};

int tavor_eq_init(struct tavor_dev *dev, const struct tavor_eq_handlers *handlers);
void tavor_eq_cleanup(struct tavor_dev *dev);
void tavor_eq_disarm_cq(struct tavor_eq *eq, u32 cqn);
bool tavor_eq_is_read(struct tavor_dev *dev, u32 vector);
void tavor_eq_drain(struct tavor_dev *dev, u32 vector, struct tavor_eq_drain *drain);
u8 tavor_comp_eqn(const struct tavor_dev *dev, u32 vector);
const struct cpumask *tavor_eq_affinity(const struct tavor_dev *dev, u32 vector);
int tavor_eq_take_room(struct tavor_dev *dev, u32 wanted, u32 *vector);
void tavor_eq_give_room(struct tavor_dev *dev, u32 vector);
int tavor_eq_expect(struct tavor_dev *dev, u32 events, gfp_t gfp);
void tavor_eq_expect_less(struct tavor_dev *dev, u32 events);

#endif /* TAVOR_EQ_H */
