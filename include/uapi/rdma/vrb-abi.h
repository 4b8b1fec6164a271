/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Asynchronous verbs for programs: the verb queue of ib_tavor.
 *
 * A verb queue is a file descriptor. A program submits requests on the queue pairs of its context
 * and goes on; read() returns what has completed, and poll() and epoll wait for it. The methods are
 * those of RDMA_VERBS_IOCTL on the command file descriptor of the context (&ibv_context.cmd_fd),
 * with driver_id %RDMA_DRIVER_MTHCA:
 *
 *	VRB_OBJECT_QUEUE
 *		VRB_METHOD_QUEUE_QUERY	what there is; needs no queue
 *		VRB_METHOD_QUEUE_CREATE	a queue
 *		VRB_METHOD_QUEUE_SUBMIT	up to 256 requests
 *		VRB_METHOD_QUEUE_CANCEL	take one back
 *
 * There is no destroy method: the queue goes with the last close of its file descriptor.
 *
 * A device without verb queues answers every method with EPROTONOSUPPORT.
 * Documentation/verb-queue.rst says what is promised.
 *
 * Structures grow at their end. %VRB_ABI_REVISION is raised when one has grown or something has
 * been added; what was there before keeps its place and its meaning.
 */
#ifndef RDMA_VRB_ABI_H
#define RDMA_VRB_ABI_H

#include <linux/types.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>

#define VRB_ABI_REVISION	1

/* The limits of revision 1; VRB_METHOD_QUEUE_QUERY has those of the kernel that runs. */
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
 * @VRB_ATTR_QUEUE_QUERY_CAPS: pointer, out: struct vrb_queue_caps. A shorter one gets its
 *	beginning, of a longer one the rest is set to 0. Mandatory
 */
enum vrb_queue_query_attrs {
	VRB_ATTR_QUEUE_QUERY_CAPS = (1U << UVERBS_ID_NS_SHIFT),
};

/**
 * enum vrb_queue_create_attrs - attributes of VRB_METHOD_QUEUE_CREATE
 * @VRB_ATTR_QUEUE_CREATE_FD: file descriptor, new: the queue. It is close-on-exec and blocks;
 *	fcntl() sets O_NONBLOCK. Mandatory
 * @VRB_ATTR_QUEUE_CREATE_ATTR: pointer, in: struct vrb_queue_attr. Mandatory
 *
 * Errors: EINVAL a depth or a size that is not offered; ENOMEM no memory, or more than the
 * process's memory control group allows; EMFILE no file descriptor; EIO the device has gone or has
 * failed.
 */
enum vrb_queue_create_attrs {
	VRB_ATTR_QUEUE_CREATE_FD = (1U << UVERBS_ID_NS_SHIFT),
	VRB_ATTR_QUEUE_CREATE_ATTR,
};

/**
 * enum vrb_queue_submit_attrs - attributes of VRB_METHOD_QUEUE_SUBMIT
 * @VRB_ATTR_QUEUE_SUBMIT_FD: file descriptor: the queue. Mandatory
 * @VRB_ATTR_QUEUE_SUBMIT_REQUESTS: pointer, in: n struct vrb_queue_request one after the other.
 *	The length is n times the size of one, and thereby says what that is: at least that of
 *	revision 1, a multiple of 8; what the kernel does not know of it must be 0. An attribute of
 *	uverbs has at most 65535 bytes: of longer requests fewer fit in a call. Mandatory
 * @VRB_ATTR_QUEUE_SUBMIT_QPS: array of handles (&ibv_qp.handle): the i-th is that of the QP of the
 *	i-th request, 1 .. %VRB_QUEUE_MAX_BATCH of them; the same one may come more than once.
 *	As uverbs has it, one or two of them lie in &ib_uverbs_attr.data itself. Mandatory
 * @VRB_ATTR_QUEUE_SUBMIT_ACCEPTED: pointer, out: u32, how many were accepted: 1 .. n, the first
 *	ones. Less than n: the queue is full. Mandatory
 *
 * Each accepted request completes exactly once, and read() returns that. What is wrong with one
 * request, its attributes or its operation, is the status of its completion, and no error of the
 * call.
 *
 * Errors, and then nothing has been accepted: EAGAIN the queue is full; EBADF the file descriptor
 * is no verb queue, or is one of another context; ENOENT a handle that there is not; EINVAL the
 * handle of something else than a QP, or the length of the requests; EBUSY a QP that is being
 * destroyed; EOPNOTSUPP a request is longer than the kernel knows and the rest of it is not 0;
 * EFAULT; ENOMEM; EIO the device has gone.
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
 *	several that have not completed have it, the one submitted last is meant. Mandatory
 *
 * 0: the request had not been issued and has completed, or is going to, with ECANCELED.
 * Errors: EALREADY the request has been issued, and completes with its own result; ENOENT there is
 * none with this user_data that has not completed; EBADF, EIO as for a submit.
 */
enum vrb_queue_cancel_attrs {
	VRB_ATTR_QUEUE_CANCEL_FD = (1U << UVERBS_ID_NS_SHIFT),
	VRB_ATTR_QUEUE_CANCEL_USER_DATA,
};

/**
 * enum vrb_queue_op - what can be asked for
 * @VRB_QUEUE_OP_MODIFY: one transition, as ibv_modify_qp() makes it: &vrb_queue_request.attr with
 *	its qp_attr_mask (enum ibv_qp_attr_mask)
 * @VRB_QUEUE_OP_CONNECT: from RESET, INIT or RTR to &ib_uverbs_qp_attr.qp_state, which is RTR or
 *	RTS. attr has what all the transitions need that are yet to be made, as the type of the QP
 *	has it, and qp_attr_mask says so: of RC for INIT PKEY_INDEX, PORT and ACCESS_FLAGS; for
 *	RTR AV, PATH_MTU, DEST_QPN, RQ_PSN, MAX_DEST_RD_ATOMIC and MIN_RNR_TIMER; for RTS TIMEOUT,
 *	RETRY_CNT, RNR_RETRY, SQ_PSN and MAX_QP_RD_ATOMIC. Of UC without MAX_DEST_RD_ATOMIC,
 *	MIN_RNR_TIMER, TIMEOUT, RETRY_CNT, RNR_RETRY and MAX_QP_RD_ATOMIC. Of UD for INIT
 *	PKEY_INDEX, PORT and QKEY, for RTR nothing, for RTS SQ_PSN. STATE is given always, and
 *	nothing else is. A transition that the QP has behind it is passed over, whatever was given
 *	for it; of one that is to be made all is given, or the request fails there
 * @VRB_QUEUE_OP_RESET: to RESET, from wherever the QP is. attr is all 0
 * @VRB_QUEUE_OP_QUIESCE: the last request on a QP before ibv_destroy_qp(): to RESET, and the memory
 *	region of its rings is taken from the hardware unless another queue lies in it too. After
 *	that neither the destroy of the QP nor the deregistration of that region issues a command.
 *	Every transition that is asked for afterwards fails with ESHUTDOWN. attr is all 0
 * @VRB_QUEUE_OP_QUERY: what the hardware knows of the QP, as ibv_query_qp(): attr of the
 *	completion, with the capacities. attr of the request is all 0
 *
 * To other values the status is EOPNOTSUPP. Multicast groups and the size of a CQ are not here:
 * for these the libraries keep books of their own.
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
 * @ops: bit n is set if operation n of enum vrb_queue_op is there
 * @max_depth: of a queue, requests
 * @max_batch: of a submit, requests
 * @request_size: of struct vrb_queue_request as the kernel knows it, bytes
 * @completion_size: of struct vrb_queue_completion as the kernel knows it, bytes
 * @slots: firmware commands that all processes together can have outstanding, and that one alone
 *	may have if no other wants one; one for teardown and one for the kernel are not in it
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
 * struct vrb_queue_attr - a queue as VRB_METHOD_QUEUE_CREATE makes it
 * @depth: 1 .. &vrb_queue_caps.max_depth: requests that have been accepted and whose completion has
 *	not been read yet. All memory is allocated now
 * @completion_size: bytes of a completion as read() returns it: that of struct
 *	vrb_queue_completion as the program knows it, which the kernel knows too: at most
 *	&vrb_queue_caps.completion_size. In revision 1 only that
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
 * @user_data: comes back in the completion; the kernel makes nothing of it but to find the request
 *	for a cancel
 * @op: enum vrb_queue_op
 * @flags: 0
 * @attr: see enum vrb_queue_op; of what its qp_attr_mask does not name nothing is looked at, but
 *	reserved, which is 0
 */
struct vrb_queue_request {
	__aligned_u64 user_data;
	__u32 op;
	__u32 flags;
	struct ib_uverbs_qp_attr attr;
};

/**
 * struct vrb_queue_completion - what became of one request
 * @user_data: of the request
 * @status: 0, or a positive errno: what the synchronous call would have failed with. Besides:
 *	ECANCELED taken back, by a cancel or because the QP was destroyed; EOPNOTSUPP no such
 *	operation; EINVAL flags or reserved fields that are not 0; ESHUTDOWN the QP has been
 *	quiesced; EIO the device has failed; ETIMEDOUT the firmware has not answered; EUCLEAN it has
 *	not answered an earlier command on the QP
 * @op: of the request
 * @qp_state: enum ibv_qp_state that the QP was in when the request was over, whatever the status
 * @step: on failure the step that failed. Of a connect: 0 to INIT, 1 to RTR, 2 to RTS. Of others 0,
 *	or, of a quiesce, what it did
 * @qp_num: number of the QP
 * @reserved: 0
 * @attr: of a query; 0 else
 *
 * read() returns as many of these as there are and have room, in the order in which the requests
 * have completed. Errors: EAGAIN there is none and the file descriptor does not block; EINVAL no
 * room for one; EIO the device has gone, or the context was closed: nothing completes any more, and
 * what was outstanding did not succeed as far as the program can know; EINTR; EFAULT, and nothing
 * is lost. poll() and epoll report POLLIN if there is one to be read; and
 * POLLIN | POLLHUP | POLLRDHUP once read() answers EIO.
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
