// SPDX-License-Identifier: GPL-2.0
/* Restarting images with namespaces as this user or that one. */
#include "ns_restart.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>

void be_user(uid_t uid)
{
	if (setgroups(0, NULL) || (uid && (setgid(uid) || setuid(uid))))
		_exit(99);
	/* To be saved by itself, and to write its own maps. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* An image for who restarts, and an empty log that anybody may write. */
bool open_both(struct image *image, bool seal, int *fd, int *log)
{
	*fd = memfd_create("image", MFD_CLOEXEC);
	*log = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (seal)
		image_seal(image);
	return *fd >= 0 && *log >= 0 && image_store_fd(image, *fd);
}

int exit_status(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return complain("status %#x", status);
	return WEXITSTATUS(status);
}

/* Exit status of who becomes the process of the image; its errno if it cannot. */
int become(int fd, int log)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (lseek(fd, 0, SEEK_SET))
			_exit(97);
		sys_restart(0, fd, RESTART_TASKSELF, log);
		_exit(errno);
	}
	return exit_status(pid);
}

void drop_capability(int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(97);
	data[0].effective &= ~(1U << capability);
	if (syscall(SYS_capset, &header, data))
		_exit(97);
}

int restart_without(struct image *image, uid_t uid, int capability)
{
	int fd, log;
	pid_t pid;

	if (!open_both(image, true, &fd, &log))
		return -1;
	pid = fork();
	if (!pid) {
		be_user(uid);
		if (capability >= 0)
			drop_capability(capability);
		_exit(become(fd, log));
	}
	close(fd);
	close(log);
	return exit_status(pid);
}

int restart_as(struct image *image, uid_t uid)
{
	return restart_without(image, uid, -1);
}

/* Is that image refused, with this message? */
bool is_refused(struct image *image, uid_t uid, int error, const char *word)
{
	int got = restart_as(image, uid);

	if (got != error)
		return complain("%d, not %d", got, error);
	if (!file_holds("log", word)) {
		show_file("log");
		return complain("the log does not say '%s'", word);
	}
	return true;
}
