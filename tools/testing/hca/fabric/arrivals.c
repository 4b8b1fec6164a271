// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Packets that have arrived at a port and wait for delivery. Delivery is always deferred, so that
 * the sender's function never calls the receiver's.
 */
#include <string.h>

#include "fabric/packet.h"
#include "fabric/port.h"

#define BATCH 256u
#define CURRENT_LEN (LRH_LEN + GRH_LEN + BTH_LEN + DETH_LEN)

static u8 current_headers[CURRENT_LEN];
static bool delivering;

const u8 *arrivals_current(void)
{
	return delivering ? current_headers : NULL;
}

/*
 * Copies the headers, because the receiver owns the packet from here on. If the receiver finds a
 * wrong key, the trap to the subnet manager contains the headers (trap.c).
 */
static void deliver(struct ibport *p, struct packet *pkt)
{
	memcpy(current_headers, pkt->data, sizeof(current_headers));
	delivering = true;
	p->node->rx(p, pkt);
	delivering = false;
}

/*
 * The number of packets is limited, so that two ports that reply to each other do not starve the
 * client.
 */
static void rx_work(struct hca_work *w)
{
	struct ibport *p = container_of(w, struct ibport, rx_work);
	unsigned int n;

	for (n = 0; n < BATCH && p->rx_head; n++) {
		struct packet *pkt = p->rx_head;

		p->rx_head = pkt->next;
		deliver(p, pkt);
	}
	if (p->rx_head)
		work_schedule(&p->rx_work);
}

void arrivals_add(struct ibport *p, struct packet *pkt)
{
	pkt->next = NULL;
	if (p->rx_head)
		p->rx_tail->next = pkt;
	else
		p->rx_head = pkt;
	p->rx_tail = pkt;
	p->rx_work.fn = rx_work;
	work_schedule(&p->rx_work);
}

void arrivals_flush(struct ibport *p)
{
	while (p->rx_head) {
		struct packet *pkt = p->rx_head;

		p->rx_head = pkt->next;
		packet_put(pkt);
	}
	work_cancel(&p->rx_work);
}
