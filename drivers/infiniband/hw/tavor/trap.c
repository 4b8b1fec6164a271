// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Traps of the firmware. The firmware does not know the path to the subnet manager. It delivers
 * traps to QP0 or QP1 as if they had been received, and the driver forwards them.
 */
#include <rdma/ib_mad.h>

#include "mad.h"
#include "tavor.h"
#include "trap.h"

static void tavor_trap_sent(struct ib_mad_agent *agent, struct ib_mad_send_wc *wc)
{
	rdma_destroy_ah(wc->send_buf->ah, 0);
	ib_free_send_mad(wc->send_buf);
}

static struct ib_ah *tavor_sm_ah(struct tavor_dev *dev, u32 port, struct ib_pd *pd)
{
	struct tavor_mad_port *known = &dev->mad->port[port - 1];
	struct rdma_ah_attr attr = {};
	u16 lid;

	attr.type = rdma_ah_find_type(&dev->ib_dev, port);
	rdma_ah_set_port_num(&attr, port);
	/* Interrupts are off. */
	spin_lock(&dev->mad->lock);
	lid = known->sm_lid;
	rdma_ah_set_sl(&attr, known->sm_sl);
	spin_unlock(&dev->mad->lock);
	if (!lid)
		return ERR_PTR(-ENETUNREACH);
	rdma_ah_set_dlid(&attr, lid);
	return rdma_create_ah(pd, &attr, 0);
}

static int tavor_send_trap(struct tavor_dev *dev, u32 port, struct ib_mad_agent *agent,
			   const struct ib_mad *mad, u32 qpn)
{
	struct ib_mad_send_buf *buf;
	int err;

	buf = ib_create_send_mad(agent, qpn, 0, 0, IB_MGMT_MAD_HDR, IB_MGMT_MAD_DATA, GFP_ATOMIC,
				 IB_MGMT_BASE_VERSION);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	memcpy(buf->mad, mad, sizeof(*mad));
	buf->ah = tavor_sm_ah(dev, port, agent->qp->pd);
	if (IS_ERR(buf->ah)) {
		err = PTR_ERR(buf->ah);
		goto free_mad;
	}
	err = ib_post_send_mad(buf, NULL);
	if (err)
		goto destroy_ah;
	return 0;

destroy_ah:
	rdma_destroy_ah(buf->ah, 0);
free_mad:
	ib_free_send_mad(buf);
	return err;
}

/**
 * tavor_forward_trap() - send a trap of the firmware to the subnet manager
 * @dev: the device
 * @port: port it is about
 * @mad: the trap
 *
 * Context: Any down to softirq.
 */
void tavor_forward_trap(struct tavor_dev *dev, u32 port, const struct ib_mad *mad)
{
	u32 qpn = mad->mad_hdr.mgmt_class == IB_MGMT_CLASS_SUBN_LID_ROUTED ? 0 : 1;
	struct ib_mad_agent *agent;
	unsigned long flags;
	int err = -ENODEV;

	spin_lock_irqsave(&dev->mad->agent_lock, flags);
	agent = dev->mad->port[port - 1].agent[qpn];
	if (agent)
		err = tavor_send_trap(dev, port, agent, mad, qpn);
	spin_unlock_irqrestore(&dev->mad->agent_lock, flags);
	if (!err)
		atomic64_inc(&tavor_port_counters(dev, port)->traps_forwarded);
	else
		ibdev_dbg(&dev->ib_dev, "port %u: trap for the subnet manager dropped: %d\n", port,
			  err);
}

static void tavor_trap_forget_agents(struct tavor_dev *dev)
{
	struct ib_mad_agent *agent;
	u32 port, qpn;

	for (port = 1; port <= dev->limits.num_ports; port++) {
		for (qpn = 0; qpn < 2; qpn++) {
			spin_lock_irq(&dev->mad->agent_lock);
			agent = dev->mad->port[port - 1].agent[qpn];
			dev->mad->port[port - 1].agent[qpn] = NULL;
			spin_unlock_irq(&dev->mad->agent_lock);
			if (agent)
				ib_unregister_mad_agent(agent);
		}
	}
}

static int tavor_trap_get_agents(struct tavor_dev *dev)
{
	static const enum ib_qp_type types[] = { IB_QPT_SMI, IB_QPT_GSI };
	struct ib_mad_agent *agent;
	u32 port, qpn;

	for (port = 1; port <= dev->limits.num_ports; port++) {
		for (qpn = 0; qpn < ARRAY_SIZE(types); qpn++) {
			agent = ib_register_mad_agent(&dev->ib_dev, port, types[qpn], NULL, 0,
						      tavor_trap_sent, NULL, NULL, 0);
			if (IS_ERR(agent)) {
				tavor_trap_forget_agents(dev);
				return PTR_ERR(agent);
			}
			spin_lock_irq(&dev->mad->agent_lock);
			dev->mad->port[port - 1].agent[qpn] = agent;
			spin_unlock_irq(&dev->mad->agent_lock);
		}
	}
	return 0;
}

static int tavor_trap_add(struct ib_device *ibdev)
{
	struct tavor_dev *dev = to_tdev(ibdev);
	int err;

	if (ibdev->ops.owner != THIS_MODULE)
		return -EOPNOTSUPP;
	err = tavor_trap_get_agents(dev);
	if (err)
		ibdev_warn(ibdev, "traps of the firmware are not forwarded (%d)\n", err);
	return err;
}

static void tavor_trap_remove(struct ib_device *ibdev, void *client_data)
{
	tavor_trap_forget_agents(to_tdev(ibdev));
}

/*
 * When the device is registered again, for example in another network namespace, ib_core creates
 * the parents of MAD agents again. So these agents are registered and unregistered by a client,
 * like those of others.
 */
static struct ib_client tavor_trap_client = {
	.name = TAVOR_NAME,
	.add = tavor_trap_add,
	.remove = tavor_trap_remove,
};

/**
 * tavor_trap_init() - makes it possible to forward traps, for all devices
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int tavor_trap_init(void)
{
	return ib_register_client(&tavor_trap_client);
}

/**
 * tavor_trap_exit() - counterpart of tavor_trap_init()
 *
 * Context: Process context.
 */
void tavor_trap_exit(void)
{
	ib_unregister_client(&tavor_trap_client);
}
