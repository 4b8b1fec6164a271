// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor
// Kernels: 6.12 debug
// Runs: guest --driver mthca
// Level: all
//
// Tests that threads of a process can resize one CQ at the same time, each to its own size and
// buffer. The resizes are serialized. Afterwards the kernel and the hardware have the same size,
// and the hardware uses the buffer of that size. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/resize_race [ROUNDS]

#include <errno.h>
#include <pthread.h>
#include "kselftest.h"
#include "model.h"
#include "process.h"
#include "raw.h"

#define THREADS 4
#define ROUNDS 50
#define SMALLEST 64
#define ENTRY 32

static struct ibv_context *context;
static pthread_barrier_t start;
static struct raw_pd pd;
static struct raw_cq cq;
static struct raw_mr mr[THREADS + 1];
static int errors[THREADS];

static unsigned int entries(int buffer)
{
	return SMALLEST << buffer;
}

static bool ready(void)
{
	const size_t size = entries(THREADS) * ENTRY;
	int i;

	context = process_open();
	if (!context || raw_alloc_pd(context->cmd_fd, &pd))
		return false;
	for (i = 0; i <= THREADS; i++) {
		void *memory = process_memory(size);

		if (!memory || raw_reg_mr(context->cmd_fd, pd.handle, memory, size, 0,
					  IBV_ACCESS_LOCAL_WRITE, &mr[i]))
			return false;
	}
	return !raw_create_cq(context->cmd_fd, entries(THREADS) - 1, mr[THREADS].lkey, pd.pdn, &cq);
}

static void *resize(void *arg)
{
	int me = (intptr_t)arg;
	uint32_t got;

	pthread_barrier_wait(&start);
	errors[me] = -raw_resize_cq(context->cmd_fd, cq.handle, entries(me) - 1, mr[me].lkey, &got);
	return NULL;
}

/* Returns the size that ib_core has, or 0 if it is not known. */
static unsigned int core_entries(void)
{
	char command[64], line[512];
	unsigned int cqe = 0;
	FILE *out;

	snprintf(command, sizeof(command), "rdma resource show cq pid %d", getpid());
	out = popen(command, "r");
	while (out && fgets(line, sizeof(line), out))
		if (strstr(line, " cqe "))
			cqe = strtoul(strstr(line, " cqe ") + 5, NULL, 10);
	if (out)
		pclose(out);
	return cqe ? cqe + 1 : 0;
}

static unsigned int hardware_entries(void)
{
	static char reply[1 << 20];
	char key[32];
	char *at;

	snprintf(key, sizeof(key), "{\"cqn\":%u,", cq.cqn);
	if (!model_reply("{\"cmd\":\"objects\",\"hca\":0}", reply, sizeof(reply)))
		return 0;
	at = strstr(reply, key);
	at = at ? strstr(at, "\"entries\":") : NULL;
	return at ? strtoul(at + 10, NULL, 10) : 0;
}

/* Only the buffer of this size is in use. */
static bool pinned(unsigned int size)
{
	int i, ret;

	for (i = 0; i <= THREADS; i++) {
		ret = -raw_dereg_mr(context->cmd_fd, mr[i].handle);
		if (ret != (entries(i) == size ? EBUSY : 0)) {
			ksft_print_msg("the buffer for %u: %s\n", entries(i), strerror(ret));
			return false;
		}
	}
	return true;
}

/* All threads resize at once. Returns an errno of one that failed. */
static int race(void)
{
	pthread_t thread[THREADS];
	int i, ret = 0;

	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, resize, (void *)(intptr_t)i);
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		ret = ret ?: errors[i];
	}
	return ret;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS, disagreed = 0, ret = 0, i;

	ksft_print_header();
	if (!ready())
		ksft_exit_skip("no RDMA device that works\n");
	ksft_set_plan(3);
	pthread_barrier_init(&start, NULL, THREADS);
	for (i = 0; i < rounds && !ret; i++) {
		ret = race();
		disagreed += core_entries() != hardware_entries();
	}
	ksft_test_result(!ret, "%d threads resize one CQ: %s\n", THREADS,
			 ret ? strerrorname_np(ret) : "success");
	ksft_test_result(!disagreed && hardware_entries(),
			 "kernel and hardware agree about the size: all but %d of %d times\n",
			 disagreed, rounds);
	if (process_driver_is(context, "ib_tavor"))
		ksft_test_result(pinned(hardware_entries()), "the buffer in use is pinned\n");
	else
		ksft_test_result_skip("ib_mthca pins no buffer\n");
	ksft_finished();
}
