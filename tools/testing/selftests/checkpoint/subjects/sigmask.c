// SPDX-License-Identifier: GPL-2.0
/*
 * The mask of blocked signals. "suspend": in sigsuspend(), the temporary mask
 * is in force and the old one comes back afterwards.
 */
#include "subject.h"
#include "signals.h"

#define TEMPORARY	(SIGBIT(SIGUSR2) | SIGBIT(41))

static u64 want;
static volatile int handled;
static volatile u64 mask_inside;

static void handler(int signal)
{
	(void)signal;
	handled++;
	mask_inside = raw_sigmask(SIG_BLOCK, 0);
}

static void setup(void)
{
	want = 0xa5a55a5af0f00f0fULL & ~UNBLOCKABLE & ~SIGBIT(SIGALRM);
	raw_sigmask(SIG_SETMASK, want);
	need(signal(SIGALRM, handler) != SIG_ERR);
}

static void hold(void)
{
	u64 temporary = TEMPORARY;
	long ret;

	if (!mode_is("suspend")) {
		subject_wait();
		return;
	}
	/* The alarm is what ends it, sooner or later. */
	alarm(4);
	subject_ready(SYS_rt_sigsuspend);
	ret = syscall(SYS_rt_sigsuspend, &temporary, SIGSET_BYTES);
	check(ret == -1 && errno == EINTR, "sigsuspend: %ld, %s", ret, strerror(errno));
	check_equal(handled, 1, "handled alarms");
	check_equal(mask_inside, TEMPORARY | SIGBIT(SIGALRM), "mask inside the handler");
}

static void verify(void)
{
	check_equal(raw_sigmask(SIG_BLOCK, 0), want, "mask");
	handled = 0;
	need(!kill(getpid(), SIGUSR1));
	need(!kill(getpid(), SIGALRM));
	check_equal(handled, 1, "an unblocked signal");
	if (want & SIGBIT(SIGUSR1))
		check(raw_sigpending() & SIGBIT(SIGUSR1), "a blocked signal does not wait");
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
