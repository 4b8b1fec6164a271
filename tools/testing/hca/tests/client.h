/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A small driver without a kernel: a vfio-user client in the same process and thread as the model.
 * It talks to a real HCA over its socket, and runs the loop while it waits. It does not use
 * internals of the model, except for the counters of violations.
 */
#ifndef HCA_TESTS_CLIENT_H
#define HCA_TESTS_CLIENT_H

#include "core/bytes.h"
#include "core/report.h"
#include "device/device.h"

#include <linux/vfio.h>

#define TC_RAM (16u << 20)
#define TC_IOVA 0x100000000ull
#define TC_UAR 2      /* UAR page of the driver */
#define TC_USER_UAR 5 /* UAR page of a process */
#define TC_PD 7
#define TC_KEY 0x20 /* untranslated region (tavor-hw 9.4) */
#define TC_EQ_CMD 3
#define TC_EQ_ASYNC 2
#define TC_EQ_COMP 1
#define TC_EQ_LOG 6

/*
 * Creates a new HCA with these options ("key=value key=value") and connects to it, with power, BARs
 * and bus mastering on. Later calls create further HCAs; all functions here use the newest one.
 */
struct hca *tc_start(const char *options);
/* Closes the connection and opens a new one, which finds the state after power-on. */
void tc_fresh(void);
struct hca *tc_hca(void);

/* --- the protocol --- */

int tc_connect(void); /* without negotiation; returns the socket */
void tc_negotiate(void);
/*
 * Sends one message and waits for its reply. Returns the length of the payload, -errno for an error
 * reply, or -ECONNRESET if the connection was closed.
 */
int tc_call(u16 command, const void *payload, u32 len, const int *fds, int n_fds, void *reply,
	    u32 room);
void tc_raw(const void *bytes, u32 len);
/* Runs the loop until nothing is left to do; tc_wait() runs it for at least @ns. */
void tc_settle(void);
void tc_wait(u64 ns);
/*
 * Runs the loop until @cond is true, for five seconds at most, so that no test depends on the speed
 * of the machine.
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
void tc_reset(void);  /* reset by register, waits, and enables again */
/* Sets the eventfds of an interrupt; tc_irq_taken() returns their signals since the last call. */
void tc_irqs(u32 index, u32 n);
u64 tc_irq_taken(u32 index, u32 vector);

/* --- commands --- */

/*
 * Executes a polled command (E=0) and returns its status. An immediate output is stored in *imm if
 * it is not NULL.
 */
u8 tc_cmd(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param, u64 out_param, u64 *imm);
/* The input and the output mailbox, which tc_fresh() allocates */
u8 *tc_in(void);
u8 *tc_out(void);
u8 tc_cmd_in(u16 opcode, u8 op_mod, u32 in_mod);
u8 tc_cmd_out(u16 opcode, u8 op_mod, u32 in_mod);
/* Posts a command with E=1 and does not wait for its completion. */
void tc_post(u16 opcode, u8 op_mod, u32 in_mod, u64 in_param, u64 out_param, u16 token);
/*
 * Consumes the next EQE, updates the consumer index and arms the EQ. Returns NULL if there is none.
 */
const u8 *tc_eqe(u32 eqn);
const u8 *tc_eqe_noarm(u32 eqn);

/* --- bring-up --- */

void tc_sys_en(void);
void tc_init_hca_mailbox(u8 *in); /* a valid one */
void tc_init_hca(void);		  /* SYS_EN and INIT_HCA */
void tc_mpt_mailbox(u8 *in, u32 key, u32 flags, u64 start, u64 len, u64 mtt);
u64 tc_mtts(const void *buf, u32 len); /* writes MTTs through BAR4; returns their address */
u32 tc_mr(void *buf, u32 len, u32 rights, u64 va); /* a region with translation; returns its key */
void tc_eq_mailbox(u8 *in, u8 *buf, u32 log, u8 intr);
void tc_up(void); /* full bring-up: untranslated key, three EQs, MAP_EQ */
u8 *tc_cq_mailbox(u8 *in, u32 cqn, u32 log, u32 uar);
u8 *tc_cq(u32 cqn, u32 log); /* returns the buffer */
void tc_db(u32 uar, u32 reg, u32 hi, u32 lo);

u64 tc_violations(enum hca_rule rule); /* since tc_start() or the last call for this rule */
u64 tc_user_faults(enum hca_rule rule);
u64 tc_any_violation(void); /* all rules, since the last call; prints them on stdout */

#endif
