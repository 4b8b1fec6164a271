// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * One function for each vfio-user message. It returns the length of its reply's payload, or -errno.
 */
#include "device/vfu.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MINOR 1
#define REFUSALS_LOGGED 100

static u32 in32(const struct vfu_message *m, u32 at)
{
	u32 v;

	memcpy(&v, m->data + at, 4);
	return v;
}

static u64 in64(const struct vfu_message *m, u32 at)
{
	u64 v;

	memcpy(&v, m->data + at, 8);
	return v;
}

static void out32(u8 *out, u32 at, u32 v)
{
	memcpy(out + at, &v, 4);
}

static void out64(u8 *out, u32 at, u64 v)
{
	memcpy(out + at, &v, 8);
}

/* --- VERSION ---------------------------------------------------------------------------------- */

/*
 * Returns the smaller value of client and server. A capability that the client does not name has a
 * standard value. The values are compared as floating point, as JSON has them: one can be too large
 * for an integer.
 */
static u64 capability(const cJSON *caps, const char *name, u64 ours, u64 standard)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(caps, name);
	double theirs =
		cJSON_IsNumber(item) && item->valuedouble >= 1 ? item->valuedouble : standard;

	return theirs < ours ? (u64)theirs : ours;
}

/* The capabilities of the reply must not exceed the client's. */
static int write_capabilities(const struct vfu_message *m, char *text, size_t room)
{
	cJSON *json =
		m->len > 4 ? cJSON_ParseWithLength((const char *)m->data + 4, m->len - 4) : NULL;
	const cJSON *caps = cJSON_GetObjectItemCaseSensitive(json, "capabilities");
	int n;

	n = snprintf(text, room,
		     "{\"capabilities\":{\"max_msg_fds\":%llu,\"max_data_xfer_size\":%llu,"
		     "\"pgsizes\":4096,"
		     "\"max_dma_maps\":%llu%s}}",
		     (unsigned long long)capability(caps, "max_msg_fds", VFU_MAX_FDS, 1),
		     (unsigned long long)capability(caps, "max_data_xfer_size", VFU_MAX_XFER,
						    VFU_MAX_XFER),
		     (unsigned long long)capability(caps, "max_dma_maps", 1 << 20, 65535),
		     cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(caps, "write_multiple")) ?
			     ",\"write_multiple\":true" :
			     "");
	cJSON_Delete(json);
	return n + 1;
}

static int do_version(struct vfu_message *m, u8 *out)
{
	u16 major, minor;

	if (m->len < 4)
		return -EINVAL;
	memcpy(&major, m->data, 2);
	memcpy(&minor, m->data + 2, 2);
	/* a client with another major version gets a reply and is disconnected */
	if (major != 0) {
		m->v->broken = true;
		return -EINVAL;
	}
	minor = minor < MINOR ? minor : MINOR;
	memcpy(out, &major, 2);
	memcpy(out + 2, &minor, 2);
	m->v->negotiated = true;
	return 4 + write_capabilities(m, (char *)out + 4, 4000);
}

/* --- DMA -------------------------------------------------------------------------------------- */

/* A map without a descriptor is a range that cannot be accessed: ROMs, BARs of other devices. */
static int do_dma_map(struct vfu_message *m, u8 *out)
{
	int fd = -1;
	u32 flags;

	(void)out;
	if (m->len != 32)
		return -EINVAL;
	flags = in32(m, 4);
	if (m->n_fds) {
		fd = m->fds[0];
		m->fds[0] = -1;
	}
	count(m->v->h, "dma_map");
	return dma_map(m->v->h, in64(m, 16), in64(m, 24), in64(m, 8), fd, flags & 1, flags & 2);
}

/*
 * After the reply the guest may reuse the pages, so no cache may still contain them: dma_unmap()
 * invalidates before it returns.
 */
static int do_dma_unmap(struct vfu_message *m, u8 *out)
{
	int ret = 0;

	if (m->len < 24)
		return -EINVAL;
	count(m->v->h, "dma_unmap");
	if (in32(m, 4) & VFIO_DMA_UNMAP_FLAG_ALL)
		dma_unmap_all(m->v->h);
	else
		ret = dma_unmap(m->v->h, in64(m, 8), in64(m, 16));
	/* a client with an IOMMU unmaps address ranges that may contain no maps */
	if (ret && ret != -ENOENT)
		return ret;
	memcpy(out, m->data, 24);
	return 24;
}

/* --- information ------------------------------------------------------------------------------ */

static int do_info(struct vfu_message *m, u8 *out)
{
	if (m->len < 16)
		return -EINVAL;
	out32(out, 0, 16);
	out32(out, 4, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
	out32(out, 8, VFIO_PCI_NUM_REGIONS);
	out32(out, 12, VFU_IRQS);
	return 16;
}

/* Off by default: with one mapped region the client posts no writes at all. */
static bool mappable(const struct vfu *v, u32 region)
{
	return region == VFIO_PCI_BAR4_REGION_INDEX && region_size(v->h, region) &&
	       opt_bool(v->h, "ddr_mmap");
}

static int do_region_info(struct vfu_message *m, u8 *out)
{
	struct vfu *v = m->v;
	u32 index, flags = 0;

	if (m->len < 32)
		return -EINVAL;
	index = in32(m, 8);
	if (index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	if (region_size(v->h, index))
		flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (mappable(v, index))
		flags |= VFIO_REGION_INFO_FLAG_MMAP;
	out32(out, 0, 32);
	out32(out, 4, flags);
	out32(out, 8, index);
	out32(out, 12, 0);
	out64(out, 16, region_size(v->h, index));
	out64(out, 24, 0);
	return 32;
}

static int do_irq_info(struct vfu_message *m, u8 *out)
{
	u32 index;

	if (m->len < 16)
		return -EINVAL;
	index = in32(m, 8);
	if (index >= VFU_IRQS)
		return -EINVAL;
	out32(out, 0, 16);
	out32(out, 4, vfu_irq_flags(index));
	out32(out, 8, index);
	out32(out, 12, vfu_irq_count(index));
	return 16;
}

static int do_set_irqs(struct vfu_message *m, u8 *out)
{
	(void)out;
	return vfu_irqs_set(m);
}

/* --- regions ---------------------------------------------------------------------------------- */

static int do_read(struct vfu_message *m, u8 *out)
{
	u32 len;
	int ret;

	if (m->len < 16)
		return -EINVAL;
	len = in32(m, 12);
	if (len > VFU_MAX_XFER)
		return -EINVAL;
	ret = region_read(m->v->h, in32(m, 8), in64(m, 0), out + 16, len);
	if (ret)
		return ret;
	memcpy(out, m->data, 16);
	return 16 + len;
}

/*
 * QEMU sends writes without waiting for the reply where possible. They take effect in order,
 * because there is one thread and one stream.
 */
static int do_write(struct vfu_message *m, u8 *out)
{
	int ret;

	if (m->len < 16 || m->len - 16 != in32(m, 12))
		return -EINVAL;
	ret = region_write(m->v->h, in32(m, 8), in64(m, 0), m->data + 16, in32(m, 12));
	if (ret)
		return ret;
	memcpy(out, m->data, 16);
	return 16;
}

/* Each entry has 24 bytes: offset, region, length, eight bytes of data. */
static int do_write_multi(struct vfu_message *m, u8 *out)
{
	u64 n, i;

	if (m->len < 8)
		return -EINVAL;
	n = in64(m, 0);
	if (n != (m->len - 8) / 24 || (m->len - 8) % 24)
		return -EINVAL;
	for (i = 0; i < n && m->v->conn.fd >= 0; i++) {
		u32 at = 8 + 24 * i, len = in32(m, at + 12);
		int ret = len > 8 ? -EINVAL :
				    region_write(m->v->h, in32(m, at + 8), in64(m, at),
						 m->data + at + 16, len);

		if (ret)
			return ret;
	}
	out64(out, 0, n);
	return 8;
}

/*
 * QEMU sends this message when the machine is reset, or when the guest requests a function-level
 * reset. Unlike after a write to the reset register, the device answers immediately, because the
 * client does not expect a pause.
 */
static int do_reset(struct vfu_message *m, u8 *out)
{
	(void)out;
	hca_reset(m->v->h);
	return 0;
}

/* --- dispatch --------------------------------------------------------------------------------- */

static int (*const handlers[])(struct vfu_message *m, u8 *out) = {
	[VFU_VERSION] = do_version,
	[VFU_DMA_MAP] = do_dma_map,
	[VFU_DMA_UNMAP] = do_dma_unmap,
	[VFU_GET_INFO] = do_info,
	[VFU_GET_REGION_INFO] = do_region_info,
	[VFU_GET_IRQ_INFO] = do_irq_info,
	[VFU_SET_IRQS] = do_set_irqs,
	[VFU_REGION_READ] = do_read,
	[VFU_REGION_WRITE] = do_write,
	[VFU_RESET] = do_reset,
	[VFU_WRITE_MULTI] = do_write_multi,
};

/* Accepts only requests, and only VERSION before the negotiation. */
static int handle(struct vfu_message *m, u8 *out)
{
	u16 c = m->hdr.command;

	if ((m->hdr.flags & VFU_F_TYPE) != 0)
		return -EINVAL;
	if (c >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[c])
		return -ENOTSUP;
	if (!m->v->negotiated && c != VFU_VERSION)
		return -EPROTO;
	return handlers[c](m, out);
}

/* Only the reply for a region that can be mapped carries a descriptor. */
static bool wants_fd(const struct vfu_message *m)
{
	return m->hdr.command == VFU_GET_REGION_INFO && m->len >= 32 && mappable(m->v, in32(m, 8));
}

static void reply(struct vfu_message *m, u8 *room, int ret)
{
	struct vfu_header hdr = { .id = m->hdr.id,
				  .command = m->hdr.command,
				  .flags = VFU_F_REPLY };

	if (ret < 0) {
		hdr.flags |= VFU_F_ERROR;
		hdr.error = -ret;
		ret = 0;
	}
	hdr.size = sizeof(hdr) + ret;
	memcpy(room, &hdr, sizeof(hdr));
	if (wants_fd(m) && ret)
		vfu_reply_send_fd(m->v, hdr.size, ddr_fd(m->v->h));
	else
		vfu_reply_send(m->v, hdr.size);
}

/*
 * A handler that keeps a descriptor replaces it by -1. The others are closed here, so that a
 * refused message leaks none.
 */
void vfu_answer(struct vfu_message *m)
{
	u8 *room = vfu_reply_room(m->v, VFU_MAX_MSG);
	int ret = handle(m, room + sizeof(struct vfu_header));
	int i;

	if (ret < 0) {
		count(m->v->h, "vfu_error");
		/* only the first are logged, because a guest can cause any number of them */
		if (m->v->refused++ < REFUSALS_LOGGED)
			hca_log(m->v->h, "vfio-user: command %u of %u bytes refused: %s",
				m->hdr.command, m->hdr.size, strerror(-ret));
	}
	for (i = 0; i < m->n_fds; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	if (m->v->conn.fd >= 0 && !(m->hdr.flags & VFU_F_NO_REPLY))
		reply(m, room, ret);
}
