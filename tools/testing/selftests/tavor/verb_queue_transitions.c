// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Level: ci
// Timeout: 300
//
// Tests that a modify has the same result through a verb queue and through ibv_modify_qp(). One
// table of transitions and attributes, valid and invalid, is used for both. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/verb_queue_transitions

#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "process.h"
#include "states.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_ah *ah;

static struct ibv_qp *make(enum ibv_qp_type type)
{
	return connect_make(pd, type, cq, cq, 4);
}

/* ---- The table ---- */

/* The attribute that has another value than in vq_good */
enum value {
	GOOD,
	PORT_0,
	PORT_2,
	PORT_3,
	PKEY_9999,
	ACCESS_0X80,
	MTU_7,
	AV_PORT_0,
	AV_PORT_2,
	AV_PORT_9,
	GRH,
	GID_200,
	SL_16,
	ALT_PORT_9,
	ALT_PKEY_9999,
	RNR_TIMER_32,
	CURRENT_RTR,
	CURRENT_RTS,
	CURRENT_SQD,
	CURRENT_SQE,
	CURRENT_9,
	TIMEOUT_32,
	RETRY_8,
	RNR_RETRY_8,
	RD_ATOMIC_255,
	MIG_REARM,
	MIG_9,
	NOTIFY,
};

#define RC IBV_QPT_RC
#define UC IBV_QPT_UC
#define UD IBV_QPT_UD
#define RESET IBV_QPS_RESET
#define INIT IBV_QPS_INIT
#define RTR IBV_QPS_RTR
#define RTS IBV_QPS_RTS
#define SQD IBV_QPS_SQD
#define SQE IBV_QPS_SQE
#define ERR IBV_QPS_ERR

/* What a transition to RTS from another state than RTR does not need */
#define RTS_ATTRS (IBV_QP_SQ_PSN | VQ_RTS_RC_MASK)

struct transition {
	const char *what;
	enum ibv_qp_type type;
	enum ibv_qp_state from;
	enum ibv_qp_state to;
	int status; /* that both must have */
	int add;    /* to the attributes that the transition needs */
	int remove; /* from these */
	enum value value;
};

static const struct transition transitions[] = {
	/* RESET to INIT */
	{ "RC", RC, RESET, INIT, 0, 0, 0, GOOD },
	{ "UC", UC, RESET, INIT, 0, 0, 0, GOOD },
	{ "UD", UD, RESET, INIT, 0, 0, 0, GOOD },
	{ "no port", RC, RESET, INIT, EINVAL, 0, IBV_QP_PORT, GOOD },
	{ "no access flags", UC, RESET, INIT, EINVAL, 0, IBV_QP_ACCESS_FLAGS, GOOD },
	{ "no Q_Key", UD, RESET, INIT, EINVAL, 0, IBV_QP_QKEY, GOOD },
	{ "port 3", RC, RESET, INIT, EINVAL, 0, 0, PORT_3 },
	{ "port 0", RC, RESET, INIT, EINVAL, 0, 0, PORT_0 },
	{ "port 2", UC, RESET, INIT, 0, 0, 0, PORT_2 },
	{ "P_Key index", RC, RESET, INIT, EINVAL, 0, 0, PKEY_9999 },
	{ "access flags", RC, RESET, INIT, EINVAL, 0, 0, ACCESS_0X80 },
	{ "a Q_Key", RC, RESET, INIT, EINVAL, IBV_QP_QKEY, 0, GOOD },
	{ "a Q_Key", UC, RESET, INIT, EINVAL, IBV_QP_QKEY, 0, GOOD },
	{ "access flags", UD, RESET, INIT, EINVAL, IBV_QP_ACCESS_FLAGS, 0, GOOD },
	{ "a rate limit", RC, RESET, INIT, EOPNOTSUPP, IBV_QP_RATE_LIMIT, 0, GOOD },

	/* INIT to INIT */
	{ "RC", RC, INIT, INIT, 0, 0, 0, GOOD },
	{ "UC", UC, INIT, INIT, 0, 0, 0, GOOD },
	{ "UD", UD, INIT, INIT, 0, 0, 0, GOOD },
	{ "only the state", RC, INIT, INIT, 0, 0,
	  IBV_QP_PORT | IBV_QP_PKEY_INDEX | IBV_QP_ACCESS_FLAGS, GOOD },
	{ "without the state", UC, INIT, INIT, 0, 0, IBV_QP_STATE, GOOD },
	{ "port 2", RC, INIT, INIT, 0, 0, 0, PORT_2 },
	{ "port 3", UD, INIT, INIT, EINVAL, 0, 0, PORT_3 },
	{ "P_Key index", UC, INIT, INIT, EINVAL, 0, 0, PKEY_9999 },
	{ "a path", RC, INIT, INIT, EINVAL, IBV_QP_AV, 0, GOOD },

	/* INIT to RTR */
	{ "RC", RC, INIT, RTR, 0, 0, 0, GOOD },
	{ "UC", UC, INIT, RTR, 0, 0, 0, GOOD },
	{ "UD", UD, INIT, RTR, 0, 0, 0, GOOD },
	{ "no MTU", RC, INIT, RTR, EINVAL, 0, IBV_QP_PATH_MTU, GOOD },
	{ "no PSN", UC, INIT, RTR, EINVAL, 0, IBV_QP_RQ_PSN, GOOD },
	{ "MTU 7", RC, INIT, RTR, EINVAL, 0, 0, MTU_7 },
	{ "MTU 7", UC, INIT, RTR, EINVAL, 0, 0, MTU_7 },
	{ "path's port 2", RC, INIT, RTR, EINVAL, 0, 0, AV_PORT_2 },
	{ "path's port 0", RC, INIT, RTR, EINVAL, 0, 0, AV_PORT_0 },
	{ "path's port 9", UC, INIT, RTR, EINVAL, 0, 0, AV_PORT_9 },
	{ "GID index", RC, INIT, RTR, EINVAL, 0, 0, GID_200 },
	{ "GID index", UC, INIT, RTR, EINVAL, 0, 0, GID_200 },
	{ "a GRH", RC, INIT, RTR, 0, 0, 0, GRH },
	{ "a GRH", UC, INIT, RTR, 0, 0, 0, GRH },
	{ "SL", RC, INIT, RTR, EINVAL, 0, 0, SL_16 },
	{ "an alternate path", RC, INIT, RTR, 0, IBV_QP_ALT_PATH, 0, GOOD },
	{ "an alternate path", UC, INIT, RTR, 0, IBV_QP_ALT_PATH, 0, GOOD },
	{ "alternate port", RC, INIT, RTR, EINVAL, IBV_QP_ALT_PATH, 0, ALT_PORT_9 },
	{ "alternate P_Key index", RC, INIT, RTR, EINVAL, IBV_QP_ALT_PATH, 0, ALT_PKEY_9999 },
	{ "RNR timer", RC, INIT, RTR, EINVAL, 0, 0, RNR_TIMER_32 },
	{ "an RNR timer", UC, INIT, RTR, EINVAL, IBV_QP_MIN_RNR_TIMER, 0, GOOD },
	{ "RDMA reads", UC, INIT, RTR, EINVAL, IBV_QP_MAX_DEST_RD_ATOMIC, 0, GOOD },
	{ "RDMA reads", RC, INIT, RTR, EINVAL, 0, 0, RD_ATOMIC_255 },
	{ "a path", UD, INIT, RTR, EINVAL, IBV_QP_AV, 0, GOOD },
	{ "a Q_Key", UD, INIT, RTR, 0, IBV_QP_QKEY, 0, GOOD },
	{ "current state 9", RC, INIT, RTR, EINVAL, IBV_QP_CUR_STATE, 0, CURRENT_9 },

	/* RTR to RTS */
	{ "RC", RC, RTR, RTS, 0, 0, 0, GOOD },
	{ "UC", UC, RTR, RTS, 0, 0, 0, GOOD },
	{ "UD", UD, RTR, RTS, 0, 0, 0, GOOD },
	{ "no PSN", RC, RTR, RTS, EINVAL, 0, IBV_QP_SQ_PSN, GOOD },
	{ "no PSN", UC, RTR, RTS, EINVAL, 0, IBV_QP_SQ_PSN, GOOD },
	{ "no PSN", UD, RTR, RTS, EINVAL, 0, IBV_QP_SQ_PSN, GOOD },
	{ "no timeout", RC, RTR, RTS, EINVAL, 0, IBV_QP_TIMEOUT, GOOD },
	{ "no retries", RC, RTR, RTS, EINVAL, 0, IBV_QP_RETRY_CNT, GOOD },
	{ "a timeout", UC, RTR, RTS, EINVAL, IBV_QP_TIMEOUT, 0, GOOD },
	{ "a timeout", UD, RTR, RTS, EINVAL, IBV_QP_TIMEOUT, 0, GOOD },
	{ "timeout 32", RC, RTR, RTS, EINVAL, 0, 0, TIMEOUT_32 },
	{ "8 retries", RC, RTR, RTS, EINVAL, 0, 0, RETRY_8 },
	{ "8 RNR retries", RC, RTR, RTS, EINVAL, 0, 0, RNR_RETRY_8 },
	{ "RDMA reads", RC, RTR, RTS, EINVAL, 0, 0, RD_ATOMIC_255 },
	{ "a path", RC, RTR, RTS, EINVAL, IBV_QP_AV, 0, GOOD },
	{ "a path", UC, RTR, RTS, EINVAL, IBV_QP_AV, 0, GOOD },
	{ "a port", RC, RTR, RTS, EINVAL, IBV_QP_PORT, 0, GOOD },
	{ "an alternate path", RC, RTR, RTS, 0, IBV_QP_ALT_PATH, 0, GOOD },
	{ "an alternate path", UC, RTR, RTS, 0, IBV_QP_ALT_PATH, 0, GOOD },
	{ "an alternate path", UD, RTR, RTS, EINVAL, IBV_QP_ALT_PATH, 0, GOOD },
	{ "alternate port", UC, RTR, RTS, EINVAL, IBV_QP_ALT_PATH, 0, ALT_PORT_9 },
	{ "migration", RC, RTR, RTS, 0, IBV_QP_ALT_PATH | IBV_QP_PATH_MIG_STATE, 0, MIG_REARM },
	{ "migration state 9", RC, RTR, RTS, EINVAL, IBV_QP_ALT_PATH | IBV_QP_PATH_MIG_STATE, 0,
	  MIG_9 },
	{ "access flags", RC, RTR, RTS, 0, IBV_QP_ACCESS_FLAGS, 0, GOOD },
	{ "access flags", UC, RTR, RTS, 0, IBV_QP_ACCESS_FLAGS, 0, GOOD },
	{ "access flags 0x80", UC, RTR, RTS, EINVAL, IBV_QP_ACCESS_FLAGS, 0, ACCESS_0X80 },
	{ "an RNR timer", RC, RTR, RTS, 0, IBV_QP_MIN_RNR_TIMER, 0, GOOD },
	{ "an RNR timer", UC, RTR, RTS, EINVAL, IBV_QP_MIN_RNR_TIMER, 0, GOOD },
	{ "a Q_Key", UD, RTR, RTS, 0, IBV_QP_QKEY, 0, GOOD },
	{ "current state", RC, RTR, RTS, 0, IBV_QP_CUR_STATE, 0, CURRENT_RTR },
	{ "current state RTS", RC, RTR, RTS, EINVAL, IBV_QP_CUR_STATE, 0, CURRENT_RTS },
	{ "current state 9", UC, RTR, RTS, EINVAL, IBV_QP_CUR_STATE, 0, CURRENT_9 },

	/* RTS to RTS */
	{ "RC", RC, RTS, RTS, 0, 0, RTS_ATTRS, GOOD },
	{ "UC", UC, RTS, RTS, 0, 0, RTS_ATTRS, GOOD },
	{ "UD", UD, RTS, RTS, 0, 0, RTS_ATTRS, GOOD },
	{ "the attributes of RTR to RTS", RC, RTS, RTS, EINVAL, 0, 0, GOOD },
	{ "access flags", RC, RTS, RTS, 0, IBV_QP_ACCESS_FLAGS, RTS_ATTRS, GOOD },
	{ "access flags", UC, RTS, RTS, 0, IBV_QP_ACCESS_FLAGS, RTS_ATTRS, GOOD },
	{ "access flags", UD, RTS, RTS, EINVAL, IBV_QP_ACCESS_FLAGS, RTS_ATTRS, GOOD },
	{ "without the state", RC, RTS, RTS, 0, IBV_QP_ACCESS_FLAGS, RTS_ATTRS | IBV_QP_STATE,
	  GOOD },
	{ "without the state", UC, RTS, RTS, 0, IBV_QP_ACCESS_FLAGS, RTS_ATTRS | IBV_QP_STATE,
	  GOOD },
	{ "an RNR timer", RC, RTS, RTS, 0, IBV_QP_MIN_RNR_TIMER, RTS_ATTRS, GOOD },
	{ "RNR timer 32", RC, RTS, RTS, EINVAL, IBV_QP_MIN_RNR_TIMER, RTS_ATTRS, RNR_TIMER_32 },
	{ "an alternate path", RC, RTS, RTS, 0, IBV_QP_ALT_PATH, RTS_ATTRS, GOOD },
	{ "alternate port", RC, RTS, RTS, EINVAL, IBV_QP_ALT_PATH, RTS_ATTRS, ALT_PORT_9 },
	{ "an alternate path", UC, RTS, RTS, 0, IBV_QP_ALT_PATH | IBV_QP_PATH_MIG_STATE, RTS_ATTRS,
	  MIG_REARM },
	{ "a Q_Key", UD, RTS, RTS, 0, IBV_QP_QKEY, RTS_ATTRS, GOOD },
	{ "a Q_Key", UC, RTS, RTS, EINVAL, IBV_QP_QKEY, RTS_ATTRS, GOOD },
	{ "a path", RC, RTS, RTS, EINVAL, IBV_QP_AV, RTS_ATTRS, GOOD },
	{ "a port", UC, RTS, RTS, EINVAL, IBV_QP_PORT, RTS_ATTRS, GOOD },
	{ "MTU", RC, RTS, RTS, EINVAL, IBV_QP_PATH_MTU, RTS_ATTRS, GOOD },
	{ "current state", RC, RTS, RTS, 0, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_RTS },
	{ "current state SQD", RC, RTS, RTS, EINVAL, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_SQD },
	{ "current state SQE", UD, RTS, RTS, EINVAL, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_SQE },

	/* RTS to SQD */
	{ "RC", RC, RTS, SQD, 0, 0, 0, GOOD },
	{ "UC", UC, RTS, SQD, 0, 0, 0, GOOD },
	{ "UD", UD, RTS, SQD, 0, 0, 0, GOOD },
	{ "with an event", RC, RTS, SQD, 0, IBV_QP_EN_SQD_ASYNC_NOTIFY, 0, NOTIFY },
	{ "with an event", UC, RTS, SQD, 0, IBV_QP_EN_SQD_ASYNC_NOTIFY, 0, NOTIFY },
	{ "current state", UD, RTS, SQD, EINVAL, IBV_QP_CUR_STATE, 0, CURRENT_RTS },
	{ "a path", RC, RTS, SQD, EINVAL, IBV_QP_AV, 0, GOOD },
	{ "a path", UC, RTS, SQD, EINVAL, IBV_QP_AV, 0, GOOD },
	{ "access flags", RC, RTS, SQD, EINVAL, IBV_QP_ACCESS_FLAGS, 0, GOOD },
	{ "a Q_Key", UD, RTS, SQD, EINVAL, IBV_QP_QKEY, 0, GOOD },

	/* SQD to SQD. uverbs adds the port to a path, which ib_core does not accept for UC. */
	{ "RC", RC, SQD, SQD, 0, 0, 0, GOOD },
	{ "UC", UC, SQD, SQD, 0, 0, 0, GOOD },
	{ "UD", UD, SQD, SQD, 0, 0, 0, GOOD },
	{ "a path", RC, SQD, SQD, 0, IBV_QP_AV, 0, GOOD },
	{ "a path", UC, SQD, SQD, EINVAL, IBV_QP_AV, 0, GOOD },
	{ "a path without the state", RC, SQD, SQD, 0, IBV_QP_AV, IBV_QP_STATE, GOOD },
	{ "a path without the state", UC, SQD, SQD, EINVAL, IBV_QP_AV, IBV_QP_STATE, GOOD },
	{ "a path", UD, SQD, SQD, EINVAL, IBV_QP_AV, 0, GOOD },
	{ "a path of port 2", RC, SQD, SQD, 0, IBV_QP_AV | IBV_QP_PORT, IBV_QP_STATE, PORT_2 },
	{ "path's port 2", UC, SQD, SQD, EINVAL, IBV_QP_AV, 0, AV_PORT_2 },
	{ "path's port 9", RC, SQD, SQD, EINVAL, IBV_QP_AV, 0, AV_PORT_9 },
	{ "path's port 0", UC, SQD, SQD, EINVAL, IBV_QP_AV, IBV_QP_STATE, AV_PORT_0 },
	{ "port 1, path of port 2", RC, SQD, SQD, EINVAL, IBV_QP_AV | IBV_QP_PORT, 0, AV_PORT_2 },
	{ "port 3", RC, SQD, SQD, EINVAL, IBV_QP_AV | IBV_QP_PORT, 0, PORT_3 },
	{ "a GRH", RC, SQD, SQD, 0, IBV_QP_AV, 0, GRH },
	{ "GID index", RC, SQD, SQD, EINVAL, IBV_QP_AV, 0, GID_200 },
	{ "GID index", UC, SQD, SQD, EINVAL, IBV_QP_AV, IBV_QP_STATE, GID_200 },
	{ "a P_Key index", RC, SQD, SQD, 0, IBV_QP_PKEY_INDEX, 0, GOOD },
	{ "P_Key index", RC, SQD, SQD, EINVAL, IBV_QP_PKEY_INDEX, 0, PKEY_9999 },
	{ "P_Key index", UC, SQD, SQD, EINVAL, IBV_QP_PKEY_INDEX, 0, PKEY_9999 },
	{ "P_Key index", UD, SQD, SQD, EINVAL, IBV_QP_PKEY_INDEX, 0, PKEY_9999 },
	{ "a timeout and retries", RC, SQD, SQD, 0,
	  IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY, 0, GOOD },
	{ "timeout 32", RC, SQD, SQD, EINVAL, IBV_QP_TIMEOUT, 0, TIMEOUT_32 },
	{ "8 retries", RC, SQD, SQD, EINVAL, IBV_QP_RETRY_CNT, 0, RETRY_8 },
	{ "a timeout", UC, SQD, SQD, EINVAL, IBV_QP_TIMEOUT, 0, GOOD },
	{ "RDMA reads", RC, SQD, SQD, 0, IBV_QP_MAX_QP_RD_ATOMIC | IBV_QP_MAX_DEST_RD_ATOMIC, 0,
	  GOOD },
	{ "too many RDMA reads", RC, SQD, SQD, EINVAL, IBV_QP_MAX_QP_RD_ATOMIC, 0, RD_ATOMIC_255 },
	{ "access flags", UC, SQD, SQD, 0, IBV_QP_ACCESS_FLAGS, 0, GOOD },
	{ "an alternate path", RC, SQD, SQD, 0, IBV_QP_ALT_PATH, 0, GOOD },
	{ "a Q_Key", UD, SQD, SQD, 0, IBV_QP_QKEY, 0, GOOD },
	{ "a P_Key index", UD, SQD, SQD, 0, IBV_QP_PKEY_INDEX, 0, GOOD },
	{ "MTU", RC, SQD, SQD, EINVAL, IBV_QP_PATH_MTU, 0, GOOD },
	{ "PSN", UC, SQD, SQD, EINVAL, IBV_QP_SQ_PSN, 0, GOOD },

	/* SQD to RTS */
	{ "RC", RC, SQD, RTS, 0, 0, RTS_ATTRS, GOOD },
	{ "UC", UC, SQD, RTS, 0, 0, RTS_ATTRS, GOOD },
	{ "UD", UD, SQD, RTS, 0, 0, RTS_ATTRS, GOOD },
	{ "current state", RC, SQD, RTS, 0, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_SQD },
	{ "current state RTS", UC, SQD, RTS, EINVAL, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_RTS },
	{ "an alternate path", RC, SQD, RTS, 0, IBV_QP_ALT_PATH, RTS_ATTRS, GOOD },
	{ "an RNR timer", RC, SQD, RTS, 0, IBV_QP_MIN_RNR_TIMER, RTS_ATTRS, GOOD },
	{ "a Q_Key", UD, SQD, RTS, 0, IBV_QP_QKEY, RTS_ATTRS, GOOD },
	{ "a path", RC, SQD, RTS, EINVAL, IBV_QP_AV, RTS_ATTRS, GOOD },
	{ "a path", UC, SQD, RTS, EINVAL, IBV_QP_AV, RTS_ATTRS, GOOD },
	{ "a timeout", RC, SQD, RTS, EINVAL, IBV_QP_TIMEOUT, RTS_ATTRS, GOOD },

	/*
	 * SQE to RTS, after a send error. Only the program can know that the QP is in this state.
	 */
	{ "UC", UC, SQE, RTS, 0, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_SQE },
	{ "UD", UD, SQE, RTS, 0, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_SQE },
	{ "a Q_Key", UD, SQE, RTS, 0, IBV_QP_CUR_STATE | IBV_QP_QKEY, RTS_ATTRS, CURRENT_SQE },
	{ "access flags", UC, SQE, RTS, 0, IBV_QP_CUR_STATE | IBV_QP_ACCESS_FLAGS, RTS_ATTRS,
	  CURRENT_SQE },
	{ "no current state", UC, SQE, RTS, EINVAL, 0, RTS_ATTRS, GOOD },
	{ "no current state", UD, SQE, RTS, EINVAL, 0, RTS_ATTRS, GOOD },
	{ "current state RTS", UC, SQE, RTS, EINVAL, IBV_QP_CUR_STATE, RTS_ATTRS, CURRENT_RTS },
	{ "a path", UC, SQE, RTS, EINVAL, IBV_QP_CUR_STATE | IBV_QP_AV, RTS_ATTRS, CURRENT_SQE },
	{ "PSN", UD, SQE, RTS, EINVAL, IBV_QP_CUR_STATE, 0, CURRENT_SQE },

	/* To ERR */
	{ "from INIT", RC, INIT, ERR, 0, 0, 0, GOOD },
	{ "from INIT", UC, INIT, ERR, 0, 0, 0, GOOD },
	{ "from INIT", UD, INIT, ERR, 0, 0, 0, GOOD },
	{ "from RTR", RC, RTR, ERR, 0, 0, 0, GOOD },
	{ "from RTR", UC, RTR, ERR, 0, 0, 0, GOOD },
	{ "from RTR", UD, RTR, ERR, 0, 0, 0, GOOD },
	{ "from RTS", RC, RTS, ERR, 0, 0, 0, GOOD },
	{ "from RTS", UC, RTS, ERR, 0, 0, 0, GOOD },
	{ "from RTS", UD, RTS, ERR, 0, 0, 0, GOOD },
	{ "from SQD", RC, SQD, ERR, 0, 0, 0, GOOD },
	{ "from SQD", UC, SQD, ERR, 0, 0, 0, GOOD },
	{ "from SQD", UD, SQD, ERR, 0, 0, 0, GOOD },
	{ "from ERR", RC, ERR, ERR, 0, 0, 0, GOOD },
	{ "from ERR", UC, ERR, ERR, 0, 0, 0, GOOD },
	{ "from ERR", UD, ERR, ERR, 0, 0, 0, GOOD },
	{ "from SQE", UC, SQE, ERR, 0, 0, 0, GOOD },
	{ "from SQE", UD, SQE, ERR, 0, 0, 0, GOOD },
	{ "from RESET", RC, RESET, ERR, EINVAL, 0, 0, GOOD },
	{ "from RESET", UC, RESET, ERR, EINVAL, 0, 0, GOOD },
	{ "from RESET", UD, RESET, ERR, EINVAL, 0, 0, GOOD },
	{ "a port", RC, RTS, ERR, EINVAL, IBV_QP_PORT, 0, GOOD },
	{ "a Q_Key", UD, RTR, ERR, EINVAL, IBV_QP_QKEY, 0, GOOD },
	{ "a path", UC, SQD, ERR, EINVAL, IBV_QP_AV, 0, GOOD },

	/* To RESET */
	{ "from RESET", RC, RESET, RESET, 0, 0, 0, GOOD },
	{ "from RESET", UC, RESET, RESET, 0, 0, 0, GOOD },
	{ "from RESET", UD, RESET, RESET, 0, 0, 0, GOOD },
	{ "from INIT", RC, INIT, RESET, 0, 0, 0, GOOD },
	{ "from INIT", UC, INIT, RESET, 0, 0, 0, GOOD },
	{ "from INIT", UD, INIT, RESET, 0, 0, 0, GOOD },
	{ "from RTR", RC, RTR, RESET, 0, 0, 0, GOOD },
	{ "from RTR", UC, RTR, RESET, 0, 0, 0, GOOD },
	{ "from RTR", UD, RTR, RESET, 0, 0, 0, GOOD },
	{ "from RTS", RC, RTS, RESET, 0, 0, 0, GOOD },
	{ "from RTS", UC, RTS, RESET, 0, 0, 0, GOOD },
	{ "from RTS", UD, RTS, RESET, 0, 0, 0, GOOD },
	{ "from SQD", RC, SQD, RESET, 0, 0, 0, GOOD },
	{ "from SQD", UC, SQD, RESET, 0, 0, 0, GOOD },
	{ "from SQD", UD, SQD, RESET, 0, 0, 0, GOOD },
	{ "from ERR", RC, ERR, RESET, 0, 0, 0, GOOD },
	{ "from ERR", UC, ERR, RESET, 0, 0, 0, GOOD },
	{ "from ERR", UD, ERR, RESET, 0, 0, 0, GOOD },
	{ "from SQE", UC, SQE, RESET, 0, 0, 0, GOOD },
	{ "from SQE", UD, SQE, RESET, 0, 0, 0, GOOD },
	{ "a port", RC, RESET, RESET, EINVAL, IBV_QP_PORT, 0, GOOD },
	{ "port 3", RC, RESET, RESET, EINVAL, IBV_QP_PORT, 0, PORT_3 },
	{ "a port", RC, RTS, RESET, EINVAL, IBV_QP_PORT, 0, GOOD },
	{ "access flags", UC, ERR, RESET, EINVAL, IBV_QP_ACCESS_FLAGS, 0, GOOD },
	{ "a path", RC, SQD, RESET, EINVAL, IBV_QP_AV, 0, GOOD },

	/* No transitions */
	{ "none", RC, RESET, RTR, EINVAL, 0, 0, GOOD },
	{ "none", UC, RESET, RTS, EINVAL, 0, 0, GOOD },
	{ "none", UD, RESET, SQD, EINVAL, 0, 0, GOOD },
	{ "none", RC, RESET, SQE, EINVAL, 0, 0, GOOD },
	{ "none", RC, INIT, RTS, EINVAL, 0, 0, GOOD },
	{ "none", UC, INIT, RTS, EINVAL, 0, 0, GOOD },
	{ "none", UD, INIT, SQD, EINVAL, 0, 0, GOOD },
	{ "none", RC, INIT, SQD, EINVAL, 0, 0, GOOD },
	{ "none", RC, RTR, INIT, EINVAL, 0, 0, GOOD },
	{ "none", UC, RTR, RTR, EINVAL, 0, 0, GOOD },
	{ "none", RC, RTR, SQD, EINVAL, 0, 0, GOOD },
	{ "none", UD, RTR, SQE, EINVAL, 0, 0, GOOD },
	{ "none", RC, RTS, INIT, EINVAL, 0, 0, GOOD },
	{ "none", UC, RTS, INIT, EINVAL, 0, 0, GOOD },
	{ "none", RC, RTS, RTR, EINVAL, 0, 0, GOOD },
	{ "none", UD, RTS, RTR, EINVAL, 0, 0, GOOD },
	{ "none", UD, RTS, SQE, EINVAL, 0, 0, GOOD },
	{ "none", RC, RTS, SQE, EINVAL, 0, 0, GOOD },
	{ "none", RC, SQD, INIT, EINVAL, 0, 0, GOOD },
	{ "none", UC, SQD, RTR, EINVAL, 0, 0, GOOD },
	{ "none", UD, SQD, SQE, EINVAL, 0, 0, GOOD },
	{ "none", UC, SQE, SQD, EINVAL, 0, 0, GOOD },
	{ "none", UD, SQE, INIT, EINVAL, 0, 0, GOOD },
	{ "none", UD, SQE, RTR, EINVAL, 0, 0, GOOD },
	{ "none", RC, ERR, INIT, EINVAL, 0, 0, GOOD },
	{ "none", UC, ERR, RTS, EINVAL, 0, 0, GOOD },
	{ "none", UD, ERR, RTR, EINVAL, 0, 0, GOOD },
	{ "none", RC, ERR, SQD, EINVAL, 0, 0, GOOD },
	{ "none", RC, INIT, IBV_QPS_UNKNOWN, EINVAL, 0, 0, GOOD },
	{ "none", UD, RTS, IBV_QPS_UNKNOWN, EINVAL, 0, 0, GOOD },
};

static void set_state_value(struct ibv_qp_attr *attr, enum value value)
{
	attr->cur_qp_state = value == CURRENT_RTR ? IBV_QPS_RTR :
			     value == CURRENT_RTS ? IBV_QPS_RTS :
			     value == CURRENT_SQD ? IBV_QPS_SQD :
			     value == CURRENT_SQE ? IBV_QPS_SQE :
						    9;
	attr->path_mig_state = value == MIG_REARM ? IBV_MIG_REARM : 9;
	attr->en_sqd_async_notify = value == NOTIFY;
}

static void set_path_value(struct ibv_qp_attr *attr, enum value value)
{
	struct ibv_ah_attr *path = &attr->ah_attr;

	path->port_num = value == AV_PORT_0		       ? 0 :
			 value == AV_PORT_2 || value == PORT_2 ? 2 :
			 value == AV_PORT_9		       ? 9 :
								 1;
	path->is_global = value == GRH || value == GID_200;
	path->grh.sgid_index = value == GID_200 ? 200 : 0;
	path->grh.dgid.raw[0] = 0xfe;
	path->grh.dgid.raw[1] = 0x80;
	path->sl = value == SL_16 ? 16 : 0;
	attr->alt_ah_attr = *path;
	attr->alt_port_num = value == ALT_PORT_9 ? 9 : path->port_num;
	attr->alt_pkey_index = value == ALT_PKEY_9999 ? 9999 : 0;
}

static void set_value(struct ibv_qp_attr *attr, enum value value)
{
	attr->port_num = value == PORT_0 ? 0 : value == PORT_2 ? 2 : value == PORT_3 ? 3 : 1;
	attr->pkey_index = value == PKEY_9999 ? 9999 : 0;
	attr->path_mtu = value == MTU_7 ? 7 : attr->path_mtu;
	attr->min_rnr_timer = value == RNR_TIMER_32 ? 32 : 12;
	attr->timeout = value == TIMEOUT_32 ? 32 : 14;
	attr->retry_cnt = value == RETRY_8 ? 8 : 7;
	attr->rnr_retry = value == RNR_RETRY_8 ? 8 : 7;
	attr->max_rd_atomic = value == RD_ATOMIC_255 ? 255 : 1;
	attr->max_dest_rd_atomic = attr->max_rd_atomic;
	if (value == ACCESS_0X80)
		attr->qp_access_flags = 0x80;
	set_state_value(attr, value);
	set_path_value(attr, value);
}

static struct vrb_queue_request request_of(const struct transition *t, uint64_t user_data)
{
	struct ibv_qp_attr attr = vq_good;

	set_value(&attr, t->value);
	attr.qp_state = t->to;
	return vq_request(user_data, VRB_QUEUE_OP_MODIFY, &attr,
			  (state_needs(t->type, t->to) & ~t->remove) | t->add);
}

/* ---- ibv_modify_qp() and the verb queue ---- */

/* Executes the command itself, because the library refuses some of the requests. */
static int sync_modify(struct ibv_qp *qp, const struct ib_uverbs_qp_attr *from)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_modify_qp core;
	} command = {
		.hdr = { IB_USER_VERBS_CMD_MODIFY_QP, sizeof(command) / 4, 0 },
		.core = {
			.qp_handle = qp->handle,
			.attr_mask = from->qp_attr_mask,
			.qkey = from->qkey,
			.rq_psn = from->rq_psn,
			.sq_psn = from->sq_psn,
			.dest_qp_num = from->dest_qp_num,
			.qp_access_flags = from->qp_access_flags,
			.pkey_index = from->pkey_index,
			.alt_pkey_index = from->alt_pkey_index,
			.qp_state = from->qp_state,
			.cur_qp_state = from->cur_qp_state,
			.path_mtu = from->path_mtu,
			.path_mig_state = from->path_mig_state,
			.max_rd_atomic = from->max_rd_atomic,
			.max_dest_rd_atomic = from->max_dest_rd_atomic,
			.min_rnr_timer = from->min_rnr_timer,
			.port_num = from->port_num,
			.timeout = from->timeout,
			.retry_cnt = from->retry_cnt,
			.rnr_retry = from->rnr_retry,
			.alt_port_num = from->alt_port_num,
			.alt_timeout = from->alt_timeout,
			.en_sqd_async_notify = from->en_sqd_async_notify,
		},
	};
	struct ib_uverbs_qp_dest *dest = &command.core.dest;

	memcpy(dest->dgid, from->ah_attr.grh.dgid, 16);
	dest->dlid = from->ah_attr.dlid;
	dest->sl = from->ah_attr.sl;
	dest->is_global = from->ah_attr.is_global;
	dest->sgid_index = from->ah_attr.grh.sgid_index;
	dest->port_num = from->ah_attr.port_num;
	command.core.alt_dest = *dest;
	return write(context->cmd_fd, &command, sizeof(command)) == sizeof(command) ? 0 : errno;
}

/* Returns whether both QPs have the same state and the same attributes. */
static bool alike(struct ibv_qp *a, struct ibv_qp *b)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr one, two;

	memset(&one, 0, sizeof(one));
	memset(&two, 0, sizeof(two));
	if (ibv_query_qp(a, &one, 0, &init) || ibv_query_qp(b, &two, 0, &init))
		return false;
	/* The library does not set it; it is that of the caller's structure. */
	one.cur_qp_state = two.cur_qp_state = one.qp_state;
	return !memcmp(&one, &two, sizeof(one));
}

static bool test_one(const struct transition *t, int fd)
{
	struct ibv_qp *a = make(t->type), *b = make(t->type);
	struct vrb_queue_request r = request_of(t, 1);
	const int ready = state_bring(a, t->from, ah) ?: state_bring(b, t->from, ah);
	struct vrb_queue_completion c;
	int sync, async;
	bool same;

	sync = sync_modify(a, &r.attr);
	async = vq_one(context->cmd_fd, fd, b, r, &c);
	same = alike(a, b);
	if (ready || sync != t->status || async != t->status || !same)
		ksft_print_msg("type %d, state %d to %d, %s: %d, by a queue %d, expected %d%s%s\n",
			       t->type, t->from, t->to, t->what, sync, async, t->status,
			       same ? "" : ", other attributes", ready ? ", not ready" : "");
	ibv_destroy_qp(a);
	ibv_destroy_qp(b);
	return !ready && sync == t->status && async == t->status && same;
}

static void test_transitions(int fd)
{
	unsigned int i, wrong[2] = {}, n[2] = {};

	for (i = 0; i < NR(transitions); i++) {
		const bool fails = transitions[i].status;

		n[fails]++;
		wrong[fails] += !test_one(&transitions[i], fd);
	}
	ksft_test_result(!wrong[0], "ibv_modify_qp and queue: %u valid transitions: %u wrong\n",
			 n[0], wrong[0]);
	ksft_test_result(!wrong[1], "ibv_modify_qp and queue: %u invalid ones: %u wrong\n", n[1],
			 wrong[1]);
}

/* ---- Privileges ---- */

/* Returns the verb queue, or a negative number. */
static int open_all(void)
{
	struct ibv_ah_attr path = { .dlid = 1, .port_num = 1 };

	context = process_open();
	pd = context ? ibv_alloc_pd(context) : NULL;
	cq = pd ? ibv_create_cq(context, 64, NULL, NULL, 0) : NULL;
	ah = pd ? ibv_create_ah(pd, &path) : NULL;
	return cq && ah ? vq_create(context->cmd_fd, 64) : -1;
}

/* Drops CAP_NET_RAW, and keeps all others. */
static int drop_privilege(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << CAP_NET_RAW);
	data[0].permitted &= ~(1U << CAP_NET_RAW);
	return syscall(SYS_capset, &header, data);
}

static int qkey_of_others(struct vrb_queue_request r)
{
	struct vrb_queue_completion c;
	struct ibv_qp *a, *b;
	int fd, sync, async;

	if (drop_privilege())
		return 9;
	/* uverbs refuses calls of a process whose credentials have changed since its open. */
	fd = open_all();
	if (fd < 0)
		return 8;
	a = make(IBV_QPT_UD);
	b = make(IBV_QPT_UD);
	sync = sync_modify(a, &r.attr);
	async = vq_one(context->cmd_fd, fd, b, r, &c);
	if (sync == EPERM && async == EPERM)
		return 0;
	ksft_print_msg("%d, by a queue %d\n", sync, async);
	return 1;
}

/* A privileged Q_Key, by verb queue and by ibv_modify_qp(). */
static void test_qkey(int fd)
{
	struct ibv_qp *b = make(IBV_QPT_UD);
	struct vrb_queue_completion c;
	struct vrb_queue_request r;
	struct ibv_qp_attr attr = vq_good;
	int status, async;
	pid_t child;

	attr.qkey = 0x80000001;
	attr.qp_state = IBV_QPS_INIT;
	r = vq_request(1, VRB_QUEUE_OP_MODIFY, &attr, VQ_INIT_MASK | IBV_QP_QKEY);
	child = fork();
	if (!child)
		_exit(qkey_of_others(r));
	waitpid(child, &status, 0);
	ksft_test_result(WIFEXITED(status) && !WEXITSTATUS(status),
			 "both refuse a privileged Q_Key to others: status 0x%x\n", status);
	async = vq_one(context->cmd_fd, fd, b, r, &c);
	ksft_test_result(!async, "the queue accepts it from a privileged process: %d\n", async);
	ibv_destroy_qp(b);
}

int main(void)
{
	int fd;

	ksft_print_header();
	fd = open_all();
	if (!context || !process_driver_is(context, "ib_tavor"))
		ksft_exit_skip("no device of ib_tavor\n");
	if (fd < 0)
		ksft_exit_fail_msg("no objects: %d\n", fd);
	ksft_set_plan(4);
	test_transitions(fd);
	test_qkey(fd);
	ksft_finished();
}
