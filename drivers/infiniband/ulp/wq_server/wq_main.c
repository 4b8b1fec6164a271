// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates a server for each HCA, with its permanent resources, and shows its status.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include "wq_server.h"

static unsigned int port = 1;
module_param(port, uint, 0444);
MODULE_PARM_DESC(port, "port of each HCA that is served (default 1)");

unsigned int wq_probe_ms = 1000;
module_param_named(probe_ms, wq_probe_ms, uint, 0644);
MODULE_PARM_DESC(probe_ms, "ms between two probes of a connection (default 1000)");

unsigned int wq_connect_ms = 10000;
module_param_named(connect_ms, wq_connect_ms, uint, 0644);
MODULE_PARM_DESC(connect_ms, "ms before a new connection is first probed (default 10000)");

static struct dentry *wq_root;

static const char *const wq_names[WQ_NR_COUNTERS] = {
	[WQ_CONNECTED] = "connected",
	[WQ_DISCONNECTED] = "disconnected",
	[WQ_REFUSED] = "refused",
	[WQ_MALFORMED] = "malformed",
	[WQ_REPEATED] = "repeated",
	[WQ_STALE] = "stale",
	[WQ_TIMEOUTS] = "timeouts",
	[WQ_DEAD] = "dead",
	[WQ_FAILED] = "failed",
	[WQ_UNSENT] = "unsent",
	[WQ_RESUMED] = "resumed",
};

static int status_show(struct seq_file *file, void *unused)
{
	struct wq_server *server = file->private;
	int i;

	mutex_lock(&server->lock);
	seq_printf(file, "qpn %u\nport %u\nnow %u\nsends %u\n", server->qp->qp_num, server->port,
		   server->now, server->sends);
	for (i = 0; i < WQ_NR_COUNTERS; i++)
		seq_printf(file, "%s %llu\n", wq_names[i], server->counters[i]);
	mutex_unlock(&server->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

static int wq_region_make(struct wq_server *server)
{
	const size_t size = WQ_CONNS * WQ_REGION;

	server->region = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(size));
	if (!server->region)
		return -ENOMEM;
	server->region_dma = ib_dma_map_single(server->dev, server->region, size,
					       DMA_BIDIRECTIONAL);
	if (!ib_dma_mapping_error(server->dev, server->region_dma))
		return 0;
	free_pages((unsigned long)server->region, get_order(size));
	return -ENOMEM;
}

static void wq_region_free(struct wq_server *server)
{
	const size_t size = WQ_CONNS * WQ_REGION;

	ib_dma_unmap_single(server->dev, server->region_dma, size, DMA_BIDIRECTIONAL);
	free_pages((unsigned long)server->region, get_order(size));
}

static int wq_port_ask(struct wq_server *server)
{
	struct ib_port_attr attr;
	int err;

	if (!rdma_is_port_valid(server->dev, port) || !rdma_cap_ib_sa(server->dev, port))
		return -EOPNOTSUPP;
	err = ib_query_port(server->dev, port, &attr);
	server->port = port;
	server->mtu = attr.max_mtu;
	return err;
}

static int wq_start(struct wq_server *server)
{
	int err = wq_port_ask(server);

	if (err)
		return err;
	/* The HCA has no fast registration, so peers address the memory by its DMA address. */
	server->pd = ib_alloc_pd(server->dev, IB_PD_UNSAFE_GLOBAL_RKEY);
	if (IS_ERR(server->pd))
		return PTR_ERR(server->pd);
	err = wq_region_make(server);
	if (err)
		goto dealloc_pd;
	server->wq = alloc_workqueue("ib_wq_server", WQ_UNBOUND, 0);
	if (!server->wq) {
		err = -ENOMEM;
		goto free_region;
	}
	err = wq_ud_make(server);
	if (err)
		goto destroy_wq;
	err = wq_ud_start(server);
	if (err)
		goto stop_ud;
	queue_delayed_work(server->wq, &server->sweep, 1);
	return 0;

stop_ud:
	wq_conn_end_all(server);
	drain_workqueue(server->wq);
	wq_ud_stop(server);
destroy_wq:
	destroy_workqueue(server->wq);
free_region:
	wq_region_free(server);
dealloc_pd:
	ib_dealloc_pd(server->pd);
	return err;
}

static void wq_stop(struct wq_server *server)
{
	wq_conn_end_all(server);
	cancel_delayed_work_sync(&server->sweep);
	drain_workqueue(server->wq);
	wq_ud_stop(server);
	destroy_workqueue(server->wq);
	wq_region_free(server);
	ib_dealloc_pd(server->pd);
}

static struct ib_client wq_client;

static int wq_add_one(struct ib_device *dev)
{
	struct wq_server *server = kzalloc(sizeof(*server), GFP_KERNEL);
	int err;

	if (!server)
		return -ENOMEM;
	server->dev = dev;
	mutex_init(&server->lock);
	conn_table_init(&server->by_cookie);
	conn_table_init(&server->by_qp);
	INIT_DELAYED_WORK(&server->sweep, wq_conn_sweep);
	INIT_WORK(&server->resume, wq_send_resume);
	init_waitqueue_head(&server->idle);
	err = wq_start(server);
	if (err) {
		kfree(server);
		return err;
	}
	server->dir = debugfs_create_dir(dev_name(&dev->dev), wq_root);
	debugfs_create_file("status", 0444, server->dir, server, &status_fops);
	ib_set_client_data(dev, &wq_client, server);
	return 0;
}

static void wq_remove_one(struct ib_device *dev, void *data)
{
	struct wq_server *server = data;

	debugfs_remove_recursive(server->dir);
	wq_stop(server);
	kfree(server);
}

static struct ib_client wq_client = {
	.name = "ib_wq_server",
	.add = wq_add_one,
	.remove = wq_remove_one,
};

static int __init wq_init(void)
{
	int err;

	wq_root = debugfs_create_dir("ib_wq_server", NULL);
	err = ib_register_client(&wq_client);
	if (err)
		debugfs_remove_recursive(wq_root);
	return err;
}

static void __exit wq_exit(void)
{
	ib_unregister_client(&wq_client);
	debugfs_remove_recursive(wq_root);
}

module_init(wq_init);
module_exit(wq_exit);
MODULE_DESCRIPTION("Server of RC connections, with a work queue");
MODULE_LICENSE("Dual BSD/GPL");
