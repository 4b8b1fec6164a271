// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Rings the doorbell of a CQ all the time, through the page that the process has mapped. For
// unbind_open.sh. By hand: doorbell DEVICE

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <infiniband/verbs.h>

#define EVERY_US 10000

static struct ibv_context *open_named(const char *name)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int i;

	for (i = 0; list && list[i]; i++)
		if (!strcmp(ibv_get_device_name(list[i]), name))
			return ibv_open_device(list[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	struct ibv_context *context = argc == 2 ? open_named(argv[1]) : NULL;
	struct ibv_cq *cq = context ? ibv_create_cq(context, 1, NULL, NULL, 0) : NULL;

	if (!cq) {
		fprintf(stderr, "doorbell: no such device, or no CQ on it\n");
		return 1;
	}
	puts("rings");
	fflush(stdout);
	while (!ibv_req_notify_cq(cq, 0))
		usleep(EVERY_US);
	return 1;
}
