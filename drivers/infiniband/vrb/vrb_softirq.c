// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * What has a function called in softirq, never twice at a time: for the pump, and for a provider's
 * event queues.
 *
 * irq_poll does that where the softirqs of a CPU exclude each other: it has a single runner then,
 * and a list that only one softirq is at. A PREEMPT_RT kernel need not be built like that
 * (PREEMPT_RT_NEEDS_BH_LOCK; before there was this choice they all were, and the timer does no harm
 * there). Elsewhere a soft hrtimer is the carrier, whose function never runs twice at a time
 * whatever the kernel. A parameter has the timer used everywhere, so that it can be tested.
 */
#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

#define VRB_NEEDS_TIMER \
	(IS_ENABLED(CONFIG_PREEMPT_RT) && !IS_ENABLED(CONFIG_PREEMPT_RT_NEEDS_BH_LOCK))

static bool vrb_soft_timer;
module_param_named(soft_timer, vrb_soft_timer, bool, 0644);
MODULE_PARM_DESC(soft_timer,
		 "devices that come from now on have timers, not irq_poll (for tests)");

static int vrb_softirq_poll(struct irq_poll *iop, int budget)
{
	struct vrb_softirq *softirq = container_of(iop, struct vrb_softirq, iop);

	return softirq->run(softirq, budget);
}

static enum hrtimer_restart vrb_softirq_expired(struct hrtimer *timer)
{
	struct vrb_softirq *softirq = container_of(timer, struct vrb_softirq, timer);
	int budget = softirq->iop.weight;

	/* Before the function looks at what there is to do: pairs with vrb_softirq_sched(). */
	smp_mb();
	if (softirq->run(softirq, budget) >= budget)
		vrb_softirq_sched(softirq);
	return HRTIMER_NORESTART;
}

/**
 * vrb_softirq_init - make the carrier of a function ready
 * @softirq: carrier
 * @budget: how much work @run may do at a time
 * @run: see struct vrb_softirq
 *
 * Context: Process.
 */
void vrb_softirq_init(struct vrb_softirq *softirq, int budget,
		      int (*run)(struct vrb_softirq *softirq, int budget))
{
	softirq->run = run;
	softirq->timed = VRB_NEEDS_TIMER || vrb_soft_timer;
	softirq->stopped = false;
	irq_poll_init(&softirq->iop, budget, vrb_softirq_poll);
	hrtimer_setup(&softirq->timer, vrb_softirq_expired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
}
EXPORT_SYMBOL_GPL(vrb_softirq_init);

/**
 * vrb_softirq_sched - have the function called
 * @softirq: carrier
 *
 * If it is running and has not said yet that it gives up, it need not be called again.
 *
 * Context: Any but NMI.
 */
void vrb_softirq_sched(struct vrb_softirq *softirq)
{
	if (!softirq->timed) {
		irq_poll_sched(&softirq->iop);
		return;
	}
	/*
	 * The present time, not an earlier one: what begins before a round of expired timers is
	 * called in it, so that one which starts itself again would never let the softirq end.
	 */
	rcu_read_lock();
	/*
	 * One that is queued has not begun, so it will see what this is called for. To start it
	 * again would put it off, and who calls often enough would put it off for ever. Pairs with
	 * the barrier in vrb_softirq_expired().
	 */
	smp_mb();
	if (!READ_ONCE(softirq->stopped) && !hrtimer_is_queued(&softirq->timer))
		hrtimer_start(&softirq->timer, ktime_get(), HRTIMER_MODE_ABS_SOFT);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(vrb_softirq_sched);

/**
 * vrb_softirq_complete - the function gives up: from now on a vrb_softirq_sched() counts
 * @softirq: carrier
 *
 * Context: Its function.
 */
void vrb_softirq_complete(struct vrb_softirq *softirq)
{
	if (!softirq->timed)
		irq_poll_complete(&softirq->iop);
}
EXPORT_SYMBOL_GPL(vrb_softirq_complete);

/**
 * vrb_softirq_stop - the function does not run any more, nor is it going to
 * @softirq: carrier
 *
 * Context: Process, may sleep.
 */
void vrb_softirq_stop(struct vrb_softirq *softirq)
{
	might_sleep();
	if (!softirq->timed)
		irq_poll_disable(&softirq->iop);
	WRITE_ONCE(softirq->stopped, true);
	/* A run may be on its way out, and somebody about to start the timer. */
	synchronize_rcu();
	hrtimer_cancel(&softirq->timer);
}
EXPORT_SYMBOL_GPL(vrb_softirq_stop);
