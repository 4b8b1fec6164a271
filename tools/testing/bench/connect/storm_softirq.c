// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Registrations, completion queues or multicast joins of a kernel client that never sleeps: a fixed
 * number is in progress, and each one that has been undone in softirq starts the next.
 */
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/vrb_verbs.h>

#include "life.h"

MODULE_DESCRIPTION("Registrations, completion queues and joins of a client that never sleeps");
MODULE_LICENSE("Dual BSD/GPL");

static int depth = 64;
module_param(depth, int, 0444);
MODULE_PARM_DESC(depth, "at a time");

static int total = 640;
module_param(total, int, 0444);
MODULE_PARM_DESC(total, "altogether; 0: only prepare");

static char *what = "mr";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "mr, cq or mcast");

struct storm {
	struct ib_qp *qp;
	struct ib_cq *cq;
	struct ib_mr *mr;
	struct vrb_create_cq create_cq;
	struct vrb_reg_mr reg;
	struct vrb_unreg_mr unreg;
	struct vrb_mcast attach, detach;
};

/* What is done for each */
struct kind {
	const char *name;
	int (*prepare)(struct storm *storm, int number);
	int (*begin)(struct storm *storm);
};

static struct bed bed;
static struct vrb_client *vrb_client;
static struct storm *all;
static const struct kind *kind;
static dma_addr_t page;
static atomic_t left, running;
static int failed;
static DECLARE_COMPLETION(over);

static void storm_next(struct storm *storm)
{
	int ret = 0;

	if (!failed && atomic_dec_return(&left) >= 0) {
		ret = kind->begin(storm);
		if (ret == -EINPROGRESS)
			return;
		failed = ret ?: -EIO;
	}
	if (atomic_dec_and_test(&running))
		complete(&over);
}

/* ---- Regions ---- */

static void unregistered(struct vrb *vrb)
{
	if (vrb->status)
		failed = vrb->status;
	storm_next(container_of(vrb, struct storm, unreg.vrb));
}

static void registered(struct vrb *vrb)
{
	struct storm *storm = container_of(vrb, struct storm, reg.vrb);

	if (vrb->status)
		failed = vrb->status;
	if (vrb_submit(vrb_client, &storm->unreg.vrb) != -EINPROGRESS) {
		failed = -EIO;
		storm_next(storm);
	}
}

static int prepare_mr(struct storm *storm, int number)
{
	struct vrb_create_mr create;

	storm->mr = vrb_alloc_mr(vrb_client, bed.pd, 1, GFP_KERNEL);
	if (IS_ERR(storm->mr))
		return PTR_ERR(storm->mr);
	vrb_prep_create_mr(&create, storm->mr);
	vrb_prep_reg_mr(&storm->reg, storm->mr);
	storm->reg.length = PAGE_SIZE;
	storm->reg.pages = &page;
	storm->reg.nr_pages = 1;
	storm->reg.page_shift = PAGE_SHIFT;
	storm->reg.access = IB_ACCESS_LOCAL_WRITE;
	storm->reg.vrb.done = registered;
	vrb_prep_unreg_mr(&storm->unreg, storm->mr);
	storm->unreg.vrb.done = unregistered;
	return vrb_submit_wait(vrb_client, &create.vrb);
}

static int begin_mr(struct storm *storm)
{
	return vrb_submit(vrb_client, &storm->reg.vrb);
}

/* ---- Completion queues ---- */

static void cq_gone(void *context)
{
	storm_next(context);
}

static void cq_created(struct vrb *vrb)
{
	struct storm *storm = container_of(vrb, struct storm, create_cq.vrb);

	if (vrb->status)
		failed = vrb->status;
	vrb_destroy_cq(vrb_client, storm->cq, cq_gone, storm);
}

static int prepare_cq(struct storm *storm, int number)
{
	return 0;
}

static int begin_cq(struct storm *storm)
{
	struct ib_cq_init_attr attr = { .cqe = 63 };

	storm->cq = vrb_alloc_cq(vrb_client, &attr, NULL, NULL, NULL, GFP_ATOMIC);
	if (IS_ERR(storm->cq))
		return PTR_ERR(storm->cq);
	vrb_prep_create_cq(&storm->create_cq, storm->cq);
	storm->create_cq.vrb.done = cq_created;
	return vrb_submit(vrb_client, &storm->create_cq.vrb);
}

/* ---- Joins ---- */

static void left_group(struct vrb *vrb)
{
	if (vrb->status)
		failed = vrb->status;
	storm_next(container_of(vrb, struct storm, detach.vrb));
}

static void joined(struct vrb *vrb)
{
	struct storm *storm = container_of(vrb, struct storm, attach.vrb);

	if (vrb->status)
		failed = vrb->status;
	if (vrb_submit(vrb_client, &storm->detach.vrb) != -EINPROGRESS) {
		failed = -EIO;
		storm_next(storm);
	}
}

static int create_ud(struct storm *storm)
{
	struct ib_qp_init_attr attr = life_qp(bed.cq);
	struct vrb_create_qp create;
	struct vrb_modify_qp modify;

	attr.qp_type = IB_QPT_UD;
	storm->qp = vrb_alloc_qp(vrb_client, bed.pd, &attr, GFP_KERNEL);
	if (IS_ERR(storm->qp))
		return PTR_ERR(storm->qp);
	vrb_prep_create_qp(&create, storm->qp);
	vrb_prep_modify_qp(&modify, storm->qp);
	modify.attr = (struct ib_qp_attr){
		.qp_state = IB_QPS_INIT, .port_num = PORT, .qkey = 1,
	};
	modify.mask = IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_QKEY;
	return vrb_submit_wait(vrb_client, &create.vrb) ?:
	       vrb_submit_wait(vrb_client, &modify.vrb);
}

static int prepare_mcast(struct storm *storm, int number)
{
	union ib_gid gid = {
		.raw = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, [14] = number >> 8, [15] = number }
	};
	int ret = create_ud(storm);

	vrb_prep_attach_mcast(&storm->attach, storm->qp);
	storm->attach.gid = gid;
	storm->attach.vrb.done = joined;
	vrb_prep_detach_mcast(&storm->detach, storm->qp);
	storm->detach.gid = gid;
	storm->detach.vrb.done = left_group;
	return ret;
}

static int begin_mcast(struct storm *storm)
{
	return vrb_submit(vrb_client, &storm->attach.vrb);
}

static const struct kind kinds[] = {
	{ "mr", prepare_mr, begin_mr },
	{ "cq", prepare_cq, begin_cq },
	{ "mcast", prepare_mcast, begin_mcast },
};

/* ---- All ---- */

static int measure(void)
{
	int i, ret = 0;
	u64 began;

	for (i = 0; i < depth && !ret; i++)
		ret = kind->prepare(&all[i], i);
	if (ret)
		return ret;
	atomic_set(&left, total);
	atomic_set(&running, depth);
	began = ktime_get_ns();
	for (i = 0; i < depth; i++) {
		local_bh_disable();
		storm_next(&all[i]);
		local_bh_enable();
	}
	wait_for_completion(&over);
	life_total(total, began);
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

static int with_page(void)
{
	void *memory = (void *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!memory)
		return -ENOMEM;
	page = ib_dma_map_single(bed.device, memory, PAGE_SIZE, DMA_BIDIRECTIONAL);
	ret = ib_dma_mapping_error(bed.device, page);
	if (!ret) {
		ret = with_cq();
		/* Destroys all objects. */
		vrb_client_shut(vrb_client);
		ib_dma_unmap_single(bed.device, page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	}
	free_page((unsigned long)memory);
	return ret;
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
		result = with_page();
		vrb_client_unregister(vrb_client);
	}
	ib_dealloc_pd(bed.pd);
	return -EOPNOTSUPP;	/* there is nothing to remove later */
}

static struct ib_client client = { .name = "storm_softirq", .add = on_device };

static int __init storm_softirq_init(void)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(what, kinds[i].name))
			kind = &kinds[i];
	}
	if (!kind || depth < 1 || total < 0)
		return -EINVAL;
	all = kcalloc(depth, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	ret = ib_register_client(&client);
	if (!ret)
		ib_unregister_client(&client);
	kfree(all);
	return ret ?: result;
}

static void __exit storm_softirq_exit(void)
{
}

module_init(storm_softirq_init);
module_exit(storm_softirq_exit);
