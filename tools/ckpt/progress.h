/* SPDX-License-Identifier: GPL-2.0 */
/* How far a long system call has come. */
#ifndef _CKPT_PROGRESS_H
#define _CKPT_PROGRESS_H

#include <sys/types.h>

pid_t progress_start(int fd, const char *verb);
void progress_stop(pid_t pid);

#endif /* _CKPT_PROGRESS_H */
