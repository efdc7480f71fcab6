/* SPDX-License-Identifier: GPL-2.0 */
/* Reading an image record by record. An image is hostile input. */
#ifndef _CKPT_IMAGE_H
#define _CKPT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "digest.h"

#include "record.h"
#include "unpack.h"
#include <linux/checkpoint_image.h>

/**
 * struct image_record - one record, found possible
 * @type: its description
 * @offset: where it begins in the image
 * @len: its bytes, header included
 * @fields: its fields in the form of the C structure
 * @tail: bytes behind the fields if that is text or a buffer
 * @tail_len: their number, padding included
 */
struct image_record {
	const struct ckpt_record *type;
	u64 offset;
	u32 len;
	const void *fields;
	const void *tail;
	u64 tail_len;
};

/**
 * struct image - an image that is being read
 * @unpacker: where the bytes come from
 * @buffer: bytes read but not taken
 * @buffer_at: the first of them
 * @buffer_end: behind the last
 * @offset: taken bytes
 * @nr_records: taken records
 * @page_size: from the header
 * @pages_left: bytes of the present record's pages that were not taken
 * @digest: of the taken bytes
 * @checksum: of records, before the present one
 * @objects: type of each object seen so far, the first has id 1
 * @nr_objects: their number
 * @max_objects: room there
 * @fields: of the present record
 * @tail: of the present record
 * @tail_size: room there
 * @ends_at_tail: do not look whether bytes follow the tail, but for what ends
 *	the compressed data that it is in; set by the caller
 * @is_failed: an error record was seen
 * @is_ended: the tail was seen and is right
 * @record: the present record
 * @error: why reading ended; empty if it did not fail
 */
struct image {
	struct unpacker *unpacker;

	unsigned char *buffer;
	size_t buffer_at;
	size_t buffer_end;

	u64 offset;
	u64 nr_records;
	u32 page_size;
	u64 pages_left;
	struct image_digest digest;
	u64 checksum;

	u8 *objects;
	u32 nr_objects;
	u32 max_objects;

	unsigned char *fields;
	unsigned char *tail;
	size_t tail_size;

	bool ends_at_tail;
	bool is_failed;
	bool is_ended;
	struct image_record record;
	char error[256];
};

/**
 * enum image_result - what image_next() found
 * @IMAGE_RECORD: a record
 * @IMAGE_END: the end of a complete image, or of a failed one
 * @IMAGE_BAD: something that no kernel writes; image.error tells
 */
enum image_result {
	IMAGE_RECORD,
	IMAGE_END,
	IMAGE_BAD,
};

void image_open(struct image *image, image_read_t read, void *arg);
void image_close(struct image *image);
enum image_result image_next(struct image *image);
ssize_t image_pages(struct image *image, const void **data);
const char *image_text(const struct image_record *record);

ssize_t image_read_fd(void *fd, void *data, size_t len);

#endif /* _CKPT_IMAGE_H */
