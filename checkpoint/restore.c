// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of restart(): parse and validate, build, commit or abort.
 *
 * restart(1) creates the tasks; each of them calls restart() and waits in a
 * slot, see slot.c. The coordinator, their parent, reads the header and hands
 * the image over to the task whose records come next. That task reads its own
 * records and builds its new state beside the old one. When the coordinator has
 * read the tail and the checksum is right, the tasks commit: from then on they
 * are the saved ones. Until then nothing has changed, and any error gives every
 * task back the state that it had.
 */
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/minmax.h>
#include <linux/pid_namespace.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seccomp.h>
#include <linux/slab.h>
#include <trace/events/checkpoint.h>

#include "internal.h"

static int read_header(struct ckpt_ctx *ctx)
{
	unsigned int strings;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_HEADER, &ctx->header);
	if (ret)
		return ret;
	if (ctx->header.page_size != PAGE_SIZE)
		return ckpt_error(ctx, -EINVAL, "pages of %u bytes",
				  ctx->header.page_size);
	for (strings = 0; strings < 3; strings++) {
		char *text = ckpt_text_read(ctx);

		if (IS_ERR(text))
			return PTR_ERR(text);
		kvfree(text);
	}
	ret = ckpt_record_read(ctx, CKPT_HDR_HEADER_ARCH, &ctx->arch);
	return ret ?: arch_ckpt_check_header(ctx);
}

/*
 * A filter sees the system calls of its task, and nothing of what a restart does
 * in their stead: who is under one must not get around it.
 */
static int check_seccomp(struct ckpt_ctx *ctx)
{
	if (seccomp_mode(&current->seccomp) == SECCOMP_MODE_DISABLED)
		return 0;
	return ckpt_error(ctx, -EPERM, "the caller is under seccomp");
}

static int restore_task(struct ckpt_ctx *ctx, u32 place,
			struct ckpt_task_stage *stage)
{
	struct ckpt_tree_task *leader = &ctx->tasks[ctx->tasks[place].leader];
	unsigned int index;
	int ret = check_seccomp(ctx);

	if (ret)
		return ret;
	/* What the image does not have is that of the caller, for all of them. */
	if (current_user_ns() != ctx->user_ns)
		return ckpt_error(ctx, -EINVAL,
				  "the task to restore is in another user namespace than its coordinator");
	/*
	 * Other threads would stay beside the restored ones, with the old
	 * memory. Files are made with the functions of system calls, and found
	 * at their descriptors: nobody else may put another one there.
	 */
	if (refcount_read(&ckpt_sighand(current)->count) != leader->nr_threads ||
	    get_nr_threads(current) != leader->nr_threads ||
	    atomic_read(&current->files->count) != 1)
		return ckpt_error(ctx, -EBUSY,
				  "the task to restore has other threads, or shares its signal handlers or its descriptor table");
	stage->ids = &ctx->tasks[place].ids;
	stage->acts_for_group = ckpt_tree_acts_for_group(ctx, place);
	stage->is_subreaper = leader->ids.flags & CKPT_PIDS_SUBREAPER;
	if (stage->ids->flags & CKPT_PIDS_DEAD)
		return ckpt_task_dead_restore(ctx, place, stage);
	for (index = 0; index < ckpt_nr_task_parts; index++) {
		const struct ckpt_task_part *part = &ckpt_task_parts[index];

		ret = part->restore ? part->restore(ctx, stage) : 0;
		if (ret)
			return ckpt_error(ctx, ret, "cannot restore the %s",
					  part->name);
	}
	return ckpt_tree_check_group(ctx, place, stage);
}

/* All parts but the last one, for which see commit_last_part(). */
static int commit_task(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	unsigned int index;

	trace_ckpt_phase(ctx->header.id, "commit");
	if (stage->dead.h.type)
		return ckpt_task_dead_commit(ctx, stage);
	for (index = 0; index < ckpt_nr_task_parts - 1; index++) {
		const struct ckpt_task_part *part = &ckpt_task_parts[index];
		int ret = part->commit ? part->commit(ctx, stage) : 0;

		if (!ret)
			continue;
		if (!index)
			return ckpt_error(ctx, ret, "cannot restore the %s",
					  part->name);
		/* Neither the old nor the new task: it must not go on. */
		WARN_ONCE(1, "checkpoint: commit of %s failed: %d\n",
			  part->name, ret);
		force_fatal_sig(SIGKILL);
		return ret;
	}
	return 0;
}

/*
 * With the registers a task is in the system call that the saved one was in, for
 * everybody who looks. So it gets them when it need not wait any more.
 */
static void commit_last_part(struct ckpt_ctx *ctx,
			     struct ckpt_task_stage *stage)
{
	WARN_ON_ONCE(ckpt_task_parts[ckpt_nr_task_parts - 1].commit(ctx, stage));
}

/*
 * With RESTART_FROZEN no task may run before somebody thaws it. That is true when
 * the freezer of its cgroup (v2) has told it to stop: it will, on its way out of
 * this system call. To look at the cgroup would not do, because a task that has
 * not been told yet could run for a moment. A dead one does not run at all.
 */
static int check_frozen(struct ckpt_ctx *ctx)
{
	u32 index;

	if (!(ctx->flags & RESTART_FROZEN))
		return 0;
	for (index = 0; index < ctx->nr_tasks; index++) {
		const struct ckpt_tree_task *place = &ctx->tasks[index];

		if (place->ids.flags & CKPT_PIDS_DEAD ||
		    READ_ONCE(place->task->jobctl) & JOBCTL_TRAP_FREEZE)
			continue;
		return ckpt_error(ctx, -EBUSY,
				  "who would become task %u is in no cgroup that is frozen",
				  index);
	}
	return 0;
}

/* Everything is built: the last step that may fail, and then the verdict. */
static int end_of_image(struct ckpt_ctx *ctx)
{
	int ret = ckpt_stream_read_tail(ctx);

	if (!ret)
		ret = check_frozen(ctx);
	return ret ?: ckpt_objects_publish(ctx);
}

/* All are what they shall be, and none runs yet. */
static void end_of_commit(struct ckpt_ctx *ctx)
{
	ctx->committed = true;
	ckpt_tree_commit_sharing(ctx);
	ckpt_file_owners_commit(ctx);
	ckpt_objects_release(ctx);
}

static struct ckpt_task_stage *stage_alloc(void)
{
	struct ckpt_task_stage *stage;

	stage = kzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);
	if (stage)
		INIT_LIST_HEAD(&stage->pending);
	return stage;
}

static void stage_free(struct ckpt_task_stage *stage)
{
	unsigned int index;

	for (index = 0; index < ckpt_nr_task_parts; index++)
		if (ckpt_task_parts[index].release)
			ckpt_task_parts[index].release(stage);
	kfree(stage);
}

/* One task can take the place of one. */
static int check_alone(struct ckpt_ctx *ctx)
{
	struct ckpt_tree_task *place = &ctx->tasks[0];

	if (ctx->nr_tasks != 1)
		return ckpt_error(ctx, -EINVAL,
				  "the image has %u tasks, and RESTART_TASKSELF is for one",
				  ctx->nr_tasks);
	place->task = get_task_struct(current);
	return ckpt_nested_check(ctx);
}

/**
 * ckpt_do_restart_self - become the task of an image
 * @ctx: context
 *
 * Return: what the saved task's interrupted system call returns, or a negative
 * errno; then the caller is as before.
 */
long ckpt_do_restart_self(struct ckpt_ctx *ctx)
{
	struct ckpt_task_stage *stage;
	long ret;

	stage = stage_alloc();
	if (!stage)
		return -ENOMEM;
	ctx->root_task = get_task_struct(current);
	ret = read_header(ctx);
	if (!ret)
		ret = ckpt_tree_read(ctx);
	if (!ret)
		ret = check_alone(ctx);
	if (!ret)
		ret = restore_task(ctx, 0, stage);
	if (!ret)
		ret = end_of_image(ctx);
	if (!ret)
		ret = commit_task(ctx, stage);
	if (!ret) {
		end_of_commit(ctx);
		commit_last_part(ctx, stage);
	}
	ckpt_stream_end(ctx);
	ckpt_report_flush(ctx);
	if (!ret)
		ret = arch_ckpt_return_value(stage);
	else if (ctx->error)
		ret = ctx->error;
	stage_free(stage);
	return ret;
}

static int find_child(struct ckpt_ctx *ctx, pid_t pid)
{
	struct task_struct *task = find_get_task_by_vpid(pid);
	bool is_child;

	if (!task)
		return ckpt_error(ctx, -ESRCH, "no task %d", pid);
	ctx->root_task = task;
	rcu_read_lock();
	is_child = thread_group_leader(task) &&
		   same_thread_group(rcu_dereference(task->real_parent),
				     current);
	rcu_read_unlock();
	if (!is_child)
		return ckpt_error(ctx, -ESRCH, "task %d is not a child", pid);
	return 0;
}

static int coordinate(struct ckpt_ctx *ctx)
{
	int ret;

	ret = read_header(ctx);
	if (!ret)
		ret = ckpt_tree_read(ctx);
	if (!ret)
		ret = ckpt_slots_gather(ctx);
	if (!ret)
		ret = ckpt_tree_check_relations(ctx);
	if (!ret)
		ret = ckpt_slots_restore(ctx);
	if (!ret)
		ret = end_of_image(ctx);
	if (!ret)
		return ckpt_slots_commit(ctx);
	ckpt_slots_abort(ctx, ret == -EINTR);
	return ret;
}

/**
 * ckpt_do_restart - restore the tasks of an image, as their coordinator
 * @ctx: context
 * @pid: child that becomes the first task; it calls restart() by itself
 *
 * Return: 0 when the tasks run, or a negative errno.
 */
long ckpt_do_restart(struct ckpt_ctx *ctx, pid_t pid)
{
	long ret;

	ret = check_seccomp(ctx);
	if (!ret)
		ret = find_child(ctx, pid);
	if (!ret)
		ret = coordinate(ctx);
	ckpt_stream_end(ctx);
	ckpt_report_flush(ctx);
	return ret && ctx->error ? ctx->error : ret;
}

static long restore_in_slot(struct ckpt_slot *slot, u32 index,
			    struct ckpt_task_stage *stage)
{
	struct ckpt_ctx *ctx = ckpt_slot_ctx(slot);
	long ret;

	ret = ckpt_slot_wait_restore(slot);
	if (ret)
		return ret;
	ret = restore_task(ctx, index, stage);
	/* Allocations fail for who is killed: that is not what is wrong. */
	if (ret && fatal_signal_pending(current)) {
		ret = -EINTR;
		ctx->error = ret;
	}
	if (!ret)
		ret = ckpt_slot_wait_commit(slot);
	if (ret)
		return ret;
	ret = commit_task(ctx, stage);
	if (ret)
		return ret;
	/* The first task is the last to commit. */
	if (!index)
		end_of_commit(ctx);
	ckpt_slot_wait_release(slot);
	if (!stage->dead.h.type)
		commit_last_part(ctx, stage);
	return 0;
}

/**
 * ckpt_do_restart_task - wait to be restored, then become the saved task
 * @index: place in the TREE of the image
 *
 * Return: what the saved task's interrupted system call returns, or a negative
 * errno; then the caller is as before. Does not return if the saved one was
 * dead.
 */
long ckpt_do_restart_task(u32 index)
{
	DECLARE_COMPLETION_ONSTACK(vfork_done);
	struct task_struct *vfork_child = NULL;
	struct ckpt_task_stage *stage;
	struct ckpt_slot *slot;
	long ret, value = 0;
	bool is_dead;

	stage = stage_alloc();
	if (!stage)
		return -ENOMEM;
	stage->vfork_done = &vfork_done;
	slot = ckpt_slot_enter(index);
	if (IS_ERR(slot)) {
		stage_free(stage);
		return PTR_ERR(slot);
	}
	ret = restore_in_slot(slot, index, stage);
	is_dead = !ret && stage->dead.h.type;
	if (is_dead)
		value = stage->dead.status;
	else if (!ret)
		value = arch_ckpt_return_value(stage);
	if (!ret && stage->vfork_child) {
		swap(vfork_child, stage->vfork_child);
		value = stage->vfork_pid;
	}
	stage_free(stage);
	ckpt_slot_leave(slot, ret);
	if (is_dead)
		do_exit(value);
	/* On this stack, where another checkpoint looks for it. */
	if (vfork_child)
		wait_for_vfork_done(vfork_child, &vfork_done);
	return ret ?: value;
}
