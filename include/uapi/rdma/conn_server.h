/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The wire protocol of the connection servers, ib_wq_server and ib_softirq_server.
 *
 * A message has 64 bytes and is sent as a UD datagram, to the server's QP and back. The client
 * sends %CONN_CONNECT with the number of its RC QP. The server creates an RC QP, moves it to RTS,
 * and answers %CONN_CONNECTED with its number and with memory that the client may read and write.
 * At the end the client sends %CONN_DISCONNECT. The server answers %CONN_DISCONNECTED when it has
 * released everything.
 *
 * Datagrams may be lost: the client repeats a request until it is answered, and the server answers
 * a repeated request like the first one. A connection is identified by the sender's LID and GID (0
 * without a GRH), its UD QP and the cookie. From time to time the server probes the connection with
 * an RDMA write of no bytes, which the client's QP must allow, and destroys a connection whose peer
 * does not answer. The first probe comes some seconds after the server's answer, because a client
 * that has not received the answer is not ready, and a failed probe ends the QP.
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
	CONN_BAD_REQUEST,	/* the client must not repeat it */
	CONN_BUSY,		/* too many connections, or another UD QP has one of this RC QP */
	CONN_FAILED,		/* no memory, or a verb has failed */
};

/*
 * Members that a direction does not use are 0. In a request qpn, psn, mtu, lid and, with a GRH, gid
 * are the client's; a disconnect has only the cookie. In an answer qpn and psn are the server's,
 * and rkey, address and length describe the memory.
 */
struct conn_msg {
	__be32 magic;
	__u8 version;
	__u8 type;
	__u8 status;
	__u8 mtu;		/* enum ib_mtu */
	__be64 cookie;
	__be32 qpn;		/* 24 bits, of the RC QP */
	__be32 psn;		/* 24 bits: PSN of the first packet that this QP sends */
	__be16 lid;
	__be16 reserved;
	__be32 rkey;
	__be64 address;
	__be32 length;
	__be32 reserved2;
	__u8 gid[16];
};

#endif /* RDMA_CONN_SERVER_H */
