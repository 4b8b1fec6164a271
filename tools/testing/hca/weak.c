// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#include "hca.h"

__attribute__((weak)) bool qp_uses_cq(struct hca *h, u32 cqn)
{
	return false;
}
