// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 12: groups that notify their owner when they are idle.
 */
#include "mock.h"

#define MANY_GROUPS 100

/* How many groups a run of the pump has notified */
struct told_run {
	u64 run;
	unsigned int calls, most;
};

struct told_group {
	struct vrb_group group;
	struct test *test;
	struct completion *over;
	unsigned int *calls;
	struct told_run *in_run;
};

/* The callback may free the group, and does. */
static void idle_and_freed(struct vrb_group *group)
{
	struct told_group *told = container_of(group, struct told_group, group);
	struct completion *over = told->over;

	EXPECT(told->test, vrb_group_idle(group));
	EXPECT(told->test, in_serving_softirq() && !irqs_disabled());
	(*told->calls)++;
	memset(told, 0x5a, sizeof(*told));
	kfree(told);
	complete(over);
}

static struct told_group *new_told(struct test *t, struct completion *over, unsigned int *calls)
{
	struct told_group *told = kzalloc(sizeof(*told), GFP_KERNEL | __GFP_NOFAIL);

	vrb_group_init(&told->group, t->client);
	init_completion(over);
	told->test = t;
	told->over = over;
	told->calls = calls;
	return told;
}

static void wait_told_once(struct test *t, struct completion *over, const unsigned int *calls)
{
	EXPECT(t, wait_for_completion_timeout(over, MOCK_PATIENCE));
	EXPECT_EQ(t, *calls, 1);
}

static void notify_when_the_last_request_completes(struct test *t)
{
	struct mock_request *first = held_request(t, 1), *second = held_request(t, 2);
	struct completion over;
	unsigned int calls = 0;
	struct told_group *told = new_told(t, &over, &calls);

	first->vrb.group = &told->group;
	second->vrb.group = &told->group;
	submit(first);
	submit(second);
	vrb_group_notify(&told->group, idle_and_freed);
	wait_posted(first);
	let_go(first);
	wait_over(first, 0);
	EXPECT_EQ(t, READ_ONCE(calls), 0);
	let_go(second);
	wait_over(second, 0);
	wait_told_once(t, &over, &calls);
}

/* A request is submitted after the group is idle, and before the pump notifies the owner. */
static void notify_not_before_a_later_request(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	struct completion over;
	unsigned int calls = 0;
	struct told_group *told = new_told(t, &over, &calls);

	request->vrb.group = &told->group;
	local_bh_disable();
	vrb_group_notify(&told->group, idle_and_freed);
	submit(request);
	local_bh_enable();
	wait_posted(request);
	run_to_end(new_request(t, 2), 0);
	EXPECT_EQ(t, READ_ONCE(calls), 0);
	let_go(request);
	wait_over(request, 0);
	wait_told_once(t, &over, &calls);
}

static void notify_of_an_idle_group(struct test *t)
{
	struct completion over;
	unsigned int calls = 0;
	struct told_group *told = new_told(t, &over, &calls);

	vrb_group_notify(&told->group, idle_and_freed);
	wait_told_once(t, &over, &calls);
}

/* The second call comes before the notification: one callback, and the fence counts one. */
static void notify_requested_twice(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	struct completion over;
	unsigned int calls = 0;
	struct told_group *told = new_told(t, &over, &calls);

	request->vrb.group = &told->group;
	submit(request);
	wait_posted(request);
	vrb_group_notify(&told->group, idle_and_freed);
	vrb_group_notify(&told->group, idle_and_freed);
	let_go(request);
	wait_over(request, 0);
	EXPECT(t, wait_for_completion_timeout(&over, MOCK_PATIENCE));
	vrb_client_unregister(t->client);
	t->client = NULL;
	EXPECT_EQ(t, calls, 1);
}

static void notify_after_a_cancel(struct test *t)
{
	struct mock_request *request[4];
	struct completion over;
	unsigned int calls = 0, i;
	struct told_group *told = new_told(t, &over, &calls);

	for (i = 0; i < ARRAY_SIZE(request); i++) {
		request[i] = held_request(t, i);
		request[i]->vrb.group = &told->group;
		submit(request[i]);
	}
	wait_posted(request[0]);
	vrb_group_poison(&told->group);
	vrb_group_cancel(&told->group);
	vrb_group_notify(&told->group, idle_and_freed);
	for (i = 1; i < ARRAY_SIZE(request); i++)
		wait_over(request[i], -ECANCELED);
	EXPECT_EQ(t, READ_ONCE(calls), 0);
	let_go(request[0]);
	wait_over(request[0], 0);
	EXPECT(t, wait_for_completion_timeout(&over, MOCK_PATIENCE));
}

static void count_idle(struct vrb_group *group)
{
	struct told_group *told = container_of(group, struct told_group, group);
	struct told_run *in_run = told->in_run;
	u64 run = counters(told->test).runs;

	if (in_run->run != run)
		in_run->calls = 0;
	in_run->run = run;
	in_run->most = max(in_run->most, ++in_run->calls);
	if (++*told->calls == MANY_GROUPS)
		complete(told->over);
}

/* There are more groups than a run of the pump notifies, and nobody kicks it for the rest. */
static void notify_of_many_groups(struct test *t)
{
	struct told_group *told = test_alloc(t, MANY_GROUPS * sizeof(*told));
	struct told_run in_run = {};
	struct completion over;
	unsigned int calls = 0;
	int i;

	init_completion(&over);
	local_bh_disable();
	for (i = 0; i < MANY_GROUPS; i++) {
		vrb_group_init(&told[i].group, t->client);
		told[i].over = &over;
		told[i].calls = &calls;
		told[i].test = t;
		told[i].in_run = &in_run;
		vrb_group_notify(&told[i].group, count_idle);
	}
	local_bh_enable();
	EXPECT(t, wait_for_completion_timeout(&over, MOCK_PATIENCE));
	EXPECT_EQ(t, READ_ONCE(calls), MANY_GROUPS);
	EXPECT(t, in_run.most <= MOCK_BUDGET);
}

const struct test_case notify_tests[] = {
	{ "notify_when_the_last_request_completes", notify_when_the_last_request_completes,
	  .config = { .slots = 3 } },
	{ "notify_not_before_a_later_request", notify_not_before_a_later_request },
	{ "notify_of_an_idle_group", notify_of_an_idle_group },
	{ "notify_of_many_groups", notify_of_many_groups },
	{ "notify_requested_twice", notify_requested_twice },
	{ "notify_after_a_cancel", notify_after_a_cancel, .one_slot = true },
	{}
};
