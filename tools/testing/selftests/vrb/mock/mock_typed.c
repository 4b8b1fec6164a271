// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Functions that the tests of typed requests and shells share.
 */
#include "mock.h"

static void typed_done(struct vrb *vrb)
{
	struct typed_request *request = container_of(vrb, struct typed_request, vrb);

	mock_callback(request->test->mock, vrb->status);
	request->calls++;
	request->status = vrb->status;
	request->bad_context |= !in_serving_softirq() || in_hardirq() || irqs_disabled();
	if (request->then)
		request->then(request);
	else
		complete(&request->over);
}

/**
 * new_typed - allocate a request; the caller prepares it
 * @t: test
 *
 * Context: Process.
 */
struct typed_request *new_typed(struct test *t)
{
	struct typed_request *request = test_alloc(t, sizeof(*request));

	request->test = t;
	init_completion(&request->over);
	return request;
}

static struct typed_request *with_done(struct typed_request *request)
{
	request->vrb.done = typed_done;
	return request;
}

/**
 * new_create_cq - the create of a CQ
 * @t: test
 * @cq: shell
 *
 * Context: Process.
 */
struct typed_request *new_create_cq(struct test *t, struct ib_cq *cq)
{
	struct typed_request *request = new_typed(t);

	vrb_prep_create_cq(&request->create_cq, cq);
	return with_done(request);
}

/**
 * new_create_qp - the create of a QP
 * @t: test
 * @qp: shell
 *
 * Context: Process.
 */
struct typed_request *new_create_qp(struct test *t, struct ib_qp *qp)
{
	struct typed_request *request = new_typed(t);

	vrb_prep_create_qp(&request->create_qp, qp);
	return with_done(request);
}

/**
 * new_connect - a request that moves a QP to RTS
 * @t: test
 * @qp: QP
 *
 * Context: Process.
 */
struct typed_request *new_connect(struct test *t, struct ib_qp *qp)
{
	struct typed_request *request = new_typed(t);

	vrb_prep_connect_qp(&request->connect_qp, qp);
	request->connect_qp.to = IB_QPS_RTS;
	return with_done(request);
}

/**
 * new_query_qp - a request that queries a QP
 * @t: test
 * @qp: QP
 *
 * Context: Process.
 */
struct typed_request *new_query_qp(struct test *t, struct ib_qp *qp)
{
	struct typed_request *request = new_typed(t);

	vrb_prep_query_qp(&request->query_qp, qp);
	return with_done(request);
}

/**
 * new_query_port - a request that queries the port
 * @t: test
 *
 * Context: Process.
 */
struct typed_request *new_query_port(struct test *t)
{
	struct typed_request *request = new_typed(t);

	vrb_prep_query_port(&request->query_port, 1);
	return with_done(request);
}

/**
 * submit_typed - submit a request that must be accepted
 * @request: request; from here on its callback is the one of the tests
 *
 * Context: Any but NMI.
 */
void submit_typed(struct typed_request *request)
{
	with_done(request);
	EXPECT_EQ(request->test, vrb_submit(request->test->client, &request->vrb), -EINPROGRESS);
}

/**
 * wait_typed - wait for a request's callback
 * @request: request with this one callback since the last wait
 * @status: the status it must have
 *
 * Context: Process.
 */
void wait_typed(struct typed_request *request, int status)
{
	struct test *t = request->test;

	if (!EXPECT(t, wait_for_completion_timeout(&request->over, MOCK_PATIENCE)))
		return;
	EXPECT_EQ(t, request->calls, 1);
	EXPECT_EQ(t, request->status, status);
	EXPECT(t, !request->bad_context);
	request->calls = 0;
}

static bool is_idle(void *vrb)
{
	return vrb_cancel(vrb) == -ENOENT;
}

/**
 * run_typed - submit a request and wait until it can be submitted again
 * @request: request
 * @status: the status it must have
 *
 * Context: Process.
 */
void run_typed(struct typed_request *request, int status)
{
	submit_typed(request);
	wait_typed(request, status);
	/* The callback may not have returned yet. */
	EXPECT(request->test, wait_until(is_idle, &request->vrb));
}

/* ---- Shells ---- */

/**
 * shell_cq - allocate a CQ that the hardware does not know
 * @t: test
 *
 * Context: Process.
 */
struct ib_cq *shell_cq(struct test *t)
{
	const struct ib_cq_init_attr attr = { .cqe = 8 };
	struct ib_cq *cq = vrb_alloc_cq(t->client, &attr, NULL, NULL, NULL, GFP_KERNEL);

	return EXPECT(t, !IS_ERR(cq)) ? cq : NULL;
}

/**
 * shell_qp - allocate a QP that the hardware does not know
 * @t: test
 * @cq: its CQ
 * @srq: its SRQ or NULL
 *
 * Context: Process.
 */
struct ib_qp *shell_qp(struct test *t, struct ib_cq *cq, struct ib_srq *srq)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.send_cq = cq,
		.recv_cq = cq,
		.srq = srq,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4 },
	};
	struct ib_qp *qp = vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL);

	return EXPECT(t, !IS_ERR(qp)) ? qp : NULL;
}

/**
 * created_cq - create a CQ
 * @t: test
 *
 * Context: Process.
 */
struct ib_cq *created_cq(struct test *t)
{
	struct ib_cq *cq = shell_cq(t);

	run_typed(new_create_cq(t, cq), 0);
	return cq;
}

/**
 * created_qp - create a QP, which is in RESET
 * @t: test
 * @cq: its CQ, which has been created
 *
 * Context: Process.
 */
struct ib_qp *created_qp(struct test *t, struct ib_cq *cq)
{
	struct ib_qp *qp = shell_qp(t, cq, NULL);

	run_typed(new_create_qp(t, qp), 0);
	return qp;
}

/**
 * hold_cq - hold the next command of a verb on this CQ until mock_release()
 * @cq: CQ
 * @op: verb
 *
 * Context: Any.
 * Return: the script.
 */
struct mock_script *hold_cq(struct ib_cq *cq, enum vrb_op op)
{
	struct mock_script *script = &mock_cq_hw(cq)->script[op];

	script->step[0].flags = MOCK_HOLD;
	return script;
}

/**
 * hold_qp - hold the next command of a verb on this QP until mock_release()
 * @qp: QP
 * @op: verb
 *
 * Context: Any.
 * Return: the script.
 */
struct mock_script *hold_qp(struct ib_qp *qp, enum vrb_op op)
{
	struct mock_script *script = &mock_qp_hw(qp)->script[op];

	script->step[0].flags = MOCK_HOLD;
	return script;
}

static bool script_posted(void *script)
{
	return READ_ONCE(((struct mock_script *)script)->posts);
}

/**
 * wait_script_posted - wait until the hardware has a command
 * @t: test
 * @script: script of the request
 *
 * Context: Process.
 */
void wait_script_posted(struct test *t, struct mock_script *script)
{
	EXPECT(t, wait_until(script_posted, script));
}

/* ---- Ends ---- */

/**
 * new_gone - allocate the context of a shell's destroy
 * @t: test
 *
 * Context: Process.
 */
struct typed_gone *new_gone(struct test *t)
{
	struct typed_gone *gone = test_alloc(t, sizeof(*gone));

	gone->test = t;
	init_completion(&gone->over);
	return gone;
}

/**
 * typed_gone - callback for vrb_destroy_*()
 * @context: from new_gone()
 *
 * Context: Softirq.
 */
void typed_gone(void *context)
{
	struct typed_gone *gone = context;

	mock_callback(gone->test->mock, 0);
	gone->calls++;
	gone->bad_context |= !in_serving_softirq() || in_hardirq() || irqs_disabled();
	complete(&gone->over);
}

/**
 * wait_gone - wait until a shell has gone
 * @gone: context of its destroy
 *
 * Context: Process.
 */
void wait_gone(struct typed_gone *gone)
{
	EXPECT(gone->test, wait_for_completion_timeout(&gone->over, MOCK_PATIENCE));
	EXPECT_EQ(gone->test, gone->calls, 1);
	EXPECT(gone->test, !gone->bad_context);
}

/**
 * end_cq - submit the destroy of a CQ, which must be accepted
 * @t: test
 * @cq: shell
 *
 * Context: Process.
 * Return: the context for wait_gone().
 */
struct typed_gone *end_cq(struct test *t, struct ib_cq *cq)
{
	struct typed_gone *gone = new_gone(t);

	EXPECT_EQ(t, vrb_destroy_cq(t->client, cq, typed_gone, gone), -EINPROGRESS);
	return gone;
}

/**
 * end_qp - submit the destroy of a QP, which must be accepted
 * @t: test
 * @qp: shell
 *
 * Context: Process.
 * Return: the context for wait_gone().
 */
struct typed_gone *end_qp(struct test *t, struct ib_qp *qp)
{
	struct typed_gone *gone = new_gone(t);

	EXPECT_EQ(t, vrb_destroy_qp(t->client, qp, typed_gone, gone), -EINPROGRESS);
	return gone;
}

/**
 * end_both - destroy a QP and its CQ, and wait for both
 * @t: test
 * @qp: shell
 * @cq: shell
 *
 * Context: Process.
 */
void end_both(struct test *t, struct ib_qp *qp, struct ib_cq *cq)
{
	struct typed_gone *qp_gone = end_qp(t, qp), *cq_gone = end_cq(t, cq);

	wait_gone(qp_gone);
	wait_gone(cq_gone);
}
