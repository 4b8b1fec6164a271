// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates a server for each HCA, with its permanent resources, and shows its status. It starts and
 * ends in process context; everything else runs in softirq.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "softirq_server.h"

static unsigned int port = 1;
module_param(port, uint, 0444);
MODULE_PARM_DESC(port, "port of each HCA that is served (default 1)");

unsigned int soft_probe_ms = 1000;
module_param_named(probe_ms, soft_probe_ms, uint, 0644);
MODULE_PARM_DESC(probe_ms, "ms between two probes of a connection (default 1000)");

unsigned int soft_connect_ms = 10000;
module_param_named(connect_ms, soft_connect_ms, uint, 0644);
MODULE_PARM_DESC(connect_ms, "ms before a new connection is first probed (default 10000)");

static struct dentry *soft_root;

/* ---- Status ---- */

static const char *const soft_names[SOFT_NR_COUNTERS] = {
	[SOFT_CONNECTED] = "connected",
	[SOFT_DISCONNECTED] = "disconnected",
	[SOFT_REFUSED] = "refused",
	[SOFT_MALFORMED] = "malformed",
	[SOFT_REPEATED] = "repeated",
	[SOFT_STALE] = "stale",
	[SOFT_TIMEOUTS] = "timeouts",
	[SOFT_DEAD] = "dead",
	[SOFT_FAILED] = "failed",
	[SOFT_UNSENT] = "unsent",
	[SOFT_RESUMED] = "resumed",
};

static int status_show(struct seq_file *file, void *unused)
{
	struct soft_server *server = file->private;
	int i;

	spin_lock_bh(&server->lock);
	seq_printf(file, "qpn %u\nport %u\nnow %u\nsends %u\n", server->ud.qp->qp_num,
		   server->port, server->now, bitmap_weight(server->ud.sending, SOFT_UD_DEPTH));
	for (i = 0; i < SOFT_NR_COUNTERS; i++)
		seq_printf(file, "%s %llu\n", soft_names[i], server->counters[i]);
	spin_unlock_bh(&server->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

/* ---- The memory that peers read and write ---- */

static bool soft_region_make(struct soft_server *server, u32 n)
{
	void *region = (void *)get_zeroed_page(GFP_KERNEL);

	if (!region)
		return false;
	server->region_dma[n] = ib_dma_map_single(server->dev, region, SOFT_REGION,
						  DMA_BIDIRECTIONAL);
	if (!ib_dma_mapping_error(server->dev, server->region_dma[n])) {
		server->regions[n] = region;
		return true;
	}
	free_page((unsigned long)region);
	return false;
}

static int soft_regions_make(struct soft_server *server)
{
	u32 n;

	for (n = 0; n < SOFT_CONNS; n++)
		if (!soft_region_make(server, n))
			return -ENOMEM;
	return 0;
}

static void soft_regions_free(struct soft_server *server)
{
	u32 n;

	for (n = 0; n < SOFT_CONNS && server->regions[n]; n++) {
		ib_dma_unmap_single(server->dev, server->region_dma[n], SOFT_REGION,
				    DMA_BIDIRECTIONAL);
		free_page((unsigned long)server->regions[n]);
	}
}

/* Peers can access these pages and no other memory. */
static int soft_regions_register(struct soft_server *server)
{
	struct vrb_create_mr create;
	struct vrb_reg_mr reg = {
		.length = SOFT_CONNS * SOFT_REGION,
		.pages = server->region_dma,
		.nr_pages = SOFT_CONNS,
		.page_shift = ilog2(SOFT_REGION),
		.access = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE,
	};
	int err;

	server->mr = vrb_alloc_mr(server->client, server->pd, SOFT_CONNS, GFP_KERNEL);
	if (IS_ERR(server->mr))
		return PTR_ERR(server->mr);
	vrb_prep_create_mr(&create, server->mr);
	vrb_prep_reg_mr(&reg, server->mr);
	err = vrb_submit_wait(server->client, &create.vrb);
	return err ?: vrb_submit_wait(server->client, &reg.vrb);
}

/* ---- Start and end ---- */

static int soft_port_ask(struct soft_server *server)
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

/*
 * Callbacks that run from now on find &soft_server.ending set. vrb_client_unregister() waits for
 * them.
 */
static void soft_client_end(struct soft_server *server)
{
	spin_lock_bh(&server->lock);
	server->ending = true;
	spin_unlock_bh(&server->lock);
	vrb_client_shut(server->client);
	timer_shutdown_sync(&server->sweep);
	soft_conn_end_all(server);
	soft_ud_end(server);
	if (!IS_ERR_OR_NULL(server->mr))
		vrb_destroy_mr(server->client, server->mr, NULL, NULL);
	vrb_client_unregister(server->client);
}

static int soft_client_start(struct soft_server *server)
{
	int err = soft_regions_register(server);

	err = err ?: soft_ud_start(server);
	if (err) {
		soft_client_end(server);
		return err;
	}
	mod_timer(&server->sweep, jiffies + 1);
	return 0;
}

static int soft_start(struct soft_server *server)
{
	int err = soft_port_ask(server);

	if (err)
		return err;
	server->pd = ib_alloc_pd(server->dev, 0);
	if (IS_ERR(server->pd))
		return PTR_ERR(server->pd);
	err = soft_regions_make(server);
	if (err)
		goto free_regions;
	server->client = vrb_client_register(server->dev, KBUILD_MODNAME);
	if (IS_ERR(server->client)) {
		err = PTR_ERR(server->client);
		goto free_regions;
	}
	err = soft_client_start(server);
	if (!err)
		return 0;

	soft_ud_free(server);
free_regions:
	soft_regions_free(server);
	ib_dealloc_pd(server->pd);
	return err;
}

static void soft_stop(struct soft_server *server)
{
	soft_client_end(server);
	soft_ud_free(server);
	soft_regions_free(server);
	ib_dealloc_pd(server->pd);
}

/* ---- Devices ---- */

static struct ib_client soft_client;

static int soft_add_one(struct ib_device *dev)
{
	struct soft_server *server = kvzalloc(sizeof(*server), GFP_KERNEL);
	int err;

	if (!server)
		return -ENOMEM;
	server->dev = dev;
	spin_lock_init(&server->lock);
	conn_table_init(&server->by_cookie);
	conn_table_init(&server->by_qp);
	timer_setup(&server->sweep, soft_conn_sweep, 0);
	err = soft_start(server);
	if (err) {
		if (err != -EOPNOTSUPP)
			dev_warn(&dev->dev, "ib_softirq_server does not serve it: %d\n", err);
		kvfree(server);
		return err;
	}
	server->dir = debugfs_create_dir(dev_name(&dev->dev), soft_root);
	debugfs_create_file("status", 0444, server->dir, server, &status_fops);
	ib_set_client_data(dev, &soft_client, server);
	return 0;
}

static void soft_remove_one(struct ib_device *dev, void *data)
{
	struct soft_server *server = data;

	debugfs_remove_recursive(server->dir);
	soft_stop(server);
	kvfree(server);
}

static struct ib_client soft_client = {
	.name = "ib_softirq_server",
	.add = soft_add_one,
	.remove = soft_remove_one,
};

static int __init soft_init(void)
{
	int err;

	soft_root = debugfs_create_dir("ib_softirq_server", NULL);
	err = ib_register_client(&soft_client);
	if (err)
		debugfs_remove_recursive(soft_root);
	return err;
}

static void __exit soft_exit(void)
{
	ib_unregister_client(&soft_client);
	debugfs_remove_recursive(soft_root);
}

module_init(soft_init);
module_exit(soft_exit);
MODULE_DESCRIPTION("Server of RC connections that never sleeps");
MODULE_LICENSE("Dual BSD/GPL");
