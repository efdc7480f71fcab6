// SPDX-License-Identifier: GPL-2.0
/* What the tests share: files, processes, time limits. */
#include "harness.h"

#include <dirent.h>
#include <ftw.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/swap.h>

bool complain(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	return false;
}

void show_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	int lines = 0;

	if (!file)
		return;
	while (lines++ < 40 && fgets(line, sizeof(line), file)) {
		char *at = line;

		/* A log of the kernel's may begin a message with a NUL byte. */
		while (!*at && at < line + 3)
			at++;
		at[strcspn(at, "\n")] = '\0';
		printf("#   %s: %s\n", strrchr(path, '/') ? strrchr(path, '/') + 1 : path, at);
	}
	fclose(file);
}

s64 monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* A setting: what is there is replaced at once, or not at all. */
bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

bool limit_memory(const char *cgroup, const char *limit)
{
	char path[PATH_MAX];

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(cgroup, 0755) && errno != EEXIST)
		return false;
	if (make_path(path, sizeof(path), cgroup, "memory.swap.max"))
		write_file(path, "0");
	return make_path(path, sizeof(path), cgroup, "memory.max") && write_file(path, limit);
}

/* Does a text, such as a log, have this in its first pages? */
bool file_holds(const char *path, const char *word)
{
	static char text[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return complain("%s: %s", path, strerror(errno));
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return strstr(text, word) || complain("'%s' is not in %s: %s", word, path, text);
}

/* Files that are written after this have another time than those before. */
void wait_for_file_clock(void)
{
	struct timespec before, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &before);
	do {
		sched_yield();
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

bool is_debug_kernel(void)
{
	const char *flavour = getenv("CKPT_FLAVOUR");

	if (flavour)
		return !strcmp(flavour, "debug");
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

s64 scaled_ms(int ms)
{
	return (is_debug_kernel() ? 4 : 1) * ms * MSEC;
}

s64 hang_limit(void)
{
	return monotonic_ns() + (is_debug_kernel() ? 600 : 60) * NSEC_PER_SEC;
}

bool have_checkpoint(void)
{
	return sys_checkpoint(0, -1, ~0UL, -1) == -1 && errno != ENOSYS;
}

void report_crashes(bool on)
{
	int fd = open("/proc/sys/debug/exception-trace", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, on ? "1" : "0", 1) != 1)
		complain("exception-trace: %s", strerror(errno));
	close(fd);
}

static const char *own_directory(void)
{
	static char path[PATH_MAX];
	ssize_t len;

	if (*path)
		return path;
	len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len < 0)
		return ".";
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	return path;
}

const char *helper_path(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", own_directory(), name);
	return path;
}

const char *tool_path(const char *name)
{
	static char path[PATH_MAX];
	const char *search = getenv("PATH");
	size_t len;

	for (; search && *search; search += len + !!search[len]) {
		len = strcspn(search, ":");
		if ((size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)len, search, name) >=
		    sizeof(path))
			continue;
		if (!access(path, X_OK))
			return path;
	}
	return NULL;
}

bool make_path(char *to, size_t size, const char *dir, const char *name)
{
	int len = snprintf(to, size, "%s/%s", dir, name);

	if (len < 0 || (size_t)len >= size)
		return complain("path too long: %s/%s", dir, name);
	return true;
}

bool copy_file(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	static char buffer[65536];
	ssize_t got = -1;

	while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, got) != got) {
			got = -1;
			break;
		}
	if (got)
		complain("copy %s to %s: %s", from, to, strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0) {
		fchmod(out, mode);
		close(out);
	}
	return !got;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

pid_t spawn(const char *const argv[], const char *output)
{
	pid_t pid = fork();

	if (!pid) {
		int null = open("/dev/null", O_RDWR);
		int log = open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);

		if (null < 0 || log < 0)
			_exit(125);
		dup2(null, STDIN_FILENO);
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		close(null);
		close(log);
		/* Nothing may depend on where this happens. */
		if (chdir("/"))
			_exit(125);
		execv(argv[0], (char *const *)argv);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

long save_process_with(pid_t pid, unsigned long flags)
{
	int fd = open("image", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int logfd = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	long ret = sys_checkpoint(pid, fd, flags, logfd);

	if (ret < 0)
		ret = -errno;
	close(fd);
	close(logfd);
	return ret;
}

pid_t spawn_restart(const char *dir, const char *how)
{
	char image[PATH_MAX], log[PATH_MAX], output[PATH_MAX];
	const char *const argv[] = {
		tool_path("restart"), how, "--copy-status", "-i", image, "-l", log, NULL
	};

	if (!argv[0] || !make_path(image, sizeof(image), dir, "image") ||
	    !make_path(log, sizeof(log), dir, "log") ||
	    !make_path(output, sizeof(output), dir, "output"))
		return -1;
	unlink("log");
	return spawn(argv, output);
}

static pid_t start_with_id(pid_t id)
{
	struct clone_args args = {
		.exit_signal	= SIGCHLD,
		.set_tid	= (uintptr_t)&id,
		.set_tid_size	= 1,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		for (;;)
			pause();
	return pid;
}

bool refuses_taken_id(const char *image, pid_t id, const char *output)
{
	const char *const argv[] = { tool_path("restart"), "--pids", "-i", image, NULL };
	pid_t other = start_with_id(id);
	char want[64];
	bool good;

	if (other != id)
		return complain("no process with id %d: %s", id, strerror(errno));
	snprintf(want, sizeof(want), "process id %d is taken by", id);
	good = argv[0] && reap(spawn(argv, output), 1 << 8, "restart(1)");
	good &= file_holds(output, want);
	kill_and_reap(other);
	return good;
}

static void describe_status(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
}

/* Wait until a child ends, but no longer than that; it stays to be reaped. */
bool has_ended(pid_t pid, s64 limit_ns)
{
	struct pollfd ended = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int ret;

	if (ended.fd < 0)
		return true;
	ret = poll(&ended, 1, limit_ns > 0 ? limit_ns / MSEC : 0);
	close(ended.fd);
	return ret > 0;
}

/* Where is a process that does not end? */
static void show_process(pid_t pid)
{
	static const char * const files[] = { "comm", "syscall", "wchan", "stack" };
	char path[64];
	size_t index;

	for (index = 0; index < sizeof(files) / sizeof(*files); index++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[index]);
		show_file(path);
	}
}

bool reap(pid_t pid, int want, const char *what)
{
	char text[64], wanted[64];
	int status;

	if (!has_ended(pid, scaled_ms(30000))) {
		complain("%s: process %d does not end", what, pid);
		show_process(pid);
		kill_and_reap(pid);
		return false;
	}
	if (waitpid(pid, &status, 0) != pid)
		return complain("%s: wait for %d: %s", what, pid, strerror(errno));
	if (status == want)
		return true;
	describe_status(status, text, sizeof(text));
	describe_status(want, wanted, sizeof(wanted));
	return complain("%s: %s, expected %s", what, text, wanted);
}

void kill_and_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	if (!has_ended(pid, hang_limit() - monotonic_ns())) {
		complain("process %d survives SIGKILL", pid);
		show_process(pid);
		return;
	}
	waitpid(pid, NULL, __WALL);
}

/* A child that is alive, or 0. Those that have ended are forgotten. */
static pid_t living_child(void)
{
	char path[64], text[32] = "";
	siginfo_t info;
	int fd;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL))
			return 0;
		if (!info.si_pid)
			break;
		waitpid(info.si_pid, NULL, __WALL);
	}
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atoi(text);
}

/* The init of a pid namespace waits for all who are in it, and we may have those. */
void end_children(void)
{
	s64 limit = hang_limit();
	char path[64], text[4096];
	pid_t pid;

	while ((pid = living_child())) {
		char *at = text, *end;
		ssize_t got;
		int fd;

		if (monotonic_ns() > limit) {
			complain("process %d survives SIGKILL", pid);
			show_process(pid);
			return;
		}
		snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
		fd = open(path, O_RDONLY | O_CLOEXEC);
		got = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[got > 0 ? got : 0] = '\0';
		for (; (pid = strtol(at, &end, 10)); at = end)
			kill(pid, SIGKILL);
		/* Not for that one alone: another one may have to be reaped before. */
		has_ended(living_child(), 10 * MSEC);
	}
}

bool leaves_children(void)
{
	pid_t pid = living_child();

	if (!pid)
		return false;
	complain("process left behind: %d", pid);
	show_process(pid);
	end_children();
	return true;
}

bool only_child_is(pid_t pid)
{
	s64 limit = hang_limit();

	for (;;) {
		char path[64], text[64] = "", *end;
		siginfo_t info = { .si_pid = 0 };
		int fd;

		snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			return complain("%s: %s", path, strerror(errno));
		close(fd);
		if (strtol(text, &end, 10) == pid && strspn(end, " ") == strlen(end))
			return true;
		if (monotonic_ns() > limit)
			return complain("children are left: %s", text);
		if (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) &&
		    info.si_pid && info.si_pid != pid)
			waitpid(info.si_pid, NULL, __WALL);
		usleep(200);
	}
}

bool all_children_end(void)
{
	s64 limit = hang_limit();
	pid_t pid;

	while ((pid = living_child())) {
		if (monotonic_ns() > limit)
			return !leaves_children();
		has_ended(pid, 10 * MSEC);
	}
	return true;
}

void tell_word(u32 *word, u32 value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool await_word(u32 *word, u32 old, pid_t pid)
{
	s64 limit = hang_limit();
	struct timespec slice = { 0, 50 * MSEC };

	while (READ_ONCE(*word) == old) {
		siginfo_t info = { .si_pid = 0 };

		syscall(SYS_futex, word, FUTEX_WAIT, old, &slice, NULL, 0);
		if (READ_ONCE(*word) != old)
			break;
		/* It may have told, and ended, since we looked. */
		if (pid && !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
		    info.si_pid && READ_ONCE(*word) == old)
			return complain("process %d ended at %u (%s %d)", pid, old,
					info.si_code == CLD_EXITED ? "status" : "signal",
					info.si_status);
		if (monotonic_ns() > limit)
			return complain("time limit at %u", old);
	}
	return true;
}

/* A process that has these two at 0 and 1, does that, if anything, and pauses. */
pid_t start_with(int first, int second, void (*body)(void))
{
	pid_t pid = fork();

	if (!pid) {
		int copies[2] = { fcntl(first, F_DUPFD, 100), fcntl(second, F_DUPFD, 100) };

		syscall(SYS_close_range, 0, 99, 0);
		dup2(copies[0], 0);
		dup2(copies[1], 1);
		syscall(SYS_close_range, 2, ~0U, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		if (body)
			body();
		for (;;)
			pause();
	}
	return wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

void echo(void)
{
	char line[256] = "> ";
	ssize_t len;

	while ((len = read(0, line + 2, sizeof(line) - 2)) > 0)
		if (write(1, line, len + 2) != len + 2)
			_exit(3);
}

pid_t start_body(void (*body)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	if (open("/dev/null", O_RDWR) != 0 || dup(0) != 1 || dup(0) != 2)
		_exit(1);
	body();
	_exit(BODY_GOOD);
}

pid_t start_blocked(void (*body)(void), long nr)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		body();
		_exit(1);
	}
	return wait_blocked(pid, nr) ? pid : 0;
}

bool log_names(const char *word)
{
	bool found = file_holds("log", word);

	unlink("log");
	return found;
}

/* What a restart says; a process that runs is ended. */
long try_restart(const char *image, const char *log)
{
	pid_t pid = restart_from(image, 0, log);

	if (pid > 0)
		kill_and_reap(pid);
	return pid > 0 ? 0 : pid;
}

bool enter_directory(char *dir, const char *name, mode_t mode)
{
	size_t len;

	if (!getcwd(dir, PATH_MAX / 2))
		return complain("getcwd: %s", strerror(errno));
	len = strlen(dir);
	if (!make_path(dir + len, PATH_MAX / 2 - len, "", name))
		return false;
	remove_tree(dir);
	/* Not less than that, whatever the umask is. */
	if (mkdir(dir, mode) || chmod(dir, mode) || chdir(dir))
		return complain("%s: %s", dir, strerror(errno));
	return true;
}

void leave_directory(const char *dir)
{
	if (dir[0] == '/' && !chdir(dir) && !chdir(".."))
		remove_tree(dir);
}

void *map_new_file(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *memory = MAP_FAILED;

	if (!ftruncate(fd, size))
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

bool make_swap(const char *path, unsigned int nr_pages)
{
	static unsigned char page[4096];
	struct {
		char boot[1024];
		u32 version;
		u32 last_page;
		u32 nr_bad_pages;
	} *header = (void *)page;
	unsigned int index;
	bool good = true;
	int fd;

	memset(page, 0, sizeof(page));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (index = 0; index < nr_pages && good; index++)
		good = write(fd, page, sizeof(page)) == sizeof(page);
	header->version = 1;
	header->last_page = nr_pages - 1;
	memcpy(page + sizeof(page) - 10, "SWAPSPACE2", 10);
	good &= pwrite(fd, page, sizeof(page), 0) == sizeof(page) && !fsync(fd);
	close(fd);
	return (good && !swapon(path, 0)) || complain("swap: %s", strerror(errno));
}
