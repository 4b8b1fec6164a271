// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * System commands: one function each. Each is a verb of its own, so that debugfs and the
 * tracepoints show its name. They share the code that fills and reads a mailbox.
 */
#include <linux/bitfield.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "fw.h"
#include "hw_mad.h"
#include "tavor.h"

#define FW_VERSION(major, minor, subminor) \
	((u64)(major) << 32 | (u64)(minor) << 16 | (subminor))

/* One command: what goes into the register and the mailboxes. */
struct fw_request {
	struct vrb vrb;
	u16 opcode;
	u8 op_modifier;
	u32 in_modifier;
	u64 imm;
	const void *in;
	size_t in_len;
	void *out;
	size_t out_len;
	u64 out_imm;
	struct completion *over;	/* for NOP only */
};

static int tavor_fw_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	const struct fw_request *req = container_of(vrb, struct fw_request, vrb);

	if (req->in) {
		memcpy(tavor_mbox_in(dev, slot), req->in, req->in_len);
		tavor_cmd_set(dev, slot, req->opcode, req->op_modifier, req->in_modifier,
			      TAVOR_CMD_IN);
	} else if (req->out) {
		memset(tavor_mbox_out(dev, slot), 0, req->out_len);
		tavor_cmd_set(dev, slot, req->opcode, req->op_modifier, req->in_modifier,
			      TAVOR_CMD_OUT);
	} else {
		tavor_cmd_set_imm(dev, slot, req->opcode, req->op_modifier, req->in_modifier,
				  req->imm);
	}
	return VRB_POST;
}

static int tavor_fw_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			 const struct vrb_result *result)
{
	struct fw_request *req = container_of(vrb, struct fw_request, vrb);

	req->out_imm = result->out;
	if (!result->status && req->out)
		memcpy(req->out, tavor_mbox_out(vrb_to_tdev(vdev), slot), req->out_len);
	return result->status;
}

#define FW_VERB(command, verb_class)						\
static const struct vrb_step command##_step[] = {				\
	{ .name = #command, .encode = tavor_fw_encode, .done = tavor_fw_done },	\
};										\
static const struct vrb_verb command = {					\
	.name = #command,							\
	.class = verb_class,							\
	VRB_STEPS(command##_step),						\
}

FW_VERB(SYS_EN, VRB_CLASS_NORMAL);
FW_VERB(SYS_DIS, VRB_CLASS_TEARDOWN);
FW_VERB(QUERY_FW, VRB_CLASS_NORMAL);
FW_VERB(QUERY_DDR, VRB_CLASS_NORMAL);
FW_VERB(QUERY_DEV_LIM, VRB_CLASS_NORMAL);
FW_VERB(QUERY_ADAPTER, VRB_CLASS_NORMAL);
FW_VERB(INIT_HCA, VRB_CLASS_NORMAL);
FW_VERB(CLOSE_HCA, VRB_CLASS_TEARDOWN);
FW_VERB(CLOSE_IB, VRB_CLASS_TEARDOWN);
FW_VERB(MAP_EQ, VRB_CLASS_NORMAL);
FW_VERB(SW2HW_EQ, VRB_CLASS_NORMAL);
FW_VERB(HW2SW_EQ, VRB_CLASS_TEARDOWN);
FW_VERB(WRITE_MTT, VRB_CLASS_NORMAL);
FW_VERB(NOP, VRB_CLASS_NORMAL);

static int tavor_fw_exec(struct tavor_dev *dev, const struct vrb_verb *verb, struct fw_request *req)
{
	vrb_prep(&req->vrb, verb, NULL);
	return tavor_exec(dev, &req->vrb);
}

/**
 * tavor_fw_sys_en() - starts the firmware
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno; -ENOMEM: the DDR is bad; the log has details.
 */
int tavor_fw_sys_en(struct tavor_dev *dev)
{
	struct fw_request req = { .opcode = TAVOR_CMD_SYS_EN };
	int err = tavor_fw_exec(dev, &SYS_EN, &req);

	if (err == -ENOMEM)
		dev_err(&dev->pdev->dev, "DDR: syndrome %llu, socket %llu, SPD from %s\n",
			req.out_imm >> 6 & 0xf, req.out_imm >> 4 & 3,
			req.out_imm & 1 ? "NVMEM" : "DIMM");
	return err;
}

/**
 * tavor_fw_sys_dis() - stops the firmware
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_sys_dis(struct tavor_dev *dev)
{
	struct fw_request req = { .opcode = TAVOR_CMD_SYS_DIS };

	return tavor_fw_exec(dev, &SYS_DIS, &req);
}

static int tavor_fw_query(struct tavor_dev *dev, const struct vrb_verb *verb, u16 opcode, void *out,
			  size_t len)
{
	struct fw_request req = { .opcode = opcode, .out = out, .out_len = len };

	return tavor_fw_exec(dev, verb, &req);
}

/* It may lack commands, or have errors that later firmware does not have (tavor-hw 6.2). */
static void tavor_fw_check_age(const struct tavor_dev *dev)
{
	const bool mt23108 = dev->pdev->device == TAVOR_PCI_MT23108;
	char text[IB_FW_VERSION_NAME_MAX];

	if (dev->fw.version >= (mt23108 ? FW_VERSION(3, 5, 0) : FW_VERSION(4, 8, 200)))
		return;
	tavor_fw_version_str(dev, text, sizeof(text));
	dev_warn(&dev->pdev->dev, "firmware %s is old: %s or later is recommended\n", text,
		 mt23108 ? "3.5.0" : "4.8.200");
}

/**
 * tavor_fw_query_fw() - fills tavor_dev.fw
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_query_fw(struct tavor_dev *dev)
{
	struct tavor_fw_info *fw = &dev->fw;
	struct tavor_query_fw out;
	int err = tavor_fw_query(dev, &QUERY_FW, TAVOR_CMD_QUERY_FW, &out, sizeof(out));

	if (err)
		return err;
	fw->version = FW_VERSION(be16_to_cpu(out.major), be16_to_cpu(out.minor),
				 be16_to_cpu(out.subminor));
	fw->log_max_cmd = be32_to_cpu(out.max_cmd) & 0xff;
	fw->start = be64_to_cpu(out.start);
	fw->end = be64_to_cpu(out.end);
	fw->err_addr = be64_to_cpu(out.err_addr);
	fw->err_dwords = be32_to_cpu(out.err_dwords);
	dev_dbg(&dev->pdev->dev, "firmware %d.%d.%d, %u commands\n", be16_to_cpu(out.major),
		be16_to_cpu(out.minor), be16_to_cpu(out.subminor), 1U << fw->log_max_cmd);
	tavor_fw_check_age(dev);
	return 0;
}

/**
 * tavor_fw_version_str() - the firmware's version in its usual notation
 * @dev: device, QUERY_FW done
 * @text: where it is stored
 * @size: size of @text
 *
 * Context: Any.
 */
void tavor_fw_version_str(const struct tavor_dev *dev, char *text, size_t size)
{
	u64 version = dev->fw.version;

	snprintf(text, size, "%u.%u.%u", upper_32_bits(version),
		 lower_32_bits(version) >> 16, lower_32_bits(version) & 0xffff);
}

/**
 * tavor_fw_query_ddr() - fills tavor_dev.ddr_info
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_query_ddr(struct tavor_dev *dev)
{
	struct tavor_query_ddr out;
	int err = tavor_fw_query(dev, &QUERY_DDR, TAVOR_CMD_QUERY_DDR, &out, sizeof(out));

	if (err)
		return err;
	dev->ddr_info.start = be64_to_cpu(out.start);
	dev->ddr_info.end = be64_to_cpu(out.end);
	dev->ddr_info.hidden = be32_to_cpu(out.flags) & TAVOR_DDR_HIDDEN;
	return 0;
}

/**
 * tavor_fw_query_dev_lim() - fills tavor_dev.lim
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno; -EINVAL: unusable limits; the log has the reason.
 */
int tavor_fw_query_dev_lim(struct tavor_dev *dev)
{
	u8 out[TAVOR_DEV_LIM_SIZE];
	int err = tavor_fw_query(dev, &QUERY_DEV_LIM, TAVOR_CMD_QUERY_DEV_LIM, out, sizeof(out));

	if (err)
		return err;
	tavor_dev_lim_parse(&dev->lim, out);
	return tavor_dev_lim_check(dev);
}

/*
 * Mellanox boards keep the board id with each 4-byte word swapped, Topspin's as a string
 * (tavor-hw 6.4).
 */
static void tavor_fw_parse_board_id(char *board_id, size_t size, const u8 *vsd)
{
	unsigned int i;

	if (get_unaligned_be16(vsd) == TAVOR_VSD_TOPSPIN &&
	    get_unaligned_be16(vsd + TAVOR_VSD_SIGNATURE2) == TAVOR_VSD_TOPSPIN) {
		strscpy(board_id, vsd + TAVOR_VSD_TOPSPIN_ID, size);
		return;
	}
	for (i = 0; i < 16; i += 4)
		put_unaligned_le32(get_unaligned_be32(vsd + TAVOR_VSD_BOARD_ID + i), board_id + i);
	board_id[16] = 0;
}

/**
 * tavor_fw_query_adapter() - fills tavor_dev.adapter
 * @dev: device, INIT_HCA done
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_query_adapter(struct tavor_dev *dev)
{
	struct tavor_query_adapter out;
	int err = tavor_fw_query(dev, &QUERY_ADAPTER, TAVOR_CMD_QUERY_ADAPTER, &out, sizeof(out));

	if (err)
		return err;
	dev->adapter.vendor_id = be32_to_cpu(out.vendor_id);
	dev->adapter.device_id = be32_to_cpu(out.device_id);
	dev->adapter.revision = be32_to_cpu(out.revision);
	dev->adapter.inta_pin = out.inta_pin;
	tavor_fw_parse_board_id(dev->adapter.board_id, sizeof(dev->adapter.board_id), out.vsd);
	return 0;
}

/* A table's base shares its word with the logarithm of its size. */
static __be64 tavor_fw_table(u64 base, u32 num)
{
	return cpu_to_be64(base | ilog2(num));
}

static void tavor_fw_fill_init_hca(const struct tavor_dev *dev, struct tavor_init_hca *in)
{
	const struct tavor_limits *lim = &dev->limits;
	const struct tavor_layout *lay = &dev->layout;

	memset(in, 0, sizeof(*in));
	in->flags = cpu_to_be32(TAVOR_INIT_HCA_AV_PORT_CHECK |
				(IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ? TAVOR_INIT_HCA_HOST_BE : 0));
	in->qpc = tavor_fw_table(lay->qpc, lim->num_qps);
	in->srqc = tavor_fw_table(lay->srqc, lim->num_srqs);
	in->cqc = tavor_fw_table(lay->cqc, lim->num_cqs);
	in->eqpc = cpu_to_be64(lay->eqpc);
	in->eqc = tavor_fw_table(lay->eqc, lim->num_eqs);
	in->rdb = cpu_to_be64(lay->rdb);
	in->mcg = cpu_to_be64(lay->mcg);
	in->log_mcg_size = cpu_to_be16(ilog2(TAVOR_MGM_SIZE));
	in->mcg_hash_size = cpu_to_be32(lim->num_mgms);
	in->log_mcgs = ilog2(lim->num_mgms) + 1;	/* as many overflow entries as buckets */
	in->mpt = cpu_to_be64(lay->mpt);
	in->mtt_seg_size = ilog2(lim->mtt_seg_size) - 6;
	in->log_mpts = ilog2(lim->num_mpts);
	in->mtt = cpu_to_be64(lay->mtt);
	in->uar_page_size = PAGE_SHIFT - 12;
	in->uar_scratch = cpu_to_be64(lay->uar_scratch);
}

/**
 * tavor_fw_init_hca() - tells the HCA where its tables are
 * @dev: device with its layout made
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_init_hca(struct tavor_dev *dev)
{
	struct tavor_init_hca in;
	struct fw_request req = {
		.opcode = TAVOR_CMD_INIT_HCA,
		.in = &in,
		.in_len = sizeof(in),
	};

	tavor_fw_fill_init_hca(dev, &in);
	return tavor_fw_exec(dev, &INIT_HCA, &req);
}

/**
 * tavor_fw_close_hca() - undoes INIT_HCA
 * @dev: device
 * @panic: close at once
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_close_hca(struct tavor_dev *dev, bool panic)
{
	struct fw_request req = { .opcode = TAVOR_CMD_CLOSE_HCA, .op_modifier = panic };

	return tavor_fw_exec(dev, &CLOSE_HCA, &req);
}

/**
 * tavor_fw_close_ib() - takes a port's link down
 * @dev: device
 * @port: 1-based; it may be closed already
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_close_ib(struct tavor_dev *dev, u32 port)
{
	struct fw_request req = { .opcode = TAVOR_CMD_CLOSE_IB, .in_modifier = port };

	return tavor_fw_exec(dev, &CLOSE_IB, &req);
}

/**
 * tavor_fw_map_eq() - routes event types to an event queue, or ends that
 * @dev: device
 * @mask: bit n: event type n
 * @unmap: ends it
 * @eqn: event queue
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_map_eq(struct tavor_dev *dev, u64 mask, bool unmap, u8 eqn)
{
	struct fw_request req = {
		.opcode = TAVOR_CMD_MAP_EQ,
		.in_modifier = (unmap ? BIT(31) : 0) | eqn,
		.imm = mask,
	};

	return tavor_fw_exec(dev, &MAP_EQ, &req);
}

/**
 * tavor_fw_sw2hw_eq() - hands an event queue to the hardware
 * @dev: device
 * @eqn: its number
 * @context: its context
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_sw2hw_eq(struct tavor_dev *dev, u8 eqn, const struct tavor_eq_context *context)
{
	struct fw_request req = {
		.opcode = TAVOR_CMD_SW2HW_EQ,
		.in_modifier = eqn,
		.in = context,
		.in_len = sizeof(*context),
	};

	return tavor_fw_exec(dev, &SW2HW_EQ, &req);
}

/**
 * tavor_fw_hw2sw_eq() - takes an event queue back
 * @dev: device
 * @eqn: its number
 *
 * Context: Process context, may sleep.
 * Return: 0; a negative errno: the hardware may still write the queue.
 */
int tavor_fw_hw2sw_eq(struct tavor_dev *dev, u8 eqn)
{
	struct tavor_eq_context context;
	struct fw_request req = {
		.opcode = TAVOR_CMD_HW2SW_EQ,
		.in_modifier = eqn,
		.out = &context,
		.out_len = sizeof(context),
	};

	return tavor_fw_exec(dev, &HW2SW_EQ, &req);
}

/**
 * tavor_fw_write_mtt() - writes MTT entries by command, for a DDR that cannot be accessed
 * @dev: device
 * @user: the process that is charged; NULL: the kernel
 * @ddr_addr: HCA address of the first entry
 * @pages: DMA addresses
 * @n: number of entries, at most TAVOR_WRITE_MTT_MAX; an odd number is padded with a zero entry
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_fw_write_mtt(struct tavor_dev *dev, struct vrb_user *user, u64 ddr_addr,
		       const u64 *pages, u32 n)
{
	struct fw_request req = { .opcode = TAVOR_CMD_WRITE_MTT, .in_modifier = round_up(n, 2) };
	struct tavor_write_mtt *in;
	int err;
	u32 i;

	if (WARN_ON_ONCE(n > TAVOR_WRITE_MTT_MAX))
		return -EINVAL;
	in = kzalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return -ENOMEM;
	in->addr = cpu_to_be64(ddr_addr);
	for (i = 0; i < n; i++)
		in->entry[i] = cpu_to_be64(pages[i] | TAVOR_MTT_PRESENT);
	req.in = in;
	req.in_len = sizeof(*in);
	vrb_prep(&req.vrb, &WRITE_MTT, NULL);
	req.vrb.user = user;
	err = tavor_exec(dev, &req.vrb);
	kfree(in);
	return err;
}

static void tavor_fw_nop_done(struct vrb *vrb)
{
	complete(container_of(vrb, struct fw_request, vrb)->over);
}

/**
 * tavor_fw_nop() - executes NOP, to test whether interrupts arrive
 * @dev: device in event mode
 * @ms: how long an interrupt may take
 *
 * If no interrupt arrives in time the queue is read without one, so that the request has completed
 * on return in any case.
 *
 * Context: Process context, may sleep.
 * Return: 0; -ETIME: completed, but without an interrupt; or another negative errno.
 */
int tavor_fw_nop(struct tavor_dev *dev, u32 ms)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct fw_request req = {
		.opcode = TAVOR_CMD_NOP,
		.in_modifier = TAVOR_NOP_MODIFIER,
		.over = &done,
	};
	bool late = false;
	int err;

	vrb_prep(&req.vrb, &NOP, NULL);
	req.vrb.done = tavor_fw_nop_done;
	err = vrb_submit(vrb_device_client(dev->vrb), &req.vrb);
	if (err != -EINPROGRESS)
		return err;
	if (!wait_for_completion_timeout(&done, msecs_to_jiffies(ms))) {
		late = true;
		vrb_device_kick(dev->vrb);
		if (!wait_for_completion_timeout(&done, msecs_to_jiffies(ms))) {
			vrb_device_fail(dev->vrb, "NOP was not answered");
			wait_for_completion(&done);
		}
	}
	return req.vrb.status ?: late ? -ETIME : 0;
}

/**
 * tavor_encode_init_ib() - step: bring a port's link up
 * @dev: device
 * @slot: where to encode
 * @port: 1-based
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_encode_init_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port)
{
	struct tavor_init_ib *in = tavor_mbox_in(dev, slot);

	memset(in, 0, sizeof(*in));
	in->flags = cpu_to_be32(FIELD_PREP(TAVOR_INIT_IB_MTU_CAP, dev->lim.max_mtu) |
				FIELD_PREP(TAVOR_INIT_IB_WIDTH_CAP, dev->lim.max_port_width) |
				FIELD_PREP(TAVOR_INIT_IB_VL_CAP, dev->lim.max_vls));
	in->max_gid = cpu_to_be16(dev->limits.gid_table_len);
	in->max_pkey = cpu_to_be16(dev->limits.pkey_table_len);
	tavor_cmd_set(dev, slot, TAVOR_CMD_INIT_IB, 0, port, TAVOR_CMD_IN);
}

/**
 * tavor_encode_set_ib() - step: a port's capability mask
 * @dev: device
 * @slot: where to encode
 * @port: 1-based
 * @cap_mask: PortInfo's CapabilityMask
 * @reset_qkey: also reset the Q_Key violation counter
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_encode_set_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port, u32 cap_mask,
			 bool reset_qkey)
{
	struct tavor_set_ib *in = tavor_mbox_in(dev, slot);

	memset(in, 0, sizeof(*in));
	in->flags = cpu_to_be32(reset_qkey ? TAVOR_SET_IB_RESET_QKEY : 0);
	in->cap_mask = cpu_to_be32(cap_mask);
	tavor_cmd_set(dev, slot, TAVOR_CMD_SET_IB, 0, port, TAVOR_CMD_IN);
}

/**
 * tavor_encode_close_ib() - step: take a port's link down
 * @dev: device
 * @slot: where to encode
 * @port: 1-based
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_encode_close_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port)
{
	tavor_cmd_set(dev, slot, TAVOR_CMD_CLOSE_IB, 0, port, 0);
}
