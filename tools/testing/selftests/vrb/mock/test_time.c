// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 8: deadlines, commands that are not answered, and late and stray completions.
 */
#include "mock.h"

static void deadline_of_a_queued_request(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	second->vrb.deadline = ktime_add_ms(ktime_get(), 20);
	submit(first);
	run_to_end(second, -ETIME);
	EXPECT_EQ(t, second->script.posts, 0);
	EXPECT_EQ(t, counters(t).deadline, 1);
	EXPECT_EQ(t, counters(t).timeouts, 0);
	let_go(first);
	wait_over(first, 0);
	destroy(object);
	wait_released(t, &released);
}

static void deadline_ignored_once_issued(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	request->vrb.deadline = ktime_add_ms(ktime_get(), 20);
	submit(request);
	wait_posted(request);
	msleep(60);
	EXPECT_EQ(t, request->calls, 0);
	let_go(request);
	wait_over(request, 0);
	EXPECT_EQ(t, counters(t).deadline, 0);
}

/* The deadline was being watched while it was queued. */
static void deadline_ignored_once_issued_from_queue(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = held_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	second->vrb.deadline = ktime_add_ms(ktime_get(), 2000);
	submit(first);
	submit(second);
	let_go(first);
	wait_over(first, 0);
	wait_posted(second);
	while (!ktime_after(ktime_get(), ktime_add_ms(second->vrb.deadline, 20)))
		msleep(20);
	EXPECT_EQ(t, second->calls, 0);
	let_go(second);
	wait_over(second, 0);
	EXPECT_EQ(t, counters(t).deadline, 0);
	destroy(object);
	wait_released(t, &released);
}

static bool zombie_reaped(void *arg)
{
	return counters(arg).zombies_reaped == 1;
}

static void timeout_makes_a_zombie(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *next;
	int i;

	run_to_end(lost, -ETIMEDOUT);
	EXPECT_EQ(t, counters(t).timeouts, 1);
	EXPECT_EQ(t, counters(t).slots_now, 0);
	EXPECT(t, !vrb_device_failed(t->dev));
	/* If its slot were used again, the hardware would report a violation. */
	for (i = 0; i < 30; i++) {
		next = new_request(t, 10 + i);
		run_to_end(next, 0);
		EXPECT(t, t->mock->log[1 + i].slot != t->mock->log[0].slot);
	}
	let_go(lost);
	EXPECT(t, wait_until(zombie_reaped, t));
	EXPECT_EQ(t, lost->calls, 1);
	EXPECT_EQ(t, counters(t).stray, 0);
}

/* The firmware is slow, not dead: while any command completes, none is given up. */
static void timeout_only_without_progress(struct test *t)
{
	struct mock_request *slow = held_request(t, 1), *other;
	int i;

	submit(slow);
	for (i = 0; i < 25; i++) {
		other = new_request(t, 2);
		run_to_end(other, 0);
		msleep(80);
	}
	EXPECT_EQ(t, slow->calls, 0);
	EXPECT_EQ(t, counters(t).timeouts, 0);
	wait_over(slow, -ETIMEDOUT);
	let_go(slow);
	EXPECT(t, wait_until(zombie_reaped, t));
}

#define LOST 60

struct lost {
	struct mock_request *request, *behind;
	struct mock_object *object;
	struct completion released;
};

/* Makes the pump run so often that everything that is due has been done. */
static void run_often(struct test *t)
{
	u64 end = counters(t).runs + 50;

	while (counters(t).runs < end) {
		vrb_device_kick(t->dev);
		usleep_range(50, 100);
	}
}

/*
 * All commands time out at the same moment, counted from the last completion. One of them has no
 * request behind it, so that a hold of the lock ends between a command and the request behind it.
 * The mock reports a second command on an object. What one run does not reach is handled by the
 * next.
 */
static void timeout_of_many(struct test *t)
{
	struct lost *lost = test_alloc(t, LOST * sizeof(*lost)), *end = lost + LOST, *one;
	struct mock_request *alone = held_request(t, 99);

	submit(alone);
	wait_posted(alone);
	for (one = lost; one < end; one++) {
		one->object = new_object(t, one - lost, &one->released);
		one->request = held_request(t, one - lost);
		one->behind = new_request(t, one - lost);
		one->request->vrb.object = &one->object->object;
		one->behind->vrb.object = &one->object->object;
		submit(one->request);
		wait_posted(one->request);
		submit(one->behind);
	}
	run_to_end(new_request(t, LOST), 0);
	wait_over(alone, -ETIMEDOUT);
	run_often(t);
	for (one = lost; one < end; one++) {
		EXPECT_EQ(t, one->request->calls, 1);
		wait_over(one->request, -ETIMEDOUT);
		wait_over(one->behind, -EUCLEAN);
	}
	mock_release(t->mock, NULL);
	for (one = lost; one < end; one++) {
		destroy(one->object);
		wait_released(t, &one->released);
	}
	EXPECT(t, !vrb_device_failed(t->dev));
}

static void submit_until_gone(struct mock_request *request)
{
	struct mock_request *gone = request->data;

	if (request->status || request->calls == 1000 || READ_ONCE(gone->calls) ||
	    vrb_submit(request->test->client, &request->vrb) != -EINPROGRESS)
		complete(&request->over);
}

/*
 * But not for ever: on a busy device a lost command times out, and the destroy of its object ends.
 * The hardware always has another command, so that a CPU that stalls does not leave it idle.
 */
static void timeout_on_a_busy_device(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *gone = new_request(t, 2);
	struct mock_request *busy = new_request(t, 3);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	lost->vrb.object = &object->object;
	submit(lost);
	wait_posted(lost);
	destroy_with(object, gone);
	busy->script.step[0].latency_ns = 20 * NSEC_PER_MSEC;
	busy->then = submit_until_gone;
	busy->data = gone;
	submit(busy);
	/* This goes on until the destroy fails the device, probably with one of these under way. */
	EXPECT(t, wait_for_completion_timeout(&busy->over, MOCK_PATIENCE));
	EXPECT(t, !busy->status || busy->status == -EIO);
	EXPECT(t, READ_ONCE(lost->calls));	/* while the device was busy */
	wait_over(lost, -ETIMEDOUT);
	wait_over(gone, 0);
	wait_released(t, &released);
	/* The destroy has waited another timeout for the command. */
	wait_failed(t);
}

/* Near and far deadlines, some cancelled: none is early, none late by more than a tick. */
static void deadlines_are_kept(struct test *t)
{
	static const unsigned int ms[] = { 1, 3, 60, 63, 64, 65, 70, 127, 130, 500, 900, 4200 };
	struct mock_request *blocker = held_request(t, 1), *request[2 * ARRAY_SIZE(ms)];
	struct mock_request *far = new_request(t, 99);
	struct mock_object *object;
	struct completion released;
	ktime_t start;
	unsigned int i;

	object = new_object(t, 9, &released);
	blocker->vrb.object = &object->object;
	submit(blocker);
	start = ktime_get();
	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.object = &object->object;
		request[i]->vrb.deadline = ktime_add_ms(start, ms[i % ARRAY_SIZE(ms)]);
		submit(request[i]);
	}
	far->vrb.object = &object->object;
	far->vrb.deadline = ktime_add_ms(start, 600 * MSEC_PER_SEC);
	submit(far);
	for (i = 0; i < ARRAY_SIZE(request); i += 5)
		vrb_cancel(&request[i]->vrb);
	for (i = 0; i < ARRAY_SIZE(request); i++) {
		EXPECT(t, wait_for_completion_timeout(&request[i]->over, MOCK_PATIENCE));
		EXPECT(t, request[i]->status == -ETIME || i % 5 == 0);
		if (request[i]->status == -ETIME)
			EXPECT(t, !ktime_before(ktime_get(), request[i]->vrb.deadline));
	}
	EXPECT_EQ(t, vrb_cancel(&far->vrb), 0);
	wait_over(far, -ECANCELED);
	let_go(blocker);
	wait_over(blocker, 0);
	destroy(object);
	wait_released(t, &released);
}

/*
 * There are more distant deadlines than the pump sorts in a run. They were submitted last, so it
 * sorts them first, and must go on to the near ones.
 */
static void deadlines_behind_distant_ones(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *near[10], *far[100];
	struct mock_object *object;
	struct completion released;
	unsigned int i;

	object = new_object(t, 9, &released);
	blocker->vrb.object = &object->object;
	submit(blocker);
	for (i = 0; i < ARRAY_SIZE(near) + ARRAY_SIZE(far); i++) {
		bool is_near = i < ARRAY_SIZE(near);
		struct mock_request *request = new_request(t, i);

		request->vrb.object = &object->object;
		request->vrb.deadline = ktime_add_ms(ktime_get(), is_near ? 500 : 600000);
		submit(request);
		if (is_near)
			near[i] = request;
		else
			far[i - ARRAY_SIZE(near)] = request;
	}
	for (i = 0; i < ARRAY_SIZE(near); i++)
		wait_over(near[i], -ETIME);
	for (i = 0; i < ARRAY_SIZE(far); i++) {
		EXPECT_EQ(t, vrb_cancel(&far[i]->vrb), 0);
		wait_over(far[i], -ECANCELED);
	}
	let_go(blocker);
	wait_over(blocker, 0);
	destroy(object);
	wait_released(t, &released);
}

/* 2 ms after a deadline at the latest */
static void timer_is_set_for_deadlines(struct test *t)
{
	mock_watch_timer(t, deadlines_are_kept);
}

static void timer_is_set_for_many_deadlines(struct test *t)
{
	mock_watch_timer(t, deadlines_behind_distant_ones);
}

/* Ten timeouts after the post at the latest, even if other commands complete */
static void timer_is_set_on_a_busy_device(struct test *t)
{
	mock_watch_timer(t, timeout_on_a_busy_device);
}

static void submit_as_arg(void *arg)
{
	submit(arg);
}

/* The request is not issued even if slots are free; the last two come through the inbox. */
static void deadline_in_the_past(struct test *t)
{
	struct mock_request *request;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		request = new_request(t, i);
		request->vrb.deadline = i % 2 ? -1 : ktime_sub_ns(ktime_get(), 1);
		if (i < 2)
			submit(request);
		else
			in_hardirq_do(submit_as_arg, request);
		wait_over(request, -ETIME);
		EXPECT_EQ(t, request->script.posts, 0);
	}
	EXPECT_EQ(t, counters(t).deadline, 4);
}

/* A deadline that never comes has no effect. */
static void deadline_of_ktime_max(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct mock_object *object;
	struct completion released;
	u64 runs;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	second->vrb.deadline = KTIME_MAX;
	submit(first);
	submit(second);
	wait_posted(first);
	msleep(20);
	runs = counters(t).runs;
	msleep(100);
	EXPECT(t, counters(t).runs - runs < 10);
	let_go(first);
	wait_over(first, 0);
	wait_over(second, 0);
	destroy(object);
	wait_released(t, &released);
}

static void timeout_makes_object_uncertain(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *behind = new_request(t, 2);
	struct mock_request *after = new_request(t, 3), *gone = new_request(t, 4);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	lost->vrb.object = &object->object;
	behind->vrb.object = &object->object;
	after->vrb.object = &object->object;
	submit(lost);
	submit(behind);
	wait_over(lost, -ETIMEDOUT);
	wait_over(behind, -EUCLEAN);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -EUCLEAN);
	destroy_with(object, gone);
	msleep(20);
	EXPECT_EQ(t, gone->calls, 0);
	EXPECT_EQ(t, t->mock->posts, 1);
	let_go(lost);
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT_EQ(t, counters(t).zombies_reaped, 1);
	EXPECT(t, !vrb_device_failed(t->dev));
}

/* It was accepted after the destroy, so it is not cancelled. It must not overtake the lost one. */
static void timeout_delays_a_parting_request(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *parting = new_request(t, 2);
	struct mock_request *gone = new_request(t, 3);
	struct vrb_verb *verb = test_alloc(t, sizeof(*verb));
	struct mock_object *object;
	struct completion released;

	*verb = mock_verb;
	verb->parting = true;
	object = new_object(t, 9, &released);
	lost->vrb.object = &object->object;
	parting->vrb.object = &object->object;
	parting->vrb.verb = verb;
	submit(lost);
	destroy_with(object, gone);
	submit(parting);
	wait_over(lost, -ETIMEDOUT);
	run_often(t);
	EXPECT_EQ(t, parting->script.posts, 0);
	let_go(lost);
	wait_over(parting, 0);
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT(t, !vrb_device_failed(t->dev));
}

#define BEHIND 150

static void finish_late(struct mock_request *request)
{
	let_go(request);
	complete(&request->over);
}

static void submit_meanwhile(struct mock_request *request)
{
	struct mock_request *after = request->data;

	EXPECT_EQ(request->test, counters(request->test).zombies_reaped, 1);
	EXPECT_EQ(request->test, vrb_submit(request->test->client, &after->vrb), -EUCLEAN);
	complete(&request->over);
}

/*
 * More requests end than a run handles, and the late result comes before the last have ended. Until
 * then a new request is refused, and not taken for one of them.
 */
static void timeout_refuses_until_all_have_ended(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *behind[BEHIND], *after = new_request(t, 2);
	struct mock_object *object;
	struct completion released;
	unsigned int i;

	object = new_object(t, 9, &released);
	lost->vrb.object = &object->object;
	lost->then = finish_late;
	after->vrb.object = &object->object;
	submit(lost);
	for (i = 0; i < BEHIND; i++) {
		behind[i] = new_request(t, 10 + i);
		behind[i]->vrb.object = &object->object;
		submit(behind[i]);
	}
	behind[50]->then = submit_meanwhile;
	behind[50]->data = after;
	wait_over(lost, -ETIMEDOUT);
	for (i = 0; i < BEHIND; i++)
		wait_over(behind[i], -EUCLEAN);
	run_to_end(after, 0);
	destroy(object);
	wait_released(t, &released);
}

static bool was_late(void *arg)
{
	struct mock_object *object = arg;

	return READ_ONCE(object->destroy.late);
}

static void late_result_is_reported(struct test *t)
{
	struct mock_request *lost = new_request(t, 1), *again = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	lost->vrb.object = &object->object;
	lost->script.nr_steps = 2;
	lost->script.step[1].flags = MOCK_HOLD;
	run_to_end(lost, -ETIMEDOUT);
	EXPECT_EQ(t, lost->vrb.step, 1);
	EXPECT_EQ(t, object->destroy.lost, 1);
	EXPECT_EQ(t, object->destroy.late_step, 1);
	EXPECT_EQ(t, object->destroy.late, 0);
	object->destroy.late_step = 0;
	let_go(lost);
	EXPECT(t, wait_until(was_late, object));
	EXPECT_EQ(t, object->destroy.lost, 1);
	EXPECT_EQ(t, object->destroy.late_step, 1);
	EXPECT(t, wait_until(zombie_reaped, t));
	/* The object's state is certain again. */
	again->vrb.object = &object->object;
	run_to_end(again, 0);
	destroy(object);
	wait_released(t, &released);
}

static bool one_stray(void *arg)
{
	return counters(arg).stray == 1;
}

/* Both results come in one run. The second one belongs to no command. */
static void late_result_that_comes_twice(struct test *t)
{
	struct mock_request *lost = new_request(t, 1), *again = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	lost->script.step[0].flags = MOCK_HOLD | MOCK_DUP;
	object = new_uncertain_object(t, lost, &released);
	let_go(lost);
	EXPECT(t, wait_until(zombie_reaped, t));
	EXPECT(t, wait_until(one_stray, t));
	EXPECT_EQ(t, object->destroy.late, 1);
	again->vrb.object = &object->object;
	run_to_end(again, 0);
	destroy(object);
	wait_released(t, &released);
}

/* The owner drops an object that the hardware may have: its memory stays until that is known. */
static void zombie_keeps_its_object(struct test *t)
{
	struct mock_request *lost = held_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_uncertain_object(t, lost, &released);
	vrb_object_put(&object->object);
	EXPECT(t, !completion_done(&released));
	let_go(lost);
	wait_released(t, &released);
}

static void zombies_too_many_fail_device(struct test *t)
{
	struct mock_request *lost[3], *after = new_request(t, 9);
	int i;

	for (i = 0; i < 3; i++) {
		lost[i] = held_request(t, i);
		submit(lost[i]);
	}
	for (i = 0; i < 3; i++)
		wait_over(lost[i], -ETIMEDOUT);
	wait_failed(t);
	EXPECT_EQ(t, t->mock->quiesces, 1);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -EIO);
}

/* Whatever the provider has configured: besides the reserved slot, one remains. */
static void zombies_leave_a_slot(struct test *t)
{
	struct mock_request *lost[2], *after = held_request(t, 9);
	int i;

	for (i = 0; i < 2; i++) {
		lost[i] = held_request(t, i);
		submit(lost[i]);
	}
	for (i = 0; i < 2; i++)
		wait_over(lost[i], -ETIMEDOUT);
	EXPECT(t, !vrb_device_failed(t->dev));
	submit(after);
	wait_posted(after);
	wait_over(after, -ETIMEDOUT);
	wait_failed(t);
}

/* The device may have a zombie in another slot. */
static void zombie_in_reserved_slot_fails_device(struct test *t)
{
	struct mock_request *normal[3], *teardown = held_request(t, 9);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		normal[i] = held_request(t, i);
		submit(normal[i]);
		wait_posted(normal[i]);
	}
	teardown->vrb.verb = &mock_verb_teardown;
	submit(teardown);
	wait_posted(teardown);
	for (i = 0; i < 3; i++) {
		let_go(normal[i]);
		wait_over(normal[i], 0);
	}
	wait_over(teardown, -ETIMEDOUT);
	wait_failed(t);
}

static void zombie_blocking_a_destroy_fails_device(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *gone = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_uncertain_object(t, lost, &released);
	destroy_with(object, gone);
	wait_over(gone, 0);
	wait_released(t, &released);
	wait_failed(t);
	EXPECT_EQ(t, t->mock->posts, 1);
}

/*
 * However long ago the command was lost, the destroy waits for one timeout. The scan in the middle
 * of it must not fail the device.
 */
static void zombie_gives_a_destroy_a_full_timeout(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *gone = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_uncertain_object(t, lost, &released);
	msleep(1400);
	destroy_with(object, gone);
	msleep(1200);
	EXPECT_EQ(t, gone->calls, 0);
	let_go(lost);
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT(t, !vrb_device_failed(t->dev));
}

static void zombie_in_the_only_slot_fails_device(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *after = new_request(t, 2);

	run_to_end(lost, -ETIMEDOUT);
	wait_failed(t);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -EIO);
}

static void timeout_of_a_destroy_fails_device(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.step[0].flags = MOCK_HOLD;
	destroy_with(object, gone);
	wait_over(gone, 0);
	wait_released(t, &released);
	wait_failed(t);
	EXPECT_EQ(t, counters(t).timeouts, 0);
}

static void timeout_of_an_undo_fails_device(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 2;
	request->script.undo = true;
	request->script.undo_flags = MOCK_HOLD;
	request->script.step[1].status = -ENOMEM;
	run_to_end(request, -EIO);
	wait_failed(t);
	EXPECT_EQ(t, counters(t).timeouts, 0);
}

static void timeout_of_the_register_fails_device(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	t->mock->busy = MOCK_STUCK;
	run_to_end(request, -EIO);
	wait_failed(t);
	EXPECT_EQ(t, request->script.posts, 0);
}

static void stray_token(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	wait_posted(request);
	/* The slot is right, the generation is not. */
	mock_inject(t->mock, t->mock->command[t->mock->log[0].slot].token ^ 0x8000);
	EXPECT(t, wait_until(one_stray, t));
	EXPECT_EQ(t, request->calls, 0);
	let_go(request);
	wait_over(request, 0);
}

static bool slots_times_stray(void *arg)
{
	return counters(arg).stray == 65536;
}

static void stray_token_of_any_value(struct test *t)
{
	unsigned int token;

	for (token = 0; token < 65536; token++) {
		mock_inject(t->mock, token);
		if (token % 32 == 31)
			usleep_range(1, 2);
	}
	wait_until(slots_times_stray, t);
	EXPECT_EQ(t, counters(t).stray, 65536);
}

static void duplicate_completion(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 2;
	request->script.step[0].flags = MOCK_DUP;
	run_to_end(request, 0);
	EXPECT(t, wait_until(one_stray, t));
	EXPECT_EQ(t, request->script.dones, 2);
	EXPECT_EQ(t, counters(t).completed, 1);
}

#define HASTY 1000

/* Requests whose deadline is always about to pass */
struct hasties {
	struct test *t;
	struct mock_script script;
	bool stop;
	atomic_t over;
	struct hasty {
		struct mock_head head;
		struct hasties *of;
	} request[HASTY];
};

static void hasty_again(struct vrb *vrb)
{
	struct hasties *of = container_of(vrb, struct hasty, head.vrb)->of;

	vrb->deadline = ktime_add_ms(ktime_get(), 1);
	if (READ_ONCE(of->stop) || vrb_submit(of->t->client, vrb) != -EINPROGRESS)
		atomic_inc(&of->over);
}

static bool hasties_are_over(void *arg)
{
	return atomic_read(&((struct hasties *)arg)->over) == HASTY;
}

static bool has_given_up(void *arg)
{
	return counters(arg).timeouts;
}

/* Deadlines that pass all the time do not keep commands from being given up. */
static void timeout_among_deadlines(struct test *t)
{
	struct hasties *hasties = test_alloc(t, sizeof(*hasties));
	struct mock_request *held[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(held); i++) {
		held[i] = held_request(t, i);
		submit(held[i]);
		wait_posted(held[i]);
	}
	hasties->t = t;
	hasties->script.nr_steps = 1;
	for (i = 0; i < HASTY; i++) {
		vrb_prep(&hasties->request[i].head.vrb, &mock_verb, NULL);
		hasties->request[i].head.vrb.done = hasty_again;
		hasties->request[i].head.script = &hasties->script;
		hasties->request[i].of = hasties;
		hasty_again(&hasties->request[i].head.vrb);
	}
	EXPECT(t, wait_until(has_given_up, t));
	WRITE_ONCE(hasties->stop, true);
	EXPECT(t, wait_until(hasties_are_over, hasties));
	for (i = 0; i < ARRAY_SIZE(held); i++) {
		EXPECT(t, wait_for_completion_timeout(&held[i]->over, MOCK_PATIENCE));
		let_go(held[i]);
	}
}

/* Long enough for a command that is answered, even if a virtual CPU stalls for a while. */
#define SOON { .issue_timeout_ms = 300 }

const struct test_case time_tests[] = {
	{ "deadline_of_a_queued_request", deadline_of_a_queued_request },
	{ "deadline_ignored_once_issued_from_queue",
	  deadline_ignored_once_issued_from_queue },
	{ "deadline_ignored_once_issued", deadline_ignored_once_issued },
	{ "timeout_makes_a_zombie", timeout_makes_a_zombie, SOON },
	{ "timeout_only_without_progress", timeout_only_without_progress,
	  { .issue_timeout_ms = 1500 } },
	{ "timeout_on_a_busy_device", timeout_on_a_busy_device, { .issue_timeout_ms = 500 } },
	{ "timeout_among_deadlines", timeout_among_deadlines,
	  { .slots = 4, .issue_timeout_ms = 300 } },
	{ "timeout_of_many", timeout_of_many,
	  { .slots = 64, .max_zombies = 62, .issue_timeout_ms = 1500 } },
	{ "deadline_in_the_past", deadline_in_the_past },
	{ "deadlines_behind_distant_ones", deadlines_behind_distant_ones },
	{ "deadlines_are_kept", deadlines_are_kept },
	{ "timer_is_set_for_deadlines", timer_is_set_for_deadlines },
	{ "timer_is_set_for_many_deadlines", timer_is_set_for_many_deadlines },
	{ "timer_is_set_on_a_busy_device", timer_is_set_on_a_busy_device,
	  { .issue_timeout_ms = 500 } },
	{ "deadline_of_ktime_max", deadline_of_ktime_max },
	{ "timeout_makes_object_uncertain", timeout_makes_object_uncertain,
	  { .issue_timeout_ms = 1500 } },
	{ "timeout_delays_a_parting_request", timeout_delays_a_parting_request,
	  { .issue_timeout_ms = 1500 } },
	{ "timeout_refuses_until_all_have_ended", timeout_refuses_until_all_have_ended,
	  { .issue_timeout_ms = 1500 } },
	{ "timeout_of_a_destroy_fails_device", timeout_of_a_destroy_fails_device, SOON },
	{ "timeout_of_an_undo_fails_device", timeout_of_an_undo_fails_device, SOON },
	{ "timeout_of_the_register_fails_device", timeout_of_the_register_fails_device, SOON },
	{ "late_result_is_reported", late_result_is_reported, SOON },
	{ "late_result_that_comes_twice", late_result_that_comes_twice, SOON },
	{ "zombie_keeps_its_object", zombie_keeps_its_object, SOON },
	{ "zombies_too_many_fail_device", zombies_too_many_fail_device, SOON },
	{ "zombies_leave_a_slot", zombies_leave_a_slot,
	  { .slots = 4, .max_zombies = 9, .issue_timeout_ms = 1500 } },
	{ "zombie_in_reserved_slot_fails_device", zombie_in_reserved_slot_fails_device,
	  { .slots = 4, .issue_timeout_ms = 1500 } },
	{ "zombie_blocking_a_destroy_fails_device", zombie_blocking_a_destroy_fails_device, SOON },
	{ "zombie_gives_a_destroy_a_full_timeout", zombie_gives_a_destroy_a_full_timeout,
	  { .issue_timeout_ms = 2000 } },
	{ "zombie_in_the_only_slot_fails_device", zombie_in_the_only_slot_fails_device,
	  { .slots = 1, .issue_timeout_ms = 300 } },
	{ "stray_token", stray_token },
	{ "stray_token_of_any_value", stray_token_of_any_value },
	{ "duplicate_completion", duplicate_completion },
	{}
};
