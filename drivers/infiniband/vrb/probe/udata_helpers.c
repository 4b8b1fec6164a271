// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* There are functions that check and answer the driver data of a call of uverbs. */
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

int probe(struct ib_udata *udata);
int probe(struct ib_udata *udata)
{
	struct ib_udata data;

	return ib_copy_validate_udata_in(udata, data, outlen) ?: ib_is_udata_in_empty(udata) ?:
	       ib_respond_udata(udata, data) ?: ib_respond_empty_udata(udata);
}
