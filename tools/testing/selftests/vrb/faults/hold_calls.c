// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Holds the first caller of a function at its start until it is released. The caller must be one
 * that may sleep. A test observes the rest of the system meanwhile.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#define HOLD_MS		10
#define HOLD_TIMES	6000

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "which one; none: nothing is held");

static bool held;
module_param(held, bool, 0444);
MODULE_PARM_DESC(held, "the caller is held now");

static bool go_on;
module_param(go_on, bool, 0644);
MODULE_PARM_DESC(go_on, "it is not held, or no longer");

static struct kprobe hold_probe;

/*
 * Runs in place of the function, with the same arguments and in the same context. So it may sleep
 * if the function may.
 */
static noinline notrace long hold_instead(long a, long b, long c, long d, long e, long f)
{
	long (*go)(long a, long b, long c, long d, long e, long f) = (void *)hold_probe.addr;
	int i;

	WRITE_ONCE(held, true);
	for (i = 0; !READ_ONCE(go_on) && i < HOLD_TIMES; i++)
		msleep(HOLD_MS);
	WRITE_ONCE(held, false);
	WRITE_ONCE(go_on, true);
	return go(a, b, c, d, e, f);
}

static int hold_entered(struct kprobe *probe, struct pt_regs *regs)
{
	if (READ_ONCE(go_on))
		return 0;
	instruction_pointer_set(regs, (unsigned long)hold_instead);
	return 1;
}
NOKPROBE_SYMBOL(hold_entered);

static int __init hold_init(void)
{
	if (!function)
		return 0;
	hold_probe.pre_handler = hold_entered;
	hold_probe.symbol_name = function;
	return register_kprobe(&hold_probe);
}

static void __exit hold_exit(void)
{
	if (function)
		unregister_kprobe(&hold_probe);
}

module_init(hold_init);
module_exit(hold_exit);
MODULE_DESCRIPTION("Holds who calls a function");
MODULE_LICENSE("Dual BSD/GPL");
