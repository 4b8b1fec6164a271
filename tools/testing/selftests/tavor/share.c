// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --hca ddr_hidden=1
// Kernels: 6.12
//
// Tests that commands which processes cause cannot use the slots that are reserved for others.
// Another process that needs a command does not wait behind all of them. The commands are those of
// queries that a process may make, and those that write the MTTs of its memory where the DDR is
// hidden. By hand:
//   tools/testing/vm/run --driver tavor --hca ddr_hidden=1 -- build/guest/tavor/share

#include <pthread.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define THREADS 200 /* more than three times the slots */
#define SLOTS 64
#define FOR_PROCESSES (SLOTS - 2) /* one slot is for teardown, one more is kept from processes */
#define QUERIES 100

static struct ibv_context *many, *other;
static struct ibv_pd *pd;
static struct ibv_cq *cq;

static bool set(const char *key, const char *value)
{
	char request[128];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"%s\",\"value\":\"%s\"}", key, value);
	return model_ask(request);
}

/* The function of a thread; it returns NULL if it failed. */
static void *query_port(void *arg)
{
	struct ibv_port_attr attr;

	return ibv_query_port(many, 1, &attr) ? NULL : arg;
}

static void *query_sysfs(void *arg)
{
	char path[512], text[64];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "%s/ports/1/state", many->device->ibdev_path);
	fd = open(path, O_RDONLY);
	good = fd >= 0 && read(fd, text, sizeof(text)) > 0;
	close(fd);
	return good ? arg : NULL;
}

static void *reg_mr(void *page)
{
	struct ibv_mr *mr = ibv_reg_mr(pd, page, PROCESS_PAGE, IBV_ACCESS_LOCAL_WRITE);

	return mr && !ibv_dereg_mr(mr) ? page : NULL;
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

/* @latency: of the slow command; long enough to count all slots that are held */
static void test(const char *what, void *(*one)(void *), const char *verb, const char *latency)
{
	struct ibv_qp *qp = connect_make(ibv_alloc_pd(other), IBV_QPT_UD, cq, cq, 1);
	char *memory = process_memory(THREADS * PROCESS_PAGE);
	int i, holds, behind, good = 0;
	pthread_t thread[THREADS];
	void *ret;

	set("latency_op", latency);
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, one, memory + i * PROCESS_PAGE);
	holds = held(verb);
	ksft_test_result(holds == FOR_PROCESSES, "%s: %d of %d slots\n", what, holds, SLOTS);
	i = qp ? connect_to_init(qp) : -1;
	behind = engine_count("vrbs", " queued ");
	ksft_test_result(!i && behind > SLOTS / 2,
			 "%s: another process's request goes before %d queued ones\n", what,
			 behind);
	set("latency_op", "");
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &ret);
		good += !!ret;
	}
	ksft_test_result(good == THREADS, "%s: %d of %d succeed\n", what, good, THREADS);
	if (qp)
		ibv_destroy_qp(qp);
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

int main(void)
{
	ksft_print_header();
	many = process_open();
	other = process_open();
	pd = many ? ibv_alloc_pd(many) : NULL;
	cq = other ? ibv_create_cq(other, 1, NULL, NULL, 0) : NULL;
	if (!pd || !cq || !set("engines", "64"))
		ksft_exit_skip("no RDMA device, or no model of one\n");
	ksft_set_plan(10);
	test_query_device();
	test("queries of a port", query_port, " QUERY_PORT ", "MAD_IFC=3s");
	test("readers of sysfs", query_sysfs, " QUERY_PORT ", "MAD_IFC=3s");
	test("MTTs of a process's memory", reg_mr, " WRITE_MTT ", "WRITE_MTT=3s");
	ksft_finished();
}
