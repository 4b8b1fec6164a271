// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Shows that ib_mthca looks the CQ of an event up in memory that has been freed. It frees a page of
 * its table of CQs together with the last CQ in it, and does so before the page leaves the table.
 * An interrupt handler looks CQs up without a lock. Here the handler of one CQ delays the event of
 * another one until that page has been freed, and the page leaves the table later than usual. With
 * page_poison=1 the kernel overwrites what it frees. For lookup.sh, which keeps the interrupts of
 * CQs away from the processor of this test.
 */
#include <linux/delay.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>

#define BUSY_MS		5000
#define FREED_MS	1000

static int fillers;
module_param(fillers, int, 0444);
MODULE_PARM_DESC(fillers, "CQs between the two, up to the end of a page of the table; 0: no test");

/* A CQ, and a QP on it with a receive that is flushed when the QP fails */
struct pair {
	struct ib_cq *cq;
	struct ib_qp *qp;
};

static bool entered, leave;

static void busy_comp(struct ib_cq *cq, void *context)
{
	int i;

	WRITE_ONCE(entered, true);
	for (i = 0; i < BUSY_MS && !READ_ONCE(leave); i++)
		mdelay(1);
}

static void last_comp(struct ib_cq *cq, void *context)
{
	pr_info("tavor_lookup: the last CQ was found\n");
}

/* ---- The page that is freed ---- */

static int free_entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, *(unsigned long *)kernel_stack_pointer(regs));
	return strncmp(name, "mthca_array_clear", strlen("mthca_array_clear")) ? 1 : 0;
}
NOKPROBE_SYMBOL(free_entered);

/* The page has been freed, and is still in the table. */
static int free_returns(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	pr_info("tavor_lookup: a page of the table has been freed\n");
	WRITE_ONCE(leave, true);
	mdelay(FREED_MS);
	return 0;
}
NOKPROBE_SYMBOL(free_returns);

static struct kretprobe probe = {
	.kp.symbol_name = "free_pages",
	.entry_handler = free_entered,
	.handler = free_returns,
};

/* ---- The CQs ---- */

static struct ib_cq *create_cq(struct ib_device *dev, ib_comp_handler comp)
{
	struct ib_cq_init_attr attr = { .cqe = 1 };

	return ib_create_cq(dev, comp, NULL, NULL, &attr);
}

static bool create(struct pair *pair, struct ib_pd *pd, ib_comp_handler comp)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_recv_sge = 1 },
	};
	struct ib_qp_attr init = { .qp_state = IB_QPS_INIT, .port_num = 1 };
	struct ib_recv_wr wr = {};

	pair->cq = create_cq(pd->device, comp);
	if (IS_ERR(pair->cq))
		return false;
	attr.send_cq = pair->cq;
	attr.recv_cq = pair->cq;
	pair->qp = ib_create_qp(pd, &attr);
	return !IS_ERR(pair->qp) &&
	       !ib_modify_qp(pair->qp, &init, IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT |
			     IB_QP_ACCESS_FLAGS) &&
	       !ib_post_recv(pair->qp, &wr, NULL) &&
	       !ib_req_notify_cq(pair->cq, IB_CQ_NEXT_COMP);
}

static void destroy(struct pair *pair)
{
	if (!IS_ERR_OR_NULL(pair->qp))
		ib_destroy_qp(pair->qp);
	if (!IS_ERR_OR_NULL(pair->cq))
		ib_destroy_cq(pair->cq);
}

static void fail(struct pair *pair)
{
	struct ib_qp_attr err = { .qp_state = IB_QPS_ERR };

	ib_modify_qp(pair->qp, &err, IB_QP_STATE);
}

static void destroy_while_busy(struct pair *busy, struct pair *last)
{
	int i;

	fail(busy);
	for (i = 0; i < 100 && !READ_ONCE(entered); i++)
		usleep_range(20000, 21000);
	pr_info("tavor_lookup: the handler %s\n", READ_ONCE(entered) ? "runs" : "does not run");
	fail(last);
	/* Not msleep(): an idle CPU may leave its timers to the busy one. */
	usleep_range(50000, 51000);
	destroy(last);
}

static int tavor_lookup_add(struct ib_device *dev)
{
	struct pair busy = {}, last = {};
	struct ib_cq **others;
	struct ib_pd *pd;
	int i;

	if (!fillers)
		return -EOPNOTSUPP;
	others = kcalloc(fillers, sizeof(*others), GFP_KERNEL);
	pd = ib_alloc_pd(dev, 0);
	if (!others || IS_ERR(pd))
		goto out;
	if (!create(&busy, pd, busy_comp))
		goto out_busy;
	for (i = 0; i < fillers; i++)
		others[i] = create_cq(dev, last_comp);
	if (create(&last, pd, last_comp))
		destroy_while_busy(&busy, &last);
	else
		destroy(&last);
	pr_info("tavor_lookup: the kernel still runs\n");
	for (i = 0; i < fillers; i++)
		if (!IS_ERR(others[i]))
			ib_destroy_cq(others[i]);
out_busy:
	destroy(&busy);
out:
	if (!IS_ERR(pd))
		ib_dealloc_pd(pd);
	kfree(others);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_lookup",
	.add = tavor_lookup_add,
};

static int __init tavor_lookup_init(void)
{
	int err = register_kretprobe(&probe);

	if (err)
		return err;
	err = ib_register_client(&client);
	if (err)
		unregister_kretprobe(&probe);
	return err;
}

static void __exit tavor_lookup_exit(void)
{
	ib_unregister_client(&client);
	unregister_kretprobe(&probe);
}

module_init(tavor_lookup_init);
module_exit(tavor_lookup_exit);

MODULE_DESCRIPTION("Test of an event whose CQ is being destroyed by ib_mthca");
MODULE_LICENSE("Dual BSD/GPL");
