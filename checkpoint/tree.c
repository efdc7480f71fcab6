// SPDX-License-Identifier: GPL-2.0
/*
 * The tasks of an image: which they are, in which order, with which ids.
 *
 * The first one leads its thread group; its threads follow in the order in
 * which they were created. A process may have only one of each of the things
 * that its threads cannot but share: see ckpt_tree_check_group().
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * ckpt_tree_add - append a task
 * @ctx: context
 * @task: takes a reference; NULL if it has still to come
 *
 * Return: its place, to be filled in further, or NULL without memory. Places
 * move when another task is appended.
 */
struct ckpt_tree_task *ckpt_tree_add(struct ckpt_ctx *ctx,
				     struct task_struct *task)
{
	struct ckpt_tree_task *place, *grown;

	/* Room for a power of two: grow when one is reached. */
	if (!(ctx->nr_tasks & (ctx->nr_tasks - 1))) {
		size_t room = ctx->nr_tasks ? ctx->nr_tasks * 2UL : 1;

		grown = kvrealloc(ctx->tasks, room * sizeof(*grown),
				  GFP_KERNEL_ACCOUNT);
		if (!grown)
			return NULL;
		ctx->tasks = grown;
	}
	place = &ctx->tasks[ctx->nr_tasks++];
	memset(place, 0, sizeof(*place));
	if (task)
		place->task = get_task_struct(task);
	return place;
}

/**
 * ckpt_tree_free - forget all tasks
 * @ctx: context
 */
void ckpt_tree_free(struct ckpt_ctx *ctx)
{
	u32 index;

	for (index = 0; index < ctx->nr_tasks; index++)
		if (ctx->tasks[index].task)
			put_task_struct(ctx->tasks[index].task);
	kvfree(ctx->tasks);
	ctx->tasks = NULL;
	ctx->nr_tasks = 0;
}

static void get_ids(struct ckpt_ctx *ctx, struct task_struct *task,
		    struct ckpt_hdr_pids *ids)
{
	struct pid_namespace *pid_ns = ctx->pid_ns;

	guard(rcu)();
	ids->pid = task_pid_nr_ns(task, pid_ns);
	ids->tgid = task_tgid_nr_ns(task, pid_ns);
	ids->ppid = task_tgid_nr_ns(rcu_dereference(task->real_parent),
				    pid_ns);
	ids->pgid = task_pgrp_nr_ns(task, pid_ns);
	ids->sid = task_session_nr_ns(task, pid_ns);
	ids->depth = pid_ns->level - task_active_pid_ns(current)->level;
}

/**
 * ckpt_tree_save - save the ids of all tasks
 * @ctx: context; its tasks are stopped
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_tree_save(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_container *container;
	struct ckpt_hdr_tree *tree;
	struct ckpt_hdr_pids *ids;
	u32 index;

	container = ckpt_record_add(ctx, CKPT_HDR_CONTAINER);
	tree = ckpt_record_add(ctx, CKPT_HDR_TREE);
	if (!container || !tree)
		return -ENOMEM;
	if (ctx->flags & CHECKPOINT_SUBTREE)
		container->flags = CKPT_CONTAINER_SUBTREE;
	tree->nr_tasks = ctx->nr_tasks;
	for (index = 0; index < ctx->nr_tasks; index++) {
		ids = ckpt_record_add(ctx, CKPT_HDR_PIDS);
		if (!ids)
			return -ENOMEM;
		get_ids(ctx, ctx->tasks[index].task, ids);
	}
	return 0;
}

/**
 * ckpt_tree_read - read the ids of all tasks
 * @ctx: context
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tree_read(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_container container;
	struct ckpt_hdr_tree tree;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_CONTAINER, &container);
	if (!ret)
		ret = ckpt_record_read(ctx, CKPT_HDR_TREE, &tree);
	while (!ret && ctx->nr_tasks < tree.nr_tasks) {
		struct ckpt_tree_task *place = ckpt_tree_add(ctx, NULL);
		u32 leader;

		if (!place)
			return -ENOMEM;
		ret = ckpt_record_read(ctx, CKPT_HDR_PIDS, &place->ids);
		leader = ctx->tasks[0].ids.pid;
		if (ret)
			break;
		if (place->ids.tgid != leader && place->ids.tgid == place->ids.pid)
			return ckpt_error(ctx, -EOPNOTSUPP,
					  "several processes: trees are not supported yet");
		if (place->ids.tgid != leader ||
		    (place->ids.pid == leader && ctx->nr_tasks > 1))
			return ckpt_error(ctx, -EINVAL,
					  "task %u is no thread of process %u",
					  ctx->nr_tasks - 1, leader);
	}
	return ret;
}

/**
 * ckpt_tree_check_group - do threads share what they cannot but share?
 * @ctx: context, restoring
 * @index: task being restored
 * @stage: its objects were found
 *
 * Return: 0, -EINVAL.
 */
int ckpt_tree_check_group(struct ckpt_ctx *ctx, u32 index,
			  const struct ckpt_task_stage *stage)
{
	struct ckpt_tree_task *leader = &ctx->tasks[0];

	if (!index) {
		leader->mm = stage->mm;
		leader->sighand = stage->sighand;
		leader->signal = stage->signal;
	}
	if (stage->mm != leader->mm || stage->sighand != leader->sighand ||
	    stage->signal != leader->signal)
		return ckpt_error(ctx, -EINVAL,
				  "task %u has another address space, other signal handlers or another thread group than the first thread of its process",
				  index);
	return 0;
}

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
	u32 index;

	guard(rcu)();
	for (index = 0; index < ctx->nr_tasks; index++) {
		struct task_struct *task = ctx->tasks[index].task;

		if (pid == task_pid(task) ||
		    (type == PIDTYPE_PGID && pid == task_pgrp(task)))
			return pid_nr_ns(pid, ctx->pid_ns) ?: -EBUSY;
	}
	/* A process group may come into being as long as there is a leader. */
	if (pid_task(pid, PIDTYPE_PID) || pid_task(pid, type))
		return -EBUSY;
	return 0;
}

/**
 * ckpt_pid_find - task or process group with an id, when restoring
 * @ctx: context; its tasks have come
 * @number: id
 * @type: as in ckpt_pid_save()
 *
 * Return: what it is now, with a reference; NULL if the image has no such task.
 */
struct pid *ckpt_pid_find(struct ckpt_ctx *ctx, u32 number, enum pid_type type)
{
	u32 index;

	guard(rcu)();
	for (index = 0; index < ctx->nr_tasks; index++) {
		const struct ckpt_tree_task *place = &ctx->tasks[index];

		if (type == PIDTYPE_PGID && number == place->ids.pgid)
			return get_pid(task_pgrp(place->task));
		if (number == place->ids.pid)
			return get_pid(task_pid(place->task));
	}
	return NULL;
}
