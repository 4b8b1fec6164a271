// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Calls a function in softirq, never concurrently with itself: for the pump, and for a provider's
 * event queues.
 *
 * irq_poll does this if the softirqs of a CPU exclude each other, because only one softirq then
 * uses the CPU's list. On PREEMPT_RT they do so only with PREEMPT_RT_NEEDS_BH_LOCK; and even then
 * the softirq that a submit raises may run when the submit enables BH, in a task that holds a lock
 * taken by spin_lock_irqsave(), which its callback may take too. So on PREEMPT_RT a soft hrtimer
 * calls the function. It never runs concurrently with itself, and in kernels whose soft timers have
 * a thread for each CPU (6.13, and Debian's -rt kernels) not in the caller's task either.
 * The module parameter soft_timer selects the timer on every kernel, for tests.
 */
#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

static bool vrb_soft_timer;
module_param_named(soft_timer, vrb_soft_timer, bool, 0644);
MODULE_PARM_DESC(soft_timer,
		 "devices created from now on use a timer instead of irq_poll (for tests)");

static int vrb_softirq_poll(struct irq_poll *iop, int budget)
{
	struct vrb_softirq *softirq = container_of(iop, struct vrb_softirq, iop);

	return softirq->run(softirq, budget);
}

static enum hrtimer_restart vrb_softirq_expired(struct hrtimer *timer)
{
	struct vrb_softirq *softirq = container_of(timer, struct vrb_softirq, timer);
	int budget = softirq->iop.weight;

	/* vrb_softirq_stop_begin() did not prevent a start that was under way. */
	if (READ_ONCE(softirq->stopped))
		return HRTIMER_NORESTART;
	/* Before the function looks for work: pairs with vrb_softirq_sched(). */
	smp_mb();
	if (softirq->run(softirq, budget) >= budget)
		vrb_softirq_sched(softirq);
	return HRTIMER_NORESTART;
}

/**
 * vrb_softirq_init - prepare to call a function in softirq
 * @softirq: structure to initialise
 * @budget: how much work @run may do in one call
 * @run: see struct vrb_softirq
 *
 * Context: Process.
 */
void vrb_softirq_init(struct vrb_softirq *softirq, int budget,
		      int (*run)(struct vrb_softirq *softirq, int budget))
{
	softirq->run = run;
	softirq->timed = IS_ENABLED(CONFIG_PREEMPT_RT) || vrb_soft_timer;
	softirq->stopped = false;
	irq_poll_init(&softirq->iop, budget, vrb_softirq_poll);
	hrtimer_setup(&softirq->timer, vrb_softirq_expired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
}
EXPORT_SYMBOL_GPL(vrb_softirq_init);

/**
 * vrb_softirq_sched - schedule a call of the function
 * @softirq: initialised structure
 *
 * Has no effect while the function runs and has not called vrb_softirq_complete().
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
	 * The timer expires now, not earlier. The softirq calls all timers that expired before it
	 * began. A timer that restarts itself with an earlier time would never let it end.
	 */
	rcu_read_lock();
	/*
	 * A queued timer has not begun to run, so it will see the work. Starting it again would
	 * delay it; frequent calls would delay it for ever. Pairs with the barrier in
	 * vrb_softirq_expired().
	 */
	smp_mb();
	if (!READ_ONCE(softirq->stopped) && !hrtimer_is_queued(&softirq->timer))
		hrtimer_start(&softirq->timer, ktime_get(), HRTIMER_MODE_ABS_SOFT);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(vrb_softirq_sched);

/**
 * vrb_softirq_complete - end a call: a vrb_softirq_sched() after this calls the function again
 * @softirq: initialised structure
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
 * vrb_softirq_stop_begin - end the calls, as the first half of vrb_softirq_stop()
 * @softirq: initialised structure
 *
 * For several structures that share one grace period: this for each, a grace period of RCU, and
 * vrb_softirq_stop_end() for each. When this returns the function has completed its last call
 * (vrb_softirq_complete()), but @softirq is still in use.
 *
 * Context: Process, may sleep.
 */
void vrb_softirq_stop_begin(struct vrb_softirq *softirq)
{
	might_sleep();
	WRITE_ONCE(softirq->stopped, true);
	if (!softirq->timed)
		irq_poll_disable(&softirq->iop);
	else
		hrtimer_cancel(&softirq->timer);
}
EXPORT_SYMBOL_GPL(vrb_softirq_stop_begin);

/**
 * vrb_softirq_stop_end - let go of the structure, as the second half of vrb_softirq_stop()
 * @softirq: structure after vrb_softirq_stop_begin() and a grace period of RCU, so that any
 *	vrb_softirq_sched() that was under way has started its timer
 *
 * Context: Process, may sleep.
 */
void vrb_softirq_stop_end(struct vrb_softirq *softirq)
{
	might_sleep();
	hrtimer_cancel(&softirq->timer);
}
EXPORT_SYMBOL_GPL(vrb_softirq_stop_end);

/**
 * vrb_softirq_stop - stop for good: the function does not run and will not be called
 * @softirq: initialised structure
 *
 * Context: Process, may sleep.
 */
void vrb_softirq_stop(struct vrb_softirq *softirq)
{
	vrb_softirq_stop_begin(softirq);
	/* A call that has ended in the eyes of irq_poll, and a vrb_softirq_sched() under way */
	synchronize_rcu();
	vrb_softirq_stop_end(softirq);
}
EXPORT_SYMBOL_GPL(vrb_softirq_stop);
