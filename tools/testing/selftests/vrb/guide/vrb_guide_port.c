// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The examples of Documentation/vrb-client.rst for requests on ports. On each device the client
 * announces a capability of the port, and reads the port's counters again and again, all in
 * softirq. The removal takes both back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include <rdma/ib_mad.h>
#include <rdma/ib_pma.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

#define PORT	1
#define PERIOD	(HZ / 5)

struct port {
	struct ib_device *ibdev;
	struct vrb_client *client;
	struct timer_list timer;
	struct vrb_modify_port announce;
	struct vrb_query_port query;
	struct vrb_process_mad ask;
	struct ib_pma_mad mad;		/* the question, then the answer */
	unsigned int answers;
};

static void port_say(struct port *port, const char *what, int err)
{
	pr_info("%s: %s: %d\n", dev_name(&port->ibdev->dev), what, err);
}

/* ---- The counters of the port ---- */

static void port_fill_mad(struct port *port)
{
	struct ib_pma_portcounters *counters = (void *)port->mad.data;

	port->mad = (struct ib_pma_mad){
		.mad_hdr = {
			.base_version = IB_MGMT_BASE_VERSION,
			.mgmt_class = IB_MGMT_CLASS_PERF_MGMT,
			.class_version = 1,
			.method = IB_MGMT_METHOD_GET,
			.attr_id = IB_PMA_PORT_COUNTERS,
		},
	};
	counters->port_select = PORT;
}

static void port_ask(struct timer_list *timer)
{
	struct port *port = container_of(timer, struct port, timer);

	port_fill_mad(port);
	vrb_submit(port->client, &port->ask.vrb);
}

static void port_read(struct port *port)
{
	const struct ib_pma_portcounters *counters = (const void *)port->mad.data;
	bool ok = port->ask.result & IB_MAD_RESULT_REPLY && !port->mad.mad_hdr.status;

	if (port->answers++ < 3)
		pr_info("%s: %u packets sent\n", dev_name(&port->ibdev->dev),
			be32_to_cpu(counters->port_xmit_packets));
	if (port->answers == 3)
		port_say(port, "counters read", ok ? 0 : -EPROTO);
}

static void port_answered(struct vrb *vrb)
{
	struct port *port = container_of(vrb, struct port, ask.vrb);

	switch (vrb->status) {
	case 0:
		port_read(port);
		break;
	case -ETIMEDOUT:
		port_say(port, "not answered", 0);
		break;
	default:
		return;
	}
	mod_timer(&port->timer, jiffies + PERIOD);
}

static void port_watch(struct port *port)
{
	vrb_prep_process_mad(&port->ask, PORT);
	port->ask.in = (struct ib_mad *)&port->mad;
	port->ask.out = (struct ib_mad *)&port->mad;
	port->ask.vrb.done = port_answered;
	mod_timer(&port->timer, jiffies);
}

/* ---- A capability of the port ---- */

static void port_queried(struct vrb *vrb)
{
	struct port *port = container_of(vrb, struct port, query.vrb);
	int err = vrb->status;

	if (!err && !(port->query.attr.port_cap_flags & IB_PORT_DEVICE_MGMT_SUP))
		err = -EPROTO;
	port_say(port, "capability there", err);
	port_watch(port);
}

static void port_announced(struct vrb *vrb)
{
	struct port *port = container_of(vrb, struct port, announce.vrb);

	port_say(port, "announced", vrb->status);
	if (vrb->status)
		return;
	vrb_prep_query_port(&port->query, PORT);
	port->query.vrb.done = port_queried;
	vrb_submit(port->client, &port->query.vrb);
}

static void port_announce(struct port *port)
{
	vrb_prep_modify_port(&port->announce, PORT);
	port->announce.props.set_port_cap_mask = IB_PORT_DEVICE_MGMT_SUP;
	port->announce.vrb.done = port_announced;
	vrb_submit(port->client, &port->announce.vrb);
}

/* May sleep. Requests on a port have no order, so the announcement must be over first. */
static int port_withdraw(struct port *port)
{
	struct vrb_modify_port req = {
		.props = { .clr_port_cap_mask = IB_PORT_DEVICE_MGMT_SUP },
	};

	vrb_kill(&port->announce.vrb);
	vrb_prep_modify_port(&req, PORT);
	return vrb_submit_wait(port->client, &req.vrb);
}

/* ---- Devices come and go ---- */

static struct ib_client port_ib_client;

static int port_add(struct ib_device *ibdev)
{
	struct port *port = kzalloc(sizeof(*port), GFP_KERNEL);
	int err;

	if (!port)
		return -ENOMEM;
	port->ibdev = ibdev;
	timer_setup(&port->timer, port_ask, 0);
	port->client = vrb_client_register(ibdev, KBUILD_MODNAME);
	if (IS_ERR(port->client)) {
		err = PTR_ERR(port->client);
		kfree(port);
		return err;
	}
	ib_set_client_data(ibdev, &port_ib_client, port);
	port_announce(port);
	return 0;
}

static void port_remove(struct ib_device *ibdev, void *client_data)
{
	struct port *port = client_data;

	port_say(port, "withdrawn", port_withdraw(port));
	vrb_client_shut(port->client);
	timer_shutdown_sync(&port->timer);
	vrb_client_unregister(port->client);
	kfree(port);
}

static struct ib_client port_ib_client = {
	.name = KBUILD_MODNAME,
	.add = port_add,
	.remove = port_remove,
};

module_driver(port_ib_client, ib_register_client, ib_unregister_client);

MODULE_DESCRIPTION("Examples of Documentation/vrb-client.rst: MADs and attributes of a port");
MODULE_LICENSE("Dual BSD/GPL");
