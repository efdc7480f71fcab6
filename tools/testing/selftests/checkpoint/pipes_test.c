// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes that others have open too, system calls that wait for a pipe, and
 * images that go through one.
 */
#include "fuse_file.h"
#include "harness.h"
#include "image_edit.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define GOOD	33
#define FULL	65536

static char bytes[2 * FULL];

static int open_fd_of(pid_t pid, int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return open(path, flags | O_CLOEXEC);
}

FIXTURE(pipes)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(pipes)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "pipes", 0777));
}

FIXTURE_TEARDOWN(pipes)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

/* Pipe A is 0 and 1, pipe B is 2 and 3. */
static void make_pipes(void)
{
	int fds[2];

	if (pipe(fds) || pipe(fds) || fds[1] != 3)
		_exit(2);
}

static void fill(int fd)
{
	if (write(fd, bytes, FULL) != FULL)
		_exit(3);
}

static void tell(bool good)
{
	_exit(good ? GOOD : 4);
}

static void wait_in_read(void)
{
	char got[20];

	make_pipes();
	tell(read(0, got, 20) == 10);
}

static void wait_in_write(void)
{
	make_pipes();
	fill(1);
	tell(write(1, bytes, 10) == 10);
}

static void wait_in_splice(void)
{
	char got[20];

	make_pipes();
	tell(splice(0, NULL, 3, NULL, 20, 0) == 10 && read(2, got, 20) == 10);
}

static void wait_in_splice_full(void)
{
	make_pipes();
	fill(3);
	tell(write(1, "0123456789", 10) == 10 && splice(0, NULL, 3, NULL, 10, 0) == 10);
}

static void wait_in_tee(void)
{
	char got[20];

	make_pipes();
	tell(tee(0, 3, 20, 0) == 10 && read(0, got, 20) == 10 && read(2, got, 20) == 10);
}

static void wait_in_tee_full(void)
{
	char got[20];

	make_pipes();
	fill(3);
	tell(write(1, "0123456789", 10) == 10 && tee(0, 3, 20, 0) == 10 &&
	     read(0, got, 20) == 10 && read(2, got, 20) == 10);
}

static void wait_in_vmsplice(void)
{
	struct iovec one = { bytes, 10 };

	make_pipes();
	fill(1);
	tell(vmsplice(1, &one, 1, 0) == 10);
}

static void wait_in_poll(void)
{
	struct pollfd ends[2] = { { .fd = 0, .events = POLLIN }, { .fd = 2, .events = POLLIN } };

	make_pipes();
	tell(poll(ends, 2, -1) == 1 && ends[0].revents == POLLIN && !ends[1].revents);
}

static void wait_in_poll_full(void)
{
	struct pollfd ends[2] = { { .fd = 1, .events = POLLOUT }, { .fd = 3, .events = POLLOUT } };

	make_pipes();
	fill(1);
	fill(3);
	tell(poll(ends, 2, -1) == 1 && ends[0].revents == POLLOUT && !ends[1].revents);
}

static void wait_in_open(void)
{
	char got[20];

	tell(open("fifo", O_RDONLY) == 0 && read(0, got, 20) == 10);
}

static bool put(int fd)
{
	return write(fd, "0123456789", 10) == 10;
}

static bool drain(int fd)
{
	static char got[FULL];
	ssize_t len, all = 0;

	while (all < FULL && (len = read(fd, got, FULL - all)) > 0)
		all += len;
	return all == FULL;
}

/* Which descriptor somebody else opens, and what he does then. */
static bool poke(pid_t pid, int end, bool (*act)(int fd))
{
	int fd = end < 0 ? open("fifo", O_WRONLY | O_CLOEXEC) :
			   open_fd_of(pid, end, act == put ? O_WRONLY : O_RDONLY);
	bool good = fd >= 0 && act(fd);

	close(fd);
	return good || complain("cannot end the wait: %s", strerror(errno));
}

static const struct waiting {
	const char *name;
	long nr;
	void (*body)(void);
	int end;
	bool (*act)(int fd);
} waiting[] = {
	{ "read", SYS_read, wait_in_read, 1, put },
	{ "write", SYS_write, wait_in_write, 0, drain },
	{ "splice", SYS_splice, wait_in_splice, 1, put },
	{ "splice to a full pipe", SYS_splice, wait_in_splice_full, 2, drain },
	{ "tee", SYS_tee, wait_in_tee, 1, put },
	{ "tee to a full pipe", SYS_tee, wait_in_tee_full, 2, drain },
	{ "vmsplice", SYS_vmsplice, wait_in_vmsplice, 0, drain },
	{ "poll", SYS_poll, wait_in_poll, 1, put },
	{ "poll of full pipes", SYS_poll, wait_in_poll_full, 0, drain },
	{ "open", SYS_openat, wait_in_open, -1, put },
};

/* It goes on waiting, in place and after a restart, and ends as it should. */
static bool check_waiting(const struct waiting *it)
{
	pid_t pid = start_blocked(it->body, it->nr);
	bool good = pid && save_to("image", pid, "log") > 0 && wait_blocked(pid, it->nr) &&
		    save_to("image", pid, "log") > 0 && wait_blocked(pid, it->nr) &&
		    poke(pid, it->end, it->act);

	if (!reap(pid, GOOD << 8, "in place") || !good)
		return false;
	pid = restart_from("image", 0, "log");
	if (pid <= 0)
		return complain("restart: %s", strerror(-pid));
	good = wait_blocked(pid, it->nr) && poke(pid, it->end, it->act);
	return reap(pid, GOOD << 8, "after the restart") && good;
}

TEST_F_TIMEOUT(pipes, waiting, LIMIT)
{
	size_t index;

	ASSERT_EQ(0, mkfifo("fifo", 0644));
	for (index = 0; index < sizeof(waiting) / sizeof(*waiting); index++)
		EXPECT_TRUE(check_waiting(&waiting[index]) ||
			    complain("waiting in %s", waiting[index].name));
}

/* As after a signal: the call tells how much it has done. */
static void write_in_part(void)
{
	make_pipes();
	memset(bytes, 'w', sizeof(bytes));
	if (write(1, bytes, 100000) != FULL || !drain(0) || write(1, bytes, 10) != 10)
		_exit(5);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(pipes, written_in_part, LIMIT)
{
	pid_t pid = start_blocked(write_in_part, SYS_write);

	ASSERT_GT(save_to("image", pid, "log"), 0);
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(pid);
	pid = restart_from("image", 0, "log");
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(pid);
}

/* The image must not get into what it is an image of, nor wait for it. */
TEST_F_TIMEOUT(pipes, image_into_itself, LIMIT)
{
	int fds[2], round, unread = -1;

	for (round = 0; round < 3; round++) {
		int log = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		pid_t pid;

		if (round == 2) {
			ASSERT_EQ(0, mkfifo("fifo", 0644));
			fds[0] = open("fifo", O_RDWR | O_CLOEXEC);
			fds[1] = open("fifo", O_WRONLY | O_CLOEXEC);
		} else {
			ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
		}
		/* Either end will do. */
		pid = start_with(fds[round & 1], fds[round & 1], NULL);
		EXPECT_EQ(-1, sys_checkpoint(pid, fds[1], CHECKPOINT_SUBTREE, log));
		EXPECT_EQ(EDEADLK, errno);
		EXPECT_TRUE(log_names("the image is written into pipe"));
		EXPECT_EQ(0, ioctl(fds[0], FIONREAD, &unread));
		EXPECT_EQ(0, unread);
		/* It is as it was. */
		EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
		close(fds[0]);
		close(fds[1]);
		close(log);
		EXPECT_GT(save_to("image", pid, "log"), 0);
		kill_and_reap(pid);
	}
}

static void pause_with_data(void)
{
	make_pipes();
	if (write(1, bytes, 50000) != 50000)
		_exit(6);
	for (;;)
		pause();
}

/* Through another pipe it goes, both ways. */
TEST_F_TIMEOUT(pipes, image_through_pipe, LIMIT)
{
	pid_t pid = start_blocked(pause_with_data, NR64_PAUSE), helper;
	int fds[2], log = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	helper = fork();
	if (!helper) {
		close(fds[0]);
		_exit(sys_checkpoint(pid, fds[1], CHECKPOINT_SUBTREE, log) <= 0);
	}
	close(fds[1]);
	helper = restart_from_fd(fds[0], 0, log);
	ASSERT_GT(helper, 0) {
		show_file("log");
	}
	EXPECT_TRUE(wait_blocked(helper, NR64_PAUSE));
	kill_and_reap(helper);
	kill_and_reap(pid);
	close(fds[0]);
	close(log);
	end_children();
}

/* What a restart says; a process that runs is ended. */
static long restart_now(void)
{
	pid_t pid = restart_from("image", 0, "log");

	if (pid > 0)
		kill_and_reap(pid);
	return pid > 0 ? 0 : pid;
}

static const char outside_message[] = "the other end of the pipe of descriptor 0 was outside";

/* The other end, or the same one, or both are in nobody's image. */
TEST_F_TIMEOUT(pipes, outside, LIMIT)
{
	static const struct {
		int inside[2], outside;
		u64 flags;
	} cases[] = {
		{ { 0, 0 }, 1, 4 }, { { 1, 1 }, 0, 2 }, { { 0, 1 }, 0, 2 }, { { 0, 1 }, 1, 4 },
	};
	struct image image = { 0 };
	size_t index;
	u64 flags;

	for (index = 0; index < 4; index++) {
		int fds[2], outside;
		pid_t pid;

		ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
		pid = start_with(fds[cases[index].inside[0]], fds[cases[index].inside[1]],
				 NULL);
		/* Opened for itself: who shares an open file is not looked for. */
		outside = open_fd_of(getpid(), fds[0], cases[index].outside);
		close(fds[0]);
		close(fds[1]);
		EXPECT_GT(save_to("image", pid, "log"), 0);
		EXPECT_TRUE(image_load(&image, "image") && image_get(&image, "pipe.flags", &flags));
		EXPECT_EQ(cases[index].flags, flags);
		image_free(&image);
		EXPECT_EQ(-ENOTCONN, restart_now());
		EXPECT_TRUE(log_names(outside_message));
		/* Closed outside, it is all inside. */
		close(outside);
		EXPECT_GT(save_to("image", pid, "log"), 0);
		EXPECT_EQ(0, restart_now());
		kill_and_reap(pid);
	}
}

/* Others write and read meanwhile: every byte once, and in order. */
static void write_numbers(int fd, const u32 *stop)
{
	u32 block[700], number = 0;
	size_t index;

	while (!READ_ONCE(*stop)) {
		size_t count = 1 + number % 700;

		for (index = 0; index < count; index++)
			block[index] = number++;
		if (write(fd, block, 4 * count) != (ssize_t)(4 * count))
			_exit(7);
	}
	_exit(GOOD);
}

static void read_numbers(int fd, u32 *numbers)
{
	u32 block[900], number = 0;
	ssize_t got;

	while ((got = read(fd, block, sizeof(block))) > 0) {
		ssize_t index;

		for (index = 0; index < got / 4; index++)
			if (block[index] != number++)
				_exit(8);
		tell_word(numbers, number);
	}
	_exit(got ? 9 : GOOD);
}

/* What was unread at one moment: numbers without a gap. */
static bool holds_numbers(const char *path)
{
	struct image image = { 0 };
	u32 next = 0, nbytes, *word;
	unsigned int index;
	u64 buffers = 0;
	bool good;

	good = image_load(&image, path) && image_get(&image, "pipe.nr_buffers", &buffers);
	for (index = 0; good && index < buffers; index++) {
		long at = image_find(&image, "pipe_buffer", index);
		char *buffer = image_at(&image, at + 16, 16);

		nbytes = *(u32 *)(buffer + 8);
		/* A reader may have stopped within a number only if it reads odd sizes. */
		word = image_at(&image, at + 32, nbytes);
		for (; nbytes >= 4; nbytes -= 4, word++) {
			if (next && *word != next)
				good = complain("%u behind %u", *word, next - 1);
			next = *word + 1;
		}
	}
	image_free(&image);
	return good;
}

TEST_F_TIMEOUT(pipes, in_use, LIMIT)
{
	u32 *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid, reader, writer;
	int fds[2], round;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	pid = start_with(fds[0], fds[1], NULL);
	writer = fork();
	if (!writer) {
		close(fds[0]);
		write_numbers(fds[1], shared);
	}
	reader = fork();
	if (!reader) {
		close(fds[1]);
		read_numbers(fds[0], shared + 1);
	}
	close(fds[0]);
	close(fds[1]);
	for (round = 0; round < 30; round++) {
		u32 before = READ_ONCE(shared[1]);
		s64 limit = hang_limit();

		ASSERT_GT(save_to("image", pid, "log"), 0) {
			show_file("log");
		}
		EXPECT_TRUE(holds_numbers("image"));
		while (READ_ONCE(shared[1]) < before + 1000 && monotonic_ns() < limit)
			await_word(shared + 1, READ_ONCE(shared[1]), reader);
		EXPECT_GE(READ_ONCE(shared[1]), before + 1000);
	}
	*shared = 1;
	EXPECT_TRUE(reap(writer, GOOD << 8, "writer"));
	/* The process in the middle was the last that might have written. */
	kill_and_reap(pid);
	EXPECT_TRUE(reap(reader, GOOD << 8, "reader"));
	munmap(shared, 4096);
}

/*
 * An image that nobody reads: the process goes on all the same, and what it
 * closes is closed.
 */
static void close_when_told(void)
{
	int signal;
	sigset_t set;
	char byte;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	make_pipes();
	sigwait(&set, &signal);
	close(1);
	tell(read(0, &byte, 1) == 0);
}

TEST_F_TIMEOUT(pipes, end_while_image_is_written, LIMIT)
{
	pid_t pid = start_blocked(close_when_told, SYS_rt_sigtimedwait), saver;
	int fds[2], unread = 0;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	ASSERT_EQ(4096, fcntl(fds[0], F_SETPIPE_SZ, 4096));
	saver = fork();
	if (!saver)
		_exit(sys_checkpoint(pid, fds[1], CHECKPOINT_SUBTREE, CHECKPOINT_FD_NONE) > 0);
	/* It writes, so the process runs again. */
	while (!unread)
		ioctl(fds[0], FIONREAD, &unread);
	kill(pid, SIGUSR1);
	EXPECT_TRUE(reap(pid, GOOD << 8, "process"));
	kill_and_reap(saver);
	close(fds[0]);
	close(fds[1]);
}

/* Somebody who holds the pipe and sleeps with it is not waited for. */
static void write_from_nowhere(int fd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	area.range.start = (uintptr_t)at;
	area.range.len = 4096;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &area))
		_exit(GOOD);
	write(fd, at, 4096);
	_exit(10);
}

TEST_F_TIMEOUT(pipes, held_by_sleeper, LIMIT)
{
	pid_t pid, holder;
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	pid = start_with(fds[0], fds[0], NULL);
	holder = fork();
	if (!holder)
		write_from_nowhere(fds[1]);
	ASSERT_TRUE(wait_blocked(holder, SYS_write));
	EXPECT_EQ(-EBUSY, save_to("image", pid, "log"));
	EXPECT_TRUE(log_names("holds a pipe and does not let it go"));
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(holder);
	EXPECT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	close(fds[0]);
	close(fds[1]);
}

/* The page of a file, in a pipe that it has twice; the file is gone. */
static void pause_with_page(void)
{
	int file;

	make_pipes();
	file = open("fuse/file", O_RDONLY);
	if (file < 0 || splice(file, NULL, 1, NULL, FUSE_FILE_SIZE, 0) != FUSE_FILE_SIZE)
		_exit(6);
	close(file);
	for (;;)
		pause();
}

static void read_page(void)
{
	int file = open("fuse/file", O_RDONLY);
	char byte;

	_exit(file < 0 || pread(file, &byte, 1, 0) != 1 || byte != FUSE_FILE_LETTER);
}

static bool save_refuses(pid_t pid, int error, const char *word)
{
	long ret = save_to("image", pid, "log");

	if (ret != -error)
		return complain("%ld, not %d", ret, -error);
	return log_names(word) && wait_blocked(pid, NR64_PAUSE);
}

/*
 * A page is still there, and what it held is not: somebody could not write to its
 * file. It is read again, or not, or is no part of the file any more.
 */
TEST_F_TIMEOUT(pipes, pages_that_cannot_be_read, LIMIT)
{
	struct fuse_file fuse;
	pid_t pid, reader;
	int fd;

	ASSERT_TRUE(fuse_file_mount(&fuse, "fuse"));
	pid = start_blocked(pause_with_page, NR64_PAUSE);
	ASSERT_GT(pid, 0);
	EXPECT_GT(save_to("image", pid, "log"), 0);
	fd = open("fuse/file", O_WRONLY | O_CLOEXEC);
	ASSERT_EQ(-1, pwrite(fd, "x", 1, 0));
	ASSERT_EQ(EIO, errno);
	EXPECT_TRUE(save_refuses(pid, EIO, "unread data of a pipe cannot be read"));

	fuse_file_set_answer(&fuse, FUSE_WAIT);
	reader = fork();
	if (!reader)
		read_page();
	ASSERT_TRUE(fuse_file_await_reader(&fuse));
	EXPECT_TRUE(save_refuses(pid, EBUSY,
				 "data of a pipe is still being read from its file"));
	fuse_file_set_answer(&fuse, FUSE_ANSWER);
	EXPECT_TRUE(reap(reader, 0, "reader"));
	EXPECT_GT(save_to("image", pid, "log"), 0);

	ASSERT_EQ(-1, pwrite(fd, "x", 1, 0));
	ASSERT_EQ(0, ftruncate(fd, 0));
	EXPECT_TRUE(save_refuses(pid, ENODATA, "unread data of a pipe cannot be read"));
	close(fd);
	kill_and_reap(pid);
	fuse_file_umount(&fuse);
}

static long restart_as_user(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
			_exit(1);
		_exit(-restart_now());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EFAULT;
}

static void user_with_large_pipe(void)
{
	if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(11);
	make_pipes();
	if (fcntl(0, F_SETPIPE_SZ, 1 << 20) != 1 << 20)
		_exit(12);
	for (;;)
		pause();
}

static void user_with_pipe(void)
{
	if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(11);
	pause_with_data();
}

/* Who restarts has the limits that he has. */
TEST_F_TIMEOUT(pipes, limits, LIMIT)
{
	pid_t pid;

	pid = start_blocked(user_with_large_pipe, NR64_PAUSE);
	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	ASSERT_EQ(0, chmod("log", 0666));
	EXPECT_EQ(0, restart_as_user());
	ASSERT_TRUE(write_file("/proc/sys/fs/pipe-max-size", "524288"));
	EXPECT_EQ(-EPERM, restart_as_user());
	EXPECT_TRUE(log_names("capacity of a pipe: 1048576 bytes"));
	EXPECT_EQ(0, restart_now());
	ASSERT_TRUE(write_file("/proc/sys/fs/pipe-max-size", "1048576"));

	pid = start_blocked(user_with_pipe, NR64_PAUSE);
	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	ASSERT_EQ(0, chmod("log", 0666));
	ASSERT_TRUE(write_file("/proc/sys/fs/pipe-user-pages-soft", "8"));
	EXPECT_EQ(-EPERM, restart_as_user());
	EXPECT_TRUE(log_names("capacity of a pipe: 65536 bytes"));
	EXPECT_EQ(0, restart_now());
	ASSERT_EQ(0, chmod("log", 0666));
	ASSERT_TRUE(write_file("/proc/sys/fs/pipe-user-pages-soft", "16384"));
	ASSERT_TRUE(write_file("/proc/sys/fs/pipe-user-pages-hard", "8"));
	EXPECT_EQ(-ENFILE, restart_as_user());
	EXPECT_EQ(0, restart_now());
	ASSERT_TRUE(write_file("/proc/sys/fs/pipe-user-pages-hard", "0"));
	ASSERT_EQ(0, chmod("log", 0666));
	EXPECT_EQ(0, restart_as_user());
}

static void user_with_pipe_of_root(void)
{
	make_pipes();
	if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(11);
	for (;;)
		pause();
}

/* A pipe belongs to somebody, and cannot be given away. */
TEST_F_TIMEOUT(pipes, owner, LIMIT)
{
	pid_t pid = start_blocked(user_with_pipe_of_root, NR64_PAUSE);

	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	ASSERT_EQ(0, chmod("log", 0666));
	EXPECT_EQ(-EPERM, restart_as_user());
	EXPECT_TRUE(log_names("pipe of user 0, group 0"));
	EXPECT_EQ(0, restart_now());
}

TEST_HARNESS_MAIN
