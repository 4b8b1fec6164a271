// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tests that the reference to the source GID of a path is dropped when the QP gets another path,
 * without a GID. A probe on the function that drops it counts the calls. kernel_client.sh reads the
 * result from the log.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_cache.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#include "../../vrb/faults/argument.h"

struct paths {
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_connect_qp connect;
	struct vrb_modify_qp modify;
};

static const struct ib_gid_attr *gid;
static int puts;

static int count_put(struct kprobe *probe, struct pt_regs *regs)
{
	if (argument(regs, 0) == (unsigned long)gid)
		puts++;
	return 0;
}

static int ask(struct paths *p, struct vrb *vrb)
{
	return vrb_submit_wait(p->client, vrb);
}

static int create(struct paths *p)
{
	struct ib_cq_init_attr cq = { .cqe = 8 };
	struct ib_qp_init_attr qp = {
		.qp_type = IB_QPT_RC,
		.cap = { .max_send_wr = 2, .max_recv_wr = 2, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	int err;

	p->cq = vrb_alloc_cq(p->client, &cq, NULL, NULL, NULL, GFP_KERNEL);
	if (IS_ERR(p->cq))
		return PTR_ERR(p->cq);
	qp.send_cq = p->cq;
	qp.recv_cq = p->cq;
	p->qp = vrb_alloc_qp(p->client, p->pd, &qp, GFP_KERNEL);
	if (IS_ERR(p->qp))
		return PTR_ERR(p->qp);
	vrb_prep_create_cq(&p->create_cq, p->cq);
	vrb_prep_create_qp(&p->create_qp, p->qp);
	err = ask(p, &p->create_cq.vrb);
	return err ?: ask(p, &p->create_qp.vrb);
}

static int connect(struct paths *p)
{
	struct ib_qp_attr *attr = &p->connect.attr;

	vrb_prep_connect_qp(&p->connect, p->qp);
	attr->port_num = 1;
	attr->path_mtu = IB_MTU_1024;
	attr->dest_qp_num = p->qp->qp_num;
	attr->max_dest_rd_atomic = 1;
	attr->max_rd_atomic = 1;
	attr->min_rnr_timer = 12;
	attr->timeout = 14;
	attr->retry_cnt = 7;
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, 1);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	rdma_ah_set_grh(&attr->ah_attr, (union ib_gid *)&gid->gid, 0, 0, 1, 0);
	attr->ah_attr.grh.sgid_attr = gid;
	p->connect.to = IB_QPS_RTS;
	return ask(p, &p->connect.vrb);
}

/* Replaces the path with a GID by one without. This is only allowed while nothing is sent. */
static int replace(struct paths *p)
{
	struct ib_qp_attr *attr = &p->modify.attr;
	int err;

	vrb_prep_modify_qp(&p->modify, p->qp);
	attr->qp_state = IB_QPS_SQD;
	p->modify.mask = IB_QP_STATE;
	err = ask(p, &p->modify.vrb);
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, 1);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	p->modify.mask = IB_QP_AV;
	return err ?: ask(p, &p->modify.vrb);
}

static bool paths_run(struct paths *p)
{
	int err;

	err = create(p);
	err = err ?: connect(p);
	if (err || puts) {
		pr_info("tavor_paths: # %d, put %d times when it was connected\n", err, puts);
		return false;
	}
	err = replace(p);
	if (err || puts != 1)
		pr_info("tavor_paths: # %d, put %d times when it was replaced\n", err, puts);
	return !err && puts == 1;
}

static void paths_probe(struct ib_device *dev, struct paths *p)
{
	struct kprobe probe = { .symbol_name = "rdma_put_gid_attr", .pre_handler = count_put };
	bool ok;

	if (!READS_ARGUMENTS || register_kprobe(&probe)) {
		pr_info("tavor_paths: not ok 1 no probe\n");
		return;
	}
	p->client = vrb_client_register(dev, "tavor_paths");
	p->pd = ib_alloc_pd(dev, 0);
	ok = paths_run(p);
	vrb_client_unregister(p->client);
	ib_dealloc_pd(p->pd);
	unregister_kprobe(&probe);
	pr_info("tavor_paths: %sok 1 a path that is replaced lets its GID go\n",
		ok && puts == 1 ? "" : "not ");
}

static int tavor_paths_add(struct ib_device *dev)
{
	struct paths *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	gid = rdma_get_gid_attr(dev, 1, 0);
	if (!IS_ERR(gid)) {
		paths_probe(dev, p);
		rdma_put_gid_attr(gid);
	}
	kfree(p);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_paths",
	.add = tavor_paths_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of what a QP holds of its paths");
MODULE_LICENSE("Dual BSD/GPL");
