/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Description of image records and their validation.
 *
 * Shared between the kernel and the tools, see port.h.
 */
#ifndef _CHECKPOINT_IMAGE_RECORD_H
#define _CHECKPOINT_IMAGE_RECORD_H

#include "port.h"

/**
 * enum ckpt_field_kind - what the bytes of a field mean and may be
 * @CKPT_FIELD_UINT: unsigned, between two bounds
 * @CKPT_FIELD_SINT: signed, between two bounds
 * @CKPT_FIELD_MASK: bits out of a known set
 * @CKPT_FIELD_REF: id of an object of one type; 0 if the field is optional
 * @CKPT_FIELD_TEXT: array that ends with a NUL byte and is padded with them
 * @CKPT_FIELD_BYTES: opaque bytes
 * @CKPT_FIELD_ARRAY: array of unsigned 64-bit values
 * @CKPT_FIELD_ZERO: reserved, must be zero
 */
enum ckpt_field_kind {
	CKPT_FIELD_UINT,
	CKPT_FIELD_SINT,
	CKPT_FIELD_MASK,
	CKPT_FIELD_REF,
	CKPT_FIELD_TEXT,
	CKPT_FIELD_BYTES,
	CKPT_FIELD_ARRAY,
	CKPT_FIELD_ZERO,
};

/* struct ckpt_field.flags */
#define CKPT_FIELD_HEX		0x1	/* print as hexadecimal */
#define CKPT_FIELD_VOLATILE	0x2	/* differs from checkpoint to checkpoint */
#define CKPT_FIELD_OPTIONAL	0x4	/* a reference that may be 0 */

/**
 * struct ckpt_field - one field of a record
 * @name: as in the C structure
 * @offset: from the beginning of the record, bytes
 * @size: of the field, bytes
 * @kind: enum ckpt_field_kind
 * @flags: CKPT_FIELD_HEX, CKPT_FIELD_VOLATILE, CKPT_FIELD_OPTIONAL
 * @low: lower bound; or the known bits; or the type of object
 * @high: upper bound
 */
struct ckpt_field {
	const char *name;
	u16 offset;
	u16 size;
	u8 kind;
	u8 flags;
	u64 low;
	u64 high;
};

/**
 * enum ckpt_record_tail - what follows the fields of a record
 * @CKPT_TAIL_NONE: nothing; the record may grow in later versions
 * @CKPT_TAIL_TEXT: text that ends with a NUL byte, padded with them
 * @CKPT_TAIL_BUFFER: as many bytes as the field nbytes says, then padding
 * @CKPT_TAIL_PAGES: as many pages as the field nr_pages says
 */
enum ckpt_record_tail {
	CKPT_TAIL_NONE,
	CKPT_TAIL_TEXT,
	CKPT_TAIL_BUFFER,
	CKPT_TAIL_PAGES,
};

/* The longest text of an image: a path, and its NUL byte. */
#define CKPT_TEXT_MAX		4096
/* The longest buffer of an image. */
#define CKPT_BUFFER_MAX		(1U << 20)
/* The most pages that one record carries. */
#define CKPT_PAGES_MAX		(1U << 16)
/* A record of a later version may be longer than ours by at most this. */
#define CKPT_GROWTH_MAX		4096

/**
 * struct ckpt_record - one type of record
 * @name: as in the C structure, without its prefix
 * @type: enum ckpt_hdr_type
 * @size: bytes of the C structure
 * @min_size: bytes that it had in the first version of the format
 * @tail: enum ckpt_record_tail
 * @nr_fields: rows of @fields
 * @fields: every field behind the header, in order, without a hole
 */
struct ckpt_record {
	const char *name;
	u32 type;
	u16 size;
	u16 min_size;
	u8 tail;
	u8 nr_fields;
	const struct ckpt_field *fields;
};

/**
 * struct ckpt_record_fault - why a record was refused
 * @reason: constant text
 * @field: name of the field, or NULL if the record as a whole is wrong
 * @offset: of that field in the record, bytes
 * @value: what it holds
 */
struct ckpt_record_fault {
	const char *reason;
	const char *field;
	u32 offset;
	u64 value;
};

/**
 * typedef ckpt_ref_check_t - does an object with this id and type exist?
 * @arg: of the caller
 * @objref: id, not 0
 * @objtype: enum ckpt_obj_type
 *
 * Return: whether the reference may be used.
 */
typedef bool (*ckpt_ref_check_t)(void *arg, u32 objref, u32 objtype);

extern const struct ckpt_record ckpt_records[];
extern const unsigned int ckpt_nr_records;

const struct ckpt_record *ckpt_record_find(u32 type);
u64 ckpt_field_value(const struct ckpt_field *field, const void *record);
int ckpt_record_check_length(const struct ckpt_record *record, u32 len,
			     struct ckpt_record_fault *fault);
int ckpt_record_check(const struct ckpt_record *record, const void *data,
		      u32 len, ckpt_ref_check_t ref_check, void *arg,
		      struct ckpt_record_fault *fault);
int ckpt_record_check_tail(const struct ckpt_record *record, const void *data,
			   const void *tail, u32 tail_len,
			   struct ckpt_record_fault *fault);
u64 ckpt_record_tail_len(const struct ckpt_record *record, const void *data,
			 u32 page_size);

#endif /* _CHECKPOINT_IMAGE_RECORD_H */
