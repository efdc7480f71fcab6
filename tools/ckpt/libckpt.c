// SPDX-License-Identifier: GPL-2.0
/*
 * Wrappers of the two system calls.
 *
 * They do nothing else: no memory, no locks, no state. So they may be called
 * from a signal handler and between clone() and execve().
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ckpt.h"

/* No such flag exists: the kernel refuses it before it does anything. */
#define NO_SUCH_FLAG	0x80000000UL

long ckpt_checkpoint(pid_t pid, int fd, unsigned long flags, int logfd)
{
	return syscall(__NR_checkpoint, pid, fd, flags, logfd);
}

long ckpt_restart(pid_t pid, int fd, unsigned long flags, int logfd)
{
	return syscall(__NR_restart, pid, fd, flags, logfd);
}

long ckpt_restart_task(unsigned int index, unsigned long flags)
{
	return syscall(__NR_restart, 0, index, flags, CHECKPOINT_FD_NONE);
}

long ckpt_restart_self(int fd, unsigned long flags, int logfd)
{
	return syscall(__NR_restart, 0, fd, flags | RESTART_TASKSELF, logfd);
}

bool ckpt_available(void)
{
	int saved = errno;
	bool available;

	available = syscall(__NR_checkpoint, 0, -1, NO_SUCH_FLAG,
			    CHECKPOINT_FD_NONE) == 0 || errno != ENOSYS;
	errno = saved;
	return available;
}
