/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The number of objects of each type, and the place of their tables.
 */
#ifndef TAVOR_PROFILE_H
#define TAVOR_PROFILE_H

#include <linux/types.h>

struct tavor_dev;

/*
 * Limits of this device: those of the firmware, or of the profile if lower. Powers of two for
 * tables.
 */
struct tavor_limits {
	u32 num_qps, num_srqs, num_cqs, num_eqs, num_mpts, num_mtt_segs, num_uars, num_pds, num_avs;
	u32 num_mgms;		/* hash buckets; as many overflow entries follow */
	u32 mtt_seg_size;	/* bytes, 8 per entry */
	u32 rdb_per_qp;		/* responder depth of a QP */
	u32 max_sg;		/* per WQE: min of what fits into one and what is reported */
	u32 max_srq_sge;
	u32 max_qp_init_rdma;	/* requester depth of a QP */
	u32 max_qp_dest_rdma;
	u32 gid_table_len, pkey_table_len;
	u8 num_ports;
};

/* Place of each table in the HCA's DDR (HCA addresses). */
struct tavor_layout {
	u64 qpc, eqpc, srqc, cqc, eqc, rdb, mcg, mpt, mtt, uar_scratch, av;
	u64 end;		/* first byte after the last table */
};

int tavor_profile_make(struct tavor_dev *dev);

#endif /* TAVOR_PROFILE_H */
