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
 * @nr_objects: objects announced in it
 * @fs: the directories of its task, once they are there
 * @mm: the address space of its task, once it is there
 */
struct sample {
	unsigned char *data;
	size_t len;
	u64 nr_records;
	u32 nr_objects;
	u32 fs;
	u32 mm;
};

#define SAMPLE_PAGE	4096

void sample_fields(const struct ckpt_record *type, void *fields);
void sample_put(struct sample *sample, u32 type, const void *fields,
		const void *tail, size_t tail_len);
void sample_any(struct sample *sample, u32 type);
void sample_text(struct sample *sample, const char *text);
u32 sample_object(struct sample *sample, u32 objtype);
void sample_buffer(struct sample *sample, u32 nbytes);
void sample_pages(struct sample *sample, u64 start, u32 nr_pages,
		  u32 pages_per_record);
u32 sample_null_device(struct sample *sample);
u32 sample_file_table(struct sample *sample, u32 null_device);
void sample_begin(struct sample *sample);
void sample_end(struct sample *sample);
void sample_fail(struct sample *sample, u32 errnum, const char *message);
void sample_family(struct sample *sample, u32 pid);
void sample_fork(struct sample *sample, u32 pid, bool shares);
void sample_image(struct sample *sample, u32 pid, u32 pages_per_record);
void sample_free(struct sample *sample);

#endif /* _CKPT_SAMPLE_H */
