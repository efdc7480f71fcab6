// SPDX-License-Identifier: GPL-2.0
/* Open files that have another name than they were opened by. */
#include "subject.h"

#include <sys/stat.h>

static int fds[4];

static int make(const char *name, int flags)
{
	int fd = open(name, flags | O_CREAT | O_EXCL, 0644);

	need(fd >= 0);
	return fd;
}

static void check_text(int fd, off_t offset, const char *text)
{
	char bytes[64] = "";

	check(pread(fd, bytes, strlen(text), offset) == (ssize_t)strlen(text) &&
	      !strcmp(bytes, text), "'%s' is not at %lld, but '%s'", text, (long long)offset,
	      bytes);
}

/* Names that change: the file is where it is now. */
static void setup(void)
{
	struct stat st;
	int fd;

	need(!mkdir("from", 0755) && !mkdir("to", 0755));
	fds[0] = make("from/data", O_RDWR);
	need(write(fds[0], "moved", 5) == 5);
	need(!rename("from/data", "to/elsewhere"));
	fd = make("from/data", O_WRONLY);
	need(write(fd, "other", 5) == 5);
	close(fd);
	/* The name that it was opened by is gone, and is another file's. */
	fds[1] = make("first", O_RDWR);
	need(write(fds[1], "linked", 6) == 6);
	/* An overlayfs forgets a new name until somebody looks for it. */
	need(!link("first", "to/second") && !stat("to/second", &st) && !unlink("first"));
	fd = make("first", O_WRONLY);
	need(write(fd, "other", 5) == 5);
	close(fd);
	/* In a directory that was moved. */
	need(!mkdir("from/dir", 0755));
	fds[2] = make("from/dir/data", O_RDWR);
	need(write(fds[2], "carried", 7) == 7);
	need(!rename("from/dir", "to/dir"));
	/* Replaced by another. */
	fds[3] = make("target", O_RDWR);
	need(write(fds[3], "replaced", 8) == 8);
	fd = make("source", O_WRONLY);
	need(write(fd, "replacement", 11) == 11);
	close(fd);
	need(!rename("source", "target"));
}

static void check_name(int fd, const char *name, const char *text)
{
	struct stat st, named;
	int other = open(name, O_RDONLY);

	check_text(fd, 0, text);
	check_equal(lseek(fd, 0, SEEK_CUR), strlen(text), "position");
	check(other >= 0, "%s: %s", name, strerror(errno));
	check(!fstat(fd, &st) && !fstat(other, &named) && st.st_ino == named.st_ino,
	      "%s is another file", name);
	check(write(fd, "!", 1) == 1, "write: %s", strerror(errno));
	check_text(other, strlen(text), "!");
	close(other);
}

static void check_other(const char *name, const char *text)
{
	struct stat st;
	int fd = open(name, O_RDONLY);

	check(fd >= 0, "%s: %s", name, strerror(errno));
	check_text(fd, 0, text);
	check(!fstat(fd, &st) && st.st_size == (off_t)strlen(text), "size of %s", name);
	close(fd);
}

static void verify(void)
{
	struct stat st;

	check_name(fds[0], "to/elsewhere", "moved");
	check_name(fds[1], "to/second", "linked");
	check_name(fds[2], "to/dir/data", "carried");
	check_text(fds[3], 0, "replaced");
	check(!fstat(fds[3], &st) && !st.st_nlink, "it has a name");
	check_other("from/data", "other");
	check_other("first", "other");
	check_other("target", "replacement");
}

/* /proc shows the name that it had at the checkpoint. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
