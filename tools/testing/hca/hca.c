// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The HCAs of this process: construction in order of dependence, and reset, which touches every part. */
#include "device/cmd.h"
#include "device/device.h"
#include "core/fault.h"
#include "core/options.h"
#include "core/report.h"
#include "fabric/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_HCAS 16

struct hca {
	int number;
	void *part[PART_COUNT];
};

static struct hca *hcas[MAX_HCAS];
static int n_hcas;

void *hca_part(const struct hca *h, enum hca_part part)
{
	return h->part[part];
}

void hca_set_part(struct hca *h, enum hca_part part, void *state)
{
	h->part[part] = state;
}

int hca_number(const struct hca *h)
{
	return h->number;
}

struct hca *hca_by_number(int n)
{
	return n >= 0 && n < n_hcas ? hcas[n] : NULL;
}

int hca_count(void)
{
	return n_hcas;
}

/* In order of dependence: a part finds those above it in the list complete. */
static const struct {
	const char *name;
	int (*make)(struct hca *h);
} makers[] = {
	{ "options", options_new }, { "report", report_new }, { "fault", fault_new },
	{ "dma", dma_new },	    { "ddr", ddr_new },	      { "pci", pci_new },
	{ "regs", regs_new },	    { "uar", uar_new },	      { "vfu", vfu_new },
	{ "cmd", cmd_new },	    { "sys", sys_new },	      { "tpt", tpt_new },
	{ "eq", eq_new },	    { "cq", cq_new },	      { "qp", qp_new },
	{ "srq", srq_new },	    { "port", port_new },     { "mcast", mcast_new },
};

/* What fails here has said why; the process is about to end, so nothing is unwound. */
struct hca *hca_new(void)
{
	struct hca *h = calloc(1, sizeof(*h));
	size_t i;
	int ret;

	port_set_receiver(qp_rx);
	if (!h || n_hcas == MAX_HCAS) {
		fprintf(stderr, "tavor-hca: no room for another HCA\n");
		free(h);
		return NULL;
	}
	h->number = n_hcas;
	hcas[n_hcas++] = h;
	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		ret = makers[i].make(h);
		if (ret) {
			fprintf(stderr, "tavor-hca: HCA %d: %s: %s\n", h->number, makers[i].name,
				strerror(-ret));
			return NULL;
		}
	}
	return h;
}

/*
 * Firmware first, then whoever could still write to the guest, then the bus: nothing may reach memory
 * after this returns. Legal in every state (section 3).
 */
void hca_reset(struct hca *h)
{
	/* so that nothing that runs below writes to the guest any more */
	sys_set_dead(h, true);
	cmd_reset(h);
	qp_reset_all(h);
	srq_reset_all(h);
	port_reset_all(h);
	cq_reset(h);
	eq_reset(h);
	tpt_reset(h);
	sys_reset(h);
	uar_reset(h);
	regs_reset(h);
	pci_reset(h);
	report_forget_uars(h);
	sys_set_dead(h, false);
	count(h, "reset");
}

/* Reset first: nothing may be left in timers, work or another HCA's port that points here. */
static void hca_delete(struct hca *h)
{
	hca_reset(h);
	vfu_delete(h);
	cq_delete(h);
	eq_delete(h);
	tpt_delete(h);
	sys_delete(h);
	cmd_delete(h);
	free(h->part[PART_QP]);
	free(h->part[PART_SRQ]);
	uar_delete(h);
	regs_delete(h);
	pci_delete(h);
	ddr_delete(h);
	dma_delete(h);
	fault_delete(h);
	report_delete(h);
}

/* Ports and cables are shared between HCAs and stay, in their places, until the process ends. */
void hca_delete_all(void)
{
	while (n_hcas) {
		hca_delete(hcas[n_hcas - 1]);
		n_hcas--;
	}
}
