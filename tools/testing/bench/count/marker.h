/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Marks the start and the end of an interval in which instructions are counted, in kernel modules
 * and in programs. See Documentation/bench-measuring.rst.
 *
 * A marker is one no-op of eight bytes, with a displacement that no compiler and no kernel emits.
 * It changes no memory, register or flag, on hardware and in QEMU, and only the counting plugin
 * notices it. The compiler moves no memory access across it, but may move operations on registers.
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
 * The plugin counts what the processor executes after count_begin() and before count_end() of the
 * same id. Intervals of different ids may nest or overlap in any way; markers are never counted. An
 * interval may begin in one function, process or context and end in another.
 */
#define count_begin(id) COUNT_MARK(id, 0)
#define count_end(id) COUNT_MARK(id, COUNT_END)

#endif
