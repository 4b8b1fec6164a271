/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * libvrbq: control verbs that do not wait. Requests are submitted and go on by themselves; their
 * completions are reaped later, when a file descriptor says that there are some. vrbq(7).
 */
#ifndef INFINIBAND_VRBQ_H
#define INFINIBAND_VRBQ_H

#include <stddef.h>
#include <stdint.h>
#include <infiniband/verbs.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VRBQ_MAX_DEPTH 4096
#define VRBQ_MAX_THREADS 256

/* A queue of requests on the objects of one ibv_context. */
struct vrbq;

/**
 * enum vrbq_backend - what carries the requests out
 * @VRBQ_BACKEND_ANY: for vrbq_create(): the verb queue if the device has one, or else threads
 * @VRBQ_BACKEND_THREADS: threads of the library, which call libibverbs; on every device
 * @VRBQ_BACKEND_VERB_QUEUE: the driver's verb queue: no thread waits for the device
 */
enum vrbq_backend {
	VRBQ_BACKEND_ANY,
	VRBQ_BACKEND_THREADS,
	VRBQ_BACKEND_VERB_QUEUE,
};

/**
 * struct vrbq_attr - a queue as vrbq_create() makes it
 * @comp_mask: 0
 * @backend: enum vrbq_backend
 * @depth: 1 .. VRBQ_MAX_DEPTH: requests that are submitted and not reaped yet
 * @max_threads: 0: the library's choice; or 1 .. VRBQ_MAX_THREADS
 */
struct vrbq_attr {
	uint32_t comp_mask;
	uint32_t backend;
	uint32_t depth;
	uint32_t max_threads;
};

/**
 * struct vrbq_info - what vrbq_query() tells
 * @backend: enum vrbq_backend, never VRBQ_BACKEND_ANY
 * @depth: as created
 * @outstanding: requests that are submitted and not reaped yet
 * @max_threads: the most threads there may be
 * @threads: how many there are now
 * @slots: firmware commands that all processes together may have outstanding; 0: not known
 * @revision: of the driver's interface; 0: it has none, or was not asked. With threads another
 *	number says that driver and library do not fit each other
 * @reserved: 0
 */
struct vrbq_info {
	uint32_t backend;
	uint32_t depth;
	uint32_t outstanding;
	uint32_t max_threads;
	uint32_t threads;
	uint32_t slots;
	uint32_t revision;
	uint32_t reserved;
};

enum vrbq_op {
	VRBQ_OP_MODIFY_QP = 1,
	VRBQ_OP_CONNECT_QP,
	VRBQ_OP_RESET_QP,
	VRBQ_OP_QUIESCE_QP,
	VRBQ_OP_QUERY_QP,
	VRBQ_OP_DESTROY_QP,
	VRBQ_OP_CREATE_QP,
	VRBQ_OP_CREATE_CQ,
	VRBQ_OP_REG_MR,
	VRBQ_OP_DEREG_MR,
};

/**
 * struct vrbq_request - one request; a vrbq_prep function fills it
 * @wr_id: comes back in the completion, and names the request for vrbq_cancel()
 * @op: enum vrbq_op
 * @flags: 0
 *
 * vrbq_submit() copies it.
 */
struct vrbq_request {
	uint64_t wr_id;
	uint32_t op;
	uint32_t flags;
	union {
		void *object;
		struct ibv_qp *qp;
		struct ibv_pd *pd;
		struct ibv_mr *mr;
	};
	union {
		struct {
			struct ibv_qp_attr attr;
			int attr_mask;
		} modify;
		struct {
			struct ibv_qp_attr *attr;
			struct ibv_qp_init_attr *init_attr;
			int attr_mask;
		} query;
		struct {
			struct ibv_qp_init_attr *init_attr;
		} create_qp;
		struct {
			void *cq_context;
			struct ibv_comp_channel *channel;
			int cqe;
			int comp_vector;
		} create_cq;
		struct {
			void *addr;
			size_t length;
			unsigned int access;
		} reg_mr;
		uint64_t reserved[29];
	};
};

/**
 * struct vrbq_completion - what became of a request
 * @wr_id: of the request
 * @op: of the request
 * @status: 0, or an errno: what the synchronous call would have failed with; ECANCELED if
 *	vrbq_cancel() or the destruction of the QP took it back; EIO if the device has gone
 * @step: of a connect that failed: 0 on the way to INIT, 1 to RTR, 2 to RTS
 * @qp_state: enum ibv_qp_state which the QP is in; of requests on a QP other than destroy
 * @qp: of the request, or created; of a destroy only to tell which it was
 * @cq: created
 * @mr: registered; of a dereg_mr only to tell which it was
 */
struct vrbq_completion {
	uint64_t wr_id;
	uint32_t op;
	int32_t status;
	uint32_t step;
	uint32_t qp_state;
	union {
		void *object;
		struct ibv_qp *qp;
		struct ibv_cq *cq;
		struct ibv_mr *mr;
	};
	uint64_t reserved[4];
};

/* vrbq_create(3) */
struct vrbq *vrbq_create(struct ibv_context *context, const struct vrbq_attr *attr);
int vrbq_destroy(struct vrbq *vrbq);
int vrbq_fd(struct vrbq *vrbq);
enum vrbq_backend vrbq_backend(struct vrbq *vrbq);
int vrbq_query(struct vrbq *vrbq, struct vrbq_info *info, size_t size);
const char *vrbq_backend_str(enum vrbq_backend backend);
const char *vrbq_op_str(enum vrbq_op op);

/* vrbq_prep(3) */
void vrbq_prep_modify_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp,
			 const struct ibv_qp_attr *attr, int attr_mask);
void vrbq_prep_connect_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp,
			  const struct ibv_qp_attr *attr, int attr_mask);
void vrbq_prep_reset_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp);
void vrbq_prep_quiesce_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp);
void vrbq_prep_query_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp,
			struct ibv_qp_attr *attr, int attr_mask,
			struct ibv_qp_init_attr *init_attr);
void vrbq_prep_destroy_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_qp *qp);
void vrbq_prep_create_qp(struct vrbq_request *request, uint64_t wr_id, struct ibv_pd *pd,
			 struct ibv_qp_init_attr *init_attr);
void vrbq_prep_create_cq(struct vrbq_request *request, uint64_t wr_id, int cqe, void *cq_context,
			 struct ibv_comp_channel *channel, int comp_vector);
void vrbq_prep_reg_mr(struct vrbq_request *request, uint64_t wr_id, struct ibv_pd *pd, void *addr,
		      size_t length, unsigned int access);
void vrbq_prep_dereg_mr(struct vrbq_request *request, uint64_t wr_id, struct ibv_mr *mr);

/* vrbq_submit(3) */
int vrbq_submit(struct vrbq *vrbq, const struct vrbq_request *requests, int n);
int vrbq_reap(struct vrbq *vrbq, struct vrbq_completion *completions, int n);
int vrbq_cancel(struct vrbq *vrbq, uint64_t wr_id);
int vrbq_destroy_qp(struct vrbq *vrbq, struct ibv_qp *qp, uint64_t wr_id);

#ifdef __cplusplus
}
#endif

#endif /* INFINIBAND_VRBQ_H */
