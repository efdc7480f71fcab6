/* SPDX-License-Identifier: GPL-2.0 */
/* All subjects, and how each is put through its paces. */
#ifndef _CKPT_SELFTEST_CASES_H
#define _CKPT_SELFTEST_CASES_H

/* Flavours of a cycle */
#define ALONE		0x01	/* not saved at all: is the subject itself right? */
#define IN_PLACE	0x02	/* saved, and goes on */
#define KILL_RESTART	0x04	/* saved, killed, and restarted with its pid */
#define NEW_PIDNS	0x08	/* restarted in a new pid namespace */
#define FIXPOINT	0x10	/* saved again after a restart: the same image */
#define REBOOT		0x20	/* restarted in another boot of the machine */
#define DEFAULT_FLAVOURS (IN_PLACE | KILL_RESTART | NEW_PIDNS | FIXPOINT)
#define NR_FLAVOURS	6

/* struct subject_case.flags */
#define RUNS		0x01	/* in user mode: never twice at the same point */
#define ORDINARY	0x02	/* as an ordinary user, who can't choose pids */
#define LASTS		0x04	/* long enough to have used up half of its time first */
#define WORKS		0x08	/* must have made progress before each checkpoint */
#define DYNAMIC		0x10	/* needs the C library at run time */
#define SAME_BOOT	0x20	/* means nothing after a reboot */
#define DRIFTS		0x40	/* each interruption changes it */

/**
 * struct subject_case - one run of a subject
 * @group: what it belongs to, for a coarse choice
 * @name: for people
 * @program: in subjects/
 * @arg: its argument
 * @flags: see above
 * @rounds: checkpoints in place, or restarts one after the other
 */
struct subject_case {
	const char *group;
	const char *name;
	const char *program;
	const char *arg;
	unsigned int flags;
	int rounds;
};

extern const struct subject_case subject_cases[];
extern const size_t nr_subject_cases;

#endif /* _CKPT_SELFTEST_CASES_H */
