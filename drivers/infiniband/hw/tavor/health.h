/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Failures of the device in devlink.
 */
#ifndef TAVOR_HEALTH_H
#define TAVOR_HEALTH_H

#include <linux/err.h>
#include <linux/pci.h>
#include <linux/types.h>

#define TAVOR_HEALTH_DWORDS	256

struct tavor_health;

/**
 * struct tavor_health_error - a failure
 * @reason: the same text as in the log
 * @dwords: number of valid elements of @dword
 * @dword: contents of the HCA's error buffer
 */
struct tavor_health_error {
	char reason[96];
	u32 dwords;
	u32 dword[TAVOR_HEALTH_DWORDS];
};

/**
 * struct tavor_health_info - the device that came up last
 * @fw: version of its firmware
 * @board_id: from QUERY_ADAPTER; may be empty
 * @asic_id: the chip's device id
 * @asic_rev: the chip's revision
 */
struct tavor_health_info {
	char fw[24];
	char board_id[64];
	u32 asic_id;
	u32 asic_rev;
};

#if IS_ENABLED(CONFIG_NET_DEVLINK)
struct tavor_health *tavor_health_create(struct pci_dev *pdev,
					 int (*recover)(struct pci_dev *pdev));
void tavor_health_destroy(struct tavor_health *health);
void tavor_health_set_info(struct tavor_health *health, const struct tavor_health_info *info);
bool tavor_health_report(struct tavor_health *health, const struct tavor_health_error *error);
void tavor_health_recovered(struct tavor_health *health);
#else
/* Without devlink a device is recovered automatically, or by unbind and bind. */
static inline struct tavor_health *tavor_health_create(struct pci_dev *pdev,
						       int (*recover)(struct pci_dev *pdev))
{
	return NULL;
}

static inline void tavor_health_destroy(struct tavor_health *health)
{
}

static inline void tavor_health_set_info(struct tavor_health *health,
					 const struct tavor_health_info *info)
{
}

static inline bool tavor_health_report(struct tavor_health *health,
				       const struct tavor_health_error *error)
{
	return true;
}

static inline void tavor_health_recovered(struct tavor_health *health)
{
}
#endif

#endif /* TAVOR_HEALTH_H */
