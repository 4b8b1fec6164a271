// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Load in softirq: while the module is loaded, a timer keeps a processor busy, time and again. */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <rdma/vrb_compat.h>

MODULE_DESCRIPTION("Keeps a processor busy in softirq");
MODULE_LICENSE("Dual BSD/GPL");

#define PERIOD_US_MAX 100000

static unsigned int period_us = 4000;
module_param(period_us, uint, 0444);
MODULE_PARM_DESC(period_us, "time from one timer to the next");

static unsigned int busy_us = 2000;
module_param(busy_us, uint, 0444);
MODULE_PARM_DESC(busy_us, "time that each is busy");

static struct hrtimer timer;

static enum hrtimer_restart busy(struct hrtimer *t)
{
	u64 until = ktime_get_ns() + busy_us * NSEC_PER_USEC;

	while (ktime_get_ns() < until)
		cpu_relax();
	hrtimer_forward_now(t, ns_to_ktime((u64)period_us * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

static int __init connect_load_init(void)
{
	if (!period_us || period_us > PERIOD_US_MAX || busy_us >= period_us)
		return -EINVAL;
	hrtimer_setup(&timer, busy, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	hrtimer_start(&timer, ns_to_ktime((u64)period_us * NSEC_PER_USEC), HRTIMER_MODE_REL_SOFT);
	return 0;
}

static void __exit connect_load_exit(void)
{
	hrtimer_cancel(&timer);
}

module_init(connect_load_init);
module_exit(connect_load_exit);
