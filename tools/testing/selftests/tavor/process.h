/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions for tests that act as a process. They open the first device, allocate a buffer, and
 * read the kernel's messages.
 */
#ifndef SELFTESTS_TAVOR_PROCESS_H
#define SELFTESTS_TAVOR_PROCESS_H

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
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

/* Creates a dma-buf of @size bytes, and maps it at @memory. Returns -1 if there is none. */
static inline int process_dmabuf(size_t size, void **memory)
{
	int memfd = memfd_create("dmabuf", MFD_ALLOW_SEALING);
	int maker = open("/dev/udmabuf", O_RDWR), buf = -1;
	struct udmabuf_create create = { .memfd = memfd, .size = size };

	if (memfd >= 0 && !ftruncate(memfd, size) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		*memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
		buf = ioctl(maker, UDMABUF_CREATE, &create);
	}
	close(maker);
	close(memfd);
	return buf;
}

/* Returns whether @driver is bound to the device. */
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

/* Returns a counter of a port, or of the device (0); -1 if there is none with this name. */
static inline long process_port_counter(struct ibv_context *context, int port, const char *name)
{
	char path[512], line[64] = "-1", of[16] = "";
	FILE *file;

	if (port)
		snprintf(of, sizeof(of), "ports/%d/", port);
	snprintf(path, sizeof(path), "%s/%shw_counters/%s", context->device->ibdev_path, of, name);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	return atol(line);
}

static inline long process_counter(struct ibv_context *context, const char *name)
{
	return process_port_counter(context, 0, name);
}

/**
 * struct process_log - the kernel's log from process_log_open() on
 * @fd: /dev/kmsg
 * @texts: texts to search for in its lines; ends with NULL
 * @lines: number of lines that contain one of them, or were lost
 * @harmless: the last line belongs to a trace that reports no error
 */
struct process_log {
	int fd;
	const char *const *texts;
	int lines;
	bool harmless;
};

static inline void process_log_open(struct process_log *log, const char *const *texts)
{
	*log = (struct process_log){ .fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK),
				     .texts = texts };
	if (log->fd >= 0)
		lseek(log->fd, 0, SEEK_END);
	else
		log->lines = 1;
}

/*
 * Two memory regions of one page map it twice, with any driver. The debug kernel reports that, from
 * this line to the end of the trace (vm/complaints).
 */
static inline bool process_log_harmless(struct process_log *log, const char *line)
{
	bool is = log->harmless || strstr(line, "cacheline tracking EEXIST");

	log->harmless = is && !strstr(line, "---[ end trace");
	return is;
}

static inline void process_log_line(struct process_log *log, char *line)
{
	const char *const *text;

	if (process_log_harmless(log, line))
		return;
	for (text = log->texts; *text && !strstr(line, *text); text++)
		;
	if (!*text)
		return;
	line[strcspn(line, "\n")] = 0;
	printf("# kernel: %s\n", line);
	log->lines++;
}

/*
 * Prints the lines that contain one of the texts, and returns their number so far. Lines that the
 * kernel has dropped unread are counted too, so a test that expects many lines must call this
 * often.
 */
static inline int process_log_lines(struct process_log *log)
{
	char line[8192];
	ssize_t n;

	while ((n = read(log->fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0) {
			printf("# kernel: lines were lost\n");
			log->lines++;
			log->harmless = false;
			continue;
		}
		line[n] = 0;
		process_log_line(log, line);
	}
	return log->lines;
}

#endif /* SELFTESTS_TAVOR_PROCESS_H */
