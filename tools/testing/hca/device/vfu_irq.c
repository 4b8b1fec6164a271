// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Interrupts to the client: eventfds by index and vector. INTx is a level that is masked
 * automatically when it is signalled. When the client unmasks it, it is signalled again if the
 * level is still asserted.
 */
#include "device/vfu.h"

#include <errno.h>
#include <linux/vfio.h>
#include <unistd.h>

#define ACTIONS \
	(VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_TRIGGER)
#define DATAS (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD)

u32 vfu_irq_count(u32 index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return 1;
	case VFIO_PCI_MSI_IRQ_INDEX:
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return MSIX_VECTORS;
	default:
		return 0;
	}
}

u32 vfu_irq_flags(u32 index)
{
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	return vfu_irq_count(index) ? VFIO_IRQ_INFO_EVENTFD : 0;
}

static struct vfu *vfu_of(const struct hca *h)
{
	return hca_part(h, PART_VFU);
}

/* A write would block only after 2^64 - 2 unread interrupts. */
static bool kick(int fd)
{
	u64 one = 1;

	return fd >= 0 && write(fd, &one, sizeof(one)) == sizeof(one);
}

bool vfu_signal(struct hca *h, unsigned int index, unsigned int vector)
{
	struct vfu *v = vfu_of(h);

	return v && index < VFU_IRQS && vector < MSIX_VECTORS &&
	       kick(v->irqs[index].trigger[vector]);
}

/*
 * A level is signalled once, and then not again until the client unmasks. QEMU unmasks when the
 * guest has acknowledged the interrupt, and a level that is still asserted is signalled again. So
 * no edge is lost in between.
 */
static void update_intx(struct vfu *v)
{
	struct vfu_irqs *q = &v->irqs[VFIO_PCI_INTX_IRQ_INDEX];

	if (q->level && !q->masked && kick(q->trigger[0]))
		q->masked = true;
}

void vfu_set_intx(struct hca *h, bool level)
{
	struct vfu *v = vfu_of(h);

	if (!v)
		return;
	v->irqs[VFIO_PCI_INTX_IRQ_INDEX].level = level;
	update_intx(v);
}

static void set_fd(int *at, int fd)
{
	if (*at >= 0)
		close(*at);
	*at = fd;
}

static void release(struct vfu_irqs *q)
{
	int i;

	for (i = 0; i < MSIX_VECTORS; i++)
		set_fd(&q->trigger[i], -1);
	set_fd(&q->unmask, -1);
	q->masked = false;
}

/* The client has disconnected. The next one sets its own eventfds. */
void vfu_irqs_release(struct vfu *v)
{
	int i;

	for (i = 0; i < VFU_IRQS; i++)
		release(&v->irqs[i]);
	v->irqs[VFIO_PCI_INTX_IRQ_INDEX].level = false;
}

void vfu_irqs_init(struct vfu *v)
{
	int i, k;

	for (i = 0; i < VFU_IRQS; i++) {
		v->irqs[i].unmask = -1;
		for (k = 0; k < MSIX_VECTORS; k++)
			v->irqs[i].trigger[k] = -1;
	}
}

static u32 word(const struct vfu_message *m, u32 at)
{
	u32 v;

	memcpy(&v, m->data + at, 4);
	return v;
}

/* Without descriptors, the eventfds of the vectors are removed. */
static int set_eventfds(struct vfu_message *m, struct vfu_irqs *q, u32 action, u32 start, u32 n)
{
	u32 i;

	if (m->n_fds && (u32)m->n_fds != n)
		return -EINVAL;
	if (action == VFIO_IRQ_SET_ACTION_MASK)
		return 0;
	for (i = 0; i < n; i++) {
		int fd = m->n_fds ? m->fds[i] : -1;

		if (m->n_fds)
			m->fds[i] = -1;
		set_fd(action == VFIO_IRQ_SET_ACTION_TRIGGER ? &q->trigger[start + i] : &q->unmask,
		       fd);
	}
	update_intx(m->v);
	return 0;
}

/*
 * Only INTx can be masked here. QEMU itself masks MSI and MSI-X, and then does not deliver the
 * interrupt.
 */
static void act(struct vfu *v, u32 index, u32 action, u32 vector)
{
	struct vfu_irqs *q = &v->irqs[index];

	if (action == VFIO_IRQ_SET_ACTION_TRIGGER)
		kick(q->trigger[vector]);
	else if (index == VFIO_PCI_INTX_IRQ_INDEX)
		q->masked = action == VFIO_IRQ_SET_ACTION_MASK;
	update_intx(v);
}

/*
 * Executes one action on a range of vectors, as VFIO_DEVICE_SET_IRQS defines it. All values come
 * from the client, so the check of the range uses no addition that can wrap.
 */
int vfu_irqs_set(struct vfu_message *m)
{
	u32 flags, index, start, n, i;

	if (m->len < 20)
		return -EINVAL;
	flags = word(m, 4);
	index = word(m, 8);
	start = word(m, 12);
	n = word(m, 16);
	if (index >= VFU_IRQS || start > vfu_irq_count(index) || n > vfu_irq_count(index) - start)
		return -EINVAL;
	if (__builtin_popcount(flags & ACTIONS) != 1 || __builtin_popcount(flags & DATAS) != 1)
		return -EINVAL;
	if ((flags & VFIO_IRQ_SET_DATA_BOOL) && m->len - 20 < n)
		return -EINVAL;
	if (flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return set_eventfds(m, &m->v->irqs[index], flags & ACTIONS, start, n);
	/* no vectors and no data: this disables the index */
	if (!n && (flags & VFIO_IRQ_SET_DATA_NONE) && (flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		release(&m->v->irqs[index]);
	for (i = 0; i < n; i++)
		if ((flags & VFIO_IRQ_SET_DATA_NONE) || m->data[20 + i])
			act(m->v, index, flags & ACTIONS, start + i);
	return 0;
}
