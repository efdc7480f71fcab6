/* SPDX-License-Identifier: GPL-2.0 */
/* The tasks of an image, read before the kernel gets it. */
#ifndef _CKPT_TREE_H
#define _CKPT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct forest_task - ids of one task, as in struct ckpt_hdr_pids
 * @pid: thread id
 * @tgid: thread group
 * @ppid: parent
 * @pgid: process group
 * @sid: session
 * @is_dead: it has exited, and nobody has waited for it
 * @is_subreaper: it adopts orphans among its descendants
 */
struct forest_task {
	pid_t pid;
	pid_t tgid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
	bool is_dead;
	bool is_subreaper;
};

/**
 * struct forest - the tasks of an image
 * @tasks: in the order of the image; the first is the root
 * @nr_tasks: their number
 * @prefix: bytes of the image read so far, if they cannot be read again
 * @prefix_len: their number
 * @is_seekable: they can
 * @is_packed: it is compressed
 * @error: why the image could not be read
 */
struct forest {
	struct forest_task *tasks;
	unsigned int nr_tasks;
	void *prefix;
	size_t prefix_len;
	bool is_seekable;
	bool is_packed;
	char error[320];
};

int forest_read(struct forest *forest, int fd);
bool forest_leads_group(const struct forest_task *task);
bool forest_leads_session(const struct forest_task *task);

#endif /* _CKPT_TREE_H */
