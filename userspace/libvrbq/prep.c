// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Functions that fill requests, and the names of operations and backends.
 */
#include <string.h>
#include "vrbq_internal.h"

static void prep(struct vrbq_request *request, uint64_t wr_id, enum vrbq_op op, void *object)
{
	memset(request, 0, sizeof(*request));
	request->wr_id = wr_id;
	request->op = op;
	request->object = object;
}

void vrbq_prep_modify_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp,
			 const struct ibv_qp_attr *attr, int attr_mask)
{
	prep(request, wr_id, VRBQ_OP_MODIFY_QP, qp);
	request->modify.attr = *attr;
	request->modify.attr_mask = attr_mask;
}

void vrbq_prep_connect_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp,
			  const struct ibv_qp_attr *attr, int attr_mask)
{
	vrbq_prep_modify_qp(request, wr_id, qp, attr, attr_mask);
	request->op = VRBQ_OP_CONNECT_QP;
}

void vrbq_prep_reset_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp)
{
	prep(request, wr_id, VRBQ_OP_RESET_QP, qp);
}

void vrbq_prep_quiesce_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp)
{
	prep(request, wr_id, VRBQ_OP_QUIESCE_QP, qp);
}

void vrbq_prep_query_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp,
			struct ibv_qp_attr *attr, int attr_mask, struct ibv_qp_init_attr *init_attr)
{
	prep(request, wr_id, VRBQ_OP_QUERY_QP, qp);
	request->query.attr = attr;
	request->query.attr_mask = attr_mask;
	request->query.init_attr = init_attr;
}

void vrbq_prep_destroy_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp)
{
	prep(request, wr_id, VRBQ_OP_DESTROY_QP, qp);
}

void vrbq_prep_create_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_pd *pd,
			 struct ibv_qp_init_attr *init_attr)
{
	prep(request, wr_id, VRBQ_OP_CREATE_QP, pd);
	request->create_qp.init_attr = init_attr;
}

void vrbq_prep_create_cq(struct vrbq_request *request, uint64_t wr_id, int cqe, void *cq_context,
			 struct ibv_comp_channel *channel, int comp_vector)
{
	prep(request, wr_id, VRBQ_OP_CREATE_CQ, NULL);
	request->create_cq.cqe = cqe;
	request->create_cq.cq_context = cq_context;
	request->create_cq.channel = channel;
	request->create_cq.comp_vector = comp_vector;
}

void vrbq_prep_reg_mr(struct vrbq_request *request, uint64_t wr_id, struct ibv_pd *pd, void *addr,
		      size_t length, unsigned int access)
{
	prep(request, wr_id, VRBQ_OP_REG_MR, pd);
	request->reg_mr.addr = addr;
	request->reg_mr.length = length;
	request->reg_mr.access = access;
}

void vrbq_prep_dereg_mr(struct vrbq_request *request, uint64_t wr_id, struct ibv_mr *mr)
{
	prep(request, wr_id, VRBQ_OP_DEREG_MR, mr);
}

const char *vrbq_op_str(enum vrbq_op op)
{
	static const char *const names[] = {
		[VRBQ_OP_MODIFY_QP] = "modify_qp", [VRBQ_OP_CONNECT_QP] = "connect_qp",
		[VRBQ_OP_RESET_QP] = "reset_qp",   [VRBQ_OP_QUIESCE_QP] = "quiesce_qp",
		[VRBQ_OP_QUERY_QP] = "query_qp",   [VRBQ_OP_DESTROY_QP] = "destroy_qp",
		[VRBQ_OP_CREATE_QP] = "create_qp", [VRBQ_OP_CREATE_CQ] = "create_cq",
		[VRBQ_OP_REG_MR] = "reg_mr",	   [VRBQ_OP_DEREG_MR] = "dereg_mr",
	};

	return op >= VRBQ_OP_MODIFY_QP && op <= VRBQ_OP_DEREG_MR ? names[op] : "unknown";
}

const char *vrbq_backend_str(enum vrbq_backend backend)
{
	switch (backend) {
	case VRBQ_BACKEND_ANY:
		return "any";
	case VRBQ_BACKEND_THREADS:
		return "threads";
	case VRBQ_BACKEND_VERB_QUEUE:
		return "verb queue";
	}
	return "unknown";
}
