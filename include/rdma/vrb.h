/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Verbs request blocks: RDMA control verbs that never sleep.
 *
 * A verb that changes an RDMA object is executed by firmware commands. A verbs request block
 * carries one such verb: the caller owns it, submits it from any context but NMI, and gets exactly
 * one callback, always in softirq. A caller that may sleep can wait for the request as for a
 * struct completion. Documentation/vrb-contract.rst lists what the engine guarantees. This header
 * declares what a kernel client needs of the engine itself. The functions are documented where
 * they are defined, in drivers/infiniband/vrb/.
 *
 * What each errno means. Return values of a submit or cancel: -EINPROGRESS accepted; -EINVAL
 * malformed, or called in a context in which it must not be, or an object in the wrong state;
 * -EBUSY not idle, or the client already has eight requests for events of the device; -EALREADY too
 * late to cancel; -ENOENT idle; -EOPNOTSUPP the provider lacks the verb. Of other functions:
 * -ENOSPC the device has 64 clients already; -EINTR a fatal signal ended the wait. Return values,
 * or the status of a request: -ECANCELED cancelled; -ETIME its deadline passed before it was
 * issued; -ETIMEDOUT issued, and the firmware did not complete it in time; -EIO the device has
 * failed; -ESTALE the object is from before a reset; -EUCLEAN an earlier command on the object
 * timed out; -ESHUTDOWN object or client is ending; -ENODEV the provider is gone; -EPERM poisoned
 * or killed; -ENOLINK a create that this depends on has failed; -EACCES a process's object, or a
 * change that ib_core's security modules must check; -ENOMEM no memory, or a multicast group is
 * full. Any other errno is the provider's translation of the firmware status.
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
 * typedef vrb_done_fn - what the engine calls when a request completes
 * @vrb: the request; &vrb.status is its result; container_of() gives the caller's structure
 *
 * The callback may submit or cancel any request, free @vrb, or drop the last reference to the
 * object. It must not sleep and must be short: one device's callbacks run one after the other. @vrb
 * is idle again when this function has returned, unless it has submitted or freed @vrb. Until then
 * a submit from elsewhere returns -EBUSY and a cancel -EALREADY.
 *
 * Context: Softirq, no lock of the engine or of the provider held.
 */
typedef void (*vrb_done_fn)(struct vrb *vrb);

/**
 * enum vrb_class - which requests are issued first when slots are short
 * @VRB_CLASS_VERB: the verb's own class; the default
 * @VRB_CLASS_TEARDOWN: destroys and flushes; one slot is reserved for them
 * @VRB_CLASS_NORMAL: everything else; issued before teardown requests that came more than 100 ms
 *	later
 * @VRB_CLASS_BACKGROUND: queries; issued before normal requests that came more than 100 ms later,
 *	and before teardown requests that came more than 200 ms later
 * @VRB_CLASS_EVENT: waits for an event; needs no slot and has no deadline
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

/* For &vrb.flags. None is defined yet: any value but 0 is refused. */
#define VRB_FLAGS	0

/**
 * struct vrb - verbs request block
 * @done: called once per accepted submit; NULL if nobody needs it, or if a caller waits with
 *	vrb_wait()
 * @group: the group it is cancelled and drained with, of the same client; NULL: none
 * @deadline: absolute CLOCK_MONOTONIC time after which a request that is still *queued* completes
 *	-ETIME, at most 2 ms late if few have one; 0: never. A request whose deadline has passed at
 *	the submit is accepted and never issued. A destroy has no deadline
 * @class: enum vrb_class, but not %VRB_CLASS_EVENT; 0: the verb's class
 * @flags: 0; no flag is defined yet
 * @fw_status: raw firmware status of step @step
 * @status: result: 0 or a negative errno; see the top of <rdma/vrb.h>. A refused submit sets it to
 *	the errno, except if @vrb was not idle (-EBUSY): then an earlier submit still owns it
 * @step: index in the verb's table of the last step that ran; on failure the one that failed
 *
 * This is the first member of a typed request, which also has inputs and outputs. The request's
 * vrb_prep_*() helper sets the verb and the object, and all other fields to 0. The caller then sets
 * those of @done, @group, @deadline and @class that it needs. The request may be submitted again
 * without another preparation. The engine owns the request from an accepted vrb_submit() until it
 * is idle again; meanwhile only vrb_cancel(), vrb_kill(), vrb_wait() and vrb_wait_killable() may be
 * called on it. Its memory must stay valid that long. It must not be embedded in a structure with
 * a struct ib_qp or its like, which ib_core may free while the hardware still uses the object. A
 * kernel with CONFIG_DEBUG_OBJECTS_FREE warns if memory is freed while the engine owns a request in
 * it.
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
	bool started;			/* has waited: continues at the head of its class */
	bool waits_after;		/* waits in a step whose command has completed */
	bool undoing;			/* earlier steps; status has the reason */
	bool undid;
	bool creating;			/* it is the create of its object */
	bool after_destroy;		/* accepted though the object is dying; the destroy waits */
	u32 failed_step;		/* while undoing: the step that failed */
	u32 generation;			/* cancels of the group when it was submitted */
	struct list_head entry;		/* inbox, then runnable list, then done list */
	struct list_head object_entry;	/* the object's queue */
	struct list_head device_entry;	/* all accepted requests, until their callback */
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
 * The caller owns it. Before its memory is freed it must have been drained, or vrb_group_notify()
 * must have called its function. Fields are the engine's.
 */
struct vrb_group {
	/* private: */
	struct vrb_client *client;
	atomic_t inflight;		/* accepted, callback not yet returned */
	u32 generation;			/* cancels so far */
	bool poisoned;
	void (*notify)(struct vrb_group *group);
	struct list_head entry;		/* groups with a notification to deliver */
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
