/* SPDX-License-Identifier: GPL-2.0 */
/* What the subjects with pipes and FIFOs have in common. */
#ifndef _CKPT_SELFTEST_PIPES_H
#define _CKPT_SELFTEST_PIPES_H

#include "subject.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define PIPE_BYTES	65536

static inline void pattern_bytes(unsigned char *at, size_t bytes, u64 seed)
{
	size_t index;

	for (index = 0; index < bytes; index++)
		at[index] = pattern_word(seed, index);
}

/* A write that must not be short; in bytes that @seed makes. */
static inline void put_bytes(int fd, size_t bytes, u64 seed)
{
	static unsigned char data[1 << 20];

	need(bytes <= sizeof(data));
	pattern_bytes(data, bytes, seed);
	need(write(fd, data, bytes) == (ssize_t)bytes);
}

static inline bool check_bytes(const unsigned char *data, ssize_t got, size_t bytes, size_t skip,
			       u64 seed, const char *what)
{
	static unsigned char wanted[2 << 20];

	need(skip + bytes <= sizeof(wanted));
	pattern_bytes(wanted, skip + bytes, seed);
	return check(got >= 0, "%s: read: %s", what, strerror(errno)) &&
	       check_equal(got, bytes, what) &&
	       check(!memcmp(data, wanted + skip, bytes), "%s: other bytes", what);
}

/* Read bytes that @seed makes, without the first @skip. */
static inline bool take_bytes(int fd, size_t bytes, size_t skip, u64 seed, const char *what)
{
	static unsigned char data[1 << 20];

	return check_bytes(data, read(fd, data, bytes), bytes, skip, seed, what);
}

/* The same, where read() must not get more although it asks for more. */
static inline bool take_packet(int fd, size_t bytes, size_t skip, u64 seed, const char *what)
{
	static unsigned char data[1 << 20];

	return check_bytes(data, read(fd, data, sizeof(data)), bytes, skip, seed, what);
}

static inline void check_unread(int fd, int want, const char *what)
{
	int got = -1;

	check(!ioctl(fd, FIONREAD, &got), "%s: FIONREAD: %s", what, strerror(errno));
	check_equal(got, want, what);
}

static inline void set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	need(!fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

/* Nothing to read, and somebody who might write. */
static inline void check_empty(int fd, const char *what)
{
	char byte;

	set_nonblock(fd, true);
	check(read(fd, &byte, 1) == -1 && errno == EAGAIN, "%s: not empty but open", what);
	set_nonblock(fd, false);
}

static inline void check_end(int fd, const char *what)
{
	char byte;

	set_nonblock(fd, true);
	check(read(fd, &byte, 1) == 0, "%s: not at its end", what);
	set_nonblock(fd, false);
}

static inline bool has_sigpipe(void)
{
	struct timespec zero = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	return sigtimedwait(&set, NULL, &zero) == SIGPIPE;
}

/* Nobody reads. SIGPIPE must be blocked. */
static inline void check_broken(int fd, const char *what)
{
	check(write(fd, "x", 1) == -1 && errno == EPIPE, "%s: somebody reads", what);
	check(has_sigpipe(), "%s: no SIGPIPE", what);
}

static inline void block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
}

/* Bytes that go in one by one until it is full. */
static inline long fill_singly(int fd)
{
	long bytes = 0;

	set_nonblock(fd, true);
	while (write(fd, "y", 1) == 1)
		bytes++;
	check(errno == EAGAIN, "fill: %s", strerror(errno));
	set_nonblock(fd, false);
	return bytes;
}

static inline short poll_now(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT };

	need(poll(&one, 1, 0) >= 0);
	return one.revents;
}

/* Open a descriptor once more: another open file description. */
static inline int reopen(int fd, int flags)
{
	char path[64];
	int new;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	new = open(path, flags);
	need(new >= 0);
	return new;
}

#endif /* _CKPT_SELFTEST_PIPES_H */
