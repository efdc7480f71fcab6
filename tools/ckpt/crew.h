/* SPDX-License-Identifier: GPL-2.0 */
/* The processes that are being created, and what they tell each other. */
#ifndef _CKPT_CREW_H
#define _CKPT_CREW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * enum crew_stage - what all have done before any of them goes on
 * @CREW_CREATED: they are there, in their sessions, and lead their groups
 * @CREW_JOINED: they have joined the groups of others
 * @CREW_ALONE: the ghosts are gone
 * @CREW_NR_STAGES: number of stages
 */
enum crew_stage {
	CREW_CREATED,
	CREW_JOINED,
	CREW_ALONE,
	CREW_NR_STAGES,
};

/**
 * struct crew - shared by the coordinator and all that come of it
 * @arrived: members that have come to each stage, a futex
 * @nr_members: whom each stage waits for
 * @errnum: why it cannot be done, or 0; the first reason stays
 * @failed_id: with @errnum: the id that was wanted, or 0
 * @coordinator: process without which there is no restart, or 0 if its end ends
 *	all in any case
 * @ids_fd: file in which those lock a byte whose creators do not know their ids in
 *	the root's pid namespace, or -1
 * @in_group: whether the tasks are in the groups that they have to be born in
 * @pids: actual ids in the pid namespace of the root, by index of the task; those of
 *	ghosts follow
 */
struct crew {
	atomic_uint arrived[CREW_NR_STAGES];
	unsigned int nr_members[CREW_NR_STAGES];
	atomic_int errnum;
	pid_t failed_id;
	pid_t coordinator;
	int ids_fd;
	atomic_uchar *in_group;
	atomic_int pids[];
};

struct crew *crew_alloc(unsigned int nr_pids, bool has_unknown);
void crew_pause(void);
int crew_tell_id(const struct crew *crew, unsigned int index);
pid_t crew_find_id(struct crew *crew, unsigned int index);
void crew_fail(struct crew *crew, int errnum, pid_t failed_id);
bool crew_is_complete(struct crew *crew);
int crew_wait(struct crew *crew, enum crew_stage stage, bool is_nested);

#endif /* _CKPT_CREW_H */
