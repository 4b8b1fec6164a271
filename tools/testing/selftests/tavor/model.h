/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions for programs that inject errors. They use the model's control socket
 * (Documentation/hca-model.rst) and read the engine's files in debugfs.
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

/* Sends a request, one line without its newline. The reply is truncated to the size of @reply. */
static inline bool model_reply(const char *request, char *reply, size_t room)
{
	static int fd = -1;
	size_t n = 0;
	char c;

	if (fd < 0)
		fd = model_open();
	if (fd < 0 || dprintf(fd, "%s\n", request) < 0)
		return false;
	while (read(fd, &c, 1) == 1 && c != '\n')
		if (n < room - 1)
			reply[n++] = c;
	reply[n] = 0;
	return true;
}

/* Sends a request. Returns whether the model has accepted it. */
static inline bool model_ask(const char *request)
{
	char reply[256];

	if (!model_reply(request, reply, sizeof(reply)))
		return false;
	if (strstr(reply, "\"ok\":true"))
		return true;
	printf("# model: %s: %s\n", request, reply);
	return false;
}

/* Returns the sum of the counters in one list of a reply: "NAME":{"rule":1,...} */
static inline unsigned long model_sum(const char *reply, const char *name)
{
	char key[64];
	const char *at;
	unsigned long sum = 0;

	snprintf(key, sizeof(key), "\"%s\":{", name);
	at = strstr(reply, key);
	for (at = at ? at + strlen(key) : ""; *at && *at != '}'; at++)
		if (*at == ':')
			sum += strtoul(at + 1, NULL, 0);
	return sum;
}

/* Returns the number of violations so far, including waived ones, or -1 without a reply. */
static inline long model_violations(void)
{
	static const char request[] =
		"{\"cmd\":\"stats\",\"hca\":0,\"only\":[\"violations\",\"waived\"]}";
	char reply[16384];

	if (!model_reply(request, reply, sizeof(reply)) || !strstr(reply, "\"violations\":{"))
		return -1;
	return model_sum(reply, "violations") + model_sum(reply, "waived");
}

/* Adds a fault, in the format of the option "fault". NULL removes all faults. */
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

/* Counts the lines with @text in a file of the engine (objects, slots, ...); -1: no device. */
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

/* Waits until there are @want such lines. */
static inline bool engine_settles(const char *name, const char *text, int want)
{
	int tries;

	for (tries = 0; tries < 100 && engine_count(name, text) != want; tries++)
		usleep(100000);
	return engine_count(name, text) == want;
}

/*
 * Returns the number of such lines when it no longer changes: objects that processes have
 * deregistered or left behind may still be in destruction.
 */
static inline int engine_rests(const char *name, const char *text)
{
	int tries, same = 0, n = engine_count(name, text), before;

	for (tries = 0; tries < 100 && same < 5; tries++) {
		usleep(100000);
		before = n;
		n = engine_count(name, text);
		same = n == before ? same + 1 : 0;
	}
	return n;
}

#endif /* SELFTESTS_TAVOR_MODEL_H */
