// SPDX-License-Identifier: GPL-2.0
/*
 * Owners of open files: who gets which signal when there is something to read,
 * and what the signal tells.
 */
#include "subject.h"

#include <signal.h>
#include <sys/stat.h>

#define SIGNAL	40
#define ANOTHER	41
/* The descriptor that O_ASYNC was asked for with is closed again. */
#define GONE	77

static const struct file_case {
	enum __pid_type type;
	int who;
	int signal;
	bool async;
} cases[] = {
	{ F_OWNER_PID, 1, SIGNAL, true },
	{ F_OWNER_TID, 1, SIGNAL, true },
	{ F_OWNER_PGRP, 1, SIGNAL, true },
	{ F_OWNER_PID, 1, 0, true },
	{ F_OWNER_PID, 1, ANOTHER, false },
	{ F_OWNER_PID, 0, SIGNAL, true },
	{ F_OWNER_TID, 0, 0, true },
};

#define NR_CASES	((int)ARRAY_SIZE(cases))

static int readers[NR_CASES], writers[NR_CASES], plain, fifo;

static int pid_of(const struct file_case *it)
{
	if (!it->who)
		return 0;
	return it->type == F_OWNER_PGRP ? getpgrp() : getpid();
}

static void set_async(int fd)
{
	int high = dup2(fd, GONE);

	need(high == GONE && !fcntl(high, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
	close(high);
}

static void set_owner(int fd, const struct file_case *it)
{
	struct f_owner_ex owner = { it->type, pid_of(it) };

	if (it->who)
		need(!fcntl(fd, F_SETOWN_EX, &owner));
	if (it->signal)
		need(!fcntl(fd, F_SETSIG, it->signal));
	if (it->async)
		set_async(fd);
}

static void setup(void)
{
	sigset_t set;
	int index;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGNAL);
	sigaddset(&set, ANOTHER);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	for (index = 0; index < NR_CASES; index++) {
		int fds[2];

		need(!pipe2(fds, O_NONBLOCK));
		readers[index] = fds[0];
		writers[index] = fds[1];
		set_owner(fds[0], &cases[index]);
	}
	/* It never sends any, but it may be asked. */
	plain = open("plain", O_RDWR | O_CREAT | O_ASYNC, 0600);
	need(plain >= 0 && !fcntl(plain, F_SETOWN, getpid()) && !fcntl(plain, F_SETSIG, SIGNAL));
	need(!mkfifo("fifo", 0600));
	fifo = open("fifo", O_RDWR | O_NONBLOCK);
	need(fifo >= 0);
	set_owner(fifo, &cases[0]);
}

/* The signal that is pending, or 0. */
static int take_signal(siginfo_t *info)
{
	struct timespec none = { 0 };
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGNAL);
	sigaddset(&set, ANOTHER);
	memset(info, 0, sizeof(*info));
	number = sigtimedwait(&set, info, &none);
	return number < 0 ? 0 : number;
}

static void check_owner(int fd, const struct file_case *it, int index)
{
	struct f_owner_ex owner = { F_OWNER_TID, -1 };
	uid_t uids[2] = { ~0U, ~0U };

	need(!fcntl(fd, F_GETOWN_EX, &owner));
	check(owner.pid == pid_of(it), "file %d: owner %d, not %d", index, owner.pid, pid_of(it));
	if (it->who)
		check(owner.type == it->type, "file %d: owner of type %d", index, owner.type);
	check(fcntl(fd, F_GETSIG) == it->signal, "file %d: signal %d", index,
	      fcntl(fd, F_GETSIG));
	check(!!(fcntl(fd, F_GETFL) & O_ASYNC) == it->async, "file %d: flags %#o", index,
	      fcntl(fd, F_GETFL));
	/* F_GETOWNER_UIDS, which not every kernel has. */
	if (it->who && !fcntl(fd, 17, uids))
		check(uids[0] == getuid() && uids[1] == geteuid(), "file %d: users %u, %u", index,
		      uids[0], uids[1]);
}

static void check_signal(int fd, int writer, const struct file_case *it, int index)
{
	int want = it->async && it->who ? it->signal ?: SIGIO : 0, got;
	siginfo_t info;

	need(write(writer, "x", 1) == 1);
	got = take_signal(&info);
	check(got == want, "file %d: signal %d", index, got);
	if (want && it->signal) {
		check(info.si_fd == GONE, "file %d: descriptor %d in the signal", index,
		      info.si_fd);
		check(info.si_code == POLL_IN, "file %d: code %d", index, info.si_code);
	}
	check(!take_signal(&info), "file %d: one more signal", index);
	need(!fcntl(fd, F_SETFL, O_NONBLOCK));
	need(write(writer, "y", 1) == 1);
	check(!take_signal(&info), "file %d: a signal without O_ASYNC", index);
}

static void verify(void)
{
	siginfo_t info;
	int index;

	check(!take_signal(&info), "a signal before anything is written");
	for (index = 0; index < NR_CASES; index++) {
		check_owner(readers[index], &cases[index], index);
		check_signal(readers[index], writers[index], &cases[index], index);
	}
	check_owner(fifo, &cases[0], index);
	check_signal(fifo, fifo, &cases[0], index);
	check_equal(fcntl(plain, F_GETOWN), getpid(), "owner of a regular file");
	check_equal(fcntl(plain, F_GETSIG), SIGNAL, "signal of a regular file");
	check_equal(fcntl(plain, F_GETFL) & O_ASYNC, O_ASYNC, "flag of a regular file");
}

const struct subject subject = { .setup = setup, .verify = verify };
