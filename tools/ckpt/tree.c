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

static void add_task(struct forest *forest, const struct ckpt_hdr_pids *ids)
{
	unsigned int nr_tasks = forest->nr_tasks;

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
		.is_dead	= ids->flags & CKPT_PIDS_DEAD,
		.is_subreaper	= ids->flags & CKPT_PIDS_SUBREAPER,
	};
	forest->nr_tasks++;
}

static int read_records(struct forest *forest, struct image *image)
{
	unsigned int wanted = 0;

	while (!wanted || forest->nr_tasks < wanted) {
		enum image_result result = image_next(image);
		const void *fields = image->record.fields;

		if (result != IMAGE_RECORD) {
			snprintf(forest->error, sizeof(forest->error),
				 "at byte %llu: %s",
				 image->record.offset,
				 image->error);
			return -1;
		}
		if (image->record.type->type == CKPT_HDR_ERROR) {
			snprintf(forest->error, sizeof(forest->error),
				 "it holds the record of a failed checkpoint");
			return -1;
		}
		if (image->record.type->type == CKPT_HDR_TREE) {
			wanted = ((const struct ckpt_hdr_tree *)fields)->nr_tasks;
			continue;
		}
		if (!wanted)
			continue;
		if (image->record.type->type != CKPT_HDR_PIDS) {
			snprintf(forest->error, sizeof(forest->error),
				 "the ids of %u tasks are missing",
				 wanted - forest->nr_tasks);
			return -1;
		}
		add_task(forest, fields);
	}
	return 0;
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
	image_open(&image, read_prefix, &reader);
	ret = read_records(forest, &image);
	forest->is_packed = unpacker_format(image.unpacker);
	image_close(&image);
	return ret;
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
