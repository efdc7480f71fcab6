// SPDX-License-Identifier: GPL-2.0
/*
 * The system calls: arguments and permissions, nothing else.
 *
 * No argument is wider than 32 bits in a 32-bit caller and none is a pointer,
 * so that the same functions serve both.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/syscalls.h>
#include <linux/sysctl.h>

#include "internal.h"

#define CHECKPOINT_FLAGS						\
	(CHECKPOINT_SUBTREE | CHECKPOINT_NETNS | CHECKPOINT_EXTERNAL)
#define RESTART_FLAGS							\
	(RESTART_TASKSELF | RESTART_FROZEN | RESTART_GHOST |		\
	 RESTART_KEEP_LSM | RESTART_CONN_RESET)
/* Known, and not done yet. */
#define CHECKPOINT_FLAGS_LATER	CHECKPOINT_NETNS
#define RESTART_FLAGS_LATER						\
	(RESTART_GHOST | RESTART_KEEP_LSM | RESTART_CONN_RESET)

static int unprivileged_allowed __read_mostly = 1;

static struct ctl_table checkpoint_table[] = {
	{
		.procname	= "ckpt_unpriv_allowed",
		.data		= &unprivileged_allowed,
		.maxlen		= sizeof(unprivileged_allowed),
		.mode		= 0644,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
};

static int __init checkpoint_init(void)
{
	register_sysctl_init("kernel", checkpoint_table);
	return 0;
}
late_initcall(checkpoint_init);

static int may_call(void)
{
	if (READ_ONCE(unprivileged_allowed) || capable(CAP_SYS_ADMIN))
		return 0;
	return -EPERM;
}

/**
 * sys_checkpoint - save a process, all its threads, into a stream of bytes
 * @pid: the process, in the caller's pid namespace; 0 is the caller
 * @fd: where the image goes
 * @flags: CHECKPOINT_*
 * @logfd: where messages go, or CHECKPOINT_FD_NONE
 *
 * The process is stopped for as long as it takes to copy its page tables, not
 * its memory, and continues whatever happens to the call. But unlinked files on
 * a disk and memory with MADV_DONTFORK or MADV_WIPEONFORK are copied while it is
 * stopped.
 *
 * Return: a positive id; 0 in a process that saved itself and now continues
 * from a restart; or
 *
 * * -EINVAL: unknown flags; @pid is negative, a thread, a kernel thread, or
 *   no init of a pid namespace while CHECKPOINT_SUBTREE is not set
 * * -EOPNOTSUPP: a known flag, or state of the process, is not supported yet
 * * -EACCES: an IPC namespace holds what the caller may not read
 * * -EBADF: a descriptor is closed or not writable; or the process has a file
 *   of a type that cannot be saved, and CHECKPOINT_EXTERNAL is not set or it is
 *   not open at a descriptor alone
 * * -ESRCH: no such process, or it is exiting
 * * -EPERM: the caller may not trace it; or kernel.ckpt_unpriv_allowed is 0
 *   and the caller lacks CAP_SYS_ADMIN; or it is in other namespaces, and they
 *   cannot be saved; or it has seccomp filters, and the caller is under seccomp
 *   itself
 * * -EBUSY: the process is traced, in a sleep that cannot be interrupted, or
 *   shares state with a process outside; or a process outside holds a pipe of
 *   it and does not let it go; or a connection was not accepted yet
 * * -EDEADLK: the image is written into a pipe or a socket that is to be saved
 * * -ENOENT: a file or directory has no path in the caller's sight
 * * -EINTR: the caller was killed
 * * -ENOMEM, or an error of the image file
 */
SYSCALL_DEFINE4(checkpoint, pid_t, pid, int, fd, unsigned long, flags,
		int, logfd)
{
	struct ckpt_ctx *ctx;
	long ret;

	if (flags & ~CHECKPOINT_FLAGS || pid < 0)
		return -EINVAL;
	if (flags & CHECKPOINT_FLAGS_LATER)
		return -EOPNOTSUPP;
	ret = may_call();
	if (ret)
		return ret;
	ctx = ckpt_ctx_alloc(fd, FMODE_WRITE, flags, logfd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = ckpt_do_checkpoint(ctx, pid);
	ckpt_ctx_put(ctx);
	return ret;
}

/**
 * sys_restart - bring saved processes back
 * @pid: child of the caller that becomes the first process of the image; 0 in
 *	a task that waits to be restored, and with RESTART_TASKSELF
 * @fd: where the image comes from; in a waiting task its place in the image
 * @flags: RESTART_*
 * @logfd: where messages go, or CHECKPOINT_FD_NONE
 *
 * A process with threads is restored by as many threads, each of which waits
 * with its place in the image; they share nothing but memory and signal
 * handlers.
 *
 * Return: 0 in the caller that coordinates; in a restored process what its
 * interrupted system call returns; or
 *
 * * -EINVAL: unknown or contradicting flags, negative @pid, or a malformed
 *   image
 * * -EOPNOTSUPP: a known flag, or state in the image, is not supported yet
 * * -EBADF: a descriptor is closed or not readable, or not writable for @logfd
 * * -ESRCH: @pid is no child of the caller, or exited
 * * -EPERM: the image asks for more than the caller may have; or
 *   kernel.ckpt_unpriv_allowed is 0 and the caller lacks CAP_SYS_ADMIN; or the
 *   caller is under seccomp
 * * -EBUSY: the process to restore has other threads than those that wait to
 *   be restored, or shares its signal handlers, or a thread its descriptor
 *   table; or a FIFO with saved data holds data already; or a descriptor is to
 *   take the place of a file that is mapped or has locks or a lease; or a task
 *   would not be frozen, with RESTART_FROZEN
 * * -EAGAIN: somebody else holds a lock, or has a file open on which there was
 *   a lease; or a limit is exceeded
 * * -ENOTCONN: a file leads outside of the image, and nothing takes its place
 * * -EPIPE: the image ends early
 * * -EIO: the image is that of a failed checkpoint
 * * -ESTALE: a file of the image is not the one that was saved
 * * -EXDEV: the image needs another kernel or processor
 * * -ENOSPC: a limit of namespaces is exceeded
 * * -EINTR: interrupted by a signal
 * * -ENOMEM, or an error of a file
 */
SYSCALL_DEFINE4(restart, pid_t, pid, int, fd, unsigned long, flags,
		int, logfd)
{
	struct ckpt_ctx *ctx;
	long ret;

	if (flags & ~RESTART_FLAGS || pid < 0 ||
	    (pid && flags & (RESTART_TASKSELF | RESTART_GHOST)) ||
	    (!pid && flags & RESTART_FROZEN))
		return -EINVAL;
	if (flags & RESTART_FLAGS_LATER)
		return -EOPNOTSUPP;
	ret = may_call();
	if (ret)
		return ret;
	if (!pid && !(flags & RESTART_TASKSELF)) {
		if (fd < 0)
			return -EINVAL;
		return ckpt_do_restart_task(fd);
	}

	ctx = ckpt_ctx_alloc(fd, FMODE_READ, flags, logfd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	if (flags & RESTART_TASKSELF)
		ret = ckpt_do_restart_self(ctx);
	else
		ret = ckpt_do_restart(ctx, pid);
	ckpt_ctx_put(ctx);
	return ret;
}
