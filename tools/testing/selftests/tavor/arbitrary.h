/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions for programs that make malformed calls: reproducible numbers, memory that ends at an
 * unmapped page, and a check that the kernel has its resources back at the end.
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
#define COUNT 5000
#define SEED 0x7467766f72ULL
#define CHUNKS 10
#define PASSES 2
#define MORE_KB \
	512 /* of the kernel's memory at the end of the last pass: 100 bytes for each call */

/* ---- Reproducible numbers ---- */

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

/* Starts the numbers of one call, which do not depend on earlier calls. */
static inline void arbitrary_begin(uint64_t seed, long number)
{
	arbitrary_state = seed + number * 0xd1342543de82ef95ULL;
}

/* Returns the first call. A test whose name ends in a number makes the calls of that part. */
static inline long arbitrary_first(void)
{
	const char *name = getenv("TEST_NAME"), *part = name ? strrchr(name, '-') : NULL;

	return part ? COUNT * atol(part + 1) : 0;
}

/* Returns memory that is followed by an inaccessible page. */
static inline char *guarded(size_t size)
{
	char *at = process_memory(size + PROCESS_PAGE);

	return at && !mprotect(at + size, PROCESS_PAGE, PROT_NONE) ? at : NULL;
}

/* ---- Results of the calls ---- */

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

/* ---- Resources of the kernel, before and after ---- */

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

/* Memory stays pinned until its region is destroyed, so the objects come first. */
static inline struct accounts accounts_open(void)
{
	struct accounts now = { .objects = engine_rests("objects", ":") };

	now.pinned = number_in("/proc/self/status", "VmPin:");
	return now;
}

/* The caches of the kernel keep unused slabs. */
static inline void accounts_shrink(void)
{
	if (system("for cache in /sys/kernel/slab/*/shrink; do echo 1 >$cache; done 2>/dev/null"))
		ksft_print_msg("not all caches can be shrunk\n");
}

/*
 * Counts the kernel's memory. Call this after all objects for the calls have been created, because
 * calls may destroy them and they are created again.
 */
static inline void accounts_memory(struct accounts *before)
{
	accounts_shrink();
	before->slab = number_in("/proc/meminfo", "SUnreclaim:");
	before->pages = number_in("/proc/meminfo", "VmallocUsed:");
}

/* Prints three test results. */
static inline void accounts_close(const struct accounts *before)
{
	struct accounts now;

	ksft_test_result(engine_settles("objects", ":", before->objects), "no object is left\n");
	now.pinned = number_in("/proc/self/status", "VmPin:");
	ksft_test_result(now.pinned == before->pinned,
			 "no memory stays pinned: %ld kB, then %ld kB\n", before->pinned,
			 now.pinned);
	accounts_memory(&now);
	ksft_print_msg("SUnreclaim: %ld kB, then %ld kB; VmallocUsed: %ld kB, then %ld kB\n",
		       before->slab, now.slab, before->pages, now.pages);
	ksft_test_result(now.slab - before->slab < MORE_KB && now.pages - before->pages < MORE_KB,
			 "the kernel keeps no memory\n");
}

/* ---- The calls ---- */

/**
 * struct arbitrary - a program that makes malformed calls
 * @ready: creates what the calls need; returns false if there is no device for them
 * @rebuild: creates again what calls may have consumed, with files from @arbitrary_first_fd on
 * @call: makes call @number; returns false if its result is not a documented one
 * @missing: message for @ready returning false
 */
struct arbitrary {
	bool (*ready)(void);
	void (*rebuild)(void);
	bool (*call)(uint64_t seed, long number);
	const char *missing;
};

/* The first file descriptor that may belong to a call. */
static int arbitrary_first_fd;

/* Makes the calls. After every 200 calls it checks whether these have caused violations. */
static inline bool arbitrary_calls(const struct arbitrary *what, struct process_log *log,
				   uint64_t seed, long first, long count)
{
	long before = model_violations(), now, asked = first, i;
	bool ok = true;

	for (i = first; i < first + count; i++) {
		ok &= what->call(seed, i);
		process_log_lines(log);
		if ((i + 1 - first) % 200 && i + 1 < first + count)
			continue;
		now = model_violations();
		if (now != before)
			ksft_print_msg("seed %#llx, calls %ld to %ld: %ld violations\n",
				       (unsigned long long)seed, asked, i, now - before);
		ok &= now == before;
		before = now;
		asked = i + 1;
	}
	return ok;
}

/* Arguments: [COUNT [SEED [FIRST]]] */
static inline void arbitrary_run(const struct arbitrary *what, int argc, char **argv)
{
	static const char *const texts[] = { "ib_", "infiniband", "uverbs", "BUG", "WARN", NULL };
	long count = argc > 1 ? atol(argv[1]) : COUNT, first, i;
	int pass;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : SEED;
	struct accounts before;
	struct process_log log;

	process_log_open(&log, texts);
	ksft_print_header();
	model_violations();
	if (!what->ready())
		ksft_exit_skip("%s\n", what->missing);
	ksft_set_plan(PASSES * CHUNKS + 4);
	before = accounts_open();
	arbitrary_first_fd = dup(0);
	what->rebuild();
	/* The first pass also fills caches. Memory that is lost in each call is lost in both. */
	for (pass = 0; pass < PASSES; pass++) {
		accounts_memory(&before);
		first = argc > 3 ? atol(argv[3]) : arbitrary_first();
		for (i = 0; i < CHUNKS; i++, first += count / CHUNKS)
			ksft_test_result(arbitrary_calls(what, &log, seed, first, count / CHUNKS),
					 "seed %#llx, calls %ld to %ld\n", (unsigned long long)seed,
					 first, first + count / CHUNKS - 1);
	}
	answers_show();
	close_range(arbitrary_first_fd, ~0U, 0);
	accounts_close(&before);
	ksft_test_result(!process_log_lines(&log), "the kernel has said nothing\n");
	ksft_finished();
}

#endif /* SELFTESTS_TAVOR_ARBITRARY_H */
