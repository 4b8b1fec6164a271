// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Guest: own
// Level: ci
// Runs: guest --driver tavor --sm
//
// Tests that a registration of memory with a failed device is refused before it writes anything
// that the HCA may still read. When a region is gone, its MTT entries are used for the next one. By
// hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/failed_mr

#include <errno.h>
#include <poll.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define REGIONS 4
#define BYTES 16384
#define ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)
#define PATIENCE_MS 20000

static struct ibv_context *ctx;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_qp *qp;
static struct ibv_mr *mr[REGIONS];
static char memory[REGIONS][BYTES] __attribute__((aligned(4096)));

static bool begin(void)
{
	struct ibv_port_attr port;

	ctx = process_open();
	pd = ctx ? ibv_alloc_pd(ctx) : NULL;
	cq = pd ? ibv_create_cq(ctx, 16, NULL, NULL, 0) : NULL;
	qp = cq ? connect_make(pd, IBV_QPT_RC, cq, cq, 8) : NULL;
	return qp && !ibv_query_port(ctx, 1, &port) && !connect_to_init(qp) &&
	       !connect_to(qp, qp->qp_num, port.lid);
}

static int reg(int i)
{
	mr[i] = ibv_reg_mr(pd, memory[i], BYTES, ACCESS);
	return mr[i] ? 0 : errno;
}

/* The HCA reads and writes the region, and so caches its translations. */
static bool use(int i)
{
	struct ibv_sge sge = { (uintptr_t)memory[i], BYTES / 2, mr[i]->lkey };
	struct ibv_send_wr *bad, wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.wr.rdma = { (uintptr_t)memory[i] + BYTES / 2, mr[i]->rkey },
	};
	struct ibv_wc wc;
	int n = 0, tries;

	if (ibv_post_send(qp, &wr, &bad))
		return false;
	for (tries = 0; !n && tries < PATIENCE_MS; tries++) {
		n = ibv_poll_cq(cq, 1, &wc);
		usleep(n ? 0 : 1000);
	}
	return n == 1 && wc.status == IBV_WC_SUCCESS;
}

static bool fails(void)
{
	struct pollfd poll_fd = { .fd = ctx->async_fd, .events = POLLIN };
	struct ibv_async_event event;
	bool fatal;

	if (!model_ask("{\"cmd\":\"event\",\"hca\":0,\"type\":8,\"subtype\":0,"
		       "\"data\":[0,0,5,5]}") ||
	    poll(&poll_fd, 1, PATIENCE_MS) != 1 || ibv_get_async_event(ctx, &event))
		return false;
	fatal = event.event_type == IBV_EVENT_DEVICE_FATAL;
	ibv_ack_async_event(&event);
	return fatal;
}

int main(void)
{
	bool good = true;
	int i;

	ksft_print_header();
	if (access(MODEL_CONTROL, F_OK))
		ksft_exit_skip("no model to ask\n");
	ksft_set_plan(3);
	/* The device must stay failed. */
	if (system("echo 0 >/sys/module/ib_tavor/parameters/recoveries"))
		ksft_exit_fail_msg("recoveries cannot be switched off\n");
	if (!begin())
		ksft_exit_fail_msg("no connected QP\n");
	for (i = 0; i < REGIONS; i++)
		good &= !reg(i) && use(i);
	ksft_test_result(good && fails(), "the device fails when it has used memory\n");
	for (good = true, i = 0; i < REGIONS; i++)
		good &= !ibv_dereg_mr(mr[i]);
	for (i = 0; i < REGIONS; i++)
		good &= reg(i) == EIO;
	ksft_test_result(good, "memory is taken back, and no more is registered\n");
	ksft_test_result(model_violations() == 0, "nothing is written where the HCA may look\n");
	ksft_finished();
}
