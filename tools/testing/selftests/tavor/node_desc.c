// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 120
// Level: ci
// Runs: guest --driver tavor --sm
//
// Tests that a subnet manager gets the node description which the administrator has set, all 64
// bytes of it, and not the firmware's. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/node_desc

#include "kselftest.h"
#include "process.h"
#include "umad.h"

#define NODE_DESCRIPTION 0x10
#define LENGTH 64

static char path[512];

static bool set(const char text[LENGTH])
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, LENGTH) == LENGTH;

	close(fd);
	return ok;
}

static bool get(int fd, uint8_t data[LENGTH])
{
	memset(data, 0, LENGTH);
	return umad_smp(fd, UMAD_GET, NODE_DESCRIPTION, 0, data);
}

static void set_and_get(int fd, char first)
{
	uint8_t data[LENGTH];
	char text[LENGTH];
	bool ok;
	int i;

	for (i = 0; i < LENGTH; i++)
		text[i] = first + i % 26;
	ok = set(text) && get(fd, data);
	ksft_test_result(ok && !memcmp(data, text, LENGTH), "a node description: %.64s\n", text);
	if (!ok || memcmp(data, text, LENGTH))
		ksft_print_msg("it is %.64s\n", data);
}

int main(void)
{
	struct ibv_context *context = process_open();
	uint8_t before[LENGTH];
	int fd = umad_open();

	ksft_print_header();
	if (!context || fd < 0)
		ksft_exit_skip("no RDMA device with a umad device\n");
	ksft_set_plan(2);
	snprintf(path, sizeof(path), "%s/node_desc", context->device->ibdev_path);
	if (!get(fd, before))
		ksft_exit_fail_msg("no node description\n");
	set_and_get(fd, 'a');
	set_and_get(fd, 'A');
	set((char *)before);
	ksft_finished();
}
