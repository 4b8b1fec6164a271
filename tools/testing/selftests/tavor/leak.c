// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Runs: guest --driver tavor --sm --append init_on_alloc=0 --append slub_debug=P
// Timeout: 300
// Level: ci
//
// Tests that the responses of verbs to a process do not leak kernel memory. The kernel fills its
// memory with poison instead of zeros. No response may contain poison or be shorter than it claims.
// Each request is made on two objects, into memory that was filled with two patterns: a byte that
// is poison both times is a leak, and a byte that keeps both patterns was not written. By hand:
//   tools/testing/vm/run --driver tavor --sm --append init_on_alloc=0 --append slub_debug=P
//	-- build/guest/tavor/leak

#include <errno.h>
#include "kselftest.h"
#include "process.h"
#include "raw.h"

#define NR(table) (int)(sizeof(table) / sizeof((table)[0]))
#define POISON_NEW 0x5a /* memory just allocated */
#define POISON_OLD 0x6b /* memory that was free */

static struct ibv_context *context;
static struct ibv_port_attr port;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct raw_pd raw_pd;
static struct raw_mr raw_mr;
static char *memory;

/* The response to a request; each request is made twice. */
struct answer {
	uint8_t bytes[512];
	size_t size;
};

/* Every command with a response begins with the response's address. */
static int ask(uint32_t number, void *command, size_t size, struct answer *answer, size_t room)
{
	struct ib_uverbs_cmd_hdr *hdr = command;

	memcpy(hdr + 1, &(uint64_t){ (uintptr_t)answer->bytes }, sizeof(uint64_t));
	answer->size = room;
	return raw_command(context->cmd_fd, number, command, size, room);
}

static bool clean(const char *name, const struct answer *a, const struct answer *b)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < a->size; i++) {
		bool poison = a->bytes[i] == b->bytes[i] &&
			      (a->bytes[i] == POISON_NEW || a->bytes[i] == POISON_OLD);
		bool unwritten = a->bytes[i] == 0xc3 && b->bytes[i] == 0x3c;

		if (poison || unwritten)
			ksft_print_msg("%s: byte %zu is %s\n", name, i,
				       poison ? "the kernel's memory" : "not written");
		ok &= !poison && !unwritten;
	}
	return ok;
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

/* The device's number, 0x5a44, looks like poison. */
static int known(int ret, struct answer *answer)
{
	struct ib_uverbs_query_device_resp *device = (void *)answer->bytes;

	if (!ret && device->vendor_part_id == 0x5a44)
		device->vendor_part_id = 0;
	return ret;
}

static int query_device(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_query_device core;
	} command = {};

	return known(ask(IB_USER_VERBS_CMD_QUERY_DEVICE, &command, sizeof(command), answer,
			 sizeof(struct ib_uverbs_query_device_resp)),
		     answer);
}

static int query_device_ex(uint32_t handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_query_device core;
	} command = {
		.hdr = {
			.command = IB_USER_VERBS_CMD_FLAG_EXTENDED |
				   IB_USER_VERBS_EX_CMD_QUERY_DEVICE,
			.in_words = sizeof(command.core) / 8,
			.out_words = sizeof(struct ib_uverbs_ex_query_device_resp) / 8,
		},
		.ex.response = (uintptr_t)answer->bytes,
	};

	answer->size = sizeof(struct ib_uverbs_ex_query_device_resp);
	return known(write(context->cmd_fd, &command, sizeof(command)) == sizeof(command) ? 0 :
											    -errno,
		     answer);
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

static int create_qp(uint32_t cq_handle, struct answer *answer)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_qp core;
		struct mthca_create_qp driver;
	} command = {
		.core.pd_handle = raw_pd.handle,
		.core.send_cq_handle = cq_handle,
		.core.recv_cq_handle = cq_handle,
		.core.max_send_wr = 2,
		.core.max_recv_wr = 2,
		.core.max_send_sge = 1,
		.core.max_recv_sge = 1,
		.core.qp_type = IBV_QPT_UD,
		.driver.lkey = raw_mr.lkey,
	};

	return ask(IB_USER_VERBS_CMD_CREATE_QP, &command, sizeof(command), answer,
		   sizeof(struct ib_uverbs_create_qp_resp));
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

/* ---- The objects ---- */

static uint32_t made_by(int (*create)(uint32_t handle, struct answer *answer), uint32_t of)
{
	struct answer answer;
	uint32_t handle;

	if (create(of, &answer))
		ksft_exit_fail_msg("an object for a test cannot be made\n");
	/* The response to every create begins with the handle. */
	memcpy(&handle, answer.bytes, sizeof(handle));
	return handle;
}

static struct ibv_qp *qp_in(enum ibv_qp_type type, enum ibv_qp_state state)
{
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = type,
		.cap = { .max_send_wr = 2, .max_recv_wr = 2, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	const int to_init = IBV_QP_PKEY_INDEX | IBV_QP_PORT;
	const int to_rtr = IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN;
	const int to_rts = IBV_QP_SQ_PSN;
	const int rc_rtr = IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
	const int rc_rts =
		IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC;
	const bool ud = type == IBV_QPT_UD, rc = type == IBV_QPT_RC;
	const int masks[] = {
		to_init | (ud ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS),
		(ud ? 0 : to_rtr) | (rc ? rc_rtr : 0),
		to_rts | (rc ? rc_rts : 0),
		0,
	};
	struct ibv_qp *qp = ibv_create_qp(pd, &init);
	struct ibv_qp_attr attr = {
		.port_num = 1,
		.qkey = 1,
		.path_mtu = IBV_MTU_1024,
		.min_rnr_timer = 12,
		.timeout = 14,
		.ah_attr = { .dlid = port.lid, .port_num = 1 },
	};
	int i, ret = qp ? 0 : errno;

	for (i = 0; !ret && i < (int)state && i < NR(masks); i++) {
		attr.qp_state = IBV_QPS_INIT + i;
		ret = ibv_modify_qp(qp, &attr, IBV_QP_STATE | masks[i]);
	}
	attr.qp_state = state;
	if (!ret && state == IBV_QPS_ERR)
		ret = ibv_modify_qp(qp, &attr, IBV_QP_STATE);
	if (ret)
		ksft_exit_fail_msg("no QP of type %d in state %d: %s\n", type, state,
				   strerror(ret));
	return qp;
}

/* ---- The tests ---- */

static void test(const char *name, int (*request)(uint32_t handle, struct answer *answer),
		 uint32_t first, uint32_t second)
{
	struct answer a, b;
	int ret;

	memset(&a, 0xc3, sizeof(a));
	memset(&b, 0x3c, sizeof(b));
	ret = request(first, &a) ?: request(second, &b);
	if (ret)
		ksft_print_msg("%s: %s\n", name, strerror(-ret));
	ksft_test_result(!ret && clean(name, &a, &b), "%s\n", name);
}

/* The request needs objects that @create makes. */
static void test_made(const char *name, int (*request)(uint32_t handle, struct answer *answer),
		      int (*create)(uint32_t handle, struct answer *answer), uint32_t of)
{
	test(name, request, made_by(create, of), made_by(create, of));
}

static const enum ibv_qp_state states[] = { IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPS_RTR,
					    IBV_QPS_RTS,   IBV_QPS_SQD,	 IBV_QPS_ERR };
static const enum ibv_qp_type types[] = { IBV_QPT_RC, IBV_QPT_UC, IBV_QPT_UD };

static void each_qp(void)
{
	char name[64];
	int i, t;

	for (t = 0; t < NR(types); t++)
		for (i = 0; i < NR(states); i++) {
			struct ibv_qp *first = qp_in(types[t], states[i]);
			struct ibv_qp *second = qp_in(types[t], states[i]);

			snprintf(name, sizeof(name), "QUERY_QP of type %d in state %d", types[t],
				 states[i]);
			test(name, query_qp, first->handle, second->handle);
			ibv_destroy_qp(first);
			ibv_destroy_qp(second);
		}
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

static bool ready(void)
{
	context = process_open();
	memory = process_memory(1 << 20);
	if (!context || !memory)
		return false;
	pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 16, NULL, NULL, 0);
	return pd && cq && !ibv_query_port(context, 1, &port) &&
	       !raw_alloc_pd(context->cmd_fd, &raw_pd) &&
	       !raw_reg_mr(context->cmd_fd, raw_pd.handle, memory, 1 << 20, 0,
			   IBV_ACCESS_LOCAL_WRITE, &raw_mr);
}

/* Returns whether the kernel poisons its memory, as this test needs it. */
static bool poisoned(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "r");

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	return strstr(line, "init_on_alloc=0") && strstr(line, "slub_debug=P");
}

int main(void)
{
	uint32_t cq_handle;

	ksft_print_header();
	if (!poisoned())
		ksft_exit_skip("the kernel was not started with init_on_alloc=0 slub_debug=P\n");
	if (!ready())
		ksft_exit_skip("no RDMA device that works\n");
	ksft_set_plan(17 + NR(types) * NR(states));
	test("GET_CONTEXT", get_context, 0, 0);
	test("QUERY_DEVICE", query_device, 0, 0);
	test("QUERY_DEVICE, extended", query_device_ex, 0, 0);
	test("QUERY_PORT 1", query_port, 1, 1);
	test("QUERY_PORT 2", query_port, 2, 2);
	test("ALLOC_PD", alloc_pd, 0, 0);
	test("REG_MR", reg_mr, 0, 0);
	test("CREATE_CQ", create_cq, 0, 0);
	test_made("RESIZE_CQ", resize_cq, create_cq, 0);
	test_made("DESTROY_CQ", destroy_cq, create_cq, 0);
	test("CREATE_SRQ", create_srq, 0, 0);
	test_made("QUERY_SRQ", query_srq, create_srq, 0);
	test_made("DESTROY_SRQ", destroy_srq, create_srq, 0);
	cq_handle = made_by(create_cq, 0);
	test("CREATE_QP", create_qp, cq_handle, cq_handle);
	test_made("QUERY_QP", query_qp, create_qp, cq_handle);
	test_made("DESTROY_QP", destroy_qp, create_qp, cq_handle);
	each_qp();
	gids();
	ksft_finished();
}
