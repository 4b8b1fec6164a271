// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Each rule of rules_device.def has a test that breaks it, and a correct driver breaks none. The
 * last test fails if a rule has no test here.
 */
#include "rules.h"

#include "core/options.h"
#include "device/cmd.h"
#include "device/keys.h"
#include "device/queues.h"

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <unistd.h>

static void up(void)
{
	tc_fresh();
	tc_up();
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- a correct driver ------------------------------------------------------------------------- */

static void good_driver_trips_nothing(void)
{
	struct cqe cqe = { .qpn = 0x404, .opcode = 0x0a, .send = true };
	u8 *cq;
	int i;

	up();
	cq = tc_cq(0x81, 4);
	for (i = 0; i < 40; i++) {
		tc_db(TC_UAR, 0x20, 2u << 24 | 0x81, 0xffffffff);
		CHECK_EQ(cq_post(tc_hca(), 0x81, &cqe, false), 0);
		CHECK_EQ(cq[32 * (i % 16) + 31] & 0x80, 0);
		cq[32 * (i % 16) + 31] = 0x80;
		tc_db(TC_UAR, 0x20, 1u << 24 | 0x81, 0);
		CHECK(tc_eqe(TC_EQ_COMP));
		tc_db(TC_UAR, 0x28, 3u << 24 | TC_EQ_COMP, 0x81);
	}
	CHECK_EQ(tc_cmd_out(0x17, 0, 0x81), 0);
	CHECK_EQ(tc_cmd(0x12, 0, 1u << 31 | TC_EQ_ASYNC, 0x1f43fe, 0, NULL), 0);
	CHECK_EQ(tc_cmd(0x12, 0, 1u << 31 | TC_EQ_CMD, 0x400, 0, NULL), 0);
	for (i = TC_EQ_COMP; i <= TC_EQ_CMD; i++)
		CHECK_EQ(tc_cmd_out(0x14, 0, i), 0);
	CHECK_EQ(tc_cmd(0x0f, 1, TC_KEY, 0, 0, NULL), 0);
	CHECK_EQ(tc_cmd(0x08, 0, 0, 0, 0, NULL), 0);
	CHECK_EQ(tc_cmd(0x02, 0, 0, 0, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- bus and registers ------------------------------------------------------------------------ */

static void dma_unmapped(void)
{
	tc_fresh();
	tc_sys_en();
	CHECK_EQ(tc_cmd(0x04, 0, 0, 0, 0xdead0000, NULL), CMD_INTERNAL_ERR);
	TRIPPED(DMA_UNMAPPED);
}

static void dma_after_unmap(void)
{
	tc_fresh();
	tc_sys_en();
	CHECK(tc_unmap(TC_IOVA, TC_RAM) >= 0);
	CHECK_EQ(tc_cmd_out(0x04, 0, 0), CMD_INTERNAL_ERR);
	TRIPPED(DMA_UNMAPPED);
}

static void dma_master(void)
{
	tc_fresh();
	CHECK_EQ(tc_call(13, NULL, 0, NULL, 0, NULL, 0), 0);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	tc_sys_en();
	CHECK_EQ(tc_cmd_out(0x04, 0, 0), CMD_INTERNAL_ERR);
	TRIPPED(DMA_MASTER);
}

/*
 * A driver fences the device by disabling bus mastering. The device then does nothing, and this is
 * no violation.
 */
static void fence_is_no_fault(void)
{
	struct cqe cqe = { .qpn = 0x404 };
	u64 before = report_counter(tc_hca(), "dma_fenced");
	u8 *cq;

	up();
	cq = tc_cq(0x81, 4);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	CHECK(cq_post(tc_hca(), 0x81, &cqe, false) < 0);
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	CHECK_EQ(tc_cmd_out(0x04, 0, 0), CMD_INTERNAL_ERR);
	CHECK_EQ(tc_cmd(0x31, 0, 0x1f, 0, 0, NULL), 0);
	CHECK(cq[31] & 0x80);
	CHECK_EQ(tc_any_violation(), 0);
	CHECK(report_counter(tc_hca(), "dma_fenced") > before);
}

/* Accesses that the fence has stopped do not happen later. A reset enables the rule again. */
static void fence_opens_again(void)
{
	u8 *cq;

	up();
	cq = tc_cq(0x81, 4);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x405);
	CHECK(tc_eqe(TC_EQ_ASYNC));
	CHECK(cq[31] & 0x80);
	CHECK_EQ(tc_any_violation(), 0);
	tc_reg_write(0xf0010, 1);
	TC_UNTIL(tc_cfg32(0) != 0xffffffff);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	tc_sys_en();
	CHECK_EQ(tc_cmd_out(0x04, 0, 0), CMD_INTERNAL_ERR);
	TRIPPED(DMA_MASTER);
}

static void pci_memory(void)
{
	tc_fresh();
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	CHECK_EQ(tc_reg(0x80698), 0xffffffff);
	TRIPPED(PCI_MEMORY);
}

static void pci_gateway(void)
{
	tc_fresh();
	tc_cfg_write(0x58, 0, 4);
	TRIPPED(PCI_GATEWAY);
}

static void reset_access(void)
{
	tc_fresh();
	tc_reg_write(0xf0010, 1);
	CHECK_EQ(tc_cfg32(0), 0xffffffff);
	CHECK_EQ(tc_violations(RULE_RESET_ACCESS), 0);
	tc_reg(0x80698);
	TRIPPED(RESET_ACCESS);
	tc_cfg_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	TRIPPED(RESET_ACCESS);
	TC_UNTIL(tc_cfg32(0) != 0xffffffff);
	CHECK_EQ(tc_cfg32(0), 0x5a4415b3);
}

static void reset_value(void)
{
	tc_fresh();
	tc_reg_write(0xf0010, 2);
	TRIPPED(RESET_VALUE);
}

static void reg_width(void)
{
	u8 raw[8] = { 0 };

	tc_fresh();
	tc_write(0, 0x80680, raw, 8);
	TRIPPED(REG_WIDTH);
	tc_write(0, 0x80698, raw, 2);
	TRIPPED(REG_WIDTH);
	tc_read(0, 0x80698, raw, 1);
	TRIPPED(REG_WIDTH);
	tc_read(0, 0x80704, raw, 2);
	TRIPPED(REG_WIDTH);
	/* probing tools read undocumented registers in any width */
	tc_read(0, 0x1002, raw, 2);
	tc_read(0, 0x1000, raw, 8);
	CHECK_EQ(tc_any_violation(), 0);
	tc_write(0, 0x80708, raw, 8);
	CHECK_EQ(tc_violations(RULE_REG_WIDTH), 0);
	tc_write(0, 0x80708, raw, 1);
	TRIPPED(REG_WIDTH);
}

static void reg_readonly(void)
{
	tc_fresh();
	tc_reg_write(0x80704, 1);
	TRIPPED(REG_READONLY);
}

static void reg_undefined(void)
{
	tc_fresh();
	tc_reg_write(0x1000, 1);
	TRIPPED(REG_UNDEFINED);
}

static void ddr_table_write(void)
{
	u8 raw[8] = { 0 };

	up();
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, 0x508000, raw, 8);
	TRIPPED(DDR_TABLE_WRITE);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, (16 << 20) - 8, raw, 8);
	TRIPPED(DDR_TABLE_WRITE);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, 0, raw, 8);
	CHECK_EQ(tc_violations(RULE_DDR_TABLE_WRITE), 0);
}

/* --- doorbells -------------------------------------------------------------------------------- */

static void uar_access(void)
{
	u8 raw[8] = { 0 };

	up();
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x24, raw, 2);
	TRIPPED(UAR_ACCESS);
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x400, raw, 8);
	TRIPPED(UAR_ACCESS);
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_USER_UAR * 4096 + 0x400, raw, 8);
	CHECK_EQ(tc_violations(RULE_UAR_ACCESS), 0);
	FAULTED(UAR_ACCESS);
}

static void uar_page_read(void)
{
	u8 raw[8];

	up();
	tc_read(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x10, raw, 8);
	TRIPPED(UAR_READ);
}

static void uar_half(void)
{
	u8 raw[4] = { 0 };

	up();
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x2c, raw, 4);
	TRIPPED(UAR_HALF);
	put32(raw, 2u << 24 | TC_EQ_ASYNC);
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x28, raw, 4);
	put32(raw, 0);
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x2c, raw, 4);
	CHECK_EQ(tc_any_violation(), 0);
	/* a high half is valid for one low half */
	tc_write(VFIO_PCI_BAR2_REGION_INDEX, TC_UAR * 4096 + 0x2c, raw, 4);
	TRIPPED(UAR_HALF);
}

static void uar_state(void)
{
	tc_fresh();
	tc_sys_en();
	tc_db(TC_UAR, 0x28, 2u << 24 | 1, 0);
	TRIPPED(UAR_STATE);
}

static void uar_mismatch(void)
{
	up();
	tc_cq(0x81, 4);
	tc_db(1, 0x20, 2u << 24 | 0x81, 0xffffffff);
	CHECK_EQ(tc_any_violation(), 0);
	/*
	 * a process that rings a kernel CQ or an EQ causes a user fault, the kernel causes a
	 * violation
	 */
	tc_db(TC_USER_UAR, 0x20, 2u << 24 | 0x81, 0xffffffff);
	FAULTED(UAR_MISMATCH);
	tc_db(TC_USER_UAR, 0x28, 2u << 24 | TC_EQ_CMD, 0);
	FAULTED(UAR_MISMATCH);
	tc_cq_mailbox(tc_in(), 0x82, 4, TC_USER_UAR);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x82), 0);
	tc_db(TC_UAR, 0x20, 2u << 24 | 0x82, 0xffffffff);
	TRIPPED(UAR_MISMATCH);
}

static void db_reserved(void)
{
	up();
	tc_db(TC_UAR, 0x28, 2u << 24 | 1 << 6 | TC_EQ_CMD, 0);
	TRIPPED(DB_RESERVED);
	tc_db(TC_UAR, 0x28, 4u << 24 | TC_EQ_CMD, 1 << TC_EQ_LOG);
	TRIPPED(DB_RESERVED);
	tc_db(TC_UAR, 0x28, 2u << 24 | TC_EQ_CMD, 1);
	TRIPPED(DB_RESERVED);
	tc_db(TC_UAR, 0x28, 3u << 24 | TC_EQ_CMD, 1 << 24);
	TRIPPED(DB_RESERVED);
	tc_cq(0x81, 4);
	tc_db(TC_UAR, 0x20, 2u << 24 | 0x81, 16);
	TRIPPED(DB_RESERVED);
	tc_db(TC_UAR, 0x20, 4u << 24 | 0x81, 16);
	TRIPPED(DB_RESERVED);
	tc_db(TC_UAR, 0x20, 5u << 24 | 0x81, 0x8000);
	TRIPPED(DB_RESERVED);
}

static void db_command(void)
{
	up();
	tc_cq(0x81, 4);
	tc_db(TC_UAR, 0x28, 9u << 24 | TC_EQ_CMD, 0);
	TRIPPED(DB_COMMAND);
	tc_db(TC_UAR, 0x20, 6u << 24 | 0x81, 0);
	TRIPPED(DB_COMMAND);
}

static void db_object(void)
{
	up();
	tc_db(TC_UAR, 0x28, 2u << 24 | 5, 0);
	TRIPPED(DB_OBJECT);
	tc_db(TC_UAR, 0x20, 2u << 24 | 0x81, 0xffffffff);
	TRIPPED(DB_OBJECT);
	tc_db(TC_USER_UAR, 0x20, 2u << 24 | 0x81, 0xffffffff);
	FAULTED(DB_OBJECT);
	/* UAR page 1 belongs to the kernel, whether or not an EQ names it (tavor-hw 14) */
	tc_db(1, 0x20, 2u << 24 | 0x81, 0xffffffff);
	TRIPPED(DB_OBJECT);
}

static void db_index(void)
{
	up();
	tc_cq(0x81, 4);
	tc_db(TC_UAR, 0x28, 4u << 24 | TC_EQ_CMD, 5);
	TRIPPED(DB_INDEX);
	tc_db(TC_UAR, 0x20, 1u << 24 | 0x81, 0);
	TRIPPED(DB_INDEX);
	tc_db(TC_UAR, 0x20, 4u << 24 | 0x81, 3);
	TRIPPED(DB_INDEX);
}

/* --- the HCR ---------------------------------------------------------------------------------- */

static void set(const char *key, const char *value)
{
	char why[OPT_WHY];

	CHECK_EQ(opt_set(hca_number(tc_hca()), key, value, why), 0);
}

static void fast(void)
{
	set("profile", "fast");
	set("fault", "");
}

static void write_parameters(void)
{
	int i;

	for (i = 0; i < 6; i++)
		tc_reg_write(0x80680 + 4 * i, 0);
}

static void hcr_busy(void)
{
	tc_fresh();
	set("latency", "2s");
	write_parameters();
	tc_reg_write(0x80698, 1 << 23 | 0x01);
	tc_reg_write(0x80680, 0);
	TRIPPED(HCR_BUSY);
	tc_reg_write(0x80698, 1 << 23 | 0x01);
	TRIPPED(HCR_BUSY);
	fast();
}

static void hcr_reserved(void)
{
	tc_fresh();
	tc_reg_write(0x80694, 0xffff0001);
	TRIPPED(HCR_RESERVED);
	write_parameters();
	tc_reg_write(0x80698, 1 << 23 | 1 << 16 | 0x01);
	TRIPPED(HCR_RESERVED);
}

static void hcr_incomplete(void)
{
	tc_fresh();
	tc_reg_write(0x80680, 0);
	tc_reg_write(0x80698, 1 << 23 | 0x01);
	TRIPPED(HCR_INCOMPLETE);
}

static void cmd_slots(void)
{
	int i;

	tc_start("log_max_cmd=2");
	up();
	set("latency", "2s");
	for (i = 0; i < 4; i++)
		tc_post(0x31, 0, 0x1f, 0, 0, i);
	CHECK_EQ(tc_violations(RULE_CMD_SLOTS), 0);
	tc_post(0x31, 0, 0x1f, 0, 0, i);
	TRIPPED(CMD_SLOTS);
	/* no completion is lost */
	set("latency", "0");
	TC_UNTIL(!cmd_outstanding(tc_hca()));
	for (i = 0; i < 5; i++)
		CHECK(tc_eqe(TC_EQ_CMD));
	fast();
	tc_start("");
}

static void cmd_token(void)
{
	up();
	set("latency", "2s");
	tc_post(0x31, 0, 0x1f, 0, 0, 7);
	tc_post(0x31, 0, 0x1f, 0, 0, 7);
	TRIPPED(CMD_TOKEN);
	fast();
}

static void cmd_no_eq(void)
{
	up();
	tc_cmd(0x12, 0, 1u << 31 | TC_EQ_CMD, 0x400, 0, NULL);
	tc_post(0x31, 0, 0x1f, 0, 0, 7);
	TRIPPED(CMD_NO_EQ);
}

static void cmd_mailbox_busy(void)
{
	up();
	set("latency", "2s");
	tc_post(0x04, 0, 0, 0, tc_bus(tc_out()), 1);
	tc_post(0x05, 0, 0, 0, tc_bus(tc_out()) + 0x80, 2);
	TRIPPED(CMD_MAILBOX_BUSY);
	tc_post(0x06, 0, 0, 0, tc_bus(tc_out()) + 0x200, 3);
	CHECK_EQ(tc_violations(RULE_CMD_MAILBOX_BUSY), 0);
	/* without output the mailbox is not in use */
	tc_post(0x0f, 1, 0x50, 0, 0, 4);
	tc_post(0x0f, 1, 0x51, 0, 0, 5);
	CHECK_EQ(tc_violations(RULE_CMD_MAILBOX_BUSY), 0);
	fast();
}

/* After a timeout, software does not know whether the firmware still uses the mailbox. */
static void cmd_mailbox_of_lost_completion(void)
{
	up();
	set("fault", "drop,on=cmd,op=QUERY_FW,count=1");
	tc_post(0x04, 0, 0, 0, tc_bus(tc_out()), 1);
	tc_wait(1000000);
	CHECK(!tc_eqe(TC_EQ_CMD));
	tc_post(0x04, 0, 0, 0, tc_bus(tc_out()), 2);
	TRIPPED(CMD_MAILBOX_BUSY);
	fast();
}

static void cmd_opcode(void)
{
	tc_fresh();
	tc_sys_en();
	CHECK_EQ(tc_cmd(0x3f, 0, 0, 0, 0, NULL), CMD_BAD_OP);
	TRIPPED(CMD_OPCODE);
	CHECK_EQ(tc_cmd(0xffa, 0, 0, 0, 0, NULL), CMD_BAD_OP);
	TRIPPED(CMD_OPCODE);
	CHECK_EQ(tc_cmd(0x31, 5, 0, 0, 0, NULL), CMD_BAD_OP);
	TRIPPED(CMD_OPCODE);
}

static void cmd_state(void)
{
	tc_fresh();
	CHECK_EQ(tc_cmd_out(0x05, 0, 0), CMD_BAD_SYS_STATE);
	TRIPPED(CMD_STATE);
	CHECK_EQ(tc_cmd_out(0x04, 0, 0), CMD_OK);
	tc_sys_en();
	CHECK_EQ(tc_cmd_out(0x0b, 0, 0), CMD_BAD_SYS_STATE);
	TRIPPED(CMD_STATE);
	CHECK_EQ(tc_cmd(0x01, 0, 0, 0, 0, NULL), CMD_BAD_SYS_STATE);
	TRIPPED(CMD_STATE);
	up();
	CHECK_EQ(tc_cmd(0x02, 0, 0, 0, 0, NULL), CMD_BAD_SYS_STATE);
	TRIPPED(CMD_STATE);
}

static void cmd_object_busy(void)
{
	const u8 *e;

	up();
	set("latency", "1s");
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	tc_post(0x0d, 0, 0x60, tc_bus(tc_in()), 0, 1);
	tc_post(0x0f, 1, 0x60, 0, 0, 2);
	TC_UNTIL(!cmd_outstanding(tc_hca()));
	TRIPPED(CMD_OBJECT_BUSY);
	e = tc_eqe(TC_EQ_CMD);
	CHECK(e && get16(e + 6) == 1 && e[15] == 0);
	e = tc_eqe(TC_EQ_CMD);
	CHECK(e && get16(e + 6) == 2 && e[15] == CMD_RESOURCE_BUSY);
	fast();
}

static void cmd_index(void)
{
	up();
	tc_mpt_mailbox(tc_in(), 3, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 3), CMD_BAD_RESOURCE);
	TRIPPED(CMD_INDEX);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 1 << 10), CMD_BAD_INDEX);
	TRIPPED(CMD_INDEX);
	CHECK_EQ(tc_cmd_out(0x18, 0, 0x7f), CMD_BAD_RESOURCE);
	TRIPPED(CMD_INDEX);
	CHECK_EQ(tc_cmd_out(0x15, 0, 8), CMD_BAD_INDEX);
	TRIPPED(CMD_INDEX);
}

static void cmd_reserved_fields(void)
{
	up();
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	put32(tc_in() + 0x38, 1);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
	TRIPPED(CMD_RESERVED);
	tc_cq_mailbox(tc_in(), 0x81, 4, TC_UAR);
	put32(tc_in(), get32(tc_in()) | 1);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x81), 0);
	TRIPPED(CMD_RESERVED);
}

static void cmd_ownership(void)
{
	up();
	tc_mpt_mailbox(tc_in(), TC_KEY, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, TC_KEY), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	CHECK_EQ(tc_cmd(0x0f, 1, 0x60, 0, 0, NULL), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	CHECK_EQ(tc_cmd_out(0x0e, 0, 0x60), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	tc_cq(0x81, 4);
	tc_cq_mailbox(tc_in(), 0x81, 4, TC_UAR);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x81), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	/* the same index with another CQN */
	tc_cq_mailbox(tc_in(), 0x181, 4, TC_UAR);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x181), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	CHECK_EQ(tc_cmd_out(0x17, 0, 0x82), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	CHECK_EQ(tc_cmd_out(0x14, 0, 5), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	CHECK_EQ(tc_cmd(0x12, 0, 5, 0x400, 0, NULL), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
	tc_eq_mailbox(tc_in(), tc_alloc(4096, 4096), 6, 0x80);
	CHECK_EQ(tc_cmd_in(0x13, 0, TC_EQ_CMD), CMD_BAD_RES_STATE);
	TRIPPED(CMD_OWNERSHIP);
}

static void cmd_param(void)
{
	up();
	put64(tc_in(), ddr_start(tc_hca()) + 0x1000);
	CHECK_EQ(tc_cmd_in(0x11, 0, 3), CMD_BAD_PARAM);
	TRIPPED(CMD_PARAM);
	put64(tc_in(), ddr_start(tc_hca()) + 0x500000);
	CHECK_EQ(tc_cmd_in(0x11, 0, 2), CMD_BAD_PARAM);
	TRIPPED(CMD_PARAM);
	CHECK_EQ(tc_cmd(0x12, 0, 1 << 8 | TC_EQ_CMD, 0x400, 0, NULL), 0);
	TRIPPED(CMD_PARAM);
}

/* --- INIT_HCA --------------------------------------------------------------------------------- */

static u8 init_with(u32 at, u64 value)
{
	tc_fresh();
	tc_sys_en();
	tc_init_hca_mailbox(tc_in());
	put64(tc_in() + at, value);
	return tc_cmd_in(0x07, 0, 0);
}

static void init_hca_table(void)
{
	u64 base;

	tc_fresh();
	base = ddr_start(tc_hca());
	CHECK_EQ(init_with(0x30, (base + 0x400080) | 11), 0);
	TRIPPED(INIT_HCA_TABLE);
	CHECK_EQ(init_with(0x50, (base + 0x400000) | 8), CMD_BAD_PARAM);
	TRIPPED(INIT_HCA_TABLE);
	CHECK_EQ(init_with(0xf0, base + (16 << 20) - (1 << 20)), CMD_BAD_PARAM);
	TRIPPED(INIT_HCA_TABLE);
	CHECK_EQ(init_with(0x100, 0), CMD_BAD_PARAM);
	TRIPPED(INIT_HCA_TABLE);
}

static void init_hca_makes_no_sense(void)
{
	tc_fresh();
	CHECK_EQ(init_with(0xd0, 7ull << 32 | 32), CMD_BAD_PARAM); /* entries of 128 bytes */
	TRIPPED(CMD_PARAM);
	CHECK_EQ(init_with(0xd0, 8ull << 32 | 65), CMD_BAD_PARAM); /* hash larger than the table */
	TRIPPED(CMD_PARAM);
	CHECK_EQ(init_with(0x50, (ddr_start(tc_hca()) + 0x508000) | 7), CMD_BAD_PARAM);
	TRIPPED(CMD_PARAM);
}

static void init_hca_reserved(void)
{
	tc_fresh();
	CHECK_EQ(init_with(0x18, 1), 0);
	TRIPPED(CMD_RESERVED);
	CHECK_EQ(init_with(0x138, 1), 0);
	TRIPPED(CMD_RESERVED);
}

static void init_hca_count(void)
{
	tc_fresh();
	CHECK_EQ(init_with(0x48, (ddr_start(tc_hca()) + 0x500000) | 9), CMD_EXCEED_LIM);
	TRIPPED(INIT_HCA_COUNT);
}

/* --- memory keys ------------------------------------------------------------------------------ */

static void mpt_key(void)
{
	up();
	tc_mpt_mailbox(tc_in(), 0x61, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), CMD_BAD_PARAM);
	TRIPPED(MPT_KEY);
}

static void mpt_field(void)
{
	up();
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	put32(tc_in() + 4, 20);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), CMD_BAD_PARAM);
	TRIPPED(MPT_FIELD);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 8 | 1 << 9, 0, 4096, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), 0);
	TRIPPED(MPT_FIELD);
	tc_mpt_mailbox(tc_in(), 0x61, 1 << 17 | 1 << 8 | 1 << 9, UINT64_MAX, 4096, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x61), CMD_BAD_PARAM);
	TRIPPED(MPT_FIELD);
	tc_mpt_mailbox(tc_in(), 0x63, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	put32(tc_in() + 0x20, 0x63); /* an output */
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x63), 0);
	TRIPPED(MPT_FIELD);
	/* a window carries nothing but key and PD */
	tc_mpt_mailbox(tc_in(), 0x62, 1 << 11, 0, 0, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x62), CMD_BAD_PARAM);
	TRIPPED(MPT_FIELD);
}

static void mpt_mtt(void)
{
	u64 base;

	up();
	base = ddr_start(tc_hca());
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 4096, base + 0x1008);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), CMD_BAD_PARAM);
	TRIPPED(MPT_MTT);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 4096, base + 0x40);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), CMD_BAD_PARAM);
	TRIPPED(MPT_MTT);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 1ull << 40, base + 0x1000);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), CMD_BAD_PARAM);
	TRIPPED(MPT_MTT);
	tc_mpt_mailbox(tc_in(), 0x60, 1 << 17 | 1 << 8, 0, 4096, 0x1000);
	CHECK_EQ(tc_cmd_in(0x0d, 0, 0x60), CMD_BAD_PARAM);
	TRIPPED(MPT_MTT);
}

static void mpt_in_use(void)
{
	up();
	CHECK_EQ(tc_cmd(0x0f, 1, TC_KEY, 0, 0, NULL), 0);
	TRIPPED(MPT_IN_USE);
}

/* Memory of a process's CQ that is deregistered first is a user fault: the process owns both. */
static void mpt_in_use_by_user(void)
{
	u8 *buf;
	u32 key;

	up();
	buf = tc_cq_mailbox(tc_in(), 0x81, 4, TC_USER_UAR);
	key = tc_mr(buf, 4096, 1 << 11, 0);
	buf = tc_cq_mailbox(tc_in(), 0x81, 4, TC_USER_UAR);
	put64(tc_in() + 4, 0);
	put32(tc_in() + 0x1c, key);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x81), 0);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
	FAULTED(MPT_IN_USE);
}

static u64 mpt_at(u32 key)
{
	return 0x580000 + 64ull * key;
}

static void mpt_store(void)
{
	u8 raw[8] = { 0 };
	u32 key;

	up();
	key = tc_mr(tc_alloc(4096, 4096), 4096, 1 << 11, 0);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, mpt_at(key) + 8, raw, 4);
	TRIPPED(MPT_STORE);
}

static void store_mtt(u64 at, const u8 *page)
{
	u8 raw[8];

	put64(raw, tc_bus(page) | 1);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, at, raw, 8);
}

static void use_key(u32 key)
{
	u8 byte;

	CHECK_EQ(tpt_read(tc_hca(), "test", key, TC_PD, 0, &byte, 1, 0), 0);
}

/* A used translation is changed under the same key: a card may continue to use the old one. */
static void tpt_stale_mtt(void)
{
	u8 *one, *two;
	u64 at;
	u32 key;

	up();
	one = tc_alloc(4096, 4096);
	two = tc_alloc(4096, 4096);
	key = tc_mr(one, 4096, 1 << 11, 0);
	at = get64(tc_in() + 0x2c) - ddr_start(tc_hca());
	store_mtt(at, two); /* not used yet, so no card has cached it */
	CHECK_EQ(tc_any_violation(), 0);
	use_key(key);
	store_mtt(at, one);
	TRIPPED(TPT_STALE);
	/* after SYNC_TPT or HW2SW_MPT the change is legal */
	use_key(key);
	CHECK_EQ(tc_cmd(0x2f, 0, 0, 0, 0, NULL), 0);
	store_mtt(at, two);
	use_key(key);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	store_mtt(at, one);
	CHECK_EQ(tc_any_violation(), 0);
}

static void tpt_stale_key(void)
{
	u8 *buf, raw[1];
	u32 key;

	up();
	buf = tc_alloc(4096, 4096);
	key = tc_mr(buf, 4096, 1 << 11, 0);
	use_key(key);
	raw[0] = 0xf0;
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, mpt_at(key), raw, 1);
	raw[0] = 0;
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, mpt_at(key), raw, 1);
	TRIPPED(TPT_STALE);
}

static void mtt_entry(void)
{
	u8 *buf, entry[8];
	u32 key, word;

	up();
	memset(tc_in(), 0, 64);
	put64(tc_in(), ddr_start(tc_hca()) + 0x1000);
	put64(tc_in() + 16, tc_bus(tc_in()) | 0x10 | 1);
	CHECK_EQ(tc_cmd_in(0x11, 0, 2), 0);
	TRIPPED(MTT_ENTRY);
	buf = tc_alloc(4096, 4096);
	key = tc_mr(buf, 4096, 1 << 11, 0);
	put64(entry, tc_bus(buf) + 0x11);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, 64 * 64, entry, 8);
	CHECK_EQ(tpt_read(tc_hca(), "test", key, TC_PD, 0, &word, 4, 0), 0);
	TRIPPED(MTT_ENTRY);
}

static void mtt_present(void)
{
	u8 *buf, entry[8] = { 0 };
	u32 key, word;

	up();
	buf = tc_alloc(4096, 4096);
	key = tc_mr(buf, 4096, 1 << 11, 0);
	tc_write(VFIO_PCI_BAR4_REGION_INDEX, 64 * 64, entry, 8);
	CHECK(tpt_read(tc_hca(), "test", key, TC_PD, 0, &word, 4, 0) < 0);
	TRIPPED(MTT_PRESENT);
}

/* --- event queues ----------------------------------------------------------------------------- */

static u8 eq_with(u32 at, u32 value)
{
	tc_eq_mailbox(tc_in(), tc_alloc(4096, 4096), 6, 0x85);
	put32(tc_in() + at, value);
	return tc_cmd_in(0x13, 0, 5);
}

static void eq_field(void)
{
	up();
	CHECK_EQ(eq_with(0x00, 1 << 24 | 1 << 8), CMD_BAD_PARAM); /* no translation */
	TRIPPED(EQ_FIELD);
	CHECK_EQ(eq_with(0x00, 1 << 24 | 1 << 18), CMD_BAD_PARAM); /* state 0 */
	TRIPPED(EQ_FIELD);
	CHECK_EQ(eq_with(0x0c, 1 << 24 | TC_UAR), CMD_BAD_PARAM); /* 2 entries */
	TRIPPED(EQ_FIELD);
	CHECK_EQ(eq_with(0x0c, 6 << 24 | 0x800), CMD_BAD_PARAM); /* no such UAR */
	TRIPPED(EQ_FIELD);
	CHECK_EQ(eq_with(0x14, 0xa0), CMD_BAD_PARAM); /* vector 32 */
	TRIPPED(EQ_FIELD);
	CHECK_EQ(eq_with(0x14, 5), CMD_BAD_PARAM); /* not the pin */
	TRIPPED(EQ_FIELD);
	CHECK_EQ(eq_with(0x14, 60), 0); /* none: legal */
	CHECK_EQ(tc_any_violation(), 0);
}

static void eq_buffer(void)
{
	up();
	CHECK_EQ(eq_with(0x1c, 0x99), CMD_BAD_PARAM);
	TRIPPED(EQ_BUFFER);
	CHECK_EQ(eq_with(0x10, TC_PD + 1), CMD_BAD_PARAM);
	TRIPPED(EQ_BUFFER);
}

static void eq_owner(void)
{
	up();
	tc_eqe(TC_EQ_ASYNC);
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	CHECK_EQ(tc_any_violation(), 0);
	/* consumed, but returned without the owner bit */
	memset(tc_ram(), 0, 8 << 20);
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	TRIPPED(EQ_OWNER);
}

static void eq_overflow(void)
{
	int i;

	up();
	for (i = 0; i < 1 << TC_EQ_LOG; i++)
		eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	CHECK_EQ(tc_any_violation(), 0);
	eq_qp_event(tc_hca(), EV_COMM_EST, 0x404);
	TRIPPED(EQ_OVERFLOW);
}

static void eq_mapped(void)
{
	up();
	CHECK_EQ(tc_cmd_out(0x14, 0, TC_EQ_ASYNC), 0);
	TRIPPED(EQ_MAPPED);
	tc_cq(0x81, 4);
	TRIPPED(CQ_EQ); /* the async EQ is gone */
	up();
	tc_cq(0x81, 4);
	CHECK_EQ(tc_cmd_out(0x14, 0, TC_EQ_COMP), 0);
	TRIPPED(EQ_MAPPED);
}

static void map_eq_mask(void)
{
	up();
	CHECK_EQ(tc_cmd(0x12, 0, TC_EQ_CMD, 1 << 21, 0, NULL), CMD_BAD_PARAM);
	TRIPPED(MAP_EQ_MASK);
	CHECK_EQ(tc_cmd(0x12, 0, 1u << 31 | TC_EQ_COMP, 0x400, 0, NULL), 0);
	TRIPPED(MAP_EQ_MASK);
}

/* --- completion queues ------------------------------------------------------------------------ */

static u8 cq_with(u32 at, u32 value)
{
	tc_cq_mailbox(tc_in(), 0x81, 4, TC_UAR);
	put32(tc_in() + at, value);
	return tc_cmd_in(0x16, 0, 0x81);
}

static void cq_field(void)
{
	up();
	CHECK_EQ(cq_with(0x00, 0), CMD_BAD_PARAM);
	TRIPPED(CQ_FIELD);
	CHECK_EQ(cq_with(0x00, 1 << 18 | 2 << 8), CMD_BAD_PARAM);
	TRIPPED(CQ_FIELD);
	CHECK_EQ(cq_with(0x0c, 18 << 24 | TC_UAR), CMD_EXCEED_LIM);
	TRIPPED(CQ_FIELD);
	CHECK_EQ(cq_with(0x0c, TC_UAR), CMD_BAD_PARAM);
	TRIPPED(CQ_FIELD);
	CHECK_EQ(cq_with(0x30, 0x82), CMD_BAD_PARAM);
	TRIPPED(CQ_FIELD);
}

static void cq_buffer(void)
{
	up();
	CHECK_EQ(cq_with(0x1c, 0x99), CMD_BAD_PARAM);
	TRIPPED(CQ_BUFFER);
	tc_cq_mailbox(tc_in(), 0x81, 4, TC_USER_UAR);
	put32(tc_in() + 0x1c, 0x99);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x81), CMD_BAD_PARAM);
	FAULTED(CQ_BUFFER);
}

static void cq_owner(void)
{
	struct cqe cqe = { .qpn = 0x404 };
	u8 *buf;

	up();
	buf = tc_cq(0x81, 4);
	buf[31] = 0;
	CHECK_EQ(cq_post(tc_hca(), 0x81, &cqe, false), 0);
	TRIPPED(CQ_OWNER);
}

static void cq_overflow(void)
{
	struct cqe cqe = { .qpn = 0x404 };
	const u8 *e;
	int i;

	up();
	tc_cq(0x81, 4);
	for (i = 0; i < 15; i++)
		CHECK_EQ(cq_post(tc_hca(), 0x81, &cqe, false), 0);
	CHECK_EQ(tc_any_violation(), 0);
	CHECK(cq_post(tc_hca(), 0x81, &cqe, false) < 0);
	TRIPPED(CQ_OVERFLOW);
	e = tc_eqe(TC_EQ_ASYNC);
	CHECK(e && e[1] == EV_CQ_ERR && get32(e + 4) == 0x81 && e[15] == 1);
	CHECK_EQ(tc_cmd_out(0x18, 0, 0x81), 0);
	CHECK_EQ(tc_out()[0] >> 4, 9);
}

static void cq_eq(void)
{
	up();
	CHECK_EQ(cq_with(0x14, 5), CMD_BAD_PARAM);
	TRIPPED(CQ_EQ);
	CHECK_EQ(cq_with(0x14, 64), 0); /* no report: legal */
	CHECK_EQ(tc_any_violation(), 0);
}

/* Creates a queue pair in INIT whose buffer is a page without translation. */
static void make_qp(u32 qpn, u32 cqn, u32 key, u32 uar)
{
	u8 *in = tc_in();

	memset(in, 0, 0x108);
	put32(in + 0x08, 1 << 8 | 3 << 11);
	put32(in + 0x08 + 0x08, 4u << 29 | 31 << 24);
	put32(in + 0x08 + 0x0c, uar);
	put32(in + 0x08 + 0x10, qpn);
	put32(in + 0x08 + 0x20, 1 << 24);
	put32(in + 0x08 + 0x64, TC_PD);
	put32(in + 0x08 + 0x6c, key);
	put32(in + 0x08 + 0x7c, cqn);
	put32(in + 0x08 + 0x9c, cqn);
	CHECK_EQ(tc_cmd_in(0x19, 0, qpn), 0);
}

static void cq_in_use(void)
{
	up();
	tc_cq(0x81, 4);
	make_qp(0x404, 0x81, TC_KEY, TC_UAR);
	CHECK_EQ(tc_any_violation(), 0);
	CHECK_EQ(tc_cmd_out(0x17, 0, 0x81), 0);
	TRIPPED(CQ_IN_USE);
}

static void mpt_in_use_by_qp(void)
{
	u32 key;

	up();
	tc_cq(0x81, 4);
	key = tc_mr(tc_alloc(4096, 4096), 4096, 0, 0);
	make_qp(0x404, 0x81, key, TC_UAR);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	TRIPPED(MPT_IN_USE);
	/* the index gets a new key while the queue still exists */
	tc_mpt_mailbox(tc_in(), key + 1024, 1 << 17 | 1 << 8 | 1 << 9, 0, 4096, 0);
	CHECK_EQ(tc_cmd_in(0x0d, 0, key), 0);
	TRIPPED(MPT_IN_USE);
	/* a queue of a process in memory of the process */
	key = tc_mr(tc_alloc(4096, 4096), 4096, 0, 0);
	make_qp(0x405, 0x81, key, TC_USER_UAR);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	FAULTED(MPT_IN_USE);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void every_rule_has_a_test(void)
{
	static const u16 rules[] = {
#define RULE(id, name, text, right) RULE_##id,
#include "device/rules_device.def"
#undef RULE
	};

	all_tripped(rules, sizeof(rules) / sizeof(rules[0]));
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(good_driver_trips_nothing),
		TAP(dma_unmapped),
		TAP(dma_after_unmap),
		TAP(dma_master),
		TAP(fence_is_no_fault),
		TAP(fence_opens_again),
		TAP(pci_memory),
		TAP(pci_gateway),
		TAP(reset_access),
		TAP(reset_value),
		TAP(reg_width),
		TAP(reg_readonly),
		TAP(reg_undefined),
		TAP(ddr_table_write),
		TAP(uar_access),
		TAP(uar_page_read),
		TAP(uar_half),
		TAP(uar_state),
		TAP(uar_mismatch),
		TAP(db_reserved),
		TAP(db_command),
		TAP(db_object),
		TAP(db_index),
		TAP(hcr_busy),
		TAP(hcr_reserved),
		TAP(hcr_incomplete),
		TAP(cmd_slots),
		TAP(cmd_token),
		TAP(cmd_no_eq),
		TAP(cmd_mailbox_busy),
		TAP(cmd_mailbox_of_lost_completion),
		TAP(cmd_opcode),
		TAP(cmd_state),
		TAP(cmd_object_busy),
		TAP(cmd_index),
		TAP(cmd_reserved_fields),
		TAP(cmd_ownership),
		TAP(cmd_param),
		TAP(init_hca_table),
		TAP(init_hca_makes_no_sense),
		TAP(init_hca_reserved),
		TAP(init_hca_count),
		TAP(mpt_key),
		TAP(mpt_field),
		TAP(mpt_mtt),
		TAP(mpt_in_use),
		TAP(mpt_in_use_by_user),
		TAP(mpt_store),
		TAP(tpt_stale_mtt),
		TAP(tpt_stale_key),
		TAP(mtt_entry),
		TAP(mtt_present),
		TAP(eq_field),
		TAP(eq_buffer),
		TAP(eq_owner),
		TAP(eq_overflow),
		TAP(eq_mapped),
		TAP(map_eq_mask),
		TAP(cq_in_use),
		TAP(mpt_in_use_by_qp),
		TAP(cq_field),
		TAP(cq_buffer),
		TAP(cq_owner),
		TAP(cq_overflow),
		TAP(cq_eq),
		TAP(every_rule_has_a_test),
	};

	tc_start("");
	return tap_run_judged(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
