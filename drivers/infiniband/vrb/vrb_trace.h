/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * One event per transition of a request, of a slot or of an object: events/ib_vrb/.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ib_vrb

#if !defined(VRB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VRB_TRACE_H

#include <linux/tracepoint.h>

#include "vrb_internal.h"

DECLARE_EVENT_CLASS(vrb_request, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb),
		    TP_STRUCT__entry(__string(device, vrb->client->dev->name)
				     __string(client, vrb->client->name)
				     __string(verb, vrb_verb_name(vrb->verb))
				     __string(step_name, vrb_step_name(vrb->verb, vrb->step))
				     __string(fw, vrb_status_name(vrb->client->dev, vrb->fw_status))
				     __string(type, vrb->object ? vrb->object->type->name : "-")
				     __field(const void *, vrb)
				     __field(u32, id)
				     __field(u32, step)
				     __field(u8, fw_status)
				     __field(int, status)),
		    TP_fast_assign(__assign_str(device);
				   __assign_str(client);
				   __assign_str(verb);
				   __assign_str(step_name);
				   __assign_str(fw);
				   __assign_str(type);
				   __entry->vrb = vrb;
				   __entry->id = vrb->object ? vrb->object->id : 0;
				   __entry->step = vrb->step;
				   __entry->fw_status = vrb->fw_status;
				   __entry->status = vrb->status;),
		    TP_printk("%s vrb=%p %s %s %#x client=%s step=%u:%s status=%d fw_status=%#x %s",
			      __get_str(device), __entry->vrb, __get_str(verb), __get_str(type),
			      __entry->id, __get_str(client), __entry->step, __get_str(step_name),
			      __entry->status, __entry->fw_status, __get_str(fw))
);

/* IDLE to INBOX */
DEFINE_EVENT(vrb_request, vrb_inbox, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* IDLE or INBOX to QUEUED */
DEFINE_EVENT(vrb_request, vrb_queue, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* QUEUED to ISSUED */
DEFINE_EVENT(vrb_request, vrb_issue, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* ISSUED to WAITING */
DEFINE_EVENT(vrb_request, vrb_wait, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* WAITING to QUEUED: what it waited for has come, or it is to be undone */
DEFINE_EVENT(vrb_request, vrb_resume, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* A step is undone */
DEFINE_EVENT(vrb_request, vrb_undo, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* QUEUED, WAITING or ISSUED to DONE */
DEFINE_EVENT(vrb_request, vrb_over, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* Deadline passed, or command timed out; vrb_over follows */
DEFINE_EVENT(vrb_request, vrb_timeout, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));
/* DONE to CALLBACK, or back to IDLE */
DEFINE_EVENT(vrb_request, vrb_done, TP_PROTO(const struct vrb *vrb), TP_ARGS(vrb));

TRACE_EVENT(vrb_refuse,
	    TP_PROTO(const struct vrb_device *dev, const struct vrb *vrb, int status),
	    TP_ARGS(dev, vrb, status),
	    TP_STRUCT__entry(__string(device, dev->name)
			     __string(verb, vrb_verb_name(vrb->verb))
			     __field(const void *, vrb)
			     __field(int, status)),
	    TP_fast_assign(__assign_str(device);
			   __assign_str(verb);
			   __entry->vrb = vrb;
			   __entry->status = status;),
	    TP_printk("%s vrb=%p %s status=%d", __get_str(device), __entry->vrb, __get_str(verb),
		      __entry->status)
);

DECLARE_EVENT_CLASS(vrb_slot,
		    TP_PROTO(const struct vrb_device *dev, const struct vrb_slot *slot),
		    TP_ARGS(dev, slot),
		    TP_STRUCT__entry(__string(device, dev->name)
				     __string(step, slot->vrb ?
					      vrb_step_name(slot->vrb->verb, slot->vrb->step) :
					      vrb_step_name(slot->verb, slot->step))
				     __string(fw, vrb_status_name(dev, slot->result.fw_status))
				     __field(const void *, vrb)
				     __field(u16, index)
				     __field(u16, token)
				     __field(u8, fw_status)),
		    TP_fast_assign(__assign_str(device);
				   __assign_str(step);
				   __assign_str(fw);
				   __entry->vrb = slot->vrb;
				   __entry->index = slot->index;
				   __entry->token = slot->token;
				   __entry->fw_status = slot->result.fw_status;),
		    TP_printk("%s vrb=%p slot=%u token=%#x %s fw_status=%#x %s",
			      __get_str(device), __entry->vrb, __entry->index, __entry->token,
			      __get_str(step), __entry->fw_status, __get_str(fw))
);

DEFINE_EVENT(vrb_slot, vrb_post,
	     TP_PROTO(const struct vrb_device *dev, const struct vrb_slot *slot),
	     TP_ARGS(dev, slot));
DEFINE_EVENT(vrb_slot, vrb_busy,
	     TP_PROTO(const struct vrb_device *dev, const struct vrb_slot *slot),
	     TP_ARGS(dev, slot));
DEFINE_EVENT(vrb_slot, vrb_complete,
	     TP_PROTO(const struct vrb_device *dev, const struct vrb_slot *slot),
	     TP_ARGS(dev, slot));
/* A command that was given up has completed, or the hardware has been stopped. */
DEFINE_EVENT(vrb_slot, vrb_zombie,
	     TP_PROTO(const struct vrb_device *dev, const struct vrb_slot *slot),
	     TP_ARGS(dev, slot));

DECLARE_EVENT_CLASS(vrb_object, TP_PROTO(const struct vrb_object *object), TP_ARGS(object),
		    TP_STRUCT__entry(__string(device, object->dev->name)
				     __string(type, object->type->name)
				     __field(const void *, object)
				     __field(u32, id)),
		    TP_fast_assign(__assign_str(device);
				   __assign_str(type);
				   __entry->object = object;
				   __entry->id = object->id;),
		    TP_printk("%s object=%p %s %#x", __get_str(device), __entry->object,
			      __get_str(type), __entry->id)
);

/* The object was initialised. The hardware knows it once its create, if any, has completed. */
DEFINE_EVENT(vrb_object, vrb_object_init, TP_PROTO(const struct vrb_object *object),
	     TP_ARGS(object));
/* The hardware no longer uses the object; it is released. */
DEFINE_EVENT(vrb_object, vrb_object_gone, TP_PROTO(const struct vrb_object *object),
	     TP_ARGS(object));

TRACE_EVENT(vrb_fail, TP_PROTO(const struct vrb_device *dev), TP_ARGS(dev),
	    TP_STRUCT__entry(__string(device, dev->name)
			     __string(reason, dev->reason)),
	    TP_fast_assign(__assign_str(device);
			   __assign_str(reason);),
	    TP_printk("%s %s", __get_str(device), __get_str(reason))
);

#endif /* VRB_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vrb_trace
#include <trace/define_trace.h>
