// SPDX-License-Identifier: GPL-2.0
/*
 * Each rule by which records are validated.
 *
 * The tables of the format drive most of it: every field of every record is
 * tried with what it may just hold and what it may just not.
 */
#include <stdlib.h>
#include <string.h>

#include "ktap.h"
#include "record.h"
#include "sample.h"
#include "util.h"

#include <linux/checkpoint_image.h>

#define ROOM	8192

static unsigned char data[ROOM];
static struct ckpt_record_fault fault;

static bool any_object(void *arg, u32 objref, u32 objtype)
{
	(void)arg;
	(void)objtype;
	return objref == 1;
}

/* Objects of one type only. */
static bool typed_object(void *arg, u32 objref, u32 objtype)
{
	return objref == 1 && objtype == *(u32 *)arg;
}

static int check(const struct ckpt_record *type)
{
	memset(&fault, 0, sizeof(fault));
	return ckpt_record_check(type, data, type->size, any_object, NULL,
				 &fault);
}

static void put(const struct ckpt_field *field, u64 value)
{
	memcpy(data + field->offset, &value, field->size);
}

static void begin(const struct ckpt_record *type)
{
	memset(data, 0, sizeof(data));
	sample_fields(type, data);
}

/**
 * typedef field_test_t - a test of one field
 * @type: record that has it
 * @field: the field
 *
 * Return: whether the rule holds.
 */
typedef bool (*field_test_t)(const struct ckpt_record *type,
			     const struct ckpt_field *field);

/* Return: whether @test holds for all fields of a kind, and there are some. */
static bool each_field(enum ckpt_field_kind kind, field_test_t test)
{
	unsigned int i, j, seen = 0;

	for (i = 0; i < ckpt_nr_records; i++) {
		const struct ckpt_record *type = &ckpt_records[i];

		for (j = 0; j < type->nr_fields; j++) {
			if (type->fields[j].kind != kind)
				continue;
			begin(type);
			seen++;
			if (test(type, &type->fields[j]))
				continue;
			printf("# record %s, field %s\n", type->name,
			       type->fields[j].name);
			return false;
		}
	}
	return seen;
}

/* The refusal names the field. */
static bool is_refused(const struct ckpt_record *type,
		       const struct ckpt_field *field)
{
	return check(type) == -EINVAL && fault.reason && fault.field &&
	       !strcmp(fault.field, field->name) &&
	       fault.offset == field->offset;
}

static bool test_find(void)
{
	unsigned int i;

	for (i = 0; i < ckpt_nr_records; i++) {
		u32 type = ckpt_records[i].type;

		CHECK(!i || type > ckpt_records[i - 1].type);
		CHECK(ckpt_record_find(type) == &ckpt_records[i]);
	}
	CHECK(!ckpt_record_find(0));
	CHECK(!ckpt_record_find(6));
	CHECK(!ckpt_record_find(10000));
	CHECK(!ckpt_record_find(~0U));
	return true;
}

static bool test_no_hole(void)
{
	unsigned int i, j;

	for (i = 0; i < ckpt_nr_records; i++) {
		const struct ckpt_record *type = &ckpt_records[i];
		u32 offset = sizeof(struct ckpt_hdr);

		for (j = 0; j < type->nr_fields; j++) {
			CHECK(type->fields[j].offset == offset);
			offset += type->fields[j].size;
		}
		CHECK(offset == type->size);
		CHECK(type->min_size <= type->size);
		CHECK(type->tail == CKPT_TAIL_NONE ||
		      type->min_size == type->size);
	}
	return true;
}

static bool test_samples(void)
{
	unsigned int i;

	for (i = 0; i < ckpt_nr_records; i++) {
		begin(&ckpt_records[i]);
		CHECK(!check(&ckpt_records[i]));
	}
	return true;
}

static u64 largest(const struct ckpt_field *field)
{
	return field->size == 8 ? ~0ULL : U32_MAX;
}

static bool uint_range(const struct ckpt_record *type,
		       const struct ckpt_field *field)
{
	put(field, field->low);
	CHECK(!check(type));
	put(field, field->high);
	CHECK(!check(type));
	if (field->low) {
		put(field, field->low - 1);
		CHECK(is_refused(type, field));
		CHECK(fault.value == field->low - 1);
	}
	if (field->high < largest(field)) {
		put(field, field->high + 1);
		CHECK(is_refused(type, field));
		put(field, largest(field));
		CHECK(is_refused(type, field));
	}
	return true;
}

static bool test_uint(void)
{
	return each_field(CKPT_FIELD_UINT, uint_range);
}

static bool sint_range(const struct ckpt_record *type,
		       const struct ckpt_field *field)
{
	s64 low = field->low, high = field->high;
	s64 most = field->size == 8 ? INT64_MAX : INT32_MAX;

	put(field, low);
	CHECK(!check(type));
	CHECK((s64)ckpt_field_value(field, data) == low);
	put(field, high);
	CHECK(!check(type));
	if (low > -most - 1) {
		put(field, -most - 1);
		CHECK(is_refused(type, field));
		put(field, low - 1);
		CHECK(is_refused(type, field));
	}
	if (high < most) {
		put(field, high + 1);
		CHECK(is_refused(type, field));
	}
	return true;
}

static bool test_sint(void)
{
	return each_field(CKPT_FIELD_SINT, sint_range);
}

static bool mask_bits(const struct ckpt_record *type,
		      const struct ckpt_field *field)
{
	unsigned int bit;

	for (bit = 0; bit < field->size * 8U; bit++) {
		put(field, 1ULL << bit);
		if (field->low & 1ULL << bit)
			CHECK(!check(type));
		else
			CHECK(is_refused(type, field));
	}
	return true;
}

static bool test_mask(void)
{
	return each_field(CKPT_FIELD_MASK, mask_bits);
}

static bool reference(const struct ckpt_record *type,
		      const struct ckpt_field *field)
{
	CHECK(!check(type));
	put(field, 2);
	CHECK(is_refused(type, field));
	put(field, U32_MAX);
	CHECK(is_refused(type, field));
	put(field, 0);
	if (field->flags & CKPT_FIELD_OPTIONAL)
		CHECK(!check(type));
	else
		CHECK(is_refused(type, field));
	return true;
}

static bool test_reference(void)
{
	return each_field(CKPT_FIELD_REF, reference);
}

static bool test_reference_type(void)
{
	const struct ckpt_record *type = ckpt_record_find(CKPT_HDR_FILE_DESC);
	u32 right = CKPT_OBJ_FILE, wrong = CKPT_OBJ_MM;

	begin(type);
	CHECK(!ckpt_record_check(type, data, type->size, typed_object, &right,
				 &fault));
	CHECK(ckpt_record_check(type, data, type->size, typed_object, &wrong,
				&fault) == -EINVAL);
	CHECK(!strcmp(fault.field, "file"));
	CHECK(!ckpt_record_check(type, data, type->size, NULL, NULL, &fault));
	return true;
}

static bool text_end(const struct ckpt_record *type,
		     const struct ckpt_field *field)
{
	memset(data + field->offset, 'x', field->size - 1);
	CHECK(!check(type));
	memset(data + field->offset, 'x', field->size);
	CHECK(is_refused(type, field));
	memset(data + field->offset, 0, field->size);
	data[field->offset + field->size - 1] = 'x';
	CHECK(is_refused(type, field));
	return true;
}

static bool test_text(void)
{
	return each_field(CKPT_FIELD_TEXT, text_end);
}

static bool zero(const struct ckpt_record *type, const struct ckpt_field *field)
{
	unsigned int i;

	for (i = 0; i < field->size; i++) {
		data[field->offset + i] = 0x80;
		CHECK(is_refused(type, field));
		data[field->offset + i] = 0;
	}
	return true;
}

static bool test_zero(void)
{
	return each_field(CKPT_FIELD_ZERO, zero);
}

static bool anything(const struct ckpt_record *type,
		     const struct ckpt_field *field)
{
	memset(data + field->offset, 0xff, field->size);
	CHECK(!check(type));
	return true;
}

static bool test_opaque(void)
{
	return each_field(CKPT_FIELD_BYTES, anything) &&
	       each_field(CKPT_FIELD_ARRAY, anything);
}

static int length(const struct ckpt_record *type, u32 len)
{
	return ckpt_record_check_length(type, len, &fault);
}

static u32 longest(const struct ckpt_record *type)
{
	switch (type->tail) {
	case CKPT_TAIL_NONE:
		return type->size + CKPT_GROWTH_MAX;
	case CKPT_TAIL_TEXT:
		return type->size + CKPT_TEXT_MAX;
	case CKPT_TAIL_BUFFER:
		return type->size + CKPT_BUFFER_MAX;
	default:
		return U32_MAX & ~7U;
	}
}

static bool test_length(void)
{
	unsigned int i, j;

	for (i = 0; i < ckpt_nr_records; i++) {
		const struct ckpt_record *type = &ckpt_records[i];
		u32 most = longest(type);

		CHECK(!length(type, type->min_size));
		CHECK(!length(type, type->size));
		CHECK(!length(type, most));
		CHECK(length(type, 0) == -EINVAL);
		CHECK(length(type, type->min_size - 8) == -EINVAL);
		for (j = 1; j < 8; j++)
			CHECK(length(type, type->size + j) == -EINVAL);
		if (most < (U32_MAX & ~7U))
			CHECK(length(type, most + 8) == -EINVAL);
		CHECK(length(type, U32_MAX) == -EINVAL);
	}
	return true;
}

/* A record that got its second field in a later version. */
static const struct ckpt_field grown_fields[] = {
	{ .name = "old", .offset = 8, .size = 8, .kind = CKPT_FIELD_UINT,
	  .low = 1, .high = 9 },
	{ .name = "new", .offset = 16, .size = 8, .kind = CKPT_FIELD_UINT,
	  .low = 0, .high = 9 },
};

static const struct ckpt_record grown = {
	.name		= "grown",
	.type		= 7,
	.size		= 24,
	.min_size	= 16,
	.tail		= CKPT_TAIL_NONE,
	.nr_fields	= ARRAY_SIZE(grown_fields),
	.fields		= grown_fields,
};

static bool test_older(void)
{
	CHECK(!length(&grown, 16));
	CHECK(length(&grown, 8) == -EINVAL);
	begin(&grown);
	CHECK(!ckpt_record_check(&grown, data, 16, NULL, NULL, &fault));
	CHECK(ckpt_field_value(&grown_fields[1], data) == 0);
	return true;
}

static bool test_newer(void)
{
	u32 len = grown.size + 64, i;

	CHECK(!length(&grown, len));
	begin(&grown);
	CHECK(!ckpt_record_check(&grown, data, len, NULL, NULL, &fault));
	for (i = grown.size; i < len; i++) {
		data[i] = 1;
		CHECK(ckpt_record_check(&grown, data, len, NULL, NULL,
					&fault) == -EINVAL);
		CHECK(!fault.field);
		data[i] = 0;
	}
	/* What is behind the record does not belong to it. */
	data[len] = 1;
	CHECK(!ckpt_record_check(&grown, data, len, NULL, NULL, &fault));
	return true;
}

static bool test_text_tail(void)
{
	const struct ckpt_record *type = ckpt_record_find(CKPT_HDR_STRING);

	CHECK(!ckpt_record_check_tail(type, data, "1234567", 8, &fault));
	CHECK(!ckpt_record_check_tail(type, data, "\0\0\0\0\0\0\0", 8, &fault));
	CHECK(ckpt_record_check_tail(type, data, "12345678", 8, &fault) ==
	      -EINVAL);
	CHECK(ckpt_record_check_tail(type, data, "123\0005\0\0", 8, &fault) ==
	      -EINVAL);
	CHECK(ckpt_record_check_tail(type, data, "", 0, &fault) == -EINVAL);
	return true;
}

static bool test_buffer_tail(void)
{
	const struct ckpt_record *type = ckpt_record_find(CKPT_HDR_BUFFER);
	struct ckpt_hdr_buffer fields = { .nbytes = 5 };

	CHECK(ckpt_record_tail_len(type, &fields, 4096) == 8);
	CHECK(!ckpt_record_check_tail(type, &fields, "12345\0\0", 8, &fault));
	CHECK(ckpt_record_check_tail(type, &fields, "12345\0\1", 8, &fault) ==
	      -EINVAL);
	CHECK(ckpt_record_check_tail(type, &fields, data, 16, &fault) ==
	      -EINVAL);
	CHECK(ckpt_record_check_tail(type, &fields, data, 0, &fault) ==
	      -EINVAL);
	fields.nbytes = 0;
	CHECK(!ckpt_record_check_tail(type, &fields, data, 0, &fault));
	fields.nbytes = U32_MAX;
	CHECK(ckpt_record_tail_len(type, &fields, 4096) == 1ULL << 32);
	CHECK(ckpt_record_check_tail(type, &fields, data, 0, &fault) ==
	      -EINVAL);
	return true;
}

static bool test_pages_tail(void)
{
	const struct ckpt_record *type = ckpt_record_find(CKPT_HDR_PAGES);
	struct ckpt_hdr_pages fields = { .nr_pages = CKPT_PAGES_MAX };

	CHECK(ckpt_record_tail_len(type, &fields, 65536) ==
	      (u64)CKPT_PAGES_MAX * 65536);
	fields.nr_pages = U32_MAX;
	CHECK(ckpt_record_tail_len(type, &fields, 65536) ==
	      (u64)U32_MAX * 65536);
	return true;
}

int main(void)
{
	static const struct ktap_test tests[] = {
		{ "record.find", test_find },
		{ "record.no_hole", test_no_hole },
		{ "record.sample", test_samples },
		{ "record.unsigned_range", test_uint },
		{ "record.signed_range", test_sint },
		{ "record.unknown_bits", test_mask },
		{ "record.reference", test_reference },
		{ "record.reference_type", test_reference_type },
		{ "record.text_end", test_text },
		{ "record.reserved", test_zero },
		{ "record.opaque", test_opaque },
		{ "record.length", test_length },
		{ "record.older_is_shorter", test_older },
		{ "record.newer_is_longer", test_newer },
		{ "record.text_tail", test_text_tail },
		{ "record.buffer_tail", test_buffer_tail },
		{ "record.pages_tail", test_pages_tail },
	};

	return ktap_run(tests, ARRAY_SIZE(tests));
}
