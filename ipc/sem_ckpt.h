/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint of SysV semaphore adjustments.
 *
 * Refused: adjustments that the end of the process would make, and a list of
 *	adjustments that another process shares.
 *
 * A process has a list as soon as it has asked for an adjustment or had a
 * thread. One without an adjustment need not be saved: it is made anew.
 *
 * Included at the end of ipc/sem.c, which keeps its structures for itself.
 */
#include <linux/checkpoint_ctx.h>

static bool has_adjustment(struct ipc_namespace *ns,
			   const struct sem_undo *undo)
{
	struct sem_array *array;
	int index;

	/* It goes with its semaphores. */
	array = sem_obtain_object_check(ns, undo->semid);
	if (IS_ERR(array))
		return false;
	for (index = 0; index < array->sem_nsems; index++)
		if (READ_ONCE(undo->semadj[index]))
			return true;
	return false;
}

/**
 * ckpt_sem_undo_check - does a task have semaphore adjustments to undo?
 * @ctx: context
 * @task: stopped, or the caller
 *
 * Return: 0, -EOPNOTSUPP if so, -EBUSY if a process outside has them as well.
 */
int ckpt_sem_undo_check(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct sem_undo_list *list = task->sysvsem.undo_list;
	struct sem_undo *undo;
	bool found = false;

	if (!list)
		return 0;
	if (refcount_read(&list->refcnt) > get_nr_threads(task))
		return ckpt_error(ctx, -EBUSY,
				  "it shares its SysV semaphore adjustments with another process");
	rcu_read_lock();
	list_for_each_entry_rcu(undo, &list->list_proc, list_proc)
		found |= has_adjustment(task->nsproxy->ipc_ns, undo);
	rcu_read_unlock();
	if (found)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has SysV semaphore adjustments to undo");
	return 0;
}
