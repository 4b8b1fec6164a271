// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 4 and 5: slots, order, classes, the busy register.
 */
#include <linux/workqueue.h>

#include "mock.h"

#define SEVERAL	8

static bool all_in_hardware(void *arg)
{
	struct test *t = arg;

	return READ_ONCE(t->mock->outstanding) == t->test_case->config.slots - 1;
}

static void slots_exhausted_then_drained(struct test *t)
{
	struct mock_request *request[SEVERAL];
	int i;

	for (i = 0; i < SEVERAL; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	EXPECT(t, wait_until(all_in_hardware, t));
	EXPECT_EQ(t, counters(t).slots_now, 3);
	EXPECT_EQ(t, counters(t).queue_now, SEVERAL - 3);
	EXPECT_EQ(t, counters(t).no_slot, SEVERAL - 3);
	for (i = 0; i < SEVERAL; i++) {
		wait_posted(request[i]);
		let_go(request[i]);
		wait_over(request[i], 0);
	}
	for (i = 0; i < SEVERAL; i++)
		EXPECT_EQ(t, t->mock->log[i].tag, i);
	EXPECT_EQ(t, t->mock->outstanding_max, 3);
}

/* A request that finds a free slot is never queued. */
static void queue_is_counted(struct test *t)
{
	struct mock_request *request[SEVERAL], *last = new_request(t, SEVERAL);
	int i;

	for (i = 0; i < SEVERAL; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
		EXPECT_EQ(t, counters(t).queue_now, max(i - 2, 0));
		EXPECT_EQ(t, counters(t).queue_max, max(i - 2, 0));
	}
	for (i = 0; i < SEVERAL; i++) {
		wait_posted(request[i]);
		let_go(request[i]);
		wait_over(request[i], 0);
	}
	run_to_end(last, 0);
	EXPECT_EQ(t, counters(t).queue_now, 0);
	EXPECT_EQ(t, counters(t).queue_max, SEVERAL - 3);
}

static void slots_fill_up(struct test *t)
{
	struct mock_request *request[SEVERAL];
	int i;

	t->mock->busy = 4;	/* the register, until the firmware takes a command */
	for (i = 0; i < SEVERAL; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	EXPECT(t, wait_until(all_in_hardware, t));
	for (i = 0; i < SEVERAL - 1; i++)
		let_go(request[i]);
	wait_posted(request[SEVERAL - 1]);
	let_go(request[SEVERAL - 1]);
	for (i = 0; i < SEVERAL; i++)
		wait_over(request[i], 0);
}

static void order_fifo_per_object(struct test *t)
{
	struct mock_request *request[SEVERAL];
	struct mock_object *object;
	struct completion released;
	int i;

	object = new_object(t, 99, &released);
	for (i = 0; i < SEVERAL; i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.object = &object->object;
		request[i]->script.step[0].latency_ns = (SEVERAL - i) * 50 * NSEC_PER_USEC;
		if (i % 2)
			request[i]->vrb.verb = &mock_verb_background;
		submit(request[i]);
	}
	for (i = 0; i < SEVERAL; i++)
		wait_over(request[i], 0);
	for (i = 0; i < SEVERAL; i++)
		EXPECT_EQ(t, t->mock->log[i].tag, i);
	EXPECT_EQ(t, t->mock->outstanding_max, 1);
	destroy(object);
	wait_released(t, &released);
}

static void order_none_between_objects(struct test *t)
{
	struct mock_request *slow = held_request(t, 1), *quick = new_request(t, 2);
	struct completion released[2];
	struct mock_object *object[2];

	object[0] = new_object(t, 98, &released[0]);
	object[1] = new_object(t, 99, &released[1]);
	slow->vrb.object = &object[0]->object;
	quick->vrb.object = &object[1]->object;
	submit(slow);
	run_to_end(quick, 0);
	EXPECT_EQ(t, slow->calls, 0);
	let_go(slow);
	wait_over(slow, 0);
	destroy(object[0]);
	destroy(object[1]);
	wait_released(t, &released[0]);
	wait_released(t, &released[1]);
}

/* These take both slots of the device until block_end(). */
static void block_begin(struct test *t, struct mock_request *blocker[2])
{
	blocker[0] = held_request(t, 100);
	blocker[1] = held_request(t, 101);
	blocker[1]->vrb.verb = &mock_verb_teardown;
	submit(blocker[0]);
	submit(blocker[1]);
	wait_posted(blocker[0]);
	wait_posted(blocker[1]);
}

static void block_end(struct mock_request *blocker[2])
{
	let_go(blocker[0]);
	let_go(blocker[1]);
	wait_over(blocker[0], 0);
	wait_over(blocker[1], 0);
}

static void class_order(struct test *t)
{
	struct mock_request *blocker[2], *request[3];
	int i;

	block_begin(t, blocker);
	for (i = 0; i < 3; i++)
		request[i] = new_request(t, i);
	request[0]->vrb.verb = &mock_verb_background;
	request[2]->vrb.verb = &mock_verb_teardown;
	for (i = 0; i < 3; i++)
		submit(request[i]);
	block_end(blocker);
	for (i = 0; i < 3; i++)
		wait_over(request[i], 0);
	EXPECT_EQ(t, t->mock->log[2].tag, 2);
	EXPECT_EQ(t, t->mock->log[3].tag, 1);
	EXPECT_EQ(t, t->mock->log[4].tag, 0);
}

static void class_background_ages(struct test *t)
{
	struct mock_request *blocker[2], *old = new_request(t, 0), *young = new_request(t, 1);

	block_begin(t, blocker);
	old->vrb.verb = &mock_verb_background;
	submit(old);
	msleep(150);
	submit(young);
	block_end(blocker);
	wait_over(old, 0);
	wait_over(young, 0);
	EXPECT_EQ(t, t->mock->log[2].tag, 0);
	EXPECT_EQ(t, t->mock->log[3].tag, 1);
}

static void slot_reserved_for_teardown(struct test *t)
{
	struct mock_request *request[3], *teardown = new_request(t, 9);
	int i;

	for (i = 0; i < 3; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	EXPECT(t, wait_until(all_in_hardware, t));
	teardown->vrb.verb = &mock_verb_teardown;
	run_to_end(teardown, 0);
	EXPECT_EQ(t, request[2]->script.posts, 0);
	EXPECT_EQ(t, t->mock->log[2].tag, 9);
	EXPECT_EQ(t, t->mock->log[2].slot, 2);
	let_go(request[0]);
	let_go(request[1]);
	wait_posted(request[2]);
	let_go(request[2]);
	for (i = 0; i < 3; i++)
		wait_over(request[i], 0);
}

static unsigned int posts_of(struct mock_request **request, unsigned int nr)
{
	unsigned int i, posts = 0;

	for (i = 0; i < nr; i++)
		posts += request[i]->script.posts;
	return posts;
}

static void hold_for(struct test *t, struct vrb_user *user, struct mock_request **request,
		     unsigned int nr)
{
	unsigned int i;

	vrb_user_init(user);
	for (i = 0; i < nr; i++) {
		request[i] = held_request(t, i);
		request[i]->vrb.user = user;
		submit(request[i]);
	}
}

static void let_all_go(struct mock_request **request, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		wait_posted(request[i]);
		let_go(request[i]);
		wait_over(request[i], 0);
	}
}

/* Of 8 slots one is for teardown and one for the kernel. */
static void slots_kept_from_users(struct test *t)
{
	struct mock_request *request[7], *kernel = new_request(t, 9);
	struct vrb_user user;

	hold_for(t, &user, request, 7);
	EXPECT_EQ(t, t->mock->outstanding, 6);
	run_to_end(kernel, 0);
	EXPECT_EQ(t, posts_of(request, 7), 6);
	let_all_go(request, 7);
}

/* A command of the kernel's that is lost does not leave it without a slot. */
static void slots_kept_from_users_beside_a_zombie(struct test *t)
{
	struct mock_request *request[7], *lost = held_request(t, 8), *kernel = new_request(t, 9);
	struct vrb_user user;

	run_to_end(lost, -ETIMEDOUT);
	hold_for(t, &user, request, 7);
	EXPECT_EQ(t, t->mock->outstanding, 1 + 5);
	run_to_end(kernel, 0);
	EXPECT_EQ(t, posts_of(request, 7), 5);
	let_go(lost);
	let_all_go(request, 7);
}

/* One process has all slots for processes until a second one needs some. */
static void slots_shared_among_users(struct test *t)
{
	struct mock_request *first[12], *second[12];
	struct vrb_user user[2];
	int i;

	hold_for(t, &user[0], first, 12);
	EXPECT_EQ(t, posts_of(first, 12), 6);
	hold_for(t, &user[1], second, 12);
	EXPECT_EQ(t, posts_of(second, 12), 0);
	for (i = 0; i < 3; i++) {
		let_go(first[i]);
		wait_over(first[i], 0);
		wait_posted(second[i]);
	}
	EXPECT_EQ(t, posts_of(first, 12), 6);
	/* Each process has its share: it gets back the slots that it frees. */
	for (i = 3; i < 6; i++) {
		let_go(first[i]);
		wait_over(first[i], 0);
		wait_posted(first[i + 3]);
	}
	EXPECT_EQ(t, posts_of(second, 12), 3);
	let_all_go(second, 12);
	let_all_go(first + 6, 6);
}

static void run_teardown_for(struct test *t, struct vrb_user *user, int tag)
{
	struct mock_request *teardown = new_request(t, tag);

	teardown->vrb.verb = &mock_verb_teardown;
	teardown->vrb.user = user;
	run_to_end(teardown, 0);
}

/* Also while every other slot is busy. */
static void slots_of_a_user_for_teardown(struct test *t)
{
	struct mock_request *request[3], *kernel = held_request(t, 8);
	struct vrb_user user;

	hold_for(t, &user, request, 3);
	EXPECT_EQ(t, posts_of(request, 3), 2);
	run_teardown_for(t, &user, 9);
	submit(kernel);
	wait_posted(kernel);
	run_teardown_for(t, &user, 10);
	let_all_go(&kernel, 1);
	let_all_go(request, 3);
}

/* No completion makes the engine look at the register again, so the timer has to. */
static void register_busy_is_retried(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	t->mock->busy = 20;
	run_to_end(request, 0);
	EXPECT_EQ(t, counters(t).busy, 20);
	EXPECT_EQ(t, counters(t).steps, 1);
}

static bool was_refused_often(void *arg)
{
	return counters(arg).busy >= 50;
}

static void register_busy_for_long(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	WRITE_ONCE(t->mock->busy, MOCK_STUCK);
	submit(request);
	EXPECT(t, wait_until(was_refused_often, t));
	WRITE_ONCE(t->mock->busy, 0);
	wait_over(request, 0);
}

/* It is tried again after a millisecond at the latest, however long it has been busy. */
static void timer_is_set_for_the_register(struct test *t)
{
	mock_watch_timer(t, register_busy_for_long);
}

static void register_busy_between_steps(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 2;
	request->script.step[0].flags = MOCK_HOLD;
	submit(request);
	wait_posted(request);
	t->mock->busy = 5;
	let_go(request);
	wait_over(request, 0);
	EXPECT_EQ(t, counters(t).busy, 5);
	EXPECT_EQ(t, request->script.posts, 2);
}

/* Returns how long a request took that the register refused three times. */
static u64 post_after_refusals(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	ktime_t start = ktime_get();

	t->mock->busy = 3;
	run_to_end(request, 0);
	return ktime_to_ns(ktime_sub(t->mock->posted_at, start));
}

/*
 * While the register stays busy, the engine tries it once a millisecond. The next time it begins
 * with a few microseconds again: one of many requests is posted within a millisecond, which is too
 * early for the slow timer, however fast the machine is.
 */
static void register_busy_backoff_is_reset(struct test *t)
{
	struct mock_request *slow = new_request(t, 0);
	unsigned long end = jiffies + MOCK_PATIENCE;

	WRITE_ONCE(t->mock->busy, MOCK_STUCK);
	submit(slow);
	msleep(20);
	WRITE_ONCE(t->mock->busy, 0);
	wait_over(slow, 0);
	while (post_after_refusals(t) > NSEC_PER_MSEC) {
		if (time_after(jiffies, end)) {
			EXPECT(t, !"it is tried as seldom as before");
			return;
		}
	}
}

static void register_busy_keeps_order(struct test *t)
{
	struct mock_request *request[SEVERAL];
	int i;

	t->mock->busy = 10;
	for (i = 0; i < SEVERAL; i++) {
		request[i] = new_request(t, i);
		submit(request[i]);
	}
	for (i = 0; i < SEVERAL; i++)
		wait_over(request[i], 0);
	for (i = 0; i < SEVERAL; i++)
		EXPECT_EQ(t, t->mock->log[i].tag, i);
}

/*
 * A request reaches its second step when the register is free again, but before the request that
 * waits for the register has been posted.
 */
static void register_busy_keeps_order_of_steps(struct test *t)
{
	struct mock_request *steps = held_request(t, 1), *waits = new_request(t, 2);

	steps->script.nr_steps = 2;
	submit(steps);
	wait_posted(steps);
	WRITE_ONCE(t->mock->busy, MOCK_STUCK);
	submit(waits);
	local_bh_disable();
	WRITE_ONCE(t->mock->busy, 0);
	let_go(steps);
	local_bh_enable();
	wait_over(waits, 0);
	wait_over(steps, 0);
	EXPECT_EQ(t, t->mock->log[1].tag, 2);
	EXPECT_EQ(t, t->mock->log[2].tag, 1);
}

static bool no_zombie(void *arg)
{
	return counters(arg).zombies_reaped == 1;
}

/* A command that timed out may still complete, with the token of its slot. */
static void slots_do_not_change_under_zombies(struct test *t)
{
	struct mock_request *lost = held_request(t, 1);

	run_to_end(lost, -ETIMEDOUT);
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 4), -EBUSY);
	let_go(lost);
	EXPECT(t, wait_until(no_zombie, t));
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 4), 0);
}

/* A request that was encoded would hold a slot, and could not be cancelled. */
static void register_busy_keeps_others_queued(struct test *t)
{
	struct mock_request *first = new_request(t, 1), *later[2];
	int i;

	WRITE_ONCE(t->mock->busy, MOCK_STUCK);
	submit(first);
	for (i = 0; i < 2; i++) {
		later[i] = new_request(t, 2 + i);
		submit(later[i]);
		/* The first is cancelled before a run of the pump, the second after some. */
		if (i)
			msleep(20);
		EXPECT_EQ(t, vrb_cancel(&later[i]->vrb), 0);
		wait_over(later[i], -ECANCELED);
	}
	WRITE_ONCE(t->mock->busy, 0);
	wait_over(first, 0);
	EXPECT_EQ(t, t->mock->posts, 1);
}

/* One that was waiting is runnable, and no run of the pump has issued it yet. */
static void order_behind_runnable_requests(struct test *t)
{
	struct mock_request *waits = new_request(t, 1), *later = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	waits->vrb.object = &object->object;
	waits->script.nr_steps = 2;
	waits->script.undo = true;
	waits->script.step[1].flags = MOCK_WAIT;
	submit(waits);
	while (!READ_ONCE(waits->script.waited))
		usleep_range(100, 200);
	local_bh_disable();
	EXPECT_EQ(t, vrb_cancel(&waits->vrb), 0);
	submit(later);
	local_bh_enable();
	wait_over(waits, -ECANCELED);
	wait_over(later, 0);
	EXPECT_EQ(t, t->mock->log[1].tag, 1);
	EXPECT_EQ(t, t->mock->log[2].tag, 2);
	destroy(object);
	wait_released(t, &released);
}

static void slot_one_at_first(struct test *t)
{
	struct mock_request *request[SEVERAL], *teardown = new_request(t, 99);
	struct vrb_user user;
	int i;

	vrb_user_init(&user);
	for (i = 0; i < SEVERAL; i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.user = i & 1 ? &user : NULL;
		request[i]->script.nr_steps = 2;
		submit(request[i]);
	}
	teardown->vrb.verb = &mock_verb_teardown;
	submit(teardown);
	for (i = 0; i < SEVERAL; i++)
		wait_over(request[i], 0);
	wait_over(teardown, 0);
	EXPECT_EQ(t, t->mock->outstanding_max, 1);
	EXPECT_EQ(t, t->mock->kicks, 0);
	EXPECT_EQ(t, t->mock->rearms, 0);
}

static bool looked_thrice(void *mock)
{
	return READ_ONCE(((struct mock *)mock)->looked_ns);
}

/* Returns how long the engine took to look three times for this command. */
static u64 look_for(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	wait_posted(request);
	EXPECT(t, wait_until(looked_thrice, t->mock));
	let_go(request);
	wait_over(request, 0);
	return t->mock->looked_ns;
}

/*
 * After a slow command the engine looks once a millisecond. For the next command it begins with a
 * few microseconds again: the third look for one of many comes within a millisecond, which is too
 * early for the slow timer, however fast the machine is.
 */
static void slot_one_poll_interval_is_reset(struct test *t)
{
	struct mock_request *slow = held_request(t, 0);
	unsigned long end = jiffies + MOCK_PATIENCE;

	submit(slow);
	wait_posted(slow);
	msleep(20);
	let_go(slow);
	wait_over(slow, 0);
	while (look_for(t) > NSEC_PER_MSEC) {
		if (time_after(jiffies, end)) {
			EXPECT(t, !"it looks as seldom as for the slow command");
			return;
		}
	}
}

static bool interrupts_wanted(void *mock)
{
	return READ_ONCE(((struct mock *)mock)->armed);
}

static void slots_raised_and_lowered(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 8), 0);
	EXPECT_EQ(t, t->mock->slots, 8);
	EXPECT(t, wait_until(interrupts_wanted, t->mock));
	run_to_end(request, 0);
	EXPECT(t, t->mock->kicks > 0);
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 1), 0);
	t->mock->no_interrupts = true;
	request = new_request(t, 2);
	run_to_end(request, 0);
}

struct setting {
	struct work_struct work;
	struct delayed_work soon;
	struct test *test;
	long ret;
};

static void kick_there(struct work_struct *work)
{
	struct setting *setting = container_of(work, struct setting, work);

	vrb_device_kick(setting->test->dev);
}

static bool is_rearming(void *mock)
{
	return READ_ONCE(((struct mock *)mock)->rearming);
}

static void let_rearm_go(struct work_struct *work)
{
	struct setting *setting = container_of(to_delayed_work(work), struct setting, soon);

	WRITE_ONCE(setting->test->mock->hold_rearm, false);
}

static void lower_slots_beside_a_rearm(struct test *t, struct setting *setting)
{
	WRITE_ONCE(t->mock->hold_rearm, true);
	schedule_work_on(1, &setting->work);
	EXPECT(t, wait_until(is_rearming, t->mock));
	schedule_delayed_work_on(0, &setting->soon, msecs_to_jiffies(50));
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 1), 0);
	EXPECT(t, !is_rearming(t->mock));
	flush_delayed_work(&setting->soon);
	flush_work(&setting->work);
}

/* The provider frees the event queue next. */
static void slots_lowered_wait_for_the_rearm(struct test *t)
{
	struct setting setting = { .test = t };

	if (!stay_on_cpu0(t))
		return;
	INIT_WORK_ONSTACK(&setting.work, kick_there);
	INIT_DELAYED_WORK_ONSTACK(&setting.soon, let_rearm_go);
	lower_slots_beside_a_rearm(t, &setting);
	destroy_delayed_work_on_stack(&setting.soon);
	destroy_work_on_stack(&setting.work);
	leave_cpu0();
}

static long set_three_slots(void *arg)
{
	struct test *t = arg;

	return vrb_device_set_slots(t->dev, 3);
}

static void set_slots_there(struct work_struct *work)
{
	struct setting *setting = container_of(work, struct setting, work);

	setting->ret = set_three_slots(setting->test);
}

/* Each command is found the way it was posted: the number only changes when none is outstanding. */
static void slots_change_between_commands(struct test *t)
{
	struct mock_request *held = held_request(t, 1), *later = new_request(t, 2);
	struct setting setting = { .test = t };

	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 0), -EINVAL);
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 9), -EINVAL);
	submit(held);
	wait_posted(held);
	INIT_WORK_ONSTACK(&setting.work, set_slots_there);
	schedule_work(&setting.work);
	msleep(20);
	submit(later);
	EXPECT_EQ(t, t->mock->slots, 8);
	EXPECT_EQ(t, later->script.posts, 0);
	let_go(held);
	wait_over(held, 0);
	flush_work(&setting.work);
	destroy_work_on_stack(&setting.work);
	EXPECT_EQ(t, setting.ret, 0);
	EXPECT_EQ(t, t->mock->slots, 3);
	wait_over(later, 0);
}

const struct test_case slots_tests[] = {
	{ "slots_exhausted_then_drained", slots_exhausted_then_drained, { .slots = 4 } },
	{ "queue_is_counted", queue_is_counted, { .slots = 4 } },
	{ "slots_fill_up", slots_fill_up, { .slots = 8 } },
	{ "slots_kept_from_users", slots_kept_from_users, { .slots = 8 } },
	{ "slots_kept_from_users_beside_a_zombie", slots_kept_from_users_beside_a_zombie,
	  { .slots = 8, .issue_timeout_ms = 1000 } },
	{ "slots_shared_among_users", slots_shared_among_users, { .slots = 8 } },
	{ "slots_of_a_user_for_teardown", slots_of_a_user_for_teardown, { .slots = 4 } },
	{ "slot_one_at_first", slot_one_at_first, .one_slot = true },
	{ "slot_one_poll_interval_is_reset", slot_one_poll_interval_is_reset,
	  .one_slot = true },
	{ "slots_raised_and_lowered", slots_raised_and_lowered, .one_slot = true },
	{ "slots_lowered_wait_for_the_rearm", slots_lowered_wait_for_the_rearm, { .slots = 8 } },
	{ "slots_change_between_commands", slots_change_between_commands, { .slots = 8 } },
	{ "slot_reserved_for_teardown", slot_reserved_for_teardown, { .slots = 3 } },
	{ "order_behind_runnable_requests", order_behind_runnable_requests, { .slots = 8 } },
	{ "order_fifo_per_object", order_fifo_per_object },
	{ "order_none_between_objects", order_none_between_objects },
	{ "class_order", class_order, { .slots = 2 } },
	{ "class_background_ages", class_background_ages, { .slots = 2 } },
	{ "register_busy_is_retried", register_busy_is_retried },
	{ "register_busy_backoff_is_reset", register_busy_backoff_is_reset },
	{ "timer_is_set_for_the_register", timer_is_set_for_the_register },
	{ "register_busy_between_steps", register_busy_between_steps },
	{ "slots_do_not_change_under_zombies", slots_do_not_change_under_zombies,
	  { .slots = 8, .issue_timeout_ms = 100 } },
	{ "register_busy_keeps_others_queued", register_busy_keeps_others_queued },
	{ "register_busy_keeps_order_of_steps", register_busy_keeps_order_of_steps },
	{ "register_busy_keeps_order", register_busy_keeps_order },
	{}
};
