/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * libvrbq: control verbs that do not wait. The program submits requests, continues, and reaps their
 * completions when a file descriptor becomes readable. See vrbq(7).
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
 * enum vrbq_backend - what executes the requests
 * @VRBQ_BACKEND_ANY: for vrbq_create(): the verb queue if the device has one that this library can
 *	use, otherwise threads
 * @VRBQ_BACKEND_THREADS: threads of the library, which call libibverbs; works on every device
 * @VRBQ_BACKEND_VERB_QUEUE: the driver's verb queue: no thread waits for the device
 */
enum vrbq_backend {
	VRBQ_BACKEND_ANY,
	VRBQ_BACKEND_THREADS,
	VRBQ_BACKEND_VERB_QUEUE,
};

/**
 * struct vrbq_attr - attributes of a queue, for vrbq_create()
 * @comp_mask: 0
 * @backend: enum vrbq_backend
 * @depth: maximum number of requests that are submitted and not reaped yet, 1 .. VRBQ_MAX_DEPTH
 * @max_threads: maximum number of threads, 1 .. VRBQ_MAX_THREADS; 0: the library's default
 */
struct vrbq_attr {
	uint32_t comp_mask;
	uint32_t backend;
	uint32_t depth;
	uint32_t max_threads;
};

/**
 * struct vrbq_info - result of vrbq_query()
 * @backend: enum vrbq_backend, never VRBQ_BACKEND_ANY
 * @depth: as created
 * @outstanding: requests that are submitted and not reaped yet
 * @max_threads: maximum number of threads
 * @threads: current number of threads
 * @slots: firmware commands that all processes together may have outstanding; 0: not known
 * @revision: revision of the driver's interface; 0: it has none, or was not queried. If it is not 0
 *	and the backend is threads, this library cannot use the driver's interface
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

/**
 * enum vrbq_op - the operation of a request
 * @VRBQ_OP_MODIFY_QP: one transition of a queue pair
 * @VRBQ_OP_CONNECT_QP: all transitions of a queue pair to RTR or RTS
 * @VRBQ_OP_RESET_QP: the transition of a queue pair to RESET
 * @VRBQ_OP_QUIESCE_QP: the last transition of a queue pair before ibv_destroy_qp(), to RESET
 * @VRBQ_OP_QUERY_QP: as ibv_query_qp()
 * @VRBQ_OP_DESTROY_QP: quiesces and destroys a queue pair
 * @VRBQ_OP_CREATE_QP: as ibv_create_qp()
 * @VRBQ_OP_CREATE_CQ: as ibv_create_cq()
 * @VRBQ_OP_REG_MR: as ibv_reg_mr()
 * @VRBQ_OP_DEREG_MR: as ibv_dereg_mr()
 *
 * For each operation there is a function of vrbq_prep(3), which says more.
 */
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
 * struct vrbq_request - one request
 * @wr_id: is returned in the completion, and identifies the request for vrbq_cancel()
 * @op: enum vrbq_op
 * @flags: 0
 *
 * A function of vrbq_prep(3) fills the structure, including the object and the arguments of the
 * operation, which are not listed here. vrbq_submit() copies it.
 */
struct vrbq_request {
	uint64_t wr_id;
	uint32_t op;
	uint32_t flags;
	/* private: the object and the arguments */
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
 * struct vrbq_completion - the completion of a request
 * @wr_id: of the request
 * @op: of the request
 * @status: 0, or an errno: the error of the synchronous call; ECANCELED if vrbq_cancel() or the
 *	destruction of the QP cancelled the request; EIO if the device has failed or was removed
 * @step: of a connect, the transition that failed: 0 to INIT, 1 to RTR, 2 to RTS
 * @qp_state: enum ibv_qp_state, the state of the QP; for requests on a QP other than destroy
 * @object: the address of the QP, CQ or MR below
 * @qp: the QP of the request, or the one created; after a destroy it only identifies the QP
 * @cq: the CQ created
 * @mr: the MR registered; after a dereg_mr it only identifies the MR
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
	/* private: */
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
