// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor
// Kernels: 6.12 debug
// Runs: guest --driver mthca
// Level: all
//
// Tests that each change of a port's LID or subnet prefix by a subnet manager is reported while
// many threads read the port. It does not matter who notices a change first. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/lid_events

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include "kselftest.h"
#include "process.h"
#include "umad.h"

#define CHANGES 200
#define READERS 16

static struct ibv_context *context;
static volatile bool stop;

static bool set_bytes(int fd, int at, uint16_t value)
{
	uint8_t data[64];

	if (!umad_settable(fd, 1, data))
		return false;
	data[at] = value >> 8;
	data[at + 1] = value;
	return umad_smp(fd, UMAD_SET, UMAD_PORT_INFO, 1, data) && data[at] == value >> 8 &&
	       data[at + 1] == (value & 0xff);
}

static void *reader(void *arg)
{
	struct ibv_port_attr attr;

	while (!stop)
		ibv_query_port(context, 1, &attr);
	return NULL;
}

/* Counts events of this kind until none comes for a while. */
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
		failed += !set_bytes(fd, UMAD_LID, 1000 + i);
	got = events(watch, IBV_EVENT_LID_CHANGE);
	if (failed)
		ksft_print_msg("%d changes were refused\n", failed);
	ksft_test_result(!failed && got == CHANGES, "%s: %d events of %d changes\n", what, got,
			 CHANGES);
	ibv_close_device(watch);
}

static void prefix_changes(int fd, const char *what)
{
	int i, got = 0;

	for (i = 0; i < CHANGES; i++) {
		if (!set_bytes(fd, UMAD_PREFIX, 2000 + i))
			ksft_print_msg("change %d was refused\n", i);
		got += umad_prefix_arrives(context, 2000 + i);
		/* Waiting for an event that never comes takes seconds. */
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
