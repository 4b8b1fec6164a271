/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Declarations that the fabric side shares: nodes, their ports, and the agents of the ports. A node
 * is the HCA or a modelled switch; both have the same ports, the same PortInfo rules and the same
 * counters.
 *
 *	port.c	the HCA's node, and the port_*() functions
 *	port_cmd.c	INIT_IB, CLOSE_IB, SET_IB
 *	ibport.c	one port: state machine, GIDs, counters
 *	mad_ifc.c	MAD_IFC
 *	mad.c	classes, versions, methods, M_Key
 *	sma.c, portinfo.c, sma_tables.c	subnet management attributes
 *	pma.c	performance management attributes
 *	trap.c	notices that the node sends by itself
 *	arrivals.c	packets that have arrived at a port
 *	wire.c	links, and the packets on them
 *	packet_fault.c	faults of packets
 *	cables.c	the connections between ports
 *	switch_tables.c	SwitchInfo and the forwarding tables
 *	switch.c	a switch
 */
#ifndef HCA_PORT_H
#define HCA_PORT_H

#include "core/hca.h"
#include "device/cmd.h"
#include "fabric/packet.h"

#define PORT_GIDS 32u
#define PORT_PKEYS 64u
#define PORT_VLARB 8u /* entries of each arbitration table */
#define NODE_MAX_PORTS 36u

#define LID_PERMISSIVE 0xffffu
#define LID_MULTICAST 0xc000u

#define DEFAULT_GID_PREFIX 0xfe80000000000000ULL

enum port_state { PORT_DOWN = 1, PORT_INIT = 2, PORT_ARMED = 3, PORT_ACTIVE = 4 };

enum phys_state {
	PHYS_SLEEP = 1,
	PHYS_POLLING = 2,
	PHYS_DISABLED = 3,
	PHYS_TRAINING = 4,
	PHYS_LINKUP = 5,
};

enum node_type { NODE_CA = 1, NODE_SWITCH = 2 };

/* Bits of the capability mask of PortInfo */
#define CAP_IS_SM (1u << 1)
#define CAP_TRAP (1u << 3)
#define CAP_APM (1u << 5)
#define CAP_SL_MAPPING (1u << 6)
#define CAP_LED (1u << 9)
#define CAP_SYS_GUID (1u << 11)
#define CAP_CM (1u << 16)
#define CAP_MASK_NOTICE (1u << 22)
#define CAP_CLIENT_REREG (1u << 25)

/* The order is that of the CounterSelect bits of PortCounters. */
enum port_counter {
	CNT_SYMBOL,
	CNT_RECOVERY,
	CNT_DOWNED,
	CNT_RCV_ERR,
	CNT_RCV_REMOTE,
	CNT_RCV_RELAY,
	CNT_XMIT_DISCARD,
	CNT_XMIT_CONSTRAINT,
	CNT_RCV_CONSTRAINT,
	CNT_INTEGRITY,
	CNT_OVERRUN,
	CNT_VL15_DROPPED,
	CNT_XMIT_DATA,
	CNT_RCV_DATA,
	CNT_XMIT_PKTS,
	CNT_RCV_PKTS,
	CNT_XMIT_WAIT,
	CNT_COUNT
};

/* A port repeats a trap until the subnet manager represses it; one of each kind at a time. */
enum trap_kind { TRAP_CAP_MASK, TRAP_MKEY, TRAP_PKEY, TRAP_QKEY, TRAP_LINK_STATE, TRAP_KINDS };

struct trap {
	bool active;
	u64 tid;
	u8 notice[64];
};

/* PortSamplesControl, and the result that it collects (pma.c) */
struct sampler {
	u8 status; /* 0 done, 1 running, 2 waiting for the start */
	u8 tick;
	u16 tag;
	u32 start, interval;
	u16 select[15];
	u64 base[15];
	u32 result[15];
	struct hca_timer timer;
};

struct ibnode;
struct ibswitch;
struct cable;

struct ibport {
	struct ibnode *node;
	u8 num;

	/* link */
	bool powered; /* after INIT_IB; always true for the ports of a switch */
	enum port_state state;
	enum phys_state phys;
	enum phys_state down_default;
	u8 width_cap, width_enabled, width_active;
	u8 speed_cap, speed_enabled, speed_active;
	struct cable *cable;
	u8 end; /* which end of @cable */
	struct hca_timer bounce_timer;
	struct packet *rx_head, *rx_tail;
	struct hca_work rx_work;

	/* set by a subnet manager */
	u16 lid, sm_lid;
	u8 lmc, sm_sl;
	u64 mkey;
	u16 mkey_lease;
	u8 mkey_protect;
	struct hca_timer lease_timer;
	u64 gid_prefix;
	u8 mtu_cap, neighbor_mtu;
	u8 vl_cap, op_vls; /* IB codes: 1 = VL0 .. 4 = VL0-7 */
	u8 vl_high_limit, hoq_life, part_enforce, init_type;
	u8 subnet_timeout, error_thresholds;
	u32 cap_mask;
	bool led;
	u8 gid[PORT_GIDS][16];
	u16 pkey[PORT_PKEYS];
	u8 sl2vl[NODE_MAX_PORTS + 1][16]; /* by input port; an HCA has only [0] */
	u8 vlarb[2][PORT_VLARB][2];	  /* low, high: VL, weight */

	/* read by a subnet manager */
	u16 mkey_violations, pkey_violations, qkey_violations;
	u64 counter[CNT_COUNT];
	struct sampler sampler;

	struct trap trap[TRAP_KINDS];
	struct hca_timer trap_timer;
	u64 next_tid;
};

struct ibnode {
	enum node_type type;
	u8 num_ports;
	struct hca *h;	     /* NULL for a switch */
	struct ibswitch *sw; /* NULL for an HCA */
	char name[16];	     /* "0" for HCA 0, "s0" for a switch: as in the cable option */
	u64 sys_guid, node_guid;
	u16 device_id;
	u32 revision, vendor_id;
	char desc[64];
	u16 num_pkeys;
	/* The logical state of the port has changed from @from. */
	void (*state_changed)(struct ibport *p, enum port_state from);
	/* A packet has arrived through the cable or by loopback; takes ownership of it. */
	void (*rx)(struct ibport *p, struct packet *pkt);
	/* Sends a trap: the 256 bytes of a SubnTrap(Notice), including the header. */
	void (*send_trap)(struct ibport *p, const u8 mad[256]);
	struct ibport port[]; /* [0] is a switch's management port, unused in an HCA */
};

/* --- ibport.c --- */

struct ibnode *ibnode_new(enum node_type type, u8 num_ports);
void ibnode_free(struct ibnode *node);
void ibport_reset(struct ibport *p);
/* Changes the logical state; no other function does. */
void ibport_set_state(struct ibport *p, enum port_state to);
void ibport_set_prefix(struct ibport *p, u64 prefix);
void ibport_set_guid(struct ibport *p, unsigned int index, u64 guid);
void ibport_count(struct ibport *p, enum port_counter counter, u64 n);
/*
 * Returns the port that an attribute modifier selects, or NULL if there is none. On an HCA 0
 * selects the port of arrival.
 */
struct ibport *ibport_target(struct ibport *p, u32 num);
bool ibport_owns_lid(const struct ibport *p, u16 lid);
/* Returns a name for logs and rules: "port 0.1", "port s0.3". The buffer is static. */
const char *ibport_name(const struct ibport *p);

/* --- port.c --- */

/*
 * Sets the receiver of packets that are addressed to the port's HCA. It takes ownership of the
 * packet. @from_fw: the packet is a trap of the firmware itself, with source LID 0.
 */
typedef void port_receiver(struct hca *h, int port, struct packet *p, bool from_fw);
void port_set_receiver(port_receiver *fn);
/* Returns the port @num of the HCA, or NULL if there is none. */
struct ibport *hca_port(const struct hca *h, unsigned int num);
unsigned int hca_port_count(const struct hca *h);

/*
 * Sends a packet on the link of @port, and takes ownership of it. Loopback (own LID including the
 * LMC, own multicast groups), the cable or the switch determine its destination. Delivery is always
 * by deferred work, never inside this call. A packet is dropped silently if the link or the logical
 * state does not allow it: VL15 needs a link that is up, other VLs need ACTIVE.
 */
void port_tx(struct hca *h, int port, struct packet *p);

enum port_state port_state(const struct hca *h, int port);
u16 port_lid(const struct hca *h, int port);
u8 port_lmc(const struct hca *h, int port);
u8 port_mtu(const struct hca *h, int port);			  /* neighbour MTU, IB enum */
u16 port_pkey(const struct hca *h, int port, unsigned int index); /* 0 if out of range */
unsigned int port_pkey_count(const struct hca *h);
const u8 *port_gid(const struct hca *h, int port,
		   unsigned int index); /* 16 bytes; NULL if out of range */
unsigned int port_gid_count(const struct hca *h);
u8 port_sl2vl(const struct hca *h, int port, u8 sl);
void port_count_pkey_violation(struct hca *h, int port);
void port_count_qkey_violation(struct hca *h, int port);
void port_reset_all(struct hca *h); /* power-on state: link down until INIT_IB */

int port_new(struct hca *h);		  /* and SMA and PMA */
extern const struct cmd_desc port_cmds[]; /* port_cmd.c */

struct cJSON;
/* Adds "ports" for the control socket: state, LID, cable and counters. */
void port_objects(struct hca *h, struct cJSON *out);

/* --- mad.c --- */

enum mad_result { MAD_REPLY, MAD_NO_REPLY, MAD_DROP };

/* The source of a MAD, as far as it is known */
struct mad_source {
	bool ignore_mkey;
	bool known; /* the fields below are valid (extended MAD_IFC, or a packet) */
	u16 slid;
	u32 qpn, rqpn;
	u8 sl;
};

/* Offsets in a MAD. */
enum {
	MAD_BASE_VERSION = 0,
	MAD_CLASS = 1,
	MAD_CLASS_VERSION = 2,
	MAD_METHOD = 3,
	MAD_STATUS = 4,
	MAD_HOP_PTR = 6,
	MAD_HOP_CNT = 7,
	MAD_TID = 8,
	MAD_ATTR = 16,
	MAD_MOD = 20,
	MAD_MKEY = 24,
	MAD_DR_SLID = 32,
	MAD_DR_DLID = 34,
	MAD_DATA = 64,
	MAD_INITIAL_PATH = 128,
	MAD_RETURN_PATH = 192,
	MAD_SIZE = 256
};

enum mad_class {
	CLASS_SUBN_LID = 0x01,
	CLASS_PERF = 0x04,
	CLASS_VENDOR_9 = 0x09,
	CLASS_VENDOR_A = 0x0a,
	CLASS_SUBN_DIRECTED = 0x81
};

enum mad_method {
	METHOD_GET = 0x01,
	METHOD_SET = 0x02,
	METHOD_TRAP = 0x05,
	METHOD_REPRESS = 0x07,
	METHOD_RESP = 0x80
};

enum mad_status {
	MAD_OK = 0,
	MAD_BAD_VERSION = 1 << 2,
	MAD_BAD_METHOD = 2 << 2,
	MAD_BAD_ATTR = 3 << 2,
	MAD_BAD_VALUE = 7 << 2,
};

#define DR_DIRECTION 0x8000u /* D bit of the status word of a directed-route SMP */

/* Processes @in for the port of arrival. After MAD_REPLY the reply is in @out. */
enum mad_result mad_process(struct ibport *p, const struct mad_source *src, const u8 *in, u8 *out);

/* --- mad_ifc.c --- */

u8 mad_ifc(struct hca *h, struct cmd *c);
u16 mad_ifc_in_size(const struct cmd *c);

/* --- sma.c, portinfo.c, sma_tables.c, pma.c --- */

/* A request. @data are the 64 bytes of the attribute in the reply. */
struct smp {
	struct ibport *port; /* port of arrival */
	u32 mod;
	u8 *data;
	bool mkey_ok; /* the requester knows the M_Key, or there is none */
};

/* Executes the request in @out (a copy of it), replaces it by the reply, and returns the status. */
u16 sma_process(struct ibport *p, u8 *out, bool mkey_ok);
u16 pma_process(struct ibport *p, u8 *out);

u16 portinfo_get(struct smp *s);
u16 portinfo_set(struct smp *s);
u16 guidinfo_get(struct smp *s);
u16 guidinfo_set(struct smp *s);
u16 pkeys_get(struct smp *s);
u16 pkeys_set(struct smp *s);
u16 sl2vl_get(struct smp *s);
u16 sl2vl_set(struct smp *s);
u16 vlarb_get(struct smp *s);
u16 vlarb_set(struct smp *s);
void pma_reset(struct ibport *p);

/* --- trap.c --- */

void trap_init(struct ibport *p);
void trap_cap_mask(struct ibport *p, bool node_desc);
void trap_bad_mkey(struct ibport *p, const struct mad_source *src, const u8 *mad);
/* @headers: the headers of the offending packet from the LRH on; NULL if they are not available */
void trap_bad_key(struct ibport *p, enum trap_kind kind, const u8 *headers);
void trap_link_state(struct ibport *p);
/* Processes a SubnTrapRepress. */
void trap_repress(struct ibport *p, const u8 *mad);
void trap_stop(struct ibport *p);

/* --- arrivals.c --- */

/* Queues a packet that has arrived at the port, and takes ownership of it. */
void arrivals_add(struct ibport *p, struct packet *pkt);
/* Drops the packets that are queued for the port. */
void arrivals_flush(struct ibport *p);
/* Returns the headers of the packet that is being delivered, for traps; NULL outside delivery. */
const u8 *arrivals_current(void);

/* --- wire.c --- */

/* Trains or drops the link after a change of the port's power, physical state, width or speed. */
void wire_update(struct ibport *p);
/* Drops the link a little later, so that the reply is sent first, and trains it again. */
void wire_bounce(struct ibport *p);
struct ibport *wire_peer(const struct ibport *p);

/* --- mcast.c --- */

/* Calls @fn with the hardware QPN of each QP in the group @mgid. */
void mcast_for_each(struct hca *h, const u8 mgid[16], void (*fn)(struct hca *h, u32 qpn, void *arg),
		    void *arg);
int mcast_new(struct hca *h);
extern const struct cmd_desc mgm_cmds[]; /* READ_MGM, WRITE_MGM, MGID_HASH */

/* --- pcap.c --- */

int pcap_open(const char *path);
bool pcap_active(void);
void pcap_packet(const struct packet *pkt);
void pcap_close(void);

#endif
