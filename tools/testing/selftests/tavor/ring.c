// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 600
// Guest: own
// Level: ci
// Runs: guest --driver tavor --sm
//
// Tests that verbs of a process do not wait for commands on the memory regions of its queues.
// libmthca registers the memory of each QP and SRQ before the create, and deregisters it after the
// destroy. Only the first command of the queue waits for the registration, and returns its error
// too. No call waits for the deregistration; the memory stays pinned until the HCA no longer uses
// it. The model holds the commands meanwhile. A region that cannot be a queue's is deregistered
// when the call returns, and unpinned. No process unpins the memory of another one. What a process
// has deregistered on one open device does not keep it from registering on another. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/ring

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define QPS 16
#define CLOSED (8 << 20) /* bytes */
#define RING (256 << 10) /* bytes of a QP's queues, at least */
#define HOLD "3s" /* much longer than any call takes that does not wait, even on a busy machine */

static struct ibv_context *ctx;
static struct ibv_pd *pd;
static struct ibv_cq *cq;

static bool begin(void)
{
	ctx = process_open();
	pd = ctx ? ibv_alloc_pd(ctx) : NULL;
	cq = pd ? ibv_create_cq(ctx, 16, NULL, NULL, 0) : NULL;
	return cq;
}

static struct ibv_qp *make(void)
{
	return connect_make(pd, IBV_QPT_RC, cq, cq, 8);
}

static struct ibv_srq *make_srq(void)
{
	struct ibv_srq_init_attr attr = { .attr = { .max_wr = 16, .max_sge = 1 } };

	return ibv_create_srq(pd, &attr);
}

/* Makes the model hold the next @n of these commands. */
static bool hold(const char *command, int n)
{
	char fault[128];

	snprintf(fault, sizeof(fault), "delay,on=cmd,op=%s,count=%d,time=" HOLD, command, n);
	return model_fault(NULL) && model_fault(fault);
}

static bool held(const char *command)
{
	return engine_count("slots", command) > 0;
}

/* Returns the pages that a process has pinned, in KB. */
static long pinned_by(pid_t pid)
{
	char path[64], line[256];
	FILE *file;
	long kb = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %ld", &kb);
	if (file)
		fclose(file);
	return kb;
}

static long pinned(void)
{
	return pinned_by(getpid());
}

static void test_create(void)
{
	struct ibv_qp *qp;
	bool good = hold("SW2HW_MPT", 1);

	qp = make();
	ksft_test_result(good && qp && held("SW2HW_MPT"),
			 "a QP is made while its memory is being registered\n");
	good = qp && !connect_to_init(qp);
	ksft_test_result(good && !held("SW2HW_MPT"), "its first transition waits for that\n");
	ksft_test_result(qp && !ibv_destroy_qp(qp), "it is destroyed\n");
}

static void test_create_srq(void)
{
	bool good = hold("SW2HW_MPT", 1);
	struct ibv_srq *srq = make_srq();

	ksft_test_result(good && srq && !held("SW2HW_MPT"),
			 "an SRQ's create waits for its memory\n");
	ksft_test_result(srq && !ibv_destroy_srq(srq), "it is destroyed\n");
}

static void test_refused(void)
{
	struct ibv_qp *qp;
	struct ibv_srq *srq;
	bool good;
	int err;

	good = model_fault(NULL) && model_fault("status,on=cmd,op=SW2HW_MPT,count=1,status=1");
	qp = make();
	err = qp ? connect_to_init(qp) : 0;
	printf("# transition: %s\n", strerror(err));
	ksft_test_result(good && qp && err, "memory that is refused fails the first transition\n");
	err = qp ? connect_to_init(qp) : 0;
	ksft_test_result(err, "the next transition fails, too\n");
	ksft_test_result(qp && !ibv_destroy_qp(qp), "the QP is destroyed\n");
	good = model_fault(NULL) && model_fault("status,on=cmd,op=SW2HW_MPT,count=1,status=1");
	srq = make_srq();
	ksft_test_result(good && !srq, "memory that is refused fails the create of an SRQ\n");
	qp = make();
	ksft_test_result(qp && !connect_to_init(qp) && !ibv_destroy_qp(qp), "the next QP works\n");
}

static void test_destroy(void)
{
	struct ibv_qp *qp, *other;
	long before, meanwhile;
	bool good;

	/* The last test's deregistrations complete; the next registration unpins that memory. */
	engine_rests("objects", ":");
	qp = make();
	good = qp && !connect_to_init(qp) && hold("HW2SW_MPT", 1);
	before = pinned();
	good = good && !ibv_destroy_qp(qp);
	meanwhile = pinned();
	ksft_test_result(good && held("HW2SW_MPT"),
			 "a QP's destroy does not wait until its memory is deregistered\n");
	ksft_test_result(before > 0 && meanwhile == before,
			 "the memory stays pinned meanwhile: %ld of %ld KB\n", meanwhile, before);
	good = engine_settles("slots", "HW2SW_MPT", 0);
	other = make();
	meanwhile = pinned();
	ksft_test_result(good && other && meanwhile == before,
			 "the next registration unpins it: %ld KB with another QP\n", meanwhile);
	ksft_test_result(other && !ibv_destroy_qp(other), "that QP is destroyed, too\n");
}

/* A region with an address and rights is no queue's. */
static void test_other_region(void)
{
	bool good = engine_settles("slots", "HW2SW_MPT", 0);
	void *memory = process_memory(RING);
	/* This unpins the memory of the last test's QP. */
	struct ibv_mr *mr = memory ? ibv_reg_mr(pd, memory, RING, IBV_ACCESS_LOCAL_WRITE) : NULL;
	long before = pinned(), after;

	good = good && mr && hold("HW2SW_MPT", 1) && !ibv_dereg_mr(mr);
	after = pinned();
	ksft_test_result(good && after == before - RING / 1024,
			 "another region is unpinned at once: %ld KB of %ld\n", after, before);
	munmap(memory, RING);
}

/* This test uses a PD of its own, so that it can deallocate it. */
static void test_both_held(void)
{
	struct ibv_pd *old = pd;
	struct ibv_qp *qp;
	int objects = engine_rests("objects", ":");
	bool good = hold("SW2HW_MPT", 1);

	pd = ibv_alloc_pd(ctx);
	qp = pd ? make() : NULL;
	good = good && qp && held("SW2HW_MPT") && !ibv_destroy_qp(qp);
	ksft_test_result(good && held("SW2HW_MPT"),
			 "a QP is made and destroyed while its memory is being registered\n");
	ksft_test_result(pd && !ibv_dealloc_pd(pd), "its PD is deallocated\n");
	ksft_test_result(engine_settles("objects", ":", objects), "nothing of it is left\n");
	pd = old;
}

static void test_many(void)
{
	struct ibv_qp *qp[QPS];
	bool good = model_fault(NULL);
	long before = pinned();
	int i;

	for (i = 0; i < QPS; i++)
		qp[i] = make();
	for (i = 0; i < QPS; i++)
		good &= qp[i] && !connect_to_init(qp[i]);
	for (i = 0; i < QPS; i++)
		good &= qp[i] && !ibv_destroy_qp(qp[i]);
	ksft_test_result(good, "many QPs at once are connected and destroyed\n");
	good = engine_settles("slots", "HW2SW_MPT", 0);
	/* The next registration unpins their memory. */
	qp[0] = make();
	good = good && qp[0] && !ibv_destroy_qp(qp[0]) && engine_settles("slots", "HW2SW_MPT", 0);
	qp[0] = make();
	ksft_test_result(good && qp[0] && pinned() <= before + 64,
			 "%ld KB are pinned, %ld before\n", pinned(), before);
	if (qp[0])
		ibv_destroy_qp(qp[0]);
}

/* A child opens the device, leaves objects behind, and ends. */
static void leave(bool destroy)
{
	struct ibv_qp *qp[QPS];
	int i;

	if (!begin() || !hold("SW2HW_MPT", QPS / 2))
		_exit(1);
	for (i = 0; i < QPS; i++)
		qp[i] = make();
	if (!qp[0] || !qp[QPS - 1])
		_exit(2);
	if (destroy && !hold("HW2SW_MPT", QPS / 2))
		_exit(3);
	for (i = 0; destroy && i < QPS; i++)
		if (ibv_destroy_qp(qp[i]))
			_exit(4);
	_exit(0);
}

static void test_exit(bool destroy, const char *what)
{
	int objects = engine_rests("objects", ":"), status = -1;
	pid_t pid = fork();

	if (!pid)
		leave(destroy);
	waitpid(pid, &status, 0);
	ksft_test_result(!status, "a process ends with %s\n", what);
	ksft_test_result(engine_settles("objects", ":", objects), "it leaves nothing behind\n");
	model_fault(NULL);
}

/* Returns the value of a line of /proc/vmstat. */
static long vmstat(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char line[128], its[64];
	long n, found = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", its, &n) == 2 && !strcmp(its, name))
			found = n;
	if (file)
		fclose(file);
	return found;
}

/* Returns the pages that all processes have pinned. Each CPU adds its part within a second. */
static long pinned_by_all(void)
{
	return vmstat("nr_foll_pin_acquired") - vmstat("nr_foll_pin_released");
}

/* A child's last call before the close deregisters memory that has the form of a queue's. */
static void close_at_once(void)
{
	void *memory = process_memory(CLOSED);
	struct ibv_mr *mr;

	ctx = process_open();
	pd = ctx ? ibv_alloc_pd(ctx) : NULL;
	mr = pd && memory ? ibv_reg_mr_iova(pd, memory, CLOSED, 0, 0) : NULL;
	_exit(!mr || ibv_dereg_mr(mr) || ibv_dealloc_pd(pd) || ibv_close_device(ctx));
}

static void test_close(void)
{
	int n, status = -1;
	long before, after;
	pid_t pid;

	sleep(2);
	before = pinned_by_all();
	pid = fork();
	if (!pid)
		close_at_once();
	waitpid(pid, &status, 0);
	for (n = 0; n < 50; n++) {
		after = pinned_by_all();
		if (after - before < CLOSED / PROCESS_PAGE / 2)
			break;
		usleep(100000);
	}
	ksft_test_result(!status && after - before < CLOSED / PROCESS_PAGE / 2,
			 "a closed device pins no memory: %ld pages, %ld before\n", after, before);
}

/* A child destroys a QP, and creates another one when it is told to. It reports each step. */
static void neighbour(int tell, int told)
{
	struct ibv_qp *qp;
	char c = 0;

	if (!begin())
		_exit(1);
	qp = make();
	if (!qp || connect_to_init(qp) || ibv_destroy_qp(qp))
		_exit(2);
	if (write(tell, &c, 1) != 1 || read(told, &c, 1) != 1)
		_exit(3);
	if (!make() || write(tell, &c, 1) != 1 || read(told, &c, 1) != 1)
		_exit(4);
	_exit(0);
}

/* The memory of its QP is released; no call of this process and no close of it unpins it. */
static void test_neighbour(void)
{
	int tell[2], told[2], status = -1;
	long before, meanwhile, after;
	bool good = hold("HW2SW_MPT", 1);
	struct ibv_qp *qp;
	pid_t pid;
	char c = 0;

	if (pipe(tell) || pipe(told))
		ksft_exit_fail_msg("pipe\n");
	pid = fork();
	if (!pid)
		neighbour(tell[1], told[0]);
	good &= read(tell[0], &c, 1) == 1 && engine_settles("slots", "HW2SW_MPT", 0);
	before = pinned_by(pid);
	qp = make();
	good &= qp && !connect_to_init(qp) && !ibv_destroy_qp(qp);
	meanwhile = pinned_by(pid);
	ksft_test_result(good && before > 0 && meanwhile == before,
			 "a process does not unpin another's memory: %ld of %ld KB\n", meanwhile,
			 before);
	good = write(told[1], &c, 1) == 1 && read(tell[0], &c, 1) == 1;
	after = pinned_by(pid);
	ksft_test_result(good && after == before,
			 "the other does it in its next call, which makes a QP: %ld KB\n", after);
	good = write(told[1], &c, 1) == 1;
	waitpid(pid, &status, 0);
	ksft_test_result(good && !status, "the other process ends\n");
}

/* The limit of locked memory is for this process, too. */
static bool limit_applies(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	return !syscall(SYS_capset, &header, data);
}

/* In a child: destroys a QP, and registers on another open device as much as its ring took. */
static void register_elsewhere(void)
{
	struct ibv_context *other;
	struct ibv_pd *its_pd;
	struct ibv_mr *mr;
	struct ibv_qp *qp;
	struct rlimit limit;
	void *memory = process_memory(RING);

	if (!memory || !limit_applies() || !begin())
		_exit(1);
	other = process_open();
	its_pd = other ? ibv_alloc_pd(other) : NULL;
	qp = connect_make(pd, IBV_QPT_RC, cq, cq, RING / 64);
	/* Held beyond the end of the destroy, which would unpin the memory otherwise. */
	if (!its_pd || !qp || connect_to_init(qp) || !hold("HW2SW_MPT", 1) || ibv_destroy_qp(qp))
		_exit(2);
	if (!engine_settles("slots", "HW2SW_MPT", 0) || pinned() < RING / 1024)
		_exit(3);
	limit.rlim_cur = limit.rlim_max = pinned() * 1024 + RING / 2;
	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		_exit(4);
	mr = ibv_reg_mr(its_pd, memory, RING, 0);
	_exit(mr ? 0 : 5);
}

static void test_two_contexts(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		register_elsewhere();
	waitpid(pid, &status, 0);
	ksft_test_result(!status, "two open devices share the limit of locked memory: %d\n",
			 WEXITSTATUS(status));
}

int main(void)
{
	ksft_print_header();
	if (access(MODEL_CONTROL, F_OK))
		ksft_exit_skip("no model to ask\n");
	ksft_set_plan(31);
	test_exit(false, "memory on its way to the HCA");
	test_exit(true, "memory on its way there and back");
	test_close();
	if (!begin())
		ksft_exit_fail_msg("no CQ\n");
	test_create();
	test_create_srq();
	test_refused();
	test_destroy();
	test_other_region();
	test_both_held();
	test_many();
	test_neighbour();
	test_two_contexts();
	ksft_test_result(model_violations() == 0, "the model has no complaint\n");
	ksft_test_result(!ibv_destroy_cq(cq) && !ibv_dealloc_pd(pd) && !ibv_close_device(ctx),
			 "all is closed\n");
	ksft_finished();
}
