/* SPDX-License-Identifier: GPL-2.0 */
/* How far a long system call has come. */
#ifndef _CKPT_PROGRESS_H
#define _CKPT_PROGRESS_H

#include <sys/types.h>

unsigned long long *progress_counter(void);
pid_t progress_start(int fd, const char *verb,
		     const unsigned long long *image_size);
void progress_stop(pid_t pid);

#endif /* _CKPT_PROGRESS_H */
