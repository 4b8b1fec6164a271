/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The multicast group table: its owner, and the QPs that are in groups.
 */
#ifndef TAVOR_MCG_H
#define TAVOR_MCG_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb_provider.h>

#include "alloc.h"
#include "hw_mad.h"

struct tavor_dev;
struct tavor_hw_qp;

/* The next command of an attach or detach, whose commands are all executed by one step. */
enum tavor_mcast_phase {
	TAVOR_MCAST_HASH,	/* find the bucket */
	TAVOR_MCAST_READ,	/* walk the chain */
	TAVOR_MCAST_WRITE,	/* write the group's entry */
	TAVOR_MCAST_WRITE_LINK,	/* write &tavor_mcast.link to the entry &tavor_mcast.prev */
	TAVOR_MCAST_READ_NEXT,	/* detach of a bucket's last QP: the successor replaces it */
};

/**
 * struct tavor_mcast - the attach or detach that owns the table
 * @active: between its first command and the result of its last
 * @attach: whether it is an attach
 * @gid: group
 * @qpn: QP
 * @phase: the next command
 * @index: number of the entry in @mgm
 * @prev: entry that links to @index, or TAVOR_MGM_NONE for a bucket; the bucket, if its successor
 *	is moved to it
 * @moved: overflow entry that becomes free, or TAVOR_MGM_NONE
 * @fresh: overflow entry taken for the group and not yet linked to, or TAVOR_MGM_NONE
 * @seen: number of entries of the chain read so far
 * @mgm: entry read last, or the one to write
 * @link: copy of the entry @prev, or what replaces it: with another link, or its successor
 */
struct tavor_mcast {
	bool active;
	bool attach;
	union ib_gid gid;
	u32 qpn;
	enum tavor_mcast_phase phase;
	u32 index;
	u32 prev;
	u32 moved;
	u32 fresh;
	u32 seen;
	struct tavor_mgm mgm;
	struct tavor_mgm link;
};

/**
 * struct tavor_mcg_table - the group table
 * @object: parent of the QPs that are in a group
 * @dev: the device
 * @buckets: entries of the hash part; as many overflow entries follow
 * @overflow: overflow entries
 * @op: state of the owner's request, also after its command was given up
 * @lock: guards the following; BH; taken inside the engine's device lock
 * @owner: QP whose request owns the table. If its command has timed out, it owns the table until
 *	the command completes late
 * @waiting: QPs whose detach [0] or attach [1] waits for its turn, oldest first
 * @attach_next: an attach is next if both kinds wait
 * @lost: the owner's command was given up
 * @timer: fails the device if a detach waits too long for a command that was given up
 * @attached: QPs that are in a group
 * @failed: the device has failed, or the table is being freed: all groups are empty
 * @letting_go: the lists are being emptied because the device has failed
 * @rcu: empties the lists; frees the table
 */
struct tavor_mcg_table {
	struct vrb_object object;
	struct tavor_dev *dev;
	u32 buckets;
	struct tavor_alloc overflow;
	struct tavor_mcast op;
	spinlock_t lock;		/* see above */
	struct tavor_hw_qp *owner;
	struct list_head waiting[2];
	bool attach_next;
	bool lost;
	struct timer_list timer;
	struct list_head attached;
	bool failed;
	bool letting_go;
	struct rcu_head rcu;
};

void tavor_mcg_turns_init(struct tavor_mcg_table *table);
void tavor_mcg_turns_stop(struct tavor_mcg_table *table);
void tavor_mcg_turns_end(struct tavor_mcg_table *table);
int tavor_mcg_enter(struct tavor_mcg_table *table, struct tavor_hw_qp *qp, bool attach);
void tavor_mcg_leave(struct tavor_mcg_table *table, struct tavor_hw_qp *qp);
void tavor_mcg_lost(struct tavor_mcg_table *table);
void tavor_mcg_found(struct tavor_mcg_table *table);
void tavor_mcg_attached(struct tavor_mcg_table *table, struct tavor_hw_qp *qp);
void tavor_mcg_detached(struct tavor_mcg_table *table, struct tavor_hw_qp *qp);
void tavor_mcg_failed(struct tavor_dev *dev);

#endif /* TAVOR_MCG_H */
