// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Sends of the special QPs (tavor-hw 13.10). Software has built the headers, in a data segment or
 * inline. Hardware adds the source LID, the VL and the ICRC.
 */
#include "qp/qp.h"

#define MLX_VL15 (1u << 17)
#define MLX_SLR (1u << 16)
#define MLX_ZERO 3u /* bits 1 and 0 of the flags */
#define HEADERS_MIN (LRH_LEN + BTH_LEN + DETH_LEN + ICRC_LEN)

int mlx_pkey_index(struct hca *h, int port, u16 pkey)
{
	unsigned int i, n = port_pkey_count(h);

	for (i = 0; i < n; i++)
		if (pkey_match(pkey, port_pkey(h, port, i)))
			return i;
	return -1;
}

/* Returns the error in the headers that software has built, or NULL. */
static const char *judge(const struct wqe *w, const u8 *lrh)
{
	u8 lnh = lrh[1] & 3;

	if (w->flags & MLX_ZERO)
		return "flag bits 1:0 set";
	if (lnh != LNH_LOCAL && lnh != LNH_GLOBAL)
		return "LRH names no transport";
	if ((get16(lrh + 4) & 0x7ffu) * 4 != w->total)
		return "LRH length disagrees with the segments";
	if (get16(lrh + 2) != w->imm >> 16)
		return "DLID of LRH and WQE differ";
	return NULL;
}

static void complete_lrh(struct qp *qp, const struct wqe *w, u8 *lrh)
{
	int port = qp->path.port;
	u8 vl = w->flags & MLX_VL15 ? VL_MANAGEMENT : port_sl2vl(qp->h, port, lrh[1] >> 4);
	u16 mask = (1u << port_lmc(qp->h, port)) - 1;

	lrh[0] = vl << 4 | (lrh[0] & 0x0f);
	if (!(w->flags & MLX_SLR))
		put16(lrh + 6, port_lid(qp->h, port) | (get16(lrh + 6) & mask));
}

/*
 * The headers of software are used as they are, except for the fields that only the port knows.
 * Fields that the WQE also contains are compared with it.
 */
u8 mlx_send(struct qp *qp, const struct wqe *w)
{
	struct sg_pos pos = { 0 };
	struct packet *p;
	const char *why;

	if (w->total < HEADERS_MIN || w->total > PACKET_ROOM || w->total % 4) {
		qp_blame(qp, RULE_WQE_MLX, "WQE 0x%x: packet of %llu bytes", w->addr,
			 (unsigned long long)w->total);
		return SYN_LOCAL_LENGTH;
	}
	p = packet_alloc();
	if (sg_gather(qp->h, qp->name, qp->pd, w, &pos, p->data, w->total)) {
		packet_put(p);
		return SYN_LOCAL_PROT;
	}
	why = judge(w, p->data);
	if (why) {
		packet_put(p);
		qp_blame(qp, RULE_WQE_MLX, "WQE 0x%x: %s", w->addr, why);
		return SYN_LOCAL_QP_OP;
	}
	complete_lrh(qp, w, p->data);
	packet_seal(p, p->data + w->total - ICRC_LEN);
	port_tx(qp->h, qp->path.port, p);
	return SYN_OK;
}
