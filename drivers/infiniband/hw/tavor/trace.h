/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What goes to the hardware and what comes from it: events/ib_tavor/. The requests that the
 * commands belong to are in events/ib_vrb/; the token of a command is the same in both.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ib_tavor

#if !defined(TAVOR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TAVOR_TRACE_H

#include <linux/tracepoint.h>

#include "hw_cmd.h"
#include "hw_eq.h"
#include "tavor.h"

#define TAVOR_TRACE_CMDS(X, LAST)						\
	X(SYS_EN) X(SYS_DIS) X(QUERY_DEV_LIM) X(QUERY_FW) X(QUERY_DDR)		\
	X(QUERY_ADAPTER) X(INIT_HCA) X(CLOSE_HCA) X(INIT_IB)			\
	X(CLOSE_IB) X(SET_IB) X(SW2HW_MPT) X(HW2SW_MPT) X(WRITE_MTT)		\
	X(MAP_EQ) X(SW2HW_EQ) X(HW2SW_EQ) X(SW2HW_CQ) X(HW2SW_CQ)		\
	X(QUERY_CQ) X(RST2INIT_QPEE) X(INIT2RTR_QPEE) X(RTR2RTS_QPEE)		\
	X(RTS2RTS_QPEE) X(SQERR2RTS_QPEE) X(2ERR_QPEE) X(RTS2SQD_QPEE)		\
	X(SQD2RTS_QPEE) X(ERR2RST_QPEE) X(QUERY_QPEE)				\
	X(CONF_SPECIAL_QP) X(MAD_IFC) X(READ_MGM) X(WRITE_MGM)			\
	X(MGID_HASH) X(RESIZE_CQ) X(INIT2INIT_QPEE) X(SYNC_TPT) X(NOP)		\
	X(SW2HW_SRQ) X(HW2SW_SRQ) X(QUERY_SRQ) X(SQD2SQD_QPEE)			\
	LAST(ARM_SRQ)

#define TAVOR_TRACE_EVENTS(X, LAST)						\
	X(COMP) X(PATH_MIG) X(COMM_EST) X(SQ_DRAINED) X(CQ_ERROR)		\
	X(WQ_CATAS) X(EEC_CATAS) X(PATH_MIG_FAILED) X(LOCAL_CATAS)		\
	X(PORT_CHANGE) X(CMD) X(ECC_DETECT) X(EQ_OVERFLOW)			\
	X(WQ_INVAL_REQ) X(WQ_ACCESS_ERR) X(SRQ_CATAS) X(SRQ_LAST_WQE)		\
	LAST(SRQ_LIMIT)

/* So that programs that read the raw trace know the numbers. */
#define TAVOR_CMD_ENUM(name)	TRACE_DEFINE_ENUM(TAVOR_CMD_##name);
#define TAVOR_EVENT_ENUM(name)	TRACE_DEFINE_ENUM(TAVOR_EVENT_##name);

TAVOR_TRACE_CMDS(TAVOR_CMD_ENUM, TAVOR_CMD_ENUM)
TAVOR_TRACE_EVENTS(TAVOR_EVENT_ENUM, TAVOR_EVENT_ENUM)

#define TAVOR_CMD_NAME(name)	{ TAVOR_CMD_##name, #name },
#define TAVOR_CMD_LAST(name)	{ TAVOR_CMD_##name, #name }
#define TAVOR_EVENT_NAME(name)	{ TAVOR_EVENT_##name, #name },
#define TAVOR_EVENT_LAST(name)	{ TAVOR_EVENT_##name, #name }

/* A command has been written to the register. */
TRACE_EVENT(tavor_cmd_post,
	    TP_PROTO(const struct tavor_dev *dev, const struct tavor_cmd_slot *cmd, u16 token),
	    TP_ARGS(dev, cmd, token),
	    TP_STRUCT__entry(__string(device, pci_name(dev->pdev))
			     __field(u64, in_param)
			     __field(u64, out_param)
			     __field(u32, in_modifier)
			     __field(u16, opcode)
			     __field(u16, token)
			     __field(u8, op_modifier)),
	    TP_fast_assign(__assign_str(device);
			   __entry->in_param = cmd->in_param;
			   __entry->out_param = cmd->out_param;
			   __entry->in_modifier = cmd->in_modifier;
			   __entry->opcode = cmd->opcode;
			   __entry->token = token;
			   __entry->op_modifier = cmd->op_modifier;),
	    TP_printk("%s %s token=%#x in=%#llx out=%#llx in_mod=%#x op_mod=%#x",
		      __get_str(device), __print_symbolic(__entry->opcode,
				       TAVOR_TRACE_CMDS(TAVOR_CMD_NAME, TAVOR_CMD_LAST)),
		      __entry->token, __entry->in_param, __entry->out_param,
		      __entry->in_modifier, __entry->op_modifier)
);

/* The firmware has answered, in the register or in an event. */
TRACE_EVENT(tavor_cmd_done,
	    TP_PROTO(const struct tavor_dev *dev, u16 token, u8 status, u64 out),
	    TP_ARGS(dev, token, status, out),
	    TP_STRUCT__entry(__string(device, pci_name(dev->pdev))
			     __field(u64, out)
			     __field(u16, token)
			     __field(u8, status)),
	    TP_fast_assign(__assign_str(device);
			   __entry->out = out;
			   __entry->token = token;
			   __entry->status = status;),
	    TP_printk("%s token=%#x status=%#x out=%#llx", __get_str(device), __entry->token,
		      __entry->status, __entry->out)
);

/* An entry of an event queue, before it is handled. */
TRACE_EVENT(tavor_event,
	    TP_PROTO(const struct tavor_eq *eq, const struct tavor_eqe *eqe),
	    TP_ARGS(eq, eqe),
	    TP_STRUCT__entry(__string(device, pci_name(eq->dev->pdev))
			     __array(u32, raw, 6)
			     __field(u32, index)
			     __field(u8, eqn)
			     __field(u8, type)
			     __field(u8, subtype)),
	    TP_fast_assign(unsigned int i;

			   __assign_str(device);
			   for (i = 0; i < 6; i++)
				   __entry->raw[i] = be32_to_cpu(eqe->event.raw[i]);
			   __entry->index = eq->cons_index;
			   __entry->eqn = eq->eqn;
			   __entry->type = eqe->type;
			   __entry->subtype = eqe->subtype;),
	    TP_printk("%s eq=%u index=%u %s subtype=%u %08x %08x %08x %08x %08x %08x",
		      __get_str(device), __entry->eqn, __entry->index,
		      __print_symbolic(__entry->type,
				       TAVOR_TRACE_EVENTS(TAVOR_EVENT_NAME, TAVOR_EVENT_LAST)), __entry->subtype,
		      __entry->raw[0], __entry->raw[1], __entry->raw[2], __entry->raw[3],
		      __entry->raw[4], __entry->raw[5])
);

#endif /* TAVOR_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
