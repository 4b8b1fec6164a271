// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Rule 18: creates, also of parents and children, and what undoes them. */
#include "mock.h"

#define MANY 100

/* All requests are submitted at once: each waits for what it needs. */
static void create_back_to_back(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq), *connect = new_connect(t, qp);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);

	submit_typed(cq_create);
	submit_typed(qp_create);
	submit_typed(connect);
	wait_script_posted(t, held);
	EXPECT_EQ(t, t->mock->posts, 1);
	EXPECT_EQ(t, qp_create->calls + connect->calls, 0);
	mock_release(t->mock, held);
	wait_typed(cq_create, 0);
	wait_typed(qp_create, 0);
	wait_typed(connect, 0);
	EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_RTS);
	EXPECT_EQ(t, t->mock->posts, 5);
	end_both(t, qp, cq);
}

static void create_fails_with_its_parent(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq), *connect = new_connect(t, qp);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);

	held->step[0].status = -EAGAIN;
	submit_typed(cq_create);
	submit_typed(qp_create);
	submit_typed(connect);
	mock_release(t->mock, held);
	wait_script_posted(t, held);
	mock_release(t->mock, held);
	wait_typed(cq_create, -EAGAIN);
	wait_typed(qp_create, -ENOLINK);
	wait_typed(connect, -ENOLINK);
	EXPECT_EQ(t, vrb_submit(t->client, &qp_create->vrb), -ENOLINK);
	EXPECT_EQ(t, t->mock->posts, 1);
	end_both(t, qp, cq);
	EXPECT_EQ(t, t->mock->posts, 1);
}

/* After a failed create the shell can be created again, and so can its children. */
static void create_again_after_failure(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_step *step = &mock_cq_hw(cq)->script[VRB_OP_CREATE_CQ].step[0];

	step->status = -EAGAIN;
	run_typed(cq_create, -EAGAIN);
	EXPECT_EQ(t, vrb_submit(t->client, &qp_create->vrb), -ENOLINK);
	step->status = 0;
	run_typed(cq_create, 0);
	run_typed(qp_create, 0);
	EXPECT_EQ(t, vrb_submit(t->client, &cq_create->vrb), -EINVAL);
	run_typed(new_connect(t, qp), 0);
	end_both(t, qp, cq);
}

/* The QP's own create fails: requests behind it end, and the CQ stays. */
static void create_failure_fails_those_behind(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *create = new_create_qp(t, qp), *connect = new_connect(t, qp);
	struct typed_request *query = new_query_qp(t, qp);
	struct mock_script *held = hold_qp(qp, VRB_OP_CREATE_QP);

	held->step[0].status = -EAGAIN;
	submit_typed(create);
	submit_typed(connect);
	submit_typed(query);
	wait_script_posted(t, held);
	mock_release(t->mock, held);
	wait_typed(create, -EAGAIN);
	wait_typed(connect, -ENOLINK);
	wait_typed(query, -ENOLINK);
	EXPECT_EQ(t, vrb_submit(t->client, &query->vrb), -ENOLINK);
	held->step[0] = (struct mock_step){};
	run_typed(create, 0);
	run_typed(query, 0);
	EXPECT_EQ(t, query->query_qp.attr.qp_state, IB_QPS_RESET);
	end_both(t, qp, cq);
}

struct behind {
	struct vrb_query_qp query;
	struct test *t;
	struct typed_request *create;
	int again;
};

static void create_again_at_once(struct vrb *vrb)
{
	struct behind *behind = container_of(vrb, struct behind, query.vrb);

	behind->again = vrb_submit(behind->t->client, &behind->create->vrb);
}

/* A failed create can only be repeated when the last request behind it has ended. */
static void create_again_before_requests_behind_it_end(struct test *t)
{
	struct behind *behind = test_alloc(t, MANY * sizeof(*behind));
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *create = new_create_qp(t, qp);
	struct mock_script *held = hold_qp(qp, VRB_OP_CREATE_QP);
	unsigned int i;

	held->step[0].status = -EAGAIN;
	submit_typed(create);
	for (i = 0; i < MANY; i++) {
		vrb_prep_query_qp(&behind[i].query, qp);
		EXPECT_EQ(t, vrb_submit(t->client, &behind[i].query.vrb), -EINPROGRESS);
	}
	behind[0].t = t;
	behind[0].create = create;
	behind[0].query.vrb.done = create_again_at_once;
	wait_script_posted(t, held);
	mock_release(t->mock, held);
	wait_typed(create, -EAGAIN);
	for (i = 1; i < MANY; i++)
		EXPECT_EQ(t, vrb_wait(&behind[i].query.vrb), -ENOLINK);
	EXPECT_EQ(t, behind[0].query.vrb.status, -ENOLINK);
	EXPECT_EQ(t, behind[0].again, -ENOLINK);
	held->step[0] = (struct mock_step){};
	run_typed(create, 0);
	end_both(t, qp, cq);
}

/*
 * The hardware does not know the QP that is to be detached. The destroy completes nevertheless,
 * although it was accepted before the detach and the many requests in front of that are completed
 * in several portions.
 */
static void create_fails_before_a_detach(struct test *t)
{
	struct vrb_query_qp *query = test_alloc(t, MANY * sizeof(*query));
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *create = new_create_qp(t, qp), *detach = new_typed(t);
	struct mock_script *held = hold_qp(qp, VRB_OP_CREATE_QP);
	struct typed_gone *gone;
	unsigned int i;

	held->step[0].status = -EAGAIN;
	submit_typed(create);
	for (i = 0; i < MANY; i++) {
		vrb_prep_query_qp(&query[i], qp);
		EXPECT_EQ(t, vrb_submit(t->client, &query[i].vrb), -EINPROGRESS);
	}
	wait_script_posted(t, held);
	vrb_prep_detach_mcast(&detach->mcast, qp);
	/* One run of the pump handles all of this. */
	local_bh_disable();
	gone = end_qp(t, qp);
	EXPECT_EQ(t, vrb_submit(t->client, &detach->vrb), -EINPROGRESS);
	mock_release(t->mock, held);
	local_bh_enable();
	wait_typed(create, -EAGAIN);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(t, vrb_wait(&query[i].vrb), -ECANCELED);
	EXPECT_EQ(t, vrb_wait(&detach->vrb), -ENOLINK);
	wait_gone(gone);
	wait_gone(end_cq(t, cq));
}

/* The QP waits for its send CQ and its receive CQ, in whatever order these are created. */
static void create_waits_for_both_cqs(struct test *t)
{
	struct ib_cq *send = shell_cq(t), *recv = shell_cq(t);
	struct typed_request *recv_create = new_create_cq(t, recv), *qp_create;
	struct mock_script *held = hold_cq(recv, VRB_OP_CREATE_CQ);
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.send_cq = send,
		.recv_cq = recv,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1 },
	};
	struct ib_qp *qp = vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL);
	struct mock_script *send_held = hold_cq(send, VRB_OP_CREATE_CQ);
	struct typed_request *send_create = new_create_cq(t, send);
	struct typed_gone *gone;

	qp_create = new_create_qp(t, qp);
	submit_typed(recv_create);
	submit_typed(send_create);
	submit_typed(qp_create);
	wait_script_posted(t, send_held);
	mock_release(t->mock, send_held);
	wait_typed(send_create, 0);
	wait_script_posted(t, held);
	EXPECT_EQ(t, qp_create->calls, 0);
	mock_release(t->mock, held);
	wait_typed(recv_create, 0);
	wait_typed(qp_create, 0);
	EXPECT_EQ(t, atomic_read(&send->usecnt), 1);
	EXPECT_EQ(t, atomic_read(&recv->usecnt), 1);
	gone = end_cq(t, send);
	end_both(t, qp, recv);
	wait_gone(gone);
}

/* The QP waits for its send CQ; meanwhile its receive CQ, which exists, is destroyed. */
static void create_cancelled_by_end_of_ready_parent(struct test *t)
{
	struct ib_cq *send = shell_cq(t), *recv = created_cq(t);
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = send, .recv_cq = recv };
	struct ib_qp *qp = vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL);
	struct mock_script *held = hold_cq(send, VRB_OP_CREATE_CQ);
	struct typed_request *send_create = new_create_cq(t, send), *qp_create;
	struct typed_gone *gone;

	qp_create = new_create_qp(t, qp);
	submit_typed(send_create);
	submit_typed(qp_create);
	wait_script_posted(t, held);
	gone = end_cq(t, recv);
	mock_release(t->mock, held);
	wait_typed(send_create, 0);
	wait_typed(qp_create, -ECANCELED);
	EXPECT_EQ(t, vrb_submit(t->client, &qp_create->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, gone->calls, 0);
	wait_gone(end_qp(t, qp));
	wait_gone(gone);
	wait_gone(end_cq(t, send));
}

/* There are more children than a run handles. The test also fails if a hold handles too many. */
static void create_of_many_children(struct test *t)
{
	struct vrb_create_qp *create = test_alloc(t, MANY * sizeof(*create));
	struct ib_cq *cq = shell_cq(t);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);
	struct typed_request *cq_create = new_create_cq(t, cq);
	unsigned int i;

	submit_typed(cq_create);
	for (i = 0; i < MANY; i++) {
		vrb_prep_create_qp(&create[i], shell_qp(t, cq, NULL));
		EXPECT_EQ(t, vrb_submit(t->client, &create[i].vrb), -EINPROGRESS);
	}
	wait_script_posted(t, held);
	mock_release(t->mock, held);
	wait_typed(cq_create, 0);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(t, vrb_wait(&create[i].vrb), 0);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(t, vrb_destroy_qp(t->client, create[i].qp, NULL, NULL), -EINPROGRESS);
	wait_gone(end_cq(t, cq));
}

static void create_must_come_first(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *create = new_create_qp(t, qp), *connect = new_connect(t, qp);

	EXPECT_EQ(t, vrb_submit(t->client, &create->vrb), -EINVAL);
	EXPECT_EQ(t, vrb_submit(t->client, &connect->vrb), -EINVAL);
	EXPECT_EQ(t, vrb_cancel(&create->vrb), -ENOENT);
	EXPECT_EQ(t, t->mock->posts, 0);
	/* Refused requests can be submitted again unchanged. */
	run_typed(new_create_cq(t, cq), 0);
	run_typed(create, 0);
	run_typed(connect, 0);
	end_both(t, qp, cq);
}

static void create_cancelled_by_the_parents_end(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq), *connect = new_connect(t, qp);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);
	struct typed_gone *cq_gone;

	submit_typed(cq_create);
	submit_typed(qp_create);
	submit_typed(connect);
	cq_gone = end_cq(t, cq);
	wait_typed(qp_create, -ECANCELED);
	wait_typed(connect, -ENOLINK);
	EXPECT_EQ(t, vrb_submit(t->client, &qp_create->vrb), -ESHUTDOWN);
	wait_script_posted(t, held);
	mock_release(t->mock, held);
	wait_typed(cq_create, 0);
	/* The CQ exists now, but is being destroyed. */
	EXPECT_EQ(t, vrb_submit(t->client, &qp_create->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, cq_gone->calls, 0);
	wait_gone(end_qp(t, qp));
	wait_gone(cq_gone);
}

/* The destroy is queued behind the create and undoes it. */
static void create_undone_by_destroy(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *create = new_create_qp(t, qp), *connect = new_connect(t, qp);
	struct mock_script *held = hold_qp(qp, VRB_OP_CREATE_QP);
	struct typed_gone *gone;
	unsigned int posts;

	submit_typed(create);
	submit_typed(connect);
	wait_script_posted(t, held);
	posts = t->mock->posts;
	gone = end_qp(t, qp);
	wait_typed(connect, -ECANCELED);
	EXPECT_EQ(t, create->calls + gone->calls, 0);
	mock_release(t->mock, held);
	wait_typed(create, 0);
	wait_gone(gone);
	EXPECT_EQ(t, t->mock->posts, posts + 1);
	EXPECT_EQ(t, atomic_read(&cq->usecnt), 0);
	wait_gone(end_cq(t, cq));
}

/* A create that was never issued needs no undo. */
static void create_queued_when_destroyed(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);

	submit_typed(cq_create);
	submit_typed(qp_create);
	wait_script_posted(t, held);
	wait_gone(end_qp(t, qp));
	wait_typed(qp_create, -ECANCELED);
	EXPECT_EQ(t, t->mock->posts, 1);
	mock_release(t->mock, held);
	wait_typed(cq_create, 0);
	wait_gone(end_cq(t, cq));
}

static void create_can_be_cancelled(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq), *connect = new_connect(t, qp);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);

	submit_typed(cq_create);
	submit_typed(qp_create);
	submit_typed(connect);
	EXPECT_EQ(t, vrb_submit(t->client, &qp_create->vrb), -EBUSY);
	EXPECT_EQ(t, vrb_cancel(&qp_create->vrb), 0);
	wait_typed(qp_create, -ECANCELED);
	wait_typed(connect, -ENOLINK);
	wait_script_posted(t, held);
	EXPECT_EQ(t, vrb_cancel(&cq_create->vrb), -EALREADY);
	mock_release(t->mock, held);
	wait_typed(cq_create, 0);
	run_typed(qp_create, 0);
	end_both(t, qp, cq);
}

static void create_ends_with_the_client(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq), *connect = new_connect(t, qp);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);
	const struct ib_cq_init_attr attr = { .cqe = 1 };

	submit_typed(cq_create);
	submit_typed(qp_create);
	submit_typed(connect);
	wait_script_posted(t, held);
	vrb_client_shut(t->client);
	wait_typed(qp_create, -ECANCELED);
	EXPECT(t, wait_for_completion_timeout(&connect->over, MOCK_PATIENCE));
	EXPECT(t, connect->status == -ECANCELED || connect->status == -ENOLINK);
	EXPECT_EQ(t, vrb_submit(t->client, &connect->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_cq(t->client, &attr, NULL, NULL, NULL, GFP_KERNEL)),
		  -ESHUTDOWN);
	mock_release(t->mock, held);
	wait_typed(cq_create, 0);
	end_both(t, qp, cq);
}

static void create_ends_with_the_device(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *cq_create = new_create_cq(t, cq), *connect = new_connect(t, qp);
	struct typed_request *qp_create = new_create_qp(t, qp);
	struct mock_script *held = hold_cq(cq, VRB_OP_CREATE_CQ);
	const struct ib_cq_init_attr attr = { .cqe = 1 };

	submit_typed(cq_create);
	submit_typed(qp_create);
	submit_typed(connect);
	wait_script_posted(t, held);
	vrb_device_fail(t->dev, "test");
	wait_typed(cq_create, -EIO);
	EXPECT(t, wait_for_completion_timeout(&qp_create->over, MOCK_PATIENCE));
	EXPECT(t, wait_for_completion_timeout(&connect->over, MOCK_PATIENCE));
	EXPECT(t, qp_create->status == -EIO || qp_create->status == -ENOLINK);
	EXPECT(t, connect->status == -EIO || connect->status == -ENOLINK);
	EXPECT_EQ(t, vrb_submit(t->client, &connect->vrb), -EIO);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_cq(t->client, &attr, NULL, NULL, NULL, GFP_KERNEL)), -EIO);
	end_both(t, qp, cq);
}

static void submit_all(void *arg)
{
	struct typed_request **request = arg;

	for (; *request; request++)
		submit_typed(*request);
}

static void with_interrupts_off(void (*fn)(void *arg), void *arg)
{
	unsigned long flags;

	local_irq_save(flags);
	fn(arg);
	local_irq_restore(flags);
}

/* Create, create and connect from each context that a client may be in. */
static void create_from_any_context(struct test *t)
{
	void (*const contexts[])(void (*fn)(void *arg), void *arg) = {
		in_softirq_do, in_hardirq_do, with_interrupts_off,
	};
	struct typed_request *request[4] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		struct ib_cq *cq = shell_cq(t);
		struct ib_qp *qp = shell_qp(t, cq, NULL);

		request[0] = new_create_cq(t, cq);
		request[1] = new_create_qp(t, qp);
		request[2] = new_connect(t, qp);
		contexts[i](submit_all, request);
		wait_typed(request[0], 0);
		wait_typed(request[1], 0);
		wait_typed(request[2], 0);
		EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_RTS);
		end_both(t, qp, cq);
	}
}

/* A second create through the inbox is refused there; the first one stays. */
static void create_twice_in_the_inbox(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *first = new_create_qp(t, qp), *second = new_create_qp(t, qp);
	struct typed_request *connect = new_connect(t, qp), *request[] = { second, NULL };
	struct mock_script *held = hold_qp(qp, VRB_OP_CREATE_QP);

	submit_typed(first);
	submit_typed(connect);
	in_hardirq_do(submit_all, request);
	wait_typed(second, -EINVAL);
	EXPECT_EQ(t, first->calls + connect->calls, 0);
	mock_release(t->mock, held);
	wait_typed(first, 0);
	wait_typed(connect, 0);
	in_hardirq_do(submit_all, request);
	wait_typed(second, -EINVAL);
	run_typed(new_query_qp(t, qp), 0);
	end_both(t, qp, cq);
}

/* A submit through the inbox cannot return the error, so the status has it. */
static void create_refused_in_the_inbox(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct ib_qp *qp = shell_qp(t, cq, NULL);
	struct typed_request *request[] = { new_create_qp(t, qp), NULL };

	in_hardirq_do(submit_all, request);
	wait_typed(request[0], -EINVAL);
	end_both(t, qp, cq);
}

static void connect_keeps_the_state_it_reached(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_request *connect = new_connect(t, qp);
	struct mock_step *step = &mock_qp_hw(qp)->script[VRB_OP_CONNECT_QP].step[1];

	step->status = -EAGAIN;
	run_typed(connect, -EAGAIN);
	EXPECT_EQ(t, connect->vrb.step, 1);
	EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_INIT);
	step->status = 0;
	run_typed(connect, 0);
	EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_RTS);
	end_both(t, qp, cq);
}

const struct test_case create_tests[] = {
	{ "create_back_to_back", create_back_to_back, .verbs = true },
	{ "create_fails_with_its_parent", create_fails_with_its_parent, .verbs = true },
	{ "create_again_after_failure", create_again_after_failure, .verbs = true },
	{ "create_failure_fails_those_behind", create_failure_fails_those_behind, .verbs = true },
	{ "create_waits_for_both_cqs", create_waits_for_both_cqs, .verbs = true },
	{ "create_cancelled_by_end_of_ready_parent",
	  create_cancelled_by_end_of_ready_parent, .verbs = true },
	{ "create_again_before_requests_behind_it_end", create_again_before_requests_behind_it_end,
	  .verbs = true },
	{ "create_fails_before_a_detach", create_fails_before_a_detach, .verbs = true },
	{ "create_of_many_children", create_of_many_children, .verbs = true },
	{ "create_must_come_first", create_must_come_first, .verbs = true },
	{ "create_cancelled_by_the_parents_end", create_cancelled_by_the_parents_end,
	  .verbs = true },
	{ "create_undone_by_destroy", create_undone_by_destroy, .verbs = true },
	{ "create_queued_when_destroyed", create_queued_when_destroyed, .verbs = true },
	{ "create_can_be_cancelled", create_can_be_cancelled, .verbs = true },
	{ "create_ends_with_the_client", create_ends_with_the_client, .verbs = true },
	{ "create_ends_with_the_device", create_ends_with_the_device, .verbs = true },
	{ "create_from_any_context", create_from_any_context, .verbs = true },
	{ "create_twice_in_the_inbox", create_twice_in_the_inbox, .verbs = true },
	{ "create_refused_in_the_inbox", create_refused_in_the_inbox, .verbs = true },
	{ "connect_keeps_the_state_it_reached", connect_keeps_the_state_it_reached, .verbs = true },
	{}
};
