/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* Completion and event queues. */
#ifndef HCA_QUEUES_H
#define HCA_QUEUES_H

#include "core/hca.h"

struct cJSON;

/* --- cq.c --- */

struct cqe {
	u32 qpn; /* hardware QPN */
	u32 rqpn;
	u8 sl;
	u8 grh_path; /* byte 0x0d of the CQE */
	u16 rlid;
	u32 imm;
	u32 byte_cnt;
	u32 wqe; /* [31:6] address, [5:0] size */
	u8 opcode;
	bool send;
	bool error; /* syndrome, vendor_err, db_cnt are valid; the opcode becomes 0xff or 0xfe */
	u8 syndrome, vendor_err;
	u16 db_cnt;
};

/*
 * Returns 0, or -EIO if the CQ has overflowed, is in error, or is not owned by hardware. The caller
 * then moves its QP to error.
 */
int cq_post(struct hca *h, u32 cqn, const struct cqe *cqe, bool solicited);
/* Returns whether hardware owns this CQ. */
bool cq_valid(struct hca *h, u32 cqn);

/* --- eq.c --- */

enum hca_event {
	EV_COMP = 0x00,
	EV_PATH_MIG = 0x01,
	EV_COMM_EST = 0x02,
	EV_SQ_DRAINED = 0x03,
	EV_CQ_ERR = 0x04,
	EV_WQ_CATAS = 0x05,
	EV_PATH_MIG_FAILED = 0x07,
	EV_LOCAL_CATAS = 0x08,
	EV_PORT_CHANGE = 0x09,
	EV_CMD = 0x0a,
	EV_ECC = 0x0e,
	EV_EQ_OVERFLOW = 0x0f,
	EV_WQ_INVALID_REQ = 0x10,
	EV_WQ_ACCESS = 0x11,
	EV_SRQ_CATAS = 0x12,
	EV_LAST_WQE = 0x13,
	EV_SRQ_LIMIT = 0x14,
};

/*
 * Reports an asynchronous event, routed by MAP_EQ. @data are the seven dwords 0x04..0x18 of the EQE
 * in host order.
 */
void eq_async(struct hca *h, enum hca_event type, u8 subtype, const u32 data[7]);
/* Reports an event of a QP (dword 0x04 = QPN). */
void eq_qp_event(struct hca *h, enum hca_event type, u32 qpn);
void eq_completion(struct hca *h, u32 eqn, u32 cqn);
/* Reports a doorbell through a page that its context does not name, if "uar_event" says so. */
void eq_misbehaved_uar(struct hca *h, u32 uar);

/* --- lifetime, and queries of the device --- */

int eq_new(struct hca *h);
int cq_new(struct hca *h);
void eq_delete(struct hca *h);
void eq_reset(struct hca *h);
void cq_delete(struct hca *h);
void cq_reset(struct hca *h);
int cq_init(struct hca *h);
/*
 * Return whether an EQ (CQ) owned by hardware uses this memory key for its buffer. *uar is the UAR
 * page in its context.
 */
bool eq_uses_mpt(struct hca *h, u32 key, u32 *uar);
bool cq_uses_mpt(struct hca *h, u32 key, u32 *uar);
bool eq_valid(struct hca *h, u32 eqn);
bool eq_type_mapped(struct hca *h, enum hca_event type);
/* Sets the ECR bit and raises the interrupt of the EQ for @type, without an EQE (tavor-hw 10.3). */
void eq_raise(struct hca *h, enum hca_event type);
/* Reports to one EQ without MAP_EQ: errors of a CQ are reported to the CQ's own error EQ. */
void eq_post_to(struct hca *h, u32 eqn, enum hca_event type, const u32 data[7]);
/* Functions that EQs call for the objects that report to them */
struct eq_users {
	bool (*uses_eq)(struct hca *h, u32 eqn);
	void (*disarm)(struct hca *h, u32 cqn);
};

void eq_set_users(const struct eq_users *u);
/* Functions that CQs call for the objects that complete there */
struct cq_users {
	bool (*uses_cq)(struct hca *h, u32 cqn);
	void (*error)(struct hca *h, u32 cqn); /* the CQ has overflowed */
};

void cq_set_users(const struct cq_users *u);
void cq_disarm(struct hca *h, u32 cqn);
bool cq_uses_eq(struct hca *h, u32 eqn);

void eq_objects(struct hca *h, struct cJSON *out);
void cq_objects(struct hca *h, struct cJSON *out);
void cq_db(struct hca *h, u32 uar, u32 hi, u32 lo);
void eq_db(struct hca *h, u32 uar, u32 hi, u32 lo);

#endif
