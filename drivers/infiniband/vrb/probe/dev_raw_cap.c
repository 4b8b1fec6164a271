// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* CAP_NET_RAW is checked in the network namespace of the device, by rdma_dev_has_raw_cap(). */
#include <rdma/ib_verbs.h>

bool probe(const struct ib_device *dev);
bool probe(const struct ib_device *dev)
{
	return rdma_dev_has_raw_cap(dev);
}
