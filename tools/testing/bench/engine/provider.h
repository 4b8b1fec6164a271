/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* A provider that costs nearly nothing, so that the cost of the engine is measured. */
#ifndef COST_PROVIDER_H
#define COST_PROVIDER_H

#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

struct provider;

struct provider *provider_create(unsigned int slots);
void provider_destroy(struct provider *provider);
struct vrb_client *provider_client(struct provider *provider);
void provider_prep(struct vrb *vrb, vrb_done_fn done);
void provider_hold(struct provider *provider, bool hold);
void provider_fail(struct provider *provider);

#endif
