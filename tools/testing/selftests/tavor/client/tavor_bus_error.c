// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Simulates errors of the bus as the kernel reports them to a driver. A PCI-X card has no AER, and
 * only some machines monitor their slots. So this module calls the handlers of the device's driver,
 * with the device's lock held, and changes the function as such a bus does: a function that is cut
 * off answers no read and accepts no write of its memory, and after a reset of the slot the
 * function's configuration space is lost. For bus_error.sh.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "hca.h"

static char verdict[16];
module_param_string(verdict, verdict, sizeof(verdict), 0444);
MODULE_PARM_DESC(verdict, "what the driver has answered to the last report");

static const char *verdict_name(pci_ers_result_t result)
{
	switch (result) {
	case PCI_ERS_RESULT_CAN_RECOVER:
		return "can recover";
	case PCI_ERS_RESULT_NEED_RESET:
		return "need reset";
	case PCI_ERS_RESULT_DISCONNECT:
		return "disconnect";
	case PCI_ERS_RESULT_RECOVERED:
		return "recovered";
	default:
		return "none";
	}
}

static void memory_off(struct pci_dev *pdev)
{
	u16 command;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_write_config_word(pdev, PCI_COMMAND, command & ~PCI_COMMAND_MEMORY);
}

/* ---- Reports, each with the device's lock held ---- */

static pci_ers_result_t report_frozen(struct pci_dev *pdev,
				      const struct pci_error_handlers *handlers)
{
	pdev->error_state = pci_channel_io_frozen;
	return handlers->error_detected(pdev, pci_channel_io_frozen);
}

static pci_ers_result_t report_nonfatal(struct pci_dev *pdev,
					const struct pci_error_handlers *handlers)
{
	return handlers->error_detected(pdev, pci_channel_io_normal);
}

static pci_ers_result_t report_permanent(struct pci_dev *pdev,
					 const struct pci_error_handlers *handlers)
{
	pdev->error_state = pci_channel_io_perm_failure;
	return handlers->error_detected(pdev, pci_channel_io_perm_failure);
}

static pci_ers_result_t report_reset(struct pci_dev *pdev,
				     const struct pci_error_handlers *handlers)
{
	pdev->error_state = pci_channel_io_normal;
	hca_forget_config(pdev);
	return handlers->slot_reset(pdev);
}

static pci_ers_result_t report_resume(struct pci_dev *pdev,
				      const struct pci_error_handlers *handlers)
{
	handlers->resume(pdev);
	return PCI_ERS_RESULT_NONE;
}

/* Nothing to report: the slot is cut off before the driver hears of it. */
static pci_ers_result_t report_cut(struct pci_dev *pdev, const struct pci_error_handlers *handlers)
{
	memory_off(pdev);
	return PCI_ERS_RESULT_NONE;
}

/* Nothing to report here either: the slot has been repaired. */
static pci_ers_result_t report_repaired(struct pci_dev *pdev,
					const struct pci_error_handlers *handlers)
{
	pdev->error_state = pci_channel_io_normal;
	return PCI_ERS_RESULT_NONE;
}

static const struct {
	const char *name;
	pci_ers_result_t (*make)(struct pci_dev *pdev, const struct pci_error_handlers *handlers);
} reports[] = {
	{ "frozen", report_frozen },
	{ "nonfatal", report_nonfatal },
	{ "cut", report_cut },
	{ "permanent", report_permanent },
	{ "reset", report_reset },
	{ "resume", report_resume },
	{ "repaired", report_repaired },
};

static int report_make(struct pci_dev *pdev, const char *name)
{
	const struct pci_error_handlers *handlers;
	int ret = -EINVAL;
	int i;

	device_lock(&pdev->dev);
	handlers = pdev->driver ? pdev->driver->err_handler : NULL;
	for (i = 0; i < ARRAY_SIZE(reports); i++) {
		if (!sysfs_streq(name, reports[i].name))
			continue;
		if (!handlers && reports[i].make != report_repaired) {
			ret = -ENODEV;
			break;
		}
		strscpy(verdict, verdict_name(reports[i].make(pdev, handlers)), sizeof(verdict));
		ret = 0;
	}
	device_unlock(&pdev->dev);
	return ret;
}

static int report_set(const char *value, const struct kernel_param *param)
{
	struct pci_dev *pdev = hca_find();
	int ret;

	if (!pdev)
		return -ENODEV;
	ret = report_make(pdev, value);
	pci_dev_put(pdev);
	return ret;
}

static const struct kernel_param_ops report_ops = {
	.set = report_set,
};
module_param_cb(report, &report_ops, NULL, 0200);
MODULE_PARM_DESC(report, "frozen, nonfatal, cut, permanent, reset, resume or repaired");

static int __init tavor_bus_error_init(void)
{
	return 0;
}

/* A module without an exit function could not be unloaded. */
static void __exit tavor_bus_error_exit(void)
{
}

module_init(tavor_bus_error_init);
module_exit(tavor_bus_error_exit);

MODULE_DESCRIPTION("Reports errors of the bus to the driver of an HCA");
MODULE_LICENSE("Dual BSD/GPL");
