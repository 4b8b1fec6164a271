// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Checks the times that the engine sets its timer to. A probe on hrtimer_start_range_ns() compares
 * each of them with what waits for the timer at that moment: queued requests with a deadline,
 * outstanding commands, and encoded ones that the register refused. So the upper bounds of rule 8
 * are tested without measuring time.
 */
#include <linux/kprobes.h>

#include "../../../../../drivers/infiniband/vrb/vrb_internal.h"
#include "../faults/argument.h"
#include "mock.h"

/* The bounds in Documentation/vrb-contract.rst */
#define MAX_DEADLINE_NS		(2 * NSEC_PER_MSEC)
#define MAX_RETRY_NS		NSEC_PER_MSEC
#define MAX_TIMEOUTS		10

static struct vrb_device *watched;
static unsigned int settings, late_deadlines, late_timeouts, late_retries;

/* The list of requests has cursors, too. */
static bool is_request(const struct vrb_device *dev, const struct list_head *entry)
{
	return entry != &dev->sweep && entry != &dev->sweep_end && entry != &dev->vrb_reader;
}

static bool waits_for_its_deadline(const struct vrb *vrb)
{
	return vrb->deadline && !vrb->started && vrb_state(vrb) == VRB_QUEUED;
}

/* Whether a setting is later than the bound. One that fires at once is not, on a slow CPU. */
static bool is_late(ktime_t at, ktime_t from, s64 ns)
{
	return at > ktime_add_ns(from, ns) && at > ktime_get();
}

/* vrb_set_timer() is the only caller with this timer, and it holds the device lock. */
static int check_setting(struct kprobe *probe, struct pt_regs *regs)
{
	struct vrb_device *dev = watched;
	ktime_t at = argument(regs, 1);
	const struct vrb_slot *slot;
	const struct vrb *vrb;

	if (argument(regs, 0) != (unsigned long)&dev->timer)
		return 0;
	settings++;
	list_for_each_entry(vrb, &dev->vrbs, device_entry)
		if (is_request(dev, &vrb->device_entry) && waits_for_its_deadline(vrb))
			late_deadlines += is_late(at, vrb->deadline, MAX_DEADLINE_NS);
	for (slot = dev->slots; slot < dev->slots + dev->nr_slots; slot++)
		if (slot->state == VRB_SLOT_BUSY && slot->posted)
			late_timeouts += is_late(at, slot->since, MAX_TIMEOUTS * dev->timeout_ns);
	if (!list_empty(&dev->ready))
		late_retries += is_late(at, ktime_get(), MAX_RETRY_NS);
	return 0;
}

/**
 * mock_watch_timer - run a test and check what the engine's timer is set to meanwhile
 * @t: test
 * @fn: its steps; its device has few requests
 *
 * Context: Process.
 */
void mock_watch_timer(struct test *t, void (*fn)(struct test *t))
{
	struct kprobe probe = { .symbol_name = "hrtimer_start_range_ns",
				.pre_handler = check_setting };
	int ret;

	watched = t->dev;
	settings = 0;
	late_deadlines = 0;
	late_timeouts = 0;
	late_retries = 0;
	/* A 32-bit machine has a time in two arguments. */
	ret = READS_ARGUMENTS && IS_ENABLED(CONFIG_64BIT) ? register_kprobe(&probe) : -EOPNOTSUPP;
	if (ret == -EOPNOTSUPP) {
		test_skip(t, "a probe cannot read arguments here");
		return;
	}
	if (!EXPECT_EQ(t, ret, 0))
		return;
	fn(t);
	unregister_kprobe(&probe);
	EXPECT(t, settings);
	EXPECT_EQ(t, late_deadlines, 0);
	EXPECT_EQ(t, late_timeouts, 0);
	EXPECT_EQ(t, late_retries, 0);
}
