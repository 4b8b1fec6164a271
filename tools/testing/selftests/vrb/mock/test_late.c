// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tests operations that come just too late. A probe on a function of the engine delays a CPU at the
 * one place where the delay does harm.
 */
#include <linux/kprobes.h>

#include "mock.h"

#define LONG_MS		200		/* no CPU is held up longer */

/* ---- A failure's flush after the revival ---- */

static bool flush_passes, flush_begins, flush_may_go, flush_goes;
static struct task_struct *reviver;

static int hold_up(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int ms;

	if (raw_smp_processor_id() != 1 || READ_ONCE(flush_passes))
		return 0;
	WRITE_ONCE(flush_begins, true);
	for (ms = 0; ms < LONG_MS && !READ_ONCE(flush_may_go); ms++)
		mdelay(1);
	WRITE_ONCE(flush_goes, true);
	return 0;
}

/* Runs @fn on CPU 0, while @handler holds CPU 1 up where it calls @function. */
static void while_held_up_by(struct test *t, const char *function, kprobe_pre_handler_t handler,
			     void (*fn)(struct test *t))
{
	struct kprobe probe = { .symbol_name = function, .pre_handler = handler };

	if (!stay_on_cpu0(t))
		return;
	flush_passes = false;
	flush_begins = false;
	flush_may_go = false;
	flush_goes = false;
	if (register_kprobe(&probe)) {
		test_skip(t, "this kernel has no probes");
	} else {
		fn(t);
		unregister_kprobe(&probe);
	}
	leave_cpu0();
}

static void while_held_up(struct test *t, const char *function, void (*fn)(struct test *t))
{
	while_held_up_by(t, function, hold_up, fn);
}

struct kicking {
	struct work_struct work;
	struct test *test;
};

static void kick_once(struct work_struct *work)
{
	vrb_device_kick(container_of(work, struct kicking, work)->test->dev);
}

static void fail_once(struct work_struct *work)
{
	vrb_device_fail(container_of(work, struct kicking, work)->test->dev, "there");
}

static bool is_set(void *arg)
{
	return READ_ONCE(*(bool *)arg);
}

static bool may_be_revived(void *arg)
{
	struct test *t = arg;

	return !vrb_device_revive(t->dev);
}

/* A failed device, the rest of whose work has ended */
static void fail_to_the_end(struct test *t)
{
	vrb_device_fail(t->dev, "on request");
	wait_failed(t);
	usleep_range(2000, 3000);
}

/* A run that has begun before may still see the old number of slots. */
static void revive_beside_a_run(struct test *t)
{
	struct kicking kicking = { .test = t };

	INIT_WORK_ONSTACK(&kicking.work, kick_once);
	schedule_work_on(1, &kicking.work);
	EXPECT(t, wait_until(is_set, &flush_begins));
	mock_reset(t->mock);
	EXPECT(t, wait_until(may_be_revived, t));
	EXPECT(t, READ_ONCE(flush_goes));
	flush_work(&kicking.work);
	destroy_work_on_stack(&kicking.work);
}

static void revive_waits_for_a_run(struct test *t)
{
	fail_to_the_end(t);
	while_held_up(t, "vrb_flush", revive_beside_a_run);
}

static void kick_often(struct mock_thread *thread)
{
	struct test *t = thread->data;

	vrb_device_kick(t->dev);
	cpu_relax();
}

/* The revival has waited for older runs. From here on, the next run on CPU 1 is held up. */
static int have_a_run_held_up(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	unsigned int ms;

	if (current != reviver)
		return 0;
	WRITE_ONCE(flush_passes, false);
	for (ms = 0; ms < LONG_MS && !READ_ONCE(flush_begins); ms++)
		mdelay(1);
	return 0;
}

/* The pump's run has seen the failure; when it goes on, the device has been revived. */
static void outlive_the_flush(struct test *t)
{
	struct kretprobe probe = { .kp.symbol_name = "synchronize_rcu",
				   .handler = have_a_run_held_up };
	struct mock_thread *kicks = test_alloc(t, sizeof(*kicks));
	struct mock_request *request = held_request(t, 1);

	reviver = current;
	WRITE_ONCE(flush_passes, true);
	if (register_kretprobe(&probe)) {
		test_skip(t, "this kernel has no such probes");
		return;
	}
	start_on_cpu1(kicks, kick_often, t);
	mock_reset(t->mock);
	EXPECT(t, wait_until(may_be_revived, t));
	EXPECT(t, READ_ONCE(flush_begins));
	if (READ_ONCE(flush_goes))
		test_skip(t, "this machine is too slow");
	submit(request);
	WRITE_ONCE(flush_may_go, true);
	stop_on_cpu1(kicks);
	unregister_kretprobe(&probe);
	let_go(request);
	wait_over(request, 0);
}

static void flush_after_a_stop_of_the_device(struct test *t)
{
	fail_to_the_end(t);
	while_held_up(t, "vrb_flush", outlive_the_flush);
}

/* ---- A provider that is still being told of the failure ---- */

/* The provider is still being told of the failure, so the device must not be revived. */
static void outrun_the_report(struct test *t)
{
	struct kicking kicking = { .test = t };

	INIT_WORK_ONSTACK(&kicking.work, fail_once);
	schedule_work_on(1, &kicking.work);
	EXPECT(t, wait_until(is_set, &flush_begins));
	mock_reset(t->mock);
	EXPECT_EQ(t, vrb_device_revive(t->dev), -EBUSY);
	WRITE_ONCE(flush_may_go, true);
	flush_work(&kicking.work);
	destroy_work_on_stack(&kicking.work);
	EXPECT(t, wait_until(may_be_revived, t));
}

static void revive_before_the_provider_knows(struct test *t)
{
	while_held_up(t, "mock_failed", outrun_the_report);
}

/* ---- A device that ends while its failure's flush has not begun ---- */

#define ZOMBIES 40

struct stopping {
	struct work_struct work;
	struct vrb_device *dev;
};

static void stop_there(struct work_struct *work)
{
	vrb_device_stop(container_of(work, struct stopping, work)->dev, "test");
}

/*
 * Makes commands time out, each on an object that nobody else has a reference to; without
 * @released, on no object.
 */
static void lose_many(struct test *t, struct test *other, struct completion *released)
{
	struct mock_request *request[ZOMBIES];
	struct mock_object *object[ZOMBIES];
	unsigned int i;

	for (i = 0; i < ZOMBIES; i++) {
		request[i] = held_request(t, i);
		request[i]->test = other;
		if (released) {
			object[i] = new_object(other, i, &released[i]);
			request[i]->vrb.object = &object[i]->object;
		}
		EXPECT_EQ(t, vrb_submit(vrb_device_client(other->dev), &request[i]->vrb),
			  -EINPROGRESS);
	}
	for (i = 0; i < ZOMBIES; i++) {
		wait_over(request[i], -ETIMEDOUT);
		if (released)
			vrb_object_put(&object[i]->object);
	}
}

/*
 * The thread that waits for the zombies is woken when all of them have been released, and not
 * before. There are more than a run releases.
 */
static void end_with(struct test *t, struct completion *released)
{
	static const struct test_case second = {
		.config = { .name = "second", .slots = MOCK_SLOTS,
			    .max_zombies = MOCK_SLOTS - 2, .issue_timeout_ms = 50 }
	};
	struct test *other = test_alloc(t, sizeof(*other));
	struct mock *mock = mock_create(&second);
	struct stopping stopping;
	unsigned int i;

	if (!EXPECT(t, !IS_ERR(mock)))
		return;
	other->test_case = &second;
	other->mock = mock;
	other->dev = mock->dev;
	stopping.dev = mock->dev;
	lose_many(t, other, released);
	INIT_WORK_ONSTACK(&stopping.work, stop_there);
	schedule_work_on(1, &stopping.work);
	EXPECT(t, wait_until(is_set, &flush_begins));
	vrb_device_destroy(mock->dev);
	flush_work(&stopping.work);
	destroy_work_on_stack(&stopping.work);
	EXPECT_EQ(t, mock->quiesces, 1);
	EXPECT(t, !other->failed);
	for (i = 0; released && i < ZOMBIES; i++)
		EXPECT(t, completion_done(&released[i]));
	mock_free(mock);
}

static void end_with_zombies(struct test *t)
{
	end_with(t, test_alloc(t, ZOMBIES * sizeof(struct completion)));
}

/* Without objects no release of an object wakes the waiting thread. */
static void end_with_zombies_of_no_object(struct test *t)
{
	end_with(t, NULL);
}

static void zombie_at_device_destroy(struct test *t)
{
	while_held_up(t, "vrb_flush", end_with_zombies);
}

static void zombie_without_object_at_device_destroy(struct test *t)
{
	while_held_up(t, "vrb_flush", end_with_zombies_of_no_object);
}

/* ---- A client that registers while the device is being detached ---- */

static void detach_there(struct work_struct *work)
{
	vrb_device_detach(container_of(work, struct stopping, work)->dev);
}

/* The registration finds the device, and waits for the lock. */
static void join_what_is_going(struct test *t)
{
	struct stopping stopping = { .dev = t->dev };
	struct vrb_client *client;

	INIT_WORK_ONSTACK(&stopping.work, detach_there);
	schedule_work_on(1, &stopping.work);
	EXPECT(t, wait_until(is_set, &flush_begins));
	client = vrb_client_register(mock_ibdev(t->mock), "late");
	if (!IS_ERR(client))
		vrb_client_unregister(client);
	/* If this CPU was too late, the device is no longer in any list. */
	EXPECT(t, PTR_ERR(client) == -ENODEV || PTR_ERR(client) == -EOPNOTSUPP);
	vrb_client_unregister(t->client);
	t->client = NULL;
	flush_work(&stopping.work);
	destroy_work_on_stack(&stopping.work);
}

static void detach_refuses_a_late_registration(struct test *t)
{
	while_held_up(t, "vrb_sweep_start", join_what_is_going);
}

/* ---- A fence that waits when a destroy comes by way of the inbox ---- */

struct leaving {
	struct work_struct work;
	struct vrb_client *client;
	bool inboxed;
	struct completion left;
};

static void leave(struct work_struct *work)
{
	struct leaving *leaving = container_of(work, struct leaving, work);

	while (!READ_ONCE(leaving->inboxed))
		cpu_relax();
	vrb_client_unregister(leaving->client);
	complete(&leaving->left);
}

/*
 * While the destroy is in the inbox, nobody knows that it will wait for another client's child. So
 * the fence waits for it.
 */
static void fence_waits_for_a_destroy_in_the_inbox(struct test *t)
{
	struct leaving leaving = { .client = vrb_client_register(mock_ibdev(t->mock), "leaving") };
	struct completion parent_released, child_released;
	struct mock_object *parent, *child;

	if (!stay_on_cpu0(t))
		return;
	child = new_object(t, 9, &child_released);
	parent = new_object(t, 8, &parent_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	init_completion(&leaving.left);
	INIT_WORK_ONSTACK(&leaving.work, leave);
	schedule_work_on(1, &leaving.work);
	local_irq_disable();
	EXPECT_EQ(t, vrb_destroy(leaving.client, &parent->object, NULL, NULL), -EINPROGRESS);
	WRITE_ONCE(leaving.inboxed, true);
	mdelay(50);			/* the fence gets to sleep */
	local_irq_enable();
	EXPECT(t, wait_for_completion_timeout(&leaving.left, MOCK_PATIENCE));
	destroy(child);
	wait_released(t, &child_released);
	wait_released(t, &parent_released);
	flush_work(&leaving.work);
	destroy_work_on_stack(&leaving.work);
	leave_cpu0();
}

/* ---- A pump that is held up when a client goes before its destroy ---- */

static bool client_leaves;

/* The client is about to tell the pump of its destroys. */
static int have_the_pump_held_up(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int ms;

	if (raw_smp_processor_id())
		return 0;
	WRITE_ONCE(client_leaves, true);
	for (ms = 0; ms < LONG_MS && !READ_ONCE(flush_begins); ms++)
		mdelay(1);
	return 0;
}

static void kick_when_it_leaves(struct mock_thread *thread)
{
	struct test *t = thread->data;

	if (READ_ONCE(client_leaves))
		vrb_device_kick(t->dev);
	WRITE_ONCE(client_leaves, false);
}

static void count_gone(void *context)
{
	unsigned int *gone = context;

	*gone += 1;
}

/* The callback that the fence has called has returned when the unregister returns. */
static void leave_a_busy_pump(struct test *t)
{
	struct vrb_client *second = vrb_client_register(mock_ibdev(t->mock), "second");
	struct kprobe probe = {
		.symbol_name = "vrb_tell", .pre_handler = have_the_pump_held_up
	};
	struct completion parent_released, child_released;
	struct mock_object *parent, *child;
	struct mock_thread thread;
	unsigned int gone = 0;

	child = new_object(t, 9, &child_released);
	parent = new_object(t, 8, &parent_released);
	EXPECT_EQ(t, vrb_object_add_parent(&child->object, &parent->object), 0);
	EXPECT_EQ(t, vrb_destroy(second, &parent->object, count_gone, &gone), -EINPROGRESS);
	client_leaves = false;
	EXPECT_EQ(t, register_kprobe(&probe), 0);
	start_on_cpu1(&thread, kick_when_it_leaves, t);
	vrb_client_unregister(second);
	EXPECT_EQ(t, READ_ONCE(gone), 1);
	WRITE_ONCE(flush_may_go, true);
	stop_on_cpu1(&thread);
	unregister_kprobe(&probe);
	destroy(child);
	wait_released(t, &child_released);
	wait_released(t, &parent_released);
	EXPECT_EQ(t, gone, 1);
}

static void client_fence_waits_for_those_it_leaves(struct test *t)
{
	while_held_up(t, "vrb_run", leave_a_busy_pump);
}

/* ---- A gone callback that takes long ---- */

struct going {
	struct work_struct work;
	struct vrb_client *client;
	struct mock_object *object;
	bool begun, over;
};

static void gone_slowly(void *context)
{
	struct going *going = context;

	WRITE_ONCE(going->begun, true);
	mdelay(100);
	WRITE_ONCE(going->over, true);
}

static void destroy_there(struct work_struct *work)
{
	struct going *going = container_of(work, struct going, work);

	WARN_ON(vrb_destroy(going->client, &going->object->object, gone_slowly, going) !=
		-EINPROGRESS);
}

/* The pump runs on the other CPU, so that this one could return meanwhile. */
static void client_fence_waits_for_gone(struct test *t)
{
	struct completion released;
	struct going going = {};

	if (!stay_on_cpu0(t))
		return;
	going.client = vrb_client_register(mock_ibdev(t->mock), "going");
	going.object = new_object(t, 9, &released);
	INIT_WORK_ONSTACK(&going.work, destroy_there);
	schedule_work_on(1, &going.work);
	EXPECT(t, wait_until(is_set, &going.begun));
	vrb_client_unregister(going.client);
	EXPECT(t, READ_ONCE(going.over));
	flush_work(&going.work);
	destroy_work_on_stack(&going.work);
	wait_released(t, &released);
	leave_cpu0();
}

/* ---- A kill that finds its request inside a submit that is refused ---- */

struct meddling {
	struct work_struct work;
	struct mock_request *request;
	int ret;
};

static void kill_there(struct work_struct *work)
{
	vrb_kill(&container_of(work, struct meddling, work)->request->vrb);
}

static void submit_there(struct work_struct *work)
{
	struct meddling *meddling = container_of(work, struct meddling, work);

	meddling->ret = vrb_submit(meddling->request->test->client, &meddling->request->vrb);
}

static bool is_through(void *work)
{
	return !work_busy(work);
}

static void spin_until(bool (*condition)(void *arg), void *arg)
{
	unsigned int ms;

	for (ms = 0; ms < 5000 && !condition(arg); ms++)
		mdelay(1);
}

static bool is_over(void *request)
{
	return completion_done(&((struct mock_request *)request)->over);
}

/* The killer runs on this CPU, so it cannot see that the request is idle before the next submit. */
static void have_it_submitted_again(struct mock_request *request, struct meddling *submitter)
{
	preempt_disable();
	let_go(request);
	spin_until(is_over, request);
	schedule_work_on(1, &submitter->work);
	spin_until(is_set, &flush_begins);
	preempt_enable();
}

static void refuse_what_is_killed(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	struct meddling killer = { .request = request }, submitter = { .request = request };
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	request->vrb.object = &object->object;
	submit(request);
	wait_posted(request);
	INIT_WORK_ONSTACK(&killer.work, kill_there);
	INIT_WORK_ONSTACK(&submitter.work, submit_there);
	schedule_work_on(0, &killer.work);
	msleep(50);			/* the killer sleeps */
	have_it_submitted_again(request, &submitter);
	msleep(20);			/* it has looked, and sleeps again */
	WRITE_ONCE(flush_may_go, true);
	flush_work(&submitter.work);
	EXPECT_EQ(t, submitter.ret, -EPERM);
	EXPECT(t, wait_until(is_through, &killer.work));
	vrb_device_kick(t->dev);
	flush_work(&killer.work);
	destroy_work_on_stack(&submitter.work);
	destroy_work_on_stack(&killer.work);
	EXPECT_EQ(t, request->calls, 1);
	destroy(object);
	wait_released(t, &released);
}

/* A refused submit wakes the killer, which has taken it for the request's owner. */
static void kill_goes_on_after_a_refused_submit(struct test *t)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		test_skip(t, "softirqs need a CPU that can be preempted");
	else
		while_held_up(t, "vrb_object_put", refuse_what_is_killed);
}

/* ---- A kill that finds its request inside a submit that is accepted ---- */

static void kill_what_is_being_submitted(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	struct meddling killer = { .request = request }, submitter = { .request = request };

	INIT_WORK_ONSTACK(&killer.work, kill_there);
	INIT_WORK_ONSTACK(&submitter.work, submit_there);
	schedule_work_on(1, &submitter.work);
	EXPECT(t, wait_until(is_set, &flush_begins));
	schedule_work_on(0, &killer.work);
	msleep(50);			/* the killer has looked at it */
	EXPECT(t, !is_through(&killer.work));
	WRITE_ONCE(flush_may_go, true);
	flush_work(&submitter.work);
	EXPECT_EQ(t, submitter.ret, -EINPROGRESS);
	let_go(request);
	wait_over(request, 0);
	flush_work(&killer.work);
	destroy_work_on_stack(&submitter.work);
	destroy_work_on_stack(&killer.work);
}

/* It may be accepted yet, so it is not idle. */
static void kill_waits_for_a_submit(struct test *t)
{
	while_held_up(t, "vrb_verb_ok", kill_what_is_being_submitted);
}

/* ---- A cancel that looks at its request while the callback submits it again ---- */

static void cancel_there(struct work_struct *work)
{
	struct meddling *meddling = container_of(work, struct meddling, work);

	meddling->ret = vrb_cancel(&meddling->request->vrb);
}

/* The other CPU knows the ticket of this callback, and not yet which callback runs. */
static void submit_under_a_look(struct mock_request *request)
{
	struct meddling *canceller = request->data;

	request->then = NULL;
	schedule_work_on(1, &canceller->work);
	spin_until(is_set, &flush_begins);
	submit(request);
}

static bool is_posted_again(void *request)
{
	return READ_ONCE(((struct mock_request *)request)->script.posts) == 2;
}

static void look_at_what_is_submitted_again(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	struct meddling canceller = { .request = request };

	INIT_WORK_ONSTACK(&canceller.work, cancel_there);
	request->then = submit_under_a_look;
	request->data = &canceller;
	submit(request);
	wait_posted(request);
	let_go(request);
	EXPECT(t, wait_until(is_posted_again, request));
	usleep_range(2000, 3000);	/* the callback returns */
	WRITE_ONCE(flush_may_go, true);
	flush_work(&canceller.work);
	destroy_work_on_stack(&canceller.work);
	EXPECT_EQ(t, canceller.ret, -EALREADY);
	request->calls = 0;
	let_go(request);
	wait_over(request, 0);
}

/* At no time it was idle. */
static void cancel_of_what_its_callback_submits(struct test *t)
{
	while_held_up(t, "vrb_word_idle", look_at_what_is_submitted_again);
}

/* ---- A cancel of a request in the inbox while another CPU has the lock of the inbox ---- */

static struct mock_request *in_inbox;
static bool inbox_changed;

/* In a kick, which has the lock. */
static int hold_the_inbox(struct kprobe *probe, struct pt_regs *regs)
{
	struct list_head *next;

	if (raw_smp_processor_id() != 1 || READ_ONCE(flush_begins))
		return 0;
	next = READ_ONCE(in_inbox->vrb.entry.next);
	WRITE_ONCE(flush_begins, true);
	mdelay(50);
	inbox_changed = READ_ONCE(in_inbox->vrb.entry.next) != next;
	return 0;
}

static void cancel_what_is_in_the_inbox(struct test *t)
{
	struct kicking kicking = { .test = t };

	in_inbox = new_request(t, 1);
	inbox_changed = false;
	INIT_WORK_ONSTACK(&kicking.work, kick_once);
	local_bh_disable();		/* the pump leaves it there */
	local_irq_disable();
	submit(in_inbox);
	local_irq_enable();
	schedule_work_on(1, &kicking.work);
	spin_until(is_set, &flush_begins);
	EXPECT_EQ(t, vrb_cancel(&in_inbox->vrb), 0);
	local_bh_enable();
	wait_over(in_inbox, -ECANCELED);
	flush_work(&kicking.work);
	destroy_work_on_stack(&kicking.work);
	EXPECT(t, !inbox_changed);
}

static void inbox_changes_under_its_lock(struct test *t)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		test_skip(t, "with BH disabled the pump may run nevertheless");
	else
		while_held_up_by(t, "vrb_softirq_sched", hold_the_inbox,
				 cancel_what_is_in_the_inbox);
}

/* ---- A device that ends before its pump has released its objects ---- */

#define UNSEEN 40		/* more than a run releases */

struct putting {
	struct work_struct work;
	struct mock_object *object[UNSEEN];
	struct completion released[UNSEEN];
	bool begun;
};

static void put_there(struct work_struct *work)
{
	struct putting *putting = container_of(work, struct putting, work);
	unsigned int i;

	local_bh_disable();		/* the pump waits */
	for (i = 0; i < UNSEEN; i++)
		vrb_object_put(&putting->object[i]->object);
	WRITE_ONCE(putting->begun, true);
	mdelay(100);			/* the other CPU ends the device */
	local_bh_enable();
}

/* The device waits for what the pump has been told, and has not looked at. */
static void puts_at_the_end_of_a_device(struct test *t)
{
	static const struct test_case second = { .config = { .name = "second" } };
	struct putting *putting = test_alloc(t, sizeof(*putting));
	struct test *other = test_alloc(t, sizeof(*other));
	unsigned int i;

	if (!stay_on_cpu0(t))
		return;
	other->test_case = &second;
	other->mock = mock_create(&second);
	if (!EXPECT(t, !IS_ERR(other->mock)))
		return;
	other->dev = other->mock->dev;
	for (i = 0; i < UNSEEN; i++)
		putting->object[i] = new_object(other, i, &putting->released[i]);
	INIT_WORK(&putting->work, put_there);
	schedule_work_on(1, &putting->work);
	EXPECT(t, wait_until(is_set, &putting->begun));
	vrb_device_destroy(other->dev);
	flush_work(&putting->work);
	for (i = 0; i < UNSEEN; i++)
		EXPECT(t, completion_done(&putting->released[i]));
	EXPECT(t, !other->failed);
	mock_free(other->mock);
	leave_cpu0();
}

/* ---- Devices at the same address, one after the other ---- */

/* Makes @request's callback the first one of a device, which is gone when this returns. */
static void first_of_a_device(struct test *t, struct mock_request *request)
{
	static const struct test_case second = { .config = { .name = "second" } };
	struct mock *mock = mock_create(&second);
	struct test *other = test_alloc(t, sizeof(*other));

	if (!EXPECT(t, !IS_ERR(mock)))
		return;
	other->test_case = &second;
	other->mock = mock;
	request->test = other;
	EXPECT_EQ(t, vrb_submit(vrb_device_client(mock->dev), &request->vrb), -EINPROGRESS);
	EXPECT(t, wait_for_completion_timeout(&request->over, MOCK_PATIENCE));
	vrb_device_destroy(mock->dev);
	mock_free(mock);
	request->test = t;
}

struct looking {
	struct work_struct work;
	struct mock_request *before;
	int ret;
	bool looked;
};

static void look(struct work_struct *work)
{
	struct looking *looking = container_of(work, struct looking, work);
	struct mock_request *before = looking->before;

	looking->ret = vrb_submit(before->test->client, &before->vrb);
	WRITE_ONCE(looking->looked, true);
}

static void have_it_looked_at(struct mock_request *request)
{
	struct looking *looking = request->data;
	int other = !raw_smp_processor_id();
	unsigned int ms;

	schedule_work_on(other, &looking->work);
	for (ms = 0; ms < LONG_MS && !READ_ONCE(looking->looked); ms++)
		mdelay(1);
	complete(&request->over);
}

/* A request that became idle on an earlier device is idle, whatever callback the new one runs. */
static void idle_after_an_earlier_device(struct test *t)
{
	struct mock_request *before = new_request(t, 1), *now = new_request(t, 2);
	struct looking looking = { .before = before };

	if (!cpu_online(0) || !cpu_online(1)) {
		test_skip(t, "needs CPU 0 and 1");
		return;
	}
	INIT_WORK_ONSTACK(&looking.work, look);
	first_of_a_device(t, before);
	before->calls = 0;
	now->then = have_it_looked_at;
	now->data = &looking;
	first_of_a_device(t, now);
	flush_work(&looking.work);
	destroy_work_on_stack(&looking.work);
	if (EXPECT_EQ(t, looking.ret, -EINPROGRESS))
		wait_over(before, 0);
}

/* ---- A timer that fires while its device ends ---- */

static bool device_ends;
static unsigned int kicks_afterwards, runs_afterwards;

static int let_the_timer_fire(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int ms;

	WRITE_ONCE(device_ends, true);
	for (ms = 0; ms < LONG_MS && !READ_ONCE(kicks_afterwards); ms++)
		mdelay(1);
	mdelay(5);			/* and whatever that starts */
	return 0;
}

static int count_kick(struct kprobe *probe, struct pt_regs *regs)
{
	if (READ_ONCE(device_ends))
		WRITE_ONCE(kicks_afterwards, kicks_afterwards + 1);
	return 0;
}

static int count_run(struct kprobe *probe, struct pt_regs *regs)
{
	runs_afterwards += READ_ONCE(device_ends);
	return 0;
}

/* Stays on CPU 1, where the timer is set, too; an idle CPU would set it elsewhere. */
static long run_there(void *arg)
{
	struct mock_request *request = arg;
	struct vrb_client *own = vrb_device_client(request->test->mock->dev);
	int ret = vrb_submit(own, &request->vrb);

	while (ret == -EINPROGRESS && !completion_done(&request->over))
		cpu_relax();
	return ret + EINPROGRESS;
}

static void end_with_a_timer(struct test *t, struct kprobe **probes, int nr)
{
	static const struct test_case hasty = {
		.config = { .name = "hasty", .issue_timeout_ms = LONG_MS / 2 }
	};
	struct mock_request *request = new_request(t, 1);
	struct mock *mock = mock_create(&hasty);
	struct test *other = test_alloc(t, sizeof(*other));
	bool probed;

	if (!EXPECT(t, !IS_ERR(mock)))
		return;
	other->test_case = &hasty;
	other->mock = mock;
	request->test = other;
	probed = !register_kprobes(probes, nr);
	on_other_cpu(t, run_there, request);
	vrb_device_destroy(mock->dev);
	mock_free(mock);
	if (!probed) {
		test_skip(t, "no probe of the device's end here");
		return;
	}
	unregister_kprobes(probes, nr);
	EXPECT(t, kicks_afterwards);
	EXPECT_EQ(t, runs_afterwards, 0);
}

/* The pump has stopped, and its device's timer stops next: it must not start the pump again. */
static void timer_at_device_destroy(struct test *t)
{
	struct kprobe end = { .symbol_name = "vrb_time_stop", .pre_handler = let_the_timer_fire };
	struct kprobe kick = { .symbol_name = "vrb_kick", .pre_handler = count_kick };
	struct kprobe run = { .symbol_name = "vrb_carry", .pre_handler = count_run };
	struct kprobe *probes[] = { &end, &kick, &run };

	if (!stay_on_cpu0(t))
		return;
	device_ends = false;
	kicks_afterwards = 0;
	runs_afterwards = 0;
	end_with_a_timer(t, probes, ARRAY_SIZE(probes));
	leave_cpu0();
}

/* ---- A clock that is behind the clock of the timer ---- */

#define BEHIND_NS	(50 * NSEC_PER_MSEC)
#define BEHIND_TIMES	4		/* two runs: each looks at its beginning and end */

/* Architectures with error injection can change what a function returns. */
#define SETS_RESULTS	(IS_ENABLED(CONFIG_KRETPROBES) && IS_ENABLED(CONFIG_64BIT) && \
			 IS_ENABLED(CONFIG_HAVE_FUNCTION_ERROR_INJECTION))

static ktime_t behind_from;
static unsigned int behind_left;

/* The pump sees an earlier time after the timer has fired. */
static int turn_back(struct kretprobe_instance *instance, struct pt_regs *regs)
{
#if SETS_RESULTS
	ktime_t now = regs_return_value(regs);
	char name[KSYM_SYMBOL_LEN];

	if (!READ_ONCE(behind_left) || ktime_before(now, behind_from))
		return 0;
	sprint_symbol_no_offset(name, get_kretprobe_retaddr(instance));
	if (strncmp(name, "vrb_run ", 8))
		return 0;
	WRITE_ONCE(behind_left, behind_left - 1);
	regs_set_return_value(regs, ktime_sub_ns(now, BEHIND_NS));
#endif
	return 0;
}

static struct kretprobe clock_probe = { .kp.symbol_name = "ktime_get", .handler = turn_back };

/* The timer has fired, and nothing has expired yet by the clock of the run: it is set again. */
static void timer_ahead_of_the_clock(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = new_request(t, 2);
	struct mock_object *object;
	struct completion released;
	struct kretprobe probe = clock_probe;

	object = new_object(t, 9, &released);
	first->vrb.object = &object->object;
	second->vrb.object = &object->object;
	submit(first);
	wait_posted(first);
	second->vrb.deadline = ktime_add_ms(ktime_get(), 500);
	behind_from = second->vrb.deadline;
	behind_left = BEHIND_TIMES;
	if (!SETS_RESULTS || register_kretprobe(&probe)) {
		test_skip(t, "this kernel has no such probes");
	} else {
		submit(second);
		EXPECT(t, wait_for_completion_timeout(&second->over, MOCK_PATIENCE / 4));
		unregister_kretprobe(&probe);
		/* One of two in a row is at the beginning of a run. */
		EXPECT(t, behind_left <= BEHIND_TIMES - 2);
		EXPECT_EQ(t, second->status, -ETIME);
	}
	let_go(first);
	wait_over(first, 0);
	destroy(object);
	wait_released(t, &released);
}

struct slow_softirq {
	struct vrb_softirq softirq;
	bool running;
	int runs;
};

static int run_slowly(struct vrb_softirq *softirq, int budget)
{
	struct slow_softirq *slow = container_of(softirq, struct slow_softirq, softirq);

	WRITE_ONCE(slow->running, true);
	WRITE_ONCE(slow->runs, slow->runs + 1);
	mdelay(10);
	WRITE_ONCE(slow->running, false);
	vrb_softirq_complete(softirq);
	return 0;
}

static struct slow_softirq *new_slow_softirq(struct test *t, bool timed)
{
	struct slow_softirq *slow = test_alloc(t, sizeof(*slow));

	vrb_softirq_init(&slow->softirq, 2, run_slowly);
	slow->softirq.timed = timed || slow->softirq.timed;
	return slow;
}

static void sched_slowly(void *slow)
{
	vrb_softirq_sched(&((struct slow_softirq *)slow)->softirq);
}

static void stops_while_it_runs(struct test *t, struct slow_softirq *slow)
{
	/* On another CPU: here it would run to its end before the stop. */
	unsigned int cpu = cpumask_any_but(cpu_online_mask, get_cpu());

	smp_call_function_single(cpu, sched_slowly, slow, 1);
	while (!READ_ONCE(slow->runs))
		cpu_relax();
	put_cpu();
	vrb_softirq_stop_begin(&slow->softirq);
	EXPECT(t, !READ_ONCE(slow->running));
	EXPECT_EQ(t, slow->runs, 1);
	synchronize_rcu();
	vrb_softirq_stop_end(&slow->softirq);
}

/* The owner waits for what the last run has queued before the second half of the stop. */
static void stop_waits_for_a_softirq_that_runs(struct test *t)
{
	if (num_online_cpus() == 1) {
		test_skip(t, "there is no other CPU");
		return;
	}
	stops_while_it_runs(t, new_slow_softirq(t, false));
	stops_while_it_runs(t, new_slow_softirq(t, true));
}

/* A vrb_softirq_sched() that was under way during the stop has started the timer. */
static void stop_prevents_a_late_run_of_a_timer(struct test *t)
{
	struct slow_softirq *slow = new_slow_softirq(t, true);

	vrb_softirq_stop_begin(&slow->softirq);
	hrtimer_start(&slow->softirq.timer, ktime_get(), HRTIMER_MODE_ABS_SOFT);
	msleep(20);
	EXPECT_EQ(t, slow->runs, 0);
	vrb_softirq_stop_end(&slow->softirq);
}

/* After the stop the owner frees the softirq. */
static void stop_ends_the_timer_of_a_softirq(struct test *t)
{
	struct slow_softirq *slow = new_slow_softirq(t, true);

	vrb_softirq_stop_begin(&slow->softirq);
	hrtimer_start(&slow->softirq.timer, ktime_add_ms(ktime_get(), 600 * MSEC_PER_SEC),
		      HRTIMER_MODE_ABS_SOFT);
	vrb_softirq_stop_end(&slow->softirq);
	EXPECT(t, !hrtimer_active(&slow->softirq.timer));
	hrtimer_cancel(&slow->softirq.timer);
}

const struct test_case late_tests[] = {
	{ "flush_after_a_stop_of_the_device", flush_after_a_stop_of_the_device },
	{ "revive_waits_for_a_run", revive_waits_for_a_run },
	{ "revive_before_the_provider_knows", revive_before_the_provider_knows },
	{ "zombie_at_device_destroy", zombie_at_device_destroy },
	{ "zombie_without_object_at_device_destroy", zombie_without_object_at_device_destroy },
	{ "fence_waits_for_a_destroy_in_the_inbox", fence_waits_for_a_destroy_in_the_inbox },
	{ "detach_refuses_a_late_registration", detach_refuses_a_late_registration },
	{ "client_fence_waits_for_gone", client_fence_waits_for_gone },
	{ "client_fence_waits_for_those_it_leaves", client_fence_waits_for_those_it_leaves },
	{ "kill_goes_on_after_a_refused_submit", kill_goes_on_after_a_refused_submit,
	  { .issue_timeout_ms = 600000 } },
	{ "kill_waits_for_a_submit", kill_waits_for_a_submit },
	{ "cancel_of_what_its_callback_submits", cancel_of_what_its_callback_submits },
	{ "inbox_changes_under_its_lock", inbox_changes_under_its_lock },
	{ "puts_at_the_end_of_a_device", puts_at_the_end_of_a_device },
	{ "idle_after_an_earlier_device", idle_after_an_earlier_device },
	{ "stop_waits_for_a_softirq_that_runs", stop_waits_for_a_softirq_that_runs },
	{ "stop_prevents_a_late_run_of_a_timer", stop_prevents_a_late_run_of_a_timer },
	{ "stop_ends_the_timer_of_a_softirq", stop_ends_the_timer_of_a_softirq },
	{ "timer_ahead_of_the_clock", timer_ahead_of_the_clock,
	  { .issue_timeout_ms = 600000 } },
	{ "timer_at_device_destroy", timer_at_device_destroy },
	{}
};
