/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * vrbstat: engine.c reads the request engine's files in debugfs, latency.c reads its tracepoints,
 * and vrbstat.c prints.
 */
#ifndef VRBSTAT_H
#define VRBSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME 64
#define MAX_COUNTERS 64
#define MAX_VERBS 64

/* One line of the file "vrbs" */
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

/* The times of one verb, from the acceptance of a request to its callback */
struct latency {
	char verb[NAME];
	uint64_t count;
	double sum_us, max_us;
};

/**
 * struct device - contents of the files of one device
 * @name: PCI address
 * @requests: requests, the oldest first
 * @nr_requests: length of @requests
 * @counters: counters, in the order of the file
 * @nr_counters: length of @counters
 * @slots: number of commands that the device executes at a time
 * @busy: number of slots with an outstanding command
 * @zombies: number of slots whose command timed out and may still complete
 * @latencies: times of each verb in this interval
 * @nr_latencies: length of @latencies
 * @unknown: number of lines that are not understood
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
	int unknown;
};

/* Prints an error message and ends the program. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* engine.c: @only is the name of a device, or NULL. An error that prevents reading is fatal. */
void engine_check(const char *debugfs);
int engine_read(const char *debugfs, const char *only, struct device **devices);
void engine_free(struct device *devices, int n);
const uint64_t *engine_counter(const struct device *device, const char *name);

/* latency.c: latency_begin() returns false if the kernel cannot trace */
bool latency_begin(void);
void latency_read(struct device *devices, int n);
void latency_end(void);

#endif /* VRBSTAT_H */
