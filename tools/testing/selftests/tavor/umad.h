/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * For programs that send directed SMPs through ib_umad.
 */
#ifndef SELFTESTS_TAVOR_UMAD_H
#define SELFTESTS_TAVOR_UMAD_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <rdma/ib_user_mad.h>

#define UMAD_CLASS_DIRECTED 0x81

struct umad_packet {
	struct ib_user_mad_hdr hdr;
	uint8_t mad[256];
};

/* The first port, with an agent for directed SMPs; -1: there is none. */
static inline int umad_open(void)
{
	struct ib_user_mad_reg_req agent = { .mgmt_class = UMAD_CLASS_DIRECTED,
					     .mgmt_class_version = 1 };
	int fd = open("/dev/infiniband/umad0", O_RDWR);

	if (fd < 0 || ioctl(fd, IB_USER_MAD_ENABLE_PKEY) ||
	    ioctl(fd, IB_USER_MAD_REGISTER_AGENT, &agent))
		return -1;
	return fd;
}

#endif /* SELFTESTS_TAVOR_UMAD_H */
