// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 17: shells, their properties, their users, and their end.
 */
#include "mock.h"

/* ---- Twins ---- */

struct part {
	size_t begin, size;
};

#define PART(type, member, as) { offsetof(struct type, member), sizeof(as) }

static bool in_part(size_t at, const struct part *part)
{
	for (; part->size; part++) {
		if (at >= round_down(part->begin, sizeof(long)) && at < part->begin + part->size)
			return true;
	}
	return false;
}

/* A pointer into the structure itself, as in a list head, is compared by its offset. */
static unsigned long relative(unsigned long word, const void *of, size_t size)
{
	return word - (unsigned long)of < size ? word - (unsigned long)of : word;
}

/* Compares word by word, except for intended differences. */
static void compare(struct test *t, const char *what, const void *shell, const void *twin,
		    size_t size, const struct part *other)
{
	const unsigned long *a = shell, *b = twin;
	size_t i;

	for (i = 0; i < size / sizeof(long); i++) {
		if (relative(a[i], shell, size) != relative(b[i], twin, size) &&
		    !in_part(i * sizeof(long), other))
			test_fail(t, __FILE__, __LINE__, "%s differs at %zu: %lx, not %lx", what,
				  i * sizeof(long), a[i], b[i]);
	}
}

static void some_completion(struct ib_cq *cq, void *context)
{
}

static void some_event(struct ib_event *event, void *context)
{
}

static void shell_is_like_a_cq_of_ib_core(struct test *t)
{
	/* The owner polls a shell itself, and ib_core only tracks its own objects. */
	const struct part other[] = {
		PART(ib_cq, poll_ctx, enum ib_poll_context),
		PART(ib_cq, res, struct rdma_restrack_entry),
		{}
	};
	const struct ib_cq_init_attr attr = { .cqe = 8 };
	struct ib_cq *shell, *twin;

	twin = ib_create_cq(t->mock->ibdev, some_completion, some_event, t, &attr);
	shell = vrb_alloc_cq(t->client, &attr, some_completion, some_event, t, GFP_KERNEL);
	if (!EXPECT(t, !IS_ERR(twin) && !IS_ERR(shell)))
		return;
	run_typed(new_create_cq(t, shell), 0);
	compare(t, "ib_cq", shell, twin, sizeof(*shell), other);
	EXPECT_EQ(t, shell->poll_ctx, IB_POLL_DIRECT);
	EXPECT_EQ(t, atomic_read(&shell->usecnt), 0);
	wait_gone(end_cq(t, shell));
	ib_destroy_cq(twin);
}

static void shell_is_like_a_qp_of_ib_core(struct test *t)
{
	/* The number, the tracking, the handler (a wrapper in both), and lockdep's data. */
	const struct part other[] = {
		PART(ib_qp, qp_num, u32),
		PART(ib_qp, res, struct rdma_restrack_entry),
		PART(ib_qp, event_handler, void *),
#ifdef CONFIG_DEBUG_SPINLOCK
		PART(ib_qp, mr_lock, spinlock_t),
		PART(ib_qp, srq_completion, struct completion),
#endif
		{}
	};
	const struct ib_cq_init_attr cq_attr = { .cqe = 8 };
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.event_handler = some_event,
		.qp_context = t,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 6 },
	};
	struct ib_qp *shell, *twin;
	struct ib_cq *cq;

	cq = ib_create_cq(t->mock->ibdev, NULL, NULL, NULL, &cq_attr);
	if (!EXPECT(t, !IS_ERR(cq)))
		return;
	attr.send_cq = cq;
	attr.recv_cq = cq;
	twin = ib_create_qp(t->pd, &attr);
	shell = vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL);
	if (!EXPECT(t, !IS_ERR(twin) && !IS_ERR(shell)))
		return;
	run_typed(new_create_qp(t, shell), 0);
	compare(t, "ib_qp", shell, twin, sizeof(*shell), other);
	EXPECT(t, shell->event_handler);
	EXPECT_EQ(t, atomic_read(&cq->usecnt), 4);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 2);
	wait_gone(end_qp(t, shell));
	EXPECT_EQ(t, ib_destroy_qp(twin), 0);
	ib_destroy_cq(cq);
}

static void shell_is_like_an_srq_of_ib_core(struct test *t)
{
	const struct part other[] = {
		PART(ib_srq, res, struct rdma_restrack_entry), {}
	};
	struct ib_srq_init_attr attr = {
		.attr = { .max_wr = 8, .max_sge = 1 },
		.event_handler = some_event,
		.srq_context = t,
	};
	struct ib_srq *shell, *twin;
	struct typed_gone *gone = new_gone(t);
	struct typed_request *create = new_typed(t);

	twin = ib_create_srq(t->pd, &attr);
	shell = vrb_alloc_srq(t->client, t->pd, &attr, GFP_KERNEL);
	if (!EXPECT(t, !IS_ERR(twin) && !IS_ERR(shell)))
		return;
	vrb_prep_create_srq(&create->create_srq, shell);
	run_typed(create, 0);
	compare(t, "ib_srq", shell, twin, sizeof(*shell), other);
	EXPECT_EQ(t, vrb_destroy_srq(t->client, shell, typed_gone, gone), -EINPROGRESS);
	wait_gone(gone);
	ib_destroy_srq(twin);
}

static void shell_is_like_a_region_of_ib_core(struct test *t)
{
	const struct part other[] = {
		PART(ib_mr, res, struct rdma_restrack_entry), {}
	};
	struct ib_mr *shell = vrb_alloc_mr(t->client, t->pd, 4, GFP_KERNEL);
	struct ib_mr *twin = ib_alloc_mr(t->pd, IB_MR_TYPE_MEM_REG, 4);
	struct typed_gone *gone = new_gone(t);
	struct typed_request *create = new_typed(t);

	if (!EXPECT(t, !IS_ERR(twin) && !IS_ERR(shell)))
		return;
	vrb_prep_create_mr(&create->create_mr, shell);
	run_typed(create, 0);
	compare(t, "ib_mr", shell, twin, sizeof(*shell), other);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 2);
	EXPECT_EQ(t, vrb_destroy_mr(t->client, shell, typed_gone, gone), -EINPROGRESS);
	wait_gone(gone);
	EXPECT_EQ(t, ib_dereg_mr(twin), 0);
}

/* ---- Before the create, and with it ---- */

static void shell_does_nothing_before_its_create(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	const struct ib_send_wr send = { .wr_id = 1 }, *bad_send = NULL;
	const struct ib_recv_wr receive = { .wr_id = 2 }, *bad_receive = NULL;
	struct ib_wc wc;

	EXPECT_EQ(t, ib_post_send(qp, &send, &bad_send), -EINVAL);
	EXPECT(t, bad_send == &send);
	EXPECT_EQ(t, ib_post_recv(qp, &receive, &bad_receive), -EINVAL);
	EXPECT(t, bad_receive == &receive);
	EXPECT_EQ(t, ib_poll_cq(cq, 1, &wc), 0);
	EXPECT_EQ(t, ib_req_notify_cq(cq, IB_CQ_NEXT_COMP), -EINVAL);
	EXPECT_EQ(t, mock_qp_hw(qp)->posted + mock_cq_hw(cq)->arms, 0);
	EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_RESET);
	end_both(t, qp, cq);
	EXPECT_EQ(t, t->mock->posts, 0);
}

static void shell_works_with_ib_core_inlines(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	const struct ib_send_wr send = { .wr_id = 1 }, *bad_send;
	const struct ib_recv_wr receive = { .wr_id = 2 }, *bad_receive;
	struct ib_wc wc[3];

	run_typed(new_connect(t, qp), 0);
	EXPECT_EQ(t, ib_post_recv(qp, &receive, &bad_receive), 0);
	EXPECT_EQ(t, ib_post_send(qp, &send, &bad_send), 0);
	EXPECT_EQ(t, ib_poll_cq(cq, 3, wc), 2);
	EXPECT_EQ(t, wc[0].wr_id, 1);
	EXPECT_EQ(t, wc[1].wr_id, 2);
	EXPECT(t, wc[1].qp == qp);
	end_both(t, qp, cq);
}

/* ---- Users and parents ---- */

static void shell_counts_its_users(struct test *t)
{
	struct ib_srq_init_attr srq_attr = { .attr = { .max_wr = 8, .max_sge = 1 } };
	struct ib_srq *srq = vrb_alloc_srq(t->client, t->pd, &srq_attr, GFP_KERNEL);
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, srq);
	struct ib_mr *mr = vrb_alloc_mr(t->client, t->pd, 1, GFP_KERNEL);
	struct typed_gone *gone[2] = { new_gone(t), new_gone(t) };

	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 3);
	EXPECT_EQ(t, atomic_read(&cq->usecnt), 2);
	EXPECT_EQ(t, atomic_read(&srq->usecnt), 1);
	wait_gone(end_qp(t, qp));
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 2);
	EXPECT_EQ(t, atomic_read(&cq->usecnt), 0);
	EXPECT_EQ(t, atomic_read(&srq->usecnt), 0);
	EXPECT_EQ(t, vrb_destroy_srq(t->client, srq, typed_gone, gone[0]), -EINPROGRESS);
	EXPECT_EQ(t, vrb_destroy_mr(t->client, mr, typed_gone, gone[1]), -EINPROGRESS);
	wait_gone(gone[0]);
	wait_gone(gone[1]);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
	wait_gone(end_cq(t, cq));
}

/* The QP first or the CQ first: a CQ stays until the QP is gone. */
static void shell_outlives_its_children(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_gone *cq_gone = end_cq(t, cq);

	run_typed(new_connect(t, qp), 0);
	EXPECT_EQ(t, cq_gone->calls, 0);
	wait_gone(end_qp(t, qp));
	wait_gone(cq_gone);
}

static void shell_refuses_a_dying_parent(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_gone *cq_gone = end_cq(t, cq);
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };

	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL)), -ESHUTDOWN);
	wait_gone(end_qp(t, qp));
	wait_gone(cq_gone);
}

static void shell_is_no_parent_for_ib_core(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };

	EXPECT_EQ(t, PTR_ERR(ib_create_qp(t->pd, &attr)), -EINVAL);
	EXPECT_EQ(t, atomic_read(&cq->usecnt), 0);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
	wait_gone(end_cq(t, cq));
}

static void shell_belongs_to_one_client(struct test *t)
{
	struct vrb_client *other = vrb_client_register(t->mock->ibdev, "other");
	struct ib_cq *cq = created_cq(t);
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_request *query = new_query_qp(t, qp);

	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(other, t->pd, &attr, GFP_KERNEL)), -EINVAL);
	EXPECT_EQ(t, vrb_submit(other, &query->vrb), -EINVAL);
	EXPECT_EQ(t, vrb_destroy_qp(other, qp, NULL, NULL), -EINVAL);
	run_typed(query, 0);
	end_both(t, qp, cq);
	vrb_client_unregister(other);
}

static void shell_without_memory(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	const struct ib_cq_init_attr cq_attr = { .cqe = 8 };
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };
	struct ib_srq_init_attr srq_attr = { .attr = { .max_wr = 8, .max_sge = 1 } };

	t->mock->no_memory = true;
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_cq(t->client, &cq_attr, NULL, NULL, NULL, GFP_ATOMIC)),
		  -ENOMEM);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(t->client, t->pd, &attr, GFP_ATOMIC)), -ENOMEM);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_srq(t->client, t->pd, &srq_attr, GFP_ATOMIC)), -ENOMEM);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_mr(t->client, t->pd, 1, GFP_ATOMIC)), -ENOMEM);
	EXPECT_EQ(t, atomic_read(&cq->usecnt), 0);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
	EXPECT_EQ(t, atomic_read(&t->mock->live), 1);
	wait_gone(end_cq(t, cq));
}

static void shell_attributes_are_checked(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .recv_cq = cq };
	const struct ib_cq_init_attr none = {}, flagged = { .cqe = 1, .flags = 1 };

	EXPECT_EQ(t, PTR_ERR(vrb_alloc_cq(t->client, &none, NULL, NULL, NULL, GFP_KERNEL)),
		  -EINVAL);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_cq(t->client, &flagged, NULL, NULL, NULL, GFP_KERNEL)),
		  -EOPNOTSUPP);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL)), -EINVAL);
	attr.send_cq = cq;
	attr.qp_type = IB_QPT_XRC_TGT;
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL)), -EOPNOTSUPP);
	attr.qp_type = IB_QPT_RC;
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(t->client, NULL, &attr, GFP_KERNEL)), -EINVAL);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_mr(t->client, t->pd, 0, GFP_KERNEL)), -EINVAL);
	wait_gone(end_cq(t, cq));
}

static void expect_no_shell(struct test *t, struct vrb_client *client, struct ib_cq *cq, int error)
{
	const struct ib_cq_init_attr cq_attr = { .cqe = 8 };
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };
	struct ib_srq_init_attr srq_attr = { .attr = { .max_wr = 8, .max_sge = 1 } };

	EXPECT_EQ(t, PTR_ERR(vrb_alloc_cq(client, &cq_attr, NULL, NULL, NULL, GFP_KERNEL)), error);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(client, t->pd, &attr, GFP_KERNEL)), error);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_srq(client, t->pd, &srq_attr, GFP_KERNEL)), error);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_mr(client, t->pd, 1, GFP_KERNEL)), error);
}

static void shell_alloc_refused_while_ending(struct test *t)
{
	struct vrb_client *other = vrb_client_register(t->mock->ibdev, "other");
	struct ib_cq *cq = created_cq(t);

	vrb_client_shut(other);
	expect_no_shell(t, other, cq, -ESHUTDOWN);
	vrb_device_fail(t->dev, "test");
	expect_no_shell(t, t->client, cq, -EIO);
	wait_gone(end_cq(t, cq));
	vrb_client_unregister(other);
}

static void expect_no_qp(struct test *t, struct ib_pd *pd, struct ib_qp_init_attr attr, int error)
{
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(t->client, pd, &attr, GFP_KERNEL)), error);
}

/* A PD of another device or of a process, an SRQ of another client, and unsupported attributes. */
static void shell_parents_are_checked(struct test *t)
{
	struct vrb_client *other = vrb_client_register(t->mock->ibdev, "other");
	struct ib_srq_init_attr srq_attr = { .attr = { .max_wr = 8, .max_sge = 1 } };
	struct ib_srq *srq = vrb_alloc_srq(other, t->pd, &srq_attr, GFP_KERNEL);
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };
	struct ib_qp_init_attr theirs = attr, flagged = attr, no_recv = attr;
	struct ib_device *foreign = test_alloc(t, sizeof(*foreign));
	struct ib_pd pd = *t->pd;

	theirs.srq = srq;
	flagged.create_flags = 1;
	no_recv.recv_cq = NULL;
	expect_no_qp(t, t->pd, theirs, -EINVAL);
	expect_no_qp(t, t->pd, flagged, -EOPNOTSUPP);
	expect_no_qp(t, t->pd, no_recv, -EINVAL);
	pd.uobject = test_alloc(t, sizeof(*pd.uobject));
	expect_no_qp(t, &pd, attr, -EACCES);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_mr(t->client, &pd, 1, GFP_KERNEL)), -EACCES);
	pd.uobject = NULL;
	pd.device = foreign;
	expect_no_qp(t, &pd, attr, -EINVAL);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_srq(t->client, &pd, &srq_attr, GFP_KERNEL)), -EINVAL);
	EXPECT_EQ(t, vrb_destroy_srq(other, srq, NULL, NULL), -EINPROGRESS);
	wait_gone(end_cq(t, cq));
	vrb_client_unregister(other);
}

static void count_event(struct ib_event *event, void *context)
{
	unsigned int *events = context;

	++*events;
}

static void tell_qp(struct ib_qp *qp, enum ib_event_type type)
{
	struct ib_event event = { .device = qp->device, .element.qp = qp, .event = type };

	qp->event_handler(&event, qp->qp_context);
}

/* As for ib_core's QPs: the handler gets all events, and a drain gets the last WQE's. */
static void shell_forwards_events(struct test *t)
{
	unsigned int events = 0;
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq,
		.event_handler = count_event, .qp_context = &events,
	};
	struct ib_qp *qp = vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL);
	struct ib_qp *without = shell_qp(t, cq, NULL);
	struct typed_gone *gone = end_cq(t, cq);

	tell_qp(qp, IB_EVENT_COMM_EST);
	EXPECT_EQ(t, events, 1);
	EXPECT(t, !completion_done(&qp->srq_completion));
	tell_qp(qp, IB_EVENT_QP_LAST_WQE_REACHED);
	EXPECT_EQ(t, events, 2);
	EXPECT(t, completion_done(&qp->srq_completion));
	tell_qp(without, IB_EVENT_QP_LAST_WQE_REACHED);
	EXPECT(t, completion_done(&without->srq_completion));
	wait_gone(end_qp(t, qp));
	wait_gone(end_qp(t, without));
	wait_gone(gone);
}

/* ---- Ends ---- */

static void shell_is_destroyed_once(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_gone *gone = end_cq(t, cq);

	/* The CQ waits for its child, so it still exists. */
	EXPECT_EQ(t, vrb_destroy_cq(t->client, cq, typed_gone, gone), -EINVAL);
	EXPECT_EQ(t, gone->calls, 0);
	wait_gone(end_qp(t, qp));
	wait_gone(gone);
}

static void destroy_both(void *arg)
{
	void **both = arg;
	struct typed_gone *gone = both[0];
	struct test *t = gone->test;

	EXPECT_EQ(t, vrb_destroy_qp(t->client, both[1], NULL, NULL), -EINPROGRESS);
	EXPECT_EQ(t, vrb_destroy_cq(t->client, both[2], typed_gone, gone), -EINPROGRESS);
}

static void shell_is_destroyed_from_any_context(struct test *t)
{
	void (*const contexts[])(void (*fn)(void *arg), void *arg) = {
		in_softirq_do, in_hardirq_do,
	};
	unsigned int i;
	void *both[3];

	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		both[0] = new_gone(t);
		both[2] = created_cq(t);
		both[1] = created_qp(t, both[2]);
		contexts[i](destroy_both, both);
		wait_gone(both[0]);
	}
}

static void alloc_here(void *arg)
{
	const struct ib_cq_init_attr attr = { .cqe = 8 };
	struct test *t = arg;
	struct ib_qp_init_attr qp_attr = { .qp_type = IB_QPT_UD };
	struct ib_cq *cq = vrb_alloc_cq(t->client, &attr, NULL, NULL, NULL, GFP_ATOMIC);
	struct ib_qp *qp;

	if (!EXPECT(t, !IS_ERR(cq)))
		return;
	qp_attr.send_cq = cq;
	qp_attr.recv_cq = cq;
	qp = vrb_alloc_qp(t->client, t->pd, &qp_attr, GFP_ATOMIC);
	if (EXPECT(t, !IS_ERR(qp)))
		vrb_destroy_qp(t->client, qp, NULL, NULL);
	vrb_destroy_cq(t->client, cq, NULL, NULL);
}

static void shell_is_made_in_softirq(struct test *t)
{
	in_softirq_do(alloc_here, t);
}

static bool none_is_left(void *arg)
{
	struct test *t = arg;

	return !atomic_read(&t->mock->live) && !atomic_read(&t->pd->usecnt);
}

/* The fence destroys what a client has left, in whatever state it is. */
static void shell_left_by_its_client(struct test *t)
{
	struct ib_cq *cq = created_cq(t), *never = shell_cq(t);
	struct ib_qp *qp = created_qp(t, cq);

	EXPECT(t, never && qp);
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
}

/* stop.sh checks the log: some shells are named, and all are counted. */
static void shells_left_by_their_client(struct test *t)
{
	int i;

	for (i = 0; i < 40; i++)
		EXPECT(t, shell_cq(t));
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
}

/* The QP is used as by a multicast group. Its client is told that it is gone, and no more. */
static void shell_left_while_it_is_used(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct vrb_object *object = &mock_qp_hw(qp)->base.object;
	struct typed_gone *gone;

	vrb_object_hold(object);
	gone = end_qp(t, qp);
	EXPECT_EQ(t, gone->calls, 0);
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, gone->calls, 1);
	EXPECT(t, object->owner == vrb_device_client(t->dev));
	EXPECT(t, object->destroy.client == vrb_device_client(t->dev));
	vrb_device_event(t->dev, IB_EVENT_QP_FATAL, object);
	vrb_object_unhold(object);
	EXPECT(t, wait_until(none_is_left, t));
	EXPECT_EQ(t, gone->calls, 1);
}

struct leave_told {
	const struct mock_hw *hw;
	enum ib_qp_state state;		/* of the QP when its owner was told */
	int calls;
};

static void leave_gone(void *context)
{
	struct leave_told *told = context;

	told->state = READ_ONCE(told->hw->state);
	told->calls++;
}

/* Attached, with receives posted: once the owner has been told, nothing writes to their memory. */
static void leave_stops_the_hardware(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct mock_hw *hw = mock_qp_hw(qp);
	struct vrb_object *object = &hw->base.object;
	struct leave_told told = { .hw = hw };

	WRITE_ONCE(hw->state, IB_QPS_RTS);
	vrb_object_hold(object);
	EXPECT_EQ(t, vrb_destroy_qp(t->client, qp, leave_gone, &told), -EINPROGRESS);
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, told.calls, 1);
	EXPECT_EQ(t, told.state, IB_QPS_RESET);
	vrb_object_unhold(object);
	EXPECT(t, wait_until(none_is_left, t));
}

/* The attach completes when the destroy has begun to wait: the fence must not wait for both. */
static void leave_of_a_qp_attached_during_its_destroy(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_request *attach = new_typed(t);
	struct mock_script *held = hold_qp(qp, VRB_OP_ATTACH_MCAST);
	struct typed_gone *gone;

	vrb_prep_attach_mcast(&attach->mcast, qp);
	submit_typed(attach);
	wait_script_posted(t, held);
	gone = end_qp(t, qp);
	mock_release(t->mock, held);
	wait_typed(attach, 0);
	EXPECT_EQ(t, gone->calls, 0);
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, gone->calls, 1);
	/* The failure makes the mock forget the group. */
	vrb_device_fail(t->dev, "test");
	EXPECT(t, wait_until(none_is_left, t));
}

struct leaver {
	struct work_struct work;
	struct vrb_client *client;
	struct completion left;
};

static void leaver_goes(struct work_struct *work)
{
	struct leaver *leaver = container_of(work, struct leaver, work);

	vrb_client_unregister(leaver->client);
	complete(&leaver->left);
}

static void leaver_starts(struct leaver *leaver, struct vrb_client *client)
{
	leaver->client = client;
	init_completion(&leaver->left);
	INIT_WORK_ONSTACK(&leaver->work, leaver_goes);
	queue_work(system_unbound_wq, &leaver->work);
}

/* The hardware does not answer the command with which it is to let go of the first one's QP. */
static void leave_waits_for_no_other_client(struct test *t)
{
	struct vrb_client *second = vrb_client_register(mock_ibdev(t->mock), "second");
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct vrb_object *object = &mock_qp_hw(qp)->base.object;
	struct mock_script *script = &mock_qp_hw(qp)->base.destroy;
	struct completion child_released, parent_released;
	struct mock_object *child, *parent;
	struct leaver slow, quick;

	child = new_object(t, 9, &child_released);
	parent = new_object(t, 8, &parent_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	EXPECT_EQ(t, vrb_destroy(second, &parent->object, NULL, NULL), -EINPROGRESS);
	script->step[0].flags = MOCK_HOLD;
	vrb_object_hold(object);
	EXPECT_EQ(t, vrb_destroy_qp(t->client, qp, NULL, NULL), -EINPROGRESS);
	leaver_starts(&slow, t->client);
	wait_script_posted(t, script);
	leaver_starts(&quick, second);
	EXPECT(t, wait_for_completion_timeout(&quick.left, MOCK_PATIENCE / 2));
	EXPECT(t, !completion_done(&slow.left));
	script->step[0].flags = 0;
	mock_release(t->mock, script);
	flush_work(&slow.work);
	flush_work(&quick.work);
	destroy_work_on_stack(&slow.work);
	destroy_work_on_stack(&quick.work);
	t->client = NULL;
	vrb_object_unhold(object);
	EXPECT_EQ(t, vrb_destroy(vrb_device_client(t->dev), &child->object, NULL, NULL),
		  -EINPROGRESS);
	wait_released(t, &child_released);
	wait_released(t, &parent_released);
	EXPECT(t, wait_until(none_is_left, t));
}

static void leave_that_fails_stops_the_device(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct vrb_object *object = &mock_qp_hw(qp)->base.object;

	mock_qp_hw(qp)->base.destroy.step[0].status = -EBUSY;
	vrb_object_hold(object);
	EXPECT_EQ(t, vrb_destroy_qp(t->client, qp, NULL, NULL), -EINPROGRESS);
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT(t, vrb_device_failed(t->dev));
	vrb_object_unhold(object);
	EXPECT(t, wait_until(none_is_left, t));
}

static void shell_is_destroyed_after_shut(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_request *query = new_query_qp(t, qp);

	vrb_client_shut(t->client);
	EXPECT_EQ(t, vrb_submit(t->client, &query->vrb), -ESHUTDOWN);
	end_both(t, qp, cq);
}

static void shell_is_destroyed_after_failure(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	unsigned int posts = t->mock->posts;

	vrb_device_fail(t->dev, "test");
	end_both(t, qp, cq);
	EXPECT_EQ(t, t->mock->posts, posts);
}

/* Requests behind the command under way are cancelled. */
static void shell_destroyed_under_its_requests(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_request *first = new_query_qp(t, qp), *second = new_query_qp(t, qp);
	struct mock_script *held = hold_qp(qp, VRB_OP_QUERY_QP);
	struct typed_gone *gone;

	submit_typed(first);
	submit_typed(second);
	wait_script_posted(t, held);
	gone = end_qp(t, qp);
	wait_typed(second, -ECANCELED);
	EXPECT_EQ(t, vrb_submit(t->client, &second->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, gone->calls + first->calls, 0);
	mock_release(t->mock, held);
	wait_typed(first, 0);
	wait_gone(gone);
	wait_gone(end_cq(t, cq));
}

const struct test_case shell_tests[] = {
	{ "shell_is_like_a_cq_of_ib_core", shell_is_like_a_cq_of_ib_core, .verbs = true },
	{ "shell_is_like_a_qp_of_ib_core", shell_is_like_a_qp_of_ib_core, .verbs = true },
	{ "shell_is_like_an_srq_of_ib_core", shell_is_like_an_srq_of_ib_core, .verbs = true },
	{ "shell_is_like_a_region_of_ib_core", shell_is_like_a_region_of_ib_core, .verbs = true },
	{ "shell_does_nothing_before_its_create", shell_does_nothing_before_its_create,
	  .verbs = true },
	{ "shell_works_with_ib_core_inlines", shell_works_with_ib_core_inlines, .verbs = true },
	{ "shell_counts_its_users", shell_counts_its_users, .verbs = true },
	{ "shell_outlives_its_children", shell_outlives_its_children, .verbs = true },
	{ "shell_refuses_a_dying_parent", shell_refuses_a_dying_parent, .verbs = true },
	{ "shell_is_no_parent_for_ib_core", shell_is_no_parent_for_ib_core, .verbs = true },
	{ "shell_belongs_to_one_client", shell_belongs_to_one_client, .verbs = true },
	{ "shell_without_memory", shell_without_memory, .verbs = true },
	{ "shell_attributes_are_checked", shell_attributes_are_checked, .verbs = true },
	{ "shell_alloc_refused_while_ending", shell_alloc_refused_while_ending, .verbs = true },
	{ "shell_parents_are_checked", shell_parents_are_checked, .verbs = true },
	{ "shell_forwards_events", shell_forwards_events, .verbs = true },
	{ "shell_is_destroyed_once", shell_is_destroyed_once, .verbs = true },
	{ "shell_is_destroyed_from_any_context", shell_is_destroyed_from_any_context,
	  .verbs = true },
	{ "shell_is_made_in_softirq", shell_is_made_in_softirq, .verbs = true },
	{ "shell_left_by_its_client", shell_left_by_its_client, .verbs = true },
	{ "shells_left_by_their_client", shells_left_by_their_client, .verbs = true },
	{ "shell_left_while_it_is_used", shell_left_while_it_is_used, .verbs = true },
	{ "leave_waits_for_no_other_client", leave_waits_for_no_other_client, .verbs = true },
	{ "leave_of_a_qp_attached_during_its_destroy",
	  leave_of_a_qp_attached_during_its_destroy, .verbs = true },
	{ "leave_stops_the_hardware", leave_stops_the_hardware, .verbs = true },
	{ "leave_that_fails_stops_the_device", leave_that_fails_stops_the_device,
	  .verbs = true },
	{ "shell_is_destroyed_after_shut", shell_is_destroyed_after_shut, .verbs = true },
	{ "shell_is_destroyed_after_failure", shell_is_destroyed_after_failure, .verbs = true },
	{ "shell_destroyed_under_its_requests", shell_destroyed_under_its_requests,
	  .verbs = true },
	{}
};
