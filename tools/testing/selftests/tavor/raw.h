/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The user ABI of the mthca family without libmthca. There is one function for each command, which
 * passes any input that a hostile or broken process could pass. They return 0 or a negative errno.
 */
#ifndef SELFTESTS_TAVOR_RAW_H
#define SELFTESTS_TAVOR_RAW_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <infiniband/verbs.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/mthca-abi.h>
#include <rdma/rdma_user_ioctl_cmds.h>

/*
 * Executes one command of @size bytes at @command, which begins with its header. The response has
 * @response bytes.
 */
static inline int raw_command(int fd, uint32_t number, void *command, size_t size, size_t response)
{
	struct ib_uverbs_cmd_hdr *hdr = command;

	hdr->command = number;
	hdr->in_words = size / 4;
	hdr->out_words = response / 4;
	return write(fd, command, size) == (ssize_t)size ? 0 : -errno;
}

/* A command whose only argument is a handle, and which returns nothing */
static inline int raw_by_handle(int fd, uint32_t number, uint32_t handle)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint32_t handle;
	} command = { .handle = handle };

	return raw_command(fd, number, &command, sizeof(command), 0);
}

struct raw_pd {
	uint32_t handle;
	uint32_t pdn;
};

static inline int raw_alloc_pd(int fd, struct raw_pd *pd)
{
	struct {
		struct ib_uverbs_alloc_pd_resp core;
		struct mthca_alloc_pd_resp driver;
	} response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_alloc_pd core;
	} command = { .core.response = (uintptr_t)&response };
	int ret = raw_command(fd, IB_USER_VERBS_CMD_ALLOC_PD, &command, sizeof(command),
			      sizeof(response));

	pd->handle = response.core.pd_handle;
	pd->pdn = response.driver.pdn;
	return ret;
}

static inline int raw_dealloc_pd(int fd, uint32_t handle)
{
	return raw_by_handle(fd, IB_USER_VERBS_CMD_DEALLOC_PD, handle);
}

struct raw_mr {
	uint32_t handle;
	uint32_t lkey;
};

/* @iova is the address of @start for the hardware; buffers of queues are registered at 0. */
static inline int raw_reg_mr(int fd, uint32_t pd, void *start, uint64_t length, uint64_t iova,
			     uint32_t access, struct raw_mr *mr)
{
	struct ib_uverbs_reg_mr_resp response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_reg_mr core;
		struct mthca_reg_mr driver;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.start = (uintptr_t)start,
		.core.length = length,
		.core.hca_va = iova,
		.core.pd_handle = pd,
		.core.access_flags = access,
	};
	int ret = raw_command(fd, IB_USER_VERBS_CMD_REG_MR, &command, sizeof(command),
			      sizeof(response));

	mr->handle = response.mr_handle;
	mr->lkey = response.lkey;
	return ret;
}

static inline int raw_dereg_mr(int fd, uint32_t handle)
{
	return raw_by_handle(fd, IB_USER_VERBS_CMD_DEREG_MR, handle);
}

/* The arguments of a reregistration; the command's own structure ends in an array. */
struct raw_rereg {
	uint32_t handle, flags;
	uint64_t start, length, hca_va;
	uint32_t pd_handle, access_flags;
};

/* Sets the region's new key. */
static inline int raw_rereg_mr(int fd, struct raw_mr *mr, const struct raw_rereg *r)
{
	struct ib_uverbs_rereg_mr_resp response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_rereg_mr core;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.mr_handle = r->handle,
		.core.flags = r->flags,
		.core.start = r->start,
		.core.length = r->length,
		.core.hca_va = r->hca_va,
		.core.pd_handle = r->pd_handle,
		.core.access_flags = r->access_flags,
	};
	int ret = raw_command(fd, IB_USER_VERBS_CMD_REREG_MR, &command, sizeof(command),
			      sizeof(response));

	if (!ret)
		mr->lkey = response.lkey;
	return ret;
}

static inline void raw_attr(struct ib_uverbs_ioctl_hdr *hdr, uint16_t id, uint16_t len,
			    uint64_t data)
{
	struct ib_uverbs_attr *attr = &hdr->attrs[hdr->num_attrs++];

	*attr = (struct ib_uverbs_attr){ id, len, UVERBS_ATTR_F_MANDATORY, {}, { .data = data } };
	hdr->length = sizeof(*hdr) + hdr->num_attrs * sizeof(*attr);
}

/* The arguments of a registration of memory of the dma-buf @fd */
struct raw_dmabuf {
	int fd;
	uint64_t offset, length, iova;
	uint32_t access;
};

/* This call has no form for write(). */
static inline int raw_reg_dmabuf(int fd, uint32_t pd, const struct raw_dmabuf *buf,
				 struct raw_mr *mr)
{
	char space[sizeof(struct ib_uverbs_ioctl_hdr) + 9 * sizeof(struct ib_uverbs_attr)] = {};
	struct ib_uverbs_ioctl_hdr *hdr = (void *)space;
	uint32_t lkey = 0, rkey = 0;

	hdr->object_id = UVERBS_OBJECT_MR;
	hdr->method_id = UVERBS_METHOD_REG_DMABUF_MR;
	hdr->driver_id = RDMA_DRIVER_MTHCA;
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 0, 0);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, 0, pd);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_OFFSET, 8, buf->offset);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_LENGTH, 8, buf->length);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_IOVA, 8, buf->iova);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_FD, 4, (uint32_t)buf->fd);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, 4, buf->access);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, 4, (uintptr_t)&lkey);
	raw_attr(hdr, UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, 4, (uintptr_t)&rkey);
	if (ioctl(fd, RDMA_VERBS_IOCTL, hdr))
		return -errno;
	mr->handle = hdr->attrs[0].data;
	mr->lkey = lkey;
	return lkey == rkey ? 0 : -EPROTO;
}

struct raw_mw {
	uint32_t handle;
	uint32_t rkey;
};

static inline int raw_alloc_mw(int fd, uint32_t pd, uint8_t type, struct raw_mw *mw)
{
	struct ib_uverbs_alloc_mw_resp response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_alloc_mw core;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.pd_handle = pd,
		.core.mw_type = type,
	};
	int ret = raw_command(fd, IB_USER_VERBS_CMD_ALLOC_MW, &command, sizeof(command),
			      sizeof(response));

	mw->handle = response.mw_handle;
	mw->rkey = response.rkey;
	return ret;
}

static inline int raw_dealloc_mw(int fd, uint32_t handle)
{
	return raw_by_handle(fd, IB_USER_VERBS_CMD_DEALLOC_MW, handle);
}

struct raw_cq {
	uint32_t handle;
	uint32_t cqn;
	uint32_t cqe;
};

/* @missing: number of bytes to omit at the end of the command */
static inline int raw_create_cq_short(int fd, uint32_t cqe, uint32_t lkey, uint32_t pdn,
				      size_t missing, struct raw_cq *cq)
{
	struct {
		struct ib_uverbs_create_cq_resp core;
		struct mthca_create_cq_resp driver;
	} response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_cq core;
		struct mthca_create_cq driver;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.cqe = cqe,
		.core.comp_channel = -1,
		.driver.lkey = lkey,
		.driver.pdn = pdn,
	};
	int ret = raw_command(fd, IB_USER_VERBS_CMD_CREATE_CQ, &command, sizeof(command) - missing,
			      sizeof(response));

	cq->handle = response.core.cq_handle;
	cq->cqe = response.core.cqe;
	cq->cqn = response.driver.cqn;
	return ret;
}

static inline int raw_create_cq(int fd, uint32_t cqe, uint32_t lkey, uint32_t pdn,
				struct raw_cq *cq)
{
	return raw_create_cq_short(fd, cqe, lkey, pdn, 0, cq);
}

/* The extended command, with flags. */
static inline int raw_create_cq_ex(int fd, uint32_t cqe, uint32_t lkey, uint32_t pdn,
				   uint32_t flags, uint32_t comp_mask, struct raw_cq *cq)
{
	struct {
		struct ib_uverbs_ex_create_cq_resp core;
		struct mthca_create_cq_resp driver;
	} response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_ex_cmd_hdr ex;
		struct ib_uverbs_ex_create_cq core;
		struct mthca_create_cq driver;
	} command = {
		.hdr = {
			.command = IB_USER_VERBS_CMD_FLAG_EXTENDED | IB_USER_VERBS_EX_CMD_CREATE_CQ,
			.in_words = sizeof(command.core) / 8,
			.out_words = sizeof(response.core) / 8,
		},
		.ex = {
			.response = (uintptr_t)&response,
			.provider_in_words = sizeof(command.driver) / 8,
			.provider_out_words = sizeof(response.driver) / 8,
		},
		.core = { .cqe = cqe, .comp_channel = -1, .flags = flags, .comp_mask = comp_mask },
		.driver = { .lkey = lkey, .pdn = pdn },
	};
	int ret = write(fd, &command, sizeof(command)) == sizeof(command) ? 0 : -errno;

	cq->handle = response.core.base.cq_handle;
	cq->cqe = response.core.base.cqe;
	cq->cqn = response.driver.cqn;
	return ret;
}

static inline int raw_resize_cq(int fd, uint32_t handle, uint32_t cqe, uint32_t lkey, uint32_t *got)
{
	struct ib_uverbs_resize_cq_resp response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_resize_cq core;
		struct mthca_resize_cq driver;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.cq_handle = handle,
		.core.cqe = cqe,
		.driver.lkey = lkey,
	};
	int ret = raw_command(fd, IB_USER_VERBS_CMD_RESIZE_CQ, &command, sizeof(command),
			      sizeof(response));

	*got = response.cqe;
	return ret;
}

static inline int raw_destroy_cq(int fd, uint32_t handle)
{
	struct ib_uverbs_destroy_cq_resp response;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_destroy_cq core;
	} command = { .core.response = (uintptr_t)&response, .core.cq_handle = handle };

	return raw_command(fd, IB_USER_VERBS_CMD_DESTROY_CQ, &command, sizeof(command),
			   sizeof(response));
}

struct raw_qp {
	uint32_t handle;
	uint32_t qpn;
	struct ib_uverbs_create_qp_resp caps;
};

struct raw_qp_in {
	uint32_t pd, send_cq, recv_cq, srq, lkey;
	uint32_t send_wr, recv_wr, send_sge, recv_sge, inline_data;
	uint8_t type, is_srq, sig_all;
	size_t missing;
};

static inline int raw_create_qp(int fd, const struct raw_qp_in *in, struct raw_qp *qp)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_qp core;
		struct mthca_create_qp driver;
	} command = {
		.core.response = (uintptr_t)&qp->caps,
		.core.pd_handle = in->pd,
		.core.send_cq_handle = in->send_cq,
		.core.recv_cq_handle = in->recv_cq,
		.core.srq_handle = in->srq,
		.core.is_srq = in->is_srq,
		.core.max_send_wr = in->send_wr,
		.core.max_recv_wr = in->recv_wr,
		.core.max_send_sge = in->send_sge,
		.core.max_recv_sge = in->recv_sge,
		.core.max_inline_data = in->inline_data,
		.core.sq_sig_all = in->sig_all,
		.core.qp_type = in->type,
		.driver.lkey = in->lkey,
	};
	int ret;

	memset(&qp->caps, 0, sizeof(qp->caps));
	ret = raw_command(fd, IB_USER_VERBS_CMD_CREATE_QP, &command, sizeof(command) - in->missing,
			  sizeof(qp->caps));
	qp->handle = qp->caps.qp_handle;
	qp->qpn = qp->caps.qpn;
	return ret;
}

static inline int raw_destroy_qp(int fd, uint32_t handle)
{
	struct ib_uverbs_destroy_qp_resp response;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_destroy_qp core;
	} command = { .core.response = (uintptr_t)&response, .core.qp_handle = handle };

	return raw_command(fd, IB_USER_VERBS_CMD_DESTROY_QP, &command, sizeof(command),
			   sizeof(response));
}

struct raw_srq {
	uint32_t handle;
	uint32_t max_wr;
};

static inline int raw_create_srq_caps(int fd, uint32_t pd, uint32_t max_wr, uint32_t max_sge,
				      uint32_t lkey, struct raw_srq *srq,
				      struct ib_uverbs_create_srq_resp *caps)
{
	struct {
		struct ib_uverbs_create_srq_resp core;
		struct mthca_create_srq_resp driver;
	} response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_srq core;
		struct mthca_create_srq driver;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.pd_handle = pd,
		.core.max_wr = max_wr,
		.core.max_sge = max_sge,
		.driver.lkey = lkey,
	};
	int ret = raw_command(fd, IB_USER_VERBS_CMD_CREATE_SRQ, &command, sizeof(command),
			      sizeof(response));

	*caps = response.core;
	srq->handle = response.core.srq_handle;
	srq->max_wr = response.core.max_wr;
	return ret;
}

static inline int raw_create_srq(int fd, uint32_t pd, uint32_t max_wr, uint32_t max_sge,
				 uint32_t lkey, struct raw_srq *srq)
{
	struct ib_uverbs_create_srq_resp caps;

	return raw_create_srq_caps(fd, pd, max_wr, max_sge, lkey, srq, &caps);
}

/* Creates an SRQ of a type that only this command supports. */
static inline int raw_create_xsrq(int fd, uint32_t type, uint32_t pd, uint32_t max_wr,
				  uint32_t max_sge, uint32_t lkey, struct raw_srq *srq)
{
	struct {
		struct ib_uverbs_create_srq_resp core;
		struct mthca_create_srq_resp driver;
	} response = {};
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_xsrq core;
		struct mthca_create_srq driver;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.srq_type = type,
		.core.pd_handle = pd,
		.core.max_wr = max_wr,
		.core.max_sge = max_sge,
		.driver.lkey = lkey,
	};
	int ret = raw_command(fd, IB_USER_VERBS_CMD_CREATE_XSRQ, &command, sizeof(command),
			      sizeof(response));

	srq->handle = response.core.srq_handle;
	srq->max_wr = response.core.max_wr;
	return ret;
}

static inline int raw_destroy_srq(int fd, uint32_t handle)
{
	struct ib_uverbs_destroy_srq_resp response;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_destroy_srq core;
	} command = { .core.response = (uintptr_t)&response, .core.srq_handle = handle };

	return raw_command(fd, IB_USER_VERBS_CMD_DESTROY_SRQ, &command, sizeof(command),
			   sizeof(response));
}

static inline int raw_create_ah(int fd, uint32_t pd, uint8_t port, uint16_t lid)
{
	struct ib_uverbs_create_ah_resp response;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_create_ah core;
	} command = {
		.core.response = (uintptr_t)&response,
		.core.pd_handle = pd,
		.core.attr = { .dlid = lid, .port_num = port },
	};

	return raw_command(fd, IB_USER_VERBS_CMD_CREATE_AH, &command, sizeof(command),
			   sizeof(response));
}

#endif /* SELFTESTS_TAVOR_RAW_H */
