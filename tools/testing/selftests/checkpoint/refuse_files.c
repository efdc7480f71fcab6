// SPDX-License-Identifier: GPL-2.0
/* Descriptors and mappings that a checkpoint must refuse. */
#include "refuse.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#ifndef __NR_mseal
#define __NR_mseal	462
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE	0x08
#endif
#ifndef O_NOTIFICATION_PIPE
#define O_NOTIFICATION_PIPE	O_EXCL
#endif
#define SHM_KEY		0x636b7075

static bool opens(int fd)
{
	return fd >= 0;
}

static int scratch_file(void)
{
	return open("scratch", O_RDWR | O_CREAT, 0644);
}

static bool make_notification_pipe(void)
{
	int fds[2];

	return !pipe2(fds, O_NOTIFICATION_PIPE);
}

static bool watches(const char *path)
{
	int fd = inotify_init1(0);

	return opens(fd) && inotify_add_watch(fd, path, IN_ALL_EVENTS) == 1;
}

/* It is there as long as somebody has it open. */
static bool make_inotify_unlinked(void)
{
	return opens(scratch_file()) && watches("scratch") && !unlink("scratch");
}

static bool make_inotify_pipe(void)
{
	int fds[2];

	return !pipe(fds) && watches("/proc/self/fd/0");
}

static bool make_memfd_xattr(void)
{
	int fd = memfd_create("memory", 0);

	return opens(fd) && !fsetxattr(fd, "user.colour", "red", 3, 0);
}

/* Shared memory without a name, opened nevertheless. */
static bool make_map_file(void)
{
	char path[64];
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return false;
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)at,
		 (unsigned long)at + 4096);
	return opens(open(path, O_RDWR));
}

static bool make_pidfd_parent(void)
{
	return opens(syscall(SYS_pidfd_open, getppid(), 0));
}

/* It keeps a user namespace. */
static bool make_proc_uid_map(void)
{
	return opens(open("/proc/self/uid_map", O_RDONLY));
}

/* What a security module keeps is not saved. */
static bool make_proc_attr(void)
{
	return opens(open("/proc/self/attr/current", O_RDONLY));
}

/* When it is opened again, there is no such descriptor yet. */
static bool make_proc_fdinfo(void)
{
	return opens(scratch_file()) && opens(open("/proc/self/fdinfo/0", O_RDONLY));
}

static bool make_proc_root(void)
{
	return opens(open("/proc/self/mounts", O_RDONLY)) && !chroot(".");
}

static bool make_proc_namespace(void)
{
	int own = open("/proc/self/ns/mnt", O_RDONLY);
	bool good = opens(own) && !unshare(CLONE_NEWNS) &&
		    opens(open("/proc/self/mountinfo", O_RDONLY)) && !setns(own, CLONE_NEWNS);

	close(own);
	return good;
}

static bool make_proc_other(void)
{
	return opens(open("/proc/1/status", O_RDONLY));
}

static bool make_proc_dead(void)
{
	char name[32];
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	if (!opens(open(name, O_RDONLY)))
		return false;
	return waitpid(pid, NULL, 0) == pid;
}

static bool make_proc_write(void)
{
	return opens(open("/proc/sysrq-trigger", O_WRONLY));
}

static bool make_pty(void)
{
	return opens(open("/dev/ptmx", O_RDWR | O_NOCTTY));
}

static bool make_unlinked_xattr(void)
{
	int fd = scratch_file();

	return opens(fd) && !fsetxattr(fd, "user.colour", "red", 3, 0) && !unlink("scratch");
}

/* Of the file, not of the mapping. */
static bool make_unlinked_policy(void)
{
	unsigned long nodes = 1;
	struct statfs fs;
	int fd = scratch_file();
	void *at = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);

	return opens(fd) && !fstatfs(fd, &fs) && fs.f_type == TMPFS_MAGIC && at != MAP_FAILED &&
	       !syscall(SYS_mbind, at, 8192, MPOL_BIND, &nodes, 64, 0) && !munmap(at, 8192) &&
	       !unlink("scratch");
}

static bool make_unlinked_immutable(void)
{
	int fd = scratch_file(), flags = FS_APPEND_FL;

	return opens(fd) && !unlink("scratch") && !ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static bool make_removed_xattr(void)
{
	return !mkdir("scratch-dir", 0755) && opens(open("scratch-dir", O_RDONLY)) &&
	       !setxattr("scratch-dir", "user.colour", "red", 3, 0) && !rmdir("scratch-dir");
}

/* The folder that the tests came with, from another machine. */
static bool make_unlinked_remote(void)
{
	static const char name[] = "/mnt/share/scratch";
	struct statfs fs;

	return !statfs("/mnt/share", &fs) && fs.f_type == V9FS_MAGIC &&
	       opens(open(name, O_WRONLY | O_CREAT, 0644)) && !unlink(name);
}

static bool make_path_unlinked(void)
{
	return opens(scratch_file()) && opens(open("scratch", O_PATH)) && !unlink("scratch");
}

/* A name that leads to something, and then nowhere. */
static bool open_path_and_unlink(void)
{
	return opens(open("scratch", O_PATH | O_NOFOLLOW)) && !unlink("scratch");
}

static bool make_path_of_fifo(void)
{
	return !mkfifo("scratch", 0600) && open_path_and_unlink();
}

static bool make_path_of_symlink(void)
{
	return !symlink("nowhere", "scratch") && open_path_and_unlink();
}

static bool make_path_of_socket(void)
{
	struct sockaddr_un name = { AF_UNIX, "scratch" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return !bind(fd, (struct sockaddr *)&name, sizeof(name)) && !close(fd) &&
	       open_path_and_unlink();
}

static bool make_path_of_device(void)
{
	return !mknod("scratch", S_IFCHR | 0600, makedev(1, 3)) && open_path_and_unlink();
}

static bool make_path_of_pipe(void)
{
	char name[32];
	int fds[2];

	if (pipe(fds))
		return false;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[0]);
	return opens(open(name, O_PATH));
}

static bool make_nameless_lease(void)
{
	int fd = scratch_file();

	close(fd);
	fd = open("scratch", O_WRONLY);
	return opens(fd) && !fcntl(fd, F_SETLEASE, F_WRLCK) && !unlink("scratch");
}

static bool make_dnotify(void)
{
	int fd = open(".", O_RDONLY);

	return opens(fd) && !fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
}

static bool make_owner_parent(void)
{
	int fd = scratch_file();

	return opens(fd) && !fcntl(fd, F_SETOWN, getppid());
}

static bool make_owner_group(void)
{
	int fds[2];

	return !pipe(fds) && !fcntl(fds[0], F_SETFL, O_ASYNC) &&
	       !fcntl(fds[0], F_SETOWN, -getppid());
}

static bool make_removed_root(void)
{
	return !mkdir("removed", 0755) && !chroot("removed") && !rmdir("removed");
}

static bool map_at(int fd, int flags)
{
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at == MAP_FAILED)
		return false;
	*at = 1;
	return true;
}

/* Nothing but the mapping is left of it. */
static bool map_unlinked_xattr(void)
{
	int fd = scratch_file();

	if (!opens(fd) || ftruncate(fd, 8192) || !map_at(fd, MAP_PRIVATE) ||
	    fsetxattr(fd, "user.colour", "red", 3, 0))
		return false;
	close(fd);
	return !unlink("scratch");
}

static bool map_huge_memfd(void)
{
	int fd = memfd_create("memory", MFD_HUGETLB);

	/* Room is reserved for a page, and none is taken. */
	if (!opens(fd) || mmap(NULL, 2 << 20, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0) ==
	    MAP_FAILED)
		return false;
	close(fd);
	return true;
}

static bool map_huge(void)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);

	if (!opens(fd) || write(fd, "2", 1) != 1)
		return false;
	close(fd);
	return mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) != MAP_FAILED;
}

static bool map_shm(void)
{
	pid_t pid = fork();
	void *at;
	int id;

	/* The creator is another process. */
	if (!pid)
		_exit(shmget(SHM_KEY, 8192, IPC_CREAT | 0600) < 0);
	waitpid(pid, NULL, 0);
	id = shmget(SHM_KEY, 0, 0);
	at = shmat(id, NULL, 0);
	return id >= 0 && at != (void *)-1 && !shmctl(id, IPC_RMID, NULL);
}

static bool map_device(void)
{
	int fd = open("/dev/mem", O_RDONLY);

	if (!opens(fd) || mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		return false;
	close(fd);
	return true;
}

static void *private_memory(void)
{
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at != MAP_FAILED)
		*at = 1;
	return at;
}

static bool map_with_key(void)
{
	int key = pkey_alloc(0, 0);

	return key > 0 && !pkey_mprotect(private_memory(), 8192, PROT_READ, key);
}

static bool map_sealed(void)
{
	return !syscall(__NR_mseal, private_memory(), 8192, 0);
}

static bool map_droppable(void)
{
	return mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static bool map_aio(void)
{
	unsigned long context = 0;

	return !syscall(SYS_io_setup, 4, &context);
}

const struct refusal file_refusals[] = {
	{ "notification-pipe", make_notification_pipe, EBADF, "notification pipe" },
	{ "inotify-unlinked", make_inotify_unlinked, EBADF, "was unlinked" },
	{ "inotify-pipe", make_inotify_pipe, ENOENT, "no name of inode" },
	{ "memfd-xattr", make_memfd_xattr, EOPNOTSUPP, "user.colour" },
	{ "map-file", make_map_file, EBADF, "memory without a name" },
	{ "pidfd-parent", make_pidfd_parent, EBUSY, "pidfd of process " },
	{ "proc-uid-map", make_proc_uid_map, EBADF, "file uid_map of /proc cannot be saved" },
	{ "proc-attr", make_proc_attr, EBADF, "file attr/current of /proc cannot be saved" },
	{ "proc-fdinfo", make_proc_fdinfo, EBADF, "file fdinfo/0 of /proc cannot be saved" },
	{ "proc-root", make_proc_root, EBADF,
	  "file mounts of /proc shows mounts below another root directory" },
	{ "proc-namespace", make_proc_namespace, EBADF,
	  "file mountinfo of /proc shows another mount namespace" },
	{ "proc-other", make_proc_other, EBADF, "of /proc belongs to another task: 1" },
	{ "proc-dead", make_proc_dead, EBADF, "of /proc belongs to another task" },
	{ "proc-trigger", make_proc_write, EBADF, "file sysrq-trigger of /proc cannot be saved" },
	{ "pty", make_pty, EBADF, "ptmx" },
	{ "unlinked-xattr", make_unlinked_xattr, EOPNOTSUPP, "user.colour" },
	{ "unlinked-policy", make_unlinked_policy, EBADF,
	  "file scratch is unlinked and has a NUMA policy" },
	{ "unlinked-append-only", make_unlinked_immutable, EBADF, "append-only" },
	{ "removed-xattr", make_removed_xattr, EOPNOTSUPP,
	  "file scratch-dir is unlinked and has the extended attribute user.colour" },
	{ "unlinked-remote", make_unlinked_remote, EBADF, "not open for reading" },
	{ "path-unlinked", make_path_unlinked, EBADF, "file scratch was unlinked" },
	{ "path-of-fifo", make_path_of_fifo, EBADF, "file scratch was unlinked" },
	{ "path-of-symlink", make_path_of_symlink, EBADF, "file scratch was unlinked" },
	{ "path-of-socket", make_path_of_socket, EBADF, "file scratch was unlinked" },
	{ "path-of-device", make_path_of_device, EBADF, "file scratch was unlinked" },
	{ "path-of-pipe", make_path_of_pipe, ENOENT, "cannot be named" },
	{ "nameless-lease", make_nameless_lease, EBUSY,
	  "file scratch has a lease, no name, and is not open for reading" },
	{ "dnotify", make_dnotify, EBADF, "has notification" },
	{ "owner-parent", make_owner_parent, EBUSY, "scratch sends signals to process " },
	{ "owner-group", make_owner_group, EBUSY, "sends signals to process group " },
	{ "removed-root", make_removed_root, EBADF, "its root directory was removed" },
	{ "map-unlinked-xattr", map_unlinked_xattr, EOPNOTSUPP, "user.colour" },
	{ "map-huge-memfd", map_huge_memfd, EOPNOTSUPP, "huge" },
	{ "map-huge", map_huge, EOPNOTSUPP, "huge" },
	{ "map-shm", map_shm, EOPNOTSUPP, "SYSV" },
	{ "map-device", map_device, EOPNOTSUPP, "device memory" },
	{ "map-key", map_with_key, EOPNOTSUPP, "protection key" },
	{ "map-sealed", map_sealed, EOPNOTSUPP, "seal" },
	{ "map-droppable", map_droppable, EOPNOTSUPP, "droppable" },
	{ "map-aio", map_aio, EOPNOTSUPP, "AIO" },
};

const size_t nr_file_refusals = sizeof(file_refusals) / sizeof(*file_refusals);
