// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Timers, deferred work and descriptors of the event loop. */
#include "tap.h"

#include "core/hca.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

static int order[4096], n_order;

struct item {
	struct hca_timer t;
	struct hca_work w;
	int id, again;
};

static void timer_fn(struct hca_timer *t)
{
	struct item *i = (struct item *)t;

	order[n_order++] = i->id;
	if (i->again-- > 0)
		timer_arm(t, 0);
}

static void work_fn(struct hca_work *w)
{
	struct item *i = (struct item *)((char *)w - offsetof(struct item, w));

	order[n_order++] = i->id;
	if (i->again-- > 0)
		work_schedule(w);
}

static void init(struct item *i, int id)
{
	memset(i, 0, sizeof(*i));
	timer_setup(&i->t, timer_fn);
	i->w.fn = work_fn;
	i->id = id;
}

static void run_until(int n)
{
	u64 end = now_ns() + 5000000000ull;

	while (n_order < n && now_ns() < end)
		loop_turn(true);
}

static void timers_run_in_order_of_time(void)
{
	struct item i[3];
	int k;

	n_order = 0;
	for (k = 0; k < 3; k++)
		init(&i[k], k);
	timer_arm(&i[0].t, 3000000);
	timer_arm(&i[1].t, 1000000);
	timer_arm(&i[2].t, 2000000);
	CHECK(timer_armed(&i[0].t));
	run_until(3);
	CHECK(order[0] == 1 && order[1] == 2 && order[2] == 0);
	CHECK(!timer_armed(&i[0].t));
}

static void rearming_moves_and_cancelling_removes(void)
{
	struct item i[3];
	int k;

	n_order = 0;
	for (k = 0; k < 3; k++) {
		init(&i[k], k);
		timer_arm(&i[k].t, 1000000 * (k + 1));
	}
	timer_arm(&i[0].t, 5000000);
	timer_cancel(&i[1].t);
	timer_cancel(&i[1].t);
	run_until(2);
	CHECK_EQ(n_order, 2);
	CHECK(order[0] == 2 && order[1] == 0);
}

static void zero_means_next_turn(void)
{
	struct item i;

	n_order = 0;
	init(&i, 7);
	i.again = 1;
	timer_arm(&i.t, 0);
	CHECK_EQ(n_order, 0);
	loop_turn(false);
	CHECK_EQ(n_order, 1);
	loop_turn(false);
	CHECK_EQ(n_order, 2);
}

/* Arms, moves and cancels timers at random, and compares with a sorted copy. */
static void many_timers(void)
{
	enum { N = 2000 };
	struct item *i = calloc(N, sizeof(*i));
	u64 when[N];
	int k, live = 0;

	srand(1);
	n_order = 0;
	for (k = 0; k < N; k++) {
		init(&i[k], k);
		when[k] = 1000 + rand() % 1000 * 1000;
		timer_arm(&i[k].t, when[k]);
	}
	for (k = 0; k < N; k += 3)
		timer_cancel(&i[k].t);
	for (k = 1; k < N; k += 7)
		timer_arm(&i[k].t, when[k] = 2000 + rand() % 1000 * 1000);
	for (k = 0; k < N; k++)
		live += timer_armed(&i[k].t);
	run_until(live);
	CHECK_EQ(n_order, live);
	for (k = 0; k < N; k++)
		CHECK(!timer_armed(&i[k].t));
	free(i);
}

static void work_runs_once_per_scheduling_in_order(void)
{
	struct item i[3];
	int k;

	n_order = 0;
	for (k = 0; k < 3; k++)
		init(&i[k], k);
	work_schedule(&i[2].w);
	work_schedule(&i[0].w);
	work_schedule(&i[2].w);
	work_schedule(&i[1].w);
	work_cancel(&i[1].w);
	loop_turn(false);
	CHECK_EQ(n_order, 2);
	CHECK(order[0] == 2 && order[1] == 0);
}

static void work_that_repeats_waits_for_the_next_turn(void)
{
	struct item i[2];

	n_order = 0;
	init(&i[0], 0);
	init(&i[1], 1);
	i[0].again = 2;
	work_schedule(&i[0].w);
	work_schedule(&i[1].w);
	loop_turn(false);
	CHECK_EQ(n_order, 2);
	loop_turn(false);
	loop_turn(false);
	CHECK_EQ(n_order, 4);
}

static struct item *victim;

static void killer(struct hca_work *w)
{
	work_cancel(&victim->w);
	work_schedule(&victim->w);
	work_cancel(&victim->w);
}

static void work_may_cancel_what_comes_after_it(void)
{
	struct hca_work k = { .fn = killer };
	struct item i, last;

	n_order = 0;
	init(&i, 1);
	init(&last, 2);
	victim = &i;
	work_schedule(&k);
	work_schedule(&i.w);
	work_schedule(&last.w);
	loop_turn(false);
	loop_turn(false);
	CHECK_EQ(n_order, 1);
	CHECK_EQ(order[0], 2);
}

static struct hca_fd pair[2];
static int fd_calls;

static void on_fd(struct hca_fd *f, u32 events)
{
	fd_calls++;
	/* both are ready: the first one that runs removes the other */
	loop_remove(&pair[0]);
	loop_remove(&pair[1]);
}

static void removed_descriptor_is_not_called(void)
{
	int a[2], b[2];

	CHECK(!pipe(a) && !pipe(b));
	pair[0] = (struct hca_fd){ a[0], on_fd };
	pair[1] = (struct hca_fd){ b[0], on_fd };
	CHECK_EQ(loop_add(&pair[0], EPOLLIN), 0);
	CHECK_EQ(loop_add(&pair[1], EPOLLIN), 0);
	CHECK(write(a[1], "x", 1) == 1 && write(b[1], "x", 1) == 1);
	loop_turn(false);
	CHECK_EQ(fd_calls, 1);
	close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

/* An idle loop uses no processor time: 200 ms need only a few turns. */
static void idle_sleeps(void)
{
	struct rusage before, after;
	struct item i;
	u64 used;

	n_order = 0;
	init(&i, 0);
	timer_arm(&i.t, 200000000);
	getrusage(RUSAGE_SELF, &before);
	run_until(1);
	getrusage(RUSAGE_SELF, &after);
	used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
	       before.ru_utime.tv_usec +
	       (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 + after.ru_stime.tv_usec -
	       before.ru_stime.tv_usec;
	CHECK(used < 50000);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(timers_run_in_order_of_time),
		TAP(rearming_moves_and_cancelling_removes),
		TAP(zero_means_next_turn),
		TAP(many_timers),
		TAP(work_runs_once_per_scheduling_in_order),
		TAP(work_that_repeats_waits_for_the_next_turn),
		TAP(work_may_cancel_what_comes_after_it),
		TAP(removed_descriptor_is_not_called),
		TAP(idle_sleeps),
	};

	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
