// SPDX-License-Identifier: GPL-2.0
/*
 * Unix sockets: system calls that wait for one, what is refused, peers that are
 * outside of the image, images that go through one, and images that lie.
 */
#include "harness.h"
#include "image_edit.h"

#include <grp.h>
#include <linux/checkpoint_image.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define GOOD	33

FIXTURE(sockets)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(sockets)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "sockets", 0777));
}

FIXTURE_TEARDOWN(sockets)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static void tell(bool good)
{
	_exit(good ? GOOD : 4);
}

/* They are 0 and 1. */
static void make_pair(int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type, 0, fds) || fds[0] || fds[1] != 1)
		_exit(2);
}

static void set(int fd, int option, int value)
{
	if (setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)))
		_exit(7);
}

static void pause_for_good(void)
{
	for (;;)
		pause();
}

static void wait_in_read(void)
{
	char got[20];

	make_pair(SOCK_STREAM);
	tell(read(0, got, 20) == 10);
}

static void wait_in_recv(void)
{
	char got[20];

	make_pair(SOCK_SEQPACKET);
	tell(recv(0, got, 20, 0) == 10);
}

static void wait_for_all(void)
{
	char got[20];

	make_pair(SOCK_STREAM);
	tell(recv(0, got, 10, MSG_WAITALL) == 10);
}

static void fill(void)
{
	int flags = fcntl(1, F_GETFL);

	fcntl(1, F_SETFL, flags | O_NONBLOCK);
	while (write(1, "xxxxxxxxxx", 10) == 10)
		;
	fcntl(1, F_SETFL, flags);
}

static void wait_in_write(void)
{
	make_pair(SOCK_STREAM);
	fill();
	tell(write(1, "0123456789", 10) == 10);
}

static void wait_in_send(void)
{
	make_pair(SOCK_DGRAM);
	fill();
	tell(send(1, "0123456789", 10, 0) == 10);
}

static void wait_in_poll(void)
{
	struct pollfd ends[2] = { { .fd = 0, .events = POLLIN }, { .fd = 1, .events = POLLIN } };

	make_pair(SOCK_DGRAM);
	tell(poll(ends, 2, -1) == 1 && ends[0].revents == POLLIN && !ends[1].revents);
}

/* What somebody else does with the socket that is at 0 or 1. */
static bool put(int fd)
{
	return send(fd, "0123456789", 10, 0) == 10;
}

static bool drain(int fd)
{
	char got[10000];
	bool any = false;

	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		any = true;
	return any;
}

static int socket_of(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int ours = syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	close(pidfd);
	return ours;
}

static const struct waiting {
	const char *name;
	long nr;
	void (*body)(void);
	int end;
	bool (*act)(int fd);
} waiting[] = {
	{ "read", SYS_read, wait_in_read, 1, put },
	{ "recv", SYS_recvfrom, wait_in_recv, 1, put },
	{ "recv for all", SYS_recvfrom, wait_for_all, 1, put },
	{ "write", SYS_write, wait_in_write, 0, drain },
	{ "send", SYS_sendto, wait_in_send, 0, drain },
	{ "poll", SYS_poll, wait_in_poll, 1, put },
};

static bool poke(pid_t pid, const struct waiting *it)
{
	int fd = socket_of(pid, it->end);
	bool good = fd >= 0 && it->act(fd);

	close(fd);
	return good || complain("cannot end the wait: %s", strerror(errno));
}

/* It goes on waiting, in place and after a restart, and ends as it should. */
static bool check_waiting(const struct waiting *it)
{
	pid_t pid = start_blocked(it->body, it->nr);
	bool good = pid && save_to("image", pid, "log") > 0 && wait_blocked(pid, it->nr) &&
		    save_to("image", pid, "log") > 0 && wait_blocked(pid, it->nr) && poke(pid, it);

	if (!reap(pid, GOOD << 8, "in place") || !good)
		return false;
	pid = restart_from("image", 0, "log");
	if (pid <= 0)
		return complain("restart: %s", strerror(-pid));
	good = wait_blocked(pid, it->nr) && poke(pid, it);
	return reap(pid, GOOD << 8, "after the restart") && good;
}

TEST_F_TIMEOUT(sockets, waiting, LIMIT)
{
	size_t index;

	for (index = 0; index < sizeof(waiting) / sizeof(*waiting); index++)
		EXPECT_TRUE(check_waiting(&waiting[index]) ||
			    complain("waiting in %s", waiting[index].name));
}

/* The image must not get into what it is an image of, through either end. */
TEST_F_TIMEOUT(sockets, image_into_itself, LIMIT)
{
	int fds[2], round, unread = -1;

	for (round = 0; round < 2; round++) {
		int log = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		pid_t pid;

		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
		pid = start_with(fds[round], fds[round], NULL);
		EXPECT_EQ(-1, sys_checkpoint(pid, fds[1], CHECKPOINT_SUBTREE, log));
		EXPECT_EQ(EDEADLK, errno);
		EXPECT_TRUE(log_names("the image is written into unix socket"));
		EXPECT_EQ(0, ioctl(fds[0], FIONREAD, &unread));
		EXPECT_EQ(0, unread);
		EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
		close(fds[0]);
		close(fds[1]);
		close(log);
		EXPECT_GT(save_to("image", pid, "log"), 0);
		kill_and_reap(pid);
	}
}

static void pause_with_data(void)
{
	make_pair(SOCK_STREAM);
	if (write(1, "some data", 9) != 9)
		_exit(6);
	pause_for_good();
}

/* Through another socket it goes, both ways. */
TEST_F_TIMEOUT(sockets, image_through_socket, LIMIT)
{
	pid_t pid = start_blocked(pause_with_data, NR64_PAUSE), helper;
	int fds[2], log = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	helper = fork();
	if (!helper) {
		close(fds[0]);
		_exit(sys_checkpoint(pid, fds[1], CHECKPOINT_SUBTREE, log) <= 0);
	}
	close(fds[1]);
	pid_t restarted = restart_from_fd(fds[0], 0, log);

	EXPECT_GT(restarted, 0);
	EXPECT_TRUE(reap(helper, 0, "checkpoint"));
	EXPECT_TRUE(wait_blocked(restarted, NR64_PAUSE));
	kill_and_reap(restarted);
	kill_and_reap(pid);
	close(fds[0]);
	close(log);
}

static void have_filter(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, ~0U);
	struct sock_fprog program = { 1, &all };

	make_pair(SOCK_DGRAM);
	if (setsockopt(0, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		_exit(8);
	pause_for_good();
}

static void have_timestamping(void)
{
	make_pair(SOCK_DGRAM);
	set(0, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE);
	pause_for_good();
}

static void have_device(void)
{
	make_pair(SOCK_DGRAM);
	if (setsockopt(1, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3))
		_exit(8);
	pause_for_good();
}

static void have_pacing(void)
{
	make_pair(SOCK_DGRAM);
	set(1, SO_MAX_PACING_RATE, 1000);
	pause_for_good();
}

static void have_busy_poll(void)
{
	make_pair(SOCK_DGRAM);
	set(1, SO_BUSY_POLL, 10);
	pause_for_good();
}

static void have_cpu(void)
{
	make_pair(SOCK_DGRAM);
	set(1, SO_INCOMING_CPU, 0);
	pause_for_good();
}

static void have_other_namespace(void)
{
	int old = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (unshare(CLONE_NEWNET) || dup2(socket(AF_UNIX, SOCK_STREAM, 0), 5) != 5 ||
	    setns(old, CLONE_NEWNET))
		_exit(8);
	close(old);
	pause_for_good();
}

static void send_too_much(void)
{
	static char data[(1 << 20) + 1];

	make_pair(SOCK_DGRAM);
	set(0, SO_SNDBUFFORCE, 4 << 20);
	if (send(0, data, sizeof(data), 0) != sizeof(data))
		_exit(8);
	pause_for_good();
}

static const struct {
	void (*body)(void);
	int error;
	const char *message;
} refused[] = {
	{ have_filter, EOPNOTSUPP, "has a filter" },
	{ have_timestamping, EOPNOTSUPP, "has SO_TIMESTAMPING" },
	{ have_device, EOPNOTSUPP, "has SO_BINDTODEVICE" },
	{ have_pacing, EOPNOTSUPP, "has SO_MAX_PACING_RATE" },
	{ have_cpu, EOPNOTSUPP, "has SO_INCOMING_CPU" },
	{ have_busy_poll, EOPNOTSUPP, "has SO_BUSY_POLL" },
	{ have_other_namespace, EPERM, "is of another network namespace" },
	{ send_too_much, EOPNOTSUPP, "a message of 1048577 bytes waits in unix socket" },
};

TEST_F_TIMEOUT(sockets, refused, LIMIT)
{
	size_t index;

	for (index = 0; index < sizeof(refused) / sizeof(*refused); index++) {
		pid_t pid = start_blocked(refused[index].body, NR64_PAUSE);

		EXPECT_EQ(-refused[index].error, save_to("image", pid, "log"));
		EXPECT_TRUE(log_names(refused[index].message)) {
			TH_LOG("case %zu", index);
		}
		EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
		kill_and_reap(pid);
	}
}

/* Long enough to be saved before it reads. */
static void read_later(void)
{
	char data[100];

	poll(NULL, 0, scaled_ms(2000) / MSEC);
	while (read(0, data, sizeof(data)) > 0)
		;
	_exit(BODY_GOOD);
}

static pid_t start_at(int fd)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		if (dup2(fd, 0))
			_exit(1);
		syscall(SYS_close_range, 1, ~0U, 0);
		read_later();
	}
	return wait_blocked(pid, NR64_POLL) ? pid : 0;
}

/* One end is ours; what we have sent waits there if it is told so. */
static bool save_with_peer(int type, bool unread)
{
	int fds[2];
	pid_t pid;
	bool good;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds))
		return complain("socketpair: %s", strerror(errno));
	if (unread && send(fds[0], "unread", 6, 0) != 6)
		return complain("send: %s", strerror(errno));
	pid = start_at(fds[1]);
	close(fds[1]);
	good = save_to("image", pid, "log") > 0;
	kill_and_reap(pid);
	close(fds[0]);
	return good;
}

static int run_restart(const char *a, const char *b, const char *c)
{
	const char *const argv[] = {
		tool_path("restart"), "--copy-status", "-i", "image", "-l", "log", a, b, c, NULL
	};
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		int said = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0644);

		dup2(open("/dev/null", O_RDWR), 0);
		dup2(said, 1);
		dup2(said, 2);
		execv(argv[0], (char *const *)argv);
		_exit(112);
	}
	waitpid(pid, &status, 0);
	return status;
}

#define IS_OUTSIDE	"the other end of the socket of descriptor 0 was outside the image: " \
			"connect it with restart --inherit-fd 0"
#define IS_UNREAD	"the socket of descriptor 0 held 1 unread messages: " \
			"drop them with restart --unread drop"
#define NEEDS_RIGHT	" of a socket: 104857600 bytes need CAP_NET_ADMIN"

TEST_F_TIMEOUT(sockets, peer_outside, LIMIT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	size_t index;

	for (index = 0; index < 3; index++) {
		ASSERT_TRUE(save_with_peer(types[index], false));
		EXPECT_EQ(-ENOTCONN, try_restart("image", "log"));
		EXPECT_TRUE(log_names(IS_OUTSIDE));
	}
	EXPECT_EQ(125 << 8, run_restart(NULL, NULL, NULL));
	EXPECT_TRUE(file_holds("said", "use --inherit-fd or --inherit-stdio"));
	unlink("log");
	/* /dev/null takes its place, and that is its end. */
	EXPECT_EQ(BODY_GOOD << 8, run_restart("--inherit-fd", "0", NULL)) {
		show_file("log");
		show_file("said");
	}
}

TEST_F_TIMEOUT(sockets, peer_outside_unread, LIMIT)
{
	ASSERT_TRUE(save_with_peer(SOCK_STREAM, true));
	unlink("log");
	EXPECT_EQ(125 << 8, run_restart("--inherit-fd", "0", NULL));
	EXPECT_TRUE(log_names(IS_UNREAD));
	EXPECT_EQ(125 << 8, run_restart("--inherit-fd", "0", "--unread=move"));
	EXPECT_TRUE(log_names("1 unread messages of the socket of descriptor 0 cannot be moved"));
	EXPECT_EQ(BODY_GOOD << 8, run_restart("--inherit-fd", "0", "--unread=drop"));
	EXPECT_TRUE(log_names("1 unread messages of the socket of descriptor 0 were dropped"));
}

/* Sockets 1 and 2 are a stream, 3 and 4 seqpackets, 5 and 6 datagrams, 7 is closed. */
static void have_all(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM, SOCK_STREAM };
	int index, fds[2];

	for (index = 0; index < 4; index++) {
		if (socketpair(AF_UNIX, types[index], 0, fds))
			_exit(2);
		set(fds[0], SO_PASSCRED, 1);
		if (send(fds[1], "message", 7, 0) != 7)
			_exit(3);
	}
	if (send(1, "O", 1, MSG_OOB) != 1)
		_exit(4);
	close(fds[1]);
	pause_for_good();
}

static const struct {
	const char *field;
	u64 value;
	const char *message;
} lies[] = {
	{ "unix_socket[0].peer", 99, "unix socket 1: there is no such peer" },
	{ "unix_socket[0].peer", 1, "unix socket 1: it is connected to itself" },
	{ "unix_socket[0].peer", 3, "unix socket 1: the peer is of another type" },
	{ "unix_socket[0].peer", 7, "unix socket 1: the peer has another one" },
	{ "unix_socket[0].peer", 0, "unix socket 1: it is connected to nobody" },
	{ "unix_socket[0].state", 1, "unix socket 1: it is not connected" },
	{ "unix_socket[0].flags", 2, "unix socket 1: the peer is in the image and outside" },
	{ "unix_socket[0].flags", 1, "a closed unix socket has a peer" },
	{ "unix_socket[7].peer", 1, "a closed unix socket has a peer" },
	{ "unix_socket[7].type", 3, "the peer is of another type" },
	{ "unix_socket[4].type", 1, "the peer is of another type" },
	{ "unix_socket[0].peer_pid", 77, "which is not in the image" },
	{ "unix_socket[0].peer_cred", 0, "a peer without credentials" },
	{ "unix_message[0].from", 99, "there is no such socket" },
	{ "unix_message[0].to", 99, "there is no such socket" },
	{ "unix_message[0].from", 1, "it is not from the peer" },
	{ "unix_message[0].from", 3, "the sockets are of different types" },
	{ "unix_message[0].to", 8, "nobody can read it" },
	{ "unix_message[0].flags", 3, "only one byte of a stream is out of band" },
	{ "unix_message[2].flags", 3, "only one byte of a stream is out of band" },
	{ "unix_message[1].flags", 7, "two bytes out of band in one socket" },
	{ "unix_message[0].flags", 0, "credentials that are none" },
	{ "unix_message[0].time_ns", 5, "a time that is none" },
	{ "unix_message[0].pid", 77, "a message of process 77, which is not in the image" },
	{ "unix_sockets.nr_sockets", 7, "unix socket 7: there is no such peer" },
	{ "unix_sockets.nr_messages", 2, "record unix_message instead of file_unix" },
	{ "file_unix[0].index", 99, "there is no unix socket 99 to open" },
	{ "file_unix[0].index", 2, "there is no unix socket 2 to open" },
	{ "file_unix[0].index", 8, "there is no unix socket 8 to open" },
	{ "file.open_flags", 0, "there is no unix socket 1 to open" },
	{ "socket[0].sndbuf", 1, "SO_SNDBUF of a socket: 1 bytes" },
	{ "socket[0].rcvbuf", 1, "SO_RCVBUF of a socket: 1 bytes" },
};

static bool tell_lie(struct image *image, size_t lie)
{
	char field[64];
	unsigned int index;
	u64 kind;

	if (strcmp(lies[lie].field, "file.open_flags"))
		return image_set(image, lies[lie].field, lies[lie].value);
	/* Of the first file that is a unix socket. */
	for (index = 0;; index++) {
		snprintf(field, sizeof(field), "file[%u].kind", index);
		if (!image_get(image, field, &kind))
			return false;
		if (kind == CKPT_FILE_UNIX)
			break;
	}
	snprintf(field, sizeof(field), "file[%u].open_flags", index);
	return image_set(image, field, lies[lie].value);
}

TEST_F_TIMEOUT(sockets, hostile, LIMIT)
{
	pid_t pid = start_blocked(have_all, NR64_PAUSE);
	struct image good = { 0 }, bad = { 0 };
	size_t index;

	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&good, "image"));
	ASSERT_EQ(8, image_count(&good, "unix_socket"));
	ASSERT_EQ(5, image_count(&good, "unix_message"));
	EXPECT_EQ(0, try_restart("image", "log"));
	for (index = 0; index < sizeof(lies) / sizeof(*lies); index++) {
		ASSERT_TRUE(image_copy(&bad, &good));
		EXPECT_TRUE(tell_lie(&bad, index));
		image_seal(&bad);
		ASSERT_TRUE(image_store(&bad, "bad"));
		unlink("log");
		EXPECT_EQ(-EINVAL, try_restart("bad", "log"));
		EXPECT_TRUE(log_names(lies[index].message)) {
			TH_LOG("%s", lies[index].field);
		}
		image_free(&bad);
	}
	image_free(&good);
}

/* Socket 1 carries a file to 2, and the closed one, 3, has sent one of them. */
static void have_carried(void)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control_data = { .header = { CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec vec = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &vec, .msg_iovlen = 1,
		.msg_control = &control_data, .msg_controllen = sizeof(control_data),
	};
	int fds[2];

	make_pair(SOCK_STREAM);
	fds[0] = open("/dev/null", O_RDONLY);
	fds[1] = 0;
	memcpy(CMSG_DATA(&control_data.header), fds, sizeof(fds));
	if (sendmsg(1, &message, 0) != 1 || socketpair(AF_UNIX, SOCK_DGRAM, 0, fds))
		_exit(8);
	if (write(fds[1], "x", 1) != 1 || close(fds[1]))
		_exit(9);
	pause_for_good();
}

static const struct {
	const char *field;
	u64 value;
	const char *message;
} carried_lies[] = {
	{ "unix_file[0].file", 0, "a message carries no open file" },
	{ "unix_file[0].socket", 1, "a message carries no open file" },
	{ "unix_file[1].socket", 99, "a message carries no open file" },
	{ "unix_file[1].socket", 4, "a message carries no open file" },
	{ "unix_file[1].socket", 0, "a message carries no open file" },
	{ "unix_message[0].nr_files", 1, "record unix_file instead of" },
	{ "unix_message[0].nr_files", 3, "instead of unix_file" },
	{ "unix_message[0].nr_files", 254, "record unix_message" },
};

TEST_F_TIMEOUT(sockets, carried, LIMIT)
{
	pid_t pid = start_blocked(have_carried, NR64_PAUSE);
	struct image good = { 0 }, bad = { 0 };
	size_t index;

	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&good, "image"));
	ASSERT_EQ(2, image_count(&good, "unix_file"));
	EXPECT_EQ(0, try_restart("image", "log"));
	for (index = 0; index < sizeof(carried_lies) / sizeof(*carried_lies); index++) {
		ASSERT_TRUE(image_copy(&bad, &good));
		EXPECT_TRUE(image_set(&bad, carried_lies[index].field,
				      carried_lies[index].value));
		image_seal(&bad);
		ASSERT_TRUE(image_store(&bad, "bad"));
		unlink("log");
		EXPECT_EQ(-EINVAL, try_restart("bad", "log"));
		EXPECT_TRUE(log_names(carried_lies[index].message)) {
			TH_LOG("%s", carried_lies[index].field);
		}
		image_free(&bad);
	}
	image_free(&good);
}

/* What system calls would not let an ordinary user do, no image does. */
static const struct {
	const char *field;
	u64 value;
	const char *message;
} wishes[] = {
	{ "unix_message[0].uid", 0, "no right to a message of user 0, group 1000" },
	{ "unix_message[0].gid", 0, "no right to a message of user 1000, group 0" },
	{ "socket[0].mark", 7, "SO_MARK of a socket: 7" },
	{ "socket[0].priority", 7, "SO_PRIORITY of a socket: 7" },
	{ "socket[0].sndbuf", 100 << 20, "SO_SNDBUF" NEEDS_RIGHT },
	{ "socket[0].rcvbuf", 100 << 20, "SO_RCVBUF" NEEDS_RIGHT },
	{ "socket[0].uid", 0, "socket of user 0, group 1000" },
};

static void be_ordinary(void)
{
	if (setgroups(0, NULL) || setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(98);
	prctl(PR_SET_DUMPABLE, 1);
}

static void have_all_ordinary(void)
{
	be_ordinary();
	have_all();
}

TEST_F_TIMEOUT(sockets, wishes, LIMIT)
{
	pid_t pid = start_blocked(have_all_ordinary, NR64_PAUSE), child;
	struct image good = { 0 }, bad = { 0 };
	size_t index;

	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&good, "image"));
	chmod("image", 0644);
	child = fork();
	if (!child) {
		be_ordinary();
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		_exit(try_restart("image", "log-good") ? 3 : 0);
	}
	EXPECT_TRUE(reap(child, 0, "as an ordinary user"));
	for (index = 0; index < sizeof(wishes) / sizeof(*wishes); index++) {
		ASSERT_TRUE(image_copy(&bad, &good));
		EXPECT_TRUE(image_set(&bad, wishes[index].field, wishes[index].value));
		image_seal(&bad);
		ASSERT_TRUE(image_store(&bad, "bad"));
		chmod("bad", 0644);
		unlink("log");
		child = fork();
		if (!child) {
			be_ordinary();
			_exit(try_restart("bad", "log") == -EPERM ? 0 : 3);
		}
		EXPECT_TRUE(reap(child, 0, "as an ordinary user"));
		EXPECT_TRUE(log_names(wishes[index].message)) {
			TH_LOG("%s", wishes[index].field);
		}
		image_free(&bad);
	}
	image_free(&good);
}

TEST_HARNESS_MAIN
