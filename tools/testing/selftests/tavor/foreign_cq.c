// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 120
// Level: ci
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Runs: guest --driver mthca --sm
//
// Tests that a process cannot create a CQ in the memory of another process, nor resize one into it,
// nor create one in the kernel's region, which is all of the machine's memory. The numbers that
// select the memory are easily guessed. ib_tavor refuses those of others; uabi.c tests that in
// detail. ib_mthca accepts them, so that the HCA writes completions where the process must not
// write. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/foreign_cq

#include <errno.h>
#include "kselftest.h"
#include "model.h"
#include "process.h"
#include "raw.h"

#define ENTRIES 63
#define SIZE 4096

struct process {
	struct ibv_context *context;
	struct raw_pd pd;
	struct raw_mr mr, second;
};

static bool begin(struct process *p)
{
	char *memory = process_memory(2 * SIZE);

	p->context = process_open();
	return p->context && memory && !raw_alloc_pd(p->context->cmd_fd, &p->pd) &&
	       !raw_reg_mr(p->context->cmd_fd, p->pd.handle, memory, SIZE, 0,
			   IBV_ACCESS_LOCAL_WRITE, &p->mr) &&
	       !raw_reg_mr(p->context->cmd_fd, p->pd.handle, memory + SIZE, SIZE, 0,
			   IBV_ACCESS_LOCAL_WRITE, &p->second);
}

static int create(const struct process *p, uint32_t pdn, uint32_t lkey)
{
	struct raw_cq cq;
	int ret = -raw_create_cq(p->context->cmd_fd, ENTRIES, lkey, pdn, &cq);

	if (!ret)
		raw_destroy_cq(p->context->cmd_fd, cq.handle);
	return ret;
}

/* Resizes a CQ of @p whose memory is the first region of @owner. */
static int resize(const struct process *p, const struct process *owner, uint32_t lkey)
{
	struct raw_cq cq;
	uint32_t got;
	int ret = -raw_create_cq(p->context->cmd_fd, ENTRIES, owner->mr.lkey, owner->pd.pdn, &cq);

	if (ret)
		return ret;
	ret = -raw_resize_cq(p->context->cmd_fd, cq.handle, 2 * ENTRIES + 1, lkey, &got);
	raw_destroy_cq(p->context->cmd_fd, cq.handle);
	return ret;
}

/* Finds a region of the kernel that has no translations and no end. */
static bool kernel_region(uint32_t *pdn, uint32_t *lkey)
{
	static const char endless[] = "{\"key\":%u,\"pd\":%u,\"flags\":%*u,"
				      "\"start\":\"0x0\",\"length\":\"%llx";
	static char reply[1 << 20];
	const char *at = reply;

	if (!model_reply("{\"cmd\":\"objects\",\"kind\":\"mpts\"}", reply, sizeof(reply)))
		return false;
	while ((at = strstr(at, "{\"key\":"))) {
		unsigned long long length;

		if (sscanf(at, endless, lkey, pdn, &length) == 3 && length == ~0ULL) {
			*pdn &= 0xffffff;
			return true;
		}
		at++;
	}
	return false;
}

int main(void)
{
	struct process own = {}, other = {};
	uint32_t pdn, lkey;
	bool mthca;
	int ret;

	ksft_print_header();
	if (!begin(&own) || !begin(&other))
		ksft_exit_skip("no RDMA device that works\n");
	mthca = process_driver_is(own.context, "ib_mthca");
	ksft_set_plan(5);
	ksft_test_result(!create(&own, own.pd.pdn, own.mr.lkey), "a CQ in memory of one's own\n");
	ret = create(&own, other.pd.pdn, other.mr.lkey);
	ksft_test_result(ret == (mthca ? 0 : EINVAL), "a CQ in memory of another process: %s\n",
			 ret ? strerrorname_np(ret) : "success");
	ksft_test_result(!resize(&own, &own, own.second.lkey), "a resize into one's own memory\n");
	/* The hardware itself refuses a region of another PD, so this PD is the other one. */
	ret = resize(&own, mthca ? &other : &own, other.second.lkey);
	ksft_test_result(ret == (mthca ? 0 : EINVAL),
			 "a resize into memory of another process: %s\n",
			 ret ? strerrorname_np(ret) : "success");
	ret = kernel_region(&pdn, &lkey) ? create(&own, pdn, lkey) : ENOENT;
	ksft_test_result(ret == (mthca ? 0 : EINVAL), "a CQ in all of the machine's memory: %s\n",
			 ret ? strerrorname_np(ret) : "success");
	ksft_finished();
}
