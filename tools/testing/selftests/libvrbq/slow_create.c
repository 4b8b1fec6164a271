// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes ibv_create_qp() slow when it is preloaded: it prints "creating" and sleeps for SLOW_CREATE
 * milliseconds.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <infiniband/verbs.h>

#undef ibv_create_qp

struct ibv_qp *ibv_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct ibv_qp *(*real)(struct ibv_pd *, struct ibv_qp_init_attr *) =
		dlsym(RTLD_NEXT, "ibv_create_qp");
	const char *value = getenv("SLOW_CREATE");

	fprintf(stderr, "creating\n");
	usleep(1000 * (value ? atoi(value) : 0));
	return real(pd, attr);
}
