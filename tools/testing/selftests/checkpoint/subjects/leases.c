// SPDX-License-Identifier: GPL-2.0
/*
 * Leases on files: the same type, and the same signal to the same owner when
 * somebody breaks them.
 *
 *	read		for reading, with the default signal
 *	write		for writing
 *	broken		somebody wants to write: the signal is pending
 *	downgraded	somebody wants to read, and the holder may go on reading
 */
#include "subject.h"

#include <signal.h>
#include <sys/time.h>

#define SIGNAL	(SIGRTMIN + 3)

static int lease, other, fd;

static bool was_broken(void)
{
	return mode_is("broken") || mode_is("downgraded");
}

static int signal_number(void)
{
	return mode_is("read") ? SIGIO : SIGNAL;
}

/* As if another process did: it does not wait. */
static void conflict(int flags)
{
	int result = open("file", flags | O_NONBLOCK | O_CLOEXEC);

	check(result < 0 && errno == EWOULDBLOCK, "open: %d (%s)", result, strerror(errno));
	if (result >= 0)
		close(result);
}

static bool take_signal(siginfo_t *info)
{
	struct timespec none = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal_number());
	return sigtimedwait(&set, info, &none) == signal_number();
}

static void setup(void)
{
	sigset_t set;

	lease = mode_is("read") || mode_is("broken") ? F_RDLCK : F_WRLCK;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGNAL);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(fd >= 0);
	/* Who may write cannot be content with reading. */
	if (!mode_is("write")) {
		close(fd);
		fd = open("file", O_RDONLY);
	}
	other = dup(fd);
	need(fd >= 0 && other >= 0);
	if (!mode_is("read"))
		need(!fcntl(fd, F_SETSIG, SIGNAL));
	/* The number in the signal is that of the second descriptor. */
	need(!fcntl(other, F_SETLEASE, lease));
	if (was_broken())
		conflict(mode_is("broken") ? O_WRONLY : O_RDONLY);
}

static void verify(void)
{
	struct f_owner_ex owner = { 0 };
	siginfo_t info = { 0 };

	check_equal(fcntl(fd, F_GETLEASE),
		    mode_is("broken") ? F_UNLCK : mode_is("downgraded") ? F_RDLCK : lease,
		    "lease");
	check_equal(fcntl(fd, F_GETSIG), mode_is("read") ? 0 : SIGNAL, "signal");
	check_equal(fcntl(fd, F_GETFL) & O_ASYNC, O_ASYNC, "O_ASYNC");
	need(!fcntl(fd, F_GETOWN_EX, &owner));
	check_equal(owner.type, F_OWNER_PID, "type of the owner");
	check_equal(owner.pid, getpid(), "owner");
	if (!was_broken()) {
		check(!take_signal(&info), "a signal before the lease is broken");
		conflict(O_WRONLY);
	}
	check(take_signal(&info), "no signal");
	if (!mode_is("read"))
		check_equal(info.si_fd, other, "descriptor in the signal");
	check(!take_signal(&info), "one more signal");
	if (mode_is("downgraded")) {
		check(!fcntl(fd, F_SETLEASE, F_RDLCK), "downgrade: %s", strerror(errno));
		check_equal(fcntl(fd, F_GETLEASE), F_RDLCK, "lease after the downgrade");
	}
	check(!fcntl(fd, F_SETLEASE, F_UNLCK), "end of the lease: %s", strerror(errno));
	check_equal(fcntl(fd, F_GETLEASE), F_UNLCK, "lease at the end");
	check(open("file", O_WRONLY | O_NONBLOCK) >= 0, "open: %s", strerror(errno));
}

const struct subject subject = { .setup = setup, .verify = verify };
