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
 * The first three also as posix-unlinked, posix-memfd and so on: on files that
 * have no name any more, or never had one.
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

#define NR_FILES	3
#define DIRECTORY	NR_FILES

static const char *const names[] = { "one", "two", "three", "." };

static int files[NR_FILES + 1], probes[NR_FILES + 1];
static int again, reader, waits_for, result, error;

static bool is_about(const char *kind)
{
	return !strncmp(subject_arg, kind, strlen(kind));
}

static bool is_on(const char *what)
{
	const char *rest = strchr(subject_arg, '-');

	return rest && !strcmp(rest + 1, what);
}

static struct flock lock_of(short type, s64 start, s64 end)
{
	return (struct flock) {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start,
		.l_len = end == END ? 0 : end - start + 1,
	};
}

static int command(void)
{
	return is_about("ofd") ? F_OFD_SETLK : F_SETLK;
}

static void take(int fd, short type, s64 start, s64 end)
{
	struct flock lock = lock_of(type, start, end);

	need(!fcntl(fd, command(), &lock));
}

/* An open file of its own; a name is not needed. */
static int open_again(int fd, int flags)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	need(again >= 0);
	return again;
}

/* They stay open: to close one would end the POSIX locks. */
static void open_probes(void)
{
	int file;

	for (file = 0; file <= DIRECTORY; file++)
		probes[file] = open_again(files[file], file == DIRECTORY ? O_RDONLY : O_RDWR);
}

/* What somebody else meets at a byte. */
static struct flock ask(int file, s64 at)
{
	struct flock lock = lock_of(F_WRLCK, at, at);

	need(!fcntl(probes[file], F_OFD_GETLK, &lock));
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
	check_equal(got.l_pid, is_about("ofd") ? -1 : getpid(), "holder");
}

static void check_whole(int file, int type)
{
	int fd = probes[file];
	bool shared = !flock(fd, LOCK_SH | LOCK_NB);

	check(shared == (type != LOCK_EX), "%s: another shared lock", names[file]);
	check(flock(fd, LOCK_EX | LOCK_NB) == (type == LOCK_UN ? 0 : -1), "%s: exclusive lock",
	      names[file]);
	flock(fd, LOCK_UN);
}

static void open_all(void)
{
	int index;

	for (index = 0; index < NR_FILES; index++) {
		files[index] = is_on("memfd") ?
			syscall(SYS_memfd_create, names[index], 0) :
			open(names[index], O_RDWR | O_CREAT, 0644);
		need(files[index] >= 0);
	}
	files[DIRECTORY] = open(".", O_RDONLY);
	/* One more descriptor, and another open file. */
	again = dup(files[0]);
	reader = open_again(files[1], O_RDONLY);
	need(again >= 0 && files[DIRECTORY] >= 0);
	for (index = 0; index < NR_FILES && is_on("unlinked"); index++)
		need(!unlink(names[index]));
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

	open_all();
	if (is_about("flock")) {
		need(!flock(files[0], LOCK_EX) && !flock(reader, LOCK_SH) &&
		     !flock(files[1], LOCK_SH) && !flock(files[DIRECTORY], LOCK_EX));
	} else if (mode_is("many")) {
		for (index = 0; index < MANY; index++)
			take(files[0], index & 1 ? F_RDLCK : F_WRLCK, 10 * index, 10 * index + 4);
	} else if (is_about("posix") || is_about("ofd")) {
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
	check(ask(0, 150).l_type == (is_about("ofd") ? F_WRLCK : F_UNLCK), "after a close");
	close(files[1]);
	check(ask(1, 0).l_type == (is_about("ofd") ? F_RDLCK : F_UNLCK), "after another close");
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
	check_whole(0, LOCK_EX);
	check_whole(1, LOCK_SH);
	check_whole(2, LOCK_UN);
	check_whole(DIRECTORY, LOCK_EX);
	/* They belong to the open file, and two share one. */
	close(files[0]);
	check_whole(0, LOCK_EX);
	close(again);
	check_whole(0, LOCK_UN);
	close(files[1]);
	check_whole(1, LOCK_SH);
	close(reader);
	check_whole(1, LOCK_UN);
}

static void verify(void)
{
	open_probes();
	if (is_about("flock"))
		return verify_whole();
	if (mode_is("many"))
		return verify_many();
	if (is_about("posix") || is_about("ofd"))
		return verify_ranges();
	check(!result, "wait: %s", strerror(error));
	if (mode_is("waits-posix"))
		check_equal(ask(0, 5).l_pid, getpid(), "holder");
	else
		check_whole(0, LOCK_EX);
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
