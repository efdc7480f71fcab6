// SPDX-License-Identifier: GPL-2.0
/*
 * The image cannot be written, or read, further than that: at the begin of
 * each record and in the middle of each. The disk is full, the file is as large
 * as it may be, the image ends; and whoever saves or restarts is killed there.
 * Where it waits for a pipe, the reader goes away or it is killed, at each
 * place where it can wait. The process that is saved goes on and is right at
 * the end, the one that was to be another is what it was, and nobody is left.
 */
#include "sweep.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>

#include "kselftest_harness.h"

#include "own_state.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		600

FIXTURE(target)
{
	struct target target;
};

FIXTURE_SETUP(target)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(target_start(&self->target, "target"));
}

FIXTURE_TEARDOWN(target)
{
	EXPECT_TRUE(target_end(&self->target));
}

/* A disk of so many pages, and a file that leaves none of them. */
static int fill_disk(long pages)
{
	static const char page[PAGE] = "full";
	char option[32];
	int filler;

	snprintf(option, sizeof(option), "size=%ldk", pages * PAGE / 1024);
	mkdir("small", 0755);
	if (mount("small", "small", "tmpfs", 0, option))
		return -1;
	filler = open("small/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(filler, page, PAGE) == PAGE)
		;
	return lseek(filler, 0, SEEK_CUR) == pages * PAGE ? filler : -1;
}

/*
 * The file is empty up to where the image begins, so that the last byte that
 * finds room is the last one of a page.
 */
static bool fail_full(struct target *target, const struct place *place, int filler, int fd,
		      long pages)
{
	long begin = -place->at & (PAGE - 1), ret;

	/* What is before the image takes no page, but for the first one. */
	if (ftruncate(fd, 0) || lseek(fd, begin, SEEK_SET) != begin ||
	    ftruncate(filler, pages * PAGE - begin - place->at))
		return complain("%s", strerror(errno));
	ret = target_save(target, fd);
	if (ret != -ENOSPC)
		return complain("%s", ret < 0 ? strerror(-ret) : "it fits");
	if (lseek(fd, 0, SEEK_CUR) != begin + place->at)
		return complain("%ld bytes were written", lseek(fd, 0, SEEK_CUR) - begin);
	return target_goes_on(target);
}

TEST_F_TIMEOUT(target, disk_full, LIMIT)
{
	struct target *target = &self->target;
	long pages = target->size / PAGE + 16;
	unsigned int index;
	int filler, fd;

	filler = fill_disk(pages);
	ASSERT_GE(filler, 0);
	fd = open("small/image", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_GE(fd, 0);
	for (index = 0; index < target->nr_places; index++) {
		ASSERT_TRUE(fail_full(target, &target->places[index], filler, fd, pages)) {
			complain_at(&target->places[index], "disk full");
		}
	}
	/* And with room for all of it. */
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(0, ftruncate(filler, pages * PAGE - (target->size + PAGE - 1) / PAGE * PAGE));
	EXPECT_GT(target_save_again(target, fd), 0);
	close(filler);
	close(fd);
	EXPECT_EQ(0, umount("small"));
	rmdir("small");
}

static bool limit_file(long bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	return !setrlimit(RLIMIT_FSIZE, &limit);
}

static bool fail_large(struct target *target, const struct place *place)
{
	long ret;

	if (!limit_file(place->at))
		return complain("setrlimit: %s", strerror(errno));
	ret = target_save_again(target, target->fd);
	limit_file(RLIM_INFINITY);
	if (ret != -EFBIG)
		return complain("%s", ret < 0 ? strerror(-ret) : "it fits");
	if (lseek(target->fd, 0, SEEK_END) != place->at)
		return complain("%ld bytes were written", lseek(target->fd, 0, SEEK_END));
	return target_goes_on(target);
}

TEST_F_TIMEOUT(target, file_too_large, LIMIT)
{
	struct target *target = &self->target;
	unsigned int index;

	for (index = 0; index < target->nr_places; index++) {
		ASSERT_TRUE(fail_large(target, &target->places[index])) {
			complain_at(&target->places[index], "file too large");
		}
	}
	ASSERT_TRUE(limit_file(target->size - 1));
	EXPECT_EQ(-EFBIG, target_save_again(target, target->fd));
	ASSERT_TRUE(limit_file(target->size));
	EXPECT_GT(target_save_again(target, target->fd), 0);
	ASSERT_TRUE(limit_file(RLIM_INFINITY));
}

/* The signal that says that the file is too large kills who does not expect it. */
static bool kill_writer(struct target *target, const struct place *place)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGXFSZ, SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0);
		limit_file(place->at);
		target_save_again(target, target->fd);
		_exit(0);
	}
	if (!reap(pid, SIGXFSZ, "caller"))
		return false;
	if (lseek(target->fd, 0, SEEK_END) != place->at)
		return complain("%ld bytes were written", lseek(target->fd, 0, SEEK_END));
	return target_goes_on(target);
}

/* A fatal signal when so many records are written, and not a byte more. */
TEST_F_TIMEOUT(target, caller_killed_at_record, LIMIT)
{
	struct target *target = &self->target;
	unsigned int index;

	report_crashes(false);
	for (index = 0; index < target->nr_places; index++) {
		ASSERT_TRUE(kill_writer(target, &target->places[index])) {
			complain_at(&target->places[index], "caller killed");
		}
	}
	report_crashes(true);
	EXPECT_GT(target_save_again(target, target->fd), 0);
}

/*
 * A pipe for a page in which each write is a packet, that is not written
 * before the last one was read: all of what was written is known.
 */
static bool make_packet_pipe(int fds[2])
{
	return !pipe2(fds, O_CLOEXEC | O_DIRECT) && fcntl(fds[1], F_SETPIPE_SZ, PAGE) == PAGE;
}

static pid_t start_writer(struct target *target, int fds[2], bool expects_signal)
{
	pid_t pid;

	if (!make_packet_pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		close(fds[0]);
		if (!expects_signal)
			signal(SIGPIPE, SIG_DFL);
		_exit(target_save(target, fds[1]) == -EPIPE ? 1 : 0);
	}
	close(fds[1]);
	return pid;
}

/* Take so many packets. The bytes of them all, or -1. */
static long take_packets(int fd, unsigned int packets)
{
	char packet[PAGE];
	long bytes = 0;

	while (packets--) {
		ssize_t got = read(fd, packet, sizeof(packet));

		if (got <= 0)
			return -1;
		bytes += got;
	}
	return bytes;
}

/* What the writer is about to do when it has written so many packets. */
enum ending {
	READER_GONE,		/* it is told */
	READER_GONE_SIGNAL,	/* and does not expect that */
	KILLED,
	NR_ENDINGS,
};

/* Bytes that were written, or -1; the size of the image if it ended by itself. */
static long end_writer(struct target *target, unsigned int packets, enum ending ending)
{
	static const int statuses[NR_ENDINGS] = { 1 << 8, SIGPIPE, SIGKILL };
	long bytes;
	int fds[2], unread = 0;
	pid_t pid = start_writer(target, fds, ending == READER_GONE);

	if (pid < 0)
		return -1;
	bytes = take_packets(fds[0], packets);
	if (bytes < 0)
		return complain("packet %u: the image ends too early", packets) - 1;
	/* The next one is in the pipe, and the one after it, if any, waits. */
	while (!unread || blocked_in(pid) != __NR_checkpoint)
		if (ioctl(fds[0], FIONREAD, &unread) || has_ended(pid, 0))
			break;
	/* It may have written since, and ended. */
	if (ioctl(fds[0], FIONREAD, &unread))
		return -1;
	bytes += unread;
	if (bytes == target->size) {
		close(fds[0]);
		return reap(pid, 0, "caller") ? bytes : -1;
	}
	if (ending == KILLED)
		kill(pid, SIGKILL);
	else
		close(fds[0]);
	if (!reap(pid, statuses[ending], "caller"))
		return complain("packet %u, %ld bytes", packets, bytes) - 1;
	if (ending == KILLED)
		close(fds[0]);
	return target_goes_on(target) ? bytes : -1;
}

TEST_F_TIMEOUT(target, waiting_writer, LIMIT)
{
	struct target *target = &self->target;
	long bytes = 0, last = -1;
	unsigned int packets;
	int ending;

	for (packets = 0; bytes < target->size; packets++) {
		for (ending = 0; ending < NR_ENDINGS; ending++) {
			bytes = end_writer(target, packets, ending);
			ASSERT_GT(bytes, last);
		}
		last = bytes;
	}
	/* The last packet is the tail alone: before it the image can fail as well. */
	TH_LOG("the image is written in %u pieces", packets);
	EXPECT_GT(packets, target->size / PAGE + 1);
	EXPECT_GT(target_save_again(target, target->fd), 0);
}

/* A pipe with the first bytes of the image in it. */
static bool feed(int image, long bytes, int fds[2])
{
	loff_t at = 0;

	if (pipe2(fds, O_CLOEXEC) || fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) < bytes)
		return complain("pipe: %s", strerror(errno));
	while (at < bytes)
		if (splice(image, &at, fds[1], NULL, bytes - at, SPLICE_F_NONBLOCK) <= 0)
			return complain("splice: %s", strerror(errno));
	return true;
}

/* A file that ends there; it is read ahead, a pipe is not. */
static int cut_file(const struct target *target, long bytes)
{
	int fd = memfd_create("cut", MFD_CLOEXEC);
	off_t at = 0;

	while (at < bytes)
		if (sendfile(fd, target->fd, &at, bytes - at) <= 0)
			return -1;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* It fails at the end of the image, and is what it was. */
static bool stays_oneself(int fd)
{
	struct own_state before, after;
	int error;

	look_at_oneself(&before);
	sys_restart(0, fd, RESTART_TASKSELF, NONE);
	error = errno;
	look_at_oneself(&after);
	close(fd);
	if (error != EPIPE)
		return complain("%s", strerror(error));
	return is_same_state(&before, &after);
}

static void become_from_short_images(const struct target *target)
{
	unsigned int index;
	int fds[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	for (index = 0; index < target->nr_places; index++) {
		const struct place *place = &target->places[index];

		if (!feed(target->fd, place->at, fds) || close(fds[1]) ||
		    !stays_oneself(fds[0]) || !stays_oneself(cut_file(target, place->at))) {
			complain_at(place, "image ends");
			_exit(1);
		}
	}
	_exit(0);
}

TEST_F_TIMEOUT(target, image_ends, LIMIT)
{
	struct target *target = &self->target;
	pid_t pid = fork();
	int status;

	if (!pid)
		become_from_short_images(target);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(target_goes_on(target));
}

TEST_F_TIMEOUT(target, image_ends_for_coordinator, LIMIT)
{
	struct target *target = &self->target;
	unsigned int index;

	for (index = 0; index < target->nr_places; index++) {
		const struct place *place = &target->places[index];
		int fds[2];

		ASSERT_TRUE(feed(target->fd, place->at, fds));
		close(fds[1]);
		ASSERT_EQ(-EPIPE, restart_from_fd(fds[0], 0, NONE)) {
			complain_at(place, "image ends");
		}
		close(fds[0]);
		ASSERT_TRUE(target_goes_on(target));
	}
}

/* Killed while it waits for the rest of the image of itself. */
static bool kill_restarting(struct target *target, const struct place *place)
{
	int fds[2], unread;
	bool good;
	pid_t pid;

	if (!feed(target->fd, place->at, fds))
		return false;
	pid = fork();
	if (!pid) {
		close(fds[1]);
		setsid();
		sys_restart(0, fds[0], RESTART_TASKSELF, NONE);
		_exit(1);
	}
	/* It has read all that there is. */
	do {
		good = wait_blocked(pid, __NR_restart) && !ioctl(fds[0], FIONREAD, &unread);
	} while (good && unread);
	kill(pid, SIGKILL);
	good &= reap(pid, SIGKILL, "restarting task");
	close(fds[0]);
	close(fds[1]);
	return good && target_goes_on(target);
}

TEST_F_TIMEOUT(target, restarting_task_killed, LIMIT)
{
	struct target *target = &self->target;
	unsigned int index;

	for (index = 0; index < target->nr_places; index++) {
		ASSERT_TRUE(kill_restarting(target, &target->places[index])) {
			complain_at(&target->places[index], "restarting task killed");
		}
	}
}

/**
 * struct pair - what a coordinator tells, in shared memory
 * @child: its child, that waits to be restored
 * @error: errno of its restart()
 */
struct pair {
	pid_t child;
	int error;
};

static void coordinate_and_tell(struct pair *pair, int fd)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		sys_restart(0, 0, 0, NONE);
		_exit(0);
	}
	__atomic_store_n(&pair->child, child, __ATOMIC_SEQ_CST);
	sys_restart(child, fd, 0, NONE);
	pair->error = errno;
	waitpid(child, NULL, 0);
	_exit(0);
}

/* Both wait for the rest of the image, and one of them is killed. */
static bool kill_one(struct target *target, struct pair *pair, const struct place *place,
		     bool coordinator)
{
	int fds[2], unread;
	pid_t pid;
	bool good;

	*pair = (struct pair) { 0 };
	if (!feed(target->fd, place->at, fds))
		return false;
	pid = fork();
	if (!pid) {
		close(fds[1]);
		coordinate_and_tell(pair, fds[0]);
	}
	while (!READ_ONCE(pair->child))
		sched_yield();
	do {
		good = wait_blocked(pair->child, __NR_restart) &&
		       wait_blocked(pid, __NR_restart) && !ioctl(fds[0], FIONREAD, &unread);
	} while (good && unread);
	close(fds[0]);
	kill(coordinator ? pid : pair->child, SIGKILL);
	/* A child that has not begun is missed only when it is to begin. */
	if (!coordinator)
		close(fds[1]);
	good &= reap(pid, coordinator ? SIGKILL : 0, "coordinator");
	if (coordinator)
		close(fds[1]);
	else if (pair->error != EINTR && pair->error != EPIPE && pair->error != ESRCH)
		good = complain("coordinator: %s", strerror(pair->error));
	return good && target_goes_on(target);
}

TEST_F_TIMEOUT(target, one_of_pair_killed, LIMIT)
{
	struct target *target = &self->target;
	struct pair *pair = mmap(NULL, sizeof(*pair), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int index;

	ASSERT_NE(MAP_FAILED, pair);
	for (index = 0; index < target->nr_places; index++) {
		const struct place *place = &target->places[index];

		ASSERT_TRUE(kill_one(target, pair, place, true) &&
			    kill_one(target, pair, place, false)) {
			complain_at(place, "one of two killed");
		}
	}
	munmap(pair, sizeof(*pair));
}

TEST_HARNESS_MAIN
