// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Reads the files in /sys/kernel/debug/ib_vrb/.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <linux/magic.h>
#include "vrbstat.h"

/* Checks that the files can be read; otherwise ends the program with a message. */
void engine_check(const char *debugfs)
{
	char path[512];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s/ib_vrb", debugfs);
	if (!access(path, R_OK | X_OK))
		return;
	if (errno == EACCES || geteuid())
		die("debugfs is for root: sudo vrbstat");
	if (errno != ENOENT)
		die("%s: %s", path, strerror(errno));
	if (statfs(debugfs, &fs))
		die("%s: %s", debugfs, strerror(errno));
	if (fs.f_type != DEBUGFS_MAGIC)
		die("debugfs is not mounted: mount -t debugfs none %s", debugfs);
	die("ib_vrb is not loaded, so that there is nothing to show: modprobe ib_tavor");
}

static FILE *open_file(const char *debugfs, const char *device, const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/ib_vrb/%s/%s", debugfs, device, name);
	file = fopen(path, "r");
	/* The device may be removed at any time. */
	if (!file && errno != ENOENT && errno != ENODEV)
		die("%s: %s", path, strerror(errno));
	return file;
}

static void read_counters(FILE *file, struct device *device)
{
	struct counter *counter = device->counters;
	unsigned long long value;

	while (device->nr_counters < MAX_COUNTERS &&
	       fscanf(file, "%63s %llu", counter->name, &value) == 2) {
		counter->value = value;
		counter++;
		device->nr_counters++;
	}
	/* Reading fails if the device has gone meanwhile. */
	device->unknown += !feof(file) && !ferror(file) && device->nr_counters < MAX_COUNTERS;
}

static void read_slots(FILE *file, struct device *device)
{
	char line[512], state[NAME];

	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%*u %63s", state) != 1) {
			device->unknown++;
			continue;
		}
		device->slots++;
		device->busy += !strcmp(state, "busy");
		device->zombies += !strcmp(state, "zombie");
	}
}

static bool parse_request(const char *line, struct request *r)
{
	unsigned long long age;

	memset(r, 0, sizeof(*r));
	if (sscanf(line, "%llu %63s %63s %63s %63s %63s %63s %d %127s", &age, r->state, r->class,
		   r->verb, r->step, r->object, r->client, &r->slot, r->callback) != 9)
		return false;
	r->age_us = age;
	return true;
}

static void read_requests(FILE *file, struct device *device)
{
	struct request request, *more;
	size_t room = 0;
	char line[1024];

	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		if (!parse_request(line, &request)) {
			device->unknown++;
			continue;
		}
		if (device->nr_requests == room) {
			room = room ? 2 * room : 64;
			more = realloc(device->requests, room * sizeof(request));
			if (!more)
				die("no memory for the requests");
			device->requests = more;
		}
		device->requests[device->nr_requests++] = request;
	}
}

static int older(const void *a, const void *b)
{
	const struct request *one = a, *two = b;

	return (one->age_us < two->age_us) - (one->age_us > two->age_us);
}

static void read_device(const char *debugfs, struct device *device)
{
	static const struct {
		const char *name;
		void (*read)(FILE *file, struct device *device);
	} files[] = {
		{ "counters", read_counters },
		{ "slots", read_slots },
		{ "vrbs", read_requests },
	};
	unsigned int i;
	FILE *file;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		file = open_file(debugfs, device->name, files[i].name);
		if (!file)
			continue;
		files[i].read(file, device);
		fclose(file);
	}
	if (device->nr_requests)
		qsort(device->requests, device->nr_requests, sizeof(device->requests[0]), older);
}

static bool is_device(const char *root, const char *name)
{
	char path[1024];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return name[0] != '.' && strlen(name) < NAME && !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Returns the number of devices. */
int engine_read(const char *debugfs, const char *only, struct device **devices)
{
	struct dirent **names;
	char root[512];
	int i, n, nr = 0;

	snprintf(root, sizeof(root), "%s/ib_vrb", debugfs);
	n = scandir(root, &names, NULL, alphasort);
	if (n < 0)
		die("%s: %s", root, errno == ENOENT ? "ib_vrb was unloaded" : strerror(errno));
	*devices = calloc(n ? n : 1, sizeof(**devices));
	if (!*devices)
		die("no memory");
	for (i = 0; i < n; i++) {
		if (is_device(root, names[i]->d_name) &&
		    (!only || !strcmp(only, names[i]->d_name))) {
			memcpy((*devices)[nr].name, names[i]->d_name, strlen(names[i]->d_name));
			read_device(debugfs, &(*devices)[nr++]);
		}
		free(names[i]);
	}
	free(names);
	return nr;
}

void engine_free(struct device *devices, int n)
{
	int i;

	for (i = 0; i < n; i++)
		free(devices[i].requests);
	free(devices);
}

/* Returns NULL if the engine has no such counter. */
const uint64_t *engine_counter(const struct device *device, const char *name)
{
	int i;

	for (i = 0; i < device->nr_counters; i++) {
		if (!strcmp(device->counters[i].name, name))
			return &device->counters[i].value;
	}
	return NULL;
}
