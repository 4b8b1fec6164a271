// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A QEMU plugin that counts the instructions that a guest executes between two markers. For each
 * interval that has ended it writes a line "ID INSTRUCTIONS IN-INTERRUPTS INTERRUPTS", and "error
 * ..." for an invalid interval.
 *
 * With io=FILE, the line continues with " READS WRITES": the accesses to registers by modules, and
 * by kernel code in the ranges of the file, whose lines are "FROM TO" (hexadecimal).
 *
 * With calls=FILE, the line then has the number of executions of the instructions of each column.
 * The lines of the file are "ADDRESS COLUMN" (hexadecimal, decimal). These numbers are preceded by
 * the number of instructions that are no work: those of the idle loop, executed outside of
 * interrupts from an address of column IDLE_BEGINS to one of IDLE_ENDS, and those of interrupts in
 * which an address of column TIMER is executed. The other numbers include everything in interrupts.
 *
 * An interrupt that arrives in an interval ends when the interrupted instruction is executed after
 * an IRETQ: the newest interrupt of this instruction has then returned. An interrupt in which the
 * interval ends is a part of the interval.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marker.h"
#include "plugin_api.h"

#define PENDING_MAX 256
#define COLUMNS 32
#define CALLS_MAX 256
#define IDLE_BEGINS 100
#define IDLE_ENDS 101
#define TIMER 102
#define RANGES_MAX 256
/* Where Linux loads modules, which access registers */
#define MODULES_FROM 0xffffffffa0000000
#define MODULES_TO 0xffffffffff000000

struct interval {
	bool open;
	unsigned int interrupts;
	uint64_t start;	  /* now() at the begin */
	uint64_t inside;  /* instructions of interrupts that have returned */
	uint64_t entered; /* now() when the current interrupt arrived */
	uint64_t in;	  /* the current interrupt's number, or 0 */
	uint64_t reads, writes, idle;
	uint64_t timers;	 /* instructions of the timer's interrupts that have returned */
	uint64_t calls[COLUMNS]; /* the counts at the begin */
};

struct pending {
	uint64_t number;
	uint64_t at;
};

/* There is only one processor, so nothing here needs a lock. */
static struct u64_entry executed, returned;
static struct interval intervals[COUNT_IDS];
static struct pending pending[PENDING_MAX];
static unsigned int pending_count, open_count;
static uint64_t interrupt_number, timer_number;
static FILE *out;
static uint64_t reads, writes;
static bool io;
static struct {
	bool now;
	uint64_t since;	    /* when it last started or resumed */
	uint64_t interrupt; /* number of the one that interrupts it, or 0 */
	uint64_t total;	    /* before since */
} idle;
static struct u64_entry called[COLUMNS];
static unsigned int columns, calls_count;
static struct {
	uint64_t address;
	unsigned int column;
} calls[CALLS_MAX];
static struct {
	uint64_t from, to;
} ranges[RANGES_MAX];
static unsigned int ranges_count;

API int qemu_plugin_version = API_VERSION;

static uint64_t now(void)
{
	return qemu_plugin_u64_get(executed, 0);
}

static uint64_t idled(void)
{
	return idle.total + (idle.now && !idle.interrupt ? now() - idle.since : 0);
}

static void on_idle(unsigned int processor, void *data)
{
	idle.total = idled();
	idle.now = true;
	idle.since = now();
	idle.interrupt = 0;
}

static void on_idle_end(unsigned int processor, void *data)
{
	idle.total = idled();
	idle.now = false;
	idle.interrupt = 0;
}

static void on_timer(unsigned int processor, void *data)
{
	timer_number = interrupt_number;
}

static void begin(unsigned int id)
{
	struct interval *interval = &intervals[id];

	if (interval->open)
		fprintf(out, "error: %u begins again before it has ended\n", id);
	else
		open_count++;
	*interval = (struct interval){
		.open = true, .start = now(), .reads = reads, .writes = writes, .idle = idled()
	};
	for (unsigned int i = 0; i < columns; i++)
		interval->calls[i] = qemu_plugin_u64_get(called[i], 0);
}

static void end(unsigned int id)
{
	struct interval *interval = &intervals[id];

	if (!interval->open) {
		fprintf(out, "error: %u ends without having begun\n", id);
		return;
	}
	fprintf(out, "%u %llu %llu %u", id, (unsigned long long)(now() - interval->start),
		(unsigned long long)interval->inside, interval->interrupts);
	if (io)
		fprintf(out, " %llu %llu", (unsigned long long)(reads - interval->reads),
			(unsigned long long)(writes - interval->writes));
	if (columns)
		fprintf(out, " %llu",
			(unsigned long long)(idled() - interval->idle + interval->timers));
	for (unsigned int i = 0; i < columns; i++)
		fprintf(out, " %llu",
			(unsigned long long)(qemu_plugin_u64_get(called[i], 0) -
					     interval->calls[i]));
	fputc('\n', out);
	interval->open = false;
	if (!--open_count)
		pending_count = 0;
}

static void on_marker(unsigned int processor, void *data)
{
	uint32_t mark = (uintptr_t)data;

	if (mark & COUNT_END)
		end(mark & ~COUNT_END);
	else
		begin(mark);
}

/* A guest that often does not return to where it was interrupted fills the table; the oldest entry
 * is then dropped. */
static void arrived(uint64_t at)
{
	if (pending_count == PENDING_MAX)
		memmove(pending, pending + 1, --pending_count * sizeof(*pending));
	pending[pending_count++] = (struct pending){ .number = ++interrupt_number, .at = at };
	if (idle.now && !idle.interrupt) {
		idle.total = idled();
		idle.interrupt = interrupt_number;
	}
	for (struct interval *interval = intervals; interval < intervals + COUNT_IDS; interval++) {
		if (!interval->open)
			continue;
		interval->interrupts++;
		if (!interval->in) {
			interval->in = interrupt_number;
			interval->entered = now();
		}
	}
}

static void gone(uint64_t at)
{
	unsigned int place = pending_count;
	uint64_t number;

	while (place && pending[place - 1].at != at)
		place--;
	if (!place)
		return;
	number = pending[--place].number;
	memmove(pending + place, pending + place + 1, (--pending_count - place) * sizeof(*pending));
	if (idle.now && idle.interrupt == number) {
		idle.interrupt = 0;
		idle.since = now();
	}
	for (struct interval *interval = intervals; interval < intervals + COUNT_IDS; interval++) {
		if (interval->open && interval->in == number) {
			interval->inside += now() - interval->entered;
			if (number == timer_number)
				interval->timers += now() - interval->entered;
			interval->in = 0;
		}
	}
}

static void on_return(unsigned int processor, void *data)
{
	qemu_plugin_u64_set(returned, 0, 0);
	gone((uintptr_t)data);
}

static void on_interrupt(unsigned int processor, enum discontinuity type, uint64_t from,
			 uint64_t to, void *data)
{
	if (!open_count)
		return;
	/* An interrupt may arrive before the last one has executed its return address. */
	if (qemu_plugin_u64_get(returned, 0))
		on_return(processor, (void *)(uintptr_t)from);
	arrived(from);
}

static void on_access(unsigned int processor, uint32_t what, uint64_t vaddr, void *data)
{
	struct qemu_plugin_hwaddr *address;

	if (!open_count)
		return;
	address = qemu_plugin_get_hwaddr(what, vaddr);
	if (!address || !qemu_plugin_hwaddr_is_io(address))
		return;
	if (qemu_plugin_mem_is_store(what))
		writes++;
	else
		reads++;
}

static bool accesses_registers(uint64_t at)
{
	if (at >= MODULES_FROM && at < MODULES_TO)
		return true;
	for (unsigned int i = 0; i < ranges_count; i++) {
		if (at >= ranges[i].from && at < ranges[i].to)
			return true;
	}
	return false;
}

static void on_place(struct qemu_plugin_insn *insn)
{
	uint64_t at = qemu_plugin_insn_vaddr(insn);

	if (io && accesses_registers(at))
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, NO_REGISTERS, READS_AND_WRITES,
						 NULL);
	for (unsigned int i = 0; i < calls_count; i++) {
		if (calls[i].address != at)
			continue;
		if (calls[i].column == IDLE_BEGINS)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_idle, NO_REGISTERS, NULL);
		else if (calls[i].column == TIMER)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_timer, NO_REGISTERS, NULL);
		else if (calls[i].column == IDLE_ENDS)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_idle_end, NO_REGISTERS,
							       NULL);
		else
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
				insn, OP_ADD, called[calls[i].column], 1);
	}
}

static void on_insn(struct qemu_plugin_insn *insn)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x84, 0x00 }, iretq[] = { 0x48, 0xcf };
	uint8_t code[8];
	uint32_t mark;
	size_t size = qemu_plugin_insn_data(insn, code, sizeof(code));

	if (size == sizeof(code) && !memcmp(code, nop, sizeof(nop))) {
		memcpy(&mark, code + sizeof(nop), sizeof(mark));
		if ((mark ^ COUNT_MAGIC) <= (COUNT_END | (COUNT_IDS - 1)) &&
		    !(mark & 0x7fff & ~(COUNT_IDS - 1))) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, NO_REGISTERS,
							       (void *)(uintptr_t)(mark ^
										   COUNT_MAGIC));
			return;
		}
	}
	on_place(insn);
	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, OP_ADD, executed, 1);
	if (size == sizeof(iretq) && !memcmp(code, iretq, sizeof(iretq)))
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, OP_STORE, returned, 1);
}

static void on_translation(struct qemu_plugin_tb *tb, void *data)
{
	qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, on_return, NO_REGISTERS, COND_NE, returned, 0,
						  (void *)(uintptr_t)qemu_plugin_tb_vaddr(tb));
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
		on_insn(qemu_plugin_tb_get_insn(tb, i));
}

static void on_exit_of_qemu(void *data)
{
	for (unsigned int id = 0; id < COUNT_IDS; id++)
		if (intervals[id].open)
			fprintf(out, "error: %u has not ended\n", id);
	fclose(out);
}

static bool read_calls(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long long address;
	unsigned int column;

	if (!file)
		return false;
	while (fscanf(file, "%llx %u", &address, &column) == 2) {
		if (calls_count == CALLS_MAX || (column >= COLUMNS && column != IDLE_BEGINS &&
						 column != IDLE_ENDS && column != TIMER))
			break;
		calls[calls_count].address = address;
		calls[calls_count++].column = column;
		if (column < COLUMNS && column >= columns)
			columns = column + 1;
	}
	if (!feof(file))
		calls_count = 0;
	fclose(file);
	return calls_count;
}

static bool read_ranges(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long long from, to;

	if (!file)
		return false;
	while (ranges_count < RANGES_MAX && fscanf(file, "%llx %llx", &from, &to) == 2) {
		ranges[ranges_count].from = from;
		ranges[ranges_count++].to = to;
	}
	io = feof(file);
	fclose(file);
	return io;
}

static bool option(const char *text)
{
	if (!strncmp(text, "out=", 4)) {
		out = fopen(text + 4, "w");
		if (!out)
			perror("count: out");
		return out;
	}
	if (!strncmp(text, "io=", 3) && read_ranges(text + 3))
		return true;
	if (strncmp(text, "calls=", 6) || !read_calls(text + 6)) {
		fprintf(stderr, "count: not understood: %s\n", text);
		return false;
	}
	return true;
}

API int qemu_plugin_install(uint64_t plugin, const struct machine *machine, int argc, char **argv)
{
	struct qemu_plugin_scoreboard *score;

	if (!machine->system || strcmp(machine->target, "x86_64") || machine->processors_max != 1) {
		fprintf(stderr, "count: counts on a machine with one x86-64 processor only\n");
		return 1;
	}
	for (int i = 0; i < argc; i++) {
		if (!option(argv[i]))
			return 1;
	}
	if (!out) {
		fprintf(stderr, "count: wants out=FILE\n");
		return 1;
	}
	score = qemu_plugin_scoreboard_new((2 + COLUMNS) * sizeof(uint64_t));
	executed = (struct u64_entry){ .score = score };
	returned = (struct u64_entry){ .score = score, .offset = sizeof(uint64_t) };
	for (unsigned int i = 0; i < COLUMNS; i++)
		called[i] =
			(struct u64_entry){ .score = score, .offset = (2 + i) * sizeof(uint64_t) };
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, on_translation, NULL);
	qemu_plugin_register_vcpu_discon_cb(plugin, AN_INTERRUPT, on_interrupt, NULL);
	qemu_plugin_register_atexit_cb(plugin, on_exit_of_qemu, NULL);
	return 0;
}
