// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The cost of the engine: loading the module executes the intervals that "cost" counts. Requests
 * are submitted with softirqs disabled, so that as many as the depth are queued before the pump
 * runs. An interval lasts from the first submit to the last callback.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "../count/marker.h"
#include "provider.h"

MODULE_DESCRIPTION("What the request engine costs");
MODULE_LICENSE("Dual BSD/GPL");

#define SLOTS 64
#define DEPTH_MAX 65536
#define TIMES 11
#define PATIENCE_MS 10000	/* submitting all requests takes less */

static char *pump = "vrb_carry";
module_param(pump, charp, 0444);
MODULE_PARM_DESC(pump, "function of the engine that is one run of the pump");

static struct provider *provider;
static struct vrb *vrbs;
static atomic_t left;
static DECLARE_COMPLETION(over);

/* ---- Submit to callback ---- */

#define CALLBACK 0

static const unsigned int depths[] = { 1, 8, 64, 4096, DEPTH_MAX };
static bool counting;			/* the interval ends in the last callback */
static unsigned int again;

static void done(struct vrb *vrb)
{
	if (again) {
		again--;
		if (vrb_submit(provider_client(provider), vrb) == -EINPROGRESS)
			return;
	}
	if (!atomic_dec_and_test(&left))
		return;
	if (counting)
		count_end(CALLBACK);
	complete(&over);
}

/* Deadlines from that time on, out of order (7919 is a prime); 0 means none. */
static void prepare(unsigned int depth, ktime_t deadline)
{
	unsigned int i;

	for (i = 0; i < depth; i++) {
		provider_prep(&vrbs[i], done);
		if (deadline)
			vrbs[i].deadline = ktime_add_ns(deadline, i * 7919ULL % depth);
	}
	atomic_set(&left, depth);
	reinit_completion(&over);
}

/* A refused request is over. */
static int submit_all(unsigned int depth)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < depth; i++) {
		if (vrb_submit(provider_client(provider), &vrbs[i]) != -EINPROGRESS) {
			ret = -EIO;
			done(&vrbs[i]);
		}
	}
	return ret;
}

/* No deadline expires. */
static int submit_and_wait(unsigned int depth, bool deadlines)
{
	int ret;

	prepare(depth, deadlines ? ktime_add_ms(ktime_get(), 3600 * MSEC_PER_SEC) : 0);
	local_bh_disable();
	if (counting)
		count_begin(CALLBACK);
	ret = submit_all(depth);
	local_bh_enable();
	wait_for_completion(&over);
	return ret;
}

/* In the order in which "cost" expects the intervals: depth by depth, first without deadlines. */
static int measure_depths(void)
{
	unsigned int deadlines, depth, i;
	int ret = 0;

	counting = true;
	for (deadlines = 0; deadlines <= 1; deadlines++) {
		for (depth = 0; depth < ARRAY_SIZE(depths); depth++) {
			for (i = 0; i < TIMES && !ret; i++)
				ret = submit_and_wait(depths[depth], deadlines);
		}
	}
	counting = false;
	return ret;
}

/* ---- Submit alone, cancel, waiting ---- */

#define SUBMIT 1
#define CANCEL 2
#define SUBMIT_WAIT 3

/* All slots are taken, so that the submitted requests stay queued. */
static int measure_queued(unsigned int depth)
{
	int ret, submitted, cancelled;

	prepare(depth + 1, 0);
	local_bh_disable();
	provider_hold(provider, true);
	ret = submit_all(depth);
	count_begin(SUBMIT);
	submitted = vrb_submit(provider_client(provider), &vrbs[depth]);
	count_end(SUBMIT);
	count_begin(CANCEL);
	cancelled = vrb_cancel(&vrbs[depth]);
	count_end(CANCEL);
	provider_hold(provider, false);
	if (submitted != -EINPROGRESS)
		done(&vrbs[depth]);
	local_bh_enable();
	wait_for_completion(&over);
	if (submitted != -EINPROGRESS || cancelled)
		return -EIO;
	return ret;
}

#define SUBMIT_FREE 6	/* the numbers between these are those of runs */

/* There is a free slot. The pump has been kicked by another request before. */
static int measure_free(void)
{
	int ret, submitted;

	prepare(2, 0);
	local_bh_disable();
	ret = submit_all(1);
	count_begin(SUBMIT_FREE);
	submitted = vrb_submit(provider_client(provider), &vrbs[1]);
	count_end(SUBMIT_FREE);
	if (submitted != -EINPROGRESS)
		done(&vrbs[1]);
	local_bh_enable();
	wait_for_completion(&over);
	return submitted == -EINPROGRESS ? ret : -EIO;
}

static int measure_wait(void)
{
	int ret;

	provider_prep(&vrbs[0], NULL);
	count_begin(SUBMIT_WAIT);
	ret = vrb_submit_wait(provider_client(provider), &vrbs[0]);
	count_end(SUBMIT_WAIT);
	return ret;
}

/* ---- Runs of the pump ---- */

#define RUN 4
#define RUN_OF_NOTHING 5	/* the cost of the probe itself */

static int run_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	count_begin(RUN);
	return 0;
}

static int run_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	count_end(RUN);
	return 0;
}

static int nothing_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	count_begin(RUN_OF_NOTHING);
	return 0;
}

static int nothing_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	count_end(RUN_OF_NOTHING);
	return 0;
}

static noinline void run_of_nothing(void)
{
	barrier();
}

static struct kretprobe run_probe = {
	.entry_handler = run_begins,
	.handler = run_ends,
	.maxactive = 4,
};

static struct kretprobe nothing_probe = {
	.kp.symbol_name = "run_of_nothing",
	.entry_handler = nothing_begins,
	.handler = nothing_ends,
	.maxactive = 4,
};

/* The deadlines of all queued requests pass at once. */
static int expire(unsigned int depth)
{
	int ret;

	prepare(depth, ktime_add_ms(ktime_get(), PATIENCE_MS));
	local_bh_disable();
	provider_hold(provider, true);
	ret = submit_all(depth);
	local_bh_enable();
	msleep(PATIENCE_MS);
	local_bh_disable();
	provider_hold(provider, false);
	local_bh_enable();
	wait_for_completion(&over);
	return ret;
}

/* Each callback submits its request again, the given number of times. */
static int resubmit(unsigned int depth, unsigned int times)
{
	again = depth * times;
	return submit_and_wait(depth, false);
}

/* The device fails with that many requests queued. */
static int fail(unsigned int depth)
{
	int ret;

	prepare(depth, 0);
	local_bh_disable();
	provider_hold(provider, true);
	ret = submit_all(depth);
	provider_fail(provider);
	local_bh_enable();
	wait_for_completion(&over);
	return ret;
}

/* Must be the last measurement: it leaves the device failed. */
static int measure_runs(void)
{
	struct kretprobe *probes[] = { &run_probe, &nothing_probe };
	unsigned int i;
	int ret;

	run_probe.kp.symbol_name = pump;
	ret = register_kretprobes(probes, ARRAY_SIZE(probes));
	if (ret)
		return ret;
	for (i = 0; i < TIMES; i++)
		run_of_nothing();
	ret = submit_and_wait(DEPTH_MAX, false);
	ret = ret ?: submit_and_wait(DEPTH_MAX, true);
	ret = ret ?: resubmit(4096, 4);
	ret = ret ?: expire(DEPTH_MAX);
	ret = ret ?: fail(DEPTH_MAX);
	unregister_kretprobes(probes, ARRAY_SIZE(probes));
	return ret;
}

/* ---- */

static int measure(void)
{
	unsigned int i;
	int ret;

	ret = measure_depths();
	for (i = 0; i < TIMES && !ret; i++)
		ret = measure_queued(4096) ?: measure_free() ?: measure_wait();
	return ret ?: measure_runs();
}

static int __init cost_init(void)
{
	int ret;

	vrbs = vzalloc(array_size(DEPTH_MAX, sizeof(*vrbs)));
	if (!vrbs)
		return -ENOMEM;
	provider = provider_create(SLOTS);
	if (IS_ERR(provider)) {
		ret = PTR_ERR(provider);
		goto free_vrbs;
	}
	ret = measure();
	provider_destroy(provider);

free_vrbs:
	vfree(vrbs);
	return ret;
}

static void __exit cost_exit(void)
{
}

module_init(cost_init);
module_exit(cost_exit);
