// SPDX-License-Identifier: GPL-2.0
/*
 * Trees in which not all processes are the caller's: he neither stops those of
 * others nor takes them for a restart of his own.
 */
#include "harness.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "tiny.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

FIXTURE(rights)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(rights)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root to begin with");
	ASSERT_TRUE(enter_directory(self->dir, "rights", 0777));
	/* Those whose parent has been ended come to us. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(rights)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static void be(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		_exit(99);
	/* Which a change of ids takes away. */
	prctl(PR_SET_DUMPABLE, 1);
}

static void be_root(void)
{
}

static void be_ordinary(void)
{
	be(ORDINARY_UID);
}

static void be_another(void)
{
	be(ORDINARY_UID + 1);
}

/* The same user, who may more. */
static void be_capable(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	prctl(PR_SET_KEEPCAPS, 1);
	be(ORDINARY_UID);
	data[0].permitted = 1 << CAP_NET_RAW;
	if (syscall(SYS_capset, &header, data))
		_exit(98);
}

/* Who only has become the user since. */
static void be_saved_root(void)
{
	if (setgroups(0, NULL) || setresgid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID) ||
	    setresuid(ORDINARY_UID, ORDINARY_UID, 0))
		_exit(99);
	prctl(PR_SET_DUMPABLE, 1);
}

static const struct {
	const char *name;
	void (*be)(void);
} others[] = {
	{ "root", be_root },
	{ "another user", be_another },
	{ "a user with a capability", be_capable },
	{ "a user who was root", be_saved_root },
};

#define NR_OTHERS	(sizeof(others) / sizeof(*others))

/* A process without files and with descendants, each the child of the one before. */
static void pause_in_line(void (*const *beings)(void), int nr_beings, int tell)
{
	int index = 0;
	pid_t pid;

	while (index + 1 < nr_beings && !fork())
		index++;
	beings[index]();
	pid = getpid();
	if (write(tell, &pid, sizeof(pid)) != sizeof(pid))
		_exit(97);
	syscall(SYS_close_range, 0, ~0U, 0);
	for (;;)
		pause();
}

/* Start these; their ids, in any order but for the first, which is returned. */
static pid_t start_line(void (*const *beings)(void), int nr_beings, pid_t *pids)
{
	int fds[2], index;
	pid_t first;

	if (pipe2(fds, O_CLOEXEC))
		return 0;
	first = fork();
	if (!first) {
		setsid();
		if (chdir("/"))
			_exit(96);
		pause_in_line(beings, nr_beings, fds[1]);
	}
	close(fds[1]);
	for (index = 0; index < nr_beings; index++)
		if (read(fds[0], &pids[index], sizeof(*pids)) != sizeof(*pids) ||
		    !wait_blocked(pids[index], NR64_PAUSE))
			first = 0;
	close(fds[0]);
	return first;
}

static void end_line(pid_t first)
{
	kill_and_reap(first);
	end_children();
}

/* What the kernel says of it in /proc. */
static long read_status(pid_t pid, const char *key)
{
	char path[64], line[256];
	long value = -1;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key), NULL, 10);
	if (status)
		fclose(status);
	return value;
}

/*
 * How often it has gone to sleep. Whoever stops a process wakes it for that. One
 * that is on its way runs: see wait_blocked().
 */
static long nr_sleeps(pid_t pid)
{
	return wait_blocked(pid, NR64_PAUSE) ? read_status(pid, "voluntary_ctxt_switches:") : -2;
}

static long save_as_user(pid_t pid, const char *log)
{
	int status;
	pid_t saver = fork();

	if (!saver) {
		int fd = open("image", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		int logfd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		be_ordinary();
		_exit(sys_checkpoint(pid, fd, CHECKPOINT_SUBTREE, logfd) > 0 ? 0 : errno);
	}
	if (waitpid(saver, &status, 0) != saver || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Is it refused, and does it sleep on? It is the last of the line. */
static bool sleeps_on(void (*const *beings)(void), int nr_beings, uid_t uid)
{
	pid_t pids[4], first = start_line(beings, nr_beings, pids), other = 0;
	bool good = first > 0;
	int index;
	char name[64];
	long before;

	for (index = 0; good && index < nr_beings; index++)
		if (pids[index] != first && (nr_beings == 2 ||
					     read_status(pids[index], "Uid:") == uid))
			other = pids[index];
	if (!good || !other)
		return complain("no line of processes");
	before = nr_sleeps(other);
	if (save_as_user(first, "log") != EPERM)
		good = complain("a process of another was saved");
	if (nr_sleeps(other) != before)
		good = complain("a process of another was woken");
	snprintf(name, sizeof(name), "task %d ", other);
	good &= file_holds("log", "may not be traced") && file_holds("log", name);
	good &= nr_sleeps(first) > 0;
	end_line(first);
	return good;
}

TEST_F_TIMEOUT(rights, descendant_of_another, LIMIT)
{
	void (*beings[3])(void) = { be_ordinary, be_ordinary, be_ordinary };
	pid_t pids[3], first = start_line(beings, 3, pids);
	long before;
	size_t index;

	/* Their own user may save all three, and wakes them. */
	ASSERT_GT(first, 0);
	before = nr_sleeps(pids[2]);
	EXPECT_EQ(0, save_as_user(first, "log")) {
		show_file("log");
	}
	EXPECT_GT(nr_sleeps(pids[2]), before);
	end_line(first);
	for (index = 0; index < NR_OTHERS; index++) {
		beings[1] = others[index].be;
		EXPECT_TRUE(sleeps_on(beings, 2, 0)) {
			TH_LOG("%s", others[index].name);
		}
	}
	beings[1] = be_ordinary;
	beings[2] = be_another;
	EXPECT_TRUE(sleeps_on(beings, 3, ORDINARY_UID + 1));
}

/* How a task ends that waited and has not become another. */
#define INTACT	35
/* And one that was told that it cannot. */
#define REFUSED	95

static void be_intact(int signal)
{
	(void)signal;
	_exit(INTACT);
}

static void wait_for_place(void (*be)(void), int place)
{
	be();
	sys_restart(0, place, 0, NONE);
	_exit(REFUSED);
}

/* A child waits, and one of its own, if that is the one that is looked at. */
static pid_t start_waiting(void (*be)(void), bool is_below, int tell)
{
	pid_t child = fork(), pid;

	if (child)
		return child;
	setsid();
	if (is_below && fork())
		wait_for_place(be_ordinary, 0);
	pid = getpid();
	if (write(tell, &pid, sizeof(pid)) != sizeof(pid))
		_exit(97);
	wait_for_place(be, is_below);
	_exit(REFUSED);
}

/*
 * An ordinary user coordinates tasks of which one may be another's by now.
 * Returns the errno of that, and the id of that one.
 */
static int coordinate_as_user(void (*be)(void), bool is_below, pid_t *other)
{
	int fd = open("image", O_RDONLY | O_CLOEXEC), fds[2], status;
	pid_t coordinator;
	bool good;

	if (fd < 0 || pipe2(fds, O_CLOEXEC))
		return -1;
	coordinator = fork();
	if (!coordinator) {
		int logfd = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		pid_t child;

		signal(SIGUSR1, be_intact);
		child = start_waiting(be, is_below, fds[1]);
		be_ordinary();
		_exit(sys_restart(child, fd, 0, logfd) ? errno : 0);
	}
	close(fds[1]);
	close(fd);
	good = waitpid(coordinator, &status, 0) == coordinator && WIFEXITED(status) &&
	       read(fds[0], other, sizeof(*other)) == sizeof(*other);
	close(fds[0]);
	return good ? WEXITSTATUS(status) : -1;
}

/* Are all the others refused, and do they wait on? */
static bool leaves_others_alone(bool is_below)
{
	bool good = true;
	size_t index;

	for (index = 0; index < NR_OTHERS; index++) {
		pid_t other = 0;
		int error = coordinate_as_user(others[index].be, is_below, &other), status;

		if (error != EPERM) {
			good = complain("%s: %s", others[index].name, strerror(error));
			end_children();
			continue;
		}
		good &= file_holds("log", "rights that the caller has not");
		/* Its parents end before it, so it has come to us. */
		if (is_below && (waitpid(-1, &status, 0) <= 0 || status != REFUSED << 8))
			return complain("%s: its parent", others[index].name);
		if (other <= 0 || kill(other, SIGUSR1))
			return complain("%s: nobody waits", others[index].name);
		good &= reap(other, INTACT << 8, others[index].name);
		end_children();
	}
	return good;
}

TEST_F_TIMEOUT(rights, coordinator_of_another, LIMIT)
{
	pid_t pid = 0;

	ASSERT_TRUE(make_tiny_image("self", "image", ORDINARY_UID));
	/* Their own user may coordinate them. */
	EXPECT_EQ(0, coordinate_as_user(be_ordinary, false, &pid)) {
		show_file("log");
	}
	EXPECT_TRUE(reap(pid, TINY_GOOD << 8, "restarted"));
	EXPECT_TRUE(leaves_others_alone(false));
}

TEST_F_TIMEOUT(rights, coordinator_of_a_descendant, LIMIT)
{
	void (*beings[2])(void) = { be_ordinary, be_ordinary };
	pid_t pids[2], first = start_line(beings, 2, pids), pid = 0;

	ASSERT_GT(first, 0);
	EXPECT_EQ(0, save_as_user(first, "log")) {
		show_file("log");
	}
	end_line(first);
	EXPECT_EQ(0, coordinate_as_user(be_ordinary, true, &pid)) {
		show_file("log");
	}
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	end_children();
	EXPECT_TRUE(leaves_others_alone(true));
}

TEST_HARNESS_MAIN
