/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The vfio-user server: declarations that vfu.c (messages), vfu_answer.c (handlers), vfu_reply.c
 * (replies) and vfu_irq.c (interrupts) share.
 */
#ifndef HCA_VFU_H
#define HCA_VFU_H

#include "device/device.h"

#define VFU_MAX_XFER (1u << 20)
#define VFU_MAX_MSG (VFU_MAX_XFER + 4096)
#define VFU_IN (2 * VFU_MAX_MSG)
#define VFU_OUT (4 * VFU_MAX_MSG)
#define VFU_MAX_FDS 16
#define VFU_FD_QUEUE 64
#define VFU_IRQS 5 /* VFIO_PCI_NUM_IRQS */

/* The header of a message. Its fields are in host byte order on the socket, too. */
struct vfu_header {
	u16 id, command;
	u32 size, flags, error;
};

_Static_assert(offsetof(struct vfu_header, command) == 2 &&
		       offsetof(struct vfu_header, size) == 4 &&
		       offsetof(struct vfu_header, flags) == 8 &&
		       offsetof(struct vfu_header, error) == 12 && sizeof(struct vfu_header) == 16,
	       "the header of a vfio-user message");

enum {
	VFU_VERSION = 1,
	VFU_DMA_MAP,
	VFU_DMA_UNMAP,
	VFU_GET_INFO,
	VFU_GET_REGION_INFO,
	VFU_GET_REGION_IO_FDS,
	VFU_GET_IRQ_INFO,
	VFU_SET_IRQS,
	VFU_REGION_READ,
	VFU_REGION_WRITE,
	VFU_DMA_READ,
	VFU_DMA_WRITE,
	VFU_RESET,
	VFU_WRITE_MULTI = 15,
	VFU_DEVICE_FEATURE = 16
};

#define VFU_F_TYPE 0xfu
#define VFU_F_REPLY 0x1u
#define VFU_F_NO_REPLY 0x10u
#define VFU_F_ERROR 0x20u

struct vfu_irqs {
	int trigger[MSIX_VECTORS]; /* eventfds; -1: none */
	int unmask;		   /* INTx: kept only so that it can be closed */
	bool level, masked;	   /* INTx */
};

struct vfu {
	struct hca *h;
	struct hca_fd listen, conn;
	struct hca_work more;
	bool negotiated, broken;
	u32 refused; /* refused requests of this connection */
	u32 events;  /* the events for which the loop watches conn */
	u8 *in, *out;
	size_t in_from, in_to, out_from, out_to;
	u64 stream; /* bytes received on this connection */
	struct {
		int fd;
		u64 at;
	} fds[VFU_FD_QUEUE];
	int n_fds;
	struct vfu_irqs irqs[VFU_IRQS];
};

struct vfu_message {
	struct vfu *v;
	struct vfu_header hdr;
	const u8 *data;
	u32 len;
	int fds[VFU_MAX_FDS]; /* -1: a handler has kept it; vfu_answer() closes the others */
	int n_fds;
};

/* Sends the replies that wait, as far as the socket accepts them. */
void vfu_flush(struct vfu *v);
/* Returns room for a reply of @len bytes in the output, or NULL while the client does not read. */
u8 *vfu_reply_room(struct vfu *v, size_t len);
void vfu_reply_send(struct vfu *v, size_t len);
void vfu_reply_send_fd(struct vfu *v, size_t len, int fd);
void vfu_answer(struct vfu_message *m);

void vfu_irqs_init(struct vfu *v);
void vfu_irqs_release(struct vfu *v);
u32 vfu_irq_count(u32 index);
u32 vfu_irq_flags(u32 index);
/* Handles SET_IRQS. It replaces the descriptors of @m that it keeps by -1. Returns 0 or -errno. */
int vfu_irqs_set(struct vfu_message *m);

#endif
