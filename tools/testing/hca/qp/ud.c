// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Unreliable datagrams: sends of UD and special QPs, address vectors, and the receive side of both
 * (IBTA vol. 1, 9.8.3). A datagram completes when it has been sent.
 */
#include "qp/qp.h"

#define AV_LEN 32u

static u8 send(struct qp *qp, const struct wqe *w)
{
	if (w->opcode == WQE_NOP)
		return SYN_OK;
	return qp->service == SVC_MLX ? mlx_send(qp, w) : ud_send(qp, w);
}

bool ud_run(struct qp *qp, int *budget)
{
	struct wqe *w = qp->ud;

	for (; *budget > 0; (*budget)--) {
		u8 err;

		if (!qp_sends(qp) || !sq_peek(qp))
			return false;
		err = sq_fetch(qp, w);
		if (!err)
			err = send(qp, w);
		if (err) {
			qp_flush_chain(qp, qp->cur.chain, w->addr, w->size, err);
			qp_send_error(qp);
			return false;
		}
		if ((w->flags & WQE_FLAG_CQE) || qp->ssc)
			qp_cqe_send(qp, w->addr, w->size, w->opcode, w->total);
	}
	return true;
}

/* --- sending ------------------------------------------------------------------------------ */

struct av {
	struct qp_path path;
	u32 message_max;
};

/* Reads an address vector. Returns 0 or a syndrome. */
static u8 av_read(struct qp *qp, const struct wqe *w, struct av *av)
{
	u32 gids = port_gid_count(qp->h), gid;
	u8 raw[AV_LEN];

	if (w->av_va & (AV_LEN - 1)) {
		qp_blame(qp, RULE_WQE_AV, "WQE 0x%x: address vector at 0x%llx is not aligned",
			 w->addr, (unsigned long long)w->av_va);
		return SYN_LOCAL_QP_OP;
	}
	if (tpt_read(qp->h, qp->name, w->av_key, qp->pd, w->av_va, raw, sizeof(raw),
		     TPT_LOCAL_READ)) {
		qp_blame(qp, RULE_WQE_AV,
			 "WQE 0x%x: address vector at 0x%llx not readable with L_Key 0x%x", w->addr,
			 (unsigned long long)w->av_va, w->av_key);
		return SYN_LOCAL_PROT;
	}
	av->path = (struct qp_path){
		.port = bits(get32(raw), 25, 24),
		.grh = raw[5] & 0x80,
		.path_bits = raw[5] & 0x7f,
		.dlid = get16(raw + 6),
		.hop_limit = raw[0x0b],
		.sl = bits(get32(raw + 0x0c), 31, 28),
		.tclass = bits(get32(raw + 0x0c), 27, 20),
		.flow_label = bits(get32(raw + 0x0c), 19, 0),
	};
	memcpy(av->path.dgid, raw + 0x10, 16);
	av->message_max = 256u << bits(raw[0x0a], 5, 4);
	/* the index counts the GIDs of all ports (tavor-hw 16.1) */
	gid = raw[9] & 0x3f;
	av->path.sgid_index = gid % gids;
	if (av->path.port != qp->path.port &&
	    (hca_profile(qp->h)->udav_port_check || av->path.port < 1 ||
	     av->path.port > opt_u64(qp->h, "ports"))) {
		qp_blame(qp, RULE_WQE_AV, "WQE 0x%x: address vector for port %u, QP on port %u",
			 w->addr, av->path.port, qp->path.port);
		return SYN_LOCAL_QP_OP;
	}
	if (av->path.grh && gid / gids != av->path.port - 1u) {
		qp_blame(qp, RULE_WQE_AV, "WQE 0x%x: source GID index %u is not one of port %u",
			 w->addr, gid, av->path.port);
		return SYN_LOCAL_QP_OP;
	}
	return SYN_OK;
}

static u8 *put_deth(u8 *at, u32 qkey, u32 qpn)
{
	put32(at, qkey);
	put32(at + 4, qpn);
	return at + DETH_LEN;
}

/*
 * A Q_Key with the top bit set means the QP's own Q_Key, so that a privileged Q_Key need not be in
 * a WQE.
 */
static u8 *put_datagram_headers(struct qp *qp, const struct wqe *w, const struct av *av, u8 *at,
				u8 pad)
{
	bool imm = w->opcode == WQE_SEND_IMM;
	struct bth b = {
		.opcode = CLASS_UD | (imm ? OP_SEND_ONLY_IMM : OP_SEND_ONLY),
		.se = w->flags & WQE_FLAG_SOLICITED,
		.mig = qp->pm_state == PM_MIGRATED,
		.pad = pad,
		.pkey = port_pkey(qp->h, qp->path.port, qp->path.pkey_index),
		.dqpn = w->dqpn,
		.psn = qp->sq_psn,
	};

	at = put_bth(qp_put_path(qp, at, &av->path), &b);
	at = put_deth(at, w->qkey & 1u << 31 ? qp->qkey : w->qkey, qp->qpn);
	if (!imm)
		return at;
	put32(at, w->imm);
	return at + IMMDT_LEN;
}

/*
 * Sends a datagram. The address vector and the MTU of the link limit its length. The sender learns
 * nothing about the receiver.
 */
u8 ud_send(struct qp *qp, const struct wqe *w)
{
	u32 port_max = mtu_bytes(port_mtu(qp->h, qp->path.port));
	struct sg_pos pos = { 0 };
	u32 len = w->total;
	u8 pad = -len & 3;
	struct packet *p;
	struct av av;
	u8 *at, err = av_read(qp, w, &av);

	if (err)
		return err;
	if (w->total > av.message_max || w->total > port_max)
		return SYN_LOCAL_LENGTH;
	p = packet_alloc();
	at = put_datagram_headers(qp, w, &av, p->data, pad);
	if (sg_gather(qp->h, qp->name, qp->pd, w, &pos, at, len)) {
		packet_put(p);
		return SYN_LOCAL_PROT;
	}
	memset(at + len, 0, pad);
	packet_seal(p, at + len + pad);
	port_tx(qp->h, av.path.port, p);
	qp->sq_psn = psn_add(qp->sq_psn, 1);
	return SYN_OK;
}

/* --- receiving ---------------------------------------------------------------------------- */

static bool qkey_ok(struct qp *qp, int port, u32 dqpn, u32 qkey)
{
	/* QP0 has no Q_Key */
	if (dqpn == 0 || qkey == qp->qkey)
		return true;
	count(qp->h, "rx_qkey");
	port_count_qkey_violation(qp->h, port);
	return false;
}

/*
 * Scatters a datagram. The first 40 bytes are reserved for a GRH (tavor-hw 12.8). Returns 0 or a
 * syndrome.
 */
static u8 place(struct qp *qp, const struct headers *hd)
{
	u8 err;

	if (qp->rx.total < (u64)GRH_LEN + hd->paylen)
		return SYN_LOCAL_LENGTH;
	if (hd->grh) {
		err = qp_scatter(qp, hd->grh, GRH_LEN);
		if (err)
			return err;
	} else {
		sg_seek(&qp->rx, &qp->rx_pos, GRH_LEN);
		qp->rx_len = GRH_LEN;
	}
	return qp_scatter(qp, hd->payload, hd->paylen);
}

static struct cqe datagram_cqe(struct qp *qp, int port, const struct headers *hd)
{
	u8 op = hd->opcode & 0x1f;
	struct cqe cqe = {
		.rqpn = get32(hd->ext + 4) & QPN_MASK,
		.sl = hd->sl,
		.grh_path = hd->grh ? 0x80 : 0,
		.rlid = hd->slid,
		.byte_cnt = GRH_LEN + hd->paylen,
		.opcode = op,
	};

	if (op == OP_SEND_ONLY_IMM)
		cqe.imm = get32(hd->ext + DETH_LEN);
	if (hd->dlid < 0xc000)
		cqe.grh_path |= hd->dlid & ((1u << port_lmc(qp->h, port)) - 1);
	/* a CQE of QP1 has the P_Key index instead of immediate data (tavor-hw 11.2) */
	if (qp->service == SVC_MLX && hd->dqpn == 1) {
		cqe.opcode = OP_SEND_ONLY_IMM;
		cqe.imm = (u32)mlx_pkey_index(qp->h, port, hd->pkey) << 16;
	}
	return cqe;
}

/*
 * Without a receive WQE a datagram is dropped silently. A datagram that does not fit completes the
 * WQE with an error, and the QP moves to error (IBTA 9.8.3).
 */
void ud_rx(struct qp *qp, int port, const struct headers *hd)
{
	struct cqe cqe;
	u8 err;

	if (!qkey_ok(qp, port, hd->dqpn, get32(hd->ext)))
		return;
	switch (qp_take_recv(qp)) {
	case TAKE_OK:
		break;
	case TAKE_EMPTY:
		count(qp->h, "rx_no_wqe");
		return;
	default:
		qp_to_error(qp);
		return;
	}
	err = place(qp, hd);
	if (err) {
		qp->rx_active = false;
		qp_cqe_error(qp, false, qp->rx.addr, qp->rx.size, err);
		qp_to_error(qp);
		return;
	}
	cqe = datagram_cqe(qp, port, hd);
	qp_cqe_recv(qp, &cqe, hd->se);
}
