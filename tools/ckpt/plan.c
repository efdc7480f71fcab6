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
 * A pid namespace begins with its init, which whoever is in the namespace outside
 * creates; and whoever is in one can create others in those below. A process can name
 * no group whose leader is outside of its pid namespace, so it has to be born in it, or
 * is put there by who created it.
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
static bool is_reaper(const struct forest *forest, unsigned int index)
{
	return forest_is_init(forest, index) || forest->tasks[index].is_subreaper;
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

static unsigned int add_ghost(const struct planner *planner, pid_t id, bool leads_session,
			      unsigned int creator)
{
	const struct forest *forest = planner->forest;
	struct plan *plan = planner->plan;
	int found = find_ghost(plan, id);
	struct forest_place place;

	if (found >= 0)
		return found;
	place = forest_find_left(forest, id);
	/* Deeper in nobody of its session is left, who could see what it was there. */
	while (!forest_is_within(forest, forest->tasks[creator].place.ns, place.ns))
		place.ns = forest->namespaces[place.ns].parent;
	plan->ghosts = must_grow(plan->ghosts, (plan->nr_ghosts + 1) *
					       sizeof(*plan->ghosts));
	plan->ghosts[plan->nr_ghosts] = (struct ghost) {
		.id		= id,
		.leads_session	= leads_session,
		.creator	= creator,
		.place		= place,
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
static bool is_early(const struct planner *planner, unsigned int parent, pid_t session)
{
	const struct forest_task *task = &planner->forest->tasks[parent];

	if (!forest_leads_session(task))
		return false;
	/* Else it was adopted, and all of its session is there. */
	return !is_reaper(planner->forest, parent) || is_outside(planner, session) ||
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

	if (!is_reaper(planner->forest, parent)) {
		snprintf(planner->error, planner->error_len,
			 "process %d is in a session that its parent %d cannot have given it",
			 task->pid, task->ppid);
		return -1;
	}
	if (leader < 0) {
		planned->birth = BIRTH_GHOST;
		planned->ghost = add_ghost(planner, session, true, parent);
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

static int fail(struct planner *planner, pid_t pid, const char *reason)
{
	snprintf(planner->error, planner->error_len, "process %d %s", pid, reason);
	return -1;
}

/* Who leads a process group: a process, a ghost behind all tasks, or -1: nobody. */
static int find_leader(const struct planner *planner, pid_t group)
{
	int found = find_process(planner, group);

	if (found >= 0)
		return found;
	found = find_ghost(planner->plan, group);
	return found < 0 ? -1 : (int)planner->forest->nr_tasks + found;
}

static const struct forest_place *place_of(const struct planner *planner, unsigned int who)
{
	const struct forest *forest = planner->forest;

	return who < forest->nr_tasks ? &forest->tasks[who].place :
	       &planner->plan->ghosts[who - forest->nr_tasks].place;
}

/* An ancestor, or itself, that can create who has left the id to the group. */
static int find_ghost_creator(const struct planner *planner, unsigned int index, pid_t id)
{
	const struct forest *forest = planner->forest;
	struct forest_place place = forest_find_left(forest, id);
	pid_t session = forest->tasks[index].sid;

	while (!forest_is_within(forest, place.ns, forest->tasks[index].place.ns)) {
		if (!index)
			return -1;
		index = planner->plan->tasks[index].parent;
		if (forest->tasks[index].sid != session)
			return -1;
	}
	return index;
}

/* The one who is in the innermost namespace: others there see the ghost, too. */
static int find_best_creator(const struct planner *planner, pid_t group)
{
	const struct forest *forest = planner->forest;
	int best = -1, creator;
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++) {
		if (forest->tasks[i].pgid != group || !is_process(&forest->tasks[i]))
			continue;
		creator = find_ghost_creator(planner, i, group);
		if (creator >= 0 &&
		    (best < 0 || forest->namespaces[forest->tasks[creator].place.ns].level >
				 forest->namespaces[forest->tasks[best].place.ns].level))
			best = creator;
	}
	return best;
}

static int plan_group(struct planner *planner, unsigned int index)
{
	struct planned_task *planned = &planner->plan->tasks[index];
	const struct forest_task *tasks = planner->forest->tasks;
	const struct forest_task *task = &tasks[index];
	int creator;

	planned->group = -1;
	planned->group_ghost = -1;
	if (forest_leads_group(task) || forest_leads_session(task))
		return 0;
	planned->group = find_process(planner, task->pgid);
	if (planned->group >= 0)
		return 0;
	/* That of restart(1), which stands for one that is outside. */
	if (!task->pgid || (task->pgid == tasks[0].pgid &&
			    !forest_leads_group(&tasks[0])))
		return 0;
	creator = planner->forest->nr_namespaces == 1 ? (int)index :
		  find_best_creator(planner, task->pgid);
	if (creator < 0)
		return fail(planner, task->pid,
			    "is in a group that began in another pid namespace");
	planned->group_ghost = add_ghost(planner, task->pgid, false, creator);
	return 0;
}

/* Does a process have to be born in its group, or in that of its children? */
static int need_group(struct planner *planner, unsigned int index, pid_t group)
{
	const struct forest_task *task = &planner->forest->tasks[index];
	struct planned_task *planned = &planner->plan->tasks[index];
	int leader = find_leader(planner, group);

	/* One outside of the root's namespace all are born in. */
	if (leader < 0 || group == task->pid ||
	    forest_id(planner->forest, place_of(planner, leader), task->place.ns))
		return 0;
	if (planned->needs_group && planned->needs_group != group)
		return fail(planner, task->pid,
			    "would have to be born in two groups outside of its pid namespace");
	planned->needs_group = group;
	planned->lead = leader;
	return 0;
}

/* Children come after their parents, and have told what they need already. */
static int plan_needs(struct planner *planner, unsigned int index)
{
	struct planned_task *planned = &planner->plan->tasks[index];
	const struct forest_task *tasks = planner->forest->tasks;

	if (!forest_leads_group(&tasks[index]) && !forest_leads_session(&tasks[index]) &&
	    need_group(planner, index, tasks[index].pgid))
		return -1;
	if (planned->birth == BIRTH_NONE || !planned->needs_group ||
	    planned->birth == BIRTH_GHOST)
		return 0;
	return need_group(planner, planned->creator, planned->needs_group);
}

/* Whoever creates a process must be in its pid namespace, or in one outside. */
static int check_namespace(struct planner *planner, unsigned int index)
{
	const struct planned_task *planned = &planner->plan->tasks[index];
	const struct forest *forest = planner->forest;
	unsigned int ns = forest->tasks[index].place.ns;
	unsigned int parent_ns = forest->tasks[planned->parent].place.ns;
	unsigned int creator_ns = forest->tasks[planned->creator].place.ns;

	if (planned->birth == BIRTH_GHOST)
		creator_ns = planner->plan->ghosts[planned->ghost].place.ns;
	if (!forest_is_within(forest, ns, parent_ns))
		return fail(planner, forest->tasks[index].pid,
			    "is in a pid namespace that is not below that of its parent");
	/* Orphans go to who adopts them in the namespace of the one that is gone. */
	if (planned->birth != BIRTH_NONE && creator_ns != parent_ns)
		return fail(planner, forest->tasks[index].pid,
			    "was created in another pid namespace than that of its parent");
	if (index && forest_is_init(forest, index) &&
	    forest->namespaces[ns].parent != parent_ns)
		return fail(planner, forest->tasks[index].pid,
			    "is an init whose parent is not in the pid namespace outside");
	return 0;
}

static int plan_namespaces(struct planner *planner)
{
	const struct forest *forest = planner->forest;
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++)
		if (is_process(&forest->tasks[i]) && check_namespace(planner, i))
			return -1;
	for (i = forest->nr_tasks; i-- > 0;)
		if (is_process(&forest->tasks[i]) && plan_needs(planner, i))
			return -1;
	return 0;
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
		if (is_process(&forest->tasks[i]) && plan_group(planner, i))
			return -1;
	return forest->nr_namespaces == 1 ? 0 : plan_namespaces(planner);
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
