// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of checkpoint(): quiesce, capture, thaw, emit.
 *
 * The target is stopped from ckpt_quiesce() to ckpt_thaw(). In between, only
 * memory is filled; what the caller's file or log do to us then harms nobody.
 */
#include <linux/err.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>
#include <trace/events/checkpoint.h>

#include "internal.h"

/* For all tasks of the target to come to where they can be saved. */
#define PATIENCE	(10 * HZ)

static atomic_t last_id = ATOMIC_INIT(0);

static int new_id(void)
{
	return (unsigned int)atomic_inc_return(&last_id) % INT_MAX + 1;
}

static int save_header(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_header *record;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_HEADER);
	if (!record)
		return -ENOMEM;
	record->magic = CKPT_IMAGE_MAGIC;
	record->version = CKPT_IMAGE_VERSION;
	record->arch = CKPT_ARCH_X86_64;
	record->time = ktime_get_real_seconds();
	record->flags = ctx->flags;
	record->id = ctx->id;
	record->page_size = PAGE_SIZE;
	record->comm_len = TASK_COMM_LEN;
	record->nr_signals = _NSIG;
	record->nr_rlimits = RLIM_NLIMITS;

	ret = ckpt_text_add(ctx, init_utsname()->release);
	if (!ret)
		ret = ckpt_text_add(ctx, init_utsname()->version);
	if (!ret)
		ret = ckpt_text_add(ctx, init_utsname()->machine);
	return ret ?: arch_ckpt_save_header(ctx);
}

static int save_task(struct ckpt_ctx *ctx, struct task_struct *task)
{
	unsigned int index;

	if (ckpt_task_is_dead(task))
		return ckpt_task_dead_save(ctx, task);
	for (index = 0; index < ckpt_nr_task_parts; index++) {
		const struct ckpt_task_part *part = &ckpt_task_parts[index];
		int ret = part->save ? part->save(ctx, task) : 0;

		if (ret)
			return ckpt_error(ctx, ret, "cannot save the %s",
					  part->name);
	}
	return 0;
}

static int capture(struct ckpt_ctx *ctx)
{
	u32 index;
	int ret;

	trace_ckpt_phase(ctx->id, "capture");
	ret = save_header(ctx);
	if (!ret)
		ret = ckpt_tree_save(ctx);
	for (index = 0; index < ctx->nr_tasks && !ret; index++) {
		ctx->task = ctx->tasks[index].task;
		ret = save_task(ctx, ctx->task);
	}
	if (!ret)
		ret = ckpt_objects_complete(ctx);
	/* Nobody is to write to shared memory unnoticed when the target runs. */
	if (!ret)
		ret = ckpt_segments_complete(ctx);
	ckpt_objects_release(ctx);
	return ret;
}

/**
 * ckpt_may_save - may the caller stop and save a task?
 * @ctx: context
 * @task: a reference is held
 *
 * Who may attach with ptrace may stop it, and sees all that an image holds.
 *
 * Return: 0, -EPERM.
 */
int ckpt_may_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	if (same_thread_group(task, current))
		return 0;
	ctx->task = task;
	if (!ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_error(ctx, -EPERM, "the task may not be traced");
	return 0;
}

static int find_root_task(struct ckpt_ctx *ctx, pid_t pid)
{
	struct task_struct *task;

	if (pid) {
		task = find_get_task_by_vpid(pid);
		if (!task)
			return ckpt_error(ctx, -ESRCH, "no task %d", pid);
	} else {
		task = get_task_struct(current->group_leader);
	}
	if (ctx->root_task)
		put_task_struct(ctx->root_task);
	ctx->root_task = task;
	return 0;
}

static int check_root_task(struct ckpt_ctx *ctx, pid_t pid)
{
	struct task_struct *task = ctx->root_task;

	if (!thread_group_leader(task))
		return ckpt_error(ctx, -EINVAL,
				  "%d is a thread, not a process", pid);
	if (task->flags & PF_KTHREAD)
		return ckpt_error(ctx, -EINVAL, "%d is a kernel thread", pid);
	ctx->pid_ns = get_pid_ns(task_active_pid_ns(task));
	if (!ctx->pid_ns)
		return ckpt_error(ctx, -ESRCH, "the task is exiting");
	if (!(ctx->flags & CHECKPOINT_SUBTREE) &&
	    !is_child_reaper(task_pid(task)))
		return ckpt_error(ctx, -EINVAL,
				  "%d is not the init of a pid namespace and CHECKPOINT_SUBTREE is not set",
				  pid);
	return 0;
}

static int may_save_all(struct ckpt_ctx *ctx)
{
	u32 index;
	int ret = 0;

	for (index = 0; index < ctx->nr_tasks && !ret; index++)
		ret = ckpt_may_save(ctx, ctx->tasks[index].task);
	return ret;
}

static struct ckpt_quiesce *stop(struct ckpt_ctx *ctx, pid_t pid)
{
	unsigned long deadline = jiffies + PATIENCE;
	struct ckpt_quiesce *quiesce;
	int ret;

	for (;;) {
		ctx->task = ctx->root_task;
		quiesce = ckpt_quiesce(ctx, deadline);
		ctx->task = ctx->root_task;
		if (quiesce != ERR_PTR(-EAGAIN))
			return quiesce;
		/* A thread has called execve() and is the first one now. */
		ret = find_root_task(ctx, pid);
		if (ret)
			return ERR_PTR(ret);
	}
}

static int stop_and_capture(struct ckpt_ctx *ctx, pid_t pid)
{
	struct ckpt_quiesce *quiesce;
	int ret;

	quiesce = stop(ctx, pid);
	if (IS_ERR(quiesce))
		return PTR_ERR(quiesce);
	/* They may have changed their credentials on the way. */
	ret = may_save_all(ctx);
	if (!ret && !(ctx->flags & CHECKPOINT_SUBTREE))
		ret = ckpt_tree_check_strangers(ctx, ctx->pid_ns);
	if (!ret)
		ret = capture(ctx);
	ctx->task = ctx->root_task;
	ckpt_thaw(quiesce);
	trace_ckpt_phase(ctx->id, "thaw");
	return ret;
}

/* The image of a failed checkpoint tells why it failed. */
static void emit_failure(struct ckpt_ctx *ctx)
{
	if (ctx->stream.broken)
		return;
	ckpt_segments_free(ctx);
	if (!ctx->stream.position && save_header(ctx))
		return;
	if (!ckpt_segments_emit(ctx))
		ckpt_report_emit(ctx);
}

/**
 * ckpt_do_checkpoint - save a task
 * @ctx: context
 * @pid: in the caller's pid namespace, or 0 for the caller
 *
 * Return: the id of the image, positive, or a negative errno.
 */
long ckpt_do_checkpoint(struct ckpt_ctx *ctx, pid_t pid)
{
	int ret;

	ctx->id = new_id();
	ckpt_oom_begin(ctx);
	ret = find_root_task(ctx, pid);
	if (!ret)
		ret = check_root_task(ctx, pid);
	if (!ret) {
		/* It may take a while, for which nobody is stopped. */
		ckpt_capture_begin(ctx);
		ret = stop_and_capture(ctx, pid);
	}
	if (!ret) {
		trace_ckpt_phase(ctx->id, "emit");
		ret = ckpt_segments_emit(ctx);
		if (!ret)
			ret = ckpt_stream_write_tail(ctx);
		if (ret)
			ckpt_error(ctx, ret, "cannot write the image");
	} else if (ret != -ERESTARTNOINTR && ret != -EINTR) {
		if (!ctx->error)
			ckpt_error(ctx, ret, "the checkpoint failed");
		emit_failure(ctx);
	}
	trace_ckpt_phase(ctx->id, "end");
	ckpt_report_flush(ctx);
	return ret ?: ctx->id;
}
