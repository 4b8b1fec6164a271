/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Asynchronous verbs for programs: the verb queue of ib_tavor.
 *
 * A verb queue is a file descriptor. A program submits requests on the queue pairs of its context
 * and continues; read() returns completions, and poll() and epoll wait for them. The methods are
 * called with RDMA_VERBS_IOCTL on the command file descriptor of the context (&ibv_context.cmd_fd),
 * with driver_id %RDMA_DRIVER_MTHCA:
 *
 *	VRB_OBJECT_QUEUE
 *		VRB_METHOD_QUEUE_QUERY	get operations and limits; needs no queue
 *		VRB_METHOD_QUEUE_CREATE	create a queue
 *		VRB_METHOD_QUEUE_SUBMIT	submit up to 256 requests
 *		VRB_METHOD_QUEUE_CANCEL	cancel a request
 *
 * There is no destroy method: the last close() of the file descriptor destroys the queue.
 *
 * On a device without verb queues each method fails: with EPROTONOSUPPORT if the driver has this
 * driver_id, as ib_mthca does, and with EINVAL if it has another one.
 * Documentation/verb-queue.rst describes the behaviour.
 *
 * New members are added at the end of structures. %VRB_ABI_REVISION is raised when a structure
 * grows or anything is added; existing members keep their offset and their meaning.
 */
#ifndef RDMA_VRB_ABI_H
#define RDMA_VRB_ABI_H

#include <linux/types.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>

#define VRB_ABI_REVISION	1

/* The limits of revision 1; VRB_METHOD_QUEUE_QUERY returns those of the running kernel. */
#define VRB_QUEUE_MAX_DEPTH	4096
#define VRB_QUEUE_MAX_BATCH	256

enum vrb_objects {
	VRB_OBJECT_QUEUE = (1U << UVERBS_ID_NS_SHIFT),
};

enum vrb_queue_methods {
	VRB_METHOD_QUEUE_QUERY = (1U << UVERBS_ID_NS_SHIFT),
	VRB_METHOD_QUEUE_CREATE,
	VRB_METHOD_QUEUE_SUBMIT,
	VRB_METHOD_QUEUE_CANCEL,
};

/**
 * enum vrb_queue_query_attrs - attributes of VRB_METHOD_QUEUE_QUERY
 * @VRB_ATTR_QUEUE_QUERY_CAPS: pointer, out: struct vrb_queue_caps, at least 4 bytes. A shorter
 *	buffer gets the beginning; the rest of a longer one is set to 0. Mandatory
 */
enum vrb_queue_query_attrs {
	VRB_ATTR_QUEUE_QUERY_CAPS = (1U << UVERBS_ID_NS_SHIFT),
};

/**
 * enum vrb_queue_create_attrs - attributes of VRB_METHOD_QUEUE_CREATE
 * @VRB_ATTR_QUEUE_CREATE_FD: file descriptor, new: the queue. It is close-on-exec and blocking;
 *	fcntl() can set O_NONBLOCK. Mandatory
 * @VRB_ATTR_QUEUE_CREATE_ATTR: pointer, in: struct vrb_queue_attr. Mandatory
 *
 * Errors: EINVAL depth or size out of range; EOPNOTSUPP the structure is longer than the kernel
 * knows and the rest of it is not 0; ENOMEM no memory, or more than the process's memory control
 * group allows; EMFILE no file descriptor; EIO the device was removed or has failed.
 */
enum vrb_queue_create_attrs {
	VRB_ATTR_QUEUE_CREATE_FD = (1U << UVERBS_ID_NS_SHIFT),
	VRB_ATTR_QUEUE_CREATE_ATTR,
};

/**
 * enum vrb_queue_submit_attrs - attributes of VRB_METHOD_QUEUE_SUBMIT
 * @VRB_ATTR_QUEUE_SUBMIT_FD: file descriptor: the queue. Mandatory
 * @VRB_ATTR_QUEUE_SUBMIT_REQUESTS: pointer, in: an array of n struct vrb_queue_request. The length
 *	divided by n is the size of one, which is at least that of revision 1 and a multiple of 8.
 *	The part that the kernel does not know must be 0. An attribute of uverbs has at most 65535
 *	bytes, so fewer of longer requests fit into a call. Mandatory
 * @VRB_ATTR_QUEUE_SUBMIT_QPS: array of 1 .. %VRB_QUEUE_MAX_BATCH handles (&ibv_qp.handle): the i-th
 *	is that of the QP of the i-th request. A handle may occur more than once. As in all arrays
 *	of uverbs, one or two handles are passed in &ib_uverbs_attr.data itself. Mandatory
 * @VRB_ATTR_QUEUE_SUBMIT_ACCEPTED: pointer, out: u32, the number of accepted requests, 1 .. n,
 *	which are the first ones. Less than n: the queue is full. Mandatory
 *
 * Each accepted request completes exactly once, and read() returns the completion. An error in the
 * attributes or the operation of one request is the status of its completion, not an error of the
 * call.
 *
 * If the call fails, no request has been accepted. Errors: EAGAIN the queue is full; EBADF the file
 * descriptor is not a verb queue, or is one of another context; ENOENT a handle does not exist;
 * EINVAL a handle is not that of a QP, or the length of the requests is wrong; EBUSY a QP is being
 * destroyed; EOPNOTSUPP a request is longer than the kernel knows and the rest of it is not 0;
 * EFAULT; ENOMEM; EIO the device was removed.
 */
enum vrb_queue_submit_attrs {
	VRB_ATTR_QUEUE_SUBMIT_FD = (1U << UVERBS_ID_NS_SHIFT),
	VRB_ATTR_QUEUE_SUBMIT_REQUESTS,
	VRB_ATTR_QUEUE_SUBMIT_QPS,
	VRB_ATTR_QUEUE_SUBMIT_ACCEPTED,
};

/**
 * enum vrb_queue_cancel_attrs - attributes of VRB_METHOD_QUEUE_CANCEL
 * @VRB_ATTR_QUEUE_CANCEL_FD: file descriptor: the queue. Mandatory
 * @VRB_ATTR_QUEUE_CANCEL_USER_DATA: u64, in, inline: &vrb_queue_request.user_data of a request. If
 *	several outstanding requests have this value, the one submitted last is cancelled. Mandatory
 *
 * 0: the request had not been issued, and has completed or will complete with ECANCELED. Errors:
 * EALREADY the request has been issued, and completes with its own result; ENOENT no outstanding
 * request has this user_data; EBADF, EIO as for a submit.
 */
enum vrb_queue_cancel_attrs {
	VRB_ATTR_QUEUE_CANCEL_FD = (1U << UVERBS_ID_NS_SHIFT),
	VRB_ATTR_QUEUE_CANCEL_USER_DATA,
};

/**
 * enum vrb_queue_op - the operations
 * @VRB_QUEUE_OP_MODIFY: one transition, as ibv_modify_qp(): &vrb_queue_request.attr with its
 *	qp_attr_mask (enum ibv_qp_attr_mask)
 * @VRB_QUEUE_OP_CONNECT: from RESET, INIT or RTR to &ib_uverbs_qp_attr.qp_state, which is RTR or
 *	RTS. attr and qp_attr_mask have STATE and the attributes of all transitions that remain
 *	to be made. They may also have those of a transition that the QP has already made, all of
 *	them; other attributes are refused. An RC QP needs for INIT: PKEY_INDEX, PORT and
 *	ACCESS_FLAGS; for RTR: AV, PATH_MTU, DEST_QPN, RQ_PSN, MAX_DEST_RD_ATOMIC and
 *	MIN_RNR_TIMER; for RTS: TIMEOUT, RETRY_CNT, RNR_RETRY, SQ_PSN and MAX_QP_RD_ATOMIC. A UC
 *	QP needs the same without MAX_DEST_RD_ATOMIC, MIN_RNR_TIMER, TIMEOUT, RETRY_CNT,
 *	RNR_RETRY and MAX_QP_RD_ATOMIC. A UD QP needs for INIT: PKEY_INDEX, PORT and QKEY; for
 *	RTR: none; for RTS: SQ_PSN. A transition that the QP has already made is skipped; PORT and
 *	PKEY_INDEX must then be the QP's. If the attributes of another transition are missing or are
 *	refused, the request fails at that transition
 * @VRB_QUEUE_OP_RESET: to RESET, from any state. attr must be 0
 * @VRB_QUEUE_OP_QUIESCE: the last request on a QP before ibv_destroy_qp(). It moves the QP to
 *	RESET, and invalidates the memory region of its rings unless another queue uses that region
 *	too. Afterwards neither the destroy of the QP nor the deregistration of that region issues a
 *	command. A query and a modify to RESET, which changes nothing, still succeed; every other
 *	request fails with ESHUTDOWN. While the QP is attached to a multicast group, and so cannot
 *	be destroyed, a quiesce fails with EBUSY and changes nothing. attr must be 0
 * @VRB_QUEUE_OP_QUERY: queries the QP, as ibv_query_qp(): the attributes and capacities are attr of
 *	the completion. attr of the request must be 0
 *
 * With any other value the status is EOPNOTSUPP. There are no operations for multicast groups and
 * for the size of a CQ, because libraries keep records of their own about these.
 */
enum vrb_queue_op {
	VRB_QUEUE_OP_MODIFY = 1,
	VRB_QUEUE_OP_CONNECT,
	VRB_QUEUE_OP_RESET,
	VRB_QUEUE_OP_QUIESCE,
	VRB_QUEUE_OP_QUERY,
};

/**
 * struct vrb_queue_caps - what VRB_METHOD_QUEUE_QUERY returns
 * @revision: %VRB_ABI_REVISION of the kernel
 * @ops: bit n is set if the kernel has operation n of enum vrb_queue_op
 * @max_depth: of a queue, requests
 * @max_batch: of a submit, requests
 * @request_size: of struct vrb_queue_request as the kernel knows it, bytes
 * @completion_size: of struct vrb_queue_completion as the kernel knows it, bytes
 * @slots: number of firmware commands that all processes together can have outstanding; one process
 *	may use all of them while no other needs one, and otherwise gets an equal share, however
 *	many contexts it has. The slots for teardown and for the kernel are not included
 * @reserved: 0
 */
struct vrb_queue_caps {
	__u32 revision;
	__u32 max_depth;
	__aligned_u64 ops;
	__u32 max_batch;
	__u32 request_size;
	__u32 completion_size;
	__u32 slots;
	__u32 reserved[8];
};

/**
 * struct vrb_queue_attr - the attributes of a new queue
 * @depth: 1 .. &vrb_queue_caps.max_depth: the number of requests that can be accepted before their
 *	completions have been read. All memory is allocated at the create
 * @completion_size: size in bytes of the completions that read() returns: that of the program's
 *	struct vrb_queue_completion, at most &vrb_queue_caps.completion_size. Revision 1 has one
 *	size only
 * @flags: 0
 * @reserved: 0
 */
struct vrb_queue_attr {
	__u32 depth;
	__u32 completion_size;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct vrb_queue_request - one request
 * @user_data: returned in the completion; the kernel uses it only to find the request for a cancel
 * @op: enum vrb_queue_op
 * @flags: 0
 * @attr: see enum vrb_queue_op; members that its qp_attr_mask does not name are ignored, except
 *	that reserved members must be 0, also those of both paths
 */
struct vrb_queue_request {
	__aligned_u64 user_data;
	__u32 op;
	__u32 flags;
	struct ib_uverbs_qp_attr attr;
};

/**
 * struct vrb_queue_completion - the result of one request
 * @user_data: of the request
 * @status: 0, or a positive errno: that of the synchronous call, or ECANCELED cancelled, by a
 *	cancel or because the QP was destroyed; EOPNOTSUPP no such operation; EINVAL flags or
 *	reserved members that are not 0; ESHUTDOWN the QP has been quiesced; EBUSY a quiesce of a QP
 *	in a multicast group, or too many QPs wait for the registration of the region of their
 *	rings; EIO the device has failed; ETIMEDOUT the command timed out; EUCLEAN an earlier
 *	command on the QP timed out
 * @op: of the request
 * @qp_state: enum ibv_qp_state of the QP when the request completed, with any status
 * @step: on failure the step that failed: of a connect 0 to INIT, 1 to RTR, 2 to RTS; of a quiesce
 *	the number of its step; of other operations 0
 * @qp_num: number of the QP
 * @reserved: 0
 * @attr: of a query; otherwise 0
 *
 * read() returns as many of these as there are and as fit into the buffer, in the order in which
 * the requests have completed. Errors: EAGAIN there is none and the file descriptor is
 * non-blocking; EINVAL the buffer is too small for one; EIO the device was removed or the context
 * was closed: nothing completes any more, and the program must regard outstanding requests as
 * failed; EINTR; EFAULT, also if the buffer disappears again and again: no completion is lost.
 * poll() and epoll report POLLIN if a completion can be read, and POLLIN | POLLHUP | POLLRDHUP once
 * read() fails with EIO.
 */
struct vrb_queue_completion {
	__aligned_u64 user_data;
	__u32 status;
	__u32 op;
	__u32 qp_state;
	__u32 step;
	__u32 qp_num;
	__u32 reserved;
	struct ib_uverbs_qp_attr attr;
};

#endif /* RDMA_VRB_ABI_H */
