/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The life of a connection, for both modules: a queue pair is created, connected to itself from
 * RESET to RTS, and destroyed. Also the format of the results in the log: how long all took, and
 * the percentiles of the time from the create to RTS.
 */
#ifndef BENCH_LIFE_H
#define BENCH_LIFE_H

#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <rdma/ib_verbs.h>

#define PORT 1

struct bed {
	struct ib_device *device;
	struct ib_pd *pd;
	struct ib_cq *cq;
	u32 lid;
};

static inline struct ib_qp_init_attr life_qp(struct ib_cq *cq)
{
	return (struct ib_qp_init_attr){
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {
			.max_send_wr = 4, .max_recv_wr = 4,
			.max_send_sge = 1, .max_recv_sge = 1,
		},
	};
}

/* The attributes of all three transitions together */
static inline void life_attr(struct ib_qp_attr *attr, struct bed *bed, struct ib_qp *qp)
{
	*attr = (struct ib_qp_attr){
		.port_num = PORT, .path_mtu = IB_MTU_1024, .dest_qp_num = qp->qp_num,
		.min_rnr_timer = 12, .timeout = 18, .retry_cnt = 7, .rnr_retry = 7,
		.ah_attr.type = RDMA_AH_ATTR_TYPE_IB,
	};
	rdma_ah_set_dlid(&attr->ah_attr, bed->lid);
	rdma_ah_set_port_num(&attr->ah_attr, PORT);
}

static inline int life_bed(struct bed *bed, struct ib_device *device)
{
	struct ib_port_attr port;
	int ret = ib_query_port(device, PORT, &port);

	if (ret)
		return ret;
	bed->device = device;
	bed->lid = port.lid;
	bed->pd = ib_alloc_pd(device, 0);
	return PTR_ERR_OR_ZERO(bed->pd);
}

/* How long each connection took until it was in RTS */
struct life_times {
	u64 *ns;
	atomic_t count;
};

static inline int life_times_init(struct life_times *times, unsigned int total)
{
	times->ns = kvcalloc(total, sizeof(*times->ns), GFP_KERNEL);
	return times->ns ? 0 : -ENOMEM;
}

static inline void life_took(struct life_times *times, u64 began)
{
	times->ns[atomic_inc_return(&times->count) - 1] = ktime_get_ns() - began;
}

static inline int life_compare(const void *a, const void *b)
{
	u64 left = *(const u64 *)a, right = *(const u64 *)b;

	return left < right ? -1 : left > right;
}

/* The smallest time that at least @mille of a thousand connections did not exceed */
static inline u64 life_percentile(const struct life_times *times, unsigned int mille)
{
	unsigned int count = atomic_read(&times->count);

	return count ? times->ns[DIV_ROUND_UP(count * mille, 1000) - 1] : 0;
}

static inline void life_total(unsigned int total, u64 began)
{
	pr_info(KBUILD_MODNAME ": %u times in %llu ns\n", total, ktime_get_ns() - began);
}

static inline void life_result(struct life_times *times, unsigned int total, u64 began)
{
	life_total(total, began);
	sort(times->ns, atomic_read(&times->count), sizeof(*times->ns), life_compare, NULL);
	pr_info(KBUILD_MODNAME ": %u connected, p50 %llu p99 %llu p99.9 %llu ns\n",
		(unsigned int)atomic_read(&times->count), life_percentile(times, 500),
		life_percentile(times, 990), life_percentile(times, 999));
}

#endif
