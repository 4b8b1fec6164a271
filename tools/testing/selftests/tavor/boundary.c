// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 1200
// Level: ci
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Runs: guest --driver mthca --sm --hca waive=cmd-reserved --hca waive=mpt-field --hca waive=qp-ctx-param
//
// Tests all attributes of all verbs of a process at and beyond each limit of the hardware: the verb
// succeeds or returns an errno, and never does what the hardware forbids. The tables have the
// results of ib_mthca beside the expected ones. An argument selects one result by its number. By
// hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/boundary [NUMBER]

#include <errno.h>
#include <stddef.h>
#include "kselftest.h"
#include "model.h"
#include "process.h"
#include "raw.h"

#define BAD (-1)  /* the model records a violation, whatever the result is */
#define LIE (-2)  /* success, but not with the requested value */
#define SAME (-3) /* ib_mthca: the same result as from ib_tavor */
#define BUFFER (16 << 20)
#define NR(table) (sizeof(table) / sizeof((table)[0]))

static struct ibv_context *context;
static struct ibv_device_attr limits;
static struct ibv_port_attr port;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct raw_pd raw_pd;
static struct raw_cq raw_cq;
static struct raw_mr raw_mr;
static char *memory;
static int only, number, dmabuf;
static bool mthca;

/* Returns whether the next result is selected. */
static bool next(void)
{
	return ++number == only || !only;
}

static const char *outcome(int ret)
{
	if (ret == BAD)
		return "a violation";
	if (ret == LIE)
		return "success with another value";
	return ret ? strerrorname_np(ret) : "success";
}

static int wanted(int tavor, int other)
{
	return mthca && other != SAME ? other : tavor;
}

static bool as_wanted(const char *what, int ret, int want)
{
	if (ret != want)
		ksft_print_msg("%s: %s instead of %s\n", what, outcome(ret), outcome(want));
	return ret == want;
}

/* @ret is an errno. It becomes BAD if the model has recorded a violation since @before. */
static bool judged(const char *what, int ret, long before, int want)
{
	return as_wanted(what, model_violations() != before ? BAD : ret, want);
}

/* ---- Modify QP: the transitions ---- */

#define PLACE (IBV_QP_PKEY_INDEX | IBV_QP_PORT)
#define PATH (IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN)
#define RESPONDER (IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)
#define RETRIES (IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC)
#define ALTERNATE (IBV_QP_ALT_PATH | IBV_QP_PATH_MIG_STATE)
#define UC_LATER (IBV_QP_CUR_STATE | IBV_QP_ACCESS_FLAGS | ALTERNATE)
#define RC_LATER (UC_LATER | IBV_QP_MIN_RNR_TIMER)
#define UD_LATER (IBV_QP_CUR_STATE | IBV_QP_QKEY)
#define EVENT IBV_QP_EN_SQD_ASYNC_NOTIFY
#define DRAINED                                                          \
	(PLACE | IBV_QP_AV | IBV_QP_ACCESS_FLAGS | ALTERNATE | RETRIES | \
	 IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)

/*
 * The attributes that the specification requires for each transition, and those that it allows. For
 * a UC QP in SQD it allows a path, too. But uverbs adds the port to a path, and ib_core's table
 * does not allow a port there.
 */
#define STEPS                                                                                  \
	STEP(RC_INIT, RC, RESET, INIT, PLACE | IBV_QP_ACCESS_FLAGS, 0)                         \
	STEP(RC_INIT_INIT, RC, INIT, INIT, 0, PLACE | IBV_QP_ACCESS_FLAGS)                     \
	STEP(RC_RTR, RC, INIT, RTR, PATH | RESPONDER,                                          \
	     IBV_QP_ALT_PATH | IBV_QP_ACCESS_FLAGS | IBV_QP_PKEY_INDEX)                        \
	STEP(RC_RTS, RC, RTR, RTS, RETRIES | IBV_QP_SQ_PSN, RC_LATER)                          \
	STEP(RC_RTS_RTS, RC, RTS, RTS, 0, RC_LATER)                                            \
	STEP(RC_SQD, RC, RTS, SQD, 0, EVENT)                                                   \
	STEP(RC_SQD_SQD, RC, SQD, SQD, 0, DRAINED)                                             \
	STEP(RC_SQD_RTS, RC, SQD, RTS, 0, RC_LATER)                                            \
	STEP(UC_INIT, UC, RESET, INIT, PLACE | IBV_QP_ACCESS_FLAGS, 0)                         \
	STEP(UC_INIT_INIT, UC, INIT, INIT, 0, PLACE | IBV_QP_ACCESS_FLAGS)                     \
	STEP(UC_RTR, UC, INIT, RTR, PATH,                                                      \
	     IBV_QP_ALT_PATH | IBV_QP_ACCESS_FLAGS | IBV_QP_PKEY_INDEX)                        \
	STEP(UC_RTS, UC, RTR, RTS, IBV_QP_SQ_PSN, UC_LATER)                                    \
	STEP(UC_RTS_RTS, UC, RTS, RTS, 0, UC_LATER)                                            \
	STEP(UC_SQD, UC, RTS, SQD, 0, EVENT)                                                   \
	STEP(UC_SQD_SQD, UC, SQD, SQD, 0, IBV_QP_PKEY_INDEX | IBV_QP_ACCESS_FLAGS | ALTERNATE) \
	STEP(UC_SQD_RTS, UC, SQD, RTS, 0, UC_LATER)                                            \
	STEP(UD_INIT, UD, RESET, INIT, PLACE | IBV_QP_QKEY, 0)                                 \
	STEP(UD_INIT_INIT, UD, INIT, INIT, 0, PLACE | IBV_QP_QKEY)                             \
	STEP(UD_RTR, UD, INIT, RTR, 0, IBV_QP_PKEY_INDEX | IBV_QP_QKEY)                        \
	STEP(UD_RTS, UD, RTR, RTS, IBV_QP_SQ_PSN, UD_LATER)                                    \
	STEP(UD_RTS_RTS, UD, RTS, RTS, 0, UD_LATER)                                            \
	STEP(UD_SQD, UD, RTS, SQD, 0, EVENT)                                                   \
	STEP(UD_SQD_SQD, UD, SQD, SQD, 0, IBV_QP_PKEY_INDEX | IBV_QP_QKEY)                     \
	STEP(UD_SQD_RTS, UD, SQD, RTS, 0, UD_LATER)

enum step_id {
#define STEP(id, ...) id,
	STEPS
#undef STEP
		NR_STEPS,
};

static const struct step {
	const char *name;
	enum ibv_qp_type type;
	enum ibv_qp_state from, to;
	int need, may;
} steps[] = {
#define STEP(id, type, from, to, need, may) \
	{ #id, IBV_QPT_##type, IBV_QPS_##from, IBV_QPS_##to, IBV_QP_STATE | (need), may },
	STEPS
#undef STEP
};

static struct ibv_qp *make_qp(enum ibv_qp_type type)
{
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = type,
		.cap = { .max_send_wr = 2, .max_recv_wr = 2, .max_send_sge = 1, .max_recv_sge = 1 },
	};

	return ibv_create_qp(pd, &init);
}

/* Values that are valid for every transition. */
static struct ibv_qp_attr plain(const struct ibv_qp *qp, const struct step *step)
{
	const struct ibv_ah_attr path = { .dlid = port.lid, .port_num = 1 };

	return (struct ibv_qp_attr){
		.qp_state = step->to,
		.cur_qp_state = step->from,
		.path_mtu = IBV_MTU_1024,
		.path_mig_state = IBV_MIG_MIGRATED,
		.qkey = 0x1111,
		.rq_psn = 7,
		.sq_psn = 7,
		.dest_qp_num = qp->qp_num,
		.qp_access_flags = IBV_ACCESS_REMOTE_WRITE,
		.ah_attr = path,
		.alt_ah_attr = path,
		.max_rd_atomic = 1,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
		.port_num = 1,
		.timeout = 14,
		.retry_cnt = 3,
		.rnr_retry = 3,
		.alt_port_num = 1,
		.alt_timeout = 14,
	};
}

static int walk(struct ibv_qp *qp, enum step_id id)
{
	struct ibv_qp_attr attr = plain(qp, &steps[id]);

	return ibv_modify_qp(qp, &attr, steps[id].need);
}

/* Moves the QP from RESET to @state. The steps of each type are in the same order. */
static int bring(struct ibv_qp *qp, enum ibv_qp_type type, enum ibv_qp_state state)
{
	const enum step_id first = type == IBV_QPT_RC ? RC_INIT :
				   type == IBV_QPT_UC ? UC_INIT :
							UD_INIT;
	const enum step_id way[] = { first, first + (RC_RTR - RC_INIT), first + (RC_RTS - RC_INIT),
				     first + (RC_SQD - RC_INIT) };
	struct ibv_qp_attr error = { .qp_state = IBV_QPS_ERR };
	int i, ret = 0;

	if (state == IBV_QPS_ERR)
		return walk(qp, first) ?: ibv_modify_qp(qp, &error, IBV_QP_STATE);
	for (i = 0; !ret && i < 4 && (i == 3 ? state == IBV_QPS_SQD : (int)state > i); i++)
		ret = walk(qp, way[i]);
	return ret;
}

static struct ibv_qp *qp_at(enum ibv_qp_type type, enum ibv_qp_state state)
{
	struct ibv_qp *qp = make_qp(type);

	if (!qp || bring(qp, type, state))
		ksft_exit_fail_msg("no QP of type %d in state %d\n", type, state);
	return qp;
}

static bool state_is(struct ibv_qp *qp, enum ibv_qp_state want)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr = {};
	int ret = ibv_query_qp(qp, &attr, IBV_QP_STATE, &init);

	if (ret || attr.qp_state != want)
		ksft_print_msg("query: %s, state %d instead of %d\n", outcome(ret), attr.qp_state,
			       want);
	return !ret && attr.qp_state == want;
}

/* Modifies a new QP. The caller asks for violations, since the model answers slowly. */
static bool modify(const struct step *step, int mask, int want, const char *what)
{
	struct ibv_qp *qp = qp_at(step->type, step->from);
	struct ibv_qp_attr attr = plain(qp, step);
	bool ok = as_wanted(what, ibv_modify_qp(qp, &attr, mask), want);

	ok &= state_is(qp, want ? step->from : step->to);
	return !ibv_destroy_qp(qp) && ok;
}

/* Omits each required attribute, and adds each allowed and each forbidden one. */
static void masks(const struct step *step)
{
	long before = model_violations();
	bool ok = true;
	char what[64];
	int bit;

	for (bit = IBV_QP_CUR_STATE; bit <= IBV_QP_DEST_QPN; bit <<= 1) {
		snprintf(what, sizeof(what), "%s with attribute %#x %s", step->name, bit,
			 step->need & bit ? "missing" : "added");
		if (step->need & bit)
			ok &= modify(step, step->need & ~bit, EINVAL, what);
		else if (bit != IBV_QP_CAP)
			ok &= modify(step, step->need | bit, step->may & bit ? 0 : EINVAL, what);
	}
	ok &= judged(step->name, 0, before, 0);
	ksft_test_result(ok, "%s: required and allowed attributes\n", step->name);
}

static const struct step *step_of(enum ibv_qp_type type, enum ibv_qp_state from, int to)
{
	int i;

	for (i = 0; i < NR_STEPS; i++)
		if (steps[i].type == type && steps[i].from == from && steps[i].to == to)
			return &steps[i];
	return NULL;
}

static bool leads(enum ibv_qp_type type, enum ibv_qp_state from, int to)
{
	return step_of(type, from, to) || to == IBV_QPS_RESET ||
	       (to == IBV_QPS_ERR && from != IBV_QPS_RESET);
}

/* Tries the transitions from one state to each other one, and to invalid states. */
static void transitions(enum ibv_qp_type type, enum ibv_qp_state from)
{
	static const int to[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 127, 128, 255 };
	long before = model_violations();
	bool ok = true;
	char what[64];
	unsigned int i;

	for (i = 0; i < NR(to); i++) {
		const struct step *known = step_of(type, from, to[i]);
		struct step step = { "", type, from, to[i], known ? known->need : IBV_QP_STATE, 0 };

		snprintf(what, sizeof(what), "type %d from state %d to %d", type, from, to[i]);
		ok &= modify(&step, step.need, leads(type, from, to[i]) ? 0 : EINVAL, what);
	}
	ok &= judged("all of these", 0, before, 0);
	ksft_test_result(ok, "type %d: from state %d to each other\n", type, from);
}

/* ---- Modify QP: the values ---- */

/* One attribute of one transition. */
static const struct value_row {
	const char *text;
	enum step_id step;
	size_t offset, size;
	uint64_t value;
	int mask;
	bool global; /* both paths have a GRH */
	bool read;   /* a query must return what was set */
	int want, of_mthca;
} values[] = {
#define ROW(step, field, value, mask, global, read, want, other) \
	{ #step ": " #field " = " #value,                        \
	  step,                                                  \
	  offsetof(struct ibv_qp_attr, field),                   \
	  sizeof(((struct ibv_qp_attr *)0)->field),              \
	  value,                                                 \
	  mask,                                                  \
	  global,                                                \
	  read,                                                  \
	  want,                                                  \
	  other }
#define V(step, field, value, want, other) ROW(step, field, value, 0, false, true, want, other)
#define M(step, field, value, bit, want, other) \
	ROW(step, field, value, IBV_QP_##bit, false, true, want, other)
#define G(step, field, value, want, other) ROW(step, field, value, 0, true, true, want, other)
#define A(field, value, want, other) \
	ROW(RC_RTR, field, value, IBV_QP_ALT_PATH, false, true, want, other)
#define AG(field, value, want, other) \
	ROW(RC_RTR, field, value, IBV_QP_ALT_PATH, true, true, want, other)
#define NOT_READ(step, field, value, bits, want, other) \
	ROW(step, field, value, bits, false, false, want, other)
	V(RC_INIT, port_num, 0, EINVAL, SAME),
	V(RC_INIT, port_num, 2, 0, SAME),
	V(RC_INIT, port_num, 3, EINVAL, SAME),
	V(RC_INIT, port_num, 255, EINVAL, SAME),
	V(RC_INIT, pkey_index, 63, 0, SAME),
	V(RC_INIT, pkey_index, 64, EINVAL, SAME),
	V(RC_INIT, pkey_index, 127, EINVAL, SAME),
	V(RC_INIT, pkey_index, 128, EINVAL, SAME),
	V(RC_INIT, pkey_index, 65535, EINVAL, SAME),
	V(RC_INIT, qp_access_flags, 0, 0, SAME),
	V(RC_INIT, qp_access_flags, IBV_ACCESS_REMOTE_WRITE, 0, SAME),
	NOT_READ(RC_INIT, qp_access_flags, 0x1f, 0, 0, SAME),
	NOT_READ(RC_INIT, qp_access_flags, IBV_ACCESS_RELAXED_ORDERING, 0, 0, SAME),
	NOT_READ(RC_INIT, qp_access_flags, IBV_ACCESS_ON_DEMAND, 0, EINVAL, 0),
	NOT_READ(RC_INIT, qp_access_flags, 1 << 12, 0, EINVAL, 0),
	NOT_READ(RC_INIT, qp_access_flags, 1u << 31, 0, EINVAL, 0),
	V(UD_INIT, qkey, 0, 0, SAME),
	V(UD_INIT, qkey, 0x7fffffff, 0, SAME),
	V(UD_INIT, qkey, 0xffffffff, 0, SAME),
	V(UD_INIT, pkey_index, 64, EINVAL, SAME),
	V(UD_INIT, port_num, 3, EINVAL, SAME),
	M(RC_INIT_INIT, port_num, 0, PORT, EINVAL, SAME),
	M(RC_INIT_INIT, port_num, 2, PORT, 0, SAME),
	M(RC_INIT_INIT, port_num, 3, PORT, EINVAL, SAME),
	M(RC_INIT_INIT, pkey_index, 64, PKEY_INDEX, EINVAL, SAME),
	V(RC_RTR, path_mtu, 0, EINVAL, SAME),
	V(RC_RTR, path_mtu, IBV_MTU_256, 0, SAME),
	V(RC_RTR, path_mtu, IBV_MTU_2048, 0, SAME),
	V(RC_RTR, path_mtu, IBV_MTU_4096, EINVAL, SAME),
	V(RC_RTR, path_mtu, 8, EINVAL, SAME),
	V(RC_RTR, path_mtu, 9, EINVAL, SAME),
	V(RC_RTR, path_mtu, 255, EINVAL, SAME),
	V(RC_RTR, dest_qp_num, 0, 0, SAME),
	V(RC_RTR, dest_qp_num, 0xffffff, 0, SAME),
	V(RC_RTR, dest_qp_num, 0x1000000, EINVAL, BAD),
	V(RC_RTR, dest_qp_num, 0xffffffff, EINVAL, BAD),
	V(RC_RTR, rq_psn, 0, 0, SAME),
	V(RC_RTR, rq_psn, 0xffffff, 0, SAME),
	/* ib_core truncates these. */
	V(RC_RTR, rq_psn, 0x1000000, LIE, SAME),
	V(RC_RTR, rq_psn, 0xffffffff, LIE, SAME),
	V(RC_RTR, max_dest_rd_atomic, 0, 0, LIE),
	V(RC_RTR, max_dest_rd_atomic, 4, 0, SAME),
	V(RC_RTR, max_dest_rd_atomic, 5, EINVAL, SAME),
	V(RC_RTR, max_dest_rd_atomic, 128, EINVAL, SAME),
	V(RC_RTR, max_dest_rd_atomic, 255, EINVAL, SAME),
	V(RC_RTR, min_rnr_timer, 0, 0, SAME),
	V(RC_RTR, min_rnr_timer, 31, 0, SAME),
	V(RC_RTR, min_rnr_timer, 32, EINVAL, BAD),
	V(RC_RTR, min_rnr_timer, 255, EINVAL, BAD),
	V(RC_RTR, ah_attr.dlid, 0, 0, SAME),
	V(RC_RTR, ah_attr.dlid, 0xbfff, 0, SAME),
	V(RC_RTR, ah_attr.dlid, 0xffff, 0, SAME),
	V(RC_RTR, ah_attr.sl, 15, 0, SAME),
	V(RC_RTR, ah_attr.sl, 16, EINVAL, LIE),
	V(RC_RTR, ah_attr.sl, 255, EINVAL, LIE),
	V(RC_RTR, ah_attr.src_path_bits, 127, 0, SAME),
	V(RC_RTR, ah_attr.src_path_bits, 128, EINVAL, LIE),
	V(RC_RTR, ah_attr.src_path_bits, 255, EINVAL, LIE),
	V(RC_RTR, ah_attr.static_rate, IBV_RATE_MAX, 0, LIE),
	V(RC_RTR, ah_attr.static_rate, IBV_RATE_2_5_GBPS, 0, SAME),
	NOT_READ(RC_RTR, ah_attr.static_rate, IBV_RATE_5_GBPS, 0, 0, SAME),
	NOT_READ(RC_RTR, ah_attr.static_rate, IBV_RATE_120_GBPS, 0, 0, SAME),
	NOT_READ(RC_RTR, ah_attr.static_rate, IBV_RATE_600_GBPS, 0, 0, SAME),
	V(RC_RTR, ah_attr.static_rate, 1, EINVAL, LIE),
	V(RC_RTR, ah_attr.static_rate, 63, EINVAL, LIE),
	V(RC_RTR, ah_attr.static_rate, 255, EINVAL, LIE),
	V(RC_RTR, ah_attr.port_num, 0, EINVAL, SAME),
	V(RC_RTR, ah_attr.port_num, 3, EINVAL, SAME),
	G(RC_RTR, ah_attr.grh.sgid_index, 0, 0, SAME),
	G(RC_RTR, ah_attr.grh.sgid_index, 32, EINVAL, SAME),
	G(RC_RTR, ah_attr.grh.sgid_index, 64, EINVAL, SAME),
	G(RC_RTR, ah_attr.grh.sgid_index, 255, EINVAL, SAME),
	G(RC_RTR, ah_attr.grh.flow_label, 0xfffff, 0, SAME),
	G(RC_RTR, ah_attr.grh.flow_label, 0x100000, EINVAL, LIE),
	G(RC_RTR, ah_attr.grh.flow_label, 0xffffffff, EINVAL, LIE),
	G(RC_RTR, ah_attr.grh.hop_limit, 255, 0, SAME),
	G(RC_RTR, ah_attr.grh.traffic_class, 255, 0, SAME),
	M(RC_RTR, pkey_index, 63, PKEY_INDEX, 0, SAME),
	M(RC_RTR, pkey_index, 64, PKEY_INDEX, EINVAL, SAME),
	A(alt_port_num, 0, EINVAL, SAME),
	A(alt_port_num, 3, EINVAL, SAME),
	A(alt_pkey_index, 63, 0, SAME),
	A(alt_pkey_index, 64, EINVAL, SAME),
	A(alt_timeout, 31, 0, SAME),
	A(alt_timeout, 32, EINVAL, LIE),
	A(alt_timeout, 255, EINVAL, LIE),
	A(alt_ah_attr.dlid, 0, 0, SAME),
	A(alt_ah_attr.dlid, 0xbfff, 0, SAME),
	A(alt_ah_attr.dlid, 0xffff, 0, SAME),
	A(alt_ah_attr.sl, 15, 0, SAME),
	A(alt_ah_attr.sl, 16, EINVAL, LIE),
	A(alt_ah_attr.src_path_bits, 127, 0, SAME),
	A(alt_ah_attr.src_path_bits, 128, EINVAL, LIE),
	A(alt_ah_attr.static_rate, 1, EINVAL, LIE),
	A(alt_ah_attr.static_rate, 255, EINVAL, LIE),
	A(alt_ah_attr.port_num, 0, EINVAL, SAME),
	A(alt_ah_attr.port_num, 3, EINVAL, SAME),
	AG(alt_ah_attr.grh.sgid_index, 0, 0, SAME),
	AG(alt_ah_attr.grh.sgid_index, 32, EINVAL, SAME),
	AG(alt_ah_attr.grh.sgid_index, 64, EINVAL, SAME),
	AG(alt_ah_attr.grh.sgid_index, 255, EINVAL, SAME),
	AG(alt_ah_attr.grh.flow_label, 0xfffff, 0, SAME),
	AG(alt_ah_attr.grh.flow_label, 0x100000, EINVAL, LIE),
	AG(alt_ah_attr.grh.flow_label, 0xffffffff, EINVAL, LIE),
	AG(alt_ah_attr.grh.hop_limit, 255, 0, SAME),
	AG(alt_ah_attr.grh.traffic_class, 255, 0, SAME),
	V(RC_RTS, timeout, 31, 0, SAME),
	V(RC_RTS, timeout, 32, EINVAL, LIE),
	V(RC_RTS, timeout, 255, EINVAL, LIE),
	V(RC_RTS, retry_cnt, 7, 0, SAME),
	V(RC_RTS, retry_cnt, 8, EINVAL, LIE),
	V(RC_RTS, retry_cnt, 255, EINVAL, LIE),
	V(RC_RTS, rnr_retry, 7, 0, SAME),
	V(RC_RTS, rnr_retry, 8, EINVAL, LIE),
	V(RC_RTS, rnr_retry, 255, EINVAL, LIE),
	V(RC_RTS, sq_psn, 0xffffff, 0, SAME),
	/* ib_core truncates these. */
	V(RC_RTS, sq_psn, 0x1000000, LIE, SAME),
	V(RC_RTS, sq_psn, 0xffffffff, LIE, SAME),
	V(RC_RTS, max_rd_atomic, 0, 0, LIE),
	V(RC_RTS, max_rd_atomic, 1, 0, SAME),
	V(RC_RTS, max_rd_atomic, 128, 0, SAME),
	V(RC_RTS, max_rd_atomic, 129, EINVAL, SAME),
	V(RC_RTS, max_rd_atomic, 255, EINVAL, SAME),
	M(RC_RTS, path_mig_state, IBV_MIG_MIGRATED, PATH_MIG_STATE, 0, SAME),
	M(RC_RTS, path_mig_state, IBV_MIG_ARMED, PATH_MIG_STATE, EINVAL, BAD),
	M(RC_RTS, path_mig_state, 3, PATH_MIG_STATE, EINVAL, BAD),
	M(RC_RTS, path_mig_state, 77, PATH_MIG_STATE, EINVAL, BAD),
	M(RC_RTS, path_mig_state, 255, PATH_MIG_STATE, EINVAL, BAD),
	NOT_READ(RC_RTS, path_mig_state, IBV_MIG_REARM, IBV_QP_PATH_MIG_STATE, 0, SAME),
	NOT_READ(RC_RTS, path_mig_state, IBV_MIG_REARM, ALTERNATE, 0, SAME),
	NOT_READ(RC_RTS, cur_qp_state, IBV_QPS_RTS, IBV_QP_CUR_STATE, EINVAL, SAME),
	NOT_READ(RC_RTS_RTS, cur_qp_state, IBV_QPS_RTR, IBV_QP_CUR_STATE, EINVAL, SAME),
	NOT_READ(RC_RTS_RTS, cur_qp_state, IBV_QPS_SQD, IBV_QP_CUR_STATE, EINVAL, SAME),
	NOT_READ(RC_RTS_RTS, cur_qp_state, IBV_QPS_SQE, IBV_QP_CUR_STATE, EINVAL, SAME),
	NOT_READ(RC_RTS_RTS, cur_qp_state, 7, IBV_QP_CUR_STATE, EINVAL, SAME),
	NOT_READ(RC_RTS_RTS, cur_qp_state, 255, IBV_QP_CUR_STATE, EINVAL, SAME),
	M(RC_RTS_RTS, min_rnr_timer, 31, MIN_RNR_TIMER, 0, SAME),
	M(RC_RTS_RTS, min_rnr_timer, 32, MIN_RNR_TIMER, EINVAL, BAD),
	M(RC_RTS_RTS, path_mig_state, IBV_MIG_ARMED, PATH_MIG_STATE, EINVAL, BAD),
	M(RC_RTS_RTS, path_mig_state, 77, PATH_MIG_STATE, EINVAL, BAD),
	M(RC_RTS_RTS, alt_timeout, 32, ALT_PATH, EINVAL, LIE),
	NOT_READ(RC_SQD, en_sqd_async_notify, 1, EVENT, 0, SAME),
	NOT_READ(RC_SQD, en_sqd_async_notify, 2, EVENT, 0, SAME),
	NOT_READ(RC_SQD, en_sqd_async_notify, 255, EVENT, 0, SAME),
	M(RC_SQD_SQD, port_num, 2, PORT, 0, SAME),
	M(RC_SQD_SQD, port_num, 3, PORT, EINVAL, SAME),
	M(RC_SQD_SQD, pkey_index, 64, PKEY_INDEX, EINVAL, SAME),
	M(RC_SQD_SQD, timeout, 32, TIMEOUT, EINVAL, LIE),
	M(RC_SQD_SQD, retry_cnt, 8, RETRY_CNT, EINVAL, LIE),
	M(RC_SQD_SQD, rnr_retry, 8, RNR_RETRY, EINVAL, LIE),
	M(RC_SQD_SQD, max_rd_atomic, 129, MAX_QP_RD_ATOMIC, EINVAL, SAME),
	M(RC_SQD_SQD, max_dest_rd_atomic, 5, MAX_DEST_RD_ATOMIC, EINVAL, SAME),
	M(RC_SQD_SQD, min_rnr_timer, 32, MIN_RNR_TIMER, EINVAL, BAD),
	M(RC_SQD_SQD, ah_attr.sl, 16, AV, EINVAL, LIE),
	M(RC_SQD_SQD, path_mig_state, IBV_MIG_ARMED, PATH_MIG_STATE, EINVAL, BAD),
	M(RC_SQD_RTS, path_mig_state, IBV_MIG_ARMED, PATH_MIG_STATE, EINVAL, BAD),
	M(RC_SQD_RTS, path_mig_state, 77, PATH_MIG_STATE, EINVAL, BAD),
	V(UC_RTR, ah_attr.sl, 16, EINVAL, LIE),
	V(UC_RTR, dest_qp_num, 0x1000000, EINVAL, BAD),
	V(UC_RTR, path_mtu, IBV_MTU_4096, EINVAL, SAME),
	M(UC_RTS, path_mig_state, IBV_MIG_ARMED, PATH_MIG_STATE, EINVAL, BAD),
	V(UC_RTS, sq_psn, 0x1000000, LIE, SAME),
	V(UD_RTS, sq_psn, 0xffffff, 0, SAME),
	V(UD_RTS, sq_psn, 0x1000000, LIE, SAME),
	M(UD_RTS_RTS, qkey, 0xffffffff, QKEY, 0, SAME),
};

static bool reads_back(struct ibv_qp *qp, const struct value_row *row)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	if (ibv_query_qp(qp, &attr, (IBV_QP_DEST_QPN << 1) - 1, &init))
		return false;
	return !memcmp((char *)&attr + row->offset, &row->value, row->size);
}

static void value(const struct value_row *row)
{
	const struct step *step = &steps[row->step];
	struct ibv_qp *qp = qp_at(step->type, step->from);
	struct ibv_qp_attr attr = plain(qp, step);
	int want = wanted(row->want, row->of_mthca), ret;
	long before = model_violations();
	bool ok;

	attr.ah_attr.is_global = row->global;
	attr.alt_ah_attr.is_global = row->global;
	memcpy((char *)&attr + row->offset, &row->value, row->size);
	ret = ibv_modify_qp(qp, &attr, step->need | row->mask);
	if (!ret && row->read && !reads_back(qp, row))
		ret = LIE;
	ok = judged(row->text, ret, before, want);
	if (want != BAD)
		ok &= state_is(qp, want > 0 ? step->from : step->to);
	ok &= !ibv_destroy_qp(qp);
	ksft_test_result(ok, "%s: %s\n", row->text, outcome(want));
}

/* ---- Everything else: calls with one or two numbers ---- */

static int create_qp(struct raw_qp_in *in)
{
	struct raw_qp qp;
	int ret = raw_create_qp(context->cmd_fd, in, &qp);

	return ret ? -ret : -raw_destroy_qp(context->cmd_fd, qp.handle);
}

static struct raw_qp_in qp_request(uint8_t type)
{
	return (struct raw_qp_in){
		.pd = raw_pd.handle,
		.send_cq = raw_cq.handle,
		.recv_cq = raw_cq.handle,
		.lkey = raw_mr.lkey,
		.send_wr = 1,
		.recv_wr = 1,
		.send_sge = 1,
		.recv_sge = 1,
		.type = type,
	};
}

#define QP_CALL(name, field, of_type)                      \
	static int name(uint64_t a, uint64_t b)            \
	{                                                  \
		struct raw_qp_in in = qp_request(of_type); \
                                                           \
		in.field = a;                              \
		return create_qp(&in);                     \
	}

QP_CALL(rc_send_wr, send_wr, IBV_QPT_RC)
QP_CALL(rc_recv_wr, recv_wr, IBV_QPT_RC)
QP_CALL(rc_send_sge, send_sge, IBV_QPT_RC)
QP_CALL(rc_recv_sge, recv_sge, IBV_QPT_RC)
QP_CALL(rc_inline, inline_data, IBV_QPT_RC)
QP_CALL(uc_send_wr, send_wr, IBV_QPT_UC)
QP_CALL(uc_send_sge, send_sge, IBV_QPT_UC)
QP_CALL(uc_inline, inline_data, IBV_QPT_UC)
QP_CALL(uc_recv_wr, recv_wr, IBV_QPT_UC)
QP_CALL(uc_recv_sge, recv_sge, IBV_QPT_UC)
QP_CALL(ud_send_wr, send_wr, IBV_QPT_UD)
QP_CALL(ud_send_sge, send_sge, IBV_QPT_UD)
QP_CALL(ud_recv_wr, recv_wr, IBV_QPT_UD)
QP_CALL(ud_recv_sge, recv_sge, IBV_QPT_UD)
QP_CALL(ud_inline, inline_data, IBV_QPT_UD)
QP_CALL(qp_type, type, IBV_QPT_RC)
QP_CALL(qp_sig_all, sig_all, IBV_QPT_RC)

/* With an SRQ the QP has no receive queue, and the sizes given for it are ignored. */
static int srq_qp_recv(uint64_t wr, uint64_t sge)
{
	struct raw_qp_in in = qp_request(IBV_QPT_RC);
	struct raw_srq srq;
	struct raw_qp qp;
	int ret;

	if (raw_create_srq(context->cmd_fd, raw_pd.handle, 16, 1, raw_mr.lkey, &srq))
		return EIO;
	in.srq = srq.handle;
	in.is_srq = 1;
	in.recv_wr = wr;
	in.recv_sge = sge;
	ret = -raw_create_qp(context->cmd_fd, &in, &qp);
	if (!ret && (qp.caps.max_recv_wr || qp.caps.max_recv_sge))
		ret = LIE;
	if (ret <= 0)
		raw_destroy_qp(context->cmd_fd, qp.handle);
	raw_destroy_srq(context->cmd_fd, srq.handle);
	return ret;
}

static int cq_entries(uint64_t cqe, uint64_t b)
{
	struct raw_cq made;
	int ret = raw_create_cq(context->cmd_fd, cqe, raw_mr.lkey, raw_pd.pdn, &made);

	return ret ? -ret : -raw_destroy_cq(context->cmd_fd, made.handle);
}

static int cq_vector(uint64_t vector, uint64_t b)
{
	struct ibv_cq *made = ibv_create_cq(context, 1, NULL, NULL, vector);

	return made ? ibv_destroy_cq(made) : errno;
}

static int cq_flags(uint64_t flags, uint64_t comp_mask)
{
	struct raw_cq made;
	int ret = raw_create_cq_ex(context->cmd_fd, 255, raw_mr.lkey, raw_pd.pdn, flags, comp_mask,
				   &made);

	return ret ? -ret : -raw_destroy_cq(context->cmd_fd, made.handle);
}

static int cq_resize(uint64_t cqe, uint64_t b)
{
	struct raw_cq made;
	uint32_t got;
	int ret;

	if (raw_create_cq(context->cmd_fd, 255, raw_mr.lkey, raw_pd.pdn, &made))
		return EIO;
	ret = -raw_resize_cq(context->cmd_fd, made.handle, cqe, raw_mr.lkey, &got);
	if (!ret && got < cqe)
		ret = LIE;
	raw_destroy_cq(context->cmd_fd, made.handle);
	return ret;
}

/* The returned number of segments is the number that the library lets a process post. */
static int srq_of(uint64_t wr, uint64_t sge)
{
	struct ib_uverbs_create_srq_resp caps;
	struct raw_srq srq;
	int ret = raw_create_srq_caps(context->cmd_fd, raw_pd.handle, wr, sge, raw_mr.lkey, &srq,
				      &caps);

	if (ret)
		return -ret;
	raw_destroy_srq(context->cmd_fd, srq.handle);
	return caps.max_wr == wr && caps.max_sge == sge ? 0 : LIE;
}

static int srq_query_of(uint64_t wr, uint64_t sge)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = wr, .max_sge = sge } };
	struct ibv_srq *srq = ibv_create_srq(pd, &init);
	struct ibv_srq_attr attr;
	int ret;

	if (!srq)
		return errno;
	ret = ibv_query_srq(srq, &attr);
	if (!ret && (attr.max_wr != wr || attr.max_sge != sge))
		ret = LIE;
	ibv_destroy_srq(srq);
	return ret;
}

static int srq_type(uint64_t type, uint64_t b)
{
	struct raw_srq srq;
	int ret = raw_create_xsrq(context->cmd_fd, type, raw_pd.handle, 16, 1, raw_mr.lkey, &srq);

	return ret ? -ret : -raw_destroy_srq(context->cmd_fd, srq.handle);
}

/* The SRQ has room for 100. */
static int srq_modify(uint64_t mask, uint64_t number)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = 100, .max_sge = 1 } };
	struct ibv_srq_attr attr = { .max_wr = number, .srq_limit = number }, now;
	struct ibv_srq *srq = ibv_create_srq(pd, &init);
	int ret;

	if (!srq)
		return errno;
	ret = ibv_modify_srq(srq, &attr, mask);
	if (!ret && mask & IBV_SRQ_LIMIT && (ibv_query_srq(srq, &now) || now.srq_limit != number))
		ret = LIE;
	ibv_destroy_srq(srq);
	return ret;
}

static int mr_at(uint64_t iova, uint64_t length)
{
	struct raw_mr mr;
	int ret = raw_reg_mr(context->cmd_fd, raw_pd.handle, memory + (iova & (PROCESS_PAGE - 1)),
			     length, iova, IBV_ACCESS_LOCAL_WRITE, &mr);

	return ret ? -ret : -raw_dereg_mr(context->cmd_fd, mr.handle);
}

static int mr_skew(uint64_t offset, uint64_t iova)
{
	struct raw_mr mr;
	int ret = raw_reg_mr(context->cmd_fd, raw_pd.handle, memory + offset, 64, iova,
			     IBV_ACCESS_LOCAL_WRITE, &mr);

	return ret ? -ret : -raw_dereg_mr(context->cmd_fd, mr.handle);
}

static int mr_access(uint64_t access, uint64_t b)
{
	struct raw_mr mr;
	int ret = raw_reg_mr(context->cmd_fd, raw_pd.handle, memory, 4096, (uintptr_t)memory,
			     access, &mr);

	return ret ? -ret : -raw_dereg_mr(context->cmd_fd, mr.handle);
}

/* A new range for a region */
static int mr_again(uint64_t iova, uint64_t length)
{
	struct raw_rereg again = {
		.flags = IBV_REREG_MR_CHANGE_TRANSLATION,
		.start = (uintptr_t)memory + (iova & (PROCESS_PAGE - 1)),
		.length = length,
		.hca_va = iova,
	};
	struct raw_mr mr;
	int ret;

	if (raw_reg_mr(context->cmd_fd, raw_pd.handle, memory, PROCESS_PAGE, PROCESS_PAGE,
		       IBV_ACCESS_LOCAL_WRITE, &mr))
		return EIO;
	again.handle = mr.handle;
	ret = -raw_rereg_mr(context->cmd_fd, &mr, &again);
	return raw_dereg_mr(context->cmd_fd, mr.handle) ? EIO : ret;
}

static int mr_dmabuf(uint64_t iova, uint64_t length)
{
	struct raw_dmabuf in = {
		.fd = dmabuf,
		.length = length,
		.iova = iova,
		.access = IBV_ACCESS_LOCAL_WRITE,
	};
	struct raw_mr mr = {};
	int ret = raw_reg_dmabuf(context->cmd_fd, raw_pd.handle, &in, &mr);

	return ret ? -ret : -raw_dereg_mr(context->cmd_fd, mr.handle);
}

static int mw_type(uint64_t type, uint64_t b)
{
	struct raw_mw mw;
	int ret = raw_alloc_mw(context->cmd_fd, raw_pd.handle, type, &mw);

	return ret ? -ret : -raw_dealloc_mw(context->cmd_fd, mw.handle);
}

static int port_query(uint64_t number, uint64_t b)
{
	struct ibv_port_attr attr;

	return ibv_query_port(context, number, &attr);
}

/* @first: first byte of the MGID */
static int group(enum ibv_qp_type type, uint8_t first, uint16_t lid)
{
	union ibv_gid gid = { .raw = { first, 0x12, [15] = 7 } };
	struct ibv_qp *qp = qp_at(type, IBV_QPS_INIT);
	int ret = ibv_attach_mcast(qp, &gid, lid);

	if (!ret)
		ret = ibv_detach_mcast(qp, &gid, lid);
	ibv_destroy_qp(qp);
	return ret;
}

static int ud_group(uint64_t first, uint64_t lid)
{
	return group(IBV_QPT_UD, first, lid);
}

static int rc_group(uint64_t first, uint64_t lid)
{
	return group(IBV_QPT_RC, first, lid);
}

static int user_ah(uint64_t port_num, uint64_t b)
{
	return -raw_create_ah(context->cmd_fd, raw_pd.handle, port_num, port.lid);
}

static int doorbells(uint64_t protection, uint64_t offset)
{
	void *page = mmap(NULL, PROCESS_PAGE, protection, MAP_SHARED, context->cmd_fd, offset);

	if (page == MAP_FAILED)
		return errno;
	munmap(page, PROCESS_PAGE);
	return 0;
}

/* The page is mapped correctly, and then made executable. */
static int doorbells_later(uint64_t protection, uint64_t b)
{
	void *page = mmap(NULL, PROCESS_PAGE, PROT_WRITE, MAP_SHARED, context->cmd_fd, 0);
	int ret;

	if (page == MAP_FAILED)
		return EIO;
	ret = mprotect(page, PROCESS_PAGE, protection) ? errno : 0;
	munmap(page, PROCESS_PAGE);
	return ret;
}

static const struct call_row {
	const char *text;
	int (*call)(uint64_t a, uint64_t b);
	uint64_t a, b;
	size_t limit; /* limit of the device; it is added to @a */
	int want, of_mthca;
} calls[] = {
#define NO_LIMIT SIZE_MAX
#define CALL(fn, a, b, want, other) { #fn "(" #a ", " #b ")", fn, a, b, NO_LIMIT, want, other }
#define LIMIT(fn, limit, plus, b, want, other)                    \
	{ #fn "(" #limit " + " #plus ", " #b ")",  fn,	 plus, b, \
	  offsetof(struct ibv_device_attr, limit), want, other }
	CALL(port_query, 0, 0, EINVAL, SAME),
	CALL(port_query, 1, 0, 0, SAME),
	CALL(port_query, 2, 0, 0, SAME),
	CALL(port_query, 3, 0, EINVAL, SAME),
	CALL(port_query, 255, 0, EINVAL, SAME),
	CALL(qp_type, 0, 0, EINVAL, SAME),
	CALL(qp_type, 1, 0, EINVAL, SAME),
	CALL(qp_type, IBV_QPT_RC, 0, 0, SAME),
	CALL(qp_type, IBV_QPT_UC, 0, 0, SAME),
	CALL(qp_type, IBV_QPT_UD, 0, 0, SAME),
	CALL(qp_type, 5, 0, EINVAL, SAME),
	CALL(qp_type, 6, 0, EINVAL, SAME),
	CALL(qp_type, 7, 0, EINVAL, SAME),
	CALL(qp_type, IBV_QPT_RAW_PACKET, 0, EOPNOTSUPP, SAME),
	CALL(qp_type, IBV_QPT_XRC_SEND, 0, EOPNOTSUPP, SAME),
	CALL(qp_type, IBV_QPT_DRIVER, 0, EOPNOTSUPP, SAME),
	CALL(qp_type, 254, 0, EINVAL, SAME),
	CALL(rc_send_wr, 0, 0, 0, SAME),
	LIMIT(rc_send_wr, max_qp_wr, 0, 0, 0, SAME),
	LIMIT(rc_send_wr, max_qp_wr, 1, 0, EINVAL, SAME),
	CALL(rc_send_wr, 1u << 26, 0, EINVAL, SAME),
	CALL(rc_send_wr, 1u << 31, 0, EINVAL, SAME),
	CALL(rc_send_wr, UINT32_MAX, 0, EINVAL, SAME),
	CALL(rc_recv_wr, 0, 0, 0, SAME),
	LIMIT(rc_recv_wr, max_qp_wr, 0, 0, 0, SAME),
	LIMIT(rc_recv_wr, max_qp_wr, 1, 0, EINVAL, SAME),
	CALL(rc_recv_wr, 1u << 31, 0, EINVAL, SAME),
	CALL(rc_recv_wr, UINT32_MAX, 0, EINVAL, SAME),
	CALL(rc_send_sge, 0, 0, 0, SAME),
	LIMIT(rc_send_sge, max_sge, 0, 0, 0, SAME),
	LIMIT(rc_send_sge, max_sge, 1, 0, EINVAL, SAME),
	CALL(rc_send_sge, 1u << 28, 0, EINVAL, SAME),
	CALL(rc_send_sge, UINT32_MAX, 0, EINVAL, SAME),
	CALL(rc_recv_sge, 0, 0, 0, SAME),
	LIMIT(rc_recv_sge, max_sge, 0, 0, 0, SAME),
	LIMIT(rc_recv_sge, max_sge, 1, 0, EINVAL, SAME),
	CALL(rc_recv_sge, UINT32_MAX, 0, EINVAL, SAME),
	CALL(rc_inline, 972, 0, 0, SAME),
	CALL(rc_inline, 973, 0, EINVAL, SAME),
	CALL(rc_inline, 1024, 0, EINVAL, SAME),
	CALL(rc_inline, UINT32_MAX - 3, 0, EINVAL, SAME),
	CALL(rc_inline, UINT32_MAX, 0, EINVAL, SAME),
	CALL(uc_send_wr, 0, 0, 0, SAME),
	LIMIT(uc_send_wr, max_qp_wr, 0, 0, 0, SAME),
	LIMIT(uc_send_wr, max_qp_wr, 1, 0, EINVAL, SAME),
	CALL(uc_send_wr, UINT32_MAX, 0, EINVAL, SAME),
	LIMIT(uc_send_sge, max_sge, 0, 0, 0, SAME),
	LIMIT(uc_send_sge, max_sge, 1, 0, EINVAL, SAME),
	CALL(uc_send_sge, UINT32_MAX, 0, EINVAL, SAME),
	CALL(uc_inline, 972, 0, 0, SAME),
	CALL(uc_inline, 973, 0, EINVAL, SAME),
	CALL(uc_inline, UINT32_MAX, 0, EINVAL, SAME),
	CALL(uc_recv_wr, 0, 0, 0, SAME),
	LIMIT(uc_recv_wr, max_qp_wr, 0, 0, 0, SAME),
	LIMIT(uc_recv_wr, max_qp_wr, 1, 0, EINVAL, SAME),
	CALL(uc_recv_wr, UINT32_MAX, 0, EINVAL, SAME),
	LIMIT(uc_recv_sge, max_sge, 0, 0, 0, SAME),
	LIMIT(uc_recv_sge, max_sge, 1, 0, EINVAL, SAME),
	CALL(uc_recv_sge, UINT32_MAX, 0, EINVAL, SAME),
	CALL(ud_send_wr, 0, 0, 0, SAME),
	LIMIT(ud_send_wr, max_qp_wr, 0, 0, 0, SAME),
	LIMIT(ud_send_wr, max_qp_wr, 1, 0, EINVAL, SAME),
	CALL(ud_send_wr, UINT32_MAX, 0, EINVAL, SAME),
	LIMIT(ud_send_sge, max_sge, 0, 0, 0, SAME),
	LIMIT(ud_send_sge, max_sge, 1, 0, EINVAL, SAME),
	CALL(ud_recv_wr, 0, 0, 0, SAME),
	LIMIT(ud_recv_wr, max_qp_wr, 0, 0, 0, SAME),
	LIMIT(ud_recv_wr, max_qp_wr, 1, 0, EINVAL, SAME),
	CALL(ud_recv_wr, UINT32_MAX, 0, EINVAL, SAME),
	LIMIT(ud_recv_sge, max_sge, 0, 0, 0, SAME),
	LIMIT(ud_recv_sge, max_sge, 1, 0, EINVAL, SAME),
	CALL(ud_recv_sge, UINT32_MAX, 0, EINVAL, SAME),
	CALL(ud_inline, 940, 0, 0, SAME),
	CALL(ud_inline, 941, 0, EINVAL, SAME),
	CALL(qp_sig_all, 0, 0, 0, SAME),
	CALL(qp_sig_all, 1, 0, 0, SAME),
	CALL(qp_sig_all, 2, 0, 0, SAME),
	CALL(qp_sig_all, UINT8_MAX, 0, 0, SAME),
	CALL(srq_qp_recv, 0, 0, 0, LIE),
	CALL(srq_qp_recv, 10, 1, 0, LIE),
	CALL(srq_qp_recv, UINT32_MAX, 1, 0, EINVAL),
	CALL(srq_qp_recv, 1, UINT32_MAX, 0, EINVAL),
	CALL(cq_entries, 0, 0, EINVAL, SAME),
	CALL(cq_entries, 1, 0, 0, SAME),
	LIMIT(cq_entries, max_cqe, 0, 0, 0, SAME),
	LIMIT(cq_entries, max_cqe, 1, 0, EINVAL, SAME),
	CALL(cq_entries, 1u << 31, 0, EINVAL, SAME),
	CALL(cq_entries, UINT32_MAX, 0, EINVAL, SAME),
	CALL(cq_vector, 0, 0, 0, SAME),
	CALL(cq_vector, 1000, 0, EINVAL, SAME),
	CALL(cq_vector, -1, 0, EINVAL, SAME),
	CALL(cq_flags, 0, 0, 0, SAME),
	CALL(cq_flags, 1, 0, EOPNOTSUPP, SAME),
	CALL(cq_flags, 2, 0, EOPNOTSUPP, SAME),
	CALL(cq_flags, 1u << 31, 0, EOPNOTSUPP, SAME),
	CALL(cq_flags, 0, 1, EINVAL, SAME),
	CALL(cq_resize, 0, 0, EINVAL, SAME),
	CALL(cq_resize, 1, 0, 0, SAME),
	LIMIT(cq_resize, max_cqe, 0, 0, 0, SAME),
	LIMIT(cq_resize, max_cqe, 1, 0, EINVAL, SAME),
	CALL(cq_resize, 1u << 31, 0, EINVAL, SAME),
	CALL(cq_resize, UINT32_MAX, 0, EINVAL, SAME),
	CALL(srq_of, 0, 1, EINVAL, 0),
	CALL(srq_of, 1, 1, 0, SAME),
	LIMIT(srq_of, max_srq_wr, 0, 1, 0, SAME),
	LIMIT(srq_of, max_srq_wr, 1, 1, EINVAL, SAME),
	CALL(srq_of, UINT32_MAX, 1, EINVAL, SAME),
	CALL(srq_of, 16, 0, 0, SAME),
	CALL(srq_of, 16, 2, 0, SAME),
	CALL(srq_of, 16, 3, 0, SAME),
	CALL(srq_of, 16, 4, 0, SAME),
	CALL(srq_of, 16, 8, 0, SAME),
	CALL(srq_of, 16, 64, EINVAL, SAME),
	CALL(srq_of, 16, 1u << 28, EINVAL, SAME),
	CALL(srq_of, 16, UINT32_MAX, EINVAL, SAME),
	CALL(srq_query_of, 10, 0, 0, SAME),
	CALL(srq_query_of, 10, 1, 0, SAME),
	CALL(srq_query_of, 10, 5, 0, SAME),
	CALL(srq_type, 0, 0, 0, SAME),
	CALL(srq_type, 1, 0, EINVAL, SAME),
	CALL(srq_type, 2, 0, EINVAL, SAME),
	CALL(srq_type, 3, 0, EOPNOTSUPP, SAME),
	CALL(srq_type, UINT32_MAX, 0, EOPNOTSUPP, SAME),
	CALL(srq_modify, IBV_SRQ_LIMIT, 0, 0, SAME),
	CALL(srq_modify, IBV_SRQ_LIMIT, 1, 0, SAME),
	CALL(srq_modify, IBV_SRQ_LIMIT, 100, 0, SAME),
	CALL(srq_modify, IBV_SRQ_LIMIT, 101, EINVAL, 0),
	CALL(srq_modify, IBV_SRQ_LIMIT, 65536, EINVAL, SAME),
	CALL(srq_modify, IBV_SRQ_LIMIT, UINT32_MAX, EINVAL, SAME),
	CALL(srq_modify, IBV_SRQ_MAX_WR, 100, EOPNOTSUPP, EINVAL),
	CALL(srq_modify, IBV_SRQ_MAX_WR | IBV_SRQ_LIMIT, 100, EOPNOTSUPP, EINVAL),
	CALL(srq_modify, 4, 1, EOPNOTSUPP, 0),
	CALL(srq_modify, 1u << 31, 1, EOPNOTSUPP, 0),
	CALL(srq_modify, 0, 1, 0, SAME),
	CALL(mr_at, 0, 0, EINVAL, SAME),
	CALL(mr_at, 0, 1, 0, SAME),
	CALL(mr_at, 0, BUFFER, 0, SAME),
	CALL(mr_at, -8192ULL, 8191, 0, SAME),
	CALL(mr_at, -8192ULL, 8192, EINVAL, BAD),
	CALL(mr_at, -8192ULL, 8193, EINVAL, BAD),
	CALL(mr_at, -16384ULL, 16384, EINVAL, BAD),
	CALL(mr_at, -1ULL, 1, EINVAL, BAD),
	CALL(mr_at, -2ULL, 1, 0, SAME),
	CALL(mr_at, 1ULL << 63, 4096, 0, SAME),
	CALL(mr_at, 0, ~0ULL, EINVAL, SAME),
	/* ib_mthca offers neither these calls nor memory windows. */
	CALL(mr_again, -8192ULL, 8191, 0, EOPNOTSUPP),
	CALL(mr_again, -8192ULL, 8192, EINVAL, EOPNOTSUPP),
	CALL(mr_again, -8192ULL, 8193, EINVAL, EOPNOTSUPP),
	CALL(mr_again, -1ULL, 1, EINVAL, EOPNOTSUPP),
	CALL(mr_again, -2ULL, 1, 0, EOPNOTSUPP),
	CALL(mr_again, -8192ULL, 0, EINVAL, EOPNOTSUPP),
	CALL(mr_dmabuf, -8192ULL, 8191, 0, EOPNOTSUPP),
	CALL(mr_dmabuf, -8192ULL, 8192, EINVAL, EOPNOTSUPP),
	CALL(mr_dmabuf, -8192ULL, 8193, EINVAL, EOPNOTSUPP),
	CALL(mr_dmabuf, -16384ULL, 16384, EINVAL, EOPNOTSUPP),
	CALL(mw_type, 0, 0, EINVAL, EOPNOTSUPP),
	CALL(mw_type, IBV_MW_TYPE_1, 0, 0, EOPNOTSUPP),
	CALL(mw_type, IBV_MW_TYPE_2, 0, EOPNOTSUPP, SAME),
	CALL(mw_type, 3, 0, EINVAL, EOPNOTSUPP),
	CALL(mw_type, 255, 0, EINVAL, EOPNOTSUPP),
	CALL(mr_skew, 0, 64, EINVAL, SAME),
	CALL(mr_skew, 64, 4096, EINVAL, SAME),
	CALL(mr_skew, 64, 4096 + 64, 0, SAME),
	CALL(mr_access, 0, 0, 0, SAME),
	CALL(mr_access, IBV_ACCESS_LOCAL_WRITE, 0, 0, SAME),
	CALL(mr_access, IBV_ACCESS_REMOTE_WRITE, 0, EINVAL, SAME),
	CALL(mr_access, IBV_ACCESS_REMOTE_READ, 0, 0, SAME),
	CALL(mr_access, IBV_ACCESS_REMOTE_ATOMIC, 0, EINVAL, SAME),
	CALL(mr_access, 0xf, 0, 0, SAME),
	CALL(mr_access, IBV_ACCESS_MW_BIND, 0, 0, SAME),
	CALL(mr_access, IBV_ACCESS_ZERO_BASED, 0, EOPNOTSUPP, 0),
	CALL(mr_access, IBV_ACCESS_ON_DEMAND, 0, EOPNOTSUPP, SAME),
	CALL(mr_access, IBV_ACCESS_HUGETLB, 0, 0, SAME),
	CALL(mr_access, IBV_ACCESS_RELAXED_ORDERING, 0, 0, SAME),
	CALL(mr_access, 1 << 10, 0, EINVAL, SAME),
	CALL(mr_access, 1 << 19, 0, EINVAL, SAME),
	CALL(mr_access, 1u << 31, 0, EINVAL, SAME),
	CALL(ud_group, 0xff, 0xc000, 0, SAME),
	CALL(ud_group, 0xff, 0xfffe, 0, SAME),
	CALL(ud_group, 0xff, 0xbfff, EINVAL, SAME),
	CALL(ud_group, 0xff, 0xffff, EINVAL, SAME),
	CALL(ud_group, 0xff, 0, EINVAL, SAME),
	CALL(ud_group, 0xfe, 0xc000, EINVAL, SAME),
	CALL(ud_group, 0, 0xc000, EINVAL, SAME),
	CALL(rc_group, 0xff, 0xc000, EINVAL, SAME),
	CALL(user_ah, 1, 0, EOPNOTSUPP, SAME),
	CALL(doorbells, PROT_WRITE, 0, 0, SAME),
	CALL(doorbells, PROT_WRITE, PROCESS_PAGE, EINVAL, 0),
	CALL(doorbells, PROT_WRITE | PROT_EXEC, 0, EINVAL, 0),
	CALL(doorbells, PROT_READ | PROT_EXEC, 0, EINVAL, 0),
	CALL(doorbells_later, PROT_WRITE | PROT_EXEC, 0, EACCES, 0),
};

static void call(const struct call_row *row)
{
	int want = wanted(row->want, row->of_mthca);
	uint64_t a = row->a;
	long before = model_violations();

	if (row->limit != NO_LIMIT)
		a += *(int *)((char *)&limits + row->limit);
	ksft_test_result(judged(row->text, row->call(a, row->b), before, want), "%s: %s\n",
			 row->text, outcome(want));
}

/* ---- A query of a QP that the hardware does not know ---- */

static void reset_qp_query(void)
{
	struct ibv_qp *qp = make_qp(IBV_QPT_RC);
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;
	bool ok;

	memset(&attr, 0xff, sizeof(attr));
	ok = qp && !ibv_query_qp(qp, &attr, (IBV_QP_DEST_QPN << 1) - 1, &init);
	ok = ok && attr.qp_state == IBV_QPS_RESET && attr.path_mig_state == IBV_MIG_MIGRATED &&
	     !attr.path_mtu && !attr.ah_attr.dlid && !attr.alt_ah_attr.dlid &&
	     !attr.max_rd_atomic && !attr.qp_access_flags && !attr.timeout && !attr.dest_qp_num;
	if (!ok)
		ksft_print_msg("state %d, migration %d, MTU %d, port %d\n", attr.qp_state,
			       attr.path_mig_state, attr.path_mtu, attr.port_num);
	ok &= !ibv_destroy_qp(qp);
	ksft_test_result(ok, "a query of a QP in RESET says MIGRATED and nothing else\n");
}

/* ---- A process that overruns its own CQ ---- */

static bool post_until_overrun(struct ibv_qp *qp, struct ibv_qp *peer, int n)
{
	struct ibv_recv_wr recv = {}, *bad_recv;
	struct ibv_send_wr send = { .opcode = IBV_WR_SEND, .send_flags = IBV_SEND_SIGNALED }, *bad;

	for (; n; n--)
		if (ibv_post_recv(peer, &recv, &bad_recv) || ibv_post_send(qp, &send, &bad))
			return false;
	return true;
}

static bool connect_qps(struct ibv_qp *qp, struct ibv_qp *peer)
{
	struct ibv_qp_attr attr = plain(qp, &steps[RC_RTR]);

	attr.dest_qp_num = peer->qp_num;
	return !walk(qp, RC_INIT) && !ibv_modify_qp(qp, &attr, steps[RC_RTR].need) &&
	       !walk(qp, RC_RTS);
}

static bool event_comes(enum ibv_event_type type)
{
	struct ibv_async_event event;
	bool found = false;
	int tries;

	fcntl(context->async_fd, F_SETFL, O_NONBLOCK);
	for (tries = 0; tries < 100 && !found; tries++, usleep(20000))
		while (!ibv_get_async_event(context, &event)) {
			found |= event.event_type == type;
			ibv_ack_async_event(&event);
		}
	return found;
}

static void overrun(void)
{
	struct ibv_qp_init_attr init = {
		.send_cq = ibv_create_cq(context, 1, NULL, NULL, 0),
		.recv_cq = cq,
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 16,
			 .max_recv_wr = 16,
			 .max_send_sge = 1,
			 .max_recv_sge = 1 },
	};
	struct ibv_qp *qp = ibv_create_qp(pd, &init), *peer;
	bool ok;

	init.send_cq = cq;
	peer = ibv_create_qp(pd, &init);
	ok = qp && peer && connect_qps(qp, peer) && connect_qps(peer, qp);
	ok = ok && post_until_overrun(qp, peer, 8) && event_comes(IBV_EVENT_CQ_ERR);
	ok &= !ibv_destroy_qp(qp) && !ibv_destroy_qp(peer) && !ibv_destroy_cq(init.send_cq);
	ksft_test_result(ok, "a CQ overrun by its own process is an event\n");
}

/* Where a counter must be, and where it must not appear a second time. */
static void counters(void)
{
	bool ok = process_counter(context, "vrb_submitted") > 0 &&
		  process_counter(context, "cq_errors") > 0 &&
		  process_port_counter(context, 1, "vrb_submitted") < 0 &&
		  process_port_counter(context, 1, "cq_errors") < 0;

	ok = ok && process_port_counter(context, 1, "lid_events") >= 0 &&
	     process_port_counter(context, 2, "lid_events") >= 0 &&
	     process_counter(context, "lid_events") < 0;
	ksft_test_result(ok || mthca, "counters are the device's or the port's, none is both\n");
}

/* ---- The whole test ---- */

static bool ready(void)
{
	void *of_dmabuf;

	context = process_open();
	memory = process_memory(BUFFER);
	dmabuf = process_dmabuf(BUFFER, &of_dmabuf);
	if (!context || !memory)
		return false;
	mthca = process_driver_is(context, "ib_mthca");
	pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 64, NULL, NULL, 0);
	return pd && cq && !ibv_query_device(context, &limits) &&
	       !ibv_query_port(context, 1, &port) && !raw_alloc_pd(context->cmd_fd, &raw_pd) &&
	       !raw_reg_mr(context->cmd_fd, raw_pd.handle, memory, BUFFER, 0,
			   IBV_ACCESS_LOCAL_WRITE, &raw_mr) &&
	       !raw_create_cq(context->cmd_fd, 255, raw_mr.lkey, raw_pd.pdn, &raw_cq);
}

static const enum ibv_qp_state reached[] = { IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPS_RTR,
					     IBV_QPS_RTS,   IBV_QPS_SQD,  IBV_QPS_ERR };
static const enum ibv_qp_type types[] = { IBV_QPT_RC, IBV_QPT_UC, IBV_QPT_UD };

static void modify_qp(void)
{
	unsigned int i, t;

	for (i = 0; i < NR_STEPS; i++)
		if (next())
			masks(&steps[i]);
	for (t = 0; t < NR(types); t++)
		for (i = 0; i < NR(reached); i++)
			if (next())
				transitions(types[t], reached[i]);
	for (i = 0; i < NR(values); i++)
		if (next())
			value(&values[i]);
}

int main(int argc, char **argv)
{
	static const char *const drivers[] = { "ib_tavor", "ib_vrb", NULL };
	struct process_log log;
	unsigned int i;

	process_log_open(&log, drivers);
	only = argc > 1 ? atoi(argv[1]) : 0;
	ksft_print_header();
	if (!ready())
		ksft_exit_skip("no RDMA device that works\n");
	ksft_set_plan(only ? 2 : NR_STEPS + NR(types) * NR(reached) + NR(values) + NR(calls) + 4);
	modify_qp();
	for (i = 0; i < NR(calls); i++)
		if (next())
			call(&calls[i]);
	if (next())
		reset_qp_query();
	if (next())
		overrun();
	if (next())
		counters();
	ksft_test_result(!process_log_lines(&log), "the driver has logged nothing\n");
	ksft_finished();
}
