/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Management datagrams, and the port data that the driver learns from them.
 */
#ifndef TAVOR_MAD_H
#define TAVOR_MAD_H

#include <linux/spinlock.h>

#include <rdma/ib_mad.h>
#include <rdma/ib_smi.h>
#include <rdma/ib_verbs.h>

#include "tavor.h"

/**
 * enum tavor_mad_table - tables of the agent that are cached
 * @TAVOR_MAD_PORT_INFO: PortInfo, for the subnet prefix
 * @TAVOR_MAD_GUIDS: GUIDInfo
 * @TAVOR_MAD_PKEYS: P_KeyTable
 * @TAVOR_NR_MAD_TABLES: their number
 */
enum tavor_mad_table {
	TAVOR_MAD_PORT_INFO,
	TAVOR_MAD_GUIDS,
	TAVOR_MAD_PKEYS,
	TAVOR_NR_MAD_TABLES,
};

/**
 * struct tavor_mad_block - the block of such a table that was read last
 * @valid: it cannot have changed since
 * @modifier: number of the block
 * @data: data of the attribute
 */
struct tavor_mad_block {
	bool valid;
	u32 modifier;
	u8 data[IB_SMP_DATA_SIZE];
};

/**
 * struct tavor_mad_port - what is known about one port
 * @known: a PortInfo has been seen; @lid to @gid_prefix are from the last PortInfo that was set, or
 *	from the first one that was read
 * @rate: speed of the link in units of 2.5 Gb/s; 0: not known yet
 * @lid: base LID
 * @sm_lid: destination of traps
 * @sm_sl: service level of that path
 * @gid_prefix: subnet prefix
 * @caps: capabilities after all requests in progress have completed
 * @changes: number of changes of @caps that have been written to the hardware
 * @changing: number of requests that have changed @caps and have not completed; one that timed out
 *	stays counted, and from then on @caps is used instead of the hardware's value
 * @block: by enum tavor_mad_table
 * @agent: for traps of the firmware, by QP number; NULL while not registered
 */
struct tavor_mad_port {
	bool known;
	u8 rate;
	u16 lid;
	u16 sm_lid;
	u8 sm_sl;
	__be64 gid_prefix;
	u32 caps;
	u32 changes;
	u32 changing;
	struct tavor_mad_block block[TAVOR_NR_MAD_TABLES];
	struct ib_mad_agent *agent[2];
};

/**
 * struct tavor_mad - management state of a device
 * @lock: guards @port and the node description
 * @agent_lock: guards the agents; held while a trap is passed to one
 * @port: by port number - 1
 * @setting: number of Sets in progress; one that timed out stays counted, and nothing is cached
 *	from then on
 * @changes: number of invalidations of the cached blocks
 * @node_info: NodeInfo from the agent, which never changes
 */
struct tavor_mad {
	spinlock_t lock;		/* ports, node description */
	spinlock_t agent_lock;		/* agents */
	struct tavor_mad_port port[TAVOR_MAX_PORTS];
	u32 setting;
	u32 changes;
	u8 node_info[64];
};

#define TAVOR_MAD_IGNORE_MKEY	0x1
#define TAVOR_MAD_IGNORE_BKEY	0x2

int tavor_mad_init(struct tavor_dev *dev);
void tavor_mad_cleanup(struct tavor_dev *dev);
int tavor_smp_get(struct tavor_dev *dev, u32 port, __be16 attr, u32 modifier, struct ib_smp *smp);
int tavor_smp_block(struct tavor_dev *dev, u32 port, enum tavor_mad_table table, u32 modifier,
		    u8 *data);
void tavor_encode_port_info(struct tavor_dev *dev, struct vrb_slot *slot, u32 port);
const u8 *tavor_port_info_done(struct tavor_dev *dev, struct vrb_slot *slot, u32 port);
extern const struct vrb_verb tavor_verb_process_mad;
int tavor_process_mad(struct ib_device *ibdev, int flags, u32 port, const struct ib_wc *in_wc,
		      const struct ib_grh *in_grh, const struct ib_mad *in, struct ib_mad *out,
		      size_t *out_size, u16 *out_pkey_index);

#endif /* TAVOR_MAD_H */
