// SPDX-License-Identifier: GPL-2.0
/*
 * Every pattern of up to four descriptors of one pipe and one file: both ends,
 * duplicated, opened again, or missing. The argument chooses the first
 * descriptor's kind, and half of the kinds of the last: all of them together are
 * more than a process may have open.
 */
#include "pipes.h"

#include <linux/kcmp.h>

enum kind {
	NONE, READER, WRITER, READER_AGAIN, WRITER_AGAIN, BOTH_AGAIN, ORDINARY_FILE, DUPLICATE,
	NR_KINDS,
};

#define NR_SLOTS	4
#define NR_PATTERNS	(NR_KINDS * NR_KINDS * NR_KINDS / 2)

static int fds[NR_PATTERNS][NR_SLOTS];

static enum kind kind_of(int pattern, int slot)
{
	int choice = atoi(subject_arg);

	switch (slot) {
	case 0:
		return choice / 2;
	case 1:
		return pattern % NR_KINDS;
	case 2:
		return pattern / NR_KINDS % NR_KINDS;
	default:
		return pattern / NR_KINDS / NR_KINDS + choice % 2 * (NR_KINDS / 2);
	}
}

/* The slot before this one that it shares its open file with, or -1. */
static int twin(int pattern, int slot)
{
	enum kind kind = kind_of(pattern, slot);
	int before;

	if (kind == DUPLICATE) {
		/* The nearest one, whatever that shares in its turn. */
		for (before = slot - 1; before >= 0; before--)
			if (fds[pattern][before] >= 0)
				return before;
		return -1;
	}
	for (before = 0; before < slot && (kind == READER || kind == WRITER); before++)
		if (kind_of(pattern, before) == kind)
			return before;
	return -1;
}

static int access_of(int pattern, int slot)
{
	int other = twin(pattern, slot);

	if (other >= 0)
		return access_of(pattern, other);
	switch (kind_of(pattern, slot)) {
	case READER:
	case READER_AGAIN:
		return O_RDONLY;
	case WRITER:
	case WRITER_AGAIN:
		return O_WRONLY;
	default:
		return O_RDWR;
	}
}

static bool is_file(int pattern, int slot)
{
	int other = twin(pattern, slot);

	return other >= 0 ? is_file(pattern, other) : kind_of(pattern, slot) == ORDINARY_FILE;
}

static int open_slot(int pattern, int slot, const int ends[2])
{
	int other = twin(pattern, slot);

	if (other >= 0)
		return dup(fds[pattern][other]);
	switch (kind_of(pattern, slot)) {
	case READER:
		return dup(ends[0]);
	case WRITER:
		return dup(ends[1]);
	case READER_AGAIN:
		return reopen(ends[0], O_RDONLY);
	case WRITER_AGAIN:
		return reopen(ends[0], O_WRONLY);
	case BOTH_AGAIN:
		return reopen(ends[0], O_RDWR);
	case ORDINARY_FILE:
		return open("data", O_RDWR);
	default:
		return -1;
	}
}

static bool is_open(int pattern, int slot)
{
	return kind_of(pattern, slot) != NONE &&
	       (kind_of(pattern, slot) != DUPLICATE || twin(pattern, slot) >= 0);
}

/* Every second open file is non-blocking; those that share it know. */
static int nonblock_of(int pattern, int slot)
{
	int other = twin(pattern, slot);

	if (other >= 0)
		return nonblock_of(pattern, other);
	return (pattern + slot) % 2 ? O_NONBLOCK : 0;
}

static void setup_pattern(int pattern)
{
	int ends[2], slot;

	need(!pipe(ends));
	put_bytes(ends[1], 1 + pattern % 5000, pattern);
	for (slot = 0; slot < NR_SLOTS; slot++) {
		int *fd = &fds[pattern][slot];

		*fd = -1;
		if (!is_open(pattern, slot))
			continue;
		*fd = open_slot(pattern, slot, ends);
		need(*fd >= 0);
		if (twin(pattern, slot) < 0)
			set_nonblock(*fd, nonblock_of(pattern, slot));
	}
	close(ends[0]);
	close(ends[1]);
}

static void setup(void)
{
	int pattern, fd;

	block_sigpipe();
	fd = open("data", O_WRONLY | O_CREAT, 0644);
	need(fd >= 0);
	close(fd);
	for (pattern = 0; pattern < NR_PATTERNS; pattern++)
		setup_pattern(pattern);
}

static bool is_same_file(int one, int other)
{
	return !syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, one, other);
}

/* Do two slots come from the same slot in the end? */
static int origin(int pattern, int slot)
{
	int other = twin(pattern, slot);

	return other >= 0 ? origin(pattern, other) : slot;
}

static void verify_sharing(int pattern)
{
	int slot, other;

	for (slot = 0; slot < NR_SLOTS; slot++) {
		if (fds[pattern][slot] < 0)
			continue;
		check_equal(fcntl(fds[pattern][slot], F_GETFL) & (O_ACCMODE | O_NONBLOCK),
			    access_of(pattern, slot) | nonblock_of(pattern, slot), "flags");
		for (other = 0; other < slot; other++)
			if (fds[pattern][other] >= 0)
				check_equal(is_same_file(fds[pattern][slot], fds[pattern][other]),
					    origin(pattern, slot) == origin(pattern, other),
					    "shared open file");
	}
}

/* Data, and then who notices that the others are not there. */
static void verify_data(int pattern)
{
	int reader = -1, writer = -1, slot;

	for (slot = 0; slot < NR_SLOTS; slot++) {
		if (fds[pattern][slot] < 0 || is_file(pattern, slot))
			continue;
		if (access_of(pattern, slot) != O_WRONLY)
			reader = fds[pattern][slot];
		if (access_of(pattern, slot) != O_RDONLY)
			writer = fds[pattern][slot];
	}
	if (reader >= 0) {
		take_packet(reader, 1 + pattern % 5000, 0, pattern, "bytes");
		if (writer >= 0)
			check_empty(reader, "pipe with a writer");
		else
			check_end(reader, "pipe without a writer");
	}
	if (writer >= 0 && reader < 0)
		check_broken(writer, "pipe without a reader");
	if (writer >= 0 && reader >= 0) {
		put_bytes(writer, 9, 1);
		take_packet(reader, 9, 0, 1, "new bytes");
	}
}

static void verify(void)
{
	int pattern;

	for (pattern = 0; pattern < NR_PATTERNS; pattern++) {
		verify_sharing(pattern);
		verify_data(pattern);
	}
}

/* There are too many descriptors for the snapshot. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
