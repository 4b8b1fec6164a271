/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The interface between the verbs request engine and a provider, which is a driver.
 *
 * The engine has the queues, the slots, the timers and the pump. It does not know registers,
 * mailboxes or InfiniBand objects. The provider knows its commands, and does not know clients. A
 * slot stands for one command that the hardware may have outstanding, with the buffers that the
 * provider has for each slot.
 */
#ifndef RDMA_VRB_PROVIDER_H
#define RDMA_VRB_PROVIDER_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/irq_poll.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

/* ---- Verbs: tables of steps ---- */

/**
 * enum vrb_verdict - what the functions of a step return, besides a negative errno
 * @VRB_NEXT: this step is complete; the next one follows, after the last the verb is complete
 * @VRB_POST: encode, undo: a command has been encoded
 * @VRB_AGAIN: the same step is executed again, so that one step may issue any number of commands or
 *	do any number of portions of work
 * @VRB_WAIT: the step waits, without a slot, until vrb_resume() is called for the object. Then an
 *	encode or work is called again; after a done the next step follows. An undo cannot wait
 * @VRB_END: the verb is complete; the remaining steps are not executed
 *
 * struct vrb_step lists what each function may return. 0 is VRB_NEXT, so that a done may return
 * &vrb_result.status as it is.
 */
enum vrb_verdict {
	VRB_NEXT = 0,
	VRB_POST = 1,
	VRB_AGAIN = 2,
	VRB_WAIT = 3,
	VRB_END = 4,
};

/**
 * struct vrb_result - the result of one command
 * @status: 0 or the provider's errno for @fw_status
 * @fw_status: status that the firmware returned
 * @out: immediate output
 */
struct vrb_result {
	int status;
	u8 fw_status;
	u64 out;
};

/**
 * struct vrb_step - one row of a verb's table
 * @name: name of the firmware command or of the work, for debugfs, tracepoints and log
 * @encode: writes the command into the provider's buffers of @slot. Also decides whether there is a
 *	command. At most 32 steps without a command are skipped at a time.
 *	Returns VRB_POST, VRB_NEXT (no command is needed), VRB_AGAIN, VRB_WAIT, VRB_END, or a
 *	negative errno: the step has failed, and neither @done nor @late is called.
 *	Called in softirq or with BH disabled, with the engine's device lock held: it must neither
 *	sleep nor submit.
 * @work: instead of @encode, for a step without a command. Does one portion of work: it writes at
 *	most 64 entries. A run of the pump calls it once.
 *	Returns VRB_NEXT, VRB_AGAIN (more portions), VRB_WAIT, VRB_END, or a negative errno.
 *	Called in softirq, with no lock held.
 * @done: processes the result of the command; the output buffers of @slot are still valid. NULL:
 *	the status of the command is the verdict.
 *	Returns VRB_NEXT, VRB_AGAIN, VRB_WAIT, VRB_END, or a negative errno: the step has failed.
 *	Called in softirq, with no lock held.
 * @undo: as @encode, for the command that reverts this step after a later one has failed. NULL:
 *	there is nothing to revert. Called for the step before the failed one first, for step 0
 *	last. A step in which the request was waiting when it was cancelled is undone too.
 *	Returns VRB_POST, VRB_NEXT (nothing to revert), VRB_AGAIN; an errno fails the device.
 *	Called as @encode is.
 * @undone: as @done, for the command of @undo. NULL: the status of the command is the verdict.
 *	Returns VRB_NEXT or VRB_AGAIN; an errno fails the device.
 *	Called as @done is.
 * @lost: this step's command has timed out: the state of @object is not known until @late is
 *	called, if ever. Optional.
 *	Called as @encode is.
 * @late: this step's command had timed out and has completed late: the state of @object is known
 *	again. The request may have been freed. Called before anything else is issued on @object.
 *	Optional.
 *	Called as @done is.
 *
 * A step that fails reverts its own effects itself: in @done, or in @encode before it returns.
 */
struct vrb_step {
	const char *name;
	int (*encode)(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot);
	int (*work)(struct vrb_device *dev, struct vrb *vrb);
	int (*done)(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
		    const struct vrb_result *result);
	int (*undo)(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot);
	int (*undone)(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
		      const struct vrb_result *result);
	void (*lost)(struct vrb_device *dev, struct vrb_object *object);
	void (*late)(struct vrb_device *dev, struct vrb_object *object,
		     const struct vrb_result *result);
};

/**
 * struct vrb_verb - one verb: a table of steps
 * @name: for debugfs and tracepoints
 * @class: %VRB_CLASS_TEARDOWN, %VRB_CLASS_NORMAL or %VRB_CLASS_BACKGROUND; a destroy's is always
 *	teardown
 * @creates: creates the object in the hardware; see vrb_object_init_shell()
 * @parting: accepted on an object whose destroy is pending, and executed before that destroy; must
 *	be of the teardown class
 * @steps: the table; see VRB_STEPS()
 * @nr_steps: number of its rows, at least 1
 * @may_refuse: for a destroy: the hardware may refuse its first step, see below
 * @is_void: for a destroy: whether none of its steps has anything to do. Such a destroy completes
 *	without waiting for a slot. Optional. Called as &vrb_step.encode is.
 *
 * A request keeps its slot from the first to the last step unless it waits. If a step fails, the
 * earlier ones that have an undo are undone, and the request completes with the first errno;
 * &vrb.step is the step that failed. If a command times out, the request completes with -ETIMEDOUT
 * without an undo, because the hardware may still execute the command.
 *
 * The table of a destroy reverts what the object has and skips what it has not. A destroy cannot
 * fail: if one of its steps fails, the device fails, and that completes the destroy. There is one
 * exception, for verbs with @may_refuse and vrb_destroy_wait() only: if the hardware refuses step 0
 * with -EBUSY, nothing has changed, -EBUSY is returned, and the object continues to exist.
 */
struct vrb_verb {
	const char *name;
	enum vrb_class class;
	bool creates;
	bool parting;
	const struct vrb_step *steps;
	u32 nr_steps;
	bool may_refuse;
	bool (*is_void)(const struct vrb_object *object);
};

/* Initialises a struct vrb_verb's table with this array. */
#define VRB_STEPS(table) \
	.steps = (table), .nr_steps = sizeof(table) / sizeof(struct vrb_step)

/**
 * vrb_prep - prepare a request of the provider's own
 * @vrb: request; its previous contents are ignored
 * @verb: the verb
 * @object: the object, to which the caller has a reference, or which cannot be destroyed before the
 *	request has completed; NULL for verbs of the device
 *
 * Context: Any.
 */
static inline void vrb_prep(struct vrb *vrb, const struct vrb_verb *verb, struct vrb_object *object)
{
	*vrb = (struct vrb){ .verb = verb, .object = object };
}

/**
 * struct vrb_user - a process that has the device open, for the fair sharing of slots
 *
 * The provider embeds it in its structure of a process, which all ucontexts of that process share:
 * a process that opens the device twice has no more slots than one that opens it once. &vrb.user of
 * each request of the process points to it, and so does that of the destroy of a process's object;
 * it must stay until these have completed. One slot is reserved for teardown, and one more is not
 * available to processes (with up to 3 slots only the reserved one is not). A process may use all
 * others while no other process has runnable requests. A slot that becomes free goes to the process
 * that holds the fewest. Fields are the engine's.
 */
struct vrb_user {
	/* private: */
	struct list_head runnable[VRB_CLASS_EVENT];
	unsigned int nr_runnable;
	struct rb_node any, teardown;	/* processes with such requests, by slots held */
	unsigned int slots;		/* held */
};

void vrb_user_init(struct vrb_user *user);
unsigned int vrb_device_user_slots(const struct vrb_device *dev);
void vrb_wait_logged(struct completion *over, const char *device, const char *what);

/* ---- Slots ---- */

enum vrb_slot_state {
	VRB_SLOT_FREE,
	VRB_SLOT_BUSY,
	VRB_SLOT_ZOMBIE		/* timed out; the hardware may still write its buffers */
};

/**
 * struct vrb_slot - one command that the hardware can have outstanding
 * @index: 0 .. slots - 1; the provider's key to its own buffers. The highest index is reserved for
 *	teardown where there are at least two
 * @token: the hardware must return it with the completion. It is the index and a generation that
 *	changes with every post, and differs from the slot's last 255 tokens
 * @vrb: the request that the command belongs to; valid in the functions of a step and in
 *	&vrb_provider_ops.post
 *
 * Fields below @vrb are the engine's.
 */
struct vrb_slot {
	u16 index;
	u16 token;
	struct vrb *vrb;
	/* private: */
	u16 generation;
	enum vrb_slot_state state;
	bool posted;			/* the hardware has it */
	int verdict;			/* that done returned, until it is executed */
	const struct vrb_verb *verb;	/* a zombie's */
	u32 step;			/* a zombie's */
	struct vrb_object *object;	/* a zombie's reference */
	struct vrb_result result;
	ktime_t since;			/* encoded, posted, or made a zombie */
	struct list_head entry;		/* free, ready (waits for the register), has work to do */
};

/* ---- Devices ---- */

/**
 * struct vrb_provider_ops - the functions of a driver that the engine calls
 * @post: gives the encoded command of @slot to the hardware. At most one register read and no
 *	waiting. Returns 0, -EAGAIN (the command register is busy: the engine tries again) or -EIO
 *	(the device is gone: the engine fails it). The hardware must return @slot->token.
 *	Called in softirq or with BH disabled, with the engine's device lock held.
 * @reap: calls vrb_slot_complete() for each completed command, for at most @budget; returns their
 *	number. While the device has one slot, a timer polls with this until the command has
 *	completed; with more slots it is called after vrb_device_kick().
 *	Called in softirq, with no lock held, by one caller at a time.
 * @rearm: requests an interrupt at the next completion of a command. If one has completed since the
 *	last @reap, the interrupt must come at once. Called after a run that found completed
 *	commands, or that vrb_device_kick() caused; not while the device has one slot.
 *	Called as @reap is.
 * @slots: the number of slots will be @slots. No command is outstanding, and none is posted before
 *	this returns. With one slot completions are polled for, with more they raise interrupts.
 *	Optional.
 *	Called in process context, with no lock held; may sleep.
 * @quiesce: when it returns, the hardware writes no memory any more (bus mastering off, read back).
 *	It must not call vrb_device_fail() or vrb_device_stop().
 *	Called once per failure, in any context down to softirq, with BH disabled, and with no lock
 *	of the engine held that its functions take.
 * @failed: the device has failed, or was stopped, and all requests are being completed. It must
 *	call vrb_resume() for every object whose request waits for something that will not happen
 *	any more, and vrb_object_unhold() for every vrb_object_hold(), because the destroys of these
 *	objects wait and no request can end the hold any more. A request that has waited may
 *	complete without its undo after this. So a list of the provider that is not empty when this
 *	returns must contain the objects, each with a reference, not the requests. Optional.
 *	Called in softirq, with no lock held.
 * @status_name: name of a firmware status other than 0, for debugfs, tracepoints and log; NULL if
 *	unknown. Optional.
 *	Called in any context; the caller may hold any lock.
 */
struct vrb_provider_ops {
	int (*post)(struct vrb_device *dev, struct vrb_slot *slot);
	int (*reap)(struct vrb_device *dev, int budget);
	void (*rearm)(struct vrb_device *dev);
	void (*slots)(struct vrb_device *dev, unsigned int slots);
	void (*quiesce)(struct vrb_device *dev);
	void (*failed)(struct vrb_device *dev, const char *reason);
	const char *(*status_name)(u8 fw_status);
};

/* Counters of a device since it was created. */
struct vrb_counters {
	u64 submitted;		/* accepted */
	u64 refused;
	u64 completed;		/* callbacks called, waiters woken */
	u64 failed;		/* of those: status < 0 */
	u64 cancelled;		/* by vrb_cancel(), vrb_kill() or vrb_group_cancel() */
	u64 flushed;		/* cancelled because object, client, device or provider ended */
	u64 deadline;		/* their deadline passed while they were queued */
	u64 timeouts;		/* commands that timed out and became zombies */
	u64 zombies_reaped;	/* late completions of zombies */
	u64 stray;		/* completions with a token of no outstanding command */
	u64 steps;		/* commands posted */
	u64 busy;		/* post attempts that found the register busy */
	u64 no_slot;		/* requests that had to wait for a slot */
	u64 undone;		/* requests that undid earlier steps */
	u64 waits;		/* steps that waited (VRB_WAIT) */
	u64 inbox;		/* requests accepted through the inbox */
	u64 runs;		/* runs of the pump */
	u64 queue_now, queue_max;
	u64 slots_now, slots_max;
	u64 hold_max;		/* requests handled in one hold of the device lock, at most */
	u64 run_max_ns;		/* longest run of the pump */
};

/**
 * struct vrb_device_config - the configuration of a device
 * @name: for messages and debugfs: the name of the PCI function
 * @slots: the largest number that will be passed to vrb_device_set_slots(), 1 .. 256
 * @issue_timeout_ms: an issued command times out when no command at all has completed for this
 *	time, or after ten times as long although others complete; 0: 60 s
 * @max_zombies: more zombies than this fail the device; 0: a quarter of the slots, at least 1. It
 *	is limited to the number of slots less two, and is 0 with fewer than three slots
 */
struct vrb_device_config {
	const char *name;
	unsigned int slots;
	unsigned int issue_timeout_ms;
	unsigned int max_zombies;
};

/* A device starts with one slot, which is not reserved, and polls for completions. */
struct vrb_device *vrb_device_create(const struct vrb_provider_ops *ops, void *priv,
				     const struct vrb_device_config *config);
void vrb_device_destroy(struct vrb_device *dev);
void *vrb_device_priv(const struct vrb_device *dev);
int vrb_device_set_slots(struct vrb_device *dev, unsigned int slots);
void vrb_device_counters(struct vrb_device *dev, struct vrb_counters *counters);

void vrb_device_fail(struct vrb_device *dev, const char *reason);
void vrb_device_stop(struct vrb_device *dev, const char *reason);
int vrb_device_revive(struct vrb_device *dev);

/* The first member of a struct vrb_device, which only the engine writes. */
enum vrb_device_state {
	VRB_DEV_OK,
	VRB_DEV_FAILING,	/* posts no more; the hardware may still write */
	VRB_DEV_FAILED		/* quiesced: the pump completes everything */
};

static inline enum vrb_device_state vrb_device_state(const struct vrb_device *dev)
{
	/* Pairs with the engine's stores: earlier writes are visible together with the state. */
	return smp_load_acquire((const enum vrb_device_state *)dev);
}

/**
 * vrb_device_failed() - whether the device has failed, so that nothing is posted any more
 * @dev: device
 *
 * The hardware may still write: see vrb_device_quiesced(). Inline, because every post of work
 * requests calls it.
 *
 * Context: Any.
 * Return: true if it has.
 */
static inline bool vrb_device_failed(const struct vrb_device *dev)
{
	return vrb_device_state(dev) != VRB_DEV_OK;
}

/**
 * vrb_device_quiesced() - whether the device has failed and its hardware writes no memory any more
 * @dev: device
 *
 * Memory that the hardware knows may be freed once this is true, and all that it wrote before it
 * was stopped is visible.
 *
 * Context: Any.
 * Return: true if both are so.
 */
static inline bool vrb_device_quiesced(const struct vrb_device *dev)
{
	return vrb_device_state(dev) == VRB_DEV_FAILED;
}

/**
 * struct vrb_verbs - a provider's verbs of RDMA objects
 * @verb: the verb of each operation; a request of one that is NULL is refused with -EOPNOTSUPP. The
 *	functions of a step find the typed request with container_of(vrb, struct vrb_modify_qp,
 *	vrb) and the like. The engine itself implements %VRB_OP_AWAIT_CQ and %VRB_OP_AWAIT_EVENT
 * @mr_size: size of the provider's structure that begins with a struct ib_mr; the sizes of the
 *	others are &ib_device_ops.size_ib_cq and the like
 * @init_cq: makes the hardware half of a CQ without a command: allocates its number and memory,
 *	calls vrb_object_init_shell(), adds its parents, enters it into the provider's tables, and
 *	sets &ib_cq.cqe. The members of @cq that ib_core initialises have been initialised. It is
 *	the same for ib_core's create and for shells. If it fails it must leave nothing behind:
 *	see vrb_object_abandon().
 *	Called in a context that @gfp allows, down to softirq.
 * @init_qp: the same for a QP; writes the actual sizes to &ib_qp_init_attr.cap, and sets
 *	&ib_qp.qp_num
 * @init_srq: the same for an SRQ; writes the actual sizes to &ib_srq_init_attr.attr
 * @init_mr: the same for a memory region with room for @max_pages
 * @ring_cq: allocates memory for the resize of a kernel CQ to @cqe entries; the CQ owns it. Returns
 *	0, -EINVAL (size), -EBUSY (the CQ already has such memory) or -ENOMEM. NULL: a resize needs
 *	no memory.
 *	Called in a context that @gfp allows, down to softirq.
 * @cq_object: returns the hardware half of one of the provider's CQs.
 *	Called in any context.
 * @qp_object: the same for a QP
 * @srq_object: the same for an SRQ
 * @mr_object: the same for a memory region
 * @qp_state: returns the state after the last request that completed.
 *	Called in any context.
 */
struct vrb_verbs {
	const struct vrb_verb *verb[VRB_NR_OPS];
	size_t mr_size;
	int (*init_cq)(struct ib_cq *cq, const struct ib_cq_init_attr *attr, gfp_t gfp);
	int (*init_qp)(struct ib_qp *qp, struct ib_qp_init_attr *attr, gfp_t gfp);
	int (*init_srq)(struct ib_srq *srq, struct ib_srq_init_attr *attr, gfp_t gfp);
	int (*init_mr)(struct ib_mr *mr, u32 max_pages, gfp_t gfp);
	int (*ring_cq)(struct ib_cq *cq, int cqe, gfp_t gfp);
	struct vrb_object *(*cq_object)(struct ib_cq *cq);
	struct vrb_object *(*qp_object)(struct ib_qp *qp);
	struct vrb_object *(*srq_object)(struct ib_srq *srq);
	struct vrb_object *(*mr_object)(struct ib_mr *mr);
	enum ib_qp_state (*qp_state)(const struct ib_qp *qp);
};

/* Between these two calls clients find the provider of @ibdev. */
int vrb_device_attach(struct vrb_device *dev, struct ib_device *ibdev,
		      const struct vrb_verbs *verbs);
void vrb_device_detach(struct vrb_device *dev);

/* The provider's own requests: ib_device_ops, probe, remove. */
struct vrb_client *vrb_device_client(struct vrb_device *dev);

/* For the interrupt handler of the command event queue; for reap, for each completed command. */
void vrb_device_kick(struct vrb_device *dev);
void vrb_slot_complete(struct vrb_device *dev, u16 token, const struct vrb_result *result);

/* ---- Softirq ---- */

/**
 * struct vrb_softirq - calls a function in softirq, on one CPU at a time
 *
 * For a provider's event queues; the engine's pump has one of its own. The function gets a budget.
 * If there is more to do it returns the budget, and is called again. Otherwise it calls
 * vrb_softirq_complete(), checks again for events that arrived before that, and returns less than
 * the budget. Fields are the engine's.
 */
struct vrb_softirq {
	/* private: */
	int (*run)(struct vrb_softirq *softirq, int budget);
	bool timed;			/* uses the timer, otherwise irq_poll */
	bool stopped;
	struct irq_poll iop;
	struct hrtimer timer;
};

void vrb_softirq_init(struct vrb_softirq *softirq, int budget,
		      int (*run)(struct vrb_softirq *softirq, int budget));
void vrb_softirq_sched(struct vrb_softirq *softirq);
void vrb_softirq_complete(struct vrb_softirq *softirq);
void vrb_softirq_stop(struct vrb_softirq *softirq);
void vrb_softirq_stop_begin(struct vrb_softirq *softirq);
void vrb_softirq_stop_end(struct vrb_softirq *softirq);

/* ---- Objects ---- */

/**
 * struct vrb_object_type - a kind of hardware object
 * @name: "QP", "CQ", ... for debugfs
 * @release: frees the number, the buffers and the place in tables, but not the memory of the object
 *	itself, which readers under rcu_read_lock() may still access. Called when the hardware no
 *	longer uses the object, its children are gone, and nobody has a reference (in
 *	vrb_object_abandon() its owner still has one). A waiter for the destroy wakes after this.
 *	Called in softirq or with BH disabled, with no lock of the engine held.
 * @free: frees the memory of the object, an RCU grace period after @release. NULL: there are no
 *	readers under rcu_read_lock(), and the provider frees the memory, in @release or later.
 *	vrb_device_destroy() returns after the last of these calls.
 *	Called in softirq, with no lock held.
 * @leave: a parting verb after which the hardware neither uses memory of the object's owner nor
 *	raises events for the owner. The engine submits it when a client unregisters while something
 *	holds the object: see vrb_object_hold(). If it fails, the device fails. NULL: none is
 *	needed, because the hardware uses such an object only while it uses a child (a CQ: its QPs).
 */
struct vrb_object_type {
	const char *name;
	void (*release)(struct vrb_object *object);
	void (*free)(struct vrb_object *object);
	const struct vrb_verb *leave;
};

#define VRB_MAX_PARENTS 6

/* private: whether the hardware knows an object */
enum vrb_life {
	VRB_LIFE_CREATED,
	VRB_LIFE_SHELL,		/* its create was never submitted */
	VRB_LIFE_CREATING,
	VRB_LIFE_FAILED,	/* its create has failed */
};

/**
 * struct vrb_object - the hardware half of an RDMA object
 * @type: its kind
 * @id: its number on the device (QPN, CQN, key ...)
 * @destroy: the object's own destroy request, so that a destroy needs no memory; for an object of a
 *	process the provider sets its user
 *
 * The provider embeds it in its hardware object, which is allocated separately from ib_core's
 * structure. Requests on it are executed in FIFO order, one at a time. It exists as long as there
 * is a reference: its owner's, which the destroy takes over; one for each child, for each accepted
 * request whose callback has not returned, and for each command that timed out; and those of
 * vrb_object_get() and vrb_object_tryget(). The remaining fields are the engine's.
 */
struct vrb_object {
	const struct vrb_object_type *type;
	u32 id;
	struct vrb destroy;
	/* private: */
	struct vrb_device *dev;
	refcount_t refs;
	unsigned int epoch;		/* number of device failures before its creation */
	unsigned int children;
	unsigned int zombies;		/* timed-out commands whose effect is unknown */
	int flush;			/* errno with which its queue is being completed */
	bool dying;			/* destroy accepted */
	bool left;			/* its client goes before it does */
	u8 news;			/* events for the pump: VRB_NEWS_*; under the kick lock */
	struct list_head news_entry;	/* under the kick lock */
	struct list_head queue;		/* requests not yet issued, oldest first */
	struct list_head entry;		/* all objects of the device */
	struct vrb *active;		/* the request that is issued or waits in a step */
	struct vrb_object *parent[VRB_MAX_PARENTS];
	unsigned int nr_parents;
	void (*gone)(void *context);
	void *gone_context;
	enum vrb_life life;
	struct list_head visitors;	/* requests that wait for its create */
	struct vrb_client *owner;	/* of a shell; NULL: ib_core's object, or the provider's */
	void *shell;			/* the structure that begins with a struct ib_qp or so */
	void (*shell_release)(void *shell);
	struct list_head shell_entry;	/* the client's shells */
	struct list_head awaiting;	/* requests that wait for an event of it */
	bool await_next;		/* one of them waits for any completion */
	struct rcu_head rcu;
};

void vrb_object_init(struct vrb_object *object, struct vrb_device *dev,
		     const struct vrb_object_type *type, u32 id, const struct vrb_verb *destroy);
void vrb_object_init_shell(struct vrb_object *object, struct vrb_device *dev,
			   const struct vrb_object_type *type, u32 id,
			   const struct vrb_verb *destroy);
void vrb_object_abandon(struct vrb_object *object);
bool vrb_object_is_shell(const struct vrb_object *object);
void vrb_object_warn_shell(struct vrb_object *object, const char *what);
void vrb_object_hold(struct vrb_object *object);
void vrb_object_unhold(struct vrb_object *object);
void vrb_object_event(struct vrb_object *object);
void vrb_device_event(struct vrb_device *dev, enum ib_event_type type, struct vrb_object *object);
int vrb_object_add_parent(struct vrb_object *object, struct vrb_object *parent);
void vrb_object_drop_parent(struct vrb_object *object, struct vrb_object *parent);
void vrb_object_get(struct vrb_object *object);
bool vrb_object_tryget(struct vrb_object *object);
void vrb_object_put(struct vrb_object *object);
bool vrb_object_has_children(struct vrb_object *object);
bool vrb_object_has_one_child(const struct vrb_object *object);
bool vrb_object_is_quiet(struct vrb_object *object);
void vrb_resume(struct vrb_object *object);
int vrb_destroy(struct vrb_client *client, struct vrb_object *object, void (*gone)(void *context),
		void *context);
int vrb_destroy_wait(struct vrb_client *client, struct vrb_object *object);

#endif /* RDMA_VRB_PROVIDER_H */
