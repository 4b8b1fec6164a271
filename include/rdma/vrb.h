/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Verbs request blocks: RDMA control verbs that never sleep.
 *
 * A verb that changes an RDMA object ends in a firmware command. A verbs request block carries one
 * such verb: the caller owns it, submits it from any context but NMI, and gets exactly one
 * callback, always from softirq. Where the caller may sleep it waits for the request as for a
 * struct completion. Documentation/vrb-contract.rst has the contract, rule by rule; this header is
 * what a kernel client needs of the engine itself. The functions have their kernel-doc where they
 * are defined, in drivers/infiniband/vrb/.
 *
 * One errno, one meaning. As the answer of a submit or cancel: -EINPROGRESS accepted; -EINVAL
 * malformed, or a context in which it may not be called, or an object in the wrong state; -EBUSY
 * not idle, or a client's ninth request for events of the device; -EALREADY too late to take back;
 * -ENOENT idle; -EOPNOTSUPP the provider lacks the verb.
 * As an answer or as a status: -ECANCELED taken back; -ETIME past its deadline, never issued;
 * -ETIMEDOUT issued and not answered; -EIO the device failed; -ESTALE the object is from before a
 * reset; -EUCLEAN an earlier command on the object was not answered; -ESHUTDOWN object or client
 * ending; -ENODEV provider gone; -EPERM poisoned or killed; -ENOLINK a create this depends on
 * failed; -EACCES a process's object, or what ib_core's security must see. Anything else is what
 * the provider makes of the firmware status.
 */
#ifndef RDMA_VRB_H
#define RDMA_VRB_H

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/types.h>

struct ib_device;
struct vrb;
struct vrb_client;
struct vrb_device;
struct vrb_object;
struct vrb_slot;
struct vrb_user;
struct vrb_verb;
struct vrb_waiter;

/**
 * typedef vrb_done_fn - what the engine calls when a request is over
 * @vrb: the request, its result in &vrb.status; container_of() gives the caller's structure
 *
 * The callback may submit or cancel any request, free @vrb, or drop the last reference to the
 * object. It must not sleep and must be short: one device's callbacks run one after the other.
 * @vrb is idle again when this has returned, or has submitted or freed it: until then a submit from
 * elsewhere is answered -EBUSY and a cancel -EALREADY.
 *
 * Context: Softirq, no lock of the engine or of the provider held.
 */
typedef void (*vrb_done_fn)(struct vrb *vrb);

/**
 * enum vrb_class - which requests go first when slots are short
 * @VRB_CLASS_VERB: the verb's own class; what a request has unless the caller says otherwise
 * @VRB_CLASS_TEARDOWN: destroys and flushes; one slot is reserved for them
 * @VRB_CLASS_NORMAL: everything else; goes before teardown that is 100 ms younger
 * @VRB_CLASS_BACKGROUND: queries, refills; goes before normal requests that are 100 ms younger
 * @VRB_CLASS_EVENT: waits for an event; takes no slot and has no deadline
 */
enum vrb_class {
	VRB_CLASS_VERB,
	VRB_CLASS_TEARDOWN,
	VRB_CLASS_NORMAL,
	VRB_CLASS_BACKGROUND,
	VRB_CLASS_EVENT,
	/* private: */
	VRB_NR_CLASSES
};

/* For &vrb.flags. There is none yet: anything but 0 is refused. */
#define VRB_FLAGS	0

/**
 * struct vrb - verbs request block
 * @done: called once per accepted submit; NULL if somebody waits with vrb_wait()
 * @group: requests to be cancelled and drained together with, of the same client; NULL none
 * @deadline: absolute CLOCK_MONOTONIC time after which a request that is still *queued* completes
 *	-ETIME, at most 2 ms late; 0 never. A request whose deadline has passed at
 *	the submit is accepted and never issued. A destroy has none
 * @class: enum vrb_class, but not %VRB_CLASS_EVENT; 0 the verb's
 * @flags: VRB_FLAGS
 * @fw_status: raw firmware status of step @step
 * @status: result: 0 or a negative errno; see the top of this file. If the submit was refused, its
 *	errno; not after -EBUSY, which leaves the request to the submit before
 * @step: the step that ran last, its place in the verb's table; on failure the one that failed
 *
 * The first member of a typed request, or of a provider's own, which has inputs and outputs. Filled
 * in by the request's vrb_prep_*() helper, which sets everything to 0 but the verb and the object;
 * the caller then sets what he wants of @done, @group, @deadline and @class, and may submit it
 * again as it is. From an accepted vrb_submit() until it is idle again it belongs to the engine and
 * only vrb_cancel(), vrb_kill(), vrb_wait() and vrb_wait_killable() may be called on it. It may lie
 * in any memory that stays valid that long, but not in one that embeds a struct ib_qp or its like
 * when the hardware may outlive it. A kernel with CONFIG_DEBUG_OBJECTS_FREE warns when the memory of
 * a request that belongs to the engine is freed.
 */
struct vrb {
	vrb_done_fn done;
	struct vrb_group *group;
	ktime_t deadline;
	u8 class;
	u8 flags;
	u8 fw_status;
	int status;
	u32 step;

	/* private: the provider's, or what vrb_submit() makes of a typed request */
	u8 op;				/* enum vrb_op */
	const struct vrb_verb *verb;
	struct vrb_object *object;	/* NULL for verbs of the device */
	struct vrb_user *user;		/* the process it is for; NULL the kernel's own */

	/* private: the engine's */
	atomic64_t state;		/* with the ticket of its callback */
	u8 real_class;
	u8 killers;			/* vrb_kill() in progress */
	bool started;			/* has waited: goes on in front of others */
	bool waits_after;		/* the step it waits in is over, bar the waiting */
	bool undoing;			/* earlier steps; status has the reason */
	bool undid;
	bool creating;			/* its object is made or fails with it */
	bool after_destroy;		/* of its object, which waits for it */
	u32 failed_step;		/* while undoing: the step that made it necessary */
	u32 generation;			/* of the group's cancels */
	struct list_head entry;		/* inbox, then runnable list, then done list */
	struct list_head object_entry;	/* the object's queue */
	struct list_head device_entry;	/* all that are accepted, until they are called back */
	struct hlist_node expiry;	/* deadline while queued */
	struct vrb_client *client;
	struct vrb_slot *slot;
	struct vrb_waiter *waiter;
	ktime_t submitted;
	ktime_t since;			/* runnable */
};

/**
 * struct vrb_group - requests that are cancelled, poisoned and drained together
 *
 * Owned by the caller, who must drain it before it goes. Fields are the engine's.
 */
struct vrb_group {
	/* private: */
	struct vrb_client *client;
	atomic_t inflight;		/* accepted, callback not yet returned */
	u32 generation;			/* cancels so far */
	bool poisoned;
	void (*notify)(struct vrb_group *group);
	struct list_head entry;		/* of those whose owner is going to be told */
};

/* One request */
int vrb_submit(struct vrb_client *client, struct vrb *vrb);
int vrb_cancel(struct vrb *vrb);
void vrb_kill(struct vrb *vrb);
int vrb_wait(struct vrb *vrb);
int vrb_wait_killable(struct vrb *vrb);
int vrb_submit_wait(struct vrb_client *client, struct vrb *vrb);

/* Groups */
void vrb_group_init(struct vrb_group *group, struct vrb_client *client);
void vrb_group_poison(struct vrb_group *group);
void vrb_group_unpoison(struct vrb_group *group);
void vrb_group_cancel(struct vrb_group *group);
void vrb_group_notify(struct vrb_group *group, void (*idle)(struct vrb_group *group));
bool vrb_group_idle(struct vrb_group *group);
void vrb_group_drain(struct vrb_group *group);

/* Clients */
struct vrb_client *vrb_client_register(struct ib_device *ibdev, const char *name);
void vrb_client_shut(struct vrb_client *client);
void vrb_client_unregister(struct vrb_client *client);

#endif /* RDMA_VRB_H */
