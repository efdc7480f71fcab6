/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_CHECKPOINT_H
#define _UAPI_LINUX_CHECKPOINT_H

/*
 * Arguments of checkpoint() and restart().
 *
 *	long checkpoint(pid_t pid, int fd, unsigned long flags, int logfd);
 *	long restart(pid_t pid, int fd, unsigned long flags, int logfd);
 *
 * The numbers are the same for 64-bit and 32-bit callers and on every kernel
 * that has the calls. They lie far above the range that upstream fills in.
 */
#ifndef __NR_checkpoint
#define __NR_checkpoint		1000
#endif
#ifndef __NR_restart
#define __NR_restart		1001
#endif

/* In place of a descriptor: no messages wanted. */
#define CHECKPOINT_FD_NONE	(-1)

/*
 * Flags of checkpoint().
 *
 * CHECKPOINT_SUBTREE: save the task and its descendants, whether or not they
 *	share anything with tasks outside; without it @pid must be the init of
 *	a pid namespace.
 * CHECKPOINT_NETNS: save network namespaces too; -EOPNOTSUPP so far.
 * CHECKPOINT_EXTERNAL: leave out what is open at a descriptor and of a kind that
 *	cannot be saved; a restart fails unless another file takes its place.
 */
#define CHECKPOINT_SUBTREE	0x1UL
#define CHECKPOINT_NETNS	0x2UL
#define CHECKPOINT_EXTERNAL	0x4UL

/*
 * Flags of restart().
 *
 * RESTART_TASKSELF: the caller itself becomes the saved task.
 * RESTART_FROZEN: leave the restarted tasks frozen, in the cgroups (v2) that they
 *	are in and that are frozen by the end of the image.
 * The following give -EOPNOTSUPP so far:
 * RESTART_GHOST: the calling task only holds an id whose owner was dead.
 * RESTART_KEEP_LSM: apply the saved security labels.
 * RESTART_CONN_RESET: reset saved connections instead of resuming them.
 */
#define RESTART_TASKSELF	0x1UL
#define RESTART_FROZEN		0x2UL
#define RESTART_GHOST		0x4UL
#define RESTART_KEEP_LSM	0x8UL
#define RESTART_CONN_RESET	0x10UL

#endif /* _UAPI_LINUX_CHECKPOINT_H */
