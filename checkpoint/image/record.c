// SPDX-License-Identifier: GPL-2.0
/*
 * Validation of image records against their descriptions.
 *
 * An image is hostile input. Nothing outside this file looks at the bytes of
 * a record before they were found to have a possible length, possible values,
 * zero in what is reserved, and references to objects that exist and are of
 * the right type.
 */
#include "record.h"

#include <linux/checkpoint_image.h>

/**
 * ckpt_record_find - look up the description of a record
 * @type: enum ckpt_hdr_type
 *
 * Return: the description, or NULL if there is no such type.
 */
const struct ckpt_record *ckpt_record_find(u32 type)
{
	unsigned int low = 0, high = ckpt_nr_records;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (ckpt_records[middle].type == type)
			return &ckpt_records[middle];
		if (ckpt_records[middle].type < type)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/**
 * ckpt_field_value - value of a field that holds one number
 * @field: description, its kind is a number, a mask or a reference
 * @record: the record that has it
 *
 * Return: the value, sign-extended if it is signed.
 */
u64 ckpt_field_value(const struct ckpt_field *field, const void *record)
{
	const void *at = (const char *)record + field->offset;
	bool is_signed = field->kind == CKPT_FIELD_SINT;
	u64 value64;
	u32 value32;

	if (field->size == sizeof(value64)) {
		memcpy(&value64, at, sizeof(value64));
		return value64;
	}
	memcpy(&value32, at, sizeof(value32));
	return is_signed ? (u64)(s64)(__s32)value32 : value32;
}

static int refuse(struct ckpt_record_fault *fault, const char *reason,
		  const struct ckpt_field *field, u64 value)
{
	fault->reason = reason;
	fault->field = field ? field->name : NULL;
	fault->offset = field ? field->offset : 0;
	fault->value = value;
	return -EINVAL;
}

static bool all_zero(const void *data, size_t len)
{
	const char *byte = data;

	while (len--)
		if (*byte++)
			return false;
	return true;
}

static bool is_padded_text(const char *text, size_t len)
{
	size_t length = strnlen(text, len);

	return length < len && all_zero(text + length, len - length);
}

static int check_field(const struct ckpt_field *field, const void *data,
		       ckpt_ref_check_t ref_check, void *arg,
		       struct ckpt_record_fault *fault)
{
	const void *at = (const char *)data + field->offset;
	u64 value;

	switch (field->kind) {
	case CKPT_FIELD_TEXT:
		if (!is_padded_text(at, field->size))
			return refuse(fault, "text without an end", field, 0);
		return 0;
	case CKPT_FIELD_BYTES:
	case CKPT_FIELD_ARRAY:
		return 0;
	case CKPT_FIELD_ZERO:
		if (!all_zero(at, field->size))
			return refuse(fault, "reserved field is not zero",
				      field, 0);
		return 0;
	default:
		break;
	}

	value = ckpt_field_value(field, data);
	switch (field->kind) {
	case CKPT_FIELD_UINT:
		if (value < field->low || value > field->high)
			return refuse(fault, "value out of range", field,
				      value);
		break;
	case CKPT_FIELD_SINT:
		if ((s64)value < (s64)field->low ||
		    (s64)value > (s64)field->high)
			return refuse(fault, "value out of range", field,
				      value);
		break;
	case CKPT_FIELD_MASK:
		if (value & ~field->low)
			return refuse(fault, "unknown bits", field, value);
		break;
	case CKPT_FIELD_REF:
		if (!value && (field->flags & CKPT_FIELD_OPTIONAL))
			break;
		if (!value || value > U32_MAX ||
		    (ref_check && !ref_check(arg, value, field->low)))
			return refuse(fault, "reference to no such object",
				      field, value);
		break;
	}
	return 0;
}

/**
 * ckpt_record_check_length - can a record of this type be that long?
 * @record: description
 * @len: from the record's header
 * @fault: filled in on error
 *
 * Called before anything is allocated for the record.
 *
 * Return: 0, or -EINVAL.
 */
int ckpt_record_check_length(const struct ckpt_record *record, u32 len,
			     struct ckpt_record_fault *fault)
{
	u64 most = record->size;

	switch (record->tail) {
	case CKPT_TAIL_NONE:
		most += CKPT_GROWTH_MAX;
		break;
	case CKPT_TAIL_TEXT:
		most += CKPT_TEXT_MAX;
		break;
	case CKPT_TAIL_BUFFER:
		most += CKPT_BUFFER_MAX;
		break;
	case CKPT_TAIL_PAGES:
		most = U32_MAX;
		break;
	}
	if (len % 8)
		return refuse(fault, "length is not a multiple of eight", NULL,
			      len);
	if (len < record->min_size)
		return refuse(fault, "too short", NULL, len);
	if (len > most)
		return refuse(fault, "too long", NULL, len);
	return 0;
}

/**
 * ckpt_record_check - are the fields of a record possible?
 * @record: description
 * @data: at least as many bytes as the C structure has; those beyond @len are 0
 * @len: from the record's header, found possible by ckpt_record_check_length()
 * @ref_check: tells whether a reference is good, or NULL
 * @arg: for @ref_check
 * @fault: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int ckpt_record_check(const struct ckpt_record *record, const void *data,
		      u32 len, ckpt_ref_check_t ref_check, void *arg,
		      struct ckpt_record_fault *fault)
{
	unsigned int index;

	for (index = 0; index < record->nr_fields; index++) {
		int ret = check_field(&record->fields[index], data, ref_check,
				      arg, fault);

		if (ret)
			return ret;
	}
	if (record->tail == CKPT_TAIL_NONE && len > record->size &&
	    !all_zero((const char *)data + record->size, len - record->size))
		return refuse(fault, "fields of a later version are in use",
			      NULL, len);
	return 0;
}

/**
 * ckpt_record_tail_len - bytes of the tail that the fields ask for
 * @record: description of a record with a tail
 * @data: its fields
 * @page_size: of the machine that wrote the image
 *
 * Return: bytes with padding; 0 for text, which tells its length by itself.
 */
u64 ckpt_record_tail_len(const struct ckpt_record *record, const void *data,
			 u32 page_size)
{
	switch (record->tail) {
	case CKPT_TAIL_BUFFER: {
		const struct ckpt_hdr_buffer *buffer = data;

		return ((u64)buffer->nbytes + 7) & ~7ULL;
	}
	case CKPT_TAIL_PAGES: {
		const struct ckpt_hdr_pages *pages = data;

		return (u64)pages->nr_pages * page_size;
	}
	default:
		return 0;
	}
}

/**
 * ckpt_record_check_tail - is a text or buffer tail possible?
 * @record: description
 * @data: fields of the record
 * @tail: the bytes that follow them
 * @tail_len: how many
 * @fault: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int ckpt_record_check_tail(const struct ckpt_record *record, const void *data,
			   const void *tail, u32 tail_len,
			   struct ckpt_record_fault *fault)
{
	const struct ckpt_hdr_buffer *buffer = data;

	switch (record->tail) {
	case CKPT_TAIL_TEXT:
		if (!is_padded_text(tail, tail_len))
			return refuse(fault, "text without an end", NULL,
				      tail_len);
		break;
	case CKPT_TAIL_BUFFER:
		if (tail_len != (((u64)buffer->nbytes + 7) & ~7ULL))
			return refuse(fault, "buffer of another length", NULL,
				      tail_len);
		if (!all_zero((const char *)tail + buffer->nbytes,
			      tail_len - buffer->nbytes))
			return refuse(fault, "padding is not zero", NULL,
				      tail_len);
		break;
	default:
		break;
	}
	return 0;
}
