/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * ib_tavor: the driver's own structures and the prototypes of its layers.
 *
 * Layers, lowest first: reset and registers (reset.c, uar.c), commands (cmd.c), one function per
 * firmware command (fw.c), index and table allocators (bitmap.c, alloc.c, mtt.c, buf.c), event
 * queues (eq.c), hardware objects (mpt.c, pd.c, mr.c, and CQ, SRQ, QP, AV, multicast), ib_core's
 * view of them (device.c), the PCI function (main.c).
 *
 * What the hardware may touch lives in tavor_hw_* objects, each with a vrb_object and reference
 * counted; the structures that embed ib_pd and its like only point at them, because ib_core frees
 * those whatever happens.
 *
 * Locking: allocators and tables are touched from process context and softirq, never from hard
 * IRQ: BH spin locks. Nothing holds one of them while it calls into another layer, the engine or
 * ib_core.
 */
#ifndef TAVOR_H
#define TAVOR_H

#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq_poll.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/xarray.h>

#include <rdma/ib_mad.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>
#include <rdma/vrb.h>
#include <rdma/vrb_provider.h>

#include "compat.h"
#include "hw_cmd.h"
#include "hw_eq.h"
#include "hw_mpt.h"
#include "hw_regs.h"

#define TAVOR_NAME		"ib_tavor"
#define TAVOR_MAX_PORTS		2
#define TAVOR_PCI_MELLANOX	0x15b3
#define TAVOR_PCI_TOPSPIN	0x1867
#define TAVOR_PCI_MT23108	0x5a44
#define TAVOR_PCI_MT25208_COMPAT 0x6278
#define TAVOR_QP_PER_MGM	56	/* QPs a multicast entry holds */
#define TAVOR_MAX_SLOTS		64	/* commands outstanding, if the firmware offers more */
#define TAVOR_MAX_COMP_EQS	8
#define TAVOR_NR_EQS		(TAVOR_MAX_COMP_EQS + 2)
#define TAVOR_MBOX_SIZE		4096
#define TAVOR_INVALID_LKEY	1	/* ends a scatter list; index of a reserved MPT */
#define TAVOR_LIBMTHCA_LKEY	0x100	/* what libmthca ends one with: never a valid key */

struct tavor_dev;
struct tavor_av_table;
struct tavor_mad;
struct tavor_mcg_table;
struct tavor_qp_table;

/* ---- Firmware and limits ---- */

/* QUERY_FW */
struct tavor_fw_info {
	u64 version;		/* major << 32 | minor << 16 | subminor */
	u8 log_max_cmd;
	u64 start;		/* firmware's own area of the DDR; end inclusive */
	u64 end;
	u64 err_addr;		/* catastrophic error buffer: low 20 bits are its place in BAR0 */
	u32 err_dwords;
};

/* QUERY_DDR */
struct tavor_ddr_info {
	u64 start;		/* HCA addresses; end inclusive */
	u64 end;
	bool hidden;
};

/* QUERY_ADAPTER */
struct tavor_adapter_info {
	u32 vendor_id;
	u32 device_id;
	u32 revision;
	u8 inta_pin;
	char board_id[64];
};

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

/*
 * What this device is run with: limits of the firmware, cut to the profile. Powers of two for
 * tables.
 */
struct tavor_limits {
	u32 num_qps, num_srqs, num_cqs, num_eqs, num_mpts, num_mtt_segs, num_uars, num_pds, num_avs;
	u32 num_mgms;		/* hash buckets; as many overflow entries follow */
	u32 mtt_seg_size;	/* bytes, 8 per entry */
	u32 rdb_per_qp;		/* responder depth of a QP */
	u32 max_sg;		/* per WQE, min over what a WQE holds and what is reported */
	u32 max_srq_sge;
	u32 max_qp_init_rdma;	/* requester depth of a QP */
	u32 max_qp_dest_rdma;
	u32 gid_table_len, pkey_table_len;
	u8 num_ports;
};

/* Where the profile put each table in the HCA's DDR (HCA addresses). */
struct tavor_layout {
	u64 qpc, eqpc, srqc, cqc, eqc, rdb, mcg, mpt, mtt, uar_scratch, av;
	u64 end;		/* first byte after the last table */
};

/* ---- Allocators ---- */

/* Bits with a summary level, so that looking for one is short. No lock of its own. */
struct tavor_bitmap {
	u32 size;
	u32 count;			/* bits set */
	unsigned long *bits;
	unsigned long *summary;		/* bit w: word w of bits is not zero */
};

/**
 * struct tavor_alloc - numbers of hardware objects
 * @name: for leak messages
 * @num: size of the table, a power of two; the low bits of a number are its index
 * @mask: all bits a number may have; those above @num change with every turn, so that a number is
 *	not used again soon
 * @avoid: a number never handed out; 0: none
 * @used: numbers handed out and not yet returned
 */
struct tavor_alloc {
	const char *name;
	u32 num;
	u32 mask;
	u32 avoid;
	u32 used;
	/* private: */
	spinlock_t lock;
	struct tavor_bitmap free;
	u32 next;
	u32 top;
};

/* Objects by number; see table.c */
struct tavor_table {
	struct tavor_alloc alloc;	/* num 0: there is no such table */
	struct xarray objects;		/* vrb_object by index; BH lock */
};

/* A run of MTT segments: 1 << order segments starting with first. entries == 0: none. */
struct tavor_mtt {
	u32 first;
	u32 entries;
	u8 order;
};

#define TAVOR_MTT_MAX_ORDER	24

struct tavor_mtt_table {
	spinlock_t lock;		/* used, free */
	u32 order;			/* of the whole table */
	u32 used;			/* segments, reserved ones not counted */
	u32 reserved;
	struct tavor_bitmap free[TAVOR_MTT_MAX_ORDER + 1];
	void __iomem *map;		/* NULL: DDR hidden, WRITE_MTT instead */
};

/* ---- Memory keys ---- */

/**
 * struct tavor_mpt - one MPT entry: a memory region as the hardware sees it
 * @key: L_Key and R_Key; its low bits are the index; 0: not allocated
 * @pdn: protection domain number
 * @flags: TAVOR_MPT_* access and kind
 * @page_shift: of the entries in @mtt, >= 12
 * @start: first virtual address
 * @length: in bytes
 * @hw_owned: SW2HW_MPT has succeeded
 */
struct tavor_mpt {
	u32 key;
	u32 pdn;
	u32 flags;
	u8 page_shift;
	bool hw_owned;
	u64 start;
	u64 length;
	struct tavor_mtt mtt;
};

struct tavor_hw_mr {
	struct vrb_object object;
	struct tavor_dev *dev;
	struct tavor_mpt mpt;
	struct ib_umem *umem;		/* NULL for DMA MRs */
	struct list_head reap;
};

struct tavor_mr {
	struct ib_mr ib;
	struct tavor_hw_mr *hw;
	struct tavor_ucontext *ctx;	/* NULL: the kernel's */
};

/*
 * A kernel PD has an untranslated region of its own: AVs and MLX headers are fetched through its
 * key.
 */
struct tavor_hw_pd {
	struct vrb_object object;
	struct tavor_dev *dev;
	u32 pdn;
	struct tavor_mpt ntmr;		/* key 0 for a user's PD */
	bool user;
	bool special_qp;		/* owns QP0 or QP1: its AVs stay in host memory */
};

struct tavor_pd {
	struct ib_pd ib;
	struct tavor_hw_pd *hw;
	struct tavor_ucontext *ctx;	/* NULL: the kernel's */
};

/* ---- Queue buffers ---- */

struct tavor_block {
	void *addr;
	dma_addr_t dma;
};

/*
 * Memory of a kernel queue: page-sized blocks, contiguous only to the hardware. mpt starts at
 * address 0.
 */
struct tavor_buf {
	struct tavor_mpt mpt;
	struct tavor_block *block;
	u32 nr_blocks;
	size_t size;
};

/* ---- Event queues ---- */

struct tavor_eq;

struct tavor_eq_drain {
	struct list_head entry;
	void (*done)(struct tavor_eq_drain *drain);	/* softirq, no lock held */
};

/* What is done with an entry, by kind of queue; softirq, the entry owned by software. */
struct tavor_eq_handlers {
	void (*comp)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
	void (*async)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
	void (*cmd)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
};

struct tavor_eq {
	struct tavor_dev *dev;
	void (*handle)(struct tavor_eq *eq, const struct tavor_eqe *eqe);
	u8 eqn;
	u8 index;			/* in tavor_dev.eq */
	int irq;			/* MSI-X: 0: none requested */
	u32 entries;			/* power of two */
	u32 cons_index;
	u32 since_ci;			/* entries consumed since the hardware was told */
	struct tavor_buf buf;
	struct irq_poll iop;		/* not used by the command EQ: the engine's pump reads it */
	spinlock_t drain_lock;
	struct list_head drains;	/* asked for; under drain_lock */
	struct list_head draining;	/* of the run that is on; the run's own */
	atomic_t interrupts;
	char irq_name[48];
};

/* ---- Commands ---- */

struct tavor_mbox {
	void *addr;
	dma_addr_t dma;
};

/* What a slot is about to post; filled by tavor_cmd_set(). */
struct tavor_cmd_slot {
	struct tavor_mbox in;
	struct tavor_mbox out;
	u64 in_param;
	u64 out_param;
	u32 in_modifier;
	u16 opcode;
	u8 op_modifier;
};

/* Finished commands, where they do not come from the register: what the event queues register. */
struct tavor_cmd_events {
	int (*reap)(struct tavor_dev *dev, int budget);
	void (*rearm)(struct tavor_dev *dev);
};

struct tavor_cmd {
	void __iomem *hcr;
	struct dma_pool *pool;
	struct tavor_cmd_slot slot[TAVOR_MAX_SLOTS];
	const struct tavor_cmd_events *events;	/* NULL: commands are polled */
	bool polled_busy;		/* polled phase: a command is in the HCR */
	u16 polled_token;
};

/* ---- User contexts ---- */

struct tavor_uar {
	u32 index;
	unsigned long pfn;
};

/**
 * struct tavor_ucontext - one open of the device by a process
 * @lock: orders a lookup in @pds and @mrs with the removal from them
 * @pds: tavor_hw_pd by number
 * @mrs: tavor_hw_mr by key
 *
 * The ABI passes raw numbers: whatever is not found here belongs to somebody else.
 */
struct tavor_ucontext {
	struct ib_ucontext ib;
	struct tavor_uar uar;
	struct mutex lock;	/* see above */
	struct xarray pds;
	struct xarray mrs;
};

/* ---- The device ---- */

struct tavor_dev {
	struct ib_device ib_dev;
	struct pci_dev *pdev;
	struct vrb_device *vrb;

	void __iomem *clr_int;
	void __iomem *ecr;
	void __iomem *err_buf;
	u64 ddr_bar_size;		/* BAR 4; 0: hidden */

	struct tavor_fw_info fw;
	struct tavor_ddr_info ddr_info;
	struct tavor_adapter_info adapter;
	struct tavor_dev_lim lim;
	struct tavor_limits limits;
	struct tavor_layout layout;

	struct tavor_cmd cmd;
	struct dma_pool *buf_pool;
	atomic_t buf_blocks;		/* taken from it */
	struct tavor_alloc uar_alloc, pd_alloc, mpt_alloc, eq_alloc;
	struct tavor_mtt_table mtt;

	struct tavor_uar kar_uar;
	void __iomem *kar;		/* the driver's own UAR page */
#ifndef CONFIG_64BIT
	spinlock_t doorbell_lock;	/* a doorbell is two stores */
#endif
	struct tavor_hw_pd *driver_pd;	/* of kernel CQs and EQs */

	u32 nr_comp_eqs;
	const struct tavor_eq_handlers *eq_handlers;
	struct tavor_eq eq[TAVOR_NR_EQS];	/* completion EQs, then async, then command */
	bool want_msix;
	bool msix;

	struct timer_list catas_timer;
	u32 err_dwords;			/* of err_buf */
	bool registered;
	atomic_t fatal_sent;
	u32 leaked;

	spinlock_t mr_reap_lock;	/* mr_reap */
	struct list_head mr_reap;	/* released MRs whose memory is still pinned */

	struct mutex port_lock;		/* SET_IB's read-modify-write; node description */

	/* the verbs layers' own */
	struct tavor_table cqs;
	struct tavor_table srqs;	/* empty: the firmware has no SRQs */
	struct tavor_qp_table *qps;
	struct tavor_av_table *avs;
	struct tavor_mcg_table *mcgs;
	struct tavor_mad *mad;
};

static inline struct tavor_dev *to_tdev(struct ib_device *ibdev)
{
	return container_of(ibdev, struct tavor_dev, ib_dev);
}

static inline struct tavor_dev *vrb_to_tdev(const struct vrb_device *vrb)
{
	return vrb_device_priv(vrb);
}

static inline struct tavor_ucontext *to_tctx(struct ib_ucontext *ibctx)
{
	return container_of(ibctx, struct tavor_ucontext, ib);
}

static inline struct tavor_pd *to_tpd(struct ib_pd *ibpd)
{
	return container_of(ibpd, struct tavor_pd, ib);
}

static inline struct tavor_mr *to_tmr(struct ib_mr *ibmr)
{
	return container_of(ibmr, struct tavor_mr, ib);
}

/* ---- cmd.c: the command register as the engine's provider ---- */

int tavor_cmd_init(struct tavor_dev *dev);
int tavor_cmd_use_events(struct tavor_dev *dev, const struct tavor_cmd_events *events);
void tavor_cmd_use_polling(struct tavor_dev *dev);
void tavor_cmd_cleanup(struct tavor_dev *dev);
unsigned long tavor_cmd_timeout(void);
int tavor_cmd_errno(u8 status);

#define TAVOR_CMD_IN	0x1	/* the in mailbox of the slot */
#define TAVOR_CMD_OUT	0x2	/* the out mailbox of the slot */

/* For encode(): where to write and read, and what to post. Softirq or BH disabled. */
static inline void *tavor_mbox_in(struct tavor_dev *dev, const struct vrb_slot *slot)
{
	return dev->cmd.slot[slot->index].in.addr;
}

static inline void *tavor_mbox_out(struct tavor_dev *dev, const struct vrb_slot *slot)
{
	return dev->cmd.slot[slot->index].out.addr;
}

/*
 * @mbox: TAVOR_CMD_*. Without TAVOR_CMD_IN the in parameter is 0, or what tavor_cmd_set_imm() was
 * given.
 */
void tavor_cmd_set(struct tavor_dev *dev, const struct vrb_slot *slot, u16 opcode, u8 op_modifier,
		   u32 in_modifier, u32 mbox);
void tavor_cmd_set_imm(struct tavor_dev *dev, const struct vrb_slot *slot, u16 opcode,
		       u8 op_modifier, u32 in_modifier, u64 in_param);

/* Submit and wait, on behalf of the driver. Process context. */
int tavor_exec(struct tavor_dev *dev, struct vrb *vrb);
/* One-command verb without arguments of its own: @in and @out go to args.ptr. Process context. */
int tavor_exec_verb(struct tavor_dev *dev, const struct vrb_verb *verb, void *in, void *out);

/* vrb_object_init() plus the object's own destroy request, ready to submit. Any context. */
void tavor_object_init(struct tavor_dev *dev, struct vrb_object *object,
		       const struct vrb_object_type *type, u32 id, const struct vrb_verb *destroy);
/*
 * Submits the object's destroy request and waits for it; then the object is gone or about to be
 * released by the pump. Process context.
 */
int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object);
/* An object whose creation ended with @err: gone when this returns. Process context. */
void tavor_object_abandon(struct tavor_dev *dev, struct vrb_object *object, int err);
/*
 * Whether something besides its owner uses it, what has just been destroyed not counted. Process
 * context.
 */
bool tavor_object_in_use(struct vrb_object *object);

/* ---- fw.c: system commands, and steps that verbs share ---- */

int tavor_fw_sys_en(struct tavor_dev *dev);
int tavor_fw_sys_dis(struct tavor_dev *dev);
int tavor_fw_query_fw(struct tavor_dev *dev);
int tavor_fw_query_ddr(struct tavor_dev *dev);
int tavor_fw_query_dev_lim(struct tavor_dev *dev);
int tavor_fw_query_adapter(struct tavor_dev *dev);
int tavor_fw_init_hca(struct tavor_dev *dev);
int tavor_fw_close_hca(struct tavor_dev *dev, bool panic);
int tavor_fw_close_ib(struct tavor_dev *dev, u32 port);
int tavor_fw_set_ib(struct tavor_dev *dev, u32 port, u32 cap_mask, bool reset_qkey);
int tavor_fw_map_eq(struct tavor_dev *dev, u64 mask, bool unmap, u8 eqn);
int tavor_fw_sw2hw_eq(struct tavor_dev *dev, u8 eqn, const struct tavor_eq_context *context);
int tavor_fw_hw2sw_eq(struct tavor_dev *dev, u8 eqn);
int tavor_fw_write_mtt(struct tavor_dev *dev, u64 ddr_addr, const u64 *pages, u32 n);
int tavor_fw_nop(struct tavor_dev *dev, u32 ms);

/* Steps for other verbs: encode one command into @slot. Engine's device lock held. */
void tavor_encode_init_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port);
void tavor_encode_close_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port);

/* ---- dev_lim.c, profile.c ---- */

void tavor_dev_lim_parse(struct tavor_dev_lim *lim, const u8 *out);
int tavor_dev_lim_check(struct tavor_dev *dev);

int tavor_profile_make(struct tavor_dev *dev);

/* ---- bitmap.c, alloc.c, table.c, mtt.c: down to softirq, except init and destroy ---- */

int tavor_bitmap_init(struct tavor_bitmap *map, u32 size);
void tavor_bitmap_destroy(struct tavor_bitmap *map);
void tavor_bitmap_set(struct tavor_bitmap *map, u32 bit);
void tavor_bitmap_clear(struct tavor_bitmap *map, u32 bit);
u32 tavor_bitmap_next(const struct tavor_bitmap *map, u32 from);	/* size: none */

int tavor_alloc_init(struct tavor_alloc *alloc, const char *name, u32 num, u32 mask, u32 reserved);
void tavor_alloc_destroy(struct tavor_dev *dev, struct tavor_alloc *alloc);	/* counts leaks */
int tavor_alloc_get(struct tavor_alloc *alloc, u32 *number);	/* -ENOMEM: none left */
void tavor_alloc_put(struct tavor_alloc *alloc, u32 number);

int tavor_table_init(struct tavor_table *table, const char *name, u32 num, u32 mask, u32 reserved);
void tavor_table_destroy(struct tavor_dev *dev, struct tavor_table *table);
int tavor_table_insert(struct tavor_table *table, struct vrb_object *object);
void tavor_table_remove(struct tavor_table *table, struct vrb_object *object);
void tavor_table_put(struct tavor_table *table, struct vrb_object *object);
struct vrb_object *tavor_table_find(struct tavor_table *table, u32 number);
struct vrb_object *tavor_table_get(struct tavor_dev *dev, struct tavor_table *table, u32 number);

int tavor_mtt_table_init(struct tavor_dev *dev);
void tavor_mtt_table_destroy(struct tavor_dev *dev);
int tavor_mtt_alloc(struct tavor_dev *dev, u32 entries, struct tavor_mtt *mtt);
void tavor_mtt_free(struct tavor_dev *dev, struct tavor_mtt *mtt);
u64 tavor_mtt_addr(const struct tavor_dev *dev, const struct tavor_mtt *mtt);
/*
 * @pages: DMA addresses for entries @first .. @first + @n - 1. Process context (WRITE_MTT when
 * hidden).
 */
int tavor_mtt_write(struct tavor_dev *dev, const struct tavor_mtt *mtt, u32 first, const u64 *pages,
		    u32 n);

/* ---- mpt.c: keys ---- */

int tavor_mpt_table_init(struct tavor_dev *dev);
void tavor_mpt_table_destroy(struct tavor_dev *dev);
/* Takes a key and @pages MTT entries (0: untranslated). No command. Any context down to softirq. */
int tavor_mpt_alloc(struct tavor_dev *dev, struct tavor_mpt *mpt, u32 pages);
/* Returns both. The hardware must not own the entry any more. Any context down to softirq. */
void tavor_mpt_free(struct tavor_dev *dev, struct tavor_mpt *mpt);
/*
 * Steps: SW2HW_MPT and HW2SW_MPT of @mpt. On success of the step the caller sets or clears
 * hw_owned.
 */
void tavor_encode_sw2hw_mpt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mpt *mpt);
void tavor_encode_hw2sw_mpt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mpt *mpt);
/* The same as a request of its own, submitted and awaited; they keep hw_owned. Process context. */
int tavor_mpt_enable(struct tavor_dev *dev, struct tavor_mpt *mpt);
int tavor_mpt_disable(struct tavor_dev *dev, struct tavor_mpt *mpt);
u32 tavor_mpt_access(int ib_access);	/* IB_ACCESS_* to TAVOR_MPT_* */

/* ---- buf.c ---- */

int tavor_buf_pool_init(struct tavor_dev *dev);
void tavor_buf_pool_destroy(struct tavor_dev *dev);
/*
 * Zeroed memory of at least @size bytes and a key for it in PD @pdn, from address 0 on; @flags:
 * TAVOR_MPT_LW when the hardware writes it. The MTTs are not yet written and the hardware does not
 * own the MPT. Any context down to softirq, as @gfp says.
 */
int tavor_buf_alloc(struct tavor_dev *dev, struct tavor_buf *buf, size_t size, u32 pdn, u32 flags,
		    gfp_t gfp);
void tavor_buf_free(struct tavor_dev *dev, struct tavor_buf *buf);
/* Writes the MTTs; SW2HW_MPT of buf->mpt comes next. Process context. */
int tavor_buf_write_mtt(struct tavor_dev *dev, struct tavor_buf *buf);

/* Steps of a queue's verbs, for encode() and advance(): the key of its buffer. */
int tavor_buf_create_encode(struct tavor_dev *dev, struct vrb *vrb, struct vrb_slot *slot,
			    struct tavor_buf *buf);
int tavor_buf_create_advance(const struct vrb *vrb, const struct vrb_result *result,
			     struct tavor_buf *buf);
int tavor_buf_destroy_encode(struct tavor_dev *dev, struct vrb_slot *slot, struct tavor_buf *buf);

static inline void *tavor_buf_at(const struct tavor_buf *buf, size_t offset)
{
	return buf->block[offset >> PAGE_SHIFT].addr + offset_in_page(offset);
}

/* ---- uar.c ---- */

int tavor_uar_init(struct tavor_dev *dev);
void tavor_uar_cleanup(struct tavor_dev *dev);
int tavor_uar_alloc(struct tavor_dev *dev, struct tavor_uar *uar);
void tavor_uar_free(struct tavor_dev *dev, struct tavor_uar *uar);

/*
 * One doorbell of the driver's UAR page: a 64-bit big-endian store, ordered after all earlier
 * memory writes. Any context.
 */
static inline void tavor_ring(struct tavor_dev *dev, u32 reg, u32 hi, u32 lo)
{
#ifdef CONFIG_64BIT
	writeq(swab64((u64)hi << 32 | lo), dev->kar + reg);
#else
	unsigned long flags;

	spin_lock_irqsave(&dev->doorbell_lock, flags);
	iowrite32be(hi, dev->kar + reg);
	iowrite32be(lo, dev->kar + reg + 4);
	spin_unlock_irqrestore(&dev->doorbell_lock, flags);
#endif
}

/* ---- eq.c ---- */

int tavor_eq_init(struct tavor_dev *dev, const struct tavor_eq_handlers *handlers);
void tavor_eq_cleanup(struct tavor_dev *dev);
/*
 * @drain->done() runs once every event that was in completion EQ @vector at the time of the call
 * has been handled: nothing of the EQ refers to a CQ any more whose HW2SW_CQ had finished before.
 * Softirq or BH disabled.
 */
void tavor_eq_disarm_cq(struct tavor_eq *eq, u32 cqn);
void tavor_eq_drain(struct tavor_dev *dev, u32 vector, struct tavor_eq_drain *drain);

static inline struct tavor_eq *tavor_async_eq(struct tavor_dev *dev)
{
	return &dev->eq[dev->nr_comp_eqs];
}

static inline struct tavor_eq *tavor_cmd_eq(struct tavor_dev *dev)
{
	return &dev->eq[dev->nr_comp_eqs + 1];
}

static inline u8 tavor_comp_eqn(const struct tavor_dev *dev, u32 vector)
{
	return dev->eq[vector].eqn;
}

/* ---- event.c ---- */

extern const struct tavor_eq_handlers tavor_event_handlers;

/* ---- catas.c, reset.c ---- */

int tavor_reset(struct tavor_dev *dev);
void tavor_dma_off(struct tavor_dev *dev);
int tavor_catas_start(struct tavor_dev *dev);
void tavor_catas_stop(struct tavor_dev *dev);
void tavor_fatal(struct tavor_dev *dev);	/* IB_EVENT_DEVICE_FATAL, once */

/* ---- pd.c, mr.c, uctx.c ---- */

struct tavor_hw_pd *tavor_hw_pd_create(struct tavor_dev *dev, bool user);
int tavor_hw_pd_destroy(struct tavor_hw_pd *pd);
int tavor_alloc_pd(struct ib_pd *ibpd, struct ib_udata *udata);
int tavor_dealloc_pd(struct ib_pd *ibpd, struct ib_udata *udata);
struct ib_mr *tavor_get_dma_mr(struct ib_pd *ibpd, int access);
int tavor_dereg_mr(struct ib_mr *ibmr, struct ib_udata *udata);
extern const struct ib_device_ops tavor_mr_ops;
/* Unpins the memory of MRs the hardware has let go of. Process context. */
void tavor_mr_reap(struct tavor_dev *dev);

/*
 * Trust check of the user ABI: @lkey must be an MR of this context in PD @pdn, itself of this
 * context, covering addresses 0 .. @bytes - 1, with local write if @write. On success both are
 * parents of @child, so that neither goes before the hardware has let go of the child; else
 * -EINVAL. Process context.
 */
int tavor_uctx_pin(struct tavor_ucontext *ctx, u32 pdn, u32 lkey, u64 bytes, bool write,
		   struct vrb_object *child);

int tavor_alloc_ucontext(struct ib_ucontext *ibctx, struct ib_udata *udata);
void tavor_dealloc_ucontext(struct ib_ucontext *ibctx);
void tavor_disassociate_ucontext(struct ib_ucontext *ibctx);
int tavor_mmap(struct ib_ucontext *ibctx, struct vm_area_struct *vma);

/* ---- stats.c, device.c ---- */

extern const struct ib_device_ops tavor_stats_ops;
int tavor_ib_register(struct tavor_dev *dev);
void tavor_ib_unregister(struct tavor_dev *dev);

/* ---- The verbs layers: tavor_cq.h, tavor_qp.h ... have their objects ---- */

int tavor_cq_table_init(struct tavor_dev *dev);
void tavor_cq_table_cleanup(struct tavor_dev *dev);
int tavor_srq_table_init(struct tavor_dev *dev);
void tavor_srq_table_cleanup(struct tavor_dev *dev);
int tavor_qp_table_init(struct tavor_dev *dev);		/* CONF_SPECIAL_QP too */
void tavor_qp_table_cleanup(struct tavor_dev *dev);
int tavor_av_table_init(struct tavor_dev *dev);
void tavor_av_table_cleanup(struct tavor_dev *dev);
int tavor_mcg_table_init(struct tavor_dev *dev);
void tavor_mcg_table_cleanup(struct tavor_dev *dev);
int tavor_mad_init(struct tavor_dev *dev);		/* before and after ib_register_device() */
void tavor_mad_cleanup(struct tavor_dev *dev);
int tavor_mad_register_agents(struct tavor_dev *dev);
void tavor_mad_unregister_agents(struct tavor_dev *dev);

#define TAVOR_MAD_IGNORE_MKEY	0x1
#define TAVOR_MAD_IGNORE_BKEY	0x2
/*
 * @in_mad, @out_mad: 256 bytes; may be the same. @in_wc: NULL for the driver's own. Process
 * context.
 */
int tavor_mad_ifc(struct tavor_dev *dev, int flags, u32 port, const struct ib_wc *in_wc,
		  const struct ib_grh *in_grh, const void *in_mad, void *out_mad);

/* From the event queues' softirq; numbers the table does not know are ignored. */
void tavor_cq_completion(struct tavor_dev *dev, u32 cqn);
void tavor_cq_event(struct tavor_dev *dev, u32 cqn, enum ib_event_type type);
void tavor_qp_event(struct tavor_dev *dev, u32 qpn, enum ib_event_type type);
void tavor_srq_event(struct tavor_dev *dev, u32 srqn, enum ib_event_type type);

#endif /* TAVOR_H */
