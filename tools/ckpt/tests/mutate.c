// SPDX-License-Identifier: GPL-2.0
/*
 * Images that a kernel would not write.
 *
 * Each seed makes one image: one to three changes of a good one, chosen so
 * that every type of record and every field gets its share, however many pages
 * or mappings there are. Usually the tail is made right again: otherwise the
 * checksum would refuse what deeper layers should see.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "mutate.h"
#include "record.h"

#include <linux/checkpoint_image.h>

/* Records that the index has room for; those behind are not changed. */
#define MAX_RECORDS	65536
/* Longer ones are not doubled. */
#define MAX_COPY	(MUTATE_GROWTH / 4)

/**
 * struct changing - an image that is being changed
 * @data: its bytes
 * @len: their number
 * @random: state of the generator
 * @offsets: where its records begin, and where the last ends
 * @nr_records: their number
 * @mutation: what was done
 */
struct changing {
	unsigned char *data;
	size_t len;
	u64 random;
	size_t *offsets;
	size_t nr_records;
	struct mutation *mutation;
};

/* splitmix64 */
static u64 random_number(struct changing *image)
{
	u64 z = image->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static u64 below(struct changing *image, u64 limit)
{
	return limit ? random_number(image) % limit : 0;
}

__attribute__((format(printf, 2, 3)))
static void note(struct changing *image, const char *format, ...)
{
	struct mutation *mutation = image->mutation;
	size_t len;
	va_list args;

	if (!mutation)
		return;
	len = strlen(mutation->text);
	va_start(args, format);
	vsnprintf(mutation->text + len, sizeof(mutation->text) - len, format,
		  args);
	va_end(args);
}

static void find_records(struct changing *image)
{
	size_t at = 0;

	image->nr_records = 0;
	while (image->nr_records < MAX_RECORDS &&
	       image->len - at >= sizeof(struct ckpt_hdr)) {
		struct ckpt_hdr header;

		memcpy(&header, image->data + at, sizeof(header));
		if (header.len < sizeof(header) || header.len > image->len - at)
			break;
		image->offsets[image->nr_records++] = at;
		at += header.len;
	}
	image->offsets[image->nr_records] = at;
}

static struct ckpt_hdr header_of(const struct changing *image, size_t index)
{
	struct ckpt_hdr header;

	memcpy(&header, image->data + image->offsets[index], sizeof(header));
	return header;
}

static size_t length_of(const struct changing *image, size_t index)
{
	return image->offsets[index + 1] - image->offsets[index];
}

/* Half of the time the type is chosen first: else the many mappings win. */
static size_t choose_record(struct changing *image)
{
	size_t first = below(image, image->nr_records);
	u32 type;
	size_t i;

	if (random_number(image) & 1)
		return first;
	type = ckpt_records[below(image, ckpt_nr_records)].type;
	for (i = 0; i < image->nr_records; i++) {
		size_t index = (first + i) % image->nr_records;

		if (header_of(image, index).type == type)
			return index;
	}
	return first;
}

static u64 choose_value(struct changing *image, const struct ckpt_field *field,
			u64 old)
{
	switch (below(image, 12)) {
	case 0:
		return 0;
	case 1:
		return ~0ULL;
	case 2:
		return old + 1;
	case 3:
		return old - 1;
	case 4:
		return old ^ 1ULL << below(image, 64);
	case 5:
		return field->high;
	case 6:
		return field->high + 1;
	case 7:
		return field->low - 1;
	case 8:
		return 1ULL << below(image, 64);
	case 9:
		return old + 4096 * (below(image, 9) - 4);
	case 10:
		return below(image, 16);
	default:
		return random_number(image);
	}
}

static void change_field(struct changing *image, size_t index)
{
	const struct ckpt_record *type =
		ckpt_record_find(header_of(image, index).type);
	unsigned char *record = image->data + image->offsets[index];
	const struct ckpt_field *field;
	u64 old = 0, value;
	size_t size, at;

	if (!type || !type->nr_fields)
		return;
	field = &type->fields[below(image, type->nr_fields)];
	size = field->size > sizeof(value) ? sizeof(value) : field->size;
	at = field->offset + below(image, field->size / size) * size;
	if (at + size > length_of(image, index))
		return;
	memcpy(&old, record + at, size);
	value = choose_value(image, field, old);
	memcpy(record + at, &value, size);
	note(image, "record %zu (%s) %s=%#llx; ", index, type->name,
	     field->name, value);
}

static void change_reference(struct changing *image, size_t index)
{
	const struct ckpt_record *type =
		ckpt_record_find(header_of(image, index).type);
	unsigned char *record = image->data + image->offsets[index];
	unsigned int i;

	for (i = 0; type && i < type->nr_fields; i++) {
		const struct ckpt_field *field = &type->fields[i];
		u32 value = below(image, 12);

		if (field->kind != CKPT_FIELD_REF || random_number(image) & 1)
			continue;
		memcpy(record + field->offset, &value, sizeof(value));
		note(image, "record %zu (%s) %s -> %u; ", index, type->name,
		     field->name, value);
	}
}

static void change_header(struct changing *image, size_t index)
{
	static const u32 lengths[] = { 0, 4, 7, 8, 16, 24, ~0U, ~7U, 1U << 31 };
	struct ckpt_hdr header = header_of(image, index);

	switch (below(image, 4)) {
	case 0:
		header.len += 8 * (below(image, 9) - 4);
		break;
	case 1:
		header.len = lengths[below(image, ARRAY_SIZE(lengths))];
		break;
	case 2:
		header.type = ckpt_records[below(image, ckpt_nr_records)].type;
		break;
	default:
		header.type = random_number(image);
	}
	memcpy(image->data + image->offsets[index], &header, sizeof(header));
	note(image, "record %zu type=%u len=%u; ", index, header.type,
	     header.len);
}

static void insert_bytes(struct changing *image, size_t at, size_t len)
{
	memmove(image->data + at + len, image->data + at, image->len - at);
	memset(image->data + at, 0, len);
	image->len += len;
}

static void remove_bytes(struct changing *image, size_t at, size_t len)
{
	memmove(image->data + at, image->data + at + len,
		image->len - at - len);
	image->len -= len;
}

/* A record of a later version: longer. */
static void grow_record(struct changing *image, size_t index)
{
	struct ckpt_hdr header = header_of(image, index);
	size_t len = 8 * (1 + below(image, 64));

	insert_bytes(image, image->offsets[index + 1], len);
	header.len += len;
	memcpy(image->data + image->offsets[index], &header, sizeof(header));
	if (random_number(image) & 1)
		image->data[image->offsets[index + 1] + below(image, len)] = 1;
	note(image, "record %zu grows by %zu; ", index, len);
}

static void drop_record(struct changing *image, size_t index)
{
	remove_bytes(image, image->offsets[index], length_of(image, index));
	note(image, "record %zu dropped; ", index);
}

/* Double a record, or move it if @move. */
static void copy_record(struct changing *image, size_t index, bool move)
{
	size_t to = choose_record(image), len = length_of(image, index);
	unsigned char *copy;

	if (len > MAX_COPY)
		return;
	copy = malloc(len);
	if (!copy)
		return;
	memcpy(copy, image->data + image->offsets[index], len);
	if (move)
		remove_bytes(image, image->offsets[index], len);
	/* What was behind a removed record has come nearer. */
	insert_bytes(image, image->offsets[to] -
		     (move && to > index ? len : 0), len);
	memcpy(image->data + image->offsets[to] -
	       (move && to > index ? len : 0), copy, len);
	free(copy);
	note(image, "record %zu %s before %zu; ", index,
	     move ? "moved" : "doubled", to);
}

static void change_bytes(struct changing *image, size_t index)
{
	size_t count = 1 + below(image, 8);

	note(image, "%zu bytes of record %zu; ", count, index);
	while (count--)
		image->data[image->offsets[index] +
			    below(image, length_of(image, index))] =
			random_number(image);
}

static void truncate_image(struct changing *image)
{
	image->len = below(image, image->len);
	note(image, "truncated to %zu; ", image->len);
}

/* Return: whether the tail may be made right again. */
static bool change(struct changing *image)
{
	size_t index = choose_record(image);

	switch (below(image, 16)) {
	case 0:
		change_header(image, index);
		break;
	case 1:
		grow_record(image, index);
		break;
	case 2:
		drop_record(image, index);
		break;
	case 3:
		copy_record(image, index, false);
		break;
	case 4:
		copy_record(image, index, true);
		break;
	case 5:
		change_bytes(image, index);
		break;
	case 6:
		truncate_image(image);
		return false;
	case 7:
	case 8:
		change_reference(image, index);
		break;
	default:
		change_field(image, index);
		break;
	}
	return true;
}

static void repair_tail(struct changing *image)
{
	struct ckpt_hdr_tail tail;
	size_t at;

	if (!image->nr_records)
		return;
	at = image->offsets[image->nr_records - 1];
	if (header_of(image, image->nr_records - 1).type != CKPT_HDR_TAIL ||
	    image->len - at < sizeof(tail))
		return;
	memcpy(&tail, image->data + at, sizeof(tail));
	tail.nr_records = image->nr_records - 1;
	digest_image(image->data, at, &tail);
	memcpy(image->data + at, &tail, sizeof(tail));
}

/**
 * mutate_image - change an image
 * @image: a good one
 * @len: its bytes
 * @seed: the same seed makes the same image
 * @out: room for @len + MUTATE_GROWTH bytes
 * @mutation: tells what was done, may be NULL
 *
 * Return: bytes of the new image.
 */
size_t mutate_image(const void *image, size_t len, u64 seed, void *out,
		    struct mutation *mutation)
{
	static size_t offsets[MAX_RECORDS + 1];
	struct changing changing = {
		.data		= out,
		.len		= len,
		.random		= seed,
		.offsets	= offsets,
		.mutation	= mutation,
	};
	bool repair = true;
	u64 changes;

	if (mutation)
		mutation->text[0] = '\0';
	memcpy(out, image, len);
	changes = 1 + below(&changing, 8) / 6 + below(&changing, 8) / 7;
	while (changes--) {
		find_records(&changing);
		if (!changing.nr_records)
			break;
		repair = change(&changing) && repair;
	}
	find_records(&changing);
	if (repair && below(&changing, 16))
		repair_tail(&changing);
	return changing.len;
}
