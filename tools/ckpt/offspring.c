// SPDX-License-Identifier: GPL-2.0
/*
 * Creating processes that share the memory of their creator.
 *
 * A process that becomes a saved one needs nothing of its creator but a few
 * lines of code: its memory comes from the image. To copy the creator's for it,
 * as fork() does, would cost more than all the rest that it does.
 *
 * So all of them run at the same time in the same memory, each on a stack of its
 * own, but with the same thread-local storage: they must not use what the C
 * library keeps there, errno above all. See raw.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include "offspring.h"
#include "raw.h"

/**
 * offspring_stacks - memory for stacks
 * @nr_stacks: how many
 *
 * Return: the first one, or NULL with errno set.
 */
void *offspring_stacks(size_t nr_stacks)
{
	size_t bytes = nr_stacks * OFFSPRING_STACK;
	void *stacks = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (stacks == MAP_FAILED)
		return NULL;
	/* A page or two of each is used. */
	madvise(stacks, bytes, MADV_NOHUGEPAGE);
	return stacks;
}

#ifdef __x86_64__
/*
 * clone3(args, sizeof(*args)); in the new process call life(object, index) on the
 * new stack.
 */
static long clone_and_live(const struct clone_args *args, const struct offspring *offspring)
{
	register const void *object __asm__("r12") = offspring->object;
	register long index __asm__("r13") = offspring->index;
	register void (*life)(const void *, unsigned int) __asm__("r14") = offspring->life;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%r12, %%rdi\n\t"
			 "movl %%r13d, %%esi\n\t"
			 "callq *%%r14\n\t"
			 "ud2\n"
			 "1:"
			 : "=a" (ret)
			 : "a" ((long)SYS_clone3), "D" (args), "S" (sizeof(*args)),
			   "r" (object), "r" (index), "r" (life)
			 : "rcx", "r11", "memory");
	return ret;
}

#define SHARED	CLONE_VM
#else
static long clone_and_live(const struct clone_args *args, const struct offspring *offspring)
{
	long ret = raw_syscall(SYS_clone3, args, sizeof(*args));

	if (!ret)
		offspring->life(offspring->object, offspring->index);
	return ret;
}

#define SHARED	0
#endif

/**
 * offspring_create - create a process
 * @offspring: what it is to be; need not be there when this has returned
 *
 * Return: its id, or a negative errno.
 */
pid_t offspring_create(const struct offspring *offspring)
{
	struct clone_args args = {
		.flags		= SHARED | offspring->flags,
		.exit_signal	= offspring->exit_signal,
	};

	if (offspring->pid) {
		args.flags |= CLONE_PARENT_SETTID;
		args.parent_tid = (uintptr_t)offspring->pid;
	}
	if (SHARED) {
		args.stack = (uintptr_t)offspring->stack;
		args.stack_size = OFFSPRING_STACK;
	}
	if (offspring->nr_wanted) {
		args.set_tid = (uintptr_t)offspring->wanted;
		args.set_tid_size = offspring->nr_wanted;
	}
	return clone_and_live(&args, offspring);
}
