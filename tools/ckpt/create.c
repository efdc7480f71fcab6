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
/* Until a process leads its group, or an init is there: nothing long is in between. */
#define PAUSES_MAX	30000

/**
 * struct wanted - ids for a new process or thread
 * @ids: as clone3() wants them, the innermost first
 * @nr_ids: their number
 */
struct wanted {
	pid_t ids[FOREST_LEVELS];
	unsigned int nr_ids;
};

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

/*
 * In the pid namespaces below the root's it gets those that it had: they are new.
 * In that of the root whoever restarts has the choice.
 */
static struct wanted wanted_ids(const struct restart *restart, const struct forest_place *place)
{
	const struct forest *forest = &restart->forest;
	struct wanted wanted = { .nr_ids = 0 };
	unsigned int ns;

	for (ns = place->ns; ns; ns = forest->namespaces[ns].parent)
		wanted.ids[wanted.nr_ids++] = forest_id(forest, place, ns);
	if (restart->options->pids != PIDS_NEW)
		wanted.ids[wanted.nr_ids++] = place->pid;
	return wanted;
}

static const struct forest_place *place_of(const struct restart *restart, unsigned int who)
{
	unsigned int nr_tasks = restart->forest.nr_tasks;

	return who < nr_tasks ? &restart->forest.tasks[who].place :
	       &restart->plan.ghosts[who - nr_tasks].place;
}

/*
 * What somebody in a pid namespace calls a task, or a ghost behind all tasks; 0: it
 * cannot, or nobody knows yet.
 */
static pid_t actual_id(const struct restart *restart, unsigned int ns, unsigned int who)
{
	const struct forest_place *place = place_of(restart, who);

	if (ns)
		return forest_id(&restart->forest, place, ns);
	if (!place->ns || restart->options->pids == PIDS_NEW)
		return crew_find_id(restart->crew, who);
	return place->pid;
}

/* The other functions run in processes that share memory: see raw.h. */
static pid_t create_sharing(const struct restart *restart, unsigned long flags,
			    const struct wanted *wanted, int exit_signal, atomic_int *pid,
			    size_t stack, void (*life)(const void *, unsigned int),
			    unsigned int index)
{
	struct offspring offspring = {
		.flags		= flags,
		.wanted		= wanted->ids,
		.nr_wanted	= wanted->nr_ids,
		.exit_signal	= exit_signal,
		.pid		= pid,
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

__noreturn static void give_up(const struct restart *restart, int errnum, pid_t failed_id)
{
	crew_fail(restart->crew, errnum, failed_id);
	_exit(EXIT_FAILED);
}

static unsigned int ns_of(const struct restart *restart, unsigned int index)
{
	return restart->forest.tasks[index].place.ns;
}

static void tell_id(const struct restart *restart, unsigned int who)
{
	int ret = crew_tell_id(restart->crew, who);

	if (ret)
		give_up(restart, -ret, 0);
}

static void wait_for_all(const struct restart *restart, enum crew_stage stage, unsigned int ns)
{
	if (crew_wait(restart->crew, stage, ns))
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
		die_with(restart, actual_id(restart, ns_of(restart, index), planned->creator));
	become_task(restart, index);
}

/* What is to be there is not there yet; it may never be. */
static void wait_for(const struct restart *restart, unsigned int *pauses, pid_t failed_id)
{
	if (atomic_load(&restart->crew->errnum))
		_exit(EXIT_FAILED);
	if (++*pauses > PAUSES_MAX)
		give_up(restart, ETIMEDOUT, failed_id);
	crew_pause();
}

static void choose_namespace(const struct restart *restart, pid_t pid)
{
	long fd, ret;

	fd = raw_syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		give_up(restart, -fd, 0);
	ret = raw_syscall(SYS_setns, fd, CLONE_NEWPID);
	if (ret)
		give_up(restart, -ret, 0);
	raw_syscall(SYS_close, fd);
}

/* Children are created in a namespace that has its init already, or that it makes. */
static void choose_namespace_of(const struct restart *restart, unsigned int ns,
				unsigned int index)
{
	unsigned int init = restart->forest.namespaces[ns_of(restart, index)].init;
	unsigned int pauses = 0;
	pid_t pid;

	while (!(pid = actual_id(restart, ns, init)) || raw_syscall(SYS_kill, pid, 0) == -ESRCH)
		wait_for(restart, &pauses, restart->forest.tasks[init].pid);
	choose_namespace(restart, pid);
}

/* It cannot name the group, but the caller, who has created it, can. */
static void put_in_group(const struct restart *restart, unsigned int ns, unsigned int index)
{
	const struct planned_task *planned = &restart->plan.tasks[index];
	unsigned int pauses = 0;

	for (;;) {
		pid_t pid = actual_id(restart, ns, index);
		pid_t leader = actual_id(restart, ns, planned->lead);

		if (pid && leader && !raw_syscall(SYS_setpgid, pid, leader))
			break;
		wait_for(restart, &pauses, planned->needs_group);
	}
	atomic_store(&restart->crew->in_group[index], 1);
}

/* A creator is in @ns, and in @group if that is not 0. */
static void create_child(const struct restart *restart, unsigned int ns, pid_t group,
			 unsigned int index)
{
	const struct planned_task *planned = &restart->plan.tasks[index];
	const struct forest_task *task = &restart->forest.tasks[index];
	struct wanted wanted = wanted_ids(restart, &task->place);
	bool is_outside = task->place.ns != ns;
	bool is_init = is_outside && forest_is_init(&restart->forest, index);
	pid_t pid;

	if (planned->needs_group == group)
		atomic_store(&restart->crew->in_group[index], 1);
	if (is_outside && !is_init)
		choose_namespace_of(restart, ns, index);
	pid = create_sharing(restart, is_init ? CLONE_NEWPID : 0, &wanted, SIGCHLD,
			     ns ? NULL : &restart->crew->pids[index], index, live_as_child,
			     index);
	if (pid < 0)
		give_up(restart, -pid, task->pid);
	if (is_outside && !is_init)
		choose_namespace(restart, raw_syscall(SYS_getpid));
	if (planned->needs_group && planned->needs_group != group)
		put_in_group(restart, ns, index);
}

/* Is it to be created when the creator leads its group? */
static bool is_late(const struct restart *restart, unsigned int index)
{
	const struct planned_task *planned = &restart->plan.tasks[index];
	const struct forest_task *creator = &restart->forest.tasks[planned->creator];

	return planned->needs_group == creator->pid && !forest_leads_session(creator);
}

static void create_children(const struct restart *restart, unsigned int creator,
			    enum birth birth, pid_t group, bool late)
{
	const struct planned_task *tasks = restart->plan.tasks;
	unsigned int i;

	for (i = tasks[creator].first_created; i; i = tasks[i].next_created)
		if (tasks[i].birth == birth && is_late(restart, i) == late)
			create_child(restart, ns_of(restart, creator), group, i);
}

static bool has_orphans(const struct restart *restart, unsigned int creator, bool late)
{
	const struct planned_task *tasks = restart->plan.tasks;
	unsigned int i;

	for (i = tasks[creator].first_created; i; i = tasks[i].next_created)
		if (tasks[i].birth == BIRTH_ORPHAN && is_late(restart, i) == late)
			return true;
	return false;
}

static bool is_taken(const struct restart *restart, pid_t id)
{
	const struct forest *forest = &restart->forest;
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++)
		if (forest->tasks[i].pid == id)
			return true;
	for (i = 0; i < forest->nr_nested; i++)
		if (forest->nested[i].id == id)
			return true;
	for (i = 0; i < restart->plan.nr_ghosts; i++)
		if (restart->plan.ghosts[i].id == id)
			return true;
	return false;
}

static pid_t first_group(const struct restart *restart, unsigned int creator)
{
	const struct forest_task *task = &restart->forest.tasks[creator];

	return forest_leads_session(task) ? task->pid :
	       restart->plan.tasks[creator].needs_group;
}

static void live_as_stand_in(const void *object, unsigned int creator)
{
	create_children(object, creator, BIRTH_ORPHAN, first_group(object, creator), false);
	_exit(0);
}

/* In the group that its creator leads. */
static void live_as_late_stand_in(const void *object, unsigned int creator)
{
	const struct restart *restart = object;

	create_children(restart, creator, BIRTH_ORPHAN, restart->forest.tasks[creator].pid,
			true);
	_exit(0);
}

/* With an id that nobody else wants. */
static pid_t create_stand_in(const struct restart *restart, unsigned int creator, bool late)
{
	size_t stack = restart->forest.nr_tasks + restart->plan.nr_ghosts + creator;
	struct wanted wanted = wanted_ids(restart, place_of(restart, creator));
	unsigned int i;
	pid_t id, pid;

	for (id = 2;; id++) {
		if (wanted.nr_ids && is_taken(restart, id))
			continue;
		for (i = 0; i < wanted.nr_ids; i++)
			wanted.ids[i] = id;
		/* Nobody asks for it by index. */
		pid = create_sharing(restart, 0, &wanted, NO_SIGNAL, NULL, stack,
				     late ? live_as_late_stand_in : live_as_stand_in,
				     creator);
		if (pid != -EEXIST)
			return pid;
	}
}

/* Orphans of the session that it leads, for who adopts them. */
static void leave_orphans(const struct restart *restart, unsigned int creator, bool late)
{
	pid_t pid;

	if (!has_orphans(restart, creator, late))
		return;
	pid = create_stand_in(restart, creator, late);
	if (pid < 0)
		give_up(restart, -pid, 0);
	reap(restart, pid);
}

static void live_as_ghost(const void *object, unsigned int index)
{
	const struct restart *restart = object;
	const struct ghost *ghost = &restart->plan.ghosts[index];
	const struct planned_task *tasks = restart->plan.tasks;
	unsigned int i = tasks[ghost->creator].first_created;

	die_with(restart, actual_id(restart, ghost->place.ns, ghost->creator));
	if (ghost->place.ns)
		tell_id(restart, restart->forest.nr_tasks + index);
	if (ghost->leads_session)
		raw_syscall(SYS_setsid);
	else
		raw_syscall(SYS_setpgid, 0, 0);
	for (; i; i = tasks[i].next_created)
		if (tasks[i].birth == BIRTH_GHOST && tasks[i].ghost == index)
			create_child(restart, ghost->place.ns, ghost->id, i);
	wait_for_all(restart, CREW_CREATED, ghost->place.ns);
	wait_for_all(restart, CREW_JOINED, ghost->place.ns);
	_exit(0);
}

static void create_ghosts(const struct restart *restart, unsigned int creator)
{
	unsigned int i;

	for (i = 0; i < restart->plan.nr_ghosts; i++) {
		const struct ghost *ghost = &restart->plan.ghosts[i];
		unsigned int who = restart->forest.nr_tasks + i;
		struct wanted wanted;
		pid_t pid;

		if (ghost->creator != creator)
			continue;
		wanted = wanted_ids(restart, &ghost->place);
		pid = create_sharing(restart, 0, &wanted, NO_SIGNAL,
				     ghost->place.ns ? NULL : &restart->crew->pids[who], who,
				     live_as_ghost, i);
		if (pid < 0)
			give_up(restart, -pid, ghost->id);
	}
}

static void reap_ghosts(const struct restart *restart, unsigned int creator)
{
	unsigned int i;

	for (i = 0; i < restart->plan.nr_ghosts; i++)
		if (restart->plan.ghosts[i].creator == creator)
			reap(restart, actual_id(restart, ns_of(restart, creator),
						restart->forest.nr_tasks + i));
}

static void join_group(const struct restart *restart, unsigned int index)
{
	const struct planned_task *planned = &restart->plan.tasks[index];
	unsigned int leader;
	pid_t group;
	long ret;

	if (planned->group >= 0 &&
	    leads_group(restart, &restart->forest.tasks[planned->group]))
		leader = planned->group;
	else if (planned->group_ghost >= 0)
		leader = restart->forest.nr_tasks + planned->group_ghost;
	else
		return;
	group = actual_id(restart, ns_of(restart, index), leader);
	/* If it has no name for it then it is there since its birth. */
	ret = group ? raw_syscall(SYS_setpgid, 0, group) : 0;
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
		struct wanted wanted = wanted_ids(restart, &forest->tasks[i].place);

		if (forest->tasks[i].tgid != forest->tasks[first].pid)
			break;
		ret = create_thread(wanted.ids, wanted.nr_ids, i);
		if (ret)
			give_up(restart, -ret, forest->tasks[i].pid);
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

	unsigned int pauses = 0;

	if (task->place.ns)
		tell_id(restart, index);
	else
		restart->crew->pids[index] = getpid();
	signal(SIGCHLD, lose_child);
	if (task->is_subreaper)
		raw_syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	/* The root process then, and it is alone yet. */
	if (!index && restart->options->changes.freezer.dir)
		enter_freezer(restart);
	if (!index && getpid() == 1 && restart->options->mntns && enter_mount_namespace())
		give_up(restart, errno, 0);

	/* Its children are born in that group, too. */
	while (planned->needs_group && !atomic_load(&restart->crew->in_group[index]))
		wait_for(restart, &pauses, task->pid);

	create_children(restart, index, BIRTH_EARLY, planned->needs_group, false);
	if (forest_leads_session(task))
		raw_syscall(SYS_setsid);
	/* Before those who may need them. */
	create_ghosts(restart, index);
	create_children(restart, index, BIRTH_CHILD, first_group(restart, index), false);
	leave_orphans(restart, index, false);
	/* Not before: children have the group that the parent had at first. */
	if (leads_group(restart, task) && !forest_leads_session(task))
		raw_syscall(SYS_setpgid, 0, 0);
	create_children(restart, index, BIRTH_CHILD, task->pid, true);
	leave_orphans(restart, index, true);
	wait_for_all(restart, CREW_CREATED, task->place.ns);
	join_group(restart, index);
	wait_for_all(restart, CREW_JOINED, task->place.ns);
	reap_ghosts(restart, index);
	create_threads(restart, index);
	wait_for_all(restart, CREW_ALONE, task->place.ns);

	if (planned->birth == BIRTH_ORPHAN || planned->birth == BIRTH_GHOST)
		die_with(restart, actual_id(restart, task->place.ns, planned->parent));
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
	pid = create_process(flags, restart->options->pids == PIDS_NEW ? 0 : id,
			     &restart->root_fd);
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

/* clone3() takes the ids of so many pid namespaces, and there may be one more. */
static bool can_choose_ids(const struct restart *restart)
{
	const struct forest *forest = &restart->forest;
	unsigned int i;

	if (restart->options->pids == PIDS_NEW)
		return true;
	for (i = 0; i < forest->nr_namespaces; i++)
		if (forest->namespaces[i].level >= FOREST_LEVELS - 1)
			return false;
	return true;
}

static int create_all(struct restart *restart)
{
	const struct plan *plan = &restart->plan;
	struct crew *crew;

	if (!can_choose_ids(restart)) {
		errno = ENOSPC;
		return -1;
	}
	crew = crew_alloc(restart->forest.nr_tasks + plan->nr_ghosts,
			  restart->forest.nr_namespaces > 1 &&
			  restart->options->pids == PIDS_NEW);
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
