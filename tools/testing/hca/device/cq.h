/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* Completion queues as cq.c and cq_cmd.c see them. */
#ifndef HCA_CQ_H
#define HCA_CQ_H

#include "device/queues.h"

#define CQE_SIZE 32

enum cq_state { CQ_DISARMED = 0, CQ_ARMED = 1, CQ_ARMED_SOL = 4, CQ_FIRED = 0xa };
enum { CQ_OK = 0, CQ_OVERFLOWED = 9, CQ_WRITE_FAILED = 0xa };

/* A CQE held back by a fault, and those that must stay behind it */
struct late_cqe {
	struct late_cqe *next;
	struct cqe cqe;
	bool solicited;
};

struct cq {
	bool hw, overrun_ignore;
	u8 state, status, log_size;
	u8 c_eqn, e_eqn;
	u16 after; /* doorbell 5: notify when this many wait */
	u32 cqn, uar, pd, lkey;
	u32 ci, pi, sol_pi, notified;
	u64 start;
	u64 written; /* statistics */
	struct late_cqe *late;
	struct hca_timer late_timer;
	struct hca *h;
};

struct cqs {
	struct cq *cq;
	u32 mask;
	u32 *mpt_use; /* buffers by MPT index, so that most keys need no search */
	u32 mpt_mask;
};

static inline struct cqs *cqs_of(const struct hca *h)
{
	return hca_part(h, PART_CQ);
}

static inline u32 cq_size_mask(const struct cq *q)
{
	return (1u << q->log_size) - 1;
}

/* Entries written and not yet consumed, according to the consumer index that software has set. */
static inline u32 cq_outstanding(const struct cq *q)
{
	return (q->pi - q->ci) & cq_size_mask(q);
}

/* The CQ of this number, if it is the hardware's. */
struct cq *cq_find(struct hca *h, u32 cqn);
/* For complaints; @object has 24 bytes. */
void cq_name(char *object, u32 cqn);
void cq_use_mpt(struct hca *h, u32 key, int delta);
void cq_drop_late(struct cq *q);
/* Becomes the hardware's, with what @q says. */
void cq_start(struct cq *at, const struct cq *q);
bool cq_in_use(const struct cq *q);

#endif
