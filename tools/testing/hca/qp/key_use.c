// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The number of work queues of QPs and SRQs for each index of a memory key. It is needed each time
 * a key changes its owner, when a search of all queues would be too slow.
 */
#include "qp/qp.h"

#include <stdio.h>
#include <stdlib.h>

struct key_uses {
	u32 mask; /* the mask of MPT indices */
	u32 count[];
};

/*
 * INIT_HCA sets the number of keys. The counters are allocated at the first use, and most of their
 * pages are never touched.
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
