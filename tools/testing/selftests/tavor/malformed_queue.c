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
// Tests that malformed calls of verb queues return a documented errno. The calls have files of
// another kind or of another context, handles of destroyed objects, wrong sizes, arrays of any
// length, and unmapped addresses, and some race with closes and destroys. An accepted request
// completes once, with a documented status. The kernel logs nothing, the model reports no
// violation, and nothing is left behind. A call depends only on the seed and its number, as in
// malformed.c. By hand, and COUNT, SEED and FIRST may follow:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/malformed_queue

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "arbitrary.h"
#include "raw.h"
#include "verb_queue.h"

#define DEPTH 64
#define RINGS (1 << 16)
#define LONGEST 65535 /* the longest attribute that uverbs accepts */
#define ANSWER (1 << 17)

/* ---- The objects for the calls ---- */

struct side {
	int fd, queue;
	struct raw_pd pd;
	struct raw_mr mr;
	struct raw_cq cq;
	struct raw_srq srq;
	struct raw_qp rc[3], ud;
};

static struct side own, other;
static uint32_t gone_qp;
static char device[256];
static char *memory, *input, *response, *readonly_page;
static int pipes[2];

static int get_context(int fd)
{
	struct {
		struct ib_uverbs_get_context_resp core;
		struct mthca_alloc_ucontext_resp driver;
	} answer;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_get_context core;
	} command = { .core.response = (uintptr_t)&answer };
	int ret = raw_command(fd, IB_USER_VERBS_CMD_GET_CONTEXT, &command, sizeof(command),
			      sizeof(answer));

	if (!ret)
		close(answer.core.async_fd);
	return ret;
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

static int build_qps(struct side *side)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < NR(side->rc); i++)
		ret = create_qp(side, IBV_QPT_RC, &side->rc[i]);
	return ret ?: create_qp(side, IBV_QPT_UD, &side->ud);
}

static int build(struct side *side)
{
	int ret;

	side->fd = open(device, O_RDWR | O_CLOEXEC);
	if (side->fd < 0)
		return -errno;
	ret = get_context(side->fd) ?: raw_alloc_pd(side->fd, &side->pd);
	if (!ret)
		ret = raw_reg_mr(side->fd, side->pd.handle, memory, RINGS, 0,
				 IBV_ACCESS_LOCAL_WRITE, &side->mr);
	if (!ret)
		ret = raw_create_cq(side->fd, 63, side->mr.lkey, side->pd.pdn, &side->cq);
	if (!ret)
		ret = raw_create_srq(side->fd, side->pd.handle, 16, 1, side->mr.lkey, &side->srq);
	if (!ret)
		ret = build_qps(side);
	if (ret)
		return ret;
	side->queue = vq_create(side->fd, DEPTH);
	return side->queue < 0 ? side->queue : 0;
}

/* Creates the own objects again, and closes the files that calls have opened. */
static void rebuild(void)
{
	struct raw_qp qp;
	int ret;

	close_range(arbitrary_first_fd, ~0U, 0);
	ret = build(&own) ?: create_qp(&own, IBV_QPT_RC, &qp) ?: raw_destroy_qp(own.fd, qp.handle);
	if (ret)
		ksft_exit_fail_msg("the objects cannot be made again: %s\n", strerror(-ret));
	gone_qp = qp.handle;
	fcntl(own.queue, F_SETFL, O_NONBLOCK);
}

/* ---- Odd values ---- */

static uint32_t odd_number(void)
{
	static const uint32_t numbers[] = {
		0,	   1,	       2,	   3,	 4,    7,    8,	     15,      16,
		31,	   32,	       63,	   64,	 65,   127,  128,    255,     256,
		257,	   4095,       4096,	   4097, 9999, 1000, 0xffff, 0x10000, 0xffffff,
		0x1000000, 0x7fffffff, 0x80000000, ~0U,	 ~1U,  ~7U,  -4096U,
	};

	switch (below(3)) {
	case 0:
		return any();
	case 1:
		return 1U << below(32);
	default:
		return numbers[below(NR(numbers))];
	}
}

static uint32_t odd_handle(void)
{
	const uint32_t handles[] = {
		own.rc[0].handle,   own.ud.handle,  own.cq.handle,	own.pd.handle,
		own.mr.handle,	    own.srq.handle, other.rc[0].handle, other.ud.handle,
		other.rc[2].handle, gone_qp,	    own.rc[0].qpn,	odd_number(),
	};

	return handles[below(NR(handles))];
}

static int odd_fd(void)
{
	const int fds[] = { other.queue, other.fd, own.fd, pipes[0], 1000, -1, odd_number() };

	return fds[below(NR(fds))];
}

static uint64_t odd_address(void)
{
	const uint64_t addresses[] = {
		0,
		8,
		(uintptr_t)input + 1,
		(uintptr_t)input + LONGEST - 4,
		(uintptr_t)input + ANSWER - 4,
		(uintptr_t)input + ANSWER,
		(uintptr_t)readonly_page,
		0x00007fffffffffffULL,
		0x0000800000000000ULL,
		0xffff888000000000ULL,
		0xffffffff81000000ULL,
		~0ULL,
		~7ULL,
	};

	return addresses[below(NR(addresses))];
}

/* ---- Requests ---- */

static const uint32_t to_rts = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
			       IBV_QP_ACCESS_FLAGS | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
			       IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER |
			       IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
			       IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC;

static void good_request(struct vrb_queue_request *r, uint64_t user_data)
{
	*r = (struct vrb_queue_request){ .user_data = user_data, .op = 1 + below(5) };
	if (r->op > VRB_QUEUE_OP_CONNECT)
		return;
	r->attr.qp_attr_mask =
		r->op == VRB_QUEUE_OP_CONNECT ?
			to_rts :
			IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS;
	r->attr.qp_state = r->op == VRB_QUEUE_OP_CONNECT ? IBV_QPS_RTS : IBV_QPS_INIT;
	r->attr.port_num = 1;
	r->attr.path_mtu = IBV_MTU_1024;
	r->attr.dest_qp_num = own.rc[1].qpn;
	r->attr.min_rnr_timer = 12;
	r->attr.timeout = 14;
	r->attr.retry_cnt = 7;
	r->attr.rnr_retry = 7;
	r->attr.max_rd_atomic = 1;
	r->attr.max_dest_rd_atomic = 1;
	r->attr.ah_attr.dlid = 1;
	r->attr.ah_attr.port_num = 1;
}

static void spoil_request(struct vrb_queue_request *r)
{
	switch (below(6)) {
	case 0:
		r->op = odd_number();
		break;
	case 1:
		r->attr.qp_attr_mask = one_in(2) ? r->attr.qp_attr_mask ^ (1U << below(32)) : any();
		break;
	case 2:
		r->attr.qp_state = one_in(2) ? below(10) : odd_number();
		break;
	case 3:
		r->attr.ah_attr.is_global = 1;
		r->attr.ah_attr.grh.sgid_index = odd_number();
		break;
	case 4:
		((uint8_t *)r)[8 + below(sizeof(*r) - 8)] = any();
		break;
	default:
		((uint32_t *)r)[2 + below(sizeof(*r) / 4 - 2)] = odd_number();
	} /* ib_core truncates longer PSNs, and logs that. */
	r->attr.rq_psn &= 0xffffff;
	r->attr.sq_psn &= 0xffffff;
}

/* Makes a batch of valid requests, some of which are then spoiled. Returns their number. */
static int batch(uint32_t *handles)
{
	const int n = one_in(8) ? 1 + below(VRB_QUEUE_MAX_BATCH) : 1 + below(6);
	struct vrb_queue_request *r = (void *)input;
	int i;

	for (i = 0; i < n; i++) {
		good_request(&r[i], i);
		if (one_in(3))
			spoil_request(&r[i]);
		handles[i] = one_in(6) ? own.ud.handle : own.rc[below(NR(own.rc))].handle;
	}
	return n;
}

/* ---- Calls: valid ones, which are then spoiled ---- */

static void spoil_attr(struct ib_uverbs_attr *attr)
{
	switch (below(7)) {
	case 0:
		attr->attr_id = one_in(4) ? any() : 0x1000 + below(5);
		break;
	case 1:
		attr->len = one_in(2) ? attr->len + 1 - below(3) : odd_number();
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
	case 5:
		attr->data_s64 = odd_fd();
		break;
	default:
		attr->data = odd_number();
	}
}

static void spoil_call(struct vq_call *call)
{
	int i;

	if (one_in(10))
		call->hdr.length = odd_number();
	if (one_in(10))
		call->hdr.num_attrs = one_in(2) ? below(8) : odd_number();
	if (one_in(20))
		call->hdr.reserved1 = odd_number();
	if (one_in(20))
		call->hdr.driver_id = odd_number();
	if (one_in(20))
		call->hdr.method_id += below(3);
	if (one_in(30))
		call->hdr.object_id = odd_number();
	for (i = below(3); i && call->hdr.num_attrs; i--)
		spoil_attr(&call->attr[below(call->hdr.num_attrs) % VQ_MAX_ATTRS]);
}

/* Returns an errno, or 0. */
static int make(struct vq_call *call, uint16_t method, bool good)
{
	call->hdr.length = sizeof(call->hdr) + call->hdr.num_attrs * sizeof(call->attr[0]);
	call->hdr.object_id = VRB_OBJECT_QUEUE;
	call->hdr.method_id = method;
	call->hdr.driver_id = RDMA_DRIVER_MTHCA;
	if (!good)
		spoil_call(call);
	return ioctl(own.fd, RDMA_VERBS_IOCTL, &call->hdr) ? errno : 0;
}

static int queried(void)
{
	struct vq_call call = {};

	vq_attr(&call, VRB_ATTR_QUEUE_QUERY_CAPS, response, below(128));
	return make(&call, VRB_METHOD_QUEUE_QUERY, one_in(8));
}

static int created(void)
{
	struct vrb_queue_attr attr = {
		.depth = one_in(2) ? 1 + below(VRB_QUEUE_MAX_DEPTH) : odd_number(),
		.completion_size = sizeof(struct vrb_queue_completion),
	};
	struct vq_call call = {};
	int ret;

	if (one_in(2))
		((uint32_t *)&attr)[below(4)] = odd_number();
	memcpy(input, &attr, sizeof(attr));
	vq_attr_fd(&call, VRB_ATTR_QUEUE_CREATE_FD, 0);
	vq_attr(&call, VRB_ATTR_QUEUE_CREATE_ATTR, input, sizeof(attr));
	ret = make(&call, VRB_METHOD_QUEUE_CREATE, one_in(3));
	/* It is closed at once, or together with its context. */
	if (!ret && one_in(2))
		close(call.attr[0].data_s64);
	return ret;
}

static bool known_status(uint32_t status)
{
	static const uint32_t statuses[] = { 0, EINVAL, EOPNOTSUPP, EPERM, ECANCELED, ESHUTDOWN };
	unsigned int i;

	for (i = 0; i < NR(statuses); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* Each of @n requests completes once, with a documented status. Returns 0 or EPROTO. */
static int complete(uint32_t n, bool named)
{
	static struct vrb_queue_completion done[DEPTH];
	bool seen[VRB_QUEUE_MAX_BATCH] = {};
	int got = vq_reap(own.queue, done, n), wrong = 0, i;
	uint64_t name;

	for (i = 0; i < got; i++) {
		name = named ? done[i].user_data : (uint64_t)i;
		if (name < VRB_QUEUE_MAX_BATCH && !seen[name] && known_status(done[i].status)) {
			seen[name] = true;
			continue;
		}
		ksft_print_msg("request %llu: op %u, status %u\n", done[i].user_data, done[i].op,
			       done[i].status);
		wrong++;
	}
	if (got == (int)n && !wrong && !vq_poll(own.queue, 0))
		return 0;
	ksft_print_msg("%d completions of %u requests, %d wrong\n", got, n, wrong);
	return EPROTO;
}

/* Submits a few requests, which are accepted. Returns their number, or -1. */
static int submit_few(void)
{
	uint32_t handles[VRB_QUEUE_MAX_BATCH];
	int n = batch(handles);

	n = n < 6 ? n : 6;
	return vq_submit(own.fd, own.queue, (void *)input, handles, n) == n ? n : -1;
}

/* The arrays of a submit; one of them is too long or too short for the other. */
static void spoil_sizes(uint32_t *handles, int n, size_t *requests, size_t *qps)
{
	if (one_in(3))
		handles[below(n)] = odd_handle();
	if (one_in(6))
		*qps = one_in(2) ? below(LONGEST + 1) : 4 * (n + below(400));
	if (one_in(6))
		*requests = one_in(2) ? below(LONGEST + 1) : *requests + 8 * below(n + 1);
}

static int submitted(void)
{
	uint32_t *handles = (void *)(input + LONGEST + 1), *accepted = (void *)response;
	const bool good = one_in(3);
	const int n = batch(handles);
	size_t size = n * sizeof(struct vrb_queue_request), len = n * sizeof(*handles);
	struct vq_call call = {};
	int ret;

	if (!good)
		spoil_sizes(handles, n, &size, &len);
	vq_attr_fd(&call, VRB_ATTR_QUEUE_SUBMIT_FD, !good && one_in(5) ? odd_fd() : own.queue);
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_REQUESTS, input, size);
	vq_attr_in(&call, VRB_ATTR_QUEUE_SUBMIT_QPS, handles, len);
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, accepted, sizeof(*accepted));
	*accepted = DEPTH;
	ret = make(&call, VRB_METHOD_QUEUE_SUBMIT, good || one_in(3));
	if (ret)
		/* Nothing was accepted, so nothing may complete. */
		return vq_poll(own.queue, 0) ? EPROTO : ret;
	if (call.attr[3].data != (uintptr_t)accepted)
		return 0;
	return complete(*accepted, good);
}

/* Cancels a request, which may exist or not. */
static int cancelled(void)
{
	const uint64_t user_data = one_in(2) ? below(6) : odd_number();
	struct vq_call call = {};
	int n = submit_few(), ret;

	if (n < 0)
		return EPROTO;
	vq_attr_fd(&call, VRB_ATTR_QUEUE_CANCEL_FD, one_in(5) ? odd_fd() : own.queue);
	vq_attr_in(&call, VRB_ATTR_QUEUE_CANCEL_USER_DATA, &user_data, sizeof(user_data));
	ret = make(&call, VRB_METHOD_QUEUE_CANCEL, one_in(2));
	return complete(n, true) ?: ret;
}

/* ---- The file ---- */

/* Reads of any size to any address, with and without completions to read. */
static int reads(void)
{
	const size_t one = sizeof(struct vrb_queue_completion);
	const size_t size = one_in(2) ? below(8) * one : odd_number() % ANSWER;
	int n = one_in(2) ? submit_few() : 0, ret;
	ssize_t got;

	if (n < 0)
		return EPROTO;
	if (n && one_in(2))
		usleep(2000);
	got = read(own.queue, one_in(2) ? response : (void *)odd_address(), size);
	ret = got < 0 ? errno : 0;
	if (got > 0)
		n -= got / one;
	return n < 0 || (got > 0 && got % one) ? EPROTO : complete(n, true) ?: ret;
}

static int files(void)
{
	char byte = 0;

	switch (below(6)) {
	case 0:
		return write(own.queue, &byte, 1) < 0 ? errno : 0;
	case 1:
		return lseek(own.queue, odd_number(), SEEK_SET) < 0 ? errno : 0;
	case 2:
		return mmap(NULL, PROCESS_PAGE, PROT_READ, MAP_SHARED, own.queue, 0) == MAP_FAILED ?
			       errno :
			       EPROTO;
	case 3:
		return ioctl(own.queue, RDMA_VERBS_IOCTL, response) ? errno : 0;
	case 4:
		return ioctl(own.queue, odd_number(), response) ? errno : 0;
	default:
		return ftruncate(own.queue, 0) ? errno : EPROTO;
	}
}

/* ---- Races with calls ---- */

enum end { END_QUEUE, END_QP, END_COMMAND, END_CANCEL, END_READ, ENDS };

static struct {
	enum end kind;
	struct side side;
} race;
static sem_t race_begin, race_end;
static atomic_bool race_on;

static void end_it(void)
{
	struct vrb_queue_completion completion;

	switch (race.kind) {
	case END_QUEUE:
		close(race.side.queue);
		break;
	case END_QP:
		raw_destroy_qp(race.side.fd, race.side.rc[0].handle);
		break;
	case END_COMMAND:
		close(race.side.fd);
		break;
	case END_CANCEL:
		vq_cancel(race.side.fd, race.side.queue, 0);
		break;
	default:
		if (read(race.side.queue, &completion, sizeof(completion)) < 0)
			sched_yield();
	}
}

/* Sleeps except during the race, because polling would take CPU time from the other thread. */
static void *racer(void *arg)
{
	for (;;) {
		sem_wait(&race_begin);
		atomic_store(&race_on, true);
		end_it();
		sem_post(&race_end);
	}
	return NULL;
}

/* Submits while the queue, a QP or the whole context is destroyed, or others cancel or read. */
static int raced(void)
{
	uint32_t handles[VRB_QUEUE_MAX_BATCH];
	int n = batch(handles) % 40 + 1, ret, i;

	for (i = 0; i < n; i++) {
		good_request((struct vrb_queue_request *)input + i, i);
		handles[i] = own.rc[i % NR(own.rc)].handle;
	}
	race.kind = below(ENDS);
	race.side = own;
	atomic_store(&race_on, false);
	if (one_in(2))
		vq_submit(own.fd, own.queue, (void *)input, handles, n);
	sem_post(&race_begin);
	while (!atomic_load(&race_on))
		sched_yield();
	ret = vq_submit(own.fd, own.queue, (void *)input, handles, n);
	sem_wait(&race_end);
	rebuild();
	return ret < 0 ? -ret : 0;
}

/* ---- The whole test ---- */

/* Errors besides those of the firmware and of a failed device. EIO: the context is gone. */
static bool documented(int error, bool race)
{
	static const int errors[] = { 0,      EINVAL, EFAULT, EBUSY,	       ENOMEM, EOPNOTSUPP,
				      EBADF,  ENOENT, EAGAIN, EPROTONOSUPPORT, ENOTTY, E2BIG,
				      ENOSPC, ESPIPE, ENODEV, EALREADY };
	unsigned int i;

	if (error == EIO)
		return race;
	for (i = 0; i < NR(errors); i++)
		if (errors[i] == error)
			return true;
	return false;
}

static bool one_call(uint64_t seed, long number)
{
	static int (*const kinds[])(void) = {
		queried,   created,   created,	 submitted, submitted, submitted, submitted,
		submitted, submitted, cancelled, cancelled, reads,     files,
	};
	bool race;
	int ret;

	arbitrary_begin(seed, number);
	race = one_in(12);
	ret = race ? raced() : kinds[below(NR(kinds))]();
	answers_count(ret);
	if (documented(ret, race)) {
		/* The race has destroyed the QPs, or closed the files. */
		if (!ret)
			rebuild();
		return true;
	}
	ksft_print_msg("seed %#llx, call %ld: %s\n", (unsigned long long)seed, number,
		       strerrorname_np(ret));
	rebuild();
	return false;
}

static bool ready(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	pthread_t thread;

	if (!list || !list[0])
		return false;
	snprintf(device, sizeof(device), "/dev/infiniband/%s", list[0]->dev_name);
	ibv_free_device_list(list);
	memory = guarded(RINGS);
	input = guarded(ANSWER);
	response = guarded(ANSWER);
	readonly_page = guarded(PROCESS_PAGE);
	if (!memory || !input || !response || !readonly_page || pipe(pipes) || build(&other))
		return false;
	return !mprotect(readonly_page, PROCESS_PAGE, PROT_READ) && !sem_init(&race_begin, 0, 0) &&
	       !sem_init(&race_end, 0, 0) && !pthread_create(&thread, NULL, racer, NULL);
}

int main(int argc, char **argv)
{
	static const struct arbitrary what = {
		.ready = ready,
		.rebuild = rebuild,
		.call = one_call,
		.missing = "no RDMA device with verb queues",
	};

	arbitrary_run(&what, argc, argv);
}
