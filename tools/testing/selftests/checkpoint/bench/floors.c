// SPDX-License-Identifier: GPL-2.0
/*
 * What nobody can do without, measured in a process that is as big as the subject:
 * the fork() that shares all its memory, a copy of it, its way into a file and back;
 * and of many tasks, their creation.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define REPETITIONS	3
#define MAX_CHILDREN	2000

static pid_t children[MAX_CHILDREN];

/* Of as many children, which stay until all are there. */
static uint64_t forks(size_t count)
{
	uint64_t start = now_ticks(), ticks;
	size_t i;

	for (i = 0; i < count; i++) {
		children[i] = fork();
		if (!children[i])
			for (;;)
				pause();
		if (children[i] < 0)
			die("fork: %s", strerror(errno));
	}
	ticks = now_ticks() - start;
	for (i = 0; i < count; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	return ticks;
}

static void floor_fork(size_t count)
{
	uint64_t best = UINT64_MAX, ticks;
	int i;

	for (i = 0; i < REPETITIONS; i++) {
		ticks = forks(count);
		if (ticks < best)
			best = ticks;
	}
	report_cost("fork", "stop", best);
}

/* The same with an end to each. */
static void floor_tasks(size_t count)
{
	uint64_t start = now_ticks();
	size_t i;

	for (i = 1; i < count; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	report_cost("fork+exit+wait", "restart", now_ticks() - start);
}

static void *be_thread(void *arg)
{
	return arg;
}

static void floor_threads(size_t count)
{
	uint64_t start = now_ticks();
	pthread_t thread;
	size_t i;

	for (i = 1; i < count; i++)
		if (pthread_create(&thread, NULL, be_thread, NULL) ||
		    pthread_join(thread, NULL))
			die("no thread");
	report_cost("create+join", "restart", now_ticks() - start);
}

/* Empty memory of the same kind. */
static void *fresh(const char *kind, size_t size)
{
	size_t room = size + HUGE_PAGE;
	void *area = mmap(NULL, room, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		die("no memory");
	if (!strcmp(kind, "thp")) {
		uintptr_t start = (uintptr_t)area + HUGE_PAGE - 1;

		area = (void *)(start / HUGE_PAGE * HUGE_PAGE);
		madvise(area, size, MADV_HUGEPAGE);
	}
	return area;
}

static void must_move(const char *how, ssize_t moved, size_t size)
{
	if (moved != (ssize_t)size)
		die("%s: %s", how, moved < 0 ? strerror(errno) : "not all");
}

static void floor_copies(const char *kind, const uint64_t *memory, size_t size)
{
	uint64_t *copy = fresh(kind, size);
	uint64_t start, ticks;
	int fd;

	memset(copy, 1, size);
	start = now_ticks();
	memcpy(copy, memory, size);
	ticks = now_ticks() - start;
	report_cost("memcpy", "stop", ticks);
	if (!intact(copy, size))
		die("memcpy");
	munmap(copy, size);

	fd = open(DIR_NAME "/floor", O_RDWR | O_CREAT | O_TRUNC, 0644);
	start = now_ticks();
	must_move("write", write(fd, memory, size), size);
	ticks = now_ticks() - start;
	report_cost("write", "checkpoint", ticks);

	copy = fresh(kind, size);
	start = now_ticks();
	must_move("pread", pread(fd, copy, size, 0), size);
	ticks = now_ticks() - start;
	report_cost("pread", "restart", ticks);
	munmap(copy, size);
	close(fd);
	unlink(DIR_NAME "/floor");
}

static void measure(const struct load *load)
{
	size_t size = load->count << 20;

	if (is_memory(load->kind)) {
		uint64_t *memory = fill(load->kind, size);

		floor_fork(1);
		if (size)
			floor_copies(load->kind, memory, size);
	} else if (!strcmp(load->kind, "cow")) {
		fill("anon", COW_SIZE);
		floor_fork(load->count);
	} else if (!strcmp(load->kind, "tasks")) {
		floor_fork(load->count - 1);
		floor_tasks(load->count);
	} else if (!strcmp(load->kind, "threads")) {
		floor_threads(load->count);
	}
}

void measure_floors(const struct load *load)
{
	int status;
	pid_t pid;

	if (!strcmp(load->kind, "redis")) {
		redis_floors(load->count);
		return;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		measure(load);
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("the floors could not be measured");
}
