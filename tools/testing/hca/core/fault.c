// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Latency and faults of the command interface and the event and completion queues. Everything random comes
 * from one seeded generator per HCA, so a run can be repeated.
 */
#include "core/fault.h"

#include "device/cmd.h"
#include "core/options.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_RULES 128
#define MAX_OPCODE 0x41

enum fault_on { ON_CMD, ON_EQE, ON_CQE };

struct fault_rule {
	enum fault_action action;
	enum fault_on on;
	int op;	   /* opcode or event type; -1 any */
	int num;   /* EQN or CQN; -1 any */
	u64 after; /* matches to let pass first */
	u64 count; /* matches to hit; 0 no limit */
	double prob;
	u8 status;
	u64 time;
	u64 seen, hits;
};

enum latency_kind { LAT_FIXED, LAT_UNIFORM, LAT_EXP };

struct latency {
	enum latency_kind kind;
	u64 a, b;
};

struct fault {
	struct fault_rule rules[MAX_RULES];
	int n_rules;
	bool any_cqe;
	struct latency latency;
	struct latency by_op[MAX_OPCODE];
	bool has_op[MAX_OPCODE];
	enum cmd_order order;
	u64 random;
};

static const char *const action_names[FAULT_ACTIONS] = {
	[FAULT_NONE] = "",     [FAULT_DROP] = "drop",	  [FAULT_DELAY] = "delay",
	[FAULT_DUP] = "dup",   [FAULT_STATUS] = "status", [FAULT_GO_STUCK] = "go_stuck",
	[FAULT_HANG] = "hang", [FAULT_CATAS] = "catas",
};

static const char *const on_names[] = { "cmd", "eqe", "cqe" };
static const char *const order_names[] = { "fifo", "lifo", "random", "inorder" };

static struct fault *fault_of(const struct hca *h)
{
	return hca_part(h, PART_FAULT);
}

/* --- random -------------------------------------------------------------------------------------------- */

/* splitmix64: any seed will do, also 0 */
u64 fault_random(struct hca *h)
{
	u64 z = fault_of(h)->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static double unit_random(struct hca *h)
{
	return (fault_random(h) >> 11) * 0x1p-53;
}

bool fault_chance(struct hca *h, double probability)
{
	return probability >= 1 || unit_random(h) < probability;
}

/* --- parsing ------------------------------------------------------------------------------------------- */

static int lookup(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -1;
}

/* A command by its name, or any number: opcodes, event types and CQE opcodes alike. */
static bool parse_op(const char *text, int *op)
{
	int code = cmd_opcode_by_name(text);
	u64 v;

	if (code >= 0) {
		*op = code;
		return true;
	}
	if (!opt_number(text, &v) || v >= 0x1000)
		return false;
	*op = v;
	return true;
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

static bool parse_prob(const char *text, double *p)
{
	char *end;

	*p = strtod(text, &end);
	return end != text && !*end && *p >= 0 && *p <= 1;
}

/*
 * Numbers go through opt_number(), so that times may have units and nothing is cut off at its
 * range.
 */
static bool parse_field(struct fault_rule *r, const char *key, const char *text)
{
	u64 v;
	int on;

	if (!strcmp(key, "on")) {
		on = lookup(on_names, 3, text);
		r->on = on;
		return on >= 0;
	}
	if (!strcmp(key, "op"))
		return parse_op(text, &r->op);
	if (!strcmp(key, "prob"))
		return parse_prob(text, &r->prob);
	if (!opt_number(text, &v))
		return false;
	if (!strcmp(key, "num") && v < 1 << 24)
		r->num = v;
	else if (!strcmp(key, "after"))
		r->after = v;
	else if (!strcmp(key, "count"))
		r->count = v;
	else if (!strcmp(key, "status") && v <= 0xff)
		r->status = v;
	else if (!strcmp(key, "time"))
		r->time = v;
	else
		return false;
	return true;
}

/* Fields that make no sense together. */
static int rule_sane(const struct fault_rule *r, const char *spec, char *why)
{
	if (r->on != ON_CMD && r->action > FAULT_DUP) {
		snprintf(why, OPT_WHY, "fault=%.100s: %s is for commands only", spec,
			 action_names[r->action]);
		return -1;
	}
	if (r->action == FAULT_STATUS && !r->status) {
		snprintf(why, OPT_WHY, "fault=%.100s: needs status=1..255", spec);
		return -1;
	}
	if (r->action == FAULT_DELAY && !r->time) {
		snprintf(why, OPT_WHY, "fault=%.100s: needs time=", spec);
		return -1;
	}
	return 0;
}

static int parse_rule(const char *spec, struct fault_rule *r, char *why)
{
	char copy[300], *at = copy, *word, *value;
	int action;

	if (strlen(spec) >= sizeof(copy)) {
		snprintf(why, OPT_WHY, "fault=%.60s...: too long", spec);
		return -1;
	}
	strcpy(copy, spec);
	word = strsep(&at, ",");
	action = lookup(action_names, FAULT_ACTIONS, word);
	*r = (struct fault_rule){ .op = -1, .num = -1, .prob = 1 };
	if (action <= FAULT_NONE) {
		snprintf(why, OPT_WHY, "fault=%.60s: no such action", word);
		return -1;
	}
	r->action = action;
	while ((word = strsep(&at, ","))) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		if (!value || !parse_field(r, word, value)) {
			snprintf(why, OPT_WHY, "fault=%.100s: bad field %.40s", spec, word);
			return -1;
		}
	}
	return rule_sane(r, spec, why);
}

int fault_check(const char *spec, char *why)
{
	struct fault_rule r;

	return parse_rule(spec, &r, why);
}

int fault_check_latency(const char *value, char *why)
{
	struct latency l;

	if (parse_latency(value, &l))
		return 0;
	snprintf(why, OPT_WHY, "latency=%.60s: expected T, uniform:T:T or exp:T", value);
	return -1;
}

/* With @f the latencies are stored, without only checked. */
static int parse_latency_op(struct fault *f, const char *value, char *why)
{
	char *copy = strdup(value), *at = copy, *word, *eq;
	struct latency l;
	int op, ret = 0;

	while (!ret && copy && (word = strsep(&at, ","))) {
		eq = strchr(word, '=');
		if (eq)
			*eq++ = '\0';
		if (!eq || !parse_op(word, &op) || op >= MAX_OPCODE || !parse_latency(eq, &l)) {
			snprintf(why, OPT_WHY, "latency_op: %.60s: expected OP=LATENCY", word);
			ret = -1;
		} else if (f) {
			f->by_op[op] = l;
			f->has_op[op] = true;
		}
	}
	free(copy);
	return ret;
}

int fault_check_latency_op(const char *value, char *why)
{
	return parse_latency_op(NULL, value, why);
}

int fault_check_order(const char *value, char *why)
{
	if (lookup(order_names, 4, value) >= 0)
		return 0;
	snprintf(why, OPT_WHY, "cmd_order=%.40s: expected fifo, lifo, random or inorder", value);
	return -1;
}

/* --- profiles ------------------------------------------------------------------------------------------ */

/* What a profile says about each option; the options given after it override it. */
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

int fault_check_profile(const char *value, char *why)
{
	if (find_profile(value) >= 0)
		return 0;
	snprintf(why, OPT_WHY,
		 "profile=%.40s: expected default, fast, real, slow, serial or hostile", value);
	return -1;
}

/*
 * Through the options themselves, so that what a profile has set can be read back and overridden
 * one by one.
 */
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

/* The options are checked when they are set, so nothing here can fail. */
static void load_settings(struct hca *h, struct fault *f)
{
	char why[OPT_WHY];

	parse_latency(opt_str(h, "latency"), &f->latency);
	memset(f->has_op, 0, sizeof(f->has_op));
	if (*opt_str(h, "latency_op"))
		parse_latency_op(f, opt_str(h, "latency_op"), why);
	f->order = lookup(order_names, 4, opt_str(h, "cmd_order"));
}

/* What was set before the HCA existed is one string, its elements checked when they were added. */
static void load_rules(struct hca *h, const char *list)
{
	char *copy = strdup(list), *at = copy, *spec;
	char why[OPT_WHY];

	fault_clear(h);
	while (copy && (spec = strsep(&at, ";")))
		if (*spec && fault_add(h, spec, why))
			hca_log(h, "%s", why);
	free(copy);
}

/* Before an HCA exists its options only wait; fault_new() reads them. */
void fault_option_changed(int n, const char *key, const char *value)
{
	char why[OPT_WHY];
	struct hca *h;
	int i;

	if (!strcmp(key, "profile"))
		apply_profile(n, value);
	for (i = 0; (h = hca_by_number(i)); i++) {
		if ((n >= 0 && n != i) || !fault_of(h))
			continue;
		if (!strcmp(key, "fault") && *value)
			fault_add(h, value, why);
		else if (!strcmp(key, "fault"))
			fault_clear(h);
		else
			load_settings(h, fault_of(h));
	}
}

/* --- rules --------------------------------------------------------------------------------------------- */

/* So that completions cost nothing while no fault is about them. */
static void note_cqe_rules(struct fault *f)
{
	int i;

	f->any_cqe = false;
	for (i = 0; i < f->n_rules; i++)
		f->any_cqe |= f->rules[i].on == ON_CQE;
}

int fault_add(struct hca *h, const char *spec, char *why)
{
	struct fault *f = fault_of(h);

	if (f->n_rules == MAX_RULES) {
		snprintf(why, OPT_WHY, "fault=%.60s: more than %d faults", spec, MAX_RULES);
		return -1;
	}
	if (parse_rule(spec, &f->rules[f->n_rules], why))
		return -1;
	f->n_rules++;
	note_cqe_rules(f);
	return 0;
}

void fault_clear(struct hca *h)
{
	fault_of(h)->n_rules = 0;
	note_cqe_rules(fault_of(h));
}

/* The order matters: only what matches is counted, and only what is counted draws a number. */
static bool rule_hits(struct hca *h, struct fault_rule *r, enum fault_on on, int op, int num)
{
	if (r->on != on || (r->op >= 0 && r->op != op) || (r->num >= 0 && r->num != num))
		return false;
	if (r->seen++ < r->after || (r->count && r->hits >= r->count))
		return false;
	if (!fault_chance(h, r->prob))
		return false;
	r->hits++;
	return true;
}

/* The first fault that hits decides. */
static struct fault_verdict judge(struct hca *h, enum fault_on on, int op, int num,
				  unsigned int actions)
{
	struct fault *f = fault_of(h);
	int i;

	for (i = 0; i < f->n_rules; i++) {
		struct fault_rule *r = &f->rules[i];

		if (!(actions >> r->action & 1) || !rule_hits(h, r, on, op, num))
			continue;
		count(h, "fault_injected");
		return (struct fault_verdict){ r->action, r->status, r->time };
	}
	return (struct fault_verdict){ FAULT_NONE, 0, 0 };
}

#define COMPLETION_ACTIONS (1u << FAULT_DROP | 1u << FAULT_DELAY | 1u << FAULT_DUP)

/*
 * A command passes three places at which a fault may strike: acceptance, execution, completion.
 * Each draws random numbers only for the actions that belong to it, so a run repeats even if the
 * order of places among commands does not.
 */
struct fault_verdict fault_cmd_accept(struct hca *h, u16 opcode)
{
	return judge(h, ON_CMD, opcode, -1, 1u << FAULT_GO_STUCK | 1u << FAULT_HANG);
}

struct fault_verdict fault_cmd(struct hca *h, u16 opcode)
{
	return judge(h, ON_CMD, opcode, -1, 1u << FAULT_STATUS | 1u << FAULT_CATAS);
}

struct fault_verdict fault_cmd_completion(struct hca *h, u16 opcode)
{
	return judge(h, ON_CMD, opcode, -1, COMPLETION_ACTIONS);
}

struct fault_verdict fault_eqe(struct hca *h, u8 type, u32 eqn)
{
	return judge(h, ON_EQE, type, eqn, COMPLETION_ACTIONS);
}

struct fault_verdict fault_cqe(struct hca *h, u32 cqn, u8 opcode)
{
	return judge(h, ON_CQE, opcode, cqn, COMPLETION_ACTIONS);
}

/* Asked for every completion, so it is a flag and not a walk. */
bool fault_any_cqe(const struct hca *h)
{
	return fault_of(h)->any_cqe;
}

/* Exponential by inversion; 1 - u is never 0, whose logarithm would be an endless wait. */
u64 fault_latency(struct hca *h, u16 opcode)
{
	struct fault *f = fault_of(h);
	const struct latency *l =
		opcode < MAX_OPCODE && f->has_op[opcode] ? &f->by_op[opcode] : &f->latency;

	switch (l->kind) {
	case LAT_UNIFORM:
		return l->a + fault_random(h) % (l->b - l->a + 1);
	case LAT_EXP:
		return l->a * -log(1 - unit_random(h));
	default:
		return l->a;
	}
}

enum cmd_order fault_order(const struct hca *h)
{
	return fault_of(h)->order;
}

void fault_stats(const struct hca *h, struct cJSON *out)
{
	struct fault *f = fault_of(h);
	cJSON *list = cJSON_AddArrayToObject(out, "faults");
	int i;

	for (i = 0; i < f->n_rules; i++) {
		cJSON *one = cJSON_CreateObject();

		cJSON_AddStringToObject(one, "action", action_names[f->rules[i].action]);
		cJSON_AddStringToObject(one, "on", on_names[f->rules[i].on]);
		cJSON_AddNumberToObject(one, "op", f->rules[i].op);
		cJSON_AddNumberToObject(one, "num", f->rules[i].num);
		cJSON_AddNumberToObject(one, "seen", f->rules[i].seen);
		cJSON_AddNumberToObject(one, "hits", f->rules[i].hits);
		cJSON_AddItemToArray(list, one);
	}
}

/* --- start and end ------------------------------------------------------------------------------------- */

static int load_file(struct hca *h, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL, why[OPT_WHY];
	size_t room = 0;
	int ret = 0;

	if (!f) {
		fprintf(stderr, "tavor-hca: fault_file=%s: %s\n", path, strerror(errno));
		return -errno;
	}
	while (!ret && getline(&line, &room, f) >= 0) {
		size_t end = strcspn(line, "#\n");

		while (end && strchr(" \t\r", line[end - 1]))
			end--;
		line[end] = '\0';
		if (*line && fault_add(h, line, why)) {
			fprintf(stderr, "tavor-hca: %s: %s\n", path, why);
			ret = -EINVAL;
		}
	}
	free(line);
	fclose(f);
	return ret;
}

int fault_new(struct hca *h)
{
	struct fault *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	/* two HCAs of one process must not misbehave in step */
	f->random = opt_u64(h, "seed") + (u64)hca_number(h) * 0x5851f42d4c957f2du;
	hca_set_part(h, PART_FAULT, f);
	load_settings(h, f);
	load_rules(h, opt_str(h, "fault"));
	return *opt_str(h, "fault_file") ? load_file(h, opt_str(h, "fault_file")) : 0;
}

void fault_delete(struct hca *h)
{
	free(fault_of(h));
}
