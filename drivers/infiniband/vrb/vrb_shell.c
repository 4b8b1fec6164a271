// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Objects of clients that never sleep. A shell is a structure that begins with a struct ib_qp,
 * ib_cq, ib_srq or ib_mr, initialised here as ib_core initialises its own. The provider makes its
 * hardware half. The shell is freed when that has been released.
 *
 * Shells count in the usecnt of ib_core's PDs, CQs and SRQs, so that ib_core refuses to destroy
 * those. Nothing else in ib_core knows a shell.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>

#include "vrb_internal.h"

/* ---- What shells have in common ---- */

/* Returns ERR_PTR() if the client cannot have a shell of this kind now. */
static void *vrb_shell_block(const struct vrb_client *client, const void *constructor, size_t size,
			     gfp_t gfp)
{
	if (WARN_ON_ONCE(!vrb_may_lock()))
		return ERR_PTR(-EINVAL);
	if (!client->dev->verbs || !constructor)
		return ERR_PTR(-EOPNOTSUPP);
	if (READ_ONCE(client->shut))
		return ERR_PTR(-ESHUTDOWN);
	if (!READ_ONCE(client->dev->attached))
		return ERR_PTR(-ENODEV);
	if (vrb_device_failed(client->dev))
		return ERR_PTR(-EIO);
	return kzalloc(size, gfp) ?: ERR_PTR(-ENOMEM);
}

/* ib_core's kernel object, or a shell of the same client. */
static int vrb_shell_parent(const struct vrb_client *client, enum vrb_kind kind, void *of)
{
	const struct vrb_object *object = vrb_find_object(client->dev, kind, of);

	if (!object)
		return -EINVAL;
	if (object->owner)
		return object->owner == client ? 0 : -EINVAL;
	return object->destroy.user ? -EACCES : 0;
}

static int vrb_shell_parent_pd(const struct vrb_client *client, const struct ib_pd *pd)
{
	if (!pd || pd->device != client->dev->ibdev)
		return -EINVAL;
	return pd->uobject ? -EACCES : 0;
}

/* restrack does not know it. */
static void vrb_shell_untracked(struct rdma_restrack_entry *res, enum rdma_restrack_type type)
{
	kref_init(&res->kref);
	init_completion(&res->comp);
	res->type = type;
	rdma_restrack_no_track(res);
}

/* The hardware half exists: from here on the client owns the shell, until its destroy. */
static void vrb_shell_adopt(struct vrb_client *client, struct vrb_object *object, void *block,
			    void (*release)(void *shell))
{
	struct vrb_device *dev = client->dev;

	spin_lock_bh(&dev->lock);
	object->shell = block;
	object->shell_release = release;
	object->owner = client;
	list_add_tail(&object->shell_entry, &client->shells);
	spin_unlock_bh(&dev->lock);
}

/**
 * vrb_object_is_shell - whether an object is a shell of a client, not ib_core's
 * @object: object
 *
 * Context: Any.
 */
bool vrb_object_is_shell(const struct vrb_object *object)
{
	return object->shell;
}
EXPORT_SYMBOL_GPL(vrb_object_is_shell);

/**
 * vrb_object_warn_shell - warn that ib_core was asked to destroy a shell
 * @object: the shell; the provider destroys the hardware half next, ib_core frees the structure and
 *	decrements the use counts of its parents
 * @what: name of the call
 *
 * Context: Process.
 */
void vrb_object_warn_shell(struct vrb_object *object, const char *what)
{
	might_sleep();
	WARN_ONCE(1, "%s: %s() of a shell, %s %#x\n", object->dev->name, what, object->type->name,
		  object->id);
	spin_lock_bh(&object->dev->lock);
	object->shell_release = NULL;
	spin_unlock_bh(&object->dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_object_warn_shell);

/* Names @caller in the log if it is at fault. */
static int vrb_shell_destroy(struct vrb_client *client, enum vrb_kind kind, void *of,
			     void (*gone)(void *context), void *context, void *caller)
{
	struct vrb_object *object = vrb_find_object(client->dev, kind, of);

	if (!object || !object->owner) {
		pr_warn_once("%s: %pS destroys what is no shell\n", client->dev->name, caller);
		return -EINVAL;
	}
	if (object->owner != client) {
		pr_warn_once("%s: %pS destroys another client's %s %#x\n", client->dev->name,
			     caller, object->type->name, object->id);
		return -EINVAL;
	}
	return vrb_destroy(client, object, gone, context);
}

/*
 * Returns an object with a reference, or NULL. Its destroy may already be in the inbox; without the
 * reference it could be freed at any time.
 */
static struct vrb_object *vrb_next_shell(struct vrb_client *client)
{
	struct vrb_device *dev = client->dev;
	struct vrb_object *object;

	spin_lock_bh(&dev->lock);
	object = list_first_entry_or_null(&client->shells, struct vrb_object, shell_entry);
	if (object) {
		list_del_init(&object->shell_entry);
		vrb_object_get(object);
	}
	spin_unlock_bh(&dev->lock);
	return object;
}

/**
 * vrb_destroy_shells - destroy the shells that a client has left
 * @client: client, shut
 *
 * Context: Process.
 * Return: whether there were any.
 */
bool vrb_destroy_shells(struct vrb_client *client)
{
	struct vrb_device *dev = client->dev;
	struct vrb_object *object;
	unsigned int n = 0;
	bool any = false;

	might_sleep();
	while ((object = vrb_next_shell(client))) {
		/* Also if its destroy has come first: that may still be in the inbox. */
		any = true;
		if (vrb_destroy(client, object, NULL, NULL) == -EINPROGRESS && n++ < VRB_BUDGET)
			pr_warn("%s: client %s has left %s %#x\n", dev->name, client->name,
				object->type->name, object->id);
		vrb_object_put(object);
		cond_resched();
	}
	if (n > VRB_BUDGET)
		pr_warn("%s: client %s has left %u objects\n", dev->name, client->name, n);
	return any;
}

/* ---- Completion queues ---- */

static void vrb_shell_release_cq(void *shell)
{
	kfree(shell);
}

/**
 * vrb_alloc_cq - allocate a shell for a CQ
 * @client: its owner
 * @attr: number of entries, &ib_cq_init_attr.cqe, 1 .. &ib_device_attr.max_cqe (&ib_cq.cqe is set
 *	to the actual number); completion vector, below &ib_device.num_comp_vectors; no flags
 * @comp: called in softirq after ib_req_notify_cq() and a completion, or NULL
 * @event: called in softirq for asynchronous events of the CQ, or NULL
 * @context: argument of both
 * @gfp: GFP_ATOMIC, or GFP_KERNEL where the caller may sleep
 *
 * struct vrb_create_cq creates the CQ in the hardware. Its owner polls it, with ib_poll_cq() or
 * ib_process_cq_direct(). vrb_destroy_cq() destroys the shell in any state.
 *
 * Context: As @gfp says, down to softirq, interrupts enabled.
 * Return: the CQ; ERR_PTR(): -EINVAL: size, vector or context; -EOPNOTSUPP: flags, or the provider
 * has no shells; -EACCES: the kernel has security modules that do not see shells; -ENOMEM;
 * -ESHUTDOWN: the client is shut; -ENODEV: the provider is being removed; -EIO: the device has
 * failed.
 */
struct ib_cq *vrb_alloc_cq(struct vrb_client *client, const struct ib_cq_init_attr *attr,
			   ib_comp_handler comp, void (*event)(struct ib_event *, void *),
			   void *context, gfp_t gfp)
{
	const struct vrb_verbs *verbs = client->dev->verbs;
	struct ib_device *ibdev = client->dev->ibdev;
	struct ib_cq *cq;
	int ret;

	cq = vrb_shell_block(client, verbs ? verbs->init_cq : NULL,
			     verbs ? ibdev->ops.size_ib_cq : 0, gfp);
	if (IS_ERR(cq))
		return cq;
	cq->device = ibdev;
	cq->comp_handler = comp;
	cq->event_handler = event;
	cq->cq_context = context;
	cq->poll_ctx = IB_POLL_DIRECT;
	cq->comp_vector = attr->comp_vector;
	vrb_shell_untracked(&cq->res, RDMA_RESTRACK_CQ);
	ret = verbs->init_cq(cq, attr, gfp);
	if (ret) {
		kfree(cq);
		return ERR_PTR(ret);
	}
	vrb_shell_adopt(client, verbs->cq_object(cq), cq, vrb_shell_release_cq);
	return cq;
}
EXPORT_SYMBOL_GPL(vrb_alloc_cq);

/**
 * vrb_alloc_cq_ring - allocate memory for the resize of a CQ
 * @client: client
 * @cq: a kernel CQ: a shell of this client, created or not, or ib_core's
 * @cqe: number of entries, 1 .. &ib_device_attr.max_cqe
 * @gfp: GFP_ATOMIC, or GFP_KERNEL where the caller may sleep
 *
 * The next struct vrb_resize_cq of @cq uses this memory, and frees the previous memory of the CQ.
 * If there is no such request, the memory is freed with the CQ.
 *
 * Context: As @gfp says, down to softirq, interrupts enabled.
 * Return: 0; -EINVAL: size, context, or a CQ of another device or client; -EBUSY: the CQ has memory
 * for a resize already; -EOPNOTSUPP: the provider has no resize; -EACCES: a process's CQ; -ENOMEM.
 */
int vrb_alloc_cq_ring(struct vrb_client *client, struct ib_cq *cq, int cqe, gfp_t gfp)
{
	const struct vrb_verbs *verbs = client->dev->verbs;
	int ret;

	if (WARN_ON_ONCE(!vrb_may_lock()))
		return -EINVAL;
	if (!verbs || !verbs->verb[VRB_OP_RESIZE_CQ])
		return -EOPNOTSUPP;
	ret = vrb_shell_parent(client, VRB_KIND_CQ, cq);
	if (ret)
		return ret;
	return verbs->ring_cq ? verbs->ring_cq(cq, cqe, gfp) : 0;
}
EXPORT_SYMBOL_GPL(vrb_alloc_cq_ring);

/**
 * vrb_destroy_cq - destroy a shell's CQ
 * @client: its owner
 * @cq: shell of vrb_alloc_cq(), in any state, even while its create is outstanding; the caller must
 *	not use it any more. It stays, and completes work requests, until the QPs that use it are
 *	gone
 * @gone: called when all resources have been freed, or NULL; handlers of the CQ may run until then
 * @context: argument of @gone
 *
 * Needs no memory and cannot fail. Queued requests on the CQ are cancelled. Accepted while the
 * client is shut, the provider is being removed, or the device has failed.
 *
 * Context: Any but NMI; @gone in softirq, no lock held.
 * Return: -EINPROGRESS; -EINVAL: ib_core's, another client's, or its destroy is pending.
 */
int vrb_destroy_cq(struct vrb_client *client, struct ib_cq *cq, void (*gone)(void *context),
		   void *context)
{
	return vrb_shell_destroy(client, VRB_KIND_CQ, cq, gone, context,
				 __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(vrb_destroy_cq);

/* ---- Queue pairs ---- */

static void vrb_qp_uses(const struct ib_qp *qp, int by)
{
	atomic_add(by, &qp->pd->usecnt);
	atomic_add(by, &qp->send_cq->usecnt);
	atomic_add(by, &qp->recv_cq->usecnt);
	if (qp->srq)
		atomic_add(by, &qp->srq->usecnt);
}

static void vrb_shell_release_qp(void *shell)
{
	vrb_qp_uses(shell, -1);
	kfree(shell);
}

/* The same as in ib_core, whose drain waits for the last WQE. */
static void vrb_qp_event(struct ib_event *event, void *context)
{
	struct ib_qp *qp = event->element.qp;

	if (event->event == IB_EVENT_QP_LAST_WQE_REACHED)
		complete(&qp->srq_completion);
	if (qp->registered_event_handler)
		qp->registered_event_handler(event, qp->qp_context);
}

static int vrb_shell_check_qp(const struct vrb_client *client, const struct ib_pd *pd,
			      const struct ib_qp_init_attr *attr)
{
	int ret = vrb_shell_parent_pd(client, pd);

	ret = ret ?: vrb_shell_parent(client, VRB_KIND_CQ, attr->send_cq);
	ret = ret ?: vrb_shell_parent(client, VRB_KIND_CQ, attr->recv_cq);
	if (attr->srq)
		ret = ret ?: vrb_shell_parent(client, VRB_KIND_SRQ, attr->srq);
	if (ret)
		return ret;
	switch (attr->qp_type) {
	case IB_QPT_RC:
	case IB_QPT_UC:
	case IB_QPT_UD:
		return attr->create_flags || attr->rwq_ind_tbl || attr->xrcd ? -EOPNOTSUPP : 0;
	default:
		return -EOPNOTSUPP;
	}
}

static void vrb_shell_init_qp(struct ib_qp *qp, struct ib_pd *pd,
			      const struct ib_qp_init_attr *attr)
{
	qp->device = pd->device;
	qp->pd = pd;
	qp->real_qp = qp;
	qp->qp_type = attr->qp_type;
	qp->send_cq = attr->send_cq;
	qp->recv_cq = attr->recv_cq;
	qp->srq = attr->srq;
	qp->event_handler = vrb_qp_event;
	qp->registered_event_handler = attr->event_handler;
	qp->qp_context = attr->qp_context;
	qp->port = attr->port_num;
	spin_lock_init(&qp->mr_lock);
	INIT_LIST_HEAD(&qp->rdma_mrs);
	INIT_LIST_HEAD(&qp->sig_mrs);
	init_completion(&qp->srq_completion);
	vrb_shell_untracked(&qp->res, RDMA_RESTRACK_QP);
}

/**
 * vrb_alloc_qp - allocate a shell for a QP
 * @client: its owner
 * @pd: a PD of ib_core's, which must outlive the QP
 * @attr: as for ib_create_qp(): type RC, UC or UD; CQs and SRQ of ib_core's or shells of this
 *	client, created or not; @attr->cap is set to the actual sizes. &ib_qp_cap.max_rdma_ctxs is
 *	ignored: a caller that uses rdma_rw_*() must make the queue large enough itself
 * @gfp: GFP_ATOMIC, or GFP_KERNEL where the caller may sleep
 *
 * struct vrb_create_qp creates the QP in the hardware. vrb_destroy_qp() destroys the shell in any
 * state.
 *
 * Context: As @gfp says, down to softirq, interrupts enabled.
 * Return: the QP, with its number; ERR_PTR(): as vrb_alloc_cq(); -EINVAL also for capabilities and
 * for parents of other devices or clients, -EOPNOTSUPP for other types, -EACCES for a process's
 * parents, -ESHUTDOWN for parents that are being destroyed, -ESTALE for parents that the hardware
 * lost in a reset.
 */
struct ib_qp *vrb_alloc_qp(struct vrb_client *client, struct ib_pd *pd,
			   struct ib_qp_init_attr *attr, gfp_t gfp)
{
	const struct vrb_verbs *verbs = client->dev->verbs;
	struct ib_device *ibdev = client->dev->ibdev;
	struct ib_qp *qp;
	int ret;

	qp = vrb_shell_block(client, verbs ? verbs->init_qp : NULL,
			     verbs ? ibdev->ops.size_ib_qp : 0, gfp);
	if (IS_ERR(qp))
		return qp;
	ret = vrb_shell_check_qp(client, pd, attr);
	if (ret)
		goto free_qp;
	vrb_shell_init_qp(qp, pd, attr);
	ret = verbs->init_qp(qp, attr, gfp);
	if (ret)
		goto free_qp;
	qp->max_write_sge = attr->cap.max_send_sge;
	qp->max_read_sge = min_t(u32, attr->cap.max_send_sge, ibdev->attrs.max_sge_rd);
	vrb_qp_uses(qp, 1);
	vrb_shell_adopt(client, verbs->qp_object(qp), qp, vrb_shell_release_qp);
	return qp;

free_qp:
	kfree(qp);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vrb_alloc_qp);

/**
 * vrb_destroy_qp - destroy a shell's QP
 * @client: its owner
 * @qp: shell of vrb_alloc_qp(); see vrb_destroy_cq(). Posted work requests may complete until @gone
 *	is called, and never afterwards: a client that needs the completions moves the QP to
 *	%IB_QPS_ERR first. A QP that is attached to a multicast group stays until it is detached
 * @gone: called when all resources have been freed, or NULL
 * @context: argument of @gone
 *
 * Context: Any but NMI; @gone in softirq, no lock held.
 * Return: -EINPROGRESS; -EINVAL: ib_core's, another client's, or its destroy is pending.
 */
int vrb_destroy_qp(struct vrb_client *client, struct ib_qp *qp, void (*gone)(void *context),
		   void *context)
{
	return vrb_shell_destroy(client, VRB_KIND_QP, qp, gone, context,
				 __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(vrb_destroy_qp);

/**
 * vrb_qp_state - the state of a QP after the last request that completed
 * @client: client of its device
 * @qp: a kernel QP, either a shell or ib_core's, of a provider that has shells
 *
 * The hardware may have moved it to SQE or ERR by itself: struct vrb_query_qp returns that.
 *
 * Context: Any.
 * Return: the state; %IB_QPS_RESET before the create has completed.
 */
enum ib_qp_state vrb_qp_state(const struct vrb_client *client, const struct ib_qp *qp)
{
	return client->dev->verbs->qp_state(qp);
}
EXPORT_SYMBOL_GPL(vrb_qp_state);

/* ---- Shared receive queues ---- */

static void vrb_shell_release_srq(void *shell)
{
	struct ib_srq *srq = shell;

	atomic_dec(&srq->pd->usecnt);
	kfree(srq);
}

/**
 * vrb_alloc_srq - allocate a shell for an SRQ
 * @client: its owner
 * @pd: a PD of ib_core's, which must outlive the SRQ
 * @attr: as for ib_create_srq(), of type %IB_SRQT_BASIC; &ib_srq_init_attr.attr is set to the
 *	actual sizes
 * @gfp: GFP_ATOMIC, or GFP_KERNEL where the caller may sleep
 *
 * Context: As @gfp says, down to softirq, interrupts enabled.
 * Return: the SRQ; ERR_PTR(): as vrb_alloc_qp().
 */
struct ib_srq *vrb_alloc_srq(struct vrb_client *client, struct ib_pd *pd,
			     struct ib_srq_init_attr *attr, gfp_t gfp)
{
	const struct vrb_verbs *verbs = client->dev->verbs;
	struct ib_device *ibdev = client->dev->ibdev;
	struct ib_srq *srq;
	int ret;

	srq = vrb_shell_block(client, verbs ? verbs->init_srq : NULL,
			      verbs ? ibdev->ops.size_ib_srq : 0, gfp);
	if (IS_ERR(srq))
		return srq;
	ret = vrb_shell_parent_pd(client, pd);
	if (ret)
		goto free_srq;
	srq->device = ibdev;
	srq->pd = pd;
	srq->event_handler = attr->event_handler;
	srq->srq_context = attr->srq_context;
	srq->srq_type = attr->srq_type;
	vrb_shell_untracked(&srq->res, RDMA_RESTRACK_SRQ);
	ret = verbs->init_srq(srq, attr, gfp);
	if (ret)
		goto free_srq;
	atomic_inc(&pd->usecnt);
	vrb_shell_adopt(client, verbs->srq_object(srq), srq, vrb_shell_release_srq);
	return srq;

free_srq:
	kfree(srq);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vrb_alloc_srq);

/**
 * vrb_destroy_srq - destroy a shell's SRQ
 * @client: its owner
 * @srq: shell of vrb_alloc_srq(); see vrb_destroy_cq()
 * @gone: called when all resources have been freed, or NULL
 * @context: argument of @gone
 *
 * Context: Any but NMI; @gone in softirq, no lock held.
 * Return: -EINPROGRESS; -EINVAL: ib_core's, another client's, or its destroy is pending.
 */
int vrb_destroy_srq(struct vrb_client *client, struct ib_srq *srq, void (*gone)(void *context),
		    void *context)
{
	return vrb_shell_destroy(client, VRB_KIND_SRQ, srq, gone, context,
				 __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(vrb_destroy_srq);

/* ---- Memory regions ---- */

static void vrb_shell_release_mr(void *shell)
{
	struct ib_mr *mr = shell;

	atomic_dec(&mr->pd->usecnt);
	kfree(mr);
}

/**
 * vrb_alloc_mr - allocate a shell for a memory region
 * @client: its owner
 * @pd: a PD of ib_core's, which must outlive the region
 * @max_pages: the largest number of pages in a struct vrb_reg_mr, 1 or more
 * @gfp: GFP_ATOMIC, or GFP_KERNEL where the caller may sleep
 *
 * Context: As @gfp says, down to softirq, interrupts enabled.
 * Return: the region; ERR_PTR(): as vrb_alloc_qp().
 */
struct ib_mr *vrb_alloc_mr(struct vrb_client *client, struct ib_pd *pd, u32 max_pages, gfp_t gfp)
{
	const struct vrb_verbs *verbs = client->dev->verbs;
	struct ib_mr *mr;
	int ret;

	mr = vrb_shell_block(client, verbs ? verbs->init_mr : NULL, verbs ? verbs->mr_size : 0,
			     gfp);
	if (IS_ERR(mr))
		return mr;
	ret = max_pages ? vrb_shell_parent_pd(client, pd) : -EINVAL;
	if (ret)
		goto free_mr;
	mr->device = pd->device;
	mr->pd = pd;
	mr->type = IB_MR_TYPE_MEM_REG;
	vrb_shell_untracked(&mr->res, RDMA_RESTRACK_MR);
	ret = verbs->init_mr(mr, max_pages, gfp);
	if (ret)
		goto free_mr;
	atomic_inc(&pd->usecnt);
	vrb_shell_adopt(client, verbs->mr_object(mr), mr, vrb_shell_release_mr);
	return mr;

free_mr:
	kfree(mr);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vrb_alloc_mr);

/**
 * vrb_destroy_mr - destroy a shell's memory region
 * @client: its owner
 * @mr: shell of vrb_alloc_mr(), registered or not; see vrb_destroy_cq(). The hardware may use the
 *	memory until @gone is called
 * @gone: called when all resources have been freed, or NULL
 * @context: argument of @gone
 *
 * Context: Any but NMI; @gone in softirq, no lock held.
 * Return: -EINPROGRESS; -EINVAL: ib_core's, another client's, or its destroy is pending.
 */
int vrb_destroy_mr(struct vrb_client *client, struct ib_mr *mr, void (*gone)(void *context),
		   void *context)
{
	return vrb_shell_destroy(client, VRB_KIND_MR, mr, gone, context,
				 __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(vrb_destroy_mr);
