// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Tests that each verb of a process fails with ENOMEM when an allocation of the driver fails, that
// nothing is left behind, that the same verb works afterwards, and that no destroy needs memory.
// For each verb the first allocation fails, then the second, and so on until the verb runs without
// a failure; and then the same with all later ones failing, too. no_memory.sh runs this program.
//
// With an argument the program is a process that holds one object of each kind until it is killed.

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "kselftest.h"
#include <infiniband/verbs.h>
#include "connect.h"
#include "model.h"
#include "raw.h"
#include "process.h"
#include "verb_queue.h"

#define PARAMETERS "/sys/module/fail_allocs/parameters/"
#define BUFFER 65536
#define DEPTH 64
#define MOST 100 /* allocations of a verb; more are a fault of the test */

/* One object of each kind. */
struct world {
	struct ibv_context *context;
	int fd; /* another file of the device, without libmthca */
	void *page;
	struct raw_pd raw_pd;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct raw_mr raw_mr;
	bool reregistered;
	struct raw_mw mw;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	struct ibv_srq *srq;
	struct ibv_qp *qp, *srq_qp, *ud;
	int queue;
	void *memory;
	bool windowed, attached;
};

static union ibv_gid group = { .raw = { 0xff, 0x12, 0x60, 0x1b, 1, 2, 3, 4 } };

/* ---- The module ---- */

static void arm_as(const char *text)
{
	int fd = open(PARAMETERS "arm", O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ksft_exit_fail_msg("fail_allocs is not loaded\n");
	close(fd);
}

static void arm(const char *how, int n)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %d %d", how, n, getpid());
	arm_as(text);
}

static void arm_all(void)
{
	arm_as("from 1");
}

static void disarm(void)
{
	arm_as("off");
}

static const char *parameter(const char *name)
{
	static char text[4096];
	char path[128];
	int fd, n;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static int counter(const char *name)
{
	return atoi(parameter(name));
}

/* ---- What exists ---- */

static struct ibv_pd *reaper; /* of a context of its own */
static void *page;

struct amount {
	int objects; /* of the engine */
	int blocks;  /* of the two modules' memory */
	int pinned;  /* of the process's memory, in KB */
};

static int pinned(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	int kb = 0;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %d", &kb);
	if (file)
		fclose(file);
	return kb;
}

static struct amount amount_now(void)
{
	return (struct amount){ engine_count("objects", ":"), counter("live"), pinned() };
}

static bool amount_is(const struct amount *a)
{
	struct amount now = amount_now();

	return now.objects == a->objects && now.blocks == a->blocks && now.pinned == a->pinned;
}

/* Unpins the memory of queues: the driver does that with the process's next registration. */
static void unpin(void)
{
	struct ibv_mr *mr = ibv_reg_mr(reaper, page, PROCESS_PAGE, IBV_ACCESS_LOCAL_WRITE);

	if (!mr || ibv_dereg_mr(mr))
		ksft_exit_fail_msg("a region cannot be registered: %s\n", strerror(errno));
}

/* Waits until it no longer changes: memory is freed after a grace period of RCU. */
static struct amount amount_rests(void)
{
	struct amount a = amount_now();
	int same, tries;

	for (same = 0, tries = 0; same < 3 && tries < 100; tries++) {
		unpin();
		usleep(50000);
		same = amount_is(&a) ? same + 1 : 0;
		a = amount_now();
	}
	return a;
}

/* Waits until there is again as much as before. */
static bool amount_settles(const struct amount *before)
{
	struct amount now;
	int tries;

	for (tries = 0; tries < 200 && !amount_is(before); tries++) {
		unpin();
		usleep(20000);
	}
	if (amount_is(before))
		return true;
	now = amount_now();
	ksft_print_msg("left: %d objects, %d blocks, %d KB pinned; failed: %s",
		       now.objects - before->objects, now.blocks - before->blocks,
		       now.pinned - before->pinned, parameter("last"));
	ksft_print_msg("allocated by: %s", parameter("left"));
	return false;
}

/* ---- The verbs; each returns 0 or an errno ---- */

static int get_context(struct world *w)
{
	struct ib_uverbs_get_context_resp response[2] = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_get_context core;
	} command = { .core.response = (uintptr_t)&response };
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "/dev/infiniband/%s", w->context->device->dev_name);
	w->fd = open(path, O_RDWR | O_CLOEXEC);
	if (w->fd < 0)
		return errno;
	ret = -raw_command(w->fd, IB_USER_VERBS_CMD_GET_CONTEXT, &command, sizeof(command),
			   sizeof(response[0]) + sizeof(struct mthca_alloc_ucontext_resp));
	if (!ret)
		return 0;
	close(w->fd);
	w->fd = -1;
	return ret;
}

static int map_page(struct world *w)
{
	void *page = mmap(NULL, PROCESS_PAGE, PROT_WRITE, MAP_SHARED, w->fd, 0);

	if (page == MAP_FAILED)
		return errno;
	w->page = page;
	return 0;
}

static int raw_pd(struct world *w)
{
	return -raw_alloc_pd(w->context->cmd_fd, &w->raw_pd);
}

static int alloc_pd(struct world *w)
{
	w->pd = ibv_alloc_pd(w->context);
	return w->pd ? 0 : errno;
}

static int query_device(struct world *w)
{
	struct ibv_device_attr attr;

	return ibv_query_device(w->context, &attr);
}

static int query_port(struct world *w)
{
	struct ibv_port_attr attr;

	return ibv_query_port(w->context, 1, &attr);
}

static int reg_mr(struct world *w)
{
	w->mr = ibv_reg_mr(w->pd, w->memory, BUFFER, IBV_ACCESS_LOCAL_WRITE);
	return w->mr ? 0 : errno;
}

static int reg_raw(struct world *w)
{
	return -raw_reg_mr(w->context->cmd_fd, w->pd->handle, w->memory, BUFFER / 2,
			   (uintptr_t)w->memory, IBV_ACCESS_LOCAL_WRITE, &w->raw_mr);
}

static int rereg(struct world *w, struct raw_rereg r)
{
	r.handle = w->raw_mr.handle;
	return -raw_rereg_mr(w->context->cmd_fd, &w->raw_mr, &r);
}

static int rereg_memory(struct world *w)
{
	const struct raw_rereg r = {
		.flags = IBV_REREG_MR_CHANGE_TRANSLATION,
		.start = (uintptr_t)w->memory,
		.length = BUFFER,
		.hca_va = (uintptr_t)w->memory,
	};

	return rereg(w, r);
}

static int rereg_access(struct world *w)
{
	const struct raw_rereg r = {
		.flags = IBV_REREG_MR_CHANGE_ACCESS,
		.access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ,
	};

	return rereg(w, r);
}

static int rereg_pd(struct world *w)
{
	const struct raw_rereg r = {
		.flags = IBV_REREG_MR_CHANGE_PD,
		.pd_handle = w->raw_pd.handle,
	};

	return rereg(w, r);
}

static int alloc_mw(struct world *w)
{
	int ret = raw_alloc_mw(w->context->cmd_fd, w->pd->handle, IBV_MW_TYPE_1, &w->mw);

	w->windowed = !ret;
	return -ret;
}

static int create_cq(struct world *w)
{
	w->cq = ibv_create_cq(w->context, 100, NULL, w->channel, 0);
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

static struct ibv_qp *make_qp(struct world *w, enum ibv_qp_type type, struct ibv_srq *srq)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = w->cq,
		.recv_cq = w->cq,
		.srq = srq,
		.cap = { .max_send_wr = 8, .max_recv_wr = 8, .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = type,
	};

	return ibv_create_qp(w->pd, &attr);
}

static int create_qp(struct world *w)
{
	w->qp = make_qp(w, IBV_QPT_RC, NULL);
	return w->qp ? 0 : errno;
}

static int create_srq_qp(struct world *w)
{
	w->srq_qp = make_qp(w, IBV_QPT_RC, w->srq);
	return w->srq_qp ? 0 : errno;
}

static int create_ud(struct world *w)
{
	w->ud = make_qp(w, IBV_QPT_UD, NULL);
	return w->ud ? 0 : errno;
}

static int ud_to_init(struct world *w)
{
	return connect_to_init(w->ud);
}

static int to_init(struct world *w)
{
	return connect_to_init(w->qp);
}

static int to_rtr(struct world *w)
{
	return connect_to_rtr(w->qp, w->qp->qp_num, 1);
}

static int to_rts(struct world *w)
{
	return connect_to_rts(w->qp);
}

static int query_qp(struct world *w)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	return ibv_query_qp(w->qp, &attr, IBV_QP_STATE, &init);
}

static int to_err(struct world *w)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_ERR };

	return ibv_modify_qp(w->qp, &attr, IBV_QP_STATE);
}

static int attach(struct world *w)
{
	int ret = ibv_attach_mcast(w->ud, &group, 0xc001);

	w->attached |= !ret;
	return ret;
}

static int create_queue(struct world *w)
{
	int ret = vq_create(w->context->cmd_fd, DEPTH);

	w->queue = ret < 0 ? -1 : ret;
	return ret < 0 ? -ret : 0;
}

/* Two queries in one call, which complete in any case. */
static int use_queue(struct world *w)
{
	const struct vrb_queue_request request[2] = {
		{ .user_data = 1, .op = VRB_QUEUE_OP_QUERY },
		{ .user_data = 2, .op = VRB_QUEUE_OP_QUERY },
	};
	const uint32_t qps[2] = { w->qp->handle, w->qp->handle };
	struct vrb_queue_completion completion[2];
	int ret = vq_submit(w->context->cmd_fd, w->queue, request, qps, 2);

	if (ret < 0)
		return -ret;
	ret = vq_reap(w->queue, completion, ret);
	return ret != 2 ? EPROTO : -(completion[0].status ?: completion[1].status);
}

/* The verbs in this order: each needs objects of those before it. */
static const struct verb {
	const char *name;
	int (*run)(struct world *w);
	bool allocates;
} verbs[] = {
	{ "get_context of another file", get_context, false },
	{ "mmap", map_page, false },
	{ "raw alloc_pd", raw_pd, true },
	{ "alloc_pd", alloc_pd, true },
	{ "query_device", query_device, false },
	{ "query_port", query_port, false },
	{ "reg_mr", reg_mr, true },
	{ "reg_mr of another region", reg_raw, true },
	{ "rereg_mr of the memory", rereg_memory, true },
	{ "rereg_mr of the access", rereg_access, true },
	{ "rereg_mr of the PD", rereg_pd, true },
	{ "alloc_mw", alloc_mw, true },
	{ "create_cq", create_cq, true },
	{ "resize_cq", resize_cq, true },
	{ "create_srq", create_srq, true },
	{ "modify_srq", modify_srq, false },
	{ "query_srq", query_srq, false },
	{ "create_qp", create_qp, true },
	{ "create_qp with an SRQ", create_srq_qp, true },
	{ "modify_qp to INIT", to_init, false },
	{ "modify_qp to RTR", to_rtr, false },
	{ "modify_qp to RTS", to_rts, false },
	{ "query_qp", query_qp, true },
	{ "create of a verb queue", create_queue, true },
	{ "submit to a verb queue", use_queue, false },
	{ "modify_qp to ERR", to_err, false },
	{ "create_qp of a UD QP", create_ud, true },
	{ "modify_qp of a UD QP", ud_to_init, false },
	{ "attach_mcast", attach, false },
};

#define NR_VERBS (int)(sizeof(verbs) / sizeof(verbs[0]))

/* ---- The destroys; each returns 0 or an errno ---- */

static int close_queue(struct world *w)
{
	return close(w->queue) ? errno : 0;
}

static int detach(struct world *w)
{
	return ibv_detach_mcast(w->ud, &group, 0xc001);
}

static int destroy_ud(struct world *w)
{
	return ibv_destroy_qp(w->ud);
}

static int destroy_srq_qp(struct world *w)
{
	return ibv_destroy_qp(w->srq_qp);
}

static int to_reset(struct world *w)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };

	return ibv_modify_qp(w->qp, &attr, IBV_QP_STATE);
}

static int destroy_qp(struct world *w)
{
	return ibv_destroy_qp(w->qp);
}

static int destroy_srq(struct world *w)
{
	return ibv_destroy_srq(w->srq);
}

static int destroy_cq(struct world *w)
{
	return ibv_destroy_cq(w->cq);
}

static int dealloc_mw(struct world *w)
{
	return -raw_dealloc_mw(w->context->cmd_fd, w->mw.handle);
}

static int dereg_mr(struct world *w)
{
	return ibv_dereg_mr(w->mr);
}

static int dereg_raw(struct world *w)
{
	return -raw_dereg_mr(w->context->cmd_fd, w->raw_mr.handle);
}

static int dealloc_pd(struct world *w)
{
	return ibv_dealloc_pd(w->pd);
}

static int dealloc_raw(struct world *w)
{
	return -raw_dealloc_pd(w->context->cmd_fd, w->raw_pd.handle);
}

static int unmap_page(struct world *w)
{
	return munmap(w->page, PROCESS_PAGE) ? errno : 0;
}

static int close_file(struct world *w)
{
	return close(w->fd) ? errno : 0;
}

static int close_device(struct world *w)
{
	return ibv_close_device(w->context) ? errno : 0;
}

static const struct {
	const char *name;
	int (*run)(struct world *w);
} destroys[] = {
	{ "close of a verb queue", close_queue },
	{ "detach_mcast", detach },
	{ "destroy_qp of a UD QP", destroy_ud },
	{ "destroy_qp with an SRQ", destroy_srq_qp },
	{ "modify_qp to RESET", to_reset },
	{ "destroy_qp", destroy_qp },
	{ "destroy_srq", destroy_srq },
	{ "destroy_cq", destroy_cq },
	{ "dealloc_mw", dealloc_mw },
	{ "dereg_mr", dereg_mr },
	{ "dereg_mr of another region", dereg_raw },
	{ "dealloc_pd", dealloc_pd },
	{ "raw dealloc_pd", dealloc_raw },
	{ "munmap", unmap_page },
	{ "close of a context", close_file },
	{ "close_device", close_device },
};

#define NR_DESTROYS (int)(sizeof(destroys) / sizeof(destroys[0]))

/* ---- Tests ---- */

static bool world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->context = process_open();
	w->memory = process_memory(BUFFER);
	return w->context && w->memory;
}

static bool world_make(struct world *w)
{
	int v, ret;

	if (!world_open(w))
		return false;
	for (v = 0; v < NR_VERBS; v++) {
		ret = verbs[v].run(w);
		if (ret) {
			ksft_print_msg("%s: %s\n", verbs[v].name, strerror(ret));
			return false;
		}
	}
	return true;
}

/* What a run of a verb with failing allocations has shown */
struct strike {
	bool failed; /* an allocation has failed */
	bool made;   /* the verb has succeeded */
	bool ok;     /* as it must be */
};

static struct strike strike(struct world *w, const struct verb *verb, const char *how, int n,
			    const struct amount *before)
{
	struct strike s;
	int ret;

	arm(how, n);
	ret = verb->run(w);
	disarm();
	s.failed = counter("failed");
	s.made = !ret;
	s.ok = ret == (s.failed ? ENOMEM : 0);
	/* ib_core queries the QP, and goes on if that fails. */
	if (!ret && verb->run == attach)
		s.ok = !s.failed || strstr(parameter("last"), "tavor_query_qp");
	if (!s.ok)
		ksft_print_msg("%s %d: errno %d instead of %d; failed: %s", how, n, ret,
			       s.failed ? ENOMEM : 0, s.failed ? parameter("last") : "none\n");
	if (s.ok && s.failed)
		s.ok = amount_settles(before);
	return s;
}

/* The last run has no failure: the verb works. */
static void sweep(struct world *w, const struct verb *verb)
{
	struct amount before = amount_rests();
	struct strike s = strike(w, verb, "nth", 1, &before);
	int n = 1;

	while (s.ok && s.failed && n < MOST) {
		s = strike(w, verb, "from", n, &before);
		if (s.ok && s.failed)
			s = strike(w, verb, "nth", ++n, &before);
	}
	ksft_test_result(s.ok && !s.failed && (n > 1) == verb->allocates,
			 "%s: each of %d allocations fails\n", verb->name, n - 1);
	if (!s.made && verb->run(w))
		ksft_exit_fail_msg("%s fails without a reason\n", verb->name);
}

/* The first file of a process, which needs memory; another process opens it. */
static void first_open(struct world *w)
{
	struct amount before = amount_rests();
	int status = -1;
	bool refused;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		arm("nth", 1);
		refused = get_context(w) == ENOMEM && counter("failed") == 1;
		disarm();
		_exit(!refused || get_context(w));
	}
	waitpid(pid, &status, 0);
	ksft_test_result(!status && amount_settles(&before), "get_context: the allocation fails\n");
}

static void end_without_memory(struct world *w, const struct amount *before)
{
	bool all = true;
	int d, ret;

	for (d = 0; d < NR_DESTROYS; d++) {
		arm_all();
		ret = destroys[d].run(w);
		disarm();
		if (ret)
			ksft_print_msg("errno %d; failed: %s", ret, parameter("last"));
		all &= !ret;
		ksft_test_result(!ret, "%s: no memory, %d allocations failed\n", destroys[d].name,
				 counter("failed"));
	}
	munmap(w->memory, BUFFER);
	all &= amount_settles(before);
	if (!all)
		ksft_print_msg("in use since the beginning: %s", parameter("marked"));
	ksft_test_result(all, "nothing is left after these\n");
}

static int hold(void)
{
	struct world w;

	if (!world_make(&w))
		return 1;
	printf("holding\n");
	fflush(stdout);
	pause();
	return 0;
}

/* A process ends with all its objects. */
static void killed_without_memory(void)
{
	struct amount before = amount_rests();
	int pipes[2], status = 0;
	char c;
	pid_t pid;
	bool ok;

	ok = !pipe(pipes);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[1]);
		_exit(hold());
	}
	close(pipes[1]);
	ok = ok && read(pipes[0], &c, 1) == 1 && c == 'h';
	arm_all();
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok &= engine_settles("objects", ":", before.objects);
	disarm();
	ok &= amount_settles(&before);
	close(pipes[0]);
	ksft_test_result(ok && WIFSIGNALED(status),
			 "end of a process: no memory, %d allocations failed\n", counter("failed"));
}

static bool reaper_open(void)
{
	struct ibv_context *context = process_open();

	reaper = context ? ibv_alloc_pd(context) : NULL;
	page = process_memory(PROCESS_PAGE);
	return reaper && page;
}

int main(int argc, char **argv)
{
	struct amount before;
	struct world w;
	int v;

	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	ksft_print_header();
	ksft_set_plan(NR_VERBS + NR_DESTROYS + 3);
	if (!reaper_open())
		ksft_exit_fail_msg("there is no device\n");
	before = amount_rests();
	arm_as("mark");
	if (!world_open(&w))
		ksft_exit_fail_msg("the device does not open again\n");
	first_open(&w);
	for (v = 0; v < NR_VERBS; v++)
		sweep(&w, &verbs[v]);
	end_without_memory(&w, &before);
	killed_without_memory();
	ksft_finished();
}
