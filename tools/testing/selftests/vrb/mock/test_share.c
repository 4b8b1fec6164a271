// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Rule 5: slots are shared among classes and processes, and no request starves. */
#include "mock.h"

#define USERS	3
#define EACH	12

/* A process with as many requests as it likes: each is submitted again when it completes. */
struct process {
	struct test *test;
	struct vrb_user user;
	struct mock_request *request[EACH];
	bool end;
	atomic_t running;
};

static void go_on(struct mock_request *request)
{
	struct process *process = request->data;

	if (READ_ONCE(process->end))
		atomic_dec(&process->running);
	else
		submit(request);
}

static bool is_over(void *arg)
{
	struct process *process = arg;
	unsigned int i;

	for (i = 0; i < EACH; i++)
		mock_release(process->test->mock, &process->request[i]->script);
	return !atomic_read(&process->running);
}

static void process_begin(struct test *t, struct process *process, const struct vrb_verb *verb,
			  bool kernel, unsigned int nr, u32 flags)
{
	unsigned int i;

	process->test = t;
	process->end = false;
	vrb_user_init(&process->user);
	atomic_set(&process->running, nr);
	for (i = 0; i < nr; i++) {
		process->request[i] = new_request(t, i);
		process->request[i]->vrb.verb = verb;
		process->request[i]->vrb.user = kernel ? NULL : &process->user;
		process->request[i]->script.step[0].flags = flags;
		process->request[i]->then = go_on;
		process->request[i]->data = process;
		submit(process->request[i]);
	}
}

static void process_end(struct test *t, struct process *process)
{
	WRITE_ONCE(process->end, true);
	EXPECT(t, wait_until(is_over, process));
}

/* Returns how many commands of a process the hardware has. */
static unsigned int held(struct test *t, const struct process *process)
{
	unsigned int i, j, nr = 0;

	for (i = 0; i < MOCK_SLOTS; i++) {
		for (j = 0; j < EACH; j++)
			nr += t->mock->command[i].owned && process->request[j] &&
			      t->mock->command[i].script == &process->request[j]->script;
	}
	return nr;
}

/* Makes the hardware complete one of a process's commands. */
static void finish_one(struct test *t, const struct process *process)
{
	unsigned int i, j;

	for (i = 0; i < MOCK_SLOTS; i++) {
		for (j = 0; j < EACH; j++) {
			if (t->mock->command[i].owned &&
			    t->mock->command[i].script == &process->request[j]->script) {
				mock_release(t->mock, t->mock->command[i].script);
				return;
			}
		}
	}
}

struct share {
	struct test *t;
	struct process *process;
	unsigned int is;
};

static bool has_share(void *arg)
{
	struct share *share = arg;

	return held(share->t, share->process) == share->is;
}

static void expect_share(struct test *t, struct process *process, unsigned int is)
{
	struct share share = { t, process, is };

	if (!wait_until(has_share, &share))
		EXPECT_EQ(t, held(t, process), is);
}

static void finish_many(struct test *t, struct process *process, unsigned int nr)
{
	while (nr--) {
		finish_one(t, process);
		usleep_range(300, 400);
	}
}

/* 6 of 8 slots are for processes: one gets 6, two get 3 each, three get 2 each, and back. */
static void share_is_equal(struct test *t)
{
	struct process *process = test_alloc(t, USERS * sizeof(*process));
	int i;

	process_begin(t, &process[0], &mock_verb, false, EACH, MOCK_HOLD);
	expect_share(t, &process[0], 6);
	process_begin(t, &process[1], &mock_verb, false, EACH, MOCK_HOLD);
	expect_share(t, &process[0], 6);
	finish_many(t, &process[0], 6);
	expect_share(t, &process[0], 3);
	expect_share(t, &process[1], 3);
	process_begin(t, &process[2], &mock_verb, false, EACH, MOCK_HOLD);
	finish_many(t, &process[0], 4);
	finish_many(t, &process[1], 4);
	for (i = 0; i < USERS; i++)
		expect_share(t, &process[i], 2);
	process_end(t, &process[2]);
	process_end(t, &process[1]);
	finish_many(t, &process[0], 6);
	expect_share(t, &process[0], 6);
	process_end(t, &process[0]);
}

/* A process gets its share, whatever the class of its requests is. */
static void share_across_classes(struct test *t)
{
	struct process *process = test_alloc(t, 2 * sizeof(*process));

	process_begin(t, &process[0], &mock_verb, false, EACH, MOCK_HOLD);
	expect_share(t, &process[0], 6);
	process_begin(t, &process[1], &mock_verb_background, false, EACH, MOCK_HOLD);
	finish_many(t, &process[0], 3);
	expect_share(t, &process[1], 3);
	expect_share(t, &process[0], 3);
	process_end(t, &process[1]);
	process_end(t, &process[0]);
}

/* Another process's destroys may use the reserved slot too, however many slots this one holds. */
static void share_of_teardowns(struct test *t)
{
	struct process *process = test_alloc(t, 2 * sizeof(*process));
	struct mock_request *teardown = new_request(t, 9);

	process_begin(t, &process[0], &mock_verb_teardown, false, EACH, MOCK_HOLD);
	expect_share(t, &process[0], 7);
	vrb_user_init(&process[1].user);
	teardown->vrb.verb = &mock_verb_teardown;
	teardown->vrb.user = &process[1].user;
	submit(teardown);
	finish_many(t, &process[0], 1);
	wait_over(teardown, 0);
	process_end(t, &process[0]);
}

/* However many requests processes have, those of the kernel go on. */
static void share_leaves_one_for_the_kernel(struct test *t)
{
	struct process *process = test_alloc(t, USERS * sizeof(*process));
	int i;

	for (i = 0; i < USERS; i++)
		process_begin(t, &process[i], i ? &mock_verb_background : &mock_verb, false, EACH,
			      MOCK_HOLD);
	for (i = 0; i < 10; i++)
		run_to_end(new_request(t, 90 + i), 0);
	for (i = 0; i < USERS; i++)
		process_end(t, &process[i]);
}

/* An endless flood of requests of one class; one of another class gets its turn. */
static void ages_behind(struct test *t, const struct vrb_verb *flood, bool flood_kernel,
			const struct vrb_verb *verb, bool kernel)
{
	struct process *process = test_alloc(t, 2 * sizeof(*process));
	struct mock_request *old = new_request(t, 99);

	process_begin(t, &process[0], flood, flood_kernel, EACH, 0);
	vrb_user_init(&process[1].user);
	old->vrb.verb = verb;
	old->vrb.user = kernel ? NULL : &process[1].user;
	submit(old);
	wait_over(old, 0);
	process_end(t, &process[0]);
}

static void class_normal_ages(struct test *t)
{
	ages_behind(t, &mock_verb_teardown, true, &mock_verb, true);
}

static void class_background_ages_behind_teardown(struct test *t)
{
	ages_behind(t, &mock_verb_teardown, true, &mock_verb_background, true);
}

static void class_background_ages_behind_normal(struct test *t)
{
	ages_behind(t, &mock_verb, true, &mock_verb_background, true);
}

static void process_ages_behind_the_kernel(struct test *t)
{
	ages_behind(t, &mock_verb_teardown, true, &mock_verb_background, false);
}

static void kernel_ages_behind_a_process(struct test *t)
{
	ages_behind(t, &mock_verb_teardown, false, &mock_verb_background, true);
}

static void process_ages_behind_another(struct test *t)
{
	ages_behind(t, &mock_verb_teardown, false, &mock_verb_background, false);
}

/* The same holds for a process's own requests of a lower class. */
static void process_ages_behind_itself(struct test *t)
{
	struct process *process = test_alloc(t, sizeof(*process));
	struct mock_request *old = new_request(t, 99);

	process_begin(t, process, &mock_verb, false, EACH, 0);
	old->vrb.verb = &mock_verb_background;
	old->vrb.user = &process->user;
	submit(old);
	wait_over(old, 0);
	process_end(t, process);
}

/* Until it is old a request lets those of the class above go first. */
static void class_background_yields_to_normal(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *old = new_request(t, 2);
	struct mock_request *young = new_request(t, 3);

	submit(blocker);
	wait_posted(blocker);
	old->vrb.verb = &mock_verb_background;
	submit(old);
	submit(young);
	let_go(blocker);
	wait_over(blocker, 0);
	wait_over(old, 0);
	wait_over(young, 0);
	EXPECT_EQ(t, t->mock->log[1].tag, 3);
	EXPECT_EQ(t, t->mock->log[2].tag, 2);
}

/* The class that the caller sets counts, not the verb's. */
static void class_of_the_caller(struct test *t)
{
	struct mock_request *blocker = held_request(t, 1), *old = new_request(t, 2);
	struct mock_request *young = new_request(t, 3), *teardown = new_request(t, 4);

	submit(blocker);
	wait_posted(blocker);
	old->vrb.class = VRB_CLASS_BACKGROUND;
	teardown->vrb.class = VRB_CLASS_TEARDOWN;
	submit(old);
	submit(young);
	run_to_end(teardown, 0);
	let_go(blocker);
	wait_over(blocker, 0);
	wait_over(old, 0);
	wait_over(young, 0);
	EXPECT_EQ(t, t->mock->log[2].tag, 3);
	EXPECT_EQ(t, t->mock->log[3].tag, 2);
}

const struct test_case share_tests[] = {
	{ "share_is_equal", share_is_equal, { .slots = 8 } },
	{ "share_across_classes", share_across_classes, { .slots = 8 } },
	{ "share_of_teardowns", share_of_teardowns, { .slots = 8 } },
	{ "share_leaves_one_for_the_kernel", share_leaves_one_for_the_kernel, { .slots = 8 } },
	{ "class_normal_ages", class_normal_ages, { .slots = 3 } },
	{ "class_background_ages_behind_teardown", class_background_ages_behind_teardown,
	  { .slots = 3 } },
	{ "class_background_ages_behind_normal", class_background_ages_behind_normal,
	  { .slots = 3 } },
	{ "process_ages_behind_the_kernel", process_ages_behind_the_kernel, { .slots = 3 } },
	{ "kernel_ages_behind_a_process", kernel_ages_behind_a_process, { .slots = 3 } },
	{ "process_ages_behind_another", process_ages_behind_another, { .slots = 3 } },
	{ "process_ages_behind_itself", process_ages_behind_itself, { .slots = 3 } },
	{ "class_background_yields_to_normal", class_background_yields_to_normal,
	  { .slots = 2 } },
	{ "class_of_the_caller", class_of_the_caller, { .slots = 2 } },
	{}
};
