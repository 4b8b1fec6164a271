// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The audit of "exactly once" on a simulated device. Its commands are answered late, twice, with
 * errors, after their timeout or not at all, and the device fails and recovers.
 */
#include <linux/module.h>

#include "../audit/audit.h"
#include "mock.h"

static uint requests = 3000;
module_param_named(audit_requests, requests, uint, 0644);
MODULE_PARM_DESC(audit_requests, "How many requests the audit has accepted");

static uint failures = 3;
module_param_named(audit_failures, failures, uint, 0644);
MODULE_PARM_DESC(audit_failures, "How often the device fails meanwhile");

static bool comes_back(void *arg)
{
	struct test *t = arg;
	int ret;

	mock_release(t->mock, NULL);
	ret = vrb_device_revive(t->dev);
	return EXPECT(t, !ret || ret == -EBUSY) && !ret;
}

static void fail_and_come_back(struct test *t)
{
	vrb_device_fail(t->dev, "in the audit");
	mock_reset(t->mock);
	EXPECT(t, wait_until(comes_back, t));
	EXPECT_EQ(t, vrb_device_set_slots(t->dev, 8), 0);
}

/* Lost commands are answered at last. A lost destroy has failed the device. */
static void nudge(void *context)
{
	struct test *t = context;

	mock_release(t->mock, NULL);
}

static void watch(struct test *t, const struct audit *audit, const struct audit_params *params)
{
	unsigned int every = params->requests / (failures + 1), left = failures, n = 0;

	while (audit_busy(audit) && !t->failed) {
		usleep_range(1000, 2000);
		if (++n % 16 == 0)
			mock_release(t->mock, NULL);
		if (vrb_device_failed(t->dev) || (left && audit_accepted(audit) > every)) {
			fail_and_come_back(t);
			every += params->requests / (failures + 1);
			left -= !!left;
		}
	}
}

static void audit_of_everything(struct test *t)
{
	struct audit_params params = {
		.seed = mock_seed,
		.requests = requests,
		.lid = 1,
		.page = PAGE_SIZE,
		.nudge = nudge,
		.context = t,
	};
	struct audit_report *report = test_alloc(t, sizeof(*report));
	struct audit *audit;
	unsigned int i;

	t->mock->chaos = mock_seed | 1;
	audit = audit_start(t->mock->ibdev, &params);
	if (!EXPECT(t, !IS_ERR(audit)))
		return;
	watch(t, audit, &params);
	audit_end(audit, report);
	t->mock->chaos = 0;
	EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
	EXPECT(t, report->accepted >= requests);
	/* Enough has happened. */
	EXPECT(t, report->shells > requests / 100);
	EXPECT(t, report->clients > 2);
	EXPECT(t, report->status[0] && report->status[ECANCELED] && report->status[ENOLINK]);
	pr_info("vrb_mock: audit: %u accepted, %u refused, %u shells, %u clients\n",
		report->accepted, report->refused, report->shells, report->clients);
	for (i = 0; i < AUDIT_STATUSES; i++) {
		if (report->status[i])
			pr_info("vrb_mock: audit: status -%u: %u\n", i, report->status[i]);
	}
	if (report->wrong)
		test_fail(t, __FILE__, __LINE__, "seed %u: %u wrong, first: %s", mock_seed,
			  report->wrong, report->why);
}

const struct test_case audit_tests[] = {
	{ "audit_of_everything", audit_of_everything, { .issue_timeout_ms = 100 }, .verbs = true },
	{}
};
