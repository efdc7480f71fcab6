// SPDX-License-Identifier: GPL-2.0
/*
 * The tasks of an image, read before the kernel gets it.
 *
 * The tool has to know the ids to create the tasks, and the kernel wants the
 * image from its beginning. A file is read with pread(), which leaves its
 * position alone. What comes through a pipe or a socket is kept for the feeder,
 * compressed if it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "id_index.h"
#include "image.h"
#include "tree.h"
#include "util.h"

/* From a pipe: little at a time, so that little has to be kept. */
#define READ_MAX	4096

/**
 * struct prefix_reader - where forest_read() is
 * @fd: the image
 * @at: position in a file
 * @forest: the result; keeps what cannot be read again
 */
struct prefix_reader {
	int fd;
	off_t at;
	struct forest *forest;
};

static ssize_t read_prefix(void *arg, void *data, size_t len)
{
	struct prefix_reader *reader = arg;
	struct forest *forest = reader->forest;
	ssize_t got;

	if (forest->is_seekable) {
		got = pread(reader->fd, data, len, reader->at);
		if (got > 0)
			reader->at += got;
		return got;
	}
	got = read(reader->fd, data, smaller(len, READ_MAX));
	if (got > 0) {
		forest->prefix = must_grow(forest->prefix,
					   forest->prefix_len + got);
		memcpy((char *)forest->prefix + forest->prefix_len, data, got);
		forest->prefix_len += got;
	}
	return got;
}

static int refuse(struct forest *forest, const char *what, unsigned int number)
{
	snprintf(forest->error, sizeof(forest->error), "%s %u", what, number);
	return -1;
}

/* Index of a pid namespace, or -1. */
static int find_ns(const struct forest *forest, unsigned int objref)
{
	unsigned int i;

	for (i = 0; i < forest->nr_namespaces; i++)
		if (forest->namespaces[i].objref == objref)
			return i;
	return -1;
}

static int add_ns(struct forest *forest, unsigned int objref, unsigned int outside)
{
	struct forest_ns ns = { .objref = objref };
	int parent = 0;

	if (objref) {
		parent = find_ns(forest, outside);
		if (parent < 0)
			return refuse(forest, "unknown pid namespace", outside);
		ns.parent = parent;
		ns.level = forest->namespaces[parent].level + 1;
	}
	if (ns.level >= FOREST_LEVELS)
		return refuse(forest, "pid namespaces are nested too deep:", ns.level);
	forest->namespaces = must_grow(forest->namespaces,
				       (forest->nr_namespaces + 1) * sizeof(ns));
	forest->namespaces[forest->nr_namespaces++] = ns;
	return 0;
}

static int add_nested(struct forest *forest, const struct ckpt_hdr_nested_pid *record)
{
	unsigned int nr_nested = forest->nr_nested;
	int ns = find_ns(forest, record->pid_ns);

	if (ns < 0)
		return refuse(forest, "unknown pid namespace", record->pid_ns);
	if (!(nr_nested & (nr_nested - 1)))
		forest->nested = must_grow(forest->nested,
					   (nr_nested ? nr_nested * 2UL : 1) *
					   sizeof(*forest->nested));
	forest->nested[nr_nested] = (struct forest_nested) {
		.pid	= record->pid,
		.ns	= ns,
		.id	= record->nested_pid,
	};
	forest->nr_nested++;
	return 0;
}

static int add_task(struct forest *forest, const struct ckpt_hdr_pids *ids)
{
	int ns = find_ns(forest, ids->pid_ns);
	unsigned int nr_tasks = forest->nr_tasks;

	if (ns < 0)
		return refuse(forest, "unknown pid namespace", ids->pid_ns);
	/* Room for a power of two: grow when one is reached. */
	if (!(nr_tasks & (nr_tasks - 1)))
		forest->tasks = must_grow(forest->tasks,
					  (nr_tasks ? nr_tasks * 2UL : 1) *
					  sizeof(*forest->tasks));
	forest->tasks[nr_tasks] = (struct forest_task) {
		.pid	= ids->pid,
		.tgid	= ids->tgid,
		.ppid	= ids->ppid,
		.pgid	= ids->pgid,
		.sid	= ids->sid,
		.place	= { .pid = ids->pid, .ns = ns },
		.is_dead	= ids->flags & CKPT_PIDS_DEAD,
		.is_subreaper	= ids->flags & CKPT_PIDS_SUBREAPER,
	};
	forest->nr_tasks++;
	return 0;
}

/**
 * struct counts - what the tree of an image has
 * @nr_tasks: tasks; 0: their number was not read yet
 * @nr_nested: ids below the pid namespace of the root
 * @objref: object that is being read
 */
struct counts {
	unsigned int nr_tasks;
	unsigned int nr_nested;
	unsigned int objref;
};

static int read_record(struct forest *forest, const struct image *image,
		       struct counts *counts)
{
	const void *fields = image->record.fields;
	const struct ckpt_hdr_pid_ns *pid_ns = fields;
	const struct ckpt_hdr_tree *tree = fields;

	switch (image->record.type->type) {
	case CKPT_HDR_TREE:
		counts->nr_tasks = tree->nr_tasks;
		counts->nr_nested = tree->nr_nested_pids;
		return 0;
	case CKPT_HDR_OBJREF:
		counts->objref = ((const struct ckpt_hdr_objref *)fields)->objref;
		return 0;
	case CKPT_HDR_PID_NS:
		return add_ns(forest, counts->objref, pid_ns->parent);
	case CKPT_HDR_PIDS:
		return add_task(forest, fields);
	case CKPT_HDR_NESTED_PID:
		return add_nested(forest, fields);
	case CKPT_HDR_ERROR:
		snprintf(forest->error, sizeof(forest->error),
			 "it holds the record of a failed checkpoint");
		return -1;
	}
	if (!counts->nr_tasks)
		return 0;
	snprintf(forest->error, sizeof(forest->error), "the ids of %u tasks are missing",
		 counts->nr_tasks - forest->nr_tasks);
	return -1;
}

static int read_records(struct forest *forest, struct image *image)
{
	struct counts counts = { 0 };

	while (!counts.nr_tasks || forest->nr_tasks < counts.nr_tasks ||
	       forest->nr_nested < counts.nr_nested) {
		if (image_next(image) != IMAGE_RECORD) {
			snprintf(forest->error, sizeof(forest->error),
				 "at byte %llu: %s",
				 image->record.offset,
				 image->error);
			return -1;
		}
		if (read_record(forest, image, &counts))
			return -1;
	}
	return 0;
}

/* The ids of one task or ghost, the outermost first. Return: how many, or 0. */
static unsigned int chain_length(const struct forest *forest, unsigned int first)
{
	unsigned int ns = 0, i;

	for (i = first; i < forest->nr_nested &&
	     forest->nested[i].pid == forest->nested[first].pid; i++) {
		if (forest->namespaces[forest->nested[i].ns].parent != ns)
			return 0;
		ns = forest->nested[i].ns;
	}
	return i - first;
}

static int place_ids(struct forest *forest, struct forest_task *task, unsigned int first,
		     unsigned int length)
{
	const struct forest_nested *last = &forest->nested[first + length - 1];

	if (last->ns != task->place.ns)
		return refuse(forest, "not all ids are known of task", task->pid);
	task->place.first = first;
	if (last->id == 1)
		forest->namespaces[last->ns].init = task - forest->tasks;
	return 0;
}

static int place_all(struct forest *forest, const struct id_index *by_id)
{
	unsigned int i, length;

	for (i = 0; i < forest->nr_nested; i += length) {
		int task = id_index_find(by_id, forest->nested[i].pid);

		length = chain_length(forest, i);
		if (!length)
			return refuse(forest, "the ids are in no order of task",
				      forest->nested[i].pid);
		if (task >= 0 && place_ids(forest, &forest->tasks[task], i, length))
			return -1;
	}
	for (i = 0; i < forest->nr_tasks; i++) {
		const struct forest_place *place = &forest->tasks[i].place;

		if (place->ns && (!forest->nr_nested ||
				  forest->nested[place->first].pid != place->pid))
			return refuse(forest, "not all ids are known of task", place->pid);
	}
	for (i = 1; i < forest->nr_namespaces; i++)
		if (!forest->namespaces[i].init)
			return refuse(forest, "nobody is the init of pid namespace",
				      forest->namespaces[i].objref);
	return 0;
}

static int place_tasks(struct forest *forest)
{
	struct id_index by_id;
	unsigned int i;
	int ret;

	if (forest->nr_namespaces == 1)
		return 0;
	id_index_init(&by_id, forest->nr_tasks);
	for (i = 0; i < forest->nr_tasks; i++)
		id_index_add(&by_id, forest->tasks[i].pid, i);
	id_index_sort(&by_id);
	ret = place_all(forest, &by_id);
	id_index_free(&by_id);
	return ret;
}

/**
 * forest_read - read the ids of the tasks
 * @forest: filled in
 * @fd: the image, at its beginning
 *
 * Return: 0, or -1 with forest.error set.
 */
int forest_read(struct forest *forest, int fd)
{
	struct prefix_reader reader = { .fd = fd, .forest = forest };
	struct image image;
	int ret;

	*forest = (struct forest) { 0 };
	reader.at = lseek(fd, 0, SEEK_CUR);
	forest->is_seekable = reader.at >= 0;
	add_ns(forest, 0, 0);
	image_open(&image, read_prefix, &reader);
	ret = read_records(forest, &image);
	forest->is_packed = unpacker_format(image.unpacker);
	image_close(&image);
	return ret ? ret : place_tasks(forest);
}

/**
 * forest_free - forget the tasks
 * @forest: read, or not
 */
void forest_free(struct forest *forest)
{
	free(forest->tasks);
	free(forest->namespaces);
	free(forest->nested);
	free(forest->prefix);
}

/**
 * forest_is_init - does a pid namespace begin and end with the task?
 * @forest: the tasks
 * @index: of the task
 *
 * Return: whether it does.
 */
bool forest_is_init(const struct forest *forest, unsigned int index)
{
	const struct forest_place *place = &forest->tasks[index].place;

	if (!place->ns)
		return place->pid == 1;
	return forest->namespaces[place->ns].init == index;
}

/**
 * forest_is_within - is a pid namespace another one, or below it?
 * @forest: has them
 * @ns: index of one
 * @outer: index of the other
 *
 * Return: whether it is.
 */
bool forest_is_within(const struct forest *forest, unsigned int ns, unsigned int outer)
{
	while (ns && ns != outer)
		ns = forest->namespaces[ns].parent;
	return ns == outer;
}

/**
 * forest_id - how a task is called in a pid namespace
 * @forest: has both
 * @place: of the task
 * @ns: index of the pid namespace
 *
 * Return: the id that it had there, or 0 if it had none.
 */
pid_t forest_id(const struct forest *forest, const struct forest_place *place,
		unsigned int ns)
{
	if (!forest_is_within(forest, place->ns, ns))
		return 0;
	if (!ns)
		return place->pid;
	return forest->nested[place->first + forest->namespaces[ns].level - 1].id;
}

/**
 * forest_find_left - where one was who is gone, and has left its id to others
 * @forest: has the ids
 * @pid: id in the pid namespace of the root
 *
 * Return: the place.
 */
struct forest_place forest_find_left(const struct forest *forest, pid_t pid)
{
	struct forest_place place = { .pid = pid };
	unsigned int i;

	for (i = 0; i < forest->nr_nested; i++) {
		if (forest->nested[i].pid != pid)
			continue;
		if (!place.ns)
			place.first = i;
		place.ns = forest->nested[i].ns;
	}
	return place;
}

/**
 * forest_leads_group - did the task lead its process group?
 * @task: the task
 *
 * Return: whether it did.
 */
bool forest_leads_group(const struct forest_task *task)
{
	return task->pgid == task->pid;
}

/**
 * forest_leads_session - did the task lead its session?
 * @task: the task
 *
 * Return: whether it did.
 */
bool forest_leads_session(const struct forest_task *task)
{
	return task->sid == task->pid;
}
