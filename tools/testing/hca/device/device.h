/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* What the files of the device core ask of one another; hca.h has what everybody uses. */
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

/* --- vfu.c ------------------------------------------------------------------------------------------- */

int vfu_new(struct hca *h);
void vfu_delete(struct hca *h);
int vfu_listen(struct hca *h, const char *path);
/* Surprise removal: the client's connection is cut. */
void vfu_disconnect(struct hca *h);
bool vfu_connected(const struct hca *h);
/* Signals the eventfd of an interrupt; false if the client gave none. */
bool vfu_signal(struct hca *h, unsigned int index, unsigned int vector);
/* Level of the INTx pin; automasked towards the client. */
void vfu_set_intx(struct hca *h, bool level);

/* --- bars.c: what the protocol server calls for the function's regions (VFIO_PCI_*_REGION_INDEX) ----- */

int region_read(struct hca *h, u32 region, u64 offset, void *buf, u32 len);
int region_write(struct hca *h, u32 region, u64 offset, const void *buf, u32 len);
u64 region_size(const struct hca *h, u32 region);

/* --- pci.c ------------------------------------------------------------------------------------------- */

int pci_new(struct hca *h);
void pci_delete(struct hca *h);
void pci_reset(struct hca *h);
u32 pci_config_size(const struct hca *h);
int pci_config_read(struct hca *h, u32 offset, void *buf, u32 len);
int pci_config_write(struct hca *h, u32 offset, const void *buf, u32 len);
bool pci_memory_enabled(const struct hca *h);
bool pci_fenced(const struct hca *h); /* bus mastering was on since the reset, and is not now */
u64 pci_bar(const struct hca *h, int bar);
void pci_clear_int(struct hca *h, u64 mask);
bool pci_intr_valid(const struct hca *h, u8 intr);
u16 pci_device_id(const struct hca *h);
bool pci_msi_enabled(const struct hca *h);

/* --- regs.c, uar.c, ddr.c ------------------------------------------------------------------------------ */

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
/* After a reset by register the function answers nothing for a while. */
bool regs_silent(struct hca *h);
/* @dwords: CATAS_DWORDS of them, host order; NULL heals. */
void regs_catas(struct hca *h, const u32 *dwords);

/* What each kind of doorbell rings; uar.c has read the number of the UAR page off the offset. */
enum { DB_SEND, DB_RECV, DB_CQ, DB_EQ, DB_KINDS };
typedef void doorbell(struct hca *h, u32 uar, u32 hi, u32 lo);
void uar_set_doorbells(doorbell *const fn[DB_KINDS]);
int uar_new(struct hca *h);
void uar_delete(struct hca *h);
void uar_reset(struct hca *h);
int uar_read(struct hca *h, u64 offset, void *buf, u32 len);
int uar_write(struct hca *h, u64 offset, const void *buf, u32 len);

int ddr_new(struct hca *h);
void ddr_delete(struct hca *h);
void ddr_clear(struct hca *h);
u64 ddr_start(const struct hca *h);
u64 ddr_size(const struct hca *h);
u64 ddr_fw_start(const struct hca *h);
bool ddr_hidden(const struct hca *h);
int ddr_fd(const struct hca *h);

/* --- window.c ---------------------------------------------------------------------------------------- */

int window_new(struct hca *h);
void window_delete(struct hca *h);
int window_read(struct hca *h, u64 offset, void *buf, u32 len);
int window_write(struct hca *h, u64 offset, const void *buf, u32 len);
/* Tables only the hardware may write while it runs; sys.c declares them at INIT_HCA. */
void window_protect(struct hca *h, const char *name, u64 base, u64 size);
void window_unprotect_all(struct hca *h);

/* --- dma.c ------------------------------------------------------------------------------------------- */

int dma_new(struct hca *h);
void dma_delete(struct hca *h);
/* Takes @fd (-1: known but out of reach). 0 or a negative errno. */
int dma_map(struct hca *h, u64 addr, u64 size, u64 offset, int fd, bool readable, bool writable);
int dma_unmap(struct hca *h, u64 addr, u64 size);
void dma_unmap_all(struct hca *h);
size_t dma_maps(const struct hca *h);

/* --- state.c ----------------------------------------------------------------------------------------- */

int state_new(struct hca *h);
void state_delete(struct hca *h);
void state_reset(struct hca *h);
void state_enable(struct hca *h, bool enabled);
void state_set_profile(struct hca *h, const struct hca_profile *p);
void state_forget(struct hca *h); /* the profile */
void state_start(struct hca *h);
void state_stop(struct hca *h);
void state_set_dead(struct hca *h, bool dead);
bool state_dead(const struct hca *h); /* without the fence of pci_fenced() */

/* --- sys.c ------------------------------------------------------------------------------------------- */

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
/* What CLOSE_HCA does to the parts above the device, before those of the device. */
void sys_on_close(void (*fn)(struct hca *h));

/* --- tpt.c, eq.c, cq.c: life ----------------------------------------------------------------------------- */

void tpt_delete(struct hca *h);
void tpt_reset(struct hca *h);
int tpt_init(struct hca *h); /* INIT_HCA: the profile is known; 0 or a negative errno */
/* Software is about to store into the DDR at this HCA address, through BAR4. */
void tpt_store(struct hca *h, u64 addr, const void *buf, u32 len);
void tpt_sync_all(struct hca *h);
/* Pointer to @len bytes behind a key, for queue entries, or NULL if anything is wrong. */
u8 *tpt_peek(struct hca *h, const char *who, u32 key, u32 pd, u64 va, size_t len,
	     unsigned int access);
void eq_delete(struct hca *h);
void eq_reset(struct hca *h);
void cq_delete(struct hca *h);
void cq_reset(struct hca *h);
int cq_init(struct hca *h);
/* Is a hardware-owned EQ (CQ) using this memory key for its buffer? *uar is the page its context names. */
bool eq_uses_mpt(struct hca *h, u32 key, u32 *uar);
bool cq_uses_mpt(struct hca *h, u32 key, u32 *uar);
bool eq_valid(struct hca *h, u32 eqn);
bool eq_type_mapped(struct hca *h, enum hca_event type);
/* ECR bit and interrupt of the EQ mapped to @type, without an entry (10.3, type 8) */
void eq_raise(struct hca *h, enum hca_event type);
/* To one EQ, past MAP_EQ: CQ errors go to the CQ's own error EQ. */
void eq_post_to(struct hca *h, u32 eqn, enum hca_event type, const u32 data[7]);
/* What EQs ask of what reports to them. */
struct eq_users {
	bool (*uses_eq)(struct hca *h, u32 eqn);
	void (*disarm)(struct hca *h, u32 cqn);
};

void eq_set_users(const struct eq_users *u);
/* What CQs ask of what completes there. */
struct cq_users {
	bool (*uses_cq)(struct hca *h, u32 cqn);
	void (*error)(struct hca *h, u32 cqn); /* the CQ has overflowed */
};

void cq_set_users(const struct cq_users *u);
/* Does a work queue lie behind this key's index? *uar is the page its context names. */
void tpt_set_work_queues(bool (*uses_mpt)(struct hca *h, u32 key, u32 *uar));
void cq_disarm(struct hca *h, u32 cqn);
bool cq_uses_eq(struct hca *h, u32 eqn);

struct cJSON;
void eq_objects(struct hca *h, struct cJSON *out);
void cq_objects(struct hca *h, struct cJSON *out);
void tpt_objects(struct hca *h, struct cJSON *out);
void qp_objects(struct hca *h, struct cJSON *out);
void srq_objects(struct hca *h, struct cJSON *out);

#endif
