/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Shared by the files of the engine. The layers, lowest first; none calls a higher one:
 *
 *	vrb_debug.c	requests as debug objects
 *	vrb_softirq.c	functions that run in softirq, never concurrently with themselves
 *	vrb_carrier.c	kicks, the runs of the pump that they start, which callback runs
 *	vrb_queue.c	runnable requests, which one is next, slots
 *	vrb_object.c	references, the end of a request
 *	vrb_parent.c	parents and children
 *	vrb_verbs.c	typed requests: their verb, their object, whether the client may use it
 *	vrb_fail.c	device failure
 *	vrb_step.c	a verb's steps: encode, post, continue after a result
 *	vrb_time.c	deadlines, timeouts, the timer
 *	vrb_await.c	requests that wait for events
 *	vrb_create.c	requests that wait for the create of an object
 *	vrb_request.c	submit, cancel, wait
 *	vrb_group.c	groups, and the sweep, which completes cancelled requests
 *	vrb_pump.c	the pump: reaps, issues, calls callbacks
 *	vrb_shell.c	objects of clients that never sleep
 *	vrb_client.c	clients, the registry of devices
 *	vrb_debugfs.c	files in debugfs
 *	vrb_main.c	devices and the module
 *
 * There are two locks. vrb_device.lock (BH) guards all other state. vrb_device.kick_lock (raw,
 * interrupts off, nested inside it) guards what is passed to the pump from any context: kicks, the
 * inbox, events of objects. The fields that decide whether the inbox accepts a request (client
 * shut, group poisoned, request being killed) are written under both. The provider's encode, undo,
 * lost, is_void, post, status_name and req_notify_cq are called with vrb_device.lock held. Its
 * other functions, and the callbacks of requests, are called with neither lock held.
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
#define VRB_BUDGET	32	/* per run: of each kind of work; per hold of the lock: of all */
#define VRB_RETRY_MIN_NS	(10 * NSEC_PER_USEC)
#define VRB_RETRY_MAX_NS	NSEC_PER_MSEC
#define VRB_AGE_MS	100	/* a request this much older precedes those of the class above */
#define VRB_TIMEOUT_MS	60000	/* firmware may starve */
#define VRB_PATIENCE	10	/* timeouts that a command may take while others complete */

/*
 * The state of a request: the low bits of vrb.state. IDLE: the caller owns it. CLAIMED: inside
 * submit. INBOX: accepted, not checked by the pump yet. QUEUED: waits for a slot. WAITING: waits in
 * a step, without a slot. ISSUED: holds a slot. DONE: completed, not called back yet. CALLBACK with
 * the ticket of a callback that runs now: in its callback; with any other ticket: idle.
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

/* Bits of vrb_object.news */
#define VRB_NEWS_ZERO	0x1	/* the last reference has been dropped */
#define VRB_NEWS_RESUME	0x2	/* its waiting request has been resumed */
#define VRB_NEWS_FLUSH	0x4	/* its queued requests must complete */
#define VRB_NEWS_LEFT	0x8	/* the client of its destroy unregisters: gone is called now */
#define VRB_NEWS_BORN	0x10	/* its create is over: creates of its children may continue */
#define VRB_NEWS_EVENT	0x20	/* an event that requests wait for has occurred */

/* On the stack of a task that waits for a request: the request may be freed before it wakes up. */
struct vrb_waiter {
	struct completion over;
	int status;
};

struct vrb_client {
	char name[VRB_NAME_LEN];
	struct vrb_device *dev;
	struct list_head entry;		/* vrb_device.clients */
	atomic_t inflight;		/* requests: accepted, callback not yet returned */
	unsigned int held;		/* of these: destroys that wait for children */
	bool shut;			/* under both locks */
	struct list_head shells;	/* objects not destroyed yet */
	struct list_head awaiting;	/* requests that wait for events of the device */
	u64 came;			/* events not reported to it yet; under the kick lock */
	u64 seq;			/* number of events so far; likewise */
};

#define VRB_MAX_CLIENTS		64	/* an event visits all in one hold of the kick lock */
#define VRB_MAX_AWAITING	8	/* per client: requests that wait for device events */

/*
 * Deadlines in ticks of 2^20 ns. Level n has 64 places, each a list for 64^n ticks. New deadlines
 * are on no level; they are sorted in when the earliest of them expires. Most requests are issued
 * before that.
 */
#define VRB_WHEEL_BITS		6
#define VRB_WHEEL_SIZE		BIT(VRB_WHEEL_BITS)
#define VRB_WHEEL_LEVELS	8	/* 8 * 6 bits hold 63 - 20 */
#define VRB_TICK_SHIFT		20

struct vrb_wheel {
	struct hlist_head fresh;		/* of no level yet */
	u64 tick;				/* deadlines before this have been handled */
	unsigned long levels;			/* bit set: the level may have entries */
	u64 places[VRB_WHEEL_LEVELS];		/* bit set: the place may have entries */
	struct hlist_head list[VRB_WHEEL_LEVELS][VRB_WHEEL_SIZE];
};

/* A completed command that reap has reported and the pump has not handled yet. */
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
	enum vrb_device_state state;	/* vrb_device_failed() relies on its offset */
	/* For every request */
	spinlock_t lock;		/* BH; state, and all below except for kick_lock's */
	bool attached;			/* clients other than the provider may submit */
	bool hold;			/* nothing new is issued */
	bool in_run;			/* a run is active and finds new work without a kick */
	unsigned int epoch;		/* number of failures so far */
	unsigned int handled;		/* requests handled in this hold of the lock */
	unsigned int watchers;		/* tasks to wake at the end of a run */
	ktime_t now;			/* about the time at which the lock was taken */

	unsigned int nr_runnable;
	struct list_head runnable[VRB_CLASS_EVENT];	/* requests of the kernel */
	struct rb_root_cached users, users_teardown;	/* with runnable requests, by slots held */
	struct list_head free_slots;
	struct vrb_slot *reserved;	/* for teardown; never in free_slots; NULL: none */
	unsigned int slots_now;		/* busy slots */
	unsigned int users_now;		/* of these, without the reserved one: held by processes */
	unsigned int posted_now;	/* of these: the command is posted */
	unsigned int zombies_now;
	unsigned int waiting_now;	/* requests in VRB_WAITING */
	struct list_head ready;		/* slots: encoded, waiting for the register */
	struct list_head working;	/* slots: the next command is not encoded yet */
	struct list_head told;		/* requests: the event of their CQ has occurred */
	struct list_head done;		/* requests: completed, callback not yet called */
	struct list_head idle_groups;	/* groups with a function to call when idle */
	struct list_head vrbs;		/* all requests, and the two cursors */

	unsigned int nr_events;
	struct vrb_event event[VRB_BUDGET];	/* used by the pump alone */

	struct vrb_slot *slots;
	unsigned int max_slots, nr_slots;
	unsigned int slot_bits;		/* number of bits of the index in a token */
	unsigned int max_zombies;	/* one more fails the device */
	unsigned int want_zombies;	/* as configured; 0: a quarter of the slots */

	s64 timeout_ns;
	ktime_t progress;		/* when a command last completed */
	ktime_t scan_at;		/* when the slots must be scanned for timeouts */
	u64 retry_ns, poll_ns;		/* back-off: register busy; polling for completions */
	ktime_t retry_at, poll_at;
	ktime_t timer_at;		/* KTIME_MAX: the timer is not set */
	bool timer_fired;		/* since the last run began; written without a lock */
	struct hrtimer timer;
	struct vrb_wheel wheel;
	ktime_t deadline_at;		/* when the wheel must be processed; KTIME_MAX: never */

	struct list_head sweep;		/* cursor in vrbs: what precedes it has been swept */
	struct list_head sweep_end;	/* in vrbs too: what follows came after the sweep's start */
	bool sweep_again;

	/* Kicks */
	raw_spinlock_t kick_lock;	/* interrupts off; all of this section */
	bool kicked;			/* since the run began */
	bool interrupted;		/* likewise, by an interrupt */
	bool client_news;		/* events that clients may wait for */
	struct list_head inbox;		/* requests */
	struct list_head news;		/* objects */
	struct vrb_softirq softirq;
	bool (*run)(struct vrb_device *dev, bool interrupted, int *work);
	unsigned int carrier;		/* index in vrb_carriers */
	struct rcu_head rcu;		/* of its end */

	const struct vrb_provider_ops *ops;
	void *priv;
	char name[VRB_NAME_LEN];
	char reason[96];		/* of the failure or stop */
	bool orderly;			/* no failure: the provider has stopped the device */
	bool fail_reported;
	spinlock_t quiesce_lock;	/* BH; held while the hardware is being stopped */

	struct list_head objects;	/* all objects, and a cursor */
	unsigned int nr_objects;	/* including those being released */
	struct list_head clients;	/* including the provider's own */
	unsigned int nr_clients;	/* without the provider's own */
	struct vrb_client own;
	wait_queue_head_t idle;		/* for a condition under the device lock: vrb_wake() */
	struct list_head entry;		/* the registry */
	struct ib_device *ibdev;
	const struct vrb_verbs *verbs;

	struct vrb_calling calling;
	struct vrb_counters counters;
	atomic64_t refused;
	struct mutex read_lock;		/* readers of debugfs; guards the cursors below */
	struct list_head vrb_reader, object_reader;
	struct dentry *debugfs;
};

static_assert(offsetof(struct vrb_device, state) == 0);

/* The callback that runs; never freed, so that a ticket can be checked without its device. */
struct vrb_carrier {
	atomic64_t running;		/* vrb.state of the request whose callback runs; 0: none */
	struct task_struct *task;	/* current of the softirq that calls it */
	u64 tickets;			/* so far, of all devices that had this index */
};

extern struct vrb_carrier vrb_carriers[1 << VRB_CARRIER_BITS];

/* Delays at places with races, for tests: a seed written in debugfs turns them on. */
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
	/* A lockless reader of the state sees the client too. */
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

/* Whether more may be handled in this hold of the lock. */
static inline bool vrb_within_budget(const struct vrb_device *dev)
{
	return dev->handled < VRB_BUDGET;
}

/* Must be called after a condition that a task may wait for has changed under the lock. */
static inline void vrb_wake(struct vrb_device *dev)
{
	/* A task checks its condition under the lock after it is queued: no barrier is needed. */
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

/* A modify to ERR or RESET is of the teardown class, unless its caller has set a class. */
static inline bool vrb_modify_ends(const struct vrb *vrb)
{
	const struct vrb_modify_qp *req = container_of(vrb, struct vrb_modify_qp, vrb);

	return !vrb->class && req->mask & IB_QP_STATE &&
	       (req->attr.qp_state == IB_QPS_ERR || req->attr.qp_state == IB_QPS_RESET);
}

/* Initialises the engine's fields of a request, which may have been used before. */
static inline void vrb_begin(struct vrb *vrb, struct vrb_client *client, ktime_t now)
{
	WRITE_ONCE(vrb->client, client);
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

/* A destroy or a detach: accepted and never cancelled, even while client or provider end. */
static inline bool vrb_is_last(const struct vrb *vrb)
{
	return vrb_is_destroy(vrb) || vrb->verb->parting;
}

/* A request that waits for an event, and never for a command. */
static inline bool vrb_is_await(const struct vrb *vrb)
{
	return vrb->op >= VRB_OP_AWAIT_CQ;
}

/* Whether a request's deadline has passed, so that it must not be issued. Device lock held. */
static inline bool vrb_deadline_past(const struct vrb_device *dev, const struct vrb *vrb)
{
	return vrb->deadline && ktime_before(vrb->deadline, dev->now);
}

/* The status of a request that must not be issued any more; 0: it may be issued. */
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

/* A request is accepted or resumed, and holds no slot. Device lock held. */
static inline void vrb_set_queued(struct vrb_device *dev, struct vrb *vrb)
{
	vrb_set_state(vrb, VRB_QUEUED);
	if (++dev->counters.queue_now > dev->counters.queue_max)
		dev->counters.queue_max = dev->counters.queue_now;
}

/*
 * Advances a cursor in a list that may change between calls. Returns the entry that it has passed;
 * at the end, NULL, with the cursor off the list.
 */
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

/*
 * Starts a sweep, or the current one once more. It ends with the requests that there are now: those
 * that are accepted later need no sweep, and would keep it from its end if they come fast enough.
 * Device lock held.
 */
static inline void vrb_sweep_from_start(struct vrb_device *dev)
{
	list_move(&dev->sweep, &dev->vrbs);
	list_move_tail(&dev->sweep_end, &dev->vrbs);
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
void vrb_make_user_runnable(struct vrb_device *dev, struct vrb *vrb, bool resumed);
void vrb_user_lost(struct vrb_device *dev, struct vrb_user *user);
bool vrb_may_issue(const struct vrb_device *dev, const struct vrb *vrb);
struct vrb *vrb_pick_any(struct vrb_device *dev, bool all);
void vrb_lay_out_slots(struct vrb_device *dev, unsigned int slots);
void vrb_slot_get(struct vrb_device *dev, struct vrb *vrb);
void vrb_slot_free(struct vrb_device *dev, struct vrb_slot *slot);
void vrb_slot_put(struct vrb_device *dev, struct vrb *vrb);
void vrb_slot_bury(struct vrb_device *dev, struct vrb_slot *slot);

/*
 * Each request that finds no free slot goes through the following functions, which are therefore
 * inlined. Device lock held.
 */

static inline void vrb_line_up(struct vrb_device *dev, struct vrb *vrb, struct list_head *runnable,
			       bool resumed)
{
	struct list_head *list = &runnable[vrb->real_class];

	dev->nr_runnable++;
	if (resumed) {
		vrb->since = vrb->submitted;
		list_add(&vrb->entry, list);
	} else {
		vrb->since = dev->now;
		list_add_tail(&vrb->entry, list);
	}
}

/*
 * Lets a queued request be issued as soon as a slot is free. One that has been resumed after a wait
 * in a step goes to the head of its list.
 */
static inline void vrb_make_runnable(struct vrb_device *dev, struct vrb *vrb, bool resumed)
{
	lockdep_assert_held(&dev->lock);
	if (unlikely(vrb->user))
		vrb_make_user_runnable(dev, vrb, resumed);
	else
		vrb_line_up(dev, vrb, dev->runnable, resumed);
}

/* Removes a request from the queue: it gets a slot, or it completes. */
static inline void vrb_unqueue(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	dev->counters.queue_now--;
	if (!list_empty(&vrb->object_entry))
		list_del_init(&vrb->object_entry);
	hlist_del_init(&vrb->expiry);
	if (list_empty(&vrb->entry))
		return;
	list_del_init(&vrb->entry);
	dev->nr_runnable--;
	if (vrb->user)
		vrb_user_lost(dev, vrb->user);
}

/* The time that decides the order of requests. */
static inline ktime_t vrb_due(const struct vrb *vrb)
{
	return vrb->since + (s64)vrb->real_class * VRB_AGE_MS * NSEC_PER_MSEC;
}

/* Of a request, or NULL, and the first one of a list, the one that is next. */
static inline struct vrb *vrb_sooner(struct vrb *vrb, struct list_head *list)
{
	struct vrb *first = list_first_entry_or_null(list, struct vrb, entry);

	if (!first)
		return vrb;
	return vrb && vrb_due(vrb) <= vrb_due(first) ? vrb : first;
}

/* The next request of all classes. */
static inline struct vrb *vrb_first(struct list_head *runnable)
{
	struct vrb *vrb = vrb_sooner(NULL, &runnable[VRB_CLASS_TEARDOWN]);

	vrb = vrb_sooner(vrb, &runnable[VRB_CLASS_NORMAL]);
	return vrb_sooner(vrb, &runnable[VRB_CLASS_BACKGROUND]);
}

static inline bool vrb_reserved_free(const struct vrb_device *dev)
{
	return dev->reserved && dev->reserved->state == VRB_SLOT_FREE;
}

/* Whether a teardown is runnable, and may have the slot reserved for it. */
static inline bool vrb_reserved_wanted(const struct vrb_device *dev)
{
	return (!list_empty(&dev->runnable[VRB_CLASS_TEARDOWN]) ||
		!RB_EMPTY_ROOT(&dev->users_teardown.rb_root)) && vrb_reserved_free(dev);
}

/*
 * The request to issue now, or NULL. None is picked while an encoded command waits for the
 * register: another one would hold a slot and wait behind it.
 */
static inline struct vrb *vrb_pick(struct vrb_device *dev)
{
	bool all = !list_empty(&dev->free_slots);

	lockdep_assert_held(&dev->lock);
	if (!all && !vrb_reserved_wanted(dev))
		return NULL;
	if (dev->state != VRB_DEV_OK || dev->hold || !list_empty(&dev->ready))
		return NULL;
	if (!all || !RB_EMPTY_ROOT(&dev->users.rb_root))
		return vrb_pick_any(dev, all);
	return vrb_first(dev->runnable);
}

/* vrb_object.c */
void vrb_object_next(struct vrb_device *dev, struct vrb_object *object);
void vrb_object_zero(struct vrb_device *dev, struct vrb_object *object);
void vrb_parents_put(struct vrb_device *dev, struct vrb_object **parent, unsigned int nr);
void vrb_object_unref(struct vrb_device *dev, struct vrb_object *object);
void vrb_object_flush(struct vrb_device *dev, struct vrb_object *object);
void vrb_object_news(struct vrb_device *dev, struct vrb_object *object, u8 news);
void vrb_object_release(struct vrb_device *dev, struct vrb *vrb);
bool vrb_destroy_begin(struct vrb_device *dev, struct vrb *vrb);
void vrb_finish(struct vrb_device *dev, struct vrb *vrb, int status);
void vrb_finish_failed(struct vrb_device *dev, struct vrb *vrb);
bool vrb_take_back(struct vrb_device *dev, struct vrb *vrb, int status);
void vrb_count_ended(struct vrb_device *dev, const struct vrb *vrb, int status);
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
bool vrb_destroy_shells(struct vrb_client *client);

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
void vrb_deadline_over(struct vrb_device *dev, struct vrb *vrb);
void vrb_set_timer(struct vrb_device *dev);
void vrb_unlock(struct vrb_device *dev) __releases(&dev->lock);
bool vrb_work(struct vrb_device *dev);
void vrb_expire_deadlines(struct vrb_device *dev);
void vrb_expire_commands(struct vrb_device *dev);
void vrb_time_init(struct vrb_device *dev);
void vrb_time_stop(struct vrb_device *dev);
void vrb_wait_zero(struct vrb_device *dev, unsigned int (*count)(const void *of), const void *of,
		   const char *what);

/*
 * Adds the deadline of a queued request. Returns false if it has passed: the request has completed.
 * Device lock held.
 */
static inline bool vrb_deadline_add(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	if (vrb_deadline_past(dev, vrb)) {
		vrb_deadline_over(dev, vrb);
		return false;
	}
	if (ktime_before(vrb->deadline, dev->deadline_at))
		dev->deadline_at = vrb->deadline;
	hlist_add_head(&vrb->expiry, &dev->wheel.fresh);
	return true;
}

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
