/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Verb queues as a process sees them.
 */
#ifndef TAVOR_USER_QUEUE_H
#define TAVOR_USER_QUEUE_H

struct ib_qp;
struct ib_qp_attr;
struct ib_udata;
struct uapi_definition;

extern const struct uapi_definition tavor_user_queue_defs[];

int tavor_user_modify_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
			 struct ib_udata *udata);
int tavor_user_destroy_qp(struct ib_qp *ibqp, struct ib_udata *udata);

#endif /* TAVOR_USER_QUEUE_H */
