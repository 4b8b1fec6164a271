// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates objects whose command times out and is answered later, with success. The create is
 * submitted again, and the object works and can be destroyed. kernel_client.sh sets the model's
 * delay, and reads the results from the log.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/slab.h>

#include "loop.h"

#define ENDS_WITHIN	(20 * HZ)

static char *mode = "cq";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "cq or srq: whose command is answered too late");

static void gone(void *over)
{
	complete(over);
}

/* The create times out, and is then repeated until the answer to the first command has come. */
static void created_late(struct loop *loop, struct vrb *vrb)
{
	int i, ret = -EUCLEAN;

	loop_want(loop, -ETIMEDOUT, loop_ask(loop, vrb), "create");
	loop_want(loop, -EUCLEAN, loop_ask(loop, vrb), "create before the answer");
	for (i = 0; i < 200 && ret == -EUCLEAN; i++) {
		msleep(20);
		ret = loop_ask(loop, vrb);
	}
	loop_want(loop, 0, ret, "create after the answer");
	loop_want(loop, -EINVAL, loop_ask(loop, vrb), "create of what there is");
}

static void create_cq(struct loop *loop)
{
	struct ib_cq_init_attr attr = { .cqe = 63 };
	DECLARE_COMPLETION_ONSTACK(over);
	struct vrb_create_cq req;
	struct ib_cq *cq;

	cq = vrb_alloc_cq(loop->client, &attr, NULL, NULL, NULL, GFP_KERNEL);
	if (IS_ERR(cq)) {
		loop->wrong++;
		return;
	}
	vrb_prep_create_cq(&req, cq);
	created_late(loop, &req.vrb);
	loop_want(loop, 0, ib_req_notify_cq(cq, IB_CQ_NEXT_COMP), "arm");
	vrb_destroy_cq(loop->client, cq, gone, &over);
	loop_want(loop, true, !!wait_for_completion_timeout(&over, ENDS_WITHIN), "gone");
}

static void create_srq(struct loop *loop)
{
	struct ib_srq_init_attr attr = { .attr = { .max_wr = 63, .max_sge = 1 } };
	DECLARE_COMPLETION_ONSTACK(over);
	struct ib_recv_wr wr = {};
	struct vrb_create_srq req;
	struct ib_srq *srq;

	srq = vrb_alloc_srq(loop->client, loop->pd, &attr, GFP_KERNEL);
	if (IS_ERR(srq)) {
		loop->wrong++;
		return;
	}
	vrb_prep_create_srq(&req, srq);
	created_late(loop, &req.vrb);
	loop_want(loop, 0, ib_post_srq_recv(srq, &wr, NULL), "post");
	vrb_destroy_srq(loop->client, srq, gone, &over);
	loop_want(loop, true, !!wait_for_completion_timeout(&over, ENDS_WITHIN), "gone");
}

static int tavor_again_add(struct ib_device *dev)
{
	struct loop *loop = kzalloc(sizeof(*loop), GFP_KERNEL);

	if (!loop)
		return -ENOMEM;
	loop_begin(loop, dev);
	if (!strcmp(mode, "srq"))
		create_srq(loop);
	else
		create_cq(loop);
	loop_result(loop, "a create that completes too late is finished by another");
	loop_end(loop);
	kfree(loop);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_again",
	.add = tavor_again_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of creates that are answered too late");
MODULE_LICENSE("Dual BSD/GPL");
