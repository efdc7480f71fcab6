// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: where tasks wait until they are restored.
 *
 * restart(1) creates the tasks; each calls restart() and waits in a slot. Their
 * coordinator gathers the slots of an image and gives orders, to one task at a
 * time: to read its records, and when the image was found good, to become the
 * saved task. Only when all have become that does it let them go, so that no
 * task of the image runs beside one that is not restored yet.
 *
 * A task obeys in its own context. It waits for orders as long as it can be
 * killed; once it has committed it waits for the others, who wait for nobody
 * but their memory.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/wait.h>

#include "internal.h"

enum slot_state {
	SLOT_WAITING,
	SLOT_TAKEN,
	SLOT_RESTORE,
	SLOT_RESTORED,
	SLOT_COMMIT,
	SLOT_COMMITTED,
	SLOT_RELEASE,
	SLOT_ABORT,
	SLOT_DONE,
};

/**
 * struct ckpt_slot - a task that waits to be restored
 * @node: in slots, protected by slots_lock
 * @task: the task itself, alive as long as the slot is in the table
 * @index: its place in the TREE of the image
 * @refs: references: the task and the coordinator
 * @ctx: set by the coordinator, which holds a reference to it for the task
 * @state: enum slot_state; changes under slots_lock and wakes @changed
 * @changed: the task waits here for orders, the coordinator for answers
 * @error: negative errno of a restart that failed
 */
struct ckpt_slot {
	struct hlist_node node;
	struct task_struct *task;
	u32 index;
	refcount_t refs;
	struct ckpt_ctx *ctx;
	enum slot_state state;
	wait_queue_head_t changed;
	int error;
};

/* struct ckpt_slot.node, by task. */
static DEFINE_HASHTABLE(slots, 10);
static DEFINE_SPINLOCK(slots_lock);
/* Slots that nobody has taken, protected by slots_lock. */
static u32 nr_waiting;
/* Coordinators wait here for tasks: see struct gathering. */
static DECLARE_WAIT_QUEUE_HEAD(slot_entered);

static void slot_put(struct ckpt_slot *slot)
{
	if (refcount_dec_and_test(&slot->refs))
		kfree(slot);
}

static enum slot_state get_state(struct ckpt_slot *slot)
{
	/* Pairs with set_state(): what was done before it is seen. */
	return smp_load_acquire(&slot->state);
}

/* What a task has ended with is the last state. */
static void set_state(struct ckpt_slot *slot, enum slot_state state)
{
	spin_lock(&slots_lock);
	if (slot->state != SLOT_DONE)
		/* Pairs with get_state(), without the lock. */
		smp_store_release(&slot->state, state);
	spin_unlock(&slots_lock);
	wake_up_all(&slot->changed);
}

static bool has_answered(struct ckpt_slot *slot, enum slot_state answer)
{
	enum slot_state state = get_state(slot);

	return state == answer || state == SLOT_DONE;
}

static int result(struct ckpt_slot *slot, enum slot_state answer)
{
	if (get_state(slot) == answer)
		return 0;
	return slot->error ?: -ESRCH;
}

/*
 * Whoever coordinates a restart makes of a task what the image wants. So it must
 * have all the rights that the task has: a descendant may be another user's, and
 * wait for a coordinator of its own.
 */
static bool may_take(const struct task_struct *task)
{
	const struct cred *theirs, *ours = current_cred();

	guard(rcu)();
	theirs = __task_cred(task);
	if (ns_capable_noaudit(theirs->user_ns, CAP_SYS_PTRACE))
		return true;
	return theirs->user_ns == ours->user_ns &&
	       uid_eq(theirs->uid, ours->uid) &&
	       uid_eq(theirs->euid, ours->euid) &&
	       uid_eq(theirs->suid, ours->suid) &&
	       gid_eq(theirs->gid, ours->gid) &&
	       gid_eq(theirs->egid, ours->egid) &&
	       gid_eq(theirs->sgid, ours->sgid) &&
	       cap_issubset(theirs->cap_permitted, ours->cap_permitted);
}

static void take(struct ckpt_ctx *ctx, struct ckpt_slot *slot)
{
	lockdep_assert_held(&slots_lock);
	nr_waiting--;
	slot->ctx = ckpt_ctx_get(ctx);
	refcount_inc(&slot->refs);
	/* Pairs with get_state(), without the lock. */
	smp_store_release(&slot->state, SLOT_TAKEN);
	ctx->tasks[slot->index].slot = slot;
	ctx->tasks[slot->index].task = get_task_struct(slot->task);
	wake_up_all(&slot->changed);
}

static struct ckpt_slot *find_slot(const struct task_struct *task)
{
	struct ckpt_slot *slot;

	lockdep_assert_held(&slots_lock);
	hash_for_each_possible(slots, slot, node, (unsigned long)task)
		if (slot->task == task)
			return slot;
	return NULL;
}

/**
 * struct gathering - a coordinator that looks at the tasks that are there
 * @wait: on slot_entered
 * @ctx: of the restart
 * @nr_taken: of its tasks, so far; protected by slots_lock
 * @nr_useless: that wait for places which are taken or do not exist, or for
 *	somebody else
 * @nr_threads: all there are, dead ones not counted
 * @is_forbidden: one of the useless has rights that the caller has not
 */
struct gathering {
	struct wait_queue_entry wait;
	struct ckpt_ctx *ctx;
	u32 nr_taken;
	u32 nr_useless;
	u32 nr_threads;
	bool is_forbidden;
};

static void look_at_thread(struct gathering *gathering, struct task_struct *task)
{
	struct ckpt_ctx *ctx = gathering->ctx;
	struct ckpt_slot *slot = find_slot(task);

	gathering->nr_threads++;
	if (!slot || slot->state != SLOT_WAITING)
		return;
	if (slot->index >= ctx->nr_tasks || ctx->tasks[slot->index].slot) {
		gathering->nr_useless++;
	} else if (!may_take(task)) {
		gathering->is_forbidden = true;
		gathering->nr_useless++;
	} else {
		take(ctx, slot);
		gathering->nr_taken++;
	}
}

static int look_at_process(struct task_struct *leader, void *data)
{
	struct task_struct *thread;

	lockdep_assert_held(&tasklist_lock);
	guard(spinlock)(&slots_lock);
	for_each_thread(leader, thread)
		if (!thread->exit_state)
			look_at_thread(data, thread);
	return 1;
}

/*
 * All descendants are looked at each time, so the last of them should wake the
 * coordinator and not each. That others may wait, for another one, does no harm.
 */
static int wake_gathering(struct wait_queue_entry *wait, unsigned int mode,
			  int sync, void *key)
{
	struct gathering *gathering;

	gathering = container_of(wait, struct gathering, wait);
	scoped_guard(spinlock, &slots_lock)
		if (nr_waiting + gathering->nr_taken < gathering->ctx->nr_tasks)
			return 0;
	return autoremove_wake_function(wait, mode, sync, key);
}

/* Take all that wait. Return: whether they are all, or no more will come. */
static bool look_around(struct gathering *gathering)
{
	struct ckpt_ctx *ctx = gathering->ctx;

	gathering->nr_useless = 0;
	gathering->nr_threads = 0;
	gathering->is_forbidden = false;
	read_lock(&tasklist_lock);
	look_at_process(ctx->root_task, gathering);
	read_unlock(&tasklist_lock);
	walk_process_tree(ctx->root_task, look_at_process, gathering);
	return gathering->nr_taken == ctx->nr_tasks || !gathering->nr_threads ||
	       gathering->nr_taken + gathering->nr_useless == gathering->nr_threads;
}

static int gather(struct gathering *gathering)
{
	int ret = 0;

	for (;;) {
		prepare_to_wait(&slot_entered, &gathering->wait, TASK_KILLABLE);
		if (look_around(gathering))
			break;
		ret = fatal_signal_pending(current) ? -EINTR : 0;
		if (ret)
			break;
		/* A task that dies on the way wakes nobody: look again. */
		schedule_timeout(HZ / 10);
	}
	finish_wait(&slot_entered, &gathering->wait);
	return ret;
}

/**
 * ckpt_slots_gather - wait until all tasks of the image wait
 * @ctx: context; its tree was read
 *
 * They are looked for among the descendants of the root task, not the other way
 * round: of these there are no more than whoever created them may have.
 *
 * Return: 0; -ESRCH if the root process has died, -EPERM if a task has rights
 * that the caller has not, -EINVAL if all that are there wait for other places,
 * -EINTR.
 */
int ckpt_slots_gather(struct ckpt_ctx *ctx)
{
	struct gathering gathering = {
		.wait.private	= current,
		.wait.func	= wake_gathering,
		.wait.entry	= LIST_HEAD_INIT(gathering.wait.entry),
		.ctx		= ctx,
	};
	u32 index;
	int ret;

	ret = gather(&gathering);
	if (ret)
		return ret;
	if (!gathering.nr_threads)
		return ckpt_error(ctx, -ESRCH,
				  "the task to restore has exited");
	if (gathering.nr_taken < ctx->nr_tasks && gathering.is_forbidden)
		return ckpt_error(ctx, -EPERM,
				  "a task that waits has rights that the caller has not");
	for (index = 0; index < ctx->nr_tasks; index++)
		if (!ctx->tasks[index].slot)
			return ckpt_error(ctx, -EINVAL,
					  "nobody waits to become task %u of the image",
					  index);
	if (ctx->tasks[0].task != ctx->root_task)
		return ckpt_error(ctx, -EINVAL,
				  "another thread than the first waits to become the first");
	return 0;
}

/**
 * ckpt_slots_restore - let all tasks read their records, one after the other
 * @ctx: context; its tasks were gathered
 *
 * Return: 0 or a negative errno.
 */
int ckpt_slots_restore(struct ckpt_ctx *ctx)
{
	u32 index;

	for (index = 0; index < ctx->nr_tasks; index++) {
		struct ckpt_slot *slot = ctx->tasks[index].slot;
		int ret;

		set_state(slot, SLOT_RESTORE);
		/* As long as the owner of the image takes to send it. */
		if (wait_event_killable(slot->changed,
					has_answered(slot, SLOT_RESTORED)))
			return -EINTR;
		ret = result(slot, SLOT_RESTORED);
		if (ret)
			return ret;
	}
	return 0;
}

static void wait_until_done(struct ckpt_tree_task *place)
{
	wait_event_idle(place->slot->changed,
			get_state(place->slot) == SLOT_DONE);
	slot_put(place->slot);
	place->slot = NULL;
}

static void release(struct ckpt_ctx *ctx, enum slot_state state)
{
	u32 index;

	for (index = 0; index < ctx->nr_tasks; index++)
		if (ctx->tasks[index].slot)
			set_state(ctx->tasks[index].slot, state);
	for (index = 0; index < ctx->nr_tasks; index++)
		if (ctx->tasks[index].slot)
			wait_until_done(&ctx->tasks[index]);
}

/* They are dead again before anybody runs who could wait for them. */
static void release_dead(struct ckpt_ctx *ctx)
{
	u32 index;

	for (index = 0; index < ctx->nr_tasks; index++) {
		struct ckpt_tree_task *place = &ctx->tasks[index];

		if (!(place->ids.flags & CKPT_PIDS_DEAD))
			continue;
		set_state(place->slot, SLOT_RELEASE);
		wait_until_done(place);
		ckpt_task_dead_wait(place);
	}
}

/* Those that were taken: of others it is not known whose they are. */
static void kill_all(struct ckpt_ctx *ctx)
{
	u32 index;

	for (index = 0; index < ctx->nr_tasks; index++)
		if (ctx->tasks[index].task)
			send_sig(SIGKILL, ctx->tasks[index].task, 1);
}

/**
 * ckpt_slots_commit - make all tasks the saved ones, and let them go
 * @ctx: context; all tasks are restored and the whole image was found good
 *
 * The first task is the last to commit: what others can see of it, its timers
 * and the signals of its files, then finds the whole process.
 *
 * Context: Cannot be interrupted. No task waits for anybody but its memory.
 *
 * Return: 0, or a negative errno; then the tasks die.
 */
int ckpt_slots_commit(struct ckpt_ctx *ctx)
{
	u32 index = ctx->nr_tasks;
	int ret = 0;

	while (index-- && !ret) {
		struct ckpt_slot *slot = ctx->tasks[index].slot;

		set_state(slot, SLOT_COMMIT);
		wait_event_idle(slot->changed,
				has_answered(slot, SLOT_COMMITTED));
		ret = result(slot, SLOT_COMMITTED);
	}
	if (!ret) {
		ckpt_tree_commit_order(ctx);
		release_dead(ctx);
		release(ctx, SLOT_RELEASE);
		return 0;
	}
	/* Some are the saved tasks already, without the others. */
	if (ctx->nr_tasks > 1)
		kill_all(ctx);
	release(ctx, SLOT_ABORT);
	return ret;
}

/**
 * ckpt_slots_abort - give all tasks back what they had
 * @ctx: context
 * @interrupted: the coordinator was killed
 */
void ckpt_slots_abort(struct ckpt_ctx *ctx, bool interrupted)
{
	/* One may be reading what nobody sends any more. */
	if (interrupted)
		kill_all(ctx);
	release(ctx, SLOT_ABORT);
}

/**
 * ckpt_slot_enter - wait until a coordinator takes the current task
 * @index: its place in the TREE of the image
 *
 * Return: the slot, for ckpt_slot_leave(), or an error pointer: -EINTR after
 * any signal, -ENOMEM.
 */
struct ckpt_slot *ckpt_slot_enter(u32 index)
{
	struct ckpt_slot *slot;
	bool taken;

	slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	refcount_set(&slot->refs, 1);
	slot->task = current;
	slot->index = index;
	init_waitqueue_head(&slot->changed);
	spin_lock(&slots_lock);
	hash_add(slots, &slot->node, (unsigned long)current);
	nr_waiting++;
	spin_unlock(&slots_lock);
	wake_up_all(&slot_entered);

	wait_event_interruptible(slot->changed,
				 get_state(slot) != SLOT_WAITING);
	spin_lock(&slots_lock);
	hash_del(&slot->node);
	/* The coordinator may have been faster than the signal. */
	taken = slot->state != SLOT_WAITING;
	if (!taken)
		nr_waiting--;
	spin_unlock(&slots_lock);
	if (taken)
		return slot;
	slot_put(slot);
	/* Not idempotent: never starts over by itself. */
	return ERR_PTR(-EINTR);
}

/**
 * ckpt_slot_ctx - context of the restart that has taken a slot
 * @slot: of the current task
 *
 * Return: the context; the slot holds a reference.
 */
struct ckpt_ctx *ckpt_slot_ctx(struct ckpt_slot *slot)
{
	return slot->ctx;
}

static bool is_ordered(struct ckpt_slot *slot, enum slot_state order)
{
	enum slot_state state = get_state(slot);

	return state == order || state == SLOT_ABORT;
}

static int wait_for_order(struct ckpt_slot *slot, enum slot_state order)
{
	if (wait_event_killable(slot->changed, is_ordered(slot, order)))
		return -EINTR;
	return get_state(slot) == order ? 0 : -EINTR;
}

/**
 * ckpt_slot_wait_restore - wait until it is the current task's turn to read
 * @slot: its slot
 *
 * Return: 0, -EINTR if there is nothing to restore any more.
 */
int ckpt_slot_wait_restore(struct ckpt_slot *slot)
{
	return wait_for_order(slot, SLOT_RESTORE);
}

/**
 * ckpt_slot_wait_commit - wait until the whole image was found good
 * @slot: of the current task, which is ready to commit
 *
 * Return: 0, -EINTR if it was not.
 */
int ckpt_slot_wait_commit(struct ckpt_slot *slot)
{
	set_state(slot, SLOT_RESTORED);
	return wait_for_order(slot, SLOT_COMMIT);
}

/**
 * ckpt_slot_wait_release - wait until all tasks have committed
 * @slot: of the current task, which has
 */
void ckpt_slot_wait_release(struct ckpt_slot *slot)
{
	set_state(slot, SLOT_COMMITTED);
	wait_event_idle(slot->changed, is_ordered(slot, SLOT_RELEASE));
}

/**
 * ckpt_slot_leave - tell the coordinator that the current task is done
 * @slot: its slot, not to be used any more
 * @error: why it was not restored, or 0
 */
void ckpt_slot_leave(struct ckpt_slot *slot, int error)
{
	slot->error = error;
	ckpt_ctx_put(slot->ctx);
	set_state(slot, SLOT_DONE);
	slot_put(slot);
}
