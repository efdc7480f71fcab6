// SPDX-License-Identifier: GPL-2.0
/*
 * Open files of an image that lead outside of it: to a terminal, to a process
 * that is not in the image, to what cannot be saved. Who restarts has to connect
 * them to something.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outside.h"
#include "util.h"

#define WINDOW	(64U << 10)

/**
 * outside_leads - does an open file lead outside?
 * @file: its first record
 *
 * Return: whether it does.
 */
bool outside_leads(const struct ckpt_hdr_file *file)
{
	return file->flags & CKPT_FILE_OUTSIDE;
}

/**
 * outside_type - what is outside, in a word
 * @file: an entry
 *
 * Return: the word.
 */
const char *outside_type(const struct outside *file)
{
	if (file->kind == CKPT_FILE_PIPE)
		return "pipe";
	if (file->kind == CKPT_FILE_UNIX)
		return "socket";
	return file->type == CKPT_EXTERNAL_OTHER ? "file" : "terminal";
}

/**
 * outside_add - append the entry of an open file
 * @list: what was found so far, with the id of the last object
 * @file: its first record
 */
void outside_add(struct outside_list *list, const struct ckpt_hdr_file *file)
{
	list->files = must_grow(list->files, (list->nr_files + 1) *
				sizeof(*list->files));
	list->files[list->nr_files++] = (struct outside) {
		.objref	= list->objref,
		.fd	= file->fd,
		.kind	= file->kind,
	};
}

/**
 * outside_note - look at the next record of an image
 * @list: what was found so far
 * @type: enum ckpt_hdr_type
 * @fields: the record in the form of its C structure
 * @text: of a string, else anything
 *
 * Return: whether this record completed an entry, the last of the list.
 */
bool outside_note(struct outside_list *list, u32 type, const void *fields,
		  const char *text)
{
	struct outside *last = list->nr_files ?
		&list->files[list->nr_files - 1] : NULL;

	switch (type) {
	case CKPT_HDR_OBJREF:
		list->objref = ((const struct ckpt_hdr_objref *)fields)->objref;
		break;
	case CKPT_HDR_FILE:
		if (!outside_leads(fields))
			break;
		outside_add(list, fields);
		last = &list->files[list->nr_files - 1];
		if (last->kind == CKPT_FILE_EXTERNAL)
			break;
		last->name = must_print("to somebody outside");
		return true;
	case CKPT_HDR_FILE_EXTERNAL:
		if (last)
			last->type = ((const struct ckpt_hdr_file_external *)
				      fields)->type;
		break;
	case CKPT_HDR_STRING:
		if (!last || !last->type || last->name)
			break;
		last->name = must_print("%s", text);
		return true;
	}
	return false;
}

/**
 * outside_find - entry of an open file
 * @list: the list
 * @objref: id of the file
 *
 * Return: the entry, or NULL if the file does not lead outside.
 */
struct outside *outside_find(const struct outside_list *list, u32 objref)
{
	unsigned int i;

	for (i = 0; i < list->nr_files; i++)
		if (list->files[i].objref == objref)
			return &list->files[i];
	return NULL;
}

/**
 * outside_free - give back the memory
 * @list: the list
 */
void outside_free(struct outside_list *list)
{
	unsigned int i;

	for (i = 0; i < list->nr_files; i++)
		free(list->files[i].name);
	free(list->files);
	*list = (struct outside_list) { 0 };
}

/* Return: bytes of the present record that are to be kept, 0 if it makes no sense. */
static size_t needed(const struct outside_stream *stream)
{
	const struct ckpt_record *record;
	struct ckpt_hdr header;
	size_t need;

	if (stream->kept < sizeof(header))
		return sizeof(header);
	memcpy(&header, stream->record, sizeof(header));
	record = ckpt_record_find(header.type);
	if (!record || header.len < record->size)
		return 0;
	need = header.type == CKPT_HDR_STRING ? header.len : record->size;
	return need <= sizeof(stream->record) ? need : 0;
}

static void end_record(struct outside_stream *stream)
{
	const unsigned char *record = stream->record;
	size_t kept = stream->kept;
	struct ckpt_hdr header;

	memcpy(&header, record, sizeof(header));
	stream->kept = 0;
	stream->skip = header.len - kept;
	if (header.type == CKPT_HDR_STRING && record[kept - 1]) {
		stream->is_lost = true;
		return;
	}
	stream->is_complete = header.type == CKPT_HDR_TAIL;
	outside_note(&stream->list, header.type, record,
		     (const char *)record + sizeof(header));
}

/**
 * outside_feed - look at the next bytes of an image
 * @stream: how far it came
 * @data: the bytes
 * @len: their number
 *
 * Contents of memory are skipped; nothing is checked.
 */
void outside_feed(struct outside_stream *stream, const void *data, size_t len)
{
	const unsigned char *at = data;

	while (len && !stream->is_lost) {
		size_t need = needed(stream), part;

		if (stream->skip) {
			part = smaller(len, stream->skip);
			stream->skip -= part;
		} else if (stream->kept < need) {
			part = smaller(len, need - stream->kept);
			memcpy(stream->record + stream->kept, at, part);
			stream->kept += part;
			need = needed(stream);
		} else {
			stream->is_lost = true;
			break;
		}
		at += part;
		len -= part;
		if (need && stream->kept == need)
			end_record(stream);
	}
}

/**
 * outside_scan - find them in a file, without a look at anything else
 * @stream: filled in
 * @fd: an image from the kernel, a regular file
 *
 * Contents of memory are not read, so that this takes no time.
 */
void outside_scan(struct outside_stream *stream, int fd)
{
	unsigned char *window = must_alloc(WINDOW);
	off_t at = 0;
	ssize_t got;

	while (!stream->is_lost && (got = pread(fd, window, WINDOW, at)) > 0) {
		outside_feed(stream, window, got);
		at += got + stream->skip;
		stream->skip = 0;
	}
	free(window);
}

/**
 * outside_advise - tell the user what a restart needs to be told
 * @stream: the whole image
 */
void outside_advise(struct outside_stream *stream)
{
	const struct outside_list *list = &stream->list;
	char name[256], also[32] = "";

	if (verbosity != QUIET && list->nr_files > 1)
		snprintf(also, sizeof(also), ", and %u more",
			 list->nr_files - 1);
	if (verbosity != QUIET && stream->is_complete && list->nr_files &&
	    list->files[0].name)
		fprintf(stderr, "%s: descriptor %d is the %s %s%s: restart with --inherit-stdio or --inherit-fd\n",
			program, list->files[0].fd,
			outside_type(&list->files[0]),
			clean_text(name, sizeof(name), list->files[0].name,
				   strlen(list->files[0].name)), also);
	outside_free(&stream->list);
}
