/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests share: start a subject, wait for it, save, kill and restart
 * it. Everything has a time limit and says on stdout what went wrong.
 */
#ifndef _CKPT_SELFTEST_HARNESS_H
#define _CKPT_SELFTEST_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/checkpoint.h>

#include "control.h"

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define NSEC_PER_SEC		1000000000LL
#define MSEC			1000000LL

/* The user that is nobody special. */
#define ORDINARY_UID		1000

static inline long sys_checkpoint(pid_t pid, int fd, unsigned long flags, int logfd)
{
	return syscall(__NR_checkpoint, pid, fd, flags, logfd);
}

static inline long sys_restart(pid_t pid, int fd, unsigned long flags, int logfd)
{
	return syscall(__NR_restart, pid, fd, flags, logfd);
}

/* Say what went wrong, as a diagnostic line; always false. */
__attribute__((format(printf, 1, 2)))
bool complain(const char *format, ...);
/* And show a file, such as a log. */
void show_file(const char *path);

s64 monotonic_ns(void);
/* Times are for the plain kernel; the debug kernel gets more. */
s64 scaled_ms(int ms);
/*
 * The time, as monotonic_ns(), when what has not happened yet will never
 * happen. Far away: on a machine with other work everything takes long.
 */
s64 hang_limit(void);
bool is_debug_kernel(void);
/* Does the kernel have the system calls at all? */
bool have_checkpoint(void);

/* Whether the kernel reports crashes of programs that are made to crash. */
void report_crashes(bool on);

/* Path of a program that was built with the tests. */
const char *helper_path(const char *name);
/* Path of one of the tools, or NULL. */
const char *tool_path(const char *name);

/**
 * struct subject_run - one process that is to be saved
 * @dir: its work directory
 * @program: executable
 * @arg: argument
 * @uid: run as this user, or 0
 * @control: the shared page
 * @pid: 0 if it is not a child of ours
 * @started: CLOCK_MONOTONIC when it was ready
 */
struct subject_run {
	char dir[PATH_MAX - 64];
	char program[PATH_MAX];
	const char *arg;
	uid_t uid;
	struct control *control;
	pid_t pid;
	s64 started;
};

bool subject_map(struct subject_run *run, bool create);
void subject_unmap(struct subject_run *run);
/* Start it and wait until it is ready. False also if it wants to be skipped. */
bool subject_start(struct subject_run *run);
/* Wait until it is where it said that it would wait. */
bool subject_settle(struct subject_run *run, pid_t pid);
void subject_go(struct subject_run *run);
/* Wait for the verdict; the process @pid is one that must not die meanwhile. */
bool subject_verdict(struct subject_run *run, pid_t pid);
/*
 * Start restart(1) with the image of that name; it lives as long as the subject
 * and ends with its status. A negative pid if that fails.
 */
pid_t subject_restart(struct subject_run *run, const char *how, const char *name);
/* Reap it; its exit status must be this. */
bool reap(pid_t pid, int status, const char *what);
void kill_and_reap(pid_t pid);
/* Whether children are left; they are killed. */
bool leaves_children(void);
/*
 * Wait until this is the only child: all others were adopted from somebody who
 * died, and die as well.
 */
bool only_child_is(pid_t pid);
/* Wait until there is none: all are about to die, and some will come to us yet. */
bool all_children_end(void);
/* Kill those that may be left. */
void end_children(void);

/* The number that 64-bit programs know the call by, also seen from 32-bit ones. */
#define NR64_READ		0
#define NR64_POLL		7
#define NR64_PAUSE		34
#define NR64_NANOSLEEP		35
#define NR64_FUTEX		202
#define NR64_RESTART_SYSCALL	219

/* The system call that a process is blocked in, -1 if it runs, -2 unknown. */
long blocked_in(pid_t pid);
bool wait_blocked(pid_t pid, long nr);
/* Wait until /proc shows it in one of these states, such as "TZ". */
bool wait_in_state(pid_t pid, const char *states);
bool has_ended(pid_t pid, s64 limit_ns);
void wait_for_file_clock(void);
bool write_file(const char *path, const char *text);
/* Make a cgroup with so much memory, and no swap; who enters writes to its cgroup.procs. */
bool limit_memory(const char *cgroup, const char *limit);
bool file_holds(const char *path, const char *word);
/* Is the word in the file "log"? Then that is removed. */
bool log_names(const char *word);
/* Runs before subjects/tiny is executed, unless NULL. */
extern void (*before_tiny)(void);
/*
 * Start subjects/tiny in a session of its own and without descriptors, and
 * wait until it is where its mode says. 0 if that fails.
 */
pid_t start_tiny(const char *mode, uid_t uid);
/* Have it save itself, in mode "self" or "rich". */
bool make_tiny_image(const char *mode, const char *path, uid_t uid);

/* Save through the system call; a negative errno if it fails. */
long save_to(const char *path, pid_t pid, const char *log);
/*
 * Restart through the system calls, as a child with the pid that it had, or
 * with any (0). The pid of the new child, or a negative errno.
 */
pid_t restart_from(const char *path, pid_t pid, const char *log);
pid_t restart_from_fd(int fd, pid_t pid, int logfd);
long try_restart(const char *image, const char *log);
pid_t start_with(int first, int second, void (*body)(void));
/*
 * A process in a session of its own, with nothing open but /dev/null, that does
 * this and exits with BODY_GOOD.
 */
#define BODY_GOOD		42
pid_t start_body(void (*body)(void));
/* The same with nothing open at all; it is in that system call, or this is 0. */
pid_t start_blocked(void (*body)(void), long nr);
/* What a body may do: repeat each line that comes, up to the end of the input. */
void echo(void);

/*
 * A word in memory that processes share: set it, and wait until it is another
 * one; false if the process ends before, or after the time limit.
 */
void tell_word(u32 *word, u32 value);
bool await_word(u32 *word, u32 old, pid_t pid);

/* Run a program; -1 as the wait makes no sense, else the pid. */
pid_t spawn(const char *const argv[], const char *output);
/*
 * Save a process into the file "image" of the working directory, messages into
 * "log"; its id, or a negative errno.
 */
long save_process_with(pid_t pid, unsigned long flags);
/* Run restart(1) with that option on "image" in a directory, and have a "log" there. */
pid_t spawn_restart(const char *dir, const char *how);
/*
 * Is restart --pids refused if somebody else has the id of a task of the image,
 * and does it say so? Both paths are absolute.
 */
bool refuses_taken_id(const char *image, pid_t id, const char *output);

bool make_path(char *to, size_t size, const char *dir, const char *name);
bool copy_file(const char *from, const char *to, mode_t mode);
void remove_tree(const char *path);
/*
 * Go to a new directory, and keep its path in @dir, which has room for half of
 * PATH_MAX. When leaving it again, it and what is in it are removed.
 */
bool enter_directory(char *dir, const char *name, mode_t mode);
void leave_directory(const char *dir);
/* A new file in memory that the processes that map it share, or NULL. */
void *map_new_file(const char *path, size_t size);
/* As mkswap(8) and swapon(8) do. */
bool make_swap(const char *path, unsigned int nr_pages);

#endif /* _CKPT_SELFTEST_HARNESS_H */
