// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The profile: the number of objects of each type, and the place of each table in the HCA's DDR
 * (tavor-hw 7).
 *
 * The number of entries of every table, and the size of an entry, is a power of two. The tables are
 * packed from the start of the DDR, largest first, so the address of each is a multiple of its own
 * size.
 */
#include <linux/log2.h>
#include <linux/sort.h>

#include "hw_mad.h"
#include "hw_qp.h"
#include "hw_wqe.h"
#include "params.h"
#include "profile.h"
#include "tavor.h"

/* Limited to what the firmware offers, and to 2^31, because numbers have 32 bits. */
static u32 tavor_profile_cut(unsigned int wanted, u8 log_max)
{
	return min_t(u64, wanted, 1ULL << min_t(u8, log_max, 31));
}

static void tavor_profile_make_limits(struct tavor_dev *dev)
{
	const struct tavor_dev_lim *lim = &dev->lim;
	struct tavor_limits *l = &dev->limits;
	u32 desc = rounddown_pow_of_two(lim->max_desc_size);

	l->num_qps = tavor_profile_cut(tavor_params.num_qp, lim->log_max_qps);
	l->num_cqs = tavor_profile_cut(tavor_params.num_cq, lim->log_max_cqs);
	/* Room for all SRQs that the firmware offers, within reason. */
	l->num_srqs = tavor_profile_cut(1 << 16, lim->log_max_srqs);
	l->num_eqs = tavor_profile_cut(32, lim->log_max_eqs);
	l->num_mpts = tavor_profile_cut(tavor_params.num_mpt, lim->log_max_mpts);
	l->num_mtt_segs = tavor_profile_cut(tavor_params.num_mtt, lim->log_max_mtt_segs);
	l->num_uars = lim->uar_size >> PAGE_SHIFT;
	l->num_pds = tavor_profile_cut(tavor_params.num_pd, lim->log_max_pds);
	l->num_avs = tavor_profile_cut(tavor_params.num_av, lim->log_max_avs);
	/* As many overflow entries follow the buckets. */
	l->num_mgms = tavor_profile_cut(tavor_params.num_mcg, max_t(u8, lim->log_max_mgms, 1) - 1);
	l->mtt_seg_size = 64;
	l->rdb_per_qp = tavor_profile_cut(tavor_params.rdb_per_qp, lim->log_max_ra_res_qp);
	/* Next/control segment and the largest fixed segment, UD, leave this for data segments. */
	l->max_sg = min_t(u32, lim->max_sg, (lim->max_desc_size - 16 - 48) / 16);
	/*
	 * An SRQ's stride is a power of two. Early firmware reportedly has problems with a stride
	 * of 512 bytes, but the user library and IPoIB (17 segments) have always used it.
	 */
	l->max_srq_sge = min(l->max_sg, (desc - 16) / 16);
	l->max_qp_init_rdma = 1U << min_t(u8, lim->log_max_ra_req_qp, 7);
	l->max_qp_dest_rdma = l->rdb_per_qp;
	/* An index is one byte in a path. */
	l->gid_table_len = 1U << min_t(u8, lim->log_max_gids, 8);
	l->pkey_table_len = 1U << lim->log_max_pkeys;
	l->num_ports = lim->num_ports;
}

/* A table must have more entries than those that are reserved. */
static int tavor_profile_check_reserved(const struct tavor_dev *dev)
{
	const struct tavor_dev_lim *lim = &dev->lim;
	const struct tavor_limits *l = &dev->limits;
	const struct {
		const char *name;
		u32 num;
		u32 reserved;
	} tables[] = {
		/* The special QPs of both ports are reserved like the firmware's. */
		{ "num_qp", l->num_qps, ALIGN(lim->reserved_qps, 2) + 2 * TAVOR_MAX_PORTS },
		{ "num_cq", l->num_cqs, lim->reserved_cqs },
		{ "num_mpt", l->num_mpts, lim->reserved_mpts },
		{ "num_mtt", l->num_mtt_segs, lim->reserved_mtt_segs },
		{ "num_mcg", l->num_mgms, lim->reserved_mgms },
		{ "num_pd", l->num_pds, lim->reserved_pds },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (tables[i].num > tables[i].reserved)
			continue;
		dev_err(&dev->pdev->dev, "%s=%u: the HCA reserves %u of them\n", tables[i].name,
			tables[i].num, tables[i].reserved);
		return -EINVAL;
	}
	return 0;
}

struct table {
	const char *name;
	u64 *base;
	u64 size;
};

static int tavor_profile_larger_first(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

static int tavor_profile_pack(struct tavor_dev *dev, struct table *tables, unsigned int n)
{
	u64 room = min(dev->fw.start, dev->ddr_info.end + 1) - dev->ddr_info.start;
	u64 at = dev->ddr_info.start;
	unsigned int i;

	sort(tables, n, sizeof(*tables), tavor_profile_larger_first, NULL);
	for (i = 0; i < n; i++) {
		*tables[i].base = at;
		at += tables[i].size;
		dev_dbg(&dev->pdev->dev, "%s: %llu KB at %#llx\n", tables[i].name,
			tables[i].size >> 10, *tables[i].base);
	}
	dev->layout.end = at;
	if (at - dev->ddr_info.start <= room)
		return 0;
	dev_err(&dev->pdev->dev,
		"tables of %llu MB do not fit the HCA's %llu MB of memory; try smaller num_* parameters\n",
		(at - dev->ddr_info.start) >> 20, room >> 20);
	return -ENOSPC;
}

static int tavor_profile_check_ddr(struct tavor_dev *dev)
{
	const struct tavor_ddr_info *ddr = &dev->ddr_info;

	if (ddr->end <= ddr->start || dev->fw.start <= ddr->start || ddr->start & 0xff) {
		dev_err(&dev->pdev->dev, "DDR %#llx..%#llx, firmware at %#llx: makes no sense\n",
			ddr->start, ddr->end, dev->fw.start);
		return -EINVAL;
	}
	/*
	 * A table is accessed at its address modulo the size of BAR 4, which must cover all tables.
	 */
	if (dev->ddr_bar_size && (ddr->start & (dev->ddr_bar_size - 1) ||
				  ddr->end - ddr->start >= dev->ddr_bar_size)) {
		dev_err(&dev->pdev->dev, "BAR 4 of %llu MB does not show DDR %#llx..%#llx\n",
			dev->ddr_bar_size >> 20, ddr->start, ddr->end);
		return -EINVAL;
	}
	return 0;
}

static int tavor_profile_make_layout(struct tavor_dev *dev)
{
	const struct tavor_dev_lim *lim = &dev->lim;
	const struct tavor_limits *l = &dev->limits;
	struct tavor_layout *lay = &dev->layout;
	struct table tables[] = {
		{ "QPC", &lay->qpc, (u64)l->num_qps * lim->qpc_size },
		{ "EQPC", &lay->eqpc, (u64)l->num_qps * lim->eqpc_size },
		{ "SRQC", &lay->srqc, (u64)l->num_srqs * lim->srqc_size },
		{ "CQC", &lay->cqc, (u64)l->num_cqs * lim->cqc_size },
		{ "EQC", &lay->eqc, (u64)l->num_eqs * lim->eqc_size },
		{ "RDB", &lay->rdb, (u64)l->num_qps * l->rdb_per_qp * TAVOR_RDB_SIZE },
		{ "MCG", &lay->mcg, (u64)l->num_mgms * 2 * TAVOR_MGM_SIZE },
		{ "MPT", &lay->mpt, (u64)l->num_mpts * TAVOR_MPT_SIZE },
		{ "MTT", &lay->mtt, (u64)l->num_mtt_segs * l->mtt_seg_size },
		{ "UAR scratch", &lay->uar_scratch, (u64)l->num_uars * lim->uar_scratch_size },
		{ "AV", &lay->av, (u64)l->num_avs * TAVOR_AV_SIZE },
	};

	return tavor_profile_pack(dev, tables, ARRAY_SIZE(tables));
}

/**
 * tavor_profile_make() - computes limits and DDR layout
 * @dev: device with firmware, DDR and limits queried
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with the reason in the log; -EINVAL: a table has only reserved
 * entries; -ENOSPC: the tables do not fit.
 */
int tavor_profile_make(struct tavor_dev *dev)
{
	int err = tavor_profile_check_ddr(dev);

	if (err)
		return err;
	tavor_profile_make_limits(dev);
	err = tavor_profile_check_reserved(dev);
	if (err)
		return err;
	return tavor_profile_make_layout(dev);
}
