// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of signal state.
 *
 * Saved: masks, alternate stack, both queues of pending signals with
 *	their siginfo, stops, timers, resource limits, oom_score_adj, the thread's
 *	addresses known to the kernel (clear_child_tid, robust list, rseq),
 *	parent-death signal.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/posix-timers.h>
#include <linux/rcupdate.h>
#include <linux/resource.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

/* The size, and the alignment, of the first struct rseq. */
#define RSEQ_SIZE_MIN	32

/**
 * struct ckpt_signal_stage - state of a thread group as restored
 * @record: from the image
 * @signal: of the task that has restored it
 * @timers: POSIX timers by id, see posix-timers_ckpt.c
 * @pending: entries for the shared queue, struct sigqueue.list
 * @pending_mask: signals pending for the group
 */
struct ckpt_signal_stage {
	struct ckpt_hdr_signal record;
	const struct signal_struct *signal;
	struct xarray timers;
	struct list_head pending;
	u64 pending_mask;
};

static u64 mask_to_u64(const sigset_t *set)
{
	BUILD_BUG_ON(sizeof(*set) != sizeof(u64));
	return set->sig[0];
}

static struct ckpt_hdr_siginfo *add_siginfo(struct ckpt_ctx *ctx, u32 signo)
{
	struct ckpt_hdr_siginfo *record;

	record = ckpt_record_add(ctx, CKPT_HDR_SIGINFO);
	if (record)
		record->signo = signo;
	return record;
}

/* Only what save_entry() needs. */
static void copy_entry(struct sigqueue *copy, const struct sigqueue *entry)
{
	copy->flags = entry->flags;
	copy_siginfo(&copy->info, &entry->info);
	/* A number by which the kernel knows that it may start the timer. */
	if (entry->flags & SIGQUEUE_PREALLOC)
		copy->info.si_sys_private = 0;
}

static int save_entry(struct ckpt_ctx *ctx, const struct sigqueue *entry)
{
	struct ckpt_hdr_siginfo *record;

	record = add_siginfo(ctx, entry->info.si_signo);
	if (!record)
		return -ENOMEM;
	/* Only those of POSIX timers are allocated beforehand. */
	record->has_info = entry->flags & SIGQUEUE_PREALLOC ?
		CKPT_SIGINFO_TIMER : CKPT_SIGINFO_OWN;
	BUILD_BUG_ON(sizeof(record->info) != sizeof(siginfo_t));
	copy_siginfo_to_external((siginfo_t *)record->info, &entry->info);
	return 0;
}

/*
 * Who was saved as stopped by a signal has not got SIGCONT yet: one that comes
 * now is later than the checkpoint.
 */
static bool is_later(struct ckpt_ctx *ctx, struct task_struct *task, int signo)
{
	const struct ckpt_hdr_signal *record;

	if (signo != SIGCONT)
		return false;
	record = ckpt_object_record(ctx, task->signal);
	return record->stop_signal;
}

/*
 * Signals are still sent to a stopped task, so its queue is copied in two
 * steps: count and allocate, then fill in what the lock lets us see. What
 * arrives in between is later than the checkpoint.
 */
static int save_pending(struct ckpt_ctx *ctx, struct task_struct *task,
			struct sigpending *pending, u32 *nr_pending)
{
	u64 without_info;
	struct sigqueue *entry, *copies;
	unsigned int count = 0, index = 0;
	int signo, ret = 0;
	bool nothing;

	spin_lock_irq(&ckpt_sighand(task)->siglock);
	nothing = sigisemptyset(&pending->signal);
	list_for_each_entry(entry, &pending->list, list)
		count++;
	spin_unlock_irq(&ckpt_sighand(task)->siglock);
	if (nothing && !count)
		return 0;
	copies = kvcalloc(count + 1, sizeof(*copies), GFP_KERNEL_ACCOUNT);
	if (!copies)
		return -ENOMEM;

	spin_lock_irq(&ckpt_sighand(task)->siglock);
	without_info = mask_to_u64(&pending->signal);
	list_for_each_entry(entry, &pending->list, list) {
		if (index < count)
			copy_entry(&copies[index++], entry);
		without_info &= ~sigmask(entry->info.si_signo);
	}
	spin_unlock_irq(&ckpt_sighand(task)->siglock);

	for (count = index, index = 0; index < count && !ret; index++) {
		if (is_later(ctx, task, copies[index].info.si_signo))
			continue;
		ret = save_entry(ctx, &copies[index]);
		(*nr_pending)++;
	}
	for (signo = 1; signo <= _NSIG && !ret; signo++) {
		if (!(without_info & sigmask(signo)) || signo == SIGKILL ||
		    is_later(ctx, task, signo))
			continue;
		if (!add_siginfo(ctx, signo))
			ret = -ENOMEM;
		(*nr_pending)++;
	}
	kvfree(copies);
	return ret;
}

/**
 * ckpt_too_many_queued - may the user queue no more signals?
 *
 * __sigqueue_alloc() does not tell this from a lack of memory.
 *
 * Return: whether one more would exceed the limit.
 */
bool ckpt_too_many_queued(void)
{
	unsigned long limit = rlimit(RLIMIT_SIGPENDING);

	guard(rcu)();
	return !limit || is_rlimit_overlimit(task_ucounts(current),
					     UCOUNT_RLIMIT_SIGPENDING,
					     limit - 1);
}

/* Into the queue of the current thread or into that of its group. */
static int read_siginfo(struct ckpt_ctx *ctx, struct ckpt_signal_stage *group,
			bool thread, struct list_head *pending,
			u64 *pending_mask)
{
	struct ckpt_hdr_siginfo record;
	struct sigqueue *entry;
	siginfo_t info;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SIGINFO, &record);
	if (ret)
		return ret;
	if (record.signo == SIGKILL)
		return ckpt_error(ctx, -EINVAL, "SIGKILL cannot be pending");
	memcpy(&info, record.info, sizeof(info));
	if (record.has_info != CKPT_SIGINFO_NONE &&
	    info.si_signo != record.signo)
		return ckpt_error(ctx, -EINVAL, "siginfo of another signal");
	if (record.has_info == CKPT_SIGINFO_TIMER) {
		ret = ckpt_posix_timer_queue(ctx, &group->timers, &info, thread,
					     pending);
		if (ret > 0)
			*pending_mask |= sigmask(record.signo);
		return min(ret, 0);
	}
	*pending_mask |= sigmask(record.signo);
	if (record.has_info == CKPT_SIGINFO_NONE)
		return 0;

	entry = __sigqueue_alloc(record.signo, current, GFP_KERNEL_ACCOUNT, 0,
				 0);
	if (!entry && ckpt_too_many_queued())
		return ckpt_error(ctx, -EAGAIN,
				  "RLIMIT_SIGPENDING does not let signal %u be queued",
				  record.signo);
	if (!entry)
		return -ENOMEM;
	/* The kernel's form is the first bytes of the external one. */
	memcpy(&entry->info, &info, sizeof(entry->info));
	list_add_tail(&entry->list, pending);
	return 0;
}

static int read_pending(struct ckpt_ctx *ctx, u32 nr_pending,
			struct ckpt_signal_stage *group, bool thread,
			struct list_head *pending, u64 *pending_mask)
{
	while (nr_pending--) {
		int ret = read_siginfo(ctx, group, thread, pending,
				       pending_mask);

		if (ret)
			return ret;
	}
	return 0;
}

/* A timer that goes at the same time leaves its entry here, or takes it along. */
static void free_pending(struct list_head *pending)
{
	struct sigqueue *entry, *next;

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	list_for_each_entry_safe(entry, next, pending, list) {
		list_del_init(&entry->list);
		__sigqueue_free(entry);
	}
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

static void commit_pending(struct sigpending *to, struct list_head *pending,
			   u64 pending_mask)
{
	lockdep_assert_held(&ckpt_sighand(current)->siglock);
	list_splice_tail_init(pending, &to->list);
	to->signal.sig[0] |= pending_mask;
}

/**
 * ckpt_signal_save - save the state of a thread group
 * @ctx: context
 * @object: struct signal_struct of ckpt_ctx.task
 *
 * Return: 0 or a negative errno.
 */
int ckpt_signal_save(struct ckpt_ctx *ctx, void *object)
{
	struct task_struct *task = ctx->task;
	struct signal_struct *signal = object;
	struct ckpt_hdr_signal *record;
	int index, ret;

	record = ckpt_record_add(ctx, CKPT_HDR_SIGNAL);
	if (!record)
		return -ENOMEM;
	BUILD_BUG_ON(ARRAY_SIZE(record->rlim_cur) != RLIM_NLIMITS);
	task_lock(task->group_leader);
	for (index = 0; index < RLIM_NLIMITS; index++) {
		record->rlim_cur[index] = signal->rlim[index].rlim_cur;
		record->rlim_max[index] = signal->rlim[index].rlim_max;
	}
	task_unlock(task->group_leader);
	record->oom_score_adj = signal->oom_score_adj;
	record->oom_score_adj_min = signal->oom_score_adj_min;
	ckpt_itimers_save(task, record);
	ckpt_stop_save(task, record);
	ckpt_object_keep_record(ctx, signal, record);
	/* Before the queues: see posix-timers_ckpt.c. */
	ret = ckpt_posix_timers_save(ctx, task, record);
	return ret ?: save_pending(ctx, task, &signal->shared_pending,
				   &record->nr_pending);
}

static int check_limits(struct ckpt_ctx *ctx,
			const struct ckpt_hdr_signal *record)
{
	const struct rlimit *old = current->signal->rlim;
	int index;

	for (index = 0; index < RLIM_NLIMITS; index++) {
		if (record->rlim_cur[index] > record->rlim_max[index])
			return ckpt_error(ctx, -EINVAL,
					  "soft limit %d exceeds the hard one",
					  index);
		if (record->rlim_max[index] > READ_ONCE(old[index].rlim_max) &&
		    !capable(CAP_SYS_RESOURCE))
			return ckpt_error(ctx, -EPERM,
					  "no right to raise hard limit %d to %llu",
					  index, record->rlim_max[index]);
	}
	if (record->rlim_max[RLIMIT_NOFILE] > sysctl_nr_open)
		return ckpt_error(ctx, -EPERM,
				  "RLIMIT_NOFILE exceeds fs.nr_open");
	if (min(record->oom_score_adj, record->oom_score_adj_min) <
	    current->signal->oom_score_adj_min && !capable(CAP_SYS_RESOURCE))
		return ckpt_error(ctx, -EPERM,
				  "no right to lower oom_score_adj to %d",
				  min(record->oom_score_adj,
				      record->oom_score_adj_min));
	return ckpt_itimers_check(ctx, record) ?: ckpt_stop_check(ctx, record);
}

/**
 * ckpt_signal_restore - read the state of a thread group
 * @ctx: context
 *
 * Return: struct ckpt_signal_stage, or an error pointer.
 */
void *ckpt_signal_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_signal_stage *stage;
	int ret;

	stage = kzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);
	if (!stage)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&stage->pending);
	xa_init(&stage->timers);
	stage->signal = current->signal;
	ret = ckpt_record_read(ctx, CKPT_HDR_SIGNAL, &stage->record);
	if (!ret)
		ret = check_limits(ctx, &stage->record);
	if (!ret)
		ret = ckpt_posix_timers_restore(ctx, &stage->record,
						&stage->timers);
	if (!ret)
		ret = read_pending(ctx, stage->record.nr_pending, stage, false,
				   &stage->pending, &stage->pending_mask);
	if (ret) {
		ckpt_signal_drop(stage);
		return ERR_PTR(ret);
	}
	return stage;
}

/**
 * ckpt_signal_drop - free what ckpt_signal_restore() returned
 * @object: struct ckpt_signal_stage
 */
void ckpt_signal_drop(void *object)
{
	struct ckpt_signal_stage *stage = object;

	free_pending(&stage->pending);
	ckpt_posix_timers_drop(&stage->timers);
	kfree(stage);
}

static int tell_subreaper(struct task_struct *leader, void *data)
{
	leader->signal->has_child_subreaper = 1;
	return 1;
}

/* Orphans among its descendants, all of whom are there already, come to it. */
static void commit_subreaper(bool is_subreaper)
{
	struct signal_struct *signal = current->signal;

	signal->is_child_subreaper = is_subreaper;
	if (is_subreaper)
		walk_process_tree(current, tell_subreaper, NULL);
}

/**
 * ckpt_signal_commit - make it the state of the current thread group
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Done by one thread for all.
 *
 * Return: 0.
 */
int ckpt_signal_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct ckpt_signal_stage *restored = stage->signal;
	const struct ckpt_hdr_signal *record = &restored->record;
	struct signal_struct *signal = current->signal;
	int index;

	if (!stage->acts_for_group)
		return 0;
	task_lock(current->group_leader);
	for (index = 0; index < RLIM_NLIMITS; index++) {
		signal->rlim[index].rlim_cur = record->rlim_cur[index];
		signal->rlim[index].rlim_max = record->rlim_max[index];
	}
	task_unlock(current->group_leader);
	if (record->rlim_cur[RLIMIT_CPU] != RLIM_INFINITY)
		update_rlimit_cpu(current, record->rlim_cur[RLIMIT_CPU]);
	signal->oom_score_adj = record->oom_score_adj;
	signal->oom_score_adj_min = record->oom_score_adj_min;
	commit_subreaper(stage->is_subreaper);
	/* As execve() does: those of who restarts end here. */
	exit_itimers(current);
	flush_itimer_signals();

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	commit_pending(&signal->shared_pending, &restored->pending,
		       restored->pending_mask);
	ckpt_stop_commit(record);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	return 0;
}

/**
 * ckpt_thread_save - save the state of one thread outside its registers
 * @ctx: context
 * @task: stopped, or the caller
 *
 * Return: 0 or a negative errno.
 */
int ckpt_thread_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_hdr_thread *record;

	record = ckpt_record_add(ctx, CKPT_HDR_THREAD);
	if (!record)
		return -ENOMEM;
	record->clear_child_tid = (uintptr_t)task->clear_child_tid;
	record->set_child_tid = (uintptr_t)task->set_child_tid;
	record->robust_list = (uintptr_t)task->robust_list;
	record->rseq = (uintptr_t)task->rseq;
	record->rseq_len = task->rseq_len;
	record->rseq_sig = task->rseq_sig;
	/* sigsuspend() and the like put the mask back when they end. */
	record->blocked = mask_to_u64(task->restore_sigmask ?
				      &task->saved_sigmask : &task->blocked);
	record->altstack_sp = task->sas_ss_sp;
	record->altstack_size = task->sas_ss_size;
	record->altstack_flags = task->sas_ss_flags;
	record->pdeath_signal = task->pdeath_signal;
	return save_pending(ctx, task, &task->pending, &record->nr_pending);
}

static bool is_user_range(u64 address, u64 size)
{
	return access_ok(u64_to_user_ptr(address), size);
}

/**
 * ckpt_thread_restore - read the state of one thread
 * @ctx: context
 * @stage: filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_thread_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct ckpt_hdr_thread *record = &stage->thread;
	int ret = ckpt_record_read(ctx, CKPT_HDR_THREAD, record);

	if (ret)
		return ret;
	if (stage->signal->signal != current->signal)
		return ckpt_error(ctx, -EINVAL,
				  "the thread group is that of another process");
	if (!is_user_range(record->clear_child_tid, sizeof(int)) ||
	    !is_user_range(record->set_child_tid, sizeof(int)) ||
	    !is_user_range(record->robust_list,
			   sizeof(struct robust_list_head)))
		return ckpt_error(ctx, -EINVAL,
				  "an address of the thread is not in user space");
	if (record->rseq &&
	    (record->rseq_len < RSEQ_SIZE_MIN || record->rseq % RSEQ_SIZE_MIN ||
	     !is_user_range(record->rseq, record->rseq_len)))
		return ckpt_error(ctx, -EINVAL, "rseq at %#llx",
				  record->rseq);
	if (!(record->altstack_flags & SS_DISABLE) &&
	    (record->altstack_size && record->altstack_size < MINSIGSTKSZ))
		return ckpt_error(ctx, -EINVAL,
				  "the alternate signal stack is too small");
	return read_pending(ctx, record->nr_pending, stage->signal, true,
			    &stage->pending, &stage->pending_mask);
}

/**
 * ckpt_thread_commit - make it the state of the current thread
 * @ctx: context
 * @stage: from ckpt_thread_restore()
 *
 * Return: 0.
 */
int ckpt_thread_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	const struct ckpt_hdr_thread *record = &stage->thread;
	sigset_t blocked = { .sig = { record->blocked } };

	current->clear_child_tid = u64_to_user_ptr(record->clear_child_tid);
	current->set_child_tid = u64_to_user_ptr(record->set_child_tid);
	current->robust_list = u64_to_user_ptr(record->robust_list);
	current->rseq = u64_to_user_ptr(record->rseq);
	current->rseq_len = record->rseq_len;
	current->rseq_sig = record->rseq_sig;
	/* Out of a critical section, and the new CPU number, as preemption. */
	preempt_disable();
	rseq_preempt(current);
	preempt_enable();
	rseq_set_notify_resume(current);

	current->sas_ss_sp = record->altstack_sp;
	current->sas_ss_size = record->altstack_size;
	current->sas_ss_flags = record->altstack_flags;
	current->pdeath_signal = record->pdeath_signal;

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	commit_pending(&current->pending, &stage->pending,
		       stage->pending_mask);
	ckpt_stop_commit_thread(&stage->signal->record);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	set_current_blocked(&blocked);
	return 0;
}

/**
 * ckpt_thread_release - free queue entries that were not committed
 * @stage: of a task
 */
void ckpt_thread_release(struct ckpt_task_stage *stage)
{
	free_pending(&stage->pending);
}

/**
 * ckpt_timers_commit - start the timers of the current thread group
 * @ctx: context
 * @stage: from ckpt_task_restore(), all but the registers is committed
 *
 * Done by one thread for all, when the others are what they shall be: a
 * signal that somebody had blocked could end the process before.
 *
 * Return: 0.
 */
int ckpt_timers_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct ckpt_signal_stage *restored = stage->signal;

	if (!stage->acts_for_group)
		return 0;
	ckpt_itimers_commit(&restored->record);
	ckpt_posix_timers_commit(&restored->record, &restored->timers);
	/* It goes before the stage does. */
	stage->signal = NULL;
	return 0;
}

/**
 * ckpt_timers_release - free timers that were not committed
 * @stage: of a task
 *
 * Whoever frees the objects may be outside of the thread group, and the signal of
 * a timer in the queue of a thread that has committed.
 */
void ckpt_timers_release(struct ckpt_task_stage *stage)
{
	if (stage->signal && stage->acts_for_group)
		ckpt_posix_timers_drop(&stage->signal->timers);
}
