// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The regions of the function: configuration space and three BARs. The BARs answer only while
 * memory space is enabled and no reset is in progress.
 */
#include "device/device.h"

#include <errno.h>
#include <linux/vfio.h>

static const struct region {
	const char *name;
	int (*read)(struct hca *h, u64 offset, void *buf, u32 len);
	int (*write)(struct hca *h, u64 offset, const void *buf, u32 len);
} bars[] = {
	[VFIO_PCI_BAR0_REGION_INDEX] = { "BAR0", regs_read, regs_write },
	[VFIO_PCI_BAR2_REGION_INDEX] = { "BAR2", uar_read, uar_write },
	[VFIO_PCI_BAR4_REGION_INDEX] = { "BAR4", window_read, window_write },
};

u64 region_size(const struct hca *h, u32 region)
{
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return BAR0_SIZE;
	case VFIO_PCI_BAR2_REGION_INDEX:
		return BAR2_SIZE;
	case VFIO_PCI_BAR4_REGION_INDEX:
		return ddr_hidden(h) ? 0 : ddr_size(h);
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return pci_config_size(h);
	default:
		return 0;
	}
}

/*
 * Returns whether the function answers the access. If it does not, reads return all ones and writes
 * are lost, as on a bus. Such an access is an error of the driver, whatever it does with the ones.
 */
static bool answers(struct hca *h, const struct region *r, u64 offset, u32 len, const char *what)
{
	if (regs_silent(h)) {
		violation(h, RULE_RESET_ACCESS, r->name, "%u-byte %s at 0x%llx during reset", len,
			  what, (unsigned long long)offset);
		return false;
	}
	if (!pci_memory_enabled(h)) {
		violation(h, RULE_PCI_MEMORY, r->name,
			  "%u-byte %s at 0x%llx with memory space disabled", len, what,
			  (unsigned long long)offset);
		return false;
	}
	return true;
}

int region_read(struct hca *h, u32 region, u64 offset, void *buf, u32 len)
{
	if (!len || offset >= region_size(h, region) || len > region_size(h, region) - offset)
		return -EINVAL;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		/* software polls configuration space to find the end of the reset (tavor-hw 3) */
		if (!regs_silent(h))
			return pci_config_read(h, offset, buf, len);
		memset(buf, 0xff, len);
		return 0;
	}
	if (!answers(h, &bars[region], offset, len, "read")) {
		memset(buf, 0xff, len);
		return 0;
	}
	return bars[region].read(h, offset, buf, len);
}

int region_write(struct hca *h, u32 region, u64 offset, const void *buf, u32 len)
{
	if (!len || offset >= region_size(h, region) || len > region_size(h, region) - offset)
		return -EINVAL;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (!regs_silent(h))
			return pci_config_write(h, offset, buf, len);
		/* a write would be lost without a notice to the driver, so it is an error */
		violation(h, RULE_RESET_ACCESS, "config", "%u-byte write at 0x%x during reset", len,
			  (u32)offset);
		return 0;
	}
	if (!answers(h, &bars[region], offset, len, "write"))
		return 0;
	return bars[region].write(h, offset, buf, len);
}
