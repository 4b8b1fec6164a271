/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * How the formats of hw_*.h are nailed down: the size of each structure and the place of each field
 * that is not reserved, as the hardware has them. Two fields swapped do not compile.
 */
#ifndef TAVOR_HW_H
#define TAVOR_HW_H

#include <linux/build_bug.h>
#include <linux/stddef.h>

#define TAVOR_HW_SIZE(type, size)		static_assert(sizeof(struct type) == (size))
#define TAVOR_HW_FIELD(type, field, offset)	\
	static_assert(offsetof(struct type, field) == (offset))

#endif /* TAVOR_HW_H */
