/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The PCI function as the guest accesses it, and the state of the device. Memory keys are in
 * keys.h, event and completion queues in queues.h, commands in cmd.h.
 */
#ifndef HCA_DEVICE_H
#define HCA_DEVICE_H

#include "core/hca.h"

#define BAR0_SIZE 0x100000u
#define BAR2_SIZE 0x800000u
#define MSIX_VECTORS 32
#define MSIX_TABLE 0x82000
#define MSIX_PBA 0x82200
#define CATAS_OFFSET 0x8a000
#define CATAS_DWORDS 16

/* --- vfu.c ------------------------------------------------------------------------------------ */

int vfu_new(struct hca *h);
void vfu_delete(struct hca *h);
int vfu_listen(struct hca *h, const char *path);
/* Closes the client's connection, for a surprise removal. */
void vfu_disconnect(struct hca *h);
bool vfu_connected(const struct hca *h);
/* Signals the eventfd of an interrupt. Returns false if the client has set none. */
bool vfu_signal(struct hca *h, unsigned int index, unsigned int vector);
/* Sets the level of the INTx pin. It is masked automatically when the client is signalled. */
void vfu_set_intx(struct hca *h, bool level);

/* --- bars.c ----------------------------------------------------------------------------------- */

/* Accesses to the function's regions (VFIO_PCI_*_REGION_INDEX), for the protocol server. */

int region_read(struct hca *h, u32 region, u64 offset, void *buf, u32 len);
int region_write(struct hca *h, u32 region, u64 offset, const void *buf, u32 len);
u64 region_size(const struct hca *h, u32 region);

/* --- pci.c ------------------------------------------------------------------------------------ */

bool pci_bus_master(const struct hca *h);
void pci_raise(struct hca *h, u8 intr); /* EQC.intr: 0x80 + vector, or the INTA pin */
int pci_new(struct hca *h);
void pci_delete(struct hca *h);
void pci_reset(struct hca *h);
u32 pci_config_size(const struct hca *h);
int pci_config_read(struct hca *h, u32 offset, void *buf, u32 len);
int pci_config_write(struct hca *h, u32 offset, const void *buf, u32 len);
bool pci_memory_enabled(const struct hca *h);
bool pci_fenced(const struct hca *h); /* bus mastering was on since the reset, and is off now */
u64 pci_bar(const struct hca *h, int bar);
void pci_clear_int(struct hca *h, u64 mask);
bool pci_intr_valid(const struct hca *h, u8 intr);
u16 pci_device_id(const struct hca *h);
bool pci_msi_enabled(const struct hca *h);

/* --- regs.c, uar.c, ddr.c --------------------------------------------------------------------- */

int regs_new(struct hca *h);
void regs_delete(struct hca *h);
void regs_reset(struct hca *h);
int regs_read(struct hca *h, u64 offset, void *buf, u32 len);
int regs_write(struct hca *h, u64 offset, const void *buf, u32 len);
/* The HCR is seven dwords at BAR0 + 0x80680; @index 0..6. */
struct hcr_access {
	u32 (*read)(struct hca *h, unsigned int index);
	void (*write)(struct hca *h, unsigned int index, u32 value);
};

void regs_set_hcr(const struct hcr_access *access);
void regs_ecr_set(struct hca *h, u32 eqn);
/* Returns true while the function answers no access, after a reset by register. */
bool regs_silent(struct hca *h);
/* Sets the catastrophic error buffer: CATAS_DWORDS in host order; NULL clears it. */
void regs_catas(struct hca *h, const u32 *dwords);

/* The handler of each kind of doorbell. uar.c takes the number of the UAR page from the offset. */
enum { DB_SEND, DB_RECV, DB_CQ, DB_EQ, DB_KINDS };
typedef void doorbell(struct hca *h, u32 uar, u32 hi, u32 lo);
void uar_set_doorbells(doorbell *const fn[DB_KINDS]);
int uar_new(struct hca *h);
void uar_delete(struct hca *h);
void uar_reset(struct hca *h);
int uar_read(struct hca *h, u64 offset, void *buf, u32 len);
int uar_write(struct hca *h, u64 offset, const void *buf, u32 len);

bool ddr_contains(const struct hca *h, u64 addr, size_t len);
u8 *ddr_ptr(struct hca *h, u64 addr, size_t len); /* NULL if the range is not inside */
int ddr_new(struct hca *h);
void ddr_delete(struct hca *h);
void ddr_clear(struct hca *h);
u64 ddr_start(const struct hca *h);
u64 ddr_size(const struct hca *h);
u64 ddr_fw_start(const struct hca *h);
bool ddr_hidden(const struct hca *h);
int ddr_fd(const struct hca *h);

/* --- window.c --------------------------------------------------------------------------------- */

int window_new(struct hca *h);
void window_delete(struct hca *h);
int window_read(struct hca *h, u64 offset, void *buf, u32 len);
int window_write(struct hca *h, u64 offset, const void *buf, u32 len);
/* Declares a table that software must not write while the HCA runs; called at INIT_HCA. */
void window_protect(struct hca *h, const char *name, u64 base, u64 size);
void window_unprotect_all(struct hca *h);

/* --- dma.c ------------------------------------------------------------------------------------ */

/*
 * Access to bus addresses: guest memory as mapped by DMA_MAP, or the DDR window [ddr_start,
 * ddr_end]. Returns 0 or -EFAULT. The failing range is then recorded against @who as
 * RULE_DMA_UNMAPPED, or as RULE_DMA_MASTER if bus mastering is off. A range may span several maps.
 * dma_write() makes bytes visible in ascending order. The last piece, of at most 8 bytes, becomes
 * visible last and with release semantics; the owner bytes of CQEs and EQEs depend on that.
 */
int dma_read(struct hca *h, const char *who, u64 addr, void *buf, size_t len);
int dma_write(struct hca *h, const char *who, u64 addr, const void *buf, size_t len);
/*
 * Returns a direct pointer to @len contiguous bytes, valid until the next turn of the loop, or NULL
 * (nothing is recorded).
 */
void *dma_peek(struct hca *h, u64 addr, size_t len);

int dma_new(struct hca *h);
void dma_delete(struct hca *h);
/* Takes ownership of @fd (-1: memory that cannot be accessed). Returns 0 or a negative errno. */
int dma_map(struct hca *h, u64 addr, u64 size, u64 offset, int fd, bool readable, bool writable);
int dma_unmap(struct hca *h, u64 addr, u64 size);
void dma_unmap_all(struct hca *h);
size_t dma_maps(const struct hca *h);

/* --- state.c ---------------------------------------------------------------------------------- */

/*
 * The addresses of the tables that INIT_HCA has set, and the number of entries (log2) of each.
 * Valid while hca_running().
 */
struct hca_profile {
	u64 qpc_base, eec_base, srqc_base, cqc_base, eqpc_base, eeec_base, eqc_base, rdb_base;
	u64 mc_base, mpt_base, mtt_base, uarscr_base;
	u8 log_qps, log_srqs, log_cqs, log_eqs, log_mpts;
	u8 log_mc_entry, log_mcgs;
	u32 mc_hash_size;
	u8 mtt_seg_shift; /* log2 of bytes: 6 + n */
	u8 uar_page_shift;
	bool host_big_endian, udav_port_check;
};

const struct hca_profile *hca_profile(const struct hca *h);
bool hca_enabled(const struct hca *h); /* SYS_EN done */
bool hca_running(const struct hca *h); /* INIT_HCA done */
/*
 * Returns true after a catastrophic error, or while bus mastering is disabled: the device does
 * nothing, and accesses to it are no fault.
 */
bool hca_dead(const struct hca *h);

int state_new(struct hca *h);
void state_delete(struct hca *h);
void state_reset(struct hca *h);
void state_enable(struct hca *h, bool enabled);
void state_set_profile(struct hca *h, const struct hca_profile *p);
void state_forget(struct hca *h); /* deletes the profile */
void state_start(struct hca *h);
void state_stop(struct hca *h);
void state_set_dead(struct hca *h, bool dead);
bool state_dead(const struct hca *h); /* without the fence of pci_fenced() */

/* --- sys_cmd.c -------------------------------------------------------------------------------- */

/* QUERY_DEV_LIM */
#define LOG_RESERVED_CQS 7
#define LOG_RESERVED_MTTS 4
#define LOG_RESERVED_MPTS 4
#define RESERVED_CQS (1u << LOG_RESERVED_CQS)
#define RESERVED_MTTS (1u << LOG_RESERVED_MTTS)
#define RESERVED_MPTS (1u << LOG_RESERVED_MPTS)

int sys_new(struct hca *h);
void sys_delete(struct hca *h);
void sys_reset(struct hca *h);
/* Sets the function that CLOSE_HCA calls for the upper layers, before it closes the device. */
void sys_on_close(void (*fn)(struct hca *h));

#endif
