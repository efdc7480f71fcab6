// SPDX-License-Identifier: GPL-2.0
/*
 * What leads outside of an image is connected to what who restarts has.
 *
 * The process that is saved has a terminal, the slave of a pseudo-terminal; the
 * test holds the master, and is the person before it. After a restart the
 * process must go on at another one.
 */
#include "harness.h"
#include "image_edit.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <linux/checkpoint_image.h>

#include "kselftest_harness.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
/* Where a restarted task has what it is to inherit. */
#define OURS	5

/**
 * struct pty - a terminal
 * @master: the test's side
 * @slave: name of the other side
 * @text: all that came out so far
 * @len: its length
 */
struct pty {
	int master;
	char slave[32];
	char text[2048];
	size_t len;
};

/**
 * struct place - where a test is
 * @dir: its directory
 * @old: terminal of the process that is saved
 * @new: another one
 */
struct place {
	char dir[PATH_MAX / 2];
	struct pty old;
	struct pty new;
};

static bool make_pty(struct pty *pty)
{
	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	return pty->master >= 0 && !grantpt(pty->master) && !unlockpt(pty->master) &&
	       !ptsname_r(pty->master, pty->slave, sizeof(pty->slave));
}

static bool enter(struct place *at)
{
	if (!getcwd(at->dir, sizeof(at->dir) - 16))
		return complain("getcwd: %s", strerror(errno));
	strcat(at->dir, "/inherit");
	remove_tree(at->dir);
	return !mkdir(at->dir, 0755) && !chdir(at->dir) && make_pty(&at->old) &&
	       make_pty(&at->new);
}

static void leave(struct place *at)
{
	if (at->dir[0] != '/')
		return;
	if (!chdir(".."))
		remove_tree(at->dir);
	close(at->old.master);
	close(at->new.master);
}

static void nothing(int signal)
{
	(void)signal;
}

/* Repeat each line that comes, up to the end of the input. */
static void echo(void)
{
	char line[256] = "> ";
	ssize_t len;

	while ((len = read(0, line + 2, sizeof(line) - 2)) > 0)
		if (write(1, line, len + 2) != len + 2)
			_exit(3);
}

/* And wait for a signal then, to begin anew. */
static void be_echo(void)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGUSR1, &action, NULL);
	for (;;) {
		echo();
		pause();
	}
}

enum shape {
	ONE_OPEN_FILE,
	THREE_OPEN_FILES,
	LEADS_GROUP,
	CONTROLLING,
};

static pid_t start_echo(const struct pty *pty, enum shape shape)
{
	int flags = shape == CONTROLLING ? 0 : O_NOCTTY;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (shape == LEADS_GROUP)
		setpgid(0, 0);
	else
		setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	if (shape == THREE_OPEN_FILES) {
		if (open(pty->slave, O_RDONLY | flags) != 0 ||
		    open(pty->slave, O_WRONLY | flags) != 1 ||
		    open("/dev/null", O_WRONLY) != 2)
			_exit(1);
	} else if (open(pty->slave, O_RDWR | flags) != 0 || dup(0) != 1 || dup(0) != 2) {
		_exit(1);
	}
	if (shape == CONTROLLING && open("/dev/tty", O_RDWR) != 3)
		_exit(2);
	be_echo();
	_exit(0);
}

#define NR64_READ	0

/* Save a process that has the old terminal, and end it. */
static bool save_echo(const struct pty *pty, enum shape shape)
{
	pid_t pid = start_echo(pty, shape);
	bool good = wait_blocked(pid, NR64_READ) && save_to("image", pid, "log") > 0;

	if (!good)
		show_file("log");
	kill_and_reap(pid);
	return good;
}

/* Does this come out of the terminal? */
static bool hears(struct pty *pty, const char *want)
{
	s64 limit = hang_limit();

	while (!strstr(pty->text, want)) {
		struct pollfd poll_fd = { .fd = pty->master, .events = POLLIN };
		ssize_t got = 0;

		if (monotonic_ns() > limit || pty->len == sizeof(pty->text) - 1)
			return complain("'%s' did not come, but: %s", want, pty->text);
		if (poll(&poll_fd, 1, 100) > 0)
			got = read(pty->master, pty->text + pty->len,
				   sizeof(pty->text) - 1 - pty->len);
		/* Perhaps nobody has the other side open yet. */
		if (got <= 0)
			usleep(1000);
		else
			pty->len += got;
	}
	return true;
}

static bool says(const struct pty *pty, const char *line)
{
	return write(pty->master, line, strlen(line)) == (ssize_t)strlen(line);
}

static bool file_says(const char *name, const char *word)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	static char text[16384];
	ssize_t len;

	if (fd < 0)
		return complain("%s: %s", name, strerror(errno));
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return strstr(text, word) || complain("'%s' is not in %s: %s", word, name, text);
}

/* restart(1) in a session of its own on the new terminal. */
static pid_t run_restart(const struct pty *pty, const char *const options[])
{
	const char *argv[16] = { tool_path("restart"), "-v", "-i", "image", "-l", "log2" };
	int index = 6;
	pid_t pid;

	while (*options)
		argv[index++] = *options++;
	unlink("log2");
	pid = fork();
	if (pid)
		return pid;
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	/* The first that a leader opens is its controlling terminal. */
	if (open(pty->slave, O_RDWR) != 0 || dup(0) != 1 || dup(0) != 2)
		_exit(111);
	execv(argv[0], (char *const *)argv);
	_exit(112);
}

FIXTURE(stdio)
{
	struct place at;
};

FIXTURE_SETUP(stdio)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter(&self->at));
}

FIXTURE_TEARDOWN(stdio)
{
	EXPECT_FALSE(leaves_children());
	leave(&self->at);
}

FIXTURE_VARIANT(stdio)
{
	enum shape shape;
	const char *how;
};

FIXTURE_VARIANT_ADD(stdio, one_file) { ONE_OPEN_FILE, "--no-pidns" };
FIXTURE_VARIANT_ADD(stdio, three_files) { THREE_OPEN_FILES, "--no-pidns" };
FIXTURE_VARIANT_ADD(stdio, leads_group) { LEADS_GROUP, "--no-pidns" };
FIXTURE_VARIANT_ADD(stdio, same_pids) { LEADS_GROUP, "--pids" };
FIXTURE_VARIANT_ADD(stdio, new_pidns) { LEADS_GROUP, "--pidns" };

TEST_F_TIMEOUT(stdio, goes_on_elsewhere, LIMIT)
{
	const char *const options[] = { "--inherit-stdio", "--copy-status", variant->how, NULL };
	struct pty *pty = &self->at.new;
	pid_t tool;

	ASSERT_TRUE(save_echo(&self->at.old, variant->shape));
	tool = run_restart(pty, options);
	EXPECT_TRUE(says(pty, "hello\n") && hears(pty, "> hello")) {
		show_file("log2");
	}
	/* Before that a signal would undo the restart. */
	EXPECT_TRUE(hears(pty, "runs"));
	/* A job of a shell is in the foreground again. */
	if (variant->shape == LEADS_GROUP) {
		EXPECT_TRUE(says(pty, "\003"));
		EXPECT_TRUE(reap(tool, SIGINT, "restart(1)"));
	} else {
		kill(tool, SIGTERM);
		EXPECT_TRUE(reap(tool, SIGTERM, "restart(1)"));
	}
}

FIXTURE(inherit)
{
	struct place at;
	struct image image;
};

FIXTURE_SETUP(inherit)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter(&self->at));
	ASSERT_TRUE(save_echo(&self->at.old, ONE_OPEN_FILE));
	ASSERT_TRUE(image_load(&self->image, "image"));
}

FIXTURE_TEARDOWN(inherit)
{
	EXPECT_FALSE(leaves_children());
	image_free(&self->image);
	leave(&self->at);
}

/* The record of the terminal among those of open files. */
static bool find_terminal(const struct image *image, unsigned int *index)
{
	unsigned int nr_files = image_count(image, "file");
	char what[32];
	u64 kind;

	for (*index = 0; *index < nr_files; ++*index) {
		snprintf(what, sizeof(what), "file[%u].kind", *index);
		if (image_get(image, what, &kind) && kind == CKPT_FILE_EXTERNAL)
			return true;
	}
	return complain("the image has no terminal");
}

static bool set_file(struct image *image, unsigned int index, const char *field, u64 value)
{
	char what[64];

	snprintf(what, sizeof(what), "file[%u].%s", index, field);
	if (!image_set(image, what, value))
		return false;
	image_seal(image);
	return true;
}

/*
 * Restart the image with @ours for a descriptor that can be inherited. The pid
 * of the process, or what restart() says.
 */
static pid_t restart_with(const struct image *image, int ours, bool to_itself)
{
	int fd, logfd, error;
	pid_t pid;
	long ret;

	unlink("log2");
	if (!image_store(image, "changed"))
		return -EIO;
	fd = open("changed", O_RDONLY | O_CLOEXEC);
	logfd = open("log2", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (to_itself)
		ours = ours ? logfd : fd;
	pid = fork();
	if (!pid) {
		setsid();
		if (ours >= 0 && dup2(ours, OURS) < 0)
			_exit(118);
		if (ours < 0)
			close(OURS);
		sys_restart(0, 0, 0, NONE);
		_exit(119);
	}
	ret = sys_restart(pid, fd, 0, logfd);
	error = errno;
	close(fd);
	close(logfd);
	if (!ret)
		return pid;
	kill_and_reap(pid);
	return -error;
}

static int open_slave(const struct pty *pty, int flags)
{
	return open(pty->slave, flags | O_NOCTTY | O_CLOEXEC);
}

TEST_F_TIMEOUT(inherit, through_the_call, LIMIT)
{
	struct pty *pty = &self->at.new;
	unsigned int index;
	int slave;
	pid_t pid;

	ASSERT_TRUE(find_terminal(&self->image, &index));
	ASSERT_TRUE(set_file(&self->image, index, "inherit", OURS));
	slave = open_slave(pty, O_RDWR);
	pid = restart_with(&self->image, slave, false);
	close(slave);
	ASSERT_GT(pid, 0) {
		show_file("log2");
	}
	EXPECT_TRUE(says(pty, "hello\n") && hears(pty, "> hello"));
	kill_and_reap(pid);
}

TEST_F_TIMEOUT(inherit, refused_without, LIMIT)
{
	static const char *const options[] = { NULL };
	char message[160];

	EXPECT_EQ(-ENOTCONN, restart_from("image", 0, "log2"));
	snprintf(message, sizeof(message),
		 "descriptor 0 was the terminal %s: connect it with restart --inherit-fd 0 or --inherit-stdio",
		 self->at.old.slave);
	EXPECT_TRUE(file_says("log2", message));
	EXPECT_TRUE(reap(run_restart(&self->at.new, options), 1 << 8, "restart(1)"));
	EXPECT_TRUE(hears(&self->at.new, "use --inherit-fd or --inherit-stdio"));
	EXPECT_TRUE(file_says("log2", message));
}

TEST_F_TIMEOUT(inherit, of_another_mode, LIMIT)
{
	static const int modes[] = { O_RDONLY, O_WRONLY };
	unsigned int index;
	size_t mode;

	ASSERT_TRUE(find_terminal(&self->image, &index));
	ASSERT_TRUE(set_file(&self->image, index, "inherit", OURS));
	for (mode = 0; mode < 2; mode++) {
		int slave = open_slave(&self->at.new, modes[mode]);

		EXPECT_EQ(-EBADF, restart_with(&self->image, slave, false));
		EXPECT_TRUE(file_says("log2", mode ? "not open for reading" :
				      "not open for writing"));
		close(slave);
	}
	EXPECT_EQ(-EBADF, restart_with(&self->image, -1, false));
	EXPECT_TRUE(file_says("log2", "descriptor 5, to be inherited, is not open"));
}

TEST_F_TIMEOUT(inherit, image_and_log, LIMIT)
{
	unsigned int index;

	ASSERT_TRUE(find_terminal(&self->image, &index));
	ASSERT_TRUE(set_file(&self->image, index, "inherit", OURS));
	EXPECT_EQ(-EINVAL, restart_with(&self->image, 0, true));
	EXPECT_TRUE(file_says("log2", "it is the image"));
	EXPECT_EQ(-EINVAL, restart_with(&self->image, 1, true));
	EXPECT_TRUE(file_says("log2", "it is the log"));
}

/* A file that the image brings back, and a kind that there is not. */
TEST_F_TIMEOUT(inherit, of_another_kind, LIMIT)
{
	int slave = open_slave(&self->at.new, O_RDWR);
	unsigned int index;
	struct image other;

	ASSERT_TRUE(find_terminal(&self->image, &index));
	ASSERT_TRUE(set_file(&self->image, index, "inherit", OURS));
	ASSERT_LT(1, image_count(&self->image, "file"));
	ASSERT_TRUE(image_copy(&other, &self->image));
	ASSERT_TRUE(set_file(&other, index ? 0 : 1, "inherit", OURS));
	EXPECT_EQ(-EINVAL, restart_with(&other, slave, false));
	EXPECT_TRUE(file_says("log2", "nothing can be inherited in its place"));
	image_free(&other);
	ASSERT_TRUE(set_file(&self->image, index, "kind", CKPT_FILE_EXTERNAL - 1));
	EXPECT_GT(0, restart_with(&self->image, slave, false));
	close(slave);
}

#define THEIRS	7	/* where restart(1) has the pipes */
#define ENDED	55	/* what the process says at the end of its input */
#define FAILED	125	/* what restart(1) says of itself */

FIXTURE(pipes)
{
	struct place at;
	int in[2];
	int out[2];
	int new_in[2];
	int new_out[2];
};

/* A process with both of its pipes to somebody outside, who is the test. */
static bool save_piped(const int in[2], const int out[2])
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
		echo();
		_exit(ENDED);
	}
	good = wait_blocked(pid, NR64_READ) && save_to("image", pid, "log") > 0;
	if (!good)
		show_file("log");
	kill_and_reap(pid);
	return good;
}

FIXTURE_SETUP(pipes)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter(&self->at));
	ASSERT_FALSE(pipe2(self->in, O_CLOEXEC) || pipe2(self->out, O_CLOEXEC) ||
		     pipe2(self->new_in, O_CLOEXEC) || pipe2(self->new_out, O_CLOEXEC));
	ASSERT_TRUE(save_piped(self->in, self->out));
}

FIXTURE_TEARDOWN(pipes)
{
	EXPECT_FALSE(leaves_children());
	leave(&self->at);
}

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
			    file_says("said", cases[index].message) &&
			    (!cases[index].log || file_says("log2", cases[index].log))) {
			TH_LOG("case %zu", index);
		}
	}
}

/* Both ends are in the image: there is nothing to connect. */
TEST_F_TIMEOUT(pipes, inside, LIMIT)
{
	const char *const options[] = { "--inherit-fd", "0:7", NULL };
	pid_t tool;

	ASSERT_TRUE(save_piped(self->in, self->in));
	tool = run_piped(self->new_in[0], self->new_out[1], THEIRS, options);
	EXPECT_TRUE(reap(tool, FAILED << 8, "restart(1)"));
	EXPECT_TRUE(file_says("said", "descriptor 0 of the program does not lead outside"));
}

/* It is not ours alone: flags and position stay as they are. */
TEST_F_TIMEOUT(inherit, stays_as_it_is, LIMIT)
{
	int file = open("file", O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
	s64 limit = hang_limit();
	int flags = fcntl(file, F_GETFL);
	unsigned int index;
	struct stat st;
	pid_t pid;

	ASSERT_EQ(10, write(file, "123456hey\n", 10));
	ASSERT_EQ(6, lseek(file, 6, SEEK_SET));
	ASSERT_TRUE(find_terminal(&self->image, &index));
	ASSERT_TRUE(set_file(&self->image, index, "inherit", OURS));
	ASSERT_TRUE(set_file(&self->image, index, "pos", 3));
	pid = restart_with(&self->image, file, false);
	ASSERT_GT(pid, 0);
	do {
		ASSERT_EQ(0, fstat(file, &st));
	} while (st.st_size < 16 && monotonic_ns() < limit);
	EXPECT_TRUE(file_says("file", "123456hey\n> hey\n"));
	EXPECT_EQ(flags, fcntl(file, F_GETFL));
	kill_and_reap(pid);
	close(file);
}

/* The person has gone, the process has not. */
TEST_F_TIMEOUT(inherit, hung_up, LIMIT)
{
	pid_t pid = start_echo(&self->at.old, ONE_OPEN_FILE);
	struct pty *pty = &self->at.new;
	unsigned int index;
	int slave;

	ASSERT_TRUE(wait_blocked(pid, NR64_READ));
	close(self->at.old.master);
	self->at.old.master = -1;
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	ASSERT_GT(save_to("image", pid, "log"), 0) {
		show_file("log");
	}
	kill_and_reap(pid);
	image_free(&self->image);
	ASSERT_TRUE(image_load(&self->image, "image"));
	ASSERT_TRUE(find_terminal(&self->image, &index));
	ASSERT_TRUE(set_file(&self->image, index, "inherit", OURS));
	slave = open_slave(pty, O_RDWR);
	pid = restart_with(&self->image, slave, false);
	close(slave);
	ASSERT_GT(pid, 0) {
		show_file("log2");
	}
	kill(pid, SIGUSR1);
	EXPECT_TRUE(says(pty, "hello\n") && hears(pty, "> hello"));
	kill_and_reap(pid);
}

/* Its controlling terminal, and that by its other name. */
TEST_F_TIMEOUT(inherit, controlling_terminal, LIMIT)
{
	const char *const options[] = { "--inherit-stdio", "--inherit-fd", "3:1", NULL };
	struct pty *pty = &self->at.new;
	pid_t tool;

	ASSERT_TRUE(save_echo(&self->at.old, CONTROLLING));
	EXPECT_EQ(-ENOTCONN, restart_from("image", 0, "log2"));
	tool = run_restart(pty, options);
	EXPECT_TRUE(says(pty, "hello\n") && hears(pty, "> hello") && hears(pty, "runs"));
	kill(tool, SIGTERM);
	EXPECT_TRUE(reap(tool, 0, "restart(1)"));
}

TEST_HARNESS_MAIN
