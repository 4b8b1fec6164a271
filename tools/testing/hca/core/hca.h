/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The functions that every file of the HCA model can call, and the order of its layers.
 *
 * The model is one process with one thread. Everything runs from the event loop (loop.c): messages
 * of the vfio-user client, timers, and deferred work. No function here blocks. Numbers are in host
 * byte order unless a type says otherwise; memory that the guest can see is big-endian, and is read
 * and written only with the accessors of bytes.h.
 *
 * A file calls only lower files, and no layer calls one above it. A lower layer calls an upper one
 * through functions that hca_join() has registered (model.h).
 *
 *	main, control, model	the process
 *	qp/	work queues and transport
 *	fabric/	packets, ports, links and management
 *	device/	the interface to the guest (vfu, bars, regs, uar, window), commands, memory keys,
 *		event and completion queues
 *	core/	time, options, reports, random numbers, and the storage of each part's state
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

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

struct hca;

/* --- hca.c: the HCAs of this process --- */

/*
 * Each part keeps its state of one HCA in its own structure. X_new() allocates it at start, and
 * hca_part() returns it. hca.c holds the pointers; no part accesses another part's structure.
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
/* Adds an HCA without parts. If there are too many, prints a message and returns NULL. */
struct hca *hca_add(void);
void hca_drop_last(void);
int hca_count(void);
int hca_number(const struct hca *h);
struct hca *hca_by_number(int n); /* NULL if there is no such HCA */
void hca_reset(struct hca *h);	  /* reset by register 0xf0010, by the client, or by a disconnect */
/* Sets the function that hca_reset() calls. */
void hca_on_reset(void (*fn)(struct hca *h));

/* --- report.c: violations and user faults --- */

/*
 * Every rule that the model enforces is in rules_device.def, rules_qp.def or rules_fabric.def:
 * RULE(identifier, "rule-name", "what is forbidden, and by which section", "what is right").
 */
enum hca_rule {
#define RULE(id, name, text, right) RULE_##id,
#include "device/rules_device.def"
#include "qp/rules_qp.def"
#include "fabric/rules_fabric.def"
#undef RULE
	RULE_COUNT
};

const char *rule_name(enum hca_rule rule);

/*
 * Records a violation, which is the kernel driver's fault and fails the run. @object names the
 * object ("QP 0x403", "HCR", "EQ 2"), and @fmt describes the error with the offending values.
 */
void violation(struct hca *h, enum hca_rule rule, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * The same for an error that an unprivileged process can cause alone, through its doorbell page and
 * its WQEs. @uar is the UAR page in the object's context: if it belongs to a process, the error is
 * recorded as a user fault, otherwise as a violation.
 */
void blame(struct hca *h, u32 uar, enum hca_rule rule, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void hca_log(struct hca *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Increments a named event counter, which the summary and the control socket show. @name is a
 * literal.
 */
void count(struct hca *h, const char *name);

/* --- random.c --- */

u64 hca_random(struct hca *h);
double hca_random_unit(struct hca *h); /* [0, 1) */
bool hca_chance(struct hca *h, double probability);
int random_new(struct hca *h);
void random_delete(struct hca *h);

/* --- loop.c: time and deferred work --- */

struct hca_timer {
	void (*fn)(struct hca_timer *t);
	void *priv; /* owned by loop.c; NULL before the first timer_arm() */
};

u64 now_ns(void);
void timer_setup(struct hca_timer *t, void (*fn)(struct hca_timer *t));
/* Arms the timer, or arms it again. @ns 0 means the next turn of the loop. */
void timer_arm(struct hca_timer *t, u64 ns);
void timer_cancel(struct hca_timer *t);
bool timer_armed(const struct hca_timer *t);

/*
 * Work runs after the received messages, in the order in which it was scheduled, once for each call
 * of work_schedule(). A function that has more than a few packets to process schedules itself
 * again, so that the client does not wait.
 */
struct hca_work {
	void (*fn)(struct hca_work *w);
	struct hca_work *next;
	struct hca_work **at; /* the pointer to this item, so that a cancel needs no search */
	bool queued;
};

void work_schedule(struct hca_work *w);
void work_cancel(struct hca_work *w);

/* A descriptor that the loop watches. @fn gets the EPOLL* bits that are ready. */
struct hca_fd {
	int fd;
	void (*fn)(struct hca_fd *f, u32 events);
};

int loop_add(struct hca_fd *f, u32 events);
int loop_modify(struct hca_fd *f, u32 events);
void loop_remove(struct hca_fd *f);
/*
 * Listens at a socket file, which replaces one that a killed process has left, and watches it.
 * Returns 0 or a negative errno: -EADDRINUSE if somebody listens there, -EEXIST if the file is no
 * socket.
 */
int loop_listen(struct hca_fd *f, const char *path, int backlog);
/*
 * Runs one turn: ready descriptors, due timers, queued work. With @block it waits for the first of
 * them.
 */
void loop_turn(bool block);
/*
 * Runs turns until loop_stop(). An idle loop uses no processor time: it sleeps until a descriptor
 * is ready or a timer is due.
 */
void loop_run(void);
void loop_stop(void);

/* --- options.c: key=value --- */

/*
 * The options are declared in options.def. A call with an undeclared key is a bug and aborts. These
 * functions search by name. Hot code calls opt_ref() once and keeps the pointer to the current
 * value; some values can change while the model runs.
 */
u64 opt_u64(const struct hca *h, const char *key);
const u64 *opt_ref(const struct hca *h, const char *key);
const char *opt_str(const struct hca *h, const char *key);
bool opt_bool(const struct hca *h, const char *key);

#endif
