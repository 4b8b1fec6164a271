// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 6: verbs of several commands.
 */
#include "mock.h"

/* The posts of this test so far must be exactly these. */
static void expect_posts(struct test *t, const struct mock_post *posts, unsigned int nr)
{
	unsigned int i;

	if (!EXPECT_EQ(t, t->mock->posts, nr))
		return;
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(t, t->mock->log[i].step, posts[i].step);
		EXPECT_EQ(t, t->mock->log[i].undo, posts[i].undo);
		EXPECT_EQ(t, t->mock->log[i].slot, t->mock->log[0].slot);
	}
}

static void steps_in_order(struct test *t)
{
	static const struct mock_post posts[] = { { .step = 0 }, { .step = 1 }, { .step = 2 } };
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 3;
	run_to_end(request, 0);
	expect_posts(t, posts, 3);
	EXPECT_EQ(t, request->vrb.step, 2);
	EXPECT_EQ(t, counters(t).steps, 3);
	EXPECT_EQ(t, counters(t).slots_max, 1);
}

static void steps_stop_at_failure(struct test *t)
{
	static const struct mock_post posts[] = { { .step = 0 }, { .step = 1 } };
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 4;
	request->script.step[1].status = -EAGAIN;
	request->script.step[1].fw_status = 5;
	run_to_end(request, -EAGAIN);
	expect_posts(t, posts, 2);
	EXPECT_EQ(t, request->vrb.step, 1);
	EXPECT_EQ(t, request->vrb.fw_status, 5);
	EXPECT_EQ(t, counters(t).undone, 0);
}

static void steps_undo(struct test *t)
{
	static const struct mock_post posts[] = {
		{ .step = 0 }, { .step = 1 }, { .step = 2 },
		{ .step = 1, .undo = true }, { .step = 0, .undo = true },
	};
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 3;
	request->script.undo = true;
	request->script.step[2].status = -ENOMEM;
	request->script.step[2].fw_status = 9;
	run_to_end(request, -ENOMEM);
	expect_posts(t, posts, 5);
	EXPECT_EQ(t, request->vrb.step, 2);
	EXPECT_EQ(t, request->vrb.fw_status, 9);
	EXPECT_EQ(t, counters(t).undone, 1);
}

static void steps_undo_of_the_first(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 2;
	request->script.undo = true;
	request->script.step[0].status = -ENOMEM;
	run_to_end(request, -ENOMEM);
	EXPECT_EQ(t, request->script.posts, 1);
	EXPECT_EQ(t, request->vrb.step, 0);
}

static void steps_undo_failure_fails_device(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 2;
	request->script.undo = true;
	request->script.undo_status = -EINVAL;
	request->script.step[1].status = -ENOMEM;
	run_to_end(request, -EIO);
	wait_failed(t);
	EXPECT_EQ(t, t->mock->quiesces, 1);
}

static void steps_may_be_skipped(struct test *t)
{
	static const struct mock_post posts[] = { { .step = 1 }, { .step = 3 } };
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 4;
	request->script.step[0].flags = MOCK_SKIP;
	request->script.step[2].flags = MOCK_SKIP;
	run_to_end(request, 0);
	expect_posts(t, posts, 2);
}

static void steps_may_end_early(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 4;
	request->script.step[2].flags = MOCK_LAST;
	run_to_end(request, 0);
	EXPECT_EQ(t, request->script.posts, 2);
}

static void steps_undo_skips(struct test *t)
{
	static const struct mock_post posts[] = {
		{ .step = 0 }, { .step = 2 }, { .step = 0, .undo = true },
	};
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 3;
	request->script.undo = true;
	request->script.step[1].flags = MOCK_SKIP;
	request->script.step[2].status = -ENOMEM;
	run_to_end(request, -ENOMEM);
	expect_posts(t, posts, 3);
	EXPECT_EQ(t, request->vrb.step, 2);
}

static void steps_encode_failure(struct test *t)
{
	struct mock_request *first = new_request(t, 1), *later = new_request(t, 2);

	first->script.step[0].flags = MOCK_REFUSE;
	run_to_end(first, -EINVAL);
	EXPECT_EQ(t, t->mock->posts, 0);
	later->script.nr_steps = 2;
	later->script.undo = true;
	later->script.step[1].flags = MOCK_REFUSE;
	run_to_end(later, -EINVAL);
	EXPECT_EQ(t, later->script.posts, 2);	/* step 0, and its undo */
	EXPECT_EQ(t, later->vrb.step, 1);
}

#define LONG	70000		/* more than 16 bits count */

static int long_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return vrb->step == LONG - 1 ? -ENOMEM : vrb->step ? VRB_NEXT : VRB_POST;
}

static int nothing_to_undo(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct mock_script *script = container_of(vrb, struct mock_head, vrb)->script;

	script->undos++;
	return vrb->step ? VRB_NEXT : VRB_POST;
}

/* Any number of steps may have no command, forward and in the undo. */
static void steps_without_commands(struct test *t)
{
	struct vrb_step *steps = test_alloc(t, LONG * sizeof(*steps));
	struct vrb_verb *verb = test_alloc(t, sizeof(*verb));
	struct mock_request *request = new_request(t, 1);
	int i;

	for (i = 0; i < LONG; i++)
		steps[i] = (struct vrb_step){ .name = "long", .encode = long_encode,
					      .undo = nothing_to_undo };
	*verb = (struct vrb_verb){ .name = "long", .class = VRB_CLASS_NORMAL, .steps = steps,
				   .nr_steps = LONG };
	request->vrb.verb = verb;
	run_to_end(request, -ENOMEM);
	EXPECT_EQ(t, request->vrb.step, LONG - 1);
	EXPECT_EQ(t, request->script.undos, LONG - 1);
	EXPECT_EQ(t, request->script.posts, 2);
	EXPECT_EQ(t, counters(t).undone, 1);
	EXPECT(t, !vrb_device_failed(t->dev));
}

static int count_rounds(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	struct mock_script *script = container_of(vrb, struct mock_head, vrb)->script;

	return result->status ?: ++script->dones < 300 ? VRB_AGAIN : VRB_NEXT;
}

static int post_always(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_POST;
}

/* One row may issue any number of commands. */
static void steps_may_be_repeated(struct test *t)
{
	static const struct vrb_step steps[] = {
		{ .name = "again", .encode = post_always, .done = count_rounds },
		{ .name = "once", .encode = post_always },
	};
	static const struct vrb_verb verb = { .name = "rounds", .class = VRB_CLASS_NORMAL,
					      VRB_STEPS(steps) };
	struct mock_request *request = new_request(t, 1);

	request->vrb.verb = &verb;
	request->script.step[0].latency_ns = 1000;
	run_to_end(request, 0);
	EXPECT_EQ(t, request->script.posts, 301);
	EXPECT_EQ(t, request->vrb.step, 1);
}

static int refuse(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return -EINVAL;
}

static const struct vrb_step no_way_back[] = {
	{ .name = "first", .encode = post_always, .undo = refuse },
	{ .name = "second", .encode = refuse },
};

/* The device also fails if the verb itself says that a step cannot be undone. */
static void steps_undo_refused_fails_device(struct test *t)
{
	static const struct vrb_verb verb = { .name = "stuck", .class = VRB_CLASS_NORMAL,
					      VRB_STEPS(no_way_back) };
	struct mock_request *request = new_request(t, 1);

	request->vrb.verb = &verb;
	run_to_end(request, -EIO);
	wait_failed(t);
}

static bool two_posts(void *arg)
{
	struct mock_request *request = arg;

	return READ_ONCE(request->script.posts) == 2;
}

static void steps_of_others_interleave(struct test *t)
{
	struct mock_request *slow = new_request(t, 1), *quick = new_request(t, 2);

	slow->script.nr_steps = 2;
	slow->script.step[1].flags = MOCK_HOLD;
	submit(slow);
	run_to_end(quick, 0);
	EXPECT_EQ(t, slow->calls, 0);
	EXPECT(t, wait_until(two_posts, slow));
	let_go(slow);
	wait_over(slow, 0);
}

const struct test_case steps_tests[] = {
	{ "steps_in_order", steps_in_order },
	{ "steps_stop_at_failure", steps_stop_at_failure },
	{ "steps_undo", steps_undo },
	{ "steps_undo_of_the_first", steps_undo_of_the_first },
	{ "steps_undo_failure_fails_device", steps_undo_failure_fails_device },
	{ "steps_undo_skips", steps_undo_skips },
	{ "steps_may_be_skipped", steps_may_be_skipped },
	{ "steps_may_end_early", steps_may_end_early },
	{ "steps_encode_failure", steps_encode_failure },
	{ "steps_of_others_interleave", steps_of_others_interleave },
	{ "steps_without_commands", steps_without_commands },
	{ "steps_may_be_repeated", steps_may_be_repeated },
	{ "steps_undo_refused_fails_device", steps_undo_refused_fails_device },
	{}
};
