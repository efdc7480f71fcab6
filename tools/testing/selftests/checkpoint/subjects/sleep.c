// SPDX-License-Identifier: GPL-2.0
/*
 * System calls that end after a time: they go on for what is left of it, and
 * nobody notices that they were interrupted.
 */
#include "subject.h"

#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>

#define ASKED	(4 * NSEC_PER_SEC)

static u32 futex_word = 5;
static s64 started, ended;
static struct timespec left;
static long result;
static int error;

/* On a slow machine it takes longer until everybody has looked at the sleeper. */
static s64 asked_ns(void)
{
	return ASKED + control->slack;
}

static struct timespec timespec_of(s64 ns)
{
	return (struct timespec){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

static struct timespec after(clockid_t clock)
{
	return timespec_of(now_ns(clock) + asked_ns());
}

static struct timespec asked;

static long call_nanosleep(void)
{
	return syscall(SYS_nanosleep, &asked, &left);
}

static long call_clock_monotonic(void)
{
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &asked, &left);
}

static long call_clock_realtime(void)
{
	return syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &asked, &left);
}

static long call_clock_boottime(void)
{
	return syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &asked, NULL);
}

static long call_until_monotonic(void)
{
	struct timespec until = after(CLOCK_MONOTONIC);

	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static long call_until_realtime(void)
{
	struct timespec until = after(CLOCK_REALTIME);

	return syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
}

static long call_poll(void)
{
	return syscall(SYS_poll, NULL, 0, (int)(asked_ns() / MSEC));
}

static long call_ppoll(void)
{
	struct timespec timeout = asked;

	return syscall(SYS_ppoll, NULL, 0, &timeout, NULL, SIGSET_BYTES);
}

static long call_select(void)
{
	struct timeval timeout = { asked.tv_sec, asked.tv_nsec / 1000 };

	return syscall(SYS_select, 0, NULL, NULL, NULL, &timeout);
}

static long call_pselect(void)
{
	struct timespec timeout = asked;

	return syscall(SYS_pselect6, 0, NULL, NULL, NULL, &timeout, NULL);
}

static long call_futex(void)
{
	return syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 5, &asked, NULL, 0);
}

static long call_futex_monotonic(void)
{
	struct timespec until = after(CLOCK_MONOTONIC);

	return syscall(SYS_futex, &futex_word, FUTEX_WAIT_BITSET, 5, &until, NULL, 0x10);
}

static long call_futex_realtime(void)
{
	struct timespec until = after(CLOCK_REALTIME);

	return syscall(SYS_futex, &futex_word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5,
		       &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

/*
 * How a case counts time: what is left goes on; or a moment on a clock is
 * waited for, and the clock went on meanwhile.
 */
enum { LEFT, MOMENT };

static const struct sleep_case {
	const char *name;
	long (*call)(void);
	long nr;
	int error;
	int counts;
} cases[] = {
	{ "nanosleep", call_nanosleep, SYS_nanosleep, 0, LEFT },
	{ "clock-monotonic", call_clock_monotonic, SYS_clock_nanosleep, 0, LEFT },
	{ "clock-realtime", call_clock_realtime, SYS_clock_nanosleep, 0, LEFT },
	{ "clock-boottime", call_clock_boottime, SYS_clock_nanosleep, 0, LEFT },
	{ "until-monotonic", call_until_monotonic, SYS_clock_nanosleep, 0, MOMENT },
	{ "until-realtime", call_until_realtime, SYS_clock_nanosleep, 0, MOMENT },
	{ "poll", call_poll, SYS_poll, 0, LEFT },
	{ "ppoll", call_ppoll, SYS_ppoll, 0, LEFT },
	{ "select", call_select, SYS_select, 0, LEFT },
	{ "pselect", call_pselect, SYS_pselect6, 0, LEFT },
	{ "futex", call_futex, SYS_futex, ETIMEDOUT, LEFT },
	{ "futex-monotonic", call_futex_monotonic, SYS_futex, ETIMEDOUT, LEFT },
	{ "futex-realtime", call_futex_realtime, SYS_futex, ETIMEDOUT, MOMENT },
};

static const struct sleep_case *this_case;

static void setup(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(cases); index++)
		if (mode_is(cases[index].name))
			this_case = &cases[index];
	need(this_case);
	asked = timespec_of(asked_ns());
}

static void hold(void)
{
	subject_ready(this_case->nr);
	started = now_ns(CLOCK_MONOTONIC);
	errno = 0;
	result = this_case->call();
	error = errno;
	ended = now_ns(CLOCK_MONOTONIC);
}

static void verify(void)
{
	if (this_case->error) {
		check_equal(result, -1, "result");
		check_equal(error, this_case->error, "errno");
	} else {
		check(!result, "result %ld: %s", result, strerror(error));
	}
	check_equal(futex_word, 5, "futex word");

	if (this_case->counts == LEFT) {
		check_time_lived(started, ended, asked_ns());
	} else {
		s64 due = started + asked_ns();

		/* It may have been due before the restart. */
		if (subject_was_restarted() && due < control->before_restart)
			due = control->before_restart;
		check(ended >= started + asked_ns(), "too early");
		check(ended <= due + control->slack, "too late: %lld ms",
		      (long long)(ended - due) / MSEC);
	}
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
