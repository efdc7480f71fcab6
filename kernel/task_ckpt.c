// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of what belongs to a task alone, and of its
 * references to shared objects.
 *
 * Saved: name, personality, no_new_privs, scheduling policy, nice value and
 *	slice, affinity, utilization clamps, I/O priority, NUMA policy, timer slack,
 *	what prctl() says of flushers, of memory errors and of the time stamp
 *	counter, exit signal.
 * Reset to default: accumulated CPU times, start time, keyrings, security
 *	labels, cgroup (that of the restart).
 * Refused: tracers, SysV semaphore undo lists, io_uring.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/ioprio.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/security.h>
#include <linux/string.h>
#include <linux/syscall_user_dispatch.h>
#include <linux/user_namespace.h>
#include <uapi/linux/sched/types.h>

#ifdef CONFIG_SECURITY_LANDLOCK
#include "../security/landlock/cred.h"
#endif

/* What PR_SET_IO_FLUSHER sets. */
#define IO_FLUSHER	(PF_MEMALLOC_NOIO | PF_LOCAL_THROTTLE)

/**
 * struct shared - what tasks may have in common, and was not looked at yet
 * @sighand: or NULL
 * @files: or NULL
 * @fs: or NULL
 */
struct shared {
	struct sighand_struct *sighand;
	struct files_struct *files;
	struct fs_struct *fs;
};

/* As a rule threads share everything, and nobody else does. */
static void forget_private(struct shared *shared, struct task_struct *process)
{
	unsigned int nr_sighand = 0, nr_files = 0, nr_fs = 0;
	struct task_struct *thread;

	rcu_read_lock();
	for_each_thread(process, thread) {
		nr_sighand += ckpt_sighand(thread) == shared->sighand;
		nr_files += READ_ONCE(thread->files) == shared->files;
		nr_fs += READ_ONCE(thread->fs) == shared->fs;
	}
	rcu_read_unlock();
	if (shared->sighand &&
	    refcount_read(&shared->sighand->count) == nr_sighand)
		shared->sighand = NULL;
	if (shared->files && atomic_read(&shared->files->count) == nr_files)
		shared->files = NULL;
	if (shared->fs && shared->fs->users == nr_fs)
		shared->fs = NULL;
}

static const char *has_in_common(const struct shared *shared,
				 struct task_struct *task)
{
	if (shared->sighand &&
	    rcu_access_pointer(task->sighand) == shared->sighand)
		return "signal handlers";
	if (shared->files && READ_ONCE(task->files) == shared->files)
		return "descriptor table";
	if (shared->fs && READ_ONCE(task->fs) == shared->fs)
		return "working directory";
	return NULL;
}

/*
 * A second reference may be that of another checkpoint, or of a reader of
 * /proc: only another process that has the object shares it. If that is saved,
 * too, then both share it again. A dead one keeps its handlers and uses them no
 * more. What was saved before was looked at then: threads are many.
 */
static int check_sharing(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct shared shared = {
		.sighand = ckpt_sighand(task),
		.files = task->files,
		.fs = task->fs,
	};
	struct task_struct *process, *other, *leader = task->group_leader;
	const char *what;
	pid_t pid;

	/* The first thread comes first; a dead one has no files. */
	if (task != leader && shared.files == leader->files &&
	    shared.fs == leader->fs)
		return 0;
	if (ckpt_object_id(ctx, shared.sighand))
		shared.sighand = NULL;
	if (ckpt_object_id(ctx, shared.files))
		shared.files = NULL;
	if (ckpt_object_id(ctx, shared.fs))
		shared.fs = NULL;
	if (shared.sighand || shared.files || shared.fs)
		forget_private(&shared, task);
	if (!shared.sighand && !shared.files && !shared.fs)
		return 0;
	rcu_read_lock();
	for_each_process_thread(process, other) {
		if (same_thread_group(other, task) ||
		    READ_ONCE(other->exit_state) || ckpt_tree_has(ctx, other))
			continue;
		what = has_in_common(&shared, other);
		if (what)
			goto found;
	}
	rcu_read_unlock();
	return 0;

found:
	pid = task_pid_vnr(other);
	rcu_read_unlock();
	return ckpt_error(ctx, -EBUSY, "it shares its %s with process %d",
			  what, pid);
}

static int check_relations(struct ckpt_ctx *ctx, struct task_struct *task)
{
	if (!task->mm || !task->files || !task->fs)
		return ckpt_error(ctx, -ESRCH, "the task is exiting");
	if (task->ptrace || !list_empty(&task->ptraced))
		return ckpt_error(ctx, -EBUSY, "it is traced or traces another");
	return check_sharing(ctx, task);
}

/* State that has no record yet must not get lost in silence. */
static int check_unsupported(struct ckpt_ctx *ctx, struct task_struct *task)
{
#ifdef CONFIG_SECURITY_LANDLOCK
	/* A restart would be free of it. */
	if (landlocked(task))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it is restricted by Landlock");
#endif
#ifdef CONFIG_SYSVIPC
	if (!list_empty(&task->sysvshm.shm_clist))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has created SysV shared memory");
#endif
#ifdef CONFIG_IO_URING
	if (task->io_uring)
		return ckpt_error(ctx, -EOPNOTSUPP, "it uses io_uring");
#endif
#ifdef CONFIG_GENERIC_ENTRY
	if (test_task_syscall_work(task, SYSCALL_USER_DISPATCH))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "its system calls are dispatched to user space");
#endif
#ifdef CONFIG_AIO
	if (rcu_access_pointer(task->mm->ioctx_table))
		return ckpt_error(ctx, -EOPNOTSUPP, "it uses AIO");
#endif
	if (test_bit(MMF_VM_MERGE_ANY, &task->mm->flags))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has set PR_SET_MEMORY_MERGE");
	if (test_bit(MMF_HAS_UPROBES, &task->mm->flags))
		return ckpt_error(ctx, -EOPNOTSUPP, "it has uprobes");
#ifdef CONFIG_SCHED_CORE
	if (task->core_cookie)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has a core scheduling cookie");
#endif
#ifdef CONFIG_SYSVIPC
	return ckpt_sem_undo_check(ctx, task);
#else
	return 0;
#endif
}

static int save_objects(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_hdr_task_objs *record;
	int cred, fs, files, mm, sighand, signal, filter, nsproxy;

	/* The task is stopped: nobody else replaces these pointers. */
	cred = ckpt_object_save(ctx, CKPT_OBJ_CRED,
				(void *)rcu_access_pointer(task->real_cred));
	if (cred < 0)
		return cred;
	fs = ckpt_object_save(ctx, CKPT_OBJ_FS, task->fs);
	if (fs < 0)
		return fs;
	/* Before the descriptors: an open file of /proc may refer to it. */
	mm = ckpt_object_save(ctx, CKPT_OBJ_MM, task->mm);
	if (mm < 0)
		return mm;
	files = ckpt_object_save(ctx, CKPT_OBJ_FILE_TABLE, task->files);
	if (files < 0)
		return files;
	sighand = ckpt_object_save(ctx, CKPT_OBJ_SIGHAND,
				   ckpt_sighand(task));
	if (sighand < 0)
		return sighand;
	signal = ckpt_object_save(ctx, CKPT_OBJ_SIGNAL, task->signal);
	if (signal < 0)
		return signal;
	filter = ckpt_seccomp_save(ctx, task);
	if (filter < 0)
		return filter;
	nsproxy = ckpt_namespaces_save(ctx, task);
	if (nsproxy < 0)
		return nsproxy;

	record = ckpt_record_add(ctx, CKPT_HDR_TASK_OBJS);
	if (!record)
		return -ENOMEM;
	record->cred = cred;
	record->fs = fs;
	record->files = files;
	record->mm = mm;
	record->sighand = sighand;
	record->signal = signal;
	record->seccomp_filter = filter;
	record->nsproxy = nsproxy;
	return 0;
}

/* What prctl() and sched_setattr() keep in single bits. */
static u32 flags_to_image(struct task_struct *task)
{
	u32 flags = 0;

	if (task_no_new_privs(task))
		flags |= CKPT_TASK_NO_NEW_PRIVS;
	if ((task->flags & IO_FLUSHER) == IO_FLUSHER)
		flags |= CKPT_TASK_IO_FLUSHER;
	if (task->flags & PF_MCE_PROCESS)
		flags |= CKPT_TASK_MCE_PROCESS;
	if (task->flags & PF_MCE_EARLY)
		flags |= CKPT_TASK_MCE_EARLY;
	if (task->sched_reset_on_fork)
		flags |= CKPT_TASK_RESET_ON_FORK;
#ifdef TIF_NOTSC
	if (test_tsk_thread_flag(task, TIF_NOTSC))
		flags |= CKPT_TASK_NO_TSC;
#endif
	if (seccomp_mode(&task->seccomp) == SECCOMP_MODE_STRICT)
		flags |= CKPT_TASK_SECCOMP_STRICT;
	return flags;
}

static bool has_mempolicy(struct task_struct *task)
{
#ifdef CONFIG_NUMA
	return task->mempolicy;
#else
	return false;
#endif
}

/* What ioprio_set() was given, or 0. */
static u32 get_ioprio(struct task_struct *task)
{
	u32 ioprio = IOPRIO_DEFAULT;

#ifdef CONFIG_BLOCK
	task_lock(task);
	if (task->io_context)
		ioprio = task->io_context->ioprio;
	task_unlock(task);
#endif
	return ioprio;
}

/**
 * ckpt_task_save - save what belongs to a task alone, and its objects
 * @ctx: context
 * @task: stopped, or the caller
 *
 * Return: 0 or a negative errno.
 */
int ckpt_task_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_hdr_task *record;
	int ret;

	ret = check_relations(ctx, task);
	if (!ret)
		ret = check_unsupported(ctx, task);
	if (!ret)
		ret = ckpt_namespaces_check(ctx, task);
	if (ret)
		return ret;

	record = ckpt_record_add(ctx, CKPT_HDR_TASK);
	if (!record)
		return -ENOMEM;
	record->flags = flags_to_image(task);
	if (thread_group_leader(task))
		record->exit_signal = task->exit_signal;
	record->personality = task->personality;
	record->nice = task_nice(task);
	record->sched_policy = task->policy;
	record->rt_priority = task->rt_priority;
	record->timer_slack_ns = task->timer_slack_ns;
	record->default_timer_slack_ns = task->default_timer_slack_ns;
	record->slice_ns = task->se.custom_slice ? task->se.slice : 0;
	record->ioprio = get_ioprio(task);
	ckpt_uclamp_save(task, record);
	if (has_mempolicy(task))
		record->flags |= CKPT_TASK_MEMPOLICY;
	strscpy_pad(record->comm, task->comm);
	ret = ckpt_vfork_save(ctx, task);
	if (ret < 0)
		return ret;
	record->vfork_child = ret;
	if (task->policy == SCHED_DEADLINE)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "its scheduling policy is SCHED_DEADLINE");
	ret = ckpt_affinity_save(ctx, task);
	if (!ret && has_mempolicy(task))
		ret = ckpt_mempolicy_save_task(ctx, task);
	return ret ?: save_objects(ctx, task);
}

static int check_scheduling(struct ckpt_ctx *ctx,
			    const struct ckpt_hdr_task *record)
{
	bool realtime = record->sched_policy == SCHED_FIFO ||
			record->sched_policy == SCHED_RR;

	if (realtime != !!record->rt_priority ||
	    !(realtime || record->sched_policy == SCHED_NORMAL ||
	      record->sched_policy == SCHED_BATCH ||
	      record->sched_policy == SCHED_IDLE))
		return ckpt_error(ctx, -EINVAL,
				  "scheduling policy %u with priority %u",
				  record->sched_policy, record->rt_priority);
	if (record->nice < task_nice(current) &&
	    !can_nice(current, record->nice))
		return ckpt_error(ctx, -EPERM, "no right to nice value %d",
				  record->nice);
	if (current->policy == SCHED_IDLE && record->sched_policy != SCHED_IDLE &&
	    !can_nice(current, record->nice))
		return ckpt_error(ctx, -EPERM, "no right to leave SCHED_IDLE");
	if (realtime && !capable(CAP_SYS_NICE))
		return ckpt_error(ctx, -EPERM,
				  "no right to real-time scheduling");
	if (current->sched_reset_on_fork && !capable(CAP_SYS_NICE) &&
	    !(record->flags & CKPT_TASK_RESET_ON_FORK))
		return ckpt_error(ctx, -EPERM,
				  "the caller cannot give up SCHED_FLAG_RESET_ON_FORK");
	return ckpt_uclamp_check(ctx, record);
}

/* What setting it by system calls would need, restoring it needs too. */
static int check_privileges(struct ckpt_ctx *ctx,
			    const struct ckpt_hdr_task *record)
{
	bool is_flusher = current->flags & IO_FLUSHER;

	if (!(record->flags & CKPT_TASK_NO_NEW_PRIVS) &&
	    task_no_new_privs(current))
		return ckpt_error(ctx, -EPERM,
				  "the caller cannot give up no_new_privs");
	if (is_flusher != !!(record->flags & CKPT_TASK_IO_FLUSHER) &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_error(ctx, -EPERM,
				  "no right to set PR_SET_IO_FLUSHER");
	if (record->flags & CKPT_TASK_MCE_EARLY &&
	    !(record->flags & CKPT_TASK_MCE_PROCESS))
		return ckpt_error(ctx, -EINVAL, "PR_MCE_KILL");
	return check_scheduling(ctx, record);
}

/* Also makes what setting it needs, so that the commit cannot fail. */
static int prepare_ioprio(struct ckpt_ctx *ctx,
			  const struct ckpt_hdr_task *record)
{
	int ret = 0;

	if (record->ioprio == get_ioprio(current))
		return 0;
#ifdef CONFIG_BLOCK
	ret = ioprio_check_cap(record->ioprio);
	if (!ret)
		ret = security_task_setioprio(current, record->ioprio);
	if (!ret)
		ret = set_task_ioprio(current, get_ioprio(current));
	if (ret)
		return ckpt_error(ctx, ret, "I/O priority %#x",
				  record->ioprio);
#endif
	return ret;
}

/*
 * As unshare(2) has it: nobody changes the root directory of a process in another
 * user namespace; and who wants to trace a program needs rights where it began.
 */
static int check_user_ns(struct ckpt_ctx *ctx,
			 const struct ckpt_hdr_task_objs *objs,
			 const struct ckpt_task_stage *stage)
{
	struct user_namespace *user_ns = stage->cred->user_ns;

	if (!ckpt_object_tie(ctx, objs->fs, user_ns))
		return ckpt_error(ctx, -EINVAL,
				  "its directories are shared with another user namespace");
	if (!in_userns(stage->mm->user_ns, user_ns))
		return ckpt_error(ctx, -EINVAL,
				  "its memory belongs to a user namespace that it is not in");
	return 0;
}

/**
 * ckpt_task_restore - read what belongs to a task alone, and its objects
 * @ctx: context
 * @stage: filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_task_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct ckpt_hdr_task_objs objs;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_TASK, &stage->task);
	if (!ret)
		ret = check_privileges(ctx, &stage->task);
	if (!ret)
		ret = ckpt_vfork_restore(ctx, stage);
	if (!ret)
		ret = prepare_ioprio(ctx, &stage->task);
	if (!ret)
		ret = ckpt_affinity_restore(ctx, stage);
	if (!ret)
		ret = ckpt_mempolicy_restore_task(ctx, stage);
	if (ret)
		return ret;
	/* The memory of the task is to be where it wants it. */
	ckpt_mempolicy_swap(stage);
	ret = ckpt_record_read(ctx, CKPT_HDR_TASK_OBJS, &objs);
	ckpt_mempolicy_swap(stage);
	if (ret)
		return ret;
	stage->cred = ckpt_object_find(ctx, objs.cred, CKPT_OBJ_CRED);
	stage->fs = ckpt_object_find(ctx, objs.fs, CKPT_OBJ_FS);
	stage->files = ckpt_object_find(ctx, objs.files, CKPT_OBJ_FILE_TABLE);
	stage->mm = ckpt_object_find(ctx, objs.mm, CKPT_OBJ_MM);
	stage->sighand = ckpt_object_find(ctx, objs.sighand, CKPT_OBJ_SIGHAND);
	stage->signal = ckpt_object_find(ctx, objs.signal, CKPT_OBJ_SIGNAL);
	stage->seccomp_filter = ckpt_object_find(ctx, objs.seccomp_filter,
						 CKPT_OBJ_SECCOMP_FILTER);
	stage->nsproxy = ckpt_object_find(ctx, objs.nsproxy, CKPT_OBJ_NSPROXY);
	return check_user_ns(ctx, &objs, stage);
}

static void commit_flags(u32 flags)
{
	if (flags & CKPT_TASK_NO_NEW_PRIVS)
		task_set_no_new_privs(current);
	current->flags &= ~(IO_FLUSHER | PF_MCE_PROCESS | PF_MCE_EARLY);
	if (flags & CKPT_TASK_IO_FLUSHER)
		current->flags |= IO_FLUSHER;
	if (flags & CKPT_TASK_MCE_PROCESS)
		current->flags |= PF_MCE_PROCESS;
	if (flags & CKPT_TASK_MCE_EARLY)
		current->flags |= PF_MCE_EARLY;
#ifdef TIF_NOTSC
	SET_TSC_CTL(flags & CKPT_TASK_NO_TSC ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
#endif
}

/**
 * ckpt_task_commit - make it the state of the current task
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Return: 0 or a negative errno.
 */
int ckpt_task_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	const struct ckpt_hdr_task *record = &stage->task;
	struct sched_attr attr = {
		.size		= sizeof(attr),
		.sched_policy	= record->sched_policy,
		.sched_priority	= record->rt_priority,
		.sched_nice	= record->nice,
		.sched_runtime	= record->slice_ns,
	};
	int ret;

	if (record->flags & CKPT_TASK_RESET_ON_FORK)
		attr.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	ckpt_uclamp_fill_in(record, &attr);
	ret = sched_setattr_nocheck(current, &attr);
	if (ret)
		return ret;
	ckpt_affinity_commit(stage);
	ckpt_mempolicy_commit(stage);
#ifdef CONFIG_BLOCK
	if (record->ioprio != get_ioprio(current))
		set_task_ioprio(current, record->ioprio);
#endif
	set_task_comm(current, record->comm);
	current->personality = record->personality;
	current->timer_slack_ns = record->timer_slack_ns;
	current->default_timer_slack_ns = record->default_timer_slack_ns;
	commit_flags(record->flags);
	ckpt_vfork_commit(stage);
	/* Of the caller, as in execve(): an image with it is not made. */
	clear_syscall_work_syscall_user_dispatch(current);
	/*
	 * Who started the first task is not the parent of the restarted one,
	 * and who is waits for it in the usual way.
	 */
	if (ctx->root_task && ctx->root_task != current &&
	    thread_group_leader(current))
		WRITE_ONCE(current->exit_signal, record->exit_signal);
	return 0;
}

/**
 * ckpt_task_release - free what was not committed
 * @stage: of a task
 */
void ckpt_task_release(struct ckpt_task_stage *stage)
{
	ckpt_affinity_release(stage);
	ckpt_mempolicy_release(stage);
	ckpt_vfork_release(stage);
}
