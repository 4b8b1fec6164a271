/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * For the programs that break each rule of a .def file. Each test records the rules that it has
 * broken. The last test fails if a rule was broken by none.
 */
#ifndef HCA_TESTS_RULES_H
#define HCA_TESTS_RULES_H

#include "client.h"
#include "tap.h"

static u8 covered[RULE_COUNT];

#define TRIPPED(rule)                                  \
	do {                                           \
		covered[RULE_##rule] = 1;              \
		CHECK(tc_violations(RULE_##rule) > 0); \
	} while (0)
#define FAULTED(rule) CHECK(tc_user_faults(RULE_##rule) > 0)

static inline void all_tripped(const u16 *rules, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (covered[rules[i]])
			continue;
		printf("# nothing trips %s\n", rule_name(rules[i]));
		tap_ok = false;
	}
}

#endif
