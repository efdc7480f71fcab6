// SPDX-License-Identifier: GPL-2.0
/*
 * Leases on files: the same type, and the same signal to the same owner when
 * somebody breaks them.
 *
 *	read		for reading, with the default signal
 *	write		for writing
 *	broken		somebody wants to write: the signal is pending
 *	downgraded	somebody wants to read, and the holder may go on reading
 *
 * Each of them also with -nameless, of a file that was unlinked, and some with
 * -memfd.
 */
#include "subject.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#define SIGNAL	(SIGRTMIN + 3)

static int lease, other, fd;
static char name[32] = "file";

static bool is_about(const char *what)
{
	return strstr(subject_arg, what);
}

static bool was_broken(void)
{
	return is_about("broken") || is_about("downgraded");
}

static int signal_number(void)
{
	return is_about("read") ? SIGIO : SIGNAL;
}

/* As if another process did: it does not wait. */
static void conflict(int flags)
{
	int result = open(name, flags | O_NONBLOCK | O_CLOEXEC);

	check(result < 0 && errno == EWOULDBLOCK, "open: %d (%s)", result, strerror(errno));
	if (result >= 0)
		close(result);
}

static bool take_signal(siginfo_t *info)
{
	struct timespec none = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal_number());
	return sigtimedwait(&set, info, &none) == signal_number();
}

static int make_file(void)
{
	int file = is_about("memfd") ? memfd_create("file", 0) :
				       open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	int again;

	need(write(file, "text", 4) == 4);
	if (is_about("memfd"))
		snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	/* Who may write cannot be content with reading. */
	again = open(name, is_about("write") ? O_RDWR : O_RDONLY);
	need(again >= 0 && !close(file));
	if (is_about("nameless"))
		need(!unlink(name));
	if (strcmp(name, "file") || is_about("nameless"))
		snprintf(name, sizeof(name), "/proc/self/fd/%d", again);
	return again;
}

static void setup(void)
{
	sigset_t set;

	lease = is_about("read") || is_about("broken") ? F_RDLCK : F_WRLCK;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGNAL);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	fd = make_file();
	other = dup(fd);
	need(fd >= 0 && other >= 0);
	if (!is_about("read"))
		need(!fcntl(fd, F_SETSIG, SIGNAL));
	/* The number in the signal is that of the second descriptor. */
	need(!fcntl(other, F_SETLEASE, lease));
	if (was_broken())
		conflict(is_about("broken") ? O_WRONLY : O_RDONLY);
}

static void verify(void)
{
	struct f_owner_ex owner = { 0 };
	siginfo_t info = { 0 };
	char text[4] = "";

	check(pread(fd, text, 4, 0) == 4 && !memcmp(text, "text", 4), "contents");
	check_equal(fcntl(fd, F_GETLEASE),
		    is_about("broken") ? F_UNLCK : is_about("downgraded") ? F_RDLCK : lease,
		    "lease");
	check_equal(fcntl(fd, F_GETSIG), is_about("read") ? 0 : SIGNAL, "signal");
	check_equal(fcntl(fd, F_GETFL) & O_ASYNC, O_ASYNC, "O_ASYNC");
	need(!fcntl(fd, F_GETOWN_EX, &owner));
	check_equal(owner.type, F_OWNER_PID, "type of the owner");
	check_equal(owner.pid, getpid(), "owner");
	if (!was_broken()) {
		check(!take_signal(&info), "a signal before the lease is broken");
		conflict(O_WRONLY);
	}
	check(take_signal(&info), "no signal");
	if (!is_about("read"))
		check_equal(info.si_fd, other, "descriptor in the signal");
	check(!take_signal(&info), "one more signal");
	if (is_about("downgraded")) {
		check(!fcntl(fd, F_SETLEASE, F_RDLCK), "downgrade: %s", strerror(errno));
		check_equal(fcntl(fd, F_GETLEASE), F_RDLCK, "lease after the downgrade");
	}
	check(!fcntl(fd, F_SETLEASE, F_UNLCK), "end of the lease: %s", strerror(errno));
	check_equal(fcntl(fd, F_GETLEASE), F_UNLCK, "lease at the end");
	check(open(name, O_WRONLY | O_NONBLOCK) >= 0, "open: %s", strerror(errno));
}

const struct subject subject = { .setup = setup, .verify = verify };
