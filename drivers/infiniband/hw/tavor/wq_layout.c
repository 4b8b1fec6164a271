// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Geometry of a QP's work queues.
 *
 * The rules here are an ABI: the unmodified user library computes the strides from the same
 * capabilities and lays out its buffer before it calls the kernel. The limits that are returned to
 * the consumer must follow the same rules, because the library uses them.
 */
#include <linux/align.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "hw_wqe.h"
#include "wq_layout.h"

/* MLX: packet headers as an inline segment of at most 72 + 4 bytes, and one for the ICRC. */
#define TAVOR_MLX_OVERHEAD	(ALIGN(72 + 4, TAVOR_WQE_UNIT) + TAVOR_WQE_UNIT)

/**
 * tavor_wqe_shift() - stride of a queue
 * @bytes: size of its largest WQE
 *
 * Context: Any.
 * Return: log2 of the stride in bytes.
 */
u32 tavor_wqe_shift(u32 bytes)
{
	return max_t(u32, TAVOR_MIN_WQE_SHIFT, order_base_2(bytes));
}

/*
 * Bytes of the segments between the first segment of a send WQE and its list of data segments. This
 * is for sends with any number of data segments; tavor_send_bytes() adds atomics and binds.
 */
static u32 tavor_send_overhead(enum tavor_qp_service service)
{
	switch (service) {
	case TAVOR_SERVICE_UD:
		return sizeof(struct tavor_ud_seg);
	case TAVOR_SERVICE_MLX:
		return TAVOR_MLX_OVERHEAD;
	default:
		return sizeof(struct tavor_raddr_seg);
	}
}

/* Bytes of the largest send WQE with @segs data segments. */
static u32 tavor_send_bytes(enum tavor_qp_service service, u32 segs)
{
	u32 body = tavor_send_overhead(service) + segs * sizeof(struct tavor_data_seg);

	if (service == TAVOR_SERVICE_RC)
		body = max_t(u32, body, sizeof(struct tavor_raddr_seg) +
			     sizeof(struct tavor_atomic_seg) + sizeof(struct tavor_data_seg));
	body = max_t(u32, body, TAVOR_BIND_SEG_SIZE);
	return body + sizeof(struct tavor_next_seg);
}

static int tavor_wq_check_cap(const struct tavor_wq_limits *limits, const struct ib_qp_cap *cap)
{
	if (cap->max_send_wr > limits->max_wqes || cap->max_recv_wr > limits->max_wqes)
		return -EINVAL;
	if (cap->max_send_sge > limits->max_sg || cap->max_recv_sge > limits->max_sg)
		return -EINVAL;
	return cap->max_inline_data > limits->max_desc ? -EINVAL : 0;
}

/**
 * tavor_wq_plan() - lay out the work queues of a QP
 * @limits: of the device
 * @service: transport
 * @cap: what the consumer requests
 * @layout: result; @layout->send.max_gs, @layout->recv.max_gs and @layout->max_inline are the
 *	actual numbers that fit into the strides
 *
 * Context: Any.
 * Return: 0, or -EINVAL if @cap exceeds @limits.
 */
int tavor_wq_plan(const struct tavor_wq_limits *limits, enum tavor_qp_service service,
		  const struct ib_qp_cap *cap, struct tavor_wq_layout *layout)
{
	u32 inline_segs, recv_bytes, send_bytes, room;
	int err;

	err = tavor_wq_check_cap(limits, cap);
	if (err)
		return err;
	inline_segs = DIV_ROUND_UP(cap->max_inline_data + sizeof(struct tavor_inline_seg),
				   TAVOR_WQE_UNIT);
	recv_bytes = sizeof(struct tavor_next_seg) +
		     cap->max_recv_sge * sizeof(struct tavor_data_seg);
	send_bytes = tavor_send_bytes(service, max(cap->max_send_sge, inline_segs));
	if (recv_bytes > limits->max_desc || send_bytes > limits->max_desc)
		return -EINVAL;

	layout->recv.max = cap->max_recv_wr;
	layout->recv.shift = tavor_wqe_shift(recv_bytes);
	layout->recv.offset = 0;
	layout->send.max = cap->max_send_wr;
	layout->send.shift = tavor_wqe_shift(send_bytes);
	layout->send.offset = ALIGN(layout->recv.max << layout->recv.shift,
				    1U << layout->send.shift);
	layout->size = layout->send.offset + (layout->send.max << layout->send.shift);

	room = min(limits->max_desc, 1U << layout->recv.shift) - sizeof(struct tavor_next_seg);
	layout->recv.max_gs = min_t(u32, limits->max_sg, room / sizeof(struct tavor_data_seg));
	room = min(limits->max_desc, 1U << layout->send.shift) - sizeof(struct tavor_next_seg) -
	       tavor_send_overhead(service);
	layout->send.max_gs = min_t(u32, limits->max_sg, room / sizeof(struct tavor_data_seg));
	layout->max_inline = room - sizeof(struct tavor_inline_seg);
	return 0;
}
