// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Poll CQ and request notification.
 *
 * Direct calls, legal in any context. When a WQE fails, the hardware writes one error completion
 * for it and counts the doorbells rung after it. Poll generates the flushed completions of the
 * other WQEs: it follows their links, and keeps its position in the CQE itself, which is returned
 * to the hardware after the last one.
 */
#include <linux/bitfield.h>

#include "cq_move.h"
#include "cqe.h"
#include "flush.h"
#include "poll.h"
#include "qp.h"
#include "tavor.h"

/* Fields of a send's completion, by the hardware's opcode; 0 for opcodes that are not listed. */
static const struct {
	u8 opcode;		/* enum ib_wc_opcode */
	u8 flags;
	bool has_bytes;		/* reports the length of the response */
} tavor_send_wcs[] = {
	[TAVOR_OP_RDMA_WRITE]		= { IB_WC_RDMA_WRITE },
	[TAVOR_OP_RDMA_WRITE_IMM]	= { IB_WC_RDMA_WRITE, IB_WC_WITH_IMM },
	[TAVOR_OP_SEND]			= { IB_WC_SEND },
	[TAVOR_OP_SEND_IMM]		= { IB_WC_SEND, IB_WC_WITH_IMM },
	[TAVOR_OP_RDMA_READ]		= { IB_WC_RDMA_READ, 0, true },
	[TAVOR_OP_ATOMIC_CS]		= { IB_WC_COMP_SWAP, 0, true },
	[TAVOR_OP_ATOMIC_FA]		= { IB_WC_FETCH_ADD, 0, true },
	[TAVOR_NEXT_OPCODE]		= { },
};

/* Packets with immediate data that complete a receive: of an RDMA write; all */
#define TAVOR_RECV_WRITE_IMM	(BIT(TAVOR_RECV_WRITE_LAST_IMM) | BIT(TAVOR_RECV_WRITE_ONLY_IMM))
#define TAVOR_RECV_IMM		(BIT(TAVOR_RECV_SEND_LAST_IMM) | BIT(TAVOR_RECV_SEND_ONLY_IMM) | \
				 TAVOR_RECV_WRITE_IMM)

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
 * Advances an error CQE to the next WQE that must be flushed. Returns false if there is none: the
 * CQE can be returned to the hardware.
 */
static bool tavor_flush_next(struct tavor_err_cqe *cqe, const struct tavor_next_seg *wqe)
{
	u32 link = be32_to_cpu(READ_ONCE(wqe->ee_nds));
	u32 doorbells = be16_to_cpu(cqe->doorbell_count);
	bool dbd = link & TAVOR_NEXT_DBD;

	if (!(link & TAVOR_NEXT_SIZE) || (!doorbells && dbd))
		return false;
	/* Pairs with post, which writes the address before the size. */
	smp_rmb();
	cqe->doorbell_count = cpu_to_be16(doorbells - dbd);
	cqe->wqe = cpu_to_be32((be32_to_cpu(wqe->nda_op) & TAVOR_NEXT_ADDR) |
			       (link & TAVOR_NEXT_SIZE));
	cqe->syndrome = TAVOR_SYNDROME_FLUSHED;
	return true;
}

static void tavor_wc_no_wqe(const struct tavor_hw_qp *qp, const struct tavor_cqe *cqe)
{
	ibdev_err_ratelimited(&qp->dev->ib_dev, "QP 0x%06x: completion of no WQE: 0x%x\n",
			      qp->qpn, (u32)(be32_to_cpu(cqe->wqe) & TAVOR_CQE_WQE_ADDR));
}

/*
 * The slot of a CQE's WQE. For an invalid address the result is not below the number of slots.
 * Slots begin at multiples of 64 bytes, so the shift removes the WQE's size.
 */
static u32 tavor_wqe_slot(const struct tavor_wq *wq, __be32 wqe)
{
	return (be32_to_cpu(wqe) - wq->shape.offset) >> wq->shape.shift;
}

/* Called last: after this the slot, and the link that a flush has followed, may be overwritten. */
static void tavor_wc_wqe(const struct tavor_hw_qp *qp, struct tavor_wq *wq,
			 const struct tavor_cqe *cqe, u32 slot, struct ib_wc *wc)
{
	if (likely(slot < wq->shape.max)) {
		tavor_wq_complete(wq, slot, wc);
	} else {
		wc->wr_id = 0;
		tavor_wc_no_wqe(qp, cqe);
	}
}

static void tavor_wc_send(struct tavor_hw_qp *qp, const struct tavor_cqe *cqe, struct ib_wc *wc)
{
	u32 op = cqe->opcode & TAVOR_NEXT_OPCODE;

	wc->status = IB_WC_SUCCESS;
	wc->opcode = tavor_send_wcs[op].opcode;
	wc->wc_flags = tavor_send_wcs[op].flags;
	/* The hardware does not report the length for an atomic. */
	if (tavor_send_wcs[op].has_bytes)
		wc->byte_len = op == TAVOR_OP_RDMA_READ ? be32_to_cpu(cqe->byte_count) :
							  sizeof(u64);
	tavor_wc_wqe(qp, &qp->sq, cqe, tavor_wqe_slot(&qp->sq, cqe->wqe), wc);
}

/* The source of a datagram. These fields are undefined for connected QPs. */
static void tavor_wc_source(const struct tavor_hw_qp *qp, const struct tavor_cqe *cqe,
			    struct ib_wc *wc)
{
	wc->src_qp = be32_to_cpu(cqe->remote_qpn) & TAVOR_QPN_MASK;
	wc->slid = be16_to_cpu(cqe->remote_lid);
	wc->sl = FIELD_GET(TAVOR_CQE_SL, cqe->sl);
	wc->dlid_path_bits = cqe->grh_path_bits & TAVOR_CQE_PATH_BITS;
	wc->port_num = qp->attrs.port;
	wc->pkey_index = 0;
	if (cqe->grh_path_bits & TAVOR_CQE_GRH)
		wc->wc_flags |= IB_WC_GRH;
}

static void tavor_wc_imm(const struct tavor_cqe *cqe, u32 packet, struct ib_wc *wc)
{
	if (packet & TAVOR_RECV_WRITE_IMM)
		wc->opcode = IB_WC_RECV_RDMA_WITH_IMM;
	wc->wc_flags |= IB_WC_WITH_IMM;
	wc->ex.imm_data = cqe->imm_pkey_index;
}

/* Returns the bit of the packet's opcode. */
static u32 tavor_wc_datagram(const struct tavor_hw_qp *qp, const struct tavor_cqe *cqe,
			     struct ib_wc *wc)
{
	tavor_wc_source(qp, cqe, wc);
	if (qp->service != TAVOR_SERVICE_MLX)
		return BIT(cqe->opcode & TAVOR_CQE_OPCODE_PACKET);
	/* The CQE's immediate is the P_Key index, not data of the packet. */
	if (qp->type == IB_QPT_GSI)
		wc->pkey_index = FIELD_GET(TAVOR_CQE_PKEY_INDEX, be32_to_cpu(cqe->imm_pkey_index));
	return 0;
}

static void tavor_wc_recv(struct tavor_hw_qp *qp, const struct tavor_cqe *cqe, struct ib_wc *wc)
{
	u32 packet = BIT(cqe->opcode & TAVOR_CQE_OPCODE_PACKET);

	wc->status = IB_WC_SUCCESS;
	wc->opcode = IB_WC_RECV;
	wc->wc_flags = 0;
	wc->byte_len = be32_to_cpu(cqe->byte_count);
	if (qp->service > TAVOR_SERVICE_UC)
		packet = tavor_wc_datagram(qp, cqe, wc);
	if (packet & TAVOR_RECV_IMM)
		tavor_wc_imm(cqe, packet, wc);
	if (qp->srq)
		wc->wr_id = tavor_srq_complete(qp->srq,
					       be32_to_cpu(cqe->wqe) & TAVOR_CQE_WQE_ADDR);
	else
		tavor_wc_wqe(qp, &qp->rq, cqe, tavor_wqe_slot(&qp->rq, cqe->wqe), wc);
}

/* Returns true if the CQE is kept, for the next WQE of the flush. */
static noinline bool tavor_wc_error(struct tavor_hw_qp *qp, struct tavor_cqe *cqe,
				    struct ib_wc *wc)
{
	struct tavor_err_cqe *err = (struct tavor_err_cqe *)cqe;
	bool send = tavor_cqe_is_send(cqe), keep = false;
	struct tavor_wq *wq = send ? &qp->sq : &qp->rq;
	u32 slot;

	memset(wc, 0, sizeof(*wc));
	wc->status = tavor_wc_status(err->syndrome);
	wc->vendor_err = err->vendor_error;
	wc->port_num = qp->attrs.port;
	/* Each receive from an SRQ has a CQE of its own. */
	if (!send && qp->srq) {
		wc->wr_id = tavor_srq_complete(qp->srq,
					       be32_to_cpu(cqe->wqe) & TAVOR_CQE_WQE_ADDR);
		return false;
	}
	slot = tavor_wqe_slot(wq, cqe->wqe);
	if (slot < wq->shape.max)
		keep = tavor_flush_next(err, send ? tavor_send_slot(qp, slot) :
						    tavor_recv_slot(qp, slot));
	tavor_wc_wqe(qp, wq, cqe, slot, wc);
	return keep;
}

/* Drops a completion of a QP that is being destroyed, but returns its WQE to the SRQ. */
static void tavor_cqe_drop(struct tavor_hw_qp *qp, const struct tavor_cqe *cqe)
{
	if (qp->srq && !tavor_cqe_is_send(cqe))
		tavor_srq_complete(qp->srq, be32_to_cpu(cqe->wqe) & TAVOR_CQE_WQE_ADDR);
}

/*
 * Finds the QP of a CQE if it is not the QP of the CQE before, and remembers it. NULL: the CQE is
 * not reported.
 */
static noinline struct tavor_hw_qp *tavor_cqe_find_qp(struct tavor_hw_cq *cq,
						      const struct tavor_cqe *cqe)
{
	u32 qpn = be32_to_cpu(cqe->qpn) & TAVOR_QPN_MASK;
	struct tavor_hw_qp *qp = tavor_qp_lookup(cq->dev, qpn);

	/* A QP of another CQ must not be accessed under this CQ's lock. */
	if (!qp || qp->half.user || (qp->send_cq != cq && qp->recv_cq != cq)) {
		ibdev_err_ratelimited(&cq->dev->ib_dev,
				      "CQ 0x%06x: completion of unknown QP 0x%06x\n",
				      cq->cqn, qpn);
		return NULL;
	}
	if (qp->hidden) {
		tavor_cqe_drop(qp, cqe);
		return NULL;
	}
	cq->last_qp = qp;
	return qp;
}

static struct tavor_hw_qp *tavor_cqe_qp(struct tavor_hw_cq *cq, const struct tavor_cqe *cqe)
{
	struct tavor_hw_qp *qp = cq->last_qp;

	if (likely(qp && qp->cqe_qpn == cqe->qpn))
		return qp;
	return tavor_cqe_find_qp(cq, cqe);
}

#define TAVOR_DROP_PORTION	64	/* entries that are not reported, in one hold of the lock */

/* Polls completions that the hardware has written. *@more: there may be others. */
static int tavor_poll_some(struct tavor_hw_cq *cq, int num, struct ib_wc *wc, bool *more)
{
	struct tavor_hw_qp *qp;
	struct tavor_cqe *cqe;
	int n = 0, dropped = 0;
	bool keep;

	while (n < num) {
		cqe = tavor_cqe_at(cq, cq->cons_index);
		if (!tavor_cqe_is_sw(cqe))
			break;
		/* The owner is read before the other fields. */
		dma_rmb();
		keep = false;
		qp = tavor_cqe_qp(cq, cqe);
		if (likely(qp)) {
			if (unlikely(tavor_cqe_is_error(cqe)))
				keep = tavor_wc_error(qp, cqe, wc);
			else if (cqe->is_send & TAVOR_CQE_SEND)
				tavor_wc_send(qp, cqe, wc);
			else
				tavor_wc_recv(qp, cqe, wc);
			wc->qp = qp->ibqp;
			wc++;
			n++;
		}
		if (likely(!keep))
			tavor_cqe_free(cq, cqe);
		if (unlikely(!qp) && ++dropped == TAVOR_DROP_PORTION) {
			*more = true;
			break;
		}
	}
	return n;
}

static int tavor_poll_once(struct tavor_hw_cq *cq, int num, struct ib_wc *wc, bool *more)
{
	unsigned long flags;
	bool stopped;
	u32 first;
	int n;

	spin_lock_irqsave(&cq->lock, flags);
	/* Read first: what the hardware wrote until it was stopped is reported before flushes. */
	stopped = vrb_device_quiesced(cq->dev->vrb);
	/*
	 * If the old buffer runs out during this call, the entries in the new one are returned by
	 * the next call; arming the CQ reports them.
	 */
	if (unlikely(cq->move) && !tavor_cq_next(cq))
		tavor_cq_follow(cq);
	first = cq->cons_index;
	n = tavor_poll_some(cq, num, wc, more);
	if (cq->cons_index != first)
		tavor_cq_consumed(cq, cq->cons_index - first);
	/* Only if stopped: the owner frees flushed memory, which the hardware could still write. */
	if (unlikely(stopped) && !*more && n < num && !tavor_cq_goes_on(cq))
		n += tavor_flush_poll(cq, num - n, wc + n);
	spin_unlock_irqrestore(&cq->lock, flags);
	return n;
}

/**
 * tavor_poll_cq() - ib_device_ops.poll_cq
 * @ibcq: a kernel CQ
 * @num: room in @wc
 * @wc: work completions
 *
 * Only those fields of a completion are written that are defined for its status and opcode.
 *
 * Context: Any.
 * Return: the number of completions, none before the CQ has been created; -EINVAL: a user's CQ,
 * which only its process can poll.
 */
int tavor_poll_cq(struct ib_cq *ibcq, int num, struct ib_wc *wc)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	bool more;
	int n = 0;

	if (unlikely(!READ_ONCE(cq->half.open)))
		return cq->half.user ? -EINVAL : 0;
	do {
		more = false;
		n += tavor_poll_once(cq, num - n, wc + n, &more);
	} while (unlikely(more));
	return n;
}

/* Whether there are completions to poll. */
static noinline int tavor_cq_missed(struct tavor_hw_cq *cq)
{
	unsigned long flags;
	int missed;

	spin_lock_irqsave(&cq->lock, flags);
	missed = tavor_cq_next(cq) || tavor_cq_goes_on(cq) ||
		 (vrb_device_quiesced(cq->dev->vrb) && tavor_flush_pending(cq));
	spin_unlock_irqrestore(&cq->lock, flags);
	return missed;
}

/**
 * tavor_req_notify_cq() - ib_device_ops.req_notify_cq
 * @ibcq: a kernel CQ; a process arms its own through its doorbell page
 * @flags: next or next solicited; whether to report missed events
 *
 * The hardware compares with the consumer index that poll has written. If there are newer entries,
 * it generates the event at once.
 *
 * Context: Any.
 * Return: 0; 1 with IB_CQ_REPORT_MISSED_EVENTS if there are completions to poll; -EINVAL: a
 * user's CQ, or one that has not been created.
 */
int tavor_req_notify_cq(struct ib_cq *ibcq, enum ib_cq_notify_flags flags)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;

	if (unlikely(!READ_ONCE(cq->half.open)))
		return -EINVAL;
	/* No lock is needed: the doorbell contains nothing that another CPU may change. */
	tavor_ring_doorbell(&cq->dev->kar, TAVOR_DB_CQ,
			    cq->arm[(flags & IB_CQ_SOLICITED_MASK) == IB_CQ_SOLICITED]);
	return flags & IB_CQ_REPORT_MISSED_EVENTS ? tavor_cq_missed(cq) : 0;
}
