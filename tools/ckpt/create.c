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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ckpt.h"
#include "restart.h"
#include "thread.h"
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

static pid_t wanted_pid(const struct restart *restart, unsigned int index)
{
	if (restart->options->pids == PIDS_NEW)
		return 0;
	return restart->forest.tasks[index].pid;
}

/* In the first thread of a process: the others. */
static void create_threads(const struct restart *restart, unsigned int first)
{
	const struct forest *forest = &restart->forest;
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++) {
		if (i == first || forest->tasks[i].tgid != forest->tasks[first].pid)
			continue;
		if (create_thread(wanted_pid(restart, i), i)) {
			restart->failure->index = i;
			restart->failure->errnum = errno;
			_exit(EXIT_FAILED);
		}
	}
}

/* In the new process. */
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
	create_threads(restart, index);
	ckpt_restart_task(index, 0);
	_exit(EXIT_FAILED);
}

static pid_t create_task(struct restart *restart, unsigned int index)
{
	const struct forest_task *task = &restart->forest.tasks[index];
	enum restart_pids pids = restart->options->pids;
	unsigned long flags = 0;
	pid_t parent = getpid();
	pid_t pid;

	/* An init brings its namespace with it. */
	if (pids == PIDS_NAMESPACE && task->pid == 1)
		flags = CLONE_NEWPID;
	pid = create_process(flags, wanted_pid(restart, index),
			     &restart->root_fd);
	if (!pid)
		become_task(restart, index, parent);
	return pid;
}

static bool has_one_process(const struct forest *forest)
{
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++)
		if (forest->tasks[i].tgid != forest->tasks[0].pid)
			return false;
	return true;
}

static int create_all(struct restart *restart)
{
	struct restart_outcome *outcome = &restart->outcome;

	if (!has_one_process(&restart->forest)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	/* Where a process tells that it could not create its threads. */
	restart->failure = mmap(NULL, sizeof(*restart->failure),
				PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (restart->failure == MAP_FAILED)
		return -1;
	outcome->pid = create_task(restart, 0);
	return outcome->pid < 0 ? -1 : 0;
}

/**
 * create_forest - create all tasks
 * @restart: root_fd, failure and outcome are filled in
 *
 * Return: 0, or -1 with the reason in outcome.
 */
int create_forest(struct restart *restart)
{
	restart->outcome.stage = STAGE_CREATE;
	if (create_all(restart)) {
		restart->outcome.errnum = errno;
		return -1;
	}
	return 0;
}
