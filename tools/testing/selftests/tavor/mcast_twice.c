// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --sm
//
// Tests a queue pair that is attached to a multicast group twice, with different LIDs. ib_core has
// two records of that, and the HCA has one, because it knows only the GID. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/mcast_twice

#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define LIDS 3
#define ENDS_WITHIN 60 /* seconds; a detach that is repeated takes two minutes */

static struct ibv_context *ctx;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_qp *qp;
static union ibv_gid group = { .raw = { 0xff, 0x12, 0x60, 0x1b, [15] = 9 } };

/* Creates a QP and attaches it with each LID. */
static bool attach(void)
{
	int i, err = 0;

	ctx = process_open();
	pd = ctx ? ibv_alloc_pd(ctx) : NULL;
	cq = pd ? ibv_create_cq(ctx, 16, NULL, NULL, 0) : NULL;
	qp = cq ? connect_make(pd, IBV_QPT_UD, cq, cq, 8) : NULL;
	for (i = 0; qp && i < LIDS && !err; i++)
		err = ibv_attach_mcast(qp, &group, 0xc001 + i);
	return qp && !err;
}

static void test_detach(void)
{
	int i, err = 0;

	ksft_test_result(attach(), "a QP is attached with each LID\n");
	for (i = 0; qp && i < LIDS; i++)
		err = err ?: ibv_detach_mcast(qp, &group, 0xc001 + i);
	ksft_test_result(qp && !err, "the QP is detached once for each attach\n");
	ksft_test_result(ibv_detach_mcast(qp, &group, 0xc001), "one more detach is refused\n");
	ksft_test_result(!ibv_destroy_qp(qp), "the QP is destroyed\n");
	ksft_test_result(!ibv_destroy_cq(cq) && !ibv_dealloc_pd(pd) && !ibv_close_device(ctx),
			 "all is closed\n");
}

/* A region younger than the QP is destroyed before it, and so are the other regions. */
static void leave(bool younger)
{
	void *memory = process_memory(PROCESS_PAGE);

	if (!attach() || !memory)
		_exit(1);
	if (younger && !ibv_reg_mr(pd, memory, PROCESS_PAGE, 0))
		_exit(2);
	_exit(0);
}

static bool ends(pid_t pid)
{
	int n, status;

	for (n = 0; n < 10 * ENDS_WITHIN; n++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return !status;
		usleep(100000);
	}
	return false;
}

static void test_exit(bool younger, const char *what)
{
	int objects = engine_rests("objects", ":");
	pid_t pid = fork();

	if (!pid)
		leave(younger);
	ksft_test_result(ends(pid), "a process ends with it%s\n", what);
	ksft_test_result(engine_settles("objects", ":", objects), "nothing is left of it\n");
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(11);
	test_detach();
	test_exit(false, "");
	test_exit(true, " and with a younger region");
	ctx = process_open();
	ksft_test_result(ctx && ibv_alloc_pd(ctx), "the device works\n");
	ksft_test_result(model_violations() == 0, "the model has no complaint\n");
	ksft_finished();
}
