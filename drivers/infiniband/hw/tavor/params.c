// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Module parameters: their defaults, their ranges, and the check at load.
 */
#include <linux/log2.h>
#include <linux/module.h>

#include "params.h"
#include "tavor.h"

#define TAVOR_MAX_RING_PAGES	65536U

struct tavor_params tavor_params = {
	.num_qp = 1 << 16,
	.num_cq = 1 << 16,
	.num_mpt = 1 << 17,
	.num_mtt = 1 << 20,
	.num_mcg = 1 << 12,
	.num_av = 1 << 15,
	.num_pd = 1 << 15,
	.rdb_per_qp = 4,
	.ring_pages = 256,
	.cmd_timeout_ms = 60000,
	.recoveries = 6,
	.msi_x = true,
};

module_param_named(num_qp, tavor_params.num_qp, uint, 0444);
MODULE_PARM_DESC(num_qp, "queue pairs (power of two, 1024..16777216)");
module_param_named(num_cq, tavor_params.num_cq, uint, 0444);
MODULE_PARM_DESC(num_cq, "completion queues (power of two, 1024..16777216)");
module_param_named(num_mpt, tavor_params.num_mpt, uint, 0444);
MODULE_PARM_DESC(num_mpt, "memory keys (power of two, 1024..16777216)");
module_param_named(num_mtt, tavor_params.num_mtt, uint, 0444);
MODULE_PARM_DESC(num_mtt, "MTT segments of 8 pages each (power of two, 4096..16777216)");
module_param_named(num_mcg, tavor_params.num_mcg, uint, 0444);
MODULE_PARM_DESC(num_mcg, "multicast hash buckets (power of two, 64..1048576)");
module_param_named(num_av, tavor_params.num_av, uint, 0444);
MODULE_PARM_DESC(num_av, "address vectors in the HCA's memory (power of two, 64..1048576)");
module_param_named(num_pd, tavor_params.num_pd, uint, 0444);
MODULE_PARM_DESC(num_pd, "protection domains (power of two, 64..16777216)");
module_param_named(rdb_per_qp, tavor_params.rdb_per_qp, uint, 0444);
MODULE_PARM_DESC(rdb_per_qp,
		 "RDMA reads and atomics a QP can respond to at a time (power of two, 1..128)");
module_param_named(ring_pages, tavor_params.ring_pages, uint, 0444);
MODULE_PARM_DESC(ring_pages, "pages allocated for kernel queues at bind (0..65536)");
module_param_named(cmd_timeout_ms, tavor_params.cmd_timeout_ms, uint, 0444);
MODULE_PARM_DESC(cmd_timeout_ms,
		 "a firmware command times out when no command has completed for this many ms (100..600000)");
module_param_named(recoveries, tavor_params.recoveries, uint, 0644);
MODULE_PARM_DESC(recoveries,
		 "how many times in a row a failed device is recovered automatically (0: never)");
module_param_named(softirq_objects, tavor_params.softirq_objects, bool, 0644);
MODULE_PARM_DESC(softirq_objects,
		 "kernel clients may make objects that security modules do not see (for kernels with SECURITY_INFINIBAND)");
module_param_named(msi_x, tavor_params.msi_x, bool, 0444);
MODULE_PARM_DESC(msi_x, "try MSI-X first (N: INTx only)");

static const struct tavor_param_range {
	const char *name;
	const unsigned int *value;
	unsigned int min;
	unsigned int max;
} tavor_param_ranges[] = {
	{ "num_qp", &tavor_params.num_qp, 1 << 10, 1 << 24 },
	{ "num_cq", &tavor_params.num_cq, 1 << 10, 1 << 24 },
	{ "num_mpt", &tavor_params.num_mpt, 1 << 10, 1 << 24 },
	{ "num_mtt", &tavor_params.num_mtt, 1 << 12, 1 << TAVOR_MTT_MAX_ORDER },
	{ "num_mcg", &tavor_params.num_mcg, 1 << 6, 1 << 20 },
	{ "num_av", &tavor_params.num_av, 1 << 6, 1 << 20 },
	{ "num_pd", &tavor_params.num_pd, 1 << 6, 1 << 24 },
	{ "rdb_per_qp", &tavor_params.rdb_per_qp, 1, 128 },
};

static bool tavor_param_ok(const struct tavor_param_range *r)
{
	return is_power_of_2(*r->value) && *r->value >= r->min && *r->value <= r->max;
}

/**
 * tavor_params_check() - checks the module parameters
 *
 * Context: Any.
 * Return: 0; -EINVAL, with the reason in the log.
 */
int tavor_params_check(void)
{
	const unsigned int ms = tavor_params.cmd_timeout_ms;
	const struct tavor_param_range *r;

	for (r = tavor_param_ranges; r < tavor_param_ranges + ARRAY_SIZE(tavor_param_ranges); r++) {
		if (tavor_param_ok(r))
			continue;
		pr_err(TAVOR_NAME ": %s=%u: must be a power of two from %u to %u\n", r->name,
		       *r->value, r->min, r->max);
		return -EINVAL;
	}
	if (tavor_params.ring_pages > TAVOR_MAX_RING_PAGES) {
		pr_err(TAVOR_NAME ": ring_pages=%u: must be at most %u\n",
		       tavor_params.ring_pages, TAVOR_MAX_RING_PAGES);
		return -EINVAL;
	}
	if (ms >= 100 && ms <= 600000)
		return 0;
	pr_err(TAVOR_NAME ": cmd_timeout_ms=%u: must be 100 to 600000\n", ms);
	return -EINVAL;
}
