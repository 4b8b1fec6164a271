/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Static rates.
 */
#ifndef TAVOR_RATE_H
#define TAVOR_RATE_H

#include <linux/types.h>

struct tavor_dev;

bool tavor_rate_known(u8 ib_rate);
u8 tavor_static_rate(const struct tavor_dev *dev, u32 port, u8 ib_rate);
u8 tavor_ib_rate(u8 code);

#endif /* TAVOR_RATE_H */
