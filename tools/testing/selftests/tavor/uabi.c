// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Timeout: 300
// Level: ci
//
// Tests that ib_tavor refuses invalid input through its user ABI: raw keys and domain numbers of
// other processes, invalid sizes, destroys in the wrong order, and mappings that the process does
// not own. The errno is EINVAL unless the test says otherwise, and nothing is left behind. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/uabi

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "kselftest_harness.h"
#include "raw.h"

#define PAGE 4096
#define BUFFER (16 * PAGE)
#define WRITE IBV_ACCESS_LOCAL_WRITE

static struct ibv_context *open_first(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = list && list[0] ? ibv_open_device(list[0]) : NULL;

	if (list)
		ibv_free_device_list(list);
	return context;
}

static void *buffer(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Two processes (as far as the kernel knows), each with a PD and a buffer for queues. */
struct side {
	struct ibv_context *context;
	int fd;
	struct raw_pd pd;
	struct raw_mr mr;
	void *memory;
};

static int side_open(struct side *side)
{
	side->context = open_first();
	if (!side->context)
		return -ENODEV;
	side->fd = side->context->cmd_fd;
	side->memory = buffer(BUFFER);
	return raw_alloc_pd(side->fd, &side->pd) ?:
		       raw_reg_mr(side->fd, side->pd.handle, side->memory, BUFFER, 0, WRITE,
				  &side->mr);
}

FIXTURE(uabi)
{
	struct side own, other;
	struct raw_cq cq;
};

FIXTURE_SETUP(uabi)
{
	struct ibv_device **list = ibv_get_device_list(NULL);

	if (!list || !list[0])
		SKIP(return, "there is no RDMA device");
	ibv_free_device_list(list);
	ASSERT_EQ(0, side_open(&self->own));
	ASSERT_EQ(0, side_open(&self->other));
}

/* Closing the contexts must work, whatever a test has left in them. */
FIXTURE_TEARDOWN(uabi)
{
	if (self->own.context)
		EXPECT_EQ(0, ibv_close_device(self->own.context));
	if (self->other.context)
		EXPECT_EQ(0, ibv_close_device(self->other.context));
}

#define CREATE_CQ(cqe, lkey, pdn) raw_create_cq(self->own.fd, cqe, lkey, pdn, &self->cq)

TEST_F(uabi, cq_of_own_domain_and_region)
{
	ASSERT_EQ(0, CREATE_CQ(255, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(255, self->cq.cqe);
	EXPECT_EQ(0, raw_destroy_cq(self->own.fd, self->cq.handle));
}

TEST_F(uabi, cq_sizes_are_rounded_up_to_what_libmthca_masks_with)
{
	ASSERT_EQ(0, CREATE_CQ(100, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(127, self->cq.cqe);
}

TEST_F(uabi, cq_in_the_domain_of_another_process)
{
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->own.mr.lkey, self->other.pd.pdn));
}

TEST_F(uabi, cq_in_the_memory_of_another_process)
{
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->other.mr.lkey, self->own.pd.pdn));
}

TEST_F(uabi, cq_with_domain_and_memory_of_another_process)
{
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->other.mr.lkey, self->other.pd.pdn));
}

TEST_F(uabi, cq_whose_region_is_of_another_own_domain)
{
	struct raw_pd second;

	ASSERT_EQ(0, raw_alloc_pd(self->own.fd, &second));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->own.mr.lkey, second.pdn));
}

TEST_F(uabi, cq_with_numbers_nobody_has)
{
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->own.mr.lkey, 0xfffff0));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->own.mr.lkey, 0xffffffff));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, 0, self->own.pd.pdn));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, 0xdeadbeef, self->own.pd.pdn));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->own.mr.lkey ^ 0x100, self->own.pd.pdn));
}

TEST_F(uabi, cq_with_a_domain_that_is_gone)
{
	struct raw_pd gone;

	ASSERT_EQ(0, raw_alloc_pd(self->own.fd, &gone));
	ASSERT_EQ(0, raw_dealloc_pd(self->own.fd, gone.handle));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->own.mr.lkey, gone.pdn));
}

TEST_F(uabi, cq_with_a_region_that_is_gone)
{
	ASSERT_EQ(0, raw_dereg_mr(self->own.fd, self->own.mr.handle));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, self->own.mr.lkey, self->own.pd.pdn));
}

TEST_F(uabi, cq_larger_than_its_region)
{
	/* 2048 entries of 32 bytes fill the buffer; 4096 do not fit. */
	EXPECT_EQ(-EINVAL, CREATE_CQ(4095, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(0, CREATE_CQ(2047, self->own.mr.lkey, self->own.pd.pdn));
}

TEST_F(uabi, cq_in_a_region_the_hardware_may_not_write)
{
	struct raw_mr readonly;

	ASSERT_EQ(0, raw_reg_mr(self->own.fd, self->own.pd.handle, self->own.memory, BUFFER, 0, 0,
				&readonly));
	EXPECT_EQ(-EINVAL, CREATE_CQ(255, readonly.lkey, self->own.pd.pdn));
}

TEST_F(uabi, cq_of_no_or_too_many_entries)
{
	struct ibv_device_attr attr;

	ASSERT_EQ(0, ibv_query_device(self->own.context, &attr));
	EXPECT_EQ(-EINVAL, CREATE_CQ(0, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(-EINVAL, CREATE_CQ(attr.max_cqe + 1, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(-EINVAL, CREATE_CQ(0x7fffffff, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(-EINVAL, CREATE_CQ(0xffffffff, self->own.mr.lkey, self->own.pd.pdn));
}

TEST_F(uabi, cq_command_that_is_too_short)
{
	size_t missing;

	for (missing = 4; missing <= sizeof(struct mthca_create_cq); missing += 4)
		EXPECT_NE(0, raw_create_cq_short(self->own.fd, 255, self->own.mr.lkey,
						 self->own.pd.pdn, missing, &self->cq));
}

TEST_F(uabi, cq_pins_its_domain_and_region)
{
	ASSERT_EQ(0, CREATE_CQ(255, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(-EBUSY, raw_dereg_mr(self->own.fd, self->own.mr.handle));
	EXPECT_EQ(-EBUSY, raw_dealloc_pd(self->own.fd, self->own.pd.handle));
	EXPECT_EQ(0, raw_destroy_cq(self->own.fd, self->cq.handle));
	EXPECT_EQ(0, raw_dereg_mr(self->own.fd, self->own.mr.handle));
	EXPECT_EQ(0, raw_dealloc_pd(self->own.fd, self->own.pd.handle));
}

TEST_F(uabi, resize_cq_moves_what_it_pins)
{
	struct raw_mr second;
	uint32_t cqe;

	ASSERT_EQ(0, raw_reg_mr(self->own.fd, self->own.pd.handle, buffer(BUFFER), BUFFER, 0, WRITE,
				&second));
	ASSERT_EQ(0, CREATE_CQ(127, self->own.mr.lkey, self->own.pd.pdn));
	ASSERT_EQ(0, raw_resize_cq(self->own.fd, self->cq.handle, 1023, second.lkey, &cqe));
	EXPECT_EQ(1023, cqe);
	EXPECT_EQ(0, raw_dereg_mr(self->own.fd, self->own.mr.handle));
	EXPECT_EQ(-EBUSY, raw_dereg_mr(self->own.fd, second.handle));
	EXPECT_EQ(0, raw_destroy_cq(self->own.fd, self->cq.handle));
	EXPECT_EQ(0, raw_dereg_mr(self->own.fd, second.handle));
}

TEST_F(uabi, resize_cq_into_memory_of_another_process)
{
	uint32_t cqe;

	ASSERT_EQ(0, CREATE_CQ(127, self->own.mr.lkey, self->own.pd.pdn));
	EXPECT_EQ(-EINVAL,
		  raw_resize_cq(self->own.fd, self->cq.handle, 1023, self->other.mr.lkey, &cqe));
	EXPECT_EQ(-EINVAL, raw_resize_cq(self->own.fd, self->cq.handle, 1023, 0xdeadbeef, &cqe));
	EXPECT_EQ(-EINVAL,
		  raw_resize_cq(self->own.fd, self->cq.handle, 0, self->own.mr.lkey, &cqe));
	EXPECT_EQ(-EINVAL, raw_resize_cq(self->own.fd, self->cq.handle, 0xffffffff,
					 self->own.mr.lkey, &cqe));
}

/* A valid request for a QP; tests spoil it. */
static struct raw_qp_in qp_request(const struct side *side, const struct raw_cq *cq)
{
	return (struct raw_qp_in){
		.pd = side->pd.handle,
		.send_cq = cq->handle,
		.recv_cq = cq->handle,
		.lkey = side->mr.lkey,
		.send_wr = 17,
		.recv_wr = 33,
		.send_sge = 1,
		.recv_sge = 1,
		.type = IBV_QPT_RC,
	};
}

FIXTURE(uabi_qp)
{
	struct side own, other;
	struct raw_cq cq;
	struct raw_qp qp;
	struct raw_qp_in in;
};

FIXTURE_SETUP(uabi_qp)
{
	struct raw_mr cq_mr;
	struct ibv_device **list = ibv_get_device_list(NULL);

	if (!list || !list[0])
		SKIP(return, "there is no RDMA device");
	ibv_free_device_list(list);
	ASSERT_EQ(0, side_open(&self->own));
	ASSERT_EQ(0, side_open(&self->other));
	ASSERT_EQ(0, raw_reg_mr(self->own.fd, self->own.pd.handle, buffer(BUFFER), BUFFER, 0, WRITE,
				&cq_mr));
	ASSERT_EQ(0, raw_create_cq(self->own.fd, 255, cq_mr.lkey, self->own.pd.pdn, &self->cq));
	self->in = qp_request(&self->own, &self->cq);
}

FIXTURE_TEARDOWN(uabi_qp)
{
	if (self->own.context)
		EXPECT_EQ(0, ibv_close_device(self->own.context));
	if (self->other.context)
		EXPECT_EQ(0, ibv_close_device(self->other.context));
}

#define CREATE_QP() raw_create_qp(self->own.fd, &self->in, &self->qp)

TEST_F(uabi_qp, echoes_what_was_asked)
{
	ASSERT_EQ(0, CREATE_QP());
	EXPECT_EQ(17, self->qp.caps.max_send_wr);
	EXPECT_EQ(33, self->qp.caps.max_recv_wr);
	EXPECT_LE(1, self->qp.caps.max_send_sge);
	EXPECT_LE(1, self->qp.caps.max_recv_sge);
	EXPECT_EQ(0, raw_destroy_qp(self->own.fd, self->qp.handle));
}

TEST_F(uabi_qp, memory_of_another_process)
{
	self->in.lkey = self->other.mr.lkey;
	EXPECT_EQ(-EINVAL, CREATE_QP());
}

/* libmthca registers a region for queues in this way, and the driver does not wait for it. */
static int reg_ring(const struct side *side, struct raw_mr *ring)
{
	return raw_reg_mr(side->fd, side->pd.handle, buffer(BUFFER), BUFFER, 0, 0, ring);
}

TEST_F(uabi_qp, ring_of_another_process)
{
	struct raw_mr ring;

	ASSERT_EQ(0, reg_ring(&self->other, &ring));
	self->in.lkey = ring.lkey;
	EXPECT_EQ(-EINVAL, CREATE_QP());
	ASSERT_EQ(0, raw_dereg_mr(self->other.fd, ring.handle));
	EXPECT_EQ(-EINVAL, CREATE_QP());
	ASSERT_EQ(0, reg_ring(&self->own, &ring));
	self->in.lkey = ring.lkey;
	EXPECT_EQ(0, CREATE_QP());
}

TEST_F(uabi_qp, region_nobody_has)
{
	self->in.lkey = 0xdeadbeef;
	EXPECT_EQ(-EINVAL, CREATE_QP());
	self->in.lkey = 0;
	EXPECT_EQ(-EINVAL, CREATE_QP());
}

TEST_F(uabi_qp, region_of_another_own_domain)
{
	struct raw_pd second;

	ASSERT_EQ(0, raw_alloc_pd(self->own.fd, &second));
	self->in.pd = second.handle;
	EXPECT_EQ(-EINVAL, CREATE_QP());
}

TEST_F(uabi_qp, queues_larger_than_their_region)
{
	self->in.send_wr = 4096;
	EXPECT_EQ(-EINVAL, CREATE_QP());
}

TEST_F(uabi_qp, sizes_that_make_no_sense)
{
	struct raw_qp_in good = self->in;

	self->in.send_wr = 0x7fffffff;
	EXPECT_EQ(-EINVAL, CREATE_QP());
	self->in = good;
	self->in.recv_wr = 0xffffffff;
	EXPECT_EQ(-EINVAL, CREATE_QP());
	self->in = good;
	self->in.send_sge = 10000;
	EXPECT_EQ(-EINVAL, CREATE_QP());
	self->in = good;
	self->in.recv_sge = 0xffffffff;
	EXPECT_EQ(-EINVAL, CREATE_QP());
	self->in = good;
	self->in.inline_data = 0x10000000;
	EXPECT_EQ(-EINVAL, CREATE_QP());
}

TEST_F(uabi_qp, types_the_device_does_not_have)
{
	self->in.type = IBV_QPT_RAW_PACKET;
	EXPECT_GT(0, CREATE_QP());
	self->in.type = 0;
	EXPECT_GT(0, CREATE_QP());
	self->in.type = 1;
	EXPECT_GT(0, CREATE_QP());
	self->in.type = IBV_QPT_XRC_SEND;
	EXPECT_GT(0, CREATE_QP());
	self->in.type = 0xff;
	EXPECT_GT(0, CREATE_QP());
}

TEST_F(uabi_qp, command_that_is_too_short)
{
	for (self->in.missing = 4; self->in.missing <= sizeof(struct mthca_create_qp);
	     self->in.missing += 4)
		EXPECT_NE(0, CREATE_QP());
}

TEST_F(uabi_qp, handles_of_another_process)
{
	self->in.pd = 0x7fff;
	EXPECT_GT(0, CREATE_QP());
	self->in.pd = self->own.pd.handle;
	self->in.send_cq = 0x7fff;
	EXPECT_GT(0, CREATE_QP());
}

TEST_F(uabi_qp, pins_queue_domain_and_region)
{
	ASSERT_EQ(0, CREATE_QP());
	EXPECT_EQ(-EBUSY, raw_destroy_cq(self->own.fd, self->cq.handle));
	EXPECT_EQ(-EBUSY, raw_dereg_mr(self->own.fd, self->own.mr.handle));
	EXPECT_EQ(-EBUSY, raw_dealloc_pd(self->own.fd, self->own.pd.handle));
	EXPECT_EQ(0, raw_destroy_qp(self->own.fd, self->qp.handle));
	EXPECT_EQ(0, raw_dereg_mr(self->own.fd, self->own.mr.handle));
	EXPECT_EQ(0, raw_destroy_cq(self->own.fd, self->cq.handle));
}

TEST_F(uabi_qp, destroyed_twice)
{
	ASSERT_EQ(0, CREATE_QP());
	EXPECT_EQ(0, raw_destroy_qp(self->own.fd, self->qp.handle));
	EXPECT_GT(0, raw_destroy_qp(self->own.fd, self->qp.handle));
}

TEST_F(uabi_qp, numbers_of_living_qps_differ_where_libmthca_looks)
{
	/* libmthca finds a QP by the low bits of its number. */
	enum { COUNT = 20 };
	struct raw_qp qp[COUNT];
	int i, j;

	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(0, raw_create_qp(self->own.fd, &self->in, &qp[i]));
		for (j = 0; j < i; j++)
			EXPECT_NE(qp[j].qpn & 0xff, qp[i].qpn & 0xff);
	}
}

TEST_F(uabi, srq_of_another_process)
{
	struct raw_srq srq;

	EXPECT_EQ(0, raw_create_srq(self->own.fd, self->own.pd.handle, 100, 1, self->own.mr.lkey,
				    &srq));
	EXPECT_EQ(100, srq.max_wr);
	EXPECT_EQ(-EBUSY, raw_dereg_mr(self->own.fd, self->own.mr.handle));
	EXPECT_EQ(0, raw_destroy_srq(self->own.fd, srq.handle));
	EXPECT_EQ(-EINVAL, raw_create_srq(self->own.fd, self->own.pd.handle, 100, 1,
					  self->other.mr.lkey, &srq));
	EXPECT_EQ(-EINVAL,
		  raw_create_srq(self->own.fd, self->own.pd.handle, 100, 1, 0xdeadbeef, &srq));
	EXPECT_EQ(-EINVAL, raw_create_srq(self->own.fd, self->own.pd.handle, 0x7fffffff, 1,
					  self->own.mr.lkey, &srq));
	EXPECT_EQ(-EINVAL, raw_create_srq(self->own.fd, self->own.pd.handle, 100, 10000,
					  self->own.mr.lkey, &srq));
	EXPECT_EQ(-EINVAL, raw_create_srq(self->own.fd, self->own.pd.handle, 4000, 1,
					  self->own.mr.lkey, &srq));
}

TEST_F(uabi, srq_in_a_ring_of_another_process)
{
	struct raw_mr ring;
	struct raw_srq srq;

	ASSERT_EQ(0, reg_ring(&self->other, &ring));
	EXPECT_EQ(-EINVAL,
		  raw_create_srq(self->own.fd, self->own.pd.handle, 100, 1, ring.lkey, &srq));
	ASSERT_EQ(0, reg_ring(&self->own, &ring));
	EXPECT_EQ(0, raw_create_srq(self->own.fd, self->own.pd.handle, 100, 1, ring.lkey, &srq));
}

/* IPoIB's connected mode needs 17. */
TEST_F(uabi, srq_of_as_many_segments_as_are_offered)
{
	struct ibv_device_attr attr;
	struct raw_srq srq;

	ASSERT_EQ(0, ibv_query_device(self->own.context, &attr));
	EXPECT_LE(17, attr.max_srq_sge);
	EXPECT_EQ(0, raw_create_srq(self->own.fd, self->own.pd.handle, 100, attr.max_srq_sge,
				    self->own.mr.lkey, &srq));
	EXPECT_EQ(-EINVAL, raw_create_srq(self->own.fd, self->own.pd.handle, 100,
					  attr.max_srq_sge + 1, self->own.mr.lkey, &srq));
}

TEST_F(uabi, regions_that_make_no_sense)
{
	const uint32_t pd = self->own.pd.handle;
	void *readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct raw_mr mr;

	EXPECT_GT(0, raw_reg_mr(self->own.fd, pd, self->own.memory, 0, 0, WRITE, &mr));
	EXPECT_GT(0, raw_reg_mr(self->own.fd, pd, self->own.memory, ~0ULL,
				(uintptr_t)self->own.memory, WRITE, &mr));
	EXPECT_GT(0, raw_reg_mr(self->own.fd, pd, self->own.memory, 1ULL << 60,
				(uintptr_t)self->own.memory, WRITE, &mr));
	EXPECT_GT(0, raw_reg_mr(self->own.fd, pd, readonly, PAGE, (uintptr_t)readonly, WRITE, &mr));
	EXPECT_GT(0, raw_reg_mr(self->own.fd, pd, (void *)8, PAGE, 8, WRITE, &mr));
	/* Remote write access requires local write access. */
	EXPECT_EQ(-EINVAL, raw_reg_mr(self->own.fd, pd, self->own.memory, PAGE, 0,
				      IBV_ACCESS_REMOTE_WRITE, &mr));
	/* There is no on-demand paging. */
	EXPECT_GT(0, raw_reg_mr(self->own.fd, pd, self->own.memory, PAGE, 0,
				WRITE | IBV_ACCESS_ON_DEMAND, &mr));
}

static void *map(int fd, size_t size, int protection, int flags, off_t offset)
{
	void *memory = mmap(NULL, size, protection, flags, fd, offset);

	return memory == MAP_FAILED ? NULL : memory;
}

TEST_F(uabi, mappings_of_anything_but_the_doorbell_page)
{
	const int fd = self->own.fd;

	EXPECT_NE(NULL, map(fd, PAGE, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(NULL, map(fd, 2 * PAGE, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(NULL, map(fd, PAGE, PROT_WRITE, MAP_SHARED, PAGE));
	EXPECT_EQ(NULL, map(fd, PAGE, PROT_WRITE, MAP_SHARED, 1LL << 40));
	EXPECT_EQ(NULL, map(fd, PAGE, PROT_WRITE, MAP_PRIVATE, 0));
}

TEST_F(uabi, modify_qp_that_makes_no_sense)
{
	struct ibv_pd *pd = ibv_alloc_pd(self->own.context);
	struct ibv_cq *cq = ibv_create_cq(self->own.context, 10, NULL, NULL, 0);
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	const int to_init = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS;
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RTS };
	struct ibv_qp *qp;

	ASSERT_NE(NULL, pd);
	ASSERT_NE(NULL, cq);
	qp = ibv_create_qp(pd, &init);
	ASSERT_NE(NULL, qp);
	EXPECT_EQ(EINVAL, ibv_modify_qp(qp, &attr, IBV_QP_STATE));
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_INIT, .port_num = 0 };
	EXPECT_EQ(EINVAL, ibv_modify_qp(qp, &attr, to_init));
	attr.port_num = 3;
	EXPECT_EQ(EINVAL, ibv_modify_qp(qp, &attr, to_init));
	attr.port_num = 1;
	attr.pkey_index = 9999;
	EXPECT_EQ(EINVAL, ibv_modify_qp(qp, &attr, to_init));
	attr.pkey_index = 0;
	EXPECT_EQ(EINVAL, ibv_modify_qp(qp, &attr, IBV_QP_STATE));
	EXPECT_EQ(0, ibv_modify_qp(qp, &attr, to_init));
	EXPECT_EQ(0, ibv_destroy_qp(qp));
	EXPECT_EQ(0, ibv_destroy_cq(cq));
	EXPECT_EQ(0, ibv_dealloc_pd(pd));
}

TEST_F(uabi, multicast_that_makes_no_sense)
{
	struct ibv_pd *pd = ibv_alloc_pd(self->own.context);
	struct ibv_cq *cq = ibv_create_cq(self->own.context, 10, NULL, NULL, 0);
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = IBV_QPT_UD,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	union ibv_gid unicast = { .raw = { 0xfe, 0x80 } },
		      group = { .raw = { 0xff, 0x12, [15] = 7 } };
	struct ibv_qp *ud, *rc;

	ASSERT_NE(NULL, pd);
	ASSERT_NE(NULL, cq);
	ud = ibv_create_qp(pd, &init);
	init.qp_type = IBV_QPT_RC;
	rc = ibv_create_qp(pd, &init);
	ASSERT_NE(NULL, ud);
	ASSERT_NE(NULL, rc);
	EXPECT_EQ(EINVAL, ibv_attach_mcast(ud, &unicast, 0xc001));
	EXPECT_EQ(EINVAL, ibv_attach_mcast(ud, &group, 0x0001));
	EXPECT_EQ(EINVAL, ibv_attach_mcast(rc, &group, 0xc001));
	EXPECT_NE(0, ibv_detach_mcast(ud, &group, 0xc001));
	EXPECT_EQ(0, ibv_attach_mcast(ud, &group, 0xc001));
	EXPECT_EQ(EBUSY, ibv_destroy_qp(ud));
	EXPECT_EQ(0, ibv_detach_mcast(ud, &group, 0xc001));
	EXPECT_EQ(0, ibv_destroy_qp(ud));
	EXPECT_EQ(0, ibv_destroy_qp(rc));
}

/* A process opens the device, creates objects without end, and is killed meanwhile. */
static void make_objects(void)
{
	struct side side;
	struct raw_cq cq;
	struct raw_qp qp;
	struct raw_qp_in in;
	struct raw_mr mr;

	if (side_open(&side))
		_exit(1);
	if (raw_reg_mr(side.fd, side.pd.handle, buffer(BUFFER), BUFFER, 0, WRITE, &mr) ||
	    raw_create_cq(side.fd, 255, mr.lkey, side.pd.pdn, &cq))
		_exit(2);
	in = qp_request(&side, &cq);
	for (;;) {
		if (raw_create_qp(side.fd, &in, &qp) || raw_create_qp(side.fd, &in, &qp) ||
		    raw_destroy_qp(side.fd, qp.handle))
			pause();
	}
}

TEST_F(uabi, processes_killed_in_the_midst_of_it)
{
	int round, status;
	pid_t pid;

	for (round = 0; round < 10; round++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			make_objects();
		usleep(20000 + 10000 * round);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	EXPECT_EQ(0, CREATE_CQ(255, self->own.mr.lkey, self->own.pd.pdn));
}

TEST_HARNESS_MAIN
