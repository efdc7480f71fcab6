// SPDX-License-Identifier: GPL-2.0
/* Open files that have no name any more, and those that never had one. */
#include "subject.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define MTIME		1500000000
#define BYTES		(5 * PAGE_SIZE + 321)
#define FAR		(6LL << 30)

static int fds[16];
static char *maps[8];

static int make(const char *name, int flags)
{
	int fd = open(name, flags | O_CREAT | O_EXCL, 0644);

	need(fd >= 0);
	return fd;
}

static void put(int fd, off_t offset, u64 seed, size_t bytes)
{
	u64 page[PAGE_SIZE / 8];

	pattern_fill(page, PAGE_SIZE, seed);
	need(pwrite(fd, page, bytes, offset) == (ssize_t)bytes);
	/* It is to be nowhere but in the file. */
	explicit_bzero(page, sizeof(page));
}

static void check_at(int fd, off_t offset, u64 seed, const char *what)
{
	u64 page[PAGE_SIZE / 8] = { 0 };

	check(pread(fd, page, PAGE_SIZE, offset) == PAGE_SIZE, "%s: read: %s", what,
	      strerror(errno));
	pattern_check(page, PAGE_SIZE, seed, what);
}

static void check_text(int fd, off_t offset, const char *text)
{
	char bytes[64] = "";

	check(pread(fd, bytes, strlen(text), offset) == (ssize_t)strlen(text) &&
	      !strcmp(bytes, text), "'%s' is not at %lld, but '%s'", text, (long long)offset,
	      bytes);
}

static char *map(int fd, size_t bytes, int prot, int flags)
{
	char *at = mmap(NULL, bytes, prot, flags, fd, 0);

	need(at != MAP_FAILED);
	return at;
}

static int open_again(int fd, int flags)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	need(again >= 0);
	return again;
}

#define position(fd)	lseek(fd, 0, SEEK_CUR)

static void check_stat(int fd, mode_t mode, off_t size)
{
	struct stat st;

	check(!fstat(fd, &st), "fstat: %s", strerror(errno));
	check_equal(st.st_nlink, 0, "links");
	check_equal(st.st_mode, S_IFREG | mode, "mode");
	check_equal(st.st_uid, geteuid(), "owner");
	check_equal(st.st_gid, getegid(), "group");
	check_equal(st.st_size, size, "size");
}

/* One file, several opens, and another one under its name. */
static void setup_opens(void)
{
	struct timespec times[2] = { { MTIME, 1 }, { MTIME, 123456789 } };
	size_t offset;
	int other;

	fds[0] = make("data", O_RDWR);
	for (offset = 0; offset < BYTES; offset += PAGE_SIZE)
		put(fds[0], offset, offset,
		    BYTES - offset < PAGE_SIZE ? BYTES - offset : PAGE_SIZE);
	fds[1] = open("data", O_RDONLY);
	fds[2] = open("data", O_WRONLY | O_APPEND);
	fds[3] = dup(fds[0]);
	need(fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0);
	need(lseek(fds[0], 1000, SEEK_SET) == 1000);
	need(lseek(fds[1], BYTES + 5000, SEEK_SET) == BYTES + 5000);
	need(!fchmod(fds[0], 0640));
	need(!futimens(fds[0], times));
	need(!unlink("data"));
	other = make("data", O_WRONLY);
	need(write(other, "another", 7) == 7);
	close(other);
	/* Nothing in it; opened for writing alone. */
	fds[4] = make("empty", O_WRONLY);
	need(!unlink("empty"));
	fds[5] = make("written", O_WRONLY);
	need(write(fds[5], "written", 7) == 7);
	need(!unlink("written"));
}

static void verify_opens(void)
{
	struct stat st;
	int other;

	check_stat(fds[0], 0640, BYTES);
	need(!fstat(fds[1], &st));
	check_equal(st.st_mtim.tv_sec, MTIME, "time of modification");
	check_equal(st.st_mtim.tv_nsec, 123456789, "its nanoseconds");
	check_at(fds[0], 0, 0, "first page");
	check_at(fds[1], 4 * PAGE_SIZE, 4 * PAGE_SIZE, "last whole page");
	check_equal(position(fds[0]), 1000, "position");
	check_equal(position(fds[1]), BYTES + 5000, "position of the second open");
	need(lseek(fds[3], 2000, SEEK_SET) == 2000);
	check_equal(position(fds[0]), 2000, "shared position");
	check(write(fds[1], "x", 1) == -1 && errno == EBADF, "read-only open writes");
	check(write(fds[2], "appended", 8) == 8, "append: %s", strerror(errno));
	check_text(fds[1], BYTES, "appended");
	check_stat(fds[0], 0640, BYTES + 8);
	check_stat(fds[4], 0644, 0);
	check_equal(position(fds[5]), 7, "position after writing");
	check(write(fds[5], " on", 3) == 3, "write: %s", strerror(errno));
	check_stat(fds[5], 0644, 10);
	other = open_again(fds[5], O_RDONLY);
	check_text(other, 0, "written on");
	close(other);

	other = open("data", O_RDONLY);
	need(other >= 0);
	check_text(other, 0, "another");
	check(!fstat(other, &st) && st.st_size == 7, "the other file has changed");
	close(other);
}

/* Far apart: what is in between takes up neither image nor disk. */
static void setup_sparse(void)
{
	fds[0] = make("data", O_RDWR);
	put(fds[0], 10 * PAGE_SIZE, 1, PAGE_SIZE);
	put(fds[0], 1LL << 30, 2, PAGE_SIZE);
	put(fds[0], FAR, 3, PAGE_SIZE);
	put(fds[0], FAR + PAGE_SIZE, 4, PAGE_SIZE);
	need(pwrite(fds[0], "middle", 6, FAR + 100000) == 6);
	need(!ftruncate(fds[0], 2 * FAR + 1));
	need(lseek(fds[0], FAR, SEEK_SET) == FAR);
	need(!unlink("data"));
	control->image_max = 4 << 20;
}

static void verify_sparse(void)
{
	struct stat st;

	check_stat(fds[0], 0644, 2 * FAR + 1);
	check_equal(position(fds[0]), FAR, "position");
	check_at(fds[0], 10 * PAGE_SIZE, 1, "page");
	check_at(fds[0], 1LL << 30, 2, "far page");
	check_at(fds[0], FAR, 3, "farther page");
	check_at(fds[0], FAR + PAGE_SIZE, 4, "its neighbour");
	check_text(fds[0], FAR + 100000, "middle");
	check_equal(lseek(fds[0], 0, SEEK_DATA), 10 * PAGE_SIZE, "first data");
	check_equal(lseek(fds[0], 10 * PAGE_SIZE, SEEK_HOLE), 11 * PAGE_SIZE, "first hole");
	check_equal(lseek(fds[0], 11 * PAGE_SIZE, SEEK_DATA), 1LL << 30, "second data");
	need(!fstat(fds[0], &st));
	check(st.st_blocks < 2048, "it takes up %lld blocks", (long long)st.st_blocks);
}

/* mov $42, %eax; ret */
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

/* What mappings and descriptors share must be shared again. */
static void setup_mapped(void)
{
	int fd = make("data", O_RDWR);

	put(fd, 0, 1, PAGE_SIZE);
	put(fd, PAGE_SIZE, 2, PAGE_SIZE);
	put(fd, 2 * PAGE_SIZE, 3, 8);
	fds[0] = fd;
	maps[0] = map(fd, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	maps[1] = map(fd, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pattern_fill(maps[1] + PAGE_SIZE, PAGE_SIZE, 4);
	need(!unlink("data"));
	/* Modified after that, and never written back. */
	pattern_fill(maps[0], PAGE_SIZE, 5);

	fd = make("closed", O_RDWR);
	put(fd, PAGE_SIZE, 6, PAGE_SIZE);
	maps[2] = map(fd, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	maps[3] = map(fd, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED);
	close(fd);
	need(!unlink("closed"));

	/* As a library that was upgraded, which nobody may write. */
	fd = make("library", O_WRONLY);
	need(write(fd, code, sizeof(code)) == sizeof(code));
	need(!fchmod(fd, 0555));
	close(fd);
	fd = open("library", O_RDONLY);
	need(fd >= 0);
	maps[4] = map(fd, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	close(fd);
	close(make("new", O_WRONLY));
	need(!rename("new", "library"));
}

static void verify_mapped(void)
{
	int (*function)(void);

	pattern_check(maps[0], PAGE_SIZE, 5, "page modified in memory");
	check_at(fds[0], 0, 5, "the same in the file");
	pattern_check(maps[0] + PAGE_SIZE, PAGE_SIZE, 2, "page below a private one");
	pattern_check(maps[0] + 2 * PAGE_SIZE, 8, 3, "the end");
	pattern_check(maps[1] + PAGE_SIZE, PAGE_SIZE, 4, "changed private page");
	put(fds[0], PAGE_SIZE, 7, PAGE_SIZE);
	pattern_check(maps[0] + PAGE_SIZE, PAGE_SIZE, 7, "page after a write");
	pattern_check(maps[1] + PAGE_SIZE, PAGE_SIZE, 4, "changed private page after a write");
	pattern_fill(maps[0], PAGE_SIZE, 8);
	check_at(fds[0], 0, 8, "what the mapping wrote");
	pattern_check(maps[1], PAGE_SIZE, 8, "unchanged private page");

	pattern_check(maps[3] + PAGE_SIZE, PAGE_SIZE, 6, "page of a closed file");
	pattern_fill(maps[2], PAGE_SIZE, 9);
	pattern_check(maps[3], PAGE_SIZE, 9, "page written to a closed file");

	memcpy(&function, &maps[4], sizeof(function));
	check_equal(function(), 42, "what the code returns");
}

/* O_TMPFILE: can have a name later, unless O_EXCL says that it cannot. */
static void setup_nameless(void)
{
	fds[0] = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fds[0] < 0)
		subject_skip("no O_TMPFILE: %s", strerror(errno));
	need(write(fds[0], "linkable", 8) == 8);
	fds[1] = open(".", O_TMPFILE | O_EXCL | O_WRONLY, 0604);
	need(fds[1] >= 0);
	need(write(fds[1], "not so", 6) == 6);
	/* Had a name and lost it: no way back either. */
	fds[2] = make("data", O_RDWR);
	need(!unlink("data"));
	/* The directory goes as well. */
	need(!mkdir("dir", 0755) && !mkdir("dir/dir", 0755));
	fds[3] = make("dir/dir/data", O_RDWR);
	need(write(fds[3], "homeless", 8) == 8);
	need(!unlink("dir/dir/data") && !rmdir("dir/dir") && !rmdir("dir"));
}

static int give_name(int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static void verify_nameless(void)
{
	int fd;

	check_stat(fds[0], 0600, 8);
	check_stat(fds[1], 0604, 6);
	check_stat(fds[2], 0644, 0);
	check_stat(fds[3], 0644, 8);
	check_text(fds[3], 0, "homeless");
	check(give_name(fds[1], "excl") == -1 && errno == ENOENT, "O_EXCL was linked");
	check(give_name(fds[2], "unlinked") == -1 && errno == ENOENT, "unlinked was linked");
	check(!give_name(fds[0], "made"), "link: %s", strerror(errno));
	check(write(fds[0], " now", 4) == 4, "write: %s", strerror(errno));
	fd = open("made", O_RDONLY);
	check(fd >= 0, "it has no name: %s", strerror(errno));
	check_text(fd, 0, "linkable now");
	close(fd);
}

static const struct subject_mode modes[] = {
	{ "opens", setup_opens, verify_opens },
	{ "sparse", setup_sparse, verify_sparse },
	{ "mapped", setup_mapped, verify_mapped },
	{ "nameless", setup_nameless, verify_nameless },
	{ }
};

static void setup(void)
{
	/* A directory that the test can do something to. */
	need(!chdir("aside") || errno == ENOENT);
}

const struct subject subject = { .setup = setup, .modes = modes };
