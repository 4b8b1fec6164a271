// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* MAD_IFC (tavor-hw 17.1), by which the driver calls the management agents of a port. */
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"

#define OPMOD_IGNORE_MKEY 1u
#define OPMOD_EXTENDED 4u
#define OPMOD_DEFINED 7u

/* Offsets of the extended part of the input mailbox */
enum { EXT_QPN = 0x100, EXT_RQPN = 0x108, EXT_SL = 0x10c, EXT_LID = 0x10e, EXT_END = 0x168 };

u16 mad_ifc_in_size(const struct cmd *c)
{
	return c->op_mod & OPMOD_EXTENDED ? EXT_END : MAD_SIZE;
}

/* Without the extended part the sender is unknown, so a trap cannot name it. */
static void read_source(const struct cmd *c, struct mad_source *src)
{
	memset(src, 0, sizeof(*src));
	src->ignore_mkey = c->op_mod & OPMOD_IGNORE_MKEY;
	src->slid = c->in_mod >> 16;
	if (!(c->op_mod & OPMOD_EXTENDED))
		return;
	src->known = true;
	src->qpn = get32(c->in + EXT_QPN) & 0xffffff;
	src->rqpn = get32(c->in + EXT_RQPN) & 0xffffff;
	src->sl = c->in[EXT_SL] >> 4;
	src->slid = get16(c->in + EXT_LID);
}

u8 mad_ifc(struct hca *h, struct cmd *c)
{
	struct ibport *p = hca_port(h, c->in_mod & 0xffff);
	struct mad_source src;

	if (c->op_mod & ~OPMOD_DEFINED) {
		violation(h, RULE_MAD_IFC_MODIFIER, "MAD_IFC", "opcode modifier %u", c->op_mod);
		return CMD_BAD_OP;
	}
	if (!p) {
		violation(h, RULE_MAD_IFC_PORT, "MAD_IFC", "there is no port %u",
			  c->in_mod & 0xffff);
		return CMD_BAD_PARAM;
	}
	read_source(c, &src);
	switch (mad_process(p, &src, c->in, c->out)) {
	case MAD_REPLY:
		count(h, "mad-reply");
		return CMD_OK;
	case MAD_NO_REPLY:
		c->no_out = true;
		return CMD_OK;
	default:
		count(h, "mad-dropped");
		return CMD_BAD_PKT;
	}
}
