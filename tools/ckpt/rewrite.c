// SPDX-License-Identifier: GPL-2.0
/*
 * Rewriting an image on its way to the kernel.
 *
 * Every record is checked and passed on; those that the user wants otherwise
 * are changed, and the tail gets the checksum of what was passed on. Nothing
 * but what the kernel would refuse as well is kept from it: if a wish cannot be
 * fulfilled, the image ends before its tail.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "outside.h"
#include "rewrite.h"
#include "util.h"

#define ROOM	(64U << 10)

/**
 * struct rewriter - where rewrite_image() is
 * @changes: what is wanted
 * @read: where the image comes from
 * @arg: for @read
 * @out: where it goes, or -1
 * @passed: bytes that went there, or NULL
 * @image: as it comes
 * @fields: copy of the present record
 * @waiting: bytes that go out before the next read
 * @nr_waiting: their number
 * @digest: of what was passed on
 * @outside: open files that lead outside
 * @replaceable: others that may be replaced
 * @inherits_met: for each descriptor that is wanted, whether it is there
 * @paths_met: for each path that is wanted, whether it is there
 * @nr_paths: strings that come next and are paths
 */
struct rewriter {
	const struct changes *changes;
	image_read_t read;
	void *arg;
	int out;
	unsigned long long *passed;
	struct image image;
	unsigned char fields[2 * CKPT_GROWTH_MAX];
	unsigned char *waiting;
	size_t nr_waiting;
	struct image_digest digest;
	struct outside_list outside;
	struct outside_list replaceable;
	bool *inherits_met;
	bool *paths_met;
	unsigned int nr_paths;
};

static int flush(struct rewriter *rewriter)
{
	size_t len = rewriter->nr_waiting;

	rewriter->nr_waiting = 0;
	if (rewriter->out < 0)
		return 0;
	if (rewriter->passed)
		*rewriter->passed += len;
	return write_all(rewriter->out, rewriter->waiting, len);
}

/* The kernel may be waiting for what has come so far. */
static ssize_t read_flushed(void *arg, void *data, size_t len)
{
	struct rewriter *rewriter = arg;

	if (flush(rewriter))
		return -1;
	return rewriter->read(rewriter->arg, data, len);
}

static int put_bytes(struct rewriter *rewriter, const void *data, size_t len)
{
	while (len) {
		size_t part = smaller(len, ROOM - rewriter->nr_waiting);

		memcpy(rewriter->waiting + rewriter->nr_waiting, data, part);
		rewriter->nr_waiting += part;
		data = (const char *)data + part;
		len -= part;
		if (rewriter->nr_waiting == ROOM && flush(rewriter))
			return -1;
	}
	return 0;
}

static int put(struct rewriter *rewriter, const void *data, size_t len)
{
	digest_records(&rewriter->digest, data, len);
	return put_bytes(rewriter, data, len);
}

static struct inherit *wanted(const struct rewriter *rewriter, int saved)
{
	const struct changes *changes = rewriter->changes;
	unsigned int i;

	for (i = 0; i < changes->nr_inherits; i++)
		if (changes->inherits[i].saved == saved)
			return &changes->inherits[i];
	return NULL;
}

static void note_met(struct rewriter *rewriter, const struct inherit *entry)
{
	rewriter->inherits_met[entry - rewriter->changes->inherits] = true;
}

static int refuse_inner(const struct inherit *entry)
{
	if (entry->is_stdio)
		return 0;
	error("--inherit-fd %d: descriptor %d of the program does not lead outside of the image, and is no file that could be replaced",
	      entry->saved, entry->saved);
	return -1;
}

/* What has only a path, and could as well have had another one. */
static bool is_replaceable(const struct ckpt_hdr_file *file)
{
	return !(file->flags & CKPT_FILE_MAPPED) &&
	       (file->kind == CKPT_FILE_REGULAR ||
		file->kind == CKPT_FILE_MEM_DEVICE);
}

/* Of --inherit-stdio: the others were looked at before. */
static int refuse_unready(const struct inherit *entry)
{
	if (entry->state == INHERIT_IMAGE)
		error("descriptor %d of the program leads outside, and ours is the image: use -i FILE, or --inherit-fd %d:N with another one",
		      entry->saved, entry->saved);
	else if (entry->state == INHERIT_LOG)
		error("descriptor %d of the program leads outside, and ours takes the log: use -l FILE",
		      entry->saved);
	else
		error("descriptor %d of the program leads outside, and ours is not open: use --inherit-fd %d:N with another one",
		      entry->saved, entry->saved);
	return -1;
}

static int change_file(struct rewriter *rewriter)
{
	struct ckpt_hdr_file *file = (void *)rewriter->fields;
	const struct inherit *entry = file->fd >= 0 ?
		wanted(rewriter, file->fd) : NULL;
	bool leads = outside_leads(file), can = leads || is_replaceable(file);

	if (can && !leads) {
		rewriter->replaceable.objref = rewriter->outside.objref;
		outside_add(&rewriter->replaceable, file);
	}
	if (!entry)
		return 0;
	note_met(rewriter, entry);
	/* --inherit-stdio is about what leads outside. */
	if (!can || (entry->is_stdio && !leads))
		return refuse_inner(entry);
	if (entry->state != INHERIT_READY)
		return refuse_unready(entry);
	file->inherit = entry->ours;
	if (file->kind == CKPT_FILE_PIPE || file->kind == CKPT_FILE_UNIX)
		file->flags |= rewriter->changes->unread_flags;
	return 0;
}

/* Two descriptors of ours that are the same file, or at least look so. */
static bool look_same(int a, int b)
{
	struct stat one, other;

	return a == b || (!fstat(a, &one) && !fstat(b, &other) &&
			  one.st_dev == other.st_dev &&
			  one.st_ino == other.st_ino);
}

/* A descriptor that shares an open file with one that came before. */
static int check_shared(const struct rewriter *rewriter,
			const struct inherit *entry,
			const struct outside *outside)
{
	const struct inherit *first = wanted(rewriter, outside->fd);

	if (!first) {
		error("--inherit-fd %d: descriptor %d of the program is the same open file as %d: use --inherit-fd %d",
		      entry->saved, entry->saved, outside->fd, outside->fd);
		return -1;
	}
	/* The first is what the program gets: fine if that was not said. */
	if (entry->state == INHERIT_READY &&
	    look_same(first->ours, entry->ours))
		return 0;
	error("descriptors %d and %d of the program are one open file, and %d and %d are two: use --inherit-fd %d:N alone",
	      first->saved, entry->saved, first->ours, entry->ours,
	      first->saved);
	return -1;
}

static int check_descriptor(struct rewriter *rewriter)
{
	const struct ckpt_hdr_file_desc *desc = (void *)rewriter->fields;
	const struct inherit *entry = wanted(rewriter, desc->fd);
	const struct outside *outside;

	if (!entry)
		return 0;
	note_met(rewriter, entry);
	outside = outside_find(&rewriter->outside, desc->file);
	if (!outside && !entry->is_stdio)
		outside = outside_find(&rewriter->replaceable, desc->file);
	if (!outside)
		return refuse_inner(entry);
	if (outside->fd == entry->saved)
		return 0;
	return check_shared(rewriter, entry, outside);
}

static int change_tail(struct rewriter *rewriter)
{
	const struct changes *changes = rewriter->changes;
	struct ckpt_hdr_tail *tail = (void *)rewriter->fields;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < changes->nr_inherits; i++) {
		const struct inherit *entry = &changes->inherits[i];

		if (rewriter->inherits_met[i] || entry->is_stdio)
			continue;
		error("--inherit-fd %d: the program had no descriptor %d",
		      entry->saved, entry->saved);
		ret = -1;
	}
	for (i = 0; i < changes->nr_paths; i++) {
		if (rewriter->paths_met[i])
			continue;
		error("--file %s=%s: the program had no such file",
		      changes->paths[i].from, changes->paths[i].to);
		ret = -1;
	}
	digest_end(&rewriter->digest, tail);
	if (ret || !changes->freezer.dir || rewriter->out < 0)
		return ret;
	return flush(rewriter) ||
	       freezer_freeze_when_read(&changes->freezer, rewriter->out) ? -1 : 0;
}

/* Return: whether the record may go on. */
static int change_record(struct rewriter *rewriter)
{
	switch (rewriter->image.record.type->type) {
	case CKPT_HDR_FILE:
		return change_file(rewriter);
	case CKPT_HDR_FILE_DESC:
		return check_descriptor(rewriter);
	case CKPT_HDR_FILE_PATH:
		((struct ckpt_hdr_file_path *)rewriter->fields)->flags |=
			rewriter->changes->path_flags;
		rewriter->nr_paths = 1;
		return 0;
	case CKPT_HDR_UNLINKED:
	case CKPT_HDR_REMOVED_DIRECTORY:
		rewriter->nr_paths = 1;
		return 0;
	case CKPT_HDR_FS:
		rewriter->nr_paths =
			((struct ckpt_hdr_fs *)rewriter->fields)->removed_pwd ? 1 : 2;
		return 0;
	case CKPT_HDR_TAIL:
		return change_tail(rewriter);
	default:
		return 0;
	}
}

static const char *changed_path(struct rewriter *rewriter, const char *from)
{
	const struct changes *changes = rewriter->changes;
	unsigned int i;

	for (i = 0; i < changes->nr_paths; i++) {
		if (strcmp(changes->paths[i].from, from))
			continue;
		rewriter->paths_met[i] = true;
		return changes->paths[i].to;
	}
	return NULL;
}

static int put_text(struct rewriter *rewriter, const char *text)
{
	size_t len = (strlen(text) + sizeof(u64)) & ~(sizeof(u64) - 1);
	char padded[CKPT_TEXT_MAX] = { 0 };
	struct ckpt_hdr header = {
		.type	= CKPT_HDR_STRING,
		.len	= sizeof(header) + len,
	};

	memcpy(padded, text, strlen(text));
	return put(rewriter, &header, sizeof(header)) ||
	       put(rewriter, padded, len) ? -1 : 0;
}

static int pass_pages(struct rewriter *rewriter)
{
	const void *data;
	ssize_t got;

	while ((got = image_pages(&rewriter->image, &data)) > 0) {
		digest_pages(&rewriter->digest, data, got);
		if (put_bytes(rewriter, data, got))
			return -1;
	}
	return got;
}

static int pass_record(struct rewriter *rewriter)
{
	const struct image_record *record = &rewriter->image.record;
	size_t len = record->len - record->tail_len;
	bool is_text = record->type->type == CKPT_HDR_STRING;
	const char *text = is_text ? image_text(record) : NULL;
	const char *path = NULL;

	/* What an older version lacks is zero. */
	memcpy(rewriter->fields, record->fields,
	       len < record->type->size ? record->type->size : len);
	outside_note(&rewriter->outside, record->type->type, record->fields,
		     text);
	if (change_record(rewriter))
		return -1;
	if (is_text && rewriter->nr_paths) {
		rewriter->nr_paths--;
		path = changed_path(rewriter, text);
	}
	if (path)
		return put_text(rewriter, path);
	if (put(rewriter, rewriter->fields, len))
		return -1;
	if (record->type->tail == CKPT_TAIL_PAGES)
		return pass_pages(rewriter);
	return put(rewriter, record->tail, record->tail_len);
}

static int pass_all(struct rewriter *rewriter)
{
	struct image *image = &rewriter->image;
	enum image_result result;

	while ((result = image_next(image)) == IMAGE_RECORD)
		if (pass_record(rewriter))
			break;
	if (result == IMAGE_BAD || *image->error)
		error("the image is no good: at byte %llu: %s",
		      image->record.offset, image->error);
	/* After a failure the kernel would only find the image too short. */
	return result == IMAGE_END ? flush(rewriter) : -1;
}

/**
 * rewrite_image - pass an image on, with what is wanted otherwise
 * @changes: what is wanted
 * @read: where the image comes from
 * @arg: for @read
 * @out: where it goes; -1 for nowhere, to find out whether it can be done
 * @passed: counts the bytes that went there, or NULL
 *
 * Return: 0, or -1 after a message.
 */
int rewrite_image(const struct changes *changes, image_read_t read, void *arg,
		  int out, unsigned long long *passed)
{
	struct rewriter *rewriter = must_alloc(sizeof(*rewriter));
	int ret;

	rewriter->changes = changes;
	rewriter->read = read;
	rewriter->arg = arg;
	rewriter->out = out;
	rewriter->passed = passed;
	rewriter->waiting = must_alloc(ROOM);
	rewriter->inherits_met = must_alloc(changes->nr_inherits);
	rewriter->paths_met = must_alloc(changes->nr_paths);
	digest_start(&rewriter->digest);
	image_open(&rewriter->image, read_flushed, rewriter);
	rewriter->image.ends_at_tail = true;

	ret = pass_all(rewriter);
	image_close(&rewriter->image);
	outside_free(&rewriter->outside);
	outside_free(&rewriter->replaceable);
	free(rewriter->inherits_met);
	free(rewriter->paths_met);
	free(rewriter->waiting);
	free(rewriter);
	return ret;
}
