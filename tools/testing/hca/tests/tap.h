/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Tests that print TAP. A test is a function without arguments. CHECK() marks it failed and prints
 * the line. "test_x NAME..." runs only these tests, "test_x --list" lists all.
 */
#ifndef HCA_TESTS_TAP_H
#define HCA_TESTS_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct tap_test {
	const char *name;
	void (*fn)(void);
};

#define TAP(fn) { #fn, fn }

static bool tap_ok;
static const char *tap_skip;

#define CHECK(cond)                                                                   \
	do {                                                                          \
		if (!(cond)) {                                                        \
			printf("# %s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
			tap_ok = false;                                               \
		}                                                                     \
	} while (0)

/* Prints both values as numbers. */
#define CHECK_EQ(got, want)                                                                   \
	do {                                                                                  \
		unsigned long long g_ = (got), w_ = (want);                                   \
		if (g_ != w_) {                                                               \
			printf("# %s:%d: %s is %llu (0x%llx), not %llu (0x%llx)\n", __FILE__, \
			       __LINE__, #got, g_, g_, w_, w_);                               \
			tap_ok = false;                                                       \
		}                                                                             \
	} while (0)

static inline bool tap_wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

static inline int tap_run(const struct tap_test *tests, int n, int argc, char **argv)
{
	int i, num = 0, failed = 0, wanted = 0;

	for (i = 0; i < n; i++)
		wanted += tap_wanted(tests[i].name, argc, argv);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < n; i++)
			puts(tests[i].name);
		return 0;
	}
	printf("TAP version 13\n1..%d\n", wanted);
	for (i = 0; i < n; i++) {
		if (!tap_wanted(tests[i].name, argc, argv))
			continue;
		tap_ok = true;
		tap_skip = NULL;
		tests[i].fn();
		failed += !tap_ok;
		printf("%sok %d - %s%s%s\n", tap_ok ? "" : "not ", ++num, tests[i].name,
		       tap_skip ? " # SKIP " : "", tap_skip ? tap_skip : "");
		fflush(stdout);
	}
	return failed || !wanted;
}

/* The last test checks the results of all others, so it only runs together with all of them. */
static inline int tap_run_judged(const struct tap_test *tests, int n, int argc, char **argv)
{
	return tap_run(tests, argc == 1 ? n : n - 1, argc, argv);
}

#endif
