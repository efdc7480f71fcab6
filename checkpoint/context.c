// SPDX-License-Identifier: GPL-2.0
/*
 * The context of one checkpoint() or restart() call: creation, references and
 * the one place that releases everything.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "internal.h"

/**
 * ckpt_ctx_alloc - prepare a checkpoint or a restart
 * @fd: descriptor of the image
 * @mode: FMODE_WRITE for a checkpoint, FMODE_READ for a restart
 * @flags: of the system call
 * @logfd: descriptor for messages, or CHECKPOINT_FD_NONE
 *
 * Return: the context with one reference, or an error pointer: -EBADF if a
 * descriptor is closed or has the wrong direction, -ENOMEM.
 */
struct ckpt_ctx *ckpt_ctx_alloc(int fd, fmode_t mode, unsigned long flags,
				int logfd)
{
	struct ckpt_ctx *ctx;
	int ret;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	refcount_set(&ctx->refs, 1);
	ctx->flags = flags;
	ctx->saving = mode == FMODE_WRITE;
	ctx->descriptor = -1;
	INIT_LIST_HEAD(&ctx->messages);
	INIT_LIST_HEAD(&ctx->last_steps);
	INIT_LIST_HEAD(&ctx->segments);
	INIT_LIST_HEAD(&ctx->file_owners);
	xa_init(&ctx->task_indices);
	get_fs_root(current->fs, &ctx->root);
	ctx->user_ns = get_user_ns(current_user_ns());
	ret = ckpt_objects_init(ctx);
	if (ret) {
		put_user_ns(ctx->user_ns);
		path_put(&ctx->root);
		kfree(ctx);
		return ERR_PTR(ret);
	}

	ret = -EBADF;
	ctx->stream.file = fget(fd);
	if (!ctx->stream.file || !(ctx->stream.file->f_mode & mode))
		goto put;
	if (logfd != CHECKPOINT_FD_NONE) {
		ctx->logfile = fget(logfd);
		if (!ctx->logfile || !(ctx->logfile->f_mode & FMODE_WRITE))
			goto put;
	}
	ret = ckpt_stream_start(ctx);
	if (ret)
		goto put;
	return ctx;

put:
	ckpt_ctx_put(ctx);
	return ERR_PTR(ret);
}

/**
 * ckpt_ctx_get - take a reference
 * @ctx: context
 *
 * Return: @ctx.
 */
struct ckpt_ctx *ckpt_ctx_get(struct ckpt_ctx *ctx)
{
	refcount_inc(&ctx->refs);
	return ctx;
}

/**
 * ckpt_ctx_put - drop a reference, release everything with the last one
 * @ctx: context
 *
 * Context: May sleep.
 */
void ckpt_ctx_put(struct ckpt_ctx *ctx)
{
	might_sleep();
	if (!refcount_dec_and_test(&ctx->refs))
		return;

	ckpt_segments_free(ctx);
	ckpt_capture_end(ctx);
	ckpt_cow_free(ctx);
	ckpt_oom_end(ctx);
	ckpt_file_owners_free(ctx);
	ckpt_objects_free(ctx);
	ckpt_unix_free(ctx);
	ckpt_report_free(ctx);
	ckpt_stream_end(ctx);
	path_put(&ctx->root);
	ckpt_tree_free(ctx);
	if (ctx->root_task)
		put_task_struct(ctx->root_task);
	if (ctx->pid_ns)
		put_pid_ns(ctx->pid_ns);
	put_user_ns(ctx->user_ns);
	if (ctx->stream.file)
		fput(ctx->stream.file);
	if (ctx->logfile)
		fput(ctx->logfile);
	kfree(ctx);
}
