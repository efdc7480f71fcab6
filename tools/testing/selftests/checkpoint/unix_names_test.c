// SPDX-License-Identifier: GPL-2.0
/*
 * Names of unix sockets that somebody else has, that there is no right to, or
 * that an image only pretends to have.
 */
#include "harness.h"
#include "image_edit.h"

#include <grp.h>
#include <linux/checkpoint_image.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

FIXTURE(names)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(names)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "names", 0777));
}

FIXTURE_TEARDOWN(names)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static void be_ordinary(void)
{
	if (setgroups(0, NULL) || setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(98);
	prctl(PR_SET_DUMPABLE, 1);
}

/* An at sign stands for the NUL byte that an abstract name begins with. */
static int bound(int type, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@');
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	if (name[0] == '@')
		address.sun_path[0] = 0;
	if (bind(fd, (void *)&address, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int listening(const char *name)
{
	int fd = bound(SOCK_STREAM, name);

	if (fd >= 0 && listen(fd, 5))
		_exit(9);
	return fd;
}

static void pause_for_good(void)
{
	for (;;)
		pause();
}

static void serve(void)
{
	if (listening("server") < 0)
		_exit(8);
	pause_for_good();
}

static void serve_ordinary(void)
{
	be_ordinary();
	serve();
}

static void serve_abstract(void)
{
	if (listening("@ckpt-test-name") < 0)
		_exit(8);
	pause_for_good();
}

/* The first name is free when the second one is found taken. */
static void serve_both(void)
{
	if (listening("first") < 0 || bound(SOCK_DGRAM, "second") < 0)
		_exit(8);
	pause_for_good();
}

static void have_pending(void)
{
	struct sockaddr_un address = { AF_UNIX, "server" };

	if (listening("server") < 0 ||
	    connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof(address)))
		_exit(8);
	pause_for_good();
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

static bool is_socket(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISSOCK(st.st_mode);
}

static bool can_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	good = !connect(fd, (void *)&address, sizeof(address));
	close(fd);
	return good;
}

/* Two of them cannot have one name. */
TEST_F_TIMEOUT(names, taken, LIMIT)
{
	pid_t pid = start_blocked(serve, NR64_PAUSE);

	ASSERT_GT(save_to("image", pid, "log"), 0);
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("/names/server: somebody has it"));
	EXPECT_TRUE(can_connect("server"));
	kill_and_reap(pid);
	EXPECT_FALSE(can_connect("server"));
	/* What is left of it is no obstacle. */
	EXPECT_TRUE(is_socket("server"));
	pid = restart_from("image", 0, "log");
	EXPECT_GT(pid, 0);
	EXPECT_TRUE(can_connect("server"));
	kill_and_reap(pid);
	/* Nor is nothing. */
	EXPECT_EQ(0, unlink("server"));
	pid = restart_from("image", 0, "log");
	EXPECT_GT(pid, 0);
	EXPECT_TRUE(can_connect("server"));
	kill_and_reap(pid);
}

TEST_F_TIMEOUT(names, taken_abstract, LIMIT)
{
	pid_t pid = start_blocked(serve_abstract, NR64_PAUSE);

	ASSERT_GT(save_to("image", pid, "log"), 0);
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("cannot bind a unix socket to the abstract name ckpt-test-name"));
	kill_and_reap(pid);
	EXPECT_EQ(0, try_restart("image", "log"));
}

/* Whatever is there now, it stays. */
TEST_F_TIMEOUT(names, in_the_way, LIMIT)
{
	struct stat st;
	int fd;

	ASSERT_TRUE(save_and_kill(serve));
	ASSERT_EQ(0, chown("server", 77, 0));
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("/names/server: it belongs to another user than before"));
	EXPECT_EQ(0, lstat("server", &st));
	EXPECT_EQ(77, st.st_uid);
	ASSERT_EQ(0, unlink("server"));
	ASSERT_NE(-1, fd = open("server", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	ASSERT_EQ(4, write(fd, "text", 4));
	close(fd);
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("/names/server: it is no socket"));
	EXPECT_TRUE(file_holds("server", "text"));
	ASSERT_EQ(0, unlink("server"));
	/* A link is not followed: bind() does not either. */
	fd = bound(SOCK_STREAM, "other");
	close(fd);
	ASSERT_EQ(0, symlink("other", "server"));
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("/names/server: it is no socket"));
}

/* A restart that fails leaves no name behind. */
TEST_F_TIMEOUT(names, half_done, LIMIT)
{
	int fd;

	ASSERT_TRUE(save_and_kill(serve_both));
	ASSERT_EQ(0, unlink("first"));
	ASSERT_EQ(0, unlink("second"));
	fd = bound(SOCK_DGRAM, "second");
	EXPECT_EQ(-EADDRINUSE, try_restart("image", "log"));
	EXPECT_TRUE(log_names("/names/second: somebody has it"));
	EXPECT_FALSE(is_socket("first"));
	close(fd);
	/* What is left was nobody's. */
	EXPECT_EQ(0, try_restart("image", "log"));
	EXPECT_TRUE(is_socket("first"));
}

static void make_file(const char *path, mode_t mode)
{
	close(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
	chmod(path, mode);
}

/* An ordinary user needs the rights that unlink() and bind() ask for. */
static long restart_ordinary(void)
{
	int status = -1;
	pid_t pid;

	/* It may not make one. */
	make_file("log", 0666);
	pid = fork();
	if (!pid) {
		be_ordinary();
		_exit(-try_restart("image", "log"));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : status;
}

TEST_F_TIMEOUT(names, rights, LIMIT)
{
	ASSERT_TRUE(save_and_kill(serve_ordinary));
	EXPECT_EQ(0, restart_ordinary());
	ASSERT_EQ(0, chmod(".", 0755));
	EXPECT_EQ(-EACCES, restart_ordinary());
	EXPECT_TRUE(is_socket("server"));
	ASSERT_EQ(0, unlink("server"));
	EXPECT_EQ(-EACCES, restart_ordinary());
	EXPECT_FALSE(is_socket("server"));
	/* Root made it, so it is root's. */
	ASSERT_EQ(0, chmod(".", 0777));
	ASSERT_TRUE(save_and_kill(serve));
	ASSERT_EQ(0, chmod("image", 0644));
	EXPECT_EQ(-EPERM, restart_ordinary());
	EXPECT_TRUE(is_socket("server"));
}

TEST_F_TIMEOUT(names, pending, LIMIT)
{
	pid_t pid = start_blocked(have_pending, NR64_PAUSE);

	EXPECT_EQ(-EBUSY, save_to("image", pid, "log"));
	EXPECT_TRUE(log_names("1 connections to unix socket"));
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(pid);
}

/* Socket 1 listens, 2 is a bound datagram socket. */
static const struct {
	const char *field;
	u64 value;
	const char *message;
} lies[] = {
	{ "unix_socket[0].type", CKPT_UNIX_DGRAM, "a datagram socket listens" },
	{ "unix_socket[0].peer", 2, "it listens and has a peer" },
	{ "unix_socket[0].state", CKPT_UNIX_UNCONNECTED, "it does not listen" },
	{ "unix_socket[1].state", CKPT_UNIX_LISTENING, "a datagram socket listens" },
	{ "unix_socket[1].backlog", 7, "it does not listen" },
	{ "unix_socket[1].flags", CKPT_UNIX_BOUND, "a unix socket is bound to no name" },
	{ "unix_socket[1].flags", CKPT_UNIX_NAMED, "record unix_path instead of file_unix" },
	{ "unix_socket[1].flags", CKPT_UNIX_NAMED | CKPT_UNIX_BOUND | CKPT_UNIX_CLOSED,
	  "a closed unix socket has a peer" },
	{ "unix_path[0].mode", 010000, "record unix_path" },
};

/* What is behind the record of a name, and what it says then. */
static const struct {
	int at;
	char byte;
	const char *message;
} names[] = {
	{ 5, 'x', "a name of 6 bytes of a unix socket" },
	{ 2, 0, "a name of 6 bytes of a unix socket" },
	{ 0, 0, "record unix_path instead of" },
};

TEST_F_TIMEOUT(names, hostile, LIMIT)
{
	struct image good = { 0 }, bad = { 0 };
	unsigned char *bytes;
	size_t index;
	long at;

	ASSERT_TRUE(save_and_kill(serve_both));
	ASSERT_EQ(0, unlink("first"));
	ASSERT_TRUE(image_load(&good, "image"));
	for (index = 0; index < sizeof(lies) / sizeof(*lies); index++) {
		ASSERT_TRUE(image_copy(&bad, &good));
		EXPECT_TRUE(image_set(&bad, lies[index].field, lies[index].value));
		image_seal(&bad);
		ASSERT_TRUE(image_store(&bad, "bad"));
		unlink("log");
		EXPECT_EQ(-EINVAL, try_restart("bad", "log"));
		EXPECT_TRUE(log_names(lies[index].message)) {
			TH_LOG("%s", lies[index].field);
		}
		image_free(&bad);
	}
	for (index = 0; index < sizeof(names) / sizeof(*names); index++) {
		ASSERT_TRUE(image_copy(&bad, &good));
		at = image_next(&bad, image_next(&bad, image_find(&bad, "unix_socket", 0)));
		ASSERT_EQ(0, strcmp(image_type(&bad, at), "buffer"));
		bytes = image_at(&bad, at, 24);
		ASSERT_EQ(0, memcmp(bytes + 16, "first", 6));
		bytes[16 + names[index].at] = names[index].byte;
		image_seal(&bad);
		ASSERT_TRUE(image_store(&bad, "bad"));
		unlink("log");
		EXPECT_EQ(-EINVAL, try_restart("bad", "log"));
		EXPECT_TRUE(log_names(names[index].message)) {
			TH_LOG("name %zu", index);
		}
		image_free(&bad);
	}
	/* A path that is none from the root directory. */
	ASSERT_TRUE(image_copy(&bad, &good));
	at = image_next(&bad, image_find(&bad, "unix_path", 0));
	bytes = image_at(&bad, at, 16);
	bytes[8] = 'x';
	image_seal(&bad);
	ASSERT_TRUE(image_store(&bad, "bad"));
	EXPECT_EQ(-EINVAL, try_restart("bad", "log"));
	EXPECT_TRUE(log_names("the path of a unix socket is not absolute"));
	image_free(&bad);
	/* None of them has made a file. */
	EXPECT_FALSE(is_socket("first"));
	image_free(&good);
}

TEST_HARNESS_MAIN
