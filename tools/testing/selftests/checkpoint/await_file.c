// SPDX-License-Identifier: GPL-2.0
/*
 * usage: await_file SECONDS FILE WHAT [FILE WHAT]...
 *
 * Wait until one of the files has WHAT: a line, or, if it is a number, at least
 * so many lines. The kernel tells when a file changes, and also when those of a
 * cgroup do. Exit status 1 if that takes longer than SECONDS, 2 if it makes no
 * sense.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

static bool has(const char *path, const char *what)
{
	unsigned long lines = 0, wanted;
	FILE *file = fopen(path, "r");
	bool found = false;
	size_t size = 0;
	char *end, *line = NULL;

	wanted = strtoul(what, &end, 10);
	while (file && !found && getline(&line, &size, file) > 0) {
		bool is_whole = strchr(line, '\n');

		line[strcspn(line, "\n")] = '\0';
		lines += is_whole;
		found = *end ? !strcmp(line, what) : lines >= wanted;
	}
	free(line);
	if (file)
		fclose(file);
	return found || (!*end && !wanted);
}

static bool one_has(char **arguments)
{
	for (; arguments[0]; arguments += 2)
		if (has(arguments[0], arguments[1]))
			return true;
	return false;
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	struct pollfd poll_fd = { .events = POLLIN };
	char events[4096];
	long limit;
	int i;

	if (argc < 4 || argc % 2) {
		fprintf(stderr, "usage: await_file SECONDS FILE WHAT [FILE WHAT]...\n");
		return 2;
	}
	limit = milliseconds() + 1000 * atol(argv[1]);
	poll_fd.fd = inotify_init1(IN_CLOEXEC);
	for (i = 2; i < argc; i += 2) {
		if (inotify_add_watch(poll_fd.fd, argv[i], IN_MODIFY) < 0) {
			fprintf(stderr, "await_file: %s: %s\n", argv[i], strerror(errno));
			return 2;
		}
	}
	while (!one_has(argv + 2)) {
		long left = limit - milliseconds();

		if (left <= 0 || poll(&poll_fd, 1, left) <= 0 ||
		    read(poll_fd.fd, events, sizeof(events)) <= 0)
			return 1;
	}
	return 0;
}
