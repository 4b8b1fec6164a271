// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Simulates a driver of another release when it is preloaded: the query method of verb queues
 * returns the revision OTHER_REVISION, and structures that are OTHER_BYTES longer.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include "../../../../include/uapi/rdma/vrb-abi.h"

static int number(const char *name)
{
	const char *value = getenv(name);

	return value ? atoi(value) : 0;
}

static void change(const struct ib_uverbs_ioctl_hdr *hdr)
{
	struct vrb_queue_caps *caps = (void *)(uintptr_t)hdr->attrs[0].data;

	if (hdr->object_id != VRB_OBJECT_QUEUE || hdr->method_id != VRB_METHOD_QUEUE_QUERY)
		return;
	caps->revision = number("OTHER_REVISION");
	caps->request_size += number("OTHER_BYTES");
	caps->completion_size += number("OTHER_BYTES");
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	ret = real(fd, request, arg);
	if (!ret && request == RDMA_VERBS_IOCTL)
		change(arg);
	return ret;
}
