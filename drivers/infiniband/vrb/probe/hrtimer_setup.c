// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* hrtimer_init() and setting the function have become hrtimer_setup(). */
#include <linux/hrtimer.h>

void *probe(void);
void *probe(void)
{
	return hrtimer_setup;
}
