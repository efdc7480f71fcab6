// SPDX-License-Identifier: GPL-2.0
/*
 * Locks, leases and owners that a restart cannot give back, because somebody
 * else has them now or because there is no right to them: it fails, says who or
 * what is in the way, and leaves none behind.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/checkpoint_image.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define NR64_FCNTL	72

enum kind { POSIX, OFD, FLOCK, LEASE, WAITER, ASYNC, TOLD_LEASE };

/* Descriptors of the process that is saved. */
enum { OTHER, DATA, READABLE };

FIXTURE(locks)
{
	char dir[PATH_MAX / 2];
	struct image image;
};

static struct flock range(short type)
{
	return (struct flock) { .l_type = type, .l_whence = SEEK_SET, .l_start = 5, .l_len = 10 };
}

static bool lock_both(enum kind kind)
{
	struct flock lock = range(F_WRLCK);
	int fd;

	for (fd = OTHER; fd <= DATA; fd++) {
		if (kind == FLOCK && flock(fd, LOCK_EX))
			return false;
		if (kind == POSIX && fcntl(fd, F_SETLK, &lock))
			return false;
		if (kind == OFD && fcntl(fd, F_OFD_SETLK, &lock))
			return false;
		if ((kind == LEASE || kind == TOLD_LEASE) && fcntl(fd, F_SETLEASE, F_WRLCK))
			return false;
	}
	return true;
}

/* Whoever has a lease and is told that it is to go stays, and keeps it. */
static void block_sigio(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void be_ordinary(void)
{
	if (setgroups(0, NULL) || setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(99);
}

/* A process with a lock on two files, of which the first is free at restart. */
static void be_process(enum kind kind)
{
	struct flock lock = range(F_WRLCK);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	be_ordinary();
	if (open("other", O_RDWR) != OTHER || open("data", O_RDWR) != DATA)
		_exit(2);
	if (kind == WAITER)
		_exit(fcntl(DATA, F_SETLKW, &lock) ? 4 : 55);
	if (kind == ASYNC &&
	    (open("fifo", O_RDWR | O_NONBLOCK) != READABLE ||
	     fcntl(READABLE, F_SETFL, O_ASYNC) || fcntl(READABLE, F_SETOWN, getpid())))
		_exit(5);
	if (kind == TOLD_LEASE)
		block_sigio();
	if (kind == POSIX && open("readable", O_RDONLY) != READABLE)
		_exit(6);
	if (!lock_both(kind))
		_exit(3);
	for (;;)
		pause();
}

static bool make_file(const char *name, uid_t uid)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool good = fd >= 0 && write(fd, "some", 4) == 4 && !fchown(fd, uid, uid);

	close(fd);
	return good;
}

FIXTURE_SETUP(locks)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root to begin with");
	ASSERT_TRUE(enter_directory(self->dir, "locks", 0755));
	ASSERT_TRUE(make_file("data", ORDINARY_UID) && make_file("other", ORDINARY_UID) &&
		    make_file("readable", 0));
	ASSERT_EQ(0, mkfifo("fifo", 0600));
	ASSERT_EQ(0, chown("fifo", ORDINARY_UID, ORDINARY_UID));
}

FIXTURE_TEARDOWN(locks)
{
	image_free(&self->image);
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
	unlink("image");
	unlink("log");
}

static bool save_process(enum kind kind)
{
	pid_t pid = fork();

	if (!pid)
		be_process(kind);
	if (!wait_blocked(pid, kind == WAITER ? NR64_FCNTL : NR64_PAUSE))
		return false;
	if (save_to("../image", pid, "../log") <= 0) {
		show_file("../log");
		return false;
	}
	kill_and_reap(pid);
	unlink("../log");
	return true;
}

/* What a restart says now; a process that runs is ended. */
static long restart_now(void)
{
	return try_restart("../image", "../log");
}

/* Can anybody have it, in each way? */
static bool is_free(const char *name)
{
	struct flock lock = range(F_WRLCK);
	int fd = open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	bool good;

	if (fd < 0)
		return complain("%s: %s", name, strerror(errno));
	good = !fcntl(fd, F_OFD_SETLK, &lock) && !flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return good || complain("%s is locked", name);
}

static int hold(enum kind kind)
{
	struct flock lock = range(F_RDLCK);
	int fd = open("data", O_RDWR | O_CLOEXEC);
	bool good = fd >= 0;

	if (kind == POSIX)
		good = good && !fcntl(fd, F_SETLK, &lock);
	else if (kind == OFD)
		good = good && !fcntl(fd, F_OFD_SETLK, &lock);
	else if (kind == FLOCK)
		good = good && !flock(fd, LOCK_SH);
	return good ? fd : -1;
}

/* Who is in the way is named; when he is gone, it works. */
static bool check_conflict(enum kind saved, enum kind held, const char *format)
{
	char word[128];
	bool good;
	long ret;
	int fd;

	if (!save_process(saved) || restart_now())
		return complain("cannot save or restart it at all");
	fd = hold(held);
	if (fd < 0)
		return complain("cannot hold the lock");
	ret = restart_now();
	good = ret == -EAGAIN || complain("the restart returned %ld", ret);
	snprintf(word, sizeof(word), format, getpid());
	good &= file_holds("../log", word) && is_free("other");
	close(fd);
	good &= is_free("data");
	return good & (!restart_now() || complain("it fails still"));
}

#define RANGE	": 10 bytes (0: all) from 5 on"

TEST_F_TIMEOUT(locks, posix_by_process, LIMIT)
{
	EXPECT_TRUE(check_conflict(POSIX, POSIX, "file data is locked by process %d" RANGE));
}

TEST_F_TIMEOUT(locks, posix_by_file, LIMIT)
{
	EXPECT_TRUE(check_conflict(POSIX, OFD, "file data is locked by an open file" RANGE));
}

TEST_F_TIMEOUT(locks, ofd_by_process, LIMIT)
{
	EXPECT_TRUE(check_conflict(OFD, POSIX, "file data is locked by process %d" RANGE));
}

TEST_F_TIMEOUT(locks, ofd_by_file, LIMIT)
{
	EXPECT_TRUE(check_conflict(OFD, OFD, "file data is locked by an open file" RANGE));
}

TEST_F_TIMEOUT(locks, flock, LIMIT)
{
	EXPECT_TRUE(check_conflict(FLOCK, FLOCK,
				   "file data is locked as a whole by process %d"));
}

TEST_F_TIMEOUT(locks, lease, LIMIT)
{
	EXPECT_TRUE(check_conflict(LEASE, LEASE, "lease on file data, which others have open"));
}

/* Everything was taken when the image turns out to be broken. */
TEST_F_TIMEOUT(locks, broken_image, LIMIT)
{
	static const enum kind kinds[] = { POSIX, OFD, FLOCK, LEASE };
	size_t index;

	for (index = 0; index < 4; index++) {
		struct image image;

		ASSERT_TRUE(save_process(kinds[index]));
		ASSERT_TRUE(image_load(&image, "../image"));
		/* The checksum is not made right. */
		ASSERT_TRUE(image_set(&image, "header.time", 1));
		ASSERT_TRUE(image_store(&image, "../image"));
		image_free(&image);
		EXPECT_EQ(-EINVAL, restart_now());
		EXPECT_TRUE(file_holds("../log", "checksum"));
		EXPECT_TRUE(is_free("data") && is_free("other"));
	}
}

/* With the rights of an ordinary user. */
static int restart_as_user(const char *path)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		int log = open("../log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		be_ordinary();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sys_restart(0, fd, RESTART_TASKSELF, log);
		_exit(errno);
	}
	/* It runs for good if it could be restarted. */
	while (!has_ended(pid, MSEC)) {
		if (blocked_in(pid) == NR64_PAUSE) {
			kill_and_reap(pid);
			return 0;
		}
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F_TIMEOUT(locks, lease_of_others, LIMIT)
{
	ASSERT_TRUE(save_process(LEASE));
	ASSERT_EQ(0, chmod("data", 0666));
	EXPECT_EQ(0, restart_as_user("../image"));
	ASSERT_EQ(0, chown("data", 0, 0));
	EXPECT_EQ(EACCES, restart_as_user("../image"));
	EXPECT_TRUE(file_holds("../log", "lease on file data"));
	EXPECT_TRUE(is_free("other"));
	/* Root may, and with it who becomes the process with its help. */
	EXPECT_EQ(0, restart_now());
}

/* An image cannot make others wait longer than fs.lease-break-time says. */
TEST_F_TIMEOUT(locks, lease_without_end, LIMIT)
{
	pid_t holder, opener;

	ASSERT_TRUE(save_process(LEASE));
	ASSERT_TRUE(image_load(&self->image, "../image"));
	ASSERT_TRUE(image_set(&self->image, "file_lease[1].flags", CKPT_LEASE_UNLOCK));
	ASSERT_TRUE(image_set(&self->image, "file_lease[1].unlock_ns", 0));
	image_seal(&self->image);
	ASSERT_TRUE(image_store(&self->image, "../edited"));
	ASSERT_TRUE(write_file("/proc/sys/fs/lease-break-time", "1"));
	holder = fork();
	if (!holder) {
		sys_restart(0, open("../edited", O_RDONLY), RESTART_TASKSELF, -1);
		_exit(errno);
	}
	ASSERT_TRUE(wait_blocked(holder, NR64_PAUSE));
	opener = fork();
	if (!opener)
		_exit(open("data", O_RDWR) < 0);
	EXPECT_TRUE(reap(opener, 0, "who opens the file"));
	/* It was told before it was saved, and is not told again. */
	EXPECT_EQ(NR64_PAUSE, blocked_in(holder));
	kill_and_reap(holder);
	EXPECT_TRUE(write_file("/proc/sys/fs/lease-break-time", "45"));
	unlink("../edited");
}

/* 3 is mapped, so that it is met before descriptors are; 4 is the same. */
static void map_and_lock(void)
{
	struct flock lock = range(F_WRLCK);

	if (open("other", O_RDWR) != 2 || open("data", O_RDWR) != 3 || dup(3) != 4 ||
	    mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3, 0) == MAP_FAILED ||
	    fcntl(2, F_SETLK, &lock) || fcntl(4, F_SETLK, &lock))
		_exit(9);
}

/* A lock is saved once, with the lowest of the descriptors that share the file. */
TEST_F_TIMEOUT(locks, mapped_file, LIMIT)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = start_with(null, null, map_and_lock);
	u64 fd, objref, value;
	unsigned int index;
	char what[32];

	ASSERT_GT(save_to("../image", pid, "../log"), 0);
	kill_and_reap(pid);
	ASSERT_TRUE(image_load(&self->image, "../image"));
	ASSERT_EQ(2, image_count(&self->image, "file_lock"));
	EXPECT_TRUE(image_get(&self->image, "file_lock[0].fd", &fd) && fd == 2);
	EXPECT_TRUE(image_get(&self->image, "file_lock[1].fd", &fd) && fd == 3);
	ASSERT_TRUE(image_get(&self->image, "file_desc[3].file", &objref));
	EXPECT_TRUE(image_get(&self->image, "file_desc[4].file", &value) && value == objref);
	/* The file itself tells the same: there is one that has each of them. */
	for (value = 0, index = 0; index < image_count(&self->image, "file"); index++) {
		snprintf(what, sizeof(what), "file[%u].fd", index);
		ASSERT_TRUE(image_get(&self->image, what, &fd));
		value |= (s32)fd >= 0 ? 1 << fd : 0;
	}
	EXPECT_EQ(0xd, value);
	EXPECT_EQ(0, restart_now());
	close(null);
}

/* Seconds, so that what is left of a break can be told from a whole one. */
static int break_time(void)
{
	return 6 * scaled_ms(1) / MSEC;
}

/* Wait until the lease is gone, as who opens the file does; in nanoseconds. */
static s64 open_leased(const char *name)
{
	s64 start = monotonic_ns();
	int fd = open(name, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	close(fd);
	return monotonic_ns() - start;
}

/*
 * Half of the time that the holder was given is over at the checkpoint: it has
 * the other half after the restart, however long it was away.
 */
TEST_F_TIMEOUT(locks, lease_time_left, LIMIT)
{
	s64 all = break_time() * NSEC_PER_SEC, slack = all / 4, told, used, took;
	pid_t pid = fork();
	char text[16];

	if (!pid)
		be_process(TOLD_LEASE);
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	snprintf(text, sizeof(text), "%d", break_time());
	ASSERT_TRUE(write_file("/proc/sys/fs/lease-break-time", text));
	told = monotonic_ns();
	EXPECT_EQ(-1, open("data", O_RDWR | O_NONBLOCK | O_CLOEXEC));
	EXPECT_EQ(EWOULDBLOCK, errno);
	/* Time has to pass: this waits for nothing else. */
	EXPECT_FALSE(has_ended(pid, all / 2));
	EXPECT_GT(save_to("../image", pid, "../log"), 0);
	used = monotonic_ns() - told;
	kill_and_reap(pid);
	pid = restart_from("../image", 0, "../log");
	EXPECT_GT(pid, 0) {
		show_file("../log");
	}
	took = open_leased("data");
	EXPECT_TRUE((took > all - used - slack && took < all - used + slack) ||
		    complain("%lld ms instead of %lld", (long long)took / MSEC,
			     (long long)(all - used) / MSEC));
	if (pid > 0)
		kill_and_reap(pid);
	EXPECT_TRUE(write_file("/proc/sys/fs/lease-break-time", "45"));
}

/* Is this the only lease of the process, and does nobody want to have it? */
static bool lease_is_active(pid_t pid)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256], what[32], state[32];
	unsigned int leases = 0, active = 0;
	int holder;

	while (locks && fgets(line, sizeof(line), locks)) {
		if (sscanf(line, "%*d: %31s %31s %*s %d", what, state, &holder) != 3 ||
		    holder != pid || strcmp(what, "LEASE"))
			continue;
		leases++;
		active += !strcmp(state, "ACTIVE");
	}
	if (locks)
		fclose(locks);
	return (leases == 1 && active == 1) || complain("%u leases, %u of them active", leases,
							active);
}

static void lease_unlinked(void)
{
	int fd = open("nameless", O_RDWR | O_CREAT | O_EXCL, 0600);

	block_sigio();
	if (fd < 0 || write(fd, "text", 4) != 4 || fcntl(fd, F_SETLEASE, F_WRLCK) ||
	    unlink("nameless"))
		_exit(7);
}

static void lease_memfd(void)
{
	int original = syscall(SYS_memfd_create, "nameless", 0), fd;
	char path[32];

	block_sigio();
	/* The first one has no lease for writing. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", original);
	fd = open(path, O_RDWR);
	if (fd < 0 || write(fd, "text", 4) != 4 || close(original) ||
	    fcntl(fd, F_SETLEASE, F_WRLCK))
		_exit(8);
}

/*
 * To open such a file would break the lease, and wait until a process that is
 * stopped has given it up.
 */
TEST_F_TIMEOUT(locks, lease_without_name, LIMIT)
{
	static void (*const takers[])(void) = { lease_unlinked, lease_memfd };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), round;
	size_t index;

	for (index = 0; index < 2; index++) {
		pid_t pid = start_with(null, null, takers[index]);

		ASSERT_TRUE(lease_is_active(pid));
		for (round = 0; round < 2; round++) {
			s64 start = monotonic_ns();

			EXPECT_GT(save_to("../image", pid, "../log"), 0);
			EXPECT_LT(monotonic_ns() - start, scaled_ms(5000));
			EXPECT_TRUE(lease_is_active(pid));
		}
		kill_and_reap(pid);
		unlink("../log");
	}
	close(null);
}

static const struct edit {
	enum kind kind;
	const char *what;
	u64 value;
	int error;
} edits[] = {
	{ POSIX, "file_lock.start", 15, EINVAL },
	{ POSIX, "file_lock.start", 1ULL << 63, EINVAL },
	{ POSIX, "file_lock.end", 4, EINVAL },
	{ POSIX, "file_lock.end", 1ULL << 63, EINVAL },
	{ POSIX, "file_lock.fd", 77, EINVAL },
	{ POSIX, "file_lock.fd", (u32)-1, EINVAL },
	{ POSIX, "file_lock.kind", 1, EINVAL },
	{ POSIX, "file_lock.kind", 2, EINVAL },
	{ POSIX, "file_lock.type", 0, EINVAL },
	{ POSIX, "file_lock.type", 3, EINVAL },
	{ POSIX, "file_lock.reserved", 1, EINVAL },
	/* No lock for writing through a file that is open for reading. */
	{ POSIX, "file_lock.fd", READABLE, EBADF },
	{ POSIX, "file_table.nr_locks", 1, EINVAL },
	{ POSIX, "file_table.nr_locks", 3, EINVAL },
	{ OFD, "file_lock.kind", 3, EINVAL },
	{ OFD, "file_lock.fd", 0, EINVAL },
	{ OFD, "file[1].nr_locks", 0, EINVAL },
	{ OFD, "file[1].nr_locks", ~0U, EINVAL },
	{ FLOCK, "file_lock.kind", 3, EINVAL },
	{ LEASE, "file_lease.type", 3, EINVAL },
	{ LEASE, "file_lease.flags", 4, EINVAL },
	{ LEASE, "file_lease.fd", (u32)-1, EINVAL },
	{ LEASE, "file[1].flags", 4, EINVAL },
	{ LEASE, "file[1].flags", 2, EINVAL },
	{ LEASE, "file_owner.pid", 1, EINVAL },
	{ LEASE, "file_owner.type", 3, EINVAL },
	{ LEASE, "file_owner.signal", 65, EINVAL },
	{ LEASE, "file_owner.async_fd", 1, EINVAL },
	{ LEASE, "file_owner.uid", 0, EPERM },
	{ LEASE, "file_owner.euid", 0, EPERM },
	{ LEASE, "file_owner.uid", ORDINARY_UID + 1, EPERM },
	{ LEASE, "file_owner.euid", ORDINARY_UID + 1, EPERM },
	{ LEASE, "file_owner.uid", 0xffffffff, EINVAL },
};

TEST_F_TIMEOUT(locks, edited_images, LIMIT)
{
	enum kind last = ASYNC;
	size_t index;

	for (index = 0; index < sizeof(edits) / sizeof(*edits); index++) {
		const struct edit *it = &edits[index];

		if (it->kind != last)
			ASSERT_TRUE(save_process(it->kind));
		last = it->kind;
		ASSERT_TRUE(image_load(&self->image, "../image"));
		ASSERT_TRUE(image_set(&self->image, it->what, it->value));
		image_seal(&self->image);
		ASSERT_TRUE(image_store(&self->image, "../edited"));
		image_free(&self->image);
		EXPECT_EQ(it->error, restart_as_user("../edited")) {
			TH_LOG("%s = %#llx", it->what, (unsigned long long)it->value);
			show_file("../log");
		}
		EXPECT_TRUE(is_free("data") && is_free("other"));
	}
	unlink("../edited");
}

/* Saved while it waits for another process, and restarted while it must wait. */
TEST_F_TIMEOUT(locks, waiter, LIMIT)
{
	int fd = hold(OFD);
	pid_t pid;

	ASSERT_GE(fd, 0);
	ASSERT_TRUE(save_process(WAITER));
	pid = restart_from("../image", 0, "../log");
	ASSERT_GT(pid, 0);
	ASSERT_TRUE(wait_blocked(pid, NR64_FCNTL));
	close(fd);
	EXPECT_TRUE(reap(pid, 55 << 8, "waiter"));
}

/* It gets the signal as the process that it is now, and dies of it. */
TEST_F_TIMEOUT(locks, async, LIMIT)
{
	pid_t pid;
	int fd;

	ASSERT_TRUE(save_process(ASYNC));
	pid = restart_from("../image", 0, "../log");
	ASSERT_GT(pid, 0);
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	fd = open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_TRUE(reap(pid, SIGIO, "process with O_ASYNC"));
	close(fd);
}

TEST_HARNESS_MAIN
