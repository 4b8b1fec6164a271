// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A plugin of QEMU's that counts the instructions a guest executes between two markers. It writes a
 * line "ID INSTRUCTIONS IN-INTERRUPTS INTERRUPTS" for each interval that has ended, and "error ..."
 * for what cannot be one.
 *
 * An interrupt that arrives within an interval lasts until the interrupted instruction is executed
 * after an IRETQ: the newest interrupt that came there has then returned. One in which the interval
 * ends is a part of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marker.h"
#include "plugin_api.h"

#define PENDING_MAX 256

struct interval {
	bool open;
	unsigned int interrupts;
	uint64_t start;	  /* of the whole */
	uint64_t inside;  /* instructions of interrupts that have returned */
	uint64_t entered; /* when the interrupt it is in arrived */
	uint64_t in;	  /* that interrupt's number, or 0 */
};

struct pending {
	uint64_t number;
	uint64_t at;
};

/* One processor only: nothing here has a lock. */
static struct u64_entry executed, returned;
static struct interval intervals[COUNT_IDS];
static struct pending pending[PENDING_MAX];
static unsigned int pending_count, open_count;
static uint64_t interrupt_number;
static FILE *out;

API int qemu_plugin_version = API_VERSION;

static uint64_t now(void)
{
	return qemu_plugin_u64_get(executed, 0);
}

static void begin(unsigned int id)
{
	struct interval *interval = &intervals[id];

	if (interval->open)
		fprintf(out, "error: %u begins again before it has ended\n", id);
	else
		open_count++;
	*interval = (struct interval){ .open = true, .start = now() };
}

static void end(unsigned int id)
{
	struct interval *interval = &intervals[id];

	if (!interval->open) {
		fprintf(out, "error: %u ends without having begun\n", id);
		return;
	}
	fprintf(out, "%u %llu %llu %u\n", id, (unsigned long long)(now() - interval->start),
		(unsigned long long)interval->inside, interval->interrupts);
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

/* The oldest one is forgotten where a guest loses its way home so often. */
static void arrived(uint64_t at)
{
	if (pending_count == PENDING_MAX)
		memmove(pending, pending + 1, --pending_count * sizeof(*pending));
	pending[pending_count++] = (struct pending){ .number = ++interrupt_number, .at = at };
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
	for (struct interval *interval = intervals; interval < intervals + COUNT_IDS; interval++) {
		if (interval->open && interval->in == number) {
			interval->inside += now() - interval->entered;
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
	/* The next one may come before anything was executed where the last one returned to. */
	if (qemu_plugin_u64_get(returned, 0))
		on_return(processor, (void *)(uintptr_t)from);
	arrived(from);
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

API int qemu_plugin_install(uint64_t plugin, const struct machine *machine, int argc, char **argv)
{
	struct qemu_plugin_scoreboard *score;

	if (!machine->system || strcmp(machine->target, "x86_64") || machine->processors_max != 1) {
		fprintf(stderr, "count: counts on a machine with one x86-64 processor only\n");
		return 1;
	}
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: wants out=FILE\n");
		return 1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror("count: out");
		return 1;
	}
	score = qemu_plugin_scoreboard_new(2 * sizeof(uint64_t));
	executed = (struct u64_entry){ .score = score };
	returned = (struct u64_entry){ .score = score, .offset = sizeof(uint64_t) };
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, on_translation, NULL);
	qemu_plugin_register_vcpu_discon_cb(plugin, AN_INTERRUPT, on_interrupt, NULL);
	qemu_plugin_register_atexit_cb(plugin, on_exit_of_qemu, NULL);
	return 0;
}
