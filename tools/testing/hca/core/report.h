/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* What report.c offers beyond hca.h: the report file, waivers, the summary. */
#ifndef HCA_REPORT_H
#define HCA_REPORT_H

#include "core/hca.h"

#include <stdio.h>

struct cJSON;

int report_new(struct hca *h);
void report_delete(struct hca *h);
/* Where violations go; NULL path: only to the log. 0 or a negative errno. */
int report_open(const char *path);
int report_log_open(const char *path);
/* The last line of the report; true if some violation was not waived. */
bool report_summary(void);
void report_close(void);
void report_rules(FILE *out);
int report_check_waive(const char *value, char *why);
/* One waived rule a line, the reason after '#'; 0, or -1 and @why. */
int report_load_waivers(const char *path, char *why);
/* Which UAR pages are the kernel's: this distinguishes user faults from violations. */
void report_kernel_uar(struct hca *h, u32 uar);
void report_forget_uars(struct hca *h);
/* For tests and the control socket */
u64 report_violations(const struct hca *h, enum hca_rule rule);
u64 report_user_faults(const struct hca *h, enum hca_rule rule);
u64 report_counter(const struct hca *h, const char *name);
void report_stats(const struct hca *h, struct cJSON *out);

#endif
