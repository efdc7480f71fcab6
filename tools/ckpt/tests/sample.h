/* SPDX-License-Identifier: GPL-2.0 */
/* Images made by hand. */
#ifndef _CKPT_SAMPLE_H
#define _CKPT_SAMPLE_H

#include <stddef.h>

#include "record.h"

/**
 * struct sample - an image in memory
 * @data: its bytes
 * @len: their number
 * @nr_records: its records
 */
struct sample {
	unsigned char *data;
	size_t len;
	u64 nr_records;
};

void sample_fields(const struct ckpt_record *type, void *fields);
void sample_put(struct sample *sample, u32 type, const void *fields,
		const void *tail, size_t tail_len);
void sample_text(struct sample *sample, const char *text);
void sample_begin(struct sample *sample);
void sample_end(struct sample *sample);
void sample_fail(struct sample *sample, u32 errnum, const char *message);
void sample_image(struct sample *sample, u32 pid, u32 pages_per_record);
void sample_free(struct sample *sample);

#endif /* _CKPT_SAMPLE_H */
