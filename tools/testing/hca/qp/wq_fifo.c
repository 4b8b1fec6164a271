// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The WQEs of a work queue that doorbells have announced and that were not fetched yet. The ring
 * grows as needed.
 */
#include "qp/qp.h"

#include <stdio.h>
#include <stdlib.h>

static void wq_grow(struct wq_fifo *f)
{
	u32 room = f->room ? f->room * 2 : 16;
	struct wq_db *ring = malloc(room * sizeof(*ring));
	u32 i;

	if (!ring) {
		fprintf(stderr, "tavor-hca: out of memory for work queues\n");
		exit(1);
	}
	for (i = f->head; i != f->tail; i++)
		ring[i & (room - 1)] = f->ring[i & (f->room - 1)];
	free(f->ring);
	f->ring = ring;
	f->room = room;
}

/*
 * QUERY_DEV_LIM gives the limit. Without it, a process could grow the ring for ever by doorbells.
 */
bool wq_push(struct wq_fifo *f, struct wq_db db)
{
	u32 n = db.count ? db.count : 1;

	if (f->wqes + n > WQ_LIMIT)
		return false;
	if (f->tail - f->head == f->room)
		wq_grow(f);
	f->ring[f->tail++ & (f->room - 1)] = db;
	f->wqes += n;
	return true;
}

struct wq_db *wq_first(struct wq_fifo *f)
{
	return f->head == f->tail ? NULL : &f->ring[f->head & (f->room - 1)];
}

/* This also drops the WQEs that it had announced and that were not fetched. */
void wq_drop_first(struct wq_fifo *f)
{
	struct wq_db *db = wq_first(f);

	if (!db)
		return;
	f->wqes -= db->count ? db->count : 1;
	f->head++;
}

void wq_free(struct wq_fifo *f)
{
	free(f->ring);
	memset(f, 0, sizeof(*f));
}
