// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Port events. The event queue reports when a port becomes active or goes down. The firmware sends
 * no event when the subnet manager changes a LID, the subnet prefix, a P_Key or a GUID: the driver
 * generates one when the Set has succeeded.
 */
#include <linux/bitfield.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_smi.h>

#include "dispatch.h"
#include "mad.h"
#include "port_event.h"
#include "tavor.h"

#define TAVOR_PINFO_CLIENT_REREG	BIT(7)
#define TAVOR_PINFO_SM_SL		GENMASK(3, 0)
#define TAVOR_PINFO_SPEED_ACTIVE	GENMASK(7, 4)

static void tavor_port_event_count(struct tavor_port_counters *counters, enum ib_event_type type)
{
	switch (type) {
	case IB_EVENT_PORT_ACTIVE:
		return atomic64_inc(&counters->active_events);
	case IB_EVENT_PORT_ERR:
		return atomic64_inc(&counters->error_events);
	case IB_EVENT_LID_CHANGE:
		return atomic64_inc(&counters->lid_events);
	case IB_EVENT_PKEY_CHANGE:
		return atomic64_inc(&counters->pkey_events);
	case IB_EVENT_GID_CHANGE:
		return atomic64_inc(&counters->gid_events);
	case IB_EVENT_CLIENT_REREGISTER:
		return atomic64_inc(&counters->reregister_events);
	default:
		return;
	}
}

/**
 * tavor_port_event() - reports a port event to the clients of the engine and of ib_core
 * @dev: device
 * @port: 1-based; it exists
 * @type: what happened
 *
 * Context: Any down to softirq.
 */
void tavor_port_event(struct tavor_dev *dev, u32 port, enum ib_event_type type)
{
	tavor_port_event_count(tavor_port_counters(dev, port), type);
	vrb_device_event(dev->vrb, type, NULL);
	tavor_dispatch(dev, type, port);
}

/* In units of 1X SDR. */
static u8 tavor_port_rate(const struct ib_port_info *info)
{
	u8 speed = FIELD_GET(TAVOR_PINFO_SPEED_ACTIVE, info->linkspeedactive_enabled);

	switch (info->link_width_active) {
	case 1:
		return speed;
	case 2:
		return 4 * speed;
	case 4:
		return 8 * speed;
	case 8:
		return 12 * speed;
	default:
		return 0;
	}
}

/* The modifier of a CA's PortInfo is the port; 0 is the port by which the MAD has arrived. */
static u32 tavor_port_of(const struct tavor_dev *dev, u32 port, const struct ib_mad_hdr *hdr)
{
	u32 named = be32_to_cpu(hdr->attr_mod);

	return named >= 1 && named <= dev->limits.num_ports ? named : port;
}

/* Stores what the subnet manager has set. Returns the changes, as bits of enum ib_event_type. */
static u32 tavor_learn_set(struct tavor_mad_port *known, const struct ib_port_info *info)
{
	u32 changes = 0;

	if (known->known && known->lid != be16_to_cpu(info->lid))
		changes |= BIT(IB_EVENT_LID_CHANGE);
	if (known->known && known->gid_prefix != info->gid_prefix)
		changes |= BIT(IB_EVENT_GID_CHANGE);
	known->known = true;
	known->lid = be16_to_cpu(info->lid);
	known->gid_prefix = info->gid_prefix;
	known->sm_lid = be16_to_cpu(info->sm_lid);
	known->sm_sl = FIELD_GET(TAVOR_PINFO_SM_SL, info->neighbormtu_mastersmsl);
	return changes;
}

/*
 * Attributes that only a Set changes are compared with those of the previous Set, or of the first
 * PortInfo that was read. A PortInfo that is read between a Set and its answer must not hide the
 * change.
 */
static u32 tavor_learn_port_info(struct tavor_dev *dev, u32 port, bool set,
				 const struct ib_port_info *info)
{
	struct tavor_mad_port *known = &dev->mad->port[port - 1];
	u32 changes = 0;

	spin_lock_bh(&dev->mad->lock);
	if (set || !known->known)
		changes = tavor_learn_set(known, info);
	WRITE_ONCE(known->rate, tavor_port_rate(info));
	spin_unlock_bh(&dev->mad->lock);
	return changes;
}

static void tavor_snoop_port_info(struct tavor_dev *dev, u32 port, bool set,
				  const struct ib_port_info *info)
{
	u32 changes = tavor_learn_port_info(dev, port, set, info);

	if (!set)
		return;
	if (info->clientrereg_resv_subnetto & TAVOR_PINFO_CLIENT_REREG)
		tavor_port_event(dev, port, IB_EVENT_CLIENT_REREGISTER);
	if (changes & BIT(IB_EVENT_GID_CHANGE))
		tavor_port_event(dev, port, IB_EVENT_GID_CHANGE);
	if (changes & BIT(IB_EVENT_LID_CHANGE))
		tavor_port_event(dev, port, IB_EVENT_LID_CHANGE);
}

/**
 * tavor_port_event_from_mad() - finds changes of a port in a MAD that the firmware has answered
 * @dev: the device
 * @port: port it arrived by
 * @request: header of the request
 * @response: the answer
 *
 * Context: Any down to softirq.
 */
void tavor_port_event_from_mad(struct tavor_dev *dev, u32 port, const struct ib_mad_hdr *request,
			       const struct ib_mad *response)
{
	const struct ib_smp *smp = (const struct ib_smp *)response;
	bool set = request->method == IB_MGMT_METHOD_SET;

	if (request->mgmt_class != IB_MGMT_CLASS_SUBN_LID_ROUTED &&
	    request->mgmt_class != IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE)
		return;
	if (!set && request->method != IB_MGMT_METHOD_GET)
		return;
	/* The highest bit is no status: it is the direction of a directed-route SMP. */
	if (response->mad_hdr.status & cpu_to_be16(0x7fff))
		return;
	switch (request->attr_id) {
	case IB_SMP_ATTR_PORT_INFO:
		tavor_snoop_port_info(dev, tavor_port_of(dev, port, request), set,
				      (const struct ib_port_info *)smp->data);
		break;
	case IB_SMP_ATTR_PKEY_TABLE:
		if (set)
			tavor_port_event(dev, port, IB_EVENT_PKEY_CHANGE);
		break;
	case IB_SMP_ATTR_GUID_INFO:
		if (set)
			tavor_port_event(dev, port, IB_EVENT_GID_CHANGE);
		break;
	}
}
