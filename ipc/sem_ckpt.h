/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint and restart of SysV semaphores.
 *
 * Saved: sets of the IPC namespaces that are saved, with their values, times,
 *	owners and permissions.
 * Reset to default: which process changed a semaphore last.
 * Refused: adjustments that the end of the process would make, and a list of
 *	adjustments that another process shares; sets of more semaphores than
 *	semop(2) can name.
 *
 * A process has a list as soon as it has asked for an adjustment or had a
 * thread. One without an adjustment need not be saved: it is made anew.
 *
 * Included at the end of ipc/sem.c, which keeps its structures for itself.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/mm.h>

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

static int save_set(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
		    struct kern_ipc_perm *ipcp)
{
	struct sem_array *array = container_of(ipcp, struct sem_array,
					       sem_perm);
	struct ckpt_hdr_ipc_perm *perm;
	struct ckpt_hdr_sem_set *record;
	int index, ret;
	u16 *values;

	if (array->sem_nsems > CKPT_SEMS_MAX)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "a set of %d SysV semaphores",
				  array->sem_nsems);
	perm = ckpt_record_add(ctx, CKPT_HDR_IPC_PERM);
	if (!perm)
		return -ENOMEM;
	record = ckpt_record_add(ctx, CKPT_HDR_SEM_SET);
	if (!record)
		return -ENOMEM;
	record->nsems = array->sem_nsems;
	values = ckpt_buffer_add(ctx, record->nsems * sizeof(*values));
	if (!values)
		return -ENOMEM;
	/* A process outside may use it. */
	rcu_read_lock();
	sem_lock(array, NULL, -1);
	ret = ckpt_ipc_perm_fill_in(ns, perm, &array->sem_perm);
	record->otime = get_semotime(array);
	record->ctime = array->sem_ctime;
	for (index = 0; index < array->sem_nsems; index++)
		values[index] = array->sems[index].semval;
	sem_unlock(array, -1);
	rcu_read_unlock();
	if (ret)
		return ckpt_error(ctx, ret,
				  "no right to read SysV semaphores %d",
				  array->sem_perm.id);
	return 0;
}

/**
 * ckpt_sem_sets_save - save the semaphores of an IPC namespace
 * @ctx: context
 * @ns: the namespace
 * @nr: how many sets there are
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sem_sets_save(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
		       u32 *nr)
{
	return ckpt_ipc_objects_save(ctx, ns, &sem_ids(ns), save_set, nr);
}

static int create_set(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
		      const struct ckpt_hdr_ipc_perm *perm,
		      const struct ckpt_hdr_sem_set *record)
{
	static const struct ipc_ops create = { .getnew = newary };
	struct ipc_params params = { .u.nsems = record->nsems };
	int ret = -ENOSPC;

	if (params.u.nsems <= ns->sc_semmsl)
		ret = ckpt_ipc_object_create(ns, &sem_ids(ns), &create,
					     &params, perm);
	if (ret)
		return ckpt_error(ctx, ret,
				  "cannot create SysV semaphores %u with key %#x",
				  perm->id, perm->key);
	return 0;
}

static void set_values(struct ipc_namespace *ns,
		       const struct ckpt_hdr_ipc_perm *perm,
		       const struct ckpt_hdr_sem_set *record, const u16 *values)
{
	struct sem_array *array;
	u32 index;

	/* Nobody else has the namespace yet. */
	array = container_of(ckpt_ipc_perm_set(&sem_ids(ns), perm),
			     struct sem_array, sem_perm);
	array->sem_ctime = record->ctime;
	array->sems[0].sem_otime = record->otime;
	for (index = 0; index < record->nsems; index++)
		array->sems[index].semval = values[index];
}

static int check_values(struct ckpt_ctx *ctx, u32 nsems, const u16 *values,
			u32 nbytes)
{
	u32 index;

	if (nbytes != nsems * sizeof(*values))
		return ckpt_error(ctx, -EINVAL, "%u bytes for %u semaphores",
				  nbytes, nsems);
	for (index = 0; index < nsems; index++)
		if (values[index] > SEMVMX)
			return ckpt_error(ctx, -EINVAL,
					  "semaphore %u has the value %u",
					  index, values[index]);
	return 0;
}

/**
 * ckpt_sem_set_restore - create a set of semaphores
 * @ctx: context
 * @ns: private to the restart
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sem_set_restore(struct ckpt_ctx *ctx, struct ipc_namespace *ns)
{
	struct ckpt_hdr_ipc_perm perm;
	struct ckpt_hdr_sem_set record;
	u32 nbytes;
	u16 *values;
	int ret;

	ret = ckpt_ipc_perm_read(ctx, &sem_ids(ns), &perm);
	if (!ret)
		ret = ckpt_record_read(ctx, CKPT_HDR_SEM_SET, &record);
	if (ret)
		return ret;
	values = ckpt_buffer_read(ctx, &nbytes);
	if (IS_ERR(values))
		return PTR_ERR(values);
	ret = check_values(ctx, record.nsems, values, nbytes);
	if (!ret)
		ret = create_set(ctx, ns, &perm, &record);
	if (!ret)
		set_values(ns, &perm, &record, values);
	kvfree(values);
	return ret;
}
