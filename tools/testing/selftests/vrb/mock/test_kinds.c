// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tests every kind of object and every verb, one after the other: rules 8, 15, 16, 17 and 18, for
 * which the other tests only use a QP or a CQ.
 */
#include <rdma/ib_mad.h>

#include "mock.h"

/* One object of each kind; they are each other's parents where possible. */
struct kinds {
	struct ib_cq *cq;
	struct ib_srq *srq;
	struct ib_qp *qp;
	struct ib_mr *mr;
	dma_addr_t page;
	struct ib_mad mad;
};

enum kind { CQ, SRQ, QP, MR, PORT };

struct verb_case {
	enum vrb_op op;
	enum kind kind;
	void (*prep)(struct typed_request *request, struct kinds *of);
	unsigned int step;		/* the step whose command is lost */
	enum vrb_op before;		/* verb that must come before */
	bool creates;
};

/* ---- Requests ---- */

static void prep_create_cq(struct typed_request *request, struct kinds *of)
{
	vrb_prep_create_cq(&request->create_cq, of->cq);
}

static void prep_create_srq(struct typed_request *request, struct kinds *of)
{
	vrb_prep_create_srq(&request->create_srq, of->srq);
}

static void prep_create_qp(struct typed_request *request, struct kinds *of)
{
	vrb_prep_create_qp(&request->create_qp, of->qp);
}

static void prep_create_mr(struct typed_request *request, struct kinds *of)
{
	vrb_prep_create_mr(&request->create_mr, of->mr);
}

static void prep_resize_cq(struct typed_request *request, struct kinds *of)
{
	vrb_prep_resize_cq(&request->resize_cq, of->cq);
	request->resize_cq.cqe = 4;
}

static void prep_modify_qp(struct typed_request *request, struct kinds *of)
{
	vrb_prep_modify_qp(&request->modify_qp, of->qp);
	request->modify_qp.attr.qp_state = IB_QPS_ERR;
	request->modify_qp.mask = IB_QP_STATE;
}

static void prep_connect_qp(struct typed_request *request, struct kinds *of)
{
	vrb_prep_connect_qp(&request->connect_qp, of->qp);
	request->connect_qp.to = IB_QPS_RTS;
}

static void prep_reset_qp(struct typed_request *request, struct kinds *of)
{
	vrb_prep_reset_qp(&request->reset_qp, of->qp);
}

static void prep_query_qp(struct typed_request *request, struct kinds *of)
{
	vrb_prep_query_qp(&request->query_qp, of->qp);
}

static void prep_attach(struct typed_request *request, struct kinds *of)
{
	vrb_prep_attach_mcast(&request->mcast, of->qp);
}

static void prep_detach(struct typed_request *request, struct kinds *of)
{
	vrb_prep_detach_mcast(&request->mcast, of->qp);
}

static void prep_modify_srq(struct typed_request *request, struct kinds *of)
{
	vrb_prep_modify_srq(&request->modify_srq, of->srq);
	request->modify_srq.attr.srq_limit = 1;
	request->modify_srq.mask = IB_SRQ_LIMIT;
}

static void prep_query_srq(struct typed_request *request, struct kinds *of)
{
	vrb_prep_query_srq(&request->query_srq, of->srq);
}

static void prep_reg_mr(struct typed_request *request, struct kinds *of)
{
	vrb_prep_reg_mr(&request->reg_mr, of->mr);
	request->reg_mr.length = PAGE_SIZE;
	request->reg_mr.pages = &of->page;
	request->reg_mr.nr_pages = 1;
	request->reg_mr.page_shift = PAGE_SHIFT;
	request->reg_mr.access = IB_ACCESS_LOCAL_WRITE;
}

static void prep_unreg_mr(struct typed_request *request, struct kinds *of)
{
	vrb_prep_unreg_mr(&request->unreg_mr, of->mr);
}

static void prep_query_port(struct typed_request *request, struct kinds *of)
{
	vrb_prep_query_port(&request->query_port, 1);
}

static void prep_process_mad(struct typed_request *request, struct kinds *of)
{
	vrb_prep_process_mad(&request->process_mad, 1);
	request->process_mad.in = &of->mad;
	request->process_mad.out = &of->mad;
}

static const struct verb_case verb_cases[] = {
	{ VRB_OP_CREATE_CQ, CQ, prep_create_cq, .creates = true },
	{ VRB_OP_CREATE_SRQ, SRQ, prep_create_srq, .creates = true },
	{ VRB_OP_CREATE_QP, QP, prep_create_qp, .creates = true },
	{ VRB_OP_CREATE_MR, MR, prep_create_mr, .creates = true },
	{ VRB_OP_RESIZE_CQ, CQ, prep_resize_cq },
	{ VRB_OP_MODIFY_QP, QP, prep_modify_qp, .before = VRB_OP_CONNECT_QP },
	{ VRB_OP_CONNECT_QP, QP, prep_connect_qp },
	{ VRB_OP_CONNECT_QP, QP, prep_connect_qp, .step = 1 },
	{ VRB_OP_CONNECT_QP, QP, prep_connect_qp, .step = 2 },
	{ VRB_OP_RESET_QP, QP, prep_reset_qp },
	{ VRB_OP_QUERY_QP, QP, prep_query_qp },
	{ VRB_OP_ATTACH_MCAST, QP, prep_attach },
	{ VRB_OP_DETACH_MCAST, QP, prep_detach, .before = VRB_OP_ATTACH_MCAST },
	{ VRB_OP_MODIFY_SRQ, SRQ, prep_modify_srq },
	{ VRB_OP_QUERY_SRQ, SRQ, prep_query_srq },
	{ VRB_OP_REG_MR, MR, prep_reg_mr },
	{ VRB_OP_UNREG_MR, MR, prep_unreg_mr, .before = VRB_OP_REG_MR },
	{ VRB_OP_QUERY_PORT, PORT, prep_query_port },
	{ VRB_OP_PROCESS_MAD, PORT, prep_process_mad },
};

static const struct verb_case *case_of(enum vrb_op op)
{
	const struct verb_case *verb = verb_cases;

	while (verb->op != op)
		verb++;
	return verb;
}

static struct typed_request *new_case(struct test *t, const struct verb_case *verb,
				      struct kinds *of)
{
	struct typed_request *request = new_typed(t);

	verb->prep(request, of);
	return request;
}

static struct mock_hw *hw_of(const struct kinds *of, enum kind kind)
{
	switch (kind) {
	case CQ:
		return mock_cq_hw(of->cq);
	case SRQ:
		return mock_srq_hw(of->srq);
	case QP:
		return mock_qp_hw(of->qp);
	default:
		return mock_mr_hw(of->mr);
	}
}

static struct mock_script *script_of(struct test *t, const struct kinds *of,
				     const struct verb_case *verb)
{
	return verb->kind == PORT ? &t->mock->script[verb->op] :
	       &hw_of(of, verb->kind)->script[verb->op];
}

/* ---- Objects ---- */

static struct ib_srq *shell_srq(struct test *t)
{
	struct ib_srq_init_attr attr = { .attr = { .max_wr = 8, .max_sge = 1 } };
	struct ib_srq *srq = vrb_alloc_srq(t->client, t->pd, &attr, GFP_KERNEL);

	return EXPECT(t, !IS_ERR(srq)) ? srq : NULL;
}

static struct ib_mr *shell_mr(struct test *t, u32 max_pages)
{
	struct ib_mr *mr = vrb_alloc_mr(t->client, t->pd, max_pages, GFP_KERNEL);

	return EXPECT(t, !IS_ERR(mr)) ? mr : NULL;
}

static struct kinds *new_shells(struct test *t)
{
	struct kinds *of = test_alloc(t, sizeof(*of));

	of->cq = shell_cq(t);
	of->srq = shell_srq(t);
	of->qp = shell_qp(t, of->cq, of->srq);
	of->mr = shell_mr(t, 1);
	return of;
}

/* Creates all objects, except @but and those that have it as a parent. */
static void create_all_but(struct test *t, struct kinds *of, enum kind but)
{
	const struct verb_case *verb;

	for (verb = verb_cases; verb->creates; verb++) {
		if (verb->kind != but && (verb->kind != QP || (but != CQ && but != SRQ)))
			run_typed(new_case(t, verb, of), 0);
	}
}

static int submit_end(struct test *t, struct kinds *of, enum kind kind, struct typed_gone *gone)
{
	switch (kind) {
	case CQ:
		return vrb_destroy_cq(t->client, of->cq, typed_gone, gone);
	case SRQ:
		return vrb_destroy_srq(t->client, of->srq, typed_gone, gone);
	case QP:
		return vrb_destroy_qp(t->client, of->qp, typed_gone, gone);
	default:
		return vrb_destroy_mr(t->client, of->mr, typed_gone, gone);
	}
}

static struct typed_gone *end_kind(struct test *t, struct kinds *of, enum kind kind)
{
	struct typed_gone *gone = new_gone(t);

	EXPECT_EQ(t, submit_end(t, of, kind, gone), -EINPROGRESS);
	return gone;
}

/* Destroys all objects, in any order; those with a pending destroy are skipped. */
static void end_all(struct test *t, struct kinds *of, struct typed_gone *pending[PORT])
{
	enum kind kind;

	for (kind = CQ; kind < PORT; kind++) {
		if (!pending[kind])
			pending[kind] = end_kind(t, of, kind);
	}
	for (kind = CQ; kind < PORT; kind++)
		wait_gone(pending[kind]);
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
}

/* ---- Rule 8: a command of each verb is lost ---- */

struct reaped {
	struct test *test;
	u64 nr;
};

static bool reaped(void *arg)
{
	const struct reaped *reaped = arg;

	return counters(reaped->test).zombies_reaped == reaped->nr;
}

/* The lost command completes after all: only the engine notices. */
static void answer_late(struct test *t, struct mock_script *script)
{
	struct reaped reaped_next = { .test = t, .nr = counters(t).zombies_reaped + 1 };

	mock_release(t->mock, script);
	EXPECT(t, wait_until(reaped, &reaped_next));
}

static struct typed_request *lose(struct test *t, struct kinds *of, const struct verb_case *verb)
{
	struct mock_script *script = script_of(t, of, verb);
	struct typed_request *lost = new_case(t, verb, of);

	if (verb->before)
		run_typed(new_case(t, case_of(verb->before), of), 0);
	script->step[verb->step].flags = MOCK_HOLD;
	run_typed(lost, -ETIMEDOUT);
	script->step[verb->step].flags = 0;
	EXPECT_EQ(t, lost->vrb.step, verb->step);
	return lost;
}

/* After the hardware's answer the same verb can be requested again. */
static void lost_then_answered(struct test *t, const struct verb_case *verb)
{
	struct kinds *of = new_shells(t);
	struct typed_gone *pending[PORT] = {};
	struct typed_request *lost;

	create_all_but(t, of, verb->creates ? verb->kind : PORT);
	lost = lose(t, of, verb);
	if (verb->kind != PORT) {
		EXPECT_EQ(t, hw_of(of, verb->kind)->base.object.zombies, 1);
		EXPECT_EQ(t, vrb_submit(t->client, &lost->vrb), -EUCLEAN);
	}
	if (verb->op == VRB_OP_CONNECT_QP)
		EXPECT_EQ(t, vrb_qp_state(t->client, of->qp), verb->step);
	answer_late(t, script_of(t, of, verb));
	run_typed(lost, 0);
	if (verb->op == VRB_OP_ATTACH_MCAST)
		run_typed(new_case(t, case_of(VRB_OP_DETACH_MCAST), of), 0);
	end_all(t, of, pending);
}

/* The object's destroy waits for the answer. */
static void lost_then_destroyed(struct test *t, const struct verb_case *verb)
{
	struct kinds *of = new_shells(t);
	struct typed_gone *pending[PORT] = {};
	struct typed_request *lost;

	if (verb->kind == PORT)
		return;
	create_all_but(t, of, verb->creates ? verb->kind : PORT);
	lost = lose(t, of, verb);
	pending[verb->kind] = end_kind(t, of, verb->kind);
	EXPECT_EQ(t, vrb_submit(t->client, &lost->vrb),
		  verb->op == VRB_OP_DETACH_MCAST ? -EUCLEAN : -ESHUTDOWN);
	EXPECT_EQ(t, pending[verb->kind]->calls, 0);
	answer_late(t, script_of(t, of, verb));
	if (verb->op == VRB_OP_DETACH_MCAST)
		run_typed(lost, 0);
	end_all(t, of, pending);
}

static void lost_command_of_each_verb(struct test *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verb_cases) && !t->failed; i++) {
		lost_then_answered(t, &verb_cases[i]);
		if (t->failed)
			test_fail(t, __FILE__, __LINE__, "in verb %u", verb_cases[i].op);
	}
	EXPECT_EQ(t, counters(t).timeouts, i);
	EXPECT_EQ(t, counters(t).stray, 0);
	EXPECT(t, !vrb_device_failed(t->dev));
}

static void lost_command_of_each_verb_under_a_destroy(struct test *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verb_cases) && !t->failed; i++) {
		lost_then_destroyed(t, &verb_cases[i]);
		if (t->failed)
			test_fail(t, __FILE__, __LINE__, "in verb %u", verb_cases[i].op);
	}
	EXPECT_EQ(t, counters(t).stray, 0);
	EXPECT(t, !vrb_device_failed(t->dev));
}

/* ---- Rule 18: before the create, and behind one that fails ---- */

static void each_verb_needs_a_create(struct test *t)
{
	struct kinds *of = new_shells(t);
	struct typed_gone *pending[PORT] = {};
	struct typed_request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verb_cases); i++) {
		if (verb_cases[i].creates || verb_cases[i].kind == PORT)
			continue;
		request = new_case(t, &verb_cases[i], of);
		if (!EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL))
			test_fail(t, __FILE__, __LINE__, "in verb %u", verb_cases[i].op);
		EXPECT_EQ(t, vrb_cancel(&request->vrb), -ENOENT);
	}
	end_all(t, of, pending);
	EXPECT_EQ(t, t->mock->posts, 0);
}

/* The create of a QP needs that of each of its parents. */
static void create_needs_each_parent(struct test *t)
{
	static const enum kind parents[] = { CQ, SRQ };
	struct typed_request *create;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parents); i++) {
		struct kinds *of = new_shells(t);
		struct typed_gone *pending[PORT] = {};

		create_all_but(t, of, parents[i]);
		create = new_case(t, case_of(VRB_OP_CREATE_QP), of);
		EXPECT_EQ(t, vrb_submit(t->client, &create->vrb), -EINVAL);
		run_typed(new_case(t, &verb_cases[parents[i]], of), 0);
		run_typed(create, 0);
		end_all(t, of, pending);
	}
}

static const struct verb_case *create_of(enum kind kind)
{
	const struct verb_case *verb = verb_cases;

	while (verb->kind != kind)
		verb++;
	return verb;
}

/* A request of each verb is queued when the create fails. The hardware gets none of them. */
static void fail_create_of(struct test *t, enum kind kind)
{
	struct typed_request *request[ARRAY_SIZE(verb_cases)] = {}, *create;
	struct kinds *of = new_shells(t);
	struct typed_gone *pending[PORT] = {};
	struct mock_script *script;
	unsigned int i;

	create_all_but(t, of, kind);
	create = new_case(t, create_of(kind), of);
	script = script_of(t, of, create_of(kind));
	script->step[0] = (struct mock_step){ .flags = MOCK_HOLD, .status = -EAGAIN };
	submit_typed(create);
	for (i = 0; i < ARRAY_SIZE(verb_cases); i++) {
		if (verb_cases[i].creates || verb_cases[i].kind != kind)
			continue;
		request[i] = new_case(t, &verb_cases[i], of);
		submit_typed(request[i]);
	}
	wait_script_posted(t, script);
	mock_release(t->mock, script);
	wait_typed(create, -EAGAIN);
	for (i = 0; i < ARRAY_SIZE(verb_cases); i++) {
		if (!request[i])
			continue;
		wait_typed(request[i], -ENOLINK);
		EXPECT_EQ(t, vrb_submit(t->client, &request[i]->vrb), -ENOLINK);
		EXPECT_EQ(t, script_of(t, of, &verb_cases[i])->posts, 0);
	}
	end_all(t, of, pending);
}

static void create_of_each_kind_fails(struct test *t)
{
	enum kind kind;

	for (kind = CQ; kind < PORT; kind++)
		fail_create_of(t, kind);
}

/* ---- Rule 16: what is registered ---- */

#define PAGES 4

struct reg_case {
	const char *name;
	u64 iova, length;
	u32 nr_pages;
	u8 page_shift;
	int access;
	bool no_list;
	int status;
};

static const struct reg_case reg_cases[] = {
	{ "all of it", 0, PAGES << 12, PAGES, 12, IB_ACCESS_LOCAL_WRITE },
	{ "one byte", 4095, 1, 1, 12 },
	{ "two bytes in two pages", 4095, 2, 2, 12 },
	{ "the largest page", 0, 1ULL << 31, 1, 31 },
	{ "the last byte there may be", U64_MAX - 4095, 4095, 1, 12 },
	{ "read by others alone", 0, 1, 1, 12, IB_ACCESS_REMOTE_READ },
	{ "everything by everybody", 0, 1, 1, 12, IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_READ |
	  IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_ATOMIC },
	{ "no list", 0, 1, 1, 12, .no_list = true, .status = -EINVAL },
	{ "no page", 0, 1, 0, 12, .status = -EINVAL },
	{ "a page more than it has room for", 0, (PAGES + 1) << 12, PAGES + 1, 12,
	  .status = -EINVAL },
	{ "a page too few", 4095, 2, 1, 12, .status = -EINVAL },
	{ "a page too many", 0, 4096, 2, 12, .status = -EINVAL },
	{ "no byte", 0, 0, 1, 12, .status = -EINVAL },
	{ "the byte after the last", U64_MAX - 4095, 4096, 1, 12, .status = -EINVAL },
	{ "beyond the end", U64_MAX, U64_MAX, 1, 12, .status = -EINVAL },
	{ "a byte beyond the end", U64_MAX, 1, 1, 12, .status = -EINVAL },
	{ "pages too small", 0, 1, 1, 11, .status = -EINVAL },
	{ "pages too large", 0, 1, 1, 32, .status = -EINVAL },
	{ "pages of no size", 0, 1, 1, 255, .status = -EINVAL },
	{ "written by others but not by us", 0, 1, 1, 12, IB_ACCESS_REMOTE_WRITE,
	  .status = -EINVAL },
	{ "atomics by others but no writes by us", 0, 1, 1, 12, IB_ACCESS_REMOTE_ATOMIC,
	  .status = -EINVAL },
	{ "windows", 0, 1, 1, 12, IB_ACCESS_MW_BIND, .status = -EINVAL },
	{ "on demand", 0, 1, 1, 12, IB_ACCESS_ON_DEMAND, .status = -EINVAL },
};

static void register_one(struct test *t, struct typed_request *reg, const struct reg_case *one,
			 const dma_addr_t *pages)
{
	reg->reg_mr.iova = one->iova;
	reg->reg_mr.length = one->length;
	reg->reg_mr.pages = one->no_list ? NULL : pages;
	reg->reg_mr.nr_pages = one->nr_pages;
	reg->reg_mr.page_shift = one->page_shift;
	reg->reg_mr.access = one->access;
	run_typed(reg, one->status);
}

static void registration_is_checked(struct test *t)
{
	const dma_addr_t pages[PAGES + 1] = {};
	struct kinds of = { .mr = shell_mr(t, PAGES) };
	struct typed_request *reg, *unreg;
	const struct reg_case *one;
	bool failed = t->failed;

	run_typed(new_case(t, case_of(VRB_OP_CREATE_MR), &of), 0);
	reg = new_case(t, case_of(VRB_OP_REG_MR), &of);
	unreg = new_case(t, case_of(VRB_OP_UNREG_MR), &of);
	for (one = reg_cases; one < reg_cases + ARRAY_SIZE(reg_cases) && !failed; one++) {
		register_one(t, reg, one, pages);
		EXPECT_EQ(t, mock_mr_hw(of.mr)->registered, !one->status);
		if (!one->status) {
			/* It cannot be registered twice. */
			run_typed(reg, -EINVAL);
			run_typed(unreg, 0);
		}
		failed = t->failed;
		if (failed)
			test_fail(t, __FILE__, __LINE__, "in: %s", one->name);
	}
	wait_gone(end_kind(t, &of, MR));
}

/* ---- Rule 17: ib_core's objects and shells ---- */

/* ib_core accesses the parents after the driver's destroy, so shells must not be its parents. */
static void shell_of_any_kind_is_no_parent_for_ib_core(struct test *t)
{
	struct kinds *of = new_shells(t);
	const struct ib_cq_init_attr cq_attr = { .cqe = 8 };
	struct ib_cq *cq = ib_create_cq(t->mock->ibdev, NULL, NULL, NULL, &cq_attr);
	struct ib_qp_init_attr attr[] = {
		{ .qp_type = IB_QPT_RC, .send_cq = of->cq, .recv_cq = cq },
		{ .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = of->cq },
		{ .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq, .srq = of->srq },
	};
	struct typed_gone *pending[PORT] = {};
	unsigned int i;

	create_all_but(t, of, PORT);
	for (i = 0; i < ARRAY_SIZE(attr); i++)
		EXPECT_EQ(t, PTR_ERR(ib_create_qp(t->pd, &attr[i])), -EINVAL);
	EXPECT_EQ(t, atomic_read(&cq->usecnt), 0);
	EXPECT_EQ(t, atomic_read(&of->cq->usecnt), 2);
	EXPECT_EQ(t, atomic_read(&of->srq->usecnt), 1);
	ib_destroy_cq(cq);
	end_all(t, of, pending);
}

static struct kinds *new_of_ib_core(struct test *t)
{
	struct kinds *of = test_alloc(t, sizeof(*of));
	const struct ib_cq_init_attr cq_attr = { .cqe = 8 };
	struct ib_srq_init_attr srq_attr = { .attr = { .max_wr = 8, .max_sge = 1 } };
	struct ib_qp_init_attr qp_attr = { .qp_type = IB_QPT_RC };

	of->cq = ib_create_cq(t->mock->ibdev, NULL, NULL, NULL, &cq_attr);
	of->srq = ib_create_srq(t->pd, &srq_attr);
	qp_attr.send_cq = of->cq;
	qp_attr.recv_cq = of->cq;
	qp_attr.srq = of->srq;
	of->qp = ib_create_qp(t->pd, &qp_attr);
	of->mr = ib_alloc_mr(t->pd, IB_MR_TYPE_MEM_REG, 1);
	EXPECT(t, !IS_ERR(of->cq) && !IS_ERR(of->srq) && !IS_ERR(of->qp) && !IS_ERR(of->mr));
	return of;
}

/* Destroys all objects with ib_core's functions, whoever has created them. */
static void end_by_ib_core(struct test *t, struct kinds *of)
{
	EXPECT_EQ(t, ib_destroy_qp(of->qp), 0);
	ib_destroy_srq(of->srq);
	ib_destroy_cq(of->cq);
	EXPECT_EQ(t, ib_dereg_mr(of->mr), 0);
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
}

/* The log has one warning, which names the module; misuse.sh checks it. */
static void misuse_destroys_of_ib_core_objects(struct test *t)
{
	struct kinds *of = new_of_ib_core(t);
	struct typed_gone *gone = new_gone(t);
	enum kind kind;

	for (kind = CQ; kind < PORT; kind++) {
		EXPECT_EQ(t, submit_end(t, of, kind, gone), -EINVAL);
		EXPECT(t, !hw_of(of, kind)->base.object.dying);
	}
	/* The objects have not changed. */
	run_typed(new_case(t, case_of(VRB_OP_QUERY_QP), of), 0);
	run_typed(new_case(t, case_of(VRB_OP_QUERY_SRQ), of), 0);
	run_typed(new_case(t, case_of(VRB_OP_RESIZE_CQ), of), 0);
	end_by_ib_core(t, of);
	EXPECT_EQ(t, gone->calls, 0);
}

/* Created or not: the hardware forgets them, ib_core frees them. One warning is logged. */
static void misuse_shells_given_to_ib_core(struct test *t)
{
	struct kinds *of = new_shells(t);
	unsigned int posts;

	create_all_but(t, of, PORT);
	posts = t->mock->posts;
	end_by_ib_core(t, of);
	EXPECT_EQ(t, t->mock->posts, posts + 4);
	of = new_shells(t);
	end_by_ib_core(t, of);
	EXPECT_EQ(t, t->mock->posts, posts + 4);
}

/* This function of ib_core returns no error. */
static void misuse_shell_given_to_ib_free_cq(struct test *t)
{
	ib_free_cq(created_cq(t));
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
}

/* ---- Rule 15: the provider goes, and shells are in various states ---- */

struct lives {
	struct ib_cq *never, *creating, *failed, *dying, *made;
	struct ib_qp *waiting, *child, *connected;
	struct typed_request *create, *wait, *behind;
	struct typed_gone *dying_gone;
	struct mock_script *held;
};

static void lives_begin(struct test *t, struct lives *of)
{
	of->never = shell_cq(t);
	of->made = created_cq(t);
	of->connected = created_qp(t, of->made);
	run_typed(new_connect(t, of->connected), 0);
	of->failed = shell_cq(t);
	mock_cq_hw(of->failed)->script[VRB_OP_CREATE_CQ].step[0].status = -EAGAIN;
	run_typed(new_create_cq(t, of->failed), -EAGAIN);
	of->dying = created_cq(t);
	of->child = created_qp(t, of->dying);
	of->dying_gone = end_cq(t, of->dying);
	of->creating = shell_cq(t);
	of->held = hold_cq(of->creating, VRB_OP_CREATE_CQ);
	of->waiting = shell_qp(t, of->creating, NULL);
	of->create = new_create_cq(t, of->creating);
	of->wait = new_create_qp(t, of->waiting);
	of->behind = new_query_qp(t, of->waiting);
	submit_typed(of->create);
	submit_typed(of->wait);
	submit_typed(of->behind);
	wait_script_posted(t, of->held);
}

/* New requests are refused, and queued ones complete with the reason. */
static void lives_are_refused(struct test *t, struct lives *of)
{
	const struct ib_cq_init_attr attr = { .cqe = 8 };
	struct typed_request *request[] = {
		new_create_cq(t, of->never), new_create_cq(t, of->failed),
		new_query_qp(t, of->connected), new_query_qp(t, of->child),
	};
	unsigned int i;

	wait_typed(of->wait, -ENODEV);
	EXPECT(t, wait_for_completion_timeout(&of->behind->over, MOCK_PATIENCE));
	EXPECT(t, of->behind->status == -ENODEV || of->behind->status == -ENOLINK);
	for (i = 0; i < ARRAY_SIZE(request); i++)
		EXPECT_EQ(t, vrb_submit(t->client, &request[i]->vrb), -ENODEV);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_cq(t->client, &attr, NULL, NULL, NULL, GFP_KERNEL)),
		  -ENODEV);
}

static void lives_end(struct test *t, struct lives *of)
{
	struct typed_gone *gone[] = {
		end_cq(t, of->never), end_cq(t, of->failed), end_cq(t, of->creating),
		end_qp(t, of->waiting), end_qp(t, of->connected), end_cq(t, of->made),
		end_qp(t, of->child),
	};
	unsigned int i;

	mock_release(t->mock, of->held);
	wait_typed(of->create, 0);
	for (i = 0; i < ARRAY_SIZE(gone); i++)
		wait_gone(gone[i]);
	wait_gone(of->dying_gone);
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
}

struct goes {
	struct work_struct work;
	struct test *test;
};

static void goes(struct work_struct *work)
{
	vrb_device_detach(container_of(work, struct goes, work)->test->dev);
}

/* @ends: the client destroys them; otherwise its fence does. */
static void detach_under_shells(struct test *t, bool ends)
{
	struct lives *of = test_alloc(t, sizeof(*of));
	struct goes detach = { .test = t };

	lives_begin(t, of);
	INIT_WORK_ONSTACK(&detach.work, goes);
	schedule_work(&detach.work);
	lives_are_refused(t, of);
	if (ends)
		lives_end(t, of);
	else
		mock_release(t->mock, of->held);
	EXPECT(t, work_busy(&detach.work));
	vrb_client_unregister(t->client);
	t->client = NULL;
	flush_work(&detach.work);
	destroy_work_on_stack(&detach.work);
	EXPECT_EQ(t, of->create->calls + of->dying_gone->calls, 1 + !ends);
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
	EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
}

static void detach_with_shells_in_every_state(struct test *t)
{
	detach_under_shells(t, true);
}

static void detach_with_shells_left_in_every_state(struct test *t)
{
	detach_under_shells(t, false);
}

const struct test_case kinds_tests[] = {
	{ "lost_command_of_each_verb", lost_command_of_each_verb, .verbs = true,
	  .config = { .issue_timeout_ms = 200 } },
	{ "lost_command_of_each_verb_under_a_destroy", lost_command_of_each_verb_under_a_destroy,
	  .verbs = true, .config = { .issue_timeout_ms = 200 } },
	{ "each_verb_needs_a_create", each_verb_needs_a_create, .verbs = true },
	{ "create_needs_each_parent", create_needs_each_parent, .verbs = true },
	{ "create_of_each_kind_fails", create_of_each_kind_fails, .verbs = true },
	{ "registration_is_checked", registration_is_checked, .verbs = true },
	{ "shell_of_any_kind_is_no_parent_for_ib_core",
	  shell_of_any_kind_is_no_parent_for_ib_core, .verbs = true },
	{ "misuse_destroys_of_ib_core_objects", misuse_destroys_of_ib_core_objects,
	  .verbs = true, .kind = MISUSE },
	{ "misuse_shells_given_to_ib_core", misuse_shells_given_to_ib_core, .verbs = true,
	  .kind = MISUSE },
	{ "misuse_shell_given_to_ib_free_cq", misuse_shell_given_to_ib_free_cq, .verbs = true,
	  .kind = MISUSE },
	{ "detach_with_shells_in_every_state", detach_with_shells_in_every_state, .verbs = true },
	{ "detach_with_shells_left_in_every_state", detach_with_shells_left_in_every_state,
	  .verbs = true },
	{}
};
