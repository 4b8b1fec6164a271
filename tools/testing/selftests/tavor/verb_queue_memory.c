// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Runs: guest --driver tavor
// Kernels: 6.12 7 debug
// Level: ci
// Timeout: 300
//
// Tests that the memory of a verb queue is charged to the control group of its process when the
// queue is created, and all of it then. A limit of the group refuses the queue. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/verb_queue_memory

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "process.h"
#include "verb_queue_request.h"

#define ROOT "/run/cgroup"
#define GROUP ROOT "/queue"
#define SMALL ROOT "/small"
#define DEPTH 4096
#define BYTES_MIN (DEPTH * 512L)
#define BYTES_MAX (DEPTH * 2048L)

static struct ibv_context *context;

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!good)
		ksft_print_msg("%s: '%s': %s\n", path, text, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

/* Kernel memory of the group, without the page cache and the memory of the process */
static long kernel_memory(void)
{
	static const char key[] = "\nkernel ";
	char text[4096] = "";
	const char *at;
	int fd = open(GROUP "/memory.stat", O_RDONLY);

	if (fd < 0)
		return -1;
	at = read(fd, text, sizeof(text) - 1) > 0 ? strstr(text, key) : NULL;
	close(fd);
	return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static bool enter(const char *group)
{
	char path[128], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return write_text(path, pid);
}

static bool groups_open(void)
{
	mkdir(ROOT, 0755);
	return !mount("cgroup2", ROOT, "cgroup2", 0, NULL) &&
	       write_text(ROOT "/cgroup.subtree_control", "+memory") && !mkdir(GROUP, 0755) &&
	       !mkdir(SMALL, 0755) && enter(GROUP);
}

static bool groups_close(void)
{
	bool good = enter(ROOT) && !rmdir(GROUP) && !rmdir(SMALL);

	return !umount(ROOT) && good;
}

/* The counters of the memory controller are exact to a few pages for each processor. */
static void test_charge(void)
{
	long before = kernel_memory(), with, after = -1;
	int fd = vq_create(context->cmd_fd, DEPTH), tries;

	with = kernel_memory();
	ksft_test_result(fd >= 0 && with - before > BYTES_MIN && with - before < BYTES_MAX,
			 "memory: %d entries are charged: %ld bytes\n", DEPTH, with - before);
	close(fd);
	/* Memory that was mapped for the kernel is released later. */
	for (tries = 0; tries < 100; tries++) {
		after = kernel_memory();
		if (after < with - BYTES_MIN)
			break;
		usleep(100000);
	}
	ksft_test_result(after < with - BYTES_MIN, "memory: closed: %ld bytes\n", after - before);
}

/* Requests are queued and complete, and nothing more is charged than for the queue. */
static void test_use(void)
{
	int fd = vq_create(context->cmd_fd, DEPTH), i, ret, wrong = 0;
	struct ibv_pd *pd = ibv_alloc_pd(context);
	struct ibv_cq *cq = ibv_create_cq(context, 16, NULL, NULL, 0);
	struct ibv_qp *qp = connect_make(pd, IBV_QPT_RC, cq, cq, 1);
	static struct vrb_queue_request r[VRB_QUEUE_MAX_BATCH];
	static struct vrb_queue_completion done[VRB_QUEUE_MAX_BATCH];
	static uint32_t handles[VRB_QUEUE_MAX_BATCH];
	long before, after;

	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++) {
		r[i] = vq_request(i, VRB_QUEUE_OP_QUERY, NULL, 0);
		handles[i] = qp->handle;
	}
	before = kernel_memory();
	for (i = 0; i < DEPTH / VRB_QUEUE_MAX_BATCH; i++) {
		ret = vq_submit(context->cmd_fd, fd, r, handles, VRB_QUEUE_MAX_BATCH);
		wrong += ret != VRB_QUEUE_MAX_BATCH;
	}
	after = kernel_memory();
	for (i = 0; i < DEPTH / VRB_QUEUE_MAX_BATCH; i++)
		wrong += vq_reap(fd, done, VRB_QUEUE_MAX_BATCH) != VRB_QUEUE_MAX_BATCH;
	ksft_test_result(!wrong && after - before < BYTES_MIN / 2,
			 "memory: %d requests in the queue: %ld bytes more\n", DEPTH,
			 after - before);
	ibv_destroy_qp(qp);
	ibv_destroy_cq(cq);
	ibv_dealloc_pd(pd);
	close(fd);
}

/* Creates a queue in a process of a group with a limit. Returns the status of the process. */
static int create_below(const char *max)
{
	int status;
	pid_t child;

	if (!write_text(SMALL "/memory.max", max))
		return -1;
	child = fork();
	if (!child) {
		if (!enter(SMALL))
			_exit(1);
		_exit(vq_create(context->cmd_fd, DEPTH) < 0 ? 2 : 0);
	}
	waitpid(child, &status, 0);
	return status;
}

/* Where no memory can be charged, the kernel refuses it, or ends the process, as for any memory. */
static void test_memory_limit(void)
{
	int large = create_below("64M"), small = create_below("1M");
	bool killed = WIFSIGNALED(small) && WTERMSIG(small) == SIGKILL;

	ksft_test_result(!large, "memory: below a large limit: status 0x%x\n", large);
	ksft_test_result(killed || (WIFEXITED(small) && WEXITSTATUS(small) == 2),
			 "memory: a small limit refuses the queue: status 0x%x\n", small);
}

int main(void)
{
	ksft_print_header();
	if (!groups_open())
		ksft_exit_skip("the kernel has no control groups for memory\n");
	context = process_open();
	if (!context || !process_driver_is(context, "ib_tavor"))
		ksft_exit_skip("no device of ib_tavor\n");
	ksft_set_plan(6);
	test_charge();
	test_use();
	test_memory_limit();
	ibv_close_device(context);
	ksft_test_result(groups_close(), "the groups are removed\n");
	ksft_finished();
}
