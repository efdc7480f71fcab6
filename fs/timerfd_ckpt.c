// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of timerfd_create(2): part of timerfd.c.
 *
 * Saved: clock, time left, period, expirations that were not read, whether a
 *	change of the clock cancels or has cancelled the timer.
 *
 * As with the other timers, the time between checkpoint and restart does not
 * count, unless the timer waits for a time of day. It goes on when its records
 * are read, a moment before the process does.
 *
 * To a timer that a change of the clock cancels, a restart is what a resume
 * from suspend is: it compares the time of day with the monotonic clock, and is
 * cancelled if one has moved against the other. After a reboot it has. That is
 * what the process asked to be told: the time of day is not where its own time
 * says, and nobody knows whether the clock was set meanwhile.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>

static bool is_time_of_day(int clockid, int settime_flags)
{
	return settime_flags & TFD_TIMER_ABSTIME &&
	       (clockid == CLOCK_REALTIME || clockid == CLOCK_REALTIME_ALARM);
}

static bool is_armed(struct timerfd_ctx *timer)
{
	if (isalarm(timer))
		return timer->t.alarm.state & ALARMTIMER_STATE_ENQUEUED;
	return hrtimer_active(&timer->t.tmr);
}

static ktime_t expiry(struct timerfd_ctx *timer)
{
	return isalarm(timer) ? timer->t.alarm.node.expires :
				hrtimer_get_expires(&timer->t.tmr);
}

static ktime_t time_left(struct timerfd_ctx *timer)
{
	return isalarm(timer) ? alarm_expires_remaining(&timer->t.alarm) :
				hrtimer_expires_remaining(&timer->t.tmr);
}

/* As do_timerfd_gettime() counts, but nothing is changed. */
static void save_value(struct timerfd_ctx *timer,
		       struct ckpt_hdr_timerfd *record)
{
	bool absolute = is_time_of_day(timer->clockid, timer->settime_flags);
	s64 left = time_left(timer);
	s64 end = expiry(timer);

	lockdep_assert_held(&timer->wqh.lock);
	record->ticks = timer->ticks;
	if (timer->expired && timer->tintv) {
		s64 late = max_t(s64, -left, 0);
		s64 periods = div64_s64(late, timer->tintv) + 1;

		record->ticks += periods - 1;
		left += periods * timer->tintv;
		end += periods * timer->tintv;
	} else if (timer->expired || !is_armed(timer)) {
		return;
	}
	record->value_ns = max_t(s64, absolute ? end : left, 1);
	if (absolute)
		record->flags |= CKPT_TIMERFD_ABSOLUTE;
}

/**
 * ckpt_timerfd_save - checkpoint method of timerfd
 * @ctx: context
 * @file: timerfd
 *
 * Return: CKPT_FILE_TIMERFD, -ENOMEM.
 */
int ckpt_timerfd_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct timerfd_ctx *timer = file->private_data;
	struct ckpt_hdr_timerfd *record;

	record = ckpt_record_add(ctx, CKPT_HDR_TIMERFD);
	if (!record)
		return -ENOMEM;
	spin_lock_irq(&timer->wqh.lock);
	record->clockid = timer->clockid;
	record->settime_flags = timer->settime_flags;
	record->interval_ns = timer->tintv;
	if (timer->might_cancel && timer->moffs == KTIME_MAX)
		record->flags |= CKPT_TIMERFD_CANCELED;
	else if (timer->might_cancel)
		record->real_offset_ns = timer->moffs;
	save_value(timer, record);
	spin_unlock_irq(&timer->wqh.lock);
	return CKPT_FILE_TIMERFD;
}

static int start(int fd, const struct ckpt_hdr_timerfd *record)
{
	bool absolute = record->flags & CKPT_TIMERFD_ABSOLUTE;
	struct itimerspec64 ignored, value = {
		.it_value	= ns_to_timespec64(record->value_ns),
		.it_interval	= ns_to_timespec64(record->interval_ns),
	};

	return do_timerfd_settime(fd, absolute ? record->settime_flags : 0,
				  &value, &ignored);
}

static int check(struct ckpt_ctx *ctx, const struct ckpt_hdr_timerfd *record)
{
	bool time_of_day = is_time_of_day(record->clockid,
					  record->settime_flags);
	bool might_cancel = time_of_day &&
			    record->settime_flags & TFD_TIMER_CANCEL_ON_SET;

	if (record->flags & CKPT_TIMERFD_ABSOLUTE && !time_of_day)
		return ckpt_error(ctx, -EINVAL,
				  "a timer of clock %u waits for a time of day",
				  record->clockid);
	if (record->flags & CKPT_TIMERFD_CANCELED && !might_cancel)
		return ckpt_error(ctx, -EINVAL,
				  "a timer that cannot be cancelled was");
	if (record->real_offset_ns &&
	    (record->flags & CKPT_TIMERFD_CANCELED || !might_cancel))
		return ckpt_error(ctx, -EINVAL,
				  "a timer that cannot be cancelled compares clocks");
	return 0;
}

/*
 * As timerfd_clock_was_set(). If that runs at the same time, it sees the clock
 * that was set, or we do.
 */
static void cancel_if_set(struct timerfd_ctx *timer,
			  const struct ckpt_hdr_timerfd *record)
{
	lockdep_assert_held(&timer->wqh.lock);
	if (record->flags & CKPT_TIMERFD_CANCELED) {
		timer->moffs = KTIME_MAX;
	} else if (timer->might_cancel &&
		   record->real_offset_ns != ktime_mono_to_real(0)) {
		timer->moffs = KTIME_MAX;
		timer->ticks++;
	}
}

/**
 * ckpt_timerfd_restore - read, make and start a timerfd
 * @ctx: context
 * @file_record: its first record
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_timerfd_restore(struct ckpt_ctx *ctx,
				  const struct ckpt_hdr_file *file_record)
{
	struct ckpt_hdr_timerfd record;
	struct timerfd_ctx *timer;
	struct file *file;
	int fd, ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_TIMERFD, &record);
	if (!ret)
		ret = check(ctx, &record);
	if (ret)
		return ERR_PTR(ret);
	fd = __do_sys_timerfd_create(record.clockid, 0);
	ret = fd < 0 ? 0 : start(fd, &record);
	file = ckpt_file_take(fd);
	if (IS_ERR(file)) {
		ckpt_error(ctx, PTR_ERR(file), "timer of clock %u",
			   record.clockid);
		return file;
	}
	if (ret) {
		fput(file);
		return ERR_PTR(ckpt_error(ctx, ret, "timer of clock %u",
					  record.clockid));
	}
	timer = file->private_data;
	timerfd_setup_cancel(timer, record.settime_flags);
	spin_lock_irq(&timer->wqh.lock);
	timer->settime_flags = record.settime_flags;
	/* It may have expired already. */
	timer->ticks += record.ticks;
	cancel_if_set(timer, &record);
	spin_unlock_irq(&timer->wqh.lock);
	return file;
}

#endif /* CONFIG_CHECKPOINT */
