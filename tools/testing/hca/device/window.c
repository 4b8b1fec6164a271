// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * BAR4, the host's window to the memory of the HCA (tavor-hw 7): RAM for accesses of any width.
 * Software must not write to the firmware's area and the context tables. Such a write is recorded,
 * but harmless, because the model stores the contexts elsewhere.
 */
#include "device/device.h"
#include "device/keys.h"

#include <errno.h>
#include <stdlib.h>

/* the tables of INIT_HCA and the firmware's area, with some reserve */
#define MAX_PROTECTED 16

struct window {
	int n_protected;
	struct {
		const char *name;
		u64 from, to; /* offsets [from, to) */
	} protected[MAX_PROTECTED];
};

static struct window *window_of(const struct hca *h)
{
	return hca_part(h, PART_WINDOW);
}

void window_protect(struct hca *h, const char *name, u64 base, u64 size)
{
	struct window *w = window_of(h);
	u64 from = base - ddr_start(h);

	if (w->n_protected == MAX_PROTECTED || !size)
		return;
	w->protected[w->n_protected].name = name;
	w->protected[w->n_protected].from = from;
	w->protected[w->n_protected].to = from + size;
	w->n_protected++;
}

void window_unprotect_all(struct hca *h)
{
	window_of(h)->n_protected = 0;
}

/* The write is recorded and then executed: the model stores the contexts elsewhere. */
static void check_protected(struct hca *h, u64 offset, u32 len)
{
	struct window *w = window_of(h);
	int i;

	for (i = 0; i < w->n_protected; i++)
		if (offset < w->protected[i].to && offset + len > w->protected[i].from)
			violation(h, RULE_DDR_TABLE_WRITE, "BAR4",
				  "%u bytes at 0x%llx are in the %s", len,
				  (unsigned long long)offset, w->protected[i].name);
}

static bool outside(struct hca *h, u64 offset, u32 len)
{
	return offset >= ddr_size(h) || len > ddr_size(h) - offset;
}

int window_read(struct hca *h, u64 offset, void *buf, u32 len)
{
	if (outside(h, offset, len))
		return -EINVAL;
	memcpy(buf, ddr_ptr(h, ddr_start(h) + offset, len), len);
	return 0;
}

/*
 * Checks keys and translations before the bytes change: the rule compares with the values that
 * hardware may have cached (tavor-hw 9.6).
 */
int window_write(struct hca *h, u64 offset, const void *buf, u32 len)
{
	u64 addr = ddr_start(h) + offset;

	if (outside(h, offset, len))
		return -EINVAL;
	check_protected(h, offset, len);
	if (hca_running(h))
		tpt_store(h, addr, buf, len);
	memcpy(ddr_ptr(h, addr, len), buf, len);
	return 0;
}

int window_new(struct hca *h)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	hca_set_part(h, PART_WINDOW, w);
	return 0;
}

void window_delete(struct hca *h)
{
	free(window_of(h));
}
