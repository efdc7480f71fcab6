// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the descriptions of records and of their validation.
 */
#include <kunit/test.h>
#include <linux/checkpoint_image.h>

#include "../image/record.h"

static void every_record_is_described(struct kunit *test)
{
	unsigned int index;
	u32 last = 0;

	for (index = 0; index < ckpt_nr_records; index++) {
		const struct ckpt_record *record = &ckpt_records[index];

		KUNIT_EXPECT_GT(test, record->type, last);
		KUNIT_EXPECT_PTR_EQ(test, ckpt_record_find(record->type),
				    record);
		KUNIT_EXPECT_EQ(test, record->size % 8, 0);
		KUNIT_EXPECT_LE(test, record->min_size, record->size);
		last = record->type;
	}
	KUNIT_EXPECT_NULL(test, ckpt_record_find(0));
	KUNIT_EXPECT_NULL(test, ckpt_record_find(last + 1));
}

static void fields_cover_their_record(struct kunit *test)
{
	unsigned int index, field;

	for (index = 0; index < ckpt_nr_records; index++) {
		const struct ckpt_record *record = &ckpt_records[index];
		u32 offset = sizeof(struct ckpt_hdr);

		for (field = 0; field < record->nr_fields; field++) {
			KUNIT_EXPECT_EQ(test, record->fields[field].offset,
					offset);
			offset += record->fields[field].size;
		}
		KUNIT_EXPECT_EQ(test, offset, record->size);
	}
}

static void impossible_lengths_are_refused(struct kunit *test)
{
	const struct ckpt_record *record = ckpt_record_find(CKPT_HDR_TREE);
	struct ckpt_record_fault fault;

	KUNIT_EXPECT_EQ(test, 0,
			ckpt_record_check_length(record,
						 sizeof(struct ckpt_hdr_tree),
						 &fault));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ckpt_record_check_length(record, 8, &fault));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ckpt_record_check_length(record, 17, &fault));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ckpt_record_check_length(record, 1U << 20, &fault));
}

static void reserved_fields_are_zero(struct kunit *test)
{
	const struct ckpt_record *record = ckpt_record_find(CKPT_HDR_BUFFER);
	struct ckpt_hdr_buffer buffer = { .nbytes = 1 };
	struct ckpt_record_fault fault;

	KUNIT_EXPECT_EQ(test, 0,
			ckpt_record_check(record, &buffer, sizeof(buffer), NULL,
					  NULL, &fault));
	buffer.reserved = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ckpt_record_check(record, &buffer, sizeof(buffer), NULL,
					  NULL, &fault));
	KUNIT_EXPECT_STREQ(test, fault.field, "reserved");
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE(every_record_is_described),
	KUNIT_CASE(fields_cover_their_record),
	KUNIT_CASE(impossible_lengths_are_refused),
	KUNIT_CASE(reserved_fields_are_zero),
	{}
};

static struct kunit_suite record_suite = {
	.name		= "checkpoint_record",
	.test_cases	= record_cases,
};

kunit_test_suite(record_suite);
