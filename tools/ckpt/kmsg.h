/* SPDX-License-Identifier: GPL-2.0 */
/* The messages that the kernel writes while it saves or restores. */
#ifndef _CKPT_KMSG_H
#define _CKPT_KMSG_H

#include <stdbool.h>

/**
 * struct kmsg - where the kernel's messages go
 * @fd: for the system call
 * @is_ours: the user named no place: show them if the call fails
 */
struct kmsg {
	int fd;
	bool is_ours;
};

int kmsg_open(struct kmsg *kmsg, const char *file, int fd);
void kmsg_show(struct kmsg *kmsg);

#endif /* _CKPT_KMSG_H */
