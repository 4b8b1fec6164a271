// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Runs the audit of "exactly once" on every device whose driver is a provider. It starts when the
 * device is added, and logs its results when the device is removed.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/vrb.h>

#include "audit.h"

static uint seed = 1;
module_param(seed, uint, 0644);
MODULE_PARM_DESC(seed, "What the random numbers begin with");

static uint requests = 1000;
module_param(requests, uint, 0644);
MODULE_PARM_DESC(requests, "How many have to be accepted");

struct device_audit {
	struct audit *audit;
	struct ib_device *dev;
	void *page;
	u64 dma;
};

/* The most recent device, for the parameter busy. */
static struct device_audit *latest;
static DEFINE_MUTEX(latest_lock);

static int busy_get(char *buffer, const struct kernel_param *param)
{
	int ret;

	mutex_lock(&latest_lock);
	ret = sysfs_emit(buffer, "%c\n", latest && audit_busy(latest->audit) ? 'Y' : 'N');
	mutex_unlock(&latest_lock);
	return ret;
}

static const struct kernel_param_ops busy_ops = { .get = busy_get };
module_param_cb(busy, &busy_ops, NULL, 0444);
MODULE_PARM_DESC(busy, "Whether requests are still to be submitted");

static struct ib_client audit_client;

static int map_page(struct device_audit *mine)
{
	mine->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!mine->page)
		return -ENOMEM;
	mine->dma = ib_dma_map_single(mine->dev, mine->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (!ib_dma_mapping_error(mine->dev, mine->dma))
		return 0;
	free_page((unsigned long)mine->page);
	return -EIO;
}

static void unmap_page(struct device_audit *mine)
{
	ib_dma_unmap_single(mine->dev, mine->dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	free_page((unsigned long)mine->page);
}

static int begin(struct device_audit *mine)
{
	struct audit_params params = { .seed = seed, .requests = requests, .page = mine->dma };
	struct ib_port_attr port;
	int ret = ib_query_port(mine->dev, 1, &port);

	if (ret)
		return ret;
	params.lid = port.lid;
	mine->audit = audit_start(mine->dev, &params);
	return PTR_ERR_OR_ZERO(mine->audit);
}

static int audit_add(struct ib_device *dev)
{
	struct device_audit *mine = kzalloc(sizeof(*mine), GFP_KERNEL);
	int ret;

	if (!mine)
		return -ENOMEM;
	mine->dev = dev;
	ret = map_page(mine);
	if (ret)
		goto free;
	ret = begin(mine);
	if (ret)
		goto unmap;
	ib_set_client_data(dev, &audit_client, mine);
	mutex_lock(&latest_lock);
	latest = mine;
	mutex_unlock(&latest_lock);
	pr_info("vrb_audit: begins with seed %u\n", seed);
	return 0;

unmap:
	unmap_page(mine);
free:
	kfree(mine);
	return ret;
}

static void show(const struct audit_report *report)
{
	unsigned int i;

	for (i = 0; i < AUDIT_STATUSES; i++) {
		if (report->status[i])
			pr_info("vrb_audit: # status -%u: %u\n", i, report->status[i]);
	}
	pr_info("vrb_audit: # %u accepted, %u refused, %u shells, %u clients\n", report->accepted,
		report->refused, report->shells, report->clients);
	if (report->wrong)
		pr_info("vrb_audit: not ok %u wrong, first: %s\n", report->wrong, report->why);
	else
		pr_info("vrb_audit: ok %u accepted\n", report->accepted);
}

static void audit_remove(struct ib_device *dev, void *data)
{
	struct audit_report *report = kzalloc(sizeof(*report), GFP_KERNEL | __GFP_NOFAIL);
	struct device_audit *mine = data;

	mutex_lock(&latest_lock);
	latest = NULL;
	mutex_unlock(&latest_lock);
	audit_end(mine->audit, report);
	show(report);
	unmap_page(mine);
	kfree(mine);
	kfree(report);
}

static struct ib_client audit_client = {
	.name = "vrb_audit",
	.add = audit_add,
	.remove = audit_remove,
};

static int __init audit_init(void)
{
	return ib_register_client(&audit_client);
}

static void __exit audit_exit(void)
{
	ib_unregister_client(&audit_client);
}

module_init(audit_init);
module_exit(audit_exit);
MODULE_DESCRIPTION("Audit of verbs request blocks: everything at once, from every context");
MODULE_LICENSE("Dual BSD/GPL");
