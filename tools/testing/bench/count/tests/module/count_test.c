// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The intervals that counts.sh counts in the kernel. Loading the module executes them. */
#include <linux/module.h>

#define BASE 20
#include "../intervals.h"

static int __init count_test_init(void)
{
	known_intervals();
	return 0;
}

static void __exit count_test_exit(void)
{
}

module_init(count_test_init);
module_exit(count_test_exit);
MODULE_DESCRIPTION("Intervals of a known number of instructions");
MODULE_LICENSE("Dual BSD/GPL");
