// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The HCA-attached memory behind BAR4 (section 7): plain RAM of any access width. The firmware's area and
 * the context tables must not be written by software; such a write is recorded, and harmless, because the
 * model keeps the contexts elsewhere.
 */
#define _GNU_SOURCE
#include "device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* the tables of INIT_HCA and the firmware's area, with room to spare */
#define MAX_PROTECTED 16

struct ddr {
	u64 start, size;
	u8 *mem;
	int fd;
	int n_protected;
	struct {
		const char *name;
		u64 from, to; /* offsets, [from, to) */
	} protected[MAX_PROTECTED];
};

static struct ddr *ddr_of(const struct hca *h)
{
	return hca_part(h, PART_DDR);
}

u64 ddr_start(const struct hca *h)
{
	return ddr_of(h)->start;
}

u64 ddr_size(const struct hca *h)
{
	return ddr_of(h)->size;
}

/* The firmware sits at the top, where every driver looks for it and ends its own tables (7). */
u64 ddr_fw_start(const struct hca *h)
{
	return ddr_of(h)->start + ddr_of(h)->size - opt_u64(h, "fw_area");
}

bool ddr_hidden(const struct hca *h)
{
	return opt_bool(h, "ddr_hidden");
}

int ddr_fd(const struct hca *h)
{
	return ddr_of(h)->fd;
}

/* Without forming an end: the address comes from the guest and may be near 2^64. */
bool ddr_contains(const struct hca *h, u64 addr, size_t len)
{
	const struct ddr *d = ddr_of(h);

	return addr >= d->start && addr - d->start < d->size && len <= d->size - (addr - d->start);
}

u8 *ddr_ptr(struct hca *h, u64 addr, size_t len)
{
	return ddr_contains(h, addr, len) ? ddr_of(h)->mem + (addr - ddr_of(h)->start) : NULL;
}

/* Punching holes gives the memory back to the host; it reads as zero. */
void ddr_clear(struct hca *h)
{
	struct ddr *d = ddr_of(h);

	if (fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, d->size))
		memset(d->mem, 0, d->size);
}

void ddr_protect(struct hca *h, const char *name, u64 base, u64 size)
{
	struct ddr *d = ddr_of(h);

	if (d->n_protected == MAX_PROTECTED || !size)
		return;
	d->protected[d->n_protected].name = name;
	d->protected[d->n_protected].from = base - d->start;
	d->protected[d->n_protected].to = base - d->start + size;
	d->n_protected++;
}

void ddr_unprotect_all(struct hca *h)
{
	ddr_of(h)->n_protected = 0;
}

/* Recorded and then done: the contexts that count are kept elsewhere. */
static void check_protected(struct hca *h, u64 offset, u32 len)
{
	struct ddr *d = ddr_of(h);
	int i;

	for (i = 0; i < d->n_protected; i++)
		if (offset < d->protected[i].to && offset + len > d->protected[i].from)
			violation(h, RULE_DDR_TABLE_WRITE, "BAR4",
				  "%u bytes at 0x%llx are in the %s", len,
				  (unsigned long long)offset, d->protected[i].name);
}

int ddr_read(struct hca *h, u64 offset, void *buf, u32 len)
{
	struct ddr *d = ddr_of(h);

	if (offset >= d->size || len > d->size - offset)
		return -EINVAL;
	memcpy(buf, d->mem + offset, len);
	return 0;
}

/*
 * The keys and translations are judged before the bytes change: the rule is about what they were
 * when the hardware may have cached them (9.6).
 */
int ddr_write(struct hca *h, u64 offset, const void *buf, u32 len)
{
	struct ddr *d = ddr_of(h);

	if (offset >= d->size || len > d->size - offset)
		return -EINVAL;
	check_protected(h, offset, len);
	if (hca_running(h))
		tpt_store(h, d->start + offset, buf, len);
	memcpy(d->mem + offset, buf, len);
	return 0;
}

int ddr_new(struct hca *h)
{
	struct ddr *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->size = opt_u64(h, "ddr_size");
	/*
	 * each HCA of the process has its own range, so that an address in a report says whose it
	 * is
	 */
	d->start = opt_u64(h, "ddr_base") + (u64)hca_number(h) * d->size;
	if ((d->size & (d->size - 1)) || (d->start & (d->size - 1)) ||
	    opt_u64(h, "fw_area") >= d->size) {
		fprintf(stderr,
			"tavor-hca: ddr_size must be a power of two, ddr_base a multiple of it, "
			"and fw_area less\n");
		free(d);
		return -EINVAL;
	}
	d->fd = memfd_create("tavor-ddr", MFD_CLOEXEC);
	if (d->fd < 0 || ftruncate(d->fd, d->size)) {
		free(d);
		return -errno;
	}
	d->mem = mmap(NULL, d->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, d->fd, 0);
	if (d->mem == MAP_FAILED) {
		close(d->fd);
		free(d);
		return -ENOMEM;
	}
	hca_set_part(h, PART_DDR, d);
	return 0;
}

void ddr_delete(struct hca *h)
{
	struct ddr *d = ddr_of(h);

	munmap(d->mem, d->size);
	close(d->fd);
	free(d);
}
