// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors that are hardly more than a name.
 *
 *	path-only	O_PATH, to a file of each type; nothing is opened
 *	proc		entries of the process itself, and those of nobody
 */
#include "subject.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { FILE_, DIRECTORY, LINK, LINK_TO, FIFO, SOCKET, DEVICE, NR_PATHS };

static int paths[NR_PATHS];
static struct stat was[NR_PATHS];
static int status, again, comm, meminfo, root, self, fds, thread, hostname;
static off_t second;

static int open_path(const char *name, int flags)
{
	int fd = open(name, O_PATH | flags);

	need(fd >= 0);
	return fd;
}

static void make_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	need(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
}

static void setup_paths(void)
{
	int index;

	need(!close(open("file", O_RDWR | O_CREAT | O_EXCL, 0)));
	need(!mkdir("directory", 0755) && !mkfifo("fifo", 0644) && !symlink("file", "link"));
	make_socket();
	paths[FILE_] = open_path("file", 0);
	paths[DIRECTORY] = open_path("directory", O_DIRECTORY | O_CLOEXEC);
	paths[LINK] = open_path("link", O_NOFOLLOW);
	paths[LINK_TO] = open_path("link", 0);
	paths[FIFO] = open_path("fifo", 0);
	paths[SOCKET] = open_path("socket", 0);
	paths[DEVICE] = open_path("/dev/tty", 0);
	for (index = 0; index < NR_PATHS; index++)
		need(!fstat(paths[index], &was[index]));
}

static void verify_paths(void)
{
	char text[32] = "";
	struct stat now;
	int index;

	for (index = 0; index < NR_PATHS; index++) {
		need(!fstat(paths[index], &now));
		check_equal(now.st_mode, was[index].st_mode, "mode");
		check_equal(now.st_ino, was[index].st_ino, "inode");
		check_equal(now.st_rdev, was[index].st_rdev, "device");
		check(fcntl(paths[index], F_GETFL) & O_PATH, "%d was opened", index);
		check(read(paths[index], text, 1) < 0 && errno == EBADF, "%d can be read", index);
	}
	check(fcntl(paths[LINK], F_GETFL) & O_NOFOLLOW, "flags of the link");
	check_equal(fcntl(paths[DIRECTORY], F_GETFD), FD_CLOEXEC, "close-on-exec");
	check(readlinkat(paths[LINK], "", text, sizeof(text) - 1) == 4 && !strcmp(text, "file"),
	      "link to '%s'", text);
	check(!faccessat(paths[DIRECTORY], "../file", F_OK, 0), "directory: %s", strerror(errno));
}

static int open_proc(const char *name, int flags)
{
	int fd = open(name, flags);

	need(fd >= 0);
	return fd;
}

static void setup_proc(void)
{
	char text[128];

	status = open_proc("/proc/self/status", O_RDONLY);
	comm = open_proc("/proc/self/comm", O_RDWR);
	snprintf(text, sizeof(text), "/proc/%d/task/%d/stat", getpid(), getpid());
	thread = open_proc(text, O_RDONLY);
	snprintf(text, sizeof(text), "/proc/%d/status", getpid());
	again = open_proc(text, O_RDONLY | O_PATH);
	meminfo = open_proc("/proc/meminfo", O_RDONLY);
	root = open_proc("/proc", O_RDONLY | O_DIRECTORY);
	self = open_proc("/proc/self", O_RDONLY | O_DIRECTORY | O_PATH);
	fds = open_proc("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY);
	hostname = open_proc("/proc/sys/kernel/hostname", O_RDONLY);
	need(read(meminfo, text, 20) == 20);
	second = lseek(meminfo, 0, SEEK_CUR);
}

/* A number in the file behind a text. */
static long number_in(int fd, const char *key)
{
	static char text[8192];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	char *at;

	if (!check(len > 0, "%s: %s", key, strerror(errno)))
		return -1;
	text[len] = '\0';
	at = strstr(text, key);
	return check(at, "no %s", key) ? atol(at + strlen(key)) : -1;
}

/* Of this process in the namespace of this /proc. */
static long own_number(void)
{
	char number[16] = "";

	need(readlink("/proc/self", number, sizeof(number) - 1) > 0);
	return atol(number);
}

static void verify_proc(void)
{
	long number = own_number();
	int fd = openat(self, "status", O_RDONLY);
	struct dirent *entry;
	char text[64] = "";
	bool found = false;
	DIR *directory;

	check_equal(number_in(status, "\nPid:\t"), number, "process of the status");
	check_equal(number_in(fd, "\nPid:\t"), number, "process of the directory");
	check_equal(number_in(thread, ""), number, "process of the thread");
	check(number_in(meminfo, "MemTotal:") > 0, "memory");
	check_equal(lseek(meminfo, 0, SEEK_CUR), second, "position");
	check(write(comm, "renamed", 7) == 7, "comm: %s", strerror(errno));
	check_equal(number_in(status, "Name:\trenamed\nUmask:\t"), number_in(fd, "Umask:\t"),
		    "status after a change");
	check(pread(hostname, text, sizeof(text), 0) > 0, "hostname: %s", strerror(errno));
	check(fcntl(again, F_GETFL) & O_PATH, "status is open");
	check(!faccessat(root, "self/status", R_OK, 0), "root: %s", strerror(errno));
	directory = fdopendir(dup(fds));
	need(directory);
	while ((entry = readdir(directory)))
		found |= atoi(entry->d_name) == fds;
	check(found, "descriptor %d is not in the list", fds);
	closedir(directory);
}

static void setup(void)
{
	if (mode_is("proc"))
		setup_proc();
	else
		setup_paths();
}

static void verify(void)
{
	if (mode_is("proc"))
		verify_proc();
	else
		verify_paths();
}

/* Their names have the number of the process. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
