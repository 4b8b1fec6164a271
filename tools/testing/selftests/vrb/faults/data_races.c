// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Data races on purpose, and the same accesses without a race: whether the kernel that the tests
 * run on tells them apart. For half a second every processor counts in the way that the parameter
 * names.
 */
#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>

static char *how;
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "plain, unordered: races; ordered, locked: none; nothing: no accesses");

static DEFINE_SPINLOCK(lock);
static unsigned int count;
static unsigned int turn;

/* Two processors at a time */
static noinline void race_plain(unsigned long end, unsigned int me)
{
	while (time_before(jiffies, end)) {
		count++;
		cpu_relax();
	}
}

/* One after the other, but nothing orders the accesses of one before those of the other. */
static noinline void race_unordered(unsigned long end, unsigned int me)
{
	while (time_before(jiffies, end)) {
		if (READ_ONCE(turn) == me) {
			count++;
			WRITE_ONCE(turn, !me);
		}
		cpu_relax();
	}
}

static noinline void clean_ordered(unsigned long end, unsigned int me)
{
	while (time_before(jiffies, end)) {
		/* Pairs with the release below, on the other processor: its count is complete. */
		if (smp_load_acquire(&turn) == me) {
			count++;
			/* Pairs with the acquire above. */
			smp_store_release(&turn, !me);
		}
		cpu_relax();
	}
}

static noinline void clean_locked(unsigned long end, unsigned int me)
{
	while (time_before(jiffies, end)) {
		spin_lock(&lock);
		count++;
		spin_unlock(&lock);
		cpu_relax();
	}
}

static const struct {
	const char *name;
	void (*run)(unsigned long end, unsigned int me);
} ways[] = {
	{ "plain", race_plain },
	{ "unordered", race_unordered },
	{ "ordered", clean_ordered },
	{ "locked", clean_locked },
};

static int way = -1;
static DEFINE_PER_CPU(struct work_struct, works);

static void run_way(struct work_struct *work)
{
	ways[way].run(jiffies + HZ / 2, raw_smp_processor_id() & 1);
}

static void run_everywhere(void)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		INIT_WORK(per_cpu_ptr(&works, cpu), run_way);
		schedule_work_on(cpu, per_cpu_ptr(&works, cpu));
	}
	for_each_online_cpu(cpu)
		flush_work(per_cpu_ptr(&works, cpu));
	cpus_read_unlock();
}

static int __init data_races_init(void)
{
	int i;

	if (!how)
		return 0;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!strcmp(ways[i].name, how))
			way = i;
	}
	if (way < 0)
		return -EINVAL;
	run_everywhere();
	return 0;
}
module_init(data_races_init);

static void __exit data_races_exit(void)
{
}
module_exit(data_races_exit);

MODULE_DESCRIPTION("Data races on purpose");
MODULE_LICENSE("Dual BSD/GPL");
