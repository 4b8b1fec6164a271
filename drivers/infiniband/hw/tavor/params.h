/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Module parameters.
 */
#ifndef TAVOR_PARAMS_H
#define TAVOR_PARAMS_H

#include <linux/types.h>

/**
 * struct tavor_params - settings of the administrator
 * @num_qp: queue pairs
 * @num_cq: completion queues
 * @num_mpt: memory keys
 * @num_mtt: MTT segments
 * @num_mcg: multicast hash buckets
 * @num_av: address vectors in the HCA's memory
 * @num_pd: protection domains
 * @rdb_per_qp: RDMA reads and atomics that a QP can respond to at a time
 * @ring_pages: initial pages of the pool for kernel queues
 * @cmd_timeout_ms: a command is given up if no command completes for so long
 * @recoveries: how many times in a row a failed device is recovered automatically; may change
 * @softirq_objects: kernel clients may have objects of their own even if the kernel has security
 *	modules for InfiniBand, which do not see them
 * @msi_x: use MSI-X if it works
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
