// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The model as a whole: the callbacks between its layers, the construction of an HCA in the order
 * of dependencies, and the reset of all its parts.
 */
#include "model.h"
#include "core/options.h"
#include "core/report.h"
#include "device/cmd.h"
#include "device/device.h"
#include "device/fault.h"
#include "device/keys.h"
#include "device/queues.h"
#include "device/timing.h"
#include "fabric/port.h"
#include "fabric/wire.h"
#include "qp/qp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- calls from lower layers into upper ones -------------------------------------------------- */

static void join_options(void)
{
	opt_own("latency", timing_check_latency);
	opt_own("latency_op", timing_check_latency_op);
	opt_own("cmd_order", timing_check_order);
	opt_own("profile", timing_check_profile);
	opt_own("fault", fault_check);
	opt_own("waive", report_check_waive);
	opt_own("cable", wire_check_cables);
	opt_own("unplug", wire_check_unplug);
	opt_own("packet_fault", wirefault_check);
	opt_tell(timing_option_changed);
	opt_tell(fault_option_changed);
	opt_tell(wire_option_changed);
}

static void join_commands(void)
{
	static const struct cmd_desc *const tables[] = {
		sys_cmds, tpt_cmds, eq_cmds, cq_cmds, qp_cmds, srq_cmds, mgm_cmds, port_cmds,
	};
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		cmd_table_add(tables[i]);
}

static void reset_upper(struct hca *h)
{
	qp_reset_all(h);
	srq_reset_all(h);
	port_reset_all(h);
}

static void reset_all(struct hca *h);

void hca_join(void)
{
	static const struct hcr_access hcr = { cmd_hcr_read, cmd_hcr_write };
	static const struct eq_users cqs = { cq_uses_eq, cq_disarm };
	static const struct cq_users qps = { qp_uses_cq, qp_cq_error };
	static doorbell *const doorbells[DB_KINDS] = { qp_db_send, qp_db_recv, cq_db, eq_db };
	static bool joined;

	if (joined)
		return;
	joined = true;
	join_options();
	join_commands();
	hca_on_reset(reset_all);
	regs_set_hcr(&hcr);
	uar_set_doorbells(doorbells);
	eq_set_users(&cqs);
	cq_set_users(&qps);
	tpt_set_work_queues(qp_uses_mpt);
	sys_on_close(reset_upper);
	port_set_receiver(qp_rx);
}

/* --- construction ----------------------------------------------------------------------------- */

/* The order is that of the dependencies: a part needs only the parts before it in the list. */
static const struct {
	const char *name;
	int (*make)(struct hca *h);
} makers[] = {
	{ "options", options_new }, { "report", report_new }, { "random", random_new },
	{ "timing", timing_new },   { "fault", fault_new },   { "dma", dma_new },
	{ "ddr", ddr_new },	    { "window", window_new }, { "pci", pci_new },
	{ "regs", regs_new },	    { "uar", uar_new },	      { "vfu", vfu_new },
	{ "cmd", cmd_new },	    { "state", state_new },   { "sys", sys_new },
	{ "tpt", tpt_new },	    { "eq", eq_new },	      { "cq", cq_new },
	{ "qp", qp_new },	    { "srq", srq_new },	      { "port", port_new },
	{ "mcast", mcast_new },
};

/* The part that fails has printed the reason. Nothing is freed, because the process then exits. */
struct hca *hca_new(void)
{
	struct hca *h = hca_add();
	size_t i;
	int ret;

	if (!h)
		return NULL;
	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		ret = makers[i].make(h);
		if (ret) {
			fprintf(stderr, "tavor-hca: HCA %d: %s: %s\n", hca_number(h),
				makers[i].name, strerror(-ret));
			return NULL;
		}
	}
	return h;
}

/* --- reset and end ---------------------------------------------------------------------------- */

/*
 * Resets the firmware first, then all parts that can write to the guest, then the bus. Nothing may
 * access memory after this function returns. A reset is legal in every state (tavor-hw 3).
 */
static void reset_all(struct hca *h)
{
	/* so that the functions called below no longer write to the guest */
	state_set_dead(h, true);
	cmd_reset(h);
	reset_upper(h);
	cq_reset(h);
	eq_reset(h);
	tpt_reset(h);
	sys_reset(h);
	uar_reset(h);
	regs_reset(h);
	pci_reset(h);
	report_forget_uars(h);
	state_set_dead(h, false);
	count(h, "reset");
}

/* The reset comes first: no timer, work item or port of another HCA may still point to this HCA. */
static void hca_delete(struct hca *h)
{
	reset_all(h);
	vfu_delete(h);
	cq_delete(h);
	eq_delete(h);
	tpt_delete(h);
	sys_delete(h);
	state_delete(h);
	cmd_delete(h);
	free(hca_part(h, PART_QP));
	free(hca_part(h, PART_SRQ));
	uar_delete(h);
	regs_delete(h);
	pci_delete(h);
	window_delete(h);
	ddr_delete(h);
	dma_delete(h);
	fault_delete(h);
	timing_delete(h);
	random_delete(h);
	report_delete(h);
}

/* Ports and cables are shared between HCAs and stay allocated until the process ends. */
void hca_delete_all(void)
{
	while (hca_count()) {
		hca_delete(hca_by_number(hca_count() - 1));
		hca_drop_last();
	}
}
