/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Events of ports.
 */
#ifndef TAVOR_PORT_EVENT_H
#define TAVOR_PORT_EVENT_H

#include <rdma/ib_mad.h>

struct tavor_dev;

void tavor_mad_snoop(struct tavor_dev *dev, u32 port, const struct ib_mad_hdr *request,
		     const struct ib_mad *response);

#endif /* TAVOR_PORT_EVENT_H */
