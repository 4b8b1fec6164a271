// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The control socket. Each request and each reply is one line of JSON, and any number of clients
 * can connect. A request is {"cmd": VERB, "hca": N, ...}; a reply is {"ok": true, ...} or {"error":
 * TEXT}. A request with a field that the verb does not know is refused, so that a test with a
 * misspelt field does not continue as if the request had been executed.
 */
#define _GNU_SOURCE
#include "control.h"

#include "core/options.h"
#include "core/report.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/fault.h"
#include "device/keys.h"
#include "device/queues.h"
#include "fabric/port.h"
#include "qp/qp.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_LINE 65536
#define CONTROL_WHY 512

/*
 * A verb. @run returns 0, or -1 and an error in @why (OPT_WHY bytes) for the reply {"error": why}.
 */
struct control_verb {
	const char *name, *help;
	const char *fields; /* fields besides cmd, hca and after, separated by spaces */
	int (*run)(struct hca *h, const cJSON *request, cJSON *reply, char *why);
};

struct client {
	struct hca_fd f;
	struct client *next;
	size_t len;
	char line[MAX_LINE];
};

/* A request with the field "after", which runs later */
struct later {
	struct later *next;
	struct hca_timer timer;
	struct hca *h;
	const struct control_verb *verb;
	cJSON *request;
};

static struct later *pending;
static struct hca_fd listener = { .fd = -1 };
static struct client *clients;
static char *socket_path;

/* --- verbs ------------------------------------------------------------------------------------ */

/*
 * Returns whether @item is a whole number from 0 to @max. JSON numbers are floating point, which is
 * exact for all the values used here.
 */
static bool whole(const cJSON *item, double max)
{
	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= max &&
	       item->valuedouble == (double)(u64)item->valuedouble;
}

/* Reads an array of at most @room dwords. Returns their number, or -1. */
static int dwords_of(const cJSON *array, u32 *dwords, int room)
{
	const cJSON *item;
	int n = 0;

	if (!cJSON_IsArray(array))
		return -1;
	cJSON_ArrayForEach(item, array)
	{
		if (n == room || !whole(item, UINT32_MAX))
			return -1;
		dwords[n++] = item->valuedouble;
	}
	return n;
}

static const char *text_of(const cJSON *request, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, key);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static bool has_string(const cJSON *array, const char *string)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		if (!strcmp(item->valuestring, string))
			return true;
	}
	return false;
}

/* Keeps only the members of @reply that the array @only names. */
static int keep_only(const cJSON *only, cJSON *reply, char *why)
{
	cJSON *item, *next;
	const cJSON *name;

	cJSON_ArrayForEach(name, only)
	{
		const char *key = cJSON_IsString(name) ? name->valuestring : "";

		if (!cJSON_GetObjectItemCaseSensitive(reply, key)) {
			snprintf(why, OPT_WHY, "stats: only: the answer has no \"%.60s\"", key);
			return -1;
		}
	}
	for (item = reply->child; item; item = next) {
		next = item->next;
		if (!has_string(only, item->string))
			cJSON_Delete(cJSON_DetachItemViaPointer(reply, item));
	}
	return 0;
}

/*
 * Returns all counters. A client can leave out the long history, or all but a few members, because
 * a guest's serial port is slow.
 */
static int do_stats(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const cJSON *history = cJSON_GetObjectItemCaseSensitive(request, "history");
	const cJSON *only = cJSON_GetObjectItemCaseSensitive(request, "only");

	if (history && !cJSON_IsBool(history)) {
		snprintf(why, OPT_WHY, "stats: history is true or false");
		return -1;
	}
	if (only && !cJSON_IsArray(only)) {
		snprintf(why, OPT_WHY, "stats: only is an array of names");
		return -1;
	}
	report_stats(h, reply);
	cmd_stats(h, cJSON_AddObjectToObject(reply, "commands"), !cJSON_IsFalse(history));
	fault_stats(h, reply);
	cJSON_AddNumberToObject(reply, "dma_maps", dma_maps(h));
	cJSON_AddBoolToObject(reply, "connected", vfu_connected(h));
	cJSON_AddBoolToObject(reply, "dead", hca_dead(h));
	return only ? keep_only(only, reply, why) : 0;
}

/*
 * Returns the objects that hardware owns. The model does not know what software stores about them.
 */
static int do_objects(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	static const struct {
		const char *kind;
		void (*list)(struct hca *h, cJSON *out);
	} lists[] = {
		{ "eqs", eq_objects }, { "cqs", cq_objects },	{ "mpts", tpt_objects },
		{ "qps", qp_objects }, { "srqs", srq_objects }, { "ports", port_objects },
	};
	const char *kind = text_of(request, "kind");
	bool found = !kind;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (kind && strcmp(kind, lists[i].kind))
			continue;
		lists[i].list(h, reply);
		found = true;
	}
	if (found)
		return 0;
	snprintf(why, OPT_WHY, "kind=%.60s: expected eqs, cqs, mpts, qps, srqs or ports", kind);
	return -1;
}

/* {"cmd":"set","key":K,"value":V}; without "hca" it applies to all HCAs */
static int do_set(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(request, "value");
	bool one = cJSON_GetObjectItemCaseSensitive(request, "hca");
	const char *key = text_of(request, "key");
	char number[32];

	if (!key || !(cJSON_IsString(value) || whole(value, 0x1p53) || cJSON_IsBool(value))) {
		snprintf(why, OPT_WHY,
			 "set: needs key and value, a text, whole number, true or false");
		return -1;
	}
	if (cJSON_IsNumber(value))
		snprintf(number, sizeof(number), "%.0f", value->valuedouble);
	else
		snprintf(number, sizeof(number), "%d", cJSON_IsTrue(value));
	return opt_set(one ? hca_number(h) : OPT_ALL, key,
		       cJSON_IsString(value) ? value->valuestring : number, why);
}

static int do_get(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const char *key = text_of(request, "key");
	char text[1200];
	unsigned int i;

	if (!key && cJSON_GetObjectItemCaseSensitive(request, "key")) {
		snprintf(why, OPT_WHY, "get: key is a text");
		return -1;
	}
	if (key) {
		if (opt_print(h, key, text, sizeof(text)) < 0) {
			snprintf(why, OPT_WHY, "%.60s: no such option", key);
			return -1;
		}
		cJSON_AddStringToObject(reply, "value", text);
		return 0;
	}
	reply = cJSON_AddObjectToObject(reply, "options");
	for (i = 0; (key = opt_key(i)); i++)
		if (opt_print(h, key, text, sizeof(text)) >= 0)
			cJSON_AddStringToObject(reply, key, text);
	return 0;
}

/* Converts {"action":A,"on":..,...} to the grammar of fault.h. */
static int fault_spec(const cJSON *fault, char *spec, size_t room, char *why)
{
	const char *action = text_of(fault, "action");
	const cJSON *item;
	int n;

	if (!action) {
		snprintf(why, OPT_WHY, "fault: needs an action");
		return -1;
	}
	n = snprintf(spec, room, "%s", action);
	cJSON_ArrayForEach(item, fault)
	{
		if (!strcmp(item->string, "action"))
			continue;
		if (cJSON_IsString(item))
			n += snprintf(spec + n, room - n, ",%s=%s", item->string,
				      item->valuestring);
		else if (cJSON_IsNumber(item))
			n += snprintf(spec + n, room - n, ",%s=%.15g", item->string,
				      item->valuedouble);
		else
			n = room;
		if (n >= (int)room) {
			snprintf(why, OPT_WHY, "fault: %.60s: too long, or no text or number",
				 item->string);
			return -1;
		}
	}
	return 0;
}

/*
 * {"cmd":"fault","fault":"drop,on=cmd,..."} or {"cmd":"fault","fault":{"action":"drop",...}}; null
 * removes all faults
 */
static int do_fault(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const cJSON *fault = cJSON_GetObjectItemCaseSensitive(request, "fault");
	char spec[300];

	if (cJSON_IsNull(fault)) {
		fault_clear(h);
		return 0;
	}
	if (cJSON_IsString(fault))
		return fault_add(h, fault->valuestring, why);
	if (!cJSON_IsObject(fault)) {
		snprintf(why, OPT_WHY, "fault: expected a text, an object or null");
		return -1;
	}
	return fault_spec(fault, spec, sizeof(spec), why) ? -1 : fault_add(h, spec, why);
}

/* {"cmd":"catas","buffer":[dwords]}; without a buffer it is an internal error */
static int do_catas(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const cJSON *buffer = cJSON_GetObjectItemCaseSensitive(request, "buffer");
	u32 dwords[CATAS_DWORDS] = { 0 };

	if (buffer && dwords_of(buffer, dwords, CATAS_DWORDS) < 0) {
		snprintf(why, OPT_WHY, "catas: buffer is at most %d dwords", CATAS_DWORDS);
		return -1;
	}
	cmd_catastrophe(h, buffer ? dwords : NULL);
	return 0;
}

/*
 * Simulates a DDR data error: an ECC event (tavor-hw 10.3, type 0x0e), or with "fatal" a
 * catastrophic error of type 4 (tavor-hw 17.6).
 */
static int do_ddr_error(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	static const u32 catas[CATAS_DWORDS] = { 4u << 24 };
	static const u32 ecc[7] = { [4] = 1, [5] = 0x00100020 };
	const cJSON *fatal = cJSON_GetObjectItemCaseSensitive(request, "fatal");

	if (fatal && !cJSON_IsBool(fatal)) {
		snprintf(why, OPT_WHY, "ddr_error: fatal is true or false");
		return -1;
	}
	if (cJSON_IsTrue(fatal))
		cmd_catastrophe(h, catas);
	else
		eq_async(h, EV_ECC, 0, ecc);
	return 0;
}

/* Stops only the firmware. Queues continue to work, as on a card. */
static int do_hang(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	cmd_hang(h);
	return 0;
}

/* Closes the connection. QEMU then unplugs the function: the guest sees a card that was removed. */
static int do_remove(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	vfu_disconnect(h);
	return 0;
}

/* Resets the device as if the function had lost power. The client gets no message. */
static int do_reset(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	hca_reset(h);
	return 0;
}

/* Raises an interrupt without an event. Drivers must tolerate it. */
static int do_interrupt(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(request, "intr");

	if (!whole(n, 255)) {
		snprintf(why, OPT_WHY, "interrupt: needs intr, as in an EQ context");
		return -1;
	}
	pci_raise(h, n->valueint);
	return 0;
}

/* Reports an asynchronous event with the given data, dwords 0x04 to 0x18 of the EQE. */
static int do_event(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(request, "type");
	const cJSON *subtype = cJSON_GetObjectItemCaseSensitive(request, "subtype");
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(request, "data");
	u32 dwords[7] = { 0 };

	if (!whole(type, 0x14)) {
		snprintf(why, OPT_WHY, "event: needs type, 0 to 0x14");
		return -1;
	}
	if ((subtype && !whole(subtype, 255)) || (data && dwords_of(data, dwords, 6) < 0)) {
		snprintf(why, OPT_WHY, "event: subtype is a byte, data are at most 6 dwords");
		return -1;
	}
	eq_async(h, type->valueint, subtype ? subtype->valueint : 0, dwords);
	return 0;
}

static int do_help(struct hca *h, const cJSON *request, cJSON *reply, char *why);

static const struct control_verb verbs[] = {
	{ "stats",
	  "counters, violations, commands, faults; short with \"history\" false, or \"only\" some",
	  "history only", do_stats },
	{ "objects",
	  "EQs, CQs, QPs, SRQs and memory keys the hardware owns, and ports; or of one \"kind\"",
	  "kind", do_objects },
	{ "get", "options, or one with \"key\"", "key", do_get },
	{ "set", "changes a live option: \"key\", \"value\"", "key value", do_set },
	{ "fault", "adds the fault in \"fault\"; null clears all", "fault", do_fault },
	{ "catas", "catastrophic error, with the dwords of \"buffer\"", "buffer", do_catas },
	{ "ddr_error", "ECC event, or a catastrophe if \"fatal\"", "fatal", do_ddr_error },
	{ "event", "an asynchronous event: \"type\", \"subtype\", \"data\"", "type subtype data",
	  do_event },
	{ "interrupt", "raises the interrupt \"intr\"", "intr", do_interrupt },
	{ "hang", "the firmware stops until reset", "", do_hang },
	{ "remove", "surprise removal: the client is cut off", "", do_remove },
	{ "reset", "resets the function", "", do_reset },
	{ "help", "this list", "", do_help },
	{ 0 }
};

static int do_help(struct hca *h, const cJSON *request, cJSON *reply, char *why)
{
	const struct control_verb *v;

	for (v = verbs; v->name; v++)
		cJSON_AddStringToObject(reply, v->name, v->help);
	return 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

static const struct control_verb *find_verb(const char *name)
{
	const struct control_verb *v;

	for (v = verbs; name && v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static bool has_word(const char *words, const char *word)
{
	const char *at = words;
	size_t n = strlen(word);

	while (n && !strchr(word, ' ') && (at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
		at += n;
	}
	return false;
}

/* Returns 0 if the verb knows all fields of the request. */
static int check_fields(const cJSON *request, const struct control_verb *v, char *why)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, request)
	{
		if (has_word("cmd hca after", item->string) || has_word(v->fields, item->string))
			continue;
		snprintf(why, OPT_WHY, "%s: unknown field %.60s", v->name, item->string);
		return -1;
	}
	return 0;
}

static struct hca *hca_named(const cJSON *request, char *why)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(request, "hca");
	struct hca *h = !n || whole(n, INT32_MAX) ? hca_by_number(n ? n->valueint : 0) : NULL;

	if (!h)
		snprintf(why, OPT_WHY, "hca: there are HCAs 0 to %d", hca_count() - 1);
	return h;
}

static void forget_later(struct later *l)
{
	struct later **at;

	for (at = &pending; *at != l; at = &(*at)->next)
		;
	*at = l->next;
	timer_cancel(&l->timer);
	cJSON_Delete(l->request);
	free(l);
}

static void on_due(struct hca_timer *t)
{
	struct later *l = (struct later *)((char *)t - offsetof(struct later, timer));
	cJSON *reply = cJSON_CreateObject();
	char why[OPT_WHY];

	if (l->verb->run(l->h, l->request, reply, why))
		hca_log(l->h, "control: %s", why);
	cJSON_Delete(reply);
	forget_later(l);
}

/* The request is checked as far as possible now. An error of its later execution is logged. */
static int postpone(struct hca *h, const struct control_verb *v, const cJSON *request, char *why)
{
	const cJSON *after = cJSON_GetObjectItemCaseSensitive(request, "after");
	struct later *l;
	u64 ns;

	if (!cJSON_IsString(after) || !opt_number(after->valuestring, &ns)) {
		snprintf(why, OPT_WHY, "after: expected a time as a text, like \"5s\"");
		return -1;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		snprintf(why, OPT_WHY, "after: out of memory");
		return -1;
	}
	l->h = h;
	l->verb = v;
	l->request = cJSON_Duplicate(request, true);
	l->next = pending;
	pending = l;
	timer_setup(&l->timer, on_due);
	timer_arm(&l->timer, ns);
	return 0;
}

static int run(const cJSON *request, cJSON *reply, char *why)
{
	const char *name = text_of(request, "cmd");
	const struct control_verb *v = find_verb(name);
	struct hca *h;

	if (!v) {
		snprintf(why, OPT_WHY, "unknown cmd %.60s; try help", name ? name : "(none)");
		return -1;
	}
	h = hca_named(request, why);
	if (!h || check_fields(request, v, why))
		return -1;
	if (cJSON_GetObjectItemCaseSensitive(request, "after"))
		return postpone(h, v, request, why);
	return v->run(h, request, reply, why);
}

/* Runs the request on one line. Nothing may follow the JSON object. */
static int run_line(const char *line, cJSON *reply, char *why)
{
	cJSON *request = cJSON_ParseWithOpts(line, NULL, true);
	int ret = -1;

	if (cJSON_IsObject(request))
		ret = run(request, reply, why);
	else
		snprintf(why, OPT_WHY, "not a JSON object");
	cJSON_Delete(request);
	return ret;
}

/* Sends one line of reply for each line, also for an invalid one. */
static void answer(int fd, const char *line)
{
	cJSON *reply = cJSON_CreateObject();
	char why[OPT_WHY];
	char *text;

	if (!run_line(line, reply, why)) {
		cJSON_AddTrueToObject(reply, "ok");
	} else {
		cJSON_Delete(reply);
		reply = cJSON_CreateObject();
		cJSON_AddStringToObject(reply, "error", why);
	}
	text = cJSON_PrintUnformatted(reply);
	if (text) {
		size_t len = strlen(text), done = 0;
		ssize_t n;

		text[len++] = '\n'; /* takes the place of the NUL */
		while (done < len && (n = send(fd, text + done, len - done, MSG_NOSIGNAL)) > 0)
			done += n;
	}
	free(text);
	cJSON_Delete(reply);
}

int control_load(const char *path, char *why)
{
	FILE *f = fopen(path, "r");
	char *line = NULL, reason[OPT_WHY];
	size_t room = 0;
	int n = 0, ret = 0;

	if (!f) {
		snprintf(why, CONTROL_WHY, "%s: %s", path, strerror(errno));
		return -1;
	}
	while (!ret && getline(&line, &room, f) >= 0) {
		cJSON *reply = cJSON_CreateObject();
		char *at = line + strspn(line, " \t\r\n");

		n++;
		if (*at && *at != '#')
			ret = run_line(at, reply, reason);
		cJSON_Delete(reply);
	}
	if (ret)
		snprintf(why, CONTROL_WHY, "%.200s:%d: %s", path, n, reason);
	free(line);
	fclose(f);
	return ret;
}

static void drop(struct client *c)
{
	struct client **at;

	for (at = &clients; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	loop_remove(&c->f);
	close(c->f.fd);
	free(c);
}

/* One read can return part of a line, or several lines. */
static void on_client(struct hca_fd *f, u32 events)
{
	struct client *c = (struct client *)((char *)f - offsetof(struct client, f));
	ssize_t n = recv(f->fd, c->line + c->len, MAX_LINE - 1 - c->len, MSG_DONTWAIT);
	char *end;

	if (n <= 0) {
		if (!n || (errno != EAGAIN && errno != EINTR))
			drop(c);
		return;
	}
	c->len += n;
	c->line[c->len] = '\0';
	while ((end = memchr(c->line, '\n', c->len))) {
		*end = '\0';
		answer(f->fd, c->line);
		c->len -= end + 1 - c->line;
		memmove(c->line, end + 1, c->len + 1);
	}
	/* a line without an end is not a request */
	if (c->len == MAX_LINE - 1)
		drop(c);
}

static void on_listen(struct hca_fd *f, u32 events)
{
	int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);
	/* a client that does not read its replies must not block the model for long */
	struct timeval patience = { .tv_sec = 1 };
	struct client *c;

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	c->f = (struct hca_fd){ fd, on_client };
	c->next = clients;
	clients = c;
	loop_add(&c->f, EPOLLIN);
}

int control_listen(const char *path)
{
	listener.fn = on_listen;
	socket_path = strdup(path);
	return loop_listen(&listener, path, 8);
}

void control_close(void)
{
	while (pending)
		forget_later(pending);
	while (clients)
		drop(clients);
	if (listener.fd >= 0) {
		loop_remove(&listener);
		close(listener.fd);
		unlink(socket_path);
		free(socket_path);
		listener.fd = -1;
	}
}
