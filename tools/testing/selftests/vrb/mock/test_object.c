// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 2 and 9: objects, references, destroys.
 */
#include <linux/workqueue.h>

#include "mock.h"

#define MANY 100

/* A provider's table of objects, which is read under RCU; it has at most this one. */
static struct table {
	struct mock_object *object;
	struct work_struct work;
	struct test *test;
	unsigned int gots;
} the_table;

static void destroy_releases_object(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.nr_steps = 3;
	destroy_with(object, gone);
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT_EQ(t, t->mock->posts, 3);
}

static void destroy_can_be_waited_for(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), 0);
	wait_released(t, &released);
}

/* As clients of ib_core do: deregister, then deallocate the PD, which must not be refused. */
static void destroy_wakes_when_parents_are_free(struct test *t)
{
	struct completion parent_released, child_released;
	struct mock_object *parent, *child;
	int i;

	parent = new_object(t, 8, &parent_released);
	for (i = 0; i < 50; i++) {
		child = new_object(t, 9, &child_released);
		EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
		EXPECT_EQ(t, vrb_destroy_wait(t->client, &child->object), 0);
		EXPECT(t, !vrb_object_has_children(&parent->object));
		EXPECT(t, completion_done(&child_released));
	}
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &parent->object), 0);
	EXPECT(t, completion_done(&parent_released));
}

static void destroy_cancels_queued(struct test *t)
{
	struct mock_request *issued = held_request(t, 1), *queued[3], *gone = new_request(t, 5);
	struct mock_object *object;
	struct completion released;
	int i;

	object = new_object(t, 9, &released);
	issued->vrb.object = &object->object;
	submit(issued);
	for (i = 0; i < 3; i++) {
		queued[i] = new_request(t, 2 + i);
		queued[i]->vrb.object = &object->object;
		submit(queued[i]);
	}
	destroy_with(object, gone);
	for (i = 0; i < 3; i++)
		wait_over(queued[i], -ECANCELED);
	EXPECT_EQ(t, gone->calls, 0);
	let_go(issued);
	wait_over(issued, 0);
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT_EQ(t, t->mock->posts, 2);
	EXPECT_EQ(t, t->mock->log[1].tag, 9);
}

static void destroy_refuses_new(struct test *t)
{
	struct mock_request *after = new_request(t, 1), *gone = new_request(t, 2);
	struct completion released, child_released;
	struct mock_object *object, *child;

	object = new_object(t, 9, &released);
	child = new_object(t, 10, &child_released);
	object->destroy.step[0].flags = MOCK_HOLD;
	after->vrb.object = &object->object;
	destroy_with(object, gone);
	EXPECT_EQ(t, vrb_submit(t->client, &after->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, vrb_destroy(t->client, &object->object, NULL, NULL), -EINVAL);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &object->object), -ESHUTDOWN);
	EXPECT_EQ(t, after->calls, 0);
	mock_release(t->mock, &object->destroy);
	wait_over(gone, 0);
	wait_released(t, &released);
	vrb_object_put(&child->object);
	wait_released(t, &child_released);
}

static void destroy_cannot_be_cancelled(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *gone = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	blocker->vrb.object = &object->object;
	submit(blocker);
	destroy_with(object, gone);
	EXPECT_EQ(t, vrb_cancel(&object->object.destroy), -EALREADY);
	let_go(blocker);
	wait_over(blocker, 0);
	wait_over(gone, 0);
	wait_released(t, &released);
}

static void destroy_goes_first(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *reserved = held_request(t, 2);
	struct mock_request *queued = new_request(t, 3), *gone = new_request(t, 4);
	struct mock_object *object;
	struct completion released;

	reserved->vrb.verb = &mock_verb_teardown;
	submit(blocker);
	submit(reserved);
	submit(queued);
	object = new_object(t, 9, &released);
	destroy_with(object, gone);
	let_go(blocker);
	let_go(reserved);
	wait_over(gone, 0);
	wait_over(queued, 0);
	wait_released(t, &released);
	EXPECT_EQ(t, t->mock->log[2].tag, 9);
}

static void destroy_waits_for_children(struct test *t)
{
	struct mock_request *parent_gone = new_request(t, 1), *child_gone = new_request(t, 2);
	struct completion parent_released, child_released;
	struct mock_object *parent, *child;

	parent = new_object(t, 8, &parent_released);
	child = new_object(t, 9, &child_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	EXPECT(t, vrb_object_has_children(&parent->object));
	destroy_with(parent, parent_gone);
	run_to_end(new_request(t, 3), 0);
	EXPECT_EQ(t, parent_gone->calls, 0);
	destroy_with(child, child_gone);
	wait_over(child_gone, 0);
	wait_over(parent_gone, 0);
	wait_released(t, &child_released);
	wait_released(t, &parent_released);
	/* The parent's command must come after the hardware has destroyed the child. */
	EXPECT_EQ(t, t->mock->log[1].tag, 9);
	EXPECT_EQ(t, t->mock->log[2].tag, 8);
}

static void destroy_waits_for_references(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	vrb_object_get(&object->object);
	EXPECT(t, !vrb_object_has_children(&object->object));
	destroy_with(object, gone);
	run_to_end(new_request(t, 3), 0);
	EXPECT_EQ(t, gone->calls, 0);
	vrb_object_put(&object->object);
	wait_over(gone, 0);
	wait_released(t, &released);
}

static void destroy_failure_fails_device(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.step[0].status = -EINVAL;
	destroy_with(object, gone);
	wait_over(gone, 0);
	wait_released(t, &released);
	wait_failed(t);
}

/* The hardware now accepts the destroy that it refused before. */
static void destroy_at_last(struct test *t, struct mock_object *object)
{
	object->destroy.step[0].status = 0;
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), 0);
}

static void destroy_may_be_refused_by_hardware(struct test *t)
{
	struct mock_request *use = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->object.destroy.verb = &mock_verb_refusable;
	object->destroy.nr_steps = 2;
	object->destroy.step[0].status = -EBUSY;
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), -EBUSY);
	EXPECT(t, !vrb_device_failed(t->dev));
	use->vrb.object = &object->object;	/* still alive */
	run_to_end(use, 0);
	destroy_at_last(t, object);
	wait_released(t, &released);
}

static void destroy_refused_halfway_fails_device(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->object.destroy.verb = &mock_verb_refusable;
	object->destroy.nr_steps = 2;
	object->destroy.step[1].status = -EBUSY;
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), 0);
	wait_released(t, &released);
	wait_failed(t);
}

/* Unless the verb says that it may be refused, -EBUSY is a failure like any other. */
static void destroy_that_may_not_be_refused(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.step[0].status = -EBUSY;
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), 0);
	EXPECT(t, completion_done(&released));
	wait_failed(t);
}

/* If nobody waits, nobody can be told of the refusal, so the device fails. */
static void destroy_refused_to_no_waiter_fails_device(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->object.destroy.verb = &mock_verb_refusable;
	object->destroy.step[0].status = -EBUSY;
	destroy(object);
	wait_released(t, &released);
	wait_failed(t);
}

static void destroy_it(void *arg)
{
	destroy(arg);
}

static void destroy_from_softirq(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	in_softirq_do(destroy_it, object);
	wait_released(t, &released);
}

/* A reference that was wrongly given is put, so that the test ends. */
static void tryget_refuses(struct test *t, struct mock_object *object)
{
	if (!EXPECT(t, !vrb_object_tryget(&object->object)))
		vrb_object_put(&object->object);
}

static void tryget_gives_a_reference(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	EXPECT(t, vrb_object_tryget(&object->object));
	EXPECT(t, !vrb_object_has_children(&object->object));
	vrb_object_put(&object->object);
	destroy(object);
	wait_released(t, &released);
}

static void tryget_delays_a_destroy(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	EXPECT(t, vrb_object_tryget(&object->object));
	destroy_with(object, gone);
	run_to_end(new_request(t, 3), 0);
	EXPECT_EQ(t, gone->calls, 0);
	EXPECT_EQ(t, t->mock->posts, 1);
	vrb_object_put(&object->object);
	wait_over(gone, 0);
	wait_released(t, &released);
}

static bool is_being_destroyed(void *arg)
{
	struct mock_object *object = arg;

	return READ_ONCE(object->destroy.posts);
}

/* The destroy is queued behind a reference, then issued; object_release() tries once more. */
static void tryget_refuses_a_dying_object(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.step[0].flags = MOCK_HOLD;
	vrb_object_get(&object->object);
	destroy_with(object, gone);
	tryget_refuses(t, object);
	vrb_object_put(&object->object);
	EXPECT(t, wait_until(is_being_destroyed, object));
	tryget_refuses(t, object);
	mock_release(t->mock, &object->destroy);
	wait_over(gone, 0);
	wait_released(t, &released);
}

/* Without a destroy: object_release() finds that a released object gives no reference. */
static void tryget_refuses_a_released_object(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	vrb_object_put(&object->object);
	wait_released(t, &released);
}

static void tryget_after_a_refused_destroy(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->object.destroy.verb = &mock_verb_refusable;
	object->destroy.step[0].status = -EBUSY;
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), -EBUSY);
	if (EXPECT(t, vrb_object_tryget(&object->object)))
		vrb_object_put(&object->object);
	destroy_at_last(t, object);
	wait_released(t, &released);
}

static void get_it(void *arg)
{
	struct mock_object *object = arg;

	EXPECT(object->test, vrb_object_tryget(&object->object));
}

static void be_refused(void *arg)
{
	struct mock_object *object = arg;

	tryget_refuses(object->test, object);
}

static void tryget_from_softirq(struct test *t)
{
	struct mock_request *gone = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	in_softirq_do(get_it, object);
	destroy_with(object, gone);
	in_softirq_do(be_refused, object);
	EXPECT_EQ(t, gone->calls, 0);
	vrb_object_put(&object->object);
	wait_over(gone, 0);
	wait_released(t, &released);
}

/* Looks the object up until it has left the table, as a provider's events do. */
static void look_up(struct work_struct *work)
{
	struct table *table = container_of(work, struct table, work);
	struct mock_object *object;
	bool got;

	do {
		rcu_read_lock();
		object = READ_ONCE(table->object);
		got = object && vrb_object_tryget(&object->object);
		rcu_read_unlock();
		if (got) {
			EXPECT_EQ(table->test, object->destroy.tag, 9);
			WRITE_ONCE(table->gots, table->gots + 1);
			vrb_object_put(&object->object);
		}
	} while (object && !table->test->failed);
}

static void leave_table(struct mock_object *object)
{
	WRITE_ONCE(the_table.object, NULL);
}

static bool was_found(void *arg)
{
	return READ_ONCE(the_table.gots);
}

static void tryget_races_with_destroy(struct test *t)
{
	struct completion released;
	int i;

	if (!stay_on_cpu0(t))
		return;
	the_table.test = t;
	INIT_WORK(&the_table.work, look_up);
	for (i = 0; i < 30 && !t->failed; i++) {
		the_table.gots = 0;
		the_table.object = new_object(t, 9, &released);
		the_table.object->leave = leave_table;
		schedule_work_on(1, &the_table.work);
		EXPECT(t, wait_until(was_found, NULL));
		EXPECT_EQ(t, vrb_destroy_wait(t->client, &the_table.object->object), 0);
		wait_released(t, &released);
		flush_work(&the_table.work);
	}
	leave_cpu0();
}

static bool is_waiting(void *arg)
{
	struct mock_request *request = arg;

	return READ_ONCE(request->script.waited);
}

static void object_unknown_to_hardware(struct test *t)
{
	struct completion parent_released, child_released;
	struct mock_object *parent, *child;

	parent = new_object(t, 8, &parent_released);
	child = new_object(t, 9, &child_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	vrb_object_put(&parent->object);
	EXPECT(t, !completion_done(&parent_released));
	vrb_object_put(&child->object);
	wait_released(t, &child_released);
	wait_released(t, &parent_released);
	EXPECT_EQ(t, t->mock->posts, 0);
}

/* The waiting destroy goes on, although nobody but this thread can tell the pump. */
static void last_use_ends_in_process_context(struct test *t)
{
	struct completion *released = test_alloc(t, 4 * sizeof(*released));
	struct mock_object *object[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		object[i] = new_object(t, i, &released[i]);
	vrb_object_hold(&object[0]->object);
	EXPECT_EQ(t, vrb_object_add_parent(&object[2]->object, &object[1]->object), 0);
	destroy(object[0]);
	destroy(object[1]);
	usleep_range(2000, 3000);	/* the pump has nothing left to do */
	vrb_object_unhold(&object[0]->object);
	wait_released(t, &released[0]);
	vrb_object_drop_parent(&object[2]->object, &object[1]->object);
	wait_released(t, &released[1]);
	EXPECT_EQ(t, vrb_object_add_parent(&object[3]->object, &object[2]->object), 0);
	destroy(object[2]);
	usleep_range(2000, 3000);
	object[3]->abandoned = true;
	vrb_object_abandon(&object[3]->object);
	EXPECT(t, completion_done(&released[3]));
	wait_released(t, &released[2]);
}

/* The pump handles all news of an object that came before its run. */
static void news_of_an_object_are_merged(struct test *t)
{
	struct mock_request *first = new_request(t, 0), *queued[MANY];
	struct mock_object *object;
	struct completion released;
	unsigned int i;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	first->script.step[0].flags = MOCK_WAIT;
	submit(first);
	EXPECT(t, wait_until(is_waiting, first));
	for (i = 0; i < MANY; i++) {
		queued[i] = new_request(t, 1 + i);
		queued[i]->vrb.object = &object->object;
		submit(queued[i]);
	}
	local_bh_disable();
	destroy(object);		/* cancels some, and leaves the rest to the pump */
	vrb_resume(&object->object);
	local_bh_enable();
	wait_over(first, -ECANCELED);
	for (i = 0; i < MANY; i++)
		wait_over(queued[i], -ECANCELED);
	wait_released(t, &released);
}

static void object_parents_are_limited(struct test *t)
{
	struct completion released[VRB_MAX_PARENTS + 2];
	struct mock_object *object[VRB_MAX_PARENTS + 2];
	int i;

	for (i = 0; i < ARRAY_SIZE(object); i++)
		object[i] = new_object(t, i, &released[i]);
	for (i = 1; i <= VRB_MAX_PARENTS; i++)
		EXPECT_EQ(t, vrb_object_add_parent(&object[0]->object, &object[i]->object), 0);
	EXPECT_EQ(t, vrb_object_add_parent(&object[0]->object, &object[i]->object), -ENOSPC);
	for (i = ARRAY_SIZE(object) - 1; i >= 0; i--)
		destroy(object[i]);
	for (i = 0; i < ARRAY_SIZE(object); i++)
		wait_released(t, &released[i]);
}

/* No timer runs the pump before the test gives up. */
#define NEVER { .issue_timeout_ms = 600000 }

const struct test_case object_tests[] = {
	{ "destroy_releases_object", destroy_releases_object },
	{ "destroy_can_be_waited_for", destroy_can_be_waited_for },
	{ "destroy_wakes_when_parents_are_free", destroy_wakes_when_parents_are_free },
	{ "destroy_cancels_queued", destroy_cancels_queued },
	{ "destroy_refuses_new", destroy_refuses_new },
	{ "destroy_cannot_be_cancelled", destroy_cannot_be_cancelled },
	{ "destroy_goes_first", destroy_goes_first, { .slots = 2 } },
	{ "destroy_waits_for_children", destroy_waits_for_children },
	{ "destroy_waits_for_references", destroy_waits_for_references },
	{ "destroy_failure_fails_device", destroy_failure_fails_device },
	{ "destroy_may_be_refused_by_hardware", destroy_may_be_refused_by_hardware },
	{ "destroy_refused_halfway_fails_device", destroy_refused_halfway_fails_device },
	{ "destroy_that_may_not_be_refused", destroy_that_may_not_be_refused },
	{ "destroy_refused_to_no_waiter_fails_device", destroy_refused_to_no_waiter_fails_device },
	{ "destroy_from_softirq", destroy_from_softirq },
	{ "tryget_gives_a_reference", tryget_gives_a_reference },
	{ "tryget_delays_a_destroy", tryget_delays_a_destroy },
	{ "tryget_refuses_a_dying_object", tryget_refuses_a_dying_object },
	{ "tryget_refuses_a_released_object", tryget_refuses_a_released_object },
	{ "tryget_after_a_refused_destroy", tryget_after_a_refused_destroy },
	{ "tryget_from_softirq", tryget_from_softirq },
	{ "tryget_races_with_destroy", tryget_races_with_destroy },
	{ "object_unknown_to_hardware", object_unknown_to_hardware },
	{ "last_use_ends_in_process_context", last_use_ends_in_process_context, NEVER },
	{ "news_of_an_object_are_merged", news_of_an_object_are_merged },
	{ "object_parents_are_limited", object_parents_are_limited },
	{}
};
