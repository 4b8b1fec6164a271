// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* There is ib_no_udata_io(), which came later than the other functions for driver data. */
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

int probe(struct ib_udata *udata);
int probe(struct ib_udata *udata)
{
	return ib_no_udata_io(udata);
}
