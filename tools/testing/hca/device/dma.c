// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Memory that the device can access: the guest memory that the client mapped with DMA_MAP, and the
 * HCA's own DDR.
 *
 * A client with an IOMMU maps and unmaps thousands of single pages, all from one memory file. The
 * file is therefore mapped once as a whole, and a DMA map is only a range of it. Lookups use a
 * small cache indexed by page, which each map or unmap invalidates.
 */
#include "device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE 256 /* a power of two */

struct dma_file {
	struct dma_file *next;
	dev_t dev;
	ino_t ino;
	u8 *base;
	size_t size;
	bool writable;
	unsigned int users;
};

struct dma_range {
	u64 addr, size;
	u8 *ptr; /* NULL: memory that cannot be accessed (ROMs and BARs of other devices) */
	bool readable, writable;
	struct dma_file *file;
};

struct dma_cache {
	u64 page;
	u32 index, generation;
};

struct dma {
	struct dma_range *ranges; /* sorted by address */
	size_t n, room;
	struct dma_file *files;
	u32 generation;
	struct dma_cache cache[CACHE];
};

static struct dma *dma_of(const struct hca *h)
{
	return hca_part(h, PART_DMA);
}

/* --- ranges ----------------------------------------------------------------------------------- */

/* Returns the index of the first range that ends after @addr. */
static size_t lower(const struct dma *d, u64 addr)
{
	size_t lo = 0, hi = d->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (d->ranges[mid].addr + (d->ranges[mid].size - 1) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * A hit in the cache is checked against the range, because one page can contain the ends of two
 * ranges.
 */
static struct dma_range *find(struct dma *d, u64 addr)
{
	struct dma_cache *c = &d->cache[addr / HCA_PAGE % CACHE];
	struct dma_range *r;
	size_t i;

	if (c->generation == d->generation && c->page == addr / HCA_PAGE) {
		r = &d->ranges[c->index];
		if (addr >= r->addr && addr - r->addr < r->size)
			return r;
	}
	i = lower(d, addr);
	if (i == d->n || addr < d->ranges[i].addr)
		return NULL;
	*c = (struct dma_cache){ addr / HCA_PAGE, i, d->generation };
	return &d->ranges[i];
}

/* --- files ------------------------------------------------------------------------------------ */

/* Compares inodes, because each map brings another descriptor for the same memory. */
static struct dma_file *file_find(struct dma *d, const struct stat *st, u64 end)
{
	struct dma_file *f;

	for (f = d->files; f; f = f->next)
		if (f->dev == st->st_dev && f->ino == st->st_ino && f->size >= end)
			return f;
	return NULL;
}

static struct dma_file *file_map(struct dma *d, int fd, const struct stat *st)
{
	struct dma_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->writable = true;
	f->base =
		mmap(NULL, st->st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (f->base == MAP_FAILED) {
		f->writable = false;
		f->base = mmap(NULL, st->st_size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	}
	if (f->base == MAP_FAILED) {
		free(f);
		return NULL;
	}
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->size = st->st_size;
	f->next = d->files;
	d->files = f;
	return f;
}

/* Only regular files, which include memory files, can be mapped as a whole and stay valid. */
static struct dma_file *file_get(struct dma *d, int fd, u64 offset, u64 size)
{
	struct dma_file *f;
	struct stat st;
	u64 end;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || __builtin_add_overflow(offset, size, &end) ||
	    end > (u64)st.st_size)
		return NULL;
	f = file_find(d, &st, end);
	if (!f)
		f = file_map(d, fd, &st);
	if (f)
		f->users++;
	return f;
}

static void file_put(struct dma *d, struct dma_file *f)
{
	struct dma_file **at;

	if (!f || --f->users)
		return;
	for (at = &d->files; *at != f; at = &(*at)->next)
		;
	*at = f->next;
	munmap(f->base, f->size);
	free(f);
}

/* --- map and unmap ---------------------------------------------------------------------------- */

/* The array grows: a client with an IOMMU has thousands of maps, one for each page. */
static int make_room(struct dma *d)
{
	size_t room = d->room ? d->room * 2 : 64;
	struct dma_range *bigger;

	if (d->n < d->room)
		return 0;
	bigger = realloc(d->ranges, room * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	d->ranges = bigger;
	d->room = room;
	return 0;
}

/* Refuses a range that overlaps another: the protocol requires EEXIST. */
static int insert(struct dma *d, const struct dma_range *r)
{
	size_t i = lower(d, r->addr);

	if (i < d->n && d->ranges[i].addr <= r->addr + (r->size - 1))
		return -EEXIST;
	if (make_room(d))
		return -ENOMEM;
	memmove(&d->ranges[i + 1], &d->ranges[i], (d->n - i) * sizeof(*r));
	d->ranges[i] = *r;
	d->n++;
	d->generation++;
	return 0;
}

int dma_map(struct hca *h, u64 addr, u64 size, u64 offset, int fd, bool readable, bool writable)
{
	struct dma_range r = {
		.addr = addr, .size = size, .readable = readable, .writable = writable
	};
	struct dma *d = dma_of(h);
	int ret;

	if (!size || addr + (size - 1) < addr) {
		ret = -EINVAL;
		goto close_fd;
	}
	if (fd >= 0) {
		r.file = file_get(d, fd, offset, size);
		if (!r.file) {
			ret = -EINVAL;
			goto close_fd;
		}
		r.ptr = r.file->base + offset;
		r.writable &= r.file->writable;
	}
	ret = insert(d, &r);
	if (ret)
		file_put(d, r.file);
close_fd:
	if (fd >= 0)
		close(fd);
	return ret;
}

/*
 * Removes each range inside [addr, addr + size). A range that crosses an end is an error of the
 * client.
 */
int dma_unmap(struct hca *h, u64 addr, u64 size)
{
	struct dma *d = dma_of(h);
	u64 last = addr + (size - 1);
	size_t from, to;

	if (!size || last < addr)
		return -EINVAL;
	from = lower(d, addr);
	for (to = from; to < d->n && d->ranges[to].addr <= last; to++)
		if (d->ranges[to].addr < addr ||
		    d->ranges[to].addr + (d->ranges[to].size - 1) > last)
			return -EINVAL;
	if (from == to)
		return -ENOENT;
	for (size_t i = from; i < to; i++)
		file_put(d, d->ranges[i].file);
	memmove(&d->ranges[from], &d->ranges[to], (d->n - to) * sizeof(d->ranges[0]));
	d->n -= to - from;
	d->generation++;
	return 0;
}

void dma_unmap_all(struct hca *h)
{
	struct dma *d = dma_of(h);

	while (d->n)
		file_put(d, d->ranges[--d->n].file);
	d->generation++;
}

size_t dma_maps(const struct hca *h)
{
	return dma_of(h)->n;
}

/* --- access ----------------------------------------------------------------------------------- */

/* The last piece is stored last with release order: a consumer that sees it also sees the rest. */
static void copy_out(u8 *to, const u8 *from, size_t len)
{
	u64 v8;
	u32 v4;

	if (len >= 8 && !(((uintptr_t)to + len) & 7)) {
		memcpy(to, from, len - 8);
		memcpy(&v8, from + len - 8, 8);
		__atomic_store_n((u64 *)(to + len - 8), v8, __ATOMIC_RELEASE);
	} else if (len >= 4 && !(((uintptr_t)to + len) & 3)) {
		memcpy(to, from, len - 4);
		memcpy(&v4, from + len - 4, 4);
		__atomic_store_n((u32 *)(to + len - 4), v4, __ATOMIC_RELEASE);
	} else if (len) {
		memcpy(to, from, len - 1);
		__atomic_store_n(to + len - 1, from[len - 1], __ATOMIC_RELEASE);
	}
}

static int refuse(struct hca *h, const char *who, u64 addr, size_t len, const char *what,
		  const char *why)
{
	violation(h, RULE_DMA_UNMAPPED, who, "%s of %zu bytes at 0x%llx: %s", what, len,
		  (unsigned long long)addr, why);
	return -EFAULT;
}

/*
 * Bit 2 of COMMAND allows the function to act as a bus master. PCI does not require that the
 * function is idle before the bit is cleared (PCI 2.3, 6.2.2): its further accesses do not happen.
 * A driver may therefore clear the bit at any time, and fences a failed device in this way. It is
 * only a mistake to give work to the device before bus mastering was enabled for the first time.
 */
static int not_master(struct hca *h, const char *who, u64 addr, size_t len)
{
	if (pci_fenced(h))
		count(h, "dma_fenced");
	if (hca_dead(h))
		return -EFAULT;
	violation(h, RULE_DMA_MASTER, who, "access of %zu bytes at 0x%llx with bus mastering off",
		  len, (unsigned long long)addr);
	return -EFAULT;
}

/* Copies range by range, because a DMA can span several maps. */
static int transfer(struct hca *h, const char *who, u64 addr, u8 *buf, size_t len, bool write)
{
	struct dma *d = dma_of(h);

	if (hca_dead(h) || !pci_bus_master(h))
		return not_master(h, who, addr, len);
	while (len) {
		struct dma_range *r = find(d, addr);
		size_t part;

		if (!r)
			return refuse(h, who, addr, len, write ? "write" : "read", "not mapped");
		if (!r->ptr || !(write ? r->writable : r->readable))
			return refuse(h, who, addr, len, write ? "write" : "read",
				      "mapped without that right");
		part = r->size - (addr - r->addr) < len ? r->size - (addr - r->addr) : len;
		if (write)
			copy_out(r->ptr + (addr - r->addr), buf, part);
		else
			memcpy(buf, r->ptr + (addr - r->addr), part);
		addr += part;
		buf += part;
		len -= part;
	}
	return 0;
}

/* An access to the DDR does not cross the bus: it needs neither a map nor bus mastering. */
int dma_read(struct hca *h, const char *who, u64 addr, void *buf, size_t len)
{
	u8 *p = ddr_ptr(h, addr, len);

	if (p) {
		memcpy(buf, p, len);
		return 0;
	}
	return transfer(h, who, addr, buf, len, false);
}

int dma_write(struct hca *h, const char *who, u64 addr, const void *buf, size_t len)
{
	u8 *p = ddr_ptr(h, addr, len);

	if (p) {
		copy_out(p, buf, len);
		return 0;
	}
	return transfer(h, who, addr, (u8 *)buf, len, true);
}

void *dma_peek(struct hca *h, u64 addr, size_t len)
{
	struct dma_range *r;
	u8 *p = ddr_ptr(h, addr, len);

	if (p)
		return p;
	if (hca_dead(h) || !pci_bus_master(h))
		return NULL;
	r = find(dma_of(h), addr);
	if (!r || !r->ptr || !r->readable || !r->writable || r->size - (addr - r->addr) < len)
		return NULL;
	return r->ptr + (addr - r->addr);
}

int dma_new(struct hca *h)
{
	struct dma *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->generation = 1; /* the entries of the zeroed cache have generation 0 */
	hca_set_part(h, PART_DMA, d);
	return 0;
}

void dma_delete(struct hca *h)
{
	struct dma *d = dma_of(h);

	dma_unmap_all(h);
	free(d->ranges);
	free(d);
}
