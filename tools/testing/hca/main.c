// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* tavor-hca: the command line, and the life of the process. */
#define _GNU_SOURCE
#include "core/options.h"
#include "core/report.h"
#include "device/device.h"
#include "fabric/port.h"
#include "fabric/wire.h"
#include "control.h"
#include "model.h"

#include <argp.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define MAX_SOCKETS 16

static struct {
	const char *sockets[MAX_SOCKETS];
	int n_sockets;
	const char *report, *pcap, *control, *log;
	bool check;
} args;

enum {
	ARG_SET = 256,
	ARG_REPORT,
	ARG_PCAP,
	ARG_CONTROL,
	ARG_LOG,
	ARG_CHECK,
	ARG_LIST,
	ARG_RULES,
	ARG_LOAD,
	ARG_SOCKET
};

static const struct argp_option arg_options[] = {
	{ "socket", ARG_SOCKET, "PATH", 0, "serve one HCA here; repeat for more (HCA 0, 1, ...)",
	  0 },
	{ "set", ARG_SET, "[N:]KEY=VALUE", 0, "model option, for all HCAs or for HCA N", 0 },
	{ "load", ARG_LOAD, "FILE", 0, "model options from a file, one a line", 0 },
	{ "report", ARG_REPORT, "FILE", 0, "violations and the summary, one JSON object a line",
	  0 },
	{ "pcap", ARG_PCAP, "FILE", 0, "capture of the wire", 0 },
	{ "control", ARG_CONTROL, "PATH", 0, "control socket, one JSON object a line", 0 },
	{ "log", ARG_LOG, "FILE", 0, "log file (default: standard error)", 0 },
	{ "check", ARG_CHECK, NULL, 0, "check the options and exit", 0 },
	{ "list", ARG_LIST, NULL, 0, "list the model options and exit", 0 },
	{ "rules", ARG_RULES, NULL, 0, "list the rules and exit", 0 },
	{ 0 }
};

/*
 * Prints one line and exits with status 2, which the test bench treats as its own mistake and not
 * as a failed run.
 */
static void refuse(const char *why)
{
	fprintf(stderr, "tavor-hca: %s\n", why);
	exit(2);
}

static error_t parse_arg(int key, char *arg, struct argp_state *state)
{
	char why[OPT_WHY];

	switch (key) {
	case ARG_SOCKET:
		if (args.n_sockets == MAX_SOCKETS)
			refuse("--socket: too many");
		args.sockets[args.n_sockets++] = arg;
		return 0;
	case ARG_SET:
		if (opt_parse(arg, why))
			refuse(why);
		return 0;
	case ARG_LOAD:
		if (opt_load(arg, why))
			refuse(why);
		return 0;
	case ARG_REPORT:
		args.report = arg;
		return 0;
	case ARG_PCAP:
		args.pcap = arg;
		return 0;
	case ARG_CONTROL:
		args.control = arg;
		return 0;
	case ARG_LOG:
		args.log = arg;
		return 0;
	case ARG_CHECK:
		args.check = true;
		return 0;
	case ARG_LIST:
		opt_list();
		exit(0);
	case ARG_RULES:
		report_rules(stdout);
		exit(0);
	case ARGP_KEY_ARG:
		fprintf(stderr, "tavor-hca: %s: unexpected argument\n", arg);
		exit(2);
	default:
		(void)state;
		return ARGP_ERR_UNKNOWN;
	}
}

const char *argp_program_version = "tavor-hca " VERSION;

static const struct argp argp = {
	.options = arg_options,
	.parser = parse_arg,
	.doc = "Software model of the MT23108 \"Tavor\" InfiniBand HCA, served to QEMU over "
	       "vfio-user.\v"
	       "Exit status: 0, 1 if a file or a socket cannot be opened, 2 for a bad command line, "
	       "3 if any violation was recorded.",
};

/* --- the process ------------------------------------------------------------------------------ */

/*
 * Signals arrive through a descriptor and not a handler, so that the loop writes the summary as a
 * whole.
 */
static void on_signal(struct hca_fd *f, u32 events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(f->fd, &info, sizeof(info)) > 0)
		loop_stop();
}

static int watch_signals(void)
{
	static struct hca_fd f = { .fn = on_signal };
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	f.fd = signalfd(-1, &set, SFD_CLOEXEC);
	return f.fd < 0 ? -errno : loop_add(&f, EPOLLIN);
}

static void must(int ret, const char *what, const char *arg)
{
	if (!ret)
		return;
	fprintf(stderr, "tavor-hca: %s %s: %s\n", what, arg ? arg : "", strerror(-ret));
	exit(1);
}

/* --check also creates the HCAs, because many errors are only found then. */
static void make_hcas(void)
{
	int n = args.n_sockets ? args.n_sockets : 1;
	char why[OPT_WHY];
	int i;

	if (opt_highest() >= n) {
		snprintf(why, sizeof(why), "--set %d:...: there are only %d HCAs", opt_highest(),
			 n);
		refuse(why);
	}
	for (i = 0; i < n; i++) {
		struct hca *h = hca_new();

		if (!h)
			exit(2);
		if (i == 0 && *opt_str(h, "waivers") &&
		    report_load_waivers(opt_str(h, "waivers"), why))
			refuse(why);
	}
	if (wire_new_all())
		exit(2);
}

/*
 * --check also runs the file, so that an invalid request is found before the model serves a client.
 */
static void run_control_file(void)
{
	const char *path = opt_str(hca_by_number(0), "control_file");
	char why[512];

	if (*path && control_load(path, why))
		refuse(why);
}

/*
 * A card does not wait for the host's processors, but QEMU keeps all of them busy while the guest
 * polls. Without a priority, each doorbell would wait for the scheduler's time slice. A missing
 * permission is not an error.
 */
static void take_priority(void)
{
	const struct sched_param one = { .sched_priority = 1 };
	const char *priority = opt_str(hca_by_number(0), "priority");

	/* the default slack of 50 us would lengthen every latency */
	prctl(PR_SET_TIMERSLACK, 1000);
	if (!strcmp(priority, "realtime") &&
	    !sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &one))
		return;
	if (strcmp(priority, "normal"))
		setpriority(PRIO_PROCESS, 0, -10);
}

/*
 * Sockets listen before "ready" is printed, so a program that waits for this line can connect
 * immediately.
 */
static void serve(void)
{
	int i;

	take_priority();
	must(watch_signals(), "signals", NULL);
	for (i = 0; i < args.n_sockets; i++)
		must(vfu_listen(hca_by_number(i), args.sockets[i]), "--socket", args.sockets[i]);
	if (args.control)
		must(control_listen(args.control), "--control", args.control);
	puts("ready");
	fflush(stdout);
	loop_run();
}

int main(int argc, char **argv)
{
	bool bad;
	int i;

	hca_join();
	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return 2;
	if (!args.check && !args.n_sockets)
		refuse("--socket is missing");
	if (!args.check && args.log)
		must(report_log_open(args.log), "--log", args.log);
	make_hcas();
	opt_started();
	run_control_file();
	if (args.check)
		return 0;
	if (args.report)
		must(report_open(args.report), "--report", args.report);
	if (args.pcap)
		must(pcap_open(args.pcap), "--pcap", args.pcap);
	serve();
	/* the report must be complete before any HCA is deleted */
	bad = report_summary();
	for (i = 0; i < args.n_sockets; i++)
		unlink(args.sockets[i]);
	control_close();
	hca_delete_all();
	report_close();
	return bad ? 3 : 0;
}
