// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The program as a process: it prints "ready", exits on a signal, returns the result of the run in
 * its status and its report, and leaves no files. TAVOR_HCA is its path.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/tavor-process-XXXXXX";
static pid_t pid;

static const char *in_folder(const char *name)
{
	static char paths[8][128];
	static int n;
	char *path = paths[n++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* Waits for "ready", for a time that is long enough on any machine. */
static bool says_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[64] = "";

	return poll(&p, 1, 20000) == 1 && read(fd, text, sizeof(text) - 1) > 0 &&
	       !strcmp(text, "ready\n");
}

/* Starts the model with all its files in the folder, and with these further arguments. */
static bool start(const char *more, const char *value)
{
	int out[2];
	bool ready;

	if (pipe(out))
		return false;
	pid = fork();
	if (!pid) {
		dup2(out[1], 1);
		execl(getenv("TAVOR_HCA"), "tavor-hca", "--socket", in_folder("hca"), "--control",
		      in_folder("control"), "--report", in_folder("report"), "--log",
		      in_folder("log"), "--pcap", in_folder("pcap"), more, value, NULL);
		_exit(127);
	}
	close(out[1]);
	ready = says_ready(out[0]);
	close(out[0]);
	return ready;
}

static int ends_with(int sig)
{
	int status = -1;

	kill(pid, sig);
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool gone(const char *name)
{
	struct stat st;

	return stat(in_folder(name), &st) && errno == ENOENT;
}

static bool last_line_has(const char *name, const char *text)
{
	static char line[65536], last[65536];
	FILE *f = fopen(in_folder(name), "r");

	last[0] = '\0';
	while (f && fgets(line, sizeof(line), f))
		strcpy(last, line);
	if (f)
		fclose(f);
	return strstr(last, text);
}

static int dial(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", in_folder(name));
	CHECK_EQ(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static bool skipped(void)
{
	if (getenv("TAVOR_HCA"))
		return false;
	tap_skip = "TAVOR_HCA does not name the binary";
	return true;
}

/* Sends a vfio-user request, command and payload, and waits for its reply. */
static void request(int fd, uint16_t command, const void *payload, uint32_t len)
{
	uint32_t head[4] = { (uint32_t)command << 16, 16 + len, 0, 0 };
	char reply[4096];

	CHECK_EQ(write(fd, head, 16), 16);
	CHECK_EQ(write(fd, payload, len), len);
	CHECK(read(fd, reply, sizeof(reply)) >= 16);
}

static void ends_when_told(void)
{
	char answer[4096] = "";
	int fd;

	if (skipped())
		return;
	CHECK(start("--set", "engines=3"));
	fd = dial("control");
	CHECK_EQ(write(fd, "{\"cmd\":\"get\",\"key\":\"engines\"}\n", 30), 30);
	CHECK(read(fd, answer, sizeof(answer) - 1) > 0);
	CHECK(strstr(answer, "\"3\""));
	close(fd);
	CHECK_EQ(ends_with(SIGTERM), 0);
	CHECK(last_line_has("report", "\"summary\""));
	CHECK(gone("hca") && gone("control"));
}

static int client(void)
{
	static const char version[] = "\0\0\1\0{}";
	int fd = dial("hca");

	request(fd, 1, version, sizeof(version));
	return fd;
}

static void ends_with_a_client(void)
{
	int fd;

	if (skipped())
		return;
	CHECK(start("--set", "profile=real"));
	fd = client();
	CHECK_EQ(ends_with(SIGINT), 0);
	close(fd);
	CHECK(last_line_has("report", "\"violations\":0"));
}

/* Writes to BAR0 while memory space is disabled. */
static void misbehave(void)
{
	const uint32_t write_bar0[5] = { 0x80680, 0, 0, 4, 1 };
	int fd = client();

	request(fd, 10, write_bar0, sizeof(write_bar0));
	close(fd);
}

static void violations_are_in_its_status(void)
{
	if (skipped())
		return;
	CHECK(start("--set", "priority=normal"));
	misbehave();
	CHECK_EQ(ends_with(SIGTERM), 3);
	CHECK(last_line_has("report", "\"pci-memory\":1"));
	/* the status is good if the rule is waived */
	CHECK(start("--set", "waive=pci-memory"));
	misbehave();
	CHECK_EQ(ends_with(SIGTERM), 0);
	CHECK(last_line_has("report", "\"waived\":{\"pci-memory\":1}"));
}

static const char *file_with(const char *name, const char *text)
{
	const char *path = in_folder(name);
	FILE *f = fopen(path, "w");

	CHECK(f);
	if (f) {
		fputs(text, f);
		fclose(f);
	}
	return path;
}

/*
 * Waivers and options are also read from files with comments. The model does not start if a line is
 * invalid.
 */
static void files_are_read(void)
{
	char option[160];

	if (skipped())
		return;
	file_with("waivers", "# what a driver does\n\n pci-memory  # and why\n");
	snprintf(option, sizeof(option), "waivers=%s\n  engines = 3\n", in_folder("waivers"));
	file_with("options", option);
	CHECK(!start("--load", in_folder("options"))); /* no spaces around '=' */
	CHECK_EQ(ends_with(SIGTERM), 2);
	snprintf(option, sizeof(option), "waivers=%s # ours\n\nengines=3\n", in_folder("waivers"));
	file_with("options", option);
	CHECK(start("--load", in_folder("options")));
	misbehave();
	CHECK_EQ(ends_with(SIGTERM), 0);
	CHECK(last_line_has("report", "\"waived\":{\"pci-memory\":1}"));
	file_with("waivers", "no-such-rule\n");
	CHECK(!start("--load", in_folder("options")));
	CHECK_EQ(ends_with(SIGTERM), 2);
}

static void takes_over_a_socket_left_behind(void)
{
	if (skipped())
		return;
	CHECK(start("--set", "seed=1"));
	ends_with(SIGKILL);
	CHECK(!gone("hca"));
	CHECK(start("--set", "seed=1"));
	CHECK_EQ(ends_with(SIGTERM), 0);
	CHECK(gone("hca"));
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(ends_when_told),
		TAP(ends_with_a_client),
		TAP(violations_are_in_its_status),
		TAP(files_are_read),
		TAP(takes_over_a_socket_left_behind),
	};
	static const char *const files[] = { "hca",  "control", "report", "log",
					     "pcap", "options", "waivers" };
	size_t i;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		return 1;
	ret = tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(in_folder(files[i]));
	rmdir(folder);
	return ret;
}
