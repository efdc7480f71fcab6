/* SPDX-License-Identifier: GPL-2.0 */
/* The tasks of an image, read before the kernel gets it. */
#ifndef _CKPT_TREE_H
#define _CKPT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct forest_ns - a pid namespace; the first one is that of the root
 * @objref: its id in the image
 * @parent: index of the one that it is in
 * @level: below that of the root
 * @init: index of the task that is its init
 */
struct forest_ns {
	unsigned int objref;
	unsigned int parent;
	unsigned int level;
	unsigned int init;
};

/**
 * struct forest_place - where a task is, or what is left of one
 * @pid: its id in the pid namespace of the root
 * @ns: index of its pid namespace
 * @first: of its ids in those below that of the root, in struct forest.nested
 */
struct forest_place {
	pid_t pid;
	unsigned int ns;
	unsigned int first;
};

/**
 * struct forest_nested - an id below the pid namespace of the root
 * @pid: that in the pid namespace of the root
 * @ns: index of the pid namespace
 * @id: there
 */
struct forest_nested {
	pid_t pid;
	unsigned int ns;
	pid_t id;
};

/* Levels of pid namespaces, that of the root included. */
#define FOREST_LEVELS	33

/**
 * struct forest_task - ids of one task, as in struct ckpt_hdr_pids
 * @pid: thread id
 * @tgid: thread group
 * @ppid: parent
 * @pgid: process group
 * @sid: session
 * @place: its ids in all pid namespaces
 * @is_dead: it has exited, and nobody has waited for it
 * @is_subreaper: it adopts orphans among its descendants
 */
struct forest_task {
	pid_t pid;
	pid_t tgid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
	struct forest_place place;
	bool is_dead;
	bool is_subreaper;
};

/**
 * struct forest - the tasks of an image
 * @tasks: in the order of the image; the first is the root
 * @nr_tasks: their number
 * @namespaces: pid namespaces that tasks are in
 * @nr_namespaces: their number, at least 1
 * @nested: ids below that of the root, the outermost of each task first
 * @nr_nested: their number
 * @prefix: bytes of the image read so far, if they cannot be read again
 * @prefix_len: their number
 * @is_seekable: they can
 * @is_packed: it is compressed
 * @error: why the image could not be read
 */
struct forest {
	struct forest_task *tasks;
	unsigned int nr_tasks;
	struct forest_ns *namespaces;
	unsigned int nr_namespaces;
	struct forest_nested *nested;
	unsigned int nr_nested;
	void *prefix;
	size_t prefix_len;
	bool is_seekable;
	bool is_packed;
	char error[320];
};

int forest_read(struct forest *forest, int fd);
void forest_free(struct forest *forest);
bool forest_is_init(const struct forest *forest, unsigned int index);
bool forest_is_within(const struct forest *forest, unsigned int ns, unsigned int outer);
pid_t forest_id(const struct forest *forest, const struct forest_place *place,
		unsigned int ns);
struct forest_place forest_find_left(const struct forest *forest, pid_t pid);
bool forest_leads_group(const struct forest_task *task);
bool forest_leads_session(const struct forest_task *task);

#endif /* _CKPT_TREE_H */
