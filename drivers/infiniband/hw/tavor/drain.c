// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * ib_drain_sq() and ib_drain_rq(). Those of ib_core post an RDMA write, which a UD QP does not
 * support, and warn if the post is refused, which always happens on a device that has failed.
 *
 * The QP is moved to the error state. Then a work request without effect is posted after all
 * others. When it completes, all others have completed.
 */
#include <linux/completion.h>
#include <linux/delay.h>

#include "drain.h"
#include "flush.h"
#include "post.h"
#include "qp.h"
#include "tavor.h"

struct tavor_drain {
	struct ib_cqe cqe;
	struct completion done;
};

static void tavor_drained(struct ib_cq *ibcq, struct ib_wc *wc)
{
	complete(&container_of(wc->wr_cqe, struct tavor_drain, cqe)->done);
}

/* A CQ that only its owner polls is polled here. A failed device does not wake the waiter. */
static void tavor_drain_poll(const struct tavor_hw_qp *qp, struct ib_cq *ibcq)
{
	if (ibcq->poll_ctx == IB_POLL_DIRECT) {
		ib_process_cq_direct(ibcq, -1);
	} else if (vrb_device_failed(qp->dev->vrb)) {
		local_bh_disable();
		ibcq->comp_handler(ibcq, ibcq->cq_context);
		local_bh_enable();
	}
}

static void tavor_drain_wait(struct ib_qp *ibqp, struct ib_cq *ibcq,
			     int (*post)(struct tavor_hw_qp *qp, u64 wr_id))
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	struct ib_qp_attr attr = { .qp_state = IB_QPS_ERR };
	struct tavor_drain drain = { .cqe.done = tavor_drained };
	int err;

	might_sleep();
	if (READ_ONCE(qp->state) == IB_QPS_RESET)
		return;
	err = ib_modify_qp(ibqp, &attr, IB_QP_STATE);
	if (err && !vrb_device_failed(qp->dev->vrb)) {
		ibdev_warn(ibqp->device, "QP 0x%06x is not drained: %d\n", qp->qpn, err);
		return;
	}
	init_completion(&drain.done);
	/* A queue that is full gets room: everything in it is being flushed. */
	while (post(qp, (uintptr_t)&drain.cqe) == -ENOMEM) {
		tavor_drain_poll(qp, ibcq);
		usleep_range(100, 1000);
	}
	tavor_flush_anew(qp);
	do
		tavor_drain_poll(qp, ibcq);
	while (!wait_for_completion_timeout(&drain.done, HZ / 10));
}

/**
 * tavor_drain_sq() - ib_device_ops.drain_sq
 * @ibqp: a kernel QP whose CQs are of ib_alloc_cq()
 *
 * Context: Process context, sleeps.
 */
void tavor_drain_sq(struct ib_qp *ibqp)
{
	if (to_tqp(ibqp)->hw->sq.shape.max)
		tavor_drain_wait(ibqp, ibqp->send_cq, tavor_post_send_marker);
}

/**
 * tavor_drain_rq() - ib_device_ops.drain_rq
 * @ibqp: a kernel QP whose CQs are of ib_alloc_cq()
 *
 * Context: Process context, sleeps.
 */
void tavor_drain_rq(struct ib_qp *ibqp)
{
	if (to_tqp(ibqp)->hw->rq.shape.max)
		tavor_drain_wait(ibqp, ibqp->recv_cq, tavor_post_recv_marker);
}
