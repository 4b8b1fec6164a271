/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * For programs that inject errors: the model's control socket (Documentation/hca-model.rst) and
 * what the engine shows of itself in debugfs.
 */
#ifndef SELFTESTS_TAVOR_MODEL_H
#define SELFTESTS_TAVOR_MODEL_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MODEL_CONTROL "/dev/ttyS1"
#define MODEL_ENGINE "/sys/kernel/debug/ib_vrb"

static inline int model_open(void)
{
	struct termios raw;
	int fd = open(MODEL_CONTROL, O_RDWR | O_NOCTTY);

	if (fd < 0 || tcgetattr(fd, &raw))
		return -1;
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	tcflush(fd, TCIOFLUSH);
	return fd;
}

/* One request, one line, without its end; whether the model has taken it. */
static inline bool model_ask(const char *request)
{
	static int fd = -1;
	char reply[256];
	size_t n = 0;

	if (fd < 0)
		fd = model_open();
	if (fd < 0 || dprintf(fd, "%s\n", request) < 0)
		return false;
	while (n < sizeof(reply) - 1 && read(fd, reply + n, 1) == 1 && reply[n] != '\n')
		n++;
	reply[n] = 0;
	if (strstr(reply, "\"ok\":true"))
		return true;
	printf("# model: %s: %s\n", request, reply);
	return false;
}

/* Adds a fault, as the option of that name has it; NULL: takes all away. */
static inline bool model_fault(const char *fault)
{
	char request[256];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"fault\",\"value\":\"%s\"}",
		 fault ? fault : "");
	return model_ask(request);
}

/* Opens a file of the engine's only device. */
static inline FILE *engine_open(const char *name)
{
	char path[512];
	DIR *root = opendir(MODEL_ENGINE);
	struct dirent *entry;
	FILE *file = NULL;

	while (root && !file && (entry = readdir(root))) {
		snprintf(path, sizeof(path), MODEL_ENGINE "/%s/%s", entry->d_name, name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
	}
	if (root)
		closedir(root);
	return file;
}

/* Lines of a file of the engine (objects, slots, ...) with @text in them; -1: no device. */
static inline int engine_count(const char *name, const char *text)
{
	FILE *file = engine_open(name);
	char line[256];
	int n = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		n += line[0] != '#' && strstr(line, text);
	fclose(file);
	return n;
}

/* Waits until there are @want of those. */
static inline bool engine_settles(const char *name, const char *text, int want)
{
	int tries;

	for (tries = 0; tries < 100 && engine_count(name, text) != want; tries++)
		usleep(100000);
	return engine_count(name, text) == want;
}

#endif /* SELFTESTS_TAVOR_MODEL_H */
