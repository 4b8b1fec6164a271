/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions that the examples share: they open a device and explain errors.
 */
#ifndef EXAMPLES_DEVICE_H
#define EXAMPLES_DEVICE_H

#include <argp.h>
#include <infiniband/verbs.h>

#define EXAMPLES_VERSION "0.1"

/* Prints an error message and ends the program with status 1. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Returns the text of strerror(), with a hint about the likely cause. */
const char *why(int err);

/* Converts the argument of an option. Ends the program unless it is a number from @low to @high. */
int number(const char *arg, int low, int high, struct argp_state *state);

/* Opens the device called @name, or the first one if @name is NULL. */
struct ibv_context *device_open(const char *name);

#endif /* EXAMPLES_DEVICE_H */
