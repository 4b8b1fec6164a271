/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The declarations of QEMU's plugin interface, version 7 (QEMU 11.1), that the counting plugin
 * needs. Debian's packages of QEMU lack the header. Written from the documentation, "QEMU TCG
 * Plugins" (https://www.qemu.org/docs/master/devel/tcg-plugins.html) and "API" there; QEMU refuses
 * a plugin of another version.
 */
#ifndef COUNT_PLUGIN_API_H
#define COUNT_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API __attribute__((visibility("default")))
#define API_VERSION 7

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

/* A 64-bit member of a scoreboard's per-processor entry */
struct u64_entry {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
};

struct machine {
	const char *target;
	struct {
		int min;
		int cur;
	} version;
	bool system;
	int processors;
	int processors_max;
};

enum registers { NO_REGISTERS };
enum condition { COND_NE = 3 };
enum operation { OP_ADD, OP_STORE };
enum discontinuity { AN_INTERRUPT = 1 };
enum accesses { READS_AND_WRITES = 3 };

typedef void (*at_exit)(void *data);
typedef void (*at_exec)(unsigned int processor, void *data);
typedef void (*at_translation)(struct qemu_plugin_tb *tb, void *data);
typedef void (*at_discontinuity)(unsigned int processor, enum discontinuity type, uint64_t from,
				 uint64_t to, void *data);

typedef void (*at_access)(unsigned int processor, uint32_t what, uint64_t vaddr, void *data);

extern API int qemu_plugin_version;
API int qemu_plugin_install(uint64_t plugin, const struct machine *machine, int argc, char **argv);

void qemu_plugin_register_atexit_cb(uint64_t plugin, at_exit call, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t plugin, at_translation call, void *data);
void qemu_plugin_register_vcpu_discon_cb(uint64_t plugin, enum discontinuity type,
					 at_discontinuity call, void *data);
void qemu_plugin_register_vcpu_tb_exec_cond_cb(struct qemu_plugin_tb *tb, at_exec call,
					       enum registers use, enum condition condition,
					       struct u64_entry entry, uint64_t operand,
					       void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, at_exec call,
					    enum registers use, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *insn,
							 enum operation operation,
							 struct u64_entry entry, uint64_t operand);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, at_access call,
				      enum registers use, enum accesses which, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t what, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *address);
bool qemu_plugin_mem_is_store(uint32_t what);

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
uint64_t qemu_plugin_u64_get(struct u64_entry entry, unsigned int processor);
void qemu_plugin_u64_set(struct u64_entry entry, unsigned int processor, uint64_t value);

#endif
