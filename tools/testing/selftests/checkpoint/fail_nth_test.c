// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that can fail does, one after the other: each allocation, each
 * write of the image, each read of it; and whoever saves or restarts is killed
 * at each point of the image. The process that is saved goes on and is right
 * at the end, the one that was to be another is what it was, and nobody is
 * left behind.
 *
 * Allocations are made to fail through /proc/PID/fail-nth, which only the
 * debug kernel has. What it counts are allocations and copies to and from user
 * space, so -EFAULT is as right as -ENOMEM, and so is what system calls say of some
 * objects, such as -ENFILE of a pipe.
 */
#include "harness.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <linux/checkpoint_image.h>
#include "kselftest_harness.h"

#include "fail_nth.h"

#define NONE		CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT		600
#define PAGE		4096
/* More than any call needs: none of them fires. */
#define MAX_NTH		20000
/* What a restart that fails allocates for its messages and to clean up, at most. */
#define CLEANUP		40

/**
 * struct progress - what a process that restarts tells, in shared memory
 * @nth: its allocation that fails, or the bytes that it is given
 * @refused: times that the restart failed as it should
 * @needed: allocations of a restart before it takes effect
 * @error: errno of the last one
 * @left: what was left of @nth then
 * @pid: of the child of a coordinator
 */
struct progress {
	s64 nth;
	s64 refused;
	s64 needed;
	s32 error;
	s32 left;
	u32 pid;
};

FIXTURE(target)
{
	struct subject_run run;
	struct progress *progress;
	int image;
	long size;
};

FIXTURE_VARIANT(target)
{
	const char *program;
	const char *arg;
};

FIXTURE_VARIANT_ADD(target, files)
{
	.program = "subjects/files",
	.arg = "sharing",
};

FIXTURE_VARIANT_ADD(target, pipe)
{
	.program = "subjects/pipe",
	.arg = "partial",
};

/* Nearly every record, see has_every_record() in sweep.c. */
FIXTURE_VARIANT_ADD(target, everything)
{
	.program = "subjects/tiny",
	.arg = "target",
};

static long save(int fd, pid_t pid)
{
	long ret = sys_checkpoint(pid, fd, CHECKPOINT_SUBTREE, NONE);

	return ret < 0 ? -errno : ret;
}

static long save_again(int fd, pid_t pid)
{
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		return -errno;
	return save(fd, pid);
}

FIXTURE_SETUP(target)
{
	char cwd[PATH_MAX / 2];

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_NE(NULL, getcwd(cwd, sizeof(cwd)));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(self->run.dir, sizeof(self->run.dir), "%s/target", cwd);
	remove_tree(self->run.dir);
	ASSERT_EQ(0, mkdir(self->run.dir, 0755));
	snprintf(self->run.program, sizeof(self->run.program), "%s",
		 helper_path(variant->program));
	self->run.arg = variant->arg;
	self->progress = mmap(NULL, sizeof(*self->progress), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->progress);
	self->image = memfd_create("image", MFD_CLOEXEC);
	ASSERT_GE(self->image, 0);
	ASSERT_TRUE(subject_map(&self->run, true));
	ASSERT_TRUE(subject_start(&self->run));
	ASSERT_TRUE(subject_settle(&self->run, self->run.pid));
	/* The first one makes the target touch pages: later ones are alike. */
	ASSERT_GT(save(self->image, self->run.pid), 0);
	ASSERT_TRUE(subject_settle(&self->run, self->run.pid));
	ASSERT_GT(save_again(self->image, self->run.pid), 0);
	self->size = lseek(self->image, 0, SEEK_CUR);
	ASSERT_TRUE(subject_settle(&self->run, self->run.pid));
	ASSERT_GT(self->size, 8 * PAGE);
}

/* Everything is as the subject left it, and it ends well. */
static bool is_right(struct subject_run *run, pid_t pid)
{
	char log[PATH_MAX];
	bool good;

	subject_go(run);
	good = subject_verdict(run, pid);
	good &= reap(pid, 0, "subject");
	if (!good && make_path(log, sizeof(log), run->dir, "log"))
		show_file(log);
	return good;
}

FIXTURE_TEARDOWN(target)
{
	if (self->run.pid > 0)
		EXPECT_TRUE(is_right(&self->run, self->run.pid));
	EXPECT_FALSE(leaves_children());
	remove_tree(self->run.dir);
}

/* Was it let go? Whether it is right is seen at the end. */
static bool goes_on(struct subject_run *run)
{
	return subject_settle(run, run->pid) && only_child_is(run->pid);
}

/* Places in an image are too many to try all: some hundred of them. */
static long next_place(long at, long size)
{
	long step = size / (is_debug_kernel() ? 30 : 150) | 1;

	/* Around the tail, each. */
	if (at + step < size - 24)
		return at + step;
	return at < size - 24 ? size - 24 : at + (is_debug_kernel() ? 5 : 1);
}

TEST_F_TIMEOUT(target, allocation_of_checkpoint, LIMIT)
{
	int nth_fd, failed = 0, nth;
	long left = 0;

	if (!can_inject())
		SKIP(return, "this kernel injects no failures");
	ASSERT_TRUE(set_up_injection());
	nth_fd = open(NTH_FILE, O_RDWR | O_CLOEXEC);
	ASSERT_GE(nth_fd, 0);
	for (nth = 1; !left && nth < MAX_NTH; nth++) {
		long ret;

		ASSERT_EQ(0, ftruncate(self->image, 0));
		ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
		ASSERT_TRUE(arm(nth_fd, nth));
		ret = save(self->image, self->run.pid);
		left = disarm(nth_fd);
		ASSERT_GE(left, 0);
		EXPECT_TRUE(ret > 0 || (!left && is_injected(-ret))) {
			TH_LOG("allocation %d: %ld, %ld left", nth, ret, left);
		}
		failed += ret < 0;
		ASSERT_TRUE(goes_on(&self->run)) {
			TH_LOG("allocation %d", nth);
		}
	}
	TH_LOG("%d allocations, %d of them needed", nth - 2, failed);
	EXPECT_GT(left, 0);
	EXPECT_GT(failed, 20);
	close(nth_fd);
	/* And then all is well. */
	EXPECT_GT(save_again(self->image, self->run.pid), 0);
}

/* What a restart that fails must not change. */
struct own_state {
	char memory[64];
	char name[16];
	sigset_t blocked;
	int lowest_fd;
	pid_t session;
};

static void look_at_oneself(struct own_state *own)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	memset(own, 0, sizeof(*own));
	if (fd < 0 || read(fd, own->memory, sizeof(own->memory)) <= 0)
		_exit(20);
	/* Its size; what of it is there may differ. */
	memset(strchrnul(own->memory, ' '), 0, own->memory + 64 - strchrnul(own->memory, ' '));
	close(fd);
	prctl(PR_GET_NAME, own->name);
	sigprocmask(SIG_SETMASK, NULL, &own->blocked);
	own->lowest_fd = dup(0);
	close(own->lowest_fd);
	own->session = getsid(0);
}

/* One restart that fails; false if it is not as it should be. */
static bool fail_to_become(struct progress *progress, int image, int nth_fd)
{
	struct own_state before, after;
	int error;
	long left = 0;

	look_at_oneself(&before);
	if (nth_fd >= 0 && !arm(nth_fd, progress->nth))
		return complain("fail-nth: %s", strerror(errno));
	sys_restart(0, image, RESTART_TASKSELF, NONE);
	error = errno;
	if (nth_fd >= 0)
		left = disarm(nth_fd);
	look_at_oneself(&after);
	progress->refused++;
	progress->error = error;
	if (nth_fd >= 0 && (left || !is_injected(error)))
		return complain("allocation %lld: %s, %ld left", (long long)progress->nth,
				strerror(error), left);
	if (memcmp(&before, &after, sizeof(before)))
		return complain("failure %lld has changed the caller", (long long)progress->nth);
	return true;
}

/*
 * How many allocations there are before the commit: those of a restart that
 * finds out at the very end that the checksum is wrong.
 */
static bool count_allocations(struct progress *progress, int image, int nth_fd)
{
	off_t at = lseek(image, 0, SEEK_END) - sizeof(struct ckpt_hdr_tail) +
		   offsetof(struct ckpt_hdr_tail, checksum);
	unsigned char good, bad;
	int error;

	if (pread(image, &good, 1, at) != 1)
		return false;
	bad = ~good;
	if (pwrite(image, &bad, 1, at) != 1 || lseek(image, 0, SEEK_SET) ||
	    !arm(nth_fd, MAX_NTH))
		return false;
	sys_restart(0, image, RESTART_TASKSELF, NONE);
	error = errno;
	progress->needed = MAX_NTH - disarm(nth_fd) - CLEANUP;
	if (pwrite(image, &good, 1, at) != 1)
		return false;
	return error == EINVAL || complain("wrong checksum: %s", strerror(error));
}

/* The process that tries, until it is the other one. */
static void try_to_become(struct progress *progress, int image)
{
	int nth_fd = open(NTH_FILE, O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (!progress->needed && !count_allocations(progress, image, nth_fd))
		_exit(23);
	while (nth_fd >= 0) {
		lseek(image, 0, SEEK_SET);
		if (!fail_to_become(progress, image, nth_fd))
			break;
		progress->nth++;
	}
	_exit(21);
}

/* The subject was not told to go yet. */
static void wind_back(struct subject_run *run)
{
	run->control->go = 0;
	run->control->state = SUBJECT_READY;
	run->control->nonce_after = 0;
	run->control->failures = 0;
	run->control->flags |= CONTROL_RESTARTED | CONTROL_NEW_PID;
}

/* Wait until it is the subject, however many times it tries. */
static bool wait_until_subject(struct subject_run *run, struct progress *progress, pid_t pid)
{
	s64 nth = -1, limit = 0;

	for (;;) {
		siginfo_t info = { .si_pid = 0 };

		if (blocked_in(pid) == run->control->blocked_in)
			return true;
		if (!waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
			return complain("it ended at allocation %lld (%s %d)",
					(long long)READ_ONCE(progress->nth),
					info.si_code == CLD_EXITED ? "status" : "signal",
					info.si_status);
		if (READ_ONCE(progress->nth) != nth) {
			nth = READ_ONCE(progress->nth);
			limit = hang_limit();
		}
		if (monotonic_ns() > limit)
			return complain("it hangs at allocation %lld", (long long)nth);
		usleep(2000);
	}
}

/*
 * A failure that comes after the restart hits the subject itself, in its first
 * page faults: then there is nothing that it could verify.
 */
static bool end_subject(struct subject_run *run, struct progress *progress, pid_t pid, long left)
{
	if (left || progress->nth <= progress->needed)
		return is_right(run, pid);
	kill(pid, SIGKILL);
	return reap(pid, SIGKILL, "subject");
}

TEST_F_TIMEOUT(target, allocation_of_restart, LIMIT)
{
	struct progress *progress = self->progress;
	int succeeded = 0;
	long left = 0;

	if (!can_inject())
		SKIP(return, "this kernel injects no failures");
	ASSERT_TRUE(set_up_injection());
	kill_and_reap(self->run.pid);
	self->run.pid = 0;
	for (progress->nth = 1; !left && progress->nth < MAX_NTH; progress->nth++) {
		pid_t pid;

		wind_back(&self->run);
		pid = fork();
		if (!pid)
			try_to_become(progress, self->image);
		ASSERT_TRUE(wait_until_subject(&self->run, progress, pid));
		left = disarm_other(pid);
		ASSERT_GE(left, 0);
		EXPECT_TRUE(end_subject(&self->run, progress, pid, left)) {
			TH_LOG("allocation %lld, %ld left", (long long)progress->nth, left);
		}
		succeeded++;
	}
	TH_LOG("%lld allocations, %lld before the commit, %lld of them needed, %d restarted",
	       (long long)progress->nth - 2, (long long)progress->needed,
	       (long long)progress->refused, succeeded);
	EXPECT_GT(progress->needed, 100);
	EXPECT_GT(left, 0);
	EXPECT_GT(progress->refused, 20);
}

/* The child of a coordinator: waits, and may have an allocation that fails. */
static pid_t start_waiting(struct progress *progress, long nth)
{
	pid_t pid = fork();
	int nth_fd = -1;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (nth) {
		nth_fd = open(NTH_FILE, O_RDWR | O_CLOEXEC);
		if (!arm(nth_fd, nth))
			_exit(22);
	}
	sys_restart(0, 0, 0, NONE);
	progress->error = errno;
	progress->left = nth ? disarm(nth_fd) : 0;
	_exit(0);
}

/*
 * One restart by a coordinator, with an allocation that fails in it or in the
 * child. What is left of the count, or -1 if something is not as it should be.
 */
static long restart_pair(struct subject_run *run, struct progress *progress, int image,
			 long nth, bool in_child)
{
	int nth_fd = open(NTH_FILE, O_RDWR | O_CLOEXEC), error;
	long ret, left = 0;
	pid_t pid;

	lseek(image, 0, SEEK_SET);
	wind_back(run);
	progress->error = 0;
	pid = start_waiting(progress, in_child ? nth : 0);
	if (!in_child)
		arm(nth_fd, nth);
	ret = sys_restart(pid, image, 0, NONE);
	error = errno;
	if (!in_child)
		left = disarm(nth_fd);
	close(nth_fd);
	if (!ret) {
		if (!subject_settle(run, pid))
			return complain("it does not settle") - 1;
		if (in_child)
			left = disarm_other(pid);
		progress->nth = nth;
		return end_subject(run, progress, pid, left) ? left : -1;
	}
	progress->refused++;
	if (!in_child) {
		kill_and_reap(pid);
		return left || !is_injected(error) ? -1 : 0;
	}
	/* One that fails before it waits is one that ends before it waits. */
	if (!reap(pid, 0, "child") || progress->left || !is_injected(progress->error) ||
	    (error != progress->error && error != ESRCH))
		return complain("coordinator: %s, child: %s, %d left", strerror(error),
				strerror(progress->error), progress->left) - 1;
	return 0;
}

static bool fail_pair(struct subject_run *run, struct progress *progress, int image,
		      bool in_child)
{
	long nth, left = 0;

	/* How many a child has before the commit is not known exactly. */
	progress->needed = in_child ? 100 : MAX_NTH;

	progress->refused = 0;
	/* The child does what one does that restarts itself: not each again. */
	for (nth = 1; !left && nth < MAX_NTH; nth += in_child ? 1 + nth / 16 : 1) {
		left = restart_pair(run, progress, image, nth, in_child);
		if (left < 0 || leaves_children())
			return complain("allocation %ld", nth);
	}
	complain("%s: up to %ld, %lld failed", in_child ? "child" : "coordinator", nth,
		 (long long)progress->refused);
	return left && progress->refused > 2;
}

TEST_F_TIMEOUT(target, allocation_of_pair, LIMIT)
{
	if (!can_inject())
		SKIP(return, "this kernel injects no failures");
	ASSERT_TRUE(set_up_injection());
	kill_and_reap(self->run.pid);
	self->run.pid = 0;
	EXPECT_TRUE(fail_pair(&self->run, self->progress, self->image, false));
	EXPECT_TRUE(fail_pair(&self->run, self->progress, self->image, true));
}

/* A disk with no page left, with one, with two, until the image fits. */
TEST_F_TIMEOUT(target, disk_full, LIMIT)
{
	long pages = self->size / PAGE + 16, left;
	static const char page[PAGE] = "full";
	long ret = -ENOSPC;
	char option[32];
	int filler, fd;

	snprintf(option, sizeof(option), "size=%ldk", 4 * pages);
	mkdir("small", 0755);
	ASSERT_EQ(0, mount("small", "small", "tmpfs", 0, option));
	filler = open("small/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fd = open("small/image", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(filler, page, PAGE) == PAGE)
		;
	ASSERT_EQ(pages * PAGE, lseek(filler, 0, SEEK_CUR));
	for (left = 0; left <= pages && ret == -ENOSPC; left++) {
		ASSERT_EQ(0, ftruncate(fd, 0));
		ASSERT_EQ(0, ftruncate(filler, (pages - left) * PAGE));
		ret = save_again(fd, self->run.pid);
		ASSERT_TRUE(goes_on(&self->run));
	}
	EXPECT_GT(ret, 0);
	EXPECT_GT(left, 8);
	EXPECT_LE((left - 2) * PAGE, self->size);
	close(filler);
	close(fd);
	EXPECT_EQ(0, umount("small"));
	rmdir("small");
}

TEST_F_TIMEOUT(target, file_too_large, LIMIT)
{
	struct rlimit limit, old;
	long bytes, ret, end = self->size - 2 * PAGE;

	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	limit = old;
	for (bytes = 0; bytes < end; bytes = next_place(bytes, end)) {
		limit.rlim_cur = bytes;
		ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
		ret = save_again(self->image, self->run.pid);
		ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
		EXPECT_EQ(-EFBIG, ret) {
			TH_LOG("%ld bytes of %ld", bytes, self->size);
		}
		EXPECT_LE(lseek(self->image, 0, SEEK_END), bytes);
		ASSERT_TRUE(goes_on(&self->run));
	}
	/* One image is as large as the other but for a page or two. */
	limit.rlim_cur = self->size + 2 * PAGE;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_GT(save_again(self->image, self->run.pid), 0);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
}

/* A pipe that holds one page only. */
static bool make_small_pipe(int fds[2])
{
	return !pipe2(fds, O_CLOEXEC) && fcntl(fds[1], F_SETPIPE_SZ, PAGE) == PAGE;
}

static bool read_bytes(int fd, long bytes)
{
	char buffer[PAGE];

	while (bytes > 0) {
		ssize_t got = read(fd, buffer, bytes < PAGE ? bytes : PAGE);

		if (got <= 0)
			return complain("the image ends %ld bytes too early", bytes);
		bytes -= got;
	}
	return true;
}

TEST_F_TIMEOUT(target, reader_gone, LIMIT)
{
	long bytes, end = self->size - 2 * PAGE;

	for (bytes = 0; bytes < end; bytes = next_place(bytes, end)) {
		pid_t reader;
		int fds[2];

		ASSERT_TRUE(make_small_pipe(fds));
		reader = fork();
		if (!reader) {
			close(fds[1]);
			_exit(!read_bytes(fds[0], bytes));
		}
		close(fds[0]);
		EXPECT_EQ(-EPIPE, save(fds[1], self->run.pid)) {
			TH_LOG("%ld bytes of %ld", bytes, self->size);
		}
		close(fds[1]);
		ASSERT_TRUE(reap(reader, 0, "reader"));
		ASSERT_TRUE(goes_on(&self->run));
	}
}

/* Nobody reads on, and the one who writes is killed. */
TEST_F_TIMEOUT(target, caller_killed, LIMIT)
{
	long bytes, end = self->size - 2 * PAGE;

	for (bytes = 0; bytes < end; bytes = next_place(bytes, end)) {
		pid_t caller;
		int fds[2];

		ASSERT_TRUE(make_small_pipe(fds));
		caller = fork();
		if (!caller) {
			close(fds[0]);
			save(fds[1], self->run.pid);
			_exit(0);
		}
		close(fds[1]);
		ASSERT_TRUE(read_bytes(fds[0], bytes));
		ASSERT_TRUE(wait_blocked(caller, __NR_checkpoint));
		ASSERT_EQ(0, kill(caller, SIGKILL));
		ASSERT_TRUE(reap(caller, SIGKILL, "caller")) {
			TH_LOG("%ld bytes of %ld", bytes, self->size);
		}
		close(fds[0]);
		ASSERT_TRUE(goes_on(&self->run));
	}
	EXPECT_GT(save_again(self->image, self->run.pid), 0);
}

/* A pipe with the first bytes of the image in it. */
static bool feed(int image, long bytes, int fds[2])
{
	loff_t at = 0;

	if (pipe2(fds, O_CLOEXEC) || fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) < bytes)
		return complain("pipe: %s", strerror(errno));
	while (at < bytes)
		if (splice(image, &at, fds[1], NULL, bytes - at, SPLICE_F_NONBLOCK) <= 0)
			return complain("splice: %s", strerror(errno));
	return true;
}

static void become_from_short_pipes(struct progress *progress, int image, long size)
{
	long bytes;
	int fds[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	for (bytes = 0; bytes < size; bytes = next_place(bytes, size)) {
		progress->nth = bytes;
		if (!feed(image, bytes, fds))
			_exit(30);
		close(fds[1]);
		if (!fail_to_become(progress, fds[0], -1))
			_exit(31);
		close(fds[0]);
		if (progress->error != EPIPE)
			_exit(32);
	}
	_exit(0);
}

TEST_F_TIMEOUT(target, image_ends, LIMIT)
{
	pid_t pid = fork();
	long bytes;
	int status;

	if (!pid)
		become_from_short_pipes(self->progress, self->image, self->size);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("%lld bytes: %s", (long long)self->progress->nth,
		       strerror(self->progress->error));
	}
	EXPECT_GT(self->progress->refused, 30);
	for (bytes = 0; bytes < self->size; bytes = next_place(bytes, self->size)) {
		int fds[2];

		ASSERT_TRUE(feed(self->image, bytes, fds));
		close(fds[1]);
		EXPECT_EQ(-EPIPE, restart_from_fd(fds[0], 0, NONE)) {
			TH_LOG("%ld bytes of %ld", bytes, self->size);
		}
		close(fds[0]);
		ASSERT_TRUE(goes_on(&self->run));
	}
}

/* Killed while it waits for the rest of the image of itself. */
TEST_F_TIMEOUT(target, restarting_task_killed, LIMIT)
{
	long bytes;

	for (bytes = 0; bytes < self->size; bytes = next_place(bytes, self->size)) {
		pid_t pid;
		int fds[2];

		ASSERT_TRUE(feed(self->image, bytes, fds));
		pid = fork();
		if (!pid) {
			close(fds[1]);
			setsid();
			sys_restart(0, fds[0], RESTART_TASKSELF, NONE);
			_exit(1);
		}
		ASSERT_TRUE(wait_blocked(pid, __NR_restart));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_TRUE(reap(pid, SIGKILL, "restarting task")) {
			TH_LOG("%ld bytes of %ld", bytes, self->size);
		}
		close(fds[0]);
		close(fds[1]);
		ASSERT_TRUE(goes_on(&self->run));
	}
}

static void coordinate_and_tell(struct progress *progress, int fd)
{
	pid_t child = start_waiting(progress, 0);

	tell_word(&progress->pid, child);
	sys_restart(child, fd, 0, NONE);
	progress->left = errno;
	waitpid(child, NULL, 0);
	_exit(0);
}

/* Both wait for the rest of the image, and one of them is killed. */
static bool kill_one(struct progress *progress, int image, long bytes, bool coordinator)
{
	int fds[2];
	pid_t pid;
	bool good;

	progress->pid = 0;
	progress->left = 0;
	if (!feed(image, bytes, fds))
		return false;
	pid = fork();
	if (!pid) {
		close(fds[1]);
		coordinate_and_tell(progress, fds[0]);
	}
	close(fds[0]);
	good = await_word(&progress->pid, 0, pid) &&
	       wait_blocked(progress->pid, __NR_restart) && wait_blocked(pid, __NR_restart);
	if (coordinator) {
		kill(pid, SIGKILL);
		good &= reap(pid, SIGKILL, "coordinator");
		close(fds[1]);
		return good;
	}
	kill(progress->pid, SIGKILL);
	/* One that has not begun is missed only when it is to begin. */
	close(fds[1]);
	good &= reap(pid, 0, "coordinator");
	if (progress->left != EINTR && progress->left != EPIPE && progress->left != ESRCH)
		return complain("coordinator: %s", strerror(progress->left));
	return good;
}

TEST_F_TIMEOUT(target, one_of_pair_killed, LIMIT)
{
	long bytes, round = 0;

	for (bytes = 0; bytes < self->size; bytes = next_place(bytes, self->size)) {
		EXPECT_TRUE(kill_one(self->progress, self->image, bytes, round++ & 1)) {
			TH_LOG("%ld bytes of %ld", bytes, self->size);
		}
		ASSERT_TRUE(goes_on(&self->run));
	}
	EXPECT_GT(round, 30);
}

TEST_HARNESS_MAIN
