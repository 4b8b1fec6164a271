// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Connections of kernel threads that wait for each verb, with any driver. */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include "life.h"

MODULE_DESCRIPTION("Connections of threads that wait for every verb");
MODULE_LICENSE("Dual BSD/GPL");

static int threads = 1;
module_param(threads, int, 0444);
MODULE_PARM_DESC(threads, "how many");

static int total = 10;
module_param(total, int, 0444);
MODULE_PARM_DESC(total, "connections, of all threads together");

static struct bed bed;
static struct life_times times;
static atomic_t left, running;
static int failed;
static DECLARE_COMPLETION(over);

static int connect(struct ib_qp *qp)
{
	struct ib_qp_attr attr;

	life_attr(&attr, &bed, qp);
	attr.qp_state = IB_QPS_INIT;
	if (ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT |
			 IB_QP_ACCESS_FLAGS))
		return -EIO;
	attr.qp_state = IB_QPS_RTR;
	if (ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN |
			 IB_QP_RQ_PSN | IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER))
		return -EIO;
	attr.qp_state = IB_QPS_RTS;
	return ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT |
			    IB_QP_RNR_RETRY | IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
}

static int live(void *arg)
{
	struct ib_qp_init_attr attr;
	struct ib_qp *qp;
	u64 began;

	while (atomic_dec_return(&left) >= 0) {
		attr = life_qp(bed.cq);
		began = ktime_get_ns();
		qp = ib_create_qp(bed.pd, &attr);
		if (IS_ERR(qp) || connect(qp))
			failed = -EIO;
		else
			life_took(&times, began);
		if (!IS_ERR(qp))
			ib_destroy_qp(qp);
	}
	if (atomic_dec_and_test(&running))
		complete(&over);
	return 0;
}

static int measure(void)
{
	u64 began = ktime_get_ns();
	int i;

	atomic_set(&left, total);
	atomic_set(&running, threads);
	for (i = 0; i < threads; i++) {
		if (!IS_ERR(kthread_run(live, NULL, KBUILD_MODNAME)))
			continue;
		failed = -ENOMEM;
		if (atomic_dec_and_test(&running))
			complete(&over);
	}
	wait_for_completion(&over);
	life_result(&times, total, began);
	return failed;
}

static int result = -ENODEV;

static int on_device(struct ib_device *device)
{
	struct ib_cq_init_attr attr = { .cqe = 63 };

	if (result != -ENODEV)
		return -EOPNOTSUPP;
	result = life_bed(&bed, device);
	if (result)
		return -EOPNOTSUPP;
	bed.cq = ib_create_cq(device, NULL, NULL, NULL, &attr);
	result = PTR_ERR_OR_ZERO(bed.cq);
	if (!result) {
		result = measure();
		ib_destroy_cq(bed.cq);
	}
	ib_dealloc_pd(bed.pd);
	return -EOPNOTSUPP;	/* there is nothing to remove later */
}

static struct ib_client client = { .name = "connect_threads", .add = on_device };

static int __init connect_threads_init(void)
{
	int ret = life_times_init(&times, total) ?: ib_register_client(&client);

	if (!ret)
		ib_unregister_client(&client);
	kvfree(times.ns);
	return ret ?: result;
}

static void __exit connect_threads_exit(void)
{
}

module_init(connect_threads_init);
module_exit(connect_threads_exit);
