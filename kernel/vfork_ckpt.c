// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of tasks that wait in vfork(), or in clone() with
 * CLONE_VFORK, until a child has called execve() or has exited.
 *
 * Saved: for whom the task waits.
 *
 * Such a task is in the kernel and cannot come to the user-mode boundary. But
 * nothing is left to be done there: when the wait ends, the call returns the id
 * of the child. So a restarted task waits at the end of restart() in the same
 * way, with the registers of the saved one, and returns the id.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

/**
 * ckpt_vfork_save - for whom does a task wait?
 * @ctx: context
 * @task: stopped, or the caller
 *
 * Return: an id, 0 if for nobody, or a negative errno.
 */
int ckpt_vfork_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct task_struct *child = ckpt_tree_vfork_child(ctx, task);
	int id;

	if (!child)
		return 0;
	id = ckpt_pid_save(ctx, task_pid(child), PIDTYPE_PID);
	if (id > 0)
		return id;
	return ckpt_error(ctx, -EBUSY,
			  "it waits in vfork() for process %d, which is not saved",
			  task_pid_vnr(child));
}

/**
 * ckpt_vfork_restore - find the task to wait for
 * @ctx: context
 * @stage: its record of the task was read
 *
 * Return: 0, -EINVAL.
 */
int ckpt_vfork_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct task_struct *child;
	u32 id = stage->task.vfork_child;

	if (!id)
		return 0;
	child = ckpt_tree_await_child(ctx, id);
	if (IS_ERR(child))
		return ckpt_error(ctx, PTR_ERR(child),
				  "it waits in vfork() for %u", id);
	stage->vfork_child = get_task_struct(child);
	return 0;
}

/**
 * ckpt_vfork_commit - let the child end the wait of the current task
 * @stage: from ckpt_vfork_restore(); the child runs after the commit
 *
 * The id that the call returns is taken here: when the child has run, it may be
 * gone, and with it the id.
 */
void ckpt_vfork_commit(struct ckpt_task_stage *stage)
{
	struct task_struct *child = stage->vfork_child;

	if (!child)
		return;
	stage->vfork_pid = task_pid_vnr(child);
	task_lock(child);
	child->vfork_done = stage->vfork_done;
	task_unlock(child);
}

/**
 * ckpt_vfork_release - wait for nobody
 * @stage: of the current task, which has not come to wait
 *
 * The child must not tell a task that is not there any more.
 */
void ckpt_vfork_release(struct ckpt_task_stage *stage)
{
	struct task_struct *child = stage->vfork_child;

	if (!child)
		return;
	task_lock(child);
	if (child->vfork_done == stage->vfork_done)
		child->vfork_done = NULL;
	task_unlock(child);
	put_task_struct(child);
	stage->vfork_child = NULL;
}
