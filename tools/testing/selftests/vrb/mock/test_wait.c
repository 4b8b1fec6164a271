// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 6 and 13: steps that wait, portions of work, and waits for a request.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "mock.h"

static bool has_waited(void *arg)
{
	struct mock_request *request = arg;

	return READ_ONCE(request->script.waited);
}

static struct mock_request *waiting_request(struct test *t, struct mock_object *object, u32 flag)
{
	struct mock_request *request = new_request(t, 1);

	request->vrb.object = &object->object;
	request->script.nr_steps = 3;
	request->script.undo = true;
	request->script.step[1].flags = flag;
	submit(request);
	EXPECT(t, wait_until(has_waited, request));
	return request;
}

/* Others may use the slot meanwhile, but not the object. Then the request goes on where it was. */
static void waits_without_a_slot(struct test *t)
{
	struct mock_request *request, *behind = new_request(t, 2), *other = new_request(t, 3);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	behind->vrb.object = &object->object;
	submit(behind);
	run_to_end(other, 0);
	EXPECT_EQ(t, counters(t).slots_now, 0);
	EXPECT_EQ(t, request->script.posts, 1);
	EXPECT_EQ(t, behind->script.posts, 0);
	vrb_resume(&object->object);
	wait_over(request, 0);
	EXPECT_EQ(t, request->script.posts, 3);
	wait_over(behind, 0);
	EXPECT_EQ(t, counters(t).waits, 1);
	destroy(object);
	wait_released(t, &released);
}

struct queue {
	struct test *test;
	u64 length;
};

static bool queue_is(void *arg)
{
	const struct queue *queue = arg;

	return counters(queue->test).queue_now == queue->length;
}

static void wait_queue(struct test *t, u64 length)
{
	struct queue queue = { .test = t, .length = length };

	EXPECT(t, wait_until(queue_is, &queue));
}

#define BEHIND 3

/*
 * The only slot besides the reserved one is taken. The resumed request goes on in front of those
 * queued meanwhile.
 */
static void resumed_continues_at_the_head(struct test *t)
{
	struct mock_request *blocker = held_request(t, 2), *behind[BEHIND], *request;
	struct mock_object *object;
	struct completion released;
	unsigned int i;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	submit(blocker);
	wait_posted(blocker);
	for (i = 0; i < BEHIND; i++) {
		behind[i] = new_request(t, 10 + i);
		submit(behind[i]);
	}
	wait_queue(t, BEHIND);
	vrb_resume(&object->object);
	wait_queue(t, BEHIND + 1);
	let_go(blocker);
	wait_over(blocker, 0);
	wait_over(request, 0);
	for (i = 0; i < BEHIND; i++)
		wait_over(behind[i], 0);
	/* The first step, the blocker, the other steps, the rest. */
	EXPECT_EQ(t, t->mock->log[2].tag, 1);
	EXPECT_EQ(t, t->mock->log[3].tag, 1);
	EXPECT_EQ(t, t->mock->log[4].tag, 10);
	destroy(object);
	wait_released(t, &released);
}

/* Its age counts from the submit: it goes before a younger request of a higher class. */
static void resumed_keeps_its_age(struct test *t)
{
	struct mock_request *blocker = held_request(t, 2), *other = new_request(t, 3);
	struct mock_request *request = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request->vrb.verb = &mock_verb_background;
	request->vrb.object = &object->object;
	request->script.step[0].flags = MOCK_WAIT;
	submit(request);
	EXPECT(t, wait_until(has_waited, request));
	submit(blocker);
	wait_posted(blocker);
	msleep(150);
	submit(other);
	wait_queue(t, 1);
	vrb_resume(&object->object);
	wait_queue(t, 2);
	let_go(blocker);
	wait_over(blocker, 0);
	wait_over(request, 0);
	wait_over(other, 0);
	EXPECT_EQ(t, t->mock->log[1].tag, 1);
	EXPECT_EQ(t, t->mock->log[2].tag, 3);
	destroy(object);
	wait_released(t, &released);
}

static void waits_after_a_command(struct test *t)
{
	struct mock_request *request;
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT_AFTER);
	EXPECT_EQ(t, request->script.posts, 2);
	EXPECT_EQ(t, request->calls, 0);
	vrb_resume(&object->object);
	wait_over(request, 0);
	EXPECT_EQ(t, request->script.posts, 3);	/* the command is not repeated */
	destroy(object);
	wait_released(t, &released);
}

static void resume_it(void *arg)
{
	vrb_resume(arg);
}

static void waits_until_resumed_in_hardirq(struct test *t)
{
	struct mock_request *request;
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	in_hardirq_do(resume_it, &object->object);
	wait_over(request, 0);
	destroy(object);
	wait_released(t, &released);
}

static int resume_first(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct mock_script *script = container_of(vrb, struct mock_head, vrb)->script;

	if (script->waited++)
		return VRB_POST;
	vrb_resume(vrb->object);
	return VRB_WAIT;
}

/* The resume may come before the step returns VRB_WAIT. */
static void resume_before_the_verdict(struct test *t)
{
	static const struct vrb_step steps[] = { { .name = "early", .encode = resume_first } };
	static const struct vrb_verb verb = { .name = "early", .class = VRB_CLASS_NORMAL,
					      VRB_STEPS(steps) };
	struct mock_request *request = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request->vrb.object = &object->object;
	request->vrb.verb = &verb;
	run_to_end(request, 0);
	destroy(object);
	wait_released(t, &released);
}

static void cancel_of_a_waiting_request_undoes(struct test *t)
{
	struct mock_request *request;
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), 0);
	wait_over(request, -ECANCELED);
	/* The step that waited, and the one before. */
	EXPECT_EQ(t, request->script.undos, 2);
	EXPECT(t, t->mock->log[1].undo);
	EXPECT_EQ(t, t->mock->log[1].step, 1);
	EXPECT_EQ(t, t->mock->log[2].step, 0);
	EXPECT_EQ(t, request->vrb.step, 1);
	destroy(object);
	wait_released(t, &released);
}

/* The command of the step in which it waits has been executed: it is undone too. */
static void cancel_of_a_wait_after_a_command_undoes(struct test *t)
{
	struct mock_request *request;
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT_AFTER);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), 0);
	wait_over(request, -ECANCELED);
	EXPECT_EQ(t, request->script.posts, 4);
	EXPECT(t, t->mock->log[2].undo);
	EXPECT_EQ(t, t->mock->log[2].step, 1);
	EXPECT_EQ(t, t->mock->log[3].step, 0);
	destroy(object);
	wait_released(t, &released);
}

static bool undo_is_posted(void *arg)
{
	struct mock_request *request = arg;

	return READ_ONCE(request->script.posts) == 2;
}

static bool is_over_when_let_go(void *arg)
{
	struct mock_request *request = arg;

	let_go(request);
	return READ_ONCE(request->calls);
}

/* While a command undoes a step, and while the undo waits for a slot */
static void cancel_of_what_is_being_undone(struct test *t)
{
	struct mock_request *request, *blocker = held_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	request->script.undo_flags = MOCK_HOLD;
	submit(blocker);
	wait_posted(blocker);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), 0);
	EXPECT_EQ(t, counters(t).queue_now, 1);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -EALREADY);
	let_go(blocker);
	wait_over(blocker, 0);
	EXPECT(t, wait_until(undo_is_posted, request));
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -EALREADY);
	EXPECT_EQ(t, request->calls, 0);
	EXPECT(t, wait_until(is_over_when_let_go, request));
	wait_over(request, -ECANCELED);
	EXPECT_EQ(t, request->script.undos, 2);
	EXPECT_EQ(t, counters(t).cancelled, 1);
	destroy(object);
	wait_released(t, &released);
}

static void submit_next(struct mock_request *request)
{
	submit(request->data);
	complete(&request->over);
}

/* The resume may come as late as the undo: it must not end the wait of the next request. */
static void resume_during_undo_is_not_kept(struct test *t)
{
	struct mock_request *first, *next = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	first = waiting_request(t, object, MOCK_WAIT);
	/* All of it is in one hold of the lock: the pump does not see the resume in between. */
	first->script.undo = false;
	first->then = submit_next;
	first->data = next;
	next->vrb.object = &object->object;
	next->script.step[0].flags = MOCK_WAIT;
	t->mock->resume_in_undo = &object->object;
	EXPECT_EQ(t, vrb_cancel(&first->vrb), 0);
	wait_over(first, -ECANCELED);
	EXPECT(t, wait_until(has_waited, next));
	usleep_range(2000, 3000);
	EXPECT_EQ(t, next->script.posts, 0);
	EXPECT_EQ(t, next->calls, 0);
	vrb_resume(&object->object);
	wait_over(next, 0);
	destroy(object);
	wait_released(t, &released);
}

static void resume_another(struct mock_request *request)
{
	vrb_resume(request->data);
	complete(&request->over);
}

/*
 * Or as late as a callback just before the object's release: the pump must not access the object
 * after that.
 */
static void resume_during_destroy_is_ignored(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	struct completion released;
	struct mock_object *object;

	object = new_object(t, 9, &released);
	object->destroy.step[0].flags = MOCK_HOLD;
	request->then = resume_another;
	request->data = &object->object;
	submit(request);
	destroy(object);
	wait_posted(request);
	wait_script_posted(t, &object->destroy);
	/* One run of the pump finds both results. */
	local_bh_disable();
	let_go(request);
	mock_release(t->mock, &object->destroy);
	local_bh_enable();
	wait_over(request, 0);
	wait_released(t, &released);
}

static void destroy_cancels_a_waiting_request(struct test *t)
{
	struct mock_request *request, *gone = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	destroy_with(object, gone);
	wait_over(request, -ECANCELED);
	wait_over(gone, 0);
	wait_released(t, &released);
}

/* Like the destroy of a CQ: its command, the drain of its event queue, the key of its buffer. */
static void destroy_may_wait(struct test *t)
{
	struct mock_request *gone = new_request(t, 1), *held = held_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.nr_steps = 2;
	object->destroy.step[0].flags = MOCK_WAIT_AFTER;
	submit(held);
	wait_posted(held);
	destroy_with(object, gone);
	while (!READ_ONCE(object->destroy.waited))
		usleep_range(100, 200);
	/* The reserved slot is free for others. */
	EXPECT_EQ(t, counters(t).slots_now, 1);
	EXPECT_EQ(t, gone->calls, 0);
	vrb_resume(&object->object);
	wait_over(gone, 0);
	wait_released(t, &released);
	let_go(held);
	wait_over(held, 0);
	EXPECT_EQ(t, t->mock->posts, 3);
}

/* Somebody may still use the memory that it waits with, so it completes only after the resume. */
static void fail_ends_waits(struct test *t)
{
	struct mock_request *request;
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	t->mock->resume = &object->object;
	vrb_device_fail(t->dev, "on request");
	wait_over(request, -EIO);
	EXPECT_EQ(t, t->mock->failures, 1);
	EXPECT_EQ(t, request->script.undos, 0);
	destroy(object);
	wait_released(t, &released);
}

static void fail_it(struct vrb *vrb)
{
	vrb_device_fail(vrb->object->dev, "in the middle of a step");
}

/* The device fails after the step and before its return value: the wait counts nevertheless. */
static void fail_before_the_verdict_keeps_the_wait(struct test *t)
{
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	object->destroy.nr_steps = 1;
	object->destroy.step[0].flags = MOCK_WAIT_AFTER;
	t->mock->waits_after = fail_it;
	destroy(object);
	wait_failed(t);
	usleep_range(5000, 6000);
	EXPECT(t, !completion_done(&released));
	vrb_resume(&object->object);
	wait_released(t, &released);
}

/* Nothing is undone. The user of the request's memory says when the request is over. */
static void fail_leaves_a_wait_to_its_resume(struct test *t)
{
	struct mock_request *request;
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request = waiting_request(t, object, MOCK_WAIT);
	vrb_device_fail(t->dev, "on request");
	wait_failed(t);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -EALREADY);
	destroy(object);
	usleep_range(5000, 6000);
	EXPECT_EQ(t, request->calls, 0);
	/* Everything else has ended: only this request prevents a revive. */
	msleep(50);
	EXPECT_EQ(t, vrb_device_revive(t->dev), -EBUSY);
	vrb_resume(&object->object);
	wait_over(request, -EIO);
	wait_released(t, &released);
}

/* The destroy comes while the command is under way: then the wait does not begin. */
static void destroy_cancels_a_wait_that_begins_later(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request->vrb.object = &object->object;
	request->script.step[0].flags = MOCK_HOLD | MOCK_WAIT_AFTER;
	submit(request);
	wait_posted(request);
	destroy(object);
	let_go(request);
	wait_over(request, -ECANCELED);
	wait_released(t, &released);
}

/* A long list is written in portions, one in a run, without the lock. */
static void work_in_portions(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	u64 runs = counters(t).runs;

	request->vrb.verb = &mock_verb_work;
	request->script.portions = 70000;
	request->script.nr_steps = 2;
	run_to_end(request, 0);
	EXPECT_EQ(t, request->script.portions, 0);
	EXPECT(t, counters(t).runs - runs >= 70000);
	EXPECT_EQ(t, request->vrb.step, 1);
}

/* A run executes one portion, of whatever request it is. */
static void work_of_two_requests_alternates(struct test *t)
{
	struct mock_request *request[2];
	u64 runs = counters(t).runs;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.verb = &mock_verb_work;
		request[i]->script.portions = 5000;
		request[i]->script.nr_steps = 2;
		submit(request[i]);
	}
	for (i = 0; i < 2; i++)
		wait_over(request[i], 0);
	EXPECT(t, counters(t).runs - runs >= 10000);
}

static void work_that_fails(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->vrb.verb = &mock_verb_work;
	request->script.portions = 3;
	request->script.nr_steps = 2;
	request->script.step[0].flags = MOCK_REFUSE;
	run_to_end(request, -EINVAL);
	EXPECT_EQ(t, t->mock->posts, 0);
}

/* ---- Waits for a request ---- */

static void submit_again(struct mock_request *request)
{
	int ret = vrb_submit(request->test->client, &request->vrb);

	if (ret != -EINPROGRESS)
		request->data = ERR_PTR(ret);
}

static void kill_ends_resubmission(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->then = submit_again;
	submit(request);
	usleep_range(2000, 3000);
	vrb_kill(&request->vrb);
	EXPECT_EQ(t, PTR_ERR(request->data), -EPERM);
	EXPECT_EQ(t, vrb_cancel(&request->vrb), -ENOENT);
	vrb_kill(&request->vrb);		/* idle: returns at once */
	request->then = NULL;
	request->calls = 0;
	run_to_end(request, 0);
}

/* Whatever the request is doing, and however often: it is idle afterwards. */
static void kill_of_a_resubmitted_request(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	unsigned int calls;
	int i;

	request->then = submit_again;
	for (i = 0; i < 300; i++) {
		submit(request);
		usleep_range(1 + i % 50, 60);
		vrb_kill(&request->vrb);
		calls = READ_ONCE(request->calls);
		EXPECT_EQ(t, vrb_cancel(&request->vrb), -ENOENT);
		usleep_range(200, 250);
		EXPECT_EQ(t, READ_ONCE(request->calls), calls);
	}
	request->then = NULL;
	request->calls = 0;
	run_to_end(request, 0);
}

static void kill_cancels_queued(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *queued = new_request(t, 2);
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	blocker->vrb.object = &object->object;
	queued->vrb.object = &object->object;
	submit(blocker);
	submit(queued);
	vrb_kill(&queued->vrb);
	EXPECT_EQ(t, queued->calls, 1);
	EXPECT_EQ(t, queued->status, -ECANCELED);
	let_go(blocker);
	wait_over(blocker, 0);
	destroy(object);
	wait_released(t, &released);
}

static bool is_killed(void *work)
{
	return !work_busy(work);
}

struct killing {
	struct work_struct work;
	struct mock_request *request;
	struct completion begins;
};

static void kill_there(struct work_struct *work)
{
	struct killing *killing = container_of(work, struct killing, work);

	complete(&killing->begins);
	vrb_kill(&killing->request->vrb);
}

/* The killer sleeps when this returns. */
static void kill_begins(struct killing *killing)
{
	init_completion(&killing->begins);
	INIT_WORK_ONSTACK(&killing->work, kill_there);
	schedule_work(&killing->work);
	wait_for_completion(&killing->begins);
	msleep(50);
}

static void kill_is_over(struct killing *killing)
{
	flush_work(&killing->work);
	destroy_work_on_stack(&killing->work);
}

/* Another request of the client stays under way: the wait is for the request, not the client. */
static void kill_among_others(struct test *t)
{
	struct mock_request *other = held_request(t, 1), *request = held_request(t, 2);
	struct killing killing = { .request = request };

	submit(other);
	submit(request);
	wait_posted(other);
	wait_posted(request);
	kill_begins(&killing);
	let_go(request);
	wait_over(request, 0);
	EXPECT(t, wait_until(is_killed, &killing.work));
	let_go(other);
	wait_over(other, 0);
	kill_is_over(&killing);
}

/* The wait would begin when the step's command is over, and nobody is going to resume it. */
static void kill_ends_a_wait_that_begins_later(struct test *t)
{
	struct mock_request *request = new_request(t, 1);
	struct killing killing = { .request = request };
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request->vrb.object = &object->object;
	request->script.step[0].flags = MOCK_HOLD | MOCK_WAIT_AFTER;
	submit(request);
	wait_posted(request);
	kill_begins(&killing);
	let_go(request);
	wait_over(request, -ECANCELED);
	kill_is_over(&killing);
	destroy(object);
	wait_released(t, &released);
}

struct killable {
	struct mock_request *request;
	int ret;
	struct completion over;
};

static int wait_killable(void *arg)
{
	struct killable *killable = arg;

	allow_signal(SIGKILL);
	killable->ret = vrb_wait_killable(&killable->request->vrb);
	complete(&killable->over);
	return 0;
}

static bool start_killable(struct killable *killable, struct task_struct **task)
{
	struct test *t = killable->request->test;

	init_completion(&killable->over);
	*task = kthread_run(wait_killable, killable, "vrb-killable");
	if (!EXPECT(t, !IS_ERR(*task)))
		return false;
	msleep(20);
	return true;
}

/* The request has no waiter then, so that it can be waited for again. */
static void wait_ends_with_a_fatal_signal(struct test *t)
{
	struct killable killable = { .request = held_request(t, 1) };
	struct killable again = { .request = killable.request };
	struct task_struct *task;

	killable.request->vrb.done = NULL;
	submit(killable.request);
	if (!start_killable(&killable, &task))
		return;
	send_sig(SIGKILL, task, 1);
	EXPECT(t, wait_for_completion_timeout(&killable.over, MOCK_PATIENCE));
	EXPECT_EQ(t, killable.ret, -EINTR);
	if (!start_killable(&again, &task))
		return;
	EXPECT(t, !completion_done(&again.over));
	let_go(killable.request);
	EXPECT(t, wait_for_completion_timeout(&again.over, MOCK_PATIENCE));
	EXPECT_EQ(t, again.ret, 0);
	EXPECT_EQ(t, vrb_wait(&killable.request->vrb), 0);
	EXPECT_EQ(t, vrb_wait_killable(&killable.request->vrb), 0);
}

/* A caller that submits and then waits need not check the result of the submit. */
static void wait_for_a_refused_request(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	request->vrb.done = NULL;
	request->vrb.flags = 1;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	EXPECT_EQ(t, vrb_wait(&request->vrb), -EINVAL);
	request->vrb.flags = 0;
	EXPECT_EQ(t, vrb_submit_wait(t->client, &request->vrb), 0);
	vrb_client_shut(t->client);
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, vrb_wait(&request->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, vrb_wait_killable(&request->vrb), -ESHUTDOWN);
	EXPECT_EQ(t, request->vrb.status, -ESHUTDOWN);
}

const struct test_case wait_tests[] = {
	{ "wait_for_a_refused_request", wait_for_a_refused_request },
	{ "resume_during_undo_is_not_kept", resume_during_undo_is_not_kept },
	{ "resume_during_destroy_is_ignored", resume_during_destroy_is_ignored },
	{ "waits_without_a_slot", waits_without_a_slot, { .slots = 2 } },
	{ "resumed_continues_at_the_head", resumed_continues_at_the_head, { .slots = 2 } },
	{ "resumed_keeps_its_age", resumed_keeps_its_age, { .slots = 2 } },
	{ "waits_after_a_command", waits_after_a_command },
	{ "waits_until_resumed_in_hardirq", waits_until_resumed_in_hardirq },
	{ "resume_before_the_verdict", resume_before_the_verdict },
	{ "cancel_of_a_waiting_request_undoes", cancel_of_a_waiting_request_undoes },
	{ "cancel_of_a_wait_after_a_command_undoes", cancel_of_a_wait_after_a_command_undoes },
	{ "cancel_of_what_is_being_undone", cancel_of_what_is_being_undone, { .slots = 2 } },
	{ "destroy_cancels_a_waiting_request", destroy_cancels_a_waiting_request },
	{ "destroy_may_wait", destroy_may_wait, { .slots = 2 } },
	{ "fail_ends_waits", fail_ends_waits },
	{ "fail_before_the_verdict_keeps_the_wait", fail_before_the_verdict_keeps_the_wait },
	{ "fail_leaves_a_wait_to_its_resume", fail_leaves_a_wait_to_its_resume },
	{ "destroy_cancels_a_wait_that_begins_later", destroy_cancels_a_wait_that_begins_later },
	{ "work_in_portions", work_in_portions },
	{ "work_of_two_requests_alternates", work_of_two_requests_alternates },
	{ "work_that_fails", work_that_fails },
	{ "kill_ends_resubmission", kill_ends_resubmission },
	{ "kill_of_a_resubmitted_request", kill_of_a_resubmitted_request },
	{ "kill_among_others", kill_among_others },
	{ "kill_ends_a_wait_that_begins_later", kill_ends_a_wait_that_begins_later },
	{ "kill_cancels_queued", kill_cancels_queued },
	{ "wait_ends_with_a_fatal_signal", wait_ends_with_a_fatal_signal },
	{}
};
