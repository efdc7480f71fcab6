// SPDX-License-Identifier: GPL-2.0
/* Processes with files, to be looked at from outside. */
#include "file_process.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

bool make_letters(const char *name, char with)
{
	char bytes[FILE_SIZE];
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	bool good;

	memset(bytes, with, sizeof(bytes));
	good = fd >= 0 && write(fd, bytes, sizeof(bytes)) == sizeof(bytes);
	close(fd);
	return good;
}

pid_t start_in(const char *where, bool (*body)(void), uid_t uid)
{
	pid_t pid = fork();

	if (!pid) {
		if (chdir(where))
			_exit(1);
		if (uid && (setgid(uid) || setuid(uid)))
			_exit(2);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		if (!body())
			_exit(3);
		for (;;)
			pause();
	}
	return wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

bool map_at(int fd, char *at, int prot, int flags)
{
	return mmap(at, FILE_SIZE, prot, flags | MAP_FIXED_NOREPLACE, fd, 0) == at;
}

long save_process(pid_t pid)
{
	long ret;

	unlink(LOG);
	ret = save_to("image", pid, LOG);
	return ret < 0 ? ret : 0;
}

bool save_and_kill(pid_t pid)
{
	long ret = pid ? save_process(pid) : -ESRCH;

	if (pid)
		kill_and_reap(pid);
	if (!ret)
		return true;
	show_file(LOG);
	return complain("checkpoint: %ld", ret);
}

pid_t bring_back(void)
{
	pid_t pid;

	unlink(LOG);
	pid = restart_from("image", 0, LOG);
	if (pid > 0)
		return pid;
	show_file(LOG);
	complain("restart: %d", pid);
	return 0;
}

bool memory_is(pid_t pid, char *at, char with)
{
	char bytes[FILE_SIZE], want[FILE_SIZE];
	struct iovec ours = { bytes, FILE_SIZE }, its = { at, FILE_SIZE };

	memset(want, with, FILE_SIZE);
	if (process_vm_readv(pid, &ours, 1, &its, 1, 0) != FILE_SIZE)
		return complain("no memory at %p: %s", at, strerror(errno));
	return !memcmp(bytes, want, FILE_SIZE) ||
	       complain("at %p is '%c', not '%c'", at, *bytes, with);
}

bool file_is(pid_t pid, char with)
{
	char path[64], bytes[FILE_SIZE], want[FILE_SIZE];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	memset(want, with, FILE_SIZE);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	good = fd >= 0 && pread(fd, bytes, FILE_SIZE, 0) == FILE_SIZE &&
	       !memcmp(bytes, want, FILE_SIZE);
	close(fd);
	return good || complain("the file does not hold '%c'", with);
}

bool maps_name(pid_t pid, const char *name)
{
	char maps[64];

	snprintf(maps, sizeof(maps), "/proc/%d/maps", pid);
	return file_holds(maps, name);
}

pid_t start_program(const char *where)
{
	pid_t pid = fork();

	if (!pid) {
		char *const argv[] = { "program", "pause", NULL }, *const envp[] = { NULL };

		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		if (!chdir(where))
			execve("program", argv, envp);
		_exit(1);
	}
	return wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

bool executes(pid_t pid, const char *name)
{
	char link[64], path[PATH_MAX] = "";

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		return complain("%s: %s", link, strerror(errno));
	return strstr(path, name) || complain("its program is %s", path);
}

