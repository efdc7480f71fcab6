// SPDX-License-Identifier: GPL-2.0
/*
 * Timers with a descriptor.
 *
 *	armed		of every clock: goes on with what was left, also until a
 *			moment of a clock that begins anew with each boot
 *	ticks		expirations that nobody has read, and the period after them
 *	day		waits for a time of day, which does not wait
 *	cancelled	the clock was set
 *	rebooted	so it was, for all that anybody knows
 */
#include "subject.h"

#include <sys/timerfd.h>

#define LONG	(100 * NSEC_PER_SEC)
#define PERIOD	(50 * MSEC)

static const clockid_t clocks[] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM,
	CLOCK_BOOTTIME_ALARM,
};

/* Those that do not tell the time of day, and those that do. */
static const clockid_t boot_clocks[] = {
	CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM,
};

static const clockid_t day_clocks[] = { CLOCK_REALTIME, CLOCK_REALTIME_ALARM };

static int timers[ARRAY_SIZE(clocks)], until[ARRAY_SIZE(boot_clocks)];
static int days[ARRAY_SIZE(day_clocks)], idle, once, periodic;
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

/* What /proc says, a number. */
static long told(int fd, const char *key)
{
	char path[64], line[256];
	long value = -1;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	need(info);
	while (fgets(line, sizeof(line), info))
		if (!strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key), NULL, 0);
	fclose(info);
	return value;
}

static void check_kind(int fd, clockid_t clock, int flags)
{
	check_equal(told(fd, "clockid: "), clock, "clock");
	check_equal(told(fd, "settime flags: "), flags, "flags");
}

static void wait_for_ticks(int fd)
{
	struct itimerspec now;

	while (told(fd, "ticks: ") <= 0)
		continue;
	need(!timerfd_gettime(fd, &now));
}

static int day_flags(void)
{
	return TFD_TIMER_ABSTIME | (mode_is("day") ? 0 : TFD_TIMER_CANCEL_ON_SET);
}

static void setup_armed(void)
{
	struct timespec now;
	size_t index;

	for (index = 0; index < ARRAY_SIZE(clocks); index++)
		timers[index] = start(clocks[index], 0, spec(LONG + index * NSEC_PER_SEC),
				      (index + 1) * MSEC);
	idle = timerfd_create(CLOCK_MONOTONIC, 0);
	need(idle >= 0);
	for (index = 0; index < ARRAY_SIZE(boot_clocks); index++) {
		/* The clock of alarms is asked only where there is one that wakes. */
		need(!clock_gettime(index ? CLOCK_BOOTTIME : CLOCK_MONOTONIC, &now));
		until[index] = start(boot_clocks[index], TFD_TIMER_ABSTIME, spec(ns(now) + LONG),
				     0);
	}
}

static void setup(void)
{
	size_t index;

	need(!clock_gettime(CLOCK_REALTIME, &end));
	end.tv_sec += mode_is("rebooted") ? 86400 : 100;
	if (mode_is("day") || mode_is("cancelled") || mode_is("rebooted")) {
		/* Other subjects set the clock at the same time. */
		for (index = 0; index < ARRAY_SIZE(day_clocks); index++)
			days[index] = start(day_clocks[index], day_flags(), end, 0);
		if (mode_is("cancelled"))
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
	setup_armed();
}

static void check_left(int fd, s64 all, s64 interval, clockid_t clock)
{
	s64 lived = time_lived(started, now_ns(CLOCK_MONOTONIC));
	s64 rest = left(fd, interval);

	check(rest <= all - lived + control->slack && rest >= all - lived - control->slack,
	      "timer of clock %d: %lld ms left of %lld after %lld", clock,
	      (long long)rest / MSEC, (long long)all / MSEC, (long long)lived / MSEC);
}

static void verify_armed(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(clocks); index++) {
		check_left(timers[index], LONG + index * NSEC_PER_SEC, (index + 1) * MSEC,
			   clocks[index]);
		check_kind(timers[index], clocks[index], 0);
	}
	for (index = 0; index < ARRAY_SIZE(boot_clocks); index++) {
		check_left(until[index], LONG, 0, boot_clocks[index]);
		check_kind(until[index], boot_clocks[index], TFD_TIMER_ABSTIME);
	}
	check_equal(left(idle, 0), 0, "idle timer");
	check_kind(idle, CLOCK_MONOTONIC, 0);
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

static void verify_day(int fd, clockid_t clock)
{
	struct timespec now;
	s64 rest = left(fd, 0);

	need(!clock_gettime(CLOCK_REALTIME, &now));
	check(rest <= ns(end) - ns(now) + control->slack &&
	      rest >= ns(end) - ns(now) - control->slack, "%lld ms left instead of %lld",
	      (long long)rest / MSEC, (long long)(ns(end) - ns(now)) / MSEC);
	check_kind(fd, clock, day_flags());
}

static bool was_cancelled(int fd)
{
	u64 ticks = 0;

	return !read_ticks(fd, &ticks) && errno == ECANCELED;
}

static bool is_waiting(int fd)
{
	u64 ticks = 0;

	return !read_ticks(fd, &ticks) && errno == EAGAIN;
}

/* In the boot that made the image others have set the clock, perhaps. */
static void verify_rebooted(int fd)
{
	u64 ticks = 0;
	int error = read_ticks(fd, &ticks) ? 0 : errno;

	check(error == ECANCELED || (error == EAGAIN && !subject_was_rebooted()),
	      "not told of the reboot: %s", strerror(error));
	if (!subject_was_rebooted())
		return;
	check(is_waiting(fd), "told again: %s", strerror(errno));
}

static void verify(void)
{
	size_t index;

	if (mode_is("armed"))
		return verify_armed();
	if (mode_is("ticks"))
		return verify_ticks();
	for (index = 0; index < ARRAY_SIZE(day_clocks); index++) {
		verify_day(days[index], day_clocks[index]);
		if (mode_is("rebooted")) {
			verify_rebooted(days[index]);
			continue;
		}
		check(!mode_is("cancelled") || was_cancelled(days[index]), "no cancellation: %s",
		      strerror(errno));
		check(is_waiting(days[index]), "it has expired: %s", strerror(errno));
	}
	if (!mode_is("cancelled"))
		return;
	set_clock();
	for (index = 0; index < ARRAY_SIZE(day_clocks); index++)
		check(was_cancelled(days[index]), "not cancelled when the clock was set: %s",
		      strerror(errno));
}

/* The time left is in fdinfo. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
