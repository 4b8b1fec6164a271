/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Queue pairs.
 */
#ifndef TAVOR_QP_H
#define TAVOR_QP_H

#include "cq.h"
#include "hw_qp.h"
#include "hw_wqe.h"
#include "object.h"
#include "pd.h"
#include "srq.h"
#include "tavor.h"
#include "uctx.h"
#include "wq.h"

/**
 * struct tavor_qp_attrs - attributes set by a modify that a later modify or a query needs
 * @port: port of the primary path
 * @alt_port: port of the alternate path
 * @pkey_index: index of the primary path's P_Key
 * @qkey: Q_Key
 * @resp_depth: max_dest_rd_atomic
 * @req_depth: max_rd_atomic
 * @access: IB_ACCESS_REMOTE_*
 *
 * Stored when the firmware has executed the transition.
 */
struct tavor_qp_attrs {
	u8 port;
	u8 alt_port;
	u16 pkey_index;
	u32 qkey;
	u8 resp_depth;
	u8 req_depth;
	int access;
};

/* Who has reported "last WQE reached" in the current life of a QP */
enum tavor_last_wqe {
	TAVOR_LAST_WQE_NOBODY,
	TAVOR_LAST_WQE_HARDWARE,
	TAVOR_LAST_WQE_DRIVER,		/* the device has failed */
};

/**
 * struct tavor_hw_qp - a QP as the hardware sees it
 * @object: parents: PD, CQs, SRQ, for a user's QP also its MR
 * @dev: device
 * @ibqp: QP of its completions and events; must not be accessed once @hidden is set
 * @half: what it has in common with other queues
 * @pd: its PD
 * @send_cq: CQ of its sends
 * @recv_cq: CQ of its receives
 * @srq: its SRQ, or NULL
 * @qpn: number on the hardware; for special QPs different from the number on the wire and in
 *	ib_core
 * @cqe_qpn: the same in the format of a CQE
 * @type: ib_core's type
 * @service: transport
 * @state: state after the last successful transition. Written in order by the object's requests
 * @last_wqe: who has reported its "last WQE reached" event; nobody again after RESET
 * @changing: a transition was posted and its result is unknown
 * @port_up: INIT_IB has been executed for this QP0
 * @listed: in the table, where completions and events find it
 * @hidden: being destroyed: completions are not reported any more. Written under the locks of both
 *	CQs
 * @on_send_cq: a kernel QP's place in its CQ's send_qps, while it is in the table; under that CQ's
 *	lock
 * @on_recv_cq: the same for recv_qps
 * @sq_sig_all: every send generates a completion
 * @send_flags: TAVOR_CTRL_* in the first segment of every send
 * @attrs: see struct tavor_qp_attrs
 * @next_attrs: value of @attrs after the transition in progress, if it succeeds
 * @next_state: likewise for @state
 * @gids: references to the GIDs of its paths, primary and alternate; NULL: none
 * @next_gids: likewise for the transition in progress
 * @next_paths: which paths the transition in progress sets
 * @pin: PD and region of a user's rings
 * @ring_wait: waits for the registration of that region
 * @quiesced: its process has requested a quiesce: there are no further transitions
 * @queued: its requests that wait in verb queues; like @issued under &tavor_dev.queues_lock
 * @issued: its requests of verb queues that the engine has, in their order
 * @named: those of both that name a port, in the order in which ib_core has seen them
 * @core: ib_core's half of a user's QP, where @named sets the port; NULL: it is being destroyed
 * @max_inline: bytes a send may carry inline
 * @uar: UAR page of its doorbells
 * @lkey: of its rings
 * @buf: its rings; kernel QPs only
 * @sq: send queue; only its shape is used for user QPs
 * @rq: receive queue; likewise
 * @mcg_waiting: waits for the turn of its attach or detach; like the following two under the lock
 *	of the group table
 * @mcg_attached: entry in the list of QPs that are in a group
 * @mcg_groups: number of multicast groups it is in
 * @mlx_psn: PSN of the next packet of a special QP; under @sq.lock
 */
struct tavor_hw_qp {
	struct vrb_object object;
	struct tavor_dev *dev;
	struct ib_qp *ibqp;
	struct tavor_half half;
	struct tavor_hw_pd *pd;
	struct tavor_hw_cq *send_cq;
	struct tavor_hw_cq *recv_cq;
	struct tavor_hw_srq *srq;
	u32 qpn;
	__be32 cqe_qpn;
	enum ib_qp_type type;
	enum tavor_qp_service service;
	enum ib_qp_state state;
	enum tavor_last_wqe last_wqe;	/* exchanged */
	bool sq_sig_all;
	bool changing;
	bool port_up;
	bool listed;
	bool hidden;
	struct list_head on_send_cq;
	struct list_head on_recv_cq;
	struct tavor_qp_attrs attrs;
	struct tavor_qp_attrs next_attrs;
	enum ib_qp_state next_state;
	const struct ib_gid_attr *gids[2];
	const struct ib_gid_attr *next_gids[2];
	bool next_paths[2];
	struct tavor_pin pin;
	struct tavor_waiter ring_wait;
	bool quiesced;
	struct list_head queued;
	struct list_head issued;
	struct list_head named;
	struct ib_qp *core;
	u32 max_inline;
	u32 send_flags;
	u32 uar;
	u32 lkey;
	struct tavor_buf buf;
	struct tavor_wq sq;
	struct tavor_wq rq;
	struct tavor_waiter mcg_waiting;
	struct list_head mcg_attached;
	u32 mcg_groups;
	u32 mlx_psn;
};

/**
 * struct tavor_qp - a QP as ib_core sees it
 * @ib: ib_core's half
 * @hw: hardware half
 * @owned: of a user's QP
 * @queue_lock: of a user's QP: serializes the submits of verb queues, so that requests are queued
 *	in the order in which ib_core has seen them
 * @queueing: attributes of the request that such a submit is passing through ib_core's checks, or
 *	NULL. When ib_core calls &ib_device_ops.modify_qp with these attributes, the driver queues
 *	the request and returns, instead of waiting for the firmware
 */
struct tavor_qp {
	struct ib_qp ib;
	struct tavor_hw_qp *hw;
	struct tavor_owned owned;
	struct mutex queue_lock;	/* see above */
	const struct ib_qp_attr *queueing;
};

/**
 * struct tavor_qp_transition - one transition of a QP
 * @attr: as for ib_modify_qp()
 * @mask: enum ib_qp_attr_mask
 * @from: state
 * @to: state
 */
struct tavor_qp_transition {
	const struct ib_qp_attr *attr;
	int mask;
	enum ib_qp_state from;
	enum ib_qp_state to;
};

static inline struct tavor_qp *to_tqp(struct ib_qp *ibqp)
{
	return container_of(ibqp, struct tavor_qp, ib);
}

static inline struct tavor_hw_qp *to_hw_qp(struct vrb_object *object)
{
	return container_of(object, struct tavor_hw_qp, object);
}

static inline bool tavor_qp_is_special(const struct tavor_hw_qp *qp)
{
	return qp->service == TAVOR_SERVICE_MLX;
}

static inline struct tavor_next_seg *tavor_send_slot(struct tavor_hw_qp *qp, u32 slot)
{
	return tavor_buf_at(&qp->buf, tavor_wq_addr(&qp->sq, slot));
}

static inline struct tavor_next_seg *tavor_recv_slot(struct tavor_hw_qp *qp, u32 slot)
{
	return tavor_buf_at(&qp->buf, (size_t)slot << qp->rq.shape.shift);
}

/* qp.c */
int tavor_qp_table_init(struct tavor_dev *dev);
void tavor_qp_table_cleanup(struct tavor_dev *dev);
void tavor_qp_event(struct tavor_dev *dev, u32 qpn, enum ib_event_type type);
void tavor_qp_last_wqe(struct tavor_hw_qp *qp);
extern const struct vrb_verb tavor_verb_create_qp;
int tavor_init_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr, gfp_t gfp);
struct vrb_object *tavor_qp_object(struct ib_qp *ibqp);
enum ib_qp_state tavor_qp_state(const struct ib_qp *ibqp);
int tavor_create_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr, struct ib_udata *udata);
int tavor_destroy_qp(struct ib_qp *ibqp, struct ib_udata *udata);
void tavor_qp_put_gids(const struct ib_gid_attr **gids);
void tavor_qp_set_state(struct tavor_hw_qp *qp, enum ib_qp_state state);
void tavor_qp_close(struct tavor_hw_qp *qp);
void tavor_qp_rings_reset(struct tavor_hw_qp *qp);
void tavor_qp_forget_completions(struct tavor_hw_qp *qp);
void tavor_encode_2rst(struct tavor_dev *dev, struct vrb_slot *slot, const struct tavor_hw_qp *qp);
struct tavor_hw_qp *tavor_qp_lookup(struct tavor_dev *dev, u32 qpn);

/* qp_modify.c */
extern const struct vrb_verb tavor_verb_modify_qp, tavor_verb_connect_qp, tavor_verb_reset_qp;
extern const struct vrb_verb tavor_verb_connect_user_qp, tavor_verb_quiesce_qp;

#define TAVOR_NR_CONNECT_STEPS	3

/**
 * struct tavor_connect_user_qp - a connect that a process has submitted to a verb queue
 * @req: the request, as a kernel client would submit it
 * @given: enum ib_qp_attr_mask: which attributes of @req the process has set. It may omit those of
 *	transitions that its QP has made already
 * @refused: for each transition (to INIT, RTR, RTS) 0, or the negative errno with which ib_core
 *	refused its attributes at the submit. The request fails with this errno if it comes to that
 *	transition
 */
struct tavor_connect_user_qp {
	struct vrb_connect_qp req;
	int given;
	int refused[TAVOR_NR_CONNECT_STEPS];
};

int tavor_connect_mask(const struct tavor_hw_qp *qp, u32 step);
enum ib_qp_state tavor_connect_state(u32 step);
const struct ib_gid_attr *tavor_hold_gid(const struct rdma_ah_attr *ah);
int tavor_modify_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask, struct ib_udata *udata);

/* qp_context.c */
struct tavor_qp_context;
u32 tavor_qpc_encode(const struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod,
		     struct tavor_qp_context *ctx);
void tavor_qp_next_attrs(struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod);
int tavor_qp_check_values(const struct tavor_hw_qp *qp, const struct ib_qp_attr *attr, int mask);
int tavor_qp_check_attrs(const struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod);

/* qp_query.c */
extern const struct vrb_verb tavor_verb_query_qp;
int tavor_query_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
		   struct ib_qp_init_attr *init_attr);

#endif /* TAVOR_QP_H */
