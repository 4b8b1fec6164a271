// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Tests that each verb of a process fails cleanly when one of its firmware commands is refused, or
// is answered after its timeout. The errno is the right one, nothing is left behind, the same verb
// works afterwards, and no destroy fails, also at the end of a process. verb_errors.sh runs this
// program on a driver with a short timeout. With an argument the program is a process that holds
// objects, or creates and destroys them, for life.sh.

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include "kselftest.h"
#include <infiniband/verbs.h>
#include "model.h"
#include "raw.h"

#define BUFFER 65536
#define LATE_MS 1500 /* between once and twice the driver's cmd_timeout_ms */

/* The objects that exist when a verb is tried: all that the verb needs. */
struct world {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cq;
	struct ibv_srq *srq;
	struct ibv_qp *qp, *ud;
	struct raw_mw mw;
	void *memory;
	bool windowed, attached;
};

static union ibv_gid group = { .raw = { 0xff, 0x12, 0x60, 0x1b, 1, 2, 3, 4 } };

static int reg_mr(struct world *w)
{
	w->mr = ibv_reg_mr(w->pd, w->memory, BUFFER, IBV_ACCESS_LOCAL_WRITE);
	return w->mr ? 0 : errno;
}

/* libmthca has no memory windows. */
static int alloc_mw(struct world *w)
{
	int ret = raw_alloc_mw(w->context->cmd_fd, w->pd->handle, IBV_MW_TYPE_1, &w->mw);

	w->windowed = !ret;
	return -ret;
}

static int create_cq(struct world *w)
{
	w->cq = ibv_create_cq(w->context, 100, NULL, NULL, 0);
	return w->cq ? 0 : errno;
}

static int resize_cq(struct world *w)
{
	return ibv_resize_cq(w->cq, w->cq->cqe < 200 ? 500 : 100);
}

static int create_srq(struct world *w)
{
	struct ibv_srq_init_attr attr = { .attr = { .max_wr = 16, .max_sge = 1 } };

	w->srq = ibv_create_srq(w->pd, &attr);
	return w->srq ? 0 : errno;
}

static int modify_srq(struct world *w)
{
	struct ibv_srq_attr attr = { .srq_limit = 4 };

	return ibv_modify_srq(w->srq, &attr, IBV_SRQ_LIMIT);
}

static int query_srq(struct world *w)
{
	struct ibv_srq_attr attr;

	return ibv_query_srq(w->srq, &attr);
}

static struct ibv_qp *make_qp(struct world *w, enum ibv_qp_type type)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = w->cq,
		.recv_cq = w->cq,
		.cap = { .max_send_wr = 8, .max_recv_wr = 8, .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = type,
	};

	return ibv_create_qp(w->pd, &attr);
}

static int create_qp(struct world *w)
{
	w->qp = make_qp(w, IBV_QPT_RC);
	return w->qp ? 0 : errno;
}

static int create_ud(struct world *w)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1, .qkey = 1 };
	int ret;

	w->ud = make_qp(w, IBV_QPT_UD);
	if (!w->ud)
		return errno;
	ret = ibv_modify_qp(w->ud, &attr,
			    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY);
	/* The next attempt needs a new QP: the registration of its memory may have failed. */
	if (ret && !ibv_destroy_qp(w->ud))
		w->ud = NULL;
	return ret;
}

static int to_init(struct world *w)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1 };

	return ibv_modify_qp(w->qp, &attr,
			     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
}

static int to_rtr(struct world *w)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = w->qp->qp_num,
		.min_rnr_timer = 12,
		.ah_attr = { .dlid = 1, .port_num = 1 },
	};

	return ibv_modify_qp(w->qp, &attr,
			     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				     IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
				     IBV_QP_MIN_RNR_TIMER);
}

static int to_rts(struct world *w)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RTS, .timeout = 14, .retry_cnt = 7 };

	return ibv_modify_qp(w->qp, &attr,
			     IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				     IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
}

static int to_state(struct world *w, enum ibv_qp_state state)
{
	struct ibv_qp_attr attr = { .qp_state = state };

	return ibv_modify_qp(w->qp, &attr, IBV_QP_STATE);
}

static int to_sqd(struct world *w)
{
	return to_state(w, IBV_QPS_SQD);
}

static int back_to_rts(struct world *w)
{
	return to_state(w, IBV_QPS_RTS);
}

static int to_err(struct world *w)
{
	return to_state(w, IBV_QPS_ERR);
}

static int to_reset(struct world *w)
{
	return to_state(w, IBV_QPS_RESET);
}

static int query_qp(struct world *w)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	return ibv_query_qp(w->qp, &attr, IBV_QP_STATE, &init);
}

static int attach(struct world *w)
{
	int ret = ibv_attach_mcast(w->ud, &group, 0xc001);

	w->attached |= !ret;
	return ret;
}

static int detach(struct world *w)
{
	int ret = ibv_detach_mcast(w->ud, &group, 0xc001);

	w->attached &= !!ret;
	return ret;
}

#define VERB(verb, function, again, ...)     \
	{                                    \
		.name = verb,                \
		.run = function,             \
		.again_fails = again,        \
		.commands = { __VA_ARGS__ }, \
	}

/* The verbs with their commands. Each verb needs objects of those before it. */
static const struct verb {
	const char *name;
	int (*run)(struct world *w);
	bool again_fails; /* after a late success the second attempt is refused */
	const char *commands[4];
} verbs[] = {
	VERB("reg_mr", reg_mr, false, "SW2HW_MPT"),
	VERB("alloc_mw", alloc_mw, false, "SW2HW_MPT"),
	VERB("create_cq", create_cq, false, "SW2HW_MPT", "SW2HW_CQ"),
	VERB("resize_cq", resize_cq, false, "RESIZE_CQ"),
	VERB("create_srq", create_srq, false, "SW2HW_MPT", "SW2HW_SRQ"),
	VERB("modify_srq", modify_srq, false, "ARM_SRQ"),
	VERB("query_srq", query_srq, false, "QUERY_SRQ"),
	VERB("create_qp", create_qp, false, NULL),
	VERB("modify_qp to INIT", to_init, true, "RST2INIT_QPEE"),
	VERB("modify_qp to RTR", to_rtr, true, "INIT2RTR_QPEE"),
	VERB("modify_qp to RTS", to_rts, true, "RTR2RTS_QPEE"),
	VERB("query_qp", query_qp, false, "QUERY_QPEE"),
	VERB("modify_qp to SQD", to_sqd, true, "RTS2SQD_QPEE"),
	VERB("modify_qp back to RTS", back_to_rts, true, "SQD2RTS_QPEE"),
	VERB("modify_qp to ERR", to_err, false, "2ERR_QPEE"),
	VERB("modify_qp to RESET", to_reset, false, "ERR2RST_QPEE"),
	VERB("create UD QP", create_ud, false, "SW2HW_MPT"),
	VERB("attach_mcast", attach, false, "MGID_HASH", "READ_MGM", "WRITE_MGM"),
};

#define NR_VERBS (int)(sizeof(verbs) / sizeof(verbs[0]))

static int base; /* number of the kernel's own objects */

static bool device_works(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = list && list[0] ? ibv_open_device(list[0]) : NULL;

	if (list)
		ibv_free_device_list(list);
	if (context)
		ibv_close_device(context);
	return context;
}

/* Binds a device that has failed again. */
static bool device_again(void)
{
	int tries;

	if (system("cd /sys/bus/pci/drivers/ib_tavor && "
		   "for f in 0*; do echo $f >unbind; echo $f >bind; done"))
		return false;
	for (tries = 0; tries < 100 && !device_works(); tries++)
		usleep(100000);
	return device_works();
}

static bool world_begin(struct world *w)
{
	struct ibv_device **list = ibv_get_device_list(NULL);

	memset(w, 0, sizeof(*w));
	w->memory = aligned_alloc(4096, BUFFER);
	w->context = list && list[0] ? ibv_open_device(list[0]) : NULL;
	if (list)
		ibv_free_device_list(list);
	w->pd = w->context ? ibv_alloc_pd(w->context) : NULL;
	return w->pd;
}

/* @what failed: the test goes on, and reports that. */
static bool must(int ret, const char *what)
{
	if (ret)
		ksft_print_msg("%s: %s\n", what, strerror(ret));
	return !ret;
}

/* Destroys all objects, which must not fail. */
static bool world_destroy(struct world *w)
{
	bool ok = true;

	if (w->windowed)
		ok &= must(-raw_dealloc_mw(w->context->cmd_fd, w->mw.handle), "dealloc_mw");
	if (w->attached)
		ok &= must(detach(w), "detach_mcast");
	if (w->ud)
		ok &= must(ibv_destroy_qp(w->ud), "destroy of the UD QP");
	if (w->qp)
		ok &= must(ibv_destroy_qp(w->qp), "destroy_qp");
	if (w->srq)
		ok &= must(ibv_destroy_srq(w->srq), "destroy_srq");
	if (w->cq)
		ok &= must(ibv_destroy_cq(w->cq), "destroy_cq");
	if (w->mr)
		ok &= must(ibv_dereg_mr(w->mr), "dereg_mr");
	ok &= must(ibv_dealloc_pd(w->pd), "dealloc_pd");
	ok &= must(ibv_close_device(w->context), "close");
	free(w->memory);
	return ok;
}

/* Does the same, and checks that nothing is left. */
static bool world_end(struct world *w)
{
	bool ok = world_destroy(w);

	if (!engine_settles("objects", ":", base))
		ksft_print_msg("%d objects instead of %d\n", engine_count("objects", ":"), base);
	return ok && engine_count("objects", ":") == base && !engine_count("slots", "zombie");
}

/* Creates everything that @verb needs. */
static bool world_until(struct world *w, const struct verb *verb)
{
	const struct verb *v;
	bool ok = world_begin(w);

	for (v = verbs; ok && v < verb; v++)
		ok = must(v->run(w), v->name);
	return ok;
}

/* Does the same for a test that ends in world_end(). */
static bool world_counted(struct world *w, const struct verb *verb)
{
	base = engine_rests("objects", ":");
	return world_until(w, verb);
}

/* Returns the result of @verb with a fault, or -1 if it was not reached. */
static int strikes(struct world *w, const struct verb *verb, const char *fault)
{
	return world_counted(w, verb) && model_fault(fault) ? verb->run(w) : -1;
}

static bool error_is(int ret, int error)
{
	if (ret != error)
		ksft_print_msg("errno %d instead of %d\n", ret, error);
	return ret == error;
}

static void refused(const struct verb *verb, const char *command, int status, int error)
{
	struct world w;
	char fault[128];
	bool ok;

	snprintf(fault, sizeof(fault), "status,on=cmd,op=%s,count=1,status=%d", command, status);
	ok = error_is(strikes(&w, verb, fault), error);
	ok = ok && must(verb->run(&w), "again");
	ok &= world_end(&w);
	model_fault(NULL);
	ksft_test_result(ok, "%s: %s refused with status %#x\n", verb->name, command, status);
}

/* A guest without CPU time may see the answer before the timeout. Then the test is repeated. */
static void late(const struct verb *verb, const char *command)
{
	struct world w;
	char fault[128];
	int ret, tries;
	bool ok = true;

	snprintf(fault, sizeof(fault), "delay,on=cmd,op=%s,count=1,time=%dms", command, LATE_MS);
	ret = strikes(&w, verb, fault);
	for (tries = 2; !ret && tries; tries--) {
		ok &= world_end(&w) && model_fault(NULL);
		ret = strikes(&w, verb, fault);
	}
	ok &= error_is(ret, ETIMEDOUT);
	ok &= engine_settles("slots", "zombie", 0);
	ret = ok ? verb->run(&w) : 0;
	ok = ok && (verb->again_fails || must(ret, "again"));
	ok &= world_end(&w);
	model_fault(NULL);
	ksft_test_result(ok, "%s: %s answered too late\n", verb->name, command);
}

/* The device has failed, and works once it is bound again. */
static bool device_failed(void)
{
	bool failed = !device_works();

	return device_again() && failed;
}

/* A destroy must not fail. If the hardware refuses it, the device fails instead. */
static void taken_away(const char *what, const char *fault, bool device_fails)
{
	struct world w;
	bool ok = world_counted(&w, verbs + NR_VERBS);

	ok = ok && model_fault(fault);
	ok &= world_end(&w);
	model_fault(NULL);
	if (device_fails)
		ok &= device_failed();
	ksft_test_result(ok & device_works(), "%s: %s\n", what, fault);
}

/* The same at the end of a process, which does not destroy anything itself. */
static void taken_by_exit(const char *fault)
{
	struct world w;
	int status = -1;
	pid_t pid;
	bool ok;

	base = engine_rests("objects", ":");
	pid = fork();
	if (!pid)
		_exit(!world_until(&w, verbs + NR_VERBS) || !model_fault(fault));
	waitpid(pid, &status, 0);
	ok = !status & engine_settles("objects", ":", base) & !engine_count("slots", "zombie");
	model_fault(NULL);
	ok &= device_failed();
	ksft_test_result(ok, "exit: %s\n", fault);
}

/* @before: the number of such commands that world_end() issues before this one */
static const struct {
	const char *what, *command;
	int before;
} takers[] = {
	{ "dealloc_mw", "HW2SW_MPT", 0 },    { "detach_mcast", "MGID_HASH", 0 },
	{ "detach_mcast", "READ_MGM", 0 },   { "detach_mcast", "WRITE_MGM", 0 },
	{ "destroy_qp", "ERR2RST_QPEE", 0 }, { "destroy_srq", "HW2SW_SRQ", 0 },
	{ "destroy_cq", "HW2SW_CQ", 0 },     { "dereg_mr", "HW2SW_MPT", 1 },
};

#define NR_TAKERS (int)(sizeof(takers) / sizeof(takers[0]))

static void each_taker(void)
{
	char fault[128];
	int i;

	for (i = 0; i < NR_TAKERS; i++) {
		snprintf(fault, sizeof(fault), "status,on=cmd,op=%s,after=%d,count=1,status=1",
			 takers[i].command, takers[i].before);
		taken_away(takers[i].what, fault, true);
		snprintf(fault, sizeof(fault), "drop,on=cmd,op=%s,after=%d,count=1",
			 takers[i].command, takers[i].before);
		taken_away(takers[i].what, fault, true);
	}
	/* The first such command destroys the window. */
	taken_by_exit("status,on=cmd,op=HW2SW_MPT,count=1,status=1");
	taken_by_exit("drop,on=cmd,op=HW2SW_MPT,count=1");
	/* The detach waits for the late answer. */
	snprintf(fault, sizeof(fault), "delay,on=cmd,op=WRITE_MGM,count=1,time=%dms", LATE_MS);
	taken_away("detach_mcast", fault, false);
}

static const struct {
	int status, error;
} statuses[] = { { 0x01, EREMOTEIO }, { 0x03, EINVAL }, { 0x08, ENOMEM } };

static int nr_commands(void)
{
	int n = 0, v, c;

	for (v = 0; v < NR_VERBS; v++)
		for (c = 0; c < 4 && verbs[v].commands[c]; c++)
			n++;
	return n;
}

static volatile sig_atomic_t told;

static void tell(int signal)
{
	told = signal;
}

/* Holds one object of each kind until SIGTERM, then destroys them, and ignores errors of that. */
static int hold(void)
{
	struct world w;

	if (!world_until(&w, verbs + NR_VERBS))
		return 1;
	printf("holding\n");
	fflush(stdout);
	while (!told)
		usleep(10000);
	world_destroy(&w);
	printf("destroyed\n");
	return 0;
}

/* Creates and destroys until SIGTERM or an error; reports the end of the first round. */
static int churn(void)
{
	struct world w;
	bool ok = true, first = true;

	while (ok && !told) {
		ok = world_until(&w, verbs + NR_VERBS);
		if (w.pd)
			world_destroy(&w);
		if (first) {
			printf("churning\n");
			fflush(stdout);
		}
		first = false;
	}
	printf("%s\n", ok ? "told to end" : "ended");
	return 0;
}

static int all_tests(void)
{
	int v, c, s = 0;

	ksft_print_header();
	ksft_set_plan(2 * nr_commands() + 2 * NR_TAKERS + 3);
	for (v = 0; v < NR_VERBS; v++) {
		for (c = 0; c < 4 && verbs[v].commands[c]; c++, s++) {
			refused(&verbs[v], verbs[v].commands[c], statuses[s % 3].status,
				statuses[s % 3].error);
			late(&verbs[v], verbs[v].commands[c]);
		}
	}
	each_taker();
	ksft_finished();
}

int main(int argc, char **argv)
{
	signal(SIGTERM, tell);
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "churn"))
		return churn();
	return all_tests();
}
