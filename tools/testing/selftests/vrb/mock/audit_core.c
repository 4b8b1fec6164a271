// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The audit is one file that is part of two modules, this one and vrb_audit. Each module compiles
 * it.
 */
#include "../audit/audit.c"
