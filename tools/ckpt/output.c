// SPDX-License-Identifier: GPL-2.0
/*
 * The file that an image is written to.
 *
 * The name that the user gave appears only with a complete image behind it.
 * Until then the file is called FILE.partial, and so it stays if the
 * checkpoint fails: it holds the reason. Nobody but the user may read it: it
 * has all that the program knew.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "util.h"

#define IMAGE_MODE	0600

/**
 * output_size - bytes of a regular file
 * @fd: the file
 *
 * Return: bytes, or -1 if it is something else.
 */
off_t output_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) || !S_ISREG(st.st_mode) ? -1 : st.st_size;
}

/* Another process may have renamed or removed it before we had the lock. */
static bool is_named(int fd, const char *name)
{
	struct stat open_st, named_st;

	return !fstat(fd, &open_st) && !stat(name, &named_st) &&
	       open_st.st_dev == named_st.st_dev &&
	       open_st.st_ino == named_st.st_ino;
}

static int open_partial(struct output *output)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

	output->partial = must_print("%s.partial", output->file);
	for (;;) {
		output->fd = open(output->partial, flags, IMAGE_MODE);
		if (output->fd < 0) {
			error("cannot create %s: %s", output->partial,
			      strerror(errno));
			return -1;
		}
		if (flock(output->fd, LOCK_EX | LOCK_NB)) {
			error("%s is being written by another checkpoint",
			      output->partial);
			close(output->fd);
			return -1;
		}
		if (is_named(output->fd, output->partial))
			break;
		close(output->fd);
	}
	if (fchmod(output->fd, IMAGE_MODE) || ftruncate(output->fd, 0)) {
		error("cannot write %s: %s", output->partial, strerror(errno));
		return -1;
	}
	return 0;
}

static int check_descriptor(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
		error("descriptor %d is not open for writing", fd);
		return -1;
	}
	if (isatty(fd)) {
		error("not writing an image to a terminal: use -o FILE, or redirect the output");
		return -1;
	}
	return 0;
}

/**
 * output_open - open the file of an image, if it was named
 * @output: its file and overwrite are set, or its fd
 *
 * Return: 0, or -1 after a message.
 */
int output_open(struct output *output)
{
	struct stat st;

	if (!output->file)
		return check_descriptor(output->fd);
	if (stat(output->file, &st))
		return open_partial(output);
	if (S_ISDIR(st.st_mode)) {
		error("%s is a directory", output->file);
		return -1;
	}
	if (S_ISREG(st.st_mode)) {
		if (output->overwrite)
			return open_partial(output);
		error("%s exists: use another name, or -f to replace it",
		      output->file);
		return -1;
	}
	output->fd = open(output->file, O_WRONLY | O_CLOEXEC);
	if (output->fd < 0) {
		error("cannot write %s: %s", output->file, strerror(errno));
		return -1;
	}
	return check_descriptor(output->fd);
}

static int give_name(struct output *output)
{
	if (output->overwrite)
		return rename(output->partial, output->file);
	if (!renameat2(AT_FDCWD, output->partial, AT_FDCWD, output->file,
		       RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && !is_missing_call(errno))
		return -1;
	/* A filesystem without RENAME_NOREPLACE. */
	if (link(output->partial, output->file)) {
		if (errno == EEXIST)
			return -1;
		return rename(output->partial, output->file);
	}
	return unlink(output->partial);
}

static void sync_directory(const char *file)
{
	char *copy = must_print("%s", file);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* A filesystem that can't do it has no better way to offer. */
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

/**
 * output_commit - the image is complete: make it last, under its name
 * @output: the image
 *
 * Return: 0, or -1 after a message.
 */
int output_commit(struct output *output)
{
	if (fsync(output->fd) && errno != EINVAL && errno != EROFS) {
		error("the image may not have reached the disk: %s",
		      strerror(errno));
		return -1;
	}
	if (!output->partial)
		return 0;
	if (give_name(output)) {
		error("cannot rename %s to %s: %s", output->partial,
		      output->file, strerror(errno));
		return -1;
	}
	sync_directory(output->file);
	return 0;
}

/**
 * output_discard - the image is complete, and not what was wanted
 * @output: the image
 */
void output_discard(struct output *output)
{
	if (output->partial)
		unlink(output->partial);
}

/* The reason is not in the image if that could not be written. */
static bool has_reason(int errnum)
{
	return errnum != ENOSPC && errnum != EDQUOT && errnum != EFBIG &&
	       errnum != EIO;
}

/**
 * output_abort - there is no image: keep what tells why, if anything does
 * @output: the image
 * @errnum: why
 */
void output_abort(struct output *output, int errnum)
{
	if (!output->partial)
		return;
	if (!output_size(output->fd) || !has_reason(errnum))
		unlink(output->partial);
	else
		error("for the reason: ckptinfo -e %s", output->partial);
}
