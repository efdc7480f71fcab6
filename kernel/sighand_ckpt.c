// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of signal handlers.
 *
 * Saved: the handler of each signal, with its flags and mask; which processes
 *	share them.
 *
 * Every process comes to its restart with handlers of its own. Those that are to
 * share them take over those of the first one when all have committed, and none
 * has been let go.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <uapi/linux/eventpoll.h>

/**
 * struct ckpt_sighand_stage - signal handlers as restored
 * @actions: by signal number minus one
 * @mm: memory of the processes that have them, only to be compared, or NULL
 * @live: what the first of these processes has, or NULL: nobody has committed yet
 */
struct ckpt_sighand_stage {
	struct k_sigaction actions[_NSIG];
	const struct mm_struct *mm;
	struct sighand_struct *live;
};

static bool is_default(const struct k_sigaction *action)
{
	return !action->sa.sa_handler && !action->sa.sa_flags &&
	       !action->sa.sa_mask.sig[0];
}

/**
 * ckpt_sighand_save - save signal handlers
 * @ctx: context
 * @object: struct sighand_struct of a stopped task
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sighand_save(struct ckpt_ctx *ctx, void *object)
{
	struct sighand_struct *sighand = object;
	struct ckpt_hdr_sighand *header;
	int index;

	BUILD_BUG_ON(sizeof(sigset_t) != sizeof(u64));
	header = ckpt_record_add(ctx, CKPT_HDR_SIGHAND);
	if (!header)
		return -ENOMEM;
	for (index = 0; index < _NSIG; index++) {
		const struct k_sigaction *action = &sighand->action[index];
		struct ckpt_hdr_sigaction *record;

		if (is_default(action))
			continue;
		record = ckpt_record_add(ctx, CKPT_HDR_SIGACTION);
		if (!record)
			return -ENOMEM;
		header->nr_actions++;
		record->signo = index + 1;
		record->handler = (uintptr_t)action->sa.sa_handler;
		record->flags = action->sa.sa_flags & ~SA_IMMUTABLE;
		record->restorer = (uintptr_t)action->sa.sa_restorer;
		record->mask = action->sa.sa_mask.sig[0];
	}
	return 0;
}

static int read_action(struct ckpt_ctx *ctx, struct ckpt_sighand_stage *stage,
		       u32 *last)
{
	struct ckpt_hdr_sigaction record;
	struct k_sigaction *action;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SIGACTION, &record);
	if (ret)
		return ret;
	if (record.signo <= *last)
		return ckpt_error(ctx, -EINVAL, "handlers are not in order");
	*last = record.signo;
	if (record.flags & ~(u64)UAPI_SA_FLAGS)
		return ckpt_error(ctx, -EINVAL, "unknown flags of a handler");
	if (sig_kernel_only(record.signo))
		return ckpt_error(ctx, -EINVAL, "signal %u cannot be handled",
				  record.signo);
	action = &stage->actions[record.signo - 1];
	action->sa.sa_handler = (__sighandler_t)(uintptr_t)record.handler;
	action->sa.sa_flags = record.flags;
	action->sa.sa_restorer = (__sigrestore_t)(uintptr_t)record.restorer;
	action->sa.sa_mask.sig[0] = record.mask;
	sigdelsetmask(&action->sa.sa_mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	return 0;
}

/**
 * ckpt_sighand_restore - read signal handlers
 * @ctx: context
 *
 * Return: struct ckpt_sighand_stage, or an error pointer.
 */
void *ckpt_sighand_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_sighand_stage *stage;
	struct ckpt_hdr_sighand header;
	u32 last = 0;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SIGHAND, &header);
	if (ret)
		return ERR_PTR(ret);
	stage = kzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);
	if (!stage)
		return ERR_PTR(-ENOMEM);
	while (header.nr_actions--) {
		ret = read_action(ctx, stage, &last);
		if (ret) {
			kfree(stage);
			return ERR_PTR(ret);
		}
	}
	return stage;
}

/**
 * ckpt_sighand_drop - free what ckpt_sighand_restore() returned
 * @object: struct ckpt_sighand_stage
 */
void ckpt_sighand_drop(void *object)
{
	kfree(object);
}

/**
 * ckpt_sighand_check - may processes share the handlers?
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * A handler is an address: clone() wants that they share their memory.
 *
 * Return: 0, -EINVAL.
 */
int ckpt_sighand_check(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct ckpt_sighand_stage *sighand = stage->sighand;

	/* That of other threads is compared with its: they have the same. */
	if (!stage->acts_for_group)
		return 0;
	if (!sighand->mm)
		sighand->mm = stage->mm;
	if (sighand->mm != stage->mm)
		return ckpt_error(ctx, -EINVAL,
				  "it shares its signal handlers with a process, and not its memory");
	return 0;
}

/**
 * ckpt_sighand_commit - make them the handlers of the current task
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Threads share theirs already: one sets them for all.
 *
 * Return: 0.
 */
int ckpt_sighand_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct sighand_struct *sighand = ckpt_sighand(current);

	if (!stage->acts_for_group)
		return 0;
	spin_lock_irq(&sighand->siglock);
	memcpy(sighand->action, stage->sighand->actions,
	       sizeof(sighand->action));
	spin_unlock_irq(&sighand->siglock);
	return 0;
}

/* Return: the number of threads. */
static unsigned int set_sighand(struct task_struct *leader,
				struct sighand_struct *new)
{
	struct task_struct *thread;
	unsigned int nr_threads = 0;

	lockdep_assert_held_write(&tasklist_lock);
	for_each_thread(leader, thread) {
		refcount_inc(&new->count);
		rcu_assign_pointer(thread->sighand, new);
		nr_threads++;
	}
	return nr_threads;
}

/*
 * All threads of a process must have the same at any time: its lock is what
 * protects the thread group and its signals. Who wants to lock it and is not one
 * of them either holds the tasklist_lock, or looks again after he has got it, as
 * because of execve() he has to. They themselves are where they do not ask.
 */
static void replace(struct task_struct *leader, struct sighand_struct *new)
{
	struct sighand_struct *old = ckpt_sighand(leader);
	unsigned int nr_threads = 0, rounds = 0;
	struct ckpt_epoll_locks locks;

	/* No signal comes between: who waits for one is told of the next. */
	do {
		write_lock_irq(&tasklist_lock);
		spin_lock(&old->siglock);
		if (ckpt_epoll_move_waits(&old->signalfd_wqh,
					  &new->signalfd_wqh, &locks))
			nr_threads = set_sighand(leader, new);
		spin_unlock(&old->siglock);
		write_unlock_irq(&tasklist_lock);
		ckpt_epoll_unlock(&locks);
		rounds++;
	} while (!nr_threads);
	/* One may have come between the first round and the last. */
	if (rounds > 1)
		wake_up_poll(&new->signalfd_wqh, EPOLLIN);
	while (nr_threads--)
		__cleanup_sighand(old);
}

/**
 * ckpt_sighand_share - give a process the handlers that another one has already
 * @sighand: what both have in the image
 * @leader: first thread of the process
 *
 * Context: All threads of the image have committed, and sleep until they are let
 * go; nothing but that wakes them. Nobody else shares their handlers.
 */
void ckpt_sighand_share(struct ckpt_sighand_stage *sighand,
			struct task_struct *leader)
{
	if (sighand->live)
		replace(leader, sighand->live);
	else
		sighand->live = ckpt_sighand(leader);
}
