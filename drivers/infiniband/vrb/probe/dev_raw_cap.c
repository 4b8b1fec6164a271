// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* What capable(CAP_NET_RAW) was asked for is asked for in the network namespace of the device. */
#include <rdma/ib_verbs.h>

bool probe(const struct ib_device *dev);
bool probe(const struct ib_device *dev)
{
	return rdma_dev_has_raw_cap(dev);
}
