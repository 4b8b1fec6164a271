// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Two threads change a capability of the same port each, at the same time. Every command writes all
 * capabilities. When both have returned, the port has what both have requested.
 * kernel_client.sh sets the model's latencies, and reads the results from the log.
 */
#include <linux/completion.h>

#include "loop.h"

#define PORT		1
#define ROUNDS		200
#define OWN		IB_UVERBS_PCF_SNMP_TUNNEL_SUP
#define OTHERS		IB_UVERBS_PCF_DEVICE_MGMT_SUP

static struct loop loop;
static struct ib_device *device;
static DECLARE_COMPLETION(go);
static DECLARE_COMPLETION(over);
static bool set_others;

static int change(u32 cap, bool set)
{
	struct ib_port_modify props = {
		.set_port_cap_mask = set ? cap : 0,
		.clr_port_cap_mask = set ? 0 : cap,
	};

	return ib_modify_port(device, PORT, 0, &props);
}

static int change_others(void *arg)
{
	int err;

	while (!kthread_should_stop()) {
		if (!wait_for_completion_timeout(&go, HZ / 10))
			continue;
		err = change(OTHERS, READ_ONCE(set_others));
		if (err)
			pr_info("tavor_caps: # the other thread's change: %d\n", err);
		complete(&over);
	}
	return 0;
}

/* The bits of the round's number are what is set: each pair of values follows each other one. */
static void one_round(int i)
{
	const bool set_own = i & 1;
	struct ib_port_attr attr;

	WRITE_ONCE(set_others, i / 2 & 1);
	complete(&go);
	loop_want(&loop, 0, change(OWN, set_own), "change");
	wait_for_completion(&over);
	loop_want(&loop, 0, ib_query_port(device, PORT, &attr), "query");
	loop_want(&loop, set_own, !!(attr.port_cap_flags & OWN), "this thread's capability");
	loop_want(&loop, set_others, !!(attr.port_cap_flags & OTHERS), "the other one's");
}

static int caps_add(struct ib_device *dev)
{
	struct task_struct *task;
	int i;

	device = dev;
	task = loop_task(change_others, NULL);
	if (IS_ERR(task))
		return PTR_ERR(task);
	for (i = 0; i < ROUNDS; i++)
		one_round(i);
	kthread_stop(task);
	loop_want(&loop, 0, change(OWN | OTHERS, false), "last change");
	loop_result(&loop, "changes of two capabilities at once");
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_caps",
	.add = caps_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of concurrent changes of a port's capabilities");
MODULE_LICENSE("Dual BSD/GPL");
