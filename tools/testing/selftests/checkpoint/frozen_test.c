// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that come back frozen: with the tool, and with RESTART_FROZEN alone.
 */
#include "harness.h"
#include "image_edit.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#define NONE		CHECKPOINT_FD_NONE
#define LIMIT		600
#define CHILD_GOOD	43
#define CGROUP		"/sys/fs/cgroup/frozen-test"
/* Where all are at first. */
#define TOP_CGROUP	"/sys/fs/cgroup"

/**
 * struct shared - what the test and the processes tell each other, in a file
 * @go: they are to end
 * @child: id of the child when it was saved
 * @beats: of the parent and of the child: they live
 */
static struct shared {
	u32 go;
	pid_t child;
	u64 beats[2];
} *shared;

FIXTURE(frozen)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(frozen)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "frozen", 0755));
	shared = map_new_file("shared", sizeof(*shared));
	ASSERT_NE(NULL, shared);
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
}

/* Who was killed is in it until he has come to his end. */
static bool remove_cgroup(void)
{
	s64 limit = hang_limit();

	while (rmdir(CGROUP)) {
		if (errno != EBUSY || monotonic_ns() > limit)
			return complain("%s: %s", CGROUP, strerror(errno));
		sched_yield();
	}
	return true;
}

FIXTURE_TEARDOWN(frozen)
{
	write_file(CGROUP "/cgroup.freeze", "0");
	EXPECT_FALSE(leaves_children());
	EXPECT_TRUE(remove_cgroup());
	munmap(shared, sizeof(*shared));
	leave_directory(self->dir);
}

/* Two that never rest, until they are told. */
static void beat(void)
{
	pid_t child = fork();
	u64 *beats = &shared->beats[!child];
	int status;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		shared->child = getpid();
	}
	while (!READ_ONCE(shared->go))
		__atomic_fetch_add(beats, 1, __ATOMIC_RELAXED);
	if (!child)
		_exit(CHILD_GOOD);
	/* It has another id. */
	if (wait(&status) < 0 || status != CHILD_GOOD << 8)
		_exit(1);
}

static bool await_beats(const u64 *old)
{
	s64 limit = hang_limit();
	int who;

	for (who = 0; who < 2; who++)
		while (READ_ONCE(shared->beats[who]) == old[who]) {
			if (monotonic_ns() > limit)
				return complain("%d does not run", who);
			sched_yield();
		}
	return true;
}

static void note_beats(u64 *beats)
{
	beats[0] = READ_ONCE(shared->beats[0]);
	beats[1] = READ_ONCE(shared->beats[1]);
}

/* Until then it may run for a moment, though its parent was killed. */
static bool await_end_of_child(void)
{
	s64 limit = hang_limit();

	while (!kill(shared->child, 0)) {
		if (monotonic_ns() > limit)
			return complain("process %d does not end", shared->child);
		waitpid(-1, NULL, WNOHANG);
		sched_yield();
	}
	return true;
}

static bool make_image(void)
{
	const u64 none[2] = { 0 };
	pid_t pid = start_body(beat);
	bool good;

	good = pid > 0 && await_beats(none) && save_to("image", pid, "log") > 0;
	if (!good)
		show_file("log");
	kill_and_reap(pid);
	return good && await_end_of_child() && all_children_end();
}

static bool await_frozen(void)
{
	struct pollfd events = {
		.fd	= open(CGROUP "/cgroup.events", O_RDONLY | O_CLOEXEC),
		.events	= POLLPRI,
	};
	char text[64] = "";

	/* It tells when it has changed since it was read. */
	while (pread(events.fd, text, sizeof(text) - 1, 0) > 0 &&
	       !strstr(text, "populated 1\nfrozen 1\n"))
		if (poll(&events, 1, scaled_ms(60000)) != 1)
			return complain("nobody is frozen: %s", text);
	close(events.fd);
	return *text;
}

static unsigned int count_members(void)
{
	FILE *file = fopen(CGROUP "/cgroup.procs", "r");
	unsigned int count = 0;
	int pid;

	while (file && fscanf(file, "%d", &pid) == 1)
		count++;
	if (file)
		fclose(file);
	return count;
}

/* Nothing of it has run since then, until somebody lets it. */
static bool stays_frozen(const u64 *beats)
{
	bool good = await_frozen() && count_members() == 2 &&
		    shared->beats[0] == beats[0] && shared->beats[1] == beats[1];

	write_file(CGROUP "/cgroup.freeze", "0");
	good &= await_beats(beats);
	shared->go = 1;
	return good;
}

TEST_F_TIMEOUT(frozen, with_the_tool, LIMIT)
{
	u64 beats[2];
	pid_t pid;

	ASSERT_TRUE(make_image());
	note_beats(beats);
	pid = spawn_restart(self->dir, "--freezer=" CGROUP);
	EXPECT_TRUE(stays_frozen(beats));
	EXPECT_TRUE(reap(pid, BODY_GOOD << 8, "restart")) {
		show_file("log");
		show_file("output");
	}
}

/* Fails, and leaves nobody in the cgroup, nor that frozen. */
static bool fails_in_freezer(const char *dir, const char *how, const char *why)
{
	pid_t pid = spawn_restart(dir, how);

	return reap(pid, 125 << 8, "restart") && (!why || file_holds("log", why)) &&
	       file_holds(CGROUP "/cgroup.events", "populated 0\nfrozen 0");
}

static void have_full_fifo(void)
{
	pid_t child = fork();

	if (!child)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else if (open("fifo", O_RDWR) < 0 || write(3, "unread", 6) != 6)
		_exit(1);
	for (;;)
		pause();
}

/* Before its tasks are frozen, and after, when nothing else can fail. */
TEST_F_TIMEOUT(frozen, and_refused, LIMIT)
{
	pid_t pid;
	int fifo;

	ASSERT_EQ(0, mkfifo("fifo", 0600));
	pid = start_body(have_full_fifo);
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	ASSERT_GT(save_to("image", pid, "log"), 0);
	kill_and_reap(pid);
	ASSERT_TRUE(all_children_end());
	/* That it is not empty is seen when all of the image was read. */
	fifo = open("fifo", O_RDWR | O_CLOEXEC);
	ASSERT_EQ(5, write(fifo, "other", 5));
	EXPECT_TRUE(fails_in_freezer(self->dir, "--freezer=" CGROUP,
				     "holds data of somebody else"));
	close(fifo);
	ASSERT_EQ(0, truncate("image", 1000));
	EXPECT_TRUE(fails_in_freezer(self->dir, "--freezer=" CGROUP, NULL));
}

static bool create(const char *path)
{
	return !close(open(path, O_WRONLY | O_CREAT, 0600));
}

/* Files that look like a cgroup's freeze nobody: the kernel sees it. */
TEST_F_TIMEOUT(frozen, by_nobody, LIMIT)
{
	char how[PATH_MAX];
	u64 beats[2];

	ASSERT_EQ(0, mkdir("fake", 0755));
	ASSERT_TRUE(create("fake/cgroup.freeze") && create("fake/cgroup.procs"));
	ASSERT_TRUE(make_image());
	note_beats(beats);
	snprintf(how, sizeof(how), "--freezer=%s/fake", self->dir);
	EXPECT_TRUE(fails_in_freezer(self->dir, how, "is in no cgroup that is frozen"));
	EXPECT_EQ(beats[0], shared->beats[0]);
	EXPECT_EQ(beats[1], shared->beats[1]);
}

/**
 * struct try - a restart by the system call itself
 * @parent: cgroup that the first process enters
 * @child: likewise; the child has the parent's until then
 * @frozen: what freezes before the end of the image, or NULL
 */
struct try {
	const char *parent;
	const char *child;
	const char *frozen;
};

static void enter_and_wait(const char *cgroup, long index)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!write_file(cgroup, "0"))
		_exit(1);
	sys_restart(0, index, 0, NONE);
	/* It gets the state back that it had: it must not go on by itself. */
	for (;;)
		pause();
}

static pid_t start_tasks(const struct try *try)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!fork())
		enter_and_wait(try->child, 1);
	enter_and_wait(try->parent, 0);
	return -1;
}

/* All but the last record; when that is read, the rest. */
static void feed(const struct try *try, int pipe)
{
	struct image image = { 0 };
	long at, tail = 0;
	int unread;

	if (!image_load(&image, "image"))
		_exit(1);
	for (at = 0; at >= 0; at = image_next(&image, at))
		tail = at;
	if (write(pipe, image.data, tail) != tail)
		_exit(1);
	do {
		sched_yield();
		if (ioctl(pipe, FIONREAD, &unread))
			_exit(1);
	} while (unread);
	if (try->frozen && !write_file(try->frozen, "1"))
		_exit(1);
	_exit(write(pipe, image.data + tail, image.len - tail) != (ssize_t)image.len - tail);
}

/* The pid of the first process in @pid. Return: what the coordinator gets. */
static long restart_frozen(const struct try *try, pid_t *pid)
{
	int ends[2], log = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t feeder;
	long ret;

	*pid = -1;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	feeder = fork();
	if (!feeder) {
		close(ends[0]);
		feed(try, ends[1]);
	}
	close(ends[1]);
	*pid = start_tasks(try);
	ret = sys_restart(*pid, ends[0], RESTART_FROZEN, log) ? -errno : 0;
	close(ends[0]);
	close(log);
	return reap(feeder, 0, "the feeder") ? ret : -ECHILD;
}

TEST_F_TIMEOUT(frozen, with_the_call, LIMIT)
{
	static const struct try try = {
		CGROUP "/cgroup.procs", CGROUP "/cgroup.procs", CGROUP "/cgroup.freeze",
	};
	u64 beats[2];
	pid_t pid;

	ASSERT_TRUE(make_image());
	note_beats(beats);
	EXPECT_EQ(0, restart_frozen(&try, &pid)) show_file("log");
	EXPECT_TRUE(stays_frozen(beats));
	EXPECT_TRUE(reap(pid, BODY_GOOD << 8, "the restarted process"));
}

/* Nobody is, or one of them is not: then nothing has happened to either. */
TEST_F_TIMEOUT(frozen, not_all, LIMIT)
{
	static const struct {
		struct try try;
		const char *message;
	} tries[] = {
		{ { CGROUP "/cgroup.procs", CGROUP "/cgroup.procs", NULL },
		  "who would become task 0 is in no cgroup that is frozen" },
		{ { TOP_CGROUP "/cgroup.procs", TOP_CGROUP "/cgroup.procs",
		    CGROUP "/cgroup.freeze" },
		  "who would become task 0 is in no cgroup that is frozen" },
		{ { CGROUP "/cgroup.procs", TOP_CGROUP "/cgroup.procs",
		    CGROUP "/cgroup.freeze" },
		  "who would become task 1 is in no cgroup that is frozen" },
		{ { TOP_CGROUP "/cgroup.procs", CGROUP "/cgroup.procs",
		    CGROUP "/cgroup.freeze" },
		  "who would become task 0 is in no cgroup that is frozen" },
	};
	u64 beats[2];
	size_t index;
	pid_t pid;

	ASSERT_TRUE(make_image());
	note_beats(beats);
	for (index = 0; index < sizeof(tries) / sizeof(*tries); index++) {
		EXPECT_EQ(-EBUSY, restart_frozen(&tries[index].try, &pid));
		EXPECT_TRUE(file_holds("log", tries[index].message)) {
			show_file("log");
		}
		write_file(CGROUP "/cgroup.freeze", "0");
		kill_and_reap(pid);
		EXPECT_TRUE(all_children_end());
	}
	EXPECT_EQ(beats[0], shared->beats[0]);
	EXPECT_EQ(beats[1], shared->beats[1]);
}

TEST_HARNESS_MAIN
