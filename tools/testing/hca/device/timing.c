// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The latency of commands, the order in which they execute, and the profiles that set both.
 * Documentation/hca-model.rst describes the latencies.
 */
#include "device/timing.h"

#include "core/options.h"
#include "device/cmd.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_OPCODE 0x41

enum latency_kind { LAT_FIXED, LAT_UNIFORM, LAT_EXP };

struct latency {
	enum latency_kind kind;
	u64 a, b;
};

struct timing {
	struct latency latency;
	struct latency by_op[MAX_OPCODE];
	bool has_op[MAX_OPCODE];
	enum cmd_order order;
};

static struct timing *timing_of(const struct hca *h)
{
	return hca_part(h, PART_TIMING);
}

/* --- parsing ---------------------------------------------------------------------------------- */

static int find_order(const char *name)
{
	static const char *const names[] = { "fifo", "lifo", "random", "inorder" };
	int i;

	for (i = 0; i < 4; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

/* T, uniform:T:T or exp:T */
static bool parse_latency(const char *text, struct latency *l)
{
	char copy[80], *at = copy, *word;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	word = strsep(&at, ":");
	*l = (struct latency){ 0 };
	if (!strcmp(word, "uniform")) {
		l->kind = LAT_UNIFORM;
		word = strsep(&at, ":");
		return word && at && opt_number(word, &l->a) && opt_number(at, &l->b) &&
		       l->a <= l->b;
	}
	if (!strcmp(word, "exp")) {
		l->kind = LAT_EXP;
		return at && opt_number(at, &l->a);
	}
	return !at && opt_number(word, &l->a);
}

int timing_check_latency(const char *value, char *why)
{
	struct latency l;

	if (parse_latency(value, &l))
		return 0;
	snprintf(why, OPT_WHY, "latency=%.60s: expected T, uniform:T:T or exp:T", value);
	return -1;
}

/* Checks a latency for one opcode. If @t is not NULL, stores it. */
static int parse_latency_op(struct timing *t, const char *value, char *why)
{
	char *copy = strdup(value), *at = copy, *word, *eq;
	struct latency l;
	int op, ret = 0;

	while (!ret && copy && (word = strsep(&at, ","))) {
		eq = strchr(word, '=');
		if (eq)
			*eq++ = '\0';
		if (!eq || !cmd_opcode_parse(word, &op) || op >= MAX_OPCODE ||
		    !parse_latency(eq, &l)) {
			snprintf(why, OPT_WHY, "latency_op: %.60s: expected OP=LATENCY", word);
			ret = -1;
		} else if (t) {
			t->by_op[op] = l;
			t->has_op[op] = true;
		}
	}
	free(copy);
	return ret;
}

int timing_check_latency_op(const char *value, char *why)
{
	return parse_latency_op(NULL, value, why);
}

int timing_check_order(const char *value, char *why)
{
	if (find_order(value) >= 0)
		return 0;
	snprintf(why, OPT_WHY, "cmd_order=%.40s: expected fifo, lifo, random or inorder", value);
	return -1;
}

/* --- profiles --------------------------------------------------------------------------------- */

/* The option values of each profile. Options that follow the profile override them. */
static const struct {
	const char *name, *latency, *latency_op, *engines, *go_delay, *cmd_order;
} profiles[] = {
	{ "default", "10us", "", "4", "2us", "fifo" },
	{ "fast", "0", "", "64", "0", "fifo" },
	{ "real", "uniform:20us:120us", "SYS_EN=500ms,INIT_HCA=50ms,MAD_IFC=200us,INIT_IB=1ms", "1",
	  "3us", "fifo" },
	{ "slow", "uniform:1ms:20ms", "", "2", "50us", "fifo" },
	{ "serial", "10us", "", "1", "2us", "inorder" },
	{ "hostile", "exp:300us", "", "64", "20us", "random" },
};

#define N_PROFILES (sizeof(profiles) / sizeof(profiles[0]))

static int find_profile(const char *name)
{
	size_t i;

	for (i = 0; i < N_PROFILES; i++)
		if (!strcmp(profiles[i].name, name))
			return i;
	return -1;
}

int timing_check_profile(const char *value, char *why)
{
	if (find_profile(value) >= 0)
		return 0;
	snprintf(why, OPT_WHY,
		 "profile=%.40s: expected default, fast, real, slow, serial or hostile", value);
	return -1;
}

/* Sets the options themselves, so that each value of a profile can be read back and overridden. */
static void apply_profile(int n, const char *name)
{
	int i = find_profile(name);
	char why[OPT_WHY];

	if (opt_set(n, "latency", profiles[i].latency, why) ||
	    opt_set(n, "latency_op", profiles[i].latency_op, why) ||
	    opt_set(n, "engines", profiles[i].engines, why) ||
	    opt_set(n, "go_delay", profiles[i].go_delay, why) ||
	    opt_set(n, "cmd_order", profiles[i].cmd_order, why)) {
		fprintf(stderr, "tavor-hca: profile %s: %s\n", name, why);
		abort();
	}
}

/* Cannot fail, because options are checked when they are set. */
static void load_settings(struct hca *h, struct timing *t)
{
	char why[OPT_WHY];

	parse_latency(opt_str(h, "latency"), &t->latency);
	memset(t->has_op, 0, sizeof(t->has_op));
	if (*opt_str(h, "latency_op"))
		parse_latency_op(t, opt_str(h, "latency_op"), why);
	t->order = find_order(opt_str(h, "cmd_order"));
}

/* Before an HCA exists, its options are only stored; timing_new() reads them. */
void timing_option_changed(int n, const char *key, const char *value)
{
	struct hca *h;
	int i;

	if (!strcmp(key, "profile"))
		apply_profile(n, value);
	for (i = 0; (h = hca_by_number(i)); i++)
		if ((n < 0 || n == i) && timing_of(h))
			load_settings(h, timing_of(h));
}

/* --- what the command interface asks ---------------------------------------------------------- */

/* The exponential distribution uses inversion. 1 - u is never 0, so its logarithm is finite. */
u64 timing_latency(struct hca *h, u16 opcode)
{
	struct timing *t = timing_of(h);
	const struct latency *l =
		opcode < MAX_OPCODE && t->has_op[opcode] ? &t->by_op[opcode] : &t->latency;

	switch (l->kind) {
	case LAT_UNIFORM:
		return l->a + hca_random(h) % (l->b - l->a + 1);
	case LAT_EXP:
		return l->a * -log(1 - hca_random_unit(h));
	default:
		return l->a;
	}
}

enum cmd_order timing_order(const struct hca *h)
{
	return timing_of(h)->order;
}

/* --- start and end ---------------------------------------------------------------------------- */

int timing_new(struct hca *h)
{
	struct timing *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	hca_set_part(h, PART_TIMING, t);
	load_settings(h, t);
	return 0;
}

void timing_delete(struct hca *h)
{
	free(timing_of(h));
}
