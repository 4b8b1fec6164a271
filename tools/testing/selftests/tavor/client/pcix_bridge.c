// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Simulates the bridge of a PCI-X card, which is reset together with the HCA. Its configuration
 * space is that of QEMU's bridge above the HCA, with the ids of the card's bridge and with a PCI-X
 * capability. When the HCA has been reset, this module writes the values after power-on to QEMU's
 * bridge. Then the HCA cannot be reached until the driver has restored the bridge. The parameter
 * "state" shows what has been lost and what has been restored. For bridge.sh.
 */
#include <linux/bits.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#define HEADER_DWORDS	16
#define CLASS_INFINIBAND	0x0c06
#define CAP		0x70	/* the PCI-X capability, where the card's bridge has it */
#define CAP_END		0x80
#define SPLIT		(CAP + 8)	/* two dwords: upstream, downstream */
#define SPLIT_LIMIT	16	/* the upper half is writable, the lower one is the capacity */
#define SPLIT_CAPACITY	0x20
#define SPLIT_RESET	(SPLIT_CAPACITY << SPLIT_LIMIT | SPLIT_CAPACITY)
#define NO_ANSWER	0xffff
#define CACHE_LINE	0x10
#define LATENCY		0x40

static bool pcix = true;
module_param(pcix, bool, 0644);
MODULE_PARM_DESC(pcix, "the bridge has a PCI-X capability");

static int away;

static struct {
	struct pci_dev *bridge, *hca;
	struct pci_ops *above, *below;	/* the original operations of the buses */
	raw_spinlock_t lock;		/* protects all that follows */
	u32 header[HEADER_DWORDS];	/* the header before the reset */
	u32 split_before[2], split[2];
	u16 command;			/* command register of the HCA; 0 after a reset */
	bool lost;			/* the bridge was reset, and the HCA does not work yet */
	int away;			/* this many more reads of the id fail */
	unsigned int resets, restored, polls, blind;
	u32 forgot, early, wrong;	/* bits: dwords of the header; the splits from bit 16 on */
} card = { .lock = __RAW_SPIN_LOCK_UNLOCKED(card.lock) };

/* ---- Accesses to the real bridge ---- */

static u32 bridge_read(int at)
{
	u32 value = ~0;

	card.above->read(card.bridge->bus, card.bridge->devfn, at, 4, &value);
	return value;
}

static void bridge_write(int at, int size, u32 value)
{
	card.above->write(card.bridge->bus, card.bridge->devfn, at, size, value);
}

static u16 hca_command(void)
{
	u32 value = NO_ANSWER;

	card.below->read(card.hca->bus, card.hca->devfn, PCI_COMMAND, 2, &value);
	return value;
}

/* ---- Reset ---- */

static void remember(void)
{
	int i;

	for (i = 0; i < HEADER_DWORDS; i++)
		card.header[i] = bridge_read(4 * i);
	memcpy(card.split_before, card.split, sizeof(card.split));
}

/* The status registers, in the upper halves, are not compared. */
static u32 differs(void)
{
	u32 found = 0, mask;
	int i;

	for (i = 0; i < HEADER_DWORDS; i++) {
		mask = i * 4 == PCI_COMMAND || i * 4 == PCI_IO_BASE ? 0xffff : ~0;
		if ((bridge_read(4 * i) ^ card.header[i]) & mask)
			found |= BIT(i);
	}
	for (i = 0; i < 2; i++)
		if (card.split[i] != card.split_before[i])
			found |= BIT(HEADER_DWORDS + i);
	return found;
}

static void power_on(void)
{
	int i;

	bridge_write(PCI_COMMAND, 2, 0);
	for (i = PCI_CACHE_LINE_SIZE / 4; i < HEADER_DWORDS; i++)
		bridge_write(4 * i, 4, 0);
	card.split[0] = SPLIT_RESET;
	card.split[1] = SPLIT_RESET;
}

/* A reset sets the HCA's command register to 0. Until then the HCA may not answer for a time. */
static void notice_reset(void)
{
	u16 command;

	if (card.lost || !card.command)
		return;
	command = hca_command();
	if (command && command != NO_ANSWER)
		return;
	power_on();
	card.command = 0;
	card.lost = true;
	card.away = away;
	card.resets++;
	card.forgot = differs();
}

static void hca_commanded(void)
{
	u16 command = hca_command();
	u32 left;

	card.command = command == NO_ANSWER ? 0 : command;
	if (!card.lost || !card.command)
		return;
	left = differs();
	card.wrong |= left;
	card.restored += !left;
	card.lost = false;
}

/* ---- Configuration space of the bridge ---- */

static u32 bridge_dword(int at)
{
	u32 real = bridge_read(at);

	if (at == PCI_VENDOR_ID)
		return card.bridge->device << 16 | card.bridge->vendor;
	if (!pcix)
		return real;
	if (at == PCI_COMMAND)
		return real | PCI_STATUS_CAP_LIST << 16;
	if (at == PCI_CAPABILITY_LIST)
		return (real & ~0xff) | CAP;
	if (at == CAP)
		return (bridge_read(PCI_CAPABILITY_LIST) & 0xff) << 8 | PCI_CAP_ID_PCIX;
	if (at >= SPLIT && at < CAP_END)
		return card.split[(at - SPLIT) / 4];
	return at > CAP && at < CAP_END ? 0 : real;
}

static void cap_write(int at, int size, u32 value)
{
	u32 *split = &card.split[(at - SPLIT) / 4];
	int shift = 8 * (at & 3);
	u32 mask = GENMASK(8 * size - 1, 0) << shift & GENMASK(31, SPLIT_LIMIT);

	if (at >= SPLIT)
		*split = (*split & ~mask) | (value << shift & mask);
}

static bool answers(int at)
{
	if (!card.lost)
		return true;
	if (at == PCI_VENDOR_ID)
		card.polls++;
	if (!card.away)
		return true;
	if (at == PCI_VENDOR_ID && card.away > 0)
		card.away--;
	return false;
}

static void bridge_written(int at, int size, u32 value)
{
	if (card.lost && card.away) {
		card.blind++;
	} else if (pcix && at >= CAP && at < CAP_END) {
		cap_write(at, size, value);
	} else {
		if (card.lost && at == PCI_COMMAND && (u16)value)
			card.early |= differs() & ~BIT(PCI_COMMAND / 4);
		bridge_write(at, size, value);
	}
	if (!card.lost)
		remember();
}

/* ---- The two buses ---- */

static int read_above(struct pci_bus *bus, unsigned int devfn, int at, int size, u32 *value)
{
	unsigned long flags;
	u32 dword = ~0;

	if (devfn != card.bridge->devfn)
		return card.above->read(bus, devfn, at, size, value);
	raw_spin_lock_irqsave(&card.lock, flags);
	notice_reset();
	if (answers(at))
		dword = bridge_dword(at & ~3) >> 8 * (at & 3);
	raw_spin_unlock_irqrestore(&card.lock, flags);
	*value = dword & GENMASK(8 * size - 1, 0);
	return PCIBIOS_SUCCESSFUL;
}

static int write_above(struct pci_bus *bus, unsigned int devfn, int at, int size, u32 value)
{
	unsigned long flags;

	if (devfn != card.bridge->devfn)
		return card.above->write(bus, devfn, at, size, value);
	raw_spin_lock_irqsave(&card.lock, flags);
	notice_reset();
	bridge_written(at, size, value);
	raw_spin_unlock_irqrestore(&card.lock, flags);
	return PCIBIOS_SUCCESSFUL;
}

static int read_below(struct pci_bus *bus, unsigned int devfn, int at, int size, u32 *value)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&card.lock, flags);
	notice_reset();
	ret = card.below->read(bus, devfn, at, size, value);
	raw_spin_unlock_irqrestore(&card.lock, flags);
	return ret;
}

static int write_below(struct pci_bus *bus, unsigned int devfn, int at, int size, u32 value)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&card.lock, flags);
	notice_reset();
	ret = card.below->write(bus, devfn, at, size, value);
	if (devfn == card.hca->devfn && at == PCI_COMMAND)
		hca_commanded();
	raw_spin_unlock_irqrestore(&card.lock, flags);
	return ret;
}

/* ---- Parameters with a function ---- */

static int state_show(char *text, const struct kernel_param *param)
{
	unsigned long flags;
	int len;

	raw_spin_lock_irqsave(&card.lock, flags);
	notice_reset();
	len = sysfs_emit(text, "resets %u\nrestored %u\nlost %d\npolls %u\nblind %u\n",
			 card.resets, card.restored, card.lost, card.polls, card.blind);
	len += sysfs_emit_at(text, len, "forgot %#x\nearly %#x\nwrong %#x\ndiffers %#x\n",
			     card.forgot, card.early, card.wrong, differs());
	raw_spin_unlock_irqrestore(&card.lock, flags);
	return len;
}

static const struct kernel_param_ops state_ops = { .get = state_show };
module_param_cb(state, &state_ops, NULL, 0444);
MODULE_PARM_DESC(state, "resets of the bridge, and what the driver has restored");

static void hca_bars(void)
{
	u64 start;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar += 2) {
		start = pci_resource_start(card.hca, bar);
		card.below->write(card.hca->bus, card.hca->devfn, PCI_BASE_ADDRESS_0 + 4 * bar, 4,
				  lower_32_bits(start));
		card.below->write(card.hca->bus, card.hca->devfn, PCI_BASE_ADDRESS_1 + 4 * bar, 4,
				  upper_32_bits(start));
	}
}

static void bridge_restore(void)
{
	int i;

	card.lost = false;
	card.away = 0;
	for (i = PCI_CACHE_LINE_SIZE / 4; i < HEADER_DWORDS; i++)
		bridge_write(4 * i, 4, card.header[i]);
	bridge_write(PCI_COMMAND, 2, card.header[PCI_COMMAND / 4]);
	memcpy(card.split, card.split_before, sizeof(card.split));
	hca_bars();
}

static int repair_set(const char *text, const struct kernel_param *param)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&card.lock, flags);
	if (card.lost)
		bridge_restore();
	raw_spin_unlock_irqrestore(&card.lock, flags);
	return 0;
}

/* This also acts on a bridge that does not respond now. */
static int away_set(const char *text, const struct kernel_param *param)
{
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&card.lock, flags);
	err = param_set_int(text, param);
	if (card.lost)
		card.away = away;
	raw_spin_unlock_irqrestore(&card.lock, flags);
	return err;
}

static const struct kernel_param_ops away_ops = { .set = away_set, .get = param_get_int };
module_param_cb(away, &away_ops, &away, 0644);
MODULE_PARM_DESC(away, "reads of the id that a bridge after reset does not answer; -1: all");

static const struct kernel_param_ops repair_ops = { .set = repair_set };
module_param_cb(repair, &repair_ops, NULL, 0200);
MODULE_PARM_DESC(repair, "written: restores what the driver has not restored");

/* ---- Init and exit ---- */

static struct pci_ops ops_above, ops_below;

static struct pci_dev *find_hca(void)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		if (pdev->class >> 8 == CLASS_INFINIBAND && pdev->bus->self &&
		    pdev->bus->self->hdr_type == PCI_HEADER_TYPE_BRIDGE)
			return pdev;
	return NULL;
}

/* Values that the card's firmware sets and that a reset changes. */
static void firmware(void)
{
	card.split[0] = 0x31 << SPLIT_LIMIT | SPLIT_CAPACITY;
	card.split[1] = 0x42 << SPLIT_LIMIT | SPLIT_CAPACITY;
	bridge_write(PCI_CACHE_LINE_SIZE, 1, CACHE_LINE);
	bridge_write(PCI_SEC_LATENCY_TIMER, 1, LATENCY);
}

static int __init pcix_bridge_init(void)
{
	card.hca = find_hca();
	if (!card.hca)
		return -ENODEV;
	card.bridge = pci_dev_get(card.hca->bus->self);
	card.above = card.bridge->bus->ops;
	card.below = card.hca->bus->ops;
	card.bridge->vendor = card.hca->vendor;
	card.bridge->device = card.hca->device + 2;
	firmware();
	remember();
	card.command = hca_command();
	ops_above = *card.above;
	ops_above.read = read_above;
	ops_above.write = write_above;
	ops_below = *card.below;
	ops_below.read = read_below;
	ops_below.write = write_below;
	pci_bus_set_ops(card.bridge->bus, &ops_above);
	pci_bus_set_ops(card.hca->bus, &ops_below);
	return 0;
}

static void __exit pcix_bridge_exit(void)
{
	pci_bus_set_ops(card.hca->bus, card.below);
	pci_bus_set_ops(card.bridge->bus, card.above);
	repair_set(NULL, NULL);
	card.bridge->vendor = bridge_read(PCI_VENDOR_ID) & 0xffff;
	card.bridge->device = bridge_read(PCI_VENDOR_ID) >> 16;
	pci_dev_put(card.bridge);
	pci_dev_put(card.hca);
}

module_init(pcix_bridge_init);
module_exit(pcix_bridge_exit);
MODULE_DESCRIPTION("Simulation of the bridge of a PCI-X card");
MODULE_LICENSE("Dual BSD/GPL");
