/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * An argument of the function that a kprobe has stopped. For test modules.
 */
#ifndef SELFTESTS_VRB_FAULTS_ARGUMENT_H
#define SELFTESTS_VRB_FAULTS_ARGUMENT_H

#include <linux/ptrace.h>

/* 32-bit ARM offers no access to arguments, and s390 does not export the function for it. */
#define READS_ARGUMENTS	(IS_ENABLED(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API) && \
			 !IS_ENABLED(CONFIG_S390))

/* Where it cannot be read: 0 */
static inline unsigned long argument(struct pt_regs *regs, unsigned int nr)
{
#if READS_ARGUMENTS
	return regs_get_kernel_argument(regs, nr);
#else
	return 0;
#endif
}

#endif /* SELFTESTS_VRB_FAULTS_ARGUMENT_H */
