// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be saved can be left out, and another file in its place; so it can with
 * regular files, although the image has them. But nothing is lost without a word.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/checkpoint_image.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
/* Where a restarted task has what it is to inherit. */
#define OURS	5

FIXTURE(external)
{
	char dir[PATH_MAX / 2];
	int null;
};

FIXTURE_SETUP(external)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "external", 0777));
	self->null = open("/dev/null", O_RDWR | O_CLOEXEC);
}

FIXTURE_TEARDOWN(external)
{
	EXPECT_FALSE(leaves_children());
	close(self->null);
	leave_directory(self->dir);
}

static long save_with(pid_t pid, unsigned long flags)
{
	int image = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int log = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	long ret = sys_checkpoint(pid, image, CHECKPOINT_SUBTREE | flags, log);

	if (ret < 0)
		ret = -errno;
	close(image);
	close(log);
	return ret;
}

/* The open file of a descriptor, in the image. */
static bool find_file(const struct image *image, int fd, unsigned int *index)
{
	unsigned int nr_files = image_count(image, "file");
	char what[32];
	u64 found;

	for (*index = 0; *index < nr_files; ++*index) {
		snprintf(what, sizeof(what), "file[%u].fd", *index);
		if (image_get(image, what, &found) && (int)found == fd)
			return true;
	}
	return complain("the image has no descriptor %d", fd);
}

/* Restart the image with @ours in the place of a descriptor. */
static pid_t restart_with(int fd, int ours)
{
	struct image image;
	unsigned int index;
	int image_fd, log, error;
	char what[32];
	long ret;
	pid_t pid;

	if (!image_load(&image, "image"))
		return -EIO;
	if (find_file(&image, fd, &index)) {
		snprintf(what, sizeof(what), "file[%u].inherit", index);
		image_set(&image, what, OURS);
	}
	image_seal(&image);
	image_store(&image, "changed");
	image_free(&image);
	image_fd = open("changed", O_RDONLY | O_CLOEXEC);
	log = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	pid = fork();
	if (!pid) {
		setsid();
		if (ours < 0)
			close(OURS);
		else
			dup2(ours, OURS);
		sys_restart(0, 0, 0, CHECKPOINT_FD_NONE);
		_exit(119);
	}
	ret = sys_restart(pid, image_fd, 0, log);
	error = errno;
	close(image_fd);
	close(log);
	if (!ret)
		return pid;
	kill_and_reap(pid);
	return -error;
}

static bool is_open_as(pid_t pid, int fd, const char *path)
{
	char name[64], got[PATH_MAX] = "";

	snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, fd);
	if (readlink(name, got, sizeof(got) - 1) > 0 && !strcmp(got, path))
		return true;
	return complain("%s is %s, not %s", name, got, path);
}

static int open_udp(void)
{
	return socket(AF_INET6, SOCK_DGRAM, 0);
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

/* Connected to somebody who is gone, and never was in the image. */
static int open_tcp(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t len = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (void *)&name, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&name, &len) || connect(fd, (void *)&name, len))
		_exit(3);
	/* The accepted one goes with this process. */
	if (accept4(listener, NULL, NULL, 0) < 0)
		_exit(3);
	return fd;
}

static int open_master(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static int open_tun(void)
{
	return open("/dev/net/tun", O_RDWR);
}

static int open_fanotify(void)
{
	return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
}

static int open_sys(void)
{
	return open("/sys/kernel/uevent_seqnum", O_RDONLY);
}

static int open_init(void)
{
	return open("/proc/1/status", O_RDONLY);
}

static int open_notification_pipe(void)
{
	int fds[2];

	return pipe2(fds, O_EXCL) ? -1 : fds[0];
}

static const struct kind {
	const char *word;	/* of who refuses it */
	const char *name;	/* in the image */
	int (*make)(void);
} kinds[] = {
	{ "file UDPv6 of type sockfs cannot", "UDPv6 of type sockfs", open_udp },
	{ "file NETLINK of type sockfs cannot", "NETLINK of type sockfs", open_netlink },
	{ "is connected to 127.0.0.1:", "TCP of type sockfs", open_tcp },
	{ "is the master of a pseudo-terminal", "/dev/ptmx", open_master },
	{ "file tun of type devtmpfs cannot", "/dev/net/tun", open_tun },
	{ "file [fanotify] of type anon_inodefs", "[fanotify] of type anon_inodefs",
	  open_fanotify },
	{ "file uevent_seqnum of type sysfs", "/sys/kernel/uevent_seqnum", open_sys },
	{ "of /proc belongs to another task: 1", "/proc/1/status", open_init },
	{ "notification pipe ", " of type pipefs", open_notification_pipe },
};

static bool check_kind(const struct kind *kind, int null)
{
	int fd = kind->make(), file;
	char message[256], path[PATH_MAX];
	pid_t pid, other;
	bool good;

	if (fd < 0)
		return complain("%s: %s", kind->name, strerror(errno));
	pid = start_with(null, fd, NULL);
	close(fd);
	good = save_with(pid, 0) == -EBADF && file_holds("log", kind->word) &&
	       save_with(pid, CHECKPOINT_EXTERNAL) > 0 && wait_blocked(pid, NR64_PAUSE);
	kill_and_reap(pid);
	if (!good) {
		show_file("log");
		return complain("%s is not saved", kind->name);
	}
	snprintf(message, sizeof(message),
		 "%s, which is not in the image: connect it with restart --inherit-fd 1 or --inherit-stdio",
		 kind->name);
	other = restart_from("image", 0, "log");
	if (other != -ENOTCONN || !log_names(message))
		return complain("%s: %d", kind->name, other);
	file = open("in-its-place", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	other = restart_with(1, file);
	close(file);
	if (other <= 0) {
		show_file("log");
		return complain("%s: %d", kind->name, other);
	}
	good = getcwd(path, sizeof(path) - 20) && strcat(path, "/in-its-place") &&
	       is_open_as(other, 1, path) && wait_blocked(other, NR64_PAUSE);
	kill_and_reap(other);
	return good;
}

TEST_F_TIMEOUT(external, kinds, LIMIT)
{
	size_t index;

	for (index = 0; index < sizeof(kinds) / sizeof(*kinds); index++)
		EXPECT_TRUE(check_kind(&kinds[index], self->null)) {
			TH_LOG("kind %zu", index);
		}
	/* No other flag is one. */
	EXPECT_EQ(-EINVAL, save_with(getpid(), CHECKPOINT_EXTERNAL << 1));
}

/* A block device: its pages may be mapped, and it has no method. */
static void map_block_device(void)
{
	if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, 1, 0) == MAP_FAILED)
		_exit(4);
}

static void close_and_map(void)
{
	int fds[2];
	pid_t pid;
	char byte;

	if (pipe(fds))
		_exit(5);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		map_block_device();
		close(1);
		if (write(fds[1], "x", 1) != 1)
			_exit(6);
		for (;;)
			pause();
	}
	if (read(fds[0], &byte, 1) != 1)
		_exit(7);
	close(fds[0]);
	close(fds[1]);
}

/* Memory that is not there has nobody to ask. */
TEST_F_TIMEOUT(external, mapped, LIMIT)
{
	int device = open("/dev/ram0", O_RDWR | O_CLOEXEC);
	pid_t pid;

	ASSERT_GE(device, 0);
	pid = start_with(self->null, device, NULL);
	EXPECT_GT(save_with(pid, CHECKPOINT_EXTERNAL), 0);
	kill_and_reap(pid);
	pid = start_with(self->null, device, map_block_device);
	EXPECT_EQ(-EBADF, save_with(pid, CHECKPOINT_EXTERNAL));
	EXPECT_TRUE(log_names("file ram0 of type devtmpfs cannot be saved"));
	kill_and_reap(pid);
	/* By another process, which comes later. */
	pid = start_with(self->null, device, close_and_map);
	EXPECT_EQ(-EBADF, save_with(pid, CHECKPOINT_EXTERNAL));
	EXPECT_TRUE(log_names("file ram0 is mapped, and outside of the image"));
	kill_and_reap(pid);
	end_children();
	close(device);
}

/* On its way from one process to another. */
static void send_it(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x';
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[2], udp = open_udp();

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &udp, sizeof(int));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || sendmsg(fds[0], &message, 0) != 1)
		_exit(4);
	close(udp);
}

TEST_F_TIMEOUT(external, without_descriptor, LIMIT)
{
	pid_t pid = start_with(self->null, self->null, send_it);

	EXPECT_EQ(-EBADF, save_with(pid, CHECKPOINT_EXTERNAL));
	EXPECT_TRUE(log_names("file UDPv6 of type sockfs cannot be saved"));
	kill_and_reap(pid);
}

static void watch_it(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	if (epoll_create1(0) != 2 || epoll_ctl(2, EPOLL_CTL_ADD, 1, &event))
		_exit(4);
}

/* An epoll watches what takes its place. */
TEST_F_TIMEOUT(external, watched, LIMIT)
{
	int udp = open_udp(), fds[2];
	struct epoll_event event;
	pid_t pid;
	int epoll, pidfd;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	pid = start_with(self->null, udp, watch_it);
	ASSERT_GT(save_with(pid, CHECKPOINT_EXTERNAL), 0);
	kill_and_reap(pid);
	close(udp);
	/* A pipe can be read or written. */
	pid = restart_with(1, fds[0]);
	EXPECT_EQ(-EBADF, pid);
	EXPECT_TRUE(log_names("it is not open for writing as the saved one was"));
	/* And nobody watches a file. */
	epoll = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	EXPECT_EQ(-EPERM, restart_with(1, epoll));
	close(epoll);
	close(fds[0]);
	close(fds[1]);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	pid = restart_with(1, fds[0]);
	ASSERT_GT(pid, 0) {
		show_file("log");
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	epoll = syscall(SYS_pidfd_getfd, pidfd, 2, 0);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(1, write(fds[1], "x", 1));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	kill_and_reap(pid);
	close(epoll);
	close(pidfd);
	close(fds[0]);
	close(fds[1]);
}

/* What the kernel does not write. */
TEST_F_TIMEOUT(external, edited, LIMIT)
{
	int udp = open_udp();
	struct image image;
	unsigned int index;
	char what[32];
	pid_t pid;

	pid = start_with(self->null, udp, NULL);
	ASSERT_GT(save_with(pid, CHECKPOINT_EXTERNAL), 0);
	kill_and_reap(pid);
	close(udp);
	ASSERT_TRUE(image_load(&image, "image"));
	ASSERT_TRUE(find_file(&image, 1, &index));
	ASSERT_TRUE(image_set(&image, "file_external.type", CKPT_EXTERNAL_OTHER + 1));
	image_seal(&image);
	ASSERT_TRUE(image_store(&image, "image"));
	EXPECT_EQ(-EINVAL, restart_with(1, self->null));
	ASSERT_TRUE(image_set(&image, "file_external.type", CKPT_EXTERNAL_OTHER));
	snprintf(what, sizeof(what), "file[%u].fd", index);
	ASSERT_TRUE(image_set(&image, what, (u64)-1));
	image_seal(&image);
	ASSERT_TRUE(image_store(&image, "image"));
	EXPECT_EQ(-ENOTCONN, restart_from("image", 0, "log"));
	EXPECT_TRUE(log_names("UDPv6 of type sockfs was open at no descriptor"));
	image_free(&image);
}

static int open_log(void)
{
	return open("output", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void lock_it(void)
{
	struct flock lock = { .l_type = F_WRLCK };

	if (fcntl(1, F_OFD_SETLK, &lock))
		_exit(4);
}

static void lease_it(void)
{
	int fd = open("leased", O_RDONLY | O_CREAT, 0644);

	if (fd < 0 || dup2(fd, 1) != 1 || close(fd) || fcntl(1, F_SETLEASE, F_RDLCK))
		_exit(4);
}

static void map_it(void)
{
	if (ftruncate(1, 4096) || mmap(NULL, 4096, PROT_READ, MAP_SHARED, 1, 0) == MAP_FAILED)
		_exit(4);
}

static void map_it_private(void)
{
	if (ftruncate(1, 4096) || mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 1, 0) == MAP_FAILED)
		_exit(4);
}

static void make_eventfd(void)
{
	close(1);
	if (syscall(SYS_eventfd2, 0, 0) != 1)
		_exit(4);
}

static const struct replacement {
	void (*body)(void);
	int error;
	const char *word;
} replacements[] = {
	{ lock_it, EBUSY, "an inherited file cannot take the place of a locked one" },
	{ lease_it, EBUSY, "an inherited file cannot take the place of one with a lease" },
	{ map_it, EBUSY,
	  "descriptor 1 was a regular file that is mapped: nothing can be inherited in its place" },
	{ map_it_private, EBUSY,
	  "descriptor 1 was a regular file that is mapped: nothing can be inherited in its place" },
	{ make_eventfd, EINVAL, "descriptor 1 was a eventfd: nothing can be inherited" },
};

/* A file that the image has is replaced if the image needs nothing of it. */
TEST_F_TIMEOUT(external, regular_file, LIMIT)
{
	char path[PATH_MAX];
	size_t index;
	int fd, new;
	pid_t pid;

	new = open("new", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_EQ(5, write(new, "12345", 5));
	fd = open_log();
	pid = start_with(self->null, fd, NULL);
	ASSERT_GT(save_with(pid, 0), 0);
	kill_and_reap(pid);
	close(fd);
	/* It need not be there, and is not made. */
	ASSERT_EQ(0, unlink("output"));
	EXPECT_EQ(-ENOENT, restart_from("image", 0, "log"));
	pid = restart_with(1, new);
	ASSERT_GT(pid, 0) {
		show_file("log");
	}
	snprintf(path, sizeof(path), "%s/new", self->dir);
	EXPECT_TRUE(is_open_as(pid, 1, path));
	EXPECT_EQ(5, lseek(new, 0, SEEK_CUR));
	EXPECT_EQ(-1, access("output", F_OK));
	kill_and_reap(pid);
	/* And so is a memory device. */
	fd = open_log();
	pid = start_with(self->null, fd, NULL);
	ASSERT_GT(save_with(pid, 0), 0);
	kill_and_reap(pid);
	pid = restart_with(0, new);
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(is_open_as(pid, 0, path));
	kill_and_reap(pid);
	EXPECT_EQ(-EBADF, restart_with(1, -1));
	EXPECT_TRUE(log_names("to be inherited, is not open"));
	close(fd);
	for (index = 0; index < sizeof(replacements) / sizeof(*replacements); index++) {
		fd = open_log();
		pid = start_with(self->null, fd, replacements[index].body);
		close(fd);
		ASSERT_GT(save_with(pid, 0), 0) {
			show_file("log");
		}
		kill_and_reap(pid);
		EXPECT_EQ(-replacements[index].error, restart_with(1, new)) {
			TH_LOG("replacement %zu", index);
		}
		EXPECT_TRUE(log_names(replacements[index].word));
	}
	close(new);
}

TEST_HARNESS_MAIN
