// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 1: misuse of the API that the kernel warns of. Each of these warnings appears once per boot.
 */
#include <linux/rcupdate.h>

#include "mock.h"

static void cancel_in_hardirq(void *arg)
{
	struct mock_request *request = arg;

	request->status = vrb_cancel(&request->vrb);
}

static void misuse_cancel_in_hardirq(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	wait_posted(request);
	in_hardirq_do(cancel_in_hardirq, request);
	EXPECT_EQ(t, request->status, -EINVAL);
	let_go(request);
	wait_over(request, 0);
}

static void never_idle(struct vrb_group *group)
{
	pr_err("vrb_mock: a notification that was refused\n");
}

static void groups_in_hardirq(void *arg)
{
	struct vrb_group *group = arg;

	vrb_group_poison(group);
	vrb_group_cancel(group);
	vrb_group_notify(group, never_idle);
	vrb_client_shut(group->client);
}

/* None of these calls has an effect: the device lock must not be taken in hard IRQ. */
static void misuse_groups_in_hardirq(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = held_request(t, 2);
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	first->vrb.group = &group;
	second->vrb.group = &group;
	submit(first);
	wait_posted(first);
	in_hardirq_do(groups_in_hardirq, &group);
	submit(second);
	wait_posted(second);
	let_go(first);
	let_go(second);
	wait_over(first, 0);
	wait_over(second, 0);
	vrb_group_drain(&group);
	EXPECT(t, !group.notify);
}

/* A notification without a callback is ignored, so the fence does not wait for it. */
static void misuse_notify_without_a_callback(struct test *t)
{
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	vrb_group_notify(&group, NULL);
	vrb_client_unregister(t->client);
	t->client = NULL;
}

static void misuse_wait_with_callback(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	EXPECT_EQ(t, vrb_wait(&request->vrb), -EINVAL);
	let_go(request);
	wait_over(request, 0);
}

static int wait_for_nothing(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_WAIT;
}

static void misuse_wait_without_an_object(struct test *t)
{
	static const struct vrb_step steps[] = { { .name = "wait", .encode = wait_for_nothing } };
	static const struct vrb_verb verb = { .name = "wait", .class = VRB_CLASS_NORMAL,
					      VRB_STEPS(steps) };
	struct mock_request *request = new_request(t, 1);

	request->vrb.verb = &verb;
	run_to_end(request, -EINVAL);
}

static int post_it(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_POST;
}

static int refuse_it(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return -EINVAL;
}

static int undone_waits(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	return VRB_WAIT;
}

/* Runs a verb whose second step fails, on an object; the undo of the first waits. */
static void wait_while_undoing(struct test *t, const struct vrb_verb *verb)
{
	struct mock_request *request = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request->vrb.object = &object->object;
	request->vrb.verb = verb;
	run_to_end(request, -EIO);
	wait_failed(t);
	destroy(object);
	wait_released(t, &released);
}

static void misuse_wait_in_undo(struct test *t)
{
	static const struct vrb_step steps[] = {
		{ .name = "first", .encode = post_it, .undo = wait_for_nothing },
		{ .name = "second", .encode = refuse_it },
	};
	static const struct vrb_verb verb = { .name = "undo waits", .class = VRB_CLASS_NORMAL,
					      VRB_STEPS(steps) };

	wait_while_undoing(t, &verb);
}

static void misuse_wait_in_undone(struct test *t)
{
	static const struct vrb_step steps[] = {
		{ .name = "first", .encode = post_it, .undo = post_it, .undone = undone_waits },
		{ .name = "second", .encode = refuse_it },
	};
	static const struct vrb_verb verb = { .name = "undone waits", .class = VRB_CLASS_NORMAL,
					      VRB_STEPS(steps) };

	wait_while_undoing(t, &verb);
}

/* A device that the test ends itself; NULL: there is none */
static struct test *second_device(struct test *t)
{
	static const struct test_case second = { .config.name = "second" };
	struct test *other = test_alloc(t, sizeof(*other));

	*other = *t;
	other->mock = mock_create(&second);
	if (!EXPECT(t, !IS_ERR(other->mock)))
		return NULL;
	other->dev = other->mock->dev;
	other->client = vrb_device_client(other->dev);
	return other;
}

/* A child that is never destroyed is reported; nobody waits for it. */
static void misuse_leak_is_not_waited_for(struct test *t)
{
	struct completion parent_released, child_released;
	struct mock_object *parent, *child;
	struct test *other = second_device(t);

	if (!other)
		return;
	parent = new_object(other, 8, &parent_released);
	child = new_object(other, 9, &child_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	EXPECT_EQ(t, vrb_destroy(other->client, &parent->object, NULL, NULL), -EINPROGRESS);
	vrb_device_destroy(other->dev);
	EXPECT(t, !completion_done(&parent_released));
	mock_free(other->mock);
}

struct resuming {
	struct work_struct work;
	struct vrb_object *object;
	struct completion begun;
};

static void resume_there(struct work_struct *work)
{
	struct resuming *resuming = container_of(work, struct resuming, work);

	local_bh_disable();		/* the pump waits */
	vrb_resume(resuming->object);
	complete(&resuming->begun);
	mdelay(100);			/* the end of the device gets to sleep */
	local_bh_enable();
}

/* Nor is it waited for if the pump still has to look at it: no request will end after that. */
static void misuse_leak_that_was_resumed(struct test *t)
{
	struct test *other = stay_on_cpu0(t) ? second_device(t) : NULL;
	struct completion released;
	struct resuming resuming;

	if (!other)
		return;
	resuming.object = &new_object(other, 9, &released)->object;
	init_completion(&resuming.begun);
	INIT_WORK_ONSTACK(&resuming.work, resume_there);
	schedule_work_on(1, &resuming.work);
	wait_for_completion(&resuming.begun);
	vrb_device_destroy(other->dev);
	flush_work(&resuming.work);
	destroy_work_on_stack(&resuming.work);
	EXPECT(t, !completion_done(&released));
	mock_free(other->mock);
	leave_cpu0();
}

/* The callback of the request whose memory has been freed. */
static void freed_done(struct vrb *vrb)
{
	struct mock_head *head = container_of(vrb, struct mock_head, vrb);
	struct mock_request *request = container_of(head->script, struct mock_request, script);

	request->calls++;
	request->status = vrb->status;
	complete(&request->over);
}

/*
 * The cache does not change freed memory while RCU readers may look at it. So the engine can go on
 * with the request, and a warning is the only effect.
 */
static void free_while_queued(struct kmem_cache *cache, struct mock_head *head,
			      struct mock_request *first, struct mock_request *second)
{
	unsigned long patience = jiffies + MOCK_PATIENCE;

	rcu_read_lock();
	kmem_cache_free(cache, head);
	let_go(first);
	while (!completion_done(&second->over) && time_before(jiffies, patience))
		cpu_relax();
	rcu_read_unlock();
}

static void misuse_free_of_a_queued_request(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct kmem_cache *cache;
	struct mock_head *head;

	if (!IS_ENABLED(CONFIG_DEBUG_OBJECTS_FREE)) {
		test_skip(t, "the kernel has no CONFIG_DEBUG_OBJECTS_FREE");
		return;
	}
	cache = kmem_cache_create("vrb_mock_freed", sizeof(*head), 0, SLAB_TYPESAFE_BY_RCU, NULL);
	if (!EXPECT(t, cache))
		return;
	head = kmem_cache_zalloc(cache, GFP_KERNEL);
	if (!EXPECT(t, head))
		goto destroy_cache;
	vrb_prep(&head->vrb, &mock_verb, NULL);
	head->vrb.done = freed_done;
	head->script = &second->script;
	submit(first);
	wait_posted(first);
	EXPECT_EQ(t, vrb_submit(t->client, &head->vrb), -EINPROGRESS);
	free_while_queued(cache, head, first, second);
	wait_over(first, 0);
	wait_over(second, 0);

destroy_cache:
	kmem_cache_destroy(cache);
}

const struct test_case misuse_tests[] = {
	{ "misuse_cancel_in_hardirq", misuse_cancel_in_hardirq, .kind = MISUSE },
	{ "misuse_groups_in_hardirq", misuse_groups_in_hardirq, .kind = MISUSE },
	{ "misuse_notify_without_a_callback", misuse_notify_without_a_callback, .kind = MISUSE },
	{ "misuse_wait_with_callback", misuse_wait_with_callback, .kind = MISUSE },
	{ "misuse_leak_is_not_waited_for", misuse_leak_is_not_waited_for, .kind = MISUSE },
	{ "misuse_leak_that_was_resumed", misuse_leak_that_was_resumed, .kind = MISUSE },
	{ "misuse_wait_without_an_object", misuse_wait_without_an_object, .kind = MISUSE },
	{ "misuse_wait_in_undo", misuse_wait_in_undo, .kind = MISUSE },
	{ "misuse_wait_in_undone", misuse_wait_in_undone, .kind = MISUSE },
	{ "misuse_free_of_a_queued_request", misuse_free_of_a_queued_request, .kind = MISUSE,
	  .one_slot = true },
	{}
};
