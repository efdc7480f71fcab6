// SPDX-License-Identifier: GPL-2.0
/* Descriptors of processes: they still refer to this one. */
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

static int open_self(unsigned int flags)
{
	int fd = syscall(SYS_pidfd_open, getpid(), flags);

	need(fd >= 0);
	return fd;
}

static void setup(void)
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

static void verify(void)
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

const struct subject subject = { .setup = setup, .verify = verify };
