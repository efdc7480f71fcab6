// SPDX-License-Identifier: GPL-2.0
/*
 * Locks on files.
 *
 *	posix		ranges that belong to the process
 *	ofd		ranges that belong to the open file description
 *	flock		whole files, directories too
 *	many		hundreds of ranges
 *	waits-posix	waits for a range that it holds through another descriptor
 *	waits-flock	waits for a whole file, likewise
 *
 * What is locked is asked through an open file of its own, which conflicts with
 * all of them.
 */
#include "subject.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>

#define MANY	400
#define SECONDS	4
#define END	0x7fffffffffffffffLL

struct range {
	int file;
	short type;
	s64 start;
	s64 end;
};

/* Those of one file are in order and apart: what is asked tells of each. */
static const struct range ranges[] = {
	{ 0, F_WRLCK, 0, 0 },
	{ 0, F_RDLCK, 1, 1 },
	{ 0, F_WRLCK, 100, 199 },
	{ 0, F_RDLCK, 5000, 4999999999999LL },
	{ 0, F_WRLCK, END - 1, END - 1 },
	{ 1, F_RDLCK, 0, END },
	{ 2, F_WRLCK, 17, END },
};

static const char *const names[] = { "one", "two", "three" };

static int files[3], again, reader, waits_for, result, error;

static struct flock lock_of(short type, s64 start, s64 end)
{
	return (struct flock) {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start,
		.l_len = end == END ? 0 : end - start + 1,
	};
}

static int command(void)
{
	return mode_is("ofd") ? F_OFD_SETLK : F_SETLK;
}

static void take(int fd, short type, s64 start, s64 end)
{
	struct flock lock = lock_of(type, start, end);

	need(!fcntl(fd, command(), &lock));
}

/*
 * What somebody else meets at a byte. To close the descriptor would end the
 * POSIX locks.
 */
static struct flock ask(int file, s64 at)
{
	struct flock lock = lock_of(F_WRLCK, at, at);
	static int fds[3];

	if (!fds[file])
		fds[file] = open(names[file], O_RDWR | O_CLOEXEC);
	need(fds[file] > 0);
	need(!fcntl(fds[file], F_OFD_GETLK, &lock));
	return lock;
}

static void check_free(int file, s64 at)
{
	check(ask(file, at).l_type == F_UNLCK, "%s: byte %lld is locked", names[file],
	      (long long)at);
}

static void check_range(const struct range *range)
{
	struct flock want = lock_of(range->type, range->start, range->end);
	struct flock got = ask(range->file, range->start);

	check(got.l_type == want.l_type && got.l_start == want.l_start && got.l_len == want.l_len,
	      "%s: byte %lld: type %d, %lld bytes from %lld", names[range->file],
	      (long long)range->start, got.l_type, (long long)got.l_len, (long long)got.l_start);
	check_equal(got.l_pid, mode_is("ofd") ? -1 : getpid(), "holder");
}

static void check_whole(const char *name, int type)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool shared;

	need(fd >= 0);
	shared = !flock(fd, LOCK_SH | LOCK_NB);
	check(shared == (type != LOCK_EX), "%s: another shared lock", name);
	check(flock(fd, LOCK_EX | LOCK_NB) == (type == LOCK_UN ? 0 : -1), "%s: exclusive lock",
	      name);
	close(fd);
}

static void open_all(void)
{
	int index;

	for (index = 0; index < 3; index++) {
		files[index] = open(names[index], O_RDWR | O_CREAT, 0644);
		need(files[index] >= 0);
	}
	/* One more descriptor, and another open file. */
	again = dup(files[0]);
	reader = open(names[1], O_RDONLY);
	need(again >= 0 && reader >= 0);
}

static void release_lock(int signal)
{
	struct flock lock = lock_of(F_UNLCK, 0, END);

	(void)signal;
	if (mode_is("waits-posix"))
		fcntl(files[0], F_OFD_SETLK, &lock);
	else
		flock(files[0], LOCK_UN);
}

static void prepare_wait(void)
{
	struct itimerval timer = { .it_value.tv_sec = SECONDS };
	struct sigaction action = { .sa_handler = release_lock, .sa_flags = SA_RESTART };
	struct flock lock = lock_of(F_WRLCK, 3, 9);

	waits_for = open(names[0], O_RDWR);
	need(waits_for >= 0);
	if (mode_is("waits-posix"))
		need(!fcntl(files[0], F_OFD_SETLK, &lock));
	else
		need(!flock(files[0], LOCK_EX));
	need(!sigaction(SIGALRM, &action, NULL));
	need(!setitimer(ITIMER_REAL, &timer, NULL));
}

static void setup(void)
{
	size_t index;
	int fd;

	open_all();
	if (mode_is("flock")) {
		fd = open(".", O_RDONLY);
		need(fd >= 0);
		need(!flock(files[0], LOCK_EX) && !flock(reader, LOCK_SH) &&
		     !flock(files[1], LOCK_SH) && !flock(fd, LOCK_EX));
	} else if (mode_is("many")) {
		for (index = 0; index < MANY; index++)
			take(files[0], index & 1 ? F_RDLCK : F_WRLCK, 10 * index, 10 * index + 4);
	} else if (mode_is("posix") || mode_is("ofd")) {
		for (index = 0; index < ARRAY_SIZE(ranges); index++)
			take(ranges[index].file == 1 ? reader : files[ranges[index].file],
			     ranges[index].type, ranges[index].start, ranges[index].end);
	} else {
		prepare_wait();
	}
}

static void hold(void)
{
	struct flock lock = lock_of(F_WRLCK, 5, 6);

	if (mode_is("waits-posix")) {
		subject_ready(SYS_fcntl);
		result = fcntl(waits_for, F_SETLKW, &lock);
	} else if (mode_is("waits-flock")) {
		subject_ready(SYS_flock);
		result = flock(waits_for, LOCK_EX);
	} else {
		return subject_wait();
	}
	error = errno;
}

static void verify_ranges(void)
{
	struct flock all = lock_of(F_UNLCK, 0, END);
	size_t index;

	for (index = 0; index < ARRAY_SIZE(ranges); index++)
		check_range(&ranges[index]);
	check_free(0, 2);
	check_free(0, 99);
	check_free(0, 200);
	check_free(0, 5000000000000LL);
	check_free(0, END);
	check_free(2, 16);
	/* Whom they belong to shows when a descriptor is closed. */
	close(again);
	check(ask(0, 150).l_type == (mode_is("ofd") ? F_WRLCK : F_UNLCK), "after a close");
	close(files[1]);
	check(ask(1, 0).l_type == (mode_is("ofd") ? F_RDLCK : F_UNLCK), "after another close");
	check(!fcntl(files[2], command(), &all), "unlock: %s", strerror(errno));
	check_free(2, 17);
	close(reader);
	close(files[0]);
	check_free(0, 150);
	check_free(1, 0);
}

static void verify_many(void)
{
	int index;

	for (index = 0; index < MANY; index++) {
		struct range range = { 0, index & 1 ? F_RDLCK : F_WRLCK, 10 * index,
				       10 * index + 4 };

		check_range(&range);
		check_free(0, 10 * index + 5);
	}
}

static void verify_whole(void)
{
	check_whole(names[0], LOCK_EX);
	check_whole(names[1], LOCK_SH);
	check_whole(names[2], LOCK_UN);
	check_whole(".", LOCK_EX);
	/* They belong to the open file, and two share one. */
	close(files[0]);
	check_whole(names[0], LOCK_EX);
	close(again);
	check_whole(names[0], LOCK_UN);
	close(files[1]);
	check_whole(names[1], LOCK_SH);
	close(reader);
	check_whole(names[1], LOCK_UN);
}

static void verify(void)
{
	if (mode_is("flock"))
		return verify_whole();
	if (mode_is("many"))
		return verify_many();
	if (mode_is("posix") || mode_is("ofd"))
		return verify_ranges();
	check(!result, "wait: %s", strerror(error));
	if (mode_is("waits-posix"))
		check_equal(ask(0, 5).l_pid, getpid(), "holder");
	else
		check_whole(names[0], LOCK_EX);
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
