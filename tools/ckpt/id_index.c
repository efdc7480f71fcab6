// SPDX-License-Identifier: GPL-2.0
/* Finding processes by their ids. */
#include <stdlib.h>

#include "id_index.h"
#include "util.h"

/**
 * id_index_init - make an empty index
 * @ids: the index
 * @room: for so many, at least 1
 */
void id_index_init(struct id_index *ids, size_t room)
{
	ids->entries = must_alloc(room * sizeof(*ids->entries));
	ids->nr_entries = 0;
}

/**
 * id_index_add - append a process
 * @ids: the index, with room for it
 * @id: its id
 * @index: where it is
 */
void id_index_add(struct id_index *ids, pid_t id, unsigned int index)
{
	ids->entries[ids->nr_entries++] = (struct id_entry) { id, index };
}

static int compare(const void *one, const void *other)
{
	pid_t left = ((const struct id_entry *)one)->id;
	pid_t right = ((const struct id_entry *)other)->id;

	return (left > right) - (left < right);
}

/**
 * id_index_sort - make id_index_find() possible
 * @ids: the index; nothing is added any more
 */
void id_index_sort(struct id_index *ids)
{
	qsort(ids->entries, ids->nr_entries, sizeof(*ids->entries), compare);
}

/**
 * id_index_find - where a process is
 * @ids: sorted
 * @id: its id
 *
 * Return: what it was added with, or -1.
 */
int id_index_find(const struct id_index *ids, pid_t id)
{
	struct id_entry wanted = { .id = id };
	const struct id_entry *found;

	found = bsearch(&wanted, ids->entries, ids->nr_entries, sizeof(wanted), compare);
	return found ? (int)found->index : -1;
}

/**
 * id_index_free - forget an index
 * @ids: the index
 */
void id_index_free(struct id_index *ids)
{
	free(ids->entries);
}
