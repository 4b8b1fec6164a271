// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Registers and deregisters memory. The first argument is the number of repetitions. Each further
 * one is the log2 of the size in bytes, with "h" for huge pages. For the N-th one, marker 2N is
 * around ibv_reg_mr(), 2N + 1 around ibv_dereg_mr().
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <infiniband/verbs.h>

#include "../count/marker.h"

static struct ibv_pd *pd;

static void check(int bad, const char *what)
{
	if (!bad)
		return;
	fprintf(stderr, "regions: %s: %s\n", what, strerror(errno));
	exit(1);
}

#define ROUND(place)                                                       \
	case place:                                                        \
		count_begin(2 * (place));                                  \
		mr = ibv_reg_mr(pd, memory, size, IBV_ACCESS_LOCAL_WRITE); \
		count_end(2 * (place));                                    \
		check(!mr, "ibv_reg_mr");                                  \
		count_begin(2 * (place) + 1);                              \
		bad = ibv_dereg_mr(mr);                                    \
		count_end(2 * (place) + 1);                                \
		break

/* A marker's id must be a constant. */
static void round_of(int place, void *memory, size_t size)
{
	struct ibv_mr *mr;
	int bad = 0;

	switch (place) {
		ROUND(0);
		ROUND(1);
		ROUND(2);
		ROUND(3);
		ROUND(4);
		ROUND(5);
		ROUND(6);
		ROUND(7);
		ROUND(8);
		ROUND(9);
		ROUND(10);
		ROUND(11);
		ROUND(12);
	}
	check(bad, "ibv_dereg_mr");
}

/* Maps one page more, so that the address can be aligned to a huge page. */
static void measure(int place, size_t size, int huge, int times)
{
	size_t align = huge ? 2 << 20 : 4096, whole = size + align;
	char *map = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *memory = (char *)(((size_t)map + align - 1) & -align);

	check(map == MAP_FAILED, "mmap");
	check(madvise(memory, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE), "madvise");
	memset(memory, 1, size);
	while (times--)
		round_of(place, memory, size);
	munmap(map, whole);
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context;

	check(argc < 3 || argc > 15, "arguments");
	check(!list || !list[0], "ibv_get_device_list");
	context = ibv_open_device(list[0]);
	check(!context, "ibv_open_device");
	pd = ibv_alloc_pd(context);
	check(!pd, "ibv_alloc_pd");
	for (int i = 2; i < argc; i++)
		measure(i - 2, (size_t)1 << atoi(argv[i]), !!strchr(argv[i], 'h'), atoi(argv[1]));
	return 0;
}
