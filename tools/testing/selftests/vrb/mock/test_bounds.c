// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tests that the device lock is held for at most 64 requests at a time, and that one run makes at
 * most 64 callbacks, however many requests there are. mock_run.c and mock_callback() check that in
 * every test. These tests have 100000 requests.
 */
#include <linux/vmalloc.h>

#include "mock.h"

#define MANY	100000
#define SOME	10000
#define SLOTS	8

struct crowd {
	struct test *test;
	struct crowd_request {
		struct mock_head head;
		struct crowd *crowd;
		bool over;
	} *request;
	unsigned int many;
	struct mock_script script;
	atomic_t over;
	int status;
	unsigned int wrong, twice;
	struct mock_request *held[SLOTS - 1];
};

static void crowd_done(struct vrb *vrb)
{
	struct crowd_request *request = container_of(vrb, struct crowd_request, head.vrb);
	struct crowd *crowd = request->crowd;

	mock_callback(crowd->test->mock, vrb->status);
	crowd->wrong += vrb->status != crowd->status;
	crowd->twice += request->over;
	request->over = true;
	atomic_inc(&crowd->over);
}

/* Nothing submitted after this is issued, because no slot is free. */
static void hold_all_slots(struct test *t, struct crowd *crowd)
{
	int i;

	for (i = 0; i < SLOTS - 1; i++) {
		crowd->held[i] = held_request(t, i);
		submit(crowd->held[i]);
		wait_posted(crowd->held[i]);
	}
}

static void let_slots_go(struct crowd *crowd, int status)
{
	int i;

	for (i = 0; i < SLOTS - 1; i++) {
		if (!crowd->held[i])
			continue;
		let_go(crowd->held[i]);
		wait_over(crowd->held[i], status);
	}
}

static struct crowd *new_crowd_of(struct test *t, unsigned int many, int status)
{
	struct crowd *crowd = test_alloc(t, sizeof(*crowd));

	crowd->test = t;
	crowd->status = status;
	crowd->script.nr_steps = 1;
	crowd->many = many;
	crowd->request = vzalloc(many * sizeof(*crowd->request));
	if (!EXPECT(t, crowd->request))
		return NULL;
	return crowd;
}

static struct crowd *new_crowd(struct test *t, int status)
{
	return new_crowd_of(t, MANY, status);
}

static void prepare(struct crowd *crowd, unsigned int i, struct vrb_object *object)
{
	struct crowd_request *request = &crowd->request[i];

	vrb_prep(&request->head.vrb, &mock_verb, object);
	request->head.vrb.done = crowd_done;
	request->head.script = &crowd->script;
	request->crowd = crowd;
}

static void submit_crowd(struct crowd *crowd, struct vrb_client *client, struct vrb_object *object,
			 struct vrb_group *group, ktime_t deadline)
{
	unsigned int i;

	for (i = 0; i < crowd->many; i++) {
		prepare(crowd, i, object);
		crowd->request[i].head.vrb.group = group;
		crowd->request[i].head.vrb.deadline = deadline;
		if (!EXPECT_EQ(crowd->test, vrb_submit(client, &crowd->request[i].head.vrb),
			       -EINPROGRESS))
			return;
		if (i % 1000 == 0)
			cond_resched();
	}
}

/* An object with a request that is held, behind which the crowd is queued */
static struct mock_object *crowded_object(struct crowd *crowd, struct vrb_group *group,
					  struct completion *released)
{
	struct test *t = crowd->test;
	struct mock_object *object = new_object(t, 9, released);

	crowd->held[0] = held_request(t, 1);
	crowd->held[0]->vrb.object = &object->object;
	submit(crowd->held[0]);
	submit_crowd(crowd, t->client, &object->object, group, 0);
	return object;
}

static bool crowd_is_over(void *arg)
{
	struct crowd *crowd = arg;

	return atomic_read(&crowd->over) == crowd->many;
}

static void wait_crowd(struct crowd *crowd)
{
	struct test *t = crowd->test;
	int patience = 12;

	while (patience-- && !wait_until(crowd_is_over, crowd))
		;
	EXPECT_EQ(t, atomic_read(&crowd->over), crowd->many);
	EXPECT_EQ(t, crowd->wrong, 0);
	EXPECT_EQ(t, crowd->twice, 0);
	EXPECT(t, counters(t).hold_max <= MOCK_BUDGET);
}

static void free_crowd(struct crowd *crowd)
{
	/* Otherwise the engine still owns its requests. */
	if (crowd_is_over(crowd))
		vfree(crowd->request);
}

static void cancel_group(void *arg)
{
	vrb_group_cancel(arg);
}

static void bounds_of_a_group_cancel(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ECANCELED);
	struct vrb_group group;

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	vrb_group_init(&group, t->client);
	submit_crowd(crowd, t->client, NULL, &group, 0);
	in_softirq_do(cancel_group, &group);
	wait_crowd(crowd);
	vrb_group_drain(&group);
	EXPECT_EQ(t, counters(t).cancelled, MANY);
	EXPECT_EQ(t, crowd->script.posts, 0);
	let_slots_go(crowd, 0);
	free_crowd(crowd);
}

/* Slots become free while a cancel goes through many requests: none of these may be issued. */
static void bounds_of_a_cancel_with_free_slots(struct test *t)
{
	struct crowd *crowd = new_crowd_of(t, SOME, -ECANCELED);
	struct vrb_group group;
	int i;

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	vrb_group_init(&group, t->client);
	submit_crowd(crowd, t->client, NULL, &group, 0);
	local_bh_disable();
	vrb_group_cancel(&group);
	for (i = 0; i < SLOTS - 1; i++)
		let_go(crowd->held[i]);
	local_bh_enable();
	let_slots_go(crowd, 0);
	wait_crowd(crowd);
	vrb_group_drain(&group);
	EXPECT_EQ(t, crowd->script.posts, 0);
	free_crowd(crowd);
}

/* Returns how often the engine had reaped when a request's command was posted. */
static unsigned int reaps_before(struct test *t, int tag)
{
	unsigned int i;

	for (i = 0; i < t->mock->posts; i++)
		if (t->mock->log[i].tag == tag)
			return t->mock->log[i].reaps;
	return UINT_MAX;
}

/* While a cancel goes through many requests, a request that can be issued is issued. */
static void bounds_of_a_cancel_starve_nobody(struct test *t)
{
	struct crowd *crowd = new_crowd_of(t, SOME, -ECANCELED);
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct mock_object *object, *other;
	struct completion released[2];
	struct vrb_group group;
	unsigned int from;

	if (!crowd)
		return;
	object = new_object(t, 8, &released[0]);
	vrb_group_init(&group, t->client);
	other = crowded_object(crowd, &group, &released[1]);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	submit(first);
	submit(second);
	wait_posted(first);
	/* The pump finds two things: the cancel, and that the second request can be issued. */
	local_bh_disable();
	from = t->mock->reaps;
	vrb_group_cancel(&group);
	let_go(first);
	local_bh_enable();
	wait_over(first, 0);
	wait_over(second, 0);
	EXPECT(t, reaps_before(t, 2) - from < SOME / MOCK_BUDGET / 4);
	wait_crowd(crowd);
	vrb_group_drain(&group);
	let_slots_go(crowd, 0);
	destroy(object);
	destroy(other);
	wait_released(t, &released[0]);
	wait_released(t, &released[1]);
	free_crowd(crowd);
}

static void note_runs(struct typed_request *request)
{
	*(u64 *)request->data = counters(request->test).runs;
	complete(&request->over);
}

/* While a destroy completes many requests, an event of a CQ reaches whoever waits for it. */
static void bounds_of_a_destroy_starve_nobody(struct test *t)
{
	struct crowd *crowd = new_crowd_of(t, SOME, -ECANCELED);
	struct ib_cq *cq = created_cq(t);
	struct typed_request *await = new_typed(t);
	struct mock_object *object;
	struct completion released;
	u64 from, over = 0;

	if (!crowd)
		return;
	object = crowded_object(crowd, NULL, &released);
	vrb_prep_await_cq(&await->await_cq, cq);
	await->await_cq.flags = IB_CQ_NEXT_COMP;
	await->then = note_runs;
	await->data = &over;
	submit_typed(await);
	local_bh_disable();
	from = counters(t).runs;
	destroy(object);
	mock_cq_event(cq);
	local_bh_enable();
	wait_typed(await, 0);
	EXPECT(t, over - from < SOME / MOCK_BUDGET / 4);
	wait_crowd(crowd);
	let_slots_go(crowd, 0);
	wait_released(t, &released);
	wait_gone(end_cq(t, cq));
	free_crowd(crowd);
}

static void bounds_of_a_destroy(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ECANCELED);
	struct mock_request *gone = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	if (!crowd)
		return;
	object = crowded_object(crowd, NULL, &released);
	local_bh_disable();
	destroy_with(object, gone);
	EXPECT(t, counters(t).hold_max <= MOCK_BUDGET);
	local_bh_enable();
	wait_crowd(crowd);
	let_slots_go(crowd, 0);
	wait_over(gone, 0);
	wait_released(t, &released);
	EXPECT_EQ(t, counters(t).flushed, MANY);
	free_crowd(crowd);
}

static void bounds_of_a_lost_command(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -EUCLEAN);
	struct mock_request *lost = held_request(t, 1);
	struct mock_object *object;
	struct completion released;

	if (!crowd)
		return;
	object = new_object(t, 9, &released);
	lost->vrb.object = &object->object;
	submit(lost);
	submit_crowd(crowd, t->client, &object->object, NULL, 0);
	wait_over(lost, -ETIMEDOUT);
	wait_crowd(crowd);
	let_go(lost);
	destroy(object);
	wait_released(t, &released);
	free_crowd(crowd);
}

static void bounds_of_deadlines(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ETIME);

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	submit_crowd(crowd, t->client, NULL, NULL, ktime_add_ms(ktime_get(), 3000));
	wait_crowd(crowd);
	let_slots_go(crowd, 0);
	free_crowd(crowd);
}

/* All deadlines are different, so each may be in a bucket of its own where they are sorted. */
static void bounds_of_deadlines_apart(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ETIME);
	ktime_t start = ktime_add_ms(ktime_get(), 1500);
	unsigned int i;

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	for (i = 0; i < MANY; i++) {
		prepare(crowd, i, NULL);
		crowd->request[i].head.vrb.deadline = ktime_add_us(start, i * 7919 % 3000000);
		EXPECT_EQ(t, vrb_submit(t->client, &crowd->request[i].head.vrb), -EINPROGRESS);
		if (i % 1000 == 0)
			cond_resched();
	}
	wait_crowd(crowd);
	EXPECT_EQ(t, counters(t).deadline, MANY);
	let_slots_go(crowd, 0);
	free_crowd(crowd);
}

static void bounds_of_a_failure(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -EIO);

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	submit_crowd(crowd, t->client, NULL, NULL, 0);
	vrb_device_fail(t->dev, "with many queued");
	wait_crowd(crowd);
	let_slots_go(crowd, -EIO);
	free_crowd(crowd);
}

/* All are completed when the device fails, in several holds of the lock. */
static void bounds_of_a_failure_in_all_slots(struct test *t)
{
	struct mock_request *request[MOCK_SLOTS - 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
	}
	for (i = 0; i < ARRAY_SIZE(request); i++)
		wait_posted(request[i]);
	vrb_device_fail(t->dev, "test");
	for (i = 0; i < ARRAY_SIZE(request); i++)
		wait_over(request[i], -EIO);
	EXPECT(t, counters(t).hold_max <= MOCK_BUDGET);
}

static void shut_client(void *arg)
{
	vrb_client_shut(arg);
}

static void bounds_of_a_shut_client(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ECANCELED);
	struct vrb_client *client = vrb_client_register(mock_ibdev(t->mock), "crowd");

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	submit_crowd(crowd, client, NULL, NULL, 0);
	in_softirq_do(shut_client, client);
	vrb_client_unregister(client);
	EXPECT_EQ(t, atomic_read(&crowd->over), crowd->many);
	wait_crowd(crowd);
	let_slots_go(crowd, 0);
	free_crowd(crowd);
}

struct detaching {
	struct work_struct work;
	struct test *test;
};

static void detach(struct work_struct *work)
{
	vrb_device_detach(container_of(work, struct detaching, work)->test->dev);
}

static void bounds_of_a_detach(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ENODEV);
	struct detaching detaching = { .test = t };

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	submit_crowd(crowd, t->client, NULL, NULL, 0);
	INIT_WORK_ONSTACK(&detaching.work, detach);
	schedule_work(&detaching.work);
	wait_crowd(crowd);
	let_slots_go(crowd, 0);
	vrb_client_unregister(t->client);
	t->client = NULL;
	flush_work(&detaching.work);
	destroy_work_on_stack(&detaching.work);
	free_crowd(crowd);
}

static void submit_few(void *arg)
{
	struct crowd *crowd = arg;
	unsigned int i, first = crowd->twice;

	for (i = first; i < first + 1000; i++)
		EXPECT_EQ(crowd->test, vrb_submit(crowd->test->client,
						  &crowd->request[i].head.vrb), -EINPROGRESS);
}

/* They are submitted in hard IRQ, so all go through the inbox. */
static void bounds_of_the_inbox(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ECANCELED);
	struct vrb_group group;
	unsigned int i;

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	vrb_group_init(&group, t->client);
	for (i = 0; i < MANY; i++) {
		prepare(crowd, i, NULL);
		crowd->request[i].head.vrb.group = &group;
	}
	for (i = 0; i < MANY; i += 1000) {
		crowd->twice = i;
		in_hardirq_do(submit_few, crowd);
	}
	crowd->twice = 0;
	EXPECT(t, counters(t).hold_max <= MOCK_BUDGET);
	vrb_group_cancel(&group);
	wait_crowd(crowd);
	EXPECT_EQ(t, counters(t).inbox, MANY);
	vrb_group_drain(&group);
	let_slots_go(crowd, 0);
	free_crowd(crowd);
}

/* As many results at once as the hardware can have, each of its request's last command. */
static void bounds_of_concurrent_results(struct test *t)
{
	struct mock_request *request[MOCK_SLOTS - 1];
	int i;

	t->mock->no_interrupts = true;
	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = held_request(t, i);
		submit(request[i]);
		wait_posted(request[i]);
	}
	mock_release(t->mock, NULL);
	t->mock->no_interrupts = false;
	vrb_device_kick(t->dev);
	for (i = 0; i < ARRAY_SIZE(request); i++)
		wait_over(request[i], 0);
	EXPECT_EQ(t, t->mock->outstanding_max, MOCK_SLOTS - 1);
}

static bool all_have_results(void *arg)
{
	struct mock_request **request = arg;
	unsigned int i;

	for (i = 0; i < MOCK_SLOTS - 1; i++)
		if (!READ_ONCE(request[i]->script.dones))
			return false;
	return true;
}

/* All requests have a next command, and the register becomes free for all of them at once. */
static void bounds_of_a_busy_register(struct test *t)
{
	struct mock_request *request[MOCK_SLOTS - 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = held_request(t, i);
		request[i]->script.nr_steps = 2;
		submit(request[i]);
		wait_posted(request[i]);
	}
	WRITE_ONCE(t->mock->busy, MOCK_STUCK);
	mock_release(t->mock, NULL);
	EXPECT(t, wait_until(all_have_results, request));
	WRITE_ONCE(t->mock->busy, 0);
	for (i = 0; i < ARRAY_SIZE(request); i++)
		wait_over(request[i], 0);
}

/* Many requests have portions of work to do at the same time: a run does one of them. */
static void bounds_of_portions_of_work(struct test *t)
{
	struct mock_request *request[MOCK_SLOTS - 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.verb = &mock_verb_work;
		request[i]->script.nr_steps = 2;
		request[i]->script.portions = 3;
	}
	local_bh_disable();
	for (i = 0; i < ARRAY_SIZE(request); i++)
		submit(request[i]);
	local_bh_enable();
	for (i = 0; i < ARRAY_SIZE(request); i++)
		wait_over(request[i], 0);
}

/* visible.sh reads the file of the requests while many are queued. */
static void visible_many_requests(struct test *t)
{
	struct crowd *crowd = new_crowd(t, -ECANCELED);
	struct vrb_group group;

	if (!crowd)
		return;
	hold_all_slots(t, crowd);
	vrb_group_init(&group, t->client);
	submit_crowd(crowd, t->client, NULL, &group, 0);
	wait_for_visitor(t);
	EXPECT(t, counters(t).hold_max <= MOCK_BUDGET);
	vrb_group_cancel(&group);
	wait_crowd(crowd);
	vrb_group_drain(&group);
	let_slots_go(crowd, 0);
	free_crowd(crowd);
}

#define OBJECTS	5000

/* The same for the file of the objects. */
static void visible_many_objects(struct test *t)
{
	struct completion *released = vzalloc(OBJECTS * sizeof(*released));
	struct mock_object **object = vzalloc(OBJECTS * sizeof(*object));
	unsigned int i;

	if (!EXPECT(t, released && object))
		return;
	for (i = 0; i < OBJECTS; i++)
		object[i] = new_object(t, i, &released[i]);
	wait_for_visitor(t);
	EXPECT(t, counters(t).hold_max <= MOCK_BUDGET);
	for (i = 0; i < OBJECTS; i++)
		destroy(object[i]);
	for (i = 0; i < OBJECTS; i++)
		wait_released(t, &released[i]);
	vfree(object);
	vfree(released);
}

/* Commands are held for as long as a slow guest needs for many requests. */
#define PATIENT { .issue_timeout_ms = 600000 }

const struct test_case bounds_tests[] = {
	{ "bounds_of_a_group_cancel", bounds_of_a_group_cancel, PATIENT },
	{ "bounds_of_a_cancel_with_free_slots", bounds_of_a_cancel_with_free_slots, PATIENT },
	{ "bounds_of_a_cancel_starve_nobody", bounds_of_a_cancel_starve_nobody },
	{ "bounds_of_a_destroy_starve_nobody", bounds_of_a_destroy_starve_nobody, .verbs = true },
	{ "bounds_of_a_destroy", bounds_of_a_destroy },
	{ "bounds_of_a_lost_command", bounds_of_a_lost_command, { .issue_timeout_ms = 8000 } },
	{ "bounds_of_deadlines", bounds_of_deadlines, PATIENT },
	{ "bounds_of_deadlines_apart", bounds_of_deadlines_apart, PATIENT },
	{ "bounds_of_a_failure", bounds_of_a_failure, PATIENT },
	{ "bounds_of_a_failure_in_all_slots", bounds_of_a_failure_in_all_slots,
	  { .slots = MOCK_SLOTS } },
	{ "bounds_of_a_shut_client", bounds_of_a_shut_client, PATIENT },
	{ "bounds_of_a_detach", bounds_of_a_detach, PATIENT },
	{ "bounds_of_the_inbox", bounds_of_the_inbox, PATIENT },
	{ "bounds_of_concurrent_results", bounds_of_concurrent_results, { .slots = MOCK_SLOTS } },
	{ "bounds_of_a_busy_register", bounds_of_a_busy_register, { .slots = MOCK_SLOTS } },
	{ "bounds_of_portions_of_work", bounds_of_portions_of_work, { .slots = MOCK_SLOTS } },
	{ "visible_many_requests", visible_many_requests, PATIENT, .kind = VISIBLE },
	{ "visible_many_objects", visible_many_objects, .kind = VISIBLE },
	{}
};
