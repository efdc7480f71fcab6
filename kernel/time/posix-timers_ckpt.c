// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of timer_create(2): part of posix-timers.c.
 *
 * Saved: id, clock, notification, time left, period, overruns; whether the
 *	signal is pending, and whether taking it starts the timer again; the id
 *	that the next timer gets.
 * Reset to default: with which id a clock of processor time was named.
 * Refused: clocks of processes that are not saved.
 *
 * As with the other timers, the time between checkpoint and restart does not
 * count, unless the timer waits for a time of day. Of a timer of
 * CLOCK_REALTIME_ALARM the kernel does not know whether it does, only the
 * moment when it ends: that stays.
 *
 * The signal of a timer is allocated with it, and waits in the queue of the
 * process or of a thread. Timers go on while the process is stopped, so one may
 * expire between its own record and those of the queues: then the image has it
 * running, and the entry in the queue does not count.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

static_assert(CKPT_CPU_TIME_PROF == CPUCLOCK_PROF);
static_assert(CKPT_CPU_TIME_VIRT == CPUCLOCK_VIRT);
static_assert(CKPT_CPU_TIME_SCHED == CPUCLOCK_SCHED);

/**
 * struct staged_timer - a timer as restored
 * @record: from the image, checked
 * @timer: not running, nobody can find it
 * @queued: its signal is in the queue of a task or of the thread group
 */
struct staged_timer {
	struct ckpt_hdr_posix_timer record;
	struct k_itimer *timer;
	bool queued;
};

static bool is_time_of_day(const struct k_itimer *timer)
{
	/* Relative timers of CLOCK_REALTIME go by the monotonic clock. */
	return timer->it_clock == CLOCK_REALTIME_ALARM ||
	       (timer->it_clock == CLOCK_REALTIME &&
		timer->kclock == &clock_realtime);
}

static s64 expiry(const struct k_itimer *timer)
{
	return timer->it_clock == CLOCK_REALTIME_ALARM ?
		timer->it.alarm.alarmtimer.node.expires :
		hrtimer_get_expires(&timer->it.real.timer);
}

/* Asking moves a timer that has expired forwards, as timer_gettime() does. */
static void save_setting(struct task_struct *task, struct k_itimer *timer,
			 struct ckpt_hdr_posix_timer *record)
{
	struct itimerspec64 setting = { };

	lockdep_assert_held(&timer->it_lock);
	timer->kclock->timer_get(timer, &setting);
	record->value_ns = timespec64_to_ns(&setting.it_value);
	/* Nothing is left of a timer whose clock is gone. */
	if (record->value_ns) {
		record->interval_ns = timespec64_to_ns(&setting.it_interval);
		if (timer->it_requeue_pending & REQUEUE_PENDING)
			record->flags |= CKPT_POSIX_TIMER_EXPIRED;
		if (is_time_of_day(timer)) {
			record->flags |= CKPT_POSIX_TIMER_ABSOLUTE;
			record->value_ns = max_t(s64, expiry(timer), 1);
		}
	}
	record->overrun = timer->it_overrun;
	record->overrun_last = timer->it_overrun_last;
	spin_lock(&ckpt_sighand(task)->siglock);
	if (!list_empty(&timer->sigq->list))
		record->flags |= CKPT_POSIX_TIMER_QUEUED;
	spin_unlock(&ckpt_sighand(task)->siglock);
}

static int save_clock(struct ckpt_ctx *ctx, const struct k_itimer *timer,
		      struct ckpt_hdr_posix_timer *record)
{
	bool thread = CPUCLOCK_PERTHREAD(timer->it_clock);
	int number;

	if (timer->kclock != &clock_posix_cpu) {
		record->clockid = timer->it_clock;
		return 0;
	}
	record->clockid = thread ? CLOCK_THREAD_CPUTIME_ID :
				   CLOCK_PROCESS_CPUTIME_ID;
	record->cpu_time = CPUCLOCK_WHICH(timer->it_clock);
	number = ckpt_pid_save(ctx, timer->it.cpu.pid,
			       thread ? PIDTYPE_PID : PIDTYPE_TGID);
	if (number < 0 && !thread)
		return ckpt_error(ctx, number,
				  "POSIX timer %d runs on the clock of process %d, which is not saved",
				  timer->it_id, pid_vnr(timer->it.cpu.pid));
	/* A thread that is not saved is on its way out. */
	record->cpu_pid = max(number, 0);
	return 0;
}

static int save_timer(struct ckpt_ctx *ctx, struct task_struct *task,
		      struct k_itimer *timer)
{
	struct ckpt_hdr_posix_timer *record;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_POSIX_TIMER);
	if (!record)
		return -ENOMEM;
	record->id = timer->it_id;
	record->notify = timer->it_sigev_notify;
	/* Without a signal the number may be anything. */
	if (record->notify != SIGEV_NONE)
		record->signo = timer->sigq->info.si_signo;
	record->sigval = (uintptr_t)timer->sigq->info.si_value.sival_ptr;
	if (record->notify & SIGEV_THREAD_ID)
		record->thread = max(ckpt_pid_save(ctx, timer->it_pid,
						   PIDTYPE_PID), 0);
	ret = save_clock(ctx, timer, record);
	if (ret)
		return ret;
	spin_lock_irq(&timer->it_lock);
	save_setting(task, timer, record);
	spin_unlock_irq(&timer->it_lock);
	return 0;
}

/**
 * ckpt_posix_timers_save - save the POSIX timers of a thread group
 * @ctx: context
 * @task: stopped, as are the other threads: nobody makes or deletes timers
 * @record: their number is filled in
 *
 * Context: Takes the locks of the timers and that of the signal handlers.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_posix_timers_save(struct ckpt_ctx *ctx, struct task_struct *task,
			   struct ckpt_hdr_signal *record)
{
	struct k_itimer *timer;

	record->next_posix_timer_id = task->signal->next_posix_timer_id;
	hlist_for_each_entry(timer, &task->signal->posix_timers, list) {
		int ret = save_timer(ctx, task, timer);

		if (ret)
			return ret;
		record->nr_posix_timers++;
	}
	return 0;
}

/* The bounds of each field hold; do they go together? */
static int check(struct ckpt_ctx *ctx, const struct ckpt_hdr_posix_timer *record)
{
	bool is_cpu_clock = record->clockid == CLOCK_PROCESS_CPUTIME_ID ||
			    record->clockid == CLOCK_THREAD_CPUTIME_ID;
	bool may_be_absolute = record->clockid == CLOCK_REALTIME ||
			       record->clockid == CLOCK_REALTIME_ALARM;
	const char *what = NULL;

	switch (record->notify) {
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		if (!record->signo)
			what = "no signal";
		break;
	case SIGEV_NONE:
		if (record->signo)
			what = "a signal that it does not send";
		if (record->flags & (CKPT_POSIX_TIMER_EXPIRED |
				     CKPT_POSIX_TIMER_QUEUED))
			what = "a signal that it has not sent";
		break;
	default:
		what = "an unknown notification";
	}
	if (record->thread && !(record->notify & SIGEV_THREAD_ID))
		what = "a thread that gets no signal";
	if ((record->cpu_pid || record->cpu_time) && !is_cpu_clock)
		what = "the processor time of somebody";
	if (record->interval_ns && !record->value_ns)
		what = "a period and no time left";
	if (record->flags & CKPT_POSIX_TIMER_EXPIRED && !record->interval_ns)
		what = "no period after which it expires again";
	if (record->flags & CKPT_POSIX_TIMER_ABSOLUTE && !may_be_absolute)
		what = "a time of day";
	if (what)
		return ckpt_error(ctx, -EINVAL, "POSIX timer %u of clock %u has %s",
				  record->id, record->clockid, what);
	return 0;
}

/* NULL: there is no such task, or it has nothing to do with the current one. */
static struct pid *find_task(struct ckpt_ctx *ctx, u32 number,
			     enum pid_type type)
{
	struct pid *pid = ckpt_pid_find(ctx, number, type);
	struct task_struct *task;

	if (!pid)
		return NULL;
	rcu_read_lock();
	task = pid_task(pid, type);
	if (task && type == PIDTYPE_PID && !same_thread_group(task, current))
		task = NULL;
	rcu_read_unlock();
	if (task)
		return pid;
	put_pid(pid);
	return NULL;
}

static int set_clock(struct ckpt_ctx *ctx, struct k_itimer *timer,
		     const struct ckpt_hdr_posix_timer *record)
{
	bool thread = record->clockid == CLOCK_THREAD_CPUTIME_ID;
	const struct k_clock *clock = clockid_to_kclock(record->clockid);
	struct pid *pid = NULL;
	int ret;

	if (!clock || !clock->timer_create)
		return ckpt_error(ctx, -EINVAL, "clock %u has no timers",
				  record->clockid);
	timer->it_clock = record->clockid;
	timer->kclock = clock;
	if (record->cpu_pid) {
		pid = find_task(ctx, record->cpu_pid,
				thread ? PIDTYPE_PID : PIDTYPE_TGID);
		if (!pid)
			return ckpt_error(ctx, -EINVAL,
					  "POSIX timer %u runs on the clock of task %u, which is not there",
					  record->id, record->cpu_pid);
	}
	ret = clock->timer_create(timer);
	if (ret) {
		put_pid(pid);
		return ckpt_error(ctx, ret, "POSIX timer %u of clock %u",
				  record->id, record->clockid);
	}
	if (timer->kclock != &clock_posix_cpu)
		return 0;
	timer->it_clock = (timer->it_clock & ~CPUCLOCK_CLOCK_MASK) |
			  record->cpu_time;
	/* Of nobody, if who had it was gone. */
	put_pid(timer->it.cpu.pid);
	timer->it.cpu.pid = pid;
	return 0;
}

static int set_notification(struct ckpt_ctx *ctx, struct k_itimer *timer,
			    const struct ckpt_hdr_posix_timer *record)
{
	kernel_siginfo_t *info = &timer->sigq->info;

	info->si_signo = record->signo;
	info->si_code = SI_TIMER;
	info->si_tid = record->id;
	info->si_value.sival_ptr = u64_to_user_ptr(record->sigval);
	timer->it_sigev_notify = record->notify;
	if (!(record->notify & SIGEV_THREAD_ID)) {
		timer->it_pid = get_pid(task_tgid(current));
		return 0;
	}
	/* Nobody gets the signal if the thread was gone. */
	if (!record->thread)
		return 0;
	timer->it_pid = find_task(ctx, record->thread, PIDTYPE_PID);
	if (!timer->it_pid)
		return ckpt_error(ctx, -EINVAL,
				  "POSIX timer %u sends signals to thread %u, which is not there",
				  record->id, record->thread);
	return 0;
}

/* NULL: without memory. */
static struct k_itimer *make_timer(struct ckpt_ctx *ctx,
				   const struct ckpt_hdr_posix_timer *record)
{
	struct k_itimer *timer = alloc_posix_timer();
	int ret;

	if (!timer && ckpt_too_many_queued())
		return ERR_PTR(ckpt_error(ctx, -EAGAIN,
					  "RLIMIT_SIGPENDING does not allow POSIX timer %u",
					  record->id));
	if (!timer)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&timer->it_lock);
	timer->it_id = record->id;
	timer->it_overrun = -1LL;
	ret = set_notification(ctx, timer, record);
	if (!ret)
		ret = set_clock(ctx, timer, record);
	if (!ret)
		return timer;
	posix_timer_free(timer);
	return ERR_PTR(ret);
}

static void drop_timer(struct staged_timer *staged)
{
	struct k_itimer *timer = staged->timer;

	spin_lock_irq(&timer->it_lock);
	/* Never started, so there is nothing to wait for. */
	WARN_ON_ONCE(timer_delete_hook(timer));
	spin_unlock_irq(&timer->it_lock);
	posix_timer_free(timer);
	kfree(staged);
}

static int restore_timer(struct ckpt_ctx *ctx, struct xarray *timers)
{
	struct staged_timer *staged;
	int ret;

	staged = kzalloc(sizeof(*staged), GFP_KERNEL_ACCOUNT);
	if (!staged)
		return -ENOMEM;
	ret = ckpt_record_read(ctx, CKPT_HDR_POSIX_TIMER, &staged->record);
	if (!ret)
		ret = check(ctx, &staged->record);
	if (!ret) {
		staged->timer = make_timer(ctx, &staged->record);
		ret = PTR_ERR_OR_ZERO(staged->timer);
	}
	if (ret) {
		kfree(staged);
		return ret;
	}
	ret = xa_insert(timers, staged->record.id, staged, GFP_KERNEL_ACCOUNT);
	if (ret == -EBUSY)
		ret = ckpt_error(ctx, -EINVAL, "two POSIX timers have id %u",
				 staged->record.id);
	if (ret)
		drop_timer(staged);
	return ret;
}

/**
 * ckpt_posix_timers_restore - read and make the POSIX timers of a thread group
 * @ctx: context
 * @record: of the thread group
 * @timers: empty; ckpt_posix_timers_commit() or ckpt_posix_timers_drop() takes
 *	out what is added, also after an error
 *
 * Return: 0 or a negative errno.
 */
int ckpt_posix_timers_restore(struct ckpt_ctx *ctx,
			      const struct ckpt_hdr_signal *record,
			      struct xarray *timers)
{
	u32 left = record->nr_posix_timers;
	int ret = 0;

	while (!ret && left--)
		ret = restore_timer(ctx, timers);
	return ret;
}

/**
 * ckpt_posix_timer_queue - put the signal of a timer where it was pending
 * @ctx: context
 * @timers: those of the current thread group
 * @info: of the entry in the image
 * @thread: it was the queue of the current thread, not that of the group
 * @pending: of which this is the next entry
 *
 * Return: 1; 0 if the signal came later than the timer was saved; -EINVAL.
 */
int ckpt_posix_timer_queue(struct ckpt_ctx *ctx, struct xarray *timers,
			   const siginfo_t *info, bool thread,
			   struct list_head *pending)
{
	struct staged_timer *staged = xa_load(timers, (u32)info->si_tid);
	struct sigqueue *entry;

	if (!staged || info->si_code != SI_TIMER ||
	    info->si_signo != staged->record.signo || info->si_overrun < 0)
		return ckpt_error(ctx, -EINVAL,
				  "a pending signal of POSIX timer %d, which does not send it",
				  info->si_tid);
	if (!(staged->record.flags & CKPT_POSIX_TIMER_QUEUED))
		return 0;
	if (thread != !!(staged->record.notify & SIGEV_THREAD_ID) ||
	    (thread && staged->timer->it_pid != task_pid(current)))
		return ckpt_error(ctx, -EINVAL,
				  "the signal of POSIX timer %d is pending for somebody else",
				  info->si_tid);
	if (staged->queued)
		return ckpt_error(ctx, -EINVAL,
				  "the signal of POSIX timer %d is pending twice",
				  info->si_tid);
	entry = staged->timer->sigq;
	entry->info.si_overrun = info->si_overrun;
	list_add_tail(&entry->list, pending);
	staged->queued = true;
	return 1;
}

/* It is told to the timer by its own methods, as timer_settime() does. */
static void start(const struct staged_timer *staged)
{
	const struct ckpt_hdr_posix_timer *record = &staged->record;
	struct k_itimer *timer = staged->timer;
	bool expired = record->flags & CKPT_POSIX_TIMER_EXPIRED;
	int flags = record->flags & CKPT_POSIX_TIMER_ABSOLUTE ? TIMER_ABSTIME : 0;
	struct itimerspec64 setting = {
		.it_value	= ns_to_timespec64(record->value_ns),
		.it_interval	= ns_to_timespec64(record->interval_ns),
	};

	spin_lock_irq(&timer->it_lock);
	if (record->value_ns) {
		/* One that sends no signal knows its time and does not run. */
		if (expired)
			timer->it_sigev_notify = SIGEV_NONE;
		timer->kclock->timer_set(timer, flags, &setting, NULL);
		timer->it_sigev_notify = record->notify;
	}
	timer->it_overrun = record->overrun;
	timer->it_overrun_last = record->overrun_last;
	if (expired) {
		/* Who takes the signal starts it, if the numbers agree. */
		timer->it_requeue_pending = REQUEUE_PENDING;
		if (staged->queued)
			timer->sigq->info.si_sys_private = REQUEUE_PENDING;
	}
	spin_unlock_irq(&timer->it_lock);
}

/* From now on it belongs to the thread group. */
static void publish(struct k_itimer *timer)
{
	struct signal_struct *signal = current->signal;

	spin_lock(&hash_lock);
	hlist_add_head_rcu(&timer->t_hash,
			   &posix_timers_hashtable[hash(signal, timer->it_id)]);
	spin_unlock(&hash_lock);
	spin_lock_irq(&timer->it_lock);
	spin_lock(&ckpt_sighand(current)->siglock);
	WRITE_ONCE(timer->it_signal, signal);
	hlist_add_head(&timer->list, &signal->posix_timers);
	spin_unlock(&ckpt_sighand(current)->siglock);
	spin_unlock_irq(&timer->it_lock);
}

/**
 * ckpt_posix_timers_commit - give the current thread group its timers
 * @record: of the thread group
 * @timers: from ckpt_posix_timers_restore(); none is left
 *
 * The thread group has no others. Its tasks must be the saved ones: a timer
 * may expire at once.
 */
void ckpt_posix_timers_commit(const struct ckpt_hdr_signal *record,
			      struct xarray *timers)
{
	struct staged_timer *staged;
	unsigned long id;

	current->signal->next_posix_timer_id = record->next_posix_timer_id;
	xa_for_each(timers, id, staged) {
		publish(staged->timer);
		start(staged);
		kfree(staged);
	}
	xa_destroy(timers);
}

/**
 * ckpt_posix_timers_drop - free timers that nobody has got
 * @timers: from ckpt_posix_timers_restore(); none is left
 *
 * Context: Of a task of the thread group, if the signal of one may have come
 * into the queue of a thread.
 */
void ckpt_posix_timers_drop(struct xarray *timers)
{
	struct staged_timer *staged;
	unsigned long id;

	xa_for_each(timers, id, staged)
		drop_timer(staged);
	xa_destroy(timers);
}

#endif /* CONFIG_CHECKPOINT */
