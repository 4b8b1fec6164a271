// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The engine's counters as port statistics ("rdma statistic"). They are the device's: both ports show the same.
 */
#include "tavor.h"

#define COUNTERS(X)		\
	X(submitted)		\
	X(refused)		\
	X(completed)		\
	X(failed)		\
	X(cancelled)		\
	X(deadline)		\
	X(timeouts)		\
	X(zombies_reaped)	\
	X(stray)		\
	X(steps)		\
	X(busy)			\
	X(no_slot)		\
	X(undone)		\
	X(events)		\
	X(runs)			\
	X(queue_now)		\
	X(queue_max)		\
	X(slots_now)		\
	X(slots_max)		\
	X(run_max_ns)

#define DESC(field) { .name = "vrb_" #field },
static const struct rdma_stat_desc descs[] = { COUNTERS(DESC) };

#define OFFSET(field) offsetof(struct vrb_counters, field),
static const size_t offsets[] = { COUNTERS(OFFSET) };

static struct rdma_hw_stats *tavor_alloc_hw_port_stats(struct ib_device *ibdev, u32 port)
{
	return rdma_alloc_hw_stats_struct(descs, ARRAY_SIZE(descs), RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

static int tavor_get_hw_stats(struct ib_device *ibdev, struct rdma_hw_stats *stats, u32 port,
			      int index)
{
	struct vrb_counters counters;
	unsigned int i;

	vrb_device_counters(to_tdev(ibdev)->vrb, &counters);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		stats->value[i] = *(u64 *)((void *)&counters + offsets[i]);
	return ARRAY_SIZE(offsets);
}

const struct ib_device_ops tavor_stats_ops = {
	.alloc_hw_port_stats = tavor_alloc_hw_port_stats,
	.get_hw_stats = tavor_get_hw_stats,
};
