/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Model options: key=value. options.def declares each one:
 *
 *	OPTION(key, TYPE, default, min, max, WHEN, "help")
 *
 * TYPE is U64, BOOL (0/1, yes/no, on/off, true/false), STR (min and max bound the length) or LIST
 * (a STR that grows by one element, separated by ";", each time it is set; an empty value clears
 * it). U64 accepts decimal, 0x hex, and the suffixes k, m, g (1024-based) and ns, us, ms, s (to
 * nanoseconds). WHEN is START (fixed once the model serves) or LIVE (may be changed on the control
 * socket).
 */
#ifndef HCA_OPTIONS_H
#define HCA_OPTIONS_H

#include "core/hca.h"

#define OPT_ALL (-1)

/*
 * Sets an option for HCA @n, or OPT_ALL, before or after the HCA exists. 0, or -1 with one line
 * that names the key and what is wrong in @why (size OPT_WHY).
 */
#define OPT_WHY 256
int opt_set(int n, const char *key, const char *value, char *why);
/* "KEY=VALUE" or "N:KEY=VALUE" */
int opt_parse(const char *arg, char *why);
/* One "KEY=VALUE" a line, '#' comments. */
int opt_load(const char *path, char *why);
void opt_list(void);
/* After this, START options are refused. */
void opt_started(void);
/* Highest HCA number some "N:KEY" named, -1 if none: main.c refuses numbers that do not exist. */
int opt_highest(void);
/* Walks the declared options for the control socket: NULL past the end. */
const char *opt_key(unsigned int i);
int opt_print(const struct hca *h, const char *key, char *buf, size_t room);

/* Called for each value set on a STR or LIST option, before it is stored: 0, or -1 and @why. */
typedef int (*opt_check)(const char *value, char *why);
void opt_own(const char *key, opt_check check);
/* Called after an option got a new value, for HCA @n or OPT_ALL. */
typedef void (*opt_watch)(int n, const char *key, const char *value);
void opt_tell(opt_watch watch);

int options_new(struct hca *h);
/* "10us" -> 10000; false if it makes no sense. */
bool opt_number(const char *text, u64 *value);

#endif
