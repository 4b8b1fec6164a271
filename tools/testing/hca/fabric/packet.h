/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Headers of an InfiniBand packet: LRH, GRH, BTH and the extended transport headers (IBTA vol. 1,
 * 7.7, 8.3, 9.2, 9.3). A packet is parsed once into struct headers; the pointers in it point into
 * the packet.
 */
#ifndef HCA_PACKET_H
#define HCA_PACKET_H

#include "core/bytes.h"
#include "core/hca.h"

#define LRH_LEN 8u
#define GRH_LEN 40u
#define BTH_LEN 12u
#define DETH_LEN 8u
#define RETH_LEN 16u
#define ATOMICETH_LEN 28u
#define AETH_LEN 4u
#define ATOMICACKETH_LEN 8u
#define IMMDT_LEN 4u
#define ICRC_LEN 4u
#define PACKET_ROOM (4096u + 128u)

#define LNH_LOCAL 2u  /* LRH, then BTH */
#define LNH_GLOBAL 3u /* LRH, GRH, BTH */

#define PSN_MASK 0xffffffu
#define QPN_MASK 0xffffffu
#define QPN_MULTICAST 0xffffffu
#define VL_MANAGEMENT 15u

/* BTH opcodes: the class in [7:5], the operation in [4:0] */
enum bth_class { CLASS_RC = 0x00, CLASS_UC = 0x20, CLASS_RD = 0x40, CLASS_UD = 0x60 };
enum bth_op {
	OP_SEND_FIRST = 0x00,
	OP_SEND_MIDDLE = 0x01,
	OP_SEND_LAST = 0x02,
	OP_SEND_LAST_IMM = 0x03,
	OP_SEND_ONLY = 0x04,
	OP_SEND_ONLY_IMM = 0x05,
	OP_WRITE_FIRST = 0x06,
	OP_WRITE_MIDDLE = 0x07,
	OP_WRITE_LAST = 0x08,
	OP_WRITE_LAST_IMM = 0x09,
	OP_WRITE_ONLY = 0x0a,
	OP_WRITE_ONLY_IMM = 0x0b,
	OP_READ_REQUEST = 0x0c,
	OP_READ_FIRST = 0x0d,
	OP_READ_MIDDLE = 0x0e,
	OP_READ_LAST = 0x0f,
	OP_READ_ONLY = 0x10,
	OP_ACK = 0x11,
	OP_ATOMIC_ACK = 0x12,
	OP_CMP_SWAP = 0x13,
	OP_FETCH_ADD = 0x14,
};

/* AETH syndromes: [6:5] kind, [4:0] credits, RNR timer or NAK code (IBTA 9.3.5) */
#define AETH_ACK 0x00u
#define AETH_RNR 0x20u
#define AETH_NAK 0x60u
#define NAK_SEQUENCE (AETH_NAK | 0)
#define NAK_INVALID (AETH_NAK | 1)
#define NAK_ACCESS (AETH_NAK | 2)
#define NAK_OPERATION (AETH_NAK | 3)
#define CREDITS_INVALID 0x1fu

struct headers {
	u8 vl, sl;
	u16 dlid, slid;
	const u8 *grh; /* NULL without one */
	u8 opcode;     /* class included */
	bool se, mig, ackreq;
	u16 pkey;
	u32 dqpn, psn;
	const u8 *ext; /* first extended header, or the payload */
	const u8 *payload;
	u32 paylen;
};

/*
 * One packet as on the wire, LRH first. The QP side fills LRH .. payload and ICRC; port_tx() adds
 * the VCRC where it is needed (pcap, another process). Freed by packet_put().
 */
struct packet {
	struct packet *next; /* for the list of its owner */
	u32 len;	     /* bytes from LRH through ICRC, VCRC not counted */
	u8 hops;	     /* switches it has passed */
	u8 data[];	     /* 4096 bytes and the headers */
};

struct packet *packet_alloc(void); /* from a free list or malloc(); exits on failure */
void packet_put(struct packet *p);
struct packet *packet_copy(const struct packet *p);
u32 packets_live(void); /* number of allocated packets */
/* QPs do not send while this many packets exist, which bounds the model's memory. */
#define IN_FLIGHT_MAX 0x4000u
u32 icrc_compute(const u8 *lrh,
		 u32 len_without_icrc); /* host order; on the wire it is big-endian */
u16 vcrc_compute(const u8 *lrh, u32 len_with_icrc);

/* Returns NULL, or a literal that describes the error in the packet's structure. Checks no CRC. */
const char *packet_parse(const struct packet *p, struct headers *hd);
bool packet_icrc_ok(const struct packet *p);

/*
 * Returns the size of the extended headers after a BTH with this opcode, or -1 if the opcode is
 * undefined.
 */
int bth_ext_len(u8 opcode);

struct lrh {
	u8 vl, sl;
	u16 dlid, slid;
	bool grh;
};

struct grh {
	u8 tclass, hop_limit;
	u32 flow_label;
	const u8 *sgid, *dgid; /* 16 bytes each */
};

struct bth {
	u8 opcode;
	bool se, mig, ackreq;
	u8 pad;
	u16 pkey;
	u32 dqpn, psn;
};

/* Each writes its header at @at and returns the end of it. packet_seal() sets the lengths. */
u8 *put_lrh(u8 *at, const struct lrh *l);
u8 *put_grh(u8 *at, const struct grh *g);
u8 *put_bth(u8 *at, const struct bth *b);

/*
 * Sets the lengths in LRH and GRH, appends the ICRC and sets p->len. @end is the end of the padded
 * payload.
 */
void packet_seal(struct packet *p, u8 *end);

/* Continues a CRC-32 (IEEE 802.3, reflected). It starts with ~0 and is complemented at the end. */
u32 crc32_update(u32 crc, const u8 *p, size_t len);
/* The version with a table, for processors without carry-less multiply and for the tests. */
u32 crc32_update_table(u32 crc, const u8 *p, size_t len);

#endif
