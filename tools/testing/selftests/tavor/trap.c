// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 120
// Level: ci
// Runs: guest --driver tavor --sm
//
// Tests that the driver does not forward a directed trap for this port which looks like one of the
// firmware. The reason is that ib_core would pass such a trap back while the driver forwards it, so
// that a CPU waits for itself with interrupts off. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/trap

#include <errno.h>
#include "kselftest.h"
#include "process.h"
#include "umad.h"

#define TRAP 5
#define NOTICE 2

/* Offsets in a directed SMP */
#define METHOD 3
#define HOP_POINTER 6
#define ATTRIBUTE 16
#define DIRECTED_DLID 34

/* Sends a trap without a source LID, at the end of its route. */
static bool send_trap(int fd)
{
	struct umad_packet packet = { .hdr.lid = 0xffff };

	packet.mad[0] = 1;
	packet.mad[1] = UMAD_CLASS_DIRECTED;
	packet.mad[2] = 1;
	packet.mad[METHOD] = TRAP;
	packet.mad[HOP_POINTER] = 1;
	packet.mad[ATTRIBUTE + 1] = NOTICE;
	memset(packet.mad + DIRECTED_DLID, 0xff, 2);
	return write(fd, &packet, sizeof(packet)) == sizeof(packet) || errno == EINVAL;
}

int main(void)
{
	struct ibv_context *context = process_open();
	struct ibv_port_attr port = {};
	int i, fd = umad_open();
	bool sent = true;

	ksft_print_header();
	ksft_set_plan(2);
	if (!context || fd < 0)
		ksft_exit_fail_msg("no device, or no umad\n");
	for (i = 0; i < 10; i++)
		sent &= send_trap(fd);
	ksft_test_result(sent, "directed traps to oneself\n");
	ksft_test_result(!ibv_query_port(context, 1, &port) && port.lid,
			 "the port answers afterwards\n");
	ksft_finished();
}
