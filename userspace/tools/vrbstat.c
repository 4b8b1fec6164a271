// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * vrbstat(8): shows the outstanding requests in the engine ib_vrb.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cjson/cJSON.h>
#include "vrbstat.h"

#define WATCHED 20

static struct {
	const char *debugfs, *device;
	double interval;
	long rounds, top;
	bool watch, json;
} options = { .debugfs = "/sys/kernel/debug", .interval = 1, .top = -1 };

static volatile sig_atomic_t stopped;

void die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	latency_end();
	fprintf(stderr, "vrbstat: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* The tracefs instance must be removed. A signal that is ignored, as by nohup(1), stays ignored. */
static void stop_on(int signal)
{
	const struct sigaction action = { .sa_handler = stop };
	struct sigaction old;

	sigaction(signal, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		sigaction(signal, &action, NULL);
}

/* Formats a time with a unit that needs few digits. */
static const char *span(double us)
{
	static char texts[4][32];
	static int next;
	char *text = texts[next++ % 4];

	if (us < 1000)
		snprintf(text, sizeof(texts[0]), "%.0f us", us);
	else if (us < 1e6)
		snprintf(text, sizeof(texts[0]), "%.1f ms", us / 1e3);
	else
		snprintf(text, sizeof(texts[0]), "%.1f s", us / 1e6);
	return text;
}

/* Returns the increase of a counter per second, or NAN if it is not known. */
static double rate(const struct device *now, const struct device *before, const char *name,
		   double seconds)
{
	const uint64_t *value = engine_counter(now, name);
	const uint64_t *old = before ? engine_counter(before, name) : NULL;

	/* All counters restart at 0 when the driver binds. */
	if (!value || !old || *value < *old || seconds <= 0)
		return NAN;
	return (*value - *old) / seconds;
}

static void print_rate(const char *name, double value)
{
	if (isnan(value))
		printf(" %s -", name);
	else
		printf(" %s %.1f", name, value);
}

static const char *const rated[] = { "submitted", "completed", "failed", "steps" };

#define RATED (sizeof(rated) / sizeof(rated[0]))

static size_t shown(const struct device *device)
{
	size_t top = options.watch ? WATCHED : SIZE_MAX;

	if (options.top >= 0)
		top = options.top;
	return device->nr_requests < top ? device->nr_requests : top;
}

static void print_requests(const struct device *device)
{
	size_t i, n = shown(device);
	const struct request *r;

	if (n)
		printf("  %-10s %-9s %-10s %-16s %-22s %-14s %-14s %s\n", "AGE", "STATE", "CLASS",
		       "VERB", "STEP", "OBJECT", "CLIENT", "SLOT");
	for (i = 0; i < n; i++) {
		r = &device->requests[i];
		printf("  %-10s %-9s %-10s %-16s %-22s %-14s %-14s ", span(r->age_us), r->state,
		       r->class, r->verb, r->step, r->object, r->client);
		if (r->slot < 0)
			printf("-\n");
		else
			printf("%d\n", r->slot);
	}
	if (n < device->nr_requests)
		printf("  and %zu younger requests\n", device->nr_requests - n);
}

static void print_rates(const struct device *device, const struct device *before, double seconds)
{
	const struct latency *latency;
	unsigned int i;

	printf("  per second:");
	for (i = 0; i < RATED; i++)
		print_rate(rated[i], rate(device, before, rated[i], seconds));
	printf("\n");
	if (device->nr_latencies)
		printf("  %-16s %8s %10s %10s\n", "VERB", "COUNT", "MEAN", "MAX");
	for (i = 0; i < (unsigned int)device->nr_latencies; i++) {
		latency = &device->latencies[i];
		printf("  %-16s %8" PRIu64 " %10s %10s\n", latency->verb, latency->count,
		       span(latency->sum_us / latency->count), span(latency->max_us));
	}
}

static void print_device(const struct device *device, const struct device *before, double seconds)
{
	int i;

	printf("%s: %zu requests outstanding; %d slots, %d busy, %d zombies\n", device->name,
	       device->nr_requests, device->slots, device->busy, device->zombies);
	if (before)
		print_rates(device, before, seconds);
	for (i = 0; !options.watch && i < device->nr_counters; i++)
		printf("%s%s %" PRIu64 "%s", i % 6 ? ", " : "  ", device->counters[i].name,
		       device->counters[i].value,
		       i % 6 == 5 || i == device->nr_counters - 1 ? "\n" : "");
	print_requests(device);
}

static cJSON *request_json(const struct request *r)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "age_us", r->age_us);
	cJSON_AddStringToObject(json, "state", r->state);
	cJSON_AddStringToObject(json, "class", r->class);
	cJSON_AddStringToObject(json, "verb", r->verb);
	cJSON_AddStringToObject(json, "step", r->step);
	cJSON_AddStringToObject(json, "object", r->object);
	cJSON_AddStringToObject(json, "client", r->client);
	cJSON_AddStringToObject(json, "callback", r->callback);
	if (r->slot >= 0)
		cJSON_AddNumberToObject(json, "slot", r->slot);
	return json;
}

static void add_rates(cJSON *json, const struct device *device, const struct device *before,
		      double seconds)
{
	cJSON *rates = cJSON_AddObjectToObject(json, "rates");
	cJSON *verbs = cJSON_AddArrayToObject(json, "latency");
	const struct latency *latency;
	unsigned int i;
	cJSON *verb;
	double value;

	cJSON_AddNumberToObject(json, "seconds", seconds);
	for (i = 0; i < RATED; i++) {
		value = rate(device, before, rated[i], seconds);
		if (!isnan(value))
			cJSON_AddNumberToObject(rates, rated[i], value);
	}
	for (i = 0; i < (unsigned int)device->nr_latencies; i++) {
		latency = &device->latencies[i];
		verb = cJSON_CreateObject();
		cJSON_AddStringToObject(verb, "verb", latency->verb);
		cJSON_AddNumberToObject(verb, "count", latency->count);
		cJSON_AddNumberToObject(verb, "mean_us", latency->sum_us / latency->count);
		cJSON_AddNumberToObject(verb, "max_us", latency->max_us);
		cJSON_AddItemToArray(verbs, verb);
	}
}

static cJSON *device_json(const struct device *device, const struct device *before, double seconds)
{
	cJSON *json = cJSON_CreateObject(), *part;
	size_t i, n = shown(device);

	cJSON_AddStringToObject(json, "device", device->name);
	part = cJSON_AddObjectToObject(json, "slots");
	cJSON_AddNumberToObject(part, "all", device->slots);
	cJSON_AddNumberToObject(part, "busy", device->busy);
	cJSON_AddNumberToObject(part, "zombie", device->zombies);
	part = cJSON_AddObjectToObject(json, "counters");
	for (i = 0; i < (size_t)device->nr_counters; i++)
		cJSON_AddNumberToObject(part, device->counters[i].name, device->counters[i].value);
	if (before)
		add_rates(json, device, before, seconds);
	cJSON_AddNumberToObject(json, "outstanding", device->nr_requests);
	part = cJSON_AddArrayToObject(json, "requests");
	for (i = 0; i < n; i++)
		cJSON_AddItemToArray(part, request_json(&device->requests[i]));
	return json;
}

static const struct device *same(const struct device *device, const struct device *devices, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!strcmp(devices[i].name, device->name))
			return &devices[i];
	}
	return NULL;
}

static void print_json(const struct device *devices, int n, const struct device *before,
		       int nr_before, double seconds)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "devices");
	char *text;
	int i;

	for (i = 0; i < n; i++)
		cJSON_AddItemToArray(list,
				     device_json(&devices[i], same(&devices[i], before, nr_before),
						 seconds));
	/* With --watch each object is one line, for programs that read line by line. */
	text = options.watch ? cJSON_PrintUnformatted(json) : cJSON_Print(json);
	if (!text)
		die("no memory");
	puts(text);
	free(text);
	cJSON_Delete(json);
}

static void print_all(const struct device *devices, int n, const struct device *before,
		      int nr_before, double seconds)
{
	int i;

	if (options.json) {
		print_json(devices, n, before, nr_before, seconds);
		return;
	}
	for (i = 0; i < n; i++)
		print_device(&devices[i], same(&devices[i], before, nr_before), seconds);
	if (options.watch)
		putchar('\n');
}

/* Says once that ib_vrb is of another version. What is understood is shown. */
static void check_version(const struct device *devices, int n)
{
	static bool said;
	int i;

	for (i = 0; i < n && !said; i++) {
		if (!devices[i].unknown)
			continue;
		fprintf(stderr,
			"vrbstat: %s: %d lines are not understood: ib_vrb is of another version; "
			"install vrbstat and ib_vrb of one version\n",
			devices[i].name, devices[i].unknown);
		said = true;
	}
}

static int read_all(struct device **devices)
{
	int n = engine_read(options.debugfs, options.device, devices);

	check_version(*devices, n);
	if (!n && options.device)
		die("ib_vrb has no device '%s'; vrbstat without --device shows those it has",
		    options.device);
	return n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void pause_for(double seconds)
{
	struct timespec t = { .tv_sec = seconds, .tv_nsec = (seconds - (long)seconds) * 1e9 };

	nanosleep(&t, NULL);
}

static void watch(void)
{
	struct device *devices, *before;
	double at = now(), then;
	int n, nr_before;
	long round;

	if (!latency_begin())
		fprintf(stderr, "vrbstat: no latencies, as the kernel cannot trace\n");
	nr_before = read_all(&before);
	for (round = 0; !stopped && (!options.rounds || round < options.rounds); round++) {
		pause_for(options.interval);
		if (stopped)
			break;
		then = at;
		n = read_all(&devices);
		at = now();
		latency_read(devices, n);
		print_all(devices, n, before, nr_before, at - then);
		if (fflush(stdout))
			break;
		engine_free(before, nr_before);
		before = devices;
		nr_before = n;
	}
	engine_free(before, nr_before);
	latency_end();
}

static void once(void)
{
	struct device *devices;
	int n = read_all(&devices);

	if (!n && !options.json)
		printf("no device uses ib_vrb\n");
	print_all(devices, n, NULL, 0, 0);
	engine_free(devices, n);
}

static double number(const char *arg, double low, double high, struct argp_state *state)
{
	char *end;
	double value = strtod(arg, &end);

	if (*end || end == arg || !(value >= low && value <= high))
		argp_error(state, "'%s' is not a number from %g to %g", arg, low, high);
	return value;
}

static long whole(const char *arg, long low, long high, struct argp_state *state)
{
	double value = number(arg, low, high, state);

	if (value != floor(value))
		argp_error(state, "'%s' is not a whole number", arg);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'w':
		options.watch = true;
		if (arg)
			options.interval = number(arg, 0.1, 86400, state);
		break;
	case 'c':
		options.watch = true;
		options.rounds = whole(arg, 1, 1000000000, state);
		break;
	case 'n':
		options.top = whole(arg, 0, 1000000000, state);
		break;
	case 'j':
		options.json = true;
		break;
	case 'd':
		options.device = arg;
		break;
	case 'D':
		options.debugfs = arg;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is no option; a number for one comes as --watch=2 or -w2",
			   arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option arguments[] = {
	{ "watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL,
	  "Repeat, with rates and the latency of each verb (default: 1)", 0 },
	{ "count", 'c', "N", 0, "Repeat N times, then exit; implies --watch", 0 },
	{ "top", 'n', "N", 0, "Show the N oldest requests (default: all; 20 with --watch)", 0 },
	{ "json", 'j', 0, 0, "Print JSON; with --watch one object per line", 0 },
	{ "device", 'd', "PCI", 0, "Show only the device with this PCI address", 0 },
	{ "debugfs", 'D', "DIR", 0, "Mount point of debugfs (default: /sys/kernel/debug)", 0 },
	{}
};

static const struct argp argp = {
	.options = arguments,
	.parser = parse,
	.doc = "Shows the outstanding requests in ib_vrb, its slots and its counters.",
};

const char *argp_program_version = "vrbstat " VERSION;

int main(int argc, char **argv)
{
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	engine_check(options.debugfs);
	stop_on(SIGINT);
	stop_on(SIGTERM);
	stop_on(SIGHUP);
	stop_on(SIGQUIT);
	signal(SIGPIPE, SIG_IGN);
	if (options.watch)
		watch();
	else
		once();
	if (fflush(stdout) || ferror(stdout))
		die("the output cannot be written");
	return EXIT_SUCCESS;
}
