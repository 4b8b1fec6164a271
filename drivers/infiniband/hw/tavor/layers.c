// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A device is brought up in layers, and taken down in the reverse order. If a layer cannot be
 * brought up, those below it are taken down again.
 */
#include <linux/dma-mapping.h>
#include <linux/pci.h>

#include "ah.h"
#include "catas.h"
#include "debug.h"
#include "device.h"
#include "event.h"
#include "flush.h"
#include "layers.h"
#include "mad.h"
#include "mcast.h"
#include "qp.h"
#include "reset.h"
#include "tavor.h"

static int tavor_check_bars(struct pci_dev *pdev)
{
	if (!(pci_resource_flags(pdev, 0) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, 0) != TAVOR_BAR0_SIZE) {
		dev_err(&pdev->dev, "BAR 0 is not 1 MB of memory\n");
		return -ENODEV;
	}
	if (!(pci_resource_flags(pdev, 2) & IORESOURCE_MEM)) {
		dev_err(&pdev->dev, "BAR 2 (UAR pages) is missing\n");
		return -ENODEV;
	}
	return 0;
}

static int tavor_layer_pci_init(struct tavor_dev *dev)
{
	struct pci_dev *pdev = dev->pdev;
	int err;

	/* A previous driver may have left it running: it must not write memory before the reset. */
	pci_clear_master(pdev);
	/*
	 * Restored after a reset of the slot, with bus mastering off. If the last reset has failed,
	 * there is nothing to save before the next one.
	 */
	if (pci_device_is_present(pdev))
		pci_save_state(pdev);
	err = pci_enable_device(pdev);
	if (err)
		return err;
	err = tavor_check_bars(pdev);
	if (err)
		goto disable;
	err = pci_request_regions(pdev, TAVOR_NAME);
	if (err)
		goto disable;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto release;
	dma_set_max_seg_size(&pdev->dev, SZ_1G);
	if (pci_resource_flags(pdev, 4) & IORESOURCE_MEM)
		dev->ddr_bar_size = pci_resource_len(pdev, 4);
	return 0;

release:
	pci_release_regions(pdev);
disable:
	pci_disable_device(pdev);
	return err;
}

static void tavor_layer_pci_exit(struct tavor_dev *dev)
{
	pci_release_regions(dev->pdev);
	pci_disable_device(dev->pdev);
}

static int tavor_layer_master_init(struct tavor_dev *dev)
{
	pci_set_master(dev->pdev);
	return 0;
}

static int tavor_layer_sys_init(struct tavor_dev *dev)
{
	return tavor_fw_sys_en(dev);
}

static void tavor_layer_sys_exit(struct tavor_dev *dev)
{
	/* A failure is logged; in any case bus mastering is turned off next. */
	tavor_fw_sys_dis(dev);
}

static int tavor_layer_query_init(struct tavor_dev *dev)
{
	int err;

	err = tavor_fw_query_fw(dev);
	err = err ?: tavor_fw_query_ddr(dev);
	err = err ?: tavor_fw_query_dev_lim(dev);
	err = err ?: tavor_profile_make(dev);
	if (!err && dev->ddr_info.hidden != !dev->ddr_bar_size)
		dev_info(&dev->pdev->dev, "DDR is said to be %s, but BAR 4 is %s\n",
			 dev->ddr_info.hidden ? "hidden" : "visible",
			 dev->ddr_bar_size ? "there" : "missing");
	return err;
}

/* If CLOSE_HCA fails the HCA may still write, and SYS_DIS is not allowed: it is stopped. */
static void tavor_layer_hca_exit(struct tavor_dev *dev)
{
	if (tavor_fw_close_hca(dev, false))
		vrb_device_fail(dev->vrb, "CLOSE_HCA");
}

static int tavor_layer_hca_init(struct tavor_dev *dev)
{
	int err;

	err = tavor_fw_init_hca(dev);
	if (err)
		return err;
	err = tavor_fw_query_adapter(dev);
	if (err)
		tavor_layer_hca_exit(dev);
	return err;
}

static int tavor_layer_pd_init(struct tavor_dev *dev)
{
	int err;

	err = tavor_alloc_init(&dev->pd_alloc, "PDs", dev->limits.num_pds, 0xffffff,
			       dev->lim.reserved_pds);
	if (err)
		return err;
	dev->driver_pd = tavor_hw_pd_create(dev, false);
	if (!IS_ERR(dev->driver_pd))
		return 0;
	tavor_alloc_destroy(dev, &dev->pd_alloc);
	return PTR_ERR(dev->driver_pd);
}

static void tavor_layer_pd_exit(struct tavor_dev *dev)
{
	tavor_hw_pd_destroy(dev->driver_pd);
	tavor_alloc_destroy(dev, &dev->pd_alloc);
}

static int tavor_layer_eq_init(struct tavor_dev *dev)
{
	return tavor_eq_init(dev, &tavor_event_handlers);
}

static int tavor_layer_flush_init(struct tavor_dev *dev)
{
	return 0;
}

static int tavor_layer_close_ports_init(struct tavor_dev *dev)
{
	return 0;
}

/* The destroy of its QP0 has closed a port already, unless a command of the QP was not answered. */
static void tavor_layer_close_ports_exit(struct tavor_dev *dev)
{
	unsigned long port;

	for_each_set_bit(port, &dev->open_ports, TAVOR_MAX_PORTS + 1)
		tavor_fw_close_ib(dev, port);
}

struct tavor_layer {
	const char *name;
	int (*init)(struct tavor_dev *dev);
	void (*exit)(struct tavor_dev *dev);	/* NULL: nothing to undo */
};

static const struct tavor_layer tavor_layers[] = {
	{ "PCI", tavor_layer_pci_init, tavor_layer_pci_exit },
	{ "reset", tavor_reset },
	{ "bus mastering", tavor_layer_master_init, tavor_dma_off },
	{ "command interface", tavor_cmd_init, tavor_cmd_cleanup },
	{ "SYS_EN", tavor_layer_sys_init, tavor_layer_sys_exit },
	{ "limits", tavor_layer_query_init },
	{ "INIT_HCA", tavor_layer_hca_init, tavor_layer_hca_exit },
	{ "UAR pages", tavor_uar_init, tavor_uar_cleanup },
	{ "queue memory", tavor_buf_pool_init, tavor_buf_pool_destroy },
	{ "debugfs", tavor_debug_add, tavor_debug_remove },
	{ "MTT table", tavor_mtt_table_init, tavor_mtt_table_destroy },
	{ "MPT table", tavor_mpt_table_init, tavor_mpt_table_destroy },
	{ "protection domains", tavor_layer_pd_init, tavor_layer_pd_exit },
	{ "event queues", tavor_layer_eq_init, tavor_eq_cleanup },
	{ "completion queues", tavor_cq_table_init, tavor_cq_table_cleanup },
	{ "shared receive queues", tavor_srq_table_init, tavor_srq_table_cleanup },
	{ "queue pairs", tavor_qp_table_init, tavor_qp_table_cleanup },
	{ "address vectors", tavor_av_table_init, tavor_av_table_cleanup },
	{ "multicast groups", tavor_mcg_table_init, tavor_mcg_table_cleanup },
	{ "management", tavor_mad_init, tavor_mad_cleanup },
	{ "ports", tavor_layer_close_ports_init, tavor_layer_close_ports_exit },
	{ "error buffer", tavor_catas_start, tavor_catas_stop },
	{ "flush", tavor_layer_flush_init, tavor_flush_stop },
	{ "registration", tavor_ib_register, tavor_ib_unregister },
};

static void tavor_layers_down_from(struct tavor_dev *dev, unsigned int n)
{
	while (n--)
		if (tavor_layers[n].exit)
			tavor_layers[n].exit(dev);
	if (dev->leaked)
		dev_err(&dev->pdev->dev, "tavor: %u leaked\n", dev->leaked);
}

/**
 * tavor_layers_down() - takes all layers down
 * @dev: device
 *
 * Context: Process context, may sleep.
 */
void tavor_layers_down(struct tavor_dev *dev)
{
	tavor_layers_down_from(dev, ARRAY_SIZE(tavor_layers));
}

/**
 * tavor_layers_up() - brings all layers up, or none
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno; the log names the layer. -ECANCELED: no device may be brought up
 * now.
 */
int tavor_layers_up(struct tavor_dev *dev)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(tavor_layers); i++) {
		err = READ_ONCE(*dev->unwanted) ? -ECANCELED : tavor_layers[i].init(dev);
		if (err) {
			dev_err(&dev->pdev->dev, "%s failed (%d)\n", tavor_layers[i].name, err);
			tavor_layers_down_from(dev, i);
			return err;
		}
	}
	return 0;
}
