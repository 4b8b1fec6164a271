// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Faults of the command interface and of the event and completion queues. */
#include "device/fault.h"

#include "core/options.h"
#include "device/cmd.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_RULES 128

enum fault_on { ON_CMD, ON_EQE, ON_CQE };

struct fault_rule {
	enum fault_action action;
	enum fault_on on;
	int op;	   /* opcode or event type; -1: any */
	int num;   /* EQN or CQN; -1: any */
	u64 after; /* number of matches to pass first */
	u64 count; /* number of matches to hit; 0: no limit */
	double prob;
	u8 status;
	u64 time;
	u64 seen, hits;
};

struct fault {
	struct fault_rule rules[MAX_RULES];
	int n_rules;
	bool any_cqe;
};

static const char *const action_names[FAULT_ACTIONS] = {
	[FAULT_NONE] = "",     [FAULT_DROP] = "drop",	  [FAULT_DELAY] = "delay",
	[FAULT_DUP] = "dup",   [FAULT_STATUS] = "status", [FAULT_GO_STUCK] = "go_stuck",
	[FAULT_HANG] = "hang", [FAULT_CATAS] = "catas",
};

static const char *const on_names[] = { "cmd", "eqe", "cqe" };

static int lookup(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -1;
}

static struct fault *fault_of(const struct hca *h)
{
	return hca_part(h, PART_FAULT);
}

/* --- parsing ---------------------------------------------------------------------------------- */

static bool parse_prob(const char *text, double *p)
{
	char *end;

	*p = strtod(text, &end);
	return end != text && !*end && *p >= 0 && *p <= 1;
}

/* Numbers are parsed by opt_number(), so that times can have units and no value is truncated. */
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
		return cmd_opcode_parse(text, &r->op);
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

/* Refuses fields that contradict each other. */
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

/* --- the option ------------------------------------------------------------------------------- */

/*
 * Loads a list that was set before the HCA existed. Its elements were checked when they were added.
 */
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

/* Before an HCA exists, its options are only stored; fault_new() reads them. */
void fault_option_changed(int n, const char *key, const char *value)
{
	char why[OPT_WHY];
	struct hca *h;
	int i;

	if (strcmp(key, "fault"))
		return;
	for (i = 0; (h = hca_by_number(i)); i++) {
		if ((n >= 0 && n != i) || !fault_of(h))
			continue;
		if (*value)
			fault_add(h, value, why);
		else
			fault_clear(h);
	}
}

/* --- rules ------------------------------------------------------------------------------------ */

/* Sets the flag that lets completions skip the list if no fault matches CQEs. */
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

/* The order matters: only a match is counted, and only a counted match draws a random number. */
static bool rule_hits(struct hca *h, struct fault_rule *r, enum fault_on on, int op, int num)
{
	if (r->on != on || (r->op >= 0 && r->op != op) || (r->num >= 0 && r->num != num))
		return false;
	if (r->seen++ < r->after || (r->count && r->hits >= r->count))
		return false;
	if (!hca_chance(h, r->prob))
		return false;
	r->hits++;
	return true;
}

/* The first fault that hits is used. */
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
 * A fault can affect a command at three stages: acceptance, execution, completion. Each stage draws
 * random numbers only for its own actions. A run therefore repeats even if the commands reach the
 * stages in another order.
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

/* Every completion calls this, so it reads a flag and not the list. */
bool fault_any_cqe(const struct hca *h)
{
	return fault_of(h)->any_cqe;
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

/* --- start and end ---------------------------------------------------------------------------- */

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
	hca_set_part(h, PART_FAULT, f);
	load_rules(h, opt_str(h, "fault"));
	return *opt_str(h, "fault_file") ? load_file(h, opt_str(h, "fault_file")) : 0;
}

void fault_delete(struct hca *h)
{
	free(fault_of(h));
}
