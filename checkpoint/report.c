// SPDX-License-Identifier: GPL-2.0
/*
 * Messages about what went wrong.
 *
 * Nothing is written while the target is stopped: the log may be a pipe that
 * nobody reads. Messages wait in the context and go out when the target runs
 * again, or when the restart is over.
 */
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include <trace/events/checkpoint.h>

#include "internal.h"

/* The longest message, its NUL byte included. */
#define MESSAGE_MAX	1024
/* One cause may have many consequences: the first ones tell. */
#define MESSAGES_MAX	16
/* What is no error must leave room for one that comes later. */
#define NOTES_MAX	8

/**
 * struct ckpt_message - one line for the user
 * @list: in ckpt_ctx.messages
 * @error: errno, positive; 0 if nothing failed
 * @text: without the newline
 */
struct ckpt_message {
	struct list_head list;
	int error;
	char text[MESSAGE_MAX];
};

static struct ckpt_message *add(struct ckpt_ctx *ctx, int error)
{
	struct ckpt_message *message;

	if (ctx->nr_messages == MESSAGES_MAX)
		return NULL;
	message = kmalloc(sizeof(*message), GFP_KERNEL_ACCOUNT);
	if (!message)
		return NULL;
	message->error = -error;
	list_add_tail(&message->list, &ctx->messages);
	ctx->nr_messages++;
	return message;
}

/**
 * __ckpt_error - see ckpt_error()
 * @ctx: context
 * @error: negative errno
 * @function: that found the problem
 * @line: in its source file
 * @format: what is wrong, no newline
 *
 * Return: @error.
 */
int __ckpt_error(struct ckpt_ctx *ctx, int error, const char *function,
		 int line, const char *format, ...)
{
	struct task_struct *task = ctx->task ?: current;
	struct ckpt_message *message;
	va_list args;
	int length;

	if (!ctx->error)
		ctx->error = error;
	message = add(ctx, error);
	if (!message)
		return error;

	length = scnprintf(message->text, sizeof(message->text),
			   "[err %d][pos %llu][E @ %s:%d] task %d (%s): ",
			   error, ctx->stream.position + ctx->captured,
			   function, line, task_pid_vnr(task), task->comm);
	va_start(args, format);
	vscnprintf(message->text + length, sizeof(message->text) - length,
		   format, args);
	va_end(args);
	trace_ckpt_error(error, message->text);
	return error;
}

/**
 * ckpt_note - tell the user what is not as it was, though nothing fails
 * @ctx: context
 * @format: what it is, no newline
 *
 * The message goes to the log descriptor, as those of ckpt_error(). Whoever
 * counts on it being read must fail instead: there may be no log, or no memory
 * for another message.
 */
void ckpt_note(struct ckpt_ctx *ctx, const char *format, ...)
{
	struct task_struct *task = ctx->task ?: current;
	struct ckpt_message *message;
	va_list args;
	int length;

	message = ctx->nr_messages < NOTES_MAX ? add(ctx, 0) : NULL;
	if (!message)
		return;
	length = scnprintf(message->text, sizeof(message->text),
			   "[note]%s task %d (%s): ",
			   ctx->nr_messages == NOTES_MAX ?
			   "[more are not told]" : "", task_pid_vnr(task),
			   task->comm);
	va_start(args, format);
	vscnprintf(message->text + length, sizeof(message->text) - length,
		   format, args);
	va_end(args);
}

/**
 * ckpt_report_flush - write the messages to the log descriptor
 * @ctx: context
 *
 * The log is a service: an error of it changes nothing.
 *
 * Context: May sleep for as long as the log does not take the messages.
 */
void ckpt_report_flush(struct ckpt_ctx *ctx)
{
	struct ckpt_message *message;

	might_sleep();
	if (!ctx->logfile)
		return;
	list_for_each_entry(message, &ctx->messages, list) {
		size_t length = strlen(message->text);
		char *line = message->text;

		if (length > MESSAGE_MAX - 2)
			length = MESSAGE_MAX - 2;
		line[length] = '\n';
		kernel_write(ctx->logfile, line, length + 1,
			     &ctx->logfile->f_pos);
		line[length] = '\0';
	}
}

/**
 * ckpt_report_emit - write the messages into a failed image
 * @ctx: context
 *
 * Return: 0, or the error of the image file.
 */
int ckpt_report_emit(struct ckpt_ctx *ctx)
{
	struct ckpt_message *message;
	int ret = 0;

	list_for_each_entry(message, &ctx->messages, list) {
		struct ckpt_hdr_error record = {
			.h.type	= CKPT_HDR_ERROR,
			.h.len	= sizeof(record),
			.error	= message->error,
		};
		size_t length = ALIGN(strlen(message->text) + 1, 8);
		struct ckpt_hdr_string header = {
			.h.type	= CKPT_HDR_STRING,
			.h.len	= sizeof(header) + length,
		};
		char padded[MESSAGE_MAX + 8] = {};

		/* In the image it would be the reason of a failure. */
		if (!message->error)
			continue;
		strscpy(padded, message->text, MESSAGE_MAX);
		ret = ckpt_stream_write_record(ctx, &record);
		if (!ret)
			ret = ckpt_stream_write_record(ctx, &header);
		if (!ret)
			ret = ckpt_stream_write(ctx, padded, length);
		if (ret)
			break;
	}
	return ret;
}

/**
 * ckpt_report_free - forget the messages
 * @ctx: context
 */
void ckpt_report_free(struct ckpt_ctx *ctx)
{
	struct ckpt_message *message, *next;

	list_for_each_entry_safe(message, next, &ctx->messages, list) {
		list_del(&message->list);
		kfree(message);
	}
	ctx->nr_messages = 0;
}
