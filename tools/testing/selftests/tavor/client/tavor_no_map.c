// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes the ioremap() of a function fail, as without memory. For error_buffer.sh.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char caller[KSYM_NAME_LEN];
module_param_string(caller, caller, sizeof(caller), 0444);
MODULE_PARM_DESC(caller, "the function whose calls of ioremap() fail");

static unsigned int failed;
module_param(failed, uint, 0444);
MODULE_PARM_DESC(failed, "how many calls have failed");

/* Runs in place of ioremap(). On entry it has the same return address. */
static noinline notrace void *no_map_instead(void)
{
	return NULL;
}

static int no_map_entered(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long from = *(unsigned long *)kernel_stack_pointer(regs);
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, from);
	/* The name of the module follows. */
	name[strcspn(name, " ")] = '\0';
	if (!*caller || strcmp(name, caller))
		return 0;
	failed++;
	instruction_pointer_set(regs, (unsigned long)no_map_instead);
	return 1;
}
NOKPROBE_SYMBOL(no_map_entered);

static struct kprobe probe = {
	.symbol_name = "ioremap",
	.pre_handler = no_map_entered,
};

static int __init no_map_init(void)
{
	return register_kprobe(&probe);
}

static void __exit no_map_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(no_map_init);
module_exit(no_map_exit);

MODULE_DESCRIPTION("Makes the ioremap() of a function fail");
MODULE_LICENSE("Dual BSD/GPL");
