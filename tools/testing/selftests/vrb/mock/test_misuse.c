// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Rule 1, the other side of it: what the kernel warns of. Each of these warnings comes once per
 * boot.
 */
#include "mock.h"

static void submit_in_hardirq(void *arg)
{
	struct mock_request *request = arg;

	request->status = vrb_submit(request->test->client, &request->vrb);
}

static void misuse_submit_in_hardirq(struct test *t)
{
	struct mock_request *request = new_request(t, 1);

	in_hardirq_do(submit_in_hardirq, request);
	EXPECT_EQ(t, request->status, -EINVAL);
	usleep_range(1000, 2000);
	EXPECT_EQ(t, request->calls, 0);
	EXPECT_EQ(t, t->mock->posts, 0);
}

static void misuse_irqs_disabled(struct test *t)
{
	struct mock_request *request = held_request(t, 1);
	int submitted, cancelled, polled;

	local_irq_disable();
	submitted = vrb_submit(t->client, &request->vrb);
	local_irq_enable();
	EXPECT_EQ(t, submitted, -EINVAL);
	submit(request);
	wait_posted(request);
	local_irq_disable();
	cancelled = vrb_cancel(&request->vrb);
	polled = vrb_poll(&request->vrb, 1000);
	local_irq_enable();
	EXPECT_EQ(t, cancelled, -EINVAL);
	EXPECT_EQ(t, polled, -EINVAL);
	let_go(request);
	wait_over(request, 0);
}

static void misuse_submit_twice(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	EXPECT_EQ(t, vrb_submit(t->client, &request->vrb), -EBUSY);
	let_go(request);
	wait_over(request, 0);
	EXPECT_EQ(t, counters(t).refused, 1);
}

static void misuse_wait_with_callback(struct test *t)
{
	struct mock_request *request = held_request(t, 1);

	submit(request);
	EXPECT_EQ(t, vrb_wait(&request->vrb), -EINVAL);
	let_go(request);
	wait_over(request, 0);
}

static int encode_never(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_MORE;
}

static void misuse_verb_without_end(struct test *t)
{
	static const struct vrb_verb endless = { .name = "endless", .encode = encode_never,
						 .class = VRB_CLASS_NORMAL };
	struct mock_request *request = new_request(t, 1);

	request->vrb.verb = &endless;
	run_to_end(request, -ELOOP);
}

const struct test_case misuse_tests[] = {
	{ "misuse_submit_in_hardirq", misuse_submit_in_hardirq, .kind = MISUSE },
	{ "misuse_irqs_disabled", misuse_irqs_disabled, .kind = MISUSE },
	{ "misuse_submit_twice", misuse_submit_twice, .kind = MISUSE },
	{ "misuse_wait_with_callback", misuse_wait_with_callback, .kind = MISUSE },
	{ "misuse_verb_without_end", misuse_verb_without_end, .kind = MISUSE },
	{}
};
