// SPDX-License-Identifier: GPL-2.0
/* Thousands of descriptors, holes between them, positions far away. */
#include "subject.h"

#include <limits.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define NR_FDS		5000
#define FIRST		20
#define LIMIT		(FIRST + NR_FDS + 10)

static int data;

static bool is_closed(int fd)
{
	return fd >= 1000 && fd < 1500;
}

/* Each fifth shares the open file of the one before; each third is cloexec. */
static void setup_thousands(void)
{
	struct rlimit limit = { LIMIT, LIMIT };
	int fd;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		subject_skip("no room for descriptors: %s", strerror(errno));
	data = open("data", O_RDWR | O_CREAT | O_EXCL, 0644);
	need(data >= 0);
	for (fd = FIRST; fd < FIRST + NR_FDS; fd++) {
		int new = fd % 5 || fd == FIRST ? open("data", O_RDONLY) : dup(fd - 1);

		need(new >= 0);
		need(dup3(new, fd, fd % 3 ? 0 : O_CLOEXEC) == fd);
		close(new);
		need(lseek(fd, fd, SEEK_SET) == fd);
	}
	need(!syscall(SYS_close_range, 1000, 1499, 0));
	need(!syscall(SYS_close_range, 2000, 2099, CLOSE_RANGE_CLOEXEC));
}

static void verify_thousands(void)
{
	struct rlimit limit;
	int fd;

	for (fd = FIRST; fd < FIRST + NR_FDS; fd++) {
		bool cloexec = !(fd % 3) || (fd >= 2000 && fd < 2100);
		bool shares = fd % 5 == 4 && fd + 1 < FIRST + NR_FDS;

		if (is_closed(fd)) {
			check(fcntl(fd, F_GETFD) == -1 && errno == EBADF, "%d is open", fd);
			continue;
		}
		check_equal(fcntl(fd, F_GETFD), cloexec ? FD_CLOEXEC : 0, "close on exec");
		check_equal(lseek(fd, 0, SEEK_CUR), shares ? fd + 1 : fd, "position");
	}
	need(lseek(2004, 7, SEEK_SET) == 7);
	check_equal(lseek(2005, 0, SEEK_CUR), 7, "shared position");
	check_equal(dup2(data, 1000), 1000, "a number that was free");
	need(!getrlimit(RLIMIT_NOFILE, &limit));
	check_equal(limit.rlim_cur, LIMIT, "limit");
	check(dup2(data, LIMIT) == -1 && errno == EBADF, "a number beyond the limit");
}

static const off_t far[] = {
	5000, (1LL << 31) - 1, 1LL << 31, 1LL << 32, (1LL << 32) + 1, 1LL << 43, LLONG_MAX,
};

static int fds[ARRAY_SIZE(far)];
static off_t positions[ARRAY_SIZE(far)];
static char *writable;

/* A filesystem may not go as far. */
static void setup_far(void)
{
	size_t index;

	data = open("data", O_RDWR | O_CREAT | O_EXCL, 0644);
	need(data >= 0);
	need(write(data, "data", 4) == 4);
	for (index = 0; index < ARRAY_SIZE(far); index++) {
		fds[index] = open("data", O_RDONLY);
		need(fds[index] >= 0);
		positions[index] = lseek(fds[index], far[index], SEEK_SET);
		need(positions[index] == far[index] || errno == EINVAL);
		if (positions[index] < 0)
			positions[index] = 0;
	}
	/* Mapped to be executed, while it is open for writing. */
	writable = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, data, 0);
	need(writable != MAP_FAILED);
}

static void verify_far(void)
{
	size_t index;
	char byte;

	for (index = 0; index < ARRAY_SIZE(far); index++) {
		check_equal(lseek(fds[index], 0, SEEK_CUR), positions[index], "position");
		check_equal(read(fds[index], &byte, 1) == 1, !positions[index], "can be read");
	}
	check(!memcmp(writable, "data", 4), "mapping");
	check(pwrite(data, "DATA", 4, 0) == 4, "write: %s", strerror(errno));
	check(!memcmp(writable, "DATA", 4), "mapping after a write");
}

static void setup(void)
{
	if (mode_is("thousands"))
		setup_thousands();
	else
		setup_far();
}

static void verify(void)
{
	if (mode_is("thousands"))
		verify_thousands();
	else
		verify_far();
}

/* More of them than /proc can be asked about. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
