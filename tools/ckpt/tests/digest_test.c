// SPDX-License-Identifier: GPL-2.0
/* The checksums of an image, by the instruction and without it. */
#include "ktap.h"
#include "sample.h"

/* What a processor without the instruction does cannot be reached otherwise. */
#include "digest.c"

static uint32_t crc_of(uint32_t (*update)(uint32_t, const unsigned char *, size_t),
		       const void *data, size_t len)
{
	return ~update(~0u, data, len);
}

/* The check value of CRC-32C, and the examples of RFC 3720, B.4. */
static bool test_known(void)
{
	unsigned char bytes[32];
	size_t i;

	CHECK(crc_of(crc_by_table, "123456789", 9) == 0xe3069283);
	CHECK(crc_of(crc_by_table, "", 0) == 0);
	memset(bytes, 0, sizeof(bytes));
	CHECK(crc_of(crc_by_table, bytes, sizeof(bytes)) == 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK(crc_of(crc_by_table, bytes, sizeof(bytes)) == 0x62a8ab43);
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	CHECK(crc_of(crc_by_table, bytes, sizeof(bytes)) == 0x46dd794e);
	return true;
}

static bool test_same(void)
{
	unsigned char bytes[100];
	size_t start, len;

	if (!__builtin_cpu_supports("sse4.2"))
		return true;
	for (len = 0; len < sizeof(bytes); len++)
		bytes[len] = len * len + 7;
	for (start = 0; start < 9; start++)
		for (len = 0; len < sizeof(bytes) - start; len++)
			CHECK(crc_of(crc_by_table, bytes + start, len) ==
			      crc_of(crc_by_instruction, bytes + start, len));
	return true;
}

static bool test_in_pieces(void)
{
	unsigned char bytes[2 * SAMPLE_PAGE];
	struct image_digest whole, pieces;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 251;
	digest_start(&whole);
	digest_pages(&whole, bytes, sizeof(bytes));
	digest_start(&pieces);
	for (i = 0; i < sizeof(bytes); i += 1 + i % 13)
		digest_pages(&pieces, bytes + i,
			     i + 1 + i % 13 < sizeof(bytes) ? 1 + i % 13 : sizeof(bytes) - i);
	CHECK(whole.pages_crc == pieces.pages_crc);
	return true;
}

/* Where the contents of the first pages are. */
static size_t find_pages(const struct sample *sample)
{
	struct ckpt_hdr header;
	size_t at = 0;

	for (;;) {
		memcpy(&header, sample->data + at, sizeof(header));
		if (header.type == CKPT_HDR_PAGES)
			return at + sizeof(struct ckpt_hdr_pages);
		at += header.len;
	}
}

/* Damage to a page shows in one of them, to anything else in the other. */
static bool test_separate(void)
{
	struct ckpt_hdr_tail good = { 0 }, bad = { 0 };
	struct sample sample;
	size_t len;

	sample_image(&sample, 1234, 1);
	len = sample.len - sizeof(good);
	digest_image(sample.data, len, &good);
	sample.data[sizeof(struct ckpt_hdr)] ^= 1;
	digest_image(sample.data, len, &bad);
	CHECK(bad.checksum != good.checksum);
	CHECK(bad.pages_checksum == good.pages_checksum);
	sample.data[sizeof(struct ckpt_hdr)] ^= 1;
	sample.data[find_pages(&sample) + 99] ^= 1;
	digest_image(sample.data, len, &bad);
	CHECK(bad.checksum == good.checksum);
	CHECK(bad.pages_checksum != good.pages_checksum);
	sample_free(&sample);
	return true;
}

int main(void)
{
	static const struct ktap_test tests[] = {
		{ "digest.known_values", test_known },
		{ "digest.instruction_and_table", test_same },
		{ "digest.in_pieces", test_in_pieces },
		{ "digest.records_and_pages", test_separate },
	};

	return ktap_run(tests, ARRAY_SIZE(tests));
}
