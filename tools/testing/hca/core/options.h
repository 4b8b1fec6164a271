/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Model options, as key=value. options.def declares each option:
 *
 *	OPTION(key, TYPE, default, min, max, WHEN, "help")
 *
 * TYPE is U64, BOOL (0/1, yes/no, on/off, true/false), STR (min and max bound the length) or LIST
 * (a STR that grows by one element, separated by ";", each time it is set; an empty value clears
 * it). U64 accepts decimal, 0x hex, and the suffixes k, m, g (1024-based) and ns, us, ms, s (to
 * nanoseconds). WHEN is START (fixed when the model has started) or LIVE (can be changed through
 * the control socket).
 */
#ifndef HCA_OPTIONS_H
#define HCA_OPTIONS_H

#include "core/hca.h"

#define OPT_ALL (-1)

/*
 * Sets an option for HCA @n, or OPT_ALL, before or after the HCA exists. Returns 0, or -1 and in
 * @why (OPT_WHY bytes) one line that names the key and the error.
 */
#define OPT_WHY 256
int opt_set(int n, const char *key, const char *value, char *why);
/* Sets an option from "KEY=VALUE" or "N:KEY=VALUE". */
int opt_parse(const char *arg, char *why);
/* Sets options from a file with one "KEY=VALUE" per line and '#' comments. */
int opt_load(const char *path, char *why);
void opt_list(void);
/* After this call, START options are refused. */
void opt_started(void);
/*
 * Returns the highest HCA number in any "N:KEY", or -1 if there is none. main.c refuses numbers
 * that do not exist.
 */
int opt_highest(void);
/* Returns the name of declared option @i, or NULL past the end. For the control socket. */
const char *opt_key(unsigned int i);
int opt_print(const struct hca *h, const char *key, char *buf, size_t room);

/*
 * Is called for each value of a STR or LIST option before it is stored. Returns 0, or -1 and an
 * error in @why.
 */
typedef int (*opt_check)(const char *value, char *why);
void opt_own(const char *key, opt_check check);
/* Is called after the value of an option has changed, for HCA @n or OPT_ALL. */
typedef void (*opt_watch)(int n, const char *key, const char *value);
void opt_tell(opt_watch watch);

int options_new(struct hca *h);
/* Converts a number, such as "10us" to 10000. Returns false if it is invalid. */
bool opt_number(const char *text, u64 *value);

#endif
