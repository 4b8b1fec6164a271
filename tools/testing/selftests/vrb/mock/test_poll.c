// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 13: waiting without sleeping.
 */
#include "mock.h"

static void poll_finds_completion(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	int ret, tries = 0;

	request->vrb.done = NULL;
	request->script.nr_steps = 2;
	request->script.step[1].status = -EBUSY;	/* must not be taken for the pump's */
	local_bh_disable();
	submit(request);
	do {
		ret = vrb_poll(&request->vrb, 10 * NSEC_PER_MSEC);
	} while (ret == -EINPROGRESS && ++tries < 500);
	local_bh_enable();
	EXPECT_EQ(t, ret, 0);
	EXPECT_EQ(t, request->vrb.status, -EBUSY);
	EXPECT_EQ(t, counters(t).completed, 1);
	EXPECT_EQ(t, vrb_poll(&request->vrb, 1), 0);
}

static void poll_is_bounded(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	wait_posted(request);
	EXPECT_EQ(t, vrb_poll(&request->vrb, 0), -EINVAL);
	EXPECT_EQ(t, vrb_poll(&request->vrb, NSEC_PER_MSEC), -EINPROGRESS);
	let_go(request);
	wait_over(request, 0);
	EXPECT_EQ(t, vrb_poll(&new_request(t, 2)->vrb, 1000), -EINVAL);
}

static void poll_leaves_callbacks(struct test *t)
{
	struct mock_request *mine = new_request(t, 1), *other = new_request(t, 2);
	int ret, tries = 0;

	local_bh_disable();
	mine->inside = true;
	other->inside = true;
	submit(other);
	submit(mine);
	do {
		ret = vrb_poll(&mine->vrb, 10 * NSEC_PER_MSEC);
	} while (ret == -EINPROGRESS && ++tries < 500);
	EXPECT_EQ(t, ret, 0);
	mine->inside = false;
	other->inside = false;
	local_bh_enable();
	wait_over(mine, 0);
	wait_over(other, 0);
	EXPECT(t, !mine->called_inside);
	EXPECT(t, !other->called_inside);
}

struct polling {
	struct mock_request *request;
	int ret;
};

static void poll_it(void *arg)
{
	struct polling *polling = arg;

	polling->ret = vrb_poll(&polling->request->vrb, NSEC_PER_MSEC);
}

static void poll_from_softirq(struct test *t)
{
	struct polling polling = { .request = held_request(t, 1) };

	submit(polling.request);
	wait_posted(polling.request);
	in_softirq_do(poll_it, &polling);
	EXPECT_EQ(t, polling.ret, -EINPROGRESS);
	let_go(polling.request);
	wait_over(polling.request, 0);
}

static void callback_that_lasts(struct mock_request *request)
{
	ktime_t end = ktime_add_ms(ktime_get(), 2000);
	int *release = request->data;

	complete(&request->over);
	while (!READ_ONCE(*release) && ktime_before(ktime_get(), end))
		cpu_relax();
}

static long submit_there(void *arg)
{
	submit(arg);
	return 0;
}

static void poll_busy_elsewhere(struct test *t)
{
	struct mock_request *lasting = new_request(t, 1), *mine = held_request(t, 2);
	int release = 0;

	if (!stay_on_cpu0(t))
		return;
	submit(mine);
	wait_posted(mine);
	/* The submitter returns first. */
	lasting->script.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	lasting->then = callback_that_lasts;
	lasting->data = &release;
	on_other_cpu(t, submit_there, lasting);
	EXPECT(t, wait_for_completion_timeout(&lasting->over, MOCK_PATIENCE));
	EXPECT_EQ(t, vrb_poll(&mine->vrb, NSEC_PER_MSEC), -EBUSY);
	WRITE_ONCE(release, 1);
	let_go(mine);
	wait_over(mine, 0);
	leave_cpu0();
}

static void poll_inside_callback(struct mock_request *request)
{
	struct mock_request *other = request->data;

	EXPECT_EQ(request->test, vrb_poll(&other->vrb, 1000), -EBUSY);
	complete(&request->over);
}

static void poll_in_a_callback_is_busy(struct test *t)
{
	struct mock_request *request = new_request(t, 1), *other = held_request(t, 2);

	submit(other);
	wait_posted(other);
	request->then = poll_inside_callback;
	request->data = other;
	run_to_end(request, 0);
	let_go(other);
	wait_over(other, 0);
}

static void poll_refuses_destroys(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.step[0].flags = MOCK_HOLD;
	destroy(object);
	EXPECT_EQ(t, vrb_poll(&object->object.destroy, 1000), -EINVAL);
	mock_release(t->mock, &object->destroy);
	wait_released(t, &released);
}

static void poll_in_polled_phase(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	int ret, tries = 0;

	request->vrb.done = NULL;
	submit(request);
	do {
		ret = vrb_poll(&request->vrb, 10 * NSEC_PER_MSEC);
	} while ((ret == -EINPROGRESS || ret == -EBUSY) && ++tries < 500);
	EXPECT_EQ(t, ret, 0);
	EXPECT_EQ(t, request->vrb.status, 0);
}

const struct test_case poll_tests[] = {
	{ "poll_finds_completion", poll_finds_completion },
	{ "poll_is_bounded", poll_is_bounded },
	{ "poll_leaves_callbacks", poll_leaves_callbacks },
	{ "poll_from_softirq", poll_from_softirq },
	{ "poll_busy_elsewhere", poll_busy_elsewhere },
	{ "poll_in_a_callback_is_busy", poll_in_a_callback_is_busy },
	{ "poll_refuses_destroys", poll_refuses_destroys },
	{ "poll_in_polled_phase", poll_in_polled_phase, .polled = true },
	{}
};
