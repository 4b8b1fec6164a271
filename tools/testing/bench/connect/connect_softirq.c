// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Connections of a kernel client that never sleeps: a fixed number is in progress, and in softirq
 * each one that ends starts the next.
 */
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/vrb_verbs.h>

#include "life.h"

MODULE_DESCRIPTION("Connections of a client that never sleeps");
MODULE_LICENSE("Dual BSD/GPL");

static int depth = 64;
module_param(depth, int, 0444);
MODULE_PARM_DESC(depth, "connections at a time");

static int total = 640;
module_param(total, int, 0444);
MODULE_PARM_DESC(total, "connections altogether");

struct life {
	struct ib_qp *qp;
	u64 began;
	struct vrb_create_qp create;
	struct vrb_connect_qp connect;
};

static struct bed bed;
static struct life_times times;
static struct vrb_client *vrb_client;
static struct life *all;
static atomic_t left, running;
static int failed;
static DECLARE_COMPLETION(over);

static void life_begin(struct life *life);

static void life_next(struct life *life)
{
	if (atomic_dec_return(&left) >= 0)
		life_begin(life);
	else if (atomic_dec_and_test(&running))
		complete(&over);
}

static void life_gone(void *context)
{
	life_next(context);
}

static void life_connected(struct vrb *vrb)
{
	struct life *life = container_of(vrb, struct life, connect.vrb);

	if (vrb->status)
		failed = vrb->status;
	else
		life_took(&times, life->began);
	vrb_destroy_qp(vrb_client, life->qp, life_gone, life);
}

static void life_begin(struct life *life)
{
	struct ib_qp_init_attr attr = life_qp(bed.cq);

	life->began = ktime_get_ns();
	life->qp = vrb_alloc_qp(vrb_client, bed.pd, &attr, GFP_ATOMIC);
	if (IS_ERR(life->qp)) {
		failed = PTR_ERR(life->qp);
		if (atomic_dec_and_test(&running))
			complete(&over);
		return;
	}
	vrb_prep_create_qp(&life->create, life->qp);
	vrb_prep_connect_qp(&life->connect, life->qp);
	life_attr(&life->connect.attr, &bed, life->qp);
	life->connect.to = IB_QPS_RTS;
	life->connect.vrb.done = life_connected;
	if (vrb_submit(vrb_client, &life->create.vrb) != -EINPROGRESS ||
	    vrb_submit(vrb_client, &life->connect.vrb) != -EINPROGRESS) {
		failed = -EIO;
		vrb_destroy_qp(vrb_client, life->qp, life_gone, life);
	}
}

static int measure(void)
{
	u64 began = ktime_get_ns();
	int i;

	atomic_set(&left, total);
	atomic_set(&running, depth);
	for (i = 0; i < depth; i++) {
		local_bh_disable();
		life_next(&all[i]);
		local_bh_enable();
	}
	wait_for_completion(&over);
	life_result(&times, total, began);
	return failed;
}

static int with_cq(void)
{
	struct ib_cq_init_attr attr = { .cqe = 63 };
	struct vrb_create_cq create;

	bed.cq = vrb_alloc_cq(vrb_client, &attr, NULL, NULL, NULL, GFP_KERNEL);
	if (IS_ERR(bed.cq))
		return PTR_ERR(bed.cq);
	vrb_prep_create_cq(&create, bed.cq);
	return vrb_submit_wait(vrb_client, &create.vrb) ?: measure();
}

static int result = -ENODEV;

static int on_device(struct ib_device *device)
{
	if (result != -ENODEV)
		return -EOPNOTSUPP;
	result = life_bed(&bed, device);
	if (result)
		return -EOPNOTSUPP;
	vrb_client = vrb_client_register(device, KBUILD_MODNAME);
	result = PTR_ERR_OR_ZERO(vrb_client);
	if (!result) {
		result = with_cq();
		/* Destroys the CQ. */
		vrb_client_shut(vrb_client);
		vrb_client_unregister(vrb_client);
	}
	ib_dealloc_pd(bed.pd);
	return -EOPNOTSUPP;	/* there is nothing to remove later */
}

static struct ib_client client = { .name = "connect_softirq", .add = on_device };

static int __init connect_softirq_init(void)
{
	int ret;

	all = kcalloc(depth, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	ret = life_times_init(&times, total) ?: ib_register_client(&client);
	if (!ret)
		ib_unregister_client(&client);
	kvfree(times.ns);
	kfree(all);
	return ret ?: result;
}

static void __exit connect_softirq_exit(void)
{
}

module_init(connect_softirq_init);
module_exit(connect_softirq_exit);
