// SPDX-License-Identifier: GPL-2.0
/*
 * Timers with a descriptor.
 *
 *	armed		of every clock: goes on with what was left
 *	ticks		expirations that nobody has read, and the period after them
 *	day		waits for a time of day, which does not wait
 *	cancelled	the clock was set
 */
#include "subject.h"

#include <sys/timerfd.h>

#define LONG	(100 * NSEC_PER_SEC)
#define PERIOD	(50 * MSEC)

static const clockid_t clocks[] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM,
	CLOCK_BOOTTIME_ALARM,
};

#define NR_CLOCKS	((int)ARRAY_SIZE(clocks))

static int timers[NR_CLOCKS], absolute, idle, once, periodic;
static s64 started;
static struct timespec end;

static struct timespec spec(s64 ns)
{
	return (struct timespec) { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

static s64 ns(struct timespec time)
{
	return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

static int start(clockid_t clock, int flags, struct timespec value, s64 interval)
{
	struct itimerspec set = { spec(interval), value };
	int fd = timerfd_create(clock, TFD_NONBLOCK);

	need(fd >= 0);
	need(!timerfd_settime(fd, flags, &set, NULL));
	return fd;
}

static s64 left(int fd, s64 interval)
{
	struct itimerspec now;

	need(!timerfd_gettime(fd, &now));
	check_equal(ns(now.it_interval), interval, "period");
	return ns(now.it_value);
}

static bool read_ticks(int fd, u64 *ticks)
{
	*ticks = 0;
	return read(fd, ticks, sizeof(*ticks)) == sizeof(*ticks);
}

/* A moment earlier than now: nothing changes but that the clock was set. */
static void set_clock(void)
{
	struct timespec now;

	need(!clock_gettime(CLOCK_REALTIME, &now));
	need(!clock_settime(CLOCK_REALTIME, &now));
}

static void wait_for_ticks(int fd)
{
	struct itimerspec now;
	char line[256];
	bool ticked = false;

	while (!ticked) {
		char path[64];
		FILE *info;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		info = fopen(path, "r");
		need(info);
		while (fgets(line, sizeof(line), info))
			ticked |= !strncmp(line, "ticks: ", 7) && atoi(line + 7);
		fclose(info);
	}
	need(!timerfd_gettime(fd, &now));
}

static void setup(void)
{
	int index;

	need(!clock_gettime(CLOCK_REALTIME, &end));
	end.tv_sec += 100;
	if (mode_is("day") || mode_is("cancelled")) {
		bool cancel = mode_is("cancelled");

		/* Other subjects set the clock at the same time. */
		absolute = start(CLOCK_REALTIME, TFD_TIMER_ABSTIME |
				 (cancel ? TFD_TIMER_CANCEL_ON_SET : 0), end, 0);
		if (cancel)
			set_clock();
		return;
	}
	started = now_ns(CLOCK_MONOTONIC);
	if (mode_is("ticks")) {
		once = start(CLOCK_MONOTONIC, 0, spec(1), 0);
		periodic = start(CLOCK_MONOTONIC, 0, spec(1), PERIOD);
		wait_for_ticks(once);
		wait_for_ticks(periodic);
		return;
	}
	for (index = 0; index < NR_CLOCKS; index++)
		timers[index] = start(clocks[index], 0, spec(LONG + index * NSEC_PER_SEC),
				      (index + 1) * MSEC);
	idle = timerfd_create(CLOCK_MONOTONIC, 0);
	need(idle >= 0);
	/* The same for one that waits for a moment of a clock that starts anew. */
	need(!clock_gettime(CLOCK_MONOTONIC, &end));
	absolute = start(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, spec(ns(end) + LONG), 0);
}

static void verify_armed(void)
{
	s64 lived = time_lived(started, now_ns(CLOCK_MONOTONIC));
	int index;

	for (index = 0; index <= NR_CLOCKS; index++) {
		bool last = index == NR_CLOCKS;
		s64 all = last ? LONG : LONG + index * NSEC_PER_SEC;
		s64 rest = left(last ? absolute : timers[index], last ? 0 : (index + 1) * MSEC);

		check(rest <= all - lived + control->slack && rest >= all - lived - control->slack,
		      "timer %d: %lld ms left of %lld after %lld", index, (long long)rest / MSEC,
		      (long long)all / MSEC, (long long)lived / MSEC);
	}
	check_equal(left(idle, 0), 0, "idle timer");
}

static void verify_ticks(void)
{
	u64 ticks = 0;
	s64 lived;

	check(read_ticks(once, &ticks) && ticks == 1, "one-shot timer: %lld ticks",
	      (long long)ticks);
	check(!read_ticks(once, &ticks), "one-shot timer expired again");
	check_equal(left(once, 0), 0, "one-shot timer");
	lived = time_lived(started, now_ns(CLOCK_MONOTONIC));
	check(read_ticks(periodic, &ticks) && (s64)ticks >= 1 &&
	      (s64)ticks <= (lived + control->slack) / PERIOD + 1,
	      "periodic timer: %lld ticks in %lld ms", (long long)ticks, (long long)lived / MSEC);
	check(left(periodic, PERIOD) <= PERIOD, "longer than the period is left");
	/* It goes on. */
	while (!read_ticks(periodic, &ticks))
		continue;
}

static void verify_day(void)
{
	struct timespec now;
	s64 rest = left(absolute, 0);

	need(!clock_gettime(CLOCK_REALTIME, &now));
	check(rest <= ns(end) - ns(now) + control->slack &&
	      rest >= ns(end) - ns(now) - control->slack, "%lld ms left instead of %lld",
	      (long long)rest / MSEC, (long long)(ns(end) - ns(now)) / MSEC);
}

static void verify(void)
{
	u64 ticks = 0;

	if (mode_is("armed"))
		verify_armed();
	else if (mode_is("ticks"))
		verify_ticks();
	else
		verify_day();
	if (mode_is("day"))
		check(!read_ticks(absolute, &ticks) && errno == EAGAIN, "it has expired: %s",
		      strerror(errno));
	if (!mode_is("cancelled"))
		return;
	check(!read_ticks(absolute, &ticks) && errno == ECANCELED, "no cancellation: %s",
	      strerror(errno));
	check(!read_ticks(absolute, &ticks), "it has expired");
	set_clock();
	check(!read_ticks(absolute, &ticks) && errno == ECANCELED,
	      "not cancelled when the clock was set: %s", strerror(errno));
}

/* The time left is in fdinfo. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
