// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* All random numbers come from one seeded generator for each HCA, so that a run can be repeated. */
#include "core/hca.h"

#include <errno.h>
#include <stdlib.h>

/* splitmix64; any seed is valid, also 0 */
u64 hca_random(struct hca *h)
{
	u64 *state = hca_part(h, PART_RANDOM);
	u64 z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

double hca_random_unit(struct hca *h)
{
	return (hca_random(h) >> 11) * 0x1p-53;
}

bool hca_chance(struct hca *h, double probability)
{
	return probability >= 1 || hca_random_unit(h) < probability;
}

int random_new(struct hca *h)
{
	u64 *state = malloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	/* two HCAs of one process must not get the same random numbers */
	*state = opt_u64(h, "seed") + (u64)hca_number(h) * 0x5851f42d4c957f2du;
	hca_set_part(h, PART_RANDOM, state);
	return 0;
}

void random_delete(struct hca *h)
{
	free(hca_part(h, PART_RANDOM));
}
