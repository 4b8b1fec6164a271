// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The cost of the data path for a kernel client, with any driver: loading the module executes the
 * intervals of data.h on connected RC QPs of the first device, port 1, which must be active. After
 * each post the module waits for the hardware to finish.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>

#include "../count/marker.h"
#include "data.h"

MODULE_DESCRIPTION("What verbs cost, on whatever driver");
MODULE_LICENSE("Dual BSD/GPL");

#define TIMES 21
#define CHAIN 16
#define PIECES 16
#define PORT 1
#define PATIENCE_MS 10

struct bed {
	struct ib_device *device;
	struct ib_pd *pd;
	struct ib_cq *send_cq, *recv_cq;
	struct ib_qp *qp[2], *wide[2];	/* wide: for requests of many pieces */
	struct completion event;
	struct ib_wc wc[CHAIN];
	void *buffer;
	struct ib_sge sge;
	u32 lid;
};

/* ---- Objects ---- */

static void event(struct ib_cq *cq, void *context)
{
	complete(context);
}

static struct ib_cq *create_cq(struct bed *bed)
{
	struct ib_cq_init_attr attr = { .cqe = 4 * CHAIN };

	return ib_create_cq(bed->device, event, NULL, &bed->event, &attr);
}

static struct ib_qp *create_qp(struct bed *bed, bool wide)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.send_cq = bed->send_cq,
		.recv_cq = bed->recv_cq,
		.cap = {
			.max_send_wr = 2 * CHAIN,
			.max_recv_wr = 2 * CHAIN,
			.max_send_sge = wide ? PIECES : 1,
			.max_recv_sge = wide ? PIECES : 1,
		},
	};

	return ib_create_qp(bed->pd, &attr);
}

static void address(struct bed *bed, struct rdma_ah_attr *attr)
{
	attr->type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(attr, bed->lid);
	rdma_ah_set_port_num(attr, PORT);
}

static int connect(struct bed *bed, struct ib_qp *qp, u32 peer)
{
	struct ib_qp_attr init = {
		.qp_state = IB_QPS_INIT,
		.port_num = PORT,
		.qp_access_flags = IB_ACCESS_REMOTE_WRITE,
	};
	struct ib_qp_attr rtr = {
		.qp_state = IB_QPS_RTR,
		.path_mtu = IB_MTU_1024,
		.dest_qp_num = peer,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
	};
	struct ib_qp_attr rts = {
		.qp_state = IB_QPS_RTS,
		.timeout = 18,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};

	address(bed, &rtr.ah_attr);
	return ib_modify_qp(qp, &init, IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT |
			    IB_QP_ACCESS_FLAGS) ?:
	       ib_modify_qp(qp, &rtr, IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN |
			    IB_QP_RQ_PSN | IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER) ?:
	       ib_modify_qp(qp, &rts, IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT |
			    IB_QP_RNR_RETRY | IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
}

/* ---- Data: a request of each kind is posted, completes, and is polled ---- */

static int polled(struct ib_cq *cq)
{
	struct ib_wc wc;

	if (ib_poll_cq(cq, 1, &wc) != 1)
		return -ETIMEDOUT;
	return wc.status ? -EIO : 0;
}

static int measure_send(struct bed *bed)
{
	struct ib_recv_wr recv = { .sg_list = &bed->sge, .num_sge = 1 };
	struct ib_send_wr send = {
		.sg_list = &bed->sge, .num_sge = 1,
		.opcode = IB_WR_SEND, .send_flags = IB_SEND_SIGNALED,
	};
	struct ib_wc wc[2];
	int ret, sent, received;

	count_begin(RECV);
	ret = ib_post_recv(bed->qp[1], &recv, NULL);
	count_end(RECV);
	count_begin(SEND);
	ret = ret ?: ib_post_send(bed->qp[0], &send, NULL);
	count_end(SEND);
	msleep(PATIENCE_MS);
	count_begin(POLL_SEND);
	sent = ib_poll_cq(bed->send_cq, 1, &wc[0]);
	count_end(POLL_SEND);
	count_begin(POLL_RECV);
	received = ib_poll_cq(bed->recv_cq, 1, &wc[1]);
	count_end(POLL_RECV);
	count_begin(POLL_EMPTY);
	ib_poll_cq(bed->recv_cq, 1, &wc[1]);
	count_end(POLL_EMPTY);
	return ret ?: sent == 1 && received == 1 ? 0 : -ETIMEDOUT;
}

static int measure_write(struct bed *bed)
{
	struct ib_rdma_wr wr = {
		.wr = {
			.sg_list = &bed->sge, .num_sge = 1,
			.opcode = IB_WR_RDMA_WRITE, .send_flags = IB_SEND_SIGNALED,
		},
		.remote_addr = bed->sge.addr,
		.rkey = bed->pd->unsafe_global_rkey,
	};
	int ret;

	count_begin(RDMA_WRITE);
	ret = ib_post_send(bed->qp[0], &wr.wr, NULL);
	count_end(RDMA_WRITE);
	msleep(PATIENCE_MS);
	return ret ?: polled(bed->send_cq);
}

/* Waits for a send to the peer QP, which had posted a receive. The caller does the counting. */
static int finish_send(struct bed *bed)
{
	msleep(PATIENCE_MS);
	return polled(bed->send_cq) ?: polled(bed->recv_cq);
}

static void pieces(struct bed *bed, struct ib_sge *sge, int count, int length)
{
	while (count--)
		sge[count] = (struct ib_sge){
			.addr = bed->sge.addr + 64 * count, .length = length,
			.lkey = bed->sge.lkey,
		};
}

static int recv_pieces(struct bed *bed)
{
	struct ib_sge sge[4];
	struct ib_recv_wr wr = { .sg_list = sge, .num_sge = ARRAY_SIZE(sge) };
	int ret;

	pieces(bed, sge, ARRAY_SIZE(sge), 64);
	count_begin(RECV_4);
	ret = ib_post_recv(bed->wide[1], &wr, NULL);
	count_end(RECV_4);
	return ret;
}

static int measure_pieces(struct bed *bed, int count)
{
	struct ib_sge sge[PIECES];
	struct ib_send_wr wr = {
		.sg_list = sge, .num_sge = count,
		.opcode = IB_WR_SEND, .send_flags = IB_SEND_SIGNALED,
	};
	int ret = recv_pieces(bed);

	if (ret)
		return ret;
	pieces(bed, sge, count, 1);
	/* A marker's id must be a constant. */
	if (count == PIECES) {
		count_begin(SEND_16);
		ret = ib_post_send(bed->wide[0], &wr, NULL);
		count_end(SEND_16);
	} else {
		count_begin(SEND_4);
		ret = ib_post_send(bed->wide[0], &wr, NULL);
		count_end(SEND_4);
	}
	return ret ?: finish_send(bed);
}

static int measure_wide(struct bed *bed)
{
	return measure_pieces(bed, 4) ?: measure_pieces(bed, PIECES);
}

static int post_recv_chain(struct bed *bed)
{
	struct ib_recv_wr wr[CHAIN];
	int i, ret;

	for (i = 0; i < CHAIN; i++) {
		wr[i] = (struct ib_recv_wr){
			.next = i + 1 < CHAIN ? &wr[i + 1] : NULL,
			.sg_list = &bed->sge, .num_sge = 1,
		};
	}
	count_begin(RECV_CHAIN);
	ret = ib_post_recv(bed->qp[1], wr, NULL);
	count_end(RECV_CHAIN);
	return ret;
}

static int measure_chain(struct bed *bed)
{
	struct ib_send_wr wr[CHAIN];
	int i, ret, sent, received;

	for (i = 0; i < CHAIN; i++) {
		wr[i] = (struct ib_send_wr){
			.next = i + 1 < CHAIN ? &wr[i + 1] : NULL,
			.sg_list = &bed->sge, .num_sge = 1,
			.opcode = IB_WR_SEND, .send_flags = IB_SEND_SIGNALED,
		};
	}
	ret = post_recv_chain(bed);
	count_begin(SEND_CHAIN);
	ret = ret ?: ib_post_send(bed->qp[0], wr, NULL);
	count_end(SEND_CHAIN);
	msleep(2 * PATIENCE_MS);
	count_begin(POLL_SENDS);
	sent = ib_poll_cq(bed->send_cq, CHAIN, bed->wc);
	count_end(POLL_SENDS);
	count_begin(POLL_RECVS);
	received = ib_poll_cq(bed->recv_cq, CHAIN, bed->wc);
	count_end(POLL_RECVS);
	return ret ?: sent != CHAIN || received != CHAIN ? -ETIMEDOUT : 0;
}

/* A message that is waited for: an interrupt notifies the receiver. */
static int measure_message(struct bed *bed)
{
	struct ib_recv_wr recv = { .sg_list = &bed->sge, .num_sge = 1 };
	struct ib_send_wr send = {
		.sg_list = &bed->sge, .num_sge = 1,
		.opcode = IB_WR_SEND, .send_flags = IB_SEND_SIGNALED,
	};
	int ret = ib_post_recv(bed->qp[1], &recv, NULL);

	reinit_completion(&bed->event);
	count_begin(MESSAGE);
	ret = ret ?: ib_req_notify_cq(bed->recv_cq, IB_CQ_NEXT_COMP);
	ret = ret ?: ib_post_send(bed->qp[0], &send, NULL);
	if (!ret && !wait_for_completion_timeout(&bed->event, HZ))
		ret = -ETIMEDOUT;
	ret = ret ?: polled(bed->recv_cq);
	count_end(MESSAGE);
	msleep(PATIENCE_MS);
	return ret ?: polled(bed->send_cq);
}

static int measure_notify(struct bed *bed)
{
	int ret;

	count_begin(NOTIFY);
	ret = ib_req_notify_cq(bed->recv_cq, IB_CQ_NEXT_COMP);
	count_end(NOTIFY);
	return ret;
}

static int measure(struct bed *bed)
{
	int i, ret = 0;

	for (i = 0; i < TIMES && !ret; i++) {
		ret = measure_send(bed);
		ret = ret ?: measure_write(bed);
		ret = ret ?: measure_chain(bed);
		ret = ret ?: measure_wide(bed);
		ret = ret ?: measure_message(bed);
		ret = ret ?: measure_notify(bed);
	}
	return ret;
}

/* ---- Set-up ---- */

static int connect_both(struct bed *bed)
{
	struct ib_port_attr port;
	int ret;

	ret = ib_query_port(bed->device, PORT, &port);
	if (ret)
		return ret;
	if (port.state != IB_PORT_ACTIVE)
		return -ENETDOWN;
	bed->lid = port.lid;
	return connect(bed, bed->qp[0], bed->qp[1]->qp_num) ?:
	       connect(bed, bed->qp[1], bed->qp[0]->qp_num) ?:
	       connect(bed, bed->wide[0], bed->wide[1]->qp_num) ?:
	       connect(bed, bed->wide[1], bed->wide[0]->qp_num);
}

static int with_qps(struct bed *bed)
{
	struct ib_qp **qps[] = { &bed->qp[0], &bed->qp[1], &bed->wide[0], &bed->wide[1] };
	int i, made, ret = 0;

	for (made = 0; made < ARRAY_SIZE(qps); made++) {
		*qps[made] = create_qp(bed, made >= 2);
		if (IS_ERR(*qps[made])) {
			ret = PTR_ERR(*qps[made]);
			break;
		}
	}
	ret = ret ?: connect_both(bed) ?: measure(bed);
	for (i = 0; i < made; i++)
		ib_destroy_qp(*qps[i]);
	return ret;
}

static int with_cqs(struct bed *bed)
{
	int ret;

	bed->send_cq = create_cq(bed);
	if (IS_ERR(bed->send_cq))
		return PTR_ERR(bed->send_cq);
	bed->recv_cq = create_cq(bed);
	if (IS_ERR(bed->recv_cq)) {
		ret = PTR_ERR(bed->recv_cq);
		goto destroy_send_cq;
	}
	ret = with_qps(bed);
	ib_destroy_cq(bed->recv_cq);

destroy_send_cq:
	ib_destroy_cq(bed->send_cq);
	return ret;
}

static int with_buffer(struct bed *bed)
{
	int ret;

	bed->sge.addr = ib_dma_map_single(bed->device, bed->buffer, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (ib_dma_mapping_error(bed->device, bed->sge.addr))
		return -ENOMEM;
	bed->sge.length = 1;
	bed->sge.lkey = bed->pd->local_dma_lkey;
	ret = with_cqs(bed);
	ib_dma_unmap_single(bed->device, bed->sge.addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	return ret;
}

static int result = -ENODEV;

static struct bed bed;

static int on_device(struct ib_device *device)
{
	if (result != -ENODEV)
		return -EOPNOTSUPP;
	bed.device = device;
	init_completion(&bed.event);
	bed.buffer = (void *)get_zeroed_page(GFP_KERNEL);
	if (!bed.buffer)
		return -ENOMEM;
	bed.pd = ib_alloc_pd(device, IB_PD_UNSAFE_GLOBAL_RKEY);
	if (IS_ERR(bed.pd)) {
		result = PTR_ERR(bed.pd);
		goto free_buffer;
	}
	result = with_buffer(&bed);
	ib_dealloc_pd(bed.pd);

free_buffer:
	free_page((unsigned long)bed.buffer);
	return -EOPNOTSUPP;	/* there is nothing to remove later */
}

static struct ib_client client = { .name = "verbs_cost", .add = on_device };

static int __init verbs_cost_init(void)
{
	int ret = ib_register_client(&client);

	if (ret)
		return ret;
	ib_unregister_client(&client);
	return result;
}

static void __exit verbs_cost_exit(void)
{
}

module_init(verbs_cost_init);
module_exit(verbs_cost_exit);
