/* SPDX-License-Identifier: GPL-2.0 */
/* Ending a process and all its descendants. */
#ifndef _CKPT_KILL_TREE_H
#define _CKPT_KILL_TREE_H

#include <sys/types.h>

int kill_tree(pid_t root, int root_fd);

#endif /* _CKPT_KILL_TREE_H */
