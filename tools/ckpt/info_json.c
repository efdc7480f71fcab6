// SPDX-License-Identifier: GPL-2.0
/*
 * An image as one JSON document.
 *
 * It is printed record by record, so that the size of the image does not
 * matter. A number that JSON readers may not take (above 2^63 - 1), and one
 * that is a bit mask or an address, is a string.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ckptinfo.h"
#include "util.h"

static bool is_first;

static json_t *must(json_t *value)
{
	if (!value) {
		error("out of memory");
		exit(EXIT_FAILED);
	}
	return value;
}

/* Text that is not UTF-8 becomes ASCII with \xNN in it. */
static json_t *json_text(const char *text, size_t len)
{
	json_t *value = json_stringn(text, len);
	char *clean;

	if (value)
		return value;
	clean = must_alloc(4 * len + 1);
	value = must(json_string(clean_text(clean, 4 * len + 1, text, len)));
	free(clean);
	return value;
}

static json_t *json_bytes(const unsigned char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *text = must_alloc(2 * len + 1);
	json_t *value;
	size_t i;

	for (i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	value = must(json_string(text));
	free(text);
	return value;
}

static json_t *json_number(u64 number)
{
	if (number > INT64_MAX)
		return must(json_sprintf("%llu", number));
	return must(json_integer(number));
}

static json_t *json_array_of(const unsigned char *data, size_t size)
{
	json_t *array = must(json_array());
	u64 number;

	for (; size >= sizeof(number); size -= sizeof(number)) {
		memcpy(&number, data, sizeof(number));
		json_array_append_new(array, json_number(number));
		data += sizeof(number);
	}
	return array;
}

static json_t *json_field(const struct ckpt_field *field, const void *record)
{
	const unsigned char *at = (const unsigned char *)record + field->offset;

	switch (field->kind) {
	case CKPT_FIELD_TEXT:
		return json_text((const char *)at,
				 strnlen((const char *)at, field->size));
	case CKPT_FIELD_BYTES:
		return json_bytes(at, field->size);
	case CKPT_FIELD_ARRAY:
		return json_array_of(at, field->size);
	case CKPT_FIELD_SINT:
		return must(json_integer((s64)ckpt_field_value(field, record)));
	default:
		if (field->flags & CKPT_FIELD_HEX)
			return must(json_sprintf("%#llx",
						 ckpt_field_value(field, record)));
		return json_number(ckpt_field_value(field, record));
	}
}

static json_t *json_fields(const struct image_record *record)
{
	const struct ckpt_hdr_buffer *buffer = record->fields;
	json_t *fields = must(json_object());
	unsigned int i;

	for (i = 0; i < record->type->nr_fields; i++) {
		const struct ckpt_field *field = &record->type->fields[i];

		if (field->kind != CKPT_FIELD_ZERO)
			json_object_set_new(fields, field->name,
					    json_field(field, record->fields));
	}
	if (record->type->tail == CKPT_TAIL_TEXT)
		json_object_set_new(fields, "text",
				    json_text(record->tail,
					      strlen(record->tail)));
	else if (record->type->tail == CKPT_TAIL_BUFFER)
		json_object_set_new(fields, "data",
				    json_bytes(record->tail, buffer->nbytes));
	return fields;
}

static void print_json(json_t *value)
{
	if (json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY)) {
		error("cannot write");
		exit(EXIT_FAILED);
	}
	json_decref(value);
}

static void json_begin(const struct info_options *options)
{
	const char *file = options->file ? options->file : "-";

	is_first = true;
	printf("{\"file\":");
	print_json(json_text(file, strlen(file)));
	printf(",\"records\":[");
}

static void json_record(const struct info_options *options, struct image *image)
{
	const struct image_record *record = &image->record;
	json_t *value = must(json_object());

	(void)options;
	json_object_set_new(value, "offset", json_number(record->offset));
	json_object_set_new(value, "type", json_number(record->type->type));
	json_object_set_new(value, "name",
			    must(json_string(record->type->name)));
	json_object_set_new(value, "length", json_number(record->len));
	json_object_set_new(value, "fields", json_fields(record));
	printf(is_first ? "\n" : ",\n");
	is_first = false;
	print_json(value);
}

static void json_end(const struct info_options *options,
		     const struct image *image, enum image_result result)
{
	json_t *value = must(json_object());
	const char *state = "complete";

	(void)options;
	if (result == IMAGE_BAD)
		state = "bad";
	else if (image->is_failed)
		state = "failed";
	json_object_set_new(value, "state", must(json_string(state)));
	if (result == IMAGE_BAD) {
		json_object_set_new(value, "reason",
				    json_text(image->error,
					      strlen(image->error)));
		json_object_set_new(value, "offset",
				    json_number(image->record.offset));
	}
	json_object_set_new(value, "nr_records",
			    json_number(image->nr_records));
	json_object_set_new(value, "size", json_number(image->offset));
	if (unpacker_format(image->unpacker)) {
		json_object_set_new(value, "packed",
				    must(json_string(unpacker_format(image->unpacker))));
		json_object_set_new(value, "packed_size",
				    json_number(unpacker_taken(image->unpacker)));
	}
	printf("\n],\"summary\":");
	print_json(value);
	printf("}\n");
}

const struct info_view info_json = {
	.begin	= json_begin,
	.record	= json_record,
	.end	= json_end,
};
