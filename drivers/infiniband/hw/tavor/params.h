/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Module parameters.
 */
#ifndef TAVOR_PARAMS_H
#define TAVOR_PARAMS_H

#include <linux/types.h>

/**
 * struct tavor_params - what the administrator has chosen
 * @num_qp: queue pairs
 * @num_cq: completion queues
 * @num_mpt: memory keys
 * @num_mtt: MTT segments
 * @num_mcg: multicast hash buckets
 * @num_av: address vectors in the HCA's memory
 * @num_pd: protection domains
 * @rdb_per_qp: RDMA reads and atomics a QP can respond to at a time
 * @ring_pages: pages of the pool for kernel queues from the start
 * @cmd_timeout_ms: after so long without any command completing one is given up
 * @recoveries: so many times in a row a device that fails is recovered by itself; may change
 * @softirq_objects: kernel clients may have objects of their own although the kernel has security
 *	modules for InfiniBand, which do not see them
 * @msi_x: MSI-X where it works
 */
struct tavor_params {
	unsigned int num_qp;
	unsigned int num_cq;
	unsigned int num_mpt;
	unsigned int num_mtt;
	unsigned int num_mcg;
	unsigned int num_av;
	unsigned int num_pd;
	unsigned int rdb_per_qp;
	unsigned int ring_pages;
	unsigned int cmd_timeout_ms;
	unsigned int recoveries;
	bool softirq_objects;
	bool msi_x;
};

extern struct tavor_params tavor_params;

int tavor_params_check(void);

#endif /* TAVOR_PARAMS_H */
