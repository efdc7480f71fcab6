/* SPDX-License-Identifier: GPL-2.0 */
/* What the tools have in common: messages, memory, whole reads and writes. */
#ifndef _CKPT_UTIL_H
#define _CKPT_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __noreturn __attribute__((noreturn))

/* Exit statuses that the tools share; the manual pages have them too. */
#define EXIT_FAILED		1
#define EXIT_USAGE		2
#define EXIT_UNSUPPORTED	3

/* How much the user wants to hear. */
enum verbosity {
	QUIET = -1,
	NORMAL = 0,
	VERBOSE = 1,
};

extern const char *program;
extern enum verbosity verbosity;

void set_program(const char *argv0);

__printf(1, 2)
void error(const char *format, ...);
__printf(1, 2)
void info(const char *format, ...);

void *must_alloc(size_t size);
void *must_grow(void *old, size_t size);
__printf(1, 2)
char *must_print(const char *format, ...);

static inline size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool parse_number(const char *text, long low, long high, long *number);
bool is_open(int fd);
bool is_missing_call(int errnum);
int write_all(int fd, const void *data, size_t len);
void read_comm(pid_t pid, char *comm, size_t len);
char *clean_text(char *out, size_t size, const char *text, size_t len);

#endif /* _CKPT_UTIL_H */
