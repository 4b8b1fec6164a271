// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The audit is one file for two modules, this one and vrb_audit; each compiles it for itself.
 */
#include "../audit/audit.c"
