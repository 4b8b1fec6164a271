// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Events for the clients of ib_core. ib_core queues work for each event, and waits for that work
 * when the device is unregistered. So an event is dispatched only while the device is registered,
 * and under a lock: whoever ends the registration need not wait for events that are under way.
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

/**
 * tavor_dispatch_set() - turns the dispatching of events on or off
 * @dev: device
 * @registered: on, just before the device is registered, or off; when this returns, no event is
 *	being dispatched
 *
 * Context: Any down to softirq.
 */
void tavor_dispatch_set(struct tavor_dev *dev, bool registered)
{
	spin_lock_bh(&dev->dispatch_lock);
	WRITE_ONCE(dev->registered, registered);
	spin_unlock_bh(&dev->dispatch_lock);
}

/**
 * tavor_dispatches() - whether events are dispatched now
 * @dev: device
 *
 * Context: Any.
 */
bool tavor_dispatches(const struct tavor_dev *dev)
{
	return READ_ONCE(dev->registered);
}

/**
 * tavor_dispatch() - passes an event of the device or of a port to the clients of ib_core
 * @dev: device; if it is not registered, nothing happens
 * @event: event
 *
 * Context: Any down to softirq.
 */
void tavor_dispatch(struct tavor_dev *dev, const struct ib_event *event)
{
	spin_lock_bh(&dev->dispatch_lock);
	if (dev->registered)
		ib_dispatch_event(event);
	spin_unlock_bh(&dev->dispatch_lock);
}
