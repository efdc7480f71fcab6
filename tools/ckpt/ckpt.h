/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libckpt: save running processes into an image and bring them back.
 *
 * Every call returns -1 and sets errno when it fails.
 */
#ifndef _CKPT_H
#define _CKPT_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/checkpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ckpt_checkpoint - save a process into an image
 * @pid: the process in the caller's pid namespace, 0 for the caller itself
 * @fd: the image is written here, front to back; a file, a pipe, a socket
 * @flags: CHECKPOINT_SUBTREE and the like
 * @logfd: messages go here, or CHECKPOINT_FD_NONE
 *
 * The process goes on in any case, whether or not it could be saved.
 *
 * Return: a positive id of the image; 0 when the caller is the saved process
 * and goes on from a restart; -1 on failure.
 */
long ckpt_checkpoint(pid_t pid, int fd, unsigned long flags, int logfd);

/**
 * ckpt_restart - bring a process back, as its coordinator
 * @pid: the root of the new tasks, a child of the caller that is in, or on its
 *	way to, ckpt_restart_task()
 * @fd: the image, at its beginning
 * @flags: RESTART_FROZEN, RESTART_KEEP_LSM, RESTART_CONN_RESET
 * @logfd: messages go here, or CHECKPOINT_FD_NONE
 *
 * When this fails nothing of the new tasks is left.
 *
 * Return: 0 when the process runs again; -1 on failure.
 */
long ckpt_restart(pid_t pid, int fd, unsigned long flags, int logfd);

/**
 * ckpt_restart_task - wait to become one of the saved tasks
 * @index: position of the task in the tree of the image, from 0
 * @flags: RESTART_GHOST or 0
 *
 * Return: only on failure, with -1. On success the caller has become the saved
 * task.
 */
long ckpt_restart_task(unsigned int index, unsigned long flags);

/**
 * ckpt_restart_self - become the saved process
 * @fd: the image, at its beginning
 * @flags: RESTART_KEEP_LSM, RESTART_CONN_RESET
 * @logfd: messages go here, or CHECKPOINT_FD_NONE
 *
 * Return: only on failure, with -1.
 */
long ckpt_restart_self(int fd, unsigned long flags, int logfd);

/**
 * ckpt_available - does the running kernel have the calls?
 *
 * Return: whether it does.
 */
bool ckpt_available(void);

#ifdef __cplusplus
}
#endif

#endif /* _CKPT_H */
