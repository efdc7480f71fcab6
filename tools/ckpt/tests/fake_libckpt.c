// SPDX-License-Identifier: GPL-2.0
/*
 * The library without a kernel behind it.
 *
 * The tools are linked with it to test all that they do around the system
 * calls. The environment tells how the calls end:
 *
 * FAKE_IMAGE:   file that checkpoint() writes
 * FAKE_ERRNO:   the call fails
 * FAKE_PROGRAM: shell command that a restarted task becomes
 * FAKE_READ:    restart() reads only that many bytes, and fails
 * FAKE_OUTPUT:  file that gets the image that restart() reads
 * FAKE_GO:      directory where the coordinator tells a task to go on
 * FAKE_HOLD:    the call stays until this FIFO is open for writing and closed
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ckpt.h"
#include "util.h"

#include <linux/checkpoint_image.h>

static int number_of(const char *variable)
{
	const char *text = getenv(variable);

	return text ? atoi(text) : 0;
}

/* A call that takes its time, with all of the image written or read. */
static void hold(void)
{
	const char *path = getenv("FAKE_HOLD");
	char byte;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY);
	while (fd >= 0 && read(fd, &byte, sizeof(byte)) > 0)
		continue;
	close(fd);
}

static long end(int logfd)
{
	static const char message[] = "[err -9][pos 8][E @ fake:1] task 1: no\n";

	errno = number_of("FAKE_ERRNO");
	if (errno && logfd >= 0) {
		int errnum = errno;

		write_all(logfd, message, sizeof(message) - 1);
		errno = errnum;
	}
	return errno ? -1 : 0;
}

long ckpt_checkpoint(pid_t pid, int fd, unsigned long flags, int logfd)
{
	const char *file = getenv("FAKE_IMAGE");
	int in = file ? open(file, O_RDONLY) : -1;
	char data[4096];
	ssize_t got;

	(void)pid;
	(void)flags;
	while (in >= 0 && (got = read(in, data, sizeof(data))) > 0)
		if (write_all(fd, data, got))
			return -1;
	close(in);
	hold();
	return end(logfd) ? -1 : 77;
}

static void go_file(char *path, size_t size)
{
	snprintf(path, size, "%s/go", getenv("FAKE_GO"));
}

/* The kernel does without a tail in no image, but that of a failure. */
static bool has_tail(const char *end, ssize_t len)
{
	struct ckpt_hdr_tail tail;

	if (len < (ssize_t)sizeof(tail))
		return false;
	memcpy(&tail, end + len - sizeof(tail), sizeof(tail));
	return tail.magic == CKPT_IMAGE_TAIL_MAGIC;
}

long ckpt_restart(pid_t pid, int fd, unsigned long flags, int logfd)
{
	ssize_t limit = number_of("FAKE_READ"), got, sum = 0;
	const char *output = getenv("FAKE_OUTPUT");
	static char data[1 << 20];
	char path[PATH_MAX];
	int out = -1;

	(void)pid;
	(void)flags;
	do {
		got = read(fd, data + sum, sizeof(data) - sum);
		if (got < 0)
			return -1;
		sum += got;
		if (sum > 16 && memcmp(data + 8, "LNUCKPT", 8)) {
			errno = EINVAL;
			return -1;
		}
	} while (got && (!limit || sum < limit));
	hold();
	if (output)
		out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out >= 0 && write_all(out, data, sum))
		return -1;
	close(out);
	if (!limit && !has_tail(data, sum)) {
		errno = EPIPE;
		return -1;
	}
	if (end(logfd))
		return -1;
	go_file(path, sizeof(path));
	close(open(path, O_WRONLY | O_CREAT, 0600));
	return 0;
}

long ckpt_restart_task(unsigned int index, unsigned long flags)
{
	char path[PATH_MAX];

	(void)index;
	(void)flags;
	go_file(path, sizeof(path));
	while (access(path, F_OK))
		usleep(1000);
	unlink(path);
	execl("/bin/sh", "sh", "-c", getenv("FAKE_PROGRAM"), NULL);
	return -1;
}

long ckpt_restart_self(int fd, unsigned long flags, int logfd)
{
	(void)fd;
	(void)flags;
	if (end(logfd))
		return -1;
	execl("/bin/sh", "sh", "-c", getenv("FAKE_PROGRAM"), NULL);
	return -1;
}

bool ckpt_available(void)
{
	return true;
}
