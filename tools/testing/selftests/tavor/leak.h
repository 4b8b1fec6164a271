/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions that find leaks of kernel memory in responses, for a kernel that fills its memory with
 * poison instead of zeros. Each request is made on two objects, into memory that was filled with
 * two patterns: a byte that is poison both times is a leak, and a byte that keeps both patterns was
 * not written.
 */
#ifndef SELFTESTS_TAVOR_LEAK_H
#define SELFTESTS_TAVOR_LEAK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "kselftest.h"
#include "connect.h"
#include "states.h"

#define NR(table) (int)(sizeof(table) / sizeof((table)[0]))
#define POISON_NEW 0x5a /* memory just allocated */
#define POISON_OLD 0x6b /* memory that was free */

/* The response to a request */
struct answer {
	uint8_t bytes[8192];
	size_t size;
};

typedef int (*leak_request)(uint32_t handle, struct answer *answer);

enum leak { LEAK_NONE = 0, LEAK_POISON = 1, LEAK_UNWRITTEN = 2 };

static inline enum leak leak_byte(uint8_t a, uint8_t b)
{
	if (a == b && (a == POISON_NEW || a == POISON_OLD))
		return LEAK_POISON;
	return a == 0xc3 && b == 0x3c ? LEAK_UNWRITTEN : LEAK_NONE;
}

/* Returns the sum of what has been found. */
static inline int leak_find(const char *name, const struct answer *a, const struct answer *b)
{
	int found = LEAK_NONE;
	size_t i, first = 0;

	for (i = 0; i < a->size; i++) {
		const enum leak leak = leak_byte(a->bytes[i], b->bytes[i]);

		if (!i || leak != leak_byte(a->bytes[i - 1], b->bytes[i - 1]))
			first = i;
		if (!leak ||
		    (i + 1 < a->size && leak == leak_byte(a->bytes[i + 1], b->bytes[i + 1])))
			continue;
		ksft_print_msg("%s: bytes %zu to %zu are %s\n", name, first, i,
			       leak == LEAK_POISON ? "the kernel's memory" : "not written");
		found |= leak;
	}
	return found;
}

/* Makes a request twice. @first and @second are the handles of its objects, or other arguments. */
static inline void leak_expect(const char *name, leak_request request, uint32_t first,
			       uint32_t second, int leak)
{
	struct answer a, b;
	int ret;

	memset(&a, 0xc3, sizeof(a));
	memset(&b, 0x3c, sizeof(b));
	a.size = b.size = 0;
	ret = request(first, &a) ?: request(second, &b);
	if (ret)
		ksft_print_msg("%s: %s\n", name, strerror(-ret));
	ksft_test_result(!ret && a.size && a.size == b.size && leak_find(name, &a, &b) == leak,
			 "%s%s\n", name, leak ? ": the response is not complete" : "");
}

static inline void leak_test(const char *name, leak_request request, uint32_t first,
			     uint32_t second)
{
	leak_expect(name, request, first, second, LEAK_NONE);
}

/* Returns the handle of a new object. The response to every create begins with the handle. */
static inline uint32_t leak_made_by(leak_request create, uint32_t of)
{
	struct answer answer = {};
	uint32_t handle;
	int ret = create(of, &answer);

	if (ret)
		ksft_exit_fail_msg("an object for a test cannot be made: %s\n", strerror(-ret));
	memcpy(&handle, answer.bytes, sizeof(handle));
	return handle;
}

/* Tests a request that needs objects, which @create makes. */
static inline void leak_test_made(const char *name, leak_request request, leak_request create,
				  uint32_t of)
{
	leak_test(name, request, leak_made_by(create, of), leak_made_by(create, of));
}

/* The device's number, 0x5a44, looks like poison. @at: a struct ib_uverbs_query_device_resp */
static inline void leak_hide_number(struct answer *answer, size_t at)
{
	struct ib_uverbs_query_device_resp device;

	memcpy(&device, answer->bytes + at, sizeof(device));
	if (device.vendor_part_id == 0x5a44)
		device.vendor_part_id = 0;
	memcpy(answer->bytes + at, &device, sizeof(device));
}

/* ---- QPs of all types in all states ---- */

/* What the QPs are made of; @ah: see state_fail_send() */
struct leak_qps {
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_ah *ah;
};

/* Returns a new QP. A send error moves an RC QP to ERR instead of SQE. */
static inline struct ibv_qp *leak_qp(const struct leak_qps *in, enum ibv_qp_type type,
				     enum ibv_qp_state state)
{
	const bool fails = type == IBV_QPT_RC && state == IBV_QPS_SQE;
	struct ibv_qp *qp = connect_make(in->pd, type, in->cq, in->cq, 2);
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_UNKNOWN };
	struct ibv_qp_init_attr init;
	int ret = qp ? state_bring(qp, state, in->ah) : errno;

	if (ret || ibv_query_qp(qp, &attr, IBV_QP_STATE, &init) ||
	    attr.qp_state != (fails ? IBV_QPS_ERR : state))
		ksft_exit_fail_msg("a QP of type %d is not in state %d but in %d: %s\n", type,
				   state, attr.qp_state, strerror(ret));
	return qp;
}

#define LEAK_TYPES 3
#define LEAK_STATES 7

/* Tests a request that needs a QP on LEAK_TYPES * LEAK_STATES pairs of QPs. */
static inline void leak_each_qp(const char *what, leak_request request, const struct leak_qps *in)
{
	static const enum ibv_qp_type types[LEAK_TYPES] = { IBV_QPT_RC, IBV_QPT_UC, IBV_QPT_UD };
	static const enum ibv_qp_state states[LEAK_STATES] = {
		IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPS_RTR, IBV_QPS_RTS,
		IBV_QPS_SQD,   IBV_QPS_SQE,  IBV_QPS_ERR,
	};
	char name[64];
	int i, t;

	for (t = 0; t < LEAK_TYPES; t++)
		for (i = 0; i < LEAK_STATES; i++) {
			struct ibv_qp *first = leak_qp(in, types[t], states[i]);
			struct ibv_qp *second = leak_qp(in, types[t], states[i]);

			snprintf(name, sizeof(name), "%s of type %d in state %d", what, types[t],
				 states[i]);
			leak_test(name, request, first->handle, second->handle);
			ibv_destroy_qp(first);
			ibv_destroy_qp(second);
		}
}

/* Returns whether the kernel poisons its memory. */
static inline bool leak_poisoned(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "r");

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	return strstr(line, "init_on_alloc=0") && strstr(line, "slub_debug=P");
}

#endif /* SELFTESTS_TAVOR_LEAK_H */
