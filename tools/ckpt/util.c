// SPDX-License-Identifier: GPL-2.0
/* What the tools have in common: messages, memory, whole reads and writes. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

const char *program = "ckpt";
enum verbosity verbosity = NORMAL;

/**
 * set_program - remember the name that messages begin with
 * @argv0: how the program was called
 */
void set_program(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

	if (argv0)
		program = slash ? slash + 1 : argv0;
}

/**
 * error - tell what went wrong, and what to do about it
 * @format: one or more lines without the last newline
 */
void error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/**
 * info - tell what is going on, if the user asked for it
 * @format: one line without the newline
 */
void info(const char *format, ...)
{
	va_list args;

	if (verbosity < VERBOSE)
		return;
	va_start(args, format);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/**
 * must_alloc - allocate zeroed memory or exit
 * @size: bytes
 *
 * Return: the memory.
 */
void *must_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory) {
		error("out of memory");
		exit(EXIT_FAILED);
	}
	return memory;
}

/**
 * must_grow - change the size of allocated memory or exit
 * @old: the memory, or NULL
 * @size: bytes wanted
 *
 * Return: the memory, possibly elsewhere.
 */
void *must_grow(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory) {
		error("out of memory");
		exit(EXIT_FAILED);
	}
	return memory;
}

/**
 * must_print - format into allocated memory or exit
 * @format: as printf(3)
 *
 * Return: the text.
 */
char *must_print(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0) {
		error("out of memory");
		exit(EXIT_FAILED);
	}
	va_end(args);
	return text;
}

/**
 * parse_number - read a decimal number that is the whole text
 * @text: the text
 * @low: least possible value
 * @high: greatest possible value
 * @number: the value
 *
 * Return: whether there is such a number.
 */
bool parse_number(const char *text, long low, long high, long *number)
{
	char *end;

	if ((*text < '0' || *text > '9') && *text != '-')
		return false;
	errno = 0;
	*number = strtol(text, &end, 10);
	return !errno && !*end && *number >= low && *number <= high;
}

/**
 * is_open - is this an open descriptor?
 * @fd: its number
 *
 * Return: whether it is.
 */
bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/**
 * is_missing_call - did a system call fail because the kernel has none?
 * @errnum: its errno
 *
 * Return: whether it did.
 */
bool is_missing_call(int errnum)
{
	return errnum == ENOSYS;
}

/**
 * write_all - write everything, however often it takes
 * @fd: where to
 * @data: the bytes
 * @len: how many
 *
 * Return: 0, or -1 with errno set.
 */
int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t done = write(fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		len -= done;
	}
	return 0;
}

/**
 * read_comm - name of a process
 * @pid: the process
 * @comm: the name, "?" if it cannot be found out
 * @len: room for it
 */
void read_comm(pid_t pid, char *comm, size_t len)
{
	char path[64], raw[64];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, raw, sizeof(raw));
		close(fd);
	}
	if (got <= 0) {
		snprintf(comm, len, "?");
		return;
	}
	clean_text(comm, len, raw, raw[got - 1] == '\n' ? got - 1 : got);
}

/**
 * clean_text - make text from elsewhere safe for a terminal
 * @out: the text with control characters, backslashes and bytes that are not
 *	ASCII as \xNN
 * @size: room there; what does not fit is cut off
 * @text: the text
 * @len: its bytes
 *
 * Return: @out.
 */
char *clean_text(char *out, size_t size, const char *text, size_t len)
{
	size_t at = 0;

	for (; len; text++, len--) {
		unsigned char byte = *text;
		bool plain = byte >= ' ' && byte < 0x7f && byte != '\\';

		if (at + (plain ? 1 : 4) >= size)
			break;
		if (plain)
			out[at++] = byte;
		else
			at += sprintf(out + at, "\\x%02x", byte);
	}
	out[at] = '\0';
	return out;
}
