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

/*
 * A moment comes, however long a checkpoint and another one take: on a slow
 * machine it has to be later.
 */
static s64 time_to_moment(void)
{
	return ASKED + control->slack;
}

static struct timespec after(s64 base, s64 wait)
{
	s64 at = base + wait;

	return (struct timespec){ at / NSEC_PER_SEC, at % NSEC_PER_SEC };
}

static const struct timespec asked = { ASKED / NSEC_PER_SEC, 0 };

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
	struct timespec until = after(now_ns(CLOCK_MONOTONIC), time_to_moment());

	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static long call_until_realtime(void)
{
	struct timespec until = after(now_ns(CLOCK_REALTIME), time_to_moment());

	return syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
}

static long call_poll(void)
{
	return syscall(SYS_poll, NULL, 0, (int)(ASKED / MSEC));
}

static long call_ppoll(void)
{
	struct timespec timeout = asked;

	return syscall(SYS_ppoll, NULL, 0, &timeout, NULL, SIGSET_BYTES);
}

static long call_select(void)
{
	struct timeval timeout = { ASKED / NSEC_PER_SEC, 0 };

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
	struct timespec until = after(now_ns(CLOCK_MONOTONIC), ASKED);

	return syscall(SYS_futex, &futex_word, FUTEX_WAIT_BITSET, 5, &until, NULL, 0x10);
}

static long call_futex_realtime(void)
{
	struct timespec until = after(now_ns(CLOCK_REALTIME), time_to_moment());

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
		check_time_lived(started, ended, ASKED);
	} else {
		s64 due = started + time_to_moment();

		/* It may have been due before the restart. */
		if (subject_was_restarted() && due < control->before_restart)
			due = control->before_restart;
		check(ended >= started + time_to_moment(), "too early");
		check(ended <= due + control->slack, "too late: %lld ms",
		      (long long)(ended - due) / MSEC);
	}
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
