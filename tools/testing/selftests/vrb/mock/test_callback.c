// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 1, 3 and 7: the state of a request while its callback runs, for the callback and for
 * others.
 */
#include "mock.h"

/* A callback on CPU 1 that lasts until the test ends it. */
struct lasting {
	struct mock_request *request;
	struct completion runs;
	bool end;
};

static void last(struct mock_request *request)
{
	struct lasting *lasting = request->data;
	ktime_t end = ktime_add_ms(ktime_get(), 8000);

	complete(&lasting->runs);
	while (!READ_ONCE(lasting->end) && ktime_before(ktime_get(), end))
		cpu_relax();
}

static long submit_there(void *arg)
{
	submit(arg);
	return 0;
}

static bool lasting_begin(struct test *t, struct lasting *lasting)
{
	struct mock_request *request = new_request(t, 1);

	*lasting = (struct lasting){ .request = request };
	init_completion(&lasting->runs);
	request->then = last;
	request->data = lasting;
	request->script.step[0].latency_ns = 10 * NSEC_PER_MSEC;
	on_other_cpu(t, submit_there, request);
	return EXPECT(t, wait_for_completion_timeout(&lasting->runs, MOCK_PATIENCE));
}

static bool is_idle(void *arg)
{
	struct mock_request *request = arg;

	return vrb_cancel(&request->vrb) == -ENOENT;
}

static void lasting_end(struct test *t, struct lasting *lasting)
{
	WRITE_ONCE(lasting->end, true);
	EXPECT(t, wait_until(is_idle, lasting->request));
	EXPECT_EQ(t, lasting->request->calls, 1);
	lasting->request->then = NULL;
	lasting->request->calls = 0;
	run_to_end(lasting->request, 0);
}

static void submit_refused(void *arg)
{
	struct mock_request *request = arg;

	EXPECT_EQ(request->test, vrb_submit(request->test->client, &request->vrb), -EBUSY);
}

/* An owner may free a request that a cancel reports as idle, so that must be true. */
static void not_idle_while_its_callback_runs(struct test *t)
{
	struct lasting lasting;

	if (!stay_on_cpu0(t))
		return;
	if (lasting_begin(t, &lasting)) {
		EXPECT_EQ(t, vrb_cancel(&lasting.request->vrb), -EALREADY);
		submit_refused(lasting.request);
		in_softirq_do(submit_refused, lasting.request);
		in_hardirq_do(submit_refused, lasting.request);
		EXPECT_EQ(t, vrb_cancel(&lasting.request->vrb), -EALREADY);
		EXPECT_EQ(t, counters(t).refused, 3);
	}
	lasting_end(t, &lasting);
	leave_cpu0();
}

/* Requests with earlier callbacks are idle, whatever callback runs now. */
static void idle_while_the_callback_of_another_runs(struct test *t)
{
	struct mock_request *innocent = new_request(t, 2);
	struct lasting lasting;

	if (!stay_on_cpu0(t))
		return;
	run_to_end(innocent, 0);
	innocent->calls = 0;
	if (lasting_begin(t, &lasting)) {
		EXPECT_EQ(t, vrb_cancel(&innocent->vrb), -ENOENT);
		submit(innocent);
	}
	lasting_end(t, &lasting);
	wait_over(innocent, 0);
	leave_cpu0();
}

struct ending {
	struct hrtimer timer;
	struct lasting *lasting;
};

static enum hrtimer_restart end_it(struct hrtimer *timer)
{
	WRITE_ONCE(container_of(timer, struct ending, timer)->lasting->end, true);
	return HRTIMER_NORESTART;
}

/* vrb_kill() returns when the callback has returned. */
static void kill_waits_for_the_callback(struct test *t)
{
	struct ending *ending = test_alloc(t, sizeof(*ending));
	struct lasting lasting;

	if (!stay_on_cpu0(t))
		return;
	ending->lasting = &lasting;
	hrtimer_setup(&ending->timer, end_it, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	if (lasting_begin(t, &lasting)) {
		hrtimer_start(&ending->timer, 20 * NSEC_PER_MSEC, HRTIMER_MODE_REL_PINNED_HARD);
		vrb_kill(&lasting.request->vrb);
		EXPECT(t, READ_ONCE(lasting.end));
		EXPECT_EQ(t, vrb_cancel(&lasting.request->vrb), -ENOENT);
	}
	lasting_end(t, &lasting);
	hrtimer_cancel(&ending->timer);
	leave_cpu0();
}

struct inner {
	struct hrtimer timer;
	struct mock_request *request;
	int ret;
	bool fired;
};

static enum hrtimer_restart submit_inside(struct hrtimer *timer)
{
	struct inner *inner = container_of(timer, struct inner, timer);

	inner->ret = vrb_submit(inner->request->test->client, &inner->request->vrb);
	WRITE_ONCE(inner->fired, true);
	return HRTIMER_NORESTART;
}

static void wait_for_the_interrupt(struct mock_request *request)
{
	struct inner *inner = request->data;
	ktime_t end = ktime_add_ms(ktime_get(), 8000);

	hrtimer_start(&inner->timer, NSEC_PER_USEC, HRTIMER_MODE_REL_PINNED_HARD);
	while (!READ_ONCE(inner->fired) && ktime_before(ktime_get(), end))
		cpu_relax();
	complete(&request->over);
}

/* An interrupt during the callback is not the callback. */
static void not_idle_in_an_interrupt_of_its_callback(struct test *t)
{
	struct inner *inner = test_alloc(t, sizeof(*inner));
	struct mock_request *request = new_request(t, 1);

	inner->request = request;
	hrtimer_setup(&inner->timer, submit_inside, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	request->then = wait_for_the_interrupt;
	request->data = inner;
	run_to_end(request, 0);
	EXPECT(t, inner->fired);
	EXPECT_EQ(t, inner->ret, -EBUSY);
	hrtimer_cancel(&inner->timer);
}

static void submit_and_cancel(struct mock_request *request)
{
	struct test *t = request->test;

	if (request->calls == 2) {
		complete(&request->over);
		return;
	}
	request->vrb.object = request->data;
	submit(request);
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EBUSY);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), 0);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -EALREADY);
}

/* Once the callback has submitted it again, the request is like any other accepted one. */
static void callback_may_cancel_what_it_submits(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *request = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	blocker->vrb.object = &object->object;
	submit(blocker);
	wait_posted(blocker);
	request->then = submit_and_cancel;
	request->data = &object->object;
	submit(request);
	EXPECT(t, wait_for_completion_timeout(&request->over, MOCK_PATIENCE));
	EXPECT_EQ(t, request->calls, 2);
	EXPECT_EQ(t, request->status, -ECANCELED);
	EXPECT_EQ(t, request->script.posts, 1);
	let_go(blocker);
	wait_over(blocker, 0);
	destroy(object);
	wait_released(t, &released);
}

static void cancel_itself(struct mock_request *request)
{
	EXPECT_EQ(request->test, vrb_cancel(&request->vrb), -EALREADY);
	complete(&request->over);
}

static void callback_cannot_cancel_itself(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->then = cancel_itself;
	run_to_end(request, 0);
}

/* A submit that is refused inside the callback does not change the request. */
static void be_refused(struct mock_request *request)
{
	struct test *t = request->test;

	request->vrb.flags = 1;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	request->vrb.flags = 0;
	vrb_group_poison(request->data);
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EPERM);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -EALREADY);
	complete(&request->over);
}

static void callback_whose_submit_is_refused(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	request->vrb.group = &group;
	request->then = be_refused;
	request->data = &group;
	run_to_end(request, 0);
	vrb_group_drain(&group);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -ENOENT);
}

static void group_of_another_client(struct test *t)
{
	struct vrb_client *second = vrb_client_register(mock_ibdev(t->mock), "second");
	struct mock_request *request = new_request(t, 1);
	struct vrb_group group;

	vrb_group_init(&group, second);
	request->vrb.group = &group;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	EXPECT(t, vrb_group_idle(&group));
	EXPECT_EQ(t, vrb_submit(second, &request->vrb), -EINPROGRESS);
	wait_over(request, 0);
	vrb_group_drain(&group);
	vrb_client_unregister(second);
}

static void flags_and_classes_are_checked(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	int i;

	for (i = 0; i < 8; i++) {
		request->vrb.flags = BIT(i);
		EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	}
	request->vrb.flags = 0;
	for (i = VRB_CLASS_EVENT; i < 256; i++) {
		request->vrb.class = i;
		EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	}
	request->vrb.class = VRB_CLASS_BACKGROUND;
	run_to_end(request, 0);
}

const struct test_case callback_tests[] = {
	{ "not_idle_while_its_callback_runs", not_idle_while_its_callback_runs },
	{ "idle_while_the_callback_of_another_runs", idle_while_the_callback_of_another_runs },
	{ "kill_waits_for_the_callback", kill_waits_for_the_callback },
	{ "not_idle_in_an_interrupt_of_its_callback", not_idle_in_an_interrupt_of_its_callback },
	{ "callback_may_cancel_what_it_submits", callback_may_cancel_what_it_submits },
	{ "callback_cannot_cancel_itself", callback_cannot_cancel_itself },
	{ "callback_whose_submit_is_refused", callback_whose_submit_is_refused },
	{ "group_of_another_client", group_of_another_client },
	{ "flags_and_classes_are_checked", flags_and_classes_are_checked },
	{}
};
