// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --sm --append init_on_alloc=0 --append slub_debug=P
//
// Tests that the methods of uverbs by ioctl(), and the completions of verb queues, do not leak
// kernel memory. leak.c does the same with the commands by write(). No response may contain poison
// or be shorter than it claims. Of a response that the program has more room for than the kernel
// knows, the rest is cleared. By hand:
//   tools/testing/vm/run --driver tavor --sm --append init_on_alloc=0 --append slub_debug=P
//	-- build/guest/tavor/leak_ioctl

#include <errno.h>
#include "kselftest.h"
#include "leak.h"
#include "process.h"
#include "raw.h"

#define MEMORY (1 << 20)
#define IOVA 0x10000000 /* without a byte that looks like poison */
#define NR_ATTRS 16
#define MORE 16 /* bytes that the kernel does not know */

/* Of kernel 7; the headers may be older. */
#define METHOD_QUERY_PORT_SPEED 7
#define METHOD_QUERY_COMP_CNTR_CAPS 8
#define METHOD_REG_MR 5
#define ATTR_REG_MR_IOVA 3
#define ATTR_REG_MR_RESP_LKEY 9

static struct ibv_context *context;
static struct leak_qps qps;
static struct raw_pd pd;
static struct raw_mr mr;
static char *memory;
static int queue, dmabuf;

/* ---- Calls ---- */

struct call {
	struct ib_uverbs_ioctl_hdr hdr;
	struct ib_uverbs_attr attr[NR_ATTRS];
};

static struct call begin(uint16_t object, uint16_t method)
{
	return (struct call){
		.hdr = { .object_id = object, .method_id = method, .driver_id = RDMA_DRIVER_MTHCA },
	};
}

/* Adds a handle, or input of at most 8 bytes, which is stored in the attribute itself. */
static struct ib_uverbs_attr *add(struct call *c, uint16_t id, uint16_t len, uint64_t data)
{
	struct ib_uverbs_attr *attr = &c->attr[c->hdr.num_attrs++];

	*attr = (struct ib_uverbs_attr){ id, len, UVERBS_ATTR_F_MANDATORY, {}, { .data = data } };
	return attr;
}

/* Adds output; one follows another in the answer. */
static void out(struct call *c, struct answer *answer, uint16_t id, size_t len)
{
	add(c, id, len, (uintptr_t)answer->bytes + answer->size);
	answer->size += len;
}

/* @fd: an open file of the device */
static int run_in(int fd, struct call *c)
{
	c->hdr.length = sizeof(c->hdr) + c->hdr.num_attrs * sizeof(c->attr[0]);
	return ioctl(fd, RDMA_VERBS_IOCTL, &c->hdr) ? -errno : 0;
}

static int run(struct call *c)
{
	return run_in(context->cmd_fd, c);
}

/* Calls a create, whose first attribute is the handle, and puts that into the answer. */
static int create(struct call *c, struct answer *answer)
{
	const size_t size = answer->size;
	const int ret = run(c);
	const uint32_t handle = c->attr[0].data;

	memmove(answer->bytes + sizeof(handle), answer->bytes, size);
	memcpy(answer->bytes, &handle, sizeof(handle));
	answer->size = size + sizeof(handle);
	return ret;
}

static int destroy(uint16_t object, uint16_t method, uint32_t handle, size_t size,
		   struct answer *answer)
{
	struct call c = begin(object, method);

	/* In each of these methods the handle is attribute 0, and the response 1. */
	add(&c, 0, 0, handle);
	out(&c, answer, 1, size);
	return run(&c);
}

/* ---- Methods of the device ---- */

static int get_context(uint32_t handle, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT);
	char path[256];
	int fd, ret;

	/* A file has only one context, so this opens another file. */
	snprintf(path, sizeof(path), "/dev/infiniband/%s", context->device->dev_name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -errno;
	out(&c, answer, UVERBS_ATTR_GET_CONTEXT_NUM_COMP_VECTORS, 4);
	out(&c, answer, UVERBS_ATTR_GET_CONTEXT_CORE_SUPPORT, 8);
	out(&c, answer, UVERBS_ATTR_UHW_OUT, sizeof(struct mthca_alloc_ucontext_resp));
	ret = run_in(fd, &c);
	close(fd);
	return ret;
}

static int query_port(uint32_t number, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_PORT);

	add(&c, UVERBS_ATTR_QUERY_PORT_PORT_NUM, 8, number);
	out(&c, answer, UVERBS_ATTR_QUERY_PORT_RESP,
	    sizeof(struct ib_uverbs_query_port_resp_ex) + MORE);
	return run(&c);
}

/* Only the handles that exist are written. */
static int info_handles(uint32_t object, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INFO_HANDLES);
	uint32_t total;
	int ret;

	add(&c, UVERBS_ATTR_INFO_OBJECT_ID, 8, object);
	out(&c, answer, UVERBS_ATTR_INFO_TOTAL_HANDLES, sizeof(total));
	out(&c, answer, UVERBS_ATTR_INFO_HANDLES_LIST, 64 * sizeof(uint32_t));
	ret = run(&c);
	memcpy(&total, answer->bytes, sizeof(total));
	answer->size = total > 0 && total <= 64 ? (1 + total) * sizeof(total) : 0;
	return ret;
}

/* Only the entries that exist are written. */
static int query_gid_table(uint32_t handle, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_TABLE);
	const size_t entry = sizeof(struct ib_uverbs_gid_entry);
	uint64_t total;
	int ret;

	add(&c, UVERBS_ATTR_QUERY_GID_TABLE_ENTRY_SIZE, 8, entry);
	add(&c, UVERBS_ATTR_QUERY_GID_TABLE_FLAGS, 4, 0);
	out(&c, answer, UVERBS_ATTR_QUERY_GID_TABLE_RESP_NUM_ENTRIES, sizeof(total));
	out(&c, answer, UVERBS_ATTR_QUERY_GID_TABLE_RESP_ENTRIES, 2 * 64 * entry);
	ret = run(&c);
	memcpy(&total, answer->bytes, sizeof(total));
	answer->size = total > 0 && total <= 2 * 64 ? sizeof(total) + total * entry : 0;
	return ret;
}

static int query_gid_entry(uint32_t number, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_ENTRY);

	add(&c, UVERBS_ATTR_QUERY_GID_ENTRY_PORT, 8, number);
	add(&c, UVERBS_ATTR_QUERY_GID_ENTRY_GID_INDEX, 8, 0);
	add(&c, UVERBS_ATTR_QUERY_GID_ENTRY_FLAGS, 4, 0);
	out(&c, answer, UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY,
	    sizeof(struct ib_uverbs_gid_entry) + MORE);
	return run(&c);
}

/* ---- The commands of write(), as a method ---- */

/* @room: for the response of ib_uverbs; more than it knows is cleared */
static struct call invoke(uint32_t number, const void *core, size_t size, struct answer *answer,
			  size_t room)
{
	struct call c = begin(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE);

	add(&c, UVERBS_ATTR_CORE_IN, size, (uintptr_t)core);
	out(&c, answer, UVERBS_ATTR_CORE_OUT, room);
	add(&c, UVERBS_ATTR_WRITE_CMD, 8, number);
	return c;
}

static int invoke_query_device(uint32_t handle, struct answer *answer)
{
	const struct ib_uverbs_query_device core = {};
	struct call c = invoke(IB_USER_VERBS_CMD_QUERY_DEVICE, &core, sizeof(core), answer,
			       sizeof(struct ib_uverbs_query_device_resp) + MORE);
	int ret = run(&c);

	leak_hide_number(answer, 0);
	return ret;
}

static int invoke_query_port(uint32_t number, struct answer *answer)
{
	const struct ib_uverbs_query_port core = { .port_num = number };
	struct call c = invoke(IB_USER_VERBS_CMD_QUERY_PORT, &core, sizeof(core), answer,
			       sizeof(struct ib_uverbs_query_port_resp) + MORE);

	return run(&c);
}

static int invoke_query_qp(uint32_t handle, struct answer *answer)
{
	const struct ib_uverbs_query_qp core = { .qp_handle = handle };
	struct call c = invoke(IB_USER_VERBS_CMD_QUERY_QP, &core, sizeof(core), answer,
			       sizeof(struct ib_uverbs_query_qp_resp) + MORE);

	return run(&c);
}

static int invoke_query_srq(uint32_t handle, struct answer *answer)
{
	const struct ib_uverbs_query_srq core = { .srq_handle = handle };
	struct call c = invoke(IB_USER_VERBS_CMD_QUERY_SRQ, &core, sizeof(core), answer,
			       sizeof(struct ib_uverbs_query_srq_resp) + MORE);

	return run(&c);
}

static int invoke_alloc_pd(uint32_t handle, struct answer *answer)
{
	const struct ib_uverbs_alloc_pd core = {};
	struct call c = invoke(IB_USER_VERBS_CMD_ALLOC_PD, &core, sizeof(core), answer,
			       sizeof(struct ib_uverbs_alloc_pd_resp));

	out(&c, answer, UVERBS_ATTR_UHW_OUT, sizeof(struct mthca_alloc_pd_resp) + MORE);
	return run(&c);
}

static int invoke_reg_mr(uint32_t handle, struct answer *answer)
{
	const struct ib_uverbs_reg_mr core = {
		.start = (uintptr_t)memory,
		.length = PROCESS_PAGE,
		.hca_va = IOVA,
		.pd_handle = pd.handle,
	};
	struct call c = invoke(IB_USER_VERBS_CMD_REG_MR, &core, sizeof(core), answer,
			       sizeof(struct ib_uverbs_reg_mr_resp) + MORE);

	return run(&c);
}

/* ---- Regions ---- */

static int query_mr(uint32_t handle, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR);

	add(&c, UVERBS_ATTR_QUERY_MR_HANDLE, 0, handle);
	out(&c, answer, UVERBS_ATTR_QUERY_MR_RESP_LKEY, 4);
	out(&c, answer, UVERBS_ATTR_QUERY_MR_RESP_RKEY, 4);
	out(&c, answer, UVERBS_ATTR_QUERY_MR_RESP_LENGTH, 8);
	out(&c, answer, UVERBS_ATTR_QUERY_MR_RESP_IOVA, 8);
	return run(&c);
}

static int rereg_mr(uint32_t handle, struct answer *answer)
{
	const struct ib_uverbs_rereg_mr core = {
		.mr_handle = handle,
		.flags = IBV_REREG_MR_CHANGE_TRANSLATION,
		.start = (uintptr_t)memory,
		.length = 3 * PROCESS_PAGE,
		.hca_va = 2 * IOVA,
	};
	struct call c = invoke(IB_USER_VERBS_CMD_REREG_MR, &core, sizeof(core), answer,
			       sizeof(struct ib_uverbs_rereg_mr_resp) + MORE);

	return run(&c);
}

static int reg_dmabuf_mr(uint32_t handle, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR);

	add(&c, UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 0, 0);
	add(&c, UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, 0, pd.handle);
	add(&c, UVERBS_ATTR_REG_DMABUF_MR_OFFSET, 8, 0);
	add(&c, UVERBS_ATTR_REG_DMABUF_MR_LENGTH, 8, PROCESS_PAGE);
	add(&c, UVERBS_ATTR_REG_DMABUF_MR_IOVA, 8, IOVA);
	add(&c, UVERBS_ATTR_REG_DMABUF_MR_FD, 4, (uint32_t)dmabuf);
	add(&c, UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, 4, 0);
	out(&c, answer, UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, 4);
	out(&c, answer, UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, 4);
	return create(&c, answer);
}

static int reg_mr(uint32_t handle, struct answer *answer)
{
	struct call c = begin(UVERBS_OBJECT_MR, METHOD_REG_MR);

	/* Handle, PD, [DMAH,] address in the region, address of the memory, length, access flags */
	add(&c, 0, 0, 0);
	add(&c, 1, 0, pd.handle);
	add(&c, ATTR_REG_MR_IOVA, 8, IOVA);
	add(&c, ATTR_REG_MR_IOVA + 1, 8, (uintptr_t)memory);
	add(&c, ATTR_REG_MR_IOVA + 2, 8, PROCESS_PAGE);
	add(&c, ATTR_REG_MR_IOVA + 3, 4, 0);
	out(&c, answer, ATTR_REG_MR_RESP_LKEY, 4);
	out(&c, answer, ATTR_REG_MR_RESP_LKEY + 1, 4);
	return create(&c, answer);
}

/* ---- Queues ---- */

static int create_cq(uint32_t handle, struct answer *answer)
{
	const struct mthca_create_cq driver = { .lkey = mr.lkey, .pdn = pd.pdn };
	struct call c = begin(UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE);

	add(&c, UVERBS_ATTR_CREATE_CQ_HANDLE, 0, 0);
	add(&c, UVERBS_ATTR_CREATE_CQ_CQE, 4, 63);
	add(&c, UVERBS_ATTR_CREATE_CQ_USER_HANDLE, 8, 0);
	add(&c, UVERBS_ATTR_CREATE_CQ_COMP_VECTOR, 4, 0);
	add(&c, UVERBS_ATTR_CREATE_CQ_FLAGS, 4, 0);
	add(&c, UVERBS_ATTR_UHW_IN, sizeof(driver), (uintptr_t)&driver);
	out(&c, answer, UVERBS_ATTR_CREATE_CQ_RESP_CQE, 4);
	out(&c, answer, UVERBS_ATTR_UHW_OUT, sizeof(struct mthca_create_cq_resp) + MORE);
	return create(&c, answer);
}

static int destroy_cq(uint32_t handle, struct answer *answer)
{
	return destroy(UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_DESTROY, handle,
		       sizeof(struct ib_uverbs_destroy_cq_resp), answer);
}

static int create_srq(uint32_t handle, struct answer *answer)
{
	const struct mthca_create_srq driver = { .lkey = mr.lkey };
	struct call c = begin(UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_CREATE);

	add(&c, UVERBS_ATTR_CREATE_SRQ_HANDLE, 0, 0);
	add(&c, UVERBS_ATTR_CREATE_SRQ_PD_HANDLE, 0, pd.handle);
	add(&c, UVERBS_ATTR_CREATE_SRQ_USER_HANDLE, 8, 0);
	add(&c, UVERBS_ATTR_CREATE_SRQ_MAX_WR, 4, 16);
	add(&c, UVERBS_ATTR_CREATE_SRQ_MAX_SGE, 4, 1);
	add(&c, UVERBS_ATTR_CREATE_SRQ_LIMIT, 4, 0);
	add(&c, UVERBS_ATTR_CREATE_SRQ_TYPE, 8, IBV_SRQT_BASIC);
	add(&c, UVERBS_ATTR_UHW_IN, sizeof(driver), (uintptr_t)&driver);
	out(&c, answer, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_WR, 4);
	out(&c, answer, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_SGE, 4);
	out(&c, answer, UVERBS_ATTR_UHW_OUT, sizeof(struct mthca_create_srq_resp) + MORE);
	return create(&c, answer);
}

static int destroy_srq(uint32_t handle, struct answer *answer)
{
	return destroy(UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_DESTROY, handle,
		       sizeof(struct ib_uverbs_destroy_srq_resp), answer);
}

static int create_qp(uint32_t cq, struct answer *answer)
{
	const struct mthca_create_qp driver = { .lkey = mr.lkey };
	const struct ib_uverbs_qp_cap cap = { 2, 2, 1, 1, 0 };
	struct call c = begin(UVERBS_OBJECT_QP, UVERBS_METHOD_QP_CREATE);

	add(&c, UVERBS_ATTR_CREATE_QP_HANDLE, 0, 0);
	add(&c, UVERBS_ATTR_CREATE_QP_PD_HANDLE, 0, pd.handle);
	add(&c, UVERBS_ATTR_CREATE_QP_SEND_CQ_HANDLE, 0, cq);
	add(&c, UVERBS_ATTR_CREATE_QP_RECV_CQ_HANDLE, 0, cq);
	add(&c, UVERBS_ATTR_CREATE_QP_USER_HANDLE, 8, 0);
	add(&c, UVERBS_ATTR_CREATE_QP_CAP, sizeof(cap), (uintptr_t)&cap);
	add(&c, UVERBS_ATTR_CREATE_QP_TYPE, 8, IBV_QPT_UD);
	add(&c, UVERBS_ATTR_UHW_IN, sizeof(driver), (uintptr_t)&driver);
	out(&c, answer, UVERBS_ATTR_CREATE_QP_RESP_CAP, sizeof(cap) + MORE);
	out(&c, answer, UVERBS_ATTR_CREATE_QP_RESP_QP_NUM, 4);
	return create(&c, answer);
}

static int destroy_qp(uint32_t handle, struct answer *answer)
{
	return destroy(UVERBS_OBJECT_QP, UVERBS_METHOD_QP_DESTROY, handle,
		       sizeof(struct ib_uverbs_destroy_qp_resp), answer);
}

/* ---- Verb queues ---- */

static int queue_query(uint32_t handle, struct answer *answer)
{
	answer->size = sizeof(struct vrb_queue_caps) + MORE;
	return vq_query(context->cmd_fd, answer->bytes, answer->size);
}

/* The answer is the completion of a request. */
static int queue_request(uint32_t handle, uint32_t op, struct answer *answer)
{
	const struct vrb_queue_request r = { .op = op };
	int ret = vq_submit(context->cmd_fd, queue, &r, &handle, 1);

	answer->size = sizeof(struct vrb_queue_completion);
	if (ret != 1)
		return ret < 0 ? ret : -EIO;
	return vq_poll(queue, 20000) && read(queue, answer->bytes, answer->size) == answer->size ?
		       0 :
		       -ETIME;
}

static int queue_op_query(uint32_t handle, struct answer *answer)
{
	return queue_request(handle, VRB_QUEUE_OP_QUERY, answer);
}

static int queue_op_reset(uint32_t handle, struct answer *answer)
{
	return queue_request(handle, VRB_QUEUE_OP_RESET, answer);
}

static int queue_op_unknown(uint32_t handle, struct answer *answer)
{
	return queue_request(handle, 99, answer);
}

/* ---- The tests ---- */

static void of_device(void)
{
	leak_test("GET_CONTEXT", get_context, 0, 0);
	leak_test("QUERY_PORT 1", query_port, 1, 1);
	leak_test("QUERY_PORT 2", query_port, 2, 2);
	leak_test("INFO_HANDLES", info_handles, UVERBS_OBJECT_PD, UVERBS_OBJECT_PD);
	leak_test("QUERY_GID_TABLE", query_gid_table, 0, 0);
	leak_test("QUERY_GID_ENTRY 1", query_gid_entry, 1, 1);
	leak_test("QUERY_GID_ENTRY 2", query_gid_entry, 2, 2);
}

static void of_invoke_write(void)
{
	leak_test("INVOKE_WRITE of QUERY_DEVICE", invoke_query_device, 0, 0);
	leak_test("INVOKE_WRITE of QUERY_PORT", invoke_query_port, 1, 1);
	leak_test("INVOKE_WRITE of ALLOC_PD", invoke_alloc_pd, 0, 0);
	leak_test("INVOKE_WRITE of REG_MR", invoke_reg_mr, 0, 0);
	leak_test_made("INVOKE_WRITE of REREG_MR", rereg_mr, invoke_reg_mr, 0);
	leak_test_made("INVOKE_WRITE of QUERY_SRQ", invoke_query_srq, create_srq, 0);
	leak_each_qp("INVOKE_WRITE of QUERY_QP", invoke_query_qp, &qps);
}

/* Returns the handle of a region that has been reregistered. */
static uint32_t reregistered(void)
{
	const uint32_t handle = leak_made_by(invoke_reg_mr, 0);
	struct answer answer = {};

	if (rereg_mr(handle, &answer))
		ksft_exit_fail_msg("a region cannot be reregistered\n");
	return handle;
}

static bool mr_is(uint32_t handle, uint64_t length, uint64_t iova)
{
	struct answer answer = {};
	struct {
		uint32_t lkey, rkey;
		uint64_t length, iova;
	} is;
	int ret = query_mr(handle, &answer);

	memcpy(&is, answer.bytes, sizeof(is));
	return !ret && is.length == length && is.iova == iova;
}

static void of_regions(void)
{
	const uint32_t again = reregistered();

	leak_test_made("QUERY_MR", query_mr, invoke_reg_mr, 0);
	leak_test("QUERY_MR, reregistered", query_mr, again, reregistered());
	ksft_test_result(mr_is(leak_made_by(invoke_reg_mr, 0), PROCESS_PAGE, IOVA) &&
				 mr_is(again, 3 * PROCESS_PAGE, 2 * IOVA),
			 "QUERY_MR: length and address\n");
}

static void of_reg_mr(void)
{
	struct answer answer = {};

	if (reg_mr(0, &answer) == -EPROTONOSUPPORT) {
		ksft_test_result_skip("REG_MR: this kernel has no such method\n");
		ksft_test_result_skip("QUERY_MR after it: this kernel has no such method\n");
		return;
	}
	leak_test("REG_MR", reg_mr, 0, 0);
	ksft_test_result(mr_is(leak_made_by(reg_mr, 0), PROCESS_PAGE, IOVA),
			 "REG_MR: length and address\n");
}

static void of_dmabufs(void)
{
	if (dmabuf < 0) {
		ksft_test_result_skip("REG_DMABUF_MR: this kernel has no udmabuf\n");
		ksft_test_result_skip("QUERY_MR of a dma-buf: this kernel has no udmabuf\n");
		ksft_test_result_skip("its length and address: this kernel has no udmabuf\n");
		return;
	}
	leak_test("REG_DMABUF_MR", reg_dmabuf_mr, 0, 0);
	leak_test_made("QUERY_MR of a dma-buf", query_mr, reg_dmabuf_mr, 0);
	ksft_test_result(mr_is(leak_made_by(reg_dmabuf_mr, 0), PROCESS_PAGE, IOVA),
			 "QUERY_MR of a dma-buf: length and address\n");
}

static void of_queues(void)
{
	const uint32_t cq = leak_made_by(create_cq, 0);

	leak_test("CQ_CREATE", create_cq, 0, 0);
	leak_test_made("CQ_DESTROY", destroy_cq, create_cq, 0);
	leak_test("SRQ_CREATE", create_srq, 0, 0);
	leak_test_made("SRQ_DESTROY", destroy_srq, create_srq, 0);
	leak_test("QP_CREATE", create_qp, cq, cq);
	leak_test_made("QP_DESTROY", destroy_qp, create_qp, cq);
	leak_test("QUEUE_QUERY", queue_query, 0, 0);
	leak_each_qp("completion of OP_QUERY", queue_op_query, &qps);
	leak_test_made("completion of OP_RESET", queue_op_reset, create_qp, cq);
	leak_test_made("completion of an unknown operation", queue_op_unknown, create_qp, cq);
}

/* These methods have responses, too, but ib_uverbs offers them only if the driver does. */
static const struct {
	const char *name;
	uint16_t object, method, id;
	uint16_t port; /* length of attribute 0, if that is the number of a port */
} missing[] = {
	{ "QUERY_CONTEXT", UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_CONTEXT,
	  UVERBS_ATTR_QUERY_CONTEXT_NUM_COMP_VECTORS, 0 },
	{ "DM_ALLOC", UVERBS_OBJECT_DM, UVERBS_METHOD_DM_ALLOC, UVERBS_ATTR_ALLOC_DM_LENGTH, 0 },
	{ "DM_MR_REG", UVERBS_OBJECT_MR, UVERBS_METHOD_DM_MR_REG, UVERBS_ATTR_REG_DM_MR_RESP_LKEY,
	  0 },
	{ "COUNTERS_READ", UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_READ,
	  UVERBS_ATTR_READ_COUNTERS_BUFF, 0 },
	{ "QUERY_PORT_SPEED", UVERBS_OBJECT_DEVICE, METHOD_QUERY_PORT_SPEED, 1, 8 },
	{ "QUERY_COMP_CNTR_CAPS", UVERBS_OBJECT_DEVICE, METHOD_QUERY_COMP_CNTR_CAPS, 0, 0 },
	{ "WQ_CREATE", UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_CREATE, UVERBS_ATTR_CREATE_WQ_RESP_MAX_WR,
	  0 },
};

static void of_missing(void)
{
	int i, ret;

	for (i = 0; i < NR(missing); i++) {
		struct call c = begin(missing[i].object, missing[i].method);
		struct answer answer = {};

		if (missing[i].port)
			add(&c, 0, missing[i].port, 1);
		out(&c, &answer, missing[i].id, missing[i].port ? 8 : 4);
		ret = run(&c);
		ksft_test_result(ret == -EOPNOTSUPP || ret == -EPROTONOSUPPORT,
				 "%s is not offered: %s\n", missing[i].name, strerror(-ret));
	}
}

static bool ready(void)
{
	struct ibv_ah_attr path = { .dlid = 1, .port_num = 1 };
	void *mapped;

	context = process_open();
	memory = process_memory(MEMORY);
	dmabuf = process_dmabuf(PROCESS_PAGE, &mapped);
	if (!context || !memory)
		return false;
	qps.pd = ibv_alloc_pd(context);
	qps.cq = ibv_create_cq(context, 16, NULL, NULL, 0);
	qps.ah = qps.pd ? ibv_create_ah(qps.pd, &path) : NULL;
	queue = vq_create(context->cmd_fd, 4);
	return qps.cq && qps.ah && queue >= 0 && !raw_alloc_pd(context->cmd_fd, &pd) &&
	       !raw_reg_mr(context->cmd_fd, pd.handle, memory, MEMORY, 0, IBV_ACCESS_LOCAL_WRITE,
			   &mr);
}

int main(void)
{
	ksft_print_header();
	if (!leak_poisoned())
		ksft_exit_skip("the kernel was not started with init_on_alloc=0 slub_debug=P\n");
	if (!ready())
		ksft_exit_skip("no RDMA device of ib_tavor that works\n");
	ksft_set_plan(30 + 2 * LEAK_TYPES * LEAK_STATES + NR(missing));
	of_device();
	of_invoke_write();
	of_regions();
	of_reg_mr();
	of_dmabufs();
	of_queues();
	of_missing();
	ksft_finished();
}
