// SPDX-License-Identifier: GPL-2.0
/*
 * Signals that are read from a descriptor: those that it accepts, with all
 * that came with them, and no others.
 */
#include "subject.h"
#include "signals.h"

#include <sys/signalfd.h>

static int both, one;

static int open_for(u64 mask)
{
	int fd = syscall(SYS_signalfd4, -1, &mask, SIGSET_BYTES, SFD_NONBLOCK);

	need(fd >= 0);
	return fd;
}

static void setup(void)
{
	union sigval value = { .sival_int = 77 };

	raw_sigmask(SIG_SETMASK, ~0ULL);
	both = open_for(SIGBIT(SIGUSR1) | SIGBIT(SIGRTMIN + 5));
	one = open_for(SIGBIT(SIGUSR2));
	need(!kill(getpid(), SIGUSR1));
	need(!kill(getpid(), SIGUSR2));
	need(!sigqueue(getpid(), SIGRTMIN + 5, value));
}

static void expect(int fd, unsigned int signo, int value)
{
	struct signalfd_siginfo info = { 0 };

	if (!check(read(fd, &info, sizeof(info)) == sizeof(info), "signal %u: %s", signo,
		   strerror(errno)))
		return;
	check_equal(info.ssi_signo, signo, "signal");
	check_equal(info.ssi_int, value, "value");
	check_equal(info.ssi_uid, getuid(), "sender's user");
}

static void expect_none(int fd)
{
	struct signalfd_siginfo info = { 0 };

	check(read(fd, &info, sizeof(info)) < 0 && errno == EAGAIN, "signal %u is left",
	      info.ssi_signo);
}

static void verify(void)
{
	expect(both, SIGUSR1, 0);
	expect(both, SIGRTMIN + 5, 77);
	expect_none(both);
	expect(one, SIGUSR2, 0);
	expect_none(one);
	/* It accepts what it did, not only what was there. */
	need(!kill(getpid(), SIGUSR2));
	expect_none(both);
	expect(one, SIGUSR2, 0);
}

const struct subject subject = { .setup = setup, .verify = verify };
