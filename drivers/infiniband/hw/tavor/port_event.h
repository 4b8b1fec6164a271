/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Events of ports.
 */
#ifndef TAVOR_PORT_EVENT_H
#define TAVOR_PORT_EVENT_H

#include <rdma/ib_mad.h>
#include <rdma/ib_verbs.h>

struct tavor_dev;

void tavor_port_event(struct tavor_dev *dev, u32 port, enum ib_event_type type);
void tavor_port_event_from_mad(struct tavor_dev *dev, u32 port, const struct ib_mad_hdr *request,
			       const struct ib_mad *response);

#endif /* TAVOR_PORT_EVENT_H */
