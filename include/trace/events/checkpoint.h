/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM checkpoint

#if !defined(_TRACE_CHECKPOINT_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CHECKPOINT_H

#include <linux/tracepoint.h>

TRACE_EVENT(ckpt_phase,

	TP_PROTO(int id, const char *phase),

	TP_ARGS(id, phase),

	TP_STRUCT__entry(
		__field(int, id)
		__string(phase, phase)
	),

	TP_fast_assign(
		__entry->id = id;
		__assign_str(phase);
	),

	TP_printk("id=%d phase=%s", __entry->id, __get_str(phase))
);

DECLARE_EVENT_CLASS(ckpt_object,

	TP_PROTO(const char *type, unsigned int objref),

	TP_ARGS(type, objref),

	TP_STRUCT__entry(
		__string(type, type)
		__field(unsigned int, objref)
	),

	TP_fast_assign(
		__assign_str(type);
		__entry->objref = objref;
	),

	TP_printk("type=%s objref=%u", __get_str(type), __entry->objref)
);

DEFINE_EVENT(ckpt_object, ckpt_object_save,
	TP_PROTO(const char *type, unsigned int objref),
	TP_ARGS(type, objref));

DEFINE_EVENT(ckpt_object, ckpt_object_restore,
	TP_PROTO(const char *type, unsigned int objref),
	TP_ARGS(type, objref));

TRACE_EVENT(ckpt_shared,

	TP_PROTO(unsigned long pages, unsigned long copies),

	TP_ARGS(pages, copies),

	TP_STRUCT__entry(
		__field(unsigned long, pages)
		__field(unsigned long, copies)
	),

	TP_fast_assign(
		__entry->pages = pages;
		__entry->copies = copies;
	),

	TP_printk("pages=%lu copies=%lu", __entry->pages, __entry->copies)
);

TRACE_EVENT(ckpt_error,

	TP_PROTO(int error, const char *text),

	TP_ARGS(error, text),

	TP_STRUCT__entry(
		__field(int, error)
		__string(text, text)
	),

	TP_fast_assign(
		__entry->error = error;
		__assign_str(text);
	),

	TP_printk("error=%d %s", __entry->error, __get_str(text))
);

#endif /* _TRACE_CHECKPOINT_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
