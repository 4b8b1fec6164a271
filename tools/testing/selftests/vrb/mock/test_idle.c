// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 3: when the pump runs, and when it requests an interrupt.
 */
#include "mock.h"

static bool has_run(void *arg)
{
	struct test *t = arg;

	return counters(t).runs > t->mock->run;
}

/* Waits until the pump has run once more, which @why makes it do. */
static void have_it_run(struct test *t, void (*why)(void *arg), void *arg)
{
	t->mock->run = counters(t).runs;
	why(arg);
	EXPECT(t, wait_until(has_run, t));
}

static void resume_nobody(void *arg)
{
	struct mock_object *object = arg;

	vrb_resume(&object->object);
}

static void idle_run_does_not_rearm(struct test *t)
{
	struct mock_object *object;
	struct completion released;
	unsigned int rearms;
	int i;

	object = new_object(t, 9, &released);
	run_to_end(new_request(t, 1), 0);
	usleep_range(2000, 3000);
	rearms = t->mock->rearms;
	for (i = 0; i < 20; i++)
		have_it_run(t, resume_nobody, object);
	EXPECT_EQ(t, t->mock->rearms, rearms);
	destroy(object);
	wait_released(t, &released);
}

static void interrupt(void *arg)
{
	vrb_device_kick(arg);
}

/* An interrupt without an event also uses up the arming, so it is armed again. */
static void interrupt_without_an_event_is_rearmed(struct test *t)
{
	unsigned int rearms, i;

	run_to_end(new_request(t, 1), 0);
	usleep_range(2000, 3000);
	for (i = 0; i < 5; i++) {
		rearms = t->mock->rearms;
		have_it_run(t, interrupt, t->dev);
		EXPECT_EQ(t, t->mock->rearms, rearms + 1);
	}
}

/* Time alone causes no run, either: with nothing to do the pump never runs. */
static void idle_device_does_not_run(struct test *t)
{
	u64 runs;

	run_to_end(new_request(t, 1), 0);
	msleep(50);
	runs = counters(t).runs;
	msleep(300);
	EXPECT(t, counters(t).runs - runs <= 3);
}

/* A command under way only needs a run when it times out. */
static void waiting_device_does_not_run(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	u64 runs;

	submit(request);
	wait_posted(request);
	msleep(50);
	runs = counters(t).runs;
	msleep(300);
	EXPECT(t, counters(t).runs - runs <= 3);
	let_go(request);
	wait_over(request, 0);
}

/* A kick from process context runs the pump at once, not in ksoftirqd. */
static void kick_from_process_context_runs_at_once(struct test *t)
{
	struct mock_object *object;
	struct completion released;
	unsigned int now = 0, i, us;

	for (i = 0; i < 100; i++) {
		object = new_object(t, 9, &released);
		preempt_disable();
		vrb_object_put(&object->object);
		/* If a timer runs the pump, that takes a moment. */
		for (us = 0; us < 50 && !completion_done(&released); us++)
			udelay(1);
		now += completion_done(&released);
		preempt_enable();
		wait_released(t, &released);
	}
	EXPECT(t, now >= 50);
}

/* The event comes after the last look, before the interrupt is armed, and raises no interrupt. */
static void event_just_before_the_rearm(struct test *t)
{
	struct mock_request *request;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		request = held_request(t, i);
		WRITE_ONCE(t->mock->unheard, &request->script);
		submit(request);
		wait_posted(request);
		vrb_device_kick(t->dev);
		wait_over(request, 0);
	}
}

const struct test_case idle_tests[] = {
	{ "kick_from_process_context_runs_at_once", kick_from_process_context_runs_at_once },
	{ "event_just_before_the_rearm", event_just_before_the_rearm },
	{ "idle_run_does_not_rearm", idle_run_does_not_rearm },
	{ "interrupt_without_an_event_is_rearmed", interrupt_without_an_event_is_rearmed },
	{ "idle_device_does_not_run", idle_device_does_not_run },
	{ "waiting_device_does_not_run", waiting_device_does_not_run },
	{}
};
