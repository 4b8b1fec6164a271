// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The attributes that rdma(8) shows of an object with "-dd": its configuration in the hardware.
 * Keys are not shown, because every user may read the attributes.
 *
 * ib_core does not call these functions any more when it calls an object's destroy
 * (rdma_restrack_begin_del(), which Debian's 6.12 and 7 have). The objects of a process that exits
 * may be gone before that, but their hardware halves still exist, and only numbers in these are
 * read.
 */
#include <net/netlink.h>
#include <rdma/ib_verbs.h>
#include <rdma/rdma_netlink.h>
#include <rdma/restrack.h>

#include "cq.h"
#include "mr.h"
#include "qp.h"
#include "restrack.h"
#include "srq.h"
#include "tavor.h"

/* One attribute */
struct tavor_fact {
	const char *name;
	u32 value;
};

static int tavor_put_facts(struct sk_buff *msg, const struct tavor_fact *facts, unsigned int n)
{
	struct nlattr *table = nla_nest_start(msg, RDMA_NLDEV_ATTR_DRIVER);
	unsigned int i;

	if (!table)
		return -EMSGSIZE;
	for (i = 0; i < n; i++) {
		if (rdma_nl_put_driver_u32(msg, facts[i].name, facts[i].value)) {
			nla_nest_cancel(msg, table);
			return -EMSGSIZE;
		}
	}
	nla_nest_end(msg, table);
	return 0;
}

static u32 tavor_mpt_index(const struct tavor_dev *dev, u32 key)
{
	return key & (dev->limits.num_mpts - 1);
}

/* For kernel queues: only the process knows how much is posted to its queue. */
static u32 tavor_wq_outstanding(const struct tavor_wq *wq)
{
	/* In this order, since both grow, and the tail never passes the head */
	u32 tail = smp_load_acquire(&wq->tail);
	u32 head = READ_ONCE(wq->head);

	/* A reset may come between */
	return (s32)(head - tail) < 0 ? 0 : head - tail;
}

static int tavor_fill_res_qp_entry(struct sk_buff *msg, struct ib_qp *ibqp)
{
	const struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	const u32 lkey = qp->half.user ? qp->lkey : qp->buf.mpt.key;
	const struct tavor_fact facts[] = {
		{ "hw_qpn", qp->qpn },
		{ "mpt", tavor_mpt_index(qp->dev, lkey) },
		{ "uar", qp->uar },
		{ "sq_size", qp->sq.shape.max },
		{ "sq_stride", 1U << qp->sq.shape.shift },
		{ "rq_size", qp->rq.shape.max },
		{ "rq_stride", 1U << qp->rq.shape.shift },
		{ "max_inline", qp->max_inline },
		{ "mcast_groups", READ_ONCE(qp->mcg_groups) },
		/* the kernel's only */
		{ "sq_outstanding", tavor_wq_outstanding(&qp->sq) },
		{ "rq_outstanding", tavor_wq_outstanding(&qp->rq) },
	};

	return tavor_put_facts(msg, facts, ARRAY_SIZE(facts) - (qp->half.user ? 2 : 0));
}

static int tavor_fill_res_cq_entry(struct sk_buff *msg, struct ib_cq *ibcq)
{
	const struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	const u32 lkey = cq->half.user ? READ_ONCE(cq->lkey) : READ_ONCE(cq->buf.mpt.key);
	const struct tavor_fact facts[] = {
		{ "hw_cqn", cq->cqn },
		{ "mpt", tavor_mpt_index(cq->dev, lkey) },
		{ "uar", cq->uar },
		{ "vector", cq->vector },
		{ "size", READ_ONCE(cq->entries) },
		/* the kernel's only */
		{ "consumed", READ_ONCE(cq->cons_index) },
	};

	return tavor_put_facts(msg, facts, ARRAY_SIZE(facts) - (cq->half.user ? 1 : 0));
}

static int tavor_fill_res_srq_entry(struct sk_buff *msg, struct ib_srq *ibsrq)
{
	const struct tavor_hw_srq *srq = to_tsrq(ibsrq)->hw;
	const u32 lkey = srq->half.user ? srq->lkey : srq->buf.mpt.key;
	const struct tavor_fact facts[] = {
		{ "hw_srqn", srq->srqn },
		{ "mpt", tavor_mpt_index(srq->dev, lkey) },
		{ "uar", srq->uar },
		{ "size", srq->slots },
		{ "stride", 1U << srq->shift },
		{ "max_sge", srq->max_gs },
	};

	return tavor_put_facts(msg, facts, ARRAY_SIZE(facts));
}

static int tavor_fill_res_mr_entry(struct sk_buff *msg, struct ib_mr *ibmr)
{
	const struct tavor_hw_mr *mr = to_tmr(ibmr)->hw;
	const struct tavor_fact facts[] = {
		{ "mpt", tavor_mpt_index(mr->dev, mr->mpt.key) },
		{ "mpt_flags", mr->mpt.flags },
		{ "page_shift", mr->mpt.page_shift },
		{ "mtt_entries", mr->mpt.mtt.entries },
		/* not of a region without a page list */
		{ "mtt_first", mr->mpt.mtt.first },
	};

	return tavor_put_facts(msg, facts, ARRAY_SIZE(facts) - (mr->mpt.mtt.entries ? 0 : 1));
}

const struct ib_device_ops tavor_restrack_ops = {
	.fill_res_cq_entry = tavor_fill_res_cq_entry,
	.fill_res_mr_entry = tavor_fill_res_mr_entry,
	.fill_res_qp_entry = tavor_fill_res_qp_entry,
	.fill_res_srq_entry = tavor_fill_res_srq_entry,
};
