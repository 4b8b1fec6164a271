// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 4 and 5: slots, order, classes, the busy register.
 */
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

static void slots_fill_up(struct test *t)
{
	struct mock_request *request[SEVERAL];
	int i;

	t->mock->busy = 4;	/* the register, until the firmware takes the first command */
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

/* Both slots of the device are taken by these until block_end(). */
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

static bool seven_in_hardware(void *arg)
{
	struct test *t = arg;

	return READ_ONCE(t->mock->outstanding) == 7;
}

static void slots_half_for_users(struct test *t)
{
	struct mock_request *user[6], *kernel[3];
	int i, posts = 0;

	for (i = 0; i < 6; i++) {
		user[i] = held_request(t, i);
		user[i]->vrb.flags = VRB_F_USER;
		submit(user[i]);
	}
	for (i = 0; i < 3; i++) {
		kernel[i] = held_request(t, 10 + i);
		submit(kernel[i]);
	}
	EXPECT(t, wait_until(seven_in_hardware, t));
	for (i = 0; i < 6; i++)
		posts += user[i]->script.posts;
	EXPECT_EQ(t, posts, 4);
	for (i = 0; i < 3; i++)
		let_go(kernel[i]);
	for (i = 0; i < 3; i++)
		wait_over(kernel[i], 0);
	EXPECT_EQ(t, user[4]->script.posts, 0);	/* a free slot is not theirs */
	for (i = 0; i < 6; i++) {
		wait_posted(user[i]);
		let_go(user[i]);
		wait_over(user[i], 0);
	}
}

/* No completion comes that could have the register looked at again: the timer has to. */
static void register_busy_is_retried(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	t->mock->busy = 20;
	run_to_end(request, 0);
	EXPECT_EQ(t, counters(t).busy, 20);
	EXPECT_EQ(t, counters(t).steps, 1);
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

static void polled_phase(struct test *t)
{
	struct mock_request *request[SEVERAL], *teardown = new_request(t, 99);
	int i;

	EXPECT(t, vrb_device_polled(t->dev));
	for (i = 0; i < SEVERAL; i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.flags = i & 1 ? VRB_F_USER : 0;
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
}

static void polled_phase_ends_and_returns(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	vrb_device_set_polled(t->dev, false);
	run_to_end(request, 0);
	EXPECT(t, t->mock->kicks > 0);
	vrb_device_set_polled(t->dev, true);
	t->mock->no_interrupts = true;
	request = new_request(t, 2);
	run_to_end(request, 0);
}

static void slots_can_be_fewer(struct test *t)
{
	struct mock_request *request[3];
	int i;

	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 1), -EINVAL);
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 9), -EINVAL);
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 3), 0);
	for (i = 0; i < 3; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	wait_posted(request[1]);
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 4), -EBUSY);
	EXPECT_EQ(t, request[2]->script.posts, 0);
	let_go(request[0]);
	wait_posted(request[2]);
	let_go(request[1]);
	let_go(request[2]);
	for (i = 0; i < 3; i++)
		wait_over(request[i], 0);
}

const struct test_case slots_tests[] = {
	{ "slots_exhausted_then_drained", slots_exhausted_then_drained, { .slots = 4 } },
	{ "slots_fill_up", slots_fill_up, { .slots = 8 } },
	{ "slots_half_for_users", slots_half_for_users, { .slots = 8 } },
	{ "slots_can_be_fewer", slots_can_be_fewer, { .slots = 8 } },
	{ "slot_reserved_for_teardown", slot_reserved_for_teardown, { .slots = 3 } },
	{ "order_fifo_per_object", order_fifo_per_object },
	{ "order_none_between_objects", order_none_between_objects },
	{ "class_order", class_order, { .slots = 2 } },
	{ "class_background_ages", class_background_ages, { .slots = 2 } },
	{ "register_busy_is_retried", register_busy_is_retried },
	{ "register_busy_between_steps", register_busy_between_steps },
	{ "register_busy_keeps_order", register_busy_keeps_order },
	{ "polled_phase", polled_phase, .polled = true },
	{ "polled_phase_ends_and_returns", polled_phase_ends_and_returns, .polled = true },
	{}
};
