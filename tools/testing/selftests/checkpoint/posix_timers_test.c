// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX timers in a restart: they expire when the process is there and not
 * before, the timers of who restarts end, those of an image that is refused
 * leave nothing behind, and what no kernel writes is refused.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/checkpoint_image.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "kselftest_harness.h"

#define NONE		CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define NR64_SIGWAIT	128
#define FIRST		40
#define USER		4321

/* The timers of the process, by their index in the image: the newest is first. */
enum {
	PERIODIC, TO_THREAD, EXPIRED, ARMED, NR_TIMERS
};

/* Its exit status: which signals were pending, and how many timers it had. */
#define HAS_ALARM	1
#define HAS_FIRST	2
#define HAS_SECOND	4
#define TIMERS(number)	((number) << 4)

static int create(clockid_t clock, int notify, int signo, s64 value, s64 interval)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = signo };
	struct itimerspec set = {
		{ interval / NSEC_PER_SEC, interval % NSEC_PER_SEC },
		{ value / NSEC_PER_SEC, value % NSEC_PER_SEC },
	};
	int id = -1;

	event._sigev_un._tid = getpid();
	if (syscall(SYS_timer_create, clock, &event, &id) ||
	    syscall(SYS_timer_settime, id, 0, &set, NULL))
		_exit(10);
	return id;
}

static int count_timers(void)
{
	FILE *file = fopen("/proc/self/timers", "r");
	char line[128];
	int count = 0;

	if (!file)
		_exit(11);
	while (fgets(line, sizeof(line), file))
		count += !strncmp(line, "ID:", 3);
	fclose(file);
	return count;
}

static bool is_pending(int signo)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, signo);
}

static void be_process(void)
{
	sigset_t set;
	int signo;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGALRM, 1000 * NSEC_PER_SEC, 0);
	create(CLOCK_MONOTONIC, SIGEV_SIGNAL, FIRST, 1, 0);
	create(CLOCK_MONOTONIC, SIGEV_SIGNAL | SIGEV_THREAD_ID, FIRST + 1, 1, 0);
	create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 1000 * NSEC_PER_SEC,
	       NSEC_PER_SEC);
	while (!is_pending(FIRST) || !is_pending(FIRST + 1))
		continue;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	if (sigwait(&set, &signo))
		_exit(12);
	_exit((is_pending(SIGALRM) ? HAS_ALARM : 0) | (is_pending(FIRST) ? HAS_FIRST : 0) |
	      (is_pending(FIRST + 1) ? HAS_SECOND : 0) | TIMERS(count_timers()));
}

FIXTURE(timers)
{
	char dir[PATH_MAX / 2];
	struct image image;
};

FIXTURE_SETUP(timers)
{
	pid_t pid;
	long id;

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "timers", 0777));
	pid = fork();
	if (!pid)
		be_process();
	ASSERT_TRUE(wait_blocked(pid, NR64_SIGWAIT));
	id = save_to("image", pid, "log");
	if (id <= 0)
		show_file("log");
	kill_and_reap(pid);
	ASSERT_GT(id, 0);
	ASSERT_TRUE(image_load(&self->image, "image"));
	ASSERT_EQ(NR_TIMERS, image_count(&self->image, "posix_timer"));
}

FIXTURE_TEARDOWN(timers)
{
	image_free(&self->image);
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static bool set_field(struct image *image, unsigned int index, const char *field, u64 value)
{
	char what[64];

	snprintf(what, sizeof(what), "posix_timer[%u].%s", index, field);
	return image_set(image, what, value);
}

static bool seal_and_store(struct image *image)
{
	image_seal(image);
	return image_store(image, "changed");
}

/* What the process says when it is back. */
static bool tells(const char *image, int status)
{
	pid_t pid = restart_from(image, 0, "log");

	if (pid < 0) {
		show_file("log");
		return complain("not restarted: %s", strerror(-pid));
	}
	if (!wait_blocked(pid, NR64_SIGWAIT)) {
		kill_and_reap(pid);
		return complain("it does not wait");
	}
	return !kill(pid, SIGUSR2) && reap(pid, status << 8, "process with timers");
}

#define ALL	(HAS_FIRST | HAS_SECOND | TIMERS(NR_TIMERS))

TEST_F_TIMEOUT(timers, unchanged, LIMIT)
{
	EXPECT_TRUE(tells("image", ALL));
}

/* By default these signals end the process, but it has blocked them. */
TEST_F_TIMEOUT(timers, expires_at_once, LIMIT)
{
	ASSERT_TRUE(set_field(&self->image, ARMED, "value_ns", 1));
	ASSERT_TRUE(seal_and_store(&self->image));
	EXPECT_TRUE(tells("changed", ALL | HAS_ALARM));
}

TEST_F_TIMEOUT(timers, interval_timer_expires_at_once, LIMIT)
{
	ASSERT_TRUE(image_set(&self->image, "signal.itimer_value_ns[0]", 1));
	ASSERT_TRUE(seal_and_store(&self->image));
	EXPECT_TRUE(tells("changed", ALL | HAS_ALARM));
}

/* It has expired when its record was written already: the signal came later. */
TEST_F_TIMEOUT(timers, expires_while_saved, LIMIT)
{
	ASSERT_TRUE(set_field(&self->image, EXPIRED, "flags", 0));
	ASSERT_TRUE(set_field(&self->image, EXPIRED, "value_ns", 1000 * NSEC_PER_SEC));
	ASSERT_TRUE(seal_and_store(&self->image));
	EXPECT_TRUE(tells("changed", ALL & ~HAS_FIRST));
	ASSERT_TRUE(set_field(&self->image, EXPIRED, "value_ns", 1));
	ASSERT_TRUE(seal_and_store(&self->image));
	EXPECT_TRUE(tells("changed", ALL));
}

/* Like execve(): what the process had set up before does not reach the new one. */
TEST_F_TIMEOUT(timers, own_timers_end, LIMIT)
{
	int fd, index;
	sigset_t set;
	pid_t pid;

	fd = open("image", O_RDONLY | O_CLOEXEC);
	pid = fork();
	if (!pid) {
		sigfillset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		for (index = 0; index < NR_TIMERS + 2; index++)
			create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGALRM, 1, NSEC_PER_SEC / 100);
		while (!is_pending(SIGALRM))
			continue;
		sys_restart(0, fd, RESTART_TASKSELF, NONE);
		_exit(errno);
	}
	close(fd);
	EXPECT_TRUE(wait_blocked(pid, NR64_SIGWAIT));
	EXPECT_EQ(0, kill(pid, SIGUSR2));
	EXPECT_TRUE(reap(pid, ALL << 8, "process with timers"));
}

/* Signals that the user has queued, or could. */
static long nr_queued(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	long queued = -1;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "SigQ: %ld", &queued);
	if (file)
		fclose(file);
	return queued;
}

/* Everything is built, and then the image turns out to be damaged. */
TEST_F_TIMEOUT(timers, abort_leaves_nothing, LIMIT)
{
	struct image theirs = { 0 };
	int fd, round;
	pid_t pid;
	u64 sum;

	/* Of a user who may restart it, and has queued nothing else. */
	pid = fork();
	if (!pid && !setgid(USER) && !setuid(USER))
		be_process();
	ASSERT_TRUE(wait_blocked(pid, NR64_SIGWAIT));
	EXPECT_GT(save_to("theirs", pid, "log"), 0) show_file("log");
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&theirs, "theirs"));
	ASSERT_TRUE(image_get(&theirs, "tail.checksum", &sum));
	ASSERT_TRUE(image_set(&theirs, "tail.checksum", sum ^ 1));
	ASSERT_TRUE(image_store(&theirs, "changed"));
	image_free(&theirs);
	fd = open("changed", O_RDONLY | O_CLOEXEC);
	pid = fork();
	if (!pid) {
		long before;
		int id;

		if (setgid(USER) || setuid(USER))
			_exit(1);
		id = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGALRM, 1000 * NSEC_PER_SEC, 0);
		before = nr_queued();
		for (round = 0; round < 20; round++) {
			lseek(fd, 0, SEEK_SET);
			if (sys_restart(0, fd, RESTART_TASKSELF, NONE) != -1 ||
			    errno != EINVAL)
				_exit(2);
		}
		if (before != 1 || nr_queued() != before)
			_exit(3);
		/* It has lost nothing of its own. */
		if (count_timers() != 1 || syscall(SYS_timer_delete, id))
			_exit(4);
		_exit(nr_queued() ? 5 : 0);
	}
	close(fd);
	EXPECT_TRUE(reap(pid, 0, "process that could not become another"));
}

TEST_F_TIMEOUT(timers, limit, LIMIT)
{
	struct rlimit old, few;

	ASSERT_EQ(0, getrlimit(RLIMIT_SIGPENDING, &old));
	few = old;
	few.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_SIGPENDING, &few));
	EXPECT_EQ(-EAGAIN, try_restart("image", "log"));
	EXPECT_EQ(0, setrlimit(RLIMIT_SIGPENDING, &old));
	EXPECT_TRUE(file_holds("log", "RLIMIT_SIGPENDING does not allow POSIX timer"));
}

static const struct damage {
	unsigned int timer;
	const char *field;
	u64 value;
	const char *message;
} damages[] = {
	{ ARMED, "clockid", CLOCK_MONOTONIC_RAW, "clock 4 has no timers" },
	{ ARMED, "clockid", 10, "clock 10 has no timers" },
	{ ARMED, "notify", 3, "an unknown notification" },
	{ ARMED, "signo", 0, "no signal" },
	{ ARMED, "notify", SIGEV_NONE, "a signal that it does not send" },
	{ ARMED, "thread", 1, "a thread that gets no signal" },
	{ ARMED, "cpu_pid", 1, "the processor time of somebody" },
	{ ARMED, "cpu_time", 1, "the processor time of somebody" },
	{ ARMED, "flags", CKPT_POSIX_TIMER_EXPIRED, "no period" },
	{ ARMED, "flags", CKPT_POSIX_TIMER_ABSOLUTE, "a time of day" },
	{ PERIODIC, "value_ns", 0, "a period and no time left" },
	{ PERIODIC, "cpu_pid", 4194303, "which is not there" },
	{ TO_THREAD, "thread", 4194303, "which is not there" },
	{ TO_THREAD, "thread", 0, "pending for somebody else" },
	{ TO_THREAD, "notify", SIGEV_SIGNAL, "a thread that gets no signal" },
	{ TO_THREAD, "signo", FIRST, "which does not send it" },
	{ EXPIRED, "notify", SIGEV_SIGNAL | SIGEV_THREAD_ID, "pending for somebody else" },
	{ EXPIRED, "id", 1000, "which does not send it" },
};

TEST_F_TIMEOUT(timers, damaged, LIMIT)
{
	size_t index;

	for (index = 0; index < sizeof(damages) / sizeof(*damages); index++) {
		const struct damage *it = &damages[index];
		struct image image;

		ASSERT_TRUE(image_copy(&image, &self->image));
		ASSERT_TRUE(set_field(&image, it->timer, it->field, it->value));
		ASSERT_TRUE(seal_and_store(&image));
		image_free(&image);
		unlink("log");
		EXPECT_EQ(-EINVAL, try_restart("changed", "log"));
		EXPECT_TRUE(file_holds("log", it->message))
			TH_LOG("%zu: %s is not told", index, it->message);
	}
}

/* The same id, and an entry in a queue, twice. */
TEST_F_TIMEOUT(timers, twice, LIMIT)
{
	struct ckpt_hdr_siginfo *info;
	struct image image;
	long at, other;
	u64 id;

	ASSERT_TRUE(image_copy(&image, &self->image));
	ASSERT_TRUE(image_get(&image, "posix_timer[0].id", &id));
	ASSERT_TRUE(set_field(&image, ARMED, "id", id));
	ASSERT_TRUE(seal_and_store(&image));
	image_free(&image);
	EXPECT_EQ(-EINVAL, try_restart("changed", "log"));
	EXPECT_TRUE(file_holds("log", "two POSIX timers have id"));

	/* The entry in the other queue now names the timer of the first. */
	unlink("log");
	at = image_find(&self->image, "siginfo", 0);
	other = image_find(&self->image, "siginfo", 1);
	ASSERT_GT(at, 0);
	ASSERT_GT(other, 0);
	info = image_at(&self->image, at, sizeof(*info));
	EXPECT_EQ(CKPT_SIGINFO_TIMER, info->has_info);
	memcpy(image_at(&self->image, other, sizeof(*info)), info, sizeof(*info));
	ASSERT_TRUE(seal_and_store(&self->image));
	EXPECT_EQ(-EINVAL, try_restart("changed", "log"));
	EXPECT_TRUE(file_holds("log", "pending for somebody else"));
}

TEST_HARNESS_MAIN
