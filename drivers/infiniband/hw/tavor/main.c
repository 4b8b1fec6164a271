// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The PCI function: probe, remove, shutdown, errors of the bus, sleep, and the module.
 *
 * The driver has an id table, so that it binds a card without a driver when it is loaded. It has no
 * module alias, because the distribution's ib_mthca has the same ids and must not be replaced
 * unexpectedly.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "debug.h"
#include "params.h"
#include "recovery.h"
#include "reset.h"
#include "tavor.h"
#include "trap.h"

MODULE_AUTHOR("The ib_tavor authors");
MODULE_DESCRIPTION("Mellanox MT23108 (Tavor) InfiniBand HCA with asynchronous control verbs");
MODULE_LICENSE("Dual BSD/GPL");

static int tavor_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return tavor_function_add(pdev);
}

/* After any error the state of the HCA is unknown, so it needs a reset. */
static pci_ers_result_t tavor_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	bool for_good = state == pci_channel_io_perm_failure;

	tavor_function_cut_off(pdev, for_good);
	return for_good ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t tavor_slot_reset(struct pci_dev *pdev)
{
	return tavor_function_slot_reset(pdev) ? PCI_ERS_RESULT_DISCONNECT :
						 PCI_ERS_RESULT_RECOVERED;
}

static const struct pci_error_handlers tavor_error_handlers = {
	.error_detected = tavor_error_detected,
	.slot_reset = tavor_slot_reset,
	.resume = tavor_function_resumed,
};

static int tavor_suspend(struct device *device)
{
	tavor_function_sleep(to_pci_dev(device));
	return 0;
}

static void tavor_complete(struct device *device)
{
	tavor_function_wake(to_pci_dev(device));
}

/* Whatever kind of sleep it is, the HCA's state is lost. */
static const struct dev_pm_ops tavor_pm_ops = {
	.suspend = tavor_suspend,
	.freeze = tavor_suspend,
	.poweroff = tavor_suspend,
	/* Not in resume: no child may be registered below a device before resume has ended. */
	.complete = tavor_complete,
};

static const struct pci_device_id tavor_ids[] = {
	{ PCI_DEVICE(TAVOR_PCI_MELLANOX, TAVOR_PCI_MT23108) },
	{ PCI_DEVICE(TAVOR_PCI_MELLANOX, TAVOR_PCI_MT25208_COMPAT) },
	{ PCI_DEVICE(TAVOR_PCI_TOPSPIN, TAVOR_PCI_MT23108) },
	{ PCI_DEVICE(TAVOR_PCI_TOPSPIN, TAVOR_PCI_MT25208_COMPAT) },
	{ }
};

static struct pci_driver tavor_driver = {
	.name = TAVOR_NAME,
	.id_table = tavor_ids,
	.probe = tavor_probe,
	.remove = tavor_function_remove,
	/* The next kernel must not find a device that still writes memory. */
	.shutdown = tavor_function_shutdown,
	.err_handler = &tavor_error_handlers,
	.driver.pm = pm_sleep_ptr(&tavor_pm_ops),
};

static int __init tavor_module_init(void)
{
	int err;

	err = tavor_params_check();
	if (err)
		return err;
	err = tavor_trap_init();
	if (err)
		return err;
	tavor_debug_init();
	err = pci_register_driver(&tavor_driver);
	if (err) {
		tavor_debug_exit();
		tavor_trap_exit();
	}
	return err;
}

static void __exit tavor_module_exit(void)
{
	pci_unregister_driver(&tavor_driver);
	tavor_reset_exit();
	tavor_debug_exit();
	tavor_trap_exit();
}

module_init(tavor_module_init);
module_exit(tavor_module_exit);
