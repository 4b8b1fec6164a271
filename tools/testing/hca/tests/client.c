// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The small driver of client.h. */
#define _GNU_SOURCE
#include "client.h"

#include "core/options.h"
#include "model.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HDR 16
#define REPLY_ROOM (1u << 21)
/* A reply always comes. This limit ends only a broken test, even on the slowest machine. */
#define PATIENCE 60000000000ull

static struct {
	struct hca *h;
	char path[64];
	int fd, ram_fd;
	u8 *ram;
	u32 used;
	u16 id;
	int irq[5][MSIX_VECTORS];
	u8 *in, *out;
	u8 *eq[8];
	u32 eq_ci[8];
	u32 next_mtt, next_key;
	u64 seen[RULE_COUNT], seen_user[RULE_COUNT];
} tc = { .fd = -1, .ram_fd = -1 };

static u8 reply_buf[REPLY_ROOM];

static void die(const char *what)
{
	printf("Bail out! client: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the protocol ----------------------------------------------------------------------------- */

void tc_settle(void)
{
	int i;

	for (i = 0; i < 8; i++)
		loop_turn(false);
}

void tc_wait(u64 ns)
{
	u64 end = now_ns() + ns;

	do {
		loop_turn(false);
	} while (now_ns() < end);
	tc_settle();
}

int tc_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (tc.fd >= 0)
		close(tc.fd);
	tc_settle();
	strcpy(addr.sun_path, tc.path);
	tc.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(tc.fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("connect");
	tc_settle();
	return tc.fd;
}

void tc_raw(const void *bytes, u32 len)
{
	if (send(tc.fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		printf("# short send\n");
	tc_settle();
}

static void send_message(u16 command, const void *payload, u32 len, const int *fds, int n_fds)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * 16)];
		struct cmsghdr align;
	} control = { 0 };
	u32 hdr[4] = { (u32)command << 16 | ++tc.id, HDR + len, 0, 0 };
	struct iovec iov[2] = { { hdr, HDR }, { (void *)payload, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t sent = 0;
	ssize_t n;

	if (n_fds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, sizeof(int) * n_fds);
	}
	n = sendmsg(tc.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	sent = n > 0 ? n : 0;
	while (sent < HDR + len) { /* the socket does not accept large payloads at once */
		loop_turn(false);
		if (sent < HDR) /* the connection is closed */
			return;
		n = send(tc.fd, (const u8 *)payload + (sent - HDR), HDR + len - sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return;
		sent += n > 0 ? n : 0;
	}
}

static int receive_reply(void *reply, u32 room)
{
	u32 have = 0, hdr[4];
	u64 limit = now_ns() + PATIENCE;

	for (;;) {
		ssize_t n = recv(tc.fd, reply_buf + have, (have < HDR ? HDR : hdr[1]) - have,
				 MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return -ECONNRESET;
		have += n > 0 ? n : 0;
		if (have >= HDR)
			memcpy(hdr, reply_buf, HDR);
		if (have >= HDR && (hdr[1] < HDR || hdr[1] > REPLY_ROOM))
			return -EBADMSG;
		if (have >= HDR && have == hdr[1])
			break;
		if (now_ns() > limit)
			return -ETIMEDOUT;
		loop_turn(false);
	}
	if ((hdr[0] & 0xffff) != tc.id || (hdr[2] & 0xf) != 1)
		return -EBADMSG;
	if (hdr[2] & 0x20)
		return hdr[3] ? -(int)hdr[3] : -EBADMSG;
	if (reply)
		memcpy(reply, reply_buf + HDR, have - HDR < room ? have - HDR : room);
	return have - HDR;
}

int tc_call(u16 command, const void *payload, u32 len, const int *fds, int n_fds, void *reply,
	    u32 room)
{
	send_message(command, payload, len, fds, n_fds);
	return receive_reply(reply, room);
}

void tc_negotiate(void)
{
	static const char version[] =
		"\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8,\"write_multiple\":true}}";
	char reply[4096];

	if (tc_call(1, version, sizeof(version), NULL, 0, reply, sizeof(reply)) < 0)
		die("VERSION");
}

/* --- memory ----------------------------------------------------------------------------------- */

u8 *tc_ram(void)
{
	return tc.ram;
}

int tc_map_as(u64 iova, u64 size, u64 offset, u32 rights)
{
	u64 m[4] = { (u64)rights << 32 | 32, offset, iova, size };

	return tc_call(2, m, 32, &tc.ram_fd, 1, NULL, 0);
}

int tc_map(u64 iova, u64 size, u64 offset)
{
	return tc_map_as(iova, size, offset, 3);
}

int tc_unmap(u64 iova, u64 size)
{
	u64 m[3] = { 24, iova, size };

	return tc_call(3, m, 24, NULL, 0, NULL, 0);
}

void tc_map_ram(void)
{
	if (tc_map(TC_IOVA, TC_RAM, 0) < 0)
		die("DMA_MAP");
}

u8 *tc_alloc(u32 size, u32 align)
{
	u8 *p;

	tc.used = (tc.used + align - 1) & ~(align - 1);
	p = tc.ram + tc.used;
	tc.used += size;
	if (tc.used > TC_RAM)
		die("guest memory used up");
	return memset(p, 0, size);
}

u64 tc_bus(const void *p)
{
	return TC_IOVA + ((const u8 *)p - tc.ram);
}

/* --- the function ----------------------------------------------------------------------------- */

int tc_read(u32 region, u64 offset, void *buf, u32 len)
{
	static u8 reply[REPLY_ROOM];
	u32 m[4] = { offset, offset >> 32, region, len };
	int ret = tc_call(9, m, 16, NULL, 0, reply, sizeof(reply));

	if (ret >= 16)
		memcpy(buf, reply + 16, len);
	return ret < 0 ? ret : 0;
}

int tc_write(u32 region, u64 offset, const void *buf, u32 len)
{
	static u8 m[REPLY_ROOM];
	u32 hdr[4] = { offset, offset >> 32, region, len };
	int ret;

	memcpy(m, hdr, 16);
	memcpy(m + 16, buf, len);
	ret = tc_call(10, m, 16 + len, NULL, 0, NULL, 0);
	return ret < 0 ? ret : 0;
}

u32 tc_cfg32(u32 at)
{
	u32 v = 0;

	tc_read(VFIO_PCI_CONFIG_REGION_INDEX, at, &v, 4);
	return le32toh(v);
}

void tc_cfg_write(u32 at, u32 value, u32 len)
{
	value = htole32(value);
	tc_write(VFIO_PCI_CONFIG_REGION_INDEX, at, &value, len);
}

u32 tc_reg(u32 at)
{
	u32 v = 0;

	tc_read(VFIO_PCI_BAR0_REGION_INDEX, at, &v, 4);
	return be32toh(v);
}

void tc_reg_write(u32 at, u32 value)
{
	value = htobe32(value);
	tc_write(VFIO_PCI_BAR0_REGION_INDEX, at, &value, 4);
}

/* The two devices have the capability at different offsets. */
static u32 msix_cap(void)
{
	u32 at = tc_cfg32(PCI_CAPABILITY_LIST) & 0xff;

	while (at && (tc_cfg32(at) & 0xff) != PCI_CAP_ID_MSIX)
		at = tc_cfg32(at) >> 8 & 0xff;
	return at;
}

void tc_enable(void)
{
	tc_cfg_write(PCI_BASE_ADDRESS_0, 0xfea00000, 4);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	tc_cfg_write(msix_cap() + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
}

void tc_reset(void)
{
	tc_reg_write(0xf0010, 1);
	TC_UNTIL(tc_cfg32(0) != 0xffffffff);
	tc_enable();
}

void tc_irqs(u32 index, u32 n)
{
	u32 m[5] = { 20, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, index, 0, n };
	u32 i;

	for (i = 0; i < n; i++) {
		if (tc.irq[index][i] > 0)
			close(tc.irq[index][i]);
		tc.irq[index][i] = eventfd(0, EFD_NONBLOCK);
	}
	if (tc_call(8, m, 20, tc.irq[index], n, NULL, 0) < 0)
		die("SET_IRQS");
}

u64 tc_irq_taken(u32 index, u32 vector)
{
	u64 n = 0;

	if (tc.irq[index][vector] <= 0 || read(tc.irq[index][vector], &n, 8) != 8)
		return 0;
	return n;
}

/* --- commands --------------------------------------------------------------------------------- */

#define HCR 0x80680

static void write_hcr(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param, u64 out_param, u16 token,
		      u32 flags)
{
	const u32 words[7] = { in_param >> 32,
			       in_param,
			       in_mod,
			       out_param >> 32,
			       out_param,
			       (u32)token << 16,
			       1u << 23 | flags | (u32)op_mod << 12 | opcode };
	int i;

	for (i = 0; i < 7; i++)
		tc_reg_write(HCR + 4 * i, words[i]);
}

static bool go_clears(void)
{
	u64 limit = now_ns() + 3000000000ull;

	while (tc_reg(HCR + 0x18) & 1 << 23) {
		loop_turn(false);
		if (now_ns() > limit)
			return false;
	}
	return true;
}

u8 tc_cmd(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param, u64 out_param, u64 *imm)
{
	write_hcr(opcode, op_mod, in_mod, in_param, out_param, 0xffff, 0);
	if (!go_clears()) {
		printf("# command 0x%02x does not finish\n", opcode);
		return 0xff;
	}
	if (imm)
		*imm = (u64)tc_reg(HCR + 0xc) << 32 | tc_reg(HCR + 0x10);
	return tc_reg(HCR + 0x18) >> 24;
}

u8 *tc_in(void)
{
	return tc.in;
}

u8 *tc_out(void)
{
	return tc.out;
}

u8 tc_cmd_in(u16 opcode, u8 op_mod, u32 in_mod)
{
	return tc_cmd(opcode, op_mod, in_mod, tc_bus(tc.in), 0, NULL);
}

u8 tc_cmd_out(u16 opcode, u8 op_mod, u32 in_mod)
{
	return tc_cmd(opcode, op_mod, in_mod, 0, tc_bus(tc.out), NULL);
}

void tc_post(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param, u64 out_param, u16 token)
{
	write_hcr(opcode, op_mod, in_mod, in_param, out_param, token, 1 << 22);
	go_clears();
}

const u8 *tc_eqe_noarm(u32 eqn)
{
	static u8 copy[32];
	u8 *e;

	tc_settle();
	e = tc.eq[eqn] + 32 * (tc.eq_ci[eqn] & ((1 << TC_EQ_LOG) - 1));
	if (e[31] & 0x80)
		return NULL;
	memcpy(copy, e, 32);
	e[31] = 0x80;
	tc.eq_ci[eqn]++;
	tc_db(TC_UAR, 0x28, 4u << 24 | eqn, tc.eq_ci[eqn] & ((1 << TC_EQ_LOG) - 1));
	return copy;
}

const u8 *tc_eqe(u32 eqn)
{
	const u8 *e = tc_eqe_noarm(eqn);

	if (e)
		tc_db(TC_UAR, 0x28, 2u << 24 | eqn, 0);
	return e;
}

/* --- bring-up --------------------------------------------------------------------------------- */

void tc_sys_en(void)
{
	if (tc_cmd(0x01, 0, 0, 0, 0, NULL))
		printf("# SYS_EN failed\n");
}

/*
 * The QPC table has 512 kB at 4 MB. The others follow, each aligned to its size. The MTT table is
 * at the bottom.
 */
void tc_init_hca_mailbox(u8 *in)
{
	u64 base = ddr_start(tc.h);

	memset(in, 0, 0x200);
	put32(in + 0x14, 1);
	put64(in + 0x30, (base + 0x400000) | 11);
	put64(in + 0x48, (base + 0x500000) | 5);
	put64(in + 0x50, (base + 0x508000) | 8);
	put64(in + 0x60, base + 0x520000);
	put64(in + 0x80, (base + 0x530000) | 3);
	put64(in + 0x90, base + 0x600000);
	put64(in + 0xc0, base + 0x540000);
	put16(in + 0xd2, 8);
	put16(in + 0xd6, 32);
	in[0xdb] = 6;
	put64(in + 0xf0, base + 0x580000);
	in[0xfb] = 10;
	put64(in + 0x100, base);
	put64(in + 0x130, base + 0x5a0000);
}

void tc_init_hca(void)
{
	u8 status;

	tc_sys_en();
	tc_init_hca_mailbox(tc.in);
	status = tc_cmd_in(0x07, 0, 0);
	if (status)
		printf("# INIT_HCA: status 0x%02x\n", status);
}

void tc_mpt_mailbox(u8 *in, u32 key, u32 flags, u64 start, u64 len, u64 mtt)
{
	memset(in, 0, 64);
	put32(in, 0xf0000000 | flags);
	put32(in + 0x08, key);
	put32(in + 0x0c, TC_PD);
	put64(in + 0x10, start);
	put64(in + 0x18, len);
	put64(in + 0x2c, mtt);
}

u64 tc_mtts(const void *buf, u32 len)
{
	u32 pages = (((uintptr_t)buf & 0xfff) + len + 0xfff) >> 12, i;
	u64 first = tc.next_mtt * 64ull;

	for (i = 0; i < pages; i++) {
		u8 entry[8];

		put64(entry, (tc_bus(buf) & ~0xfffull) + 4096ull * i + 1);
		tc_write(VFIO_PCI_BAR4_REGION_INDEX, first + 8 * i, entry, 8);
	}
	tc.next_mtt += (pages + 7) / 8;
	return ddr_start(tc.h) + first;
}

u32 tc_mr(void *buf, u32 len, u32 rights, u64 va)
{
	u32 key = tc.next_key++;
	u8 status;

	tc_mpt_mailbox(tc.in, key, 1 << 17 | 1 << 8 | rights, va, len, tc_mtts(buf, len));
	status = tc_cmd_in(0x0d, 0, key);
	if (status)
		printf("# SW2HW_MPT: status 0x%02x\n", status);
	return key;
}

void tc_eq_mailbox(u8 *in, u8 *buf, u32 log, u8 intr)
{
	u32 i;

	memset(in, 0, 64);
	for (i = 0; i < 1u << log; i++)
		buf[32 * i + 31] = 0x80;
	put32(in, 1u << 24 | 1 << 18 | 1 << 8);
	put64(in + 0x04, tc_bus(buf));
	put32(in + 0x0c, log << 24 | TC_UAR);
	put32(in + 0x10, TC_PD);
	in[0x17] = intr;
	put32(in + 0x1c, TC_KEY);
}

static void make_eq(u32 eqn)
{
	tc.eq[eqn] = tc_alloc(32 << TC_EQ_LOG, 4096);
	tc.eq_ci[eqn] = 0;
	tc_eq_mailbox(tc.in, tc.eq[eqn], TC_EQ_LOG, 0x80 + eqn);
	if (tc_cmd_in(0x13, 0, eqn))
		printf("# SW2HW_EQ failed\n");
}

void tc_up(void)
{
	u32 eqn;

	tc_init_hca();
	tc_mpt_mailbox(tc.in, TC_KEY, 1 << 17 | 1 << 11 | 1 << 10 | 1 << 9 | 1 << 8, 0, UINT64_MAX,
		       0);
	if (tc_cmd_in(0x0d, 0, TC_KEY))
		printf("# SW2HW_MPT failed\n");
	tc_irqs(VFIO_PCI_MSIX_IRQ_INDEX, 8);
	for (eqn = TC_EQ_COMP; eqn <= TC_EQ_CMD; eqn++)
		make_eq(eqn);
	tc_cmd(0x12, 0, TC_EQ_ASYNC, 0x1f43fe, 0, NULL);
	tc_cmd(0x12, 0, TC_EQ_CMD, 0x400, 0, NULL);
}

/* Allocates a new buffer, and fills in a valid context. */
u8 *tc_cq_mailbox(u8 *in, u32 cqn, u32 log, u32 uar)
{
	u8 *buf = tc_alloc(32u << log, 4096);
	u32 i;

	memset(in, 0, 64);
	for (i = 0; i < 1u << log; i++)
		buf[32 * i + 31] = 0x80;
	put32(in, 1 << 18);
	put64(in + 0x04, tc_bus(buf));
	put32(in + 0x0c, log << 24 | uar);
	put32(in + 0x10, TC_EQ_ASYNC);
	put32(in + 0x14, TC_EQ_COMP);
	put32(in + 0x18, TC_PD);
	put32(in + 0x1c, TC_KEY);
	put32(in + 0x30, cqn);
	return buf;
}

u8 *tc_cq(u32 cqn, u32 log)
{
	u8 *buf = tc_cq_mailbox(tc.in, cqn, log, TC_UAR);

	if (tc_cmd_in(0x16, 0, cqn))
		printf("# SW2HW_CQ failed\n");
	return buf;
}

void tc_db(u32 uar, u32 reg, u32 hi, u32 lo)
{
	u8 raw[8];

	put32(raw, hi);
	put32(raw + 4, lo);
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, uar * 4096ull + reg, raw, 8);
	tc_settle();
}

/* --- recorded violations ---------------------------------------------------------------------- */

u64 tc_violations(enum hca_rule rule)
{
	u64 n = report_violations(tc.h, rule) - tc.seen[rule];

	tc.seen[rule] += n;
	return n;
}

u64 tc_user_faults(enum hca_rule rule)
{
	u64 n = report_user_faults(tc.h, rule) - tc.seen_user[rule];

	tc.seen_user[rule] += n;
	return n;
}

u64 tc_any_violation(void)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < RULE_COUNT; i++) {
		u64 n = tc_violations(i);

		if (n)
			printf("# violation of %s\n", rule_name(i));
		sum += n;
	}
	return sum;
}

/* --- start ------------------------------------------------------------------------------------ */

void tc_fresh(void)
{
	tc_connect();
	tc_negotiate();
	tc.used = 0;
	tc.next_mtt = 1 << 6;
	tc.next_key = 0x40;
	tc.in = tc_alloc(4096, 4096);
	tc.out = tc_alloc(4096, 4096);
	tc_map_ram();
	tc_enable();
}

static void set_options(int n, const char *options)
{
	char copy[1024], *at = copy, *word, *value, why[OPT_WHY];

	snprintf(copy, sizeof(copy), "%s", options);
	while ((word = strsep(&at, " "))) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (opt_set(n, word, value, why)) {
			printf("Bail out! %s\n", why);
			exit(1);
		}
	}
}

struct hca *tc_hca(void)
{
	return tc.h;
}

static void unlink_socket(void)
{
	unlink(tc.path);
}

struct hca *tc_start(const char *options)
{
	int n = hca_count();

	hca_join();
	if (tc.fd >= 0) {
		close(tc.fd);
		unlink(tc.path);
	}
	tc.fd = -1;
	if (tc.ram_fd < 0) {
		tc.ram_fd = memfd_create("guest", 0);
		if (ftruncate(tc.ram_fd, TC_RAM))
			die("memory");
		tc.ram = mmap(NULL, TC_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, tc.ram_fd, 0);
		report_log_open(getenv("TC_LOG") ? getenv("TC_LOG") : "/dev/null");
	}
	set_options(n, "profile=fast ddr_size=16m fw_area=1m log_max_srqs=8 reset_time=300ms "
		       "report_limit=5");
	set_options(n, options);
	tc.h = hca_new();
	if (!tc.h)
		exit(1);
	memset(tc.seen, 0, sizeof(tc.seen));
	memset(tc.seen_user, 0, sizeof(tc.seen_user));
	snprintf(tc.path, sizeof(tc.path), "/tmp/tavor-test-%d-%d", (int)getpid(), n);
	if (vfu_listen(tc.h, tc.path))
		die("listen");
	if (!n)
		atexit(unlink_socket);
	tc_fresh();
	return tc.h;
}
