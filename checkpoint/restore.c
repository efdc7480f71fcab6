// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of restart(): parse and validate, build, commit or abort.
 *
 * restart(1) creates the tasks; each of them calls restart() and waits here.
 * The coordinator, their parent, reads the header and hands the image over to
 * the task whose records come next. That task reads its own records and builds
 * its new state beside the old one. When the coordinator has read the tail and
 * the checksum is right, the task commits: from then on it is the saved one.
 * Until then nothing has changed, and any error gives every task back the
 * state that it had.
 */
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <trace/events/checkpoint.h>

#include "internal.h"

enum slot_state {
	SLOT_WAITING,
	SLOT_RESTORING,
	SLOT_RESTORED,
	SLOT_COMMIT,
	SLOT_ABORT,
	SLOT_DONE,
};

/**
 * struct slot - a task that waits to be restored
 * @list: in slots, protected by slots_lock
 * @task: the task itself, alive as long as the slot is in the list
 * @index: its place in the TREE of the image
 * @refs: references: the task and the coordinator
 * @ctx: set by the coordinator, which holds a reference to it for the task
 * @state: enum slot_state; changes under slots_lock and wakes slots_changed
 * @error: negative errno of a restart that failed
 */
struct slot {
	struct list_head list;
	struct task_struct *task;
	u32 index;
	refcount_t refs;
	struct ckpt_ctx *ctx;
	enum slot_state state;
	int error;
};

static LIST_HEAD(slots);
static DEFINE_SPINLOCK(slots_lock);
static DECLARE_WAIT_QUEUE_HEAD(slots_changed);

static void slot_put(struct slot *slot)
{
	if (refcount_dec_and_test(&slot->refs))
		kfree(slot);
}

static void set_state(struct slot *slot, enum slot_state state)
{
	spin_lock(&slots_lock);
	slot->state = state;
	spin_unlock(&slots_lock);
	wake_up_all(&slots_changed);
}

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

static int read_tree(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_container container;
	struct ckpt_hdr_tree tree;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_CONTAINER, &container);
	if (!ret)
		ret = ckpt_record_read(ctx, CKPT_HDR_TREE, &tree);
	if (ret)
		return ret;
	if (tree.nr_tasks != 1)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "%u tasks: trees are not supported yet",
				  tree.nr_tasks);
	ctx->nr_tasks = tree.nr_tasks;
	return ckpt_record_read(ctx, CKPT_HDR_PIDS, &ctx->pids);
}

static int restore_task(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	unsigned int index;

	/*
	 * Files are made with the functions of system calls, and found at their
	 * descriptors: nobody else may put another one there.
	 */
	if (!thread_group_empty(current) ||
	    refcount_read(&ckpt_sighand(current)->count) != 1 ||
	    atomic_read(&current->files->count) != 1)
		return ckpt_error(ctx, -EBUSY,
				  "the task to restore has threads, or shares its signal handlers or its descriptor table");
	for (index = 0; index < ckpt_nr_task_parts; index++) {
		const struct ckpt_task_part *part = &ckpt_task_parts[index];
		int ret = part->restore ? part->restore(ctx, stage) : 0;

		if (ret)
			return ckpt_error(ctx, ret, "cannot restore the %s",
					  part->name);
	}
	return 0;
}

static int commit_task(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	unsigned int index;

	trace_ckpt_phase(ctx->header.id, "commit");
	for (index = 0; index < ckpt_nr_task_parts; index++) {
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

/* Everything is built: the last step that may fail, and then the verdict. */
static int end_of_image(struct ckpt_ctx *ctx)
{
	int ret = ckpt_stream_read_tail(ctx);

	return ret ?: ckpt_objects_publish(ctx);
}

/* All are what they shall be, and none runs yet. */
static void end_of_commit(struct ckpt_ctx *ctx)
{
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
		ret = read_tree(ctx);
	if (!ret)
		ret = restore_task(ctx, stage);
	if (!ret)
		ret = end_of_image(ctx);
	if (!ret)
		ret = commit_task(ctx, stage);
	if (!ret)
		end_of_commit(ctx);
	ckpt_stream_end(ctx);
	ckpt_report_flush(ctx);
	if (!ret)
		ret = arch_ckpt_return_value(stage);
	else if (ctx->error)
		ret = ctx->error;
	stage_free(stage);
	return ret;
}

static struct slot *find_slot(struct task_struct *task)
{
	struct slot *slot;

	lockdep_assert_held(&slots_lock);
	list_for_each_entry(slot, &slots, list)
		if (slot->task == task)
			return slot;
	return NULL;
}

static bool take_slot(struct task_struct *task, struct slot **taken)
{
	struct slot *slot;

	spin_lock(&slots_lock);
	slot = find_slot(task);
	if (slot && slot->state == SLOT_WAITING)
		refcount_inc(&slot->refs);
	else
		slot = NULL;
	spin_unlock(&slots_lock);
	*taken = slot;
	return slot || READ_ONCE(task->exit_state);
}

/* Wait until the task has called restart() itself. */
static struct slot *wait_for_slot(struct ckpt_ctx *ctx,
				  struct task_struct *task)
{
	struct slot *slot = NULL;

	for (;;) {
		/* A task that dies on the way wakes nobody: look again. */
		long left = wait_event_killable_timeout(slots_changed,
				take_slot(task, &slot), HZ / 10);

		if (left < 0) {
			if (slot)
				slot_put(slot);
			return ERR_PTR(-EINTR);
		}
		if (!left)
			continue;
		if (slot)
			return slot;
		ckpt_error(ctx, -ESRCH, "the task to restore has exited");
		return ERR_PTR(-ESRCH);
	}
}

static bool has_answered(struct slot *slot)
{
	return READ_ONCE(slot->state) == SLOT_RESTORED ||
	       READ_ONCE(slot->state) == SLOT_DONE;
}

/* The task may read the image for as long as its owner takes to send it. */
static int wait_for_answer(struct ckpt_ctx *ctx, struct slot *slot)
{
	if (wait_event_killable(slots_changed, has_answered(slot)))
		return -EINTR;
	if (slot->state == SLOT_RESTORED)
		return 0;
	return slot->error;
}

static int find_child(struct ckpt_ctx *ctx, pid_t pid)
{
	struct task_struct *task = find_get_task_by_vpid(pid);
	bool is_child;

	if (!task)
		return ckpt_error(ctx, -ESRCH, "no task %d", pid);
	ctx->root_task = task;
	rcu_read_lock();
	is_child = same_thread_group(rcu_dereference(task->real_parent),
				     current);
	rcu_read_unlock();
	if (!is_child)
		return ckpt_error(ctx, -ESRCH, "task %d is not a child", pid);
	return 0;
}

static int hand_over(struct ckpt_ctx *ctx, struct slot *slot)
{
	int ret = 0;

	spin_lock(&slots_lock);
	if (slot->state != SLOT_WAITING) {
		ret = -EBUSY;
	} else {
		slot->ctx = ckpt_ctx_get(ctx);
		slot->state = SLOT_RESTORING;
	}
	spin_unlock(&slots_lock);
	wake_up_all(&slots_changed);
	return ret;
}

/* From here on the task ends by itself: it waits for nobody else. */
static void give_verdict(struct slot *slot, enum slot_state verdict)
{
	spin_lock(&slots_lock);
	if (slot->state != SLOT_DONE)
		slot->state = verdict;
	spin_unlock(&slots_lock);
	wake_up_all(&slots_changed);
	wait_event_idle(slots_changed, READ_ONCE(slot->state) == SLOT_DONE);
}

static int coordinate(struct ckpt_ctx *ctx, struct slot *slot)
{
	int ret;

	if (slot->index >= ctx->nr_tasks)
		return ckpt_error(ctx, -EINVAL, "the image has no task %u",
				  slot->index);
	ret = hand_over(ctx, slot);
	if (ret)
		return ret;
	ret = wait_for_answer(ctx, slot);
	if (!ret)
		ret = end_of_image(ctx);
	if (ret) {
		/* It may be reading what nobody sends any more. */
		if (ret == -EINTR)
			send_sig(SIGKILL, ctx->root_task, 1);
		give_verdict(slot, SLOT_ABORT);
		return ret;
	}
	give_verdict(slot, SLOT_COMMIT);
	return slot->error;
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
	struct slot *slot;
	long ret;

	ret = find_child(ctx, pid);
	if (!ret)
		ret = read_header(ctx);
	if (!ret)
		ret = read_tree(ctx);
	if (!ret) {
		slot = wait_for_slot(ctx, ctx->root_task);
		if (IS_ERR(slot)) {
			ret = PTR_ERR(slot);
		} else {
			ret = coordinate(ctx, slot);
			slot_put(slot);
		}
	}
	ckpt_stream_end(ctx);
	ckpt_report_flush(ctx);
	return ret && ctx->error ? ctx->error : ret;
}

static bool has_verdict(struct slot *slot)
{
	return READ_ONCE(slot->state) == SLOT_COMMIT ||
	       READ_ONCE(slot->state) == SLOT_ABORT;
}

static long restore_in_slot(struct slot *slot)
{
	struct ckpt_ctx *ctx = slot->ctx;
	struct ckpt_task_stage *stage;
	long ret;

	stage = stage_alloc();
	ret = stage ? restore_task(ctx, stage) : -ENOMEM;
	if (ret)
		goto free;

	spin_lock(&slots_lock);
	if (slot->state == SLOT_RESTORING)
		slot->state = SLOT_RESTORED;
	spin_unlock(&slots_lock);
	wake_up_all(&slots_changed);
	if (wait_event_killable(slots_changed, has_verdict(slot)) ||
	    slot->state == SLOT_ABORT) {
		ret = -EINTR;
		goto free;
	}
	ret = commit_task(ctx, stage);
	if (!ret) {
		end_of_commit(ctx);
		ret = arch_ckpt_return_value(stage);
	} else {
		slot->error = ret;
	}
	stage_free(stage);
	return ret;

free:
	/* Allocations fail for who is killed: that is not what is wrong. */
	if (fatal_signal_pending(current)) {
		ret = -EINTR;
		ctx->error = ret;
	}
	slot->error = ret;
	if (stage)
		stage_free(stage);
	return ret;
}

/**
 * ckpt_do_restart_task - wait to be restored, then become the saved task
 * @index: place in the TREE of the image
 *
 * Return: what the saved task's interrupted system call returns, or a negative
 * errno; then the caller is as before.
 */
long ckpt_do_restart_task(u32 index)
{
	struct slot *slot;
	long ret;

	slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		return -ENOMEM;
	refcount_set(&slot->refs, 1);
	slot->task = current;
	slot->index = index;
	spin_lock(&slots_lock);
	list_add_tail(&slot->list, &slots);
	spin_unlock(&slots_lock);
	wake_up_all(&slots_changed);

	ret = wait_event_interruptible(slots_changed,
				       READ_ONCE(slot->state) != SLOT_WAITING);
	spin_lock(&slots_lock);
	list_del(&slot->list);
	/* The coordinator may have been faster than the signal. */
	if (slot->state == SLOT_WAITING) {
		slot->state = SLOT_DONE;
		slot->error = -EINTR;
		/* Not idempotent: never starts over by itself. */
		ret = -EINTR;
	}
	spin_unlock(&slots_lock);

	if (slot->ctx) {
		ret = restore_in_slot(slot);
		ckpt_ctx_put(slot->ctx);
		set_state(slot, SLOT_DONE);
	}
	slot_put(slot);
	return ret;
}
