// SPDX-License-Identifier: GPL-2.0
/*
 * Contents of files in the image: shared memory, unlinked files.
 *
 * Those of unlinked files on a disk are copied while the target is stopped; for
 * what is in memory see mm/shared_ckpt.c. Only pages that hold something are
 * saved: the rest is a hole again.
 */
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct ckpt_page_copies - a segment with copies of pages
 * @segment: its place in the image
 * @pages: index of the page in its file to its copy
 */
struct ckpt_page_copies {
	struct ckpt_segment segment;
	struct xarray pages;
};

/**
 * struct ckpt_page_batch - consecutive pages on their way to the image
 * @header: record in front of them
 * @bvecs: room for @header, then one page each
 * @nr_pages: pages in @bvecs
 * @next: index behind the last of them
 * @end: what has gone out
 */
struct ckpt_page_batch {
	struct ckpt_hdr_pages header;
	struct bio_vec bvecs[CKPT_PAGE_BATCH + 1];
	unsigned int nr_pages;
	pgoff_t next;
	struct ckpt_hdr_pages_end end;
};

static bool is_zero(struct page *page)
{
	void *data = kmap_local_page(page);
	bool zero = !memchr_inv(data, 0, PAGE_SIZE);

	kunmap_local(data);
	return zero;
}

/**
 * ckpt_page_batch_alloc - begin to write the contents of a file
 *
 * Return: room for some of its pages, to be freed with kfree(); or NULL.
 */
struct ckpt_page_batch *ckpt_page_batch_alloc(void)
{
	struct ckpt_page_batch *batch;

	batch = kzalloc(sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (batch) {
		batch->end.h.type = CKPT_HDR_PAGES_END;
		batch->end.h.len = sizeof(batch->end);
	}
	return batch;
}

/**
 * ckpt_page_batch_flush - write the pages that were added
 * @ctx: context
 * @batch: from ckpt_page_batch_alloc(); may have none
 *
 * Return: 0 or a negative errno.
 */
int ckpt_page_batch_flush(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch)
{
	unsigned int nr_pages = batch->nr_pages;

	if (!nr_pages)
		return 0;
	batch->nr_pages = 0;
	batch->header.h.type = CKPT_HDR_PAGES;
	batch->header.h.len = sizeof(batch->header) + nr_pages * PAGE_SIZE;
	batch->header.nr_pages = nr_pages;
	return ckpt_stream_write_pages(ctx, &batch->header, batch->bvecs,
				       nr_pages + 1);
}

/**
 * ckpt_page_batch_prepare - where will a page come in the next write?
 * @ctx: context
 * @batch: from ckpt_page_batch_alloc()
 * @index: of the page in its file, larger than that of the page before
 *
 * Writes the pages that were added if it cannot go with them.
 *
 * Return: pages before it that are to be written, less than CKPT_PAGE_BATCH; or
 * a negative errno.
 */
int ckpt_page_batch_prepare(struct ckpt_ctx *ctx,
			    struct ckpt_page_batch *batch, pgoff_t index)
{
	int ret = 0;

	if (index != batch->next || batch->nr_pages == CKPT_PAGE_BATCH)
		ret = ckpt_page_batch_flush(ctx, batch);
	return ret ?: batch->nr_pages;
}

/**
 * ckpt_page_batch_add - add a page, unless it holds nothing but zeros
 * @ctx: context
 * @batch: from ckpt_page_batch_alloc()
 * @index: of the page in its file, larger than that of the page before
 * @page: stays as it is until it is written
 *
 * Return: 0 or a negative errno.
 */
int ckpt_page_batch_add(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch,
			pgoff_t index, struct page *page)
{
	int ret;

	if (is_zero(page))
		return 0;
	ret = ckpt_page_batch_prepare(ctx, batch, index);
	if (ret < 0)
		return ret;
	if (!batch->nr_pages)
		batch->header.start = (u64)index << PAGE_SHIFT;
	bvec_set_page(&batch->bvecs[++batch->nr_pages], page, PAGE_SIZE, 0);
	batch->next = index + 1;
	batch->end.nr_pages++;
	return 0;
}

/**
 * ckpt_page_batch_end - write what is left, and that it was all
 * @ctx: context
 * @batch: from ckpt_page_batch_alloc()
 *
 * Return: 0 or a negative errno.
 */
int ckpt_page_batch_end(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch)
{
	int ret = ckpt_page_batch_flush(ctx, batch);

	return ret ?: ckpt_stream_write_record(ctx, &batch->end);
}

static int write_all(struct ckpt_ctx *ctx, struct ckpt_page_copies *copies,
		     struct ckpt_page_batch *batch)
{
	unsigned long index;
	struct page *page;
	int ret;

	xa_for_each(&copies->pages, index, page) {
		ret = ckpt_page_batch_add(ctx, batch, index, page);
		if (ret)
			return ret;
		cond_resched();
	}
	return ckpt_page_batch_end(ctx, batch);
}

static int emit_segment(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	struct ckpt_page_copies *copies;
	struct ckpt_page_batch *batch;
	int ret;

	copies = container_of(segment, struct ckpt_page_copies, segment);
	batch = ckpt_page_batch_alloc();
	if (!batch)
		return -ENOMEM;
	ret = write_all(ctx, copies, batch);
	kfree(batch);
	return ret;
}

static void free_segment(struct ckpt_segment *segment)
{
	ckpt_page_copies_free(container_of(segment, struct ckpt_page_copies,
					   segment));
}

static const struct ckpt_segment_ops page_copies_ops = {
	.emit	= emit_segment,
	.free	= free_segment,
};

/**
 * ckpt_page_copies_alloc - begin to save the contents of a file
 *
 * Return: room for copies of its pages, or NULL if there is no memory.
 */
struct ckpt_page_copies *ckpt_page_copies_alloc(void)
{
	struct ckpt_page_copies *copies;

	copies = kzalloc(sizeof(*copies), GFP_KERNEL_ACCOUNT);
	if (copies) {
		copies->segment.ops = &page_copies_ops;
		xa_init(&copies->pages);
	}
	return copies;
}

/**
 * ckpt_page_copies_free - give up what was copied
 * @copies: from ckpt_page_copies_alloc(), not appended
 */
void ckpt_page_copies_free(struct ckpt_page_copies *copies)
{
	unsigned long index;
	struct page *page;

	xa_for_each(&copies->pages, index, page)
		put_page(page);
	xa_destroy(&copies->pages);
	kfree(copies);
}

/**
 * ckpt_page_copies_new - a page to copy to
 *
 * A file may be larger than memory. Then the checkpoint fails; nobody is to be
 * killed to make room for it.
 *
 * Return: a page with one reference, not cleared, or NULL.
 */
struct page *ckpt_page_copies_new(void)
{
	return alloc_page(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL |
			  __GFP_NOWARN);
}

/**
 * ckpt_page_copies_add - keep the copy of a page
 * @copies: of its file
 * @index: of the page in the file
 * @page: from ckpt_page_copies_new(); taken over if this succeeds
 *
 * Return: 0, -ENOMEM, -EBUSY if there is one already.
 */
int ckpt_page_copies_add(struct ckpt_page_copies *copies, pgoff_t index,
			 struct page *page)
{
	return xa_insert(&copies->pages, index, page, GFP_KERNEL_ACCOUNT);
}

/**
 * ckpt_page_copies_append - append the contents behind everything captured
 * @ctx: context, owns them from now on
 * @copies: complete
 */
void ckpt_page_copies_append(struct ckpt_ctx *ctx,
			     struct ckpt_page_copies *copies)
{
	ckpt_segment_add(ctx, &copies->segment);
}

static int read_run(struct ckpt_ctx *ctx, const struct ckpt_hdr_pages *record,
		    u64 size, ckpt_page_fill_t fill, void *object)
{
	pgoff_t index = record->start >> PAGE_SHIFT;
	u64 end = record->start + (u64)record->nr_pages * PAGE_SIZE;
	u32 left;

	if (offset_in_page(record->start) ||
	    end > round_up(size, (u64)PAGE_SIZE))
		return ckpt_error(ctx, -EINVAL,
				  "%u pages at %#llx of a file of %llu bytes",
				  record->nr_pages, record->start, size);
	for (left = record->nr_pages; left; left--) {
		int ret = fill(ctx, object, index++);

		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/**
 * ckpt_page_copies_read - read the contents of a file from the image
 * @ctx: context
 * @size: of the file
 * @fill: reads one page with ckpt_stream_read_pages() and puts it in its place
 * @object: for @fill
 *
 * Return: 0 or a negative errno.
 */
int ckpt_page_copies_read(struct ckpt_ctx *ctx, u64 size, ckpt_page_fill_t fill,
			  void *object)
{
	struct ckpt_hdr_pages_end end;
	struct ckpt_hdr_pages record;
	u64 nr_pages = 0;
	int ret;

	for (;;) {
		ret = ckpt_record_peek(ctx);
		if (ret < 0)
			return ret;
		if (ret == CKPT_HDR_PAGES_END)
			break;
		ret = ckpt_record_read(ctx, CKPT_HDR_PAGES, &record);
		if (!ret)
			ret = read_run(ctx, &record, size, fill, object);
		if (ret)
			return ret;
		nr_pages += record.nr_pages;
	}
	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES_END, &end);
	if (!ret && end.nr_pages != nr_pages)
		ret = ckpt_error(ctx, -EINVAL, "%llu pages instead of %llu",
				 nr_pages, end.nr_pages);
	return ret;
}
