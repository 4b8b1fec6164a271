// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Sends of QP0 and QP1: the packet's headers are built here and go into the WQE as an inline
 * segment.
 */
#include <linux/bitfield.h>
#include <rdma/ib_cache.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_pack.h>

#include "ah.h"
#include "mlx.h"
#include "tavor.h"

#define TAVOR_MLX_HEADER_MAX	72	/* LRH 8, GRH 40, BTH 12, DETH 8, immediate 4 */
#define TAVOR_LID_PERMISSIVE	0xffff

static bool tavor_is_qp0(const struct tavor_hw_qp *qp)
{
	return qp->type == IB_QPT_SMI;
}

static void tavor_mlx_grh(const struct tavor_ah *ah, struct ib_unpacked_grh *grh)
{
	u32 word = be32_to_cpu(ah->av.sl_tclass_flow);

	grh->traffic_class = FIELD_GET(TAVOR_PATH_TCLASS, word);
	grh->flow_label = cpu_to_be32(FIELD_GET(TAVOR_PATH_FLOW_LABEL, word));
	grh->hop_limit = ah->av.hop_limit;
	grh->source_gid = ah->ib.sgid_attr->gid;
	memcpy(&grh->destination_gid, ah->av.dgid, sizeof(grh->destination_gid));
}

static void tavor_mlx_lrh(const struct tavor_hw_qp *qp, const struct tavor_ah *ah,
			  struct ib_unpacked_lrh *lrh)
{
	lrh->service_level = FIELD_GET(TAVOR_PATH_SL, be32_to_cpu(ah->av.sl_tclass_flow));
	lrh->destination_lid = ah->av.dlid;
	/* Without SLR the hardware adds the port's base LID to the path bits. */
	lrh->source_lid = cpu_to_be16(ah->av.grh_path_bits & TAVOR_PATH_BITS);
	if (lrh->destination_lid == cpu_to_be16(TAVOR_LID_PERMISSIVE))
		lrh->source_lid = cpu_to_be16(TAVOR_LID_PERMISSIVE);
	lrh->virtual_lane = tavor_is_qp0(qp) ? 15 : 0;
}

static int tavor_mlx_bth(struct tavor_hw_qp *qp, const struct ib_ud_wr *wr,
			 struct ib_ud_header *header)
{
	u16 index = tavor_is_qp0(qp) ? qp->attrs.pkey_index : wr->pkey_index;
	u16 pkey;
	int err;

	err = ib_get_cached_pkey(&qp->dev->ib_dev, qp->attrs.port, index, &pkey);
	if (err)
		return err;
	if (header->immediate_present)
		header->immediate_data = wr->wr.ex.imm_data;
	header->bth.solicited_event = !!(wr->wr.send_flags & IB_SEND_SOLICITED);
	header->bth.pkey = cpu_to_be16(pkey);
	header->bth.destination_qpn = cpu_to_be32(wr->remote_qpn & TAVOR_QPN_MASK);
	header->bth.psn = cpu_to_be32(qp->mlx_psn & TAVOR_QPC_PSN);
	header->deth.qkey = cpu_to_be32(wr->remote_qkey & BIT(31) ? qp->attrs.qkey :
					wr->remote_qkey);
	header->deth.source_qpn = cpu_to_be32(tavor_is_qp0(qp) ? 0 : 1);
	return 0;
}

static void tavor_mlx_control(const struct ib_unpacked_lrh *lrh, struct tavor_mlx_seg *mlx)
{
	u32 flags = be32_to_cpu(mlx->flags) & TAVOR_CTRL_COMPLETION;

	flags |= FIELD_PREP(TAVOR_MLX_SL, lrh->service_level);
	if (lrh->virtual_lane == 15)
		flags |= TAVOR_MLX_VL15;
	if (lrh->destination_lid == cpu_to_be16(TAVOR_LID_PERMISSIVE))
		flags |= TAVOR_MLX_SLR;
	mlx->flags = cpu_to_be32(flags);
	mlx->dlid = lrh->destination_lid;
	mlx->vcrc = 0;
}

/**
 * tavor_mlx_headers() - builds the first segment and packet headers of a send on QP0 or QP1
 * @qp: a special QP, its send queue locked
 * @wr: a send with or without immediate
 * @wqe: the WQE; its flags are set as for an ordinary send
 *
 * The address handle is not needed any more once this has returned.
 *
 * Context: Any.
 * Return: where the data is written, or NULL: an index outside the P_Key table.
 */
void *tavor_mlx_headers(struct tavor_hw_qp *qp, const struct ib_ud_wr *wr, void *wqe)
{
	struct tavor_inline_seg *seg = wqe + sizeof(struct tavor_mlx_seg);
	const struct tavor_ah *ah = to_tah(wr->ah);
	bool grh = ah->av.grh_path_bits & TAVOR_AV_GRH;
	struct ib_ud_header header;
	int bytes;

	lockdep_assert_held(&qp->sq.lock);
	/* Packets of the special QPs always carry a MAD. */
	ib_ud_header_init(sizeof(struct ib_mad), 1, 0, 0, grh, 0, 0,
			  wr->wr.opcode == IB_WR_SEND_WITH_IMM, &header);
	tavor_mlx_lrh(qp, ah, &header.lrh);
	if (grh)
		tavor_mlx_grh(ah, &header.grh);
	if (tavor_mlx_bth(qp, wr, &header))
		return NULL;

	tavor_mlx_control(&header.lrh, wqe);
	bytes = ib_ud_header_pack(&header, seg->data);
	if (WARN_ON_ONCE(bytes > TAVOR_MLX_HEADER_MAX))
		return NULL;
	qp->mlx_psn++;
	seg->byte_count = cpu_to_be32(TAVOR_INLINE | bytes);
	return (void *)seg + ALIGN(sizeof(*seg) + bytes, TAVOR_WQE_UNIT);
}

/**
 * tavor_mlx_icrc() - builds the segment for the invariant CRC
 * @pos: after the last data segment
 *
 * Context: Any.
 * Return: the end of the WQE.
 */
void *tavor_mlx_icrc(void *pos)
{
	struct tavor_inline_seg *seg = pos;

	memset(seg, 0, TAVOR_WQE_UNIT);
	seg->byte_count = cpu_to_be32(TAVOR_INLINE | sizeof(__be32));
	return pos + TAVOR_WQE_UNIT;
}
