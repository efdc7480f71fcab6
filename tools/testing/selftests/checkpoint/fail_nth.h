/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's injection of failures, for one task at a time. */
#ifndef _CKPT_SELFTEST_FAIL_NTH_H
#define _CKPT_SELFTEST_FAIL_NTH_H

#include <stdbool.h>
#include <sys/types.h>

#define NTH_FILE	"/proc/thread-self/fail-nth"

/* Does this kernel do it, and may we? */
bool can_inject(void);
bool set_up_injection(void);
/* In the task that this file belongs to, allocation number @nth fails. */
bool arm(int nth_fd, long nth);
/* What is left of the count, 0 if the failure happened; -1 if that fails. */
long disarm(int nth_fd);
long disarm_other(pid_t pid);
/* Is this an error that a failed allocation, or copy, leads to? */
bool is_injected(int error);

#endif /* _CKPT_SELFTEST_FAIL_NTH_H */
