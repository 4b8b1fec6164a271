/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A kernel client's QP that is connected to itself, and functions that report the results of tests
 * on it as lines of the log, for kernel_client.sh. A module has one struct loop at a time.
 */
#ifndef TAVOR_TEST_LOOP_H
#define TAVOR_TEST_LOOP_H

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#define LOOP_COMPLAINTS	5	/* most messages that one test prints */

struct loop {
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	u16 lid;
	struct vrb_connect_qp connect;
	int wrong;		/* failed checks since the last result */
	int results;
};

static inline void loop_result(struct loop *loop, const char *text)
{
	pr_info(KBUILD_MODNAME ": %sok %d %s\n", loop->wrong ? "not " : "", ++loop->results, text);
	loop->wrong = 0;
}

static inline void loop_want(struct loop *loop, s64 want, s64 got, const char *what)
{
	if (got != want && loop->wrong++ < LOOP_COMPLAINTS)
		pr_info(KBUILD_MODNAME ": # %s: %lld instead of %lld\n", what, got, want);
}

static inline int loop_ask(struct loop *loop, struct vrb *vrb)
{
	return vrb_submit_wait(loop->client, vrb);
}

/* Waits at this point until a script has written another number to a parameter of the module. */
static inline void loop_point(const int *parameter, int number)
{
	int i;

	pr_info(KBUILD_MODNAME ": # is at %d\n", number);
	for (i = 0; i < 300 && READ_ONCE(*parameter) == number; i++)
		msleep(100);
}

/* Connects the QP: moves it from RESET to RTS. */
static inline int loop_connect(struct loop *loop)
{
	struct ib_qp_attr *attr = &loop->connect.attr;

	vrb_prep_connect_qp(&loop->connect, loop->qp);
	attr->port_num = 1;
	attr->qp_access_flags = IB_ACCESS_REMOTE_WRITE;
	attr->path_mtu = IB_MTU_1024;
	attr->dest_qp_num = loop->qp->qp_num;
	attr->min_rnr_timer = 12;
	attr->timeout = 18;
	attr->retry_cnt = 7;
	attr->rnr_retry = 7;
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, loop->lid);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	loop->connect.to = IB_QPS_RTS;
	return loop_ask(loop, &loop->connect.vrb);
}

/*
 * Creates the CQ, whose events @comp gets with @context, and the QP. After a failure loop_end()
 * destroys what exists.
 */
static inline bool loop_make(struct loop *loop, int cqe, const struct ib_qp_cap *cap,
			     ib_comp_handler comp, void *context)
{
	struct ib_cq_init_attr cq_attr = { .cqe = cqe };
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .cap = *cap };
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_query_port port;

	vrb_prep_query_port(&port, 1);
	loop->cq = vrb_alloc_cq(loop->client, &cq_attr, comp, NULL, context, GFP_KERNEL);
	if (IS_ERR(loop->cq) || loop_ask(loop, &port.vrb))
		return false;
	loop->lid = port.attr.lid;
	attr.send_cq = loop->cq;
	attr.recv_cq = loop->cq;
	loop->qp = vrb_alloc_qp(loop->client, loop->pd, &attr, GFP_KERNEL);
	if (IS_ERR(loop->qp))
		return false;
	vrb_prep_create_cq(&create_cq, loop->cq);
	vrb_prep_create_qp(&create_qp, loop->qp);
	return !loop_ask(loop, &create_cq.vrb) && !loop_ask(loop, &create_qp.vrb);
}

static inline void loop_begin(struct loop *loop, struct ib_device *dev)
{
	loop->client = vrb_client_register(dev, KBUILD_MODNAME);
	loop->pd = ib_alloc_pd(dev, 0);
}

/* Unregisters the client, which destroys all its objects. */
static inline void loop_end(struct loop *loop)
{
	vrb_client_unregister(loop->client);
	ib_dealloc_pd(loop->pd);
}

/* Starts a thread on another processor than the test's, if there is one. */
static inline struct task_struct *loop_task(int (*run)(void *arg), void *arg)
{
	struct task_struct *task = kthread_create(run, arg, KBUILD_MODNAME);

	if (IS_ERR(task))
		return task;
	if (cpumask_weight(cpu_online_mask) > 1)
		kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	return task;
}

#endif /* TAVOR_TEST_LOOP_H */
