// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Two operations on one request of one QP, in either order and at the same time: the request is
 * submitted or cancelled, the QP is destroyed, the client is shut, the device fails, or the
 * hardware answers. Each pair starts in three states: the request is idle, it is queued behind
 * another one, or the hardware has its command. A model of the contract determines the expected
 * results: the return value of each operation, and the status and number of the completions.
 * Operations at the same time must have the result of one order or the other. The parameter "seed"
 * determines which of the two is later, and by how much.
 */
#include "mock.h"

#define ROUNDS 12	/* for each race and each initial state */

enum at { IDLE, QUEUED, ISSUED, NR_AT };

static const char *const at_names[NR_AT] = { "idle", "queued", "issued" };

/* ---- The model ---- */

struct model {
	enum at at;
	bool blocker;			/* the hardware has another request's command */
	bool dying, shut, failed;
	unsigned int posts;
	unsigned int nr;
	int status[4];			/* statuses of the completions so far */
};

static void model_over(struct model *m, int status)
{
	m->status[m->nr++] = status;
	m->at = IDLE;
}

static void model_goes(struct model *m)
{
	m->at = m->blocker ? QUEUED : ISSUED;
	m->posts += !m->blocker;
}

static int model_submit(struct model *m)
{
	if (m->at != IDLE)
		return -EBUSY;
	if (m->shut || m->dying)
		return -ESHUTDOWN;
	if (m->failed)
		return -EIO;
	model_goes(m);
	return -EINPROGRESS;
}

static int model_cancel(struct model *m)
{
	if (m->at != QUEUED)
		return m->at == IDLE ? -ENOENT : -EALREADY;
	model_over(m, -ECANCELED);
	return 0;
}

static int model_destroy(struct model *m)
{
	if (m->dying)
		return -EINVAL;
	m->dying = true;
	if (m->at == QUEUED)
		model_over(m, -ECANCELED);
	return -EINPROGRESS;
}

static int model_shut(struct model *m)
{
	m->shut = true;
	if (m->at == QUEUED)
		model_over(m, -ECANCELED);
	return 0;
}

static int model_fail(struct model *m)
{
	m->failed = true;
	m->blocker = false;
	if (m->at != IDLE)
		model_over(m, -EIO);
	return 0;
}

static int model_answer(struct model *m)
{
	if (m->failed)
		return 0;
	if (m->blocker) {
		m->blocker = false;
		if (m->at == QUEUED)
			model_goes(m);
	} else if (m->at == ISSUED) {
		model_over(m, 0);
	}
	return 0;
}

static struct model model_begin(enum at at)
{
	return (struct model){ .at = at, .blocker = at == QUEUED, .posts = at != IDLE };
}

/* ---- The engine ---- */

struct round {
	struct test *t;
	struct vrb_client *before;	/* client of the test */
	enum at at;
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct typed_request *request, *blocker;
	struct typed_gone *gone;
	struct mock_script *query, *destroy;
	unsigned int accepted;
	bool destroyed, failed;
	unsigned int nr;		/* completions */
	int status[4];
};

static int do_submit(struct round *r)
{
	return vrb_submit(r->t->client, &r->request->vrb);
}

static int do_cancel(struct round *r)
{
	return vrb_cancel(&r->request->vrb);
}

static int do_destroy(struct round *r)
{
	return vrb_destroy_qp(r->t->client, r->qp, typed_gone, r->gone);
}

static int do_shut(struct round *r)
{
	vrb_client_shut(r->t->client);
	return 0;
}

static int do_fail(struct round *r)
{
	vrb_device_fail(r->t->dev, "one of a pair");
	return 0;
}

static int do_answer(struct round *r)
{
	mock_release(r->t->mock, r->query);
	return 0;
}

struct action {
	const char *name;
	int (*model)(struct model *m);
	int (*act)(struct round *r);
};

static const struct action actions[] = {
	{ "submit", model_submit, do_submit },
	{ "cancel", model_cancel, do_cancel },
	{ "destroy", model_destroy, do_destroy },
	{ "shut", model_shut, do_shut },
	{ "fail", model_fail, do_fail },
	{ "answer", model_answer, do_answer },
};

/* Returns the action whose name a text begins with. */
static const struct action *action_of(const char *text)
{
	const struct action *action = actions;

	while (strncmp(text, action->name, strlen(action->name)))
		action++;
	return action;
}

/* An action's result determines what is left to do at the end. */
static void count_in(struct round *r, const struct action *action, int ret)
{
	r->accepted += action->act == do_submit && ret == -EINPROGRESS;
	r->destroyed |= action->act == do_destroy;
	r->failed |= action->act == do_fail;
}

static void note(struct typed_request *request)
{
	struct round *r = request->data;

	if (r->nr < ARRAY_SIZE(r->status))
		r->status[r->nr] = request->status;
	WRITE_ONCE(r->nr, r->nr + 1);
}

/* Uses a client of its own, because it may be shut. The hardware holds every command. */
static struct round *round_begin(struct test *t, enum at at)
{
	struct round *r = test_alloc(t, sizeof(*r));

	r->t = t;
	r->before = t->client;
	t->client = vrb_client_register(t->mock->ibdev, "pair");
	r->at = at;
	r->cq = created_cq(t);
	r->qp = created_qp(t, r->cq);
	r->request = new_query_qp(t, r->qp);
	r->request->then = note;
	r->request->data = r;
	r->blocker = new_query_qp(t, r->qp);
	r->gone = new_gone(t);
	r->query = hold_qp(r->qp, VRB_OP_QUERY_QP);
	r->destroy = &mock_qp_hw(r->qp)->base.destroy;
	r->destroy->step[0].flags = MOCK_HOLD;
	if (at == QUEUED)
		submit_typed(r->blocker);
	if (at == QUEUED)
		wait_script_posted(t, r->query);
	if (at != IDLE)
		submit_typed(r->request);
	if (at == ISSUED)
		wait_script_posted(t, r->query);
	r->accepted = at != IDLE;
	return r;
}

static bool revived(void *arg)
{
	struct test *t = arg;

	return vrb_device_revive(t->dev) != -EBUSY;
}

static bool is_over(void *arg)
{
	struct round *r = arg;

	mock_release(r->t->mock, r->query);
	return READ_ONCE(r->nr) >= r->accepted &&
	       (r->at != QUEUED || READ_ONCE(r->blocker->calls));
}

static bool is_gone(void *arg)
{
	struct round *r = arg;

	mock_release(r->t->mock, r->destroy);
	return completion_done(&r->gone->over);
}

/* Whatever has happened: each request is over once, and everything is given back. */
static void round_end(struct round *r)
{
	struct test *t = r->t;

	EXPECT(t, wait_until(is_over, r));
	if (!r->destroyed)
		EXPECT_EQ(t, do_destroy(r), -EINPROGRESS);
	EXPECT(t, wait_until(is_gone, r));
	wait_gone(r->gone);
	wait_gone(end_cq(t, r->cq));
	EXPECT_EQ(t, r->nr, r->accepted);
	EXPECT_EQ(t, r->blocker->calls, r->at == QUEUED);
	EXPECT(t, !r->request->bad_context);
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
	vrb_client_unregister(t->client);
	t->client = r->before;
	if (!r->failed)
		return;
	mock_reset(t->mock);
	EXPECT(t, wait_until(revived, t));
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 8), 0);
}

/* ---- In either order ---- */

struct settled {
	struct round *r;
	const struct model *m;
};

static bool has_settled(void *arg)
{
	struct settled *s = arg;

	if (READ_ONCE(s->r->nr) != s->m->nr)
		return false;
	if (s->m->at == IDLE)
		return do_cancel(s->r) == -ENOENT;
	return READ_ONCE(s->r->query->posts) == s->m->posts;
}

static void one_after_the_other(struct test *t, const struct action *pair[2], enum at at)
{
	struct model m = model_begin(at);
	struct round *r = round_begin(t, at);
	struct settled settled = { .r = r, .m = &m };
	unsigned int i;
	int ret;

	for (i = 0; i < 2; i++) {
		ret = pair[i]->act(r);
		EXPECT_EQ(t, ret, pair[i]->model(&m));
		count_in(r, pair[i], ret);
		EXPECT(t, wait_until(has_settled, &settled));
	}
	while (m.at != IDLE)
		model_answer(&m);
	round_end(r);
	EXPECT_EQ(t, r->nr, m.nr);
	for (i = 0; i < m.nr; i++)
		EXPECT_EQ(t, r->status[i], m.status[i]);
	if (t->failed)
		test_fail(t, __FILE__, __LINE__, "begun %s", at_names[at]);
}

/* The name of the test is "this_then_that". */
static void pair_in_order(struct test *t)
{
	const char *name = t->test_case->name;
	const struct action *pair[2] = { action_of(name), action_of(strstr(name, "_then_") + 6) };
	enum at at;

	for (at = IDLE; at < NR_AT && !t->failed; at++)
		one_after_the_other(t, pair, at);
}

/* ---- At the same time ---- */

struct race {
	struct work_struct work;
	struct round *r;
	const struct action *pair[2];
	unsigned int delay[2];		/* microseconds */
	int ret[2];
	bool ready, go;
};

static void race_other(struct work_struct *work)
{
	struct race *race = container_of(work, struct race, work);

	WRITE_ONCE(race->ready, true);
	while (!READ_ONCE(race->go))
		cpu_relax();
	udelay(race->delay[1]);
	race->ret[1] = race->pair[1]->act(race->r);
}

static void race_run(struct race *race)
{
	race->ready = false;
	race->go = false;
	INIT_WORK_ONSTACK(&race->work, race_other);
	schedule_work_on(1, &race->work);
	while (!READ_ONCE(race->ready))
		cond_resched();
	WRITE_ONCE(race->go, true);
	udelay(race->delay[0]);
	race->ret[0] = race->pair[0]->act(race->r);
	flush_work(&race->work);
	destroy_work_on_stack(&race->work);
}

/* A cancel of a request that is about to become idle may report that it comes too late. */
static bool same_answer(const struct action *action, int ret, int expected)
{
	return ret == expected ||
	       (action->act == do_cancel && ret == -EALREADY && expected == -ENOENT);
}

/* Returns whether the result is as if @first had come first. */
static bool race_is_like(const struct race *race, unsigned int first)
{
	const struct round *r = race->r;
	struct model m = model_begin(r->at);
	unsigned int i, which;

	for (i = 0; i < 2; i++) {
		which = i ? !first : first;
		if (!same_answer(race->pair[which], race->ret[which],
				 race->pair[which]->model(&m)))
			return false;
	}
	while (m.at != IDLE)
		model_answer(&m);
	return r->nr == m.nr && !memcmp(r->status, m.status, sizeof(m.status));
}

static void race_once(struct test *t, struct race *race, enum at at)
{
	unsigned int i;

	race->r = round_begin(t, at);
	race_run(race);
	for (i = 0; i < 2; i++)
		count_in(race->r, race->pair[i], race->ret[i]);
	round_end(race->r);
	if (race_is_like(race, 0) || race_is_like(race, 1))
		return;
	test_fail(t, __FILE__, __LINE__, "%s %d, %s %d, begun %s: %u completions: %d %d, seed %u",
		  race->pair[0]->name, race->ret[0], race->pair[1]->name, race->ret[1],
		  at_names[at], race->r->nr, race->r->status[0], race->r->status[1], mock_seed);
}

/* The name of the test is "races_of_this". */
static void races(struct test *t)
{
	struct race race = { .pair[0] = action_of(strstr(t->test_case->name, "_of_") + 4) };
	u32 random = mock_seed;
	unsigned int i, n;

	if (!stay_on_cpu0(t))
		return;
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		race.pair[1] = &actions[i];
		for (n = 0; n < ROUNDS * NR_AT && !t->failed; n++) {
			random = random * 1664525 + 1013904223;
			race.delay[0] = random >> 16 & 15;
			race.delay[1] = random >> 20 & 15;
			race_once(t, &race, n % NR_AT);
		}
	}
	leave_cpu0();
}

const struct test_case pairs_tests[] = {
	{ "submit_then_submit", pair_in_order, .verbs = true },
	{ "submit_then_cancel", pair_in_order, .verbs = true },
	{ "submit_then_destroy", pair_in_order, .verbs = true },
	{ "submit_then_shut", pair_in_order, .verbs = true },
	{ "submit_then_fail", pair_in_order, .verbs = true },
	{ "submit_then_answer", pair_in_order, .verbs = true },
	{ "cancel_then_submit", pair_in_order, .verbs = true },
	{ "cancel_then_cancel", pair_in_order, .verbs = true },
	{ "cancel_then_destroy", pair_in_order, .verbs = true },
	{ "cancel_then_shut", pair_in_order, .verbs = true },
	{ "cancel_then_fail", pair_in_order, .verbs = true },
	{ "cancel_then_answer", pair_in_order, .verbs = true },
	{ "destroy_then_submit", pair_in_order, .verbs = true },
	{ "destroy_then_cancel", pair_in_order, .verbs = true },
	{ "destroy_then_destroy", pair_in_order, .verbs = true },
	{ "destroy_then_shut", pair_in_order, .verbs = true },
	{ "destroy_then_fail", pair_in_order, .verbs = true },
	{ "destroy_then_answer", pair_in_order, .verbs = true },
	{ "shut_then_submit", pair_in_order, .verbs = true },
	{ "shut_then_cancel", pair_in_order, .verbs = true },
	{ "shut_then_destroy", pair_in_order, .verbs = true },
	{ "shut_then_shut", pair_in_order, .verbs = true },
	{ "shut_then_fail", pair_in_order, .verbs = true },
	{ "shut_then_answer", pair_in_order, .verbs = true },
	{ "fail_then_submit", pair_in_order, .verbs = true },
	{ "fail_then_cancel", pair_in_order, .verbs = true },
	{ "fail_then_destroy", pair_in_order, .verbs = true },
	{ "fail_then_shut", pair_in_order, .verbs = true },
	{ "fail_then_fail", pair_in_order, .verbs = true },
	{ "fail_then_answer", pair_in_order, .verbs = true },
	{ "answer_then_submit", pair_in_order, .verbs = true },
	{ "answer_then_cancel", pair_in_order, .verbs = true },
	{ "answer_then_destroy", pair_in_order, .verbs = true },
	{ "answer_then_shut", pair_in_order, .verbs = true },
	{ "answer_then_fail", pair_in_order, .verbs = true },
	{ "answer_then_answer", pair_in_order, .verbs = true },
	{ "races_of_submit", races, .verbs = true },
	{ "races_of_cancel", races, .verbs = true },
	{ "races_of_destroy", races, .verbs = true },
	{ "races_of_shut", races, .verbs = true },
	{ "races_of_fail", races, .verbs = true },
	{ "races_of_answer", races, .verbs = true },
	{}
};
