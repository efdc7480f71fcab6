/* SPDX-License-Identifier: GPL-2.0 */
/* Who has to create which process, so that all relations come out right. */
#ifndef _CKPT_PLAN_H
#define _CKPT_PLAN_H

#include <stdbool.h>
#include <sys/types.h>

#include "tree.h"

/**
 * enum birth - how a process comes into being
 * @BIRTH_NONE: it is a thread, or the root process
 * @BIRTH_CHILD: its parent creates it
 * @BIRTH_EARLY: its parent creates it before it leads a session of its own
 * @BIRTH_ORPHAN: a stand-in that its creator makes and that exits: its parent is
 *	who adopts orphans there
 * @BIRTH_GHOST: a ghost that has the id of its session and that exits
 */
enum birth {
	BIRTH_NONE,
	BIRTH_CHILD,
	BIRTH_EARLY,
	BIRTH_ORPHAN,
	BIRTH_GHOST,
};

/**
 * struct planned_task - what has to be done for one task
 * @birth: how it comes into being
 * @creator: index of the process that creates it, or its stand-in or ghost
 * @first_created: index of the first one that has this as its creator, or 0
 * @next_created: index of the next one that has the same creator, or 0
 * @parent: index of its parent
 * @first_session: session that it has to be in before it leads its own, or 0
 * @ghost: with BIRTH_GHOST: index of the ghost
 * @group: index of the process whose group it joins, or -1: the one that it has
 *	by birth, or its own
 * @group_ghost: index of the ghost whose group it joins, or -1
 * @needs_group: id of the group that it has to be in from its birth on, because it
 *	cannot name it: the leader is outside of its pid namespace; 0: any
 * @lead: who leads that group: index of a process, or of a ghost behind all tasks
 */
struct planned_task {
	enum birth birth;
	unsigned int creator;
	unsigned int first_created;
	unsigned int next_created;
	unsigned int parent;
	pid_t first_session;
	unsigned int ghost;
	int group;
	int group_ghost;
	pid_t needs_group;
	unsigned int lead;
};

/**
 * struct ghost - a process that only lends its id and is not there later
 * @id: of a session or of a process group whose leader is gone
 * @leads_session: a session
 * @creator: index of the process that creates it, in the same pid namespace
 * @place: its ids, as far as anybody can see them
 */
struct ghost {
	pid_t id;
	bool leads_session;
	unsigned int creator;
	struct forest_place place;
};

/**
 * struct plan - how to create a forest
 * @tasks: as many as the forest has
 * @ghosts: in the order in which they were found to be needed
 * @nr_ghosts: their number
 * @nr_processes: without threads and ghosts
 */
struct plan {
	struct planned_task *tasks;
	struct ghost *ghosts;
	unsigned int nr_ghosts;
	unsigned int nr_processes;
};

int plan_forest(struct plan *plan, const struct forest *forest,
		char *error, size_t error_len);
void plan_free(struct plan *plan);

#endif /* _CKPT_PLAN_H */
