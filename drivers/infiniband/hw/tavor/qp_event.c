// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Asynchronous events of QPs. The hardware generates them, or the driver when the device has
 * failed.
 */
#include "qp.h"
#include "table.h"
#include "tavor.h"

/* @qp: the caller has a reference to it */
static void tavor_qp_tell(struct tavor_hw_qp *qp, enum ib_event_type type)
{
	struct ib_qp *ibqp = qp->ibqp;
	struct ib_event event = {
		.device = &qp->dev->ib_dev,
		.event = type,
		.element.qp = ibqp,
	};

	vrb_device_event(qp->dev->vrb, type, &qp->object);
	if (ibqp->event_handler)
		ibqp->event_handler(&event, ibqp->qp_context);
}

/**
 * tavor_qp_last_wqe() - reports "last WQE reached" for a QP, unless it was reported already
 * @qp: a QP with an SRQ, in the error state; the caller has a reference to it
 *
 * The QP takes no more receives from its SRQ. The hardware has reported this, or the device has
 * failed and the driver must. A client may free what belongs to the QP after the event, so it must
 * not be reported twice.
 *
 * Context: Softirq or BH disabled.
 */
void tavor_qp_last_wqe(struct tavor_hw_qp *qp)
{
	if (!xchg(&qp->last_wqe, 1))
		tavor_qp_tell(qp, IB_EVENT_QP_LAST_WQE_REACHED);
}

/**
 * tavor_qp_event() - report an asynchronous event of a QP
 * @dev: the device
 * @qpn: number on the hardware; an unknown one is ignored
 * @type: what happened
 *
 * Context: Softirq.
 */
void tavor_qp_event(struct tavor_dev *dev, u32 qpn, enum ib_event_type type)
{
	struct vrb_object *object;

	object = tavor_table_get(dev, &dev->qps, qpn);
	if (!object)
		return;
	if (type == IB_EVENT_QP_LAST_WQE_REACHED)
		tavor_qp_last_wqe(to_hw_qp(object));
	else
		tavor_qp_tell(to_hw_qp(object), type);
	vrb_object_put(object);
}
