// SPDX-License-Identifier: GPL-2.0
/*
 * Bring a process back: restart(1) in its simplest form.
 *
 *	./bring-back <job.ckpt
 *
 * The child takes place 0 in the image and waits. The parent coordinates: it
 * reads the image, and the child becomes the saved process.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/checkpoint.h>

int main(void)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (!pid) {
		/* Does not return here, unless the restart fails. */
		syscall(__NR_restart, 0, 0, 0, CHECKPOINT_FD_NONE);
		_exit(1);
	}
	if (syscall(__NR_restart, pid, STDIN_FILENO, 0, STDERR_FILENO) < 0) {
		perror("restart");
		/* A child that the image never reached waits for ever. */
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return 1;
	}
	if (waitpid(pid, &status, 0) < 0) {
		perror("waitpid");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
