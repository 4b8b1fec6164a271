/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The command register and its mailboxes as the engine's provider; one request, submitted and
 * awaited.
 */
#ifndef TAVOR_CMD_H
#define TAVOR_CMD_H

#include <linux/io.h>

#include <rdma/vrb.h>
#include <rdma/vrb_provider.h>

#include "hw_cmd.h"

struct dma_pool;
struct tavor_dev;

#define TAVOR_MAX_SLOTS		64	/* commands outstanding, if the firmware offers more */
#define TAVOR_MBOX_SIZE		4096

struct tavor_mbox {
	void *addr;
	dma_addr_t dma;
};

/* The command that a slot will post; filled in by tavor_cmd_set(). */
struct tavor_cmd_slot {
	struct tavor_mbox in;
	struct tavor_mbox out;
	u64 in_param;
	u64 out_param;
	u32 in_modifier;
	u16 opcode;
	u8 op_modifier;
};

/*
 * Where completed commands are found when they are reported by events; the event queues register
 * this.
 */
struct tavor_cmd_events {
	int (*reap)(struct tavor_dev *dev, int budget);
	void (*rearm)(struct tavor_dev *dev);
};

struct tavor_cmd {
	void __iomem *hcr;
	struct dma_pool *pool;
	struct tavor_cmd_slot slot[TAVOR_MAX_SLOTS];
	const struct tavor_cmd_events *queue;	/* needed for more than one outstanding command */
	const struct tavor_cmd_events *events;	/* queue, if in use; NULL: commands are polled */
	bool polled_busy;		/* a command that is polled is in the HCR */
	u16 polled_token;
	struct vrb_user strangers;	/* all processes whose context is unknown */
};

#define TAVOR_CMD_IN	0x1	/* the in mailbox of the slot */
#define TAVOR_CMD_OUT	0x2	/* the out mailbox of the slot */

int tavor_cmd_init(struct tavor_dev *dev);
void tavor_cmd_cleanup(struct tavor_dev *dev);
int tavor_cmd_use_events(struct tavor_dev *dev, const struct tavor_cmd_events *events);
void tavor_cmd_use_polling(struct tavor_dev *dev);
unsigned long tavor_cmd_timeout(void);
int tavor_cmd_errno(u8 status);

void *tavor_mbox_in(struct tavor_dev *dev, const struct vrb_slot *slot);
void *tavor_mbox_out(struct tavor_dev *dev, const struct vrb_slot *slot);
void tavor_cmd_set(struct tavor_dev *dev, const struct vrb_slot *slot, u16 opcode, u8 op_modifier,
		   u32 in_modifier, u32 mbox);
void tavor_cmd_set_imm(struct tavor_dev *dev, const struct vrb_slot *slot, u16 opcode,
		       u8 op_modifier, u32 in_modifier, u64 in_param);

struct vrb_user *tavor_exec_caller(struct tavor_dev *dev);
int tavor_exec(struct tavor_dev *dev, struct vrb *vrb);
int tavor_exec_on(struct vrb_object *object, const struct vrb_verb *verb, struct vrb *vrb);

#endif /* TAVOR_CMD_H */
