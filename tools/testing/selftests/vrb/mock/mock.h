/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A provider without hardware, and the tests of the engine's rules that run on it.
 *
 * mock_hw.c simulates the command interface. The script of a request determines what its commands
 * do. It also checks the engine: an access that the engine must never make is a violation and fails
 * the test. Each test gets a new device; mock_run.c runs one test by name.
 */
#ifndef VRB_MOCK_H
#define VRB_MOCK_H

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

#define MOCK_STEPS	4
#define MOCK_SLOTS	160		/* more than the commands of a run */
#define MOCK_TOKENS	200		/* a slot's token must differ from this many earlier ones */
#define MOCK_BUDGET	64		/* requests per hold of the lock, callbacks per run */
#define MOCK_RESULTS	33		/* results and portions of work per run */
#define MOCK_POSTS	130		/* commands that the pump posts per run */
#define MOCK_LATENCY_NS	(20 * NSEC_PER_USEC)
#define MOCK_LOG	8192
#define MOCK_RING	16		/* entries of a queue */
#define MOCK_MAX_PAGES	512
#define MOCK_STUCK	UINT_MAX
#define MOCK_PATIENCE	(60 * HZ)	/* maximum wait in a test; no test measures time */

/* What the hardware does with one command */
#define MOCK_HOLD	0x01		/* completes it when mock_release() is called */
#define MOCK_DUP	0x02		/* completes it twice */
/* What the verb returns while it encodes the step */
#define MOCK_SKIP	0x04		/* the step has no command */
#define MOCK_LAST	0x08		/* the step is the last one */
#define MOCK_REFUSE	0x10		/* -EINVAL */
#define MOCK_WAIT	0x20		/* waits before its command until resumed */
/* What the verb returns for the result */
#define MOCK_WAIT_AFTER	0x40		/* waits after its command until resumed */

struct mock_step {
	u64 latency_ns;			/* 0: MOCK_LATENCY_NS */
	int status;
	u8 fw_status;
	u32 flags;			/* MOCK_* */
};

/* The script of a request */
struct mock_script {
	int tag;			/* identifies the request in the log of posts */
	unsigned int nr_steps;
	struct mock_step step[MOCK_STEPS];
	bool undo;			/* a failure undoes the earlier steps */
	int undo_status;		/* status of the commands that undo */
	u32 undo_flags;			/* their MOCK_* */
	unsigned int portions;		/* remaining portions of work of mock_verb_work */
	unsigned int posts;
	unsigned int dones;		/* results, including those of commands that undo */
	unsigned int waited;		/* steps that have waited */
	unsigned int undos;		/* steps whose undo was requested */
	u64 out;
	unsigned int lost;
	unsigned int late;
	int late_step;
	struct vrb_object *late_object;
};

/* The beginning of each request of the mock's verbs, except for the destroy of an object */
struct mock_head {
	struct vrb vrb;
	struct mock_script *script;
};

struct mock_post {
	int tag;
	int step;
	bool undo;
	u16 slot;
	unsigned int reaps;		/* so far: at least one in each run of the pump */
};

struct mock_command {
	struct hrtimer timer;
	struct mock *mock;
	struct mock_script *script;
	struct vrb_object *object;
	struct mock_step step;
	u16 token;
	bool owned;			/* hardware owns the slot's buffers */
	u16 tokens[MOCK_TOKENS];	/* of the previous posts */
	unsigned int nr_tokens;
};

struct mock_event {
	u16 token;
	struct vrb_result result;
};

struct mock {
	struct vrb_device *dev;
	raw_spinlock_t lock;
	struct mock_command command[MOCK_SLOTS];
	struct mock_event event[4 * MOCK_SLOTS];
	unsigned int head, tail;
	bool armed;
	bool no_interrupts;
	bool quiesced;
	bool was_reset;			/* results of an earlier failure may still arrive */
	bool post_error;
	unsigned int quiesce_ms;	/* duration of quiesce */
	bool hold_rearm;		/* rearm does not return before this is cleared */
	bool rearming;			/* it waits for that */
	unsigned int slots;		/* last value that the engine has set */
	u64 run;			/* number of the pump's run */
	unsigned int callbacks;		/* in that run */
	unsigned int rearms, reaps;
	ktime_t reaped_at;		/* the last of them; a run begins with one, or after one */
	unsigned int run_results, run_posts;	/* since then: of one run */
	struct vrb_object *resume;	/* resumed by the failed operation */
	struct vrb_object *resume_in_undo;	/* resumed by the next undo, just before its end */
	ktime_t posted_at;		/* of the last command */
	unsigned int looks;		/* reaps since then */
	u64 looked_ns;			/* from then to the third of them; 0: not yet */
	void (*waits)(struct vrb *vrb);	/* called before a step returns VRB_WAIT */
	void (*waits_after)(struct vrb *vrb);	/* the same after its command; no lock held */
	void (*on_slots)(struct mock *mock);	/* called while the number of slots changes */
	void *on_slots_data;
	struct mock_script *just_missed;	/* completes just after the last poll */
	struct mock_script *unheard;	/* completes just before the interrupt is armed */
	u32 chaos;			/* state of random results of typed verbs; 0: none */
	unsigned int busy;		/* number of posts to refuse; MOCK_STUCK: all */
	unsigned int outstanding, outstanding_max;
	unsigned int quiesces, failures, kicks;
	unsigned int posts;
	struct mock_post log[MOCK_LOG];
	unsigned int violations, seen;	/* seen by a test */
	char violation[80];
	/* For tests with verbs: */
	struct ib_device *ibdev;
	struct mock_script script[VRB_NR_OPS];	/* for verbs of ports */
	bool no_memory;			/* allocations of hardware halves fail */
	void (*in_new)(struct mock *mock);	/* called when one is made, before its shell is */
	atomic_t live, numbers;		/* hardware halves that exist; created so far */
	struct list_head attached;	/* QPs in a multicast group; @lock */
};

struct test;

/*
 * A MISUSE test provokes a warning of the kernel. A VISIBLE test waits until visible.sh has checked
 * the engine's state and continues it.
 */
struct test_case {
	const char *name;
	void (*run)(struct test *t);
	struct vrb_device_config config;	/* slots 0: 8 */
	bool verbs;			/* has an ib_device, verbs and a PD */
	bool one_slot;			/* one slot, as a device starts; otherwise all slots */
	enum { RULE, MISUSE, VISIBLE } kind;
};

/* A running test */
struct test {
	const struct test_case *test_case;
	struct mock *mock;
	struct vrb_device *dev;
	struct vrb_client *client;
	struct ib_pd *pd;		/* if the test has verbs */
	bool failed, skipped;
	struct list_head memory;
	char log[2048];
	size_t length;
};

/* A request with its script and the results of its callback */
struct mock_request {
	union {
		struct mock_head head;
		struct vrb vrb;
	};
	struct mock_script script;
	struct test *test;
	struct completion over;
	void (*then)(struct mock_request *request);	/* called by the callback */
	void *data;
	unsigned int calls;
	int status;
	bool bad_context;
	bool inside;			/* in a submit or cancel: no callback may run */
	bool called_inside;
};

/* A typed request and the results of its callback */
struct typed_request {
	union {
		struct vrb vrb;
		struct vrb_create_cq create_cq;
		struct vrb_create_qp create_qp;
		struct vrb_create_srq create_srq;
		struct vrb_create_mr create_mr;
		struct vrb_resize_cq resize_cq;
		struct vrb_modify_qp modify_qp;
		struct vrb_connect_qp connect_qp;
		struct vrb_reset_qp reset_qp;
		struct vrb_query_qp query_qp;
		struct vrb_mcast mcast;
		struct vrb_modify_srq modify_srq;
		struct vrb_query_srq query_srq;
		struct vrb_reg_mr reg_mr;
		struct vrb_unreg_mr unreg_mr;
		struct vrb_query_port query_port;
		struct vrb_process_mad process_mad;
		struct vrb_await_cq await_cq;
		struct vrb_await_event await_event;
	};
	struct test *test;
	struct completion over;
	void (*then)(struct typed_request *request);	/* called by the callback */
	void *data;
	unsigned int calls;
	int status;
	bool bad_context;
};

/* The end of a shell */
struct typed_gone {
	struct test *test;
	struct completion over;
	unsigned int calls;
	bool bad_context;
};

struct mock_object {
	struct vrb_object object;
	struct mock_script destroy;
	struct test *test;
	struct completion *released;
	void (*leave)(struct mock_object *object);	/* at the release: leaves the tables */
	bool abandoned;			/* it was never visible to others */
	unsigned int resets;		/* number of stops of the hardware before it was made */
};

/* The hardware half of an object of ib_core's or of a shell */
struct mock_hw {
	struct mock_object base;	/* with the script of its destroy */
	struct mock *mock;
	void *of;			/* begins with a struct ib_qp or similar */
	struct mock_script script[VRB_NR_OPS];
	bool created;			/* it exists in the hardware */
	raw_spinlock_t lock;
	enum ib_qp_state state;
	bool attached;
	struct list_head attached_entry;	/* of &mock.attached */
	u64 receive[MOCK_RING];		/* of a QP or an SRQ */
	unsigned int posted, received;
	struct ib_wc wc[MOCK_RING];	/* of a CQ */
	unsigned int head, tail;
	unsigned int arms;
	bool armed;
	enum ib_cq_notify_flags arm_flags;
	int arm_error;
	bool registered;
	u32 max_pages, generation, limit;
};

/* A function that is repeated on CPU 1 */
struct mock_thread {
	struct work_struct work;
	void (*fn)(struct mock_thread *thread);
	void *data;
	bool stop;
	unsigned int loops;
};

/* mock_hw.c */
struct mock *mock_create(const struct test_case *test_case);
void mock_free(struct mock *mock);
bool mock_unseen(char *text, size_t size);
struct ib_device *mock_ibdev(struct mock *mock);
void mock_release(struct mock *mock, const struct mock_script *script);
void mock_inject(struct mock *mock, u16 token);
void mock_callback(struct mock *mock, int status);
void mock_reset(struct mock *mock);
void mock_violation(struct mock *mock, const char *what);
int mock_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot);
int mock_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
	      const struct vrb_result *result);
int mock_undo(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot);
extern const struct vrb_provider_ops mock_ops;
extern const struct vrb_verb mock_verb, mock_verb_single, mock_verb_background;
extern const struct vrb_verb mock_verb_teardown, mock_verb_destroy, mock_verb_work;
extern const struct vrb_verb mock_verb_refusable;

/* mock_verbs.c */
int mock_verbs_attach(struct mock *mock);
void mock_verbs_detach(struct mock *mock);
int mock_verbs_register(struct mock *mock);
struct mock_script *mock_typed_script(struct mock *mock, const struct vrb *vrb);
struct mock_hw *mock_cq_hw(struct ib_cq *cq);
struct mock_hw *mock_qp_hw(struct ib_qp *qp);
struct mock_hw *mock_srq_hw(struct ib_srq *srq);
struct mock_hw *mock_mr_hw(struct ib_mr *mr);
void mock_cq_event(struct ib_cq *cq);
void mock_forget_groups(struct mock *mock);

/* mock_device.c */
void mock_device_init(struct dentry *directory);
void mock_device_exit(void);

/* mock_util.c */
void test_fail(struct test *t, const char *file, int line, const char *fmt, ...) __printf(4, 5);
void test_skip(struct test *t, const char *why);
void *test_alloc(struct test *t, size_t size);
void test_free_all(struct test *t);
struct mock_request *new_request(struct test *t, int tag);
struct mock_request *held_request(struct test *t, int tag);
unsigned int resets_before(struct mock *mock);
void check_destroyed(struct mock_object *mine);
struct mock_object *new_object(struct test *t, int id, struct completion *released);
struct mock_object *new_uncertain_object(struct test *t, struct mock_request *lost,
					 struct completion *released);
void submit(struct mock_request *request);
void wait_over(struct mock_request *request, int status);
void run_to_end(struct mock_request *request, int status);
void wait_posted(struct mock_request *request);
void let_go(struct mock_request *request);
void destroy(struct mock_object *object);
void destroy_with(struct mock_object *object, struct mock_request *request);
void wait_released(struct test *t, struct completion *released);
void wait_for_visitor(struct test *t);
bool wait_until(bool (*condition)(void *arg), void *arg);
void wait_failed(struct test *t);
void in_softirq_do(void (*fn)(void *arg), void *arg);
void in_hardirq_do(void (*fn)(void *arg), void *arg);
bool on_other_cpu(struct test *t, long (*fn)(void *arg), void *arg);
bool stay_on_cpu0(struct test *t);
void leave_cpu0(void);
void start_on_cpu1(struct mock_thread *thread, void (*fn)(struct mock_thread *thread), void *data);
void stop_on_cpu1(struct mock_thread *thread);
struct vrb_counters counters(struct test *t);

/* mock_timer.c */
void mock_watch_timer(struct test *t, void (*fn)(struct test *t));

/* mock_typed.c */
struct typed_request *new_typed(struct test *t);
struct typed_request *new_create_cq(struct test *t, struct ib_cq *cq);
struct typed_request *new_create_qp(struct test *t, struct ib_qp *qp);
struct typed_request *new_connect(struct test *t, struct ib_qp *qp);
struct typed_request *new_query_qp(struct test *t, struct ib_qp *qp);
struct typed_request *new_query_port(struct test *t);
void submit_typed(struct typed_request *request);
void wait_typed(struct typed_request *request, int status);
void run_typed(struct typed_request *request, int status);
struct ib_cq *shell_cq(struct test *t);
struct ib_qp *shell_qp(struct test *t, struct ib_cq *cq, struct ib_srq *srq);
struct ib_cq *created_cq(struct test *t);
struct ib_qp *created_qp(struct test *t, struct ib_cq *cq);
struct mock_script *hold_cq(struct ib_cq *cq, enum vrb_op op);
struct mock_script *hold_qp(struct ib_qp *qp, enum vrb_op op);
void wait_script_posted(struct test *t, struct mock_script *script);
struct typed_gone *end_cq(struct test *t, struct ib_cq *cq);
struct typed_gone *end_qp(struct test *t, struct ib_qp *qp);
struct typed_gone *new_gone(struct test *t);
void typed_gone(void *context);
void wait_gone(struct typed_gone *gone);
void end_both(struct test *t, struct ib_qp *qp, struct ib_cq *cq);

/* A condition that must hold; the test continues in any case. */
#define EXPECT(t, condition) ({							\
	bool true_ = (condition);						\
	if (!true_)								\
		test_fail(t, __FILE__, __LINE__, "%s", #condition);		\
	true_;									\
})
#define EXPECT_EQ(t, a, b) ({							\
	long long a_ = (a), b_ = (b);						\
	if (a_ != b_)								\
		test_fail(t, __FILE__, __LINE__, "%s is %lld, not %lld", #a, a_, b_);	\
	a_ == b_;								\
})

extern const struct test_case request_tests[], steps_tests[], slots_tests[], time_tests[];
extern const struct test_case object_tests[], fail_tests[], client_tests[], wait_tests[];
extern const struct test_case misuse_tests[], visible_tests[], refs_tests[], callback_tests[];
extern const struct test_case share_tests[], stop_tests[], idle_tests[], bounds_tests[];
extern const struct test_case numbers_tests[], storm_tests[], late_tests[];
extern const struct test_case verbs_tests[], create_tests[], shell_tests[], await_tests[];
extern const struct test_case notify_tests[], audit_tests[], kinds_tests[], pairs_tests[];
extern uint mock_seed;

#endif /* VRB_MOCK_H */
