// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Functions that the tests share: requests, objects, waiting, contexts.
 */
#include <linux/cpu.h>
#include <linux/workqueue.h>

#include "mock.h"

struct test_memory {
	struct list_head entry;
	char data[] __aligned(8);
};

struct elsewhere {
	struct hrtimer timer;
	struct completion done;
	void (*fn)(void *arg);
	void *arg;
};

/**
 * test_fail - record that a check has failed
 * @t: test
 * @file: file of the check
 * @line: line of the check
 * @fmt: what is wrong
 *
 * Context: Any.
 */
void test_fail(struct test *t, const char *file, int line, const char *fmt, ...)
{
	const char *slash = strrchr(file, '/');
	va_list args;

	t->failed = true;
	t->length += scnprintf(t->log + t->length, sizeof(t->log) - t->length, "# %s:%d: ",
			       slash ? slash + 1 : file, line);
	va_start(args, fmt);
	t->length += vscnprintf(t->log + t->length, sizeof(t->log) - t->length, fmt, args);
	va_end(args);
	t->length += scnprintf(t->log + t->length, sizeof(t->log) - t->length, "\n");
}

/**
 * test_skip - record that this test cannot run here
 * @t: test
 * @why: reason
 *
 * Context: Process.
 */
void test_skip(struct test *t, const char *why)
{
	t->skipped = true;
	t->length += scnprintf(t->log + t->length, sizeof(t->log) - t->length, "%s", why);
}

/**
 * test_alloc - zeroed memory that lives as long as the test and its device
 * @t: test
 * @size: bytes
 *
 * Context: Process.
 * Return: never NULL: such a small allocation does not fail.
 */
void *test_alloc(struct test *t, size_t size)
{
	struct test_memory *memory;

	memory = kvzalloc(sizeof(*memory) + size, GFP_KERNEL | __GFP_NOFAIL);
	list_add(&memory->entry, &t->memory);
	return memory->data;
}

/**
 * test_free_all - free what test_alloc() has allocated
 * @t: test
 *
 * Context: Process.
 */
void test_free_all(struct test *t)
{
	struct test_memory *memory, *next;

	list_for_each_entry_safe(memory, next, &t->memory, entry)
		kvfree(memory);
}

/* ---- Requests ---- */

static void request_done(struct vrb *vrb)
{
	struct mock_request *request = container_of(vrb, struct mock_request, vrb);

	mock_callback(request->test->mock, vrb->status);
	request->calls++;
	request->status = vrb->status;
	request->bad_context |= !in_serving_softirq() || in_hardirq() || irqs_disabled();
	request->called_inside |= request->inside;
	if (request->then)
		request->then(request);
	else
		complete(&request->over);
}

/**
 * new_request - a request of one command
 * @t: test
 * @tag: identifies it in the log of posts
 *
 * Context: Process.
 */
struct mock_request *new_request(struct test *t, int tag)
{
	struct mock_request *request = test_alloc(t, sizeof(*request));

	request->test = t;
	request->script.tag = tag;
	request->script.nr_steps = 1;
	init_completion(&request->over);
	vrb_prep(&request->vrb, &mock_verb, NULL);
	request->vrb.done = request_done;
	request->head.script = &request->script;
	return request;
}

/**
 * held_request - a request whose command is held until let_go()
 * @t: test
 * @tag: identifies it in the log of posts
 *
 * Context: Process.
 */
struct mock_request *held_request(struct test *t, int tag)
{
	struct mock_request *request = new_request(t, tag);

	request->script.step[0].flags = MOCK_HOLD;
	return request;
}

/**
 * submit - submit a request that must be accepted
 * @request: request
 *
 * Context: Any down to softirq.
 */
void submit(struct mock_request *request)
{
	EXPECT_EQ(request->test, vrb_submit(request->test->client, &request->vrb), -EINPROGRESS);
}

/**
 * wait_over - wait for a request's callback
 * @request: request with this one callback
 * @status: the status it must have
 *
 * Context: Process.
 */
void wait_over(struct mock_request *request, int status)
{
	struct test *t = request->test;

	if (!EXPECT(t, wait_for_completion_timeout(&request->over, MOCK_PATIENCE)))
		return;
	EXPECT_EQ(t, request->calls, 1);
	EXPECT_EQ(t, request->status, status);
	EXPECT(t, !request->bad_context);
}

/**
 * run_to_end - submit a request and wait for it
 * @request: request
 * @status: the status it must have
 *
 * Context: Process.
 */
void run_to_end(struct mock_request *request, int status)
{
	submit(request);
	wait_over(request, status);
}

static bool is_posted(void *arg)
{
	struct mock_request *request = arg;

	return READ_ONCE(request->script.posts);
}

/**
 * wait_posted - wait until the hardware has a request's command
 * @request: request
 *
 * Context: Process.
 */
void wait_posted(struct mock_request *request)
{
	EXPECT(request->test, wait_until(is_posted, request));
}

/**
 * let_go - make the hardware complete a held request's command
 * @request: request
 *
 * Context: Any but hard IRQ.
 */
void let_go(struct mock_request *request)
{
	mock_release(request->test->mock, &request->script);
}

/* ---- Objects ---- */

/**
 * resets_before - for &mock_object.resets: how often the hardware was stopped before this
 * @mock: device
 *
 * From a failure until the engine has been told of the reset, the hardware gets no command, so it
 * does not know what is made then. Such an object counts as made before the stop.
 *
 * Context: Any.
 * Return: the number.
 */
unsigned int resets_before(struct mock *mock)
{
	unsigned int resets = READ_ONCE(mock->quiesces);

	smp_rmb();	/* a device that is in order now was so when this was read, or is again */
	return vrb_device_failed(mock->dev) ? resets - 1 : resets;
}

/**
 * check_destroyed - check that the hardware does not use an object any more
 * @mine: object that is released: its destroy's commands have succeeded, or the hardware has been
 *	stopped, or the owner has dropped its reference because the hardware never knew the object
 *
 * Context: Softirq.
 */
void check_destroyed(struct mock_object *mine)
{
	struct mock *mock = mine->test->mock;
	bool dropped = mine->object.destroy.client == vrb_device_client(mock->dev);
	bool stopped = READ_ONCE(mock->quiesced) || mine->resets != READ_ONCE(mock->quiesces);

	if (!dropped && !stopped && mine->destroy.dones < mine->destroy.nr_steps)
		mock_violation(mock, "a destroy ended without its commands before a quiesce");
}

static void object_release(struct vrb_object *object)
{
	struct mock_object *mine = container_of(object, struct mock_object, object);

	if (!mine->abandoned)
		check_destroyed(mine);
	EXPECT(mine->test, mine->abandoned || !vrb_object_tryget(object));
	EXPECT(mine->test, list_empty_careful(&object->news_entry));
	if (mine->leave)
		mine->leave(mine);
	complete(mine->released);
}

/* The memory is poisoned before it is freed, so that a later use is found. */
static void object_free(struct vrb_object *object)
{
	struct mock_object *mine = container_of(object, struct mock_object, object);

	memset(mine, 0x5a, sizeof(*mine));
	kfree(mine);
}

static const struct vrb_object_type object_type = {
	.name = "OBJ",
	.release = object_release,
	.free = object_free,
};

/**
 * new_object - a hardware object with a destroy request of one command
 * @t: test
 * @id: its number and the tag of its destroy
 * @released: completed when it is released
 *
 * Context: Process.
 */
struct mock_object *new_object(struct test *t, int id, struct completion *released)
{
	struct mock_object *object = kzalloc(sizeof(*object), GFP_KERNEL | __GFP_NOFAIL);

	init_completion(released);
	object->test = t;
	object->released = released;
	object->resets = resets_before(t->mock);
	object->destroy.tag = id;
	object->destroy.nr_steps = 1;
	vrb_object_init(&object->object, t->dev, &object_type, id, &mock_verb_destroy);
	return object;
}

/**
 * new_uncertain_object - a hardware object whose command is not answered in time
 * @t: test
 * @lost: the request, which is held; it has completed with -ETIMEDOUT
 * @released: as for new_object()
 *
 * Context: Process.
 * Return: the object.
 */
struct mock_object *new_uncertain_object(struct test *t, struct mock_request *lost,
					 struct completion *released)
{
	struct mock_object *object = new_object(t, 9, released);

	lost->vrb.object = &object->object;
	run_to_end(lost, -ETIMEDOUT);
	return object;
}

/**
 * destroy - submit an object's destroy, which must be accepted
 * @object: object
 *
 * Context: Any down to softirq.
 */
void destroy(struct mock_object *object)
{
	EXPECT_EQ(object->test, vrb_destroy(object->test->client, &object->object, NULL, NULL),
		  -EINPROGRESS);
}

static void destroy_gone(void *context)
{
	struct mock_request *request = context;

	request->calls++;
	mock_callback(request->test->mock, 0);
	request->bad_context |= !in_serving_softirq() || in_hardirq() || irqs_disabled();
	complete(&request->over);
}

/**
 * destroy_with - submit an object's destroy and report its end to a request
 * @object: object
 * @request: a request that is not submitted, for wait_over()
 *
 * Context: Any down to softirq.
 */
void destroy_with(struct mock_object *object, struct mock_request *request)
{
	EXPECT_EQ(object->test,
		  vrb_destroy(object->test->client, &object->object, destroy_gone, request),
		  -EINPROGRESS);
}

/**
 * wait_released - wait for an object's release
 * @t: test
 * @released: as given to new_object()
 *
 * Context: Process.
 */
void wait_released(struct test *t, struct completion *released)
{
	EXPECT(t, wait_for_completion_timeout(released, MOCK_PATIENCE));
}

/* ---- Waiting ---- */

/**
 * wait_until - wait for a condition
 * @condition: called without a lock
 * @arg: its argument
 *
 * Context: Process.
 * Return: false if it did not become true in time.
 */
bool wait_until(bool (*condition)(void *arg), void *arg)
{
	unsigned long end = jiffies + MOCK_PATIENCE;

	while (!condition(arg)) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(100, 200);
	}
	return true;
}

static bool has_failed(void *arg)
{
	struct mock *mock = arg;

	return vrb_device_quiesced(mock->dev) && READ_ONCE(mock->failures);
}

/**
 * wait_failed - wait until the provider has been told that the device has failed
 * @t: test
 *
 * Context: Process.
 */
void wait_failed(struct test *t)
{
	EXPECT(t, wait_until(has_failed, t->mock));
}

/**
 * counters - the engine's counters
 * @t: test
 *
 * Context: Any down to softirq.
 */
struct vrb_counters counters(struct test *t)
{
	struct vrb_counters counters;

	vrb_device_counters(t->dev, &counters);
	return counters;
}

/* ---- Contexts ---- */

static enum hrtimer_restart elsewhere_timer(struct hrtimer *timer)
{
	struct elsewhere *elsewhere = container_of(timer, struct elsewhere, timer);

	elsewhere->fn(elsewhere->arg);
	complete(&elsewhere->done);
	return HRTIMER_NORESTART;
}

static void do_elsewhere(void (*fn)(void *arg), void *arg, enum hrtimer_mode mode)
{
	struct elsewhere *elsewhere = kzalloc(sizeof(*elsewhere), GFP_KERNEL | __GFP_NOFAIL);

	elsewhere->fn = fn;
	elsewhere->arg = arg;
	init_completion(&elsewhere->done);
	hrtimer_setup(&elsewhere->timer, elsewhere_timer, CLOCK_MONOTONIC, mode);
	hrtimer_start(&elsewhere->timer, NSEC_PER_USEC, mode);
	wait_for_completion(&elsewhere->done);
	hrtimer_cancel(&elsewhere->timer);
	kfree(elsewhere);
}

/**
 * in_softirq_do - call a function in softirq
 * @fn: function
 * @arg: its argument
 *
 * Context: Process.
 */
void in_softirq_do(void (*fn)(void *arg), void *arg)
{
	do_elsewhere(fn, arg, HRTIMER_MODE_REL_SOFT);
}

/**
 * in_hardirq_do - call a function in hard IRQ
 * @fn: function
 * @arg: its argument
 *
 * Context: Process.
 */
void in_hardirq_do(void (*fn)(void *arg), void *arg)
{
	do_elsewhere(fn, arg, HRTIMER_MODE_REL_HARD);
}

/**
 * stay_on_cpu0 - keep this thread on CPU 0
 * @t: test; skipped if there is no other CPU
 *
 * Context: Process.
 * Return: whether there is another CPU.
 */
bool stay_on_cpu0(struct test *t)
{
	if (!cpu_online(0) || !cpu_online(1)) {
		test_skip(t, "needs CPU 0 and 1");
		return false;
	}
	set_cpus_allowed_ptr(current, cpumask_of(0));
	return true;
}

/**
 * leave_cpu0 - undo stay_on_cpu0()
 *
 * Context: Process.
 */
void leave_cpu0(void)
{
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

/**
 * on_other_cpu - call a function in a thread on CPU 1 and wait for it
 * @t: test
 * @fn: function
 * @arg: its argument
 *
 * Context: Process, on CPU 0.
 * Return: whether it returned 0.
 */
bool on_other_cpu(struct test *t, long (*fn)(void *arg), void *arg)
{
	return EXPECT(t, !work_on_cpu(1, fn, arg));
}

static void run_on_cpu1(struct work_struct *work)
{
	struct mock_thread *thread = container_of(work, struct mock_thread, work);

	while (!READ_ONCE(thread->stop)) {
		thread->fn(thread);
		thread->loops++;
		cond_resched();
	}
}

/**
 * start_on_cpu1 - call a function repeatedly on CPU 1
 * @thread: memory for it
 * @fn: function
 * @data: for &mock_thread.data
 *
 * Context: Process, on CPU 0.
 */
void start_on_cpu1(struct mock_thread *thread, void (*fn)(struct mock_thread *thread), void *data)
{
	*thread = (struct mock_thread){ .fn = fn, .data = data };
	INIT_WORK(&thread->work, run_on_cpu1);
	schedule_work_on(1, &thread->work);
}

/**
 * stop_on_cpu1 - end what start_on_cpu1() has started
 * @thread: as given to start_on_cpu1()
 *
 * Context: Process.
 */
void stop_on_cpu1(struct mock_thread *thread)
{
	WRITE_ONCE(thread->stop, true);
	flush_work(&thread->work);
}
