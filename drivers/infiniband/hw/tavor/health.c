// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The function's devlink instance. It shows the board, the chip and the firmware, and has one
 * health reporter, "fatal". The reporter shows failures of the device with the contents of the
 * error buffer. With it the administrator can turn automatic recovery on and off, and start a
 * recovery.
 */
#include <linux/mutex.h>
#include <net/devlink.h>
#include <rdma/vrb_compat.h>

#include "health.h"

/**
 * struct tavor_health - the private part of the devlink instance
 * @pdev: the function
 * @reporter: "fatal"
 * @recover: recovers the function
 * @automatic: devlink has asked for an automatic recovery, during the current report
 * @lock: guards @error and @info
 * @error: the last failure
 * @info: of the device that came up last; all zero before the first
 */
struct tavor_health {
	struct pci_dev *pdev;
	struct devlink_health_reporter *reporter;
	int (*recover)(struct pci_dev *pdev);
	bool automatic;
	struct mutex lock;		/* see above */
	struct tavor_health_error error;
	struct tavor_health_info info;
};

/*
 * devlink's lock is held. With @context this is an automatic recovery, after a report: the caller
 * of tavor_health_report() then recovers the device later, without that lock.
 */
static int tavor_health_recover(struct devlink_health_reporter *reporter, void *context,
				struct netlink_ext_ack *extack)
{
	struct tavor_health *health = devlink_health_reporter_priv(reporter);
	int err;

	if (context) {
		health->automatic = true;
		return -EINPROGRESS;
	}
	err = health->recover(health->pdev);
	if (err)
		NL_SET_ERR_MSG_MOD(extack, "the device did not come back: see the log");
	return err;
}

static void tavor_health_put_buffer(struct devlink_fmsg *fmsg,
				    const struct tavor_health_error *error)
{
	char text[9];
	u32 i;

	devlink_fmsg_arr_pair_nest_start(fmsg, "error buffer");
	for (i = 0; i < error->dwords; i++) {
		snprintf(text, sizeof(text), "%08x", error->dword[i]);
		devlink_fmsg_string_put(fmsg, text);
	}
	devlink_fmsg_arr_pair_nest_end(fmsg);
}

static int tavor_health_dump(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
			     void *context, struct netlink_ext_ack *extack)
{
	struct tavor_health *health = devlink_health_reporter_priv(reporter);

	mutex_lock(&health->lock);
	devlink_fmsg_string_pair_put(fmsg, "reason", health->error.reason);
	tavor_health_put_buffer(fmsg, &health->error);
	mutex_unlock(&health->lock);
	return 0;
}

static const struct devlink_health_reporter_ops tavor_health_ops = {
	.name = "fatal",
	.recover = tavor_health_recover,
	.dump = tavor_health_dump,
};

static int tavor_health_put_chip(struct devlink_info_req *req, const struct tavor_health_info *info)
{
	char text[16];
	int err;

	snprintf(text, sizeof(text), "%u", info->asic_id);
	err = devlink_info_version_fixed_put(req, DEVLINK_INFO_VERSION_GENERIC_ASIC_ID, text);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%x", info->asic_rev);
	return devlink_info_version_fixed_put(req, DEVLINK_INFO_VERSION_GENERIC_ASIC_REV, text);
}

static int tavor_health_put_info(struct devlink_info_req *req, const struct tavor_health_info *info)
{
	int err = 0;

	if (info->board_id[0])
		err = devlink_info_version_fixed_put(req, DEVLINK_INFO_VERSION_GENERIC_BOARD_ID,
						     info->board_id);
	if (!err)
		err = tavor_health_put_chip(req, info);
	if (!err)
		err = devlink_info_version_running_put(req, DEVLINK_INFO_VERSION_GENERIC_FW,
						       info->fw);
	return err;
}

/* devlink's lock is held. */
static int tavor_health_info_get(struct devlink *devlink, struct devlink_info_req *req,
				 struct netlink_ext_ack *extack)
{
	struct tavor_health *health = devlink_priv(devlink);
	int err = 0;

	mutex_lock(&health->lock);
	if (health->info.fw[0])
		err = tavor_health_put_info(req, &health->info);
	mutex_unlock(&health->lock);
	return err;
}

static const struct devlink_ops tavor_devlink_ops = {
	.info_get = tavor_health_info_get,
};

/**
 * tavor_health_create() - creates the devlink instance of a function
 * @pdev: function
 * @recover: recovers the function when the administrator asks for it, and does nothing if the
 *	device works; in process context, with devlink's lock held
 *
 * Context: Process context, may sleep.
 * Return: the instance, or ERR_PTR().
 */
struct tavor_health *tavor_health_create(struct pci_dev *pdev,
					 int (*recover)(struct pci_dev *pdev))
{
	struct devlink *devlink;
	struct tavor_health *health;

	devlink = devlink_alloc(&tavor_devlink_ops, sizeof(*health), &pdev->dev);
	if (!devlink)
		return ERR_PTR(-ENOMEM);
	health = devlink_priv(devlink);
	health->pdev = pdev;
	health->recover = recover;
	mutex_init(&health->lock);
	health->reporter = vrb_health_reporter_create(devlink, &tavor_health_ops, health);
	if (IS_ERR(health->reporter)) {
		int err = PTR_ERR(health->reporter);

		devlink_free(devlink);
		return ERR_PTR(err);
	}
	devlink_register(devlink);
	return health;
}

/**
 * tavor_health_destroy() - counterpart of tavor_health_create()
 * @health: instance; nothing is reported to it any more
 *
 * Waits for a recovery that the administrator has started.
 *
 * Context: Process context, may sleep.
 */
void tavor_health_destroy(struct tavor_health *health)
{
	struct devlink *devlink = priv_to_devlink(health);

	devlink_unregister(devlink);
	devlink_health_reporter_destroy(health->reporter);
	mutex_destroy(&health->lock);
	devlink_free(devlink);
}

/**
 * tavor_health_set_info() - a device has come up
 * @health: instance
 * @info: its data; copied
 *
 * Context: Process context, may sleep.
 */
void tavor_health_set_info(struct tavor_health *health, const struct tavor_health_info *info)
{
	mutex_lock(&health->lock);
	health->info = *info;
	mutex_unlock(&health->lock);
}

/**
 * tavor_health_report() - the device has failed
 * @health: instance
 * @error: failure; copied
 *
 * Context: Process context, may sleep; one caller at a time, which holds no lock that @recover
 * takes.
 * Return: whether it must be recovered automatically.
 */
bool tavor_health_report(struct tavor_health *health, const struct tavor_health_error *error)
{
	mutex_lock(&health->lock);
	health->error = *error;
	mutex_unlock(&health->lock);
	health->automatic = false;
	devlink_health_report(health->reporter, error->reason, health);
	return health->automatic;
}

/**
 * tavor_health_recovered() - the device works again after an automatic recovery
 * @health: instance
 *
 * Context: Process context, may sleep.
 */
void tavor_health_recovered(struct tavor_health *health)
{
	devlink_health_reporter_recovery_done(health->reporter);
	devlink_health_reporter_state_update(health->reporter,
					     DEVLINK_HEALTH_REPORTER_STATE_HEALTHY);
}
