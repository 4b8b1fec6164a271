// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Post send and post receive.
 *
 * Direct calls, legal in any context. A WQE is linked to the one before it only when it is
 * complete: what the hardware or the flush walk of a failed queue follows is exactly what was
 * accepted. So a queue's "last" changes with the link, never for a request that is refused.
 */
#include "ah.h"
#include "mlx.h"
#include "post.h"
#include "tavor.h"

/* One call's chain of accepted sends, announced by one doorbell. */
struct tavor_chain {
	u32 wqes;
	u32 head;		/* address, fence and opcode of the first WQE */
	u32 size;		/* of the first WQE */
};

#define TAVOR_SERVICE_BIT(service)	BIT(TAVOR_SERVICE_##service)
#define TAVOR_CONNECTED			(TAVOR_SERVICE_BIT(RC) | TAVOR_SERVICE_BIT(UC))
#define TAVOR_ALL_SERVICES		(TAVOR_CONNECTED | TAVOR_SERVICE_BIT(UD) | \
					 TAVOR_SERVICE_BIT(MLX))

static const struct {
	u8 opcode;
	u8 services;
} tavor_send_ops[] = {
	[IB_WR_RDMA_WRITE]		= { TAVOR_OP_RDMA_WRITE, TAVOR_CONNECTED },
	[IB_WR_RDMA_WRITE_WITH_IMM]	= { TAVOR_OP_RDMA_WRITE_IMM, TAVOR_CONNECTED },
	[IB_WR_SEND]			= { TAVOR_OP_SEND, TAVOR_ALL_SERVICES },
	[IB_WR_SEND_WITH_IMM]		= { TAVOR_OP_SEND_IMM, TAVOR_ALL_SERVICES },
	[IB_WR_RDMA_READ]		= { TAVOR_OP_RDMA_READ, TAVOR_SERVICE_BIT(RC) },
	[IB_WR_ATOMIC_CMP_AND_SWP]	= { TAVOR_OP_ATOMIC_CS, TAVOR_SERVICE_BIT(RC) },
	[IB_WR_ATOMIC_FETCH_AND_ADD]	= { TAVOR_OP_ATOMIC_FA, TAVOR_SERVICE_BIT(RC) },
};

/* The hardware's opcode, or 0 where the transport has no such request. */
static u8 tavor_send_opcode(const struct tavor_hw_qp *qp, enum ib_wr_opcode opcode)
{
	if (opcode >= ARRAY_SIZE(tavor_send_ops))
		return 0;
	if (!(tavor_send_ops[opcode].services & BIT(qp->service)))
		return 0;
	return tavor_send_ops[opcode].opcode;
}

static bool tavor_wq_full(const struct tavor_wq *wq)
{
	/* Pairs with the release in poll: the slot's work request id has been read. */
	return wq->head - smp_load_acquire(&wq->tail) >= wq->shape.max;
}

static void *tavor_put_raddr(void *pos, u64 raddr, u32 rkey)
{
	struct tavor_raddr_seg *seg = pos;

	seg->raddr = cpu_to_be64(raddr);
	seg->rkey = cpu_to_be32(rkey);
	seg->reserved = 0;
	return seg + 1;
}

static void *tavor_put_atomic(void *pos, const struct ib_atomic_wr *wr)
{
	struct tavor_atomic_seg *seg = tavor_put_raddr(pos, wr->remote_addr, wr->rkey);

	if (wr->wr.opcode == IB_WR_ATOMIC_CMP_AND_SWP) {
		seg->swap_add = cpu_to_be64(wr->swap);
		seg->compare = cpu_to_be64(wr->compare_add);
	} else {
		seg->swap_add = cpu_to_be64(wr->compare_add);
		seg->compare = 0;
	}
	return seg + 1;
}

static void *tavor_put_ud(const struct tavor_hw_qp *qp, void *pos, const struct ib_ud_wr *wr)
{
	struct tavor_ud_seg *seg = pos;

	memset(seg, 0, sizeof(*seg));
	seg->av_lkey = cpu_to_be32(qp->pd->ntmr.key);
	seg->av_addr = cpu_to_be64(to_tah(wr->ah)->addr);
	seg->dqpn = cpu_to_be32(wr->remote_qpn & TAVOR_QPN_MASK);
	seg->qkey = cpu_to_be32(wr->remote_qkey);
	return seg + 1;
}

/* What stands between the first segment and the data. */
static void *tavor_put_address(struct tavor_hw_qp *qp, const struct ib_send_wr *wr, void *wqe)
{
	void *pos = wqe + sizeof(struct tavor_next_seg);

	switch (qp->service) {
	case TAVOR_SERVICE_UD:
		return tavor_put_ud(qp, pos, ud_wr(wr));
	case TAVOR_SERVICE_MLX:
		return tavor_mlx_headers(qp, ud_wr(wr), wqe);
	default:
		break;
	}
	switch (wr->opcode) {
	case IB_WR_RDMA_WRITE:
	case IB_WR_RDMA_WRITE_WITH_IMM:
	case IB_WR_RDMA_READ:
		return tavor_put_raddr(pos, rdma_wr(wr)->remote_addr, rdma_wr(wr)->rkey);
	case IB_WR_ATOMIC_CMP_AND_SWP:
	case IB_WR_ATOMIC_FETCH_AND_ADD:
		return tavor_put_atomic(pos, atomic_wr(wr));
	default:
		return pos;
	}
}

/*
 * A byte count of 0 means 2 GB to the hardware: empty entries are left out. The bit that would say
 * 2 GB and more means that the data follow.
 */
static void *tavor_put_sges(void *pos, const struct ib_sge *sge, int num)
{
	struct tavor_data_seg *seg = pos;
	u32 lengths = 0;

	for (; num > 0; num--, sge++) {
		lengths |= sge->length;
		if (sge->length)
			tavor_set_data_seg(seg++, sge);
	}
	return lengths & TAVOR_INLINE ? ERR_PTR(-EINVAL) : seg;
}

static void *tavor_put_inline(void *pos, const struct ib_send_wr *wr, u32 max)
{
	struct tavor_inline_seg *seg = pos;
	u32 bytes = 0;
	int i;

	for (i = 0; i < wr->num_sge; i++) {
		const struct ib_sge *sge = &wr->sg_list[i];

		if (sge->length > max - bytes)
			return ERR_PTR(-EINVAL);
		memcpy(seg->data + bytes, (void *)(uintptr_t)sge->addr, sge->length);
		bytes += sge->length;
	}
	if (!bytes)
		return seg;
	seg->byte_count = cpu_to_be32(TAVOR_INLINE | bytes);
	return pos + ALIGN(sizeof(*seg) + bytes, TAVOR_WQE_UNIT);
}

static void *tavor_put_data(const struct tavor_hw_qp *qp, const struct ib_send_wr *wr, void *pos)
{
	bool reads = wr->opcode == IB_WR_RDMA_READ || wr->opcode == IB_WR_ATOMIC_CMP_AND_SWP ||
		     wr->opcode == IB_WR_ATOMIC_FETCH_AND_ADD;

	if (wr->num_sge < 0 || wr->num_sge > qp->sq.shape.max_gs)
		return ERR_PTR(-EINVAL);
	if (!(wr->send_flags & IB_SEND_INLINE))
		return tavor_put_sges(pos, wr->sg_list, wr->num_sge);
	return reads ? ERR_PTR(-EINVAL) : tavor_put_inline(pos, wr, qp->max_inline);
}

static __be32 tavor_send_flags(const struct tavor_hw_qp *qp, const struct ib_send_wr *wr)
{
	u32 flags = TAVOR_CTRL_ALWAYS;

	if (qp->sq_sig_all || wr->send_flags & IB_SEND_SIGNALED)
		flags |= TAVOR_CTRL_COMPLETION;
	if (wr->send_flags & IB_SEND_SOLICITED)
		flags |= TAVOR_CTRL_SOLICITED;
	return cpu_to_be32(flags);
}

static bool tavor_send_has_imm(const struct ib_send_wr *wr)
{
	return wr->opcode == IB_WR_SEND_WITH_IMM || wr->opcode == IB_WR_RDMA_WRITE_WITH_IMM;
}

/* Writes one send WQE, not linked to anything yet. Returns its bytes or a negative errno. */
static int tavor_build_send(struct tavor_hw_qp *qp, const struct ib_send_wr *wr,
			    struct tavor_next_seg *wqe)
{
	void *pos;

	wqe->nda_op = 0;
	wqe->ee_nds = 0;
	wqe->flags = tavor_send_flags(qp, wr);
	wqe->imm = tavor_send_has_imm(wr) ? wr->ex.imm_data : 0;

	pos = tavor_put_address(qp, wr, wqe);
	if (IS_ERR(pos))
		return PTR_ERR(pos);
	pos = tavor_put_data(qp, wr, pos);
	if (IS_ERR(pos))
		return PTR_ERR(pos);
	if (tavor_qp_is_special(qp))
		pos = tavor_mlx_icrc(pos);
	return pos - (void *)wqe;
}

/* The previous WQE's link. The hardware trusts the address once the size is there. */
static void tavor_link_send(struct tavor_next_seg *last, u32 addr, u32 opcode, u32 size_fence_dbd)
{
	dma_wmb();
	last->nda_op = cpu_to_be32(addr | opcode);
	dma_wmb();
	WRITE_ONCE(last->ee_nds, cpu_to_be32(size_fence_dbd));
}

/* A WQE of @size units takes its place in the queue. */
static void tavor_queue_send(struct tavor_hw_qp *qp, struct tavor_next_seg *wqe, u32 size,
			     u8 opcode, bool fence, u64 wr_id, struct tavor_chain *chain)
{
	struct tavor_wq *sq = &qp->sq;
	u32 addr = sq->shape.offset + (sq->next << sq->shape.shift);

	sq->wrid[sq->next] = wr_id;
	if (!chain->wqes++) {
		chain->head = addr | (fence ? TAVOR_SEND_DB_FENCE : 0) | opcode;
		chain->size = size;
	}
	tavor_link_send(sq->last, addr, opcode, size | (fence ? TAVOR_NEXT_FENCE : 0) |
			(chain->wqes == 1 ? TAVOR_NEXT_DBD : 0));
	sq->last = wqe;
	/* Pairs with the acquire in the flush of a failed device, which no doorbell tells. */
	smp_store_release(&sq->head, sq->head + 1);
	sq->next = tavor_wq_after(sq, sq->next);
}

static int tavor_post_one_send(struct tavor_hw_qp *qp, const struct ib_send_wr *wr,
			       struct tavor_chain *chain)
{
	u8 opcode = tavor_send_opcode(qp, wr->opcode);
	struct tavor_next_seg *wqe;
	int size;

	if (tavor_wq_full(&qp->sq))
		return -ENOMEM;
	if (!opcode)
		return -EINVAL;
	wqe = tavor_send_slot(qp, qp->sq.next);
	size = tavor_build_send(qp, wr, wqe);
	if (size < 0)
		return size;
	tavor_queue_send(qp, wqe, size / TAVOR_WQE_UNIT, opcode, wr->send_flags & IB_SEND_FENCE,
			 wr->wr_id, chain);
	return 0;
}

static int tavor_check_post(const struct tavor_hw_qp *qp, const struct tavor_wq *wq)
{
	if (vrb_device_failed(qp->dev->vrb))
		return -EIO;
	return READ_ONCE(wq->open) ? 0 : -EINVAL;
}

/**
 * tavor_post_send() - ib_device_ops.post_send
 * @ibqp: a kernel QP
 * @wr: list of requests
 * @bad_wr: the first one not posted, on failure
 *
 * Context: Any.
 * Return: 0; -EINVAL: wrong state, opcode, number or length of entries, or inline length; -ENOMEM:
 * queue full; -EIO: the device has failed.
 */
int tavor_post_send(struct ib_qp *ibqp, const struct ib_send_wr *wr,
		    const struct ib_send_wr **bad_wr)
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	struct tavor_chain chain = {};
	unsigned long flags;
	int err;

	spin_lock_irqsave(&qp->sq.lock, flags);
	err = tavor_check_post(qp, &qp->sq);
	for (; wr && !err; wr = wr->next) {
		err = tavor_post_one_send(qp, wr, &chain);
		if (err)
			break;
	}
	if (err)
		*bad_wr = wr;
	if (chain.wqes)
		tavor_ring(&qp->dev->kar, TAVOR_DB_SEND, chain.head, qp->qpn << 8 | chain.size);
	spin_unlock_irqrestore(&qp->sq.lock, flags);
	return err;
}

/**
 * tavor_post_send_marker() - a work request that does nothing, for the end of a queue
 * @qp: a kernel QP in the error state; its device may have failed
 * @wr_id: of its completion, which is a flush error
 *
 * Context: Any.
 * Return: 0 or -ENOMEM: queue full.
 */
int tavor_post_send_marker(struct tavor_hw_qp *qp, u64 wr_id)
{
	u32 size = sizeof(struct tavor_next_seg) + sizeof(struct tavor_ud_seg);
	struct tavor_chain chain = {};
	struct tavor_next_seg *wqe;
	unsigned long flags;
	int err = -ENOMEM;

	spin_lock_irqsave(&qp->sq.lock, flags);
	if (!tavor_wq_full(&qp->sq)) {
		wqe = tavor_send_slot(qp, qp->sq.next);
		/* No strides are shorter, and nobody executes it. */
		memset(wqe, 0, size);
		wqe->flags = cpu_to_be32(TAVOR_CTRL_ALWAYS | TAVOR_CTRL_COMPLETION);
		tavor_queue_send(qp, wqe, size / TAVOR_WQE_UNIT, TAVOR_OP_SEND, false, wr_id,
				 &chain);
		if (!vrb_device_failed(qp->dev->vrb))
			tavor_ring(&qp->dev->kar, TAVOR_DB_SEND, chain.head,
				   qp->qpn << 8 | chain.size);
		err = 0;
	}
	spin_unlock_irqrestore(&qp->sq.lock, flags);
	return err;
}

/* The ring's addresses were linked when it was made; a link's size is that of the next WQE. */
static int tavor_post_one_recv(struct tavor_hw_qp *qp, const struct ib_recv_wr *wr)
{
	struct tavor_wq *rq = &qp->rq;
	struct tavor_next_seg *wqe;
	void *end;
	u32 size;

	if (tavor_wq_full(rq))
		return -ENOMEM;
	if (wr->num_sge < 0 || wr->num_sge > rq->shape.max_gs)
		return -EINVAL;
	wqe = tavor_recv_slot(qp, rq->next);
	wqe->ee_nds = cpu_to_be32(TAVOR_NEXT_DBD);
	wqe->flags = 0;
	end = tavor_put_sges(wqe + 1, wr->sg_list, wr->num_sge);
	if (IS_ERR(end))
		return PTR_ERR(end);
	size = (end - (void *)wqe) / TAVOR_WQE_UNIT;

	rq->wrid[rq->next] = wr->wr_id;
	WRITE_ONCE(rq->last->ee_nds, cpu_to_be32(TAVOR_NEXT_DBD | size));
	rq->last = wqe;
	/* As of a send. */
	smp_store_release(&rq->head, rq->head + 1);
	rq->next = tavor_wq_after(rq, rq->next);
	return size;
}

static void tavor_ring_recv(struct tavor_hw_qp *qp, u32 slot, u32 size, u32 count)
{
	tavor_ring(&qp->dev->kar, TAVOR_DB_RECV, slot << qp->rq.shape.shift | size,
		   qp->qpn << 8 | count % TAVOR_RECV_DB_MAX);
}

/**
 * tavor_post_recv() - ib_device_ops.post_recv
 * @ibqp: a kernel QP without SRQ
 * @wr: list of requests
 * @bad_wr: the first one not posted, on failure
 *
 * Context: Any.
 * Return: 0; -EINVAL: wrong state, or number or length of entries; -ENOMEM: queue full; -EIO: the
 * device has failed.
 */
int tavor_post_recv(struct ib_qp *ibqp, const struct ib_recv_wr *wr,
		    const struct ib_recv_wr **bad_wr)
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	u32 count = 0, first_slot = 0, first_size = 0, slot;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&qp->rq.lock, flags);
	ret = tavor_check_post(qp, &qp->rq);
	for (; wr && ret >= 0; wr = wr->next) {
		slot = qp->rq.next;
		ret = tavor_post_one_recv(qp, wr);
		if (ret < 0)
			break;
		if (!count++) {
			first_slot = slot;
			first_size = ret;
		}
		if (count == TAVOR_RECV_DB_MAX) {
			tavor_ring_recv(qp, first_slot, first_size, count);
			count = 0;
		}
	}
	if (ret < 0)
		*bad_wr = wr;
	if (count)
		tavor_ring_recv(qp, first_slot, first_size, count);
	spin_unlock_irqrestore(&qp->rq.lock, flags);
	return min(ret, 0);
}

/**
 * tavor_post_recv_marker() - the same for the receive queue
 * @qp: a kernel QP without SRQ, in the error state; its device may have failed
 * @wr_id: of its completion, which is a flush error
 *
 * Context: Any.
 * Return: 0 or -ENOMEM: queue full.
 */
int tavor_post_recv_marker(struct tavor_hw_qp *qp, u64 wr_id)
{
	const struct ib_recv_wr wr = { .wr_id = wr_id };
	unsigned long flags;
	int size;
	u32 slot;

	spin_lock_irqsave(&qp->rq.lock, flags);
	slot = qp->rq.next;
	size = tavor_post_one_recv(qp, &wr);
	if (size > 0 && !vrb_device_failed(qp->dev->vrb))
		tavor_ring_recv(qp, slot, size, 1);
	spin_unlock_irqrestore(&qp->rq.lock, flags);
	return min(size, 0);
}
