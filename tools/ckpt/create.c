// SPDX-License-Identifier: GPL-2.0
/*
 * Creating the tasks that become the saved ones.
 *
 * Each is a plain copy of this process that waits in restart(). Nothing of it
 * remains after that but its ids, its parent, its process group and its
 * session.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ckpt.h"
#include "restart.h"
#include "util.h"

/**
 * create_process - as fork(), with a choice of id and namespaces
 * @flags: CLONE_*
 * @wanted: id in the innermost pid namespace, or 0 for any
 * @pidfd: set to a descriptor of the child, if not NULL
 *
 * Return: as fork().
 */
pid_t create_process(unsigned long flags, pid_t wanted, int *pidfd)
{
	struct clone_args args = {
		.flags		= flags,
		.exit_signal	= SIGCHLD,
	};

	if (pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uintptr_t)pidfd;
	}
	if (wanted) {
		args.set_tid = (uintptr_t)&wanted;
		args.set_tid_size = 1;
	}
	return syscall(SYS_clone3, &args, sizeof(args));
}

/**
 * leads_group - is the task to lead a process group again?
 * @restart: all about it
 * @task: the task
 *
 * Not if it may read from our terminal: in a group of its own it would be in the
 * background there, and ^Z would not stop both of us.
 *
 * Return: whether it is.
 */
bool leads_group(const struct restart *restart, const struct forest_task *task)
{
	return forest_leads_session(task) ||
	       (forest_leads_group(task) &&
		!restart->options->changes.has_terminal);
}

/* In the new task. */
static void become_task(const struct restart *restart, unsigned int index,
			pid_t parent)
{
	const struct forest_task *task = &restart->forest.tasks[index];

	/*
	 * Until the kernel puts the saved state in place: in a new namespace
	 * the parent's id reads 0 in any case.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() && getppid() != parent)
		_exit(EXIT_FAILED);
	if (forest_leads_session(task))
		setsid();
	else if (leads_group(restart, task))
		setpgid(0, 0);
	if (getpid() == 1 && restart->options->mntns && enter_mount_namespace())
		_exit(EXIT_FAILED);
	ckpt_restart_task(index, 0);
	_exit(EXIT_FAILED);
}

static pid_t create_task(struct restart *restart, unsigned int index)
{
	const struct forest_task *task = &restart->forest.tasks[index];
	enum restart_pids pids = restart->options->pids;
	unsigned long flags = 0;
	pid_t parent = getpid();
	pid_t wanted, pid;

	wanted = pids == PIDS_NEW ? 0 : task->pid;
	/* An init brings its namespace with it. */
	if (pids == PIDS_NAMESPACE && task->pid == 1)
		flags = CLONE_NEWPID;
	pid = create_process(flags, wanted, &restart->root_fd);
	if (!pid)
		become_task(restart, index, parent);
	return pid;
}

/**
 * create_forest - create all tasks
 * @restart: root_fd and outcome are filled in
 *
 * Return: 0, or -1 with the reason in outcome.
 */
int create_forest(struct restart *restart)
{
	restart->outcome.stage = STAGE_CREATE;
	if (restart->forest.nr_tasks > 1) {
		restart->outcome.errnum = EOPNOTSUPP;
		return -1;
	}
	restart->outcome.pid = create_task(restart, 0);
	if (restart->outcome.pid < 0) {
		restart->outcome.errnum = errno;
		return -1;
	}
	return 0;
}
