/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* How long commands take, and in which order they are taken. */
#ifndef HCA_TIMING_H
#define HCA_TIMING_H

#include "core/hca.h"

enum cmd_order { ORDER_FIFO, ORDER_LIFO, ORDER_RANDOM, ORDER_INORDER };

int timing_new(struct hca *h);
void timing_delete(struct hca *h);
u64 timing_latency(struct hca *h, u16 opcode);
enum cmd_order timing_order(const struct hca *h);

/* For options.h */
int timing_check_latency(const char *value, char *why);
int timing_check_latency_op(const char *value, char *why);
int timing_check_order(const char *value, char *why);
int timing_check_profile(const char *value, char *why);
void timing_option_changed(int n, const char *key, const char *value);

#endif
