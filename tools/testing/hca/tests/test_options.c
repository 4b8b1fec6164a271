// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Model options, faults and the command line: valid values, and errors that name an invalid one. */
#include "client.h"
#include "tap.h"

#include "core/options.h"
#include "device/fault.h"

#include <stdlib.h>
#include <sys/wait.h>

static char why[OPT_WHY];

static bool refused(const char *key, const char *value)
{
	why[0] = '\0';
	return opt_set(OPT_ALL, key, value, why) && strstr(why, key);
}

static void numbers_and_units(void)
{
	u64 v;

	CHECK(opt_number("10", &v) && v == 10);
	CHECK(opt_number("0x10", &v) && v == 16);
	CHECK(opt_number("4k", &v) && v == 4096);
	CHECK(opt_number("128m", &v) && v == 128u << 20);
	CHECK(opt_number("2us", &v) && v == 2000);
	CHECK(opt_number("3ms", &v) && v == 3000000);
	CHECK(opt_number("1s", &v) && v == 1000000000);
	CHECK(!opt_number("", &v));
	CHECK(!opt_number("-1", &v));
	CHECK(!opt_number("10x", &v));
	CHECK(!opt_number("99999999999999999999", &v));
	CHECK(!opt_number("18446744073709551615g", &v));
	CHECK(!opt_number(" 5", &v));
}

static void nonsense_is_refused_by_name(void)
{
	CHECK(refused("no_such_option", "1"));
	CHECK(refused("engines", "0"));
	CHECK(refused("engines", "many"));
	CHECK(refused("ddr_hidden", "maybe"));
	CHECK(refused("latency", "uniform:5us:1us"));
	CHECK(refused("latency", "poisson:1us"));
	CHECK(refused("latency_op", "NO_SUCH=1us"));
	CHECK(refused("cmd_order", "sideways"));
	CHECK(refused("profile", "turbo"));
	CHECK(refused("waive", "no-such-rule"));
	CHECK(refused("vendor", "0x8086"));
	CHECK(refused("priority", "highest"));
	CHECK(opt_parse("engines", why));
	CHECK(opt_parse("0engines=1", why));
	CHECK(opt_parse("99:engines=1", why));
	CHECK(opt_load("/no/such/file", why) && strstr(why, "/no/such/file"));
}

static void faults_are_checked(void)
{
	CHECK(!fault_check("drop,on=cmd,op=NOP,count=1,prob=0.5,after=2", why));
	CHECK(!fault_check("status,op=0x31,status=0x40", why));
	CHECK(fault_check("explode", why));
	CHECK(fault_check("drop,on=somewhere", why));
	CHECK(fault_check("drop,op=NO_SUCH_COMMAND", why));
	CHECK(fault_check("drop,prob=2", why));
	CHECK(fault_check("drop,colour=red", why));
	CHECK(fault_check("drop,count", why));
	CHECK(fault_check("status,op=NOP", why));
	CHECK(fault_check("delay,op=NOP", why));
	CHECK(fault_check("hang,on=eqe", why));
	CHECK(fault_check("status,on=cqe,status=3", why));
}

static void probability_is_about_right(void)
{
	int i, hits = 0;

	for (i = 0; i < 10000; i++)
		hits += hca_chance(tc_hca(), 0.25);
	CHECK(hits > 2300 && hits < 2700);
	for (i = 0; i < 100; i++) {
		CHECK(hca_chance(tc_hca(), 1));
		CHECK(!hca_chance(tc_hca(), 0));
	}
}

static void profile_sets_and_later_options_override(void)
{
	CHECK(!opt_set(OPT_ALL, "profile", "serial", why));
	CHECK_EQ(opt_u64(tc_hca(), "engines"), 1);
	CHECK(!opt_set(OPT_ALL, "engines", "3", why));
	CHECK_EQ(opt_u64(tc_hca(), "engines"), 3);
	CHECK(!opt_set(OPT_ALL, "profile", "fast", why));
}

static void options_of_one_hca(void)
{
	int n = hca_number(tc_hca());
	char arg[64];

	snprintf(arg, sizeof(arg), "%d:engines=7", n);
	CHECK(!opt_parse("engines=5", why));
	CHECK(!opt_parse(arg, why));
	CHECK_EQ(opt_u64(tc_hca(), "engines"), 7);
	CHECK(!opt_set(OPT_ALL, "profile", "fast", why));
}

/* --- the command line ------------------------------------------------------------------------- */

static int run(const char *args)
{
	char line[512];
	int status;

	snprintf(line, sizeof(line), "%s %s >/dev/null 2>&1", getenv("TAVOR_HCA"), args);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void command_line(void)
{
	if (!getenv("TAVOR_HCA")) {
		tap_skip = "TAVOR_HCA does not name the binary";
		return;
	}
	CHECK_EQ(run("--check"), 0);
	CHECK_EQ(run("--list"), 0);
	CHECK_EQ(run("--rules"), 0);
	CHECK_EQ(run("--check --set engines=2"), 0);
	CHECK_EQ(run("--check --set engines=0"), 2);
	CHECK_EQ(run("--check --set nonsense=1"), 2);
	CHECK_EQ(run("--check --set device=mt99999"), 2);
	CHECK_EQ(run("--check --set vendor=0x1867"), 0);
	CHECK_EQ(run("--check --set vendor=0x1600"), 2);
	CHECK_EQ(run("--check --set intx_pin=63"), 0);
	CHECK_EQ(run("--check --set intx_pin=40"), 2);
	CHECK_EQ(run("--check --set ddr_size=100m"), 2);
	CHECK_EQ(run("--check --set fw_version=banana"), 2);
	CHECK_EQ(run("--check --set 1:engines=2"), 2);
	CHECK_EQ(run("--check --socket /tmp/a --socket /tmp/b --set 1:engines=2"), 0);
	CHECK_EQ(run("--check --set fault_file=/no/such"), 2);
	CHECK_EQ(run("--check --set fault_file=/dev/null"), 0);
	CHECK_EQ(run("--check --set fault_file=/proc/version"), 2);
	CHECK_EQ(run("--check --set control_file=/no/such"), 2);
	CHECK_EQ(run("--check --set control_file=/dev/null"), 0);
	CHECK_EQ(run("--check --set control_file=/proc/version"), 2);
	CHECK_EQ(run("--check --set waivers=/no/such"), 2);
	CHECK_EQ(run("--nonsense"), 2);
	CHECK_EQ(run("stray"), 2);
	CHECK_EQ(run(""), 2);
	CHECK_EQ(run("--socket /no/such/folder/sock"), 1);
}

/*
 * START options are fixed when the model has started. This test is last, because it cannot be
 * undone.
 */
static void start_options_are_fixed_later(void)
{
	opt_started();
	CHECK(refused("ddr_size", "64m"));
	CHECK(!opt_set(OPT_ALL, "engines", "3", why));
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(numbers_and_units),
		TAP(nonsense_is_refused_by_name),
		TAP(faults_are_checked),
		TAP(probability_is_about_right),
		TAP(profile_sets_and_later_options_override),
		TAP(options_of_one_hca),
		TAP(command_line),
		TAP(start_options_are_fixed_later),
	};

	tc_start("");
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
