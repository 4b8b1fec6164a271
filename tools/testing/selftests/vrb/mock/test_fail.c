// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 10: device failure.
 */
#include "mock.h"

#define SEVERAL	100

static void fail_completes_queued_and_issued(struct test *t)
{
	struct mock_request *request[SEVERAL];
	int i;

	for (i = 0; i < SEVERAL; i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	vrb_device_fail(t->dev, "on request");
	for (i = 0; i < SEVERAL; i++)
		wait_over(request[i], -EIO);
	wait_failed(t);
	EXPECT_EQ(t, t->mock->quiesces, 1);
	EXPECT_EQ(t, counters(t).failed, SEVERAL);
}

static void fail_completes_behind_a_busy_register(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	t->mock->busy = MOCK_STUCK;
	submit(request);
	vrb_device_fail(t->dev, "on request");
	wait_over(request, -EIO);
}

static void fail_completes_destroys_with_success(struct test *t)
{
	struct mock_request *gone[2] = { new_request(t, 1), new_request(t, 2) };
	struct mock_request *queued = new_request(t, 3), *use = held_request(t, 4);
	struct completion released[2];
	struct mock_object *object[2];

	object[0] = new_object(t, 8, &released[0]);
	object[1] = new_object(t, 9, &released[1]);
	object[0]->destroy.step[0].flags = MOCK_HOLD;
	destroy_with(object[0], gone[0]);	/* issued */
	use->vrb.object = &object[1]->object;
	submit(use);
	wait_posted(use);
	destroy_with(object[1], gone[1]);	/* queued behind it */
	queued->vrb.object = &object[1]->object;
	EXPECT_EQ(t, vrb_submit(t->client, &queued->vrb), -ESHUTDOWN);
	vrb_device_fail(t->dev, "on request");
	wait_over(gone[0], 0);
	wait_over(use, -EIO);
	wait_over(gone[1], 0);
	wait_released(t, &released[0]);
	wait_released(t, &released[1]);
}

static void fail_releases_zombies(struct test *t)
{
	struct mock_request *lost = held_request(t, 1), *gone = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_uncertain_object(t, lost, &released);
	destroy_with(object, gone);
	vrb_device_fail(t->dev, "on request");
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT_EQ(t, counters(t).zombies_reaped, 0);
}

static void fail_refuses_requests_but_not_destroys(struct test *t)
{
	struct mock_request *after = new_request(t, 1), *gone = new_request(t, 2);
	struct completion released[2];
	struct mock_object *parent, *child;

	parent = new_object(t, 8, &released[0]);
	vrb_device_fail(t->dev, "on request");
	wait_failed(t);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -EIO);
	child = new_object(t, 9, &released[1]);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	destroy_with(parent, gone);
	usleep_range(1000, 2000);
	EXPECT_EQ(t, gone->calls, 0);	/* the owner must still destroy children first */
	destroy(child);
	wait_over(gone, 0);
	wait_released(t, &released[0]);
	wait_released(t, &released[1]);
	EXPECT_EQ(t, t->mock->posts, 0);
}

static void fail_only_once(struct test *t)
{
	vrb_device_fail(t->dev, "on request");
	vrb_device_fail(t->dev, "again");
	wait_failed(t);
	vrb_device_fail(t->dev, "and again");
	usleep_range(1000, 2000);
	EXPECT_EQ(t, t->mock->quiesces, 1);
	EXPECT_EQ(t, t->mock->failures, 1);
}

static void fail_it(void *arg)
{
	struct test *t = arg;

	vrb_device_fail(t->dev, "from softirq");
}

static void fail_from_softirq(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	in_softirq_do(fail_it, t);
	wait_over(request, -EIO);
}

static void fail_when_post_fails(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	t->mock->post_error = true;
	run_to_end(request, -EIO);
	wait_failed(t);
	EXPECT_EQ(t, t->mock->quiesces, 1);
}

static void fail_ignores_later_completions(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	wait_posted(request);
	vrb_device_fail(t->dev, "on request");
	wait_over(request, -EIO);
	mock_inject(t->mock, t->mock->command[t->mock->log[0].slot].token);
	usleep_range(2000, 3000);
	EXPECT_EQ(t, request->calls, 1);
	EXPECT_EQ(t, counters(t).stray, 0);
}

static void revive_after_reset(struct test *t)
{
	struct mock_request *before = held_request(t, 1), *after = new_request(t, 2);
	struct mock_request *stale = new_request(t, 3), *gone = new_request(t, 4);
	struct completion released, child_released;
	struct mock_object *object, *child;

	EXPECT_EQ(t, vrb_device_revive(t->dev), -EINVAL);
	object = new_object(t, 9, &released);
	submit(before);
	vrb_device_fail(t->dev, "on request");
	wait_over(before, -EIO);
	wait_failed(t);
	mock_reset(t->mock);
	EXPECT_EQ(t, vrb_device_revive(t->dev), 0);
	EXPECT(t, !vrb_device_failed(t->dev));
	EXPECT_EQ(t, t->mock->slots, 1);
	run_to_end(after, 0);
	/* The hardware does not know objects from before the failure. */
	stale->vrb.object = &object->object;
	EXPECT_EQ(t, vrb_submit(t->client, &stale->vrb), -ESTALE);
	child = new_object(t, 10, &child_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &object->object), -ESTALE);
	/* The child has no parent. Its destroy has a command, that of the old object has none. */
	destroy_with(object, gone);
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT_EQ(t, t->mock->posts, 2);
	destroy(child);
	wait_released(t, &child_released);
	EXPECT_EQ(t, t->mock->posts, 3);
}

/* The provider has not set the number of slots yet. */
static void submit_meanwhile(struct mock *mock)
{
	struct mock_request *request = mock->on_slots_data;

	submit(request);
	EXPECT_EQ(request->test, request->script.posts, 0);
}

static void revive_issues_only_at_its_end(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	vrb_device_fail(t->dev, "on request");
	wait_failed(t);
	mock_reset(t->mock);
	t->mock->on_slots = submit_meanwhile;
	t->mock->on_slots_data = request;
	EXPECT_EQ(t, vrb_device_revive(t->dev), 0);
	t->mock->on_slots = NULL;
	wait_over(request, 0);
}

/* stop.sh checks the log: it must name the step that failed, not the one before it. */
static void fail_names_the_step(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.nr_steps = 2;
	object->destroy.step[0].fw_status = 7;
	object->destroy.step[1].flags = MOCK_HOLD;
	destroy(object);
	wait_released(t, &released);
	wait_failed(t);
}

/* stop.sh checks the log: it must name the status. */
static void fail_names_the_status(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.step[0].status = -EIO;
	object->destroy.step[0].fw_status = 7;
	destroy(object);
	wait_released(t, &released);
	wait_failed(t);
}

static void device_config_is_checked(struct test *t)
{
	static const struct vrb_device_config bad[] = {
		{ .name = NULL, .slots = 2 }, { .name = "", .slots = 2 },
		{ .name = "none" }, { .name = "none", .slots = 257 },
	};
	static const struct vrb_device_config good = { .name = "none", .slots = 2 };
	static const struct vrb_provider_ops no_ops;
	int i;

	EXPECT_EQ(t, PTR_ERR(vrb_device_create(&no_ops, NULL, &good)), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(t, PTR_ERR(vrb_device_create(&mock_ops, NULL, &bad[i])), -EINVAL);
}

const struct test_case fail_tests[] = {
	{ "fail_completes_queued_and_issued", fail_completes_queued_and_issued },
	{ "fail_completes_behind_a_busy_register",
	  fail_completes_behind_a_busy_register },
	{ "fail_completes_destroys_with_success", fail_completes_destroys_with_success },
	{ "fail_releases_zombies", fail_releases_zombies, { .issue_timeout_ms = 100 } },
	{ "fail_refuses_requests_but_not_destroys", fail_refuses_requests_but_not_destroys },
	{ "fail_only_once", fail_only_once },
	{ "fail_from_softirq", fail_from_softirq },
	{ "fail_when_post_fails", fail_when_post_fails },
	{ "fail_ignores_later_completions", fail_ignores_later_completions },
	{ "revive_after_reset", revive_after_reset },
	{ "revive_issues_only_at_its_end", revive_issues_only_at_its_end },
	{ "fail_names_the_step", fail_names_the_step, { .issue_timeout_ms = 300 } },
	{ "fail_names_the_status", fail_names_the_status },
	{ "device_config_is_checked", device_config_is_checked },
	{}
};
