// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes calls of a function fail if the caller is the selected one, in kernels that are built
 * without fault injection. Such a call returns a given value at once, and calls by others are not
 * affected.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "which one; none: nothing fails");

static char *caller;
module_param(caller, charp, 0444);
MODULE_PARM_DESC(caller, "part of the caller's name, as in \"function+0x1/0x2 [module]\"");

static unsigned int every = 1;
module_param(every, uint, 0444);
MODULE_PARM_DESC(every, "the how manieth call fails, and so on");

static unsigned int times;
module_param(times, uint, 0444);
MODULE_PARM_DESC(times, "how many calls fail; 0: no limit");

static long value;
module_param(value, long, 0444);
MODULE_PARM_DESC(value, "what it returns then");

static atomic_t calls, failed;

static int failed_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&failed));
}

static const struct kernel_param_ops failed_ops = { .get = failed_get };
module_param_cb(failed, &failed_ops, NULL, 0444);
MODULE_PARM_DESC(failed, "calls that have failed");

/* Runs in place of the function. On entry it has the same return address. */
static noinline notrace long fail_instead(void)
{
	return value;
}

static bool fail_is_caller(unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, address);
	return strstr(name, caller);
}

static int fail_entered(struct kprobe *probe, struct pt_regs *regs)
{
	if (!fail_is_caller(*(unsigned long *)kernel_stack_pointer(regs)))
		return 0;
	if (atomic_inc_return(&calls) % every)
		return 0;
	if (!atomic_add_unless(&failed, 1, times ?: INT_MAX))
		return 0;
	instruction_pointer_set(regs, (unsigned long)fail_instead);
	return 1;
}
NOKPROBE_SYMBOL(fail_entered);

static struct kprobe fail_probe = { .pre_handler = fail_entered };

static int __init fail_init(void)
{
	if (!function)
		return 0;
	if (!caller || !every)
		return -EINVAL;
	fail_probe.symbol_name = function;
	return register_kprobe(&fail_probe);
}

static void __exit fail_exit(void)
{
	if (function)
		unregister_kprobe(&fail_probe);
}

module_init(fail_init);
module_exit(fail_exit);
MODULE_DESCRIPTION("Has calls fail that a module makes");
MODULE_LICENSE("Dual BSD/GPL");
