/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the examples share: a device is opened, and what is wrong is said in plain words.
 */
#ifndef EXAMPLES_DEVICE_H
#define EXAMPLES_DEVICE_H

#include <argp.h>
#include <infiniband/verbs.h>

#define EXAMPLES_VERSION "1.0.0"

/* Says what is wrong, and ends the program with status 1. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* strerror(), and what can be done about it */
const char *why(int err);

/* The number that an option was given; anything but one from @low to @high ends the program. */
int number(const char *arg, int low, int high, struct argp_state *state);

/* The device called @name, or the first one if that is NULL. */
struct ibv_context *device_open(const char *name);

#endif /* EXAMPLES_DEVICE_H */
