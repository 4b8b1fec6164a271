// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The HCA-attached memory (tavor-hw 7). */
#define _GNU_SOURCE
#include "device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct ddr {
	u64 start, size;
	u8 *mem;
	int fd;
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

/*
 * The firmware's area is at the top of the DDR. Drivers expect it there, and place their tables
 * below it (tavor-hw 7).
 */
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

/* Does not compute the end, because the address comes from the guest and can be near 2^64. */
bool ddr_contains(const struct hca *h, u64 addr, size_t len)
{
	const struct ddr *d = ddr_of(h);

	return addr >= d->start && addr - d->start < d->size && len <= d->size - (addr - d->start);
}

u8 *ddr_ptr(struct hca *h, u64 addr, size_t len)
{
	return ddr_contains(h, addr, len) ? ddr_of(h)->mem + (addr - ddr_of(h)->start) : NULL;
}

/* A punched hole returns the memory to the host, and reads as zero. */
void ddr_clear(struct hca *h)
{
	struct ddr *d = ddr_of(h);

	if (fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, d->size))
		memset(d->mem, 0, d->size);
}

int ddr_new(struct hca *h)
{
	struct ddr *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->size = opt_u64(h, "ddr_size");
	/*
	 * each HCA of the process has its own range, so that an address in a report identifies the
	 * HCA
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
