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

static bool tavor_is_smp(const struct ib_mad_hdr *hdr)
{
	return hdr->mgmt_class == IB_MGMT_CLASS_SUBN_LID_ROUTED ||
	       hdr->mgmt_class == IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE;
}

static bool tavor_is_get_or_set(const struct ib_mad_hdr *hdr)
{
	return hdr->method == IB_MGMT_METHOD_GET || hdr->method == IB_MGMT_METHOD_SET;
}

/* Whether the firmware answers a MAD. SMInfo is answered by the subnet manager, a program. */
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

/* The node description is the one that the administrator has set, not the one in the flash. */
static void tavor_mad_node_desc(struct tavor_dev *dev, struct ib_mad *mad)
{
	struct ib_smp *smp = (struct ib_smp *)mad;

	if (!tavor_is_smp(&mad->mad_hdr) || mad->mad_hdr.method != IB_MGMT_METHOD_GET_RESP ||
	    mad->mad_hdr.attr_id != IB_SMP_ATTR_NODE_DESC)
		return;
	spin_lock_bh(&dev->mad->lock);
	memcpy(smp->data, dev->ib_dev.node_desc, IB_DEVICE_NODE_DESC_MAX);
	spin_unlock_bh(&dev->mad->lock);
}

/* ---- Cached answers of the agent ---- */

/*
 * Invalidates the cached answers. @sets: 1: a Set has begun, and nothing is cached until it has
 * ended; -1: it has ended. This is called for every MAD that changes the agent's data, including
 * those from the wire.
 */
static void tavor_smp_forget(struct tavor_dev *dev, int sets)
{
	struct tavor_mad *mad = dev->mad;
	u32 port, table;

	spin_lock_bh(&mad->lock);
	mad->setting += sets;
	mad->changes++;
	for (port = 0; port < TAVOR_MAX_PORTS; port++)
		for (table = 0; table < TAVOR_NR_MAD_TABLES; table++)
			mad->port[port].block[table].valid = false;
	spin_unlock_bh(&mad->lock);
}

/* Returns whether the block is cached; @changes: the state of the cache, for tavor_smp_keep(). */
static bool tavor_smp_recall(struct tavor_mad *mad, const struct tavor_mad_block *block,
			     u32 modifier, u8 *data, u32 *changes)
{
	bool known;

	spin_lock_bh(&mad->lock);
	known = block->valid && block->modifier == modifier;
	if (known)
		memcpy(data, block->data, sizeof(block->data));
	*changes = mad->changes;
	spin_unlock_bh(&mad->lock);
	return known;
}

static void tavor_smp_keep(struct tavor_mad *mad, struct tavor_mad_block *block, u32 modifier,
			   const u8 *data, u32 changes)
{
	spin_lock_bh(&mad->lock);
	if (!mad->setting && mad->changes == changes) {
		block->valid = true;
		block->modifier = modifier;
		memcpy(block->data, data, sizeof(block->data));
	}
	spin_unlock_bh(&mad->lock);
}

/* ---- MAD_IFC, as a verb ---- */

static bool tavor_mad_sets(const struct ib_mad_hdr *hdr)
{
	return tavor_is_smp(hdr) && hdr->method == IB_MGMT_METHOD_SET;
}

/* A key violation causes a trap, which names the source of the MAD. */
static void tavor_mad_encode_source(const struct vrb_process_mad *req, struct tavor_mad_ifc *mbox)
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

/* Keys are not checked for MADs of this host. */
static u8 tavor_mad_flags(const struct vrb_process_mad *req)
{
	u8 flags = req->wc ? TAVOR_MAD_EXTENDED : TAVOR_MAD_IGNORE_MKEY | TAVOR_MAD_IGNORE_BKEY;

	if (req->flags & IB_MAD_IGNORE_MKEY)
		flags |= TAVOR_MAD_IGNORE_MKEY;
	if (req->flags & IB_MAD_IGNORE_BKEY)
		flags |= TAVOR_MAD_IGNORE_BKEY;
	return flags;
}

static bool tavor_mad_ok(const struct tavor_dev *dev, const struct vrb_process_mad *req)
{
	const struct ib_wc *wc = req->wc;

	if (!tavor_port_ok(dev, req->port) || !req->in || !req->out ||
	    req->flags & ~IB_MAD_IGNORE_ALL)
		return false;
	return !wc || (wc->qp && (req->grh || !(wc->wc_flags & IB_WC_GRH)));
}

static int tavor_mad_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct vrb_process_mad *req = container_of(vrb, struct vrb_process_mad, vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_mad_ifc *mbox = tavor_mbox_in(dev, slot);
	u32 modifier = FIELD_PREP(TAVOR_MAD_PORT, req->port);

	if (!tavor_mad_ok(dev, req))
		return -EINVAL;
	req->result = IB_MAD_RESULT_SUCCESS;
	if (!tavor_mad_is_ours(&req->in->mad_hdr))
		return VRB_END;
	memcpy(mbox->mad, req->in, sizeof(mbox->mad));
	if (req->wc) {
		tavor_mad_encode_source(req, mbox);
		modifier |= FIELD_PREP(TAVOR_MAD_SLID, (u16)req->wc->slid);
	}
	if (tavor_mad_sets(&req->in->mad_hdr))
		tavor_smp_forget(dev, 1);
	tavor_cmd_set(dev, slot, TAVOR_CMD_MAD_IFC, tavor_mad_flags(req), modifier,
		      TAVOR_CMD_IN | TAVOR_CMD_OUT);
	return VRB_POST;
}

/* @request: copy of the request, because @req->out may be the same memory as @req->in */
static void tavor_mad_answer(struct tavor_dev *dev, struct vrb_process_mad *req,
			     const struct ib_mad_hdr *request)
{
	struct ib_mad *out = req->out;

	if (request->method == IB_MGMT_METHOD_TRAP_REPRESS) {
		req->result = IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_CONSUMED;
		return;
	}
	tavor_port_event_from_mad(dev, req->port, request, out);
	/* The driver's own requests have no completion. */
	if (req->wc)
		atomic64_inc(&tavor_port_counters(dev, req->port)->mads_answered);
	/* If no key is checked this host asks, for the description in the hardware. */
	if (!(req->flags & IB_MAD_IGNORE_MKEY))
		tavor_mad_node_desc(dev, out);
	if (out->mad_hdr.mgmt_class == IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE)
		out->mad_hdr.status |= TAVOR_SMP_D_BIT;
	req->result = IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_REPLY;
}

static int tavor_mad_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			  const struct vrb_result *result)
{
	struct vrb_process_mad *req = container_of(vrb, struct vrb_process_mad, vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);

	/* Before the caller learns of the Set. The mailbox still has the request. */
	if (tavor_mad_sets(tavor_mbox_in(dev, slot)))
		tavor_smp_forget(dev, -1);
	/* A bad packet must be dropped silently. */
	if (result->status == -EBADMSG)
		return VRB_NEXT;
	if (result->status)
		return result->status;
	memcpy(req->out, tavor_mbox_out(dev, slot), TAVOR_MAD_SIZE);
	tavor_mad_answer(dev, req, tavor_mbox_in(dev, slot));
	return VRB_NEXT;
}

static const struct vrb_step tavor_process_mad_steps[] = {
	{ .name = "MAD_IFC", .encode = tavor_mad_encode, .done = tavor_mad_done },
};

const struct vrb_verb tavor_verb_process_mad = {
	.name = "PROCESS_MAD",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_process_mad_steps),
};

/* Names the verb itself, because probe calls this before the table of verbs is registered. */
static int tavor_mad_exec(struct tavor_dev *dev, struct vrb_process_mad *req)
{
	vrb_prep(&req->vrb, &tavor_verb_process_mad, NULL);
	req->vrb.user = tavor_exec_caller(dev);
	return tavor_exec(dev, &req->vrb);
}

/*
 * The firmware's own traps have no source LID and are never directed. A directed trap that is being
 * sent to this device arrives here too, through ib_core. Forwarding that would never end.
 */
static bool tavor_mad_is_own_trap(const struct ib_mad_hdr *hdr, const struct ib_wc *wc)
{
	return hdr->method == IB_MGMT_METHOD_TRAP && wc && !wc->slid &&
	       hdr->mgmt_class != IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE;
}

/**
 * tavor_process_mad() - ib_device_ops.process_mad
 * @ibdev: the device
 * @flags: IB_MAD_IGNORE_*
 * @port: port it arrived by
 * @in_wc: its completion, or NULL
 * @in_grh: its GRH, or NULL
 * @in: the MAD
 * @out: the answer
 * @out_size: not used
 * @out_pkey_index: not used
 *
 * Context: Process context.
 * Return: IB_MAD_RESULT_*.
 */
int tavor_process_mad(struct ib_device *ibdev, int flags, u32 port, const struct ib_wc *in_wc,
		      const struct ib_grh *in_grh, const struct ib_mad *in, struct ib_mad *out,
		      size_t *out_size, u16 *out_pkey_index)
{
	struct vrb_process_mad req = {
		.port = port,
		.flags = flags,
		.wc = in_wc,
		.grh = in_grh,
		.in = in,
		.out = out,
	};

	if (tavor_mad_is_own_trap(&in->mad_hdr, in_wc)) {
		tavor_forward_trap(to_tdev(ibdev), port, in);
		return IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_CONSUMED;
	}
	if (!tavor_mad_is_ours(&in->mad_hdr))
		return IB_MAD_RESULT_SUCCESS;
	return tavor_mad_exec(to_tdev(ibdev), &req) ? IB_MAD_RESULT_FAILURE : req.result;
}

/* ---- Requests of the driver to the agent ---- */

static void tavor_smp_fill(struct ib_smp *smp, __be16 attr, u32 modifier)
{
	memset(smp, 0, sizeof(*smp));
	smp->base_version = 1;
	smp->mgmt_class = IB_MGMT_CLASS_SUBN_LID_ROUTED;
	smp->class_version = 1;
	smp->method = IB_MGMT_METHOD_GET;
	smp->attr_id = attr;
	smp->attr_mod = cpu_to_be32(modifier);
}

/**
 * tavor_smp_get() - reads an attribute of the firmware's subnet management agent
 * @dev: the device
 * @port: the port
 * @attr: the attribute
 * @modifier: its modifier
 * @smp: the answer
 *
 * Context: Process context.
 * Return: 0; -EINVAL: the agent returned an error; or another negative errno.
 */
int tavor_smp_get(struct tavor_dev *dev, u32 port, __be16 attr, u32 modifier, struct ib_smp *smp)
{
	struct vrb_process_mad req = {
		.port = port,
		.flags = IB_MAD_IGNORE_MKEY | IB_MAD_IGNORE_BKEY,
		.in = (struct ib_mad *)smp,
		.out = (struct ib_mad *)smp,
	};
	int err;

	tavor_smp_fill(smp, attr, modifier);
	err = tavor_mad_exec(dev, &req);
	if (!err && (!(req.result & IB_MAD_RESULT_REPLY) || smp->status))
		err = -EINVAL;
	return err;
}

/**
 * tavor_smp_block() - reads a block of a table whose entries are queried one by one
 * @dev: the device
 * @port: the port
 * @table: the table
 * @modifier: number of the block
 * @data: data of the attribute, IB_SMP_DATA_SIZE bytes
 *
 * The block that was read last is cached, until something is set or the port's state is queried.
 * ib_core queries the port's state each time before it reads the tables.
 *
 * Context: Process context.
 * Return: as tavor_smp_get().
 */
int tavor_smp_block(struct tavor_dev *dev, u32 port, enum tavor_mad_table table, u32 modifier,
		    u8 *data)
{
	static const __be16 attr[] = {
		[TAVOR_MAD_PORT_INFO]	= IB_SMP_ATTR_PORT_INFO,
		[TAVOR_MAD_GUIDS]	= IB_SMP_ATTR_GUID_INFO,
		[TAVOR_MAD_PKEYS]	= IB_SMP_ATTR_PKEY_TABLE,
	};
	struct tavor_mad_block *block;
	struct ib_smp smp;
	u32 changes;
	int err;

	if (!tavor_port_ok(dev, port))
		return -EINVAL;
	block = &dev->mad->port[port - 1].block[table];
	if (tavor_smp_recall(dev->mad, block, modifier, data, &changes))
		return 0;
	err = tavor_smp_get(dev, port, attr[table], modifier, &smp);
	if (err)
		return err;
	memcpy(data, smp.data, IB_SMP_DATA_SIZE);
	tavor_smp_keep(dev->mad, block, modifier, data, changes);
	return 0;
}

/**
 * tavor_encode_port_info() - step: reads PortInfo from the agent
 * @dev: the device
 * @slot: where to encode
 * @port: the port
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_encode_port_info(struct tavor_dev *dev, struct vrb_slot *slot, u32 port)
{
	tavor_smp_fill(tavor_mbox_in(dev, slot), IB_SMP_ATTR_PORT_INFO, port);
	tavor_cmd_set(dev, slot, TAVOR_CMD_MAD_IFC, TAVOR_MAD_IGNORE_MKEY | TAVOR_MAD_IGNORE_BKEY,
		      FIELD_PREP(TAVOR_MAD_PORT, port), TAVOR_CMD_IN | TAVOR_CMD_OUT);
}

/**
 * tavor_port_info_done() - handles the result of that step
 * @dev: the device
 * @slot: its slot
 * @port: the port
 *
 * Context: Softirq.
 * Return: the attribute's data, or NULL: the agent returned an error.
 */
const u8 *tavor_port_info_done(struct tavor_dev *dev, struct vrb_slot *slot, u32 port)
{
	const struct ib_smp *smp = tavor_mbox_out(dev, slot);

	/* No event reports what a link failure changes in the tables: they are read again. */
	tavor_smp_forget(dev, 0);
	if (smp->status)
		return NULL;
	tavor_port_event_from_mad(dev, port, tavor_mbox_in(dev, slot), tavor_mbox_out(dev, slot));
	return smp->data;
}

/**
 * tavor_mad_init() - initialises the management state
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
