// SPDX-License-Identifier: GPL-2.0
/*
 * A restart finds the FIFO that the process had open, or says why not; and
 * what others do with the FIFO stays their business.
 */
#include "harness.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

/* How a process has the FIFO open. */
static int mode;
/* It has another one, and more room in the first one. */
static bool has_other;
#define CAPACITY	131072

static void be_process(void)
{
	int reader;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	if (reader || open("fifo", O_WRONLY) != 1)
		_exit(1);
	if (write(1, "unread", 6) != 6)
		_exit(2);
	if (has_other &&
	    (fcntl(1, F_SETPIPE_SZ, CAPACITY) != CAPACITY || open("other", O_RDWR) != 2 ||
	     write(2, "more", 4) != 4))
		_exit(3);
	if (mode == O_WRONLY)
		close(0);
	else if (mode == O_RDONLY)
		close(1);
	for (;;)
		pause();
}

FIXTURE(fifo)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(fifo)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "fifo", 0755));
	ASSERT_EQ(0, mkfifo("fifo", 0644));
}

FIXTURE_TEARDOWN(fifo)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static bool make_image(int how)
{
	pid_t pid;
	bool good;

	mode = how;
	pid = fork();
	if (!pid)
		be_process();
	good = wait_blocked(pid, NR64_PAUSE) && save_to("image", pid, "log") > 0;
	kill_and_reap(pid);
	return good;
}

static long restart_now(void)
{
	return try_restart("image", "log");
}

TEST_F_TIMEOUT(fifo, another, LIMIT)
{
	ASSERT_TRUE(make_image(O_RDWR));
	EXPECT_EQ(0, restart_now());
	ASSERT_EQ(0, rename("fifo", "elsewhere"));
	EXPECT_EQ(-ENOENT, restart_now());
	EXPECT_TRUE(log_names("fifo/fifo"));
	ASSERT_EQ(0, mkfifo("fifo", 0644));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(log_names("is not the one that was saved"));
	ASSERT_EQ(0, unlink("fifo"));
	close(open("fifo", O_WRONLY | O_CREAT | O_EXCL, 0644));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(log_names("it is of another type"));
	ASSERT_EQ(0, unlink("fifo"));
	ASSERT_EQ(0, symlink("elsewhere", "fifo"));
	EXPECT_EQ(0, restart_now());
	ASSERT_EQ(0, unlink("fifo"));
	ASSERT_EQ(0, rename("elsewhere", "fifo"));
	EXPECT_EQ(0, restart_now());
}

/* Unread data goes back into an empty FIFO, and is read by who has it open. */
TEST_F_TIMEOUT(fifo, data_for_others, LIMIT)
{
	char got[20] = "";
	pid_t pid;
	int fd;

	ASSERT_TRUE(make_image(O_WRONLY));
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	pid = restart_from("image", 0, "log");
	ASSERT_GT(pid, 0);
	EXPECT_EQ(6, read(fd, got, sizeof(got)));
	EXPECT_STREQ("unread", got);
	EXPECT_EQ(-1, read(fd, got, sizeof(got)));
	EXPECT_EQ(EAGAIN, errno);
	kill_and_reap(pid);
	EXPECT_EQ(0, read(fd, got, sizeof(got)));
	close(fd);
}

/* But nothing is mixed with what is in there. */
TEST_F_TIMEOUT(fifo, data_of_others, LIMIT)
{
	char got[20] = "";
	int fd;

	ASSERT_TRUE(make_image(O_RDWR));
	fd = open("fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_EQ(5, write(fd, "other", 5));
	EXPECT_EQ(-EBUSY, restart_now());
	EXPECT_TRUE(log_names("holds data of somebody else"));
	EXPECT_EQ(5, read(fd, got, sizeof(got)));
	EXPECT_STREQ("other", got);
	EXPECT_EQ(0, restart_now());
	close(fd);
}

/* Nothing stays in one FIFO if there is no room in another one. */
TEST_F_TIMEOUT(fifo, data_taken_back, LIMIT)
{
	char got[20] = "";
	int fd, other, capacity;
	pid_t pid;

	has_other = true;
	ASSERT_EQ(0, mkfifo("other", 0644));
	ASSERT_TRUE(make_image(O_RDWR));
	fd = open("fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	other = open("other", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	capacity = fcntl(fd, F_GETPIPE_SZ);
	ASSERT_NE(CAPACITY, capacity);
	ASSERT_EQ(5, write(other, "other", 5));
	EXPECT_EQ(-EBUSY, restart_now());
	EXPECT_TRUE(log_names("holds data of somebody else"));
	EXPECT_EQ(-1, read(fd, got, sizeof(got)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(capacity, fcntl(fd, F_GETPIPE_SZ));
	EXPECT_EQ(5, read(other, got, sizeof(got)));
	pid = restart_from("image", 0, "log");
	ASSERT_GT(pid, 0);
	EXPECT_EQ(CAPACITY, fcntl(fd, F_GETPIPE_SZ));
	EXPECT_EQ(6, read(fd, got, sizeof(got)));
	EXPECT_EQ(4, read(other, got, sizeof(got)));
	kill_and_reap(pid);
	close(fd);
	close(other);
}

/* A writer that comes back is no reader, not even for those who wait for one. */
TEST_F_TIMEOUT(fifo, waiting_writer, LIMIT)
{
	pid_t pid, writer;
	int fd;

	ASSERT_TRUE(make_image(O_WRONLY));
	writer = fork();
	if (!writer) {
		fd = open("fifo", O_WRONLY);
		_exit(fd < 0);
	}
	ASSERT_TRUE(wait_blocked(writer, SYS_openat));
	pid = restart_from("image", 0, "log");
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_TRUE(wait_blocked(writer, SYS_openat));
	EXPECT_EQ(-1, open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
	EXPECT_EQ(ENXIO, errno);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	EXPECT_TRUE(reap(writer, 0, "writer"));
	kill_and_reap(pid);
	close(fd);
}

/* A restart that fails has changed nothing. */
TEST_F_TIMEOUT(fifo, failed, LIMIT)
{
	struct stat st;
	int fd, unread = -1;

	ASSERT_TRUE(make_image(O_RDWR));
	ASSERT_EQ(0, stat("image", &st));
	ASSERT_EQ(0, truncate("image", st.st_size - 8));
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	EXPECT_EQ(-EPIPE, restart_now());
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &unread));
	EXPECT_EQ(0, unread);
	close(fd);
}

TEST_F_TIMEOUT(fifo, not_permitted, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(make_image(O_RDONLY));
	ASSERT_EQ(0, chmod("fifo", 0600));
	ASSERT_EQ(0, chmod("log", 0666));
	pid = fork();
	if (!pid) {
		if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
			_exit(1);
		_exit(-restart_now());
	}
	/* It does not even get as far as the credentials of root. */
	EXPECT_TRUE(reap(pid, EPERM << 8, "ordinary user") ||
		    reap(pid, EACCES << 8, "ordinary user"));
}

TEST_HARNESS_MAIN
