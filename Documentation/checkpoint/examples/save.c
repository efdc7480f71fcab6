// SPDX-License-Identifier: GPL-2.0
/*
 * Save another process: checkpoint(1) in its simplest form.
 *
 *	./save PID >job.ckpt
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/checkpoint.h>

int main(int argc, char **argv)
{
	pid_t pid = argc == 2 ? atoi(argv[1]) : 0;

	if (pid <= 0) {
		fprintf(stderr, "usage: save PID >IMAGE\n");
		return 2;
	}
	/* The kernel tells on standard error what it cannot save. */
	if (syscall(__NR_checkpoint, pid, STDOUT_FILENO, CHECKPOINT_SUBTREE,
		    STDERR_FILENO) < 0) {
		perror("checkpoint");
		return 1;
	}
	return 0;
}
