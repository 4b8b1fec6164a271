/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * User contexts, and the objects that a process may use.
 */
#ifndef TAVOR_UCTX_H
#define TAVOR_UCTX_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

#include <rdma/vrb_provider.h>

#include "uar.h"

/* The PD and the region of the buffer of a process's queue; both are its parents. */
struct tavor_pin {
	struct vrb_object *pd;
	struct vrb_object *region;
};

/**
 * struct tavor_named - an object that a process refers to by number: a PD or a region
 * @node: in &tavor_ucontext.pds or &tavor_ucontext.mrs
 * @number: PD number or key; no other object has it while this one exists
 */
struct tavor_named {
	struct rb_node node;
	u32 number;
};

/**
 * struct tavor_owned - a process's object, for the close of its context
 * @ctx: context; NULL: the kernel's object, or one whose create has not completed
 * @entry: in the list of the context's objects
 * @object: hardware half
 * @memory: references to the memory of the hardware half
 * @gone: the hardware half was destroyed before ib_core called the destroy
 * @early: a memory window: while it is bound the hardware does not release its region, which may be
 *	the younger one of them
 */
struct tavor_owned {
	struct tavor_ucontext *ctx;
	struct list_head entry;
	struct vrb_object *object;
	refcount_t *memory;
	struct completion gone;
	bool early;
};

/**
 * struct tavor_process - what all opens of the device by one process share
 * @entry: in &tavor_dev.processes
 * @mm: only compared; the reference keeps another process from having the same one
 * @user: the process, among those that share the command slots
 * @opens: number of its contexts; under &tavor_dev.processes_lock
 * @lock: guards @released
 * @released: regions that the hardware has released, but whose memory is still pinned
 * @reaping: held while that is unpinned
 */
struct tavor_process {
	struct list_head entry;
	struct mm_struct *mm;
	struct vrb_user user;
	unsigned int opens;
	spinlock_t lock;	/* see above */
	struct list_head released;
	struct mutex reaping;	/* see above */
};

/**
 * struct tavor_ucontext - one open of the device by a process
 * @ib: ib_core's half
 * @uar: its UAR page
 * @lock: guards @pds, @mrs, @owned and @closing
 * @pds: tavor_named of its PDs
 * @mrs: tavor_named of its regions
 * @owned: its CQs, QPs, SRQs, MRs and MWs, the youngest first
 * @closing: their destroys have been submitted
 * @left: woken when @leaving becomes 0; its lock guards @leaving
 * @leaving: number of regions whose destroy nothing waits for
 * @process: the process
 *
 * The ABI passes raw numbers: the process does not own an object whose number is not found here.
 */
struct tavor_ucontext {
	struct ib_ucontext ib;
	struct tavor_uar uar;
	struct mutex lock;	/* see above */
	struct rb_root pds;
	struct rb_root mrs;
	struct list_head owned;
	bool closing;
	wait_queue_head_t left;
	unsigned int leaving;
	struct tavor_process *process;
};

static inline struct tavor_ucontext *to_tctx(struct ib_ucontext *ibctx)
{
	return container_of(ibctx, struct tavor_ucontext, ib);
}

/* The context of a call by a process */
static inline struct tavor_ucontext *tavor_udata_ctx(struct ib_udata *udata)
{
	return rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
}

static inline bool tavor_named_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct tavor_named, node)->number <
	       rb_entry(b, struct tavor_named, node)->number;
}

/**
 * tavor_uctx_name() - makes a PD or a region known by its number
 * @ctx: context, locked
 * @names: its PDs or its regions
 * @named: of the PD or region
 * @number: its number
 *
 * Context: Process context.
 */
static inline void tavor_uctx_name(struct tavor_ucontext *ctx, struct rb_root *names,
				   struct tavor_named *named, u32 number)
{
	lockdep_assert_held(&ctx->lock);
	named->number = number;
	rb_add(&named->node, names, tavor_named_less);
}

/**
 * tavor_uctx_forget() - the opposite of tavor_uctx_name()
 * @ctx: context, locked
 * @names: where it is
 * @named: of the PD or region, which may have been forgotten before: the hardware may refuse a
 *	destroy
 *
 * Context: Process context.
 */
static inline void tavor_uctx_forget(struct tavor_ucontext *ctx, struct rb_root *names,
				     struct tavor_named *named)
{
	lockdep_assert_held(&ctx->lock);
	if (RB_EMPTY_NODE(&named->node))
		return;
	rb_erase(&named->node, names);
	RB_CLEAR_NODE(&named->node);
}

int tavor_uctx_pin(struct tavor_ucontext *ctx, u32 pdn, u32 lkey, u64 bytes, bool write,
		   struct vrb_object *child, struct tavor_pin *pin);
void tavor_uctx_unpin(struct vrb_object *child, const struct tavor_pin *pin);

void tavor_own_locked(struct tavor_ucontext *ctx, struct tavor_owned *owned,
		      struct vrb_object *object, refcount_t *memory);
void tavor_own(struct tavor_ucontext *ctx, struct tavor_owned *owned, struct vrb_object *object,
	       refcount_t *memory);
bool tavor_uctx_closes(struct tavor_ucontext *ctx, struct ib_udata *udata);
int tavor_destroy_in_context(struct tavor_owned *owned, struct ib_udata *udata);
int tavor_leave_context(struct tavor_owned *owned, struct ib_udata *udata);
bool tavor_uctx_settle(struct tavor_ucontext *ctx);
#ifdef VRB_HAS_UFILE_HW_CLEANUP
void tavor_ufile_hw_cleanup(struct ib_uverbs_file *ufile);
#endif

int tavor_alloc_ucontext(struct ib_ucontext *ibctx, struct ib_udata *udata);
void tavor_dealloc_ucontext(struct ib_ucontext *ibctx);
void tavor_disassociate_ucontext(struct ib_ucontext *ibctx);
int tavor_mmap(struct ib_ucontext *ibctx, struct vm_area_struct *vma);

#endif /* TAVOR_UCTX_H */
