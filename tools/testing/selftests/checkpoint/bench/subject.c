// SPDX-License-Identifier: GPL-2.0
/*
 * The process that the benchmark saves: it holds many things of one kind and
 * knows afterwards whether they are as they were.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define FILES_DIR	DIR_NAME "/files"
#define MAX_OBJECTS	2000
#define THREAD_STACK	65536

static volatile sig_atomic_t asked;
static uint64_t *memory;
static int fds[MAX_OBJECTS][2];
static int epoll_fd;
static pid_t children[MAX_OBJECTS];
static pthread_t threads[MAX_OBJECTS];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void ask(int sig)
{
	(void)sig;
	asked = 1;
}

uint64_t pattern(uint64_t word)
{
	return (word + 1) * 0x9e3779b97f4a7c15ULL;
}

bool is_memory(const char *kind)
{
	return !strcmp(kind, "anon") || !strcmp(kind, "thp") ||
	       !strcmp(kind, "shared");
}

uint64_t *fill(const char *kind, size_t size)
{
	bool huge = !strcmp(kind, "thp");
	int flags = strcmp(kind, "shared") ? MAP_PRIVATE : MAP_SHARED;
	size_t room = huge ? size + HUGE_PAGE : size + !size * PAGE;
	uint64_t *area = mmap(NULL, room, PROT_READ | PROT_WRITE,
			      flags | MAP_ANONYMOUS, -1, 0);
	size_t word;

	if (area == MAP_FAILED)
		die("no memory: %s", strerror(errno));
	if (huge) {
		uintptr_t start = (uintptr_t)area + HUGE_PAGE - 1;

		area = (uint64_t *)(start / HUGE_PAGE * HUGE_PAGE);
		if (madvise(area, size, MADV_HUGEPAGE))
			die("no huge pages: %s", strerror(errno));
	}
	for (word = 0; word < size / sizeof(*area); word++)
		area[word] = pattern(word);
	return area;
}

bool intact(const uint64_t *area, size_t size)
{
	size_t word;

	for (word = 0; word < size / sizeof(*area); word++)
		if (area[word] != pattern(word))
			return false;
	return true;
}

void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s: %s", name, strerror(errno));
	close(fd);
}

static void anon_setup(size_t count)
{
	memory = fill("anon", count << 20);
}

static bool anon_verify(size_t count)
{
	return intact(memory, count << 20);
}

/* The same, verified alike. */
static void shared_setup(size_t count)
{
	memory = fill("shared", count << 20);
}

/* In huge pages, all of it. */
static void thp_setup(size_t count)
{
	struct memory_use use;

	memory = fill("thp", count << 20);
	memory_of(getpgrp(), false, &use);
	if (use.huge != count << 20)
		die("only %zu MiB are huge pages", (size_t)(use.huge >> 20));
}

static size_t own_word(size_t child)
{
	return child * PAGE / sizeof(*memory);
}

static void cow_child(size_t child, int ready)
{
	sigset_t usr1;
	int signal;
	bool good;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	memory[own_word(child)] = child;
	if (write(ready, "", 1) != 1)
		_exit(1);
	close(ready);
	sigwait(&usr1, &signal);
	good = memory[own_word(child)] == child;
	memory[own_word(child)] = pattern(own_word(child));
	_exit(!good || !intact(memory, COW_SIZE));
}

/* Children that share memory until they write: each has one page of its own. */
static void cow_setup(size_t count)
{
	int ready[2];
	size_t i;
	char c;

	memory = fill("anon", COW_SIZE);
	if (pipe(ready))
		die("pipe: %s", strerror(errno));
	for (i = 1; i <= count; i++) {
		children[i] = fork();
		if (children[i] < 0)
			die("child %zu: %s", i, strerror(errno));
		if (!children[i]) {
			close(ready[0]);
			cow_child(i, ready[1]);
		}
	}
	close(ready[1]);
	for (i = 1; i <= count; i++)
		if (read(ready[0], &c, 1) != 1)
			die("a child is gone");
	close(ready[0]);
}

static bool cow_verify(size_t count)
{
	bool good = intact(memory, COW_SIZE);
	int status;
	size_t i;

	for (i = 1; i <= count; i++) {
		kill(children[i], SIGUSR1);
		good &= waitpid(children[i], &status, 0) == children[i] &&
			!status;
	}
	return good;
}

/* Each with eight unread bytes. */
static void pipes_setup(size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		uint64_t word = pattern(i);

		if (pipe(fds[i]) || write(fds[i][1], &word, 8) != 8)
			die("pipe %zu: %s", i, strerror(errno));
	}
}

static bool pipes_verify(size_t count)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < count; i++)
		if (read(fds[i][0], &word, 8) != 8 || word != pattern(i) ||
		    write(fds[i][1], &word, 8) != 8)
			return false;
	return true;
}

/* Each another file, at another position. */
static void files_setup(size_t count)
{
	char name[64];
	size_t i;

	mkdir(FILES_DIR, 0755);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), FILES_DIR "/%zu", i);
		fds[i][0] = open(name, O_RDWR | O_CREAT, 0644);
		if (fds[i][0] < 0 || lseek(fds[i][0], i, SEEK_SET) < 0)
			die("%s: %s", name, strerror(errno));
	}
}

static bool files_verify(size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (lseek(fds[i][0], 0, SEEK_CUR) != (off_t)i)
			return false;
	return true;
}

/* One epoll that watches as many eventfds. */
static void epoll_setup(size_t count)
{
	size_t i;

	epoll_fd = epoll_create1(0);
	for (i = 0; i < count; i++) {
		struct epoll_event event = {
			.events = EPOLLIN, .data.u64 = pattern(i),
		};

		fds[i][0] = eventfd(0, EFD_NONBLOCK);
		if (fds[i][0] < 0 ||
		    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i][0], &event))
			die("eventfd %zu: %s", i, strerror(errno));
	}
}

static bool epoll_verify(size_t count)
{
	uint64_t word = 1;
	size_t i;

	for (i = 0; i < count; i++) {
		struct epoll_event event;

		if (epoll_wait(epoll_fd, &event, 1, 0) ||
		    write(fds[i][0], &word, 8) != 8 ||
		    epoll_wait(epoll_fd, &event, 1, 0) != 1 ||
		    event.data.u64 != pattern(i) ||
		    read(fds[i][0], &word, 8) != 8)
			return false;
	}
	return true;
}

/* A parent and its children, which do nothing. */
static void tasks_setup(size_t count)
{
	size_t i;

	for (i = 1; i < count; i++) {
		children[i] = fork();
		if (children[i] < 0)
			die("child %zu: %s", i, strerror(errno));
		if (children[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

static bool tasks_verify(size_t count)
{
	bool good = true;
	int status;
	size_t i;

	for (i = 1; i < count; i++) {
		kill(children[i], SIGTERM);
		good &= waitpid(children[i], &status, 0) == children[i] &&
			status == SIGTERM;
	}
	return good;
}

static void *be_thread(void *arg)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return arg;
}

static void threads_setup(size_t count)
{
	pthread_attr_t attr;
	size_t i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	pthread_mutex_lock(&gate);
	for (i = 1; i < count; i++)
		if (pthread_create(&threads[i], &attr, be_thread, (void *)i))
			die("thread %zu", i);
}

static bool threads_verify(size_t count)
{
	bool good = true;
	void *result;
	size_t i;

	pthread_mutex_unlock(&gate);
	for (i = 1; i < count; i++)
		good &= !pthread_join(threads[i], &result) &&
			result == (void *)i;
	return good;
}

static const struct {
	const char *kind;
	void (*setup)(size_t count);
	bool (*verify)(size_t count);
} loads[] = {
	{ "anon", anon_setup, anon_verify },
	{ "shared", shared_setup, anon_verify },
	{ "thp", thp_setup, anon_verify },
	{ "cow", cow_setup, cow_verify },
	{ "pipes", pipes_setup, pipes_verify },
	{ "files", files_setup, files_verify },
	{ "epoll", epoll_setup, epoll_verify },
	{ "tasks", tasks_setup, tasks_verify },
	{ "threads", threads_setup, threads_verify },
};

int subject(const char *kind, size_t count)
{
	const struct rlimit many = { 2 * MAX_OBJECTS + 16, 2 * MAX_OBJECTS + 16 };
	struct sigaction action = { .sa_handler = ask };
	sigset_t none, usr1;
	size_t i;

	for (i = 0; strcmp(loads[i].kind, kind); i++)
		if (i + 1 == sizeof(loads) / sizeof(*loads))
			die("no kind %s", kind);
	setrlimit(RLIMIT_NOFILE, &many);
	/*
	 * Also by all threads: right after a restart the first one is about to enter
	 * sigsuspend() again, and another one would take the signal.
	 */
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	loads[i].setup(count);

	sigemptyset(&none);
	sigaction(SIGUSR1, &action, NULL);
	write_file(READY, "ready");
	while (!asked)
		sigsuspend(&none);
	write_file(VERDICT, loads[i].verify(count) ? "intact" : "broken");
	return 0;
}
