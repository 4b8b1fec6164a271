// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The backend that uses the driver's verb queue. <rdma/vrb-abi.h> documents the interface.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <rdma/rdma_user_ioctl.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/vrb-abi.h>
#include "vrbq_internal.h"

#define MAX_ATTRS 4
#define PULL 32

/* One call of a method. call_add() and its variants add the attributes, call_make() makes it. */
struct call {
	struct ib_uverbs_ioctl_hdr hdr;
	struct ib_uverbs_attr attrs[MAX_ATTRS];
};

_Static_assert(sizeof(struct ib_uverbs_ioctl_hdr) == offsetof(struct call, attrs), "padding");

/**
 * struct kernel_batch - the requests of one submit
 * @requests: in the format of the driver's interface
 * @handles: the handles of their QPs
 */
struct kernel_batch {
	struct vrb_queue_request requests[VRB_QUEUE_MAX_BATCH];
	uint32_t handles[VRB_QUEUE_MAX_BATCH];
};

/* The length of a uverbs attribute has 16 bits. */
_Static_assert(sizeof(((struct kernel_batch *)0)->requests) <= UINT16_MAX, "batch");

static void call_init(struct call *call, uint16_t method)
{
	memset(call, 0, sizeof(*call));
	call->hdr.object_id = VRB_OBJECT_QUEUE;
	call->hdr.method_id = method;
	call->hdr.driver_id = RDMA_DRIVER_MTHCA;
}

static struct ib_uverbs_attr *call_add(struct call *call, uint16_t id)
{
	struct ib_uverbs_attr *attr = &call->attrs[call->hdr.num_attrs++];

	attr->attr_id = id;
	attr->flags = UVERBS_ATTR_F_MANDATORY;
	return attr;
}

static void call_fd(struct call *call, uint16_t id, int fd)
{
	call_add(call, id)->data_s64 = fd;
}

static void call_out(struct call *call, uint16_t id, void *data, size_t size)
{
	struct ib_uverbs_attr *attr = call_add(call, id);

	attr->len = size;
	attr->data = (uintptr_t)data;
}

/* Data of at most 8 bytes is stored in the attribute itself. */
static void call_in(struct call *call, uint16_t id, const void *data, size_t size)
{
	struct ib_uverbs_attr *attr = call_add(call, id);

	attr->len = size;
	if (size <= sizeof(attr->data))
		memcpy(&attr->data, data, size);
	else
		attr->data = (uintptr_t)data;
}

/* Returns 0 or an errno. */
static int call_make(const struct vrbq *q, struct call *call)
{
	call->hdr.length = sizeof(call->hdr) + call->hdr.num_attrs * sizeof(call->attrs[0]);
	return ioctl(q->context->cmd_fd, RDMA_VERBS_IOCTL, call) ? errno : 0;
}

static int query_caps(const struct vrbq *q, struct vrb_queue_caps *caps)
{
	struct call call;

	memset(caps, 0, sizeof(*caps));
	call_init(&call, VRB_METHOD_QUEUE_QUERY);
	call_out(&call, VRB_ATTR_QUEUE_QUERY_CAPS, caps, sizeof(*caps));
	return call_make(q, &call);
}

static int create(struct vrbq *q)
{
	const struct vrb_queue_attr attr = {
		.depth = q->depth,
		.completion_size = sizeof(struct vrb_queue_completion),
	};
	struct call call;
	int ret;

	call_init(&call, VRB_METHOD_QUEUE_CREATE);
	call_fd(&call, VRB_ATTR_QUEUE_CREATE_FD, 0);
	call_in(&call, VRB_ATTR_QUEUE_CREATE_ATTR, &attr, sizeof(attr));
	ret = call_make(q, &call);
	if (!ret)
		q->queue_fd = call.attrs[0].data_s64;
	return ret;
}

/*
 * Returns whether this library can use the driver's interface. A newer driver supports everything
 * that this library uses; an older one may support less.
 */
static bool is_usable(const struct vrbq *q, const struct vrb_queue_caps *caps)
{
	return caps->revision && caps->ops && caps->max_batch && q->depth <= caps->max_depth &&
	       caps->request_size >= sizeof(struct vrb_queue_request) &&
	       caps->completion_size >= sizeof(struct vrb_queue_completion);
}

static int watch(struct vrbq *q)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = q->queue_fd };
	int flags = fcntl(q->queue_fd, F_GETFL);

	if (flags < 0 || fcntl(q->queue_fd, F_SETFL, flags | O_NONBLOCK) ||
	    epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->queue_fd, &event))
		return errno;
	return 0;
}

/*
 * Returns 0; EOPNOTSUPP if the device has no verb queue; EPROTO if it has one that this library
 * cannot use; or another errno.
 */
int kernel_open(struct vrbq *q)
{
	struct vrb_queue_caps caps;
	int ret = query_caps(q, &caps);

	if (ret == EIO || ret == ENODEV)
		return ret;
	if (ret)
		return EOPNOTSUPP;
	q->revision = caps.revision;
	if (!is_usable(q, &caps))
		return EPROTO;
	q->ops = caps.ops;
	q->max_batch = caps.max_batch < VRB_QUEUE_MAX_BATCH ? caps.max_batch : VRB_QUEUE_MAX_BATCH;
	q->slots = caps.slots;
	q->batch = malloc(sizeof(*q->batch));
	if (!q->batch)
		return ENOMEM;
	ret = create(q);
	return ret ? ret : watch(q);
}

static uint32_t queue_op(uint32_t op)
{
	switch (op) {
	case VRBQ_OP_MODIFY_QP:
		return VRB_QUEUE_OP_MODIFY;
	case VRBQ_OP_CONNECT_QP:
		return VRB_QUEUE_OP_CONNECT;
	case VRBQ_OP_RESET_QP:
		return VRB_QUEUE_OP_RESET;
	case VRBQ_OP_QUERY_QP:
		return VRB_QUEUE_OP_QUERY;
	case VRBQ_OP_QUIESCE_QP:
	case VRBQ_OP_DESTROY_QP:
		return VRB_QUEUE_OP_QUIESCE;
	}
	return 0;
}

/*
 * Returns whether the verb queue executes the request. A thread executes those that the driver does
 * not support.
 */
bool kernel_has(const struct vrbq *q, const struct vrbq_request *request)
{
	const uint32_t op = queue_op(request->op);

	return q->queue_fd >= 0 && op && (q->ops & (1ull << op));
}

/* The fields that have the same name in the structures of libibverbs and of uverbs */
#define AH_FIELDS(F)                  \
	do {                          \
		F(grh.flow_label);    \
		F(grh.sgid_index);    \
		F(grh.hop_limit);     \
		F(grh.traffic_class); \
		F(dlid);              \
		F(sl);                \
		F(src_path_bits);     \
		F(static_rate);       \
		F(is_global);         \
		F(port_num);          \
	} while (0)

#define QP_ATTR_FIELDS(F)               \
	do {                            \
		F(qp_state);            \
		F(cur_qp_state);        \
		F(path_mtu);            \
		F(path_mig_state);      \
		F(qkey);                \
		F(rq_psn);              \
		F(sq_psn);              \
		F(dest_qp_num);         \
		F(qp_access_flags);     \
		F(pkey_index);          \
		F(alt_pkey_index);      \
		F(en_sqd_async_notify); \
		F(sq_draining);         \
		F(max_rd_atomic);       \
		F(max_dest_rd_atomic);  \
		F(min_rnr_timer);       \
		F(port_num);            \
		F(timeout);             \
		F(retry_cnt);           \
		F(rnr_retry);           \
		F(alt_port_num);        \
		F(alt_timeout);         \
	} while (0)

#define CAP_FIELDS(F)               \
	do {                        \
		F(max_send_wr);     \
		F(max_recv_wr);     \
		F(max_send_sge);    \
		F(max_recv_sge);    \
		F(max_inline_data); \
	} while (0)

#define COPY(field) to->field = from->field
#define COPY_CAP_IN(field) to->field = from->cap.field
#define COPY_CAP_OUT(field) to->cap.field = from->field

static void ah_to_kernel(struct ib_uverbs_ah_attr *to, const struct ibv_ah_attr *from)
{
	memcpy(to->grh.dgid, from->grh.dgid.raw, sizeof(to->grh.dgid));
	AH_FIELDS(COPY);
}

static void ah_from_kernel(struct ibv_ah_attr *to, const struct ib_uverbs_ah_attr *from)
{
	memcpy(to->grh.dgid.raw, from->grh.dgid, sizeof(to->grh.dgid.raw));
	AH_FIELDS(COPY);
}

static void attr_to_kernel(struct ib_uverbs_qp_attr *to, const struct ibv_qp_attr *from, int mask)
{
	memset(to, 0, sizeof(*to));
	to->qp_attr_mask = mask;
	QP_ATTR_FIELDS(COPY);
	CAP_FIELDS(COPY_CAP_IN);
	ah_to_kernel(&to->ah_attr, &from->ah_attr);
	ah_to_kernel(&to->alt_ah_attr, &from->alt_ah_attr);
}

static void attr_from_kernel(struct ibv_qp_attr *to, const struct ib_uverbs_qp_attr *from)
{
	memset(to, 0, sizeof(*to));
	QP_ATTR_FIELDS(COPY);
	CAP_FIELDS(COPY_CAP_OUT);
	ah_from_kernel(&to->ah_attr, &from->ah_attr);
	ah_from_kernel(&to->alt_ah_attr, &from->alt_ah_attr);
}

/* The driver identifies a request by the index of its entry and the entry's generation. */
static uint64_t user_data_of(const struct vrbq *q, const struct entry *entry)
{
	return (uint64_t)entry->generation << 32 | (uint32_t)(entry - q->entries);
}

static struct entry *entry_of(const struct vrbq *q, uint64_t user_data)
{
	const uint32_t index = (uint32_t)user_data;
	struct entry *entry;

	if (index >= q->depth)
		return NULL;
	entry = &q->entries[index];
	return entry->generation == user_data >> 32 && entry->state == STATE_ISSUED ? entry : NULL;
}

static void fill(const struct vrbq *q, struct vrb_queue_request *to, const struct entry *entry)
{
	const struct vrbq_request *from = &entry->request;

	memset(to, 0, sizeof(*to));
	to->user_data = user_data_of(q, entry);
	to->op = queue_op(from->op);
	if (from->op == VRBQ_OP_MODIFY_QP || from->op == VRBQ_OP_CONNECT_QP)
		attr_to_kernel(&to->attr, &from->modify.attr, from->modify.attr_mask);
}

/*
 * The verb queue has completed the request with @status. A successful reset is repeated through
 * libibverbs, so that the provider removes the QP's completions from its CQs. A destroy is finished
 * by libibverbs, whatever @status is, unless it was cancelled; its result is that of libibverbs.
 */
static void through(struct vrbq *q, struct entry *entry, int status)
{
	const uint32_t op = entry->request.op;
	const bool reset = !status && is_to_reset(&entry->request);

	entry->result.status = status;
	if (!reset && (op != VRBQ_OP_DESTROY_QP || status == ECANCELED)) {
		order_over(q, entry, status);
		return;
	}
	entry->state = STATE_FINISHING;
	TAILQ_INSERT_TAIL(&q->finishing, entry, list);
}

/*
 * Submits the first @n pending requests. Returns 0 or an errno, and the number of accepted requests
 * in @accepted.
 */
static int submit(struct vrbq *q, uint32_t n, uint32_t *accepted)
{
	struct entry *entry = TAILQ_FIRST(&q->pending);
	struct call call;
	uint32_t i;

	for (i = 0; i < n; i++, entry = TAILQ_NEXT(entry, list)) {
		fill(q, &q->batch->requests[i], entry);
		q->batch->handles[i] = entry->request.qp->handle;
	}
	*accepted = 0;
	call_init(&call, VRB_METHOD_QUEUE_SUBMIT);
	call_fd(&call, VRB_ATTR_QUEUE_SUBMIT_FD, q->queue_fd);
	call_in(&call, VRB_ATTR_QUEUE_SUBMIT_REQUESTS, q->batch->requests,
		n * sizeof(q->batch->requests[0]));
	call_in(&call, VRB_ATTR_QUEUE_SUBMIT_QPS, q->batch->handles, n * sizeof(uint32_t));
	call_out(&call, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, accepted, sizeof(*accepted));
	return call_make(q, &call);
}

static struct entry *take_pending(struct vrbq *q)
{
	struct entry *entry = TAILQ_FIRST(&q->pending);

	TAILQ_REMOVE(&q->pending, entry, list);
	return entry;
}

/* Returns whether this error of a call means that there is no verb queue any more. */
static bool is_gone(int err)
{
	return err == EIO || err == EBADF;
}

static uint32_t count_pending(const struct vrbq *q)
{
	struct entry *entry;
	uint32_t n = 0;

	TAILQ_FOREACH(entry, &q->pending, list) {
		if (++n == q->max_batch)
			break;
	}
	return n;
}

/*
 * The driver will complete nothing more, because it is gone or the program has closed the verb
 * queue's descriptor: all requests that it had complete with EIO.
 */
void kernel_die(struct vrbq *q)
{
	struct entry *entry;

	if (q->dead || q->queue_fd < 0)
		return;
	q->dead = true;
	epoll_ctl(q->epoll, EPOLL_CTL_DEL, q->queue_fd, NULL);
	TAILQ_FOREACH(entry, &q->outstanding, all) {
		if (entry->state == STATE_ISSUED)
			through(q, entry, EIO);
	}
}

/*
 * Submits the pending requests to the verb queue. A batch that contains an invalid request is
 * refused as a whole. Then its requests are submitted one by one, and the invalid one completes
 * with the error.
 */
void kernel_flush(struct vrbq *q)
{
	uint32_t n, accepted, singly = 0;
	int ret;

	while ((n = count_pending(q))) {
		if (singly)
			n = 1;
		accepted = 0;
		ret = q->dead ? EIO : submit(q, n, &accepted);
		if (is_gone(ret)) {
			kernel_die(q);
			ret = EIO;
		}
		if (ret && n > 1 && !q->dead) {
			singly = n;
			continue;
		}
		if (ret || !accepted)
			through(q, take_pending(q), ret ? ret : EAGAIN);
		for (; accepted && n; accepted--, n--)
			take_pending(q)->state = STATE_ISSUED;
		if (singly)
			singly--;
	}
}

static void query_result(const struct vrbq_request *request, const struct ib_uverbs_qp_attr *attr)
{
	struct ibv_qp_init_attr *init = request->query.init_attr;
	struct ibv_qp *qp = request->qp;

	attr_from_kernel(request->query.attr, attr);
	if (request->query.attr_mask & IBV_QP_STATE)
		qp->state = request->query.attr->qp_state;
	if (!init)
		return;
	memset(init, 0, sizeof(*init));
	init->qp_context = qp->qp_context;
	init->send_cq = qp->send_cq;
	init->recv_cq = qp->recv_cq;
	init->srq = qp->srq;
	init->qp_type = qp->qp_type;
	init->cap = request->query.attr->cap;
}

static void complete(struct vrbq *q, const struct vrb_queue_completion *completion)
{
	struct entry *entry = entry_of(q, completion->user_data);
	const struct vrbq_request *request;

	if (!entry)
		return;
	request = &entry->request;
	entry->result.step = completion->step;
	entry->result.qp_state = completion->qp_state;
	if (request->op == VRBQ_OP_QUERY_QP && !completion->status)
		query_result(request, &completion->attr);
	/* After ECANCELED the QP must not be accessed: the program may have destroyed it. */
	else if (completion->status != ECANCELED && completion->qp_state <= IBV_QPS_ERR)
		request->qp->state = completion->qp_state;
	through(q, entry, completion->status);
}

/*
 * Reads up to @want completions. If the driver is gone, or the descriptor is not that of a verb
 * queue any more, the queue is dead.
 */
void kernel_pull(struct vrbq *q, uint32_t want)
{
	struct vrb_queue_completion completions[PULL];
	ssize_t got, i;
	size_t n;

	while (want && q->queue_fd >= 0 && !q->dead) {
		n = want < PULL ? want : PULL;
		got = read(q->queue_fd, completions, n * sizeof(completions[0]));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0 || got % sizeof(completions[0])) {
			kernel_die(q);
			return;
		}
		got /= sizeof(completions[0]);
		for (i = 0; i < got; i++)
			complete(q, &completions[i]);
		if ((size_t)got < n)
			return;
		want -= n;
	}
}

/*
 * Returns 0, or an errno: EALREADY if the request is not cancelled and completes as usual, EIO if
 * there is no verb queue any more.
 */
int kernel_cancel(struct vrbq *q, struct entry *entry)
{
	const uint64_t user_data = user_data_of(q, entry);
	struct call call;
	int ret;

	call_init(&call, VRB_METHOD_QUEUE_CANCEL);
	call_fd(&call, VRB_ATTR_QUEUE_CANCEL_FD, q->queue_fd);
	call_in(&call, VRB_ATTR_QUEUE_CANCEL_USER_DATA, &user_data, sizeof(user_data));
	ret = call_make(q, &call);
	if (is_gone(ret)) {
		kernel_die(q);
		return EIO;
	}
	/* ENOENT: the request has completed, and its completion has not been read yet. */
	return ret == ENOENT ? EALREADY : ret;
}
