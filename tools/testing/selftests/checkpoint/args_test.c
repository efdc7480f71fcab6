// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments of checkpoint() and restart(): every errno that they can cause.
 *
 * Built for 64-bit and for 32-bit callers. The process that is saved is a
 * 64-bit one in both: what is checked here are the calls.
 */
#include "harness.h"

#include <linux/checkpoint_image.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#ifdef __i386__
/* A 32-bit task does not become a 64-bit one. */
#define WIDTH_ERROR	(-EOPNOTSUPP)

/* Nothing of the C library's in between: the kernel's 32-bit entry. */
static long call4(long nr, long a, long b, long c, long d)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d)
		     : "memory");
	return ret;
}
#else
#define WIDTH_ERROR	0

static long call4(long nr, long a, long b, long c, long d)
{
	long ret = syscall(nr, a, b, c, d);

	return ret < 0 ? -errno : ret;
}
#endif

static long do_checkpoint(pid_t pid, int fd, unsigned long flags, int logfd)
{
	return call4(__NR_checkpoint, pid, fd, flags, logfd);
}

static long do_restart(pid_t pid, int fd, unsigned long flags, int logfd)
{
	return call4(__NR_restart, pid, fd, flags, logfd);
}

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
/* A number that no descriptor here has. */
#define CLOSED	555

FIXTURE(call)
{
	pid_t pid;
	int image;
	int read_only;
	int write_only;
	int log;
};

FIXTURE_SETUP(call)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	signal(SIGPIPE, SIG_IGN);
	self->image = memfd_create("image", 0);
	self->log = memfd_create("log", 0);
	self->read_only = open("/dev/null", O_RDONLY);
	self->write_only = open("/dev/null", O_WRONLY);
	ASSERT_GE(self->image, 0);
	ASSERT_GE(self->log, 0);
	ASSERT_GE(self->read_only, 0);
	ASSERT_GE(self->write_only, 0);
	self->pid = start_tiny("pause", 0);
	ASSERT_GT(self->pid, 0);
}

FIXTURE_TEARDOWN(call)
{
	if (self->pid > 0) {
		/* Whatever was tried, the target is not harmed. */
		EXPECT_EQ(0, kill(self->pid, 0));
		EXPECT_TRUE(wait_blocked(self->pid, NR64_PAUSE));
		kill_and_reap(self->pid);
	}
}

TEST_F_TIMEOUT(call, checkpoint_succeeds, LIMIT)
{
	long first = do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, self->log);
	long second;

	ASSERT_GT(first, 0);
	EXPECT_EQ(0, lseek(self->log, 0, SEEK_END));
	ASSERT_EQ(0, ftruncate(self->image, 0));
	second = do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, NONE);
	EXPECT_GT(second, first);
}

TEST_F_TIMEOUT(call, checkpoint_unknown_flags, LIMIT)
{
	int bit;

	for (bit = 3; bit < 8 * (int)sizeof(long); bit++) {
		EXPECT_EQ(-EINVAL, do_checkpoint(self->pid, self->image,
						 CHECKPOINT_SUBTREE | 1UL << bit, NONE)) {
			TH_LOG("bit %d", bit);
		}
	}
	EXPECT_EQ(-EINVAL, do_checkpoint(self->pid, self->image, ~0UL, NONE));
	EXPECT_EQ(0, lseek(self->image, 0, SEEK_END));
}

TEST_F_TIMEOUT(call, checkpoint_netns_not_yet, LIMIT)
{
	EXPECT_EQ(-EOPNOTSUPP, do_checkpoint(self->pid, self->image,
					     CHECKPOINT_SUBTREE | CHECKPOINT_NETNS, NONE));
}

TEST_F_TIMEOUT(call, checkpoint_pid, LIMIT)
{
	pid_t gone = fork();

	if (!gone)
		_exit(0);
	EXPECT_EQ(-EINVAL, do_checkpoint(-1, self->image, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(-EINVAL, do_checkpoint(INT_MIN, self->image, CHECKPOINT_SUBTREE, NONE));
	/* First it has ended, then it is forgotten. */
	ASSERT_EQ(0, waitid(P_PID, gone, NULL, WEXITED | WNOWAIT));
	EXPECT_EQ(-ESRCH, do_checkpoint(gone, self->image, CHECKPOINT_SUBTREE, NONE));
	ASSERT_EQ(gone, waitpid(gone, NULL, 0));
	EXPECT_EQ(-ESRCH, do_checkpoint(gone, self->image, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(-ESRCH, do_checkpoint(INT_MAX, self->image, CHECKPOINT_SUBTREE, NONE));
}

TEST_F_TIMEOUT(call, checkpoint_without_subtree, LIMIT)
{
	EXPECT_EQ(-EINVAL, do_checkpoint(self->pid, self->image, 0, NONE));
}

static int in_namespace(void *unused)
{
	(void)unused;
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	while (pause())
		;
	return 0;
}

/* The init of a pid namespace needs no flag. */
TEST_F_TIMEOUT(call, checkpoint_namespace_init, LIMIT)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid;

	if (sizeof(long) == 4)
		SKIP(return, "a clone of this process is a 32-bit one");
	pid = clone(in_namespace, stack + sizeof(stack), CLONE_NEWPID | SIGCHLD, NULL);
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_GT(do_checkpoint(pid, self->image, 0, self->log), 0);
	EXPECT_GT(do_checkpoint(pid, self->image, CHECKPOINT_SUBTREE, self->log), 0);
	kill_and_reap(pid);
}

TEST_F_TIMEOUT(call, checkpoint_kernel_thread, LIMIT)
{
	char name[16] = "";
	int fd = open("/proc/2/comm", O_RDONLY);

	if (fd < 0 || read(fd, name, sizeof(name)) <= 0 || strncmp(name, "kthreadd", 8))
		SKIP(return, "process 2 is no kernel thread here");
	close(fd);
	EXPECT_EQ(-EINVAL, do_checkpoint(2, self->image, CHECKPOINT_SUBTREE, NONE));
}

static void *tell_tid(void *tid)
{
	__atomic_store_n((int *)tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

TEST_F_TIMEOUT(call, checkpoint_thread, LIMIT)
{
	int tid = 0;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, tell_tid, &tid));
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		sched_yield();
	EXPECT_EQ(-EINVAL, do_checkpoint(tid, self->image, CHECKPOINT_SUBTREE, NONE));
}

TEST_F_TIMEOUT(call, checkpoint_fd, LIMIT)
{
	int path = open("/", O_PATH), directory = open("/", O_RDONLY);

	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, -1, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, CLOSED, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, INT_MAX, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, self->read_only, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, path, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, directory, CHECKPOINT_SUBTREE, NONE));
	EXPECT_GT(do_checkpoint(self->pid, self->write_only, CHECKPOINT_SUBTREE, NONE), 0);
}

TEST_F_TIMEOUT(call, checkpoint_logfd, LIMIT)
{
	int path = open("/", O_PATH);

	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, CLOSED));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, -2));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, path));
	EXPECT_EQ(-EBADF, do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE,
					self->read_only));
	EXPECT_EQ(0, lseek(self->image, 0, SEEK_END));
	/* What becomes of the messages does not matter. */
	EXPECT_EQ(-ESRCH, do_checkpoint(INT_MAX, self->image, CHECKPOINT_SUBTREE,
					open("/dev/full", O_WRONLY)));
}

TEST_F_TIMEOUT(call, checkpoint_closed_pipe, LIMIT)
{
	int pipe_fds[2];

	ASSERT_EQ(0, pipe(pipe_fds));
	close(pipe_fds[0]);
	EXPECT_EQ(-EPIPE, do_checkpoint(self->pid, pipe_fds[1], CHECKPOINT_SUBTREE, NONE));
}

/* The reason is in the log, and in the image where a restart finds it. */
TEST_F_TIMEOUT(call, failure_is_recorded, LIMIT)
{
	char text[2048] = "";
	long ret;

	ret = do_checkpoint(INT_MAX, self->image, CHECKPOINT_SUBTREE, self->log);
	EXPECT_EQ(-ESRCH, ret);
	ASSERT_GT(pread(self->log, text, sizeof(text) - 1, 0), 0);
	EXPECT_NE(NULL, strstr(text, "2147483647"));
	EXPECT_NE(NULL, strstr(text, "[err -3]"));
	EXPECT_GT(lseek(self->image, 0, SEEK_END), 0);
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	ASSERT_EQ(0, ftruncate(self->log, 0));
	ASSERT_EQ(0, lseek(self->log, 0, SEEK_SET));
	EXPECT_EQ(-EIO, do_restart(self->pid, self->image, 0, self->log));
	memset(text, 0, sizeof(text));
	ASSERT_GT(pread(self->log, text, sizeof(text) - 1, 0), 0);
	EXPECT_NE(NULL, strstr(text, "2147483647"));
}

TEST_F_TIMEOUT(call, restart_unknown_flags, LIMIT)
{
	int bit;

	for (bit = 5; bit < 8 * (int)sizeof(long); bit++) {
		EXPECT_EQ(-EINVAL, do_restart(self->pid, self->image, 1UL << bit, NONE)) {
			TH_LOG("bit %d", bit);
		}
	}
	EXPECT_EQ(-EINVAL, do_restart(self->pid, self->image, ~0UL, NONE));
}

TEST_F_TIMEOUT(call, restart_contradictions, LIMIT)
{
	EXPECT_EQ(-EINVAL, do_restart(self->pid, self->image, RESTART_TASKSELF, NONE));
	EXPECT_EQ(-EINVAL, do_restart(self->pid, self->image, RESTART_GHOST, NONE));
	/* Of the coordinator alone. */
	EXPECT_EQ(-EINVAL, do_restart(0, self->image, RESTART_TASKSELF | RESTART_FROZEN, NONE));
	EXPECT_EQ(-EINVAL, do_restart(0, 0, RESTART_FROZEN, NONE));
	EXPECT_EQ(-EINVAL, do_restart(-1, self->image, 0, NONE));
	EXPECT_EQ(-EINVAL, do_restart(INT_MIN, self->image, 0, NONE));
	/* A task that waits says its place in the image. */
	EXPECT_EQ(-EINVAL, do_restart(0, -1, 0, NONE));
}

TEST_F_TIMEOUT(call, restart_flags_not_yet, LIMIT)
{
	static const unsigned long later[] = {
		RESTART_KEEP_LSM, RESTART_CONN_RESET,
	};
	size_t index;

	for (index = 0; index < 2; index++)
		EXPECT_EQ(-EOPNOTSUPP, do_restart(self->pid, self->image, later[index], NONE));
	EXPECT_EQ(-EOPNOTSUPP, do_restart(0, 0, RESTART_GHOST, NONE));
}

TEST_F_TIMEOUT(call, restart_fd, LIMIT)
{
	int path = open("/", O_PATH);

	EXPECT_EQ(-EBADF, do_restart(self->pid, -1, 0, NONE));
	EXPECT_EQ(-EBADF, do_restart(self->pid, CLOSED, 0, NONE));
	EXPECT_EQ(-EBADF, do_restart(self->pid, path, 0, NONE));
	EXPECT_EQ(-EBADF, do_restart(self->pid, self->write_only, 0, NONE));
	EXPECT_EQ(-EBADF, do_restart(0, CLOSED, RESTART_TASKSELF, NONE));
	EXPECT_EQ(-EBADF, do_restart(0, self->write_only, RESTART_TASKSELF, NONE));
	EXPECT_EQ(-EBADF, do_restart(self->pid, self->image, 0, CLOSED));
	EXPECT_EQ(-EBADF, do_restart(self->pid, self->image, 0, self->read_only));
	/* A directory can be opened for reading, but has no bytes. */
	EXPECT_EQ(-EINVAL, do_restart(self->pid, open("/", O_RDONLY), 0, NONE));
}

TEST_F_TIMEOUT(call, restart_pid, LIMIT)
{
	pid_t gone = fork();

	if (!gone)
		_exit(0);
	ASSERT_EQ(gone, waitpid(gone, NULL, 0));
	EXPECT_EQ(-ESRCH, do_restart(gone, self->image, 0, NONE));
	EXPECT_EQ(-ESRCH, do_restart(INT_MAX, self->image, 0, NONE));
	/* Neither the caller itself nor its parent is a child. */
	EXPECT_EQ(-ESRCH, do_restart(getpid(), self->image, 0, NONE));
	EXPECT_EQ(-ESRCH, do_restart(getppid(), self->image, 0, NONE));
}

TEST_F_TIMEOUT(call, restart_no_image, LIMIT)
{
	char garbage[4096];

	EXPECT_EQ(-EPIPE, do_restart(self->pid, self->image, 0, NONE));
	EXPECT_EQ(-EPIPE, do_restart(0, self->image, RESTART_TASKSELF, NONE));
	EXPECT_EQ(-EPIPE, do_restart(0, self->read_only, RESTART_TASKSELF, NONE));
	EXPECT_EQ(-EINVAL, do_restart(self->pid, open("/dev/zero", O_RDONLY), 0, NONE));
	memset(garbage, 0xa5, sizeof(garbage));
	ASSERT_EQ(sizeof(garbage), pwrite(self->image, garbage, sizeof(garbage), 0));
	EXPECT_EQ(-EINVAL, do_restart(self->pid, self->image, 0, NONE));
	EXPECT_EQ(-EINVAL, do_restart(0, self->image, RESTART_TASKSELF, NONE));
}

static void on_signal(int signal)
{
	(void)signal;
}

/* A task that waits to be restored can be interrupted, and is not confused. */
TEST_F_TIMEOUT(call, restart_waiting_interrupted, LIMIT)
{
	int status;
	pid_t child = fork();

	if (!child) {
		struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

		sigaction(SIGUSR1, &action, NULL);
		_exit(-do_restart(0, 0, 0, NONE));
	}
	ASSERT_GT(child, 0);
	ASSERT_TRUE(wait_blocked(child, __NR_restart));
	ASSERT_EQ(0, kill(child, SIGUSR1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EINTR, WEXITSTATUS(status));
}

TEST_F_TIMEOUT(call, restart_waiting_killed, LIMIT)
{
	pid_t child = fork();

	if (!child)
		_exit(-do_restart(0, 0, 0, NONE));
	ASSERT_TRUE(wait_blocked(child, __NR_restart));
	kill_and_reap(child);
}

/* The image has one task: there is no place 1. */
TEST_F_TIMEOUT(call, restart_wrong_index, LIMIT)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(-do_restart(0, 1, 0, NONE));
	ASSERT_GT(do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, NONE), 0);
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	EXPECT_EQ(-EINVAL, do_restart(child, self->image, 0, NONE));
	if (!waitpid(child, &status, WNOHANG)) {
		/* It may go on waiting for another coordinator. */
		kill_and_reap(child);
	} else {
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_NE(0, WEXITSTATUS(status));
	}
}

/* A child that exits instead of waiting, when it is waited for. */
TEST_F_TIMEOUT(call, restart_child_exits, LIMIT)
{
	pid_t child;

	ASSERT_GT(do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, NONE), 0);
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	child = fork();
	if (!child)
		_exit(wait_blocked(getppid(), __NR_restart) ? 3 : 4);
	EXPECT_EQ(-ESRCH, do_restart(child, self->image, 0, NONE));
	kill_and_reap(child);
}

static void *idle_thread(void *unused)
{
	for (;;)
		pause();
	return unused;
}

TEST_F_TIMEOUT(call, restart_child_with_threads, LIMIT)
{
	int status;
	pid_t child;

	ASSERT_GT(do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, NONE), 0);
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	child = fork();
	if (!child) {
		pthread_t thread;

		pthread_create(&thread, NULL, idle_thread, NULL);
		_exit(-do_restart(0, 0, 0, NONE));
	}
	EXPECT_EQ(-EBUSY, do_restart(child, self->image, 0, NONE));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EBUSY, WEXITSTATUS(status));
}

/* Another process could put other files where the restart makes its own. */
TEST_F_TIMEOUT(call, restart_child_shares_descriptors, LIMIT)
{
	pid_t child;

	ASSERT_GT(do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, NONE), 0);
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!child)
		_exit(-do_restart(0, 0, 0, NONE));
	EXPECT_EQ(-EBUSY, do_restart(child, self->image, 0, NONE));
	EXPECT_TRUE(reap(child, EBUSY << 8, "child"));
}

/* Each would bring the next one, as deep as there are any. */
TEST_F_TIMEOUT(call, restart_errors_only, LIMIT)
{
	struct ckpt_hdr_error error = {
		.h = { CKPT_HDR_ERROR, sizeof(error) }, .error = EIO,
	};
	int index;

	for (index = 0; index < 20000; index++)
		ASSERT_EQ(sizeof(error), write(self->image, &error, sizeof(error)));
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	EXPECT_EQ(-EINVAL, do_restart(0, self->image, RESTART_TASKSELF, NONE));
}

/* A failed restart leaves the caller as it was. */
TEST_F_TIMEOUT(call, restart_self_failure, LIMIT)
{
	char before[64], after[64];
	int fd = open("/dev/zero", O_RDONLY);
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, map);
	memcpy(map, "still here", 11);
	ASSERT_GT(do_checkpoint(self->pid, self->image, CHECKPOINT_SUBTREE, NONE), 0);
	/* All but the last bytes are good. */
	ASSERT_EQ(0, ftruncate(self->image, lseek(self->image, 0, SEEK_END) - 8));
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	ASSERT_GT(readlink("/proc/self/exe", before, sizeof(before)), 0);
	EXPECT_EQ(WIDTH_ERROR ?: -EPIPE, do_restart(0, self->image, RESTART_TASKSELF, NONE));
	EXPECT_EQ(0, strcmp(map, "still here"));
	EXPECT_EQ(4, read(fd, map, 4));
	ASSERT_GT(readlink("/proc/self/exe", after, sizeof(after)), 0);
	EXPECT_EQ(0, memcmp(before, after, 8));
}

/* With a good image the caller is the saved process from then on. */
TEST_F_TIMEOUT(call, restart_self, LIMIT)
{
	pid_t child, pid;
	int status;

	pid = start_tiny("nanosleep", 0);
	ASSERT_GT(pid, 0);
	ASSERT_GT(do_checkpoint(pid, self->image, CHECKPOINT_SUBTREE, self->log), 0);
	kill_and_reap(pid);
	child = fork();
	if (!child) {
		lseek(self->image, 0, SEEK_SET);
		_exit(-do_restart(0, self->image, RESTART_TASKSELF, NONE));
	}
	if (WIDTH_ERROR) {
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(-WIDTH_ERROR, WEXITSTATUS(status));
		return;
	}
	EXPECT_TRUE(wait_blocked(child, NR64_RESTART_SYSCALL));
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	kill_and_reap(child);
}

TEST_HARNESS_MAIN
