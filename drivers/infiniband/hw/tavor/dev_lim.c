// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The limits of the firmware: decodes the output of QUERY_DEV_LIM, and checks whether this driver
 * and the user ABI can work with them. Nothing here accesses the device.
 */
#include <linux/unaligned.h>

#include "dev_lim.h"
#include "hw_wqe.h"
#include "tavor.h"

static u8 tavor_dev_lim_lo4(const u8 *out, unsigned int offset)
{
	return out[offset] & 0xf;
}

static u8 tavor_dev_lim_hi4(const u8 *out, unsigned int offset)
{
	return out[offset] >> 4;
}

static u8 tavor_dev_lim_lo5(const u8 *out, unsigned int offset)
{
	return out[offset] & 0x1f;
}

static u8 tavor_dev_lim_lo6(const u8 *out, unsigned int offset)
{
	return out[offset] & 0x3f;
}

/* A queue keeps one entry spare. */
static u32 tavor_dev_lim_queue_max(u8 log)
{
	return (1U << min_t(u8, log, 31)) - 1;
}

static void tavor_dev_lim_parse_queues(struct tavor_dev_lim *lim, const u8 *out)
{
	lim->max_srq_wqes = tavor_dev_lim_queue_max(out[0x10]);
	lim->max_qp_wqes = tavor_dev_lim_queue_max(out[0x11]);
	lim->reserved_qps = 1U << tavor_dev_lim_lo4(out, 0x12);
	lim->log_max_qps = tavor_dev_lim_lo5(out, 0x13);
	lim->reserved_srqs = 1U << tavor_dev_lim_hi4(out, 0x14);
	lim->log_max_srqs = tavor_dev_lim_lo5(out, 0x15);
	lim->max_cqes = tavor_dev_lim_queue_max(out[0x19]);
	lim->reserved_cqs = 1U << tavor_dev_lim_lo4(out, 0x1a);
	lim->log_max_cqs = tavor_dev_lim_lo5(out, 0x1b);
	/*
	 * Some drivers read this as a count and others as a logarithm: the larger result is safe.
	 */
	lim->reserved_eqs = 1U << tavor_dev_lim_lo4(out, 0x1e);
	lim->log_max_eqs = out[0x1f] & 7;
	lim->log_max_ra_req_qp = tavor_dev_lim_lo6(out, 0x29);
	lim->log_max_ra_res_qp = tavor_dev_lim_lo6(out, 0x2b);
	lim->log_max_ra_global = tavor_dev_lim_lo6(out, 0x2f);
}

static void tavor_dev_lim_parse_memory(struct tavor_dev_lim *lim, const u8 *out)
{
	lim->log_max_mpts = tavor_dev_lim_lo6(out, 0x1d);
	lim->reserved_mtt_segs = 1U << tavor_dev_lim_hi4(out, 0x20);
	lim->log_max_mr_size = out[0x21];
	lim->reserved_mpts = 1U << tavor_dev_lim_lo4(out, 0x22);
	lim->log_max_mtt_segs = tavor_dev_lim_lo6(out, 0x23);
	lim->log_max_avs = tavor_dev_lim_lo6(out, 0x27);
	lim->reserved_uars = tavor_dev_lim_hi4(out, 0x48);
	lim->uar_size = 1ULL << (tavor_dev_lim_lo6(out, 0x49) + 20);
	lim->min_page_size = 1U << tavor_dev_lim_lo5(out, 0x4b);
	lim->reserved_pds = tavor_dev_lim_hi4(out, 0x64);
	lim->log_max_pds = tavor_dev_lim_lo6(out, 0x65);
}

static void tavor_dev_lim_parse_ports(struct tavor_dev_lim *lim, const u8 *out)
{
	lim->local_ca_ack_delay = tavor_dev_lim_lo5(out, 0x35);
	lim->max_mtu = tavor_dev_lim_hi4(out, 0x36);
	lim->max_port_width = tavor_dev_lim_lo4(out, 0x36);
	lim->max_vls = tavor_dev_lim_hi4(out, 0x37);
	lim->num_ports = tavor_dev_lim_lo4(out, 0x37);
	lim->log_max_gids = tavor_dev_lim_lo4(out, 0x3b);
	lim->stat_rate_support = get_unaligned_be16(out + 0x3c);
	/* Firmware too old to report this supports full speed and 1X. */
	if (!lim->stat_rate_support)
		lim->stat_rate_support = 3;
	lim->log_max_pkeys = tavor_dev_lim_lo4(out, 0x3f);
	lim->flags = get_unaligned_be32(out + 0x44);
}

static void tavor_dev_lim_parse_sizes(struct tavor_dev_lim *lim, const u8 *out)
{
	lim->max_sg = out[0x51];
	/* A WQE's size is encoded in six bits, and a WQE must not cross a page. */
	lim->max_desc_size = min_t(u16, get_unaligned_be16(out + 0x52), TAVOR_MAX_WQE_SIZE);
	lim->log_max_qp_per_mcg = out[0x61];
	lim->reserved_mgms = tavor_dev_lim_lo4(out, 0x62);
	lim->log_max_mgms = out[0x63];
	lim->eec_size = get_unaligned_be16(out + 0x80);
	lim->qpc_size = get_unaligned_be16(out + 0x82);
	lim->eeec_size = get_unaligned_be16(out + 0x84);
	lim->eqpc_size = get_unaligned_be16(out + 0x86);
	lim->eqc_size = get_unaligned_be16(out + 0x88);
	lim->cqc_size = get_unaligned_be16(out + 0x8a);
	lim->srqc_size = get_unaligned_be16(out + 0x8c);
	lim->uar_scratch_size = get_unaligned_be16(out + 0x8e);
}

/**
 * tavor_dev_lim_parse() - out mailbox of QUERY_DEV_LIM to numbers
 * @lim: result
 * @out: TAVOR_DEV_LIM_SIZE bytes
 *
 * Context: Any.
 */
void tavor_dev_lim_parse(struct tavor_dev_lim *lim, const u8 *out)
{
	tavor_dev_lim_parse_queues(lim, out);
	tavor_dev_lim_parse_memory(lim, out);
	tavor_dev_lim_parse_ports(lim, out);
	tavor_dev_lim_parse_sizes(lim, out);
}

static int tavor_dev_lim_refuse(struct tavor_dev *dev, const char *what, u64 value)
{
	dev_err(&dev->pdev->dev, "QUERY_DEV_LIM: %s of %llu cannot be used\n", what, value);
	return -EINVAL;
}

static int tavor_dev_lim_check_sizes(struct tavor_dev *dev)
{
	const struct tavor_dev_lim *lim = &dev->lim;
	const struct {
		const char *what;
		u16 size;
	} entries[] = {
		{ "QPC entry size", lim->qpc_size },
		{ "EQPC entry size", lim->eqpc_size },
		{ "EQC entry size", lim->eqc_size },
		{ "CQC entry size", lim->cqc_size },
		{ "SRQC entry size", lim->srqc_size },
		{ "UAR scratch entry size", lim->uar_scratch_size },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(entries); i++)
		if (!is_power_of_2(entries[i].size))
			return tavor_dev_lim_refuse(dev, entries[i].what, entries[i].size);
	return 0;
}

/**
 * tavor_dev_lim_check() - refuses limits this driver or the user ABI cannot work with
 * @dev: device with its limits read
 *
 * Context: Any.
 * Return: 0; -EINVAL, with the reason in the log.
 */
int tavor_dev_lim_check(struct tavor_dev *dev)
{
	const struct tavor_dev_lim *lim = &dev->lim;
	resource_size_t uar_bar = pci_resource_len(dev->pdev, 2);

	if (lim->min_page_size > PAGE_SIZE)
		return tavor_dev_lim_refuse(dev, "minimum page size", lim->min_page_size);
	if (!lim->num_ports || lim->num_ports > TAVOR_MAX_PORTS)
		return tavor_dev_lim_refuse(dev, "number of ports", lim->num_ports);
	if (lim->uar_size > uar_bar)
		return tavor_dev_lim_refuse(dev, "UAR size beyond BAR 2", lim->uar_size);
	if (lim->max_desc_size < 128)
		return tavor_dev_lim_refuse(dev, "WQE size", lim->max_desc_size);
	if (!lim->max_sg)
		return tavor_dev_lim_refuse(dev, "scatter/gather limit", lim->max_sg);
	return tavor_dev_lim_check_sizes(dev);
}
