// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Typed requests: finds the provider's verb and the hardware object of a request, and checks
 * whether the client may submit it.
 */
#include <linux/export.h>

#include "vrb_internal.h"

/* Attributes that ib_core's security checks */
#define VRB_SECURED	(IB_QP_PORT | IB_QP_PKEY_INDEX | IB_QP_ALT_PATH)

static const u8 vrb_kinds[VRB_NR_OPS] = {
	[VRB_OP_CREATE_CQ] = VRB_KIND_CQ,
	[VRB_OP_CREATE_QP] = VRB_KIND_QP,
	[VRB_OP_CREATE_SRQ] = VRB_KIND_SRQ,
	[VRB_OP_CREATE_MR] = VRB_KIND_MR,
	[VRB_OP_RESIZE_CQ] = VRB_KIND_CQ,
	[VRB_OP_MODIFY_QP] = VRB_KIND_QP,
	[VRB_OP_CONNECT_QP] = VRB_KIND_QP,
	[VRB_OP_RESET_QP] = VRB_KIND_QP,
	[VRB_OP_QUERY_QP] = VRB_KIND_QP,
	[VRB_OP_ATTACH_MCAST] = VRB_KIND_QP,
	[VRB_OP_DETACH_MCAST] = VRB_KIND_QP,
	[VRB_OP_MODIFY_SRQ] = VRB_KIND_SRQ,
	[VRB_OP_QUERY_SRQ] = VRB_KIND_SRQ,
	[VRB_OP_REG_MR] = VRB_KIND_MR,
	[VRB_OP_UNREG_MR] = VRB_KIND_MR,
	[VRB_OP_QUERY_PORT] = VRB_KIND_DEVICE,
	[VRB_OP_MODIFY_PORT] = VRB_KIND_DEVICE,
	[VRB_OP_PROCESS_MAD] = VRB_KIND_DEVICE,
	[VRB_OP_AWAIT_CQ] = VRB_KIND_CQ,
	[VRB_OP_AWAIT_EVENT] = VRB_KIND_DEVICE,
};

/* All typed requests on an object have it in the same place. */
static_assert(offsetof(struct vrb_create_cq, cq) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_create_qp, qp) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_create_srq, srq) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_create_mr, mr) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_resize_cq, cq) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_modify_qp, qp) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_connect_qp, qp) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_reset_qp, qp) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_query_qp, qp) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_mcast, qp) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_modify_srq, srq) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_query_srq, srq) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_reg_mr, mr) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_unreg_mr, mr) == offsetof(struct vrb_typed, object));
static_assert(offsetof(struct vrb_await_cq, cq) == offsetof(struct vrb_typed, object));

/* Verbs that the engine implements itself: see vrb_await.c. */
static const struct vrb_verb vrb_await_cq_verb = { .name = "AWAIT_CQ", .class = VRB_CLASS_EVENT };
static const struct vrb_verb vrb_await_event_verb = {
	.name = "AWAIT_EVENT",
	.class = VRB_CLASS_EVENT,
};

static const struct vrb_verb *vrb_find_verb(const struct vrb_device *dev, u8 op)
{
	if (!dev->verbs || op >= VRB_NR_OPS)
		return NULL;
	if (op == VRB_OP_AWAIT_CQ)
		return &vrb_await_cq_verb;
	return op == VRB_OP_AWAIT_EVENT ? &vrb_await_event_verb : dev->verbs->verb[op];
}

/**
 * vrb_find_object - find the hardware half of a struct ib_qp, ib_cq, ib_srq or ib_mr
 * @dev: device
 * @kind: which of these
 * @of: the structure, or NULL
 *
 * Context: Any.
 * Return: the object, or NULL if @of is NULL or of another device.
 */
struct vrb_object *vrb_find_object(const struct vrb_device *dev, enum vrb_kind kind, void *of)
{
	const struct vrb_verbs *verbs = dev->verbs;
	/* The first member of each of these structures. */
	struct ib_device *ibdev = of ? *(struct ib_device **)of : NULL;

	if (!verbs || !ibdev || ibdev != dev->ibdev)
		return NULL;
	switch (kind) {
	case VRB_KIND_CQ:
		return verbs->cq_object(of);
	case VRB_KIND_QP:
		return verbs->qp_object(of);
	case VRB_KIND_SRQ:
		return verbs->srq_object(of);
	default:
		return verbs->mr_object(of);
	}
}

static_assert(!offsetof(struct ib_cq, device) && !offsetof(struct ib_qp, device) &&
	      !offsetof(struct ib_srq, device) && !offsetof(struct ib_mr, device));

/* The attributes of ib_core's objects that a client must not set. */
static bool vrb_is_secured(const struct vrb *vrb)
{
	const struct vrb_modify_qp *req = container_of(vrb, struct vrb_modify_qp, vrb);

	return vrb->op == VRB_OP_MODIFY_QP && req->mask & VRB_SECURED;
}

/*
 * A shell may be used by its owner alone. Of ib_core's objects the provider may use all, and other
 * clients those of the kernel.
 */
static int vrb_check_owner(const struct vrb_client *client, const struct vrb *vrb)
{
	const struct vrb_object *object = vrb->object;

	if (object->owner)
		return object->owner == client ? 0 : -EINVAL;
	if (client == &client->dev->own)
		return 0;
	return object->destroy.user || vrb_is_secured(vrb) ? -EACCES : 0;
}

/**
 * vrb_resolve - find the verb and the object of a typed request
 * @client: its submitter
 * @vrb: the request, claimed by the caller; both are stored in it
 *
 * Context: Any.
 * Return: 0; -EINVAL: there is no such verb, or the object is of another device or client;
 * -EOPNOTSUPP: the provider lacks the verb; -EACCES: a process's object, or an attribute that
 * ib_core's security checks.
 */
int vrb_resolve(struct vrb_client *client, struct vrb *vrb)
{
	struct vrb_device *dev = client->dev;
	const struct vrb_verb *verb;
	enum vrb_kind kind;

	vrb->verb = NULL;
	vrb->object = NULL;
	if (vrb->op >= VRB_NR_OPS)
		return -EINVAL;
	verb = vrb_find_verb(dev, vrb->op);
	if (!verb)
		return -EOPNOTSUPP;
	kind = vrb_kinds[vrb->op];
	if (kind != VRB_KIND_DEVICE) {
		vrb->object = vrb_find_object(dev, kind,
					      container_of(vrb, struct vrb_typed, vrb)->object);
		if (!vrb->object)
			return -EINVAL;
	}
	vrb->verb = verb;
	return vrb->object ? vrb_check_owner(client, vrb) : 0;
}

/**
 * vrb_client_can - whether the provider has a verb
 * @client: client
 * @op: the verb; %VRB_OP_CREATE_CQ, %VRB_OP_CREATE_QP, %VRB_OP_CREATE_SRQ and %VRB_OP_CREATE_MR
 *	also stand for shells of that kind
 *
 * Context: Any.
 */
bool vrb_client_can(const struct vrb_client *client, enum vrb_op op)
{
	return vrb_find_verb(client->dev, op);
}
EXPORT_SYMBOL_GPL(vrb_client_can);
