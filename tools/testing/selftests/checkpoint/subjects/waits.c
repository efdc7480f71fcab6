// SPDX-License-Identifier: GPL-2.0
/*
 * Waits without end in system calls that tell of an interruption at once: a
 * checkpoint is none, and the call goes on after a restart.
 */
#include "subject.h"

#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/time.h>

#define ASKED	(4 * NSEC_PER_SEC)
#define TYPE	7

static struct {
	long type;
	char text[16];
} message = { .type = TYPE };

static int id = -1;
static long result;
static int error;

static long call_sigwait(void)
{
	unsigned long set = 1UL << (SIGALRM - 1);

	return syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, SIGSET_BYTES);
}

static long call_semop(void)
{
	struct sembuf down = { .sem_op = -1 };

	return syscall(SYS_semop, id, &down, 1);
}

static long call_semtimedop(void)
{
	struct sembuf down = { .sem_op = -1 };

	return syscall(SYS_semtimedop, id, &down, 1, NULL);
}

static long call_msgrcv(void)
{
	return syscall(SYS_msgrcv, id, &message, sizeof(message.text), TYPE, 0);
}

static const struct wait_case {
	const char *name;
	long (*call)(void);
	long nr;
	long result;
	u32 wake;
} cases[] = {
	{ "sigwait", call_sigwait, SYS_rt_sigtimedwait, SIGALRM },
	{ "semop", call_semop, SYS_semop, 0, WAKE_SEMAPHORE },
	{ "semtimedop", call_semtimedop, SYS_semtimedop, 0, WAKE_SEMAPHORE },
	{ "msgrcv", call_msgrcv, SYS_msgrcv, sizeof(message.text), WAKE_MESSAGE },
};

static const struct wait_case *this_case;

static void setup(void)
{
	/* After the second checkpoint, on a slow machine too. */
	s64 alarm = ASKED + control->slack;
	struct itimerval timer = {
		.it_value = { alarm / NSEC_PER_SEC, alarm % NSEC_PER_SEC / 1000 },
	};
	sigset_t set;
	size_t index;

	for (index = 0; index < ARRAY_SIZE(cases); index++)
		if (mode_is(cases[index].name))
			this_case = &cases[index];
	need(this_case);
	if (this_case->wake == WAKE_SEMAPHORE) {
		need((id = semget(IPC_PRIVATE, 1, 0600)) >= 0);
	} else if (this_case->wake == WAKE_MESSAGE) {
		need((id = msgget(IPC_PRIVATE, 0600)) >= 0);
	} else {
		sigemptyset(&set);
		sigaddset(&set, SIGALRM);
		need(!sigprocmask(SIG_BLOCK, &set, NULL));
		need(!setitimer(ITIMER_REAL, &timer, NULL));
	}
	control->wake = this_case->wake;
	control->wake_id = id;
}

static void hold(void)
{
	subject_ready(this_case->nr);
	errno = 0;
	result = this_case->call();
	error = errno;
}

static void verify(void)
{
	check(result == this_case->result, "result %ld: %s", result, strerror(error));
	if (this_case->wake == WAKE_SEMAPHORE)
		check(!semctl(id, 0, IPC_RMID), "semctl: %s", strerror(errno));
	else if (this_case->wake == WAKE_MESSAGE)
		check(!msgctl(id, IPC_RMID, NULL), "msgctl: %s", strerror(errno));
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
