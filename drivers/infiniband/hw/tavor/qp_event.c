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
 * tavor_qp_last_wqe() - reports "last WQE reached" for a QP of a device that has failed
 * @qp: a QP with an SRQ, in the error state; the caller has a reference to it
 *
 * The QP takes no more receives from its SRQ. A client may free what belongs to the QP after the
 * event, so nothing happens if it was reported already.
 *
 * Context: Softirq or BH disabled.
 */
void tavor_qp_last_wqe(struct tavor_hw_qp *qp)
{
	if (!cmpxchg(&qp->last_wqe, TAVOR_LAST_WQE_NOBODY, TAVOR_LAST_WQE_DRIVER))
		tavor_qp_tell(qp, IB_EVENT_QP_LAST_WQE_REACHED);
}

/*
 * The hardware reports it once after each transition to the error state. If the QP was reset before
 * this event is handled, the event belongs to the QP's previous life. It is reported, but must not
 * count as the event of the next life.
 */
static void tavor_qp_last_wqe_event(struct tavor_hw_qp *qp)
{
	enum tavor_last_wqe by = TAVOR_LAST_WQE_NOBODY;

	if (READ_ONCE(qp->state) != IB_QPS_RESET)
		by = cmpxchg(&qp->last_wqe, TAVOR_LAST_WQE_NOBODY, TAVOR_LAST_WQE_HARDWARE);
	if (by != TAVOR_LAST_WQE_DRIVER)
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
		tavor_qp_last_wqe_event(to_hw_qp(object));
	else
		tavor_qp_tell(to_hw_qp(object), type);
	vrb_object_put(object);
}
