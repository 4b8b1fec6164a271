// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A kernel client whose allocations fail. Each allocation of an object fails with -ENOMEM at once,
 * and leaves nothing behind. While all allocations fail, each accepted request completes exactly
 * once, no submit allocates anything, and all objects are destroyed. no_memory.sh reads the results
 * from the log.
 *
 * With mode=fails it waits for the failure of the device while its requests are outstanding.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_smi.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#include "fail_allocs.h"

static char *mode = "none";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "none, works, or fails: the device fails while requests are outstanding");

#define ENDS_WITHIN	(60 * HZ)
#define SETTLES_MS	5000
#define MOST		50	/* allocations of one call; more are a fault of the test */
#define NR_REQUESTS	24
#define NR_OBJECTS	5

/* A request, and how often its callback has run */
struct asked {
	struct vrb *vrb;
	const char *name;
	int accepted;
	int done;
	int status;
};

/* A client with one object of each kind, and each request once */
struct memory {
	struct ib_device *dev;
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_qp *ud;
	struct ib_srq *srq;
	struct ib_mr *mr;
	u8 *page;
	dma_addr_t dma;

	struct timer_list timer;
	struct completion over;
	gfp_t gfp;
	spinlock_t lock;		/* for what follows */
	bool ended;			/* the destroys have been submitted */
	int left;			/* callbacks that must come before it is over */
	int waiting;			/* requests that wait for events until the destroys */
	int gone;

	struct vrb_create_cq create_cq;
	struct vrb_create_srq create_srq;
	struct vrb_create_qp create_qp, create_ud;
	struct vrb_create_mr create_mr;
	struct vrb_resize_cq resize_cq;
	struct vrb_connect_qp connect, connect_ud;
	struct vrb_modify_qp modify;
	struct vrb_query_qp query_qp;
	struct vrb_reset_qp reset;
	struct vrb_reg_mr reg;
	struct vrb_unreg_mr unreg;
	struct vrb_modify_srq modify_srq;
	struct vrb_query_srq query_srq;
	struct vrb_mcast attach, detach;
	struct vrb_query_port query_port;
	struct vrb_modify_port modify_port;
	struct vrb_process_mad process_mad;
	struct vrb_await_cq await_cq;
	struct vrb_await_event await_event;
	struct ib_smp smp;

	struct asked asked[NR_REQUESTS];
	int nr_asked;
	int wrong;
	int results;
};

/* Callbacks find it here. */
static struct memory *the;

static void result(struct memory *m, const char *text)
{
	pr_info("tavor_no_memory: %sok %d %s\n", m->wrong ? "not " : "", ++m->results, text);
	m->wrong = 0;
}

static void want(struct memory *m, s64 wanted, s64 got, const char *what)
{
	if (got != wanted && m->wrong++ < 10)
		pr_info("tavor_no_memory: # %s: %lld instead of %lld\n", what, got, wanted);
}

/* ---- One call, each of whose allocations fails ---- */

struct call {
	const char *name;
	int (*run)(struct memory *m);	/* returns 0 or an errno */
	bool may_need_none;		/* it depends on the HCA */
};

static int call_register(struct memory *m)
{
	struct vrb_client *client = vrb_client_register(m->dev, "no memory");

	if (IS_ERR(client))
		return PTR_ERR(client);
	vrb_client_unregister(client);
	return 0;
}

static int call_cq(struct memory *m)
{
	struct ib_cq_init_attr attr = { .cqe = 200 };

	m->cq = vrb_alloc_cq(m->client, &attr, NULL, NULL, m, m->gfp);
	return PTR_ERR_OR_ZERO(m->cq);
}

static int call_ring(struct memory *m)
{
	return vrb_alloc_cq_ring(m->client, m->cq, 500, m->gfp);
}

static int call_srq(struct memory *m)
{
	struct ib_srq_init_attr attr = {
		.srq_type = IB_SRQT_BASIC,
		.attr = { .max_wr = 100, .max_sge = 1 },
	};

	m->srq = vrb_alloc_srq(m->client, m->pd, &attr, m->gfp);
	return PTR_ERR_OR_ZERO(m->srq);
}

static struct ib_qp *alloc_qp(struct memory *m, enum ib_qp_type type, struct ib_srq *srq)
{
	struct ib_qp_init_attr attr = {
		.qp_type = type,
		.sq_sig_type = IB_SIGNAL_ALL_WR,
		.send_cq = m->cq,
		.recv_cq = m->cq,
		.srq = srq,
		.cap = {
			.max_send_wr = 100, .max_recv_wr = 100,
			.max_send_sge = 1, .max_recv_sge = 1,
		},
	};

	return vrb_alloc_qp(m->client, m->pd, &attr, m->gfp);
}

static int call_qp(struct memory *m)
{
	m->qp = alloc_qp(m, IB_QPT_RC, m->srq);
	return PTR_ERR_OR_ZERO(m->qp);
}

static int call_ud(struct memory *m)
{
	m->ud = alloc_qp(m, IB_QPT_UD, NULL);
	return PTR_ERR_OR_ZERO(m->ud);
}

static int call_mr(struct memory *m)
{
	m->mr = vrb_alloc_mr(m->client, m->pd, 16, m->gfp);
	return PTR_ERR_OR_ZERO(m->mr);
}

/* ib_core's own calls, in process context */

static int call_core_pd(struct memory *m)
{
	struct ib_pd *pd = ib_alloc_pd(m->dev, 0);

	if (IS_ERR(pd))
		return PTR_ERR(pd);
	ib_dealloc_pd(pd);
	return 0;
}

static int call_core_cq(struct memory *m)
{
	struct ib_cq *cq = ib_alloc_cq(m->dev, NULL, 200, 0, IB_POLL_DIRECT);

	if (IS_ERR(cq))
		return PTR_ERR(cq);
	ib_free_cq(cq);
	return 0;
}

static int call_core_srq(struct memory *m)
{
	struct ib_srq_init_attr attr = {
		.srq_type = IB_SRQT_BASIC,
		.attr = { .max_wr = 100, .max_sge = 1 },
	};
	struct ib_srq *srq = ib_create_srq(m->pd, &attr);

	if (IS_ERR(srq))
		return PTR_ERR(srq);
	ib_destroy_srq(srq);
	return 0;
}

static int call_core_ah(struct memory *m)
{
	struct rdma_ah_attr attr = { .type = RDMA_AH_ATTR_TYPE_IB, .port_num = 1 };
	struct ib_ah *ah;

	rdma_ah_set_dlid(&attr, 1);
	ah = rdma_create_ah(m->pd, &attr, 0);
	if (IS_ERR(ah))
		return PTR_ERR(ah);
	rdma_destroy_ah(ah, 0);
	return 0;
}

static struct ib_qp *core_qp(struct memory *m, struct ib_cq *cq)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_UD,
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {
			.max_send_wr = 100, .max_recv_wr = 100,
			.max_send_sge = 1, .max_recv_sge = 1,
		},
	};

	return ib_create_qp(m->pd, &attr);
}

static int call_core_qp(struct memory *m)
{
	struct ib_cq *cq = ib_alloc_cq(m->dev, NULL, 200, 0, IB_POLL_DIRECT);
	struct ib_qp *qp;
	int err;

	if (IS_ERR(cq))
		return PTR_ERR(cq);
	qp = core_qp(m, cq);
	err = PTR_ERR_OR_ZERO(qp);
	if (!err)
		ib_destroy_qp(qp);
	ib_free_cq(cq);
	return err;
}

/* Calls on the client's objects, each of which needs those before it */
static const struct call allocs[] = {
	{ "vrb_alloc_cq", call_cq },
	{ "vrb_alloc_cq_ring", call_ring },
	{ "vrb_alloc_srq", call_srq },
	{ "vrb_alloc_qp", call_qp },
	{ "vrb_alloc_qp of a UD QP", call_ud },
	{ "vrb_alloc_mr", call_mr },
};

static const struct call others[] = {
	{ "vrb_client_register", call_register },
	{ "ib_alloc_pd", call_core_pd },
	{ "ib_alloc_cq", call_core_cq },
	{ "ib_create_srq", call_core_srq },
	{ "ib_create_qp", call_core_qp },
	{ "rdma_create_ah", call_core_ah, true },
};

static void report_last(const char *name)
{
	char *buffer = (char *)get_zeroed_page(GFP_ATOMIC);

	if (!buffer)
		return;
	fail_allocs_last(buffer);
	pr_info("tavor_no_memory: # %s: failed: %s", name, buffer);
	free_page((unsigned long)buffer);
}

/* Blocks are freed after a grace period of RCU. */
static bool live_is(unsigned int live)
{
	int ms;

	for (ms = 0; ms < SETTLES_MS && fail_allocs_live() != live; ms += 20)
		msleep(20);
	return fail_allocs_live() == live;
}

/* What has been freed before this has also been freed after a grace period. */
static unsigned int live_now(void)
{
	rcu_barrier();
	rcu_barrier();
	return fail_allocs_live();
}

/*
 * The n-th allocation fails, for n = 1, 2, ... until the call succeeds. In softirq a grace period
 * cannot be waited for: there the test finds what is left when the objects have been destroyed.
 */
static void sweep(struct memory *m, const struct call *call)
{
	bool may_wait = !in_serving_softirq();
	unsigned int live = may_wait ? live_now() : 0;
	int wrong = m->wrong;
	int n, err = -ENOMEM;

	for (n = 1; n < MOST && err; n++) {
		fail_allocs_arm(FAIL_NTH, n, may_wait ? current->pid : 0);
		err = call->run(m);
		fail_allocs_arm(FAIL_OFF, 0, 0);
		want(m, fail_allocs_failed() ? -ENOMEM : 0, err, call->name);
		if (err && may_wait)
			want(m, true, live_is(live), "blocks");
	}
	/* The last one had no failure. */
	want(m, true, !err && (n > 2 || call->may_need_none), "allocations that have failed");
	pr_info("tavor_no_memory: # %s: %d allocations\n", call->name, n - 2);
	if (m->wrong != wrong)
		report_last(call->name);
}

/* ---- All requests while nothing can be allocated ---- */

static bool is_event(const struct memory *m, const struct vrb *vrb)
{
	return vrb == &m->await_cq.vrb || vrb == &m->await_event.vrb;
}

static void more(struct memory *m, int n)
{
	spin_lock_bh(&m->lock);
	m->left += n;
	spin_unlock_bh(&m->lock);
}

static void less(struct memory *m)
{
	spin_lock_bh(&m->lock);
	if (!--m->left)
		complete(&m->over);
	spin_unlock_bh(&m->lock);
}

static void event_over(struct memory *m)
{
	spin_lock_bh(&m->lock);
	if (!m->ended)
		m->waiting--;
	else if (!--m->left)
		complete(&m->over);
	spin_unlock_bh(&m->lock);
}

static void request_over(struct memory *m, const struct vrb *vrb)
{
	if (is_event(m, vrb))
		event_over(m);
	else
		less(m);
}

static void done(struct vrb *vrb)
{
	struct memory *m = the;
	int i;

	for (i = 0; i < m->nr_asked && m->asked[i].vrb != vrb; i++)
		;
	m->asked[i].done++;
	m->asked[i].status = vrb->status;
	request_over(m, vrb);
}

static void gone(void *context)
{
	struct memory *m = context;

	m->gone++;
	less(m);
}

static void ask(struct memory *m, struct vrb *vrb, const char *name)
{
	struct asked *asked = &m->asked[m->nr_asked++];
	int ret;

	asked->vrb = vrb;
	asked->name = name;
	vrb->done = done;
	if (is_event(m, vrb))
		m->waiting++;
	else
		more(m, 1);
	ret = vrb_submit(m->client, vrb);
	want(m, -EINPROGRESS, ret, name);
	if (ret == -EINPROGRESS)
		asked->accepted = 1;
	else
		request_over(m, vrb);
}

static void fill_connect(struct memory *m)
{
	struct ib_qp_attr *attr = &m->connect.attr;

	memset(attr, 0, sizeof(*attr));
	attr->port_num = 1;
	attr->path_mtu = IB_MTU_1024;
	attr->dest_qp_num = m->qp->qp_num;
	attr->max_dest_rd_atomic = 1;
	attr->max_rd_atomic = 1;
	attr->min_rnr_timer = 12;
	attr->timeout = 14;
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, 1);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	m->connect.to = IB_QPS_RTS;
	attr = &m->connect_ud.attr;
	memset(attr, 0, sizeof(*attr));
	attr->port_num = 1;
	attr->qkey = 1;
	m->connect_ud.to = IB_QPS_RTS;
}

static void fill_rest(struct memory *m)
{
	m->resize_cq.cqe = 500;
	m->await_cq.flags = IB_CQ_NEXT_COMP;
	m->modify.attr.qp_state = IB_QPS_ERR;
	m->modify.mask = IB_QP_STATE;
	m->reg.iova = m->dma;
	m->reg.length = PAGE_SIZE;
	m->reg.pages = &m->dma;
	m->reg.nr_pages = 1;
	m->reg.page_shift = PAGE_SHIFT;
	m->reg.access = IB_ACCESS_LOCAL_WRITE;
	m->modify_srq.attr.srq_limit = 3;
	m->modify_srq.mask = IB_SRQ_LIMIT;
	m->attach.gid = (union ib_gid){ .raw = { 0xff, 0x12, 0x60, 0x1b, 4, 3, 2, 1 } };
	m->detach.gid = m->attach.gid;
	m->modify_port.mask = 0;
	memset(&m->smp, 0, sizeof(m->smp));
	m->smp.base_version = 1;
	m->smp.mgmt_class = IB_MGMT_CLASS_SUBN_LID_ROUTED;
	m->smp.class_version = 1;
	m->smp.method = IB_MGMT_METHOD_GET;
	m->smp.attr_id = IB_SMP_ATTR_NODE_INFO;
	m->process_mad.in = (struct ib_mad *)&m->smp;
	m->process_mad.out = (struct ib_mad *)&m->smp;
	m->process_mad.flags = IB_MAD_IGNORE_MKEY | IB_MAD_IGNORE_BKEY;
}

static void prepare(struct memory *m)
{
	vrb_prep_create_cq(&m->create_cq, m->cq);
	vrb_prep_create_srq(&m->create_srq, m->srq);
	vrb_prep_create_qp(&m->create_qp, m->qp);
	vrb_prep_create_qp(&m->create_ud, m->ud);
	vrb_prep_create_mr(&m->create_mr, m->mr);
	vrb_prep_resize_cq(&m->resize_cq, m->cq);
	vrb_prep_connect_qp(&m->connect, m->qp);
	vrb_prep_connect_qp(&m->connect_ud, m->ud);
	vrb_prep_query_qp(&m->query_qp, m->qp);
	vrb_prep_modify_qp(&m->modify, m->qp);
	vrb_prep_reset_qp(&m->reset, m->qp);
	vrb_prep_reg_mr(&m->reg, m->mr);
	vrb_prep_unreg_mr(&m->unreg, m->mr);
	vrb_prep_modify_srq(&m->modify_srq, m->srq);
	vrb_prep_query_srq(&m->query_srq, m->srq);
	vrb_prep_attach_mcast(&m->attach, m->ud);
	vrb_prep_detach_mcast(&m->detach, m->ud);
	vrb_prep_query_port(&m->query_port, 1);
	vrb_prep_modify_port(&m->modify_port, 1);
	vrb_prep_process_mad(&m->process_mad, 1);
	vrb_prep_await_cq(&m->await_cq, m->cq);
	vrb_prep_await_event(&m->await_event, BIT_ULL(IB_EVENT_SM_CHANGE));
	fill_connect(m);
	fill_rest(m);
}

/* Nothing waits here: the engine orders the requests. */
static void ask_all(struct memory *m)
{
	more(m, 1);
	ask(m, &m->create_cq.vrb, "create_cq");
	ask(m, &m->create_srq.vrb, "create_srq");
	ask(m, &m->create_qp.vrb, "create_qp");
	ask(m, &m->create_ud.vrb, "create_qp of a UD QP");
	ask(m, &m->create_mr.vrb, "create_mr");
	ask(m, &m->connect.vrb, "connect_qp");
	ask(m, &m->query_qp.vrb, "query_qp");
	ask(m, &m->modify.vrb, "modify_qp");
	ask(m, &m->reset.vrb, "reset_qp");
	ask(m, &m->reg.vrb, "reg_mr");
	ask(m, &m->unreg.vrb, "unreg_mr");
	ask(m, &m->modify_srq.vrb, "modify_srq");
	ask(m, &m->query_srq.vrb, "query_srq");
	ask(m, &m->resize_cq.vrb, "resize_cq");
	ask(m, &m->connect_ud.vrb, "connect_qp of a UD QP");
	ask(m, &m->attach.vrb, "attach_mcast");
	ask(m, &m->detach.vrb, "detach_mcast");
	ask(m, &m->query_port.vrb, "query_port");
	ask(m, &m->modify_port.vrb, "modify_port");
	ask(m, &m->process_mad.vrb, "process_mad");
	ask(m, &m->await_event.vrb, "await_event");
	less(m);
}

static void destroy_all(struct memory *m)
{
	struct vrb_client *client = m->client;

	spin_lock_bh(&m->lock);
	m->ended = true;
	m->left += NR_OBJECTS + m->waiting + 1;
	spin_unlock_bh(&m->lock);
	want(m, -EINPROGRESS, vrb_destroy_cq(client, m->cq, gone, m), "vrb_destroy_cq");
	want(m, -EINPROGRESS, vrb_destroy_srq(client, m->srq, gone, m), "vrb_destroy_srq");
	want(m, -EINPROGRESS, vrb_destroy_qp(client, m->qp, gone, m), "vrb_destroy_qp");
	want(m, -EINPROGRESS, vrb_destroy_qp(client, m->ud, gone, m), "vrb_destroy_qp");
	want(m, -EINPROGRESS, vrb_destroy_mr(client, m->mr, gone, m), "vrb_destroy_mr");
	vrb_cancel(&m->await_event.vrb);
	less(m);
}

/* ---- In softirq ---- */

static void run_in_softirq(struct memory *m, void (*function)(struct timer_list *timer))
{
	init_completion(&m->over);
	timer_setup(&m->timer, function, 0);
	mod_timer(&m->timer, jiffies + 1);
}

static bool over(struct memory *m)
{
	return wait_for_completion_timeout(&m->over, ENDS_WITHIN);
}

static struct memory *of_timer(struct timer_list *timer)
{
	return container_of(timer, struct memory, timer);
}

static void allocate(struct timer_list *timer)
{
	struct memory *m = of_timer(timer);
	int i;

	m->gfp = GFP_ATOMIC;
	for (i = 0; i < ARRAY_SIZE(allocs); i++)
		sweep(m, &allocs[i]);
	complete(&m->over);
}

static void submit(struct timer_list *timer)
{
	ask_all(of_timer(timer));
}

static void destroy(struct timer_list *timer)
{
	destroy_all(of_timer(timer));
}

/* A CQ can only be waited for once it has been created. */
static void await_and_destroy(struct timer_list *timer)
{
	struct memory *m = of_timer(timer);

	ask(m, &m->await_cq.vrb, "await_cq");
	destroy_all(m);
}

/* The destroys come while the requests are outstanding. */
static void submit_and_destroy(struct timer_list *timer)
{
	struct memory *m = of_timer(timer);

	more(m, 1);
	ask_all(m);
	destroy_all(m);
	less(m);
}

/* ---- The tests ---- */

/* Each request has completed exactly once; @status: how, or 1 if that does not matter. */
static void exactly_once(struct memory *m, int status)
{
	struct asked *asked;

	for (asked = m->asked; asked < m->asked + m->nr_asked; asked++) {
		want(m, asked->accepted, asked->done, asked->name);
		if (status != 1 && !is_event(m, asked->vrb))
			want(m, status, asked->status, asked->name);
	}
}

static void begin(struct memory *m)
{
	m->ended = false;
	m->left = 0;
	m->waiting = 0;
	m->gone = 0;
	memset(m->asked, 0, sizeof(m->asked));
	m->nr_asked = 0;
}

static void begin_without_memory(struct memory *m)
{
	prepare(m);
	begin(m);
	fail_allocs_arm(FAIL_FROM, 1, 0);
}

static void end_with_memory(struct memory *m)
{
	fail_allocs_arm(FAIL_OFF, 0, 0);
}

static void allocate_in_process(struct memory *m)
{
	int i;

	m->gfp = GFP_KERNEL;
	for (i = 0; i < ARRAY_SIZE(allocs); i++)
		sweep(m, &allocs[i]);
}

static void allocate_in_softirq(struct memory *m)
{
	run_in_softirq(m, allocate);
	want(m, true, over(m), "the allocations end");
}

static bool whole(const struct memory *m)
{
	return !IS_ERR_OR_NULL(m->cq) && !IS_ERR_OR_NULL(m->srq) && !IS_ERR_OR_NULL(m->qp) &&
	       !IS_ERR_OR_NULL(m->ud) && !IS_ERR_OR_NULL(m->mr);
}

static void test_calls(struct memory *m)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		sweep(m, &others[i]);
		result(m, others[i].name);
	}
}

/* Objects of ib_core: a QP that is attached to a group, its CQ, and an SRQ */
static void test_core_destroys(struct memory *m, unsigned int live)
{
	struct ib_srq_init_attr attr = {
		.srq_type = IB_SRQT_BASIC,
		.attr = { .max_wr = 100, .max_sge = 1 },
	};
	union ib_gid gid = { .raw = { 0xff, 0x12, 0x60, 0x1b, 9, 9 } };
	struct ib_cq *cq = ib_alloc_cq(m->dev, NULL, 200, 0, IB_POLL_DIRECT);
	struct ib_srq *srq = ib_create_srq(m->pd, &attr);
	struct ib_qp *qp = IS_ERR(cq) ? ERR_CAST(cq) : core_qp(m, cq);

	if (IS_ERR(cq) || IS_ERR(srq) || IS_ERR(qp)) {
		want(m, 0, -ENOMEM, "objects of ib_core");
	} else {
		want(m, 0, ib_attach_mcast(qp, &gid, 0xc001), "ib_attach_mcast");
		fail_allocs_arm(FAIL_FROM, 1, 0);
		want(m, 0, ib_detach_mcast(qp, &gid, 0xc001), "ib_detach_mcast");
		/* ib_core has queried the QP, and goes on if that fails. */
		fail_allocs_arm(FAIL_FROM, 1, 0);
		want(m, 0, ib_destroy_qp(qp), "ib_destroy_qp");
		ib_destroy_srq(srq);
		ib_free_cq(cq);
		want(m, 0, fail_allocs_matches(), "allocations");
		fail_allocs_arm(FAIL_OFF, 0, 0);
		want(m, true, live_is(live), "blocks");
	}
	result(m, "objects of ib_core are destroyed, which allocates nothing");
}

/* All requests, then all destroys; the allocations are those before it. */
static void test_requests(struct memory *m, unsigned int live)
{
	unsigned int allocations;

	begin_without_memory(m);
	run_in_softirq(m, submit);
	want(m, true, over(m), "the requests end");
	allocations = fail_allocs_matches();
	result(m, "each request is accepted without memory");
	want(m, 0, allocations, "allocations");
	if (allocations)
		report_last("requests");
	result(m, "no submit, step or callback allocates anything");
	run_in_softirq(m, await_and_destroy);
	want(m, true, over(m), "the destroys end");
	allocations = fail_allocs_matches();
	end_with_memory(m);
	exactly_once(m, 0);
	result(m, "each request completes exactly once, with success");
	want(m, 0, allocations, "allocations");
	want(m, NR_OBJECTS, m->gone, "gone");
	want(m, true, live_is(live), "blocks");
	result(m, "each destroy succeeds, and allocates nothing");
}

static void test_requests_taken_back(struct memory *m, unsigned int live)
{
	begin_without_memory(m);
	run_in_softirq(m, submit_and_destroy);
	want(m, true, over(m), "the requests and the destroys end");
	want(m, 0, fail_allocs_matches(), "allocations");
	end_with_memory(m);
	exactly_once(m, 1);
	want(m, NR_OBJECTS, m->gone, "gone");
	want(m, true, live_is(live), "blocks");
	result(m, "requests end exactly once when their objects are destroyed");
}

/* The client ends, with its requests outstanding and its objects not destroyed. */
static void test_unregister(struct memory *m)
{
	begin_without_memory(m);
	local_bh_disable();
	ask_all(m);
	local_bh_enable();
	vrb_client_shut(m->client);
	vrb_client_unregister(m->client);
	want(m, 0, fail_allocs_matches(), "allocations");
	end_with_memory(m);
	m->client = NULL;
	exactly_once(m, 1);
	result(m, "a client ends with all its requests and objects");
}

/* The device fails while the requests are outstanding. */
static void test_failure(struct memory *m, unsigned int live)
{
	int i;

	begin_without_memory(m);
	run_in_softirq(m, submit);
	msleep(50);
	pr_info("tavor_no_memory: # ready\n");
	want(m, true, over(m), "the requests end");
	for (i = 0; i < m->nr_asked; i++)
		if (m->asked[i].done && m->asked[i].status == -EIO)
			break;
	want(m, true, i < m->nr_asked, "a request ends with the device");
	run_in_softirq(m, destroy);
	want(m, true, over(m), "the destroys end");
	end_with_memory(m);
	exactly_once(m, 1);
	result(m, "each request ends exactly once when the device fails");
	want(m, NR_OBJECTS, m->gone, "gone");
	want(m, true, live_is(live), "blocks");
	result(m, "each destroy succeeds on a device that has failed");
}

static void tests(struct memory *m)
{
	unsigned int live = live_now();

	if (!strcmp(mode, "fails")) {
		allocate_in_process(m);
		result(m, "allocations in process context");
		if (whole(m))
			test_failure(m, live);
		return;
	}
	test_calls(m);
	test_core_destroys(m, live);
	allocate_in_process(m);
	result(m, "each allocation fails at once in process context, and leaves nothing");
	if (!whole(m))
		return;
	test_requests(m, live);
	allocate_in_softirq(m);
	result(m, "each allocation fails at once in softirq, and leaves nothing");
	if (!whole(m))
		return;
	test_requests_taken_back(m, live);
	allocate_in_process(m);
	result(m, "each allocation works again");
	if (whole(m))
		test_unregister(m);
}

static void with_client(struct memory *m)
{
	m->client = vrb_client_register(m->dev, "tavor_no_memory");
	if (IS_ERR(m->client))
		return;
	tests(m);
	fail_allocs_arm(FAIL_OFF, 0, 0);
	if (m->client) {
		vrb_client_shut(m->client);
		vrb_client_unregister(m->client);
	}
}

static int no_memory_add(struct ib_device *dev)
{
	struct memory *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	the = m;
	m->dev = dev;
	spin_lock_init(&m->lock);
	m->page = (u8 *)get_zeroed_page(GFP_KERNEL);
	m->pd = ib_alloc_pd(dev, 0);
	if (m->page && !IS_ERR(m->pd)) {
		m->dma = ib_dma_map_single(dev, m->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
		with_client(m);
		ib_dma_unmap_single(dev, m->dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	}
	if (!IS_ERR(m->pd))
		ib_dealloc_pd(m->pd);
	free_page((unsigned long)m->page);
	kfree(m);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_no_memory",
	.add = no_memory_add,
};

static int __init no_memory_init(void)
{
	return strcmp(mode, "none") ? ib_register_client(&client) : 0;
}

static void __exit no_memory_exit(void)
{
	if (strcmp(mode, "none"))
		ib_unregister_client(&client);
}

module_init(no_memory_init);
module_exit(no_memory_exit);
MODULE_DESCRIPTION("Test of a client whose allocations fail");
MODULE_LICENSE("Dual BSD/GPL");
