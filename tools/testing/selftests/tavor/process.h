/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What a test that plays a process starts with: the first device, a buffer, and what the kernel
 * says meanwhile.
 */
#ifndef SELFTESTS_TAVOR_PROCESS_H
#define SELFTESTS_TAVOR_PROCESS_H

#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <infiniband/verbs.h>

#define PROCESS_PAGE 4096

static inline struct ibv_context *process_open(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = list && list[0] ? ibv_open_device(list[0]) : NULL;

	if (list)
		ibv_free_device_list(list);
	return context;
}

static inline void *process_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Whether the device is driven by @driver. */
static inline bool process_driver_is(struct ibv_context *context, const char *driver)
{
	char path[512], target[512];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/device/driver", context->device->ibdev_path);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	return !strcmp(basename(target), driver);
}

/* The kernel's log from here on. */
static inline int process_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* How many lines since then have one of the texts in them; they are shown. */
static inline int process_log_lines(int fd, const char *const *texts)
{
	const char *const *text;
	char line[4096];
	int lines = 0;
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		for (text = texts; *text && !strstr(line, *text); text++)
			;
		if (!*text)
			continue;
		line[strcspn(line, "\n")] = 0;
		printf("# kernel: %s\n", line);
		lines++;
	}
	return lines;
}

#endif /* SELFTESTS_TAVOR_PROCESS_H */
