// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Counters of the device: those of the engine, and a few of the driver; and counters of each port:
 * its events, and packets of its management. None is a sum of others, so nothing is counted twice.
 * QPs cannot be bound to counters.
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
#define PORT(field) \
	{ .name = #field, .priv = (void *)offsetof(struct tavor_port_counters, field) }

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

static const struct rdma_stat_desc tavor_port_descs[] = {
	PORT(active_events),
	PORT(error_events),
	PORT(lid_events),
	PORT(pkey_events),
	PORT(gid_events),
	PORT(reregister_events),
	PORT(mads_answered),
	PORT(traps_forwarded),
};

static struct rdma_hw_stats *tavor_alloc_hw_device_stats(struct ib_device *ibdev)
{
	return rdma_alloc_hw_stats_struct(tavor_stats_descs, ARRAY_SIZE(tavor_stats_descs),
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

/*
 * A registration first asks for counters that QPs can be bound to. The hardware has none. Without
 * the refusal, ib_core would accept "rdma statistic qp set", and no QP would be bound.
 */
static struct rdma_hw_stats *tavor_alloc_hw_port_stats(struct ib_device *ibdev, u32 port)
{
	struct tavor_dev *dev = to_tdev(ibdev);

	if (!dev->bound_stats_refused) {
		dev->bound_stats_refused = true;
		return NULL;
	}
	return rdma_alloc_hw_stats_struct(tavor_port_descs, ARRAY_SIZE(tavor_port_descs),
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

static int tavor_get_device_stats(struct tavor_dev *dev, struct rdma_hw_stats *stats)
{
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

static int tavor_get_port_stats(const struct tavor_port_counters *counters,
				struct rdma_hw_stats *stats)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tavor_port_descs); i++)
		stats->value[i] = atomic64_read((const void *)counters +
						(size_t)tavor_port_descs[i].priv);
	return ARRAY_SIZE(tavor_port_descs);
}

/* @port: 0: counters of the device */
static int tavor_get_hw_stats(struct ib_device *ibdev, struct rdma_hw_stats *stats, u32 port,
			      int index)
{
	struct tavor_dev *dev = to_tdev(ibdev);

	return port ? tavor_get_port_stats(tavor_port_counters(dev, port), stats) :
		      tavor_get_device_stats(dev, stats);
}

const struct ib_device_ops tavor_stats_ops = {
	.alloc_hw_device_stats = tavor_alloc_hw_device_stats,
	.alloc_hw_port_stats = tavor_alloc_hw_port_stats,
	.get_hw_stats = tavor_get_hw_stats,
};
