// SPDX-License-Identifier: GPL-2.0
/*
 * Trees of processes, from within and from outside: one that is saved by one of
 * its own, that is teased with signals meanwhile, that adopts orphans, that has
 * a stranger in its pid namespace.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#define NONE		CHECKPOINT_FD_NONE
#define LIMIT		600
#define NR_WORKERS	4
#define CHILD_GOOD	43

/**
 * struct worker - a child of the tree that is teased
 * @pid: its id; there is a new one if it was killed
 * @beats: it lives
 * @stops: how often its parent has seen it stop
 * @continues: and go on
 */
struct worker {
	pid_t pid;
	u64 beats;
	u64 stops;
	u64 continues;
};

/**
 * struct shared - what the test and the processes tell each other, in a file
 * @go: to do what is to be done; a futex
 * @child: id of a child
 * @adopts: it is to adopt orphans
 * @is_reaper: it does
 * @nr_reaped: children that it has waited for
 * @nr_saved: checkpoints that have succeeded
 * @nr_restarted: how often a process came back from one
 * @error: of a checkpoint
 * @workers: of the tree that is teased
 */
static struct shared {
	u32 go;
	pid_t child;
	int adopts;
	int is_reaper;
	u32 nr_reaped;
	u32 nr_saved;
	u32 nr_restarted;
	int error;
	struct worker workers[NR_WORKERS];
} *shared;

FIXTURE(tree)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(tree)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "tree", 0755));
	shared = map_new_file("shared", sizeof(*shared));
	ASSERT_NE(NULL, shared);
}

FIXTURE_TEARDOWN(tree)
{
	EXPECT_FALSE(leaves_children());
	munmap(shared, sizeof(*shared));
	leave_directory(self->dir);
}

static void wait_go(void)
{
	while (!READ_ONCE(shared->go))
		syscall(SYS_futex, &shared->go, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static bool ends_well(pid_t pid, const char *what)
{
	if (reap(pid, BODY_GOOD << 8, what))
		return true;
	show_file("log");
	show_file("output");
	return false;
}

static void do_nothing(void)
{
	for (;;)
		pause();
}

/* The init of a pid namespace; in the end it waits for good. */
static pid_t start_init(void (*body)(void))
{
	struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		body();
	}
	return pid > 0 && wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

/* A child of ours, in the pid namespace of another process. */
static pid_t enter(pid_t init)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), other;
	char path[64];
	pid_t pid = 0;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	other = open(path, O_RDONLY | O_CLOEXEC);
	if (!setns(other, CLONE_NEWPID)) {
		pid = fork();
		if (!pid) {
			syscall(SYS_close_range, 0, ~0U, 0);
			for (;;)
				pause();
		}
		if (setns(own, CLONE_NEWPID))
			pid = 0;
	}
	close(own);
	close(other);
	return pid > 0 && wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

/* All of a container is not all if somebody came from outside. */
TEST_F_TIMEOUT(tree, entered_from_outside, LIMIT)
{
	pid_t init = start_init(do_nothing), stranger;
	char want[128];

	ASSERT_GT(init, 0);
	EXPECT_GT(save_process_with(init, 0), 0) show_file("log");
	stranger = enter(init);
	ASSERT_GT(stranger, 0);
	EXPECT_EQ(-EBUSY, save_process_with(init, 0));
	snprintf(want, sizeof(want),
		 "process %d (tree_test) has entered the pid namespace from outside", stranger);
	EXPECT_TRUE(file_holds("log", want));
	/* It is none of those that are saved by their parents. */
	EXPECT_GT(save_process_with(init, CHECKPOINT_SUBTREE), 0) show_file("log");
	EXPECT_TRUE(wait_blocked(init, NR64_PAUSE) && wait_blocked(stranger, NR64_PAUSE));
	/* Its id is taken until it was waited for. */
	kill(stranger, SIGKILL);
	ASSERT_TRUE(wait_in_state(stranger, "Z"));
	EXPECT_EQ(-EBUSY, save_process_with(init, 0));
	kill_and_reap(stranger);
	EXPECT_GT(save_process_with(init, 0), 0) show_file("log");
	kill_and_reap(init);
}

static void save_parent(void)
{
	int fd = open("image", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	long ret = sys_checkpoint(getppid(), fd, CHECKPOINT_SUBTREE, NONE);

	if (ret > 0)
		shared->nr_saved++;
	else if (!ret)
		shared->nr_restarted++;
	else
		shared->error = errno;
	/* It is this one that goes on, with all that it had. */
	if (fcntl(fd, F_GETFD) != FD_CLOEXEC || close(fd))
		_exit(4);
}

/* Another child, which waits. */
static pid_t start_brother(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	wait_go();
	_exit(CHILD_GOOD);
}

static void wait_for_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != CHILD_GOOD << 8)
		_exit(3);
	shared->nr_reaped++;
}

static void be_saved_by_child(void)
{
	pid_t brother = start_brother(), child = fork();

	if (!child) {
		save_parent();
		_exit(CHILD_GOOD);
	}
	wait_for_child(child);
	tell_word(&shared->go, 1);
	wait_for_child(brother);
}

/* The caller is in what it saves, and not its root. */
TEST_F_TIMEOUT(tree, saved_by_a_child, LIMIT)
{
	static const char *const ways[] = { "--pids", "--pidns" };
	unsigned int way;

	EXPECT_TRUE(ends_well(start_body(be_saved_by_child), "process"));
	EXPECT_EQ(1, shared->nr_saved) TH_LOG("error %d", shared->error);
	EXPECT_EQ(0, shared->nr_restarted);
	EXPECT_EQ(2, shared->nr_reaped);
	for (way = 0; way < 2; way++) {
		shared->go = 0;
		EXPECT_TRUE(ends_well(spawn_restart(self->dir, ways[way]), "restart(1)"));
		EXPECT_EQ(1, shared->nr_saved);
		EXPECT_EQ(way + 1, shared->nr_restarted);
		EXPECT_EQ(4 + 2 * way, shared->nr_reaped);
	}
}

#define NR_SAVERS	3
#define NR_SAVES	20

/* Each stops the others in the middle of the same. */
static void be_saved_at_once(void)
{
	pid_t savers[NR_SAVERS];
	int index, round, fd;

	for (index = 0; index < NR_SAVERS; index++) {
		savers[index] = fork();
		if (savers[index])
			continue;
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		for (round = 0; round < NR_SAVES; round++) {
			if (sys_checkpoint(getppid(), fd, CHECKPOINT_SUBTREE, NONE) <= 0)
				_exit(5);
			__atomic_add_fetch(&shared->nr_saved, 1, __ATOMIC_SEQ_CST);
		}
		_exit(CHILD_GOOD);
	}
	for (index = 0; index < NR_SAVERS; index++)
		wait_for_child(savers[index]);
}

TEST_F_TIMEOUT(tree, saved_by_children_at_once, LIMIT)
{
	EXPECT_TRUE(ends_well(start_body(be_saved_at_once), "process"));
	EXPECT_EQ(NR_SAVERS * NR_SAVES, shared->nr_saved);
}

/* Its child leaves an orphan, and waits for nobody. */
static void adopt(void)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wait_go();
		fork();
		_exit(CHILD_GOOD);
	}
	shared->child = child;
	/* Now: the child does not inherit it. */
	prctl(PR_SET_CHILD_SUBREAPER, shared->adopts);
	wait_go();
	prctl(PR_GET_CHILD_SUBREAPER, &shared->is_reaper);
	while (waitpid(-1, NULL, 0) > 0)
		shared->nr_reaped++;
}

/* Two processes with the ids that they can get, as those that wait. */
static pid_t restart_both(bool adopts)
{
	int fd = open("image", O_RDONLY | O_CLOEXEC);
	int logfd = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid = fork();

	if (!pid) {
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		if (!fork()) {
			sys_restart(0, 1, 0, NONE);
			_exit(99);
		}
		prctl(PR_SET_CHILD_SUBREAPER, adopts);
		sys_restart(0, 0, 0, NONE);
		_exit(98);
	}
	if (sys_restart(pid, fd, 0, logfd)) {
		complain("restart: %s", strerror(errno));
		kill_and_reap(pid);
		pid = 0;
	}
	close(fd);
	close(logfd);
	return pid;
}

static bool orphans_come(pid_t pid, bool adopts)
{
	if (pid <= 0)
		return false;
	shared->nr_reaped = 0;
	shared->is_reaper = -1;
	tell_word(&shared->go, 1);
	if (!ends_well(pid, "process"))
		return false;
	if (shared->is_reaper != adopts)
		return complain("is a reaper: %d", shared->is_reaper);
	return shared->nr_reaped == 1U + adopts ||
	       complain("it had %u children", shared->nr_reaped);
}

/* Who does not adopt orphans does not become one who does, and the other way. */
TEST_F_TIMEOUT(tree, adopts_orphans, LIMIT)
{
	int adopts;

	for (adopts = 0; adopts < 2; adopts++) {
		pid_t pid;

		shared->go = 0;
		shared->adopts = adopts;
		pid = start_body(adopt);
		ASSERT_TRUE(wait_blocked(pid, NR64_FUTEX));
		ASSERT_TRUE(wait_blocked(shared->child, NR64_FUTEX));
		ASSERT_GT(save_process_with(pid, CHECKPOINT_SUBTREE), 0) show_file("log");
		EXPECT_TRUE(orphans_come(pid, adopts));
		shared->go = 0;
		EXPECT_TRUE(orphans_come(restart_both(!adopts), adopts));
		shared->go = 0;
		EXPECT_TRUE(orphans_come(spawn_restart(self->dir, "--pids"), adopts));
	}
}

static void work(struct worker *worker)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		__atomic_add_fetch(&worker->beats, 1, __ATOMIC_SEQ_CST);
		sched_yield();
	}
}

static void start_worker(struct worker *worker)
{
	pid_t pid = fork();

	if (!pid)
		work(worker);
	worker->pid = pid;
}

static struct worker *find_worker(pid_t pid)
{
	int index;

	for (index = 0; index < NR_WORKERS; index++)
		if (shared->workers[index].pid == pid)
			return &shared->workers[index];
	_exit(6);
}

/* It sees what becomes of its children, and replaces those that are killed. */
static void watch_workers(void)
{
	int index;

	for (index = 0; index < NR_WORKERS; index++)
		start_worker(&shared->workers[index]);
	tell_word(&shared->go, 1);
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WUNTRACED | WCONTINUED);
		struct worker *worker = find_worker(pid);

		if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP)
			worker->stops++;
		else if (WIFCONTINUED(status))
			worker->continues++;
		else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			start_worker(worker);
		else
			_exit(7);
	}
}

static bool await_change(const void *at, u64 old, size_t size, const char *what)
{
	s64 limit = hang_limit();
	u64 now = old;

	do {
		if (monotonic_ns() > limit)
			return complain("%s has not come", what);
		sched_yield();
		now = size == sizeof(u64) ? READ_ONCE(*(const u64 *)at) :
					    READ_ONCE(*(const u32 *)at);
	} while (now == old);
	return true;
}

#define AWAIT_CHANGE(field, old, what) \
	await_change(&(field), old, sizeof(field), what)

/* Each of what happens to it is seen by its parent, once. */
static bool tease_worker(struct worker *worker, bool kills)
{
	u64 stops = worker->stops, continues = worker->continues, beats;
	pid_t pid = worker->pid;

	kill(pid, SIGSTOP);
	if (!AWAIT_CHANGE(worker->stops, stops, "a stop") || !wait_in_state(pid, "T"))
		return false;
	beats = READ_ONCE(worker->beats);
	if (kills) {
		kill(pid, SIGKILL);
		if (!AWAIT_CHANGE(worker->pid, (u64)pid, "a death"))
			return false;
	} else {
		kill(pid, SIGCONT);
		if (!AWAIT_CHANGE(worker->continues, continues, "a continuation"))
			return false;
		continues++;
	}
	if (!AWAIT_CHANGE(worker->beats, beats, "a beat"))
		return false;
	return (worker->stops == stops + 1 && worker->continues == continues) ||
	       complain("%llu stops, %llu continuations too many",
			(unsigned long long)(worker->stops - stops - 1),
			(unsigned long long)(worker->continues - continues));
}

/* Until there is a stop word; the exit status tells whether all was right. */
static void tease(pid_t root)
{
	unsigned int round;

	for (round = 0; READ_ONCE(shared->go) == 1; round++) {
		if (!tease_worker(&shared->workers[round % NR_WORKERS], round % 3 == 2))
			_exit(1);
		if (round % 5)
			continue;
		kill(root, SIGSTOP);
		if (!wait_in_state(root, "T"))
			_exit(2);
		kill(root, SIGCONT);
		if (!wait_in_state(root, "SR"))
			_exit(3);
	}
	printf("# teased %u times\n", round);
	fflush(stdout);
	_exit(round < 10);
}

/* Signals from outside, at any moment of a checkpoint. */
TEST_F_TIMEOUT(tree, teased, LIMIT)
{
	int round, rounds = is_debug_kernel() ? 60 : 600, index;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t root = start_body(watch_workers), teaser;

	ASSERT_TRUE(await_word(&shared->go, 0, root));
	teaser = fork();
	if (!teaser)
		tease(root);
	for (round = 0; round < rounds; round++) {
		long ret = sys_checkpoint(root, null, CHECKPOINT_SUBTREE, NONE);

		ASSERT_GT(ret, 0) TH_LOG("round %d: %s", round, strerror(errno));
		ASSERT_FALSE(has_ended(teaser, 0));
	}
	close(null);
	shared->go = 2;
	EXPECT_TRUE(reap(teaser, 0, "who has sent signals"));
	/* None is stopped any more, and all do what they did. */
	EXPECT_FALSE(has_ended(root, 0));
	for (index = 0; index < NR_WORKERS; index++)
		EXPECT_TRUE(AWAIT_CHANGE(shared->workers[index].beats,
					 READ_ONCE(shared->workers[index].beats), "a beat"));
	kill_and_reap(root);
}

/* In a pid namespace: a child with an id that somebody has outside. */
static void have_child_with_id(void)
{
	pid_t wanted = shared->child;
	struct clone_args args = {
		.exit_signal	= SIGCHLD,
		.set_tid	= (uintptr_t)&wanted,
		.set_tid_size	= 1,
	};
	pid_t child = syscall(SYS_clone3, &args, sizeof(args));

	if (child < 0)
		_exit(1);
	do_nothing();
}

/* Ids of one namespace mean somebody else in another one. */
TEST_F_TIMEOUT(tree, failure_ends_no_stranger, LIMIT)
{
	pid_t stranger = start_body(wait_go), pid;
	struct stat image;

	shared->child = stranger;
	pid = start_init(have_child_with_id);
	ASSERT_NE(0, pid);
	ASSERT_GT(save_to("image", pid, "log"), 0) show_file("log");
	kill_and_reap(pid);
	/* Its tail is not whole: when that is seen all tasks are there. */
	ASSERT_EQ(0, stat("image", &image));
	ASSERT_EQ(0, truncate("image", image.st_size - 8));
	pid = spawn_restart(self->dir, "--pidns");
	EXPECT_TRUE(reap(pid, 125 << 8, "restart of a part of an image"));
	EXPECT_FALSE(has_ended(stranger, 0));
	kill_and_reap(stranger);
}

static void have_two_children(void)
{
	if (fork() && fork())
		prctl(PR_SET_NAME, "parent");
	do_nothing();
}

/* In vfork() one task waits for another. Here two wait for the same. */
TEST_F_TIMEOUT(tree, two_wait_in_vfork, LIMIT)
{
	struct image image = { 0 };
	pid_t pid = start_init(have_two_children);
	u64 child;

	ASSERT_NE(0, pid);
	ASSERT_GT(save_to("image", pid, "log"), 0) show_file("log");
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&image, "image"));
	ASSERT_EQ(3, image_count(&image, "pids"));
	ASSERT_TRUE(image_get(&image, "pids[2].pid", &child));
	ASSERT_TRUE(image_set(&image, "task[0].vfork_child", child));
	ASSERT_TRUE(image_set(&image, "task[1].vfork_child", child));
	image_seal(&image);
	ASSERT_TRUE(image_store(&image, "image"));
	image_free(&image);
	pid = spawn_restart(self->dir, "--pidns");
	EXPECT_TRUE(reap(pid, 125 << 8, "restart of two that wait for one"));
	EXPECT_TRUE(file_holds("log", "it waits in vfork() for "));
}

/* A handler is an address in memory: who has it must have that, too. */
TEST_F_TIMEOUT(tree, handlers_without_memory, LIMIT)
{
	struct image image = { 0 };
	pid_t pid = start_init(have_two_children);
	u64 handlers;

	ASSERT_NE(0, pid);
	ASSERT_GT(save_to("image", pid, "log"), 0) show_file("log");
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&image, "image"));
	ASSERT_TRUE(image_get(&image, "task_objs[1].sighand", &handlers));
	ASSERT_TRUE(image_set(&image, "task_objs[2].sighand", handlers));
	image_seal(&image);
	ASSERT_TRUE(image_store(&image, "image"));
	image_free(&image);
	pid = spawn_restart(self->dir, "--pidns");
	EXPECT_TRUE(reap(pid, 125 << 8, "restart of two with the same handlers"));
	EXPECT_TRUE(file_holds("log", "its signal handlers with a process, and not its memory"));
}

static int end_at_once(void *unused)
{
	(void)unused;
	_exit(0);
}

/* It becomes a child of the test, which does not wait for it. */
static void leave_dead_sharer(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	if (clone(end_at_once, stack + sizeof(stack),
		  CLONE_VM | CLONE_SIGHAND | CLONE_PARENT | SIGCHLD, NULL) < 0)
		_exit(1);
	wait_go();
}

/* It has the handlers still, but nobody will ever see them through it. */
TEST_F_TIMEOUT(tree, dead_stranger_has_handlers, LIMIT)
{
	pid_t pid = start_body(leave_dead_sharer);
	siginfo_t ended = { 0 };

	ASSERT_EQ(0, waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT));
	ASSERT_NE(pid, ended.si_pid);
	EXPECT_GT(save_to("image", pid, "log"), 0) show_file("log");
	kill_and_reap(pid);
	ASSERT_TRUE(all_children_end());
	shared->go = 1;
	EXPECT_TRUE(ends_well(spawn_restart(self->dir, "--pids"), "restart"));
}

TEST_HARNESS_MAIN
