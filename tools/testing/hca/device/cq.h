/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* Completion queues, for cq.c and cq_cmd.c. */
#ifndef HCA_CQ_H
#define HCA_CQ_H

#include "device/queues.h"

#define CQE_SIZE 32

enum cq_state { CQ_DISARMED = 0, CQ_ARMED = 1, CQ_ARMED_SOL = 4, CQ_FIRED = 0xa };
enum { CQ_OK = 0, CQ_OVERFLOWED = 9, CQ_WRITE_FAILED = 0xa };

/* A CQE that a fault delays, or one that must follow a delayed one */
struct late_cqe {
	struct late_cqe *next;
	struct cqe cqe;
	bool solicited;
};

struct cq {
	bool hw, overrun_ignore;
	u8 state, status, log_size;
	u8 c_eqn, e_eqn;
	u16 after; /* doorbell 5: notify at this number of outstanding CQEs */
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

/* The number of CQEs that are written and not consumed, by the consumer index of software. */
static inline u32 cq_outstanding(const struct cq *q)
{
	return (q->pi - q->ci) & cq_size_mask(q);
}

/* Returns the CQ with this number, or NULL if hardware does not own it. */
struct cq *cq_find(struct hca *h, u32 cqn);
/* Formats the name of a CQ for reports. @object has 24 bytes. */
void cq_name(char *object, u32 cqn);
void cq_use_mpt(struct hca *h, u32 key, int delta);
void cq_drop_late(struct cq *q);
/* Passes the CQ to hardware, with the context in @q. */
void cq_start(struct cq *at, const struct cq *q);
bool cq_in_use(const struct cq *q);

#endif
