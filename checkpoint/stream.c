// SPDX-License-Identifier: GPL-2.0
/*
 * The image as a forward-only stream.
 *
 * It may be a pipe or a socket, so nothing ever seeks. Short transfers,
 * -EAGAIN and interruptions by signals that do not kill are normal: the
 * transfer goes on. Every byte goes through one checksum, which a restart
 * compares before it commits.
 */
#include <linux/bvec.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/uio.h>

#include "internal.h"

/**
 * struct poll_waiter - waits until a non-blocking image file is ready again
 * @table: for vfs_poll()
 * @entry: in @head
 * @head: wait queue of the file, NULL until vfs_poll() told
 */
struct poll_waiter {
	poll_table table;
	wait_queue_entry_t entry;
	wait_queue_head_t *head;
};

static void poll_queue(struct file *file, wait_queue_head_t *head,
		       poll_table *table)
{
	struct poll_waiter *waiter;

	waiter = container_of(table, struct poll_waiter, table);
	if (waiter->head)
		return;
	waiter->head = head;
	add_wait_queue(head, &waiter->entry);
}

static int wait_until_ready(struct file *file, __poll_t events)
{
	struct poll_waiter waiter = {};
	int ret = 0;

	init_waitqueue_entry(&waiter.entry, current);
	init_poll_funcptr(&waiter.table, poll_queue);
	waiter.table._key = events | EPOLLERR | EPOLLHUP;
	for (;;) {
		set_current_state(TASK_KILLABLE);
		if (vfs_poll(file, &waiter.table) & waiter.table._key)
			break;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		/* A file with several queues may wake the one we are not in. */
		schedule_timeout(HZ / 10);
	}
	__set_current_state(TASK_RUNNING);
	if (waiter.head)
		remove_wait_queue(waiter.head, &waiter.entry);
	return ret;
}

/*
 * Decides what an incomplete transfer means. A caught signal must not end
 * it, so its flag goes away until the call is over; see ckpt_stream_finish().
 */
static int keep_going(struct file *file, ssize_t transferred, __poll_t events)
{
	switch (transferred) {
	case -EAGAIN:
		return wait_until_ready(file, events);
	case -EINTR:
	case -ERESTARTSYS:
	case -ERESTARTNOHAND:
	case -ERESTARTNOINTR:
	case -ERESTART_RESTARTBLOCK:
		if (fatal_signal_pending(current))
			return -EINTR;
		clear_thread_flag(TIF_SIGPENDING);
		clear_notify_signal();
		return 0;
	case 0:
		return -EPIPE;
	default:
		return transferred < 0 ? transferred : 0;
	}
}

/* The call is over: signals and task work that waited are seen again. */
static void restore_signal_flags(void)
{
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	recalc_sigpending();
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	if (task_work_pending(current))
		set_notify_signal(current);
}

static int transfer(struct ckpt_stream *stream, struct iov_iter *iter,
		    bool writing)
{
	struct file *file = stream->file;
	loff_t *position = &file->f_pos;
	int ret = 0;

	might_sleep();
	while (!ret && iov_iter_count(iter)) {
		ssize_t transferred;

		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (writing)
			transferred = vfs_iter_write(file, iter, position, 0);
		else
			transferred = vfs_iter_read(file, iter, position, 0);
		if (transferred > 0)
			stream->position += transferred;
		else
			ret = keep_going(file, transferred,
					 writing ? EPOLLOUT : EPOLLIN);
	}
	restore_signal_flags();
	if (ret)
		stream->broken = true;
	return ret;
}

static void hash_bvecs(struct ckpt_stream *stream, struct bio_vec *bvecs,
		       unsigned int nr_bvecs)
{
	while (nr_bvecs--) {
		void *data = bvec_kmap_local(bvecs);

		xxh64_update(&stream->hash, data, bvecs->bv_len);
		kunmap_local(data);
		bvecs++;
	}
}

/**
 * ckpt_stream_start - begin at the first byte of an image
 * @ctx: context with the file set
 */
void ckpt_stream_start(struct ckpt_ctx *ctx)
{
	xxh64_reset(&ctx->stream.hash, 0);
}

/**
 * ckpt_stream_write - write bytes to the image
 * @ctx: context
 * @data: bytes
 * @len: how many
 *
 * Return: 0, -EINTR after a fatal signal, or the error of the file.
 */
int ckpt_stream_write(struct ckpt_ctx *ctx, const void *data, size_t len)
{
	struct kvec kvec = { .iov_base = (void *)data, .iov_len = len };
	struct iov_iter iter;

	xxh64_update(&ctx->stream.hash, data, len);
	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, len);
	return transfer(&ctx->stream, &iter, true);
}

/**
 * ckpt_stream_write_record - write a record without a tail to the image
 * @ctx: context
 * @record: begins with struct ckpt_hdr; its tail, if any, is written apart
 *
 * Return: as ckpt_stream_write().
 */
int ckpt_stream_write_record(struct ckpt_ctx *ctx, const void *record)
{
	const struct ckpt_hdr *header = record;

	ctx->stream.nr_records++;
	return ckpt_stream_write(ctx, record,
				 ckpt_record_find(header->type)->size);
}

/**
 * ckpt_stream_write_pages - write a record with pages to the image
 * @ctx: context
 * @header: its fields, in memory from kmalloc()
 * @bvecs: room for @header in front, then the pages
 * @nr_bvecs: pages and one
 *
 * One write for the record and its pages: no copy but the file's own.
 *
 * Return: as ckpt_stream_write().
 */
int ckpt_stream_write_pages(struct ckpt_ctx *ctx,
			    const struct ckpt_hdr_pages *header,
			    struct bio_vec *bvecs, unsigned int nr_bvecs)
{
	struct iov_iter iter;

	bvec_set_virt(&bvecs[0], (void *)header, sizeof(*header));
	hash_bvecs(&ctx->stream, bvecs, nr_bvecs);
	ctx->stream.nr_records++;
	iov_iter_bvec(&iter, ITER_SOURCE, bvecs, nr_bvecs, header->h.len);
	return transfer(&ctx->stream, &iter, true);
}

/**
 * ckpt_stream_write_tail - end the image
 * @ctx: context; everything else is written
 *
 * Return: as ckpt_stream_write().
 */
int ckpt_stream_write_tail(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_tail tail = {
		.h.type		= CKPT_HDR_TAIL,
		.h.len		= sizeof(tail),
		.magic		= CKPT_IMAGE_TAIL_MAGIC,
		.nr_records	= ctx->stream.nr_records,
		.checksum	= xxh64_digest(&ctx->stream.hash),
	};

	return ckpt_stream_write_record(ctx, &tail);
}

static int read_bytes(struct ckpt_ctx *ctx, void *data, size_t len)
{
	struct kvec kvec = { .iov_base = data, .iov_len = len };
	struct iov_iter iter;
	int ret;

	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, len);
	ret = transfer(&ctx->stream, &iter, false);
	if (ret == -EPIPE)
		return ckpt_error(ctx, ret, "the image ends early");
	if (ret && ret != -EINTR)
		return ckpt_error(ctx, ret, "cannot read the image");
	return ret;
}

static int read_hashed(struct ckpt_ctx *ctx, void *data, size_t len)
{
	int ret = read_bytes(ctx, data, len);

	if (!ret)
		xxh64_update(&ctx->stream.hash, data, len);
	return ret;
}

/**
 * ckpt_stream_read_pages - read the pages of a record from the image
 * @ctx: context
 * @bvecs: pages to fill
 * @nr_bvecs: how many
 *
 * Return: 0, -EPIPE if the image ends, -EINTR after a fatal signal, or the
 * error of the file.
 */
int ckpt_stream_read_pages(struct ckpt_ctx *ctx, struct bio_vec *bvecs,
			   unsigned int nr_bvecs)
{
	struct iov_iter iter;
	int ret;

	iov_iter_bvec(&iter, ITER_DEST, bvecs, nr_bvecs,
		      (size_t)nr_bvecs << PAGE_SHIFT);
	ret = transfer(&ctx->stream, &iter, false);
	if (ret == -EPIPE)
		return ckpt_error(ctx, ret, "the image ends within a page");
	if (ret)
		return ret;
	hash_bvecs(&ctx->stream, bvecs, nr_bvecs);
	return 0;
}

static int read_error_record(struct ckpt_ctx *ctx, const struct ckpt_hdr *hdr)
{
	struct ckpt_hdr_error record;
	char *text;
	int ret;

	if (hdr->len != sizeof(record))
		return ckpt_error(ctx, -EINVAL, "malformed error record");
	ret = read_hashed(ctx, (void *)&record + sizeof(*hdr),
			  sizeof(record) - sizeof(*hdr));
	if (ret)
		return ret;
	text = ckpt_text_read(ctx);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = ckpt_error(ctx, -EIO, "the checkpoint had failed: %s", text);
	kfree(text);
	return ret;
}

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
		ret = read_hashed(ctx, &word, sizeof(word));
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
	ret = read_hashed(ctx, data + sizeof(*header),
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

static int next_header(struct ckpt_ctx *ctx, struct ckpt_hdr *header)
{
	const struct ckpt_record *record;
	struct ckpt_record_fault fault;
	int ret;

	if (ctx->pushed.type) {
		*header = ctx->pushed;
		ctx->pushed.type = 0;
		return 0;
	}
	ret = read_bytes(ctx, header, sizeof(*header));
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
	if (header->type == CKPT_HDR_ERROR)
		return read_error_record(ctx, header);
	return 0;
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

static void *read_tail(struct ckpt_ctx *ctx, const struct ckpt_record *record,
		       const void *fields, u32 len)
{
	struct ckpt_record_fault fault;
	void *tail;
	int ret;

	tail = kvzalloc(max_t(u32, len, 8), GFP_KERNEL_ACCOUNT);
	if (!tail)
		return ERR_PTR(-ENOMEM);
	ret = len ? read_hashed(ctx, tail, len) : 0;
	if (!ret && ckpt_record_check_tail(record, fields, tail, len, &fault))
		ret = refuse(ctx, record, &fault);
	if (ret) {
		kvfree(tail);
		return ERR_PTR(ret);
	}
	return tail;
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
	return read_tail(ctx, ckpt_record_find(CKPT_HDR_STRING), &header,
			 header.len - sizeof(struct ckpt_hdr_string));
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
	return 0;
}
