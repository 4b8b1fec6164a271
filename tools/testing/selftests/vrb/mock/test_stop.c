// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 10: hardware that has been stopped, and the differences after an orderly stop.
 */
#include "mock.h"

#define SEVERAL		20

struct failing {
	struct work_struct work;
	struct test *test;
};

static void fail_there(struct work_struct *work)
{
	vrb_device_fail(container_of(work, struct failing, work)->test->dev, "first");
}

static bool is_failing(void *arg)
{
	struct test *t = arg;

	return vrb_device_failed(t->dev);
}

/* Returns true when CPU 1 is in quiesce(). */
static bool fail_on_cpu1(struct test *t, struct failing *failing)
{
	t->mock->quiesce_ms = 200;
	failing->test = t;
	INIT_WORK(&failing->work, fail_there);
	schedule_work_on(1, &failing->work);
	return EXPECT(t, wait_until(is_failing, t));
}

/* The caller of vrb_device_fail() may rely on it that the hardware no longer writes. */
static void fail_again(void *arg)
{
	struct test *t = arg;

	vrb_device_fail(t->dev, "second");
	EXPECT(t, READ_ONCE(t->mock->quiesced));
	EXPECT(t, vrb_device_quiesced(t->dev));
}

static void fail_returns_when_the_hardware_has_stopped(struct test *t)
{
	struct failing failing;

	if (!stay_on_cpu0(t))
		return;
	fail_on_cpu1(t, &failing);
	fail_again(t);
	flush_work(&failing.work);
	EXPECT_EQ(t, t->mock->quiesces, 1);
	leave_cpu0();
}

static void fail_in_softirq_returns_when_the_hardware_has_stopped(struct test *t)
{
	struct failing failing;

	if (!stay_on_cpu0(t))
		return;
	fail_on_cpu1(t, &failing);
	in_softirq_do(fail_again, t);
	flush_work(&failing.work);
	EXPECT_EQ(t, t->mock->quiesces, 1);
	leave_cpu0();
}

/*
 * Between "failed" and "quiesced" nothing completes, not even a request that is submitted then: its
 * -EIO says that the hardware uses no memory any more.
 */
static void failed_is_not_yet_quiesced(struct test *t)
{
	struct mock_request *request[SEVERAL], *after = new_request(t, 99);
	struct failing failing;
	bool is_failing_now;
	int i;

	if (!stay_on_cpu0(t))
		return;
	for (i = 0; i < SEVERAL; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	is_failing_now = fail_on_cpu1(t, &failing);
	if (is_failing_now) {
		/* This CPU's pump may have waited for quiesce() meanwhile. */
		EXPECT(t, !vrb_device_quiesced(t->dev) || READ_ONCE(t->mock->quiesced));
		submit(after);
		mock_release(t->mock, NULL);	/* completions are no longer looked at */
	}
	for (i = 0; i < SEVERAL; i++)
		wait_over(request[i], -EIO);
	flush_work(&failing.work);
	if (is_failing_now)
		wait_over(after, -EIO);
	EXPECT(t, vrb_device_quiesced(t->dev));
	EXPECT_EQ(t, vrb_submit(t->client, &request[0]->vrb), -EIO);
	leave_cpu0();
}

/* The same for destroys, one issued and one submitted then; check_destroyed() checks it. */
static void destroy_does_not_end_before_quiesce(struct test *t)
{
	struct completion released[2];
	struct mock_object *object[2];
	struct failing failing;
	int i;

	if (!stay_on_cpu0(t))
		return;
	for (i = 0; i < 2; i++) {
		object[i] = new_object(t, i, &released[i]);
		object[i]->destroy.step[0].flags = MOCK_HOLD;
	}
	destroy(object[0]);
	fail_on_cpu1(t, &failing);
	destroy(object[1]);
	for (i = 0; i < 2; i++)
		wait_released(t, &released[i]);
	flush_work(&failing.work);
	EXPECT_EQ(t, t->mock->posts, 1);
	leave_cpu0();
}

/* stop.sh checks the log: an orderly stop is not logged as an error. */
static void stop_completes_everything(struct test *t)
{
	struct mock_request *request[SEVERAL], *gone = new_request(t, 99);
	struct mock_object *object;
	struct completion released;
	int i;

	object = new_object(t, 9, &released);
	object->destroy.step[0].flags = MOCK_HOLD;
	for (i = 0; i < SEVERAL; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	destroy_with(object, gone);
	vrb_device_stop(t->dev, "suspend");
	EXPECT(t, vrb_device_quiesced(t->dev));
	for (i = 0; i < SEVERAL; i++)
		wait_over(request[i], -EIO);
	wait_over(gone, 0);
	wait_released(t, &released);
	wait_failed(t);
	EXPECT_EQ(t, t->mock->quiesces, 1);
}

/* A device ends with requests in flight; stop.sh checks the log. */
static void stop_at_device_destroy(struct test *t)
{
	static const struct test_case second = { .config = { .name = "second" } };
	struct mock *mock = mock_create(&second);
	struct mock_request *request = held_request(t, 1);
	struct test *other = test_alloc(t, sizeof(*other));

	if (!EXPECT(t, !IS_ERR(mock)))
		return;
	other->test_case = &second;
	other->mock = mock;
	request->test = other;
	EXPECT_EQ(t, vrb_submit(vrb_device_client(mock->dev), &request->vrb), -EINPROGRESS);
	vrb_device_destroy(mock->dev);
	EXPECT_EQ(t, request->calls, 1);
	EXPECT_EQ(t, request->status, -EIO);
	EXPECT_EQ(t, mock->quiesces, 1);
	mock_free(mock);
}

static bool is_revived(void *arg)
{
	struct test *t = arg;
	int ret = vrb_device_revive(t->dev);

	return EXPECT(t, !ret || ret == -EBUSY) && !ret;
}

/* After an orderly stop the engine's own failure must not look orderly; stop.sh reads the log. */
static void fail_after_a_stop(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	vrb_device_stop(t->dev, "suspend");
	wait_failed(t);
	mock_reset(t->mock);
	EXPECT(t, wait_until(is_revived, t));
	t->mock->post_error = true;
	run_to_end(request, -EIO);
	wait_failed(t);
	EXPECT_EQ(t, t->mock->quiesces, 2);
}

static void kick_it(struct mock_thread *thread)
{
	struct test *t = thread->data;

	vrb_device_kick(t->dev);
	udelay(5);
}

static bool is_told(void *arg)
{
	struct test *t = arg;

	return READ_ONCE(t->mock->failures) >= t->mock->quiesces;
}

/* Each failure is reported once, whatever runs the pump in between. */
static void every_failure_is_reported_once(struct test *t)
{
	struct mock_request *request;
	struct mock_thread thread;
	int i;

	if (!stay_on_cpu0(t))
		return;
	start_on_cpu1(&thread, kick_it, t);
	for (i = 1; i <= 40 && !t->failed; i++) {
		request = held_request(t, i);
		submit(request);
		vrb_device_fail(t->dev, "on request");
		wait_over(request, -EIO);
		EXPECT(t, wait_until(is_told, t));
		EXPECT_EQ(t, t->mock->failures, i);
		EXPECT_EQ(t, t->mock->quiesces, i);
		mock_reset(t->mock);
		EXPECT(t, wait_until(is_revived, t));
		request = new_request(t, i);
		run_to_end(request, 0);
	}
	stop_on_cpu1(&thread);
	leave_cpu0();
}

const struct test_case stop_tests[] = {
	{ "fail_returns_when_the_hardware_has_stopped",
	  fail_returns_when_the_hardware_has_stopped },
	{ "fail_in_softirq_returns_when_the_hardware_has_stopped",
	  fail_in_softirq_returns_when_the_hardware_has_stopped },
	{ "destroy_does_not_end_before_quiesce", destroy_does_not_end_before_quiesce },
	{ "failed_is_not_yet_quiesced", failed_is_not_yet_quiesced },
	{ "stop_completes_everything", stop_completes_everything },
	{ "stop_at_device_destroy", stop_at_device_destroy },
	{ "fail_after_a_stop", fail_after_a_stop },
	{ "every_failure_is_reported_once", every_failure_is_reported_once },
	{}
};
