/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The wire protocol of the connection servers, ib_wq_server and ib_softirq_server.
 *
 * One message of 64 bytes, in a UD datagram to the server's QP and back. The client sends
 * %CONN_CONNECT with its RC QP; the server makes an RC QP of its own, takes it to RTS and answers
 * %CONN_CONNECTED with that and with memory that the client may read and write. The client sends
 * %CONN_DISCONNECT when it is through, and is answered %CONN_DISCONNECTED when the server has
 * given everything back.
 *
 * Datagrams get lost: the client repeats a request until it is answered, and the server answers a
 * repeated one like the first. A connection is known by the sender's LID and GID (0 without a GRH),
 * its UD QP and the cookie.
 * The server tries the connection from time to time, with an RDMA write of no bytes that the
 * client's QP has to allow, and takes one down that does not answer. It begins some seconds after
 * its answer: a client that has not got that is not ready, and an attempt that fails ends the QP.
 */
#ifndef RDMA_CONN_SERVER_H
#define RDMA_CONN_SERVER_H

#include <linux/types.h>

#define CONN_MAGIC	0x76726273
#define CONN_VERSION	1
#define CONN_QKEY	0x13571357

/* &conn_msg.type */
enum {
	CONN_CONNECT = 1,
	CONN_CONNECTED,
	CONN_DISCONNECT,
	CONN_DISCONNECTED,
	CONN_REFUSED,
};

/* &conn_msg.status of an answer */
enum {
	CONN_OK,
	CONN_BAD_REQUEST,	/* never worth repeating */
	CONN_BUSY,		/* as many connections as there may be */
	CONN_FAILED,		/* no memory, or the HCA refuses */
};

/*
 * What a direction does not use is 0. Of a request: qpn, psn, mtu, lid and, with a GRH, gid are the
 * client's; a disconnect has the cookie only. Of an answer: qpn, psn are the server's, rkey,
 * address and length name the memory.
 */
struct conn_msg {
	__be32 magic;
	__u8 version;
	__u8 type;
	__u8 status;
	__u8 mtu;		/* enum ib_mtu */
	__be64 cookie;
	__be32 qpn;		/* 24 bits, of the RC QP */
	__be32 psn;		/* 24 bits: the first that its owner sends */
	__be16 lid;
	__be16 reserved;
	__be32 rkey;
	__be64 address;
	__be32 length;
	__be32 reserved2;
	__u8 gid[16];
};

#endif /* RDMA_CONN_SERVER_H */
