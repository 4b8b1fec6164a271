// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Counts the locks, register reads and memory that a request and an event need, and checks the
 * bounds in section "Bounds" of Documentation/vrb-contract.rst. Probes on functions of the kernel
 * count the locks, so the engine is not involved. The numbers are in the kernel's log.
 */
#include <linux/kprobes.h>

#include "../../../../../drivers/infiniband/vrb/vrb_internal.h"
#include "../faults/argument.h"
#include "mock.h"

/* The bounds */
#define MAX_LOCKS_ALONE		10	/* device lock, per request that is alone */
#define MAX_LOCKS_DEEP		3	/* the same, with 64 under way */
#define MAX_KICKS_DEEP		1	/* kick lock, the same */
#define MAX_VRB			192
#define MAX_OBJECT		480

static const spinlock_t *the_lock;
static const raw_spinlock_t *the_kick_lock;
static atomic_t locks, kick_locks;
static unsigned int encoded, encoded_most;	/* since the device lock was last taken; at most */

static int count_lock(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long lock = argument(regs, 0);

	if (lock == (unsigned long)the_lock) {
		atomic_inc(&locks);
		WRITE_ONCE(encoded, 0);
	} else if (lock == (unsigned long)the_kick_lock) {
		atomic_inc(&kick_locks);
	}
	return 0;
}

static const char *const lock_functions[] = {
	"_raw_spin_lock", "_raw_spin_lock_bh", "_raw_spin_lock_irq", "_raw_spin_lock_irqsave",
	"_raw_spin_trylock", "_raw_spin_trylock_bh",
};

static struct kprobe probes[ARRAY_SIZE(lock_functions)];

static void probes_end(unsigned int nr)
{
	while (nr--)
		unregister_kprobe(&probes[nr]);
}

/* From now on, counts the acquisitions of the device's locks. */
static bool probes_begin(struct test *t)
{
	unsigned int i;
	int ret;

	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		test_skip(t, "locks are others there");
		return false;
	}
	if (!READS_ARGUMENTS) {
		test_skip(t, "a probe cannot read arguments here");
		return false;
	}
	the_lock = &t->dev->lock;
	the_kick_lock = &t->dev->kick_lock;
	for (i = 0; i < ARRAY_SIZE(lock_functions); i++) {
		probes[i] = (struct kprobe){ .symbol_name = lock_functions[i],
					     .pre_handler = count_lock };
		ret = register_kprobe(&probes[i]);
		if (!ret)
			continue;
		probes_end(i);
		test_skip(t, "no probes here");
		return false;
	}
	atomic_set(&locks, 0);
	atomic_set(&kick_locks, 0);
	encoded_most = 0;
	return true;
}

/* ---- Locks ---- */

/* A verb that counts nothing itself. */
static int plain_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_POST;
}

static const struct vrb_step plain_steps[] = { { .name = "plain", .encode = plain_encode } };
static const struct vrb_verb plain_verb = {
	.name = "plain", .class = VRB_CLASS_NORMAL, VRB_STEPS(plain_steps),
};

struct plain {
	struct mock_head head;
	struct mock_script script;
	struct test *test;
	atomic_t *left;
	struct completion *over;
};

static void plain_done(struct vrb *vrb)
{
	struct plain *plain = container_of(vrb, struct plain, head.vrb);
	int left = atomic_dec_return(plain->left);

	if (left >= 64)
		vrb_submit(plain->test->client, vrb);
	else if (!left)
		complete(plain->over);
}

#define ROUNDS	6400

/* Keeps @depth requests under way. */
static void run_plain(struct test *t, unsigned int depth)
{
	struct plain *plain = test_alloc(t, depth * sizeof(*plain));
	struct completion over;
	atomic_t left;
	unsigned int i;

	init_completion(&over);
	atomic_set(&left, depth == 1 ? 1 : ROUNDS);
	for (i = 0; i < depth; i++) {
		vrb_prep(&plain[i].head.vrb, &plain_verb, NULL);
		plain[i].head.vrb.done = plain_done;
		plain[i].head.script = &plain[i].script;
		plain[i].test = t;
		plain[i].left = &left;
		plain[i].over = &over;
	}
	for (i = 0; i < depth; i++)
		vrb_submit(t->client, &plain[i].head.vrb);
	EXPECT(t, wait_for_completion_timeout(&over, MOCK_PATIENCE));
}

static void numbers_of_a_request_alone(struct test *t)
{
	unsigned int i;

	if (!probes_begin(t))
		return;
	for (i = 0; i < 100; i++) {
		run_plain(t, 1);
		usleep_range(200, 300);
	}
	probes_end(ARRAY_SIZE(probes));
	pr_info("numbers: a request alone takes the device lock %u.%02u times, the kick lock %u.%02u\n",
		atomic_read(&locks) / 100, atomic_read(&locks) % 100,
		atomic_read(&kick_locks) / 100, atomic_read(&kick_locks) % 100);
	EXPECT(t, atomic_read(&locks) >= 200);		/* the probes count at all */
	EXPECT(t, atomic_read(&locks) <= 100 * MAX_LOCKS_ALONE);
}

static void numbers_of_requests_at_depth(struct test *t)
{
	unsigned int nr;

	if (!probes_begin(t))
		return;
	run_plain(t, 64);
	probes_end(ARRAY_SIZE(probes));
	nr = counters(t).completed;
	EXPECT_EQ(t, nr, ROUNDS);
	pr_info("numbers: at depth 64 a request takes the device lock %u.%02u times, the kick lock %u.%02u\n",
		atomic_read(&locks) / nr, atomic_read(&locks) * 100 / nr % 100,
		atomic_read(&kick_locks) / nr, atomic_read(&kick_locks) * 100 / nr % 100);
	pr_info("numbers: %llu requests at most in one hold of the device lock\n",
		counters(t).hold_max);
	EXPECT(t, atomic_read(&locks) >= nr);
	EXPECT(t, atomic_read(&locks) <= nr * MAX_LOCKS_DEEP);
	EXPECT(t, atomic_read(&kick_locks) <= nr * MAX_KICKS_DEEP);
}

static int instant_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	encoded_most = max(encoded_most, ++encoded);
	return VRB_END;
}

static const struct vrb_step instant_steps[] = { { .name = "instant", .encode = instant_encode } };
static const struct vrb_verb instant_verb = {
	.name = "instant", .class = VRB_CLASS_NORMAL, VRB_STEPS(instant_steps),
};

/* The queued requests need no command: when a slot becomes free the pump executes them all. */
static void numbers_of_a_hold(struct test *t)
{
	struct mock_request *held[7], *request[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(held); i++) {
		held[i] = held_request(t, i);
		submit(held[i]);
	}
	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = new_request(t, i);
		request[i]->vrb.verb = &instant_verb;
		submit(request[i]);
	}
	if (!probes_begin(t))
		return;
	for (i = 0; i < ARRAY_SIZE(held); i++)
		let_go(held[i]);
	for (i = 0; i < ARRAY_SIZE(request); i++)
		wait_over(request[i], 0);
	probes_end(ARRAY_SIZE(probes));
	pr_info("numbers: %u requests executed at most in one hold of the device lock\n",
		encoded_most);
	EXPECT(t, encoded_most > 1);
	EXPECT(t, encoded_most <= MOCK_BUDGET);
	EXPECT(t, encoded_most <= counters(t).hold_max);	/* which the engine counts itself */
}

/* What the event of a CQ costs in the engine: event queues must not contend there. */
static void numbers_of_an_event(struct test *t)
{
	struct mock_object *object;
	struct completion released;
	unsigned int i;

	object = new_object(t, 9, &released);
	usleep_range(1000, 2000);
	if (probes_begin(t)) {
		for (i = 0; i < 1000; i++) {
			rcu_read_lock();
			if (vrb_object_tryget(&object->object))
				vrb_object_put(&object->object);
			rcu_read_unlock();
		}
		probes_end(ARRAY_SIZE(probes));
		pr_info("numbers: 1000 events take the device lock %u times, the kick lock %u\n",
			atomic_read(&locks), atomic_read(&kick_locks));
		EXPECT_EQ(t, atomic_read(&locks), 0);
		EXPECT_EQ(t, atomic_read(&kick_locks), 0);
	}
	destroy(object);
	wait_released(t, &released);
}

/* ---- The rest ---- */

/* Each attempt to post is a read of the register. */
static void numbers_of_register_reads(struct test *t)
{
	struct vrb_counters end;
	unsigned int i;

	for (i = 0; i < 100; i++)
		run_to_end(new_request(t, i), 0);
	end = counters(t);
	pr_info("numbers: %llu register reads for %llu commands\n", end.steps + end.busy,
		end.steps);
	EXPECT_EQ(t, end.steps, 100);
	EXPECT_EQ(t, end.busy, 0);
}

static void submit_with_busy_register(void *arg)
{
	struct mock_request *request = arg;
	unsigned int before = request->test->mock->busy;

	submit(request);
	EXPECT(request->test, before - request->test->mock->busy <= 1);
}

/* A submit reads the register at most once, whatever its result is. */
static void numbers_of_register_reads_in_a_submit(struct test *t)
{
	struct mock_request *request[20];
	unsigned int i;

	t->mock->busy = 1000;
	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = new_request(t, i);
		local_bh_disable();
		submit_with_busy_register(request[i]);
		local_bh_enable();
	}
	t->mock->busy = 0;
	for (i = 0; i < ARRAY_SIZE(request); i++)
		wait_over(request[i], 0);
}

static void numbers_of_structure_sizes(struct test *t)
{
	pr_info("numbers: struct vrb %zu, vrb_object %zu, vrb_group %zu, vrb_slot %zu, vrb_user %zu bytes\n",
		sizeof(struct vrb), sizeof(struct vrb_object), sizeof(struct vrb_group),
		sizeof(struct vrb_slot), sizeof(struct vrb_user));
	EXPECT(t, sizeof(struct vrb) <= MAX_VRB);
	EXPECT(t, sizeof(struct vrb_object) <= MAX_OBJECT);
}

/* ---- What a run charges to irq_poll ---- */

static atomic_t runs_seen;
static unsigned long charged_most;

static int see_run(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	charged_most = max_t(unsigned long, charged_most, regs_return_value(regs));
	atomic_inc(&runs_seen);
	return 0;
}

static bool run_was_seen(void *arg)
{
	return atomic_read(&runs_seen) >= 20;
}

static void charge_runs(struct test *t, struct vrb_object *object)
{
	unsigned int i;

	for (i = 0; i < 30; i++) {
		vrb_resume(object);
		usleep_range(200, 300);
	}
	EXPECT(t, wait_until(run_was_seen, NULL));
	pr_info("numbers: a run for nothing charges %lu of irq_poll's budget at most\n",
		charged_most);
	/* A run is charged at most for the news that started it. */
	EXPECT(t, charged_most <= 1);
}

static void numbers_of_an_idle_run(struct test *t)
{
	struct kretprobe probe = { .kp.symbol_name = "vrb_carry", .handler = see_run };
	struct mock_object *object;
	struct completion released;

	object = new_object(t, 9, &released);
	usleep_range(1000, 2000);
	charged_most = 0;
	atomic_set(&runs_seen, 0);
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || register_kretprobe(&probe)) {
		test_skip(t, "no probe of the pump here");
	} else {
		charge_runs(t, &object->object);
		unregister_kretprobe(&probe);
	}
	destroy(object);
	wait_released(t, &released);
}

const struct test_case numbers_tests[] = {
	{ "numbers_of_a_request_alone", numbers_of_a_request_alone },
	{ "numbers_of_requests_at_depth", numbers_of_requests_at_depth, { .slots = MOCK_SLOTS } },
	{ "numbers_of_a_hold", numbers_of_a_hold },
	{ "numbers_of_an_event", numbers_of_an_event },
	{ "numbers_of_register_reads", numbers_of_register_reads },
	{ "numbers_of_register_reads_in_a_submit", numbers_of_register_reads_in_a_submit },
	{ "numbers_of_structure_sizes", numbers_of_structure_sizes },
	{ "numbers_of_an_idle_run", numbers_of_an_idle_run },
	{}
};
