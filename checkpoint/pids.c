// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that other state refers to: owners of open files, pidfds.
 *
 * In an image they are the ids that the PIDS records have. A restarted task
 * may have another id, so these records tell who is meant.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "internal.h"

/**
 * ckpt_pid_save - id of a saved task or of its process group
 * @ctx: context
 * @pid: task or process group; a reference is held
 * @type: which of them: PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID
 *
 * Return: the id, positive; 0 if there is nobody with it any more; -EBUSY if
 * it is somebody who is not saved.
 */
int ckpt_pid_save(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type)
{
	struct task_struct *task = ctx->root_task;

	guard(rcu)();
	if (pid == task_pid(task) ||
	    (type == PIDTYPE_PGID && pid == task_pgrp(task)))
		return pid_nr_ns(pid, ctx->pid_ns) ?: -EBUSY;
	/* A process group may come into being as long as there is a leader. */
	if (pid_task(pid, PIDTYPE_PID) || pid_task(pid, type))
		return -EBUSY;
	return 0;
}

/**
 * ckpt_pid_find - task or process group with an id, when restoring
 * @ctx: context; its tree was read
 * @number: id
 * @type: as in ckpt_pid_save()
 *
 * Return: what it is now, with a reference; NULL if the image has no such task.
 */
struct pid *ckpt_pid_find(struct ckpt_ctx *ctx, u32 number, enum pid_type type)
{
	struct task_struct *task = ctx->root_task;

	guard(rcu)();
	if (type == PIDTYPE_PGID && number == ctx->pids.pgid)
		return get_pid(task_pgrp(task));
	if (number == ctx->pids.pid)
		return get_pid(task_pid(task));
	return NULL;
}
