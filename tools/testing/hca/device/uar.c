// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * BAR2: pages of doorbells (tavor-hw 14). A doorbell is one 64-bit write, or two 32-bit writes, the
 * high half first. The halves are combined for each page and register.
 */
#include "core/bytes.h"
#include "device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Halves for different pages can come in any order, because each process has a page of its own.
 * Within a page, a driver holds a lock from the high half to the low half.
 */
struct uar_page {
	u32 high[DB_KINDS];
	u8 have; /* one bit for each doorbell: its high half was written */
};

struct uar {
	struct uar_page *pages;
	u32 n;
};

static doorbell *const *doorbells;

void uar_set_doorbells(doorbell *const fn[DB_KINDS])
{
	doorbells = fn;
}

static struct uar *uar_of(const struct hca *h)
{
	return hca_part(h, PART_UAR);
}

static void ring(struct hca *h, u32 uar, int kind, u32 hi, u32 lo)
{
	static const char *const names[DB_KINDS] = { "db_send", "db_recv", "db_cq", "db_eq" };

	count(h, names[kind]);
	/* before INIT_HCA there are no contexts, so no page belongs to one */
	if (!hca_running(h)) {
		blame(h, uar, RULE_UAR_STATE, "doorbell",
		      "UAR %u: %s 0x%08x%08x rung before INIT_HCA", uar, names[kind], hi, lo);
		return;
	}
	doorbells[kind](h, uar, hi, lo);
}

static void complain(struct hca *h, u32 uar, u64 offset, u32 len)
{
	char object[32];

	snprintf(object, sizeof(object), "UAR %u", uar);
	blame(h, uar, RULE_UAR_ACCESS, object, "%u-byte write at 0x%x is no doorbell", len,
	      (u32)(offset % HCA_PAGE));
}

/*
 * The low half rings the doorbell, with the last high half of this page and register (tavor-hw 14).
 */
static void half(struct hca *h, u32 uar, u64 offset, u32 value)
{
	struct uar_page *p = &uar_of(h)->pages[uar];
	int kind = (offset % HCA_PAGE - 0x10) / 8;
	char object[32];

	if (!(offset & 4)) {
		p->high[kind] = value;
		p->have |= 1 << kind;
		return;
	}
	if (!(p->have >> kind & 1)) {
		snprintf(object, sizeof(object), "UAR %u", uar);
		blame(h, uar, RULE_UAR_HALF, object,
		      "low half 0x%08x at 0x%x without its high half", value,
		      (u32)(offset % HCA_PAGE));
		return;
	}
	p->have &= ~(1 << kind);
	ring(h, uar, kind, p->high[kind], value);
}

/*
 * A process accesses the device only through this function, apart from system calls. A dead or
 * fenced device ignores doorbells: the driver may not know its state yet.
 */
int uar_write(struct hca *h, u64 offset, const void *buf, u32 len)
{
	u32 uar = offset / HCA_PAGE;
	u32 at = offset % HCA_PAGE;

	if (offset >= BAR2_SIZE || len > BAR2_SIZE - offset)
		return -EINVAL;
	if (hca_dead(h))
		return 0;
	if (at < 0x10 || at >= 0x30 || (len != 8 && len != 4) || at % len)
		complain(h, uar, offset, len);
	else if (len == 8)
		ring(h, uar, (at - 0x10) / 8, get32(buf), get32((const u8 *)buf + 4));
	else
		half(h, uar, offset, get32(buf));
	return 0;
}

/*
 * On a card a read returns undefined data. libmthca maps the page write-only, so a read is always
 * an error.
 */
int uar_read(struct hca *h, u64 offset, void *buf, u32 len)
{
	char object[32];

	if (offset >= BAR2_SIZE || len > BAR2_SIZE - offset)
		return -EINVAL;
	memset(buf, 0, len);
	snprintf(object, sizeof(object), "UAR %u", (u32)(offset / HCA_PAGE));
	blame(h, offset / HCA_PAGE, RULE_UAR_READ, object, "%u-byte read at 0x%x", len,
	      (u32)(offset % HCA_PAGE));
	return 0;
}

void uar_reset(struct hca *h)
{
	struct uar *u = uar_of(h);

	memset(u->pages, 0, u->n * sizeof(u->pages[0]));
}

int uar_new(struct hca *h)
{
	struct uar *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->n = BAR2_SIZE / HCA_PAGE;
	u->pages = calloc(u->n, sizeof(u->pages[0]));
	if (!u->pages) {
		free(u);
		return -ENOMEM;
	}
	hca_set_part(h, PART_UAR, u);
	return 0;
}

void uar_delete(struct hca *h)
{
	free(uar_of(h)->pages);
	free(uar_of(h));
}
