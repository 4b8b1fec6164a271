// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --sm
// Kernels: 6.12 7 debug
//
// Tests the driver data of each call of uverbs. Input that is too short is refused, and so is input
// that the driver does not know unless it is 0. Output that the driver does not know is cleared,
// and nothing is written behind the output. A create is undone if the process cannot be told of the
// object. Kernel 7 tells programs that this is so. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/uabi_udata

#include <sys/ioctl.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include "kselftest.h"
#include "process.h"
#include "raw.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))
#define BUFFER (16 * PROCESS_PAGE)
#define POISON 0xa5
#define EXTRA 100
#define NR_ATTRS 9
#define EX(name) (IB_USER_VERBS_CMD_FLAG_EXTENDED | IB_USER_VERBS_EX_CMD_##name)

/* The headers of rdma-core may be older than this. */
#define CORE_SUPPORT_ROBUST_UDATA 2

#define RESULT(condition, ...) ksft_test_result(condition, __VA_ARGS__)

static char device[256];
static char *memory, *readonly;
static int fd;

/* The objects that the calls need */
static struct raw_pd pd, second_pd;
static struct raw_mr mr;
static struct raw_cq cq;
static struct raw_srq srq;
static struct raw_qp qp;

/* ---- Calls ---- */

struct method {
	struct ib_uverbs_ioctl_hdr hdr;
	struct ib_uverbs_attr attr[NR_ATTRS];
};

static struct ib_uverbs_attr *add(struct method *m, uint16_t id, uint16_t len, uint64_t data)
{
	struct ib_uverbs_attr *attr = &m->attr[m->hdr.num_attrs++];

	*attr = (struct ib_uverbs_attr){ id, len, UVERBS_ATTR_F_MANDATORY, {}, { .data = data } };
	return attr;
}

/* Input of at most 8 bytes is stored in the attribute itself. */
static void add_in(struct method *m, uint16_t id, const void *data, uint16_t len)
{
	struct ib_uverbs_attr *attr = add(m, id, len, (uintptr_t)data);

	if (len <= sizeof(attr->data)) {
		attr->data = 0;
		memcpy(&attr->data, data, len);
	}
}

static int run(int file, uint16_t object, uint16_t method, struct method *m)
{
	m->hdr.length = sizeof(m->hdr) + m->hdr.num_attrs * sizeof(m->attr[0]);
	m->hdr.object_id = object;
	m->hdr.method_id = method;
	m->hdr.driver_id = RDMA_DRIVER_MTHCA;
	return ioctl(file, RDMA_VERBS_IOCTL, &m->hdr) ? -errno : 0;
}

/* Of ib_core */
union core {
	struct ib_uverbs_reg_mr reg_mr;
	struct ib_uverbs_rereg_mr rereg_mr;
	struct ib_uverbs_alloc_mw alloc_mw;
	struct ib_uverbs_create_cq create_cq;
	struct ib_uverbs_create_srq create_srq;
	struct ib_uverbs_create_qp create_qp;
	struct ib_uverbs_resize_cq resize_cq;
	struct ib_uverbs_modify_qp modify_qp;
	struct ib_uverbs_modify_srq modify_srq;
	struct ib_uverbs_dealloc_pd dealloc_pd;
	struct ib_uverbs_dereg_mr dereg_mr;
	struct ib_uverbs_destroy_cq destroy_cq;
	struct ib_uverbs_destroy_srq destroy_srq;
	struct ib_uverbs_destroy_qp destroy_qp;
	char space[256];
};

union response {
	struct ib_uverbs_get_context_resp get_context;
	struct ib_uverbs_alloc_pd_resp alloc_pd;
	struct ib_uverbs_reg_mr_resp reg_mr;
	struct ib_uverbs_alloc_mw_resp alloc_mw;
	struct ib_uverbs_create_cq_resp create_cq;
	struct ib_uverbs_create_srq_resp create_srq;
	struct ib_uverbs_create_qp_resp create_qp;
	struct ib_uverbs_ex_query_device_resp query_device;
	char space[512];
};

/* Of the driver */
union input {
	struct mthca_reg_mr reg_mr;
	struct mthca_create_cq create_cq;
	struct mthca_create_srq create_srq;
	struct mthca_create_qp create_qp;
	struct mthca_resize_cq resize_cq;
	char byte[512];
};

struct call {
	int fd;
	union core core;
	union response response;
	void *response_at;
	union input in;
	size_t in_len, out_len;
	char *out;
};

/**
 * struct op - a call of uverbs that can have driver data
 * @name: of the call
 * @number: of its command
 * @core: bytes of ib_core's command
 * @response: bytes of ib_core's response
 * @in: bytes of the driver's input
 * @out: bytes of the driver's output
 * @optional: the driver's input may be omitted, as by the first versions of libmthca
 * @fill: fills a call, and makes what it destroys or changes; returns 0 or a negative errno
 * @end: destroys what the call, with the result @ret, has made or left; returns 0 or a negative
 *	errno
 */
struct op {
	const char *name;
	uint32_t number;
	size_t core, response, in, out;
	bool optional;
	int (*fill)(struct call *call);
	int (*end)(const struct call *call, int ret);
};

static void add_driver(struct method *m, struct call *call)
{
	if (call->in_len)
		add_in(m, UVERBS_ATTR_UHW_IN, &call->in, call->in_len);
	if (call->out_len)
		add(m, UVERBS_ATTR_UHW_OUT, call->out_len, (uintptr_t)call->out);
}

/*
 * libibverbs uses this method too. With INVOKE_WRITE, kernel 7.3 takes the number of the command
 * for an attribute of this method, and fails with EBADF.
 */
static int get_context(struct call *call)
{
	struct method m = {};
	uint64_t support;

	add(&m, UVERBS_ATTR_GET_CONTEXT_CORE_SUPPORT, sizeof(support), (uintptr_t)&support);
	add_driver(&m, call);
	return run(call->fd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT, &m);
}

static int invoke(const struct op *op, struct call *call)
{
	struct method m = {};

	if (op->number == IB_USER_VERBS_CMD_GET_CONTEXT)
		return get_context(call);
	add_in(&m, UVERBS_ATTR_CORE_IN, &call->core, op->core);
	if (op->response)
		add(&m, UVERBS_ATTR_CORE_OUT, op->response, (uintptr_t)call->response_at);
	add(&m, UVERBS_ATTR_WRITE_CMD, 8, op->number);
	add_driver(&m, call);
	return run(call->fd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE, &m);
}

/* ---- Creates ---- */

static int fill_alloc_pd(struct call *call)
{
	return 0;
}

static int end_alloc_pd(const struct call *call, int ret)
{
	return ret ? 0 : raw_dealloc_pd(fd, call->response.alloc_pd.pd_handle);
}

static int fill_reg_mr(struct call *call)
{
	struct ib_uverbs_reg_mr *cmd = &call->core.reg_mr;

	cmd->start = (uintptr_t)memory;
	cmd->length = BUFFER;
	cmd->hca_va = (uintptr_t)memory;
	cmd->pd_handle = pd.handle;
	cmd->access_flags = IBV_ACCESS_LOCAL_WRITE;
	call->in.reg_mr.mr_attrs = MTHCA_MR_DMASYNC;
	return 0;
}

static int end_reg_mr(const struct call *call, int ret)
{
	return ret ? 0 : raw_dereg_mr(fd, call->response.reg_mr.mr_handle);
}

static int fill_alloc_mw(struct call *call)
{
	struct ib_uverbs_alloc_mw *cmd = &call->core.alloc_mw;

	cmd->pd_handle = pd.handle;
	cmd->mw_type = IBV_MW_TYPE_1;
	return 0;
}

static int end_alloc_mw(const struct call *call, int ret)
{
	return ret ? 0 : raw_dealloc_mw(fd, call->response.alloc_mw.mw_handle);
}

static int fill_create_cq(struct call *call)
{
	struct ib_uverbs_create_cq *cmd = &call->core.create_cq;
	struct mthca_create_cq *in = &call->in.create_cq;

	cmd->cqe = 63;
	cmd->comp_channel = -1;
	in->lkey = mr.lkey;
	in->pdn = pd.pdn;
	return 0;
}

static int end_create_cq(const struct call *call, int ret)
{
	return ret ? 0 : raw_destroy_cq(fd, call->response.create_cq.cq_handle);
}

static int fill_create_srq(struct call *call)
{
	struct ib_uverbs_create_srq *cmd = &call->core.create_srq;

	cmd->pd_handle = pd.handle;
	cmd->max_wr = 16;
	cmd->max_sge = 1;
	call->in.create_srq.lkey = mr.lkey;
	return 0;
}

static int end_create_srq(const struct call *call, int ret)
{
	return ret ? 0 : raw_destroy_srq(fd, call->response.create_srq.srq_handle);
}

static int fill_create_qp(struct call *call)
{
	struct ib_uverbs_create_qp *cmd = &call->core.create_qp;

	cmd->pd_handle = pd.handle;
	cmd->send_cq_handle = cq.handle;
	cmd->recv_cq_handle = cq.handle;
	cmd->max_send_wr = 4;
	cmd->max_recv_wr = 4;
	cmd->max_send_sge = 1;
	cmd->max_recv_sge = 1;
	cmd->qp_type = IBV_QPT_RC;
	call->in.create_qp.lkey = mr.lkey;
	return 0;
}

static int end_create_qp(const struct call *call, int ret)
{
	return ret ? 0 : raw_destroy_qp(fd, call->response.create_qp.qp_handle);
}

/* A file has one context, so each call opens its own. */
static int fill_get_context(struct call *call)
{
	call->fd = open(device, O_RDWR | O_CLOEXEC);
	return call->fd < 0 ? -errno : 0;
}

static int end_get_context(const struct call *call, int ret)
{
	return close(call->fd) ? -errno : 0;
}

/* ---- Calls that change an object or nothing ---- */

static int end_nothing(const struct call *call, int ret)
{
	return 0;
}

static int fill_query_device(struct call *call)
{
	return 0;
}

static int fill_resize_cq(struct call *call)
{
	struct ib_uverbs_resize_cq *cmd = &call->core.resize_cq;
	struct mthca_resize_cq *in = &call->in.resize_cq;

	cmd->cq_handle = cq.handle;
	cmd->cqe = 127;
	in->lkey = mr.lkey;
	/* libmthca does not set it. */
	in->reserved = 0x12345678;
	return 0;
}

static int fill_modify_qp(struct call *call)
{
	struct ib_uverbs_modify_qp *cmd = &call->core.modify_qp;

	cmd->qp_handle = qp.handle;
	cmd->attr_mask = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS;
	cmd->qp_state = IBV_QPS_INIT;
	cmd->port_num = 1;
	return 0;
}

static int fill_modify_srq(struct call *call)
{
	struct ib_uverbs_modify_srq *cmd = &call->core.modify_srq;

	cmd->srq_handle = srq.handle;
	cmd->attr_mask = IBV_SRQ_LIMIT;
	cmd->srq_limit = 4;
	return 0;
}

static int make_mr(uint32_t *handle)
{
	struct raw_mr made;
	int ret = raw_reg_mr(fd, pd.handle, memory, BUFFER, (uintptr_t)memory,
			     IBV_ACCESS_LOCAL_WRITE, &made);

	*handle = made.handle;
	return ret;
}

static int fill_rereg_mr(struct call *call)
{
	struct ib_uverbs_rereg_mr *cmd = &call->core.rereg_mr;

	cmd->flags = IBV_REREG_MR_CHANGE_PD;
	cmd->pd_handle = second_pd.handle;
	return make_mr(&cmd->mr_handle);
}

static int end_rereg_mr(const struct call *call, int ret)
{
	return raw_dereg_mr(fd, call->core.rereg_mr.mr_handle);
}

/* ---- Destroys: what was not destroyed still can be ---- */

static int fill_dealloc_pd(struct call *call)
{
	struct raw_pd made;
	int ret = raw_alloc_pd(fd, &made);

	call->core.dealloc_pd.pd_handle = made.handle;
	return ret;
}

static int end_dealloc_pd(const struct call *call, int ret)
{
	return ret ? raw_dealloc_pd(fd, call->core.dealloc_pd.pd_handle) : 0;
}

static int fill_dereg_mr(struct call *call)
{
	return make_mr(&call->core.dereg_mr.mr_handle);
}

static int end_dereg_mr(const struct call *call, int ret)
{
	return ret ? raw_dereg_mr(fd, call->core.dereg_mr.mr_handle) : 0;
}

static int fill_destroy_cq(struct call *call)
{
	struct raw_cq made;
	int ret = raw_create_cq(fd, 63, mr.lkey, pd.pdn, &made);

	call->core.destroy_cq.cq_handle = made.handle;
	return ret;
}

static int end_destroy_cq(const struct call *call, int ret)
{
	return ret ? raw_destroy_cq(fd, call->core.destroy_cq.cq_handle) : 0;
}

static int fill_destroy_srq(struct call *call)
{
	struct raw_srq made;
	int ret = raw_create_srq(fd, pd.handle, 16, 1, mr.lkey, &made);

	call->core.destroy_srq.srq_handle = made.handle;
	return ret;
}

static int end_destroy_srq(const struct call *call, int ret)
{
	return ret ? raw_destroy_srq(fd, call->core.destroy_srq.srq_handle) : 0;
}

static int make_qp(struct raw_qp *made)
{
	const struct raw_qp_in in = {
		.pd = pd.handle,
		.send_cq = cq.handle,
		.recv_cq = cq.handle,
		.lkey = mr.lkey,
		.send_wr = 4,
		.recv_wr = 4,
		.send_sge = 1,
		.recv_sge = 1,
		.type = IBV_QPT_RC,
	};

	return raw_create_qp(fd, &in, made);
}

static int fill_destroy_qp(struct call *call)
{
	struct raw_qp made;
	int ret = make_qp(&made);

	call->core.destroy_qp.qp_handle = made.handle;
	return ret;
}

static int end_destroy_qp(const struct call *call, int ret)
{
	return ret ? raw_destroy_qp(fd, call->core.destroy_qp.qp_handle) : 0;
}

/* ---- The tests ---- */

#define CMD(name) IB_USER_VERBS_CMD_##name
#define CORE(type) sizeof(struct ib_uverbs_##type)
#define BOTH(type) sizeof(struct ib_uverbs_##type), sizeof(struct ib_uverbs_##type##_resp)
#define DRIVER(type) sizeof(struct mthca_##type)
#define FUNCTIONS(name) .fill = fill_##name, .end = end_##name
#define CHANGE(name) .fill = fill_##name, .end = end_nothing

static const struct op creates[] = {
	{ "alloc_pd", CMD(ALLOC_PD), BOTH(alloc_pd), 0, DRIVER(alloc_pd_resp),
	  FUNCTIONS(alloc_pd) },
	{ "reg_mr", CMD(REG_MR), BOTH(reg_mr), DRIVER(reg_mr), 0, .optional = true,
	  FUNCTIONS(reg_mr) },
	{ "alloc_mw", CMD(ALLOC_MW), BOTH(alloc_mw), 0, 0, FUNCTIONS(alloc_mw) },
	{ "create_cq", CMD(CREATE_CQ), BOTH(create_cq), DRIVER(create_cq), DRIVER(create_cq_resp),
	  FUNCTIONS(create_cq) },
	{ "create_srq", CMD(CREATE_SRQ), BOTH(create_srq), DRIVER(create_srq),
	  DRIVER(create_srq_resp), FUNCTIONS(create_srq) },
	{ "create_qp", CMD(CREATE_QP), BOTH(create_qp), DRIVER(create_qp), 0,
	  FUNCTIONS(create_qp) },
};

static const struct op others[] = {
	{ "get_context", CMD(GET_CONTEXT), BOTH(get_context), 0, DRIVER(alloc_ucontext_resp),
	  FUNCTIONS(get_context) },
	{ "query_device", EX(QUERY_DEVICE), BOTH(ex_query_device), 0, 0, CHANGE(query_device) },
	{ "resize_cq", CMD(RESIZE_CQ), BOTH(resize_cq), DRIVER(resize_cq), 0, CHANGE(resize_cq) },
	{ "modify_qp", CMD(MODIFY_QP), CORE(modify_qp), 0, 0, 0, CHANGE(modify_qp) },
	{ "modify_srq", CMD(MODIFY_SRQ), CORE(modify_srq), 0, 0, 0, CHANGE(modify_srq) },
	{ "rereg_mr", CMD(REREG_MR), BOTH(rereg_mr), 0, 0, FUNCTIONS(rereg_mr) },
	{ "dealloc_pd", CMD(DEALLOC_PD), CORE(dealloc_pd), 0, 0, 0, FUNCTIONS(dealloc_pd) },
	{ "dereg_mr", CMD(DEREG_MR), CORE(dereg_mr), 0, 0, 0, FUNCTIONS(dereg_mr) },
	{ "destroy_cq", CMD(DESTROY_CQ), BOTH(destroy_cq), 0, 0, FUNCTIONS(destroy_cq) },
	{ "destroy_srq", CMD(DESTROY_SRQ), BOTH(destroy_srq), 0, 0, FUNCTIONS(destroy_srq) },
	{ "destroy_qp", CMD(DESTROY_QP), BOTH(destroy_qp), 0, 0, FUNCTIONS(destroy_qp) },
};

#define TESTS_OF_OP 6
#define TESTS_OF_CREATE (TESTS_OF_OP + 1)
#define TESTS_WITH_INPUT 5
#define TESTS_OF_REST 3

/* Makes the call, and what belongs to it; returns its result. */
static int make_call(const struct op *op, struct call *call)
{
	int ret, err = call->fd;

	if (err < 0)
		return err;
	ret = invoke(op, call);
	err = op->end(call, ret);
	if (err)
		ksft_print_msg("%s: %s, then %s\n", op->name, strerror(-ret), strerror(-err));
	return err ? -EPROTO : ret;
}

/* A valid call, with @in bytes of input, all 0 behind the driver's, and @out bytes of output */
static struct call valid(const struct op *op, size_t in, size_t out)
{
	static char space[PROCESS_PAGE];
	struct call call = { .fd = fd, .in_len = in, .out_len = out, .out = space };

	memset(space, POISON, sizeof(space));
	if (op->fill(&call))
		call.fd = -EPROTO;
	return call;
}

static int call_with(const struct op *op, size_t in, size_t out)
{
	struct call call = valid(op, in, out);

	call.response_at = &call.response;
	return make_call(op, &call);
}

/* As call_with(), and byte @at of the input is not 0. */
static int call_unknown(const struct op *op, size_t in, size_t at)
{
	struct call call = valid(op, in, op->out);

	call.response_at = &call.response;
	call.in.byte[at] = 1;
	return make_call(op, &call);
}

static int call_without_response(const struct op *op)
{
	struct call call = valid(op, op->in, op->out);

	call.response_at = readonly;
	return make_call(op, &call);
}

static int call_without_out(const struct op *op)
{
	struct call call = valid(op, op->in, op->out + EXTRA);

	call.response_at = &call.response;
	call.out = readonly;
	return make_call(op, &call);
}

/* Whether @n bytes from @at have the value @value. */
static bool all(const char *at, uint8_t value, size_t n)
{
	while (n--)
		if ((uint8_t)*at++ != value)
			return false;
	return true;
}

/* The output of each call begins with a number of 4 bytes, and the rest of it is 0. */
static bool answers(const struct op *op, size_t out)
{
	struct call call = valid(op, op->in, out);
	size_t known = op->out < out ? op->out : out, number = known < 4 ? known : 4;

	call.response_at = &call.response;
	if (make_call(op, &call))
		return false;
	if (known >= 4 && all(call.out, POISON, 4))
		return false;
	return all(call.out + number, 0, out - number) &&
	       all(call.out + out, POISON, PROCESS_PAGE - out);
}

static void test_input(const struct op *op)
{
	RESULT(!call_with(op, op->in, op->out), "%s: its own structures\n", op->name);
	if (op->in)
		RESULT(call_with(op, op->in - 1, op->out) == -EINVAL &&
			       call_with(op, 1, op->out) == -EINVAL &&
			       call_with(op, 0, op->out) == (op->optional ? 0 : -EINVAL),
		       "%s: input that is too short\n", op->name);
	RESULT(!call_with(op, op->in + 1, op->out) && !call_with(op, op->in + EXTRA, op->out),
	       "%s: input with zeros behind it\n", op->name);
	RESULT(call_unknown(op, op->in + 1, op->in) == -EOPNOTSUPP &&
		       call_unknown(op, op->in + EXTRA, op->in + EXTRA - 1) == -EOPNOTSUPP,
	       "%s: input with other bytes behind it\n", op->name);
}

static void test_output(const struct op *op)
{
	RESULT(answers(op, op->out + 1) && answers(op, op->out + EXTRA),
	       "%s: the rest of a longer output is cleared\n", op->name);
	if (op->out)
		RESULT(answers(op, op->out - 1) && answers(op, 4) && answers(op, 0),
		       "%s: nothing is written behind a shorter output\n", op->name);
	else
		RESULT(answers(op, 0), "%s: no output\n", op->name);
	RESULT(call_without_out(op) == -EFAULT, "%s: output that cannot be written\n", op->name);
}

/* ib_core destroys the new object, and passes the driver data of the create. */
static void test_undone(const struct op *op)
{
	RESULT(call_without_response(op) == -EFAULT, "%s: undone\n", op->name);
}

static void test_undone_method(void)
{
	struct call call = valid(&creates[3], sizeof(struct mthca_create_cq), 8);
	struct method m = {};

	add(&m, UVERBS_ATTR_CREATE_CQ_HANDLE, 0, 0);
	add(&m, UVERBS_ATTR_CREATE_CQ_CQE, 4, 63);
	add(&m, UVERBS_ATTR_CREATE_CQ_USER_HANDLE, 8, 0);
	add(&m, UVERBS_ATTR_CREATE_CQ_COMP_VECTOR, 4, 0);
	add(&m, UVERBS_ATTR_CREATE_CQ_RESP_CQE, 4, (uintptr_t)readonly);
	add_in(&m, UVERBS_ATTR_UHW_IN, &call.in, call.in_len);
	add(&m, UVERBS_ATTR_UHW_OUT, call.out_len, (uintptr_t)call.out);
	RESULT(run(fd, UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE, &m) == -EFAULT,
	       "create_cq: undone, by the method of ioctl()\n");
}

static int old_kernel(void)
{
	char release[64] = "";
	FILE *file = fopen("/proc/sys/kernel/osrelease", "r");

	if (!file || !fgets(release, sizeof(release), file))
		return true;
	fclose(file);
	return atoi(release) < 7;
}

/* A program need not try what is unknown to the driver. */
static void test_promise(void)
{
	int file = open(device, O_RDWR | O_CLOEXEC), ret;
	struct mthca_alloc_ucontext_resp out;
	struct method m = {};
	uint64_t support = 0;

	add(&m, UVERBS_ATTR_GET_CONTEXT_CORE_SUPPORT, sizeof(support), (uintptr_t)&support);
	add(&m, UVERBS_ATTR_UHW_OUT, sizeof(out), (uintptr_t)&out);
	ret = run(file, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT, &m);
	close(file);
	if (!ret && old_kernel())
		ksft_test_result_skip("GET_CONTEXT reports robust data: only kernel 7 can\n");
	else
		RESULT(!ret && support & CORE_SUPPORT_ROBUST_UDATA,
		       "GET_CONTEXT reports robust data\n");
}

static int build(void)
{
	int ret = raw_alloc_pd(fd, &pd) ?: raw_alloc_pd(fd, &second_pd);

	if (!ret)
		ret = raw_reg_mr(fd, pd.handle, memory, BUFFER, 0, IBV_ACCESS_LOCAL_WRITE, &mr);
	if (!ret)
		ret = raw_create_cq(fd, 63, mr.lkey, pd.pdn, &cq);
	if (!ret)
		ret = raw_create_srq(fd, pd.handle, 16, 1, mr.lkey, &srq);
	return ret ?: make_qp(&qp);
}

/* An object that is left over keeps the region or the PD from going. */
static int unbuild(void)
{
	int ret = raw_destroy_qp(fd, qp.handle) ?: raw_destroy_srq(fd, srq.handle);

	if (!ret)
		ret = raw_destroy_cq(fd, cq.handle) ?: raw_dereg_mr(fd, mr.handle);
	if (!ret)
		ret = raw_dealloc_pd(fd, second_pd.handle) ?: raw_dealloc_pd(fd, pd.handle);
	return ret;
}

int main(void)
{
	struct ibv_context *context;
	unsigned int i;

	ksft_print_header();
	context = process_open();
	memory = process_memory(BUFFER);
	readonly = process_memory(PROCESS_PAGE);
	if (!context || !process_driver_is(context, "ib_tavor"))
		ksft_exit_skip("no device of ib_tavor\n");
	if (!memory || !readonly || mprotect(readonly, PROCESS_PAGE, PROT_READ))
		ksft_exit_fail_msg("no memory\n");
	snprintf(device, sizeof(device), "/dev/infiniband/%s", context->device->dev_name);
	fd = context->cmd_fd;
	if (build())
		ksft_exit_fail_msg("the objects cannot be made\n");
	ksft_set_plan(NR(creates) * TESTS_OF_CREATE + NR(others) * TESTS_OF_OP + TESTS_WITH_INPUT +
		      TESTS_OF_REST);
	for (i = 0; i < NR(creates); i++) {
		test_input(&creates[i]);
		test_output(&creates[i]);
		test_undone(&creates[i]);
	}
	for (i = 0; i < NR(others); i++) {
		test_input(&others[i]);
		test_output(&others[i]);
	}
	test_undone_method();
	test_promise();
	RESULT(!unbuild(), "nothing is left\n");
	ksft_finished();
}
