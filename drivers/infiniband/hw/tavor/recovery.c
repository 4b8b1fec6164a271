// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A PCI function and its device. A device that has failed is recovered: it is unregistered, and a
 * new one is reset, brought up and registered. No request waits for this: a failed device completes
 * all its requests at once.
 *
 * A recovery sleeps, and a failure may be found in softirq, so this file has the only work item of
 * the modules. A recovery that the administrator starts (health.c) runs in the caller's context.
 *
 * If a device fails repeatedly, the delay before its recovery increases, and at last it is not
 * recovered any more.
 */
#include <linux/bitops.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "catas.h"
#include "dispatch.h"
#include "health.h"
#include "layers.h"
#include "params.h"
#include "recovery.h"
#include "reset.h"
#include "tavor.h"

/*
 * The second recovery in a row waits for a second, about as long as a reset takes. Each further one
 * waits twice as long as the one before, at most a minute.
 */
#define RECOVERY_DELAY		HZ
#define RECOVERY_MAX_DELAY	(60 * HZ)

/* Recoveries are in a row unless a device has worked for so long between them. */
#define RECOVERY_CALM		(10 * 60 * HZ)

/* Reasons why no device is brought up now */
enum {
	FUNCTION_ENDING,	/* the driver is unbound, or the machine shuts down */
	FUNCTION_CUT_OFF,	/* PCI error; the slot has not been reset yet */
	FUNCTION_ASLEEP,	/* the machine is suspended */
};

/* Those for which a failure is not reported. */
#define FUNCTION_AWAY	(BIT(FUNCTION_ENDING) | BIT(FUNCTION_ASLEEP))

/**
 * struct tavor_function - a PCI function; it outlives its devices
 * @pdev: the function
 * @health: devlink's view of it
 * @work: recovery
 * @turn: serializes recoveries; taken before @lock. It also guards @in_a_row
 * @lock: guards @dev; held while a device is brought up
 * @dev: the device; NULL: there is none, or it is being taken down
 * @up: when it came up, in jiffies
 * @unwanted: bits: reasons why no device is brought up now; changed under the function's device
 *	lock
 * @end: woken when one of these is set; ends the delay before a recovery
 * @in_a_row: number of recoveries in a row so far
 * @error: buffer for the report, which is too large for the stack
 */
struct tavor_function {
	struct pci_dev *pdev;
	struct tavor_health *health;
	struct work_struct work;
	struct mutex turn;		/* see above */
	struct mutex lock;		/* see above */
	struct tavor_dev *dev;
	unsigned long up;
	unsigned long unwanted;
	wait_queue_head_t end;
	unsigned int in_a_row;
	struct tavor_health_error error;
};

/* ---- The device ---- */

static bool tavor_function_wanted(const struct tavor_function *function)
{
	return !READ_ONCE(function->unwanted);
}

/* Prevents further recoveries. A recovery in progress ends at its next layer. */
static void tavor_function_unwant(struct tavor_function *function, int why)
{
	set_bit(why, &function->unwanted);
	wake_up_all(&function->end);
}

/* The function's device has failed. Any context down to softirq. */
static void tavor_recovery_start(struct tavor_function *function)
{
	schedule_work(&function->work);
}

static struct tavor_dev *tavor_dev_create(struct tavor_function *function)
{
	struct tavor_dev *dev = ib_alloc_device(tavor_dev, ib_dev);

	if (!dev)
		return NULL;
	dev->pdev = function->pdev;
	dev->function = function;
	dev->failed = tavor_recovery_start;
	dev->unwanted = &function->unwanted;
	dev->want_msix = tavor_params.msi_x;
	tavor_dispatch_init(dev);
	spin_lock_init(&dev->rings_lock);
	INIT_LIST_HEAD(&dev->processes);
	mutex_init(&dev->processes_lock);
	spin_lock_init(&dev->queues_lock);
	return dev;
}

static void tavor_function_tell_info(struct tavor_function *function, const struct tavor_dev *dev)
{
	struct tavor_health_info info = {
		.asic_id = dev->adapter.device_id,
		.asic_rev = dev->adapter.revision,
	};

	tavor_fw_version_str(dev, info.fw, sizeof(info.fw));
	strscpy(info.board_id, dev->adapter.board_id, sizeof(info.board_id));
	tavor_health_set_info(function->health, &info);
}

static int tavor_function_up(struct tavor_function *function)
{
	struct tavor_dev *dev;
	int err;

	lockdep_assert_held(&function->lock);
	dev = tavor_dev_create(function);
	if (!dev)
		return -ENOMEM;
	err = tavor_layers_up(dev);
	if (err) {
		ib_dealloc_device(&dev->ib_dev);
		return err;
	}
	function->dev = dev;
	function->up = jiffies;
	tavor_function_tell_info(function, dev);
	return 0;
}

static void tavor_function_down(struct tavor_function *function)
{
	struct tavor_dev *dev;

	mutex_lock(&function->lock);
	dev = function->dev;
	function->dev = NULL;
	mutex_unlock(&function->lock);
	if (!dev)
		return;
	tavor_layers_down(dev);
	ib_dealloc_device(&dev->ib_dev);
}

static bool tavor_function_works(struct tavor_function *function)
{
	bool works;

	mutex_lock(&function->lock);
	works = function->dev && !vrb_device_failed(function->dev->vrb);
	mutex_unlock(&function->lock);
	return works;
}

/* ---- Recovery ---- */

/*
 * When this returns there is no automatic recovery, and there will be none of any kind. One that
 * the administrator has started may still run: tavor_health_destroy() waits for it.
 */
static void tavor_recovery_stop(struct tavor_function *function)
{
	tavor_function_unwant(function, FUNCTION_ENDING);
	disable_work_sync(&function->work);
}

/* If the device has worked for long enough, a new row of recoveries begins. */
static void tavor_recovery_calm(struct tavor_function *function)
{
	mutex_lock(&function->turn);
	mutex_lock(&function->lock);
	if (function->dev && time_after(jiffies, function->up + RECOVERY_CALM))
		function->in_a_row = 0;
	mutex_unlock(&function->lock);
	mutex_unlock(&function->turn);
}

static int tavor_recover(struct tavor_function *function)
{
	struct pci_dev *pdev = function->pdev;
	int err;

	lockdep_assert_held(&function->turn);
	dev_info(&pdev->dev, "recovery: the device is taken away and reset\n");
	tavor_function_down(function);
	mutex_lock(&function->lock);
	if (tavor_function_wanted(function))
		err = tavor_function_up(function);
	else
		err = -ENODEV;
	mutex_unlock(&function->lock);
	if (err)
		dev_err(&pdev->dev, "recovery: the device did not come back (%d)\n", err);
	else
		dev_info(&pdev->dev, "recovery: the device is back\n");
	return err;
}

/* The administrator asks for a recovery, which does not depend on the number of earlier ones. */
static int tavor_recovery_by_hand(struct pci_dev *pdev)
{
	struct tavor_function *function = pci_get_drvdata(pdev);
	int err = 0;

	mutex_lock(&function->turn);
	if (!tavor_function_wanted(function)) {
		err = -EBUSY;
	} else if (!tavor_function_works(function)) {
		function->in_a_row = 0;
		err = tavor_recover(function);
	}
	mutex_unlock(&function->turn);
	return err;
}

static unsigned long tavor_recovery_delay(const struct tavor_function *function)
{
	unsigned int n = READ_ONCE(function->in_a_row);

	return n ? min(RECOVERY_DELAY << min(n - 1, 6U), RECOVERY_MAX_DELAY) : 0;
}

/* Whether a device must be recovered; stores the reason of its failure. */
static bool tavor_recovery_needed(struct tavor_function *function)
{
	struct tavor_health_error *error = &function->error;
	struct tavor_dev *dev;
	bool needed;

	mutex_lock(&function->lock);
	dev = function->dev;
	needed = dev && vrb_device_failed(dev->vrb) &&
		 !(READ_ONCE(function->unwanted) & FUNCTION_AWAY);
	if (needed) {
		strscpy(error->reason, READ_ONCE(dev->reason) ?: "unknown", sizeof(error->reason));
		error->dwords = tavor_catas_read(dev, error->dword, TAVOR_HEALTH_DWORDS);
	}
	mutex_unlock(&function->lock);
	return needed;
}

static bool tavor_recovery_possible(struct tavor_function *function)
{
	struct device *device = &function->pdev->dev;
	const unsigned int n = READ_ONCE(function->in_a_row);

	if (!tavor_function_wanted(function))
		return false;
	if (n >= READ_ONCE(tavor_params.recoveries)) {
		dev_err(device, "recovery: given up after %u in a row\n", n);
		return false;
	}
	/* After a reset that has failed it responds only when the next one has restored it. */
	if (!pci_device_is_present(function->pdev) && !tavor_reset_unrestored(function->pdev)) {
		dev_err(device, "recovery: the device is gone\n");
		return false;
	}
	return true;
}

/* Waits before the next recovery. Returns false if there must be none. */
static bool tavor_recovery_wait(struct tavor_function *function)
{
	const unsigned int limit = READ_ONCE(tavor_params.recoveries);
	const unsigned int n = READ_ONCE(function->in_a_row);
	struct device *device = &function->pdev->dev;
	unsigned long delay = tavor_recovery_delay(function);

	if (!tavor_recovery_possible(function))
		return false;
	if (delay)
		dev_warn(device, "recovery: number %u of %u in a row, in %lu s\n", n + 1, limit,
			 delay / HZ);
	wait_event_idle_timeout(function->end, !tavor_function_wanted(function), delay);
	return tavor_function_wanted(function);
}

/* Returns whether the device works; the administrator may have recovered it meanwhile. */
static bool tavor_recovery_try(struct tavor_function *function)
{
	bool works;

	mutex_lock(&function->turn);
	works = tavor_function_works(function);
	if (!works) {
		function->in_a_row++;
		works = !tavor_recover(function);
	}
	mutex_unlock(&function->turn);
	return works;
}

static void tavor_recovery_hint(struct tavor_function *function)
{
	const char *name = pci_name(function->pdev);

	if (!tavor_function_wanted(function))
		return;
	dev_err(&function->pdev->dev,
		"recovery: by hand: devlink health recover pci/%s reporter fatal; or unbind and bind\n",
		name);
}

static void tavor_recovery_work(struct work_struct *work)
{
	struct tavor_function *function = container_of(work, struct tavor_function, work);

	if (!tavor_recovery_needed(function))
		return;
	if (!tavor_health_report(function->health, &function->error)) {
		dev_err(&function->pdev->dev,
			"recovery: automatic recovery is disabled in devlink\n");
		tavor_recovery_hint(function);
		return;
	}
	tavor_recovery_calm(function);
	while (tavor_recovery_wait(function)) {
		if (tavor_recovery_try(function)) {
			tavor_health_recovered(function->health);
			return;
		}
	}
	tavor_recovery_hint(function);
}

/* ---- The function ---- */

static struct tavor_function *tavor_function_create(struct pci_dev *pdev)
{
	struct tavor_function *function = kzalloc(sizeof(*function), GFP_KERNEL);

	if (!function)
		return NULL;
	function->pdev = pdev;
	INIT_WORK(&function->work, tavor_recovery_work);
	mutex_init(&function->turn);
	mutex_init(&function->lock);
	init_waitqueue_head(&function->end);
	return function;
}

static void tavor_function_free(struct tavor_function *function)
{
	mutex_destroy(&function->lock);
	mutex_destroy(&function->turn);
	kfree(function);
}

static int tavor_function_start(struct tavor_function *function)
{
	int err;

	mutex_lock(&function->lock);
	err = tavor_function_up(function);
	mutex_unlock(&function->lock);
	return err;
}

/**
 * tavor_function_add() - brings up the device of a function, and recovers it when it fails
 * @pdev: function
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno. A device that fails here is not recovered.
 */
int tavor_function_add(struct pci_dev *pdev)
{
	struct tavor_function *function = tavor_function_create(pdev);
	int err;

	if (!function)
		return -ENOMEM;
	pci_set_drvdata(pdev, function);
	function->health = tavor_health_create(pdev, tavor_recovery_by_hand);
	if (IS_ERR(function->health)) {
		err = PTR_ERR(function->health);
		goto free_function;
	}
	err = tavor_function_start(function);
	if (!err)
		return 0;
	tavor_recovery_stop(function);
	tavor_health_destroy(function->health);
free_function:
	tavor_function_free(function);
	return err;
}

/**
 * tavor_function_remove() - counterpart of tavor_function_add()
 * @pdev: function
 *
 * A recovery in progress ends first, at its next layer. So this may wait for the end of a reset, or
 * until ib_core's clients have released the old device.
 *
 * Context: Process context, may sleep.
 */
void tavor_function_remove(struct pci_dev *pdev)
{
	struct tavor_function *function = pci_get_drvdata(pdev);

	tavor_recovery_stop(function);
	tavor_health_destroy(function->health);
	tavor_function_down(function);
	tavor_function_free(function);
}

/**
 * tavor_function_shutdown() - stops the device for good: it writes no memory any more
 * @pdev: function
 *
 * Waits for a recovery that is bringing up a device. A device that a recovery is taking down has
 * been stopped by its failure already.
 *
 * Context: Process context, may sleep.
 */
void tavor_function_shutdown(struct pci_dev *pdev)
{
	struct tavor_function *function = pci_get_drvdata(pdev);
	struct tavor_dev *dev;

	tavor_function_unwant(function, FUNCTION_ENDING);
	mutex_lock(&function->lock);
	dev = function->dev;
	if (dev) {
		tavor_dispatch_off(dev);
		vrb_device_stop(dev->vrb, "shutdown");
	}
	mutex_unlock(&function->lock);
}

/* ---- Errors of the bus ---- */

/**
 * tavor_function_cut_off() - the bus has an error: stops the device
 * @pdev: function, which may be inaccessible now
 * @for_good: the function will stay inaccessible
 *
 * When this returns the device has failed, and is not recovered until tavor_function_slot_reset().
 * This waits for a recovery that is bringing up a device, which ends without one.
 *
 * Context: Process context, may sleep.
 */
void tavor_function_cut_off(struct pci_dev *pdev, bool for_good)
{
	struct tavor_function *function = pci_get_drvdata(pdev);

	tavor_function_unwant(function, FUNCTION_CUT_OFF);
	mutex_lock(&function->lock);
	if (function->dev)
		vrb_device_fail(function->dev->vrb, "PCI error");
	mutex_unlock(&function->lock);
	if (for_good)
		dev_err(&pdev->dev,
			"PCI error: permanent: the device does not come back before it is bound anew\n");
	else
		dev_err(&pdev->dev, "PCI error: the device is stopped until its slot is reset\n");
}

/**
 * tavor_function_slot_reset() - the slot has been reset: recovers the device
 * @pdev: function, whose configuration space may be in its initial state
 *
 * Counts as an automatic recovery, but without a delay, because the bus waits.
 *
 * Context: Process context, sleeps for a second and more.
 * Return: 0; -EIO: it did not come back, the log says why.
 */
int tavor_function_slot_reset(struct pci_dev *pdev)
{
	struct tavor_function *function = pci_get_drvdata(pdev);
	bool works;

	/* The report of the failure must come before the recovery. */
	flush_work(&function->work);
	pci_restore_state(pdev);
	clear_bit(FUNCTION_CUT_OFF, &function->unwanted);
	tavor_recovery_calm(function);
	works = tavor_recovery_possible(function) && tavor_recovery_try(function);
	if (works)
		return 0;
	dev_err(&pdev->dev, "PCI error: the slot has been reset, but the device is not back\n");
	tavor_recovery_hint(function);
	return -EIO;
}

/**
 * tavor_function_resumed() - the bus works again, with all devices that the error had affected
 * @pdev: function
 *
 * Context: Process context, may sleep.
 */
void tavor_function_resumed(struct pci_dev *pdev)
{
	struct tavor_function *function = pci_get_drvdata(pdev);

	if (tavor_function_works(function))
		tavor_health_recovered(function->health);
}

/* ---- Suspend and resume ---- */

/**
 * tavor_function_sleep() - the machine is being suspended: takes the device down
 * @pdev: function
 *
 * The device loses its state, so its users see a removal, as in a recovery. A recovery in progress
 * ends first.
 *
 * Context: Process context, may sleep.
 */
void tavor_function_sleep(struct pci_dev *pdev)
{
	struct tavor_function *function = pci_get_drvdata(pdev);

	tavor_function_unwant(function, FUNCTION_ASLEEP);
	flush_work(&function->work);
	mutex_lock(&function->turn);
	mutex_lock(&function->lock);
	if (function->dev) {
		vrb_device_stop(function->dev->vrb, "suspend");
		/* Before the device is taken down and its clients are gone. */
		tavor_fatal(function->dev);
	}
	mutex_unlock(&function->lock);
	tavor_function_down(function);
	mutex_unlock(&function->turn);
}

/* Reports a failure after resume. There was no report before it, because the device was stopped. */
static void tavor_function_overslept(struct tavor_function *function)
{
	function->error.dwords = 0;
	strscpy(function->error.reason, "not back after a sleep", sizeof(function->error.reason));
	tavor_health_report(function->health, &function->error);
	tavor_recovery_hint(function);
}

/**
 * tavor_function_wake() - the machine has resumed: brings the device up
 * @pdev: function; nothing happens if tavor_function_sleep() was not called
 *
 * The state before the suspend does not matter: a device that had failed for good may work again.
 *
 * Context: Process context, sleeps for a second and more.
 */
void tavor_function_wake(struct pci_dev *pdev)
{
	struct tavor_function *function = pci_get_drvdata(pdev);
	int err;

	if (!test_and_clear_bit(FUNCTION_ASLEEP, &function->unwanted))
		return;
	mutex_lock(&function->turn);
	err = tavor_recover(function);
	mutex_unlock(&function->turn);
	if (err)
		tavor_function_overslept(function);
	else
		tavor_health_recovered(function->health);
}
