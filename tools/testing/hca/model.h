/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The model as a whole. */
#ifndef HCA_MODEL_H
#define HCA_MODEL_H

#include "core/hca.h"

/*
 * Tells the lower rooms whom of the upper ones to call. First of all, before any option is set;
 * more than once does no harm.
 */
void hca_join(void);
/*
 * A new HCA with all its parts (main.c and tests); NULL and a message on stderr if it cannot be.
 * Options must have been set before (options.h). hca_delete_all() is for leak-clean exits.
 */
struct hca *hca_new(void);
void hca_delete_all(void);

#endif
