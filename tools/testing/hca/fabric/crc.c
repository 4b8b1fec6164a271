// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * ICRC and VCRC (IBTA vol. 1, 7.8). The ICRC is the CRC-32 of Ethernet over the packet, with ones
 * in the fields that a switch or router may change. The VCRC is a CRC-16 with the polynomial x^16 +
 * x^12 + x^3 + x + 1.
 *
 * The model computes the ICRC twice for each packet. On a processor with carry-less multiplication,
 * long data is folded: four 128-bit lanes, each multiplied by x^512 mod P in a round. The table
 * then computes the CRC of the remaining 16 bytes, so no other reduction is needed.
 */
#include "fabric/packet.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define CRC32_POLY 0xedb88320u /* 0x04c11db7, reflected */
#define CRC16_POLY 0xd008u     /* 0x100b, reflected */
#define SLICES 8
#define FOLD_MIN 128u

static u32 crc32_table[SLICES][256];
static u16 crc16_table[2][256];
static bool have_clmul;

__attribute__((constructor)) static void crc_tables(void)
{
	unsigned int i, j;

	for (i = 0; i < 256; i++) {
		u32 c32 = i;
		u16 c16 = i;

		for (j = 0; j < 8; j++) {
			c32 = (c32 >> 1) ^ (c32 & 1 ? CRC32_POLY : 0);
			c16 = (c16 >> 1) ^ (c16 & 1 ? CRC16_POLY : 0);
		}
		crc32_table[0][i] = c32;
		crc16_table[0][i] = c16;
	}
	for (i = 0; i < 256; i++) {
		for (j = 1; j < SLICES; j++) {
			u32 c = crc32_table[j - 1][i];

			crc32_table[j][i] = (c >> 8) ^ crc32_table[0][c & 0xff];
		}
		crc16_table[1][i] =
			(crc16_table[0][i] >> 8) ^ crc16_table[0][crc16_table[0][i] & 0xff];
	}
#if defined(__x86_64__)
	have_clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif
}

static u64 load_le64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

u32 crc32_update_table(u32 crc, const u8 *p, size_t len)
{
	for (; len >= 8; len -= 8, p += 8) {
		u64 v = load_le64(p) ^ crc;
		unsigned int i;

		crc = 0;
		for (i = 0; i < 8; i++, v >>= 8)
			crc ^= crc32_table[7 - i][v & 0xff];
	}
	for (; len; len--)
		crc = (crc >> 8) ^ crc32_table[0][(crc ^ *p++) & 0xff];
	return crc;
}

#if defined(__x86_64__)
/*
 * Multipliers of the low and the high half of a lane: x^(n+32) and x^(n-32) mod P for a distance of
 * n bits, bit-reflected and shifted up by one.
 */
#define X544 0x154442bd4ull
#define X480 0x1c6e41596ull
#define X160 0x1751997d0ull
#define X96 0x0ccaa009eull

#define FOLD_TARGET __attribute__((target("pclmul,sse4.1")))

FOLD_TARGET static inline __m128i fold(__m128i lane, __m128i by, __m128i data)
{
	__m128i lo = _mm_clmulepi64_si128(lane, by, 0x00);
	__m128i hi = _mm_clmulepi64_si128(lane, by, 0x11);

	return _mm_xor_si128(_mm_xor_si128(lo, hi), data);
}

FOLD_TARGET static u32 crc32_fold(u32 crc, const u8 *p, size_t len)
{
	const __m128i *v = (const __m128i *)p;
	__m128i far = _mm_set_epi64x(X480, X544);
	__m128i near = _mm_set_epi64x(X96, X160);
	__m128i a = _mm_xor_si128(_mm_loadu_si128(v), _mm_cvtsi32_si128((int)crc));
	__m128i b = _mm_loadu_si128(v + 1);
	__m128i c = _mm_loadu_si128(v + 2);
	__m128i d = _mm_loadu_si128(v + 3);
	u8 left[16];

	for (v += 4, len -= 64; len >= 64; v += 4, len -= 64) {
		a = fold(a, far, _mm_loadu_si128(v));
		b = fold(b, far, _mm_loadu_si128(v + 1));
		c = fold(c, far, _mm_loadu_si128(v + 2));
		d = fold(d, far, _mm_loadu_si128(v + 3));
	}
	a = fold(a, near, b);
	a = fold(a, near, c);
	a = fold(a, near, d);
	for (; len >= 16; v++, len -= 16)
		a = fold(a, near, _mm_loadu_si128(v));
	_mm_storeu_si128((__m128i *)left, a);
	return crc32_update_table(crc32_update_table(0, left, sizeof(left)), (const u8 *)v, len);
}
#endif

u32 crc32_update(u32 crc, const u8 *p, size_t len)
{
#if defined(__x86_64__)
	if (have_clmul && len >= FOLD_MIN)
		return crc32_fold(crc, p, len);
#endif
	return crc32_update_table(crc, p, len);
}

/*
 * Copies the headers for the ICRC (IBTA 7.8), with ones in the VL, or in the whole LRH if a GRH
 * follows; in TClass, flow label and hop limit of the GRH; and in byte 4 of the BTH. Returns the
 * number of bytes in @to.
 */
static u32 icrc_mask(u8 *to, const u8 *lrh, u32 len)
{
	u32 n = (lrh[1] & 3) == LNH_GLOBAL ? LRH_LEN + GRH_LEN : LRH_LEN;
	u32 take = len < n + BTH_LEN ? len : n + BTH_LEN;

	memcpy(to, lrh, take);
	if (n > LRH_LEN) {
		memset(to, 0xff, LRH_LEN);
		to[LRH_LEN] |= 0x0f;
		memset(to + LRH_LEN + 1, 0xff, 3);
		to[LRH_LEN + 7] = 0xff;
	} else {
		to[0] |= 0xf0;
	}
	to[n + 4] = 0xff;
	return take;
}

u32 icrc_compute(const u8 *lrh, u32 len_without_icrc)
{
	u8 masked[LRH_LEN + GRH_LEN + BTH_LEN];
	u32 n = icrc_mask(masked, lrh, len_without_icrc);
	u32 crc = crc32_update_table(~0u, masked, n);

	return be32toh(htole32(~crc32_update(crc, lrh + n, len_without_icrc - n)));
}

u16 vcrc_compute(const u8 *lrh, u32 len_with_icrc)
{
	u16 crc = 0xffff;

	for (; len_with_icrc >= 2; len_with_icrc -= 2, lrh += 2)
		crc = crc16_table[1][(crc ^ lrh[0]) & 0xff] ^ crc16_table[0][(crc >> 8) ^ lrh[1]];
	if (len_with_icrc)
		crc = (crc >> 8) ^ crc16_table[0][(crc ^ *lrh) & 0xff];
	return be16toh(htole16((u16)~crc));
}
