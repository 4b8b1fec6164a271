// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The handlers of event queue entries. They run in the softirq of the queue; that of the command
 * queue runs in the engine's pump, which is a softirq too.
 */
#include <linux/bitfield.h>

#include "catas.h"
#include "event.h"
#include "port_event.h"
#include "qp.h"
#include "tavor.h"
#include "trace.h"

static void tavor_event_port(struct tavor_dev *dev, const struct tavor_eqe *eqe)
{
	u32 port = be32_to_cpu(eqe->event.port.port) >> 28 & 3;
	bool active = eqe->subtype == TAVOR_PORT_ACTIVE;

	if (!port || port > dev->limits.num_ports) {
		dev_warn_ratelimited(&dev->pdev->dev, "event of port %u\n", port);
		return;
	}
	dev_info_ratelimited(&dev->pdev->dev, "port %u %s\n", port, active ? "active" : "down");
	tavor_port_event(dev, port, active ? IB_EVENT_PORT_ACTIVE : IB_EVENT_PORT_ERR);
}

/* The driver creates no end-to-end contexts. */
static void tavor_event_eec(struct tavor_dev *dev, u32 eecn)
{
	dev_warn_ratelimited(&dev->pdev->dev,
			     "event of the end-to-end context %#x, which is none\n", eecn);
}

static void tavor_event_qp(struct tavor_dev *dev, const struct tavor_eqe *eqe,
			   enum ib_event_type type)
{
	u32 number = be32_to_cpu(eqe->event.qp.qpn) & 0xffffff;

	if (be32_to_cpu(eqe->event.qp.flags) & TAVOR_EQE_QP_EEC)
		tavor_event_eec(dev, number);
	else
		tavor_qp_event(dev, number, type);
}

static void tavor_event_srq(struct tavor_dev *dev, const struct tavor_eqe *eqe,
			    enum ib_event_type type)
{
	tavor_srq_event(dev, be32_to_cpu(eqe->event.srq.srqn) & 0xffffff, type);
}

static void tavor_event_cq_error(struct tavor_dev *dev, const struct tavor_eqe *eqe)
{
	u32 cqn = be32_to_cpu(eqe->event.cq_err.cqn) & 0xffffff;

	tavor_cq_error(dev, cqn, eqe->event.cq_err.syndrome == TAVOR_CQ_OVERRUN);
}

/* A corrected error; one that is not corrected is a catastrophic error. */
static void tavor_event_ecc(struct tavor_dev *dev, const struct tavor_eqe *eqe)
{
	u32 cause = be32_to_cpu(eqe->event.ecc.cause);

	atomic64_inc(&dev->ecc_errors);
	dev_notice_ratelimited(&dev->pdev->dev,
			       "corrected error of the DDR: DIMM %lu, bank %lu, row %u, column %u%s\n",
			       FIELD_GET(TAVOR_ECC_DIMM, cause), FIELD_GET(TAVOR_ECC_BANK, cause),
			       be16_to_cpu(eqe->event.ecc.row), be16_to_cpu(eqe->event.ecc.column),
			       cause & TAVOR_ECC_OVERFLOW ? ", and more" : "");
}

/* A process may write any doorbell to its page; the hardware has ignored it. */
static bool tavor_event_is_harmless(const struct tavor_eqe *eqe)
{
	return eqe->type == TAVOR_EVENT_LOCAL_CATAS &&
	       eqe->event.catas.syndrome == TAVOR_CATAS_UAR_PAGE;
}

/*
 * Every queue that reports its overflow has room for all events that may be written to it, so an
 * overflow is a failure: see "Memory of event queues" in Documentation/tavor.rst.
 */
static bool tavor_event_is_overflow(const struct tavor_eqe *eqe)
{
	return eqe->type == TAVOR_EVENT_EQ_OVERFLOW ||
	       eqe->event.catas.syndrome == TAVOR_CATAS_EQ_OVERFLOW;
}

static void tavor_event_device_error(struct tavor_dev *dev, const struct tavor_eqe *eqe)
{
	if (tavor_event_is_harmless(eqe)) {
		atomic64_inc(&dev->uar_errors);
		return;
	}
	dev_err(&dev->pdev->dev, "event type %#x, syndrome %#x, data %#x\n", eqe->type,
		eqe->event.catas.syndrome, be32_to_cpu(eqe->event.catas.data));
	vrb_device_fail(dev->vrb, tavor_event_is_overflow(eqe) ?
			"an event queue has overflowed" : "local catastrophic error");
}

static void tavor_event_dispatch(struct tavor_dev *dev, const struct tavor_eqe *eqe)
{
	switch (eqe->type) {
	case TAVOR_EVENT_PATH_MIG:
		return tavor_event_qp(dev, eqe, IB_EVENT_PATH_MIG);
	case TAVOR_EVENT_COMM_EST:
		return tavor_event_qp(dev, eqe, IB_EVENT_COMM_EST);
	case TAVOR_EVENT_SQ_DRAINED:
		return tavor_event_qp(dev, eqe, IB_EVENT_SQ_DRAINED);
	case TAVOR_EVENT_WQ_CATAS:
		return tavor_event_qp(dev, eqe, IB_EVENT_QP_FATAL);
	case TAVOR_EVENT_PATH_MIG_FAILED:
		return tavor_event_qp(dev, eqe, IB_EVENT_PATH_MIG_ERR);
	case TAVOR_EVENT_WQ_INVAL_REQ:
		return tavor_event_qp(dev, eqe, IB_EVENT_QP_REQ_ERR);
	case TAVOR_EVENT_WQ_ACCESS_ERR:
		return tavor_event_qp(dev, eqe, IB_EVENT_QP_ACCESS_ERR);
	case TAVOR_EVENT_SRQ_LAST_WQE:
		return tavor_event_qp(dev, eqe, IB_EVENT_QP_LAST_WQE_REACHED);
	case TAVOR_EVENT_EEC_CATAS:
		return tavor_event_eec(dev, be32_to_cpu(eqe->event.qp.qpn) & 0xffffff);
	case TAVOR_EVENT_ECC_DETECT:
		return tavor_event_ecc(dev, eqe);
	case TAVOR_EVENT_SRQ_CATAS:
		return tavor_event_srq(dev, eqe, IB_EVENT_SRQ_ERR);
	case TAVOR_EVENT_SRQ_LIMIT:
		return tavor_event_srq(dev, eqe, IB_EVENT_SRQ_LIMIT_REACHED);
	case TAVOR_EVENT_CQ_ERROR:
		return tavor_event_cq_error(dev, eqe);
	case TAVOR_EVENT_PORT_CHANGE:
		return tavor_event_port(dev, eqe);
	case TAVOR_EVENT_LOCAL_CATAS:
	case TAVOR_EVENT_EQ_OVERFLOW:
		return tavor_event_device_error(dev, eqe);
	default:
		dev_warn_ratelimited(&dev->pdev->dev, "event type %#x ignored\n", eqe->type);
	}
}

static void tavor_event_async(struct tavor_eq *eq, const struct tavor_eqe *eqe)
{
	tavor_event_dispatch(eq->dev, eqe);
}

static void tavor_event_comp(struct tavor_eq *eq, const struct tavor_eqe *eqe)
{
	u32 cqn = be32_to_cpu(eqe->event.comp.cqn) & 0xffffff;

	if (eqe->type != TAVOR_EVENT_COMP) {
		tavor_event_dispatch(eq->dev, eqe);
		return;
	}
	tavor_eq_disarm_cq(eq, cqn);
	/*
	 * Disarm before looking for waiting requests: a request that arrives later arms the CQ
	 * after this.
	 */
	mb();
	tavor_cq_completion(eq->dev, cqn);
}

/* Hands a finished command to the engine. */
static void tavor_event_cmd(struct tavor_eq *eq, const struct tavor_eqe *eqe)
{
	struct vrb_result result;

	if (eqe->type != TAVOR_EVENT_CMD) {
		tavor_event_dispatch(eq->dev, eqe);
		return;
	}
	result.fw_status = eqe->event.cmd.status;
	result.status = tavor_cmd_errno(result.fw_status);
	result.out = (u64)be32_to_cpu(eqe->event.cmd.out_hi) << 32 |
		     be32_to_cpu(eqe->event.cmd.out_lo);
	trace_tavor_cmd_done(eq->dev, be16_to_cpu(eqe->event.cmd.token), result.fw_status,
			     result.out);
	vrb_slot_complete(eq->dev->vrb, be16_to_cpu(eqe->event.cmd.token), &result);
}

const struct tavor_eq_handlers tavor_event_handlers = {
	.comp = tavor_event_comp,
	.async = tavor_event_async,
	.cmd = tavor_event_cmd,
	.async_empty = tavor_catas_look,
};
