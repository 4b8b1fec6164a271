// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Tests libvrbq with many threads and no device: this file has functions in place of libibverbs and
// of a driver with verb queues. races.sh compiles it together with the library, for the sanitizers
// of the compiler.

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <infiniband/vrbq.h>
#include "kselftest.h"
#include "verb_queue.h"

#define QPS 8
#define DEPTH 64
#define CALLERS 4
#define MANY 3000
#define MAX_QPS 4096
#define HANGS_S 30

static enum vrbq_backend backend;
static struct vrbq *q;

/* A program may have more of these than fit into the small stacks of the library's threads. */
static _Thread_local volatile char large[512 * 1024];

/* What has been done on an object that the library must not have done */
static atomic_uint wrong;

static void blame(const char *what)
{
	wrong++;
	ksft_print_msg("wrong: %s\n", what);
}

/* Lets other threads run for a while. */
static void nap(void)
{
	static atomic_uint count;
	const unsigned int n = count++ * 2654435761u >> 24;

	if (n & 1)
		usleep(n);
	else
		sched_yield();
}

/* ---- In place of libibverbs ---- */

struct fake_qp {
	struct ibv_qp ibv;
	atomic_bool busy;
	atomic_uint last_psn;
	atomic_uint in_queue; /* its requests in the verb queue */
	atomic_int refuse;    /* what the next destroy returns */
	enum ibv_qp_state real;
};

static struct fake_qp *_Atomic by_handle[MAX_QPS];
static atomic_uint handles, living;
static struct ibv_context context;
static struct ibv_pd pd = { .context = &context };

static struct fake_qp *fake(struct ibv_qp *qp)
{
	return (struct fake_qp *)qp;
}

/* No other call may be in progress on the QP, and the verb queue must have no request on it. */
static void begin(struct fake_qp *qp)
{
	if (atomic_exchange(&qp->busy, true) || qp->in_queue)
		blame("two calls on one QP at a time");
	nap();
}

static void check_psn(struct fake_qp *qp, uint32_t psn)
{
	if (atomic_exchange(&qp->last_psn, psn) >= psn)
		blame("a request overtook another one on its QP");
}

int ibv_modify_qp(struct ibv_qp *ibqp, struct ibv_qp_attr *attr, int mask)
{
	struct fake_qp *qp = fake(ibqp);

	begin(qp);
	if (mask & IBV_QP_RQ_PSN)
		check_psn(qp, attr->rq_psn);
	ibqp->state = attr->qp_state;
	qp->real = attr->qp_state;
	qp->busy = false;
	return 0;
}

int ibv_query_qp(struct ibv_qp *ibqp, struct ibv_qp_attr *attr, int mask,
		 struct ibv_qp_init_attr *init)
{
	struct fake_qp *qp = fake(ibqp);

	begin(qp);
	memset(attr, 0, sizeof(*attr));
	attr->qp_state = qp->real;
	ibqp->state = qp->real;
	memset(init, 0, sizeof(*init));
	qp->busy = false;
	return 0;
}

struct ibv_qp *ibv_create_qp(struct ibv_pd *of, struct ibv_qp_init_attr *init)
{
	struct fake_qp *qp = calloc(1, sizeof(*qp));

	nap();
	large[0]++;
	qp->ibv.context = of->context;
	qp->ibv.pd = of;
	qp->ibv.qp_type = init->qp_type;
	qp->ibv.handle = handles++ % MAX_QPS;
	by_handle[qp->ibv.handle] = qp;
	living++;
	return &qp->ibv;
}

int ibv_destroy_qp(struct ibv_qp *ibqp)
{
	struct fake_qp *qp = fake(ibqp);
	int ret;

	begin(qp);
	ret = atomic_exchange(&qp->refuse, 0);
	qp->busy = false;
	if (ret)
		return ret;
	by_handle[ibqp->handle] = NULL;
	living--;
	free(qp);
	return 0;
}

struct ibv_cq *ibv_create_cq(struct ibv_context *of, int cqe, void *cq_context,
			     struct ibv_comp_channel *channel, int comp_vector)
{
	struct ibv_cq *cq = calloc(1, sizeof(*cq));

	nap();
	cq->context = of;
	living++;
	return cq;
}

int ibv_destroy_cq(struct ibv_cq *cq)
{
	living--;
	free(cq);
	return 0;
}

#undef ibv_reg_mr
struct ibv_mr *ibv_reg_mr(struct ibv_pd *of, void *addr, size_t length, int access)
{
	struct ibv_mr *mr = calloc(1, sizeof(*mr));

	nap();
	mr->context = of->context;
	living++;
	return mr;
}

struct ibv_mr *ibv_reg_mr_iova2(struct ibv_pd *of, void *addr, size_t length, uint64_t iova,
				unsigned int access)
{
	return ibv_reg_mr(of, addr, length, access);
}

int ibv_dereg_mr(struct ibv_mr *mr)
{
	nap();
	living--;
	free(mr);
	return 0;
}

/* ---- In place of the driver ---- */

struct job {
	struct vrb_queue_request request;
	struct fake_qp *qp;
	bool issued;
};

/*
 * @gone: the device was removed
 * @hangs: the device executes nothing
 * @to: for the completions; the other end of the pipe is the verb queue's descriptor
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job jobs[DEPTH];
	int nr, to;
	bool gone, hangs, stop;
} driver = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .to = -1 };

static void job_over(int i, int status)
{
	const struct job *job = &driver.jobs[i];
	struct vrb_queue_completion c = {
		.user_data = job->request.user_data,
		.status = status,
		.op = job->request.op,
		.qp_state = job->qp->real,
		.attr.qp_state = job->qp->real,
	};

	job->qp->in_queue--;
	memmove(&driver.jobs[i], &driver.jobs[i + 1], (driver.nr - i - 1) * sizeof(*job));
	driver.nr--;
	if (driver.to >= 0 && write(driver.to, &c, sizeof(c)) != sizeof(c))
		blame("the verb queue has no room for a completion");
}

static void job_apply(const struct job *job)
{
	const struct ib_uverbs_qp_attr *attr = &job->request.attr;

	switch (job->request.op) {
	case VRB_QUEUE_OP_MODIFY:
		if (attr->qp_attr_mask & IBV_QP_RQ_PSN)
			check_psn(job->qp, attr->rq_psn);
		job->qp->real = attr->qp_state;
		break;
	case VRB_QUEUE_OP_RESET:
	case VRB_QUEUE_OP_QUIESCE:
		job->qp->real = IBV_QPS_RESET;
		break;
	}
}

/* Executes the oldest request of some QP. */
static void job_run(void)
{
	const uint64_t name = driver.jobs[0].request.user_data;
	int i;

	driver.jobs[0].issued = true;
	pthread_mutex_unlock(&driver.lock);
	nap();
	pthread_mutex_lock(&driver.lock);
	for (i = 0; i < driver.nr; i++)
		if (driver.jobs[i].issued && driver.jobs[i].request.user_data == name)
			break;
	if (i == driver.nr)
		return;
	job_apply(&driver.jobs[i]);
	job_over(i, 0);
}

static void *firmware(void *unused)
{
	pthread_mutex_lock(&driver.lock);
	while (!driver.stop) {
		if (driver.nr && !driver.hangs)
			job_run();
		else
			pthread_cond_wait(&driver.wake, &driver.lock);
	}
	pthread_mutex_unlock(&driver.lock);
	return NULL;
}

static void forget_all(void)
{
	while (driver.nr)
		driver.jobs[--driver.nr].qp->in_queue--;
	if (driver.to >= 0)
		close(driver.to);
	driver.to = -1;
}

static void device_hangs(void)
{
	pthread_mutex_lock(&driver.lock);
	driver.hangs = true;
	pthread_mutex_unlock(&driver.lock);
}

/* The device is removed: nothing completes any more. */
static void device_is_removed(void)
{
	pthread_mutex_lock(&driver.lock);
	driver.gone = true;
	forget_all();
	pthread_mutex_unlock(&driver.lock);
}

static void device_is_back(void)
{
	pthread_mutex_lock(&driver.lock);
	driver.gone = false;
	driver.hangs = false;
	pthread_mutex_unlock(&driver.lock);
}

static void *data_of(struct ib_uverbs_attr *attr)
{
	return attr->len <= sizeof(attr->data) ? (void *)&attr->data : (void *)attr->data;
}

static int method_query(struct ib_uverbs_attr *attr)
{
	*(struct vrb_queue_caps *)attr->data = (struct vrb_queue_caps){
		.revision = VRB_ABI_REVISION,
		.max_depth = DEPTH,
		.ops = 0x3e,
		.max_batch = VRB_QUEUE_MAX_BATCH,
		.request_size = sizeof(struct vrb_queue_request),
		.completion_size = sizeof(struct vrb_queue_completion),
		.slots = 4,
	};
	return 0;
}

static int method_create(struct ib_uverbs_attr *attr)
{
	int ends[2];

	if (pipe(ends))
		return errno;
	forget_all();
	driver.to = ends[1];
	attr->data_s64 = ends[0];
	return 0;
}

static int method_submit(struct ib_uverbs_attr *attr)
{
	const struct vrb_queue_request *requests = data_of(&attr[1]);
	const uint32_t n = attr[1].len / sizeof(*requests), *numbers = data_of(&attr[2]);
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!by_handle[numbers[i]])
			return ENOENT;
	for (i = 0; i < n && driver.nr < DEPTH; i++) {
		struct job job = { .request = requests[i], .qp = by_handle[numbers[i]] };

		if (job.qp->busy)
			blame("a request while a call is in progress on its QP");
		job.qp->in_queue++;
		driver.jobs[driver.nr++] = job;
	}
	*(uint32_t *)attr[3].data = i;
	pthread_cond_signal(&driver.wake);
	return i ? 0 : EAGAIN;
}

static int method_cancel(struct ib_uverbs_attr *attr)
{
	int i;

	for (i = 0; i < driver.nr; i++)
		if (driver.jobs[i].request.user_data == attr[1].data)
			break;
	if (i == driver.nr)
		return ENOENT;
	if (driver.jobs[i].issued)
		return EALREADY;
	job_over(i, ECANCELED);
	return 0;
}

static int call_method(struct ib_uverbs_ioctl_hdr *hdr)
{
	if (driver.gone)
		return EIO;
	switch (hdr->method_id) {
	case VRB_METHOD_QUEUE_QUERY:
		return method_query(hdr->attrs);
	case VRB_METHOD_QUEUE_CREATE:
		return method_create(hdr->attrs);
	case VRB_METHOD_QUEUE_SUBMIT:
		return method_submit(hdr->attrs);
	case VRB_METHOD_QUEUE_CANCEL:
		return method_cancel(hdr->attrs);
	}
	return EPROTONOSUPPORT;
}

/* The library is compiled with this name in place of ioctl(). */
int fake_ioctl(int fd, unsigned long request, ...)
{
	struct ib_uverbs_ioctl_hdr *hdr;
	va_list args;
	int ret;

	va_start(args, request);
	hdr = va_arg(args, struct ib_uverbs_ioctl_hdr *);
	va_end(args);
	pthread_mutex_lock(&driver.lock);
	ret = call_method(hdr);
	pthread_mutex_unlock(&driver.lock);
	errno = ret;
	return ret ? -1 : 0;
}

/* ---- The tests ---- */

static struct ibv_qp *qps[QPS];

static struct vrbq *make_queue(void)
{
	struct vrbq_attr attr = { .backend = backend, .depth = DEPTH, .max_threads = 6 };

	return vrbq_create(&context, &attr);
}

static struct ibv_qp *make_qp(void)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_RC };

	return ibv_create_qp(&pd, &init);
}

static bool readable(void)
{
	struct pollfd fd = { .fd = vrbq_fd(q), .events = POLLIN };

	return poll(&fd, 1, HANGS_S * 1000) == 1;
}

static struct vrbq_completion reap_one(void)
{
	struct vrbq_completion completion = {};

	while (readable() && !vrbq_reap(q, &completion, 1))
		;
	return completion;
}

static bool submitted(const struct vrbq_request *request)
{
	return vrbq_submit(q, request, 1) == 1;
}

static bool refused(const struct vrbq_request *request, int err)
{
	errno = 0;
	if (vrbq_submit(q, request, 1) == -1 && errno == err)
		return true;
	ksft_print_msg("%s: %s\n", vrbq_op_str(request->op), strerror(errno));
	return false;
}

/* ---- Many callers ---- */

/*
 * @order: of each QP: the submits on it are in the order of their PSN
 * @expected: completions that come
 */
static struct {
	pthread_mutex_t order[QPS];
	uint32_t psn[QPS];
	atomic_uint next, reaped, expected, cancelled, failed;
	atomic_uchar seen[2 * MANY];
	struct ibv_qp_attr queried[MANY];
	struct ibv_qp_init_attr init;
} flow;

static void flow_prep(struct vrbq_request *request, unsigned int n, int i)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .rq_psn = ++flow.psn[i] };

	if (n % 5 == 0)
		vrbq_prep_reset_qp(request, n, qps[i]);
	else if (n % 5 == 1)
		vrbq_prep_query_qp(request, n, qps[i], &flow.queried[n], IBV_QP_STATE, NULL);
	else
		vrbq_prep_modify_qp(request, n, qps[i], &attr, IBV_QP_STATE | IBV_QP_RQ_PSN);
}

/* Returns whether there was room. */
static bool flow_submit_on(unsigned int n, int i)
{
	struct vrbq_request request;
	bool accepted;

	pthread_mutex_lock(&flow.order[i]);
	flow_prep(&request, n, i);
	accepted = submitted(&request);
	if (accepted)
		flow.expected++;
	else if (errno != EAGAIN)
		blame("a submit");
	pthread_mutex_unlock(&flow.order[i]);
	return accepted || wrong;
}

static void flow_create(unsigned int n)
{
	struct vrbq_request request;

	if (n & 1)
		vrbq_prep_create_qp(&request, n, &pd, &flow.init);
	else
		vrbq_prep_reg_mr(&request, n, &pd, NULL, 4096, 0);
	flow.expected += submitted(&request);
}

/* A new object is destroyed at once, unless the queue is full. */
static void flow_created(const struct vrbq_completion *c)
{
	const bool is_qp = c->op == VRBQ_OP_CREATE_QP;
	struct vrbq_request request;

	if (is_qp)
		vrbq_prep_destroy_qp(&request, MANY + c->wr_id, c->qp);
	else
		vrbq_prep_dereg_mr(&request, MANY + c->wr_id, c->mr);
	/* Before the submit, as another thread may reap it. */
	flow.expected++;
	if (submitted(&request))
		return;
	flow.expected--;
	if (errno != EAGAIN)
		blame("a destroy");
	if (is_qp)
		ibv_destroy_qp(c->qp);
	else
		ibv_dereg_mr(c->mr);
}

static void flow_reap(void)
{
	struct vrbq_completion completions[8];
	int i, n = vrbq_reap(q, completions, 8);

	flow.failed += n < 0;
	for (i = 0; i < n; i++) {
		const struct vrbq_completion *c = &completions[i];

		if (c->wr_id >= 2 * MANY || flow.seen[c->wr_id]++ ||
		    (c->status && c->status != ECANCELED))
			blame("a completion");
		flow.cancelled += c->status == ECANCELED;
		flow.reaped++;
		if (!c->status && (c->op == VRBQ_OP_CREATE_QP || c->op == VRBQ_OP_REG_MR))
			flow_created(c);
	}
}

static void *caller(void *unused)
{
	struct vrbq_info info;
	unsigned int n;

	while ((n = flow.next++) < MANY) {
		if (n % 9 == 0)
			flow_create(n);
		else
			while (!flow_submit_on(n, n % QPS))
				flow_reap();
		if (n % 4 == 0 && vrbq_cancel(q, n) && errno != EALREADY && errno != ENOENT)
			blame("a cancel");
		if (n % 2)
			flow_reap();
		flow.failed += !!vrbq_query(q, &info, sizeof(info));
	}
	return NULL;
}

static bool flow_over(void)
{
	struct pollfd fd = { .fd = vrbq_fd(q), .events = POLLIN };
	time_t end = time(NULL) + HANGS_S;

	while (flow.reaped != flow.expected && time(NULL) < end) {
		poll(&fd, 1, 100);
		flow_reap();
	}
	return flow.reaped == flow.expected && !poll(&fd, 1, 0);
}

/* The callers run meanwhile. */
static bool child_is_refused(void)
{
	struct vrbq_info info;
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(vrbq_query(q, &info, sizeof(info)) == -1 && errno == EPERM &&
				      vrbq_destroy(q) == -1 && errno == EPERM ?
			      0 :
			      1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool test_callers(void)
{
	pthread_t threads[CALLERS];
	bool good;
	int i;

	memset(&flow, 0, sizeof(flow));
	for (i = 0; i < QPS; i++)
		pthread_mutex_init(&flow.order[i], NULL);
	for (i = 0; i < CALLERS; i++)
		pthread_create(&threads[i], NULL, caller, NULL);
	good = child_is_refused();
	for (i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	good = flow_over() && good;
	ksft_print_msg("%u of %u, %u cancelled, %u failed\n", flow.reaped, flow.expected,
		       flow.cancelled, flow.failed);
	return good && !flow.failed && flow.cancelled && flow.reaped > MANY / 2;
}

/* ---- Others ---- */

/* A destroy that has failed is not the last request on its QP. */
static bool test_destroy_fails(void)
{
	struct vrbq_request request;

	fake(qps[0])->refuse = EBUSY;
	if (vrbq_destroy_qp(q, qps[0], 1) || reap_one().status != EBUSY)
		return false;
	vrbq_prep_reset_qp(&request, 2, qps[0]);
	return submitted(&request) && !reap_one().status;
}

static void undo(struct vrbq_completion completion)
{
	if (completion.op == VRBQ_OP_CREATE_QP)
		ibv_destroy_qp(completion.qp);
	else if (completion.op == VRBQ_OP_CREATE_CQ)
		ibv_destroy_cq(completion.cq);
}

/*
 * Requests of all kinds are in the queue when it is destroyed. It destroys what they have created,
 * unless the completion was reaped.
 */
static bool test_queue_destroyed(void)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_RC };
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT };
	struct vrbq_request request;
	const unsigned int before = living;
	struct vrbq *first = q;
	int i;

	for (i = 0; i < 20; i++) {
		q = make_queue();
		if (!q)
			return false;
		vrbq_prep_create_qp(&request, 1, &pd, &init);
		submitted(&request);
		vrbq_prep_create_cq(&request, 2, 1, NULL, NULL, 0);
		submitted(&request);
		vrbq_prep_modify_qp(&request, 3, qps[i % QPS], &attr, IBV_QP_STATE);
		submitted(&request);
		vrbq_prep_reset_qp(&request, 4, qps[i % QPS]);
		submitted(&request);
		vrbq_destroy_qp(q, make_qp(), 5);
		if (i % 2)
			undo(reap_one());
		vrbq_destroy(q);
	}
	q = first;
	return living == before;
}

static void *query_queue(void *unused)
{
	struct vrbq_info info;

	return vrbq_query(q, &info, sizeof(info)) ? NULL : &flow;
}

/* Returns whether a call still returns, which another thread makes. */
static bool is_free(void)
{
	struct timespec end;
	pthread_t thread;
	void *ret;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += HANGS_S;
	pthread_create(&thread, NULL, query_queue, NULL);
	return !pthread_timedjoin_np(thread, &ret, &end) && ret;
}

static void *reap_in_cancelled(void *unused)
{
	struct vrbq_completion completion;

	pthread_cancel(pthread_self());
	vrbq_reap(q, &completion, 1);
	pthread_testcancel();
	return NULL;
}

static void *cancel_in_cancelled(void *unused)
{
	pthread_cancel(pthread_self());
	vrbq_cancel(q, 2);
	pthread_testcancel();
	return NULL;
}

static bool survives(void *(*call)(void *unused))
{
	pthread_t thread;
	void *ret;

	pthread_create(&thread, NULL, call, NULL);
	pthread_join(thread, &ret);
	return ret == PTHREAD_CANCELED && is_free();
}

/* A thread that is cancelled inside a call of the library does not end with its lock held. */
static bool test_cancelled_thread(void)
{
	struct vrbq_completion completion;
	struct vrbq_request request;
	int i;

	vrbq_prep_reset_qp(&request, 1, qps[0]);
	if (!submitted(&request) || !readable() || !survives(reap_in_cancelled))
		return false;
	for (i = 0; i < 2; i++) {
		vrbq_prep_reset_qp(&request, 1 + i, qps[0]);
		if (!submitted(&request))
			return false;
	}
	if (!survives(cancel_in_cancelled))
		return false;
	for (i = 0; i < 2; i++)
		completion = reap_one();
	return completion.wr_id;
}

/* Each request completes once, also those that the driver does not complete any more. */
static bool test_removed(void)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT };
	struct vrbq_completion completion;
	struct vrbq_request request;
	int i, ret, n = 0, lost = 0;

	for (i = 0; i < DEPTH; i++) {
		if (i == DEPTH / 2)
			device_hangs();
		vrbq_prep_modify_qp(&request, i, qps[i % QPS], &attr, IBV_QP_STATE);
		if (!submitted(&request))
			return false;
	}
	device_is_removed();
	while (readable() && (ret = vrbq_reap(q, &completion, 1)) >= 0) {
		n += ret;
		lost += ret && completion.status == EIO;
	}
	ksft_print_msg("%d completions, %d lost\n", n, lost);
	vrbq_prep_reset_qp(&request, 1, qps[0]);
	return n == DEPTH && lost >= DEPTH / 2 && refused(&request, EIO);
}

static const struct {
	bool (*run)(void);
	const char *text;
} tests[] = {
	{ test_callers, "threads submit, cancel and reap; the requests on a QP keep their order" },
	{ test_destroy_fails, "a QP whose destroy has failed accepts requests" },
	{ test_queue_destroyed, "queues are destroyed with requests in them" },
	{ test_cancelled_thread, "a thread that is cancelled in a call leaves the queue usable" },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static bool run_one(bool (*run)(void))
{
	bool good;
	int i;

	wrong = 0;
	device_is_back();
	q = make_queue();
	if (!q)
		ksft_exit_fail_msg("no queue: %s\n", strerror(errno));
	for (i = 0; i < QPS; i++)
		qps[i] = make_qp();
	good = run();
	/* A queue whose lock is held cannot be destroyed. */
	if (!is_free())
		ksft_exit_fail_msg("the queue is locked\n");
	vrbq_destroy(q);
	for (i = 0; i < QPS; i++)
		if (qps[i])
			ibv_destroy_qp(qps[i]);
	return good && !wrong;
}

static void run_all(void)
{
	unsigned int i;
	bool good;

	for (i = 0; i < TESTS; i++) {
		good = run_one(tests[i].run);
		ksft_test_result(good, "%s: %s\n", vrbq_backend_str(backend), tests[i].text);
	}
}

int main(void)
{
	pthread_t thread;

	ksft_print_header();
	ksft_set_plan(2 * TESTS + 1);
	signal(SIGPIPE, SIG_IGN);
	pthread_create(&thread, NULL, firmware, NULL);
	backend = VRBQ_BACKEND_THREADS;
	run_all();
	backend = VRBQ_BACKEND_VERB_QUEUE;
	run_all();
	ksft_test_result(run_one(test_removed),
			 "the device is removed: each request completes once\n");
	pthread_mutex_lock(&driver.lock);
	driver.stop = true;
	pthread_cond_signal(&driver.wake);
	pthread_mutex_unlock(&driver.lock);
	pthread_join(thread, NULL);
	ksft_finished();
}
