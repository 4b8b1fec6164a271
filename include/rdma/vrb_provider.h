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

#include <rdma/vrb.h>

/* What vrb_verb.encode and vrb_verb.advance answer, besides a negative errno. */
enum vrb_verdict {
	VRB_DONE_OK = 0,	/* advance: the verb is complete. encode: a command was encoded */
	VRB_MORE = 1,		/* to the next step; encode: there is no command for this one */
	VRB_LAST = 2,		/* encode only: nothing left to issue, the verb is complete */
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

/*
 * For &vrb_verb.flags: the verb destroys its object: queued requests are cancelled, new ones
 * refused, and its commands are issued when no child and no reference besides the owner's is left.
 * It never fails: a command of it that does fails the device, which completes it with 0. One
 * exception: -EBUSY at step 0 (the hardware refused before it changed anything) completes it -EBUSY
 * and the object lives on.
 */
#define VRB_VERB_DESTROY	0x01

/**
 * struct vrb_verb - one verb: the commands it is made of
 * @name: as debugfs and the tracepoints show it
 * @class: its class; a destroy is always %VRB_CLASS_TEARDOWN
 * @flags: VRB_VERB_*
 * @encode: writes the command of step vrb->step into the provider's buffers of @slot.
 *	Context: Softirq or BH disabled, the engine's device lock held: no sleeping, no submit.
 *	Returns VRB_DONE_OK (a command is ready to post), VRB_MORE (this step needs none), VRB_LAST,
 *	or a negative errno, which goes to @advance as the result of a command that failed.
 * @advance: takes the result of step vrb->step; the out buffers of @slot are still the request's.
 *	NULL: the verb is one command and its status is the result.
 *	Context: Softirq or BH disabled, no lock held.
 *	Returns VRB_DONE_OK, VRB_MORE, a negative errno, or vrb_undo(vrb, errno): undo the earlier
 *	steps. While undoing (encode sees vrb->undo) vrb->step counts down from the step before the
 *	failed one to 0: @encode of step n writes the command that takes step n back, or answers
 *	VRB_MORE where there is nothing to take back. After step 0 the request completes with that
 *	errno. A step that fails while undoing fails the device.
 * @late: the command of a request that had been given up (-ETIMEDOUT) has finished after all: what
 *	became of @object is known again. Called before anything else is issued on @object.
 *	Optional.
 *	Context: Softirq or BH disabled, no lock held.
 */
struct vrb_verb {
	const char *name;
	enum vrb_class class;
	u32 flags;
	int (*encode)(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot);
	int (*advance)(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
		       const struct vrb_result *result);
	void (*late)(struct vrb_device *dev, struct vrb_object *object, u16 step,
		     const struct vrb_result *result);
};

/**
 * vrb_undo - what vrb_verb.advance returns to have the earlier steps taken back
 * @vrb: the request one of whose steps failed
 * @err: why; negative, becomes the request's status
 *
 * Context: vrb_verb.advance.
 */
static inline int vrb_undo(struct vrb *vrb, int err)
{
	vrb->undo = true;
	vrb->status = err;
	return VRB_MORE;
}

enum vrb_slot_state {
	VRB_SLOT_FREE,
	VRB_SLOT_BUSY,
	VRB_SLOT_ZOMBIE		/* timed out; the hardware may still write its buffers */
};

/**
 * struct vrb_slot - one command the hardware can have outstanding
 * @index: 0 .. slots - 1; the provider's key to its own buffers. The highest index is reserved for
 *	teardown
 * @token: what the hardware must echo: index and a generation that changes with every post
 *
 * Fields below @token are the engine's.
 */
struct vrb_slot {
	u16 index;
	u16 token;
	/* private: */
	u16 generation;
	enum vrb_slot_state state;
	bool posted;			/* the hardware has it */
	u16 step;			/* a zombie's */
	struct vrb *vrb;
	const struct vrb_verb *verb;
	struct vrb_object *object;	/* reference a zombie keeps */
	struct vrb_result result;
	ktime_t since;			/* encoded, posted, or made a zombie */
	struct list_head entry;		/* free, ready (waits for the register) or completed */
};

/**
 * struct vrb_provider_ops - a driver as the engine sees it
 * @owner: module that must not go while a client is registered
 * @post: hands the encoded command of @slot to the hardware. At most one register read and no
 *	waiting. Returns 0, -EAGAIN (the command register is busy: the engine tries again) or -EIO
 *	(the device is gone: the engine fails it). @slot->token must come back with the completion.
 *	Context: Softirq or BH disabled, engine's device lock held.
 * @reap: finds finished commands, at most @budget, and calls vrb_slot_complete() for each; returns
 *	their number. In the polled phase it looks at the command register, later at the command
 *	event queue.
 *	Context: Softirq or BH disabled, no lock held, one caller at a time.
 * @rearm: asks for an interrupt when the next command finishes. It must fire at once when one
 *	already has.
 *	Context: as @reap.
 * @quiesce: makes sure the hardware writes no memory from now on (bus mastering off, read back).
 *	Context: any down to softirq, no lock of the engine held; called once per failure.
 * @failed: the device has failed and all requests are being completed. Optional.
 *	Context: Softirq or BH disabled, no lock held.
 */
struct vrb_provider_ops {
	struct module *owner;
	int (*post)(struct vrb_device *dev, struct vrb_slot *slot);
	int (*reap)(struct vrb_device *dev, int budget);
	void (*rearm)(struct vrb_device *dev);
	void (*quiesce)(struct vrb_device *dev);
	void (*failed)(struct vrb_device *dev, const char *reason);
};

/**
 * struct vrb_counters - what the engine counts, per device since it was created
 */
struct vrb_counters {
	u64 submitted;		/* accepted */
	u64 refused;
	u64 completed;		/* callbacks called, waiters woken */
	u64 failed;		/* of those: status < 0 */
	u64 cancelled;
	u64 deadline;		/* queued past their deadline */
	u64 timeouts;		/* issued and given up: zombies made */
	u64 zombies_reaped;	/* late completions of zombies */
	u64 stray;		/* completions with a token nobody waits for */
	u64 steps;		/* commands posted */
	u64 busy;		/* post attempts that found the register busy */
	u64 no_slot;		/* requests that had to wait for a slot */
	u64 undone;		/* requests that undid earlier steps */
	u64 events;		/* event requests completed */
	u64 runs;		/* runs of the pump */
	u64 queue_now, queue_max;
	u64 slots_now, slots_max;
	u64 run_max_ns;		/* longest run of the pump */
};

/**
 * struct vrb_device_config - what a provider asks for
 * @name: for messages and debugfs: the name of the PCI function
 * @slots: commands that may be outstanding once interrupts work, 2 .. 256 (one is reserved for
 *	teardown)
 * @issue_timeout_ms: an issued command is given up when for this long no command at all has
 *	completed; 0: 60 s
 * @max_zombies: more zombies than this fail the device; 0: a quarter of the slots, at least 1
 */
struct vrb_device_config {
	const char *name;
	unsigned int slots;
	unsigned int issue_timeout_ms;
	unsigned int max_zombies;
};

/* A device. It starts in the polled phase: one command at a time, found by looking. */
struct vrb_device *vrb_device_create(const struct vrb_provider_ops *ops, void *priv,
				     const struct vrb_device_config *config);
void vrb_device_destroy(struct vrb_device *dev);
void *vrb_device_priv(const struct vrb_device *dev);
int vrb_device_set_slots(struct vrb_device *dev, unsigned int slots);
void vrb_device_set_polled(struct vrb_device *dev, bool polled);
bool vrb_device_polled(const struct vrb_device *dev);
void vrb_device_fail(struct vrb_device *dev, const char *reason);
bool vrb_device_failed(const struct vrb_device *dev);
int vrb_device_revive(struct vrb_device *dev);

/* Clients find the provider of @ibdev between these two. */
int vrb_device_attach(struct vrb_device *dev, struct ib_device *ibdev);
void vrb_device_detach(struct vrb_device *dev);

/* The provider's own requests: ib_device_ops, probe, remove. */
struct vrb_client *vrb_device_client(struct vrb_device *dev);

/* From the interrupt handler of the command event queue, and for one finished command. */
void vrb_device_kick(struct vrb_device *dev);
void vrb_slot_complete(struct vrb_device *dev, u16 token, const struct vrb_result *result);
void vrb_device_counters(struct vrb_device *dev, struct vrb_counters *counters);

/**
 * struct vrb_object_type - what kind of hardware object
 * @name: "QP", "CQ", ... for debugfs
 * @release: the hardware has let go, every child is gone and nobody holds a reference: free it.
 *	Context: Softirq or BH disabled, no lock held.
 */
struct vrb_object_type {
	const char *name;
	void (*release)(struct vrb_object *object);
};

#define VRB_MAX_PARENTS 6

/**
 * struct vrb_object - the hardware half of an RDMA object
 * @type: what it is
 * @id: its number on the device (QPN, CQN, key ...)
 * @destroy: the object's own destroy request, so that destroying needs no memory
 *
 * Embedded in the provider's separately allocated hardware object. Requests on it run first in,
 * first out, one at a time. The remaining fields are the engine's.
 */
struct vrb_object {
	const struct vrb_object_type *type;
	u32 id;
	struct vrb destroy;
	/* private: */
	struct vrb_device *dev;
	unsigned int refs;
	unsigned int epoch;		/* failures of the device before this object */
	struct list_head queue;		/* requests not yet issued, oldest first */
	struct list_head entry;		/* all objects of the device, for debugfs and unregister */
	struct vrb *active;		/* the request that holds a slot */
	struct vrb_object *parent[VRB_MAX_PARENTS];
	unsigned int nr_parents;
	unsigned int children;
	unsigned int zombies;		/* timed-out commands whose effect is unknown */
	bool dying;			/* destroy accepted */
	bool dead;			/* the hardware has let go */
};

void vrb_object_init(struct vrb_object *object, struct vrb_device *dev,
		     const struct vrb_object_type *type, u32 id);
int vrb_object_add_parent(struct vrb_object *object, struct vrb_object *parent);
void vrb_object_get(struct vrb_object *object);
bool vrb_object_tryget(struct vrb_object *object);
void vrb_object_put(struct vrb_object *object);
bool vrb_object_busy(struct vrb_object *object);

#endif /* RDMA_VRB_PROVIDER_H */
