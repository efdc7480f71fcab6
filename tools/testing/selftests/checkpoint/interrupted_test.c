// SPDX-License-Identifier: GPL-2.0
/*
 * A checkpoint interrupts the system call that its target waits in, and the
 * program must not notice: also where the call would return -EINTR at once,
 * and whether the checkpoint succeeds or not. What a signal causes stays what
 * it is.
 */
#include "harness.h"

#include <fnmatch.h>
#include <linux/aio_abi.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/sem.h>
#include <ucontext.h>

#include "kselftest.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2	441
#endif
/* The kernel's signal set. */
#define SIGSET_BYTES		8
#define SIGSET(signal)		(1UL << ((signal) - 1))
#define NO_RESULT		LONG_MIN
#define MESSAGE_BYTES		8000
/* Checkpoints of one target, and targets that get a signal meanwhile. */
#define ROUNDS			3
#define RACES			12

/* In memory that test and target share. */
static struct {
	u32 ready;
	u32 handled;
	u32 before_call;
	u32 returned;
	long result;
} *shared;

/* What the target waits for; made by the test, so that it can end the wait. */
static int event, epoll, semaphore, queue;
static aio_context_t aio;
static char **patterns;
/* A task with rseq is told of each time that it was switched out. */
static bool without_rseq;

static const struct timespec minute = { 60, 0 };

static struct {
	long type;
	char text[MESSAGE_BYTES];
} message = { .type = 1 };

static long wait_epoll(void)
{
	struct epoll_event found;

	return syscall(SYS_epoll_wait, epoll, &found, 1, -1);
}

static long wait_epoll_mask(void)
{
	unsigned long none = 0;
	struct epoll_event found;

	return syscall(SYS_epoll_pwait, epoll, &found, 1, -1, &none, SIGSET_BYTES);
}

static long wait_epoll_null(void)
{
	unsigned long none = 0;
	struct epoll_event found;

	return syscall(SYS_epoll_pwait2, epoll, &found, 1, NULL, &none, SIGSET_BYTES);
}

static long wait_signal(void)
{
	unsigned long set = SIGSET(SIGUSR2);

	return syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, SIGSET_BYTES);
}

static long wait_semaphore(void)
{
	struct sembuf down = { .sem_op = -1 };

	return syscall(SYS_semop, semaphore, &down, 1);
}

static long wait_semaphore_null(void)
{
	struct sembuf down = { .sem_op = -1 };

	return syscall(SYS_semtimedop, semaphore, &down, 1, NULL);
}

static long wait_message(void)
{
	return syscall(SYS_msgrcv, queue, &message, sizeof(message.text), 1, 0);
}

static long wait_room(void)
{
	while (!msgsnd(queue, &message, sizeof(message.text), IPC_NOWAIT))
		;
	return syscall(SYS_msgsnd, queue, &message, sizeof(message.text), 0);
}

static long wait_aio(void)
{
	struct io_event done;

	return syscall(SYS_io_getevents, aio, 1, 1, &done, NULL);
}

static long wait_epoll_minute(void)
{
	struct epoll_event found;

	return syscall(SYS_epoll_wait, epoll, &found, 1, 60000);
}

static long wait_epoll_null_minute(void)
{
	struct epoll_event found;

	return syscall(SYS_epoll_pwait2, epoll, &found, 1, &minute, NULL, SIGSET_BYTES);
}

static long wait_signal_minute(void)
{
	unsigned long set = SIGSET(SIGUSR2);

	return syscall(SYS_rt_sigtimedwait, &set, NULL, &minute, SIGSET_BYTES);
}

static long wait_semaphore_minute(void)
{
	struct sembuf down = { .sem_op = -1 };

	return syscall(SYS_semtimedop, semaphore, &down, 1, &minute);
}

static void wake_event(pid_t pid)
{
	(void)pid;
	eventfd_write(event, 1);
}

static void wake_signal(pid_t pid)
{
	kill(pid, SIGUSR2);
}

static void wake_semaphore(pid_t pid)
{
	struct sembuf up = { .sem_op = 1 };

	(void)pid;
	semop(semaphore, &up, 1);
}

static void wake_message(pid_t pid)
{
	(void)pid;
	msgsnd(queue, &message, sizeof(message.text), 0);
}

static void wake_room(pid_t pid)
{
	(void)pid;
	msgrcv(queue, &message, sizeof(message.text), 1, 0);
}

static const struct call {
	const char *name;
	long (*wait)(void);
	long nr;
	/* NULL: nothing but a signal ends it. */
	void (*wake)(pid_t pid);
	long result;
	/* After SIGSTOP and SIGCONT, see signal(7). */
	bool notices_stop;
	/* Has a timeout: the interruption shows. */
	bool timed;
	/* The handler's signal is blocked but for the call itself. */
	bool masked;
} calls[] = {
	{ "epoll_wait", wait_epoll, SYS_epoll_wait, wake_event, 1, true },
	{ "epoll_pwait", wait_epoll_mask, SYS_epoll_pwait, wake_event, 1, true,
	  .masked = true },
	{ "epoll_pwait2", wait_epoll_null, SYS_epoll_pwait2, wake_event, 1, true,
	  .masked = true },
	{ "sigtimedwait", wait_signal, SYS_rt_sigtimedwait, wake_signal, SIGUSR2, true },
	{ "semop", wait_semaphore, SYS_semop, wake_semaphore, 0, true },
	{ "semtimedop", wait_semaphore_null, SYS_semtimedop, wake_semaphore, 0, true },
	{ "msgrcv", wait_message, SYS_msgrcv, wake_message, MESSAGE_BYTES },
	{ "msgsnd", wait_room, SYS_msgsnd, wake_room, 0 },
	{ "io_getevents", wait_aio, SYS_io_getevents, NULL, 0, true },
	{ "epoll_wait-timed", wait_epoll_minute, SYS_epoll_wait, NULL, 0, true, true },
	{ "epoll_pwait2-timed", wait_epoll_null_minute, SYS_epoll_pwait2, NULL, 0, true, true },
	{ "sigtimedwait-timed", wait_signal_minute, SYS_rt_sigtimedwait, NULL, 0, true, true },
	{ "semtimedop-timed", wait_semaphore_minute, SYS_semtimedop, NULL, 0, true, true },
};

/*
 * A call that is issued again is about to be entered for a moment, and a
 * signal may come just then, as it may before any call.
 */
static bool is_before_call(const ucontext_t *context)
{
	const unsigned char *code = (void *)context->uc_mcontext.gregs[REG_RIP];

	return code[0] == 0x0f && code[1] == 0x05;
}

static void handle(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	shared->before_call = is_before_call(context);
	__atomic_add_fetch(&shared->handled, 1, __ATOMIC_SEQ_CST);
}

static void leave_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size && syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG))
		_exit(1);
}

static void be_target(const struct call *call)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO };
	sigset_t blocked;
	long ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	if (call->masked)
		sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	if (without_rseq)
		leave_rseq();
	if (call->wait == wait_aio && syscall(SYS_io_setup, 1, &aio))
		_exit(1);
	tell_word(&shared->ready, 1);
	ret = call->wait();
	shared->result = ret < 0 ? -errno : ret;
	tell_word(&shared->returned, 1);
	for (;;)
		pause();
}

static bool make_objects(void)
{
	struct epoll_event wanted = { .events = EPOLLIN };

	event = eventfd(0, EFD_CLOEXEC);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	return event >= 0 && epoll >= 0 && semaphore >= 0 && queue >= 0 &&
	       !epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted);
}

static void remove_objects(void)
{
	close(event);
	close(epoll);
	semctl(semaphore, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
}

static pid_t start_target(const struct call *call)
{
	pid_t pid;

	if (!make_objects()) {
		complain("no objects to wait for: %s", strerror(errno));
		return 0;
	}
	shared->ready = 0;
	shared->handled = 0;
	shared->before_call = 0;
	shared->returned = 0;
	shared->result = NO_RESULT;
	pid = fork();
	if (!pid)
		be_target(call);
	if (await_word(&shared->ready, 0, pid) && wait_blocked(pid, call->nr))
		return pid;
	kill_and_reap(pid);
	return 0;
}

static void end_target(pid_t pid)
{
	kill_and_reap(pid);
	remove_objects();
}

static bool returns(const struct call *call, long expected)
{
	if (!await_word(&shared->returned, 0, 0))
		return complain("%s does not return", call->name);
	if (shared->result != expected)
		return complain("%s returned %ld, expected %ld", call->name, shared->result,
				expected);
	return true;
}

/* It can fail for many reasons, and stops the target in any case. */
static void checkpoint(pid_t pid)
{
	int image = memfd_create("image", MFD_CLOEXEC);

	sys_checkpoint(pid, image, CHECKPOINT_SUBTREE, CHECKPOINT_FD_NONE);
	close(image);
}

/* Nobody but checkpoints comes along: the call ends when it is to. */
static bool goes_on(const struct call *call)
{
	pid_t pid = start_target(call);
	bool good = pid > 0;
	int round;

	for (round = 0; round < ROUNDS && good; round++) {
		checkpoint(pid);
		good = call->timed || wait_blocked(pid, call->nr);
	}
	if (good && call->timed) {
		good = returns(call, -EINTR);
	} else if (good && call->wake) {
		call->wake(pid);
		good = returns(call, call->result);
	} else if (good) {
		/* Where it is now it stays: nothing else can interrupt it. */
		kill(pid, SIGUSR1);
		good = returns(call, -EINTR) && shared->handled == 1;
	}
	if (pid)
		end_target(pid);
	return good;
}

static pid_t send_later(pid_t pid, int signal, long delay_us)
{
	pid_t sender = fork();

	if (!sender) {
		usleep(delay_us);
		kill(pid, signal);
		_exit(0);
	}
	return sender;
}

static bool handled_once(const struct call *call, pid_t pid)
{
	s64 limit = hang_limit();

	/* If the checkpoint came first, the call has told of that. */
	if (call->timed)
		return returns(call, -EINTR);
	while (!READ_ONCE(shared->handled))
		if (monotonic_ns() > limit)
			return complain("the handler does not run");
	if (shared->before_call) {
		if (call->masked)
			return complain("the signal came when it was blocked");
		return wait_blocked(pid, call->nr) && shared->result == NO_RESULT;
	}
	return returns(call, -EINTR) && shared->handled == 1;
}

/* A handler runs: before, during or after the checkpoint. */
static bool handler_interrupts(const struct call *call)
{
	bool good = true;
	int race;

	for (race = 0; race < RACES && good; race++) {
		pid_t sender, pid = start_target(call);

		if (!pid)
			return false;
		sender = send_later(pid, SIGUSR1, race * race * 20);
		checkpoint(pid);
		checkpoint(pid);
		waitpid(sender, NULL, 0);
		good = handled_once(call, pid);
		end_target(pid);
	}
	return good;
}

/* What the target would see without a checkpoint, it sees with one. */
static bool stop_interrupts(const struct call *call)
{
	pid_t pid = start_target(call);
	bool good = pid > 0;
	pid_t sender;
	int status;

	if (!good)
		return false;
	kill(pid, SIGSTOP);
	good = waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
	/* While the checkpoint waits for the target. */
	sender = send_later(pid, SIGCONT, 15000);
	checkpoint(pid);
	waitpid(sender, NULL, 0);
	if (good && call->notices_stop) {
		good = returns(call, -EINTR);
	} else if (good) {
		call->wake(pid);
		good = returns(call, call->result);
	}
	end_target(pid);
	return good;
}

static bool stop_interrupts_plain(const struct call *call)
{
	bool good;

	without_rseq = true;
	good = stop_interrupts(call);
	without_rseq = false;
	return good;
}

static const struct {
	const char *name;
	bool (*run)(const struct call *call);
} tests[] = {
	{ "goes-on", goes_on },
	{ "handler", handler_interrupts },
	{ "stop", stop_interrupts },
	{ "stop-without-rseq", stop_interrupts_plain },
};

#define NR_CALLS	(sizeof(calls) / sizeof(*calls))
#define NR_TESTS	(sizeof(tests) / sizeof(*tests))

static bool is_chosen(const char *name)
{
	char **pattern;

	for (pattern = patterns; *pattern; pattern++)
		if (!fnmatch(*pattern, name, 0))
			return true;
	return !*patterns;
}

static unsigned int visit_tests(bool run)
{
	unsigned int call, test, chosen = 0;

	for (call = 0; call < NR_CALLS; call++) {
		for (test = 0; test < NR_TESTS; test++) {
			char name[64];

			snprintf(name, sizeof(name), "%s.%s", calls[call].name, tests[test].name);
			if (!is_chosen(name))
				continue;
			chosen++;
			if (run)
				ksft_test_result(tests[test].run(&calls[call]), "%s\n", name);
		}
	}
	return chosen;
}

int main(int argc, char **argv)
{
	(void)argc;
	patterns = argv + 1;
	ksft_print_header();
	if (!have_checkpoint())
		ksft_exit_skip("this kernel has no checkpoint()\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	ksft_set_plan(visit_tests(false));
	visit_tests(true);
	ksft_finished();
}
