// SPDX-License-Identifier: GPL-2.0
/*
 * The image between capture and emission.
 *
 * While the target is stopped, records are appended to chunks of memory.
 * Anything that need not be copied, such as the pages of a snapshot, is a
 * segment of another kind in the same list. Emission writes the list in order
 * when the target runs again.
 */
#include <linux/err.h>
#include <linux/dcache.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

#define CHUNK_SIZE	SZ_16K

/**
 * struct ckpt_chunk - a segment of finished records
 * @segment: its place in the image
 * @used: bytes filled in
 * @size: bytes of @data
 * @nr_records: in @data
 * @data: records, each of them whole
 */
struct ckpt_chunk {
	struct ckpt_segment segment;
	u32 used;
	u32 size;
	u32 nr_records;
	u8 data[] __aligned(8);
};

static int chunk_emit(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	struct ckpt_chunk *chunk;

	chunk = container_of(segment, struct ckpt_chunk, segment);
	ctx->captured -= chunk->used;
	ctx->stream.nr_records += chunk->nr_records;
	return ckpt_stream_write(ctx, chunk->data, chunk->used);
}

static void chunk_free(struct ckpt_segment *segment)
{
	kvfree(container_of(segment, struct ckpt_chunk, segment));
}

static const struct ckpt_segment_ops chunk_ops = {
	.emit	= chunk_emit,
	.free	= chunk_free,
};

/**
 * ckpt_segment_add - append a segment behind everything captured so far
 * @ctx: context, owns the segment from now on
 * @segment: with its methods set
 */
void ckpt_segment_add(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	list_add_tail(&segment->list, &ctx->segments);
	ctx->chunk = NULL;
}

static void *append(struct ckpt_ctx *ctx, u32 type, u32 len)
{
	struct ckpt_chunk *chunk = ctx->chunk;
	struct ckpt_hdr *header;

	if (!chunk || chunk->size - chunk->used < len) {
		u32 size = CHUNK_SIZE - sizeof(*chunk);

		if (size < len)
			size = len;
		chunk = kvzalloc(struct_size(chunk, data, size),
				 GFP_KERNEL_ACCOUNT);
		if (!chunk)
			return NULL;
		chunk->segment.ops = &chunk_ops;
		chunk->size = size;
		ckpt_segment_add(ctx, &chunk->segment);
		ctx->chunk = chunk;
	}
	header = (struct ckpt_hdr *)(chunk->data + chunk->used);
	header->type = type;
	header->len = len;
	chunk->used += len;
	chunk->nr_records++;
	ctx->captured += len;
	return header;
}

/* The same few types again and again, while the target is stopped. */
static const struct ckpt_record *find_type(struct ckpt_ctx *ctx, u32 type)
{
	const struct ckpt_record **recent;

	recent = &ctx->recent_types[type % CKPT_RECENT_TYPES];
	if (!*recent || (*recent)->type != type)
		*recent = ckpt_record_find(type);
	return *recent;
}

/**
 * ckpt_record_add - append a record
 * @ctx: context
 * @type: enum ckpt_hdr_type, one without a tail
 *
 * Return: the record, header filled in and the rest zero, valid until the
 * target is let go; NULL if there is no memory.
 */
void *ckpt_record_add(struct ckpt_ctx *ctx, u32 type)
{
	return append(ctx, type, find_type(ctx, type)->size);
}

/**
 * ckpt_text_add - append a string record
 * @ctx: context
 * @text: shorter than CKPT_TEXT_MAX
 *
 * Return: 0, -ENAMETOOLONG, -ENOMEM.
 */
int ckpt_text_add(struct ckpt_ctx *ctx, const char *text)
{
	size_t length = strlen(text) + 1;
	struct ckpt_hdr_string *record;

	if (length > CKPT_TEXT_MAX)
		return -ENAMETOOLONG;
	record = append(ctx, CKPT_HDR_STRING,
			sizeof(*record) + ALIGN(length, 8));
	if (!record)
		return -ENOMEM;
	memcpy(record + 1, text, length);
	return 0;
}

/**
 * ckpt_buffer_add - append a buffer record
 * @ctx: context
 * @nbytes: at most CKPT_BUFFER_MAX
 *
 * Return: room for the bytes, all zero, valid until the target is let go;
 * NULL if there is no memory.
 */
void *ckpt_buffer_add(struct ckpt_ctx *ctx, u32 nbytes)
{
	struct ckpt_hdr_buffer *record;

	record = append(ctx, CKPT_HDR_BUFFER,
			sizeof(*record) + ALIGN(nbytes, 8));
	if (!record)
		return NULL;
	record->nbytes = nbytes;
	return record + 1;
}

/**
 * ckpt_path_add - append the name of a path as a string record
 * @ctx: context
 * @path: names are those that the caller of checkpoint() sees
 *
 * Return: 0, -ENOENT if the caller's root directory does not lead there,
 * -ENAMETOOLONG, -ENOMEM.
 */
int ckpt_path_add(struct ckpt_ctx *ctx, const struct path *path)
{
	char *page, *name;
	int ret;

	page = (char *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	name = __d_path(path, &ctx->root, page, PAGE_SIZE);
	if (!name)
		ret = -ENOENT;
	else if (IS_ERR(name))
		ret = PTR_ERR(name);
	else
		ret = ckpt_text_add(ctx, name);
	free_page((unsigned long)page);
	return ret;
}

/**
 * ckpt_segments_complete - take what can only be taken at the end
 * @ctx: context; all tasks are captured, and still stopped
 *
 * Return: 0 or a negative errno.
 */
int ckpt_segments_complete(struct ckpt_ctx *ctx)
{
	struct ckpt_segment *segment;
	int ret = 0;

	might_sleep();
	list_for_each_entry(segment, &ctx->segments, list) {
		if (segment->ops->complete)
			ret = segment->ops->complete(ctx, segment);
		if (ret)
			break;
	}
	return ret;
}

/**
 * ckpt_segments_emit - write everything captured to the image
 * @ctx: context; the target runs already
 *
 * Return: 0, or the error of the image file.
 */
int ckpt_segments_emit(struct ckpt_ctx *ctx)
{
	struct ckpt_segment *segment, *next;

	might_sleep();
	list_for_each_entry_safe(segment, next, &ctx->segments, list) {
		int ret = segment->ops->emit(ctx, segment);

		if (ret)
			return ret;
		list_del(&segment->list);
		segment->ops->free(segment);
	}
	return 0;
}

/**
 * ckpt_segments_free - drop what was captured and not emitted
 * @ctx: context
 */
void ckpt_segments_free(struct ckpt_ctx *ctx)
{
	struct ckpt_segment *segment, *next;

	list_for_each_entry_safe(segment, next, &ctx->segments, list) {
		list_del(&segment->list);
		segment->ops->free(segment);
	}
	ctx->chunk = NULL;
	ctx->captured = 0;
}
