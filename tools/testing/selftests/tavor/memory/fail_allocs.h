/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What fail_allocs offers to test modules; scripts and programs write the same to its parameters.
 */
#ifndef TAVOR_TEST_FAIL_ALLOCS_H
#define TAVOR_TEST_FAIL_ALLOCS_H

#include <linux/types.h>

/**
 * enum fail_mode - which allocations fail
 * @FAIL_OFF: none, and they are not counted
 * @FAIL_NTH: only the n-th; with n = 0 they are only counted
 * @FAIL_FROM: the n-th and all later ones
 * @FAIL_NEW: the first one at a place at which none has failed yet
 */
enum fail_mode {
	FAIL_OFF,
	FAIL_NTH,
	FAIL_FROM,
	FAIL_NEW,
};

void fail_allocs_arm(enum fail_mode mode, unsigned int n, int pid);
unsigned int fail_allocs_matches(void);
unsigned int fail_allocs_failed(void);
int fail_allocs_last(char *buffer);
unsigned int fail_allocs_live(void);

#endif /* TAVOR_TEST_FAIL_ALLOCS_H */
