// SPDX-License-Identifier: GPL-2.0
/*
 * A timer that is cancelled when the clock is set, and the clock is set while
 * the process is away: that is told as soon as it is back, once, and it is not
 * told if nobody has set the clock. Everybody's clock is set here.
 */
#include "harness.h"
#include "image_edit.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define DAY		86400

/* What the process does; its timer is descriptor 0. */
static struct {
	clockid_t clock;
	int flags;
	/* Before it reads, it waits for a signal and for the timer to be ready. */
	bool polls;
	/* The clock is set before it waits. */
	bool cancelled;
} process;

static bool set_clock(int seconds)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return false;
	now.tv_sec += seconds;
	return !clock_settime(CLOCK_REALTIME, &now);
}

static void go_on(int signal)
{
	(void)signal;
}

/* Told once: 0; never: it does not end. */
static void be_process(void)
{
	struct itimerspec set = { { 0 } };
	struct pollfd timer = { .events = POLLIN };
	u64 ticks;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	signal(SIGUSR1, go_on);
	syscall(SYS_close_range, 0, ~0U, 0);
	/* An alarm is a time of the same clock. */
	if (timerfd_create(process.clock, 0) ||
	    clock_gettime(CLOCK_REALTIME, &set.it_value))
		_exit(1);
	set.it_value.tv_sec += DAY;
	if (timerfd_settime(0, process.flags, &set, NULL))
		_exit(2);
	if (process.cancelled && !set_clock(0))
		_exit(3);
	if (process.polls && (pause() != -1 || poll(&timer, 1, -1) != 1))
		_exit(4);
	if (read(0, &ticks, sizeof(ticks)) != -1 || errno != ECANCELED)
		_exit(5);
	if (fcntl(0, F_SETFL, O_NONBLOCK) || read(0, &ticks, sizeof(ticks)) != -1 ||
	    errno != EAGAIN)
		_exit(6);
	/* It has not forgotten when it expires. */
	if (timerfd_gettime(0, &set) || set.it_value.tv_sec < DAY - 2000 ||
	    set.it_value.tv_sec > DAY + 2000)
		_exit(7);
	_exit(0);
}

FIXTURE(timers)
{
	char dir[PATH_MAX / 2];
	int moved;
};

FIXTURE_VARIANT(timers)
{
	clockid_t clock;
};

FIXTURE_VARIANT_ADD(timers, clock)
{
	.clock = CLOCK_REALTIME,
};

FIXTURE_VARIANT_ADD(timers, alarm)
{
	.clock = CLOCK_REALTIME_ALARM,
};

FIXTURE_SETUP(timers)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "timers", 0755));
	memset(&process, 0, sizeof(process));
	process.clock = variant->clock;
	process.flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
}

FIXTURE_TEARDOWN(timers)
{
	EXPECT_FALSE(leaves_children());
	if (self->moved)
		EXPECT_TRUE(set_clock(-self->moved));
	leave_directory(self->dir);
}

static bool waits(pid_t pid)
{
	return wait_blocked(pid, process.polls ? NR64_PAUSE : NR64_READ);
}

/* The process waits; it is saved, and gone. */
static bool save_process(void)
{
	pid_t pid = fork();
	bool good;

	if (!pid)
		be_process();
	good = waits(pid) && save_to("image", pid, "log") > 0;
	if (!good)
		show_file("log");
	kill_and_reap(pid);
	return good;
}

static pid_t restarted(const char *image)
{
	pid_t pid = restart_from(image, 0, "log");

	if (pid < 0)
		show_file("log");
	return pid;
}

/* It must be told now. */
static bool is_told(pid_t pid)
{
	if (pid < 0)
		return false;
	if (process.polls && (!waits(pid) || kill(pid, SIGUSR1)))
		return false;
	return reap(pid, 0, "process with a timer");
}

TEST_F_TIMEOUT(timers, not_set, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(save_process());
	pid = restarted("image");
	EXPECT_TRUE(waits(pid));
	/* But it goes on to look. */
	self->moved = 100;
	ASSERT_TRUE(set_clock(100));
	EXPECT_TRUE(is_told(pid));
}

TEST_F_TIMEOUT(timers, set_forwards, LIMIT)
{
	ASSERT_TRUE(save_process());
	self->moved = 1000;
	ASSERT_TRUE(set_clock(1000));
	EXPECT_TRUE(is_told(restarted("image")));
}

TEST_F_TIMEOUT(timers, set_backwards, LIMIT)
{
	process.polls = true;
	ASSERT_TRUE(save_process());
	self->moved = -1000;
	ASSERT_TRUE(set_clock(-1000));
	EXPECT_TRUE(is_told(restarted("image")));
}

/* Once, although there are two reasons. */
TEST_F_TIMEOUT(timers, set_before_and_meanwhile, LIMIT)
{
	process.polls = true;
	process.cancelled = true;
	ASSERT_TRUE(save_process());
	self->moved = 10;
	ASSERT_TRUE(set_clock(10));
	EXPECT_TRUE(is_told(restarted("image")));
}

/* Whoever goes on in place has seen the clock all the time. */
TEST_F_TIMEOUT(timers, in_place, LIMIT)
{
	pid_t pid = fork();

	if (!pid)
		be_process();
	ASSERT_TRUE(waits(pid));
	EXPECT_GT(save_to("image", pid, "log"), 0);
	EXPECT_TRUE(waits(pid));
	self->moved = 10;
	ASSERT_TRUE(set_clock(10));
	EXPECT_TRUE(is_told(pid));
	/* The image is of before that. */
	EXPECT_TRUE(is_told(restarted("image")));
}

/* Who did not ask is not told. */
TEST_F_TIMEOUT(timers, without_flag, LIMIT)
{
	pid_t pid;

	process.flags = TFD_TIMER_ABSTIME;
	ASSERT_TRUE(save_process());
	self->moved = 1000;
	ASSERT_TRUE(set_clock(1000));
	pid = restarted("image");
	EXPECT_TRUE(waits(pid));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(reap(pid, SIGKILL, "process with a timer"));
}

static bool change_offset(s64 by)
{
	struct image image;
	bool good;
	u64 value;

	if (!image_load(&image, "image"))
		return false;
	good = image_get(&image, "timerfd.real_offset_ns", &value) &&
	       image_set(&image, "timerfd.real_offset_ns", value + by);
	image_seal(&image);
	good = good && image_store(&image, "changed");
	image_free(&image);
	return good;
}

/* Nobody has set the clock, but in that boot the other one began elsewhere. */
TEST_F_TIMEOUT(timers, other_boot, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(save_process());
	ASSERT_TRUE(change_offset(-1));
	EXPECT_TRUE(is_told(restarted("changed")));
	ASSERT_TRUE(change_offset(0));
	pid = restarted("changed");
	EXPECT_TRUE(waits(pid));
	kill_and_reap(pid);
}

/* No kernel writes these. */
TEST_F_TIMEOUT(timers, damaged, LIMIT)
{
	process.flags = TFD_TIMER_ABSTIME;
	ASSERT_TRUE(save_process());
	ASSERT_TRUE(change_offset(1));
	EXPECT_EQ(-EINVAL, try_restart("changed", "log"));
	EXPECT_TRUE(file_holds("log", "a timer that cannot be cancelled compares clocks"));
	unlink("log");
	process.flags |= TFD_TIMER_CANCEL_ON_SET;
	process.cancelled = true;
	process.polls = true;
	ASSERT_TRUE(save_process());
	ASSERT_TRUE(change_offset(1));
	EXPECT_EQ(-EINVAL, try_restart("changed", "log"));
	EXPECT_TRUE(file_holds("log", "a timer that cannot be cancelled compares clocks"));
}

TEST_HARNESS_MAIN
