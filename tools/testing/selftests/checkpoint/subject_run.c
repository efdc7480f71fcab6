// SPDX-License-Identifier: GPL-2.0
/* Starting, watching, saving and restarting a subject. */
#include "harness.h"
#include "tiny.h"

#include <linux/futex.h>
#include <linux/sched.h>
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

/* Wait until the state is another one, or the process is dead. */
static bool wait_state(struct subject_run *run, pid_t pid, u32 old)
{
	s64 limit = hang_limit();
	struct timespec slice = { 0, 50 * MSEC };

	while (READ_ONCE(run->control->state) == old) {
		siginfo_t info = { .si_pid = 0 };

		syscall(SYS_futex, &run->control->state, FUTEX_WAIT, old, &slice, NULL, 0);
		if (READ_ONCE(run->control->state) != old)
			break;
		/* It may have told, and ended, since we looked. */
		if (pid && !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
		    info.si_pid && READ_ONCE(run->control->state) == old)
			return complain("process %d ended in state %u (%s %d)", pid, old,
					info.si_code == CLD_EXITED ? "status" : "signal",
					info.si_status);
		if (monotonic_ns() > limit)
			return complain("time limit in state %u", old);
	}
	return true;
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
	if (!wait_state(run, run->pid, SUBJECT_STARTED))
		return false;
	run->started = monotonic_ns();
	return READ_ONCE(run->control->state) == SUBJECT_READY;
}

long blocked_in(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -2;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	if (text[0] == 'r')
		return -1;
	/* Between calls: "-1" and the registers. */
	return *text ? strtol(text, NULL, 10) : -2;
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

bool subject_settle(struct subject_run *run, pid_t pid)
{
	s64 limit = hang_limit();

	if (run->control->blocked_in != SUBJECT_RUNS)
		return wait_blocked(pid, run->control->blocked_in);
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

static bool runs_program(pid_t pid, const char *program)
{
	char exe[64], path[PATH_MAX];
	ssize_t len;

	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	len = readlink(exe, path, sizeof(path) - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return !strcmp(path, program);
}

void (*before_tiny)(void);

static void exec_tiny(const char *program, const char *mode, const char *path, uid_t uid)
{
	const char *argv[] = { "tiny", mode, path, NULL };
	const char *envp[] = { NULL };

	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	if (before_tiny)
		before_tiny();
	if (uid && (setgid(uid) || setuid(uid)))
		_exit(120);
	execve(program, (char *const *)argv, (char *const *)envp);
	_exit(121);
}

pid_t start_tiny(const char *mode, uid_t uid)
{
	const char *program = helper_path("subjects/tiny");
	s64 limit = hang_limit();
	pid_t pid = fork();
	long nr = 0;

	if (!pid)
		exec_tiny(program, mode, NULL, uid);
	if (pid < 0) {
		complain("fork: %s", strerror(errno));
		return 0;
	}
	while (!runs_program(pid, program)) {
		if (monotonic_ns() > limit) {
			complain("%s does not start", program);
			kill_and_reap(pid);
			return 0;
		}
		usleep(500);
	}
	if (!strcmp(mode, "pause"))
		nr = NR64_PAUSE;
	else if (!strcmp(mode, "nanosleep"))
		nr = NR64_NANOSLEEP;
	else if (!strcmp(mode, "poll"))
		nr = NR64_POLL;
	else if (!strcmp(mode, "futex"))
		nr = NR64_FUTEX;
	if (nr && !wait_blocked(pid, nr)) {
		kill_and_reap(pid);
		return 0;
	}
	return pid;
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
	__atomic_store_n(&run->control->go, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &run->control->go, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	wake(run->control);
}

bool subject_verdict(struct subject_run *run, pid_t pid)
{
	struct control *control = run->control;
	bool good = true;

	if (!wait_state(run, pid, SUBJECT_READY))
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
		exec_tiny(helper_path("subjects/tiny"), mode, path, uid);
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
