// SPDX-License-Identifier: GPL-2.0
/*
 * Files of /proc that tell who polls when they have changed: a checkpoint takes
 * no change away from the process and makes none up, and after a restart one is
 * told, because everything may have changed. And mounts below the root directory
 * of a process that has one of its own.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/checkpoint_image.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define FILE_FD	0
#define EPOLL	1

FIXTURE(events)
{
	char dir[PATH_MAX / 2];
	char hostname[65];
};

FIXTURE_SETUP(events)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "proc", 0755));
	ASSERT_EQ(0, mkdir("there", 0755));
	ASSERT_EQ(0, gethostname(self->hostname, sizeof(self->hostname)));
}

FIXTURE_TEARDOWN(events)
{
	EXPECT_FALSE(leaves_children());
	EXPECT_EQ(0, sethostname(self->hostname, strlen(self->hostname)));
	umount2("there", MNT_DETACH);
	leave_directory(self->dir);
}

static bool mount_something(void)
{
	return !mount("none", "there", "tmpfs", 0, NULL);
}

/* Two of these are two changes, even if the name stays. */
static bool change_hostname(void)
{
	return !sethostname("guest", 5);
}

static bool is_change(u32 events)
{
	return events == (POLLPRI | POLLERR);
}

static pid_t start_process(void (*body)(void))
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		body();
		_exit(1);
	}
	return pid;
}

/* Waits for a change of the mounts. */
static void wait_for_mount(void)
{
	struct pollfd file = { .fd = FILE_FD, .events = POLLPRI };

	if (open("/proc/self/mounts", O_RDONLY) != FILE_FD)
		_exit(2);
	if (poll(&file, 1, -1) != 1 || !is_change(file.revents))
		_exit(3);
	_exit(poll(&file, 1, 0) ? 4 : 0);
}

TEST_F_TIMEOUT(events, none_made_up, LIMIT)
{
	pid_t pid = start_process(wait_for_mount);

	ASSERT_TRUE(wait_blocked(pid, NR64_POLL));
	EXPECT_GT(save_to("image", pid, "log"), 0) {
		show_file("log");
	}
	EXPECT_TRUE(wait_blocked(pid, NR64_RESTART_SYSCALL));
	ASSERT_TRUE(mount_something());
	EXPECT_TRUE(reap(pid, 0, "process that waits for mounts"));
	/* Whatever is mounted by then. */
	pid = restart_from("image", 0, "log");
	EXPECT_GT(pid, 0) {
		show_file("log");
	}
	EXPECT_TRUE(reap(pid, 0, "restarted process"));
}

static void check_change(int signal)
{
	struct pollfd file = { .fd = FILE_FD, .events = POLLPRI };

	(void)signal;
	_exit(poll(&file, 1, 0) == 1 && is_change(file.revents) ? 0 : 5);
}

static void open_and_pause(void)
{
	signal(SIGUSR1, check_change);
	if (open("/proc/self/mountinfo", O_RDONLY) != FILE_FD)
		_exit(2);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(events, none_taken_away, LIMIT)
{
	pid_t pid = start_process(open_and_pause);

	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	ASSERT_TRUE(mount_something());
	EXPECT_GT(save_to("image", pid, "log"), 0);
	EXPECT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_TRUE(reap(pid, 0, "process with mounts"));
}

/*
 * The item has reported a change, and does not look at the next one: the process
 * will ask for that itself.
 */
static void watch_once(void)
{
	struct epoll_event event = { .events = EPOLLPRI | EPOLLET | EPOLLONESHOT };

	signal(SIGUSR1, check_change);
	if (open("/proc/sys/kernel/hostname", O_RDONLY) != FILE_FD ||
	    epoll_create1(0) != EPOLL || epoll_ctl(EPOLL, EPOLL_CTL_ADD, FILE_FD, &event) ||
	    !change_hostname() || epoll_wait(EPOLL, &event, 1, 0) != 1 ||
	    !is_change(event.events) || !change_hostname())
		_exit(2);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(events, none_taken_from_epoll, LIMIT)
{
	pid_t pid = start_process(watch_once);

	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_GT(save_to("image", pid, "log"), 0) {
		show_file("log");
	}
	EXPECT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_TRUE(reap(pid, 0, "process with an epoll"));
	pid = restart_from("image", 0, "log");
	EXPECT_GT(pid, 0) {
		show_file("log");
	}
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_TRUE(reap(pid, 0, "restarted process with an epoll"));
}

static char before[4096], after[4096];

static bool read_mounts(char *to, size_t size)
{
	ssize_t len = pread(FILE_FD, to, size - 1, 0);

	to[len > 0 ? len : 0] = '\0';
	return len > 0;
}

static void compare_mounts(int signal)
{
	(void)signal;
	if (!read_mounts(after, sizeof(after)))
		_exit(6);
	_exit(strcmp(before, after) ? 7 : 0);
}

/* Its mounts are those below its root directory, by the names that they have there. */
static void open_in_chroot(void)
{
	signal(SIGUSR1, compare_mounts);
	if (chroot("there") || chdir("/") || open("/proc/self/mounts", O_RDONLY) != FILE_FD ||
	    !read_mounts(before, sizeof(before)) || !strstr(before, "proc /proc proc ") ||
	    strstr(before, "there"))
		_exit(2);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(events, root_directory, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(mount_something());
	ASSERT_EQ(0, mkdir("there/proc", 0755));
	ASSERT_EQ(0, mount("proc", "there/proc", "proc", 0, NULL));
	pid = start_process(open_in_chroot);
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_GT(save_to("image", pid, "log"), 0) {
		show_file("log");
	}
	kill_and_reap(pid);
	pid = restart_from("image", 0, "log");
	EXPECT_GT(pid, 0) {
		show_file("log");
	}
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_TRUE(reap(pid, 0, "restarted process"));
	EXPECT_EQ(0, umount("there/proc"));
}

/* An image that finds /proc elsewhere, which is a name of as many bytes. */
static bool move_proc(const char *to)
{
	struct image image;
	unsigned int index;
	bool good = false;

	if (!image_load(&image, "image"))
		return false;
	for (index = 0; index < image_count(&image, "string"); index++) {
		char *text = (char *)image_text(&image, image_find(&image, "string", index));

		if (strcmp(text, "/proc"))
			continue;
		memcpy(text, to, strlen(text));
		good = true;
	}
	image_seal(&image);
	good = good && image_store(&image, "changed");
	image_free(&image);
	return good;
}

static void open_memory(void)
{
	if (open("/proc/self/mem", O_RDONLY) != FILE_FD)
		_exit(2);
	for (;;)
		pause();
}

static void open_pages(void)
{
	if (open("/proc/self/pagemap", O_RDONLY) != FILE_FD)
		_exit(2);
	for (;;)
		pause();
}

/* An image with another position of the file of /proc. */
static bool change_position(u64 position)
{
	struct image image;
	unsigned int index;
	bool good = false;
	char what[32];
	u64 kind;

	if (!image_load(&image, "image"))
		return false;
	for (index = 0; index < image_count(&image, "file"); index++) {
		snprintf(what, sizeof(what), "file[%u].kind", index);
		if (!image_get(&image, what, &kind) || kind != CKPT_FILE_PROC)
			continue;
		snprintf(what, sizeof(what), "file[%u].pos", index);
		good = image_set(&image, what, position);
	}
	image_seal(&image);
	good = good && image_store(&image, "changed");
	image_free(&image);
	return good;
}

/* Any position is one, where it is an address: also those that look like errors. */
TEST_F_TIMEOUT(events, positions, LIMIT)
{
	static void (*const files[])(void) = { open_pages, open_memory, open_and_pause };
	static const s64 positions[] = { 1, 1LL << 47, -0xa00000, -EINVAL, -1, 1LL << 63 };
	size_t file, index;

	for (file = 0; file < sizeof(files) / sizeof(*files); file++) {
		pid_t pid = start_process(files[file]);

		ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
		ASSERT_GT(save_to("image", pid, "log"), 0);
		kill_and_reap(pid);
		for (index = 0; index < sizeof(positions) / sizeof(*positions); index++) {
			bool is_text = files[file] == open_and_pause;

			TH_LOG("file %zu, position %zu", file, index);
			ASSERT_TRUE(change_position(positions[index]));
			/* A text has no such positions. */
			EXPECT_EQ(is_text && positions[index] < 0 ? -EINVAL : 0,
				  try_restart("changed", "log"));
		}
	}
}

/* A link leads to another file of /proc, which is not what it is taken for. */
TEST_F_TIMEOUT(events, behind_symlink, LIMIT)
{
	static const char * const wrong[] = {
		"/proc/self/status", "/proc/self/maps", "/proc/1/mem", "/proc/meminfo",
		"/dev/zero",
	};
	static const int errors[] = { ESTALE, ESTALE, EBADF, ESTALE, ESTALE };
	pid_t pid = start_process(open_memory);
	size_t index;

	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	remove_tree("/fake");
	ASSERT_EQ(0, mkdir("/fake", 0755));
	ASSERT_EQ(0, mkdir("/fake/self", 0755));
	ASSERT_TRUE(move_proc("/fake"));
	for (index = 0; index < sizeof(wrong) / sizeof(*wrong); index++) {
		ASSERT_EQ(0, symlink(wrong[index], "/fake/self/mem"));
		unlink("log");
		EXPECT_EQ(-errors[index], try_restart("changed", "log"));
		EXPECT_TRUE(file_holds("log", "/fake/self/mem is no such file of /proc"));
		ASSERT_EQ(0, unlink("/fake/self/mem"));
	}
	ASSERT_EQ(0, symlink("/proc/self/mem", "/fake/self/mem"));
	EXPECT_EQ(0, try_restart("changed", "log"));
	remove_tree("/fake");
}

TEST_HARNESS_MAIN
