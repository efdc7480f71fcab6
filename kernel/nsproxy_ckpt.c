// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the namespaces of a task.
 *
 * Saved: UTS and IPC namespaces, and who shares them; user namespaces are saved
 *	with credentials. Of those that the caller of checkpoint() is in, that it
 *	was there: a restart takes its own caller's.
 * Pid namespaces are saved with the ids of the tasks, and those for children here.
 *	That of the first task whoever creates the tasks of a restart chooses.
 * Refused: all other namespaces than the caller's, and those that belong to a user
 *	namespace that is not in the image.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/perf_event.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>

/* After a restart it would belong to the restarter's, with more rights or less. */
static int check_owner(struct ckpt_ctx *ctx, const char *what,
		       const struct user_namespace *owner)
{
	if (in_userns(current_user_ns(), owner))
		return 0;
	return ckpt_error(ctx, -EPERM,
			  "its %s namespace belongs to another user namespace",
			  what);
}

/**
 * ckpt_namespaces_check - can the namespaces of a task be saved?
 * @ctx: context
 * @task: stopped, or the caller
 *
 * Return: 0 or a negative errno.
 */
int ckpt_namespaces_check(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const struct nsproxy *theirs = task->nsproxy;
	const struct nsproxy *ours = current->nsproxy;
	int ret = 0;

	if (!theirs)
		return ckpt_error(ctx, -ESRCH, "the task is exiting");
	if (theirs->mnt_ns != ours->mnt_ns)
		return ckpt_error(ctx, -EPERM, "it has its own mount namespace");
	if (theirs->net_ns != ours->net_ns)
		return ckpt_error(ctx, -EPERM, "it has its own network namespace");
	if (theirs->time_ns != ours->time_ns ||
	    theirs->time_ns_for_children != ours->time_ns)
		return ckpt_error(ctx, -EPERM, "it has its own time namespace");
	if (theirs->cgroup_ns != ours->cgroup_ns)
		return ckpt_error(ctx, -EPERM, "it has its own cgroup namespace");
	/* A restart would make it in the user namespace of its caller. */
	if (ctx->pid_ns != task_active_pid_ns(current) &&
	    ctx->pid_ns->user_ns != current_user_ns())
		return ckpt_error(ctx, -EPERM,
				  "its pid namespace belongs to another user namespace");
	if (theirs->uts_ns != ours->uts_ns)
		ret = check_owner(ctx, "UTS", theirs->uts_ns->user_ns);
	if (!ret && theirs->ipc_ns != ours->ipc_ns)
		ret = check_owner(ctx, "IPC", theirs->ipc_ns->user_ns);
	return ret;
}

/**
 * ckpt_namespaces_save - save the namespaces of a task
 * @ctx: context
 * @task: found good by ckpt_namespaces_check()
 *
 * Return: the id of their set, 0 if all are the caller's, or a negative errno.
 */
int ckpt_namespaces_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	if (task->nsproxy->uts_ns == current->nsproxy->uts_ns &&
	    task->nsproxy->ipc_ns == current->nsproxy->ipc_ns &&
	    task->nsproxy->pid_ns_for_children == task_active_pid_ns(task))
		return 0;
	return ckpt_object_save(ctx, CKPT_OBJ_NSPROXY, task->nsproxy);
}

/**
 * ckpt_nsproxy_save - save a set of namespaces
 * @ctx: context
 * @object: struct nsproxy, kept by a stopped task
 *
 * Return: 0 or a negative errno.
 */
int ckpt_nsproxy_save(struct ckpt_ctx *ctx, void *object)
{
	const struct nsproxy *ours = current->nsproxy;
	struct nsproxy *nsproxy = object;
	struct ckpt_hdr_nsproxy *record;
	int uts_ns = 0, ipc_ns = 0, pid_ns;

	if (nsproxy->uts_ns != ours->uts_ns)
		uts_ns = ckpt_object_save(ctx, CKPT_OBJ_UTS_NS,
					  nsproxy->uts_ns);
	if (uts_ns < 0)
		return uts_ns;
	if (nsproxy->ipc_ns != ours->ipc_ns)
		ipc_ns = ckpt_object_save(ctx, CKPT_OBJ_IPC_NS,
					  nsproxy->ipc_ns);
	if (ipc_ns < 0)
		return ipc_ns;
	pid_ns = ckpt_pid_ns_ref(ctx, nsproxy->pid_ns_for_children);
	if (pid_ns < 0)
		return pid_ns;
	record = ckpt_record_add(ctx, CKPT_HDR_NSPROXY);
	if (!record)
		return -ENOMEM;
	record->uts_ns = uts_ns;
	record->ipc_ns = ipc_ns;
	record->pid_ns_for_children = pid_ns;
	return 0;
}

/**
 * ckpt_namespaces_may_create - what unshare(2) demands for most namespaces
 * @ctx: context
 * @what: kind of namespace, for the message
 * @owner: user namespace that it will belong to
 *
 * Return: 0, -EPERM.
 */
int ckpt_namespaces_may_create(struct ckpt_ctx *ctx, const char *what,
			       struct user_namespace *owner)
{
	if (ckpt_user_ns_is_new(owner) || ns_capable(owner, CAP_SYS_ADMIN))
		return 0;
	return ckpt_error(ctx, -EPERM, "no right to create a namespace: %s",
			  what);
}

/**
 * ckpt_nsproxy_restore - read a set of namespaces
 * @ctx: context
 *
 * What the image does not have is that of the current task.
 *
 * Return: struct nsproxy with a reference, or an error pointer.
 */
void *ckpt_nsproxy_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_nsproxy record;
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct ckpt_pid_ns *pid_ns;
	struct nsproxy *new;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_NSPROXY, &record);
	if (ret)
		return ERR_PTR(ret);
	uts_ns = ckpt_object_find(ctx, record.uts_ns, CKPT_OBJ_UTS_NS);
	ipc_ns = ckpt_object_find(ctx, record.ipc_ns, CKPT_OBJ_IPC_NS);
	pid_ns = ckpt_object_find(ctx, record.pid_ns_for_children,
				  CKPT_OBJ_PID_NS);
	if (!uts_ns && !ipc_ns && !pid_ns)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "a set of namespaces that are all the caller's"));
	new = create_new_namespaces(0, current, current_user_ns(), current->fs);
	if (IS_ERR(new))
		return new;
	/* The table of objects keeps its own references. */
	if (uts_ns) {
		get_uts_ns(uts_ns);
		put_uts_ns(new->uts_ns);
		new->uts_ns = uts_ns;
	}
	if (ipc_ns) {
		put_ipc_ns(new->ipc_ns);
		new->ipc_ns = get_ipc_ns(ipc_ns);
	}
	put_pid_ns(new->pid_ns_for_children);
	new->pid_ns_for_children = get_pid_ns(pid_ns ? pid_ns->ns : ctx->pid_ns);
	return new;
}

/**
 * ckpt_nsproxy_drop - drop a reference
 * @object: struct nsproxy
 */
void ckpt_nsproxy_drop(void *object)
{
	put_nsproxy(object);
}

/**
 * ckpt_namespaces_may_enter - may the current task have a namespace?
 * @stage: its credentials were found
 * @owner: user namespace that the other one belongs to
 *
 * Who has made a user namespace can enter what belongs to it before he makes another
 * one below it, or beside it: with the rights that he had where both are.
 *
 * Return: whether it may.
 */
bool ckpt_namespaces_may_enter(const struct ckpt_task_stage *stage,
			       const struct user_namespace *owner)
{
	while (!in_userns(owner, stage->cred->user_ns))
		owner = owner->parent;
	return ckpt_user_ns_is_new(owner) ||
	       ns_capable(current_user_ns(), CAP_SYS_ADMIN);
}

static bool may_enter_all(const struct ckpt_task_stage *stage)
{
	const struct nsproxy *new = stage->nsproxy, *old = current->nsproxy;

	return (new->uts_ns == old->uts_ns ||
		ckpt_namespaces_may_enter(stage, new->uts_ns->user_ns)) &&
	       (new->ipc_ns == old->ipc_ns ||
		ckpt_namespaces_may_enter(stage, new->ipc_ns->user_ns));
}

/**
 * ckpt_namespaces_restore - may the current task have the namespaces of its own?
 * @ctx: context
 * @stage: its objects were found
 *
 * Another task may have read them, with other rights. Those that are not in the
 * image are that task's, and a restart moves nobody into them.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_namespaces_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	const struct nsproxy *new = stage->nsproxy, *old = current->nsproxy;
	int ret;

	ret = ckpt_pid_ns_check_children(ctx, stage,
					 (new ?: old)->pid_ns_for_children);
	if (ret || !new)
		return ret;
	if (new->mnt_ns != old->mnt_ns || new->net_ns != old->net_ns ||
	    new->time_ns != old->time_ns ||
	    new->time_ns_for_children != old->time_ns_for_children ||
	    new->cgroup_ns != old->cgroup_ns)
		return ckpt_error(ctx, -EINVAL,
				  "the tasks to restore are in different namespaces");
	if (!may_enter_all(stage))
		return ckpt_error(ctx, -EPERM,
				  "no right to the namespaces of another task");
	return 0;
}

/**
 * ckpt_namespaces_commit - move the current task into its namespaces
 * @ctx: context
 * @stage: found good by ckpt_namespaces_restore()
 *
 * Return: 0.
 */
int ckpt_namespaces_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	if (!stage->nsproxy)
		return 0;
	if (stage->nsproxy->ipc_ns != current->nsproxy->ipc_ns) {
		/* As unshare(2): what it had there it cannot reach any more. */
		exit_sem(current);
		exit_shm(current);
		shm_init_task(current);
	}
	/* The table of objects keeps its own reference. */
	get_nsproxy(stage->nsproxy);
	switch_task_namespaces(current, stage->nsproxy);
	perf_event_namespaces(current);
	return 0;
}
