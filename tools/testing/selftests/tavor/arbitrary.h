/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * For programs that make calls of no sense: numbers that are the same each time, memory with an
 * end, and what the kernel has to have back when all is over.
 */
#ifndef SELFTESTS_TAVOR_ARBITRARY_H
#define SELFTESTS_TAVOR_ARBITRARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "kselftest.h"
#include "model.h"
#include "process.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))
#define COUNT 10000
#define SEED 0x7467766f72ULL
#define CHUNKS 10

/* ---- Numbers that are the same each time ---- */

static uint64_t arbitrary_state;

static inline uint32_t any(void)
{
	uint64_t z = arbitrary_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z >> 32;
}

static inline uint32_t below(uint32_t n)
{
	return any() % n;
}

static inline bool one_in(uint32_t n)
{
	return !below(n);
}

/* From here on they are those of one call, whatever came before. */
static inline void arbitrary_begin(uint64_t seed, long number)
{
	arbitrary_state = seed + number * 0xd1342543de82ef95ULL;
}

/* The first call: a test whose name ends in the number of its part has those of that part. */
static inline long arbitrary_first(void)
{
	const char *name = getenv("TEST_NAME"), *part = name ? strrchr(name, '-') : NULL;

	return part ? COUNT * atol(part + 1) : 0;
}

/* Behind it is nothing that could be written by mistake. */
static inline char *guarded(size_t size)
{
	char *at = process_memory(size + PROCESS_PAGE);

	return at && !mprotect(at + size, PROCESS_PAGE, PROT_NONE) ? at : NULL;
}

/* ---- What they were answered ---- */

static long answers[256];

static inline void answers_count(int error)
{
	if (error >= 0 && error < (int)NR(answers))
		answers[error]++;
}

static inline void answers_show(void)
{
	unsigned int i;

	for (i = 0; i < NR(answers); i++)
		if (answers[i])
			ksft_print_msg("%7ld %s\n", answers[i], i ? strerrorname_np(i) : "success");
}

/* ---- What the kernel has, before and after ---- */

struct accounts {
	long objects, pinned, slab, pages;
};

static inline long number_in(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	char line[256];
	long number = -1;

	while (file && number < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			number = strtol(line + strlen(key), NULL, 0);
	if (file)
		fclose(file);
	return number;
}

static inline struct accounts accounts_open(void)
{
	return (struct accounts){
		.objects = engine_rests("objects", ":"),
		.pinned = number_in("/proc/self/status", "VmPin:"),
	};
}

/* Of memory, once all has been made that the calls are about: it is made again and again. */
static inline void accounts_memory(struct accounts *before)
{
	before->slab = number_in("/proc/meminfo", "SUnreclaim:");
	before->pages = number_in("/proc/meminfo", "VmallocUsed:");
}

/* Three results. */
static inline void accounts_close(const struct accounts *before)
{
	struct accounts now = { .pinned = number_in("/proc/self/status", "VmPin:") };

	ksft_test_result(engine_settles("objects", ":", before->objects), "no object is left\n");
	ksft_test_result(now.pinned == before->pinned, "no memory stays pinned\n");
	accounts_memory(&now);
	ksft_print_msg("SUnreclaim: %ld kB, then %ld kB; VmallocUsed: %ld kB, then %ld kB\n",
		       before->slab, now.slab, before->pages, now.pages);
	ksft_test_result(now.slab - before->slab < 8192 && now.pages - before->pages < 8192,
			 "the kernel keeps no memory\n");
}

#endif /* SELFTESTS_TAVOR_ARBITRARY_H */
