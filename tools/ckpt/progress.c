// SPDX-License-Identifier: GPL-2.0
/*
 * How far a long system call has come.
 *
 * A child looks at the position in the image twice a second and prints it on
 * the terminal. It is silent for work that is over at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "util.h"

#define STEP_MS		500
#define SILENT_STEPS	3
#define MIB		(1024.0 * 1024.0)

/* Not lseek(): that may have to wait for the system call. */
static long long position(int fd)
{
	char path[64], line[128];
	long long at = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (at < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "pos: %lld", &at) != 1)
			at = -1;
	fclose(file);
	return at;
}

/* Until progress_stop() sends its signal, which is blocked. */
static void watch(int fd, const char *verb,
		  const unsigned long long *image_size, const sigset_t *stop)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	long long before = image_size ? (long long)*image_size : position(fd);
	char packed[64] = "";
	unsigned int steps;

	for (steps = 1; sigtimedwait(stop, NULL, &step) < 0; steps++) {
		long long in_file = position(fd);
		long long at = image_size ? (long long)*image_size : in_file;

		if (image_size)
			snprintf(packed, sizeof(packed),
				 ", compressed %.1f MiB", in_file / MIB);
		if (steps > SILENT_STEPS)
			fprintf(stderr, "\r%s: %.1f MiB %s%s, %.1f MiB/s ",
				program, at / MIB, verb, packed,
				(at - before) / MIB * 1000 / STEP_MS);
		before = at;
	}
	if (steps > SILENT_STEPS + 1)
		fprintf(stderr, "\r\033[K");
}

/**
 * progress_counter - a number that this process shares with its children
 *
 * Return: the number, 0 to begin with.
 */
unsigned long long *progress_counter(void)
{
	void *counter = mmap(NULL, sizeof(unsigned long long),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (counter == MAP_FAILED) {
		error("out of memory");
		exit(EXIT_FAILED);
	}
	return counter;
}

/**
 * progress_start - begin to show how far an image is written or read
 * @fd: the file
 * @verb: "written" or "read"
 * @image_size: bytes of the image if the file is compressed, or NULL
 *
 * Return: for progress_stop().
 */
pid_t progress_start(int fd, const char *verb,
		     const unsigned long long *image_size)
{
	pid_t parent = getpid();
	struct stat st;
	sigset_t stop;
	pid_t pid;

	if (verbosity == QUIET || !isatty(STDERR_FILENO) || fstat(fd, &st) ||
	    !S_ISREG(st.st_mode))
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
		watch(fd, verb, image_size, &stop);
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
