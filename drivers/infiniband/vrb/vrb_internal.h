/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the files of the engine share. The layers, lowest first; none calls a higher one:
 *
 *	vrb_debug.c	requests as debug objects
 *	vrb_softirq.c	functions that softirq calls, never twice at a time
 *	vrb_carrier.c	kicks, the run of the pump that follows, who is in a callback
 *	vrb_queue.c	runnable requests, who is next, slots
 *	vrb_object.c	references, parents and children, the end of a request
 *	vrb_verbs.c	typed requests: which verb, which object, whether it may be asked for
 *	vrb_fail.c	device failure
 *	vrb_step.c	a verb's steps: encode, post, what comes after a result
 *	vrb_time.c	deadlines, timeouts, the timer
 *	vrb_await.c	requests that wait for events
 *	vrb_create.c	what waits for the create of an object
 *	vrb_request.c	submit, cancel, wait
 *	vrb_group.c	groups, and the sweep that takes back what has been cancelled
 *	vrb_pump.c	the run that moves everything
 *	vrb_shell.c	objects of clients that never sleep
 *	vrb_client.c	clients, the registry of devices
 *	vrb_debugfs.c	what can be seen
 *	vrb_main.c	devices and the module
 *
 * Two locks. vrb_device.lock (BH) guards all state. vrb_device.kick_lock (raw, interrupts off,
 * nested inside the other) guards what is handed to the pump from any context: kicks, the inbox,
 * news of objects. What decides whether the inbox takes a request (a client that is shut, a
 * poisoned group, a request that is killed) is written under both. Of the provider
 * encode, undo, lost, post, status_name and req_notify_cq are called under the first, all else,
 * and the callbacks of requests, with neither.
 */
#ifndef VRB_INTERNAL_H
#define VRB_INTERNAL_H

#include <linux/completion.h>
#include <linux/jump_label.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

struct dentry;

#define VRB_NAME_LEN	32
#define VRB_MAX_SLOTS	256	/* leaves 8 bits of a token for the generation */
#define VRB_BUDGET	32	/* of each kind of work in a run, of all in a hold of the lock */
#define VRB_RETRY_MIN_NS	(10 * NSEC_PER_USEC)
#define VRB_RETRY_MAX_NS	NSEC_PER_MSEC
#define VRB_AGE_MS	100	/* so much older, and it goes before those of the class above */
#define VRB_TIMEOUT_MS	60000	/* firmware may starve */
#define VRB_PATIENCE	10	/* timeouts that a command may take while others complete */

/*
 * Where a request is: the low bits of vrb.state. IDLE is the caller's. CLAIMED: inside submit.
 * INBOX: accepted, not looked at yet. QUEUED: holds no slot. WAITING: neither, in the middle of its
 * steps. ISSUED: holds a slot. DONE: over, not called back yet. CALLBACK with the ticket of a
 * callback that runs now: in its callback; with any other ticket: idle.
 */
enum vrb_state {
	VRB_IDLE,
	VRB_CLAIMED,
	VRB_INBOX,
	VRB_QUEUED,
	VRB_WAITING,
	VRB_ISSUED,
	VRB_DONE,
	VRB_CALLBACK,
};

#define VRB_STATE_BITS		3
#define VRB_CARRIER_BITS	8

/* Of vrb_object.news */
#define VRB_NEWS_ZERO	0x1	/* the last reference is gone */
#define VRB_NEWS_RESUME	0x2	/* what its request waits for has come */
#define VRB_NEWS_FLUSH	0x4	/* its queue has to be completed */
#define VRB_NEWS_LEFT	0x8	/* its destroy's client goes: it is told now */
#define VRB_NEWS_BORN	0x10	/* its create is over: children's creates may go on */
#define VRB_NEWS_EVENT	0x20	/* what requests await has come */

/* On the stack of whoever sleeps for a request: the request may be gone when it wakes up. */
struct vrb_waiter {
	struct completion over;
	int status;
};

struct vrb_client {
	char name[VRB_NAME_LEN];
	struct vrb_device *dev;
	struct list_head entry;		/* vrb_device.clients */
	atomic_t inflight;		/* accepted, callback not yet returned */
	unsigned int held;		/* destroys of those that wait for children */
	bool shut;			/* under both locks */
	struct list_head shells;	/* objects not destroyed yet */
	struct list_head awaiting;	/* requests that wait for events of the device */
	u64 came;			/* events it has not been told of; under the kick lock */
	u64 seq;			/* events so far; likewise */
};

#define VRB_MAX_CLIENTS		64	/* whom an event is told in one hold of the kick lock */
#define VRB_MAX_AWAITING	8	/* of a client: for events of the device */

/*
 * Deadlines, to the bit of 2^20 ns: level n has a list for each 64^n of them, in 64 places. Those
 * that came since the earliest of them was last looked at are in none yet: most are never looked
 * at.
 */
#define VRB_WHEEL_BITS		6
#define VRB_WHEEL_SIZE		BIT(VRB_WHEEL_BITS)
#define VRB_WHEEL_LEVELS	8	/* 8 * 6 bits hold 63 - 20 */
#define VRB_TICK_SHIFT		20

struct vrb_wheel {
	struct hlist_head fresh;		/* of no level yet */
	u64 tick;				/* all before this has been seen to */
	unsigned long levels;			/* which may have something */
	u64 places[VRB_WHEEL_LEVELS];		/* which may have something */
	struct hlist_head list[VRB_WHEEL_LEVELS][VRB_WHEEL_SIZE];
};

/* What reap has found and the pump has not looked at yet. */
struct vrb_event {
	u16 token;
	struct vrb_result result;
};

/* The callback that runs now, for debugfs: the request itself may be gone. */
struct vrb_calling {
	const struct vrb_verb *verb;
	const struct vrb_client *client;
	vrb_done_fn done;
	ktime_t submitted;
};

struct vrb_device {
	enum vrb_device_state state;	/* vrb_device_failed() relies on its place */
	/* For every request */
	spinlock_t lock;		/* BH; state, and all below except for kick_lock's */
	bool attached;			/* clients other than the provider may submit */
	bool hold;			/* nothing new is issued */
	bool in_run;			/* the pump looks for itself what there is to do */
	unsigned int epoch;		/* failures so far */
	unsigned int handled;		/* requests, in this hold of the lock */
	unsigned int watchers;		/* who want to be woken at the end of a run */
	ktime_t now;			/* since the lock was taken, or so */

	unsigned int nr_runnable;
	struct list_head runnable[VRB_CLASS_EVENT];	/* requests, of the kernel */
	struct rb_root_cached users, users_teardown;	/* with such requests, by slots held */
	struct list_head free_slots;
	struct vrb_slot *reserved;	/* for teardown; never among the free ones; NULL: none */
	unsigned int slots_now;		/* busy */
	unsigned int users_now;		/* of those, besides the reserved one: for users */
	unsigned int posted_now;	/* of those: the hardware has them */
	unsigned int zombies_now;
	unsigned int waiting_now;	/* requests in VRB_WAITING */
	struct list_head ready;		/* slots: encoded, waiting for the register */
	struct list_head working;	/* slots: not at a command yet */
	struct list_head told;		/* requests for a CQ's event, which has come */
	struct list_head done;		/* requests: over, callback not yet called */
	struct list_head idle_groups;	/* whose owner wants to be told */
	struct list_head vrbs;		/* requests: all, and the two cursors */

	unsigned int nr_events;
	struct vrb_event event[VRB_BUDGET];	/* the pump's own */

	struct vrb_slot *slots;
	unsigned int max_slots, nr_slots;
	unsigned int slot_bits;		/* of the token that are the index */
	unsigned int max_zombies;	/* more fail the device */
	unsigned int want_zombies;	/* as configured; 0: a quarter of the slots */

	s64 timeout_ns;
	ktime_t progress;		/* when a command last completed, or the first was posted */
	ktime_t scan_at;		/* when the slots have to be looked through */
	u64 retry_ns, poll_ns;		/* back-off of the register and of looking */
	ktime_t retry_at, poll_at;
	ktime_t timer_at;		/* KTIME_MAX: the timer is not set */
	struct hrtimer timer;
	struct vrb_wheel wheel;
	ktime_t deadline_at;		/* when the wheel has to be looked at; KTIME_MAX: never */

	struct list_head sweep;		/* cursor in vrbs: what is behind it has been seen to */
	bool sweep_again;

	/* Kicks */
	raw_spinlock_t kick_lock;	/* interrupts off; all of this section */
	bool kicked;			/* work has come since the run began */
	bool interrupted;		/* of that: by an interrupt */
	bool client_news;		/* events that clients may wait for */
	struct list_head inbox;		/* requests */
	struct list_head news;		/* objects */
	struct vrb_softirq softirq;
	bool (*run)(struct vrb_device *dev, bool interrupted, int *work);
	unsigned int carrier;		/* place in vrb_carriers */

	const struct vrb_provider_ops *ops;
	void *priv;
	char name[VRB_NAME_LEN];
	char reason[96];		/* of the failure */
	bool orderly;			/* it is none: the provider has stopped the device */
	bool fail_reported;
	spinlock_t quiesce_lock;	/* BH; held while the hardware is being stopped */

	struct list_head objects;	/* and a cursor */
	unsigned int nr_objects;	/* those being released included */
	struct list_head clients;	/* the provider's own included */
	unsigned int nr_clients;	/* not included */
	struct vrb_client own;
	wait_queue_head_t idle;		/* something that somebody waits for has come about */
	struct list_head entry;		/* the registry */
	struct ib_device *ibdev;
	const struct vrb_verbs *verbs;

	struct vrb_calling calling;
	struct vrb_counters counters;
	atomic64_t refused;
	struct mutex read_lock;		/* readers of debugfs; the cursors below */
	struct list_head vrb_reader, object_reader;
	struct dentry *debugfs;
};

static_assert(offsetof(struct vrb_device, state) == 0);

/* Who is in a callback; never freed, so that a ticket can be checked without its device. */
struct vrb_carrier {
	atomic64_t running;		/* vrb.state of the request whose callback runs; 0 none */
	struct task_struct *task;	/* on top of which it runs */
	u64 tickets;			/* so far, of all devices that had this place */
};

extern struct vrb_carrier vrb_carriers[1 << VRB_CARRIER_BITS];

/* Delays where a race would be, for tests: debugfs writes a seed. */
DECLARE_STATIC_KEY_FALSE(vrb_delays);
extern atomic_t vrb_delay_state;
void vrb_delay_now(void);

static inline void vrb_delay(void)
{
	if (static_branch_unlikely(&vrb_delays))
		vrb_delay_now();
}

static inline enum vrb_state vrb_word_state(u64 word)
{
	return word & ((1 << VRB_STATE_BITS) - 1);
}

static inline enum vrb_state vrb_state(const struct vrb *vrb)
{
	return vrb_word_state(atomic64_read(&vrb->state));
}

static inline void vrb_set_state(struct vrb *vrb, enum vrb_state state)
{
	/* Who finds it there without a lock finds the client, too. */
	atomic64_set_release(&vrb->state, state);
}

static inline bool vrb_is_destroy(const struct vrb *vrb)
{
	return vrb->object && vrb == &vrb->object->destroy;
}

static inline const char *vrb_verb_name(const struct vrb_verb *verb)
{
	return verb ? verb->name : "release";
}

static inline const char *vrb_step_name(const struct vrb_verb *verb, u32 step)
{
	return verb && step < verb->nr_steps ? verb->steps[step].name : "-";
}

static inline const char *vrb_status_name(const struct vrb_device *dev, u8 fw_status)
{
	const char *name = NULL;

	if (fw_status && dev->ops->status_name)
		name = dev->ops->status_name(fw_status);
	return name ?: "";
}

/* One more request is handled in this hold of the lock. */
static inline void vrb_handle(struct vrb_device *dev)
{
	if (++dev->handled > dev->counters.hold_max)
		dev->counters.hold_max = dev->handled;
}

/* The lock may be held for more. */
static inline bool vrb_within_budget(const struct vrb_device *dev)
{
	return dev->handled < VRB_BUDGET;
}

/* Whoever changes what somebody may sleep for does it under the lock and calls this. */
static inline void vrb_wake(struct vrb_device *dev)
{
	/* Who sleeps looks under the lock after he has queued himself: no barrier is missing. */
	if (waitqueue_active(&dev->idle))
		wake_up_all(&dev->idle);
}

/* Takes the device lock. Any context down to softirq. */
static inline void vrb_lock(struct vrb_device *dev)
	__acquires(&dev->lock)
{
	spin_lock_bh(&dev->lock);
	dev->now = ktime_get();
	dev->handled = 0;
}

/* Whether the device lock may be taken here, and BH enabled afterwards. */
static inline bool vrb_may_lock(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return preemptible();
	return !in_hardirq() && !irqs_disabled();
}

/* A modify to ERR or RESET goes with the teardown class, unless its caller says otherwise. */
static inline bool vrb_modify_ends(const struct vrb *vrb)
{
	const struct vrb_modify_qp *req = container_of(vrb, struct vrb_modify_qp, vrb);

	return !vrb->class && req->mask & IB_QP_STATE &&
	       (req->attr.qp_state == IB_QPS_ERR || req->attr.qp_state == IB_QPS_RESET);
}

/* A request begins: the engine's fields, whatever it did before. */
static inline void vrb_begin(struct vrb *vrb, struct vrb_client *client, ktime_t now)
{
	vrb->client = client;
	if (vrb_is_destroy(vrb) || (vrb->op == VRB_OP_MODIFY_QP && vrb_modify_ends(vrb)))
		vrb->real_class = VRB_CLASS_TEARDOWN;
	else
		vrb->real_class = vrb->class ?: vrb->verb->class;
	vrb->status = 0;
	vrb->step = 0;
	vrb->fw_status = 0;
	vrb->started = false;
	vrb->waits_after = false;
	vrb->undoing = false;
	vrb->undid = false;
	vrb->creating = false;
	vrb->after_destroy = false;
	vrb->slot = NULL;
	vrb->submitted = now;
	INIT_LIST_HEAD(&vrb->entry);
	INIT_LIST_HEAD(&vrb->object_entry);
	INIT_LIST_HEAD(&vrb->device_entry);
	INIT_HLIST_NODE(&vrb->expiry);
}

/* A destroy, or what has to go before one: accepted, and not taken back, whoever is ending. */
static inline bool vrb_is_last(const struct vrb *vrb)
{
	return vrb_is_destroy(vrb) || vrb->verb->parting;
}

/* A request that waits for an event, and never for a command. */
static inline bool vrb_is_await(const struct vrb *vrb)
{
	return vrb->op >= VRB_OP_AWAIT_CQ;
}

/* Whether a request comes too late to be issued. Device lock held. */
static inline bool vrb_deadline_past(const struct vrb_device *dev, const struct vrb *vrb)
{
	return vrb->deadline && ktime_before(vrb->deadline, dev->now);
}

/* Why a request that has not been issued must not be any more; 0: it may. */
static inline int vrb_doom(const struct vrb *vrb)
{
	const struct vrb_client *client = vrb->client;
	const struct vrb_object *object = vrb->object;

	if (vrb_is_destroy(vrb))
		return 0;
	if (vrb->group && vrb->generation != vrb->group->generation)
		return -ECANCELED;
	if (vrb->verb->parting)
		return 0;
	if (client->shut || (object && object->dying))
		return -ECANCELED;
	if (!client->dev->attached && client != &client->dev->own)
		return -ENODEV;
	return object ? object->flush : 0;
}

/* A request is accepted, or goes on, and holds no slot. Device lock held. */
static inline void vrb_set_queued(struct vrb_device *dev, struct vrb *vrb)
{
	vrb_set_state(vrb, VRB_QUEUED);
	if (++dev->counters.queue_now > dev->counters.queue_max)
		dev->counters.queue_max = dev->counters.queue_now;
}

/* Moves a cursor of a list that others change on by one: what it has passed, NULL at the end. */
static inline struct list_head *vrb_cursor_next(struct list_head *cursor, struct list_head *head)
{
	struct list_head *next = cursor->next;

	if (next == head) {
		list_del_init(cursor);
		return NULL;
	}
	list_move(cursor, next);
	return next;
}

/* vrb_debug.c */
void vrb_debug_accepted(struct vrb *vrb);
void vrb_debug_over(struct vrb *vrb);

/* vrb_carrier.c */
void vrb_kick(struct vrb_device *dev);
void vrb_tell(struct vrb_object *object, u8 news);
void vrb_untell(struct vrb_object *object, u8 news);
struct vrb_object *vrb_next_news(struct vrb_device *dev, u8 *news);
void vrb_forget_news(struct vrb_object *object);
void vrb_call(struct vrb_device *dev, struct vrb *vrb, vrb_done_fn done);
bool vrb_word_idle(u64 word);
bool vrb_word_mine(u64 word);
int vrb_carrier_init(struct vrb_device *dev,
		     bool (*run)(struct vrb_device *dev, bool interrupted, int *work));
void vrb_carrier_stop(struct vrb_device *dev);

/* vrb_queue.c */
void vrb_queue_init(struct vrb_device *dev);
void vrb_make_runnable(struct vrb_device *dev, struct vrb *vrb);
void vrb_unqueue(struct vrb_device *dev, struct vrb *vrb);
bool vrb_may_issue(const struct vrb_device *dev, const struct vrb *vrb);
struct vrb *vrb_pick(struct vrb_device *dev);
void vrb_lay_out_slots(struct vrb_device *dev, unsigned int slots);
void vrb_slot_get(struct vrb_device *dev, struct vrb *vrb);
void vrb_slot_free(struct vrb_device *dev, struct vrb_slot *slot);
void vrb_slot_put(struct vrb_device *dev, struct vrb *vrb);
void vrb_slot_bury(struct vrb_device *dev, struct vrb_slot *slot);

/* vrb_object.c */
void vrb_object_next(struct vrb_device *dev, struct vrb_object *object);
void vrb_object_unref(struct vrb_device *dev, struct vrb_object *object);
void vrb_object_flush(struct vrb_device *dev, struct vrb_object *object);
void vrb_object_news(struct vrb_device *dev, struct vrb_object *object, u8 news);
void vrb_object_release(struct vrb_device *dev, struct vrb *vrb);
void vrb_destroy_begin(struct vrb_device *dev, struct vrb *vrb);
void vrb_finish(struct vrb_device *dev, struct vrb *vrb, int status);
void vrb_take_back(struct vrb_device *dev, struct vrb *vrb, int status);
void vrb_account(struct vrb_device *dev, struct vrb_client *client, struct vrb_group *group);

/* vrb_create.c */
void vrb_create_begin(struct vrb_device *dev, struct vrb *vrb);
void vrb_create_proceed(struct vrb_device *dev, struct vrb *vrb);
void vrb_create_over(struct vrb_device *dev, struct vrb_object *object);
struct vrb_object *vrb_unborn_parent(const struct vrb_object *object);

/* vrb_verbs.c */
enum vrb_kind {
	VRB_KIND_DEVICE,
	VRB_KIND_CQ,
	VRB_KIND_QP,
	VRB_KIND_SRQ,
	VRB_KIND_MR,
};

struct vrb_object *vrb_find_object(const struct vrb_device *dev, enum vrb_kind kind, void *of);
int vrb_resolve(struct vrb_client *client, struct vrb *vrb);

/* vrb_await.c */
int vrb_await_check(const struct vrb_client *client, const struct vrb *vrb);
int vrb_await_room(const struct vrb_client *client);
void vrb_await_begin(struct vrb_device *dev, struct vrb *vrb);
void vrb_await_object(struct vrb_device *dev, struct vrb_object *object);
void vrb_await_told_all(struct vrb_device *dev);
void vrb_await_clients(struct vrb_device *dev);

/* vrb_shell.c */
void vrb_destroy_shells(struct vrb_client *client);

/* vrb_fail.c */
void vrb_fail_locked(struct vrb_device *dev, const char *reason);
void vrb_fail_verb(struct vrb_device *dev, const struct vrb *vrb, const char *what);
void vrb_fail_proceed(struct vrb_device *dev);
bool vrb_flush_pending(const struct vrb_device *dev);
void vrb_flush(struct vrb_device *dev);
void vrb_zombie_put(struct vrb_device *dev, struct vrb_slot *slot);

/* vrb_step.c */
bool vrb_verb_ok(const struct vrb_verb *verb);
void vrb_issue(struct vrb_device *dev, struct vrb *vrb);
void vrb_post_ready(struct vrb_device *dev);
void vrb_step_result(struct vrb_device *dev, struct vrb_slot *slot);
void vrb_step_verdict(struct vrb_device *dev, struct vrb_slot *slot);
bool vrb_step_works(const struct vrb *vrb);

/* vrb_time.c */
bool vrb_deadline_add(struct vrb_device *dev, struct vrb *vrb);
void vrb_set_timer(struct vrb_device *dev);
void vrb_unlock(struct vrb_device *dev) __releases(&dev->lock);
bool vrb_work(struct vrb_device *dev);
void vrb_expire(struct vrb_device *dev);
void vrb_time_init(struct vrb_device *dev);
void vrb_time_stop(struct vrb_device *dev);
void vrb_wait_zero(struct vrb_device *dev, unsigned int (*count)(const void *of), const void *of,
		   const char *what);

/* vrb_request.c */
void vrb_accept_inbox(struct vrb_device *dev);

/* vrb_group.c */
void vrb_sweep_start(struct vrb_device *dev);
void vrb_sweep(struct vrb_device *dev);

/* vrb_pump.c */
bool vrb_run(struct vrb_device *dev, bool interrupted, int *work);

/* vrb_client.c */
void vrb_client_init(struct vrb_client *client, struct vrb_device *dev, const char *name);
void vrb_client_fence(struct vrb_client *client);

/* vrb_debugfs.c */
void vrb_debugfs_init(void);
void vrb_debugfs_exit(void);
void vrb_debugfs_add(struct vrb_device *dev);
void vrb_debugfs_remove(struct vrb_device *dev);

#endif /* VRB_INTERNAL_H */
