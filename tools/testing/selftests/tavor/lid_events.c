// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor
// Kernels: 6.12 debug
// Runs: guest --driver mthca
//
// A subnet manager changes a port's LID many times, then its subnet prefix, while many threads
// read the port: each change is noticed, whoever has seen it first. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/lid_events

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include "kselftest.h"
#include "process.h"
#include "umad.h"

#define CHANGES 200
#define READERS 16
#define PORT_INFO 0x15
#define GET 1
#define SET 2
#define DATA 64 /* of an SMP, in bytes from its begin */
/* Offsets in PortInfo */
#define PREFIX 8
#define LID 16
#define SM_LID 18
#define WIDTH_ENABLED 29
#define STATE 32
#define PHYS_STATE 33
#define SPEED 35
#define MTU_SL 36
#define OPERATIONAL_VLS 43

static struct ibv_context *context;
static volatile bool stop;

/*
 * PortInfo of the own port, by directed route: @data is what is sent and becomes what is answered.
 */
static bool port_info(int fd, uint8_t method, uint8_t data[64])
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
	p.mad[17] = PORT_INFO;
	p.mad[23] = 1;		     /* the port */
	memset(p.mad + 32, 0xff, 4); /* no LIDs */
	memcpy(p.mad + DATA, data, 64);
	if (write(fd, &p, sizeof(p)) != sizeof(p) || poll(&pollfd, 1, 10000) != 1 ||
	    read(fd, &p, sizeof(p)) < 0)
		return false;
	if (p.hdr.status || (p.mad[4] & 0x7f) || p.mad[5])
		return false;
	memcpy(data, p.mad + DATA, 64);
	return true;
}

/* What a Set may not leave as a Get has answered it */
static void settable(uint8_t data[64])
{
	data[STATE] = 0; /* no change */
	data[PHYS_STATE] = 0;
	data[WIDTH_ENABLED] = 0;
	data[SPEED] = 0;
	data[OPERATIONAL_VLS] &= 0x0f;
	if (!(data[MTU_SL] >> 4))
		data[MTU_SL] |= IBV_MTU_2048 << 4;
	if (!data[SM_LID] && !data[SM_LID + 1])
		data[SM_LID + 1] = 1;
}

static bool set_bytes(int fd, int at, uint16_t value)
{
	uint8_t data[64] = {};

	if (!port_info(fd, GET, data))
		return false;
	settable(data);
	data[at] = value >> 8;
	data[at + 1] = value;
	return port_info(fd, SET, data) && data[at] == value >> 8 && data[at + 1] == (value & 0xff);
}

static void *reader(void *arg)
{
	struct ibv_port_attr attr;

	while (!stop)
		ibv_query_port(context, 1, &attr);
	return NULL;
}

/* Events of this kind that come until there is none for a while */
static int events(struct ibv_context *watch, enum ibv_event_type type)
{
	struct pollfd pollfd = { watch->async_fd, POLLIN, 0 };
	struct ibv_async_event event;
	int n = 0;

	while (poll(&pollfd, 1, 1000) == 1 && !ibv_get_async_event(watch, &event)) {
		n += event.event_type == type;
		ibv_ack_async_event(&event);
	}
	return n;
}

static void lid_changes(int fd, const char *what)
{
	struct ibv_context *watch = process_open();
	int i, got, failed = 0;

	for (i = 0; i < CHANGES; i++)
		failed += !set_bytes(fd, LID, 1000 + i);
	got = events(watch, IBV_EVENT_LID_CHANGE);
	if (failed)
		ksft_print_msg("%d changes were refused\n", failed);
	ksft_test_result(!failed && got == CHANGES, "%s: %d events of %d changes\n", what, got,
			 CHANGES);
	ibv_close_device(watch);
}

/* The first GID as ib_core has it, which has been told by an event of its own. */
static bool prefix_arrives(uint16_t prefix)
{
	union ibv_gid gid;
	int tries;

	for (tries = 0; tries < 1000; tries++, usleep(5000))
		if (!ibv_query_gid(context, 1, 0, &gid) && gid.raw[0] == prefix >> 8 &&
		    gid.raw[1] == (prefix & 0xff))
			return true;
	return false;
}

static void prefix_changes(int fd, const char *what)
{
	int i, got = 0;

	for (i = 0; i < CHANGES; i++) {
		if (!set_bytes(fd, PREFIX, 2000 + i))
			ksft_print_msg("change %d was refused\n", i);
		got += prefix_arrives(2000 + i);
		/* One that never arrives takes seconds. */
		if (i > got + 5)
			break;
	}
	if (process_driver_is(context, "ib_mthca"))
		ksft_test_result_xfail("%s: ib_mthca has no event for it\n", what);
	else
		ksft_test_result(got == CHANGES, "%s: %d of %d changes arrive\n", what, got,
				 CHANGES);
}

int main(void)
{
	pthread_t threads[READERS];
	int fd = umad_open(), i;

	ksft_print_header();
	context = process_open();
	if (!context || fd < 0)
		ksft_exit_skip("no RDMA device with a umad device\n");
	ksft_set_plan(4);
	lid_changes(fd, "LID");
	prefix_changes(fd, "subnet prefix");
	for (i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, reader, NULL);
	lid_changes(fd, "LID, while it is read");
	prefix_changes(fd, "subnet prefix, while it is read");
	stop = true;
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	ksft_finished();
}
