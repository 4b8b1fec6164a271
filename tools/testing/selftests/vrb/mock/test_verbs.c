// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 16: typed requests, their verbs and objects, and who may submit which.
 */
#include <rdma/ib_mad.h>

#include "mock.h"

#define MANY 100

static void verbs_can_be_queried(struct test *t)
{
	EXPECT(t, vrb_client_can(t->client, VRB_OP_CREATE_QP));
	EXPECT(t, vrb_client_can(t->client, VRB_OP_AWAIT_CQ));
	EXPECT(t, vrb_client_can(t->client, VRB_OP_AWAIT_EVENT));
	EXPECT(t, !vrb_client_can(t->client, VRB_OP_MODIFY_PORT));
	EXPECT(t, !vrb_client_can(t->client, VRB_OP_NONE));
	EXPECT(t, !vrb_client_can(t->client, VRB_NR_OPS));
}

/* A refused request does not change: it can be corrected and submitted again. */
static void verbs_not_supported_are_refused(struct test *t)
{
	struct typed_request *request = new_query_port(t);
	struct vrb_modify_port modify;

	vrb_prep_modify_port(&modify, 1);
	EXPECT_EQ(t, vrb_submit(t->client, &modify.vrb), -EOPNOTSUPP);
	EXPECT_EQ(t, vrb_cancel(&modify.vrb), -ENOENT);
	request->vrb.op = VRB_NR_OPS;
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EINVAL);
	request->vrb.op = VRB_OP_QUERY_PORT;
	run_typed(request, 0);
	EXPECT_EQ(t, request->query_port.attr.state, IB_PORT_ACTIVE);
}

static void verbs_without_an_object(struct test *t)
{
	struct ib_device *elsewhere = kzalloc(sizeof(*elsewhere), GFP_KERNEL | __GFP_NOFAIL);
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_request *query = new_query_qp(t, qp), *none = new_query_qp(t, NULL);

	EXPECT_EQ(t, vrb_submit(t->client, &none->vrb), -EINVAL);
	qp->device = elsewhere;
	EXPECT_EQ(t, vrb_submit(t->client, &query->vrb), -EINVAL);
	qp->device = t->mock->ibdev;
	run_typed(query, 0);
	end_both(t, qp, cq);
	kfree(elsewhere);
}

/* Class, flags and group are checked as in any request. */
static void verbs_are_checked(struct test *t)
{
	struct vrb_client *other = vrb_client_register(t->mock->ibdev, "other");
	struct typed_request *query = new_query_port(t);
	struct vrb_group theirs;

	vrb_group_init(&theirs, other);
	query->vrb.class = VRB_CLASS_EVENT;
	EXPECT_EQ(t, vrb_submit(t->client, &query->vrb), -EINVAL);
	query->vrb.class = VRB_CLASS_VERB;
	query->vrb.flags = 1;
	EXPECT_EQ(t, vrb_submit(t->client, &query->vrb), -EINVAL);
	query->vrb.flags = 0;
	query->vrb.group = &theirs;
	EXPECT_EQ(t, vrb_submit(t->client, &query->vrb), -EINVAL);
	query->vrb.group = NULL;
	run_typed(query, 0);
	vrb_client_unregister(other);
}

static struct ib_cq *core_cq(struct test *t)
{
	const struct ib_cq_init_attr attr = { .cqe = 8 };

	return ib_create_cq(t->mock->ibdev, NULL, NULL, NULL, &attr);
}

static struct ib_qp *core_qp(struct test *t, struct ib_cq *cq)
{
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };

	return ib_create_qp(t->pd, &attr);
}

static void verbs_on_objects_of_ib_core(struct test *t)
{
	struct ib_cq *cq = core_cq(t);
	struct ib_qp *qp = core_qp(t, cq);
	struct typed_request *modify = new_typed(t), *query = new_query_qp(t, qp);
	const int secured[] = { IB_QP_PORT, IB_QP_PKEY_INDEX, IB_QP_ALT_PATH };
	unsigned int i;

	vrb_prep_modify_qp(&modify->modify_qp, qp);
	for (i = 0; i < ARRAY_SIZE(secured); i++) {
		modify->modify_qp.mask = IB_QP_STATE | secured[i];
		EXPECT_EQ(t, vrb_submit(t->client, &modify->vrb), -EACCES);
	}
	mock_qp_hw(qp)->state = IB_QPS_INIT;
	modify->modify_qp.mask = IB_QP_STATE;
	modify->modify_qp.attr.qp_state = IB_QPS_ERR;
	run_typed(modify, 0);
	run_typed(query, 0);
	EXPECT_EQ(t, query->query_qp.attr.qp_state, IB_QPS_ERR);
	EXPECT_EQ(t, ib_destroy_qp(qp), 0);
	ib_destroy_cq(cq);
}

/* The transition to INIT sets a port and a P_Key, which ib_core's security must check. */
static void connect_of_ib_core_starts_at_init(struct test *t)
{
	struct ib_cq *cq = core_cq(t);
	struct ib_qp *qp = core_qp(t, cq);
	struct typed_request *connect = new_connect(t, qp);

	run_typed(connect, -EACCES);
	mock_qp_hw(qp)->state = IB_QPS_INIT;
	run_typed(connect, 0);
	EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_RTS);
	EXPECT_EQ(t, ib_destroy_qp(qp), 0);
	ib_destroy_cq(cq);
}

static void verbs_on_objects_of_a_process(struct test *t)
{
	struct ib_cq *cq = core_cq(t);
	struct ib_qp *qp = core_qp(t, cq);
	struct typed_request *query = new_query_qp(t, qp);
	struct ib_qp_init_attr attr = { .qp_type = IB_QPT_RC, .send_cq = cq, .recv_cq = cq };
	struct vrb_user user;

	vrb_user_init(&user);
	mock_qp_hw(qp)->base.object.destroy.user = &user;
	mock_cq_hw(cq)->base.object.destroy.user = &user;
	EXPECT_EQ(t, vrb_submit(t->client, &query->vrb), -EACCES);
	EXPECT_EQ(t, PTR_ERR(vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL)), -EACCES);
	/* The provider itself submits requests that ib_core has checked. */
	EXPECT_EQ(t, vrb_submit(vrb_device_client(t->dev), &query->vrb), -EINPROGRESS);
	wait_typed(query, 0);
	mock_cq_hw(cq)->base.object.destroy.user = NULL;
	EXPECT_EQ(t, ib_destroy_qp(qp), 0);
	ib_destroy_cq(cq);
}

/* ib_core's destroy is queued behind a typed request. */
static void destroy_of_ib_core_waits_for_requests(struct test *t)
{
	struct ib_cq *cq = core_cq(t);
	struct ib_qp *qp = core_qp(t, cq);
	struct typed_request *query = new_query_qp(t, qp);

	mock_qp_hw(qp)->script[VRB_OP_QUERY_QP].step[0].latency_ns = 20 * NSEC_PER_MSEC;
	submit_typed(query);
	EXPECT_EQ(t, ib_destroy_qp(qp), 0);
	EXPECT_EQ(t, query->calls, 1);
	wait_typed(query, 0);
	ib_destroy_cq(cq);
}

static void resets_a_qp(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq);
	struct typed_request *reset = new_typed(t), *connect = new_connect(t, qp);

	vrb_prep_reset_qp(&reset->reset_qp, qp);
	run_typed(connect, 0);
	run_typed(reset, 0);
	EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_RESET);
	run_typed(connect, 0);
	end_both(t, qp, cq);
}

static void keys_of_a_region_change(struct test *t)
{
	struct ib_mr *mr = vrb_alloc_mr(t->client, t->pd, 2, GFP_KERNEL);
	struct typed_request *create = new_typed(t), *reg = new_typed(t), *unreg = new_typed(t);
	struct typed_gone *gone = new_gone(t);
	dma_addr_t page = 0x1000;
	u32 key;

	vrb_prep_create_mr(&create->create_mr, mr);
	vrb_prep_reg_mr(&reg->reg_mr, mr);
	vrb_prep_unreg_mr(&unreg->unreg_mr, mr);
	reg->reg_mr.length = PAGE_SIZE;
	reg->reg_mr.pages = &page;
	reg->reg_mr.nr_pages = 1;
	reg->reg_mr.page_shift = PAGE_SHIFT;
	EXPECT_EQ(t, vrb_submit(t->client, &reg->vrb), -EINVAL);
	run_typed(create, 0);
	run_typed(unreg, -EINVAL);
	run_typed(reg, 0);
	key = mr->lkey;
	run_typed(unreg, 0);
	run_typed(reg, 0);
	EXPECT(t, mr->lkey != key);
	EXPECT_EQ(t, vrb_destroy_mr(t->client, mr, typed_gone, gone), -EINPROGRESS);
	wait_gone(gone);
}

/* A QP that is attached to a group, and the requests for that */
struct attached {
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct typed_request *attach, *detach;
};

static struct attached attached_qp(struct test *t)
{
	struct attached of = { .attach = new_typed(t), .detach = new_typed(t) };

	of.cq = created_cq(t);
	of.qp = created_qp(t, of.cq);
	vrb_prep_attach_mcast(&of.attach->mcast, of.qp);
	vrb_prep_detach_mcast(&of.detach->mcast, of.qp);
	run_typed(of.attach, 0);
	return of;
}

/* An attached group counts as a child; a detach is accepted while the destroy is pending. */
static void detach_completes_a_pending_destroy(struct test *t)
{
	struct attached of = attached_qp(t);
	struct typed_gone *gone = end_qp(t, of.qp);

	EXPECT_EQ(t, vrb_submit(t->client, &of.attach->vrb), -ESHUTDOWN);
	run_typed(new_query_port(t), 0);
	EXPECT_EQ(t, gone->calls, 0);
	run_typed(of.detach, 0);
	wait_gone(gone);
	wait_gone(end_cq(t, of.cq));
}

/* After a failure the QP is in no group, whether the device comes back or not. */
static void fail_ends_multicast_memberships(struct test *t)
{
	struct attached of = attached_qp(t);
	struct typed_gone *gone;

	vrb_device_fail(t->dev, "on request");
	wait_failed(t);
	mock_reset(t->mock);
	EXPECT_EQ(t, vrb_device_revive(t->dev), 0);
	EXPECT_EQ(t, vrb_submit(t->client, &of.detach->vrb), -ESTALE);
	gone = end_qp(t, of.qp);
	wait_gone(gone);
	wait_gone(end_cq(t, of.cq));
}

/* A run of the pump cannot end all requests: a detach that comes meanwhile is not cancelled. */
static void detach_after_a_destroy_is_not_cancelled(struct test *t)
{
	struct attached of = attached_qp(t);
	struct typed_request *query[MANY];
	struct typed_gone *gone = new_gone(t);
	unsigned int i;

	for (i = 0; i < MANY; i++)
		query[i] = new_query_qp(t, of.qp);
	local_bh_disable();
	for (i = 0; i < MANY; i++)
		submit_typed(query[i]);
	EXPECT_EQ(t, vrb_destroy_qp(t->client, of.qp, typed_gone, gone), -EINPROGRESS);
	submit_typed(of.detach);
	local_bh_enable();
	wait_typed(of.detach, 0);
	wait_gone(gone);
	for (i = 1; i < MANY; i++)
		EXPECT_EQ(t, query[i]->status, -ECANCELED);
	wait_gone(end_cq(t, of.cq));
}

/* A detach is accepted from a client that has been shut, but not with a poisoned group. */
static void detach_of_a_poisoned_group(struct test *t)
{
	struct attached of = attached_qp(t);
	struct typed_gone *gone;
	struct vrb_group group;

	vrb_group_init(&group, t->client);
	of.detach->vrb.group = &group;
	vrb_group_poison(&group);
	EXPECT_EQ(t, vrb_submit(t->client, &of.detach->vrb), -EPERM);
	gone = end_qp(t, of.qp);
	EXPECT_EQ(t, vrb_submit(t->client, &of.detach->vrb), -EPERM);
	vrb_group_drain(&group);
	vrb_group_unpoison(&group);
	run_typed(of.detach, 0);
	vrb_group_drain(&group);
	wait_gone(gone);
	wait_gone(end_cq(t, of.cq));
}

static void waits_for_a_typed_request(struct test *t)
{
	struct vrb_query_port query;

	vrb_prep_query_port(&query, 1);
	EXPECT_EQ(t, vrb_submit_wait(t->client, &query.vrb), 0);
	EXPECT_EQ(t, query.attr.state, IB_PORT_ACTIVE);
	EXPECT_EQ(t, vrb_submit_wait(t->client, &query.vrb), 0);
}

/* One of the two slots is for teardown: a modify to ERR is issued while all other requests wait. */
static void modify_to_error_is_teardown(struct test *t)
{
	struct ib_cq *cq = created_cq(t);
	struct ib_qp *qp = created_qp(t, cq), *other = created_qp(t, cq);
	struct mock_request *blocker = held_request(t, 1);
	struct typed_request *query = new_query_qp(t, other);
	struct vrb_modify_qp modify;

	run_typed(new_connect(t, qp), 0);
	submit(blocker);
	wait_posted(blocker);
	submit_typed(query);
	vrb_prep_modify_qp(&modify, qp);
	modify.mask = IB_QP_STATE;
	modify.attr.qp_state = IB_QPS_ERR;
	EXPECT_EQ(t, vrb_submit_wait(t->client, &modify.vrb), 0);
	EXPECT_EQ(t, vrb_qp_state(t->client, qp), IB_QPS_ERR);
	EXPECT_EQ(t, query->calls, 0);
	let_go(blocker);
	wait_over(blocker, 0);
	wait_typed(query, 0);
	wait_gone(end_qp(t, other));
	end_both(t, qp, cq);
}

const struct test_case verbs_tests[] = {
	{ "verbs_can_be_queried", verbs_can_be_queried, .verbs = true },
	{ "verbs_not_supported_are_refused", verbs_not_supported_are_refused, .verbs = true },
	{ "verbs_without_an_object", verbs_without_an_object, .verbs = true },
	{ "verbs_are_checked", verbs_are_checked, .verbs = true },
	{ "verbs_on_objects_of_ib_core", verbs_on_objects_of_ib_core, .verbs = true },
	{ "connect_of_ib_core_starts_at_init", connect_of_ib_core_starts_at_init, .verbs = true },
	{ "verbs_on_objects_of_a_process", verbs_on_objects_of_a_process, .verbs = true },
	{ "destroy_of_ib_core_waits_for_requests", destroy_of_ib_core_waits_for_requests,
	  .verbs = true },
	{ "resets_a_qp", resets_a_qp, .verbs = true },
	{ "modify_to_error_is_teardown", modify_to_error_is_teardown, .verbs = true,
	  .config = { .slots = 2 } },
	{ "keys_of_a_region_change", keys_of_a_region_change, .verbs = true },
	{ "fail_ends_multicast_memberships", fail_ends_multicast_memberships, .verbs = true },
	{ "detach_after_a_destroy_is_not_cancelled", detach_after_a_destroy_is_not_cancelled,
	  .verbs = true },
	{ "detach_of_a_poisoned_group", detach_of_a_poisoned_group, .verbs = true },
	{ "detach_completes_a_pending_destroy", detach_completes_a_pending_destroy, .verbs = true },
	{ "waits_for_a_typed_request", waits_for_a_typed_request, .verbs = true },
	{}
};
