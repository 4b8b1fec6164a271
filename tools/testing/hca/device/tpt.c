// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Memory keys: protection and translation (tavor-hw 9).
 *
 * MPT and MTT entries are in the DDR in their documented format, and are read at each use. A store
 * through BAR4 therefore takes effect at once: software writes MTT entries (tavor-hw 9.3) and fast
 * memory regions (tavor-hw 9.6) in this way. A card caches entries. The model only remembers which
 * entries a card could have cached, and records a violation when software stores to such an entry.
 */
#include "device/tpt.h"
#include "device/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- protection ------------------------------------------------------------------------------- */

static bool in_range(const u8 *e, u64 va, u64 len)
{
	u64 start = get64(e + MPT_START), size = get64(e + MPT_LEN);

	/* 2^64 - 1 means all addresses; start + length is never computed, because it could wrap */
	return va >= start && va - start <= size && len <= size - (va - start);
}

/* Local read is always allowed and needs no right (tavor-hw 9.1). */
static u32 rights_needed(unsigned int access)
{
	static const u32 bit[] = { MPT_LOCAL_WRITE, MPT_REMOTE_READ, MPT_REMOTE_WRITE, MPT_ATOMIC };
	u32 need = 0;
	int i;

	for (i = 0; i < 4; i++)
		if (access >> i & 1)
			need |= bit[i];
	return need;
}

u8 *tpt_window_region(struct tpt *t, const u8 *window)
{
	u32 lkey = get32(window + MPT_LKEY);
	u8 *e = tpt_entry(t, lkey);

	return mpt_owned(e) && get32(e + MPT_KEY_AT) == lkey && (get32(e) & MPT_REGION) ? e : NULL;
}

/*
 * Returns the MPT entry that translates the access, or NULL if it is not allowed. For a window this
 * is the entry of its region. The window itself defines rights and range (tavor-hw 9.5).
 */
static const u8 *lookup(struct tpt *t, u32 key, u32 pd, u64 va, u64 len, unsigned int access)
{
	u32 need = rights_needed(access);
	const u8 *e;
	u32 flags;

	if (!t->mpt)
		return NULL;
	e = tpt_entry(t, key);
	flags = get32(e);
	if (!mpt_owned(e) || get32(e + MPT_KEY_AT) != key ||
	    (get32(e + MPT_PD) & 0xffffff) != (pd & 0xffffff))
		return NULL;
	if ((flags & need) != need || !in_range(e, va, len))
		return NULL;
	t->mpt_cached[key & t->mask] = key;
	if (flags & MPT_REGION)
		return e;
	/* a window allows remote access only, and none before it is bound */
	if (!(access & (TPT_REMOTE_READ | TPT_REMOTE_WRITE | TPT_REMOTE_ATOMIC)) ||
	    !get64(e + MPT_LEN))
		return NULL;
	e = tpt_window_region(t, e);
	return e && in_range(e, va, len) ? e : NULL;
}

/*
 * The result is valid only now. The key can be invalidated before the bytes are copied, so the copy
 * checks it again.
 */
int tpt_check(struct hca *h, u32 key, u32 pd, u64 va, u64 len, unsigned int access)
{
	return lookup(tpt_of(h), key, pd, va, len, access) ? 0 : -EACCES;
}

/* --- translation ------------------------------------------------------------------------------ */

static int no_translation(struct hca *h, const char *who, const u8 *e, u64 va, u64 at)
{
	violation(h, RULE_MTT_PRESENT, who, "key 0x%08x va 0x%llx: entry at 0x%llx",
		  get32(e + MPT_KEY_AT), (unsigned long long)va, (unsigned long long)at);
	return -EFAULT;
}

/*
 * Returns the bus address of @va and the number of bytes from there to the end of the page. @va
 * must be in range.
 */
static int translate(struct hca *h, const char *who, const u8 *e, u64 va, u64 *bus, u64 *left)
{
	struct tpt *t = tpt_of(h);
	unsigned int shift;
	u64 at, page;

	if (get32(e) & MPT_PHYSICAL) {
		*bus = va;
		*left = UINT64_MAX;
		return 0;
	}
	shift = mpt_page_shift(e);
	at = (get64(e + MPT_MTT_AT) & ~0x3full) +
	     8 * ((va >> shift) - (get64(e + MPT_START) >> shift));
	if (at < t->mtt_base || at + 8 > t->mtt_end || !ddr_contains(h, at, 8)) {
		violation(h, RULE_MPT_MTT, who,
			  "key 0x%08x va 0x%llx: MTT at 0x%llx is outside the table",
			  get32(e + MPT_KEY_AT), (unsigned long long)va, (unsigned long long)at);
		return -EFAULT;
	}
	page = get64(ddr_ptr(h, at, 8));
	t->mtt_cached[(at - t->mtt_base) / 512] |= 1ull << ((at - t->mtt_base) / 8 % 64);
	if (!(page & 1))
		return no_translation(h, who, e, va, at);
	if (page & ((1ull << shift) - 2))
		violation(h, RULE_MTT_ENTRY, who,
			  "key 0x%08x: entry at 0x%llx is 0x%llx, page size 2^%u",
			  get32(e + MPT_KEY_AT), (unsigned long long)at, (unsigned long long)page,
			  shift);
	*bus = (page & ~((1ull << shift) - 1)) | (va & ((1ull << shift) - 1));
	*left = (1ull << shift) - (va & ((1ull << shift) - 1));
	return 0;
}

static int copy(struct hca *h, const char *who, const u8 *e, u64 va, u8 *buf, size_t len,
		bool write)
{
	u64 bus, left;
	int ret;

	while (len) {
		size_t part;

		ret = translate(h, who, e, va, &bus, &left);
		if (ret)
			return ret;
		part = left < len ? left : len;
		ret = write ? dma_write(h, who, bus, buf, part) : dma_read(h, who, bus, buf, part);
		if (ret)
			return ret;
		va += part;
		buf += part;
		len -= part;
	}
	return 0;
}

int tpt_read(struct hca *h, const char *who, u32 key, u32 pd, u64 va, void *buf, size_t len,
	     unsigned int access)
{
	const u8 *e = lookup(tpt_of(h), key, pd, va, len, access);

	return e ? copy(h, who, e, va, buf, len, false) : -EACCES;
}

int tpt_write(struct hca *h, const char *who, u32 key, u32 pd, u64 va, const void *buf, size_t len,
	      unsigned int access)
{
	const u8 *e = lookup(tpt_of(h), key, pd, va, len, access);

	return e ? copy(h, who, e, va, (u8 *)buf, len, true) : -EACCES;
}

/*
 * The HCA converts atomic operands to the byte order of the host, which INIT_HCA sets
 * (tavor-hw 13.9).
 */
static u64 host_order(const struct hca *h, u64 v)
{
	return hca_profile(h)->host_big_endian ? be64toh(v) : le64toh(v);
}

/*
 * Is used where one store is not possible: the memory lacks a right, which the copy finds, or the
 * address in the model's memory is not aligned.
 */
static int atomic_by_copy(struct hca *h, const char *who, u64 bus,
			  u64 (*op)(u64 old, const void *arg), const void *arg, u64 *old)
{
	u64 raw;
	int ret = dma_read(h, who, bus, &raw, sizeof(raw));

	if (ret)
		return ret;
	*old = host_order(h, raw);
	raw = host_order(h, op(*old, arg));
	return dma_write(h, who, bus, &raw, sizeof(raw));
}

int tpt_atomic(struct hca *h, const char *who, u32 key, u32 pd, u64 va,
	       u64 (*op)(u64 old, const void *arg), const void *arg, u64 *old)
{
	const u8 *e = lookup(tpt_of(h), key, pd, va, 8, TPT_REMOTE_ATOMIC);
	u64 bus, left, raw, fresh;
	u64 *p;
	int ret;

	if (!e || va & 7)
		return -EACCES;
	ret = translate(h, who, e, va, &bus, &left);
	if (ret)
		return ret;
	p = dma_peek(h, bus, 8);
	if (!p || (uintptr_t)p & 7)
		return atomic_by_copy(h, who, bus, op, arg, old);
	raw = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	do {
		*old = host_order(h, raw);
		fresh = host_order(h, op(*old, arg));
	} while (!__atomic_compare_exchange_n(p, &raw, fresh, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	return 0;
}

/* Returns a pointer to a queue entry: 32 bytes never cross a page. Returns NULL on any error. */
u8 *tpt_peek(struct hca *h, const char *who, u32 key, u32 pd, u64 va, size_t len,
	     unsigned int access)
{
	const u8 *e = lookup(tpt_of(h), key, pd, va, len, access);
	u64 bus, left;

	if (!e || translate(h, who, e, va, &bus, &left) || left < len)
		return NULL;
	return dma_peek(h, bus, len);
}

/* --- entries that a card could have cached (tavor-hw 9.6) ------------------------------------- */

/*
 * A card could have cached all entries used since the last SYNC_TPT, which clears the cache
 * (tavor-hw 9.6).
 */
void tpt_sync(struct tpt *t)
{
	memset(t->mpt_cached, 0, (t->mask + 1) * sizeof(t->mpt_cached[0]));
	memset(t->mtt_cached, 0, ((t->mtt_end - t->mtt_base) / 512 + 1) * sizeof(t->mtt_cached[0]));
}

void tpt_sync_all(struct hca *h)
{
	tpt_sync(tpt_of(h));
}

/*
 * HW2SW_MPT removes the entry and its translations from the cache. Drivers do not post SYNC_TPT
 * after it (tavor-hw 9.6).
 */
void tpt_invalidate(struct tpt *t, const u8 *e)
{
	u64 start = get64(e + MPT_START), len = get64(e + MPT_LEN);
	u64 at = get64(e + MPT_MTT_AT) & ~0x3full;
	unsigned int shift = mpt_page_shift(e);
	u64 end = (t->mtt_end - t->mtt_base) / 8;
	u64 first, last, i;

	t->mpt_cached[(e - t->mpt) / MPT_SIZE] = 0;
	if ((get32(e) & MPT_PHYSICAL) || !(get32(e) & MPT_REGION) || !len || at < t->mtt_base)
		return;
	first = (at - t->mtt_base) / 8;
	last = first + ((start + len - 1) >> shift) - (start >> shift);
	for (i = first; i <= last && i < end; i++)
		t->mtt_cached[i / 64] &= ~(1ull << (i % 64));
}

static void stale(struct hca *h, u64 addr, const char *what, u32 key)
{
	violation(h, RULE_TPT_STALE, "BAR4", "%s at 0x%llx changed, key 0x%08x", what,
		  (unsigned long long)addr, key);
}

/*
 * Software may take the ownership of an entry at any time, by a store to its first byte. It must
 * not return the entry to hardware under a key that is still cached.
 */
static void mpt_store(struct hca *h, struct tpt *t, u64 addr, const u8 *buf, u32 len)
{
	u32 index = (addr - hca_profile(h)->mpt_base) / MPT_SIZE;
	u32 at = (addr - hca_profile(h)->mpt_base) % MPT_SIZE;
	const u8 *e = tpt_entry(t, index);
	u32 key = get32(e + MPT_KEY_AT);

	if (mpt_owned(e)) {
		if (at || len > 1)
			violation(h, RULE_MPT_STORE, "BAR4",
				  "%u bytes at offset 0x%x of MPT 0x%x, key 0x%08x", len, at, index,
				  key);
	} else if (!at && buf[0] >> 4 != 0xf && key && t->mpt_cached[index] == key) {
		stale(h, addr, "MPT entry", key);
	}
}

/* A store of the same value changes nothing, whether the entry is cached or not. */
static void mtt_store(struct hca *h, struct tpt *t, u64 addr, const u8 *buf, u32 len)
{
	u64 i = (addr - t->mtt_base) / 8;
	u64 bit = 1ull << (i % 64);

	if (!(t->mtt_cached[i / 64] & bit) || !memcmp(ddr_ptr(h, addr, len), buf, len))
		return;
	t->mtt_cached[i / 64] &= ~bit; /* reported once */
	stale(h, addr, "MTT entry", 0);
}

void tpt_store(struct hca *h, u64 addr, const void *buf, u32 len)
{
	struct tpt *t = tpt_of(h);
	u64 mpt = hca_profile(h)->mpt_base;

	if (!t->mpt || len > 8)
		return;
	if (addr >= mpt && addr - mpt < (u64)MPT_SIZE * (t->mask + 1))
		mpt_store(h, t, addr, buf, len);
	else if (addr >= t->mtt_base && addr < t->mtt_end)
		mtt_store(h, t, addr, buf, len);
}

/* --- windows (tavor-hw 9.5) ------------------------------------------------------------------- */

void tpt_unbind(struct tpt *t, u8 *window)
{
	u8 *region = get64(window + MPT_LEN) ? tpt_window_region(t, window) : NULL;

	if (region && get32(region + MPT_BOUND))
		put32(region + MPT_BOUND, get32(region + MPT_BOUND) - 1);
	put64(window + MPT_START, 0);
	put64(window + MPT_LEN, 0);
	put32(window + MPT_LKEY, 0);
}

static bool may_bind(struct tpt *t, const u8 *region, u32 lkey, u32 pd, u32 flags, u64 addr,
		     u64 len)
{
	u32 rights = get32(region);
	u32 limit = get32(region + MPT_LIMIT);

	if (!mpt_owned(region) || get32(region + MPT_KEY_AT) != lkey || !(rights & MPT_REGION) ||
	    !(rights & MPT_BIND) || (get32(region + MPT_PD) & 0xffffff) != (pd & 0xffffff))
		return false;
	if ((flags & (1u << 31 | 1u << 30)) && !(rights & MPT_LOCAL_WRITE))
		return false;
	return in_range(region, addr, len) && (!limit || get32(region + MPT_BOUND) < limit);
}

u8 tpt_bind(struct hca *h, u32 pd, u32 flags, u32 new_rkey, u32 lkey, u64 addr, u64 len)
{
	struct tpt *t = tpt_of(h);
	u8 *window, *region;

	if (!t->mpt)
		return 0x06;
	window = tpt_entry(t, new_rkey);
	region = tpt_entry(t, lkey);
	if (!mpt_owned(window) || (get32(window) & MPT_REGION) ||
	    (get32(window + MPT_PD) & 0xffffff) != (pd & 0xffffff))
		return 0x06;
	if (len && !may_bind(t, region, lkey, pd, flags, addr, len))
		return 0x06;
	tpt_unbind(t, window);
	put32(window, (get32(window) & ~(MPT_ATOMIC | MPT_REMOTE_WRITE | MPT_REMOTE_READ)) |
			      (flags >> 31 & 1 ? MPT_ATOMIC : 0) |
			      (flags >> 30 & 1 ? MPT_REMOTE_WRITE : 0) |
			      (flags >> 29 & 1 ? MPT_REMOTE_READ : 0));
	put32(window + MPT_KEY_AT, new_rkey);
	if (!len)
		return 0;
	put64(window + MPT_START, addr);
	put64(window + MPT_LEN, len);
	put32(window + MPT_LKEY, lkey);
	put32(region + MPT_BOUND, get32(region + MPT_BOUND) + 1);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

/*
 * No field gives the length of the MTT table. It ends where the next table or the firmware's area
 * begins.
 */
static u64 mtt_end(const struct hca *h, const struct hca_profile *p)
{
	const u64 bases[] = { p->qpc_base, p->srqc_base, p->cqc_base, p->eqpc_base,
			      p->eqc_base, p->mc_base,	 p->mpt_base, p->uarscr_base };
	u64 end = ddr_fw_start(h);
	size_t i;

	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		if (bases[i] > p->mtt_base && bases[i] < end)
			end = bases[i];
	return end;
}

int tpt_init(struct hca *h)
{
	const struct hca_profile *p = hca_profile(h);
	struct tpt *t = tpt_of(h);
	u32 i;

	t->mpt = ddr_ptr(h, p->mpt_base, (u64)MPT_SIZE << p->log_mpts);
	if (!t->mpt)
		return -EINVAL;
	t->mask = (1u << p->log_mpts) - 1;
	t->mtt_base = p->mtt_base;
	t->mtt_end = mtt_end(h, p);
	free(t->mtt_cached);
	free(t->mpt_cached);
	t->mtt_cached = calloc((t->mtt_end - t->mtt_base) / 512 + 1, sizeof(t->mtt_cached[0]));
	t->mpt_cached = calloc(t->mask + 1, sizeof(t->mpt_cached[0]));
	if (!t->mtt_cached || !t->mpt_cached) {
		t->mpt = NULL;
		return -ENOMEM;
	}
	for (i = 0; i <= t->mask; i++)
		put32(tpt_entry(t, i), MPT_SW_STATUS);
	return 0;
}

void tpt_reset(struct hca *h)
{
	struct tpt *t = tpt_of(h);

	if (!t)
		return;
	free(t->mtt_cached);
	free(t->mpt_cached);
	memset(t, 0, sizeof(*t));
}

int tpt_new(struct hca *h)
{
	struct tpt *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	hca_set_part(h, PART_TPT, t);
	return 0;
}

void tpt_delete(struct hca *h)
{
	tpt_reset(h);
	free(tpt_of(h));
}
