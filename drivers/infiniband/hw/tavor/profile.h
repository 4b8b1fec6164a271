/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the device is run with: how many of each object, and where their tables lie.
 */
#ifndef TAVOR_PROFILE_H
#define TAVOR_PROFILE_H

#include <linux/types.h>

struct tavor_dev;

/*
 * What this device is run with: limits of the firmware, cut to the profile. Powers of two for
 * tables.
 */
struct tavor_limits {
	u32 num_qps, num_srqs, num_cqs, num_eqs, num_mpts, num_mtt_segs, num_uars, num_pds, num_avs;
	u32 num_mgms;		/* hash buckets; as many overflow entries follow */
	u32 mtt_seg_size;	/* bytes, 8 per entry */
	u32 rdb_per_qp;		/* responder depth of a QP */
	u32 max_sg;		/* per WQE, min over what a WQE holds and what is reported */
	u32 max_srq_sge;
	u32 max_qp_init_rdma;	/* requester depth of a QP */
	u32 max_qp_dest_rdma;
	u32 gid_table_len, pkey_table_len;
	u8 num_ports;
};

/* Where the profile put each table in the HCA's DDR (HCA addresses). */
struct tavor_layout {
	u64 qpc, eqpc, srqc, cqc, eqc, rdb, mcg, mpt, mtt, uar_scratch, av;
	u64 end;		/* first byte after the last table */
};

int tavor_profile_make(struct tavor_dev *dev);

#endif /* TAVOR_PROFILE_H */
