// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Counters of the device: those of the engine, and a few of the driver. Ports have no counters, so
 * that nothing is counted twice, and QPs cannot be bound to counters.
 */
#include "stats.h"
#include "tavor.h"

/* A copy of all counters; a description has the offset of its counter in this structure. */
struct tavor_stats {
	struct vrb_counters engine;
	u64 cq_errors;
	u64 uar_errors;
	u64 ecc_errors;
};

#define ENGINE(field) \
	{ .name = "vrb_" #field, .priv = (void *)offsetof(struct tavor_stats, engine.field) }
#define OWN(field) \
	{ .name = #field, .priv = (void *)offsetof(struct tavor_stats, field) }

static const struct rdma_stat_desc tavor_stats_descs[] = {
	ENGINE(submitted),
	ENGINE(refused),
	ENGINE(completed),
	ENGINE(failed),
	ENGINE(cancelled),
	ENGINE(flushed),
	ENGINE(deadline),
	ENGINE(timeouts),
	ENGINE(zombies_reaped),
	ENGINE(stray),
	ENGINE(steps),
	ENGINE(busy),
	ENGINE(no_slot),
	ENGINE(undone),
	ENGINE(waits),
	ENGINE(inbox),
	ENGINE(runs),
	ENGINE(queue_now),
	ENGINE(queue_max),
	ENGINE(slots_now),
	ENGINE(slots_max),
	ENGINE(hold_max),
	ENGINE(run_max_ns),
	OWN(cq_errors),
	OWN(uar_errors),
	OWN(ecc_errors),
};

static struct rdma_hw_stats *tavor_alloc_hw_device_stats(struct ib_device *ibdev)
{
	return rdma_alloc_hw_stats_struct(tavor_stats_descs, ARRAY_SIZE(tavor_stats_descs),
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

static int tavor_get_hw_stats(struct ib_device *ibdev, struct rdma_hw_stats *stats, u32 port,
			      int index)
{
	struct tavor_dev *dev = to_tdev(ibdev);
	struct tavor_stats now = {
		.cq_errors = atomic64_read(&dev->cq_errors),
		.uar_errors = atomic64_read(&dev->uar_errors),
		.ecc_errors = atomic64_read(&dev->ecc_errors),
	};
	unsigned int i;

	vrb_device_counters(dev->vrb, &now.engine);
	for (i = 0; i < ARRAY_SIZE(tavor_stats_descs); i++)
		stats->value[i] = *(u64 *)((void *)&now + (size_t)tavor_stats_descs[i].priv);
	return ARRAY_SIZE(tavor_stats_descs);
}

const struct ib_device_ops tavor_stats_ops = {
	.alloc_hw_device_stats = tavor_alloc_hw_device_stats,
	.get_hw_stats = tavor_get_hw_stats,
};
