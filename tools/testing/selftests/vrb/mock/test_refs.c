// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rules 2 and 9: when and by whom an object is released, and when its memory is freed.
 */
#include "mock.h"

#define TIMES	300

static void get_and_put(struct mock_thread *thread)
{
	struct mock_object *object = thread->data;

	vrb_object_get(&object->object);
	vrb_object_put(&object->object);
	/* The destroy's command completes here, so the pump runs on this CPU, not the waiter's. */
	mock_release(object->test->mock, NULL);
}

static void take_a_while(struct mock_object *object)
{
	mdelay(1);
}

/*
 * This must hold although references to another object come and go on another CPU, and the release
 * runs there.
 */
static void waiter_wakes_after_release(struct test *t)
{
	struct completion parent_released, child_released, other_released;
	struct mock_object *parent, *child, *other;
	struct mock_thread thread;
	int i;

	if (!stay_on_cpu0(t))
		return;
	parent = new_object(t, 8, &parent_released);
	other = new_object(t, 7, &other_released);
	start_on_cpu1(&thread, get_and_put, other);
	for (i = 0; i < TIMES && !t->failed; i++) {
		child = new_object(t, 9, &child_released);
		child->leave = take_a_while;
		child->destroy.step[0].flags = MOCK_HOLD;
		vrb_object_add_parent(&child->object, &parent->object);
		EXPECT_EQ(t, vrb_destroy_wait(t->client, &child->object), 0);
		EXPECT(t, completion_done(&child_released));
		EXPECT(t, !vrb_object_has_children(&parent->object));
		wait_for_completion(&child_released);
	}
	stop_on_cpu1(&thread);
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &other->object), 0);
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &parent->object), 0);
	EXPECT(t, completion_done(&parent_released));
	leave_cpu0();
}

/* The CPU that is inside a put, with a lock that a release takes too; -1: none. */
static int putting;
static unsigned int inside_a_put;

static void not_inside_a_put(struct mock_object *object)
{
	struct test *t = object->test;

	if (READ_ONCE(putting) == raw_smp_processor_id())
		inside_a_put++;
	EXPECT(t, in_serving_softirq() && !in_hardirq() && !irqs_disabled());
}

static void put_locked(struct vrb_object *object)
{
	WRITE_ONCE(putting, raw_smp_processor_id());
	vrb_object_put(object);
	WRITE_ONCE(putting, -1);
}

static void get_and_put_locked(struct mock_thread *thread)
{
	struct mock_object *object = thread->data;

	local_bh_disable();
	vrb_object_get(&object->object);
	put_locked(&object->object);
	local_bh_enable();
}

static void release_not_inside_a_put_of_another(struct test *t)
{
	struct completion released, other_released;
	struct mock_object *object, *other;
	struct mock_thread thread;
	int i;

	if (!stay_on_cpu0(t))
		return;
	putting = -1;
	inside_a_put = 0;
	other = new_object(t, 7, &other_released);
	start_on_cpu1(&thread, get_and_put_locked, other);
	for (i = 0; i < TIMES; i++) {
		object = new_object(t, 9, &released);
		object->leave = not_inside_a_put;
		EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), 0);
		wait_released(t, &released);
	}
	stop_on_cpu1(&thread);
	EXPECT_EQ(t, inside_a_put, 0);
	EXPECT_EQ(t, vrb_destroy_wait(t->client, &other->object), 0);
	leave_cpu0();
}

static void put_the_last(void *arg)
{
	struct mock_object *object = arg;

	put_locked(&object->object);
}

static void put_the_last_under_a_lock(void *arg)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock_bh(&lock);
	put_the_last(arg);
	spin_unlock_bh(&lock);
}

static void put_the_last_with_irqs_off(void *arg)
{
	unsigned long flags;

	local_irq_save(flags);
	put_the_last(arg);
	local_irq_restore(flags);
}

static void call_directly(void (*fn)(void *arg), void *arg)
{
	fn(arg);
}

/* The last put may hold any lock, so the release comes later, from the pump. */
static void last_put_defers_the_release(struct test *t)
{
	static const struct {
		void (*call)(void (*fn)(void *arg), void *arg);
		void (*put)(void *arg);
	} ways[] = {
		{ call_directly, put_the_last_under_a_lock },
		{ call_directly, put_the_last_with_irqs_off },
		{ in_softirq_do, put_the_last },
		{ in_hardirq_do, put_the_last },
	};
	struct completion released;
	struct mock_object *object;
	int i;

	putting = -1;
	inside_a_put = 0;
	for (i = 0; i < 2 * ARRAY_SIZE(ways); i++) {
		object = new_object(t, 9, &released);
		object->leave = not_inside_a_put;
		if (i % 2) {
			vrb_object_get(&object->object);
			destroy(object);
		}
		ways[i / 2].call(ways[i / 2].put, object);
		wait_released(t, &released);
	}
	EXPECT_EQ(t, inside_a_put, 0);
	EXPECT_EQ(t, t->mock->posts, ARRAY_SIZE(ways));
}

static void try_it(void *arg)
{
	struct mock_object *object = arg;

	if (EXPECT(object->test, vrb_object_tryget(&object->object)))
		vrb_object_put(&object->object);
}

static void tryget_from_hardirq(struct test *t)
{
	struct completion released;
	struct mock_object *object;

	object = new_object(t, 9, &released);
	in_hardirq_do(try_it, object);
	destroy(object);
	wait_released(t, &released);
}

static long destroy_there(void *arg)
{
	struct mock_object *object = arg;

	return vrb_destroy_wait(object->test->client, &object->object);
}

struct destroying {
	struct work_struct work;
	struct mock_object *object;
};

static void destroy_it(struct work_struct *work)
{
	destroy_there(container_of(work, struct destroying, work)->object);
}

/* Whoever has found the object in a table may read its memory, even after its release. */
static void memory_stays_for_readers(struct test *t)
{
	struct destroying destroying;
	unsigned long end = jiffies + MOCK_PATIENCE;
	struct completion released;
	int i;

	if (!stay_on_cpu0(t))
		return;
	destroying.object = new_object(t, 9, &released);
	INIT_WORK_ONSTACK(&destroying.work, destroy_it);
	rcu_read_lock();
	schedule_work_on(1, &destroying.work);
	while (!completion_done(&released) && time_before(jiffies, end))
		cpu_relax();
	EXPECT(t, completion_done(&released));
	for (i = 0; i < 20; i++) {
		mdelay(1);
		EXPECT_EQ(t, READ_ONCE(destroying.object->destroy.tag), 9);
		EXPECT(t, !vrb_object_tryget(&destroying.object->object));
	}
	rcu_read_unlock();
	flush_work(&destroying.work);
	destroy_work_on_stack(&destroying.work);
	leave_cpu0();
}

static atomic_t freed;

static void count_release(struct vrb_object *object)
{
}

static void count_free(struct vrb_object *object)
{
	atomic_inc(&freed);
	kfree(object);
}

static const struct vrb_object_type counted_type = {
	.name = "COUNTED", .release = count_release, .free = count_free,
};

static struct completion freed_in_release;

/* Poisons the memory, so that the engine cannot use it unnoticed. */
static void release_and_free(struct vrb_object *object)
{
	memset(object, 0x6b, sizeof(*object));
	kfree(object);
	complete(&freed_in_release);
}

static const struct vrb_object_type unseen_type = {
	.name = "UNSEEN", .release = release_and_free,
};

/* The type has no free(): only the owner accesses the object, and its release may free it. */
static void release_may_free_the_object(struct test *t)
{
	struct vrb_object *object;
	int i;

	for (i = 0; i < 50; i++) {
		init_completion(&freed_in_release);
		object = kzalloc(sizeof(*object), GFP_KERNEL | __GFP_NOFAIL);
		vrb_object_init(object, t->dev, &unseen_type, i, NULL);
		vrb_object_put(object);
		if (!EXPECT(t, wait_for_completion_timeout(&freed_in_release, MOCK_PATIENCE)))
			return;
	}
}

/* When the engine's device is gone, the provider's module may go: nothing calls it any more. */
static void device_destroy_waits_for_the_last_free(struct test *t)
{
	static const struct test_case second = { .config = { .name = "second" } };
	struct mock *mock = mock_create(&second);
	struct vrb_object *object;
	int i;

	if (!EXPECT(t, !IS_ERR(mock)))
		return;
	atomic_set(&freed, 0);
	for (i = 0; i < 50; i++) {
		object = kzalloc(sizeof(*object), GFP_KERNEL | __GFP_NOFAIL);
		vrb_object_init(object, mock->dev, &counted_type, i, NULL);
		vrb_object_put(object);
	}
	vrb_device_destroy(mock->dev);
	EXPECT_EQ(t, atomic_read(&freed), 50);
	mock_free(mock);
}

/* Both CPUs make requests, each with its reference, while the owner destroys the object. */
static void use_it(struct mock_thread *thread)
{
	struct mock_object *object;
	struct mock_object **place = thread->data;
	bool got;

	rcu_read_lock();
	object = READ_ONCE(*place);
	got = object && vrb_object_tryget(&object->object);
	rcu_read_unlock();
	if (!got)
		return;
	udelay(thread->loops % 7);
	vrb_object_put(&object->object);
}

static struct mock_object *the_place;

static void leave_the_place(struct mock_object *object)
{
	WRITE_ONCE(the_place, NULL);
}

/* The destroy's commands are issued when no reference is left, and nobody gets one after that. */
static void references_race_with_destroys(struct test *t)
{
	struct completion released;
	struct mock_thread thread;
	int i;

	if (!stay_on_cpu0(t))
		return;
	the_place = NULL;
	start_on_cpu1(&thread, use_it, &the_place);
	for (i = 0; i < TIMES && !t->failed; i++) {
		struct mock_object *object = new_object(t, 9, &released);

		object->leave = leave_the_place;
		WRITE_ONCE(the_place, object);
		udelay(i % 30);
		EXPECT_EQ(t, vrb_destroy_wait(t->client, &object->object), 0);
		EXPECT(t, completion_done(&released));
	}
	stop_on_cpu1(&thread);
	EXPECT_EQ(t, t->mock->posts, i);
	leave_cpu0();
}

const struct test_case refs_tests[] = {
	{ "waiter_wakes_after_release", waiter_wakes_after_release },
	{ "release_not_inside_a_put_of_another", release_not_inside_a_put_of_another },
	{ "last_put_defers_the_release", last_put_defers_the_release },
	{ "tryget_from_hardirq", tryget_from_hardirq },
	{ "memory_stays_for_readers", memory_stays_for_readers },
	{ "release_may_free_the_object", release_may_free_the_object },
	{ "device_destroy_waits_for_the_last_free", device_destroy_waits_for_the_last_free },
	{ "references_race_with_destroys", references_race_with_destroys },
	{}
};
