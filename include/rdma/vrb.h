/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Verbs request blocks: RDMA control verbs that never sleep.
 *
 * A verb that changes an RDMA object ends in a firmware command. A verbs request block carries one
 * such verb: the caller owns it, submits it from any context down to softirq, and gets exactly one
 * callback, always from softirq and never inside vrb_submit() or vrb_cancel(). Where the caller may
 * sleep it waits for the request as for a struct completion. Documentation/vrb-contract.rst has the
 * contract, rule by rule; this header is what a kernel client needs.
 */
#ifndef RDMA_VRB_H
#define RDMA_VRB_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/timerqueue.h>
#include <linux/types.h>

struct ib_device;
struct vrb;
struct vrb_client;
struct vrb_device;
struct vrb_object;
struct vrb_slot;
struct vrb_verb;
struct vrb_waiter;

/**
 * typedef vrb_done_fn - what the engine calls when a request is over
 * @vrb: the request; idle again, its result in &vrb.status
 *
 * The callback may submit or cancel any request, free @vrb, or drop the last reference to the
 * object. It must not sleep and must be short: one device's callbacks run one after the other.
 *
 * Context: Softirq, no lock of the engine or of the provider held.
 */
typedef void (*vrb_done_fn)(struct vrb *vrb);

/**
 * enum vrb_class - which requests go first when slots are short
 * @VRB_CLASS_TEARDOWN: destroys and flushes; one slot is reserved for them
 * @VRB_CLASS_NORMAL: everything else
 * @VRB_CLASS_BACKGROUND: queries, refills; ages into @VRB_CLASS_NORMAL
 * @VRB_CLASS_EVENT: waits for an event; takes no slot and has no deadline
 */
enum vrb_class {
	VRB_CLASS_TEARDOWN,
	VRB_CLASS_NORMAL,
	VRB_CLASS_BACKGROUND,
	VRB_CLASS_EVENT,
	/* private: */
	VRB_NR_CLASSES
};

/**
 * enum vrb_state - where a request is
 * @VRB_IDLE: the caller's; never submitted, or its callback has been or is being called
 * @VRB_QUEUED: accepted; holds no slot
 * @VRB_ISSUED: holds a slot; its command is being posted, executed or followed by the next step
 * @VRB_DONE: over; the callback is about to run
 */
enum vrb_state {
	VRB_IDLE,
	VRB_QUEUED,
	VRB_ISSUED,
	VRB_DONE
};

/* For &vrb.flags; set between vrb_init() and vrb_submit(). */
#define VRB_F_USER	0x01	/* for a user process: these get at most half of the slots */
#define VRB_F_ORPHAN	0x02	/* nobody will take the result of a create: undo it */

/**
 * union vrb_args - a verb's inputs and outputs, kept in the request until it is issued
 * @ptr: for verbs of the provider itself: its own structure, alive until the callback
 * @word: small inputs that need no structure
 */
union vrb_args {
	struct {
		void *in;
		void *out;
	} ptr;
	u64 word[8];
};

/**
 * struct vrb - verbs request block
 * @done: called once per accepted submit; NULL if somebody waits with vrb_wait()
 * @context: the caller's
 * @verb: what to do; set by the vrb_fill_*() helpers or by the provider
 * @object: what to do it to; NULL for verbs of the device. The caller keeps it until the callback
 * @args: the verb's inputs and outputs
 * @deadline: absolute CLOCK_MONOTONIC time after which a *queued* request completes -ETIMEDOUT; 0
 *	never
 * @flags: VRB_F_*
 * @status: result: 0 or a negative errno. -ECANCELED: taken back while queued. -ETIMEDOUT: see the
 *	contract, rule 8. -EIO: the device has failed, or an earlier command on the object never
 *	answered. -ENODEV: the provider has gone. Otherwise the provider's errno for @fw_status
 * @step: the step that ran last, counted from 0; on failure the one that failed
 * @fw_status: raw firmware status of that step
 * @out: immediate result of the last command
 *
 * Owned by the caller; from an accepted vrb_submit() until the callback it belongs to the engine
 * and only vrb_cancel(), vrb_wait() and vrb_poll() may be called on it. It may lie in any memory
 * that stays valid that long, but not in one that embeds a struct ib_qp or its like when the
 * hardware may outlive it. What follows @out is the engine's.
 */
struct vrb {
	vrb_done_fn done;
	void *context;
	const struct vrb_verb *verb;
	struct vrb_object *object;
	union vrb_args args;
	ktime_t deadline;
	u32 flags;

	int status;
	u16 step;
	u8 fw_status;
	u64 out;

	/* private: */
	enum vrb_state state;
	enum vrb_class class;
	bool undo;			/* undoing earlier steps; status has the reason */
	u16 failed_step;		/* while undoing: the step that made it necessary */
	struct list_head entry;		/* runnable list of the device, then its done list */
	struct list_head object_entry;	/* the object's queue */
	struct list_head group_entry;	/* the group's requests, until they are over */
	struct list_head client_entry;	/* the client's queued, parked or issued requests */
	struct timerqueue_node expiry;	/* deadline while queued */
	struct vrb_device *dev;
	struct vrb_client *client;
	struct vrb_group *group;
	struct vrb_slot *slot;
	struct vrb_waiter *waiter;
	ktime_t submitted;
	ktime_t issued;
};

/**
 * struct vrb_group - requests that are cancelled, poisoned and drained together
 *
 * Owned by the caller, who must drain it before it goes. Fields are the engine's.
 */
struct vrb_group {
	/* private: */
	struct vrb_device *dev;
	struct list_head vrbs;	/* accepted and not over */
	unsigned int inflight;	/* accepted, callback not yet returned */
	bool poisoned;
};

/* One request */
void vrb_init(struct vrb *vrb, vrb_done_fn done, void *context);
int vrb_submit(struct vrb_client *client, struct vrb *vrb);
int vrb_cancel(struct vrb *vrb);
int vrb_wait(struct vrb *vrb);
int vrb_submit_wait(struct vrb_client *client, struct vrb *vrb);
int vrb_poll(struct vrb *vrb, u64 bound_ns);
void vrb_set_group(struct vrb *vrb, struct vrb_group *group);

/* Groups */
void vrb_group_init(struct vrb_group *group, struct vrb_client *client);
void vrb_group_poison(struct vrb_group *group);
void vrb_group_cancel(struct vrb_group *group);
bool vrb_group_idle(struct vrb_group *group);
void vrb_group_drain(struct vrb_group *group);

/* Clients */
struct vrb_client *vrb_client_register(struct ib_device *ibdev, const char *name);
void vrb_client_unregister(struct vrb_client *client);

#endif /* RDMA_VRB_H */
