// SPDX-License-Identifier: GPL-2.0
/*
 * The target is stopped and let go whatever happens: wherever it is, however
 * the image or the caller ends, and whoever else has stopped it.
 */
#include "harness.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "kselftest_harness.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define CGROUP	"/sys/fs/cgroup/ckpt-quiesce"

FIXTURE(target)
{
	struct subject_run run;
	int image;
};

FIXTURE_VARIANT(target)
{
	const char *mode;
};

FIXTURE_VARIANT_ADD(target, busy)
{
	.mode = "busy",
};

FIXTURE_VARIANT_ADD(target, sleeping)
{
	.mode = "sleeping",
};

FIXTURE_SETUP(target)
{
	char cwd[PATH_MAX / 2];

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_NE(NULL, getcwd(cwd, sizeof(cwd)));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	snprintf(self->run.dir, sizeof(self->run.dir), "%s/target", cwd);
	remove_tree(self->run.dir);
	ASSERT_EQ(0, mkdir(self->run.dir, 0755));
	snprintf(self->run.program, sizeof(self->run.program), "%s",
		 helper_path("subjects/heart"));
	self->run.arg = variant->mode;
	self->image = memfd_create("image", MFD_CLOEXEC);
	ASSERT_GE(self->image, 0);
	ASSERT_TRUE(subject_map(&self->run, true));
	ASSERT_TRUE(subject_start(&self->run));
}

/* Does the target run and react? */
static bool answers(struct subject_run *run)
{
	s64 limit = hang_limit();
	u64 question = READ_ONCE(run->control->counter[2]) + 1;

	__atomic_store_n(&run->control->counter[2], question, __ATOMIC_SEQ_CST);
	while (READ_ONCE(run->control->counter[1]) != question) {
		if (monotonic_ns() > limit)
			return complain("the target does not answer");
		sched_yield();
	}
	return true;
}

FIXTURE_TEARDOWN(target)
{
	if (self->run.pid <= 0)
		return;
	EXPECT_TRUE(answers(&self->run));
	subject_go(&self->run);
	EXPECT_TRUE(subject_verdict(&self->run, self->run.pid));
	EXPECT_TRUE(reap(self->run.pid, 0, "target"));
	EXPECT_FALSE(leaves_children());
	remove_tree(self->run.dir);
}

static long save(int fd, pid_t pid)
{
	long ret = sys_checkpoint(pid, fd, CHECKPOINT_SUBTREE, NONE);

	return ret < 0 ? -errno : ret;
}

/* Bytes of a complete image. */
static long image_size(int fd, pid_t pid)
{
	long ret;

	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		return -1;
	ret = save(fd, pid);
	return ret > 0 ? lseek(fd, 0, SEEK_END) : ret;
}

TEST_F_TIMEOUT(target, many_times, LIMIT)
{
	int round;

	for (round = 0; round < 30; round++) {
		EXPECT_GT(image_size(self->image, self->run.pid), 0);
		ASSERT_TRUE(answers(&self->run));
	}
}

/* Several at once: each gets its image. */
TEST_F_TIMEOUT(target, in_parallel, LIMIT)
{
	pid_t pids[4];
	int index, round;

	for (index = 0; index < 4; index++) {
		pids[index] = fork();
		if (pids[index])
			continue;
		for (round = 0; round < 20; round++) {
			int fd = memfd_create("image", MFD_CLOEXEC);

			long size = image_size(fd, self->run.pid);

			if (size <= 0) {
				complain("%ld: %s", size, strerror(-size));
				_exit(1);
			}
			close(fd);
		}
		_exit(0);
	}
	for (index = 0; index < 4; index++)
		EXPECT_TRUE(reap(pids[index], 0, "one of the callers"));
}

/* The reader goes away after so many bytes. */
static long save_to_short_pipe(pid_t pid, long bytes)
{
	int fds[2];
	pid_t reader;
	long ret;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	reader = fork();
	if (!reader) {
		char buffer[4096];

		close(fds[1]);
		while (bytes > 0) {
			long want = bytes < 4096 ? bytes : 4096;
			long got = read(fds[0], buffer, want);

			if (got <= 0)
				_exit(0);
			bytes -= got;
		}
		_exit(0);
	}
	close(fds[0]);
	ret = save(fds[1], pid);
	close(fds[1]);
	waitpid(reader, NULL, 0);
	return ret;
}

TEST_F_TIMEOUT(target, pipe_closed, LIMIT)
{
	long size = image_size(self->image, self->run.pid), bytes;

	ASSERT_GT(size, 0);
	/* A pipe takes a page more than was read. */
	for (bytes = 0; bytes < size - 2 * 4096; bytes = 2 * bytes + 1) {
		EXPECT_EQ(-EPIPE, save_to_short_pipe(self->run.pid, bytes)) {
			TH_LOG("%ld bytes of %ld", bytes, size);
		}
		ASSERT_TRUE(answers(&self->run));
	}
	EXPECT_GT(save_to_short_pipe(self->run.pid, 2 * size), 0);
}

/* The disk is full after so many pages: at every one of them once. */
TEST_F_TIMEOUT(target, disk_full, LIMIT)
{
	long size = image_size(self->image, self->run.pid), pages, full = 0;
	char option[32];
	bool good = false;

	ASSERT_GT(size, 0);
	mkdir("small", 0755);
	for (pages = 1; pages < size / 4096 + 8 && !good; pages += 1 + pages / 8) {
		long ret;
		int fd;

		snprintf(option, sizeof(option), "size=%ldk", 4 * pages);
		ASSERT_EQ(0, mount("small", "small", "tmpfs", 0, option));
		fd = open("small/image", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		ASSERT_GE(fd, 0);
		ret = save(fd, self->run.pid);
		if (ret > 0)
			good = true;
		else
			EXPECT_EQ(-ENOSPC, ret);
		full += ret == -ENOSPC;
		close(fd);
		ASSERT_EQ(0, umount("small"));
		ASSERT_TRUE(answers(&self->run));
	}
	rmdir("small");
	EXPECT_GT(full, 5);
}

TEST_F_TIMEOUT(target, file_too_large, LIMIT)
{
	struct rlimit limit = { 10000, RLIM_INFINITY }, old;
	int fd = open("limited", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	long ret;

	signal(SIGXFSZ, SIG_IGN);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	ret = save(fd, self->run.pid);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
	EXPECT_EQ(-EFBIG, ret);
	unlink("limited");
}

/* Nobody reads the image any more, and the caller is killed at some moment. */
TEST_F_TIMEOUT(target, caller_killed, LIMIT)
{
	unsigned int random = 12345;
	int round, killed_early = 0;

	for (round = 0; round < 200; round++) {
		s64 until;
		int fds[2], status;
		pid_t caller;

		ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
		fcntl(fds[1], F_SETPIPE_SZ, 4096);
		caller = fork();
		if (!caller) {
			save(fds[1], self->run.pid);
			_exit(0);
		}
		random = random * 1103515245 + 12345;
		until = monotonic_ns() + (random >> 16) % 4000 * scaled_ms(1) / 1000;
		while (monotonic_ns() < until)
			;
		ASSERT_EQ(0, kill(caller, SIGKILL));
		ASSERT_EQ(caller, waitpid(caller, &status, 0));
		killed_early += WIFSIGNALED(status);
		close(fds[0]);
		close(fds[1]);
		ASSERT_TRUE(answers(&self->run)) {
			TH_LOG("round %d", round);
		}
	}
	EXPECT_EQ(200, killed_early);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Signals for the caller neither end the image nor spoil it. */
TEST_F_TIMEOUT(target, caller_interrupted, LIMIT)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, off = { 0 };
	struct sigaction action = { .sa_handler = on_alarm };
	int round, succeeded = 0;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	for (round = 0; round < 20; round++) {
		long ret = save_to_short_pipe(self->run.pid, LONG_MAX);

		succeeded += ret > 0;
		if (ret <= 0)
			TH_LOG("%ld", ret);
	}
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &off, NULL));
	EXPECT_EQ(20, succeeded);
}

static void read_slowly(int fd, int copy)
{
	char bytes[8];
	unsigned int size = 0;

	for (;;) {
		ssize_t got = read(fd, bytes, size++ % 7 + 1);

		if (got <= 0 || write(copy, bytes, got) != got)
			_exit(got < 0);
		/* Let the pipe run full. */
		if (!(size % 997))
			usleep(200);
	}
}

/* A pipe that does not block its writer, and takes a page at a time. */
TEST_F_TIMEOUT(target, tiny_pipe, LIMIT)
{
	int fds[2];
	pid_t reader, copy;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	fcntl(fds[0], F_SETFL, 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	reader = fork();
	if (!reader) {
		close(fds[1]);
		read_slowly(fds[0], self->image);
	}
	EXPECT_GT(save(fds[1], self->run.pid), 0);
	close(fds[1]);
	close(fds[0]);
	EXPECT_TRUE(reap(reader, 0, "reader"));
	/* What came out is an image. */
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	copy = restart_from_fd(self->image, 0, STDOUT_FILENO);
	ASSERT_GT(copy, 0);
	kill_and_reap(copy);
}

/* And back through one. */
TEST_F_TIMEOUT(target, restart_from_pipe, LIMIT)
{
	long size = image_size(self->image, self->run.pid);
	int fds[2];
	pid_t writer, copy;

	ASSERT_GT(size, 0);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	fcntl(fds[1], F_SETFL, 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	writer = fork();
	if (!writer) {
		char *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, self->image, 0);
		long at = 0;

		close(fds[0]);
		while (at < size) {
			long part = at % 13 + 1;

			if (at > 8192)
				part *= 100;
			part = part < size - at ? part : size - at;
			if (write(fds[1], bytes + at, part) != part)
				_exit(1);
			at += part;
		}
		_exit(0);
	}
	close(fds[1]);
	copy = restart_from_fd(fds[0], 0, STDOUT_FILENO);
	EXPECT_GT(copy, 0);
	EXPECT_TRUE(reap(writer, 0, "writer"));
	if (copy > 0)
		kill_and_reap(copy);
}

/* The writer of the image ends, or is killed, in the middle. */
TEST_F_TIMEOUT(target, restart_cut_off, LIMIT)
{
	long size = image_size(self->image, self->run.pid), bytes;

	ASSERT_GT(size, 0);
	for (bytes = 0; bytes < size; bytes = 2 * bytes + 1) {
		int fds[2];

		ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
		fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
		lseek(self->image, 0, SEEK_SET);
		if (bytes)
			ASSERT_EQ(bytes, splice(self->image, NULL, fds[1], NULL, bytes, 0));
		close(fds[1]);
		EXPECT_EQ(-EPIPE, restart_from_fd(fds[0], 0, NONE)) {
			TH_LOG("%ld of %ld bytes", bytes, size);
		}
		close(fds[0]);
	}
}

/* The coordinator of a restart is killed: nobody is left behind. */
TEST_F_TIMEOUT(target, coordinator_killed, LIMIT)
{
	long size = image_size(self->image, self->run.pid);
	unsigned int random = 777;
	int round;

	ASSERT_GT(size, 0);
	for (round = 0; round < 100; round++) {
		pid_t caller;
		s64 until;
		int fds[2];

		ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
		random = random * 1103515245 + 12345;
		lseek(self->image, 0, SEEK_SET);
		/* Sometimes the image ends, sometimes it just stops coming. */
		ASSERT_GT(splice(self->image, NULL, fds[1], NULL, 1 + (random >> 12) % 60000, 0),
			  0);
		caller = fork();
		if (!caller) {
			pid_t own = getpid(), child;

			close(fds[1]);
			child = fork();
			if (!child) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				if (getppid() == own)
					sys_restart(0, 0, 0, NONE);
				_exit(1);
			}
			sys_restart(child, fds[0], 0, NONE);
			_exit(0);
		}
		until = monotonic_ns() + (random >> 16) % 4000 * scaled_ms(1) / 1000;
		while (monotonic_ns() < until)
			;
		kill(caller, SIGKILL);
		ASSERT_EQ(caller, waitpid(caller, NULL, 0));
		close(fds[0]);
		close(fds[1]);
		ASSERT_EQ(0, kill(self->run.pid, 0));
		ASSERT_TRUE(only_child_is(self->run.pid));
	}
}

/* Within that time; the kernel tells of each change of the file. */
static bool freezes_within(s64 limit_ns)
{
	struct pollfd events = {
		.fd = open(CGROUP "/cgroup.events", O_RDONLY | O_CLOEXEC), .events = POLLPRI,
	};
	bool frozen = false;

	do {
		char text[256] = "";

		if (pread(events.fd, text, sizeof(text) - 1, 0) <= 0)
			break;
		frozen = strstr(text, "frozen 1");
	} while (!frozen && poll(&events, 1, limit_ns / MSEC) > 0);
	close(events.fd);
	return frozen;
}

static bool is_frozen(void)
{
	return freezes_within(0);
}

static bool wait_frozen(void)
{
	return freezes_within(hang_limit() - monotonic_ns()) ||
	       complain("the group does not freeze");
}

static bool stands_still(struct subject_run *run)
{
	u64 beats = READ_ONCE(run->control->counter[0]);

	usleep(100000);
	return beats == READ_ONCE(run->control->counter[0]);
}

/* Somebody else has frozen it, and it stays frozen for that. */
TEST_F_TIMEOUT(target, frozen_group, LIMIT)
{
	char pid[16];
	pid_t copy;
	int round;

	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		SKIP(return, "no cgroup v2");
	snprintf(pid, sizeof(pid), "%d", self->run.pid);
	ASSERT_TRUE(write_file(CGROUP "/cgroup.procs", pid));
	ASSERT_TRUE(write_file(CGROUP "/cgroup.freeze", "1"));
	ASSERT_TRUE(wait_frozen());
	for (round = 0; round < 5; round++) {
		EXPECT_GT(image_size(self->image, self->run.pid), 0);
		EXPECT_TRUE(wait_frozen());
		EXPECT_TRUE(stands_still(&self->run));
	}
	/* The image is one of a process that runs. */
	lseek(self->image, 0, SEEK_SET);
	copy = restart_from_fd(self->image, 0, STDOUT_FILENO);
	EXPECT_GT(copy, 0);
	if (copy > 0) {
		EXPECT_TRUE(answers(&self->run));
		kill_and_reap(copy);
	}
	EXPECT_TRUE(is_frozen());
	ASSERT_TRUE(write_file(CGROUP "/cgroup.freeze", "0"));
	EXPECT_TRUE(answers(&self->run));
	ASSERT_TRUE(write_file("/sys/fs/cgroup/cgroup.procs", pid));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* Frozen and let go while it is being saved, again and again. */
TEST_F_TIMEOUT(target, freezes_meanwhile, LIMIT)
{
	char pid[16];
	pid_t freezer;
	int round;

	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		SKIP(return, "no cgroup v2");
	snprintf(pid, sizeof(pid), "%d", self->run.pid);
	ASSERT_TRUE(write_file(CGROUP "/cgroup.procs", pid));
	freezer = fork();
	if (!freezer) {
		for (;;) {
			write_file(CGROUP "/cgroup.freeze", "1");
			usleep(500);
			write_file(CGROUP "/cgroup.freeze", "0");
			usleep(500);
		}
	}
	for (round = 0; round < 50; round++)
		EXPECT_GT(image_size(self->image, self->run.pid), 0);
	kill_and_reap(freezer);
	ASSERT_TRUE(write_file(CGROUP "/cgroup.freeze", "0"));
	EXPECT_TRUE(answers(&self->run));
	ASSERT_TRUE(write_file("/sys/fs/cgroup/cgroup.procs", pid));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* The target dies while it is being saved. */
TEST_F_TIMEOUT(target, target_killed, LIMIT)
{
	unsigned int random = 4242;
	int round, outcomes[2] = { 0 };

	for (round = 0; round < 100; round++) {
		pid_t pid = start_tiny(round & 1 ? "pause" : "busy", 0), killer;
		long ret;

		ASSERT_GT(pid, 0);
		random = random * 1103515245 + 12345;
		killer = fork();
		if (!killer) {
			s64 until = monotonic_ns() + (random >> 16) % 3000 * 1000;

			while (monotonic_ns() < until)
				;
			kill(pid, SIGKILL);
			_exit(0);
		}
		ret = image_size(self->image, pid);
		if (ret > 0)
			outcomes[0]++;
		else if (ret == -ESRCH)
			outcomes[1]++;
		else
			EXPECT_EQ(-ESRCH, ret);
		ASSERT_TRUE(reap(killer, 0, "killer"));
		ASSERT_TRUE(reap(pid, SIGKILL, "target"));
	}
	TH_LOG("%d saved, %d gone", outcomes[0], outcomes[1]);
}

#define NR64_CLONE	56

static void end_child(int signal)
{
	(void)signal;
	_exit(0);
}

static int be_child(void *unused)
{
	(void)unused;
	while (pause())
		continue;
	return 0;
}

/*
 * Until a child that is none of its own gets SIGUSR1 it sleeps, and no signal to
 * itself ends that. The child is one of the caller.
 */
static pid_t start_sleeper(void)
{
	static char stack[16384];
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		signal(SIGUSR1, end_child);
		clone(be_child, stack + sizeof(stack),
		      CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, NULL);
		_exit(0);
	}
	return wait_blocked(pid, NR64_CLONE) ? pid : 0;
}

/* Both have ended, in this way. */
static bool reap_sleeper(pid_t pid, int status)
{
	return reap(pid, status, "sleeper") && waitpid(-pid, NULL, __WALL) > 0;
}

/*
 * Whoever waits for such a target can be killed meanwhile, and the target goes
 * on.
 */
TEST_F_TIMEOUT(target, caller_killed_early, LIMIT)
{
	pid_t pid = start_sleeper(), caller;
	s64 start = monotonic_ns();

	ASSERT_GT(pid, 0);
	caller = fork();
	if (!caller) {
		sys_checkpoint(pid, self->image, CHECKPOINT_SUBTREE, NONE);
		_exit(1);
	}
	EXPECT_TRUE(wait_blocked(caller, __NR_checkpoint));
	EXPECT_EQ(0, kill(caller, SIGKILL));
	EXPECT_TRUE(reap(caller, SIGKILL, "caller"));
	/* Left to itself it waits for ten seconds. */
	EXPECT_LT(monotonic_ns() - start, 5 * NSEC_PER_SEC);
	EXPECT_EQ(NR64_CLONE, blocked_in(pid));
	EXPECT_EQ(0, kill(-pid, SIGUSR1));
	EXPECT_TRUE(reap_sleeper(pid, 0));
}

/* A sleep that no signal ends: refused by name after a while. */
TEST_F_TIMEOUT(target, uninterruptible, LIMIT)
{
	char text[1024] = "";
	s64 start = monotonic_ns();
	int log = memfd_create("log", MFD_CLOEXEC);
	pid_t pid = start_sleeper();

	ASSERT_GT(pid, 0);
	EXPECT_EQ(-1, sys_checkpoint(pid, self->image, CHECKPOINT_SUBTREE, log));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_GT(monotonic_ns() - start, NSEC_PER_SEC);
	EXPECT_GT(pread(log, text, sizeof(text) - 1, 0), 0);
	EXPECT_NE(NULL, strstr(text, "cannot be interrupted"));
	EXPECT_EQ(0, kill(-pid, SIGKILL));
	EXPECT_TRUE(reap_sleeper(pid, SIGKILL));
	EXPECT_TRUE(only_child_is(self->run.pid));
}

TEST_HARNESS_MAIN
