// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors of processes: they still refer to this one.
 *
 *	gone	of processes that have ended and were waited for
 */
#include "subject.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef PIDFD_NONBLOCK
#define PIDFD_NONBLOCK	O_NONBLOCK
#endif
#define PIDFD_THREAD	O_EXCL
#ifndef P_PIDFD
#define P_PIDFD		3
#endif

static int plain, again, nonblocking, thread, shared;
static int gone[4];

static int open_self(unsigned int flags)
{
	int fd = syscall(SYS_pidfd_open, getpid(), flags);

	need(fd >= 0);
	return fd;
}

/* Two descriptors of a child that is no more, the second one of its thread. */
static void open_gone(int fds[2])
{
	pid_t pid = fork();

	need(pid >= 0);
	if (!pid)
		_exit(7);
	fds[0] = syscall(SYS_pidfd_open, pid, 0);
	fds[1] = syscall(SYS_pidfd_open, pid, PIDFD_THREAD | PIDFD_NONBLOCK);
	need(fds[0] >= 0 && fds[1] >= 0);
	need(waitpid(pid, NULL, 0) == pid);
}

static void setup_gone(void)
{
	open_gone(gone);
	open_gone(gone + 2);
}

static void setup_self(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	plain = open_self(0);
	again = open_self(0);
	nonblocking = open_self(PIDFD_NONBLOCK);
	thread = open_self(PIDFD_THREAD);
	shared = dup(plain);
	need(shared >= 0);
}

/* The last number of a line; the first is that of the namespace of /proc. */
static long read_info(int fd, const char *key, int base)
{
	char path[64], line[256];
	long value = -2;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	need(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			value = strtol(strrchr(line, '\t'), NULL, base);
	fclose(file);
	return value;
}

static void check_self(int fd, const char *name)
{
	struct pollfd poller = { fd, POLLIN, 0 };
	struct timespec none = { 0 };
	siginfo_t info;
	sigset_t set;

	check(read_info(fd, "NSpid:", 10) == getpid(), "%s: pid %ld", name,
	      read_info(fd, "NSpid:", 10));
	check(!poll(&poller, 1, 0), "%s: it has exited", name);
	check(!syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0), "%s: signal: %s", name,
	      strerror(errno));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check(sigtimedwait(&set, &info, &none) == SIGUSR1 && info.si_pid == getpid(),
	      "%s: the signal has not come", name);
	check(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL) < 0 && errno == ECHILD,
	      "%s: waitid: %s", name, strerror(errno));
}

static void check_gone(int fd)
{
	struct pollfd poller = { fd, POLLIN, 0 };
	siginfo_t info;

	check(poll(&poller, 1, 0) == 1 && poller.revents == (POLLIN | POLLHUP), "poll: %#x",
	      poller.revents);
	check(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) && errno == ESRCH, "signal: %s",
	      strerror(errno));
	check(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL) < 0, "waitid");
	check_equal(read_info(fd, "Pid:", 10), -1, "pid");
}

static void verify_gone(void)
{
	struct stat st[4];
	int index;

	for (index = 0; index < 4; index++) {
		check_gone(gone[index]);
		need(!fstat(gone[index], &st[index]));
		check_equal(read_info(gone[index], "flags:", 8) & (PIDFD_THREAD | O_NONBLOCK),
			    index & 1 ? PIDFD_THREAD | O_NONBLOCK : 0, "flags");
	}
	check(st[0].st_ino == st[1].st_ino, "two of one process differ");
	check(st[0].st_ino != st[2].st_ino, "those of two processes do not differ");
}

static void verify_self(void)
{
	struct stat first, second;

	check_self(plain, "plain");
	check_self(again, "again");
	check_self(nonblocking, "nonblocking");
	check_self(thread, "thread");
	check_self(shared, "shared");
	check(!(fcntl(plain, F_GETFL) & O_NONBLOCK), "plain became non-blocking");
	check(fcntl(nonblocking, F_GETFL) & O_NONBLOCK, "non-blocking became blocking");
	check(read_info(thread, "flags:", 8) & PIDFD_THREAD, "no PIDFD_THREAD");
	check(!(read_info(plain, "flags:", 8) & PIDFD_THREAD), "PIDFD_THREAD");
	check(fcntl(plain, F_GETFD) == FD_CLOEXEC, "close-on-exec");
	need(!fstat(plain, &first) && !fstat(again, &second));
	check(first.st_ino == second.st_ino && first.st_dev == second.st_dev,
	      "two of one process differ");
}

static void setup(void)
{
	if (mode_is("gone"))
		setup_gone();
	else
		setup_self();
}

static void verify(void)
{
	if (mode_is("gone"))
		verify_gone();
	else
		verify_self();
}

const struct subject subject = { .setup = setup, .verify = verify };
