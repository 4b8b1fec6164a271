// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 14: what debugfs shows. These tests hold the engine in a known state, which visible.sh
 * checks.
 */
#include "mock.h"

/* One request issued and one queued on an object that is a child of another. */
static void visible_requests(struct test *t)
{
	struct mock_request *issued = held_request(t, 1), *queued = new_request(t, 2);
	struct completion released[2];
	struct mock_object *parent, *child;

	parent = new_object(t, 0x77, &released[0]);
	child = new_object(t, 0x88, &released[1]);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	issued->vrb.object = &child->object;
	queued->vrb.object = &child->object;
	submit(issued);
	submit(queued);
	wait_posted(issued);
	wait_for_visitor(t);
	let_go(issued);
	wait_over(issued, 0);
	wait_over(queued, 0);
	destroy(child);
	destroy(parent);
	wait_released(t, &released[0]);
	wait_released(t, &released[1]);
}

/* A zombie without a destroy, which would only wait for a limited time. */
static void visible_zombie(struct test *t)
{
	struct mock_request *lost = held_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 0x99, &released);
	lost->vrb.object = &object->object;
	run_to_end(lost, -ETIMEDOUT);
	wait_for_visitor(t);
	destroy(object);
	let_go(lost);
	wait_released(t, &released);
}

/* A request that has failed and is being undone */
static void visible_undo(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.nr_steps = 2;
	request->script.undo = true;
	request->script.undo_flags = MOCK_HOLD;
	request->script.step[1].status = -EINVAL;
	request->script.step[1].fw_status = 7;
	submit(request);
	while (READ_ONCE(request->script.posts) < 3)
		usleep_range(100, 200);
	wait_for_visitor(t);
	let_go(request);
	wait_over(request, -EINVAL);
}

/* An await has neither a step nor a slot. */
static void visible_awaits(struct test *t)
{
	struct typed_request *await = new_typed(t);

	vrb_prep_await_event(&await->await_event, BIT_ULL(IB_EVENT_SM_CHANGE));
	submit_typed(await);
	wait_for_visitor(t);
	vrb_kill(&await->vrb);
}

/* Every transition once, for the tracepoints; the failure comes last. */
static void visible_transitions(struct test *t)
{
	struct mock_request *request = new_request(t, 1), *lost = held_request(t, 2);
	struct mock_request *undone = new_request(t, 3), *inbox = new_request(t, 4);
	struct mock_request *cancelled = new_request(t, 5);
	struct mock_object *object;
	struct completion released;

	local_bh_disable();
	local_irq_disable();
	submit(inbox);
	submit(cancelled);
	local_irq_enable();
	vrb_cancel(&cancelled->vrb);
	local_bh_enable();
	wait_over(inbox, 0);
	wait_over(cancelled, -ECANCELED);
	t->mock->busy = 1;
	run_to_end(request, 0);
	run_to_end(lost, -ETIMEDOUT);
	let_go(lost);
	object = new_object(t, 9, &released);
	undone->vrb.object = &object->object;
	undone->script.nr_steps = 2;
	undone->script.undo = true;
	undone->script.step[0].flags = MOCK_WAIT_AFTER;
	undone->script.step[1].status = -EINVAL;
	undone->script.step[1].fw_status = 7;
	submit(undone);
	while (!READ_ONCE(undone->script.waited))
		usleep_range(100, 200);
	vrb_resume(&object->object);
	wait_over(undone, -EINVAL);
	undone->vrb.flags = 0x80;
	EXPECT_EQ(t, vrb_submit(t->client, &undone->vrb), -EINVAL);
	destroy(object);
	wait_released(t, &released);
	wait_for_visitor(t);
	vrb_device_fail(t->dev, "for the record");
	wait_failed(t);
}

const struct test_case visible_tests[] = {
	{ "visible_requests", visible_requests, .kind = VISIBLE },
	{ "visible_undo", visible_undo, .kind = VISIBLE },
	{ "visible_zombie", visible_zombie, { .issue_timeout_ms = 100 }, .kind = VISIBLE },
	{ "visible_awaits", visible_awaits, .kind = VISIBLE, .verbs = true },
	{ "visible_transitions", visible_transitions, { .issue_timeout_ms = 200 },
	  .kind = VISIBLE },
	{}
};
