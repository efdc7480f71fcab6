// SPDX-License-Identifier: GPL-2.0
/*
 * After the restart: pass on signals, wait for the end of the program.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "restart.h"
#include "port.h"
#include "util.h"

/* What a user sends to restart(1) is meant for the program. */
static const int forwarded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP,
	SIGCONT,
};

static atomic_int caught;
static atomic_int victim;

static void kill_victim(void)
{
	pid_t pid = atomic_load(&victim);

	if (pid)
		kill(pid, SIGKILL);
}

/* Before the program runs: nothing but a death ends the system call. */
static void catch(int signo)
{
	int saved = errno;

	atomic_store(&caught, signo);
	kill_victim();
	errno = saved;
}

static bool ends_us(int signo)
{
	return signo == SIGHUP || signo == SIGINT || signo == SIGQUIT ||
	       signo == SIGTERM;
}

/**
 * catch_signals - from now on a signal does not end restart(1) at once
 *
 * Everything is cleaned up before. What is ignored stays ignored.
 */
void catch_signals(void)
{
	struct sigaction action = { .sa_handler = catch }, old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		if (ends_us(forwarded[i]) &&
		    !sigaction(forwarded[i], NULL, &old) &&
		    old.sa_handler == SIG_DFL)
			sigaction(forwarded[i], &action, NULL);
}

/**
 * undo_on_signal - what a signal is to kill
 * @pid: child without which there is no restart, or 0 when it is complete
 */
void undo_on_signal(pid_t pid)
{
	atomic_store(&victim, pid);
	if (atomic_load(&caught))
		kill_victim();
}

/**
 * caught_signal - has a signal come?
 *
 * Return: its number, or 0.
 */
int caught_signal(void)
{
	return atomic_load(&caught);
}

static void forwarded_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(set, forwarded[i]);
}

/* What ^C sends. */
static int interrupt_signal(const struct restart *restart)
{
	const struct restart_options *options = restart->options;

	if (options->signal)
		return options->signal;
	return options->pids == PIDS_NAMESPACE &&
	       restart->forest.tasks[0].pid == 1 ? SIGKILL : SIGINT;
}

/* The terminal has sent it to the whole process group by itself. */
static bool has_it_already(const struct restart *restart,
			   const struct signalfd_siginfo *info)
{
	const struct forest_task *root = &restart->forest.tasks[0];

	return info->ssi_code == SI_KERNEL && !leads_group(restart, root);
}

static void pass_on(struct restart *restart,
		    const struct signalfd_siginfo *info)
{
	int signo = info->ssi_signo;

	if (signo == SIGINT)
		signo = interrupt_signal(restart);
	if (signo == (int)info->ssi_signo && has_it_already(restart, info))
		signo = 0;
	if (signo)
		pidfd_send_signal(restart->root_fd, signo, NULL, 0);
	if (info->ssi_signo == SIGTSTP)
		raise(SIGSTOP);
}

static void note_end(struct restart *restart)
{
	siginfo_t ended = { 0 };

	restart->outcome.stage = STAGE_ENDED;
	if (waitid(P_PIDFD, restart->root_fd, &ended, WEXITED | __WALL)) {
		restart->outcome.errnum = errno;
		return;
	}
	restart->outcome.code = ended.si_code;
	restart->outcome.status = ended.si_status;
}

/* Return: whether there is something left to wait for. */
static bool note_event(struct restart *restart)
{
	if (restart->init <= 0) {
		note_end(restart);
		return false;
	}
	if (coordinate_hear(restart))
		return true;
	coordinate_abort(restart);
	/* Its init was killed, and everything in the namespace with it. */
	if (restart->outcome.stage != STAGE_ENDED) {
		restart->outcome.stage = STAGE_ENDED;
		restart->outcome.code = CLD_KILLED;
		restart->outcome.status = SIGKILL;
	}
	return false;
}

/**
 * supervise - pass on signals until the program has ended
 * @restart: outcome is filled in
 */
void supervise(struct restart *restart)
{
	struct pollfd events[2] = {
		{ .events = POLLIN },
		{ .events = POLLIN },
	};
	struct signalfd_siginfo info = { 0 };
	sigset_t set;

	forwarded_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	info.ssi_signo = caught_signal();
	if (info.ssi_signo)
		pass_on(restart, &info);
	events[0].fd = signalfd(-1, &set, SFD_CLOEXEC);
	events[1].fd = restart->init > 0 ? restart->channel : restart->root_fd;
	for (;;) {
		if (poll(events, 2, -1) < 0)
			continue;
		if (events[0].revents &&
		    read(events[0].fd, &info, sizeof(info)) == sizeof(info))
			pass_on(restart, &info);
		if (events[1].revents && !note_event(restart))
			break;
	}
	close(events[0].fd);
}
