// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --sm
//
// Tests reregistration of a process's memory, and memory of a dma-buf. The test sends the commands
// itself, because libmthca offers neither. An RDMA write into a region shows what it allows. By
// hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/rereg_mr

#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"
#include "raw.h"

#define SIZE (3 * PROCESS_PAGE)
#define RIGHTS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)

#define RESULT(condition, ...) ksft_test_result(condition, __VA_ARGS__)

static struct ibv_context *context;
static struct ibv_pd *pd, *other_pd;
static struct ibv_cq *cq;
static struct ibv_mr *source;
static struct ibv_port_attr port;
static int fd;

static struct raw_rereg rereg_of(const struct raw_mr *mr, uint32_t flags)
{
	return (struct raw_rereg){ .handle = mr->handle, .flags = flags };
}

static int rereg(struct raw_mr *mr, struct raw_rereg r)
{
	return raw_rereg_mr(fd, mr, &r);
}

static int reg_dmabuf(int buf, uint64_t offset, uint64_t length, uint64_t iova, uint32_t access,
		      struct raw_mr *mr)
{
	const struct raw_dmabuf in = { buf, offset, length, iova, access };

	return raw_reg_dmabuf(fd, pd->handle, &in, mr);
}

/* Returns the status of an RDMA write between QPs of @qp_pd to @iova of @mr; -1: none came. */
static int write_to(const struct raw_mr *mr, uint64_t iova, struct ibv_pd *qp_pd, uint32_t length)
{
	struct ibv_qp *qp = connect_make(qp_pd, IBV_QPT_RC, cq, cq, 4);
	struct ibv_qp *peer = connect_make(qp_pd, IBV_QPT_RC, cq, cq, 4);
	struct ibv_mr *from = ibv_reg_mr(qp_pd, source->addr, SIZE, 0);
	struct ibv_sge sge = { (uintptr_t)source->addr, length, from->lkey };
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.wr.rdma = { iova, mr->lkey },
	}, *bad;
	struct ibv_wc wc = { .status = -1 };
	int tries, n = 0;

	if (!connect_to_init(qp) && !connect_to_init(peer) &&
	    !connect_to(peer, qp->qp_num, port.lid) && !connect_to(qp, peer->qp_num, port.lid) &&
	    !ibv_post_send(qp, &wr, &bad))
		for (tries = 0; !n && tries < 5000; tries++, usleep(1000))
			n = ibv_poll_cq(cq, 1, &wc);
	ibv_destroy_qp(qp);
	ibv_destroy_qp(peer);
	ibv_dereg_mr(from);
	return n == 1 ? (int)wc.status : -1;
}

/* Returns whether a write through @mr reaches @memory. */
static bool reaches(const struct raw_mr *mr, uint64_t iova, void *memory, struct ibv_pd *qp_pd)
{
	int status;

	memset(memory, 0, SIZE);
	status = write_to(mr, iova, qp_pd, SIZE);
	if (status)
		ksft_print_msg("write: %d\n", status);
	return !status && !memcmp(memory, source->addr, SIZE);
}

static bool reg(void *memory, uint32_t access, struct raw_mr *mr)
{
	return !raw_reg_mr(fd, pd->handle, memory, SIZE, (uintptr_t)memory, access, mr);
}

static void test_new_memory(void)
{
	void *a = process_memory(SIZE), *b = process_memory(SIZE);
	struct raw_rereg r;
	struct raw_mr mr, old;
	bool good;

	good = reg(a, RIGHTS, &mr) && reaches(&mr, (uintptr_t)a, a, pd);
	old = mr;
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_TRANSLATION);
	r.start = (uintptr_t)b;
	r.length = SIZE;
	r.hca_va = 0x70000000;
	good = good && !rereg(&mr, r);
	RESULT(good && reaches(&mr, r.hca_va, b, pd), "new memory: writes go to it\n");
	RESULT(write_to(&old, (uintptr_t)a, pd, SIZE) == IBV_WC_REM_ACCESS_ERR,
	       "new memory: the old key is invalid\n");
	RESULT(!raw_dereg_mr(fd, mr.handle) &&
		       write_to(&mr, r.hca_va, pd, SIZE) == IBV_WC_REM_ACCESS_ERR,
	       "new memory: the handle is the same\n");
	munmap(a, SIZE);
	munmap(b, SIZE);
}

static void test_new_rights(void)
{
	void *a = process_memory(SIZE);
	struct raw_rereg r;
	struct raw_mr mr;
	bool good = reg(a, IBV_ACCESS_LOCAL_WRITE, &mr);

	good = good && write_to(&mr, (uintptr_t)a, pd, SIZE) == IBV_WC_REM_ACCESS_ERR;
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_ACCESS);
	r.access_flags = RIGHTS;
	RESULT(good && !rereg(&mr, r) && reaches(&mr, (uintptr_t)a, a, pd),
	       "new rights: more of them, for the same memory\n");
	r.access_flags = IBV_ACCESS_LOCAL_WRITE;
	RESULT(!rereg(&mr, r) && write_to(&mr, (uintptr_t)a, pd, SIZE) == IBV_WC_REM_ACCESS_ERR,
	       "new rights: fewer\n");
	raw_dereg_mr(fd, mr.handle);
	munmap(a, SIZE);
}

static void test_new_pd(void)
{
	void *a = process_memory(SIZE);
	struct raw_rereg r;
	struct raw_mr mr;
	bool good = reg(a, RIGHTS, &mr);

	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_PD);
	r.pd_handle = other_pd->handle;
	RESULT(good && !rereg(&mr, r) && reaches(&mr, (uintptr_t)a, a, other_pd),
	       "new PD: its QPs write, with the same rights\n");
	RESULT(write_to(&mr, (uintptr_t)a, pd, SIZE) == IBV_WC_REM_ACCESS_ERR,
	       "new PD: QPs of the old PD do not\n");
	raw_dereg_mr(fd, mr.handle);
	munmap(a, SIZE);
}

static void refused(struct raw_mr *mr, void *a, struct raw_rereg r, int expected, const char *what)
{
	const struct raw_mr before = *mr;
	int ret = rereg(mr, r);

	RESULT(ret == -expected && mr->lkey == before.lkey && reaches(mr, (uintptr_t)a, a, pd),
	       "refused: %s: %d, and the region is as it was\n", what, ret);
}

static void test_refused(void)
{
	void *a = process_memory(SIZE);
	struct raw_rereg r;
	struct raw_mr mr;

	if (!reg(a, RIGHTS, &mr))
		ksft_exit_fail_msg("no region\n");
	refused(&mr, a, rereg_of(&mr, 0), EINVAL, "nothing new");
	refused(&mr, a, rereg_of(&mr, 0x80), EOPNOTSUPP, "an unknown flag");
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_TRANSLATION);
	r.start = r.hca_va = (uintptr_t)a;
	refused(&mr, a, r, EINVAL, "no bytes");
	r.length = SIZE;
	r.hca_va++;
	refused(&mr, a, r, EINVAL, "an address that is not where the memory's is in a page");
	r.start = r.hca_va = PROCESS_PAGE;
	refused(&mr, a, r, EFAULT, "memory that is not there");
	r.start = (uintptr_t)a;
	r.hca_va = -(uint64_t)PROCESS_PAGE;
	refused(&mr, a, r, EINVAL, "addresses beyond 2^64");
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_ACCESS);
	r.access_flags = IBV_ACCESS_REMOTE_WRITE;
	refused(&mr, a, r, EINVAL, "remote write without local");
	r.access_flags = IBV_ACCESS_ON_DEMAND;
	refused(&mr, a, r, EOPNOTSUPP, "on demand");
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_PD);
	r.pd_handle = 0x7777;
	refused(&mr, a, r, ENOENT, "a PD that does not exist");
	raw_dereg_mr(fd, mr.handle);
	RESULT(rereg(&mr, rereg_of(&mr, IBV_REREG_MR_CHANGE_ACCESS)) == -ENOENT,
	       "refused: a region that does not exist\n");
	munmap(a, SIZE);
}

/* A region that contains the ring of a CQ cannot be changed. */
static void test_ring(void)
{
	void *ring = process_memory(PROCESS_PAGE), *b = process_memory(PROCESS_PAGE);
	struct raw_rereg r;
	struct raw_pd own;
	struct raw_mr mr;
	struct raw_cq c;
	int busy, after;

	if (raw_alloc_pd(fd, &own) ||
	    raw_reg_mr(fd, own.handle, ring, PROCESS_PAGE, 0, IBV_ACCESS_LOCAL_WRITE, &mr) ||
	    raw_create_cq(fd, 63, mr.lkey, own.pdn, &c))
		ksft_exit_fail_msg("no CQ in a region\n");
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_TRANSLATION);
	r.start = (uintptr_t)b;
	r.length = PROCESS_PAGE;
	busy = rereg(&mr, r);
	raw_destroy_cq(fd, c.handle);
	after = rereg(&mr, r);
	RESULT(busy == -EBUSY && !after, "a CQ's ring: %d, and %d after the CQ\n", busy, after);
	RESULT(!raw_create_cq(fd, 63, mr.lkey, own.pdn, &c) && !raw_destroy_cq(fd, c.handle),
	       "a CQ's ring: a CQ is made in the new memory\n");
	raw_dereg_mr(fd, mr.handle);
	raw_dealloc_pd(fd, own.handle);
	munmap(ring, PROCESS_PAGE);
	munmap(b, PROCESS_PAGE);
}

/*
 * Nobody waits for the registration of a QP's ring. While it is outstanding, the hardware refuses
 * the region that is to replace it. The model reports a second registration as a violation.
 */
static void test_ring_on_its_way(void)
{
	void *ring = process_memory(SIZE), *b = process_memory(SIZE);
	struct raw_rereg r;
	struct raw_mr mr;
	bool good;
	int ret;

	good = model_fault("delay,on=cmd,op=SW2HW_MPT,count=1,time=1s") &&
	       model_fault("status,on=cmd,op=SW2HW_MPT,after=1,count=1,status=3") &&
	       !raw_reg_mr(fd, pd->handle, ring, SIZE, 0, 0, &mr);
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_TRANSLATION | IBV_REREG_MR_CHANGE_ACCESS);
	r.start = r.hca_va = (uintptr_t)b;
	r.length = SIZE;
	r.access_flags = RIGHTS;
	ret = good ? rereg(&mr, r) : -EPROTO;
	model_fault(NULL);
	RESULT(ret == -EINVAL, "a QP's ring, not registered yet: %d\n", ret);
	ret = rereg(&mr, r);
	RESULT(!ret && reaches(&mr, r.hca_va, b, pd), "a QP's ring: afterwards: %d\n", ret);
	raw_dereg_mr(fd, mr.handle);
	munmap(ring, SIZE);
	munmap(b, SIZE);
}

/* ---- dma-buf ---- */

static void test_dmabuf_refused(int buf)
{
	struct raw_mr mr;

	RESULT(reg_dmabuf(-1, 0, SIZE, 0, RIGHTS, &mr) == -EBADF,
	       "dma-buf: an invalid descriptor is refused\n");
	RESULT(reg_dmabuf(fd, 0, SIZE, 0, RIGHTS, &mr) == -EINVAL,
	       "dma-buf: another file is refused\n");
	RESULT(reg_dmabuf(buf, PROCESS_PAGE, SIZE, 0, RIGHTS, &mr) == -EINVAL,
	       "dma-buf: a range beyond its end is refused\n");
	RESULT(reg_dmabuf(buf, 0, 0, 0, RIGHTS, &mr) == -EINVAL,
	       "dma-buf: a length of 0 is refused\n");
	RESULT(reg_dmabuf(buf, 1, PROCESS_PAGE, 0, RIGHTS, &mr) == -EINVAL,
	       "dma-buf: offset and address at different places of a page are refused\n");
	RESULT(reg_dmabuf(buf, 0, SIZE, 0, IBV_ACCESS_REMOTE_WRITE, &mr) == -EINVAL,
	       "dma-buf: remote write without local write is refused\n");
	RESULT(reg_dmabuf(buf, 0, SIZE, 0, RIGHTS | IBV_ACCESS_ON_DEMAND, &mr) == -EINVAL,
	       "dma-buf: on-demand paging is refused\n");
}

static void test_dmabuf(void)
{
	struct raw_rereg r;
	void *memory, *b = process_memory(SIZE);
	int buf = process_dmabuf(SIZE, &memory), ret;
	struct raw_mr mr;

	if (buf < 0) {
		ksft_test_result_skip("dma-buf: this kernel has no udmabuf\n");
		return;
	}
	test_dmabuf_refused(buf);
	ret = reg_dmabuf(buf, 0, SIZE, 0x50000000, RIGHTS, &mr);
	RESULT(!ret && reaches(&mr, 0x50000000, memory, pd), "dma-buf: a peer writes to it: %d\n",
	       ret);
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_ACCESS);
	r.access_flags = IBV_ACCESS_LOCAL_WRITE;
	ret = rereg(&mr, r);
	RESULT(ret == -EOPNOTSUPP && reaches(&mr, 0x50000000, memory, pd),
	       "dma-buf: other rights need other memory: %d\n", ret);
	close(buf);
	RESULT(reaches(&mr, 0x50000000, memory, pd), "dma-buf: stays when its file is closed\n");
	r = rereg_of(&mr, IBV_REREG_MR_CHANGE_TRANSLATION);
	r.start = r.hca_va = (uintptr_t)b;
	r.length = SIZE;
	RESULT(!rereg(&mr, r) && reaches(&mr, r.hca_va, b, pd),
	       "dma-buf: the process's memory takes its place\n");
	raw_dereg_mr(fd, mr.handle);
	munmap(memory, SIZE);
	munmap(b, SIZE);
}

int main(void)
{
	uint32_t *words;
	int i;

	ksft_print_header();
	context = process_open();
	if (!context || !process_driver_is(context, "ib_tavor"))
		ksft_exit_skip("no device of ib_tavor\n");
	fd = context->cmd_fd;
	pd = ibv_alloc_pd(context);
	other_pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 64, NULL, NULL, 0);
	words = process_memory(SIZE);
	for (i = 0; i < SIZE / 4; i++)
		words[i] = i * 2654435761U;
	source = pd ? ibv_reg_mr(pd, words, SIZE, 0) : NULL;
	if (!other_pd || !cq || !source || ibv_query_port(context, 1, &port))
		ksft_exit_fail_msg("no objects\n");
	test_new_memory();
	test_new_rights();
	test_new_pd();
	test_refused();
	test_ring();
	test_ring_on_its_way();
	test_dmabuf();
	RESULT(!model_violations(), "the HCA has recorded no violation\n");
	ksft_set_plan(ksft_test_num());
	ksft_finished();
}
