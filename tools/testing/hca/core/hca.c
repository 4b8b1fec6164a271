// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The HCAs of this process: their numbers, and the state of each of their parts. */
#include "core/hca.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_HCAS 16

struct hca {
	int number;
	void *part[PART_COUNT];
};

static struct hca *hcas[MAX_HCAS];
static int n_hcas;
static void (*reset)(struct hca *h);

void *hca_part(const struct hca *h, enum hca_part part)
{
	return h->part[part];
}

void hca_set_part(struct hca *h, enum hca_part part, void *state)
{
	h->part[part] = state;
}

int hca_number(const struct hca *h)
{
	return h->number;
}

struct hca *hca_by_number(int n)
{
	return n >= 0 && n < n_hcas ? hcas[n] : NULL;
}

int hca_count(void)
{
	return n_hcas;
}

struct hca *hca_add(void)
{
	struct hca *h = calloc(1, sizeof(*h));

	if (!h || n_hcas == MAX_HCAS) {
		fprintf(stderr, "tavor-hca: no room for another HCA\n");
		free(h);
		return NULL;
	}
	h->number = n_hcas;
	hcas[n_hcas++] = h;
	return h;
}

/* The memory is not freed, because other objects may still point to it. */
void hca_drop_last(void)
{
	n_hcas--;
}

void hca_on_reset(void (*fn)(struct hca *h))
{
	reset = fn;
}

void hca_reset(struct hca *h)
{
	reset(h);
}
