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
#define MOCK_SLOTS	64
#define MOCK_TOKENS	200		/* a slot's token differs from so many before it */
#define MOCK_BUDGET	64		/* requests in a hold of the lock, callbacks in a run */
#define MOCK_LATENCY_NS	(20 * NSEC_PER_USEC)
#define MOCK_LOG	8192
#define MOCK_RING	16		/* entries of a queue */
#define MOCK_MAX_PAGES	512
#define MOCK_STUCK	UINT_MAX
#define MOCK_PATIENCE	(60 * HZ)	/* for what must happen; no test measures time */

/* What the hardware does with one command */
#define MOCK_HOLD	0x01		/* completes it when mock_release() says so */
#define MOCK_DUP	0x02		/* completes it twice */
/* What the verb says while encoding the step */
#define MOCK_SKIP	0x04		/* there is no command for it */
#define MOCK_LAST	0x08		/* and none after it */
#define MOCK_REFUSE	0x10		/* -EINVAL */
#define MOCK_WAIT	0x20		/* waits before its command until resumed */
/* What it says to the result */
#define MOCK_WAIT_AFTER	0x40		/* waits after its command until resumed */

struct mock_step {
	u64 latency_ns;			/* 0: MOCK_LATENCY_NS */
	int status;
	u8 fw_status;
	u32 flags;			/* MOCK_* */
};

/* What a request does. */
struct mock_script {
	int tag;			/* in the log of posts */
	unsigned int nr_steps;
	struct mock_step step[MOCK_STEPS];
	bool undo;			/* a failed step has the earlier ones undone */
	int undo_status;		/* of the commands that undo */
	unsigned int portions;		/* of the work of mock_verb_work still to be done */
	unsigned int posts;
	unsigned int dones;		/* results seen, of undoing commands too */
	unsigned int waited;		/* steps that began to wait */
	unsigned int undos;		/* steps asked to be undone */
	u64 out;
	unsigned int lost;
	unsigned int late;
	int late_step;
	struct vrb_object *late_object;
};

/* A request of the mock's verbs: those that are not an object's destroy begin like this. */
struct mock_head {
	struct vrb vrb;
	struct mock_script *script;
};

struct mock_post {
	int tag;
	int step;
	bool undo;
	u16 slot;
};

struct mock_command {
	struct hrtimer timer;
	struct mock *mock;
	struct mock_script *script;
	struct vrb_object *object;
	struct mock_step step;
	u16 token;
	bool owned;			/* by the hardware, with the slot's buffers */
	u16 tokens[MOCK_TOKENS];	/* of the posts before */
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
	bool was_reset;			/* results of a failure may still be on their way */
	bool post_error;
	unsigned int quiesce_ms;	/* how long quiesce takes */
	unsigned int slots;		/* as the engine said last */
	u64 run;			/* of the pump */
	unsigned int callbacks;		/* in that run */
	unsigned int rearms, reaps;
	struct vrb_object *resume;	/* by the failed operation */
	struct vrb_object *resume_in_undo;	/* by the next undo, just before it is through */
	void (*waits)(struct vrb *vrb);	/* a step is going to answer VRB_WAIT */
	void (*waits_after)(struct vrb *vrb);	/* after its command, no lock held */
	void (*on_slots)(struct mock *mock);	/* while the number of slots changes */
	void *on_slots_data;
	struct mock_script *just_missed;	/* finishes just after the last look for it */
	struct mock_script *unheard;	/* finishes just before the interrupt is asked for */
	u32 chaos;			/* random; else 0: what typed verbs' commands do */
	unsigned int busy;		/* post attempts still to be refused; MOCK_STUCK: all */
	unsigned int outstanding, outstanding_max;
	unsigned int quiesces, failures, kicks;
	unsigned int posts;
	struct mock_post log[MOCK_LOG];
	unsigned int violations;
	char violation[80];
	/* Where there are verbs: */
	struct ib_device *ibdev;
	struct mock_script script[VRB_NR_OPS];	/* of verbs of ports */
	bool no_memory;			/* for the hardware half of an object */
	atomic_t live, numbers;		/* hardware halves there are; have been */
	struct list_head attached;	/* QPs in a multicast group; @lock */
};

struct test;

/*
 * MISUSE provokes a warning of the kernel. VISIBLE waits, in the middle, until somebody outside has
 * looked and says so.
 */
struct test_case {
	const char *name;
	void (*run)(struct test *t);
	struct vrb_device_config config;	/* slots 0: 8 */
	bool verbs;			/* has an ib_device, verbs and a PD */
	bool one_slot;			/* as a device starts; otherwise all that are configured */
	enum { RULE, MISUSE, VISIBLE } kind;
};

/* A test that runs */
struct test {
	const struct test_case *test_case;
	struct mock *mock;
	struct vrb_device *dev;
	struct vrb_client *client;
	struct ib_pd *pd;		/* where there are verbs */
	bool failed, skipped;
	struct list_head memory;
	char log[2048];
	size_t length;
};

/* A request with its script, and what its callback saw. */
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
	bool inside;			/* of a submit or cancel: no callback may come */
	bool called_inside;
};

/* A typed request, and what its callback saw. */
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
	void (*leave)(struct mock_object *object);	/* released: out of the test's tables */
	bool abandoned;			/* nobody has ever found it */
};

/* The hardware half of an object of ib_core's or of a shell */
struct mock_hw {
	struct mock_object base;	/* with the script of its destroy */
	struct mock *mock;
	void *of;			/* what begins with a struct ib_qp or its like */
	struct mock_script script[VRB_NR_OPS];
	bool created;			/* the hardware knows it */
	unsigned int resets;		/* there had been before it */
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

/* Something that is done over and over on CPU 1 */
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
struct mock_object *new_object(struct test *t, int id, struct completion *released);
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

/* What a test says must be; the test goes on whatever it is. */
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
