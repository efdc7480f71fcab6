// SPDX-License-Identifier: GPL-2.0
/* Starting, watching, saving and restarting a subject. */
#include "harness.h"
#include "tiny.h"

#include <dirent.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>

bool subject_map(struct subject_run *run, bool create)
{
	char path[PATH_MAX];
	int fd;

	if (!make_path(path, sizeof(path), run->dir, CONTROL_FILE))
		return false;
	fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0666);
	if (fd < 0)
		return complain("%s: %s", path, strerror(errno));
	if (create && (fchmod(fd, 0666) || ftruncate(fd, CONTROL_SIZE)))
		return complain("%s: %s", path, strerror(errno));
	run->control = mmap(NULL, CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (run->control == MAP_FAILED)
		return complain("%s: mmap: %s", path, strerror(errno));
	if (create) {
		run->control->magic = CONTROL_MAGIC;
		run->control->blocked_in = SUBJECT_RUNS;
		run->control->slack = scaled_ms(1500);
	}
	if (run->control->magic != CONTROL_MAGIC)
		return complain("%s: not ours", path);
	return true;
}

void subject_unmap(struct subject_run *run)
{
	munmap(run->control, CONTROL_SIZE);
	run->control = NULL;
}

/* In the new process: a session of its own, no terminal, three descriptors. */
static void exec_subject(struct subject_run *run)
{
	const char *argv[] = { run->program, run->arg, NULL };
	const char *envp[] = { "CKPT_SUBJECT=yes", "LC_ALL=C", NULL };
	int null, log;

	setsid();
	if (run->uid && (setgid(run->uid) || setuid(run->uid)))
		_exit(120);
	if (chdir(run->dir))
		_exit(121);
	null = open("/dev/null", O_RDONLY);
	log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (null < 0 || log < 0)
		_exit(122);
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	syscall(SYS_close_range, 3, ~0U, 0);
	execve(run->program, (char *const *)argv, (char *const *)envp);
	_exit(123);
}

bool subject_start(struct subject_run *run)
{
	/* A child's default is what its parent has. */
	prctl(PR_SET_TIMERSLACK, SUBJECT_SLACK);
	run->pid = fork();
	if (!run->pid)
		exec_subject(run);
	prctl(PR_SET_TIMERSLACK, 0);
	if (run->pid < 0)
		return complain("fork: %s", strerror(errno));
	if (!await_word(&run->control->state, SUBJECT_STARTED, run->pid))
		return false;
	run->started = monotonic_ns();
	return READ_ONCE(run->control->state) == SUBJECT_READY;
}

pid_t subject_restart(struct subject_run *run, const char *how, const char *name)
{
	char image[PATH_MAX], log[PATH_MAX], output[PATH_MAX];
	const char *const argv[] = {
		tool_path("restart"), how, "--copy-status", "-v", "-i", image, "-l", log, NULL
	};

	if (!argv[0]) {
		complain("restart(1) was not built");
		return -1;
	}
	if (!make_path(image, sizeof(image), run->dir, name) ||
	    !make_path(log, sizeof(log), run->dir, "restart.log") ||
	    !make_path(output, sizeof(output), run->dir, "restart.out"))
		return -1;
	run->control->flags |= CONTROL_RESTARTED;
	run->control->before_restart = monotonic_ns();
	return spawn(argv, output);
}

/* The letter that /proc shows, or 0 if it is not there. */
static char state_of(pid_t pid)
{
	char path[64], text[256] = "", *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	state = strrchr(text, ')');
	return state ? state[2] : '\0';
}

long blocked_in(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Not for this user to look at: it is dead, or within execve(). */
	if (fd < 0)
		return errno == EACCES && state_of(pid) != 'Z' ? -1 : -2;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	if (text[0] == 'r')
		return -1;
	/* Of a dead one nothing is left. */
	if (!strncmp(text, "-1 0x0 0x0", 10))
		return -2;
	/* Between calls: "-1" and the registers. */
	return *text ? strtol(text, NULL, 10) : -2;
}

bool wait_in_state(pid_t pid, const char *states)
{
	s64 limit = hang_limit();

	for (;;) {
		char state = state_of(pid);

		if (!state)
			return complain("process %d is not there any more", pid);
		if (strchr(states, state))
			return true;
		if (monotonic_ns() > limit)
			return complain("process %d is in state %c", pid, state);
		sched_yield();
	}
}

bool wait_blocked(pid_t pid, long want)
{
	s64 limit = hang_limit();
	long got;

	do {
		got = blocked_in(pid);
		/* One that goes on after an interruption is in restart_syscall(). */
		if (got == want || got == NR64_RESTART_SYSCALL)
			return true;
		if (got == -2)
			return complain("process %d is not there any more", pid);
		usleep(500);
	} while (monotonic_ns() < limit);
	return complain("process %d is in system call %ld, not in %ld", pid, got, want);
}

static bool all_blocked(pid_t pid);

/* All that one thread has created, with their children. */
static bool children_blocked(pid_t pid, pid_t tid)
{
	bool blocked = true;
	char path[64];
	FILE *children;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
	children = fopen(path, "re");
	while (children && blocked && fscanf(children, "%d", &child) == 1)
		blocked = all_blocked(child);
	if (children)
		fclose(children);
	return blocked;
}

/* Is any thread on its way into a system call, or out of one? */
static bool all_blocked(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	bool blocked = true;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return false;
	while (blocked && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);

		/* One that ends meanwhile has no place to be in. */
		blocked = !tid || (blocked_in(tid) != -1 && children_blocked(pid, tid));
	}
	closedir(tasks);
	return blocked;
}

bool subject_settle(struct subject_run *run, pid_t pid)
{
	s64 limit = hang_limit();

	if (run->control->blocked_in != SUBJECT_RUNS) {
		if (!wait_blocked(pid, run->control->blocked_in))
			return false;
		while (!all_blocked(pid)) {
			if (monotonic_ns() > limit)
				return complain("a thread of process %d is not blocked", pid);
			usleep(500);
		}
		return true;
	}
	/* What it told before was told by an earlier life. */
	run->control->looping = 0;
	while (!READ_ONCE(run->control->looping)) {
		if (kill(pid, 0))
			return complain("process %d is not there any more", pid);
		if (monotonic_ns() > limit)
			return complain("process %d does not reach its loop", pid);
		usleep(200);
	}
	return true;
}

void (*before_tiny)(void);

/* Not one of the first, which those who are saved have. */
#define EXECUTED_FD	200

/* @executed is closed when the program runs. */
static void exec_tiny(const char *mode, const char *path, uid_t uid, int executed)
{
	const char *argv[] = { "tiny", mode, path, NULL };
	const char *program = helper_path("subjects/tiny");
	const char *envp[] = { NULL };

	setsid();
	if (executed >= 0 && dup3(executed, EXECUTED_FD, O_CLOEXEC) < 0)
		_exit(122);
	syscall(SYS_close_range, 0, EXECUTED_FD - 1, 0);
	syscall(SYS_close_range, EXECUTED_FD + (executed >= 0), ~0U, 0);
	if (before_tiny)
		before_tiny();
	if (uid && (setgid(uid) || setuid(uid)))
		_exit(120);
	execve(program, (char *const *)argv, (char *const *)envp);
	_exit(121);
}

/* Everybody who has the other end has closed it, or is gone. */
static bool is_closed(int fd)
{
	struct pollfd end = { .fd = fd };

	return poll(&end, 1, (hang_limit() - monotonic_ns()) / MSEC) == 1;
}

static long call_of_mode(const char *mode)
{
	static const struct {
		const char *mode;
		long nr;
	} calls[] = {
		{ "pause", NR64_PAUSE }, { "nanosleep", NR64_NANOSLEEP }, { "poll", NR64_POLL },
		{ "futex", NR64_FUTEX },
	};
	size_t index;

	for (index = 0; index < sizeof(calls) / sizeof(*calls); index++)
		if (!strcmp(calls[index].mode, mode))
			return calls[index].nr;
	return 0;
}

pid_t start_tiny(const char *mode, uid_t uid)
{
	long nr = call_of_mode(mode);
	int fds[2];
	pid_t pid;
	bool good;

	if (pipe2(fds, O_CLOEXEC)) {
		complain("pipe: %s", strerror(errno));
		return 0;
	}
	pid = fork();
	if (!pid)
		exec_tiny(mode, NULL, uid, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		complain("fork: %s", strerror(errno));
		close(fds[0]);
		return 0;
	}
	good = is_closed(fds[0]) && !has_ended(pid, 0) && (!nr || wait_blocked(pid, nr));
	close(fds[0]);
	if (good)
		return pid;
	complain("tiny does not start");
	kill_and_reap(pid);
	return 0;
}

/* End a wait that is not one for the shared page. */
static void wake(const struct control *control)
{
	struct sembuf up = { .sem_op = 1 };
	struct {
		long type;
		char text[16];
	} message = { .type = 7 };

	if (control->wake == WAKE_SEMAPHORE && semop(control->wake_id, &up, 1))
		complain("semop: %s", strerror(errno));
	if (control->wake == WAKE_MESSAGE &&
	    msgsnd(control->wake_id, &message, sizeof(message.text), 0))
		complain("msgsnd: %s", strerror(errno));
}

void subject_go(struct subject_run *run)
{
	tell_word(&run->control->go, 1);
	wake(run->control);
}

bool subject_verdict(struct subject_run *run, pid_t pid)
{
	struct control *control = run->control;
	bool good = true;

	if (!await_word(&run->control->state, SUBJECT_READY, pid))
		return false;
	if (control->state != SUBJECT_PASS)
		good = complain("the subject found %llu failures",
				(unsigned long long)control->failures);
	if (control->starts != 1)
		good = complain("the subject was started %u times", control->starts);
	if (control->nonce_after != control->nonce || !control->nonce)
		good = complain("this is not the process that was saved");
	return good;
}

bool make_tiny_image(const char *mode, const char *path, uid_t uid)
{
	pid_t pid;

	if (!have_checkpoint())
		return false;
	pid = fork();
	if (!pid)
		exec_tiny(mode, path, uid, -1);
	return reap(pid, TINY_SAVED << 8, "tiny");
}

long save_to(const char *path, pid_t pid, const char *log)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int logfd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	long ret;

	if (fd < 0 || logfd < 0) {
		complain("%s: %s", path, strerror(errno));
		return -EIO;
	}
	ret = sys_checkpoint(pid, fd, CHECKPOINT_SUBTREE, logfd);
	if (ret < 0)
		ret = -errno;
	close(fd);
	close(logfd);
	return ret;
}

/* What the child does that is to become the saved process. */
static void be_restarted(void)
{
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	sys_restart(0, 0, 0, CHECKPOINT_FD_NONE);
	_exit(119);
}

pid_t restart_from_fd(int fd, pid_t pid, int logfd)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = pid ? (uintptr_t)&pid : 0,
		.set_tid_size = pid ? 1 : 0,
	};
	pid_t child = syscall(SYS_clone3, &args, sizeof(args));
	int error;

	if (!child)
		be_restarted();
	if (child < 0)
		return -errno;
	if (!sys_restart(child, fd, 0, logfd))
		return child;
	error = errno;
	kill_and_reap(child);
	return -error;
}

pid_t restart_from(const char *path, pid_t pid, const char *log)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int logfd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	pid_t ret;

	if (fd < 0 || logfd < 0) {
		complain("%s: %s", path, strerror(errno));
		return -EIO;
	}
	ret = restart_from_fd(fd, pid, logfd);
	close(fd);
	close(logfd);
	return ret;
}
