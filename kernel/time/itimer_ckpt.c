// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of interval timers.
 *
 * Saved: time left and period of ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF.
 *
 * Time does not pass for a saved process: what was left is left.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/time.h>

/* The periods that setitimer() takes end here. */
#define NS_MAX	((u64)KTIME_MAX)

static void save_cpu_timer(struct task_struct *task,
			   struct ckpt_hdr_signal *record, int which,
			   unsigned int clock)
{
	struct cpu_itimer *timer = &task->signal->it[clock];
	u64 samples[CPUCLOCK_MAX];

	record->itimer_interval_ns[which] = timer->incr;
	if (!timer->expires)
		return;
	thread_group_sample_cputime(task, samples);
	/* One that is about to expire still has to. */
	record->itimer_value_ns[which] = timer->expires > samples[clock] ?
		timer->expires - samples[clock] : TICK_NSEC;
}

/**
 * ckpt_itimers_save - save the interval timers of a thread group
 * @task: stopped
 * @record: filled in
 *
 * Context: Takes the lock of the signal handlers.
 */
void ckpt_itimers_save(struct task_struct *task,
		       struct ckpt_hdr_signal *record)
{
	struct hrtimer *real = &task->signal->real_timer;

	spin_lock_irq(&ckpt_sighand(task)->siglock);
	if (hrtimer_active(real)) {
		ktime_t left = hrtimer_get_remaining(real);

		record->itimer_value_ns[ITIMER_REAL] = max_t(s64, left, 1);
	}
	record->itimer_interval_ns[ITIMER_REAL] = task->signal->it_real_incr;
	save_cpu_timer(task, record, ITIMER_VIRTUAL, CPUCLOCK_VIRT);
	save_cpu_timer(task, record, ITIMER_PROF, CPUCLOCK_PROF);
	spin_unlock_irq(&ckpt_sighand(task)->siglock);
}

/**
 * ckpt_itimers_check - are the interval timers of an image possible?
 * @ctx: context
 * @record: from the image
 *
 * Return: 0, -EINVAL.
 */
int ckpt_itimers_check(struct ckpt_ctx *ctx,
		       const struct ckpt_hdr_signal *record)
{
	int which;

	for (which = 0; which < ARRAY_SIZE(record->itimer_value_ns); which++)
		if (record->itimer_value_ns[which] > NS_MAX ||
		    record->itimer_interval_ns[which] > NS_MAX)
			return ckpt_error(ctx, -EINVAL,
					  "interval timer %d is out of range",
					  which);
	return 0;
}

/**
 * ckpt_itimers_commit - start the interval timers of the current task
 * @record: from the image, checked
 */
void ckpt_itimers_commit(const struct ckpt_hdr_signal *record)
{
	int which;

	for (which = 0; which < ARRAY_SIZE(record->itimer_value_ns); which++) {
		u64 value = record->itimer_value_ns[which];
		u64 interval = record->itimer_interval_ns[which];
		struct itimerspec64 timer = {
			.it_value	= ns_to_timespec64(value),
			.it_interval	= ns_to_timespec64(interval),
		};

		do_setitimer(which, &timer, NULL);
	}
}
