/* SPDX-License-Identifier: GPL-2.0 */
/* Finding processes by their ids. */
#ifndef _CKPT_ID_INDEX_H
#define _CKPT_ID_INDEX_H

#include <stddef.h>
#include <sys/types.h>

/**
 * struct id_entry - one process
 * @id: its id
 * @index: where it is
 */
struct id_entry {
	pid_t id;
	unsigned int index;
};

/**
 * struct id_index - processes by their ids
 * @entries: sorted by id, after id_index_sort()
 * @nr_entries: their number
 */
struct id_index {
	struct id_entry *entries;
	size_t nr_entries;
};

void id_index_init(struct id_index *ids, size_t room);
void id_index_add(struct id_index *ids, pid_t id, unsigned int index);
void id_index_sort(struct id_index *ids);
int id_index_find(const struct id_index *ids, pid_t id);
void id_index_free(struct id_index *ids);

#endif /* _CKPT_ID_INDEX_H */
