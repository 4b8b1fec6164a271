// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The control socket: each verb, and the errors for invalid requests. */
#include "tap.h"
#include "traffic.h"

#include "control.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char path[64];
static int sock = -1;

static void dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (sock >= 0)
		close(sock);
	strcpy(addr.sun_path, path);
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	tc_settle();
}

static char answer_text[1 << 20];

static cJSON *ask(const char *line)
{
	size_t len = 0;
	u64 end = now_ns() + 5000000000ull;

	if (send(sock, line, strlen(line), MSG_NOSIGNAL) < 0 ||
	    send(sock, "\n", 1, MSG_NOSIGNAL) < 0)
		return NULL;
	while (now_ns() < end && (!len || answer_text[len - 1] != '\n')) {
		ssize_t n;

		loop_turn(false);
		n = recv(sock, answer_text + len, sizeof(answer_text) - 1 - len, MSG_DONTWAIT);
		if (n == 0)
			return NULL;
		len += n > 0 ? n : 0;
	}
	answer_text[len] = '\0';
	return cJSON_Parse(answer_text);
}

static bool ok(const char *line)
{
	cJSON *reply = ask(line);
	bool good = cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"));

	if (!good)
		printf("# %s: %s", line, answer_text);
	cJSON_Delete(reply);
	return good;
}

static bool error(const char *line, const char *text)
{
	cJSON *reply = ask(line), *e = cJSON_GetObjectItem(reply, "error");
	bool good = cJSON_IsString(e) && strstr(e->valuestring, text);

	if (!good)
		printf("# %s: %s", line, answer_text);
	cJSON_Delete(reply);
	return good;
}

static double number(const char *line, const char *object, const char *key)
{
	cJSON *reply = ask(line), *at = object ? cJSON_GetObjectItem(reply, object) : reply;
	cJSON *n = cJSON_GetObjectItemCaseSensitive(at, key);
	double v = cJSON_IsNumber(n) ? n->valuedouble : -1;

	cJSON_Delete(reply);
	return v;
}

static int array_size(const char *line, const char *key)
{
	cJSON *reply = ask(line);
	int n = cJSON_GetArraySize(cJSON_GetObjectItem(reply, key));

	cJSON_Delete(reply);
	return n;
}

static void nonsense_gets_an_error(void)
{
	dial();
	CHECK(error("hello", "not a JSON object"));
	CHECK(error("[]", "not a JSON object"));
	CHECK(error("{}", "unknown cmd"));
	CHECK(error("{\"cmd\":\"dance\"}", "dance"));
	CHECK(error("{\"cmd\":\"stats\",\"hca\":99}", "HCAs 0 to"));
	CHECK(error("{\"cmd\":\"stats\",\"hca\":\"0\"}", "hca"));
	CHECK(error("{\"cmd\":\"stats\",\"hca\":0.5}", "hca"));
	CHECK(error("{\"cmd\":\"stats\",\"verbose\":1}", "verbose"));
	CHECK(error("{\"cmd\":\"stats\"} and more", "not a JSON object"));
	CHECK(error("{\"cmd\":\"set\"}", "needs key"));
	CHECK(error("{\"cmd\":\"set\",\"key\":\"nothing\",\"value\":1}", "nothing"));
	CHECK(error("{\"cmd\":\"get\",\"key\":\"nothing\"}", "nothing"));
	CHECK(error("{\"cmd\":\"fault\",\"fault\":7}", "expected"));
	CHECK(error("{\"cmd\":\"fault\",\"fault\":{\"on\":\"cmd\"}}", "action"));
	CHECK(error("{\"cmd\":\"fault\",\"fault\":\"explode\"}", "explode"));
	CHECK(error("{\"cmd\":\"fault\",\"fault\":{\"action\":\"drop\",\"count\":true}}", "count"));
	CHECK(error("{\"cmd\":\"set\",\"key\":\"engines\",\"value\":1.5}", "whole number"));
	CHECK(error("{\"cmd\":\"set\",\"key\":\"engines\",\"value\":[2]}", "needs key"));
	CHECK(error("{\"cmd\":\"get\",\"key\":3}", "key"));
	CHECK(error("{\"cmd\":\"event\",\"type\":99}", "type"));
	CHECK(error("{\"cmd\":\"event\",\"type\":2.5}", "type"));
	CHECK(error("{\"cmd\":\"event\",\"type\":2,\"data\":[1,\"x\"]}", "data"));
	CHECK(error("{\"cmd\":\"event\",\"type\":2,\"data\":[0,1,2,3,4,5,6]}", "data"));
	CHECK(error("{\"cmd\":\"event\",\"type\":2,\"subtype\":256}", "subtype"));
	CHECK(error("{\"cmd\":\"ddr_error\",\"fatal\":1}", "fatal"));
	CHECK(error("{\"cmd\":\"hang\",\"after\":5}", "after"));
	CHECK(error("{\"cmd\":\"hang\",\"after\":\"soon\"}", "after"));
	CHECK(error("{\"cmd\":\"interrupt\"}", "intr"));
	CHECK(error("{\"cmd\":\"catas\",\"buffer\":[\"x\"]}", "dwords"));
}

static void help_names_every_verb(void)
{
	dial();
	CHECK(ok("{\"cmd\":\"help\"}"));
	CHECK(strstr(answer_text, "\"stats\""));
	CHECK(strstr(answer_text, "\"fault\""));
}

static void stats_count_commands(void)
{
	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"stats\"}"));
	CHECK(strstr(answer_text, "\"SW2HW_EQ\":"));
	CHECK(strstr(answer_text, "\"history\""));
	CHECK(ok("{\"cmd\":\"stats\",\"history\":false}"));
	CHECK(strstr(answer_text, "\"SW2HW_EQ\":") && !strstr(answer_text, "\"history\""));
	CHECK(error("{\"cmd\":\"stats\",\"history\":0}", "history"));
}

static void stats_of_a_few_names(void)
{
	cJSON *reply;

	tc_fresh();
	tc_up();
	dial();
	reply = ask("{\"cmd\":\"stats\",\"only\":[\"waived\",\"violations\"]}");
	CHECK(cJSON_GetObjectItem(reply, "waived") && cJSON_GetObjectItem(reply, "violations"));
	CHECK(cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok")));
	CHECK_EQ(cJSON_GetArraySize(reply), 3);
	cJSON_Delete(reply);
	CHECK(ok("{\"cmd\":\"stats\",\"only\":[]}"));
	CHECK(!strcmp(answer_text, "{\"ok\":true}\n"));
	CHECK(error("{\"cmd\":\"stats\",\"only\":[\"Violations\"]}", "\"Violations\""));
	CHECK(error("{\"cmd\":\"stats\",\"only\":[1]}", "only"));
	CHECK(error("{\"cmd\":\"stats\",\"only\":\"waived\"}", "only"));
}

static void objects_are_listed(void)
{
	tc_fresh();
	tc_up();
	tc_cq(0x81, 4);
	dial();
	CHECK_EQ(array_size("{\"cmd\":\"objects\"}", "eqs"), 3);
	CHECK_EQ(array_size("{\"cmd\":\"objects\"}", "cqs"), 1);
	CHECK_EQ(array_size("{\"cmd\":\"objects\"}", "mpts"), 1);
}

static const cJSON *first_of(const cJSON *reply, const char *list)
{
	return cJSON_GetArrayItem(cJSON_GetObjectItem(reply, list), 0);
}

static bool says(const cJSON *object, const char *name, const char *text)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(item) && !strcmp(item->valuestring, text);
}

static int value_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? item->valueint : -1;
}

/* The output contains a queue pair with work, its SRQ, and the ports, while the model runs. */
static void queue_pairs_can_be_watched(void)
{
	struct tt_qp q = {
		.qpn = 1030, .service = SVC_RC, .uar = TC_UAR, .cq_log = 6, .srqn = 0x14
	};
	cJSON *reply;

	tc_fresh();
	tc_up();
	memset(tc_in(), 0, 0x20);
	put32(tc_in() + 4, 4);
	put32(tc_in() + 8, TC_PD);
	put32(tc_in() + 12, TC_KEY);
	put32(tc_in() + 16, TC_UAR);
	CHECK_EQ(tc_cmd_in(0x35, 0, 0x14), 0);
	tt_make(&q);
	tt_connect(&q, 1031);
	dial();
	reply = ask("{\"cmd\":\"objects\"}");
	CHECK_EQ(value_of(first_of(reply, "qps"), "qpn"), 1030);
	CHECK(says(first_of(reply, "qps"), "state", "RTS"));
	CHECK(says(first_of(reply, "qps"), "service", "RC"));
	CHECK_EQ(value_of(first_of(reply, "qps"), "srqn"), 0x14);
	CHECK_EQ(value_of(first_of(reply, "srqs"), "qps"), 1);
	CHECK_EQ(value_of(first_of(reply, "cqs"), "cqn"), q.cqn);
	CHECK_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(reply, "ports")), 2);
	cJSON_Delete(reply);
}

/*
 * The output contains the token and age of each outstanding command, and the history their number.
 */
static void outstanding_commands_can_be_watched(void)
{
	const cJSON *commands, *one;
	cJSON *reply;

	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"set\",\"key\":\"latency_op\",\"value\":\"NOP=10s\"}"));
	tc_post(0x31, 0, 0x1f, 0, 0, 0x1234);
	reply = ask("{\"cmd\":\"stats\"}");
	commands = cJSON_GetObjectItem(reply, "commands");
	one = first_of(commands, "outstanding");
	CHECK(says(one, "command", "NOP") && says(one, "state", "running"));
	CHECK_EQ(value_of(one, "token"), 0x1234);
	CHECK_EQ(value_of(one, "in_modifier"), 0x1f);
	CHECK(value_of(one, "age_us") >= 0);
	CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(commands, "history")) > 1);
	CHECK(value_of(commands, "deepest") >= 1);
	cJSON_Delete(reply);
	/* other commands are not delayed */
	CHECK_EQ(tc_cmd_out(0x04, 0, 0), 0);
	CHECK(ok("{\"cmd\":\"set\",\"key\":\"profile\",\"value\":\"fast\"}"));
}

static void live_options_change(void)
{
	dial();
	CHECK(ok("{\"cmd\":\"set\",\"key\":\"engines\",\"value\":2}"));
	CHECK(ok("{\"cmd\":\"get\",\"key\":\"engines\"}"));
	CHECK(strstr(answer_text, "\"2\""));
	CHECK(ok("{\"cmd\":\"set\",\"key\":\"latency\",\"value\":\"exp:5us\"}"));
	CHECK(ok("{\"cmd\":\"set\",\"key\":\"profile\",\"value\":\"fast\"}"));
	CHECK(ok("{\"cmd\":\"get\"}"));
}

static void faults_by_text_and_by_object(void)
{
	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"fault\",\"fault\":\"drop,on=cmd,op=NOP,count=1\"}"));
	tc_post(0x31, 0, 0x1f, 0, 0, 1);
	CHECK(!tc_eqe(TC_EQ_CMD));
	CHECK(ok("{\"cmd\":\"fault\",\"fault\":{\"action\":\"status\",\"op\":\"NOP\","
		 "\"status\":8,\"count\":1}}"));
	tc_post(0x31, 0, 0x1f, 0, 0, 2);
	CHECK(tc_eqe(TC_EQ_CMD));
	CHECK_EQ(array_size("{\"cmd\":\"stats\"}", "faults"), 2);
	CHECK(ok("{\"cmd\":\"fault\",\"fault\":null}"));
	CHECK_EQ(array_size("{\"cmd\":\"stats\"}", "faults"), 0);
}

static void events_and_interrupts_on_request(void)
{
	const u8 *e;

	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"event\",\"type\":9,\"subtype\":4,\"data\":[0,0,268435456]}"));
	e = tc_eqe(TC_EQ_ASYNC);
	CHECK(e && e[1] == 9 && e[3] == 4 && get32(e + 0xc) == 1 << 28);
	CHECK(ok("{\"cmd\":\"ddr_error\"}"));
	e = tc_eqe(TC_EQ_ASYNC);
	CHECK(e && e[1] == 0x0e);
	CHECK(e && get32(e + 0x14) == 1 && get32(e + 0x18) == 0x00100020);
	tc_irq_taken(VFIO_PCI_MSIX_IRQ_INDEX, 5);
	CHECK(ok("{\"cmd\":\"interrupt\",\"intr\":133}"));
	CHECK_EQ(tc_irq_taken(VFIO_PCI_MSIX_IRQ_INDEX, 5), 1);
}

/* Also reports events that the model itself never causes, because a driver must handle them. */
static void every_event_on_request(void)
{
	char line[120];
	const u8 *e;
	u8 type;

	tc_fresh();
	tc_up();
	dial();
	CHECK_EQ(tc_cmd(0x12, 0, TC_EQ_ASYNC, 0x1ffbfe, 0, NULL), 0);
	for (type = 1; type <= 0x14; type++) {
		if (type == 0x0a) /* command completions have an EQ of their own */
			continue;
		snprintf(line, sizeof(line),
			 "{\"cmd\":\"event\",\"type\":%u,\"subtype\":%u,"
			 "\"data\":[%u,2,3,4,5,4294967295]}",
			 type, type + 1, 0x400 + type);
		CHECK(ok(line));
		e = tc_eqe(TC_EQ_ASYNC);
		CHECK(e && e[1] == type && e[3] == type + 1);
		CHECK(e && get32(e + 4) == 0x400u + type && get32(e + 0x18) == 0xffffffff);
	}
	CHECK(error("{\"cmd\":\"event\",\"type\":21}", "type"));
	CHECK_EQ(tc_any_violation(), 0);
}

static void catastrophe_with_a_buffer(void)
{
	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"catas\",\"buffer\":[50331648,7,8]}"));
	CHECK_EQ(tc_reg(CATAS_OFFSET), 3u << 24);
	CHECK_EQ(tc_reg(CATAS_OFFSET + 8), 8);
	CHECK(ok("{\"cmd\":\"reset\"}"));
	tc_enable();
	CHECK_EQ(tc_reg(CATAS_OFFSET), 0);
}

static void broken_memory(void)
{
	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"ddr_error\",\"fatal\":true}"));
	CHECK_EQ(tc_reg(CATAS_OFFSET), 4u << 24);
	CHECK(hca_dead(tc_hca()));
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	CHECK(ok("{\"cmd\":\"reset\"}"));
	tc_enable();
	CHECK(!hca_dead(tc_hca()));
}

static void hang_and_remove(void)
{
	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"hang\"}"));
	CHECK(ok("{\"cmd\":\"remove\"}"));
	CHECK_EQ(tc_call(13, NULL, 0, NULL, 0, NULL, 0), (unsigned long long)-ECONNRESET);
	CHECK_EQ(number("{\"cmd\":\"stats\"}", NULL, "dma_maps"), 0);
	tc_fresh();
}

static void requests_may_wait(void)
{
	tc_fresh();
	tc_up();
	dial();
	CHECK(ok("{\"cmd\":\"catas\",\"after\":\"3600s\"}"));
	CHECK_EQ(tc_reg(CATAS_OFFSET + 4), 0);
	CHECK(ok("{\"cmd\":\"catas\",\"buffer\":[1,2],\"after\":\"1ms\"}"));
	TC_UNTIL(tc_reg(CATAS_OFFSET + 4));
	CHECK_EQ(tc_reg(CATAS_OFFSET + 4), 2);
	CHECK(hca_dead(tc_hca()));
	CHECK(ok("{\"cmd\":\"reset\"}"));
	tc_enable();
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	CHECK(f);
	fputs(text, f);
	fclose(f);
}

/* Reads the same requests from a file. An invalid line is named, and the model does not start. */
static void requests_from_a_file(void)
{
	char name[80], why[512];

	snprintf(name, sizeof(name), "%s.requests", path);
	write_file(name, "# at the start\n\n"
			 "{\"cmd\":\"set\",\"key\":\"engines\",\"value\":7}\n"
			 "  {\"cmd\":\"fault\",\"fault\":\"drop,op=NOP\"}\n");
	CHECK_EQ(control_load(name, why), 0);
	dial();
	CHECK(ok("{\"cmd\":\"get\",\"key\":\"engines\"}"));
	CHECK(strstr(answer_text, "\"7\""));
	CHECK_EQ(array_size("{\"cmd\":\"stats\"}", "faults"), 1);
	CHECK(ok("{\"cmd\":\"fault\",\"fault\":null}"));
	CHECK(ok("{\"cmd\":\"set\",\"key\":\"profile\",\"value\":\"fast\"}"));
	write_file(name, "{\"cmd\":\"help\"}\n\n{\"cmd\":\"dance\"}\n");
	CHECK(control_load(name, why) < 0);
	CHECK(strstr(why, ":3: ") && strstr(why, "dance"));
	unlink(name);
	CHECK(control_load(name, why) < 0);
	CHECK(strstr(why, name));
}

static void lines_in_pieces_and_together(void)
{
	static const char two[] =
		"{\"cmd\":\"get\",\"key\":\"seed\"}\n{\"cmd\":\"get\",\"key\":\"seed\"}\n";
	char reply[1000];
	size_t i;

	dial();
	for (i = 0; i < sizeof(two) - 1; i++) {
		CHECK_EQ(send(sock, two + i, 1, MSG_NOSIGNAL), 1);
		if (i % 9 == 0)
			tc_settle();
	}
	tc_settle();
	i = recv(sock, reply, sizeof(reply) - 1, MSG_DONTWAIT);
	reply[i] = '\0';
	CHECK(strchr(reply, '\n') && strchr(strchr(reply, '\n') + 1, '\n'));
}

static void endless_line_is_cut_off(void)
{
	static char junk[70000];
	char byte;
	int i;

	dial();
	memset(junk, 'x', sizeof(junk));
	for (i = 0; i < 10; i++) {
		if (send(sock, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN)
			break;
		tc_settle();
	}
	TC_UNTIL(recv(sock, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	CHECK(recv(sock, &byte, 1, MSG_DONTWAIT) <= 0);
	dial();
	CHECK(ok("{\"cmd\":\"help\"}"));
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(nonsense_gets_an_error),
		TAP(help_names_every_verb),
		TAP(stats_count_commands),
		TAP(stats_of_a_few_names),
		TAP(objects_are_listed),
		TAP(queue_pairs_can_be_watched),
		TAP(outstanding_commands_can_be_watched),
		TAP(live_options_change),
		TAP(faults_by_text_and_by_object),
		TAP(events_and_interrupts_on_request),
		TAP(every_event_on_request),
		TAP(catastrophe_with_a_buffer),
		TAP(broken_memory),
		TAP(hang_and_remove),
		TAP(requests_may_wait),
		TAP(requests_from_a_file),
		TAP(lines_in_pieces_and_together),
		TAP(endless_line_is_cut_off),
	};
	int ret;

	tc_start("");
	snprintf(path, sizeof(path), "/tmp/tavor-control-%d", (int)getpid());
	if (control_listen(path))
		return 1;
	ret = tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
	control_close();
	return ret;
}
