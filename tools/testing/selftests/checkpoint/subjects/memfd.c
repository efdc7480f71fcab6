// SPDX-License-Identifier: GPL-2.0
/* Memory from memfd_create(): contents, names, seals, opens and mappings. */
#include "subject.h"

#include <sys/mman.h>
#include <sys/stat.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x8U
#define MFD_EXEC	0x10U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x10
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x20
#endif

#define MTIME		1500000000
#define HOLE		(5UL << 30)

static int fds[16];
static char *maps[8];

static int make(const char *name, unsigned int flags)
{
	int fd = syscall(SYS_memfd_create, name, flags);

	need(fd >= 0);
	return fd;
}

static int reopen(int fd, int flags)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	need(again >= 0);
	return again;
}

static void put(int fd, off_t offset, u64 seed)
{
	u64 page[PAGE_SIZE / 8];

	pattern_fill(page, PAGE_SIZE, seed);
	need(pwrite(fd, page, PAGE_SIZE, offset) == PAGE_SIZE);
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

static char *map(int fd, size_t bytes, int prot, int flags)
{
	char *at = mmap(NULL, bytes, prot, flags, fd, 0);

	need(at != MAP_FAILED);
	return at;
}

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

/* Contents, positions and attributes, through several opens. */
static void setup_contents(void)
{
	struct timespec times[2] = { { MTIME, 1 }, { MTIME, 123456789 } };

	fds[0] = make("several words", MFD_CLOEXEC);
	put(fds[0], 0, 1);
	put(fds[0], 3 * PAGE_SIZE, 2);
	need(!ftruncate(fds[0], 7 * PAGE_SIZE + 123));
	need(pwrite(fds[0], "end", 3, 7 * PAGE_SIZE + 120) == 3);
	need(!fchmod(fds[0], 0640));
	need(lseek(fds[0], 3 * PAGE_SIZE, SEEK_SET) > 0);
	fds[1] = dup(fds[0]);
	fds[2] = reopen(fds[0], O_RDONLY);
	need(lseek(fds[2], 17, SEEK_SET) == 17);
	fds[3] = reopen(fds[0], O_WRONLY | O_APPEND);
	/* Nothing at all; a name that is in use; hardly anything of much. */
	fds[4] = make("", 0);
	fds[5] = make("several words", 0);
	need(!ftruncate(fds[5], HOLE));
	put(fds[5], HOLE - PAGE_SIZE, 5);
	fds[6] = make("reserved", 0);
	need(!ftruncate(fds[6], PAGE_SIZE));
	need(!fallocate(fds[6], FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE_SIZE));
	need(!fcntl(fds[6], F_SETFL, O_APPEND | O_NONBLOCK));
	need(!futimens(fds[0], times));
	control->image_max = 4 << 20;
}

static void verify_attributes(void)
{
	struct stat st;

	check(!fstat(fds[0], &st), "fstat: %s", strerror(errno));
	check_equal(st.st_mode, S_IFREG | 0640, "mode");
	check_equal(st.st_uid, geteuid(), "owner");
	check_equal(st.st_gid, getegid(), "group");
	check_equal(st.st_nlink, 0, "links");
	check_equal(st.st_size, 7 * PAGE_SIZE + 123, "size");
	check_equal(st.st_mtim.tv_sec, MTIME, "time of modification");
	check_equal(st.st_mtim.tv_nsec, 123456789, "its nanoseconds");
}

static void verify_contents(void)
{
	char bytes[8] = "", zero[PAGE_SIZE];

	verify_attributes();
	check_at(fds[0], 0, 1, "first page");
	check_at(fds[0], 3 * PAGE_SIZE, 2, "page after a hole");
	check(pread(fds[0], zero, PAGE_SIZE, PAGE_SIZE) == PAGE_SIZE && !zero[0] &&
	      !memcmp(zero, zero + 1, PAGE_SIZE - 1), "the hole is not empty");
	check(pread(fds[0], bytes, 8, 7 * PAGE_SIZE + 120) == 3 && !memcmp(bytes, "end", 3),
	      "the end");
	check_equal(lseek(fds[1], 8, SEEK_CUR), 3 * PAGE_SIZE + 8, "shared position");
	check_equal(lseek(fds[0], 0, SEEK_CUR), 3 * PAGE_SIZE + 8, "shared position");
	check_equal(lseek(fds[2], 0, SEEK_CUR), 17, "position of another open");
	check(write(fds[2], "x", 1) == -1 && errno == EBADF, "read-only open writes");
	check(read(fds[3], bytes, 1) == -1 && errno == EBADF, "write-only open reads");
	check(write(fds[3], "more", 4) == 4, "append: %s", strerror(errno));
	check_equal(size_of(fds[0]), 7 * PAGE_SIZE + 127, "size after appending");
	check(pread(fds[2], bytes, 4, 7 * PAGE_SIZE + 123) == 4 && !memcmp(bytes, "more", 4),
	      "what was appended");
	check_equal(size_of(fds[4]), 0, "size of an empty one");
	check_equal(size_of(fds[5]), HOLE, "size of a large one");
	check_at(fds[5], HOLE - PAGE_SIZE, 5, "last page of a large one");
	check_equal(lseek(fds[5], 0, SEEK_DATA), HOLE - PAGE_SIZE, "where its data is");
	check_equal(size_of(fds[6]), PAGE_SIZE, "size of what has memory reserved");
	check_equal(fcntl(fds[6], F_GETFL), O_RDWR | O_APPEND | O_NONBLOCK | 0100000, "flags");
	check_equal(fcntl(fds[0], F_GET_SEALS), F_SEAL_SEAL, "seals");
}

static const struct {
	unsigned int flags;
	int seals;
} sealed[] = {
	{ 0, 0 },
	{ MFD_ALLOW_SEALING, 0 },
	{ MFD_ALLOW_SEALING, F_SEAL_SHRINK },
	{ MFD_ALLOW_SEALING, F_SEAL_GROW },
	{ MFD_ALLOW_SEALING, F_SEAL_WRITE },
	{ MFD_ALLOW_SEALING, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL },
	{ MFD_ALLOW_SEALING, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL },
	{ MFD_NOEXEC_SEAL, 0 },
	{ MFD_EXEC | MFD_ALLOW_SEALING, F_SEAL_EXEC },
};

static int seals[ARRAY_SIZE(sealed)];

static void setup_seals(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(sealed); index++) {
		int fd = make("sealed", sealed[index].flags);

		put(fd, 0, 100 + index);
		need(!sealed[index].seals || !fcntl(fd, F_ADD_SEALS, sealed[index].seals));
		seals[index] = fcntl(fd, F_GET_SEALS);
		fds[index] = fd;
	}
}

static void verify_seals(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(sealed); index++) {
		int fd = fds[index], mine = seals[index];
		bool writes, grows, shrinks, chmods;
		struct stat st;

		check_equal(fcntl(fd, F_GET_SEALS), mine, "seals");
		check_at(fd, 0, 100 + index, "contents");
		need(!fstat(fd, &st));
		check_equal(st.st_mode & 0111, sealed[index].flags & MFD_NOEXEC_SEAL ? 0 : 0111,
			    "execute permission");
		writes = pwrite(fd, "x", 1, 0) == 1;
		check(writes || errno == EPERM, "write: %s", strerror(errno));
		check_equal(writes, !(mine & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)), "can write");
		grows = !ftruncate(fd, 2 * PAGE_SIZE);
		check_equal(grows, !(mine & F_SEAL_GROW), "can grow");
		shrinks = !ftruncate(fd, PAGE_SIZE / 2);
		check_equal(shrinks, !(mine & F_SEAL_SHRINK), "can shrink");
		chmods = !fchmod(fd, st.st_mode ^ 0111);
		check_equal(chmods, !(mine & F_SEAL_EXEC), "can change execute permission");
		check_equal(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), !(mine & F_SEAL_SEAL),
			    "can be sealed");
	}
}

/* One mapping may write still, one may learn to, and one came too late. */
static void setup_seal_later(void)
{
	fds[0] = make("sealed later", MFD_ALLOW_SEALING);
	put(fds[0], 0, 1);
	fds[1] = reopen(fds[0], O_RDONLY);
	maps[0] = map(fds[0], PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	maps[1] = map(fds[0], PAGE_SIZE, PROT_READ, MAP_SHARED);
	need(!fcntl(fds[0], F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	maps[2] = map(fds[0], PAGE_SIZE, PROT_READ, MAP_SHARED);
	maps[3] = map(fds[0], PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	maps[4] = map(fds[1], PAGE_SIZE, PROT_READ, MAP_SHARED);
}

static void verify_seal_later(void)
{
	int index;

	check_equal(fcntl(fds[0], F_GET_SEALS), F_SEAL_FUTURE_WRITE, "seals");
	check(pwrite(fds[0], "x", 1, 0) == -1 && errno == EPERM, "it can be written");
	check(mmap(NULL, PAGE_SIZE, PROT_WRITE, MAP_SHARED, fds[0], 0) == MAP_FAILED,
	      "it can be mapped for writing");
	for (index = 0; index < 5; index++)
		pattern_check(maps[index], PAGE_SIZE, 1, "what was there before the seal");
	pattern_fill(maps[0], PAGE_SIZE, 2);
	for (index = 1; index < 5; index++)
		pattern_check(maps[index], PAGE_SIZE, 2, "what a mapping wrote");
	check(!mprotect(maps[1], PAGE_SIZE, PROT_READ | PROT_WRITE),
	      "an older mapping cannot be made writable: %s", strerror(errno));
	check(mprotect(maps[2], PAGE_SIZE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
	      "a younger mapping can be made writable");
	check(mprotect(maps[4], PAGE_SIZE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
	      "a mapping of a read-only open can be made writable");
	pattern_fill(maps[3], PAGE_SIZE, 3);
	check_at(fds[0], 0, 2, "the file below a private mapping");
}

/* mov $42, %eax; ret */
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

/* What is shared between descriptors and mappings, and what is not. */
static void setup_mapped(void)
{
	fds[0] = make("mapped", 0);
	put(fds[0], 0, 1);
	put(fds[0], PAGE_SIZE, 2);
	need(!ftruncate(fds[0], 2 * PAGE_SIZE + 10));
	maps[0] = map(fds[0], 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	maps[1] = map(fds[0], 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pattern_fill(maps[1] + PAGE_SIZE, PAGE_SIZE, 3);
	/* Closed: two mappings are all that is left of it. */
	fds[1] = make("closed", 0);
	put(fds[1], PAGE_SIZE, 4);
	maps[2] = map(fds[1], 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	maps[3] = map(fds[1], 2 * PAGE_SIZE, PROT_READ, MAP_SHARED);
	need(!close(fds[1]));
	fds[2] = make("code", MFD_EXEC);
	need(write(fds[2], code, sizeof(code)) == sizeof(code));
	maps[4] = map(fds[2], PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE);
}

static void verify_mapped(void)
{
	int (*function)(void);
	char *mapping;

	pattern_check(maps[0], PAGE_SIZE, 1, "shared page");
	pattern_check(maps[0] + PAGE_SIZE, PAGE_SIZE, 2, "shared page below a private one");
	pattern_check(maps[1], PAGE_SIZE, 1, "private page");
	pattern_check(maps[1] + PAGE_SIZE, PAGE_SIZE, 3, "changed private page");
	put(fds[0], 0, 10);
	pattern_check(maps[0], PAGE_SIZE, 10, "page after a write");
	pattern_check(maps[1], PAGE_SIZE, 10, "unchanged private page after a write");
	pattern_fill(maps[0] + PAGE_SIZE, PAGE_SIZE, 11);
	check_at(fds[0], PAGE_SIZE, 11, "what the mapping wrote");
	pattern_check(maps[1] + PAGE_SIZE, PAGE_SIZE, 3, "changed private page at the end");
	need(!ftruncate(fds[0], 3 * PAGE_SIZE));
	pattern_fill(maps[0] + 2 * PAGE_SIZE, PAGE_SIZE, 12);
	check_at(fds[0], 2 * PAGE_SIZE, 12, "what the mapping wrote to the new end");

	pattern_check(maps[3] + PAGE_SIZE, PAGE_SIZE, 4, "page of a closed one");
	pattern_fill(maps[2], PAGE_SIZE, 13);
	pattern_check(maps[3], PAGE_SIZE, 13, "page written to a closed one");

	memcpy(&function, &maps[4], sizeof(function));
	check_equal(function(), 42, "what the code returns");
	mapping = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fds[2], 0);
	check(mapping != MAP_FAILED, "it cannot be mapped for execution");
	/* Nor is it a file that somebody writes to, until it is opened again. */
	check(syscall(SYS_execveat, fds[2], "", NULL, NULL, AT_EMPTY_PATH) == -1 &&
	      errno == ENOEXEC, "it cannot be executed: %s", strerror(errno));
}

static const struct subject_mode modes[] = {
	{ "contents", setup_contents, verify_contents },
	{ "seals", setup_seals, verify_seals },
	{ "seal-later", setup_seal_later, verify_seal_later },
	{ "mapped", setup_mapped, verify_mapped },
	{ }
};

const struct subject subject = { .modes = modes };
