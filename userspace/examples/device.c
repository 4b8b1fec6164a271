// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "device.h"

void die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

const char *why(int err)
{
	static char text[256];
	const char *hint = "";

	if (err == ENOMEM)
		hint = "; what may be locked is perhaps too little (ulimit -l), or the device is "
		       "out of resources";
	else if (err == EPERM)
		hint = "; no memory may be locked (ulimit -l), or the device is for others";
	else if (err == EACCES)
		hint = "; the files in /dev/infiniband are for others (their group, or root)";
	else if (err == EMFILE)
		hint = "; too many files are open (ulimit -n)";
	else if (!err || err == EINVAL)
		hint = "; the device cannot do that, or not as much of it (ibv_devinfo -v)";
	snprintf(text, sizeof(text), "%s%s", strerror(err ? err : EINVAL), hint);
	return text;
}

int number(const char *arg, int low, int high, struct argp_state *state)
{
	char *end;
	long value = strtol(arg, &end, 0);

	if (*end || end == arg || value < low || value > high)
		argp_error(state, "'%s' is not a number from %d to %d", arg, low, high);
	return value;
}

static struct ibv_device *find(struct ibv_device **list, const char *name)
{
	for (; *list; list++) {
		if (!name || !strcmp(ibv_get_device_name(*list), name))
			return *list;
	}
	return NULL;
}

/* libibverbs tries several paths and reports the error of the last one; this one matters. */
static int open_error(struct ibv_device *device)
{
	const int err = errno;
	char path[128];

	snprintf(path, sizeof(path), "/dev/infiniband/%.64s", device->dev_name);
	return access(path, R_OK | W_OK) ? errno : err;
}

struct ibv_context *device_open(const char *name)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context;
	struct ibv_device *device;

	if (!list && errno == ENOSYS)
		die("the kernel has no RDMA: modprobe ib_uverbs and the driver");
	if (!list)
		die("RDMA devices cannot be listed: %s", strerror(errno));
	device = find(list, name);
	if (!device && name)
		die("there is no RDMA device '%s'; ibv_devices lists what there is", name);
	if (!device)
		die("there is no RDMA device; is the driver loaded? (rdma link, dmesg)");
	context = ibv_open_device(device);
	if (!context)
		die("%s cannot be opened: %s", ibv_get_device_name(device),
		    why(open_error(device)));
	ibv_free_device_list(list);
	return context;
}
