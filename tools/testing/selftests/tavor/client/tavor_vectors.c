// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Asks for the affinity of each completion vector, and of numbers that are none. kernel_client.sh
 * reads the answers from the log.
 */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <rdma/ib_verbs.h>

#ifdef HAS_IB_GET_VECTOR_AFFINITY
static bool nowhere(struct ib_device *dev, int vector)
{
	return !ib_get_vector_affinity(dev, vector);
}

static int vectors_add(struct ib_device *dev)
{
	const struct cpumask *mask;
	int i;

	for (i = 0; i < dev->num_comp_vectors; i++) {
		mask = ib_get_vector_affinity(dev, i);
		if (mask)
			pr_info("tavor_vectors: vector %d: %*pbl\n", i, cpumask_pr_args(mask));
	}
	pr_info("tavor_vectors: %sok 1 a vector that does not exist has no affinity\n",
		nowhere(dev, -1) && nowhere(dev, dev->num_comp_vectors) && nowhere(dev, INT_MAX) ?
		"" : "not ");
	return -EOPNOTSUPP;
}
#else
static int vectors_add(struct ib_device *dev)
{
	pr_info("tavor_vectors: # this kernel has no ib_get_vector_affinity()\n");
	return -EOPNOTSUPP;
}
#endif

static struct ib_client client = {
	.name = "tavor_vectors",
	.add = vectors_add,
};

static int __init vectors_init(void)
{
	return ib_register_client(&client);
}

static void __exit vectors_exit(void)
{
	ib_unregister_client(&client);
}

module_init(vectors_init);
module_exit(vectors_exit);
MODULE_DESCRIPTION("Test of the affinity of an HCA's completion vectors");
MODULE_LICENSE("Dual BSD/GPL");
