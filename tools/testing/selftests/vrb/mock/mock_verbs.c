// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The RDMA objects of a simulated device: a struct ib_device that supports ib_alloc_pd(),
 * ib_create_cq(), ib_create_qp(), ib_create_srq() and ib_alloc_mr() of ib_core, and the table of
 * typed verbs. ib_core's operations submit the same verbs. The device of a test is never
 * registered; mock_device.c registers one.
 *
 * A script determines what each command of a verb does: the object's script for that verb, or the
 * device's script for verbs of ports. A QP in RTS is connected to itself: a send completes at once,
 * and consumes a receive if there is one. This file owns mock_hw.lock, a raw lock that is taken
 * with interrupts off; no other lock is taken while it is held.
 */
#include <rdma/ib_mad.h>

#include "mock.h"

struct mock_device {
	struct ib_device ib;
	struct mock *mock;
};

/* Each of these begins with ib_core's structure and points to the hardware half. */
struct mock_pd { struct ib_pd ib; };
struct mock_cq { struct ib_cq ib; struct mock_hw *hw; };
struct mock_qp { struct ib_qp ib; struct mock_hw *hw; };
struct mock_srq { struct ib_srq ib; struct mock_hw *hw; };
struct mock_mr { struct ib_mr ib; struct mock_hw *hw; };

static struct mock_hw *to_hw(struct vrb_object *object)
{
	return container_of(object, struct mock_hw, base.object);
}

static struct mock *to_mock(const struct ib_device *ibdev)
{
	return container_of(ibdev, struct mock_device, ib)->mock;
}

/* ---- Hardware halves ---- */

struct mock_hw *mock_cq_hw(struct ib_cq *cq)
{
	return container_of(cq, struct mock_cq, ib)->hw;
}

struct mock_hw *mock_qp_hw(struct ib_qp *qp)
{
	return container_of(qp, struct mock_qp, ib)->hw;
}

struct mock_hw *mock_srq_hw(struct ib_srq *srq)
{
	return container_of(srq, struct mock_srq, ib)->hw;
}

struct mock_hw *mock_mr_hw(struct ib_mr *mr)
{
	return container_of(mr, struct mock_mr, ib)->hw;
}

static void hw_release(struct vrb_object *object)
{
	struct mock_hw *hw = to_hw(object);

	/* A reset of the device removes all objects from the hardware. */
	if (hw->created && hw->base.resets == READ_ONCE(hw->mock->quiesces))
		mock_violation(hw->mock, "released what the hardware knows");
	atomic_dec(&hw->mock->live);
}

static void hw_free(struct vrb_object *object)
{
	struct mock_hw *hw = to_hw(object);

	memset(hw, 0x5a, sizeof(*hw));
	kfree(hw);
}

static int mock_hw_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot);
static int destroy_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot);
static int destroy_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result);

static const struct vrb_step destroy_steps[] = {
	{ .name = "to software", .encode = destroy_encode, .done = destroy_done },
};

static const struct vrb_verb destroy_verb = {
	.name = "destroy",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(destroy_steps),
};

static int leave_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
		      const struct vrb_result *result);

static const struct vrb_step leave_steps[] = {
	{ .name = "reset", .encode = mock_encode, .done = leave_done },
};

static const struct vrb_verb leave_verb = {
	.name = "leave",
	.class = VRB_CLASS_TEARDOWN,
	.parting = true,
	VRB_STEPS(leave_steps),
};

static const struct vrb_object_type cq_type = { "CQ", hw_release, hw_free };
static const struct vrb_object_type qp_type = { "QP", hw_release, hw_free, &leave_verb };
static const struct vrb_object_type srq_type = { "SRQ", hw_release, hw_free };
static const struct vrb_object_type mr_type = { "MR", hw_release, hw_free };

/* The scripts of the verbs unless the test sets others. */
static void default_scripts(struct mock_script script[VRB_NR_OPS])
{
	unsigned int op;

	for (op = 0; op < VRB_NR_OPS; op++)
		script[op].nr_steps = op == VRB_OP_CONNECT_QP ? 3 : 1;
}

static struct mock_hw *hw_new(const struct ib_device *ibdev, const struct vrb_object_type *type,
			      void *of, gfp_t gfp)
{
	struct mock *mock = to_mock(ibdev);
	struct mock_hw *hw = mock->no_memory ? NULL : kzalloc(sizeof(*hw), gfp);

	if (!hw)
		return NULL;
	if (mock->in_new)
		mock->in_new(mock);
	raw_spin_lock_init(&hw->lock);
	hw->mock = mock;
	hw->of = of;
	hw->base.resets = READ_ONCE(mock->quiesces);
	hw->base.destroy.nr_steps = 1;
	default_scripts(hw->script);
	atomic_inc(&mock->live);
	vrb_object_init_shell(&hw->base.object, mock->dev, type, atomic_inc_return(&mock->numbers),
			      &destroy_verb);
	return hw;
}

static int init_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr, gfp_t gfp)
{
	struct mock_hw *hw;

	if (attr->flags)
		return -EOPNOTSUPP;
	if (!attr->cqe || attr->cqe > cq->device->attrs.max_cqe || attr->comp_vector)
		return -EINVAL;
	hw = hw_new(cq->device, &cq_type, cq, gfp);
	if (!hw)
		return -ENOMEM;
	cq->cqe = attr->cqe;
	container_of(cq, struct mock_cq, ib)->hw = hw;
	return 0;
}

static int add_parents(struct mock_hw *hw, struct ib_qp_init_attr *attr)
{
	struct vrb_object *object = &hw->base.object;
	int ret = vrb_object_add_parent(object, &mock_cq_hw(attr->send_cq)->base.object);

	ret = ret ?: vrb_object_add_parent(object, &mock_cq_hw(attr->recv_cq)->base.object);
	if (attr->srq)
		ret = ret ?: vrb_object_add_parent(object,
						   &mock_srq_hw(attr->srq)->base.object);
	return ret;
}

static int init_qp(struct ib_qp *qp, struct ib_qp_init_attr *attr, gfp_t gfp)
{
	struct mock_hw *hw;
	int ret;

	if (attr->cap.max_send_wr > MOCK_RING || attr->cap.max_recv_wr > MOCK_RING)
		return -EINVAL;
	hw = hw_new(qp->device, &qp_type, qp, gfp);
	if (!hw)
		return -ENOMEM;
	ret = add_parents(hw, attr);
	if (ret) {
		vrb_object_put(&hw->base.object);
		return ret;
	}
	attr->cap.max_send_sge = max(attr->cap.max_send_sge, 1U);
	qp->qp_num = hw->base.object.id;
	container_of(qp, struct mock_qp, ib)->hw = hw;
	return 0;
}

static int init_srq(struct ib_srq *srq, struct ib_srq_init_attr *attr, gfp_t gfp)
{
	struct mock_hw *hw;

	if (attr->srq_type != IB_SRQT_BASIC)
		return -EOPNOTSUPP;
	hw = hw_new(srq->device, &srq_type, srq, gfp);
	if (!hw)
		return -ENOMEM;
	container_of(srq, struct mock_srq, ib)->hw = hw;
	return 0;
}

static int init_mr(struct ib_mr *mr, u32 max_pages, gfp_t gfp)
{
	struct mock_hw *hw;

	if (max_pages > MOCK_MAX_PAGES)
		return -EINVAL;
	hw = hw_new(mr->device, &mr_type, mr, gfp);
	if (!hw)
		return -ENOMEM;
	hw->max_pages = max_pages;
	container_of(mr, struct mock_mr, ib)->hw = hw;
	return 0;
}

static struct vrb_object *cq_object(struct ib_cq *cq)
{
	return &mock_cq_hw(cq)->base.object;
}

static struct vrb_object *qp_object(struct ib_qp *qp)
{
	return &mock_qp_hw(qp)->base.object;
}

static struct vrb_object *srq_object(struct ib_srq *srq)
{
	return &mock_srq_hw(srq)->base.object;
}

static struct vrb_object *mr_object(struct ib_mr *mr)
{
	return &mock_mr_hw(mr)->base.object;
}

static enum ib_qp_state qp_state(const struct ib_qp *qp)
{
	return READ_ONCE(mock_qp_hw((struct ib_qp *)qp)->state);
}

/* ---- Verbs ---- */

/**
 * mock_typed_script - the script of a typed request
 * @mock: device
 * @vrb: request
 *
 * Context: Any.
 */
struct mock_script *mock_typed_script(struct mock *mock, const struct vrb *vrb)
{
	return vrb->object ? &to_hw(vrb->object)->script[vrb->op] : &mock->script[vrb->op];
}

static int check_modify(const struct vrb_modify_qp *req)
{
	const struct mock_hw *hw = mock_qp_hw(req->qp);
	enum ib_qp_state to = req->mask & IB_QP_STATE ? req->attr.qp_state : hw->state;

	return ib_modify_qp_is_ok(hw->state, to, req->qp->qp_type, req->mask) ? 0 : -EINVAL;
}

static bool access_ok_for_mr(int access)
{
	const int remote = IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_ATOMIC;

	if (access & ~(IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_READ | remote))
		return false;
	return access & IB_ACCESS_LOCAL_WRITE || !(access & remote);
}

/* The request must have exactly as many pages as the memory. */
static bool pages_ok(const struct mock_hw *hw, const struct vrb_reg_mr *req)
{
	u64 last = req->iova + req->length - 1;

	if (!req->pages || req->page_shift < 12 || req->page_shift > 31 ||
	    req->nr_pages > hw->max_pages)
		return false;
	return req->nr_pages == (last >> req->page_shift) - (req->iova >> req->page_shift) + 1;
}

static int check_reg(const struct vrb_reg_mr *req)
{
	const struct mock_hw *hw = mock_mr_hw(req->mr);

	if (hw->registered || !req->length || req->iova + req->length < req->iova)
		return -EINVAL;
	return access_ok_for_mr(req->access) && pages_ok(hw, req) ? 0 : -EINVAL;
}

/* Refuses invalid requests. */
static int check_request(const struct vrb *vrb)
{
	switch (vrb->op) {
	case VRB_OP_MODIFY_QP:
		return check_modify(container_of(vrb, struct vrb_modify_qp, vrb));
	case VRB_OP_REG_MR:
		return check_reg(container_of(vrb, struct vrb_reg_mr, vrb));
	case VRB_OP_UNREG_MR:
		return to_hw(vrb->object)->registered ? 0 : -EINVAL;
	case VRB_OP_DETACH_MCAST:
		return to_hw(vrb->object)->attached ? 0 : -EINVAL;
	default:
		return 0;
	}
}

/* The create must come before any other command on an object. */
static void check_known(const struct vrb *vrb)
{
	if (vrb->object && !vrb->verb->creates && !to_hw(vrb->object)->created)
		mock_violation(to_hw(vrb->object)->mock, "a command before the create");
}

static int mock_hw_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	check_known(vrb);
	return check_request(vrb) ?: mock_encode(dev, vrb, slot);
}

static void registered(struct vrb_reg_mr *req)
{
	struct mock_hw *hw = mock_mr_hw(req->mr);

	hw->registered = true;
	req->mr->lkey = hw->base.object.id | hw->generation << 16;
	req->mr->rkey = req->mr->lkey;
	req->mr->iova = req->iova;
	req->mr->length = req->length;
}

static void unregistered(struct mock_hw *hw)
{
	hw->registered = false;
	hw->generation++;
}

/* Notes that the QP is in a group. The result may be late, and after a reset the QP is in none. */
static void attached(struct mock_hw *hw)
{
	struct mock *mock = hw->mock;
	unsigned long flags;
	bool first;

	raw_spin_lock_irqsave(&mock->lock, flags);
	first = !hw->attached && hw->base.resets == mock->quiesces;
	if (first) {
		hw->attached = true;
		list_add(&hw->attached_entry, &mock->attached);
	}
	raw_spin_unlock_irqrestore(&mock->lock, flags);
	if (first)
		vrb_object_hold(&hw->base.object);
}

/* Takes this QP out of its group, or the first QP that is in one if @hw is NULL. */
static bool take_out(struct mock *mock, struct mock_hw *hw)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&mock->lock, flags);
	hw = hw ?: list_first_entry_or_null(&mock->attached, struct mock_hw, attached_entry);
	if (hw && !hw->attached)
		hw = NULL;
	if (hw) {
		hw->attached = false;
		list_del(&hw->attached_entry);
	}
	raw_spin_unlock_irqrestore(&mock->lock, flags);
	if (hw)
		vrb_object_unhold(&hw->base.object);
	return hw;
}

/**
 * mock_forget_groups - after a stop of the hardware no QP is in a group, and none can be detached
 * @mock: device
 *
 * Context: Softirq.
 */
void mock_forget_groups(struct mock *mock)
{
	while (take_out(mock, NULL))
		;
}

static void describe_port(struct ib_port_attr *attr)
{
	attr->state = IB_PORT_ACTIVE;
	attr->phys_state = IB_PORT_PHYS_STATE_LINK_UP;
	attr->max_mtu = IB_MTU_4096;
	attr->active_mtu = IB_MTU_1024;
	attr->active_width = IB_WIDTH_4X;
	attr->active_speed = IB_SPEED_SDR;
	attr->max_msg_sz = SZ_1G;
	attr->gid_tbl_len = 1;
	attr->pkey_tbl_len = 1;
	attr->lid = 1;
	attr->sm_lid = 1;
}

static void answered(struct vrb_process_mad *req)
{
	if (req->in != req->out)
		memcpy(req->out, req->in, sizeof(*req->out));
	req->result = IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_REPLY;
}

static void reset_qp(struct mock_hw *hw)
{
	hw->received = 0;
	WRITE_ONCE(hw->state, IB_QPS_RESET);
}

static void modified(const struct vrb_modify_qp *req)
{
	struct mock_hw *hw = mock_qp_hw(req->qp);

	if (req->mask & IB_QP_STATE)
		WRITE_ONCE(hw->state, req->attr.qp_state);
}

/* Applies the effect of a verb of one command that has succeeded. */
static void take_effect(struct vrb *vrb)
{
	switch (vrb->op) {
	case VRB_OP_CREATE_CQ:
	case VRB_OP_CREATE_QP:
	case VRB_OP_CREATE_SRQ:
	case VRB_OP_CREATE_MR:
		to_hw(vrb->object)->created = true;
		break;
	case VRB_OP_RESIZE_CQ:
		container_of(vrb, struct vrb_resize_cq, vrb)->cq->cqe =
			container_of(vrb, struct vrb_resize_cq, vrb)->cqe;
		break;
	case VRB_OP_MODIFY_QP:
		modified(container_of(vrb, struct vrb_modify_qp, vrb));
		break;
	case VRB_OP_RESET_QP:
		reset_qp(to_hw(vrb->object));
		break;
	case VRB_OP_QUERY_QP:
		container_of(vrb, struct vrb_query_qp, vrb)->attr.qp_state =
			to_hw(vrb->object)->state;
		break;
	case VRB_OP_ATTACH_MCAST:
		attached(to_hw(vrb->object));
		break;
	case VRB_OP_DETACH_MCAST:
		take_out(to_hw(vrb->object)->mock, to_hw(vrb->object));
		break;
	case VRB_OP_MODIFY_SRQ:
		to_hw(vrb->object)->limit =
			container_of(vrb, struct vrb_modify_srq, vrb)->attr.srq_limit;
		break;
	case VRB_OP_QUERY_SRQ:
		container_of(vrb, struct vrb_query_srq, vrb)->attr.srq_limit =
			to_hw(vrb->object)->limit;
		break;
	case VRB_OP_REG_MR:
		registered(container_of(vrb, struct vrb_reg_mr, vrb));
		break;
	case VRB_OP_UNREG_MR:
		unregistered(to_hw(vrb->object));
		break;
	case VRB_OP_QUERY_PORT:
		describe_port(&container_of(vrb, struct vrb_query_port, vrb)->attr);
		break;
	case VRB_OP_PROCESS_MAD:
		answered(container_of(vrb, struct vrb_process_mad, vrb));
		break;
	}
}

static int mock_hw_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	int verdict = mock_done(dev, vrb, slot, result);

	if (verdict == VRB_END && !vrb->undoing)
		take_effect(vrb);
	return verdict;
}

/* The command of a create that had been given up succeeds after all. */
static void create_late(struct vrb_device *dev, struct vrb_object *object,
			const struct vrb_result *result)
{
	to_hw(object)->created = !result->status;
}

static int destroy_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return to_hw(vrb->object)->created ? mock_encode(dev, vrb, slot) : VRB_END;
}

static int destroy_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	if (!result->status)
		to_hw(vrb->object)->created = false;
	return mock_done(dev, vrb, slot, result);
}

static int leave_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
		      const struct vrb_result *result)
{
	if (!result->status)
		reset_qp(to_hw(vrb->object));
	return mock_done(dev, vrb, slot, result);
}

static const enum ib_qp_state connect_states[] = { IB_QPS_INIT, IB_QPS_RTR, IB_QPS_RTS };

/* There is one row per transition; a row is skipped if the QP is already beyond it. */
static int connect_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct vrb_connect_qp *req = container_of(vrb, struct vrb_connect_qp, vrb);
	struct mock_hw *hw = to_hw(vrb->object);

	check_known(vrb);
	if (req->to != IB_QPS_RTR && req->to != IB_QPS_RTS)
		return -EINVAL;
	if (hw->state > IB_QPS_RTR)
		return hw->state == IB_QPS_RTS && vrb->step == 2 ? VRB_END : -EINVAL;
	if (connect_states[vrb->step] > req->to)
		return VRB_END;
	if (hw->state >= connect_states[vrb->step])
		return VRB_NEXT;
	if (!vrb->step && !vrb_object_is_shell(vrb->object))
		return -EACCES;
	return mock_encode(dev, vrb, slot);
}

static int connect_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	int verdict = mock_done(dev, vrb, slot, result);

	if (verdict >= 0)
		WRITE_ONCE(to_hw(vrb->object)->state, connect_states[vrb->step]);
	return verdict;
}

#define HW_ROW(step) {									\
	.name = "step" #step, .encode = mock_hw_encode, .done = mock_hw_done,		\
	.undo = mock_undo, .undone = mock_done,						\
}

static const struct vrb_step hw_steps[MOCK_STEPS] = {
	HW_ROW(0), HW_ROW(1), HW_ROW(2), HW_ROW(3),
};

#define CREATE_ROW(step) {								\
	.name = "step" #step, .encode = mock_hw_encode, .done = mock_hw_done,		\
	.undo = mock_undo, .undone = mock_done, .late = create_late,			\
}

static const struct vrb_step create_steps[MOCK_STEPS] = {
	CREATE_ROW(0), CREATE_ROW(1), CREATE_ROW(2), CREATE_ROW(3),
};

static const struct vrb_step connect_steps[] = {
	{ .name = "to INIT", .encode = connect_encode, .done = connect_done },
	{ .name = "to RTR", .encode = connect_encode, .done = connect_done },
	{ .name = "to RTS", .encode = connect_encode, .done = connect_done },
};

static const struct vrb_verb create_verb = {
	.name = "create",
	.class = VRB_CLASS_NORMAL,
	.creates = true,
	VRB_STEPS(create_steps),
};

static const struct vrb_verb change_verb = {
	.name = "change",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(hw_steps),
};

static const struct vrb_verb query_verb = {
	.name = "query",
	.class = VRB_CLASS_BACKGROUND,
	VRB_STEPS(hw_steps),
};

static const struct vrb_verb end_verb = {
	.name = "take back",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(hw_steps),
};

static const struct vrb_verb detach_verb = {
	.name = "detach",
	.class = VRB_CLASS_TEARDOWN,
	.parting = true,
	VRB_STEPS(hw_steps),
};

static const struct vrb_verb connect_verb = {
	.name = "connect",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(connect_steps),
};

/* Every verb except one, so that there is a verb that the provider lacks. */
static const struct vrb_verbs mock_verbs = {
	.verb = {
		[VRB_OP_CREATE_CQ] = &create_verb,
		[VRB_OP_CREATE_QP] = &create_verb,
		[VRB_OP_CREATE_SRQ] = &create_verb,
		[VRB_OP_CREATE_MR] = &create_verb,
		[VRB_OP_RESIZE_CQ] = &change_verb,
		[VRB_OP_MODIFY_QP] = &change_verb,
		[VRB_OP_CONNECT_QP] = &connect_verb,
		[VRB_OP_RESET_QP] = &end_verb,
		[VRB_OP_QUERY_QP] = &query_verb,
		[VRB_OP_ATTACH_MCAST] = &change_verb,
		[VRB_OP_DETACH_MCAST] = &detach_verb,
		[VRB_OP_MODIFY_SRQ] = &change_verb,
		[VRB_OP_QUERY_SRQ] = &query_verb,
		[VRB_OP_REG_MR] = &change_verb,
		[VRB_OP_UNREG_MR] = &end_verb,
		[VRB_OP_QUERY_PORT] = &query_verb,
		[VRB_OP_PROCESS_MAD] = &change_verb,
	},
	.mr_size = sizeof(struct mock_mr),
	.init_cq = init_cq,
	.init_qp = init_qp,
	.init_srq = init_srq,
	.init_mr = init_mr,
	.cq_object = cq_object,
	.qp_object = qp_object,
	.srq_object = srq_object,
	.mr_object = mr_object,
	.qp_state = qp_state,
};

/* ---- Posting and polling ---- */

static void complete_on(struct ib_cq *cq, struct ib_qp *qp, u64 wr_id, enum ib_wc_opcode opcode)
{
	struct mock_hw *hw = mock_cq_hw(cq);
	unsigned long flags;

	raw_spin_lock_irqsave(&hw->lock, flags);
	hw->wc[hw->head++ % MOCK_RING] = (struct ib_wc){
		.wr_id = wr_id,
		.qp = qp,
		.opcode = opcode,
	};
	raw_spin_unlock_irqrestore(&hw->lock, flags);
	mock_cq_event(cq);
}

/**
 * mock_cq_event - raise the event of a CQ, if it is armed
 * @cq: CQ
 *
 * Context: Process or softirq; a handler is called in softirq or with BH disabled.
 */
void mock_cq_event(struct ib_cq *cq)
{
	struct mock_hw *hw = mock_cq_hw(cq);
	unsigned long flags;
	bool armed;

	raw_spin_lock_irqsave(&hw->lock, flags);
	armed = hw->armed;
	hw->armed = false;
	raw_spin_unlock_irqrestore(&hw->lock, flags);
	if (!armed)
		return;
	local_bh_disable();
	vrb_object_event(&hw->base.object);
	if (cq->comp_handler)
		cq->comp_handler(cq, cq->cq_context);
	local_bh_enable();
}

static int mock_post_send(struct ib_qp *qp, const struct ib_send_wr *wr,
			  const struct ib_send_wr **bad_wr)
{
	struct mock_hw *hw = mock_qp_hw(qp);

	for (; wr; wr = wr->next) {
		*bad_wr = wr;
		if (!hw->created || READ_ONCE(hw->state) != IB_QPS_RTS)
			return -EINVAL;
		complete_on(qp->send_cq, qp, wr->wr_id, IB_WC_SEND);
		if (hw->received != hw->posted)
			complete_on(qp->recv_cq, qp, hw->receive[hw->received++ % MOCK_RING],
				    IB_WC_RECV);
	}
	return 0;
}

static int post_receives(struct mock_hw *hw, const struct ib_recv_wr *wr,
			 const struct ib_recv_wr **bad_wr)
{
	for (; wr; wr = wr->next) {
		*bad_wr = wr;
		if (!hw->created)
			return -EINVAL;
		if (hw->posted - hw->received == MOCK_RING)
			return -ENOMEM;
		hw->receive[hw->posted++ % MOCK_RING] = wr->wr_id;
	}
	return 0;
}

static int mock_post_recv(struct ib_qp *qp, const struct ib_recv_wr *wr,
			  const struct ib_recv_wr **bad_wr)
{
	struct mock_hw *hw = mock_qp_hw(qp);

	if (READ_ONCE(hw->state) == IB_QPS_RESET) {
		*bad_wr = wr;
		return -EINVAL;
	}
	return post_receives(hw, wr, bad_wr);
}

static int mock_post_srq_recv(struct ib_srq *srq, const struct ib_recv_wr *wr,
			      const struct ib_recv_wr **bad_wr)
{
	return post_receives(mock_srq_hw(srq), wr, bad_wr);
}

static int mock_poll_cq(struct ib_cq *cq, int entries, struct ib_wc *wc)
{
	struct mock_hw *hw = mock_cq_hw(cq);
	unsigned long flags;
	int n;

	raw_spin_lock_irqsave(&hw->lock, flags);
	for (n = 0; n < entries && hw->tail != hw->head; n++)
		wc[n] = hw->wc[hw->tail++ % MOCK_RING];
	raw_spin_unlock_irqrestore(&hw->lock, flags);
	return n;
}

static int mock_req_notify_cq(struct ib_cq *cq, enum ib_cq_notify_flags flags)
{
	struct mock_hw *hw = mock_cq_hw(cq);
	unsigned long irq;
	bool missed;

	if (!hw->created || hw->arm_error)
		return hw->arm_error ?: -EINVAL;
	raw_spin_lock_irqsave(&hw->lock, irq);
	missed = flags & IB_CQ_REPORT_MISSED_EVENTS && hw->tail != hw->head;
	hw->armed = !missed;
	hw->arm_flags = flags;
	hw->arms++;
	raw_spin_unlock_irqrestore(&hw->lock, irq);
	return missed;
}

/* ---- ib_core's operations ---- */

static int mock_alloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int mock_dealloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int create_wait(struct ib_device *ibdev, struct vrb *create, struct vrb_object *object)
{
	struct vrb_client *client = vrb_device_client(to_mock(ibdev)->dev);
	int ret = vrb_submit_wait(client, create);

	if (ret)
		vrb_destroy_wait(client, object);
	return ret;
}

static int destroy_wait(struct mock_hw *hw, const char *what)
{
	struct vrb_object *object = &hw->base.object;

	if (vrb_object_is_shell(object))
		vrb_object_warn_shell(object, what);
	return vrb_destroy_wait(vrb_device_client(hw->mock->dev), object);
}

static int mock_create_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
			  struct uverbs_attr_bundle *attrs)
{
	struct vrb_create_cq create;
	int ret = init_cq(cq, attr, GFP_KERNEL);

	if (ret)
		return ret;
	vrb_prep_create_cq(&create, cq);
	return create_wait(cq->device, &create.vrb, cq_object(cq));
}

static int mock_destroy_cq(struct ib_cq *cq, struct ib_udata *udata)
{
	return destroy_wait(mock_cq_hw(cq), "ib_destroy_cq");
}

static bool has_shells(const struct ib_qp_init_attr *attr)
{
	return vrb_object_is_shell(cq_object(attr->send_cq)) ||
	       vrb_object_is_shell(cq_object(attr->recv_cq)) ||
	       (attr->srq && vrb_object_is_shell(srq_object(attr->srq)));
}

/* ib_core accesses the parents after the destroy of the QP, so shells are refused. */
static int mock_create_qp(struct ib_qp *qp, struct ib_qp_init_attr *attr, struct ib_udata *udata)
{
	struct vrb_create_qp create;
	int ret = has_shells(attr) ? -EINVAL : init_qp(qp, attr, GFP_KERNEL);

	if (ret)
		return ret;
	vrb_prep_create_qp(&create, qp);
	return create_wait(qp->device, &create.vrb, qp_object(qp));
}

static int mock_destroy_qp(struct ib_qp *qp, struct ib_udata *udata)
{
	return destroy_wait(mock_qp_hw(qp), "ib_destroy_qp");
}

static int mock_create_srq(struct ib_srq *srq, struct ib_srq_init_attr *attr,
			   struct ib_udata *udata)
{
	struct vrb_create_srq create;
	int ret = init_srq(srq, attr, GFP_KERNEL);

	if (ret)
		return ret;
	vrb_prep_create_srq(&create, srq);
	return create_wait(srq->device, &create.vrb, srq_object(srq));
}

static int mock_destroy_srq(struct ib_srq *srq, struct ib_udata *udata)
{
	return destroy_wait(mock_srq_hw(srq), "ib_destroy_srq");
}

static int mock_modify_qp(struct ib_qp *qp, struct ib_qp_attr *attr, int mask,
			  struct ib_udata *udata)
{
	struct vrb_modify_qp modify;

	vrb_prep_modify_qp(&modify, qp);
	modify.attr = *attr;
	modify.mask = mask;
	return vrb_submit_wait(vrb_device_client(mock_qp_hw(qp)->mock->dev), &modify.vrb);
}

static struct ib_mr *mock_alloc_mr(struct ib_pd *pd, enum ib_mr_type type, u32 max_num_sg)
{
	struct mock_mr *mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	struct vrb_create_mr create;
	int ret;

	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->ib.device = pd->device;
	ret = init_mr(&mr->ib, max_num_sg, GFP_KERNEL);
	if (!ret) {
		vrb_prep_create_mr(&create, &mr->ib);
		ret = create_wait(pd->device, &create.vrb, mr_object(&mr->ib));
	}
	if (!ret)
		return &mr->ib;
	kfree(mr);
	return ERR_PTR(ret);
}

/* The driver frees the memory of a region, also of a shell. */
static int mock_dereg_mr(struct ib_mr *mr, struct ib_udata *udata)
{
	int ret = destroy_wait(mock_mr_hw(mr), "ib_dereg_mr");

	if (!ret)
		kfree(container_of(mr, struct mock_mr, ib));
	return ret;
}

/* There are no processes here, but most clients of ib_core ignore a device without these. */
static struct ib_mr *mock_get_dma_mr(struct ib_pd *pd, int access)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static struct ib_mr *mock_reg_user_mr(struct ib_pd *pd, u64 start, u64 length, u64 iova, int access,
				      VRB_DMAH_PARAM struct ib_udata *udata)
{
	return ERR_PTR(-EOPNOTSUPP);
}

/* ---- The device and its port ---- */

static int mock_query_device(struct ib_device *ibdev, struct ib_device_attr *attr,
			     struct ib_udata *udata)
{
	attr->kernel_cap_flags = IBK_LOCAL_DMA_LKEY;
	attr->max_cqe = 4096;
	attr->max_sge_rd = 4;
	return 0;
}

static int mock_query_port(struct ib_device *ibdev, u32 port, struct ib_port_attr *attr)
{
	describe_port(attr);
	return 0;
}

static int mock_query_gid(struct ib_device *ibdev, u32 port, int index, union ib_gid *gid)
{
	gid->global.subnet_prefix = cpu_to_be64(0xfe80ULL << 48);
	gid->global.interface_id = ibdev->node_guid;
	return 0;
}

static int mock_query_pkey(struct ib_device *ibdev, u32 port, u16 index, u16 *pkey)
{
	*pkey = 0xffff;
	return 0;
}

/* An InfiniBand port without the features that ib_core's own agents need. */
static int mock_port_immutable(struct ib_device *ibdev, u32 port,
			       struct ib_port_immutable *immutable)
{
	immutable->core_cap_flags = RDMA_CORE_CAP_PROT_IB;
	immutable->gid_tbl_len = 1;
	immutable->pkey_tbl_len = 1;
	return 0;
}

static const struct ib_device_ops device_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_UNKNOWN,
	.alloc_mr = mock_alloc_mr,
	.alloc_pd = mock_alloc_pd,
	.create_cq = mock_create_cq,
	.create_qp = mock_create_qp,
	.create_srq = mock_create_srq,
	.dealloc_pd = mock_dealloc_pd,
	.dereg_mr = mock_dereg_mr,
	.destroy_cq = mock_destroy_cq,
	.destroy_qp = mock_destroy_qp,
	.destroy_srq = mock_destroy_srq,
	.get_dma_mr = mock_get_dma_mr,
	.get_port_immutable = mock_port_immutable,
	.modify_qp = mock_modify_qp,
	.poll_cq = mock_poll_cq,
	.post_recv = mock_post_recv,
	.post_send = mock_post_send,
	.post_srq_recv = mock_post_srq_recv,
	.query_device = mock_query_device,
	.query_gid = mock_query_gid,
	.query_pkey = mock_query_pkey,
	.query_port = mock_query_port,
	.reg_user_mr = mock_reg_user_mr,
	.req_notify_cq = mock_req_notify_cq,

	INIT_RDMA_OBJ_SIZE(ib_cq, mock_cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_pd, mock_pd, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, mock_qp, ib),
	INIT_RDMA_OBJ_SIZE(ib_srq, mock_srq, ib),
};

/**
 * mock_verbs_attach - give a device an ib_device with all verbs
 * @mock: device; its ib_device is not registered
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int mock_verbs_attach(struct mock *mock)
{
	struct mock_device *device = ib_alloc_device(mock_device, ib);

	if (!device)
		return -ENOMEM;
	device->mock = mock;
	mock->ibdev = &device->ib;
	ib_set_device_ops(&device->ib, &device_ops);
	strscpy(device->ib.name, "mock", sizeof(device->ib.name));
	device->ib.num_comp_vectors = 1;
	mock_query_device(&device->ib, &device->ib.attrs, NULL);
	default_scripts(mock->script);
	return vrb_device_attach(mock->dev, &device->ib, &mock_verbs);
}

/**
 * mock_verbs_detach - undo mock_verbs_attach()
 * @mock: device, whose engine has been destroyed
 *
 * Context: Process.
 */
void mock_verbs_detach(struct mock *mock)
{
	if (mock->ibdev)
		ib_dealloc_device(mock->ibdev);
}

/**
 * mock_verbs_register - register a device, so that ib_core adds it to its clients
 * @mock: device after mock_verbs_attach(); it has one port
 *
 * Context: Process.
 * Return: 0 or an errno of ib_register_device().
 */
int mock_verbs_register(struct mock *mock)
{
	mock->ibdev->node_type = RDMA_NODE_IB_CA;
	mock->ibdev->node_guid = cpu_to_be64(1);
	mock->ibdev->phys_port_cnt = 1;
	return ib_register_device(mock->ibdev, "mock%d", NULL);
}
