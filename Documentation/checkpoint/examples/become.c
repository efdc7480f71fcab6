// SPDX-License-Identifier: GPL-2.0
/*
 * Become the saved process: like execve(), with an image for a program.
 *
 *	./become <job.ckpt
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/checkpoint.h>

int main(void)
{
	syscall(__NR_restart, 0, STDIN_FILENO, RESTART_TASKSELF, STDERR_FILENO);
	/* Here we are only if it failed, and then nothing has changed. */
	perror("restart");
	return 1;
}
