// SPDX-License-Identifier: GPL-2.0
/* A checkpoint whose image is not read before the test wants it to go on. */
#include "saver.h"

bool start_saver(struct saver *saver, pid_t target, const char *cgroup)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return complain("pipe: %s", strerror(errno));
	saver->pid = fork();
	if (!saver->pid) {
		int log = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

		close(fds[0]);
		if (cgroup && !write_file(cgroup, "0"))
			_exit(99);
		_exit(sys_checkpoint(target, fds[1], CHECKPOINT_SUBTREE, log) < 0 ? errno : 0);
	}
	close(fds[1]);
	saver->image = fds[0];
	/* The target runs again when the image begins. */
	return read(saver->image, saver->begun, sizeof(saver->begun)) == sizeof(saver->begun) ||
	       complain("no image");
}

bool end_saver(struct saver *saver, const char *path, int status)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static char buffer[65536];
	ssize_t got = sizeof(saver->begun);

	write(fd, saver->begun, got);
	while ((got = read(saver->image, buffer, sizeof(buffer))) > 0)
		write(fd, buffer, got);
	close(fd);
	close(saver->image);
	return reap(saver->pid, status << 8, "checkpoint()");
}

bool restart_image(const char *dir, const char *name)
{
	char image[PATH_MAX], log[PATH_MAX], output[PATH_MAX];
	const char *const argv[] = {
		tool_path("restart"), "--pids", "--no-wait", "-i", image, "-l", log, NULL
	};

	if (!argv[0] || !make_path(image, sizeof(image), dir, name) ||
	    !make_path(log, sizeof(log), dir, "log") ||
	    !make_path(output, sizeof(output), dir, "output"))
		return false;
	unlink("log");
	if (reap(spawn(argv, output), 0, "restart(1)"))
		return true;
	show_file("output");
	show_file("log");
	return false;
}
