// SPDX-License-Identifier: GPL-2.0
/*
 * The tasks of an image: which they are, in which order, with which ids.
 *
 * Parents come before their children. The first thread of a process is followed
 * by the others, in the order in which they were created. A process may have
 * only one of each of the things that its threads cannot but share: see
 * ckpt_tree_check_group().
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "internal.h"

/* Remember where the task is that has the id. */
static int add_index(struct ckpt_ctx *ctx, u32 id, u32 index)
{
	return xa_insert(&ctx->task_indices, id, xa_mk_value(index),
			 GFP_KERNEL_ACCOUNT);
}

static int find_index(struct ckpt_ctx *ctx, u32 id, u32 *index)
{
	void *entry = xa_load(&ctx->task_indices, id);

	if (!entry)
		return -ENOENT;
	*index = xa_to_value(entry);
	return 0;
}

static struct ckpt_tree_task *append(struct ckpt_ctx *ctx)
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
	return place;
}

/**
 * ckpt_tree_add - append a task that is to be saved
 * @ctx: context
 * @task: takes a reference
 * @vfork_child: for which it waits in vfork(), or NULL
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_tree_add(struct ckpt_ctx *ctx, struct task_struct *task,
		  struct task_struct *vfork_child)
{
	struct ckpt_tree_task *place = append(ctx);

	if (!place)
		return -ENOMEM;
	place->task = get_task_struct(task);
	place->vfork_child = vfork_child;
	return add_index(ctx, task_pid_nr(task), ctx->nr_tasks - 1);
}

/**
 * ckpt_tree_has - is a task one of those that are saved?
 * @ctx: context, saving
 * @task: any task
 *
 * Return: whether it is.
 */
bool ckpt_tree_has(struct ckpt_ctx *ctx, struct task_struct *task)
{
	u32 index;

	return !find_index(ctx, task_pid_nr(task), &index) &&
	       ctx->tasks[index].task == task;
}

/**
 * ckpt_tree_vfork_child - for whom does a task wait in vfork()?
 * @ctx: context, saving
 * @task: one of its tasks
 *
 * Return: one of its tasks, without a reference, or NULL.
 */
struct task_struct *ckpt_tree_vfork_child(struct ckpt_ctx *ctx,
					  struct task_struct *task)
{
	u32 index;

	if (find_index(ctx, task_pid_nr(task), &index))
		return NULL;
	return ctx->tasks[index].vfork_child;
}

/**
 * ckpt_tree_await_child - have a restarted task wait for another
 * @ctx: context, restoring; its tasks have come
 * @id: of the child, in the image
 *
 * Return: the child, without a reference; an error pointer if there is none
 * that lives, or another task waits for it.
 */
struct task_struct *ckpt_tree_await_child(struct ckpt_ctx *ctx, u32 id)
{
	struct ckpt_tree_task *place;
	u32 index;

	if (find_index(ctx, id, &index))
		return ERR_PTR(-EINVAL);
	place = &ctx->tasks[index];
	if (place->task == current || place->vfork_child ||
	    place->ids.flags & CKPT_PIDS_DEAD)
		return ERR_PTR(-EINVAL);
	place->vfork_child = place->task;
	return place->task;
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
	xa_destroy(&ctx->task_indices);
	ctx->tasks = NULL;
	ctx->nr_tasks = 0;
}

/**
 * ckpt_tree_has_processes - are several processes saved?
 * @ctx: context, saving
 *
 * Return: whether it is more than one.
 */
bool ckpt_tree_has_processes(const struct ckpt_ctx *ctx)
{
	/* The threads of a process stand together. */
	return !same_thread_group(ctx->tasks[0].task,
				  ctx->tasks[ctx->nr_tasks - 1].task);
}

/* The next process from an id on that is in the namespace and not saved. */
static struct task_struct *find_stranger(struct ckpt_ctx *ctx,
					 struct pid_namespace *ns)
{
	struct pid *pid;
	int number = 1;

	lockdep_assert_in_rcu_read_lock();
	while ((pid = find_ge_pid(number, ns))) {
		struct task_struct *task = pid_task(pid, PIDTYPE_TGID);

		if (task && READ_ONCE(task->exit_state) != EXIT_DEAD &&
		    !ckpt_tree_has(ctx, task))
			return task;
		number = pid_nr_ns(pid, ns) + 1;
	}
	return NULL;
}

/**
 * ckpt_tree_check_strangers - are all saved who are in a pid namespace?
 * @ctx: context; its tasks are stopped, one is the init of the namespace
 * @ns: the namespace
 *
 * setns() lets a process of another parent in.
 *
 * Return: 0, -EBUSY.
 */
int ckpt_tree_check_strangers(struct ckpt_ctx *ctx, struct pid_namespace *ns)
{
	struct task_struct *stranger;
	char comm[TASK_COMM_LEN];
	pid_t pid = 0;

	scoped_guard(rcu) {
		stranger = find_stranger(ctx, ns);
		if (stranger) {
			pid = task_pid_vnr(stranger);
			get_task_comm(comm, stranger);
		}
	}
	if (pid)
		return ckpt_error(ctx, -EBUSY,
				  "process %d (%s) has entered the pid namespace from outside",
				  pid, comm);
	return 0;
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
	if (ckpt_task_is_dead(task))
		ids->flags |= CKPT_PIDS_DEAD;
	if (thread_group_leader(task) && task->signal->is_child_subreaper)
		ids->flags |= CKPT_PIDS_SUBREAPER;
}

/**
 * ckpt_tree_save - save the ids of all tasks
 * @ctx: context; its tasks are stopped
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tree_save(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_container *container;
	struct ckpt_hdr_tree *tree;
	struct ckpt_hdr_pids *ids;
	int pid_ns;
	u32 index;

	container = ckpt_record_add(ctx, CKPT_HDR_CONTAINER);
	tree = ckpt_record_add(ctx, CKPT_HDR_TREE);
	if (!container || !tree)
		return -ENOMEM;
	if (ctx->flags & CHECKPOINT_SUBTREE)
		container->flags = CKPT_CONTAINER_SUBTREE;
	tree->nr_tasks = ctx->nr_tasks;
	for (index = 0; index < ctx->nr_tasks; index++) {
		ctx->task = ctx->tasks[index].task;
		/* It has been stopped: nobody takes its id away. */
		pid_ns = ckpt_pid_ns_ref(ctx, task_active_pid_ns(ctx->task));
		if (pid_ns < 0)
			return pid_ns;
		ids = ckpt_record_add(ctx, CKPT_HDR_PIDS);
		if (!ids)
			return -ENOMEM;
		get_ids(ctx, ctx->task, ids);
		ids->pid_ns = pid_ns;
	}
	return ckpt_nested_save(ctx, tree);
}

/* The first thread of a process: its parent has come before. */
static int place_process(struct ckpt_ctx *ctx, u32 index,
			 struct ckpt_tree_task *place)
{
	u32 parent = 0;

	place->leader = index;
	if (index && (find_index(ctx, place->ids.ppid, &parent) ||
		      ctx->tasks[parent].leader != parent ||
		      ckpt_tree_is_dead_process(&ctx->tasks[parent])))
		return ckpt_error(ctx, -EINVAL,
				  "process %u has no parent %u among those before it",
				  place->ids.pid, place->ids.ppid);
	place->parent = parent;
	return 0;
}

/* Another thread: it follows its process. */
static int place_thread(struct ckpt_ctx *ctx, u32 index,
			struct ckpt_tree_task *place)
{
	u32 leader = index ? ctx->tasks[index - 1].leader : 0;

	if (!index || place->ids.tgid != ctx->tasks[leader].ids.pid ||
	    place->ids.flags)
		return ckpt_error(ctx, -EINVAL,
				  "task %u is no thread of the process before it",
				  index);
	place->leader = leader;
	place->parent = ctx->tasks[leader].parent;
	return 0;
}

static int place_task(struct ckpt_ctx *ctx, u32 index)
{
	struct ckpt_tree_task *place = &ctx->tasks[index];
	int ret;

	if (place->ids.pid == place->ids.tgid)
		ret = place_process(ctx, index, place);
	else
		ret = place_thread(ctx, index, place);
	if (!ret)
		ret = ckpt_nested_place(ctx, index);
	if (ret)
		return ret;
	ctx->tasks[place->leader].nr_threads++;
	ret = add_index(ctx, place->ids.pid, index);
	if (ret == -EBUSY)
		return ckpt_error(ctx, -EINVAL, "two tasks have the id %u",
				  place->ids.pid);
	return ret;
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
		struct ckpt_tree_task *place = append(ctx);

		if (!place)
			return -ENOMEM;
		ret = ckpt_record_read(ctx, CKPT_HDR_PIDS, &place->ids);
		if (!ret)
			ret = place_task(ctx, ctx->nr_tasks - 1);
	}
	if (!ret && ckpt_tree_is_dead_process(&ctx->tasks[0]))
		return ckpt_error(ctx, -EINVAL, "the first process is dead");
	if (!ret)
		ret = ckpt_nested_read(ctx, tree.nr_nested_pids);
	ctx->tree_is_read = true;
	return ret;
}

/**
 * ckpt_tree_acts_for_group - who restores what a thread group has only once?
 * @ctx: context, restoring
 * @index: task being restored
 *
 * Return: whether it is this one: the first that lives.
 */
bool ckpt_tree_acts_for_group(struct ckpt_ctx *ctx, u32 index)
{
	u32 leader = ctx->tasks[index].leader;

	return index == leader ||
	       (index == leader + 1 &&
		ctx->tasks[leader].ids.flags & CKPT_PIDS_DEAD);
}

/* Return: what the task that came would have to be, and is not, or NULL. */
static const char *missing_relation(struct ckpt_ctx *ctx, u32 index)
{
	const struct ckpt_tree_task *place = &ctx->tasks[index];
	struct task_struct *task = place->task;
	bool leads = place->leader == index;

	guard(rcu)();
	if (thread_group_leader(task) != leads ||
	    !same_thread_group(task, ctx->tasks[place->leader].task))
		return "thread of its process";
	if (index && leads &&
	    !same_thread_group(rcu_dereference(task->real_parent),
			       ctx->tasks[place->parent].task))
		return "child of its parent";
	return NULL;
}

/**
 * ckpt_tree_check_relations - are the tasks that came related as the saved ones?
 * @ctx: context, restoring; all tasks have come
 *
 * Who created them cannot be changed any more, and what they are to each other
 * shows as soon as one of them waits for another.
 *
 * Return: 0, -EINVAL.
 */
int ckpt_tree_check_relations(struct ckpt_ctx *ctx)
{
	u32 index;

	for (index = 0; index < ctx->nr_tasks; index++) {
		const char *missing = missing_relation(ctx, index);

		if (missing)
			return ckpt_error(ctx, -EINVAL,
					  "who would become task %u is no %s",
					  index, missing);
	}
	return ckpt_nested_check(ctx);
}

/**
 * ckpt_tree_commit_order - give each process its children in the saved order
 * @ctx: context, restoring; all tasks have come
 *
 * wait() looks for a child in that order.
 */
void ckpt_tree_commit_order(struct ckpt_ctx *ctx)
{
	u32 index;

	write_lock_irq(&tasklist_lock);
	for (index = 1; index < ctx->nr_tasks; index++) {
		struct task_struct *task = ctx->tasks[index].task;
		struct task_struct *parent;

		parent = rcu_dereference_protected(task->real_parent,
						   lockdep_is_held(&tasklist_lock));
		/* One that was killed may be gone from there. */
		if (ctx->tasks[index].leader == index && pid_alive(task))
			list_move_tail(&task->sibling, &parent->children);
	}
	write_unlock_irq(&tasklist_lock);
}

/**
 * ckpt_tree_commit_sharing - let processes share their signal handlers
 * @ctx: context, restoring; all tasks have committed, and wait to be let go
 */
void ckpt_tree_commit_sharing(struct ckpt_ctx *ctx)
{
	u32 index;

	for (index = 0; index < ctx->nr_tasks; index++) {
		struct ckpt_tree_task *place = &ctx->tasks[index];

		/* Only of first threads it is known. */
		if (place->sighand)
			ckpt_sighand_share(place->sighand, place->task);
	}
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
	struct ckpt_tree_task *leader = &ctx->tasks[ctx->tasks[index].leader];

	if (ckpt_tree_acts_for_group(ctx, index)) {
		leader->mm = stage->mm;
		leader->sighand = stage->sighand;
		leader->signal = stage->signal;
		leader->user_ns = stage->cred->user_ns;
	}
	if (stage->cred->user_ns != leader->user_ns)
		return ckpt_error(ctx, -EINVAL,
				  "task %u is in another user namespace than its process",
				  index);
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
