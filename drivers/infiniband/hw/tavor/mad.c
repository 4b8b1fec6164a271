// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * MAD_IFC: the firmware's management agents, for MADs from the wire and for the driver's own
 * questions.
 */
#include <linux/bitfield.h>
#include <linux/slab.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_smi.h>

#include "hw_mad.h"
#include "mad.h"
#include "port_event.h"
#include "tavor.h"
#include "trap.h"

#define TAVOR_VENDOR_CLASS1	0x09
#define TAVOR_VENDOR_CLASS2	0x0a
#define TAVOR_SMP_D_BIT		cpu_to_be16(0x8000)	/* of a directed-route SMP's status */

/* A MAD_IFC request */
struct tavor_mad_request {
	struct vrb vrb;
	int flags;			/* TAVOR_MAD_IGNORE_* */
	u32 port;
	const struct ib_wc *wc;		/* NULL: the driver's own */
	const struct ib_grh *grh;
	const void *in;
	void *out;
};

/* Key violations are answered with a trap, which needs to know who asked. */
static void tavor_mad_encode_source(const struct tavor_mad_request *req, struct tavor_mad_ifc *mbox)
{
	const struct ib_wc *wc = req->wc;

	memset((u8 *)mbox + TAVOR_MAD_SIZE, 0, sizeof(*mbox) - TAVOR_MAD_SIZE);
	mbox->local_qpn = cpu_to_be32(wc->qp->qp_num);
	mbox->remote_qpn = cpu_to_be32(wc->src_qp);
	mbox->sl = FIELD_PREP(TAVOR_MAD_SL, wc->sl);
	mbox->grh_path_bits = FIELD_PREP(TAVOR_MAD_PATH_BITS, wc->dlid_path_bits) |
			      (wc->wc_flags & IB_WC_GRH ? TAVOR_MAD_GRH : 0);
	mbox->remote_lid = cpu_to_be16(wc->slid);
	mbox->pkey_index = cpu_to_be16(wc->pkey_index);
	if (req->grh)
		memcpy(mbox->grh, req->grh, sizeof(mbox->grh));
}

static int tavor_mad_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	const struct tavor_mad_request *req = container_of(vrb, struct tavor_mad_request, vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_mad_ifc *mbox = tavor_mbox_in(dev, slot);
	u32 modifier = FIELD_PREP(TAVOR_MAD_PORT, req->port);
	u8 op_modifier = req->flags;

	memcpy(mbox->mad, req->in, sizeof(mbox->mad));
	if (req->wc) {
		tavor_mad_encode_source(req, mbox);
		op_modifier |= TAVOR_MAD_EXTENDED;
		modifier |= FIELD_PREP(TAVOR_MAD_SLID, (u16)req->wc->slid);
	} else {
		op_modifier |= TAVOR_MAD_IGNORE_MKEY | TAVOR_MAD_IGNORE_BKEY;
	}
	tavor_cmd_set(dev, slot, TAVOR_CMD_MAD_IFC, op_modifier, modifier,
		      TAVOR_CMD_IN | TAVOR_CMD_OUT);
	return VRB_POST;
}

static int tavor_mad_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			  const struct vrb_result *result)
{
	const struct tavor_mad_request *req = container_of(vrb, struct tavor_mad_request, vrb);

	if (!result->status)
		memcpy(req->out, tavor_mbox_out(vrb_to_tdev(vdev), slot), TAVOR_MAD_SIZE);
	return result->status;
}

static const struct vrb_step tavor_mad_ifc_steps[] = {
	{ .name = "MAD_IFC", .encode = tavor_mad_encode, .done = tavor_mad_done },
};

static const struct vrb_verb tavor_verb_mad_ifc = {
	.name = "MAD_IFC",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_mad_ifc_steps),
};

/**
 * tavor_mad_ifc() - ask the firmware's management agent
 * @dev: the device
 * @flags: TAVOR_MAD_IGNORE_*: keys not to be checked
 * @port: port the MAD arrived by
 * @in_wc: its completion; NULL for the driver's own, whose keys are never checked
 * @in_grh: its GRH, or NULL
 * @in_mad: 256 bytes
 * @out_mad: the response, 256 bytes; may be @in_mad
 *
 * Context: Process context.
 * Return: 0; -EBADMSG: to be dropped silently; or another negative errno.
 */
int tavor_mad_ifc(struct tavor_dev *dev, int flags, u32 port, const struct ib_wc *in_wc,
		  const struct ib_grh *in_grh, const void *in_mad, void *out_mad)
{
	struct ib_mad_hdr request = *(const struct ib_mad_hdr *)in_mad;
	struct tavor_mad_request req = {
		.flags = flags,
		.port = port,
		.wc = in_wc,
		.grh = in_grh,
		.in = in_mad,
		.out = out_mad,
	};
	int err;

	vrb_prep(&req.vrb, &tavor_verb_mad_ifc, NULL);
	err = tavor_exec(dev, &req.vrb);
	if (!err && request.method != IB_MGMT_METHOD_TRAP_REPRESS)
		tavor_port_event_from_mad(dev, port, &request, out_mad);
	return err;
}

static bool tavor_is_smp(const struct ib_mad_hdr *hdr)
{
	return hdr->mgmt_class == IB_MGMT_CLASS_SUBN_LID_ROUTED ||
	       hdr->mgmt_class == IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE;
}

static bool tavor_is_get_or_set(const struct ib_mad_hdr *hdr)
{
	return hdr->method == IB_MGMT_METHOD_GET || hdr->method == IB_MGMT_METHOD_SET;
}

/* Is it for the firmware? SMInfo is the subnet manager's, which is a program. */
static bool tavor_mad_is_ours(const struct ib_mad_hdr *hdr)
{
	switch (hdr->mgmt_class) {
	case IB_MGMT_CLASS_SUBN_LID_ROUTED:
	case IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE:
		if (hdr->attr_id == IB_SMP_ATTR_SM_INFO ||
		    (hdr->attr_id & IB_SMP_ATTR_VENDOR_MASK) == IB_SMP_ATTR_VENDOR_MASK)
			return false;
		return tavor_is_get_or_set(hdr) || hdr->method == IB_MGMT_METHOD_TRAP_REPRESS;
	case IB_MGMT_CLASS_PERF_MGMT:
	case TAVOR_VENDOR_CLASS1:
	case TAVOR_VENDOR_CLASS2:
		return tavor_is_get_or_set(hdr);
	default:
		return false;
	}
}

/* The name of the node is what the administrator has set, not what the flash says. */
static void tavor_mad_node_desc(struct tavor_dev *dev, struct ib_mad *mad)
{
	struct ib_smp *smp = (struct ib_smp *)mad;

	if (!tavor_is_smp(&mad->mad_hdr) || mad->mad_hdr.method != IB_MGMT_METHOD_GET_RESP ||
	    mad->mad_hdr.attr_id != IB_SMP_ATTR_NODE_DESC)
		return;
	spin_lock(&dev->mad->lock);
	memcpy(smp->data, dev->ib_dev.node_desc, IB_DEVICE_NODE_DESC_MAX);
	spin_unlock(&dev->mad->lock);
}

static int tavor_mad_answer(struct tavor_dev *dev, int flags, const struct ib_mad *in,
			    struct ib_mad *out)
{
	if (in->mad_hdr.method == IB_MGMT_METHOD_TRAP_REPRESS)
		return IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_CONSUMED;
	/* Without keys checked it is this host asking what the hardware has. */
	if (!(flags & IB_MAD_IGNORE_MKEY))
		tavor_mad_node_desc(dev, out);
	if (out->mad_hdr.mgmt_class == IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE)
		out->mad_hdr.status |= TAVOR_SMP_D_BIT;
	return IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_REPLY;
}

/**
 * tavor_process_mad() - ib_device_ops.process_mad
 * @ibdev: the device
 * @flags: IB_MAD_IGNORE_*
 * @port: port it arrived by
 * @in_wc: its completion, or NULL
 * @in_grh: its GRH, or NULL
 * @in: the MAD
 * @out: the response
 * @out_size: not used: always 256 bytes
 * @out_pkey_index: not used
 *
 * Context: Process context.
 * Return: IB_MAD_RESULT_*.
 */
int tavor_process_mad(struct ib_device *ibdev, int flags, u32 port, const struct ib_wc *in_wc,
		      const struct ib_grh *in_grh, const struct ib_mad *in, struct ib_mad *out,
		      size_t *out_size, u16 *out_pkey_index)
{
	struct tavor_dev *dev = to_tdev(ibdev);
	int ifc_flags = 0, err;

	/* The firmware's own traps come without a source. */
	if (in->mad_hdr.method == IB_MGMT_METHOD_TRAP && in_wc && !in_wc->slid) {
		tavor_forward_trap(dev, port, in);
		return IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_CONSUMED;
	}
	if (!tavor_mad_is_ours(&in->mad_hdr))
		return IB_MAD_RESULT_SUCCESS;
	if (flags & IB_MAD_IGNORE_MKEY)
		ifc_flags |= TAVOR_MAD_IGNORE_MKEY;
	if (flags & IB_MAD_IGNORE_BKEY)
		ifc_flags |= TAVOR_MAD_IGNORE_BKEY;
	err = tavor_mad_ifc(dev, ifc_flags, port, in_wc, in_grh, in, out);
	if (err == -EBADMSG)
		return IB_MAD_RESULT_SUCCESS;
	if (err)
		return IB_MAD_RESULT_FAILURE;
	return tavor_mad_answer(dev, flags, in, out);
}

/**
 * tavor_mad_init() - management state
 * @dev: the device, before it is registered
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int tavor_mad_init(struct tavor_dev *dev)
{
	dev->mad = kzalloc(sizeof(*dev->mad), GFP_KERNEL);
	if (!dev->mad)
		return -ENOMEM;
	spin_lock_init(&dev->mad->lock);
	spin_lock_init(&dev->mad->agent_lock);
	return 0;
}

/**
 * tavor_mad_cleanup() - counterpart of tavor_mad_init()
 * @dev: the device, not registered any more
 *
 * Context: Process context.
 */
void tavor_mad_cleanup(struct tavor_dev *dev)
{
	kfree(dev->mad);
	dev->mad = NULL;
}
