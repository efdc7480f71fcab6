// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of processes that are stopped by a signal.
 *
 * Saved: the signal, whether all threads are stopped, what the parent knows and
 *	will be told.
 */
#include <linux/bug.h>
#include <linux/checkpoint_ctx.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

static const struct {
	u32 flag;
	unsigned int signal_flag;
} stop_map[] = {
	{ CKPT_STOP_COMPLETE,		SIGNAL_STOP_STOPPED },
	{ CKPT_STOP_CONTINUED,		SIGNAL_STOP_CONTINUED },
	{ CKPT_STOP_TELL_STOPPED,	SIGNAL_CLD_STOPPED },
	{ CKPT_STOP_TELL_CONTINUED,	SIGNAL_CLD_CONTINUED },
};

/**
 * ckpt_stop_save - save whether a process is stopped
 * @task: its first thread
 * @record: filled in
 */
void ckpt_stop_save(struct task_struct *task, struct ckpt_hdr_signal *record)
{
	struct signal_struct *signal = task->signal;
	int index;

	spin_lock_irq(&ckpt_sighand(task)->siglock);
	for (index = 0; index < ARRAY_SIZE(stop_map); index++)
		if (signal->flags & stop_map[index].signal_flag)
			record->stop_flags |= stop_map[index].flag;
	if (signal->flags & SIGNAL_STOP_STOPPED || signal->group_stop_count)
		record->stop_signal = task->jobctl & JOBCTL_STOP_SIGMASK ?:
				      SIGSTOP;
	if (signal->flags & SIGNAL_STOP_STOPPED && !signal->group_exit_code)
		record->stop_flags |= CKPT_STOP_WAITED;
	spin_unlock_irq(&ckpt_sighand(task)->siglock);
}

/**
 * ckpt_stop_check - does a record say what can be?
 * @ctx: context
 * @record: read from the image
 *
 * Return: 0, -EINVAL.
 */
int ckpt_stop_check(struct ckpt_ctx *ctx, const struct ckpt_hdr_signal *record)
{
	bool is_complete = record->stop_flags & CKPT_STOP_COMPLETE;
	bool is_waited = record->stop_flags & CKPT_STOP_WAITED;
	bool is_continued = record->stop_flags & CKPT_STOP_CONTINUED;

	if ((record->stop_signal && !sig_kernel_stop(record->stop_signal)) ||
	    (record->stop_signal && is_continued) ||
	    (!record->stop_signal && is_complete) ||
	    (!is_complete && is_waited))
		return ckpt_error(ctx, -EINVAL, "stopped by signal %u, flags %#x",
				  record->stop_signal, record->stop_flags);
	return 0;
}

/**
 * ckpt_stop_commit - make it the state of the current thread group
 * @record: found good
 *
 * Done by one thread for all.
 */
void ckpt_stop_commit(const struct ckpt_hdr_signal *record)
{
	struct signal_struct *signal = current->signal;
	unsigned int flags = 0;
	int index;

	lockdep_assert_held(&ckpt_sighand(current)->siglock);
	/* Killed: it dies instead. */
	if (signal->flags & SIGNAL_GROUP_EXIT)
		return;
	for (index = 0; index < ARRAY_SIZE(stop_map); index++)
		if (record->stop_flags & stop_map[index].flag)
			flags |= stop_map[index].signal_flag;
	signal_set_stop_flags(signal, flags);
	signal->group_exit_code = 0;
	if (record->stop_signal && !(record->stop_flags & CKPT_STOP_WAITED))
		signal->group_exit_code = record->stop_signal;
}

/**
 * ckpt_stop_commit_thread - let the current thread stop when it goes on
 * @record: of its thread group
 *
 * Nobody is told of a stop that was complete, again.
 */
void ckpt_stop_commit_thread(const struct ckpt_hdr_signal *record)
{
	unsigned long mask = record->stop_signal | JOBCTL_STOP_PENDING;

	lockdep_assert_held(&ckpt_sighand(current)->siglock);
	if (!record->stop_signal)
		return;
	/* The last one to stop tells the parent. */
	if (!(record->stop_flags & CKPT_STOP_COMPLETE) &&
	    !(current->jobctl & JOBCTL_STOP_PENDING)) {
		mask |= JOBCTL_STOP_CONSUME;
		current->signal->group_stop_count++;
	}
	task_set_jobctl_pending(current, mask);
}
