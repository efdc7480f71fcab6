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
#include <linux/crc32c.h>
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

/* Read at once from a file, where most records are short. */
#define AHEAD_SIZE	SZ_8K

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

/* Transfers all of @iter, or, for a read, at least @enough of it. */
static int transfer(struct ckpt_stream *stream, struct iov_iter *iter,
		    bool writing, size_t enough)
{
	size_t most = iov_iter_count(iter), done = 0;
	struct file *file = stream->file;
	loff_t *position = &file->f_pos;
	int ret = 0;

	might_sleep();
	while (!ret && done < enough) {
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
			done += transferred;
		else
			ret = keep_going(file, transferred,
					 writing ? EPOLLOUT : EPOLLIN);
		/* Where a file may not grow any more, its end is cut off. */
		iov_iter_reexpand(iter, most - done);
	}
	restore_signal_flags();
	if (ret)
		stream->broken = true;
	return ret;
}

static int write_all(struct ckpt_stream *stream, struct iov_iter *iter)
{
	size_t most = iov_iter_count(iter);
	int ret = transfer(stream, iter, true, most);

	stream->position += most - iov_iter_count(iter);
	return ret;
}

static int refill(struct ckpt_stream *stream)
{
	struct kvec kvec = { .iov_base = stream->ahead, .iov_len = AHEAD_SIZE };
	struct iov_iter iter;
	int ret;

	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, AHEAD_SIZE);
	ret = transfer(stream, &iter, false, 1);
	stream->ahead_used = 0;
	stream->ahead_len = AHEAD_SIZE - iov_iter_count(&iter);
	return ret;
}

static void take_from_ahead(struct ckpt_stream *stream, struct iov_iter *iter)
{
	stream->ahead_used += copy_to_iter(stream->ahead + stream->ahead_used,
					   stream->ahead_len -
					   stream->ahead_used, iter);
}

static int read_all(struct ckpt_stream *stream, struct iov_iter *iter)
{
	size_t most = iov_iter_count(iter);
	int ret = 0;

	take_from_ahead(stream, iter);
	while (!ret && iov_iter_count(iter)) {
		if (!stream->ahead || iov_iter_count(iter) >= AHEAD_SIZE) {
			ret = transfer(stream, iter, false,
				       iov_iter_count(iter));
		} else {
			ret = refill(stream);
			take_from_ahead(stream, iter);
		}
	}
	stream->position += most - iov_iter_count(iter);
	return ret;
}

/* Processors have an instruction for it: as cheap as a checksum can be. */
static void checksum_pages(struct ckpt_stream *stream, struct bio_vec *bvecs,
			   unsigned int nr_bvecs)
{
	while (nr_bvecs--) {
		void *data = bvec_kmap_local(bvecs);

		stream->pages_crc = crc32c(stream->pages_crc, data,
					   bvecs->bv_len);
		kunmap_local(data);
		bvecs++;
	}
}

/**
 * ckpt_stream_start - begin at the first byte of an image
 * @ctx: context with the file set
 *
 * What follows an image in a pipe or a socket is not ours to read. In a file
 * the position can be put back, so there more is read at once.
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_stream_start(struct ckpt_ctx *ctx)
{
	struct ckpt_stream *stream = &ctx->stream;

	xxh64_reset(&stream->hash, 0);
	stream->pages_crc = ~0;
	if (ctx->saving || !S_ISREG(file_inode(stream->file)->i_mode) ||
	    !(stream->file->f_mode & FMODE_PREAD))
		return 0;
	stream->ahead = kmalloc(AHEAD_SIZE, GFP_KERNEL_ACCOUNT);
	return stream->ahead ? 0 : -ENOMEM;
}

/**
 * ckpt_stream_end - leave the file at the byte behind those that were used
 * @ctx: context
 *
 * Nothing can be read any more.
 */
void ckpt_stream_end(struct ckpt_ctx *ctx)
{
	struct ckpt_stream *stream = &ctx->stream;

	if (!stream->ahead)
		return;
	stream->file->f_pos -= stream->ahead_len - stream->ahead_used;
	kfree(stream->ahead);
	stream->ahead = NULL;
	stream->ahead_len = 0;
	stream->ahead_used = 0;
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
	return write_all(&ctx->stream, &iter);
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
	xxh64_update(&ctx->stream.hash, header, sizeof(*header));
	checksum_pages(&ctx->stream, bvecs + 1, nr_bvecs - 1);
	ctx->stream.nr_records++;
	iov_iter_bvec(&iter, ITER_SOURCE, bvecs, nr_bvecs, header->h.len);
	return write_all(&ctx->stream, &iter);
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
		.pages_checksum	= ~ctx->stream.pages_crc,
	};

	return ckpt_stream_write_record(ctx, &tail);
}

/**
 * ckpt_stream_read_unhashed - read bytes that the checksum does not cover
 * @ctx: context
 * @data: filled in
 * @len: how many
 *
 * Return: 0, -EPIPE if the image ends, -EINTR after a fatal signal, or the
 * error of the file.
 */
int ckpt_stream_read_unhashed(struct ckpt_ctx *ctx, void *data, size_t len)
{
	struct kvec kvec = { .iov_base = data, .iov_len = len };
	struct iov_iter iter;
	int ret;

	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, len);
	ret = read_all(&ctx->stream, &iter);
	if (ret == -EPIPE)
		return ckpt_error(ctx, ret, "the image ends early");
	if (ret && ret != -EINTR)
		return ckpt_error(ctx, ret, "cannot read the image");
	return ret;
}

/**
 * ckpt_stream_read - read bytes
 * @ctx: context
 * @data: filled in
 * @len: how many
 *
 * Return: as ckpt_stream_read_unhashed().
 */
int ckpt_stream_read(struct ckpt_ctx *ctx, void *data, size_t len)
{
	int ret = ckpt_stream_read_unhashed(ctx, data, len);

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
	ret = read_all(&ctx->stream, &iter);
	if (ret == -EPIPE)
		return ckpt_error(ctx, ret, "the image ends within a page");
	if (ret)
		return ret;
	checksum_pages(&ctx->stream, bvecs, nr_bvecs);
	return 0;
}
