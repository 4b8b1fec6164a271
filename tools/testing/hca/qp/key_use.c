// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * How many work queues, those of QPs and of SRQs, lie behind the index of each memory key: asked
 * whenever a key changes hands, while the queues that could have it are many.
 */
#include "qp/qp.h"

#include <stdio.h>
#include <stdlib.h>

struct key_uses {
	u32 mask; /* that of MPT indices */
	u32 count[];
};

/*
 * INIT_HCA says how many; the counts follow at first use, and most of their pages are never
 * touched.
 */
static struct key_uses *uses_of(struct hca *h)
{
	struct key_uses *u = hca_part(h, PART_KEY_USE);
	u32 n = 1u << hca_profile(h)->log_mpts;

	if (u)
		return u;
	u = calloc(1, sizeof(*u) + n * sizeof(u->count[0]));
	if (!u) {
		fprintf(stderr, "tavor-hca: out of memory for uses of keys\n");
		exit(1);
	}
	u->mask = n - 1;
	hca_set_part(h, PART_KEY_USE, u);
	return u;
}

void key_use(struct hca *h, u32 key, int delta)
{
	struct key_uses *u = uses_of(h);

	u->count[key & u->mask] += delta;
}

u32 key_use_count(struct hca *h, u32 key)
{
	const struct key_uses *u = hca_part(h, PART_KEY_USE);

	return u ? u->count[key & u->mask] : 0;
}

bool key_use_same(struct hca *h, u32 a, u32 b)
{
	return !((a ^ b) & uses_of(h)->mask);
}

void key_use_reset(struct hca *h)
{
	free(hca_part(h, PART_KEY_USE));
	hca_set_part(h, PART_KEY_USE, NULL);
}
