// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Registers regions and prints the key of each, for core_client.sh. On a driver that has just been
// loaded these are the lowest keys.

#include <stdio.h>
#include <stdlib.h>
#include "process.h"
#include "raw.h"

#define REGIONS 400

int main(void)
{
	struct ibv_context *context = process_open();
	void *memory = process_memory(PROCESS_PAGE);
	struct raw_pd pd;
	struct raw_mr mr;
	int i;

	if (!context || !memory || raw_alloc_pd(context->cmd_fd, &pd))
		return 1;
	for (i = 0; i < REGIONS; i++) {
		if (raw_reg_mr(context->cmd_fd, pd.handle, memory, PROCESS_PAGE, 0,
			       IBV_ACCESS_LOCAL_WRITE, &mr))
			return 1;
		printf("%#x\n", mr.lkey);
	}
	return 0;
}
