/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The seams of the HCA model: what its files call in one another.
 *
 * The model is one process with one thread. Everything runs from the event loop (loop.c): messages of the
 * vfio-user client, timers, and deferred work. No function here blocks. Numbers are in host byte order
 * unless a type says otherwise; what lies in memory the guest can see is big-endian and is only read and
 * written through the accessors of bytes.h.
 *
 * Who is below whom (a file calls only downwards, or through the functions declared here):
 *
 *	main, options, control                       process
 *	vfu (vfio-user protocol) -> pci -> regs, uar, ddr      what the guest touches
 *	cmd -> cmd tables of sys, tpt, eq, cq, qp, srq, mgm, mad
 *	qp, wqe, requester, responder, ud            work queues and transport
 *	packet, port, wire, mcast, sma, pma          packets, links and management
 *	tpt, cq, eq                                  what the above write results through
 *	dma, report, loop                            bottom
 */
#ifndef HCA_H
#define HCA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define HCA_PAGE 4096u

struct hca;
struct packet;

/* --- report.c: violations and user faults --------------------------------------------------------- */

/*
 * Every rule the model enforces has a name and a sentence in rules_device.def, rules_qp.def or
 * rules_fabric.def: RULE(identifier, "rule-name", "what is forbidden, and by which section").
 */
enum hca_rule {
#define RULE(id, name, text) RULE_##id,
#include "device/rules_device.def"
#include "qp/rules_qp.def"
#include "fabric/rules_fabric.def"
#undef RULE
	RULE_COUNT
};

const char *rule_name(enum hca_rule rule);

/*
 * A violation is the kernel driver's fault and fails the run. @object names what was touched ("QP 0x403",
 * "HCR", "EQ 2"), the format says what was wrong with the offending values.
 */
void violation(struct hca *h, enum hca_rule rule, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * The same for what an unprivileged process can cause alone, through its doorbell page and its WQEs: a user
 * fault if @uar, the page the object's context names, is a process's, else a violation.
 */
void blame(struct hca *h, u32 uar, enum hca_rule rule, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void hca_log(struct hca *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Named event counters, shown in the summary and on the control socket; @name is a literal. */
void count(struct hca *h, const char *name);

/* --- random.c --- */

u64 hca_random(struct hca *h);
double hca_random_unit(struct hca *h); /* [0, 1) */
bool hca_chance(struct hca *h, double probability);

/* --- loop.c: time and deferred work ---------------------------------------------------------------- */

struct hca_timer {
	void (*fn)(struct hca_timer *t);
	void *priv; /* loop.c's; NULL before the first timer_arm() */
};

u64 now_ns(void);
void timer_setup(struct hca_timer *t, void (*fn)(struct hca_timer *t));
/* (Re)arms; 0 means "at the next turn of the loop". */
void timer_arm(struct hca_timer *t, u64 ns);
void timer_cancel(struct hca_timer *t);
bool timer_armed(const struct hca_timer *t);

/*
 * Work runs after the messages at hand, in the order it was scheduled, once per scheduling. A function
 * that has more to do than a few packets schedules itself again, so the client is never kept waiting.
 */
struct hca_work {
	void (*fn)(struct hca_work *w);
	struct hca_work *next;
	struct hca_work **at; /* what points here: cancelling one of many must not look for it */
	bool queued;
};

void work_schedule(struct hca_work *w);
void work_cancel(struct hca_work *w);

/* A descriptor the loop watches; @fn gets the EPOLL* bits that are ready. */
struct hca_fd {
	int fd;
	void (*fn)(struct hca_fd *f, u32 events);
};

int loop_add(struct hca_fd *f, u32 events);
int loop_modify(struct hca_fd *f, u32 events);
void loop_remove(struct hca_fd *f);
/* One turn: ready descriptors, due timers, queued work. With @block it waits for the first of them. */
void loop_turn(bool block);
/* Turns until loop_stop(). Idle costs nothing: the loop sleeps until a descriptor or timer is due. */
void loop_run(void);
void loop_stop(void);

/* --- dma.c: memory the device can reach ------------------------------------------------------------ */

/*
 * Bus addresses: guest memory as mapped by DMA_MAP, or the DDR window [ddr_start, ddr_end]. 0 or -EFAULT;
 * the failing range has then been recorded as RULE_DMA_UNMAPPED (or RULE_DMA_MASTER before bus mastering
 * was on) against @who. A range may span several maps. dma_write() makes bytes visible in ascending order, the last 8-byte (or smaller) piece
 * last and with release semantics, which is what the owner bytes of CQEs and EQEs rely on.
 */
int dma_read(struct hca *h, const char *who, u64 addr, void *buf, size_t len);
int dma_write(struct hca *h, const char *who, u64 addr, const void *buf, size_t len);
/* Direct pointer to @len contiguous bytes that stay valid until the loop turns, or NULL (no complaint). */
void *dma_peek(struct hca *h, u64 addr, size_t len);

/* --- ddr.c ----------------------------------------------------------------------------------------- */

bool ddr_contains(const struct hca *h, u64 addr, size_t len);
u8 *ddr_ptr(struct hca *h, u64 addr, size_t len); /* NULL if not wholly inside */

/* Where INIT_HCA put the tables, and how many entries (log2) each has. Valid while hca_running(). */
struct hca_profile {
	u64 qpc_base, eec_base, srqc_base, cqc_base, eqpc_base, eeec_base, eqc_base, rdb_base;
	u64 mc_base, mpt_base, mtt_base, uarscr_base;
	u8 log_qps, log_srqs, log_cqs, log_eqs, log_mpts;
	u8 log_mc_entry, log_mcgs;
	u32 mc_hash_size;
	u8 mtt_seg_shift; /* log2 of bytes: 6 + n */
	u8 uar_page_shift;
	bool host_big_endian, udav_port_check;
};

const struct hca_profile *hca_profile(const struct hca *h);
bool hca_enabled(const struct hca *h); /* SYS_EN done */
bool hca_running(const struct hca *h); /* INIT_HCA done */
int hca_number(const struct hca *h);
struct hca *hca_by_number(int n); /* NULL past the last */
/* Catastrophic error, or bus mastering taken away: the device does nothing, and nobody is to blame. */
bool hca_dead(const struct hca *h);

/* --- options.c: key=value ---------------------------------------------------------------------------- */

/*
 * Declared in options.def. Asking for an undeclared key is a bug and aborts. These search by name: hot
 * code takes opt_ref() once, which points at the live value (some can be changed while running).
 */
u64 opt_u64(const struct hca *h, const char *key);
const u64 *opt_ref(const struct hca *h, const char *key);
const char *opt_str(const struct hca *h, const char *key);
bool opt_bool(const struct hca *h, const char *key);

/* --- cmd.c: firmware commands ------------------------------------------------------------------------ */

enum cmd_status {
	CMD_OK = 0x00,
	CMD_INTERNAL_ERR = 0x01,
	CMD_BAD_OP = 0x02,
	CMD_BAD_PARAM = 0x03,
	CMD_BAD_SYS_STATE = 0x04,
	CMD_BAD_RESOURCE = 0x05,
	CMD_RESOURCE_BUSY = 0x06,
	CMD_DDR_MEM_ERR = 0x07,
	CMD_EXCEED_LIM = 0x08,
	CMD_BAD_RES_STATE = 0x09,
	CMD_BAD_INDEX = 0x0a,
	CMD_BAD_NVMEM = 0x0b,
	CMD_BAD_QPEE_STATE = 0x10,
	CMD_BAD_SEG_PARAM = 0x20,
	CMD_REG_BOUND = 0x21,
	CMD_LAM_NOT_PRE = 0x22,
	CMD_BAD_PKT = 0x30,
	CMD_BAD_SIZE = 0x40,
};

struct cmd {
	const char *name; /* as its table says */
	u16 opcode;
	u8 op_mod;
	u16 token;
	u32 in_mod;
	u64 in_param; /* immediate, or the mailbox address already fetched into @in */
	u64 out_param; /* mailbox address; a handler that returns an immediate stores it in @out_imm */
	u64 out_imm;
	bool event;  /* E bit */
	bool no_out; /* set by the handler: do not write the out mailbox (opmod 1/3, TrapRepress) */
	u8 in[4096]; /* input mailbox: desc->in_len bytes valid, the rest 0 */
	u8 out[4096]; /* output mailbox: desc->out_len bytes are written back when status is CMD_OK */
};

enum cmd_needs { CMD_NEEDS_NOTHING, CMD_NEEDS_SYS_EN, CMD_NEEDS_INIT_HCA };

struct cmd_desc {
	u16 opcode;
	const char *name;
	u16 in_len;	 /* bytes of input mailbox to fetch; 0 none */
	u16 out_len;	 /* bytes of output mailbox; 0 none */
	u8 needs;	 /* enum cmd_needs */
	char time_class; /* 'A'..'D' */
	/* Executes at once and returns the status; latency and completion are cmd.c's business. */
	u8 (*run)(struct hca *h, struct cmd *c);
	/* Optional: length of the input mailbox by modifiers, where in_len is the largest. */
	u16 (*in_size)(const struct cmd *c);
	u16 op_mods; /* bit n: opcode modifier n exists; others never reach run() */
	u32 in_mods; /* bits of the input modifier that mean something, or that run() judges itself */
};

/* Each table ends with a NULL name. cmd.c looks an opcode up in all of them. */
extern const struct cmd_desc
	sys_cmds[]; /* sys.c: SYS_EN .. QUERY_HCA, NOP, SYNC_TPT, MOD_STAT_CFG, DIAG_RPRT */
extern const struct cmd_desc tpt_cmds[];  /* tpt_cmd.c */
extern const struct cmd_desc eq_cmds[];	  /* eq.c, MAP_EQ included */
extern const struct cmd_desc cq_cmds[];	  /* cq.c */
extern const struct cmd_desc qp_cmds[];	  /* qp_cmd.c: all *_QPEE, CONF_SPECIAL_QP */
extern const struct cmd_desc srq_cmds[];  /* srq.c */
extern const struct cmd_desc mgm_cmds[];  /* mcast.c: READ_MGM, WRITE_MGM, MGID_HASH */
extern const struct cmd_desc port_cmds[]; /* port.c: INIT_IB, CLOSE_IB, SET_IB; mad.c's MAD_IFC */

/* --- uar.c calls, on a doorbell write (section 14); the UAR page number has been read off the offset --- */

void qp_db_send(struct hca *h, u32 uar, u32 hi, u32 lo);
void qp_db_recv(struct hca *h, u32 uar, u32 hi, u32 lo); /* QP and SRQ */
void cq_db(struct hca *h, u32 uar, u32 hi, u32 lo);
void eq_db(struct hca *h, u32 uar, u32 hi, u32 lo);

/* --- tpt.c: memory keys -------------------------------------------------------------------------------- */

enum tpt_access {
	TPT_LOCAL_READ = 0,
	TPT_LOCAL_WRITE = 1 << 0,
	TPT_REMOTE_READ = 1 << 1,
	TPT_REMOTE_WRITE = 1 << 2,
	TPT_REMOTE_ATOMIC = 1 << 3,
};

/*
 * Key, PD, range and rights are checked, then the bytes are copied through the MTTs. 0, -EACCES (the key
 * does not allow it: a protection error of the work queue, nobody's violation by itself) or -EFAULT (the
 * translation points at memory the device cannot reach: already recorded). With len 0 only the key is
 * checked. @who names the accessor in a complaint.
 */
int tpt_check(struct hca *h, u32 key, u32 pd, u64 va, u64 len, unsigned int access);
int tpt_read(struct hca *h, const char *who, u32 key, u32 pd, u64 va, void *buf, size_t len,
	     unsigned int access);
int tpt_write(struct hca *h, const char *who, u32 key, u32 pd, u64 va, const void *buf, size_t len,
	      unsigned int access);
/* 8-byte read-modify-write; *old in host order as number */
int tpt_atomic(struct hca *h, const char *who, u32 key, u32 pd, u64 va,
	       u64 (*op)(u64 old, const void *arg), const void *arg, u64 *old);
/* Bind WQE (9.5, 13.7). 0 or an error syndrome of a CQE. */
u8 tpt_bind(struct hca *h, u32 pd, u32 flags, u32 new_rkey, u32 lkey, u64 addr, u64 len);

/* --- cq.c ------------------------------------------------------------------------------------------- */

struct cqe {
	u32 qpn; /* hardware QPN */
	u32 rqpn;
	u8 sl;
	u8 grh_path; /* byte 0x0d */
	u16 rlid;
	u32 imm;
	u32 byte_cnt;
	u32 wqe; /* [31:6] address, [5:0] size */
	u8 opcode;
	bool send;
	bool error; /* then syndrome, vendor_err, db_cnt count and opcode is made 0xff/0xfe */
	u8 syndrome, vendor_err;
	u16 db_cnt;
};

/* 0, or -EIO: CQ overflowed, is in error or not hardware's; the caller takes its QP to error. */
int cq_post(struct hca *h, u32 cqn, const struct cqe *cqe, bool solicited);
/* Is this CQ hardware-owned? */
bool cq_valid(struct hca *h, u32 cqn);

/* --- eq.c ------------------------------------------------------------------------------------------- */

enum hca_event {
	EV_COMP = 0x00,
	EV_PATH_MIG = 0x01,
	EV_COMM_EST = 0x02,
	EV_SQ_DRAINED = 0x03,
	EV_CQ_ERR = 0x04,
	EV_WQ_CATAS = 0x05,
	EV_PATH_MIG_FAILED = 0x07,
	EV_LOCAL_CATAS = 0x08,
	EV_PORT_CHANGE = 0x09,
	EV_CMD = 0x0a,
	EV_ECC = 0x0e,
	EV_EQ_OVERFLOW = 0x0f,
	EV_WQ_INVALID_REQ = 0x10,
	EV_WQ_ACCESS = 0x11,
	EV_SRQ_CATAS = 0x12,
	EV_LAST_WQE = 0x13,
	EV_SRQ_LIMIT = 0x14,
};

/* Asynchronous event by MAP_EQ routing; @data are the dwords 0x04..0x18 of the EQE (7), host order. */
void eq_async(struct hca *h, enum hca_event type, u8 subtype, const u32 data[7]);
/* The common case: a QP event (dword 0x04 = QPN). */
void eq_qp_event(struct hca *h, enum hca_event type, u32 qpn);
void eq_completion(struct hca *h, u32 eqn, u32 cqn);

/* --- qp side: what the rest asks ----------------------------------------------------------------------- */

/*
 * A packet has arrived on @port (1-based) and is addressed to this HCA (its LID, permissive, or a
 * multicast LID). Takes ownership. @from_fw: made by the SMA (traps), source LID 0.
 */
void qp_rx(struct hca *h, int port, struct packet *p, bool from_fw);
void qp_reset_all(struct hca *h); /* reset, CLOSE_HCA: forget everything, silently */
void srq_reset_all(struct hca *h);
void qp_cq_error(struct hca *h, u32 cqn); /* overflow: attached QPs go to error with event 0x05 */
bool qp_uses_cq(struct hca *h, u32 cqn);  /* some QP that is not in RESET completes there */
/* Does a work queue lie behind this key's index? *uar is the page its context names. */
bool qp_uses_mpt(struct hca *h, u32 key, u32 *uar);

/* --- packets and ports ---------------------------------------------------------------------------------- */

/*
 * One packet as on the wire, LRH first. The QP side fills LRH .. payload and ICRC; port_tx() adds the VCRC
 * where somebody looks at it (pcap, another process). Freed by packet_put().
 */
struct packet {
	struct packet *next; /* for whoever holds it */
	u32 len;	     /* bytes from LRH through ICRC, VCRC not counted */
	u8 hops;	     /* switches it has passed */
	u8 data[];	     /* room for 4096 + headers */
};

struct packet *packet_alloc(void); /* never NULL: a free list, then malloc or exit */
void packet_put(struct packet *p);
struct packet *packet_copy(const struct packet *p);
u32 packets_live(void); /* allocated and not put back */
/* So many that QPs send no more: a guest has many queues, and the host's memory an end. */
#define IN_FLIGHT_MAX 0x4000u
u32 icrc_compute(const u8 *lrh,
		 u32 len_without_icrc); /* host order of the value as it goes on the wire, BE */
u16 vcrc_compute(const u8 *lrh, u32 len_with_icrc);

/*
 * Hands a packet to the link of @port. Loopback (own LID incl. LMC, own multicast groups), the cable or
 * the switch decide where it goes; delivery is always from deferred work, never inside this call. Takes
 * ownership. Packets are dropped silently when the link or logical state does not allow them (VL15 needs
 * the link up; others ACTIVE).
 */
void port_tx(struct hca *h, int port, struct packet *p);

enum port_state { PORT_DOWN = 1, PORT_INIT = 2, PORT_ARMED = 3, PORT_ACTIVE = 4 };

enum port_state port_state(const struct hca *h, int port);
u16 port_lid(const struct hca *h, int port);
u8 port_lmc(const struct hca *h, int port);
u8 port_mtu(const struct hca *h, int port);			  /* neighbour MTU, IB enum */
u16 port_pkey(const struct hca *h, int port, unsigned int index); /* 0 if out of range */
unsigned int port_pkey_count(const struct hca *h);
const u8 *port_gid(const struct hca *h, int port,
		   unsigned int index); /* 16 bytes; NULL if out of range */
unsigned int port_gid_count(const struct hca *h);
u8 port_sl2vl(const struct hca *h, int port, u8 sl);
void port_count_pkey_violation(struct hca *h, int port);
void port_count_qkey_violation(struct hca *h, int port);
void port_reset_all(struct hca *h); /* power-on state: link down until INIT_IB */

/* Calls @fn for each QP of the group of @mgid (hardware QPNs). */
void mcast_for_each(struct hca *h, const u8 mgid[16], void (*fn)(struct hca *h, u32 qpn, void *arg),
		    void *arg);

/* --- reset.c, pci.c ----------------------------------------------------------------------------------- */

void hca_reset(struct hca *h); /* register 0xf0010, FLR-like client reset, disconnect */
bool pci_bus_master(const struct hca *h);
void pci_raise(struct hca *h, u8 intr); /* EQC.intr: 0x80 + vector, or the INTA pin */

/*
 * Each part keeps its state of one HCA in its own structure, allocated by X_new() at start and found
 * through these. hca.c holds the pointers; no part looks into another's structure.
 */
enum hca_part {
	PART_OPTIONS,
	PART_REPORT,
	PART_RANDOM,
	PART_TIMING,
	PART_FAULT,
	PART_VFU,
	PART_PCI,
	PART_REGS,
	PART_UAR,
	PART_DDR,
	PART_WINDOW,
	PART_DMA,
	PART_CMD,
	PART_STATE,
	PART_SYS,
	PART_TPT,
	PART_EQ,
	PART_CQ,
	PART_QP,
	PART_SRQ,
	PART_KEY_USE,
	PART_PORT,
	PART_MCAST,
	PART_SMA,
	PART_WIRE,
	PART_COUNT
};
void *hca_part(const struct hca *h, enum hca_part part);
void hca_set_part(struct hca *h, enum hca_part part, void *state);
/* An HCA with no parts yet; NULL and a message if there are too many. */
struct hca *hca_add(void);
void hca_drop_last(void);
/* What hca_reset() does. */
void hca_on_reset(void (*fn)(struct hca *h));
int random_new(struct hca *h);
void random_delete(struct hca *h);

/*
 * A new HCA with all its parts (main.c and tests); NULL and a message on stderr if it cannot be. Options
 * must have been set before (options.h). hca_delete_all() is for leak-clean exits.
 */
struct hca *hca_new(void);
int hca_count(void);
void hca_delete_all(void);
/* Tells the lower rooms of the upper ones. First of all, before any option is set; more than once is no harm. */
void hca_join(void);

/* Constructors, called once per HCA by main.c in this order of dependence; 0 or a negative errno. */
int tpt_new(struct hca *h);
int eq_new(struct hca *h);
int cq_new(struct hca *h);
int qp_new(struct hca *h);
int srq_new(struct hca *h);
int port_new(struct hca *h); /* also SMA and PMA */
int mcast_new(struct hca *h);
int wire_new_all(void); /* once, after all HCAs exist: cables, switch */
int pcap_open(const char *path);

#endif
