/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* Big-endian fields at any alignment, and bit fields [hi:lo] of a 32-bit word. */
#ifndef HCA_BYTES_H
#define HCA_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t get64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline void put16(void *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put32(void *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put64(void *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

/* Returns the field [hi:lo] of a word, shifted down. */
static inline uint32_t bits(uint32_t word, unsigned int hi, unsigned int lo)
{
	return (word >> lo) & (uint32_t)(((uint64_t)1 << (hi - lo + 1)) - 1);
}

#endif
