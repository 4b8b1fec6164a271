// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Memory windows of type 1. libmthca has none, so these are the commands of uverbs, and the work
// requests that bind windows are written into the send queue of a QP that libmthca does not know.
// RDMA between two QPs of libmthca shows what a window allows. mw.sh runs this program. With the
// argument "none" it expects an HCA without windows.

#include <endian.h>
#include <signal.h>
#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"
#include "raw.h"

#define PAGES 4
#define SIZE (PAGES * PROCESS_PAGE)
#define FIRST 0x70000000ULL	    /* the region's first address */
#define PART (FIRST + PROCESS_PAGE) /* what is bound */
#define LATE_MS 1500		    /* between once and twice the driver's cmd_timeout_ms */

#define READ IBV_ACCESS_REMOTE_READ
#define WRITE IBV_ACCESS_REMOTE_WRITE
#define LOCAL IBV_ACCESS_LOCAL_WRITE
#define BIND IBV_ACCESS_MW_BIND

#define RESULT(condition, ...) ksft_test_result(condition, __VA_ARGS__)

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_mr *source;
static struct ibv_port_attr port;
static struct ibv_device_attr attr;
static char *memory;
static uint32_t keys; /* num_mpt of the device */
static int fd;

/* ---- A QP whose send queue this program writes ---- */

#define SENDS 32
#define CQES 64
#define OP_BIND 0x18
#define SEND_DOORBELL 0x10
#define CQ_DOORBELL 0x20
#define CQE_HW 0x80

struct wqe {
	uint32_t nda_op, ee_nds, flags, imm;
	uint32_t access, reserved, rkey, lkey;
	uint64_t address, length;
	uint8_t rest[16];
};

struct cqe {
	uint32_t words[4];
	uint8_t syndrome, vendor, doorbells[2];
	uint32_t length, wqe;
	uint8_t opcode, is_send, reserved;
	volatile uint8_t owner;
};

/* @ring: an unused receive and the sends; the completions are one page further */
struct binder {
	char *ring;
	volatile uint64_t *doorbells;
	struct raw_pd cq_pd;
	struct raw_mr queue, cq_ring;
	struct raw_cq cq;
	struct raw_qp qp;
	uint32_t head, polled;
};

static void ring_doorbell(struct binder *b, uint32_t offset, uint32_t high, uint32_t low)
{
	__sync_synchronize();
	b->doorbells[offset / 8] = htobe64((uint64_t)high << 32 | low);
}

static int binder_modify(const struct binder *b, uint8_t state, uint32_t mask)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_modify_qp core;
	} command = {
		.core.qp_handle = b->qp.handle,
		.core.attr_mask = IBV_QP_STATE | mask,
		.core.qp_state = state,
		.core.port_num = 1,
		.core.path_mtu = IBV_MTU_1024,
		.core.dest_qp_num = b->qp.qpn,
		.core.max_rd_atomic = 1,
		.core.max_dest_rd_atomic = 1,
		.core.min_rnr_timer = 12,
		.core.timeout = 14,
		.core.retry_cnt = 7,
		.core.rnr_retry = 7,
		.core.dest = { .dlid = port.lid, .port_num = 1 },
		.core.alt_dest.port_num = 1,
	};

	return raw_command(fd, IB_USER_VERBS_CMD_MODIFY_QP, &command, sizeof(command), 0);
}

/* The QP is connected to itself: a bind has no effect but a completion. */
static int binder_connect(const struct binder *b)
{
	const uint32_t to_init = IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS;
	const uint32_t to_rtr = IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
				IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
	const uint32_t to_rts = IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC;
	int ret = binder_modify(b, IBV_QPS_INIT, to_init);

	if (!ret)
		ret = binder_modify(b, IBV_QPS_RTR, to_rtr);
	return ret ? ret : binder_modify(b, IBV_QPS_RTS, to_rts);
}

static int binder_open(struct binder *b, uint32_t pd_handle)
{
	struct raw_qp_in in = {
		.pd = pd_handle,
		.send_wr = SENDS,
		.recv_wr = 1,
		.send_sge = 1,
		.recv_sge = 1,
		.type = IBV_QPT_RC,
	};
	struct cqe *cqes;
	int i, ret;

	memset(b, 0, sizeof(*b));
	b->ring = process_memory(2 * PROCESS_PAGE);
	b->doorbells = mmap(NULL, PROCESS_PAGE, PROT_WRITE, MAP_SHARED, fd, 0);
	if (!b->ring || b->doorbells == MAP_FAILED)
		return -errno;
	cqes = (void *)(b->ring + PROCESS_PAGE);
	for (i = 0; i < CQES; i++)
		cqes[i].owner = CQE_HW;
	ret = raw_alloc_pd(fd, &b->cq_pd);
	if (!ret)
		ret = raw_reg_mr(fd, b->cq_pd.handle, cqes, PROCESS_PAGE, 0, LOCAL, &b->cq_ring);
	if (!ret)
		ret = raw_create_cq(fd, CQES - 1, b->cq_ring.lkey, b->cq_pd.pdn, &b->cq);
	if (!ret)
		ret = raw_reg_mr(fd, pd_handle, b->ring, PROCESS_PAGE, 0, 0, &b->queue);
	in.send_cq = in.recv_cq = b->cq.handle;
	in.lkey = b->queue.lkey;
	if (!ret)
		ret = raw_create_qp(fd, &in, &b->qp);
	return ret ? ret : binder_connect(b);
}

static void binder_close(struct binder *b)
{
	if (raw_destroy_qp(fd, b->qp.handle) || raw_dereg_mr(fd, b->queue.handle) ||
	    raw_destroy_cq(fd, b->cq.handle) || raw_dereg_mr(fd, b->cq_ring.handle) ||
	    raw_dealloc_pd(fd, b->cq_pd.handle))
		ksft_print_msg("the QP that binds cannot be destroyed\n");
	munmap(b->ring, 2 * PROCESS_PAGE);
	munmap((void *)b->doorbells, PROCESS_PAGE);
}

/* Returns the syndrome of the next completion, 0 for success, or -1 if none or a wrong one came. */
static int binder_poll(struct binder *b)
{
	struct cqe *cqe = (struct cqe *)(b->ring + PROCESS_PAGE) + b->polled % CQES;
	int tries, ret;

	for (tries = 0; cqe->owner & CQE_HW && tries < 5000; tries++)
		usleep(1000);
	if (cqe->owner & CQE_HW)
		return -1;
	__sync_synchronize();
	ret = cqe->opcode == 0xff ? cqe->syndrome : cqe->opcode == OP_BIND ? 0 : -1;
	cqe->owner = CQE_HW;
	b->polled++;
	ring_doorbell(b, CQ_DOORBELL, 1 << 24 | b->cq.cqn, 0);
	return ret;
}

struct bind {
	uint32_t rkey, lkey, access;
	uint64_t address, length;
};

static int bind(struct binder *b, struct bind to)
{
	uint32_t at = 64 * (1 + b->head++ % SENDS);
	struct wqe *wqe = (struct wqe *)(b->ring + at);

	*wqe = (struct wqe){
		.flags = htobe32(0x9),
		.access = htobe32((to.access & READ ? 1U << 29 : 0) |
				  (to.access & WRITE ? 1U << 30 : 0)),
		.rkey = htobe32(to.rkey),
		.lkey = htobe32(to.lkey),
		.address = htobe64(to.address),
		.length = htobe64(to.length),
	};
	ring_doorbell(b, SEND_DOORBELL, at | 1 << 5 | OP_BIND, b->qp.qpn << 8 | 3);
	return binder_poll(b);
}

static int unbind(struct binder *b, uint32_t rkey, const struct raw_mr *mr)
{
	return bind(b, (struct bind){ rkey, mr->lkey, 0, 0, 0 });
}

/* Binds the page at PART of a region. */
static struct bind part(uint32_t rkey, const struct raw_mr *mr, uint32_t access)
{
	return (struct bind){ rkey, mr->lkey, access, PART, PROCESS_PAGE };
}

static bool opened(struct binder *b, uint32_t pd_handle)
{
	int ret = binder_open(b, pd_handle);

	if (ret)
		ksft_exit_fail_msg("no QP to bind with: %s\n", strerror(-ret));
	return !ret;
}

/* ---- RDMA through a window ---- */

static int to_init(struct ibv_qp *qp)
{
	struct ibv_qp_attr to = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = LOCAL | READ | WRITE,
	};

	return ibv_modify_qp(qp, &to,
			     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
}

/* Returns the status of @opcode between two QPs of the PD, or -1 if no completion came. */
static int rdma(enum ibv_wr_opcode opcode, uint32_t rkey, uint64_t address, uint32_t length)
{
	struct ibv_qp *qp = connect_make(pd, IBV_QPT_RC, cq, cq, 4);
	struct ibv_qp *peer = connect_make(pd, IBV_QPT_RC, cq, cq, 4);
	struct ibv_sge sge = { (uintptr_t)source->addr, length, source->lkey };
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = opcode,
		.wr.rdma = { address, rkey },
	}, *bad;
	struct ibv_wc wc = { .status = -1 };
	int tries, n = 0;

	if (!to_init(qp) && !to_init(peer) && !connect_to(peer, qp->qp_num, port.lid) &&
	    !connect_to(qp, peer->qp_num, port.lid) && !ibv_post_send(qp, &wr, &bad))
		for (tries = 0; !n && tries < 5000; tries++, usleep(1000))
			n = ibv_poll_cq(cq, 1, &wc);
	ibv_destroy_qp(qp);
	ibv_destroy_qp(peer);
	return n == 1 ? (int)wc.status : -1;
}

static void fill(void *at, size_t length, uint32_t seed)
{
	uint32_t *words = at;
	size_t i;

	for (i = 0; i < length / 4; i++)
		words[i] = (seed + i) * 2654435761U;
}

/* Returns whether a write of @length arrives at @address and changes nothing else. */
static bool written(uint32_t rkey, uint64_t address, uint32_t length)
{
	char *at = memory + (address - FIRST), *p;
	int status;

	memset(memory, 0, SIZE);
	fill(source->addr, SIZE, rkey);
	status = rdma(IBV_WR_RDMA_WRITE, rkey, address, length);
	if (status)
		ksft_print_msg("write: %d\n", status);
	if (status || memcmp(at, source->addr, length))
		return false;
	for (p = memory; p < memory + SIZE; p++)
		if (*p && (p < at || p >= at + length))
			return false;
	return true;
}

static bool is_read(uint32_t rkey, uint64_t address, uint32_t length)
{
	int status;

	fill(memory, SIZE, rkey + 1);
	memset(source->addr, 0, SIZE);
	status = rdma(IBV_WR_RDMA_READ, rkey, address, length);
	if (status)
		ksft_print_msg("read: %d\n", status);
	return !status && !memcmp(source->addr, memory + (address - FIRST), length);
}

/* Returns whether @opcode is refused and neither memory has changed. */
static bool is_refused(enum ibv_wr_opcode opcode, uint32_t rkey, uint64_t address, uint32_t length)
{
	int status;

	memset(memory, 0x11, SIZE);
	memset(source->addr, 0x22, SIZE);
	status = rdma(opcode, rkey, address, length);
	if (status != IBV_WC_REM_ACCESS_ERR)
		ksft_print_msg("status %d\n", status);
	return status == IBV_WC_REM_ACCESS_ERR && memory[0] == 0x11 &&
	       !memcmp(memory, memory + 1, SIZE - 1) && ((char *)source->addr)[0] == 0x22 &&
	       !memcmp(source->addr, (char *)source->addr + 1, SIZE - 1);
}

/* ---- Tests ---- */

static bool reg(uint32_t access, struct raw_mr *mr)
{
	return !raw_reg_mr(fd, pd->handle, memory, SIZE, FIRST, access, mr);
}

static bool make(struct raw_mw *mw)
{
	return !raw_alloc_mw(fd, pd->handle, IBV_MW_TYPE_1, mw);
}

static void test_alloc(void)
{
	struct raw_mw a, b, c;
	struct raw_pd own;
	int ret;

	RESULT(attr.device_cap_flags & IBV_DEVICE_MEM_WINDOW && attr.max_mw == attr.max_mr,
	       "the device has %d windows\n", attr.max_mw);
	RESULT(make(&a) && make(&b) && a.rkey && b.rkey && a.rkey != b.rkey && a.handle != b.handle,
	       "two windows have keys of their own\n");
	RESULT(!raw_dealloc_mw(fd, a.handle) && !raw_dealloc_mw(fd, b.handle),
	       "both windows are freed\n");
	ret = raw_dealloc_mw(fd, a.handle);
	RESULT(ret == -ENOENT, "a window is freed only once: %d\n", ret);
	ret = raw_alloc_mw(fd, pd->handle, IBV_MW_TYPE_2, &c);
	RESULT(ret == -EOPNOTSUPP, "a window of type 2 is refused: %d\n", ret);
	ret = raw_alloc_mw(fd, pd->handle, 0, &c);
	RESULT(ret == -EINVAL, "a window without a type is refused: %d\n", ret);
	ret = raw_alloc_mw(fd, 0x7777, IBV_MW_TYPE_1, &c);
	RESULT(ret == -ENOENT, "a PD that does not exist is refused: %d\n", ret);
	if (raw_alloc_pd(fd, &own) || raw_alloc_mw(fd, own.handle, IBV_MW_TYPE_1, &c))
		ksft_exit_fail_msg("no window in a PD\n");
	ret = raw_dealloc_pd(fd, own.handle);
	RESULT(ret == -EBUSY && !raw_dealloc_mw(fd, c.handle) && !raw_dealloc_pd(fd, own.handle),
	       "a PD stays as long as its window: %d\n", ret);
}

static void test_max(void)
{
	struct raw_mw *mw = calloc(keys, sizeof(*mw)), again;
	int n = 0, i, ret = 0, bad = 0;

	while (n < (int)keys && !ret)
		ret = raw_alloc_mw(fd, pd->handle, IBV_MW_TYPE_1, &mw[n++]);
	n--;
	RESULT(ret == -ENOMEM && n <= attr.max_mw && n > attr.max_mw / 2,
	       "%d windows of %d use all keys: %d\n", n, attr.max_mw, ret);
	bad |= raw_dealloc_mw(fd, mw[0].handle);
	RESULT(!bad && make(&again), "a freed key is used again\n");
	bad |= again.rkey == mw[0].rkey || (again.rkey ^ mw[0].rkey) % keys;
	bad |= raw_dealloc_mw(fd, again.handle);
	for (i = 1; i < n; i++)
		bad |= raw_dealloc_mw(fd, mw[i].handle);
	RESULT(!bad, "all are freed, and the key's high bits change\n");
	free(mw);
}

static void test_part(struct binder *b)
{
	struct raw_mr mr;
	struct raw_mw mw;
	const uint64_t end = PART + PROCESS_PAGE;

	if (!reg(LOCAL | BIND, &mr) || !make(&mw))
		ksft_exit_fail_msg("no region\n");
	RESULT(is_refused(IBV_WR_RDMA_WRITE, mw.rkey, PART, 64),
	       "a window that is not bound admits no write\n");
	RESULT(!bind(b, part(mw.rkey, &mr, READ | WRITE)),
	       "a window is bound to a part of a region\n");
	RESULT(written(mw.rkey, PART, PROCESS_PAGE), "write: the whole window\n");
	RESULT(written(mw.rkey, PART + 100, 64), "write: a part of the window\n");
	RESULT(is_read(mw.rkey, PART, PROCESS_PAGE), "read: the whole window\n");
	RESULT(is_refused(IBV_WR_RDMA_WRITE, mw.rkey, PART - 64, 64),
	       "write before the window is refused\n");
	RESULT(is_refused(IBV_WR_RDMA_WRITE, mw.rkey, PART - 4, 64),
	       "write across its start is refused\n");
	RESULT(is_refused(IBV_WR_RDMA_WRITE, mw.rkey, end, 64),
	       "write behind the window is refused\n");
	RESULT(is_refused(IBV_WR_RDMA_WRITE, mw.rkey, end - 60, 64),
	       "write across its end is refused\n");
	RESULT(is_refused(IBV_WR_RDMA_READ, mw.rkey, end - 60, 64),
	       "read across its end is refused\n");
	RESULT(is_refused(IBV_WR_RDMA_WRITE, mr.lkey, PART, 64),
	       "write with the region's own key is refused\n");
	RESULT(!raw_dealloc_mw(fd, mw.handle) && is_refused(IBV_WR_RDMA_WRITE, mw.rkey, PART, 64),
	       "a window that is freed while bound admits no write\n");
	RESULT(!raw_dereg_mr(fd, mr.handle), "the region is deregistered after that\n");
}

static void test_rights(struct binder *b)
{
	struct raw_mr mr;
	struct raw_mw mw;

	if (!reg(LOCAL | BIND, &mr) || !make(&mw))
		ksft_exit_fail_msg("no region\n");
	RESULT(!bind(b, part(mw.rkey, &mr, READ)) && is_read(mw.rkey, PART, 64) &&
		       is_refused(IBV_WR_RDMA_WRITE, mw.rkey, PART, 64),
	       "bound for reads: no writes\n");
	RESULT(!bind(b, part(mw.rkey + keys, &mr, WRITE)) && written(mw.rkey + keys, PART, 64) &&
		       is_refused(IBV_WR_RDMA_READ, mw.rkey + keys, PART, 64),
	       "bound again, for writes: no reads\n");
	RESULT(is_refused(IBV_WR_RDMA_READ, mw.rkey, PART, 64), "the previous key is invalid\n");
	RESULT(!unbind(b, mw.rkey, &mr) && is_refused(IBV_WR_RDMA_WRITE, mw.rkey, PART, 64) &&
		       is_refused(IBV_WR_RDMA_WRITE, mw.rkey + keys, PART, 64),
	       "it is unbound\n");
	RESULT(!raw_dereg_mr(fd, mr.handle), "the region is deregistered after that\n");
	raw_dealloc_mw(fd, mw.handle);
}

static void bind_fails(struct bind to, const char *what)
{
	struct binder b;
	int syndrome;

	opened(&b, pd->handle);
	syndrome = bind(&b, to);
	binder_close(&b);
	RESULT(syndrome == 6, "not bound: %s: %#x\n", what, syndrome);
}

static void test_not_bound(void)
{
	struct raw_mr mr, plain, readonly, foreign;
	struct raw_mw mw, foreign_mw;
	struct raw_pd own;
	struct bind to;

	if (!reg(LOCAL | BIND, &mr) || !reg(LOCAL | READ | WRITE, &plain) ||
	    !reg(BIND, &readonly) || !make(&mw) || raw_alloc_pd(fd, &own) ||
	    raw_reg_mr(fd, own.handle, memory, SIZE, FIRST, LOCAL | BIND, &foreign) ||
	    raw_alloc_mw(fd, own.handle, IBV_MW_TYPE_1, &foreign_mw))
		ksft_exit_fail_msg("no regions\n");
	bind_fails(part(mw.rkey, &plain, READ), "the region may not be bound to");
	bind_fails(part(mw.rkey, &readonly, WRITE), "writes, but the region may not be written");
	to = part(mw.rkey, &mr, READ);
	to.address = FIRST + SIZE - PROCESS_PAGE + 4;
	bind_fails(to, "beyond the region");
	bind_fails(part(mw.rkey, &foreign, READ), "a region of another PD");
	bind_fails(part(foreign_mw.rkey, &mr, READ), "a window of another PD");
	RESULT(!raw_dereg_mr(fd, mr.handle) && !raw_dereg_mr(fd, plain.handle) &&
		       !raw_dereg_mr(fd, readonly.handle) && !raw_dereg_mr(fd, foreign.handle) &&
		       !raw_dealloc_mw(fd, mw.handle) && !raw_dealloc_mw(fd, foreign_mw.handle) &&
		       !raw_dealloc_pd(fd, own.handle),
	       "not bound: nothing is in use\n");
}

static void test_access(void)
{
	struct raw_mr mr;
	int ret = raw_reg_mr(fd, pd->handle, memory, SIZE, FIRST, WRITE | BIND, &mr);

	RESULT(ret == -EINVAL, "a region for windows and remote writes, without local: %d\n", ret);
}

/* A region with windows cannot be changed. */
static void test_busy(struct binder *b)
{
	struct raw_mw mw[2];
	struct raw_mr mr;
	int ret, second;

	if (!reg(LOCAL | BIND, &mr) || !make(&mw[0]) || !make(&mw[1]) ||
	    bind(b, part(mw[0].rkey, &mr, WRITE)) || bind(b, part(mw[1].rkey, &mr, READ)))
		ksft_exit_fail_msg("no windows in a region\n");
	ret = raw_dereg_mr(fd, mr.handle);
	RESULT(ret == -EBUSY && written(mw[0].rkey, PART, 64) && is_read(mw[1].rkey, PART, 64),
	       "a region with two windows stays: %d, and they work\n", ret);
	ret = raw_dealloc_mw(fd, mw[0].handle);
	second = raw_dereg_mr(fd, mr.handle);
	RESULT(!ret && second == -EBUSY && is_read(mw[1].rkey, PART, 64),
	       "a region with one window stays: %d\n", second);
	RESULT(!raw_dealloc_mw(fd, mw[1].handle) && !raw_dereg_mr(fd, mr.handle),
	       "a region without windows is deregistered\n");
}

/* A region whose addresses begin with 0, so that a CQ can be created in it */
static void test_busy_ring(void)
{
	struct binder b;
	struct raw_pd own;
	struct raw_mr mr;
	struct raw_mw mw;
	struct raw_cq c;
	int ret, after;

	if (raw_alloc_pd(fd, &own) ||
	    raw_reg_mr(fd, own.handle, memory, SIZE, 0, LOCAL | BIND, &mr) ||
	    raw_alloc_mw(fd, own.handle, IBV_MW_TYPE_1, &mw))
		ksft_exit_fail_msg("no region at 0\n");
	opened(&b, own.handle);
	if (bind(&b, (struct bind){ mw.rkey, mr.lkey, READ, 0, 64 }))
		ksft_exit_fail_msg("no window in a region at 0\n");
	ret = raw_dereg_mr(fd, mr.handle);
	after = raw_create_cq(fd, 63, mr.lkey, own.pdn, &c);
	RESULT(ret == -EBUSY && !after, "busy: %d; a CQ is made in the region: %d\n", ret, after);
	RESULT(raw_dereg_mr(fd, mr.handle) == -EBUSY && !raw_destroy_cq(fd, c.handle) &&
		       raw_dereg_mr(fd, mr.handle) == -EBUSY && !raw_dealloc_mw(fd, mw.handle) &&
		       !raw_dereg_mr(fd, mr.handle),
	       "busy: with the CQ, without the CQ, not without the window\n");
	binder_close(&b);
	raw_dealloc_pd(fd, own.handle);
}

static int rereg(struct raw_mr *mr, uint32_t flags, uint32_t access)
{
	const struct raw_rereg r = {
		.handle = mr->handle,
		.flags = flags,
		.start = (uintptr_t)memory,
		.length = SIZE,
		.hca_va = FIRST,
		.access_flags = access,
	};

	return raw_rereg_mr(fd, mr, &r);
}

static void test_rereg(struct binder *b)
{
	struct raw_mr mr, old;
	struct raw_mw mw;
	int ret, objects;

	if (!reg(LOCAL | BIND, &mr) || !make(&mw) || bind(b, part(mw.rkey, &mr, WRITE)))
		ksft_exit_fail_msg("no window in a region\n");
	old = mr;
	objects = engine_rests("objects", ":");
	ret = rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | READ | BIND);
	RESULT(ret == -EBUSY && written(mw.rkey, PART, 64) &&
		       engine_settles("objects", ":", objects),
	       "reregistered with a window: %d, and it works\n", ret);
	ret = raw_dereg_mr(fd, mr.handle);
	RESULT(ret == -EBUSY && !unbind(b, mw.rkey, &mr), "the handle is the same region's: %d\n",
	       ret);
	ret = rereg(&mr, IBV_REREG_MR_CHANGE_TRANSLATION, 0);
	RESULT(!ret && mr.lkey != old.lkey && engine_settles("objects", ":", objects),
	       "unbound: it is reregistered: %d\n", ret);
	RESULT(!bind(b, part(mw.rkey, &mr, WRITE)) && written(mw.rkey, PART, 64),
	       "a window can be bound to it again\n");
	RESULT(!unbind(b, mw.rkey, &mr) && !rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | WRITE) &&
		       written(mr.lkey, PART, 64),
	       "other rights: it is written without a window\n");
	RESULT(!raw_dereg_mr(fd, mr.handle) && !raw_dealloc_mw(fd, mw.handle),
	       "region and window are freed\n");
	bind_fails(part(mw.rkey, &mr, WRITE), "neither of them is there");
}

/* When the HCA refuses the new region, the old one is already gone from it. */
static void test_rereg_refused(struct binder *b)
{
	int objects = engine_rests("objects", ":"), ret;
	struct raw_mr mr, old;
	struct raw_mw mw;

	if (!reg(LOCAL | BIND, &mr) || !make(&mw) ||
	    !model_fault("status,on=cmd,op=SW2HW_MPT,count=1,status=8"))
		ksft_exit_fail_msg("no region\n");
	old = mr;
	ret = rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | READ | BIND);
	model_fault(NULL);
	RESULT(ret == -ENOMEM && !bind(b, part(mw.rkey, &mr, WRITE)) && written(mw.rkey, PART, 64),
	       "reregistration refused by the firmware: %d, and the region is as it was\n", ret);
	ret = raw_dealloc_mw(fd, mw.handle) ?:
		      rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | WRITE | BIND);
	RESULT(!ret && mr.lkey != old.lkey && written(mr.lkey, PART, 64) &&
		       is_refused(IBV_WR_RDMA_WRITE, old.lkey, PART, 64),
	       "the next one succeeds: %d\n", ret);
	RESULT(!raw_dereg_mr(fd, mr.handle) && engine_settles("objects", ":", objects),
	       "nothing of it is left\n");
}

/* The HCA refuses the new region, and then also the old one. */
static void test_rereg_not_restored(void)
{
	int objects = engine_rests("objects", ":"), ret, again;
	struct raw_mr mr;

	if (!reg(LOCAL | WRITE | BIND, &mr) ||
	    !model_fault("status,on=cmd,op=SW2HW_MPT,count=2,status=8"))
		ksft_exit_fail_msg("no region\n");
	ret = rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | READ | BIND);
	model_fault(NULL);
	again = rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | READ | BIND);
	RESULT(ret == -EUCLEAN && again == -EUCLEAN &&
		       is_refused(IBV_WR_RDMA_WRITE, mr.lkey, PART, 64),
	       "reregistration refused, and the old region too: %d, then %d\n", ret, again);
	RESULT(!raw_dereg_mr(fd, mr.handle) && engine_settles("objects", ":", objects),
	       "it can be deregistered\n");
}

/* Returns the memory that the process has pinned, in KB. */
static long pinned(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %ld", &kb);
	if (file)
		fclose(file);
	return kb;
}

/* Reregisters, and HW2SW_MPT is answered too late, as in test_late(). */
static int rereg_late(struct raw_mr *mr)
{
	char fault[128];
	int tries, ret = 0;

	snprintf(fault, sizeof(fault), "delay,on=cmd,op=HW2SW_MPT,count=1,time=%dms", LATE_MS);
	for (tries = 0; ret != -ETIMEDOUT && tries < 3; tries++) {
		if (!model_fault(NULL) || !model_fault(fault))
			ksft_exit_fail_msg("no fault\n");
		ret = rereg(mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | WRITE | BIND);
	}
	model_fault(NULL);
	return ret;
}

/* The late answer says that the driver owns the region again. */
static void test_rereg_late(bool at_once)
{
	int objects = engine_rests("objects", ":"), ret, during, after = -EUCLEAN;
	long before = pinned(), meanwhile;
	struct raw_mr mr;

	if (!reg(LOCAL | WRITE | BIND, &mr))
		ksft_exit_fail_msg("no region\n");
	ret = rereg_late(&mr);
	during = rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | READ | BIND);
	meanwhile = pinned();
	RESULT(ret == -ETIMEDOUT && during == -EUCLEAN && engine_count("slots", "zombie") == 1 &&
		       meanwhile == before + SIZE / 1024,
	       "HW2SW_MPT of a reregistration answered too late: %d, meanwhile %d, %ld KB pinned\n",
	       ret, during, meanwhile - before);
	if (!at_once) {
		engine_settles("slots", "zombie", 0);
		after = rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | READ | BIND);
		RESULT(after == -EUCLEAN && is_refused(IBV_WR_RDMA_WRITE, mr.lkey, PART, 64),
		       "afterwards the HCA does not know the region: %d\n", after);
	}
	ret = raw_dereg_mr(fd, mr.handle);
	RESULT(!ret && engine_count("slots", "zombie") == 0 && pinned() == before &&
		       engine_settles("objects", ":", objects),
	       "deregistered %s: %d, %ld KB pinned\n", at_once ? "meanwhile" : "afterwards", ret,
	       pinned() - before);
}

/* The late answer says that a window is bound. */
static void test_rereg_late_and_busy(struct binder *b)
{
	struct raw_mr mr;
	struct raw_mw mw;
	int ret, during;

	if (!reg(LOCAL | BIND, &mr) || !make(&mw) || bind(b, part(mw.rkey, &mr, WRITE)))
		ksft_exit_fail_msg("no window in a region\n");
	ret = rereg_late(&mr);
	during = rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | READ | BIND);
	RESULT(ret == -ETIMEDOUT && during == -EUCLEAN && engine_settles("slots", "zombie", 0) &&
		       written(mw.rkey, PART, 64),
	       "refused too late, for a window: %d, meanwhile %d, and the window works\n", ret,
	       during);
	ret = raw_dealloc_mw(fd, mw.handle) ?:
		      rereg(&mr, IBV_REREG_MR_CHANGE_ACCESS, LOCAL | WRITE | BIND);
	RESULT(!ret && written(mr.lkey, PART, 64) && !raw_dereg_mr(fd, mr.handle),
	       "afterwards it is reregistered: %d\n", ret);
}

/* ---- The end of the process ---- */

static bool begin(void)
{
	context = process_open();
	if (!context)
		return false;
	fd = context->cmd_fd;
	pd = ibv_alloc_pd(context);
	return pd;
}

/* A process with windows older than their regions, and with younger ones. All are bound. */
static void hold(const char *how, int tell)
{
	struct raw_mw older[4], younger[4];
	struct raw_mr mr[4];
	struct binder b;
	int i;

	if (!begin())
		_exit(1);
	opened(&b, pd->handle);
	for (i = 0; i < 4; i++)
		if (!make(&older[i]) || !reg(LOCAL | BIND, &mr[i]) || !make(&younger[i]))
			_exit(2);
	for (i = 0; i < 4; i++)
		if (bind(&b, part(older[i].rkey, &mr[i], WRITE)) ||
		    bind(&b, part(younger[i].rkey, &mr[(i + 1) % 4], READ)))
			_exit(3);
	/* The file stays open as long as its page is mapped. */
	munmap((void *)b.doorbells, PROCESS_PAGE);
	if (!strcmp(how, "closes the device"))
		ibv_close_device(context);
	dprintf(tell, "held\n");
	if (strcmp(how, "exits"))
		pause();
	_exit(0);
}

static void test_end(const char *how)
{
	int objects = engine_rests("objects", ":"), pipes[2], status = -1;
	char line[16] = "";
	pid_t pid;

	if (pipe(pipes))
		ksft_exit_fail_msg("pipe\n");
	pid = fork();
	if (!pid)
		hold(how, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], line, sizeof(line)) <= 0)
		ksft_print_msg("nothing is held\n");
	if (!strcmp(how, "closes the device"))
		RESULT(line[0] && engine_settles("objects", ":", objects),
		       "a process %s with bound windows: nothing is left\n", how);
	if (strcmp(how, "exits"))
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(pipes[0]);
	RESULT(line[0] && (WIFSIGNALED(status) || !status) &&
		       engine_settles("objects", ":", objects),
	       "a process %s with bound windows: %d objects, %d before\n", how,
	       engine_count("objects", ":"), objects);
}

/* ---- Firmware that refuses ---- */

static int strikes(const char *fault, struct raw_mw *mw)
{
	int ret = -1;

	if (model_fault(NULL) && model_fault(fault))
		ret = raw_alloc_mw(fd, pd->handle, IBV_MW_TYPE_1, mw);
	model_fault(NULL);
	return ret;
}

static void test_refused(int status, int error)
{
	int objects = engine_rests("objects", ":"), ret;
	struct raw_mw mw;
	char fault[128];

	snprintf(fault, sizeof(fault), "status,on=cmd,op=SW2HW_MPT,count=1,status=%d", status);
	ret = strikes(fault, &mw);
	RESULT(ret == -error && engine_settles("objects", ":", objects) && make(&mw) &&
		       !raw_dealloc_mw(fd, mw.handle),
	       "SW2HW_MPT refused with status %#x: %d\n", status, ret);
}

/* A guest without CPU time may see the answer before the timeout. Then the test is repeated. */
static void test_late(void)
{
	int objects = engine_rests("objects", ":"), tries, ret = 0;
	struct raw_mw mw;
	char fault[128];

	snprintf(fault, sizeof(fault), "delay,on=cmd,op=SW2HW_MPT,count=1,time=%dms", LATE_MS);
	for (tries = 0; !ret && tries < 3; tries++) {
		ret = strikes(fault, &mw);
		if (!ret)
			raw_dealloc_mw(fd, mw.handle);
	}
	RESULT(ret == -ETIMEDOUT && engine_settles("slots", "zombie", 0) &&
		       engine_settles("objects", ":", objects) && make(&mw) &&
		       !raw_dealloc_mw(fd, mw.handle),
	       "SW2HW_MPT answered too late: %d\n", ret);
}

/* ---- */

static void test_none(void)
{
	struct raw_mw mw;
	struct raw_mr mr;
	int ret;

	RESULT(!(attr.device_cap_flags & IBV_DEVICE_MEM_WINDOW) && !attr.max_mw,
	       "no windows: the device says so\n");
	ret = raw_alloc_mw(fd, pd->handle, IBV_MW_TYPE_1, &mw);
	RESULT(ret == -EOPNOTSUPP, "no windows: %d\n", ret);
	RESULT(reg(LOCAL | WRITE | BIND, &mr) && written(mr.lkey, PART, 64) &&
		       !raw_dereg_mr(fd, mr.handle),
	       "no windows: a region that may be bound to is a region\n");
}

static void test_some(void)
{
	struct binder b;

	test_alloc();
	test_max();
	opened(&b, pd->handle);
	test_part(&b);
	test_rights(&b);
	test_busy(&b);
	test_rereg(&b);
	test_rereg_refused(&b);
	test_rereg_not_restored();
	test_rereg_late(true);
	test_rereg_late(false);
	test_rereg_late_and_busy(&b);
	binder_close(&b);
	test_not_bound();
	test_access();
	test_busy_ring();
	test_refused(0x01, EREMOTEIO);
	test_refused(0x03, EINVAL);
	test_refused(0x08, ENOMEM);
	test_late();
	test_end("exits");
	test_end("is killed");
	test_end("closes the device");
}

static void parameter(uint32_t *value)
{
	FILE *file = fopen("/sys/module/ib_tavor/parameters/num_mpt", "r");

	if (!file || fscanf(file, "%u", value) != 1)
		ksft_exit_fail_msg("no number of keys\n");
	fclose(file);
}

int main(int argc, char **argv)
{
	static const char *const texts[] = { "tavor", "vrb", "WARNING", "BUG", NULL };
	struct process_log log;
	void *words;

	ksft_print_header();
	memory = process_memory(SIZE);
	words = process_memory(SIZE);
	if (!begin() || !process_driver_is(context, "ib_tavor"))
		ksft_exit_skip("no device of ib_tavor\n");
	parameter(&keys);
	cq = ibv_create_cq(context, 64, NULL, NULL, 0);
	source = ibv_reg_mr(pd, words, SIZE, LOCAL);
	if (!cq || !source || ibv_query_port(context, 1, &port) || ibv_query_device(context, &attr))
		ksft_exit_fail_msg("no objects\n");
	process_log_open(&log, texts);
	if (argc == 2 && !strcmp(argv[1], "none"))
		test_none();
	else
		test_some();
	RESULT(!model_violations(), "the HCA has recorded no violation\n");
	RESULT(!process_log_lines(&log), "the kernel has logged nothing\n");
	ksft_set_plan(ksft_test_num());
	ksft_finished();
}
