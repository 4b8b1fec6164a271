/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * PCI ids and registers: BAR0, the command register, the doorbells of a UAR page.
 */
#ifndef TAVOR_HW_REGS_H
#define TAVOR_HW_REGS_H

#include <linux/bits.h>

/* PCI ids */
#define TAVOR_PCI_MELLANOX	0x15b3
#define TAVOR_PCI_TOPSPIN	0x1867
#define TAVOR_PCI_MT23108	0x5a44
#define TAVOR_PCI_MT25208_COMPAT 0x6278

/* BAR0 */
#define TAVOR_BAR0_SIZE		0x100000
#define TAVOR_HCR		0x80680
#define TAVOR_HCR_SIZE		0x1c
#define TAVOR_ECR		0x80700		/* high dword, low dword; then the same to clear */
#define TAVOR_ECR_SIZE		0x10
#define TAVOR_ECR_CLR		0x8		/* from TAVOR_ECR */
#define TAVOR_RESET		0xf0010
#define TAVOR_CLR_INT		0xf00d8
#define TAVOR_CLR_INT_SIZE	8

/* HCR */
#define TAVOR_HCR_IN_HI		0x00
#define TAVOR_HCR_IN_LO		0x04
#define TAVOR_HCR_IN_MODIFIER	0x08
#define TAVOR_HCR_OUT_HI	0x0c
#define TAVOR_HCR_OUT_LO	0x10
#define TAVOR_HCR_TOKEN		0x14
#define TAVOR_HCR_GO_OP		0x18
#define TAVOR_HCR_GO		BIT(23)
#define TAVOR_HCR_EVENT		BIT(22)
#define TAVOR_HCR_STATUS_SHIFT	24
#define TAVOR_HCR_OPMOD_SHIFT	12

/* Doorbells: offsets in a UAR page */
#define TAVOR_DB_SEND		0x10
#define TAVOR_DB_RECV		0x18
#define TAVOR_DB_CQ		0x20
#define TAVOR_DB_EQ		0x28

#endif /* TAVOR_HW_REGS_H */
