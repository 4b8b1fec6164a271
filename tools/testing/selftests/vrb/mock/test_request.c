// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 1, 2, 3 and 7: submit, callbacks, cancel.
 */
#include "mock.h"

static void submit_completes_once(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.step[0].fw_status = 7;
	run_to_end(request, 0);
	EXPECT_EQ(t, request->vrb.fw_status, 7);
	EXPECT_EQ(t, request->script.out, 1007);
	usleep_range(2000, 3000);
	EXPECT_EQ(t, request->calls, 1);
	EXPECT_EQ(t, counters(t).submitted, 1);
	EXPECT_EQ(t, counters(t).completed, 1);
	EXPECT_EQ(t, counters(t).steps, 1);
}

static void submit_reports_failure(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->script.step[0].status = -ENOMEM;
	request->script.step[0].fw_status = 3;
	run_to_end(request, -ENOMEM);
	EXPECT_EQ(t, request->vrb.fw_status, 3);
	EXPECT_EQ(t, counters(t).failed, 1);
}

static void submit_verb_of_one_command(struct test *t)
{
	struct mock_request *good = new_request(t, 1), *bad = new_request(t, 2);

	good->vrb.verb = &mock_verb_single;
	bad->vrb.verb = &mock_verb_single;
	bad->script.step[0].status = -EINVAL;
	run_to_end(good, 0);
	run_to_end(bad, -EINVAL);
}

/* A second request makes the pump run; the first completes when that run can no longer find it. */
static void kick_at_the_end_of_a_run(struct test *t)
{
	struct mock_request *missed = held_request(t, 1), *other = new_request(t, 2);

	submit(missed);
	wait_posted(missed);
	t->mock->just_missed = &missed->script;
	run_to_end(other, 0);
	wait_over(missed, 0);
}

static void submit_it(void *arg)
{
	submit(arg);
}

static void submit_from_softirq(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	in_softirq_do(submit_it, request);
	wait_over(request, 0);
}

static void submit_under_spinlock(struct test *t)
{
	struct mock_request *request = new_request(t, 1), *irqs_off = new_request(t, 2);
	DEFINE_SPINLOCK(lock);
	unsigned long flags;

	spin_lock_bh(&lock);
	submit(request);
	spin_unlock_bh(&lock);
	wait_over(request, 0);
	spin_lock_irqsave(&lock, flags);
	submit(irqs_off);
	spin_unlock_irqrestore(&lock, flags);
	wait_over(irqs_off, 0);
	EXPECT_EQ(t, counters(t).inbox, 1);
}

static void submit_from_hardirq(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	in_hardirq_do(submit_it, request);
	wait_over(request, 0);
	EXPECT_EQ(t, counters(t).inbox, 1);
}

static void destroy_it(void *arg)
{
	destroy(arg);
}

/* An error that a submit cannot return with interrupts off is the request's status. */
static void submit_from_hardirq_too_late(struct test *t)
{
	struct mock_request *late = new_request(t, 1), *lost = held_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	late->vrb.object = &object->object;
	lost->vrb.object = &object->object;
	run_to_end(lost, -ETIMEDOUT);
	in_hardirq_do(submit_it, late);
	wait_over(late, -EUCLEAN);
	in_hardirq_do(destroy_it, object);
	let_go(lost);
	wait_released(t, &released);
}

/*
 * With interrupts off nothing is taken from the inbox. While it is not empty, all submits go behind
 * its entries, even those that could be handled at once.
 */
static void inbox_keeps_order(struct test *t)
{
	struct mock_request *request[6];
	struct mock_object *object;
	struct completion released;
	int i;

	object = new_object(t, 99, &released);
	for (i = 0; i < 6; i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.object = &object->object;
	}
	local_bh_disable();
	local_irq_disable();
	for (i = 0; i < 3; i++)
		submit(request[i]);
	local_irq_enable();
	for (i = 3; i < 6; i++)
		submit(request[i]);
	destroy(object);
	EXPECT_EQ(t, t->mock->posts, 0);
	local_bh_enable();
	/* The first may be in the hardware when the destroy comes; the others are cancelled. */
	for (i = 0; i < 6; i++)
		EXPECT(t, wait_for_completion_timeout(&request[i]->over, MOCK_PATIENCE));
	wait_released(t, &released);
	EXPECT_EQ(t, request[0]->status, 0);
	for (i = 1; i < 6; i++)
		EXPECT_EQ(t, request[i]->status, -ECANCELED);
	EXPECT_EQ(t, counters(t).inbox, 7);
}

static void inbox_is_fifo(struct test *t)
{
	struct mock_request *request[100];
	struct mock_object *object;
	struct completion released;
	unsigned long flags;
	int i;

	object = new_object(t, 999, &released);
	for (i = 0; i < 100; i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.object = &object->object;
	}
	local_bh_disable();
	for (i = 0; i < 100; i++) {
		local_irq_save(flags);
		if (i % 3 == 0)
			local_irq_restore(flags);
		submit(request[i]);
		if (i % 3)
			local_irq_restore(flags);
	}
	local_bh_enable();
	for (i = 0; i < 100; i++)
		wait_over(request[i], 0);
	for (i = 0; i < 100; i++)
		EXPECT_EQ(t, t->mock->log[i].tag, i);
	destroy(object);
	wait_released(t, &released);
}

static void inbox_can_be_cancelled(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	local_bh_disable();
	local_irq_disable();
	submit(request);
	local_irq_enable();
	EXPECT_EQ(t, vrb_cancel(&request->vrb), 0);
	local_bh_enable();
	wait_over(request, -ECANCELED);
	EXPECT_EQ(t, t->mock->posts, 0);
}

static void submit_twice(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EBUSY);
	let_go(request);
	wait_over(request, 0);
	EXPECT_EQ(t, counters(t).refused, 1);
}

static void submit_refuses_malformed_requests(struct test *t)
{
	static const struct vrb_verb no_steps = { .name = "none", .class = VRB_CLASS_NORMAL };
	struct vrb_verb *no_class = test_alloc(t, sizeof(*no_class));
	struct mock_request *request = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	request->vrb.verb = NULL;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	request->vrb.verb = &no_steps;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	*no_class = mock_verb;
	no_class->class = VRB_CLASS_VERB;
	request->vrb.verb = no_class;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	request->vrb.verb = &mock_verb;
	request->vrb.class = VRB_CLASS_EVENT;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	request->vrb.class = 0;
	request->vrb.flags = 0x80;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	object = new_object(t, 9, &released);
	EXPECT_EQ(t, vrb_submit(t->client, &object->object.destroy), -EINVAL);
	usleep_range(1000, 2000);
	EXPECT_EQ(t, request->calls, 0);
	EXPECT_EQ(t, counters(t).refused, 6);
	EXPECT_EQ(t, counters(t).submitted, 0);
	destroy(object);
	wait_released(t, &released);
}

static void submit_refuses_event_verbs(struct test *t)
{
	struct vrb_verb *event = test_alloc(t, sizeof(*event));
	struct mock_request *request = new_request(t, 1);

	*event = mock_verb;
	event->class = VRB_CLASS_EVENT;
	request->vrb.verb = event;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EOPNOTSUPP);
}

static void count_down(struct mock_request *request)
{
	int *left = request->data;

	if (--*left)
		submit(request);
	else
		complete(&request->over);
}

static void callback_may_submit_again(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	int left = 200;

	request->then = count_down;
	request->data = &left;
	submit(request);
	EXPECT(t, wait_for_completion_timeout(&request->over, MOCK_PATIENCE));
	EXPECT_EQ(t, request->calls, 200);
	EXPECT_EQ(t, counters(t).completed, 200);
}

static void cancel_other(struct mock_request *request)
{
	struct mock_request *other = request->data;

	EXPECT_EQ(request->test, vrb_cancel(&other->vrb), 0);
	complete(&request->over);
}

static void callback_may_cancel_another(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *queued = new_request(t, 2);
	struct mock_request *canceller = new_request(t, 3);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	blocker->vrb.object = &object->object;
	queued->vrb.object = &object->object;
	canceller->then = cancel_other;
	canceller->data = queued;
	submit(blocker);
	submit(queued);
	run_to_end(canceller, 0);
	wait_over(queued, -ECANCELED);
	let_go(blocker);
	wait_over(blocker, 0);
	destroy(object);
	wait_released(t, &released);
}

/* A request that its callback frees */
struct brief {
	struct mock_head head;
	struct completion *over;
};

static void free_it(struct vrb *vrb)
{
	struct brief *brief = container_of(vrb, struct brief, head.vrb);
	struct completion *over = brief->over;

	memset(brief, 0x5a, sizeof(*brief));
	kfree(brief);
	complete(over);
}

static void callback_may_free_request(struct test *t)
{
	struct mock_script *script = test_alloc(t, sizeof(*script));
	struct completion over;
	struct brief *brief;
	int i;

	script->nr_steps = 1;
	init_completion(&over);
	for (i = 0; i < 20; i++) {
		brief = kzalloc(sizeof(*brief), GFP_KERNEL | __GFP_NOFAIL);
		vrb_prep(&brief->head.vrb, &mock_verb, NULL);
		brief->head.vrb.done = free_it;
		brief->head.script = script;
		brief->over = &over;
		if (!EXPECT_EQ(t, vrb_submit(t->client, &brief->head.vrb), -EINPROGRESS))
			return;
	}
	for (i = 0; i < 20; i++)
		EXPECT(t, wait_for_completion_timeout(&over, MOCK_PATIENCE));
}

/*
 * While the caller has softirqs disabled, no callback may run. One that runs would come from the
 * submit itself.
 */
static void callback_not_inside_submit(struct test *t)
{
	struct mock_request *now = new_request(t, 1), *never = new_request(t, 2);

	never->script.step[0].flags = MOCK_LAST;	/* completes without a command */
	local_bh_disable();
	now->inside = true;
	never->inside = true;
	submit(now);
	submit(never);
	now->inside = false;
	never->inside = false;
	local_bh_enable();
	wait_over(now, 0);
	wait_over(never, 0);
	EXPECT(t, !now->called_inside);
	EXPECT(t, !never->called_inside);
}

static void callback_not_inside_cancel(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	submit(first);
	submit(second);
	local_bh_disable();
	second->inside = true;
	EXPECT_EQ(t, vrb_cancel(&second->vrb), 0);
	EXPECT_EQ(t, second->calls, 0);
	second->inside = false;
	local_bh_enable();
	wait_over(second, -ECANCELED);
	EXPECT(t, !second->called_inside);
	let_go(first);
	wait_over(first, 0);
	destroy(object);
	wait_released(t, &released);
}

static void callbacks_of_a_run_are_bounded(struct test *t)
{
	const unsigned int nr = 300;
	struct mock_request **request = test_alloc(t, nr * sizeof(*request));
	unsigned int i;
	u64 runs;

	for (i = 0; i < nr; i++) {
		request[i] = new_request(t, i);
		request[i]->script.step[0].flags = MOCK_LAST;	/* completes without a command */
	}
	runs = counters(t).runs;
	local_bh_disable();
	for (i = 0; i < nr; i++)
		submit(request[i]);
	local_bh_enable();
	for (i = 0; i < nr; i++)
		wait_over(request[i], 0);
	EXPECT(t, counters(t).runs - runs >= nr / 64);
}

static void cancel_queued(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	submit(first);
	submit(second);
	EXPECT_EQ(t, vrb_cancel(&second->vrb), 0);
	wait_over(second, -ECANCELED);
	EXPECT_EQ(t, second->script.posts, 0);
	EXPECT_EQ(t, counters(t).cancelled, 1);
	let_go(first);
	wait_over(first, 0);
	destroy(object);
	wait_released(t, &released);
}

static void cancel_issued(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	request->script.step[0].status = -ENOSPC;
	submit(request);
	wait_posted(request);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -EALREADY);
	EXPECT_EQ(t, request->calls, 0);
	let_go(request);
	wait_over(request, -ENOSPC);
}

static void cancel_idle(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	EXPECT_EQ(t, vrb_cancel(&request->vrb), -ENOENT);
	run_to_end(request, 0);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -ENOENT);
	EXPECT_EQ(t, request->calls, 1);
}

static void wait_for_result(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->vrb.done = NULL;
	request->script.step[0].status = -EPERM;
	submit(request);
	EXPECT_EQ(t, vrb_wait(&request->vrb), -EPERM);
	EXPECT_EQ(t, vrb_wait(&request->vrb), -EPERM);	/* idle: returns at once */
	request->script.step[0].status = 0;
	EXPECT_EQ(t, vrb_submit_wait(t->client, &request->vrb), 0);
	EXPECT_EQ(t, counters(t).completed, 2);
}

#define REQUESTS	24
#define OBJECTS		5
#define ROUNDS		150

struct storm {
	struct mock_object *object[OBJECTS];
	struct mock_request *request[REQUESTS];
	struct vrb_user user[3];
	u32 random;
	spinlock_t lock;		/* protects random, accepted, left, running */
	unsigned int accepted, left, running;
	struct completion over;
};

static u32 storm_random(struct storm *storm)
{
	storm->random = storm->random * 1664525 + 1013904223;
	return storm->random >> 16;
}

/* Lock held. Gives a request other steps, latencies and results than last time. */
static void storm_shuffle(struct storm *storm, struct mock_request *request)
{
	unsigned int i, object = storm_random(storm) % (OBJECTS + 1);

	request->vrb.object = object < OBJECTS ? &storm->object[object]->object : NULL;
	request->vrb.user = storm_random(storm) % 2 ? NULL : &storm->user[storm_random(storm) % 3];
	request->vrb.verb = storm_random(storm) % 5 ? &mock_verb : &mock_verb_background;
	request->vrb.deadline = storm_random(storm) % 8 ? 0 :
				ktime_add_us(ktime_get(), storm_random(storm) % 300);
	request->script.nr_steps = 1 + storm_random(storm) % MOCK_STEPS;
	request->script.undo = storm_random(storm) & 1;
	for (i = 0; i < MOCK_STEPS; i++) {
		struct mock_step *step = &request->script.step[i];

		*step = (struct mock_step){ .latency_ns = 1 + storm_random(storm) % 30000 };
		step->status = storm_random(storm) % 10 ? 0 : -EINVAL;
		step->flags = storm_random(storm) % 10 ? 0 : MOCK_DUP;
	}
}

static void storm_next(struct mock_request *request)
{
	struct storm *storm = request->data;
	bool again;

	spin_lock_bh(&storm->lock);
	again = storm->left > 0;
	if (again) {
		storm->left--;
		storm->accepted++;
		storm_shuffle(storm, request);
	} else if (!--storm->running) {
		complete(&storm->over);
	}
	spin_unlock_bh(&storm->lock);
	if (again)
		submit(request);
}

static void storm_start(struct test *t, struct storm *storm, struct completion *released)
{
	unsigned int i;

	spin_lock_init(&storm->lock);
	init_completion(&storm->over);
	storm->random = 20261122;
	storm->left = REQUESTS * ROUNDS;
	storm->running = REQUESTS;
	for (i = 0; i < ARRAY_SIZE(storm->user); i++)
		vrb_user_init(&storm->user[i]);
	for (i = 0; i < OBJECTS; i++)
		storm->object[i] = new_object(t, 1000 + i, &released[i]);
	for (i = 0; i < REQUESTS; i++) {
		storm->request[i] = new_request(t, i);
		storm->request[i]->then = storm_next;
		storm->request[i]->data = storm;
		storm_next(storm->request[i]);
	}
}

static void storm_exactly_once(struct test *t)
{
	struct storm *storm = test_alloc(t, sizeof(*storm));
	struct completion released[OBJECTS];
	unsigned int i, calls = 0;

	t->mock->busy = 100;
	storm_start(t, storm, released);
	for (i = 0; !completion_done(&storm->over) && i < 2000; i++) {
		vrb_cancel(&storm->request[i % REQUESTS]->vrb);
		if (i % 16 == 0) {
			t->mock->busy += 3;
			usleep_range(50, 100);
		}
	}
	if (!EXPECT(t, wait_for_completion_timeout(&storm->over, 6 * MOCK_PATIENCE)))
		return;
	for (i = 0; i < REQUESTS; i++) {
		calls += storm->request[i]->calls;
		EXPECT(t, !storm->request[i]->bad_context);
	}
	EXPECT_EQ(t, calls, storm->accepted);
	EXPECT_EQ(t, calls, counters(t).completed);
	for (i = 0; i < OBJECTS; i++) {
		destroy(storm->object[i]);
		wait_released(t, &released[i]);
	}
}

const struct test_case request_tests[] = {
	{ "submit_completes_once", submit_completes_once },
	{ "submit_reports_failure", submit_reports_failure },
	{ "submit_verb_of_one_command", submit_verb_of_one_command },
	{ "submit_from_softirq", submit_from_softirq },
	{ "submit_under_spinlock", submit_under_spinlock },
	{ "submit_from_hardirq", submit_from_hardirq },
	{ "submit_from_hardirq_too_late", submit_from_hardirq_too_late,
	  { .issue_timeout_ms = 1500 } },
	{ "submit_twice", submit_twice },
	{ "inbox_keeps_order", inbox_keeps_order },
	{ "inbox_is_fifo", inbox_is_fifo },
	{ "inbox_can_be_cancelled", inbox_can_be_cancelled },
	{ "submit_refuses_malformed_requests", submit_refuses_malformed_requests },
	{ "submit_refuses_event_verbs", submit_refuses_event_verbs },
	{ "kick_at_the_end_of_a_run", kick_at_the_end_of_a_run },
	{ "callback_may_submit_again", callback_may_submit_again },
	{ "callback_may_cancel_another", callback_may_cancel_another },
	{ "callback_may_free_request", callback_may_free_request },
	{ "callback_not_inside_submit", callback_not_inside_submit },
	{ "callback_not_inside_cancel", callback_not_inside_cancel },
	{ "callbacks_of_a_run_are_bounded", callbacks_of_a_run_are_bounded },
	{ "cancel_queued", cancel_queued },
	{ "cancel_issued", cancel_issued },
	{ "cancel_idle", cancel_idle },
	{ "wait_for_result", wait_for_result },
	{ "storm_exactly_once", storm_exactly_once },
	{}
};
