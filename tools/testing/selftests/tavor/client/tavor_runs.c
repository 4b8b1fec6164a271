// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Counts what runs of softirq functions do, with probes: the events that a run of one of ib_tavor's
 * event queues handles, and the translation entries that a run of the engine's pump writes. No two
 * of these runs are on one processor at a time. bounds.sh reads the parameters.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/percpu.h>

#include "../../vrb/faults/argument.h"

static bool count;
module_param(count, bool, 0444);
MODULE_PARM_DESC(count, "whether to count; the driver must be loaded then");

static uint slow_ms;
module_param(slow_ms, uint, 0644);
MODULE_PARM_DESC(slow_ms, "how long each run of an event queue is delayed, so that events pile up");

static uint events;
module_param(events, uint, 0444);
MODULE_PARM_DESC(events, "most events in a run so far");

static uint entries;
module_param(entries, uint, 0444);
MODULE_PARM_DESC(entries, "most translation entries in a run so far");

static uint portion;
module_param(portion, uint, 0444);
MODULE_PARM_DESC(portion, "most translation entries in one step so far");

static DEFINE_PER_CPU(uint, events_now);
static DEFINE_PER_CPU(uint, entries_now);

static void note(uint *most, uint n)
{
	uint old = READ_ONCE(*most);

	while (n > old && !try_cmpxchg(most, &old, n))
		;
}

static int queue_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	mdelay(READ_ONCE(slow_ms));
	this_cpu_write(events_now, 0);
	return 0;
}

static int queue_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	note(&events, this_cpu_read(events_now));
	return 0;
}

static int event_comes(struct kprobe *probe, struct pt_regs *regs)
{
	this_cpu_inc(events_now);
	return 0;
}

static int pump_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	this_cpu_write(entries_now, 0);
	return 0;
}

static int pump_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	note(&entries, this_cpu_read(entries_now));
	return 0;
}

/* Called with (vrb, first, n, pages) for the entries that will be written next. */
static int entries_come(struct kprobe *probe, struct pt_regs *regs)
{
	uint n = argument(regs, 2);

	this_cpu_add(entries_now, n);
	note(&portion, n);
	return 0;
}

static struct kretprobe queue_probe = {
	.kp.symbol_name = "tavor_eq_poll",
	.entry_handler = queue_begins,
	.handler = queue_ends,
	.maxactive = 16,
};

static struct kretprobe pump_probe = {
	.kp.symbol_name = "vrb_carry",
	.entry_handler = pump_begins,
	.handler = pump_ends,
	.maxactive = 16,
};

static struct kprobe comp_probe = {
	.symbol_name = "tavor_event_comp",
	.pre_handler = event_comes,
};

static struct kprobe async_probe = {
	.symbol_name = "tavor_event_async",
	.pre_handler = event_comes,
};

static struct kprobe ring_probe = {
	.symbol_name = "tavor_buf_mtt_pages",
	.pre_handler = entries_come,
};

static struct kprobe region_probe = {
	.symbol_name = "tavor_reg_mtt_pages",
	.pre_handler = entries_come,
};

static struct kretprobe *runs[] = { &queue_probe, &pump_probe };
static struct kprobe *parts[] = { &comp_probe, &async_probe, &ring_probe, &region_probe };

static int __init tavor_runs_init(void)
{
	int ret;

	if (!count)
		return 0;
	if (!IS_ENABLED(CONFIG_X86_64))
		return -EOPNOTSUPP;
	ret = register_kretprobes(runs, ARRAY_SIZE(runs));
	if (ret)
		return ret;
	ret = register_kprobes(parts, ARRAY_SIZE(parts));
	if (ret)
		unregister_kretprobes(runs, ARRAY_SIZE(runs));
	return ret;
}

static void __exit tavor_runs_exit(void)
{
	if (!count)
		return;
	unregister_kprobes(parts, ARRAY_SIZE(parts));
	unregister_kretprobes(runs, ARRAY_SIZE(runs));
	if (queue_probe.nmissed || pump_probe.nmissed)
		pr_info("tavor_runs: %d runs missed\n", queue_probe.nmissed + pump_probe.nmissed);
}

module_init(tavor_runs_init);
module_exit(tavor_runs_exit);
MODULE_DESCRIPTION("Counts what a run of a softirq function does");
MODULE_LICENSE("Dual BSD/GPL");
