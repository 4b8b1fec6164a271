// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The examples of Documentation/vrb-client.rst for code that may sleep. On each device the client
 * executes all of them one after the other when the device is added, and logs each result.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

#define PORT	1
#define QKEY	0x1c0ffee
#define QPS	4
#define PATIENCE	(10 * HZ)

struct sleeper {
	struct ib_device *ibdev;
	struct vrb_client *client;
	struct ib_pd *pd;
	enum ib_mtu mtu;
	struct ib_cq *cq;
	struct ib_qp *qp[QPS];
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp[QPS];
	struct vrb_connect_qp connect;
	struct vrb_await_cq await;
	struct vrb_modify_qp modify;
	struct vrb_query_qp query[QPS];
	struct vrb_group group;
	atomic_t queried;
	struct completion flushed;
};

static int sleeper_say(struct sleeper *s, const char *what, int err)
{
	pr_info("%s: %s: %d\n", dev_name(&s->ibdev->dev), what, err);
	return err;
}

/* ---- One request ---- */

static int sleeper_port(struct sleeper *s)
{
	struct vrb_query_port query;
	int err;

	vrb_prep_query_port(&query, PORT);
	err = vrb_submit_wait(s->client, &query.vrb);
	if (!err)
		s->mtu = query.attr.active_mtu;
	return err;
}

/* ---- Several requests ---- */

/* All of them are outstanding at the same time. Each must be waited for, also after a failure. */
static int sleeper_create(struct sleeper *s)
{
	int i, err, first;

	vrb_prep_create_cq(&s->create_cq, s->cq);
	vrb_submit(s->client, &s->create_cq.vrb);
	for (i = 0; i < QPS; i++) {
		vrb_prep_create_qp(&s->create_qp[i], s->qp[i]);
		vrb_submit(s->client, &s->create_qp[i].vrb);
	}
	first = vrb_wait(&s->create_cq.vrb);
	for (i = 0; i < QPS; i++) {
		err = vrb_wait(&s->create_qp[i].vrb);
		first = first ?: err;
	}
	return first;
}

/* ---- A wait that a fatal signal ends ---- */

static int sleeper_connect(struct sleeper *s)
{
	struct vrb_connect_qp *connect = &s->connect;
	int err;

	vrb_prep_connect_qp(connect, s->qp[0]);
	connect->attr.port_num = PORT;
	connect->attr.qkey = QKEY;
	connect->to = IB_QPS_RTS;
	vrb_submit(s->client, &connect->vrb);
	err = vrb_wait_killable(&connect->vrb);
	/* The engine still owns it. */
	if (err == -EINTR)
		vrb_kill(&connect->vrb);
	if (!err && vrb_qp_state(s->client, s->qp[0]) != IB_QPS_RTS)
		err = -EPROTO;
	return err;
}

/* ---- A request that its callback submits again ---- */

static void sleeper_event(struct vrb *vrb)
{
	struct sleeper *s = container_of(vrb, struct sleeper, await.vrb);
	struct ib_wc wc;

	if (vrb->status)
		return;
	while (ib_poll_cq(s->cq, 1, &wc) == 1)
		complete(&s->flushed);
	/* While vrb_kill() is at work, this is refused. */
	vrb_submit(s->client, vrb);
}

static int sleeper_await(struct sleeper *s)
{
	int err;

	vrb_prep_await_cq(&s->await, s->cq);
	s->await.flags = IB_CQ_NEXT_COMP;
	s->await.vrb.done = sleeper_event;
	err = vrb_submit(s->client, &s->await.vrb);
	return err == -EINPROGRESS ? 0 : err;
}

/* Moves a QP with a receive to ERR, which completes the receive. */
static int sleeper_flush(struct sleeper *s)
{
	const struct ib_recv_wr wr = {};
	int err = ib_post_recv(s->qp[0], &wr, NULL);

	if (err)
		return err;
	vrb_prep_modify_qp(&s->modify, s->qp[0]);
	s->modify.attr.qp_state = IB_QPS_ERR;
	s->modify.mask = IB_QP_STATE;
	err = vrb_submit_wait(s->client, &s->modify.vrb);
	if (err)
		return err;
	return wait_for_completion_timeout(&s->flushed, PATIENCE) ? 0 : -EPROTO;
}

/* From here on the callback does not run, until the request is submitted again. */
static int sleeper_stop(struct sleeper *s)
{
	vrb_kill(&s->await.vrb);
	return vrb_cancel(&s->await.vrb) == -ENOENT ? 0 : -EPROTO;
}

/* ---- A group ---- */

static void sleeper_queried(struct vrb *vrb)
{
	struct sleeper *s = container_of(vrb->group, struct sleeper, group);

	if (!vrb->status)
		atomic_inc(&s->queried);
}

static void sleeper_query(struct sleeper *s)
{
	int i;

	for (i = 0; i < QPS; i++) {
		vrb_prep_query_qp(&s->query[i], s->qp[i]);
		s->query[i].vrb.group = &s->group;
		s->query[i].vrb.done = sleeper_queried;
		vrb_submit(s->client, &s->query[i].vrb);
	}
}

/* The drain returns when the last callback of the group has returned. */
static int sleeper_drain(struct sleeper *s)
{
	vrb_group_init(&s->group, s->client);
	sleeper_query(s);
	vrb_group_drain(&s->group);
	return atomic_read(&s->queried) == QPS ? 0 : -EPROTO;
}

/* Between the poison and the unpoison nothing is submitted to the group, by whatever context. */
static int sleeper_pause(struct sleeper *s)
{
	int err;

	sleeper_query(s);
	vrb_group_poison(&s->group);
	vrb_group_cancel(&s->group);
	vrb_group_drain(&s->group);
	err = vrb_submit(s->client, &s->query[0].vrb);
	vrb_group_unpoison(&s->group);
	return err == -EPERM && vrb_group_idle(&s->group) ? 0 : -EPROTO;
}

/* ---- Destroys ---- */

static void sleeper_gone(void *context)
{
	complete(context);
}

/* The CQ exists until the QPs that use it are gone, so its end is the last. */
static void sleeper_destroy(struct sleeper *s)
{
	DECLARE_COMPLETION_ONSTACK(gone);
	int i;

	for (i = 0; i < QPS; i++) {
		if (!IS_ERR_OR_NULL(s->qp[i]))
			vrb_destroy_qp(s->client, s->qp[i], NULL, NULL);
	}
	if (IS_ERR(s->cq))
		return;
	vrb_destroy_cq(s->client, s->cq, sleeper_gone, &gone);
	wait_for_completion(&gone);
}

/* ---- Devices come and go ---- */

static int sleeper_alloc(struct sleeper *s)
{
	struct ib_cq_init_attr cq_attr = { .cqe = 16 };
	struct ib_qp_init_attr qp_attr = {
		.qp_type = IB_QPT_UD,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	int i;

	s->cq = vrb_alloc_cq(s->client, &cq_attr, NULL, NULL, NULL, GFP_KERNEL);
	if (IS_ERR(s->cq))
		return PTR_ERR(s->cq);
	qp_attr.send_cq = s->cq;
	qp_attr.recv_cq = s->cq;
	for (i = 0; i < QPS; i++) {
		s->qp[i] = vrb_alloc_qp(s->client, s->pd, &qp_attr, GFP_KERNEL);
		if (IS_ERR(s->qp[i]))
			return PTR_ERR(s->qp[i]);
	}
	return 0;
}

static int sleeper_run(struct sleeper *s)
{
	int err;

	err = sleeper_say(s, "port queried", sleeper_port(s));
	err = err ?: sleeper_say(s, "allocated", sleeper_alloc(s));
	err = err ?: sleeper_say(s, "created", sleeper_create(s));
	err = err ?: sleeper_say(s, "connected", sleeper_connect(s));
	err = err ?: sleeper_say(s, "awaited", sleeper_await(s));
	err = err ?: sleeper_say(s, "flushed", sleeper_flush(s));
	err = err ?: sleeper_say(s, "stopped", sleeper_stop(s));
	err = err ?: sleeper_say(s, "started again", sleeper_await(s));
	err = err ?: sleeper_say(s, "stopped again", sleeper_stop(s));
	err = err ?: sleeper_say(s, "group drained", sleeper_drain(s));
	return err ?: sleeper_say(s, "group paused", sleeper_pause(s));
}

static int sleeper_add(struct ib_device *ibdev)
{
	struct sleeper *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	s->ibdev = ibdev;
	init_completion(&s->flushed);
	s->pd = ib_alloc_pd(ibdev, 0);
	if (IS_ERR(s->pd)) {
		err = PTR_ERR(s->pd);
		goto free;
	}
	s->client = vrb_client_register(ibdev, KBUILD_MODNAME);
	if (IS_ERR(s->client)) {
		err = PTR_ERR(s->client);
		goto dealloc_pd;
	}
	sleeper_run(s);
	if (s->cq)
		sleeper_destroy(s);
	sleeper_say(s, "gone", 0);
	vrb_client_unregister(s->client);
	err = -EOPNOTSUPP;	/* there is nothing to remove */
dealloc_pd:
	ib_dealloc_pd(s->pd);
free:
	kfree(s);
	return err;
}

static struct ib_client sleeper_ib_client = {
	.name = KBUILD_MODNAME,
	.add = sleeper_add,
};

module_driver(sleeper_ib_client, ib_register_client, ib_unregister_client);

MODULE_DESCRIPTION("Examples of Documentation/vrb-client.rst: code that may sleep");
MODULE_LICENSE("Dual BSD/GPL");
