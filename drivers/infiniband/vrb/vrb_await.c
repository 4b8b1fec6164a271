// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Requests that wait for events. They need no slot. Those for a CQ are on the list of its object,
 * those for events of the device on the list of their client. Whatever ends a queued request ends
 * them too.
 *
 * An event may occur in any context. It is recorded under the kick lock, and the pump completes the
 * requests that wait for it.
 */
#include <linux/export.h>

#include "vrb_internal.h"

static struct vrb_await_event *to_await_event(const struct vrb *vrb)
{
	return container_of(vrb, struct vrb_await_event, vrb);
}

static bool vrb_await_cq_flags_ok(const struct vrb *vrb)
{
	enum ib_cq_notify_flags flags = container_of(vrb, struct vrb_await_cq, vrb)->flags;

	return flags == IB_CQ_NEXT_COMP || flags == IB_CQ_SOLICITED;
}

/**
 * vrb_await_check - whether a request that waits for an event is well-formed
 * @client: its submitter
 * @vrb: the request
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int vrb_await_check(const struct vrb_client *client, const struct vrb *vrb)
{
	if (vrb->class || vrb->deadline || vrb->flags & ~VRB_FLAGS)
		return -EINVAL;
	if (vrb->op == VRB_OP_AWAIT_EVENT && !to_await_event(vrb)->filter)
		return -EINVAL;
	if (vrb->op == VRB_OP_AWAIT_CQ && !vrb_await_cq_flags_ok(vrb))
		return -EINVAL;
	return vrb->group && vrb->group->client != client ? -EINVAL : 0;
}

/**
 * vrb_await_room - whether a client may have one more request for events of the device
 * @client: client
 *
 * Context: Device lock held.
 * Return: 0; -EBUSY: it has %VRB_MAX_AWAITING already.
 */
int vrb_await_room(const struct vrb_client *client)
{
	return list_count_nodes((struct list_head *)&client->awaiting) < VRB_MAX_AWAITING ? 0 :
	       -EBUSY;
}

static void vrb_await_cq_begin(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_await_cq *req = container_of(vrb, struct vrb_await_cq, vrb);
	struct vrb_object *object = vrb->object;
	enum ib_cq_notify_flags flags;
	int ret;

	if (object->life == VRB_LIFE_CREATING) {
		list_add_tail(&vrb->object_entry, &object->visitors);
		return;
	}
	/* The hardware keeps only the last arming. */
	if (list_empty(&object->awaiting))
		object->await_next = false;
	object->await_next |= req->flags == IB_CQ_NEXT_COMP;
	flags = object->await_next ? IB_CQ_NEXT_COMP : IB_CQ_SOLICITED;
	list_add_tail(&vrb->object_entry, &object->awaiting);
	ret = req->cq->device->ops.req_notify_cq(req->cq, flags | IB_CQ_REPORT_MISSED_EVENTS);
	if (ret)
		vrb_finish(dev, vrb, min(ret, 0));
}

/* Completes a request if an event it waits for has occurred; returns these events. */
static u64 vrb_await_told(struct vrb_device *dev, struct vrb *vrb, u64 came, u64 seq)
{
	struct vrb_await_event *req = to_await_event(vrb);

	req->came = came & req->filter;
	req->seq = seq;
	if (!req->came)
		return 0;
	vrb_finish(dev, vrb, 0);
	return req->came;
}

/* Events from here on, also of the same type, are reported by the next request. */
static void vrb_await_events(struct vrb_device *dev, struct vrb_client *client)
{
	struct vrb *vrb, *next;
	u64 came, seq, told = 0;

	if (list_empty(&client->awaiting))
		return;
	raw_spin_lock_irq(&dev->kick_lock);
	came = client->came;
	seq = client->seq;
	client->came = 0;
	raw_spin_unlock_irq(&dev->kick_lock);

	list_for_each_entry_safe(vrb, next, &client->awaiting, object_entry)
		told |= vrb_await_told(dev, vrb, came, seq);

	raw_spin_lock_irq(&dev->kick_lock);
	client->came |= came & ~told;
	raw_spin_unlock_irq(&dev->kick_lock);
}

/**
 * vrb_await_begin - a request that waits for an event has been accepted
 * @dev: device
 * @vrb: the request, queued; it completes at once if its event has occurred already
 *
 * Context: Device lock held.
 */
void vrb_await_begin(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	if (vrb->op == VRB_OP_AWAIT_CQ) {
		vrb_await_cq_begin(dev, vrb);
		return;
	}
	list_add_tail(&vrb->object_entry, &vrb->client->awaiting);
	vrb_await_events(dev, vrb->client);
}

/**
 * vrb_await_object - the requests that wait for an event of an object are going to complete
 * @dev: device
 * @object: a CQ
 *
 * Those that are there now: one that a callback submits again meanwhile waits for the next event.
 *
 * Context: The pump, device lock held.
 */
void vrb_await_object(struct vrb_device *dev, struct vrb_object *object)
{
	lockdep_assert_held(&dev->lock);
	list_splice_tail_init(&object->awaiting, &dev->told);
}

/**
 * vrb_await_told_all - complete requests whose event has come, within the bounds of this hold
 * @dev: device
 *
 * Context: The pump, device lock held.
 */
void vrb_await_told_all(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	while (!list_empty(&dev->told) && vrb_within_budget(dev))
		vrb_finish(dev, list_first_entry(&dev->told, struct vrb, object_entry), 0);
}

/**
 * vrb_await_clients - complete the requests that wait for events of the device
 * @dev: device
 *
 * Context: The pump, device lock held.
 */
void vrb_await_clients(struct vrb_device *dev)
{
	struct vrb_client *client;

	lockdep_assert_held(&dev->lock);
	if (!READ_ONCE(dev->client_news))
		return;
	WRITE_ONCE(dev->client_news, false);
	list_for_each_entry(client, &dev->clients, entry) {
		if (!vrb_within_budget(dev)) {
			WRITE_ONCE(dev->client_news, true);
			vrb_kick(dev);
			return;
		}
		vrb_await_events(dev, client);
	}
}

/**
 * vrb_object_event - report an event of a CQ to the requests that wait for it
 * @object: the CQ, to which the caller has a reference
 *
 * The provider also calls the CQ's own handler.
 *
 * Context: Any but NMI; the caller may hold any of its locks.
 */
void vrb_object_event(struct vrb_object *object)
{
	/* A request is on the list before it arms the CQ, so it is seen here. */
	if (!list_empty_careful(&object->awaiting))
		vrb_tell(object, VRB_NEWS_EVENT);
}
EXPORT_SYMBOL_GPL(vrb_object_event);

static void vrb_client_event(struct vrb_client *client, enum ib_event_type type)
{
	client->came |= BIT_ULL(type);
	client->seq++;
}

/**
 * vrb_device_event - report an asynchronous event to the requests that wait for it
 * @dev: device
 * @type: type of the event
 * @object: the object that the event is about: if it is a shell, the client that owns it gets the
 *	event, and otherwise no client; NULL: the event is about the device or a port, and every
 *	client gets it
 *
 * The provider also calls ib_dispatch_event() or the object's own handler.
 *
 * Context: Any but NMI; the caller may hold any of its locks.
 */
void vrb_device_event(struct vrb_device *dev, enum ib_event_type type, struct vrb_object *object)
{
	struct vrb_client *client;
	unsigned long flags;

	/* It may pass to the provider, whose client then gets the event. */
	if (object && !READ_ONCE(object->owner))
		return;
	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	if (object)
		vrb_client_event(READ_ONCE(object->owner), type);
	else
		list_for_each_entry(client, &dev->clients, entry)
			vrb_client_event(client, type);
	WRITE_ONCE(dev->client_news, true);
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
	vrb_kick(dev);
}
EXPORT_SYMBOL_GPL(vrb_device_event);
