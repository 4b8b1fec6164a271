/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The verbs of RDMA objects as requests, for kernel clients that must not sleep.
 *
 * A client needs four things, and each has one form:
 *
 *	memory of an object	vrb_alloc_*(): a shell, which the hardware does not know yet;
 *				for a CQ also the memory for another size
 *	a verb			a typed request: vrb_prep_*(), then vrb_submit()
 *	an event		vrb_prep_await_*(), then vrb_submit()
 *	the end of an object	vrb_destroy_*(): needs no memory and cannot fail
 *
 * Memory and command are separate, so vrb_submit() allocates nothing. A create that fails leaves a
 * shell, which is destroyed like any other. A client that no longer needs an object whose create is
 * outstanding destroys it: the destroy waits for the create and reverts it.
 *
 * A shell is a struct ib_qp, ib_cq, ib_srq or ib_mr that works with ib_post_send(),
 * ib_post_recv(), ib_post_srq_recv(), ib_poll_cq(), ib_req_notify_cq() and
 * ib_process_cq_direct(). Before its create has completed these return an error and change nothing
 * (ib_poll_cq() and ib_process_cq_direct() find nothing). ib_core does not know shells: they must
 * not be passed to ib_modify_qp(), ib_drain_qp() or ib_destroy_*(), and ib_create_qp() refuses a
 * shell as a CQ with -EINVAL.
 *
 * A submit without an object, or with one of another device, is refused with -EINVAL at once. The
 * values that the other fields may have are documented with each. If one has another value, no
 * command is issued, the object does not change, and the status is -EINVAL unless another errno is
 * named.
 *
 * Requests on kernel objects of ib_core are accepted as well, and are queued with what ib_core
 * submits. There a mask with %IB_QP_PORT, %IB_QP_PKEY_INDEX or %IB_QP_ALT_PATH is refused with
 * -EACCES, because ib_core's security modules must check it. So is any request on a process's
 * object.
 *
 * How to use each: Documentation/vrb-client.rst. Errnos: the top of <rdma/vrb.h>.
 */
#ifndef RDMA_VRB_VERBS_H
#define RDMA_VRB_VERBS_H

#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>

/**
 * enum vrb_op - the verbs, for vrb_client_can()
 * @VRB_OP_NONE: a request of the provider's own
 * @VRB_OP_CREATE_CQ: struct vrb_create_cq
 * @VRB_OP_CREATE_QP: struct vrb_create_qp
 * @VRB_OP_CREATE_SRQ: struct vrb_create_srq
 * @VRB_OP_CREATE_MR: struct vrb_create_mr
 * @VRB_OP_RESIZE_CQ: struct vrb_resize_cq
 * @VRB_OP_MODIFY_QP: struct vrb_modify_qp
 * @VRB_OP_CONNECT_QP: struct vrb_connect_qp
 * @VRB_OP_RESET_QP: struct vrb_reset_qp
 * @VRB_OP_QUERY_QP: struct vrb_query_qp
 * @VRB_OP_ATTACH_MCAST: struct vrb_mcast
 * @VRB_OP_DETACH_MCAST: struct vrb_mcast
 * @VRB_OP_MODIFY_SRQ: struct vrb_modify_srq
 * @VRB_OP_QUERY_SRQ: struct vrb_query_srq
 * @VRB_OP_REG_MR: struct vrb_reg_mr
 * @VRB_OP_UNREG_MR: struct vrb_unreg_mr
 * @VRB_OP_QUERY_PORT: struct vrb_query_port
 * @VRB_OP_MODIFY_PORT: struct vrb_modify_port
 * @VRB_OP_PROCESS_MAD: struct vrb_process_mad
 * @VRB_OP_AWAIT_CQ: struct vrb_await_cq
 * @VRB_OP_AWAIT_EVENT: struct vrb_await_event
 */
enum vrb_op {
	VRB_OP_NONE,
	VRB_OP_CREATE_CQ,
	VRB_OP_CREATE_QP,
	VRB_OP_CREATE_SRQ,
	VRB_OP_CREATE_MR,
	VRB_OP_RESIZE_CQ,
	VRB_OP_MODIFY_QP,
	VRB_OP_CONNECT_QP,
	VRB_OP_RESET_QP,
	VRB_OP_QUERY_QP,
	VRB_OP_ATTACH_MCAST,
	VRB_OP_DETACH_MCAST,
	VRB_OP_MODIFY_SRQ,
	VRB_OP_QUERY_SRQ,
	VRB_OP_REG_MR,
	VRB_OP_UNREG_MR,
	VRB_OP_QUERY_PORT,
	VRB_OP_MODIFY_PORT,
	VRB_OP_PROCESS_MAD,
	VRB_OP_AWAIT_CQ,
	VRB_OP_AWAIT_EVENT,
	/* private: */
	VRB_NR_OPS
};

/* ---- Requests ---- */

/*
 * A typed request is one structure with the inputs (by value), the callback and the results. In
 * all of them the object follows the struct vrb. Fields below "private:" are the provider's.
 */

/**
 * struct vrb_create_cq - create a shell's CQ in the hardware
 * @vrb: request
 * @cq: shell of vrb_alloc_cq(), whose create has not been submitted before, or has failed
 *
 * For -ENOLINK and -EINVAL see struct vrb_create_qp.
 */
struct vrb_create_cq {
	struct vrb vrb;
	struct ib_cq *cq;
};

/**
 * struct vrb_create_qp - create a shell's QP in the hardware
 * @vrb: request
 * @qp: shell of vrb_alloc_qp(), whose create has not been submitted before, or has failed
 *
 * The creates of its CQs and its SRQ may be outstanding: this request waits for them, and other
 * requests on @qp wait for this one. It is refused with -EINVAL if one of those creates was never
 * submitted. If one has failed, it is refused with -ENOLINK, or completes with it. When a create
 * fails, the requests queued behind it complete with -ENOLINK too, and until the last of these has
 * completed every submit on @qp is refused with it. A destroy of one of those CQs, or of the SRQ,
 * cancels this request.
 *
 * Afterwards the QP is in %IB_QPS_RESET. vrb_alloc_qp() has set &ib_qp.qp_num.
 */
struct vrb_create_qp {
	struct vrb vrb;
	struct ib_qp *qp;
};

/**
 * struct vrb_create_srq - create a shell's SRQ in the hardware
 * @vrb: request
 * @srq: shell of vrb_alloc_srq(); see struct vrb_create_qp
 */
struct vrb_create_srq {
	struct vrb vrb;
	struct ib_srq *srq;
};

/**
 * struct vrb_create_mr - create a shell's region, which struct vrb_reg_mr then gives memory
 * @vrb: request
 * @mr: shell of vrb_alloc_mr(); see struct vrb_create_qp
 */
struct vrb_create_mr {
	struct vrb vrb;
	struct ib_mr *mr;
};

/**
 * struct vrb_resize_cq - give a CQ another size
 * @vrb: request
 * @cq: the CQ, created
 * @cqe: as passed to vrb_alloc_cq_ring(); &ib_cq.cqe has the actual size, at the latest when the
 *	callback runs
 *
 * vrb_alloc_cq_ring() allocates the memory beforehand. The CQ keeps its completions, in order, and
 * may be polled and armed all the time. One poll, the one that reaches the end of the previous
 * memory, may return fewer completions than there are. An arming after it reports the rest as
 * usual.
 *
 * -EINVAL: there is no memory of this size, or the CQ holds more completions than would fit. Then
 * nothing has changed, and the same request may be submitted again when some completions have been
 * polled. It may also be submitted again after -ETIMEDOUT, once the CQ accepts requests.
 */
struct vrb_resize_cq {
	struct vrb vrb;
	struct ib_cq *cq;
	int cqe;
};

/**
 * struct vrb_modify_qp - one transition of a QP, as ib_modify_qp()
 * @vrb: request; of the teardown class if the new state is %IB_QPS_ERR or %IB_QPS_RESET
 * @qp: the QP
 * @attr: the attributes that @mask selects. A &rdma_ah_attr must have the type
 *	%RDMA_AH_ATTR_TYPE_IB and a port of the device. With a GRH, &ib_global_route.sgid_index
 *	selects the source GID, and &ib_global_route.sgid_attr may be set, to that of this device
 *	and index: the QP holds a reference to it until it gets another path or is destroyed
 * @mask: enum ib_qp_attr_mask
 *
 * -EINVAL: the transition does not exist, an attribute is missing or is not allowed with it, or a
 * value is out of range. -EOPNOTSUPP: the provider lacks an attribute in @mask. A QP whose
 * transition fails keeps its state. For posts during a transition to %IB_QPS_RESET see struct
 * vrb_reset_qp.
 */
struct vrb_modify_qp {
	struct vrb vrb;
	struct ib_qp *qp;
	struct ib_qp_attr attr;
	int mask;
};

/**
 * struct vrb_connect_qp - move a QP from its state to RTR or RTS
 * @vrb: request; on failure &vrb.step is the transition: 0 to INIT, 1 to RTR, 2 to RTS
 * @qp: the QP: its create is outstanding, or it is in RESET, INIT or RTR; one of ib_core's must be
 *	in INIT or RTR
 * @attr: the attributes of all transitions; each uses those that it needs, see the table in
 *	Documentation/vrb-client.rst. For addresses and values see struct vrb_modify_qp
 * @to: %IB_QPS_RTR or %IB_QPS_RTS, anything else is -EINVAL; a QP that is in this state already
 *	does not change
 *
 * On failure the QP keeps the state it has reached, which vrb_qp_state() returns. A value that only
 * a later transition uses is not checked before that transition.
 */
struct vrb_connect_qp {
	struct vrb vrb;
	struct ib_qp *qp;
	struct ib_qp_attr attr;
	enum ib_qp_state to;
};

/**
 * struct vrb_reset_qp - return a QP to its state after the create
 * @vrb: request, of the teardown class
 * @qp: the QP, in any state
 *
 * Afterwards it is in %IB_QPS_RESET, its queues are empty, and its CQs hold no completion of it. So
 * QPs in a pool can be used again without a create.
 *
 * A post may race with it. Once the command has been issued, posts fail with -EINVAL on every CPU
 * until the QP is in %IB_QPS_INIT again (receives) or in %IB_QPS_RTS (sends). Work requests that
 * were posted before are discarded without a completion. If the command fails, posts are accepted
 * as before, except after -ETIMEDOUT.
 */
struct vrb_reset_qp {
	struct vrb vrb;
	struct ib_qp *qp;
};

/**
 * struct vrb_query_qp - query a QP, as ib_query_qp()
 * @vrb: request
 * @qp: the QP
 * @attr: filled in
 * @init_attr: filled in
 */
struct vrb_query_qp {
	struct vrb vrb;
	struct ib_qp *qp;
	struct ib_qp_attr attr;
	struct ib_qp_init_attr init_attr;
};

/**
 * struct vrb_mcast - attach a QP to a multicast group or detach it
 * @vrb: request; a detach is of the teardown class
 * @qp: a UD QP
 * @gid: the group, a multicast GID: its first byte is 0xff
 *
 * An attached group is a child of the QP. The destroy of the QP stays pending until the last group
 * is detached, and a detach is accepted while it is pending. A detach that was queued before the
 * destroy is cancelled with the other requests, and may be submitted again.
 *
 * Status: 0 also if the QP was attached already. -EINVAL: it was not attached, @qp is no UD QP, or
 * @gid is no multicast GID. -ENOMEM: the group or the table is full. -EUCLEAN, of an attach: a
 * multicast command of another QP has timed out and is still outstanding. After -ETIMEDOUT it is
 * not known whether the QP is attached.
 */
struct vrb_mcast {
	struct vrb vrb;
	struct ib_qp *qp;
	union ib_gid gid;
};

/**
 * struct vrb_modify_srq - set the limit of an SRQ, as ib_modify_srq()
 * @vrb: request
 * @srq: the SRQ
 * @attr: the new limit, &ib_srq_attr.srq_limit, at most the &ib_srq_attr.max_wr of the SRQ; its
 *	event comes once
 * @mask: %IB_SRQ_LIMIT; 0 changes nothing; -EOPNOTSUPP: anything else
 */
struct vrb_modify_srq {
	struct vrb vrb;
	struct ib_srq *srq;
	struct ib_srq_attr attr;
	int mask;
};

/**
 * struct vrb_query_srq - query an SRQ, as ib_query_srq()
 * @vrb: request
 * @srq: the SRQ
 * @attr: filled in
 */
struct vrb_query_srq {
	struct vrb vrb;
	struct ib_srq *srq;
	struct ib_srq_attr attr;
};

/**
 * struct vrb_reg_mr - register memory with a region
 * @vrb: request
 * @mr: created region, not registered
 * @iova: address of the first byte in work requests; its offset in a page is that of the memory
 * @length: in bytes, 1 or more; the last byte's address is at most 2^64 - 2
 * @pages: DMA addresses of the pages, mapped by the caller, in order, each a multiple of the page
 *	size; the array must stay until the callback
 * @nr_pages: their number: as many as @iova and @length need, at most the number that was passed
 *	to vrb_alloc_mr()
 * @page_shift: log2 of the size of each, 12 .. 31
 * @access: IB_ACCESS_LOCAL_WRITE, _REMOTE_READ, _REMOTE_WRITE, _REMOTE_ATOMIC; remote writes and
 *	atomics need local writes
 *
 * &ib_mr.lkey and &ib_mr.rkey are valid from the callback on. The status is -EINVAL if one of the
 * fields has another value, or if @mr is registered already; then nothing has changed.
 */
struct vrb_reg_mr {
	struct vrb vrb;
	struct ib_mr *mr;
	u64 iova;
	u64 length;
	const dma_addr_t *pages;
	u32 nr_pages;
	u8 page_shift;
	int access;
	/* private: */
	u32 written;
};

/**
 * struct vrb_unreg_mr - end the registration of memory
 * @vrb: request, of the teardown class
 * @mr: registered region
 *
 * If the status is 0 or -EIO, the hardware no longer uses the memory or the keys. After 0 the
 * region may be registered again, with keys that differ from the previous ones. After any other
 * status, including -ETIMEDOUT of a struct vrb_reg_mr, the hardware may still use both: the pages
 * must stay mapped until a later struct vrb_unreg_mr has succeeded, or until the region is gone.
 */
struct vrb_unreg_mr {
	struct vrb vrb;
	struct ib_mr *mr;
};

/**
 * struct vrb_query_port - query a port, as ib_query_port()
 * @vrb: request
 * @port: 1 .. &ib_device.phys_port_cnt
 * @attr: filled in; &ib_port_attr.subnet_prefix too
 */
struct vrb_query_port {
	struct vrb vrb;
	u32 port;
	struct ib_port_attr attr;
};

/**
 * struct vrb_modify_port - as ib_modify_port()
 * @vrb: request
 * @port: 1 .. &ib_device.phys_port_cnt
 * @mask: %IB_PORT_RESET_QKEY_CNTR or 0; -EOPNOTSUPP: anything else
 * @props: capabilities to set and to clear; one that is in both is cleared
 */
struct vrb_modify_port {
	struct vrb vrb;
	u32 port;
	int mask;
	struct ib_port_modify props;
	/* private: */
	u32 caps;
};

struct ib_mad;

/**
 * struct vrb_process_mad - pass a MAD to the HCA's own agent
 * @vrb: request
 * @port: 1 .. &ib_device.phys_port_cnt
 * @flags: enum ib_mad_flags
 * @wc: the completion of its receive, with &ib_wc.qp set; NULL: it comes from this host
 * @grh: its GRH, or NULL if @wc has no %IB_WC_GRH
 * @in: the MAD, 256 bytes, not NULL
 * @out: the reply, 256 bytes, not NULL; may be @in
 * @result: enum ib_mad_result
 *
 * @wc, @grh, @in and @out must stay until the callback.
 */
struct vrb_process_mad {
	struct vrb vrb;
	u32 port;
	int flags;
	const struct ib_wc *wc;
	const struct ib_grh *grh;
	const struct ib_mad *in;
	struct ib_mad *out;
	int result;
};

/**
 * struct vrb_await_cq - wait for a CQ's next completion
 * @vrb: request; it has no slot, no class and no deadline
 * @cq: the CQ
 * @flags: %IB_CQ_NEXT_COMP or %IB_CQ_SOLICITED; anything else is -EINVAL
 *
 * Arms the CQ. Completes with 0 at its next event, or at once if there is a completion that the
 * last poll has not seen. So poll a bounded number of completions in the callback, then submit
 * again: if there are more, the request completes in the next run of the pump. Several requests may
 * wait for one CQ, and its event completes all of them. If one of them waits for any completion,
 * the event need not be a solicited one. After ib_req_notify_cq() &ib_cq.comp_handler is called as
 * usual. The hardware keeps only the last arming, whether by a request or by ib_req_notify_cq().
 */
struct vrb_await_cq {
	struct vrb vrb;
	struct ib_cq *cq;
	enum ib_cq_notify_flags flags;
};

/**
 * struct vrb_await_event - wait for asynchronous events
 * @vrb: request; it has no slot, no class and no deadline
 * @filter: BIT_ULL(enum ib_event_type) of each event to wait for; other bits are ignored
 * @came: the events of @filter that have occurred since each was last reported to the client
 * @seq: number of events of this client so far, of all types. If it has grown since the last
 *	request by more than the number of bits that are set in @came, there were events of types
 *	that are not in @filter, or events of the same type were merged
 *
 * Reports events of the device, of its ports, and of the client's own shells. An event that occurs
 * while no request waits for it is kept, so that the next request completes at once. The event
 * handler of an object says which object it is.
 */
struct vrb_await_event {
	struct vrb vrb;
	u64 filter;
	u64 came;
	u64 seq;
};

/* private: the beginning of each request on an object */
struct vrb_typed {
	struct vrb vrb;
	void *object;
};

/* ---- Preparing ---- */

/*
 * vrb_prep_*() set the verb and the object of a request, and clear its callback, group and
 * deadline. The caller sets the other fields, and may submit the request again, without another
 * preparation, once it is idle. A request must not be prepared while it is not idle, or while a
 * vrb_cancel() or vrb_kill() of it is in progress. Context: any.
 */

static inline void vrb_prep_create_cq(struct vrb_create_cq *req, struct ib_cq *cq)
{
	req->vrb = (struct vrb){ .op = VRB_OP_CREATE_CQ };
	req->cq = cq;
}

static inline void vrb_prep_create_qp(struct vrb_create_qp *req, struct ib_qp *qp)
{
	req->vrb = (struct vrb){ .op = VRB_OP_CREATE_QP };
	req->qp = qp;
}

static inline void vrb_prep_create_srq(struct vrb_create_srq *req, struct ib_srq *srq)
{
	req->vrb = (struct vrb){ .op = VRB_OP_CREATE_SRQ };
	req->srq = srq;
}

static inline void vrb_prep_create_mr(struct vrb_create_mr *req, struct ib_mr *mr)
{
	req->vrb = (struct vrb){ .op = VRB_OP_CREATE_MR };
	req->mr = mr;
}

static inline void vrb_prep_resize_cq(struct vrb_resize_cq *req, struct ib_cq *cq)
{
	req->vrb = (struct vrb){ .op = VRB_OP_RESIZE_CQ };
	req->cq = cq;
}

static inline void vrb_prep_modify_qp(struct vrb_modify_qp *req, struct ib_qp *qp)
{
	req->vrb = (struct vrb){ .op = VRB_OP_MODIFY_QP };
	req->qp = qp;
}

static inline void vrb_prep_connect_qp(struct vrb_connect_qp *req, struct ib_qp *qp)
{
	req->vrb = (struct vrb){ .op = VRB_OP_CONNECT_QP };
	req->qp = qp;
}

static inline void vrb_prep_reset_qp(struct vrb_reset_qp *req, struct ib_qp *qp)
{
	req->vrb = (struct vrb){ .op = VRB_OP_RESET_QP };
	req->qp = qp;
}

static inline void vrb_prep_query_qp(struct vrb_query_qp *req, struct ib_qp *qp)
{
	req->vrb = (struct vrb){ .op = VRB_OP_QUERY_QP };
	req->qp = qp;
}

static inline void vrb_prep_attach_mcast(struct vrb_mcast *req, struct ib_qp *qp)
{
	req->vrb = (struct vrb){ .op = VRB_OP_ATTACH_MCAST };
	req->qp = qp;
}

static inline void vrb_prep_detach_mcast(struct vrb_mcast *req, struct ib_qp *qp)
{
	req->vrb = (struct vrb){ .op = VRB_OP_DETACH_MCAST };
	req->qp = qp;
}

static inline void vrb_prep_modify_srq(struct vrb_modify_srq *req, struct ib_srq *srq)
{
	req->vrb = (struct vrb){ .op = VRB_OP_MODIFY_SRQ };
	req->srq = srq;
}

static inline void vrb_prep_query_srq(struct vrb_query_srq *req, struct ib_srq *srq)
{
	req->vrb = (struct vrb){ .op = VRB_OP_QUERY_SRQ };
	req->srq = srq;
}

static inline void vrb_prep_reg_mr(struct vrb_reg_mr *req, struct ib_mr *mr)
{
	req->vrb = (struct vrb){ .op = VRB_OP_REG_MR };
	req->mr = mr;
}

static inline void vrb_prep_unreg_mr(struct vrb_unreg_mr *req, struct ib_mr *mr)
{
	req->vrb = (struct vrb){ .op = VRB_OP_UNREG_MR };
	req->mr = mr;
}

static inline void vrb_prep_await_cq(struct vrb_await_cq *req, struct ib_cq *cq)
{
	req->vrb = (struct vrb){ .op = VRB_OP_AWAIT_CQ };
	req->cq = cq;
}

static inline void vrb_prep_query_port(struct vrb_query_port *req, u32 port)
{
	req->vrb = (struct vrb){ .op = VRB_OP_QUERY_PORT };
	req->port = port;
}

static inline void vrb_prep_modify_port(struct vrb_modify_port *req, u32 port)
{
	req->vrb = (struct vrb){ .op = VRB_OP_MODIFY_PORT };
	req->port = port;
}

static inline void vrb_prep_process_mad(struct vrb_process_mad *req, u32 port)
{
	req->vrb = (struct vrb){ .op = VRB_OP_PROCESS_MAD };
	req->port = port;
}

static inline void vrb_prep_await_event(struct vrb_await_event *req, u64 filter)
{
	req->vrb = (struct vrb){ .op = VRB_OP_AWAIT_EVENT };
	req->filter = filter;
}

/* ---- Objects ---- */

struct ib_cq *vrb_alloc_cq(struct vrb_client *client, const struct ib_cq_init_attr *attr,
			   ib_comp_handler comp, void (*event)(struct ib_event *, void *),
			   void *context, gfp_t gfp);
int vrb_alloc_cq_ring(struct vrb_client *client, struct ib_cq *cq, int cqe, gfp_t gfp);
struct ib_qp *vrb_alloc_qp(struct vrb_client *client, struct ib_pd *pd,
			   struct ib_qp_init_attr *attr, gfp_t gfp);
struct ib_srq *vrb_alloc_srq(struct vrb_client *client, struct ib_pd *pd,
			     struct ib_srq_init_attr *attr, gfp_t gfp);
struct ib_mr *vrb_alloc_mr(struct vrb_client *client, struct ib_pd *pd, u32 max_pages, gfp_t gfp);

int vrb_destroy_cq(struct vrb_client *client, struct ib_cq *cq, void (*gone)(void *context),
		   void *context);
int vrb_destroy_qp(struct vrb_client *client, struct ib_qp *qp, void (*gone)(void *context),
		   void *context);
int vrb_destroy_srq(struct vrb_client *client, struct ib_srq *srq, void (*gone)(void *context),
		    void *context);
int vrb_destroy_mr(struct vrb_client *client, struct ib_mr *mr, void (*gone)(void *context),
		   void *context);

enum ib_qp_state vrb_qp_state(const struct vrb_client *client, const struct ib_qp *qp);
bool vrb_client_can(const struct vrb_client *client, enum vrb_op op);

#endif /* RDMA_VRB_VERBS_H */
