// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Output of queue pairs and shared receive queues for the control socket. */
#include "device/device.h"
#include "qp/qp.h"

#include <cjson/cJSON.h>

static const char *state_name(u8 state)
{
	static const char *const names[] = { "RESET", "INIT", "RTR", "RTS",
					     "SQE",   "SQD",  "ERR", "SQ_DRAINING" };

	return names[state & 7];
}

static const char *service_name(u8 service)
{
	static const char *const names[] = { "RC", "UC", "RD", "UD", "", "", "", "MLX" };

	return names[service & 7];
}

/*
 * The numbers help to find why a transfer is stuck: the announced WQEs, the PSNs in flight and
 * acknowledged, and whether the receiver has sent an RNR NAK.
 */
static cJSON *one_qp(const struct qp *qp)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddNumberToObject(o, "qpn", qp->qpn);
	cJSON_AddStringToObject(o, "state", state_name(qp->state));
	cJSON_AddStringToObject(o, "service", service_name(qp->service));
	cJSON_AddNumberToObject(o, "port", qp->path.port);
	cJSON_AddNumberToObject(o, "remote_qpn", qp->rqpn);
	cJSON_AddNumberToObject(o, "uar", qp->uar);
	cJSON_AddNumberToObject(o, "pd", qp->pd);
	cJSON_AddNumberToObject(o, "send_cqn", qp->scqn);
	cJSON_AddNumberToObject(o, "recv_cqn", qp->rcqn);
	cJSON_AddNumberToObject(o, "send_psn", qp->sq_psn);
	cJSON_AddNumberToObject(o, "recv_psn", qp->rq_psn);
	cJSON_AddNumberToObject(o, "send_doorbells_waiting", qp->sq.wqes);
	cJSON_AddNumberToObject(o, "recv_wqes", qp->rq.wqes);
	if (qp->srq_en)
		cJSON_AddNumberToObject(o, "srqn", qp->srqn);
	if (!qp->req)
		return o;
	cJSON_AddNumberToObject(o, "in_flight", qp->req->tail - qp->req->head);
	cJSON_AddNumberToObject(o, "unacknowledged_psns",
				psn_ahead(qp->req->snd_max, qp->req->una));
	cJSON_AddBoolToObject(o, "waiting_for_receiver", qp->req->rnr_wait);
	return o;
}

void qp_objects(struct hca *h, struct cJSON *out)
{
	cJSON *list = cJSON_AddArrayToObject(out, "qps");
	const struct qp *qp;

	for (qp = qp_part(h)->all; qp; qp = qp->next)
		cJSON_AddItemToArray(list, one_qp(qp));
}
