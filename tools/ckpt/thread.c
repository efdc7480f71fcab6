// SPDX-License-Identifier: GPL-2.0
/*
 * Creating threads that become saved ones.
 *
 * Such a thread makes one system call, restart(), and never comes back from it
 * as what it was. The C library's threads would bring a stack, memory and
 * identifiers of their own that the wrong process would be left with. So this
 * one has none of that: it does all it has to do in its registers.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ckpt.h"
#include "thread.h"

/*
 * Descriptors and directories are not shared: each thread gets those that it
 * had, and the kernel wants nobody else to use them meanwhile.
 */
#define THREAD_FLAGS	(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

#ifdef __x86_64__
/*
 * clone3(args, sizeof(*args)); in the new thread restart(0, index, 0,
 * CHECKPOINT_FD_NONE) and, if that fails, exit(1). The new thread runs on the
 * stack of this one and must not touch it.
 */
static long clone_and_restart(const struct clone_args *args, unsigned int index)
{
	register long logfd __asm__("r10") = CHECKPOINT_FD_NONE;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "movl %[restart], %%eax\n\t"
			 "xorl %%edi, %%edi\n\t"
			 "movl %%edx, %%esi\n\t"
			 "xorl %%edx, %%edx\n\t"
			 "syscall\n\t"
			 "movl %[exit], %%eax\n\t"
			 "movl $1, %%edi\n\t"
			 "syscall\n\t"
			 "ud2\n"
			 "1:"
			 : "=a" (ret)
			 : "a" ((long)SYS_clone3), "D" (args),
			   "S" (sizeof(*args)), "d" ((unsigned long)index),
			   "r" (logfd), [restart] "i" (__NR_restart),
			   [exit] "i" (SYS_exit)
			 : "rcx", "r11", "memory");
	return ret;
}
#else
static long clone_and_restart(const struct clone_args *args, unsigned int index)
{
	(void)args;
	(void)index;
	return -ENOSYS;
}
#endif

/**
 * create_thread - a thread of this process that waits in restart()
 * @wanted: its ids, that in the innermost pid namespace first; any in the others
 * @nr_wanted: their number
 * @index: place in the image
 *
 * Return: 0 or a negative errno.
 */
int create_thread(const pid_t *wanted, unsigned int nr_wanted, unsigned int index)
{
	struct clone_args args = {
		.flags		= THREAD_FLAGS,
		.set_tid	= nr_wanted ? (uintptr_t)wanted : 0,
		.set_tid_size	= nr_wanted,
	};
	sigset_t all, old;
	long ret;

	/* A handler would run on our stack. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	ret = clone_and_restart(&args, index);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret < 0 ? ret : 0;
}
