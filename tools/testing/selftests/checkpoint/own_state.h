/* SPDX-License-Identifier: GPL-2.0 */
/* What a restart that fails must not change in its caller. */
#ifndef _CKPT_SELFTEST_OWN_STATE_H
#define _CKPT_SELFTEST_OWN_STATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "control.h"

/**
 * struct own_state - a few marks of a process
 * @memory: bytes of its address space, as /proc says
 * @name: of the program
 * @blocked: signals
 * @lowest_fd: the first free descriptor
 * @session: its id
 */
struct own_state {
	char memory[64];
	char name[16];
	u64 blocked;
	int lowest_fd;
	pid_t session;
};

/* Ends the caller if that fails. */
void look_at_oneself(struct own_state *own);
bool is_same_state(const struct own_state *before, const struct own_state *after);

#endif /* _CKPT_SELFTEST_OWN_STATE_H */
