/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Commands and events of the hardware: events/ib_tavor/. The requests that the
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

const char *tavor_cmd_name(u16 opcode);
const char *tavor_event_name(u8 type);

/* A command has been written to the register. */
TRACE_EVENT(tavor_cmd_post,
	    TP_PROTO(const struct tavor_dev *dev, const struct tavor_cmd_slot *cmd, u16 token),
	    TP_ARGS(dev, cmd, token),
	    TP_STRUCT__entry(__string(device, pci_name(dev->pdev))
			     __string(name, tavor_cmd_name(cmd->opcode))
			     __field(u64, in_param)
			     __field(u64, out_param)
			     __field(u32, in_modifier)
			     __field(u16, token)
			     __field(u8, op_modifier)),
	    TP_fast_assign(__assign_str(device);
			   __assign_str(name);
			   __entry->in_param = cmd->in_param;
			   __entry->out_param = cmd->out_param;
			   __entry->in_modifier = cmd->in_modifier;
			   __entry->token = token;
			   __entry->op_modifier = cmd->op_modifier;),
	    TP_printk("%s %s token=%#x in=%#llx out=%#llx in_mod=%#x op_mod=%#x",
		      __get_str(device), __get_str(name), __entry->token, __entry->in_param,
		      __entry->out_param, __entry->in_modifier, __entry->op_modifier)
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
			     __string(name, tavor_event_name(eqe->type))
			     __array(u8, raw, 24)
			     __field(u32, index)
			     __field(u8, eqn)
			     __field(u8, subtype)),
	    TP_fast_assign(__assign_str(device);
			   __assign_str(name);
			   memcpy(__entry->raw, eqe->event.raw, sizeof(__entry->raw));
			   __entry->index = eq->cons_index;
			   __entry->eqn = eq->eqn;
			   __entry->subtype = eqe->subtype;),
	    TP_printk("%s eq=%u index=%u %s subtype=%u %s", __get_str(device), __entry->eqn,
		      __entry->index, __get_str(name), __entry->subtype,
		      __print_hex_str(__entry->raw, sizeof(__entry->raw)))
);

#endif /* TAVOR_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
