/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* Memory keys: checks of access rights, and copies through the translations. */
#ifndef HCA_KEYS_H
#define HCA_KEYS_H

#include "core/hca.h"

struct cJSON;

enum tpt_access {
	TPT_LOCAL_READ = 0,
	TPT_LOCAL_WRITE = 1 << 0,
	TPT_REMOTE_READ = 1 << 1,
	TPT_REMOTE_WRITE = 1 << 2,
	TPT_REMOTE_ATOMIC = 1 << 3,
};

/*
 * These check key, PD, range and rights, and copy the bytes through the MTTs. They return 0,
 * -EACCES (the key does not allow the access: a protection error of the work queue, which is no
 * violation by itself) or -EFAULT (the translation has memory that the device cannot access; this
 * has been recorded). With @len 0 only the key is checked. @who names the accessor in a report.
 */
int tpt_check(struct hca *h, u32 key, u32 pd, u64 va, u64 len, unsigned int access);
int tpt_read(struct hca *h, const char *who, u32 key, u32 pd, u64 va, void *buf, size_t len,
	     unsigned int access);
int tpt_write(struct hca *h, const char *who, u32 key, u32 pd, u64 va, const void *buf, size_t len,
	      unsigned int access);
/* Reads, modifies and writes 8 bytes. *old is a number in host order. */
int tpt_atomic(struct hca *h, const char *who, u32 key, u32 pd, u64 va,
	       u64 (*op)(u64 old, const void *arg), const void *arg, u64 *old);
/* Executes a bind WQE (tavor-hw 9.5, 13.7). Returns 0 or the syndrome of an error CQE. */
u8 tpt_bind(struct hca *h, u32 pd, u32 flags, u32 new_rkey, u32 lkey, u64 addr, u64 len);

int tpt_new(struct hca *h);
void tpt_delete(struct hca *h);
void tpt_reset(struct hca *h);
int tpt_init(struct hca *h); /* at INIT_HCA, when the profile is set; 0 or a negative errno */
/* Must be called before software stores to the DDR at this HCA address, through BAR4. */
void tpt_store(struct hca *h, u64 addr, const void *buf, u32 len);
void tpt_sync_all(struct hca *h);
/* Returns a pointer to @len bytes behind a key, for queue entries, or NULL on any error. */
u8 *tpt_peek(struct hca *h, const char *who, u32 key, u32 pd, u64 va, size_t len,
	     unsigned int access);

/* --- tpt_cmd.c --- */

/* @uses_mpt returns whether a work queue uses this key's index; *uar is its UAR page. */
void tpt_set_work_queues(bool (*uses_mpt)(struct hca *h, u32 key, u32 *uar));
void tpt_objects(struct hca *h, struct cJSON *out);

#endif
