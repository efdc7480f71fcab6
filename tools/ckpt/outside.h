/* SPDX-License-Identifier: GPL-2.0 */
/* Open files of an image that lead outside of it. */
#ifndef _CKPT_OUTSIDE_H
#define _CKPT_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"
#include <linux/checkpoint_image.h>

/**
 * struct outside - an open file that leads outside
 * @objref: its id in the image
 * @fd: descriptor that it was met at first, or -1
 * @kind: CKPT_FILE_*; of a pipe or a socket the other end is outside
 * @type: CKPT_EXTERNAL_*, of others
 * @name: what was there, for people; NULL until it was read
 */
struct outside {
	u32 objref;
	int fd;
	u32 kind;
	u32 type;
	char *name;
};

/**
 * struct outside_list - all of them, as far as the image was read
 * @files: in the order of the image
 * @nr_files: their number
 * @objref: the last object that was announced
 */
struct outside_list {
	struct outside *files;
	unsigned int nr_files;
	u32 objref;
};

/**
 * struct outside_stream - an image that is looked through
 * @list: what was found
 * @record: begin of the present record
 * @kept: bytes there
 * @skip: bytes of it that do not matter
 * @is_complete: the tail has come
 * @is_lost: what came is no image
 */
struct outside_stream {
	struct outside_list list;
	unsigned char record[CKPT_TEXT_MAX + 64];
	size_t kept;
	u64 skip;
	bool is_complete;
	bool is_lost;
};

bool outside_leads(const struct ckpt_hdr_file *file);
void outside_add(struct outside_list *list, const struct ckpt_hdr_file *file);
bool outside_note(struct outside_list *list, u32 type, const void *fields,
		  const char *text);
struct outside *outside_find(const struct outside_list *list, u32 objref);
const char *outside_type(const struct outside *file);
void outside_free(struct outside_list *list);
void outside_feed(struct outside_stream *stream, const void *data, size_t len);
void outside_scan(struct outside_stream *stream, int fd);
void outside_advise(struct outside_stream *stream);

#endif /* _CKPT_OUTSIDE_H */
