// SPDX-License-Identifier: GPL-2.0
/*
 * Signals that wait because they are blocked: queued ones in their order and
 * with all that came with them, for the process and for the thread.
 */
#include "subject.h"
#include "signals.h"

#include <sys/resource.h>

#define FIRST		40
#define QUEUED		5

static s32 sender;

static void queue(bool thread, int signal, int value)
{
	siginfo_t info = { .si_signo = signal, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = 4321;
	info.si_value.sival_ptr = (void *)(0x1122334400000000UL + value);
	if (thread)
		need(!syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signal, &info));
	else
		need(!syscall(SYS_rt_sigqueueinfo, getpid(), signal, &info));
}

static void setup(void)
{
	struct rlimit none, old;
	int index;

	raw_sigmask(SIG_SETMASK, ~0ULL);
	sender = getpid();
	for (index = 0; index < QUEUED; index++) {
		queue(false, FIRST, index);
		queue(true, FIRST + 1, 100 + index);
		queue(false, FIRST + 2 - index % 2, 200 + index);
	}
	need(!kill(getpid(), SIGUSR1));
	need(!kill(getpid(), SIGUSR1));
	need(!syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
	need(!kill(getpid(), SIGTERM));
	queue(true, SIGWINCH, 300);

	/* One that there was no room for: it is pending, and that is all. */
	need(!getrlimit(RLIMIT_SIGPENDING, &old));
	none = old;
	none.rlim_cur = 0;
	need(!setrlimit(RLIMIT_SIGPENDING, &none));
	need(!kill(getpid(), SIGUSR2));
	need(!setrlimit(RLIMIT_SIGPENDING, &old));
}

static void expect(int signal, int code, int uid, int value, const char *what)
{
	struct timespec now = { 0, 0 };
	u64 set = SIGBIT(signal);
	siginfo_t info;
	long got;

	memset(&info, 0xff, sizeof(info));
	got = syscall(SYS_rt_sigtimedwait, &set, &info, &now, SIGSET_BYTES);
	if (!check(got == signal, "%s %d: %ld %s", what, signal, got, strerror(errno)))
		return;
	check_equal(info.si_signo, signal, "si_signo");
	check(info.si_code == code, "%s %d: si_code %d, was %d", what, signal, info.si_code, code);
	check(!info.si_errno, "%s %d: si_errno %d", what, signal, info.si_errno);
	if (code == SI_QUEUE)
		check((uintptr_t)info.si_value.sival_ptr == 0x1122334400000000UL + value,
		      "%s %d: value %p, not %d", what, signal, info.si_value.sival_ptr, value);
	if (uid >= 0) {
		check_equal(info.si_uid, uid, "si_uid");
		check_equal(info.si_pid, sender, "si_pid");
	}
}

static void expect_none(void)
{
	check(!raw_sigpending(), "still pending: %#llx", (unsigned long long)raw_sigpending());
}

static void verify(void)
{
	int index;

	check_equal(raw_sigmask(SIG_BLOCK, 0), ~0ULL & ~UNBLOCKABLE, "mask");
	/* The thread's own come first. */
	for (index = 0; index < QUEUED; index++)
		expect(FIRST + 1, SI_QUEUE, 4321, 100 + index, "thread's");
	for (index = 1; index < QUEUED; index += 2)
		expect(FIRST + 1, SI_QUEUE, 4321, 200 + index, "process's");
	for (index = 0; index < QUEUED; index++)
		expect(FIRST, SI_QUEUE, 4321, index, "process's");
	for (index = 0; index < QUEUED; index += 2)
		expect(FIRST + 2, SI_QUEUE, 4321, 200 + index, "process's");
	expect(SIGUSR1, SI_TKILL, getuid(), 0, "thread's");
	expect(SIGUSR1, SI_USER, getuid(), 0, "process's");
	expect(SIGTERM, SI_USER, getuid(), 0, "process's");
	expect(SIGWINCH, SI_QUEUE, 4321, 300, "thread's");
	expect(SIGUSR2, SI_USER, -1, 0, "unqueued");
	expect_none();
}

const struct subject subject = { .setup = setup, .verify = verify };
