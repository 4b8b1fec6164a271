// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Firmware commands of queue pairs: state transitions, QUERY_QPEE, CONF_SPECIAL_QP.
 *
 * A driver rebuilds the context from zero for each transition and fills in only what it means to
 * change, so every transition takes exactly the fields of tavor-hw 12.6 and looks at no other.
 */
#include "device/cmd.h"
#include "device/device.h"
#include "qp/context.h"
#include "qp/qp.h"

#include <limits.h>

#define MBOX_LEN 0x108
#define CTX 8 /* offset of the context in the mailbox */

#define STATE(s) (1u << (s))

/*
 * ARMED is a state the hardware reaches by itself; software asks for it with REARM (tavor-hw 12.6).
 */
static bool pm_bad(u8 state)
{
	return state != PM_MIGRATED && state != PM_REARM;
}

/* --- naming the QP ------------------------------------------------------------------------ */

/*
 * The QPN of a command. Reserved bits are an error of the driver, as is the EE bit: there is no RD.
 */
static u8 number_of(struct hca *h, const struct cmd *c, u32 also_allowed, u32 *qpn)
{
	*qpn = c->in_mod & QPN_MASK;
	if (c->in_mod & ~(QPN_MASK | also_allowed)) {
		violation(h, RULE_QP_CMD_MODIFIER, "HCR", "opcode 0x%x with input modifier 0x%08x",
			  c->opcode, c->in_mod);
		return CMD_BAD_PARAM;
	}
	return cmd_bad_index(h, c, "QP", *qpn & qp_index_mask(h), 1u << LOG_RESERVED_QPS,
			     qp_index_mask(h) + 1);
}

/* The number is of a QP that is gone: its index has been given to another since (tavor-hw 12.1). */
static u8 bad_number(struct hca *h, const struct cmd *c, const struct qp *there)
{
	violation(h, RULE_CMD_INDEX, c->name, "QP 0x%06x: its index is that of %s",
		  c->in_mod & QPN_MASK, there->name);
	return CMD_BAD_RESOURCE;
}

/* The QP at the number a command names, NULL in *qp if that one is in RESET. */
static u8 at_number(struct hca *h, const struct cmd *c, u32 also_allowed, u32 *qpn, struct qp **qp)
{
	u8 status = number_of(h, c, also_allowed, qpn);

	if (status)
		return status;
	*qp = qp_at_index(h, *qpn);
	return *qp && (*qp)->qpn != *qpn ? bad_number(h, c, *qp) : CMD_OK;
}

/* The QP of a command that needs one in a state of the mask @from; *status says why not. */
static struct qp *qp_named(struct hca *h, const struct cmd *c, u32 from, u32 also_allowed,
			   u8 *status)
{
	struct qp *qp;
	u32 qpn;

	*status = at_number(h, c, also_allowed, &qpn, &qp);
	if (*status)
		return NULL;
	if (!qp || !(from & STATE(qp->state)))
		*status = CMD_BAD_QPEE_STATE;
	return *status ? NULL : qp;
}

/*
 * Reserved in every QP mailbox (tavor-hw 12.2 to 12.5), for every transition. The state bits are an
 * output and mthca fills them with the target state.
 */
static void check_reserved(struct hca *h, const struct cmd *c, const char *object)
{
	static const struct {
		u16 at;
		u32 mask;
	} words[] = {
		{ 0x00, ~0u << 17 },	    { 0x04, ~0u },
		{ CTX + 0x00, 0x0ff8e6ff }, { CTX + 0x04, 0xfffffff0 },
		{ CTX + 0x08, 0x00ffffff }, { CTX + 0x0c, 0xff000000 },
		{ CTX + 0x10, 0xff000000 }, { CTX + 0x14, 0xff000000 },
		{ CTX + 0x20, 0xfcffff80 }, { CTX + 0x40, 0xfcffff80 },
		{ CTX + 0x60, 0xff000000 }, { CTX + 0x64, 0xff000000 },
		{ CTX + 0x74, ~0u },	    { CTX + 0x78, 0xff000000 },
		{ CTX + 0x7c, 0xff000000 }, { CTX + 0x94, 0xe0000000 },
		{ CTX + 0x9c, 0xff000000 }, { CTX + 0xac, 0xfe000000 },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		cmd_reserved_bits(h, c, object, words[i].at, words[i].mask);
	cmd_reserved(h, c, object, CTX + 0x18, CTX + 0x20);
	cmd_reserved(h, c, object, CTX + 0xb4, MBOX_LEN);
}

/* --- RST2INIT ----------------------------------------------------------------------------- */

static u8 bad_param(const struct qp *qp, const char *what, u32 value)
{
	violation(qp->h, RULE_QP_CTX_PARAM, qp->name, "%s 0x%x out of range", what, value);
	return CMD_BAD_PARAM;
}

/* The source GID matters only if a GRH is to be built: drivers leave its index stale otherwise. */
static u8 check_path(const struct qp *qp, const struct qp_path *p)
{
	if (p->port < 1 || p->port > opt_u64(qp->h, "ports"))
		return bad_param(qp, "port", p->port);
	if (p->pkey_index >= port_pkey_count(qp->h))
		return bad_param(qp, "P_Key index", p->pkey_index);
	if (p->grh && p->sgid_index >= port_gid_count(qp->h))
		return bad_param(qp, "source GID index", p->sgid_index);
	return CMD_OK;
}

/* What the context refers to must exist. */
static u8 check_references(struct qp *qp)
{
	if (!cq_valid(qp->h, qp->scqn) || !cq_valid(qp->h, qp->rcqn)) {
		violation(qp->h, RULE_QP_CTX_CQ, qp->name, "send CQ 0x%x, receive CQ 0x%x",
			  qp->scqn, qp->rcqn);
		return CMD_BAD_RES_STATE;
	}
	if (!qp->srq_en)
		return CMD_OK;
	qp->srq = srq_lookup(qp->h, qp->srqn);
	if (!qp->srq) {
		violation(qp->h, RULE_QP_CTX_SRQ, qp->name, "SRQ 0x%x is not hardware's", qp->srqn);
		return CMD_BAD_RES_STATE;
	}
	if (srq_pd(qp->srq) != qp->pd) {
		violation(qp->h, RULE_QP_CTX_SRQ, qp->name, "PD 0x%x, SRQ 0x%x has PD 0x%x", qp->pd,
			  qp->srqn, srq_pd(qp->srq));
		qp->srq = NULL;
		return CMD_BAD_PARAM;
	}
	return CMD_OK;
}

/* Special numbers are for MLX and on the port that the number says (tavor-hw 12.8). */
static u8 check_service(struct qp *qp)
{
	int port = qp->path.port;
	bool special = qp_special(qp->h, qp->qpn, &port) >= 0;

	switch (qp->service) {
	case SVC_RC:
	case SVC_UC:
	case SVC_UD:
		return special ? bad_param(qp, "service type of a special QP", qp->service) :
				 CMD_OK;
	case SVC_MLX:
		if (!special)
			return bad_param(qp, "service type of an ordinary QP", qp->service);
		return port == qp->path.port ?
			       CMD_OK :
			       bad_param(qp, "port of this special QP", qp->path.port);
	default:
		return bad_param(qp, "service type", qp->service);
	}
}

/*
 * Number and UAR page. Software that leaves the number out is not at fault: it is in the modifier,
 * too.
 */
static u8 check_identity(const struct qp *qp, const u8 *c)
{
	u32 qpn = get32(c + 0x10) & QPN_MASK;

	if (qpn && qpn != qp->qpn)
		return bad_param(qp, "QPN of the context", qpn);
	if (qp->uar >= BAR2_SIZE / HCA_PAGE)
		return bad_param(qp, "UAR page", qp->uar);
	if (pm_bad(qp->pm_state))
		return bad_param(qp, "path-migration state", qp->pm_state);
	return CMD_OK;
}

static u8 check_new(struct qp *qp, const u8 *c)
{
	u8 status = check_identity(qp, c);

	if (!status)
		status = check_path(qp, &qp->path);
	if (!status)
		status = check_service(qp);
	if (!status)
		status = check_references(qp);
	if (!status && !qp_setup(qp))
		status = CMD_BAD_PARAM;
	return status;
}

/* A context exists from here until ERR2RST; what is refused leaves none behind. */
static u8 rst2init(struct hca *h, struct cmd *c)
{
	struct qp *qp;
	u32 qpn;
	u8 status = number_of(h, c, 0, &qpn);

	if (status)
		return status;
	qp = qp_at_index(h, qpn);
	if (qp && qp->qpn != qpn) {
		violation(h, RULE_QP_BUSY, qp->name,
			  "RST2INIT_QPEE of 0x%06x, which has the same index", qpn);
		return CMD_BAD_RESOURCE;
	}
	if (qp)
		return CMD_BAD_QPEE_STATE;
	qp = qp_create(h, qpn);
	check_reserved(h, c, qp->name);
	qp_take_new(qp, c->in + CTX);
	status = check_new(qp, c->in + CTX);
	if (status) {
		qp_destroy(qp);
		return status;
	}
	qp->state = QP_INIT;
	return CMD_OK;
}

/* --- the transitions with a mailbox ------------------------------------------------------- */

/* Does [addr, addr + len) touch a table whose length is known? That of the MTTs is not. */
static bool hits_table(const struct hca *h, u64 addr, u64 len)
{
	const struct hca_profile *p = hca_profile(h);
	const struct {
		u64 base, len;
	} tables[] = {
		{ p->qpc_base, 256ull << p->log_qps },
		{ p->eqpc_base, 32ull << p->log_qps },
		{ p->srqc_base, 32ull << p->log_srqs },
		{ p->cqc_base, 64ull << p->log_cqs },
		{ p->eqc_base, 64ull << p->log_eqs },
		{ p->mpt_base, 64ull << p->log_mpts },
		{ p->mc_base, 1ull << (p->log_mc_entry + p->log_mcgs) },
	};
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (addr < tables[i].base + tables[i].len && tables[i].base < addr + len)
			return true;
	return false;
}

/* The context has the low half of the address, INIT_HCA the high one (tavor-hw 6.6). */
static u8 check_rdb(struct qp *qp)
{
	u64 base = hca_profile(qp->h)->rdb_base, addr = (base & ~0xffffffffull) | qp->rdb;
	u32 len = 32u << qp->log_rra;

	if (qp->service != SVC_RC)
		return CMD_OK;
	if (qp->log_rra > opt_u64(qp->h, "log_max_rdma_in"))
		return bad_param(qp, "log2 of responder resources", qp->log_rra);
	if ((qp->rdb & 31) || !ddr_contains(qp->h, addr, len) || hits_table(qp->h, addr, len)) {
		violation(qp->h, RULE_QP_CTX_RDB, qp->name, "0x%llx, %u bytes",
			  (unsigned long long)addr, len);
		return CMD_BAD_PARAM;
	}
	return CMD_OK;
}

/* A datagram is one packet, so its message size is that of the MTU (tavor-hw 12.3). */
static u8 check_rtr(struct qp *qp)
{
	bool datagram = qp->service == SVC_UD || qp->service == SVC_MLX;

	if (qp->mtu < 1 || qp->mtu > 4)
		return bad_param(qp, "MTU code", qp->mtu);
	if (datagram ? qp->log_msg != qp->mtu + 7 : qp->log_msg > 31)
		return bad_param(qp, "log2 of the message size", qp->log_msg);
	/* credits of a queue that others take from as well would promise too much */
	if (qp->service == SVC_RC && qp->srq && !qp->ric)
		return bad_param(qp, "with an SRQ, RIC", qp->ric);
	return check_rdb(qp);
}

/*
 * The primary path is whole only now; the alternate one has come with this command or not at all.
 */
static u8 check_paths(const struct qp *qp, u32 opt)
{
	u8 status = check_path(qp, &qp->path);

	return status || !(opt & OPT_ALT_PATH) ? status : check_path(qp, &qp->alt);
}

static u8 enter_rtr(struct qp *qp, u32 opt, const u8 *c)
{
	u32 w = get32(c + 8);

	qp->mtu = bits(w, 31, 29);
	qp->log_msg = bits(w, 28, 24);
	qp->rqpn = get32(c + 0x14) & QPN_MASK;
	qp_take_primary(&qp->path, c + 0x20);
	qp->log_rra = bits(get32(c + 0x90), 23, 21);
	qp->ric = bits(get32(c + 0x90), 4, 4);
	qp->rq_psn = get32(c + 0x94) & PSN_MASK;
	qp->rdb = get32(c + 0x98);
	qp_take_options(
		qp, opt & (OPT_MIN_RNR | OPT_PKEY | OPT_QKEY | OPT_ACCESS | OPT_ALT | OPT_SCHED),
		c);
	qp->comm_est = true;
	return check_paths(qp, opt) ? CMD_BAD_PARAM : check_rtr(qp);
}

static u8 check_sra(const struct qp *qp)
{
	if (qp->service == SVC_RC && qp->log_sra > opt_u64(qp->h, "log_max_rdma_out"))
		return bad_param(qp, "log2 of outstanding reads", qp->log_sra);
	return CMD_OK;
}

/*
 * The send side begins with the PSN given here; the first packet of the other side is no event any
 * more, since both now know each other (tavor-hw 12.7).
 */
static u8 enter_rts(struct qp *qp, u32 opt, const u8 *c)
{
	u32 w = get32(c + 0x70);

	qp->sq_psn = get32(c + 0x78) & PSN_MASK;
	qp_take_timeout(&qp->path, c + 0x20);
	qp_take_rnr(&qp->path, c + 0x20);
	qp_take_sra(qp, c);
	qp->retry = bits(w, 18, 16);
	qp->ack_freq = bits(w, 31, 28);
	qp->flight = bits(w, 27, 24);
	qp->sic = bits(w, 4, 4);
	qp->swe = bits(w, 14, 14);
	qp_take_options(qp, opt & OPT_RUNNING, c);
	qp->comm_est = false;
	requester_reset(qp);
	return check_paths(qp, opt) ? CMD_BAD_PARAM : check_sra(qp);
}

/*
 * Which options count depends on the service (tavor-hw 12.6); the others may be set and are
 * ignored.
 */
static u8 reinit(struct qp *qp, u32 opt, const u8 *c)
{
	u32 allowed = OPT_PORT | OPT_PKEY;

	if (qp->service == SVC_RC)
		allowed |= OPT_ACCESS;
	else if (qp->service == SVC_UC)
		allowed |= OPT_RWE;
	else
		allowed |= OPT_QKEY;
	qp_take_options(qp, opt & allowed, c);
	return check_path(qp, &qp->path);
}

static u8 keep_running(struct qp *qp, u32 opt, const u8 *c)
{
	qp_take_options(qp, opt & OPT_RUNNING, c);
	return opt & OPT_ALT_PATH ? check_path(qp, &qp->alt) : CMD_OK;
}

static u8 leave_sqe(struct qp *qp, u32 opt, const u8 *c)
{
	int all = INT_MAX;

	/* what was posted before the error must not run after it */
	qp_flush(qp, &all);
	qp_take_options(qp, opt & (qp->service == SVC_UC ? OPT_RWE : OPT_QKEY), c);
	return CMD_OK;
}

/* Only while nothing is in flight may the path change under a connection. */
static u8 change_drained(struct qp *qp, u32 opt, const u8 *c)
{
	qp_take_options(qp,
			opt & (OPT_RUNNING | OPT_PKEY | OPT_PRIMARY | OPT_PORT | OPT_RETRY |
			       OPT_RNR | OPT_TIMEOUT | OPT_SRA | OPT_RRA),
			c);
	qp->retry_left = qp->retry;
	qp->rnr_left = qp->path.rnr_retry;
	if (check_paths(qp, opt) || check_rdb(qp))
		return CMD_BAD_PARAM;
	return check_sra(qp);
}

/*
 * Runs one transition on a copy of the fields, so that a refused command leaves the context as it
 * was.
 */
static u8 transition(struct hca *h, struct cmd *c, u32 from, u8 to,
		     u8 (*apply)(struct qp *, u32, const u8 *))
{
	u8 status, pm = bits(get32(c->in + CTX), 12, 11);
	struct qp *qp = qp_named(h, c, from, 0, &status);
	struct qp before;

	if (!qp)
		return status;
	check_reserved(h, c, qp->name);
	if ((get32(c->in) & OPT_PM) && pm_bad(pm))
		return bad_param(qp, "path-migration state", pm);
	before = *qp;
	status = apply(qp, get32(c->in), c->in + CTX);
	if (status) {
		*qp = before;
		return status;
	}
	/* a flush on the way may have met a full CQ, and that is the end of the queue */
	if (!(from & STATE(qp->state)))
		return CMD_BAD_QPEE_STATE;
	qp->state = to;
	qp_kick(qp);
	return CMD_OK;
}

static u8 init2init(struct hca *h, struct cmd *c)
{
	return transition(h, c, STATE(QP_INIT), QP_INIT, reinit);
}

static u8 init2rtr(struct hca *h, struct cmd *c)
{
	return transition(h, c, STATE(QP_INIT), QP_RTR, enter_rtr);
}

static u8 rtr2rts(struct hca *h, struct cmd *c)
{
	return transition(h, c, STATE(QP_RTR), QP_RTS, enter_rts);
}

static u8 rts2rts(struct hca *h, struct cmd *c)
{
	return transition(h, c, STATE(QP_RTS), QP_RTS, keep_running);
}

static u8 sqerr2rts(struct hca *h, struct cmd *c)
{
	return transition(h, c, STATE(QP_SQE), QP_RTS, leave_sqe);
}

static u8 sqd2rts(struct hca *h, struct cmd *c)
{
	return transition(h, c, STATE(QP_SQD) | STATE(QP_DRAINING), QP_RTS, keep_running);
}

static u8 sqd2sqd(struct hca *h, struct cmd *c)
{
	return transition(h, c, STATE(QP_SQD), QP_SQD, change_drained);
}

/* --- the transitions without -------------------------------------------------------------- */

/* No mailbox: illumos passes none, and mthca one that holds nothing (tavor-hw 5). */
static u8 to_err(struct hca *h, struct cmd *c)
{
	struct qp *qp;
	u32 qpn;
	u8 status = at_number(h, c, 0, &qpn, &qp);

	if (status)
		return status;
	if (qp) {
		qp_to_error(qp);
		return CMD_OK;
	}
	/* out of RESET: a QP without a context, good for ERR2RST only */
	qp = qp_create(h, qpn);
	qp->stub = true;
	qp->state = QP_ERR;
	return CMD_OK;
}

static u8 rts2sqd(struct hca *h, struct cmd *c)
{
	u8 status;
	struct qp *qp = qp_named(h, c, STATE(QP_RTS), 1u << 31, &status);

	if (!qp)
		return status;
	qp->state = QP_DRAINING;
	qp->sqd_event = c->in_mod & 1u << 31;
	requester_drain(qp);
	return CMD_OK;
}

#define RST_NO_OUTBOX 1
#define RST_ANY_STATE 2

/*
 * Bit 1 of the modifier is how both drivers leave: straight to RESET, and what was posted is
 * forgotten without a CQE (tavor-hw 11.4). Without it the queue must be in ERR, flushed or not.
 */
static u8 err2rst(struct hca *h, struct cmd *c)
{
	struct qp *qp;
	u32 qpn;
	u8 status = at_number(h, c, 0, &qpn, &qp);

	if (status)
		return status;
	c->no_out = c->op_mod & RST_NO_OUTBOX;
	if (!(c->op_mod & RST_ANY_STATE) && (!qp || qp->state != QP_ERR))
		return CMD_BAD_QPEE_STATE;
	if (!qp)
		return CMD_OK;
	qp_context_encode(qp, c->out + CTX);
	qp_destroy(qp);
	return CMD_OK;
}

/* A QP in RESET has nothing to show but its state, 0. */
static u8 query(struct hca *h, struct cmd *c)
{
	struct qp *qp;
	u32 qpn;
	u8 status = at_number(h, c, 0, &qpn, &qp);

	if (status)
		return status;
	if (qp)
		qp_context_encode(qp, c->out + CTX);
	return CMD_OK;
}

/* Reconfiguring would take the number away under a queue that works on it. */
static bool special_busy(struct hca *h, u32 base)
{
	return base && (qp_at_index(h, base) || qp_at_index(h, base + 1));
}

static u8 conf_special(struct hca *h, struct cmd *c)
{
	struct qp_part *part = qp_part(h);
	u32 base = c->in_mod;

	if (base & ~QPN_MASK || base & 1) {
		violation(h, RULE_QP_CMD_MODIFIER, c->name, "base QPN 0x%08x", base);
		return CMD_BAD_PARAM;
	}
	if (base && number_of(h, c, 0, &base))
		return CMD_BAD_RESOURCE;
	if (special_busy(h, part->special[c->op_mod]) || special_busy(h, base)) {
		violation(h, RULE_QP_BUSY, "CONF_SPECIAL_QP",
			  "QP%u at 0x%06x, now 0x%06x: one of them is in use", c->op_mod,
			  part->special[c->op_mod], base);
		return CMD_RESOURCE_BUSY;
	}
	part->special[c->op_mod] = base;
	return CMD_OK;
}

#define QP_CMD(op, name, in, out, fn) \
	{ op, name, in, out, CMD_NEEDS_INIT_HCA, 'C', fn, NULL, 1, ~0u }

const struct cmd_desc qp_cmds[] = {
	QP_CMD(0x19, "RST2INIT_QPEE", MBOX_LEN, 0, rst2init),
	QP_CMD(0x1a, "INIT2RTR_QPEE", MBOX_LEN, 0, init2rtr),
	QP_CMD(0x1b, "RTR2RTS_QPEE", MBOX_LEN, 0, rtr2rts),
	QP_CMD(0x1c, "RTS2RTS_QPEE", MBOX_LEN, 0, rts2rts),
	QP_CMD(0x1d, "SQERR2RTS_QPEE", MBOX_LEN, 0, sqerr2rts),
	QP_CMD(0x1e, "2ERR_QPEE", 0, 0, to_err),
	QP_CMD(0x1f, "RTS2SQD_QPEE", 0, 0, rts2sqd),
	QP_CMD(0x20, "SQD2RTS_QPEE", MBOX_LEN, 0, sqd2rts),
	{ 0x21, "ERR2RST_QPEE", 0, MBOX_LEN, CMD_NEEDS_INIT_HCA, 'C', err2rst, NULL, 0xf, ~0u },
	{ 0x22, "QUERY_QPEE", 0, MBOX_LEN, CMD_NEEDS_INIT_HCA, 'A', query, NULL, 1, ~0u },
	/*
	 * no modifiers 2 and 3: raw IPv6 and Ethertype are not among the capabilities
	 * (tavor-hw 6.5)
	 */
	{ 0x23, "CONF_SPECIAL_QP", 0, 0, CMD_NEEDS_INIT_HCA, 'B', conf_special, NULL, 0x3, ~0u },
	QP_CMD(0x2d, "INIT2INIT_QPEE", MBOX_LEN, 0, init2init),
	QP_CMD(0x38, "SQD2SQD_QPEE", MBOX_LEN, 0, sqd2sqd),
	{ 0 },
};
