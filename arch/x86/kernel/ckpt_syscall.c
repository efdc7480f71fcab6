// SPDX-License-Identifier: GPL-2.0
/*
 * System calls that a checkpoint must not end.
 *
 * A task is stopped by what interrupts its system call as a signal does. Most
 * calls then return -ERESTART* and go on when no handler runs. The calls below
 * return -EINTR at once, and the program would see an interruption that has no
 * cause. They have done nothing when they return it, so they can be issued
 * again, with the arguments that are still in the registers.
 *
 * That is right only for a wait without end: with a timeout, nothing tells how
 * long the call had waited. Such a call returns -EINTR, as signal(7) says; so
 * does one on a socket with a timeout (SO_RCVTIMEO, SO_SNDTIMEO).
 */
#include <linux/checkpoint_ctx.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include <asm/ptrace.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#define NR_ARGUMENTS	6

/* When the argument that is the timeout means that there is none. */
enum endless {
	ALWAYS,		/* there is no such argument */
	IF_NEGATIVE,	/* milliseconds, an int */
	IF_NULL,	/* pointer to a timespec */
};

static const struct {
	int nr;
	enum endless endless;
	unsigned int timeout;
} interrupted_calls[] = {
	/* Finds the same events again, or more. */
	{ __NR_epoll_wait,	IF_NEGATIVE,	3 },
	/* Puts its signal mask in place again: the old one is back by then. */
	{ __NR_epoll_pwait,	IF_NEGATIVE,	3 },
	{ __NR_epoll_pwait2,	IF_NULL,	3 },
	/* -EINTR only if it has read no event. */
	{ __NR_io_getevents,	IF_NULL,	4 },
	/* Has taken no signal; also sigwaitinfo() and sigwait(). */
	{ __NR_rt_sigtimedwait,	IF_NULL,	2 },
	/* All operations are done or none; it has left the queue. */
	{ __NR_semop,		ALWAYS,		0 },
	{ __NR_semtimedop,	IF_NULL,	3 },
};

static bool waits_without_end(struct pt_regs *regs)
{
	unsigned long arguments[NR_ARGUMENTS];
	int nr = syscall_get_nr(current, regs);
	int index;

	syscall_get_arguments(current, regs, arguments);
	for (index = 0; index < ARRAY_SIZE(interrupted_calls); index++) {
		unsigned long timeout;

		if (interrupted_calls[index].nr != nr)
			continue;
		timeout = arguments[interrupted_calls[index].timeout];
		switch (interrupted_calls[index].endless) {
		case ALWAYS:
			return true;
		case IF_NEGATIVE:
			return (int)timeout < 0;
		case IF_NULL:
			return !timeout;
		}
	}
	return false;
}

/**
 * arch_ckpt_reissue_syscall - forget that a system call was interrupted
 *
 * If the current task is about to return -EINTR from a call that waits without
 * end, the call is issued again instead, unless a signal handler runs first.
 *
 * Context: Current task at the user-mode boundary, before the signal code has
 * looked at the registers. No signal may have caused the -EINTR.
 */
void arch_ckpt_reissue_syscall(void)
{
	struct pt_regs *regs = current_pt_regs();

	if (syscall_get_nr(current, regs) == -1 || in_ia32_syscall() ||
	    syscall_get_error(current, regs) != -EINTR ||
	    !waits_without_end(regs))
		return;
	regs->ax = -ERESTARTNOHAND;
}
