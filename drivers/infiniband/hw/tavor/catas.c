// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Catastrophic errors: the HCA describes the error in a buffer in BAR0 and sends no reliable event.
 * So the driver reads the buffer every 5 seconds, and after an interrupt without an event. An error
 * fails the device.
 */
#include "catas.h"
#include "dispatch.h"
#include "flush.h"
#include "mcg.h"
#include "tavor.h"

#define CATAS_POLL	(5 * HZ)
#define CATAS_MAX_DWORDS 256

static const char *tavor_catas_name(u32 dword)
{
	switch (dword >> 24) {
	case 0:
		return "internal error";
	case 3:
		return "uplink bus error";
	case 4:
		return "DDR data error";
	case 5:
		return "internal parity error";
	default:
		return "unknown error";
	}
}

static void tavor_catas_report(struct tavor_dev *dev)
{
	const char *name = tavor_catas_name(ioread32be(dev->err_buf));
	u32 dword;
	u32 i;

	dev_err(&dev->pdev->dev, "catastrophic error: %s\n", name);
	for (i = 0; i < dev->err_dwords; i++) {
		dword = ioread32be(dev->err_buf + i * 4);
		if (dword)
			dev_err(&dev->pdev->dev, "  buf[%02x]: %08x\n", i, dword);
	}
	vrb_device_fail(dev->vrb, "catastrophic error");
}

static void tavor_catas_poll(struct timer_list *timer)
{
	struct tavor_dev *dev = timer_container_of(dev, timer, catas_timer);
	u32 i;

	if (vrb_device_failed(dev->vrb))
		return;
	for (i = 0; i < dev->err_dwords; i++)
		if (ioread32be(dev->err_buf + i * 4)) {
			tavor_catas_report(dev);
			return;
		}
	mod_timer(&dev->catas_timer, round_jiffies(jiffies + CATAS_POLL));
}

/**
 * tavor_catas_start() - watches the error buffer
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int tavor_catas_start(struct tavor_dev *dev)
{
	u64 offset = dev->fw.err_addr & (TAVOR_BAR0_SIZE - 1);
	void __iomem *buf;

	timer_setup(&dev->catas_timer, tavor_catas_poll, 0);
	dev->err_dwords = min_t(u32, dev->fw.err_dwords, CATAS_MAX_DWORDS);
	dev->err_dwords = min_t(u32, dev->err_dwords, (TAVOR_BAR0_SIZE - offset) / 4);
	dev->err_buf = NULL;
	if (!dev->err_dwords)
		return 0;
	buf = ioremap(pci_resource_start(dev->pdev, 0) + offset, dev->err_dwords * 4);
	if (!buf)
		return -ENOMEM;
	/* Pairs with tavor_catas_look(). */
	smp_store_release(&dev->err_buf, buf);
	mod_timer(&dev->catas_timer, round_jiffies(jiffies + CATAS_POLL));
	return 0;
}

/**
 * tavor_catas_read() - reads the error buffer: nothing if the bus has cut the device off
 * @dev: device, up
 * @dword: where the contents are stored
 * @max: its size in dwords
 *
 * Context: Any.
 * Return: the number of dwords in the buffer.
 */
u32 tavor_catas_read(struct tavor_dev *dev, u32 *dword, u32 max)
{
	u32 n = dev->err_buf ? min(dev->err_dwords, max) : 0;
	u32 i;

	if (pci_channel_offline(dev->pdev))
		return 0;
	for (i = 0; i < n; i++)
		dword[i] = ioread32be(dev->err_buf + i * 4);
	return n;
}

/**
 * tavor_catas_look() - has the error buffer read soon
 * @dev: device
 *
 * The timer does it at its next tick, so that a process that causes many interrupts does not cause
 * as many reads.
 *
 * Context: Any down to softirq.
 */
void tavor_catas_look(struct tavor_dev *dev)
{
	/* Pairs with tavor_catas_start(): the timer is set up by then. */
	if (smp_load_acquire(&dev->err_buf))
		mod_timer(&dev->catas_timer, jiffies);
}

/**
 * tavor_catas_stop() - stops watching
 * @dev: device
 *
 * Context: Process context, may sleep.
 */
void tavor_catas_stop(struct tavor_dev *dev)
{
	timer_shutdown_sync(&dev->catas_timer);
	if (dev->err_buf)
		iounmap(dev->err_buf);
}

/**
 * tavor_fatal() - notifies the users of a failed device once, and wakes all waiters
 * @dev: device
 *
 * Context: Any down to softirq.
 */
void tavor_fatal(struct tavor_dev *dev)
{
	tavor_flush_start(dev);
	tavor_mcg_failed(dev);
	if (!tavor_dispatches(dev) || atomic_xchg(&dev->fatal_sent, 1))
		return;
	vrb_device_event(dev->vrb, IB_EVENT_DEVICE_FATAL, NULL);
	tavor_dispatch(dev, IB_EVENT_DEVICE_FATAL, 0);
}
