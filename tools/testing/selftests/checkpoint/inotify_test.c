// SPDX-License-Identifier: GPL-2.0
/*
 * What an inotify instance watches is found by a path, and by no other way: in
 * which mount, under which name, and with whose rights. A restart that fails
 * leaves no watch behind.
 */
#include "harness.h"
#include "image_edit.h"

#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define SYSCTL	"/proc/sys/fs/inotify/"

FIXTURE(inotify)
{
	char dir[PATH_MAX / 2];
	pid_t pid;
};

/* Two watches, a file and a directory, and an event that nobody has read. */
static void be_process(const char *dir)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (chdir(dir))
		_exit(1);
	syscall(SYS_close_range, 0, ~0U, 0);
	if (inotify_init1(IN_NONBLOCK) != 0 || inotify_add_watch(0, "sub", IN_CREATE) != 1 ||
	    inotify_add_watch(0, "sub/file", IN_ATTRIB) != 2 || chmod("sub/file", 0644) ||
	    chdir("/"))
		_exit(2);
	for (;;)
		pause();
}

static long save_now(pid_t pid)
{
	unlink("../log");
	return save_to("../image", pid, "../log");
}

/* What a restart says now; a process that runs is ended. */
static long restart_now(void)
{
	unlink("../log");
	return try_restart("../image", "../log");
}

/* Sets a limit and gives back what it was; NULL if that is not possible. */
static const char *set_limit(const char *path, const char *text)
{
	static char old[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, old, sizeof(old) - 1);

	close(fd);
	if (len <= 0)
		return NULL;
	old[len] = '\0';
	return write_file(path, text) ? old : NULL;
}

FIXTURE_SETUP(inotify)
{
	int fd;

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "inotify", 0755));
	ASSERT_EQ(0, mkdir("sub", 0755));
	ASSERT_EQ(0, mkdir("other", 0755));
	fd = open("sub/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_EQ(4, write(fd, "text", 4));
	close(fd);
	self->pid = fork();
	if (!self->pid)
		be_process(self->dir);
	ASSERT_TRUE(wait_blocked(self->pid, NR64_PAUSE));
}

FIXTURE_TEARDOWN(inotify)
{
	if (self->pid > 0)
		kill_and_reap(self->pid);
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
	unlink("image");
	unlink("log");
}

#define SAVE_AND_KILL() do {						\
	ASSERT_GT(save_now(self->pid), 0) {				\
		show_file("../log");					\
	}								\
	kill_and_reap(self->pid);					\
	self->pid = 0;							\
} while (0)

TEST_F_TIMEOUT(inotify, unchanged, LIMIT)
{
	SAVE_AND_KILL();
	EXPECT_EQ(0, restart_now());
}

TEST_F_TIMEOUT(inotify, vanished, LIMIT)
{
	SAVE_AND_KILL();
	ASSERT_EQ(0, rename("sub", "elsewhere"));
	EXPECT_EQ(-ENOENT, restart_now());
	EXPECT_TRUE(file_holds("../log", "inotify/sub"));
	ASSERT_EQ(0, rename("elsewhere", "sub"));
	EXPECT_EQ(0, restart_now());
}

TEST_F_TIMEOUT(inotify, replaced, LIMIT)
{
	SAVE_AND_KILL();
	ASSERT_EQ(0, rename("sub/file", "elsewhere"));
	wait_for_file_clock();
	ASSERT_TRUE(copy_file("elsewhere", "sub/file", 0644));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(file_holds("../log", "sub/file is not the one that was saved"));
	/* A link to it is not it. */
	ASSERT_EQ(0, unlink("sub/file"));
	ASSERT_EQ(0, symlink("../elsewhere", "sub/file"));
	EXPECT_EQ(-ESTALE, restart_now());
	/* Neither waits for a writer, nor takes it for the file. */
	ASSERT_EQ(0, unlink("sub/file"));
	ASSERT_EQ(0, mkfifo("sub/file", 0644));
	EXPECT_EQ(-ESTALE, restart_now());
}

/* Both names are as good. */
TEST_F_TIMEOUT(inotify, other_name, LIMIT)
{
	ASSERT_EQ(0, link("sub/file", "other/name"));
	ASSERT_EQ(0, unlink("sub/file"));
	SAVE_AND_KILL();
	EXPECT_EQ(0, restart_now());
	ASSERT_EQ(0, unlink("other/name"));
	EXPECT_EQ(-ENOENT, restart_now());
	EXPECT_TRUE(file_holds("../log", "other/name"));
}

TEST_F_TIMEOUT(inotify, covered, LIMIT)
{
	ASSERT_EQ(0, mount("none", "sub", "ramfs", 0, NULL));
	EXPECT_EQ(-ENOENT, save_now(self->pid));
	EXPECT_TRUE(file_holds("../log", "no path leads to sub"));
	EXPECT_TRUE(file_holds("../log", "watch 1 of an inotify instance"));
	EXPECT_EQ(0, umount("sub"));
	/* It can be seen in the other place, and nowhere else. */
	ASSERT_EQ(0, mount("sub", "other", NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount("none", "sub", "ramfs", 0, NULL));
	EXPECT_GT(save_now(self->pid), 0);
	kill_and_reap(self->pid);
	self->pid = 0;
	EXPECT_EQ(0, restart_now());
	EXPECT_EQ(0, umount("other"));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(file_holds("../log", "inotify/other is not the one that was saved"));
	EXPECT_EQ(0, umount("sub"));
}

/* What covers the directory above hides it as well. */
TEST_F_TIMEOUT(inotify, covered_above, LIMIT)
{
	ASSERT_EQ(0, chdir(".."));
	ASSERT_EQ(0, mount("none", "inotify", "ramfs", 0, NULL));
	EXPECT_EQ(-ENOENT, save_to("image", self->pid, "log"));
	EXPECT_EQ(0, umount("inotify"));
	ASSERT_EQ(0, chdir("inotify"));
	SAVE_AND_KILL();
	EXPECT_EQ(0, restart_now());
}

#define DEPTH	300

static void watch_deep(void)
{
	char path[3 * DEPTH + 16] = "hidden/tmp/";
	size_t len = strlen(path);
	int level;

	for (level = 0; level < DEPTH; level++)
		len += sprintf(path + len, "d/");
	if (inotify_init1(0) != 2 || inotify_add_watch(2, path, IN_CREATE) != 1 || chdir("/"))
		_exit(2);
}

/* From the current directory down, and back. */
static bool make_deep(const char *dir)
{
	int home = open(".", O_RDONLY | O_CLOEXEC), level;
	bool good = !chdir(dir);

	for (level = 0; level < DEPTH && good; level++)
		good = !mkdir("d", 0755) && !chdir("d");
	return !fchdir(home) && !close(home) && good;
}

/* The same filesystem once more, at a place that will not be seen. */
static bool bind_hidden(int nr_mounts)
{
	char path[64];
	int index;

	for (index = 0; index < nr_mounts; index++) {
		snprintf(path, sizeof(path), "hidden/%d", index);
		if (mkdir(path, 0755) || mount("hidden/tmp", path, NULL, MS_BIND, NULL))
			return complain("%s: %s", path, strerror(errno));
	}
	return true;
}

/*
 * The search holds the locks of all names and mounts, and ends: also where
 * somebody has made many mounts, deep directories, and hidden most of them.
 */
TEST_F_TIMEOUT(inotify, long_search, LIMIT)
{
	static const int hidden[] = { 50, 400 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t index;

	ASSERT_EQ(0, mkdir("hidden", 0755));
	for (index = 0; index < 2; index++) {
		s64 start;
		pid_t pid;

		ASSERT_EQ(0, mount("none", "hidden", "tmpfs", 0, NULL));
		ASSERT_EQ(0, mkdir("hidden/tmp", 0755));
		ASSERT_EQ(0, mount("none", "hidden/tmp", "tmpfs", 0, NULL));
		ASSERT_TRUE(make_deep("hidden/tmp") && bind_hidden(hidden[index]));
		ASSERT_EQ(0, mount("hidden/tmp", "other", NULL, MS_BIND, NULL));
		pid = start_with(null, null, watch_deep);
		ASSERT_EQ(0, mount("none", "hidden", "tmpfs", 0, NULL));
		start = monotonic_ns();
		if (index) {
			EXPECT_EQ(-ENOENT, save_now(pid));
			EXPECT_TRUE(file_holds("../log", "no path leads to d"));
		} else {
			EXPECT_GT(save_now(pid), 0) {
				show_file("../log");
			}
		}
		EXPECT_LT(monotonic_ns() - start, scaled_ms(2000));
		kill_and_reap(pid);
		EXPECT_EQ(0, umount2("other", MNT_DETACH));
		EXPECT_EQ(0, umount2("hidden", MNT_DETACH));
		EXPECT_EQ(0, umount2("hidden", MNT_DETACH));
	}
	close(null);
}

/* A name that the kernel has dropped is known again when somebody uses it. */
TEST_F_TIMEOUT(inotify, forgotten, LIMIT)
{
	struct stat st;

	ASSERT_EQ(0, stat(".", &st));
	if (!major(st.st_dev))
		SKIP(return, "a filesystem in memory forgets nothing");
	sync();
	ASSERT_TRUE(write_file("/proc/sys/vm/drop_caches", "2"));
	EXPECT_EQ(-ENOENT, save_now(self->pid));
	EXPECT_TRUE(file_holds("../log", "no name of inode"));
	ASSERT_EQ(0, stat("sub/file", &st));
	SAVE_AND_KILL();
	EXPECT_EQ(0, restart_now());
}

TEST_F_TIMEOUT(inotify, too_many_watches, LIMIT)
{
	const char *old;
	int round;
	long ret;

	SAVE_AND_KILL();
	old = set_limit(SYSCTL "max_user_watches", "1");
	ASSERT_NE(NULL, old);
	/* What the first attempts had is free again: else the last one fails. */
	for (round = 0; round < 3; round++) {
		EXPECT_EQ(-ENOSPC, restart_now());
		EXPECT_TRUE(file_holds("../log", "max_user_watches"));
	}
	EXPECT_TRUE(write_file(SYSCTL "max_user_watches", "2"));
	ret = restart_now();
	EXPECT_TRUE(write_file(SYSCTL "max_user_watches", old));
	EXPECT_EQ(0, ret);
}

TEST_F_TIMEOUT(inotify, too_many_instances, LIMIT)
{
	const char *old;

	SAVE_AND_KILL();
	old = set_limit(SYSCTL "max_user_instances", "0");
	ASSERT_NE(NULL, old);
	EXPECT_EQ(-EMFILE, restart_now());
	EXPECT_TRUE(write_file(SYSCTL "max_user_instances", old));
	EXPECT_TRUE(file_holds("../log", "max_user_instances"));
	EXPECT_EQ(0, restart_now());
}

/* One event and one to say that there were more: three are too many. */
TEST_F_TIMEOUT(inotify, too_many_events, LIMIT)
{
	const char *old;

	ASSERT_EQ(0, mkdir("sub/one", 0755));
	ASSERT_EQ(0, mkdir("sub/two", 0755));
	SAVE_AND_KILL();
	old = set_limit(SYSCTL "max_queued_events", "1");
	ASSERT_NE(NULL, old);
	EXPECT_EQ(-ENOSPC, restart_now());
	EXPECT_TRUE(write_file(SYSCTL "max_queued_events", old));
	EXPECT_TRUE(file_holds("../log", "max_queued_events"));
	EXPECT_EQ(0, restart_now());
}

/* Who may not read it may not watch it. */
TEST_F_TIMEOUT(inotify, not_permitted, LIMIT)
{
	pid_t pid;

	kill_and_reap(self->pid);
	ASSERT_EQ(0, chown("sub", ORDINARY_UID, ORDINARY_UID));
	ASSERT_EQ(0, chmod("..", 0777));
	self->pid = fork();
	if (!self->pid) {
		if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		if (inotify_init1(0) != 0 || inotify_add_watch(0, "sub", IN_CREATE) != 1 ||
		    chdir("/"))
			_exit(2);
		for (;;)
			pause();
	}
	ASSERT_TRUE(wait_blocked(self->pid, NR64_PAUSE));
	SAVE_AND_KILL();
	ASSERT_EQ(0, chmod("../image", 0644));
	ASSERT_EQ(0, chmod("sub", 0300));
	unlink("../log");
	pid = fork();
	if (!pid) {
		if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
			_exit(1);
		_exit(-restart_now());
	}
	EXPECT_TRUE(reap(pid, EACCES << 8, "ordinary user"));
	EXPECT_TRUE(file_holds("../log", "sub may not be watched"));
	ASSERT_EQ(0, chmod("sub", 0755));
	EXPECT_EQ(0, restart_now());
}

/* Numbers that the kernel would not have given out in this order. */
TEST_F_TIMEOUT(inotify, bad_numbers, LIMIT)
{
	static const struct {
		const char *what;
		u64 value;
	} rows[] = {
		{ "inotify_watch[0].wd", 0 }, { "inotify_watch[0].wd", 2 },
		{ "inotify_watch[0].wd", 3 }, { "inotify_watch[1].wd", 0x80000000 },
		{ "inotify_watch[0].mask", 0x10000000 }, { "inotify.next_wd", 0x80000001 },
		{ "inotify_event[0].wd", 0xffffffff }, { "inotify_event[0].wd", 0 },
		{ "inotify_event[0].mask", IN_Q_OVERFLOW }, { "inotify.nr_events", 0xffffffff },
		{ "inotify.nr_watches", 0xffffffff }, { "inotify.nr_watches", 1 },
	};
	struct image image, spoilt;
	size_t index;

	SAVE_AND_KILL();
	ASSERT_TRUE(image_load(&image, "../image"));
	for (index = 0; index < sizeof(rows) / sizeof(*rows); index++) {
		ASSERT_TRUE(image_copy(&spoilt, &image));
		ASSERT_TRUE(image_set(&spoilt, rows[index].what, rows[index].value));
		image_seal(&spoilt);
		ASSERT_TRUE(image_store(&spoilt, "../image"));
		image_free(&spoilt);
		EXPECT_NE(0, restart_now()) {
			complain("%s = %llx", rows[index].what,
				 (unsigned long long)rows[index].value);
		}
	}
	/* The largest one is a number like the others. */
	ASSERT_TRUE(image_set(&image, "inotify_watch[1].wd", 0x7fffffff));
	ASSERT_TRUE(image_set(&image, "inotify.next_wd", 0x80000000));
	image_seal(&image);
	ASSERT_TRUE(image_store(&image, "../image"));
	image_free(&image);
	EXPECT_EQ(0, restart_now());
}

TEST_HARNESS_MAIN
