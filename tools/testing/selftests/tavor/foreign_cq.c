// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 120
// Level: ci
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Runs: guest --driver mthca --sm
//
// Tests that a process cannot create a CQ in the memory of another process. The numbers that select
// the memory are easily guessed. ib_tavor refuses those of another process; uabi.c tests that in
// detail. ib_mthca accepts them, so that the HCA writes completions where the process must not
// write. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/foreign_cq

#include <errno.h>
#include "kselftest.h"
#include "process.h"
#include "raw.h"

#define ENTRIES 63
#define SIZE 4096

struct process {
	struct ibv_context *context;
	struct raw_pd pd;
	struct raw_mr mr;
};

static bool begin(struct process *p)
{
	void *memory = process_memory(SIZE);

	p->context = process_open();
	return p->context && memory && !raw_alloc_pd(p->context->cmd_fd, &p->pd) &&
	       !raw_reg_mr(p->context->cmd_fd, p->pd.handle, memory, SIZE, 0,
			   IBV_ACCESS_LOCAL_WRITE, &p->mr);
}

static int create(const struct process *p, uint32_t pdn, uint32_t lkey)
{
	struct raw_cq cq;
	int ret = -raw_create_cq(p->context->cmd_fd, ENTRIES, lkey, pdn, &cq);

	if (!ret)
		raw_destroy_cq(p->context->cmd_fd, cq.handle);
	return ret;
}

int main(void)
{
	struct process own = {}, other = {};
	bool mthca;
	int ret;

	ksft_print_header();
	if (!begin(&own) || !begin(&other))
		ksft_exit_skip("no RDMA device that works\n");
	mthca = process_driver_is(own.context, "ib_mthca");
	ksft_set_plan(2);
	ksft_test_result(!create(&own, own.pd.pdn, own.mr.lkey), "a CQ in memory of one's own\n");
	ret = create(&own, other.pd.pdn, other.mr.lkey);
	ksft_test_result(ret == (mthca ? 0 : EINVAL), "a CQ in memory of another process: %s\n",
			 ret ? strerrorname_np(ret) : "success");
	ksft_finished();
}
