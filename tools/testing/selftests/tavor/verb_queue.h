/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions that call <rdma/vrb-abi.h> without a library, one for each method. They return the
 * result of the method or a negative errno.
 */
#ifndef SELFTESTS_TAVOR_VERB_QUEUE_H
#define SELFTESTS_TAVOR_VERB_QUEUE_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <infiniband/verbs.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include "../../../../include/uapi/rdma/vrb-abi.h"

#define VQ_MAX_ATTRS 4

struct vq_call {
	struct ib_uverbs_ioctl_hdr hdr;
	struct ib_uverbs_attr attr[VQ_MAX_ATTRS];
};

static inline void vq_attr(struct vq_call *call, uint16_t id, const void *data, size_t len)
{
	struct ib_uverbs_attr *attr = &call->attr[call->hdr.num_attrs++];

	attr->attr_id = id;
	attr->len = len;
	attr->flags = UVERBS_ATTR_F_MANDATORY;
	attr->data = (uintptr_t)data;
}

/* Data of at most 8 bytes is stored in the attribute itself. */
static inline void vq_attr_in(struct vq_call *call, uint16_t id, const void *data, size_t len)
{
	vq_attr(call, id, data, len);
	if (len <= sizeof(call->attr->data)) {
		call->attr[call->hdr.num_attrs - 1].data = 0;
		memcpy(&call->attr[call->hdr.num_attrs - 1].data, data, len);
	}
}

static inline void vq_attr_fd(struct vq_call *call, uint16_t id, int fd)
{
	vq_attr(call, id, NULL, 0);
	call->attr[call->hdr.num_attrs - 1].data_s64 = fd;
}

static inline int vq_do(int cmd_fd, uint16_t method, struct vq_call *call)
{
	call->hdr.length = sizeof(call->hdr) + call->hdr.num_attrs * sizeof(call->attr[0]);
	call->hdr.object_id = VRB_OBJECT_QUEUE;
	call->hdr.method_id = method;
	call->hdr.driver_id = RDMA_DRIVER_MTHCA;
	return ioctl(cmd_fd, RDMA_VERBS_IOCTL, &call->hdr) ? -errno : 0;
}

static inline int vq_query(int cmd_fd, void *caps, size_t len)
{
	struct vq_call call = {};

	vq_attr(&call, VRB_ATTR_QUEUE_QUERY_CAPS, caps, len);
	return vq_do(cmd_fd, VRB_METHOD_QUEUE_QUERY, &call);
}

/* Returns the queue's file descriptor. */
static inline int vq_create_with(int cmd_fd, const struct vrb_queue_attr *attr)
{
	struct vq_call call = {};
	int ret;

	vq_attr_fd(&call, VRB_ATTR_QUEUE_CREATE_FD, 0);
	vq_attr_in(&call, VRB_ATTR_QUEUE_CREATE_ATTR, attr, sizeof(*attr));
	ret = vq_do(cmd_fd, VRB_METHOD_QUEUE_CREATE, &call);
	return ret ?: (int)call.attr[0].data_s64;
}

static inline int vq_create(int cmd_fd, uint32_t depth)
{
	const struct vrb_queue_attr attr = {
		.depth = depth,
		.completion_size = sizeof(struct vrb_queue_completion),
	};

	return vq_create_with(cmd_fd, &attr);
}

/* Returns the number of accepted requests. */
static inline int vq_submit_sized(int cmd_fd, int fd, const void *requests, size_t size,
				  const uint32_t *qps, int n)
{
	struct vq_call call = {};
	uint32_t accepted = 0;
	int ret;

	vq_attr_fd(&call, VRB_ATTR_QUEUE_SUBMIT_FD, fd);
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_REQUESTS, requests, size);
	vq_attr_in(&call, VRB_ATTR_QUEUE_SUBMIT_QPS, qps, n * sizeof(*qps));
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, &accepted, sizeof(accepted));
	ret = vq_do(cmd_fd, VRB_METHOD_QUEUE_SUBMIT, &call);
	return ret ?: (int)accepted;
}

static inline int vq_submit(int cmd_fd, int fd, const struct vrb_queue_request *requests,
			    const uint32_t *qps, int n)
{
	return vq_submit_sized(cmd_fd, fd, requests, n * sizeof(*requests), qps, n);
}

static inline int vq_cancel(int cmd_fd, int fd, uint64_t user_data)
{
	struct vq_call call = {};

	vq_attr_fd(&call, VRB_ATTR_QUEUE_CANCEL_FD, fd);
	vq_attr_in(&call, VRB_ATTR_QUEUE_CANCEL_USER_DATA, &user_data, sizeof(user_data));
	return vq_do(cmd_fd, VRB_METHOD_QUEUE_CANCEL, &call);
}

/* Returns the events of poll(), or 0 after @ms milliseconds. */
static inline short vq_poll(int fd, int ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return poll(&poll_fd, 1, ms) == 1 ? poll_fd.revents : 0;
}

/* Waits for @n completions. Returns the number of completions, or a negative errno. */
static inline int vq_reap(int fd, struct vrb_queue_completion *completions, int n)
{
	int got = 0;
	ssize_t ret;

	while (got < n) {
		if (!vq_poll(fd, 20000))
			break;
		ret = read(fd, completions + got, (n - got) * sizeof(*completions));
		if (ret < 0)
			return -errno;
		got += ret / sizeof(*completions);
	}
	return got;
}

#endif /* SELFTESTS_TAVOR_VERB_QUEUE_H */
