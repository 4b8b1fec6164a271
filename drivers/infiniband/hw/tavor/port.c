// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Ports: query and modify. Attributes are read from the firmware's subnet management agent with
 * MADs.
 */
#include <linux/unaligned.h>

#include "hw_mad.h"
#include "mad.h"
#include "port.h"
#include "tavor.h"

/* Data of PortInfo: offsets of the fields used here */
#define PORT_LID		16
#define PORT_SM_LID		18
#define PORT_CAP_MASK		20
#define PORT_WIDTH_ACTIVE	31
#define PORT_STATE		32	/* [3:0] */
#define PORT_PHYS_STATE		33	/* [7:4] */
#define PORT_LMC		34	/* [2:0] */
#define PORT_SPEED_ACTIVE	35	/* [7:4] */
#define PORT_MTU_SM_SL		36	/* [7:4] neighbour MTU, [3:0] SM SL */
#define PORT_VL_CAP		37	/* [7:4] */
#define PORT_INIT_TYPE_MTU	41	/* [7:4] init type reply, [3:0] MTU cap */
#define PORT_PKEY_VIOLATIONS	46
#define PORT_QKEY_VIOLATIONS	48
#define PORT_SUBNET_TIMEOUT	51	/* [4:0] */
#define MAX_MSG_SIZE		0x80000000U

/* ---- Query ---- */

static void tavor_port_link(const u8 *port, struct ib_port_attr *props)
{
	props->lid = get_unaligned_be16(port + PORT_LID);
	props->lmc = port[PORT_LMC] & 7;
	props->sm_lid = get_unaligned_be16(port + PORT_SM_LID);
	props->sm_sl = port[PORT_MTU_SM_SL] & 0xf;
	props->state = port[PORT_STATE] & 0xf;
	props->phys_state = port[PORT_PHYS_STATE] >> 4;
	props->active_width = port[PORT_WIDTH_ACTIVE] & 0xf;
	props->active_speed = port[PORT_SPEED_ACTIVE] >> 4;
	props->max_mtu = port[PORT_INIT_TYPE_MTU] & 0xf;
	props->active_mtu = port[PORT_MTU_SM_SL] >> 4;
	props->max_vl_num = port[PORT_VL_CAP] >> 4;
	props->subnet_timeout = port[PORT_SUBNET_TIMEOUT] & 0x1f;
	props->init_type_reply = port[PORT_INIT_TYPE_MTU] >> 4;
}

static void tavor_port_attr(const struct tavor_dev *dev, const u8 *port, struct ib_port_attr *props)
{
	memset(props, 0, sizeof(*props));
	tavor_port_link(port, props);
	props->subnet_prefix = get_unaligned_be64(port + TAVOR_PORT_INFO_GID_PREFIX);
	props->port_cap_flags = get_unaligned_be32(port + PORT_CAP_MASK);
	props->gid_tbl_len = dev->limits.gid_table_len;
	props->pkey_tbl_len = dev->limits.pkey_table_len;
	props->max_msg_sz = MAX_MSG_SIZE;
	props->bad_pkey_cntr = get_unaligned_be16(port + PORT_PKEY_VIOLATIONS);
	props->qkey_viol_cntr = get_unaligned_be16(port + PORT_QKEY_VIOLATIONS);
}

static int tavor_query_port_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	u32 port = container_of(vrb, struct vrb_query_port, vrb)->port;
	struct tavor_dev *dev = vrb_to_tdev(vdev);

	if (!tavor_port_ok(dev, port))
		return -EINVAL;
	tavor_encode_port_info(dev, slot, port);
	return VRB_POST;
}

static int tavor_query_port_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				 const struct vrb_result *result)
{
	struct vrb_query_port *req = container_of(vrb, struct vrb_query_port, vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	const u8 *info;

	if (result->status)
		return result->status;
	info = tavor_port_info_done(dev, slot, req->port);
	if (!info)
		return -EINVAL;
	tavor_port_attr(dev, info, &req->attr);
	return 0;
}

static const struct vrb_step tavor_query_port_steps[] = {
	{
		.name = "MAD_IFC",
		.encode = tavor_query_port_encode,
		.done = tavor_query_port_done,
	},
};

const struct vrb_verb tavor_verb_query_port = {
	.name = "QUERY_PORT",
	.class = VRB_CLASS_BACKGROUND,
	VRB_STEPS(tavor_query_port_steps),
};

/**
 * tavor_query_port() - ib_device_ops.query_port
 * @ibdev: the device
 * @port: 1-based
 * @props: result
 *
 * Context: Process context.
 * Return: 0; -EINVAL: there is no such port; or another negative errno.
 */
int tavor_query_port(struct ib_device *ibdev, u32 port, struct ib_port_attr *props)
{
	struct tavor_dev *dev = to_tdev(ibdev);
	struct vrb_query_port req;
	int err;

	vrb_prep_query_port(&req, port);
	req.vrb.class = VRB_CLASS_NORMAL;
	req.vrb.user = tavor_exec_caller(dev);
	err = tavor_exec(dev, &req.vrb);
	if (!err)
		*props = req.attr;
	return err;
}

/* ---- Modify ---- */

/*
 * SET_IB writes all capabilities, so a request that changes some must know the others. Requests
 * have no order among each other. A request that changes tavor_mad_port.caps writes the value that
 * is current when its command is encoded, and writes again if the value has changed when the
 * command has completed. So the last command to complete has written the last value, in whatever
 * order the firmware has executed them.
 */

static struct vrb_modify_port *to_modify_port(struct vrb *vrb)
{
	return container_of(vrb, struct vrb_modify_port, vrb);
}

static void tavor_change_caps(struct tavor_mad_port *known, const struct ib_port_modify *props)
{
	known->caps = (known->caps | props->set_port_cap_mask) & ~props->clr_port_cap_mask;
	known->changing++;
}

static int tavor_read_caps_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct vrb_modify_port *req = to_modify_port(vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_mad_port *known;
	bool known_well;

	if (!tavor_port_ok(dev, req->port))
		return -EINVAL;
	if (req->mask & ~IB_PORT_RESET_QKEY_CNTR)
		return -EOPNOTSUPP;
	known = &dev->mad->port[req->port - 1];
	spin_lock_bh(&dev->mad->lock);
	known_well = known->changing;
	if (known_well)
		tavor_change_caps(known, &req->props);
	/* While they are being read: number of changes before the read */
	req->caps = known->changes;
	spin_unlock_bh(&dev->mad->lock);
	if (known_well)
		return VRB_NEXT;
	tavor_encode_port_info(dev, slot, req->port);
	return VRB_POST;
}

static int tavor_read_caps_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				const struct vrb_result *result)
{
	struct vrb_modify_port *req = to_modify_port(vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_mad_port *known = &dev->mad->port[req->port - 1];
	const u8 *info;

	if (result->status)
		return result->status;
	info = tavor_port_info_done(dev, slot, req->port);
	if (!info)
		return -EINVAL;
	spin_lock_bh(&dev->mad->lock);
	/* No other request has changed them since. */
	if (!known->changing && known->changes == req->caps)
		known->caps = get_unaligned_be32(info + PORT_CAP_MASK);
	tavor_change_caps(known, &req->props);
	spin_unlock_bh(&dev->mad->lock);
	return VRB_NEXT;
}

static int tavor_set_caps_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct vrb_modify_port *req = to_modify_port(vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);

	spin_lock_bh(&dev->mad->lock);
	req->caps = dev->mad->port[req->port - 1].caps;
	spin_unlock_bh(&dev->mad->lock);
	tavor_encode_set_ib(dev, slot, req->port, req->caps, req->mask & IB_PORT_RESET_QKEY_CNTR);
	return VRB_POST;
}

static int tavor_set_caps_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			       const struct vrb_result *result)
{
	struct vrb_modify_port *req = to_modify_port(vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_mad_port *known = &dev->mad->port[req->port - 1];
	bool again;

	spin_lock_bh(&dev->mad->lock);
	known->changes++;
	again = !result->status && known->caps != req->caps;
	if (!again)
		known->changing--;
	spin_unlock_bh(&dev->mad->lock);
	return again ? VRB_AGAIN : result->status;
}

static const struct vrb_step tavor_modify_port_steps[] = {
	{ .name = "MAD_IFC", .encode = tavor_read_caps_encode, .done = tavor_read_caps_done },
	{ .name = "SET_IB", .encode = tavor_set_caps_encode, .done = tavor_set_caps_done },
};

const struct vrb_verb tavor_verb_modify_port = {
	.name = "MODIFY_PORT",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_modify_port_steps),
};

/**
 * tavor_modify_port() - ib_device_ops.modify_port
 * @ibdev: the device
 * @port: 1-based
 * @mask: %IB_PORT_RESET_QKEY_CNTR
 * @props: capabilities to set and to clear
 *
 * Context: Process context.
 * Return: 0; -EINVAL: there is no such port; -EOPNOTSUPP: anything else in @mask; or another
 * negative errno.
 */
int tavor_modify_port(struct ib_device *ibdev, u32 port, int mask, struct ib_port_modify *props)
{
	struct tavor_dev *dev = to_tdev(ibdev);
	struct vrb_modify_port req;

	vrb_prep_modify_port(&req, port);
	req.vrb.user = tavor_exec_caller(dev);
	req.mask = mask;
	req.props = *props;
	return tavor_exec(dev, &req.vrb);
}
