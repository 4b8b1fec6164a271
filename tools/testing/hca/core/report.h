/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The functions of report.c that are not in hca.h: the report file, waivers, the summary. */
#ifndef HCA_REPORT_H
#define HCA_REPORT_H

#include "core/hca.h"

#include <stdio.h>

struct cJSON;

int report_new(struct hca *h);
void report_delete(struct hca *h);
/*
 * Opens the report, the file for violations. With a NULL path they are only logged. Returns 0 or a
 * negative errno.
 */
int report_open(const char *path);
int report_log_open(const char *path);
/* Writes the last line of the report. Returns true if there is a violation that is not waived. */
bool report_summary(void);
void report_close(void);
void report_rules(FILE *out);
int report_check_waive(const char *value, char *why);
/*
 * Reads a file with one waived rule per line and the reason after '#'. Returns 0, or -1 and an
 * error in @why.
 */
int report_load_waivers(const char *path, char *why);
/* Records a UAR page of the kernel. Errors of objects with other UAR pages are user faults. */
void report_kernel_uar(struct hca *h, u32 uar);
void report_forget_uars(struct hca *h);
/* For tests and the control socket */
u64 report_violations(const struct hca *h, enum hca_rule rule);
u64 report_user_faults(const struct hca *h, enum hca_rule rule);
u64 report_counter(const struct hca *h, const char *name);
void report_stats(const struct hca *h, struct cJSON *out);

#endif
