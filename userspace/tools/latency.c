// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Measures the time of each verb with the tracepoints vrb_queue and vrb_done. They are enabled in a
 * separate tracefs instance, so that other tracing is not disturbed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "vrbstat.h"

#define OPEN 8192 /* a power of two; outstanding requests, by a hash of their address */

/* Requests that were accepted and whose callback has not run yet. */
static struct begun {
	uint64_t vrb;
	double at;
} begun[OPEN];

static char instance[128];

static bool put(const char *file, const char *text)
{
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static bool make_instance(void)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	unsigned int i;

	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(instance, sizeof(instance), "%s/instances/vrbstat-%d", roots[i], getpid());
		if (!mkdir(instance, 0700))
			return true;
	}
	instance[0] = 0;
	return false;
}

bool latency_begin(void)
{
	if (!make_instance())
		return false;
	if (put("events/ib_vrb/vrb_queue/enable", "1") && put("events/ib_vrb/vrb_done/enable", "1"))
		return true;
	latency_end();
	return false;
}

void latency_end(void)
{
	if (instance[0])
		rmdir(instance);
	instance[0] = 0;
}

static struct latency *latency_of(struct device *device, const char *verb)
{
	struct latency *latency;
	int i;

	for (i = 0; i < device->nr_latencies; i++) {
		if (!strcmp(device->latencies[i].verb, verb))
			return &device->latencies[i];
	}
	if (device->nr_latencies == MAX_VERBS)
		return NULL;
	latency = &device->latencies[device->nr_latencies++];
	snprintf(latency->verb, sizeof(latency->verb), "%s", verb);
	return latency;
}

static void add(struct device *devices, int n, const char *name, const char *verb, double us)
{
	struct latency *latency = NULL;
	int i;

	for (i = 0; i < n; i++) {
		if (!strcmp(devices[i].name, name))
			latency = latency_of(&devices[i], verb);
	}
	if (!latency)
		return;
	latency->count++;
	latency->sum_us += us;
	if (us > latency->max_us)
		latency->max_us = us;
}

/* Takes a line "TASK-PID [CPU] FLAGS SECONDS: EVENT: DEVICE vrb=ADDRESS VERB ...". */
static void take(char *line, struct device *devices, int n)
{
	char *event = strstr(line, ": vrb_"), *time = event;
	char device[NAME], verb[NAME];
	unsigned long long vrb;
	struct begun *entry;
	double at;

	while (time && time > line && time[-1] != ' ')
		time--;
	if (!event || sscanf(time, "%lf", &at) != 1 ||
	    sscanf(event, ": %*[^:]: %63s vrb=%llx %63s", device, &vrb, verb) != 3)
		return;
	entry = &begun[(vrb >> 6) & (OPEN - 1)];
	if (!strncmp(event, ": vrb_queue:", 12)) {
		*entry = (struct begun){ .vrb = vrb, .at = at };
	} else if (entry->vrb == vrb) {
		entry->vrb = 0;
		add(devices, n, device, verb, (at - entry->at) * 1e6);
	}
}

/* Reads the events since the last call. Reading the pipe removes them from the buffer. */
void latency_read(struct device *devices, int n)
{
	char path[512], line[1024];
	FILE *file;
	int fd;

	if (!instance[0])
		return;
	snprintf(path, sizeof(path), "%s/trace_pipe", instance);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		take(line, devices, n);
	fclose(file);
}
