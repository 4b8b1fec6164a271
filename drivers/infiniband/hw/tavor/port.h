/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Ports: query and modify.
 */
#ifndef TAVOR_PORT_H
#define TAVOR_PORT_H

#include <rdma/ib_verbs.h>
#include <rdma/vrb_provider.h>

extern const struct vrb_verb tavor_verb_query_port, tavor_verb_modify_port;

int tavor_query_port(struct ib_device *ibdev, u32 port, struct ib_port_attr *props);
int tavor_modify_port(struct ib_device *ibdev, u32 port, int mask, struct ib_port_modify *props);

#endif /* TAVOR_PORT_H */
