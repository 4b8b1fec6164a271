// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 12 and 15: groups, clients, the unload fence, and the end of the provider.
 */
#include <linux/workqueue.h>

#include "mock.h"

static void group_poison_refuses(struct test *t)
{
	struct mock_request *before = held_request(t, 1), *after = new_request(t, 2);
	struct mock_request *outside = new_request(t, 3);
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	EXPECT(t, vrb_group_idle(&group));
	before->vrb.group = &group;
	after->vrb.group = &group;
	submit(before);
	EXPECT(t, !vrb_group_idle(&group));
	vrb_group_poison(&group);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -EPERM);
	run_to_end(outside, 0);
	let_go(before);
	wait_over(before, 0);
	vrb_group_drain(&group);
	EXPECT(t, vrb_group_idle(&group));
	EXPECT_EQ(t, after->calls, 0);
}

static void cancel_the_group(void *arg)
{
	vrb_group_cancel(arg);
}

static void group_cancel_cancels_queued(struct test *t)
{
	struct mock_request *request[4], *outside = new_request(t, 9);
	struct vrb_group group;
	int i;

	vrb_group_init(&group, t->client);
	for (i = 0; i < 4; i++) {
		request[i] = held_request(t, i);
		request[i]->vrb.group = &group;
		submit(request[i]);
	}
	submit(outside);
	wait_posted(request[0]);
	in_softirq_do(cancel_the_group, &group);
	for (i = 1; i < 4; i++)
		wait_over(request[i], -ECANCELED);
	EXPECT_EQ(t, request[0]->calls, 0);
	let_go(request[0]);
	wait_over(request[0], 0);
	wait_over(outside, 0);
	vrb_group_drain(&group);
}

#define SWEPT 200	/* more than a run of the pump accepts or sweeps */

/* The only slot is taken, and several runs accept them. */
static void group_cancel_cancels_requests_in_the_inbox(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *request[SWEPT];
	struct vrb_group group;
	int i;

	vrb_group_init(&group, t->client);
	submit(blocker);
	wait_posted(blocker);
	for (i = 0; i < SWEPT; i++) {
		request[i] = new_request(t, 10 + i);
		request[i]->vrb.group = &group;
	}
	local_bh_disable();
	local_irq_disable();
	for (i = 0; i < SWEPT; i++)
		submit(request[i]);
	local_irq_enable();
	vrb_group_cancel(&group);
	local_bh_enable();
	for (i = 0; i < SWEPT; i++)
		wait_over(request[i], -ECANCELED);
	let_go(blocker);
	wait_over(blocker, 0);
	vrb_group_drain(&group);
}

/* The pump accepts it only after its deadline has passed too: what came first counts. */
static void group_cancel_in_the_inbox_before_a_deadline(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *request = new_request(t, 2);
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	submit(blocker);
	wait_posted(blocker);
	request->vrb.group = &group;
	request->vrb.deadline = ktime_add_ms(ktime_get(), 20);
	local_bh_disable();
	local_irq_disable();
	submit(request);
	local_irq_enable();
	vrb_group_cancel(&group);
	while (!ktime_after(ktime_get(), request->vrb.deadline))
		cpu_relax();
	local_bh_enable();
	wait_over(request, -ECANCELED);
	EXPECT_EQ(t, counters(t).deadline, 0);
	let_go(blocker);
	wait_over(blocker, 0);
	vrb_group_drain(&group);
}

static void group_cancel_spares_later_requests(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	vrb_group_cancel(&group);
	request->vrb.group = &group;
	run_to_end(request, 0);
	vrb_group_drain(&group);
}

#define OLDER 3

struct two_groups {
	struct vrb_group first, second;
};

static void cancel_first(struct mock_request *request)
{
	struct two_groups *groups = request->data;

	vrb_group_cancel(&groups->first);
	complete(&request->over);
}

/* The sweep for the second group has passed the requests of the first one by then. */
static void group_cancel_during_another(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *older[OLDER], *younger[SWEPT];
	struct two_groups groups;
	int i;

	vrb_group_init(&groups.first, t->client);
	vrb_group_init(&groups.second, t->client);
	submit(blocker);
	wait_posted(blocker);
	for (i = 0; i < OLDER; i++) {
		older[i] = new_request(t, 10 + i);
		older[i]->vrb.group = &groups.first;
		submit(older[i]);
	}
	for (i = 0; i < SWEPT; i++) {
		younger[i] = new_request(t, 100 + i);
		younger[i]->vrb.group = &groups.second;
		submit(younger[i]);
	}
	younger[0]->then = cancel_first;
	younger[0]->data = &groups;
	vrb_group_cancel(&groups.second);
	for (i = 0; i < SWEPT; i++)
		wait_over(younger[i], -ECANCELED);
	for (i = 0; i < OLDER; i++)
		wait_over(older[i], -ECANCELED);
	let_go(blocker);
	wait_over(blocker, 0);
	vrb_group_drain(&groups.first);
	vrb_group_drain(&groups.second);
}

static void slow_callback(struct mock_request *request)
{
	ktime_t end = ktime_add_ms(ktime_get(), 100);
	int *finished = request->data;

	complete(&request->over);
	while (ktime_before(ktime_get(), end))
		cpu_relax();
	WRITE_ONCE(*finished, 1);
}

static long submit_there(void *arg)
{
	submit(arg);
	return 0;
}

#define LOOPING 128	/* more than a run of the pump delivers */

static void loop_until_told(struct mock_request *request)
{
	const bool *told = request->data;

	if (!READ_ONCE(*told) && vrb_submit(request->test->client, &request->vrb) == -EINPROGRESS)
		return;
	request->calls = 1;		/* of the last submit */
	complete(&request->over);
}

static bool request_is_over(void *request)
{
	return completion_done(&((struct mock_request *)request)->over);
}

/* Requests that are submitted again and again must not keep a sweep from its end. */
static void sweep_ends_under_load(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *behind = new_request(t, 2);
	struct mock_request *loop[LOOPING];
	struct two_groups groups;
	struct mock_object *object;
	struct completion released;
	bool told = false;
	int i;

	vrb_group_init(&groups.first, t->client);
	vrb_group_init(&groups.second, t->client);
	object = new_object(t, 9, &released);
	blocker->vrb.object = &object->object;
	blocker->vrb.group = &groups.first;
	behind->vrb.object = &object->object;
	behind->vrb.group = &groups.second;
	submit(blocker);
	wait_posted(blocker);
	submit(behind);
	local_bh_disable();
	for (i = 0; i < LOOPING; i++) {
		loop[i] = new_request(t, 10 + i);
		loop[i]->script.step[0].flags = MOCK_LAST;	/* completes without a command */
		loop[i]->then = loop_until_told;
		loop[i]->data = &told;
		submit(loop[i]);
	}
	local_bh_enable();
	vrb_group_cancel(&groups.first);
	msleep(50);			/* the sweep has passed the one behind */
	vrb_group_cancel(&groups.second);
	EXPECT(t, wait_until(request_is_over, behind));
	WRITE_ONCE(told, true);
	for (i = 0; i < LOOPING; i++)
		wait_over(loop[i], 0);
	wait_over(behind, -ECANCELED);
	let_go(blocker);
	wait_over(blocker, 0);
	vrb_group_drain(&groups.first);
	vrb_group_drain(&groups.second);
	destroy(object);
	wait_released(t, &released);
}

/* "cancelled" counts what submitters cancel, "flushed" what ends with an object or the device. */
static void ended_requests_are_counted(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *request[3];
	struct completion released;
	struct mock_object *object;
	struct vrb_group group;
	int i;

	vrb_group_init(&group, t->client);
	object = new_object(t, 8, &released);
	blocker->vrb.object = &object->object;
	submit(blocker);
	wait_posted(blocker);
	for (i = 0; i < 3; i++) {
		request[i] = new_request(t, 10 + i);
		request[i]->vrb.object = &object->object;
	}
	request[0]->vrb.group = &group;
	submit(request[0]);
	vrb_group_cancel(&group);
	wait_over(request[0], -ECANCELED);
	submit(request[1]);
	vrb_kill(&request[1]->vrb);
	wait_over(request[1], -ECANCELED);
	EXPECT_EQ(t, counters(t).cancelled, 2);
	EXPECT_EQ(t, counters(t).flushed, 0);
	submit(request[2]);
	vrb_device_fail(t->dev, "test");
	wait_over(request[2], -EIO);
	wait_over(blocker, -EIO);
	EXPECT_EQ(t, counters(t).cancelled, 2);
	EXPECT_EQ(t, counters(t).flushed, 2);
	destroy(object);
	wait_released(t, &released);
	EXPECT_EQ(t, counters(t).flushed, 2);
}

static void group_drain_waits_for_callback(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	struct vrb_group group;
	int finished = 0;

	if (!stay_on_cpu0(t))
		return;
	vrb_group_init(&group, t->client);
	request->vrb.group = &group;
	/* The submit returns before the command completes. */
	request->script.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	request->then = slow_callback;
	request->data = &finished;
	on_other_cpu(t, submit_there, request);
	EXPECT(t, wait_for_completion_timeout(&request->over, MOCK_PATIENCE));
	vrb_group_drain(&group);
	EXPECT(t, READ_ONCE(finished));
	leave_cpu0();
}

static void client_fence_waits_for_callback(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	int finished = 0;

	if (!stay_on_cpu0(t))
		return;
	/* The submit returns before the command completes. */
	request->script.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	request->then = slow_callback;
	request->data = &finished;
	on_other_cpu(t, submit_there, request);
	EXPECT(t, wait_for_completion_timeout(&request->over, MOCK_PATIENCE));
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT(t, READ_ONCE(finished));
	leave_cpu0();
}

/* Another client's callback, which keeps the pump busy on CPU 1 */
struct busy {
	struct vrb_client *client;
	struct mock_request *request;
	int finished;
};

static long submit_for_other(void *arg)
{
	struct busy *busy = arg;

	return vrb_submit(busy->client, &busy->request->vrb) != -EINPROGRESS;
}

/* Returns when the callback runs; what is swept meanwhile completes after it. */
static bool busy_begin(struct test *t, struct busy *busy)
{
	busy->client = vrb_client_register(mock_ibdev(t->mock), "busy");
	if (!EXPECT(t, !IS_ERR(busy->client)))
		return false;
	busy->request = new_request(t, 1);
	busy->request->script.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	busy->request->then = slow_callback;
	busy->request->data = &busy->finished;
	on_other_cpu(t, submit_for_other, busy);
	return EXPECT(t, wait_for_completion_timeout(&busy->request->over, MOCK_PATIENCE));
}

struct ending {
	struct ib_cq *cq;
	struct typed_gone *gone;
	int ret;
};

static void end_in_callback(struct typed_request *await)
{
	struct ending *ending = await->data;

	ending->ret = vrb_destroy_cq(await->test->client, ending->cq, typed_gone, ending->gone);
	complete(&await->over);
}

/* The engine destroys only what the client's own callbacks have not destroyed. */
static void client_fence_comes_before_its_shells(struct test *t)
{
	struct ending ending = { .cq = created_cq(t), .gone = new_gone(t) };
	struct typed_request *await = new_typed(t);
	struct busy busy = {};

	if (!stay_on_cpu0(t))
		return;
	vrb_prep_await_cq(&await->await_cq, ending.cq);
	await->await_cq.flags = IB_CQ_NEXT_COMP;
	await->then = end_in_callback;
	await->data = &ending;
	submit_typed(await);
	if (busy_begin(t, &busy)) {
		vrb_client_unregister(t->client);
		wait_typed(await, -ECANCELED);
		EXPECT_EQ(t, ending.ret, -EINPROGRESS);
		EXPECT_EQ(t, ending.gone->calls, 1);
		t->client = NULL;
		vrb_client_unregister(busy.client);
	}
	leave_cpu0();
}

static struct completion in_alloc;

static void slow_alloc(struct mock *mock)
{
	const ktime_t end = ktime_add_ms(ktime_get(), 100);

	complete(&in_alloc);
	while (ktime_before(ktime_get(), end))
		cpu_relax();
}

static void alloc_late(struct mock_request *request)
{
	struct ib_cq_init_attr attr = { .cqe = 1 };
	struct ib_cq *cq = vrb_alloc_cq(request->test->client, &attr, NULL, NULL, NULL, GFP_ATOMIC);

	EXPECT(request->test, !IS_ERR(cq));
	complete(&request->over);
}

/* tear_down() checks that no hardware half is left. */
static void client_fence_destroys_a_late_shell(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	if (!stay_on_cpu0(t))
		return;
	init_completion(&in_alloc);
	t->mock->in_new = slow_alloc;
	request->script.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	request->then = alloc_late;
	on_other_cpu(t, submit_there, request);
	EXPECT(t, wait_for_completion_timeout(&in_alloc, MOCK_PATIENCE));
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
	leave_cpu0();
}

/* The pump accepts it from the inbox only after that. */
static void group_poison_spares_what_is_in_the_inbox(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	request->vrb.group = &group;
	local_bh_disable();
	local_irq_disable();
	submit(request);
	local_irq_enable();
	vrb_group_poison(&group);
	local_bh_enable();
	wait_over(request, 0);
	vrb_group_drain(&group);
}

static void submit_once_more(struct mock_request *request)
{
	request->status = vrb_submit(request->test->client, &request->vrb);
}

struct held {
	struct work_struct work;
	struct mock_request *first, *second;
};

/* Completes the command only after the request behind it has been cancelled. */
static void finish_after_the_second(struct work_struct *work)
{
	struct held *held = container_of(work, struct held, work);

	wait_for_completion(&held->second->over);
	let_go(held->first);
}

static void client_fence_cancels_queued(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct held held = { .first = first, .second = second };
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	first->then = submit_once_more;		/* this submit is too late */
	submit(first);
	submit(second);
	INIT_WORK_ONSTACK(&held.work, finish_after_the_second);
	schedule_work(&held.work);
	vrb_client_unregister(t->client);
	t->client = NULL;
	flush_work(&held.work);
	destroy_work_on_stack(&held.work);
	EXPECT_EQ(t, first->calls, 1);
	EXPECT_EQ(t, first->status, -ESHUTDOWN);
	EXPECT_EQ(t, second->calls, 1);
	EXPECT_EQ(t, second->status, -ECANCELED);
	vrb_object_put(&object->object);
	wait_released(t, &released);
}

static void clients_at_most_64(struct test *t)
{
	struct vrb_client *client[64];
	unsigned int i;

	for (i = 0; i < 63; i++) {
		client[i] = vrb_client_register(mock_ibdev(t->mock), "one of many");
		EXPECT(t, !IS_ERR(client[i]));
	}
	client[i] = vrb_client_register(mock_ibdev(t->mock), "one too many");
	if (!EXPECT_EQ(t, PTR_ERR(client[i]), -ENOSPC))
		vrb_client_unregister(client[i]);
	while (i--)
		vrb_client_unregister(client[i]);
}

static void client_fence_waits_for_destroys(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	destroy_with(object, gone);
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, gone->calls, 1);
	wait_released(t, &released);
}

struct born {
	struct mock_object *object;
	int ret;
};

static void destroy_born(struct mock_request *request)
{
	struct born *born = request->data;

	born->ret = vrb_destroy(request->test->client, &born->object->object, NULL, NULL);
}

/* The callback of a create that was under way destroys the new object. */
static void client_fence_accepts_destroys(struct test *t)
{
	struct mock_request *create = new_request(t, 1);
	struct completion released;
	struct born born;

	born.object = new_object(t, 9, &released);
	create->vrb.object = &born.object->object;
	create->script.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	create->then = destroy_born;
	create->data = &born;
	submit(create);
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, create->calls, 1);
	EXPECT_EQ(t, born.ret, -EINPROGRESS);
	EXPECT(t, completion_done(&released));
}

static void count_gone(void *context)
{
	unsigned int *gone = context;

	/* Must be in softirq, because the callback may destroy the next object. */
	*gone += in_serving_softirq() && !in_hardirq() && !in_nmi();
}

/* The parent's child belongs to another client, which may never destroy it. */
static void client_fence_ignores_other_clients(struct test *t)
{
	struct vrb_client *second = vrb_client_register(mock_ibdev(t->mock), "second");
	struct completion *released = test_alloc(t, 40 * sizeof(*released));
	struct completion parent_released, child_released;
	struct mock_object *parent[40], *child;
	unsigned int i, gone = 0;

	child = new_object(t, 9, &child_released);
	parent[0] = new_object(t, 8, &parent_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent[0]->object), 0);
	EXPECT_EQ(t, vrb_destroy(second, &parent[0]->object, count_gone, &gone), -EINPROGRESS);
	/* The fence waits for these. */
	for (i = 1; i < 40; i++) {
		parent[i] = new_object(t, 100 + i, &released[i]);
		EXPECT_EQ(t, vrb_destroy(second, &parent[i]->object, count_gone, &gone),
			  -EINPROGRESS);
	}
	vrb_client_unregister(second);
	EXPECT_EQ(t, gone, 40);
	for (i = 1; i < 40; i++)
		EXPECT(t, completion_done(&released[i]));
	EXPECT(t, !completion_done(&parent_released));
	destroy(child);
	wait_released(t, &child_released);
	wait_released(t, &parent_released);
	EXPECT_EQ(t, gone, 40);
}

/* This test also fails if one hold of the lock handles too many. */
static void client_fence_leaves_among_many(struct test *t)
{
	struct vrb_client *second = vrb_client_register(mock_ibdev(t->mock), "second");
	struct completion *released = test_alloc(t, 100 * sizeof(*released));
	struct mock_object *object[100];
	unsigned int i, gone = 0;

	for (i = 0; i < 100; i++)
		object[i] = new_object(t, i, &released[i]);
	vrb_object_hold(&object[99]->object);
	EXPECT_EQ(t, vrb_destroy(second, &object[99]->object, count_gone, &gone), -EINPROGRESS);
	vrb_client_unregister(second);
	EXPECT_EQ(t, gone, 1);
	vrb_object_unhold(&object[99]->object);
	for (i = 0; i < 99; i++)
		destroy(object[i]);
	for (i = 0; i < 100; i++)
		wait_released(t, &released[i]);
}

static void client_shut_cancels_and_refuses(struct test *t)
{
	struct mock_request *issued = held_request(t, 1), *queued[100], *after = new_request(t, 2);
	struct mock_object *object;
	struct completion released;
	int i;

	object = new_object(t, 9, &released);
	issued->vrb.object = &object->object;
	submit(issued);
	for (i = 0; i < 100; i++) {
		queued[i] = new_request(t, 10 + i);
		queued[i]->vrb.object = &object->object;
		submit(queued[i]);
	}
	vrb_client_shut(t->client);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -ESHUTDOWN);
	local_irq_disable();
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -ESHUTDOWN);
	local_irq_enable();
	for (i = 0; i < 100; i++)
		wait_over(queued[i], -ECANCELED);
	EXPECT_EQ(t, counters(t).flushed, 100);
	let_go(issued);
	wait_over(issued, 0);
	destroy(object);
	wait_released(t, &released);
}

static void client_of_another_device(struct test *t)
{
	EXPECT_EQ(t, PTR_ERR(vrb_client_register((struct ib_device *)t, "test")), -EOPNOTSUPP);
	EXPECT_EQ(t, vrb_device_attach(t->dev, mock_ibdev(t->mock), NULL), -EBUSY);
}

static bool client_gone(void *arg)
{
	struct vrb_client *client = vrb_client_register(arg, "late");

	if (!IS_ERR(client))
		vrb_client_unregister(client);
	return IS_ERR(client);
}

struct detaching {
	struct work_struct work;
	struct test *test;
};

static void detach(struct work_struct *work)
{
	vrb_device_detach(container_of(work, struct detaching, work)->test->dev);
}

/* The detaching thread waits for the client, which this thread unregisters. */
static void detach_refuses_and_waits(struct test *t)
{
	struct mock_request *issued = held_request(t, 1), *queued = new_request(t, 2);
	struct mock_request *after = new_request(t, 3), *own = new_request(t, 4);
	struct detaching detaching = { .test = t };
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	issued->vrb.object = &object->object;
	queued->vrb.object = &object->object;
	submit(issued);
	submit(queued);
	INIT_WORK_ONSTACK(&detaching.work, detach);
	schedule_work(&detaching.work);
	EXPECT(t, wait_until(client_gone, mock_ibdev(t->mock)));
	wait_over(queued, -ENODEV);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -ENODEV);
	EXPECT_EQ(t, vrb_submit(vrb_device_client(t->dev), &own->vrb), -EINPROGRESS);
	wait_over(own, 0);
	let_go(issued);
	wait_over(issued, 0);
	destroy(object);
	wait_released(t, &released);
	EXPECT(t, work_busy(&detaching.work));
	vrb_client_unregister(t->client);
	t->client = NULL;
	flush_work(&detaching.work);
	destroy_work_on_stack(&detaching.work);
}

const struct test_case client_tests[] = {
	{ "group_poison_refuses", group_poison_refuses },
	{ "group_cancel_cancels_queued", group_cancel_cancels_queued, { .slots = 2 } },
	{ "group_cancel_cancels_requests_in_the_inbox",
	  group_cancel_cancels_requests_in_the_inbox, { .slots = 2 } },
	{ "group_cancel_in_the_inbox_before_a_deadline",
	  group_cancel_in_the_inbox_before_a_deadline, { .slots = 2 } },
	{ "group_cancel_spares_later_requests", group_cancel_spares_later_requests },
	{ "group_cancel_during_another", group_cancel_during_another, { .slots = 2 } },
	{ "sweep_ends_under_load", sweep_ends_under_load, { .slots = 8 } },
	{ "ended_requests_are_counted", ended_requests_are_counted },
	{ "group_drain_waits_for_callback", group_drain_waits_for_callback },
	{ "client_fence_waits_for_callback", client_fence_waits_for_callback },
	{ "client_fence_comes_before_its_shells", client_fence_comes_before_its_shells,
	  .verbs = true },
	{ "client_fence_destroys_a_late_shell", client_fence_destroys_a_late_shell, .verbs = true },
	{ "group_poison_spares_what_is_in_the_inbox", group_poison_spares_what_is_in_the_inbox },
	{ "client_fence_cancels_queued", client_fence_cancels_queued },
	{ "clients_at_most_64", clients_at_most_64 },
	{ "client_fence_waits_for_destroys", client_fence_waits_for_destroys },
	{ "client_fence_accepts_destroys", client_fence_accepts_destroys },
	{ "client_fence_ignores_other_clients", client_fence_ignores_other_clients },
	{ "client_fence_leaves_among_many", client_fence_leaves_among_many },
	{ "client_shut_cancels_and_refuses", client_shut_cancels_and_refuses },
	{ "client_of_another_device", client_of_another_device },
	{ "detach_refuses_and_waits", detach_refuses_and_waits },
	{}
};
