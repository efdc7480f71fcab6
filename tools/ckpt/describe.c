// SPDX-License-Identifier: GPL-2.0
/* The image format itself, from the tables that validate images. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ckptinfo.h"
#include "util.h"

static void rst_title(const char *text, size_t len)
{
	printf("%s\n", text);
	while (len--)
		putchar('~');
	printf("\n\n");
}

static void rst_field(const struct ckpt_field *field)
{
	char limits[96];

	format_limits(limits, sizeof(limits), field);
	printf("   * - %u\n", field->offset);
	printf("     - %u\n", field->size);
	printf("     - ``%s``\n", field->name);
	printf("     - %s\n", format_kind(field));
	printf("     -%s%s\n", *limits ? " " : "", limits);
	printf("     -%s\n", field->flags & CKPT_FIELD_VOLATILE ? " yes" : "");
}

static void rst_record(const struct ckpt_record *record)
{
	char title[64];
	unsigned int i;

	snprintf(title, sizeof(title), "%u: %s", record->type, record->name);
	rst_title(title, strlen(title));
	printf("%u bytes, at least %u. Behind the fields: %s.\n\n",
	       record->size, record->min_size, format_tail(record));
	if (!record->nr_fields)
		return;
	printf(".. list-table::\n   :header-rows: 1\n\n");
	printf("   * - Offset\n     - Bytes\n     - Field\n");
	printf("     - Kind\n     - Values\n     - Volatile\n");
	for (i = 0; i < record->nr_fields; i++)
		rst_field(&record->fields[i]);
	putchar('\n');
}

/**
 * describe_rst - print the format as reStructuredText
 */
void describe_rst(void)
{
	unsigned int i;

	printf(".. Made by: ckptinfo --describe=rst\n\n");
	for (i = 0; i < ckpt_nr_records; i++)
		rst_record(&ckpt_records[i]);
}

static json_t *json_field(const struct ckpt_field *field)
{
	char limits[96];

	format_limits(limits, sizeof(limits), field);
	return json_pack("{s:s, s:i, s:i, s:s, s:s, s:b, s:b, s:b}",
			 "name", field->name,
			 "offset", (int)field->offset,
			 "size", (int)field->size,
			 "kind", format_kind(field),
			 "values", limits,
			 "hex", !!(field->flags & CKPT_FIELD_HEX),
			 "volatile", !!(field->flags & CKPT_FIELD_VOLATILE),
			 "optional", !!(field->flags & CKPT_FIELD_OPTIONAL));
}

static json_t *json_record(const struct ckpt_record *record)
{
	json_t *fields = json_array();
	unsigned int i;

	for (i = 0; i < record->nr_fields; i++)
		json_array_append_new(fields, json_field(&record->fields[i]));
	return json_pack("{s:s, s:i, s:i, s:i, s:s, s:o}",
			 "name", record->name,
			 "type", (int)record->type,
			 "size", (int)record->size,
			 "min_size", (int)record->min_size,
			 "tail", format_tail(record),
			 "fields", fields);
}

/**
 * describe_json - print the format as a JSON document
 */
void describe_json(void)
{
	json_t *records = json_array();
	unsigned int i;

	for (i = 0; i < ckpt_nr_records; i++)
		json_array_append_new(records, json_record(&ckpt_records[i]));
	records = json_pack("{s:i, s:o}", "version", CKPT_IMAGE_VERSION,
			    "records", records);
	json_dumpf(records, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(records);
}
