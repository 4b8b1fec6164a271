// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The user ABI of verb queues: the methods of <rdma/vrb-abi.h>, and the file.
 *
 * A modify goes through ib_modify_qp_with_udata(), so that ib_core makes its checks, looks up GIDs
 * and asks the security modules. ib_core then calls the driver's modify_qp, which recognizes the
 * request by the address of its attributes and returns at once: the request is queued when ib_core
 * has returned. The checks that uverbs makes before it calls ib_core are repeated here.
 *
 * When ib_core has returned, it regards the transition as made. If the request fails later, the
 * port that ib_core has recorded for the QP is corrected: see verb_queue.c.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <rdma/ib_cache.h>
#include <rdma/ib_marshall.h>
#include <rdma/uverbs_ioctl.h>
#include <rdma/uverbs_std_types.h>
#include <rdma/vrb-abi.h>

#define UVERBS_MODULE_NAME tavor
#include <rdma/uverbs_named_ioctl.h>

#include "qp.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"
#include "user_queue.h"
#include "verb_queue.h"

#define TAVOR_REQUEST_SIZE	sizeof(struct vrb_queue_request)
#define TAVOR_REQUEST_GRAIN	8	/* sizes of requests are multiples of this */
#define TAVOR_READ_FAULTS	16	/* how often the buffer of a read may be absent */

/* Both kinds of requests have the attributes that are passed to ib_core at the same offset. */
static_assert(offsetof(struct vrb_modify_qp, attr) == offsetof(struct vrb_connect_qp, attr));
static_assert(!offsetof(struct tavor_connect_user_qp, req));
static_assert(PAGE_SIZE / sizeof(void *) >= VRB_QUEUE_MAX_BATCH);

struct tavor_user_queue {
	struct ib_uobject uobj;
	struct tavor_queue queue;
};

static struct tavor_user_queue *to_user_queue(struct ib_uobject *uobj)
{
	return container_of(uobj, struct tavor_user_queue, uobj);
}

static struct tavor_queue *tavor_queue_of(const struct uverbs_attr_bundle *attrs, u16 id)
{
	return &to_user_queue(uverbs_attr_get_uobject(attrs, id))->queue;
}

/* ---- Through ib_core ---- */

/* What ib_core itself keeps of a modify that has succeeded, for its P_Key checks */
#define TAVOR_CORE_ATTRS	(IB_QP_PORT | IB_QP_PKEY_INDEX | IB_QP_ALT_PATH)

/*
 * A modify that changes such attributes is refused here if its values are bad: when the request
 * fails later, ib_core keeps what was asked for. Takes references to the GIDs that ib_core has
 * looked up, because ib_core drops its own when it returns.
 */
static int tavor_queue_take(const struct tavor_hw_qp *qp, const struct ib_qp_attr *attr, int mask)
{
	struct tavor_queued *req = container_of(attr, struct tavor_queued, modify.attr);
	int err = mask & TAVOR_CORE_ATTRS ? tavor_qp_check_values(qp, attr, mask) : 0;

	if (err)
		return err;
	req->taken = true;
	if (mask & IB_QP_AV)
		req->gids[0] = tavor_hold_gid(&attr->ah_attr);
	if (mask & IB_QP_ALT_PATH)
		req->gids[1] = tavor_hold_gid(&attr->alt_ah_attr);
	return 0;
}

/**
 * tavor_user_modify_qp() - ib_device_ops.modify_qp
 * @ibqp: the QP
 * @attr: attributes
 * @mask: which attributes are set
 * @udata: NULL for kernel QPs
 *
 * Context: Process context.
 * Return: as tavor_modify_qp(); 0 for a request of a verb queue, which does not wait here;
 * -EOPNOTSUPP: unknown driver data; -EFAULT.
 */
int tavor_user_modify_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
			 struct ib_udata *udata)
{
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	if (udata && READ_ONCE(to_tqp(ibqp)->queueing) == attr)
		return tavor_queue_take(to_tqp(ibqp)->hw, attr, mask);
	return tavor_modify_qp(ibqp, attr, mask, udata);
}

/**
 * tavor_user_destroy_qp() - ib_device_ops.destroy_qp
 * @ibqp: the QP
 * @udata: of a process, or NULL
 *
 * Context: Process context.
 * Return: as tavor_destroy_cq().
 */
int tavor_user_destroy_qp(struct ib_qp *ibqp, struct ib_udata *udata)
{
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	tavor_queue_forget_qp(to_tqp(ibqp)->hw);
	return tavor_destroy_qp(ibqp, udata);
}

static void tavor_ah_from_user(struct ib_device *ibdev, struct rdma_ah_attr *ah,
			       const struct ib_uverbs_ah_attr *from)
{
	ah->type = rdma_ah_find_type(ibdev, from->port_num);
	if (from->is_global) {
		rdma_ah_set_grh(ah, NULL, from->grh.flow_label, from->grh.sgid_index,
				from->grh.hop_limit, from->grh.traffic_class);
		rdma_ah_set_dgid_raw(ah, (void *)from->grh.dgid);
	} else {
		rdma_ah_set_ah_flags(ah, 0);
	}
	rdma_ah_set_dlid(ah, from->dlid);
	rdma_ah_set_sl(ah, from->sl);
	rdma_ah_set_path_bits(ah, from->src_path_bits);
	rdma_ah_set_static_rate(ah, from->static_rate);
	rdma_ah_set_port_num(ah, from->port_num);
	rdma_ah_set_make_grd(ah, false);
}

/* Of a PSN ib_core, too, uses 24 bits; it would write a line to the log. */
static void tavor_attr_from_user(struct ib_device *ibdev, struct ib_qp_attr *attr, int mask,
				 const struct ib_uverbs_qp_attr *from)
{
	attr->qp_state = from->qp_state;
	attr->cur_qp_state = from->cur_qp_state;
	attr->path_mtu = from->path_mtu;
	attr->path_mig_state = from->path_mig_state;
	attr->qkey = from->qkey;
	attr->rq_psn = from->rq_psn & TAVOR_QPC_PSN;
	attr->sq_psn = from->sq_psn & TAVOR_QPC_PSN;
	attr->dest_qp_num = from->dest_qp_num;
	attr->qp_access_flags = from->qp_access_flags;
	attr->pkey_index = from->pkey_index;
	attr->alt_pkey_index = from->alt_pkey_index;
	attr->en_sqd_async_notify = from->en_sqd_async_notify;
	attr->max_rd_atomic = from->max_rd_atomic;
	attr->max_dest_rd_atomic = from->max_dest_rd_atomic;
	attr->min_rnr_timer = from->min_rnr_timer;
	attr->port_num = from->port_num;
	attr->timeout = from->timeout;
	attr->retry_cnt = from->retry_cnt;
	attr->rnr_retry = from->rnr_retry;
	attr->alt_port_num = from->alt_port_num;
	attr->alt_timeout = from->alt_timeout;
	if (mask & IB_QP_AV)
		tavor_ah_from_user(ibdev, &attr->ah_attr, &from->ah_attr);
	if (mask & IB_QP_ALT_PATH)
		tavor_ah_from_user(ibdev, &attr->alt_ah_attr, &from->alt_ah_attr);
}

/*
 * The checks of uverbs' modify: port numbers, because the address of a path is interpreted by the
 * type of its port; in SQD a new path brings its port.
 */
static int tavor_check_ports(const struct ib_qp *ibqp, struct ib_uverbs_qp_attr *attr, int *mask)
{
	const struct ib_device *ibdev = ibqp->device;

	if (*mask & IB_QP_PORT && !rdma_is_port_valid(ibdev, attr->port_num))
		return -EINVAL;
	if (*mask & IB_QP_ALT_PATH && (!rdma_is_port_valid(ibdev, attr->alt_port_num) ||
				       attr->alt_port_num != attr->alt_ah_attr.port_num))
		return -EINVAL;
	if (!(*mask & IB_QP_AV))
		return 0;
	if (!rdma_is_port_valid(ibdev, attr->ah_attr.port_num))
		return -EINVAL;
	if (*mask & IB_QP_STATE && attr->qp_state == IB_QPS_RTR)
		return attr->ah_attr.port_num == ibqp->real_qp->port ? 0 : -EINVAL;
	if (!(*mask & IB_QP_PORT)) {
		*mask |= IB_QP_PORT;
		attr->port_num = attr->ah_attr.port_num;
	}
	return attr->port_num == attr->ah_attr.port_num ? 0 : -EINVAL;
}

static int tavor_check_user_attrs(const struct ib_qp *ibqp, struct ib_uverbs_qp_attr *attr,
				  int *mask)
{
	int err = tavor_check_ports(ibqp, attr, mask);

	if (err)
		return err;
	if (*mask & IB_QP_CUR_STATE && attr->cur_qp_state > IB_QPS_ERR)
		return -EINVAL;
	if (*mask & IB_QP_STATE && attr->qp_state > IB_QPS_ERR)
		return -EINVAL;
	if (*mask & IB_QP_QKEY && attr->qkey & IB_QP_SET_QKEY && !vrb_has_raw_cap(ibqp->device))
		return -EPERM;
	return 0;
}

/* Passes one transition through ib_core's checks. The QP's queue_lock is held. */
static int tavor_pass_on(struct tavor_queued *req, struct ib_qp *ibqp,
			 struct ib_uverbs_qp_attr *from, int *mask, struct ib_udata *udata)
{
	struct ib_qp_attr *attr = &req->modify.attr;
	struct tavor_qp *qp = to_tqp(ibqp);
	int err = tavor_check_user_attrs(ibqp, from, mask);

	if (err)
		return err;
	tavor_attr_from_user(ibqp->device, attr, *mask, from);
	if (*mask & IB_QP_PORT)
		tavor_queue_name_port(req, attr->port_num);
	req->taken = false;
	WRITE_ONCE(qp->queueing, attr);
	err = ib_modify_qp_with_udata(ibqp, attr, *mask, udata);
	WRITE_ONCE(qp->queueing, NULL);
	if (!err && WARN_ON_ONCE(!req->taken))
		err = -EIO;
	if (err && *mask & IB_QP_PORT)
		tavor_queue_refuse_port(req);
	return err;
}

/* The references to the source GIDs that ib_core has looked up. */
static void tavor_put_back_gids(struct tavor_queued *req)
{
	struct ib_qp_attr *attr = &req->modify.attr;

	if (req->gids[0])
		attr->ah_attr.grh.sgid_attr = req->gids[0];
	if (req->gids[1])
		attr->alt_ah_attr.grh.sgid_attr = req->gids[1];
}

static const struct vrb_verb *tavor_queue_modify(struct tavor_queued *req, struct ib_qp *ibqp,
						 struct ib_uverbs_qp_attr *from,
						 struct ib_udata *udata)
{
	int mask = from->qp_attr_mask;
	int err;

	if (mask & ~IB_QP_ATTR_STANDARD_BITS)
		return ERR_PTR(-EOPNOTSUPP);
	err = tavor_pass_on(req, ibqp, from, &mask, udata);
	if (err)
		return ERR_PTR(err);
	tavor_put_back_gids(req);
	req->modify.mask = mask;
	if (mask & IB_QP_STATE && (from->qp_state == IB_QPS_ERR || from->qp_state == IB_QPS_RESET))
		req->vrb.class = VRB_CLASS_TEARDOWN;
	return &tavor_verb_modify_qp;
}

/* For each transition all attributes must be given, or none. */
static int tavor_check_connect(const struct tavor_queued *req, const struct ib_uverbs_qp_attr *from)
{
	int given = from->qp_attr_mask & ~IB_QP_STATE;
	int all = 0, need;
	u32 step;

	for (step = 0; step < TAVOR_NR_CONNECT_STEPS; step++) {
		if (tavor_connect_state(step) > from->qp_state)
			break;
		need = tavor_connect_mask(req->qp, step);
		all |= need;
		if ((given & need) != need && given & need)
			return -EINVAL;
	}
	return given & ~all ? -EINVAL : 0;
}

/*
 * Passes on the transitions for which attributes are given. If ib_core refuses one, or attributes
 * are missing, the request fails when it comes to that transition, and not earlier: ib_core regards
 * the transitions before it as made.
 */
static void tavor_pass_on_connect(struct tavor_queued *req, struct ib_qp *ibqp,
				  const struct ib_uverbs_qp_attr *from, struct ib_udata *udata)
{
	struct ib_uverbs_qp_attr leg;
	int need, mask;
	u32 step;

	for (step = 0; step < TAVOR_NR_CONNECT_STEPS; step++) {
		if (tavor_connect_state(step) > from->qp_state)
			break;
		need = tavor_connect_mask(req->qp, step);
		leg = *from;
		leg.qp_state = tavor_connect_state(step);
		mask = IB_QP_STATE | need;
		req->connect.refused[step] = (from->qp_attr_mask & need) != need ? -EINVAL :
					     tavor_pass_on(req, ibqp, &leg, &mask, udata);
	}
}

static const struct vrb_verb *tavor_queue_connect(struct tavor_queued *req, struct ib_qp *ibqp,
						  struct ib_uverbs_qp_attr *from,
						  struct ib_udata *udata)
{
	int err;

	if (!(from->qp_attr_mask & IB_QP_STATE) || tavor_qp_is_special(req->qp) ||
	    (from->qp_state != IB_QPS_RTR && from->qp_state != IB_QPS_RTS))
		return ERR_PTR(-EINVAL);
	err = tavor_check_connect(req, from);
	if (err)
		return ERR_PTR(err);
	tavor_attr_from_user(ibqp->device, &req->connect.req.attr, 0, from);
	tavor_pass_on_connect(req, ibqp, from, udata);
	tavor_put_back_gids(req);
	req->connect.given = from->qp_attr_mask;
	req->connect.req.to = from->qp_state;
	return &tavor_verb_connect_user_qp;
}

/* ---- Submit ---- */

static const struct vrb_verb *tavor_queue_plain(struct tavor_queued *req,
						const struct vrb_queue_request *from)
{
	if (memchr_inv(&from->attr, 0, sizeof(from->attr)))
		return ERR_PTR(-EINVAL);
	switch (from->op) {
	case VRB_QUEUE_OP_RESET:
		return &tavor_verb_reset_qp;
	case VRB_QUEUE_OP_QUIESCE:
		return &tavor_verb_quiesce_qp;
	default:
		/* The class of a synchronous modify, because a process waits for it. */
		req->vrb.class = VRB_CLASS_NORMAL;
		return &tavor_verb_query_qp;
	}
}

/* Reserved members could get a meaning only if no program has other values in them than 0. */
static bool tavor_reserved_is_set(const struct ib_uverbs_qp_attr *attr)
{
	return memchr_inv(attr->reserved, 0, sizeof(attr->reserved)) ||
	       attr->ah_attr.reserved || attr->ah_attr.grh.reserved ||
	       attr->alt_ah_attr.reserved || attr->alt_ah_attr.grh.reserved;
}

static const struct vrb_verb *tavor_queue_prepare(struct tavor_queued *req, struct ib_qp *ibqp,
						  struct vrb_queue_request *from,
						  struct ib_udata *udata)
{
	if (from->op < VRB_QUEUE_OP_MODIFY || from->op > VRB_QUEUE_OP_QUERY)
		return ERR_PTR(-EOPNOTSUPP);
	if (from->flags || tavor_reserved_is_set(&from->attr))
		return ERR_PTR(-EINVAL);
	if (from->op > VRB_QUEUE_OP_CONNECT)
		return tavor_queue_plain(req, from);
	if (from->op == VRB_QUEUE_OP_MODIFY)
		return tavor_queue_modify(req, ibqp, &from->attr, udata);
	return tavor_queue_connect(req, ibqp, &from->attr, udata);
}

/* Returns whether there was room. */
static bool tavor_queue_submit(struct tavor_queue *queue, struct ib_qp *ibqp, const void *from,
			       struct ib_udata *udata)
{
	struct mutex *lock = &to_tqp(ibqp)->queue_lock;
	struct vrb_queue_request request;
	const struct vrb_verb *verb;
	struct tavor_queued *req;

	memcpy(&request, from, sizeof(request));
	req = tavor_queue_get(queue, to_tqp(ibqp)->hw);
	if (!req)
		return false;
	req->user_data = request.user_data;
	req->op = request.op;
	mutex_lock(lock);
	verb = tavor_queue_prepare(req, ibqp, &request, udata);
	if (IS_ERR(verb))
		tavor_queue_refuse(req, PTR_ERR(verb));
	else
		tavor_queue_accept(req, verb);
	mutex_unlock(lock);
	return true;
}

/* The length of each of @n requests; the part that this kernel does not know is 0. */
static int tavor_request_size(const struct uverbs_attr_bundle *attrs, const u8 *requests, int n)
{
	int len = uverbs_attr_get_len(attrs, VRB_ATTR_QUEUE_SUBMIT_REQUESTS);
	int size, known = sizeof(struct vrb_queue_request), i;

	if (len % n)
		return -EINVAL;
	size = len / n;
	if (size < known || size % TAVOR_REQUEST_GRAIN)
		return -EINVAL;
	for (i = 0; size > known && i < n; i++) {
		if (memchr_inv(requests + i * size + known, 0, size - known))
			return -EOPNOTSUPP;
	}
	return size;
}

static int UVERBS_HANDLER(VRB_METHOD_QUEUE_SUBMIT)(struct uverbs_attr_bundle *attrs)
{
	struct tavor_queue *queue = tavor_queue_of(attrs, VRB_ATTR_QUEUE_SUBMIT_FD);
	const u8 *requests = uverbs_attr_get_alloced_ptr(attrs, VRB_ATTR_QUEUE_SUBMIT_REQUESTS);
	struct ib_uobject **qps;
	u32 accepted = 0;
	int n, size, err;

	n = uverbs_attr_get_uobjs_arr(attrs, VRB_ATTR_QUEUE_SUBMIT_QPS, &qps);
	if (n <= 0 || IS_ERR(requests))
		return -EINVAL;
	size = tavor_request_size(attrs, requests, n);
	if (size < 0)
		return size;
	/* If the result cannot be written, no request is accepted. */
	err = uverbs_copy_to(attrs, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, &accepted, sizeof(accepted));
	if (err)
		return err;
	while (accepted < n && tavor_queue_submit(queue, qps[accepted]->object,
						  requests + accepted * size,
						  &attrs->driver_udata))
		accepted++;
	if (!accepted)
		return -EAGAIN;
	/* A process that has unmapped the result since then must not be told that all failed. */
	err = uverbs_copy_to(attrs, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, &accepted, sizeof(accepted));
	return 0;
}

/* ---- The other methods ---- */

static struct tavor_dev *tavor_method_dev(const struct uverbs_attr_bundle *attrs,
					  struct tavor_ucontext **ctx)
{
	struct ib_ucontext *ibctx = ib_uverbs_get_ucontext(attrs);

	if (IS_ERR(ibctx))
		return ERR_CAST(ibctx);
	*ctx = to_tctx(ibctx);
	return to_tdev(ibctx->device);
}

static int UVERBS_HANDLER(VRB_METHOD_QUEUE_QUERY)(struct uverbs_attr_bundle *attrs)
{
	struct vrb_queue_caps caps = {
		.revision = VRB_ABI_REVISION,
		.max_depth = VRB_QUEUE_MAX_DEPTH,
		.ops = BIT_ULL(VRB_QUEUE_OP_MODIFY) | BIT_ULL(VRB_QUEUE_OP_CONNECT) |
		       BIT_ULL(VRB_QUEUE_OP_RESET) | BIT_ULL(VRB_QUEUE_OP_QUIESCE) |
		       BIT_ULL(VRB_QUEUE_OP_QUERY),
		.max_batch = VRB_QUEUE_MAX_BATCH,
		.request_size = sizeof(struct vrb_queue_request),
		.completion_size = sizeof(struct vrb_queue_completion),
	};
	struct tavor_ucontext *ctx;
	struct tavor_dev *dev = tavor_method_dev(attrs, &ctx);

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	caps.slots = vrb_device_user_slots(dev->vrb);
	return uverbs_copy_to_struct_or_zero(attrs, VRB_ATTR_QUEUE_QUERY_CAPS, &caps,
					     sizeof(caps));
}

static int UVERBS_HANDLER(VRB_METHOD_QUEUE_CREATE)(struct uverbs_attr_bundle *attrs)
{
	struct tavor_queue *queue = tavor_queue_of(attrs, VRB_ATTR_QUEUE_CREATE_FD);
	struct vrb_queue_attr attr;
	struct tavor_ucontext *ctx;
	struct tavor_dev *dev;
	int err;

	err = uverbs_copy_from_or_zero(&attr, attrs, VRB_ATTR_QUEUE_CREATE_ATTR);
	if (err)
		return err;
	if (!attr.depth || attr.depth > VRB_QUEUE_MAX_DEPTH || attr.flags || attr.reserved ||
	    attr.completion_size != sizeof(struct vrb_queue_completion))
		return -EINVAL;
	dev = tavor_method_dev(attrs, &ctx);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	if (vrb_device_failed(dev->vrb))
		return -EIO;
	err = tavor_queue_open(queue, dev, &ctx->process->user, attr.depth);
	if (err)
		return err;
	uverbs_finalize_uobj_create(attrs, VRB_ATTR_QUEUE_CREATE_FD);
	return 0;
}

static int UVERBS_HANDLER(VRB_METHOD_QUEUE_CANCEL)(struct uverbs_attr_bundle *attrs)
{
	struct tavor_queue *queue = tavor_queue_of(attrs, VRB_ATTR_QUEUE_CANCEL_FD);
	u64 user_data;
	int err;

	err = uverbs_copy_from(&user_data, attrs, VRB_ATTR_QUEUE_CANCEL_USER_DATA);
	return err ?: tavor_queue_cancel(queue, user_data);
}

/* ---- The file ---- */

static void tavor_completion_fill(const struct tavor_queue *queue, struct tavor_queued *req,
				  struct vrb_queue_completion *completion)
{
	memset(completion, 0, sizeof(*completion));
	completion->user_data = req->user_data;
	completion->status = -req->status;
	completion->op = req->op;
	completion->qp_state = req->qp_state;
	completion->step = req->step;
	completion->qp_num = req->qp_num;
	if (req->op == VRB_QUEUE_OP_QUERY && !req->status)
		ib_copy_qp_attr_to_user(&queue->dev->ib_dev, &completion->attr, &req->query.attr);
}

/*
 * One completion to the process: returns its size, 0 if there is none, or a negative errno.
 * -EFAULT: the process's memory is not present. The copy must not wait for a page fault, because
 * the end of the queue needs the lock.
 */
static ssize_t tavor_queue_deliver(struct tavor_queue *queue, char __user *buf)
{
	struct vrb_queue_completion completion;
	struct tavor_queued *req;

	if (queue->closed)
		return -EIO;
	req = tavor_queue_first(queue);
	if (!req)
		return 0;
	tavor_completion_fill(queue, req, &completion);
	if (copy_to_user_nofault(buf, &completion, sizeof(completion)))
		return -EFAULT;
	tavor_queue_put(req);
	return sizeof(completion);
}

/* Reads the available completions, without waiting. */
static ssize_t tavor_queue_read_some(struct tavor_queue *queue, char __user *buf, size_t count)
{
	ssize_t n = 0, ret;

	if (mutex_lock_interruptible(&queue->lock))
		return -ERESTARTSYS;
	do {
		ret = tavor_queue_deliver(queue, buf + n);
		if (ret > 0)
			n += ret;
	} while (ret > 0 && count - n >= sizeof(struct vrb_queue_completion));
	mutex_unlock(&queue->lock);
	return n ?: ret;
}

static ssize_t tavor_queue_read(struct file *filp, char __user *buf, size_t count, loff_t *pos)
{
	struct tavor_queue *queue = &to_user_queue(filp->private_data)->queue;
	unsigned int faults = 0;
	ssize_t ret;

	if (count < sizeof(struct vrb_queue_completion))
		return -EINVAL;
	for (;;) {
		/* Nothing is written there if there is nothing to read. */
		if (fault_in_safe_writeable(buf, sizeof(struct vrb_queue_completion)))
			return -EFAULT;
		ret = tavor_queue_read_some(queue, buf, count);
		if (ret == -EFAULT && signal_pending(current))
			return -ERESTARTSYS;
		if (ret == -EFAULT && ++faults < TAVOR_READ_FAULTS)
			continue;
		if (ret)
			return ret;
		if (filp->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(queue->wait, tavor_queue_has_news(queue)))
			return -ERESTARTSYS;
	}
}

static __poll_t tavor_queue_poll(struct file *filp, struct poll_table_struct *table)
{
	struct tavor_queue *queue = &to_user_queue(filp->private_data)->queue;

	poll_wait(filp, &queue->wait, table);
	if (READ_ONCE(queue->closed))
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLRDHUP;
	return tavor_queue_has_news(queue) ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations tavor_queue_fops = {
	.owner = THIS_MODULE,
	.read = tavor_queue_read,
	.poll = tavor_queue_poll,
	.release = uverbs_uobject_fd_release,
};

/* At the last close, or before that when the context or the device is removed. */
static void tavor_queue_destroy_uobj(struct ib_uobject *uobj, enum rdma_remove_reason why)
{
	tavor_queue_close(&to_user_queue(uobj)->queue);
}

/* ---- Registration with uverbs ---- */

DECLARE_UVERBS_NAMED_METHOD(VRB_METHOD_QUEUE_QUERY,
			    UVERBS_ATTR_PTR_OUT(VRB_ATTR_QUEUE_QUERY_CAPS,
						UVERBS_ATTR_MIN_SIZE(sizeof(__u32)),
						UA_MANDATORY));

DECLARE_UVERBS_NAMED_METHOD(VRB_METHOD_QUEUE_CREATE,
			    UVERBS_ATTR_FD(VRB_ATTR_QUEUE_CREATE_FD, VRB_OBJECT_QUEUE,
					   UVERBS_ACCESS_NEW, UA_MANDATORY),
			    UVERBS_ATTR_PTR_IN(VRB_ATTR_QUEUE_CREATE_ATTR,
					       UVERBS_ATTR_STRUCT(struct vrb_queue_attr, reserved),
					       UA_MANDATORY));

DECLARE_UVERBS_NAMED_METHOD(VRB_METHOD_QUEUE_SUBMIT,
			    UVERBS_ATTR_FD(VRB_ATTR_QUEUE_SUBMIT_FD, VRB_OBJECT_QUEUE,
					   UVERBS_ACCESS_READ, UA_MANDATORY),
			    UVERBS_ATTR_PTR_IN(VRB_ATTR_QUEUE_SUBMIT_REQUESTS,
					       UVERBS_ATTR_MIN_SIZE(TAVOR_REQUEST_SIZE),
					       UA_MANDATORY, UA_ALLOC_AND_COPY),
			    UVERBS_ATTR_IDRS_ARR(VRB_ATTR_QUEUE_SUBMIT_QPS, UVERBS_OBJECT_QP,
						 UVERBS_ACCESS_READ, 1, VRB_QUEUE_MAX_BATCH,
						 UA_MANDATORY),
			    UVERBS_ATTR_PTR_OUT(VRB_ATTR_QUEUE_SUBMIT_ACCEPTED,
						UVERBS_ATTR_TYPE(__u32), UA_MANDATORY));

DECLARE_UVERBS_NAMED_METHOD(VRB_METHOD_QUEUE_CANCEL,
			    UVERBS_ATTR_FD(VRB_ATTR_QUEUE_CANCEL_FD, VRB_OBJECT_QUEUE,
					   UVERBS_ACCESS_READ, UA_MANDATORY),
			    UVERBS_ATTR_PTR_IN(VRB_ATTR_QUEUE_CANCEL_USER_DATA,
					       UVERBS_ATTR_TYPE(__u64), UA_MANDATORY));

DECLARE_UVERBS_NAMED_OBJECT(VRB_OBJECT_QUEUE,
			    UVERBS_TYPE_ALLOC_FD(sizeof(struct tavor_user_queue),
						 tavor_queue_destroy_uobj, &tavor_queue_fops,
						 "[verb_queue]", O_RDONLY),
			    &UVERBS_METHOD(VRB_METHOD_QUEUE_QUERY),
			    &UVERBS_METHOD(VRB_METHOD_QUEUE_CREATE),
			    &UVERBS_METHOD(VRB_METHOD_QUEUE_SUBMIT),
			    &UVERBS_METHOD(VRB_METHOD_QUEUE_CANCEL));

const struct uapi_definition tavor_user_queue_defs[] = {
	UAPI_DEF_CHAIN_OBJ_TREE_NAMED(VRB_OBJECT_QUEUE),
	{},
};
