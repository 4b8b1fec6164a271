/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Stand-ins for the layers below the QPs: one HCA with a link that loops back, flat memory with a
 * few keys, CQs and events that are only recorded, and time that a test sets. On top of it is a
 * small driver: work queues as in tavor-hw 13, posting and doorbells. Each test includes this file
 * once.
 */
#ifndef HCA_TESTS_QP_FAKES_H
#define HCA_TESTS_QP_FAKES_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qp/qp.h"
#include "tap.h"

#define MEM_SIZE (16u << 20)
#define DATA_KEY 0x2001u
#define DATA_BASE 0x100000u /* the virtual address is the offset in memory */
#define DATA_SIZE (8u << 20)
#define AV_KEY 0x2003u
#define FAKE_PD 7u
#define FAKE_UAR 5u
#define FAKE_CQS 8
#define FAKE_CQES 8192
#define SQ_STRIDE 256u
#define RQ_STRIDE 256u
#define RING 64u
#define SQ_AT (RING * RQ_STRIDE)
#define BUF_SIZE (RING * (RQ_STRIDE + SQ_STRIDE))
#define FAKE_LID 0x11u

struct hca {
	void *part[PART_COUNT];
};

struct fake_key {
	u32 key, pd, access;
	u64 va, len;
	u32 at;
};

struct fake_cqe {
	struct cqe c;
	bool solicited;
};

struct fake_event {
	int type;
	u32 qpn;
};

static struct hca fake;
static u8 mem[MEM_SIZE];
static struct fake_key fake_keys[64];
static unsigned int fake_nkeys;
static struct fake_cqe fake_cq[FAKE_CQS][FAKE_CQES];
static unsigned int fake_cqes[FAKE_CQS], fake_seen[FAKE_CQS];
static int fake_cq_bad = -1;
static struct fake_event fake_events[1024];
static unsigned int fake_nevents;
static unsigned int fake_violations[RULE_COUNT], fake_faults[RULE_COUNT];
static u64 fake_now;
static struct packet *link_head, **link_tail = &link_head;
static unsigned int link_sent;
/* Returns how many times a sent packet is delivered. */
static int (*link_filter)(struct packet *p, const struct headers *hd);
#define FAKE_TABLES (1ull << 32)
static struct hca_profile fake_profile = {
	.log_qps = 12,
	.log_mpts = 14,
	.log_srqs = 8,
	.qpc_base = FAKE_TABLES,
	.eqpc_base = FAKE_TABLES,
	.srqc_base = FAKE_TABLES,
	.cqc_base = FAKE_TABLES,
	.eqc_base = FAKE_TABLES,
	.mpt_base = 0x80000,
	.mc_base = FAKE_TABLES,
};
static u16 fake_pkeys[64] = { 0xffff, 0x8001, 0x0002 };
static u8 fake_gids[2][32][16];
static unsigned int fake_pkey_violations, fake_qkey_violations;
static u32 fake_members[8];
static u64 fake_ports_opt = 2, fake_flush_count, fake_zero_is_2g;
static u8 fake_lmc;
/* For tests that do not read the data, because filling it takes most of the time */
static bool fake_no_data;

/* --- functions that the QPs call ---------------------------------------------------------- */

void *hca_part(const struct hca *h, enum hca_part part)
{
	return h->part[part];
}

void hca_set_part(struct hca *h, enum hca_part part, void *state)
{
	h->part[part] = state;
}

const struct hca_profile *hca_profile(const struct hca *h)
{
	return &fake_profile;
}

bool hca_dead(const struct hca *h)
{
	return false;
}

u64 opt_u64(const struct hca *h, const char *key)
{
	if (!strcmp(key, "flush_count"))
		return fake_flush_count;
	if (!strcmp(key, "zero_is_2g"))
		return fake_zero_is_2g;
	return !strcmp(key, "ports") ? fake_ports_opt : 7;
}

void violation(struct hca *h, enum hca_rule rule, const char *object, const char *fmt, ...)
{
	fake_violations[rule]++;
}

void blame(struct hca *h, u32 uar, enum hca_rule rule, const char *object, const char *fmt, ...)
{
	fake_faults[rule]++;
}

void hca_log(struct hca *h, const char *fmt, ...)
{
}

void count(struct hca *h, const char *name)
{
}

bool ddr_contains(const struct hca *h, u64 addr, size_t len)
{
	return addr < 2 << 20;
}

static struct fake_key *key_find(u32 key, u32 pd, u64 va, u64 len, unsigned int access)
{
	unsigned int i;

	for (i = 0; i < fake_nkeys; i++) {
		struct fake_key *k = &fake_keys[i];

		if (k->key != key || k->pd != pd || (k->access & access) != access)
			continue;
		if (!len || (va >= k->va && len <= k->len && va - k->va <= k->len - len))
			return k;
	}
	return NULL;
}

int tpt_check(struct hca *h, u32 key, u32 pd, u64 va, u64 len, unsigned int access)
{
	return key_find(key, pd, va, len, access) ? 0 : -EACCES;
}

int tpt_read(struct hca *h, const char *who, u32 key, u32 pd, u64 va, void *buf, size_t len,
	     unsigned int access)
{
	struct fake_key *k = key_find(key, pd, va, len, access);

	if (!k)
		return -EACCES;
	memcpy(buf, mem + k->at + (va - k->va), len);
	return 0;
}

int tpt_write(struct hca *h, const char *who, u32 key, u32 pd, u64 va, const void *buf, size_t len,
	      unsigned int access)
{
	struct fake_key *k = key_find(key, pd, va, len, access);

	if (!k)
		return -EACCES;
	memcpy(mem + k->at + (va - k->va), buf, len);
	return 0;
}

int tpt_atomic(struct hca *h, const char *who, u32 key, u32 pd, u64 va,
	       u64 (*op)(u64 old, const void *arg), const void *arg, u64 *old)
{
	struct fake_key *k = key_find(key, pd, va, 8, TPT_REMOTE_ATOMIC);
	u64 v;

	if (!k)
		return -EACCES;
	memcpy(&v, mem + k->at + (va - k->va), 8);
	*old = v;
	v = op(v, arg);
	memcpy(mem + k->at + (va - k->va), &v, 8);
	return 0;
}

u8 tpt_bind(struct hca *h, u32 pd, u32 flags, u32 new_rkey, u32 lkey, u64 addr, u64 len)
{
	return tpt_check(h, lkey, pd, addr, len, TPT_LOCAL_WRITE) ? SYN_BIND : SYN_OK;
}

int cq_post(struct hca *h, u32 cqn, const struct cqe *cqe, bool solicited)
{
	if ((int)cqn == fake_cq_bad)
		return -EIO;
	fake_cq[cqn][fake_cqes[cqn]++ % FAKE_CQES] = (struct fake_cqe){ *cqe, solicited };
	return 0;
}

bool cq_valid(struct hca *h, u32 cqn)
{
	return cqn < FAKE_CQS;
}

void eq_async(struct hca *h, enum hca_event type, u8 subtype, const u32 data[7])
{
	fake_events[fake_nevents++ % 1024] = (struct fake_event){ type, data[0] };
}

void eq_qp_event(struct hca *h, enum hca_event type, u32 qpn)
{
	fake_events[fake_nevents++ % 1024] = (struct fake_event){ type, qpn };
}

void eq_misbehaved_uar(struct hca *h, u32 uar)
{
	const u32 data[7] = { uar };

	eq_async(h, EV_LOCAL_CATAS, 0, data);
}

/* The model must never use a port that does not exist. */
static void real_port(int port)
{
	if (port >= 1 && port <= (int)fake_ports_opt)
		return;
	printf("# there is no port %d\n", port);
	tap_ok = false;
}

u16 port_lid(const struct hca *h, int port)
{
	real_port(port);
	return FAKE_LID;
}

u8 port_lmc(const struct hca *h, int port)
{
	real_port(port);
	return fake_lmc;
}

u8 port_mtu(const struct hca *h, int port)
{
	real_port(port);
	return 4;
}

u16 port_pkey(const struct hca *h, int port, unsigned int index)
{
	real_port(port);
	return index < 64 ? fake_pkeys[index] : 0;
}

unsigned int port_pkey_count(const struct hca *h)
{
	return 64;
}

const u8 *port_gid(const struct hca *h, int port, unsigned int index)
{
	real_port(port);
	return index < 32 ? fake_gids[port - 1][index] : NULL;
}

unsigned int port_gid_count(const struct hca *h)
{
	return 32;
}

u8 port_sl2vl(const struct hca *h, int port, u8 sl)
{
	real_port(port);
	return sl & 7;
}

void port_count_pkey_violation(struct hca *h, int port)
{
	fake_pkey_violations++;
}

void port_count_qkey_violation(struct hca *h, int port)
{
	fake_qkey_violations++;
}

void mcast_for_each(struct hca *h, const u8 mgid[16], void (*fn)(struct hca *h, u32 qpn, void *arg),
		    void *arg)
{
	unsigned int i;

	for (i = 0; i < 8 && fake_members[i]; i++)
		fn(h, fake_members[i], arg);
}

static void link_put(struct packet *p)
{
	p->next = NULL;
	*link_tail = p;
	link_tail = &p->next;
}

void port_tx(struct hca *h, int port, struct packet *p)
{
	struct headers hd;
	const char *why = packet_parse(p, &hd);
	int n = 1;

	real_port(port);
	link_sent++;
	if (why || !packet_icrc_ok(p)) {
		printf("# malformed packet sent: %s\n", why ? why : "ICRC");
		tap_ok = false;
	}
	if (link_filter && !why)
		n = link_filter(p, &hd);
	for (; n > 1; n--) {
		struct packet *copy = packet_alloc();

		copy->len = p->len;
		memcpy(copy->data, p->data, p->len);
		link_put(copy);
	}
	if (n > 0)
		link_put(p);
	else
		packet_put(p);
}

/* --- work and time ------------------------------------------------------------------------ */

static struct hca_work *work_first, **work_last = &work_first;

void work_schedule(struct hca_work *w)
{
	if (w->queued)
		return;
	w->queued = true;
	w->next = NULL;
	*work_last = w;
	work_last = &w->next;
}

void work_cancel(struct hca_work *w)
{
	struct hca_work **at;

	if (!w->queued)
		return;
	for (at = &work_first; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	if (work_last == &w->next)
		work_last = at;
	w->queued = false;
}

#define FAKE_TIMERS 64
static struct {
	struct hca_timer *t;
	u64 when;
} fake_timer[FAKE_TIMERS];

u64 now_ns(void)
{
	return fake_now;
}

void timer_setup(struct hca_timer *t, void (*fn)(struct hca_timer *t))
{
	t->fn = fn;
	t->priv = NULL;
}

void timer_cancel(struct hca_timer *t)
{
	int i;

	for (i = 0; i < FAKE_TIMERS; i++)
		if (fake_timer[i].t == t)
			fake_timer[i].t = NULL;
	t->priv = NULL;
}

void timer_arm(struct hca_timer *t, u64 ns)
{
	int i;

	timer_cancel(t);
	for (i = 0; fake_timer[i].t; i++)
		;
	fake_timer[i].t = t;
	fake_timer[i].when = fake_now + ns;
	t->priv = t;
}

bool timer_armed(const struct hca_timer *t)
{
	return t->priv;
}

static inline bool turn_work(void)
{
	struct hca_work *w = work_first;

	if (!w)
		return false;
	work_first = w->next;
	if (!work_first)
		work_last = &work_first;
	w->queued = false;
	w->fn(w);
	return true;
}

static inline bool turn_link(void)
{
	struct packet *p = link_head;

	if (!p)
		return false;
	link_head = p->next;
	if (!link_head)
		link_tail = &link_head;
	qp_rx(&fake, 1, p, false);
	return true;
}

/* Runs the work and delivers the packets once. Returns false if there were none. */
static inline bool turn(void)
{
	bool work = turn_work();

	return turn_link() || work;
}

static inline void settle(void)
{
	int i;

	for (i = 0; i < 5000000 && turn(); i++)
		;
	if (i == 5000000) {
		printf("# the model never comes to rest\n");
		tap_ok = false;
	}
}

/* Like the event loop: delivers all packets that have arrived, then runs the work of all QPs. */
static inline void settle_in_batches(void)
{
	int i;

	for (i = 0; i < 100000 && (link_head || work_first); i++) {
		while (turn_link())
			;
		while (turn_work())
			if (link_head && !work_first)
				break;
	}
}

/* If set, pass() uses settle_in_batches(). */
static bool in_batches;

/* Advances the time by @ns, from timer to timer. */
static inline void pass(u64 ns)
{
	u64 end = fake_now + ns;

	for (;;) {
		int i, best = -1;

		if (in_batches)
			settle_in_batches();
		settle();
		for (i = 0; i < FAKE_TIMERS; i++)
			if (fake_timer[i].t &&
			    (best < 0 || fake_timer[i].when < fake_timer[best].when))
				best = i;
		if (best < 0 || fake_timer[best].when > end)
			break;
		fake_now = fake_timer[best].when;
		{
			struct hca_timer *t = fake_timer[best].t;

			timer_cancel(t);
			t->fn(t);
		}
	}
	fake_now = end;
	settle();
}

/* --- the small driver --------------------------------------------------------------------- */

struct tqp {
	u32 qpn, lkey, scqn, rcqn;
	u32 at; /* its buffer in mem; virtual addresses of WQEs are relative to it */
	u32 sq, rq;
	u8 service;
};

static inline void fake_key_add(u32 key, u64 va, u64 len, u32 at, u32 access)
{
	fake_keys[fake_nkeys++] = (struct fake_key){ key, FAKE_PD, access, va, len, at };
}

static inline void fake_up(void)
{
	unsigned int i;

	if (fake.part[PART_QP]) {
		qp_reset_all(&fake);
		srq_reset_all(&fake);
	} else {
		qp_new(&fake);
		srq_new(&fake);
	}
	while (link_head) {
		struct packet *p = link_head;

		link_head = p->next;
		packet_put(p);
	}
	link_tail = &link_head;
	work_first = NULL;
	work_last = &work_first;
	memset(fake_timer, 0, sizeof(fake_timer));
	memset(fake_violations, 0, sizeof(fake_violations));
	memset(fake_faults, 0, sizeof(fake_faults));
	memset(fake_cqes, 0, sizeof(fake_cqes));
	memset(fake_seen, 0, sizeof(fake_seen));
	memset(fake_members, 0, sizeof(fake_members));
	fake_cq_bad = -1;
	fake_nevents = 0;
	fake_nkeys = 0;
	fake_pkey_violations = 0;
	fake_qkey_violations = 0;
	link_filter = NULL;
	in_batches = false;
	link_sent = 0;
	fake_key_add(DATA_KEY, DATA_BASE, DATA_SIZE, DATA_BASE,
		     TPT_LOCAL_WRITE | TPT_REMOTE_READ | TPT_REMOTE_WRITE | TPT_REMOTE_ATOMIC);
	fake_key_add(AV_KEY, 0, 1 << 16, MEM_SIZE - (1 << 16), 0);
	for (i = 0; !fake_no_data && i < DATA_SIZE; i++)
		mem[DATA_BASE + i] = i * 7 + (i >> 8) + (i >> 16);
}

static struct cmd the_cmd;

static inline u8 run(u16 opcode, u32 in_mod, u8 op_mod)
{
	const struct cmd_desc *tables[] = { qp_cmds, srq_cmds }, *d;
	unsigned int i;

	the_cmd.opcode = opcode;
	the_cmd.in_mod = in_mod;
	the_cmd.op_mod = op_mod;
	the_cmd.no_out = false;
	memset(the_cmd.out, 0, sizeof(the_cmd.out));
	for (i = 0; i < 2; i++)
		for (d = tables[i]; d->name; d++)
			if (d->opcode == opcode && d->op_mods >> op_mod & 1) {
				the_cmd.name = d->name;
				return d->run(&fake, &the_cmd);
			}
	return CMD_BAD_OP;
}

static inline u8 *ctx(void)
{
	return the_cmd.in + 8;
}

static inline void mbox_clear(u32 opt)
{
	memset(the_cmd.in, 0, sizeof(the_cmd.in));
	put32(the_cmd.in, opt);
}

/* Fills in the context of a new QP. A test can change it before the command 0x19. */
static inline void mbox_init(const struct tqp *q)
{
	mbox_clear(0);
	put32(ctx(), (u32)q->service << 16 | 3 << 11 | 1 << 8);
	put32(ctx() + 0x0c, FAKE_UAR);
	put32(ctx() + 0x20, 1 << 24);
	put32(ctx() + 0x64, FAKE_PD);
	put32(ctx() + 0x6c, q->lkey);
	put32(ctx() + 0x7c, q->scqn);
	put32(ctx() + 0x90, 0xe000 | 1 << 3);
	put32(ctx() + 0x9c, q->rcqn);
	put32(ctx() + 0xa8, 0x11111111);
}

static inline void mbox_rtr(const struct tqp *q, u32 rqpn)
{
	bool datagram = q->service == SVC_UD || q->service == SVC_MLX;
	const struct qp *qp = qp_lookup(&fake, q->qpn);

	mbox_clear(1 << 6);
	put32(ctx() + 8, datagram ? 4u << 29 | 11 << 24 : 3u << 29 | 31 << 24);
	put32(ctx() + 0x14, rqpn);
	put16(ctx() + 0x26, FAKE_LID);
	put32(ctx() + 0x90, 2 << 21 | (qp && qp->srq ? 1 << 4 : 0));
	put32(ctx() + 0x94, 1u << 24 | 0x123456);
	put32(ctx() + 0x98, 0x1000 * (q->qpn & 0xff));
}

#define T_TIMEOUT 8u /* about 1 ms */

static inline void mbox_rts(const struct tqp *q)
{
	mbox_clear(0);
	ctx()[0x28] = T_TIMEOUT << 3;
	ctx()[0x24] = 6 << 5;
	put32(ctx() + 0x70, 10u << 28 | 9 << 24 | 2 << 21 | 3 << 16 | 0xe000);
	put32(ctx() + 0x78, 0x123456);
}

static inline struct tqp tqp(u32 qpn, u8 service, u32 cqn)
{
	struct tqp q = { .qpn = qpn, .service = service, .scqn = cqn, .rcqn = cqn };

	q.lkey = 0x1000 + (qpn & 0xff);
	q.at = (qpn & 0xff) * BUF_SIZE;
	memset(mem + q.at, 0, BUF_SIZE);
	if (!key_find(q.lkey, FAKE_PD, 0, 0, 0))
		fake_key_add(q.lkey, 0, BUF_SIZE, q.at, 0);
	return q;
}

static inline void to_init(const struct tqp *q)
{
	mbox_init(q);
	CHECK_EQ(run(0x19, q->qpn, 0), CMD_OK);
}

static inline void to_rtr(const struct tqp *q, u32 rqpn)
{
	mbox_rtr(q, rqpn);
	CHECK_EQ(run(0x1a, q->qpn, 0), CMD_OK);
}

static inline void to_rts(const struct tqp *q, u32 rqpn)
{
	to_rtr(q, rqpn);
	mbox_rts(q);
	CHECK_EQ(run(0x1b, q->qpn, 0), CMD_OK);
}

static inline u8 query_state(const struct tqp *q)
{
	CHECK_EQ(run(0x22, q->qpn, 0), CMD_OK);
	return the_cmd.out[8] >> 4;
}

/* Connects @a and @b and brings them to RTS. */
static inline void pair(struct tqp *a, struct tqp *b, u8 service)
{
	*a = tqp(0x401, service, 1);
	*b = tqp(0x402, service, 2);
	to_init(a);
	to_init(b);
	to_rts(a, b->qpn);
	to_rts(b, a->qpn);
}

struct tsge {
	u32 len, key;
	u64 va;
};

struct twr {
	u8 op;
	bool fence, unsignaled, solicited;
	u32 imm, rkey;
	u64 raddr, swap, compare;
	u32 inl; /* bytes of inline data, from the data region */
	u32 nsge;
	struct tsge sge[8];
	u32 av, dqpn, qkey; /* UD */
};

/* Returns a work request with one span of the data region. */
static inline struct twr wr(u8 op, u32 off, u32 len)
{
	return (struct twr){ .op = op,
			     .nsge = len ? 1 : 0,
			     .sge = { { len, DATA_KEY, DATA_BASE + off } },
			     .rkey = DATA_KEY };
}

static inline struct twr wr_rdma(u8 op, u32 off, u32 len, u32 remote)
{
	struct twr w = wr(op, off, len);

	w.raddr = DATA_BASE + remote;
	return w;
}

static inline u32 put_sges(u8 *w, u32 n, const struct twr *wr)
{
	u32 i;

	for (i = 0; i < wr->nsge; i++, n += 16) {
		put32(w + n, wr->sge[i].len);
		put32(w + n + 4, wr->sge[i].key);
		put64(w + n + 8, wr->sge[i].va);
	}
	if (wr->inl) {
		put32(w + n, 1u << 31 | wr->inl);
		memcpy(w + n + 4, mem + DATA_BASE, wr->inl);
		n += (4 + wr->inl + 15) & ~15u;
	}
	return n;
}

static inline u32 sq_addr(const struct tqp *q, u32 i)
{
	return SQ_AT + (i % RING) * SQ_STRIDE;
}

/* Writes the body of a WQE. Returns its size in units. */
static inline u8 put_wqe(const struct tqp *q, u32 i, const struct twr *wr)
{
	u8 *w = mem + q->at + sq_addr(q, i);
	u32 n = 16;

	memset(w, 0, SQ_STRIDE);
	put32(w + 8, (wr->unsignaled ? 0 : 8) | (wr->solicited ? 2 : 0) | 1);
	put32(w + 12, wr->imm);
	if (q->service == SVC_UD) {
		put32(w + 16 + 4, AV_KEY);
		put64(w + 16 + 8, wr->av);
		put32(w + 16 + 0x20, wr->dqpn);
		put32(w + 16 + 0x24, wr->qkey);
		n += 48;
	} else if (wr->op != WQE_SEND && wr->op != WQE_SEND_IMM && wr->op != WQE_NOP &&
		   q->service != SVC_MLX) {
		put64(w + n, wr->raddr);
		put32(w + n + 8, wr->rkey);
		n += 16;
		if (wr->op == WQE_CMP_SWAP || wr->op == WQE_FETCH_ADD) {
			put64(w + n, wr->swap);
			put64(w + n + 8, wr->compare);
			n += 16;
		}
	}
	return put_sges(w, n, wr) / 16;
}

static inline void ring_send(const struct tqp *q, u32 addr, u8 op, u8 size, bool fence)
{
	qp_db_send(&fake, FAKE_UAR, addr | (fence ? 0x20 : 0) | op, q->qpn << 8 | size);
}

/* Posts a chain and rings its doorbell, like post_send() of a driver. */
static inline void post_chain(struct tqp *q, const struct twr *wrs, u32 n)
{
	u32 first = q->sq, i;
	u8 first_size = 0;

	for (i = 0; i < n; i++, q->sq++) {
		u8 size = put_wqe(q, q->sq, &wrs[i]);
		u8 *prev = mem + q->at + sq_addr(q, q->sq + RING - 1);

		put32(prev, sq_addr(q, q->sq) | wrs[i].op);
		put32(prev + 4, size | (wrs[i].fence ? 0x40 : 0) | (i ? 0 : 0x80));
		if (!i)
			first_size = size;
	}
	ring_send(q, sq_addr(q, first), wrs[0].op, first_size, wrs[0].fence);
}

static inline void post(struct tqp *q, struct twr w)
{
	post_chain(q, &w, 1);
}

static inline u32 rq_addr(u32 i)
{
	return (i % RING) * RQ_STRIDE;
}

/* Posts @n receives with one span each: the first at @off, the others each @len further. */
static inline void post_recv(struct tqp *q, u32 n, u32 off, u32 len)
{
	u32 first = q->rq, i;

	for (i = 0; i < n; i++, q->rq++) {
		u8 *w = mem + q->at + rq_addr(q->rq);
		u8 *prev = mem + q->at + rq_addr(q->rq + RING - 1);

		put32(w, rq_addr(q->rq + 1) | 1);
		put32(w + 4, 0x80);
		put32(w + 16, len);
		put32(w + 20, len ? DATA_KEY : 0x100);
		put64(w + 24, len ? DATA_BASE + off + i * len : 0);
		put32(prev, rq_addr(q->rq) | 1);
		put32(prev + 4, 0x80 | 2);
	}
	qp_db_recv(&fake, FAKE_UAR, rq_addr(first) | 2, q->qpn << 8 | (n & 0xff));
}

/* Returns the next CQE of a CQ, or NULL. */
static inline const struct cqe *poll(u32 cqn)
{
	if (fake_seen[cqn] == fake_cqes[cqn])
		return NULL;
	return &fake_cq[cqn][fake_seen[cqn]++ % FAKE_CQES].c;
}

static inline void expect_send(u32 cqn, u8 opcode)
{
	const struct cqe *c = poll(cqn);

	CHECK(c);
	if (!c)
		return;
	CHECK(!c->error && c->send);
	CHECK_EQ(c->opcode, opcode);
	if (c->error)
		printf("# syndrome 0x%x\n", c->syndrome);
}

static inline void expect_recv(u32 cqn, u8 opcode, u32 len)
{
	const struct cqe *c = poll(cqn);

	CHECK(c);
	if (!c)
		return;
	CHECK(!c->error && !c->send);
	CHECK_EQ(c->opcode, opcode);
	CHECK_EQ(c->byte_cnt, len);
	if (c->error)
		printf("# syndrome 0x%x\n", c->syndrome);
}

static inline const struct cqe *expect_error(u32 cqn, bool send, u8 syndrome)
{
	const struct cqe *c = poll(cqn);

	CHECK(c);
	if (!c)
		return NULL;
	CHECK(c->error);
	CHECK_EQ(c->send, send);
	CHECK_EQ(c->syndrome, syndrome);
	return c;
}

static inline void expect_nothing(u32 cqn)
{
	CHECK_EQ(fake_cqes[cqn] - fake_seen[cqn], 0);
	fake_seen[cqn] = fake_cqes[cqn];
}

static inline unsigned int events(int type, u32 qpn)
{
	unsigned int i, n = 0;

	for (i = 0; i < fake_nevents && i < 1024; i++)
		n += fake_events[i].type == type && fake_events[i].qpn == qpn;
	return n;
}

static inline bool had_event(int type, u32 qpn)
{
	return events(type, qpn);
}

static inline bool same(u32 a, u32 b, u32 len)
{
	return !memcmp(mem + DATA_BASE + a, mem + DATA_BASE + b, len);
}

static inline unsigned int complaints(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < RULE_COUNT; i++)
		n += fake_violations[i] + fake_faults[i];
	return n;
}

/*
 * Returns the number of WQEs that an error CQE of a send queue covers, as software computes it
 * (tavor-hw 11.4).
 */
static inline u32 walk_flush(const struct tqp *q, const struct cqe *c)
{
	u32 n = 1, addr = c->wqe & ~0x3fu, db = c->db_cnt;

	for (;; n++) {
		const u8 *w = mem + q->at + addr;
		u32 nds = get32(w + 4);
		bool dbd = nds & 0x80;

		if (!(nds & 0x3f) || (!db && dbd))
			return n;
		db -= dbd;
		addr = get32(w) & ~0x3fu;
	}
}

#endif
