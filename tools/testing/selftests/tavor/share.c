// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --hca ddr_hidden=1
// Kernels: 6.12
//
// Tests that commands which processes cause cannot use the slots that are reserved for others.
// Another process that needs a command does not wait behind all of them. The commands are those of
// queries that a process may make of ports, of P_Keys and of its QPs and SRQs, those that set the
// limit of its SRQs, and those that write the MTTs of its memory where the DDR is hidden. By hand:
//   tools/testing/vm/run --driver tavor --hca ddr_hidden=1 -- build/guest/tavor/share

#include <pthread.h>
#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define THREADS 200 /* more than three times the slots */
#define SLOTS 64
#define FOR_PROCESSES (SLOTS - 2) /* one slot is for teardown, one more is kept from processes */
#define QUERIES 100

static struct ibv_context *many;
static struct ibv_pd *pd;
static struct ibv_qp *qps[THREADS];
static struct ibv_srq *srqs[THREADS];

static bool set(const char *key, const char *value)
{
	char request[128];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"%s\",\"value\":\"%s\"}", key, value);
	return model_ask(request);
}

/* The function of thread @i; it returns whether it succeeded. */
static bool query_port(int i)
{
	struct ibv_port_attr attr;

	return !ibv_query_port(many, 1, &attr);
}

static bool read_sysfs(const char *name)
{
	char path[512], text[64];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "%s/ports/1/%s", many->device->ibdev_path, name);
	fd = open(path, O_RDONLY);
	good = fd >= 0 && read(fd, text, sizeof(text)) > 0;
	close(fd);
	return good;
}

static bool query_state(int i)
{
	return read_sysfs("state");
}

static bool query_pkey(int i)
{
	return read_sysfs("pkeys/0");
}

static bool query_qp(int i)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	return !ibv_query_qp(qps[i], &attr, IBV_QP_STATE, &init) && attr.qp_state == IBV_QPS_INIT;
}

static bool query_srq(int i)
{
	struct ibv_srq_attr attr;

	return !ibv_query_srq(srqs[i], &attr) && attr.max_wr;
}

static bool limit_srq(int i)
{
	struct ibv_srq_attr attr = { .srq_limit = 1 };

	return !ibv_modify_srq(srqs[i], &attr, IBV_SRQ_LIMIT);
}

static bool reg_mr(int i)
{
	static char pages[THREADS][PROCESS_PAGE] __attribute__((aligned(PROCESS_PAGE)));
	struct ibv_mr *mr = ibv_reg_mr(pd, pages[i], PROCESS_PAGE, IBV_ACCESS_LOCAL_WRITE);

	return mr && !ibv_dereg_mr(mr);
}

struct one {
	pthread_t thread;
	bool (*call)(int i);
	int i;
	bool good;
};

static void *run(void *arg)
{
	struct one *one = arg;

	one->good = one->call(one->i);
	return NULL;
}

/* Returns the most slots that the verb holds, once that number has lasted half a second. */
static int held(const char *verb)
{
	int most = 0, same, n;

	for (same = 0; same < 5; usleep(100000)) {
		n = engine_count("slots", verb);
		same = n && n == most ? same + 1 : 0;
		most = n > most ? n : most;
	}
	return most;
}

/* ---- Another process ---- */

static struct {
	pid_t pid;
	int to[2], from[2];
} other;

/* Has a QP, and moves it to INIT when it is told to. It answers with one byte each time. */
static void be_other(void)
{
	struct ibv_context *own = process_open();
	struct ibv_cq *cq = own ? ibv_create_cq(own, 1, NULL, NULL, 0) : NULL;
	struct ibv_pd *own_pd = cq ? ibv_alloc_pd(own) : NULL;
	struct ibv_qp *qp = own_pd ? connect_make(own_pd, IBV_QPT_UD, cq, cq, 1) : NULL;
	char answer = !!qp, told;

	while (write(other.from[1], &answer, 1) == 1 && read(other.to[0], &told, 1) == 1)
		answer = qp && !connect_to_init(qp);
	_exit(0);
}

static bool other_answers(void)
{
	char answer;

	return read(other.from[0], &answer, 1) == 1 && answer;
}

static bool other_begins(void)
{
	if (pipe(other.to) || pipe(other.from))
		return false;
	other.pid = fork();
	if (!other.pid) {
		close(other.to[1]);
		close(other.from[0]);
		be_other();
	}
	close(other.to[0]);
	close(other.from[1]);
	return other.pid > 0 && other_answers();
}

static bool other_modifies(void)
{
	return write(other.to[1], "", 1) == 1 && other_answers();
}

static void other_ends(void)
{
	close(other.to[1]);
	close(other.from[0]);
	waitpid(other.pid, NULL, 0);
}

/* @latency: of the slow command; long enough to count all slots that are held */
static void test(const char *what, bool (*call)(int i), const char *verb, const char *latency)
{
	bool begins = other_begins(), modified;
	int i, holds, behind, good = 0;
	struct one all[THREADS];

	set("latency_op", latency);
	for (i = 0; i < THREADS; i++) {
		all[i] = (struct one){ .call = call, .i = i };
		pthread_create(&all[i].thread, NULL, run, &all[i]);
	}
	holds = held(verb);
	ksft_test_result(holds == FOR_PROCESSES, "%s: %d of %d slots\n", what, holds, SLOTS);
	modified = begins && other_modifies();
	behind = engine_count("vrbs", " queued ");
	ksft_test_result(modified && behind > SLOTS / 2,
			 "%s: another process's request goes before %d queued ones\n", what,
			 behind);
	set("latency_op", "");
	for (i = 0; i < THREADS; i++) {
		pthread_join(all[i].thread, NULL);
		good += all[i].good;
	}
	ksft_test_result(good == THREADS, "%s: %d of %d succeed\n", what, good, THREADS);
	other_ends();
}

static long commands(void)
{
	FILE *file = engine_open("counters");
	char name[64];
	long value, steps = -1;

	while (file && fscanf(file, "%63s %ld", name, &value) == 2)
		steps = strcmp(name, "steps") ? steps : value;
	if (file)
		fclose(file);
	return steps;
}

static void test_query_device(void)
{
	struct ibv_device_attr_ex attr;
	long before = commands(), after;
	int i, good = 0;

	for (i = 0; i < QUERIES; i++)
		good += !ibv_query_device_ex(many, NULL, &attr) && attr.orig_attr.vendor_id &&
			attr.orig_attr.sys_image_guid;
	after = commands();
	ksft_test_result(good == QUERIES && before >= 0 && after == before,
			 "queries of the device: %d of %d, %ld commands\n", good, QUERIES,
			 after - before);
}

/* One object has one command at a time, so each thread has a QP and an SRQ of its own. */
static bool make_queues(void)
{
	struct ibv_cq *its_cq = ibv_create_cq(many, 1, NULL, NULL, 0);
	struct ibv_srq_init_attr init = { .attr = { .max_wr = 4, .max_sge = 1 } };
	int i;

	for (i = 0; its_cq && i < THREADS; i++) {
		qps[i] = connect_make(pd, IBV_QPT_UD, its_cq, its_cq, 1);
		srqs[i] = ibv_create_srq(pd, &init);
		if (!qps[i] || connect_to_init(qps[i]) || !srqs[i])
			return false;
	}
	return its_cq;
}

/* A table that may have changed is read from the firmware; a query of the port makes it so. */
static void test_pkeys(void)
{
	query_port(0);
	test("readers of a P_Key", query_pkey, " PROCESS_MAD ", "MAD_IFC=3s");
}

int main(void)
{
	ksft_print_header();
	many = process_open();
	pd = many ? ibv_alloc_pd(many) : NULL;
	if (!pd || !set("engines", "64"))
		ksft_exit_skip("no RDMA device, or no model of one\n");
	ksft_set_plan(22);
	test_query_device();
	test("queries of a port", query_port, " QUERY_PORT ", "MAD_IFC=3s");
	test("readers of sysfs", query_state, " QUERY_PORT ", "MAD_IFC=3s");
	test_pkeys();
	if (!make_queues())
		ksft_exit_fail_msg("no QPs and SRQs\n");
	test("queries of QPs", query_qp, " QUERY_QP ", "QUERY_QPEE=3s");
	test("queries of SRQs", query_srq, " QUERY_SRQ ", "QUERY_SRQ=3s");
	test("limits of SRQs", limit_srq, " MODIFY_SRQ ", "ARM_SRQ=3s");
	test("MTTs of a process's memory", reg_mr, " WRITE_MTT ", "WRITE_MTT=3s");
	ksft_finished();
}
