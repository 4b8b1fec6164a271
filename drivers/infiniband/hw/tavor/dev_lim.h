/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The limits of the firmware.
 */
#ifndef TAVOR_DEV_LIM_H
#define TAVOR_DEV_LIM_H

#include <linux/types.h>

struct tavor_dev;

/* QUERY_DEV_LIM: reserved_* and max_* are counts, not logarithms, unless the name says so. */
struct tavor_dev_lim {
	u32 max_srq_wqes, max_qp_wqes, max_cqes;	/* usable entries per queue */
	u32 reserved_qps, reserved_srqs, reserved_cqs, reserved_eqs;
	u32 reserved_mpts, reserved_mtt_segs, reserved_uars, reserved_pds, reserved_mgms;
	u8 log_max_qps, log_max_srqs, log_max_cqs, log_max_eqs;
	u8 log_max_mpts, log_max_mtt_segs, log_max_avs, log_max_pds, log_max_mgms;
	u8 log_max_mr_size, log_max_qp_per_mcg;
	u8 log_max_ra_req_qp, log_max_ra_res_qp, log_max_ra_global;
	u8 local_ca_ack_delay;
	u8 max_mtu;		/* enum ib_mtu */
	u8 max_port_width;	/* 1: 1X, 3: 1X or 4X */
	u8 max_vls;		/* number of data VLs */
	u8 num_ports;
	u8 log_max_gids, log_max_pkeys;
	u16 stat_rate_support;	/* bit n: rate encoding n */
	u32 flags;		/* TAVOR_DEV_LIM_* */
	u64 uar_size;		/* bytes */
	u32 min_page_size;
	u8 max_sg;		/* as reported; struct tavor_limits has what fits a WQE */
	u16 max_desc_size;
	/* bytes of a table's entry */
	u16 eec_size, qpc_size, eeec_size, eqpc_size, eqc_size, cqc_size, srqc_size;
	u16 uar_scratch_size;
};

void tavor_dev_lim_parse(struct tavor_dev_lim *lim, const u8 *out);
int tavor_dev_lim_check(struct tavor_dev *dev);

#endif /* TAVOR_DEV_LIM_H */
