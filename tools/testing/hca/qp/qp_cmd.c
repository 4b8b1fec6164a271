// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Firmware commands of queue pairs: state transitions, QUERY_QPEE, CONF_SPECIAL_QP.
 *
 * For each transition a driver clears the context and fills in only the fields that it changes. So
 * a transition reads only its own fields of tavor-hw 12.6.
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
 * Hardware moves the state to ARMED by itself. Software requests this with REARM (tavor-hw 12.6).
 */
static bool pm_bad(u8 state)
{
	return state != PM_MIGRATED && state != PM_REARM;
}

/* --- naming the QP ------------------------------------------------------------------------ */

/*
 * Returns the QPN of a command. Reserved bits are an error of the driver, and so is the EE bit,
 * because there is no RD.
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

/* The QP with this number is gone, and another QP has its index (tavor-hw 12.1). */
static u8 bad_number(struct hca *h, const struct cmd *c, const struct qp *there)
{
	violation(h, RULE_CMD_INDEX, c->name, "QP 0x%06x: its index is that of %s",
		  c->in_mod & QPN_MASK, there->name);
	return CMD_BAD_RESOURCE;
}

/* Finds the QP that a command names. *qp is NULL if this QP is in RESET. */
static u8 at_number(struct hca *h, const struct cmd *c, u32 also_allowed, u32 *qpn, struct qp **qp)
{
	u8 status = number_of(h, c, also_allowed, qpn);

	if (status)
		return status;
	*qp = qp_at_index(h, *qpn);
	return *qp && (*qp)->qpn != *qpn ? bad_number(h, c, *qp) : CMD_OK;
}

/*
 * Returns the QP of a command if its state is in the mask @from, or NULL and an error in *status.
 */
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
 * Checks the reserved bits of a QP mailbox, which are the same for all transitions (tavor-hw 12.2
 * to 12.5). The state is not checked: it is an output, and mthca writes the target state to it.
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

/*
 * The source GID index is only checked with a GRH, because without one drivers leave an old value.
 */
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

/* The CQs and the SRQ of the context must exist. */
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

/* A special QP has the service MLX and the port of its number (tavor-hw 12.8). */
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

/* Checks QPN and UAR page. Software may leave the QPN out, because it is also in the modifier. */
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

/* The context exists from here until ERR2RST. A refused command leaves no context. */
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

/* Returns whether [addr, addr + len) overlaps a table. The length of the MTT table is unknown. */
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

/* The context contains the low half of the address, INIT_HCA the high half (tavor-hw 6.6). */
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

/* A datagram is one packet, so its maximum message size is the MTU (tavor-hw 12.3). */
static u8 check_rtr(struct qp *qp)
{
	bool datagram = qp->service == SVC_UD || qp->service == SVC_MLX;

	if (qp->mtu < 1 || qp->mtu > 4)
		return bad_param(qp, "MTU code", qp->mtu);
	if (datagram ? qp->log_msg != qp->mtu + 7 : qp->log_msg > 31)
		return bad_param(qp, "log2 of the message size", qp->log_msg);
	/* other QPs also take WQEs of an SRQ, so credits would promise too much */
	if (qp->service == SVC_RC && qp->srq && !qp->ric)
		return bad_param(qp, "with an SRQ, RIC", qp->ric);
	return check_rdb(qp);
}

/* The primary path is complete only now. The alternate path is complete if this command sets it. */
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
 * The send side starts with the given PSN. The first packet of the remote side is no longer an
 * event, because the connection is set up (tavor-hw 12.7).
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

/* The service defines which options are used (tavor-hw 12.6). The others are ignored. */
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

	/* WQEs that were posted before the error must not run after it */
	qp_flush(qp, &all);
	qp_take_options(qp, opt & (qp->service == SVC_UC ? OPT_RWE : OPT_QKEY), c);
	return CMD_OK;
}

/* The path of a connection may change only while no message is in flight. */
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

/* Applies a transition to the QP, and restores the QP if the command is refused. */
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
	/* a flush in apply() may have met a full CQ, which moves the QP to error */
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

/* --- the transitions without a mailbox ---------------------------------------------------- */

/* The mailbox is not read: illumos passes none, and mthca passes an empty one (tavor-hw 5). */
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
	/* the QP was in RESET: it gets no context, and only ERR2RST is then possible */
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
 * Both drivers set bit 1 of the modifier: the QP moves from any state to RESET, and posted WQEs get
 * no CQE (tavor-hw 11.4). Without this bit the QP must be in ERR, flushed or not.
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

/* For a QP in RESET all fields are 0, including the state. */
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

/* A special QP that is in use must not lose its number. */
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
