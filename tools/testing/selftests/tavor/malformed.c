// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 3600
// Kernels: 6.12 debug
// Level: all
// Guest: own
// Runs: guest --driver tavor --sm
// As: 0
// Level: ci
// Runs: guest --driver tavor --sm
// As: 1
// Runs: guest --driver tavor --sm
// As: 2
// Runs: guest --driver tavor --sm
// As: 3
// Runs: guest --driver tavor --sm
// As: 4
// Runs: guest --driver tavor --sm
// As: 5
// Runs: guest --driver tavor --sm
// As: 6
// Runs: guest --driver tavor --sm
// As: 7
// Runs: guest --driver tavor --sm
// As: 8
// Runs: guest --driver tavor --sm
// As: 9
// Runs: guest --driver tavor --sm
// As: 10
// Runs: guest --driver tavor --sm
// As: 11
// Runs: guest --driver tavor --sm
// As: 12
// Runs: guest --driver tavor --sm
// As: 13
// Runs: guest --driver tavor --sm
// As: 14
// Runs: guest --driver tavor --sm
// As: 15
// Runs: guest --driver tavor --sm
// As: 16
// Runs: guest --driver tavor --sm
// As: 17
// Runs: guest --driver tavor --sm
// As: 18
// Runs: guest --driver tavor --sm
// As: 19
//
// Tests that malformed calls of uverbs, by write() and by ioctl(), return one of the errors that
// the call may return. They have wrong sizes, handles, files and keys of other contexts or of
// destroyed objects, bad flags and capacities, and unmapped addresses, and some race with destroys.
// The kernel logs nothing, and nothing is left behind. A call depends only on the seed and its
// number, and the objects are always the same, so that a failed call can be repeated. Each part
// makes 5000 calls twice, all parts together 10^5 different ones. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/malformed [COUNT [SEED [FIRST]]]

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include "arbitrary.h"
#include "raw.h"

#define BUFFER (1 << 20)
#define ANSWER (4 << 20) /* longer than the response that any call may claim */
#define WORDS 64
#define SPACERS 40 /* makes the handles of the other context differ from the own ones */

/* ---- The objects for the calls ---- */

struct side {
	int fd, channel;
	struct raw_pd pd, second_pd;
	struct raw_mr mr, readonly;
	struct raw_mw mw;
	struct raw_cq cq;
	struct raw_srq srq;
	struct raw_qp rc, ud;
	struct raw_mr stale; /* deregistered, and its handle stays free */
};

static struct side own, other;
static struct raw_mr gone;
static char device[256];
static char *memory, *response, *readonly_page;

static int get_context(int fd)
{
	struct {
		struct ib_uverbs_get_context_resp core;
		struct mthca_alloc_ucontext_resp driver;
	} response;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_get_context core;
	} command = { .core.response = (uintptr_t)&response };

	return raw_command(fd, IB_USER_VERBS_CMD_GET_CONTEXT, &command, sizeof(command),
			   sizeof(response));
}

static int create_channel(int fd)
{
	struct ib_uverbs_create_comp_channel_resp response;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_comp_channel core;
	} command = { .core.response = (uintptr_t)&response };
	int ret = raw_command(fd, IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, &command, sizeof(command),
			      sizeof(response));

	return ret ? ret : (int)response.fd;
}

static int create_qp(const struct side *side, uint8_t type, struct raw_qp *qp)
{
	const struct raw_qp_in in = {
		.pd = side->pd.handle,
		.send_cq = side->cq.handle,
		.recv_cq = side->cq.handle,
		.lkey = side->mr.lkey,
		.send_wr = 2,
		.recv_wr = 2,
		.send_sge = 1,
		.recv_sge = 1,
		.type = type,
	};

	return raw_create_qp(side->fd, &in, qp);
}

/* build_on_pd: each object needs those before it */
static int build_on_pd(struct side *side)
{
	const uint32_t pd = side->pd.handle;
	const int fd = side->fd;
	int ret = raw_alloc_pd(fd, &side->second_pd);

	if (!ret)
		ret = raw_reg_mr(fd, pd, memory, BUFFER, 0, IBV_ACCESS_LOCAL_WRITE, &side->mr);
	if (!ret)
		ret = raw_reg_mr(fd, pd, readonly_page, PROCESS_PAGE, 0, 0, &side->readonly);
	if (!ret)
		ret = raw_alloc_mw(fd, pd, IBV_MW_TYPE_1, &side->mw);
	if (!ret)
		ret = raw_create_cq(fd, 63, side->mr.lkey, side->pd.pdn, &side->cq);
	if (!ret)
		ret = raw_create_srq(fd, pd, 16, 1, side->mr.lkey, &side->srq);
	if (!ret)
		ret = create_qp(side, IBV_QPT_RC, &side->rc);
	if (!ret)
		ret = create_qp(side, IBV_QPT_UD, &side->ud);
	if (!ret)
		ret = raw_reg_mr(fd, pd, memory, PROCESS_PAGE, 0, IBV_ACCESS_LOCAL_WRITE,
				 &side->stale);
	return ret ?: raw_dereg_mr(fd, side->stale.handle);
}

static int build(struct side *side)
{
	side->fd = open(device, O_RDWR | O_CLOEXEC);
	if (side->fd < 0)
		return -errno;
	side->channel = get_context(side->fd) ?: create_channel(side->fd);
	if (side->channel < 0)
		return side->channel;
	return raw_alloc_pd(side->fd, &side->pd) ?: build_on_pd(side);
}

/* Creates the own objects again, and closes the files that calls have opened. */
static void rebuild(void)
{
	int ret;

	close_range(arbitrary_first_fd, ~0U, 0);
	ret = build(&own);
	if (ret)
		ksft_exit_fail_msg("the objects cannot be made again: %s\n", strerror(-ret));
}

static int build_other(void)
{
	struct raw_pd spacer;
	int ret = build(&other), i;

	/* Handles are given in order, so the second set of objects has handles far away. */
	for (i = 0; !ret && i < SPACERS; i++)
		ret = raw_alloc_pd(other.fd, &spacer);
	return ret ?: raw_alloc_pd(other.fd, &other.pd) ?: build_on_pd(&other);
}

/* ---- The errors that a call may return ---- */

#define ERRORS                        \
	ERROR(OK, 0)                  \
	ERROR(INVAL, EINVAL)          \
	ERROR(FAULT, EFAULT)          \
	ERROR(NOSPC, ENOSPC)          \
	ERROR(NOTSUPP, EOPNOTSUPP)    \
	ERROR(NOENT, ENOENT)          \
	ERROR(BADF, EBADF)            \
	ERROR(BUSY, EBUSY)            \
	ERROR(NOMEM, ENOMEM)          \
	ERROR(PROTO, EPROTONOSUPPORT) \
	ERROR(TOOBIG, E2BIG)          \
	ERROR(RANGE, EOVERFLOW)       \
	ERROR(NODATA, ENODATA)

enum {
#define ERROR(name, number) NUMBER_##name,
	ERRORS
#undef ERROR
#define ERROR(name, number) MAY_##name = 1 << NUMBER_##name,
		ERRORS
#undef ERROR
};

/* Of any command: wrong sizes, values and addresses, no room for the response, unknown flags */
#define ANY_CALL (MAY_OK | MAY_INVAL | MAY_FAULT | MAY_NOSPC | MAY_NOTSUPP)
#define ON_OBJECT (ANY_CALL | MAY_NOENT)
#define DESTROYS (ON_OBJECT | MAY_BUSY)
#define CREATES (ON_OBJECT | MAY_NOMEM)
/* Of any method by ioctl(), also unknown attributes and objects, and bad file descriptors */
#define BY_IOCTL ((ON_OBJECT & ~MAY_OK) | MAY_PROTO | MAY_BADF)
#define EVERYTHING (~0U)

static const char *called; /* the entry of the present call */
static uint32_t allowed;

/* 0: no call may return it. The firmware's answers to nonsense and a failed device's are such. */
static uint32_t bit_of(int error)
{
	static const int errors[] = {
#define ERROR(name, number) [NUMBER_##name] = number,
		ERRORS
#undef ERROR
	};
	unsigned int i;

	for (i = 0; i < NR(errors); i++)
		if (errors[i] == error)
			return 1U << i;
	return 0;
}

/* ---- Commands: valid ones, which are then spoiled ---- */

struct command {
	union {
		struct ib_uverbs_cmd_hdr hdr;
		uint32_t word[WORDS];
	};
	size_t size;
};

static void *begin(struct command *c, uint32_t number, size_t core, size_t driver, size_t out)
{
	memset(c, 0, sizeof(*c));
	c->size = sizeof(c->hdr) + core + driver;
	c->hdr.command = number;
	c->hdr.in_words = c->size / 4;
	c->hdr.out_words = out / 4;
	if (out)
		memcpy(&c->word[2], &(uint64_t){ (uintptr_t)response }, 8);
	return &c->word[2];
}

/* An extended command. As in others, the address of the response comes after the first header. */
static void *begin_ex(struct command *c, uint32_t number, size_t core, size_t driver, size_t out,
		      size_t driver_out)
{
	struct ib_uverbs_ex_cmd_hdr ex = {
		.response = (uintptr_t)response,
		.provider_in_words = driver / 8,
		.provider_out_words = driver_out / 8,
	};

	memset(c, 0, sizeof(*c));
	c->size = sizeof(c->hdr) + sizeof(ex) + core + driver;
	c->hdr.command = IB_USER_VERBS_CMD_FLAG_EXTENDED | number;
	c->hdr.in_words = core / 8;
	c->hdr.out_words = out / 8;
	memcpy(&c->word[2], &ex, sizeof(ex));
	return &c->word[6];
}

#define BEGIN_EX(c, number, in, driver, out, driver_out)                                       \
	struct in *cmd = begin_ex(c, IB_USER_VERBS_EX_CMD_##number, sizeof(struct in), driver, \
				  out, driver_out)

#define BEGIN(c, number, in, driver, out) \
	struct in *cmd = begin(c, IB_USER_VERBS_CMD_##number, sizeof(struct in), driver, out)

static void good_query_device(struct command *c)
{
	begin(c, IB_USER_VERBS_CMD_QUERY_DEVICE, sizeof(struct ib_uverbs_query_device), 0,
	      sizeof(struct ib_uverbs_query_device_resp));
}

static void good_query_device_ex(struct command *c)
{
	begin_ex(c, IB_USER_VERBS_EX_CMD_QUERY_DEVICE, sizeof(struct ib_uverbs_ex_query_device), 0,
		 sizeof(struct ib_uverbs_ex_query_device_resp), 0);
}

static void good_query_port(struct command *c)
{
	BEGIN(c, QUERY_PORT, ib_uverbs_query_port, 0, sizeof(struct ib_uverbs_query_port_resp));
	cmd->port_num = 1;
}

static void good_alloc_pd(struct command *c)
{
	begin(c, IB_USER_VERBS_CMD_ALLOC_PD, sizeof(struct ib_uverbs_alloc_pd), 0,
	      sizeof(struct ib_uverbs_alloc_pd_resp) + sizeof(struct mthca_alloc_pd_resp));
}

static void good_dealloc_pd(struct command *c)
{
	BEGIN(c, DEALLOC_PD, ib_uverbs_dealloc_pd, 0, 0);
	cmd->pd_handle = own.pd.handle;
}

static void good_reg_mr(struct command *c)
{
	BEGIN(c, REG_MR, ib_uverbs_reg_mr, sizeof(struct mthca_reg_mr),
	      sizeof(struct ib_uverbs_reg_mr_resp));
	cmd->start = (uintptr_t)memory;
	cmd->length = 3 * PROCESS_PAGE;
	cmd->hca_va = (uintptr_t)memory;
	cmd->pd_handle = own.pd.handle;
	cmd->access_flags = IBV_ACCESS_LOCAL_WRITE | (one_in(4) ? IBV_ACCESS_MW_BIND : 0);
}

static void good_rereg_mr(struct command *c)
{
	BEGIN(c, REREG_MR, ib_uverbs_rereg_mr, 0, sizeof(struct ib_uverbs_rereg_mr_resp));
	cmd->mr_handle = own.mr.handle;
	cmd->flags = 2;
	cmd->pd_handle = own.second_pd.handle;
}

static void good_dereg_mr(struct command *c)
{
	BEGIN(c, DEREG_MR, ib_uverbs_dereg_mr, 0, 0);
	cmd->mr_handle = own.mr.handle;
}

static void good_alloc_mw(struct command *c)
{
	BEGIN(c, ALLOC_MW, ib_uverbs_alloc_mw, 0, sizeof(struct ib_uverbs_alloc_mw_resp));
	cmd->pd_handle = own.pd.handle;
	cmd->mw_type = one_in(4) ? below(4) : IBV_MW_TYPE_1;
}

static void good_dealloc_mw(struct command *c)
{
	BEGIN(c, DEALLOC_MW, ib_uverbs_dealloc_mw, 0, 0);
	cmd->mw_handle = own.mw.handle;
}

static void good_create_channel(struct command *c)
{
	begin(c, IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL,
	      sizeof(struct ib_uverbs_create_comp_channel), 0,
	      sizeof(struct ib_uverbs_create_comp_channel_resp));
}

static void good_create_cq(struct command *c)
{
	BEGIN(c, CREATE_CQ, ib_uverbs_create_cq, sizeof(struct mthca_create_cq),
	      sizeof(struct ib_uverbs_create_cq_resp) + sizeof(struct mthca_create_cq_resp));
	struct mthca_create_cq *driver = (void *)(cmd + 1);

	cmd->cqe = 63;
	cmd->comp_channel = own.channel;
	driver->lkey = own.mr.lkey;
	driver->pdn = own.pd.pdn;
}

static void good_create_cq_ex(struct command *c)
{
	BEGIN_EX(c, CREATE_CQ, ib_uverbs_ex_create_cq, sizeof(struct mthca_create_cq),
		 sizeof(struct ib_uverbs_ex_create_cq_resp), sizeof(struct mthca_create_cq_resp));
	struct mthca_create_cq *driver = (void *)(cmd + 1);

	cmd->cqe = 63;
	cmd->comp_channel = own.channel;
	driver->lkey = own.mr.lkey;
	driver->pdn = own.pd.pdn;
}

static void good_resize_cq(struct command *c)
{
	BEGIN(c, RESIZE_CQ, ib_uverbs_resize_cq, sizeof(struct mthca_resize_cq),
	      sizeof(struct ib_uverbs_resize_cq_resp));
	struct mthca_resize_cq *driver = (void *)(cmd + 1);

	cmd->cq_handle = own.cq.handle;
	cmd->cqe = 127;
	driver->lkey = own.mr.lkey;
}

static void good_destroy_cq(struct command *c)
{
	BEGIN(c, DESTROY_CQ, ib_uverbs_destroy_cq, 0, sizeof(struct ib_uverbs_destroy_cq_resp));
	cmd->cq_handle = own.cq.handle;
}

/* No process may use these: the library posts and polls without the kernel. */
static void good_fast_path(struct command *c)
{
	static const uint32_t numbers[] = {
		IB_USER_VERBS_CMD_POLL_CQ,   IB_USER_VERBS_CMD_REQ_NOTIFY_CQ,
		IB_USER_VERBS_CMD_PEEK_CQ,   IB_USER_VERBS_CMD_POST_SEND,
		IB_USER_VERBS_CMD_POST_RECV, IB_USER_VERBS_CMD_POST_SRQ_RECV,
	};
	uint32_t *word = begin(c, numbers[below(NR(numbers))], 48, 0, 64);

	word[2] = below(4) ? own.rc.handle : own.cq.handle;
	word[3] = 1;
	word[4] = one_in(2);
	word[5] = 16;
}

/* The fields of a create are the same in both forms of the command. */
#define GOOD_QP(cmd, driver)                            \
	do {                                            \
		(cmd)->pd_handle = own.pd.handle;       \
		(cmd)->send_cq_handle = own.cq.handle;  \
		(cmd)->recv_cq_handle = own.cq.handle;  \
		(cmd)->srq_handle = own.srq.handle;     \
		(cmd)->is_srq = one_in(3);              \
		(cmd)->max_send_wr = 4;                 \
		(cmd)->max_recv_wr = 4;                 \
		(cmd)->max_send_sge = 1;                \
		(cmd)->max_recv_sge = 1;                \
		(cmd)->qp_type = IBV_QPT_RC + below(3); \
		(driver)->lkey = own.mr.lkey;           \
	} while (0)

static void good_create_qp(struct command *c)
{
	BEGIN(c, CREATE_QP, ib_uverbs_create_qp, sizeof(struct mthca_create_qp),
	      sizeof(struct ib_uverbs_create_qp_resp));
	struct mthca_create_qp *driver = (void *)(cmd + 1);

	GOOD_QP(cmd, driver);
}

static void good_create_qp_ex(struct command *c)
{
	BEGIN_EX(c, CREATE_QP, ib_uverbs_ex_create_qp, sizeof(struct mthca_create_qp),
		 sizeof(struct ib_uverbs_ex_create_qp_resp), 0);
	struct mthca_create_qp *driver = (void *)(cmd + 1);

	GOOD_QP(cmd, driver);
}

static void good_query_qp(struct command *c)
{
	BEGIN(c, QUERY_QP, ib_uverbs_query_qp, 0, sizeof(struct ib_uverbs_query_qp_resp));
	cmd->qp_handle = one_in(2) ? own.rc.handle : own.ud.handle;
}

static void to_init(struct ib_uverbs_modify_qp *cmd)
{
	const bool ud = one_in(3);

	cmd->qp_handle = ud ? own.ud.handle : own.rc.handle;
	cmd->attr_mask = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
			 (ud ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS);
	cmd->qp_state = IBV_QPS_INIT;
	cmd->port_num = 1;
	cmd->path_mtu = IBV_MTU_1024;
	cmd->dest.port_num = 1;
	cmd->alt_dest.port_num = 1;
	cmd->alt_port_num = 1;
}

static void good_modify_qp(struct command *c)
{
	BEGIN(c, MODIFY_QP, ib_uverbs_modify_qp, 0, 0);
	to_init(cmd);
}

static void good_modify_qp_ex(struct command *c)
{
	BEGIN_EX(c, MODIFY_QP, ib_uverbs_ex_modify_qp, 0,
		 sizeof(struct ib_uverbs_ex_modify_qp_resp), 0);
	to_init(&cmd->base);
}

static void good_destroy_qp(struct command *c)
{
	BEGIN(c, DESTROY_QP, ib_uverbs_destroy_qp, 0, sizeof(struct ib_uverbs_destroy_qp_resp));
	cmd->qp_handle = own.ud.handle;
}

static void good_mcast(struct command *c)
{
	BEGIN(c, ATTACH_MCAST, ib_uverbs_attach_mcast, 0, 0);
	if (one_in(2))
		c->hdr.command = IB_USER_VERBS_CMD_DETACH_MCAST;
	cmd->gid[0] = 0xff;
	cmd->gid[1] = 0x12;
	cmd->qp_handle = own.ud.handle;
	cmd->mlid = 0xc001;
}

static void good_create_srq(struct command *c)
{
	BEGIN(c, CREATE_SRQ, ib_uverbs_create_srq, sizeof(struct mthca_create_srq),
	      sizeof(struct ib_uverbs_create_srq_resp) + sizeof(struct mthca_create_srq_resp));
	struct mthca_create_srq *driver = (void *)(cmd + 1);

	cmd->pd_handle = own.pd.handle;
	cmd->max_wr = 16;
	cmd->max_sge = 1;
	driver->lkey = own.mr.lkey;
}

static void good_create_xsrq(struct command *c)
{
	BEGIN(c, CREATE_XSRQ, ib_uverbs_create_xsrq, sizeof(struct mthca_create_srq),
	      sizeof(struct ib_uverbs_create_srq_resp) + sizeof(struct mthca_create_srq_resp));
	struct mthca_create_srq *driver = (void *)(cmd + 1);

	cmd->srq_type = below(4);
	cmd->pd_handle = own.pd.handle;
	cmd->cq_handle = own.cq.handle;
	cmd->max_wr = 16;
	cmd->max_sge = 1;
	driver->lkey = own.mr.lkey;
}

static void good_modify_srq(struct command *c)
{
	BEGIN(c, MODIFY_SRQ, ib_uverbs_modify_srq, 0, 0);
	cmd->srq_handle = own.srq.handle;
	cmd->attr_mask = IBV_SRQ_LIMIT;
	cmd->srq_limit = 4;
}

static void good_query_srq(struct command *c)
{
	BEGIN(c, QUERY_SRQ, ib_uverbs_query_srq, 0, sizeof(struct ib_uverbs_query_srq_resp));
	cmd->srq_handle = own.srq.handle;
}

static void good_destroy_srq(struct command *c)
{
	BEGIN(c, DESTROY_SRQ, ib_uverbs_destroy_srq, 0, sizeof(struct ib_uverbs_destroy_srq_resp));
	cmd->srq_handle = own.srq.handle;
}

/* A random command number with random content */
static void no_command(struct command *c)
{
	uint32_t i, words = 2 + below(WORDS - 2);

	begin(c, below(80), 4 * words - sizeof(c->hdr), 0, 4 * below(32));
	for (i = 4; i < words; i++)
		c->word[i] = one_in(2) ? 0 : any();
}

static const struct entry {
	const char *name;
	void (*fill)(struct command *c);
	uint32_t may;
} commands[] = {
#define ENTRY(name, may) { #name, good_##name, may }
	ENTRY(query_device, ANY_CALL),
	ENTRY(query_port, ANY_CALL),
	ENTRY(alloc_pd, ANY_CALL | MAY_NOMEM),
	ENTRY(dealloc_pd, DESTROYS),
	ENTRY(reg_mr, CREATES),
	ENTRY(rereg_mr, CREATES | MAY_BUSY),
	ENTRY(dereg_mr, DESTROYS),
	ENTRY(create_cq, CREATES | MAY_BADF),
	ENTRY(resize_cq, CREATES),
	ENTRY(destroy_cq, DESTROYS),
	ENTRY(fast_path, ANY_CALL & ~MAY_OK),
	ENTRY(create_qp, CREATES),
	ENTRY(create_qp, CREATES),
	ENTRY(query_qp, ON_OBJECT),
	ENTRY(modify_qp, ON_OBJECT),
	ENTRY(modify_qp, ON_OBJECT),
	ENTRY(destroy_qp, DESTROYS),
	ENTRY(mcast, CREATES),
	ENTRY(create_srq, CREATES),
	ENTRY(create_xsrq, CREATES),
	ENTRY(modify_srq, ON_OBJECT),
	ENTRY(query_srq, ON_OBJECT),
	ENTRY(destroy_srq, DESTROYS),
	ENTRY(create_channel, ANY_CALL),
	ENTRY(alloc_mw, CREATES),
	ENTRY(dealloc_mw, DESTROYS),
	{ "no command", no_command, EVERYTHING },
	ENTRY(query_device_ex, ANY_CALL),
	ENTRY(create_cq_ex, CREATES | MAY_BADF),
	ENTRY(create_qp_ex, CREATES),
	ENTRY(modify_qp_ex, ON_OBJECT),
};

static void fill(struct command *c)
{
	const struct entry *entry = &commands[below(NR(commands))];

	entry->fill(c);
	called = entry->name;
	allowed = entry->may;
}

/* ---- Spoiling ---- */

static uint32_t odd_number(void)
{
	static const uint32_t numbers[] = {
		0,	  1,	     2,		 3,	     7,	  8,   15,   16,   31,	   32,
		63,	  64,	     127,	 128,	     255, 256, 4095, 4096, 0xffff, 0x10000,
		0xffffff, 0x1000000, 0x7fffffff, 0x80000000, ~0U, ~1U, ~3U,  ~63U, -4096U,
	};
	const uint32_t theirs[] = {
		own.pd.handle,
		own.pd.pdn,
		own.mr.handle,
		own.mr.lkey,
		own.cq.handle,
		own.srq.handle,
		own.rc.handle,
		own.ud.handle,
		own.cq.cqn,
		own.rc.qpn,
		own.second_pd.pdn,
		own.second_pd.handle,
		own.mw.handle,
		own.mw.rkey,
		other.mw.handle,
		own.readonly.lkey,
		other.pd.handle,
		other.pd.pdn,
		other.mr.handle,
		other.mr.lkey,
		other.cq.handle,
		other.srq.handle,
		other.rc.handle,
		gone.handle,
		gone.lkey,
		own.mr.lkey ^ 0x10000,
		own.stale.handle,
		own.stale.lkey,
		own.fd,
		own.channel,
		other.fd,
		other.channel,
	};

	switch (below(4)) {
	case 0:
		return any();
	case 1:
		return 1U << below(32);
	case 2:
		return theirs[below(NR(theirs))];
	default:
		return numbers[below(NR(numbers))];
	}
}

static uint64_t odd_address(void)
{
	const uint64_t addresses[] = {
		0,
		8,
		(uintptr_t)response + 1,
		(uintptr_t)response + PROCESS_PAGE - 4,
		(uintptr_t)readonly_page,
		(uintptr_t)memory + BUFFER - 4,
		(uintptr_t)memory + BUFFER,
		0x00007fffffffffffULL,
		0x0000800000000000ULL,
		0xffff888000000000ULL,
		0xffffffff81000000ULL,
		~0ULL,
		~7ULL,
	};

	return addresses[below(NR(addresses))];
}

static void spoil_size(struct command *c)
{
	switch (below(5)) {
	case 0:
		c->hdr.in_words = below(WORDS);
		break;
	case 1:
		c->hdr.out_words = one_in(2) ? below(128) : any();
		break;
	case 2:
		c->size = below(4 * WORDS);
		break;
	case 3:
		c->size = 4 * below(WORDS);
		c->hdr.in_words = c->size / 4;
		break;
	default:
		c->hdr.command |= 1U << (24 + below(8));
	}
}

static void spoil(struct command *c)
{
	uint32_t words = c->size / 4, i, at;

	switch (below(8)) {
	case 0:
		spoil_size(c);
		break;
	case 1:
		if (c->hdr.out_words)
			memcpy(&c->word[2], &(uint64_t){ odd_address() }, 8);
		break;
	case 2:
		at = 2 + below(words > 4 ? words - 3 : 1);
		memcpy(&c->word[at], &(uint64_t){ odd_address() }, 8);
		break;
	default:
		/* The address of the response is not spoiled. */
		for (i = 1 + below(3); i && words > 4; i--)
			c->word[4 + below(words - 4)] = odd_number();
	}
}

/* asks: the command does not change any object */
static bool asks(const struct command *c)
{
	return c->hdr.command == IB_USER_VERBS_CMD_QUERY_DEVICE ||
	       c->hdr.command ==
		       (IB_USER_VERBS_CMD_FLAG_EXTENDED | IB_USER_VERBS_EX_CMD_QUERY_DEVICE) ||
	       c->hdr.command == IB_USER_VERBS_CMD_QUERY_PORT ||
	       c->hdr.command == IB_USER_VERBS_CMD_QUERY_QP ||
	       c->hdr.command == IB_USER_VERBS_CMD_QUERY_SRQ;
}

static int written(void)
{
	struct command c;
	int ret;

	fill(&c);
	spoil(&c);
	ret = write(own.fd, &c, c.size) == (ssize_t)c.size ? 0 : errno;
	if (!ret && !asks(&c))
		rebuild();
	return ret;
}

/* ---- By ioctl: objects, methods and attributes by number ---- */

struct ioctl_call {
	struct ib_uverbs_ioctl_hdr hdr;
	struct ib_uverbs_attr attr[16];
};

static union {
	struct mthca_create_cq cq;
	struct mthca_create_qp qp;
	struct mthca_create_srq srq;
	struct ib_uverbs_qp_cap cap;
	struct ib_uverbs_reg_mr mr;
} input[2];

static void add(struct ioctl_call *c, uint16_t id, uint16_t len, uint64_t data)
{
	c->attr[c->hdr.num_attrs++] = (struct ib_uverbs_attr){
		.attr_id = id,
		.len = len,
		.flags = UVERBS_ATTR_F_MANDATORY,
		.data = data,
	};
}

static void add_out(struct ioctl_call *c, uint16_t id, uint16_t len)
{
	add(c, id, len, (uintptr_t)response);
}

static void plain_invoke_write(struct ioctl_call *c)
{
	static struct command body;
	int first;

	c->hdr.object_id = UVERBS_OBJECT_DEVICE;
	c->hdr.method_id = UVERBS_METHOD_INVOKE_WRITE;
	fill(&body);
	if (one_in(2))
		spoil(&body);
	first = body.hdr.command & IB_USER_VERBS_CMD_FLAG_EXTENDED ? 6 : 2;
	add(c, UVERBS_ATTR_CORE_IN, body.size, (uintptr_t)&body.word[first]);
	add_out(c, UVERBS_ATTR_CORE_OUT, 4 * body.hdr.out_words);
	add(c, UVERBS_ATTR_WRITE_CMD, 8, body.hdr.command);
	add(c, UVERBS_ATTR_UHW_IN, sizeof(input[0]), (uintptr_t)&input[0]);
	add_out(c, UVERBS_ATTR_UHW_OUT, 8);
}

static void plain_queries(struct ioctl_call *c)
{
	c->hdr.object_id = UVERBS_OBJECT_DEVICE;
	c->hdr.method_id = UVERBS_METHOD_QUERY_PORT + below(5);
	add(c, 0, 4 << below(2), one_in(2) ? 1 : (uintptr_t)response);
	add_out(c, 1, 4 << below(5));
	add_out(c, 2, 4 << below(9));
	add_out(c, 3, 4 << below(5));
}

static void plain_create_cq(struct ioctl_call *c)
{
	input[0].cq = (struct mthca_create_cq){ .lkey = own.mr.lkey, .pdn = own.pd.pdn };
	c->hdr.object_id = UVERBS_OBJECT_CQ;
	c->hdr.method_id = UVERBS_METHOD_CQ_CREATE;
	add(c, UVERBS_ATTR_CREATE_CQ_HANDLE, 0, 0);
	add(c, UVERBS_ATTR_CREATE_CQ_CQE, 4, 63);
	add(c, UVERBS_ATTR_CREATE_CQ_USER_HANDLE, 8, 0);
	add(c, UVERBS_ATTR_CREATE_CQ_COMP_CHANNEL, 0, own.channel);
	add(c, UVERBS_ATTR_CREATE_CQ_COMP_VECTOR, 4, 0);
	add(c, UVERBS_ATTR_CREATE_CQ_FLAGS, 4, 0);
	add_out(c, UVERBS_ATTR_CREATE_CQ_RESP_CQE, 4);
	add(c, UVERBS_ATTR_UHW_IN, sizeof(input[0].cq), (uintptr_t)&input[0].cq);
	add_out(c, UVERBS_ATTR_UHW_OUT, 8);
}

static void plain_create_qp(struct ioctl_call *c)
{
	input[0].qp = (struct mthca_create_qp){ .lkey = own.mr.lkey };
	input[1].cap = (struct ib_uverbs_qp_cap){ 2, 2, 1, 1, 0 };
	c->hdr.object_id = UVERBS_OBJECT_QP;
	c->hdr.method_id = UVERBS_METHOD_QP_CREATE;
	add(c, UVERBS_ATTR_CREATE_QP_HANDLE, 0, 0);
	add(c, UVERBS_ATTR_CREATE_QP_PD_HANDLE, 0, own.pd.handle);
	add(c, UVERBS_ATTR_CREATE_QP_SEND_CQ_HANDLE, 0, own.cq.handle);
	add(c, UVERBS_ATTR_CREATE_QP_RECV_CQ_HANDLE, 0, own.cq.handle);
	add(c, UVERBS_ATTR_CREATE_QP_USER_HANDLE, 8, 0);
	add(c, UVERBS_ATTR_CREATE_QP_CAP, sizeof(input[1].cap), (uintptr_t)&input[1].cap);
	add(c, UVERBS_ATTR_CREATE_QP_TYPE, 8, IBV_QPT_RC + below(3));
	add(c, UVERBS_ATTR_CREATE_QP_FLAGS, 4, 0);
	add_out(c, UVERBS_ATTR_CREATE_QP_RESP_CAP, sizeof(struct ib_uverbs_qp_cap));
	add_out(c, UVERBS_ATTR_CREATE_QP_RESP_QP_NUM, 4);
	add(c, UVERBS_ATTR_UHW_IN, sizeof(input[0].qp), (uintptr_t)&input[0].qp);
	if (one_in(3))
		add(c, UVERBS_ATTR_CREATE_QP_SRQ_HANDLE, 0, own.srq.handle);
}

static void plain_create_srq(struct ioctl_call *c)
{
	input[0].srq = (struct mthca_create_srq){ .lkey = own.mr.lkey };
	c->hdr.object_id = UVERBS_OBJECT_SRQ;
	c->hdr.method_id = UVERBS_METHOD_SRQ_CREATE;
	add(c, UVERBS_ATTR_CREATE_SRQ_HANDLE, 0, 0);
	add(c, UVERBS_ATTR_CREATE_SRQ_PD_HANDLE, 0, own.pd.handle);
	add(c, UVERBS_ATTR_CREATE_SRQ_USER_HANDLE, 8, 0);
	add(c, UVERBS_ATTR_CREATE_SRQ_MAX_WR, 4, 16);
	add(c, UVERBS_ATTR_CREATE_SRQ_MAX_SGE, 4, 1);
	add(c, UVERBS_ATTR_CREATE_SRQ_LIMIT, 4, 0);
	add(c, UVERBS_ATTR_CREATE_SRQ_TYPE, 8, 0);
	add_out(c, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_WR, 4);
	add_out(c, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_SGE, 4);
	add(c, UVERBS_ATTR_UHW_IN, sizeof(input[0].srq), (uintptr_t)&input[0].srq);
	add_out(c, UVERBS_ATTR_UHW_OUT, 8);
}

static void plain_mr(struct ioctl_call *c)
{
	c->hdr.object_id = UVERBS_OBJECT_MR;
	c->hdr.method_id = below(6);
	add(c, 0, 0, one_in(2) ? own.mr.handle : own.pd.handle);
	add(c, 1, 8, one_in(2) ? own.pd.handle : (uintptr_t)response);
	add(c, 2, 8, 0);
	add(c, 3, 8, PROCESS_PAGE);
	add(c, 4, 4, one_in(2) ? 1 : own.channel);
}

static void plain_destroy(struct ioctl_call *c)
{
	static const struct {
		uint16_t object, method;
	} destroys[] = {
		{ UVERBS_OBJECT_PD, 0 },
		{ UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_DESTROY },
		{ UVERBS_OBJECT_QP, UVERBS_METHOD_QP_DESTROY },
		{ UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_DESTROY },
		{ UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY },
		{ UVERBS_OBJECT_AH, 0 },
		{ UVERBS_OBJECT_MW, 0 },
		{ UVERBS_OBJECT_FLOW, 0 },
	};
	const int i = below(NR(destroys));

	c->hdr.object_id = destroys[i].object;
	c->hdr.method_id = destroys[i].method;
	add(c, 0, 0, odd_number());
	if (one_in(2))
		add_out(c, 1, 4);
}

/* Random numbers with random content */
static void no_method(struct ioctl_call *c)
{
	int n = below(8);

	c->hdr.object_id = one_in(10) ? any() : below(22);
	c->hdr.method_id = one_in(10) ? any() : below(10);
	while (n--)
		add(c, one_in(4) ? 0x1000 + below(4) : below(16), one_in(3) ? 0 : 4 << below(5),
		    one_in(2) ? odd_number() : (uintptr_t)response);
}

static void spoil_attr(struct ib_uverbs_attr *attr)
{
	switch (below(6)) {
	case 0:
		attr->attr_id = one_in(4) ? any() : below(18);
		break;
	case 1:
		attr->len = one_in(2) ? below(64) : any();
		break;
	case 2:
		attr->flags = odd_number();
		break;
	case 3:
		attr->attr_data.reserved = odd_number();
		break;
	case 4:
		attr->data = odd_address();
		break;
	default:
		attr->data = odd_number();
	}
}

static void spoil_ioctl(struct ioctl_call *c)
{
	int i;

	if (one_in(8))
		c->hdr.length = odd_number();
	if (one_in(8))
		c->hdr.num_attrs = odd_number();
	if (one_in(16))
		c->hdr.reserved1 = odd_number();
	if (one_in(16))
		c->hdr.driver_id = odd_number();
	for (i = below(3); i && c->hdr.num_attrs; i--)
		spoil_attr(&c->attr[below(c->hdr.num_attrs) % NR(c->attr)]);
	for (i = below(8); !i; i = 1)
		((uint32_t *)input)[below(sizeof(input) / 4)] = odd_number();
}

static int ioctled(void)
{
	static const struct {
		const char *name;
		void (*fill)(struct ioctl_call *c);
		uint32_t may;
	} calls[] = {
#define PLAIN(name, may) { #name " by ioctl", plain_##name, BY_IOCTL | (may) }
		PLAIN(invoke_write, 0), /* and what the command may return */
		PLAIN(invoke_write, 0),
		PLAIN(queries, MAY_OK | MAY_NODATA),
		PLAIN(create_cq, MAY_OK | MAY_NOMEM),
		PLAIN(create_qp, MAY_OK | MAY_NOMEM),
		PLAIN(create_srq, MAY_OK | MAY_NOMEM),
		PLAIN(mr, MAY_OK | MAY_NOMEM | MAY_BUSY),
		PLAIN(destroy, MAY_OK | MAY_BUSY),
		{ "no method", no_method, EVERYTHING },
	};
	struct ioctl_call c = { .hdr.driver_id = RDMA_DRIVER_MTHCA };
	const int i = below(NR(calls));
	int ret;

	allowed = 0;
	calls[i].fill(&c);
	called = calls[i].name;
	allowed |= calls[i].may;
	c.hdr.length = sizeof(c.hdr) + c.hdr.num_attrs * sizeof(c.attr[0]);
	spoil_ioctl(&c);
	ret = ioctl(own.fd, RDMA_VERBS_IOCTL, &c) ? errno : 0;
	if (!ret)
		rebuild();
	return ret;
}

/* ---- Destroys that race, with each other and with use ---- */

static struct race {
	int (*destroy)(int fd, uint32_t handle);
	uint32_t handle;
	int ret;
} race;
static sem_t race_begin, race_end;
static atomic_bool race_on;

/* Sleeps except during the race, because polling would take CPU time from the other thread. */
static void *racer(void *arg)
{
	for (;;) {
		sem_wait(&race_begin);
		atomic_store(&race_on, true);
		race.ret = race.destroy(own.fd, race.handle);
		sem_post(&race_end);
	}
	return NULL;
}

static int query_raced(uint32_t handle)
{
	struct command c;

	good_query_qp(&c);
	((struct ib_uverbs_query_qp *)&c.word[2])->qp_handle = handle;
	return write(own.fd, &c, c.size) == (ssize_t)c.size ? 0 : -errno;
}

static const struct raced {
	uint16_t object, method;
	int (*by_write)(int fd, uint32_t handle);
	bool answers;
} raceable[] = {
	{ UVERBS_OBJECT_PD, UVERBS_METHOD_PD_DESTROY, raw_dealloc_pd, false },
	{ UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY, raw_dereg_mr, false },
	{ UVERBS_OBJECT_MW, UVERBS_METHOD_MW_DESTROY, raw_dealloc_mw, false },
	{ UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_DESTROY, raw_destroy_cq, true },
	{ UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_DESTROY, raw_destroy_srq, true },
	{ UVERBS_OBJECT_QP, UVERBS_METHOD_QP_DESTROY, raw_destroy_qp, true },
};

static int destroy_by_ioctl(const struct raced *d, uint32_t handle)
{
	struct ioctl_call c = {
		.hdr = {
			.driver_id = RDMA_DRIVER_MTHCA,
			.object_id = d->object,
			.method_id = d->method,
		},
	};

	add(&c, 0, 0, handle);
	if (d->answers)
		add_out(&c, 1, d->object == UVERBS_OBJECT_CQ ? 8 : 4);
	c.hdr.length = sizeof(c.hdr) + c.hdr.num_attrs * sizeof(c.attr[0]);
	return ioctl(own.fd, RDMA_VERBS_IOCTL, &c) ? -errno : 0;
}

/* Creates an object that is to be destroyed by @d. Returns its handle or a negative errno. */
static int to_destroy(const struct raced *d)
{
	const uint32_t pd = own.pd.handle, lkey = own.mr.lkey;
	union {
		uint32_t handle; /* is the first member of each */
		struct raw_pd pd;
		struct raw_mr mr;
		struct raw_mw mw;
		struct raw_cq cq;
		struct raw_srq srq;
		struct raw_qp qp;
	} of;
	int ret;

	switch (d->object) {
	case UVERBS_OBJECT_PD:
		ret = raw_alloc_pd(own.fd, &of.pd);
		break;
	case UVERBS_OBJECT_MR:
		ret = raw_reg_mr(own.fd, pd, memory, 4096, 0, 0, &of.mr);
		break;
	case UVERBS_OBJECT_MW:
		ret = raw_alloc_mw(own.fd, pd, IBV_MW_TYPE_1, &of.mw);
		break;
	case UVERBS_OBJECT_CQ:
		ret = raw_create_cq(own.fd, 63, lkey, own.pd.pdn, &of.cq);
		break;
	case UVERBS_OBJECT_SRQ:
		ret = raw_create_srq(own.fd, pd, 16, 1, lkey, &of.srq);
		break;
	default:
		ret = create_qp(&own, IBV_QPT_RC, &of.qp);
	}
	return ret ?: (int)of.handle;
}

/* Two threads destroy the same object: exactly one must succeed, and the other must not find it. */
static int raced(void)
{
	const struct raced *d = &raceable[below(NR(raceable))];
	const bool by_ioctl = one_in(2);
	int mine, handle = to_destroy(d);

	called = "race";
	allowed = MAY_OK;
	if (handle < 0)
		return -handle;
	race = (struct race){ .destroy = d->by_write, .handle = handle };
	atomic_store(&race_on, false);
	sem_post(&race_begin);
	while (!atomic_load(&race_on))
		sched_yield();
	if (d->object == UVERBS_OBJECT_QP)
		query_raced(race.handle);
	mine = by_ioctl ? destroy_by_ioctl(d, handle) : d->by_write(own.fd, handle);
	sem_wait(&race_end);
	/* If both have failed, one got EBUSY because of the other, and the object still exists. */
	if (mine && race.ret)
		mine = d->by_write(own.fd, handle);
	return !mine == !race.ret ? EIO : 0;
}

/* ---- The whole test ---- */

static bool one_call(uint64_t seed, long number)
{
	int ret, kind;

	arbitrary_begin(seed, number);
	kind = below(100);
	ret = kind < 4 ? raced() : kind < 35 ? ioctled() : written();
	answers_count(ret);
	if (bit_of(ret) & allowed)
		return true;
	ksft_print_msg("seed %#llx, call %ld: %s: %s\n", (unsigned long long)seed, number, called,
		       ret ? strerrorname_np(ret) : "success");
	return false;
}

static bool ready(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct side early = {};
	pthread_t thread;

	if (!list || !list[0])
		return false;
	snprintf(device, sizeof(device), "/dev/infiniband/%s", list[0]->dev_name);
	ibv_free_device_list(list);
	memory = guarded(BUFFER);
	response = guarded(ANSWER);
	readonly_page = guarded(PROCESS_PAGE);
	if (!memory || !response || !readonly_page || build(&early))
		return false;
	gone = early.mr;
	close(early.channel);
	close(early.fd);
	return !build_other() && !mprotect(readonly_page, PROCESS_PAGE, PROT_READ) &&
	       !pthread_create(&thread, NULL, racer, NULL);
}

int main(int argc, char **argv)
{
	static const struct arbitrary what = {
		.ready = ready,
		.rebuild = rebuild,
		.call = one_call,
		.missing = "no RDMA device that works",
	};

	arbitrary_run(&what, argc, argv);
}
