// SPDX-License-Identifier: GPL-2.0
/*
 * How far a long system call has come.
 *
 * A child looks at the size of the image twice a second and prints it on the
 * terminal. It is silent for work that is over at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "output.h"
#include "progress.h"
#include "util.h"

#define STEP_MS		500
#define SILENT_STEPS	3
#define MIB		(1024.0 * 1024.0)

/* Until progress_stop() sends its signal, which is blocked. */
static void watch(int fd, const sigset_t *stop)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	unsigned int steps;
	off_t before = 0;

	for (steps = 1; sigtimedwait(stop, NULL, &step) < 0; steps++) {
		off_t size = output_size(fd);

		if (steps > SILENT_STEPS)
			fprintf(stderr, "\r%s: %.1f MiB written, %.1f MiB/s ",
				program, size / MIB,
				(size - before) / MIB * 1000 / STEP_MS);
		before = size;
	}
	if (steps > SILENT_STEPS + 1)
		fprintf(stderr, "\r\033[K");
}

/**
 * progress_start - begin to show how an image grows
 * @fd: the image
 *
 * Return: for progress_stop().
 */
pid_t progress_start(int fd)
{
	pid_t parent = getpid();
	sigset_t stop;
	pid_t pid;

	if (verbosity == QUIET || !isatty(STDERR_FILENO) || output_size(fd) < 0)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		watch(fd, &stop);
	_exit(0);
}

/**
 * progress_stop - stop showing it
 * @pid: from progress_start()
 */
void progress_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
