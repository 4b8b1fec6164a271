/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The verbs of RDMA objects as requests: what a kernel client asks for without ever sleeping.
 *
 * A client needs four things, and each has one form:
 *
 *	memory of an object	vrb_alloc_*(): a shell, of which the hardware does not know yet;
 *				of a CQ also the memory for another size
 *	a verb			a typed request: vrb_prep_*(), then vrb_submit()
 *	an event		vrb_prep_await_*(), then vrb_submit()
 *	the end of an object	vrb_destroy_*(): needs no memory and cannot fail
 *
 * Memory and command are apart: vrb_submit() allocates nothing, a create that fails leaves a shell
 * that is destroyed like any other, and who loses interest in a create that is under way destroys
 * the object: its destroy waits for the create and takes it back.
 *
 * A shell is a struct ib_qp, ib_cq, ib_srq or ib_mr that works with ib_post_send(),
 * ib_post_recv(), ib_post_srq_recv(), ib_poll_cq(), ib_req_notify_cq() and
 * ib_process_cq_direct(). Before its create has completed these return an error and touch nothing
 * (ib_poll_cq() finds nothing). ib_core does not know of it: ib_modify_qp(), ib_drain_qp() and
 * ib_destroy_*() are not for shells, and ib_create_qp() refuses shells of CQs with -EINVAL.
 *
 * A request without an object, or with one of another device, is refused with -EINVAL at once.
 * What its other fields must be is said with each; where one is not, the status is -EINVAL unless
 * another errno is named, no command has been issued, and the object is as it was.
 *
 * Requests on the kernel objects of ib_core are accepted as well and line up with what ib_core
 * asks for. Of those, masks with %IB_QP_PORT, %IB_QP_PKEY_INDEX or %IB_QP_ALT_PATH are answered
 * -EACCES, for ib_core's security has to see them, and so is any request on a process's object.
 *
 * How to use each: Documentation/vrb-client.rst. Errnos: the top of <rdma/vrb.h>.
 */
#ifndef RDMA_VRB_VERBS_H
#define RDMA_VRB_VERBS_H

#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>

/**
 * enum vrb_op - what can be asked for, for vrb_client_can()
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
 * A typed request is one structure, whole: what is asked, by value; who is told; what came of it.
 * The object stands behind the struct vrb in all of them. Fields below "private:" are the
 * provider's.
 */

/**
 * struct vrb_create_cq - make the hardware know a CQ
 * @vrb: request
 * @cq: shell of vrb_alloc_cq(), whose create has not been submitted before, or has failed
 *
 * Also refused, or completed, with -ENOLINK and -EINVAL: see struct vrb_create_qp.
 */
struct vrb_create_cq {
	struct vrb vrb;
	struct ib_cq *cq;
};

/**
 * struct vrb_create_qp - make the hardware know a QP
 * @vrb: request
 * @qp: shell of vrb_alloc_qp(), whose create has not been submitted before, or has failed
 *
 * Its CQs and its SRQ may be under creation: the request waits for them, and other requests on @qp
 * wait for it. It is refused with -EINVAL if the create of one of those was never submitted. Where
 * such a create has failed the answer, or the status, is -ENOLINK; and so is the status of what is
 * queued behind a create that fails, and the answer to whatever is submitted on @qp until the last
 * of that has ended. A destroy of one of those cancels it.
 *
 * Afterwards the QP is in %IB_QPS_RESET; &ib_qp.qp_num is known since vrb_alloc_qp().
 */
struct vrb_create_qp {
	struct vrb vrb;
	struct ib_qp *qp;
};

/**
 * struct vrb_create_srq - make the hardware know an SRQ
 * @vrb: request
 * @srq: shell of vrb_alloc_srq(); see struct vrb_create_qp
 */
struct vrb_create_srq {
	struct vrb vrb;
	struct ib_srq *srq;
};

/**
 * struct vrb_create_mr - make a memory region ready for struct vrb_reg_mr
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
 * @cqe: what vrb_alloc_cq_ring() was told; &ib_cq.cqe has what was given, from the callback on at
 *	the latest
 *
 * The memory is there before: vrb_alloc_cq_ring(). What the CQ holds it keeps, in order, and it may
 * be polled and armed all the time. A poll that comes to the end of the memory before finds fewer
 * than there are, once; who arms the CQ then is told of the rest as ever.
 *
 * -EINVAL: there is no memory of this size, or the CQ holds more completions than would fit; then
 * nothing has changed, and the same request may be submitted again when some have been polled. So
 * it may after -ETIMEDOUT, when the CQ takes requests again.
 */
struct vrb_resize_cq {
	struct vrb vrb;
	struct ib_cq *cq;
	int cqe;
};

/**
 * struct vrb_modify_qp - one transition of a QP, as ib_modify_qp()
 * @vrb: request; of the teardown class where it goes to %IB_QPS_ERR or %IB_QPS_RESET
 * @qp: the QP
 * @attr: attributes, of which @mask says which are given. A &rdma_ah_attr has type
 *	%RDMA_AH_ATTR_TYPE_IB and a port of the device. With a GRH it names its source GID by
 *	&ib_global_route.sgid_index, and may have &ib_global_route.sgid_attr, of this device and
 *	with this index: the QP holds a reference to that until it gets another path or goes
 * @mask: enum ib_qp_attr_mask
 *
 * -EINVAL: a transition there is not, attributes it does not take or that it needs and are not
 * given, or values out of range; -EOPNOTSUPP: an attribute in @mask that the provider lacks. A QP
 * whose transition has failed keeps the state it had. Posts while it goes to %IB_QPS_RESET: see
 * struct vrb_reset_qp.
 */
struct vrb_modify_qp {
	struct vrb vrb;
	struct ib_qp *qp;
	struct ib_qp_attr attr;
	int mask;
};

/**
 * struct vrb_connect_qp - from wherever a QP is to RTR or RTS
 * @vrb: request; on failure &vrb.step tells the transition: 0 to INIT, 1 to RTR, 2 to RTS
 * @qp: the QP: under creation, in RESET, INIT or RTR; one of ib_core's in INIT or RTR
 * @attr: what all transitions together need; each takes what its type needs of it, see the table
 *	in Documentation/vrb-client.rst. For addresses and values see struct vrb_modify_qp
 * @to: %IB_QPS_RTR or %IB_QPS_RTS, or -EINVAL; a QP that is there already stays as it is
 *
 * On failure the QP keeps the state it has reached, which vrb_qp_state() tells: a value that only a
 * later transition takes is refused when that comes.
 */
struct vrb_connect_qp {
	struct vrb vrb;
	struct ib_qp *qp;
	struct ib_qp_attr attr;
	enum ib_qp_state to;
};

/**
 * struct vrb_reset_qp - a QP as it was after its create
 * @vrb: request, of the teardown class
 * @qp: the QP, in any state
 *
 * Afterwards it is in %IB_QPS_RESET, its queues are empty, and its CQs have no completion of it:
 * with this a pool of QPs needs no create.
 *
 * A post may race with it. From the moment the command is issued posts are answered -EINVAL, on
 * every CPU, until the QP is in %IB_QPS_INIT again (receives) or in %IB_QPS_RTS (sends). What was
 * posted before is taken back with the rest: its completion does not come. If the command fails
 * posts are accepted as before; after -ETIMEDOUT they are not.
 */
struct vrb_reset_qp {
	struct vrb vrb;
	struct ib_qp *qp;
};

/**
 * struct vrb_query_qp - what the hardware knows of a QP, as ib_query_qp()
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
 * An attached group is a child of the QP: its destroy stays pending until the last one is detached,
 * and a detach is accepted while it is; one that was queued before is cancelled with the rest, and
 * may be submitted again. 0 also if the QP is attached already; -EINVAL: it is not attached, or
 * @qp or @gid is none of groups; -ENOMEM: group or table are full; -EUCLEAN: an attach, and the
 * command of another QP was not answered. After -ETIMEDOUT the QP may be attached or not.
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
 * @attr: the new limit, &ib_srq_attr.srq_limit, at most what &ib_srq_attr.max_wr has been given;
 *	its event comes once
 * @mask: %IB_SRQ_LIMIT; 0 changes nothing; -EOPNOTSUPP: anything else
 */
struct vrb_modify_srq {
	struct vrb vrb;
	struct ib_srq *srq;
	struct ib_srq_attr attr;
	int mask;
};

/**
 * struct vrb_query_srq - what the hardware knows of an SRQ
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
 * struct vrb_reg_mr - let the hardware use memory
 * @vrb: request
 * @mr: created region, not registered
 * @iova: address of the first byte, as work requests name it; it has the same place in its page as
 *	the memory
 * @length: in bytes, 1 or more; the last byte's address is at most 2^64 - 2
 * @pages: DMA addresses of the pages, mapped by the caller, in order, each a multiple of their
 *	size; the caller's until the callback
 * @nr_pages: their number, what @iova and @length need, at most what vrb_alloc_mr() was told
 * @page_shift: log2 of the size of each, 12 .. 31
 * @access: IB_ACCESS_LOCAL_WRITE, _REMOTE_READ, _REMOTE_WRITE, _REMOTE_ATOMIC; remote writes and
 *	atomics need local writes
 *
 * &ib_mr.lkey and &ib_mr.rkey are valid from the callback on. The status is -EINVAL where one of
 * these is not as said here, or @mr is registered already; nothing has changed then.
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
 * struct vrb_unreg_mr - take memory back from the hardware
 * @vrb: request, of the teardown class
 * @mr: registered region
 *
 * When the callback runs with 0 or -EIO the hardware uses neither the memory nor the keys any
 * more, and after 0 the region may be registered again: it gets keys that differ from the last
 * ones. After any other status, also -ETIMEDOUT of a struct vrb_reg_mr, the hardware may still use
 * both: the pages stay mapped until a later one of these has succeeded or the region is gone.
 */
struct vrb_unreg_mr {
	struct vrb vrb;
	struct ib_mr *mr;
};

/**
 * struct vrb_query_port - what the hardware knows of a port, as ib_query_port()
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
 * @props: capabilities to set and to clear; what is in both is cleared
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
 * struct vrb_process_mad - have the HCA's own agent answer a MAD
 * @vrb: request
 * @port: 1 .. &ib_device.phys_port_cnt
 * @flags: enum ib_mad_flags
 * @wc: how the MAD came, its &ib_wc.qp set, or NULL: from this host; the caller's until the
 *	callback
 * @grh: its GRH, or NULL if @wc has no %IB_WC_GRH; the caller's until the callback
 * @in: the MAD, 256 bytes, not NULL; the caller's until the callback
 * @out: the answer, 256 bytes, not NULL; may be @in
 * @result: enum ib_mad_result
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
 * struct vrb_await_cq - be told of a CQ's next completion
 * @vrb: request; takes no slot, no class, no deadline
 * @cq: the CQ
 * @flags: %IB_CQ_NEXT_COMP or %IB_CQ_SOLICITED; anything else is -EINVAL
 *
 * Arms the CQ. Completes with 0 at its next event, or at once if there is a completion that the
 * last poll has not seen: so poll until the CQ is empty in the callback, and submit again. Several
 * may wait for one CQ: its event completes all of them, and while one of them waits for the next
 * completion it need not be solicited. What was armed by ib_req_notify_cq() is told to
 * &ib_cq.comp_handler as ever; the hardware knows the last arming alone, be it that or this.
 */
struct vrb_await_cq {
	struct vrb vrb;
	struct ib_cq *cq;
	enum ib_cq_notify_flags flags;
};

/**
 * struct vrb_await_event - be told of asynchronous events
 * @vrb: request; takes no slot, no class, no deadline
 * @filter: BIT_ULL(enum ib_event_type) of each event wanted; bits of no event wait for nothing
 * @came: those of @filter that have come since the client was last told of each
 * @seq: events of this client so far; one that was told n and now m has missed none if its @came
 *	has as many as m - n
 *
 * Events of the device, of its ports, and of the client's own shells. One that comes while nobody
 * waits for it is kept, so that the next request completes at once. Of whom it is an event of an
 * object tells the object's event handler.
 */
struct vrb_await_event {
	struct vrb vrb;
	u64 filter;
	u64 came;
	u64 seq;
};

/* private: what all requests on an object begin with */
struct vrb_typed {
	struct vrb vrb;
	void *object;
};

/* ---- Preparing ---- */

/*
 * vrb_prep_*() set a request's struct vrb, which then asks for this verb and has no callback, group
 * or deadline, and its object; the caller fills in the rest, and may submit the request again as it
 * is once it is idle. Context: any. A request that is not idle must not be prepared.
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
