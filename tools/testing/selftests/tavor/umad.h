/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions for programs that send directed SMPs through ib_umad.
 */
#ifndef SELFTESTS_TAVOR_UMAD_H
#define SELFTESTS_TAVOR_UMAD_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <infiniband/verbs.h>
#include <rdma/ib_user_mad.h>

#define UMAD_CLASS_DIRECTED 0x81

struct umad_packet {
	struct ib_user_mad_hdr hdr;
	uint8_t mad[256];
};

#define UMAD_GET 1
#define UMAD_SET 2
#define UMAD_DATA 64 /* offset in an SMP, in bytes */
#define UMAD_GUID_INFO 0x14
#define UMAD_PORT_INFO 0x15
#define UMAD_PKEY_TABLE 0x16

/* Offsets in PortInfo */
#define UMAD_PREFIX 8
#define UMAD_LID 16
#define UMAD_SM_LID 18
#define UMAD_WIDTH_ENABLED 29
#define UMAD_STATE 32
#define UMAD_PHYS_STATE 33
#define UMAD_SPEED 35
#define UMAD_MTU_SL 36
#define UMAD_OPERATIONAL_VLS 43
#define UMAD_REREGISTER 51

/* Opens a port with an agent for directed SMPs. Returns -1 if there is none. */
static inline int umad_open_port(int port)
{
	struct ib_user_mad_reg_req agent = { .mgmt_class = UMAD_CLASS_DIRECTED,
					     .mgmt_class_version = 1 };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/infiniband/umad%d", port - 1);
	fd = open(path, O_RDWR);
	if (fd < 0 || ioctl(fd, IB_USER_MAD_ENABLE_PKEY) ||
	    ioctl(fd, IB_USER_MAD_REGISTER_AGENT, &agent))
		return -1;
	return fd;
}

static inline int umad_open(void)
{
	return umad_open_port(1);
}

/*
 * Sends an SMP to the local port, by directed route. @data has the data of the request, and then
 * the data of the reply.
 */
static inline bool umad_smp(int fd, uint8_t method, uint8_t attribute, uint8_t modifier,
			    uint8_t data[64])
{
	static uint32_t transaction;
	struct pollfd pollfd = { fd, POLLIN, 0 };
	struct umad_packet p = { .hdr = { .timeout_ms = 5000, .lid = 0xffff } };

	transaction++;
	p.mad[0] = 1;
	p.mad[1] = UMAD_CLASS_DIRECTED;
	p.mad[2] = 1;
	p.mad[3] = method;
	p.mad[14] = transaction >> 8;
	p.mad[15] = transaction;
	p.mad[17] = attribute;
	p.mad[23] = modifier;
	memset(p.mad + 32, 0xff, 4); /* no LIDs */
	memcpy(p.mad + UMAD_DATA, data, 64);
	if (write(fd, &p, sizeof(p)) != sizeof(p) || poll(&pollfd, 1, 10000) != 1 ||
	    read(fd, &p, sizeof(p)) < 0)
		return false;
	if (p.hdr.status || (p.mad[4] & 0x7f) || p.mad[5])
		return false;
	memcpy(data, p.mad + UMAD_DATA, 64);
	return true;
}

/* Reads PortInfo of a port, and changes the values that a Get may return but a Set refuses. */
static inline bool umad_settable(int fd, int port, uint8_t data[64])
{
	memset(data, 0, 64);
	if (!umad_smp(fd, UMAD_GET, UMAD_PORT_INFO, port, data))
		return false;
	data[UMAD_STATE] = 0; /* no change */
	data[UMAD_PHYS_STATE] = 0;
	data[UMAD_WIDTH_ENABLED] = 0;
	data[UMAD_SPEED] = 0;
	data[UMAD_OPERATIONAL_VLS] &= 0x0f;
	if (!(data[UMAD_MTU_SL] >> 4))
		data[UMAD_MTU_SL] |= IBV_MTU_2048 << 4;
	if (!data[UMAD_SM_LID] && !data[UMAD_SM_LID + 1])
		data[UMAD_SM_LID + 1] = 1;
	return true;
}

/* Waits until ib_core's first GID has the prefix. ib_core learns of it by an event of its own. */
static inline bool umad_prefix_arrives(struct ibv_context *context, uint16_t prefix)
{
	union ibv_gid gid;
	int tries;

	for (tries = 0; tries < 1000; tries++, usleep(5000))
		if (!ibv_query_gid(context, 1, 0, &gid) && gid.raw[0] == prefix >> 8 &&
		    gid.raw[1] == (prefix & 0xff))
			return true;
	return false;
}

#endif /* SELFTESTS_TAVOR_UMAD_H */
