// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Events for the clients of ib_core. ib_core queues work for each event, and waits for that work
 * when the device is unregistered, but not on each path of a registration that fails. So an event
 * is dispatched only while the device is registered, and under a lock: whoever ends the
 * registration need not wait for events that are under way. What happened before is dispatched
 * when the registration has succeeded, because clients may have read the ports already.
 */
#include "dispatch.h"
#include "tavor.h"

/**
 * tavor_dispatch_init() - initialises the dispatching of a new device, which is off
 * @dev: device
 *
 * Context: Process context.
 */
void tavor_dispatch_init(struct tavor_dev *dev)
{
	spin_lock_init(&dev->dispatch_lock);
}

static void tavor_dispatch_now(struct tavor_dev *dev, enum ib_event_type type, u32 port)
{
	struct ib_event event = {
		.device = &dev->ib_dev,
		.event = type,
		.element.port_num = port,
	};

	lockdep_assert_held(&dev->dispatch_lock);
	ib_dispatch_event(&event);
}

/**
 * tavor_dispatch_on() - dispatches events from now on, and those that were missed once each
 * @dev: device that has just been registered
 *
 * Context: Process context.
 */
void tavor_dispatch_on(struct tavor_dev *dev)
{
	unsigned long type;
	u32 port;

	spin_lock_bh(&dev->dispatch_lock);
	dev->registered = true;
	for (port = 0; port < ARRAY_SIZE(dev->missed_events); port++)
		for_each_set_bit(type, &dev->missed_events[port], BITS_PER_LONG)
			tavor_dispatch_now(dev, type, port);
	spin_unlock_bh(&dev->dispatch_lock);
}

/**
 * tavor_dispatch_off() - dispatches no events any more
 * @dev: device that is unregistered next, or stopped for good; when this returns, no event is being
 *	dispatched
 *
 * Context: Process context.
 */
void tavor_dispatch_off(struct tavor_dev *dev)
{
	spin_lock_bh(&dev->dispatch_lock);
	dev->registered = false;
	spin_unlock_bh(&dev->dispatch_lock);
}

/**
 * tavor_dispatches() - whether events are dispatched now
 * @dev: device
 *
 * The lock orders this with tavor_dispatch_on(): if this returns false, whoever calls that later
 * sees what the caller did before.
 *
 * Context: Any down to softirq.
 */
bool tavor_dispatches(struct tavor_dev *dev)
{
	bool registered;

	spin_lock_bh(&dev->dispatch_lock);
	registered = dev->registered;
	spin_unlock_bh(&dev->dispatch_lock);
	return registered;
}

/**
 * tavor_dispatch() - passes an event of the device or of a port to the clients of ib_core
 * @dev: device
 * @type: what happened
 * @port: 1-based; 0 for an event of the device
 *
 * Context: Any down to softirq.
 */
void tavor_dispatch(struct tavor_dev *dev, enum ib_event_type type, u32 port)
{
	spin_lock_bh(&dev->dispatch_lock);
	if (dev->registered)
		tavor_dispatch_now(dev, type, port);
	else
		__set_bit(type, &dev->missed_events[port]);
	spin_unlock_bh(&dev->dispatch_lock);
}
