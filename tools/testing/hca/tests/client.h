/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A driver in miniature, without a kernel: a vfio-user client in the same process and thread as the
 * model. It talks to a real HCA over its socket and turns the loop while it waits. Nothing in it
 * knows how the model works inside; only the counts of violations are read directly.
 */
#ifndef HCA_TESTS_CLIENT_H
#define HCA_TESTS_CLIENT_H

#include "core/bytes.h"
#include "core/report.h"
#include "device/device.h"

#include <linux/vfio.h>

#define TC_RAM (16u << 20)
#define TC_IOVA 0x100000000ull
#define TC_UAR 2      /* the driver's page */
#define TC_USER_UAR 5 /* a process's */
#define TC_PD 7
#define TC_KEY 0x20 /* untranslated region (tavor-hw 9.4) */
#define TC_EQ_CMD 3
#define TC_EQ_ASYNC 2
#define TC_EQ_COMP 1
#define TC_EQ_LOG 6

/*
 * A new HCA with these options ("key=value key=value"), connected; powered up, BARs and bus
 * mastering on. Later calls make further HCAs; all functions here work on the newest.
 */
struct hca *tc_start(const char *options);
/* Cuts the connection and makes a new one: the state after power-on. */
void tc_fresh(void);
struct hca *tc_hca(void);

/* --- the protocol --- */

int tc_connect(void); /* raw: no negotiation; returns the socket */
void tc_negotiate(void);
/*
 * One message and its reply. Returns the payload's length or -errno of an error reply, -ECONNRESET
 * if cut off.
 */
int tc_call(u16 command, const void *payload, u32 len, const int *fds, int n_fds, void *reply,
	    u32 room);
void tc_raw(const void *bytes, u32 len);
/* Lets the model do what it has to do now; with @ns for at least that long. */
void tc_settle(void);
void tc_wait(u64 ns);
/*
 * Turns the loop until @cond holds, for five seconds at most: no test depends on how fast the
 * machine is.
 */
#define TC_UNTIL(cond)                               \
	do {                                         \
		u64 end_ = now_ns() + 5000000000ull; \
		while (!(cond) && now_ns() < end_)   \
			loop_turn(false);            \
	} while (0)

/* --- memory --- */

u8 *tc_ram(void);
void tc_map_ram(void);
int tc_map(u64 iova, u64 size, u64 offset);
int tc_map_as(u64 iova, u64 size, u64 offset, u32 rights); /* 1 read, 2 write */
int tc_unmap(u64 iova, u64 size);
u8 *tc_alloc(u32 size, u32 align); /* in guest memory, zeroed; never freed before tc_fresh() */
u64 tc_bus(const void *p);

/* --- the function --- */

int tc_read(u32 region, u64 offset, void *buf, u32 len);
int tc_write(u32 region, u64 offset, const void *buf, u32 len);
u32 tc_cfg32(u32 at);
void tc_cfg_write(u32 at, u32 value, u32 len);
u32 tc_reg(u32 at);
void tc_reg_write(u32 at, u32 value);
void tc_enable(void); /* memory space, bus mastering, MSI-X */
void tc_reset(void);  /* by register, waits, and enables again */
/* Eventfd of an interrupt: how often it was signalled since the last call. */
void tc_irqs(u32 index, u32 n);
u64 tc_irq_taken(u32 index, u32 vector);

/* --- commands --- */

/* Polled (E=0): the status. out_param as an immediate comes back in *imm if not NULL. */
u8 tc_cmd(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param, u64 out_param, u64 *imm);
/* With one mailbox in and one out, allocated by tc_fresh(). */
u8 *tc_in(void);
u8 *tc_out(void);
u8 tc_cmd_in(u16 opcode, u8 op_mod, u32 in_mod);
u8 tc_cmd_out(u16 opcode, u8 op_mod, u32 in_mod);
/* Posts with E=1 and does not wait for the completion. */
void tc_post(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param, u64 out_param, u16 token);
/* Next entry of an EQ, or NULL; consumed, with CI set and the EQ armed again. */
const u8 *tc_eqe(u32 eqn);
const u8 *tc_eqe_noarm(u32 eqn);

/* --- bringing it up --- */

void tc_sys_en(void);
void tc_init_hca_mailbox(u8 *in); /* a good one */
void tc_init_hca(void);		  /* SYS_EN and INIT_HCA */
void tc_mpt_mailbox(u8 *in, u32 key, u32 flags, u64 start, u64 len, u64 mtt);
u64 tc_mtts(const void *buf, u32 len); /* writes MTTs through BAR4; the address of the first */
u32 tc_mr(void *buf, u32 len, u32 rights, u64 va); /* a translated region: its key */
void tc_eq_mailbox(u8 *in, u8 *buf, u32 log, u8 intr);
void tc_up(void); /* all of it: untranslated key, three EQs, MAP_EQ */
u8 *tc_cq_mailbox(u8 *in, u32 cqn, u32 log, u32 uar);
u8 *tc_cq(u32 cqn, u32 log); /* the buffer */
void tc_db(u32 uar, u32 reg, u32 hi, u32 lo);

u64 tc_violations(enum hca_rule rule); /* since tc_start() or the last call for this rule */
u64 tc_user_faults(enum hca_rule rule);
u64 tc_any_violation(void); /* all rules, since the last call; says which on stdout */

#endif
