// SPDX-License-Identifier: GPL-2.0
/*
 * What ordinary system calls cost, in instructions: the median of many. For two
 * kernels that differ in one option to be compared.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

#define TIMES		500
#define WARM		50
#define FILE_NAME	DIR_NAME "/file"
#define FAULTS		64

static char *area;

static void do_getppid(void)
{
	syscall(SYS_getppid);
}

static void do_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void do_exec(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/proc/self/exe", "bench", "nothing", NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void *be_thread(void *arg)
{
	return arg;
}

static void do_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, be_thread, NULL);
	pthread_join(thread, NULL);
}

static void do_pipe(void)
{
	int fds[2];
	char c = 0;

	if (pipe(fds) || write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
		die("pipe");
	close(fds[0]);
	close(fds[1]);
}

static void do_open(void)
{
	close(open(FILE_NAME, O_RDONLY));
}

static void do_socket(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		die("socketpair");
	close(fds[0]);
	close(fds[1]);
}

static void do_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), fd = eventfd(0, 0);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
	close(fd);
	close(epoll);
}

static void ignore(int sig)
{
	(void)sig;
}

static void do_signal(void)
{
	raise(SIGUSR1);
}

static void do_map(void)
{
	munmap(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	       PAGE);
}

/* Pages that come into being, and go all at once. */
static void do_faults(void)
{
	size_t i;

	for (i = 0; i < FAULTS; i++)
		area[i * PAGE] = 1;
	madvise(area, FAULTS * PAGE, MADV_DONTNEED);
}

/* Pages of which a child's write makes copies. */
static void do_copies(void)
{
	pid_t pid;
	size_t i;

	for (i = 0; i < FAULTS; i++)
		area[i * PAGE] = 1;
	pid = fork();
	if (!pid) {
		for (i = 0; i < FAULTS; i++)
			area[i * PAGE] = 2;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static const struct {
	const char *name;
	void (*call)(void);
} calls[] = {
	{ "getppid", do_getppid },
	{ "fork+exit+wait", do_fork },
	{ "vfork+exec+exit+wait", do_exec },
	{ "thread+join", do_thread },
	{ "pipe+write+read+close", do_pipe },
	{ "open+close", do_open },
	{ "socketpair+close", do_socket },
	{ "epoll+eventfd+close", do_epoll },
	{ "signal+handler", do_signal },
	{ "mmap+munmap", do_map },
	{ "64-page-faults", do_faults },
	{ "fork+64-copies-on-write", do_copies },
};

static int compare(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

int measure_calls(void)
{
	static uint64_t ticks[TIMES];
	size_t i, time;

	write_file(FILE_NAME, "a file");
	signal(SIGUSR1, ignore);
	area = mmap(NULL, FAULTS * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (area == MAP_FAILED)
		die("no memory");
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		for (time = 0; time < WARM; time++)
			calls[i].call();
		for (time = 0; time < TIMES; time++) {
			uint64_t start = __rdtsc();

			calls[i].call();
			ticks[time] = __rdtsc() - start;
		}
		qsort(ticks, TIMES, sizeof(*ticks), compare);
		workload = calls[i].name;
		report("calls", "insns", ticks[TIMES / 2]);
	}
	return 0;
}
