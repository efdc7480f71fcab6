/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every subject is made of.
 *
 * A subject is a small program that is saved and restarted. It brings some
 * state about, says that it is ready, waits, and then verifies every bit of
 * that state itself. Standard input is /dev/null, output and errors go to a
 * regular file, the working directory is the subject's own.
 *
 * In the life of a subject:
 *
 *	setup()		bring the state about
 *	(snapshot)	what /proc says about the process
 *	hold()		say that it is ready, and wait; usually subject_wait()
 *	(snapshot)	must be the same
 *	verify()	check the state
 *
 * A subject with a table of modes does what the mode says that its argument
 * names, each time after what all modes have in common.
 */
#ifndef _CKPT_SELFTEST_SUBJECT_H
#define _CKPT_SELFTEST_SUBJECT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "../control.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value)	(*(volatile typeof(x) *)&(x) = (value))
#define PAGE_SIZE		4096UL
#define NSEC_PER_SEC		1000000000LL
#define MSEC			1000000LL

/* The kernel's signal set. */
#define SIGSET_BYTES		8

/* struct subject.skip: parts of the snapshot that this subject changes */
#define SKIP_MAPS		0x1	/* mappings and their flags */
#define SKIP_STATUS		0x2	/* /proc/self/status */
#define SKIP_FILES		0x4	/* descriptors */
#define SKIP_ALL		0x7

/**
 * struct subject_mode - what is special about a subject with one argument
 * @name: the argument
 * @setup: see above
 * @verify: likewise
 * @hold: likewise; NULL: as the subject does it
 */
struct subject_mode {
	const char *name;
	void (*setup)(void);
	void (*verify)(void);
	void (*hold)(void);
};

/**
 * struct subject - a program that is saved
 * @setup: see above, may be NULL
 * @hold: likewise; NULL: subject_wait()
 * @verify: likewise, may be NULL
 * @skip: SKIP_*
 * @modes: by argument, the last one is empty; or NULL
 */
struct subject {
	void (*setup)(void);
	void (*hold)(void);
	void (*verify)(void);
	unsigned int skip;
	const struct subject_mode *modes;
};

/* Defined by each subject. */
extern const struct subject subject;

/* For the subject to use: the shared page, and the argument after its name. */
extern struct control *control;
extern const char *subject_arg;

__attribute__((format(printf, 1, 2)))
void subject_log(const char *format, ...);
__attribute__((format(printf, 1, 2), noreturn))
void subject_die(const char *format, ...);
__attribute__((format(printf, 1, 2), noreturn))
void subject_skip(const char *format, ...);
__attribute__((format(printf, 4, 5)))
bool subject_check(bool good, const char *file, int line, const char *format, ...);

/* Count and report a failure unless the condition holds; go on either way. */
#define check(condition, ...) \
	subject_check(!!(condition), __FILE__, __LINE__, __VA_ARGS__)
#define check_equal(got, want, what) ({					\
	long long _got = (long long)(got), _want = (long long)(want);	\
									\
	check(_got == _want, "%s: is %lld (%#llx), was %lld (%#llx)",	\
	      what, _got, _got, _want, _want); })

/* For set-up steps that must work before anything can be tested. */
#define need(condition) do {						\
	if (!(condition))						\
		subject_die("%s:%d: %s: %s", __FILE__, __LINE__,	\
			    #condition, strerror(errno));		\
} while (0)

/* Is this run of the subject the one that is called @name? */
static inline bool mode_is(const char *name)
{
	return !strcmp(subject_arg, name);
}

static inline bool subject_must_go(void)
{
	return READ_ONCE(control->go);
}

static inline bool subject_was_restarted(void)
{
	return READ_ONCE(control->flags) & CONTROL_RESTARTED;
}

static inline bool subject_was_rebooted(void)
{
	return READ_ONCE(control->flags) & CONTROL_REBOOTED;
}

static inline bool subject_has_new_pid(void)
{
	return READ_ONCE(control->flags) & CONTROL_NEW_PID;
}

/* With this argument a subject is none and ends at once, with this status. */
#define SUBJECT_ENDS		"end-at-once"
#define SUBJECT_ENDS_WITH	7
/* Or when all its children have ended, with the same status. */
#define SUBJECT_WAITS		"wait-for-children"

/* Announce: I am about to block in this system call, or SUBJECT_RUNS. */
void subject_ready(long blocked_in);
/* The same, of another process, for which this one speaks. */
void subject_ready_for(pid_t pid, long blocked_in);
/* Announce, and wait for the test. */
void subject_wait(void);
/* Wait for the test, in another process or thread than the one that announces. */
void subject_stay(void);
/* The same, but running in user mode. */
void subject_spin(void);

s64 now_ns(clockid_t clock);
/*
 * Time that the subject itself lived through between two moments on
 * CLOCK_MONOTONIC, one before the checkpoint and one after it. What passed
 * between checkpoint and restart does not count.
 */
s64 time_lived(s64 start, s64 end);
/* It must be what was asked for, and only a bit more. */
void check_time_lived(s64 start, s64 end, s64 asked);

/* Bytes that tell where they belong. */
u64 pattern_word(u64 seed, u64 index);
void pattern_fill(void *at, size_t bytes, u64 seed);
bool pattern_check(const void *at, size_t bytes, u64 seed, const char *what);

/* One of the "Key: value" numbers, in kB, of the mapping at an address. */
long smaps_kb(const void *at, const char *key);
/* Does the mapping at an address have this two-letter flag? */
bool smaps_has_flag(const void *at, const char *flag);

#endif /* _CKPT_SELFTEST_SUBJECT_H */
