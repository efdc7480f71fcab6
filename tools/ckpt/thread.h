/* SPDX-License-Identifier: GPL-2.0 */
/* Creating threads that become saved ones. */
#ifndef _CKPT_THREAD_H
#define _CKPT_THREAD_H

#include <sys/types.h>

int create_thread(const pid_t *wanted, unsigned int nr_wanted, unsigned int index);

#endif /* _CKPT_THREAD_H */
