// SPDX-License-Identifier: GPL-2.0
/*
 * The ids that tasks have in pid namespaces below that of the first task.
 *
 * Records know a task by its id in the pid namespace of the first one, where all of
 * them have one. What it has besides, in each namespace down to its own, is told
 * behind the tree. Whoever creates the tasks of a restart brings the namespaces
 * about with them; they are compared before anything else is read.
 */
#include <linux/limits.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "internal.h"

/* What struct ckpt_pid_ns.ids has for an id that no task has any more. */
#define NOBODY		INT_MAX

static int save_ids(struct ckpt_ctx *ctx, struct ckpt_hdr_tree *tree,
		    struct pid *pid)
{
	unsigned int level;

	for (level = ctx->pid_ns->level + 1; level <= pid->level; level++) {
		struct ckpt_hdr_nested_pid *record;
		u32 pid_ns = ckpt_object_id(ctx, pid->numbers[level].ns);

		/* Nobody is left there, and nobody is to see the id. */
		if (!pid_ns)
			break;
		record = ckpt_record_add(ctx, CKPT_HDR_NESTED_PID);
		if (!record)
			return -ENOMEM;
		record->pid = pid_nr_ns(pid, ctx->pid_ns);
		record->pid_ns = pid_ns;
		record->nested_pid = pid->numbers[level].nr;
		tree->nr_nested_pids++;
	}
	return 0;
}

/* A process group or a session whose leader is gone, and has left its id. */
static int save_leaderless(struct ckpt_ctx *ctx, struct ckpt_hdr_tree *tree,
			   struct xarray *seen, struct task_struct *task,
			   enum pid_type type)
{
	struct pid *pid = get_task_pid(task, type);
	int ret = 0;

	if (!pid)
		return 0;
	if (!pid_nr_ns(pid, ctx->pid_ns) || pid->level == ctx->pid_ns->level)
		goto put;
	scoped_guard(rcu)
		if (pid_task(pid, PIDTYPE_PID))
			goto put;
	ret = xa_insert(seen, pid_nr(pid), xa_mk_value(0), GFP_KERNEL_ACCOUNT);
	if (!ret)
		ret = save_ids(ctx, tree, pid);
	else if (ret == -EBUSY)
		ret = 0;
put:
	put_pid(pid);
	return ret;
}

/**
 * ckpt_nested_save - save the ids below the pid namespace of the first task
 * @ctx: context; its tasks are stopped, and their namespaces were saved
 * @tree: its record; the number of ids is filled in
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_nested_save(struct ckpt_ctx *ctx, struct ckpt_hdr_tree *tree)
{
	struct xarray seen;
	int ret = 0;
	u32 index;

	for (index = 0; index < ctx->nr_tasks && !ret; index++)
		ret = save_ids(ctx, tree, task_pid(ctx->tasks[index].task));
	xa_init(&seen);
	for (index = 0; index < ctx->nr_tasks && !ret; index++) {
		struct task_struct *task = ctx->tasks[index].task;

		if (!thread_group_leader(task))
			continue;
		ret = save_leaderless(ctx, tree, &seen, task, PIDTYPE_PGID);
		if (!ret)
			ret = save_leaderless(ctx, tree, &seen, task,
					      PIDTYPE_SID);
	}
	xa_destroy(&seen);
	return ret;
}

static bool is_within(const struct ckpt_pid_ns *inner,
		      const struct ckpt_pid_ns *outer)
{
	while (inner && inner != outer)
		inner = inner->parent;
	return inner == outer;
}

/**
 * ckpt_nested_place - find the pid namespace of a task that was read
 * @ctx: context, restoring
 * @index: of the task; its parent and its leader are known
 *
 * Return: 0, -EINVAL.
 */
int ckpt_nested_place(struct ckpt_ctx *ctx, u32 index)
{
	struct ckpt_tree_task *place = &ctx->tasks[index];
	struct ckpt_tree_task *leader = &ctx->tasks[place->leader];

	place->pid_ns = ckpt_object_find(ctx, place->ids.pid_ns,
					 CKPT_OBJ_PID_NS);
	if (!index && place->pid_ns)
		return ckpt_error(ctx, -EINVAL,
				  "the first task is in another pid namespace than its own");
	if (place->pid_ns != leader->pid_ns)
		return ckpt_error(ctx, -EINVAL,
				  "task %u is in another pid namespace than its process",
				  index);
	if (!is_within(place->pid_ns, ctx->tasks[place->parent].pid_ns))
		return ckpt_error(ctx, -EINVAL,
				  "task %u is in a pid namespace that is not below that of its parent",
				  index);
	return 0;
}

static int add_id(struct ckpt_ctx *ctx, struct ckpt_pid_ns *pid_ns, u32 id,
		  u32 index)
{
	int ret = xa_insert(&pid_ns->ids, id, xa_mk_value(index),
			    GFP_KERNEL_ACCOUNT);

	if (ret == -EBUSY)
		return ckpt_error(ctx, -EINVAL,
				  "two tasks have the id %u in a pid namespace",
				  id);
	if (!ret)
		pid_ns->nr_ids++;
	return ret;
}

static int read_id(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_nested_pid record;
	struct ckpt_tree_task *place;
	struct ckpt_pid_ns *pid_ns;
	void *entry;
	u32 index;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_NESTED_PID, &record);
	if (ret)
		return ret;
	pid_ns = ckpt_object_find(ctx, record.pid_ns, CKPT_OBJ_PID_NS);
	entry = xa_load(&ctx->task_indices, record.pid);
	if (!entry)
		return add_id(ctx, pid_ns, record.nested_pid, NOBODY);
	index = xa_to_value(entry);
	place = &ctx->tasks[index];
	if (pid_ns->parent != place->pid_ns_numbered)
		return ckpt_error(ctx, -EINVAL,
				  "the ids of task %u are not in the order of its pid namespaces",
				  index);
	place->pid_ns_numbered = pid_ns;
	/* Whoever has it creates the namespace, and ends it. */
	if (record.nested_pid == 1 &&
	    (pid_ns != place->pid_ns || place->leader != index))
		return ckpt_error(ctx, -EINVAL,
				  "task %u is the init of a pid namespace that is not its own",
				  index);
	return add_id(ctx, pid_ns, record.nested_pid, index);
}

/* With its init everybody in a namespace ends. */
static int check_init(struct ckpt_ctx *ctx, struct ckpt_pid_ns *pid_ns)
{
	void *init = xa_load(&pid_ns->ids, 1);
	u32 index;

	if (!init || xa_to_value(init) == NOBODY)
		return ckpt_error(ctx, -EINVAL, "a pid namespace has no init");
	index = xa_to_value(init);
	if (ctx->tasks[ctx->tasks[index].parent].pid_ns != pid_ns->parent)
		return ckpt_error(ctx, -EINVAL,
				  "the parent of task %u, the init of a pid namespace, is not in the one outside",
				  index);
	if (ckpt_tree_is_dead_process(&ctx->tasks[index]) &&
	    pid_ns->nr_ids != 1)
		return ckpt_error(ctx, -EINVAL,
				  "a pid namespace has other tasks than task %u, its init, which is dead",
				  index);
	return 0;
}

/* The namespaces that were read with the tasks: objects are numbered from 1 on. */
static struct ckpt_pid_ns *nth_pid_ns(struct ckpt_ctx *ctx, u32 objref)
{
	return ckpt_object_find(ctx, objref, CKPT_OBJ_PID_NS);
}

/**
 * ckpt_nested_read - read the ids below the pid namespace of the first task
 * @ctx: context; all tasks were read
 * @nr_nested_pids: their number
 *
 * Return: 0 or a negative errno.
 */
int ckpt_nested_read(struct ckpt_ctx *ctx, u32 nr_nested_pids)
{
	u32 index, objref;
	int ret = 0;

	for (index = 0; index < nr_nested_pids && !ret; index++)
		ret = read_id(ctx);
	for (index = 0; index < ctx->nr_tasks && !ret; index++)
		if (ctx->tasks[index].pid_ns_numbered != ctx->tasks[index].pid_ns)
			ret = ckpt_error(ctx, -EINVAL,
					 "task %u has not an id in each of its pid namespaces",
					 index);
	for (objref = 1; objref <= ctx->nr_objects && !ret; objref++) {
		struct ckpt_pid_ns *pid_ns = nth_pid_ns(ctx, objref);

		if (pid_ns)
			ret = check_init(ctx, pid_ns);
	}
	return ret;
}

/* Each id that the task has below that of the first one, the innermost first. */
static const char *compare_ids(const struct ckpt_ctx *ctx, u32 index,
			       struct pid *pid)
{
	struct ckpt_pid_ns *pid_ns = ctx->tasks[index].pid_ns;

	for (; pid_ns; pid_ns = pid_ns->parent) {
		void *entry = xa_load(&pid_ns->ids,
				      pid_nr_ns(pid, pid_ns->ns));

		if (!entry || xa_to_value(entry) != index)
			return "with its id in a pid namespace";
	}
	return NULL;
}

/* The first one tells which the namespace is. */
static bool is_in_place(struct ckpt_ctx *ctx, u32 index,
			struct pid_namespace *ns)
{
	struct ckpt_pid_ns *pid_ns = ctx->tasks[index].pid_ns;

	if (!pid_ns)
		return ns == ctx->pid_ns;
	if (pid_ns->ns)
		return ns == pid_ns->ns;
	if (!ns->parent || ns->parent != (pid_ns->parent ? pid_ns->parent->ns :
							   ctx->pid_ns))
		return false;
	pid_ns->ns = get_pid_ns(ns);
	return true;
}

static const char *missing_place(struct ckpt_ctx *ctx, u32 index)
{
	struct pid *pid;

	guard(rcu)();
	pid = task_pid(ctx->tasks[index].task);
	if (!pid)
		return "that lives";
	if (!index)
		ctx->pid_ns = get_pid_ns(ns_of_pid(pid));
	if (!is_in_place(ctx, index, ns_of_pid(pid)))
		return "in the pid namespace where it was";
	return compare_ids(ctx, index, pid);
}

/**
 * ckpt_nested_check - are the tasks that came in the pid namespaces of the image?
 * @ctx: context, restoring; all tasks have come
 *
 * An image may put nobody where it likes: with its init a namespace ends, and the
 * others wait for orders that nothing interrupts.
 *
 * Return: 0, -EINVAL.
 */
int ckpt_nested_check(struct ckpt_ctx *ctx)
{
	u32 index, objref;
	int ret = 0;

	for (index = 0; index < ctx->nr_tasks; index++) {
		const char *missing = missing_place(ctx, index);

		if (missing)
			return ckpt_error(ctx, -EINVAL,
					  "who would become task %u is no task %s",
					  index, missing);
	}
	for (objref = 1; objref <= ctx->nr_objects && !ret; objref++) {
		struct ckpt_pid_ns *pid_ns = nth_pid_ns(ctx, objref);

		if (pid_ns)
			ret = ckpt_pid_ns_put_off(ctx, pid_ns);
	}
	return ret;
}
