// SPDX-License-Identifier: GPL-2.0
/*
 * Creating the tasks that become the saved ones.
 *
 * The root process is a plain copy of this one; all others share its memory, see
 * offspring.c. They end up waiting in restart(). Nothing of them remains after
 * that but their ids, their parents, process groups and sessions. Who creates
 * whom is planned, see plan.c; each creates its own part of the forest, and all
 * wait for each other where it matters, see crew.c.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ckpt.h"
#include "offspring.h"
#include "raw.h"
#include "restart.h"
#include "thread.h"
#include "util.h"

/* Of the process that this is, for its signal handler. */
static struct crew *own_crew;
/* For the tasks, the ghosts, and the stand-in of each task. */
static char *stacks;

/* No signal tells of its end, and wait() must ask for it. */
#define NO_SIGNAL	0

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

/* The other functions run in processes that share memory: see raw.h. */
static pid_t create_sharing(const struct restart *restart, pid_t wanted, int exit_signal,
			    size_t stack, void (*life)(const void *, unsigned int),
			    unsigned int index)
{
	struct offspring offspring = {
		.wanted		= wanted,
		.exit_signal	= exit_signal,
		/* Of stand-ins nobody asks for it. */
		.pid		= stack < restart->forest.nr_tasks + restart->plan.nr_ghosts ?
				  &restart->crew->pids[stack] : NULL,
		.stack		= stacks + stack * OFFSPRING_STACK,
		.life		= life,
		.object		= restart,
		.index		= index,
	};

	return offspring_create(&offspring);
}

/**
 * leads_group - is the task to lead a process group again?
 * @restart: all about it
 * @task: the task
 *
 * The root process does not if it may read from our terminal: in a group of its
 * own it would be in the background there, and ^Z would not stop both of us.
 *
 * Return: whether it is.
 */
bool leads_group(const struct restart *restart, const struct forest_task *task)
{
	return forest_leads_session(task) ||
	       (forest_leads_group(task) &&
		!(task == &restart->forest.tasks[0] &&
		  restart->options->changes.has_terminal));
}

static pid_t wanted_pid(const struct restart *restart, pid_t pid)
{
	return restart->options->pids == PIDS_NEW ? 0 : pid;
}

__noreturn static void give_up(const struct restart *restart, int errnum, pid_t failed_id)
{
	crew_fail(restart->crew, errnum, failed_id);
	_exit(EXIT_FAILED);
}

static void wait_for_all(const struct restart *restart, enum crew_stage stage)
{
	if (crew_wait(restart->crew, stage))
		_exit(EXIT_FAILED);
}

/* Nobody that is created ends before it is what it shall be. */
static void lose_child(int signo)
{
	(void)signo;
	crew_fail(own_crew, ECHILD, 0);
}

static void die_with(const struct restart *restart, pid_t parent)
{
	/*
	 * Until the kernel puts the saved state in place: in a new namespace
	 * the parent's id reads 0 in any case.
	 */
	raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() && getppid() != parent)
		give_up(restart, ESRCH, 0);
}

static void reap(const struct restart *restart, pid_t pid)
{
	int status = 0;
	long ret;

	do {
		ret = raw_syscall(SYS_wait4, pid, &status, __WALL);
	} while (ret == -EINTR);
	if (ret < 0)
		give_up(restart, -ret, 0);
	if (status)
		_exit(EXIT_FAILED);
}

static void become_task(const struct restart *restart, unsigned int index);

static void live_as_child(const void *object, unsigned int index)
{
	const struct restart *restart = object;
	const struct planned_task *planned = &restart->plan.tasks[index];

	/* What a stand-in leaves has another parent by the time it matters. */
	if (planned->birth == BIRTH_CHILD || planned->birth == BIRTH_EARLY)
		die_with(restart, restart->crew->pids[planned->creator]);
	become_task(restart, index);
}

static void create_child(const struct restart *restart, unsigned int index)
{
	pid_t id = restart->forest.tasks[index].pid;
	pid_t pid = create_sharing(restart, wanted_pid(restart, id), SIGCHLD, index,
				   live_as_child, index);

	if (pid < 0)
		give_up(restart, -pid, id);
}

static void create_children(const struct restart *restart, unsigned int creator,
			    enum birth birth)
{
	const struct planned_task *tasks = restart->plan.tasks;
	unsigned int i;

	for (i = tasks[creator].first_created; i; i = tasks[i].next_created)
		if (tasks[i].birth == birth)
			create_child(restart, i);
}

static bool has_orphans(const struct restart *restart, unsigned int creator)
{
	const struct planned_task *tasks = restart->plan.tasks;
	unsigned int i;

	for (i = tasks[creator].first_created; i; i = tasks[i].next_created)
		if (tasks[i].birth == BIRTH_ORPHAN)
			return true;
	return false;
}

static bool is_taken(const struct restart *restart, pid_t id)
{
	unsigned int i;

	for (i = 0; i < restart->forest.nr_tasks; i++)
		if (restart->forest.tasks[i].pid == id)
			return true;
	for (i = 0; i < restart->plan.nr_ghosts; i++)
		if (restart->plan.ghosts[i].id == id)
			return true;
	return false;
}

static void live_as_stand_in(const void *object, unsigned int creator)
{
	create_children(object, creator, BIRTH_ORPHAN);
	_exit(0);
}

/* With an id that nobody else wants. */
static pid_t create_stand_in(const struct restart *restart, unsigned int creator)
{
	size_t stack = restart->forest.nr_tasks + restart->plan.nr_ghosts + creator;
	pid_t id, pid;

	if (restart->options->pids == PIDS_NEW)
		return create_sharing(restart, 0, NO_SIGNAL, stack, live_as_stand_in, creator);
	for (id = 2;; id++) {
		if (is_taken(restart, id))
			continue;
		pid = create_sharing(restart, id, NO_SIGNAL, stack, live_as_stand_in, creator);
		if (pid != -EEXIST)
			return pid;
	}
}

/* Orphans of the session that it leads, for who adopts them. */
static void leave_orphans(const struct restart *restart, unsigned int creator)
{
	pid_t pid;

	if (!has_orphans(restart, creator))
		return;
	pid = create_stand_in(restart, creator);
	if (pid < 0)
		give_up(restart, -pid, 0);
	reap(restart, pid);
}

static void live_as_ghost(const void *object, unsigned int ghost)
{
	const struct restart *restart = object;
	const struct planned_task *tasks = restart->plan.tasks;
	unsigned int i = tasks[restart->plan.ghosts[ghost].creator].first_created;

	die_with(restart, restart->crew->pids[restart->plan.ghosts[ghost].creator]);
	if (restart->plan.ghosts[ghost].leads_session)
		raw_syscall(SYS_setsid);
	else
		raw_syscall(SYS_setpgid, 0, 0);
	for (; i; i = tasks[i].next_created)
		if (tasks[i].birth == BIRTH_GHOST && tasks[i].ghost == ghost)
			create_child(restart, i);
	wait_for_all(restart, CREW_CREATED);
	wait_for_all(restart, CREW_JOINED);
	_exit(0);
}

static void create_ghosts(const struct restart *restart, unsigned int creator)
{
	unsigned int i;

	for (i = 0; i < restart->plan.nr_ghosts; i++) {
		const struct ghost *ghost = &restart->plan.ghosts[i];
		pid_t pid;

		if (ghost->creator != creator)
			continue;
		pid = create_sharing(restart, wanted_pid(restart, ghost->id), NO_SIGNAL,
				     restart->forest.nr_tasks + i, live_as_ghost, i);
		if (pid < 0)
			give_up(restart, -pid, ghost->id);
	}
}

static void reap_ghosts(const struct restart *restart, unsigned int creator)
{
	unsigned int i;

	for (i = 0; i < restart->plan.nr_ghosts; i++)
		if (restart->plan.ghosts[i].creator == creator)
			reap(restart, restart->crew->pids[restart->forest.nr_tasks + i]);
}

static void join_group(const struct restart *restart, unsigned int index)
{
	const struct planned_task *planned = &restart->plan.tasks[index];
	unsigned int leader;
	long ret;

	if (planned->group >= 0 &&
	    leads_group(restart, &restart->forest.tasks[planned->group]))
		leader = planned->group;
	else if (planned->group_ghost >= 0)
		leader = restart->forest.nr_tasks + planned->group_ghost;
	else
		return;
	ret = raw_syscall(SYS_setpgid, 0, restart->crew->pids[leader]);
	if (ret)
		give_up(restart, -ret, 0);
}

/* In the first thread of a process: the others. */
static void create_threads(const struct restart *restart, unsigned int first)
{
	const struct forest *forest = &restart->forest;
	unsigned int i;
	int ret;

	/* They follow it in the image, else the kernel refuses it. */
	for (i = first + 1; i < forest->nr_tasks; i++) {
		pid_t id = forest->tasks[i].pid;

		if (forest->tasks[i].tgid != forest->tasks[first].pid)
			break;
		ret = create_thread(wanted_pid(restart, id), i);
		if (ret)
			give_up(restart, -ret, id);
	}
}

/* Those that it creates are there then, too. */
static void enter_freezer(const struct restart *restart)
{
	int ret = freezer_enter(&restart->options->changes.freezer);

	if (ret)
		give_up(restart, -ret, 0);
}

/* In the new process. */
__noreturn static void become_task(const struct restart *restart, unsigned int index)
{
	const struct forest_task *task = &restart->forest.tasks[index];
	const struct planned_task *planned = &restart->plan.tasks[index];

	restart->crew->pids[index] = getpid();
	signal(SIGCHLD, lose_child);
	if (task->is_subreaper)
		raw_syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	/* The root process then, and it is alone yet. */
	if (!index && restart->options->changes.freezer.dir)
		enter_freezer(restart);
	if (getpid() == 1 && restart->options->mntns && enter_mount_namespace())
		give_up(restart, errno, 0);

	create_children(restart, index, BIRTH_EARLY);
	if (forest_leads_session(task))
		raw_syscall(SYS_setsid);
	create_children(restart, index, BIRTH_CHILD);
	leave_orphans(restart, index);
	create_ghosts(restart, index);
	/* Not before: children have the group that the parent had at first. */
	if (leads_group(restart, task) && !forest_leads_session(task))
		raw_syscall(SYS_setpgid, 0, 0);
	wait_for_all(restart, CREW_CREATED);
	join_group(restart, index);
	wait_for_all(restart, CREW_JOINED);
	reap_ghosts(restart, index);
	create_threads(restart, index);
	wait_for_all(restart, CREW_ALONE);

	if (planned->birth == BIRTH_ORPHAN || planned->birth == BIRTH_GHOST)
		die_with(restart, restart->crew->pids[planned->parent]);
	/* Nobody here looks at errno. */
	ckpt_restart_task(index, 0);
	_exit(EXIT_FAILED);
}

static pid_t create_root(struct restart *restart)
{
	pid_t id = restart->forest.tasks[0].pid;
	unsigned long flags = 0;
	pid_t parent = getpid();
	pid_t pid;

	/* An init brings its namespace with it, and everybody in it ends with it. */
	if (restart->options->pids == PIDS_NAMESPACE && id == 1) {
		flags = CLONE_NEWPID;
		restart->crew->coordinator = 0;
	}
	pid = create_process(flags, wanted_pid(restart, id), &restart->root_fd);
	if (!pid) {
		die_with(restart, parent);
		become_task(restart, 0);
	}
	return pid;
}

/* Return: whether the root process has ended. */
static bool has_ended(pid_t pid)
{
	siginfo_t ended = { 0 };

	return !waitid(P_PID, pid, &ended, WEXITED | WNOHANG | WNOWAIT | __WALL) &&
	       ended.si_pid == pid;
}

/* All ids are taken then that the tasks want. */
static int wait_for_crew(struct restart *restart)
{
	struct crew *crew = restart->crew;

	while (!crew_is_complete(crew)) {
		if (!crew->errnum && has_ended(restart->outcome.pid))
			crew_fail(crew, ECHILD, 0);
		if (crew->errnum) {
			restart->outcome.failed_id = crew->failed_id;
			errno = crew->errnum;
			return -1;
		}
	}
	return 0;
}

static int create_all(struct restart *restart)
{
	const struct plan *plan = &restart->plan;
	struct crew *crew;

	crew = crew_alloc(restart->forest.nr_tasks + plan->nr_ghosts);
	if (!crew)
		return -1;
	crew->nr_members[CREW_CREATED] = plan->nr_processes + plan->nr_ghosts;
	crew->nr_members[CREW_JOINED] = plan->nr_processes + plan->nr_ghosts;
	crew->nr_members[CREW_ALONE] = plan->nr_processes;
	restart->crew = crew;
	own_crew = crew;
	stacks = offspring_stacks(2UL * restart->forest.nr_tasks + plan->nr_ghosts);
	if (!stacks)
		return -1;
	restart->outcome.failed_id = restart->forest.tasks[0].pid;
	restart->outcome.pid = create_root(restart);
	if (restart->outcome.pid < 0)
		return -1;
	undo_on_signal(restart->outcome.pid);
	return wait_for_crew(restart);
}

/**
 * create_forest - create all tasks
 * @restart: root_fd, crew and outcome are filled in
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
