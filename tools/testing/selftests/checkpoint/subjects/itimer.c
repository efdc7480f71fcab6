// SPDX-License-Identifier: GPL-2.0
/*
 * Interval timers: "armed", the three of them go on with what was left; and
 * "fires", one that ends in time and again after its period.
 */
#include "subject.h"

#include <signal.h>
#include <sys/time.h>

#define ASKED	(4 * NSEC_PER_SEC)
#define PERIOD	(NSEC_PER_SEC / 2)

static const struct itimerval set[3] = {
	[ITIMER_REAL] = { { 700, 123000 }, { 1000, 500000 } },
	[ITIMER_VIRTUAL] = { { 0, 0 }, { 2000, 250000 } },
	[ITIMER_PROF] = { { 33, 1000 }, { 3000, 0 } },
};

/* On a slow machine it takes longer until everybody has looked at it. */
static s64 asked_ns(void)
{
	return ASKED + control->slack;
}

static s64 started, fired[2];
static volatile int nr_fired;

static void on_alarm(int signal)
{
	(void)signal;
	if (nr_fired < 2)
		fired[nr_fired] = now_ns(CLOCK_MONOTONIC);
	nr_fired++;
}

static void setup(void)
{
	struct itimerval soon = {
		.it_interval.tv_usec = PERIOD / 1000,
		.it_value = { asked_ns() / NSEC_PER_SEC, asked_ns() % NSEC_PER_SEC / 1000 },
	};
	struct sigaction action = { .sa_handler = on_alarm };
	int which;

	started = now_ns(CLOCK_MONOTONIC);
	if (mode_is("fires")) {
		need(!sigaction(SIGALRM, &action, NULL));
		need(!setitimer(ITIMER_REAL, &soon, NULL));
		return;
	}
	for (which = 0; which < 3; which++)
		need(!setitimer(which, &set[which], NULL));
}

static void hold(void)
{
	struct itimerval off = { 0 };

	if (!mode_is("fires")) {
		subject_wait();
		return;
	}
	subject_ready(SUBJECT_RUNS);
	while (nr_fired < 2)
		WRITE_ONCE(control->looping, 1);
	need(!setitimer(ITIMER_REAL, &off, NULL));
}

static s64 ns(struct timeval time)
{
	return time.tv_sec * NSEC_PER_SEC + time.tv_usec * 1000LL;
}

static void verify(void)
{
	s64 lived = time_lived(started, now_ns(CLOCK_MONOTONIC));
	int which;

	if (mode_is("fires")) {
		check_time_lived(started, fired[0], asked_ns());
		check_time_lived(started, fired[1], asked_ns() + PERIOD);
		return;
	}
	for (which = 0; which < 3; which++) {
		struct itimerval now;
		s64 left, all = ns(set[which].it_value);

		need(!getitimer(which, &now));
		left = ns(now.it_value);
		/* The other two count processor time: at most as much, in ticks. */
		check(left > all - lived - control->slack && left <= all + 20 * MSEC,
		      "timer %d: %lld ms left of %lld after %lld", which,
		      (long long)left / MSEC, (long long)all / MSEC, (long long)lived / MSEC);
		if (which == ITIMER_REAL)
			check(left <= all - lived + control->slack,
			      "timer %d: %lld ms left of %lld after %lld", which,
			      (long long)left / MSEC, (long long)all / MSEC,
			      (long long)lived / MSEC);
		check(ns(now.it_interval) == ns(set[which].it_interval), "timer %d: period %lld ms",
		      which, (long long)ns(now.it_interval) / MSEC);
	}
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
