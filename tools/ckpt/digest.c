// SPDX-License-Identifier: GPL-2.0
/*
 * The checksums of an image.
 *
 * Records are summed up with XXH64. Nearly all of an image are pages; of these
 * it is CRC-32C, for which processors have an instruction. No library that can be
 * linked statically has it.
 */
#include <nmmintrin.h>
#include <stdbool.h>
#include <string.h>

#include <linux/checkpoint_image.h>

#include "digest.h"
#include "record.h"

/* Bits in reverse order, as in all that is called CRC-32C. */
#define POLYNOMIAL	0x82f63b78u

__attribute__((target("sse4.2")))
static uint32_t crc_by_instruction(uint32_t crc, const unsigned char *at, size_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		crc = _mm_crc32_u64(crc, word);
	}
	for (; len; at++, len--)
		crc = _mm_crc32_u8(crc, *at);
	return crc;
}

static uint32_t crc_by_table(uint32_t crc, const unsigned char *at, size_t len)
{
	static uint32_t table[256];
	unsigned int byte, bit;

	for (byte = 0; !table[255] && byte < 256; byte++) {
		uint32_t value = byte;

		for (bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
		table[byte] = value;
	}
	for (; len; at++, len--)
		crc = crc >> 8 ^ table[(crc ^ *at) & 0xff];
	return crc;
}

/**
 * digest_start - nothing has come yet
 * @digest: filled in
 */
void digest_start(struct image_digest *digest)
{
	XXH64_reset(&digest->records, 0);
	digest->pages_crc = ~0u;
}

/**
 * digest_records - go on with bytes that are not the contents of pages
 * @digest: from digest_start()
 * @data: bytes
 * @len: how many
 */
void digest_records(struct image_digest *digest, const void *data, size_t len)
{
	XXH64_update(&digest->records, data, len);
}

/**
 * digest_pages - go on with the contents of pages
 * @digest: from digest_start()
 * @data: bytes
 * @len: how many
 */
void digest_pages(struct image_digest *digest, const void *data, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		digest->pages_crc = crc_by_instruction(digest->pages_crc, data, len);
	else
		digest->pages_crc = crc_by_table(digest->pages_crc, data, len);
}

/**
 * digest_end - tell the checksums of what has come
 * @digest: from digest_start()
 * @tail: its checksums are filled in
 */
void digest_end(const struct image_digest *digest, struct ckpt_hdr_tail *tail)
{
	tail->checksum = XXH64_digest(&digest->records);
	tail->pages_checksum = ~digest->pages_crc;
}

/**
 * digest_image - checksums of an image in memory
 * @data: an image, which may be damaged
 * @len: its bytes before the tail
 * @tail: its checksums are filled in
 */
void digest_image(const void *data, size_t len, struct ckpt_hdr_tail *tail)
{
	struct image_digest digest;
	size_t at = 0;

	digest_start(&digest);
	while (at < len) {
		struct ckpt_hdr header = { 0 };
		size_t left = len - at;
		size_t fields;

		memcpy(&header, (const char *)data + at,
		       left < sizeof(header) ? left : sizeof(header));
		/* What does not hold together is counted all the same. */
		if (header.len >= sizeof(header) && header.len < left)
			left = header.len;
		fields = left;
		if (header.type == CKPT_HDR_PAGES && left > sizeof(struct ckpt_hdr_pages))
			fields = sizeof(struct ckpt_hdr_pages);
		digest_records(&digest, (const char *)data + at, fields);
		digest_pages(&digest, (const char *)data + at + fields, left - fields);
		at += left;
	}
	digest_end(&digest, tail);
}
