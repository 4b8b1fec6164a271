// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The client that Documentation/tutorial.rst explains. A timer's softirq queries the state of the
 * first port of each device, and the request's callback prints the answer. Nothing here sleeps
 * between the query and the answer.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

/* The state of one device. It embeds its request, so a submit allocates nothing. */
struct tutorial {
	struct ib_device *ibdev;
	struct vrb_client *client;
	struct timer_list timer;
	struct vrb_query_port query;
};

/* Softirq: the hardware has answered. */
static void tutorial_queried(struct vrb *vrb)
{
	struct tutorial *tut = container_of(vrb, struct tutorial, query.vrb);
	const char *name = dev_name(&tut->ibdev->dev);

	if (vrb->status)
		pr_err("%s: the query failed: %d\n", name, vrb->status);
	else
		pr_info("%s: port 1 is in state %d\n", name, tut->query.attr.state);
}

/* Softirq: the timer has expired. */
static void tutorial_ask(struct timer_list *timer)
{
	struct tutorial *tut = container_of(timer, struct tutorial, timer);
	int err;

	vrb_prep_query_port(&tut->query, 1);
	tut->query.vrb.done = tutorial_queried;
	err = vrb_submit(tut->client, &tut->query.vrb);
	if (err != -EINPROGRESS)	/* refused: there will be no callback */
		pr_err("%s: the query was refused: %d\n", dev_name(&tut->ibdev->dev), err);
}

static struct ib_client tutorial_ib_client;

/* Process context: a device has been registered. */
static int tutorial_add(struct ib_device *ibdev)
{
	struct tutorial *tut = kzalloc(sizeof(*tut), GFP_KERNEL);
	int err;

	if (!tut)
		return -ENOMEM;
	tut->ibdev = ibdev;
	timer_setup(&tut->timer, tutorial_ask, 0);
	tut->client = vrb_client_register(ibdev, KBUILD_MODNAME);
	if (IS_ERR(tut->client)) {	/* -EOPNOTSUPP: its driver has no requests */
		err = PTR_ERR(tut->client);
		kfree(tut);
		return err;
	}
	ib_set_client_data(ibdev, &tutorial_ib_client, tut);
	mod_timer(&tut->timer, jiffies + HZ / 10);
	return 0;
}

/* Process context: the device is about to be removed, or this module is being unloaded. */
static void tutorial_remove(struct ib_device *ibdev, void *client_data)
{
	struct tutorial *tut = client_data;

	vrb_client_shut(tut->client);		/* submits are refused from here on */
	timer_shutdown_sync(&tut->timer);	/* nothing submits any more */
	vrb_client_unregister(tut->client);	/* no callback runs any more */
	kfree(tut);
}

static struct ib_client tutorial_ib_client = {
	.name = KBUILD_MODNAME,
	.add = tutorial_add,
	.remove = tutorial_remove,
};

static int __init tutorial_init(void)
{
	return ib_register_client(&tutorial_ib_client);
}

static void __exit tutorial_exit(void)
{
	ib_unregister_client(&tutorial_ib_client);
}

module_init(tutorial_init);
module_exit(tutorial_exit);

MODULE_DESCRIPTION("First client of verbs request blocks");
MODULE_LICENSE("Dual BSD/GPL");
