/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Queue pairs. The layers of the QP side, lowest first:
 *
 *	wq_fifo.c	WQEs that doorbells have announced
 *	key_use.c	number of queues that use a memory key
 *	blame.c		reports that name a QP
 *	qp.c		table, states, completions, paths
 *	wqe.c, srq.c	work queue elements, shared receive queues
 *	work_queue.c	the walk of a QP through its own queues
 *	requester.c, responder.c (RC, UC), ud.c, mlx.c	services
 *	flush.c		queues in error
 *	dispatch.c	turns of the loop, timers, doorbells, packets
 *	context.c	the context in the format of commands
 *	qp_cmd.c, qp_objects.c	firmware commands, output for the control socket
 *
 * The context of a QP is kept here, not in the DDR; QUERY_QPEE returns it in the layout of
 * tavor-hw 12.3.
 */
#ifndef HCA_QP_H
#define HCA_QP_H

#include "core/bytes.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/keys.h"
#include "device/queues.h"
#include "fabric/port.h"

#define LOG_RESERVED_QPS 10u /* QUERY_DEV_LIM 0x12 */
#define RESERVED_SRQS 16u    /* QUERY_DEV_LIM 0x14 */
#define WQ_LIMIT (1u << 16)  /* maximum WQEs of a queue, QUERY_DEV_LIM 0x10, 0x11 */
#define WQE_MAX 1008u
#define SPANS_MAX 63u
#define SQ_SLOTS 64u  /* messages in flight; a power of two */
#define QP_BUDGET 32  /* packets or CQEs of one QP in one turn of the loop */
#define RESP_MAX 128u /* 2^7: largest responder depth in QUERY_DEV_LIM */
#define PSN_HALF 0x800000u

enum qp_state { QP_RESET, QP_INIT, QP_RTR, QP_RTS, QP_SQE, QP_SQD, QP_ERR, QP_DRAINING };
enum qp_service { SVC_RC = 0, SVC_UC = 1, SVC_RD = 2, SVC_UD = 3, SVC_MLX = 7 };
enum pm_state { PM_ARMED = 0, PM_REARM = 1, PM_MIGRATED = 3 };

/* Syndromes of an error CQE (tavor-hw 11.3) */
enum syndrome {
	SYN_OK = 0,
	SYN_LOCAL_LENGTH = 0x01,
	SYN_LOCAL_QP_OP = 0x02,
	SYN_LOCAL_PROT = 0x04,
	SYN_FLUSHED = 0x05,
	SYN_BIND = 0x06,
	SYN_BAD_RESPONSE = 0x10,
	SYN_LOCAL_ACCESS = 0x11,
	SYN_REMOTE_INVALID = 0x12,
	SYN_REMOTE_ACCESS = 0x13,
	SYN_REMOTE_OP = 0x14,
	SYN_RETRY = 0x15,
	SYN_RNR_RETRY = 0x16,
};

/* Send opcodes of a WQE (tavor-hw 13.9) */
enum wqe_op {
	WQE_NOP = 0x00,
	WQE_WRITE = 0x08,
	WQE_WRITE_IMM = 0x09,
	WQE_SEND = 0x0a,
	WQE_SEND_IMM = 0x0b,
	WQE_READ = 0x10,
	WQE_CMP_SWAP = 0x11,
	WQE_FETCH_ADD = 0x12,
	WQE_BIND = 0x18,
};

/* --- wq_fifo.c ---------------------------------------------------------------------------- */

/* A send doorbell announces a chain (count 0), a receive doorbell announces @count WQEs. */
struct wq_db {
	u32 addr; /* [31:6]; low bits 0 */
	u16 count;
	u8 op;
	u8 size; /* [5:0], [6] fence */
};

struct wq_fifo {
	struct wq_db *ring;
	u32 room, head, tail; /* free-running; room is a power of two */
	u32 wqes;	      /* announced and not fetched */
};

bool wq_push(struct wq_fifo *f, struct wq_db db); /* false: more WQEs than a queue can hold */
struct wq_db *wq_first(struct wq_fifo *f);
void wq_drop_first(struct wq_fifo *f);
void wq_free(struct wq_fifo *f);

/* --- key_use.c ---------------------------------------------------------------------------- */

/* Counts a queue that starts (+1) or stops (-1) using the index of a key. */
void key_use(struct hca *h, u32 key, int delta);
u32 key_use_count(struct hca *h, u32 key);
/* Returns whether two keys have the same index. */
bool key_use_same(struct hca *h, u32 a, u32 b);
void key_use_reset(struct hca *h);

/* --- wqe.c -------------------------------------------------------------------------------- */

struct span {
	u64 va;
	const u8 *bytes; /* inline data, else NULL */
	u32 key;
	u32 len;
};

struct wqe {
	u32 addr;
	u8 size, opcode;
	bool fence;
	/* the link to the next WQE */
	bool more; /* the chain continues */
	u32 next_addr;
	u8 next_op, next_size; /* size with the fence in [6] */
	u32 flags, imm;
	u64 raddr;
	u32 rkey;
	u64 swap, compare;
	u32 av_key;
	u64 av_va;
	u32 dqpn, qkey;
	u32 bind_flags, bind_rkey, bind_lkey;
	u64 bind_va, bind_len;
	u64 total; /* bytes of all spans */
	u32 nspans;
	struct span span[SPANS_MAX];
	u8 raw[WQE_MAX];
};

#define WQE_FLAG_CQE (1u << 3)
#define WQE_FLAG_SOLICITED (1u << 1)

/* The current position in the scatter/gather list of a WQE */
struct sg_pos {
	u32 span, off;
};

struct qp;
struct srq;

/*
 * Fetches and parses a WQE. Returns 0 or the syndrome. The WQE's link is valid if the fetch has
 * succeeded (w->size != 0).
 */
u8 wqe_fetch_send(struct qp *qp, u32 addr, u8 size, u8 opcode, struct wqe *w);

/* The source of receive WQEs: a QP's own queue or an SRQ */
struct recv_source {
	struct hca *h;
	const char *who;
	struct wq_fifo *fifo;
	u32 uar, pd, lkey, hi;
	u8 ds; /* fixed size of an SRQ's WQEs, 0 for a QP's own queue */
};

enum take { TAKE_OK, TAKE_EMPTY, TAKE_FETCH_FAILED, TAKE_MALFORMED };

/* Takes the next receive WQE. If @body is false, only its address is needed, for a flush. */
enum take wqe_take_recv(const struct recv_source *s, struct wqe *w, bool body);

void sg_seek(const struct wqe *w, struct sg_pos *pos, u64 offset);
/* Return 0, -EACCES or -EFAULT from the TPT, or -EMSGSIZE if the list is too short. */
int sg_gather(struct hca *h, const char *who, u32 pd, const struct wqe *w, struct sg_pos *pos,
	      u8 *buf, u32 len);
int sg_scatter(struct hca *h, const char *who, u32 pd, const struct wqe *w, struct sg_pos *pos,
	       const u8 *buf, u32 len);

/* --- qp.c --------------------------------------------------------------------------------- */

struct qp_path {
	u8 port, pkey_index;
	u8 rnr_retry;
	bool grh;
	u8 path_bits;
	u16 dlid;
	u8 ack_timeout;
	u8 sgid_index;
	u8 static_rate;
	u8 hop_limit;
	u8 sl, tclass;
	u32 flow_label;
	u8 dgid[16];
};

/* The position of the send queue in the chains */
struct sq_cursor {
	bool active;
	u8 op, size; /* size with the fence in [6] */
	u32 addr;
	u32 chain;  /* number of the doorbell, from 1 */
	u32 walked; /* WQEs of this chain so far */
};

/* A message of the send queue that has started and has not completed */
struct sq_slot {
	u64 raddr, len;
	u32 addr, chain;
	u32 psn, npsn; /* first PSN, number of PSNs; 0: sends nothing */
	u32 rkey, imm;
	u32 got; /* response packets of a read that have arrived */
	u8 size, opcode, flags;
	u8 err; /* syndrome of the failure, completed in order */
	bool done;
};

struct requester {
	struct sq_slot slot[SQ_SLOTS];
	u32 head, tx, tail; /* free-running: oldest incomplete, being sent, next free */
	u32 tx_pkt;	    /* packets of slot[tx] sent */
	u32 tx_loaded;	    /* slot whose WQE is in @wqe, plus one; 0 none */
	u32 rd_loaded;	    /* the same for @rd */
	u32 una, snd_max;   /* oldest unacknowledged PSN, end of what has been sent */
	u32 reads;	    /* reads and atomics in flight */
	bool halted;	    /* a slot failed locally: no message starts */
	bool rnr_wait;
	bool rewound;  /* ignore further implied NAKs until there is progress */
	u64 deadline;  /* of the ack timer, 0 none */
	bool overtime; /* the deadline has passed once */
	struct sg_pos tx_pos, rd_pos;
	struct wqe wqe, rd;
};

/* A response that the responder must send: RDMA read data or an atomic result */
struct resp {
	u64 va, len; /* remaining bytes to send */
	u64 result;
	u32 psn, key; /* next PSN */
	u32 msn;
	bool atomic, started;
};

/* The data for a duplicate of a read or atomic request */
struct rdb {
	u32 psn, npsn;
	bool atomic, valid;
	u64 va, len, result;
	u32 key;
};

enum recv_op { RECV_NONE, RECV_SEND, RECV_WRITE };

struct responder {
	u8 op;	       /* enum recv_op: the message being received */
	bool nak_sent; /* nothing is sent until the expected PSN arrives */
	bool skip;     /* UC: drop until a message begins */
	bool ack_due;
	bool told;	 /* a receive CQE has reported the error of this request */
	u8 ack_syndrome; /* of the ACK or NAK that is due */
	u32 ack_psn;
	bool fatal;	/* moves to error when the NAK has been sent, */
	u8 fatal_event; /* with this event; 0 none */
	u64 w_va, w_left, w_total;
	u32 w_key;
	u32 resp_head, resp_tail;
	u32 rdb_next;
	struct resp resp[2 * RESP_MAX];
	struct rdb rdb[RESP_MAX];
};

struct qp {
	struct hca *h;
	struct qp *next, **at; /* all QPs of the HCA */
	char name[16];
	u32 qpn;
	u8 state, service, pm_state;
	bool stub;	/* RESET to ERR: there never was a context */
	bool sqd_event; /* event 0x03 was requested */
	bool comm_est;	/* event 0x02 has not been reported */
	bool lwqe_done; /* event 0x13 has been reported */
	bool pm_failed; /* event 0x07 was reported after the path was armed */
	u8 sched;
	bool de;
	u8 mtu, log_msg;
	u32 uar, rqpn, rdd, pd, wqe_hi, wqe_lkey;
	struct qp_path path, alt;
	u8 ack_freq, flight, log_sra, retry, retry_left, rnr_left;
	bool sre, swe, sae, sic, ssc;
	u8 log_rra, min_rnr;
	bool rre, rwe, rae, ric, rsc;
	u32 sq_psn, scqn, last_acked, ssn;
	u32 rq_psn, rcqn, rdb, rmsn, qkey;
	bool srq_en;
	u32 srqn;
	struct srq *srq;

	struct wq_fifo sq, rq;
	struct sq_cursor cur;
	u32 chains;	      /* doorbells so far, to number them */
	u32 flushed;	      /* chains up to this one have an error CQE */
	u32 sq_next, rq_next; /* WQE addresses, for QUERY_QPEE */

	/* the receive WQE in progress */
	bool rx_active;
	u64 rx_len;
	struct sg_pos rx_pos;
	struct wqe rx;

	struct requester *req; /* RC and UC */
	struct responder *resp;
	struct wqe *ud; /* UD and MLX: the WQE being sent */
	struct hca_work work;
	struct hca_timer timer;
};

struct qp_part {
	struct hca *h;
	struct qp **table; /* by index */
	u32 mask;
	struct qp *all;
	u32 live;
	u32 special[2]; /* base QPN of QP0 and QP1, 0 none */
	void (*work)(struct hca_work *w);
	void (*timer)(struct hca_timer *t);
};

static inline struct qp_part *qp_part(const struct hca *h)
{
	return hca_part(h, PART_QP);
}

static inline u32 psn_add(u32 psn, u32 n)
{
	return (psn + n) & PSN_MASK;
}

/* Returns the distance from @b to @a, modulo 2^24. */
static inline u32 psn_ahead(u32 a, u32 b)
{
	return (a - b) & PSN_MASK;
}

static inline u32 mtu_bytes(u8 code)
{
	return 128u << code;
}

static inline u32 qp_index_mask(const struct hca *h)
{
	return (1u << hca_profile(h)->log_qps) - 1;
}

/* Like blame(), with the UAR page in the QP's context. */
void qp_blame(struct qp *qp, enum hca_rule rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct qp *qp_lookup(struct hca *h, u32 qpn);
/* Returns the QP at the index of this QPN, even if its own QPN differs. */
struct qp *qp_at_index(struct hca *h, u32 qpn);
struct qp *qp_create(struct hca *h, u32 qpn);
void qp_destroy(struct qp *qp);
/* Allocates the transport state of the service type. The context must be complete. */
bool qp_setup(struct qp *qp);
/* Returns the number of a special QP (0 or 1) and its port, or -1. */
int qp_special(struct hca *h, u32 qpn, int *port);

void qp_kick(struct qp *qp);
void qp_to_error(struct qp *qp);
/* Handles an affiliated asynchronous error: reports the event and moves the QP to error. */
void qp_fatal(struct qp *qp, enum hca_event ev);
/* Handles a completion error of the send queue: moves RC to ERR, other services to SQE. */
void qp_send_error(struct qp *qp);

/* Write CQEs. They return false if the QP has changed its state because of an error of the CQ. */
bool qp_cqe_send(struct qp *qp, u32 addr, u8 size, u8 opcode, u32 byte_cnt);
bool qp_cqe_recv(struct qp *qp, const struct cqe *fill, bool solicited);
void qp_cqe_error(struct qp *qp, bool send, u32 addr, u8 size, u8 syndrome);
/* The same, with the number of later doorbells whose WQEs it stands for (tavor-hw 11.4). */
void qp_cqe_counted(struct qp *qp, bool send, u32 wqe, u8 syndrome, u16 db_cnt);
/* Returns for how many of @behind doorbells an error CQE stands. */
u16 qp_counted(const struct qp *qp, u32 behind);
/* Writes the error CQE of a chain, of which the WQE at @addr is the first that is incomplete. */
void qp_flush_chain(struct qp *qp, u32 chain, u32 addr, u8 size, u8 syndrome);
/* Returns whether the chain has its error CQE, or another's stands for it. */
bool qp_chain_flushed(const struct qp *qp, u32 chain);

static inline bool qp_sends(const struct qp *qp)
{
	return qp->state == QP_RTS;
}

bool qp_receives(const struct qp *qp);
u8 *qp_put_path(struct qp *qp, u8 *at, const struct qp_path *path);
bool pkey_match(u16 a, u16 b);
/* Makes the alternate path the primary one; with @tell it reports event 0x01. */
void qp_migrate(struct qp *qp, bool tell);

/* --- work_queue.c ------------------------------------------------------------------------- */

/* The walk through the send queue, for all services */
bool sq_peek(struct qp *qp);		   /* whether there is a WQE to start */
u8 sq_fetch(struct qp *qp, struct wqe *w); /* fetches it and follows its link */

/* Returns the QP's own receive queue. */
struct recv_source qp_recv_source(struct qp *qp);
/*
 * Takes a receive WQE for a message. After TAKE_OK it is in qp->rx. Errors have been completed and
 * handled.
 */
enum take qp_take_recv(struct qp *qp);
/* Scatters data to the receive WQE. Returns 0 or the syndrome. */
u8 qp_scatter(struct qp *qp, const u8 *data, u32 len);

/* --- services ----------------------------------------------------------------------------- */

/* Each processes up to *budget packets, and returns whether there is more work. */
bool requester_run(struct qp *qp, int *budget);
bool responder_run(struct qp *qp, int *budget);
bool ud_run(struct qp *qp, int *budget);

void requester_reset(struct qp *qp);	   /* send PSN set: RTR to RTS */
void requester_flush_slots(struct qp *qp); /* error state: slots become flush CQEs */
void requester_drain(struct qp *qp);	   /* SQD was requested: checks whether it is reached */
void requester_timer(struct qp *qp);
void requester_rx(struct qp *qp, const struct headers *hd);
void responder_rx(struct qp *qp, const struct headers *hd);
void uc_rx(struct qp *qp, const struct headers *hd);
void ud_rx(struct qp *qp, int port, const struct headers *hd);
u8 ud_send(struct qp *qp, const struct wqe *w);
u8 mlx_send(struct qp *qp, const struct wqe *w);
int mlx_pkey_index(struct hca *h, int port, u16 pkey); /* -1 if no entry matches */

/* --- flush.c ------------------------------------------------------------------------------ */

/* Writes at most *budget flush CQEs in an error state. Returns true if more WQEs are posted. */
bool qp_flush(struct qp *qp, int *budget);

/* --- srq.c -------------------------------------------------------------------------------- */

struct srq *srq_lookup(struct hca *h, u32 srqn);
u32 srq_pd(const struct srq *srq);
void srq_use(struct srq *srq, int delta);
enum take srq_take(struct srq *srq, struct wqe *w);
void srq_db(struct hca *h, u32 uar, u32 srqn, u32 addr, u32 count);
void srq_fail(struct srq *srq);
/* For qp_uses_mpt() */
bool srq_uses_mpt(struct hca *h, u32 key, u32 *uar);
int srq_new(struct hca *h);
void srq_reset_all(struct hca *h);
extern const struct cmd_desc srq_cmds[];

/* --- calls into the device and the ports --- */

int qp_new(struct hca *h);
extern const struct cmd_desc qp_cmds[]; /* all *_QPEE, CONF_SPECIAL_QP */
/*
 * Processes a packet that has arrived on @port (1-based) and is addressed to this HCA (its LID, the
 * permissive LID, or a multicast LID), and takes ownership of it. @from_fw: the packet is a trap of
 * the SMA, with source LID 0.
 */
void qp_rx(struct hca *h, int port, struct packet *p, bool from_fw);
void qp_reset_all(struct hca *h);	  /* at a reset or CLOSE_HCA; reports nothing */
void qp_cq_error(struct hca *h, u32 cqn); /* overflow: moves its QPs to error with event 0x05 */
bool qp_uses_cq(struct hca *h, u32 cqn);  /* whether a QP that is not in RESET uses it */
/* Returns whether a work queue uses this key's index. *uar is the UAR page in its context. */
bool qp_uses_mpt(struct hca *h, u32 key, u32 *uar);
/* Doorbells (tavor-hw 14) */
void qp_db_send(struct hca *h, u32 uar, u32 hi, u32 lo);
void qp_db_recv(struct hca *h, u32 uar, u32 hi, u32 lo); /* QP and SRQ */

struct cJSON;
void qp_objects(struct hca *h, struct cJSON *out);
void srq_objects(struct hca *h, struct cJSON *out);

#endif
