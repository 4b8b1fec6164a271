// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Holds the first call of a function by the selected caller at its start for some time. The
 * processor spins meanwhile, so the caller may be one that must not sleep: with the function that
 * releases a lock, the lock stays held. A test observes another processor meanwhile.
 */
#include <linux/delay.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "which one; none: nothing is held");

static char *caller;
module_param(caller, charp, 0444);
MODULE_PARM_DESC(caller, "part of the caller's name, as in \"function+0x1/0x2 [module]\"");

static unsigned int ms = 3000;
module_param(ms, uint, 0444);
MODULE_PARM_DESC(ms, "for how long");

static bool held;
module_param(held, bool, 0444);
MODULE_PARM_DESC(held, "the call is held now");

static atomic_t calls;

static bool spin_is_caller(unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, address);
	return strstr(name, caller);
}

static int spin_entered(struct kprobe *probe, struct pt_regs *regs)
{
	if (atomic_read(&calls) || !spin_is_caller(*(unsigned long *)kernel_stack_pointer(regs)))
		return 0;
	if (atomic_xchg(&calls, 1))
		return 0;
	WRITE_ONCE(held, true);
	mdelay(ms);
	WRITE_ONCE(held, false);
	return 0;
}
NOKPROBE_SYMBOL(spin_entered);

static struct kprobe spin_probe = { .pre_handler = spin_entered };

static int __init spin_init(void)
{
	if (!function || !caller)
		return 0;
	spin_probe.symbol_name = function;
	return register_kprobe(&spin_probe);
}

static void __exit spin_exit(void)
{
	if (function && caller)
		unregister_kprobe(&spin_probe);
}

module_init(spin_init);
module_exit(spin_exit);
MODULE_DESCRIPTION("Holds a call by a caller that must not sleep");
MODULE_LICENSE("Dual BSD/GPL");
