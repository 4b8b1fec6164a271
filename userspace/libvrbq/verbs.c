// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Executes one request through libibverbs, in a thread.
 */
#include <string.h>
#include "vrbq_internal.h"

#define RC_UC_INIT (IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS)
#define UC_RTR (IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN)
#define RC_RTR (UC_RTR | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)
#define RC_RTS                                                                  \
	(IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | \
	 IBV_QP_MAX_QP_RD_ATOMIC)

static const enum ibv_qp_state connect_states[] = { IBV_QPS_INIT, IBV_QPS_RTR, IBV_QPS_RTS };

/* Some providers return -1 and set errno, or return -1 alone. */
static int error_of(int ret)
{
	if (ret > 0)
		return ret;
	if (ret < -1)
		return -ret;
	return ret ? errno ?: EINVAL : 0;
}

static int pointer_error(const void *pointer)
{
	return pointer ? 0 : errno ?: EINVAL;
}

static int modify(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	errno = 0;
	return error_of(ibv_modify_qp(qp, attr, mask));
}

/*
 * The attributes that each of the three transitions needs, besides the state; NULL if the type of
 * QP cannot be connected
 */
static const int *connect_masks(const struct ibv_qp *qp)
{
	static const int rc[] = { RC_UC_INIT, RC_RTR, RC_RTS };
	static const int uc[] = { RC_UC_INIT, UC_RTR, IBV_QP_SQ_PSN };
	static const int ud[] = { IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY, 0, IBV_QP_SQ_PSN };

	switch (qp->qp_type) {
	case IBV_QPT_RC:
		return rc;
	case IBV_QPT_UC:
		return uc;
	case IBV_QPT_UD:
		return ud;
	default:
		return NULL;
	}
}

/*
 * Makes the checks of the driver's verb queue: for each transition @mask must have all attributes
 * or none. A transition without attributes fails when it is executed.
 */
static int connect_check(const struct ibv_qp *qp, const struct ibv_qp_attr *attr, int mask)
{
	const int *masks = connect_masks(qp);
	const int given = mask & ~IBV_QP_STATE;
	int all = 0, step;

	if (!masks || !(mask & IBV_QP_STATE) || qp->state > IBV_QPS_RTR ||
	    (attr->qp_state != IBV_QPS_RTR && attr->qp_state != IBV_QPS_RTS))
		return EINVAL;
	for (step = 0; step < 3 && connect_states[step] <= attr->qp_state; step++) {
		all |= masks[step];
		if ((given & masks[step]) && (given & masks[step]) != masks[step])
			return EINVAL;
	}
	return given & ~all ? EINVAL : 0;
}

/* Executes the transitions one after the other, from the QP's current state. */
static int connect_qp(struct entry *entry)
{
	struct ibv_qp_attr attr = entry->request.modify.attr;
	const enum ibv_qp_state want = attr.qp_state;
	const int mask = entry->request.modify.attr_mask;
	struct ibv_qp *qp = entry->request.qp;
	int ret = connect_check(qp, &attr, mask);
	uint32_t step;

	for (step = 0; !ret && step < 3 && connect_states[step] <= want; step++) {
		if (connect_states[step] <= qp->state)
			continue;
		attr.qp_state = connect_states[step];
		ret = modify(qp, &attr, IBV_QP_STATE | (mask & connect_masks(qp)[step]));
		if (ret)
			entry->result.step = step;
	}
	return ret;
}

/* Moves the QP to RESET. The provider also removes the QP's completions from its CQs. */
int verbs_reset(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };

	return modify(qp, &attr, IBV_QP_STATE);
}

static int query(const struct vrbq_request *request)
{
	struct ibv_qp_init_attr unused;

	errno = 0;
	return error_of(ibv_query_qp(request->qp, request->query.attr, request->query.attr_mask,
				     request->query.init_attr ?: &unused));
}

int verbs_destroy_qp(struct ibv_qp *qp)
{
	errno = 0;
	return error_of(ibv_destroy_qp(qp));
}

static int dereg_mr(struct ibv_mr *mr)
{
	errno = 0;
	return error_of(ibv_dereg_mr(mr));
}

static int create_qp(struct entry *entry)
{
	const struct vrbq_request *request = &entry->request;

	errno = 0;
	entry->result.qp = ibv_create_qp(request->pd, request->create_qp.init_attr);
	return pointer_error(entry->result.qp);
}

static int create_cq(struct ibv_context *context, struct entry *entry)
{
	const struct vrbq_request *request = &entry->request;

	errno = 0;
	entry->result.cq =
		ibv_create_cq(context, request->create_cq.cqe, request->create_cq.cq_context,
			      request->create_cq.channel, request->create_cq.comp_vector);
	return pointer_error(entry->result.cq);
}

static int reg_mr(struct entry *entry)
{
	const struct vrbq_request *request = &entry->request;

	errno = 0;
	entry->result.mr = ibv_reg_mr(request->pd, request->reg_mr.addr, request->reg_mr.length,
				      request->reg_mr.access);
	return pointer_error(entry->result.mr);
}

static int execute(struct ibv_context *context, struct entry *entry)
{
	struct vrbq_request *request = &entry->request;

	switch (request->op) {
	case VRBQ_OP_MODIFY_QP:
		return modify(request->qp, &request->modify.attr, request->modify.attr_mask);
	case VRBQ_OP_CONNECT_QP:
		return connect_qp(entry);
	case VRBQ_OP_RESET_QP:
	case VRBQ_OP_QUIESCE_QP:
		return verbs_reset(request->qp);
	case VRBQ_OP_QUERY_QP:
		return query(request);
	case VRBQ_OP_DESTROY_QP:
		return verbs_destroy_qp(request->qp);
	case VRBQ_OP_CREATE_QP:
		return create_qp(entry);
	case VRBQ_OP_CREATE_CQ:
		return create_cq(context, entry);
	case VRBQ_OP_REG_MR:
		return reg_mr(entry);
	case VRBQ_OP_DEREG_MR:
		return dereg_mr(request->mr);
	}
	return EINVAL;
}

void verbs_execute(struct ibv_context *context, struct entry *entry)
{
	entry->result.status = execute(context, entry);
}

/* Destroys an object that was created and whose completion the program has not reaped. */
void verbs_undo(struct entry *entry)
{
	if (entry->result.status)
		return;
	switch (entry->request.op) {
	case VRBQ_OP_CREATE_QP:
		ibv_destroy_qp(entry->result.qp);
		break;
	case VRBQ_OP_CREATE_CQ:
		ibv_destroy_cq(entry->result.cq);
		break;
	case VRBQ_OP_REG_MR:
		ibv_dereg_mr(entry->result.mr);
		break;
	}
}
