/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Compile-time checks of the formats in hw_*.h: the size of each structure and the offset of each
 * field that is not reserved. If two fields are swapped the file does not compile.
 */
#ifndef TAVOR_HW_H
#define TAVOR_HW_H

#include <linux/build_bug.h>
#include <linux/stddef.h>

#define TAVOR_HW_SIZE(type, size)		static_assert(sizeof(struct type) == (size))
#define TAVOR_HW_FIELD(type, field, offset)	\
	static_assert(offsetof(struct type, field) == (offset))

#endif /* TAVOR_HW_H */
