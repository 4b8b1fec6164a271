// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The verbs for kernel clients: the table of verbs, which ib_core's operations submit as well, and
 * the constructors of shells.
 */
#include "cq.h"
#include "cq_resize.h"
#include "mad.h"
#include "mcast.h"
#include "mr.h"
#include "params.h"
#include "port.h"
#include "qp.h"
#include "srq.h"
#include "verbs.h"

/* Shells are not seen by the security modules of a kernel that controls InfiniBand. */
static int tavor_may_have_shells(void)
{
	if (IS_ENABLED(CONFIG_SECURITY_INFINIBAND) && !tavor_params.softirq_objects)
		return -EACCES;
	return 0;
}

static int tavor_shell_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr, gfp_t gfp)
{
	return tavor_may_have_shells() ?: tavor_init_cq(ibcq, attr, gfp);
}

static int tavor_shell_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr, gfp_t gfp)
{
	return tavor_may_have_shells() ?: tavor_init_qp(ibqp, attr, gfp);
}

static int tavor_shell_srq(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr, gfp_t gfp)
{
	return tavor_may_have_shells() ?: tavor_init_srq(ibsrq, attr, gfp);
}

static int tavor_shell_mr(struct ib_mr *ibmr, u32 max_pages, gfp_t gfp)
{
	return tavor_may_have_shells() ?: tavor_init_mr(ibmr, max_pages, gfp);
}

const struct vrb_verbs tavor_verbs = {
	.verb = {
		[VRB_OP_CREATE_CQ] = &tavor_verb_create_cq,
		[VRB_OP_CREATE_QP] = &tavor_verb_create_qp,
		[VRB_OP_CREATE_SRQ] = &tavor_verb_create_srq,
		[VRB_OP_CREATE_MR] = &tavor_verb_create_mr,
		[VRB_OP_RESIZE_CQ] = &tavor_verb_resize_cq,
		[VRB_OP_MODIFY_QP] = &tavor_verb_modify_qp,
		[VRB_OP_CONNECT_QP] = &tavor_verb_connect_qp,
		[VRB_OP_RESET_QP] = &tavor_verb_reset_qp,
		[VRB_OP_QUERY_QP] = &tavor_verb_query_qp,
		[VRB_OP_ATTACH_MCAST] = &tavor_verb_attach_mcast,
		[VRB_OP_DETACH_MCAST] = &tavor_verb_detach_mcast,
		[VRB_OP_MODIFY_SRQ] = &tavor_verb_modify_srq,
		[VRB_OP_QUERY_SRQ] = &tavor_verb_query_srq,
		[VRB_OP_REG_MR] = &tavor_verb_reg_mr,
		[VRB_OP_UNREG_MR] = &tavor_verb_unreg_mr,
		[VRB_OP_QUERY_PORT] = &tavor_verb_query_port,
		[VRB_OP_MODIFY_PORT] = &tavor_verb_modify_port,
		[VRB_OP_PROCESS_MAD] = &tavor_verb_process_mad,
	},
	.mr_size = sizeof(struct tavor_mr),
	.init_cq = tavor_shell_cq,
	.init_qp = tavor_shell_qp,
	.init_srq = tavor_shell_srq,
	.init_mr = tavor_shell_mr,
	.ring_cq = tavor_ring_cq,
	.cq_object = tavor_cq_object,
	.qp_object = tavor_qp_object,
	.srq_object = tavor_srq_object,
	.mr_object = tavor_mr_object,
	.qp_state = tavor_qp_state,
};
