// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * BAR0, the registers of tavor-hw 2. All are big-endian. The HCR supports 32-bit accesses only;
 * 64-bit registers support 32 and 64 bits.
 */
#include "core/bytes.h"
#include "device/device.h"

#include <errno.h>
#include <stdlib.h>

#define HCR 0x80680
#define HCR_END (HCR + 0x1c)
#define ECR 0x80700
#define ECR_CLEAR 0x80708
#define RESET 0xf0010
#define CLR_INT 0xf00d8
#define CATAS_END (CATAS_OFFSET + 4 * CATAS_DWORDS)

struct regs {
	u64 ecr;
	u8 msix[MSIX_VECTORS * 16];
	u32 catas[CATAS_DWORDS];
	u64 silent_until; /* the function does not answer until this time, after a reset */
};

/* The functions of the command interface, which is in a higher file. */
static struct hcr_access hcr;

void regs_set_hcr(const struct hcr_access *access)
{
	hcr = *access;
}

static struct regs *regs_of(const struct hca *h)
{
	return hca_part(h, PART_REGS);
}

static bool within(u64 offset, u32 len, u32 from, u32 to)
{
	return offset >= from && offset + len <= to;
}

static int wrong_width(struct hca *h, const char *reg, u64 offset, u32 len, const char *what)
{
	violation(h, RULE_REG_WIDTH, reg, "%u-byte %s at 0x%llx", len, what,
		  (unsigned long long)offset);
	return 0;
}

/* --- after a reset ---------------------------------------------------------------------------- */

/* No timer is needed: each access compares the time. */
static bool silent(struct hca *h)
{
	struct regs *r = regs_of(h);

	if (!r->silent_until)
		return false;
	if (now_ns() < r->silent_until)
		return true;
	r->silent_until = 0;
	return false;
}

bool regs_silent(struct hca *h)
{
	return silent(h);
}

/* The function answers no access until reset_time has passed (tavor-hw 3). */
static void reset_register(struct hca *h, u32 value)
{
	if (value != 1) {
		violation(h, RULE_RESET_VALUE, "reset", "0x%08x written, only 1 is defined", value);
		return;
	}
	hca_log(h, "reset by register");
	hca_reset(h);
	regs_of(h)->silent_until = now_ns() + opt_u64(h, "reset_time");
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Reads one dword of a register. Returns false if there is no register at this address. */
static bool read_dword(struct hca *h, u32 at, u32 *value)
{
	struct regs *r = regs_of(h);

	*value = 0;
	if (within(at, 4, HCR, HCR_END))
		*value = hcr.read(h, (at - HCR) / 4);
	else if (at == ECR)
		*value = r->ecr >> 32;
	else if (at == ECR + 4)
		*value = r->ecr;
	else if (within(at, 4, CATAS_OFFSET, CATAS_END))
		*value = r->catas[(at - CATAS_OFFSET) / 4];
	else if (at != RESET && !within(at, 4, ECR_CLEAR, ECR_CLEAR + 8) &&
		 !within(at, 4, CLR_INT, CLR_INT + 8))
		return false;
	return true;
}

/* A bus access has a size that is a power of two, and is aligned to it. */
static bool bad_access(u64 offset, u32 len)
{
	return offset >= BAR0_SIZE || len > BAR0_SIZE - offset || len > 8 || (len & (len - 1)) ||
	       offset & (len - 1);
}

/*
 * The CR-space has many undocumented registers. Probing tools read them, which is harmless. So only
 * an access to a documented register is checked for its width.
 */
int regs_read(struct hca *h, u64 offset, void *buf, u32 len)
{
	struct regs *r = regs_of(h);
	u8 *to = buf;
	u32 value, i;

	if (bad_access(offset, len))
		return -EINVAL;
	memset(buf, 0, len);
	if (within(offset, len, MSIX_TABLE, MSIX_TABLE + sizeof(r->msix))) {
		memcpy(buf, r->msix + (offset - MSIX_TABLE), len);
		return 0;
	}
	/* QEMU emulates the pending bits together with the table, so they stay clear here */
	if (within(offset, len, MSIX_PBA, MSIX_PBA + 8))
		return 0;
	if (offset >= HCR && offset < HCR_END && len != 4)
		return wrong_width(h, "HCR", offset, len, "read");
	if (len < 4) {
		if (read_dword(h, offset & ~3, &value))
			wrong_width(h, "BAR0", offset, len, "read");
		return 0;
	}
	for (i = 0; i < len; i += 4) {
		read_dword(h, offset + i, &value);
		put32(to + i, value);
	}
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_dword(struct hca *h, u32 at, u32 value)
{
	struct regs *r = regs_of(h);

	if (within(at, 4, HCR, HCR_END))
		hcr.write(h, (at - HCR) / 4, value);
	else if (at == ECR_CLEAR)
		r->ecr &= ~((u64)value << 32);
	else if (at == ECR_CLEAR + 4)
		r->ecr &= ~(u64)value;
	else if (at == CLR_INT)
		pci_clear_int(h, (u64)value << 32);
	else if (at == CLR_INT + 4)
		pci_clear_int(h, value);
	else if (at == RESET)
		reset_register(h, value);
	else if (at == ECR || at == ECR + 4 || within(at, 4, CATAS_OFFSET, CATAS_END))
		violation(h, RULE_REG_READONLY, "BAR0", "0x%08x written at 0x%x", value, at);
	else
		violation(h, RULE_REG_UNDEFINED, "BAR0", "0x%08x written at 0x%x", value, at);
}

int regs_write(struct hca *h, u64 offset, const void *buf, u32 len)
{
	struct regs *r = regs_of(h);
	u32 i;

	if (bad_access(offset, len))
		return -EINVAL;
	if (within(offset, len, MSIX_TABLE, MSIX_TABLE + sizeof(r->msix))) {
		memcpy(r->msix + (offset - MSIX_TABLE), buf, len);
		return 0;
	}
	if (offset < HCR_END && offset + len > HCR && len != 4)
		return wrong_width(h, "HCR", offset, len, "write");
	if (len < 4 || (len == 8 && offset == RESET))
		return wrong_width(h, "BAR0", offset, len, "write");
	for (i = 0; i < len; i += 4)
		write_dword(h, offset + i, get32((const u8 *)buf + i));
	return 0;
}

/* --- for the other parts ---------------------------------------------------------------------- */

/*
 * Sets the ECR bit also with MSI-X, although drivers do not read it then: the register is
 * independent of the kind of interrupt (tavor-hw 10.6).
 */
void regs_ecr_set(struct hca *h, u32 eqn)
{
	regs_of(h)->ecr |= 1ull << (eqn & 63);
}

void regs_catas(struct hca *h, const u32 *dwords)
{
	struct regs *r = regs_of(h);

	if (dwords)
		memcpy(r->catas, dwords, sizeof(r->catas));
	else
		memset(r->catas, 0, sizeof(r->catas));
}

void regs_reset(struct hca *h)
{
	struct regs *r = regs_of(h);

	memset(r, 0, sizeof(*r));
}

int regs_new(struct hca *h)
{
	struct regs *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	hca_set_part(h, PART_REGS, r);
	return 0;
}

void regs_delete(struct hca *h)
{
	free(regs_of(h));
}
