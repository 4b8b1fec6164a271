// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes datagrams of one module fail in the HCA: they get longer than the MTU of any link, so that
 * they complete with a local length error and the queue pair moves to the state SQE.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <rdma/ib_verbs.h>

#include "argument.h"

#define TOO_LONG	8192	/* bytes */

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "the driver's post_send; none: nothing fails");

static char *caller;
module_param(caller, charp, 0444);
MODULE_PARM_DESC(caller, "part of the caller's name, as in \"function+0x1/0x2 [module]\"");

static unsigned int every = 1;
module_param(every, uint, 0444);
MODULE_PARM_DESC(every, "the how manieth datagram fails, and so on");

static unsigned int most;
module_param(most, uint, 0444);
MODULE_PARM_DESC(most, "how many fail altogether; 0: no limit");

static atomic_t sends, failed;

static int failed_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&failed));
}

static const struct kernel_param_ops failed_ops = { .get = failed_get };
module_param_cb(failed, &failed_ops, NULL, 0444);
MODULE_PARM_DESC(failed, "datagrams that have been made too long");

static bool long_is_caller(unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, address);
	return strstr(name, caller);
}

static int long_entered(struct kprobe *probe, struct pt_regs *regs)
{
	const struct ib_send_wr *wr = (const void *)argument(regs, 1);

	if (!wr || wr->opcode != IB_WR_SEND || !wr->num_sge ||
	    !long_is_caller(*(unsigned long *)kernel_stack_pointer(regs)))
		return 0;
	if (atomic_inc_return(&sends) % every || !atomic_add_unless(&failed, 1, most ?: INT_MAX))
		return 0;
	wr->sg_list[0].length = TOO_LONG;
	return 0;
}
NOKPROBE_SYMBOL(long_entered);

static struct kprobe long_probe = { .pre_handler = long_entered };

static int __init long_init(void)
{
	if (!function)
		return 0;
	if (!caller || !every)
		return -EINVAL;
	if (!IS_ENABLED(CONFIG_X86_64))
		return -EOPNOTSUPP;
	long_probe.symbol_name = function;
	return register_kprobe(&long_probe);
}

static void __exit long_exit(void)
{
	if (function)
		unregister_kprobe(&long_probe);
}

module_init(long_init);
module_exit(long_exit);
MODULE_DESCRIPTION("Makes datagrams of a module fail in the HCA");
MODULE_LICENSE("Dual BSD/GPL");
