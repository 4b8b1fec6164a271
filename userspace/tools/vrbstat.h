/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * vrbstat: engine.c reads what the request engine shows in debugfs, latency.c its tracepoints, and
 * vrbstat.c prints.
 */
#ifndef VRBSTAT_H
#define VRBSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME 64
#define MAX_COUNTERS 64
#define MAX_VERBS 64

/* One line of "vrbs". */
struct request {
	uint64_t age_us;
	int slot;
	char state[NAME], class[NAME], verb[NAME], step[NAME], object[NAME], client[NAME];
	char callback[2 * NAME];
};

struct counter {
	char name[NAME];
	uint64_t value;
};

/* The time of a verb, from its acceptance to its callback. */
struct latency {
	char verb[NAME];
	uint64_t count;
	double sum_us, max_us;
};

/**
 * struct device - what one device's files had
 * @name: PCI address
 * @requests: the oldest first
 * @nr_requests: of them
 * @counters: in the order of the file
 * @nr_counters: of them
 * @slots: commands that the device takes at a time
 * @busy: slots with a command
 * @zombies: slots with a command that was given up
 * @latencies: of the interval
 * @nr_latencies: of them
 */
struct device {
	char name[NAME];
	struct request *requests;
	size_t nr_requests;
	struct counter counters[MAX_COUNTERS];
	int nr_counters;
	int slots, busy, zombies;
	struct latency latencies[MAX_VERBS];
	int nr_latencies;
};

/* Says what is wrong, and ends the program. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* engine.c: @only is a name, or NULL; dies of what keeps it from reading anything. */
void engine_check(const char *debugfs);
int engine_read(const char *debugfs, const char *only, struct device **devices);
void engine_free(struct device *devices, int n);
const uint64_t *engine_counter(const struct device *device, const char *name);

/* latency.c: false if the kernel cannot trace */
bool latency_begin(void);
void latency_read(struct device *devices, int n);
void latency_end(void);

#endif /* VRBSTAT_H */
