// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* There is ib_device_ops.get_vector_affinity. */
#include <rdma/ib_verbs.h>

static const struct cpumask *affinity(struct ib_device *dev, int vector)
{
	return NULL;
}

const struct ib_device_ops probe = { .get_vector_affinity = affinity };
