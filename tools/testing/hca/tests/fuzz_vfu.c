// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * libFuzzer target: the vfio-user protocol. The input is sent to the socket unchanged. If its first
 * bit is set, it is sent after a negotiation as payloads of valid messages (command, length,
 * bytes), which reaches more code.
 */
#include "client.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void framed(const u8 *data, size_t size)
{
	static u8 message[16 + 256];

	while (size >= 2 && vfu_connected(tc_hca())) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;
		u32 hdr[4] = { (u32)(data[0] % 20) << 16, 16 + len, data[0] & 0x80 ? 0x10 : 0, 0 };

		/* only random input writes to the DDR by REGION_WRITE and unmaps memory */
		memcpy(message, hdr, 16);
		memcpy(message + 16, data + 2, len);
		tc_raw(message, 16 + len);
		data += 2 + len;
		size -= 2 + len;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!tc_hca())
		tc_start("report_limit=1");
	if (!size)
		return 0;
	tc_connect();
	if (data[0] & 1) {
		tc_negotiate();
		framed(data + 1, size - 1);
	} else {
		tc_raw(data + 1, size - 1 < 60000 ? size - 1 : 60000);
	}
	tc_settle();
	return 0;
}
