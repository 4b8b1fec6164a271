// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor
// Kernels: 6.12 debug
//
// Tests the counters of the ports: each event of a port, and each answer of its management agent,
// increments one counter of this port, and no counter of the other port. The events are caused with
// SMPs, like a subnet manager does, and by the model. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/port_counters

#include "kselftest.h"
#include "model.h"
#include "process.h"
#include "umad.h"

#define NR(array) ((int)(sizeof(array) / sizeof(*(array))))
#define PORTS 2
#define TRIES 100
#define WAIT_US 30000 /* longer than the kernel uses values that it has read before */
#define EVENT_OF_PORT 9
#define PORT_DOWN 1
#define PORT_UP 4

static const char *const names[] = {
	"active_events", "error_events",      "lid_events",    "pkey_events",
	"gid_events",	 "reregister_events", "mads_answered", "traps_forwarded",
};

struct counts {
	long of[PORTS][NR(names)];
};

static struct ibv_context *context;
static int smi[PORTS];
static int answers[PORTS]; /* of the agents since the counters were read */

static bool counts_read(struct counts *counts)
{
	bool ok = true;
	int p, i;

	usleep(WAIT_US);
	for (p = 0; p < PORTS; p++)
		for (i = 0; i < NR(names); i++) {
			counts->of[p][i] = process_port_counter(context, p + 1, names[i]);
			ok &= counts->of[p][i] >= 0;
		}
	return ok;
}

/* What is expected after one event that has this counter, or NULL: none. */
static void counts_expect(struct counts *counts, int port, const char *counter)
{
	int p, i;

	for (p = 0; p < PORTS; p++)
		for (i = 0; i < NR(names); i++) {
			if (!strcmp(names[i], "mads_answered"))
				counts->of[p][i] += answers[p];
			else if (counter && p == port - 1 && !strcmp(names[i], counter))
				counts->of[p][i]++;
		}
}

static void counts_print(const struct counts *want, const struct counts *got)
{
	int p, i;

	for (p = 0; p < PORTS; p++)
		for (i = 0; i < NR(names); i++)
			if (got->of[p][i] != want->of[p][i])
				ksft_print_msg("port %d: %s is %ld instead of %ld\n", p + 1,
					       names[i], got->of[p][i], want->of[p][i]);
}

/* An event takes a while to arrive. What is counted wrongly may arrive later than the event. */
static bool counts_become(const struct counts *want)
{
	struct counts got;
	int tries;

	for (tries = 0; tries < TRIES; tries++)
		if (counts_read(&got) && !memcmp(&got, want, sizeof(got)))
			break;
	if (counts_read(&got) && !memcmp(&got, want, sizeof(got)))
		return true;
	counts_print(want, &got);
	return false;
}

static bool smp(int port, int method, int attribute, int modifier, uint8_t data[64])
{
	answers[port - 1]++;
	return umad_smp(smi[port - 1], method, attribute, modifier, data);
}

/* Sets one byte of an attribute. */
static bool set_byte(int port, int attribute, int at, uint8_t value)
{
	uint8_t data[64] = {};

	if (attribute == UMAD_PORT_INFO) {
		answers[port - 1]++;
		if (!umad_settable(smi[port - 1], port, data))
			return false;
	} else if (!smp(port, UMAD_GET, attribute, 0, data)) {
		return false;
	}
	data[at] = value;
	return smp(port, UMAD_SET, attribute, attribute == UMAD_PORT_INFO ? port : 0, data);
}

static const struct set {
	const char *name;
	int attribute, at;
	uint8_t value;
	const char *counter;
} sets[] = {
	{ "a new LID", UMAD_PORT_INFO, UMAD_LID + 1, 0x51, "lid_events" },
	{ "the same LID", UMAD_PORT_INFO, UMAD_LID + 1, 0x51, NULL },
	{ "a new prefix", UMAD_PORT_INFO, UMAD_PREFIX + 2, 0x61, "gid_events" },
	{ "a GUID", UMAD_GUID_INFO, 15, 0x71, "gid_events" },
	{ "a P_Key", UMAD_PKEY_TABLE, 3, 0x42, "pkey_events" },
	{ "client reregistration", UMAD_PORT_INFO, UMAD_REREGISTER, 0x92, "reregister_events" },
};

static void set_one(const struct set *s, int port)
{
	struct counts counts;
	bool ok;

	memset(answers, 0, sizeof(answers));
	ok = counts_read(&counts) && set_byte(port, s->attribute, s->at, s->value + port);
	counts_expect(&counts, port, s->counter);
	ksft_test_result(ok && counts_become(&counts), "port %d, set: %s\n", port, s->name);
}

/* @counter: NULL: the port does not exist */
static void raise_one(int port, int subtype, const char *counter)
{
	struct counts counts;
	char request[160];
	bool ok;

	memset(answers, 0, sizeof(answers));
	snprintf(request, sizeof(request),
		 "{\"cmd\":\"event\",\"type\":%d,\"subtype\":%d,\"data\":[0,0,%u]}", EVENT_OF_PORT,
		 subtype, (unsigned int)port << 28);
	ok = counts_read(&counts) && model_ask(request);
	counts_expect(&counts, port, counter);
	ksft_test_result(ok && counts_become(&counts), "port %d, event: %s\n", port,
			 counter ?: "of a port that does not exist");
}

int main(void)
{
	int port, i;

	ksft_print_header();
	context = process_open();
	for (port = 1; port <= PORTS; port++)
		smi[port - 1] = umad_open_port(port);
	if (!context || smi[0] < 0 || smi[1] < 0)
		ksft_exit_skip("no RDMA device with two umad devices\n");
	ksft_set_plan(PORTS * (NR(sets) + 2) + 1);
	for (port = 1; port <= PORTS; port++) {
		for (i = 0; i < NR(sets); i++)
			set_one(&sets[i], port);
		raise_one(port, PORT_DOWN, "error_events");
		raise_one(port, PORT_UP, "active_events");
	}
	raise_one(3, PORT_UP, NULL);
	ksft_finished();
}
