// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * All operations at once. Process, softirq and hard IRQ context on two CPUs submit and cancel
 * requests, destroy and create objects that others use, and cancel and poison groups. Commands are
 * lost, answered late and answered twice, the register is busy, and the device fails and recovers.
 * The results that must hold in every case: each accepted request is called back once, each refused
 * request never, each object is released and freed once, and nothing is left. The parameter "seed"
 * selects the sequence.
 */
#include "mock.h"

#define REQUESTS	64
#define OBJECTS		6
#define GROUPS		3
#define USERS		3
#define STEPS		6000	/* actions of all sources together */
#define FAILURES	6

struct storm;

struct storm_request {
	struct mock_head head;
	struct mock_script script;
	struct storm *storm;
	atomic_t owned;			/* it is being filled in, or the engine has it */
	atomic_t accepted, called;
	struct hrtimer resume;		/* ends a wait */
	struct vrb_object *waits;
};

struct storm_object {
	struct mock_object mock;	/* first: the mock finds the destroy's script there */
	struct storm *storm;
};

struct source {
	struct storm *storm;
	struct hrtimer timer;
	u32 random;
	bool atomic, hard;
};

struct storm {
	struct test *test;
	struct storm_request request[REQUESTS];
	struct storm_object __rcu *place[OBJECTS];
	struct vrb_group group[GROUPS];
	struct vrb_user user[USERS];
	struct vrb_client *client[2];
	struct source source[4];	/* softirq, hard IRQ, process on CPU 0, process on CPU 1 */
	atomic_t left;
	atomic_t made, released, freed, gone, destroyed, wrong;
	bool end;
};

static u32 next_random(struct source *source)
{
	source->random = source->random * 1664525 + 1013904223;
	return source->random >> 12;
}

static u32 pick(struct source *source, u32 nr)
{
	return next_random(source) % nr;
}

/* ---- Objects ---- */

static void storm_release(struct vrb_object *object)
{
	struct storm_object *mine = container_of(object, struct storm_object, mock.object);
	struct storm *storm = mine->storm;

	check_destroyed(&mine->mock);
	if (vrb_object_tryget(object))
		atomic_inc(&storm->wrong);
	atomic_inc(&storm->released);
}

static void storm_free(struct vrb_object *object)
{
	struct storm_object *mine = container_of(object, struct storm_object, mock.object);
	struct storm *storm = mine->storm;

	memset(mine, 0x5a, sizeof(*mine));
	kfree(mine);
	atomic_inc(&storm->freed);
}

static const struct vrb_object_type storm_type = {
	.name = "STORM", .release = storm_release, .free = storm_free,
};

static struct storm_object *storm_tryget(struct storm *storm, unsigned int place)
{
	struct storm_object *object;

	rcu_read_lock();
	object = rcu_dereference(storm->place[place]);
	if (object && !vrb_object_tryget(&object->mock.object))
		object = NULL;
	rcu_read_unlock();
	return object;
}

static struct storm_object *storm_make(struct storm *storm, struct source *source)
{
	struct storm_object *object = kzalloc(sizeof(*object), GFP_ATOMIC), *parent;
	unsigned int i;

	if (!object)
		return NULL;
	object->storm = storm;
	object->mock.test = storm->test;
	object->mock.resets = resets_before(storm->test->mock);
	object->mock.destroy.tag = 1000;
	object->mock.destroy.nr_steps = 1 + pick(source, 2);
	vrb_object_init(&object->mock.object, storm->test->dev, &storm_type, pick(source, 1000),
			&mock_verb_destroy);
	atomic_inc(&storm->made);
	for (i = pick(source, 3); i < OBJECTS; i += 3) {
		parent = storm_tryget(storm, i);
		if (!parent)
			continue;
		vrb_object_add_parent(&object->mock.object, &parent->mock.object);
		vrb_object_put(&parent->mock.object);
	}
	return object;
}

static void storm_gone(void *context)
{
	struct storm *storm = context;

	atomic_inc(&storm->gone);
}

/* Destroys an object, whatever is queued on it or under way. */
static void storm_destroy(struct storm *storm, struct source *source)
{
	struct storm_object *object;

	object = xchg((__force struct storm_object **)&storm->place[pick(source, OBJECTS)], NULL);
	if (!object)
		return;
	atomic_inc(&storm->destroyed);
	if (vrb_destroy(storm->client[pick(source, 2)], &object->mock.object, storm_gone, storm) !=
	    -EINPROGRESS)
		atomic_inc(&storm->wrong);
}

static void storm_create(struct storm *storm, struct source *source)
{
	unsigned int place = pick(source, OBJECTS);
	struct storm_object *object;

	if (source->hard || rcu_access_pointer(storm->place[place]))
		return;
	object = storm_make(storm, source);
	if (!object)
		return;
	if (cmpxchg((__force struct storm_object **)&storm->place[place], NULL, object))
		vrb_object_put(&object->mock.object);	/* never created in the hardware */
}

/* ---- Requests ---- */

static enum hrtimer_restart storm_resume(struct hrtimer *timer)
{
	struct storm_request *request = container_of(timer, struct storm_request, resume);
	struct vrb_object *object = xchg(&request->waits, NULL);

	if (object) {
		vrb_resume(object);
		vrb_object_put(object);
	}
	return HRTIMER_NORESTART;
}

/* A step is about to wait. A timer ends the wait, even if the request is gone by then. */
static void storm_waits(struct vrb *vrb)
{
	struct storm_request *request = container_of(vrb, struct storm_request, head.vrb);
	struct vrb_object *object = vrb->object, *old;

	vrb_object_get(object);
	old = xchg(&request->waits, object);
	if (old)
		vrb_object_put(old);
	hrtimer_start(&request->resume, 1 + (request->script.waited * 7919) % 60000,
		      HRTIMER_MODE_REL_HARD);
}

static void storm_done(struct vrb *vrb)
{
	struct storm_request *request = container_of(vrb, struct storm_request, head.vrb);
	struct storm *storm = request->storm;

	mock_callback(storm->test->mock, vrb->status);
	if (!in_serving_softirq() || in_hardirq() || irqs_disabled())
		atomic_inc(&storm->wrong);
	if (atomic_inc_return(&request->called) > atomic_read(&request->accepted) + 1)
		atomic_inc(&storm->wrong);
	if (!atomic_xchg(&request->owned, 0))
		atomic_inc(&storm->wrong);
}

static void storm_fill(struct storm_request *request, struct source *source,
		       struct storm_object *object)
{
	static const struct vrb_verb *const verbs[] = {
		&mock_verb, &mock_verb, &mock_verb, &mock_verb_background, &mock_verb_teardown,
	};
	struct storm *storm = request->storm;
	struct mock_step *step;

	vrb_prep(&request->head.vrb, verbs[pick(source, ARRAY_SIZE(verbs))],
		 object ? &object->mock.object : NULL);
	request->head.vrb.done = storm_done;
	if (!pick(source, 3))
		request->head.vrb.user = &storm->user[pick(source, USERS)];
	if (!pick(source, 6))
		request->head.vrb.deadline = ktime_add_us(ktime_get(), pick(source, 400));
	request->script.nr_steps = 1 + pick(source, MOCK_STEPS);
	request->script.undo = pick(source, 2);
	for (step = request->script.step; step < request->script.step + MOCK_STEPS; step++) {
		*step = (struct mock_step){ .latency_ns = 1 + pick(source, 40000) };
		step->status = pick(source, 12) ? 0 : -EINVAL;
		if (!pick(source, 10))
			step->flags = MOCK_DUP;
		else if (!pick(source, 10))
			step->flags = MOCK_SKIP;
		else if (!pick(source, 200))
			step->flags = MOCK_HOLD;
		else if (object && !pick(source, 8))
			step->flags = MOCK_WAIT;
	}
}

static void storm_submit(struct storm *storm, struct source *source)
{
	struct storm_request *request = &storm->request[pick(source, REQUESTS)];
	unsigned int client = pick(source, 2);
	struct storm_object *object = NULL;
	int ret;

	if (atomic_xchg(&request->owned, 1))
		return;
	if (pick(source, 4))
		object = storm_tryget(storm, pick(source, OBJECTS));
	storm_fill(request, source, object);
	if (!client && !pick(source, 2))
		request->head.vrb.group = &storm->group[pick(source, GROUPS)];
	ret = vrb_submit(storm->client[client], &request->head.vrb);
	/* If it was accepted it may already have been called back, and be reused by now. */
	if (ret == -EINPROGRESS)
		atomic_inc(&request->accepted);
	else
		atomic_set(&request->owned, 0);
	if (object)
		vrb_object_put(&object->mock.object);
}

static void storm_cancel(struct storm *storm, struct source *source)
{
	struct storm_request *request = &storm->request[pick(source, REQUESTS)];

	/* A request that was never submitted, or is being filled in, must not be cancelled. */
	if (!source->hard && atomic_read(&request->owned) && atomic_read(&request->accepted))
		vrb_cancel(&request->head.vrb);
}

static void storm_group(struct storm *storm, struct source *source)
{
	struct vrb_group *group = &storm->group[pick(source, GROUPS)];

	if (source->hard)
		return;
	if (pick(source, 2))
		vrb_group_poison(group);
	vrb_group_cancel(group);
	vrb_group_unpoison(group);
}

static void storm_hardware(struct storm *storm, struct source *source)
{
	if (source->hard)
		return;
	if (pick(source, 2))
		storm->test->mock->busy = pick(source, 5);
	else
		mock_release(storm->test->mock, NULL);
}

/* Takes one random action. */
static void storm_act(struct source *source)
{
	static void (*const acts[])(struct storm *storm, struct source *source) = {
		storm_submit, storm_submit, storm_submit, storm_submit, storm_submit, storm_submit,
		storm_cancel, storm_cancel, storm_create, storm_destroy, storm_group,
		storm_hardware,
	};

	if (atomic_dec_return(&source->storm->left) >= 0)
		acts[pick(source, ARRAY_SIZE(acts))](source->storm, source);
}

/* ---- Sources ---- */

static enum hrtimer_restart storm_timer(struct hrtimer *timer)
{
	struct source *source = container_of(timer, struct source, timer);

	storm_act(source);
	storm_act(source);
	if (READ_ONCE(source->storm->end))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(20000 + pick(source, 100000)));
	return HRTIMER_RESTART;
}

static void storm_process(struct mock_thread *thread)
{
	struct source *source = thread->data;

	storm_act(source);
	udelay(pick(source, 30));
	if (!pick(source, 10))
		usleep_range(50, 100);
}

static bool fail_is_through(void *arg)
{
	struct test *t = arg;
	int ret;

	mock_release(t->mock, NULL);
	ret = vrb_device_revive(t->dev);
	return EXPECT(t, !ret || ret == -EBUSY) && !ret;
}

/* Fails and resets the device from time to time. */
static void storm_fail(struct storm *storm)
{
	struct test *t = storm->test;

	vrb_device_fail(t->dev, "in the storm");
	mock_reset(t->mock);
	EXPECT(t, wait_until(fail_is_through, t));
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 8), 0);
}

static void storm_begin(struct storm *storm, struct mock_thread *thread)
{
	static const enum hrtimer_mode modes[] = { HRTIMER_MODE_REL_SOFT, HRTIMER_MODE_REL_HARD };
	struct test *t = storm->test;
	unsigned int i;

	storm->client[0] = t->client;
	storm->client[1] = vrb_client_register(mock_ibdev(t->mock), "second");
	atomic_set(&storm->left, STEPS);
	t->mock->waits = storm_waits;
	for (i = 0; i < GROUPS; i++)
		vrb_group_init(&storm->group[i], t->client);
	for (i = 0; i < USERS; i++)
		vrb_user_init(&storm->user[i]);
	for (i = 0; i < REQUESTS; i++) {
		storm->request[i].storm = storm;
		storm->request[i].head.script = &storm->request[i].script;
		hrtimer_setup(&storm->request[i].resume, storm_resume, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_HARD);
	}
	for (i = 0; i < ARRAY_SIZE(storm->source); i++) {
		storm->source[i] = (struct source){ .storm = storm, .hard = i == 1,
						    .random = mock_seed + 7919 * i };
		if (i >= ARRAY_SIZE(modes))
			continue;
		hrtimer_setup(&storm->source[i].timer, storm_timer, CLOCK_MONOTONIC, modes[i]);
		hrtimer_start(&storm->source[i].timer, NSEC_PER_MSEC, modes[i]);
	}
	start_on_cpu1(thread, storm_process, &storm->source[3]);
}

static void storm_blow(struct storm *storm)
{
	struct mock_thread here = { .data = &storm->source[2] };
	int left, next = STEPS;

	while ((left = atomic_read(&storm->left)) > 0) {
		storm_process(&here);
		if (left > next)
			continue;
		next -= STEPS / FAILURES;
		if (next < STEPS - 2 * STEPS / FAILURES)
			storm_fail(storm);
	}
}

static bool storm_is_over(void *arg)
{
	struct storm *storm = arg;
	unsigned int i;

	/* Lost commands are answered at last. */
	mock_release(storm->test->mock, NULL);
	for (i = 0; i < REQUESTS; i++) {
		if (atomic_read(&storm->request[i].owned))
			return false;
	}
	return atomic_read(&storm->freed) == atomic_read(&storm->made);
}

static void storm_end(struct storm *storm, struct mock_thread *thread)
{
	struct source source = { .storm = storm, .random = 1 };
	unsigned int i;

	WRITE_ONCE(storm->end, true);
	stop_on_cpu1(thread);
	hrtimer_cancel(&storm->source[0].timer);
	hrtimer_cancel(&storm->source[1].timer);
	storm->test->mock->busy = 0;
	for (i = 0; i < 100 * OBJECTS; i++)
		storm_destroy(storm, &source);
	EXPECT(storm->test, wait_until(storm_is_over, storm));
	for (i = 0; i < REQUESTS; i++)
		hrtimer_cancel(&storm->request[i].resume);
	for (i = 0; i < GROUPS; i++)
		EXPECT(storm->test, vrb_group_idle(&storm->group[i]) || storm->test->failed);
}

static void storm_check(struct storm *storm)
{
	struct test *t = storm->test;
	unsigned int i, accepted = 0;

	for (i = 0; i < REQUESTS; i++) {
		EXPECT_EQ(t, atomic_read(&storm->request[i].called),
			  atomic_read(&storm->request[i].accepted));
		accepted += atomic_read(&storm->request[i].accepted);
	}
	EXPECT_EQ(t, atomic_read(&storm->wrong), 0);
	EXPECT_EQ(t, atomic_read(&storm->gone), atomic_read(&storm->destroyed));
	EXPECT_EQ(t, atomic_read(&storm->released), atomic_read(&storm->made));
	EXPECT_EQ(t, atomic_read(&storm->freed), atomic_read(&storm->made));
	/* Enough has happened. */
	EXPECT(t, accepted > STEPS / 20);
	EXPECT(t, atomic_read(&storm->destroyed) > STEPS / 200);
	if (t->failed)
		test_fail(t, __FILE__, __LINE__, "seed %u, %u accepted, %d objects", mock_seed,
			  accepted, atomic_read(&storm->made));
}

static void storm_of_everything(struct test *t)
{
	struct storm *storm;
	struct mock_thread thread;

	if (!stay_on_cpu0(t))
		return;
	storm = test_alloc(t, sizeof(*storm));
	storm->test = t;
	storm_begin(storm, &thread);
	storm_blow(storm);
	storm_end(storm, &thread);
	storm_check(storm);
	vrb_client_unregister(storm->client[1]);
	leave_cpu0();
}

const struct test_case storm_tests[] = {
	{ "storm_of_everything", storm_of_everything, { .issue_timeout_ms = 100 } },
	{}
};
