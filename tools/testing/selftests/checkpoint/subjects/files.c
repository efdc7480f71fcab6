// SPDX-License-Identifier: GPL-2.0
/* Descriptors: files, directories and memory devices, and what shares them. */
#include "subject.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int fds[16];

static void make_file(const char *name, size_t bytes)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t index;

	need(fd >= 0);
	for (index = 0; index < bytes; index++) {
		char byte = pattern_word(1, index);

		need(write(fd, &byte, 1) == 1);
	}
	close(fd);
}

static void check_byte(int fd, off_t position, const char *what)
{
	unsigned char byte = 0;

	check(read(fd, &byte, 1) == 1, "%s: read: %s", what, strerror(errno));
	check_equal(byte, (unsigned char)pattern_word(1, position), what);
}

#define position(fd)	lseek(fd, 0, SEEK_CUR)

/* Positions, access modes and flags of several opens of one file. */
static const int open_flags[] = {
	O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_APPEND, O_RDONLY | O_NONBLOCK,
	O_WRONLY | O_SYNC, O_WRONLY | O_DSYNC, O_RDONLY | O_NOATIME, O_RDWR | O_CLOEXEC,
};

static void setup_flags(void)
{
	size_t index;

	make_file("data", 500);
	for (index = 0; index < ARRAY_SIZE(open_flags); index++) {
		fds[index] = open("data", open_flags[index]);
		need(fds[index] >= 0);
		need(lseek(fds[index], 10 * index + 3, SEEK_SET) >= 0);
		/* Numbers with holes between them. */
		need(dup2(fds[index], 20 + 7 * index) >= 0);
		close(fds[index]);
		fds[index] = 20 + 7 * index;
		if (open_flags[index] & O_CLOEXEC)
			need(!fcntl(fds[index], F_SETFD, FD_CLOEXEC));
	}
	/* Beyond the end; and the flags changed after opening. */
	need(lseek(fds[0], 1000000, SEEK_SET) == 1000000);
	need(!fcntl(fds[2], F_SETFL, O_NONBLOCK | O_NOATIME));
}

static void verify_flags(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(open_flags); index++) {
		int want = (open_flags[index] & ~O_CLOEXEC) | 0100000;
		int got = fcntl(fds[index], F_GETFL);

		if (index == 2)
			want |= O_NONBLOCK | O_NOATIME;
		check(got == want, "flags of %d: %#o, were %#o", fds[index], got, want);
		check_equal(fcntl(fds[index], F_GETFD), open_flags[index] & O_CLOEXEC ? 1 : 0,
			    "close on exec");
		check_equal(position(fds[index]), index ? 10 * index + 3 : 1000000, "position");
	}
	check(read(fds[1], fds, 1) == -1 && errno == EBADF, "write-only descriptor reads");
	check(write(fds[4], "x", 1) == -1 && errno == EBADF, "read-only descriptor writes");
	check_byte(fds[2], 23, "byte");
	check_byte(fds[8], 83, "byte");
	check(write(fds[3], "end", 3) == 3, "write: %s", strerror(errno));
	check_equal(position(fds[3]), 503, "position after appending");
}

/* dup() shares the position, a second open() does not. */
static void setup_sharing(void)
{
	make_file("data", 500);
	fds[0] = open("data", O_RDWR);
	fds[1] = dup(fds[0]);
	fds[2] = fcntl(fds[0], F_DUPFD_CLOEXEC, 90);
	fds[3] = open("data", O_RDWR);
	need(fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0);
	need(lseek(fds[0], 100, SEEK_SET) == 100);
	need(lseek(fds[3], 200, SEEK_SET) == 200);
}

static void verify_sharing(void)
{
	check_byte(fds[0], 100, "byte");
	check_byte(fds[1], 101, "byte through the second descriptor");
	check_byte(fds[2], 102, "byte through the third descriptor");
	check_equal(position(fds[0]), 103, "shared position");
	check_byte(fds[3], 200, "byte of the other open");
	check_equal(position(fds[3]), 201, "position of the other open");
	need(!fcntl(fds[1], F_SETFL, O_APPEND));
	check(fcntl(fds[0], F_GETFL) & O_APPEND, "flags are not shared");
	check(!(fcntl(fds[3], F_GETFL) & O_APPEND), "flags are shared with the other open");
	check_equal(fcntl(fds[0], F_GETFD), 0, "close on exec of the first");
	check_equal(fcntl(fds[2], F_GETFD), FD_CLOEXEC, "close on exec of the third");
	close(fds[0]);
	check_equal(position(fds[1]), 103, "position after one was closed");
}

/* readdir() goes on where it was: each entry once. */
#define NR_ENTRIES	200

static DIR *directory;
static unsigned char seen[NR_ENTRIES];

static void read_entries(int at_most)
{
	struct dirent *entry;

	while (at_most-- && (entry = readdir(directory)))
		if (entry->d_name[0] == 'e')
			seen[atoi(entry->d_name + 1)]++;
}

static void setup_directory(void)
{
	char name[128];
	int index;

	need(!mkdir("dir", 0755));
	for (index = 0; index < NR_ENTRIES; index++) {
		snprintf(name, sizeof(name), "dir/e%d-%060d", index, 0);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	directory = opendir("dir");
	need(directory);
	read_entries(20);
	fds[0] = open("dir", O_RDONLY | O_DIRECTORY);
	need(fds[0] >= 0);
}

static void verify_directory(void)
{
	struct stat st;
	int index;

	read_entries(-1);
	for (index = 0; index < NR_ENTRIES; index++)
		check_equal(seen[index], 1, "times that an entry was read");
	check(!fstat(fds[0], &st) && S_ISDIR(st.st_mode), "not a directory");
	check(!fchdir(fds[0]) && !access("../" CONTROL_FILE, F_OK), "directory: %s",
	      strerror(errno));
	closedir(directory);
}

static const char * const devices[] = { "null", "zero", "full", "random", "urandom" };

static void setup_devices(void)
{
	char path[32];
	size_t index;

	for (index = 0; index < ARRAY_SIZE(devices); index++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[index]);
		fds[index] = open(path, index == 4 ? O_RDONLY | O_CLOEXEC : O_RDWR);
		need(fds[index] >= 0);
	}
}

/* Their nodes were those of a container that is gone. */
static void setup_nodes(void)
{
	char path[32];
	size_t index;

	need(!mkdir("dev", 0755) && !mount("dev", "dev", "tmpfs", 0, NULL));
	for (index = 0; index < ARRAY_SIZE(devices); index++) {
		struct stat st;

		snprintf(path, sizeof(path), "/dev/%s", devices[index]);
		need(!stat(path, &st));
		/* Three are unlinked, two on a mount that nobody finds. */
		snprintf(path, sizeof(path), index < 3 ? "%s" : "dev/%s", devices[index]);
		need(!mknod(path, S_IFCHR | 0600, st.st_rdev));
		fds[index] = open(path, index == 4 ? O_RDONLY | O_CLOEXEC : O_RDWR);
		need(fds[index] >= 0 && (index >= 3 || !unlink(path)));
	}
	need(!umount2("dev", MNT_DETACH));
}

static void verify_devices(void)
{
	static char bytes[64], zero[64];
	struct stat st, want;
	char path[32];
	size_t index;

	for (index = 0; index < ARRAY_SIZE(devices); index++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[index]);
		need(!stat(path, &want));
		need(!fstat(fds[index], &st));
		check_equal(st.st_rdev, want.st_rdev, path);
	}
	check(read(fds[0], bytes, 64) == 0, "null");
	check(write(fds[0], bytes, 64) == 64, "null");
	bytes[5] = 5;
	check(read(fds[1], bytes, 64) == 64 && !memcmp(bytes, zero, 64), "zero");
	check(write(fds[2], bytes, 64) == -1 && errno == ENOSPC, "full");
	check(read(fds[3], bytes, 64) == 64 && memcmp(bytes, zero, 64), "random");
	memset(bytes, 0, sizeof(bytes));
	check(read(fds[4], bytes, 64) == 64 && memcmp(bytes, zero, 64), "urandom");
	check(write(fds[4], bytes, 64) == -1 && errno == EBADF, "urandom is read-only");
}

/* A table larger than it ever was at once; and an empty one but for a few. */
static void setup_many(void)
{
	int fd;

	make_file("data", 500);
	for (fd = 0; fd < 300; fd++) {
		int new = open("data", O_RDONLY);

		need(new >= 0);
		need(lseek(new, new % 500, SEEK_SET) == new % 500);
	}
	for (fd = 10; fd < 300; fd++)
		if (fd % 3)
			close(fd);
	need(dup2(9, 1000) == 1000);
}

static void verify_many(void)
{
	int fd;

	for (fd = 10; fd < 300; fd++) {
		if (fd % 3)
			check(fcntl(fd, F_GETFD) == -1, "descriptor %d is open", fd);
		else
			check_byte(fd, fd, "byte");
	}
	check_byte(1000, 9, "byte of a high descriptor");
	check_byte(9, 10, "byte after that");
	check_equal(dup(0), 10, "lowest free descriptor");
}

static const struct subject_mode modes[] = {
	{ "flags", setup_flags, verify_flags },
	{ "sharing", setup_sharing, verify_sharing },
	{ "directory", setup_directory, verify_directory },
	{ "devices", setup_devices, verify_devices },
	{ "nodes", setup_nodes, verify_devices },
	{ "many", setup_many, verify_many },
	{ }
};

const struct subject subject = { .modes = modes };
