/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the files of the engine share. The layers, lowest first:
 *
 *	vrb_queue.c	runnable requests, slots, encode and post, the end of a request
 *	vrb_object.c	references, parents and children, when a destroy may go
 *	vrb_fail.c	device failure
 *	vrb_time.c	deadlines, timeouts, the timer
 *	vrb_pump.c	the softirq that moves everything
 *	vrb_request.c	submit, cancel, wait, poll
 *	vrb_client.c	clients, groups, the registry of devices
 *	vrb_main.c	devices and the module
 *
 * Two locks. vrb_device.lock (BH) guards all state. vrb_device.kick_lock (raw, nested inside the
 * other) guards only who runs the pump: it is all that a hard interrupt takes. Callbacks into the
 * provider other than encode and post, and the callbacks of requests, are called with neither.
 */
#ifndef VRB_INTERNAL_H
#define VRB_INTERNAL_H

#include <linux/completion.h>
#include <linux/irq_poll.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

struct dentry;

#define VRB_NAME_LEN	32
#define VRB_MAX_SLOTS	256	/* leaves 8 bits of a token for the generation */
#define VRB_BUDGET	64	/* of each kind of work in one run of the pump */
#define VRB_MAX_SKIP	64	/* steps without a command in a row: more is a bug of the verb */
#define VRB_RETRY_MIN_NS	(10 * NSEC_PER_USEC)
#define VRB_RETRY_MAX_NS	NSEC_PER_MSEC
#define VRB_AGE_MS	100	/* a background request goes before normal ones this much younger */
#define VRB_TIMEOUT_MS	60000	/* firmware may starve */

enum vrb_device_state {
	VRB_DEV_OK,
	VRB_DEV_FAILING,	/* posts no more; the hardware may still write */
	VRB_DEV_FAILED		/* quiesced: the pump completes everything */
};

/* On the stack of whoever sleeps for a request: the request may be gone when it wakes up. */
struct vrb_waiter {
	struct completion over;
	int status;
};

struct vrb_client {
	char name[VRB_NAME_LEN];
	struct vrb_device *dev;
	struct list_head entry;		/* vrb_device.clients */
	struct list_head queued;
	struct list_head issued;
	struct list_head parked;	/* destroys of a failed device, waiting for references */
	unsigned int inflight;		/* accepted, callback not yet returned */
	bool leaving;
};

struct vrb_device {
	const struct vrb_provider_ops *ops;
	void *priv;
	char name[VRB_NAME_LEN];
	spinlock_t lock;		/* BH; all below except for kick_lock's */

	enum vrb_device_state state;
	char reason[96];		/* of the failure */
	bool quiescing;			/* somebody is in ops->quiesce() */
	bool fail_reported;
	unsigned int epoch;		/* failures so far */
	bool attached;			/* clients other than the provider may submit */
	bool polled;
	bool hold;			/* nothing new is issued */

	struct list_head runnable[VRB_CLASS_EVENT][2];	/* by class; of the kernel, of users */
	struct list_head ready;		/* slots: encoded, waiting for the register */
	struct list_head completed;	/* slots: result there, not yet advanced */
	struct list_head done;		/* requests: over, callback not yet called */
	struct list_head released;	/* objects without references */
	struct timerqueue_head deadlines;

	struct vrb_slot *slots;
	struct list_head free_slots;	/* the reserved one is never here */
	unsigned int max_slots, nr_slots;
	unsigned int slot_bits;		/* of the token that are the index */
	unsigned int slots_now;		/* busy */
	unsigned int users_now;		/* of those: for users */
	unsigned int posted_now;	/* of those: the hardware has them */
	unsigned int zombies_now;
	unsigned int max_zombies;	/* more fail the device */
	unsigned int want_zombies;	/* as configured; 0: a quarter of the slots */

	u64 timeout_ns;
	ktime_t progress;		/* when a command last completed, or the first was posted */
	u64 retry_ns, poll_ns;		/* back-off of the register and of the polled phase */
	ktime_t retry_at, poll_at;
	ktime_t timer_at;
	struct hrtimer timer;

	struct irq_poll iop;
	raw_spinlock_t kick_lock;	/* interrupts off; iop's state, pumping, kicked */
	bool pumping;			/* somebody runs the pump */
	bool kicked;			/* work has come since that run began */

	struct list_head objects;
	unsigned int nr_objects;	/* those being released included */
	struct list_head clients;	/* the provider's own included */
	unsigned int nr_clients;	/* not included */
	struct vrb_client own;
	wait_queue_head_t idle;		/* some count that somebody waits for has reached 0 */
	struct list_head entry;		/* the registry */
	struct ib_device *ibdev;

	struct vrb_counters counters;
	struct dentry *debugfs;
};

static inline bool vrb_is_destroy(const struct vrb *vrb)
{
	return vrb->verb->flags & VRB_VERB_DESTROY;
}

static inline unsigned int vrb_limit(const struct vrb_device *dev)
{
	return dev->polled ? 1 : dev->nr_slots;
}

/* vrb_queue.c */
void vrb_enqueue(struct vrb_device *dev, struct vrb *vrb);
void vrb_make_runnable(struct vrb_device *dev, struct vrb *vrb);
bool vrb_may_issue(const struct vrb_device *dev, enum vrb_class class, bool user);
struct vrb *vrb_pick(struct vrb_device *dev);
void vrb_issue(struct vrb_device *dev, struct vrb *vrb);
void vrb_post_ready(struct vrb_device *dev);
void vrb_next_step(struct vrb_device *dev, struct vrb_slot *slot);
void vrb_slot_free(struct vrb_device *dev, struct vrb_slot *slot);
void vrb_slot_put(struct vrb_device *dev, struct vrb *vrb);
void vrb_slot_bury(struct vrb_device *dev, struct vrb_slot *slot);
void vrb_set_queued(struct vrb_device *dev, struct vrb *vrb, struct list_head *list);
void vrb_over(struct vrb_device *dev, struct vrb *vrb, int status);
void vrb_finish(struct vrb_device *dev, struct vrb *vrb, int status);

/* vrb_object.c */
bool vrb_object_dead(const struct vrb_object *object);
void vrb_object_next(struct vrb_device *dev, struct vrb_object *object);
unsigned int vrb_object_flush(struct vrb_device *dev, struct vrb_object *object, int status);
void vrb_object_unref(struct vrb_device *dev, struct vrb_object *object);
void vrb_destroy_queued(struct vrb_device *dev, struct vrb *vrb);
void vrb_destroyed(struct vrb_device *dev, struct vrb *vrb);
void vrb_release_objects(struct vrb_device *dev);

/* vrb_fail.c */
void vrb_fail_locked(struct vrb_device *dev, const char *reason);
void vrb_fail_verb(struct vrb_device *dev, const struct vrb *vrb, const char *what);
void vrb_fail_proceed(struct vrb_device *dev);
bool vrb_flush_pending(struct vrb_device *dev);
void vrb_flush(struct vrb_device *dev);
void vrb_zombie_put(struct vrb_device *dev, struct vrb_slot *slot);

/* vrb_time.c */
void vrb_set_timer(struct vrb_device *dev);
void vrb_expire(struct vrb_device *dev);
void vrb_time_init(struct vrb_device *dev);

/* vrb_pump.c */
void vrb_lock(struct vrb_device *dev);
void vrb_unlock(struct vrb_device *dev);
bool vrb_pump_enter(struct vrb_device *dev);
void vrb_pump_leave(struct vrb_device *dev);
void vrb_progress(struct vrb_device *dev);
void vrb_take_done(struct vrb_device *dev, struct vrb *vrb);
void vrb_account_done(struct vrb_device *dev, struct vrb_client *client, struct vrb_group *group);
void vrb_pump_init(struct vrb_device *dev);
void vrb_pump_stop(struct vrb_device *dev);

/* vrb_client.c */
void vrb_client_init(struct vrb_client *client, struct vrb_device *dev, const char *name);
void vrb_client_fence(struct vrb_client *client, int status);
unsigned int vrb_read(struct vrb_device *dev, const unsigned int *count);
void vrb_wait_zero(struct vrb_device *dev, const unsigned int *count, const char *what);

/* vrb_debugfs.c */
void vrb_debugfs_init(void);
void vrb_debugfs_exit(void);
void vrb_debugfs_add(struct vrb_device *dev);
void vrb_debugfs_remove(struct vrb_device *dev);

#endif /* VRB_INTERNAL_H */
