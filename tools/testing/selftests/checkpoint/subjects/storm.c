// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that never come to rest: workers create children or threads that end
 * at once, wait for them, and look whether all is right with each. The argument
 * is what they create: "fork", "vfork", "execve", "thread", "kill", "stop".
 *
 * control->counter[0] counts what has come and gone.
 */
#include "subject.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NR_WORKERS	4

static pid_t workers[NR_WORKERS];
static volatile int *nr_started;

static int await(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) != pid) {
		if (errno == EINTR)
			continue;
		check(false, "waitpid(%d): %s", pid, strerror(errno));
		return -1;
	}
	return status;
}

static void by_fork(unsigned int round)
{
	pid_t pid = fork();

	if (!pid)
		_exit(round % 100);
	check(pid > 0, "fork(): %s", strerror(errno));
	check_equal(await(pid), round % 100 << 8, "status");
}

static void by_vfork(unsigned int round)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(round % 100);
	check(pid > 0, "vfork(): %s", strerror(errno));
	check_equal(await(pid), round % 100 << 8, "status");
}

static void by_execve(unsigned int round)
{
	static char *const argv[] = { "storm", SUBJECT_ENDS, NULL };
	static char *const envp[] = { NULL };
	pid_t pid = fork();

	(void)round;
	if (!pid) {
		execve("/proc/self/exe", argv, envp);
		_exit(9);
	}
	check(pid > 0, "fork(): %s", strerror(errno));
	check_equal(await(pid), SUBJECT_ENDS_WITH << 8, "status");
}

static void *end_at_once(void *round)
{
	return round;
}

static void by_thread(unsigned int round)
{
	void *arg = (void *)(uintptr_t)round, *result = NULL;
	pthread_t thread;
	int error = pthread_create(&thread, NULL, end_at_once, arg);

	if (check(!error, "pthread_create(): %s", strerror(error)) &&
	    check(!pthread_join(thread, &result), "pthread_join()"))
		check(result == arg, "result of a thread");
}

static void by_kill(unsigned int round)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	check(pid > 0, "fork(): %s", strerror(errno));
	if (round % 2)
		sched_yield();
	check(!kill(pid, SIGKILL), "kill(): %s", strerror(errno));
	check_equal(await(pid), SIGKILL, "status");
}

static void by_stop(unsigned int round)
{
	pid_t pid = fork();
	int status;

	(void)round;
	if (!pid)
		for (;;)
			pause();
	check(pid > 0, "fork(): %s", strerror(errno));
	kill(pid, SIGSTOP);
	check(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status),
	      "a stopped child: %#x", status);
	kill(pid, SIGCONT);
	check(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status),
	      "a continued child: %#x", status);
	kill(pid, SIGKILL);
	check_equal(await(pid), SIGKILL, "status");
}

static const struct {
	const char *name;
	void (*act)(unsigned int round);
} acts[] = {
	{ "fork", by_fork },
	{ "vfork", by_vfork },
	{ "execve", by_execve },
	{ "thread", by_thread },
	{ "kill", by_kill },
	{ "stop", by_stop },
};

static void work(unsigned int worker)
{
	void (*act)(unsigned int round) = NULL;
	unsigned int round;
	size_t index;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (index = 0; index < ARRAY_SIZE(acts); index++)
		if (mode_is(acts[index].name))
			act = acts[index].act;
	need(act);
	for (round = 0; !subject_must_go(); round++) {
		act(round);
		if (!round)
			__atomic_add_fetch(nr_started, 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&control->counter[0], 1, __ATOMIC_SEQ_CST);
	}
	_exit(50 + worker);
}

static void setup(void)
{
	unsigned int worker;

	nr_started = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(nr_started != MAP_FAILED);
	for (worker = 0; worker < NR_WORKERS; worker++) {
		workers[worker] = fork();
		need(workers[worker] >= 0);
		if (!workers[worker])
			work(worker);
	}
	while (*nr_started < NR_WORKERS)
		sched_yield();
}

static void verify(void)
{
	unsigned int worker;

	for (worker = 0; worker < NR_WORKERS; worker++)
		check_equal(await(workers[worker]), (50 + worker) << 8,
			    "status of a worker");
	check(waitpid(-1, NULL, 0) < 0 && errno == ECHILD, "one child too many");
}

const struct subject subject = { .setup = setup, .verify = verify };
