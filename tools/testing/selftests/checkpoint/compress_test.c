// SPDX-License-Identifier: GPL-2.0
/*
 * Images that checkpoint(1) compresses, and what restart(1) and ckptinfo(1) make
 * of them, whole and damaged.
 */
#include "harness.h"

#include <linux/netlink.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define WORDS		(768U << 10)	/* 6 MiB */
/* Places where an image is cut or changed, besides its ends. */
#define PLACES		12
#define MESSAGES	"said"
#define NR64_CLOCK_NANOSLEEP	230

static const char * const formats[] = { "zstd", "lz4" };

FIXTURE(compress)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(compress)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (!tool_path("checkpoint"))
		SKIP(return, "the tools were not built");
	ASSERT_TRUE(enter_directory(self->dir, "compress", 0755));
}

FIXTURE_TEARDOWN(compress)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

/* Half of it compresses, half of it hardly. */
static u64 word_at(u32 index)
{
	u64 x = index * 0x9e3779b97f4a7c15ULL;

	return index & 512 ? x ^ (x >> 29) ^ (x << 17) : index / 4096;
}

static bool touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd >= 0 && !close(fd);
}

/* Memory with contents, which are looked at again when there is a file "go". */
static void remember(void)
{
	const struct timespec step = { .tv_nsec = 10 * MSEC };
	static u64 words[WORDS];
	u32 i;

	for (i = 0; i < WORDS; i++)
		words[i] = word_at(i);
	if (!touch("ready"))
		_exit(1);
	while (access("go", F_OK))
		nanosleep(&step, NULL);
	for (i = 0; i < WORDS; i++)
		if (READ_ONCE(words[i]) != word_at(i))
			_exit(2);
}

static bool await_file_there(const char *path)
{
	s64 limit = hang_limit();

	while (access(path, F_OK)) {
		if (monotonic_ns() > limit)
			return complain("no file %s", path);
		sched_yield();
	}
	return true;
}

static pid_t start_remembering(void)
{
	pid_t pid;

	unlink("ready");
	unlink("go");
	pid = start_body(remember);
	return await_file_there("ready") && wait_blocked(pid, NR64_CLOCK_NANOSLEEP) ? pid : 0;
}

/* A shell command, in this directory; what it says is in a file. */
__attribute__((format(printf, 2, 3)))
static bool shell(int status, const char *format, ...)
{
	char command[1024];
	va_list args;
	bool good;
	pid_t pid;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	unlink(MESSAGES);
	pid = fork();
	if (!pid) {
		int said = open(MESSAGES, O_WRONLY | O_CREAT | O_APPEND, 0644);

		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(said, 1);
		dup2(said, 2);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	good = reap(pid, status << 8, command);
	if (!good)
		show_file(MESSAGES);
	return good;
}

static bool says(const char *text)
{
	return file_holds(MESSAGES, text);
}

static bool go_on(void)
{
	return touch("go");
}

/* Each format, from a file: in place, and after a kill. */
TEST_F_TIMEOUT(compress, each_format, LIMIT)
{
	static const char * const how[] = {
		"--compress=zstd", "--compress=zstd:1", "--compress=zstd:12",
		"--compress=lz4", "--compress=lz4:9", "--direct",
		"--direct --compress=zstd", "--direct --compress=lz4",
		"--idle", "--idle --compress=zstd",
	};
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		bool is_packed = strstr(how[i], "compress");
		pid_t pid = start_remembering();

		ASSERT_GT(pid, 0);
		ASSERT_TRUE(shell(0, "checkpoint %s -f -o image %d", how[i], pid));
		EXPECT_EQ(0, stat("image", &st));
		EXPECT_EQ(is_packed, st.st_size < 5 << 20) {
			TH_LOG("%s: %lld bytes", how[i], (long long)st.st_size);
		}
		EXPECT_TRUE(shell(0, "ckptinfo image") && says("complete")) {
			TH_LOG("%s", how[i]);
		}
		EXPECT_EQ(is_packed, !system("grep -q ^packed said"));
		/* It has gone on unharmed. */
		EXPECT_TRUE(go_on() && reap(pid, BODY_GOOD << 8, "saved process"));
		EXPECT_TRUE(shell(BODY_GOOD, "restart --pids --copy-status -i image")) {
			TH_LOG("%s", how[i]);
		}
		EXPECT_TRUE(shell(BODY_GOOD, "cat image | restart --pidns --copy-status")) {
			TH_LOG("%s", how[i]);
		}
		unlink("image");
	}
}

/* From hand to hand: compressed, through a pipe, and restarted. */
TEST_F_TIMEOUT(compress, pipe, LIMIT)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		pid_t pid = start_remembering();

		ASSERT_GT(pid, 0);
		EXPECT_TRUE(shell(0, "{ checkpoint -k --compress=%s %d; echo $? >status; } | %s",
				  formats[i], pid, "restart --pidns -W"));
		EXPECT_TRUE(shell(0, "grep -q ^0 status"));
		EXPECT_TRUE(reap(pid, SIGKILL, "saved process"));
		EXPECT_TRUE(go_on() && all_children_end());
	}
}

/* What is refused tells the reason, in a compressed image too. */
TEST_F_TIMEOUT(compress, failed, LIMIT)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	pid_t pid = start_with(fd, fd, NULL);
	size_t i;

	ASSERT_GT(pid, 0);
	close(fd);
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		EXPECT_TRUE(shell(1, "checkpoint --compress=%s -o image %d", formats[i], pid));
		EXPECT_TRUE(says("for the reason: ckptinfo -e image.partial"));
		EXPECT_EQ(-1, access("image", F_OK));
		EXPECT_TRUE(shell(3, "ckptinfo -e image.partial") && says("cannot be saved"));
		EXPECT_TRUE(shell(3, "ckptinfo image.partial"));
		EXPECT_TRUE(shell(5, "restart -i image.partial") && says("cannot be saved"));
		unlink("image.partial");
		EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	}
	kill_and_reap(pid);
}

/* Neither the compressor nor its pipe is ever part of what is saved. */
TEST_F_TIMEOUT(compress, not_itself, LIMIT)
{
	EXPECT_TRUE(shell(1, "checkpoint --compress=zstd -o image $$ </dev/null; exit $?"));
	EXPECT_TRUE(says("the image is written into pipe") &&
		    says("the image goes through a pipe or a socket that is part of it"));
	EXPECT_EQ(-1, access("image", F_OK));
	EXPECT_EQ(-1, access("image.partial", F_OK));
}

/* No room, no reader, no O_DIRECT: said as for any image, and nothing is left. */
TEST_F_TIMEOUT(compress, no_room, LIMIT)
{
	pid_t pid = start_remembering();
	size_t i;

	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, mkdir("small", 0755) || mkdir("plain", 0755));
	ASSERT_EQ(0, mount("none", "small", "tmpfs", 0, "size=1m"));
	ASSERT_EQ(0, mount("none", "plain", "ramfs", 0, NULL));
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		EXPECT_TRUE(shell(1, "checkpoint --compress=%s -o small/image %d",
				  formats[i], pid) && says(": no room for the image\n"));
		EXPECT_TRUE(shell(0, "test -z \"$(ls small)\""));
		EXPECT_TRUE(shell(0, "(checkpoint --compress=%s %d; echo $? >status) | true; "
				  "grep -q ^1 status", formats[i], pid) &&
			    says(": the reader of the image went away\n"));
	}
	EXPECT_TRUE(shell(1, "checkpoint --direct -o small/image %d", pid) &&
		    says(": no room for the image\n"));
	EXPECT_TRUE(shell(1, "checkpoint --direct -o plain/image %d", pid) &&
		    says("--direct: the filesystem cannot do it (O_DIRECT): Invalid argument\n"));
	EXPECT_TRUE(shell(0, "checkpoint --direct %d | cat >image; test ! -s image", pid) &&
		    says("checkpoint: --direct: the image does not go to a file or a disk\n"));
	EXPECT_TRUE(shell(0, "test -z \"$(ls small plain | grep image)\""));
	umount("small");
	umount("plain");
	/* It is none the worse for it. */
	EXPECT_TRUE(go_on() && reap(pid, BODY_GOOD << 8, "process"));
}

static bool damage(off_t size, off_t place, bool cut)
{
	int fd = open("bad", O_RDWR | O_CLOEXEC);
	unsigned char byte = 0;
	bool good;

	if (cut) {
		good = !ftruncate(fd, place);
	} else {
		good = place < size && pread(fd, &byte, 1, place) == 1;
		byte ^= 0x55;
		good = good && pwrite(fd, &byte, 1, place) == 1;
	}
	close(fd);
	return good || complain("place %lld", (long long)place);
}

/* An image with an end that is missing, or with a wrong byte, starts nothing. */
TEST_F_TIMEOUT(compress, damaged, LIMIT)
{
	char text[64];
	struct stat st;
	size_t i;
	int place;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		pid_t pid = start_remembering();

		ASSERT_GT(pid, 0);
		ASSERT_TRUE(shell(0, "checkpoint --compress=%s -f -o image %d", formats[i], pid));
		kill_and_reap(pid);
		ASSERT_EQ(0, stat("image", &st));
		for (place = 0; place <= 2 * PLACES + 1; place++) {
			off_t at = place / 2 == PLACES ? st.st_size - 1 :
				   place / 2 * (st.st_size / PLACES) + 8;
			bool cut = place & 1;

			ASSERT_TRUE(copy_file("image", "bad", 0600) && damage(st.st_size, at, cut));
			snprintf(text, sizeof(text), "the %s data are truncated\n", formats[i]);
			/* Would end with another status if it were started. */
			EXPECT_TRUE(go_on() && shell(125, "restart --pidns --copy-status -i bad") &&
				    says(cut ? text : "the image is no good: at byte ")) {
				TH_LOG("%s: place %d of %d", formats[i], (int)at, (int)st.st_size);
			}
			EXPECT_TRUE(shell(125, "cat bad | restart -P --copy-status") &&
				    says(cut ? text : "the image is no good: at byte "));
			unlink("go");
		}
	}
}

/* What follows an image belongs to somebody else, as without compression. */
TEST_F_TIMEOUT(compress, more, LIMIT)
{
	char text[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		pid_t pid = start_remembering();

		ASSERT_GT(pid, 0);
		ASSERT_TRUE(shell(0, "checkpoint --compress=%s -f -o image %d && echo more >>image",
				  formats[i], pid));
		snprintf(text, sizeof(text), "bytes follow the %s data\n", formats[i]);
		EXPECT_TRUE(shell(1, "ckptinfo image") && says(text));
		kill_and_reap(pid);
		EXPECT_TRUE(go_on() && shell(BODY_GOOD, "restart --pidns --copy-status -i image"));
	}
	EXPECT_TRUE(shell(1, "restart --self -i image") &&
		    says("restart: --self takes no compressed image: unpack it before\n"));
}

TEST_HARNESS_MAIN
