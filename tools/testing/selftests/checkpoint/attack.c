// SPDX-License-Identifier: GPL-2.0
/*
 * Trying one bad image after the other.
 *
 * A process tries them until one of them takes its place; then the next
 * process goes on. Or it is the coordinator of a child for each of them.
 */
#include "harness.h"
#include "attack.h"

#include <linux/capability.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "tiny.h"

/* More than a restart takes, however slow the machine. */
#define STUCK_MS	20000
/* What a process may run that an image has become. */
#define RUN_MS		100
/* How a process ends that tried all, found something, became no other one. */
#define DONE		33
#define FOUND		34
#define INTACT		35
#define MAX_ERRORS	512

/**
 * struct progress - what the process that tries tells, in shared memory
 * @next: the number of the image that comes next
 * @ran: how many were taken by its children
 * @busy: it is in restart()
 * @errors: how often each errno was seen
 * @found: what is wrong with the image that comes next
 */
struct progress {
	u64 next;
	u64 ran;
	u32 busy;
	u32 errors[MAX_ERRORS];
	char found[128];
};

static struct progress *progress;

bool attack_prepare(void)
{
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return progress != MAP_FAILED;
}

void limit_rights(void)
{
	static const int dropped[] = { CAP_IPC_LOCK, CAP_SYS_RESOURCE };
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	struct rlimit locked = { 1 << 20, 1 << 20 }, core = { 0, 0 };
	size_t index;

	setrlimit(RLIMIT_MEMLOCK, &locked);
	setrlimit(RLIMIT_CORE, &core);
	for (index = 0; index < 2; index++)
		prctl(PR_CAPBSET_DROP, dropped[index], 0, 0, 0);
	syscall(SYS_capget, &header, data);
	for (index = 0; index < 2; index++) {
		data[0].permitted &= ~(1U << dropped[index]);
		data[0].effective &= ~(1U << dropped[index]);
		data[0].inheritable = 0;
	}
	data[1].inheritable = 0;
	syscall(SYS_capset, &header, data);
}

/* In a child that waits for its coordinator, or has been refused: all is there. */
static void be_intact(int signal)
{
	(void)signal;
	_exit(INTACT);
}

__attribute__((format(printf, 1, 2)))
static void found(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(progress->found, sizeof(progress->found), format, args);
	va_end(args);
	_exit(FOUND);
}

/* The child that has become the process of an image; it may run for good. */
static void end_restarted(pid_t child)
{
	int status;

	if (!has_ended(child, scaled_ms(RUN_MS)))
		kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == INTACT)
		found("the coordinator took it for a good image, the child did not");
	if (WIFEXITED(status) && WEXITSTATUS(status) == TINY_PRIVILEGED)
		found("gained rights");
	progress->ran++;
}

/* The child that has not must be as before, in its memory and its signals. */
static void end_refused(pid_t child)
{
	int status;

	/* It waits for good if the image was not worth a child. */
	kill(child, SIGUSR1);
	if (waitpid(child, &status, 0) != child)
		found("the child is gone");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != INTACT)
		found("refused, but the child ended with status %#x", status);
}

static int restart_child(int fd)
{
	pid_t child = fork();
	int error = 0;

	if (!child) {
		setsid();
		sys_restart(0, 0, 0, CHECKPOINT_FD_NONE);
		_exit(INTACT);
	}
	if (child < 0)
		_exit(1);
	if (sys_restart(child, fd, 0, CHECKPOINT_FD_NONE))
		error = errno;
	if (error)
		end_refused(child);
	else
		end_restarted(child);
	if (waitpid(-1, NULL, WNOHANG | __WALL) != -1 || errno != ECHILD)
		found("a process is left behind");
	return error;
}

static bool has_said(int fd, const char *word)
{
	char text[4096];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return strstr(text, word);
}

bool attack_by_tool(int fd, const char *how, int limit_ms, int *status)
{
	int said = memfd_create("said", MFD_CLOEXEC);
	const char *tool = tool_path("restart");
	s64 since = 0;
	bool ran;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (dup2(fd, 0) || dup2(said, 1) != 1 || dup2(said, 2) != 2)
			_exit(1);
		execl(tool, tool, how, "-v", "--copy-status", NULL);
		_exit(1);
	}
	/* What hangs is for who watches us. */
	while (!has_ended(pid, 5 * MSEC)) {
		if (!since && has_said(said, " runs"))
			since = monotonic_ns();
		if (since && monotonic_ns() > since + scaled_ms(limit_ms))
			break;
	}
	*status = -1;
	if (!has_ended(pid, 0))
		kill_and_reap(pid);
	else
		waitpid(pid, status, 0);
	ran = has_said(said, " runs");
	close(said);
	return ran;
}

/* What restart(1) says if it could not. */
#define TOOL_FAILED	125

static int restart_tree(const struct attack *attack, int fd)
{
	/* What it was the tool has told in words. */
	int status, error = EINVAL;

	if (attack_by_tool(fd, attack->how, RUN_MS, &status)) {
		progress->ran++;
		error = 0;
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != TOOL_FAILED) {
		found("refused, but restart(1) ended with status %#x", status);
	}
	if (!all_children_end())
		found("a process is left behind");
	return error;
}

/* Returns only if the image was refused. */
static int restart_self(int fd)
{
	int error;

	__atomic_store_n(&progress->busy, 1, __ATOMIC_SEQ_CST);
	sys_restart(0, fd, RESTART_TASKSELF, CHECKPOINT_FD_NONE);
	error = errno;
	__atomic_store_n(&progress->busy, 0, __ATOMIC_SEQ_CST);
	return error;
}

/* The process that tries: ends when all are tried, or when it is another. */
static void try_all(const struct attack *attack)
{
	unsigned char *out = malloc(attack->image->len + MUTATE_GROWTH);
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct mutation mutation;

	if (!out || fd < 0)
		_exit(1);
	/* What an image makes of it may signal its whole process group. */
	setsid();
	limit_rights();
	signal(SIGUSR1, be_intact);
	prctl(PR_SET_CHILD_SUBREAPER, !!attack->how);
	if (attack->uid && (setgid(attack->uid) || setuid(attack->uid)))
		_exit(1);
	while (progress->next < attack->count) {
		u64 index = progress->next;
		size_t len = attack->make(attack, index, out, &mutation);
		int error;

		if (ftruncate(fd, 0) || pwrite(fd, out, len, 0) != (ssize_t)len)
			_exit(1);
		lseek(fd, 0, SEEK_SET);
		if (attack->how)
			error = restart_tree(attack, fd);
		else
			error = attack->coordinated ? restart_child(fd) : restart_self(fd);
		if (error)
			progress->errors[error < MAX_ERRORS ? error : 0]++;
		__atomic_store_n(&progress->next, index + 1, __ATOMIC_SEQ_CST);
	}
	_exit(DONE);
}

static bool describe(const struct attack *attack, const char *what)
{
	unsigned char *out = malloc(attack->image->len + MUTATE_GROWTH);
	struct mutation mutation = { "" };

	attack->make(attack, progress->next, out, &mutation);
	free(out);
	return complain("%s: number %llu (%s): %s", attack->name,
			(unsigned long long)(attack->first + progress->next), mutation.text,
			what);
}

/**
 * enum end - how a process that tries ended
 * @ALL_TRIED: no image was taken any more
 * @BECAME_ANOTHER: an image took its place, and that ended or was killed
 * @WENT_WRONG: neither
 */
enum end {
	ALL_TRIED,
	BECAME_ANOTHER,
	WENT_WRONG,
};

/*
 * Is the process still in the call, or has it become another that runs? While
 * an image is read the process is on the new memory now and then, and shows its
 * executable; it has the new name only when everything is done.
 */
static bool in_restart(pid_t pid)
{
	char path[64], name[32] = "";
	ssize_t len;
	int fd;

	if (blocked_in(pid) == __NR_restart)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);
	if (fd >= 0)
		close(fd);
	return len > 0 && !strcmp(name, "hostile_test\n");
}

static enum end watch(const struct attack *attack, pid_t pid)
{
	s64 since = monotonic_ns();
	u64 seen = progress->next;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			break;
		if (progress->next != seen) {
			seen = progress->next;
			since = monotonic_ns();
		} else if (READ_ONCE(progress->busy) &&
			   monotonic_ns() > since + scaled_ms(RUN_MS) && !in_restart(pid)) {
			kill_and_reap(pid);
			return BECAME_ANOTHER;
		} else if (monotonic_ns() > since + scaled_ms(STUCK_MS)) {
			describe(attack, "hangs");
			kill_and_reap(pid);
			return WENT_WRONG;
		}
		has_ended(pid, MSEC);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == DONE)
		return ALL_TRIED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == FOUND && *progress->found) {
		describe(attack, progress->found);
		return WENT_WRONG;
	}
	if (!progress->busy) {
		describe(attack, "the test itself went wrong");
		return WENT_WRONG;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == TINY_PRIVILEGED) {
		describe(attack, "gained rights");
		return WENT_WRONG;
	}
	return BECAME_ANOTHER;
}

static void report(const struct attack *attack, u64 ran, s64 since)
{
	int error;

	printf("# %s: %lld s, %llu ran", attack->name,
	       (long long)((monotonic_ns() - since) / NSEC_PER_SEC), (unsigned long long)ran);
	for (error = 0; error < MAX_ERRORS; error++)
		if (progress->errors[error])
			printf(", %u %s", progress->errors[error], strerrorname_np(error) ?: "?");
	printf("\n");
}

bool attack_run(const struct attack *attack)
{
	s64 since = monotonic_ns();
	bool good = true;
	u64 ran = 0;

	memset(progress, 0, sizeof(*progress));
	while (good) {
		pid_t pid;
		enum end end;

		progress->busy = 0;
		pid = fork();
		if (!pid)
			try_all(attack);
		end = watch(attack, pid);
		if (end == ALL_TRIED)
			break;
		if (end == BECAME_ANOTHER && !attack->may_run)
			good = describe(attack, "was taken for a good image");
		if (end == WENT_WRONG)
			good = false;
		ran++;
		progress->next++;
	}
	ran += progress->ran;
	if (progress->ran && !attack->may_run)
		good = complain("%s: a child took one for a good image", attack->name);
	good &= !leaves_children();
	report(attack, ran, since);
	/* A test of which nothing ran, or everything, tests nothing. */
	if (attack->may_run && attack->count >= 1000 && (!ran || ran > attack->count / 2))
		good = complain("%llu of %llu ran", (unsigned long long)ran,
				(unsigned long long)attack->count);
	return good;
}
