/* SPDX-License-Identifier: GPL-2.0 */
/* The checksums of an image. */
#ifndef _CKPT_DIGEST_H
#define _CKPT_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

struct ckpt_hdr_tail;

/**
 * struct image_digest - checksums of what has come so far
 * @records: of all bytes but the contents of pages
 * @pages_crc: of the contents of pages, not inverted
 */
struct image_digest {
	XXH64_state_t records;
	uint32_t pages_crc;
};

void digest_start(struct image_digest *digest);
void digest_records(struct image_digest *digest, const void *data, size_t len);
void digest_pages(struct image_digest *digest, const void *data, size_t len);
void digest_end(const struct image_digest *digest, struct ckpt_hdr_tail *tail);
void digest_image(const void *data, size_t len, struct ckpt_hdr_tail *tail);

#endif /* _CKPT_DIGEST_H */
