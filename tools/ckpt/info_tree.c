// SPDX-License-Identifier: GPL-2.0
/* The tasks of an image as a tree, each process below its parent. */
#include <stdlib.h>
#include <string.h>

#include "ckptinfo.h"
#include "id_index.h"
#include "util.h"

/* Deeper ones are shown as if they were here. */
#define INDENT_MAX	40

/**
 * struct info_task - a task of the image
 * @ids: from its record
 * @first_nested: of its ids below the pid namespace of the first task
 * @nr_nested: their number
 * @comm: its name, empty if the image ends before
 * @nr_threads: of a process
 * @first_child: index of a process, or 0
 * @last_child: likewise
 * @next_sibling: likewise
 * @is_placed: it is below its parent, or the root
 */
struct info_task {
	struct ckpt_hdr_pids ids;
	unsigned int first_nested;
	unsigned int nr_nested;
	unsigned char comm[16];
	unsigned int nr_threads;
	unsigned int first_child;
	unsigned int last_child;
	unsigned int next_sibling;
	bool is_placed;
};

static struct {
	struct info_task *tasks;
	unsigned int nr_tasks;
	unsigned int nr_named;
	struct ckpt_hdr_nested_pid *nested;
	unsigned int nr_nested;
} tree;

static void tree_begin(const struct info_options *options)
{
	(void)options;
	memset(&tree, 0, sizeof(tree));
}

static void add_task(const struct ckpt_hdr_pids *ids)
{
	/* Room for a power of two: grow when one is reached. */
	if (!(tree.nr_tasks & (tree.nr_tasks - 1)))
		tree.tasks = must_grow(tree.tasks, (tree.nr_tasks ? tree.nr_tasks * 2UL : 1) *
						   sizeof(*tree.tasks));
	tree.tasks[tree.nr_tasks++] = (struct info_task) { .ids = *ids };
}

static void add_nested(const struct ckpt_hdr_nested_pid *record)
{
	unsigned int nr = tree.nr_nested;

	if (!(nr & (nr - 1)))
		tree.nested = must_grow(tree.nested,
					(nr ? nr * 2UL : 1) * sizeof(*tree.nested));
	tree.nested[tree.nr_nested++] = *record;
}

/* In the order of the ids. */
static void name_task(const u8 *comm)
{
	if (tree.nr_named < tree.nr_tasks)
		memcpy(tree.tasks[tree.nr_named++].comm, comm,
		       sizeof(tree.tasks[0].comm));
}

static void tree_record(const struct info_options *options, struct image *image)
{
	const void *fields = image->record.fields;

	(void)options;
	switch (image->record.type->type) {
	case CKPT_HDR_PIDS:
		add_task(fields);
		break;
	case CKPT_HDR_NESTED_PID:
		add_nested(fields);
		break;
	case CKPT_HDR_TASK:
		name_task(((const struct ckpt_hdr_task *)fields)->comm);
		break;
	case CKPT_HDR_TASK_DEAD:
		name_task(((const struct ckpt_hdr_task_dead *)fields)->comm);
		break;
	}
}

static bool is_thread(const struct info_task *task)
{
	return task->ids.pid != task->ids.tgid;
}

static void place_below(unsigned int index, unsigned int parent)
{
	struct info_task *above = &tree.tasks[parent];

	if (above->first_child)
		tree.tasks[above->last_child].next_sibling = index;
	else
		above->first_child = index;
	above->last_child = index;
	tree.tasks[index].is_placed = true;
}

/* A parent comes before its children, or the image is none that a restart takes. */
static void place_task(const struct id_index *processes, unsigned int index)
{
	const struct info_task *task = &tree.tasks[index];
	int found = id_index_find(processes, is_thread(task) ? task->ids.tgid : task->ids.ppid);

	if (found < 0 || (unsigned int)found >= index)
		return;
	if (is_thread(task))
		tree.tasks[found].nr_threads++;
	else
		place_below(index, found);
}

/* Those of a task stand together. */
static void place_nested(void)
{
	struct id_index tasks;
	unsigned int i;

	id_index_init(&tasks, tree.nr_tasks);
	for (i = 0; i < tree.nr_tasks; i++)
		id_index_add(&tasks, tree.tasks[i].ids.pid, i);
	id_index_sort(&tasks);
	for (i = tree.nr_nested; i-- > 0;) {
		int found = id_index_find(&tasks, tree.nested[i].pid);

		if (found < 0)
			continue;
		tree.tasks[found].first_nested = i;
		tree.tasks[found].nr_nested++;
	}
	id_index_free(&tasks);
}

static void place_all(void)
{
	struct id_index processes;
	unsigned int i;

	place_nested();

	id_index_init(&processes, tree.nr_tasks);
	for (i = 0; i < tree.nr_tasks; i++)
		if (!is_thread(&tree.tasks[i]))
			id_index_add(&processes, tree.tasks[i].ids.pid, i);
	id_index_sort(&processes);
	tree.tasks[0].is_placed = true;
	for (i = 1; i < tree.nr_tasks; i++)
		place_task(&processes, i);
	id_index_free(&processes);
}

static void print_task(const struct info_task *task, unsigned int depth)
{
	char comm[4 * sizeof(task->comm) + 1];
	const char *text = (const char *)task->comm;
	unsigned int i;

	clean_text(comm, sizeof(comm), text, strnlen(text, sizeof(task->comm)));
	printf("%8u %8u %8u %8u %8u %6u  %*s%s%s", task->ids.pid, task->ids.ppid,
	       task->ids.tgid, task->ids.pgid, task->ids.sid, task->ids.depth,
	       (int)smaller(2 * depth, INDENT_MAX), "", depth ? "\\_ " : "", comm);
	if (task->nr_threads)
		printf(" (%u threads)", task->nr_threads + 1);
	if (task->ids.flags & CKPT_PIDS_DEAD)
		printf(" (dead)");
	if (task->ids.flags & CKPT_PIDS_SUBREAPER)
		printf(" (adopts orphans)");
	/* The outermost first; not those of others, if they are in no order. */
	for (i = 0; i < task->nr_nested && task->first_nested + i < tree.nr_nested; i++) {
		const struct ckpt_hdr_nested_pid *nested = &tree.nested[task->first_nested + i];

		if (nested->pid != task->ids.pid)
			break;
		printf("%s%u", i ? " / " : ", inside ", nested->nested_pid);
	}
	putchar('\n');
}

static void print_threads(unsigned int process, unsigned int depth)
{
	unsigned int i;

	/* They follow their process. */
	for (i = process + 1; i < tree.nr_tasks && is_thread(&tree.tasks[i]); i++)
		print_task(&tree.tasks[i], depth);
}

/* Without recursion: the image says how deep it is. */
static void print_below(unsigned int root)
{
	unsigned int *parents = must_alloc(tree.nr_tasks * sizeof(*parents));
	unsigned int depth = 0, index = root;

	for (;;) {
		print_task(&tree.tasks[index], depth);
		print_threads(index, depth + 1);
		if (tree.tasks[index].first_child) {
			parents[depth++] = index;
			index = tree.tasks[index].first_child;
			continue;
		}
		while (depth && !tree.tasks[index].next_sibling)
			index = parents[--depth];
		if (!depth)
			break;
		index = tree.tasks[index].next_sibling;
	}
	free(parents);
}

static void tree_end(const struct info_options *options, const struct image *image,
		     enum image_result result)
{
	unsigned int i;

	(void)options;
	printf("%8s %8s %8s %8s %8s %6s  %s\n", "pid", "ppid", "tgid", "pgid", "sid",
	       "depth", "task");
	if (tree.nr_tasks) {
		place_all();
		print_below(0);
	}
	for (i = 1; i < tree.nr_tasks; i++)
		if (!tree.tasks[i].is_placed && !is_thread(&tree.tasks[i]))
			print_below(i);
	free(tree.tasks);
	free(tree.nested);
	if (result == IMAGE_BAD || image->is_failed)
		image_print_verdict(image, result);
}

const struct info_view info_pids = {
	.begin	= tree_begin,
	.record	= tree_record,
	.end	= tree_end,
};
