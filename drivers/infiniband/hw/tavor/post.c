// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Post send and post receive.
 *
 * Direct calls, legal in any context. A WQE is linked to the one before it only when it is
 * complete. So the hardware, and the flush of a failed queue, follow exactly the accepted WQEs. A
 * queue's "last" changes only with the link, not for a request that is refused.
 */
#include "ah.h"
#include "mlx.h"
#include "post.h"
#include "tavor.h"

/*
 * The work requests of one call, and the position of the queue after them. The queue itself
 * advances once for all of them, before their doorbell.
 */
struct tavor_chain {
	u32 wqes;
	u32 room;		/* free slots, at least */
	u32 next;		/* as in struct tavor_wq */
	struct tavor_next_seg *last;
	/* of the first WQE, in its doorbell: */
	u32 head;		/* address; of a send also fence and opcode, of a receive size */
	u32 size;		/* of a send */
};

#define TAVOR_SERVICE_BIT(service)	BIT(TAVOR_SERVICE_##service)
#define TAVOR_CONNECTED			(TAVOR_SERVICE_BIT(RC) | TAVOR_SERVICE_BIT(UC))
#define TAVOR_ALL_SERVICES		(TAVOR_CONNECTED | TAVOR_SERVICE_BIT(UD) | \
					 TAVOR_SERVICE_BIT(MLX))

/* What a send consists of */
#define TAVOR_SEND_IMM			BIT(0)
#define TAVOR_SEND_REMOTE		BIT(1)	/* names memory of the peer */
#define TAVOR_SEND_ATOMIC		BIT(2)
#define TAVOR_SEND_READS		BIT(3)	/* its data is the response */

struct tavor_send_op {
	u8 opcode;		/* 0: there is none */
	u8 services;
	u8 parts;
};

static const struct tavor_send_op tavor_send_ops[] = {
	[IB_WR_RDMA_WRITE] = { TAVOR_OP_RDMA_WRITE, TAVOR_CONNECTED, TAVOR_SEND_REMOTE },
	[IB_WR_RDMA_WRITE_WITH_IMM] = { TAVOR_OP_RDMA_WRITE_IMM, TAVOR_CONNECTED,
					TAVOR_SEND_REMOTE | TAVOR_SEND_IMM },
	[IB_WR_SEND] = { TAVOR_OP_SEND, TAVOR_ALL_SERVICES, 0 },
	[IB_WR_SEND_WITH_IMM] = { TAVOR_OP_SEND_IMM, TAVOR_ALL_SERVICES, TAVOR_SEND_IMM },
	[IB_WR_RDMA_READ] = { TAVOR_OP_RDMA_READ, TAVOR_SERVICE_BIT(RC),
			      TAVOR_SEND_REMOTE | TAVOR_SEND_READS },
	[IB_WR_ATOMIC_CMP_AND_SWP] = { TAVOR_OP_ATOMIC_CS, TAVOR_SERVICE_BIT(RC),
				       TAVOR_SEND_REMOTE | TAVOR_SEND_ATOMIC | TAVOR_SEND_READS },
	[IB_WR_ATOMIC_FETCH_AND_ADD] = { TAVOR_OP_ATOMIC_FA, TAVOR_SERVICE_BIT(RC),
					 TAVOR_SEND_REMOTE | TAVOR_SEND_ATOMIC | TAVOR_SEND_READS },
};

/* Returns NULL if the transport has no such request. */
static const struct tavor_send_op *tavor_send_op(const struct tavor_hw_qp *qp,
						 enum ib_wr_opcode opcode)
{
	const struct tavor_send_op *op;

	if (opcode >= ARRAY_SIZE(tavor_send_ops))
		return NULL;
	op = &tavor_send_ops[opcode];
	return op->services & BIT(qp->service) ? op : NULL;
}

static u32 tavor_wq_room(const struct tavor_wq *wq)
{
	/* Pairs with the release in poll: the slot's work request id has been read. */
	return wq->shape.max - (wq->head - smp_load_acquire(&wq->tail));
}

static struct tavor_chain tavor_chain_of(const struct tavor_wq *wq)
{
	return (struct tavor_chain){
		.room = tavor_wq_room(wq), .next = wq->next, .last = wq->last,
	};
}

static bool tavor_chain_full(const struct tavor_wq *wq, struct tavor_chain *chain)
{
	if (likely(chain->wqes < chain->room))
		return false;
	chain->room = tavor_wq_room(wq);
	return chain->wqes >= chain->room;
}

/* Advances the queue past a chain, whose doorbell is rung afterwards. */
static void tavor_chain_end(struct tavor_wq *wq, const struct tavor_chain *chain)
{
	wq->next = chain->next;
	wq->last = chain->last;
	/* Pairs with the acquire in the flush of a failed device, which sees no doorbell. */
	smp_store_release(&wq->head, wq->head + chain->wqes);
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

static void *tavor_put_remote(void *pos, const struct ib_send_wr *wr,
			      const struct tavor_send_op *op)
{
	if (unlikely(op->parts & TAVOR_SEND_ATOMIC))
		return tavor_put_atomic(pos, atomic_wr(wr));
	return tavor_put_raddr(pos, rdma_wr(wr)->remote_addr, rdma_wr(wr)->rkey);
}

/*
 * The hardware takes a byte count of 0 as 2 GB, so empty entries are left out. In an entry of 2 GB
 * or more the highest bit would be set, which marks inline data. Returns false for such an entry.
 */
static __always_inline bool tavor_put_sges(void **pos, const struct ib_sge *sge, u32 num)
{
	const struct ib_sge *end = sge + num;
	struct tavor_data_seg *seg = *pos;
	u32 lengths = 0;

	for (; sge != end; sge++) {
		lengths |= sge->length;
		if (likely(sge->length))
			tavor_set_data_seg(seg++, sge);
	}
	*pos = seg;
	if (unlikely(lengths & TAVOR_INLINE))
		return false;
	return true;
}

/* Returns the end of the data, or NULL: too many bytes. */
static noinline void *tavor_put_inline(void *pos, const struct ib_send_wr *wr, u32 max)
{
	struct tavor_inline_seg *seg = pos;
	u32 bytes = 0;
	int i;

	for (i = 0; i < wr->num_sge; i++) {
		const struct ib_sge *sge = &wr->sg_list[i];

		if (sge->length > max - bytes)
			return NULL;
		memcpy(seg->data + bytes, (void *)(uintptr_t)sge->addr, sge->length);
		bytes += sge->length;
	}
	if (!bytes)
		return seg;
	seg->byte_count = cpu_to_be32(TAVOR_INLINE | bytes);
	return pos + ALIGN(sizeof(*seg) + bytes, TAVOR_WQE_UNIT);
}

/* Returns false if the list or an entry is too long. */
static __always_inline bool tavor_put_data(const struct tavor_hw_qp *qp,
					   const struct ib_send_wr *wr,
					   const struct tavor_send_op *op, void **pos)
{
	u32 num = wr->num_sge;	/* a negative one is too large */

	if (unlikely(num > qp->sq.shape.max_gs))
		return false;
	if (likely(!(wr->send_flags & IB_SEND_INLINE)))
		return tavor_put_sges(pos, wr->sg_list, num);
	if (op->parts & TAVOR_SEND_READS)
		return false;
	*pos = tavor_put_inline(*pos, wr, qp->max_inline);
	return *pos;
}

static __be32 tavor_send_flags(const struct tavor_hw_qp *qp, const struct ib_send_wr *wr)
{
	return cpu_to_be32(qp->send_flags |
			   (wr->send_flags & IB_SEND_SIGNALED ? TAVOR_CTRL_COMPLETION : 0) |
			   (wr->send_flags & IB_SEND_SOLICITED ? TAVOR_CTRL_SOLICITED : 0));
}

/* Writes one send WQE, without linking it. Returns false if the request is invalid. */
static __always_inline bool tavor_build_send(struct tavor_hw_qp *qp, const struct ib_send_wr *wr,
					     const struct tavor_send_op *op,
					     struct tavor_next_seg *wqe, void **end)
{
	void *pos = wqe + 1;

	wqe->nda_op = 0;
	wqe->ee_nds = 0;
	wqe->flags = tavor_send_flags(qp, wr);
	if (op->parts & TAVOR_SEND_IMM)
		wqe->imm = wr->ex.imm_data;

	if (op->parts & TAVOR_SEND_REMOTE) {
		pos = tavor_put_remote(pos, wr, op);
	} else if (qp->service == TAVOR_SERVICE_UD) {
		pos = tavor_put_ud(qp, pos, ud_wr(wr));
	} else if (unlikely(tavor_qp_is_special(qp))) {
		pos = tavor_mlx_headers(qp, ud_wr(wr), wqe);
		if (!pos)
			return false;
	}

	if (unlikely(!tavor_put_data(qp, wr, op, &pos)))
		return false;
	if (unlikely(tavor_qp_is_special(qp)))
		pos = tavor_mlx_icrc(pos);
	*end = pos;
	return true;
}

static u32 tavor_wqe_units(const struct tavor_next_seg *wqe, const void *end)
{
	return (u32)(end - (const void *)wqe) / TAVOR_WQE_UNIT;
}

/* Writes the previous WQE's link. The hardware uses the address once the size is not 0. */
static void tavor_link_send(struct tavor_next_seg *last, u32 addr_op, u32 size_fence_dbd)
{
	dma_wmb();
	last->nda_op = cpu_to_be32(addr_op);
	dma_wmb();
	WRITE_ONCE(last->ee_nds, cpu_to_be32(size_fence_dbd));
}

/* Adds a WQE of @size units, at the next slot's address, to the chain. */
static __always_inline void tavor_queue_send(struct tavor_wq *sq, struct tavor_next_seg *wqe,
					     u32 addr_op, u32 size, bool fence, u64 wr_id,
					     struct tavor_chain *chain)
{
	u32 link = size | (fence ? TAVOR_NEXT_FENCE : 0);

	sq->wrid[chain->next] = wr_id;
	if (!chain->wqes++) {
		chain->head = addr_op | (fence ? TAVOR_SEND_DB_FENCE : 0);
		chain->size = size;
		link |= TAVOR_NEXT_DBD;
	}
	tavor_link_send(chain->last, addr_op, link);
	chain->last = wqe;
	chain->next = tavor_wq_after(sq, chain->next);
}

static __always_inline int tavor_post_one_send(struct tavor_hw_qp *qp, const struct ib_send_wr *wr,
					       struct tavor_chain *chain)
{
	const struct tavor_send_op *op;
	struct tavor_next_seg *wqe;
	void *end;
	u32 addr;

	if (unlikely(tavor_chain_full(&qp->sq, chain)))
		return -ENOMEM;
	op = tavor_send_op(qp, wr->opcode);
	if (unlikely(!op))
		return -EINVAL;
	addr = tavor_wq_addr(&qp->sq, chain->next);
	wqe = tavor_buf_at(&qp->buf, addr);
	if (unlikely(!tavor_build_send(qp, wr, op, wqe, &end)))
		return -EINVAL;
	tavor_queue_send(&qp->sq, wqe, addr | op->opcode, tavor_wqe_units(wqe, end),
			 wr->send_flags & IB_SEND_FENCE, wr->wr_id, chain);
	return 0;
}

static int tavor_check_post(const struct tavor_hw_qp *qp, const struct tavor_wq *wq)
{
	if (unlikely(vrb_device_failed(qp->object.dev)))
		return -EIO;
	return likely(READ_ONCE(wq->open)) ? 0 : -EINVAL;
}

static void tavor_ring_send(struct tavor_hw_qp *qp, const struct tavor_chain *chain)
{
	tavor_ring(&qp->dev->kar, TAVOR_DB_SEND, chain->head, qp->qpn << 8 | chain->size);
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
	struct tavor_chain chain;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&qp->sq.lock, flags);
	chain = tavor_chain_of(&qp->sq);
	err = tavor_check_post(qp, &qp->sq);
	for (; wr && !err; wr = wr->next) {
		err = tavor_post_one_send(qp, wr, &chain);
		if (err)
			break;
	}
	if (unlikely(err))
		*bad_wr = wr;
	if (chain.wqes) {
		tavor_chain_end(&qp->sq, &chain);
		tavor_ring_send(qp, &chain);
	}
	spin_unlock_irqrestore(&qp->sq.lock, flags);
	return err;
}

/**
 * tavor_post_send_marker() - posts a work request that does nothing, to the end of a queue
 * @qp: a kernel QP in the error state; its device may have failed
 * @wr_id: work request id of its completion, which is a flush error
 *
 * Context: Any.
 * Return: 0 or -ENOMEM: queue full.
 */
int tavor_post_send_marker(struct tavor_hw_qp *qp, u64 wr_id)
{
	u32 size = sizeof(struct tavor_next_seg) + sizeof(struct tavor_ud_seg);
	struct tavor_next_seg *wqe;
	struct tavor_chain chain;
	unsigned long flags;
	int err = -ENOMEM;
	u32 addr;

	spin_lock_irqsave(&qp->sq.lock, flags);
	chain = tavor_chain_of(&qp->sq);
	if (!tavor_chain_full(&qp->sq, &chain)) {
		addr = tavor_wq_addr(&qp->sq, chain.next);
		wqe = tavor_buf_at(&qp->buf, addr);
		/* No stride is shorter, and the WQE is never executed. */
		memset(wqe, 0, size);
		wqe->flags = cpu_to_be32(TAVOR_CTRL_ALWAYS | TAVOR_CTRL_COMPLETION);
		tavor_queue_send(&qp->sq, wqe, addr | TAVOR_OP_SEND, size / TAVOR_WQE_UNIT, false,
				 wr_id, &chain);
		tavor_chain_end(&qp->sq, &chain);
		if (!vrb_device_failed(qp->dev->vrb))
			tavor_ring_send(qp, &chain);
		err = 0;
	}
	spin_unlock_irqrestore(&qp->sq.lock, flags);
	return err;
}

/* The ring's addresses are linked already; the size in a link is that of the next WQE. */
static __always_inline int tavor_post_one_recv(struct tavor_hw_qp *qp, const struct ib_recv_wr *wr,
					       struct tavor_chain *chain)
{
	u32 num = wr->num_sge;	/* a negative one is too large */
	struct tavor_wq *rq = &qp->rq;
	struct tavor_next_seg *wqe;
	u32 addr, size;
	void *pos;

	if (unlikely(tavor_chain_full(rq, chain)))
		return -ENOMEM;
	if (unlikely(num > rq->shape.max_gs))
		return -EINVAL;
	addr = chain->next << rq->shape.shift;
	wqe = tavor_buf_at(&qp->buf, addr);
	pos = wqe + 1;
	wqe->ee_nds = cpu_to_be32(TAVOR_NEXT_DBD);
	wqe->flags = 0;
	if (unlikely(!tavor_put_sges(&pos, wr->sg_list, num)))
		return -EINVAL;
	size = tavor_wqe_units(wqe, pos);

	rq->wrid[chain->next] = wr->wr_id;
	WRITE_ONCE(chain->last->ee_nds, cpu_to_be32(TAVOR_NEXT_DBD | size));
	if (!chain->wqes++)
		chain->head = addr | size;
	chain->last = wqe;
	chain->next = tavor_wq_after(rq, chain->next);
	return 0;
}

static void tavor_ring_recv(struct tavor_hw_qp *qp, const struct tavor_chain *chain)
{
	tavor_ring(&qp->dev->kar, TAVOR_DB_RECV, chain->head,
		   qp->qpn << 8 | chain->wqes % TAVOR_RECV_DB_MAX);
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
	struct tavor_chain chain;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&qp->rq.lock, flags);
	chain = tavor_chain_of(&qp->rq);
	err = tavor_check_post(qp, &qp->rq);
	for (; wr && !err; wr = wr->next) {
		err = tavor_post_one_recv(qp, wr, &chain);
		if (err)
			break;
		if (unlikely(chain.wqes == TAVOR_RECV_DB_MAX)) {
			tavor_chain_end(&qp->rq, &chain);
			tavor_ring_recv(qp, &chain);
			chain = tavor_chain_of(&qp->rq);
		}
	}
	if (unlikely(err))
		*bad_wr = wr;
	if (chain.wqes) {
		tavor_chain_end(&qp->rq, &chain);
		tavor_ring_recv(qp, &chain);
	}
	spin_unlock_irqrestore(&qp->rq.lock, flags);
	return err;
}

/**
 * tavor_post_recv_marker() - posts a work request that does nothing to the receive queue
 * @qp: a kernel QP without SRQ, in the error state; its device may have failed
 * @wr_id: of its completion, which is a flush error
 *
 * Context: Any.
 * Return: 0 or -ENOMEM: queue full.
 */
int tavor_post_recv_marker(struct tavor_hw_qp *qp, u64 wr_id)
{
	const struct ib_recv_wr wr = { .wr_id = wr_id };
	struct tavor_chain chain;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&qp->rq.lock, flags);
	chain = tavor_chain_of(&qp->rq);
	err = tavor_post_one_recv(qp, &wr, &chain);
	if (!err) {
		tavor_chain_end(&qp->rq, &chain);
		if (!vrb_device_failed(qp->dev->vrb))
			tavor_ring_recv(qp, &chain);
	}
	spin_unlock_irqrestore(&qp->rq.lock, flags);
	return err;
}
