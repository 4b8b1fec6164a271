// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --sm --append init_on_alloc=0 --append slub_debug=P
// Runs: guest --driver mthca --sm --append init_on_alloc=0 --append slub_debug=P
// Level: all
//
// Tests that the responses of verbs to a process do not leak kernel memory. The kernel fills its
// memory with poison instead of zeros (leak.h). No response may contain poison or be shorter than
// it claims. leak_ioctl.c does the same with the methods of ioctl(). ib_mthca leaks in
// QUERY_QP, and leaves a part of other responses unwritten. On such a kernel ib_uverbs crashes in
// its REG_MR, so on ib_mthca the queues are in the driver's own region. By hand:
//   tools/testing/vm/run --driver tavor --sm --append init_on_alloc=0 --append slub_debug=P
//	-- build/guest/tavor/leak

#include <errno.h>
#include "kselftest.h"
#include "leak.h"
#include "model.h"
#include "process.h"
#include "raw.h"

static struct ibv_context *context;
static struct leak_qps qps;
static struct raw_pd raw_pd;
static struct raw_mr raw_mr;
static char *memory;

/* Every command with a response begins with the response's address. */
static int ask(uint32_t number, void *command, size_t size, struct answer *answer, size_t room)
{
	struct ib_uverbs_cmd_hdr *hdr = command;

	memcpy(hdr + 1, &(uint64_t){ (uintptr_t)answer->bytes }, sizeof(uint64_t));
	answer->size = room;
	return raw_command(context->cmd_fd, number, command, size, room);
}

/* An extended command of @core and @driver bytes, with the responses of both */
static int ask_ex(uint32_t number, void *command, size_t core, size_t driver, struct answer *answer,
		  size_t core_room, size_t driver_room)
{
	const ssize_t size = sizeof(struct ib_uverbs_cmd_hdr) +
			     sizeof(struct ib_uverbs_ex_cmd_hdr) + core + driver;
	struct ib_uverbs_cmd_hdr *hdr = command;
	struct ib_uverbs_ex_cmd_hdr *ex = (void *)(hdr + 1);

	hdr->command = IB_USER_VERBS_CMD_FLAG_EXTENDED | number;
	hdr->in_words = core / 8;
	hdr->out_words = core_room / 8;
	ex->response = (uintptr_t)answer->bytes;
	ex->provider_in_words = driver / 8;
	ex->provider_out_words = driver_room / 8;
	answer->size = core_room + driver_room;
	return write(context->cmd_fd, command, size) == size ? 0 : -errno;
}

/* ---- The requests; @handle is that of the object, if it already exists ---- */

static int get_context(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_get_context core;
	} command = {};
	int own = context->cmd_fd, fd, ret;
	char path[256];

	/* A file has only one context, so this opens another file. */
	snprintf(path, sizeof(path), "/dev/infiniband/%s", context->device->dev_name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -errno;
	context->cmd_fd = fd;
	ret = ask(IB_USER_VERBS_CMD_GET_CONTEXT, &command, sizeof(command), answer,
		  sizeof(struct ib_uverbs_get_context_resp) +
			  sizeof(struct mthca_alloc_ucontext_resp));
	context->cmd_fd = own;
	close(fd);
	return ret;
}

static int query_device(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_query_device core;
	} command = {};
	int ret = ask(IB_USER_VERBS_CMD_QUERY_DEVICE, &command, sizeof(command), answer,
		      sizeof(struct ib_uverbs_query_device_resp));

	leak_hide_number(answer, 0);
	return ret;
}

static int query_device_ex(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_query_device core;
	} command = {};
	int ret = ask_ex(IB_USER_VERBS_EX_CMD_QUERY_DEVICE, &command, sizeof(command.core), 0,
			 answer, sizeof(struct ib_uverbs_ex_query_device_resp), 0);

	leak_hide_number(answer, 0);
	return ret;
}

static int query_port(uint32_t number, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_query_port core;
	} command = { .core.port_num = number };

	return ask(IB_USER_VERBS_CMD_QUERY_PORT, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_query_port_resp));
}

static int alloc_pd(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_alloc_pd core;
	} command = {};

	return ask(IB_USER_VERBS_CMD_ALLOC_PD, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_alloc_pd_resp) + sizeof(struct mthca_alloc_pd_resp));
}

static int reg_mr(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_reg_mr core;
		struct mthca_reg_mr driver;
	} command = {
		.core.start = (uintptr_t)memory,
		.core.length = PROCESS_PAGE,
		.core.hca_va = (uintptr_t)memory,
		.core.pd_handle = raw_pd.handle,
	};

	return ask(IB_USER_VERBS_CMD_REG_MR, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_reg_mr_resp));
}

static int rereg_mr(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_rereg_mr core;
	} command = {
		.core.mr_handle = handle,
		.core.flags = IBV_REREG_MR_CHANGE_ACCESS,
		.core.access_flags = IBV_ACCESS_LOCAL_WRITE,
	};

	return ask(IB_USER_VERBS_CMD_REREG_MR, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_rereg_mr_resp));
}

static int alloc_mw(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_alloc_mw core;
	} command = { .core.pd_handle = raw_pd.handle, .core.mw_type = IBV_MW_TYPE_1 };

	return ask(IB_USER_VERBS_CMD_ALLOC_MW, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_alloc_mw_resp));
}

static int create_channel(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_comp_channel core;
	} command = {};

	return ask(IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_create_comp_channel_resp));
}

static int create_cq(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_cq core;
		struct mthca_create_cq driver;
	} command = {
		.core.cqe = 63,
		.core.comp_channel = -1,
		.driver.lkey = raw_mr.lkey,
		.driver.pdn = raw_pd.pdn,
	};

	return ask(IB_USER_VERBS_CMD_CREATE_CQ, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_create_cq_resp) + sizeof(struct mthca_create_cq_resp));
}

static int create_cq_ex(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_create_cq core;
		struct mthca_create_cq driver;
	} command = {
		.core.cqe = 63,
		.core.comp_channel = -1,
		.driver.lkey = raw_mr.lkey,
		.driver.pdn = raw_pd.pdn,
	};

	return ask_ex(IB_USER_VERBS_EX_CMD_CREATE_CQ, &command, sizeof(command.core),
		      sizeof(command.driver), answer, sizeof(struct ib_uverbs_ex_create_cq_resp),
		      sizeof(struct mthca_create_cq_resp));
}

static int resize_cq(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_resize_cq core;
		struct mthca_resize_cq driver;
	} command = { .core.cq_handle = handle, .core.cqe = 127, .driver.lkey = raw_mr.lkey };

	return ask(IB_USER_VERBS_CMD_RESIZE_CQ, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_resize_cq_resp));
}

static int destroy_cq(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_destroy_cq core;
	} command = { .core.cq_handle = handle };

	return ask(IB_USER_VERBS_CMD_DESTROY_CQ, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_destroy_cq_resp));
}

static int create_srq(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_srq core;
		struct mthca_create_srq driver;
	} command = {
		.core.pd_handle = raw_pd.handle,
		.core.max_wr = 16,
		.core.max_sge = 1,
		.driver.lkey = raw_mr.lkey,
	};

	return ask(IB_USER_VERBS_CMD_CREATE_SRQ, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_create_srq_resp) + sizeof(struct mthca_create_srq_resp));
}

/* This command is for other types, too. */
static int create_xsrq(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_xsrq core;
		struct mthca_create_srq driver;
	} command = {
		.core.srq_type = IBV_SRQT_BASIC,
		.core.pd_handle = raw_pd.handle,
		.core.max_wr = 16,
		.core.max_sge = 1,
		.driver.lkey = raw_mr.lkey,
	};

	return ask(IB_USER_VERBS_CMD_CREATE_XSRQ, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_create_srq_resp) + sizeof(struct mthca_create_srq_resp));
}

static int query_srq(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_query_srq core;
	} command = { .core.srq_handle = handle };

	return ask(IB_USER_VERBS_CMD_QUERY_SRQ, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_query_srq_resp));
}

static int destroy_srq(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_destroy_srq core;
	} command = { .core.srq_handle = handle };

	return ask(IB_USER_VERBS_CMD_DESTROY_SRQ, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_destroy_srq_resp));
}

/* The fields of a create are the same in both forms of the command. */
#define QP_FIELDS(cq)                                                                              \
	.core.pd_handle = raw_pd.handle, .core.send_cq_handle = (cq), .core.recv_cq_handle = (cq), \
	.core.max_send_wr = 2, .core.max_recv_wr = 2, .core.max_send_sge = 1,                      \
	.core.max_recv_sge = 1, .core.qp_type = IBV_QPT_UD, .driver.lkey = raw_mr.lkey

static int create_qp(uint32_t cq_handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_qp core;
		struct mthca_create_qp driver;
	} command = {
		QP_FIELDS(cq_handle),
	};

	return ask(IB_USER_VERBS_CMD_CREATE_QP, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_create_qp_resp));
}

static int create_qp_ex(uint32_t cq_handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_create_qp core;
		struct mthca_create_qp driver;
	} command = {
		QP_FIELDS(cq_handle),
	};

	return ask_ex(IB_USER_VERBS_EX_CMD_CREATE_QP, &command, sizeof(command.core),
		      sizeof(command.driver), answer, sizeof(struct ib_uverbs_ex_create_qp_resp),
		      0);
}

static int modify_qp_ex(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_modify_qp core;
	} command = {
		.core.base = {
			.qp_handle = handle,
			.attr_mask = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY,
			.qp_state = IBV_QPS_INIT,
			.port_num = 1,
		},
	};

	return ask_ex(IB_USER_VERBS_EX_CMD_MODIFY_QP, &command, sizeof(command.core), 0, answer,
		      sizeof(struct ib_uverbs_ex_modify_qp_resp), 0);
}

static int query_qp(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_query_qp core;
	} command = { .core.qp_handle = handle, .core.attr_mask = (IBV_QP_DEST_QPN << 1) - 1 };

	return ask(IB_USER_VERBS_CMD_QUERY_QP, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_query_qp_resp));
}

static int destroy_qp(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_destroy_qp core;
	} command = { .core.qp_handle = handle };

	return ask(IB_USER_VERBS_CMD_DESTROY_QP, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_destroy_qp_resp));
}

/* ---- The tests ---- */

/* Returns a QP with a path through a router, and an alternate path for migration. */
static struct ibv_qp *qp_with_paths(void)
{
	struct ibv_qp *qp = connect_make(qps.pd, IBV_QPT_RC, qps.cq, qps.cq, 2);
	const int rtr = state_needs(IBV_QPT_RC, IBV_QPS_RTR);
	const int rts = state_needs(IBV_QPT_RC, IBV_QPS_RTS);
	struct ibv_qp_attr attr = vq_good;

	attr.path_mig_state = IBV_MIG_REARM;
	attr.ah_attr.is_global = 1;
	attr.ah_attr.grh.dgid.raw[0] = 0xfe;
	attr.alt_ah_attr = attr.ah_attr;
	attr.alt_port_num = 1;
	attr.qp_state = IBV_QPS_RTR;
	if (!qp || state_advance(qp, IBV_QPS_INIT) || ibv_modify_qp(qp, &attr, rtr))
		ksft_exit_fail_msg("no QP with a GRH\n");
	attr.qp_state = IBV_QPS_RTS;
	if (ibv_modify_qp(qp, &attr, rts | IBV_QP_ALT_PATH | IBV_QP_PATH_MIG_STATE))
		ksft_exit_fail_msg("no QP with two paths\n");
	return qp;
}

/* Fields that are wider than in the requests above, read through the library. */
static void gids(void)
{
	struct ibv_gid_entry entries[2 * 128];
	bool ok = true;
	ssize_t n, i;

	memset(entries, 0xc3, sizeof(entries));
	n = ibv_query_gid_table(context, entries, 2 * 128, 0);
	for (i = 0; i < n; i++)
		ok &= entries[i].gid.global.subnet_prefix != 0x5a5a5a5a5a5a5a5aULL &&
		      entries[i].port_num >= 1 && entries[i].port_num <= 2;
	ksft_test_result(n > 0 && ok, "GID table of %zd entries\n", n);
}

/* @incomplete: LEAK_UNWRITTEN for a driver that does not write all of its part of a response */
static void without_queues(int incomplete)
{
	leak_test("GET_CONTEXT", get_context, 0, 0);
	leak_test("QUERY_DEVICE", query_device, 0, 0);
	leak_test("QUERY_DEVICE, extended", query_device_ex, 0, 0);
	leak_test("QUERY_PORT 1", query_port, 1, 1);
	leak_test("QUERY_PORT 2", query_port, 2, 2);
	leak_test("CREATE_COMP_CHANNEL", create_channel, 0, 0);
	leak_expect("ALLOC_PD", alloc_pd, 0, 0, incomplete);
	leak_expect("CREATE_CQ", create_cq, 0, 0, incomplete);
	leak_expect("CREATE_CQ, extended", create_cq_ex, 0, 0, incomplete);
	leak_expect("CREATE_SRQ", create_srq, 0, 0, incomplete);
	leak_expect("CREATE_XSRQ", create_xsrq, 0, 0, incomplete);
}

static void with_queues(uint32_t cq)
{
	leak_test_made("DESTROY_CQ", destroy_cq, create_cq, 0);
	leak_test_made("QUERY_SRQ", query_srq, create_srq, 0);
	leak_test_made("DESTROY_SRQ", destroy_srq, create_srq, 0);
	leak_test("CREATE_QP", create_qp, cq, cq);
	leak_test("CREATE_QP, extended", create_qp_ex, cq, cq);
	leak_test_made("MODIFY_QP, extended", modify_qp_ex, create_qp, cq);
	leak_test_made("DESTROY_QP", destroy_qp, create_qp, cq);
}

static void with_memory(uint32_t cq)
{
	leak_test("REG_MR", reg_mr, 0, 0);
	leak_test_made("REREG_MR", rereg_mr, reg_mr, 0);
	leak_test("ALLOC_MW", alloc_mw, 0, 0);
	leak_test_made("RESIZE_CQ", resize_cq, create_cq, 0);
	leak_test_made("QUERY_QP", query_qp, create_qp, cq);
	leak_each_qp("QUERY_QP", query_qp, &qps);
	leak_test("QUERY_QP with two paths", query_qp, qp_with_paths()->handle,
		  qp_with_paths()->handle);
	gids();
}

/* Takes key and PD of the driver's own region, which is all memory. */
static bool region_of_the_driver(void)
{
	static char reply[1 << 20];
	const char *at, *whole;

	if (!model_reply("{\"cmd\":\"objects\",\"hca\":0}", reply, sizeof(reply)))
		return false;
	for (at = strstr(reply, "{\"key\":"); at; at = strstr(at + 1, "{\"key\":")) {
		whole = strstr(at, "\"length\":\"0xffffffffffffffff\"");
		if (whole && whole < strchr(at, '}'))
			return sscanf(at, "{\"key\":%u,\"pd\":%u", &raw_mr.lkey, &raw_pd.pdn) == 2;
	}
	return false;
}

static bool ready(bool mthca)
{
	struct ibv_ah_attr path = { .dlid = 1, .port_num = 1 };

	memory = process_memory(1 << 20);
	if (!memory || raw_alloc_pd(context->cmd_fd, &raw_pd))
		return false;
	if (mthca)
		return region_of_the_driver();
	qps.pd = ibv_alloc_pd(context);
	qps.cq = ibv_create_cq(context, 16, NULL, NULL, 0);
	qps.ah = qps.pd ? ibv_create_ah(qps.pd, &path) : NULL;
	return qps.cq && qps.ah &&
	       !raw_reg_mr(context->cmd_fd, raw_pd.handle, memory, 1 << 20, 0,
			   IBV_ACCESS_LOCAL_WRITE, &raw_mr);
}

int main(void)
{
	bool mthca;
	uint32_t cq;

	ksft_print_header();
	if (!leak_poisoned())
		ksft_exit_skip("the kernel was not started with init_on_alloc=0 slub_debug=P\n");
	context = process_open();
	mthca = context && process_driver_is(context, "ib_mthca");
	if (!context || !ready(mthca))
		ksft_exit_skip("no RDMA device that works\n");
	ksft_set_plan(18 + (mthca ? 1 : 7 + LEAK_TYPES * LEAK_STATES));
	without_queues(mthca ? LEAK_UNWRITTEN : LEAK_NONE);
	cq = leak_made_by(create_cq, 0);
	with_queues(cq);
	if (mthca)
		leak_expect("QUERY_QP", query_qp, leak_made_by(create_qp, cq),
			    leak_made_by(create_qp, cq), LEAK_POISON);
	else
		with_memory(cq);
	ksft_finished();
}
