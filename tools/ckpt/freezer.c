// SPDX-License-Identifier: GPL-2.0
/*
 * The cgroup that a program is left frozen in.
 *
 * Its tasks are created there. While they wait for their records a freezer would
 * disturb them, and when they are the saved ones it would come too late. But the
 * kernel makes them that only when it has read the end of the image: so what is
 * in front of it is passed on and read, the cgroup is frozen, and then the end
 * is passed on. RESTART_FROZEN has the kernel look whether all tasks are.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "freezer.h"
#include "raw.h"
#include "util.h"

static int open_file(const char *dir, const char *name)
{
	char *path = must_print("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		error("cannot use %s: %s%s", path, strerror(errno),
		      errno == ENOENT ? " (is it the directory of a cgroup v2?)" : "");
	free(path);
	return fd;
}

static int tell(const struct freezer *freezer, const char *value)
{
	if (write(freezer->freeze, value, 1) == 1)
		return 0;
	error("cannot write %s to %s/cgroup.freeze: %s", value, freezer->dir,
	      strerror(errno));
	return -1;
}

/**
 * freezer_open - find the cgroup, and thaw it
 * @freezer: with its directory
 *
 * Return: 0, or -1 after a message.
 */
int freezer_open(struct freezer *freezer)
{
	freezer->freeze = open_file(freezer->dir, "cgroup.freeze");
	if (freezer->freeze < 0)
		return -1;
	freezer->procs = open_file(freezer->dir, "cgroup.procs");
	if (freezer->procs < 0)
		return -1;
	return tell(freezer, "0");
}

/**
 * freezer_enter - move the current process into the cgroup
 * @freezer: the cgroup
 *
 * Return: 0 or a negative errno.
 */
int freezer_enter(const struct freezer *freezer)
{
	long ret = raw_syscall(SYS_write, freezer->procs, "0", 1);

	return ret < 0 ? ret : 0;
}

/**
 * freezer_freeze_when_read - freeze the cgroup when the kernel has read all
 * @freezer: the cgroup
 * @pipe: what the kernel reads from
 *
 * Return: 0, or -1 after a message.
 */
int freezer_freeze_when_read(const struct freezer *freezer, int pipe)
{
	struct pollfd reader = { .fd = pipe };
	int unread = 0;

	do {
		/* Nobody tells when a pipe is empty, only when its reader is gone. */
		if (poll(&reader, 1, 1) > 0)
			return -1;
		if (ioctl(pipe, FIONREAD, &unread)) {
			error("cannot tell what was read: %s", strerror(errno));
			return -1;
		}
	} while (unread);
	return tell(freezer, "1");
}

/**
 * freezer_thaw - leave nothing frozen
 * @freezer: of a restart that failed
 */
void freezer_thaw(const struct freezer *freezer)
{
	if (freezer->dir)
		tell(freezer, "0");
}
