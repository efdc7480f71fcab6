/* SPDX-License-Identifier: GPL-2.0 */
/* Signals as the kernel sees them: the C library hides two and some flags. */
#ifndef _CKPT_SELFTEST_SIGNALS_H
#define _CKPT_SELFTEST_SIGNALS_H

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_SIGNALS	64
#define SIGBIT(signal)	(1ULL << ((signal) - 1))
/* What nobody can block or handle. */
#define UNBLOCKABLE	(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#ifndef SA_RESTORER
#define SA_RESTORER	0x04000000
#endif

struct kernel_sigaction {
	void (*handler)(int signal);
	unsigned long flags;
	void (*restorer)(void);
	u64 mask;
};

static inline long raw_sigaction(int signal, const struct kernel_sigaction *new,
				 struct kernel_sigaction *old)
{
	return syscall(SYS_rt_sigaction, signal, new, old, 8);
}

static inline u64 raw_sigmask(int how, u64 set)
{
	u64 old = 0;

	syscall(SYS_rt_sigprocmask, how, &set, &old, 8);
	return old;
}

static inline u64 raw_sigpending(void)
{
	u64 set = 0;

	syscall(SYS_rt_sigpending, &set, 8);
	return set;
}

/* Where handlers return to: the same as the C library's. */
void signal_restorer(void);

#define DEFINE_SIGNAL_RESTORER()					\
	asm("	.text\n"						\
	    "	.globl signal_restorer\n"				\
	    "signal_restorer:\n"					\
	    "	mov	$15, %rax\n"					\
	    "	syscall\n")

#endif /* _CKPT_SELFTEST_SIGNALS_H */
