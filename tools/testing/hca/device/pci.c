// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The PCI function (tavor-hw 1): configuration space with its capabilities, bus mastering, and the
 * choice between INTx, MSI and MSI-X when an event queue raises an interrupt.
 */
#include "core/bytes.h"
#include "device/device.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIG_SIZE 256
#define CONFIG_SIZE_PCIE 4096
#define GATEWAY 0x58 /* CR-space address and data; must not be saved and restored (tavor-hw 1.2) */
#define VPD_SIZE 128

struct pci {
	u8 cfg[CONFIG_SIZE_PCIE], mask[CONFIG_SIZE_PCIE];
	u8 vpd[VPD_SIZE];
	u32 size;
	u16 device;
	u8 msix_cap, msi_cap, vpd_cap;
	u8 pin;
	bool intx;	 /* level of the INTx pin */
	bool was_master; /* bus mastering was on since the reset */
};

static struct pci *pci_of(const struct hca *h)
{
	return hca_part(h, PART_PCI);
}

/* --- accessors for little-endian fields ------------------------------------------------------- */

static u32 le_get(const u8 *p, int len)
{
	u32 v = 0;

	while (len--)
		v = v << 8 | p[len];
	return v;
}

static void le_put(u8 *p, u32 v, int len)
{
	int i;

	for (i = 0; i < len; i++, v >>= 8)
		p[i] = v;
}

/* Sets the initial value of a field and the bits that software can write. */
static void field(struct pci *p, u32 at, int len, u32 value, u32 writable)
{
	le_put(p->cfg + at, value, len);
	le_put(p->mask + at, writable, len);
}

/* --- the two types of device ------------------------------------------------------------------ */

/* Adds a capability at the end of the chain. */
static void add_cap(struct pci *p, u8 at, u8 id)
{
	u8 *link = &p->cfg[PCI_CAPABILITY_LIST];

	while (*link)
		link = &p->cfg[*link + 1];
	*link = at;
	p->cfg[at] = id;
}

/* Address bits below the size read as zero, which tells software the size. */
static void add_bar(struct pci *p, int bar, u64 size, bool prefetch)
{
	u32 at = PCI_BASE_ADDRESS_0 + 4 * bar;

	field(p, at, 4,
	      PCI_BASE_ADDRESS_MEM_TYPE_64 | (prefetch ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0),
	      ~(u32)(size - 1));
	field(p, at + 4, 4, 0, ~(u32)((size - 1) >> 32));
}

static void add_msix(struct pci *p, u8 at)
{
	add_cap(p, at, PCI_CAP_ID_MSIX);
	field(p, at + 2, 2, MSIX_VECTORS - 1, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	field(p, at + 4, 4, MSIX_TABLE, 0);
	field(p, at + 8, 4, MSIX_PBA, 0);
	p->msix_cap = at;
}

/* MSI with 64-bit addresses and 32 messages */
static void add_msi(struct pci *p, u8 at)
{
	add_cap(p, at, PCI_CAP_ID_MSI);
	field(p, at + 2, 2, PCI_MSI_FLAGS_64BIT | 5 << 1,
	      PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	field(p, at + 4, 4, 0, 0xfffffffc);
	field(p, at + 8, 4, 0, 0xffffffff);
	field(p, at + 12, 2, 0, 0xffff);
	p->msi_cap = at;
}

static void add_vpd(struct pci *p, u8 at)
{
	add_cap(p, at, PCI_CAP_ID_VPD);
	p->vpd_cap = at;
}

static void mt23108_caps(struct pci *p)
{
	add_msix(p, 0x40);
	add_vpd(p, 0x50);
	add_msi(p, 0x60);
	add_cap(p, 0x70, PCI_CAP_ID_PCIX);
	field(p, 0x72, 2, 0, 0x7f);
	field(p, 0x74, 4, PCI_X_STATUS_64BIT | PCI_X_STATUS_133MHZ | 0x00ff00f8, 0);
}

/* PCI Express endpoint, 2.5 GT/s x8 */
static void mt25208_caps(struct pci *p)
{
	add_cap(p, 0x40, PCI_CAP_ID_PM);
	field(p, 0x42, 2, 2, 0);
	field(p, 0x44, 2, 0, 3);
	add_vpd(p, 0x48);
	add_cap(p, 0x60, PCI_CAP_ID_EXP);
	field(p, 0x62, 2, 1, 0);
	field(p, 0x64, 4, 0, 0);
	field(p, 0x68, 2, 0x2010, 0x7fef);
	field(p, 0x6c, 4, 0x00000081, 0);
	field(p, 0x70, 2, 0, 0x01cb);
	field(p, 0x72, 2, 0x0081, 0);
	add_msix(p, 0x84);
	add_msi(p, 0x90);
}

static u16 add_vpd_field(struct pci *p, u16 at, const char *key, const char *text)
{
	u8 len = strlen(text);

	memcpy(p->vpd + at, key, 2);
	p->vpd[at + 2] = len;
	memcpy(p->vpd + at + 3, text, len);
	return at + 3 + len;
}

/* Fills the VPD: identifier, part and serial number, and a checksum that makes the sum zero. */
static void fill_vpd(struct pci *p)
{
	static const char name[] = "InfiniBand host channel adapter (model)";
	u16 at = 3 + sizeof(name) - 1, start, i;
	u8 sum = 0;

	p->vpd[0] = 0x82; /* identifier string */
	le_put(p->vpd + 1, sizeof(name) - 1, 2);
	memcpy(p->vpd + 3, name, sizeof(name) - 1);
	p->vpd[at] = 0x90; /* read-only fields */
	start = at + 3;
	at = add_vpd_field(p, start, "PN", "TAVOR-MODEL");
	at = add_vpd_field(p, at, "SN", "0");
	memcpy(p->vpd + at, "RV", 2);
	p->vpd[at + 2] = 1;
	le_put(p->vpd + start - 2, at + 4 - start, 2);
	for (i = 0; i < at + 3; i++)
		sum += p->vpd[i];
	p->vpd[at + 3] = -sum;
	p->vpd[at + 4] = 0x78; /* end tag */
}

/*
 * Sets the whole configuration space to its initial values, with BARs and COMMAND zero
 * (tavor-hw 3).
 */
static void power_on(struct hca *h)
{
	struct pci *p = pci_of(h);

	memset(p->cfg, 0, sizeof(p->cfg));
	memset(p->mask, 0, sizeof(p->mask));
	p->was_master = false;
	field(p, PCI_VENDOR_ID, 2, opt_u64(h, "vendor"), 0);
	field(p, PCI_DEVICE_ID, 2, p->device, 0);
	field(p, PCI_COMMAND, 2, 0,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INVALIDATE |
		      PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	field(p, PCI_STATUS, 2, PCI_STATUS_CAP_LIST | PCI_STATUS_66MHZ | PCI_STATUS_DEVSEL_MEDIUM,
	      0);
	field(p, PCI_CLASS_REVISION, 4, 0x0c0600a1, 0);
	field(p, PCI_CACHE_LINE_SIZE, 2, 0, 0xffff);
	field(p, PCI_SUBSYSTEM_VENDOR_ID, 2, opt_u64(h, "vendor"), 0);
	field(p, PCI_SUBSYSTEM_ID, 2, p->device, 0);
	field(p, PCI_INTERRUPT_LINE, 1, 0, 0xff);
	field(p, PCI_INTERRUPT_PIN, 1, 1, 0);
	add_bar(p, 0, BAR0_SIZE, false);
	add_bar(p, 2, BAR2_SIZE, true);
	if (!ddr_hidden(h))
		add_bar(p, 4, ddr_size(h), true);
	if (p->size == CONFIG_SIZE)
		mt23108_caps(p);
	else
		mt25208_caps(p);
}

/* --- access ----------------------------------------------------------------------------------- */

u32 pci_config_size(const struct hca *h)
{
	return pci_of(h)->size;
}

int pci_config_read(struct hca *h, u32 offset, void *buf, u32 len)
{
	struct pci *p = pci_of(h);

	if (offset >= p->size || len > p->size - offset)
		return -EINVAL;
	memcpy(buf, p->cfg + offset, len);
	if (offset <= PCI_STATUS && offset + len > PCI_STATUS && p->intx)
		((u8 *)buf)[PCI_STATUS - offset] |= PCI_STATUS_INTERRUPT;
	return 0;
}

/*
 * A VPD read completes at once: software writes the address with flag 0, and flag 1 shows the data.
 */
static void vpd_access(struct pci *p)
{
	u16 at = le_get(p->cfg + p->vpd_cap + 2, 2);

	if (at & PCI_VPD_ADDR_F) /* a write: the VPD is read-only, but the access completes */
		at &= ~PCI_VPD_ADDR_F;
	else
		at |= PCI_VPD_ADDR_F;
	le_put(p->cfg + p->vpd_cap + 2, at, 2);
	at &= PCI_VPD_ADDR_MASK & ~3;
	memset(p->cfg + p->vpd_cap + 4, 0, 4);
	if (at + 4 <= VPD_SIZE)
		memcpy(p->cfg + p->vpd_cap + 4, p->vpd + at, 4);
}

static bool touches(u32 offset, u32 len, u32 at, u32 n)
{
	return offset < at + n && offset + len > at;
}

/*
 * Changes only writable bits; a driver that restores the space writes all of it. A change of
 * COMMAND can assert or deassert INTx at once.
 */
int pci_config_write(struct hca *h, u32 offset, const void *buf, u32 len)
{
	struct pci *p = pci_of(h);
	const u8 *from = buf;
	u32 i;

	if (offset >= p->size || len > p->size - offset)
		return -EINVAL;
	if (touches(offset, len, GATEWAY, 8) && p->size == CONFIG_SIZE)
		violation(h, RULE_PCI_GATEWAY, "config", "%u bytes written at 0x%x", len, offset);
	for (i = 0; i < len; i++)
		p->cfg[offset + i] = (p->cfg[offset + i] & ~p->mask[offset + i]) |
				     (from[i] & p->mask[offset + i]);
	if (offset <= p->vpd_cap + 2u && offset + len >= p->vpd_cap + 4u) {
		memcpy(p->cfg + p->vpd_cap + 2, from + (p->vpd_cap + 2 - offset), 2);
		vpd_access(p);
	}
	p->was_master |= pci_bus_master(h);
	if (touches(offset, len, PCI_COMMAND, 2))
		vfu_set_intx(h, p->intx && !(le_get(p->cfg + PCI_COMMAND, 2) &
					     PCI_COMMAND_INTX_DISABLE));
	return 0;
}

bool pci_bus_master(const struct hca *h)
{
	return pci_of(h)->cfg[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

bool pci_fenced(const struct hca *h)
{
	return pci_of(h)->was_master && !pci_bus_master(h);
}

bool pci_memory_enabled(const struct hca *h)
{
	return pci_of(h)->cfg[PCI_COMMAND] & PCI_COMMAND_MEMORY;
}

u64 pci_bar(const struct hca *h, int bar)
{
	const u8 *at = pci_of(h)->cfg + PCI_BASE_ADDRESS_0 + 4 * bar;

	return (le_get(at, 4) & ~0xfu) | (u64)le_get(at + 4, 4) << 32;
}

u16 pci_device_id(const struct hca *h)
{
	return pci_of(h)->device;
}

/* --- interrupts ------------------------------------------------------------------------------- */

/*
 * QEMU masks each vector in its own copy of the table. The model sees only the mask of the
 * function.
 */
static bool msix_on(const struct pci *p)
{
	u16 ctl = le_get(p->cfg + p->msix_cap + 2, 2);

	return (ctl & PCI_MSIX_FLAGS_ENABLE) && !(ctl & PCI_MSIX_FLAGS_MASKALL);
}

static bool msi_on(const struct pci *p)
{
	return p->cfg[p->msi_cap + 2] & PCI_MSI_FLAGS_ENABLE;
}

bool pci_msi_enabled(const struct hca *h)
{
	return msix_on(pci_of(h)) || msi_on(pci_of(h));
}

/* EQC.intr (tavor-hw 10.1): [7:6] 00 pin, 10 message; 60 means no interrupt */
bool pci_intr_valid(const struct hca *h, u8 intr)
{
	struct pci *p = pci_of(h);

	if (intr == 60)
		return true;
	if (intr >> 6 == 0)
		return intr == p->pin;
	return intr >> 6 == 2 && (intr & 0x3f) < MSIX_VECTORS && pci_msi_enabled(h);
}

/* The pin has a level even if COMMAND disables it; STATUS shows the level (PCI 2.3, 6.2.3). */
static void set_intx(struct hca *h, bool level)
{
	struct pci *p = pci_of(h);

	p->intx = level;
	vfu_set_intx(h, level && !(le_get(p->cfg + PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE));
}

/* A message is lost if the client has set no eventfd, as on a bus, or if lose_msix says so. */
void pci_raise(struct hca *h, u8 intr)
{
	struct pci *p = pci_of(h);

	if (intr == 60)
		return;
	if (intr >> 6 == 0) {
		count(h, "intx");
		set_intx(h, true);
	} else if (msix_on(p) && opt_bool(h, "lose_msix")) {
		count(h, "interrupt_lost");
	} else if (msix_on(p) && vfu_signal(h, VFIO_PCI_MSIX_IRQ_INDEX, intr & 0x3f)) {
		count(h, "msix");
	} else if (msi_on(p) && vfu_signal(h, VFIO_PCI_MSI_IRQ_INDEX, intr & 0x3f)) {
		count(h, "msi");
	} else {
		count(h, "interrupt_lost");
	}
}

/* Software deasserts the pin by writing its bit to CLR_INT (tavor-hw 2). */
void pci_clear_int(struct hca *h, u64 mask)
{
	struct pci *p = pci_of(h);

	if (mask >> p->pin & 1)
		set_intx(h, false);
}

/* --- start and end ---------------------------------------------------------------------------- */

void pci_reset(struct hca *h)
{
	power_on(h);
	set_intx(h, false);
}

/*
 * Checks more than the range of option values: with other values a driver would not bind, without
 * saying why.
 */
static bool identity_ok(struct hca *h)
{
	const char *device = opt_str(h, "device");
	u64 vendor = opt_u64(h, "vendor"), pin = opt_u64(h, "intx_pin");

	if (strcmp(device, "mt23108") && strcmp(device, "mt25208"))
		fprintf(stderr, "tavor-hca: device=%s: expected mt23108 or mt25208\n", device);
	else if (vendor != 0x15b3 && vendor != 0x1867)
		fprintf(stderr, "tavor-hca: vendor=0x%llx: expected 0x15b3 or 0x1867\n",
			(unsigned long long)vendor);
	else if (pin > 39 && pin != 63)
		fprintf(stderr, "tavor-hca: intx_pin=%llu: expected 0 to 39 or 63\n",
			(unsigned long long)pin);
	else
		return true;
	return false;
}

int pci_new(struct hca *h)
{
	struct pci *p;

	if (!identity_ok(h))
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->device = strcmp(opt_str(h, "device"), "mt23108") ? 0x6278 : 0x5a44;
	p->size = p->device == 0x5a44 ? CONFIG_SIZE : CONFIG_SIZE_PCIE;
	p->pin = opt_u64(h, "intx_pin");
	fill_vpd(p);
	hca_set_part(h, PART_PCI, p);
	power_on(h);
	return 0;
}

void pci_delete(struct hca *h)
{
	free(pci_of(h));
}
