// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes connections to ib_wq_server or ib_softirq_server. It opens each connection, writes to the
 * server's memory, reads it back, compares it, and ends the connection. Options set the total
 * number of connections and the number at a time. All of the memory is written before any of it is
 * read back, so that the client detects two connections with the same memory. By hand:
 *   conn_client --qpn N [--lid LID] --count 1000 --at-a-time 64
 */
#include <argp.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <infiniband/verbs.h>
#include "../../../../include/uapi/rdma/conn_server.h"

_Static_assert(sizeof(struct conn_msg) == 64, "struct conn_msg has padding");

#define MOST 512
#define BYTES 4096 /* the most that is written */
#define GRH 40
#define RECV_SIZE (GRH + sizeof(struct conn_msg))
#define RECVS 1024
#define SENDS 1024

enum state {
	FREE,
	CONNECTING,
	LATE,
	LOOKING,
	WRITING,
	WRITTEN,
	READING,
	HELD,
	DISCONNECTING,
};

struct conn {
	enum state state;
	struct ibv_qp *qp;
	struct conn_msg answer;
	uint64_t cookie, due, began;
	uint32_t length;
	int tries;
	bool again;
};

static struct {
	int count, at_a_time, timeout_ms, late_ms, tries, port, malformed, seed;
	bool abandon, hold, grh, fresh, again, wrong, ghosts;
	unsigned int lid, qpn, claim;
	const char *device;
} options = { .count = 1, .at_a_time = 1, .timeout_ms = 500, .tries = 20, .port = 1 };

static struct {
	int begun, done, refused, lost, wrong, repeats, held;
} total;

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *ud_cq, *rc_cq;
static struct ibv_qp *ud_qp;
static struct ibv_ah *ah;
static struct ibv_mr *mr, *ud_mr;
static struct ibv_port_attr port;
static union ibv_gid gid;
static struct conn conns[MOST];
static uint64_t memory[MOST][2][BYTES / 8];
static struct {
	uint8_t recvs[RECVS][RECV_SIZE];
	struct conn_msg sends[SENDS];
} ud;
static unsigned int sent, in_flight, events;
static uint64_t *waits; /* ns from a connect to its answer, for each connection */
static int waits_count;
static struct conn_msg last; /* last message received */
static uint64_t first_cookie;

static void die(const char *what)
{
	fprintf(stderr, "conn_client: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static uint64_t now_ms(void)
{
	return now_ns() / 1000000;
}

/* The size of the longest datagram */
static size_t mtu_bytes(void)
{
	return 128 << port.active_mtu;
}

static void recv_post(int i)
{
	struct ibv_sge sge = { (uintptr_t)ud.recvs[i], RECV_SIZE, ud_mr->lkey };
	struct ibv_recv_wr wr = { .wr_id = i, .sg_list = &sge, .num_sge = 1 }, *bad;

	if (ibv_post_recv(ud_qp, &wr, &bad))
		die("ibv_post_recv");
}

/* A message without room in the send queue counts as lost. */
static void message_send(const struct conn_msg *msg, size_t size)
{
	struct conn_msg *place = &ud.sends[sent % SENDS];
	struct ibv_sge sge = { (uintptr_t)place, size, ud_mr->lkey };
	struct ibv_send_wr wr = {
		.wr_id = RECVS,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.ud = { .ah = ah, .remote_qpn = options.qpn, .remote_qkey = CONN_QKEY },
	};
	struct ibv_send_wr *bad;

	if (in_flight == SENDS)
		return;
	*place = *msg;
	if (ibv_post_send(ud_qp, &wr, &bad))
		die("ibv_post_send");
	sent++;
	in_flight++;
}

static struct ibv_qp *qp_make(enum ibv_qp_type type, struct ibv_cq *cq, int sends, int recvs)
{
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = type,
		.cap = { sends, recvs, 1, 1, 0 },
	};
	struct ibv_qp *qp = ibv_create_qp(pd, &init);

	if (!qp)
		die("ibv_create_qp");
	return qp;
}

static void to_init(struct ibv_qp *qp, bool rc)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = options.port,
		.qkey = CONN_QKEY,
		/* The server probes with writes of 0 bytes. */
		.qp_access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE,
	};

	if (ibv_modify_qp(qp, &attr,
			  IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
				  (rc ? IBV_QP_ACCESS_FLAGS : IBV_QP_QKEY)))
		die("to INIT");
}

/* The server is on the same port if a GID is requested. */
static struct ibv_ah_attr server_address(void)
{
	return (struct ibv_ah_attr){
		.dlid = options.lid,
		.port_num = options.port,
		.is_global = options.grh,
		.grh = { .dgid = gid, .hop_limit = 64 },
	};
}

static int to_rts(struct ibv_qp *qp, uint32_t qpn, uint32_t psn)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = port.active_mtu,
		.dest_qp_num = qpn,
		.rq_psn = psn,
		.sq_psn = qp->qp_num,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
		.max_dest_rd_atomic = 1,
		.ah_attr = server_address(),
	};
	int ret = ibv_modify_qp(qp, &attr,
				IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
					IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
					IBV_QP_MIN_RNR_TIMER);

	attr.qp_state = IBV_QPS_RTS;
	return ret   ?:
		       ibv_modify_qp(qp, &attr,
				     IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
					     IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
					     IBV_QP_MAX_QP_RD_ATOMIC);
}

static void ud_open(void)
{
	struct ibv_ah_attr to = server_address();
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RTR };
	int i;

	ud_qp = qp_make(IBV_QPT_UD, ud_cq, SENDS, RECVS);
	to_init(ud_qp, false);
	if (ibv_modify_qp(ud_qp, &attr, IBV_QP_STATE))
		die("to RTR");
	attr.qp_state = IBV_QPS_RTS;
	if (ibv_modify_qp(ud_qp, &attr, IBV_QP_STATE | IBV_QP_SQ_PSN))
		die("to RTS");
	ah = ibv_create_ah(pd, &to);
	if (!ah)
		die("ibv_create_ah");
	for (i = 0; i < RECVS; i++)
		recv_post(i);
}

/* The device with the name that was given, or the first */
static struct ibv_context *device_open(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int i;

	for (i = 0; list && list[i]; i++)
		if (!options.device || !strcmp(ibv_get_device_name(list[i]), options.device))
			return ibv_open_device(list[i]);
	return NULL;
}

static void open_all(void)
{
	context = device_open();
	if (!context || ibv_query_port(context, options.port, &port) ||
	    ibv_query_gid(context, options.port, 0, &gid))
		die("no device");
	options.lid = options.lid ?: port.lid;
	pd = ibv_alloc_pd(context);
	ud_cq = ibv_create_cq(context, SENDS + RECVS, NULL, NULL, 0);
	rc_cq = ibv_create_cq(context, 2 * MOST, NULL, NULL, 0);
	if (!pd || !ud_cq || !rc_cq)
		die("no PD or CQ");
	waits = calloc(options.count, sizeof(*waits));
	if (!waits)
		die("no memory for --count");
	mr = ibv_reg_mr(pd, memory, sizeof(memory), IBV_ACCESS_LOCAL_WRITE);
	ud_mr = ibv_reg_mr(pd, &ud, sizeof(ud), IBV_ACCESS_LOCAL_WRITE);
	if (!mr || !ud_mr)
		die("ibv_reg_mr");
	ud_open();
}

static struct conn_msg message(uint8_t type, uint64_t cookie)
{
	struct conn_msg msg = {
		.magic = htobe32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = type,
		.cookie = htobe64(cookie),
	};

	if (options.grh)
		memcpy(msg.gid, gid.raw, sizeof(msg.gid));
	return msg;
}

static void ask(struct conn *conn)
{
	const bool connect = conn->state == CONNECTING;
	struct conn_msg msg = message(connect ? CONN_CONNECT : CONN_DISCONNECT, conn->cookie);

	if (connect) {
		msg.qpn = htobe32(conn->qp->qp_num);
		msg.psn = htobe32(conn->qp->qp_num);
		msg.mtu = port.active_mtu;
		msg.lid = htobe16(port.lid);
	}
	message_send(&msg, sizeof(msg));
	conn->due = now_ms() + options.timeout_ms;
}

static void begin(struct conn *conn)
{
	*conn = (struct conn){ .state = CONNECTING, .cookie = first_cookie + total.begun };
	conn->qp = qp_make(IBV_QPT_RC, rc_cq, 4, 1);
	to_init(conn->qp, true);
	total.begun++;
	conn->began = now_ns();
	ask(conn);
}

static void end(struct conn *conn, int *counter)
{
	++*counter;
	ibv_destroy_qp(conn->qp);
	conn->state = FREE;
}

static void disconnect(struct conn *conn)
{
	conn->state = DISCONNECTING;
	conn->tries = 0;
	ask(conn);
}

/* Writes the first of these two buffers to the server, or reads from there into the second. */
static void transfer(struct conn *conn, enum state state)
{
	const int n = conn - conns;
	struct ibv_sge sge = { (uintptr_t)memory[n][state != WRITING], conn->length, mr->lkey };
	struct ibv_send_wr wr = {
		.wr_id = n,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = state == WRITING ? IBV_WR_RDMA_WRITE : IBV_WR_RDMA_READ,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = be64toh(conn->answer.address),
			     .rkey = be32toh(conn->answer.rkey) },
	};
	struct ibv_send_wr *bad;

	if (ibv_post_send(conn->qp, &wr, &bad))
		die("ibv_post_send");
	conn->state = state;
	conn->due = now_ms() + 100 * options.timeout_ms;
}

/* No two words are equal: not within a connection, nor between connections or runs. */
static void fill(const struct conn *conn)
{
	const int n = conn - conns;
	int i;

	for (i = 0; i < BYTES / 8; i++)
		memory[n][0][i] = (conn->cookie + i * 0x100000001ULL) * 0x9e3779b97f4a7c15ULL;
	memset(memory[n][1], 0, BYTES);
}

static void wrong(struct conn *conn, const char *what)
{
	printf("# connection %d: %s\n", (int)(conn->cookie - first_cookie), what);
	total.wrong++;
	disconnect(conn);
}

static void write_it(struct conn *conn)
{
	fill(conn);
	transfer(conn, WRITING);
}

/* Reads the memory, in which nothing of an earlier connection may be left. */
static void look(struct conn *conn)
{
	memset(memory[conn - conns][1], 0xff, BYTES);
	transfer(conn, LOOKING);
}

static void use(struct conn *conn)
{
	const struct conn_msg *answer = &conn->answer;
	const uint32_t length = be32toh(answer->length);

	conn->length = length < BYTES ? length : BYTES;
	if (!length || answer->status) {
		wrong(conn, "the answer is none");
	} else if (to_rts(conn->qp, be32toh(answer->qpn), be32toh(answer->psn))) {
		wrong(conn, "not to RTS");
	} else if (options.fresh) {
		look(conn);
	} else {
		write_it(conn);
	}
}

/* Asks like a new peer whose QP has the number of a dead peer's QP. */
static void ask_again(struct conn *conn)
{
	conn->again = true;
	conn->cookie ^= 1ULL << 63;
	conn->tries = 0;
	ask(conn);
}

static void connected(struct conn *conn, const struct conn_msg *answer)
{
	conn->answer = *answer;
	if (waits_count < options.count)
		waits[waits_count++] = now_ns() - conn->began;
	if (options.again && !conn->again) {
		ask_again(conn);
		return;
	}
	if (!options.late_ms) {
		use(conn);
		return;
	}
	conn->state = LATE;
	conn->due = now_ms() + options.late_ms;
}

static void handle(const struct conn_msg *msg)
{
	int i;

	last = *msg;
	for (i = 0; i < options.at_a_time; i++) {
		struct conn *conn = &conns[i];

		if (conn->state == FREE || conn->cookie != be64toh(msg->cookie))
			continue;
		if (msg->type == CONN_CONNECTED && conn->state == CONNECTING)
			connected(conn, msg);
		else if (msg->type == CONN_DISCONNECTED && conn->state == DISCONNECTING)
			end(conn, &total.done);
		else if (msg->type == CONN_REFUSED && msg->status != CONN_BUSY)
			end(conn, &total.refused);
		return;
	}
}

static void poll_ud(void)
{
	struct ibv_wc wc;

	while (ibv_poll_cq(ud_cq, 1, &wc) > 0) {
		events++;
		if (wc.wr_id == RECVS) {
			in_flight--;
			continue;
		}
		if (wc.status == IBV_WC_SUCCESS && wc.byte_len == RECV_SIZE)
			handle((void *)(ud.recvs[wc.wr_id] + GRH));
		recv_post(wc.wr_id);
	}
}

static bool is_zero(const struct conn *conn)
{
	static const uint8_t zeros[BYTES];

	return !memcmp(memory[conn - conns][1], zeros, conn->length);
}

static void transferred(struct conn *conn, enum ibv_wc_status status)
{
	const int n = conn - conns;

	if (status) {
		wrong(conn, ibv_wc_status_str(status));
	} else if (conn->state == LOOKING) {
		if (is_zero(conn))
			write_it(conn);
		else
			wrong(conn, "somebody's bytes");
	} else if (conn->state == WRITING) {
		conn->state = WRITTEN;
	} else if (memcmp(memory[n][0], memory[n][1], conn->length)) {
		wrong(conn, "other bytes");
	} else if (options.hold) {
		conn->state = HELD;
		total.held++;
	} else {
		disconnect(conn);
	}
}

static void poll_rc(void)
{
	struct ibv_wc wc;

	while (ibv_poll_cq(rc_cq, 1, &wc) > 0) {
		struct conn *conn = &conns[wc.wr_id];

		events++;
		if (conn->state == LOOKING || conn->state == WRITING || conn->state == READING)
			transferred(conn, wc.status);
	}
}

static void look_at(struct conn *conn)
{
	if (conn->state == FREE) {
		if (total.begun < options.count)
			begin(conn);
	} else if (conn->state == LATE) {
		if (now_ms() >= conn->due)
			use(conn);
	} else if (conn->state == WRITTEN) {
		transfer(conn, READING);
	} else if (conn->state != HELD && now_ms() >= conn->due) {
		if (conn->state == LOOKING || conn->state == WRITING || conn->state == READING ||
		    ++conn->tries > options.tries) {
			end(conn, &total.lost);
		} else {
			total.repeats++;
			ask(conn);
		}
	}
}

/*
 * Verbs take their time, so events are polled between any two connections. If none have come, the
 * server gets the processor.
 */
static void turn(void)
{
	const unsigned int before = events;
	int i;

	for (i = 0; i < options.at_a_time; i++) {
		poll_ud();
		poll_rc();
		look_at(&conns[i]);
	}
	if (events == before)
		usleep(50);
}

static int in_order(const void *one, const void *other)
{
	const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

/* The least of the waits that this share of all does not exceed, in us */
static unsigned long wait_us(int percent)
{
	return waits[(waits_count * percent + 99) / 100 - 1] / 1000;
}

static void print_waits(void)
{
	if (!waits_count)
		return;
	qsort(waits, waits_count, sizeof(*waits), in_order);
	printf("answered %d median %lu us p99 %lu us\n", waits_count, wait_us(50), wait_us(99));
}

static int run(void)
{
	const uint64_t start = now_ms();

	while (total.done + total.refused + total.lost + total.held < options.count)
		turn();
	printf("connections %d ended %d refused %d lost %d wrong %d repeats %d in %d ms\n",
	       total.begun, total.done, total.refused, total.lost, total.wrong, total.repeats,
	       (int)(now_ms() - start));
	print_waits();
	return total.done + total.held == options.count && !total.wrong ? 0 : 1;
}

/* Holds connections until this process is killed. */
static int hold(void)
{
	const int ret = run();
	int i;

	if (ret)
		return ret;
	for (i = 0; i < total.held; i++)
		printf("qp %u\n", conns[i].qp->qp_num);
	printf("held %d\n", total.held);
	pause();
	return 0;
}

/* Sends connects and does not go on with them: this process ends, and its QPs with it. */
static int abandon(void)
{
	int i;

	for (i = 0; i < options.at_a_time; i++)
		begin(&conns[i]);
	while (in_flight)
		poll_ud();
	printf("abandoned %d\n", options.at_a_time);
	return 0;
}

static void spoil(struct conn_msg *msg)
{
	uint8_t *bytes = (uint8_t *)msg;
	int i, changes = 1 + random() % 8;

	for (i = 0; i < changes; i++)
		bytes[random() % sizeof(*msg)] = random();
}

/* Sends messages with small errors. The server gives up connections that they request. */
static int malformed(void)
{
	struct conn_msg right = {
		.magic = htobe32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = CONN_CONNECT,
		.mtu = port.active_mtu,
		.qpn = htobe32(0x123456),
		.lid = htobe16(port.lid),
	};
	int i;

	srandom(options.seed);
	for (i = 0; i < options.malformed; i++) {
		struct conn_msg msg = right;

		msg.cookie = htobe64(random());
		spoil(&msg);
		message_send(&msg, random() % 4 ? sizeof(msg) : random() % sizeof(msg));
		while (in_flight > SENDS / 4)
			poll_ud();
	}
	while (in_flight)
		poll_ud();
	printf("malformed %d\n", i);
	return 0;
}

/* A change to a valid connect, and whether that is refused; otherwise it is not answered. */
#define CHANGE(field, value, refused) \
	{ offsetof(struct conn_msg, field), value, sizeof(((struct conn_msg *)0)->field), refused }

static const struct {
	size_t offset;
	uint64_t value;
	int bytes;
	bool refused;
} changes[] = {
	CHANGE(magic, CONN_MAGIC + 1, false),
	CHANGE(version, CONN_VERSION + 1, false),
	CHANGE(type, 0, false),
	CHANGE(type, CONN_CONNECTED, false),
	CHANGE(type, CONN_DISCONNECTED, false),
	CHANGE(type, CONN_REFUSED, false),
	CHANGE(status, 1, false),
	CHANGE(reserved, 1, false),
	CHANGE(reserved2, 1, false),
	CHANGE(gid[0], 1, false),
	CHANGE(qpn, 0, true),
	CHANGE(qpn, 1, true),
	CHANGE(qpn, 0xffffff, true),
	CHANGE(qpn, 0x1000002, true),
	CHANGE(psn, 0x1000000, true),
	CHANGE(mtu, 0, true),
	CHANGE(mtu, 6, true),
	CHANGE(lid, 0xbfff, true),
	CHANGE(rkey, 1, true),
	CHANGE(address, 1, true),
	CHANGE(length, 1, true),
};

static void change(struct conn_msg *msg, int i)
{
	const uint64_t value = htobe64(changes[i].value << 8 * (8 - changes[i].bytes));

	memcpy((uint8_t *)msg + changes[i].offset, &value, changes[i].bytes);
}

/* Only the length is wrong: the content is valid as far as it goes, then others follow. */
static int send_lengths(void)
{
	const size_t lengths[] = { sizeof(struct conn_msg) - 1, sizeof(struct conn_msg) + 1, 1024,
				   mtu_bytes() };
	struct conn_msg msg = message(CONN_DISCONNECT, first_cookie);
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		message_send(&msg, lengths[i]);
	return i;
}

/* Sends connects with one error each: they are not answered, or refused. */
static int wrong_ones(void)
{
	const int n = sizeof(changes) / sizeof(*changes);
	int lengths;
	int i, refused = 0;

	for (i = 0; i < n; i++) {
		struct conn_msg msg = message(CONN_CONNECT, first_cookie + i);

		msg.qpn = htobe32(ud_qp->qp_num);
		msg.mtu = port.active_mtu;
		msg.lid = htobe16(port.lid);
		change(&msg, i);
		message_send(&msg, sizeof(msg));
		refused += changes[i].refused;
	}
	lengths = send_lengths();
	while (in_flight)
		poll_ud();
	printf("malformed %d refused %d\n", n + lengths - refused, refused);
	return 0;
}

/* Sends a connect that names this QP until it is answered. */
static struct conn_msg claim(uint32_t qpn, uint32_t psn)
{
	struct conn_msg msg = message(CONN_CONNECT, first_cookie + total.begun++);
	uint64_t due = 0;

	msg.qpn = htobe32(qpn);
	msg.psn = htobe32(psn);
	msg.mtu = port.active_mtu;
	msg.lid = htobe16(port.lid);
	for (last.cookie = ~msg.cookie; last.cookie != msg.cookie; poll_ud()) {
		if (now_ms() < due) {
			usleep(50);
			continue;
		}
		message_send(&msg, sizeof(msg));
		due = now_ms() + options.timeout_ms;
	}
	return last;
}

/* Asks for a connection with a QP of another process. */
static int claim_one(void)
{
	struct conn_msg answer = claim(options.claim, 0);

	printf("type %d status %d\n", answer.type, answer.status);
	return 0;
}

/*
 * Makes the server connect pairs of its own QPs, if their numbers and PSNs are consecutive. No QP
 * of this process takes part.
 */
static int ghosts(void)
{
	uint32_t guess = be32toh(claim(0x123456, 0).qpn) + 2;
	int i, linked = 0;

	for (i = 0; i < options.count; i++) {
		struct conn_msg one = claim(guess, guess);
		struct conn_msg two = claim(be32toh(one.qpn), be32toh(one.psn));

		linked += be32toh(two.qpn) == guess;
		guess = be32toh(two.qpn) + 2;
	}
	printf("pairs %d of neighbours %d\n", i, linked);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	int *numbers[] = {
		['c'] = &options.count,	       ['k'] = &options.at_a_time,
		['l'] = (int *)&options.lid,   ['q'] = (int *)&options.qpn,
		['t'] = &options.timeout_ms,   ['r'] = &options.tries,
		['e'] = &options.late_ms,      ['p'] = &options.port,
		['m'] = &options.malformed,    ['s'] = &options.seed,
		['n'] = (int *)&options.claim,
	};

	if (key == 'a')
		options.abandon = true;
	else if (key == 'd')
		options.device = arg;
	else if (key == 'h')
		options.hold = true;
	else if (key == 'g')
		options.grh = true;
	else if (key == 'f')
		options.fresh = true;
	else if (key == 'b')
		options.again = true;
	else if (key == 'w')
		options.wrong = true;
	else if (key == 'o')
		options.ghosts = true;
	else if (key >= 'a' && key <= 't' && numbers[key])
		*numbers[key] = strtol(arg, NULL, 0);
	else if (key == ARGP_KEY_END &&
		 (!options.qpn || options.count < 1 || options.at_a_time < 1 ||
		  options.at_a_time > MOST || (options.hold && options.count > options.at_a_time)))
		argp_error(state, "--qpn is needed, and 1 to %d --at-a-time", MOST);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_option argp_options[] = {
	{ "qpn", 'q', "N", 0, "the server's UD QP", 0 },
	{ "lid", 'l', "LID", 0, "the server's (default: the own port's)", 0 },
	{ "device", 'd', "NAME", 0, "own device (default: the first)", 0 },
	{ "port", 'p', "N", 0, "own port (default 1)", 0 },
	{ "count", 'c', "N", 0, "connections altogether", 0 },
	{ "at-a-time", 'k', "N", 0, "connections at a time", 0 },
	{ "timeout", 't', "MS", 0, "after which a request is repeated (default 500)", 0 },
	{ "late", 'e', "MS", 0, "after which an answer is made use of (default 0)", 0 },
	{ "tries", 'r', "N", 0, "how often (default 20)", 0 },
	{ "abandon", 'a', NULL, 0, "ask for --at-a-time connections, and end", 0 },
	{ "hold", 'h', NULL, 0, "end none of the --count connections, at most --at-a-time", 0 },
	{ "grh", 'g', NULL, 0, "send with the GID of this port, which is the server's too", 0 },
	{ "fresh", 'f', NULL, 0, "look first that the server's memory is zero", 0 },
	{ "again", 'b', NULL, 0, "ask for each connection again, with another cookie", 0 },
	{ "wrong", 'w', NULL, 0, "send connects with one thing wrong each", 0 },
	{ "claim", 'n', "QPN", 0, "send a connect with another's RC QP", 0 },
	{ "ghosts", 'o', NULL, 0, "have the server connect --count pairs of its own QPs", 0 },
	{ "malformed", 'm', "N", 0, "send so many messages with errors", 0 },
	{ "seed", 's', "N", 0, "of the errors", 0 },
	{ 0 }
};

int main(int argc, char **argv)
{
	const struct argp argp = { argp_options, parse,
				   NULL,	 "Drives connections to a connection server.",
				   NULL,	 NULL,
				   NULL };

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	first_cookie = now_ns() ^ (uint64_t)getpid() << 40;
	open_all();
	if (options.malformed)
		return malformed();
	if (options.wrong)
		return wrong_ones();
	if (options.ghosts)
		return ghosts();
	if (options.claim)
		return claim_one();
	if (options.abandon)
		return abandon();
	return options.hold ? hold() : run();
}
