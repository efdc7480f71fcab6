// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with threads, from outside: threads that come and go while they are
 * stopped, that call execve() or end the process; one that saves them all; and
 * images that contradict themselves.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>

#include <linux/checkpoint_image.h>

#include "kselftest_harness.h"

#define WRITE_ONCE(x, value)	(*(volatile typeof(x) *)&(x) = (value))
#define NONE		CHECKPOINT_FD_NONE
#define GOOD		BODY_GOOD
#define LIMIT		600
#define NR_THREADS	6

/* Also after a restart: in a file. */
struct shared {
	u32 stop;
	u32 nr_started;
	u32 begun;
	u64 beats[NR_THREADS];
	long saved;
	u32 restarted;
};

static struct shared *shared;

FIXTURE(threads)
{
	char dir[PATH_MAX / 2];
};

FIXTURE_SETUP(threads)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "threads", 0755));
	shared = map_new_file("shared", sizeof(*shared));
	ASSERT_NE(NULL, shared);
}

FIXTURE_TEARDOWN(threads)
{
	EXPECT_FALSE(leaves_children());
	munmap(shared, sizeof(*shared));
	leave_directory(self->dir);
}

static void start_thread(pthread_t *thread, void *(*body)(void *), long argument)
{
	if (pthread_create(thread, NULL, body, (void *)argument))
		_exit(2);
}

/* Long enough to be there when the others have been stopped. */
static void *short_life(void *argument)
{
	unsigned int step;

	for (step = 0; step < 1000000; step++)
		__asm__ volatile("");
	return argument;
}

/* One thread after the other, and all have to come back. */
static void *make_threads(void *argument)
{
	long index = (long)argument, number = 0;

	while (!READ_ONCE(shared->stop)) {
		pthread_t thread;
		void *result;

		start_thread(&thread, short_life, ++number);
		if (pthread_join(thread, &result) || (long)result != number)
			_exit(3);
		shared->beats[index]++;
	}
	return NULL;
}

static void *idle(void *argument)
{
	__atomic_add_fetch(&shared->nr_started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return argument;
}

static void start_idle(int nr_idle)
{
	pthread_t thread;

	while (nr_idle--)
		start_thread(&thread, idle, 0);
}

#define NR_IDLE		200

/*
 * It takes a while to stop the idle threads. The others are not told before
 * that, and go on to make threads that nobody has seen yet.
 */
static void storm(void)
{
	pthread_t threads[NR_THREADS];
	long index;

	start_idle(NR_IDLE);
	for (index = 0; index < NR_THREADS; index++)
		start_thread(&threads[index], make_threads, index);
	for (index = 0; index < NR_THREADS; index++)
		if (pthread_join(threads[index], NULL))
			_exit(4);
}

/* Do all threads go on? */
static bool all_beat(void)
{
	s64 limit = hang_limit();
	u64 before[NR_THREADS];
	int index;

	for (index = 0; index < NR_THREADS; index++)
		before[index] = READ_ONCE(shared->beats[index]);
	for (index = 0; index < NR_THREADS; index++)
		while (READ_ONCE(shared->beats[index]) < before[index] + 2) {
			if (monotonic_ns() > limit)
				return complain("thread %d stands still", index);
			sched_yield();
		}
	return true;
}

static pid_t restart_tool(const char *how, const char *image, int *status)
{
	/* Without ids it is an image that must be refused: not to be waited for. */
	const char *end = strcmp(how, "--no-pidns") ? "--copy-status" : "--no-wait";
	const char *tool = tool_path("restart");
	pid_t pid = fork();

	if (!pid) {
		int fd = open("output", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		execl(tool, tool, how, end, "-v", "-l", "log", "-i", image, NULL);
		_exit(99);
	}
	if (status && waitpid(pid, status, 0) != pid)
		*status = -1;
	return pid;
}

TEST_F_TIMEOUT(threads, come_and_go, LIMIT)
{
	int round, rounds = is_debug_kernel() ? 30 : 150;
	pid_t pid = start_body(storm);

	ASSERT_TRUE(all_beat());
	for (round = 0; round < rounds; round++) {
		ASSERT_GT(save_to("image", pid, "log"), 0) {
			show_file("log");
		}
		ASSERT_TRUE(all_beat());
	}
	kill_and_reap(pid);
}

/* An image without a thread that another waits for would stand still. */
TEST_F_TIMEOUT(threads, come_back, LIMIT)
{
	int round, rounds = is_debug_kernel() ? 10 : 30;

	for (round = 0; round < rounds; round++) {
		pid_t pid, tool;

		shared->stop = 0;
		pid = start_body(storm);
		ASSERT_TRUE(all_beat());
		ASSERT_GT(save_to("image", pid, "log"), 0) {
			show_file("log");
		}
		kill_and_reap(pid);
		tool = restart_tool("--pids", "image", NULL);
		ASSERT_GT(tool, 0);
		ASSERT_TRUE(all_beat()) {
			kill_and_reap(tool);
			show_file("output");
		}
		shared->stop = 1;
		ASSERT_TRUE(reap(tool, GOOD << 8, "restart(1)"));
	}
}

/* Or until one does what ends the others. */
static void wait_started(u32 wanted)
{
	while (READ_ONCE(shared->nr_started) < wanted && !READ_ONCE(shared->begun))
		sched_yield();
}

static void *call_execve(void *argument)
{
	const char *argv[] = { "tiny", "pause", NULL }, *envp[] = { NULL };

	WRITE_ONCE(shared->begun, 1);
	execve(helper_path("subjects/tiny"), (char *const *)argv, (char *const *)envp);
	_exit(5);
	return argument;
}

static void become_tiny(void)
{
	pthread_t thread;

	start_idle(NR_THREADS);
	start_thread(&thread, call_execve, 0);
	pause();
}

/* Save it when some of its threads have begun; another time, others. */
static long save_in_round(int round, void (*body)(void), pid_t *pid)
{
	shared->nr_started = 0;
	shared->begun = 0;
	*pid = start_body(body);
	wait_started(round % (NR_THREADS + 1) + 1);
	return save_to("image", *pid, "log");
}

static int nr_rounds(void)
{
	return is_debug_kernel() ? 15 : 60;
}

/* While a thread takes the place of the first one, /proc may show nobody. */
static bool pauses_at_last(pid_t pid)
{
	s64 limit = hang_limit();

	while (blocked_in(pid) != NR64_PAUSE) {
		if (has_ended(pid, 0))
			return complain("process %d has ended", pid);
		if (monotonic_ns() > limit)
			return complain("process %d does not pause", pid);
		sched_yield();
	}
	return true;
}

TEST_F_TIMEOUT(threads, call_execve, LIMIT)
{
	int round;

	for (round = 0; round < nr_rounds(); round++) {
		pid_t pid;
		long ret = save_in_round(round, become_tiny, &pid);

		EXPECT_GT(ret, 0) {
			TH_LOG("%ld", ret);
			show_file("log");
		}
		/* The others die, as the new program wants them to. */
		EXPECT_TRUE(pauses_at_last(pid));
		kill_and_reap(pid);
	}
}

static void *end_process(void *argument)
{
	WRITE_ONCE(shared->begun, 1);
	_exit(GOOD);
	return argument;
}

static void end_soon(void)
{
	pthread_t thread;

	start_idle(NR_THREADS);
	start_thread(&thread, end_process, 0);
	pause();
}

/* Is the image that of all threads? Only one may have ended by itself. */
static bool is_whole(const char *path)
{
	struct image image = { 0 };
	bool good = image_load(&image, path) &&
		    image_count(&image, "thread") == image_count(&image, "pids");

	image_free(&image);
	return good;
}

TEST_F_TIMEOUT(threads, end_the_process, LIMIT)
{
	int round;

	for (round = 0; round < nr_rounds(); round++) {
		pid_t pid;
		long ret = save_in_round(round, end_soon, &pid);

		EXPECT_TRUE(ret > 0 || ret == -ESRCH) {
			TH_LOG("%ld", ret);
			show_file("log");
		}
		if (ret > 0)
			EXPECT_TRUE(is_whole("image"));
		EXPECT_TRUE(reap(pid, GOOD << 8, "process"));
	}
}

static void *end_when_told(void *argument)
{
	while (!READ_ONCE(shared->stop))
		syscall(SYS_futex, &shared->stop, FUTEX_WAIT, 0, NULL, NULL, 0);
	_exit(GOOD);
	return argument;
}

static void end_alone(void)
{
	pthread_t thread;

	start_idle(2);
	start_thread(&thread, end_when_told, 0);
	syscall(SYS_exit, 0);
}

static bool is_zombie(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return file_holds(path, ") Z ");
}

TEST_F_TIMEOUT(threads, first_has_exited, LIMIT)
{
	pid_t pid, tool;

	shared->stop = 0;
	pid = start_body(end_alone);
	wait_started(2);
	while (!is_zombie(pid))
		sched_yield();
	EXPECT_GT(save_to("image", pid, "log"), 0) show_file("log");
	EXPECT_FALSE(has_ended(pid, 0));
	kill_and_reap(pid);

	tool = restart_tool("--pids", "image", NULL);
	ASSERT_GT(tool, 0);
	while (!is_zombie(pid) && !has_ended(tool, 0))
		sched_yield();
	/* Its threads live, and the last word is theirs. */
	EXPECT_GT(save_to("image", pid, "log"), 0) show_file("log");
	tell_word(&shared->stop, 1);
	EXPECT_TRUE(reap(tool, GOOD << 8, "restart(1)")) show_file("output");
}

static void *save_all(void *argument)
{
	int fd = open("image", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	long ret = syscall(__NR_checkpoint, 0, fd, CHECKPOINT_SUBTREE, NONE);

	if (!ret)
		shared->restarted++;
	else
		shared->saved = ret > 0 ? ret : -errno;
	close(fd);
	return argument;
}

static void save_from_thread(void)
{
	pthread_t thread;
	void *result;

	start_idle(2);
	wait_started(2);
	start_thread(&thread, save_all, 17);
	if (pthread_join(thread, &result) || result != (void *)17)
		_exit(6);
	if (READ_ONCE(shared->nr_started) != 2)
		_exit(7);
}

TEST_F_TIMEOUT(threads, save_themselves, LIMIT)
{
	int status;

	EXPECT_TRUE(reap(start_body(save_from_thread), GOOD << 8, "process"));
	EXPECT_GT(shared->saved, 0);
	EXPECT_EQ(0, shared->restarted);
	restart_tool("--pidns", "image", &status);
	EXPECT_EQ(GOOD << 8, status) {
		show_file("output");
	}
	EXPECT_EQ(1, shared->restarted);
}

static void *save_often(void *argument)
{
	int round, fd = open("/dev/null", O_WRONLY);

	for (round = 0; round < 20; round++) {
		if (syscall(__NR_checkpoint, 0, fd, CHECKPOINT_SUBTREE, NONE) <= 0)
			_exit(8);
	}
	close(fd);
	return argument;
}

static void save_at_once(void)
{
	pthread_t threads[2];
	int index;

	for (index = 0; index < 2; index++)
		start_thread(&threads[index], save_often, 0);
	for (index = 0; index < 2; index++)
		pthread_join(threads[index], NULL);
}

TEST_F_TIMEOUT(threads, save_themselves_at_once, LIMIT)
{
	EXPECT_TRUE(reap(start_body(save_at_once), GOOD << 8, "process"));
}

static void be_three(void)
{
	start_idle(2);
	pause();
}

static pid_t save_three(struct image *image)
{
	pid_t pid = start_body(be_three);

	wait_started(2);
	if (save_to("image", pid, "log") <= 0 || !image_load(image, "image")) {
		show_file("log");
		pid = 0;
	}
	kill_and_reap(pid);
	return pid;
}

/* What a process gets that has one thread. */
static long restart_edited(struct image *image)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	long ret = -EIO;

	image_seal(image);
	if (image_store_fd(image, fd))
		ret = restart_from_fd(fd, 0, NONE);
	close(fd);
	return ret;
}

TEST_F_TIMEOUT(threads, that_are_none, LIMIT)
{
	struct image image = { 0 }, edited;
	u64 leader;

	ASSERT_GT(save_three(&image), 0);
	ASSERT_EQ(3, image_count(&image, "pids"));
	ASSERT_TRUE(image_get(&image, "pids.pid", &leader));
	/* Of another process. */
	ASSERT_TRUE(image_copy(&edited, &image));
	ASSERT_TRUE(image_set(&edited, "pids[1].tgid", leader + 1000));
	EXPECT_EQ(-EINVAL, restart_edited(&edited));
	image_free(&edited);
	/* Another process. */
	ASSERT_TRUE(image_copy(&edited, &image));
	ASSERT_TRUE(image_set(&edited, "pids[1].pid", leader + 1000));
	ASSERT_TRUE(image_set(&edited, "pids[1].tgid", leader + 1000));
	EXPECT_EQ(-EINVAL, restart_edited(&edited));
	image_free(&edited);
	/* The first one twice. */
	ASSERT_TRUE(image_copy(&edited, &image));
	ASSERT_TRUE(image_set(&edited, "pids[2].pid", leader));
	EXPECT_EQ(-EINVAL, restart_edited(&edited));
	image_free(&edited);
	/* The first one is none. */
	ASSERT_TRUE(image_copy(&edited, &image));
	ASSERT_TRUE(image_set(&edited, "pids.tgid", leader + 1000));
	EXPECT_LT(restart_edited(&edited), 0);
	image_free(&edited);
	/* More of them than it says, and fewer. */
	ASSERT_TRUE(image_copy(&edited, &image));
	ASSERT_TRUE(image_set(&edited, "tree.nr_tasks", 2));
	EXPECT_EQ(-EINVAL, restart_edited(&edited));
	image_free(&edited);
	ASSERT_TRUE(image_copy(&edited, &image));
	ASSERT_TRUE(image_set(&edited, "tree.nr_tasks", 4));
	EXPECT_EQ(-EINVAL, restart_edited(&edited));
	image_free(&edited);
	/* One thread cannot become three. */
	EXPECT_EQ(-EINVAL, restart_edited(&image));
	image_free(&image);
}

static void be_one(void)
{
	pause();
}

/* vfork() waits for another task of the image, which lives. */
TEST_F_TIMEOUT(threads, waits_for_nobody, LIMIT)
{
	struct image image = { 0 };
	pid_t pid = start_body(be_one);
	u64 id;
	int round;

	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	ASSERT_GT(save_to("image", pid, "log"), 0) {
		show_file("log");
	}
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&image, "image"));
	ASSERT_TRUE(image_get(&image, "pids.pid", &id));
	for (round = 0; round < 2; round++, id++) {
		int log = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		int fd = memfd_create("image", MFD_CLOEXEC);

		ASSERT_TRUE(image_set(&image, "task.vfork_child", id));
		image_seal(&image);
		ASSERT_TRUE(image_store_fd(&image, fd));
		EXPECT_EQ(-EINVAL, restart_from_fd(fd, 0, log));
		EXPECT_TRUE(file_holds("log", "it waits in vfork() for "));
		close(fd);
		close(log);
	}
	image_free(&image);
}

static bool has_threads(pid_t pid, unsigned int wanted)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	/* One link for each, and two as every directory has. */
	return !stat(path, &st) && st.st_nlink == wanted + 2;
}

/* Whoever restarts them dies while they wait: so do they. */
TEST_F_TIMEOUT(threads, whose_restart_is_killed, LIMIT)
{
	struct image image = { 0 };
	pid_t leader, tool;
	s64 limit;
	int writer;

	leader = save_three(&image);
	ASSERT_GT(leader, 0);
	tool = image_restart_part(&image, image.len / 2, "--pids", "log", &writer);
	ASSERT_GT(tool, 0);
	limit = hang_limit();
	while (!has_threads(leader, 3) && monotonic_ns() < limit)
		sched_yield();
	EXPECT_TRUE(has_threads(leader, 3));
	kill_and_reap(tool);
	limit = hang_limit();
	while (!kill(leader, 0) && monotonic_ns() < limit)
		sched_yield();
	EXPECT_TRUE(kill(leader, 0) && errno == ESRCH);
	close(writer);
	image_free(&image);
}

/* Another set of signal handlers for the last thread alone. */
static bool add_handlers(struct image *image)
{
	struct {
		struct ckpt_hdr_objref object;
		struct ckpt_hdr_sighand handlers;
	} new = {
		.object = {
			.h = { CKPT_HDR_OBJREF, sizeof(new.object) },
			.objtype = CKPT_OBJ_SIGHAND,
			.objref = image_count(image, "objref") + 1,
		},
		.handlers.h = { CKPT_HDR_SIGHAND, sizeof(new.handlers) },
	};
	long at = image_find(image, "task_objs", 2);
	unsigned char *data;

	if (at < 0)
		return false;
	data = malloc(image->len + sizeof(new));
	memcpy(data, image->data, at);
	memcpy(data + at, &new, sizeof(new));
	memcpy(data + at + sizeof(new), image->data + at, image->len - at);
	free(image->data);
	image->data = data;
	image->len += sizeof(new);
	image->room = image->len;
	return image_set(image, "task_objs[2].sighand", new.object.objref);
}

TEST_F_TIMEOUT(threads, with_other_handlers, LIMIT)
{
	struct image image = { 0 };
	int status;

	ASSERT_GT(save_three(&image), 0);
	ASSERT_TRUE(add_handlers(&image));
	image_seal(&image);
	ASSERT_TRUE(image_store(&image, "edited"));
	image_free(&image);
	restart_tool("--no-pidns", "edited", &status);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status)) {
		TH_LOG("status %#x", status);
	}
	EXPECT_TRUE(file_holds("log", "has another address space, other signal handlers")) {
		show_file("log");
	}
}

static void *wait_as(void *index)
{
	sys_restart(0, (long)index, 0, NONE);
	return NULL;
}

/* What the coordinator gets if threads wait for these places, besides 0. */
static long restart_threads(long second, long third)
{
	int fd = open("image", O_RDONLY | O_CLOEXEC);
	pid_t child = fork();
	long ret;

	if (!child) {
		pthread_t thread;

		start_thread(&thread, wait_as, second);
		start_thread(&thread, wait_as, third);
		sys_restart(0, 0, 0, NONE);
		_exit(errno);
	}
	ret = sys_restart(child, fd, 0, NONE) ? -errno : 0;
	kill_and_reap(child);
	close(fd);
	return ret;
}

TEST_F_TIMEOUT(threads, that_wait_for_a_place, LIMIT)
{
	struct image image = { 0 };

	ASSERT_GT(save_three(&image), 0);
	image_free(&image);
	/* Nobody waits to become the third, and nobody will. */
	EXPECT_EQ(-EINVAL, restart_threads(1, 1));
	EXPECT_EQ(-EINVAL, restart_threads(1, 3));
	/* Those of the C library share their descriptors. */
	EXPECT_EQ(-EBUSY, restart_threads(1, 2));
	EXPECT_EQ(-EBUSY, restart_threads(2, 1));
}

TEST_F_TIMEOUT(threads, of_one_that_restarts_itself, LIMIT)
{
	struct image image = { 0 };
	int fd;

	ASSERT_GT(save_three(&image), 0);
	image_free(&image);
	fd = open("image", O_RDONLY | O_CLOEXEC);
	EXPECT_TRUE(sys_restart(0, fd, RESTART_TASKSELF, NONE) == -1 && errno == EINVAL);
	close(fd);
}

/* The id of a thread, not of the process, belongs to somebody else now. */
TEST_F_TIMEOUT(threads, whose_id_is_taken, LIMIT)
{
	char path[PATH_MAX], output[PATH_MAX];
	struct image image = { 0 };
	u64 id;

	ASSERT_GT(save_three(&image), 0);
	ASSERT_TRUE(image_get(&image, "pids[2].pid", &id));
	image_free(&image);
	ASSERT_TRUE(make_path(path, sizeof(path), self->dir, "image") &&
		    make_path(output, sizeof(output), self->dir, "output"));
	EXPECT_TRUE(refuses_taken_id(path, id, output));
}

TEST_HARNESS_MAIN
