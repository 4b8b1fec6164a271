/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* Intervals of known length, for a program and for a kernel module. Their IDs start at BASE. */
#include "../marker.h"

#define LOOP(n) \
	asm volatile("mov %0, %%ecx\n1: dec %%ecx\njnz 1b" : : "i"(n) : "ecx", "cc") /* 2n + 1 */
#define TIMES 11

static inline void known_intervals(void)
{
	for (int i = 0; i < TIMES; i++) {
		count_begin(BASE);
		count_end(BASE);
		count_begin(BASE + 1);
		asm volatile(".rept 100\nnop\n.endr");
		count_end(BASE + 1);
		count_begin(BASE + 2);
		LOOP(1000);
		count_end(BASE + 2);
		count_begin(BASE + 3);
		LOOP(2000);
		count_end(BASE + 3);
		/* Markers within an interval are not counted; a similar no-op is. */
		count_begin(BASE + 4);
		count_begin(BASE + 5);
		asm volatile("nop\nnopl 0x12345678(%%rax,%%rax,1)" : :);
		count_end(BASE + 4);
		asm volatile("nop");
		count_end(BASE + 5);
		/* Long enough for the timer's interrupt */
		count_begin(BASE + 6);
		LOOP(10000000);
		count_end(BASE + 6);
	}
}
