// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of tasks that have exited and are there still: processes
 * that nobody has waited for, and the first thread of a process whose others
 * live.
 *
 * Saved: name, status, user (for who waits), exit signal.
 * Reset to default: the processor time that it and its children used.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/wait.h>

/* As wait4() tells it. */
static u32 get_status(struct task_struct *task)
{
	struct signal_struct *signal = task->signal;

	return signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code :
						   task->exit_code;
}

/**
 * ckpt_task_dead_save - save what is left of a process
 * @ctx: context
 * @task: has exited; its parent is stopped, or the caller
 *
 * Return: 0 or a negative errno.
 */
int ckpt_task_dead_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_hdr_task_dead *record;
	int cred;

	if (task->ptrace)
		return ckpt_error(ctx, -EBUSY, "it is traced");
	cred = ckpt_object_save(ctx, CKPT_OBJ_CRED,
				(void *)rcu_access_pointer(task->real_cred));
	if (cred < 0)
		return cred;
	record = ckpt_record_add(ctx, CKPT_HDR_TASK_DEAD);
	if (!record)
		return -ENOMEM;
	record->status = get_status(task);
	record->exit_signal = task->exit_signal;
	record->cred = cred;
	strscpy_pad(record->comm, task->comm);
	return 0;
}

/* Either an exit status, or a signal and perhaps a core dump. */
static bool is_status(u32 status)
{
	u32 signo = status & 0x7f;

	return signo ? valid_signal(signo) && !(status & 0xff00) :
		       !(status & 0x80);
}

/**
 * ckpt_task_dead_restore - read what is left of a process
 * @ctx: context
 * @index: of the current task
 * @stage: filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_task_dead_restore(struct ckpt_ctx *ctx, u32 index,
			   struct ckpt_task_stage *stage)
{
	int ret = ckpt_record_read(ctx, CKPT_HDR_TASK_DEAD, &stage->dead);

	if (ret)
		return ret;
	if (!is_status(stage->dead.status))
		return ckpt_error(ctx, -EINVAL, "status %#x of a dead process",
				  stage->dead.status);
	stage->cred = ckpt_object_find(ctx, stage->dead.cred, CKPT_OBJ_CRED);
	ctx->tasks[index].exit_signal = stage->dead.exit_signal;
	return 0;
}

/**
 * ckpt_task_dead_commit - make it the state of the current task
 * @ctx: context
 * @stage: from ckpt_task_dead_restore()
 *
 * Return: 0 or a negative errno; then nothing has changed.
 */
int ckpt_task_dead_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	int ret = ckpt_cred_commit(ctx, stage);

	if (ret)
		return ret;
	set_task_comm(current, stage->dead.comm);
	/* Its parent got that signal long ago. */
	WRITE_ONCE(current->exit_signal, 0);
	return 0;
}

/**
 * ckpt_task_dead_wait - wait until a task is as dead as it was
 * @place: of the task, which is about to exit
 *
 * Its parent can tell from the exit signal whether __WCLONE is needed: it gets
 * the saved one back.
 *
 * Context: Sleeps until it has, or the caller is killed: its files may take as
 * long to close as a filesystem in user space likes, and a tracer may hold it.
 */
void ckpt_task_dead_wait(struct ckpt_tree_task *place)
{
	struct task_struct *task = place->task;
	struct pid *pid = get_task_pid(task, PIDTYPE_PID);

	/* Without an id it has even been waited for: its parent was killed. */
	if (!pid)
		return;
	/* While other threads live nobody is told that the first one has died. */
	while (!wait_event_killable_timeout(pid->wait_pidfd,
					    READ_ONCE(task->exit_state), 1))
		;
	put_pid(pid);
	write_lock_irq(&tasklist_lock);
	task->exit_signal = place->exit_signal;
	write_unlock_irq(&tasklist_lock);
}
