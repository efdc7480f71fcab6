// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with locks on the same files, of which one waits for the others.
 *
 *	posix, ofd	ranges
 *	flock		whole files
 *
 * The root and a child have locks on one file, and another child waits for both.
 * Two more files were opened and locked before there were any children: one is
 * closed by the root first, the other one by its child.
 */
#include "subject.h"

#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { ROOT, HOLDER, WAITER, NR_MEMBERS };

/**
 * struct family - shared by all
 * @turn: where the root and the holder meet
 * @granted: where the root and the waiter meet
 * @all: where all meet before anything is saved
 * @ids: as each sees its own
 * @has_lock: the waiter has got what it waits for
 */
static struct family {
	pthread_barrier_t turn;
	pthread_barrier_t granted;
	pthread_barrier_t all;
	pid_t ids[NR_MEMBERS];
	int has_lock;
} *family;

/* An open file for each of them; two that the root and the holder share. */
static int data, common[2];
/* Of the root alone. */
static int probe, common_probes[2];

static bool is_flock(void)
{
	return mode_is("flock");
}

static struct flock lock_of(short type, s64 start, s64 end)
{
	return (struct flock) {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start,
		.l_len = end - start + 1,
	};
}

static int set_range(int fd, bool wait, short type, s64 start, s64 end)
{
	struct flock lock = lock_of(type, start, end);
	int command;

	if (mode_is("ofd"))
		command = wait ? F_OFD_SETLKW : F_OFD_SETLK;
	else
		command = wait ? F_SETLKW : F_SETLK;
	return fcntl(fd, command, &lock);
}

/* What an open file of its own meets at a byte. */
static struct flock ask(int fd, s64 at)
{
	struct flock lock = lock_of(F_WRLCK, at, at);

	need(!fcntl(fd, F_OFD_GETLK, &lock));
	return lock;
}

static void check_range(short type, s64 start, s64 end, int member)
{
	struct flock got = ask(probe, start);

	check(got.l_type == type && got.l_start == start && got.l_len == end - start + 1,
	      "byte %lld: type %d, %lld bytes from %lld", (long long)start, got.l_type,
	      (long long)got.l_len, (long long)got.l_start);
	check_equal(got.l_pid, mode_is("ofd") ? -1 : family->ids[member], "holder");
}

static void check_free(s64 at)
{
	check(ask(probe, at).l_type == F_UNLCK, "byte %lld is locked", (long long)at);
}

/* Is a file locked as a whole, so that nobody else gets such a lock? */
static bool excludes(int fd, int operation)
{
	bool excluded = flock(fd, operation | LOCK_NB);

	flock(fd, LOCK_UN);
	return excluded;
}

static int open_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0644);

	need(fd >= 0);
	return fd;
}

static void lock_common(int fd)
{
	if (is_flock())
		need(!flock(fd, LOCK_EX));
	else
		need(!set_range(fd, false, F_WRLCK, 0, 9));
}

static void take_locks(int member)
{
	s64 start = member == ROOT ? 0 : 20;

	if (is_flock()) {
		need(!flock(data, LOCK_SH));
		return;
	}
	need(!set_range(data, false, F_WRLCK, start, start + 9));
	need(!set_range(data, false, F_RDLCK, 40, 49));
}

static int wait_for_lock(void)
{
	return is_flock() ? flock(data, LOCK_EX) : set_range(data, true, F_WRLCK, 5, 24);
}

static void be_waiter(void)
{
	close(common[0]);
	close(common[1]);
	pthread_barrier_wait(&family->all);
	check(!wait_for_lock(), "wait: %s", strerror(errno));
	family->ids[WAITER] = getpid();
	WRITE_ONCE(family->has_lock, 1);
	pthread_barrier_wait(&family->granted);
	pthread_barrier_wait(&family->granted);
}

static void meet(void)
{
	pthread_barrier_wait(&family->turn);
}

static void release(s64 start)
{
	if (is_flock())
		check(!flock(data, LOCK_UN), "unlock: %s", strerror(errno));
	else
		check(!set_range(data, false, F_UNLCK, start, start + 9), "unlock: %s",
		      strerror(errno));
}

/* Up to each meeting the holder does what the root waits for. */
static void be_holder(void)
{
	take_locks(HOLDER);
	pthread_barrier_wait(&family->all);
	subject_stay();
	family->ids[HOLDER] = getpid();
	meet();
	meet();
	if (!is_flock())
		release(40);
	meet();
	meet();
	release(20);
	meet();
	close(common[1]);
	meet();
	meet();
	close(common[0]);
	meet();
}

static pid_t create_child(int member)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	data = open_file("data");
	if (member == HOLDER)
		be_holder();
	else
		be_waiter();
	_exit(member);
}

/* The number of the system call is there only if it sleeps. */
static void await_blocked(pid_t pid)
{
	long nr = is_flock() ? SYS_flock : SYS_fcntl, now = -1;
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (now != nr) {
		int fd = open(path, O_RDONLY);
		ssize_t len;

		need(fd >= 0);
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
		need(len > 0);
		text[len] = '\0';
		now = text[0] == 'r' ? -1 : strtol(text, NULL, 10);
	}
}

static void init_barrier(pthread_barrier_t *barrier, int count)
{
	pthread_barrierattr_t attributes;

	need(!pthread_barrierattr_init(&attributes) &&
	     !pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) &&
	     !pthread_barrier_init(barrier, &attributes, count));
}

static void setup(void)
{
	pid_t waiter;
	int index;

	family = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(family != MAP_FAILED);
	init_barrier(&family->turn, 2);
	init_barrier(&family->granted, 2);
	init_barrier(&family->all, NR_MEMBERS);
	for (index = 0; index < 2; index++) {
		common[index] = open_file(index ? "second" : "first");
		lock_common(common[index]);
	}
	create_child(HOLDER);
	waiter = create_child(WAITER);
	data = open_file("data");
	/* They stay open: to close one would end the POSIX locks. */
	probe = open_file("data");
	common_probes[0] = open_file("first");
	common_probes[1] = open_file("second");
	take_locks(ROOT);
	pthread_barrier_wait(&family->all);
	await_blocked(waiter);
}

static void check_all_locked(void)
{
	if (is_flock()) {
		check(!excludes(probe, LOCK_SH), "no shared lock");
		check(excludes(probe, LOCK_EX), "an exclusive lock");
	} else {
		check_range(F_WRLCK, 0, 9, ROOT);
		check_range(F_WRLCK, 20, 29, HOLDER);
		check(ask(probe, 40).l_type == F_RDLCK, "what both have");
	}
	check_free(12);
}

static void check_waiting(void)
{
	check(!READ_ONCE(family->has_lock), "the waiter has got the lock");
	check_free(12);
	if (is_flock())
		check(!excludes(probe, LOCK_SH), "no shared lock");
}

static void verify_data(void)
{
	check_all_locked();
	if (!is_flock()) {
		release(40);
		check_range(F_RDLCK, 40, 49, HOLDER);
	}
	meet();
	meet();
	if (!is_flock())
		check_free(40);
	release(0);
	check_waiting();
	if (is_flock())
		check(excludes(probe, LOCK_EX), "the holder has nothing");
	else
		check_range(F_WRLCK, 20, 29, HOLDER);
	meet();
	pthread_barrier_wait(&family->granted);
	if (is_flock())
		check(excludes(probe, LOCK_SH), "the waiter has nothing");
	else
		check_range(F_WRLCK, 5, 24, WAITER);
	pthread_barrier_wait(&family->granted);
}

static bool is_common_locked(int index)
{
	if (is_flock())
		return excludes(common_probes[index], LOCK_EX);
	return ask(common_probes[index], 0).l_type == F_WRLCK;
}

/* The root closes the first one before its child does, and the second one after. */
static void verify_common(void)
{
	check(is_common_locked(0) && is_common_locked(1), "what was inherited is not locked");
	close(common[0]);
	check_equal(is_common_locked(0), !mode_is("posix"), "lock on the first file");
	meet();
	meet();
	check(is_common_locked(1), "the holder has unlocked the second file");
	close(common[1]);
	check(!is_common_locked(1), "the second file is locked");
	meet();
	meet();
	check(!is_common_locked(0), "the first file is locked");
}

static void reap_children(void)
{
	int status, sum = 0;

	while (wait(&status) > 0)
		sum += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
	check_equal(sum, HOLDER + WAITER, "statuses of the children");
}

static void verify(void)
{
	family->ids[ROOT] = getpid();
	meet();
	verify_data();
	verify_common();
	reap_children();
	check_free(5);
	check(!excludes(probe, LOCK_EX), "it is locked as a whole");
}

const struct subject subject = { .setup = setup, .verify = verify };
