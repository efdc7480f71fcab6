/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small processes that have files open and mapped, and whose memory and files
 * a test looks at from outside. The image is in the working directory.
 */
#ifndef _CKPT_SELFTEST_FILE_PROCESS_H
#define _CKPT_SELFTEST_FILE_PROCESS_H

#include "harness.h"

/* Bytes of a file, all of them one letter. */
#define FILE_SIZE	8192
/* Where the processes map their files. */
#define PRIVATE_AT	((char *)0x200000000000)
#define SHARED_AT	((char *)0x210000000000)

/*
 * What the kernel tells, not in the filesystem that is tried: a client of 9p may
 * find a file empty that another process has just written.
 */
#define LOG	"/tmp/file_process.log"

bool make_letters(const char *name, char with);
/* A process with nothing but what @body makes, in @where; 0 if that fails. */
pid_t start_in(const char *where, bool (*body)(void), uid_t uid);
/* One that executes a file "program", a copy of subjects/tiny. */
pid_t start_program(const char *where);
long save_process(pid_t pid);
bool save_and_kill(pid_t pid);
/* 0 if that fails. */
pid_t bring_back(void);

/* For @body: map a file of letters. */
bool map_at(int fd, char *at, int prot, int flags);

/* Is a mapping of the process, or its first descriptor, full of a letter? */
bool memory_is(pid_t pid, char *at, char with);
bool file_is(pid_t pid, char with);
/* The path of a mapping, and of the executable. */
bool maps_name(pid_t pid, const char *name);
bool executes(pid_t pid, const char *name);

#endif /* _CKPT_SELFTEST_FILE_PROCESS_H */
