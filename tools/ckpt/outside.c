// SPDX-License-Identifier: GPL-2.0
/*
 * Open files of an image that lead outside of it: to a terminal, to a process
 * that is not in the image, to what cannot be saved. Who restarts has to connect
 * them to something.
 */
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

/**
 * outside_scan - find them in a file, without a look at anything else
 * @list: filled in
 * @fd: an image from the kernel, a regular file
 *
 * Contents of memory are skipped, so that this takes no time.
 */
void outside_scan(struct outside_list *list, int fd)
{
	unsigned char *window = must_alloc(WINDOW);
	struct ckpt_hdr header;
	off_t at = 0, start = 0;
	ssize_t len = 0;

	*list = (struct outside_list) { 0 };
	for (;; at += header.len) {
		const struct ckpt_record *record;
		size_t need;

		/* The longest text, and what precedes it. */
		if (at + CKPT_TEXT_MAX + 64 > start + len) {
			start = at;
			len = pread(fd, window, WINDOW, start);
		}
		if (at + (ssize_t)sizeof(header) > start + len)
			break;
		memcpy(&header, window + (at - start), sizeof(header));
		record = ckpt_record_find(header.type);
		if (!record || header.len < record->size)
			break;
		need = header.type == CKPT_HDR_STRING ? header.len :
							record->size;
		if (at + (ssize_t)need > start + len ||
		    (header.type == CKPT_HDR_STRING &&
		     window[at - start + header.len - 1]))
			break;
		outside_note(list, header.type, window + (at - start),
			     (const char *)window + (at - start) +
			     sizeof(header));
	}
	free(window);
}
