// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Model options. options.def declares the name, type, range, default and help of each option.
 * Values are stored for the maximum number of HCAs from the start, so that options can be set
 * before the number of HCAs is known.
 */
#include "core/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_HCAS 16
#define MAX_CHECKS 16
#define MAX_WATCHES 4

enum opt_type { U64, BOOL, STR, LIST };
enum opt_when { START, LIVE };

struct opt_decl {
	const char *key;
	enum opt_type type;
	const char *def;
	u64 min, max;
	enum opt_when when;
	const char *help;
};

static const struct opt_decl decls[] = {
#define OPTION(key, type, def, min, max, when, help) { #key, type, def, min, max, when, help },
#include "core/options.def"
#undef OPTION
};

#define N_OPTIONS (sizeof(decls) / sizeof(decls[0]))

struct opt_values {
	u64 num[N_OPTIONS];
	char *str[N_OPTIONS];
};

static struct opt_values values[MAX_HCAS];
static bool started;
static int highest = -1;

static int find(const char *key)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (!strcmp(decls[i].key, key))
			return i;
	return -1;
}

static int check_priority(const char *value, char *why)
{
	if (!strcmp(value, "realtime") || !strcmp(value, "nice") || !strcmp(value, "normal"))
		return 0;
	snprintf(why, OPT_WHY, "priority=%.40s: expected realtime, nice or normal", value);
	return -1;
}

static struct {
	const char *key;
	opt_check check;
} checks[MAX_CHECKS] = { { "priority", check_priority } };
static size_t n_checks = 1;
static opt_watch watches[MAX_WATCHES];
static size_t n_watches;

/* --- checks and watches of an option ---------------------------------------------------------- */

/* An option that is not declared, or too many checks, are a bug of the caller. */
void opt_own(const char *key, opt_check check)
{
	if (n_checks == MAX_CHECKS || find(key) < 0)
		abort();
	checks[n_checks].key = key;
	checks[n_checks++].check = check;
}

void opt_tell(opt_watch watch)
{
	if (n_watches == MAX_WATCHES)
		abort();
	watches[n_watches++] = watch;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static const struct {
	const char *suffix;
	u64 factor;
} suffixes[] = {
	{ "", 1 },   { "k", 1 << 10 }, { "m", 1 << 20 },  { "g", 1 << 30 },
	{ "ns", 1 }, { "us", 1000 },   { "ms", 1000000 }, { "s", 1000000000 },
};

/*
 * The text must begin with a digit: strtoull() alone would accept spaces, signs and an empty text,
 * and would convert -1 to the largest number.
 */
bool opt_number(const char *text, u64 *value)
{
	unsigned long long v;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno)
		return false;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcmp(end, suffixes[i].suffix))
			continue;
		return !__builtin_mul_overflow((u64)v, suffixes[i].factor, value);
	}
	return false;
}

/* The words at odd indices mean true. */
static bool parse_bool(const char *text, u64 *value)
{
	static const char *const words[] = { "0", "1", "no", "yes", "off", "on", "false", "true" };
	size_t i;

	for (i = 0; i < 8; i++) {
		if (!strcmp(text, words[i])) {
			*value = i & 1;
			return true;
		}
	}
	return false;
}

/* Checks the length, then calls the check of the part that has called opt_own(). */
static int check_text(const struct opt_decl *d, const char *value, char *why)
{
	size_t i;

	if (*value && (strlen(value) < d->min || strlen(value) > d->max)) {
		snprintf(why, OPT_WHY, "%s=%.60s: length must be %llu to %llu", d->key, value,
			 (unsigned long long)d->min, (unsigned long long)d->max);
		return -1;
	}
	if (!*value && d->min) {
		snprintf(why, OPT_WHY, "%s: an empty value makes no sense", d->key);
		return -1;
	}
	for (i = 0; i < n_checks; i++)
		if (!strcmp(checks[i].key, d->key))
			return *value ? checks[i].check(value, why) : 0;
	return 0;
}

static int check_number(const struct opt_decl *d, const char *value, u64 *num, char *why)
{
	bool ok = d->type == BOOL ? parse_bool(value, num) : opt_number(value, num);

	if (!ok) {
		snprintf(why, OPT_WHY, "%s=%.60s: not a %s", d->key, value,
			 d->type == BOOL ? "yes or no" : "number");
		return -1;
	}
	if (*num < d->min || *num > d->max) {
		snprintf(why, OPT_WHY, "%s=%.60s: must be %llu to %llu", d->key, value,
			 (unsigned long long)d->min, (unsigned long long)d->max);
		return -1;
	}
	return 0;
}

/* --- setting ---------------------------------------------------------------------------------- */

/* A value is added to a list, and replaces any other option. */
static void store_text(char **at, enum opt_type type, const char *value)
{
	char *old = *at;
	size_t room;
	char *text;

	if (type == LIST && old && *old && *value) {
		room = strlen(old) + strlen(value) + 2;
		text = malloc(room);
		if (text)
			snprintf(text, room, "%s;%s", old, value);
	} else {
		text = strdup(value);
	}
	if (!text) {
		fprintf(stderr, "tavor-hca: out of memory\n");
		exit(1);
	}
	free(old);
	*at = text;
}

static void store(int n, int i, u64 num, const char *value)
{
	if (decls[i].type == STR || decls[i].type == LIST)
		store_text(&values[n].str[i], decls[i].type, value);
	else
		values[n].num[i] = num;
}

/* Is done once. A default that does not pass its own declaration is a bug of options.def. */
static void load_defaults(void)
{
	static bool loaded;
	char why[OPT_WHY];
	size_t i;
	int n;

	if (loaded)
		return;
	loaded = true;
	for (i = 0; i < N_OPTIONS; i++) {
		u64 num = 0;

		if (decls[i].type <= BOOL && check_number(&decls[i], decls[i].def, &num, why)) {
			fprintf(stderr, "options.def: %s\n", why);
			abort();
		}
		for (n = 0; n < MAX_HCAS; n++)
			store(n, i, num, decls[i].def);
	}
}

/*
 * Checks the whole value before any part of it is stored. OPT_ALL stores it for the maximum number
 * of HCAs, because the number of HCAs is not known while the command line is parsed.
 */
int opt_set(int n, const char *key, const char *value, char *why)
{
	int i = find(key);
	u64 num = 0;
	int k;

	load_defaults();
	if (i < 0) {
		snprintf(why, OPT_WHY, "%.60s: no such option", key);
		return -1;
	}
	if (n < OPT_ALL || n >= MAX_HCAS) {
		snprintf(why, OPT_WHY, "%.60s: no HCA %d", key, n);
		return -1;
	}
	if (started && decls[i].when == START) {
		snprintf(why, OPT_WHY, "%s: can only be set at start", key);
		return -1;
	}
	if (decls[i].type <= BOOL ? check_number(&decls[i], value, &num, why) :
				    check_text(&decls[i], value, why))
		return -1;
	if (n > highest)
		highest = n;
	for (k = 0; k < MAX_HCAS; k++)
		if (n == OPT_ALL || n == k)
			store(k, i, num, value);
	for (k = 0; k < (int)n_watches; k++)
		watches[k](n, key, value);
	return 0;
}

/* A key cannot begin with a digit, so a number at the start is that of an HCA. */
int opt_parse(const char *arg, char *why)
{
	const char *eq = strchr(arg, '=');
	int n = OPT_ALL;
	char key[64];
	char *end;

	if (!eq) {
		snprintf(why, OPT_WHY, "%.60s: expected KEY=VALUE or N:KEY=VALUE", arg);
		return -1;
	}
	if (isdigit((unsigned char)arg[0])) {
		n = strtol(arg, &end, 10);
		if (*end != ':') {
			snprintf(why, OPT_WHY, "%.60s: expected N:KEY=VALUE", arg);
			return -1;
		}
		arg = end + 1;
	}
	snprintf(key, sizeof(key), "%.*s", (int)(eq > arg ? eq - arg : 0), arg);
	return opt_set(n, key, eq + 1, why);
}

int opt_load(const char *path, char *why)
{
	FILE *f = fopen(path, "r");
	char line[1200];
	int ret = 0;

	if (!f) {
		snprintf(why, OPT_WHY, "%.120s: %s", path, strerror(errno));
		return -1;
	}
	while (!ret && fgets(line, sizeof(line), f)) {
		char *text = line + strspn(line, " \t");

		text[strcspn(text, "#\n")] = '\0';
		while (*text && isspace((unsigned char)text[strlen(text) - 1]))
			text[strlen(text) - 1] = '\0';
		if (*text)
			ret = opt_parse(text, why);
	}
	fclose(f);
	return ret;
}

/*
 * Parts read START options when they are created. A later change would be shown and have no effect.
 */
void opt_started(void)
{
	load_defaults();
	started = true;
}

int opt_highest(void)
{
	return highest;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A misspelt key in the source must not return a default. */
static int must_find(const char *key)
{
	int i = find(key);

	if (i < 0) {
		fprintf(stderr, "tavor-hca: option %s is not declared\n", key);
		abort();
	}
	return i;
}

static struct opt_values *values_of(const struct hca *h)
{
	load_defaults();
	return &values[hca_number(h)];
}

/* The address of a value never changes, so hot code looks it up once and keeps the pointer. */
const u64 *opt_ref(const struct hca *h, const char *key)
{
	return &values_of(h)->num[must_find(key)];
}

u64 opt_u64(const struct hca *h, const char *key)
{
	return *opt_ref(h, key);
}

bool opt_bool(const struct hca *h, const char *key)
{
	return *opt_ref(h, key);
}

const char *opt_str(const struct hca *h, const char *key)
{
	return values_of(h)->str[must_find(key)];
}

const char *opt_key(unsigned int i)
{
	return i < N_OPTIONS ? decls[i].key : NULL;
}

int opt_print(const struct hca *h, const char *key, char *buf, size_t room)
{
	int i = find(key);

	if (i < 0)
		return -1;
	if (decls[i].type == STR || decls[i].type == LIST)
		return snprintf(buf, room, "%s", values_of(h)->str[i]);
	return snprintf(buf, room, "%llu", (unsigned long long)values_of(h)->num[i]);
}

void opt_list(void)
{
	static const char *const types[] = { "number", "yes/no", "text", "list" };
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		printf("%-18s %-7s %-5s default %-20s %s\n", decls[i].key, types[decls[i].type],
		       decls[i].when == LIVE ? "live" : "start",
		       decls[i].def[0] ? decls[i].def : "\"\"", decls[i].help);
}

int options_new(struct hca *h)
{
	load_defaults();
	hca_set_part(h, PART_OPTIONS, &values[hca_number(h)]);
	return 0;
}
