// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Address handles of the kernel.
 *
 * The hardware fetches the vector when it executes the send, not when it is posted, so of the
 * returned slots the one returned longest ago is reused first. A slot that was never used is taken
 * only if there is no returned one. Slots lie in the HCA's DDR, or in host memory when that is
 * hidden. The handle has a copy: nothing is ever read back from the DDR.
 */
#include <linux/bitfield.h>
#include <linux/slab.h>
#include <rdma/ib_cache.h>

#include "ah.h"
#include "buf.h"
#include "hw_qp.h"
#include "pd.h"
#include "rate.h"
#include "tavor.h"

#define TAVOR_AVS_PER_BLOCK	(PAGE_SIZE / TAVOR_AV_SIZE)
#define TAVOR_AV_NONE		U32_MAX

/**
 * struct tavor_av_table - slots for address vectors
 * @lock: the free list
 * @map: slots in the DDR; NULL: in host memory
 * @block: host memory, allocated when its first slot is taken
 * @size: slots
 * @fresh: slots from here on have never been used
 * @oldest: free slot returned longest ago
 * @newest: free slot returned last
 * @next: free list by slot
 * @used: number of handles
 */
struct tavor_av_table {
	spinlock_t lock;	/* free list */
	void __iomem *map;
	struct tavor_block *block;
	u32 size;
	u32 fresh;
	u32 oldest;
	u32 newest;
	u32 *next;
	u32 used;
};

static int tavor_av_back(struct tavor_dev *dev, u32 slot)
{
	struct tavor_block *block;

	if (dev->avs->map)
		return 0;
	block = &dev->avs->block[slot / TAVOR_AVS_PER_BLOCK];
	return block->addr ? 0 : tavor_block_get(dev, block, GFP_ATOMIC);
}

static int tavor_av_take(struct tavor_dev *dev, u32 *slot)
{
	struct tavor_av_table *table = dev->avs;
	int err = 0;

	lockdep_assert_held(&table->lock);
	if (table->oldest != TAVOR_AV_NONE) {
		*slot = table->oldest;
		table->oldest = table->next[*slot];
		if (table->oldest == TAVOR_AV_NONE)
			table->newest = TAVOR_AV_NONE;
	} else if (table->fresh < table->size) {
		err = tavor_av_back(dev, table->fresh);
		if (!err)
			*slot = table->fresh++;
	} else {
		err = -ENOMEM;
	}
	if (!err)
		table->used++;
	return err;
}

static void tavor_av_return(struct tavor_av_table *table, u32 slot)
{
	lockdep_assert_held(&table->lock);
	table->next[slot] = TAVOR_AV_NONE;
	if (table->newest != TAVOR_AV_NONE)
		table->next[table->newest] = slot;
	else
		table->oldest = slot;
	table->newest = slot;
	table->used--;
}

static void tavor_av_write(struct tavor_dev *dev, struct tavor_ah *ah)
{
	struct tavor_av_table *table = dev->avs;
	u32 offset = ah->slot % TAVOR_AVS_PER_BLOCK * TAVOR_AV_SIZE;
	struct tavor_block *block;

	if (table->map) {
		__iowrite64_copy(table->map + (size_t)ah->slot * TAVOR_AV_SIZE, &ah->av,
				 sizeof(ah->av) / sizeof(u64));
		ah->addr = dev->layout.av + (u64)ah->slot * TAVOR_AV_SIZE;
		return;
	}
	block = &table->block[ah->slot / TAVOR_AVS_PER_BLOCK];
	memcpy(block->addr + offset, &ah->av, sizeof(ah->av));
	ah->addr = block->dma + offset;
}

static void tavor_av_encode(const struct tavor_dev *dev, u32 pdn, const struct rdma_ah_attr *attr,
			    struct tavor_av *av)
{
	u32 port = rdma_ah_get_port_num(attr);
	u32 word = FIELD_PREP(TAVOR_PATH_SL, rdma_ah_get_sl(attr));

	memset(av, 0, sizeof(*av));
	av->port_pd = cpu_to_be32(FIELD_PREP(TAVOR_AV_PORT, port) | FIELD_PREP(TAVOR_AV_PD, pdn));
	av->grh_path_bits = FIELD_PREP(TAVOR_PATH_BITS, rdma_ah_get_path_bits(attr));
	av->dlid = cpu_to_be16(rdma_ah_get_dlid(attr));
	av->msg_rate = FIELD_PREP(TAVOR_AV_MSG, dev->lim.max_mtu - IB_MTU_256) |
		       FIELD_PREP(TAVOR_AV_RATE,
				  tavor_static_rate(dev, port, rdma_ah_get_static_rate(attr)));
	if (rdma_ah_get_ah_flags(attr) & IB_AH_GRH) {
		const struct ib_global_route *grh = rdma_ah_read_grh(attr);

		av->grh_path_bits |= TAVOR_AV_GRH;
		av->sgid_index = (port - 1) * dev->limits.gid_table_len + grh->sgid_index;
		av->hop_limit = grh->hop_limit;
		word |= FIELD_PREP(TAVOR_PATH_TCLASS, grh->traffic_class) |
			FIELD_PREP(TAVOR_PATH_FLOW_LABEL, grh->flow_label);
		memcpy(av->dgid, grh->dgid.raw, sizeof(av->dgid));
	} else {
		av->dgid[3] = cpu_to_be32(TAVOR_AV_NO_GRH_DGID);
	}
	av->sl_tclass_flow = cpu_to_be32(word);
}

/* The source GID that the address has a reference to must be the one that its index names. */
static bool tavor_route_ok(const struct tavor_dev *dev, const struct ib_global_route *grh)
{
	const struct ib_gid_attr *gid = grh->sgid_attr;

	if (gid && (gid->device != &dev->ib_dev || gid->index != grh->sgid_index))
		return false;
	return grh->sgid_index < dev->limits.gid_table_len &&
	       grh->flow_label <= FIELD_MAX(TAVOR_PATH_FLOW_LABEL);
}

/**
 * tavor_ah_attr_ok() - whether an address fits the hardware's fields
 * @dev: the device
 * @attr: address; the caller checks its port
 *
 * Context: Any.
 * Return: whether each of its fields fits the hardware's.
 */
bool tavor_ah_attr_ok(const struct tavor_dev *dev, const struct rdma_ah_attr *attr)
{
	if (attr->type != RDMA_AH_ATTR_TYPE_IB || rdma_ah_get_sl(attr) > FIELD_MAX(TAVOR_PATH_SL) ||
	    rdma_ah_get_path_bits(attr) > FIELD_MAX(TAVOR_PATH_BITS) ||
	    !tavor_rate_known(rdma_ah_get_static_rate(attr)))
		return false;
	return !(rdma_ah_get_ah_flags(attr) & IB_AH_GRH) ||
	       tavor_route_ok(dev, rdma_ah_read_grh(attr));
}

/**
 * tavor_create_ah() - ib_device_ops.create_ah
 * @ibah: made by ib_core
 * @init_attr: address
 * @udata: always NULL: user space makes its own
 *
 * Context: Any down to softirq.
 * Return: 0; -EINVAL: port, or a field out of range; -ENOMEM: no slot.
 */
int tavor_create_ah(struct ib_ah *ibah, struct rdma_ah_init_attr *init_attr, struct ib_udata *udata)
{
	const struct rdma_ah_attr *attr = init_attr->ah_attr;
	struct tavor_dev *dev = to_tdev(ibah->device);
	struct tavor_ah *ah = to_tah(ibah);
	u32 port = rdma_ah_get_port_num(attr);
	unsigned long flags;
	int err;

	if (port < 1 || port > dev->limits.num_ports || !tavor_ah_attr_ok(dev, attr))
		return -EINVAL;
	tavor_av_encode(dev, to_tpd(ibah->pd)->hw->pdn, attr, &ah->av);
	spin_lock_irqsave(&dev->avs->lock, flags);
	err = tavor_av_take(dev, &ah->slot);
	spin_unlock_irqrestore(&dev->avs->lock, flags);
	if (!err)
		tavor_av_write(dev, ah);
	return err;
}

/**
 * tavor_destroy_ah() - ib_device_ops.destroy_ah
 * @ibah: the handle; sends that name it should have completed
 * @flags: not used: nothing here sleeps
 *
 * Context: Any down to softirq.
 * Return: 0.
 */
int tavor_destroy_ah(struct ib_ah *ibah, u32 flags)
{
	struct tavor_av_table *table = to_tdev(ibah->device)->avs;
	unsigned long irq_flags;

	spin_lock_irqsave(&table->lock, irq_flags);
	tavor_av_return(table, to_tah(ibah)->slot);
	spin_unlock_irqrestore(&table->lock, irq_flags);
	return 0;
}

/**
 * tavor_query_ah() - ib_device_ops.query_ah
 * @ibah: the handle
 * @attr: result
 *
 * Context: Any.
 * Return: 0.
 */
int tavor_query_ah(struct ib_ah *ibah, struct rdma_ah_attr *attr)
{
	const struct tavor_dev *dev = to_tdev(ibah->device);
	const struct tavor_av *av = &to_tah(ibah)->av;
	u32 word = be32_to_cpu(av->sl_tclass_flow);
	u32 port = FIELD_GET(TAVOR_AV_PORT, be32_to_cpu(av->port_pd));

	memset(attr, 0, sizeof(*attr));
	attr->type = ibah->type;
	rdma_ah_set_port_num(attr, port);
	rdma_ah_set_dlid(attr, be16_to_cpu(av->dlid));
	rdma_ah_set_sl(attr, FIELD_GET(TAVOR_PATH_SL, word));
	rdma_ah_set_path_bits(attr, FIELD_GET(TAVOR_PATH_BITS, av->grh_path_bits));
	rdma_ah_set_static_rate(attr, tavor_ib_rate(FIELD_GET(TAVOR_AV_RATE, av->msg_rate)));
	if (av->grh_path_bits & TAVOR_AV_GRH) {
		rdma_ah_set_grh(attr, NULL, FIELD_GET(TAVOR_PATH_FLOW_LABEL, word),
				av->sgid_index - (port - 1) * dev->limits.gid_table_len,
				av->hop_limit, FIELD_GET(TAVOR_PATH_TCLASS, word));
		rdma_ah_set_dgid_raw(attr, (void *)av->dgid);
	}
	return 0;
}

static int tavor_av_map(struct tavor_dev *dev)
{
	struct tavor_av_table *table = dev->avs;
	u64 offset = dev->layout.av & (dev->ddr_bar_size - 1);

	if (!dev->ddr_bar_size) {
		table->block = kcalloc(DIV_ROUND_UP(table->size, TAVOR_AVS_PER_BLOCK),
				       sizeof(*table->block), GFP_KERNEL);
		return table->block ? 0 : -ENOMEM;
	}
	table->map = ioremap(pci_resource_start(dev->pdev, 4) + offset,
			     (size_t)table->size * TAVOR_AV_SIZE);
	return table->map ? 0 : -ENOMEM;
}

/**
 * tavor_av_table_init() - slots for address vectors
 * @dev: the device
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int tavor_av_table_init(struct tavor_dev *dev)
{
	struct tavor_av_table *table;
	int err;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	dev->avs = table;
	spin_lock_init(&table->lock);
	table->size = dev->limits.num_avs;
	table->oldest = TAVOR_AV_NONE;
	table->newest = TAVOR_AV_NONE;
	table->next = kvcalloc(table->size, sizeof(*table->next), GFP_KERNEL);
	err = table->next ? tavor_av_map(dev) : -ENOMEM;
	if (!err)
		return 0;
	kvfree(table->next);
	kfree(table);
	dev->avs = NULL;
	return err;
}

/**
 * tavor_av_table_cleanup() - counterpart of tavor_av_table_init()
 * @dev: the device; all address handles are gone, others are reported as leaked
 *
 * Context: Process context.
 */
void tavor_av_table_cleanup(struct tavor_dev *dev)
{
	struct tavor_av_table *table = dev->avs;
	u32 i, blocks = DIV_ROUND_UP(table->size, TAVOR_AVS_PER_BLOCK);

	if (table->used)
		dev_err(&dev->pdev->dev, "%u address handles still in use\n", table->used);
	dev->leaked += table->used;
	for (i = 0; table->block && i < blocks; i++)
		if (table->block[i].addr)
			tavor_block_put(dev, &table->block[i]);
	if (table->map)
		iounmap(table->map);
	kfree(table->block);
	kvfree(table->next);
	kfree(table);
	dev->avs = NULL;
}
