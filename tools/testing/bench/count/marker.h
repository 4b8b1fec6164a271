/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Marks where the counting of instructions begins and ends, in kernel modules and in programs
 * alike. See README.
 *
 * A marker is one no-op of eight bytes whose displacement no compiler and no kernel writes: it
 * touches no memory, no register and no flag, on hardware as in QEMU, and nothing notices it but
 * the counting plugin. The compiler moves no access to memory across it; what it keeps in registers
 * it may move.
 */
#ifndef COUNT_MARKER_H
#define COUNT_MARKER_H

#define COUNT_MAGIC 0x56420000 /* in the upper half of the displacement */
#define COUNT_END 0x8000       /* the interval ends here; otherwise it begins */
#define COUNT_IDS 1024	       /* an id, a constant, is less than this */

#define COUNT_MARK(id, end)                                                  \
	do {                                                                 \
		_Static_assert((id) >= 0 && (id) < COUNT_IDS, "no such id"); \
		asm volatile("nopl %c0(%%rax,%%rax,1)"                       \
			     :                                               \
			     : "i"(COUNT_MAGIC | (end) | (id))               \
			     : "memory");                                    \
	} while (0)

/*
 * Counted is what the processor executes after count_begin() and before count_end() of the same id.
 * Intervals of different ids may lie within each other or overlap in any way; markers themselves
 * are never counted. An interval may begin in one function, process or context and end in another.
 */
#define count_begin(id) COUNT_MARK(id, 0)
#define count_end(id) COUNT_MARK(id, COUNT_END)

#endif
