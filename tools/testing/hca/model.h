/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The whole model */
#ifndef HCA_MODEL_H
#define HCA_MODEL_H

#include "core/hca.h"

/*
 * Sets the functions of upper layers that lower layers call. It must be called before any option is
 * set, and may be called more than once.
 */
void hca_join(void);
/*
 * Creates an HCA with all its parts, for main.c and the tests. On failure it prints a message on
 * stderr and returns NULL. Options must be set before (options.h). hca_delete_all() frees the
 * memory of all HCAs before an exit.
 */
struct hca *hca_new(void);
void hca_delete_all(void);

#endif
