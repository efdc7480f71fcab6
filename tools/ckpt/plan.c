// SPDX-License-Identifier: GPL-2.0
/*
 * Who has to create which process, so that all relations come out right.
 *
 * A process gets its session from who creates it, and can only leave it for one
 * that it leads itself. So a process whose parent is in another session was
 * either created before its parent began that one, or its parent has adopted
 * it. An orphan is created again in its session: by a child of its leader, or
 * if that is gone by a ghost that has its id, and that exits.
 *
 * A process can join any group of its session as long as its leader is there.
 * A ghost stands in for a leader that is gone.
 *
 * The root process keeps the session and the group that restart(1) has, unless
 * it led them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "id_index.h"
#include "plan.h"
#include "util.h"

/**
 * struct planner - a plan in the making
 * @plan: the result
 * @forest: what it is for
 * @by_id: its processes
 * @error: why there is none
 * @error_len: room in it
 */
struct planner {
	struct plan *plan;
	const struct forest *forest;
	struct id_index by_id;
	char *error;
	size_t error_len;
};

static bool is_process(const struct forest_task *task)
{
	return task->pid == task->tgid;
}

/* Does it adopt orphans? */
static bool is_reaper(const struct forest_task *task)
{
	return task->pid == 1 || task->is_subreaper;
}

static void index_processes(struct planner *planner)
{
	const struct forest *forest = planner->forest;
	unsigned int i;

	id_index_init(&planner->by_id, forest->nr_tasks);
	for (i = 0; i < forest->nr_tasks; i++)
		if (is_process(&forest->tasks[i]))
			id_index_add(&planner->by_id, forest->tasks[i].pid, i);
	id_index_sort(&planner->by_id);
}

/* Index of the process with an id, or -1. */
static int find_process(const struct planner *planner, pid_t pid)
{
	return id_index_find(&planner->by_id, pid);
}

static int find_ghost(const struct plan *plan, pid_t id)
{
	unsigned int i;

	for (i = 0; i < plan->nr_ghosts; i++)
		if (plan->ghosts[i].id == id)
			return i;
	return -1;
}

static unsigned int add_ghost(struct plan *plan, pid_t id, bool leads_session,
			      unsigned int creator)
{
	int found = find_ghost(plan, id);

	if (found >= 0)
		return found;
	plan->ghosts = must_grow(plan->ghosts, (plan->nr_ghosts + 1) *
					       sizeof(*plan->ghosts));
	plan->ghosts[plan->nr_ghosts] = (struct ghost) {
		.id		= id,
		.leads_session	= leads_session,
		.creator	= creator,
	};
	return plan->nr_ghosts++;
}

static bool is_below(const struct planner *planner, unsigned int index,
		     unsigned int ancestor)
{
	while (index && index != ancestor)
		index = planner->plan->tasks[index].parent;
	return index == ancestor;
}

static int plan_parent(struct planner *planner, unsigned int index)
{
	struct planned_task *planned = &planner->plan->tasks[index];
	const struct forest_task *task = &planner->forest->tasks[index];
	int parent = find_process(planner, task->ppid);

	planner->plan->nr_processes++;
	if (!index)
		return 0;
	if (parent < 0 || (unsigned int)parent >= index) {
		snprintf(planner->error, planner->error_len,
			 "process %d comes before its parent %d", task->pid,
			 task->ppid);
		return -1;
	}
	planned->parent = parent;
	planned->creator = parent;
	planned->birth = BIRTH_CHILD;
	return 0;
}

/* Has the process a session outside, that of restart(1) from now on? */
static bool is_outside(const struct planner *planner, pid_t sid)
{
	const struct forest_task *root = &planner->forest->tasks[0];

	return !forest_leads_session(root) && sid == root->sid;
}

/* Is there anybody in that session who is no descendant of the process? */
static bool reaches_beyond(const struct planner *planner, pid_t session,
			   unsigned int ancestor)
{
	const struct forest *forest = planner->forest;
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++)
		if (forest->tasks[i].sid == session &&
		    is_process(&forest->tasks[i]) &&
		    !is_below(planner, i, ancestor))
			return true;
	return false;
}

/* Was its parent in that session, before it led its own? */
static bool is_early(const struct planner *planner, unsigned int parent,
		     pid_t session)
{
	const struct forest_task *task = &planner->forest->tasks[parent];

	if (!forest_leads_session(task))
		return false;
	/* Else it was adopted, and all of its session is there. */
	return !is_reaper(task) || is_outside(planner, session) ||
	       reaches_beyond(planner, session, parent);
}

/* The parent has adopted it. */
static int plan_orphan(struct planner *planner, unsigned int index,
		       pid_t session)
{
	struct planned_task *planned = &planner->plan->tasks[index];
	const struct forest_task *task = &planner->forest->tasks[index];
	unsigned int parent = planned->parent;
	int leader = find_process(planner, session);

	if (!is_reaper(&planner->forest->tasks[parent])) {
		snprintf(planner->error, planner->error_len,
			 "process %d is in a session that its parent %d cannot have given it",
			 task->pid, task->ppid);
		return -1;
	}
	if (leader < 0) {
		planned->birth = BIRTH_GHOST;
		planned->ghost = add_ghost(planner->plan, session, true, parent);
		planned->creator = planner->plan->ghosts[planned->ghost].creator;
	} else {
		planned->birth = BIRTH_ORPHAN;
		planned->creator = leader;
	}
	if (!is_below(planner, planned->creator, parent) ||
	    is_below(planner, planned->creator, index)) {
		snprintf(planner->error, planner->error_len,
			 "the session of process %d is not among the descendants of its parent",
			 task->pid);
		return -1;
	}
	return 0;
}

/*
 * Its children are planned already, and may have told in which session it has to
 * be at first.
 */
static int plan_birth(struct planner *planner, unsigned int index)
{
	struct planned_task *planned = &planner->plan->tasks[index];
	const struct forest_task *tasks = planner->forest->tasks;
	unsigned int parent = planned->parent;
	pid_t session = planned->first_session;

	if (!forest_leads_session(&tasks[index])) {
		if (session && session != tasks[index].sid) {
			snprintf(planner->error, planner->error_len,
				 "process %d is in another session than its children were",
				 tasks[index].pid);
			return -1;
		}
		session = tasks[index].sid;
	}
	if (!index || !session || session == tasks[parent].sid)
		return 0;
	if (!is_early(planner, parent, session))
		return plan_orphan(planner, index, session);
	planned->birth = BIRTH_EARLY;
	if (planner->plan->tasks[parent].first_session &&
	    planner->plan->tasks[parent].first_session != session) {
		snprintf(planner->error, planner->error_len,
			 "children of process %d are in two sessions that it may have been in",
			 tasks[parent].pid);
		return -1;
	}
	planner->plan->tasks[parent].first_session = session;
	return 0;
}

static void plan_group(struct planner *planner, unsigned int index)
{
	struct planned_task *planned = &planner->plan->tasks[index];
	const struct forest_task *tasks = planner->forest->tasks;
	const struct forest_task *task = &tasks[index];

	planned->group = -1;
	planned->group_ghost = -1;
	if (forest_leads_group(task) || forest_leads_session(task))
		return;
	planned->group = find_process(planner, task->pgid);
	if (planned->group >= 0)
		return;
	/* That of restart(1), which stands for one that is outside. */
	if (!task->pgid || (task->pgid == tasks[0].pgid &&
			    !forest_leads_group(&tasks[0])))
		return;
	planned->group_ghost = add_ghost(planner->plan, task->pgid, false,
					 index);
}

static int plan_all(struct planner *planner)
{
	const struct forest *forest = planner->forest;
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++)
		if (is_process(&forest->tasks[i]) && plan_parent(planner, i))
			return -1;
	/* Children come after their parents. */
	for (i = forest->nr_tasks; i-- > 0;)
		if (is_process(&forest->tasks[i]) && plan_birth(planner, i))
			return -1;
	/* The ghosts of sessions lead groups, too. */
	for (i = 0; i < forest->nr_tasks; i++)
		if (is_process(&forest->tasks[i]))
			plan_group(planner, i);
	return 0;
}

/* In the order of the image. */
static void list_created(struct plan *plan, unsigned int nr_tasks)
{
	unsigned int i;

	for (i = nr_tasks; i-- > 1;) {
		struct planned_task *creator = &plan->tasks[plan->tasks[i].creator];

		if (plan->tasks[i].birth == BIRTH_NONE)
			continue;
		plan->tasks[i].next_created = creator->first_created;
		creator->first_created = i;
	}
}

/**
 * plan_forest - find out who creates whom
 * @plan: filled in
 * @forest: the tasks
 * @error: set to the reason if there is no way
 * @error_len: room in it
 *
 * Return: 0, or -1.
 */
int plan_forest(struct plan *plan, const struct forest *forest,
		char *error, size_t error_len)
{
	struct planner planner = {
		.plan		= plan,
		.forest		= forest,
		.error		= error,
		.error_len	= error_len,
	};
	int ret;

	*plan = (struct plan) { 0 };
	plan->tasks = must_alloc(forest->nr_tasks * sizeof(*plan->tasks));
	memset(plan->tasks, 0, forest->nr_tasks * sizeof(*plan->tasks));
	index_processes(&planner);
	ret = plan_all(&planner);
	id_index_free(&planner.by_id);
	if (!ret)
		list_created(plan, forest->nr_tasks);
	return ret;
}

/**
 * plan_free - forget a plan
 * @plan: the plan
 */
void plan_free(struct plan *plan)
{
	free(plan->tasks);
	free(plan->ghosts);
}
