// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Poll CQ and request notification.
 *
 * Direct calls, legal in any context. After a failure the hardware writes one error completion for
 * the WQE that failed and counts the doorbells rung after it; poll makes the flushed completions of
 * the others by following the WQEs' links, keeping its place in the CQE itself, which is given back
 * at the end of the walk.
 */
#include <linux/bitfield.h>

#include "cq_move.h"
#include "cqe.h"
#include "flush.h"
#include "poll.h"
#include "qp.h"
#include "tavor.h"

/* What poll_one answers. */
enum tavor_polled {
	TAVOR_POLLED_NONE,	/* nothing there */
	TAVOR_POLLED_WC,	/* a work completion */
	TAVOR_POLLED_DROPPED,	/* a CQE of a QP that is going away: none to report */
};

static enum ib_wc_status tavor_wc_status(u8 syndrome)
{
	static const u8 statuses[] = {
		[TAVOR_SYNDROME_LOCAL_LENGTH]	= IB_WC_LOC_LEN_ERR,
		[TAVOR_SYNDROME_LOCAL_QP_OP]	= IB_WC_LOC_QP_OP_ERR,
		[TAVOR_SYNDROME_LOCAL_EEC_OP]	= IB_WC_LOC_EEC_OP_ERR,
		[TAVOR_SYNDROME_LOCAL_PROT]	= IB_WC_LOC_PROT_ERR,
		[TAVOR_SYNDROME_FLUSHED]	= IB_WC_WR_FLUSH_ERR,
		[TAVOR_SYNDROME_MW_BIND]	= IB_WC_MW_BIND_ERR,
		[TAVOR_SYNDROME_BAD_RESPONSE]	= IB_WC_BAD_RESP_ERR,
		[TAVOR_SYNDROME_LOCAL_ACCESS]	= IB_WC_LOC_ACCESS_ERR,
		[TAVOR_SYNDROME_REMOTE_INVALID]	= IB_WC_REM_INV_REQ_ERR,
		[TAVOR_SYNDROME_REMOTE_ACCESS]	= IB_WC_REM_ACCESS_ERR,
		[TAVOR_SYNDROME_REMOTE_OP]	= IB_WC_REM_OP_ERR,
		[TAVOR_SYNDROME_RETRY]		= IB_WC_RETRY_EXC_ERR,
		[TAVOR_SYNDROME_RNR_RETRY]	= IB_WC_RNR_RETRY_EXC_ERR,
		[TAVOR_SYNDROME_LOCAL_RDD]	= IB_WC_LOC_RDD_VIOL_ERR,
		[TAVOR_SYNDROME_REMOTE_RD]	= IB_WC_REM_INV_RD_REQ_ERR,
		[TAVOR_SYNDROME_REMOTE_ABORT]	= IB_WC_REM_ABORT_ERR,
		[TAVOR_SYNDROME_INVALID_EECN]	= IB_WC_INV_EECN_ERR,
		[TAVOR_SYNDROME_INVALID_EEC]	= IB_WC_INV_EEC_STATE_ERR,
	};

	if (syndrome >= ARRAY_SIZE(statuses) || !statuses[syndrome])
		return IB_WC_GENERAL_ERR;
	return statuses[syndrome];
}

/*
 * Advances an error CQE to the next WQE its queue has to flush. Returns false when there is none:
 * the CQE can go.
 */
static bool tavor_flush_next(struct tavor_err_cqe *cqe, const struct tavor_next_seg *wqe)
{
	u32 link = be32_to_cpu(READ_ONCE(wqe->ee_nds));
	u32 doorbells = be16_to_cpu(cqe->doorbell_count);
	bool dbd = link & TAVOR_NEXT_DBD;

	if (!(link & TAVOR_NEXT_SIZE) || (!doorbells && dbd))
		return false;
	/* Pairs with the poster, who writes the address before the size. */
	smp_rmb();
	cqe->doorbell_count = cpu_to_be16(doorbells - dbd);
	cqe->wqe = cpu_to_be32((be32_to_cpu(wqe->nda_op) & TAVOR_NEXT_ADDR) |
			       (link & TAVOR_NEXT_SIZE));
	cqe->syndrome = TAVOR_SYNDROME_FLUSHED;
	return true;
}

/* The work queue slot of a CQE, or -1 for an address that is none. */
static int tavor_wqe_slot(const struct tavor_wq *wq, u32 addr)
{
	u32 slot = (addr - wq->shape.offset) >> wq->shape.shift;

	return addr >= wq->shape.offset && slot < wq->shape.max ? slot : -1;
}

static void tavor_wc_send(const struct tavor_cqe *cqe, struct ib_wc *wc)
{
	switch (cqe->opcode) {
	case TAVOR_OP_RDMA_WRITE_IMM:
		wc->wc_flags |= IB_WC_WITH_IMM;
		fallthrough;
	case TAVOR_OP_RDMA_WRITE:
		wc->opcode = IB_WC_RDMA_WRITE;
		break;
	case TAVOR_OP_SEND_IMM:
		wc->wc_flags |= IB_WC_WITH_IMM;
		fallthrough;
	case TAVOR_OP_SEND:
		wc->opcode = IB_WC_SEND;
		break;
	case TAVOR_OP_RDMA_READ:
		wc->opcode = IB_WC_RDMA_READ;
		wc->byte_len = be32_to_cpu(cqe->byte_count);
		break;
	case TAVOR_OP_ATOMIC_CS:
		wc->opcode = IB_WC_COMP_SWAP;
		wc->byte_len = sizeof(u64);
		break;
	case TAVOR_OP_ATOMIC_FA:
		wc->opcode = IB_WC_FETCH_ADD;
		wc->byte_len = sizeof(u64);
		break;
	default:
		wc->opcode = IB_WC_SEND;
		break;
	}
}

/* Where a datagram came from; of connected receives these fields mean nothing. */
static void tavor_wc_source(const struct tavor_cqe *cqe, struct ib_wc *wc)
{
	wc->src_qp = be32_to_cpu(cqe->remote_qpn) & TAVOR_QPN_MASK;
	wc->slid = be16_to_cpu(cqe->remote_lid);
	wc->sl = FIELD_GET(TAVOR_CQE_SL, cqe->sl);
	wc->dlid_path_bits = cqe->grh_path_bits & TAVOR_CQE_PATH_BITS;
	if (cqe->grh_path_bits & TAVOR_CQE_GRH)
		wc->wc_flags |= IB_WC_GRH;
}

static void tavor_wc_recv(const struct tavor_hw_qp *qp, const struct tavor_cqe *cqe,
			  struct ib_wc *wc)
{
	wc->byte_len = be32_to_cpu(cqe->byte_count);
	wc->opcode = IB_WC_RECV;
	if (qp->service == TAVOR_SERVICE_UD || qp->service == TAVOR_SERVICE_MLX)
		tavor_wc_source(cqe, wc);
	if (qp->service == TAVOR_SERVICE_MLX) {
		/* Reported with an immediate, which is the P_Key index and not of the packet. */
		if (qp->type == IB_QPT_GSI)
			wc->pkey_index = FIELD_GET(TAVOR_CQE_PKEY_INDEX,
						   be32_to_cpu(cqe->imm_pkey_index));
		return;
	}
	switch (cqe->opcode & 0x1f) {
	case TAVOR_RECV_SEND_LAST_IMM:
	case TAVOR_RECV_SEND_ONLY_IMM:
		wc->wc_flags |= IB_WC_WITH_IMM;
		wc->ex.imm_data = cqe->imm_pkey_index;
		break;
	case TAVOR_RECV_WRITE_LAST_IMM:
	case TAVOR_RECV_WRITE_ONLY_IMM:
		wc->opcode = IB_WC_RECV_RDMA_WITH_IMM;
		wc->wc_flags |= IB_WC_WITH_IMM;
		wc->ex.imm_data = cqe->imm_pkey_index;
		break;
	}
}

/* Returns true when the CQE stays for the next WQE of the flush. */
static bool tavor_wc_error(struct tavor_hw_qp *qp, struct tavor_cqe *cqe, bool send, int slot,
			   struct ib_wc *wc)
{
	struct tavor_err_cqe *err = (struct tavor_err_cqe *)cqe;

	wc->status = tavor_wc_status(err->syndrome);
	wc->vendor_err = err->vendor_error;
	/* Receives from an SRQ each have a CQE of their own. */
	if (slot < 0 || (!send && qp->srq))
		return false;
	return tavor_flush_next(err, send ? tavor_send_slot(qp, slot) : tavor_recv_slot(qp, slot));
}

/* The slot of a CQE's work request; -1: an SRQ's, or the CQE makes no sense. */
static int tavor_cqe_slot(struct tavor_hw_qp *qp, const struct tavor_cqe *cqe, bool send)
{
	u32 addr = be32_to_cpu(cqe->wqe) & TAVOR_CQE_WQE_ADDR;
	int slot;

	if (!send && qp->srq)
		return -1;
	slot = tavor_wqe_slot(send ? &qp->sq : &qp->rq, addr);
	if (slot < 0)
		ibdev_err_ratelimited(&qp->dev->ib_dev, "QP 0x%06x: completion of no WQE: 0x%x\n",
				      qp->qpn, addr);
	return slot;
}

/* Returns true when the CQE stays, for the next WQE of a flush. */
static bool tavor_make_wc(struct tavor_hw_qp *qp, struct tavor_cqe *cqe, struct ib_wc *wc)
{
	bool send = tavor_cqe_is_send(cqe);
	int slot = tavor_cqe_slot(qp, cqe, send);
	bool keep = false;

	memset(wc, 0, sizeof(*wc));
	if (slot < 0 && !send && qp->srq)
		wc->wr_id = tavor_srq_complete(qp->srq,
					       be32_to_cpu(cqe->wqe) & TAVOR_CQE_WQE_ADDR);
	if (tavor_cqe_is_error(cqe))
		keep = tavor_wc_error(qp, cqe, send, slot, wc);
	else if (send)
		tavor_wc_send(cqe, wc);
	else
		tavor_wc_recv(qp, cqe, wc);
	/* Last: the slot, and the link the flush has just followed, may now be overwritten. */
	if (slot >= 0)
		tavor_wq_complete(send ? &qp->sq : &qp->rq, slot, wc);
	return keep;
}

static enum tavor_polled tavor_poll_one(struct tavor_hw_cq *cq, struct ib_wc *wc)
{
	struct tavor_cqe *cqe = tavor_cq_next(cq);
	struct tavor_hw_qp *qp;

	if (!cqe)
		return TAVOR_POLLED_NONE;
	qp = tavor_qp_lookup(cq->dev, be32_to_cpu(cqe->qpn) & TAVOR_QPN_MASK);
	if (!qp || qp->user) {
		ibdev_err_ratelimited(&cq->dev->ib_dev,
				      "CQ 0x%06x: completion of unknown QP 0x%06x\n",
				      cq->cqn, be32_to_cpu(cqe->qpn));
		tavor_cqe_free(cq, cqe);
		return TAVOR_POLLED_DROPPED;
	}
	if (!tavor_make_wc(qp, cqe, wc))
		tavor_cqe_free(cq, cqe);
	if (qp->hidden)
		return TAVOR_POLLED_DROPPED;
	wc->qp = qp->ibqp;
	wc->port_num = qp->attrs.port;
	return TAVOR_POLLED_WC;
}

/* Completions that the hardware has written, from @n on; returns how many there are then. */
static int tavor_poll_some(struct tavor_hw_cq *cq, int n, int num, struct ib_wc *wc)
{
	enum tavor_polled polled;

	while (n < num) {
		polled = tavor_poll_one(cq, wc + n);
		if (polled == TAVOR_POLLED_NONE)
			break;
		if (polled == TAVOR_POLLED_WC)
			n++;
	}
	return n;
}

/**
 * tavor_poll_cq() - ib_device_ops.poll_cq
 * @ibcq: a kernel CQ
 * @num: room in @wc
 * @wc: work completions
 *
 * Context: Any.
 * Return: the number of completions, none before the CQ has been created; -EINVAL: a user's CQ,
 * which only its process can poll.
 */
int tavor_poll_cq(struct ib_cq *ibcq, int num, struct ib_wc *wc)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	bool stopped = false;
	unsigned long flags;
	u32 first;
	int n;

	if (!READ_ONCE(cq->open))
		return cq->user ? -EINVAL : 0;
	spin_lock_irqsave(&cq->lock, flags);
	/* What is in the other buffer is found by the next call, and told of by who arms the CQ. */
	if (unlikely(cq->move) && !tavor_cq_next(cq))
		tavor_cq_follow(cq);
	first = cq->cons_index;
	n = tavor_poll_some(cq, 0, num, wc);
	if (n < num && unlikely(vrb_device_quiesced(cq->dev->vrb))) {
		/* What it wrote since, until it was stopped, comes before the rest. */
		n = tavor_poll_some(cq, n, num, wc);
		stopped = true;
	}
	if (cq->cons_index != first)
		tavor_cq_consumed(cq, cq->cons_index - first);
	/* Not before: what is flushed is freed, and the hardware may still write it. */
	if (n < num && stopped && !tavor_cq_goes_on(cq))
		n += tavor_flush_poll(cq, num - n, wc + n);
	spin_unlock_irqrestore(&cq->lock, flags);
	return n;
}

/**
 * tavor_req_notify_cq() - ib_device_ops.req_notify_cq
 * @ibcq: a kernel CQ; a process arms its own through its doorbell page
 * @flags: next or next solicited; whether to report missed events
 *
 * The hardware compares with the consumer index, which poll has told it: what came since fires at
 * once.
 *
 * Context: Any.
 * Return: 0; 1 with IB_CQ_REPORT_MISSED_EVENTS when there is something to poll already; -EINVAL: a
 * user's CQ, or one that has not been created.
 */
int tavor_req_notify_cq(struct ib_cq *ibcq, enum ib_cq_notify_flags flags)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	u32 cmd = (flags & IB_CQ_SOLICITED_MASK) == IB_CQ_SOLICITED ?
		  TAVOR_CQ_DB_NOTIFY_SOLICITED : TAVOR_CQ_DB_NOTIFY;
	unsigned long irq_flags;
	int missed;

	if (!READ_ONCE(cq->open))
		return -EINVAL;
	spin_lock_irqsave(&cq->lock, irq_flags);
	tavor_ring(&cq->dev->kar, TAVOR_DB_CQ, FIELD_PREP(TAVOR_CQ_DB_CMD, cmd) | cq->cqn,
		   TAVOR_CQ_DB_OWN_CI);
	missed = flags & IB_CQ_REPORT_MISSED_EVENTS &&
		 (tavor_cq_next(cq) || tavor_cq_goes_on(cq) ||
		  (vrb_device_quiesced(cq->dev->vrb) && tavor_flush_pending(cq)));
	spin_unlock_irqrestore(&cq->lock, irq_flags);
	return missed;
}
