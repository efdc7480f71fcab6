// SPDX-License-Identifier: GPL-2.0
/*
 * Directories that are not there any more, for who is in them and who has them
 * open.
 *
 *	pwd		the working directory, with mode and times of its own
 *	open		several descriptors, and the working directory besides
 *	nested		the directory above is gone, too
 *	replaced	there is another one under the name
 */
#include "subject.h"

#include <dirent.h>
#include <sys/stat.h>

#define MTIME	1500000000

static int fds[4];
static struct stat above;

/* Whoever asks for ".." there gets here. */
static void remember_above(void)
{
	need(!close(open("beacon", O_WRONLY | O_CREAT, 0644)));
	need(!stat(".", &above));
}

static void setup_pwd(void)
{
	struct timespec times[2] = { { MTIME, 1 }, { MTIME, 123456789 } };

	remember_above();
	need(!mkdir("gone", 0755) && !chdir("gone") && !chmod(".", 01751));
	need(!rmdir("../gone"));
	need(!utimensat(AT_FDCWD, ".", times, 0));
}

static void setup_open(void)
{
	remember_above();
	need(!mkdir("gone", 0755) && !chdir("gone"));
	fds[0] = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[1] = open("../gone", O_RDONLY);
	fds[2] = open(".", O_PATH);
	fds[3] = dup(fds[1]);
	need(fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0);
	need(!rmdir("../gone"));
}

static void setup_nested(void)
{
	remember_above();
	need(!mkdir("upper", 0755) && !mkdir("upper/gone", 0700) && !chdir("upper/gone"));
	need(!rmdir("../gone") && !rmdir("../../upper"));
}

static void setup_replaced(void)
{
	setup_pwd();
	need(!mkdir("../gone", 0700) && !close(open("../gone/other", O_WRONLY | O_CREAT, 0644)));
}

static void check_removed(int fd, mode_t mode)
{
	struct stat now;

	check(!fstatat(fd, "", &now, AT_EMPTY_PATH), "stat: %s", strerror(errno));
	check_equal(now.st_mode, S_IFDIR | mode, "mode");
	check_equal(now.st_uid, geteuid(), "owner");
	check_equal(now.st_gid, getegid(), "group");
	check(now.st_nlink < 2, "%lu links", (unsigned long)now.st_nlink);
	check(openat(fd, "new", O_WRONLY | O_CREAT, 0644) < 0 && errno == ENOENT,
	      "a file in it: %s", strerror(errno));
	check(mkdirat(fd, "new", 0755) && errno == ENOENT, "a directory in it: %s",
	      strerror(errno));
	check(faccessat(fd, "other", F_OK, 0) && errno == ENOENT, "it is another one");
	check(!faccessat(fd, "../beacon", F_OK, 0), "no way up: %s", strerror(errno));
}

static void check_above(void)
{
	struct stat now;

	check(!stat("..", &now), "..: %s", strerror(errno));
	/* A tmpfs is another one after a reboot. */
	if (!subject_was_rebooted())
		check_equal(now.st_ino, above.st_ino, "directory above");
}

static void check_pwd(mode_t mode)
{
	char path[256];

	check(!getcwd(path, sizeof(path)) && errno == ENOENT, "working directory: %s", path);
	check_removed(AT_FDCWD, mode);
}

/* Nothing is left of what a restart has made for a moment. */
static void check_nothing_left(bool replaced)
{
	DIR *directory = opendir("..");
	struct dirent *entry;

	need(directory);
	while ((entry = readdir(directory)))
		check(strncmp(entry->d_name, "gone", 4) || (replaced && !entry->d_name[4]),
		      "%s is there", entry->d_name);
	closedir(directory);
}

static void verify_pwd(void)
{
	struct stat now;

	check_pwd(01751);
	check_above();
	need(!stat(".", &now));
	check_equal(now.st_mtim.tv_sec, MTIME, "time");
	check_equal(now.st_mtim.tv_nsec, 123456789, "nanoseconds");
	check_nothing_left(mode_is("replaced"));
}

static void verify_open(void)
{
	struct stat first, now;
	char entries[1024];
	int index;

	check_pwd(0755);
	check_above();
	need(!stat(".", &first));
	for (index = 0; index < 4; index++) {
		check_removed(fds[index], 0755);
		need(!fstat(fds[index], &now));
		check_equal(now.st_ino, first.st_ino, "inode");
	}
	check(syscall(SYS_getdents64, fds[0], entries, sizeof(entries)) < 0 && errno == ENOENT,
	      "entries: %s", strerror(errno));
	check(syscall(SYS_getdents64, fds[2], entries, sizeof(entries)) < 0 && errno == EBADF,
	      "entries of a path: %s", strerror(errno));
	check_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
	check_equal(fcntl(fds[2], F_GETFL) & O_PATH, O_PATH, "flags");
	check(!fchdir(fds[1]), "fchdir: %s", strerror(errno));
	check_nothing_left(false);
}

/* What was in between is left out. */
static void verify_nested(void)
{
	char path[256];

	check(!getcwd(path, sizeof(path)) && errno == ENOENT, "it is back: %s", path);
	check(openat(AT_FDCWD, "new", O_WRONLY | O_CREAT, 0644) < 0 && errno == ENOENT,
	      "a file in it: %s", strerror(errno));
	check(!access(subject_was_restarted() ? "../beacon" : "../../beacon", F_OK),
	      "no way up: %s", strerror(errno));
}

static const struct subject_mode modes[] = {
	{ "pwd", setup_pwd, verify_pwd },
	{ "open", setup_open, verify_open },
	{ "nested", setup_nested, verify_nested },
	{ "replaced", setup_replaced, verify_pwd },
	{ }
};

const struct subject subject = { .modes = modes, .skip = SKIP_FILES };
