// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes allocations of ib_vrb and ib_tavor fail, in kernels that are built without fault injection:
 * an allocator that is called directly or indirectly by one of these modules returns NULL at once.
 *
 * An allocation belongs to a module if its stack has a return address in the module, without an
 * interrupt or a page fault in between. An allocator that is called by another allocator (a slab
 * that gets a page) is not counted again. An allocation with __GFP_NOFAIL never fails.
 *
 * The module also records the blocks that the two modules have allocated directly, by kzalloc() and
 * the like, until they are freed. So a test finds a block that an error path has left behind.
 *
 * It must be loaded before the two modules. The parameter "arm" takes
 *
 *	nth N [PID]	the N-th allocation fails, of this thread only
 *	from N [PID]	the N-th and all later ones
 *	count [PID]	none fails
 *	new		the first one at a place where none has failed since "forget". A place is a
 *			line of the two modules with one of the first three functions below it that
 *			call an allocator
 *	mark		nothing changes; "marked" then shows what is allocated from now on
 *	off		nothing is counted any more; the counts stay until the next "arm"
 */
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "fail_allocs.h"

#define FAIL_DEPTH	48		/* return addresses of a stack */
#define FAIL_PLACES	1024
#define FAIL_CALLERS	3		/* places below one line of ours */
#define FAIL_BUCKETS	4096
#define FAIL_WAYS	16
#define FAIL_ACTIVE	256		/* allocations that are recorded at the same time */

/* 32-bit ARM offers no access to arguments, s390 does not export it, others return elsewhere. */
#define FAIL_WORKS	IS_ENABLED(CONFIG_X86_64)

#define FAIL_BUCKET_ARG	(IS_ENABLED(CONFIG_SLAB_BUCKETS) ? 1 : 0)
#ifdef HAS_KVMALLOC_ALIGN
#define FAIL_ALIGN_ARG	1
#else
#define FAIL_ALIGN_ARG	0
#endif

/**
 * struct fail_allocator - a function that allocates
 * @name: its name; one that the kernel does not have is left out
 * @gfp: the index of its argument with the flags
 * @records: the blocks that it returns are recorded
 * @size: of its code
 * @probe: makes it fail
 * @record: records what it returns
 */
struct fail_allocator {
	const char *name;
	int gfp;
	bool records;
	unsigned long size;
	struct kprobe probe;
	struct kretprobe record;
};

static struct fail_allocator allocators[] = {
	{ "__kmalloc_noprof", 1, true },
	{ "__kmalloc_cache_noprof", 1, true },
	{ "__kmalloc_large_noprof", 1, true },
	{ "__kvmalloc_node_noprof", 1 + FAIL_BUCKET_ARG + FAIL_ALIGN_ARG, true },
	{ "__kmalloc_cache_node_noprof", 1 },
	{ "__kmalloc_large_node_noprof", 1 },
	{ "__kmalloc_node_noprof", 1 + FAIL_BUCKET_ARG },
	{ "__kmalloc_node_track_caller_noprof", 1 + FAIL_BUCKET_ARG },
	{ "kmem_cache_alloc_noprof", 1 },
	{ "kmem_cache_alloc_lru_noprof", 2 },
	{ "kmem_cache_alloc_node_noprof", 1 },
	{ "kmem_cache_alloc_bulk_noprof", 1 },
	{ "__vmalloc_node_range_noprof", 4 },
	{ "__alloc_pages_noprof", 0 },
	{ "__alloc_frozen_pages_noprof", 0 },
	{ "alloc_pages_bulk_noprof", 0 },
	{ "pcpu_alloc_noprof", 3 },
	{ "dma_alloc_attrs", 3 },
};

/* ---- The modules ---- */

static struct {
	const char *name;
	struct module *module;	/* NULL: not loaded */
} modules[] = { { "ib_vrb" }, { "ib_tavor" } };

static bool fail_is_ours(unsigned long address)
{
	const struct module *module;
	int i;

	for (i = 0; i < ARRAY_SIZE(modules); i++) {
		module = READ_ONCE(modules[i].module);
		if (module && within_module_core(address, module))
			return true;
	}
	return false;
}

static int fail_module_changes(struct notifier_block *block, unsigned long state, void *data)
{
	struct module *module = data;
	int i;

	for (i = 0; i < ARRAY_SIZE(modules); i++) {
		if (strcmp(module->name, modules[i].name))
			continue;
		if (state == MODULE_STATE_COMING)
			WRITE_ONCE(modules[i].module, module);
		if (state == MODULE_STATE_GOING)
			WRITE_ONCE(modules[i].module, NULL);
		/* Probes run with preemption disabled. */
		synchronize_rcu();
	}
	return NOTIFY_OK;
}

static struct notifier_block fail_modules_block = { .notifier_call = fail_module_changes };

/* ---- What fails ---- */

/* An allocation: who has called the allocator, and which of the two modules' code it is below */
struct fail_place {
	const char *allocator;
	unsigned long caller;
	unsigned long own;
};

static enum fail_mode mode;
static unsigned int nth;
static int only;		/* pid, or 0 */
static atomic_t matches, failed, spared;
static DEFINE_RAW_SPINLOCK(lock);
static struct fail_place places[FAIL_PLACES], last;
static unsigned int nr_places;

/* Runs in place of the allocator. On entry it has the same return address. */
static noinline notrace void *fail_instead(void)
{
	return NULL;
}

static unsigned long fail_caller(struct pt_regs *regs)
{
	return *(unsigned long *)kernel_stack_pointer(regs);
}

static bool fail_is_allocator(unsigned long address)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(allocators); i++)
		if (address - (unsigned long)allocators[i].probe.addr < allocators[i].size)
			return true;
	return false;
}

/* Returns whether the allocation is one of the two modules. */
static bool fail_finds(struct pt_regs *regs, struct fail_place *place)
{
	unsigned long stack[FAIL_DEPTH];
	unsigned int n, i;

	n = stack_trace_save(stack, FAIL_DEPTH, 0);
	place->caller = fail_caller(regs);
	/* First come the probe and what has called it. */
	for (i = 0; i < n && stack[i] != place->caller; i++)
		;
	n = i + filter_irq_stacks(stack + i, n - i);
	for (; i < n; i++) {
		place->own = stack[i];
		if (fail_is_ours(stack[i]))
			return true;
		if (fail_is_allocator(stack[i]))
			return false;
	}
	return false;
}

static bool fail_is_new(const struct fail_place *place)
{
	unsigned int i, same = 0;

	for (i = 0; i < nr_places; i++) {
		if (places[i].own != place->own)
			continue;
		if (places[i].caller == place->caller || ++same == FAIL_CALLERS)
			return false;
	}
	if (nr_places < FAIL_PLACES)
		places[nr_places++] = *place;
	return true;
}

static bool fail_chooses(const struct fail_place *place)
{
	unsigned int n = atomic_inc_return(&matches);
	unsigned long flags;
	bool chosen;

	raw_spin_lock_irqsave(&lock, flags);
	switch (mode) {
	case FAIL_NTH:
		chosen = n == nth;
		break;
	case FAIL_FROM:
		chosen = n >= nth;
		break;
	case FAIL_NEW:
		chosen = !atomic_read(&failed) && fail_is_new(place);
		break;
	default:
		chosen = false;
	}
	if (chosen) {
		atomic_inc(&failed);
		last = *place;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return chosen;
}

static gfp_t fail_flags(const struct fail_allocator *allocator, struct pt_regs *regs)
{
#if FAIL_WORKS
	return (__force gfp_t)regs_get_kernel_argument(regs, allocator->gfp);
#else
	return 0;
#endif
}

static int fail_entered(struct kprobe *probe, struct pt_regs *regs)
{
	struct fail_allocator *allocator = container_of(probe, struct fail_allocator, probe);
	struct fail_place place = { .allocator = allocator->name };
	int pid = READ_ONCE(only);

	if (READ_ONCE(mode) == FAIL_OFF || in_nmi())
		return 0;
	if (pid && (!in_task() || current->pid != pid))
		return 0;
	if (!fail_finds(regs, &place))
		return 0;
	if (fail_flags(allocator, regs) & __GFP_NOFAIL) {
		atomic_inc(&spared);
		return 0;
	}
	if (!fail_chooses(&place))
		return 0;
	instruction_pointer_set(regs, (unsigned long)fail_instead);
	return 1;
}
NOKPROBE_SYMBOL(fail_entered);

/* ---- Blocks that are in use ---- */

struct fail_block {
	void *address;		/* NULL: free */
	unsigned long caller;
	unsigned long serial;
};

static struct fail_block blocks[FAIL_BUCKETS][FAIL_WAYS];
static unsigned long serial, serial_armed, serial_marked;
static atomic_t live, lost;

static struct fail_block *fail_bucket(const void *address)
{
	return blocks[((unsigned long)address >> 4) * 2654435761UL / 16 % FAIL_BUCKETS];
}

static void fail_block_add(void *address, unsigned long caller)
{
	struct fail_block *block = fail_bucket(address);
	unsigned long flags;
	int i;

	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < FAIL_WAYS && block[i].address; i++)
		;
	if (i < FAIL_WAYS) {
		block[i] = (struct fail_block){ address, caller, ++serial };
		atomic_inc(&live);
	} else {
		atomic_inc(&lost);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

static void fail_block_remove(const void *address)
{
	struct fail_block *block = fail_bucket(address);
	unsigned long flags;
	int i;

	for (i = 0; i < FAIL_WAYS; i++) {
		if (READ_ONCE(block[i].address) != address)
			continue;
		raw_spin_lock_irqsave(&lock, flags);
		if (block[i].address == address) {
			block[i].address = NULL;
			atomic_dec(&live);
		}
		raw_spin_unlock_irqrestore(&lock, flags);
	}
}

static int fail_record_entry(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	unsigned long caller = fail_caller(regs);

	if (!fail_is_ours(caller))
		return 1;
	memcpy(instance->data, &caller, sizeof(caller));
	return 0;
}
NOKPROBE_SYMBOL(fail_record_entry);

static int fail_record_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	void *address = (void *)regs_return_value(regs);
	unsigned long caller;

	memcpy(&caller, instance->data, sizeof(caller));
	if (!ZERO_OR_NULL_PTR(address))
		fail_block_add(address, caller);
	return 0;
}
NOKPROBE_SYMBOL(fail_record_return);

/* ---- Functions that free ---- */

static const void *fail_freed(struct ftrace_regs *regs, int argument)
{
#if FAIL_WORKS
	return (const void *)ftrace_regs_get_argument(regs, argument);
#else
	return NULL;
#endif
}

/*
 * Not by kprobes: these miss a call that an interrupt makes while another probe runs, and then the
 * block would look as if it had been left behind.
 */
static void fail_frees(struct ftrace_regs *regs, int argument)
{
	const void *address = fail_freed(regs, argument);

	if (!ZERO_OR_NULL_PTR(address))
		fail_block_remove(address);
}

static void notrace fail_frees_first(unsigned long ip, unsigned long parent,
				     struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	fail_frees(regs, 0);
}

static void notrace fail_frees_second(unsigned long ip, unsigned long parent,
				      struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	fail_frees(regs, 1);
}

static struct {
	const char *name;
	struct ftrace_ops ops;
	bool registered;
} frees[] = {
	{ "kfree", { .func = fail_frees_first } },
	{ "kvfree", { .func = fail_frees_first } },
	{ "vfree", { .func = fail_frees_first } },
	{ "kvfree_call_rcu", { .func = fail_frees_second } },
};

static int fail_watch(int i)
{
	int err = ftrace_set_filter(&frees[i].ops, (char *)frees[i].name, strlen(frees[i].name), 1);

	if (!err)
		err = register_ftrace_function(&frees[i].ops);
	frees[i].registered = !err;
	return err;
}

/* ---- For test modules ---- */

/**
 * fail_allocs_arm() - begins anew to count, and says what fails
 * @how: see enum fail_mode
 * @n: for FAIL_NTH and FAIL_FROM
 * @pid: of the only thread whose allocations count, outside of interrupts; 0: all count
 *
 * Context: Any but NMI.
 */
void fail_allocs_arm(enum fail_mode how, unsigned int n, int pid)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (how != FAIL_OFF) {
		atomic_set(&matches, 0);
		atomic_set(&failed, 0);
		atomic_set(&spared, 0);
		serial_armed = serial;
		nth = n;
		WRITE_ONCE(only, pid);
	}
	WRITE_ONCE(mode, how);
	raw_spin_unlock_irqrestore(&lock, flags);
}
EXPORT_SYMBOL_GPL(fail_allocs_arm);

/**
 * fail_allocs_matches() - number of allocations since the last fail_allocs_arm()
 *
 * Context: Any.
 */
unsigned int fail_allocs_matches(void)
{
	return atomic_read(&matches);
}
EXPORT_SYMBOL_GPL(fail_allocs_matches);

/**
 * fail_allocs_failed() - how many of them have failed
 *
 * Context: Any.
 */
unsigned int fail_allocs_failed(void)
{
	return atomic_read(&failed);
}
EXPORT_SYMBOL_GPL(fail_allocs_failed);

/**
 * fail_allocs_last() - describes the last one that has failed
 * @buffer: a page
 *
 * Context: Process context.
 * Return: the length of the text.
 */
int fail_allocs_last(char *buffer)
{
	struct fail_place place;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	place = last;
	raw_spin_unlock_irqrestore(&lock, flags);
	if (!place.allocator)
		return sprintf(buffer, "none\n");
	return sprintf(buffer, "%s, called by %pS, below %pS\n", place.allocator,
		       (void *)place.caller, (void *)place.own);
}
EXPORT_SYMBOL_GPL(fail_allocs_last);

/**
 * fail_allocs_live() - number of blocks that the two modules have allocated and not freed
 *
 * Context: Any.
 */
unsigned int fail_allocs_live(void)
{
	return atomic_read(&live);
}
EXPORT_SYMBOL_GPL(fail_allocs_live);

/* ---- Parameters ---- */

static int fail_arm_set(const char *text, const struct kernel_param *param)
{
	unsigned int n = 0;
	int pid = 0;

	if (sscanf(text, "nth %u %d", &n, &pid) >= 1)
		fail_allocs_arm(FAIL_NTH, n, pid);
	else if (sscanf(text, "from %u %d", &n, &pid) >= 1)
		fail_allocs_arm(FAIL_FROM, n, pid);
	else if (sysfs_streq(text, "count") || sscanf(text, "count %d", &pid) == 1)
		fail_allocs_arm(FAIL_NTH, 0, pid);
	else if (sysfs_streq(text, "new"))
		fail_allocs_arm(FAIL_NEW, 0, 0);
	else if (sysfs_streq(text, "off"))
		fail_allocs_arm(FAIL_OFF, 0, 0);
	else if (sysfs_streq(text, "forget"))
		nr_places = 0;
	else if (sysfs_streq(text, "mark"))
		serial_marked = READ_ONCE(serial);
	else
		return -EINVAL;
	return 0;
}

static const struct kernel_param_ops fail_arm_ops = { .set = fail_arm_set };
module_param_cb(arm, &fail_arm_ops, NULL, 0200);
MODULE_PARM_DESC(arm, "which allocations fail from now on");

static int fail_number_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(param->arg));
}

static const struct kernel_param_ops fail_number_ops = { .get = fail_number_get };
module_param_cb(matches, &fail_number_ops, &matches, 0444);
MODULE_PARM_DESC(matches, "allocations since then");
module_param_cb(failed, &fail_number_ops, &failed, 0444);
MODULE_PARM_DESC(failed, "how many of them have failed");
module_param_cb(spared, &fail_number_ops, &spared, 0444);
MODULE_PARM_DESC(spared, "allocations since then that must not fail");
module_param_cb(live, &fail_number_ops, &live, 0444);
MODULE_PARM_DESC(live, "blocks of the two modules that are in use");
module_param_cb(lost, &fail_number_ops, &lost, 0444);
MODULE_PARM_DESC(lost, "blocks that could not be recorded");

static int fail_last_get(char *buffer, const struct kernel_param *param)
{
	return fail_allocs_last(buffer);
}

static const struct kernel_param_ops fail_last_ops = { .get = fail_last_get };
module_param_cb(last, &fail_last_ops, NULL, 0444);
MODULE_PARM_DESC(last, "the last allocation that has failed");

/* Blocks in use that are newer than a serial number: who has allocated them */
static int fail_left_get(char *buffer, const struct kernel_param *param)
{
	struct fail_block *block = &blocks[0][0];
	int i, n = 0;

	for (i = 0; i < FAIL_BUCKETS * FAIL_WAYS && n < PAGE_SIZE - 128; i++)
		if (block[i].address && block[i].serial > *(unsigned long *)param->arg)
			n += sysfs_emit_at(buffer, n, "%pS\n", (void *)block[i].caller);
	return n;
}

static const struct kernel_param_ops fail_left_ops = { .get = fail_left_get };
module_param_cb(left, &fail_left_ops, &serial_armed, 0444);
MODULE_PARM_DESC(left, "who has allocated the blocks in use that are newer than the last arm");
module_param_cb(marked, &fail_left_ops, &serial_marked, 0444);
MODULE_PARM_DESC(marked, "the same, newer than the last mark");

/* ---- Module ---- */

static void fail_unregister(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(frees); i++)
		if (frees[i].registered)
			unregister_ftrace_function(&frees[i].ops);
	for (i = 0; i < ARRAY_SIZE(allocators); i++) {
		if (allocators[i].size)
			unregister_kprobe(&allocators[i].probe);
		if (allocators[i].record.kp.addr)
			unregister_kretprobe(&allocators[i].record);
	}
}

static int fail_record(struct fail_allocator *allocator)
{
	struct kretprobe *record = &allocator->record;

	record->kp.symbol_name = allocator->name;
	record->entry_handler = fail_record_entry;
	record->handler = fail_record_return;
	record->data_size = sizeof(unsigned long);
	record->maxactive = FAIL_ACTIVE;
	return register_kretprobe(record);
}

/* The last probe of a function comes first, and sees the caller before record replaces it. */
static int fail_register(struct fail_allocator *allocator)
{
	char name[KSYM_SYMBOL_LEN];
	const char *size;
	int err;

	if (allocator->records) {
		err = fail_record(allocator);
		if (err)
			return err;
	}
	allocator->probe.symbol_name = allocator->name;
	allocator->probe.pre_handler = fail_entered;
	err = register_kprobe(&allocator->probe);
	/* Each kernel has its own. */
	if (err == -ENOENT && !allocator->records)
		return 0;
	if (err)
		return err;
	sprint_symbol(name, (unsigned long)allocator->probe.addr);
	size = strchr(name, '/');
	if (!size || sscanf(size, "/0x%lx", &allocator->size) != 1)
		allocator->size = 1;
	return 0;
}

static int fail_register_all(void)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(allocators) && !err; i++)
		err = fail_register(&allocators[i]);
	for (i = 0; i < ARRAY_SIZE(frees) && !err; i++)
		err = fail_watch(i);
	return err;
}

static int __init fail_init(void)
{
	int err;

	if (!FAIL_WORKS)
		return -EOPNOTSUPP;
	err = fail_register_all();
	if (!err)
		err = register_module_notifier(&fail_modules_block);
	if (err)
		fail_unregister();
	return err;
}

static void __exit fail_exit(void)
{
	fail_allocs_arm(FAIL_OFF, 0, 0);
	unregister_module_notifier(&fail_modules_block);
	fail_unregister();
}

module_init(fail_init);
module_exit(fail_exit);
MODULE_DESCRIPTION("Makes allocations of ib_vrb and ib_tavor fail");
MODULE_LICENSE("Dual BSD/GPL");
