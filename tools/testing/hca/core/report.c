// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Violations, user faults, waivers and counters. Each line of the report is one JSON object and is
 * flushed immediately, so that the report is complete even if the process is killed.
 */
#include "core/report.h"

#include "core/options.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define COUNTERS 512 /* slots of the hash table by address; a power of two */

struct counter {
	const char *name;
	u64 n;
};

struct report {
	u64 violations[RULE_COUNT], user_faults[RULE_COUNT];
	u8 waived[RULE_COUNT];
	struct counter counters[COUNTERS];
	u64 *kernel_uars; /* bit map of 2^20 pages */
	bool kernel_known;
	const u64 *limit;
};

#define UAR_BITS (1u << 20)

static const struct {
	const char *name, *text, *right;
} rules[] = {
#define RULE(id, name, text, right) [RULE_##id] = { name, text, right },
#include "device/rules_device.def"
#include "qp/rules_qp.def"
#include "fabric/rules_fabric.def"
#undef RULE
};

static FILE *report_file, *log_file;
static u64 start_ns;
static u8 file_waived[RULE_COUNT];

const char *rule_name(enum hca_rule rule)
{
	return rules[rule].name;
}

static struct report *report_of(const struct hca *h)
{
	return hca_part(h, PART_REPORT);
}

/*
 * Returns the time since the start of the process, which is the time in the report, in the log and
 * in the history of the control socket.
 */
static double elapsed(void)
{
	return (now_ns() - start_ns) / 1e9;
}

/* --- lines ------------------------------------------------------------------------------------ */

void hca_log(struct hca *h, const char *fmt, ...)
{
	FILE *f = log_file ? log_file : stderr;
	va_list ap;

	fprintf(f, "[%12.6f] hca%d: ", elapsed(), h ? hca_number(h) : 0);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\n', f);
	if (log_file)
		fflush(f);
}

static void write_line(cJSON *line)
{
	char *text = cJSON_PrintUnformatted(line);

	if (text && report_file) {
		fputs(text, report_file);
		fputc('\n', report_file);
		fflush(report_file);
	}
	free(text);
	cJSON_Delete(line);
}

/* After the limit, errors are only counted. */
static void record(struct hca *h, const char *kind, enum hca_rule rule, u64 nth, const char *object,
		   const char *fmt, va_list ap)
{
	struct report *r = report_of(h);
	char detail[512];
	cJSON *line;

	vsnprintf(detail, sizeof(detail), fmt, ap);
	if (nth > *r->limit)
		return;
	hca_log(h, "%s: %s: %s: %s. %s %s", kind, rules[rule].name, object, detail,
		rules[rule].text, rules[rule].right);
	line = cJSON_CreateObject();
	cJSON_AddStringToObject(line, kind, rules[rule].name);
	cJSON_AddNumberToObject(line, "hca", hca_number(h));
	cJSON_AddNumberToObject(line, "time", elapsed());
	cJSON_AddStringToObject(line, "object", object);
	cJSON_AddStringToObject(line, "detail", detail);
	cJSON_AddStringToObject(line, "rule", rules[rule].text);
	cJSON_AddStringToObject(line, "right", rules[rule].right);
	write_line(line);
}

/* Waived violations are counted together with the others. The summary lists them separately. */
static void vviolation(struct hca *h, enum hca_rule rule, const char *object, const char *fmt,
		       va_list ap)
{
	struct report *r = report_of(h);

	record(h, r->waived[rule] || file_waived[rule] ? "waived" : "violation", rule,
	       ++r->violations[rule], object, fmt, ap);
}

void violation(struct hca *h, enum hca_rule rule, const char *object, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vviolation(h, rule, object, fmt, ap);
	va_end(ap);
}

/*
 * Only the kernel rings EQ doorbells, so the UAR pages in EQ contexts belong to the kernel. So do
 * page 0, which is the firmware's, and page 1 (tavor-hw 14). Before the first EQ exists there are
 * no processes.
 */
static bool kernel_uar(const struct report *r, u32 uar)
{
	if (!r->kernel_known || uar <= 1)
		return true;
	return uar < UAR_BITS && (r->kernel_uars[uar / 64] >> (uar % 64) & 1);
}

void blame(struct hca *h, u32 uar, enum hca_rule rule, const char *object, const char *fmt, ...)
{
	struct report *r = report_of(h);
	va_list ap;

	va_start(ap, fmt);
	if (kernel_uar(r, uar))
		vviolation(h, rule, object, fmt, ap);
	else
		record(h, "user_fault", rule, ++r->user_faults[rule], object, fmt, ap);
	va_end(ap);
}

void report_kernel_uar(struct hca *h, u32 uar)
{
	struct report *r = report_of(h);

	r->kernel_known = true;
	if (uar < UAR_BITS)
		r->kernel_uars[uar / 64] |= 1ull << (uar % 64);
}

void report_forget_uars(struct hca *h)
{
	struct report *r = report_of(h);

	r->kernel_known = false;
	memset(r->kernel_uars, 0, UAR_BITS / 8);
}

/* --- counters --------------------------------------------------------------------------------- */

/*
 * The address of the literal is the hash key, so that a count needs no string comparison. Equal
 * names are merged on output.
 */
void count(struct hca *h, const char *name)
{
	struct report *r = report_of(h);
	u32 i = ((uintptr_t)name >> 2) * 2654435761u >> 23 & (COUNTERS - 1);
	u32 tries;

	for (tries = 0; tries < COUNTERS; tries++, i = (i + 1) & (COUNTERS - 1)) {
		struct counter *c = &r->counters[i];

		if (c->name == name || !c->name) {
			c->name = name;
			c->n++;
			return;
		}
	}
}

u64 report_counter(const struct hca *h, const char *name)
{
	struct report *r = report_of(h);
	u64 sum = 0;
	int i;

	for (i = 0; i < COUNTERS; i++)
		if (r->counters[i].name && !strcmp(r->counters[i].name, name))
			sum += r->counters[i].n;
	return sum;
}

u64 report_violations(const struct hca *h, enum hca_rule rule)
{
	return report_of(h)->violations[rule];
}

u64 report_user_faults(const struct hca *h, enum hca_rule rule)
{
	return report_of(h)->user_faults[rule];
}

/* --- waivers ---------------------------------------------------------------------------------- */

static int find_rule(const char *name)
{
	int i;

	for (i = 0; i < RULE_COUNT; i++)
		if (!strcmp(rules[i].name, name))
			return i;
	return -1;
}

int report_check_waive(const char *value, char *why)
{
	if (find_rule(value) >= 0)
		return 0;
	snprintf(why, OPT_WHY, "waive=%.80s: no such rule", value);
	return -1;
}

/* A waiver for a rule that does not exist is refused, so that an obsolete waiver is noticed. */
int report_load_waivers(const char *path, char *why)
{
	FILE *f = fopen(path, "r");
	char line[512];
	int ret = 0;

	if (!f) {
		snprintf(why, OPT_WHY, "%.120s: %s", path, strerror(errno));
		return -1;
	}
	while (!ret && fgets(line, sizeof(line), f)) {
		char *name = line + strspn(line, " \t");

		name[strcspn(name, " \t#\n")] = '\0';
		if (!*name)
			continue;
		ret = report_check_waive(name, why);
		if (!ret)
			file_waived[find_rule(name)] = 1;
	}
	fclose(f);
	return ret;
}

static void load_waive_option(struct hca *h, struct report *r)
{
	char *list = strdup(opt_str(h, "waive"));
	char *at = list, *name;

	while (list && (name = strsep(&at, ";")))
		if (*name && find_rule(name) >= 0)
			r->waived[find_rule(name)] = 1;
	free(list);
}

/* --- summary ---------------------------------------------------------------------------------- */

/* Adds the counters of the rules. @want_waived: 0 or 1 selects, -1 takes all. Returns their sum. */
static u64 add_rules(const struct report *r, cJSON *out, const char *name, const u64 *n,
		     int want_waived)
{
	cJSON *obj = cJSON_AddObjectToObject(out, name);
	u64 sum = 0;
	int i;

	for (i = 0; i < RULE_COUNT; i++) {
		bool waived = r->waived[i] || file_waived[i];

		if (!n[i] || (want_waived >= 0 && waived != want_waived))
			continue;
		cJSON_AddNumberToObject(obj, rules[i].name, n[i]);
		sum += n[i];
	}
	return sum;
}

/* Returns the number of violations that are not waived. */
static u64 add_stats(const struct hca *h, cJSON *out)
{
	struct report *r = report_of(h);
	cJSON *counters;
	u64 bad;
	int i;

	bad = add_rules(r, out, "violations", r->violations, 0);
	add_rules(r, out, "waived", r->violations, 1);
	add_rules(r, out, "user_faults", r->user_faults, -1);
	counters = cJSON_AddObjectToObject(out, "counters");
	for (i = 0; i < COUNTERS; i++) {
		const char *name = r->counters[i].name;

		if (name && !cJSON_HasObjectItem(counters, name))
			cJSON_AddNumberToObject(counters, name, report_counter(h, name));
	}
	return bad;
}

void report_stats(const struct hca *h, struct cJSON *out)
{
	add_stats(h, out);
}

/* Writes the last line of the report. If it is missing, the model did not exit by itself. */
bool report_summary(void)
{
	cJSON *line = cJSON_CreateObject();
	cJSON *sum = cJSON_AddObjectToObject(line, "summary");
	cJSON *all = cJSON_CreateArray();
	u64 bad = 0;
	int i;

	for (i = 0; i < hca_count(); i++) {
		cJSON *one = cJSON_CreateObject();

		cJSON_AddNumberToObject(one, "hca", i);
		bad += add_stats(hca_by_number(i), one);
		cJSON_AddItemToArray(all, one);
	}
	cJSON_AddNumberToObject(sum, "violations", bad);
	cJSON_AddNumberToObject(sum, "time", elapsed());
	cJSON_AddItemToObject(sum, "hcas", all);
	write_line(line);
	return bad;
}

void report_rules(FILE *out)
{
	int i;

	for (i = 0; i < RULE_COUNT; i++)
		fprintf(out, "%-24s %s\n%-24s   %s\n", rules[i].name, rules[i].text, "",
			rules[i].right);
}

/* --- start and end ---------------------------------------------------------------------------- */

static int open_file(const char *path, FILE **f)
{
	*f = fopen(path, "we");
	return *f ? 0 : -errno;
}

int report_open(const char *path)
{
	return open_file(path, &report_file);
}

int report_log_open(const char *path)
{
	return open_file(path, &log_file);
}

void report_close(void)
{
	if (report_file)
		fclose(report_file);
	if (log_file)
		fclose(log_file);
	report_file = log_file = NULL;
}

int report_new(struct hca *h)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->kernel_uars = calloc(1, UAR_BITS / 8);
	if (!r->kernel_uars) {
		free(r);
		return -ENOMEM;
	}
	if (!start_ns)
		start_ns = now_ns();
	r->limit = opt_ref(h, "report_limit");
	hca_set_part(h, PART_REPORT, r);
	load_waive_option(h, r);
	return 0;
}

void report_delete(struct hca *h)
{
	struct report *r = report_of(h);

	free(r->kernel_uars);
	free(r);
}
