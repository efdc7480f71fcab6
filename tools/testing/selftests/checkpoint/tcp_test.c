// SPDX-License-Identifier: GPL-2.0
/*
 * TCP sockets that are refused, ports that somebody else has or that there is no
 * right to, and what an image only pretends.
 */
#include "harness.h"
#include "image_edit.h"

#include <arpa/inet.h>
#include <grp.h>
#include <linux/checkpoint_image.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

#define PORT	1717
#define LOW	717

/* Each test that leaves something behind has one of its own. */
static int port = PORT;

FIXTURE(tcp)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(tcp)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "tcp", 0777));
}

FIXTURE_TEARDOWN(tcp)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in) {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int bound(int port, bool reuse)
{
	struct sockaddr_in address = local(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = reuse;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, (void *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

static int listening(int port, bool reuse)
{
	int fd = bound(port, reuse);

	if (fd >= 0 && listen(fd, 5)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connected(int port)
{
	struct sockaddr_in address = local(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!connect(fd, (void *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

static bool can_connect(int port)
{
	int fd = connected(port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void pause_for_good(void)
{
	for (;;)
		pause();
}

static void must(bool good)
{
	if (!good)
		_exit(8);
}

static void serve(void)
{
	must(listening(port, true) >= 0);
	pause_for_good();
}

static void serve_low(void)
{
	must(listening(LOW, true) >= 0);
	pause_for_good();
}

/* The first port is free when the second one is found taken. */
static void serve_both(void)
{
	must(listening(port, true) >= 0 && listening(port + 1, true) >= 0);
	pause_for_good();
}

/*
 * The end that closes first keeps the port for a minute. The other end, which the
 * test has, must be there until then.
 */
static void serve_and_close(bool reuse)
{
	int fd = listening(port, reuse), client, accepted;
	char byte;

	must(fd >= 0);
	client = connected(port);
	accepted = accept(fd, NULL, NULL);
	must(client >= 0 && accepted >= 0 && !close(accepted));
	must(read(client, &byte, 1) == 0 && !close(client));
	pause_for_good();
}

static void serve_reuse(void)
{
	serve_and_close(true);
}

static void serve_strict(void)
{
	serve_and_close(false);
}

/* What is refused: -EBUSY, -EBADF or -EOPNOTSUPP, and why. */
static void have_pending(void)
{
	must(listening(port, true) >= 0 && connected(port) >= 0 && connected(port) >= 0);
}

/* Only its own end is left: the other one is of a process outside. */
static void have_connection(void)
{
	must(connected(port) >= 0);
}

static void have_dead_connection(void)
{
	struct linger linger = { 1, 0 };
	int fd = listening(port, true), client = connected(port);
	int accepted = accept(fd, NULL, NULL);
	char byte;

	must(accepted >= 0);
	setsockopt(accepted, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(accepted);
	must(read(client, &byte, 1) == -1 && errno == ECONNRESET);
}

static void have_filter(void)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog program = { 1, &code };

	must(!setsockopt(listening(port, true), SOL_SOCKET, SO_ATTACH_FILTER, &program,
			 sizeof(program)));
}

static void have_group_program(void)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &code };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	must(!setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) &&
	     !setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)));
}

static void have_repair(void)
{
	int on = 1;

	must(!setsockopt(bound(port, true), IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)));
}

static void have_ip_options(void)
{
	static const unsigned char no_operation[4] = { 1, 1, 1, 1 };

	must(!setsockopt(listening(port, true), IPPROTO_IP, IP_OPTIONS, no_operation, 4));
}

static void have_fastopen_key(void)
{
	char key[16] = "0123456789abcdef";

	must(!setsockopt(listening(port, true), IPPROTO_TCP, TCP_FASTOPEN_KEY, key, 16));
}

static void have_device(void)
{
	int index = htonl(1);

	must(!setsockopt(listening(port, true), IPPROTO_IP, IP_UNICAST_IF, &index,
			 sizeof(index)));
}

static const struct {
	void (*body)(void);
	int error;
	const char *message;
} refusals[] = {
	{ have_pending, EBUSY, "2 connections to TCP socket" },
	{ have_connection, EBADF, "is connected to 127.0.0.1:1717" },
	{ have_dead_connection, EBADF, "was connected" },
	{ have_filter, EOPNOTSUPP, "has a filter" },
	{ have_group_program, EOPNOTSUPP, "has a program for its reuseport group" },
	{ have_repair, EOPNOTSUPP, "has TCP_REPAIR" },
	{ have_ip_options, EOPNOTSUPP, "has IP options" },
	{ have_fastopen_key, EOPNOTSUPP, "has TCP_FASTOPEN_KEY" },
	{ have_device, EOPNOTSUPP, "has IP_UNICAST_IF" },
};

static size_t current;

static void have_current(void)
{
	refusals[current].body();
	pause_for_good();
}

TEST_F_TIMEOUT(tcp, refused, LIMIT)
{
	for (current = 0; current < sizeof(refusals) / sizeof(*refusals); current++) {
		bool outside = refusals[current].body == have_connection;
		int fd = outside ? listening(port, true) : -1;
		pid_t pid = start_blocked(have_current, NR64_PAUSE);

		ASSERT_NE(0, pid) {
			TH_LOG("%s", refusals[current].message);
		}
		unlink("log");
		EXPECT_EQ(-refusals[current].error, save_to("image", pid, "log")) {
			TH_LOG("%s", refusals[current].message);
		}
		EXPECT_TRUE(log_names(refusals[current].message));
		EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
		kill_and_reap(pid);
		if (outside)
			close(fd);
	}
}

static bool save_and_kill(void (*body)(void))
{
	pid_t pid = start_blocked(body, NR64_PAUSE);
	bool good = pid && save_to("image", pid, "log") > 0;

	if (pid)
		kill_and_reap(pid);
	chmod("image", 0644);
	return good;
}

/* Whoever has it keeps it. */
TEST_F_TIMEOUT(tcp, taken, LIMIT)
{
	pid_t pid = start_blocked(serve, NR64_PAUSE);

	ASSERT_GT(save_to("image", pid, "log"), 0);
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("cannot bind a TCP socket to 127.0.0.1:1717"));
	EXPECT_TRUE(can_connect(port));
	kill_and_reap(pid);
	EXPECT_FALSE(can_connect(port));
	pid = restart_from("image", 0, "log");
	EXPECT_GT(pid, 0);
	EXPECT_TRUE(can_connect(port));
	kill_and_reap(pid);
}

/* A restart that fails leaves no port behind, and nobody could connect. */
TEST_F_TIMEOUT(tcp, half_done, LIMIT)
{
	int fd;

	ASSERT_TRUE(save_and_kill(serve_both));
	fd = listening(port + 1, true);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("cannot bind a TCP socket to 127.0.0.1:1718"));
	EXPECT_FALSE(can_connect(port));
	close(fd);
	fd = listening(port, false);
	EXPECT_GE(fd, 0);
	close(fd);
	EXPECT_EQ(0, try_restart("image", "log"));
}

static bool has_time_wait(void)
{
	char line[64];

	snprintf(line, sizeof(line), "0100007F:%04X 0100007F:", port);
	return file_holds("/proc/net/tcp", line) && listening(port, false) < 0;
}

/* With SO_REUSEADDR an ordinary user gets it back, without it root does. */
TEST_F_TIMEOUT(tcp, time_wait, LIMIT)
{
	pid_t pid;

	port = 1720;
	ASSERT_TRUE(save_and_kill(serve_strict));
	ASSERT_TRUE(has_time_wait());
	ASSERT_EQ(-1, listening(port, true));
	pid = restart_from("image", 0, "log");
	EXPECT_GT(pid, 0);
	EXPECT_TRUE(can_connect(port));
	kill_and_reap(pid);
}

static void be_ordinary(void)
{
	if (setgroups(0, NULL) || setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(98);
	prctl(PR_SET_DUMPABLE, 1);
}

static void serve_reuse_ordinary(void)
{
	be_ordinary();
	serve_reuse();
}

static void serve_strict_ordinary(void)
{
	be_ordinary();
	serve_strict();
}

static void serve_low_ordinary(void)
{
	int fd = listening(LOW, true);

	must(fd >= 0);
	must(!fchown(fd, ORDINARY_UID, ORDINARY_UID));
	be_ordinary();
	pause_for_good();
}

static long restart_ordinary(void)
{
	int status = -1;
	pid_t pid;

	close(open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
	chmod("log", 0666);
	pid = fork();
	if (!pid) {
		be_ordinary();
		_exit(-try_restart("image", "log"));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : status;
}

TEST_F_TIMEOUT(tcp, time_wait_ordinary, LIMIT)
{
	port = 1721;
	ASSERT_TRUE(save_and_kill(serve_reuse_ordinary));
	ASSERT_TRUE(has_time_wait());
	EXPECT_EQ(0, restart_ordinary());
}

TEST_F_TIMEOUT(tcp, time_wait_no_right, LIMIT)
{
	port = 1722;
	ASSERT_TRUE(save_and_kill(serve_strict_ordinary));
	ASSERT_TRUE(has_time_wait());
	EXPECT_EQ(-EADDRINUSE, restart_ordinary());
	EXPECT_TRUE(log_names("cannot bind a TCP socket to 127.0.0.1:1722"));
	EXPECT_EQ(0, try_restart("image", "log"));
}

/* A low port is for who has the right to it. */
TEST_F_TIMEOUT(tcp, low_port, LIMIT)
{
	ASSERT_TRUE(save_and_kill(serve_low_ordinary));
	EXPECT_EQ(-EACCES, restart_ordinary());
	EXPECT_TRUE(log_names("cannot bind a TCP socket to 127.0.0.1:717"));
	EXPECT_EQ(0, try_restart("image", "log"));
	ASSERT_TRUE(save_and_kill(serve_low));
	EXPECT_EQ(0, try_restart("image", "log"));
}

static const struct {
	const char *field;
	u64 value;
	const char *message;
	int error;
} lies[] = {
	{ "file_tcp.family", CKPT_TCP_IPV6, "record socket instead of ipv6_options", EINVAL },
	{ "file_tcp.port", 0, "it listens without a port", EINVAL },
	{ "file_tcp.state", CKPT_TCP_CLOSED, "it does not listen", EINVAL },
	{ "file_tcp.state", 3, "record file_tcp", EINVAL },
	{ "file_tcp.port", 65536, "record file_tcp", EINVAL },
	{ "socket.shutdown", 1, "it listens and is shut down", EINVAL },
	{ "tcp_options.window_clamp", 1, "TCP_WINDOW_CLAMP of a TCP socket: 1", EINVAL },
	{ "tcp_options.maxseg", 1, "TCP_MAXSEG of a TCP socket: 1", EINVAL },
	{ "tcp_options.flags", 0x100, "record tcp_options", EINVAL },
	{ "tcp_options.congestion", 0x78797a, "TCP_CONGESTION of a TCP socket: ", ENOENT },
	{ "ip_options.ttl", 0, "IP_TTL of a TCP socket: 0", EINVAL },
	{ "ip_options.tos", 1, "IP_TOS of a TCP socket: 1", EINVAL },
	{ "ip_options.local_port_range", 0x00010002, "IP_LOCAL_PORT_RANGE", EINVAL },
	{ "socket.rcvlowat", 0x7fffffff, "SO_RCVLOWAT of a socket: 2147483647", EPERM },
};

TEST_F_TIMEOUT(tcp, hostile, LIMIT)
{
	struct image good = { 0 }, bad = { 0 };
	unsigned char *bytes;
	size_t index;
	int fd;

	port = 1723;
	ASSERT_TRUE(save_and_kill(serve));
	ASSERT_TRUE(image_load(&good, "image"));
	for (index = 0; index < sizeof(lies) / sizeof(*lies); index++) {
		ASSERT_TRUE(image_copy(&bad, &good));
		if (!strcmp(lies[index].field, "tcp_options.congestion")) {
			bytes = image_at(&bad, image_find(&bad, "tcp_options", 0), 80);
			memcpy(bytes + 64, "nothing\0\0\0\0\0\0\0\0", 16);
		} else {
			EXPECT_TRUE(image_set(&bad, lies[index].field, lies[index].value));
		}
		image_seal(&bad);
		ASSERT_TRUE(image_store(&bad, "bad"));
		unlink("log");
		EXPECT_EQ(-lies[index].error, try_restart("bad", "log")) {
			TH_LOG("%s", lies[index].field);
		}
		EXPECT_TRUE(log_names(lies[index].message)) {
			TH_LOG("%s", lies[index].field);
		}
		image_free(&bad);
	}
	/* An address of IPv4 has four bytes. */
	ASSERT_TRUE(image_copy(&bad, &good));
	bytes = image_at(&bad, image_find(&bad, "file_tcp", 0), 64);
	bytes[47] = 1;
	image_seal(&bad);
	ASSERT_TRUE(image_store(&bad, "bad"));
	EXPECT_EQ(-EINVAL, try_restart("bad", "log"));
	EXPECT_TRUE(log_names("its address is too long"));
	image_free(&bad);
	/* Nobody has the port now. */
	fd = listening(port, false);
	EXPECT_GE(fd, 0);
	close(fd);
	image_free(&good);
}

TEST_HARNESS_MAIN
