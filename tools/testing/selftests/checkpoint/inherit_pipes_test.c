// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes that lead outside of an image: other pipes take their places, and what
 * was unread in them is not lost without a word.
 */
#include "harness.h"
#include "image_edit.h"

#include <grp.h>
#include <linux/checkpoint_image.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define THEIRS	7	/* where restart(1) has the pipes */
#define ENDED	55	/* what the process says at the end of its input */
#define FAILED	125	/* what restart(1) says of itself */

FIXTURE(pipes)
{
	char dir[PATH_MAX / 2];
	int in[2];
	int out[2];
	int new_in[2];
	int new_out[2];
};

static void be_ordinary(void)
{
	if (setgroups(0, NULL) || setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(98);
	/* Which a change of ids takes away. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* A process with both of its pipes to somebody outside, who is the test. */
static bool save_piped(const int in[2], const int out[2], void (*body)(void), long blocked)
{
	pid_t pid = fork();
	bool good;

	if (!pid) {
		int fds[2] = { fcntl(in[0], F_DUPFD, 100), fcntl(out[1], F_DUPFD, 100) };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, 99, 0);
		if (dup2(fds[0], 0) != 0 || dup2(fds[1], 1) != 1)
			_exit(1);
		syscall(SYS_close_range, 2, ~0U, 0);
		body();
		_exit(ENDED);
	}
	good = wait_blocked(pid, blocked) && save_to("image", pid, "log") > 0;
	if (!good)
		show_file("log");
	kill_and_reap(pid);
	return good;
}

FIXTURE_SETUP(pipes)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "pipes", 0755));
	ASSERT_FALSE(pipe2(self->in, O_CLOEXEC) || pipe2(self->out, O_CLOEXEC) ||
		     pipe2(self->new_in, O_CLOEXEC) || pipe2(self->new_out, O_CLOEXEC));
	ASSERT_TRUE(save_piped(self->in, self->out, echo, NR64_READ));
}

FIXTURE_TEARDOWN(pipes)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static void (*before_restart)(void);

/* restart(1) with the new pipes, as 0 and 1 or beyond, and no terminal. */
static pid_t run_piped(int in, int out, int first, const char *const options[])
{
	const char *argv[16] = {
		tool_path("restart"), "--copy-status", "-i", "image", "-l", "log2"
	};
	int index = 6;
	pid_t pid;

	while (*options)
		argv[index++] = *options++;
	unlink("log2");
	unlink("said");
	pid = fork();
	if (!pid) {
		int fds[2] = { fcntl(in, F_DUPFD, 100), fcntl(out, F_DUPFD, 100) };

		setsid();
		syscall(SYS_close_range, 0, 99, 0);
		if (open("/dev/null", O_RDWR) != 0 || dup(0) != 1 ||
		    open("said", O_WRONLY | O_CREAT, 0644) != 2 ||
		    dup2(fds[0], first) != first || dup2(fds[1], first + 1) != first + 1)
			_exit(111);
		if (before_restart)
			before_restart();
		execv(argv[0], (char *const *)argv);
		_exit(112);
	}
	return pid;
}

/* What comes out of a pipe within the time that it may take. */
static bool pipe_says(int fd, const char *want)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char got[64] = "";

	if (poll(&ready, 1, scaled_ms(20000) / MSEC) > 0 &&
	    read(fd, got, sizeof(got) - 1) > 0 && !strcmp(got, want))
		return true;
	return complain("'%s' came instead of '%s'", got, want);
}

static bool goes_on_in_pipes(const int in[2], const int out[2], int first,
			     const char *const options[])
{
	pid_t tool = run_piped(in[0], out[1], first, options);
	bool good = write(in[1], "hello\n", 6) == 6 && pipe_says(out[0], "> hello\n");

	if (!good) {
		show_file("log2");
		show_file("said");
	}
	close(in[1]);
	return reap(tool, ENDED << 8, "restart(1)") && good;
}

/* Each of the two, by number; the old pipes have nothing to do with it. */
TEST_F_TIMEOUT(pipes, by_number, LIMIT)
{
	const char *const options[] = {
		"--inherit-fd", "0:7", "--inherit-fd", "1:8", NULL
	};
	int unread = -1;

	EXPECT_TRUE(goes_on_in_pipes(self->new_in, self->new_out, THEIRS, options));
	EXPECT_EQ(0, ioctl(self->out[0], FIONREAD, &unread));
	EXPECT_EQ(0, unread);
}

TEST_F_TIMEOUT(pipes, as_stdio, LIMIT)
{
	const char *const options[] = { "--inherit-stdio", NULL };

	EXPECT_TRUE(goes_on_in_pipes(self->new_in, self->new_out, 0, options));
}

/* The test is still there at the other ends of the old ones. */
TEST_F_TIMEOUT(pipes, the_old_ones, LIMIT)
{
	const char *const options[] = { "--inherit-fd", "0", "--inherit-fd", "1", NULL };

	EXPECT_TRUE(goes_on_in_pipes(self->in, self->out, 0, options));
}

/* One is missing, one leads the wrong way, and one that leads nowhere outside. */
TEST_F_TIMEOUT(pipes, refused, LIMIT)
{
	static const struct {
		const char *options[5];
		const char *log;
		const char *message;
	} cases[] = {
		{ { NULL },
		  "descriptor 0 was outside the image: connect it with restart --inherit-fd 0",
		  "use --inherit-fd or --inherit-stdio" },
		{ { "--inherit-fd", "0:7" },
		  "descriptor 1 was outside the image: connect it with restart --inherit-fd 1",
		  "use --inherit-fd or --inherit-stdio" },
		{ { "--inherit-fd", "0:8", "--inherit-fd", "1:8" },
		  "descriptor 8 cannot be inherited: it is not open for reading", "" },
		{ { "--inherit-fd", "1:7", "--inherit-fd", "0:7" },
		  "descriptor 7 cannot be inherited: it is not open for writing", "" },
		{ { "--inherit-fd", "0:9", "--inherit-fd", "1:8" }, NULL,
		  "--inherit-fd 0:9: descriptor 9 is not open" },
		{ { "--inherit-fd", "2:7" }, NULL, "the program had no descriptor 2" },
	};
	size_t index;

	for (index = 0; index < sizeof(cases) / sizeof(*cases); index++) {
		pid_t tool = run_piped(self->new_in[0], self->new_out[1], THEIRS,
				       cases[index].options);

		EXPECT_TRUE(reap(tool, FAILED << 8, "restart(1)") &&
			    file_holds("said", cases[index].message) &&
			    (!cases[index].log || file_holds("log2", cases[index].log))) {
			TH_LOG("case %zu", index);
		}
	}
}

/* Both ends are in the image: there is nothing to connect. */
TEST_F_TIMEOUT(pipes, inside, LIMIT)
{
	const char *const options[] = { "--inherit-fd", "0:7", NULL };
	pid_t tool;

	ASSERT_TRUE(save_piped(self->in, self->in, echo, NR64_READ));
	tool = run_piped(self->new_in[0], self->new_out[1], THEIRS, options);
	EXPECT_TRUE(reap(tool, FAILED << 8, "restart(1)"));
	EXPECT_TRUE(file_holds("said", "descriptor 0 of the program does not lead outside"));
}

/* What it waits for, also after a restart: in a file. */
static u32 *word;

static void echo_when_told(void)
{
	while (!READ_ONCE(*word))
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
	echo();
}

static void echo_as_user(void)
{
	be_ordinary();
	echo_when_told();
}

#define BEFORE	"before\n"	/* what nobody has read yet when it is saved */
#define AFTER	"after\n"

/* Save it when something is unread in both of its pipes. */
static bool save_unread(const int in[2], const int out[2], void (*body)(void))
{
	int fd = open("word", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0 || ftruncate(fd, sizeof(*word)) || fchmod(fd, 0666))
		return complain("word: %s", strerror(errno));
	word = mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return word != MAP_FAILED && write(in[1], BEFORE, strlen(BEFORE)) > 0 &&
	       write(out[1], BEFORE, strlen(BEFORE)) > 0 &&
	       save_piped(in, out, body, NR64_FUTEX);
}

#define INHERIT_BOTH	"--inherit-fd", "0:7", "--inherit-fd", "1:8"

static bool refuses(const int in, const int out, const char *const options[],
		    const char *message)
{
	pid_t tool = run_piped(in, out, THEIRS, options);

	return reap(tool, FAILED << 8, "restart(1)") && file_holds("log2", message);
}

/* The end of the input, what came out, and that it was no more. */
static bool ends_with(int in, int out, pid_t tool, const char *want)
{
	bool good;

	close(in);
	tell_word(word, 1);
	good = reap(tool, ENDED << 8, "restart(1)") && pipe_says(out, want);
	if (!good) {
		show_file("log2");
		show_file("said");
	}
	return good;
}

TEST_F_TIMEOUT(pipes, unread_refused, LIMIT)
{
	const char *const options[] = { INHERIT_BOTH, NULL };
	const char *const named[] = { INHERIT_BOTH, "--unread=refuse", NULL };
	int unread = -1;

	ASSERT_TRUE(save_unread(self->in, self->out, echo_when_told));
	EXPECT_TRUE(refuses(self->new_in[0], self->new_out[1], options,
			    "the pipe of descriptor 0 held 7 unread bytes"));
	EXPECT_TRUE(file_holds("said", "unread data would be lost"));
	EXPECT_TRUE(refuses(self->new_in[0], self->new_out[1], named, "restart --unread"));
	EXPECT_EQ(0, ioctl(self->new_in[0], FIONREAD, &unread));
	EXPECT_EQ(0, unread);
}

TEST_F_TIMEOUT(pipes, unread_dropped, LIMIT)
{
	const char *const options[] = { INHERIT_BOTH, "--unread=drop", NULL };
	pid_t tool;

	ASSERT_TRUE(save_unread(self->in, self->out, echo_when_told));
	ASSERT_EQ(6, write(self->new_in[1], AFTER, 6));
	tool = run_piped(self->new_in[0], self->new_out[1], THEIRS, options);
	EXPECT_TRUE(ends_with(self->new_in[1], self->new_out[0], tool, "> " AFTER));
	EXPECT_TRUE(file_holds("log2", "7 unread bytes of the pipe of descriptor 0 were dropped"));
	EXPECT_TRUE(file_holds("log2", "7 unread bytes of the pipe of descriptor 1 were dropped"));
}

/* They come before what others have written since. */
TEST_F_TIMEOUT(pipes, unread_moved, LIMIT)
{
	const char *const options[] = { INHERIT_BOTH, "--unread=move", NULL };
	struct stat st;
	pid_t tool;

	ASSERT_TRUE(save_unread(self->in, self->out, echo_when_told));
	ASSERT_EQ(6, write(self->new_in[1], AFTER, 6));
	ASSERT_EQ(6, write(self->new_out[1], AFTER, 6));
	tool = run_piped(self->new_in[0], self->new_out[1], THEIRS, options);
	EXPECT_TRUE(ends_with(self->new_in[1], self->new_out[0], tool,
			      BEFORE AFTER "> " BEFORE AFTER));
	EXPECT_TRUE(!stat("log2", &st) && !st.st_size);
}

/* What cannot be moved has not been moved in part. */
TEST_F_TIMEOUT(pipes, unread_not_moved, LIMIT)
{
	const char *const options[] = { INHERIT_BOTH, "--unread=move", NULL };
	int file = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	static char page[4096];
	int unread = -1;

	ASSERT_TRUE(save_unread(self->in, self->out, echo_when_told));
	EXPECT_TRUE(refuses(file, self->new_out[1], options, "descriptor 7 is no pipe"));
	close(file);
	ASSERT_EQ(4096, fcntl(self->new_in[1], F_SETPIPE_SZ, 4096));
	ASSERT_EQ(4096, write(self->new_in[1], page, sizeof(page)));
	EXPECT_TRUE(refuses(self->new_in[0], self->new_out[1], options, "has no room"));
	ASSERT_EQ(4096, read(self->new_in[0], page, sizeof(page)));
	close(self->new_out[0]);
	EXPECT_TRUE(refuses(self->new_in[0], self->new_out[1], options, "has no reader"));
	EXPECT_EQ(0, ioctl(self->new_out[1], FIONREAD, &unread));
	EXPECT_EQ(0, unread);
}

/* Who may only read from a pipe does not write into it. */
TEST_F_TIMEOUT(pipes, unread_of_others, LIMIT)
{
	const char *const options[] = { "--no-pidns", INHERIT_BOTH, "--unread=move", NULL };
	pid_t tool;

	ASSERT_TRUE(save_unread(self->in, self->out, echo_as_user));
	ASSERT_FALSE(chmod(self->dir, 0777) || chmod("image", 0644));
	before_restart = be_ordinary;
	EXPECT_TRUE(refuses(self->new_in[0], self->new_out[1], options,
			    "no right to move 7 unread bytes into descriptor 7"));
	ASSERT_EQ(0, fchown(self->new_in[0], ORDINARY_UID, ORDINARY_UID));
	tool = run_piped(self->new_in[0], self->new_out[1], THEIRS, options);
	EXPECT_TRUE(ends_with(self->new_in[1], self->new_out[0], tool, BEFORE "> " BEFORE));
}

/* Only of a pipe that another one takes the place of, and one thing at a time. */
TEST_F_TIMEOUT(pipes, unread_flags, LIMIT)
{
	static const u32 flags[] = {
		CKPT_FILE_UNREAD_DROPPED, CKPT_FILE_UNREAD_MOVED,
		CKPT_FILE_UNREAD_DROPPED | CKPT_FILE_UNREAD_MOVED,
	};
	unsigned int index, file, count;
	struct image image = { 0 };
	char what[64];
	u64 old, kind = 0;

	ASSERT_TRUE(image_load(&image, "image"));
	count = image_count(&image, "file");
	ASSERT_LT(0, count);
	/* Up to the first pipe, which nothing takes the place of here. */
	for (file = 0; file < count && kind != CKPT_FILE_PIPE; file++) {
		snprintf(what, sizeof(what), "file[%u].kind", file);
		ASSERT_TRUE(image_get(&image, what, &kind));
		snprintf(what, sizeof(what), "file[%u].flags", file);
		ASSERT_TRUE(image_get(&image, what, &old));
		for (index = 0; index < sizeof(flags) / sizeof(*flags); index++) {
			ASSERT_TRUE(image_set(&image, what, old | flags[index]));
			image_seal(&image);
			ASSERT_TRUE(image_store(&image, "changed"));
			EXPECT_EQ(-EINVAL, try_restart("changed", "log"));
			EXPECT_TRUE(file_holds("log", "flags 0x")) show_file("log");
			unlink("log");
		}
		ASSERT_TRUE(image_set(&image, what, old));
	}
	EXPECT_EQ(CKPT_FILE_PIPE, kind);
	image_free(&image);
}

TEST_HARNESS_MAIN
