// SPDX-License-Identifier: GPL-2.0
/*
 * A process that saves itself and goes on, from there or from its image, as
 * after fork(): the call returns twice.
 */
#include "harness.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "tiny.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

/* What happens in the process that saves itself; it must not return. */
FIXTURE(self)
{
	/* In memory that all lives of the process share. */
	struct shared {
		u32 lives;
		u32 told;
		s64 id;
		s64 other_id;
	} *shared;
	char image[64];
	char other[64];
};

FIXTURE_SETUP(self)
{
	int fd;

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(self->image, sizeof(self->image), "self.image");
	snprintf(self->other, sizeof(self->other), "other.image");
	unlink(self->image);
	unlink(self->other);
	/* A file: private memory would be that of each life. */
	fd = open("shared", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ftruncate(fd, 4096));
	self->shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	close(fd);
}

FIXTURE_TEARDOWN(self)
{
	EXPECT_FALSE(leaves_children());
	unlink(self->image);
	unlink(self->other);
	unlink("shared");
}

/* Descriptors that can be saved, and nothing else. */
static void be_saveable(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	syscall(SYS_close_range, 3, ~0U, 0);
}

static long save_self(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	long ret = sys_checkpoint(0, fd, CHECKPOINT_SUBTREE, NONE);

	/* In both lives: in the second one it is the restored descriptor. */
	close(fd);
	return ret;
}

/* Saves itself; then each life says who it is by its exit status. */
static pid_t start_saver(struct shared *shared, const char *image)
{
	pid_t pid = fork();
	int before = 17;
	long ret;

	if (pid)
		return pid;
	be_saveable();
	ret = save_self(image);
	if (ret < 0)
		_exit(2);
	__atomic_add_fetch(&shared->lives, 1, __ATOMIC_SEQ_CST);
	if (ret > 0) {
		shared->id = ret;
		before = 18;
		_exit(before == 18 ? 10 : 3);
	}
	/* What happened after the call never happened here. */
	_exit(before == 17 ? 20 : 4);
}

TEST_F_TIMEOUT(self, returns_twice, LIMIT)
{
	pid_t pid = start_saver(self->shared, self->image), again;
	int round;

	ASSERT_TRUE(reap(pid, 10 << 8, "first life"));
	EXPECT_GT(self->shared->id, 0);
	EXPECT_EQ(1, self->shared->lives);
	for (round = 0; round < 5; round++) {
		again = restart_from(self->image, round & 1 ? pid : 0, "log");
		ASSERT_GT(again, 0) {
			show_file("log");
		}
		ASSERT_TRUE(reap(again, 20 << 8, "second life"));
		EXPECT_EQ(2 + round, self->shared->lives);
	}
}

/* Into another process of the same program. */
TEST_F_TIMEOUT(self, becomes_itself, LIMIT)
{
	pid_t pid = start_saver(self->shared, self->image), again;

	ASSERT_TRUE(reap(pid, 10 << 8, "first life"));
	again = fork();
	if (!again) {
		int fd = open(self->image, O_RDONLY | O_CLOEXEC);

		sys_restart(0, fd, RESTART_TASKSELF, STDOUT_FILENO);
		_exit(5);
	}
	EXPECT_TRUE(reap(again, 20 << 8, "second life"));
	EXPECT_EQ(2, self->shared->lives);
}

/* Back to the moment before: a process that undoes what it did. */
TEST_F_TIMEOUT(self, goes_back, LIMIT)
{
	pid_t pid = fork();

	if (!pid) {
		/* Not in a register, and not shared. */
		volatile int *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		long ret;
		int fd;

		be_saveable();
		ret = save_self(self->image);
		__atomic_add_fetch(&self->shared->lives, 1, __ATOMIC_SEQ_CST);
		if (ret < 0)
			_exit(2);
		if (!ret)
			_exit(*done ? 3 : 20);
		*done = 1;
		fd = open(self->image, O_RDONLY);
		sys_restart(0, fd, RESTART_TASKSELF, NONE);
		_exit(4);
	}
	EXPECT_TRUE(reap(pid, 20 << 8, "process that went back"));
	EXPECT_EQ(2, self->shared->lives);
}

/* An image of an image: each life saves itself again. */
TEST_F_TIMEOUT(self, generations, LIMIT)
{
	int generation;
	pid_t pid = fork();

	if (!pid) {
		int age = 0;
		long ret;

		be_saveable();
		do {
			ret = save_self(age & 1 ? self->other : self->image);
			if (ret < 0)
				_exit(2);
			if (!ret)
				age++;
		} while (!ret && age < 6);
		/* This life ends here; the next one is in the image. */
		_exit(100 + age);
	}
	ASSERT_TRUE(reap(pid, 100 << 8, "generation 0"));
	for (generation = 1; generation <= 6; generation++) {
		pid = restart_from(generation & 1 ? self->image : self->other, 0, "log");
		ASSERT_GT(pid, 0);
		ASSERT_TRUE(reap(pid, (100 + generation) << 8, "next generation"));
	}
}

/* Two images of the same process have ids that grow. */
TEST_F_TIMEOUT(self, ids, LIMIT)
{
	pid_t pid = fork();

	if (!pid) {
		be_saveable();
		self->shared->id = save_self(self->image);
		self->shared->other_id = save_self(self->other);
		_exit(0);
	}
	ASSERT_TRUE(reap(pid, 0, "process"));
	EXPECT_GT(self->shared->id, 0);
	EXPECT_GT(self->shared->other_id, self->shared->id);
}

/* The restart tool takes such an image, and tells the status. */
TEST_F_TIMEOUT(self, with_tool, LIMIT)
{
	const char *argv[] = {
		tool_path("restart"), "--copy-status", "-i", NULL, NULL
	};
	char path[PATH_MAX];
	pid_t pid = start_saver(self->shared, self->image);

	ASSERT_TRUE(reap(pid, 10 << 8, "first life"));
	if (!argv[0])
		SKIP(return, "restart(1) was not built");
	ASSERT_NE(NULL, realpath(self->image, path));
	argv[3] = path;
	EXPECT_TRUE(reap(spawn(argv, "output"), 20 << 8, "restart(1)")) {
		show_file("output");
	}
	EXPECT_EQ(2, self->shared->lives);
	argv[1] = "--self";
	EXPECT_TRUE(reap(spawn(argv, "output"), 20 << 8, "restart(1)")) {
		show_file("output");
	}
	EXPECT_EQ(3, self->shared->lives);
}

/* It works without a C library. */
TEST_F_TIMEOUT(self, tiny, LIMIT)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		execl(helper_path("subjects/tiny"), "tiny", "self", self->image, NULL);
		_exit(1);
	}
	ASSERT_TRUE(reap(pid, TINY_SAVED << 8, "tiny"));
	pid = restart_from(self->image, 0, "log");
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(reap(pid, TINY_GOOD << 8, "tiny, restarted"));
}

TEST_HARNESS_MAIN
