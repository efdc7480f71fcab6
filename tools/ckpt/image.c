// SPDX-License-Identifier: GPL-2.0
/*
 * Reading an image record by record.
 *
 * An image is hostile input: memory use has a bound that does not depend on
 * what the image says, but for one byte for each object that it really has.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "util.h"

#define BUFFER_SIZE	(64U << 10)
#define FIELDS_SIZE	(2 * CKPT_GROWTH_MAX)
/* To begin with; CKPT_BUFFER_MAX is the most. */
#define TAIL_SIZE	4096

/* Strings that follow the header: release, version, machine. */
#define HEADER_STRINGS	3

/**
 * image_open - begin to read an image
 * @image: state
 * @read: where the bytes come from; they may be compressed
 * @arg: for @read
 */
void image_open(struct image *image, image_read_t read, void *arg)
{
	*image = (struct image) {
		.unpacker	= unpacker_open(read, arg),
		.buffer		= must_alloc(BUFFER_SIZE),
		.fields		= must_alloc(FIELDS_SIZE),
		.tail		= must_alloc(TAIL_SIZE),
		.tail_size	= TAIL_SIZE,
	};
	digest_start(&image->digest);
}

/**
 * image_close - give back the memory
 * @image: state
 */
void image_close(struct image *image)
{
	unpacker_close(image->unpacker);
	free(image->buffer);
	free(image->fields);
	free(image->tail);
	free(image->objects);
}

__printf(2, 3)
static enum image_result bad(struct image *image, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(image->error, sizeof(image->error), format, args);
	va_end(args);
	return IMAGE_BAD;
}

static enum image_result bad_record(struct image *image,
				    const struct ckpt_record_fault *fault)
{
	const char *name = image->record.type->name;

	if (fault->field)
		return bad(image, "record %s: field %s at +%u: %s: %#llx", name,
			   fault->field, fault->offset, fault->reason,
			   fault->value);
	return bad(image, "record %s: %s: %llu", name, fault->reason,
		   fault->value);
}

/* Return: bytes there, 0 at the end, -1 on failure, which bad() was told. */
static ssize_t fill(struct image *image)
{
	ssize_t got;

	if (image->buffer_at < image->buffer_end)
		return image->buffer_end - image->buffer_at;
	got = unpacker_read(image->unpacker, image->buffer, BUFFER_SIZE);
	if (got < 0)
		bad(image, "%s", unpacker_error(image->unpacker));
	image->buffer_at = 0;
	image->buffer_end = got > 0 ? got : 0;
	return got;
}

static void take_bytes(struct image *image, size_t len)
{
	image->buffer_at += len;
	image->offset += len;
}

/* Return: bytes read, fewer than wanted at the end, -1 on failure. */
static ssize_t take(struct image *image, void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t there = fill(image);
		size_t part;

		if (there < 0)
			return -1;
		if (!there)
			break;
		part = smaller(there, len - done);
		memcpy((char *)data + done, image->buffer + image->buffer_at,
		       part);
		digest_records(&image->digest, (char *)data + done, part);
		take_bytes(image, part);
		done += part;
	}
	return done;
}

static bool take_exactly(struct image *image, void *data, size_t len)
{
	ssize_t done = take(image, data, len);

	if (done >= 0 && (size_t)done < len)
		bad(image, "the image ends inside this record");
	return done >= 0 && (size_t)done == len;
}

/**
 * image_pages - take some of the present record's pages
 * @image: state
 * @data: the bytes, good until the next call
 *
 * Return: their number, 0 if there are no more, -1 on failure.
 */
ssize_t image_pages(struct image *image, const void **data)
{
	ssize_t there;

	if (!image->pages_left)
		return 0;
	there = fill(image);
	if (!there)
		bad(image, "the image ends inside the pages of this record");
	if (there <= 0)
		return -1;
	if ((u64)there > image->pages_left)
		there = image->pages_left;
	*data = image->buffer + image->buffer_at;
	digest_pages(&image->digest, *data, there);
	take_bytes(image, there);
	image->pages_left -= there;
	return there;
}

static bool skip_pages(struct image *image)
{
	const void *data;
	ssize_t got;

	do {
		got = image_pages(image, &data);
	} while (got > 0);
	return !got;
}

static bool has_object(void *arg, u32 objref, u32 objtype)
{
	const struct image *image = arg;

	return objref <= image->nr_objects &&
	       image->objects[objref - 1] == objtype;
}

static enum image_result note_object(struct image *image,
				     const struct ckpt_hdr_objref *ref)
{
	if (ref->objref != image->nr_objects + 1)
		return bad(image, "object %u is announced where %u is next",
			   ref->objref, image->nr_objects + 1);
	if (image->nr_objects == image->max_objects) {
		image->max_objects = image->max_objects * 2 + 64;
		image->objects = must_grow(image->objects, image->max_objects);
	}
	image->objects[image->nr_objects++] = ref->objtype;
	return IMAGE_RECORD;
}

static enum image_result end_packed(struct image *image)
{
	if (unpacker_format(image->unpacker) &&
	    image->buffer_at < image->buffer_end)
		return bad(image, "bytes follow the tail");
	if (unpacker_end_frame(image->unpacker))
		return bad(image, "%s", unpacker_error(image->unpacker));
	image->is_ended = true;
	return IMAGE_RECORD;
}

static enum image_result check_tail(struct image *image,
				    const struct ckpt_hdr_tail *tail)
{
	struct ckpt_hdr_tail right;
	unsigned char byte;
	ssize_t more;

	if (tail->nr_records != image->nr_records)
		return bad(image, "%llu records, but the tail counts %llu",
			   image->nr_records,
			   tail->nr_records);
	if (tail->checksum != image->checksum)
		return bad(image,
			   "corrupt: checksum %016llx, but the tail has %016llx",
			   image->checksum,
			   tail->checksum);
	digest_end(&image->digest, &right);
	if (tail->pages_checksum != right.pages_checksum)
		return bad(image,
			   "corrupt: checksum %08x of the pages, but the tail has %08x",
			   right.pages_checksum, tail->pages_checksum);
	if (image->ends_at_tail)
		return end_packed(image);
	more = take(image, &byte, 1);
	if (more > 0)
		return bad(image, "bytes follow the tail");
	if (more < 0)
		return IMAGE_BAD;
	image->is_ended = true;
	return IMAGE_RECORD;
}

/* The order that every image has, whatever was saved. */
static enum image_result check_order(struct image *image)
{
	u32 type = image->record.type->type;
	u64 at = image->nr_records;
	u32 wanted = type;

	if (image->is_failed)
		wanted = type == CKPT_HDR_ERROR ? type : CKPT_HDR_STRING;
	else if (at == 0)
		wanted = CKPT_HDR_HEADER;
	else if (type == CKPT_HDR_ERROR)
		wanted = type;
	else if (at <= HEADER_STRINGS)
		wanted = CKPT_HDR_STRING;
	else if (at == HEADER_STRINGS + 1)
		wanted = CKPT_HDR_HEADER_ARCH;
	else if (at == HEADER_STRINGS + 2)
		wanted = CKPT_HDR_CONTAINER;
	else if (at == HEADER_STRINGS + 3)
		wanted = CKPT_HDR_TREE;
	else if (type == CKPT_HDR_HEADER || type == CKPT_HDR_HEADER_ARCH ||
		 type == CKPT_HDR_CONTAINER || type == CKPT_HDR_TREE)
		return bad(image, "a second record %s",
			   image->record.type->name);
	if (type != wanted)
		return bad(image, "record %s where %s is next",
			   image->record.type->name,
			   ckpt_record_find(wanted)->name);
	return IMAGE_RECORD;
}

/* What the present record means for those that follow. */
static enum image_result note_record(struct image *image)
{
	const void *fields = image->record.fields;

	switch (image->record.type->type) {
	case CKPT_HDR_HEADER:
		image->page_size =
			((const struct ckpt_hdr_header *)fields)->page_size;
		return IMAGE_RECORD;
	case CKPT_HDR_OBJREF:
		return note_object(image, fields);
	case CKPT_HDR_ERROR:
		image->is_failed = true;
		return IMAGE_RECORD;
	case CKPT_HDR_TAIL:
		return check_tail(image, fields);
	default:
		return IMAGE_RECORD;
	}
}

static enum image_result take_fields(struct image *image,
				     const struct ckpt_hdr *header)
{
	const struct ckpt_record *type = image->record.type;
	struct ckpt_record_fault fault;
	u32 len = header->len;

	if (ckpt_record_check_length(type, len, &fault))
		return bad_record(image, &fault);
	if (type->tail != CKPT_TAIL_NONE)
		len = type->size;
	memset(image->fields, 0, FIELDS_SIZE);
	memcpy(image->fields, header, sizeof(*header));
	if (!take_exactly(image, image->fields + sizeof(*header),
			  len - sizeof(*header)))
		return IMAGE_BAD;
	if (ckpt_record_check(type, image->fields, len, has_object, image,
			      &fault))
		return bad_record(image, &fault);
	image->record.fields = image->fields;
	return IMAGE_RECORD;
}

static enum image_result take_tail(struct image *image)
{
	struct image_record *record = &image->record;
	struct ckpt_record_fault fault;

	if (record->type->tail == CKPT_TAIL_NONE)
		return IMAGE_RECORD;
	record->tail_len = record->len - record->type->size;
	if (record->type->tail == CKPT_TAIL_PAGES) {
		if (record->tail_len != ckpt_record_tail_len(record->type,
							     record->fields,
							     image->page_size))
			return bad(image,
				   "record pages: its length does not fit its number of pages");
		image->pages_left = record->tail_len;
		return IMAGE_RECORD;
	}
	if (record->tail_len > image->tail_size) {
		image->tail_size = record->tail_len;
		image->tail = must_grow(image->tail, image->tail_size);
	}
	if (!take_exactly(image, image->tail, record->tail_len))
		return IMAGE_BAD;
	record->tail = image->tail;
	if (ckpt_record_check_tail(record->type, record->fields, record->tail,
				   record->tail_len, &fault))
		return bad_record(image, &fault);
	return IMAGE_RECORD;
}

/* Return: IMAGE_RECORD if the header of a record was read. */
static enum image_result take_header(struct image *image,
				     struct ckpt_hdr *header)
{
	ssize_t got;

	image->checksum = XXH64_digest(&image->digest.records);
	image->record = (struct image_record) { .offset = image->offset };
	got = take(image, header, sizeof(*header));
	if (!got && image->is_failed)
		return IMAGE_END;
	if (!got)
		return bad(image, image->offset ?
			   "truncated: the image has no tail" :
			   "the image is empty");
	if (got < 0)
		return IMAGE_BAD;
	if (got < (ssize_t)sizeof(*header))
		return bad(image, "truncated inside the header of a record");
	image->record.len = header->len;
	image->record.type = ckpt_record_find(header->type);
	if (!image->nr_records && header->type != CKPT_HDR_HEADER)
		return bad(image, "this is not a checkpoint image");
	if (!image->record.type)
		return bad(image, "record of unknown type %u", header->type);
	return IMAGE_RECORD;
}

/**
 * image_next - go on to the next record
 * @image: state; the previous record's contents are gone
 *
 * Return: enum image_result. After anything but IMAGE_RECORD the image is over.
 */
enum image_result image_next(struct image *image)
{
	enum image_result result;
	struct ckpt_hdr header;

	if (*image->error)
		return IMAGE_BAD;
	if (image->is_ended)
		return IMAGE_END;
	if (!skip_pages(image))
		return IMAGE_BAD;

	result = take_header(image, &header);
	if (result == IMAGE_RECORD)
		result = check_order(image);
	if (result == IMAGE_RECORD)
		result = take_fields(image, &header);
	if (result == IMAGE_RECORD)
		result = take_tail(image);
	if (result == IMAGE_RECORD)
		result = note_record(image);
	if (result == IMAGE_RECORD)
		image->nr_records++;
	return result;
}

/**
 * image_text - the text of a string record
 * @record: the record
 *
 * Return: the text; it has an end.
 */
const char *image_text(const struct image_record *record)
{
	return record->tail;
}

/**
 * image_read_fd - read an image from a descriptor
 * @fd: points to its number
 * @data: room for the bytes
 * @len: how much
 *
 * Return: as read(2).
 */
ssize_t image_read_fd(void *fd, void *data, size_t len)
{
	return read(*(int *)fd, data, len);
}
