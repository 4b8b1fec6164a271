/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The provider's side of the verbs request engine: what a driver gives to ib_vrb and gets from it.
 *
 * The engine has the queues, the slots, the time and the pump; it knows no register, no mailbox and
 * no InfiniBand object. The provider knows its commands; it knows no client. A slot stands for one
 * command the hardware may have outstanding, with whatever buffers the provider keeps per slot.
 */
#ifndef RDMA_VRB_PROVIDER_H
#define RDMA_VRB_PROVIDER_H

#include <linux/hrtimer.h>
#include <linux/irq_poll.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

/* ---- Verbs: tables of steps ---- */

/**
 * enum vrb_verdict - what the functions of a step answer, besides a negative errno
 * @VRB_NEXT: this step is over, on to the next one; after the last the verb is complete
 * @VRB_POST: encode, undo: a command has been encoded
 * @VRB_AGAIN: this step is not over: the same step again; so a row of the table may stand for any
 *	number of commands or portions
 * @VRB_WAIT: the step waits, without a slot, until vrb_resume() is called for the object; then an
 *	encode, undo or work is called again, and a done or undone goes on to the next step
 * @VRB_END: the verb is complete, whatever steps are left
 *
 * What may answer what: see struct vrb_step. 0 is VRB_NEXT, so that a done may return
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
 * struct vrb_result - what the hardware said of one command
 * @status: 0 or the provider's errno for @fw_status
 * @fw_status: as the firmware gave it
 * @out: immediate output
 */
struct vrb_result {
	int status;
	u8 fw_status;
	u64 out;
};

/**
 * struct vrb_step - one row of a verb's table
 * @name: the firmware command's name, or what else it does: debugfs, tracepoints and log show it
 * @encode: writes the command into the provider's buffers of @slot; also decides whether there is
 *	one. At most 64 steps without a command are passed over at a time.
 *	Returns VRB_POST, VRB_NEXT (no command: not needed here), VRB_AGAIN, VRB_WAIT, VRB_END, or a
 *	negative errno: the step has failed, and neither @done nor @late is called.
 *	Context: Softirq or BH disabled, the engine's device lock held: no sleeping, no submit.
 * @work: instead of @encode: a step without a command that does a portion of work, at most 64
 *	entries of whatever it writes. A run of the pump calls one portion.
 *	Returns VRB_NEXT, VRB_AGAIN (more portions), VRB_WAIT, VRB_END, or a negative errno.
 *	Context: Softirq, no lock held.
 * @done: takes the result of the command, the out buffers of @slot are still the request's. NULL:
 *	its status is the verdict.
 *	Returns VRB_NEXT, VRB_AGAIN, VRB_WAIT, VRB_END, or a negative errno: the step has failed.
 *	Context: Softirq, no lock held.
 * @undo: the step is over, a later one has failed: as @encode, for the command that takes this one
 *	back. NULL: nothing to take back. Called from the step before the failed one down to the
 *	first. A step in which the request was waiting when it was cancelled is undone too.
 *	Returns VRB_POST, VRB_NEXT (nothing to take back), VRB_AGAIN, VRB_WAIT; an errno fails the
 *	device.
 *	Context: as @encode.
 * @undone: as @done, for the command of @undo. NULL: its status is the verdict.
 *	Returns VRB_NEXT, VRB_AGAIN, VRB_WAIT; an errno fails the device.
 *	Context: as @done.
 * @lost: this step's command has been given up (-ETIMEDOUT): what becomes of @object is not known
 *	until @late is called, if ever. Optional.
 *	Context: as @encode.
 * @late: this step's command of a request that had been given up (-ETIMEDOUT) has finished after
 *	all: what became of @object is known again. Called before anything else is issued on
 *	@object. Optional.
 *	Context: as @done.
 *
 * What a failed step did in part it puts right itself: in @done, or in @encode before it answers.
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
 * @name: as debugfs and the tracepoints show it
 * @class: %VRB_CLASS_TEARDOWN, %VRB_CLASS_NORMAL or %VRB_CLASS_BACKGROUND; a destroy's is always
 *	teardown
 * @creates: makes the hardware know the object; see vrb_object_init_shell()
 * @parting: accepted on an object whose destroy is pending, and goes before that: of the teardown
 *	class
 * @steps: the table; see VRB_STEPS()
 * @nr_steps: its rows, at least 1
 * @may_refuse: of a destroy: the hardware may refuse its first step, see below
 *
 * A request keeps its slot from the first to the last step unless it waits. A verb whose step fails
 * takes the earlier ones back, as far as they have an undo, and completes with the first errno;
 * &vrb.step tells where. One whose command is not answered ends -ETIMEDOUT at once, for nobody
 * knows what the hardware will do.
 *
 * A destroy's table takes back what the object has, passing over what it has not. It cannot fail: a
 * step of it that does fails the device, which completes it. One exception, where the verb says so
 * and for vrb_destroy_wait() only: -EBUSY at step 0 (the hardware refused before it changed
 * anything) is returned, and the object lives on.
 */
struct vrb_verb {
	const char *name;
	enum vrb_class class;
	bool creates;
	bool parting;
	const struct vrb_step *steps;
	u32 nr_steps;
	bool may_refuse;
};

/* For a struct vrb_verb: its table is this array. */
#define VRB_STEPS(table) \
	.steps = (table), .nr_steps = sizeof(table) / sizeof(struct vrb_step)

/**
 * vrb_prep - make a request of the provider's own
 * @vrb: request; nothing of what it held is looked at
 * @verb: what to do
 * @object: what to do it to, to which the caller has a reference or which cannot be destroyed
 *	before the request is over; NULL for verbs of the device
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
 * Embedded in what the provider keeps per process (its ucontext). A request of the process has
 * &vrb.user point to it, and so has the destroy of a process's object; it must stay until those are
 * over. Of S slots one is reserved for teardown and one more kept from processes (up to 3 slots:
 * only the reserved one). Of the rest a process may hold all while nobody else wants one; a slot
 * that becomes free goes to the process that holds the fewest. Fields are the engine's.
 */
struct vrb_user {
	/* private: */
	struct list_head runnable[VRB_CLASS_EVENT];
	unsigned int nr_runnable;
	struct rb_node any, teardown;	/* of those that have such requests, by slots held */
	unsigned int slots;		/* held */
};

void vrb_user_init(struct vrb_user *user);
unsigned int vrb_device_user_slots(const struct vrb_device *dev);

/* ---- Slots ---- */

enum vrb_slot_state {
	VRB_SLOT_FREE,
	VRB_SLOT_BUSY,
	VRB_SLOT_ZOMBIE		/* timed out; the hardware may still write its buffers */
};

/**
 * struct vrb_slot - one command the hardware can have outstanding
 * @index: 0 .. slots - 1; the provider's key to its own buffers. The highest index is reserved for
 *	teardown where there are at least two
 * @token: what the hardware must echo: index and a generation that changes with every post; it
 *	differs from the slot's last 255
 * @vrb: the request whose command it is; valid in the functions of a step and in
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
	int verdict;			/* of done, until it is acted upon */
	const struct vrb_verb *verb;	/* a zombie's */
	u32 step;			/* a zombie's */
	struct vrb_object *object;	/* reference a zombie keeps */
	struct vrb_result result;
	ktime_t since;			/* encoded, posted, or made a zombie */
	struct list_head entry;		/* free, ready (waits for the register), to be worked on */
};

/* ---- Devices ---- */

/**
 * struct vrb_provider_ops - a driver as the engine sees it
 * @post: hands the encoded command of @slot to the hardware. At most one register read and no
 *	waiting. Returns 0, -EAGAIN (the command register is busy: the engine tries again) or -EIO
 *	(the device is gone: the engine fails it). @slot->token must come back with the completion.
 *	Context: Softirq or BH disabled, engine's device lock held.
 * @reap: finds finished commands, at most @budget, and calls vrb_slot_complete() for each; returns
 *	their number. While the device has one slot a timer has this called until the command has
 *	finished; with more it is called after vrb_device_kick().
 *	Context: Softirq, no lock held, one caller at a time.
 * @rearm: asks for an interrupt when the next command finishes. It must fire at once when one
 *	already has. Called after a run that found finished commands, or that vrb_device_kick()
 *	asked for; not while the device has one slot.
 *	Context: as @reap.
 * @slots: the number of slots is going to be @slots; no command is outstanding, and none is posted
 *	before this returns. With one slot commands are found by looking, with more by interrupts.
 *	Optional.
 *	Context: Process, may sleep, no lock held.
 * @quiesce: makes sure the hardware writes no memory from now on (bus mastering off, read back). It
 *	must not call vrb_device_fail() or vrb_device_stop().
 *	Context: any down to softirq, BH disabled, no lock of the engine held that others of its
 *	functions take; called once per failure.
 * @failed: the device has failed, or was stopped, and all requests are being completed. Calls
 *	vrb_resume() for every object whose request waits for something that does not come any more,
 *	and vrb_object_unhold() for every vrb_object_hold(): no request can undo what has made the
 *	hardware hold the object, and its destroy waits. When it returns, the provider must have
 *	let go of every request that has waited: it may complete without its undo. Optional.
 *	Context: Softirq, no lock held.
 * @status_name: name of a firmware status other than 0, for debugfs, tracepoints and log; NULL if
 *	unknown. Optional.
 *	Context: Any, any lock held.
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

/**
 * struct vrb_counters - what the engine counts, per device since it was created
 */
struct vrb_counters {
	u64 submitted;		/* accepted */
	u64 refused;
	u64 completed;		/* callbacks called, waiters woken */
	u64 failed;		/* of those: status < 0 */
	u64 cancelled;		/* taken back by vrb_cancel(), vrb_kill() or vrb_group_cancel() */
	u64 flushed;		/* taken back because object, client, device or provider ended */
	u64 deadline;		/* queued past their deadline */
	u64 timeouts;		/* issued and given up: zombies made */
	u64 zombies_reaped;	/* late completions of zombies */
	u64 stray;		/* completions with a token nobody waits for */
	u64 steps;		/* commands posted */
	u64 busy;		/* post attempts that found the register busy */
	u64 no_slot;		/* requests that had to wait for a slot */
	u64 undone;		/* requests that undid earlier steps */
	u64 waits;		/* steps that waited (VRB_WAIT) */
	u64 inbox;		/* requests that came by way of the inbox */
	u64 runs;		/* runs of the pump */
	u64 queue_now, queue_max;
	u64 slots_now, slots_max;
	u64 hold_max;		/* requests handled in one hold of the device lock, at most */
	u64 run_max_ns;		/* longest run of the pump */
};

/**
 * struct vrb_device_config - what a provider asks for
 * @name: for messages and debugfs: the name of the PCI function
 * @slots: the most that vrb_device_set_slots() is going to be called with, 1 .. 256
 * @issue_timeout_ms: an issued command is given up when for this long no command at all has
 *	completed, or after ten times as long whatever else completes; 0: 60 s
 * @max_zombies: more zombies than this fail the device; 0: a quarter of the slots, at least 1
 */
struct vrb_device_config {
	const char *name;
	unsigned int slots;
	unsigned int issue_timeout_ms;
	unsigned int max_zombies;
};

/* A device. It starts with one slot, none reserved, its commands found by looking. */
struct vrb_device *vrb_device_create(const struct vrb_provider_ops *ops, void *priv,
				     const struct vrb_device_config *config);
void vrb_device_destroy(struct vrb_device *dev);
void *vrb_device_priv(const struct vrb_device *dev);
int vrb_device_set_slots(struct vrb_device *dev, unsigned int slots);
void vrb_device_counters(struct vrb_device *dev, struct vrb_counters *counters);

/* "Posts no more" (failed) and "writes no more" (quiesced): who frees memory asks the second. */
void vrb_device_fail(struct vrb_device *dev, const char *reason);
void vrb_device_stop(struct vrb_device *dev, const char *reason);
bool vrb_device_failed(const struct vrb_device *dev);
bool vrb_device_quiesced(const struct vrb_device *dev);
int vrb_device_revive(struct vrb_device *dev);

/**
 * struct vrb_verbs - the verbs of RDMA objects, as a provider has them
 * @verb: by what is asked for; NULL: it is answered -EOPNOTSUPP. The request handed to a step's
 *	functions is the typed one: container_of(vrb, struct vrb_modify_qp, vrb) and its like.
 *	%VRB_OP_AWAIT_CQ and %VRB_OP_AWAIT_EVENT are the engine's own
 * @mr_size: of the provider's block that begins with a struct ib_mr; those of the others are
 *	&ib_device_ops.size_ib_cq and its like
 * @init_cq: the hardware half of a CQ without a command: number, memory, vrb_object_init_shell(),
 *	parents, place in the tables. What ib_core initialises of @cq is initialised. All the
 *	same for ib_core's create and for shells; &ib_cq.cqe is set. If it fails it leaves
 *	nothing behind: see vrb_object_abandon().
 *	Context: as @gfp says, down to softirq.
 * @init_qp: the same of a QP; what was given is written back to &ib_qp_init_attr.cap, and
 *	&ib_qp.qp_num is set
 * @init_srq: the same of an SRQ; what was given is written back to &ib_srq_init_attr.attr
 * @init_mr: the same of a memory region with room for @max_pages
 * @ring_cq: memory for a kernel CQ's resize to @cqe entries, the CQ's from then on: returns 0,
 *	-EINVAL: size, -EBUSY: it has some already, or -ENOMEM. NULL: a resize needs none.
 *	Context: as @gfp says, down to softirq.
 * @cq_object: the hardware half of a CQ of the provider's.
 *	Context: Any.
 * @qp_object: of a QP
 * @srq_object: of an SRQ
 * @mr_object: of a memory region
 * @qp_state: the state as the last request has left it.
 *	Context: Any.
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

/* Clients find the provider of @ibdev between these two. */
int vrb_device_attach(struct vrb_device *dev, struct ib_device *ibdev,
		      const struct vrb_verbs *verbs);
void vrb_device_detach(struct vrb_device *dev);

/* The provider's own requests: ib_device_ops, probe, remove. */
struct vrb_client *vrb_device_client(struct vrb_device *dev);

/* From the interrupt handler of the command event queue, and from reap for one finished command. */
void vrb_device_kick(struct vrb_device *dev);
void vrb_slot_complete(struct vrb_device *dev, u16 token, const struct vrb_result *result);

/* ---- Softirq ---- */

/**
 * struct vrb_softirq - has a function called in softirq, never twice at a time
 *
 * For a provider's event queues; the engine's pump has one of its own. The function is given how
 * much it may do. It answers with that if there is more to do, and is called again; else it calls
 * vrb_softirq_complete(), looks again for what came before that, and answers with less. Fields are
 * the engine's.
 */
struct vrb_softirq {
	/* private: */
	int (*run)(struct vrb_softirq *softirq, int budget);
	bool timed;			/* by the timer, else by irq_poll */
	bool stopped;
	struct irq_poll iop;
	struct hrtimer timer;
};

void vrb_softirq_init(struct vrb_softirq *softirq, int budget,
		      int (*run)(struct vrb_softirq *softirq, int budget));
void vrb_softirq_sched(struct vrb_softirq *softirq);
void vrb_softirq_complete(struct vrb_softirq *softirq);
void vrb_softirq_stop(struct vrb_softirq *softirq);

/* ---- Objects ---- */

/**
 * struct vrb_object_type - what kind of hardware object
 * @name: "QP", "CQ", ... for debugfs
 * @release: the hardware has let go, every child is gone and nobody holds a reference: give back
 *	all there is (number, buffers, place in tables) but the memory of the object itself, which
 *	somebody may be looking at under rcu_read_lock(). Who waits for the destroy wakes after
 *	this.
 *	Context: Softirq, no lock held.
 * @free: frees the memory of the object, a grace period of RCU after @release. NULL: nobody looks
 *	at it under rcu_read_lock(), and the provider frees it, in @release or later.
 *	vrb_device_destroy() returns after the last of these.
 *	Context: Softirq, no lock held.
 * @leave: a parting verb after which the hardware neither uses memory of the object's owner nor has
 *	events for him. It is asked for when a client unregisters while something holds the object:
 *	see vrb_object_hold(). Its failure is one of the device. NULL: the hardware does nothing
 *	with such an object unless its children have it do that.
 */
struct vrb_object_type {
	const char *name;
	void (*release)(struct vrb_object *object);
	void (*free)(struct vrb_object *object);
	const struct vrb_verb *leave;
};

#define VRB_MAX_PARENTS 6

/* private: whether the hardware knows of an object */
enum vrb_life {
	VRB_LIFE_CREATED,
	VRB_LIFE_SHELL,		/* its create was never submitted */
	VRB_LIFE_CREATING,
	VRB_LIFE_FAILED,	/* its create has failed */
};

/**
 * struct vrb_object - the hardware half of an RDMA object
 * @type: what it is
 * @id: its number on the device (QPN, CQN, key ...)
 * @destroy: the object's own destroy request, so that destroying needs no memory; the provider sets
 *	its user where the object is a process's
 *
 * Embedded in the provider's separately allocated hardware object. Requests on it run first in,
 * first out, one at a time. It lives until nobody has a reference: its owner's (which the destroy
 * takes), one per child, per request that is accepted and whose callback has not returned, per
 * command that was given up, and those of vrb_object_get() and vrb_object_tryget(). The remaining
 * fields are the engine's.
 */
struct vrb_object {
	const struct vrb_object_type *type;
	u32 id;
	struct vrb destroy;
	/* private: */
	struct vrb_device *dev;
	refcount_t refs;
	unsigned int epoch;		/* failures of the device before this object */
	unsigned int children;
	unsigned int zombies;		/* timed-out commands whose effect is unknown */
	int flush;			/* with this the queue is being completed */
	bool dying;			/* destroy accepted */
	u8 news;			/* for the pump: VRB_NEWS_*; under the kick lock */
	struct list_head news_entry;	/* under the kick lock */
	struct list_head queue;		/* requests not yet issued, oldest first */
	struct list_head entry;		/* all objects of the device */
	struct vrb *active;		/* the request that is issued or waits in a step */
	struct vrb_object *parent[VRB_MAX_PARENTS];
	unsigned int nr_parents;
	void (*gone)(void *context);
	void *gone_context;
	enum vrb_life life;
	struct list_head visitors;	/* what waits for its create: those of children, awaits */
	struct vrb_client *owner;	/* of a shell; NULL: ib_core's object, or the provider's */
	void *shell;			/* the block that begins with a struct ib_qp or its like */
	void (*shell_release)(void *shell);
	struct list_head shell_entry;	/* the client's shells */
	struct list_head awaiting;	/* requests that wait for an event of it */
	bool await_next;		/* one of them for any completion, solicited or not */
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
void vrb_resume(struct vrb_object *object);
int vrb_destroy(struct vrb_client *client, struct vrb_object *object, void (*gone)(void *context),
		void *context);
int vrb_destroy_wait(struct vrb_client *client, struct vrb_object *object);

#endif /* RDMA_VRB_PROVIDER_H */
