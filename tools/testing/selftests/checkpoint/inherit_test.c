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

/* And wait for a signal at the end of the input, to begin anew. */
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
	EXPECT_TRUE(file_holds("log2", message));
	EXPECT_TRUE(reap(run_restart(&self->at.new, options), 1 << 8, "restart(1)"));
	EXPECT_TRUE(hears(&self->at.new, "use --inherit-fd or --inherit-stdio"));
	EXPECT_TRUE(file_holds("log2", message));
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
		EXPECT_TRUE(file_holds("log2", mode ? "not open for reading" :
				      "not open for writing"));
		close(slave);
	}
	EXPECT_EQ(-EBADF, restart_with(&self->image, -1, false));
	EXPECT_TRUE(file_holds("log2", "descriptor 5, to be inherited, is not open"));
}

TEST_F_TIMEOUT(inherit, image_and_log, LIMIT)
{
	unsigned int index;

	ASSERT_TRUE(find_terminal(&self->image, &index));
	ASSERT_TRUE(set_file(&self->image, index, "inherit", OURS));
	EXPECT_EQ(-EINVAL, restart_with(&self->image, 0, true));
	EXPECT_TRUE(file_holds("log2", "it is the image"));
	EXPECT_EQ(-EINVAL, restart_with(&self->image, 1, true));
	EXPECT_TRUE(file_holds("log2", "it is the log"));
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
	/* The program. */
	EXPECT_EQ(-EBUSY, restart_with(&other, slave, false));
	EXPECT_TRUE(file_holds("log2", "nothing can be inherited in its place"));
	image_free(&other);
	/* Nothing was unread in a terminal. */
	ASSERT_TRUE(set_file(&self->image, index, "flags",
			     CKPT_FILE_OUTSIDE | CKPT_FILE_UNREAD_DROPPED));
	EXPECT_EQ(-EINVAL, restart_with(&self->image, slave, false));
	EXPECT_TRUE(file_holds("log2", "flags 0x9 of descriptor 0"));
	ASSERT_TRUE(set_file(&self->image, index, "flags", CKPT_FILE_OUTSIDE));
	ASSERT_TRUE(set_file(&self->image, index, "kind", CKPT_FILE_EXTERNAL - 1));
	EXPECT_GT(0, restart_with(&self->image, slave, false));
	close(slave);
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
	EXPECT_TRUE(file_holds("file", "123456hey\n> hey\n"));
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
	/* A signal before that ends no wait. */
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
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
