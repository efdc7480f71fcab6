/* SPDX-License-Identifier: GPL-2.0 */
/* Creating processes that share the memory of their creator. */
#ifndef _CKPT_OFFSPRING_H
#define _CKPT_OFFSPRING_H

#include <linux/sched.h>
#include <stdatomic.h>
#include <sys/types.h>

/* Bytes: a few calls deep, and a signal frame. */
#define OFFSPRING_STACK	32768UL

/**
 * struct offspring - a process that is to be created
 * @flags: CLONE_* besides
 * @wanted: its ids, that in the innermost pid namespace first; any in the others
 * @nr_wanted: their number
 * @exit_signal: what tells the creator of its end, or 0
 * @pid: where its id is put before it runs and whatever becomes of its creator,
 *	or NULL
 * @stack: %OFFSPRING_STACK bytes that nobody else uses
 * @life: what it does; does not return
 * @object: for @life
 * @index: for @life
 */
struct offspring {
	unsigned long flags;
	const pid_t *wanted;
	unsigned int nr_wanted;
	int exit_signal;
	atomic_int *pid;
	void *stack;
	void (*life)(const void *object, unsigned int index);
	const void *object;
	unsigned int index;
};

void *offspring_stacks(size_t nr_stacks);
pid_t offspring_create(const struct offspring *offspring);

#endif /* _CKPT_OFFSPRING_H */
