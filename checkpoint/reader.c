// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the records of an image.
 *
 * A record reaches its handler only when its length, its fields and its
 * references were found good. Objects that are announced in front of it are
 * restored first.
 */
#include <linux/err.h>
#include <linux/mm.h>

#include "internal.h"

static bool ref_exists(void *arg, u32 objref, u32 objtype)
{
	return ckpt_object_find(arg, objref, objtype);
}

static int refuse(struct ckpt_ctx *ctx, const struct ckpt_record *record,
		  const struct ckpt_record_fault *fault)
{
	return ckpt_error(ctx, -EINVAL, "record %s, %s%s%s at %u: %llu",
			  record->name, fault->reason,
			  fault->field ? ", field " : "", fault->field ?: "",
			  fault->offset, fault->value);
}

/* Bytes of a record that this version does not know must be zero. */
static int read_growth(struct ckpt_ctx *ctx, const struct ckpt_record *record,
		       u32 len)
{
	u64 word;
	int ret;

	for (; len > record->size; len -= sizeof(word)) {
		ret = ckpt_stream_read(ctx, &word, sizeof(word));
		if (ret)
			return ret;
		if (word)
			return ckpt_error(ctx, -EINVAL,
					  "record %s has fields of a later version",
					  record->name);
	}
	return 0;
}

static int read_fields(struct ckpt_ctx *ctx, const struct ckpt_record *record,
		       const struct ckpt_hdr *header, void *data)
{
	u32 known = min_t(u32, header->len, record->size);
	struct ckpt_record_fault fault;
	int ret;

	memset(data, 0, record->size);
	memcpy(data, header, sizeof(*header));
	ret = ckpt_stream_read(ctx, data + sizeof(*header),
			       known - sizeof(*header));
	if (ret)
		return ret;
	ret = ckpt_record_check(record, data, known, ref_exists, ctx, &fault);
	if (ret)
		return refuse(ctx, record, &fault);
	if (record->tail == CKPT_TAIL_NONE)
		return read_growth(ctx, record, header->len);
	if (record->tail != CKPT_TAIL_TEXT &&
	    ckpt_record_tail_len(record, data, PAGE_SIZE) !=
	    header->len - record->size)
		return ckpt_error(ctx, -EINVAL,
				  "record %s has a tail of another length",
				  record->name);
	return 0;
}

static int read_header(struct ckpt_ctx *ctx, struct ckpt_hdr *header)
{
	const struct ckpt_record *record;
	struct ckpt_record_fault fault;
	int ret;

	ret = ckpt_stream_read_unhashed(ctx, header, sizeof(*header));
	if (ret)
		return ret;
	record = ckpt_record_find(header->type);
	if (!record)
		return ckpt_error(ctx, -EINVAL, "unknown record type %u",
				  header->type);
	ret = ckpt_record_check_length(record, header->len, &fault);
	if (ret)
		return refuse(ctx, record, &fault);
	/* The tail holds the checksum of what is before it. */
	if (header->type != CKPT_HDR_TAIL) {
		xxh64_update(&ctx->stream.hash, header, sizeof(*header));
		ctx->stream.nr_records++;
	}
	return 0;
}

static void *read_tail(struct ckpt_ctx *ctx, const struct ckpt_record *record,
		       const void *fields, u32 len)
{
	struct ckpt_record_fault fault;
	void *tail;
	int ret;

	tail = kvzalloc(max_t(u32, len, 8), GFP_KERNEL_ACCOUNT);
	if (!tail)
		return ERR_PTR(-ENOMEM);
	ret = len ? ckpt_stream_read(ctx, tail, len) : 0;
	if (!ret && ckpt_record_check_tail(record, fields, tail, len, &fault))
		ret = refuse(ctx, record, &fault);
	if (ret) {
		kvfree(tail);
		return ERR_PTR(ret);
	}
	return tail;
}

static char *read_text(struct ckpt_ctx *ctx, const struct ckpt_hdr *header)
{
	return read_tail(ctx, ckpt_record_find(CKPT_HDR_STRING), header,
			 header->len - sizeof(struct ckpt_hdr_string));
}

/* Its text comes at once: nothing else, least of all another error. */
static int read_error_record(struct ckpt_ctx *ctx, const struct ckpt_hdr *hdr)
{
	struct ckpt_hdr_error record;
	struct ckpt_hdr header;
	char *text;
	int ret;

	if (hdr->len != sizeof(record))
		return ckpt_error(ctx, -EINVAL, "malformed error record");
	ret = ckpt_stream_read(ctx, (void *)&record + sizeof(*hdr),
			       sizeof(record) - sizeof(*hdr));
	if (!ret)
		ret = read_header(ctx, &header);
	if (ret)
		return ret;
	if (header.type != CKPT_HDR_STRING)
		return ckpt_error(ctx, -EINVAL, "an error record has no text");
	text = read_text(ctx, &header);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = ckpt_error(ctx, -EIO, "the checkpoint had failed: %s", text);
	kvfree(text);
	return ret;
}

static int next_header(struct ckpt_ctx *ctx, struct ckpt_hdr *header)
{
	int ret;

	if (ctx->pushed.type) {
		*header = ctx->pushed;
		ctx->pushed.type = 0;
		return 0;
	}
	ret = read_header(ctx, header);
	if (!ret && header->type == CKPT_HDR_ERROR)
		ret = read_error_record(ctx, header);
	return ret;
}

/* Objects are restored where they are announced, before who refers to them. */
static int next_header_after_objects(struct ckpt_ctx *ctx,
				     struct ckpt_hdr *header)
{
	for (;;) {
		struct ckpt_hdr_objref objref;
		int ret = next_header(ctx, header);

		if (ret || header->type != CKPT_HDR_OBJREF)
			return ret;
		ret = read_fields(ctx, ckpt_record_find(CKPT_HDR_OBJREF),
				  header, &objref);
		if (!ret)
			ret = ckpt_object_restore(ctx, &objref);
		if (ret)
			return ret;
	}
}

/**
 * ckpt_record_peek - type of the next record
 * @ctx: context
 *
 * Objects announced before it are restored first.
 *
 * Return: enum ckpt_hdr_type, or a negative errno.
 */
int ckpt_record_peek(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr header;
	int ret;

	ret = next_header_after_objects(ctx, &header);
	if (ret)
		return ret;
	ctx->pushed = header;
	return header.type;
}

static int expect(struct ckpt_ctx *ctx, u32 type, struct ckpt_hdr *header)
{
	int ret = next_header_after_objects(ctx, header);

	if (!ret && header->type != type)
		ret = ckpt_error(ctx, -EINVAL, "record %s instead of %s",
				 ckpt_record_find(header->type)->name,
				 ckpt_record_find(type)->name);
	return ret;
}

/**
 * ckpt_record_read - read and check the next record
 * @ctx: context
 * @type: that it must have
 * @record: room for its C structure; what an older version lacks is zero
 *
 * Objects announced before it are restored first. Pages that follow the fields
 * are left to the caller.
 *
 * Return: 0, -EINVAL for a record that is malformed or of another type,
 * -EPIPE if the image ends, or another errno.
 */
int ckpt_record_read(struct ckpt_ctx *ctx, u32 type, void *record)
{
	struct ckpt_hdr header;
	int ret = expect(ctx, type, &header);

	return ret ?: read_fields(ctx, ckpt_record_find(type), &header, record);
}

/**
 * ckpt_text_read - read a string record
 * @ctx: context
 *
 * Return: the text, for kvfree(), or an error pointer.
 */
char *ckpt_text_read(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr header;
	int ret = expect(ctx, CKPT_HDR_STRING, &header);

	if (ret)
		return ERR_PTR(ret);
	return read_text(ctx, &header);
}

/**
 * ckpt_buffer_read - read a buffer record
 * @ctx: context
 * @nbytes: set to its length
 *
 * Return: the bytes, for kvfree(), or an error pointer.
 */
void *ckpt_buffer_read(struct ckpt_ctx *ctx, u32 *nbytes)
{
	struct ckpt_hdr_buffer buffer;
	int ret = ckpt_record_read(ctx, CKPT_HDR_BUFFER, &buffer);

	if (ret)
		return ERR_PTR(ret);
	*nbytes = buffer.nbytes;
	return read_tail(ctx, ckpt_record_find(CKPT_HDR_BUFFER), &buffer,
			 ALIGN(buffer.nbytes, 8));
}

/**
 * ckpt_stream_read_tail - verify that the image is whole
 * @ctx: context; everything else was read
 *
 * Return: 0, -EINVAL if records are left or the checksum differs, or another
 * errno.
 */
int ckpt_stream_read_tail(struct ckpt_ctx *ctx)
{
	u64 checksum = xxh64_digest(&ctx->stream.hash);
	struct ckpt_hdr_tail tail;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_TAIL, &tail);
	if (ret)
		return ret;
	if (tail.nr_records != ctx->stream.nr_records)
		return ckpt_error(ctx, -EINVAL,
				  "%llu records instead of %llu",
				  ctx->stream.nr_records, tail.nr_records);
	if (tail.checksum != checksum)
		return ckpt_error(ctx, -EINVAL, "the checksum differs");
	if (tail.pages_checksum != ~ctx->stream.pages_crc)
		return ckpt_error(ctx, -EINVAL,
				  "the checksum of the pages differs");
	return 0;
}
