// SPDX-License-Identifier: GPL-2.0
/*
 * Job control: children that signals have stopped, in calls that go on when they
 * are continued, and what wait() says of them.
 */
#include "subject.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* struct job.flags */
#define WAITED		0x1	/* the parent knows that it is stopped */
#define CONTINUED	0x2	/* goes on again, and the parent does not know */
#define SIGNALLED	0x4	/* got another signal while it was stopped */
#define THREADED	0x8	/* has another thread */

/**
 * struct job - a child that was stopped
 * @signo: by this signal
 * @flags: see above
 * @pid: its id
 * @pipe: it reads from here
 */
static struct job {
	int signo;
	unsigned int flags;
	pid_t pid;
	int pipe[2];
} jobs[] = {
	{ SIGSTOP, WAITED },
	{ SIGSTOP, 0 },
	{ SIGTSTP, SIGNALLED },
	{ SIGTTIN, THREADED },
	{ SIGSTOP, THREADED | WAITED | SIGNALLED },
	{ SIGSTOP, WAITED | CONTINUED },
};

static volatile sig_atomic_t nr_signals, nr_told;

static void count_signal(int signo)
{
	(void)signo;
	nr_signals++;
}

static void count_told(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (info->si_code == CLD_STOPPED || info->si_code == CLD_CONTINUED)
		nr_told++;
}

static void *read_byte(void *arg)
{
	const struct job *job = arg;
	char byte = 0;

	while (read(job->pipe[0], &byte, 1) < 0 && errno == EINTR)
		continue;
	check(byte == 'x', "what was read");
	return NULL;
}

static void be_child(struct job *job)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	signal(SIGUSR1, count_signal);
	if (job->flags & THREADED) {
		need(!pthread_create(&thread, NULL, read_byte, job));
		read_byte(job);
		need(!pthread_join(thread, NULL));
	} else {
		read_byte(job);
	}
	_exit(nr_signals);
}

static bool is_reading(pid_t pid, int tid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd >= 0);
	need(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return *text != 'r' && strtol(text, NULL, 10) == SYS_read;
}

/* Until all its threads sleep in read(). */
static void await_read(const struct job *job)
{
	int wanted = job->flags & THREADED ? 2 : 1, nr_reading;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", job->pid);
	do {
		struct dirent *entry;
		DIR *tasks = opendir(path);

		need(tasks);
		nr_reading = 0;
		while ((entry = readdir(tasks)))
			if (entry->d_name[0] != '.')
				nr_reading += is_reading(job->pid, atoi(entry->d_name));
		closedir(tasks);
		sched_yield();
	} while (nr_reading != wanted);
}

static void start(struct job *job)
{
	siginfo_t info;

	need(!pipe2(job->pipe, O_CLOEXEC));
	job->pid = fork();
	need(job->pid >= 0);
	if (!job->pid)
		be_child(job);
	await_read(job);
	need(!kill(job->pid, job->signo));
	need(!waitid(P_PID, job->pid, &info,
		     WSTOPPED | (job->flags & WAITED ? 0 : WNOWAIT)));
	need(info.si_status == job->signo);
	if (job->flags & SIGNALLED)
		need(!kill(job->pid, SIGUSR1));
	if (job->flags & CONTINUED) {
		need(!kill(job->pid, SIGCONT));
		need(!waitid(P_PID, job->pid, &info, WCONTINUED | WNOWAIT));
		await_read(job);
	}
}

static void setup(void)
{
	struct sigaction action = {
		.sa_sigaction	= count_told,
		.sa_flags	= SA_SIGINFO | SA_RESTART,
	};
	size_t index;

	need(!sigaction(SIGCHLD, &action, NULL));
	for (index = 0; index < ARRAY_SIZE(jobs); index++)
		start(&jobs[index]);
	/* Who waits may be told before the signal comes. */
	while (nr_told < (int)ARRAY_SIZE(jobs) + 1)
		sched_yield();
}

/* What wait() has to say, or 0. */
static int ask(const struct job *job, int options, int *status)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, job->pid, &info, options | WNOHANG)) {
		waitid(P_PID, job->pid, &info, WEXITED | WNOWAIT | WNOHANG);
		subject_die("child %zu has ended: code %d, status %d",
			    (size_t)(job - jobs), info.si_code, info.si_status);
	}
	*status = info.si_status;
	return info.si_pid ? info.si_code : 0;
}

static void verify_job(struct job *job)
{
	bool is_continued = job->flags & CONTINUED;
	int status, code;
	siginfo_t info;

	code = ask(job, WSTOPPED, &status);
	if (job->flags & WAITED) {
		check_equal(code, 0, "nothing new of a stopped child");
	} else {
		check_equal(code, CLD_STOPPED, "a stopped child");
		check_equal(status, job->signo, "its signal");
		check_equal(ask(job, WSTOPPED, &status), 0, "asked again");
	}
	code = ask(job, WCONTINUED | WNOWAIT, &status);
	check_equal(code, is_continued ? CLD_CONTINUED : 0, "a continued child");
	/* Who is stopped does not run. */
	need(write(job->pipe[1], "xx", 2) == 2);
	if (!is_continued) {
		check_equal(ask(job, WEXITED, &status), 0, "a stopped child has ended");
		need(!kill(job->pid, SIGCONT));
		need(!waitid(P_PID, job->pid, &info, WCONTINUED | WEXITED | WNOWAIT));
	}
	need(!waitid(P_PID, job->pid, &info, WEXITED));
	check_equal(info.si_code, CLD_EXITED, "how a child has ended");
	check_equal(info.si_status, job->flags & SIGNALLED ? 1 : 0, "signals handled");
}

static void verify(void)
{
	size_t index;

	check_equal(nr_told, ARRAY_SIZE(jobs) + 1, "nobody told it again");
	for (index = 0; index < ARRAY_SIZE(jobs); index++)
		verify_job(&jobs[index]);
}

const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_STATUS };
