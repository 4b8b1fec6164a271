/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* Decodes the context of a command into a QP, and encodes a QP's context for QUERY_QPEE. */
#ifndef HCA_CONTEXT_H
#define HCA_CONTEXT_H

#include "qp/qp.h"

/* Optional-parameter mask (tavor-hw 12.5) */
#define OPT_ALT_PATH (1u << 0)
#define OPT_RRE (1u << 1)
#define OPT_RAE (1u << 2)
#define OPT_RWE (1u << 3)
#define OPT_PKEY (1u << 4)
#define OPT_QKEY (1u << 5)
#define OPT_MIN_RNR (1u << 6)
#define OPT_PRIMARY (1u << 7)
#define OPT_SRA (1u << 8)
#define OPT_RRA (1u << 9)
#define OPT_PM (1u << 10)
#define OPT_PORT (1u << 11)
#define OPT_RETRY (1u << 12)
#define OPT_ALT_RNR (1u << 13)
#define OPT_TIMEOUT (1u << 14)
#define OPT_RNR (1u << 15)
#define OPT_SCHED (1u << 16)
#define OPT_ACCESS (OPT_RRE | OPT_RAE | OPT_RWE)
#define OPT_ALT (OPT_ALT_PATH | OPT_ALT_RNR)
#define OPT_RUNNING (OPT_QKEY | OPT_ACCESS | OPT_PM | OPT_MIN_RNR | OPT_ALT)

/* RST2INIT */
void qp_take_new(struct qp *qp, const u8 *c);
/* Takes the fields that these bits of the mask select. */
void qp_take_options(struct qp *qp, u32 opt, const u8 *c);
void qp_take_primary(struct qp_path *p, const u8 *c);
void qp_take_timeout(struct qp_path *p, const u8 *c);
void qp_take_rnr(struct qp_path *p, const u8 *c);
void qp_take_sra(struct qp *qp, const u8 *c);
void qp_context_encode(const struct qp *qp, u8 *c);

#endif
