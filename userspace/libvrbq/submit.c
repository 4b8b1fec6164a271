// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Accepts requests, and cancels them.
 */
#include <string.h>
#include "vrbq_internal.h"

/* The object must belong to this context: elsewhere its handle identifies another object. */
static int check_object(const struct vrbq *q, const struct vrbq_request *request)
{
	const struct ibv_context *context = NULL;

	if (request->op == VRBQ_OP_CREATE_CQ)
		return 0;
	if (!request->object)
		return EINVAL;
	if (is_qp_op(request->op))
		context = request->qp->context;
	else if (request->op == VRBQ_OP_DEREG_MR)
		context = request->mr->context;
	else
		context = request->pd->context;
	return context == q->context ? 0 : EINVAL;
}

static int check(struct vrbq *q, const struct vrbq_request *request)
{
	const struct entry *last;
	int ret;

	if (request->op < VRBQ_OP_MODIFY_QP || request->op > VRBQ_OP_DEREG_MR || request->flags)
		return EINVAL;
	/* This must precede any access to the object, which may be about to be destroyed. */
	last = request->object ? order_last(q, request->object) : NULL;
	if (last && is_last_op(last->request.op))
		return ESHUTDOWN;
	ret = check_object(q, request);
	if (ret)
		return ret;
	if (request->op == VRBQ_OP_QUERY_QP && !request->query.attr)
		return EINVAL;
	if (request->op == VRBQ_OP_CREATE_QP && !request->create_qp.init_attr)
		return EINVAL;
	return 0;
}

/* Creates the first thread before a request that needs one is accepted. */
static int first_thread(struct vrbq *q)
{
	return !q->nr_threads && threads_begin(q) ? ENOMEM : 0;
}

static int submit_one(struct vrbq *q, const struct vrbq_request *request)
{
	const bool by_thread = !kernel_has(q, request);
	struct entry *entry = TAILQ_FIRST(&q->free);
	int ret = check(q, request);

	if (!ret && !entry)
		ret = EAGAIN;
	if (!ret && by_thread)
		ret = first_thread(q);
	if (ret)
		return ret;
	TAILQ_REMOVE(&q->free, entry, list);
	entry->request = *request;
	entry->by_thread = by_thread;
	entry->generation++;
	memset(&entry->result, 0, sizeof(entry->result));
	entry->result.wr_id = request->wr_id;
	entry->result.op = request->op;
	if (is_qp_op(request->op) || request->op == VRBQ_OP_DEREG_MR)
		entry->result.object = request->object;
	order_add(q, entry);
	return 0;
}

int vrbq_submit(struct vrbq *q, const struct vrbq_request *requests, int n)
{
	int i = 0, cancel, ret = vrbq_enter(q, &cancel);

	if (ret)
		return failed(ret);
	if (!requests || n < 1)
		ret = EINVAL;
	else if (q->dead)
		ret = EIO;
	for (; !ret && i < n; i++)
		ret = submit_one(q, &requests[i]);
	if (ret && i)
		i--;
	order_leave(q);
	vrbq_leave(q, cancel);
	return i ? i : failed(ret);
}

int vrbq_destroy_qp(struct vrbq *q, struct ibv_qp *qp, uint64_t wr_id)
{
	struct vrbq_request request;

	vrbq_prep_destroy_qp(&request, wr_id, qp);
	return vrbq_submit(q, &request, 1) == 1 ? 0 : -1;
}

/* Returns 0, or EALREADY if the request has started or is over. */
int submit_cancel(struct vrbq *q, struct entry *entry)
{
	switch (entry->state) {
	case STATE_QUEUED:
		TAILQ_REMOVE(&q->run, entry, list);
		q->nr_run--;
		/* fall through */
	case STATE_HELD:
		order_note_state(entry);
		order_over(q, entry, ECANCELED);
		return 0;
	case STATE_ISSUED:
		return kernel_cancel(q, entry);
	default:
		return EALREADY;
	}
}

int vrbq_cancel(struct vrbq *q, uint64_t wr_id)
{
	struct entry *entry;
	int cancel, ret = vrbq_enter(q, &cancel);
	bool over = false;

	if (ret)
		return failed(ret);
	TAILQ_FOREACH_REVERSE(entry, &q->outstanding, entries, all) {
		if (entry->request.wr_id != wr_id)
			continue;
		if (entry->state != STATE_OVER)
			break;
		over = true;
	}
	if (entry)
		ret = submit_cancel(q, entry);
	else
		ret = over ? EALREADY : ENOENT;
	order_leave(q);
	vrbq_leave(q, cancel);
	return ret ? failed(ret) : 0;
}
