/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * ib_tavor: the device, and common definitions. The structures and prototypes of a layer are in the
 * header of its name; a function is documented only where it is defined.
 *
 * Layers, lowest first (Kbuild has all of them in this order): reset and commands (reset.c, cmd.c),
 * one function per firmware command (fw.c), index and table allocators and memory (bitmap.c,
 * alloc.c, mtt.c, mpt.c, buf.c), event queues (eq.c), hardware objects (pd.c, mr.c, mw.c, and CQ,
 * SRQ, QP, AV, multicast), event handlers (event.c), verb queues (verb_queue.c) and their user ABI
 * (user_queue.c), the device operations of ib_core (device.c), the PCI function (main.c). No layer
 * calls an upper one, except that tavor_fatal() (catas.c) passes a failure of the device to flush.c
 * and mcg.c.
 *
 * What the hardware may access of a PD, CQ, SRQ, QP, MR or MW is in its tavor_hw_* object, which
 * has a vrb_object and is reference counted. The structures that embed a struct ib_pd or its like
 * only point to it, because ib_core frees those unconditionally. Mailboxes, event queues and AVs
 * are not such objects: they belong to the device.
 *
 * Locking: allocators and tables are touched from process context and softirq, never from hard
 * IRQ: BH spin locks; that of the AV table is also taken with interrupts off. While one is held,
 * ib_core is never called, except for ib_dispatch_event() (dispatch.c), which only queues work. Of
 * the engine and other layers only these are used then:
 * vrb_object_tryget() (table.c), the locks of a QP's CQs (qp.c), vrb_resume() and the references
 * of waiting QPs (mcg.c), tavor_block_get() (ah.c).
 */
#ifndef TAVOR_H
#define TAVOR_H

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

#include "alloc.h"
#include "cmd.h"
#include "dev_lim.h"
#include "eq.h"
#include "fw.h"
#include "mtt.h"
#include "profile.h"
#include "table.h"
#include "uar.h"

struct dentry;
struct tavor_av_table;
struct tavor_function;
struct tavor_hw_pd;
struct tavor_mad;
struct tavor_mcg_table;

#define TAVOR_NAME		"ib_tavor"
#define TAVOR_MAX_PORTS		2

/**
 * struct tavor_port_counters - what has happened at a port since the device was brought up
 * @active_events: the port has become active
 * @error_events: the port went down
 * @lid_events: the LID has changed
 * @pkey_events: the P_Key table has been set
 * @gid_events: the subnet prefix has changed, or the GUIDs have been set
 * @reregister_events: the subnet manager has asked for reregistration
 * @mads_answered: MADs that the firmware has answered, without those of the driver
 * @traps_forwarded: traps of the firmware that were sent to the subnet manager
 */
struct tavor_port_counters {
	atomic64_t active_events;
	atomic64_t error_events;
	atomic64_t lid_events;
	atomic64_t pkey_events;
	atomic64_t gid_events;
	atomic64_t reregister_events;
	atomic64_t mads_answered;
	atomic64_t traps_forwarded;
};

struct tavor_dev {
	struct ib_device ib_dev;
	struct pci_dev *pdev;
	struct vrb_device *vrb;
	struct tavor_function *function;
	/* called when the device fails, in any context down to softirq */
	void (*failed)(struct tavor_function *function);
	const char *reason;		/* of the failure; memory of the engine */
	const unsigned long *unwanted;	/* not 0: the device must not be brought up now */

	void __iomem *clr_int;
	void __iomem *ecr;
	void __iomem *err_buf;
	u64 ddr_bar_size;		/* BAR 4; 0: hidden */

	struct tavor_fw_info fw;
	struct tavor_ddr_info ddr_info;
	struct tavor_adapter_info adapter;
	struct tavor_dev_lim lim;
	struct tavor_limits limits;
	struct tavor_layout layout;

	struct tavor_cmd cmd;
	struct dma_pool *buf_pool;
	atomic_t buf_blocks;		/* blocks in use */
	atomic_t buf_pages;		/* pages that the pool has allocated */
	struct dentry *debugfs;
	struct tavor_alloc uar_alloc, pd_alloc, mpt_alloc, eq_alloc;
	struct tavor_mtt_table mtt;

	struct tavor_kar kar;
	struct tavor_hw_pd *driver_pd;	/* of kernel CQs and EQs */

	u32 nr_comp_eqs;
	const struct tavor_eq_handlers *eq_handlers;
	struct tavor_eq eq[TAVOR_NR_EQS];	/* completion, async, error, command */
	struct mutex eq_mutex;		/* serializes replacing the async EQ by a larger one */
	atomic_t eq_expected;		/* events that objects may write to it */
	atomic_t eq_gone;		/* part of that: by objects that are gone */
	bool want_msix;
	bool msix;

	struct timer_list catas_timer;
	u32 err_dwords;			/* size of err_buf */
	spinlock_t dispatch_lock;	/* guards the next two */
	bool registered;		/* events are dispatched */
	/* of the device [0] and of each port: a bit for each type that came before */
	unsigned long missed_events[1 + TAVOR_MAX_PORTS];
	atomic_t fatal_sent;
	atomic_t flushing;
	struct rcu_head flush_rcu;
	u32 flush_next;			/* index of the QP that is notified next, then of the CQ */
	bool flush_ready;	/* the QPs have been notified */
	atomic64_t cq_errors;
	atomic64_t uar_errors;		/* doorbells through the wrong page */
	atomic64_t ecc_errors;		/* corrected */
	struct tavor_port_counters port_counters[TAVOR_MAX_PORTS];
	bool bound_stats_refused;	/* see tavor_alloc_hw_port_stats() */
	u32 leaked;

	spinlock_t rings_lock;		/* registrations of the regions of processes' queues */
	struct list_head processes;	/* that have the device open */
	struct mutex processes_lock;	/* processes, and how often each has it open */

	/* of the verbs layers */
	struct tavor_table cqs;
	struct tavor_table srqs;	/* empty: the firmware has no SRQs */
	struct tavor_table qps;
	unsigned long open_ports;	/* bit n: port n may be open */
	u32 special_qpn;		/* QP0 of port 1, of port 2, QP1 of port 1, of port 2 */
	struct tavor_av_table *avs;
	struct tavor_mcg_table *mcgs;
	struct tavor_mad *mad;

	spinlock_t queues_lock;		/* state of the requests of all verb queues */
};

static inline struct tavor_dev *to_tdev(struct ib_device *ibdev)
{
	return container_of(ibdev, struct tavor_dev, ib_dev);
}

static inline bool tavor_port_ok(const struct tavor_dev *dev, u32 port)
{
	return port >= 1 && port <= dev->limits.num_ports;
}

/* @port: a port that exists */
static inline struct tavor_port_counters *tavor_port_counters(struct tavor_dev *dev, u32 port)
{
	return &dev->port_counters[port - 1];
}

static inline struct tavor_dev *vrb_to_tdev(const struct vrb_device *vrb)
{
	return vrb_device_priv(vrb);
}

#endif /* TAVOR_H */
