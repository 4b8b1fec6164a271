// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The engine's counters as port statistics ("rdma statistic"). They are the device's: both ports
 * show the same.
 */
#include "stats.h"
#include "tavor.h"

/* Each counter is a u64 of struct vrb_counters; the description carries its place. */
#define COUNTER(field) \
	{ .name = "vrb_" #field, .priv = (void *)offsetof(struct vrb_counters, field) }

static const struct rdma_stat_desc tavor_stats_descs[] = {
	COUNTER(submitted),
	COUNTER(refused),
	COUNTER(completed),
	COUNTER(failed),
	COUNTER(cancelled),
	COUNTER(flushed),
	COUNTER(deadline),
	COUNTER(timeouts),
	COUNTER(zombies_reaped),
	COUNTER(stray),
	COUNTER(steps),
	COUNTER(busy),
	COUNTER(no_slot),
	COUNTER(undone),
	COUNTER(waits),
	COUNTER(inbox),
	COUNTER(runs),
	COUNTER(queue_now),
	COUNTER(queue_max),
	COUNTER(slots_now),
	COUNTER(slots_max),
	COUNTER(hold_max),
	COUNTER(run_max_ns),
};

static struct rdma_hw_stats *tavor_alloc_hw_port_stats(struct ib_device *ibdev, u32 port)
{
	return rdma_alloc_hw_stats_struct(tavor_stats_descs, ARRAY_SIZE(tavor_stats_descs),
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

static int tavor_get_hw_stats(struct ib_device *ibdev, struct rdma_hw_stats *stats, u32 port,
			      int index)
{
	struct vrb_counters counters;
	unsigned int i;

	vrb_device_counters(to_tdev(ibdev)->vrb, &counters);
	for (i = 0; i < ARRAY_SIZE(tavor_stats_descs); i++)
		stats->value[i] = *(u64 *)((void *)&counters + (size_t)tavor_stats_descs[i].priv);
	return ARRAY_SIZE(tavor_stats_descs);
}

const struct ib_device_ops tavor_stats_ops = {
	.alloc_hw_port_stats = tavor_alloc_hw_port_stats,
	.get_hw_stats = tavor_get_hw_stats,
};
