// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 11: requests that wait for events.
 */
#include "mock.h"

#define MANY_CLIENTS 20
#define MANY 100

static struct typed_request *new_await_cq(struct test *t, struct ib_cq *cq)
{
	struct typed_request *request = new_typed(t);

	vrb_prep_await_cq(&request->await_cq, cq);
	request->await_cq.flags = IB_CQ_NEXT_COMP;
	return request;
}

static struct typed_request *new_await_event(struct test *t, u64 filter)
{
	struct typed_request *request = new_typed(t);

	vrb_prep_await_event(&request->await_event, filter);
	return request;
}

/* A new QP in RTS, whose sends complete on its CQ */
static struct ib_qp *connected_qp(struct test *t, struct ib_cq *cq)
{
	struct ib_qp *qp = created_qp(t, cq);

	run_typed(new_connect(t, qp), 0);
	return qp;
}

static void send_one(struct test *t, struct ib_qp *qp)
{
	const struct ib_send_wr send = { .wr_id = 1 }, *bad;

	EXPECT_EQ(t, ib_post_send(qp, &send, &bad), 0);
}

static bool is_armed(void *cq)
{
	return READ_ONCE(mock_cq_hw(cq)->armed);
}

/* ---- CQs ---- */

static void await_cq_completes_at_an_event(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);
	struct typed_request *await = new_await_cq(t, cq);
	struct ib_wc wc;

	submit_typed(await);
	EXPECT(t, wait_until(is_armed, cq));
	EXPECT_EQ(t, await->calls, 0);
	send_one(t, qp);
	wait_typed(await, 0);
	EXPECT_EQ(t, ib_poll_cq(cq, 1, &wc), 1);
	/* The request is submitted again unchanged. */
	submit_typed(await);
	EXPECT(t, wait_until(is_armed, cq));
	send_one(t, qp);
	wait_typed(await, 0);
	end_both(t, qp, cq);
}

static void await_cq_sees_missed_events(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);

	send_one(t, qp);
	run_typed(new_await_cq(t, cq), 0);
	end_both(t, qp, cq);
}

static void await_cq_by_several(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);
	struct typed_request *await[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(await); i++) {
		await[i] = new_await_cq(t, cq);
		submit_typed(await[i]);
	}
	EXPECT(t, wait_until(is_armed, cq));
	send_one(t, qp);
	for (i = 0; i < ARRAY_SIZE(await); i++)
		wait_typed(await[i], 0);
	end_both(t, qp, cq);
}

/* This test also fails if one hold of the lock handles too many requests. */
static void await_cq_by_many(struct test *t)
{
	struct vrb_await_cq *await = test_alloc(t, MANY * sizeof(*await));
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		vrb_prep_await_cq(&await[i], cq);
		await[i].flags = IB_CQ_NEXT_COMP;
		EXPECT_EQ(t, vrb_submit(t->client, &await[i].vrb), -EINPROGRESS);
	}
	EXPECT(t, wait_until(is_armed, cq));
	send_one(t, qp);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(t, vrb_wait(&await[i].vrb), 0);
	end_both(t, qp, cq);
}

static void await_cq_passes_its_flags(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct typed_request *await = new_await_cq(t, cq);

	await->await_cq.flags = IB_CQ_SOLICITED;
	submit_typed(await);
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, IB_CQ_SOLICITED | IB_CQ_REPORT_MISSED_EVENTS);
	EXPECT_EQ(t, vrb_cancel(&await->vrb), 0);
	wait_typed(await, -ECANCELED);
	await->await_cq.flags = IB_CQ_NEXT_COMP;
	submit_typed(await);
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS);
	EXPECT_EQ(t, vrb_cancel(&await->vrb), 0);
	wait_typed(await, -ECANCELED);
	wait_gone(end_cq(t, cq));
}

/* The hardware only keeps the last arming, so that must be the one for more events. */
static void await_cq_next_beside_solicited(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct typed_request *next = new_await_cq(t, cq), *solicited = new_await_cq(t, cq);

	solicited->await_cq.flags = IB_CQ_SOLICITED;
	submit_typed(next);
	submit_typed(solicited);
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS);
	EXPECT_EQ(t, vrb_cancel(&next->vrb), 0);
	wait_typed(next, -ECANCELED);
	EXPECT_EQ(t, vrb_cancel(&solicited->vrb), 0);
	wait_typed(solicited, -ECANCELED);
	submit_typed(solicited);
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, IB_CQ_SOLICITED | IB_CQ_REPORT_MISSED_EVENTS);
	submit_typed(next);
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS);
	EXPECT_EQ(t, vrb_cancel(&next->vrb), 0);
	wait_typed(next, -ECANCELED);
	EXPECT_EQ(t, vrb_cancel(&solicited->vrb), 0);
	wait_typed(solicited, -ECANCELED);
	wait_gone(end_cq(t, cq));
}

struct restless {
	struct vrb_await_cq await;
	struct test *t;
	unsigned int calls;
	bool *stop;
	struct completion over;
};

static void await_again(struct vrb *vrb)
{
	struct restless *restless = container_of(vrb, struct restless, await.vrb);

	if (++restless->calls == MANY)
		complete(&restless->over);
	else
		EXPECT_EQ(restless->t, vrb_submit(restless->t->client, vrb), -EINPROGRESS);
}

/* A completion is always present, so the await completes when it is submitted. */
static void await_cq_resubmit_is_for_the_next_run(struct test *t)
{
	struct restless *restless = test_alloc(t, sizeof(*restless));
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);
	u64 runs;

	send_one(t, qp);
	restless->t = t;
	init_completion(&restless->over);
	vrb_prep_await_cq(&restless->await, cq);
	restless->await.flags = IB_CQ_NEXT_COMP;
	restless->await.vrb.done = await_again;
	runs = counters(t).runs;
	EXPECT_EQ(t, vrb_submit(t->client, &restless->await.vrb), -EINPROGRESS);
	EXPECT(t, wait_for_completion_timeout(&restless->over, MOCK_PATIENCE));
	EXPECT(t, counters(t).runs - runs >= MANY - 1);
	end_both(t, qp, cq);
}

static void submit_in_hardirq(void *arg)
{
	struct restless *restless = arg;

	EXPECT_EQ(restless->t, vrb_submit(restless->t->client, &restless->await.vrb),
		  -EINPROGRESS);
}

static void await_until_told(struct vrb *vrb)
{
	struct restless *restless = container_of(vrb, struct restless, await.vrb);

	if (READ_ONCE(*restless->stop))
		complete(&restless->over);
	else
		EXPECT_EQ(restless->t, vrb_submit(restless->t->client, vrb), -EINPROGRESS);
}

/*
 * Requests that complete when they are accepted, and are submitted again at once, never leave the
 * inbox empty. All other work must get its turn nevertheless.
 */
static void await_cq_through_the_inbox_starves_nobody(struct test *t)
{
	struct restless *restless = test_alloc(t, MANY * sizeof(*restless));
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);
	struct completion released;
	struct mock_object *object;
	bool stop = false;
	unsigned int i;

	send_one(t, qp);
	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	for (i = 0; i < MANY; i++) {
		restless[i].t = t;
		restless[i].stop = &stop;
		init_completion(&restless[i].over);
		vrb_prep_await_cq(&restless[i].await, cq);
		restless[i].await.flags = IB_CQ_NEXT_COMP;
		restless[i].await.vrb.done = await_until_told;
		in_hardirq_do(submit_in_hardirq, &restless[i]);
	}
	submit(first);
	submit(second);
	wait_posted(first);
	let_go(first);
	wait_over(first, 0);
	wait_over(second, 0);
	WRITE_ONCE(stop, true);
	for (i = 0; i < MANY; i++)
		EXPECT(t, wait_for_completion_timeout(&restless[i].over, MOCK_PATIENCE));
	destroy(object);
	wait_released(t, &released);
	end_both(t, qp, cq);
}

/* A resume that has been handled must not be repeated by the object's next event. */
static void await_cq_resumes_nothing(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct mock_script *script = &mock_cq_hw(cq)->script[VRB_OP_RESIZE_CQ];
	struct typed_request *await = new_await_cq(t, cq), *resize = new_typed(t);

	script->step[0].flags = MOCK_WAIT | MOCK_WAIT_AFTER;
	vrb_prep_resize_cq(&resize->resize_cq, cq);
	resize->resize_cq.cqe = 4;
	submit_typed(resize);
	while (READ_ONCE(script->waited) < 1)
		usleep_range(100, 200);
	vrb_resume(&mock_cq_hw(cq)->base.object);
	while (READ_ONCE(script->waited) < 2)
		usleep_range(100, 200);
	submit_typed(await);
	mock_cq_event(cq);
	wait_typed(await, 0);
	run_typed(new_query_port(t), 0);
	EXPECT_EQ(t, resize->calls, 0);
	vrb_resume(&mock_cq_hw(cq)->base.object);
	wait_typed(resize, 0);
	wait_gone(end_cq(t, cq));
}

static void await_cq_that_cannot_be_armed(struct test *t)
{
	struct ib_cq *cq = created_cq(t);

	mock_cq_hw(cq)->arm_error = -ENOMEM;
	run_typed(new_await_cq(t, cq), -ENOMEM);
	mock_cq_hw(cq)->arm_error = 0;
	wait_gone(end_cq(t, cq));
}

/* A CQ that is polled by its own handler costs the engine nothing. */
static void await_cq_costs_other_cqs_nothing(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);
	struct ib_wc wc;
	unsigned int i;
	u64 runs;

	msleep(50);
	runs = counters(t).runs;
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(t, ib_req_notify_cq(cq, IB_CQ_NEXT_COMP), 0);
		send_one(t, qp);
		EXPECT_EQ(t, ib_poll_cq(cq, 1, &wc), 1);
		usleep_range(10, 20);
	}
	EXPECT(t, counters(t).runs - runs <= 3);
	end_both(t, qp, cq);
}

/* The only slot is taken: a request that waits for an event neither holds nor needs it. */
static void await_takes_no_slot(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct typed_request *await = new_await_cq(t, cq);
	struct typed_request *more = new_await_event(t, BIT_ULL(IB_EVENT_PORT_ACTIVE));

	submit_typed(await);
	submit_typed(more);
	run_typed(new_query_port(t), 0);
	EXPECT_EQ(t, await->calls + more->calls, 0);
	EXPECT_EQ(t, vrb_cancel(&await->vrb), 0);
	EXPECT_EQ(t, vrb_cancel(&more->vrb), 0);
	wait_typed(await, -ECANCELED);
	wait_typed(more, -ECANCELED);
	EXPECT_EQ(t, vrb_cancel(&more->vrb), -ENOENT);
	wait_gone(end_cq(t, cq));
}

static void await_cq_ends_with_the_cq(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct typed_request *await = new_await_cq(t, cq);
	struct typed_gone *gone;

	submit_typed(await);
	gone = end_cq(t, cq);
	wait_typed(await, -ECANCELED);
	wait_gone(gone);
}

static void await_ends_with_the_client(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct typed_request *await = new_await_cq(t, cq);
	struct typed_request *more = new_await_event(t, BIT_ULL(IB_EVENT_PORT_ACTIVE));

	submit_typed(await);
	submit_typed(more);
	vrb_client_shut(t->client);
	wait_typed(await, -ECANCELED);
	wait_typed(more, -ECANCELED);
	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -ESHUTDOWN);
	wait_gone(end_cq(t, cq));
}

static void await_ends_with_the_device(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct typed_request *await = new_await_cq(t, cq);
	struct typed_request *more = new_await_event(t, BIT_ULL(IB_EVENT_PORT_ACTIVE));

	submit_typed(await);
	submit_typed(more);
	vrb_device_fail(t->dev, "test");
	wait_typed(await, -EIO);
	wait_typed(more, -EIO);
	wait_gone(end_cq(t, cq));
}

static void await_cq_needs_a_create(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct typed_request *await = new_await_cq(t, cq);

	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EINVAL);
	wait_gone(end_cq(t, cq));
}

/* Like any request behind a create it waits for the create, and then arms the CQ. */
static void await_cq_behind_a_create(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct typed_request *create = new_create_cq(t, cq), *await = new_await_cq(t, cq);

	local_bh_disable();
	submit_typed(create);
	submit_typed(await);
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, 0);
	local_bh_enable();
	wait_typed(create, 0);
	run_typed(new_query_port(t), 0);
	EXPECT_EQ(t, await->calls, 0);
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS);
	wait_gone(end_cq(t, cq));
	wait_typed(await, -ECANCELED);
}

static void await_cq_behind_a_create_that_fails(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);
	struct typed_request *create = new_create_cq(t, cq), *await = new_await_cq(t, cq);

	mock_cq_hw(cq)->script[VRB_OP_CREATE_CQ].step[0].status = -EAGAIN;
	local_bh_disable();
	submit_typed(create);
	submit_typed(await);
	local_bh_enable();
	wait_typed(create, -EAGAIN);
	wait_typed(await, -ENOLINK);
	wait_gone(end_cq(t, cq));
}

static void await_is_checked(struct test *t)
{
	struct vrb_client *other = vrb_client_register(t->mock->ibdev, "other");
	struct typed_request *await = new_await_event(t, 0);
	struct vrb_group group;

	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EINVAL);
	await->await_event.filter = BIT_ULL(IB_EVENT_PORT_ACTIVE);
	await->vrb.class = VRB_CLASS_NORMAL;
	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EINVAL);
	await->vrb.class = VRB_CLASS_VERB;
	await->vrb.deadline = ktime_get();
	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EINVAL);
	await->vrb.deadline = 0;
	await->vrb.flags = 1;
	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EINVAL);
	await->vrb.flags = 0;
	vrb_group_init(&group, other);
	await->vrb.group = &group;
	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EINVAL);
	await->vrb.group = NULL;
	vrb_client_unregister(other);
	submit_typed(await);
	EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EBUSY);
	EXPECT_EQ(t, vrb_cancel(&await->vrb), 0);
	wait_typed(await, -ECANCELED);
}

/* A client's callback: it polls all completions, and awaits the next event. */
static void poll_and_await_again(struct typed_request *request)
{
	struct ib_wc wc;

	while (ib_poll_cq(request->await_cq.cq, 1, &wc) > 0)
		;
	complete(&request->over);
	submit_typed(request);
}

/* There are more requests than a run handles. One event completes each once, and others go on. */
static void await_cq_by_many_again(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = connected_qp(t, cq);
	struct typed_request *await[40];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(await); i++) {
		await[i] = new_await_cq(t, cq);
		await[i]->then = poll_and_await_again;
		submit_typed(await[i]);
	}
	EXPECT(t, wait_until(is_armed, cq));
	send_one(t, qp);
	for (i = 0; i < ARRAY_SIZE(await); i++)
		EXPECT_EQ(t, wait_for_completion_timeout(&await[i]->over, 5 * HZ) > 0, true);
	run_typed(new_query_port(t), 0);
	msleep(50);
	for (i = 0; i < ARRAY_SIZE(await); i++) {
		EXPECT_EQ(t, READ_ONCE(await[i]->calls), 1);
		await[i]->then = NULL;
		vrb_kill(&await[i]->vrb);
	}
	end_both(t, qp, cq);
}

/* Flags other than "next" and "next solicited" are refused. */
static void await_cq_checks_its_flags(struct test *t)
{
	static const int wrong[] = {
		0, IB_CQ_SOLICITED_MASK, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS, 8,
	};
	struct ib_cq *cq = created_cq(t);
	struct typed_request *await = new_await_cq(t, cq);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		await->await_cq.flags = wrong[i];
		EXPECT_EQ(t, vrb_submit(t->client, &await->vrb), -EINVAL);
	}
	EXPECT_EQ(t, mock_cq_hw(cq)->arm_flags, 0);
	wait_gone(end_cq(t, cq));
}

/* ---- Events of the device ---- */

static void await_event_passes_its_filter(struct test *t)
{
	struct typed_request *await = new_await_event(t, BIT_ULL(IB_EVENT_PORT_ACTIVE));

	submit_typed(await);
	vrb_device_event(t->dev, IB_EVENT_PORT_ERR, NULL);
	run_typed(new_query_port(t), 0);
	EXPECT_EQ(t, await->calls, 0);
	/* Long after the pump's last run and before its timer: the event must start a run. */
	msleep(100);
	vrb_device_event(t->dev, IB_EVENT_PORT_ACTIVE, NULL);
	wait_typed(await, 0);
	EXPECT(t, await->await_event.came == BIT_ULL(IB_EVENT_PORT_ACTIVE));
	EXPECT_EQ(t, await->await_event.seq, 2);
}

static void await_event_is_kept(struct test *t)
{
	const u64 active = BIT_ULL(IB_EVENT_PORT_ACTIVE), error = BIT_ULL(IB_EVENT_PORT_ERR);
	struct typed_request *await = new_await_event(t, active);

	vrb_device_event(t->dev, IB_EVENT_PORT_ACTIVE, NULL);
	vrb_device_event(t->dev, IB_EVENT_PORT_ERR, NULL);
	vrb_device_event(t->dev, IB_EVENT_PORT_ACTIVE, NULL);
	run_typed(await, 0);
	EXPECT(t, await->await_event.came == active);
	EXPECT_EQ(t, await->await_event.seq, 3);
	/* This event is reported, the other one is not. */
	await->await_event.filter = active | error;
	run_typed(await, 0);
	EXPECT(t, await->await_event.came == error);
	submit_typed(await);
	run_typed(new_query_port(t), 0);
	EXPECT_EQ(t, await->calls, 0);
	EXPECT_EQ(t, vrb_cancel(&await->vrb), 0);
	wait_typed(await, -ECANCELED);
}

static void event_of_the_port(void *arg)
{
	vrb_device_event(arg, IB_EVENT_PORT_ACTIVE, NULL);
}

static void await_event_from_any_context(struct test *t)
{
	struct typed_request *await = new_await_event(t, BIT_ULL(IB_EVENT_PORT_ACTIVE));

	submit_typed(await);
	in_hardirq_do(event_of_the_port, t->dev);
	wait_typed(await, 0);
	submit_typed(await);
	in_softirq_do(event_of_the_port, t->dev);
	wait_typed(await, 0);
}

static void await_event_of_own_shells(struct test *t)
{
	struct vrb_client *other = vrb_client_register(t->mock->ibdev, "other");
	const struct ib_cq_init_attr attr = { .cqe = 8 };
	struct ib_cq *core = ib_create_cq(t->mock->ibdev, NULL, NULL, NULL, &attr);
	struct ib_cq *cq = created_cq(t);
	struct typed_request *mine = new_await_event(t, BIT_ULL(IB_EVENT_CQ_ERR));
	struct vrb_await_event theirs;

	vrb_prep_await_event(&theirs, BIT_ULL(IB_EVENT_CQ_ERR));
	submit_typed(mine);
	EXPECT_EQ(t, vrb_submit(other, &theirs.vrb), -EINPROGRESS);
	/* An event of ib_core's CQ completes nothing. */
	vrb_device_event(t->dev, IB_EVENT_CQ_ERR, &mock_cq_hw(core)->base.object);
	run_typed(new_query_port(t), 0);
	EXPECT_EQ(t, mine->calls, 0);
	ib_destroy_cq(core);
	vrb_device_event(t->dev, IB_EVENT_CQ_ERR, &mock_cq_hw(cq)->base.object);
	wait_typed(mine, 0);
	EXPECT_EQ(t, vrb_cancel(&theirs.vrb), 0);
	EXPECT_EQ(t, vrb_wait(&theirs.vrb), -ECANCELED);
	wait_gone(end_cq(t, cq));
	vrb_client_unregister(other);
}

static void await_events_at_most_eight(struct test *t)
{
	struct typed_request *await[9];
	unsigned int i;

	for (i = 0; i < 9; i++)
		await[i] = new_await_event(t, BIT_ULL(IB_EVENT_PORT_ACTIVE));
	for (i = 0; i < 8; i++)
		submit_typed(await[i]);
	EXPECT_EQ(t, vrb_submit(t->client, &await[8]->vrb), -EBUSY);
	vrb_device_event(t->dev, IB_EVENT_PORT_ACTIVE, NULL);
	for (i = 0; i < 8; i++)
		wait_typed(await[i], 0);
}

/* This test also fails if one hold of the lock handles too many requests. */
static void await_events_of_many_clients(struct test *t)
{
	struct vrb_await_event *await = test_alloc(t, MANY_CLIENTS * 8 * sizeof(*await));
	struct vrb_client *client[MANY_CLIENTS];
	unsigned int i;

	for (i = 0; i < MANY_CLIENTS; i++)
		client[i] = vrb_client_register(t->mock->ibdev, "one of many");
	for (i = 0; i < MANY_CLIENTS * 8; i++) {
		vrb_prep_await_event(&await[i], BIT_ULL(IB_EVENT_PORT_ACTIVE));
		EXPECT_EQ(t, vrb_submit(client[i / 8], &await[i].vrb), -EINPROGRESS);
	}
	vrb_device_event(t->dev, IB_EVENT_PORT_ACTIVE, NULL);
	for (i = 0; i < MANY_CLIENTS * 8; i++)
		EXPECT_EQ(t, vrb_wait(&await[i].vrb), 0);
	for (i = 0; i < MANY_CLIENTS; i++)
		vrb_client_unregister(client[i]);
}

const struct test_case await_tests[] = {
	{ "await_cq_completes_at_an_event", await_cq_completes_at_an_event, .verbs = true },
	{ "await_cq_sees_missed_events", await_cq_sees_missed_events, .verbs = true },
	{ "await_cq_by_several", await_cq_by_several, .verbs = true },
	{ "await_cq_by_many", await_cq_by_many, .verbs = true },
	{ "await_cq_by_many_again", await_cq_by_many_again, .verbs = true },
	{ "await_cq_checks_its_flags", await_cq_checks_its_flags, .verbs = true },
	{ "await_cq_passes_its_flags", await_cq_passes_its_flags, .verbs = true },
	{ "await_cq_next_beside_solicited", await_cq_next_beside_solicited, .verbs = true },
	{ "await_cq_through_the_inbox_starves_nobody", await_cq_through_the_inbox_starves_nobody,
	  .verbs = true },
	{ "await_cq_resubmit_is_for_the_next_run", await_cq_resubmit_is_for_the_next_run,
	  .verbs = true },
	{ "await_cq_resumes_nothing", await_cq_resumes_nothing, .verbs = true },
	{ "await_cq_that_cannot_be_armed", await_cq_that_cannot_be_armed, .verbs = true },
	{ "await_cq_costs_other_cqs_nothing", await_cq_costs_other_cqs_nothing, .verbs = true },
	{ "await_takes_no_slot", await_takes_no_slot, .verbs = true, .one_slot = true },
	{ "await_cq_ends_with_the_cq", await_cq_ends_with_the_cq, .verbs = true },
	{ "await_ends_with_the_client", await_ends_with_the_client, .verbs = true },
	{ "await_ends_with_the_device", await_ends_with_the_device, .verbs = true },
	{ "await_cq_needs_a_create", await_cq_needs_a_create, .verbs = true },
	{ "await_cq_behind_a_create", await_cq_behind_a_create, .verbs = true },
	{ "await_cq_behind_a_create_that_fails", await_cq_behind_a_create_that_fails,
	  .verbs = true },
	{ "await_is_checked", await_is_checked, .verbs = true },
	{ "await_event_passes_its_filter", await_event_passes_its_filter, .verbs = true,
	  .config = { .issue_timeout_ms = 600000 } },
	{ "await_event_is_kept", await_event_is_kept, .verbs = true },
	{ "await_event_from_any_context", await_event_from_any_context, .verbs = true },
	{ "await_event_of_own_shells", await_event_of_own_shells, .verbs = true },
	{ "await_events_at_most_eight", await_events_at_most_eight, .verbs = true },
	{ "await_events_of_many_clients", await_events_of_many_clients, .verbs = true },
	{}
};
