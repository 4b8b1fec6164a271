// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * memory_user MANY...: creates memory regions, then as many completion queues, then queue pairs,
 * then connects the queue pairs. Whenever as many of a kind exist as one of the arguments says, it
 * prints how much memory is in use, as lines "COUNT case|metric|number", and creates some more
 * within markers: id 4N is for regions at the N-th argument, 4N + 1 for completion queues, 4N + 2
 * for queue pairs, 4N + 3 for connecting them. Each argument is at least 22 more than the one
 * before.
 *
 * It prints "slow" and "fast" when commands must take long and when not, and reads a line before it
 * continues.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <infiniband/verbs.h>

#include "to_itself.h"
#include "../count/marker.h"

#define MORE 11	  /* objects that are created within markers */
#define TRACED 11 /* objects whose allocations are traced */
#define LEVELS_MAX 4
#define KINDS 4
#define LIVE_MAX 65536
#define TRACING "/sys/kernel/tracing/"

enum { REGION, CQ, QP, CONNECT };

static const char *const names[KINDS] = { "region", "completion queue", "queue pair",
					  "connecting" };
static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_qp **qps;
static struct ibv_port_attr port;
static char page[4096] __attribute__((aligned(4096)));

static void check(int bad, const char *what)
{
	if (!bad)
		return;
	fprintf(stderr, "memory_user: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- What is in use ---- */

struct use {
	long kernel, process; /* pages */
};

/* The sum of the numbers that follow a word in a file of /proc */
static long sum_of(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	char line[256], found[64];
	long sum = 0, value;

	check(!file, path);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %63s %ld", found, &value) == 2 && !strcmp(found, word))
			sum += value;
	}
	fclose(file);
	return sum;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	check(!file || fputs(text, file) < 0 || fclose(file), path);
}

/*
 * The kernel's pages are those that are neither free, nor in a processor's list of free pages, nor
 * of processes, nor of files. The number is relative to a constant.
 */
static struct use in_use(void)
{
	struct use use;

	usleep(200000); /* objects that are freed after a grace period */
	write_file("/proc/sys/vm/stat_refresh", "1");
	use.process = sum_of("/proc/vmstat", "nr_anon_pages") +
		      sum_of("/proc/vmstat", "nr_page_table_pages");
	use.kernel = -sum_of("/proc/zoneinfo", "nr_free_pages") -
		     sum_of("/proc/zoneinfo", "count:") - use.process -
		     sum_of("/proc/vmstat", "nr_file_pages");
	return use;
}

/* ---- The slab objects that a verb leaves ---- */

static struct {
	unsigned long long at;
	long bytes;
} live[LIVE_MAX];
static int live_count;
static int tracing_on;

static void events(const char *value)
{
	write_file(TRACING "events/kmem/kmalloc/enable", value);
	write_file(TRACING "events/kmem/kmem_cache_alloc/enable", value);
	write_file(TRACING "events/kmem/kfree/enable", value);
	write_file(TRACING "events/kmem/kmem_cache_free/enable", value);
}

static void allocated(const char *line, unsigned long long at)
{
	const char *bytes = strstr(line, "bytes_alloc=");

	check(!bytes || live_count == LIVE_MAX, "the trace");
	live[live_count].at = at;
	live[live_count++].bytes = atol(bytes + strlen("bytes_alloc="));
}

/* What was allocated before the trace began is not there. */
static void freed(unsigned long long at)
{
	for (int i = live_count - 1; i >= 0; i--) {
		if (live[i].at == at) {
			live[i] = live[--live_count];
			return;
		}
	}
}

/* The file stays open, because to open it would be traced. */
static void trace_switch(const char *on)
{
	check(pwrite(tracing_on, on, 1, 0) != 1, "tracing_on");
}

static void trace_begin(void)
{
	write_file(TRACING "trace", "");
	trace_switch("1");
}

/* The bytes that were allocated since, and not freed */
static long trace_end(void)
{
	FILE *file;
	char line[512];
	long sum = 0, kept, written;

	trace_switch("0");
	file = fopen(TRACING "trace", "r");
	check(!file, "the trace");
	live_count = 0;
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, " ptr=");

		if (sscanf(line, "# entries-in-buffer/entries-written: %ld/%ld", &kept, &written) ==
		    2)
			check(kept != written, "the trace is too long");
		if (line[0] == '#' || !at)
			continue;
		if (strstr(line, " kmalloc: ") || strstr(line, " kmem_cache_alloc: "))
			allocated(line, strtoull(at + 5, NULL, 16));
		else
			freed(strtoull(at + 5, NULL, 16));
	}
	fclose(file);
	for (int i = 0; i < live_count; i++)
		sum += live[i].bytes;
	return sum;
}

/* ---- Objects ---- */

static struct ibv_qp *create_qp(void)
{
	struct ibv_qp_init_attr attr = {
		.qp_type = IBV_QPT_RC, .send_cq = cq, .recv_cq = cq, .cap = { 4, 4, 1, 1, 0 }
	};

	return ibv_create_qp(pd, &attr);
}

/* Creates the object with this number, or connects it. */
static void create(int kind, int number)
{
	int bad = 0;

	switch (kind) {
	case REGION:
		bad = !ibv_reg_mr(pd, page, sizeof(page), IBV_ACCESS_LOCAL_WRITE);
		break;
	case CQ:
		bad = !ibv_create_cq(context, 63, NULL, NULL, 0);
		break;
	case QP:
		bad = !(qps[number] = create_qp());
		break;
	case CONNECT:
		bad = connect_to_itself(qps[number], port.lid);
		break;
	}
	if (bad)
		fprintf(stderr, "memory_user: %d exist\n", number);
	check(bad, names[kind]);
}

#define MARKED(id)                      \
	case id:                        \
		count_begin(id);        \
		create(id % 4, number); \
		count_end(id);          \
		break

/* A marker's id must be a constant. */
static void create_marked(int id, int number)
{
	switch (id) {
		MARKED(0);
		MARKED(1);
		MARKED(2);
		MARKED(3);
		MARKED(4);
		MARKED(5);
		MARKED(6);
		MARKED(7);
		MARKED(8);
		MARKED(9);
		MARKED(10);
		MARKED(11);
		MARKED(12);
		MARKED(13);
		MARKED(14);
		MARKED(15);
	}
}

/* ---- Phases ---- */

static void ask(const char *speed)
{
	char line[8];

	puts(speed);
	fflush(stdout);
	check(!fgets(line, sizeof(line), stdin), "no answer");
}

/* Creates objects one by one, and prints what each has allocated. */
static int traced(int kind, int many, int made)
{
	events("1");
	for (int i = 0; i < TRACED; i++) {
		trace_begin();
		create(kind, made++);
		usleep(50000); /* what is allocated and freed after its return */
		printf("COUNT %s: %d|slab, bytes|%ld\n", names[kind], many, trace_end());
	}
	events("0");
	return made;
}

static int marked(int kind, int level, int made)
{
	ask("slow");
	for (int i = 0; i < MORE; i++) {
		create_marked(KINDS * level + kind, made++);
		usleep(20000);
	}
	ask("fast");
	return made;
}

static void phase(int kind, const int *many, int levels)
{
	struct use first = in_use(), use;
	int made = 0;

	for (int level = 0; level < levels; level++) {
		while (made < many[level])
			create(kind, made++);
		use = in_use();
		if (!level)
			first = use;
		printf("COUNT %s: %d|kernel, pages|%ld\n", names[kind], made,
		       use.kernel - first.kernel);
		printf("COUNT %s: %d|process, pages|%ld\n", names[kind], made,
		       use.process - first.process);
		made = marked(kind, level, made);
		made = traced(kind, many[level], made);
	}
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int many[LEVELS_MAX], levels = argc - 1;

	check(levels < 1 || levels > LEVELS_MAX, "arguments");
	for (int i = 0; i < levels; i++) {
		many[i] = atoi(argv[i + 1]);
		check(many[i] < (i ? many[i - 1] + MORE + TRACED : 1), "arguments");
	}
	check(!list || !list[0], "ibv_get_device_list");
	/* Huge pages would make the process's use depend on addresses. */
	check(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "PR_SET_THP_DISABLE");
	context = ibv_open_device(list[0]);
	check(!context, "ibv_open_device");
	pd = ibv_alloc_pd(context);
	check(!pd, "ibv_alloc_pd");
	cq = ibv_create_cq(context, 63, NULL, NULL, 0);
	check(!cq || ibv_query_port(context, 1, &port), "objects");
	qps = calloc(many[levels - 1] + MORE + TRACED, sizeof(*qps));
	check(!qps, "calloc");
	tracing_on = open(TRACING "tracing_on", O_WRONLY);
	check(tracing_on < 0, "tracing_on");
	trace_switch("0");
	memset(page, 1, sizeof(page));
	for (int kind = 0; kind < KINDS; kind++)
		phase(kind, many, levels);
	return 0;
}
