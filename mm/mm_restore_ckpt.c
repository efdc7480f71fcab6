// SPDX-License-Identifier: GPL-2.0
/*
 * Restart of the contents of private memory: pages are read from the image
 * into the new address space without a copy in between.
 */
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

/* Pages that one read fills. */
#define BATCH_PAGES	256

/**
 * struct batch - pages of the new address space that one read fills
 * @pages: pinned
 * @bvecs: the same, for the read
 */
struct batch {
	struct page *pages[BATCH_PAGES];
	struct bio_vec bvecs[BATCH_PAGES];
};

/* A shared mapping has its contents elsewhere: an image must not write there. */
static int check_private(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	while (start < end) {
		vma = vma_lookup(mm, start);
		if (!vma || !ckpt_vma_is_private(vma))
			return ckpt_error(ctx, -EINVAL,
					  "contents for %#lx, which is not private memory",
					  start);
		start = vma->vm_end;
	}
	return 0;
}

static int fill(struct ckpt_ctx *ctx, struct mm_struct *mm, struct batch *batch,
		unsigned long start, unsigned long nr_pages)
{
	long index, pinned;
	int ret;

	mmap_read_lock(mm);
	ret = check_private(ctx, mm, start, start + nr_pages * PAGE_SIZE);
	pinned = ret ?: pin_user_pages_remote(mm, start, nr_pages,
					      FOLL_WRITE | FOLL_FORCE,
					      batch->pages, NULL);
	mmap_read_unlock(mm);
	if (ret)
		return ret;
	if (pinned < 0)
		return ckpt_error(ctx, pinned, "no page at %#lx", start);
	for (index = 0; index < pinned; index++)
		bvec_set_page(&batch->bvecs[index], batch->pages[index],
			      PAGE_SIZE, 0);
	ret = pinned == nr_pages ? 0 : -ENOMEM;
	if (!ret)
		ret = ckpt_stream_read_pages(ctx, batch->bvecs, nr_pages);
	unpin_user_pages_dirty_lock(batch->pages, pinned, true);
	return ret;
}

static int check_range(struct ckpt_ctx *ctx, u64 start, u32 nr_pages)
{
	if (offset_in_page(start) || start >= TASK_SIZE_MAX ||
	    nr_pages > (TASK_SIZE_MAX - start) >> PAGE_SHIFT)
		return ckpt_error(ctx, -EINVAL, "%u pages at %#llx", nr_pages,
				  start);
	return 0;
}

static int restore_run(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       struct batch *batch, const struct ckpt_hdr_pages *record)
{
	unsigned long start = record->start;
	unsigned long left = record->nr_pages;
	int ret = check_range(ctx, start, left);

	if (ret)
		return ret;
	while (left) {
		unsigned long nr_pages = min_t(unsigned long, left,
					       BATCH_PAGES);

		ret = fill(ctx, mm, batch, start, nr_pages);
		if (ret)
			return ret;
		start += nr_pages * PAGE_SIZE;
		left -= nr_pages;
		cond_resched();
	}
	return 0;
}

/* Reads one record and its pages; returns their number, or an errno. */
static int restore_pages(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 struct batch *batch)
{
	struct ckpt_hdr_pages record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES, &record);
	if (!ret)
		ret = restore_run(ctx, mm, batch, &record);
	return ret ?: record.nr_pages;
}

static int restore_cow(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct ckpt_hdr_pages_cow record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES_COW, &record);
	if (!ret)
		ret = check_range(ctx, record.start, record.nr_pages);
	if (!ret)
		ret = check_range(ctx, record.source, record.nr_pages);
	if (!ret)
		ret = ckpt_cow_restore(ctx, mm, &record);
	return ret ?: record.nr_pages;
}

static int restore_all(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       struct batch *batch)
{
	struct ckpt_hdr_pages_end end;
	u64 nr_pages = 0;
	int ret;

	for (;;) {
		ret = ckpt_record_peek(ctx);
		if (ret < 0)
			return ret;
		if (ret == CKPT_HDR_PAGES_END)
			break;
		if (ret == CKPT_HDR_PAGES_COW)
			ret = restore_cow(ctx, mm);
		else
			ret = restore_pages(ctx, mm, batch);
		if (ret < 0)
			return ret;
		nr_pages += ret;
	}
	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES_END, &end);
	if (!ret && end.nr_pages != nr_pages)
		ret = ckpt_error(ctx, -EINVAL, "%llu pages instead of %llu",
				 nr_pages, end.nr_pages);
	return ret;
}

/**
 * ckpt_mm_restore_pages - read the contents of private memory
 * @ctx: context
 * @mm: address space with its mappings made, private to the restart
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mm_restore_pages(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct batch *batch;
	int ret;

	batch = kvzalloc(sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return -ENOMEM;
	ret = restore_all(ctx, mm, batch);
	kvfree(batch);
	return ret;
}
