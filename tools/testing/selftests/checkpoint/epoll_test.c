// SPDX-License-Identifier: GPL-2.0
/*
 * Epolls that others use too, and images with epolls that no kernel wrote.
 */
#include "harness.h"
#include "image_edit.h"
#include "ns_restart.h"

#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define NR_EPOLL_WAIT	232

static bool watch(int epoll, int fd, u32 events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

FIXTURE(epolls)
{
	char dir[PATH_MAX / 2];
	struct image image;
	int fd;
};

/* What is open at 2 watches 0, and 3 watches 2 and 1; 4 is a file. */
static void make_epolls(void)
{
	if (epoll_create1(0) != 2 || epoll_create1(0) != 3 || !watch(2, 0, EPOLLIN) ||
	    !watch(3, 2, EPOLLIN | EPOLLET) || !watch(3, 1, EPOLLIN) ||
	    open("/", O_RDONLY) != 4)
		_exit(2);
}

FIXTURE_SETUP(epolls)
{
	pid_t pid;
	int fd;

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "epolls", 0777));
	self->fd = eventfd(1, EFD_CLOEXEC);
	fd = eventfd(0, EFD_CLOEXEC);
	pid = start_with(self->fd, fd, make_epolls);
	ASSERT_GT(save_to("image", pid, "log"), 0) {
		show_file("log");
	}
	kill_and_reap(pid);
	close(fd);
	ASSERT_TRUE(image_load(&self->image, "image"));
}

FIXTURE_TEARDOWN(epolls)
{
	EXPECT_FALSE(leaves_children());
	image_free(&self->image);
	close(self->fd);
	leave_directory(self->dir);
}

static u64 value_of(const struct image *image, const char *what)
{
	u64 value = 0;

	image_get(image, what, &value);
	return value;
}

static int restart_changed(const struct image *image)
{
	pid_t pid;

	unlink("log");
	if (!image_store(image, "changed"))
		return -EIO;
	pid = restart_from("changed", 0, "log");
	if (pid < 0)
		return pid;
	kill_and_reap(pid);
	return 0;
}

/* An image that differs in one or two fields. */
static bool refuses(const struct image *image, const char *what, u64 value, const char *what2,
		    u64 value2, int error, const char *word)
{
	struct image changed;
	bool good = image_copy(&changed, image) && image_set(&changed, what, value) &&
		    (!what2 || image_set(&changed, what2, value2));
	int ret;

	if (!good)
		return complain("cannot change %s", what);
	image_seal(&changed);
	ret = restart_changed(&changed);
	image_free(&changed);
	if (ret != -error)
		return complain("%s = %#llx: restart() says %d, expected %d", what,
				(unsigned long long)value, ret, -error);
	return log_names(word);
}

/*
 * The first item is that of epoll 2, the other two are those of epoll 3; the
 * first of these is on its ready list.
 */
TEST_F_TIMEOUT(epolls, items_as_they_cannot_be, LIMIT)
{
	const struct image *image = &self->image;
	u64 inner = value_of(image, "epoll_items[0].epoll");
	u64 outer = value_of(image, "epoll_items[1].epoll");
	u64 counter = value_of(image, "epoll_item[0].file");
	/* The first files that the image has are program and descriptors. */
	u64 directory = value_of(image, "file_desc[4].file");

	ASSERT_EQ(2, image_count(image, "epoll_items"));
	ASSERT_EQ(3, image_count(image, "epoll_item"));
	ASSERT_EQ(inner, value_of(image, "epoll_item[1].file"));
	EXPECT_EQ(0, restart_changed(image));

	/* A cycle of two, and of one. */
	EXPECT_TRUE(refuses(image, "epoll_item[0].file", outer, NULL, 0, ELOOP,
			    "item 2 ([eventpoll]) of an epoll"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].file", inner, NULL, 0, EINVAL,
			    "an epoll watches itself"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].file", directory, NULL, 0, EPERM, "item 0"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].file", 1, NULL, 0, EINVAL, "file"));
	EXPECT_TRUE(refuses(image, "epoll_items[0].epoll", counter, NULL, 0, EINVAL,
			    "is no epoll"));
	EXPECT_TRUE(refuses(image, "epoll_item[2].file", inner, "epoll_item[2].fd",
			    value_of(image, "epoll_item[1].fd"), EEXIST, "item 2"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].events", 0, NULL, 0, EINVAL,
			    "nothing is watched"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].events", EPOLLET, NULL, 0, EINVAL,
			    "nothing is watched"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].events", EPOLLIN | EPOLLERR, NULL, 0, EINVAL,
			    "errors are not watched"));
	EXPECT_TRUE(refuses(image, "epoll_item[1].events", EPOLLEXCLUSIVE | EPOLLIN | EPOLLERR |
			    EPOLLHUP, NULL, 0, EINVAL, "it cannot be exclusive"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].events", EPOLLEXCLUSIVE | EPOLLONESHOT |
			    EPOLLERR | EPOLLHUP, NULL, 0, EINVAL, "it cannot be exclusive"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].fd", 1ULL << 31, NULL, 0, EINVAL, "fd"));
	EXPECT_TRUE(refuses(image, "epoll_item[0].flags", 2, NULL, 0, EINVAL, "flags"));
	EXPECT_TRUE(refuses(image, "epoll[0].busy_poll_usecs", 1ULL << 31, NULL, 0, EINVAL,
			    "busy_poll_usecs"));
	EXPECT_TRUE(refuses(image, "epoll_items[0].nr_items", 0xffffffff, NULL, 0, EINVAL, ""));
}

/* What restart() says to root who must not change how the network works. */
static int restart_without_admin(const struct image *image)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		drop_capability(CAP_NET_ADMIN);
		_exit(-restart_changed(image));
	}
	return -exit_status(pid);
}

/* Whoever restarts has no rights but his own. */
TEST_F_TIMEOUT(epolls, rights, LIMIT)
{
	struct image changed;

	ASSERT_TRUE(write_file("/proc/sys/fs/epoll/max_user_watches", "0"));
	EXPECT_EQ(-ENOSPC, restart_changed(&self->image));
	ASSERT_TRUE(write_file("/proc/sys/fs/epoll/max_user_watches", "100000"));
	EXPECT_TRUE(log_names("max_user_watches allows no more"));
	EXPECT_EQ(0, restart_changed(&self->image));

	ASSERT_TRUE(image_copy(&changed, &self->image));
	ASSERT_TRUE(image_set(&changed, "epoll[0].busy_poll_budget", 100));
	image_seal(&changed);
	EXPECT_EQ(0, restart_changed(&changed));
	EXPECT_EQ(-EPERM, restart_without_admin(&changed));
	EXPECT_TRUE(log_names("epoll polls for 100 packets: more than 64 need CAP_NET_ADMIN"));
	ASSERT_TRUE(image_set(&changed, "epoll[0].busy_poll_budget", 64));
	image_seal(&changed);
	EXPECT_EQ(0, restart_without_admin(&changed));
	image_free(&changed);
}

/* An item goes when the last who has the file open closes it. */
TEST_F_TIMEOUT(epolls, open_outside_only, LIMIT)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid;

	ASSERT_TRUE(watch(epoll, self->fd, EPOLLIN));
	pid = start_with(epoll, epoll, NULL);
	EXPECT_EQ(-EBUSY, save_to("image", pid, "log"));
	EXPECT_TRUE(log_names("an epoll watches file"));
	kill_and_reap(pid);
	pid = start_with(epoll, self->fd, NULL);
	EXPECT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	close(epoll);
}

/* Somebody who holds the epoll and sleeps with it is not waited for. */
static void wait_into_nowhere(int epoll)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	area.range.start = (uintptr_t)at;
	area.range.len = 4096;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &area))
		_exit(1);
	syscall(NR_EPOLL_WAIT, epoll, at, 1, -1);
	_exit(10);
}

TEST_F_TIMEOUT(epolls, held_by_sleeper, LIMIT)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid, holder;

	ASSERT_TRUE(watch(epoll, self->fd, EPOLLIN));
	pid = start_with(epoll, self->fd, NULL);
	holder = fork();
	if (!holder)
		wait_into_nowhere(epoll);
	ASSERT_TRUE(wait_blocked(holder, NR_EPOLL_WAIT));
	EXPECT_EQ(-EBUSY, save_to("image", pid, "log"));
	EXPECT_TRUE(log_names("holds an epoll and does not let it go"));
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(holder);
	EXPECT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	close(epoll);
}

#define NOTICED	55

/*
 * 0 is a FIFO that it reads when it is told that there is something new. That it
 * can be written to was told before: a restart must not tell it again, and must
 * not take what is new for that.
 */
static void read_at_edge(void)
{
	struct epoll_event event;
	char byte;

	if (epoll_create1(0) != 2 || !watch(2, 0, EPOLLIN | EPOLLOUT | EPOLLET))
		_exit(2);
	/* By another call than the one in which the test finds it. */
	if (syscall(SYS_epoll_pwait, 2, &event, 1, -1, NULL, 0) != 1 || event.events != EPOLLOUT)
		_exit(3);
	if (syscall(NR_EPOLL_WAIT, 2, &event, 1, -1) != 1 ||
	    event.events != (EPOLLIN | EPOLLOUT) || read(0, &byte, 1) != 1)
		_exit(4);
	_exit(NOTICED);
}

static pid_t start_reader(void)
{
	int fd = open("fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		dup2(fd, 0);
		/* As another one, so that it stays when this one is closed. */
		if (dup2(0, 1) != 1)
			_exit(1);
		syscall(SYS_close_range, 2, ~0U, 0);
		read_at_edge();
	}
	close(fd);
	return wait_blocked(pid, NR_EPOLL_WAIT) ? pid : 0;
}

/* One byte, at some moment of what the test does now. */
static pid_t write_soon(int fd, s64 after_ns)
{
	s64 start = monotonic_ns();
	pid_t pid = fork();

	if (!pid) {
		while (monotonic_ns() < start + after_ns)
			continue;
		_exit(write(fd, "x", 1) != 1);
	}
	return pid;
}

/*
 * Somebody else writes while an epoll is saved and restored. Whenever that is,
 * the edge is reported: in place, and to the restarted process if the byte came
 * after it was saved.
 */
TEST_F_TIMEOUT(epolls, edge_at_any_moment, LIMIT)
{
	s64 took = 0;
	int fd, round;

	ASSERT_EQ(0, mkfifo("fifo", 0600));
	fd = open("fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	for (round = 0; round < 100; round++) {
		pid_t pid = start_reader(), writer;
		s64 start;
		long ret;

		ASSERT_GT(pid, 0);
		writer = write_soon(fd, took * (round % 50) / 40);
		start = monotonic_ns();
		ret = save_to("image", pid, "log");
		/* It may have noticed it already, and be gone. */
		EXPECT_TRUE(ret > 0 || ret == -ESRCH);
		if (ret > 0)
			took = monotonic_ns() - start;
		ASSERT_TRUE(reap(pid, NOTICED << 8, "who was saved") &&
			    reap(writer, 0, "writer")) {
			TH_LOG("round %d", round);
		}
	}
	for (round = 0; round < 200; round++) {
		pid_t pid = start_reader(), writer;
		s64 start;

		ASSERT_GT(save_to("image", pid, "log"), 0);
		kill_and_reap(pid);
		writer = write_soon(fd, took * (round % 100) / 80);
		start = monotonic_ns();
		pid = restart_from("image", 0, "log");
		took = monotonic_ns() - start;
		ASSERT_GT(pid, 0) {
			show_file("log");
		}
		ASSERT_TRUE(reap(pid, NOTICED << 8, "who was restarted") &&
			    reap(writer, 0, "writer")) {
			TH_LOG("round %d", round);
		}
	}
	close(fd);
}

TEST_HARNESS_MAIN
