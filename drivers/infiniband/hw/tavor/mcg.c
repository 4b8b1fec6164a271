// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Access to the multicast group table. One attach or detach at a time owns the table; the others
 * wait for their turn, without a slot. The destroy of a QP waits while the QP is in a group. The
 * commands of an owner are in mcast.c.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "mcg.h"
#include "params.h"
#include "qp.h"
#include "tavor.h"

#define TAVOR_MCG_BATCH		64	/* QPs that are released in one run */

/* Resumes the QP that has waited longest for an attach or a detach; NULL: none waits. */
static struct tavor_hw_qp *tavor_mcg_resume_first(struct tavor_mcg_table *table, bool attach)
{
	struct tavor_hw_qp *qp;

	lockdep_assert_held(&table->lock);
	qp = list_first_entry_or_null(&table->waiting[attach], struct tavor_hw_qp,
				      mcg_waiting.entry);
	if (qp)
		tavor_waiter_resume(&qp->mcg_waiting);
	return qp;
}

/* Attaches and detaches alternate, so that neither starves the other. */
static void tavor_mcg_next(struct tavor_mcg_table *table)
{
	bool attach = table->attach_next;

	lockdep_assert_held(&table->lock);
	table->owner = tavor_mcg_resume_first(table, attach);
	if (!table->owner) {
		attach = !attach;
		table->owner = tavor_mcg_resume_first(table, attach);
	}
	table->attach_next = !attach;
}

/* An attach does not wait for a lost command, because its duration is unknown. */
static void tavor_mcg_turn_away(struct tavor_mcg_table *table)
{
	tavor_mcg_resume_first(table, true);
}

/* A detach waits for a lost command, for as long as a destroy would. */
static void tavor_mcg_start_timer(struct tavor_mcg_table *table)
{
	if (!timer_pending(&table->timer))
		mod_timer(&table->timer, jiffies + msecs_to_jiffies(tavor_params.cmd_timeout_ms));
}

static void tavor_mcg_timer(struct timer_list *timer)
{
	struct tavor_mcg_table *table = timer_container_of(table, timer, timer);
	bool fail;

	spin_lock_bh(&table->lock);
	fail = table->lost && !list_empty(&table->waiting[false]);
	spin_unlock_bh(&table->lock);
	if (fail)
		vrb_device_fail(table->dev->vrb,
				"a detach waits for a command that was not answered");
}

/**
 * tavor_mcg_enter() - makes a QP's request the owner of the table, or lets it wait for its turn
 * @table: the table
 * @qp: the QP
 * @attach: whether the request is an attach
 *
 * May be called repeatedly until the request owns the table.
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 * Return: VRB_NEXT; VRB_WAIT: the QP will be resumed; -EUCLEAN: the request is an attach, and the
 * owner's command was given up.
 */
int tavor_mcg_enter(struct tavor_mcg_table *table, struct tavor_hw_qp *qp, bool attach)
{
	int ret = VRB_WAIT;

	spin_lock_bh(&table->lock);
	if (!table->owner)
		table->owner = qp;
	if (table->owner == qp) {
		ret = VRB_NEXT;
	} else if (table->lost && attach) {
		tavor_waiter_remove(&qp->mcg_waiting);
		tavor_mcg_turn_away(table);
		ret = -EUCLEAN;
	} else {
		tavor_waiter_add(&qp->mcg_waiting, &table->waiting[attach]);
		if (table->lost)
			tavor_mcg_start_timer(table);
	}
	spin_unlock_bh(&table->lock);
	return ret;
}

/**
 * tavor_mcg_leave() - ends the use of the table, or the wait for it, by a QP's request
 * @table: the table
 * @qp: the QP
 *
 * Context: Any down to softirq.
 */
void tavor_mcg_leave(struct tavor_mcg_table *table, struct tavor_hw_qp *qp)
{
	spin_lock_bh(&table->lock);
	tavor_waiter_remove(&qp->mcg_waiting);
	if (table->owner == qp)
		tavor_mcg_next(table);
	else if (table->lost)
		tavor_mcg_turn_away(table);
	spin_unlock_bh(&table->lock);
}

/**
 * tavor_mcg_lost() - the owner's command was given up
 * @table: the table
 *
 * Context: Softirq, engine's device lock held.
 */
void tavor_mcg_lost(struct tavor_mcg_table *table)
{
	spin_lock_bh(&table->lock);
	table->lost = true;
	tavor_mcg_turn_away(table);
	if (!list_empty(&table->waiting[false]))
		tavor_mcg_start_timer(table);
	spin_unlock_bh(&table->lock);
}

/**
 * tavor_mcg_found() - the owner's command has completed late
 * @table: the table; tavor_mcg_leave() must follow
 *
 * Context: Softirq.
 */
void tavor_mcg_found(struct tavor_mcg_table *table)
{
	spin_lock_bh(&table->lock);
	table->lost = false;
	timer_delete(&table->timer);
	spin_unlock_bh(&table->lock);
}

static void tavor_mcg_hold(struct tavor_mcg_table *table, struct tavor_hw_qp *qp)
{
	/* A QP has room for one more parent, and the table is destroyed last. */
	WARN_ON_ONCE(vrb_object_add_parent(&qp->object, &table->object));
	vrb_object_hold(&qp->object);
}

static void tavor_mcg_unhold(struct tavor_mcg_table *table, struct tavor_hw_qp *qp)
{
	vrb_object_drop_parent(&qp->object, &table->object);
	vrb_object_unhold(&qp->object);
}

/* Counts one more group, unless all QPs have been or are being removed from theirs. */
static bool tavor_mcg_count(struct tavor_mcg_table *table, struct tavor_hw_qp *qp)
{
	bool counted;

	spin_lock_bh(&table->lock);
	counted = !table->failed;
	if (counted && !qp->mcg_groups++)
		list_add_tail(&qp->mcg_attached, &table->attached);
	spin_unlock_bh(&table->lock);
	return counted;
}

/**
 * tavor_mcg_attached() - a QP is in one more group: its destroy waits
 * @table: the table
 * @qp: the QP, whose turn it is
 *
 * Context: Softirq, no lock of the engine held.
 */
void tavor_mcg_attached(struct tavor_mcg_table *table, struct tavor_hw_qp *qp)
{
	const bool first = !qp->mcg_groups;

	/* Before it is in the list: whoever finds it there drops the hold. */
	if (first)
		tavor_mcg_hold(table, qp);
	if (!tavor_mcg_count(table, qp) && first)
		tavor_mcg_unhold(table, qp);
}

/**
 * tavor_mcg_detached() - a QP is in one group fewer
 * @table: the table
 * @qp: the QP
 *
 * Context: Softirq, no lock of the engine held.
 */
void tavor_mcg_detached(struct tavor_mcg_table *table, struct tavor_hw_qp *qp)
{
	bool last;

	spin_lock_bh(&table->lock);
	last = !table->failed && !--qp->mcg_groups;
	if (last)
		list_del_init(&qp->mcg_attached);
	spin_unlock_bh(&table->lock);
	if (last)
		tavor_mcg_unhold(table, qp);
}

/* ---- The end of the device ---- */

/* Resumes one waiting QP; its request fails with the device. */
static bool tavor_mcg_resume_one(struct tavor_mcg_table *table)
{
	bool found;

	spin_lock_bh(&table->lock);
	found = tavor_mcg_resume_first(table, false) || tavor_mcg_resume_first(table, true);
	spin_unlock_bh(&table->lock);
	return found;
}

/* Removes one QP from its groups. The table stays its parent until the QP is released. */
static bool tavor_mcg_forget_one(struct tavor_mcg_table *table)
{
	struct tavor_hw_qp *qp;

	spin_lock_bh(&table->lock);
	qp = list_first_entry_or_null(&table->attached, struct tavor_hw_qp, mcg_attached);
	if (qp)
		list_del_init(&qp->mcg_attached);
	spin_unlock_bh(&table->lock);
	if (qp)
		vrb_object_unhold(&qp->object);
	return qp;
}

static bool tavor_mcg_let_go(struct tavor_mcg_table *table)
{
	return tavor_mcg_resume_one(table) || tavor_mcg_forget_one(table);
}

/* The table is not accessed after this. */
static void tavor_mcg_has_let_go(struct tavor_mcg_table *table)
{
	spin_lock_bh(&table->lock);
	table->letting_go = false;
	spin_unlock_bh(&table->lock);
}

static void tavor_mcg_let_go_some(struct rcu_head *rcu)
{
	struct tavor_mcg_table *table = container_of(rcu, struct tavor_mcg_table, rcu);
	int i;

	for (i = 0; i < TAVOR_MCG_BATCH; i++) {
		if (tavor_mcg_let_go(table))
			continue;
		tavor_mcg_has_let_go(table);
		return;
	}
	/* A process that exits may wait for it. */
	call_rcu_hurry(&table->rcu, tavor_mcg_let_go_some);
}

/*
 * Returns whether this is the first call.
 * @lets_go: if so, tavor_mcg_let_go_some() is called next
 */
static bool tavor_mcg_fails(struct tavor_mcg_table *table, bool lets_go)
{
	bool first;

	spin_lock_bh(&table->lock);
	first = !table->failed;
	table->failed = true;
	table->letting_go |= first && lets_go;
	spin_unlock_bh(&table->lock);
	return first;
}

/**
 * tavor_mcg_failed() - the device has failed: resumes waiting QPs, and empties all groups
 * @dev: the device
 *
 * Context: Any down to softirq.
 */
void tavor_mcg_failed(struct tavor_dev *dev)
{
	struct tavor_mcg_table *table;

	rcu_read_lock();
	/* Pairs with tavor_mcg_table_init(). */
	table = smp_load_acquire(&dev->mcgs);
	if (table && tavor_mcg_fails(table, true))
		tavor_mcg_let_go_some(&table->rcu);
	rcu_read_unlock();
}

/**
 * tavor_mcg_turns_init() - initialises the table as free
 * @table: the table, its device set
 *
 * Context: Process context.
 */
void tavor_mcg_turns_init(struct tavor_mcg_table *table)
{
	spin_lock_init(&table->lock);
	INIT_LIST_HEAD(&table->waiting[false]);
	INIT_LIST_HEAD(&table->waiting[true]);
	INIT_LIST_HEAD(&table->attached);
	timer_setup(&table->timer, tavor_mcg_timer, 0);
}

/**
 * tavor_mcg_turns_stop() - prepares the end of the table
 * @table: the table; no request is submitted any more
 *
 * If a client has left attached QPs behind, the hardware is stopped so that they can be destroyed.
 *
 * Context: Process context, may sleep.
 */
void tavor_mcg_turns_stop(struct tavor_mcg_table *table)
{
	struct tavor_dev *dev = table->dev;

	might_sleep();
	timer_shutdown_sync(&table->timer);
	if (!list_empty(&table->attached) && !vrb_device_failed(dev->vrb)) {
		dev_err(&dev->pdev->dev, "QPs were left in multicast groups\n");
		vrb_device_stop(dev->vrb, "QPs were left in multicast groups");
	}
	if (vrb_device_failed(dev->vrb)) {
		tavor_mcg_fails(table, false);
		while (tavor_mcg_let_go(table))
			;
	}
}

static bool tavor_mcg_lets_go(struct tavor_mcg_table *table)
{
	bool lets_go;

	spin_lock_bh(&table->lock);
	lets_go = table->letting_go;
	spin_unlock_bh(&table->lock);
	return lets_go;
}

/**
 * tavor_mcg_turns_end() - frees the table
 * @table: the table, whose lists are empty; only a tavor_mcg_failed() that has begun still uses it
 *
 * Context: Process context, may sleep.
 */
void tavor_mcg_turns_end(struct tavor_mcg_table *table)
{
	might_sleep();
	tavor_mcg_fails(table, false);
	if (tavor_mcg_lets_go(table)) {
		/* The tavor_mcg_failed() that is emptying the lists, or a callback of its */
		synchronize_rcu();
		/* The callback that it has queued, and the one that this queues itself */
		rcu_barrier();
		rcu_barrier();
	}
	kfree_rcu(table, rcu);
}
