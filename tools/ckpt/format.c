// SPDX-License-Identifier: GPL-2.0
/* Fields of records as text. */
#include <string.h>

#include "ckptinfo.h"
#include "util.h"

/**
 * format_object - name of a kind of object
 * @objtype: enum ckpt_obj_type
 *
 * Return: its name.
 */
const char *format_object(u64 objtype)
{
	static const char * const names[CKPT_OBJ_MAX] = {
		[CKPT_OBJ_NONE]		= "none",
		[CKPT_OBJ_CRED]		= "cred",
		[CKPT_OBJ_FS]		= "fs",
		[CKPT_OBJ_FILE_TABLE]	= "file_table",
		[CKPT_OBJ_FILE]		= "file",
		[CKPT_OBJ_MM]		= "mm",
		[CKPT_OBJ_SHMEM]	= "shmem",
		[CKPT_OBJ_SIGHAND]	= "sighand",
		[CKPT_OBJ_SIGNAL]	= "signal",
		[CKPT_OBJ_PIPE]		= "pipe",
		[CKPT_OBJ_UNIX]		= "unix_sockets",
		[CKPT_OBJ_UNLINKED]	= "unlinked",
		[CKPT_OBJ_EPOLL]	= "epoll",
		[CKPT_OBJ_SECCOMP_FILTER] = "seccomp_filter",
		[CKPT_OBJ_REMOVED_DIRECTORY] = "removed_directory",
		[CKPT_OBJ_GONE_PROCESS]	= "gone_process",
		[CKPT_OBJ_NSPROXY]	= "nsproxy",
		[CKPT_OBJ_UTS_NS]	= "uts_ns",
		[CKPT_OBJ_IPC_NS]	= "ipc_ns",
		[CKPT_OBJ_USER_NS]	= "user_ns",
		[CKPT_OBJ_PID_NS]	= "pid_ns",
	};

	if (objtype < ARRAY_SIZE(names) && names[objtype])
		return names[objtype];
	return "unknown";
}

/**
 * format_kind - name of what a field is
 * @field: the field
 *
 * Return: its name.
 */
const char *format_kind(const struct ckpt_field *field)
{
	static const char * const names[] = {
		[CKPT_FIELD_UINT]	= "unsigned",
		[CKPT_FIELD_SINT]	= "signed",
		[CKPT_FIELD_MASK]	= "mask",
		[CKPT_FIELD_REF]	= "reference",
		[CKPT_FIELD_TEXT]	= "text",
		[CKPT_FIELD_BYTES]	= "bytes",
		[CKPT_FIELD_ARRAY]	= "array",
		[CKPT_FIELD_ZERO]	= "reserved",
	};

	return field->kind < ARRAY_SIZE(names) ? names[field->kind] : "unknown";
}

/**
 * format_tail - name of what follows the fields of a record
 * @record: its description
 *
 * Return: its name.
 */
const char *format_tail(const struct ckpt_record *record)
{
	static const char * const names[] = {
		[CKPT_TAIL_NONE]	= "none",
		[CKPT_TAIL_TEXT]	= "text",
		[CKPT_TAIL_BUFFER]	= "buffer",
		[CKPT_TAIL_PAGES]	= "pages",
	};

	return record->tail < ARRAY_SIZE(names) ? names[record->tail] :
						  "unknown";
}

static void format_range(char *out, size_t size, const struct ckpt_field *field)
{
	bool hex = field->flags & CKPT_FIELD_HEX;
	u64 low = field->low, high = field->high;

	if (!low && high == ~0ULL)
		snprintf(out, size, "any");
	else if (low == high)
		snprintf(out, size, hex ? "%#llx" : "%llu", low);
	else
		snprintf(out, size, hex ? "%#llx to %#llx" : "%llu to %llu",
			 low, high);
}

/**
 * format_limits - what a field may hold
 * @out: the text
 * @size: room for it
 * @field: the field
 */
void format_limits(char *out, size_t size, const struct ckpt_field *field)
{
	*out = '\0';
	switch (field->kind) {
	case CKPT_FIELD_UINT:
		format_range(out, size, field);
		break;
	case CKPT_FIELD_SINT:
		snprintf(out, size, "%lld to %lld",
			 (s64)field->low, (s64)field->high);
		break;
	case CKPT_FIELD_MASK:
		snprintf(out, size, "bits %#llx", field->low);
		break;
	case CKPT_FIELD_REF:
		snprintf(out, size, "%s%s", format_object(field->low),
			 field->flags & CKPT_FIELD_OPTIONAL ? " or 0" : "");
		break;
	case CKPT_FIELD_ZERO:
		snprintf(out, size, "0");
		break;
	}
}

static void format_array(FILE *out, const unsigned char *at, size_t size)
{
	u64 value;
	size_t done;

	fputc('[', out);
	for (done = 0; done + sizeof(value) <= size; done += sizeof(value)) {
		memcpy(&value, at + done, sizeof(value));
		if (done)
			fputc(' ', out);
		if (value == ~0ULL)
			fprintf(out, "max");
		else
			fprintf(out, "%llu", value);
	}
	fputc(']', out);
}

/**
 * format_field - print the value of a field
 * @out: where to
 * @field: the field
 * @record: the record that has it
 */
void format_field(FILE *out, const struct ckpt_field *field, const void *record)
{
	const unsigned char *at = (const unsigned char *)record + field->offset;
	char text[256];
	size_t i;

	switch (field->kind) {
	case CKPT_FIELD_TEXT:
		clean_text(text, sizeof(text), (const char *)at,
			   strnlen((const char *)at, field->size));
		fprintf(out, "\"%s\"", text);
		return;
	case CKPT_FIELD_BYTES:
		for (i = 0; i < field->size; i++)
			fprintf(out, "%02x", at[i]);
		return;
	case CKPT_FIELD_ARRAY:
		format_array(out, at, field->size);
		return;
	case CKPT_FIELD_SINT:
		fprintf(out, "%lld",
			(s64)ckpt_field_value(field, record));
		return;
	case CKPT_FIELD_ZERO:
		fputc('0', out);
		return;
	default:
		if (field->flags & CKPT_FIELD_HEX)
			fprintf(out, "%#llx",
				ckpt_field_value(field, record));
		else
			fprintf(out, "%llu",
				ckpt_field_value(field, record));
	}
}
