// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The device as ib_core sees it: its operations, attributes of device and ports, registration. It
 * queries the firmware's subnet management agent with MADs.
 */
#include <linux/sysfs.h>
#include <linux/unaligned.h>

#include <rdma/ib_smi.h>

#include "ah.h"
#include "catas.h"
#include "cq_resize.h"
#include "device.h"
#include "dispatch.h"
#include "drain.h"
#include "hw_mad.h"
#include "mad.h"
#include "mcast.h"
#include "mr.h"
#include "mw.h"
#include "poll.h"
#include "port.h"
#include "post.h"
#include "qp.h"
#include "restrack.h"
#include "stats.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"
#include "user_queue.h"
#include "verbs.h"

/* Attribute data of the SMPs: offsets of the fields used here */
#define NODE_SYSTEM_GUID	4
#define NODE_GUID		12
#define NODE_DEVICE_ID		30
#define NODE_REVISION		32
#define NODE_VENDOR_ID		36	/* [23:0] */
#define GUIDS_PER_BLOCK		8
#define PKEYS_PER_BLOCK		32

/* ---- Device ---- */

static u64 tavor_device_caps(u32 flags)
{
	u64 caps = IB_DEVICE_CHANGE_PHY_PORT | IB_DEVICE_PORT_ACTIVE_EVENT |
		   IB_DEVICE_SYS_IMAGE_GUID | IB_DEVICE_RC_RNR_NAK_GEN;

	if (flags & TAVOR_DEV_LIM_BAD_PKEY_CNTR)
		caps |= IB_DEVICE_BAD_PKEY_CNTR;
	if (flags & TAVOR_DEV_LIM_BAD_QKEY_CNTR)
		caps |= IB_DEVICE_BAD_QKEY_CNTR;
	if (flags & TAVOR_DEV_LIM_APM)
		caps |= IB_DEVICE_AUTO_PATH_MIG;
	if (flags & TAVOR_DEV_LIM_MW)
		caps |= IB_DEVICE_MEM_WINDOW;
	if (flags & TAVOR_DEV_LIM_UD_AV_PORT)
		caps |= IB_DEVICE_UD_AV_PORT_ENFORCE;
	return caps;
}

static void tavor_device_identity(struct tavor_dev *dev, const u8 *node,
				  struct ib_device_attr *props)
{
	props->fw_ver = dev->fw.version;
	props->vendor_id = get_unaligned_be32(node + NODE_VENDOR_ID) & 0xffffff;
	props->vendor_part_id = get_unaligned_be16(node + NODE_DEVICE_ID);
	props->hw_ver = get_unaligned_be32(node + NODE_REVISION);
	memcpy(&props->sys_image_guid, node + NODE_SYSTEM_GUID, 8);
	props->device_cap_flags = tavor_device_caps(dev->lim.flags);
	props->page_size_cap = ~(u64)(PAGE_SIZE - 1);
	props->max_mr_size = ~0ULL;
	props->local_ca_ack_delay = dev->lim.local_ca_ack_delay;
	props->max_pkeys = dev->limits.pkey_table_len;
}

static void tavor_device_queues(const struct tavor_dev *dev, struct ib_device_attr *props)
{
	const struct tavor_dev_lim *lim = &dev->lim;
	const struct tavor_limits *l = &dev->limits;

	props->max_qp = l->num_qps - lim->reserved_qps;
	props->max_qp_wr = lim->max_qp_wqes;
	props->max_send_sge = l->max_sg;
	props->max_recv_sge = l->max_sg;
	props->max_sge_rd = l->max_sg;
	props->max_cq = l->num_cqs - lim->reserved_cqs;
	props->max_cqe = lim->max_cqes;
	props->max_qp_rd_atom = l->max_qp_dest_rdma;
	props->max_qp_init_rd_atom = l->max_qp_init_rdma;
	props->max_res_rd_atom = props->max_qp_rd_atom * props->max_qp;
	if (lim->flags & TAVOR_DEV_LIM_SRQ) {
		props->max_srq = l->num_srqs - lim->reserved_srqs;
		props->max_srq_wr = lim->max_srq_wqes;
		props->max_srq_sge = l->max_srq_sge;
	}
	props->atomic_cap = lim->flags & TAVOR_DEV_LIM_ATOMIC ? IB_ATOMIC_HCA : IB_ATOMIC_NONE;
}

static void tavor_device_tables(const struct tavor_dev *dev, struct ib_device_attr *props)
{
	const struct tavor_limits *l = &dev->limits;

	props->max_mr = l->num_mpts - dev->lim.reserved_mpts;
	props->max_mw = dev->lim.flags & TAVOR_DEV_LIM_MW ? props->max_mr : 0;
	props->max_pd = l->num_pds - dev->lim.reserved_pds;
	props->max_ah = l->num_avs;
	props->max_mcast_grp = l->num_mgms * 2;
	props->max_mcast_qp_attach = TAVOR_MGM_QPS;
	props->max_total_mcast_qp_attach = props->max_mcast_qp_attach * props->max_mcast_grp;
}

static int tavor_query_device(struct ib_device *ibdev, struct ib_device_attr *props,
			      struct ib_udata *udata)
{
	struct tavor_dev *dev = to_tdev(ibdev);
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	memset(props, 0, sizeof(*props));
	tavor_device_identity(dev, dev->mad->node_info, props);
	tavor_device_queues(dev, props);
	tavor_device_tables(dev, props);
	return 0;
}

static int tavor_modify_device(struct ib_device *ibdev, int mask, struct ib_device_modify *props)
{
	struct tavor_dev *dev = to_tdev(ibdev);

	if (mask & ~IB_DEVICE_MODIFY_NODE_DESC)
		return -EOPNOTSUPP;
	if (mask & IB_DEVICE_MODIFY_NODE_DESC) {
		spin_lock_bh(&dev->mad->lock);
		memcpy(ibdev->node_desc, props->node_desc, IB_DEVICE_NODE_DESC_MAX);
		spin_unlock_bh(&dev->mad->lock);
	}
	return 0;
}

static void tavor_get_dev_fw_str(struct ib_device *ibdev, char *str)
{
	tavor_fw_version_str(to_tdev(ibdev), str, IB_FW_VERSION_NAME_MAX);
}

#ifdef VRB_HAS_VECTOR_AFFINITY
static const struct cpumask *tavor_get_vector_affinity(struct ib_device *ibdev, int vector)
{
	return tavor_eq_affinity(to_tdev(ibdev), vector);
}
#endif

/* ---- Ports ---- */

static int tavor_get_port_immutable(struct ib_device *ibdev, u32 port,
				    struct ib_port_immutable *immutable)
{
	const struct tavor_limits *l = &to_tdev(ibdev)->limits;

	immutable->gid_tbl_len = l->gid_table_len;
	immutable->pkey_tbl_len = l->pkey_table_len;
	immutable->core_cap_flags = RDMA_CORE_PORT_IBA_IB;
	immutable->max_mad_size = IB_MGMT_MAD_SIZE;
	return 0;
}

static enum rdma_link_layer tavor_get_link_layer(struct ib_device *ibdev, u32 port)
{
	return IB_LINK_LAYER_INFINIBAND;
}

static int tavor_query_gid(struct ib_device *ibdev, u32 port, int index, union ib_gid *gid)
{
	struct tavor_dev *dev = to_tdev(ibdev);
	u8 data[IB_SMP_DATA_SIZE];
	int err;

	err = tavor_smp_block(dev, port, TAVOR_MAD_PORT_INFO, port, data);
	if (err)
		return err;
	memcpy(gid->raw, data + TAVOR_PORT_INFO_GID_PREFIX, 8);
	err = tavor_smp_block(dev, port, TAVOR_MAD_GUIDS, index / GUIDS_PER_BLOCK, data);
	if (err)
		return err;
	memcpy(gid->raw + 8, data + index % GUIDS_PER_BLOCK * 8, 8);
	return 0;
}

static int tavor_query_pkey(struct ib_device *ibdev, u32 port, u16 index, u16 *pkey)
{
	u8 data[IB_SMP_DATA_SIZE];
	int err;

	err = tavor_smp_block(to_tdev(ibdev), port, TAVOR_MAD_PKEYS, index / PKEYS_PER_BLOCK,
			      data);
	if (!err)
		*pkey = get_unaligned_be16(data + index % PKEYS_PER_BLOCK * 2);
	return err;
}

/* ---- sysfs: what ibstat and ibv_devinfo print ---- */

static struct tavor_dev *tavor_sysfs_to_tdev(struct device *device)
{
	return rdma_device_to_drv_device(device, struct tavor_dev, ib_dev);
}

static ssize_t hw_rev_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%x\n", tavor_sysfs_to_tdev(device)->adapter.revision);
}
static DEVICE_ATTR_RO(hw_rev);

static ssize_t hca_type_show(struct device *device, struct device_attribute *attr, char *buf)
{
	if (tavor_sysfs_to_tdev(device)->pdev->device == TAVOR_PCI_MT23108)
		return sysfs_emit(buf, "MT23108\n");
	return sysfs_emit(buf, "MT25208 (MT23108 compat mode)\n");
}
static DEVICE_ATTR_RO(hca_type);

static ssize_t board_id_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", tavor_sysfs_to_tdev(device)->adapter.board_id);
}
static DEVICE_ATTR_RO(board_id);

static struct attribute *tavor_attributes[] = {
	&dev_attr_hw_rev.attr,
	&dev_attr_hca_type.attr,
	&dev_attr_board_id.attr,
	NULL
};

static const struct attribute_group tavor_attribute_group = {
	.attrs = tavor_attributes,
};

static const struct ib_device_ops tavor_dev_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_MTHCA,
	.uverbs_abi_ver = 1,
	VRB_ROBUST_UDATA
	.device_group = &tavor_attribute_group,

	.alloc_pd = tavor_alloc_pd,
	.alloc_ucontext = tavor_alloc_ucontext,
	.attach_mcast = tavor_attach_mcast,
	.create_ah = tavor_create_ah,
	.create_cq = tavor_create_cq,
	.create_qp = tavor_create_qp,
	.create_srq = tavor_create_srq,
	.dealloc_pd = tavor_dealloc_pd,
	.dealloc_ucontext = tavor_dealloc_ucontext,
	.destroy_ah = tavor_destroy_ah,
	.destroy_cq = tavor_destroy_cq,
	.destroy_qp = tavor_user_destroy_qp,
	.destroy_srq = tavor_destroy_srq,
	.detach_mcast = tavor_detach_mcast,
	.drain_rq = tavor_drain_rq,
	.drain_sq = tavor_drain_sq,
	.disassociate_ucontext = tavor_disassociate_ucontext,
	.get_dev_fw_str = tavor_get_dev_fw_str,
	.get_link_layer = tavor_get_link_layer,
	.get_port_immutable = tavor_get_port_immutable,
	.mmap = tavor_mmap,
	.modify_device = tavor_modify_device,
	.modify_port = tavor_modify_port,
	.modify_qp = tavor_user_modify_qp,
	.modify_srq = tavor_modify_srq,
	.poll_cq = tavor_poll_cq,
	.post_recv = tavor_post_recv,
	.post_send = tavor_post_send,
	.post_srq_recv = tavor_post_srq_recv,
	.process_mad = tavor_process_mad,
	.query_ah = tavor_query_ah,
	.query_device = tavor_query_device,
	.query_gid = tavor_query_gid,
	.query_pkey = tavor_query_pkey,
	.query_port = tavor_query_port,
	.query_qp = tavor_query_qp,
	.query_srq = tavor_query_srq,
	.req_notify_cq = tavor_req_notify_cq,
	VRB_RESIZE_CQ_OP(tavor_resize_cq),
	VRB_UFILE_HW_CLEANUP_OP(tavor_ufile_hw_cleanup)
	VRB_VECTOR_AFFINITY_OP(tavor_get_vector_affinity)

	INIT_RDMA_OBJ_SIZE(ib_ah, tavor_ah, ib),
	INIT_RDMA_OBJ_SIZE(ib_cq, tavor_cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_pd, tavor_pd, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, tavor_qp, ib),
	INIT_RDMA_OBJ_SIZE(ib_srq, tavor_srq, ib),
	INIT_RDMA_OBJ_SIZE(ib_ucontext, tavor_ucontext, ib),
};

static int tavor_read_identity(struct tavor_dev *dev)
{
	struct ib_smp smp;
	int err;

	err = tavor_smp_get(dev, 1, IB_SMP_ATTR_NODE_DESC, 0, &smp);
	if (err)
		return err;
	memcpy(dev->ib_dev.node_desc, smp.data, IB_DEVICE_NODE_DESC_MAX);
	err = tavor_smp_get(dev, 1, IB_SMP_ATTR_NODE_INFO, 0, &smp);
	if (err)
		return err;
	memcpy(dev->mad->node_info, smp.data, sizeof(dev->mad->node_info));
	memcpy(&dev->ib_dev.node_guid, smp.data + NODE_GUID, 8);
	return 0;
}

/**
 * tavor_ib_register() - registers the device with ib_core and for the engine's clients
 * @dev: device that works
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_ib_register(struct tavor_dev *dev)
{
	struct ib_device *ibdev = &dev->ib_dev;
	int err;

	ibdev->node_type = RDMA_NODE_IB_CA;
	ibdev->phys_port_cnt = dev->limits.num_ports;
	ibdev->num_comp_vectors = dev->nr_comp_eqs;
	ibdev->dev.parent = &dev->pdev->dev;
	ib_set_device_ops(ibdev, &tavor_dev_ops);
	ib_set_device_ops(ibdev, &tavor_mr_ops);
	if (dev->lim.flags & TAVOR_DEV_LIM_MW)
		ib_set_device_ops(ibdev, &tavor_mw_ops);
	ib_set_device_ops(ibdev, &tavor_restrack_ops);
	ib_set_device_ops(ibdev, &tavor_stats_ops);
	if (IS_ENABLED(CONFIG_INFINIBAND_USER_ACCESS))
		ibdev->driver_def = tavor_user_queue_defs;
	err = tavor_read_identity(dev);
	if (err)
		return err;
	/* Before ib_core: its clients may be clients of the engine too. */
	err = vrb_device_attach(dev->vrb, ibdev, &tavor_verbs);
	if (err)
		return err;
	err = ib_register_device(ibdev, "tavor%d", &dev->pdev->dev);
	if (err) {
		vrb_device_detach(dev->vrb);
		return err;
	}
	tavor_dispatch_on(dev);
	/* If it failed before, tavor_fatal() has notified nobody. */
	if (vrb_device_failed(dev->vrb))
		tavor_fatal(dev);
	return 0;
}

/**
 * tavor_ib_unregister() - counterpart of tavor_ib_register()
 * @dev: device
 *
 * Context: Process context, may sleep.
 */
void tavor_ib_unregister(struct tavor_dev *dev)
{
	/* Before ib_core waits for the work of events */
	tavor_dispatch_off(dev);
	ib_unregister_device(&dev->ib_dev);
	/*
	 * After this all objects of ib_core and of clients have been released: whoever waits for a
	 * destroy is woken after the release. So the tables can be freed next.
	 */
	vrb_device_detach(dev->vrb);
}
