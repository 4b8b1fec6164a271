// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Softirqs, hard interrupts and processes on all CPUs, some of them with interrupts off, allocate
 * shells, create, connect, query, resize and reset them, attach them to multicast groups, register
 * memory, cancel requests and groups, destroy objects that others use, and shut and unregister a
 * client meanwhile. The results that must hold in every case: each accepted request is called back
 * once, each refused request never, and each shell is reported as gone once.
 *
 * The audit only synchronizes as far as the API requires it of a client: an object must not be used
 * after its destroy has been submitted, and a client must not be used while it is unregistered.
 * Each user of a shell is counted as a user of its place, and the last one destroys the shell.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_verbs.h>

#include "audit.h"

#define REQUESTS	192		/* of each client */
#define GROUPS		3
#define MCAST_GROUPS	3
#define CQES		500
#define DEPTH		2
#define MAX_CPUS	8
#define PATIENCE	(60 * HZ)
#define CHANGE_EVERY	30		/* short sleeps between two changes of the second client */

enum kind { CQ, QP, SRQ, MR, KINDS };

static const unsigned int places_of[KINDS] = { [CQ] = 4, [QP] = 12, [SRQ] = 3, [MR] = 6 };
#define PLACES		25

/* &audit_place.users; above ALIVE: the number of users in addition */
enum { EMPTY, CLAIMED, ALIVE };

struct audit_place {
	struct audit *audit;
	enum kind kind;
	atomic_t users;
	atomic_t ending;		/* the place's own use has been given up */
	unsigned int client;
	struct vrb_mcast detach;
	unsigned int group;		/* group of @detach */
	union {
		void *shell;
		struct ib_cq *cq;
		struct ib_qp *qp;
		struct ib_srq *srq;
		struct ib_mr *mr;
	};
};

/* &audit_request.owned */
enum { IDLE, FILLED_IN, SUBMITTED };

struct audit_request {
	union {
		struct vrb vrb;
		struct vrb_create_cq create_cq;
		struct vrb_create_qp create_qp;
		struct vrb_create_srq create_srq;
		struct vrb_create_mr create_mr;
		struct vrb_modify_qp modify_qp;
		struct vrb_connect_qp connect_qp;
		struct vrb_reset_qp reset_qp;
		struct vrb_query_qp query_qp;
		struct vrb_mcast mcast;
		struct vrb_resize_cq resize_cq;
		struct vrb_modify_srq modify_srq;
		struct vrb_query_srq query_srq;
		struct vrb_reg_mr reg_mr;
		struct vrb_unreg_mr unreg_mr;
		struct vrb_query_port query_port;
		struct vrb_await_cq await_cq;
		struct vrb_await_event await_event;
	};
	struct audit *audit;
	unsigned int client;
	u32 random;
	atomic_t owned;
	atomic_t cancels;		/* in progress: it must not be filled in */
	atomic_t accepted, called;
};

struct audit_source {
	struct audit *audit;
	u32 random;
	bool hard;			/* interrupts are off */
	struct hrtimer hrtimer;
	struct timer_list timer;
	struct task_struct *task;
};

struct audit {
	struct ib_device *dev;
	struct audit_params params;
	struct ib_pd *pd;
	struct vrb_client *client[2];
	bool closed;			/* the second client gets no new shells */
	bool last;			/* closed for good */
	struct vrb_group group[GROUPS];
	struct audit_place place[PLACES];
	struct audit_request request[2][REQUESTS];
	struct audit_source soft[MAX_CPUS], hard[MAX_CPUS], process[MAX_CPUS], timer;
	unsigned int cpus;
	dma_addr_t pages[1];
	bool ends;
	atomic_t accepted, refused, made, gone, clients, wrong;
	atomic_t detaches;		/* in progress */
	atomic_t status[AUDIT_STATUSES];
	char why[AUDIT_WHY];
};

/* ---- Account ---- */

static __printf(2, 3) void audit_wrong(struct audit *audit, const char *fmt, ...)
{
	va_list args;

	if (atomic_inc_return(&audit->wrong) != 1)
		return;
	va_start(args, fmt);
	vsnprintf(audit->why, sizeof(audit->why), fmt, args);
	va_end(args);
}

static u32 next_random(u32 *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 12;
}

static u32 pick(struct audit_source *source, u32 nr)
{
	return next_random(&source->random) % nr;
}

/* Callbacks must run in softirq, whoever submits. */
static void check_context(struct audit *audit, const char *what)
{
	if (!in_serving_softirq() || in_hardirq() || irqs_disabled())
		audit_wrong(audit, "%s was not called in softirq", what);
}

/* ---- Places ---- */

static bool place_get(struct audit_place *place)
{
	int users = atomic_read(&place->users);

	do {
		if (users < ALIVE)
			return false;
	} while (!atomic_try_cmpxchg(&place->users, &users, users + 1));
	return true;
}

static void shell_gone(void *context)
{
	struct audit *audit = context;

	check_context(audit, "gone");
	atomic_inc(&audit->gone);
}

static int destroy(struct audit_place *place)
{
	struct audit *audit = place->audit;
	struct vrb_client *client = audit->client[place->client];

	switch (place->kind) {
	case CQ:
		return vrb_destroy_cq(client, place->cq, shell_gone, audit);
	case QP:
		return vrb_destroy_qp(client, place->qp, shell_gone, audit);
	case SRQ:
		return vrb_destroy_srq(client, place->srq, shell_gone, audit);
	default:
		return vrb_destroy_mr(client, place->mr, shell_gone, audit);
	}
}

static void destroy_and_empty(struct audit_place *place)
{
	int ret = destroy(place);

	if (ret != -EINPROGRESS)
		audit_wrong(place->audit, "a destroy was answered %d", ret);
	atomic_set_release(&place->users, EMPTY);
}

static void mcast_gid(union ib_gid *gid, unsigned int group)
{
	*gid = (union ib_gid){ .raw = { [0] = 0xff, [15] = group } };
}

static void detached(struct vrb *vrb);

/*
 * When a detach completes, all earlier requests on the QP have completed, so that nobody attaches
 * it any more. If it is refused, the QP cannot be in a group, or the device has failed.
 */
static bool detach(struct audit_place *place)
{
	struct audit *audit = place->audit;
	int ret;

	if (place->group == MCAST_GROUPS)
		return false;
	vrb_prep_detach_mcast(&place->detach, place->qp);
	mcast_gid(&place->detach.gid, place->group);
	place->detach.vrb.done = detached;
	atomic_inc(&audit->detaches);
	ret = vrb_submit(audit->client[place->client], &place->detach.vrb);
	if (ret == -EINPROGRESS)
		return true;
	atomic_dec(&audit->detaches);
	return false;
}

/* After 0 or -EINVAL the QP is not in that group; after any other status it may be. */
static void detached(struct vrb *vrb)
{
	struct audit_place *place = container_of(vrb, struct audit_place, detach.vrb);
	struct audit *audit = place->audit;

	check_context(audit, "a detach");
	if (!vrb->status || vrb->status == -EINVAL)
		place->group++;
	if (!detach(place))
		destroy_and_empty(place);
	if (atomic_dec_return(&audit->detaches) < 0)
		audit_wrong(audit, "a detach was called back twice");
}

/* A destroy would wait until the QP has left its groups. */
static bool may_be_in_groups(const struct audit_place *place)
{
	return place->kind == QP && place->qp->qp_type == IB_QPT_UD;
}

/* Any context. The last user destroys the shell. */
static void place_put(struct audit_place *place)
{
	if (atomic_dec_return(&place->users) >= ALIVE)
		return;
	place->group = may_be_in_groups(place) ? 0 : MCAST_GROUPS;
	if (!detach(place))
		destroy_and_empty(place);
}

static void place_end(struct audit_place *place)
{
	if (!place_get(place))
		return;
	if (!atomic_xchg(&place->ending, 1))
		place_put(place);
	place_put(place);
}

static struct audit_place *some_place(struct audit_source *source, enum kind kind)
{
	struct audit_place *place = source->audit->place;
	enum kind before;

	for (before = 0; before < kind; before++)
		place += places_of[before];
	return place + pick(source, places_of[kind]);
}

/* ---- Shells ---- */

static struct ib_qp *alloc_qp(struct audit_source *source, struct vrb_client *client,
			      struct audit_place *send, struct audit_place *recv,
			      struct audit_place *srq)
{
	struct ib_qp_init_attr attr = {
		.qp_type = pick(source, 4) ? IB_QPT_RC : IB_QPT_UD,
		.send_cq = send->cq,
		.recv_cq = recv->cq,
		.srq = srq ? srq->srq : NULL,
		.sq_sig_type = IB_SIGNAL_ALL_WR,
		.cap = { .max_send_wr = DEPTH, .max_send_sge = 1 },
	};

	if (!srq) {
		attr.cap.max_recv_wr = DEPTH;
		attr.cap.max_recv_sge = 1;
	}
	return vrb_alloc_qp(client, source->audit->pd, &attr, GFP_ATOMIC);
}

/* Returns a parent of the same client, or NULL. */
static struct audit_place *get_parent(struct audit_source *source, enum kind kind,
				      unsigned int client)
{
	struct audit_place *place = some_place(source, kind);

	if (!place_get(place))
		return NULL;
	if (place->client == client)
		return place;
	place_put(place);
	return NULL;
}

static void *make_qp(struct audit_source *source, unsigned int client)
{
	struct audit_place *send = get_parent(source, CQ, client);
	struct audit_place *recv = get_parent(source, CQ, client);
	struct audit_place *srq = pick(source, 3) ? NULL : get_parent(source, SRQ, client);
	void *qp = ERR_PTR(-EAGAIN);

	if (send && recv)
		qp = alloc_qp(source, source->audit->client[client], send, recv, srq);
	if (send)
		place_put(send);
	if (recv)
		place_put(recv);
	if (srq)
		place_put(srq);
	return qp;
}

static void *make(struct audit_source *source, enum kind kind, unsigned int nr)
{
	struct audit *audit = source->audit;
	struct vrb_client *client = audit->client[nr];
	struct ib_cq_init_attr cq = { .cqe = CQES };
	struct ib_srq_init_attr srq = { .attr = { .max_wr = 8, .max_sge = 1 } };

	switch (kind) {
	case CQ:
		return vrb_alloc_cq(client, &cq, NULL, NULL, NULL, GFP_ATOMIC);
	case QP:
		return make_qp(source, nr);
	case SRQ:
		return vrb_alloc_srq(client, audit->pd, &srq, GFP_ATOMIC);
	default:
		return vrb_alloc_mr(client, audit->pd, 1, GFP_ATOMIC);
	}
}

/*
 * An alloc may fail without memory, while the device or a parent of the shell is going away, and if
 * the parent is from before a reset.
 */
static bool alloc_may_fail(long err)
{
	return err == -EAGAIN || err == -ENOMEM || err == -EIO || err == -ESHUTDOWN ||
	       err == -ENODEV || err == -ESTALE;
}

static void act_alloc(struct audit_source *source)
{
	struct audit *audit = source->audit;
	struct audit_place *place = some_place(source, pick(source, KINDS));
	unsigned int client = pick(source, 2);
	void *shell;

	if (source->hard || atomic_cmpxchg(&place->users, EMPTY, CLAIMED) != EMPTY)
		return;
	/* Whoever closes the second client looks at the places after that. */
	smp_mb__after_atomic();
	shell = client && READ_ONCE(audit->closed) ? ERR_PTR(-EAGAIN) :
		make(source, place->kind, client);
	if (IS_ERR(shell)) {
		if (!alloc_may_fail(PTR_ERR(shell)))
			audit_wrong(audit, "an alloc was answered %ld", PTR_ERR(shell));
		atomic_set_release(&place->users, EMPTY);
		return;
	}
	place->shell = shell;
	place->client = client;
	atomic_set(&place->ending, 0);
	atomic_inc(&audit->made);
	atomic_set_release(&place->users, ALIVE);
}

static void act_destroy(struct audit_source *source)
{
	place_end(some_place(source, pick(source, KINDS)));
}

/* ---- Requests ---- */

/* Counted first: the request may have been called back and reused when the submit returns. */
static int ask(struct audit_request *request)
{
	struct audit *audit = request->audit;
	int ret;

	atomic_inc(&request->accepted);
	ret = vrb_submit(audit->client[request->client], &request->vrb);
	if (ret == -EINPROGRESS) {
		atomic_inc(&audit->accepted);
	} else {
		atomic_dec(&request->accepted);
		atomic_inc(&audit->refused);
	}
	return ret;
}

/* An attach behind the detach from the same group would leave the QP in the group: see detach(). */
static bool may_ask_again(struct audit_request *request)
{
	return request->vrb.status != -ECANCELED && !READ_ONCE(request->audit->ends) &&
	       request->vrb.op != VRB_OP_ATTACH_MCAST && next_random(&request->random) % 8 == 0;
}

static void request_done(struct vrb *vrb)
{
	struct audit_request *request = container_of(vrb, struct audit_request, vrb);
	struct audit *audit = request->audit;

	check_context(audit, "a callback");
	if (vrb->status > 0 || vrb->status <= -AUDIT_STATUSES)
		audit_wrong(audit, "a status is %d", vrb->status);
	else
		atomic_inc(&audit->status[-vrb->status]);
	if (atomic_inc_return(&request->called) > atomic_read(&request->accepted))
		audit_wrong(audit, "a callback too many");
	/* The object and its client exist until this returns. */
	if (may_ask_again(request) && ask(request) == -EINPROGRESS)
		return;
	if (atomic_xchg(&request->owned, IDLE) != SUBMITTED)
		audit_wrong(audit, "a callback of a request that nobody submitted");
}

static void fill_connect(struct audit_source *source, struct vrb_connect_qp *req, struct ib_qp *qp)
{
	vrb_prep_connect_qp(req, qp);
	req->to = pick(source, 4) ? IB_QPS_RTS : IB_QPS_RTR;
	req->attr = (struct ib_qp_attr){
		.port_num = 1,
		.qkey = 0x1234,
		.path_mtu = IB_MTU_1024,
		.dest_qp_num = qp->qp_num,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.ah_attr.type = RDMA_AH_ATTR_TYPE_IB,
		.qp_access_flags = IB_ACCESS_REMOTE_WRITE,
	};
	rdma_ah_set_dlid(&req->attr.ah_attr, source->audit->params.lid);
	rdma_ah_set_port_num(&req->attr.ah_attr, 1);
}

/* A client must not post to a QP that it resets meanwhile, so half of the QPs are never reset. */
static bool may_reset(const struct audit_place *place)
{
	return (place - place->audit->place) % 2;
}

/* There are few groups, so that several QPs are in the same one. */
static void fill_mcast(struct audit_source *source, struct vrb_mcast *req, struct ib_qp *qp)
{
	if (pick(source, 3))
		vrb_prep_attach_mcast(req, qp);
	else
		vrb_prep_detach_mcast(req, qp);
	mcast_gid(&req->gid, pick(source, MCAST_GROUPS));
}

static void fill_qp(struct audit_source *source, struct audit_request *request,
		    const struct audit_place *place)
{
	struct ib_qp *qp = place->qp;

	if (qp->qp_type == IB_QPT_UD && !pick(source, 3)) {
		fill_mcast(source, &request->mcast, qp);
		return;
	}
	switch (pick(source, may_reset(place) ? 8 : 6)) {
	case 0 ... 2:
		vrb_prep_create_qp(&request->create_qp, qp);
		break;
	case 3 ... 4:
		fill_connect(source, &request->connect_qp, qp);
		break;
	case 5:
		vrb_prep_query_qp(&request->query_qp, qp);
		break;
	case 6:
		vrb_prep_reset_qp(&request->reset_qp, qp);
		break;
	default:
		vrb_prep_modify_qp(&request->modify_qp, qp);
		request->modify_qp.attr = (struct ib_qp_attr){ .qp_state = IB_QPS_ERR };
		request->modify_qp.mask = IB_QP_STATE;
	}
}

/* With interrupts off no memory for a resize can be allocated. Then the resize is refused. */
static void fill_cq(struct audit_source *source, struct audit_request *request,
		    const struct audit_place *place)
{
	struct vrb_client *client = source->audit->client[place->client];

	switch (pick(source, 6)) {
	case 0:
		if (!source->hard)
			vrb_alloc_cq_ring(client, place->cq, CQES + pick(source, CQES), GFP_ATOMIC);
		vrb_prep_resize_cq(&request->resize_cq, place->cq);
		break;
	case 1:
		vrb_prep_await_cq(&request->await_cq, place->cq);
		request->await_cq.flags = IB_CQ_NEXT_COMP;
		break;
	default:
		vrb_prep_create_cq(&request->create_cq, place->cq);
	}
}

static void fill_srq(struct audit_source *source, struct audit_request *request,
		     struct ib_srq *srq)
{
	switch (pick(source, 4)) {
	case 0 ... 1:
		vrb_prep_create_srq(&request->create_srq, srq);
		break;
	case 2:
		vrb_prep_modify_srq(&request->modify_srq, srq);
		request->modify_srq.attr = (struct ib_srq_attr){ .srq_limit = 2 };
		request->modify_srq.mask = IB_SRQ_LIMIT;
		break;
	default:
		vrb_prep_query_srq(&request->query_srq, srq);
	}
}

static void fill_mr(struct audit_source *source, struct audit_request *request, struct ib_mr *mr)
{
	switch (pick(source, 4)) {
	case 0:
		vrb_prep_create_mr(&request->create_mr, mr);
		break;
	case 1 ... 2:
		vrb_prep_reg_mr(&request->reg_mr, mr);
		request->reg_mr.iova = 0;
		request->reg_mr.length = PAGE_SIZE;
		request->reg_mr.pages = source->audit->pages;
		request->reg_mr.nr_pages = 1;
		request->reg_mr.page_shift = PAGE_SHIFT;
		request->reg_mr.access = IB_ACCESS_LOCAL_WRITE;
		break;
	default:
		vrb_prep_unreg_mr(&request->unreg_mr, mr);
	}
}

static void fill(struct audit_source *source, struct audit_request *request,
		 struct audit_place *place)
{
	if (!place && pick(source, 8))
		vrb_prep_query_port(&request->query_port, 1);
	else if (!place)
		vrb_prep_await_event(&request->await_event, BIT_ULL(IB_EVENT_SRQ_LIMIT_REACHED));
	else if (place->kind == QP)
		fill_qp(source, request, place);
	else if (place->kind == SRQ)
		fill_srq(source, request, place->srq);
	else if (place->kind == MR)
		fill_mr(source, request, place->mr);
	else
		fill_cq(source, request, place);
	request->vrb.done = request_done;
	if (!pick(source, 6))
		request->vrb.deadline = ktime_add_us(ktime_get(), pick(source, 400));
	if (!request->client && !pick(source, 3))
		request->vrb.group = &source->audit->group[pick(source, GROUPS)];
}

static bool may_be_refused(int ret)
{
	return ret == -EINVAL || ret == -EIO || ret == -ESTALE || ret == -EUCLEAN ||
	       ret == -ESHUTDOWN || ret == -ENODEV || ret == -EPERM || ret == -ENOLINK ||
	       ret == -EBUSY;
}

static void submit(struct audit_source *source, struct audit_place *place)
{
	struct audit *audit = source->audit;
	unsigned int client = place ? place->client : 0;
	struct audit_request *request = &audit->request[client][pick(source, REQUESTS)];
	int ret;

	if (atomic_cmpxchg(&request->owned, IDLE, FILLED_IN) != IDLE)
		return;
	/* Whoever cancels accesses these two in the other order. */
	smp_mb__after_atomic();
	if (atomic_read(&request->cancels)) {
		atomic_set(&request->owned, IDLE);
		return;
	}
	fill(source, request, place);
	atomic_set_release(&request->owned, SUBMITTED);
	ret = ask(request);
	if (ret == -EINPROGRESS)
		return;
	if (!may_be_refused(ret))
		audit_wrong(audit, "a request was answered %d", ret);
	atomic_set(&request->owned, IDLE);
}

static void act_submit(struct audit_source *source)
{
	struct audit_place *place = some_place(source, pick(source, KINDS));

	if (!pick(source, 16)) {
		submit(source, NULL);
	} else if (place_get(place)) {
		submit(source, place);
		place_put(place);
	}
}

static void cancel(struct audit_request *request)
{
	int ret = 0;

	atomic_inc(&request->cancels);
	smp_mb__after_atomic();		/* the fill accesses these two in the other order */
	if (atomic_read(&request->owned) == SUBMITTED)
		ret = vrb_cancel(&request->vrb);
	if (ret && ret != -EALREADY && ret != -ENOENT)
		audit_wrong(request->audit, "taking back was answered %d", ret);
	atomic_dec(&request->cancels);
}

/* Cancels a request of the first client, because the second one may be unregistered meanwhile. */
static void act_cancel(struct audit_source *source)
{
	struct audit_request *request = &source->audit->request[0][pick(source, REQUESTS)];

	if (!source->hard)
		cancel(request);
}

static void act_group(struct audit_source *source)
{
	struct vrb_group *group = &source->audit->group[pick(source, GROUPS)];

	if (source->hard)
		return;
	if (pick(source, 2))
		vrb_group_poison(group);
	vrb_group_cancel(group);
	vrb_group_unpoison(group);
}

/* Posts to a QP, which may not be created or connected yet, and polls a CQ. */
static void act_traffic(struct audit_source *source)
{
	struct audit_place *qp = some_place(source, QP), *cq = some_place(source, CQ);
	struct ib_rdma_wr wr = { .wr = { .opcode = IB_WR_RDMA_WRITE } };
	struct ib_wc wc[4];

	if (source->hard)
		return;
	if (place_get(qp)) {
		if (qp->qp->qp_type == IB_QPT_RC && !may_reset(qp))
			ib_post_send(qp->qp, &wr.wr, NULL);
		place_put(qp);
	}
	if (place_get(cq)) {
		ib_poll_cq(cq->cq, ARRAY_SIZE(wc), wc);
		place_put(cq);
	}
}

static void act(struct audit_source *source)
{
	static void (*const acts[])(struct audit_source *source) = {
		act_submit, act_submit, act_submit, act_submit, act_submit, act_submit, act_submit,
		act_submit, act_submit, act_submit, act_submit, act_submit, act_submit, act_submit,
		act_alloc, act_alloc, act_alloc, act_cancel, act_cancel, act_destroy, act_traffic,
		act_traffic, act_group,
	};

	acts[pick(source, ARRAY_SIZE(acts))](source);
}

/* ---- Sources ---- */

static bool over(const struct audit *audit)
{
	return READ_ONCE(audit->ends) ||
	       atomic_read(&audit->accepted) >= audit->params.requests;
}

static enum hrtimer_restart on_hrtimer(struct hrtimer *timer)
{
	struct audit_source *source = container_of(timer, struct audit_source, hrtimer);

	act(source);
	act(source);
	if (over(source->audit))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(20000 + pick(source, 100000)));
	return HRTIMER_RESTART;
}

static void on_timer(struct timer_list *timer)
{
	struct audit_source *source = timer_container_of(source, timer, timer);
	int i;

	for (i = 0; i < 4; i++)
		act(source);
	if (!over(source->audit))
		mod_timer(timer, jiffies + 1);
}

static void act_with_interrupts_off(struct audit_source *source)
{
	unsigned long flags;

	local_irq_save(flags);
	source->hard = true;
	act(source);
	source->hard = false;
	local_irq_restore(flags);
}

static int process(void *context)
{
	struct audit_source *source = context;

	while (!kthread_should_stop()) {
		if (over(source->audit)) {
			usleep_range(200, 400);
			continue;
		}
		if (pick(source, 4))
			act(source);
		else
			act_with_interrupts_off(source);
		if (!pick(source, 10))
			usleep_range(50, 100);
		cond_resched();
	}
	return 0;
}

static bool places_of_second(struct audit *audit)
{
	struct audit_place *place;
	bool found = false;

	for (place = audit->place; place < audit->place + PLACES; place++) {
		if (atomic_read(&place->users) == EMPTY)
			continue;
		if (!place_get(place)) {
			found = true;		/* it is being allocated or destroyed */
			continue;
		}
		found |= place->client == 1;
		if (place->client == 1 && !atomic_xchg(&place->ending, 1))
			place_put(place);
		place_put(place);
	}
	return found;
}

/*
 * While the others submit: shuts the client, stops using it, then unregisters it. The last new
 * client is not used.
 */
static void change_second(struct audit *audit, bool last)
{
	struct vrb_client *client;

	WRITE_ONCE(audit->closed, true);
	smp_mb();			/* who allocates claims a place, and then looks at closed */
	vrb_client_shut(audit->client[1]);
	while (places_of_second(audit))
		usleep_range(100, 200);
	vrb_client_unregister(audit->client[1]);
	client = vrb_client_register(audit->dev, "audit2");
	if (IS_ERR(client)) {
		audit_wrong(audit, "no second client: %ld", PTR_ERR(client));
		audit->client[1] = NULL;
		WRITE_ONCE(audit->last, true);
		return;
	}
	audit->client[1] = client;
	atomic_inc(&audit->clients);
	smp_mb();			/* who finds it open must find the new client */
	WRITE_ONCE(audit->closed, last);
	WRITE_ONCE(audit->last, last);
}

static int first_process(void *context)
{
	struct audit_source *source = context;
	struct audit *audit = source->audit;
	unsigned int loops = 0;

	while (!kthread_should_stop()) {
		usleep_range(100, 300);
		if (!READ_ONCE(audit->last) && (over(audit) || ++loops % CHANGE_EVERY == 0))
			change_second(audit, over(audit));
	}
	if (!READ_ONCE(audit->last))
		change_second(audit, true);
	return 0;
}

static void source_init(struct audit *audit, struct audit_source *source, u32 nr, bool hard)
{
	source->audit = audit;
	source->random = audit->params.seed + 7919 * nr;
	source->hard = hard;
}

static void start_hrtimer(struct audit_source *source)
{
	enum hrtimer_mode mode = source->hard ? HRTIMER_MODE_REL_PINNED_HARD :
					       HRTIMER_MODE_REL_PINNED_SOFT;

	hrtimer_setup(&source->hrtimer, on_hrtimer, CLOCK_MONOTONIC, mode);
	hrtimer_start(&source->hrtimer, NSEC_PER_MSEC, mode);
}

/* Runs on the CPU that the sources belong to. */
static long start_on_cpu(void *context)
{
	struct audit *audit = context;
	unsigned int cpu = raw_smp_processor_id() % MAX_CPUS;

	start_hrtimer(&audit->soft[cpu]);
	start_hrtimer(&audit->hard[cpu]);
	return 0;
}

static int start_task(struct audit_source *source, int (*fn)(void *context), int cpu)
{
	struct task_struct *task = kthread_create(fn, source, "audit/%d", cpu);

	if (IS_ERR(task))
		return PTR_ERR(task);
	if (cpu >= 0)
		kthread_bind(task, cpu);
	source->task = task;
	wake_up_process(task);
	return 0;
}

static int start_sources(struct audit *audit)
{
	int cpu, ret = 0;

	for_each_online_cpu(cpu) {
		if (cpu >= MAX_CPUS)
			break;
		audit->cpus = cpu + 1;
		source_init(audit, &audit->soft[cpu], 3 * cpu, false);
		source_init(audit, &audit->hard[cpu], 3 * cpu + 1, true);
		source_init(audit, &audit->process[cpu], 3 * cpu + 2, false);
		work_on_cpu(cpu, start_on_cpu, audit);
		ret = ret ?: start_task(&audit->process[cpu], process, cpu);
	}
	timer_setup(&audit->timer.timer, on_timer, 0);
	source_init(audit, &audit->timer, 100, false);
	mod_timer(&audit->timer.timer, jiffies + 1);
	return ret ?: start_task(&audit->timer, first_process, -1);
}

static void stop_task(struct audit_source *source)
{
	if (source->task)
		kthread_stop(source->task);
	source->task = NULL;
}

static void stop_sources(struct audit *audit)
{
	unsigned int cpu;

	WRITE_ONCE(audit->ends, true);
	stop_task(&audit->timer);
	for (cpu = 0; cpu < audit->cpus; cpu++) {
		stop_task(&audit->process[cpu]);
		if (!audit->soft[cpu].audit)
			continue;
		hrtimer_cancel(&audit->soft[cpu].hrtimer);
		hrtimer_cancel(&audit->hard[cpu].hrtimer);
	}
	if (audit->timer.audit)
		timer_delete_sync(&audit->timer.timer);
}

/* ---- Begin and end ---- */

static void init_memory(struct audit *audit)
{
	struct audit_place *place = audit->place;
	unsigned int kind, i, client;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < places_of[kind]; i++, place++) {
			place->audit = audit;
			place->kind = kind;
		}
	}
	for (client = 0; client < 2; client++) {
		for (i = 0; i < REQUESTS; i++) {
			audit->request[client][i].audit = audit;
			audit->request[client][i].client = client;
			audit->request[client][i].random = audit->params.seed + 31 * i + client;
		}
	}
}

static int init_clients(struct audit *audit)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		audit->client[i] = vrb_client_register(audit->dev, i ? "audit2" : "audit");
		if (IS_ERR(audit->client[i]))
			return PTR_ERR(audit->client[i]);
	}
	for (i = 0; i < GROUPS; i++)
		vrb_group_init(&audit->group[i], audit->client[0]);
	atomic_set(&audit->clients, 2);
	return 0;
}

static void free_audit(struct audit *audit)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!IS_ERR_OR_NULL(audit->client[i]))
			vrb_client_unregister(audit->client[i]);
	}
	if (!IS_ERR_OR_NULL(audit->pd))
		ib_dealloc_pd(audit->pd);
	kvfree(audit);
}

/**
 * audit_start - begin an audit
 * @dev: a provider's device that has shells
 * @params: parameters; copied
 *
 * Context: Process.
 * Return: the audit, which audit_end() ends, or ERR_PTR().
 */
struct audit *audit_start(struct ib_device *dev, const struct audit_params *params)
{
	struct audit *audit = kvzalloc(sizeof(*audit), GFP_KERNEL);
	int ret;

	if (!audit)
		return ERR_PTR(-ENOMEM);
	audit->dev = dev;
	audit->params = *params;
	audit->pages[0] = params->page;
	init_memory(audit);
	audit->pd = ib_alloc_pd(dev, 0);
	ret = PTR_ERR_OR_ZERO(audit->pd);
	ret = ret ?: init_clients(audit);
	if (ret) {
		free_audit(audit);
		return ERR_PTR(ret);
	}
	ret = start_sources(audit);
	if (ret)
		audit_wrong(audit, "sources: %d", ret);
	return audit;
}

/**
 * audit_busy - whether requests are still to be submitted, or the second client is not gone
 * @audit: audit
 *
 * Context: Any.
 */
bool audit_busy(const struct audit *audit)
{
	return !over(audit) || !READ_ONCE(audit->last);
}

/**
 * audit_accepted - how many requests have been accepted so far
 * @audit: audit
 *
 * Context: Any.
 */
unsigned int audit_accepted(const struct audit *audit)
{
	return atomic_read(&audit->accepted);
}

/* Counts the requests in use, and the shells that are not gone. */
static unsigned int left(struct audit *audit)
{
	unsigned int client, i, nr = 0;

	for (client = 0; client < 2; client++) {
		for (i = 0; i < REQUESTS; i++)
			nr += atomic_read(&audit->request[client][i].owned) != IDLE;
	}
	return nr + atomic_read(&audit->detaches) + atomic_read(&audit->made) -
	       atomic_read(&audit->gone);
}

/* Names only the operation of one request, because the engine owns the rest of it. */
static void say_what_is_left(struct audit *audit)
{
	unsigned int client, i, requests = 0, op = 0;

	for (client = 0; client < 2; client++) {
		for (i = 0; i < REQUESTS; i++) {
			if (atomic_read(&audit->request[client][i].owned) == IDLE)
				continue;
			requests++;
			op = audit->request[client][i].vrb.op;
		}
	}
	audit_wrong(audit, "%u requests (one of operation %u), %d detaches and %d shells are left",
		    requests, op, atomic_read(&audit->detaches),
		    atomic_read(&audit->made) - atomic_read(&audit->gone));
}

static void end_all(struct audit *audit)
{
	unsigned long until = jiffies + PATIENCE;
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		place_end(&audit->place[i]);
	for (i = 0; i < REQUESTS; i++)
		cancel(&audit->request[0][i]);
	while (left(audit) && time_before(jiffies, until)) {
		if (audit->params.nudge)
			audit->params.nudge(audit->params.context);
		usleep_range(1000, 1200);
	}
	if (left(audit))
		say_what_is_left(audit);
}

static void compare(struct audit *audit)
{
	struct audit_request *request;
	unsigned int client, i;

	for (client = 0; client < 2; client++) {
		for (i = 0; i < REQUESTS; i++) {
			request = &audit->request[client][i];
			if (atomic_read(&request->accepted) != atomic_read(&request->called))
				audit_wrong(audit, "accepted %d times, called back %d times",
					    atomic_read(&request->accepted),
					    atomic_read(&request->called));
		}
	}
	if (atomic_read(&audit->made) != atomic_read(&audit->gone))
		audit_wrong(audit, "%d shells, %d gone", atomic_read(&audit->made),
			    atomic_read(&audit->gone));
	for (i = 0; i < GROUPS; i++) {
		if (!vrb_group_idle(&audit->group[i]))
			audit_wrong(audit, "a group is not idle");
	}
	if (atomic_read(&audit->pd->usecnt))
		audit_wrong(audit, "the PD has %d users", atomic_read(&audit->pd->usecnt));
}

/**
 * audit_end - stop, and report what was found
 * @audit: must not be used afterwards
 * @report: filled in
 *
 * Context: Process.
 */
void audit_end(struct audit *audit, struct audit_report *report)
{
	unsigned int i;

	stop_sources(audit);
	end_all(audit);
	compare(audit);
	*report = (struct audit_report){
		.accepted = atomic_read(&audit->accepted),
		.refused = atomic_read(&audit->refused),
		.shells = atomic_read(&audit->made),
		.clients = atomic_read(&audit->clients),
		.wrong = atomic_read(&audit->wrong),
	};
	for (i = 0; i < AUDIT_STATUSES; i++)
		report->status[i] = atomic_read(&audit->status[i]);
	strscpy(report->why, audit->why, sizeof(report->why));
	/* Freed memory would still be used, and the client could not be unregistered. */
	if (left(audit))
		pr_err("vrb audit: %s\n", audit->why);
	else
		free_audit(audit);
}
